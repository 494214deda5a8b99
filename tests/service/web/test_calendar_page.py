"""The calendar of coming dates: a month in a grid, and the same day by day."""

from __future__ import annotations

import pytest

from service.store import Database
from tests.service.api import world
from tests.service.api.asking import Client
from tests.service.api.people import AINO
from tests.service.api.world import actor, showing
from tests.service.conftest import Clock
from tests.service.web.caseloads import STRANGER, caseload
from tests.service.web.looking import Seen, look


@pytest.fixture
def worker(anyone: Client) -> Client:
    """A social worker with four clients."""
    caseload(anyone)
    return showing(anyone, AINO)


def by_day(seen: Seen) -> dict[str, list[str]]:
    """The list by day: each day with its lines."""
    found = {}
    for section in seen.all("section.day"):
        items = [" ".join(item.get_text(" ").split()) for item in section.find_all("li")]
        found[" ".join(section.h3.get_text(" ").split())] = items  # type: ignore[union-attr]
    return found


def test_the_month_stands_in_weeks_from_monday_with_today_marked(worker: Client) -> None:
    seen = look(worker, "/clients/calendar")
    assert seen.one("h1").get_text() == "Marraskuu 2026"
    heads = [tag.get_text() for tag in seen.all("table.month th")]
    assert heads == ["ma", "ti", "ke", "to", "pe", "la", "su"]
    assert next(tag["title"] for tag in seen.all("table.month th abbr")) == "maanantai"
    assert len(seen.all("table.month td")) == 42
    assert seen.one("td.month__today .month__day").get_text(" ").split() == ["20", "tänään"]


def test_every_date_is_told_day_by_day_in_words(worker: Client) -> None:
    told = by_day(look(worker, "/clients/calendar"))
    assert "Sirpa Åkerman : Työtoiminnan tauko työkokeilun vuoksi pysyy määräajassa (määräpäivä)" in told["Ke 25.11."]
    grid = look(worker, "/clients/calendar").one("table.month").get_text(" ")
    assert "Sirpa Åkerman" in grid
    assert "työtoiminnan tauko" in grid


def test_a_client_stands_once_in_a_day_of_the_grid(worker: Client) -> None:
    seen = look(worker, "/clients/calendar")
    for cell in seen.all("table.month td"):
        links = [tag["href"] for tag in cell.find_all("a")]
        assert len(links) == len(set(links))


def test_one_goes_from_month_to_month(worker: Client) -> None:
    seen = look(worker, "/clients/calendar?month=2026-12&mine=0")
    assert seen.one("a[rel=prev]")["href"] == "/clients/calendar?month=2026-11&mine=0"
    assert seen.one("a[rel=next]")["href"] == "/clients/calendar?month=2027-01&mine=0"
    assert seen.one("h1").get_text() == "Joulukuu 2026"
    assert not seen.all("td.month__today")


def test_years_end_where_the_journal_ends(worker: Client) -> None:
    assert not look(worker, "/clients/calendar?month=1900-01").all("a[rel=prev]")
    assert not look(worker, "/clients/calendar?month=2199-12").all("a[rel=next]")


def test_a_month_there_is_not_is_this_month(worker: Client) -> None:
    for month in ("2026-13", "2026-00", "0000-01", "9999-12", "1", "x", "", "2026-11-20", "²026-11", "%00"):
        seen = look(worker, f"/clients/calendar?month={month}")
        assert (seen.status, seen.one("h1").get_text(), month) == (200, "Marraskuu 2026", month)


def test_months_and_days_are_written_as_each_language_does(worker: Client) -> None:
    for lang, title, monday, day in (
        ("fi", "Marraskuu 2026", "ma", "Ke 25.11."),
        ("sv", "November 2026", "mån", "Ons 25.11"),
        ("en", "November 2026", "Mon", "Wed 25 Nov"),
    ):
        seen = look(worker, "/clients/calendar", lang=lang)
        assert seen.one("h1").get_text() == title
        assert seen.all("table.month th")[0].get_text() == monday
        assert day in by_day(seen)


def test_a_month_without_dates_says_so(worker: Client) -> None:
    assert "Tässä kuussa ei ole määräpäiviä." in look(worker, "/clients/calendar?month=2150-01").text


def test_a_stranger_sees_no_one(worker: Client, anyone: Client) -> None:
    assert by_day(look(showing(anyone, STRANGER), "/clients/calendar?mine=0")) == {}
    assert look(anyone, "/clients/calendar").status == 303


def test_a_name_is_text(worker: Client) -> None:
    for name in ('<script>alert("1")</script>', '"><img src=x>', "שרה כהן"):
        assert worker.put("/v1/cases/soon/identity", {"name": name}).status_code == 200
        seen = look(worker, "/clients/calendar")
        assert name in [tag.get_text() for tag in seen.all("section.day a")]
        assert not seen.all("main script, main img")


def test_no_role_sees_a_date_of_a_rule_withheld_from_it(anyone: Client, sqlite: Database, clock: Clock) -> None:
    world.settled(anyone, sqlite, clock())
    for role, relation in world.actors():
        _sees_no_more(anyone, role, relation)


def _sees_no_more(anyone: Client, role: str, relation: str) -> None:
    user = showing(anyone, actor(role, relation))
    seen = look(user, "/clients/calendar?mine=0&month=2027-01")
    assert seen.status == 200
    told = user.get(f"/v1/cases/{world.CLIENT}/next-steps?lang=fi")
    if told.status_code != 200:
        assert by_day(seen) == {}
        return
    shown = {item["rule"] for item in told.json()["agenda"]} | {item["rule"] for item in told.json()["findings"]}
    titles = {anyone.app.state.service.assessor.pack.versions(rule)[-1].title["fi"] for rule in shown}
    for lines in by_day(seen).values():
        assert all(any(title in line for title in titles) for line in lines)


def test_the_read_of_those_in_the_month_is_on_record(worker: Client) -> None:
    look(worker, "/clients/calendar")
    reads = worker.get("/v1/cases/soon/reads").json()["items"]
    assert "calendar" in [read["what"] for read in reads]
