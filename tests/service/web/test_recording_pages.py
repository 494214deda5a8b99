"""Recording by pages: what the API would record, nothing typed lost, nothing done twice, and nothing shown or recorded
that is not one's own to see or record."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from rules.engines import CheckedEngine, EngineDifference
from rules.entries import ENTRY_TYPES
from rules.journal import case_from_data, case_to_data
from service.access.policy import may_record
from service.login.claims import Person
from service.recording.recorder import Recorder
from service.recording.requests import entries_asked
from service.store import StoreUnavailable
from service.web.bundles import FROM_ELSEWHERE, bundles
from service.web.forms import form_of
from tests.service.api.asking import Client
from tests.service.api.people import person
from tests.service.api.world import CLIENT, NOTE, REGION, SECRET_REASON, actor, document, showing
from tests.service.api.world import opened as taken_over
from tests.service.conftest import Clock
from tests.service.web.filling import opened, standing, typed_for, valid
from tests.service.web.looking import Seen, look, send

HERE = f"/clients/{CLIENT}"
CONTACT = f"{HERE}/record/contact"
MET = {"e0.date": "2026-11-02", "e0.party": "client", "e0.form": "phone"}
OTHER = "other"


@pytest.fixture
def worker(anyone: Client) -> Client:
    """The client's own social worker, the case taken over."""
    taken_over(anyone)
    return showing(anyone, actor("social_worker", "assigned"))


def journal(client: Client, case_id: str = CLIENT) -> list[dict[str, Any]]:
    """The entries of a case, as far as the client may see them."""
    found: list[dict[str, Any]] = client.get(f"/v1/cases/{case_id}").json()["entries"]
    return found


def newest(client: Client, case_id: str = CLIENT) -> dict[str, Any]:
    """The entry recorded last."""
    return journal(client, case_id)[-1]


def filled(client: Client, path: str, **typed: Any) -> dict[str, Any]:
    """A form with what was typed into it."""
    return {**standing(opened(client, path)), **typed}


def sent(client: Client, path: str, typed: dict[str, Any], **options: str) -> Seen:
    return send(client, path, typed, **options)


def recorded(seen: Seen, case_id: str = CLIENT) -> str:
    """The address one is sent on to after recording."""
    assert seen.status == 303, (seen.status, seen.text[:800])
    address = str(seen.answer.headers["location"])
    assert address.startswith(f"/clients/{case_id}?recorded="), address
    return address


# --- what the API would record ---


@pytest.mark.parametrize("entry_type", [name for name in ENTRY_TYPES if name not in FROM_ELSEWHERE])
def test_a_form_records_exactly_what_the_api_would(anyone: Client, clock: Clock, entry_type: str) -> None:
    taken_over(anyone)
    role = next(r for r in ("social_worker", "employment_coach") if may_record(r, "assigned", entry_type))
    worker = showing(anyone, actor(role, "assigned"))
    entry, path = valid(entry_type), f"{HERE}/record/{entry_type}"
    whole = journal(showing(anyone, actor("social_worker", "assigned")))
    before = case_from_data({"case": {"id": CLIENT}, "entries": whole})
    by_the_api = entries_asked(before, [entry], clock(), role)
    seen = sent(worker, path, {**standing(opened(worker, path)), **typed_for(form_of(entry_type).main, entry)})
    if seen.status == 409:
        assert seen.all("input[name=acknowledged]")
        seen = sent(worker, path, {**standing(seen), "do": "anyway", "reason": "näin sovittiin"})
    recorded(seen)
    (expected,) = case_to_data(before.with_entries(by_the_api))["entries"]
    assert newest(worker) == {**expected, "id": newest(worker)["id"]}
    assert {name: newest(worker)[name] for name in entry} == entry


def test_all_forms_open_to_a_role_are_listed_and_there(worker: Client) -> None:
    seen = opened(worker, f"{HERE}/record")
    links = {str(tag["href"]) for tag in seen.all("main a") if str(tag["href"]).startswith(f"{HERE}/record/")}
    types = {name for name in ENTRY_TYPES if may_record("social_worker", "assigned", name)}
    assert links == {f"{HERE}/record/{name}" for name in types | set(bundles())}
    for link in links:
        assert look(worker, link).status == 200


def test_what_is_next_stands_first_with_the_forms_that_carry_it_out(worker: Client) -> None:
    seen = opened(worker, f"{HERE}/record")
    ((first, *_),) = [seen.all("section[aria-labelledby=next] h3")]
    assert first.get_text()
    assert seen.all("section[aria-labelledby=next] a")


def test_a_bundle_is_recorded_as_one_list(worker: Client) -> None:
    path = f"{HERE}/record/first_talk"
    typed = filled(worker, path, **{"all.date": "2026-11-03", "e0.wants_to_work": "yes", "e2.with": "yes"})
    recorded(sent(worker, path, typed))
    asked, told, begun = journal(worker)[-3:]
    assert (asked["type"], asked["wants_to_work"]) == ("interest_asked", "yes")
    assert (told["type"], told["date"]) == ("coaching_info_given", "2026-11-03")
    assert (begun["type"], begun["service"]) == ("initiative_taken", "coaching")
    assert worker.get(f"/v1/cases/{CLIENT}").headers["etag"] == '"v2"'


def test_of_a_bundle_with_a_mistake_nothing_is_recorded(worker: Client) -> None:
    path = f"{HERE}/record/first_talk"
    seen = sent(worker, path, filled(worker, path, **{"all.date": "2026-11-03"}))
    assert (seen.status, seen.one("#mistakes a")["href"]) == (422, "#e0-wants_to_work")
    assert worker.get(f"/v1/cases/{CLIENT}").headers["etag"] == '"v1"'


def test_a_bundle_leaves_out_what_is_others_to_record_and_says_whose_it_is(anyone: Client) -> None:
    taken_over(anyone)
    worker = showing(anyone, actor("social_worker", "assigned"))
    coach = showing(anyone, actor("employment_coach", "assigned"))
    path = f"{HERE}/record/trial_start"
    assert "Puollot työkokeiluun tarkistettiin: omavalmentaja" in opened(worker, path).one(".others").get_text(" ")
    assert opened(coach, path).all("input[name='e0.with']")
    assert not opened(worker, path).all("input[name='e0.with']")
    forged = {**filled(worker, path, **{"e4.arrangement": "alongside_activity"}), "e0.with": "yes"}
    assert sent(worker, path, forged).status == 422
    assert worker.get(f"/v1/cases/{CLIENT}").headers["etag"] == '"v1"'


def test_a_part_that_the_arrangement_does_not_ask_for_is_not_recorded(anyone: Client) -> None:
    taken_over(anyone)
    coach = showing(anyone, actor("employment_coach", "assigned"))
    path = f"{HERE}/record/trial_start"
    typed = filled(coach, path, **{"e4.arrangement": "alongside_activity", "e0.with": "yes", "e0.result": "in_order"})
    seen = sent(coach, path, typed)
    recorded(sent(coach, path, {**standing(seen), "do": "anyway", "reason": "sovittu"}) if seen.status == 409 else seen)
    assert [entry["type"] for entry in journal(coach)[-2:]] == ["endorsements_checked", "work_trial_started"]


# --- mistakes ---


def test_a_mistake_is_shown_at_its_field_and_nothing_typed_is_lost(worker: Client) -> None:
    note = 'Rivi 1\n\n  "lainaus" </textarea><script>alert(1)</script> &amp; \u202ekäänne'
    typed = filled(worker, CONTACT, **{**MET, "e0.date": "31.2.2026", "e0.minutes": "tunti", "e0.note": note})
    seen = sent(worker, CONTACT, typed)
    assert seen.status == 422
    assert [tag["href"] for tag in seen.all("#mistakes a")] == ["#e0-date", "#e0-minutes"]
    for name in ("e0-date", "e0-minutes"):
        field = seen.one(f"#{name}")
        assert field["aria-invalid"] == "true"
        assert f"{name}-mistake" in str(field["aria-describedby"]).split()
        assert seen.one(f"#{name}-mistake").get_text()
    assert seen.one("#mistakes").has_attr("autofocus")
    assert seen.html.title is not None
    assert seen.html.title.get_text().startswith("Virhe: ")
    again = standing(seen)
    assert again["e0.note"] == [note]
    assert again["e0.minutes"] == ["tunti"]
    assert (again["key"], again["version"]) == (typed["key"], typed["version"])
    assert not seen.all("main script")


@pytest.mark.parametrize(
    ("lang", "told"), [("fi", "Tällaista päivää ei ole"), ("sv", "Dagen finns inte"), ("en", "There is no such day")]
)
def test_mistakes_are_told_in_the_readers_language(worker: Client, lang: str, told: str) -> None:
    seen = sent(worker, CONTACT, filled(worker, CONTACT, **{**MET, "e0.date": "31.2.2026"}), lang=lang)
    assert told in seen.one("#e0-date-mistake").get_text()
    assert seen.one("html")["lang"] == lang


def test_an_identity_code_is_refused_and_stands_only_where_it_was_typed(worker: Client) -> None:
    seen = sent(worker, CONTACT, filled(worker, CONTACT, **MET, **{"e0.note": "hetu 131052-308T"}))
    assert seen.status == 422
    assert seen.answer.text.count("308T") == 1
    assert "308T" in seen.one("#e0-note").get_text()
    assert "henkilötunnus" in seen.one("#e0-note-mistake").get_text()


def test_more_lines_are_given_without_recording(worker: Client) -> None:
    path = f"{HERE}/record/consent_given"
    names = ["county-1", "municipality-1", "provider-1"]
    seen = sent(worker, path, {**filled(worker, path), "e0.parties": names, "do": "more"})
    lines = seen.all("input[name='e0.parties']")
    assert (seen.status, [tag["value"] for tag in lines[:3]]) == (200, names)
    assert len(lines) > 4
    assert worker.get(f"/v1/cases/{CLIENT}").headers["etag"] == '"v1"'


# --- what is forged ---


@pytest.mark.parametrize(
    "forged",
    [
        {"e0.by": "team_leader"}, {"e0.recorded_at": "2020-01-01T10:00Z"}, {"e0.id": "e1"}, {"e0.type": "job_started"},
        {"e0.goals": "x"}, {"e1.date": "2026-11-02"}, {"case": OTHER}, {"all.date": "2026-11-02"}, {"": "x"},
        {"version": ["1", "2"]}, {"e0.date": ["2026-11-02", "2026-11-03"]}, {"version": "0"}, {"version": "x"},
        {"key": ""}, {"key": "a b"}, {"also": "no_such_type"}, {"also": "endorsements_checked"}, {"do": "also:contact"},
        {"do": "also:statement_issued"}, {"e0.with": "yes"},
    ],
)  # fmt: skip
def test_a_forged_form_is_refused_whole(worker: Client, forged: dict[str, Any]) -> None:
    seen = sent(worker, CONTACT, {**filled(worker, CONTACT, **MET), **forged})
    assert seen.status == 422
    assert worker.get(f"/v1/cases/{CLIENT}").headers["etag"] == '"v1"'


@pytest.mark.parametrize("content", [b"\xff", b"a=%FF%FE", b"&".join(b"a=1" for _ in range(600)), b"=&;%"])
def test_what_is_no_form_is_refused(worker: Client, content: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    answer = worker.request("POST", CONTACT, checked=False, content=content, headers=headers)
    assert answer.status_code == 422
    answer = worker.request("POST", CONTACT, checked=False, json={"entries": []}, headers={"Accept": "text/html"})
    assert answer.status_code == 415


def test_acknowledging_rules_that_there_are_not_is_refused(worker: Client) -> None:
    typed = {**filled(worker, CONTACT, **MET), "do": "anyway", "acknowledged": ["no-such-rule"], "reason": "syy"}
    assert sent(worker, CONTACT, typed).status == 422


# --- who may ---


def test_a_client_of_others_is_not_there(anyone: Client) -> None:
    taken_over(anyone)
    stranger = showing(anyone, actor("social_worker", "none"))
    for path in ("/record", "/record/contact", "/correct/e1", "/set-aside/next-make-profile"):
        there, nowhere = look(stranger, f"{HERE}{path}"), look(stranger, f"/clients/nobody{path}")
        assert (there.status, nowhere.status) == (404, 404)
        assert there.text == nowhere.text
    assert sent(stranger, CONTACT, {"version": "1", "key": "k" * 32, **MET}).status == 404


def test_a_role_that_may_not_record_is_told_who_may(worker: Client) -> None:
    seen = look(worker, f"{HERE}/record/endorsements_checked")
    assert seen.status == 403
    assert "omavalmentaja" in seen.text.lower()
    assert sent(worker, f"{HERE}/record/endorsements_checked", {"version": "1", "key": "k" * 32}).status == 403


def test_who_records_nothing_is_told_so(anyone: Client) -> None:
    taken_over(anyone)
    auditor = showing(anyone, actor("auditor", "none"))
    assert look(auditor, f"{HERE}/record").status == 403
    assert look(auditor, f"{HERE}/record/contact").status == 403


def test_every_look_at_a_form_is_logged_as_a_read(worker: Client) -> None:
    for path in ("/record", "/record/contact", "/correct/e1"):
        opened(worker, f"{HERE}{path}")
    leader = showing(worker, actor("team_leader", "team"))
    items = leader.get(f"/v1/cases/{CLIENT}/reads").json()["items"]
    mine = [item for item in items if item["user"] == actor("social_worker", "assigned").id]
    assert [item["what"] for item in mine[:3]] == ["recording"] * 3


def test_nothing_hidden_stands_on_any_form(anyone: Client) -> None:
    taken_over(anyone)
    coach = showing(anyone, actor("job_coach", "provider"))
    entries = {entry["type"]: entry["id"] for entry in journal(coach)}
    paths = ["/record", "/record/contact", "/record/correction", "/record/advice_set_aside"]
    paths += [f"/correct/{entries['coaching_started']}", "/set-aside/next-make-profile"]
    for path in paths:
        text = look(coach, f"{HERE}{path}").answer.text
        assert NOTE not in text
        assert SECRET_REASON not in text


def browser(app: FastAPI, client: Client, role: str = "social_worker") -> Client:
    """A browser in which the client's own worker has logged in."""
    who = actor(role, "assigned")
    session = app.state.login.sessions.begin(Person(who.id, REGION, "county-1", "county", None, (role,)), None)
    return client.showing({"Cookie": f"{app.state.login.session_cookie}={session}"})


def test_what_another_site_sends_is_refused(app: FastAPI, anyone: Client) -> None:
    taken_over(anyone)
    there = browser(app, anyone)
    typed = filled(there, CONTACT, **MET)
    for headers in ({}, {"Origin": "null"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        shown = {"Accept": "text/html", **headers}
        assert there.request("POST", CONTACT, checked=False, headers=shown, data=typed).status_code == 403
    answer = there.request(
        "POST", CONTACT, checked=False, data=typed,
        headers={"Accept": "text/html", "Origin": app.state.login.public_url},
    )  # fmt: skip
    assert answer.status_code == 303


# --- what speaks against it ---

TRIAL = f"{HERE}/record/work_trial_started"
STEP = {"e0.date": "2026-11-01", "e0.arrangement": "alongside_activity", "e0.note": "sovittu <b>eilen</b>"}


def test_where_a_guard_speaks_it_says_why_and_what_would_settle_it(worker: Client) -> None:
    seen = sent(worker, TRIAL, filled(worker, TRIAL, **STEP))
    assert seen.status == 409
    titles = [tag.get_text() for tag in seen.all(".objection h3")]
    assert "Puollot on tarkistettu ennen työkokeilua" in titles
    assert "omavalmentaja" in seen.one("#objections").get_text()
    assert seen.all("button[value='also:activation_plan_updated']")
    assert standing(seen)["e0.note"] == ["sovittu <b>eilen</b>"]
    assert worker.get(f"/v1/cases/{CLIENT}").headers["etag"] == '"v1"'


@pytest.mark.parametrize("reason", ["", "   ", "123", "x" * 2001, "hetu 131052-308T", "a\x07b"])
def test_recording_anyway_needs_a_reason(worker: Client, reason: str) -> None:
    spoken = sent(worker, TRIAL, filled(worker, TRIAL, **STEP))
    seen = sent(worker, TRIAL, {**standing(spoken), "do": "anyway", "reason": reason})
    assert (seen.status, seen.one("#mistakes a")["href"]) == (422, "#reason")
    assert seen.one("#reason")["aria-invalid"] == "true"
    assert seen.all(".objection")
    assert standing(seen)["e0.note"] == ["sovittu <b>eilen</b>"]
    assert worker.get(f"/v1/cases/{CLIENT}").headers["etag"] == '"v1"'


def test_recording_anyway_keeps_the_rules_and_the_reason(worker: Client) -> None:
    spoken = sent(worker, TRIAL, filled(worker, TRIAL, **STEP))
    rules = standing(spoken)["acknowledged"]
    address = recorded(
        sent(worker, TRIAL, {**standing(spoken), "do": "anyway", "reason": "Alkoi jo.\r\nTyönantaja odotti."})
    )
    record = worker.get(f"/v1/decisions/{address.rpartition('=')[2]}").json()
    assert record["acknowledged"] == {"rules": rules, "reason": "Alkoi jo.\nTyönantaja odotti."}


def test_what_would_settle_it_is_recorded_in_the_same_list(anyone: Client) -> None:
    taken_over(anyone)
    coach = showing(anyone, actor("employment_coach", "assigned"))
    seen = sent(coach, TRIAL, filled(coach, TRIAL, **STEP))
    for type_ in ("endorsements_checked", "activation_plan_updated", "statement_issued"):
        seen = sent(coach, TRIAL, {**standing(seen), "do": f"also:{type_}"})
        assert seen.status == 200
        assert seen.one(f"#part-{type_}").has_attr("autofocus")
        assert standing(seen)[f"{type_}.date"] == ["2026-11-01"]
    typed = {
        **standing(seen), "do": "record",
        "endorsements_checked.purpose": "work_trial", "endorsements_checked.result": "in_order",
        "activation_plan_updated.participants": ["client", "social_worker", "employment_coach"],
        "activation_plan_updated.work_trial.start": "2026-11-01",
        "activation_plan_updated.work_trial.end": "2026-12-31",
        "statement_issued.measure": "work_trial", "statement_issued.start": "2026-11-01",
        "statement_issued.paying": "yes",
    }  # fmt: skip
    seen = sent(coach, TRIAL, typed)
    left = [tag.get_text() for tag in seen.all(".objection h3")]
    assert "Puollot on tarkistettu ennen työkokeilua" not in left
    assert "Suunnitelmassa on työkokeilun alku ja kesto" not in left
    seen = sent(coach, TRIAL, {**standing(seen), "do": "anyway", "reason": "toinen lausunto tulee"})
    recorded(seen)
    assert {entry["type"] for entry in journal(coach)[-4:]} == {
        "endorsements_checked", "activation_plan_updated", "statement_issued", "work_trial_started",
    }  # fmt: skip


def test_an_entry_that_does_not_fit_the_path_is_named(worker: Client) -> None:
    path = f"{HERE}/record/work_trial_ended"
    seen = sent(worker, path, filled(worker, path, **{"e0.date": "2026-11-01", "e0.outcome": "completed"}))
    assert seen.status == 409
    assert "tämä kirjaus: ei sovi yhteen" in seen.one("#objections").get_text()


# --- two people ---


def test_the_second_sees_what_the_first_recorded_and_loses_nothing(worker: Client, anyone: Client) -> None:
    coach = showing(anyone, actor("employment_coach", "assigned"))
    mine = filled(worker, CONTACT, **{**MET, "e0.note": "minun"})
    theirs = filled(coach, f"{HERE}/record/economic_support_advised", **{"e0.purpose": "travel"})
    recorded(sent(coach, f"{HERE}/record/economic_support_advised", theirs))
    seen = sent(worker, CONTACT, mine)
    assert seen.status == 412
    told = " ".join(seen.one("#meanwhile").get_text(" ").split())
    assert "Taloudellisesta tuesta neuvottiin 20.11.2026" in told
    assert "omavalmentaja" in told
    again = standing(seen)
    assert (again["version"], again["e0.note"], again["key"]) == (["2"], ["minun"], mine["key"])
    recorded(sent(worker, CONTACT, again))
    assert newest(worker)["note"] == "minun"


def test_of_what_others_recorded_only_what_may_be_seen_is_told(worker: Client, anyone: Client) -> None:
    coach = showing(anyone, actor("job_coach", "provider"))
    theirs = filled(coach, CONTACT, **MET)
    path = f"{HERE}/record/checklist_answered"
    mine = filled(worker, path, **{"e0.answers.chk-15": "yes", "e0.note": "salainen huomautus"})
    recorded(sent(worker, path, mine))
    seen = sent(coach, CONTACT, theirs)
    assert seen.status == 412
    assert "salainen" not in seen.answer.text
    assert "päihteistä" not in seen.answer.text


def test_a_form_sent_twice_is_recorded_once(worker: Client) -> None:
    typed = filled(worker, CONTACT, **MET)
    first, second = (recorded(sent(worker, CONTACT, typed)) for _ in range(2))
    assert first == second
    assert worker.get(f"/v1/cases/{CLIENT}").headers["etag"] == '"v2"'


def test_a_form_changed_after_it_was_recorded_is_asked_about(worker: Client) -> None:
    typed = filled(worker, CONTACT, **MET)
    recorded(sent(worker, CONTACT, typed))
    seen = sent(worker, CONTACT, {**typed, "e0.minutes": "45"})
    assert seen.status == 409
    assert "jo tallentanut" in seen.text
    again = standing(seen)
    assert again["key"] != [typed["key"]]
    assert (again["e0.minutes"], again["version"]) == (["45"], ["2"])
    recorded(sent(worker, CONTACT, again))


def test_what_was_just_recorded_is_told_once_by_its_id_alone(worker: Client, anyone: Client) -> None:
    address = recorded(sent(worker, CONTACT, filled(worker, CONTACT, **MET)))
    told = "Tallennettu: Yhteydenotto tai tapaaminen."
    assert told in look(worker, address).text
    assert told not in look(worker, HERE).text
    coach = showing(anyone, actor("employment_coach", "assigned"))
    for path in (address.replace("recorded=", "recorded=%3Cb%3E"), f"{HERE}?recorded=" + "0" * 32):
        assert "Tallennettu" not in look(worker, path).text
    assert "Tallennettu" not in look(coach, address).text


# --- when something fails ---


def test_a_store_that_does_not_answer_loses_nothing(worker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = filled(worker, CONTACT, **{**MET, "e0.note": 'a "b"\n<i>c</i>'})

    def fail(*args: Any, **options: Any) -> None:
        raise StoreUnavailable("planted")

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "record", fail)
        seen = sent(worker, CONTACT, typed)
    assert (seen.status, seen.answer.headers["retry-after"]) == (503, "5")
    again = {str(tag["name"]): tag.get_text().removeprefix("\n") for tag in seen.all("main textarea")}
    assert again["e0.note"] == 'a "b"\n<i>c</i>'
    assert again["key"] == typed["key"][0]
    recorded(sent(worker, CONTACT, again))


def test_engines_that_differ_never_keep_anything_from_being_recorded(
    worker: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(*args: Any, **options: Any) -> None:
        raise EngineDifference("planted")

    monkeypatch.setattr(CheckedEngine, "judge", differ)
    assert opened(worker, f"{HERE}/record").all("section[aria-labelledby=together]")
    address = recorded(sent(worker, CONTACT, filled(worker, CONTACT, **MET)))
    seen = look(worker, f"{HERE}/record?{address.rpartition('?')[2]}")
    assert "Polku ei voi neuvoa juuri nyt" in seen.text


# --- corrections ---


def entry_of(client: Client, entry_type: str) -> str:
    return next(str(entry["id"]) for entry in journal(client) if entry["type"] == entry_type)


def test_an_entry_is_voided_and_recorded_right_in_one_list(worker: Client) -> None:
    wrong = entry_of(worker, "activity_started")
    path = f"{HERE}/correct/{wrong}"
    seen = opened(worker, path)
    assert "Toiminta alkoi 10.1.2026" in seen.one("h1").get_text()
    typed = standing(seen)
    assert (typed["e1.date"], typed["e1.days_per_week"]) == (["2026-01-10"], ["4"])
    seen = sent(worker, path, {**typed, "e1.days_per_week": "3", "e0.note": "päiviä oli kolme"})
    recorded(sent(worker, path, {**standing(seen), "do": "anyway", "reason": "oikein näin"})
             if seen.status == 409 else seen)  # fmt: skip
    void, right = journal(worker)[-2:]
    assert (void["type"], void["voids"], void["date"], void["note"]) == (
        "correction", wrong, "2026-11-20", "päiviä oli kolme",
    )  # fmt: skip
    assert (right["type"], right["date"], right["days_per_week"], right["period_end"]) == (
        "activity_started", "2026-01-10", 3, "2027-01-09",
    )  # fmt: skip
    again = look(worker, path)
    assert (again.status, "jo kumottu" in again.text) == (409, True)
    back = opened(worker, f"{HERE}/correct/{void['id']}")
    assert not back.all("input[name='e1.with']")


def test_an_entry_is_only_voided_when_nothing_takes_its_place(worker: Client) -> None:
    path = f"{HERE}/correct/{entry_of(worker, 'interest_asked')}"
    typed = standing(opened(worker, path))
    del typed["e1.with"]
    recorded(sent(worker, path, typed))
    assert newest(worker)["type"] == "correction"
    assert worker.get(f"/v1/cases/{CLIENT}").headers["etag"] == '"v2"'


def test_a_correction_sent_twice_is_recorded_once_and_one_on_top_of_it_is_not(worker: Client) -> None:
    path = f"{HERE}/correct/{entry_of(worker, 'interest_asked')}"
    typed = standing(opened(worker, path))
    late = standing(opened(worker, path))
    assert recorded(sent(worker, path, typed)) == recorded(sent(worker, path, typed))
    seen = sent(worker, path, late)
    assert seen.status == 412
    assert sent(worker, path, standing(seen)).status == 409
    assert worker.get(f"/v1/cases/{CLIENT}").headers["etag"] == '"v2"'


def test_who_did_it_stays_who_did_it_when_another_puts_it_right(worker: Client, anyone: Client) -> None:
    coach = showing(anyone, actor("job_coach", "assigned"))
    recorded(sent(coach, CONTACT, filled(coach, CONTACT, **MET)))
    path = f"{HERE}/correct/{newest(worker)['id']}"
    recorded(sent(worker, path, {**standing(opened(worker, path)), "e1.form": "message"}))
    right = newest(worker)
    assert (right["by"], right["form"]) == ("job_coach", "message")
    assert journal(worker)[-2]["by"] == "social_worker"


def test_what_one_could_not_have_recorded_one_does_not_correct(anyone: Client) -> None:
    taken_over(anyone)
    coach = showing(anyone, actor("job_coach", "assigned"))
    path = f"{HERE}/correct/{entry_of(coach, 'activity_started')}"
    assert look(coach, path).status == 403
    assert look(coach, f"{HERE}/correct/e999").status == 404
    listed = [str(tag["href"]) for tag in opened(coach, f"{HERE}/record/correction").all(".lines a")]
    assert path not in listed
    assert all(look(coach, link).status == 200 for link in listed)


# --- advice set aside ---


def test_advice_is_set_aside_with_a_reason(worker: Client) -> None:
    path = f"{HERE}/set-aside/next-make-profile"
    seen = sent(worker, path, filled(worker, path))
    assert (seen.status, seen.one("#mistakes a")["href"]) == (422, "#e0-reason")
    typed = filled(worker, path, **{"e0.reason": "Asiakas haluaa ensin levätä.", "e0.until": "2026-12-31"})
    recorded(sent(worker, path, typed))
    entry = newest(worker)
    assert {name: entry[name] for name in ("type", "rule", "reason", "until", "date")} == {
        "type": "advice_set_aside", "rule": "next-make-profile", "reason": "Asiakas haluaa ensin levätä.",
        "until": "2026-12-31", "date": "2026-11-20",
    }  # fmt: skip


def test_only_advice_that_there_is_can_be_set_aside(worker: Client, anyone: Client) -> None:
    assert look(worker, f"{HERE}/set-aside/no-such-rule").status == 404
    supervisor = showing(anyone, actor("activity_supervisor", "assigned"))
    assert look(supervisor, f"{HERE}/set-aside/next-make-profile").status == 403
    listed = opened(worker, f"{HERE}/record/advice_set_aside").all(".lines a")
    assert listed
    assert all(look(worker, str(tag["href"])).status == 200 for tag in listed)


# --- a new client ---

NEW = "/clients/new"
ANNA = {"e0.name": 'Anna <script> "Esimerkki"', "e0.municipality": "Lahti", "e0.birth_year": "1985",
        "e0.language": "sv"}  # fmt: skip


def test_a_new_client_gets_an_opaque_id_a_name_apart_and_a_worker(client: Client) -> None:
    typed = {**filled(client, NEW), **ANNA}
    address = str(sent(client, NEW, typed).answer.headers["location"])
    case_id = address.removeprefix("/clients/").partition("?")[0]
    made = client.get(f"/v1/cases/{case_id}").json()
    assert made["case"] == {"id": case_id, "municipality": "Lahti", "birth_year": 1985, "language": "sv"}
    assert "anna" not in case_id
    (assigned,) = made["entries"]
    assert (assigned["type"], assigned["worker"], assigned["role"]) == ("worker_assigned", "aino", "social_worker")
    assert client.get(f"/v1/cases/{case_id}/identity").json()["identity"] == {"name": ANNA["e0.name"]}
    assert made["kept"]["relation"] == "assigned"
    assert sent(client, NEW, typed).answer.headers["location"] == address
    assert len(client.get("/v1/cases").json()["items"]) == 1
    assert "&lt;script&gt;" in look(client, address).answer.text


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"e0.name": ""}, "e0-name"), ({"e0.name": "Anna 131052-308T"}, "e0-name"), ({"e0.name": "x" * 201}, "e0-name"),
        ({"e0.birth_year": "kahdeksankymmentä"}, "e0-birth_year"), ({"e0.birth_year": "1850"}, "e0-birth_year"),
        ({"e0.language": "ru"}, "e0-language"), ({"e0.municipality": "131052-308T"}, "e0-municipality"),
    ],
)  # fmt: skip
def test_mistakes_about_a_new_client_are_told_at_the_field(client: Client, changed: dict[str, str], name: str) -> None:
    seen = sent(client, NEW, {**filled(client, NEW), **ANNA, **changed})
    assert (seen.status, seen.one("#mistakes a")["href"]) == (422, f"#{name}")
    assert client.get("/v1/cases").json()["items"] == []


def test_another_client_by_the_same_form_is_asked_about(client: Client) -> None:
    typed = {**filled(client, NEW), **ANNA}
    assert sent(client, NEW, typed).status == 303
    seen = sent(client, NEW, {**typed, "e0.municipality": "Heinola"})
    assert (seen.status, standing(seen)["key"] != typed["key"]) == (409, True)
    assert sent(client, NEW, standing(seen)).status == 303
    assert len(client.get("/v1/cases").json()["items"]) == 2


@pytest.mark.parametrize(
    "role", ["job_coach", "activity_instructor", "activity_supervisor", "auditor", "administrator"]
)
def test_who_may_not_open_a_case_takes_no_new_client(anyone: Client, role: str) -> None:
    other = showing(anyone, person("someone", role))
    assert look(other, NEW).status == 403
    assert sent(other, NEW, {"key": "k" * 32, **ANNA}).status == 403


def test_who_would_lose_sight_of_the_client_becomes_their_worker(anyone: Client) -> None:
    coach = showing(anyone, person("helmi", "employment_coach", organisation="area-1", kind="employment_area"))
    assert not opened(coach, NEW).all("input[name=mine]")
    address = str(sent(coach, NEW, {**filled(coach, NEW), **ANNA}).answer.headers["location"])
    assert look(coach, address).status == 200
    leader = showing(anyone, person("martta", "team_leader"))
    address = str(sent(leader, NEW, {**filled(leader, NEW), **ANNA}).answer.headers["location"])
    case_id = address.removeprefix("/clients/").partition("?")[0]
    assert leader.get(f"/v1/cases/{case_id}").json()["entries"] == []


# --- for everyone ---


def test_every_form_field_has_its_label_and_every_group_its_legend(worker: Client) -> None:
    for name in [*bundles(), *(type_ for type_ in ENTRY_TYPES if type_ not in FROM_ELSEWHERE)]:
        seen = look(worker, f"{HERE}/record/{name}")
        if seen.status == 403:
            continue
        ids = [str(tag["id"]) for tag in seen.all("[id]")]
        assert len(ids) == len(set(ids)), name
        labelled = {str(tag["for"]) for tag in seen.all("label[for]")}
        for tag in seen.all("form.record input:not([type=hidden]), form.record select, form.record textarea"):
            inside = tag.find_parent("label") is not None
            assert inside or tag.get("id") in labelled or tag.get("aria-label"), (name, tag)
            for described in str(tag.get("aria-describedby", "")).split():
                assert described in ids, (name, described)
        for group in seen.all("form.record fieldset"):
            assert group.find("legend") is not None, name


def test_pages_that_record_keep_to_the_policy(worker: Client) -> None:
    for path in (f"{HERE}/record", CONTACT, f"{HERE}/record/plan_meeting", NEW):
        seen = opened(worker, path)
        assert seen.answer.headers["cache-control"] == "no-store"
        assert not seen.all("[style]")
        assert not [tag for tag in seen.all("script") if not tag.get("src")]


def test_a_hostile_client_and_hostile_entries_stay_text(anyone: Client) -> None:
    hostile = '"><img src=x onerror=alert(1)>'
    body = document("evil")
    body["entries"].append(
        {"date": "2026-03-11", "type": "job_agreed", "start": "2026-12-01", "employer": hostile, "note": hostile}
    )
    owner = showing(anyone, actor("social_worker", "team"))
    assert owner.post("/v1/cases", body).status_code == 201
    worker = showing(anyone, actor("social_worker", "assigned"))
    assert worker.put("/v1/cases/evil/identity", {"name": hostile}).status_code == 200
    entry = entry_of_case(worker, "evil", "job_agreed")
    for path in ("/record", "/record/job_started", f"/correct/{entry}", "/record/correction"):
        seen = opened(worker, f"/clients/evil{path}")
        assert not seen.all("main img")
        assert hostile in seen.answer.text.replace("&#34;", '"').replace("&gt;", ">").replace("&lt;", "<")


def entry_of_case(client: Client, case_id: str, entry_type: str) -> str:
    return next(str(entry["id"]) for entry in journal(client, case_id) if entry["type"] == entry_type)
