"""A client whose name, note, employer and more are easily found again: planted through the store, everywhere it keeps
something of a client."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from service.access.relations import Party, Worker, local_day
from service.audit.chain import timestamp
from service.store import CheckFinding, CheckRun, KeptFacts, KeptOutlook, StoredCase, Unit, UsedKey

REGION = "paijat-hame"
#: What must be nowhere after disposal. None of it is part of anything that stays.
SECRETS = {
    "name": "Aino Esimerkkilä-Testinen",
    "phone": "+358 40 555 0199",
    "note": "kertoi kissansa Miirun sairaudesta",
    "employer": "tyonantaja-zq81",
    "municipality": "Kaukovainionkylä",
    "answers": "chk-07",
    "finding": "criminal-record-cost-planted",
    "acknowledged": "perusteluna planted-reason-5512",
    "emergency": "soitti päivystyksestä planted-emergency-77",
    "key": "planted-idempotency-key-991",
    "outlook": "next-planted-outlook-318",
}
WORKER = "worker-1"


def planted_entries() -> list[dict[str, Any]]:
    """The journal of the planted client: assigned, interested, a trial somewhere, closed."""
    return [
        {"date": "2015-01-05", "type": "worker_assigned", "id": "e1", "role": "social_worker", "worker": WORKER},
        {"date": "2015-01-08", "type": "checklist_answered", "id": "e2", "answers": {"chk-07": "no"}},
        {"date": "2015-02-01", "type": "interest_asked", "id": "e3", "wants_to_work": "yes", "note": SECRETS["note"]},
        {
            "date": "2015-03-02",
            "type": "work_trial_started",
            "id": "e4",
            "arrangement": "activity_ended",
            "employer": SECRETS["employer"],
        },
        {"date": "2016-05-10", "type": "case_closed", "id": "e5", "reason": "moved"},
    ]


def decision_payload(case_id: str, decision_id: str, version: int, entries: list[str], at: datetime) -> dict[str, Any]:
    """A decision record as the recorder makes them, with what is planted in it."""
    facts = {"case.stage": "work_trial", "case.interest": "yes"}
    return {
        "v": 1,
        "id": decision_id,
        "case": case_id,
        "version": version,
        "entries": entries,
        "recorded_at": timestamp(at),
        "recorded_by": {"user": WORKER, "organisation": "county-1", "role": "social_worker", "relation": "assigned"},
        "judgements": [
            {
                "purpose": "today",
                "as_of": at.date().isoformat(),
                "subjects": [{"kind": "case", "facts": facts}],
                "findings": [{"rule": "criminal-record-cost", "outcome": "advised", "planted": SECRETS["finding"]}],
            }
        ],
        "advice": [{"action": "keep_contact", "role": "social_worker"}],
        "status": "determined",
        "acknowledged": {"rules": ["as-update-on-trial"], "reason": SECRETS["acknowledged"]},
    }


def plant(unit: Unit, case_id: str, at: datetime, *, closed_on: str | None = "2016-05-10") -> StoredCase:
    """Keep the client in every place the store has for one; recorded at `at`, closed since `closed_on`."""
    header = {"id": case_id, "municipality": SECRETS["municipality"], "birth_year": 1971}
    case = unit.cases.add(case_id, header, "team-1", "county-1", at)
    unit.events.append(case, "opened", {"case": header}, at)
    entries = planted_entries()
    decision_id = f"decision-{case_id}"
    unit.entries.append(case, 1, entries, at)
    payload = decision_payload(case_id, decision_id, 1, [entry["id"] for entry in entries], at)
    unit.decisions.append(case, 1, decision_id, payload, at, recorded_by=WORKER, status="determined", acknowledged=True)
    unit.cases.set_closed(case_id, closed_on)
    today = local_day(at)
    unit.cases.set_relations(
        case_id,
        [Worker(WORKER, "social_worker", "county-1", today, None, "team-1")],
        [Party("provider-1", today, None)],
    )
    unit.identities.put(case_id, {"name": SECRETS["name"], "phone": SECRETS["phone"]})
    unit.events.append(case, "identity_changed", {"user": WORKER}, at)
    unit.events.append(
        case, "emergency_access", {"user": "worker-9", "role": "social_worker", "reason": SECRETS["emergency"]}, at
    )
    unit.emergencies.grant(case_id, "worker-9", "social_worker", at, at + timedelta(hours=12))
    unit.facts.keep([KeptFacts(case_id, 1, "1", "0" * 64, today.isoformat(), None, SECRETS["answers"])])
    unit.outlooks.keep(
        [KeptOutlook(case_id, 1, "0" * 64, "1", today.isoformat(), None, json.dumps({"rule": SECRETS["outlook"]}))]
    )
    unit.keys.add(UsedKey(WORKER, SECRETS["key"] + case_id, "0" * 64, case_id, decision_id, timestamp(at)))
    check_id = f"check-{case_id}"
    unit.checks.add(CheckRun(check_id, WORKER, "team_leader", today.isoformat(), "done", 1, 1, timestamp(at)))
    unit.checks.add_findings([CheckFinding(check_id, 0, case_id, json.dumps({"rule": SECRETS["finding"]}))])
    read(unit, WORKER, [case_id], at)
    return case


def read(unit: Unit, user: str, case_ids: list[str], at: datetime) -> None:
    """A read of these clients, on record."""
    payload = {
        "v": 1,
        "user": user,
        "organisation": "county-1",
        "role": "social_worker",
        "program": False,
        "purpose": "client_work",
        "what": "case",
        "cases": dict.fromkeys(case_ids, "assigned"),
        "refused": False,
    }
    unit.reads.append(user, case_ids, payload, at)
