"""Dates and numbers as each language writes them (CLDR, by Babel), as Finland writes its Swedish."""

from __future__ import annotations

from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_decimal

from rules.entries import LOCAL_TIME
from service.words import Lang, Words

_LOCALES = {"fi": Locale("fi"), "sv": Locale("sv", "FI"), "en": Locale("en", "GB")}


class Formats:
    """How one language writes days, times and numbers."""

    def __init__(self, lang: Lang) -> None:
        self._locale = _LOCALES[lang]
        self._words = Words(lang)

    def day(self, day: date | str) -> str:
        """A day in full: 5.9.2022, in English 5 September 2022."""
        return self._words.day(_day(day))

    def day_short(self, day: date | str) -> str:
        """A day of about now, with its weekday and without the year: ma 5.9., mån 5.9, Mon 5 Sept."""
        skeleton = "EdMMM" if self._locale.language == "en" else "EdM"
        return str(format_skeleton(skeleton, _day(day), locale=self._locale))

    def month(self, day: date | str) -> str:
        """The month of a day: syyskuu 2022."""
        return str(format_date(_day(day), "LLLL y", locale=self._locale))

    def weekday(self, day: date | str) -> str:
        """The weekday of a day, in short: ma, mån, Mon."""
        return str(format_date(_day(day), "ccc", locale=self._locale))

    def weekday_long(self, day: date | str) -> str:
        """The weekday of a day: maanantai, måndag, Monday."""
        return str(format_date(_day(day), "cccc", locale=self._locale))

    def moment(self, at: datetime | str) -> str:
        """A time in Finland, to the minute: 5.9.2022 klo 14.30."""
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        local = moment.astimezone(LOCAL_TIME)
        clock = str(format_datetime(local, "HH:mm" if self._locale.language == "en" else "HH.mm", locale=self._locale))
        return self._words("common", "at_time", day=self.day(local.date()), time=clock)

    def number(self, number: float) -> str:
        """A number with its separators: 2 500, in English 2,500."""
        return str(format_decimal(number, locale=self._locale))


def _day(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day
