"""A client of every kind of secret, and someone of every role in every relation to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from service.access.principal import PROVIDER_ROLES, ROLES
from service.access.relations import RELATIONS
from service.login.development import DemoUser, DevelopmentIdentity
from service.store import Database
from tests.service.api.asking import Client
from tests.service.api.people import headers, person

REGION = "paijat-hame"
CLIENT = "sirpa"
#: Nobody acts as the client: the identity provider's word for it admits no one.
ACTING = tuple(role for role in ROLES if role != "client")
#: What must never be seen by who may not see it.
NOTE, SECRET_REASON, ACKNOWLEDGED = "planted-note", "planted-set-aside-reason", "planted acknowledged reason"


def actors() -> Iterator[tuple[str, str]]:
    """Every role with every relation it can have: a provider's user has two roles fewer and no other relation."""
    for role in ACTING:
        for relation in RELATIONS:
            if relation != "provider" or role in PROVIDER_ROLES:
                yield role, relation


def actor(role: str, relation: str) -> DemoUser:
    """The one who acts in the role and stands so to the client."""
    if relation == "provider":
        return person(f"provider-{role}", role, organisation="provider-1", kind="provider", team=None)
    organisation = "county-2" if relation == "none" else "county-1"
    team = "team-1" if relation in ("team", "none") else None  # another county's team of that name is another team
    return person(f"{relation}-{role}", role, organisation=organisation, team=team)


def showing(client: Client, user: DemoUser, role: str | None = None) -> Client:
    """A client that shows the user's token."""
    identity: DevelopmentIdentity = client.app.state.identity
    return client.showing(headers(identity, user, role))


def document(case_id: str = CLIENT) -> dict[str, Any]:
    """A journal with something hidden from most: checklist answers, reasons, notes, and a worker for every role."""
    workers = [
        {"date": "2026-01-01", "type": "worker_assigned", "role": role, "worker": f"assigned-{role}"}
        for role in ACTING
        if role not in ("auditor", "administrator")
    ]
    return {
        "case": {"id": case_id, "municipality": "Orimattila", "birth_year": 1971, "language": "fi"},
        "entries": [
            *workers,
            {"date": "2026-01-05", "type": "consent_given", "scope": "provider", "parties": ["provider-1"]},
            {"date": "2026-01-10", "type": "activity_started", "days_per_week": 4, "period_end": "2027-01-09"},
            {"date": "2026-02-01", "type": "checklist_answered", "answers": {"chk-01": "yes", "chk-05": "no"}},
            {"date": "2026-02-03", "type": "coaching_declined", "reason": "substance_use", "note": NOTE},
            {"date": "2026-03-01", "type": "interest_asked", "wants_to_work": "yes"},
            {
                "date": "2026-03-02", "type": "advice_set_aside", "rule": "next-make-profile",
                "reason": SECRET_REASON,
            },
            {
                "date": "2026-03-05", "type": "activation_plan_updated",
                "participants": ["client", "social_worker", "employment_coach"],
                "coaching": {"start": "2026-03-10", "alongside_activity": "yes"},
            },
            {"date": "2026-03-10", "type": "coaching_started", "provider": "provider-1", "provider_kind": "private"},
        ],
    }  # fmt: skip


#: A step that a guard blocks for this client: no plan names the trial, no endorsement was checked.
BLOCKED = {"date": "2026-11-01", "type": "work_trial_started", "arrangement": "alongside_activity"}


def opened(client: Client, case_id: str = CLIENT) -> None:
    """Have the client's own social worker's team take the case over."""
    made = showing(client, actor("social_worker", "team")).post("/v1/cases", document(case_id))
    assert (made.status_code, made.headers["etag"]) == (201, '"v1"'), made.text


def settled(client: Client, database: Database, now: datetime) -> str:
    """The client's case, a blocked step recorded all the same, and emergency accesses; the id of the last decision."""
    opened(client)
    worker = showing(client, actor("social_worker", "assigned"))
    acknowledged = {
        "rules": ["as-update-on-trial", "ov-checks-endorsements-at-trial", "trial-parallel-two-statements"],
        "reason": ACKNOWLEDGED,
    }
    step = {"entries": [BLOCKED], "acknowledged": acknowledged}
    made = worker.post(f"/v1/cases/{CLIENT}/entries", step, headers={"If-Match": '"v1"'})
    assert made.status_code == 201, made.text
    assert worker.put(f"/v1/cases/{CLIENT}/identity", {"name": "Sirpa Esimerkki"}).status_code == 200
    with database.write(REGION) as unit:
        for role in ACTING:
            unit.emergencies.grant(CLIENT, actor(role, "emergency").id, role, now, now + timedelta(hours=12))
    return str(made.json()["decision"])
