"""Deadlines a pack derives from facts and dated parameters, by a small closed set of operations (DESIGN "Facts").

`add_months`, `add_days`, `add_workdays` move a date (their number is a parameter or a number fact); `earliest` and
`latest` pick from dates that are given; `first_given` takes the first that is; `is_after` and `timeliness` compare two
dates, so that conditions never have to. An unknown operand gives unknown, an absent date none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from rules.calendar import add_days, add_months, add_workdays
from rules.facts import UNKNOWN, Fact, Value

#: What `timeliness` answers: done by the limit, after it, or not at all.
TIMELINESS = ("in_time", "late", "not_done")

_MOVES: dict[str, Callable[[date, int], date]] = {
    "add_months": add_months,
    "add_days": add_days,
    "add_workdays": add_workdays,
}
OPERATIONS = (*_MOVES, "earliest", "latest", "first_given", "is_after", "timeliness")
#: How many dates the others take.
OPERANDS = {
    "earliest": range(1, 9),
    "latest": range(1, 9),
    "first_given": range(1, 9),
    "is_after": (2,),
    "timeliness": (2, 3),
}


@dataclass(frozen=True, slots=True)
class Derivation:
    """A derived fact: its name, the operation, and the names of its operands (facts; for moves a number second)."""

    name: str
    operation: str
    operands: tuple[str, ...]
    number: int = 0
    labels: Mapping[str, str] | None = None

    def value(self, facts: Mapping[str, Value]) -> Value:
        """The derived value. Raises KeyError for an operand that was not supplied."""
        if self.operation in _MOVES:
            return self._moved(facts[self.operands[0]])
        values = [facts[name] for name in self.operands]
        if self.operation == "timeliness":
            return _timeliness(values[0], values[1], values[2] if len(values) > 2 else None)
        if self.operation == "first_given":
            return next((value for value in values if value is not None), None)
        if UNKNOWN in values:
            return UNKNOWN
        given = [value for value in values if isinstance(value, date)]
        if self.operation == "is_after":
            return "yes" if len(given) == 2 and given[0] > given[1] else "no"
        if not given:
            return None
        return min(given) if self.operation == "earliest" else max(given)

    def _moved(self, value: Value) -> Value:
        return _MOVES[self.operation](value, self.number) if isinstance(value, date) else value

    def declared(self, vocabulary: Mapping[str, Fact]) -> Fact:
        """The derived fact's declaration, as rules see it. It can be unknown when an operand in `vocabulary` can."""
        perhaps = any(vocabulary[name].may_be_unknown for name in self.operands if name in vocabulary)
        labels = dict(self.labels or {})
        read_from = f"{self.operation}({', '.join(self.operands)})"
        if self.operation == "timeliness":
            return Fact(self.name, "enum", labels, read_from, TIMELINESS, perhaps or len(self.operands) > 2)
        if self.operation == "is_after":
            return Fact(self.name, "yes_no", labels, read_from, ("yes", "no"), perhaps)
        return Fact(self.name, "date", labels, read_from, (), perhaps)


def _timeliness(limit: Value, done: Value, maybe: Value) -> str:
    """Whether something was done by `limit`; `maybe` is when it was perhaps done (a detail is not recorded).

    Without a limit anything done is in time.
    """
    if UNKNOWN in (limit, done):
        return UNKNOWN
    if _by(done, limit):
        return "in_time"
    if _by(maybe, limit):
        return UNKNOWN
    if done is not None:
        return "late"
    return UNKNOWN if maybe is not None else "not_done"


def _by(done: Value, limit: Value) -> bool:
    return isinstance(done, date) and (not isinstance(limit, date) or done <= limit)
