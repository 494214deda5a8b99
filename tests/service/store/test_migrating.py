"""Migrations: up, down and up again on both databases, all or nothing, and drift is found."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, make_url

from service.audit.chain import timestamp
from service.store import (
    CheckFinding,
    CheckRun,
    Database,
    StoreError,
    StoreUnavailable,
    differences,
    downgrade,
    migrate,
)
from service.store.migrating import head
from tests.service import postgresql
from tests.service.postgresql import ON_POSTGRESQL, ON_SQLITE, Urls
from tests.service.store.keeping import NOW, REGION, entry, faults, open_case


def _tables(url: str) -> set[str]:
    engine = create_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def _superuser(urls: Urls, statement: str) -> None:
    plain = make_url(urls.superuser).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statement)


def _console(urls: Urls, statement: str) -> None:
    with closing(sqlite3.connect(make_url(urls.owner).database or "", isolation_level=None)) as console:
        console.execute(statement)


def test_the_newest_version_is_what_the_program_declares(urls: Urls, database: Database) -> None:
    assert differences(urls.owner) == []
    assert database.revision() == head()


def test_down_and_up_again_leads_to_the_same(urls: Urls) -> None:
    downgrade(urls.owner, "0001")
    assert differences(urls.owner) != []
    downgrade(urls.owner, "base")
    assert _tables(urls.owner) <= {"alembic_version"}
    migrate(urls.owner, "0001")
    migrate(urls.owner)
    assert differences(urls.owner) == []
    database = Database(urls.app)
    with database.write(REGION) as unit:
        open_case(unit, "sirpa", [entry("e1")])
        unit.reads.append("kaisa", ["sirpa"], {"what": "case"}, NOW)
    assert faults(database) == []
    database.close()


def test_the_step_down_and_up_keeps_what_is_recorded(urls: Urls, database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa", [entry("e1")])
        unit.reads.append("kaisa", ["sirpa"], {"what": "case"}, NOW)
    downgrade(urls.owner, "0001")
    migrate(urls.owner)
    assert differences(urls.owner) == []
    with database.read(REGION) as unit:
        assert [item.id for item in unit.cases.load("sirpa").entries] == ["e1"]
        assert len(unit.reads.of("sirpa")) == 1
    assert faults(database) == []


def test_the_step_back_before_checks_were_compared_leaves_nothing_settled_among_what_was_found(
    urls: Urls, database: Database
) -> None:
    with database.write(REGION) as unit:
        unit.checks.add(CheckRun("check-1", "kaisa", "team_leader", "2026-11-20", "done", 1, 1, timestamp(NOW)))
        changes = ("new", "settled", None)
        unit.checks.add_findings(
            [CheckFinding("check-1", n, "sirpa", "{}", change) for n, change in enumerate(changes)]
        )
    downgrade(urls.owner, "0004")
    migrate(urls.owner)
    assert differences(urls.owner) == []
    with database.read(REGION) as unit:
        assert [(item.n, item.change) for item in unit.checks.findings_of("sirpa")] == [(0, None), (2, None)]
        assert unit.checks.get("check-1") is not None


def test_migrating_what_is_migrated_changes_nothing(urls: Urls, database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
    migrate(urls.owner)
    with database.read(REGION) as unit:
        assert unit.cases.get("sirpa") is not None


def test_many_may_migrate_at_once(urls: Urls) -> None:
    downgrade(urls.owner, "base")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, [urls.owner] * 3))
    assert differences(urls.owner) == []


def test_a_version_that_does_not_exist_is_told(urls: Urls) -> None:
    for attempt in (migrate, downgrade):
        with pytest.raises(StoreError, match="no such version"):
            attempt(urls.owner, "9999")
    assert differences(urls.owner) == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("ALTER TABLE entry ADD COLUMN extra TEXT", "extra"),
        ("DROP INDEX case_worker_region_worker_case_id_idx", "case_worker_region_worker_case_id_idx"),
        ("CREATE TABLE notes (name TEXT)", "notes"),
    ],
)
def test_drift_is_found(urls: Urls, engine: str, statement: str, found: str) -> None:
    if engine == "sqlite":
        _console(urls, statement)
    else:
        _superuser(urls, statement)
    assert any(found in difference for difference in differences(urls.owner))


@ON_SQLITE
@pytest.mark.parametrize("trigger", ["link_no_update", "entry_no_delete", "event_no_replace", "case_record_no_update"])
def test_a_trigger_that_is_gone_is_found(urls: Urls, trigger: str) -> None:
    _console(urls, f"DROP TRIGGER {trigger}")
    assert differences(urls.owner) == [f"missing or off: trigger {trigger}"]


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DROP TRIGGER link_kept ON link", "trigger link_kept"),
        ("ALTER TABLE entry DISABLE TRIGGER entry_kept", "trigger entry_kept"),
        ("ALTER TABLE identity NO FORCE ROW LEVEL SECURITY", "row-level security of identity"),
        ("ALTER TABLE session DISABLE ROW LEVEL SECURITY", "row-level security of session"),
        ("DROP POLICY decision_region ON decision", "row-level security of decision"),
    ],
)
def test_a_guard_that_is_gone_is_found(urls: Urls, statement: str, found: str) -> None:
    _superuser(urls, statement)
    assert differences(urls.owner) == [f"missing or off: {found}"]


@ON_POSTGRESQL
def test_the_application_may_not_migrate(urls: Urls) -> None:
    with pytest.raises(StoreError):
        downgrade(urls.app, "base")
    assert differences(urls.owner) == []


@ON_POSTGRESQL
def test_rights_that_were_added_are_taken_back(urls: Urls, database: Database) -> None:
    _superuser(urls, "GRANT ALL ON ALL TABLES IN SCHEMA public TO polku_app")
    migrate(urls.owner)
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
    with pytest.raises(StoreError, match="42501"), database.write(REGION) as unit:
        unit.cases.dispose("sirpa", NOW)


def test_without_the_roles_migrating_says_what_is_missing() -> None:
    """On a server of its own: roles belong to all databases of a server."""
    server = postgresql.start(uuid4().hex)
    superuser = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE ROLE someone LOGIN")
        connection.execute("CREATE DATABASE polku OWNER someone")
    someone = superuser.set(username="someone", database="polku").render_as_string(hide_password=False)
    with pytest.raises(StoreError, match="polku_app is missing"):
        migrate(someone)
    assert _tables(someone) == set()
    anyone = superuser.set(database="polku").render_as_string(hide_password=False)
    migrate(anyone)  # a superuser may make roles
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        made = connection.execute("SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname ~ '^polku' ORDER BY rolname")
        assert made.fetchall() == [("polku_app", False), ("polku_auditor", False)]
    server.cleanup()


def test_no_file_is_made_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        migrate(f"sqlite:///{tmp_path}/no/folder.db")
    with pytest.raises(StoreUnavailable):
        downgrade(f"sqlite:///{tmp_path}/no.db", "base")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_bytes(b"Dear reader, " * 1000)
    with pytest.raises(StoreUnavailable):
        migrate(f"sqlite:///{path}")
    assert path.read_bytes() == b"Dear reader, " * 1000
