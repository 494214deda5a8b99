"""The list of clients: fresh or said not to be, open only to whom it may be, on record before it is shown; on both
databases."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from rules.assessment import Assessor
from rules.engines import EngineError
from rules.entries import LOCAL_TIME
from rules.journal import Case
from service import outlook
from service.access.policy import sees
from service.access.principal import Principal
from service.access.withholding import withhold_assessment
from service.audit.verify import Coverage, verify
from service.caseload import Filter
from service.operations.metrics import ENGINE_DIFFERENCES
from service.operations.readers import Readers
from service.outlook import Outlooks, Row
from service.reading import Reader, Reading
from service.recording.recorder import Recorder
from service.rights.disposal import dispose
from service.rights.retention import retention
from service.store import Database, StoreError, StoreUnavailable
from service.store.cases import Cases
from service.store.reads import Reads
from tests.helpers import assessor, wait_for
from tests.service.conftest import Clock
from tests.service.outlooks import AINO, AUDITOR, LEADER, REGION, SUPERVISOR, TODAY, open_examples, open_many, principal
from tests.service.postgresql import ON_POSTGRESQL
from tests.service.store.keeping import entry, open_case

Make = Callable[..., Outlooks]


@pytest.fixture
def clock() -> Clock:
    """A clock that shows the day the examples are looked at."""
    clock = Clock()
    clock.now = datetime(TODAY.year, TODAY.month, TODAY.day, 8, 0, tzinfo=LOCAL_TIME)
    return clock


@pytest.fixture
def recorder(database: Database, clock: Clock) -> Recorder:
    return Recorder(database, assessor(), clock, program="tests")


@pytest.fixture
def make(database: Database, clock: Clock) -> Iterator[Make]:
    """Makes outlooks of this database, and stops them in the end."""
    made: list[Outlooks] = []

    def make(assessor_: Assessor | None = None, **options: Any) -> Outlooks:
        made.append(Outlooks(database, assessor_ or assessor(), clock, program="tests", **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def clients(recorder: Recorder, database: Database) -> list[str]:
    """The examples' ids; two of them have names."""
    ids = open_examples(recorder)
    with database.write(REGION) as unit:
        unit.identities.put("sirpa", {"name": "Sirpa Esimerkki"})
        unit.identities.put("jarmo", {"name": "Jarmo Esimerkki", "phone": "040"})
    return ids


@pytest.fixture
def outlooks(make: Make, clients: list[str]) -> Outlooks:
    return make()


def logged(database: Database, user: str) -> list[dict[str, Any]]:
    """What is on record of a reader, the newest first."""
    with database.read(REGION) as unit:
        return [json.loads(item.payload) for item in unit.reads.by(user)]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the cases whose journals are read from now on."""
    read: list[str] = []
    load = Cases.load

    def counting(self: Cases, case_id: str, version: int | None = None) -> Case:
        read.append(case_id)
        return load(self, case_id, version)

    monkeypatch.setattr(Cases, "load", counting)
    return read


def rows_of(outlooks: Outlooks, who: Principal, *, closed: bool = False) -> list[Row]:
    """Every client open to the reader, in the order of their ids."""
    found = outlooks.export(Reader(who), Filter(closed=closed)).rows
    return sorted(found, key=lambda row: row.case_id)


def one(rows: list[Row], case_id: str = "sirpa") -> Row:
    """The row of a client."""
    (found,) = [row for row in rows if row.case_id == case_id]
    return found


# ---- what is shown


READERS = [
    AINO,
    LEADER,
    AUDITOR,
    SUPERVISOR,
    principal("colleague"),
    principal("coach", "employment_coach"),
    principal("instructor", "activity_instructor"),
    principal("kerttu", "work_ability_team"),
    principal("jobs", "job_coach"),
    principal("lempi", "job_coach", None, organisation="provider-1", organisation_kind="provider"),
    principal("elsewhere", team="team-9"),
    principal("admin", "administrator", None),
]


def test_rows_show_what_assessments_would(outlooks: Outlooks, database: Database, clock: Clock) -> None:
    reading = Reading(database, clock, Readers(60, clock))
    seen = set()
    for who in READERS:
        rows = rows_of(outlooks, who)
        page, _ = reading.page(Reader(who), after=None, limit=500, closed=False)
        assert [(row.case_id, row.relation, row.version) for row in rows] == [
            (item.case.id, item.relation, item.case.version) for item in page
        ]
        seen |= {(who.role, row.relation) for row in rows}
        for row in rows:
            with database.read(REGION) as unit:
                case = unit.cases.load(row.case_id)
            agrees(row, who, case)
    assert len(seen) >= 6


def agrees(row: Row, who: Principal, case: Case) -> None:
    """The row shows what an assessment would show to the same reader."""
    sight = sees(who.role, row.relation)
    assert row.shows_assessment == sight.opens("assessment")
    assert (row.name is not None) == (sight.opens("identity") and row.case_id in ("sirpa", "jarmo"))
    assert row.fresh
    if not row.shows_assessment:
        assert (row.stage, row.state, row.steps, row.dates, row.open) == (None, {}, (), (), ())
        return
    answer = withhold_assessment(assessor().assess(case, TODAY), sight)
    assert [step.as_json("fi") for step in row.steps] == answer["next_steps"]
    assert dict(row.state) == answer["state"]
    assert row.stage == answer["state"]["stage"]


def test_a_row_hides_what_the_role_does_not_see(outlooks: Outlooks) -> None:
    own, leader = (one(rows_of(outlooks, who)) for who in (AINO, LEADER))
    auditor = one(rows_of(outlooks, AUDITOR))
    assert (own.name, own.municipality, own.language) == ("Sirpa Esimerkki", "Orimattila", "fi")
    assert (leader.name, leader.municipality, leader.language) == ("Sirpa Esimerkki", None, "fi")
    assert (auditor.name, auditor.municipality, auditor.language, auditor.workers) == (None, None, None, ())
    assert ("aino", "social_worker") in own.workers
    assert own.relation == "assigned"


def test_a_role_without_assessments_sees_who_the_clients_are_and_no_more(
    recorder: Recorder, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = {"date": "2025-01-01", "type": "worker_assigned", "role": "activity_supervisor", "worker": "toivo"}
    recorder.open(AINO, {"case": {"id": "sirpa"}, "entries": [worker]})
    read = counted(monkeypatch)
    (row,) = rows_of(make(), SUPERVISOR)
    assert (row.relation, row.shows_assessment, row.fresh, row.stage, row.steps) == ("assigned", False, True, None, ())
    assert read == []


# ---- fresh or not


def test_an_outlook_is_made_once(outlooks: Outlooks, clients: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    read = counted(monkeypatch)
    rows = rows_of(outlooks, AINO)
    assert sorted(read) == clients
    assert all(row.fresh for row in rows)
    read.clear()
    assert rows_of(outlooks, AINO) == rows
    assert one(rows_of(outlooks, LEADER)).fresh
    assert read == []


def test_what_is_recorded_makes_an_outlook_stale(
    outlooks: Outlooks, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = one(rows_of(outlooks, AINO))
    recorder.record(
        AINO, "sirpa", before.version, [{"date": TODAY.isoformat(), "type": "case_closed", "reason": "moved"}]
    )
    read = counted(monkeypatch)
    assert "sirpa" not in {row.case_id for row in rows_of(outlooks, AINO)}
    (after,) = rows_of(outlooks, AINO, closed=True)
    assert (after.case_id, after.stage, after.closed_on, after.version) == (
        "sirpa",
        "closed",
        TODAY,
        before.version + 1,
    )
    assert (after.steps, after.dates) == ((), ())
    assert read == ["sirpa"]


def test_an_outlook_holds_until_something_changes_by_itself(
    outlooks: Outlooks, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_of(outlooks, AINO)
    with database.read(REGION) as unit:
        kept = {case_id: unit.outlooks.get(case_id) for case_id in ("sirpa", "jarmo", "lost-job", "trial-paused")}
    ends = {case_id: date.fromisoformat(item.until_day) for case_id, item in kept.items() if item and item.until_day}
    first = min(ends.values())
    read = counted(monkeypatch)
    clock.advance(days=(first - TODAY).days - 1)
    rows_of(outlooks, AINO)
    assert not set(read) & set(ends)
    clock.advance(days=1)
    rows = rows_of(outlooks, AINO)
    assert {case_id for case_id, end in ends.items() if end == first} <= set(read)
    assert all(row.fresh for row in rows)


#: An outlook that is not to be shown, in one respect each.
OTHERWISE = {"pack_sha256": "0" * 64, "made_by": "another", "from_day": "2025-12-02", "until_day": "2025-12-01"}


def test_an_outlook_of_another_program_or_pack_or_a_later_day_is_made_anew(
    make: Make, clients: list[str], database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_of(make(), AINO)
    read = counted(monkeypatch)
    for name, value in OTHERWISE.items():
        with database.write(REGION) as unit:
            kept = unit.outlooks.get("sirpa")
            assert kept is not None
            assert unit.outlooks.keep([replace(kept, **{name: value})]) == 1
        read.clear()
        assert one(rows_of(make(), AINO)).fresh
        assert read == ["sirpa"]


def test_of_many_stale_outlooks_the_rest_is_said_to_be_worked_out(
    make: Make, clients: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlook, "IN_A_REQUEST", 2)
    outlooks = make()
    rows = rows_of(outlooks, AINO)
    assert [row.fresh for row in rows] == [True] * 2 + [False] * 4
    stale = rows[-1]
    assert (stale.stage, stale.state, stale.steps, stale.dates, stale.open) == (None, {}, (), (), ())
    assert outlooks._woken.is_set()
    assert outlooks.page(Reader(AINO), Filter()).stale == 2
    assert outlooks.catch_up(REGION) == 2
    assert outlooks.page(Reader(AINO), Filter()).stale == 0


def test_when_the_engines_differ_about_a_client_it_is_said_and_the_others_are_listed(
    make: Make, clients: list[str], clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judge = Assessor.judge

    def differing(self: Assessor, read: Any, day: date) -> Any:
        if read.case.id == "sirpa":
            raise EngineError("sirpa's facts")
        return judge(self, read, day)

    alarms = ENGINE_DIFFERENCES._value.get()
    with monkeypatch.context() as patched:
        patched.setattr(Assessor, "judge", differing)
        rows = rows_of(make(), AINO)
    assert {row.case_id for row in rows if row.undetermined} == {"sirpa"}
    assert one(rows).fresh
    assert one(rows).steps == ()
    assert one(rows, "jarmo").steps
    assert ENGINE_DIFFERENCES._value.get() == alarms + 1
    assert "sirpa" not in caplog.text
    assert one(rows_of(make(), AINO)).undetermined, "until the next day"
    clock.advance(days=1)
    assert not one(rows_of(make(), AINO)).undetermined


def test_a_journal_that_cannot_be_read_takes_no_list_down(database: Database, make: Make, clients: list[str]) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "broken", [{**entry("e1"), "type": "no such"}], organisation="county-1")
    rows = rows_of(make(), LEADER)
    assert one(rows, "broken").undetermined
    assert not one(rows, "sirpa").undetermined


def test_without_clients_the_list_is_empty(make: Make, database: Database) -> None:
    found = make().page(Reader(AINO), Filter())
    assert (found.rows, found.total, found.pages, found.all) == ((), 0, 1, 0)
    assert make().team(Reader(AINO)).clients == 0
    assert logged(database, "aino")[0]["cases"] == {}


# ---- on record


def test_exactly_the_clients_on_the_page_are_on_record(make: Make, database: Database) -> None:
    with database.write(REGION) as unit:
        ids = open_many(unit, 62)
    outlooks = make()
    outlooks.catch_up(REGION)
    first = outlooks.page(Reader(AINO), Filter(sort="name"))
    second = outlooks.page(Reader(AINO), Filter(sort="name", page=2))
    assert (len(first.rows), len(second.rows), first.total) == (50, len(ids) - 50, len(ids))
    newest, before = logged(database, "aino")
    assert newest["cases"] == {row.case_id: "assigned" for row in second.rows}
    assert before["cases"] == {row.case_id: "assigned" for row in first.rows}
    assert (before["what"], before["purpose"], before["refused"]) == ("cases", "client_work", False)
    found = outlooks.page(Reader(AINO), Filter(q="client-0042"))
    assert logged(database, "aino")[0]["cases"] == {"client-0042": "assigned"}
    assert (found.total, found.all) == (1, len(ids))


def test_an_export_has_every_match_and_puts_each_on_record(make: Make, database: Database) -> None:
    with database.write(REGION) as unit:
        ids = open_many(unit, 62)
    found = make().export(Reader(AINO), Filter(page=2))
    assert (len(found.rows), found.pages) == (len(ids), 1)
    assert logged(database, "aino")[0]["what"] == "cases exported"
    assert set(logged(database, "aino")[0]["cases"]) == set(ids)


def test_a_calendar_puts_those_in_it_on_record_and_counts_put_nobody(outlooks: Outlooks, database: Database) -> None:
    month = outlooks.calendar(Reader(AINO), Filter(), TODAY)
    assert month.items
    assert set(logged(database, "aino")[0]["cases"]) == {item.case_id for item in month.items}
    assert logged(database, "aino")[0]["what"] == "calendar"
    overview = outlooks.team(Reader(LEADER))
    assert overview.clients == 6
    assert {load.worker for load in overview.workers} >= {"aino"}
    assert logged(database, "leader") == []


def test_what_cannot_be_logged_is_not_shown(outlooks: Outlooks, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Reads) -> None:
        raise StoreUnavailable("full")

    monkeypatch.setattr(Reads, "flush", fail)
    for ask in (
        lambda: outlooks.page(Reader(AINO), Filter()),
        lambda: outlooks.export(Reader(AINO), Filter()),
        lambda: outlooks.calendar(Reader(AINO), Filter(), TODAY),
    ):
        with pytest.raises(StoreUnavailable):
            ask()


def test_making_outlooks_is_no_read(outlooks: Outlooks, database: Database, clock: Clock) -> None:
    assert outlooks.catch_up(REGION) == 6
    with database.read(REGION) as unit:
        assert unit.reads.of("sirpa") == []
        assert list(verify(unit.chains.records(), Coverage(), clock()).faults) == []
        assert list(unit.agreement.faults()) == []


# ---- restricted, disposed of, other regions


def test_a_restricted_client_is_in_the_lists_of_those_who_may_see_it(outlooks: Outlooks, database: Database) -> None:
    with database.write(REGION) as unit:
        unit.cases.set_restricted("sirpa", True)
    assert one(rows_of(outlooks, AINO)).restricted
    assert one(rows_of(outlooks, LEADER)).restricted
    assert "sirpa" not in {row.case_id for row in rows_of(outlooks, principal("colleague"))}


def test_nothing_is_kept_of_a_case_disposed_of(
    outlooks: Outlooks, database: Database, owner: Database, clock: Clock
) -> None:
    rows_of(outlooks, AINO)
    with owner.write(REGION) as unit:
        kept = unit.outlooks.get("sirpa")
        unit.cases.set_closed("sirpa", "2014-05-10")
    assert kept is not None
    assert dispose(owner, REGION, clock().date(), clock(), decided_by="tests", periods=retention()).cases == 1
    with database.write(REGION) as unit:
        assert unit.outlooks.get("sirpa") is None
        assert unit.outlooks.keep([kept]) == 0
        assert unit.outlooks.get("sirpa") is None
    for closed in (False, True):
        assert "sirpa" not in {row.case_id for row in rows_of(outlooks, AINO, closed=closed)}


def test_another_region_is_another_world(outlooks: Outlooks) -> None:
    rows_of(outlooks, AINO)
    assert rows_of(outlooks, principal("aino", region="kymenlaakso")) == []
    assert outlooks.catch_up("kymenlaakso") == 0


# ---- in the background


def fresh(database: Database, standard: Any) -> bool:
    with database.read(REGION) as unit:
        return not unit.outlooks.stale(standard, closed=False)


def test_the_background_brings_them_up_to_date_at_start_and_when_woken(
    outlooks: Outlooks, database: Database, recorder: Recorder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlooks.start(REGION)
    wait_for(lambda: fresh(database, outlooks._standard(TODAY)))
    recorder.record(AINO, "sirpa", 1, [{"date": TODAY.isoformat(), "type": "coaching_info_given"}])
    outlooks.wake()
    wait_for(lambda: fresh(database, outlooks._standard(TODAY)))
    read = counted(monkeypatch)
    assert all(row.fresh for row in rows_of(outlooks, AINO))
    assert read == []
    outlooks.stop()
    assert not any(thread.name == "outlooks" for thread in threading.enumerate())


def test_after_midnight_in_finland_what_turned_is_made_anew(
    outlooks: Outlooks, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlook, "NOW_AND_THEN", 0.05)
    outlooks.start(REGION)
    wait_for(lambda: fresh(database, outlooks._standard(TODAY)))
    later = TODAY + timedelta(days=200)
    clock.now = datetime(later.year, later.month, later.day, 0, 1, tzinfo=LOCAL_TIME)
    wait_for(lambda: fresh(database, outlooks._standard(later)))


def test_it_stops_in_the_middle_of_much_work(make: Make, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.write(REGION) as unit:
        open_many(unit, 60)
    outlooks = make()
    begun = threading.Event()
    made = Outlooks._make

    def slowly(self: Outlooks, *told: Any) -> Any:
        begun.set()
        time.sleep(0.2)
        return made(self, *told)

    monkeypatch.setattr(Outlooks, "_make", slowly)
    outlooks.start(REGION)
    assert begun.wait(10)
    before = time.monotonic()
    outlooks.stop()
    assert time.monotonic() - before < 2


def test_a_database_in_trouble_is_told_once_and_tried_again(
    outlooks: Outlooks, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outlook, "NOW_AND_THEN", 0.02)
    tries = []
    batch = Outlooks._batch

    def failing(self: Outlooks, *told: Any) -> Any:
        tries.append(1)
        if len(tries) < 5:
            raise StoreUnavailable("gone")
        return batch(self, *told)

    monkeypatch.setattr(Outlooks, "_batch", failing)
    with caplog.at_level(logging.ERROR):
        outlooks.start(REGION)
        wait_for(lambda: fresh(database, outlooks._standard(TODAY)))
    assert [record.message for record in caplog.records] == ["outlooks not brought up to date"]


@ON_POSTGRESQL
def test_a_case_someone_writes_to_is_left_for_later(outlooks: Outlooks, database: Database, clients: list[str]) -> None:
    """Nobody waits for the other. (SQLite has one writer at a time anyway.)"""
    with database.write(REGION) as unit:
        unit.chains.lock_case("sirpa")
        assert outlooks.catch_up(REGION) == len(clients)
    with database.read(REGION) as unit:
        assert unit.outlooks.get("sirpa") is None
        assert unit.outlooks.get("jarmo") is not None


@ON_POSTGRESQL
def test_a_list_waits_for_no_one_who_records(outlooks: Outlooks, database: Database) -> None:
    """A page is shown though one of its cases is being written to."""
    with database.write(REGION) as unit:
        unit.chains.lock_case("sirpa")
        assert one(list(outlooks.page(Reader(AINO), Filter()).rows)).fresh


def test_an_error_of_the_store_reaches_whoever_asks(outlooks: Outlooks, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*told: Any, **more: Any) -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(Database, "read", fail)
    with pytest.raises(StoreError):
        outlooks.page(Reader(AINO), Filter())
