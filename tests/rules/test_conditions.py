"""A condition line is one fact against constants; unknown is never read as no (strong Kleene logic)."""

from datetime import date
from itertools import product
from typing import Any as AnyData

import pytest

from rules.conditions import ALWAYS, FALSE, MAYBE, TRUE, All, Any, Condition, Line, Not, lines, unsettled

TODAY = date(2024, 6, 15)


def truth(line: Condition, value: AnyData = None) -> int:
    return line.truth({"f": value}, TODAY)


@pytest.mark.parametrize(
    ("values", "value", "expected"),
    [
        (("yes",), "yes", TRUE),
        (("yes",), "no", FALSE),
        (("yes",), "unknown", MAYBE),
        (("less", "none"), "none", TRUE),
        (("less", "none"), "as_usual", FALSE),
        (("no", "unknown"), "unknown", TRUE),
        (("no", "unknown"), "yes", FALSE),
        ((), "yes", FALSE),
        ((), "unknown", MAYBE),
    ],
)
def test_a_word_is_compared_with_words(values: tuple[str, ...], value: str, expected: int) -> None:
    assert truth(Line("f", "is", values), value) == expected


@pytest.mark.parametrize(
    ("test", "bound", "value", "expected"),
    [
        ("at_least", 3, 2, FALSE),
        ("at_least", 3, 3, TRUE),
        ("at_least", 3, 4, TRUE),
        ("at_most", 3, 3, TRUE),
        ("at_most", 3, 4, FALSE),
        ("at_most", 3, "unknown", MAYBE),
        ("at_least", 3, "unknown", MAYBE),
        ("at_least", 0, None, FALSE),
    ],
)
def test_a_number_is_compared_with_a_bound_that_counts(
    test: AnyData, bound: int, value: AnyData, expected: int
) -> None:
    assert truth(Line("f", test, bound=bound), value) == expected


@pytest.mark.parametrize(
    ("test", "offset", "value", "expected"),
    [
        ("passed", 0, date(2024, 6, 15), FALSE),  # a limit day is still in time
        ("passed", 0, date(2024, 6, 14), TRUE),
        ("passed", 7, date(2024, 6, 8), FALSE),
        ("passed", 7, date(2024, 6, 7), TRUE),
        ("reached", 0, date(2024, 6, 15), TRUE),
        ("reached", 0, date(2024, 6, 16), FALSE),
        ("reached", -14, date(2024, 6, 29), TRUE),
        ("reached", -14, date(2024, 6, 30), FALSE),
        ("passed", 0, None, FALSE),
        ("reached", 0, None, FALSE),
        ("passed", 0, "unknown", MAYBE),
        ("given", 0, date(2024, 6, 15), TRUE),
        ("given", 0, None, FALSE),
        ("given", 0, "unknown", MAYBE),
    ],
)
def test_a_date_is_compared_with_the_evaluation_date(test: AnyData, offset: int, value: AnyData, expected: int) -> None:
    assert truth(Line("f", test, bound=offset), value) == expected


def test_a_test_that_does_not_fit_the_fact_is_an_error() -> None:
    with pytest.raises(TypeError, match="at_least needs a number or a date"):
        truth(Line("f", "at_least", bound=1), "soon")
    with pytest.raises(KeyError):
        Line("g", "is", ("yes",)).truth({"f": "yes"}, TODAY)


A, B = Line("a", "is", ("yes",)), Line("b", "is", ("yes",))
WORDS = {FALSE: "no", MAYBE: "unknown", TRUE: "yes"}


@pytest.mark.parametrize(("one", "other"), list(product((FALSE, MAYBE, TRUE), repeat=2)))
def test_and_is_the_least_or_the_greatest_and_not_the_opposite(one: int, other: int) -> None:
    facts = {"a": WORDS[one], "b": WORDS[other]}
    assert All((A, B)).truth(facts, TODAY) == min(one, other)
    assert Any((A, B)).truth(facts, TODAY) == max(one, other)
    assert Not(A).truth(facts, TODAY) == 2 - one


def test_no_conditions_always_hold_and_no_alternatives_never_do() -> None:
    assert ALWAYS.truth({}, TODAY) == TRUE
    assert Any(()).truth({}, TODAY) == FALSE


def test_every_line_is_found_in_the_order_written() -> None:
    c = Line("c", "given")
    assert list(lines(All((A, Any((Not(B), c)), A)))) == [A, B, c, A]


def test_what_keeps_a_condition_unsettled_is_named() -> None:
    condition = All((A, Any((Not(B), Line("c", "given")))))
    facts: dict[str, AnyData] = {"a": "yes", "b": "unknown", "c": None}
    assert list(unsettled(condition, facts, TODAY)) == ["b"]
    assert list(unsettled(condition, {**facts, "c": "unknown"}, TODAY)) == ["b", "c"]
    assert list(unsettled(condition, {**facts, "a": "unknown"}, TODAY)) == ["a", "b"]


def test_nothing_is_missing_when_the_answer_is_settled_anyway() -> None:
    assert list(unsettled(All((A, B)), {"a": "no", "b": "unknown"}, TODAY)) == []
    assert list(unsettled(Any((A, B)), {"a": "yes", "b": "unknown"}, TODAY)) == []
