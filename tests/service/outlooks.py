"""Clients for the tests of outlooks and caseloads: the pack's examples, kept by the recorder; and rows made up."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from rules.journal import Case, case_to_data, read_case
from rules.steps import Step
from service.access.principal import Principal
from service.access.relations import Worker
from service.outlook import Ahead, AtWork, OpenFinding, Row
from service.recording.recorder import Recorder
from service.store import Unit
from tests.service.polku import EXAMPLES
from tests.service.store.keeping import REGION, open_case

TODAY = date(2025, 12, 1)
#: Examples that differ in what they show.
KEPT = ("sirpa", "jarmo", "sirpa-path", "lost-job", "trial-paused", "trial-failed")
ASSIGNED = {"date": "2020-01-01", "type": "worker_assigned", "role": "social_worker", "worker": "aino"}


@cache
def examples() -> dict[str, Case]:
    """The pack's example journals, by id."""
    files = (path for path in sorted(EXAMPLES.rglob("*.yaml")) if is_case(path))
    return {case.id: case for case in map(read_case, files)}


def is_case(path: Path) -> bool:
    """Whether an example file is a journal."""
    return path.name != "index.yaml" and not path.name.endswith(".expected.yaml")


def days_of(case: Case, rng: random.Random, count: int) -> Iterator[date]:
    """Days on which something may be of interest: about the entries, and the years after."""
    first = case.entries[0].date
    last = case.entries[-1].date
    for _ in range(count):
        if rng.random() < 0.5:
            yield rng.choice(case.entries).date + timedelta(days=rng.randint(-2, 40))
        else:
            yield first + timedelta(days=rng.randint(0, (last - first).days + 700))


def principal(user: str, role: str = "social_worker", team: str | None = "team-1", **others: Any) -> Principal:
    """Someone of the county, or as told."""
    told = {"region": REGION, "organisation": "county-1", "organisation_kind": "county", **others}
    return Principal(user=user, team=team, role=role, roles=(role,), **told)


AINO, LEADER = principal("aino"), principal("leader", "team_leader")
AUDITOR = principal("auditor", "auditor", None)
SUPERVISOR = principal("toivo", "activity_supervisor")


def open_examples(recorder: Recorder) -> list[str]:
    """Keep some of the examples as they stand today, aino's and the team's; their ids, in order."""
    for name in KEPT:
        document = stands(examples()[name], TODAY)
        document["case"] |= {"municipality": "Orimattila", "language": "fi"}
        document["entries"].append(dict(ASSIGNED))
        recorder.open(AINO, document)
    return sorted(KEPT)


def open_many(unit: Unit, count: int) -> list[str]:
    """Keep clients of aino's without having them judged; their ids, in order."""
    ids = [f"client-{number:04}" for number in range(count)]
    for case_id in ids:
        open_case(unit, case_id, [{**ASSIGNED, "id": "e1"}], organisation="county-1")
        unit.cases.set_relations(case_id, [Worker("aino", "social_worker", None, date(2020, 1, 1), None)], ())
    return ids


def stands(case: Case, until: date) -> dict[str, Any]:
    """A case's document with what is dated up to a day."""
    document = case_to_data(case)
    entries = [entry for entry in document["entries"] if entry["date"] <= until.isoformat()]
    kept = {entry["id"] for entry in entries}
    return {**document, "entries": [entry for entry in entries if entry.get("voids", entry["id"]) in kept]}


# ---- rows made up


def step(due: date | None = None, *, role: str = "social_worker", status: str = "can_do") -> Step:
    """A next step."""
    return Step("follow_up", role, due, status, ("a-rule",))


def row(case_id: str = "c-1", **told: Any) -> Row:
    """A row, as told or as usual."""
    usual: dict[str, Any] = {
        "name": None,
        "municipality": "Lahti",
        "language": "fi",
        "version": 1,
        "relation": "assigned",
        "organisation": "county-1",
        "team": "team-1",
        "opened_at": "2025-01-01T00:00:00.000000Z",
        "closed_on": None,
        "restricted": False,
        "shows_assessment": True,
        "fresh": True,
        "undetermined": False,
        "stage": "activity",
        "state": {"stage": "activity"},
        "steps": (),
        "dates": (),
        "open": (),
        "workers": (),
    }
    return Row(case_id=case_id, **{**usual, **told})


def due(day: date, rule: str = "a-rule", outcome: str = "advised") -> Ahead:
    """Something due on a day."""
    return Ahead(day, "due", rule, outcome, day, None)


def change(last_day: date, rule: str = "a-rule", outcome: str = "violated", before: str = "advised") -> Ahead:
    """An outcome that changes after a day."""
    return Ahead(last_day + timedelta(days=1), "change", rule, outcome, last_day, before)


def finding(rule: str = "a-rule", severity: str = "obligation", outcome: str = "violated", **told: Any) -> OpenFinding:
    """An open finding."""
    usual: dict[str, Any] = {"due": None, "action": "follow_up", "role": "social_worker", "gives_step": True}
    return OpenFinding(rule=rule, outcome=outcome, severity=severity, **{**usual, "set_aside": False, **told})


def at_work(*workers: str) -> tuple[AtWork, ...]:
    """Social workers at work with a client."""
    return tuple(AtWork(worker, "social_worker") for worker in workers)
