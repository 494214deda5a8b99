"""Replay: recorded decisions judged again under the rules they were taken under.

First the facts that were kept are judged again under the pack that was kept: the findings must be byte for byte the
same, however many years and program versions lie between. Then the journal as it was at that version is folded again:
its facts must be those that were kept, unless the fold has changed since (docs/fold-changelog.md). Any other difference
is an error, told in its own words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from threading import Lock
from typing import Any

from rules.assessment import Assessor, blocking
from rules.engines import Engine, EngineError, checked
from rules.fold import FOLD_VERSION
from rules.journal import Case, Entry, JournalError, case_from_stored
from rules.kept import finding_data, subjects_data
from rules.pack import Pack, PackError, Ruleset, pack_from_content
from rules.steps import next_steps
from service.recording.judging import PATH_INCONSISTENT, STEP, TODAY, Reading, new_breaks, readings
from service.recording.record import (
    DETERMINED,
    UNDETERMINED,
    KeptJudgement,
    folded_data,
    judgements,
    step_data,
)
from service.store import StoredDecision, StoredPack, Unit

#: What a difference can be about. `fold` is explained by a newer fold and `undetermined` by the alarm of the time; the
#: others are errors.
KINDS = (
    "record", "pack", "findings", "blocked_by", "advice", "acknowledged", "engines", "journal", "facts", "fold",
    "undetermined",
)  # fmt: skip
EXPLAINED = frozenset({"fold", "undetermined"})
MOST_SHOWN = 20  # differing findings or facts of one judgement that are told one by one


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a record: in the judgement of which day, of which step; of which rule's finding, of which subject."""

    as_of: date | None = None
    step: str | None = None
    rule: str | None = None
    kind: str | None = None
    entry: str | None = None

    def __str__(self) -> str:
        if self.as_of is None:
            return ""
        step = f"step {self.step}" if self.step is not None else None
        subject = " ".join(filter(None, (self.kind, self.entry)))
        return ", ".join(filter(None, (f"as of {self.as_of}", step, self.rule, subject)))


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was recorded: what kind of thing, where (in words, and as a place), and what it was
    and is. Holds no names."""

    kind: str
    where: str
    kept: Any
    now: Any
    place: Place = Place()

    @classmethod
    def at(cls, kind: str, place: Place, kept: Any, now: Any) -> Difference:
        """A difference at a place in the record."""
        return cls(kind, str(place), kept, now, place)

    def as_json(self) -> dict[str, Any]:
        """The difference for programs."""
        return {"kind": self.kind, "where": self.where, "kept": self.kept, "now": self.now, "text": str(self)}

    def __str__(self) -> str:
        return _WORDS[self.kind].format(where=self.where, kept=_shown(self.kept), now=_shown(self.now))


_WORDS = {
    "record": "the decision record cannot be read: {now}",
    "pack": "the rules it was taken under cannot be used: {now}",
    "findings": "{where}: a finding came out otherwise: recorded {kept}, judged again {now}",
    "blocked_by": "{where}: the step was recorded as blocked by {kept}, judged again it is {now}",
    "advice": "{where}: the advice shown was {kept}, judged again it is {now}",
    "acknowledged": "{where}: recorded as acknowledged: {kept}; what had to be acknowledged: {now}",
    "engines": "{where}: the rule engines differ or fail now: {now}",
    "journal": "the journal of that time cannot be read again: {now}",
    "facts": "{where}: the journal says otherwise than the facts that were kept: kept {kept}, folded again {now}",
    "fold": "{where}: read by another fold than then (docs/fold-changelog.md): kept {kept}, folded again {now}",
    "undetermined": "{where}: the engines did not agree then; now they do, so there is nothing to compare with",
}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of judging a decision again."""

    decision: str
    case: str
    version: int
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether it came out as recorded, or differs only in what is explained."""
        return all(item.kind in EXPLAINED for item in self.differences)

    def as_json(self) -> dict[str, Any]:
        """The outcome for programs."""
        return {
            "decision": self.decision,
            "case": self.case,
            "version": self.version,
            "same": self.same,
            "differences": [item.as_json() for item in self.differences if item.kind not in EXPLAINED],
            "explained": [item.as_json() for item in self.differences if item.kind in EXPLAINED],
        }


# ---- the pure part


def replay(record: Mapping[str, Any], case: Case | None, assessor: Assessor) -> Iterator[Difference]:
    """What is not as a decision record says: judged again by the assessor, whose pack must be the record's, and folded
    again from the case as it was at that version (None: not folded)."""
    try:
        kept = judgements(record)
        undetermined = {record["status"] == UNDETERMINED, *(item.data["findings"] is None for item in kept)}
        if len({*undetermined, record["status"] != DETERMINED}) != 1:
            raise ValueError("its status does not fit its findings")
        checks = [*_judged_again(record, kept, assessor)]
        if case is not None:
            checks += _folded_again(record, kept, case, assessor)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # A record or journal that someone altered may be of any form.
        yield Difference("record", "", None, f"{type(error).__name__}: {error}")
    else:
        yield from checks


def _judged_again(record: Mapping[str, Any], kept: Sequence[KeptJudgement], assessor: Assessor) -> Iterator[Difference]:
    determined = record["status"] == DETERMINED
    blocked: list[str] = []
    for item in kept:
        where = _place(item)
        try:
            found = assessor.findings_for(item.subjects, item.as_of, item.set_aside, item.trigger)
        except EngineError as error:
            if determined:
                yield Difference.at("engines", where, None, str(error))
            continue
        if not determined:
            yield Difference.at("undetermined", where, None, None)
            continue
        again, written = [finding_data(finding) for finding in found], item.data["findings"]
        if not _alike(written, again):
            yield from _findings_apart(where, written, again)
        stopped = list(blocking(found)) if item.purpose == STEP else []
        blocked += stopped
        if stopped != item.data["blocked_by"]:
            yield Difference.at("blocked_by", where, item.data["blocked_by"], stopped)
        if item.purpose == TODAY:
            closed = item.subjects[0].facts["case.stage"] == "closed"
            advice = [step_data(step) for step in next_steps(found, item.as_of, closed=closed)]
            if advice != record["advice"]:
                yield Difference.at("advice", where, record["advice"], advice)
    needed = list(dict.fromkeys([*blocked, *([PATH_INCONSISTENT] if record["breaks"] else [])]))
    acknowledged = record["acknowledged"]["rules"] if record["acknowledged"] is not None else []
    if determined and needed != acknowledged:
        yield Difference("acknowledged", "", acknowledged, needed)


def _alike(written: Sequence[Mapping[str, Any]], again: Sequence[Mapping[str, Any]]) -> bool:
    """Whether two lists of findings have the same canonical JSON. They hold texts, none, and yes and no; only of these
    does Python take something else for the same (true for 1)."""
    return written == again and all(
        type(item["step"]) is bool and type(item["subject"]["current"]) is bool for item in written
    )


def _place(item: KeptJudgement) -> Place:
    return Place(item.as_of, item.entries[0] if item.purpose == STEP else None)


def _findings_apart(
    where: Place, written: Sequence[Mapping[str, Any]], again: Sequence[Mapping[str, Any]]
) -> Iterator[Difference]:
    before, after = ({_key(item): item for item in items} for items in (written, again))
    apart = [key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key)]
    for key in apart[:MOST_SHOWN]:
        rule, kind, entry = key
        place = replace(where, rule=rule, kind=kind, entry=entry)
        yield Difference.at("findings", place, *_parts_apart(before.get(key), after.get(key)))
    if not apart:  # in another order, or one of them twice
        yield Difference.at("findings", where, list(map(list, map(_key, written))), list(map(list, map(_key, again))))


def _key(finding: Mapping[str, Any]) -> tuple[str, str, str | None]:
    return finding["rule"], finding["subject"]["kind"], finding["subject"]["entry"]


def _parts_apart(kept: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> tuple[Any, Any]:
    """Of two findings or subjects only what differs; all of one that has no other."""
    if kept is None or now is None:
        return (kept or "nothing"), (now or "nothing")
    names = [name for name in dict.fromkeys([*kept, *now]) if kept.get(name) != now.get(name)]
    return {name: kept.get(name) for name in names}, {name: now.get(name) for name in names}


def _folded_again(
    record: Mapping[str, Any], kept: Sequence[KeptJudgement], case: Case, assessor: Assessor
) -> Iterator[Difference]:
    entries = {entry.id: entry for entry in case.entries}
    missing = [entry for entry in record["entries"] if entry not in entries]
    if missing:
        yield Difference("journal", "", None, f"the entries {', '.join(missing)} are not in it")
        return
    # Of a case taken over as it was, nothing was judged but today.
    new = {entry: entries[entry] for entry in record["entries"]} if record["version"] > 1 else {}
    found = list(readings(assessor, case, new.values(), kept[-1].as_of))
    yield from _breaks_apart(record, case, new, found[-1], assessor)
    before, after = ([_frame(item) for item in items] for items in (kept, found))
    if before != after:
        yield Difference("facts", "what was judged", before, after)
        return
    for item, reading in zip(kept, found, strict=True):
        yield from _facts_apart(record, item, reading)


def _breaks_apart(
    record: Mapping[str, Any], case: Case, new: Mapping[str, Entry], now: Reading, assessor: Assessor
) -> Iterator[Difference]:
    broken: list[Any] = []
    # Asking is dear, and most journals have nothing odd in them.
    if new and (now.read.path.inconsistent or any(entry.date > now.as_of for entry in case.entries)):
        before = case.with_entries(entry for entry in case.entries if entry.id not in new)
        broken = [[item.entry, item.reason] for item in new_breaks(assessor, before, case, now.as_of)]
    if broken != record["breaks"]:
        yield Difference("facts", "entries no chart allows since", record["breaks"], broken)


def _frame(item: KeptJudgement | Reading) -> list[Any]:
    return [item.purpose, item.as_of.isoformat(), list(item.entries), item.trigger]


def _facts_apart(record: Mapping[str, Any], item: KeptJudgement, reading: Reading) -> Iterator[Difference]:
    folded, subjects = reading.fold()
    kind = "facts" if record["fold"] == FOLD_VERSION else "fold"
    where, written, again = _place(item), item.data["subjects"], subjects_data(subjects)
    if written != again:
        before, after = ({(s["kind"], s["entry"]): s for s in items} for items in (written, again))
        apart = [key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key)]
        for key in apart[:MOST_SHOWN]:
            kept, now = _parts_apart(_flat(before.get(key)), _flat(after.get(key)))
            yield Difference.at(kind, replace(where, kind=key[0], entry=key[1]), kept, now)
        if not apart:  # in another order, or one of them twice
            yield Difference.at(kind, where, len(written), len(again))
    aside = {rule: choice.entry for rule, choice in reading.set_aside.items()}
    beside = {**folded_data(folded), "set_aside": aside}
    kept, now = _parts_apart({name: item.data[name] for name in beside}, beside)
    if kept != now:
        yield Difference.at(kind, where, kept, now)


def _flat(subject: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A subject with its facts beside its other parts, so that only the facts that differ are told."""
    return None if subject is None else {**{n: v for n, v in subject.items() if n != "facts"}, **subject["facts"]}


# ---- from the store


class Packs:
    """The packs that judged, made again from what was kept of them; each made and checked once. Safe between threads.

    A pack that cannot be used is looked for anew each time: it may have been brought back from a backup.
    """

    def __init__(self, engine: Callable[[Ruleset], Engine]) -> None:
        self._engine = engine
        self._made: dict[str, Assessor] = {}
        self._making = Lock()

    def assessor(self, sha256: str, kept: Callable[[str], StoredPack | None]) -> Assessor | str:
        """An assessor of the pack with that SHA-256, or why there is none."""
        with self._making:
            if sha256 in self._made:
                return self._made[sha256]
            found = self._make(sha256, kept(sha256))
            if isinstance(found, Assessor):
                self._made[sha256] = found
        return found

    def _make(self, sha256: str, kept: StoredPack | None) -> Assessor | str:
        if kept is None:
            return f"no pack {sha256} is kept"
        try:
            pack: Pack = pack_from_content(json.loads(kept.content))
        except (PackError, ValueError) as error:
            return f"the pack kept as {sha256} is none: {error}"
        if pack.sha256 != sha256:
            return f"the pack kept as {sha256} was changed: its content has the SHA-256 {pack.sha256}"
        return Assessor(pack, self._engine)


class KeptCase:
    """The journal of a case as it was at each of its versions. Entries are read once."""

    def __init__(self, unit: Unit, case_id: str) -> None:
        self._unit = unit
        self._id = case_id

    @cached_property
    def _rows(self) -> tuple[list[int], Case]:
        stored = self._unit.cases.get(self._id)
        rows = self._unit.cases.journal(self._id)
        header = stored.header if stored is not None else None
        if header is None:
            raise JournalError([])
        whole = case_from_stored(header, [json.loads(row.payload) for row in rows])
        return [row.version for row in rows], whole

    @cached_property
    def _headers(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Headers the case had, each with the time from which on, oldest first."""
        found = []
        for event in self._unit.events.of(self._id):
            if event.kind in ("opened", "header_changed"):
                found.append((event.at, json.loads(event.payload)["case"]))
        return found

    def at(self, version: int, recorded_at: str) -> Case:
        """The case at a version recorded at a time. Raises JournalError when it cannot be read."""
        versions, whole = self._rows
        entries = [entry for entry, since in zip(whole.entries, versions, strict=True) if since <= version]
        if len(self._headers) > 1:
            header = [header for since, header in self._headers if since <= recorded_at][-1]
            whole = case_from_stored(header, ())
        return whole.with_entries(entries)


def replay_decision(unit: Unit, decision: StoredDecision, packs: Packs | None = None) -> Replay:
    """Judge one decision again, by both engines unless `packs` says otherwise."""
    return replay_one(unit, decision, KeptCase(unit, decision.case_id), packs or Packs(checked))


def replay_one(unit: Unit, decision: StoredDecision, kept: KeptCase, packs: Packs) -> Replay:
    """The same with a case and packs that are used for more than one decision."""
    return Replay(decision.id, decision.case_id, decision.version, tuple(_differences(unit, decision, kept, packs)))


def _differences(unit: Unit, decision: StoredDecision, kept: KeptCase, packs: Packs) -> Iterator[Difference]:
    try:
        record = json.loads(decision.payload)
        sha256 = str(record["pack"]["sha256"])
    except (ValueError, KeyError, TypeError):
        yield Difference("record", "", None, "it is no decision record")
        return
    if (record.get("id"), record.get("case"), record.get("version")) != (
        decision.id,
        decision.case_id,
        decision.version,
    ):
        yield Difference("record", "", None, "it is the record of another decision")
        return
    assessor = packs.assessor(sha256, unit.packs.get)
    if isinstance(assessor, str):
        yield Difference("pack", "", None, assessor)
        return
    try:
        case = kept.at(decision.version, decision.recorded_at)
    except (JournalError, ValueError, KeyError, IndexError):
        yield Difference("journal", "", None, "an entry or the header is missing or was altered")
        case = None
    yield from replay(record, case, assessor)


def replay_case(unit: Unit, case_id: str, packs: Packs) -> Iterator[Replay]:
    """Judge every decision of a case again, oldest first."""
    kept, after = KeptCase(unit, case_id), 0
    while page := unit.decisions.of(case_id, after=after):
        for decision in page:
            yield replay_one(unit, decision, kept, packs)
        after = page[-1].version
