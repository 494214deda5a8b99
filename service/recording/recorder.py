"""Recording entries and taking over cases: one request becomes one version of a case with one decision, or nothing.

The case is read and judged on a snapshot, outside any lock; then one transaction takes the Idempotency-Key, compares
and sets the version, and appends entries, decision and links. So nothing is lost, doubled or altered, however many
record.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from rules.assessment import Assessor
from rules.entries import Correction
from rules.journal import ENTRY_TYPES, Case, Entry, Problem, case_to_data
from rules.kept import facts_hold_until, numbers_hold_until
from service.access.policy import may_open, may_record, may_void
from service.access.principal import Principal
from service.access.relations import Party, Ties, Worker, local_day, relation, ties
from service.audit.chain import timestamp
from service.kept_facts import kept
from service.operations.metrics import RECORDED_ENTRIES
from service.reading import is_name
from service.recording.alarms import tell_alarm
from service.recording.errors import (
    CaseExists,
    CaseGone,
    CaseNotFound,
    KeyReused,
    NeedsAcknowledgement,
    NotAllowed,
    PreconditionFailed,
)
from service.recording.judging import Judged, closed_since, judge_opening, judge_recording
from service.recording.record import (
    UNDETERMINED,
    Acknowledgement,
    Circumstances,
    RecordedBy,
    answer,
    decision_record,
    todays,
)
from service.recording.requests import acknowledgement_asked, case_asked, digest_of_request, entries_asked
from service.store import Conflict, Database, KeptFacts, StoredCase, Unit, UsedKey, VersionConflict


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a request: the decision record. `replayed`: an earlier request of the same key recorded it."""

    record: dict[str, Any]
    replayed: bool

    @property
    def version(self) -> int:
        """The case's version with it."""
        return int(self.record["version"])

    def answer(self, lang: str) -> dict[str, Any]:
        """What the one who recorded is told, the same each time."""
        return answer(self.record, lang)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks, when, and by which key."""

    principal: Principal
    now: datetime
    key: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class _Found:
    """The case as the request finds it."""

    stored: StoredCase
    relation: str
    case: Case


class Reads(Protocol):
    """A read of the case that a recording is (`service.reading.Reading.along`), logged in the transaction that records.

    What is not recorded, it logs by itself.
    """

    def look(self, unit: Unit) -> tuple[StoredCase, str]:
        """The case and how the one who asks stands to it. Raises when it is not theirs to know of."""

    def log(self, unit: Unit) -> None:
        """Put the read on record, if the unit is committed."""

    def logged(self) -> None:
        """The unit was committed."""


class _KeyTaken(Exception):
    """Another request took the key first; the transaction is undone."""

    def __init__(self, used: UsedKey) -> None:
        self.used = used


class Recorder:
    """Records in one database by one pack. Safe between threads."""

    def __init__(
        self,
        database: Database,
        assessor: Assessor,
        clock: Callable[[], datetime],
        *,
        program: str,
        on_alarm: Callable[[str], None] = tell_alarm,
    ) -> None:
        self._database = database
        self._assessor = assessor
        self._clock = clock
        self._program = program
        self._on_alarm = on_alarm

    def record(
        self,
        principal: Principal,
        case_id: str,
        expected: int,
        entries: object,
        *,
        acknowledged: object = None,
        key: str | None = None,
        reads: Reads | None = None,
    ) -> Recorded:
        """Record a list of entries (plain data) in a case that is at version `expected`, all or none.

        Raises CaseNotFound, CaseGone, NotAllowed, Refused, PreconditionFailed, NeedsAcknowledgement, KeyReused, and
        the store's StoreUnavailable; then nothing of it is kept. With `reads` that read is logged with the recording.
        """
        digest = digest_of_request("entries", principal.role, case_id, expected, entries, acknowledged)
        asked = _Asked(principal, self._clock(), key, digest)
        with self._database.read(principal.region) as unit:
            seen = reads.look(unit) if reads is not None else None
            if (earlier := self._earlier(unit, asked)) is not None:
                return earlier
            stored, stands = _known_to(*seen) if seen is not None else _standing(unit, asked, case_id)[:2]
            found = _Found(stored, stands, unit.cases.load(case_id))
        if found.stored.version != expected:
            raise PreconditionFailed(found.stored.version)
        _allow(principal.role, found.relation, entries)
        new = entries_asked(found.case, entries, asked.now, principal.journal_role)
        covered = acknowledgement_asked(acknowledged, self._assessor.pack)
        after = found.case.with_entries((*found.case.entries, *new))
        _allow_corrections(principal.role, found.relation, after, new)
        judged = judge_recording(self._assessor, found.case, after, local_day(asked.now))
        missing = set(judged.to_acknowledge) - set(covered.rules if covered is not None else ())
        if missing:
            raise NeedsAcknowledgement(judged.to_acknowledge, judged.objections, judged.breaks)
        record = self._record(asked, found.relation, after, expected + 1, new, judged, covered)

        def write(unit: Unit) -> None:
            self._take_key(unit, asked, record)
            version = unit.cases.advance(case_id, expected)
            # It may have been closed to them, or disposed of, meanwhile.
            now, _, bound = _standing(unit, asked, case_id)
            if now.header != found.stored.header:
                raise VersionConflict(expected)
            self._append(unit, replace(found.stored, version=version), after, new, record, judged, asked.now, bound)
            if reads is not None:
                reads.log(unit)

        recorded = self._written(asked, record, write)
        if reads is not None and not recorded.replayed:
            reads.logged()
        return recorded

    def open(self, principal: Principal, document: object, *, key: str | None = None) -> Recorded:
        """Keep a case with the journal it brings, as version 1, for the organisation and team of the one who asks.

        What happened elsewhere is taken over as it is: nothing is to be acknowledged. Raises CaseExists, NotAllowed,
        Refused, KeyReused, and the store's StoreUnavailable; then nothing of it is kept.
        """
        asked = _Asked(principal, self._clock(), key, digest_of_request("case", principal.role, document))
        with self._database.read(principal.region) as unit:
            if (earlier := self._earlier(unit, asked)) is not None:
                return earlier
        if not may_open(principal.role):
            raise NotAllowed([Problem("case", None, "a case", "a role that may open cases")])
        case = case_asked(document, asked.now)
        judged = judge_opening(self._assessor, case, local_day(asked.now))
        own = Ties(principal.organisation, principal.team, False, *ties(case))
        record = self._record(asked, relation(principal, own, asked.now), case, 1, case.entries, judged, None)

        def write(unit: Unit) -> None:
            header = case_to_data(case.with_entries(()))["case"]
            try:
                stored = unit.cases.add(case.id, header, principal.team, principal.organisation, asked.now)
            except Conflict:
                raise CaseExists from None
            self._take_key(unit, asked, record)
            unit.events.append(stored, "opened", {"v": 1, "case": header, "by": record["recorded_by"]}, asked.now)
            self._append(unit, stored, case, case.entries, record, judged, asked.now, Ties())

        return self._written(asked, record, write)

    # --- before ---

    def _earlier(self, unit: Unit, asked: _Asked) -> Recorded | None:
        """What an earlier request of the same key came to, whatever has happened since."""
        used = unit.keys.get(asked.principal.user, asked.key) if asked.key is not None else None
        return self._repeated(unit, asked, used) if used is not None else None

    def _repeated(self, unit: Unit, asked: _Asked, used: UsedKey) -> Recorded:
        decision = unit.decisions.get(used.decision_id)
        if used.request_digest != asked.digest or decision is None:
            raise KeyReused
        return Recorded(json.loads(decision.payload), replayed=True)

    def _record(
        self,
        asked: _Asked,
        stands: str,
        case: Case,
        version: int,
        new: Sequence[Entry],
        judged: Judged,
        acknowledged: Acknowledgement | None,
    ) -> dict[str, Any]:
        principal = asked.principal
        by = RecordedBy(principal.user, principal.organisation, principal.role, stands)
        ids = tuple(entry.id for entry in new)
        of = Circumstances(
            new_decision_id(asked.now), case.id, version, ids, asked.now, by, self._program, self._assessor.pack
        )
        return decision_record(judged, of, acknowledged)

    # --- writing ---

    def _written(self, asked: _Asked, record: dict[str, Any], write: Callable[[Unit], None]) -> Recorded:
        region = asked.principal.region
        try:
            with self._database.write(region) as unit:
                write(unit)
        except _KeyTaken as taken:
            with self._database.read(region) as unit:
                return self._repeated(unit, asked, taken.used)
        except (VersionConflict, CaseExists) as error:
            # The same request may have got there first.
            with self._database.read(region) as unit:
                if (earlier := self._earlier(unit, asked)) is not None:
                    return earlier
            raise PreconditionFailed(error.current) if isinstance(error, VersionConflict) else error from None
        RECORDED_ENTRIES.inc(len(record["entries"]))
        if record["status"] == UNDETERMINED:
            self._on_alarm(record["id"])
        return Recorded(record, replayed=False)

    def _take_key(self, unit: Unit, asked: _Asked, record: dict[str, Any]) -> None:
        if asked.key is None:
            return
        user, at = asked.principal.user, timestamp(asked.now)
        used = unit.keys.add(UsedKey(user, asked.key, asked.digest, record["case"], record["id"], at))
        if used is not None:
            raise _KeyTaken(used)

    def _append(
        self,
        unit: Unit,
        stored: StoredCase,
        case: Case,
        new: Iterable[Entry],
        record: dict[str, Any],
        judged: Judged,
        now: datetime,
        bound: Ties,
    ) -> None:
        """Entries, decision, and what is read off the journal for lists and later answers. `bound` are the case's ties
        as they are kept."""
        unit.packs.keep(self._assessor.pack)
        unit.entries.append(stored, stored.version, case_to_data(case.with_entries(new))["entries"], now)
        unit.decisions.append(
            stored,
            stored.version,
            record["id"],
            record,
            now,
            recorded_by=record["recorded_by"]["user"],
            status=record["status"],
            acknowledged=record["acknowledged"] is not None,
        )
        workers, parties = _in_teams(unit, ties(case))
        if (workers, parties) != (bound.workers, bound.parties):  # most entries tie nobody
            unit.cases.set_relations(case.id, workers, parties)
        closed = closed_since(self._assessor, case)
        closed_on = closed.isoformat() if closed is not None else None
        if closed_on != stored.closed_on:
            unit.cases.set_closed(case.id, closed_on)
        # As the decision has just written them.
        unit.facts.put(self._facts(stored, case, judged, todays(record)["subjects"]))

    def _facts(self, stored: StoredCase, case: Case, judged: Judged, subjects: list[dict[str, Any]]) -> KeptFacts:
        now, pack = judged.judgements[-1], self._assessor.pack
        days = now.as_of, facts_hold_until(case, now.folded, numbers_hold_until(pack, now.as_of))
        return kept(stored.id, stored.version, days, subjects, now.set_aside, program=self._program, pack=pack)


def new_decision_id(now: datetime) -> str:
    """An id that sorts by time: milliseconds since 1970 and chance, 32 hexadecimal digits."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def _standing(unit: Unit, asked: _Asked, case_id: str) -> tuple[StoredCase, str, Ties]:
    """The case, how the one who asks stands to it, and by what. Raises CaseNotFound and CaseGone."""
    stored = unit.cases.get(case_id) if is_name(case_id) else None
    if stored is None:
        raise CaseNotFound
    bound = unit.cases.ties(stored)
    return *_known_to(stored, relation(asked.principal, bound, asked.now)), bound


def _known_to(stored: StoredCase, stands: str) -> tuple[StoredCase, str]:
    """The case and the relation to it. Raises CaseNotFound where it is none, and CaseGone."""
    if stands == "none":
        raise CaseNotFound
    if stored.header is None:
        raise CaseGone
    return stored, stands


def _allow(role: str, stands: str, entries: object) -> None:
    """Refuse entries of types the role may not record; what is no entry type is told as a mistake later."""
    raws = entries if isinstance(entries, list) else []
    types = [raw.get("type") if isinstance(raw, dict) else None for raw in raws]
    problems = [
        Problem(f"entries[{at}].type", None, kind, "an entry that this role may record for this client")
        for at, kind in enumerate(types)
        if isinstance(kind, str) and kind in ENTRY_TYPES and not may_record(role, stands, kind)
    ]
    if problems:
        raise NotAllowed(problems)


def _allow_corrections(role: str, stands: str, after: Case, new: Sequence[Entry]) -> None:
    """Refuse corrections of what the role could not have recorded."""
    problems = [
        Problem(
            f"entries[{at}].voids", None, "an entry of others", "an entry that this role may record for this client"
        )
        for at, entry in enumerate(new)
        if isinstance(entry, Correction) and not may_void(role, stands, after, entry.voids)
    ]
    if problems:
        raise NotAllowed(problems)


def _in_teams(
    unit: Unit, found: tuple[tuple[Worker, ...], tuple[Party, ...]]
) -> tuple[tuple[Worker, ...], tuple[Party, ...]]:
    """Workers and parties, with the teams of the workers that have accounts."""
    workers, parties = found
    teams = unit.accounts.teams_of({worker.worker for worker in workers})
    return tuple(replace(worker, team=teams.get(worker.worker)) for worker in workers), parties
