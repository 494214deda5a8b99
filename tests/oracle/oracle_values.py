"""Plain values: three-valued logic, dates, outcomes. Unknown is None, never False."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

Truth = bool | None  # None = unknown
Answer = tuple[str, date | None]  # outcome, due date

NOT_APPLICABLE: Answer = ("not_applicable", None)
SATISFIED: Answer = ("satisfied", None)
REMEDIED: Answer = ("remedied", None)
UNKNOWN: Answer = ("unknown", None)
VIOLATED: Answer = ("violated", None)
ADVISED: Answer = ("advised", None)

OPEN = date.max  # an end that was never set
HELSINKI = ZoneInfo("Europe/Helsinki")  # "Dates are Europe/Helsinki"
FINNISH_HOLIDAYS = holidays.country_holidays("FI", years=range(2010, 2040))


def violated(due: date | None) -> Answer:
    return ("violated", due)


def advised(due: date | None) -> Answer:
    return ("advised", due)


# --- strong Kleene logic ---


def all_of(*values: Truth) -> Truth:
    if False in values:
        return False
    return None if None in values else True


def any_of(*values: Truth) -> Truth:
    if True in values:
        return True
    return None if None in values else False


def negate(value: Truth) -> Truth:
    return None if value is None else not value


def judge(applies: Truth, holds: Truth) -> Answer:
    """A rule without a limit: satisfied, violated or unknown where it applies."""
    if applies is False:
        return NOT_APPLICABLE
    if applies is None or holds is None:
        return UNKNOWN
    return SATISFIED if holds else VIOLATED


def advise_when(applies: Truth) -> Answer:
    """A rule that is nothing but advice: advised when it applies."""
    if applies is None:
        return UNKNOWN
    return ADVISED if applies else NOT_APPLICABLE


# --- dates ---


@lru_cache(maxsize=20_000)
def _date_from_text(text: str) -> date:
    return date.fromisoformat(text)


def to_date(value: object) -> date | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    return _date_from_text(str(value))


def to_time(value: object) -> datetime | None:
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=HELSINKI)


def add_days(day: date, days: int) -> date:
    return day + timedelta(days=days)


def last_day_of_month(year: int, month: int) -> int:
    if month == 12:
        return 31
    return (date(year, month + 1, 1) - timedelta(days=1)).day


def add_months(day: date, months: int) -> date:
    """Calendar months, clamped to the month's end: 31 Jan + 1 month = 28 or 29 Feb."""
    count = day.year * 12 + (day.month - 1) + months
    year, month = count // 12, count % 12 + 1
    if day.day <= 28:
        return date(year, month, day.day)
    return date(year, month, min(day.day, last_day_of_month(year, month)))


def is_working_day(day: date) -> bool:
    if day.weekday() >= 5 or day in FINNISH_HOLIDAYS:
        return False
    christmas_eve = day.month == 12 and day.day == 24
    midsummer_eve = day.month == 6 and 19 <= day.day <= 25 and day.weekday() == 4
    return not (christmas_eve or midsummer_eve)


def add_workdays(day: date, count: int) -> date:
    while count > 0:
        day = add_days(day, 1)
        if is_working_day(day):
            count -= 1
    return day


def within_months_before(day: date, months: int, event: date) -> bool:
    """Is ``day`` within ``months`` before ``event``? Always counted forward, from the day to the event."""
    return day <= event and add_months(day, months) >= event


# --- limits ---


def done_by(limit: date, today: date, certain: Iterable[date], maybe: Iterable[date], none_found: Truth) -> Answer:
    """Something to be done by a limit: in time satisfied, later remedied, else advised until the limit.

    ``certain`` are the days it was surely done, ``maybe`` the days it may have been; ``none_found`` is what finding
    nothing means: False = not done, None = unknown.
    """
    certain, maybe = list(certain), list(maybe)
    if any(day <= limit for day in certain):
        return SATISFIED
    if any(day <= limit for day in maybe):
        return UNKNOWN
    if certain:
        return REMEDIED
    if maybe or none_found is None:
        return UNKNOWN
    return advised(limit) if today <= limit else violated(limit)


def term(limit: date, warn_from: date, today: date) -> Answer:
    """A running term: satisfied, advised from ``warn_from``, violated after ``limit``."""
    if today > limit:
        return violated(limit)
    return advised(limit) if today >= warn_from else SATISFIED


def joined_end(spans: list[tuple[date, date]], day: date) -> date | None:
    """The last day of the cover that holds on ``day``, spans joined where no day lies between; None if no cover."""
    ends = [last for first, last in spans if first <= day <= last]
    if not ends:
        return None
    end = max(ends)
    while end != OPEN:
        longer = [last for first, last in spans if first <= add_days(end, 1) and last > end and first <= last]
        if not longer:
            break
        end = max(longer)
    return end
