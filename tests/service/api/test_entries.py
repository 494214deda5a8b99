"""Recording over HTTP: nothing is lost, nothing is doubled, and what happened can always be recorded."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest

from rules.engines import CheckedEngine, EngineDifference
from tests.service.api import world
from tests.service.api.asking import Client, places, problem
from tests.service.api.world import BLOCKED, CLIENT, actor, opened, showing
from tests.service.conftest import Clock

HERE = f"/v1/cases/{CLIENT}"
WHERE = f"{HERE}/entries"
MET = {"date": "2026-11-02", "type": "contact", "party": "client", "form": "phone"}
FIRST = {"If-Match": '"v1"'}


@pytest.fixture
def worker(anyone: Client) -> Client:
    """The client's own social worker, the case taken over."""
    opened(anyone)
    return showing(anyone, actor("social_worker", "assigned"))


def entries(worker: Client) -> list[dict[str, Any]]:
    """The entries of the client's case."""
    found: list[dict[str, Any]] = worker.get(HERE).json()["entries"]
    return found


def test_what_is_recorded_is_told_with_its_decision_and_what_is_next(worker: Client) -> None:
    made = worker.post(f"{WHERE}?lang=en", {"entries": [MET]}, headers=FIRST)
    told = made.json()
    assert (made.status_code, made.headers["etag"], told["version"], told["status"]) == (201, '"v2"', 2, "determined")
    assert "idempotency-replayed" not in made.headers
    assert told["next_steps"]
    (new,) = [entry for entry in entries(worker) if entry["id"] in told["entries"]]
    assert (new["by"], new["recorded_at"]) == ("social_worker", "2026-11-20T10:00:00+00:00")
    decision = worker.get(f"/v1/decisions/{told['decision']}").json()
    assert (decision["version"], decision["entries"]) == (2, told["entries"])
    assert decision["recorded_by"]["user"] == actor("social_worker", "assigned").id


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "entries"),
        ({"entries": {}}, "entries"),
        ({"entries": []}, "entries"),
        ({"entries": None}, "entries"),
        ({"entries": [MET] * 101}, "entries"),
        ({"entries": [1]}, "entries[0]"),
        ({"entries": [{}]}, "entries[0].date"),
        ({"entries": [MET, {**MET, "minuts": 5}]}, "entries[1].minuts"),
        ({"entries": [{**MET, "recorded_at": "2026-01-01T10:00Z"}]}, "entries[0].recorded_at"),
        ({"entries": [{**MET, "id": "e1"}]}, "entries[0].id"),
        ({"entries": [{"date": "2026-11-02", "type": "correction", "voids": "e999"}]}, "entries[0].voids"),
        ({"entries": [{**MET, "note": "131052-308T"}]}, "entries[0].note"),
        ({"entries": [MET], "acknowledge": {}}, "acknowledge"),
        ({"entries": [MET], "acknowledged": []}, "acknowledged"),
        ({"entries": [MET], "acknowledged": {"rules": ["no-such-rule"], "reason": "x"}}, "acknowledged.rules[0]"),
        ({"entries": [MET], "acknowledged": {"rules": ["path-inconsistent"], "reason": " "}}, "acknowledged.reason"),
        (
            {"entries": [MET], "acknowledged": {"rules": ["path-inconsistent"], "reason": "131052-308T"}},
            "acknowledged.reason",
        ),
    ],
)  # fmt: skip
def test_a_list_with_a_mistake_is_refused_whole_with_its_place(worker: Client, body: Any, place: str) -> None:
    response = worker.post(WHERE, body, headers=FIRST)
    assert place in places(response)
    assert "308T" not in response.text
    assert worker.get(HERE).headers["etag"] == '"v1"'


def test_a_step_that_a_guard_blocks_is_recorded_once_it_is_acknowledged(worker: Client, anyone: Client) -> None:
    told = problem(worker.post(f"{WHERE}?lang=en", {"entries": [BLOCKED]}, headers=FIRST), 409, "needs-acknowledgement")
    assert "as-update-on-trial" in told["rules"]
    assert {finding["rule"] for finding in told["findings"]} == set(told["rules"])
    assert worker.get(HERE).headers["etag"] == '"v1"'
    half = {"entries": [BLOCKED], "acknowledged": {"rules": told["rules"][:1], "reason": "it has happened"}}
    problem(worker.post(WHERE, half, headers=FIRST), 409, "needs-acknowledgement")
    whole = {"entries": [BLOCKED], "acknowledged": {"rules": told["rules"], "reason": "it has happened"}}
    made = worker.post(WHERE, whole, headers=FIRST)
    assert (made.status_code, made.json()["acknowledged"]) == (
        201,
        {"rules": told["rules"], "reason": "it has happened"},
    )
    leader = showing(anyone, actor("team_leader", "team"))
    (item,) = leader.get("/v1/acknowledgements").json()["items"]
    assert (item["case"], item["decision"], item["reason"]) == (CLIENT, made.json()["decision"], "it has happened")


def test_an_entry_the_path_does_not_have_is_recorded_once_it_is_acknowledged(worker: Client) -> None:
    step = {"date": "2026-11-01", "type": "work_trial_ended", "outcome": "completed"}
    told = problem(worker.post(WHERE, {"entries": [step]}, headers=FIRST), 409, "needs-acknowledgement")
    assert told["rules"] == ["path-inconsistent"]
    assert [item["day"] for item in told["breaks"]] == ["2026-11-20"]
    body = {"entries": [step], "acknowledged": {"rules": ["path-inconsistent"], "reason": "the start was elsewhere"}}
    assert worker.post(WHERE, body, headers=FIRST).status_code == 201


def test_a_change_is_made_to_what_was_read_or_not_at_all(worker: Client) -> None:
    problem(worker.post(WHERE, {"entries": [MET]}), 428, "precondition-required")
    for wrong in ('W/"v1"', "*", '"v1", "v2"', "v1"):
        assert places(worker.post(WHERE, {"entries": [MET]}, headers={"If-Match": wrong})) == ["header.If-Match"]
    assert worker.post(WHERE, {"entries": [MET]}, headers=FIRST).status_code == 201
    late = worker.post(WHERE, {"entries": [MET]}, headers=FIRST)
    assert problem(late, 412, "precondition-failed")["version"] == 2
    assert late.headers["etag"] == '"v2"'


def test_the_same_request_under_the_same_key_is_done_once_and_answered_again(worker: Client, clock: Clock) -> None:
    headers = {**FIRST, "Idempotency-Key": "key-1"}
    first = worker.post(WHERE, {"entries": [MET]}, headers=headers)
    assert worker.post(WHERE, {"entries": [MET]}, headers={"If-Match": '"v2"'}).status_code == 201
    clock.advance(minutes=10)
    again = worker.post(WHERE, {"entries": [MET]}, headers=headers)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert (again.headers["etag"], again.headers["idempotency-replayed"]) == (first.headers["etag"], "true")
    assert worker.get(HERE).headers["etag"] == '"v3"'


def test_a_key_stands_for_one_request_of_one_user(worker: Client, anyone: Client) -> None:
    headers = {**FIRST, "Idempotency-Key": "key-1"}
    assert worker.post(WHERE, {"entries": [MET]}, headers=headers).status_code == 201
    problem(worker.post(WHERE, {"entries": [{**MET, "minutes": 5}]}, headers=headers), 422, "key-reused")
    problem(worker.post(WHERE, {"entries": [MET]}, headers={**headers, "If-Match": '"v2"'}), 422, "key-reused")
    coach = showing(anyone, actor("employment_coach", "assigned"))
    assert coach.post(WHERE, {"entries": [MET]}, headers={**headers, "If-Match": '"v2"'}).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "é"])
def test_a_key_is_visible_ascii(worker: Client, key: str) -> None:
    response = worker.post(WHERE, {"entries": [MET]}, headers={**FIRST, "Idempotency-Key": key.encode("latin-1")})
    assert places(response) == ["header.Idempotency-Key"]


def test_a_key_opens_nothing_to_whoever_has_lost_the_client(worker: Client, anyone: Client) -> None:
    coach = showing(anyone, actor("job_coach", "provider"))
    headers = {**FIRST, "Idempotency-Key": "key-1"}
    assert coach.post(WHERE, {"entries": [MET]}, headers=headers).status_code == 201
    withdrawn = {"date": "2026-11-20", "type": "consent_withdrawn", "scope": "provider"}
    assert worker.post(WHERE, {"entries": [withdrawn]}, headers={"If-Match": '"v2"'}).status_code == 201
    problem(coach.post(WHERE, {"entries": [MET]}, headers=headers), 404, "not-found")


def test_a_case_is_opened_once_under_a_key(anyone: Client) -> None:
    shown = showing(anyone, actor("social_worker", "team"))
    body = {"case": {"id": "newcomer"}, "entries": []}
    first, again = (shown.post("/v1/cases", body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    problem(
        shown.post("/v1/cases", {"case": {"id": "new2"}, "entries": []}, headers={"Idempotency-Key": "k"}),
        422,
        "key-reused",
    )


def test_of_many_at_once_one_is_recorded_and_the_others_are_told(worker: Client) -> None:
    answers: list[int] = []

    def ask() -> None:
        answers.append(worker.post(WHERE, {"entries": [MET]}, headers=FIRST).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(answers) == {201: 1, 412: 7}
    assert worker.get(HERE).headers["etag"] == '"v2"'


def test_of_many_at_once_under_one_key_all_get_the_one_answer(worker: Client) -> None:
    answers: list[tuple[int, str]] = []

    def ask() -> None:
        response = worker.post(WHERE, {"entries": [MET]}, headers={**FIRST, "Idempotency-Key": "key-1"})
        answers.append((response.status_code, response.json().get("decision")))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert answers[0][0] == 201
    assert worker.get(HERE).headers["etag"] == '"v2"'


def test_engines_that_differ_never_keep_what_happened_from_being_recorded(
    worker: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def differ(*args: Any, **options: Any) -> None:
        raise EngineDifference("on 2026-01-01: planted facts")

    monkeypatch.setattr(CheckedEngine, "judge", differ)
    made = worker.post(WHERE, {"entries": [MET]}, headers=FIRST)
    assert (made.status_code, made.json()["status"], made.json()["next_steps"]) == (201, "undetermined", [])
    assert "planted" not in made.text + caplog.text


def test_what_rests_on_something_hidden_is_withheld_from_the_answer(worker: Client, anyone: Client) -> None:
    supervisor = showing(anyone, actor("activity_supervisor", "assigned"))
    paused = {"date": "2026-11-02", "type": "activity_paused", "reason": "other"}
    made = supervisor.post(WHERE, {"entries": [paused]}, headers=FIRST).json()
    assert (made["state"], made["next_steps"]) == (None, None)
    team = showing(anyone, actor("social_worker", "team"))
    whole = worker.post(WHERE, {"entries": [MET]}, headers={"If-Match": '"v2"'}).json()
    part = team.post(WHERE, {"entries": [MET]}, headers={"If-Match": '"v3"'}).json()
    assert len(part["next_steps"]) <= len(whole["next_steps"])


def test_ones_own_entries_are_seen_whole(worker: Client, anyone: Client) -> None:
    coach = showing(anyone, actor("employment_coach", "assigned"))
    noted = {**MET, "note": "the coach's own note"}
    made = coach.post(WHERE, {"entries": [noted]}, headers=FIRST).json()
    (own,) = [entry for entry in entries(coach) if entry["id"] in made["entries"]]
    assert own["note"] == "the coach's own note"
    other = showing(anyone, actor("job_coach", "assigned"))
    (same,) = [entry for entry in entries(other) if entry["id"] in made["entries"]]
    assert "note" not in same
    assert world.NOTE not in coach.get(HERE).text
