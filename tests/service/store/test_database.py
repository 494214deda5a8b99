"""Transactions: all or nothing, one snapshot, one region; and a database that is gone, full or locked."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text

from service.store import (
    Conflict,
    Database,
    Forbidden,
    StoreError,
    StoreUnavailable,
    VersionConflict,
    downgrade,
    migrate,
)
from tests.service import postgresql
from tests.service.postgresql import ON_POSTGRESQL, ON_SQLITE, Urls
from tests.service.store.keeping import ELSEWHERE, NOW, REGION, decide, entry, faults, open_case

SECRET = "Virtanen-planted"


def test_a_transaction_is_kept_whole(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa", [entry("e1")])
    with database.read(REGION) as unit:
        assert unit.cases.get("sirpa") is not None
        assert [kept.link.kind for kept in unit.chains.records()] == ["opened", "entry", "decision"]
    assert faults(database) == []


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write(REGION) as unit:
            open_case(unit, "sirpa", [entry("e1")])
            unit.reads.append("kaisa", ["sirpa"], {"what": "case"}, NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read(REGION) as unit:
        assert unit.cases.get("sirpa") is None
        assert list(unit.chains.records()) == []
    assert database.regions() == []


def test_an_error_of_the_database_undoes_what_was_written_before_it(database: Database) -> None:
    def twice() -> None:
        with database.write(REGION) as unit:
            case = open_case(unit, "veikko", [entry("e1")])
            unit.entries.append(case, 2, [entry("e1")], NOW)

    with pytest.raises(Conflict):
        twice()
    with database.read(REGION) as unit:
        assert unit.cases.get("veikko") is None
        assert list(unit.chains.records()) == []


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
    with database.read(REGION) as before:
        assert before.cases.get("veikko") is None
        with database.write(REGION) as unit:
            open_case(unit, "veikko")
            unit.cases.advance("sirpa", 1)
        assert before.cases.get("veikko") is None
        known = before.cases.get("sirpa")
        assert known is not None
        assert known.version == 1
    with database.read(REGION) as after:
        assert after.cases.get("veikko") is not None


def test_a_reader_does_not_see_what_is_not_committed(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
        with database.read(REGION) as other:
            assert other.cases.get("sirpa") is None


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(StoreError), database.read(REGION) as unit:
        open_case(unit, "sirpa")
    with database.read(REGION) as unit:
        assert unit.cases.get("sirpa") is None


def test_a_region_sees_nothing_of_another(database: Database) -> None:
    with database.write(REGION) as unit:
        case = open_case(unit, "sirpa", [entry("e1")])
        decision = decide(unit, case, 2)
        unit.identities.put("sirpa", {"name": SECRET})
        unit.reads.append("kaisa", ["sirpa"], {"what": "case"}, NOW)
    with database.read(ELSEWHERE) as unit:
        assert unit.cases.get("sirpa") is None
        assert unit.cases.journal("sirpa") == []
        assert unit.decisions.get(decision) is None
        assert unit.identities.get("sirpa") is None
        assert unit.reads.of("sirpa") == []
        assert unit.events.of("sirpa") == []
        assert list(unit.chains.records()) == []
        assert list(unit.chains.heads()) == []
    assert database.regions() == [REGION]


def test_two_regions_may_have_a_case_of_the_same_id(database: Database) -> None:
    for region in (REGION, ELSEWHERE):
        with database.write(region) as unit:
            open_case(unit, "sirpa", [entry("e1", note=region)])
    for region in (REGION, ELSEWHERE):
        with database.read(region) as unit:
            assert unit.cases.load("sirpa").entries[0].note == region
    assert database.regions() == sorted((REGION, ELSEWHERE))


def test_eight_threads_lose_nothing_and_double_nothing(database: Database) -> None:
    cases, rounds = ("sirpa", "veikko"), 12
    with database.write(REGION) as unit:
        for case_id in cases:
            open_case(unit, case_id)

    def record(worker: int) -> int:
        done = 0
        for turn in range(rounds):
            case_id = cases[(worker + turn) % len(cases)]
            with database.read(REGION) as unit:
                case = unit.cases.get(case_id)
            assert case is not None
            try:
                with database.write(REGION) as unit:
                    version = unit.cases.advance(case_id, case.version)
                    unit.entries.append(case, version, [entry(f"e{worker}-{turn}")], NOW)
                    decide(unit, case, version)
                    unit.reads.append("kaisa", [case_id], {"what": "case"}, NOW)
                done += 1
            except VersionConflict:
                pass  # someone else came first
        return done

    with ThreadPoolExecutor(8) as pool:
        recorded = sum(pool.map(record, range(8)))
    assert recorded > 0
    with database.read(REGION) as unit:
        decisions = [(kept.case_id, kept.version) for kept in unit.decisions.all()]
        assert len(decisions) == recorded + len(cases)
        for case_id in cases:
            case = unit.cases.get(case_id)
            assert case is not None
            assert [v for i, v in decisions if i == case_id] == list(range(1, case.version + 1))
            assert [kept.position for kept in unit.cases.journal(case_id)] == list(range(case.version - 1))
        assert len(unit.reads.by("kaisa", limit=1000)) == recorded
    assert faults(database) == []


def test_requests_of_one_reader_at_once_are_all_logged(database: Database) -> None:
    def read(number: int) -> None:
        with database.write(REGION) as unit:
            unit.reads.append("kaisa", [f"case-{number}"], {"number": number}, NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, range(80)))
    with database.read(REGION) as unit:
        logged = unit.reads.by("kaisa", limit=1000)
    assert sorted(kept.seq for kept in logged) == list(range(1, 81))
    assert faults(database) == []


def test_two_transactions_that_write_to_a_case_and_read_logs_in_any_order_never_wait_for_each_other(
    database: Database,
) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
    start = threading.Barrier(2)

    def write(first: str) -> None:
        for _ in range(20):
            start.wait()
            with database.write(REGION) as unit:
                case = unit.cases.get("sirpa")
                assert case is not None
                if first == "read":
                    unit.reads.append("kaisa", ["sirpa"], {"what": "case"}, NOW)
                unit.events.append(case, "restriction", {"restricted": True}, NOW)
                unit.cases.set_restricted("sirpa", True)
                if first == "case":
                    unit.reads.append("kaisa", ["sirpa"], {"what": "case"}, NOW)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["read", "case"]))
    with database.read(REGION) as unit:
        assert len(unit.events.of("sirpa")) == 41
    assert faults(database) == []


# ---- errors


def test_errors_carry_no_values(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa", [entry("e1", note=SECRET)])
        case = unit.cases.get("sirpa")
    assert case is not None
    with pytest.raises(Conflict) as caught, database.write(REGION) as unit:
        unit.entries.append(case, 2, [entry("e1", note=SECRET)], NOW)
    shown: BaseException | None = caught.value
    while shown is not None:
        assert SECRET not in "".join(traceback.format_exception_only(shown))
        shown = shown.__cause__ or shown.__context__


def test_a_mistake_of_the_programs_own_is_not_taken_for_a_database_that_is_gone(database: Database) -> None:
    with pytest.raises(StoreError) as caught, database.read(REGION) as unit:
        unit.cases._transaction.run(text("SELECT no_such_column FROM link"))
    assert not isinstance(caught.value, StoreUnavailable)
    with pytest.raises(StoreError), database.read(REGION) as unit:
        list(unit.cases._transaction.stream(text("SELECT no_such_column FROM link")))
    with database.read(REGION) as unit:
        assert unit.region == REGION
    with pytest.raises(StoreError):
        unit.cases.get("sirpa")  # its transaction has ended


def test_no_free_connection_is_told_after_a_while(urls: Urls) -> None:
    database = Database(urls.app, pool_size=1, patience=0.2)
    with database.read(REGION), pytest.raises(StoreUnavailable, match="no connection"), database.read(REGION):
        pass
    database.ping()
    database.close()


def test_a_database_that_was_never_migrated_is_told(urls: Urls, owner: Database, tmp_path: Path) -> None:
    if owner.postgresql:
        url = postgresql.url(urls.superuser, None, "postgres")
    else:
        path = tmp_path / "empty.db"
        sqlite3.connect(path).close()
        url = f"sqlite:///{path}"
    empty = Database(url)
    with pytest.raises(StoreUnavailable, match="migrated"):
        empty.ping()
    with pytest.raises(StoreUnavailable, match="migrated"), empty.read(REGION) as unit:
        unit.cases.get("sirpa")
    empty.close()


def test_a_file_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/missing.db")
    with pytest.raises(StoreUnavailable), database.read(REGION):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_bytes(b"Dear reader, " * 1000)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable):
        database.ping()
    database.close()


@ON_SQLITE
def test_nothing_is_written_to_a_file_that_was_deleted_and_it_recovers_when_it_is_back(
    database: Database, tmp_path: Path, sqlite_template: Path
) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
    for path in tmp_path.glob("polku.db*"):
        path.unlink()
    with pytest.raises(StoreUnavailable), database.write(REGION) as unit:
        open_case(unit, "veikko")
    shutil.copyfile(sqlite_template, tmp_path / "polku.db")
    with database.write(REGION) as unit:
        open_case(unit, "veikko")
    with database.read(REGION) as unit:
        assert unit.cases.get("veikko") is not None


@ON_SQLITE
def test_a_full_disk_is_told_nothing_is_half_written_and_it_recovers(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
    many = [entry(f"e{n}", note="x" * 5_000) for n in range(100)]
    with database.read(REGION) as unit:
        # Stands for the disk: no page more than there are.
        unit.cases._transaction.run(text("PRAGMA max_page_count = 1"))
    with pytest.raises(StoreUnavailable, match="FULL"), database.write(REGION) as unit:
        open_case(unit, "veikko", many)
    with database.read(REGION) as unit:
        assert unit.cases.get("veikko") is None
    database.close()
    with database.write(REGION) as unit:
        open_case(unit, "veikko")
    assert faults(database) == []


@ON_SQLITE
def test_a_database_that_another_process_holds_too_long_is_told(urls: Urls, tmp_path: Path) -> None:
    database = Database(urls.app, patience=0.2)
    other = sqlite3.connect(tmp_path / "polku.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="BUSY"), database.write(REGION):
        pass
    with database.read(REGION) as unit:  # readers go on
        assert unit.cases.get("sirpa") is None
    other.execute("ROLLBACK")
    other.close()
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
    database.close()


@ON_SQLITE
def test_a_writer_that_takes_too_long_is_told_to_those_who_wait(urls: Urls) -> None:
    database = Database(urls.app, patience=0.2)
    with (
        database.write(REGION),
        ThreadPoolExecutor(1) as pool,
        pytest.raises(StoreUnavailable, match="too long"),
    ):
        pool.submit(database.write(REGION).__enter__).result()
    database.close()


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/new.db")
    assert (tmp_path / "new.db").stat().st_mode & 0o077 == 0


@ON_POSTGRESQL
def test_connections_that_were_cut_are_told_once_and_replaced(database: Database, urls: Urls) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
    _cut(urls)  # idle in the pool: not even noticed
    with database.read(REGION) as unit:
        assert unit.cases.get("sirpa") is not None

    def cut_while_writing(case_id: str, go_on: bool) -> None:
        with database.write(REGION) as unit:
            open_case(unit, case_id)
            _cut(urls)
            if go_on:
                unit.cases.get("sirpa")

    for case_id, go_on in (("veikko", True), ("anneli", False)):
        with pytest.raises(StoreUnavailable):
            cut_while_writing(case_id, go_on)

    def cut_and_give_up() -> None:
        with database.write(REGION):
            _cut(urls)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cut_and_give_up()
    with database.read(REGION) as unit:
        assert unit.cases.get("veikko") is None
        assert unit.cases.get("anneli") is None


def test_a_database_taken_back_to_nothing_is_told(database: Database, urls: Urls) -> None:
    downgrade(urls.owner, "base")
    with pytest.raises(StoreUnavailable, match="migrated"):
        database.ping()


def test_what_was_deleted_is_in_no_byte_after_scrubbing(
    database: Database, owner: Database, urls: Urls, tmp_path: Path
) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "stays", [entry("e1", note="stays-planted")])
        case = open_case(unit, "sirpa", [entry("e1", note=SECRET)])
        unit.identities.put("sirpa", {"name": SECRET})
    assert SECRET.encode() in _bytes(urls, tmp_path)
    with owner.write(REGION) as unit:
        unit.events.append(case, "disposed", {"ground": "time"}, NOW)
        unit.cases.dispose("sirpa", NOW)
    if owner.postgresql:
        with pytest.raises(Forbidden):
            database.scrub()
    owner.scrub()
    left = _bytes(urls, tmp_path)
    assert SECRET.encode() not in left
    assert b"stays-planted" in left
    with owner.write(REGION) as unit:  # and all goes on
        open_case(unit, "veikko")
    assert [item for item in faults(database) if "no record" not in item] == []


@ON_SQLITE
def test_scrubbing_while_someone_reads_on_is_told(urls: Urls) -> None:
    database = Database(urls.app, patience=0.2)
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
    with database.read(REGION) as unit:
        unit.cases.get("sirpa")
        with pytest.raises(StoreUnavailable, match="quiet"):
            database.scrub()
    database.scrub()
    database.close()


def _bytes(urls: Urls, tmp_path: Path) -> bytes:
    """Every byte the database keeps in its files; of PostgreSQL's log of writes see docs/store.md."""
    if urls.owner.startswith("sqlite"):
        return b"".join(path.read_bytes() for path in sorted(tmp_path.glob("polku.db*")))
    plain = make_url(urls.superuser).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        query = (
            "SELECT pg_read_binary_file(f.folder || '/' || name) FROM (SELECT 'base/' || oid AS folder FROM pg_database"
        )
        query += " WHERE datname = current_database()) f, LATERAL pg_ls_dir(f.folder) AS name"
        return b"".join(content for (content,) in connection.execute(query))


@ON_POSTGRESQL
def test_a_row_that_another_holds_too_long_is_told(urls: Urls) -> None:
    database = Database(urls.app, patience=0.2)
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
    with database.write(REGION) as unit:
        unit.cases.advance("sirpa", 1)
        with pytest.raises(StoreUnavailable, match="55P03"), database.write(REGION) as other:
            other.cases.advance("sirpa", 1)
    database.close()


def _cut(urls: Urls) -> None:
    plain = make_url(urls.superuser).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
