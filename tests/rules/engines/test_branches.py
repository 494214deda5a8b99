"""Branches of constant tests say exactly what the conditions say, unknown included."""

from datetime import timedelta

import pytest
from hypothesis import given, settings

from rules.conditions import FALSE, MAYBE, TRUE, Condition, Line, Not
from rules.engines.branches import (
    FAR,
    Between,
    Branch,
    Encoder,
    OneOf,
    applying_branches,
    attributes,
    outcome_branches,
)
from rules.engines.reference import outcome_of
from rules.facts import Value
from rules.pack import Rule
from tests.helpers import pack
from tests.rules.engines.rulemaking import CONDITIONS, FACT_VALUES, NAMES, TODAY, VOCABULARY, make_rule, rules


def encoded(facts: dict[str, Value]) -> dict[str, int | str]:
    """The attributes of a subject with these facts alone, as the engine is given them."""
    return Encoder(VOCABULARY[name] for name in facts).encoded(facts, TODAY)


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


@pytest.mark.parametrize(
    "words", [("yes", "no"), ("yes", "unknown"), ("no", "unknown"), ("unknown",), ("yes", "no", "unknown")]
)
@pytest.mark.parametrize("value", ["yes", "no", "unknown"])
@pytest.mark.parametrize("negated", [False, True])
def test_a_yes_or_no_lies_on_one_scale_whose_ends_are_not_its_middle(
    words: tuple[str, ...], value: str, negated: bool
) -> None:
    line = Line("case.coaching_info_given", "is", words)
    condition, facts = Not(line) if negated else line, {"case.coaching_info_given": value}
    expected = {TRUE: {"violated"}, MAYBE: {"unknown"}, FALSE: set()}[condition.truth(facts, TODAY)]
    assert outcomes_matching(make_rule(condition, otherwise="violated"), facts) == expected


def test_a_date_is_carried_as_days_from_the_evaluation_date() -> None:
    assert encoded({"case.wish_on": TODAY + timedelta(days=3)}) == {"case.wish_on": 3}
    assert encoded({"case.wish_on": TODAY - timedelta(days=3)}) == {"case.wish_on": -3}
    assert encoded({"case.wish_on": None}) == {"case.wish_on": FAR}, "no date lies far ahead: it is never reached"
    unknown = encoded({"case.interest_asked_on": "unknown"})
    assert unknown == {"case.interest_asked_on<": -FAR, "case.interest_asked_on>": FAR}


def test_attributes_can_be_given_other_names() -> None:
    encoder = Encoder([VOCABULARY["case.interest"]], {"case.interest": "a0"})
    assert encoder.encoded({"case.interest": "no"}, TODAY) == {"a0": "no"}


def test_a_fact_that_can_be_unknown_has_a_least_and_a_greatest() -> None:
    assert attributes(VOCABULARY["case.wish_on"]) == ("case.wish_on",)
    assert attributes(VOCABULARY["activity.days_per_week"]) == ("activity.days_per_week<", "activity.days_per_week>")
    assert attributes(VOCABULARY["case.interest"]) == ("case.interest",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("case.wish_on", "soon"),
        ("case.wish_on", "unknown"),
        ("activity.days_per_week", "many"),
        ("case.interest", "perhaps"),
    ],
)
def test_a_value_the_fact_cannot_have_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        encoded({name: value})


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
