"""The agenda: the days ahead on which an outcome will change if nothing is recorded.

Found by evaluating where something can change, not by stepping day by day: each date line of a condition flips on one
day, the fold says until when its facts hold, rules and parameters begin on known days, and advice is set aside until a
known day. The reference engine judges these days ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.calendar import ONE_DAY
from rules.conditions import lines
from rules.engines.reference import reference
from rules.findings import Finding, Judge, standing
from rules.fold import Folded, History, fold
from rules.pack import Pack, Rule

Key = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Change:
    """An outcome that changes on a day if nothing is recorded; `last_day` is the last day of the old one."""

    last_day: date
    changes_on: date
    rule: str
    kind: str
    entry: str | None
    before: str
    to: str

    def as_json(self) -> dict[str, Any]:
        """The change as SPEC §5 writes it."""
        return {
            "last_day": self.last_day.isoformat(),
            "changes_on": self.changes_on.isoformat(),
            "rule": self.rule,
            "subject": {"kind": self.kind, "entry": self.entry},
            "from": self.before,
            "to": self.to,
        }


def agenda(pack: Pack, read: History, folded: Folded, findings: Iterable[Finding]) -> Iterator[Change]:
    """The changes ahead, in order, from the findings of the evaluation date on."""
    before = {finding.key: finding.outcome for finding in findings}
    while (day := next_turn(pack, read, folded)) is not None:
        folded = fold(read, day)
        judge = Judge(pack, reference, day, standing(read, day))
        now = {item.key: item.outcome for item in judge.findings(folded.subjects)}
        for key in sorted(before.keys() | now.keys(), key=str):
            yesterday = day - ONE_DAY
            old, new = before.get(key) or _silent(pack, key, yesterday), now.get(key) or _silent(pack, key, day)
            if old != new:
                yield Change(yesterday, day, *key, old, new)
        before = now


def _silent(pack: Pack, key: Key, day: date) -> str:
    """Why a rule has no finding on a day. (Rules about an event go by the event's day, which does not move.)"""
    versions = pack.versions(key[0])
    in_force = any(rule.event is not None or rule.in_force(day) for rule in versions)
    return "not_applicable" if in_force else "not_in_force"


def next_turn(pack: Pack, read: History, folded: Folded) -> date | None:
    """The first day after the folded one on which some outcome, action or choice to set advice aside may be another, if
    nothing is recorded and nothing dated ahead comes true. None: never."""
    day = folded.day
    turns = [turn for turn in pack.turning_days if turn > day]
    turns += (aside.until + ONE_DAY for aside in standing(read, day).values() if aside.until not in (None, date.max))
    if folded.holds_until < date.max:
        turns.append(folded.holds_until + ONE_DAY)
    for ruleset in pack.editions:  # a rule about an event may be judged with the numbers of another day
        for subject in folded.subjects:
            facts = ruleset.derive(subject.kind, dict(subject.facts))
            for rule in ruleset.about(subject.kind):
                turns += _turns(rule, facts, day)
    return min(turns, default=None)


def _turns(rule: Rule, facts: Any, day: date) -> Iterator[date]:
    for condition in (*rule.conditions(), *(when for when, _ in rule.actions)):
        for line in lines(condition):
            value = facts.get(line.fact)
            if line.test in ("passed", "reached") and isinstance(value, date):
                turn = value.toordinal() + line.bound + (line.test == "passed")
                if turn > day.toordinal():
                    yield date.fromordinal(turn)
