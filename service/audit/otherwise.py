"""Which recorded decisions would come out otherwise under another version of the rules.

Each decision is judged as it was recorded: the journal of that version, on the days judged then. Under the old rules
that is what the decision record says, where those are the rules it was taken under; else they judge it anew. For the
new rules the journal is folded again, for their numbers may be read by the fold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rules.assessment import Assessor
from rules.journal import Case, JournalError
from service.audit.replay import KeptCase
from service.recording.judging import STEP, readings
from service.recording.record import judgements
from service.store import Database, StoredDecision, Unit

#: What was judged, and of it which rule for which subject: (purpose, as of, rule, kind, entry).
Key = tuple[str, str, str, str, str | None]


@dataclass(frozen=True, slots=True)
class DecidedOtherwise:
    """A finding of a recorded decision that comes out otherwise. `step`: it is one of the guards of a step."""

    decision: str
    case: str
    version: int
    as_of: str
    step: bool
    rule: str
    kind: str
    entry: str | None
    before: str
    after: str

    def as_json(self) -> dict[str, Any]:
        """The finding for programs."""
        return {
            "decision": self.decision,
            "case": self.case,
            "version": self.version,
            "as_of": self.as_of,
            "step": self.step,
            "rule": self.rule,
            "subject": {"kind": self.kind, "entry": self.entry},
            "before": self.before,
            "after": self.after,
        }


@dataclass(slots=True)
class Compared:
    """How many decisions were compared, how many of them were taken under the old rules, which could not be read."""

    decisions: int = 0
    taken_under_old: int = 0
    unreadable: int = 0


def decided_otherwise(database: Database, old: Assessor, new: Assessor, counts: Compared) -> Iterator[DecidedOtherwise]:
    """The findings of all recorded decisions that come out otherwise, by region, case and version; `counts` counts.

    Raises StoreUnavailable.
    """
    for region in database.regions():
        with database.read(region) as unit:
            after = None
            while page := unit.cases.ids(after=after):
                for case_id in page:
                    yield from _of_case(unit, case_id, old, new, counts)
                after = page[-1]


def _of_case(unit: Unit, case_id: str, old: Assessor, new: Assessor, counts: Compared) -> Iterator[DecidedOtherwise]:
    kept, after = KeptCase(unit, case_id), 0
    while page := unit.decisions.of(case_id, after=after):
        for decision in page:
            counts.decisions += 1
            try:
                yield from _of_decision(decision, kept, old, new, counts)
            except (JournalError, LookupError, ValueError, TypeError):
                counts.unreadable += 1  # `polku replay` tells why
        after = page[-1].version


def _of_decision(
    decision: StoredDecision, kept: KeptCase, old: Assessor, new: Assessor, counts: Compared
) -> Iterator[DecidedOtherwise]:
    record = json.loads(decision.payload)
    case = kept.at(decision.version, decision.recorded_at)
    under_old = record["pack"]["sha256"] == old.pack.sha256
    counts.taken_under_old += under_old
    recorded = _recorded(record) if under_old else None
    before = recorded if recorded is not None else _judged(record, case, old)
    now = _judged(record, case, new)
    for key in dict.fromkeys([*before, *now]):
        was, will = before.get(key, "not_applicable"), now.get(key, "not_applicable")
        if was != will:
            purpose, as_of, rule, kind, entry = key
            place = (decision.id, decision.case_id, decision.version, as_of, purpose == STEP)
            yield DecidedOtherwise(*place, rule, kind, entry, was, will)


def _recorded(record: Mapping[str, Any]) -> dict[Key, str] | None:
    """What the record says; None when the engines did not agree."""
    found: dict[Key, str] = {}
    for item in record["judgements"]:
        if item["findings"] is None:
            return None
        for finding in item["findings"]:
            subject = finding["subject"]
            key = (item["purpose"], item["as_of"], finding["rule"], subject["kind"], subject["entry"])
            found[key] = finding["outcome"]
    return found


def _judged(record: Mapping[str, Any], case: Case, assessor: Assessor) -> dict[Key, str]:
    """What the assessor says of the same recording."""
    entries = {entry.id: entry for entry in case.entries}
    new = [entries[entry] for entry in record["entries"]] if record["version"] > 1 else []
    found: dict[Key, str] = {}
    for reading in readings(assessor, case, new, judgements(record)[-1].as_of):
        _, subjects = reading.fold()
        for item in assessor.findings_for(subjects, reading.as_of, reading.set_aside, reading.trigger):
            found[(reading.purpose, reading.as_of.isoformat(), *item.key)] = item.outcome
    return found
