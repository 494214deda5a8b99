"""Reading clients' data: who may, what of it, and the log that is written before anything leaves.

Every way to a client's data goes through `Reading`: the relation is found, the access tables are asked, the read (or
the refusal) is appended to the reader's chain, the transaction is committed, and only then does the caller get
anything. A log that cannot be written is a read that does not happen. What is logged never holds content: who, in
which role and relation, for what purpose, when, what kind of data, and which clients.

Someone with no relation to a client learns nothing, not even that there is one: a case that is not there and one that
is nobody's business raise the same exception after the same work.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from rules.entries import LONGEST_NAME
from rules.identity import masked
from rules.journal import Case
from service.access.policy import Sight, sees
from service.access.principal import Principal
from service.access.relations import RELATIONS, relation
from service.operations.metrics import REFUSED_READS
from service.operations.readers import Readers
from service.store import Database, StoredCase, StoredRead, StoreUnavailable, Unit

#: What is taken for the purpose of a role when none is given; of the others it is their work with clients.
_USUAL = {"auditor": "audit", "team_leader": "supervision", "administrator": "quality"}

Loaded = TypeVar("Loaded")


class NothingThere(Exception):
    """There is no such client, or none this user has business with. The two are one."""


class NotOpen(Exception):
    """The user knows the case, but this part of it is closed to their role in this relation."""

    def __init__(self, view: str) -> None:
        super().__init__(view)
        self.view = view


class Gone(Exception):
    """The data of this client was disposed of."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and what for; None: what is usual."""

    principal: Principal
    purpose: str | None = None

    def purpose_in(self, relations: Collection[str]) -> str:
        """What is logged as the purpose of reading clients the reader stands in these relations to."""
        if self.purpose is not None:
            return self.purpose
        return "emergency" if "emergency" in relations else _USUAL.get(self.principal.role, "client_work")


@dataclass(frozen=True, slots=True)
class Opened(Generic[Loaded]):
    """A client's data as it may be shown: how the reader stands to the case, what they may see, what was loaded."""

    case: StoredCase
    relation: str
    sight: Sight
    loaded: Loaded


class Along:
    """A read of one case that a recording logs in its own transaction: looked at on the recording's snapshot, logged
    with what it records, or else, left by `with`, in a transaction of its own before anything leaves."""

    def __init__(
        self, database: Database, readers: Readers, who: Reader, case_id: str, what: str, now: datetime
    ) -> None:
        self._database = database
        self._readers = readers
        self._who = who
        self._case_id = case_id
        self._what = what
        self._now = now
        self._relation = "none"
        self._refused = True
        self._logged = False
        #: What the reader may see of the case; nothing before `look`.
        self.sight = sees(who.principal.role, "none")

    def look(self, unit: Unit) -> tuple[StoredCase, str]:
        """The case and the reader's relation to it. Raises NothingThere, Gone."""
        case = unit.cases.get(self._case_id) if is_name(self._case_id) else None
        self._relation = standing(unit, self._who.principal, case, self._now)
        self.sight = sees(self._who.principal.role, self._relation)
        refusal = _refusal(case, self.sight, None)
        if case is None or refusal is not None:
            raise refusal or NothingThere
        self._refused = False
        return case, self._relation

    def log(self, unit: Unit) -> None:
        """Put the read on record, if the unit is committed."""
        log(unit, self._who, self._what, {self._case_id: self._relation}, self._now, refused=self._refused)

    def logged(self) -> None:
        """The unit was committed."""
        self._logged = True

    def __enter__(self) -> Along:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StoreUnavailable):
            return  # nothing leaves of what a database in trouble was asked, and it would not take the log either
        if not self._logged:
            with self._database.write(self._who.principal.region) as unit:
                self.log(unit)
        if self._refused:
            REFUSED_READS.inc()
        else:
            self._readers.note(self._who.principal.user, [self._case_id])


class Reading:
    """The door to kept cases of a region."""

    def __init__(self, database: Database, clock: Callable[[], datetime], readers: Readers) -> None:
        self._database = database
        self._clock = clock
        self._readers = readers

    def one(
        self,
        who: Reader,
        case_id: str,
        view: str | None,
        what: str,
        load: Callable[[Unit, StoredCase], Loaded],
    ) -> Opened[Loaded]:
        """What `load` loads of one case, once the read of it is on record as `what`.

        `view` is the part of the case that must be open to the reader; None: any. Raises NothingThere, NotOpen, Gone,
        and StoreUnavailable when it could not be logged.
        """
        return self._open(who, lambda unit: case_id, view, what, load)

    def of_decision(
        self, who: Reader, decision_id: str, view: str, what: str, load: Callable[[Unit, StoredCase], Loaded]
    ) -> Opened[Loaded]:
        """As `one`, of the case that a decision is about. Raises the same."""

        def case_of(unit: Unit) -> str | None:
            decision = unit.decisions.get(decision_id) if is_name(decision_id) else None
            return None if decision is None else decision.case_id

        return self._open(who, case_of, view, what, load)

    def _open(
        self,
        who: Reader,
        find: Callable[[Unit], str | None],
        view: str | None,
        what: str,
        load: Callable[[Unit, StoredCase], Loaded],
    ) -> Opened[Loaded]:
        now = self._clock()
        with self._database.write(who.principal.region) as unit:
            case_id = find(unit)
            case = unit.cases.get(case_id) if case_id is not None and is_name(case_id) else None
            found = standing(unit, who.principal, case, now)
            sight = sees(who.principal.role, found)
            refusal = _refusal(case, sight, view)
            opened = Opened(case, found, sight, load(unit, case)) if case is not None and refusal is None else None
            log(unit, who, what, {} if case_id is None else {case_id: found}, now, refused=opened is None)
        if opened is None:
            REFUSED_READS.inc()
            raise refusal or NothingThere
        self._readers.note(who.principal.user, [opened.case.id])
        return opened

    def along(self, who: Reader, case_id: str, what: str) -> Along:
        """As `one`, of a case that is recorded in: the recorder looks, and logs the read as `what` with what it records
        (`service.recording.recorder.Recorder.record`, `reads`). To be used by `with`."""
        return Along(self._database, self._readers, who, case_id, what, self._clock())

    def refused(self, who: Reader, case_id: str, what: str) -> None:
        """Put on record that the reader was refused something of this case. Raises StoreUnavailable."""
        with self._database.write(who.principal.region) as unit:
            log(unit, who, what, {case_id: "none"}, self._clock(), refused=True)
        REFUSED_READS.inc()

    def page(
        self, who: Reader, *, after: str | None, limit: int, closed: bool | None = None
    ) -> tuple[list[Opened[None]], bool]:
        """A page of the cases of which anything is open to the reader, in the order of their ids, and whether more
        follow. The log names every client shown."""
        now, role = self._clock(), who.principal.role
        relations = frozenset(name for name in RELATIONS if sees(role, name).anything)
        with self._database.write(who.principal.region) as unit:
            rows = unit.cases.page(who.principal, now, relations, after=after, limit=limit + 1, closed=closed)
            shown = rows[:limit]
            log(unit, who, "cases", {case.id: found for case, found in shown}, now)
        return [Opened(case, found, sees(role, found), None) for case, found in shown], len(rows) > limit


def nothing(unit: Unit, case: StoredCase) -> None:
    """Loads nothing: only the log and the refusal are wanted."""


def journal_and_own(unit: Unit, case: StoredCase, user: str) -> tuple[Case, frozenset[str]]:
    """The journal of a case, and the ids of the entries that the user recorded here; what they took over with the case
    others recorded."""
    versions = unit.decisions.versions_by(case.id, user) - {1}
    own = frozenset(entry.entry_id for entry in unit.cases.journal(case.id) if entry.version in versions)
    return unit.cases.load(case.id), own


def standing(unit: Unit, principal: Principal, case: StoredCase | None, now: datetime) -> str:
    """The relation of the user, in the role acted in, to a kept case; to one that is not there it is none."""
    return "none" if case is None else relation(principal, unit.cases.ties(case), now)


def _refusal(case: StoredCase | None, sight: Sight, view: str | None) -> Exception | None:
    if case is None or not sight.anything:
        return NothingThere()
    if case.disposed_at is not None:
        return Gone()
    return None if view is None or sight.opens(view) else NotOpen(view)


def log(unit: Unit, who: Reader, what: str, cases: Mapping[str, str], now: datetime, *, refused: bool = False) -> None:
    """Put a read on record: `cases` are the clients' case ids, each with the reader's relation. Kept when the unit is
    committed."""
    principal = who.principal
    shown = {case_id if is_name(case_id) else "(no id)": relation for case_id, relation in cases.items()}
    payload = {
        "v": 1,
        "user": principal.user,
        "organisation": principal.organisation,
        "role": principal.role,
        "program": principal.program,
        "purpose": who.purpose_in(cases.values()),
        "what": what,
        "cases": {masked(case_id): relation for case_id, relation in shown.items()},
        "refused": refused,
    }
    unit.reads.append(principal.user, _known(shown), payload, now)


def _known(cases: Mapping[str, str]) -> Sequence[str]:
    return [case_id for case_id in cases if masked(case_id) == case_id]


def is_name(text: str) -> bool:
    """Whether a case could have this id. Others are not asked for: some no database can be asked."""
    return 1 <= len(text) <= LONGEST_NAME and text.isprintable() and text == text.strip()


def read_of(read: StoredRead, case_id: str) -> dict[str, Any]:
    """A logged read as it concerns one client; which others were read with them is nobody's business here."""
    payload: dict[str, Any] = json.loads(read.payload)
    cases: dict[str, str] = payload.pop("cases", {})
    del payload["v"]
    return {"at": read.at, **payload, "relation": cases.get(case_id, "none")}
