"""The reference reads a rule as written: applies, then the steps in order, then what remains."""

import pytest

from rules.conditions import Line
from rules.engines.reference import ReferenceEngine, outcome_of, reference
from rules.facts import Value
from tests.helpers import pack
from tests.rules.engines.rulemaking import TODAY, make_rule, make_ruleset

A, B, C = (Line(f"activity.{name}", "is", ("yes",)) for name in "abc")


def came_to(applies: str, *steps: str, otherwise: str = "advised") -> str:
    """The outcome when the condition and the steps (satisfied, remedied) have these values."""
    facts: dict[str, Value] = dict(zip(("activity.a", "activity.b", "activity.c"), (applies, *steps), strict=False))
    written = list(zip(("satisfied", "remedied"), (B, C), strict=True))[: len(steps)]
    return outcome_of(make_rule(A, *written, otherwise=otherwise), facts, TODAY)


@pytest.mark.parametrize(
    ("applies", "steps", "expected"),
    [
        ("no", ("yes", "yes"), "not_applicable"),
        ("no", ("unknown", "unknown"), "not_applicable"),
        ("unknown", ("yes", "yes"), "unknown"),
        ("yes", ("yes", "yes"), "satisfied"),
        ("yes", ("yes", "unknown"), "satisfied"),
        ("yes", ("unknown", "yes"), "unknown"),
        ("yes", ("no", "yes"), "remedied"),
        ("yes", ("no", "unknown"), "unknown"),
        ("yes", ("no", "no"), "advised"),
        ("yes", (), "advised"),
    ],
)
def test_the_first_step_that_is_not_false_decides(applies: str, steps: tuple[str, ...], expected: str) -> None:
    assert came_to(applies, *steps) == expected


def test_a_fact_not_supplied_is_an_error() -> None:
    with pytest.raises(KeyError):
        outcome_of(make_rule(A), {}, TODAY)


def test_every_rule_about_the_kind_gets_an_outcome_and_no_other_rule() -> None:
    ruleset = make_ruleset(
        make_rule(A, position=0), make_rule(position=1, about="trial"), make_rule(position=2, wave=1)
    )
    engine = ReferenceEngine(ruleset)
    assert engine.judge("activity", {"activity.a": "no"}, TODAY) == {0: "not_applicable"}
    assert engine.judge("trial", {}, TODAY) == {1: "satisfied"}
    assert engine.judge("job", {}, TODAY) == {}


def test_rules_of_a_later_wave_read_findings_beside_facts() -> None:
    later = make_rule(
        Line("finding.first", "is", ("violated",)), ("satisfied", A), otherwise="violated", about="case", wave=1
    )
    engine = ReferenceEngine(make_ruleset(later))
    assert engine.judge_wave(1, {"activity.a": "yes"}, {"finding.first": "violated"}, TODAY) == {0: "satisfied"}
    assert engine.judge_wave(1, {"activity.a": "no"}, {"finding.first": "violated"}, TODAY) == {0: "violated"}
    assert engine.judge_wave(1, {"activity.a": "no"}, {"finding.first": "advised"}, TODAY) == {0: "not_applicable"}
    assert engine.judge_wave(2, {}, {}, TODAY) == {}


def test_waves_come_in_order_and_hold_the_rules_that_build_on_findings() -> None:
    waves = pack().editions[-1].waves
    assert [wave.number for wave in waves] == list(range(1, len(waves) + 1))
    assert all(any(name.startswith("finding.") for name in rule.reads()) for wave in waves for rule in wave.rules)


def test_the_reference_of_a_ruleset_is_built_once() -> None:
    ruleset = pack().editions[0]
    assert reference(ruleset) is reference(ruleset)
