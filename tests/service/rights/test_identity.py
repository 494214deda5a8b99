"""Who a client is: changed in place by those who may, and what it was or is never gets into the chain."""

from __future__ import annotations

import json

import pytest

from service.access.principal import Principal
from service.rights.errors import Gone, NotOpen
from service.rights.identity import change_identity
from service.store import Database
from tests.service.conftest import Clock
from tests.service.rights.planting import REGION, SECRETS, WORKER, plant

OWN = Principal(WORKER, REGION, "county-1", "county", "team-1", "social_worker", ("social_worker",))
MOVED = {"name": "Aino Uusinimi", "address": "Uusikatu 1"}


@pytest.fixture(autouse=True)
def kept(database: Database, clock: Clock) -> None:
    """The planted client's case."""
    with database.write(REGION) as unit:
        plant(unit, "planted", clock(), closed_on=None)


def test_what_was_kept_is_replaced_and_only_the_fields_are_on_record(database: Database, clock: Clock) -> None:
    with database.write(REGION) as unit:
        assert change_identity(unit, "planted", OWN, MOVED, clock())
        assert not change_identity(unit, "planted", OWN, MOVED, clock())
    with database.read(REGION) as unit:
        assert unit.identities.get("planted") == MOVED
        events = [event for event in unit.events.of("planted") if event.kind == "identity_changed"]
    told = json.loads(events[-1].payload)
    assert (told["user"], told["fields"]) == (WORKER, ["address", "name", "phone"])
    assert len(events) == 2  # the planted one and this
    text = "".join(event.payload for event in events)
    assert not any(value in text for value in (*MOVED.values(), SECRETS["name"], SECRETS["phone"]))


@pytest.mark.parametrize(
    ("user", "role", "team"),
    [
        ("worker-2", "social_worker", "team-9"),
        ("worker-2", "employment_coach", "team-1"),
        ("worker-2", "activity_supervisor", "team-1"),
        ("auditor-1", "auditor", None),
        ("administrator-1", "administrator", None),
    ],
)
def test_others_change_nothing(database: Database, clock: Clock, user: str, role: str, team: str | None) -> None:
    who = Principal(user, REGION, "county-1", "county", team, role, (role,))
    with pytest.raises(NotOpen), database.write(REGION) as unit:
        change_identity(unit, "planted", who, MOVED, clock())
    with database.read(REGION) as unit:
        assert unit.identities.get("planted") == {"name": SECRETS["name"], "phone": SECRETS["phone"]}


def test_there_is_none_of_a_case_that_is_not_there(database: Database, clock: Clock) -> None:
    with pytest.raises(Gone), database.write(REGION) as unit:
        change_identity(unit, "nobody", OWN, MOVED, clock())
