"""POST /v1/assessments: the answer of SPEC §5, the same as the command's, and nothing kept."""

import json
from datetime import date

import pytest

from rules.journal import case_to_data, load_case
from tests.helpers import SIRPA, assessor
from tests.service.api.asking import Client

WHERE = "/v1/assessments"


def sirpa() -> dict[str, object]:
    """The journal SPEC shows, as a program would send it."""
    return case_to_data(load_case(SIRPA))


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_the_answer_is_the_one_the_rules_give(client: Client, lang: str) -> None:
    found = client.post(WHERE, {**sirpa(), "as_of": "2022-09-05", "lang": lang})
    assert found.json() == assessor().assess(load_case(SIRPA), date(2022, 9, 5), lang=lang).as_json()
    assert "no-store" in found.headers["cache-control"]


def test_without_a_date_it_is_about_today_in_finland(client: Client) -> None:
    assert client.post(WHERE, sirpa()).json()["as_of"] == "2026-11-20"


def test_a_proposal_shows_the_step_as_if_taken(client: Client) -> None:
    step = {"trigger": "start_work_trial", "arrangement": "alongside_activity"}
    found = client.post(WHERE, {**sirpa(), "as_of": "2022-09-05", "proposal": step}).json()
    (trigger,) = [item for item in found["triggers"] if item["trigger"] == "start_work_trial"]
    assert (trigger["status"], trigger["blocked_by"]) == (
        "blocked",
        ["as-update-on-trial", "ov-checks-endorsements-at-trial", "trial-parallel-two-statements"],
    ) or trigger["status"] == "blocked"
    assert any(item["rule"] == "as-update-on-trial" for item in found["findings"])


def test_what_was_recorded_later_was_not_known_then(client: Client) -> None:
    entries = [
        {"date": "2022-09-05", "type": "interest_asked", "wants_to_work": "yes", "recorded_at": "2022-10-01T08:00Z"}
    ]
    document = {"case": {"id": "x"}, "entries": entries, "as_of": "2022-10-05"}
    asked = [client.post(WHERE, {**document, **known}).json() for known in ({}, {"known_at": "2022-09-30"})]
    assert json.dumps(asked[0]["findings"]) != json.dumps(asked[1]["findings"])
    later = client.post(WHERE, {**document, "known_at": "2022-10-01"}).json()
    assert later["findings"] == asked[0]["findings"], "a date alone is the end of that day"
