"""The page that opens a rule for one client."""

from __future__ import annotations

from typing import Any

import pytest

from rules.engines import EngineDifference
from service.access.policy import sees
from service.access.reach import withheld_rules
from service.words import Words
from tests.helpers import pack
from tests.service.api import world
from tests.service.api.asking import Client
from tests.service.api.world import CLIENT, actor, showing
from tests.service.web.looking import look

HERE = f"/clients/{CLIENT}"
LANGUAGES: Any = ("fi", "sv", "en")
BLOCKING = "trial-parallel-two-statements"


@pytest.fixture
def worker(anyone: Client) -> Client:
    """The client's own social worker's; the client is there."""
    world.opened(anyone)
    return showing(anyone, actor("social_worker", "assigned"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_rule_is_opened_clause_by_clause_with_the_values_met(worker: Client, lang: Any) -> None:
    page = look(worker, f"{HERE}/why/offer-coaching-when-client-wants-work?as_of=2026-03-01", lang=lang)
    asked = f"/v1/cases/{CLIENT}/explanations/offer-coaching-when-client-wants-work"
    told = worker.get(f"{asked}?as_of=2026-03-01&lang={lang}").json()
    words = Words(lang)
    assert page.status == 200
    assert len(told["explanations"]) == len(page.all(".why")) == 1
    (found,) = told["explanations"]
    assert found["title"] in page.text
    assert found["text"] in page.text
    assert words("outcomes", found["outcome"]) in page.one(".why h3").get_text()
    rows = [row for row in page.all(".why-clauses tr") if row.select("td")]
    assert len(rows) == len(found["clauses"]) > 3
    holds = {"true": "holds", "false": "does_not_hold", "unknown": "unknown"}
    for row, clause in zip(rows, found["clauses"], strict=True):
        asked_of, met, held = (" ".join(cell.get_text(" ").split()) for cell in row.select("td"))
        assert held == words("page", holds[clause["truth"]])
        if clause["fact"] is not None:
            assert clause["label"].lower() in asked_of.lower()
            assert met
    assert len(page.all(".why ul li")) == len(found["changes"])


def test_the_page_says_what_the_rule_rests_on_and_which_version_was_applied(worker: Client) -> None:
    rule = pack().editions[-1].rules[0]
    page = look(worker, f"{HERE}/why/{rule.id}", lang="en")
    for source in rule.source:
        assert pack().sources[source["document"]]["title"] in page.text
    assert Words("en")("authorities", rule.authority) in page.text
    assert f"In force {Words('en').day(rule.valid_from)}" in page.text
    assert f"version {pack().version}" in page.text
    assert page.all(f"main a[href='/rules/{rule.id}']")


def test_every_rule_has_its_page_in_each_language(worker: Client) -> None:
    rules = sorted({rule.id for rule in pack().editions[-1].rules})
    for at, rule in enumerate(rules):
        page = look(worker, f"{HERE}/why/{rule}", lang=LANGUAGES[at % 3])
        assert (page.status, len(page.all("h1"))) == (200, 1), rule
        assert page.all(".tabs a[aria-current]") == []


@pytest.mark.parametrize("rule", ["no-such-rule", "Social-Worker-Assigned", "<script>", "..%2Fjournal", "%00"])
def test_a_rule_that_is_none_is_nowhere(worker: Client, rule: str) -> None:
    page = look(worker, f"{HERE}/why/{rule}")
    assert page.status == 404
    assert "<script>alert" not in page.answer.text


def test_a_client_of_others_is_nowhere_whatever_the_rule(worker: Client) -> None:
    stranger = showing(worker, actor("social_worker", "none"))
    there, missing = look(stranger, f"{HERE}/why/social-worker-assigned"), look(stranger, "/clients/x/why/plan-valid")
    assert (there.status, missing.status, there.text) == (404, 404, missing.text)


def test_a_withheld_rule_says_so_and_nothing_else(worker: Client) -> None:
    for role, relation in (("activity_instructor", "team"), ("job_coach", "provider"), ("team_leader", "team")):
        sight, shown = sees(role, relation), showing(worker, actor(role, relation))
        hidden = withheld_rules(pack(), sight)
        for rule in sorted(hidden)[:6]:
            page = look(shown, f"{HERE}/why/{rule}")
            assert page.status == 200
            assert "Tämän säännön tulosta ei näytetä roolissasi" in page.text
            assert (page.all(".why"), page.all("table")) == ([], [])
        assert hidden or role != "activity_instructor"


def test_another_day_is_said_and_judged(worker: Client) -> None:
    page = look(worker, f"{HERE}/why/offer-coaching-when-client-wants-work?as_of=1.3.2026")
    assert "Tilanne 1.3.2026, ei tänään" in page.text
    assert "1.3.2026" in page.all(".why p")[0].get_text()
    assert look(worker, f"{HERE}/why/offer-coaching-when-client-wants-work?as_of=never").status == 422


def test_a_rule_can_be_opened_with_a_step_as_if_taken(worker: Client) -> None:
    step = "trigger=start_work_trial&d.arrangement=alongside_activity"
    page, plain = look(worker, f"{HERE}/why/{BLOCKING}?{step}"), look(worker, f"{HERE}/why/{BLOCKING}")
    assert "Jos askel otettaisiin tänään: Aloita työkokeilu" in page.text
    assert "Mitään ei ole kirjattu." in page.text
    assert len(page.all(".why")) > len(plain.all(".why"))


def test_where_the_engines_differ_nothing_is_explained_and_an_alarm_is_raised(
    worker: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def differ(*args: Any, **kwargs: Any) -> None:
        raise EngineDifference("planted facts")

    monkeypatch.setattr("service.web.routes.why.explain", differ)
    page = look(worker, f"{HERE}/why/social-worker-assigned")
    assert page.status == 200
    assert "Polku ei voi neuvoa juuri nyt" in page.text
    assert "planted" not in page.answer.text + caplog.text
    assert "engines differ" in caplog.text
