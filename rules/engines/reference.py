"""The reference evaluator: short, obvious Python over the same rules. It explains, and it checks the first engine."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from datetime import date

from rules.conditions import FALSE, MAYBE
from rules.engines.base import Outcomes, rules_of_wave
from rules.facts import Value
from rules.pack import Rule, Ruleset


def outcome_of(rule: Rule, facts: Mapping[str, Value], day: date) -> str:
    """The outcome of one rule for one subject on `day`; raises KeyError for a fact not supplied."""
    applies = rule.applies.truth(facts, day)
    if applies == FALSE:
        return "not_applicable"
    if applies == MAYBE:
        return "unknown"
    for outcome, condition in rule.steps:
        truth = condition.truth(facts, day)
        if truth == MAYBE:
            return "unknown"
        if truth != FALSE:
            return outcome
    return rule.otherwise


class ReferenceEngine:
    """Judges every rule by reading it."""

    name = "reference"

    def __init__(self, ruleset: Ruleset) -> None:
        self._by_kind = {kind: rules_of_wave(ruleset.about(kind), 0) for kind in {r.about for r in ruleset.rules}}
        self._later = {wave.number: wave.rules for wave in ruleset.waves}

    def judge(self, kind: str, facts: Mapping[str, Value], day: date) -> Outcomes:
        """See `rules.engines.base.Engine`."""
        return {rule.position: outcome_of(rule, facts, day) for rule in self._by_kind.get(kind, ())}

    def judge_wave(self, wave: int, facts: Mapping[str, Value], found: Mapping[str, str], day: date) -> Outcomes:
        """See `rules.engines.base.Engine`."""
        both: Mapping[str, Value] = ChainMap(dict(found), dict(facts))
        return {rule.position: outcome_of(rule, both, day) for rule in self._later.get(wave, ())}


def reference(ruleset: Ruleset) -> ReferenceEngine:
    """The reference engine of a ruleset, built once."""
    found = ruleset.engines.get("reference")
    if not isinstance(found, ReferenceEngine):
        found = ruleset.engines["reference"] = ReferenceEngine(ruleset)
    return found
