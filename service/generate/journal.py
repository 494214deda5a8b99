"""A case journal while it is drawn: entries that can still be added, changed and taken away."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from service.generate.days import Draw, iso

Fields = dict[str, Any]
_BY_DAY = attrgetter("day")


class Entry:
    """One dated entry: the day it took effect, its type, who wrote it, and its type's own fields."""

    __slots__ = ("by", "day", "fields", "note", "number", "type", "voids")

    def __init__(self, day: int, type_: str, by: str | None, fields: Fields) -> None:
        self.day = day
        self.type = type_
        self.by = by
        self.fields = fields
        self.note: str | None = None
        self.voids: Entry | None = None
        self.number = 0

    @property
    def id(self) -> str:
        """What the entry is called when nobody named it: its place in the journal."""
        return f"e{self.number}"


class Activity:
    """A stretch of rehabilitative work activity."""

    __slots__ = ("days", "end", "reason", "start")

    def __init__(self, start: int, days: int, end: int | None = None, reason: str = "period_over") -> None:
        self.start = start
        self.days = days
        self.end = end
        self.reason = reason


class Coaching:
    """A stretch of coaching. `until`: the last day of the period agreed so far."""

    __slots__ = ("end", "private", "provider", "start", "until")

    def __init__(self, start: int, provider: str, private: bool, until: int) -> None:
        self.start = start
        self.provider = provider
        self.private = private
        self.until = until
        self.end: int | None = None


class Journal:
    """A client's header and entries, with what the drawing of the path has to remember."""

    __slots__ = (
        "activity", "ahead", "as_of", "begun", "birth_year", "case", "coaching", "complete_from", "draw", "employer",
        "entries", "language", "municipality", "not_recorded", "stage",
    )  # fmt: skip

    def __init__(self, case: str, as_of: int, draw: Draw) -> None:
        self.case = case
        self.as_of = as_of
        self.draw = draw
        self.municipality: str | None = None
        self.birth_year: int | None = None
        self.language: str | None = None
        self.not_recorded: tuple[str, ...] = ()
        self.complete_from: int | None = None
        self.entries: list[Entry] = []
        self.ahead: list[Entry] = []
        self.stage = ""
        self.activity: Activity | None = None
        self.coaching: Coaching | None = None
        self.begun = as_of
        self.employer = ("", "")

    def add(self, on: int, type_: str, by: str | None = None, /, **fields: Any) -> Entry:
        """Record an entry."""
        entry = Entry(on, type_, by, fields)
        self.entries.append(entry)
        return entry

    def settle(self) -> None:
        """Leave out what the evaluation date has not seen, and put the rest in order."""
        as_of = self.as_of
        self.entries = [entry for entry in self.entries if entry.day <= as_of]
        self.entries.sort(key=_BY_DAY)

    def number(self) -> None:
        """Put every entry in its place, those dated ahead last, and name what corrections void."""
        self.entries.sort(key=_BY_DAY)
        self.entries += sorted(self.ahead, key=_BY_DAY)
        self.ahead = []
        for number, entry in enumerate(self.entries, 1):
            entry.number = number
        for entry in self.entries:
            if entry.voids is not None:
                entry.fields["voids"] = entry.voids.id

    # ---- looking back, for those who change a journal that is laid out

    def all(self, *types: str) -> list[Entry]:
        """The entries of these types, oldest first; what a correction voids does not count."""
        voided = [entry.voids for entry in self.entries if entry.voids is not None]
        return [entry for entry in self.entries if entry.type in types and entry not in voided]

    def last(self, *types: str) -> Entry | None:
        """The latest entry of these types."""
        found = self.all(*types)
        return found[-1] if found else None

    def remove(self, entries: list[Entry]) -> None:
        """Take entries away."""
        self.entries = [entry for entry in self.entries if entry not in entries]

    def header(self) -> dict[str, Any]:
        """The header as it is written."""
        found: dict[str, Any] = {"id": self.case}
        for name in ("municipality", "birth_year", "language"):
            if (value := getattr(self, name)) is not None:
                found[name] = value
        if self.not_recorded:
            found["not_recorded"] = list(self.not_recorded)
        if self.complete_from is not None:
            found["complete_from"] = iso(self.complete_from)
        return found

    def rows(self) -> Iterator[dict[str, Any]]:
        """The entries as they are written in a case file."""
        for entry in self.entries:
            row: dict[str, Any] = {"date": iso(entry.day), "type": entry.type}
            if entry.by is not None:
                row["by"] = entry.by
            row.update(entry.fields)
            if entry.note is not None:
                row["note"] = entry.note
            yield row
