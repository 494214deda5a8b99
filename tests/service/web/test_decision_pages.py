"""The pages of decisions, of their replay, and of what became of advice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from service.access.policy import sees
from service.store import Database
from service.web.decisions import OUTCOMES, DecisionWords
from service.words import Words
from tests.service.api.asking import Client
from tests.service.api.world import ACKNOWLEDGED, CLIENT, NOTE, actors, settled
from tests.service.conftest import Clock
from tests.service.web.looking import look, send
from tests.service.web.overseen import HERE, HOSTILE, altered, as_, in_session, met

LANGUAGES = ("fi", "sv", "en")


@pytest.fixture
def decision(anyone: Client, sqlite: Database, clock: Clock) -> str:
    """The decision of a step recorded against rules."""
    return settled(anyone, sqlite, clock())


@pytest.fixture
def worker(anyone: Client) -> Client:
    """The client's own social worker."""
    return as_(anyone, "social_worker", "assigned")


@pytest.fixture
def auditor(anyone: Client) -> Client:
    return as_(anyone, "auditor", "none")


# --- the list ---


def test_the_newest_comes_first_with_what_was_recorded(worker: Client, decision: str) -> None:
    seen = look(worker, f"{HERE}/decisions")
    rows = [row.get_text(" ", strip=True) for row in seen.all("tbody tr")]
    assert seen.status == 200
    assert ["Työkokeilu alkoi" in rows[0], "Kirjattu perustellen" in rows[0]] == [True, True]
    assert "Asiakas lisättiin Polkuun" in rows[1]
    assert seen.one("h1").get_text() == "Sirpa Esimerkki"


def test_an_auditor_is_told_how_much_was_recorded_and_not_what(auditor: Client, decision: str) -> None:
    seen = look(auditor, f"{HERE}/decisions")
    assert "1 kirjaus" in seen.all("tbody tr")[0].get_text()
    assert "Työkokeilu alkoi" not in seen.text
    assert "Sirpa Esimerkki" not in seen.text


def test_a_long_list_goes_on_from_page_to_page(worker: Client, decision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.web.routes.decisions.ON_A_PAGE", 2)
    made = [decision, *(met(worker, version) for version in range(2, 5))]
    pages = [look(worker, f"{HERE}/decisions?page={number}") for number in (1, 2, 3)]
    links = [str(a["href"]).removeprefix("/decisions/") for page in pages for a in page.all("tbody td:first-child a")]
    assert links[:4] == made[::-1]
    assert len(links) == len(set(links)) == 5
    assert [len(page.all("a[rel=next]")) for page in pages] == [1, 1, 0]
    beyond = look(worker, f"{HERE}/decisions?page=9")
    assert (beyond.status, beyond.all("tbody tr")) == (200, [])
    assert look(worker, f"{HERE}/decisions?page=0").status == 422


# --- one decision ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_decision_tells_everything_in_the_readers_language(worker: Client, decision: str, lang: str) -> None:
    seen = look(worker, f"/decisions/{decision}", lang=lang)
    words = Words(lang)  # type: ignore[arg-type]
    assert (seen.status, seen.one("html")["lang"]) == (200, lang)
    assert ACKNOWLEDGED in seen.text
    assert words("relations", "assigned") in seen.text
    assert words("entry_types", "work_trial_started") in seen.text
    assert words("triggers", "start_work_trial") in seen.text
    assert seen.all('a[href="/rules/as-update-on-trial"]')
    pack = worker.app.state.service.assessor.pack
    assert f"{pack.id} {pack.version}" in seen.text
    assert pack.sha256 in seen.text
    facts = [item.get_text(" ", strip=True) for item in seen.all("details dl.facts")]
    assert any(words("tests", "given") not in fact and len(fact) > 100 for fact in facts)
    assert NOTE not in seen.answer.text


def test_every_code_of_a_decision_has_a_word(worker: Client, decision: str) -> None:
    """Facts, outcomes, states and actions: none stands on the page as a bare code."""
    seen = look(worker, f"/decisions/{decision}", lang="en")
    codes = [text for text in seen.one("main").stripped_strings if "_" in text.replace("assigned-social_worker", "")]
    assert codes == []


def test_what_the_page_shows_is_what_the_api_shows(anyone: Client, decision: str) -> None:
    """Every role in every relation: the same status, and of a withheld rule no finding."""
    for role, relation in actors():
        user = as_(anyone, role, relation)
        api, seen = user.get(f"/v1/decisions/{decision}"), look(user, f"/decisions/{decision}")
        assert seen.status == api.status_code, (role, relation)
        if api.status_code != 200:
            assert ACKNOWLEDGED not in seen.text
            assert CLIENT not in seen.text
            continue
        told = api.json()
        shown = {str(a["href"]).removeprefix("/rules/") for a in seen.all("section.card li a")}
        findings = {one["rule"] for item in told["judgements"] for one in item["findings"]}
        assert shown == findings, (role, relation)
        hidden = set(told.get("withheld", {}).get("rules", ()))
        assert not shown & hidden
        assert bool(seen.all("details summary"))
        assert bool(hidden) == ("näytetä, olipa niitä tai ei" in seen.text)
        if told["acknowledged"] is None:
            assert ACKNOWLEDGED not in seen.text


def test_who_sees_no_acknowledgements_is_told_that_there_is_one(
    anyone: Client, decision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sight = sees("team_leader", "team")
    closed = type(sight)(sight.role, sight.relation, sight.views - {"acknowledgements"}, sight.hidden)
    monkeypatch.setattr("service.reading.sees", lambda role, relation: closed)
    seen = look(as_(anyone, "team_leader", "team"), f"/decisions/{decision}")
    assert seen.status == 200
    assert ACKNOWLEDGED not in seen.text
    assert "Perustelua ei näytetä roolissasi" in seen.text


@pytest.mark.parametrize("name", ["0" * 32, "x", "%00", "a" * 5_000, "%2F", "131052-308T"])
def test_a_decision_that_is_not_there(worker: Client, decision: str, name: str) -> None:
    assert look(worker, f"/decisions/{name}").status == 404
    assert send(worker, f"/decisions/{name}/replay", {}).status == 404


def test_the_read_of_a_decision_is_on_record(auditor: Client, decision: str) -> None:
    look(auditor, f"/decisions/{decision}")
    send(auditor, f"/decisions/{decision}/replay", {})
    what = [
        item["what"] for item in auditor.get(f"/v1/cases/{CLIENT}/reads").json()["items"] if item["role"] == "auditor"
    ]
    assert what[:2] == ["decision", "replay"]


def test_hostile_words_are_text(worker: Client, auditor: Client, decision: str) -> None:
    step = {"date": "2026-11-03", "type": "work_trial_started", "arrangement": "alongside_activity"}
    asked: dict[str, Any] = {"entries": [step]}
    refused = worker.post(f"/v1/cases/{CLIENT}/entries", asked, headers={"If-Match": '"v2"'}).json()
    reason = HOSTILE.replace("\u202e", "")
    rules = [item["rule"] for item in refused["findings"]]
    acknowledged = {"rules": list(dict.fromkeys(rules)), "reason": reason}
    made = worker.post(
        f"/v1/cases/{CLIENT}/entries", {**asked, "acknowledged": acknowledged}, headers={"If-Match": '"v2"'}
    )
    assert made.status_code == 201, made.text
    for user in (worker, auditor):
        seen = look(user, f"/decisions/{made.json()['decision']}")
        assert seen.one("dd.said").get_text() == reason
        assert all("onerror" not in str(tag.attrs) for tag in seen.all("img"))


# --- undetermined ---


def test_an_undetermined_decision_is_told_plainly(
    worker: Client, auditor: Client, decision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rules.engines import EngineDifference

    def differ(*args: Any, **options: Any) -> None:
        raise EngineDifference("planted facts")

    with monkeypatch.context() as broken:
        broken.setattr(type(worker.app.state.service.assessor), "findings_for", differ)
        made = met(worker, 2)
    for user in (worker, auditor):
        seen = look(user, f"/decisions/{made}")
        assert "Polku ei voinut arvioida" in seen.one(".notice--alert").get_text()
        assert "Tätä ei voitu arvioida" in seen.text
        assert "planted facts" not in seen.text
    seen = send(worker, f"/decisions/{made}/replay", {})
    assert "Tulos on sama" in seen.one("#outcome").get_text()
    assert "Silloin ei voitu arvioida" in seen.text
    listed = look(auditor, "/audit/decisions?only=undetermined")
    assert [a["href"] for a in listed.all("tbody td:first-child a")] == [f"/decisions/{made}"]


# --- replay ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_comes_out_the_same_is_told_so(auditor: Client, decision: str, lang: str) -> None:
    seen = send(auditor, f"/decisions/{decision}/replay", {}, lang=lang)
    assert seen.status == 200
    assert Words(lang)("replays", "same") in seen.one("#outcome").get_text()  # type: ignore[arg-type]
    assert auditor.app.state.service.assessor.pack.sha256 in seen.text


def otherwise(record: dict[str, Any]) -> None:
    """A finding, a fact, an acknowledged rule and advice, altered."""
    today = record["judgements"][-1]
    finding = next(item for item in today["findings"] if item["rule"] == "as-update-on-trial")
    finding["outcome"], finding["due"] = "satisfied", "2026-11-30"
    today["subjects"][0]["facts"]["case.stage"] = "employment"
    today["state"]["stage"] = "employment"
    record["acknowledged"]["rules"].pop()
    record["advice"].pop()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_altered_record_is_shown_side_by_side(auditor: Client, decision: str, tmp_path: Path, lang: str) -> None:
    altered(tmp_path / "polku.db", decision, otherwise)
    words = Words(lang)  # type: ignore[arg-type]
    seen = send(auditor, f"/decisions/{decision}/replay", {}, lang=lang)
    assert words("replays", "differs") in seen.one("#outcome").get_text()
    rows = [[cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] for row in seen.all("section tbody tr")]
    assert [words("replay_parts", "outcome"), words("outcomes", "satisfied"), words("outcomes", "violated")] in rows
    assert [words("replay_parts", "due"), words.day(date(2026, 11, 30)),
            words("decisions", "nothing")] in rows  # fmt: skip
    assert [words("decisions", "stage"), words.stage("employment"), words.stage("work_trial")] in rows
    kinds = {item.get_text() for item in seen.all("section.card h3")}
    assert {words("replay_kinds", kind) for kind in ("findings", "facts", "acknowledged", "advice")} <= kinds


def test_who_may_not_see_all_is_told_only_the_kinds(anyone: Client, decision: str, tmp_path: Path) -> None:
    altered(tmp_path / "polku.db", decision, otherwise)
    seen = send(as_(anyone, "team_leader", "team"), f"/decisions/{decision}/replay", {})
    assert seen.status == 200
    assert "Säännön tulos on eri" in seen.text
    assert seen.all("section.card") == []
    assert "Yksityiskohtia ei näytetä" in seen.text


def test_another_fold_explains_other_facts(auditor: Client, decision: str, tmp_path: Path) -> None:
    def older(record: dict[str, Any]) -> None:
        record["fold"] = "0"
        for item in record["judgements"]:
            item["holds_until"] = "2027-02-03"

    altered(tmp_path / "polku.db", decision, older)
    seen = send(auditor, f"/decisions/{decision}/replay", {})
    assert "Tulos on sama" in seen.one("#outcome").get_text()
    assert "silloin versio 0, nyt 1" in seen.text
    assert "Kirjaukset luetaan nyt toisin" in seen.text
    assert "3.2.2027" in seen.text


BROKEN: list[Callable[[dict[str, Any]], None]] = [
    lambda record: record.update(judgements=[{}]),
    lambda record: record.update(judgements=None, entries="x"),
    lambda record: record.update(pack={"sha256": "0" * 64, "id": "gone", "version": "0"}),
    lambda record: record.update(v=99),
    lambda record: record["judgements"][0]["findings"][0].update(outcome=[1]),
    lambda record: record["judgements"][0]["findings"][0].update(due="never"),
    lambda record: record.update(id="another"),
    lambda record: record["judgements"][0]["subjects"][0]["facts"].update({"case.stage": 5, "no.fact": {"x": [1]}}),
    lambda record: record["judgements"][0].update(state={}),
]


@pytest.mark.parametrize("change", BROKEN)
def test_a_record_that_someone_broke_fails_no_page(
    auditor: Client, decision: str, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    altered(tmp_path / "polku.db", decision, change)
    assert look(auditor, f"/decisions/{decision}").status in (200, 404)
    seen = send(auditor, f"/decisions/{decision}/replay", {})
    assert seen.status == 200
    assert "Tulos on eri" in seen.one("#outcome").get_text()
    assert look(auditor, f"{HERE}/decisions").status == look(auditor, "/audit/decisions").status == 200


def test_the_address_of_a_replay_leads_to_the_decision(auditor: Client, decision: str) -> None:
    seen = look(auditor, f"/decisions/{decision}/replay")
    assert (seen.status, seen.answer.headers["location"]) == (303, f"/decisions/{decision}")


def test_another_site_can_have_nothing_replayed(anyone: Client, decision: str) -> None:
    auditor = in_session(anyone, "auditor", "none")
    assert send(auditor, f"/decisions/{decision}/replay", {}).status == 200
    foreign = auditor.request(
        "POST",
        f"/decisions/{decision}/replay",
        checked=False,
        headers={"Accept": "text/html", "Origin": "https://elsewhere.example"},
    )
    assert foreign.status_code == 403


def test_whoever_is_not_logged_in_comes_back_to_the_decision(anyone: Client, decision: str) -> None:
    seen = look(anyone, f"/decisions/{decision}")
    assert (seen.status, seen.answer.headers["location"]) == (303, f"/login?next=%2Fdecisions%2F{decision}")


# --- what became of advice ---


def test_advice_is_told_with_what_became_of_it(worker: Client, decision: str) -> None:
    api = worker.get(f"/v1/cases/{CLIENT}/advice").json()["items"]
    seen = look(worker, f"{HERE}/advice")
    assert len(seen.all("tbody tr")) == len(api)
    assert "kirjattu toisin perustellen" in seen.text
    assert seen.all(f'a[href="/decisions/{decision}"]')
    everything = look(worker, f"{HERE}/advice?all=true")
    assert len(everything.all("tbody tr")) == len(
        worker.get(f"/v1/cases/{CLIENT}/advice?everything=true").json()["items"]
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_leader_is_told_that_some_advice_is_withheld(anyone: Client, decision: str, lang: str) -> None:
    leader = as_(anyone, "team_leader", "team")
    api = leader.get(f"/v1/cases/{CLIENT}/advice").json()
    seen = look(leader, f"{HERE}/advice", lang=lang)
    assert (len(seen.all("tbody tr")), len(seen.all(".notice details li"))) == (len(api["items"]), len(api["withheld"]))


def test_pages_about_decisions_are_open_as_the_api_is(anyone: Client, decision: str) -> None:
    for role, relation in actors():
        user = as_(anyone, role, relation)
        for name in ("decisions", "advice"):
            api = user.get(f"/v1/cases/{CLIENT}/{name}").status_code
            assert look(user, f"{HERE}/{name}").status == api, (role, relation, name)


def test_outcomes_are_told_in_an_order_that_has_them_all(app: FastAPI) -> None:
    from rules.pack import OUTCOMES as ALL

    assert set(OUTCOMES) == set(ALL)


def test_a_code_without_a_word_stands_as_it_is(worker: Client) -> None:
    pack = worker.app.state.service.assessor.pack
    told = DecisionWords(Words("en"), pack, {}, worker.app.state.service.today())
    assert told.title("no-such-rule") == "no-such-rule"
    assert told.label("no.fact") == "no.fact"
    assert told.value("no.fact", {"a": [True, None]}) == "a: yes, not recorded"
    assert told.role("nobody") == "nobody"
    assert told.action("nothing") == "nothing"
    assert told.entry("e9") == "Entry e9"
