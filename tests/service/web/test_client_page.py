"""A client's pages as every reader gets them: what is next, the journal, the time line, the talk sheet, what if."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rules.assessment import Assessor
from rules.engines import EngineDifference
from rules.journal import ENTRY_TYPES, Case
from service.access.policy import Sight, sees
from service.access.relations import RELATIONS
from service.api.app import create_app
from service.store import Database, StoredCase
from service.web.clients import DayAsked, OpenClient, day_asked
from service.web.clients import _document as document_shown
from service.web.entry_words import EntryWords
from service.web.fields import fields_of
from service.web.journal import voided_by
from service.web.near import near
from service.words import Words
from statemachines import TRIGGERS
from tests.service.access.sights import OF_THE_TABLES
from tests.service.access.test_non_interference import two_journals
from tests.service.api import world
from tests.service.api.asking import Client, Document, client_of
from tests.service.api.conftest import SETTINGS
from tests.service.api.test_access import seen
from tests.service.api.world import CLIENT, NOTE, SECRET_REASON, actor, actors, showing
from tests.service.conftest import Clock
from tests.service.web.looking import Seen, look

HERE = f"/clients/{CLIENT}"
LANGUAGES = ("fi", "sv", "en")
#: A client's pages, each with the letter of what must be open (tests.service.api.test_access).
PAGES = {
    "": "a", "/timeline": "j", "/journal": "j", "/talk-sheet": "q", "/what-if": "a",
    "/what-if?trigger=start_work_trial&d.arrangement=alongside_activity": "a", "/why/social-worker-assigned": "a",
    "/why/as-update-on-trial": "a",
}  # fmt: skip
#: Who sees the talk sheet: the narrowest of all.
TALK_SHEET = {("social_worker", "assigned"), ("activity_instructor", "assigned")}
HOSTILE = '</textarea><script>alert(1)</script>"><img src=x onerror=alert(1)>{{ 7*7 }}\u202eabc'


@pytest.fixture(scope="module")
def stage(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, document: Document) -> Iterator[Client]:
    """An application with the client's case, which no test changes."""
    path = tmp_path_factory.mktemp("stage") / "polku.db"
    shutil.copyfile(sqlite_template, path)
    database, clock = Database(f"sqlite:///{path}"), Clock()
    with client_of(create_app(SETTINGS, clock=clock, database=database), document) as client:
        world.settled(client, database, clock())
        yield client
    database.close()


def own(client: Client) -> Client:
    """The client's own social worker's."""
    return showing(client, actor("social_worker", "assigned"))


def letters(role: str, relation: str) -> str:
    return seen(role, relation) + ("q" if (role, relation) in TALK_SHEET else "")


# --- who sees what ---


@pytest.mark.parametrize(("role", "relation"), list(actors()))
def test_every_page_is_open_to_those_whom_the_tables_name(stage: Client, role: str, relation: str) -> None:
    shown, open_to = showing(stage, actor(role, relation)), letters(role, relation)
    supervisor = role == "activity_supervisor"
    sight = sees(role, "none" if role == "auditor" else relation)  # however they stand, auditors see what auditors see
    for path, letter in PAGES.items():
        page = look(shown, HERE + path)
        if path == "" and (supervisor or role == "administrator"):
            assert (page.status, page.answer.headers["location"]) == (303, f"{HERE}/journal")
        elif letter in open_to:
            assert page.status == 200, (path, page.text[:300])
            assert page.answer.headers["cache-control"] == "no-store"
            shows_nothing_hidden(page, path, sight)
        elif open_to:
            assert (page.status, page.one("h1").get_text()) == (403, "Tämä ei kuulu rooliisi"), path
        else:
            missing = look(shown, f"/clients/nobody{path}")
            assert (page.status, page.one("h1").get_text()) == (404, "Sivua tai asiakasta ei löydy"), path
            assert (missing.status, missing.text) == (page.status, page.text), path


def shows_nothing_hidden(page: Seen, path: str, sight: Sight) -> None:
    """Nothing of what the sight hides stands on the page."""
    assert ("Sirpa Esimerkki" in page.text) == sight.opens("identity"), path
    if path != "/journal" or sight.hides([("coaching_declined", "note")]):
        assert NOTE not in page.answer.text, path
    if sight.hides([("advice_set_aside", "reason")]):
        assert SECRET_REASON not in page.answer.text, path
    if path == "/journal":
        reason = "päihteiden käyttö"
        assert (reason in page.text) == (not sight.hides([("coaching_declined", "reason")]))
    municipality = sight.opens("journal") and not sight.hides([("header", "municipality")])
    assert ("Orimattila" in page.text) == municipality, path


def test_what_is_withheld_is_said_once_and_plainly(stage: Client) -> None:
    instructor = look(showing(stage, actor("activity_instructor", "team")), HERE)
    assert instructor.text.count("Osa tiedoista ei näy roolissasi") == 1
    assert "Osa tiedoista ei näy" not in look(own(stage), HERE).text


def test_a_withheld_reason_is_said_to_be_withheld(anyone: Client) -> None:
    aside = {"date": "2026-02-02", "type": "advice_set_aside", "rule": "ask-interest-in-work", "reason": SECRET_REASON}
    worker = opened(anyone, [{"date": "2026-02-01", "type": "activity_started"}, aside])
    told, untold = look(worker, "/clients/ada"), look(showing(anyone, actor("social_worker", "team")), "/clients/ada")
    assert SECRET_REASON in told.text
    assert SECRET_REASON not in untold.text
    assert "Perustelua ei näytetä roolissasi." in untold.text


@pytest.mark.parametrize(("role", "relation"), list(actors()))
def test_every_link_to_a_tab_leads_to_a_page_that_opens(stage: Client, role: str, relation: str) -> None:
    shown = showing(stage, actor(role, relation))
    for path in ("/journal", "/what-if"):
        page = look(shown, HERE + path)
        if page.status == 200:
            assert [str(link["href"]) for link in page.all(".tabs a[aria-current]")] == [HERE + path]
            links = {str(link["href"]) for link in page.all(".tabs a")} - {HERE, HERE + path}
            assert {address: look(shown, address).status for address in links} == dict.fromkeys(links, 200)


def test_whoever_records_nothing_is_offered_nothing_to_record(stage: Client) -> None:
    page = look(showing(stage, actor("auditor", "none")), HERE)
    links = [str(link["href"]) for link in page.all("main a")]
    assert not [link for link in links if any(word in link for word in ("/record", "/set-aside", "/correct"))]
    assert f"{HERE}/what-if?trigger=start_job" in links


def test_every_read_is_on_record_by_what_was_looked_at(stage: Client) -> None:
    reader = own(stage)
    before = len(reads(reader))
    for path in ("", "/timeline", "/journal", "/talk-sheet", "/what-if", "/why/social-worker-assigned"):
        look(reader, HERE + path)
    found = reads(reader)[before:]
    assert found[:6] == [
        "next_steps", "timeline", "journal", "talk sheet", "what-if", "explanation social-worker-assigned"
    ]  # fmt: skip


def reads(client: Client) -> list[str]:
    leader = showing(client, actor("social_worker", "assigned"))
    found: list[str] = []
    address: str | None = f"/v1/cases/{CLIENT}/reads?limit=200"
    while address:
        answer = leader.get(address).json()
        found += [item["what"] for item in answer["items"] if item["user"] == "assigned-social_worker"]
        address = answer.get("next")
    return [what for what in found if what != "reads"]


# --- what is next ---


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_in_each_language(stage: Client, lang: str, path: str) -> None:
    page = look(own(stage), HERE + path, lang=lang)
    assert (page.status, page.one("html")["lang"]) == (200, lang)
    assert len(page.all("h1")) == 1
    levels = [int(heading.name[1]) for heading in page.all("h1, h2, h3, h4")]
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert page.all("[style]") == []
    ids = [str(tag["id"]) for tag in page.all("[id]")]
    assert len(ids) == len(set(ids)), sorted(name for name in ids if ids.count(name) > 1)


def test_each_step_says_who_by_when_and_why_and_can_be_recorded_or_set_aside_equally(stage: Client) -> None:
    page = look(own(stage), HERE)
    told = own(stage).get(f"/v1/cases/{CLIENT}/next-steps").json()["next_steps"]
    steps = page.all(".step")
    assert len(steps) == len(told) > 0
    for shown, step in zip(steps, told, strict=True):
        text = " ".join(shown.get_text(" ").split())
        assert step["text"] in text
        assert Words("fi")("roles", step["role"]) in text
        whys = [str(link["href"]) for link in shown.select(".step__why a:first-child")]
        assert whys == [f"{HERE}/why/{rule}" for rule in step["because"]]
        aside = [str(link["href"]) for link in shown.select("a[href*=set-aside]")]
        assert aside == [f"{HERE}/set-aside/{rule}" for rule in step["because"]]
        if step["due"]:
            assert Words("fi").day(date.fromisoformat(step["due"])) in text


def test_the_open_points_tell_the_rule_in_plain_words_its_source_and_how_to_settle_it(stage: Client) -> None:
    page = look(own(stage), HERE, lang="en")
    found = own(stage).get(f"/v1/cases/{CLIENT}/next-steps?lang=en").json()["findings"]
    wanted = [item for item in found if item["outcome"] == "violated" and item["set_aside"] is None]
    assert wanted
    told = [" ".join(point.get_text(" ").split()) for point in page.all("article.point")]
    points = dict(zip((title.get_text() for title in page.all("article.point h3")), told, strict=True))
    for item in (item for item in wanted if item["severity"] != "information"):
        if item["title"] in points:
            text = points[item["title"]]
            assert item["text"] in text
            assert "How to settle it" in text
            assert item["caution"] is None or page.text.count(item["caution"]) == 1  # told once, whoever carries it
    assert len(points) >= 3


def test_another_day_is_shown_as_another_day_and_nothing_is_recorded_from_there(stage: Client) -> None:
    page = look(own(stage), f"{HERE}?as_of=2026-02-02")
    assert "Tilanne 2.2.2026, ei tänään" in page.text
    assert page.all(".step")
    assert not page.all("main .step a[href*=record], main .step a[href*=set-aside]")
    assert all("as_of=2026-02-02" in str(link["href"]) for link in page.all(".step__why a"))
    today = look(own(stage), f"{HERE}?as_of=2026-11-20")
    assert "ei tänään" not in today.text
    assert today.all(".step a[href*=set-aside]")


@pytest.mark.parametrize(
    "typed", ["yesterday", "2026-02-30", "30.2.2026", "1899-12-31", "2201-01-01", "2026-2-3", "٢٠٢٦-٠١-٠١"]
)
def test_a_day_that_is_none_is_told_and_today_is_shown(stage: Client, typed: str) -> None:
    page = look(own(stage), f"{HERE}?as_of={typed}")
    assert page.status == 422
    assert page.one("[role=alert] .notice__title").get_text() == "Päivää ei voitu lukea"
    assert page.one("#as-of")["value"] == "2026-11-20"


def test_a_day_may_be_typed_as_finns_do_and_nothing_typed_is_today() -> None:
    today = date(2026, 11, 20)
    assert day_asked("5.9.2022", today) == DayAsked(date(2022, 9, 5), "2022-09-05", other=True, mistake=False)
    assert day_asked(" 2022-09-05 ", today).day == date(2022, 9, 5)
    for nothing in (None, "", "  "):
        assert day_asked(nothing, today) == DayAsked(today, "", other=False, mistake=False)


@pytest.mark.parametrize(
    ("days", "fi", "en"),
    [
        (0, "tänään", "today"), (1, "huomenna", "tomorrow"), (-1, "1 päivä sitten", "1 day ago"),
        (-3, "3 päivää sitten", "3 days ago"), (5, "5 päivän kuluttua", "in 5 days"),
        (13, "13 päivän kuluttua", "in 13 days"), (14, "2 viikon kuluttua", "in 2 weeks"),
        (-30, "4 viikkoa sitten", "4 weeks ago"), (60, "2 kuukauden kuluttua", "in 2 months"),
        (-400, "13 kuukautta sitten", "13 months ago"),
    ],
)  # fmt: skip
def test_how_near_a_day_is_stands_in_plain_words(days: int, fi: str, en: str) -> None:
    today = date(2026, 11, 20)
    assert near(Words("fi"), today + timedelta(days=days), today) == fi
    assert near(Words("en"), today + timedelta(days=days), today) == en


def test_where_the_engines_differ_the_page_gives_no_advice_and_the_journal(
    stage: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(*args: Any, **kwargs: Any) -> None:
        raise EngineDifference("planted facts")

    monkeypatch.setattr(Assessor, "assess", differ)
    page = look(own(stage), HERE)
    assert (page.status, len(page.all(".step")), len(page.all(".entry"))) == (200, 0, 10)
    assert "Polku ei voi neuvoa juuri nyt" in page.text
    assert "planted facts" not in page.answer.text
    assert page.all("main a[href$='/record']")
    for path in ("/timeline", "/what-if?trigger=start_job"):
        assert look(own(stage), HERE + path).status == 200


def test_the_page_of_a_usual_client_is_small(stage: Client) -> None:
    assert len(look(own(stage), HERE).answer.content) < 60_000


# --- clients of other kinds ---


def opened(client: Client, entries: list[dict[str, Any]], name: str = "Ada", case_id: str = "ada") -> Client:
    """The own social worker of a client with these entries."""
    worker = showing(client, actor("social_worker", "assigned"))
    first = {
        "date": "2026-01-01",
        "type": "worker_assigned",
        "role": "social_worker",
        "worker": "assigned-social_worker",
    }
    team = showing(client, actor("social_worker", "team"))
    made = team.post("/v1/cases", {"case": {"id": case_id}, "entries": [first, *entries]})
    assert made.status_code == 201, made.text
    assert worker.put(f"/v1/cases/{case_id}/identity", {"name": name}).status_code == 200
    return worker


def test_a_client_of_whom_nothing_is_recorded_has_whole_pages(anyone: Client) -> None:
    worker = showing(anyone, actor("social_worker", "team"))
    assert worker.post("/v1/cases", {"case": {"id": "fresh"}, "entries": []}).status_code == 201
    for path in PAGES:
        page = look(worker, f"/clients/fresh{path}")
        assert page.status == (403 if path == "/talk-sheet" else 200), (path, page.text[:300])
    assert "Mitään ei ole vielä kirjattu." in look(worker, "/clients/fresh").text
    assert "Mitään ei ole vielä kirjattu." in look(worker, "/clients/fresh/journal").text


def test_whether_anything_is_recorded_is_not_told_to_who_would_not_see_it(anyone: Client) -> None:
    hidden = {"date": "2026-02-01", "type": "endorsement_recorded", "purpose": "work_trial"}
    worker, told = showing(anyone, actor("social_worker", "team")), []
    instructor = showing(anyone, actor("activity_instructor", "team"))
    for case_id, entries in (("bare-1", []), ("bare-2", [hidden])):
        made = worker.post("/v1/cases", {"case": {"id": case_id}, "entries": entries})
        assert made.status_code == 201, made.text
        told.append(look(instructor, f"/clients/{case_id}").answer.text.replace(case_id, "it"))
    assert told[0] == told[1]


def test_a_closed_case_says_that_there_is_nothing_to_do(anyone: Client) -> None:
    worker = opened(anyone, [{"date": "2026-02-01", "type": "case_closed", "reason": "goal_reached"}])
    page = look(worker, "/clients/ada")
    assert "Asia on päättynyt. Tehtäviä ei ole." in page.text
    assert not page.all(".step")


def test_a_restricted_case_is_marked_and_shut_to_colleagues(anyone: Client) -> None:
    worker = opened(anyone, [])
    restricted = worker.put("/v1/cases/ada/restriction", {"restricted": True, "reason": "asked"})
    assert restricted.status_code == 200, restricted.text
    assert "Tietojen käsittelyä on rajoitettu" in look(worker, "/clients/ada").text
    for path in PAGES:
        assert look(showing(anyone, actor("social_worker", "team")), f"/clients/ada{path}").status == 404


def test_names_and_notes_are_text_whatever_they_hold(anyone: Client) -> None:
    name = HOSTILE.replace("\u202e", "")
    entries = [
        {"date": "2026-02-01", "type": "contact", "party": "client", "by": "social_worker", "form": "phone",
         "note": HOSTILE, "employer": name},
        {"date": "2026-02-02", "type": "need_assessed", "outcome": HOSTILE, "id": "\"><b>x"},
        {"date": "2026-02-03", "type": "advice_set_aside", "rule": "no-such-rule", "reason": HOSTILE},
        {"date": "2026-02-03", "type": "advice_set_aside", "rule": "ask-interest-in-work", "reason": HOSTILE},
    ]  # fmt: skip
    worker = opened(anyone, entries, name)
    for path in PAGES:
        page = look(worker, f"/clients/ada{path}")
        assert page.status == 200, path
        scripts = [tag for tag in page.all("script") if not str(tag.get("src", "")).startswith("/static/")]
        assert (scripts, page.all("img[src=x]"), page.all("main b")) == ([], [], []), path
        assert name in page.text.replace("  ", " ") or " ".join(name.split()) in page.text, path
        assert "49" not in page.one("h1").get_text()
    assert HOSTILE in look(worker, "/clients/ada/journal").html.get_text()


# --- the journal ---


def test_the_journal_tells_each_entry_in_words_newest_first(stage: Client) -> None:
    page = look(own(stage), f"{HERE}/journal")
    days = [str(tag["datetime"]) for tag in page.all(".journal__date time")]
    assert days == sorted(days, reverse=True)
    assert len(page.all(".entry")) == len(world.document()["entries"]) + 1
    assert NOTE in page.text
    assert "päihteiden käyttö" in page.text.lower() or "päihteet" in page.text.lower()
    assert "substance_use" not in page.text


def test_the_journal_can_be_narrowed_to_one_type(stage: Client) -> None:
    page = look(own(stage), f"{HERE}/journal?type=coaching_declined")
    assert [tag.get_text() for tag in page.all(".entry h3")] == ["Valmennus ei alkanut nyt"]
    assert page.one("option[selected]")["value"] == "coaching_declined"
    assert len(look(own(stage), f"{HERE}/journal?type=no_such_type").all(".entry")) > 5


def test_hidden_fields_are_said_to_be_hidden(stage: Client) -> None:
    page = look(showing(stage, actor("social_worker", "team")), f"{HERE}/journal?type=coaching_declined")
    assert "Ei näytetä roolissasi: syy." in page.text
    assert "Muiden kirjaamia lisätietoja ei näytetä roolissasi." in page.text
    supervisor = look(showing(stage, actor("activity_supervisor", "assigned")), f"{HERE}/journal")
    assert "Osaa kirjausten lajeista ei näytetä roolissasi" in supervisor.text
    assert not [entry for entry in supervisor.all(".entry h3") if "Valmennus alkoi" in entry.get_text()]


def test_a_corrected_entry_stays_visible_with_what_voided_it(anyone: Client) -> None:
    entries = [
        {"id": "wrong", "date": "2026-02-01", "type": "interest_asked", "wants_to_work": "no"},
        {"id": "void", "date": "2026-02-02", "type": "correction", "voids": "wrong", "note": "väärä asiakas"},
    ]
    page = look(opened(anyone, entries), "/clients/ada/journal")
    wrong, void = page.one("#entry-wrong"), page.one("#entry-void")
    assert wrong.select_one("s") is not None
    assert [str(link["href"]) for link in wrong.select("p a")] == ["#entry-void"]
    assert [str(link["href"]) for link in void.select("p a")][:1] == ["#entry-wrong"]
    assert page.all("#entry-void a[href$='/correct/void']")
    assert not page.all("#entry-wrong a[href*='/correct/']")


def test_a_correction_that_is_corrected_voids_nothing() -> None:
    def entry(name: str, voids: str | None = None, day: str = "2026-02-01") -> dict[str, Any]:
        return {
            "id": name,
            "type": "correction" if voids else "contact",
            "date": day,
            **({"voids": voids} if voids else {}),
        }

    today = date(2026, 11, 20)
    one, two, three = entry("e1"), entry("e2", "e1"), entry("e3", "e2")
    assert voided_by([one, two], today) == {"e1": "e2"}
    assert voided_by([one, two, three], today) == voided_by([three, two, one], today) == {"e2": "e3"}
    assert voided_by([one, two, three, entry("e4", "e3")], today) == {"e1": "e2", "e3": "e4"}
    assert voided_by([one, entry("e2", "e1", "2026-12-01")], today) == {}


def test_a_long_journal_comes_in_pages(anyone: Client) -> None:
    entries = [{"date": f"2026-{1 + n // 28:02d}-{1 + n % 28:02d}", "type": "coaching_info_given"} for n in range(130)]
    worker = opened(anyone, entries)
    sizes = [len(look(worker, f"/clients/ada/journal?page={n}").all(".entry")) for n in (1, 2, 3, 4)]
    assert sizes == [60, 60, 11, 11]
    assert "Sivu 2/3" in look(worker, "/clients/ada/journal?page=2").text
    assert look(worker, "/clients/ada/journal?page=0").status == 422


def test_every_code_of_every_entry_type_has_its_words() -> None:
    telling = EntryWords(Words("fi"), lambda rule: rule)
    for type_ in ENTRY_TYPES:
        for one in (inner for outer in fields_of(type_) if outer.kind != "items" for inner in outer.all()):
            for value in one.values if one.name != "by" else ():  # that is told as who it was
                held: Any = [value] if one.kind == "many" else value
                entry = {"type": type_, one.path[0]: held if len(one.path) == 1 else {one.name: held}}
                (line,) = telling.lines(entry)
                assert value not in " ".join(line.values).replace(":", " ").split(), (type_, one.path, value)


# --- the talk sheet ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_talk_sheet_has_three_groups_and_no_sum(stage: Client, lang: str) -> None:
    page = look(own(stage), f"{HERE}/talk-sheet", lang=lang)
    assert len(page.all(".talk")) == 3
    numbers = [int(str(item["value"])) for item in page.all(".talk li")]
    assert sorted(numbers) == list(range(1, 17))
    text = page.one("main").get_text()
    assert "%" not in text
    assert " / 16" not in text


def test_a_talk_sheet_nobody_answered_is_one_to_talk_by(anyone: Client) -> None:
    page = look(opened(anyone, []), "/clients/ada/talk-sheet")
    assert page.status == 200
    assert "ei ole vielä käyty läpi" in page.text
    assert len(page.all(".talk li")) == 16


# --- what if ---


def test_what_if_shows_what_stands_in_the_way_and_what_would_clear_it(anyone: Client) -> None:
    world.opened(anyone)
    worker = own(anyone)
    page = look(worker, f"{HERE}/what-if?trigger=start_work_trial&d.arrangement=alongside_activity", lang="en")
    told = worker.get(
        f"/v1/cases/{CLIENT}/next-steps",
        params={
            "proposal": json.dumps({"trigger": "start_work_trial", "arrangement": "alongside_activity"}),
            "lang": "en",
        },
    ).json()
    status = next(item for item in told["triggers"] if item["trigger"] == "start_work_trial")
    assert status["status"] == "blocked"
    links = [str(link["href"]).split("?")[0] for link in page.all("main .point h4 a")]
    assert links == [f"{HERE}/why/{rule}" for rule in status["blocked_by"]]
    assert "The smallest change that would clear it" in page.text
    steps = [" ".join(item.get_text(" ").split()) for item in page.all(".sides .card:last-child li")]
    assert len(steps) == len(told["next_steps"])
    assert all(step["text"] in shown for step, shown in zip(told["next_steps"], steps, strict=True))
    assert look(worker, f"{HERE}/journal").text.count("Työkokeilu alkoi") == 0


def test_what_if_asks_for_what_a_step_says_nothing_without(stage: Client) -> None:
    page = look(own(stage), f"{HERE}/what-if?trigger=reach_phase")
    assert (page.status, len(page.all("#result"))) == (200, 0)
    page = look(own(stage), f"{HERE}/what-if?trigger=reach_phase&d.phase=profile")
    assert (page.status, len(page.all("#result"))) == (200, 1)


def test_a_mistake_in_a_detail_is_told_at_its_field_and_nothing_typed_is_lost(stage: Client) -> None:
    page = look(own(stage), f"{HERE}/what-if?trigger=start_work_trial&d.planned_end=soon&d.days_per_week=9")
    assert (page.status, len(page.all("#result"))) == (422, 0)
    assert page.one("#d-planned_end")["aria-invalid"] == "true"
    assert page.one("#d-days_per_week")["value"] == "9"


@pytest.mark.parametrize("query", ["trigger=", "trigger=no_such_step", "d.phase=profile", "trigger=<script>"])
def test_a_step_that_is_none_asks_for_a_step(stage: Client, query: str) -> None:
    page = look(own(stage), f"{HERE}/what-if?{query}")
    assert (page.status, len(page.all("#result")), len(page.all("#trigger"))) == (200, 0, 1)


def test_every_step_can_be_asked_about(stage: Client) -> None:
    for trigger in TRIGGERS:
        phase = "&d.phase=profile" if trigger == "reach_phase" else ""
        page = look(own(stage), f"{HERE}/what-if?trigger={trigger}{phase}")
        assert (page.status, len(page.all("#result"))) == (200, 1), trigger


# --- nothing of what is hidden ---


def pages_of(client: Client, case: Case, sight: Sight, on: date, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The HTML of every page, for a reader with that sight."""
    stored = StoredCase(case.id, "chain", 1, {}, None, "county-1", "2026-01-01T00:00:00Z", None, False, None)
    found = OpenClient(stored, sight.relation, sight, case, None, document_shown(case, sight, frozenset()))
    for module in ("clients", "why"):
        monkeypatch.setattr(f"service.web.routes.{module}.open_client", lambda *args: found)
    paths = []
    if sight.opens("assessment"):
        paths += [
            f"?as_of={on}",
            "/what-if?trigger=start_work_trial",
            "/what-if?trigger=end_coaching&d.reason=symptoms",
        ]
        paths += [f"/why/{rule}?as_of={on}" for rule in ("social-worker-assigned", "trial-parallel-two-statements")]
    if sight.opens("journal"):
        paths += ["/timeline", "/journal"]
    for path in paths:
        page = look(client, f"/clients/{case.id}{path}", lang="en")
        assert page.status == 200, (path, page.text[:300])
        yield page.answer.text


def test_two_clients_who_differ_in_what_is_hidden_have_the_same_pages(
    stage: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, reader = random.Random(8), own(stage)
    hiding = [sight for sight in OF_THE_TABLES if sight.hidden and sight.relation in RELATIONS]
    for _ in range(25):
        sight = rng.choice(hiding)
        one, other, on, _ = two_journals(rng.randrange(2**32), sight)
        here, there = (list(pages_of(reader, case, sight, on, monkeypatch)) for case in (one, other))
        assert here == there


def test_the_pages_compared_do_differ_for_who_sees_all(stage: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, differ = random.Random(9), 0
    narrow, whole = sees("activity_instructor", "team"), sees("social_worker", "assigned")
    for _ in range(5):
        one, other, on, _ = two_journals(rng.randrange(2**32), narrow)
        here, there = (list(pages_of(own(stage), case, whole, on, monkeypatch)) for case in (one, other))
        differ += here != there
    assert differ >= 3


@pytest.mark.parametrize(
    ("trial", "offered"),
    [({}, True), ({"planned_end": "2026-10-30", "record_extract_needed": "no", "capacity_considered": "yes"}, False)],
    ids=["details left out", "all given"],
)
def test_a_detail_left_out_of_an_entry_is_completed_in_that_entry(
    client: Client, clock: Clock, trial: dict[str, str], offered: bool
) -> None:
    day = (clock() - timedelta(days=3)).date().isoformat()
    if trial:
        trial = {**trial, "planned_end": (clock() + timedelta(days=60)).date().isoformat()}
    entries = [
        {"date": day, "type": "worker_assigned", "role": "social_worker", "worker": "aino"},
        {"id": "t", "date": day, "type": "work_trial_started", "arrangement": "activity_ended", **trial},
    ]
    answer = client.post("/v1/cases", {"case": {"id": "trial-of"}, "entries": entries})
    assert answer.status_code == 201, answer.text
    links = look(client, "/clients/trial-of").all('a[href="/clients/trial-of/correct/t"]')
    assert bool(links) == offered
