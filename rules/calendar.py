"""Calendar arithmetic of the rules: clamped calendar months and Finnish working days (SPEC §4).

A month is a calendar month clamped to the month's end (31 January + 1 month = 28 or 29 February). Working days are
Finland's: not Saturdays, Sundays, public holidays, Midsummer Eve or Christmas Eve.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache

ONE_DAY = timedelta(days=1)
SATURDAY = 5


def add_days(day: date, days: int) -> date:
    """The day `days` days later (earlier when negative). Raises OverflowError outside the years 1-9999."""
    return day + timedelta(days)


def add_months(day: date, months: int) -> date:
    """The same day of the month `months` months later, clamped to that month's end.

    Raises ValueError outside the years 1-9999.
    """
    months += day.month - 1
    year, month, number = day.year + months // 12, months % 12 + 1, day.day
    return date(year, month, number if number <= 28 else min(number, monthrange(year, month)[1]))


def is_workday(day: date) -> bool:
    """Whether `day` is a working day in Finland."""
    return day.weekday() < SATURDAY and (day.month, day.day) not in _free_days(day.year)


def add_workdays(day: date, workdays: int) -> date:
    """The `workdays`-th Finnish working day after `day`; `day` itself is not counted."""
    while workdays > 0:
        day += ONE_DAY
        if is_workday(day):
            workdays -= 1
    return day


@lru_cache(maxsize=64)
def _free_days(year: int) -> frozenset[tuple[int, int]]:
    # Imported here: the library costs more to load than most assessments, and few of them count working days.
    from holidays import country_holidays

    # The library's Finland counts Midsummer Eve and Christmas Eve among the days off (held by a test).
    return frozenset((day.month, day.day) for day in country_holidays("FI", years=year))
