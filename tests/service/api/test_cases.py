"""Cases over HTTP: opened, read, listed, and what is next for one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rules.engines import EngineDifference
from rules.journal import case_from_data, case_to_data
from service.store import Database, StoreUnavailable
from tests.helpers import assessor, day
from tests.service.api import world
from tests.service.api.asking import Client, places, problem
from tests.service.api.people import person
from tests.service.api.world import CLIENT, REGION, actor, opened, showing
from tests.service.conftest import Clock

HERE = f"/v1/cases/{CLIENT}"


@pytest.fixture
def worker(anyone: Client) -> Client:
    """The client's own social worker, the case taken over."""
    opened(anyone)
    return showing(anyone, actor("social_worker", "assigned"))


def test_a_case_comes_back_as_it_was_sent(worker: Client) -> None:
    found = worker.get(HERE)
    case = case_from_data({name: found.json()[name] for name in ("case", "entries")})
    sent = case_from_data(world.document())
    assert [entry.model_copy(update={"recorded_at": None}) for entry in case.entries] == list(sent.entries)
    assert found.headers["etag"] == '"v1"'
    assert found.json()["kept"]["relation"] == "assigned"
    assert found.json()["withheld"] == {"header": [], "entries": {}, "types": []}


def test_who_has_the_version_gets_no_second_copy_but_is_logged(worker: Client) -> None:
    for header, status in (('"v1"', 304), ('W/"v1"', 304), ("*", 304), ('"v2"', 200)):
        response = worker.get(HERE, headers={"If-None-Match": header})
        assert (response.status_code, response.headers["etag"]) == (status, '"v1"')
        assert (response.content == b"") == (status == 304)
    assert places(worker.get(HERE, headers={"If-None-Match": "v1"})) == ["header.If-None-Match"]
    assert [read["what"] for read in worker.get(f"{HERE}/reads").json()["items"]] == ["case"] * 5


def test_a_case_is_never_overwritten(worker: Client, anyone: Client) -> None:
    other = showing(anyone, person("else", "social_worker", organisation="county-2", team=None))
    problem(other.post("/v1/cases", {"case": {"id": CLIENT}, "entries": []}), 409, "case-exists")
    assert worker.get(HERE).headers["etag"] == '"v1"'


@pytest.mark.parametrize(
    "name", ["a/b", "a\\b", ".", "..", "", " x", "x\u0000", "\ud800", "131052-308T", "x" * 201, "new", "calendar"]
)
def test_an_id_that_no_address_can_hold_is_refused(anyone: Client, name: str) -> None:
    shown = showing(anyone, actor("social_worker", "team"))
    content = json.dumps({"case": {"id": name}, "entries": []})
    assert places(shown.post("/v1/cases", content=content, headers={"Content-Type": "application/json"})) == ["case.id"]


@pytest.mark.parametrize("name", ["å ä?", "a#b", "100%", "a+b&c=d", "%2F", "x" * 200, "…", "a;b", "'\""])
def test_every_other_id_leads_to_its_case(anyone: Client, name: str) -> None:
    shown = showing(anyone, actor("social_worker", "team"))
    made = shown.post("/v1/cases", {"case": {"id": name}, "entries": []})
    assert made.status_code == 201
    assert shown.get(made.headers["location"]).json()["case"]["id"] == name


@pytest.mark.parametrize("name", ["%00", "%ff", "%ED%A0%80", "x" * 5_000, "%20", "%0A", "131052-308T"])
def test_an_id_that_no_case_can_have_is_nobodys(worker: Client, name: str) -> None:
    for end in ("", "/next-steps", "/decisions", "/reads", "/identity"):
        problem(worker.get(f"/v1/cases/{name}{end}"), 404, "not-found")
    response = worker.post(f"/v1/cases/{name}/entries", {"entries": []}, headers={"If-Match": '"v1"'})
    problem(response, 404, "not-found")


def test_lists_go_on_from_page_to_page(anyone: Client) -> None:
    shown = showing(anyone, actor("social_worker", "team"))
    names = sorted(f"case-{number:02}" for number in range(7))
    for name in names:
        assert shown.post("/v1/cases", {"case": {"id": name}, "entries": []}).status_code == 201
    found, address = [], "/v1/cases?limit=3"
    while address is not None:
        page = shown.get(address).json()
        assert len(page["items"]) <= 3
        found += [item["id"] for item in page["items"]]
        address = page["next"]
    assert found == names
    for wrong in ("limit=0", "limit=201", "limit=x", "after=x", "after=W10", "closed=maybe"):
        assert places(shown.get(f"/v1/cases?{wrong}")) == [f"query.{wrong.split('=')[0]}"]


def test_closed_cases_can_be_left_out(anyone: Client) -> None:
    shown = showing(anyone, actor("social_worker", "team"))
    closed = [{"date": "2026-01-01", "type": "case_closed", "reason": "moved"}]
    shown.post("/v1/cases", {"case": {"id": "closed"}, "entries": closed})
    shown.post("/v1/cases", {"case": {"id": "open"}, "entries": []})
    listed = {
        value: [i["id"] for i in shown.get(f"/v1/cases?closed={value}").json()["items"]] for value in ("true", "false")
    }
    assert listed == {"true": ["closed"], "false": ["open"]}


def test_next_steps_are_those_the_rules_give(worker: Client) -> None:
    kept = worker.get(HERE).json()
    case = case_from_data({name: kept[name] for name in ("case", "entries")})
    for lang in ("fi", "sv", "en"):
        found = worker.get(f"{HERE}/next-steps?as_of=2026-04-01&lang={lang}")
        assert found.json() == assessor().assess(case, day("2026-04-01"), lang=lang).as_json()
        assert (found.headers["polku-case-etag"], "etag" in found.headers) == ('"v1"', False)
    assert worker.get(f"{HERE}/next-steps").json()["as_of"] == "2026-11-20"


def test_a_step_is_judged_as_if_taken(worker: Client) -> None:
    step = json.dumps({"trigger": "start_work_trial", "arrangement": "alongside_activity"})
    found = worker.get(f"{HERE}/next-steps", params={"proposal": step}).json()
    (trigger,) = [item for item in found["triggers"] if item["trigger"] == "start_work_trial"]
    assert trigger["status"] == "blocked"
    for wrong in (
        "x",
        "[]",
        '{"trigger": "x"}',
        '{"trigger": "start_job", "knd": 1}',
        "[" * 3_000,
        '{"a":"131052-308T"}',
    ):
        response = worker.get(f"{HERE}/next-steps", params={"proposal": wrong})
        assert all(place.startswith("query.proposal") for place in places(response))
        assert "308T" not in response.text


def test_what_was_recorded_later_was_not_known_then(worker: Client, clock: Clock) -> None:
    clock.advance(days=1)
    worker = showing(worker, actor("social_worker", "assigned"))
    step = {"date": "2026-11-01", "type": "job_started", "kind": "open_market"}
    assert worker.post(f"{HERE}/entries", {"entries": [step]}, headers={"If-Match": '"v1"'}).status_code == 201
    stages = {
        known: worker.get(f"{HERE}/next-steps", params={"known_at": known}).json()["state"]["employment"]
        for known in ("2026-11-20", "2026-11-21", "2026-11-20T12:00:00+02:00", "2026-11-21T12:00:00+02:00")
    }
    assert list(stages.values()) == ["none", "employed", "none", "employed"]
    told = problem(worker.get(f"{HERE}/next-steps?known_at=2026-11-20T12:00:00+02:00"), 422, "invalid-request")
    assert told["problems"][0]["hint"] == "in an address a + must be written %2B"


def test_a_rule_is_explained_clause_by_clause(worker: Client) -> None:
    found = worker.get(f"{HERE}/explanations/plan-review-every-3-months?lang=en").json()
    (explanation,) = found["explanations"]
    assert explanation["outcome"] == "violated"
    assert explanation["clauses"]
    problem(worker.get(f"{HERE}/explanations/plan-review"), 404, "not-found")


def test_engines_that_differ_give_no_advice_and_an_alarm(
    worker: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service = worker.app.state.service

    def differ(*args: Any, **options: Any) -> None:
        raise EngineDifference("on 2026-01-01: planted facts")

    before = metric(worker, "polku_engine_differences_total")
    monkeypatch.setattr(type(service.assessor), "assess", differ)
    response = worker.get(f"{HERE}/next-steps")
    problem(response, 503, "undetermined")
    assert "planted" not in response.text + caplog.text
    assert metric(worker, "polku_engine_differences_total") == before + 1


def metric(client: Client, name: str) -> float:
    """The value of a metric."""
    lines = client.get("/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(name + " ")))


def test_what_cannot_be_logged_is_not_shown(worker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.store.reads import Reads

    def fail(self: Reads) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(Reads, "flush", fail)
    for address in (HERE, f"{HERE}/next-steps", f"{HERE}/decisions", f"{HERE}/copy", "/v1/cases", f"{HERE}/identity"):
        response = worker.get(address)
        problem(response, 503, "unavailable")
        assert response.headers["retry-after"]
        assert "Orimattila" not in response.text
    response = worker.post(f"{HERE}/entries", {"entries": [world.BLOCKED]}, headers={"If-Match": '"v1"'})
    problem(response, 503, "unavailable")


def test_a_restricted_case_is_as_if_it_were_not_there(worker: Client, anyone: Client, sqlite: Database) -> None:
    assert worker.put(f"{HERE}/restriction", {"restricted": True, "reason": "contested"}).json()["restricted"]
    problem(worker.put(f"{HERE}/restriction", {"restricted": True, "reason": "contested"}), 409, "nothing-to-do")
    reaching = [("social_worker", "assigned"), ("team_leader", "team"), ("auditor", "none")]
    for role, relation in world.actors():
        shown = showing(anyone, actor(role, relation))
        response = shown.get(f"{HERE}/next-steps")
        listed = [item["id"] for item in shown.get("/v1/cases").json()["items"]]
        if (role, relation) in reaching or role == "auditor":
            assert (response.status_code, listed) == (200, [CLIENT])
        else:
            problem(response, 404, "not-found")
            assert listed == []
    taken = showing(anyone, actor("social_worker", "none")).post(f"{HERE}/emergency-access", {"reason": "on duty"})
    problem(taken, 404, "not-found")
    assert worker.put(f"{HERE}/restriction", {"restricted": False, "reason": "settled"}).status_code == 200


def test_a_consent_withdrawn_shuts_the_provider_out_that_day(worker: Client, anyone: Client) -> None:
    coach = showing(anyone, actor("job_coach", "provider"))
    assert coach.get(HERE).status_code == 200
    withdrawn = {"date": "2026-11-20", "type": "consent_withdrawn", "scope": "provider"}
    made = worker.post(f"{HERE}/entries", {"entries": [withdrawn]}, headers={"If-Match": '"v1"'})
    assert made.status_code == 201, made.text
    problem(coach.get(HERE), 404, "not-found")
    assert coach.get("/v1/cases").json()["items"] == []


def test_emergency_access_opens_the_case_for_hours_and_every_read_says_so(
    worker: Client, anyone: Client, clock: Clock, sqlite: Database
) -> None:
    stranger = showing(anyone, actor("social_worker", "none"))
    taken = stranger.post(f"{HERE}/emergency-access", {"reason": "the client is here"})
    assert (taken.status_code, taken.json()["role"]) == (201, "social_worker")
    assert stranger.get(HERE).json()["kept"]["relation"] == "emergency"
    problem(stranger.post(f"{HERE}/emergency-access", {"reason": "again"}), 409, "nothing-to-do")
    with sqlite.read(REGION) as unit:
        (read, *_) = unit.reads.by(actor("social_worker", "none").id, limit=1)
    assert json.loads(read.payload)["purpose"] == "emergency"
    leader = showing(anyone, actor("team_leader", "team"))
    (item,) = leader.get("/v1/acknowledgements").json()["items"]
    assert (item["kind"], item["reason"], item["by"]["user"]) == (
        "emergency_access", "the client is here", actor("social_worker", "none").id,
    )  # fmt: skip
    clock.advance(hours=12)
    stranger = showing(anyone, actor("social_worker", "none"))
    problem(stranger.get(HERE), 404, "not-found")


def test_identity_is_kept_apart_and_its_change_on_record(worker: Client) -> None:
    assert worker.get(f"{HERE}/identity").json()["identity"] is None
    sent = {"name": "Sirpa Esimerkki", "phone": "040 000 0000"}
    assert worker.put(f"{HERE}/identity", sent).json() == {"case": CLIENT, "identity": sent}
    assert worker.get(f"{HERE}/identity").json()["identity"] == sent
    assert "Esimerkki" not in worker.get(HERE).text
    assert places(worker.put(f"{HERE}/identity", {"nam": "x"})) == ["name", "nam"]
    response = worker.put(f"{HERE}/identity", {"name": "131052-308T"})
    assert places(response) == ["name"]
    assert "308T" not in response.text
    events = worker.get(f"{HERE}/copy").json()["events"]
    assert [event["fields"] for event in events if event["kind"] == "identity_changed"] == [["name", "phone"]]


def test_reads_name_the_others_not(worker: Client, anyone: Client) -> None:
    """A list shows many clients at once; whose client they are is nobody else's business."""
    team = showing(anyone, actor("social_worker", "team"))
    team.post("/v1/cases", {"case": {"id": "somebody-else"}, "entries": []})
    assert len(team.get("/v1/cases").json()["items"]) == 2
    for address in (f"{HERE}/reads", f"{HERE}/copy"):
        text = worker.get(address).text
        assert '"what":"cases"' in text
        assert "somebody-else" not in text


def test_what_a_case_document_holds_is_what_case_to_data_writes(worker: Client) -> None:
    found = worker.get(HERE).json()
    case = case_from_data({name: found[name] for name in ("case", "entries")})
    assert case_to_data(case) == {name: found[name] for name in ("case", "entries")}
