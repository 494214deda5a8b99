"""Decisions, checks and the logs over HTTP."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from rules.engines import EngineDifference
from service.checking import STOPPED, Checks
from service.store import Database
from tests.service.api import world
from tests.service.api.asking import Client, problem
from tests.service.api.waiting import ended, held_up
from tests.service.api.world import CLIENT, REGION, actor, opened, settled, showing
from tests.service.conftest import Clock

HERE = f"/v1/cases/{CLIENT}"
MET = {"date": "2026-11-02", "type": "contact", "party": "client", "form": "phone"}


@pytest.fixture
def worker(anyone: Client) -> Client:
    """The client's own social worker, the case taken over."""
    opened(anyone)
    return showing(anyone, actor("social_worker", "assigned"))


def record(worker: Client, entry: dict[str, Any], version: int) -> str:
    """Record an entry; its decision's id."""
    made = worker.post(f"{HERE}/entries", {"entries": [entry]}, headers={"If-Match": f'"v{version}"'})
    assert made.status_code == 201, made.text
    return str(made.json()["decision"])


def everything(client: Client, address: str) -> list[Any]:
    """The items of every page."""
    found: list[Any] = []
    following: str | None = address
    while following is not None:
        page = client.get(following).json()
        found += page["items"]
        following = page["next"]
    return found


# --- decisions ---


def test_every_version_has_its_decision(worker: Client) -> None:
    made = [record(worker, MET, version) for version in range(1, 6)]
    found = everything(worker, f"{HERE}/decisions?limit=2")
    assert [item["version"] for item in found] == [1, 2, 3, 4, 5, 6]
    assert [item["id"] for item in found][1:] == made


def test_a_decision_comes_out_the_same_again(worker: Client) -> None:
    decision = record(worker, MET, 1)
    told = worker.post(f"/v1/decisions/{decision}/replay", content=b"").json()
    assert told == {
        "decision": decision, "case": CLIENT, "version": 2, "same": True, "differences": [], "explained": [],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["0" * 32, "x", "%00", "a" * 5_000, "%2F", "131052-308T"])
def test_a_decision_that_is_not_there(worker: Client, name: str) -> None:
    problem(worker.get(f"/v1/decisions/{name}"), 404, "not-found")
    problem(worker.post(f"/v1/decisions/{name}/replay", content=b""), 404, "not-found")


# --- checks ---


def finished(client: Client, started: Any) -> dict[str, Any]:
    """The check when it is over."""
    assert started.status_code == 202, started.text
    return ended(client, started.headers["location"])


def test_a_check_finds_what_does_not_hold_together(worker: Client, anyone: Client, sqlite: Database) -> None:
    team = showing(anyone, actor("social_worker", "team"))
    team.post("/v1/cases", {"case": {"id": "empty"}, "entries": []})
    closed = [{"date": "2026-01-01", "type": "case_closed", "reason": "moved"}]
    team.post("/v1/cases", {"case": {"id": "closed"}, "entries": closed})
    found = finished(team, team.post("/v1/checks", {"as_of": "2026-11-20"}))
    assert (found["state"], found["done"], found["total"], found["error"]) == ("done", 2, 2, None)
    items = everything(team, f"/v1/checks/{found['id']}?limit=3&lang=en")
    assert {item["case"] for item in items} == {CLIENT}  # what "empty" needs rests on what the team does not see
    expected = {
        (item["rule"], item["outcome"])
        for item in team.get(f"{HERE}/next-steps").json()["findings"]
        if item.get("outcome") in ("violated", "advised", "unknown")
    }
    assert {(item["rule"], item["outcome"]) for item in items if item["case"] == CLIENT} == expected
    assert all(item["title"] and item["text"] for item in items)
    reads = everything(worker, f"{HERE}/reads")
    assert {read["what"] for read in reads} >= {f"check {found['id']}"}


def test_a_check_is_ones_own(worker: Client, anyone: Client) -> None:
    found = finished(worker, worker.post("/v1/checks", {}))
    leader = showing(anyone, actor("team_leader", "team"))
    problem(leader.get(f"/v1/checks/{found['id']}"), 404, "not-found")
    problem(worker.get("/v1/checks/none"), 404, "not-found")
    problem(worker.get("/v1/checks/%00"), 404, "not-found")
    administrator = showing(anyone, actor("administrator", "none"))
    problem(administrator.post("/v1/checks", {}), 403, "not-allowed")


def test_findings_go_with_the_relation(worker: Client, anyone: Client) -> None:
    coach = showing(anyone, actor("job_coach", "provider"))
    found = finished(coach, coach.post("/v1/checks", {}))
    address = f"/v1/checks/{found['id']}"
    assert everything(coach, address)
    record(worker, {"date": "2026-11-20", "type": "consent_withdrawn", "scope": "provider"}, 1)
    assert everything(coach, address) == []


def test_one_check_of_a_user_runs_at_a_time(worker: Client, anyone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = held_up(monkeypatch)
    started = worker.post("/v1/checks", {})
    told = problem(worker.post("/v1/checks", {}), 409, "check-running")
    assert told["check"] == started.json()["id"]
    other = showing(anyone, actor("employment_coach", "assigned"))
    assert other.post("/v1/checks", {}).status_code == 202
    go_on.set()
    assert finished(worker, started)["state"] == "done"
    assert worker.post("/v1/checks", {}).status_code == 202


def waiting(event: threading.Event) -> None:
    """What judges until it is let go on."""
    event.wait(10)


def test_too_many_checks_are_turned_away(worker: Client, anyone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(Checks, "_judge_all", lambda *args: waiting(go_on))
    answers = [
        showing(anyone, actor(role, relation)).post("/v1/checks", {})
        for role, relation in world.actors()
        if role not in ("administrator", "activity_supervisor")
    ]
    go_on.set()
    assert [answer.status_code for answer in answers] == [202] * 10 + [503] * (len(answers) - 10)
    problem(answers[-1], 503, "overloaded")


def test_engines_that_differ_are_told_for_their_client(worker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def differ(*args: Any, **options: Any) -> None:
        raise EngineDifference("planted facts")

    monkeypatch.setattr(type(worker.app.state.service.assessor), "findings", differ)
    found = finished(worker, worker.post("/v1/checks", {}))
    assert [(item["case"], item["rule"], item["outcome"]) for item in found["items"]] == [
        (CLIENT, None, "undetermined")
    ]


def test_a_fault_ends_the_check_and_not_the_service(worker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise ValueError("planted facts")

    monkeypatch.setattr(Checks, "_judge_all", fail)
    found = finished(worker, worker.post("/v1/checks", {}))
    assert (found["state"], found["error"]) == ("failed", "a fault of Polku's own")
    monkeypatch.undo()
    assert finished(worker, worker.post("/v1/checks", {}))["state"] == "done"


def test_a_stop_marks_what_it_broke_off(worker: Client, sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    service = worker.app.state.service
    monkeypatch.setattr(Checks, "_judge_all", lambda *args: waiting(service.checks._stopping))
    started = worker.post("/v1/checks", {}).json()
    service.checks.stop()
    told = worker.get(f"/v1/checks/{started['id']}").json()
    assert (told["state"], told["error"]) == ("failed", STOPPED)


def test_a_check_left_over_by_a_crash_is_marked_at_the_next_start(
    worker: Client, sqlite: Database, clock: Clock
) -> None:
    started = finished(worker, worker.post("/v1/checks", {}))
    with sqlite.write(REGION) as unit:
        unit.checks.finish(started["id"], "running", "2026-11-20T10:00:00.000000Z")
    assert worker.get(f"/v1/checks/{started['id']}").json()["state"] == "running"
    Checks(sqlite, worker.app.state.service.assessor, clock).fail_left_over(REGION)
    assert worker.get(f"/v1/checks/{started['id']}").json()["error"] == STOPPED


# --- logs and advice ---


def test_reads_are_listed_page_by_page(worker: Client, anyone: Client) -> None:
    for role in ("employment_coach", "job_coach", "team_leader"):
        for _ in range(3):
            showing(anyone, actor(role, "team")).get(HERE)
    whole = everything(worker, f"{HERE}/reads?limit=200")
    paged = everything(worker, f"{HERE}/reads?limit=4")
    known = {(read["user"], read["what"], read["at"]) for read in whole}
    assert known <= {(read["user"], read["what"], read["at"]) for read in paged}
    assert sum(read["user"].startswith("team-") for read in whole) == 9


def test_a_purpose_is_one_of_a_list_and_kept(worker: Client) -> None:
    worker.get(HERE, headers={"Polku-Purpose": "plan_meeting"})
    assert worker.get(f"{HERE}/reads").json()["items"][0]["purpose"] == "plan_meeting"
    told = problem(worker.get(HERE, headers={"Polku-Purpose": "curiosity"}), 422, "invalid-request")
    assert told["problems"][0]["place"] == "header.Polku-Purpose"


def test_advice_not_followed_is_listed_with_what_became_of_it(worker: Client) -> None:
    found = worker.get(f"{HERE}/advice").json()["items"]
    assert {item["became"] for item in found} <= {"open", "overdue"}
    rule = next(item["rule"] for item in found)
    aside = {"date": "2026-11-20", "type": "advice_set_aside", "rule": rule, "reason": "the client's own wish"}
    record(worker, aside, 1)
    after = {item["rule"]: item["became"] for item in worker.get(f"{HERE}/advice").json()["items"]}
    assert after[rule] == "set_aside"
    assert len(worker.get(f"{HERE}/advice?everything=true").json()["items"]) >= len(after)


def test_the_leaders_list_goes_on_from_page_to_page(anyone: Client, sqlite: Database, clock: Clock) -> None:
    settled(anyone, sqlite, clock())
    for number in range(5):
        clock.advance(minutes=1)
        stranger = showing(anyone, world.person(f"duty-{number}", "social_worker", team=None))
        assert stranger.post(f"{HERE}/emergency-access", {"reason": f"reason {number}"}).status_code == 201
    leader = showing(anyone, actor("team_leader", "team"))
    items = everything(leader, "/v1/acknowledgements?limit=2")
    assert [item["reason"] for item in items] == [*(f"reason {n}" for n in reversed(range(5))), world.ACKNOWLEDGED]


def test_a_case_that_is_disposed_of_is_gone(worker: Client, anyone: Client, sqlite: Database, clock: Clock) -> None:
    from service.rights.disposal import dispose
    from service.rights.retention import retention

    record(worker, {"date": "2026-11-20", "type": "case_closed", "reason": "moved"}, 1)
    clock.advance(days=366 * 11)
    day = clock().date()
    dispose(sqlite, REGION, day, clock(), decided_by="tests", periods=retention())
    leader, auditor = (showing(anyone, actor(role, "team")) for role in ("team_leader", "auditor"))
    problem(leader.get(HERE), 410, "gone")
    problem(auditor.get(f"{HERE}/decisions"), 410, "gone")
    response = leader.post(f"{HERE}/entries", {"entries": [MET]}, headers={"If-Match": '"v2"'})
    problem(response, 410, "gone")
    problem(showing(anyone, actor("social_worker", "assigned")).get(HERE), 404, "not-found")
