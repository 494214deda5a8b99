"""The pages of checks: start one, follow it, see what it found and what changed; never more than the reader may see."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest

from service.check_changes import UNDETERMINED
from service.checking import STOPPED
from service.checks.caseload import Caseload
from service.store import CheckFinding, CheckRun, Database
from service.web.checks import ON_A_PAGE
from service.words import Words
from tests.helpers import entry, wait_for
from tests.service.api.asking import Client
from tests.service.api.people import AINO
from tests.service.api.waiting import ended, held_up
from tests.service.api.world import ACTING, CLIENT, REGION, actor, showing
from tests.service.api.world import opened as opened_with_secrets
from tests.service.conftest import Clock
from tests.service.web.caseloads import LEADER, caseload, opened
from tests.service.web.looking import Seen, look, send

STRANGE = (
    "page=-1", "page=0", "page=99999999", "page=x", "page=²", "which=nothing", "severity=high", "rule=none",
    "rule=%00", "by=person", "rule=" + "x" * 3_000, "which=new&which=rest", "nothing=at-all", "severity=quality&rule=x",
)  # fmt: skip
ACTIVITY = entry("2026-01-10", "activity_started", days_per_week=6)


def done(client: Client, as_of: str = "2026-11-20") -> str:
    """The address of a check that has run to its end."""
    sent = send(client, "/checks", {"as_of": as_of})
    assert sent.status == 303, sent.text
    address = str(sent.answer.headers["location"])
    assert ended(client, f"/v1{address}")["state"] == "done"
    return address


def planted(database: Database, user: str, role: str, found: Sequence[tuple[str, str, str | None]], **run: Any) -> str:
    """The address of a check that was done, with findings of clients: rule, change."""
    values = {"id": "c" * 32, "as_of": "2026-11-20", "state": "done", "started_at": "2026-11-20T09:00:00.000000Z"} | run
    with database.write(REGION) as unit:
        unit.checks.add(CheckRun(user=user, role=role, done=1, total=1, **values))
        rows = [
            CheckFinding(values["id"], n, case_id, json.dumps(_finding(rule)), change)
            for n, (case_id, rule, change) in enumerate(found)
        ]
        unit.checks.add_findings(rows)
    return f"/checks/{values['id']}"


def _finding(rule: str) -> dict[str, Any]:
    return {
        "rule": rule, "outcome": "violated", "severity": "obligation", "due": None, "missing": [], "set_aside": None,
        "subject": {"kind": "activity", "entry": "e2", "current": True}, "judged_on": "2026-11-20",
        "action": "adjust_weekly_days", "role": "social_worker", "step": True,
    }  # fmt: skip


def named(seen: Seen) -> list[str]:
    """The clients the page names, in order."""
    return [tag.get_text() for tag in seen.all("table.checked th[scope=rowgroup] a")]


def logged(database: Database, user: str) -> list[tuple[str, set[str]]]:
    """What is on record of a reader: what, and which clients."""
    with database.read(REGION) as unit:
        payloads = [json.loads(item.payload) for item in unit.reads.by(user)]
    return [(item["what"].split()[0], set(item["cases"])) for item in payloads]


# --- who ---


def test_who_sees_nobodys_advice_has_no_checks(anyone: Client) -> None:
    for role in ACTING:
        relation = "team" if role == "team_leader" else "none" if role in ("auditor", "administrator") else "assigned"
        user = showing(anyone, actor(role, relation))
        may = role not in ("administrator", "activity_supervisor")
        seen = look(user, "/checks")
        assert seen.status == (200 if may else 403), role
        assert bool(look(user, "/rules").all("nav a[href='/checks']")) is may
        if not may:
            assert send(user, "/checks", {}).status == 403


def test_a_check_is_ones_own(client: Client, anyone: Client, sqlite: Database) -> None:
    address = planted(sqlite, AINO.id, "social_worker", [])
    assert look(client, address).status == 200
    other = showing(anyone, LEADER)
    for path in (address, f"{address}/export.csv", f"{address}/export.xlsx", "/checks/none", "/checks/%00"):
        assert look(other, path).status == 404, path
    assert "c" * 32 not in look(other, "/checks").answer.text
    assert look(anyone, address).answer.headers["location"].startswith("/login")


# --- start and progress ---


def test_a_check_is_started_followed_and_found_again(
    client: Client, sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(client, "late", ACTIVITY, name="Lahja Loppunut")
    go_on = held_up(monkeypatch)
    assert look(client, "/checks").one("input[name=as_of]")["value"] == "2026-11-20"
    address = str(send(client, "/checks", {"as_of": "20.11.2026"}).answer.headers["location"])
    reads = len(logged(sqlite, AINO.id))
    seen = look(client, address)
    assert seen.one("progress")["max"] == "1"
    assert seen.one("#check")["hx-get"] == address
    assert seen.one("#check")["hx-trigger"] == "every 2s"
    assert seen.one(f"#check a[href='{address}']")  # without JavaScript
    assert "Lahja" not in seen.text
    assert len(logged(sqlite, AINO.id)) == reads  # to follow it reads nobody
    assert look(client, f"{address}/export.csv").status == 404
    assert send(client, "/checks", {}).answer.headers["location"] == address
    assert look(client, "/checks").one(".notice a")["href"] == address
    go_on.set()
    wait_for(lambda: not look(client, address).all("progress"))
    seen = look(client, address)
    assert "hx-trigger" not in seen.one("#check").attrs
    assert named(seen) == ["Lahja Loppunut"]
    assert look(client, "/checks").one(f"table a[href='{address}']")


def test_a_day_that_is_none_is_told_at_its_field(client: Client) -> None:
    for typed in ("yesterday", "2026-02-30", "1.1.1800", "²", "<script>", "x" * 60):
        seen = send(client, "/checks", {"as_of": typed})
        assert seen.status == 422, typed
        if len(typed) <= 50:
            assert seen.one("input[name=as_of]")["aria-invalid"] == "true"
            assert "Päivää ei ymmärretty" in seen.text
    assert look(client, "/checks").all("table") == []


def test_a_check_that_broke_off_says_so(client: Client, sqlite: Database) -> None:
    address = planted(sqlite, AINO.id, "social_worker", [], state="failed", error=STOPPED)
    assert "Tarkistus keskeytyi" in look(client, address).text
    assert "keskeytyi" in look(client, "/checks").text


# --- results ---


def test_results_by_client_and_by_rule_with_links_in_three_languages(client: Client, sqlite: Database) -> None:
    found = [
        ("late", "days-per-week-1-4", "new"),
        ("late", "ask-interest-in-work", "settled"),
        ("calm", "ask-interest-in-work", "still_open"),
    ]
    opened(client, "late", ACTIVITY, name="Lahja Loppunut")
    opened(client, "calm", name="Äidin Onni")
    address = planted(sqlite, AINO.id, "social_worker", found, compared_with="gone")
    for lang in ("fi", "sv", "en"):
        _results_hold(client, sqlite, address, lang)


def _results_hold(client: Client, sqlite: Database, address: str, lang: str) -> None:
    seen, words = look(client, address, lang=lang), Words(lang)  # type: ignore[arg-type]
    assert sorted(named(seen)) == ["Lahja Loppunut", "Äidin Onni"]
    assert seen.one("a[href='/clients/late/why/days-per-week-1-4']")
    assert words("check", "is_new").capitalize() in seen.text
    assert [tag.get_text() for tag in seen.all(".figures dd")] == ["2", "1", "1", "1"]
    assert named(look(client, f"{address}?which=new", lang=lang)) == ["Lahja Loppunut"]
    assert named(look(client, f"{address}?which=settled", lang=lang)) == ["Lahja Loppunut"]
    of_one = look(client, f"{address}?rule=ask-interest-in-work", lang=lang)
    assert named(of_one) == ["Äidin Onni"]
    assert of_one.one("a[href='/rules/ask-interest-in-work']")
    assert named(look(client, f"{address}?severity=quality", lang=lang)) == []
    before = len(logged(sqlite, AINO.id))
    rules = look(client, f"{address}?by=rules", lang=lang)
    assert rules.one(f"a[href='{address}?rule=days-per-week-1-4']")
    assert "Lahja" not in rules.text
    assert len(logged(sqlite, AINO.id)) == before  # counts name nobody
    assert not [text for text in rules.one("main").stripped_strings if "_" in text]


def test_links_lead_to_the_day_that_was_checked(client: Client, sqlite: Database) -> None:
    opened(client, "late", ACTIVITY)
    address = planted(sqlite, AINO.id, "social_worker", [("late", "days-per-week-1-4", None)], as_of="2027-01-15")
    seen = look(client, address)
    assert seen.one("a[href='/clients/late/why/days-per-week-1-4?as_of=2027-01-15']")
    assert look(client, "/clients/late/why/days-per-week-1-4?as_of=2027-01-15").status == 200


def test_exactly_those_on_the_page_are_on_record_and_of_a_file_all(client: Client, sqlite: Database) -> None:
    ids = [f"c{number:02}" for number in range(ON_A_PAGE + 3)]
    for case_id in ids:
        opened(client, case_id)
    address = planted(sqlite, AINO.id, "social_worker", [(case_id, "days-per-week-1-4", None) for case_id in ids])
    first = look(client, address)
    assert named(first) == ids[:ON_A_PAGE]
    assert logged(sqlite, AINO.id)[0] == ("check", set(ids[:ON_A_PAGE]))
    assert named(look(client, f"{address}?page=2")) == ids[ON_A_PAGE:]
    assert logged(sqlite, AINO.id)[0] == ("check", set(ids[ON_A_PAGE:]))
    assert first.one("nav.numbers a[rel=next]")["href"] == f"{address}?page=2"
    assert named(look(client, f"{address}?page=99")) == ids[ON_A_PAGE:]
    look(client, f"{address}/export.csv?page=2")
    assert logged(sqlite, AINO.id)[0] == ("check", set(ids))


def test_what_nobody_means_does_no_harm(client: Client, sqlite: Database) -> None:
    address = planted(sqlite, AINO.id, "social_worker", [])
    for query in STRANGE:
        for path in (address, f"{address}/export.csv", f"{address}/export.xlsx"):
            assert look(client, f"{path}?{query}").status == 200, (path, query)


def test_names_are_no_markup_and_no_formulas(client: Client, sqlite: Database) -> None:
    hostile = '=HYPERLINK("http://evil")<script>alert(1)</script>'
    opened(client, "late", ACTIVITY, name=hostile)
    address = planted(sqlite, AINO.id, "social_worker", [("late", "days-per-week-1-4", "new")])
    seen = look(client, address)
    assert named(seen) == [hostile]
    assert "<script>alert" not in seen.answer.text
    answer = look(client, f"{address}/export.csv").answer
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert lines[0][:2] == ["Asiakas", "Asiakkaan tunnus"]
    assert len({len(line) for line in lines}) == 1
    assert lines[1][0] == f"'{hostile}"
    assert lines[1][1] == "late"
    assert "polku-tarkistus-2026-11-20.csv" in answer.headers["content-disposition"]
    book = look(client, f"{address}/export.xlsx").answer
    assert book.content[:2] == b"PK"
    assert "no-store" in book.headers["cache-control"]


def test_a_client_who_could_not_be_judged_comes_first_and_says_so(client: Client, sqlite: Database) -> None:
    opened(client, "late", ACTIVITY, name="Lahja Loppunut")
    opened(client, "calm", name="Äidin Onni")
    address = planted(sqlite, AINO.id, "social_worker", [("late", "days-per-week-1-4", None)])
    with sqlite.write(REGION) as unit:
        payload = json.dumps({"rule": None, "outcome": UNDETERMINED})
        unit.checks.add_findings([CheckFinding("c" * 32, 9, "calm", payload)])
    seen = look(client, address)
    assert named(seen) == ["Äidin Onni", "Lahja Loppunut"]
    assert "Yhden asiakkaan tilannetta ei voitu arvioida" in seen.text
    lines = look(client, f"{address}/export.csv").answer.content.decode("utf-8-sig").splitlines()
    assert lines[1].startswith("Äidin Onni;calm;")
    assert look(client, f"{address}?by=rules").status == 200


# --- who may see what ---


def test_the_page_shows_what_the_interface_for_programs_does_and_tells_of_withheld_rules(anyone: Client) -> None:
    opened_with_secrets(anyone)
    leader = showing(anyone, actor("team_leader", "team"))
    address = done(leader)
    seen, told = look(leader, address), leader.get(f"/v1{address}").json()["items"]
    shown = {str(tag["href"]).rpartition("/")[2] for tag in seen.all("a[href*='/why/']")}
    assert shown == {item["rule"] for item in told if item["step"] or item["outcome"] == "unknown"}
    withheld = set(leader.get(f"/v1/cases/{CLIENT}/next-steps").json()["withheld"]["rules"])
    assert withheld
    assert not withheld & shown
    assert "ei ole mukana osalla tai kaikilla asiakkailla" in seen.text


def test_who_is_no_longer_ones_client_is_shown_no_more(client: Client, sqlite: Database) -> None:
    opened(client, "late", ACTIVITY, name="Lahja Loppunut")
    address = planted(
        sqlite, AINO.id, "social_worker", [("late", "days-per-week-1-4", "new"), ("late", "plan-review", "settled")]
    )
    assert named(look(client, address)) == ["Lahja Loppunut"]
    with sqlite.write(REGION) as unit:
        unit.cases.set_relations("late", [], [])
        unit.cases.set_restricted("late", True)
    for query in ("", "?which=settled", "?by=rules"):
        seen = look(client, address + query)
        assert "Lahja" not in seen.text
        assert next(tag.get_text() for tag in seen.all(".figures dd")) == "0"
    assert len(look(client, f"{address}/export.csv").answer.content.splitlines()) == 1


def test_two_checks_tell_what_changed(client: Client, clock: Clock) -> None:
    caseload(client)
    first = done(client)
    assert not look(client, first).all("option[value=new]")
    clock.advance(hours=1)
    contact = entry("2026-11-20", "interest_asked", wants_to_work=True)
    made = client.post("/v1/cases/calm/entries", {"entries": [contact]}, headers={"If-Match": '"v1"'})
    assert made.status_code == 201, made.text
    second = done(client)
    seen = look(client, second)
    assert seen.one(f"a[href='{first}']")
    counts = client.get(f"/v1{second}").json()["counts"]
    figures = [int(tag.get_text()) for tag in seen.all(".figures dd")]
    assert figures == [counts["open"], counts["new"], counts["still_open"], counts["settled"]]
    assert counts["still_open"] > 0
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.find_all("td")]
        for row in look(client, "/checks").all("tbody tr")
    ]
    assert [row[3] for row in rows] == [str(counts["open"]), str(client.get(f"/v1{first}").json()["counts"]["open"])]
    listed = client.get("/v1/checks").json()["items"]
    assert [f"/checks/{item['id']}" for item in listed] == [second, first]
    settled = client.get(f"/v1{second}?change=settled").json()["items"]
    assert len(settled) == counts["settled"]
    assert all(item["change"] == "settled" for item in settled)


def test_an_engine_that_fails_ends_the_check_and_not_the_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(client, "late", ACTIVITY)

    def fail(self: Caseload) -> Any:
        raise RuntimeError("planted facts")

    monkeypatch.setattr(Caseload, "findings", fail)
    address = str(send(client, "/checks", {}).answer.headers["location"])
    assert ended(client, f"/v1{address}")["state"] == "failed"
    seen = look(client, address)
    assert "Tarkistus keskeytyi" in seen.text
    assert "planted" not in seen.answer.text
