"""A caseload to look at: clients of every kind of next step, opened by their social worker."""

from __future__ import annotations

from typing import Any

from service.login.development import DemoUser
from tests.helpers import entry
from tests.service.api.asking import Client
from tests.service.api.people import AINO, person
from tests.service.api.world import REGION, showing

#: Of the same team as AINO, with no client of her own.
VILMA = person("vilma", "social_worker")
LEADER = person("lauri", "team_leader")
STRANGER = person("sulo", "social_worker", organisation="county-2", team="team-1")


def opened(
    client: Client, case_id: str, *entries: dict[str, Any], name: str | None = None, by: DemoUser = AINO
) -> None:
    """A client taken over by a worker, who is theirs from then on."""
    worker = showing(client, by)
    assigned = entry("2026-01-01", "worker_assigned", role="social_worker", worker=by.id)
    header = {"id": case_id, "municipality": "Orimattila", "birth_year": 1971, "language": "fi"}
    made = worker.post("/v1/cases", {"case": header, "entries": [assigned, *entries]})
    assert made.status_code == 201, made.text
    if name is not None:
        assert worker.put(f"/v1/cases/{case_id}/identity", {"name": name}).status_code == 200


def caseload(client: Client) -> None:
    """Four clients of AINO, by what is due on the clock's day (2026-11-20): overdue, within a week, later, no date."""
    activity = entry("2026-01-10", "activity_started", days_per_week=4, period_end="2027-01-09")
    plan = entry("2026-11-01", "activation_plan_updated", participants=["client", "social_worker", "employment_coach"])
    wishes = entry("2026-09-01", "interest_asked", wants_to_work=True)
    opened(client, "late", activity, wishes, name="Lahja Loppunut")
    paused = entry("2026-10-25", "activity_paused", reason="work_trial")
    trial = entry("2026-10-25", "work_trial_started", arrangement="activity_paused", planned_end="2027-01-20")
    opened(client, "soon", activity, plan, paused, trial, name="Sirpa Åkerman")
    opened(client, "later", plan, entry("2026-11-10", "interest_asked", wants_to_work=True), name="Tauno Tauko")
    opened(client, "calm", name="Äidin Onni")


def up_to_date(client: Client) -> None:
    """Have every outlook made, as the service does by itself in a while."""
    client.app.state.service.outlooks.catch_up(REGION)
