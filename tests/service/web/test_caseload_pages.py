"""The list of clients: by what is due, narrowed, sorted, in pages, and never more than the reader may see."""

from __future__ import annotations

from typing import Any

import pytest

from service.caseload import ON_A_PAGE
from service.store import Database
from service.web.listing import around
from tests.helpers import entry
from tests.service.api import world
from tests.service.api.asking import Client
from tests.service.api.people import AINO
from tests.service.api.world import REGION, actor, showing
from tests.service.conftest import Clock
from tests.service.outlooks import open_many
from tests.service.web.caseloads import LEADER, STRANGER, VILMA, caseload, opened, up_to_date
from tests.service.web.looking import Seen, look

HOSTILE = '<script>alert("1")</script>', '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "שרה כהן", "=1+1", "a" * 200
#: What nobody means, and some send.
STRANGE = (
    "page=-1", "page=0", "page=99999999999", "page=x", "page=", "page=²", "stage=nowhere", "who=nobody", "due=never",
    "sort=score", "mine=2", "closed=x", "q=%00", "q=%ff%fe", "q=" + "x" * 5000, "stage=coaching&stage=activity",
    "q=%27%20OR%201%3D1--", "q=%25_", "nothing=at-all", "month=2026-13",
)  # fmt: skip


def names(seen: Seen) -> list[str]:
    return [tag.get_text() for tag in seen.all("table.clients td.clients__name a")]


def lines(seen: Seen) -> dict[str, list[str]]:
    """Each client's cells in words, by name."""
    rows = [tag for tag in seen.all("table.clients tbody tr") if tag.find("td")]
    cells = [[" ".join(cell.get_text(" ").split()) for cell in row.find_all("td")] for row in rows]
    return {row[0]: row[1:] for row in cells}


@pytest.fixture
def worker(anyone: Client) -> Client:
    """A social worker with four clients, and one of a colleague's."""
    caseload(anyone)
    opened(anyone, "colleagues", name="Vieras Tuttu", by=VILMA)
    return showing(anyone, AINO)


# --- what it shows ---


def test_clients_stand_under_what_is_due(worker: Client) -> None:
    seen = look(worker, "/clients")
    groups = [" ".join(tag.get_text(" ").split()) for tag in seen.all("tr.clients__group th")]
    assert groups == ["Määräpäivä on mennyt 1", "Viikon sisällä 1", "Myöhemmin 1", "Ei määräpäivää 1"]
    assert names(seen) == ["Lahja Loppunut", "Sirpa Åkerman", "Tauno Tauko", "Äidin Onni"]
    assert lines(seen)["Sirpa Åkerman"] == [
        "Työkokeilu", "Sovi asiakkaan kanssa, jatkuuko vai päättyykö kuntouttava työtoiminta", "sinä", "25.11.2026",
    ]  # fmt: skip
    assert seen.one("p[role=status]").get_text().strip() == "4 asiakasta."


def test_a_late_step_is_told_of_the_step_and_not_of_a_person(worker: Client) -> None:
    for lang, word in (("fi", "myöhässä"), ("sv", "försenad"), ("en", "overdue")):
        assert word not in look(worker, "/clients", lang=lang).text.lower()


def test_the_list_is_narrowed_and_sorted(worker: Client) -> None:
    for query, found in (
        ("due=overdue", ["Lahja Loppunut"]),
        ("due=this_week", ["Sirpa Åkerman"]),
        ("due=later", ["Tauno Tauko"]),
        ("due=no_date", ["Äidin Onni"]),
        ("stage=work_trial", ["Sirpa Åkerman"]),
        ("who=employment_coach", ["Lahja Loppunut", "Sirpa Åkerman"]),
        ("q=akerman", []),
        ("q=åkerman", ["Sirpa Åkerman"]),
        ("q=SIRPA", ["Sirpa Åkerman"]),
        ("q=later", ["Tauno Tauko"]),
        ("sort=name", ["Lahja Loppunut", "Sirpa Åkerman", "Tauno Tauko", "Äidin Onni"]),
        ("sort=name&mine=0", ["Lahja Loppunut", "Sirpa Åkerman", "Tauno Tauko", "Vieras Tuttu", "Äidin Onni"]),
        ("closed=1", []),
    ):
        assert names(look(worker, f"/clients?{query}")) == found, query


def test_asked_for_a_role_each_client_stands_by_the_step_of_that_role(worker: Client) -> None:
    seen = look(worker, "/clients?who=employment_coach")
    assert {cells[2] for cells in lines(seen).values()} == {"omavalmentaja"}
    assert [tag.get_text(" ").split()[0] for tag in seen.all("tr.clients__group th")] == ["Ei"]


def test_sorted_otherwise_a_past_due_date_is_marked_in_words(worker: Client) -> None:
    seen = look(worker, "/clients?sort=name")
    assert not seen.all("tr.clients__group")
    assert lines(seen)["Lahja Loppunut"][-1] == "1.10.2026 Määräpäivä on mennyt"


def test_the_choices_tell_how_many_each_would_show(worker: Client) -> None:
    seen = look(worker, "/clients?stage=work_trial")
    assert [tag.get_text() for tag in seen.all("nav.due a")] == [
        "Kaikki", "Määräpäivä on mennyt (0)", "Viikon sisällä (1)", "Myöhemmin (0)", "Ei määräpäivää (0)",
    ]  # fmt: skip
    assert "Kuntouttava työtoiminta (1)" in [tag.get_text() for tag in seen.all("select#stage option")]
    assert seen.one("select#stage option[selected]").get_text() == "Työkokeilu (1)"


def test_links_keep_what_was_chosen(worker: Client) -> None:
    seen = look(worker, "/clients?stage=work_trial&mine=0&q=sirpa")
    choices = {tag.get_text().split(" (")[0]: tag["href"] for tag in seen.all("nav.due a")}
    assert choices["Myöhemmin"] == "/clients?q=sirpa&stage=work_trial&due=later&mine=0"
    files = [tag["href"] for tag in seen.all("details a")]
    assert files == [f"/clients/export.{end}?q=sirpa&stage=work_trial&mine=0" for end in ("xlsx", "csv")]


def test_the_form_works_without_javascript_and_keeps_what_was_chosen(worker: Client) -> None:
    seen = look(worker, "/clients?due=overdue&q=lahja")
    form = seen.one("form.filter")
    assert (form["method"], form["action"]) == ("get", "/clients")
    assert form.find("button") is not None
    assert seen.one("form.filter input[name=q]")["value"] == "lahja"
    assert seen.one("form.filter input[name=due]")["value"] == "overdue"
    for field in seen.all("form.filter input[id], form.filter select"):
        assert seen.one(f"label[for={field['id']}]").get_text()
    assert form["hx-select"] == form["hx-target"] == "#found"


def test_what_nobody_means_is_left_out(worker: Client) -> None:
    for query in STRANGE:
        for path in ("/clients", "/clients/calendar", "/clients/export.csv"):
            assert (look(worker, f"{path}?{query}").status, query) == (200, query)


def test_the_page_speaks_the_readers_language(worker: Client) -> None:
    told = (("fi", "Asiakkaat", "25.11.2026"), ("sv", "Klienter", "25.11.2026"), ("en", "Clients", "25 November 2026"))
    for lang, title, day in told:
        seen = look(worker, "/clients", lang=lang)
        assert (seen.one("html")["lang"], seen.one("h1").get_text()) == (lang, title)
        assert day in seen.text


def test_a_name_is_text(worker: Client) -> None:
    for name in HOSTILE:
        assert worker.put("/v1/cases/calm/identity", {"name": name}).status_code == 200
        seen = look(worker, "/clients")
        assert name in names(seen)
        assert not seen.all("main script, main img")
        assert not [tag for tag in seen.html.find_all(True) if tag.has_attr("style") or tag.has_attr("onerror")]


def test_an_id_with_marks_leads_to_its_client(anyone: Client) -> None:
    opened(anyone, "a#b?å ä&c")
    assert (
        look(showing(anyone, AINO), "/clients").one("td.clients__name a")["href"]
        == "/clients/a%23b%3F%C3%A5%20%C3%A4%26c"
    )


def test_what_is_searched_for_is_shown_as_text(worker: Client) -> None:
    seen = look(worker, "/clients?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert seen.one("input[name=q]")["value"] == '"><script>alert(1)</script>'
    assert not seen.all("main script")


# --- when there is nothing to show ---


def test_who_has_no_clients_at_all_is_told_how_they_come(anyone: Client) -> None:
    seen = look(showing(anyone, AINO), "/clients")
    assert seen.one(".empty h2").get_text() == "Sinulla ei ole vielä asiakkaita"
    assert seen.one("a[href='/clients/new']")
    assert look(showing(anyone, AINO), "/clients?closed=1").one(".empty h2").get_text() == "Päättyneitä asioita ei ole"


def test_who_has_none_of_their_own_is_shown_the_way_to_the_teams(anyone: Client) -> None:
    caseload(anyone)
    seen = look(showing(anyone, VILMA), "/clients")
    assert seen.one(".empty h2").get_text() == "Yhtään asiakasta ei ole merkitty sinulle"
    assert seen.one(".empty a")["href"] == "/clients?mine=0"
    shown = look(showing(anyone, VILMA), "/clients?mine=0")
    assert len(names(shown)) == 4
    assert "tiimin asiakas" in shown.text


def test_where_nothing_matches_the_filters_can_be_cleared(worker: Client) -> None:
    seen = look(worker, "/clients?q=zzz")
    assert seen.one(".empty h2").get_text() == "Mikään asiakas ei vastaa rajauksia"
    assert seen.one(".empty a")["href"] == "/clients"


# --- who sees what ---


def test_a_leader_sees_the_team_and_a_stranger_nothing(worker: Client, anyone: Client) -> None:
    assert len(names(look(showing(anyone, LEADER), "/clients"))) == 5
    assert names(look(showing(anyone, STRANGER), "/clients?mine=0")) == []
    assert look(anyone, "/clients").answer.headers["location"] == "/login?next=%2Fclients"


def test_every_role_sees_as_much_as_the_api_shows_it(anyone: Client, sqlite: Database, clock: Clock) -> None:
    world.settled(anyone, sqlite, clock())
    for role, relation in world.actors():
        _sees_as_much(anyone, role, relation)


def _sees_as_much(anyone: Client, role: str, relation: str) -> None:
    user = showing(anyone, actor(role, relation))
    told = {item["id"] for item in user.get("/v1/cases").json()["items"]}
    seen = look(user, "/clients?mine=0")
    assert seen.status == 200
    assert len(names(seen)) == len(told)
    if not told:
        return
    (name,) = names(seen)
    identity = user.get(f"/v1/cases/{world.CLIENT}/identity")
    assert name == (identity.json()["identity"]["name"] if identity.status_code == 200 else world.CLIENT)
    steps = user.get(f"/v1/cases/{world.CLIENT}/next-steps?lang=fi")
    shown = next(iter(lines(seen).values()))
    if steps.status_code == 200:
        listed = [step["text"] for step in steps.json()["next_steps"]]
        nothing = "Roolissasi ei näy seuraavaa askelta" if "withheld" in steps.json() else "Ei seuraavaa askelta"
        assert shown[1] == (listed[0] if listed else nothing)
        assert (shown[0] == "–") == (steps.json()["state"]["stage"] is None)
    else:
        assert shown == []
        assert "Roolissasi ei näy asiakkaan vaihetta eikä seuraavia askelia." in seen.text
    assert not any(text in seen.answer.text for text in (world.NOTE, world.SECRET_REASON, world.ACKNOWLEDGED))


def test_the_read_of_exactly_those_on_the_page_is_on_record(worker: Client) -> None:
    look(worker, "/clients?due=overdue")
    kinds = {
        case: [r["what"] for r in worker.get(f"/v1/cases/{case}/reads").json()["items"]] for case in ("late", "calm")
    }
    assert "cases" in kinds["late"]
    assert "cases" not in kinds["calm"]


def test_the_page_is_kept_by_nobody(worker: Client) -> None:
    assert look(worker, "/clients").answer.headers["cache-control"] == "no-store"


# --- many ---


@pytest.fixture
def many(anyone: Client, sqlite: Database) -> Client:
    """A social worker with 120 clients."""
    with sqlite.write(REGION) as unit:
        open_many(unit, 120)
    up_to_date(anyone)
    return showing(anyone, AINO)


def test_a_long_list_has_pages(many: Client) -> None:
    first = look(many, "/clients?sort=name")
    assert len(names(first)) == ON_A_PAGE
    assert "Sivu 1/3." in first.text
    assert [tag.get_text() for tag in first.all("nav.numbers a")] == ["1", "2", "3", "Seuraava"]
    last = look(many, "/clients?sort=name&page=3")
    assert len(names(last)) == 20
    assert last.one("nav.numbers a[aria-current]").get_text() == "3"
    assert last.one("nav.numbers a[rel=prev]")["href"] == "/clients?sort=name&page=2"
    assert names(look(many, "/clients?sort=name&page=99")) == names(last)
    assert not set(names(first)) & set(names(last))


def test_a_full_page_is_small(many: Client) -> None:
    """Of the 200 kB of a first load, style sheets and scripts take some 135."""
    assert len(look(many, "/clients").answer.content) < 50_000


def test_clients_being_worked_out_are_told_of(anyone: Client, sqlite: Database) -> None:
    with sqlite.write(REGION) as unit:
        open_many(unit, 60)
    anyone.app.state.service.outlooks.stop()
    seen = look(showing(anyone, AINO), "/clients")
    if "päivitetään juuri nyt" in seen.text:
        assert seen.one(".notice a")["href"] == "/clients"
    up_to_date(anyone)
    assert "päivitetään juuri nyt" not in look(showing(anyone, AINO), "/clients").text


@pytest.mark.parametrize(
    ("number", "pages", "linked"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (5, 40, [1, None, 3, 4, 5, 6, 7, None, 40]),
        (40, 40, [1, None, 38, 39, 40]),
        (3, 5, [1, 2, 3, 4, 5]),
    ],
)
def test_numbers_of_pages_are_few(number: int, pages: int, linked: list[Any]) -> None:
    assert around(number, pages) == linked


def test_what_is_closed_is_found_when_asked_for(worker: Client) -> None:
    made = worker.post(
        "/v1/cases/calm/entries",
        {"entries": [entry("2026-11-19", "case_closed", reason="moved")]},
        headers={"If-Match": '"v1"'},
    )
    assert made.status_code == 201, made.text
    assert "Äidin Onni" not in names(look(worker, "/clients"))
    seen = look(worker, "/clients?closed=1")
    assert lines(seen)["Äidin Onni"][:2] == ["Asia on päättynyt", "Ei seuraavaa askelta"]
