"""How near a day is, in plain words: today, tomorrow, in 5 days, 3 weeks ago."""

from __future__ import annotations

from datetime import date

from service.words import Words

#: From how many days on it is told in weeks, and in months; the day itself stands beside it.
_WEEKS_FROM, _MONTHS_FROM = 14, 60
_WEEK, _MONTH = 7, 30
_NAMED = {0: "today", 1: "tomorrow"}


def near(words: Words, day: date, today: date) -> str:
    """How far ahead a day is, or how long ago it was."""
    days = (day - today).days
    if days in _NAMED:
        return words("near", _NAMED[days])
    unit, length = _unit(abs(days))
    return words("near", f"{unit}_{'over' if days < 0 else 'ahead'}", count=abs(days) // length)


def _unit(days: int) -> tuple[str, int]:
    if days < _WEEKS_FROM:
        return "days", 1
    return ("weeks", _WEEK) if days < _MONTHS_FROM else ("months", _MONTH)
