"""How long what is kept: dated values with their sources, from `retention.yaml`, and the days they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import yaml

from rules.calendar import ONE_DAY, add_months

Name: TypeAlias = Literal[
    "case_after_closing", "read_log", "read_log_told", "emergency_access", "request_key", "backup"
]
#: The unit each period is given in; the calculations below rest on it.
UNITS: Mapping[str, str] = {
    "case_after_closing": "years",
    "read_log": "years",
    "read_log_told": "years",
    "emergency_access": "hours",
    "request_key": "days",
    "backup": "days",
}
AUTHORITIES = ("statute", "local-choice")

_FILE = Path(__file__).parent / "retention.yaml"
_PERIOD_KEYS = {"value_in", "meaning", "authority", "values"}
_VALUE_KEYS = {"from", "value", "source"}


class RetentionError(Exception):
    """The retention file cannot be used; `problems` are all of its mistakes, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n  ".join(["the retention values cannot be used", *problems]))


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a period, from a day on: the number and what it rests on (document and section)."""

    since: date
    number: int
    source: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Period:
    """How long something is kept or lasts: its unit, what it means, and its values, oldest first."""

    name: str
    unit: str
    meaning: str
    authority: str
    values: tuple[Value, ...]

    def on(self, day: date) -> Value:
        """The value in force on a day; the first value for any day before it, as nothing older is known."""
        found = self.values[0]
        for value in self.values:
            if value.since <= day:
                found = value
        return found


class Retention:
    """The periods by name, and what follows from them. A period is always that of the day it is asked on: what the
    law says today decides how long older papers are kept."""

    def __init__(self, periods: Mapping[str, Period]) -> None:
        self.periods: Mapping[str, Period] = MappingProxyType(dict(periods))

    def number(self, name: Name, today: date) -> int:
        """The number in force today, in the period's unit."""
        return self.periods[name].on(today).number

    def kept_until(self, closed_on: date, today: date) -> date:
        """The last day a case closed on that day is kept: the same day some years later (28 February for 29)."""
        return add_months(closed_on, 12 * self.number("case_after_closing", today))

    def is_due(self, closed_on: date, today: date) -> bool:
        """Whether a case closed on that day is to be disposed of: its last day is over."""
        return self.kept_until(closed_on, today) < today

    def closed_before(self, today: date) -> date:
        """Cases closed before this day are due today, others are not."""
        day = add_months(today, -12 * self.number("case_after_closing", today))
        # Clamped months leave a day or two around a leap day on which the two directions differ.
        day += ONE_DAY
        while not self.is_due(day - ONE_DAY, today):
            day -= ONE_DAY
        return day

    def reads_kept_from(self, today: date) -> date:
        """Reads logged before this day are past their time."""
        return add_months(today, -12 * self.number("read_log", today))

    def reads_told_from(self, today: date) -> date:
        """A client is told of reads from this day on; of older ones only for a special reason."""
        return add_months(today, -12 * self.number("read_log_told", today))

    def emergency_until(self, now: datetime, today: date) -> datetime:
        """When emergency access taken now ends."""
        return now + timedelta(hours=self.number("emergency_access", today))

    def keys_kept_from(self, now: datetime, today: date) -> datetime:
        """Idempotency keys used before this time are forgotten."""
        return now - timedelta(days=self.number("request_key", today))


@cache
def retention() -> Retention:
    """The retention values that come with Polku. Raises RetentionError."""
    return load_retention(_FILE)


def load_retention(path: Path) -> Retention:
    """Retention values from a file. Raises RetentionError with every mistake, and OSError."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (a safe loader)
    if not isinstance(content, dict):
        raise RetentionError(["expected a mapping of periods"])
    problems = [f"{name}: unknown period" for name in content if name not in UNITS]
    problems += [f"{name}: missing" for name in UNITS if name not in content]
    periods = {name: _period(name, content[name], problems) for name in UNITS if name in content}
    if problems:
        raise RetentionError(problems)
    return Retention({name: period for name, period in periods.items() if period is not None})


def _period(name: str, raw: Any, problems: list[str]) -> Period | None:
    if not isinstance(raw, dict) or set(raw) != _PERIOD_KEYS:
        problems.append(f"{name}: expected the fields {', '.join(sorted(_PERIOD_KEYS))}")
        return None
    before = len(problems)
    if raw["value_in"] != UNITS[name]:
        problems.append(f"{name}.value_in: expected {UNITS[name]}")
    if raw["authority"] not in AUTHORITIES:
        problems.append(f"{name}.authority: expected one of {', '.join(AUTHORITIES)}")
    if not (isinstance(raw["meaning"], str) and raw["meaning"].strip()):
        problems.append(f"{name}.meaning: missing")
    listed = raw["values"] if isinstance(raw["values"], list) else []
    values = [_value(f"{name}.values[{at}]", item, problems) for at, item in enumerate(listed)]
    days = [value.since for value in values if value is not None]
    if not listed:
        problems.append(f"{name}.values: expected at least one")
    if days != sorted(set(days)):
        problems.append(f"{name}.values: expected rising days, each once")
    if len(problems) > before:
        return None
    found = tuple(value for value in values if value is not None)
    return Period(name, raw["value_in"], raw["meaning"], raw["authority"], found)


def _value(place: str, raw: Any, problems: list[str]) -> Value | None:
    if not isinstance(raw, dict) or set(raw) != _VALUE_KEYS:
        problems.append(f"{place}: expected the fields {', '.join(sorted(_VALUE_KEYS))}")
        return None
    before = len(problems)
    if type(raw["from"]) is not date:
        problems.append(f"{place}.from: expected a day")
    if type(raw["value"]) is not int or raw["value"] < 1:
        problems.append(f"{place}.value: expected a whole number of at least 1")
    if not _is_source(raw["source"]):
        problems.append(f"{place}.source: expected a list of {{document, section}}")
    if len(problems) > before:
        return None
    return Value(raw["from"], raw["value"], tuple(MappingProxyType(dict(item)) for item in raw["source"]))


def _is_source(raw: Any) -> bool:
    return (
        isinstance(raw, list)
        and bool(raw)
        and all(
            isinstance(item, dict)
            and set(item) == {"document", "section"}
            and all(isinstance(text, str) and text.strip() for text in item.values())
            for item in raw
        )
    )
