"""Months are clamped to the month's end, and working days are Finland's."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.calendar import add_days, add_months, add_workdays, is_workday
from tests.helpers import day

# Hand-computed from the almanac: Good Friday, Ascension Day and Midsummer Eve.
MOVABLE = {
    2014: ("2014-04-18", "2014-05-29", "2014-06-20"),
    2015: ("2015-04-03", "2015-05-14", "2015-06-19"),
    2016: ("2016-03-25", "2016-05-05", "2016-06-24"),
    2017: ("2017-04-14", "2017-05-25", "2017-06-23"),
    2018: ("2018-03-30", "2018-05-10", "2018-06-22"),
    2019: ("2019-04-19", "2019-05-30", "2019-06-21"),
    2020: ("2020-04-10", "2020-05-21", "2020-06-19"),
    2021: ("2021-04-02", "2021-05-13", "2021-06-25"),
    2022: ("2022-04-15", "2022-05-26", "2022-06-24"),
    2023: ("2023-04-07", "2023-05-18", "2023-06-23"),
    2024: ("2024-03-29", "2024-05-09", "2024-06-21"),
    2025: ("2025-04-18", "2025-05-29", "2025-06-20"),
    2026: ("2026-04-03", "2026-05-14", "2026-06-19"),
    2027: ("2027-03-26", "2027-05-06", "2027-06-25"),
}
FIXED = ((1, 1), (1, 6), (5, 1), (12, 6), (12, 24), (12, 25), (12, 26))


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-01-30", 1, "2024-02-29"),
        ("2024-01-29", 1, "2024-02-29"),
        ("2023-01-29", 1, "2023-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2024-08-31", 1, "2024-09-30"),
        ("2024-12-31", 2, "2025-02-28"),
        ("2024-11-30", 3, "2025-02-28"),
        ("2024-12-01", 1, "2025-01-01"),
        ("2024-03-31", -1, "2024-02-29"),
        ("2023-03-31", -1, "2023-02-28"),
        ("2024-01-31", -2, "2023-11-30"),
        ("2024-01-15", -1, "2023-12-15"),
        ("2024-01-15", -13, "2022-12-15"),
        ("2024-05-31", 0, "2024-05-31"),
    ],
)
def test_a_month_is_a_calendar_month_clamped_to_the_months_end(start: str, months: int, expected: str) -> None:
    assert add_months(day(start), months) == day(expected)


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)), st.integers(-240, 240))
def test_adding_months_lands_in_the_right_month_and_never_on_a_later_day(start: date, months: int) -> None:
    found = add_months(start, months)
    assert found.year * 12 + found.month == start.year * 12 + start.month + months
    assert found.day <= start.day
    assert found.day == start.day or (found + timedelta(days=1)).day == 1


def test_a_month_outside_the_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="year"):
        add_months(date(9999, 12, 1), 1)
    with pytest.raises(OverflowError):
        add_days(date(9999, 12, 31), 1)


def test_days_are_added_and_taken_away() -> None:
    assert add_days(day("2024-02-28"), 2) == day("2024-03-01")
    assert add_days(day("2024-01-01"), -1) == day("2023-12-31")
    assert add_days(day("2024-01-01"), 0) == day("2024-01-01")


@pytest.mark.parametrize(
    ("occasion", "start", "workdays", "expected"),
    [
        ("an ordinary week", "2024-02-05", 3, "2024-02-08"),
        ("over a weekend", "2024-02-08", 3, "2024-02-13"),
        ("from a Saturday", "2024-02-10", 3, "2024-02-14"),
        ("no days", "2024-02-10", 0, "2024-02-10"),
        ("Christmas in the week", "2024-12-23", 3, "2024-12-31"),
        ("Christmas Eve on a Friday", "2021-12-22", 3, "2021-12-28"),
        ("Christmas Eve on a Saturday", "2022-12-22", 3, "2022-12-28"),
        ("Christmas and New Year", "2025-12-23", 3, "2025-12-31"),
        ("New Year on a Wednesday", "2024-12-30", 3, "2025-01-03"),
        ("Epiphany on a Monday", "2025-01-02", 3, "2025-01-08"),
        ("Epiphany on a Tuesday", "2026-01-02", 3, "2026-01-08"),
        ("Easter", "2024-03-27", 3, "2024-04-03"),
        ("Easter early", "2016-03-23", 3, "2016-03-30"),
        ("May Day on a Wednesday", "2024-04-29", 3, "2024-05-03"),
        ("May Day on a Sunday", "2022-04-28", 3, "2022-05-03"),
        ("Ascension Day", "2024-05-07", 3, "2024-05-13"),
        ("Midsummer", "2024-06-19", 3, "2024-06-25"),
        ("Midsummer late", "2021-06-23", 3, "2021-06-29"),
        ("Independence Day on a Friday", "2024-12-04", 3, "2024-12-10"),
    ],
)
def test_working_days_are_counted_from_the_day_after(occasion: str, start: str, workdays: int, expected: str) -> None:
    assert add_workdays(day(start), workdays) == day(expected), occasion


@pytest.mark.parametrize("year", list(MOVABLE))
def test_the_days_off_of_a_year_are_finlands_and_no_others(year: int) -> None:
    friday, ascension, midsummer_eve = map(day, MOVABLE[year])
    off = {date(year, month, number) for month, number in FIXED}
    off |= {friday, friday + timedelta(days=3), ascension, midsummer_eve}
    every_day = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    weekdays = [each for each in every_day if each.year == year and each.weekday() < 5]
    assert {each for each in weekdays if not is_workday(each)} == {each for each in off if each.weekday() < 5}
    assert not any(is_workday(each) for each in every_day if each.weekday() >= 5)


@pytest.mark.parametrize("year", range(2014, 2028))
def test_midsummer_eve_and_christmas_eve_are_no_working_days(year: int) -> None:
    assert not is_workday(date(year, 12, 24))
    assert not is_workday(day(MOVABLE[year][2]))
    assert day(MOVABLE[year][2]).weekday() == 4


@given(st.dates(date(2014, 1, 1), date(2027, 12, 1)), st.integers(1, 15))
def test_the_days_counted_are_all_working_days_and_none_is_skipped(start: date, workdays: int) -> None:
    found = add_workdays(start, workdays)
    between = [start + timedelta(days=number) for number in range(1, (found - start).days + 1)]
    assert is_workday(found)
    assert sum(map(is_workday, between)) == workdays
