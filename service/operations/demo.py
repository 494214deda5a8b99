"""The demo's clients: the rule pack's examples, moved to today and kept by the same recorder as everybody's.

So they have decisions, chains and relations like real cases, and nothing in the service treats them otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from rules.assessment import Assessor
from rules.journal import case_to_data, read_case
from rules.pack import DEFAULT_PACK
from service.access.principal import Principal
from service.access.relations import local_day
from service.audit.chain import timestamp
from service.login.development import DemoUser, demo_users
from service.recording.errors import NeedsAcknowledgement
from service.recording.recorder import Recorder
from service.rights.identity import change_identity
from service.store import Account, Database

EXAMPLES = DEFAULT_PACK / "examples"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
#: Texts of people, in which a date is no field.
_WORDS = ("note", "goals", "reason", "outcome")


@dataclass(frozen=True, slots=True)
class _Example:
    """A case file and the day it is looked at."""

    path: Path
    day: date


def fill(database: Database, assessor: Assessor, region: str, clock: Callable[[], datetime]) -> int:
    """Keep the demo's users and clients in an empty database; how many clients."""
    told = yaml.safe_load((Path(__file__).parent / "demo.yaml").read_text(encoding="utf-8"))
    now = clock()
    users = {name: _principal(user, region) for name, user in demo_users().items()}
    with database.write(region) as unit:
        for user in users.values():
            unit.accounts.put(_account(user, now))
    recorder = Recorder(database, assessor, clock, program="demo")
    count = 0
    for example in _examples():
        document = _moved(example, local_day(now), told)
        case_id, owner = document["case"]["id"], users[_social_worker(document)]
        recorder.open(owner, document)
        with database.write(region) as unit:
            change_identity(unit, case_id, owner, {"name": told["names"][case_id]}, now)
        count += 1
        if case_id == told["acknowledged"]["case"]:
            _acknowledge(recorder, owner, told["acknowledged"], local_day(now))
    return count


def _examples() -> Iterator[_Example]:
    for item in yaml.safe_load((EXAMPLES / "index.yaml").read_text(encoding="utf-8")):
        path = EXAMPLES / item["file"]
        for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            yield _Example(file, item["as_of"])


def _moved(example: _Example, today: date, told: dict[str, Any]) -> dict[str, Any]:
    """The case's document with all days moved so that the day it is looked at is today, up to that day."""
    document = case_to_data(read_case(example.path))
    entries = [entry for entry in document["entries"] if entry["date"] <= example.day.isoformat()]
    kept = {entry["id"] for entry in entries}
    entries = [entry for entry in entries if entry.get("voids", entry["id"]) in kept]
    first = next(entry for entry in entries if entry["type"] == "worker_assigned")
    entries.append({"date": first["date"], "type": "worker_assigned", **told["also"]})
    for entry in entries:
        if "worker" in entry:
            entry["worker"] = told["workers"].get(entry["worker"], entry["worker"])
    moved: dict[str, Any] = _shifted({**document, "entries": entries}, today - example.day)
    return moved


def _shifted(value: Any, by: timedelta, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _shifted(inner, by, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shifted(inner, by, name) for inner in value]
    if isinstance(value, str) and name not in _WORDS and _DAY.fullmatch(value):
        return (date.fromisoformat(value) + by).isoformat()
    return value


def _social_worker(document: dict[str, Any]) -> str:
    """The worker who opens the case: the client's own."""
    assigned = (entry for entry in document["entries"] if entry["type"] == "worker_assigned")
    return next(str(entry["worker"]) for entry in assigned if entry["role"] == "social_worker")


def _acknowledge(recorder: Recorder, who: Principal, told: dict[str, Any], today: date) -> None:
    """Record the step against which rules speak, with a reason."""
    record = partial(recorder.record, who, told["case"], 1, [{"date": today.isoformat(), **told["entry"]}])
    try:
        record()
    except NeedsAcknowledgement as needed:
        record(acknowledged={"rules": list(needed.rules), "reason": told["reason"]})


def _principal(user: DemoUser, region: str) -> Principal:
    return Principal(
        user=user.id,
        region=region,
        organisation=user.organisation,
        organisation_kind=user.organisation_kind,
        team=user.team,
        role=user.roles[0],
        roles=user.roles,
    )


def _account(user: Principal, now: datetime) -> Account:
    return Account(
        user=user.user,
        organisation=user.organisation,
        organisation_kind=user.organisation_kind,
        team=user.team,
        roles=user.roles,
        blocked=False,
        seen_at=timestamp(now),
    )
