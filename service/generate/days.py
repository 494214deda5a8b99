"""Days as plain numbers, and drawing among them.

A journal of thirty entries is drawn in a fraction of a millisecond, so a day is its proleptic ordinal (an int) until it
is written. Everything is drawn from a `Draw`, a function that gives a fraction below one: `random.Random(seed).random`.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import TypeVar

Draw = Callable[[], float]
Item = TypeVar("Item")

SATURDAY, SUNDAY = 6, 0  # of an ordinal, modulo 7


@lru_cache(maxsize=65536)
def months(day: int, number: int) -> int:
    """The day some calendar months later (or earlier), clamped to the month's end."""
    start = date.fromordinal(day)
    year, month = divmod(start.year * 12 + start.month - 1 + number, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1])).toordinal()


@lru_cache(maxsize=65536)
def iso(day: int) -> str:
    """The day as it is written in a journal."""
    return date.fromordinal(day).isoformat()


@lru_cache(maxsize=65536)
def ordinal(text: str) -> int:
    """The day that is written."""
    return date.fromisoformat(text).toordinal()


def between(draw: Draw, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return low + int(draw() * (high - low + 1))


def pick(draw: Draw, items: Sequence[Item]) -> Item:
    """One of the items, each as likely."""
    return items[int(draw() * len(items))]


def day_in(draw: Draw, low: int, high: int) -> int:
    """A day from low to high, both included; from Monday to Friday if there is such a day beside the one drawn."""
    day = low + int(draw() * (high - low + 1))
    weekday = day % 7
    if weekday == SATURDAY:
        return day - 1 if day > low else day + 2 if day + 2 <= high else day
    if weekday == SUNDAY:
        return day + 1 if day < high else day - 2 if day - 2 >= low else day
    return day


def workday(day: int) -> int:
    """The day, or the Friday before it."""
    weekday = day % 7
    return day - 1 if weekday == SATURDAY else day - 2 if weekday == SUNDAY else day
