"""Deadlines are derived by a small closed set of operations; unknown gives unknown, an absent date none."""

from datetime import date
from typing import Any

import pytest

from rules.deriving import OPERATIONS, TIMELINESS, Derivation
from rules.facts import Fact

JAN, FEB, MAR = date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31)


def derived(operation: str, *values: Any, number: int = 0) -> Any:
    """The operation applied to facts a, b, c… with these values."""
    names = [f"case.{letter}" for letter in "abcd"[: len(values)]]
    return Derivation("case.found", operation, tuple(names), number).value(dict(zip(names, values, strict=True)))


@pytest.mark.parametrize(
    ("operation", "number", "expected"),
    [
        ("add_months", 1, FEB),
        ("add_months", -2, date(2023, 11, 30)),
        ("add_days", 29, FEB),
        ("add_days", -1, date(2024, 1, 30)),
        ("add_workdays", 3, date(2024, 2, 5)),
    ],
)
def test_a_date_is_moved(operation: str, number: int, expected: date) -> None:
    assert derived(operation, JAN, number=number) == expected
    assert derived(operation, None, number=number) is None
    assert derived(operation, "unknown", number=number) == "unknown"


def test_the_earliest_and_the_latest_are_picked_from_the_dates_given() -> None:
    assert derived("earliest", FEB, None, JAN) == JAN
    assert derived("latest", FEB, None, JAN) == FEB
    assert derived("latest", None, None) is None
    assert derived("latest", FEB, "unknown") == "unknown"
    assert derived("earliest", FEB, "unknown") == "unknown"


def test_the_first_date_given_is_taken_and_an_unknown_one_stops_the_search() -> None:
    assert derived("first_given", None, FEB, JAN) == FEB
    assert derived("first_given", None, None) is None
    assert derived("first_given", "unknown", JAN) == "unknown"
    assert derived("first_given", JAN, "unknown") == JAN


def test_one_date_is_after_another_only_when_both_are_given() -> None:
    assert derived("is_after", FEB, JAN) == "yes"
    assert derived("is_after", JAN, FEB) == "no"
    assert derived("is_after", JAN, JAN) == "no"
    assert derived("is_after", None, JAN) == "no"
    assert derived("is_after", JAN, None) == "no"
    assert derived("is_after", JAN, "unknown") == "unknown"


@pytest.mark.parametrize(
    ("limit", "done", "maybe", "expected"),
    [
        (FEB, JAN, None, "in_time"),
        (FEB, FEB, None, "in_time"),
        (FEB, MAR, None, "late"),
        (FEB, None, None, "not_done"),
        (FEB, JAN, JAN, "in_time"),
        (FEB, None, JAN, "unknown"),
        (FEB, MAR, JAN, "unknown"),
        (FEB, MAR, MAR, "late"),
        (FEB, None, MAR, "unknown"),
        (None, MAR, None, "in_time"),
        (None, None, MAR, "unknown"),
        (None, None, None, "not_done"),
        ("unknown", JAN, None, "unknown"),
        (FEB, "unknown", None, "unknown"),
    ],
)
def test_something_is_done_in_time_late_or_not_at_all(limit: Any, done: Any, maybe: Any, expected: str) -> None:
    assert derived("timeliness", limit, done, maybe) == expected
    if maybe is None:
        assert derived("timeliness", limit, done) == expected


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("perhaps", [False, True])
def test_a_derived_fact_declares_its_type_and_is_unknown_when_what_it_is_read_from_can_be(
    operation: str, perhaps: bool
) -> None:
    vocabulary = {
        "case.a": Fact("case.a", "date", {}, "test", (), may_be_unknown=False),
        "case.b": Fact("case.b", "date", {}, "test", (), may_be_unknown=perhaps),
    }
    fact = Derivation("case.found", operation, ("case.a", "case.b")).declared(vocabulary)
    assert fact.type == {"timeliness": "enum", "is_after": "yes_no"}.get(operation, "date")
    assert fact.values == {"timeliness": TIMELINESS, "is_after": ("yes", "no")}.get(operation, ())
    assert fact.may_be_unknown == perhaps
    assert fact.read_from == f"{operation}(case.a, case.b)"


def test_something_perhaps_done_in_time_can_always_be_unknown() -> None:
    vocabulary = {name: Fact(name, "date", {}, "test") for name in ("case.a", "case.b", "case.c")}
    assert Derivation("case.found", "timeliness", tuple(vocabulary)).declared(vocabulary).may_be_unknown


def test_a_fact_not_supplied_is_an_error() -> None:
    with pytest.raises(KeyError):
        Derivation("case.found", "latest", ("case.a",)).value({})
