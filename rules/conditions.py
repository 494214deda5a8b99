"""Condition lines and their logic: strong Kleene (true, false, unknown), which is also SQL's.

A line is one fact against constants, so every condition is a row of a decision table (DMN's unary tests) that a person
can read and any engine can run:

    case.activity: active                        equals
    coaching.end_reason: [client_choice, moved]  one of; listing `unknown` makes an unknown value count
    case.interest: {not: no}                     none of
    activity.days_per_week: {at_least: 1}        numbers: at_least, at_most
    pause.limit: {passed: 0}                     a date: later than it + 0 days on the evaluation date
    activity.critical_from: {reached: -14}       a date: on or after it - 14 days
    activity.period_end: {given: yes}            a date is recorded

Lines of one mapping are joined by `all`; `any`, `all` and `not` nest. Fact against fact never.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from rules.facts import UNKNOWN, Value

#: Truth values, ordered so that `and` is min, `or` is max and `not` is 2 - x.
FALSE, MAYBE, TRUE = 0, 1, 2

Test: TypeAlias = Literal["is", "at_least", "at_most", "passed", "reached", "given"]


@dataclass(frozen=True, slots=True)
class Line:
    """One fact against constants. `bound` is a number, or an offset in days for dates; `values` is for `is`."""

    fact: str
    test: Test
    values: tuple[str, ...] = ()
    bound: int = 0

    def truth(self, facts: Mapping[str, Value], day: date) -> int:
        """TRUE, FALSE or MAYBE for these facts on the evaluation date. Raises KeyError for a fact not supplied."""
        value = facts[self.fact]
        if self.test == "is":
            if value == UNKNOWN:
                return TRUE if UNKNOWN in self.values else MAYBE
            return TRUE if value in self.values else FALSE
        if value == UNKNOWN:
            return MAYBE
        if self.test == "given":
            return FALSE if value is None else TRUE
        if value is None:
            return FALSE
        return TRUE if self._reaches(value, day) else FALSE

    def _reaches(self, value: Value, day: date) -> bool:
        if isinstance(value, date):
            ahead = value.toordinal() + self.bound - day.toordinal()
            return ahead < 0 if self.test == "passed" else ahead <= 0
        if isinstance(value, int):
            return value >= self.bound if self.test == "at_least" else value <= self.bound
        raise TypeError(f"{self.fact}: {self.test} needs a number or a date, got {value!r}")


@dataclass(frozen=True, slots=True)
class All:
    """True when every part is."""

    parts: tuple[Condition, ...]

    def truth(self, facts: Mapping[str, Value], day: date) -> int:
        """The least truth of the parts; TRUE when there are none."""
        least = TRUE
        for part in self.parts:
            truth = part.truth(facts, day)
            if truth < least:
                least = truth
                if least == FALSE:
                    break
        return least


@dataclass(frozen=True, slots=True)
class Any:
    """True when some part is."""

    parts: tuple[Condition, ...]

    def truth(self, facts: Mapping[str, Value], day: date) -> int:
        """The greatest truth of the parts; FALSE when there are none."""
        greatest = FALSE
        for part in self.parts:
            truth = part.truth(facts, day)
            if truth > greatest:
                greatest = truth
                if greatest == TRUE:
                    break
        return greatest


@dataclass(frozen=True, slots=True)
class Not:
    """True when the part is false; unknown stays unknown."""

    part: Condition

    def truth(self, facts: Mapping[str, Value], day: date) -> int:
        """The opposite truth."""
        return TRUE - self.part.truth(facts, day)


Condition: TypeAlias = Line | All | Any | Not

ALWAYS = All(())


def lines(condition: Condition) -> Iterator[Line]:
    """Every line of a condition, in the order written."""
    if isinstance(condition, Line):
        yield condition
    elif isinstance(condition, Not):
        yield from lines(condition.part)
    else:
        for part in condition.parts:
            yield from lines(part)


def unsettled(condition: Condition, facts: Mapping[str, Value], day: date) -> Iterator[str]:
    """The unknown facts that keep a condition from being settled; nothing when it is true or false."""
    if condition.truth(facts, day) != MAYBE:
        return
    if isinstance(condition, Line):
        yield condition.fact
    elif isinstance(condition, Not):
        yield from unsettled(condition.part, facts, day)
    else:
        for part in condition.parts:
            yield from unsettled(part, facts, day)
