"""What a time line holds, before it is drawn or told in a table: lanes of bars and marks, and the days it spans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Mark:
    """A day that matters: `kind` is limit (a rule's), period_end, review, update (of a plan), event (of the case) or
    ahead (told of by rules, and numbered)."""

    kind: str
    day: date
    name: str
    note: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that lasts, from its first to its last day; without an end it goes on.

    `expected` is the day until which it is known to go on, `planned` that it is only agreed or in a plan so far, `thin`
    that nothing is paid on it. `parts` (pauses, interruptions, phases by their number) and `marks` lie on it. `label`
    is what stands beside it; `name` what it is.
    """

    kind: str
    name: str
    start: date
    end: date | None
    label: str = ""
    expected: date | None = None
    planned: bool = False
    thin: bool = False
    note: str = ""
    number: int | None = None
    parts: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def real(self) -> bool:
        """Whether it lasted at all: what was withdrawn before it began did not."""
        return self.end is None or self.end >= self.start

    def runs(self, day: date) -> bool:
        """Whether it runs on a day."""
        return self.real and not self.planned and self.start <= day and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Lane:
    """The bars and marks of one kind. One that is `withheld` tells nothing; of one withheld `partly` details are."""

    kind: str
    name: str
    bars: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()
    withheld: bool = False
    partly: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table that tells what the picture shows; days are written out, an empty text says nothing."""

    lane: str
    what: str
    since: str
    until: str
    note: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The lanes, the days ahead that rules tell of (`ahead_withheld`: not to this reader, or not all), the days spanned
    by the picture, and the same as rows of a table."""

    lanes: tuple[Lane, ...]
    ahead: tuple[Mark, ...]
    ahead_withheld: bool
    today: date
    first: date
    last: date
    rows: tuple[Row, ...]
