"""What tests of recording share: another version of the pack, engines that lie or fail, journals grown by recording."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from benchmarks.replay import later
from rules.assessment import Assessor
from rules.engines import CheckedEngine
from rules.engines.base import Outcomes
from rules.engines.reference import ReferenceEngine
from rules.facts import Value
from rules.journal import Case, new_entries
from rules.pack import Pack, Ruleset
from service.audit.canonical import canonical
from service.recording.judging import Judged, judge_recording
from service.recording.record import Acknowledgement, Circumstances, RecordedBy, decision_record
from tests.helpers import assessor, pack

NOON = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@cache
def later_pack() -> Pack:
    """The pack in another version: parameters that the rules and the fold read have other values."""
    return later(pack())


class LyingEngine(ReferenceEngine):
    """The reference engine, which calls the first satisfied rule violated."""

    name = "liar"

    def judge(self, kind: str, facts: Mapping[str, Value], day: date) -> Outcomes:
        """One lie among the truths."""
        found = super().judge(kind, facts, day)
        for position, outcome in found.items():
            if outcome == "satisfied":
                found[position] = "violated"
                break
        return found


class FailingEngine(ReferenceEngine):
    """An engine that breaks, telling more than it should."""

    name = "broken"

    def judge(self, kind: str, facts: Mapping[str, Value], day: date) -> Outcomes:
        """Break."""
        raise LookupError("Meikäläinen")


def with_engine(engine: type[ReferenceEngine]) -> Assessor:
    """An assessor that checks this engine by the reference."""
    checked: dict[int, CheckedEngine] = {}

    def of(ruleset: Ruleset) -> CheckedEngine:
        return checked.setdefault(id(ruleset), CheckedEngine(ruleset, ReferenceEngine(ruleset), engine(ruleset)))

    return Assessor(pack(), of)


def added(case: Case, *entries: dict[str, Any]) -> Case:
    """The case with these entries recorded."""
    return case.with_entries((*case.entries, *new_entries(case, list(entries))))


def judged(case: Case, today: str, *entries: dict[str, Any], by: Assessor | None = None) -> Judged:
    """What recording these entries on a day comes to."""
    return judge_recording(by or assessor(), case, added(case, *entries), date.fromisoformat(today))


def recorded(
    before: Case, after: Case, today: date, version: int = 2, by: Assessor | None = None, reason: str | None = "sovittu"
) -> dict[str, Any]:
    """The decision record of what `after` has more than `before`, read back from its canonical JSON."""
    polku = by or assessor()
    found = judge_recording(polku, before, after, today)
    new = tuple(entry.id for entry in after.entries[len(before.entries) :])
    who = RecordedBy("w-1", "county-1", "social_worker", "assigned")
    of = Circumstances(f"d{version}", after.id, version, new, NOON, who, "polku test", polku.pack)
    covered = Acknowledgement(found.to_acknowledge, reason) if reason is not None else None
    data: dict[str, Any] = json.loads(canonical(decision_record(found, of, covered)))
    return data
