"""How long what is kept: the values that come with Polku, the days they lead to, and files that are refused."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rights.retention import UNITS, RetentionError, load_retention, retention

TODAY = date(2026, 11, 22)
DAYS = st.dates(date(1950, 1, 1), date(2150, 12, 31))


def test_the_numbers_are_those_of_the_law() -> None:
    held = {name: retention().number(name, TODAY) for name in ("case_after_closing", "read_log", "read_log_told")}
    assert held == {"case_after_closing": 10, "read_log": 12, "read_log_told": 2}
    for name in held:
        assert retention().periods[name].authority == "statute"
        assert retention().periods[name].on(TODAY).source[0]["document"] == "703/2023"


def test_every_value_says_where_it_comes_from() -> None:
    assert set(retention().periods) == set(UNITS)
    for period in retention().periods.values():
        assert period.meaning
        assert all(value.source for value in period.values)


@pytest.mark.parametrize(
    ("closed_on", "last_day"),
    [
        (date(2016, 11, 22), date(2026, 11, 22)),
        (date(2016, 2, 29), date(2026, 2, 28)),
        (date(2018, 2, 28), date(2028, 2, 28)),
    ],
)
def test_a_case_is_kept_ten_years_and_due_the_day_after(closed_on: date, last_day: date) -> None:
    assert retention().kept_until(closed_on, TODAY) == last_day
    assert not retention().is_due(closed_on, last_day)
    assert retention().is_due(closed_on, last_day + timedelta(days=1))


@given(today=DAYS, back=st.integers(-3, 3), years=st.integers(9, 11))
def test_the_day_before_which_cases_are_due_parts_them_exactly(today: date, back: int, years: int) -> None:
    border = retention().closed_before(today)
    for closed_on in (border + timedelta(days=back), today - timedelta(days=365 * years + back)):
        assert retention().is_due(closed_on, today) == (closed_on < border)


def test_reads_are_kept_twelve_years_and_told_two_back() -> None:
    assert retention().reads_kept_from(TODAY) == date(2014, 11, 22)
    assert retention().reads_told_from(TODAY) == date(2024, 11, 22)


def test_emergency_access_ends_by_itself() -> None:
    now = datetime(2026, 11, 22, 20, tzinfo=UTC)
    assert retention().emergency_until(now, TODAY) == datetime(2026, 11, 23, 8, tzinfo=UTC)


WHOLE = Path(__file__).parents[3] / "service" / "rights" / "retention.yaml"


def test_a_value_holds_from_its_day_on(tmp_path: Path) -> None:
    text = WHOLE.read_text(encoding="utf-8")
    later = "value: 10, source: [{document: x, section: y}]}\n    - {from: 2030-01-01, value: 15,"
    path = tmp_path / "retention.yaml"
    path.write_text(text.replace("value: 10,", later, 1), encoding="utf-8")
    held = load_retention(path)
    assert held.number("case_after_closing", date(2029, 12, 31)) == 10
    assert held.number("case_after_closing", date(2030, 1, 1)) == 15
    assert held.is_due(date(2018, 6, 1), date(2029, 1, 1))
    assert not held.is_due(date(2018, 6, 1), date(2030, 1, 1))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("value: 10", "value: 0", "case_after_closing.values[0].value: expected a whole number of at least 1"),
        ("value: 10", "value: yes", "case_after_closing.values[0].value"),
        ("value: 10, source", "value: 10, sauce", "case_after_closing.values[0]: expected the fields"),
        ("from: 2024-01-01, value: 10", "from: soon, value: 10", "case_after_closing.values[0].from: expected a day"),
        ("value_in: hours", "value_in: days", "emergency_access.value_in: expected hours"),
        ("authority: local-choice", "authority: a hunch", "emergency_access.authority: expected one of"),
        ("case_after_closing:", "case_after_clothing:", "case_after_clothing: unknown period"),
        ("case_after_closing:", "case_after_clothing:", "case_after_closing: missing"),
        ("[{document: local, section: five weekly backups}]", "[]", "backup.values[0].source"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = WHOLE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "retention.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RetentionError) as found:
        load_retention(path)
    assert told in str(found.value)


def test_values_out_of_order_are_refused(tmp_path: Path) -> None:
    text = WHOLE.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "value: 12, source: [{document: 703" in line)
    path = tmp_path / "retention.yaml"
    path.write_text(text.replace(line, f"{line}\n{line}"), encoding="utf-8")
    with pytest.raises(RetentionError, match=r"read_log\.values: expected rising days"):
        load_retention(path)
