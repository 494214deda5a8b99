"""The demo's clients: the rule pack's examples and the journeys of demo_clients/, moved to today and kept by the same
recorder as everybody's.

So they have decisions, chains and relations like real cases, and nothing in the service treats them otherwise. A
journey is opened some days ago with what its journal held then; what came since is recorded as on its day, by the
worker whose role it names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import groupby
from operator import add, itemgetter
from pathlib import Path
from typing import Any

import yaml

from rules.assessment import Assessor
from rules.entries import LOCAL_TIME
from rules.journal import case_to_data, read_case
from rules.pack import DEFAULT_PACK
from service.access.principal import Principal
from service.access.relations import local_day
from service.audit.chain import timestamp
from service.login.development import DemoUser, demo_users
from service.recording.errors import NeedsAcknowledgement
from service.recording.recorder import Recorder
from service.rights.emergency import take_emergency_access
from service.rights.identity import change_identity
from service.rights.restriction import restrict
from service.store import Account, Database

EXAMPLES = DEFAULT_PACK / "examples"
JOURNEYS = Path(__file__).parent / "demo_clients"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
#: Texts of people, in which a date is no field.
_WORDS = ("note", "goals", "reason", "outcome")
_FRIDAY = 4
#: When the demo's workers write: the first entry of a day, and how much later each next one.
_MORNING, _NEXT = time(9, 10), timedelta(minutes=25)
#: The number of an entry written in the afternoon, when cases are taken over.
_AFTERNOON = 12


@dataclass(frozen=True, slots=True)
class _Client:
    """A client's document, moved to today; `opened` is the day on which the service took it over."""

    document: dict[str, Any]
    opened: date

    @property
    def id(self) -> str:
        return str(self.document["case"]["id"])

    def worker(self, role: str) -> str:
        """Who was first named for the client in the role."""
        assigned = (entry for entry in self.document["entries"] if entry["type"] == "worker_assigned")
        return next(str(entry["worker"]) for entry in assigned if entry["role"] == role)


class _Clock:
    """The demo's time while its clients' past is recorded; it never runs ahead of now."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.at = now

    def __call__(self) -> datetime:
        return self.at

    def work(self, day: date, number: int = 0) -> datetime:
        """When the entry of this number was written on a day."""
        return min(datetime.combine(day, _MORNING, LOCAL_TIME) + number * _NEXT, self.now)


def fill(database: Database, assessor: Assessor, region: str, clock: Callable[[], datetime]) -> int:
    """Keep the demo's users and clients in an empty database; how many clients."""
    return _Filling(database, assessor, region, clock()).fill()


class _Filling:
    """One filling of an empty database."""

    def __init__(self, database: Database, assessor: Assessor, region: str, now: datetime) -> None:
        self._told = yaml.safe_load((Path(__file__).parent / "demo.yaml").read_text(encoding="utf-8"))
        self._users = {name: _principal(user, region) for name, user in demo_users().items()}
        self._clock = _Clock(now)
        self._recorder = Recorder(database, assessor, self._clock, program="demo")
        self._database, self._region = database, region

    def fill(self) -> int:
        now, today = self._clock.now, local_day(self._clock.now)
        with self._database.write(self._region) as unit:
            for user in self._users.values():
                unit.accounts.put(_account(user, now))
        count = 0
        for client in (*_examples(today, self._told), *_journeys(today, self._told)):
            self._keep(client)
            count += 1
        self._use_rights(now)
        return count

    def _keep(self, client: _Client) -> None:
        """Open the case as it stood on its first day here, then record what came since, each on its day."""
        entries = client.document["entries"]
        held = [entry for entry in entries if entry["date"] <= client.opened.isoformat()]
        owner = self._users[client.worker("social_worker")]
        self._clock.at = self._clock.work(client.opened, _AFTERNOON)
        written = [
            {**entry, "recorded_at": timestamp(self._clock.work(date.fromisoformat(day), min(number, _AFTERNOON)))}
            for day, together in groupby(held, key=itemgetter("date"))
            for number, entry in enumerate(together)
        ]
        self._recorder.open(owner, {**client.document, "entries": written})
        identity = {"name": self._told["clients"][client.id]["name"]}
        with self._database.write(self._region) as unit:
            change_identity(unit, client.id, owner, identity, self._clock.at)
        today = local_day(self._clock.now).isoformat()
        since = [entry for entry in entries if entry not in held]
        since += [{"date": today, **entry} for entry in self._told["today"].get(client.id, ())]
        groups = groupby(since, key=lambda entry: (entry["date"], entry.get("by", "social_worker")))
        for number, ((day, by), together) in enumerate(groups):
            self._clock.at = max(self._clock.at, self._clock.work(date.fromisoformat(day), number))
            self._record(client.id, number + 1, client.worker(by), list(together))

    def _record(self, case_id: str, version: int, user: str, entries: list[dict[str, Any]]) -> None:
        """Record; where rules speak against it, with the reason the demo tells."""
        record = partial(self._recorder.record, self._users[user], case_id, version, entries)
        try:
            record()
        except NeedsAcknowledgement as needed:
            record(acknowledged={"rules": list(needed.rules), "reason": self._told["acknowledged"][case_id]})

    def _use_rights(self, now: datetime) -> None:
        with self._database.write(self._region) as unit:
            for case_id, told in self._told["restricted"].items():
                restrict(unit, case_id, self._users[told["by"]], True, told["reason"], now)
            for case_id, told in self._told["emergency"].items():
                take_emergency_access(unit, case_id, self._users[told["by"]], told["reason"], now)


def _examples(today: date, told: dict[str, Any]) -> Iterator[_Client]:
    """The examples as they are, with the demo's users as workers."""
    for item in yaml.safe_load((EXAMPLES / "index.yaml").read_text(encoding="utf-8")):
        path = EXAMPLES / item["file"]
        by: timedelta = today - item["as_of"]
        for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            document = _document(file, item["as_of"])
            entries = document["entries"]
            first = next(entry for entry in entries if entry["type"] == "worker_assigned")
            entries.append({"date": first["date"], "type": "worker_assigned", **told["also"]})
            for entry in entries:
                if "worker" in entry:
                    entry["worker"] = told["workers"].get(entry["worker"], entry["worker"])
            more = {name: value for name, value in told["clients"][document["case"]["id"]].items() if name != "name"}
            document["case"] = {**document["case"], **more}
            yield _Client(_moved(document, partial(add, by)), today)


def _journeys(today: date, told: dict[str, Any]) -> Iterator[_Client]:
    """The clients of demo_clients/, who have no entries on a Saturday or Sunday."""
    as_of: date = told["journeys"]["as_of"]
    here_since = today - timedelta(days=told["journeys"]["days_here"])
    for file in sorted(JOURNEYS.glob("*.yaml")):
        document = _moved(_document(file, as_of), lambda day: _workday(day + (today - as_of)))
        first = min(date.fromisoformat(entry["date"]) for entry in document["entries"])
        yield _Client(document, max(first, here_since))


def _document(path: Path, day: date) -> dict[str, Any]:
    """The case's document with its entries up to the day it is looked at."""
    document = case_to_data(read_case(path))
    entries = [entry for entry in document["entries"] if entry["date"] <= day.isoformat()]
    kept = {entry["id"] for entry in entries}
    return {**document, "entries": [entry for entry in entries if entry.get("voids", entry["id"]) in kept]}


def _moved(value: Any, move: Callable[[date], date], name: str = "") -> Any:
    """Plain data with every day moved."""
    if isinstance(value, dict):
        return {key: _moved(inner, move, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, move, name) for inner in value]
    if isinstance(value, str) and name not in _WORDS and _DAY.fullmatch(value):
        return move(date.fromisoformat(value)).isoformat()
    return value


def _workday(day: date) -> date:
    """The day itself, or the Friday before a Saturday or Sunday. Days keep their order."""
    return day - timedelta(days=max(0, day.weekday() - _FRIDAY))


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
