"""Emergency access: with a reason, on record, for some hours, and never to a restricted case or for a provider."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from service.access.principal import PROVIDER_ROLES, Principal
from service.access.relations import relation
from service.rights.emergency import take_emergency_access
from service.rights.errors import Gone, Needless, NotOpen, WrongReason
from service.rights.restriction import restrict
from service.store import Database
from tests.service.conftest import Clock
from tests.service.rights.planting import REGION, WORKER, plant

REASON = "the client called from the street and their own worker is away"


def principal(
    user: str = "worker-2", role: str = "social_worker", team: str | None = "team-9", **given: str
) -> Principal:
    """A worker of the county who has no business with the planted client."""
    kind = given.get("kind", "county")
    return Principal(user, REGION, given.get("organisation", "county-1"), kind, team, role, (role,))


@pytest.fixture
def kept(database: Database, clock: Clock) -> None:
    """The planted client's case, open and assigned to someone since today."""
    with database.write(REGION) as unit:
        plant(unit, "planted", clock(), closed_on=None)


@pytest.mark.usefixtures("kept")
def test_it_opens_the_case_for_twelve_hours_and_no_longer(database: Database, clock: Clock) -> None:
    with database.write(REGION) as unit:
        taken = take_emergency_access(unit, "planted", principal(), REASON, clock())
    assert taken.until == "2026-11-20T22:00:00.000000Z"
    for hours, expected in ((0, "emergency"), (11.999, "emergency"), (12, "none")):
        with database.read(REGION) as unit:
            case = unit.cases.get("planted")
            assert case is not None
            standing = relation(principal(), unit.cases.ties(case), clock() + timedelta(hours=hours))
            assert standing == expected, hours


@pytest.mark.usefixtures("kept")
def test_who_took_it_and_why_stands_in_the_chain(database: Database, clock: Clock) -> None:
    with database.write(REGION) as unit:
        take_emergency_access(unit, "planted", principal(), f"  {REASON} ", clock())
    with database.read(REGION) as unit:
        event = unit.events.of("planted")[-1]
        case = unit.cases.get("planted")
        assert case is not None
        assert unit.chains.links(case.chain)[-1].kind == "emergency_access"
    assert event.kind == "emergency_access"
    assert json.loads(event.payload) == {
        "user": "worker-2",
        "organisation": "county-1",
        "role": "social_worker",
        "reason": REASON,
        "until": "2026-11-20T22:00:00.000000Z",
    }


@pytest.mark.usefixtures("kept")
def test_it_is_of_one_user_in_one_role(database: Database, clock: Clock) -> None:
    with database.write(REGION) as unit:
        take_emergency_access(unit, "planted", principal(), REASON, clock())
        case = unit.cases.get("planted")
        assert case is not None
        ties = unit.cases.ties(case)
    assert relation(principal(), ties, clock()) == "emergency"
    for other in (principal("worker-3"), principal(role="employment_coach")):
        assert relation(other, ties, clock()) == "none"


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    "reason", ["", "   ", "…", "123", "x" * 1_001, "asiakas 131052-308T soitti", "asiakas 13.10.52-308T"]
)
def test_a_reason_in_words_is_needed_and_no_code_in_it(database: Database, clock: Clock, reason: str) -> None:
    with pytest.raises(WrongReason) as refused, database.write(REGION) as unit:
        take_emergency_access(unit, "planted", principal(), reason, clock())
    assert "308" not in str(refused.value)
    nothing_taken(database)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("role", ["auditor", "administrator", "team_leader"])
def test_roles_that_do_no_client_work_cannot_take_it(database: Database, clock: Clock, role: str) -> None:
    with pytest.raises(NotOpen), database.write(REGION) as unit:
        take_emergency_access(unit, "planted", principal(role=role), REASON, clock())
    nothing_taken(database)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("role", PROVIDER_ROLES)
def test_no_emergency_replaces_the_consent_a_provider_needs(database: Database, clock: Clock, role: str) -> None:
    asking = principal(role=role, kind="provider", organisation="provider-2")
    with pytest.raises(NotOpen), database.write(REGION) as unit:
        take_emergency_access(unit, "planted", asking, REASON, clock())
    nothing_taken(database)


@pytest.mark.usefixtures("kept")
def test_whoever_has_the_case_open_does_not_need_it(database: Database, clock: Clock) -> None:
    with database.write(REGION) as unit:
        with pytest.raises(Needless):
            take_emergency_access(unit, "planted", principal(WORKER), REASON, clock())
        take_emergency_access(unit, "planted", principal(), REASON, clock())
        with pytest.raises(Needless):
            take_emergency_access(unit, "planted", principal(), REASON, clock())


@pytest.mark.usefixtures("kept")
def test_a_restricted_case_and_one_that_is_not_there_are_told_alike(database: Database, clock: Clock) -> None:
    with database.write(REGION) as unit:
        restrict(unit, "planted", principal(WORKER), True, "the client disputes the entries", clock())
    told = set()
    for case_id in ("planted", "nobody"):
        with pytest.raises(Gone) as refused, database.write(REGION) as unit:
            take_emergency_access(unit, case_id, principal(), REASON, clock())
        told.add(str(refused.value))
    assert len(told) == 1
    nothing_taken(database)


def nothing_taken(database: Database) -> None:
    """No access but the planted one is kept, nor an event of one."""
    with database.read(REGION) as unit:
        assert [taken.user for taken in unit.emergencies.of("planted")] == ["worker-9"]
        assert [event.kind for event in unit.events.of("planted")].count("emergency_access") == 1
