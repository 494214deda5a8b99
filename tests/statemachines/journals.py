"""Small stand-in journals: the charts take any object with a type, a date and an id."""

import calendar
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

from statemachines import Path, follow

DAY = date(2024, 1, 1)


def add_months(day: date, months: int) -> date:
    """Calendar months, clamped to the month's end."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def entry(type_: str, day: date | int = 0, **fields: Any) -> SimpleNamespace:
    """An entry of that type; the day is a date, or days after 1 January 2024. Left-out fields are left out."""
    when = day if isinstance(day, date) else DAY + timedelta(days=day)
    return SimpleNamespace(type=type_, date=when, id=f"{type_}@{when}", **fields)


def walk(*entries: SimpleNamespace) -> Path[SimpleNamespace]:
    """The path of these entries, sorted by date (position kept), with six months before a referral lapses."""
    ordered = sorted(entries, key=lambda each: each.date)
    return follow(ordered, referral_lapse_months=6, add_months=add_months)


INITIATIVE = entry("initiative_taken", service="coaching")
SELECTION = entry("selection_agreed", client_agrees="yes")
PLAN = entry("activation_plan_updated", coaching=SimpleNamespace(start=DAY, end=None))
