"""Two engines beside each other: a difference is an error that shows the rule, both outcomes and the facts."""

from collections.abc import Mapping
from datetime import date

import pytest

from rules.assessment import Assessor
from rules.conditions import Line
from rules.engines import CheckedEngine, EngineDifference, EngineError, checked
from rules.engines.base import Outcomes
from rules.engines.reference import ReferenceEngine
from rules.facts import Value
from rules.pack import Ruleset
from tests.helpers import day, entry, journal, pack
from tests.rules.engines.rulemaking import TODAY, make_rule, make_ruleset

APPLIES = Line("case.interest", "is", ("yes",))
RULESET = make_ruleset(make_rule(APPLIES, name="ask-again", otherwise="violated"), make_rule(position=1, name="other"))
FACTS: dict[str, Value] = {"case.interest": "yes"}


class Liar:
    """An engine that says of one rule what it likes, else the truth."""

    name = "liar"

    def __init__(self, ruleset: Ruleset, position: int, says: str | None) -> None:
        self._honest = ReferenceEngine(ruleset)
        self._position = position
        self._says = says

    def judge(self, kind: str, facts: Mapping[str, Value], on: date) -> Outcomes:
        return self._changed(self._honest.judge(kind, facts, on))

    def judge_wave(self, wave: int, facts: Mapping[str, Value], found: Mapping[str, str], on: date) -> Outcomes:
        return self._changed(self._honest.judge_wave(wave, facts, found, on))

    def _changed(self, outcomes: Outcomes) -> Outcomes:
        if self._position in outcomes:
            if self._says is None:
                del outcomes[self._position]
            else:
                outcomes[self._position] = self._says
        return outcomes


def test_engines_that_agree_give_their_outcome() -> None:
    assert CheckedEngine(RULESET).judge("activity", FACTS, TODAY) == {0: "violated", 1: "satisfied"}


@pytest.mark.parametrize("first", [True, False])
def test_a_difference_names_the_rule_both_outcomes_the_day_and_the_facts(first: bool) -> None:
    liar, honest = Liar(RULESET, 0, "satisfied"), ReferenceEngine(RULESET)
    engine = CheckedEngine(RULESET, *((liar, honest) if first else (honest, liar)))
    with pytest.raises(EngineDifference) as caught:
        engine.judge("activity", FACTS, TODAY)
    message = str(caught.value)
    for part in ("ask-again", "liar says satisfied", "reference says violated", "2024-06-15", "case.interest", "yes"):
        assert part in message
    assert "other" not in message
    assert isinstance(caught.value, EngineError)


def test_an_outcome_one_engine_leaves_out_is_a_difference() -> None:
    engine = CheckedEngine(RULESET, Liar(RULESET, 0, None), ReferenceEngine(RULESET))
    with pytest.raises(EngineDifference, match="liar says None"):
        engine.judge("activity", FACTS, TODAY)


def test_a_difference_in_a_later_wave_shows_what_was_found_before() -> None:
    ruleset = make_ruleset(make_rule(Line("finding.first", "is", ("violated",)), name="later", about="case", wave=1))
    engine = CheckedEngine(ruleset, Liar(ruleset, 0, "advised"), ReferenceEngine(ruleset))
    with pytest.raises(EngineDifference, match=r"later.*finding\.first.*violated"):
        engine.judge_wave(1, {}, {"finding.first": "violated"}, TODAY)


def test_a_difference_stops_the_assessment() -> None:
    position = next(rule.position for rule in pack().editions[-1].rules if rule.id == "social-worker-assigned")

    def lying(ruleset: Ruleset) -> CheckedEngine:
        return CheckedEngine(ruleset, Liar(ruleset, position, "satisfied"), ReferenceEngine(ruleset))

    case = journal(entry("2024-01-02", "activity_started", days_per_week=3))
    with pytest.raises(EngineDifference, match="social-worker-assigned"):
        Assessor(pack(), lying).assess(case, day("2024-01-03"))


def test_the_checked_engine_of_a_ruleset_is_built_once() -> None:
    ruleset = pack().editions[0]
    assert checked(ruleset) is checked(ruleset)
