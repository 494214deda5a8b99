"""Branches of constant tests say exactly what the conditions say, unknown included."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings

from rules.conditions import FALSE, MAYBE, TRUE, Condition, Line, Not
from rules.engines.branches import (
    FAR,
    Between,
    Branch,
    OneOf,
    applying_branches,
    attributes,
    encode,
    outcome_branches,
)
from rules.engines.reference import outcome_of
from rules.facts import Value
from rules.pack import Rule
from tests.helpers import pack
from tests.rules.engines.rulemaking import CONDITIONS, FACT_VALUES, NAMES, TODAY, VOCABULARY, make_rule, rules


def encoded(facts: dict[str, Value], day: date = TODAY) -> dict[str, int | str]:
    """The attributes of a subject, as the engine is given them."""
    found = {}
    for name, value in facts.items():
        fact = VOCABULARY[name]
        found.update(zip(attributes(fact), encode(fact, value, day.toordinal()), strict=False))
    return found


def matches(branch: Branch, given: dict[str, int | str]) -> bool:
    for attribute, constraint in branch.items():
        value = given[attribute]
        if isinstance(constraint, OneOf):
            if value not in constraint.words:
                return False
        elif not isinstance(value, int) or not constraint.least <= value <= constraint.greatest:
            return False
    return True


def outcomes_matching(rule: Rule, facts: dict[str, Value]) -> set[str]:
    given = encoded(facts)
    found = outcome_branches(rule, VOCABULARY)
    return {outcome for outcome, branches in found.items() if any(matches(branch, given) for branch in branches)}


@settings(max_examples=400)
@given(rules(), FACT_VALUES)
def test_the_branches_of_exactly_one_outcome_match_and_it_is_the_references(
    rule: Rule, facts: dict[str, Value]
) -> None:
    expected = outcome_of(rule, facts, TODAY)
    assert outcomes_matching(rule, facts) == ({expected} - {"not_applicable"})


@settings(max_examples=400)
@given(CONDITIONS, FACT_VALUES)
def test_applying_branches_match_exactly_when_the_condition_is_true(
    condition: Condition, facts: dict[str, Value]
) -> None:
    given = encoded(facts)
    found = any(matches(branch, given) for branch in applying_branches(condition, VOCABULARY))
    assert found == (condition.truth(facts, TODAY) == TRUE)


ALL_WORDS = {"yes": TRUE, "no": TRUE, "unknown": MAYBE}


@pytest.mark.parametrize(("value", "expected"), list(ALL_WORDS.items()))
def test_yes_or_no_is_true_of_both_and_open_for_unknown(value: str, expected: int) -> None:
    """A yes/no fact lies on one scale (no, unknown, yes): both ends are not the middle."""
    line = Line("case.coaching_info_given", "is", ("yes", "no"))
    facts = {"case.coaching_info_given": value}
    assert line.truth(facts, TODAY) == expected
    rule = make_rule(line, otherwise="violated")
    given = {"case.coaching_info_given": encode(VOCABULARY[line.fact], value, TODAY.toordinal())[0]}
    found = {
        outcome
        for outcome, branches in outcome_branches(rule, VOCABULARY).items()
        if any(matches(branch, given) for branch in branches)
    }
    assert found == {"violated" if expected == TRUE else "unknown"}


def test_known_is_not_unknown_for_a_yes_or_no() -> None:
    known = Not(Line("case.coaching_info_given", "is", ("unknown",)))
    for value, truth in (("yes", TRUE), ("no", TRUE), ("unknown", FALSE)):
        facts = {"case.coaching_info_given": value}
        assert known.truth(facts, TODAY) == truth
        given = {"case.coaching_info_given": encode(VOCABULARY["case.coaching_info_given"], value, 0)[0]}
        assert any(matches(branch, given) for branch in applying_branches(known, VOCABULARY)) == (truth == TRUE), value


def test_a_date_is_carried_as_days_from_the_evaluation_date() -> None:
    fact, today = VOCABULARY["case.wish_on"], TODAY.toordinal()
    assert encode(fact, TODAY + timedelta(days=3), today) == (3, 3)
    assert encode(fact, TODAY - timedelta(days=3), today) == (-3, -3)
    assert encode(fact, None, today) == (FAR, FAR), "no date lies far ahead: neither reached nor passed"
    assert encode(VOCABULARY["case.interest_asked_on"], "unknown", today) == (-FAR, FAR)


def test_a_fact_that_can_be_unknown_has_a_least_and_a_greatest() -> None:
    assert attributes(VOCABULARY["case.wish_on"]) == ("case.wish_on",)
    assert attributes(VOCABULARY["activity.days_per_week"]) == ("activity.days_per_week<", "activity.days_per_week>")
    assert attributes(VOCABULARY["case.interest"]) == ("case.interest",)


@pytest.mark.parametrize(
    ("name", "value"),
    [("case.wish_on", "soon"), ("case.wish_on", "unknown"), ("activity.days_per_week", "many")],
)
def test_a_value_the_fact_cannot_have_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        encode(VOCABULARY[name], value, TODAY.toordinal())


def test_contradictory_branches_are_dropped() -> None:
    rule = make_rule(Line("case.interest", "is", ("yes",)), ("advised", Line("case.interest", "is", ("no",))))
    found = outcome_branches(rule, VOCABULARY)
    assert "advised" not in found
    assert found["satisfied"] == [
        {"case.interest": OneOf(frozenset({"yes"}), found["satisfied"][0]["case.interest"].universe)}
    ]


def test_a_line_of_a_number_is_an_interval() -> None:
    at_most = Line("activity.days_per_week", "at_most", bound=4)
    assert applying_branches(at_most, VOCABULARY) == [{"activity.days_per_week>": Between(-FAR, 4)}]
    assert applying_branches(Not(at_most), VOCABULARY) == [{"activity.days_per_week<": Between(5, FAR)}]


def test_no_rule_of_the_pack_needs_more_branches_than_one_ruleset_holds() -> None:
    for edition in pack().editions:
        vocabulary = dict(edition.vocabulary)
        for rule in edition.rules:
            if not any(name.startswith("finding.") for name in rule.reads()):
                assert sum(map(len, outcome_branches(rule, vocabulary).values())) <= 60, rule.id


def test_the_vocabulary_of_these_tests_has_facts_of_every_type() -> None:
    kinds = {(VOCABULARY[name].type, VOCABULARY[name].may_be_unknown) for name in NAMES}
    assert {kind for kind, _ in kinds} == {"enum", "yes_no", "number", "date"}
    assert len(kinds) == len(NAMES)
