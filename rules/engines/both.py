"""durable-rules first, the reference beside it, and no difference let through."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from threading import Lock

from rules.engines.base import Engine, EngineDifference, Outcomes
from rules.engines.durable import DurableEngine
from rules.engines.reference import ReferenceEngine
from rules.facts import Value
from rules.pack import Ruleset

_building = Lock()


class CheckedEngine:
    """Judges with two engines and compares every outcome."""

    name = "durable-rules, checked by reference"

    def __init__(self, ruleset: Ruleset, first: Engine | None = None, second: Engine | None = None) -> None:
        self._ruleset = ruleset
        self._first = first or DurableEngine(ruleset)
        self._second = second or ReferenceEngine(ruleset)

    def judge(self, kind: str, facts: Mapping[str, Value], day: date) -> Outcomes:
        """See `rules.engines.base.Engine`. Raises EngineDifference when the two differ."""
        first, second = self._first.judge(kind, facts, day), self._second.judge(kind, facts, day)
        return first if first == second else self._differ(first, second, facts, day)

    def judge_wave(self, wave: int, facts: Mapping[str, Value], found: Mapping[str, str], day: date) -> Outcomes:
        """See `rules.engines.base.Engine`. Raises EngineDifference when the two differ."""
        first = self._first.judge_wave(wave, facts, found, day)
        second = self._second.judge_wave(wave, facts, found, day)
        return first if first == second else self._differ(first, second, {**facts, **found}, day)

    def _differ(self, first: Outcomes, second: Outcomes, facts: Mapping[str, Value], day: date) -> Outcomes:
        parts = []
        for position in sorted(first.keys() | second.keys()):
            one, other = first.get(position), second.get(position)
            if one != other:
                rule = self._ruleset.rules[position]
                read = {name: str(facts.get(name)) for name in rule.reads()}
                parts.append(
                    f"{rule.id}: {self._first.name} says {one}, {self._second.name} says {other}; facts {read}"
                )
        raise EngineDifference(f"on {day}: " + "; ".join(parts))


def checked(ruleset: Ruleset) -> CheckedEngine:
    """The checked engine of a ruleset, built once."""
    found = ruleset.engines.get("checked")
    if not isinstance(found, CheckedEngine):
        with _building:  # two threads would each build one, and building is costly
            found = ruleset.engines.get("checked")
            if not isinstance(found, CheckedEngine):
                found = ruleset.engines["checked"] = CheckedEngine(ruleset)
    return found
