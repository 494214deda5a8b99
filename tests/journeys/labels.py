"""Journeys labelled by hand: a journal, dates, and every open finding of SPEC §4.1 expected on each.

The labels were written from SPEC's words before anything was run; where a run made one change, its file says why
(`notes`). In a file

    open      the complete list of what is open: rule, outcome, why; due where a last day is named (`due: any` where the
              text names several, left out where it names none); entry, missing and set_aside where they matter
    settled   rules that must not be open, and what they are instead: satisfied, remedied, absent (the rule does not
              apply or is not in force), or quiet (satisfied or absent: the text leaves it open which)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from rules.journal import Case, case_from_data
from rules.reading import read_text

FOLDER = Path(__file__).parent
OPEN = ("violated", "advised", "unknown")
SETTLED = ("satisfied", "remedied", "absent", "quiet")
ANY = "any"


@dataclass(frozen=True)
class Label:
    """What is expected of a rule on a date, and why."""

    rule: str
    outcome: str
    why: str
    due: str | None = None
    entry: str | None = None
    missing: tuple[str, ...] | None = None
    set_aside: str | None = None

    def __str__(self) -> str:
        return f"{self.rule} {self.outcome}, due {self.due} ({self.why})"


@dataclass(frozen=True)
class Day:
    """One date of a journey: what is open, all of it, and some of what is not."""

    date: date
    open: tuple[Label, ...]
    settled: tuple[Label, ...]


@dataclass(frozen=True)
class Journey:
    """A journal with its labels."""

    name: str
    story: str
    case: Case
    days: tuple[Day, ...]


@dataclass(frozen=True)
class Found:
    """What an engine says of one rule and subject."""

    rule: str
    entry: str | None
    outcome: str
    due: str | None
    missing: tuple[str, ...]
    set_aside: str | None

    def __str__(self) -> str:
        return f"{self.rule} {self.outcome}, due {self.due}, about {self.entry}"


@cache
def journeys() -> tuple[Journey, ...]:
    """Every journey, in the order of their names."""
    return tuple(_journey(path) for path in sorted(FOLDER.glob("*.yaml")))


def differences(day: Day, found: list[Found]) -> list[str]:
    """How what was found (every outcome, rules of §4.1 only) differs from the labels of a date."""
    left = [item for item in found if item.outcome in OPEN]
    told = []
    for label in day.open:
        match = next((item for item in left if _is(label, item)), None)
        if match is None:
            told.append(f"expected, not found: {label}")
        else:
            left.remove(match)
    told += [f"found, not expected: {item}" for item in left]
    return told + list(_unsettled(day, found))


def _unsettled(day: Day, found: list[Found]) -> Iterator[str]:
    for label in day.settled:
        outcomes = {item.outcome for item in found if item.rule == label.rule}
        allowed = {"absent": [set()], "quiet": [set(), {"satisfied"}]}.get(label.outcome, [{label.outcome}])
        if outcomes not in allowed:
            yield f"expected: {label}; found {sorted(outcomes) or 'absent'}"


def _is(label: Label, item: Found) -> bool:
    return (
        (label.rule, label.outcome, label.set_aside) == (item.rule, item.outcome, item.set_aside)
        and label.due in (ANY, item.due)
        and label.entry in (None, item.entry)
        and label.missing in (None, item.missing)
    )


def _journey(path: Path) -> Journey:
    data: Any = read_text(path.read_bytes()).data
    assert set(data) <= {"story", "notes", "case", "entries", "days"}, f"{path.name}: {sorted(data)}"
    case = case_from_data({"case": data["case"], "entries": data["entries"]}, name=path.name)
    days = tuple(_day(path.name, on, labels) for on, labels in data["days"].items())
    return Journey(path.stem, data["story"], case, days)


def _day(name: str, on: str, data: dict[str, Any]) -> Day:
    assert set(data) <= {"open", "settled"}, f"{name}, {on}: {sorted(data)}"
    opened, settled = (tuple(_label(item) for item in data.get(part, [])) for part in ("open", "settled"))
    wrong = [label for label in opened if label.outcome not in OPEN]
    wrong += [label for label in settled if label.outcome not in SETTLED]
    assert not wrong, f"{name}, {on}: {wrong}"
    return Day(date.fromisoformat(on), opened, settled)


def _label(item: dict[str, Any]) -> Label:
    missing = item.get("missing")
    return Label(**{**item, "missing": missing and tuple(missing)})
