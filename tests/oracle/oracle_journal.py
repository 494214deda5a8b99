"""The raw journal on a date: which entries count, in which order, and what not finding one means (§2)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from .oracle_values import Truth, add_days, add_months, to_date, to_time


class Entry:
    """One raw entry with its place in the list."""

    def __init__(self, raw: dict[str, Any], position: int) -> None:
        self.raw = raw
        self.position = position
        self.type: str = raw["type"]
        day = to_date(raw["date"])
        assert day is not None
        self.date = day
        self.id: str = raw.get("id") or f"e{position}"
        self.order = (day, position)

    def get(self, field: str) -> Any:
        """The field's value; booleans as yes/no; None if left out."""
        value = self.raw.get(field)
        if value is True:
            return "yes"
        return "no" if value is False else value

    def yes(self, field: str) -> Truth:
        return truth(self.raw.get(field))

    def day(self, field: str) -> date | None:
        return to_date(self.raw.get(field))

    def part(self, field: str) -> Part | None:
        value = self.raw.get(field)
        return None if value is None else Part(value)


class Part:
    """A nested record: the coaching or the trial named in a plan."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw

    def yes(self, field: str) -> Truth:
        return truth(self.raw.get(field))

    def day(self, field: str) -> date | None:
        return to_date(self.raw.get(field))


def truth(value: Any) -> Truth:
    if value is True or value == "yes":
        return True
    return False if value is False or value == "no" else None


class Journal:
    """What counts of a case on a date, seen with what was known then."""

    def __init__(self, document: dict[str, Any], as_of: date, known_at: datetime | None) -> None:
        header = document["case"]
        self.not_recorded = set(header.get("not_recorded") or ())
        self.complete_from = to_date(header.get("complete_from"))
        self.today = as_of
        everything = [Entry(raw, number) for number, raw in enumerate(document.get("entries") or (), start=1)]
        visible = [e for e in everything if e.date <= as_of and _known(e, known_at)]
        self.entries = sorted(_not_voided(visible), key=lambda e: e.order)
        self._by_type: dict[str, list[Entry]] = {}
        for entry in self.entries:
            self._by_type.setdefault(entry.type, []).append(entry)

    def of(self, *types: str) -> list[Entry]:
        """The entries of these types, in order."""
        if len(types) == 1:
            return self._by_type.get(types[0], [])
        return sorted((e for t in types for e in self._by_type.get(t, [])), key=lambda e: e.order)

    def latest(self, *types: str) -> Entry | None:
        found = self.of(*types)
        return found[-1] if found else None

    # "An entry sought and not found was not done, unless its type is in not_recorded, or it could lie before
    # complete_from: then it is unknown."

    def absent(self, *types: str, since: date | None = None) -> Truth:
        """What it means that none was found in a window that begins on ``since`` (None: it has no beginning)."""
        if any(t in self.not_recorded for t in types):
            return None
        if self.complete_from is not None and (since is None or since < self.complete_from):
            return None
        return False

    def absent_within_months(self, months: int, event: date, *types: str, not_before: date | None = None) -> Truth:
        """The same for the window of ``months`` before ``event``, and not before ``not_before``."""
        if any(t in self.not_recorded for t in types):
            return None
        if self.complete_from is None:
            return False
        last_hole = min(add_days(self.complete_from, -1), event)
        in_window = add_months(last_hole, months) >= event and (not_before is None or last_hole >= not_before)
        return None if in_window else False


def _known(entry: Entry, known_at: datetime | None) -> bool:
    recorded_at = entry.raw.get("recorded_at")
    if known_at is None or recorded_at is None:
        return True
    recorded, known = to_time(recorded_at), to_time(known_at)
    assert recorded is not None
    assert known is not None
    return recorded <= known


def _not_voided(visible: list[Entry]) -> list[Entry]:
    """A correction voids its target, unless it is itself voided by a correction that counts."""
    corrections: dict[str, list[Entry]] = {}
    for entry in visible:
        if entry.type == "correction":
            corrections.setdefault(entry.raw["voids"], []).append(entry)

    def counts(entry: Entry) -> bool:
        return not any(counts(correction) for correction in corrections.get(entry.id, ()))

    return [entry for entry in visible if counts(entry)]
