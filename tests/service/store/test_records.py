"""Entries, decisions and events: kept with their links, found again, never doubled."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from service.access.relations import Worker
from service.audit.chain import digest_of
from service.store import Conflict, Database, NoSuchCase, StoredCase, Unit
from tests.service.store.keeping import NOW, REGION, decide, entry, faults, open_case

COUNTY = ("county", "team-1")


def test_every_record_is_what_its_link_commits_to(database: Database) -> None:
    with database.write(REGION) as unit:
        case = open_case(unit, "sirpa", [entry("e1", note="Näin sovittiin: 37,5 h/vko ✓"), entry("e2")])
    with database.read(REGION) as unit:
        records = list(unit.chains.records(case.chain))
        assert [(kept.link.seq, kept.link.kind, kept.link.version) for kept in records] == [
            (1, "opened", 1),
            (2, "entry", 1),
            (3, "entry", 1),
            (4, "decision", 1),
        ]
        for kept in records:
            assert kept.salt is not None
            assert kept.payload is not None
            assert digest_of(kept.salt, kept.payload.encode()) == kept.link.digest
        assert [kept.link for kept in records] == unit.chains.links(case.chain)
        assert unit.chains.head(case.chain) == records[-1].link.head
        assert [head.chain for head in unit.chains.heads()] == [case.chain]
        assert len({kept.salt for kept in records}) == 4


def test_links_of_a_chain_never_go_back_in_time(database: Database) -> None:
    with database.write(REGION) as unit:
        case = open_case(unit, "sirpa", at=NOW)
    with database.write(REGION) as unit:
        link = unit.events.append(case, "restriction", {"restricted": True}, NOW - timedelta(days=3))
        assert link.at == "2026-11-20T10:00:00.000000Z"


def test_an_id_of_an_entry_is_given_once(database: Database) -> None:
    with database.write(REGION) as unit:
        case = open_case(unit, "sirpa", [entry("e1")])
    for ids in (["e1"], ["e2", "e2"]):
        with pytest.raises(Conflict), database.write(REGION) as unit:
            unit.entries.append(case, 2, [entry(name) for name in ids], NOW)
    with database.read(REGION) as unit:
        assert [item.entry_id for item in unit.cases.journal("sirpa")] == ["e1"]
    assert faults(database) == []


def test_no_entries_leave_no_trace(database: Database) -> None:
    with database.write(REGION) as unit:
        case = open_case(unit, "sirpa")
        assert unit.entries.append(case, 1, [], NOW) == []
    with database.read(REGION) as unit:
        assert [kept.link.kind for kept in unit.chains.records()] == ["opened", "decision"]


def test_a_version_has_one_decision(database: Database) -> None:
    with database.write(REGION) as unit:
        case = open_case(unit, "sirpa")
    with pytest.raises(Conflict), database.write(REGION) as unit:
        decide(unit, case, 1)


def test_nothing_is_recorded_for_a_case_that_is_not_there(database: Database) -> None:
    ghost = StoredCase("ghost", "case/0123456789abcdef", 1, {}, None, "county", "", None, False, None)
    with pytest.raises(NoSuchCase), database.write(REGION) as unit:
        unit.entries.append(ghost, 1, [entry("e1")], NOW)
    with pytest.raises(NoSuchCase), database.write(REGION) as unit:
        decide(unit, ghost, 1)
    with pytest.raises(NoSuchCase), database.write(REGION) as unit:
        unit.events.append(ghost, "opened", {}, NOW)


def test_decisions_are_found_by_id_case_and_version(database: Database) -> None:
    with database.write(REGION) as unit:
        case = open_case(unit, "sirpa")
        ids = [decide(unit, case, version, note=str(version)) for version in range(2, 8)]
        open_case(unit, "veikko")
    with database.read(REGION) as unit:
        kept = unit.decisions.get(ids[0])
        assert kept is not None
        assert (kept.case_id, kept.version, kept.recorded_by, kept.status) == ("sirpa", 2, "kaisa", "determined")
        assert '"note":"2"' in kept.payload
        assert unit.decisions.get("no such") is None
        assert [item.version for item in unit.decisions.of("sirpa", limit=3)] == [1, 2, 3]
        assert [item.version for item in unit.decisions.of("sirpa", after=3)] == [4, 5, 6, 7]
        assert [item.version for item in unit.decisions.of("sirpa", version=5)] == [5]
        latest = unit.decisions.latest("sirpa")
        assert latest is not None
        assert latest.version == 7
        assert unit.decisions.latest("nobody") is None
        assert unit.decisions.versions_by("sirpa", "kaisa") == set(range(1, 8))
        assert unit.decisions.versions_by("sirpa", "ville") == set()
        assert [(item.case_id, item.version) for item in unit.decisions.all()] == [
            *(("sirpa", version) for version in range(1, 8)),
            ("veikko", 1),
        ]
        assert unit.decisions.count() == 8


def test_many_decisions_are_streamed(database: Database) -> None:
    with database.write(REGION) as unit:
        case = open_case(unit, "sirpa")
        for version in range(2, 1203):
            decide(unit, case, version)
    with database.read(REGION) as unit:
        stream = unit.decisions.all()
        assert next(stream).version == 1
        assert [item.version for item in stream] == list(range(2, 1203))


def _acknowledge(unit: Unit, case_id: str, organisation: str, team: str | None, hour: int) -> None:
    case = open_case(unit, case_id, team=team, organisation=organisation)
    decide(unit, case, 2, at=NOW + timedelta(hours=hour), acknowledged=True)
    unit.events.append(case, "emergency_access", {"user": "anna"}, NOW + timedelta(hours=hour))


def test_a_team_leader_finds_acknowledged_steps_and_emergency_accesses_of_the_team(database: Database) -> None:
    with database.write(REGION) as unit:
        _acknowledge(unit, "own-1", "county", "team-1", 3)
        _acknowledge(unit, "own-2", "county", "team-1", 1)
        _acknowledge(unit, "by-worker", "municipality", "team-9", 2)
        _acknowledge(unit, "another team", "county", "team-2", 4)
        _acknowledge(unit, "same name elsewhere", "municipality", "team-1", 5)
        open_case(unit, "nothing acknowledged", team="team-1")
        worker = Worker("kaisa", "social_worker", "county", date(2026, 1, 1), None, "team-1")
        unit.cases.set_relations("by-worker", [worker], [])
    with database.read(REGION) as unit:
        found = unit.decisions.acknowledged(team=COUNTY)
        assert [item.case_id for item in found] == ["own-1", "by-worker", "own-2"]
        first = unit.decisions.acknowledged(team=COUNTY, limit=1)
        rest = unit.decisions.acknowledged(team=COUNTY, before=(first[0].recorded_at, first[0].id))
        assert first + rest == found
        assert len(unit.decisions.acknowledged()) == 5
        events = unit.events.of_kind("emergency_access", team=COUNTY)
        assert [item.case_id for item in events] == ["own-1", "by-worker", "own-2"]
        last = events[0]
        assert (
            unit.events.of_kind("emergency_access", team=COUNTY, before=(last.at, last.chain, last.seq)) == events[1:]
        )
        assert len(unit.events.of_kind("emergency_access")) == 5
        assert [item.kind for item in unit.events.of("own-1")] == ["opened", "emergency_access"]


def test_pages_lose_nothing_that_was_recorded_at_one_moment(database: Database) -> None:
    with database.write(REGION) as unit:
        for number in range(9):
            _acknowledge(unit, f"case-{number}", "county", "team-1", 1)
    decisions, events = [], []
    with database.read(REGION) as unit:
        while page := unit.decisions.acknowledged(
            before=(decisions[-1].recorded_at, decisions[-1].id) if decisions else None, limit=2
        ):
            decisions += page
        while more := unit.events.of_kind(
            "emergency_access", before=(events[-1].at, events[-1].chain, events[-1].seq) if events else None, limit=2
        ):
            events += more
    assert len({item.case_id for item in decisions}) == len(decisions) == 9
    assert len({item.case_id for item in events}) == len(events) == 9
