"""Outlooks as they are kept: of a version, for a while, never of a case that is gone; lists in one query."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import event

from service.access.principal import Principal
from service.access.relations import RELATIONS, Party, Worker
from service.store import Database, KeptOutlook, OutlookMade, Standard
from tests.service.postgresql import ON_POSTGRESQL
from tests.service.store.keeping import ELSEWHERE, NOW, REGION, open_case

DAY = date(2026, 11, 20)
KEPT = KeptOutlook("sirpa", 1, "0" * 64, "program", "2026-11-18", "2026-11-25", '{"v":1}')
STANDARD = Standard("0" * 64, "program", DAY)
EVERYBODY = frozenset(RELATIONS)


def principal(user: str, role: str = "social_worker", team: str | None = None, **others: Any) -> Principal:
    told = {"region": REGION, "organisation": "county", "organisation_kind": "county", **others}
    return Principal(user=user, team=team, role=role, roles=(role,), **told)


def test_an_outlook_is_kept_in_place_of_the_one_before(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
        assert unit.outlooks.get("sirpa") is None
        assert unit.outlooks.keep([KEPT]) == 1
        assert unit.outlooks.keep([later := replace(KEPT, until_day=None, payload='{"v":2}')]) == 1
        assert unit.outlooks.keep([]) == 0
    with database.read(REGION) as unit:
        assert unit.outlooks.get("sirpa") == later
        assert unit.outlooks.payloads(["sirpa", "nobody"]) == {"sirpa": '{"v":2}'}
        assert unit.outlooks.payloads([]) == {}
    with database.read(ELSEWHERE) as unit:
        assert unit.outlooks.get("sirpa") is None
        assert unit.outlooks.payloads(["sirpa"]) == {}


def test_an_outlook_of_another_version_or_of_nobody_is_not_kept(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
        unit.cases.advance("sirpa", 1)
        assert unit.outlooks.keep([KEPT, replace(KEPT, case_id="nobody")]) == 0
        assert unit.outlooks.keep([replace(KEPT, version=2)]) == 1
    with database.write(ELSEWHERE) as unit:
        assert unit.outlooks.keep([replace(KEPT, version=2)]) == 0


def test_the_payloads_of_very_many_are_read(database: Database) -> None:
    ids = [f"case-{number}" for number in range(1203)]
    with database.write(REGION) as unit:
        for case_id in ids[::200]:
            open_case(unit, case_id)
        unit.outlooks.keep([replace(KEPT, case_id=case_id) for case_id in ids])
        assert sorted(unit.outlooks.payloads(ids)) == sorted(ids[::200])


@pytest.mark.parametrize(
    ("changed", "meets"),
    [
        ({}, True),
        ({"until_day": None}, True),
        ({"from_day": "2026-11-20"}, True),
        ({"from_day": "2026-11-21"}, False),
        ({"until_day": "2026-11-21"}, True),
        ({"until_day": "2026-11-20"}, False),
        ({"pack_sha256": "1" * 64}, False),
        ({"made_by": "another"}, False),
        ({"version": 2}, False),
    ],
)
def test_what_is_stale_is_told_alike_by_the_database_and_of_one(
    database: Database, changed: dict[str, Any], meets: bool
) -> None:
    kept = replace(KEPT, **changed)
    made = OutlookMade(kept.version, kept.pack_sha256, kept.made_by, kept.from_day, kept.until_day)
    assert STANDARD.met_by(made, 1) is meets
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
        if kept.version == 2:  # recorded of a version that the case no longer has
            unit.outlooks.keep([replace(kept, version=1)])
            unit.cases.advance("sirpa", 1)
        else:
            unit.outlooks.keep([kept])
        expected = {} if meets else {"sirpa": 2 if kept.version == 2 else 1}
        assert unit.outlooks.stale(STANDARD, closed=False) == expected


def test_without_an_outlook_a_case_is_stale(database: Database) -> None:
    assert not STANDARD.met_by(None, 1)
    with database.write(REGION) as unit:
        for case_id in ("a", "b", "c", "gone"):
            open_case(unit, case_id)
        unit.cases.set_closed("b", "2026-11-20")
        unit.cases.set_closed("c", "2026-11-21")  # dated ahead
        assert unit.outlooks.stale(STANDARD, closed=False) == {"a": 1, "c": 1, "gone": 1}
        assert unit.outlooks.stale(STANDARD, closed=False, after="a", limit=1) == {"c": 1}
        assert unit.outlooks.stale(STANDARD, closed=True) == {"b": 1}
    with database.read(ELSEWHERE) as unit:
        assert unit.outlooks.stale(STANDARD, closed=False) == {}


def _fill(database: Database) -> None:
    today = NOW.date()
    with database.write(REGION) as unit:
        for number in range(12):
            case_id = f"case-{number:02}"
            open_case(unit, case_id, team="team-1" if number % 3 else "team-2")
            workers = [Worker("aino", "social_worker", None, today, None, None)] if number % 2 else []
            over = Worker(
                "vilho", "social_worker", None, today - timedelta(days=9), today - timedelta(days=1), "team-1"
            )
            unit.cases.set_relations(
                case_id, [*workers, over], [Party("provider-1", today, None)] if number < 4 else []
            )
            if number % 4 == 0:
                unit.identities.put(case_id, {"name": f"Nimi {number}"})
            if number % 5:
                unit.outlooks.keep([replace(KEPT, case_id=case_id)])
        unit.cases.set_closed("case-11", "2026-11-01")
        unit.cases.set_restricted("case-07", True)


@pytest.mark.parametrize("closed", [None, False, True])
@pytest.mark.parametrize(
    "who",
    [
        principal("aino", team="team-1"),
        principal("vilho", team="team-2"),
        principal("vilho"),
        principal("leader", "team_leader", "team-1"),
        principal("auditor", "auditor"),
        principal("lempi", "job_coach", organisation="provider-1", organisation_kind="provider"),
    ],
    ids=lambda who: f"{who.user}-{who.team}",
)
def test_a_list_has_the_cases_that_pages_have(database: Database, who: Principal, closed: bool | None) -> None:
    _fill(database)
    relations = EVERYBODY if who.role == "auditor" else EVERYBODY - {"none"}
    with database.read(REGION) as unit:
        found = unit.outlooks.listed(who, NOW, relations, closed=closed)
        page = unit.cases.page(who, NOW, relations, limit=500, closed=closed)
        assert [(item.case, item.relation) for item in found] == page
        for item in found:
            assert item.identity == unit.identities.get(item.case.id)
            assert (item.outlook is not None) == (unit.outlooks.get(item.case.id) is not None)
        workers = unit.outlooks.at_work(who, NOW, relations)
        for item in found:
            now = [(w.worker, w.role) for w in unit.cases.ties(item.case).workers if w.worker == "aino"]
            assert workers.get(item.case.id, []) == now


def test_a_list_of_any_length_is_one_query(database: Database) -> None:
    _fill(database)
    asked: list[str] = []
    event.listen(database._engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    with database.read(REGION) as unit:
        asked.clear()
        assert len(unit.outlooks.listed(principal("aino", team="team-1"), NOW, EVERYBODY)) > 8
        unit.outlooks.at_work(principal("aino", team="team-1"), NOW, EVERYBODY)
    assert len(asked) == 2


@ON_POSTGRESQL
def test_a_disposal_and_the_keeping_of_an_outlook_come_one_after_the_other(database: Database, owner: Database) -> None:
    """Whichever is first, nothing is kept of the case in the end."""
    for number in range(10):
        case_id = f"case-{number}"
        with database.write(REGION) as unit:
            case = open_case(unit, case_id)
        together = Barrier(2)

        def keep(case_id: str = case_id, together: Barrier = together) -> None:
            with database.write(REGION) as unit:
                together.wait()
                unit.outlooks.keep([replace(KEPT, case_id=case_id)])

        thread = Thread(target=keep)
        thread.start()
        with owner.write(REGION) as unit:
            together.wait()
            unit.events.append(case, "disposed", {"v": 1}, NOW)
            unit.cases.dispose(case_id, NOW)
        thread.join()
        with database.read(REGION) as unit:
            assert unit.outlooks.get(case_id) is None
