"""Restriction: few reach the case while it lasts; who set it and why stays on record."""

from __future__ import annotations

import json

import pytest

from service.access.principal import Principal
from service.access.relations import relation
from service.rights.errors import Gone, Needless, NotOpen, WrongReason
from service.rights.restriction import restrict
from service.store import Database
from tests.service.conftest import Clock
from tests.service.rights.planting import REGION, WORKER, plant

REASON = "the client disputes what is recorded of March"


def principal(user: str, role: str, team: str = "team-1", organisation: str = "county-1") -> Principal:
    """A worker of the planted client's organisation."""
    return Principal(user, REGION, organisation, "county", team, role, (role,))


OWN = principal(WORKER, "social_worker")
LEADER = principal("leader-1", "team_leader")


@pytest.fixture(autouse=True)
def kept(database: Database, clock: Clock) -> None:
    """The planted client's case."""
    with database.write(REGION) as unit:
        plant(unit, "planted", clock(), closed_on=None)


def standing(database: Database, clock: Clock, who: Principal) -> str:
    """How someone stands to the case now."""
    with database.read(REGION) as unit:
        case = unit.cases.get("planted")
        assert case is not None
        return relation(who, unit.cases.ties(case), clock())


@pytest.mark.parametrize("who", [OWN, LEADER], ids=["the own worker", "the team's leader"])
def test_it_closes_the_case_to_everyone_else_until_it_is_lifted(
    database: Database, clock: Clock, who: Principal
) -> None:
    others = [principal("worker-5", "social_worker"), principal("worker-6", "employment_coach")]
    assert {standing(database, clock, other) for other in others} == {"team"}
    with database.write(REGION) as unit:
        restrict(unit, "planted", who, True, REASON, clock())
    assert {standing(database, clock, other) for other in others} == {"none"}
    assert (standing(database, clock, OWN), standing(database, clock, LEADER)) == ("assigned", "team")
    with database.write(REGION) as unit:
        restrict(unit, "planted", who, False, "it is cleared up", clock())
    assert {standing(database, clock, other) for other in others} == {"team"}


def test_both_ways_stand_in_the_chain_with_their_reason(database: Database, clock: Clock) -> None:
    with database.write(REGION) as unit:
        restrict(unit, "planted", OWN, True, REASON, clock())
        restrict(unit, "planted", LEADER, False, "it is cleared up", clock())
    with database.read(REGION) as unit:
        told = [json.loads(event.payload) for event in unit.events.of("planted") if event.kind == "restriction"]
    assert [(item["user"], item["relation"], item["restricted"], item["reason"]) for item in told] == [
        (WORKER, "assigned", True, REASON),
        ("leader-1", "team", False, "it is cleared up"),
    ]


@pytest.mark.parametrize(
    "who",
    [
        principal("worker-5", "social_worker"),
        principal("worker-6", "employment_coach"),
        principal("leader-2", "team_leader", team="team-2"),
        principal("leader-1", "team_leader", organisation="county-2"),
        principal("auditor-1", "auditor"),
        principal("administrator-1", "administrator"),
    ],
    ids=lambda who: f"{who.user} as {who.role}",
)
def test_nobody_else_sets_it(database: Database, clock: Clock, who: Principal) -> None:
    with pytest.raises(NotOpen), database.write(REGION) as unit:
        restrict(unit, "planted", who, True, REASON, clock())
    with database.read(REGION) as unit:
        case = unit.cases.get("planted")
        assert case is not None
        assert not case.restricted


def test_it_needs_a_reason_a_case_and_something_to_change(database: Database, clock: Clock) -> None:
    with database.write(REGION) as unit:
        with pytest.raises(WrongReason):
            restrict(unit, "planted", OWN, True, " ", clock())
        with pytest.raises(Needless):
            restrict(unit, "planted", OWN, False, REASON, clock())
        with pytest.raises(Gone):
            restrict(unit, "nobody", OWN, True, REASON, clock())
