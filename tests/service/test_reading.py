"""Reading clients' data: nothing leaves before it is on record, and refusals are on record too, on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.access.principal import Principal
from service.checking import Checks, NoSuchCheck
from service.operations.readers import Readers
from service.overseeing import Place, acknowledgements
from service.reading import Gone, NothingThere, NotOpen, Reader, Reading, read_of
from service.recording.recorder import Recorder
from service.store import Database, StoreUnavailable
from service.store.reads import Reads
from tests.helpers import assessor
from tests.service.conftest import Clock

REGION = "paijat-hame"
CASE = {
    "case": {"id": "sirpa"},
    "entries": [
        {"date": "2026-01-01", "type": "worker_assigned", "role": "social_worker", "worker": "aino"},
        {"date": "2026-01-10", "type": "activity_started", "days_per_week": 6},
    ],
}


def principal(user: str, role: str = "social_worker", team: str | None = None, region: str = REGION) -> Principal:
    """Someone of the county."""
    return Principal(user, region, "county-1", "county", team, role, (role,))


AINO, STRANGER = principal("aino"), principal("stranger")


@pytest.fixture
def recorder(database: Database, clock: Clock) -> Recorder:
    made = Recorder(database, assessor(), clock, program="tests")
    made.open(principal("opener", team="team-1"), CASE)
    return made


@pytest.fixture
def reading(database: Database, clock: Clock, recorder: Recorder) -> Reading:
    return Reading(database, clock, Readers(60, clock))


def load(unit: Any, case: Any) -> str:
    """Something of the case."""
    return str(case.id)


def logged(database: Database, user: str) -> list[dict[str, Any]]:
    """What is on record of a reader, the newest first."""
    with database.read(REGION) as unit:
        return [json.loads(item.payload) for item in unit.reads.by(user)]


def test_what_is_read_is_on_record(reading: Reading, database: Database) -> None:
    opened = reading.one(Reader(AINO), "sirpa", "journal", "case", load)
    assert (opened.loaded, opened.relation) == ("sirpa", "assigned")
    assert logged(database, "aino") == [
        {
            "v": 1, "user": "aino", "organisation": "county-1", "role": "social_worker", "program": False,
            "purpose": "client_work", "what": "case", "cases": {"sirpa": "assigned"}, "refused": False,
        }
    ]  # fmt: skip
    with database.read(REGION) as unit:
        (read,) = unit.reads.of("sirpa")
    assert read_of(read, "sirpa")["relation"] == "assigned"


@pytest.mark.parametrize("name", ["sirpa", "nobody", "", "x\x00", "\ud800", "x" * 5_000, " sirpa", "131052-308T"])
def test_a_refusal_is_the_same_whoever_it_is_about_and_on_record(
    reading: Reading, database: Database, name: str
) -> None:
    with pytest.raises(NothingThere) as caught:
        reading.one(Reader(STRANGER), name, "journal", "case", load)
    assert caught.value.args == ()
    (entry,) = logged(database, "stranger")
    assert (entry["refused"], list(entry["cases"].values())) == (True, ["none"])
    assert "308T" not in json.dumps(entry)


def test_what_is_closed_to_a_role_is_refused_and_on_record(reading: Reading, database: Database) -> None:
    auditor = principal("auditor", "auditor")
    with pytest.raises(NotOpen):
        reading.one(Reader(auditor), "sirpa", "journal", "case", load)
    (entry,) = logged(database, "auditor")
    assert (entry["refused"], entry["purpose"], entry["cases"]) == (True, "audit", {"sirpa": "none"})


def test_nothing_is_loaded_for_whoever_is_refused(reading: Reading) -> None:
    def never(unit: Any, case: Any) -> None:
        raise AssertionError("loaded")

    with pytest.raises(NothingThere):
        reading.one(Reader(STRANGER), "sirpa", "journal", "case", never)


def test_what_cannot_be_logged_is_not_given(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Reads) -> None:
        raise StoreUnavailable("full")

    monkeypatch.setattr(Reads, "flush", fail)
    with pytest.raises(StoreUnavailable):
        reading.one(Reader(AINO), "sirpa", "journal", "case", load)
    with pytest.raises(StoreUnavailable):
        reading.page(Reader(AINO), after=None, limit=10)


def test_a_decision_leads_to_its_case(reading: Reading, database: Database) -> None:
    with database.read(REGION) as unit:
        decision = unit.decisions.latest("sirpa")
    assert decision is not None
    assert reading.of_decision(Reader(AINO), decision.id, "decision_records", "decision", load).loaded == "sirpa"
    for asked, who in ((decision.id, STRANGER), ("0" * 32, AINO), ("\x00", AINO), ("\ud800", AINO)):
        with pytest.raises(NothingThere):
            reading.of_decision(Reader(who), asked, "decision_records", "decision", load)


def test_another_region_is_another_world(reading: Reading) -> None:
    with pytest.raises(NothingThere):
        reading.one(Reader(principal("aino", region="kymenlaakso")), "sirpa", "journal", "case", load)
    assert reading.page(Reader(principal("aino", region="kymenlaakso")), after=None, limit=10) == ([], False)


def test_a_list_names_those_it_shows(reading: Reading, database: Database) -> None:
    found, more = reading.page(Reader(AINO), after=None, limit=10)
    assert ([item.case.id for item in found], more) == (["sirpa"], False)
    assert reading.page(Reader(STRANGER), after=None, limit=10) == ([], False)
    assert logged(database, "aino")[0]["cases"] == {"sirpa": "assigned"}


def test_what_was_disposed_of_is_gone_for_those_who_knew_it(reading: Reading, owner: Database, clock: Clock) -> None:
    from service.rights.disposal import dispose
    from service.rights.retention import retention

    reading.one(Reader(AINO), "sirpa", "journal", "case", load)
    with owner.write(REGION) as unit:
        unit.cases.set_closed("sirpa", "2026-11-20")
    clock.advance(days=366 * 11)
    dispose(owner, REGION, clock().date(), clock(), decided_by="tests", periods=retention())
    with pytest.raises(Gone):
        reading.one(Reader(principal("leader", "team_leader", "team-1")), "sirpa", "journal", "case", load)


def test_a_check_runs_to_its_end_and_reads_on_record(reading: Reading, database: Database, clock: Clock) -> None:
    checks = Checks(database, assessor(), clock)
    run = checks.start(Reader(AINO), clock().date())
    checks._threads.shutdown(wait=True)
    found, findings, more = checks.follow(Reader(AINO), run.id, after=-1, limit=200)
    assert (found.state, found.done, found.total, more) == ("done", 1, 1, None)
    assert "days-per-week-1-4" in {json.loads(item.payload)["rule"] for item in findings}
    assert [(entry["what"], entry["cases"]) for entry in logged(database, "aino")] == [
        (f"check {run.id}", {"sirpa": "assigned"})
    ] * 2


def test_the_leaders_list_is_the_teams(reading: Reading, database: Database, clock: Clock, recorder: Recorder) -> None:
    step = {"date": "2026-11-01", "type": "work_trial_ended", "outcome": "completed"}
    recorder.record(AINO, "sirpa", 1, [step], acknowledged={"rules": ["path-inconsistent"], "reason": "as it was"})
    for leader, reasons in (("team-1", ["as it was"]), ("team-2", [])):
        who = Reader(principal(f"leader-{leader}", "team_leader", leader))
        items, place = acknowledgements(database, clock(), who, Place(), 10)
        assert ([item.told["reason"] for item in items], place) == (reasons, None)
    with pytest.raises(NotOpen):
        acknowledgements(database, clock(), Reader(AINO), Place(), 10)


@pytest.mark.parametrize("name", ["", "\x00", "0" * 32, "x" * 5_000, "\ud800"])
def test_a_check_that_is_not_there(database: Database, clock: Clock, recorder: Recorder, name: str) -> None:
    with pytest.raises(NoSuchCheck):
        Checks(database, assessor(), clock).follow(Reader(AINO), name, after=-1, limit=10)
