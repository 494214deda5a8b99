"""What the databases themselves refuse, whoever asks: the application, the owner, someone at the console."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text

from service.store import Database, Forbidden, NoSuchCase, StoreError
from service.store.rights import APPLICATION_RIGHTS, AUDITOR_RIGHTS
from service.store.tables import KEPT, metadata
from tests.helpers import pack
from tests.service.postgresql import ON_POSTGRESQL, ON_SQLITE, Urls
from tests.service.store.keeping import ELSEWHERE, NOW, REGION, entry, faults, open_case

DOCS = Path(__file__).resolve().parents[3] / "docs" / "store.md"
KEPT_NAMES = [table.name for table in KEPT]
DIVIDED = [table.name for table in metadata.tables.values() if "region" in table.c]


def _fill(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa", [entry("e1")])
        unit.identities.put("sirpa", {"name": "Sirpa"})
        unit.reads.append("kaisa", ["sirpa"], {"what": "case"}, NOW)
        unit.packs.keep(pack())


def _run(database: Database, statement: str, region: str = REGION) -> Any:
    with database.write(region) as unit:
        return unit.cases._transaction.run(text(statement))


@contextmanager
def _superuser(urls: Urls) -> Iterator[psycopg.Connection]:
    plain = make_url(urls.superuser).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        yield connection


def test_what_is_kept_for_good_is_neither_changed_nor_deleted(database: Database, owner: Database) -> None:
    _fill(database)
    for table in KEPT_NAMES:
        column = {"pack": "id", "read_of": "case_id"}.get(table, "chain")
        for anyone in (database, owner):
            for statement in (
                f"UPDATE {table} SET {column} = {column}",
                f"UPDATE {table} SET {column} = 'another'",
                f"DELETE FROM {table}",
            ):
                with pytest.raises(Forbidden):
                    _run(anyone, statement)
    assert faults(database) == []


@pytest.mark.parametrize("statement", ["DELETE FROM case_record", "UPDATE case_record SET chain = 'x'"])
def test_a_case_is_not_deleted_or_given_another_chain(database: Database, owner: Database, statement: str) -> None:
    _fill(database)
    for anyone in (database, owner):
        with pytest.raises(Forbidden):
            _run(anyone, statement)


def test_a_link_follows_the_last_of_its_chain(owner: Database) -> None:
    _fill(owner)
    with owner.read(REGION) as unit:
        case = unit.cases.get("sirpa")
        assert case is not None
        head = unit.chains.head(case.chain)
        assert head is not None
    wrong = (
        (head.chain, head.seq + 2, head.hash),  # leaves one out
        (head.chain, head.seq + 1, "f" * 64),  # follows something else
        (head.chain, head.seq, head.hash),  # a second end
        (head.chain, 1, "0" * 64),  # a second beginning
        ("case/ffffffffffffffff", 1, "f" * 64),  # a beginning that follows something
        ("case/ffffffffffffffff", 2, head.hash),  # a chain that begins in the middle
        ("case/ffffffffffffffff", 0, "0" * 64),
    )
    insert = "INSERT INTO link (region, chain, seq, at, kind, version, digest, prev, hash) VALUES"
    for chain, seq, prev in wrong:
        with pytest.raises(StoreError):
            _run(owner, f"{insert} ('{REGION}', '{chain}', {seq}, 'at', 'entry', 1, 'd', '{prev}', 'h')")
    _run(owner, f"{insert} ('{REGION}', '{head.chain}', {head.seq + 1}, 'at', 'entry', 1, 'd', '{head.hash}', 'h')")


def test_a_record_needs_its_link(owner: Database) -> None:
    _fill(owner)
    with pytest.raises(StoreError):
        _run(
            owner,
            "INSERT INTO event (region, chain, seq, kind, at, salt, payload)"
            f" VALUES ('{REGION}', 'case/ffffffffffffffff', 1, 'opened', 'at', 'salt', '{{}}')",
        )


# ---- disposal


def test_records_go_only_when_the_chain_says_that_they_may(database: Database, owner: Database) -> None:
    with database.write(REGION) as unit:
        case = open_case(unit, "sirpa", [entry("e1"), entry("e2")])
        other = open_case(unit, "veikko", [entry("e1")])
        unit.identities.put("sirpa", {"name": "Sirpa"})
        unit.emergencies.grant("sirpa", "anna", "social_worker", NOW, NOW + timedelta(hours=4))
        unit.reads.append("kaisa", ["sirpa"], {"what": "case"}, NOW)
    with pytest.raises(Forbidden), owner.write(REGION) as unit:
        unit.cases.dispose("sirpa", NOW)
    with owner.write(REGION) as unit:
        unit.events.append(case, "disposed", {"ground": "time"}, NOW)
        unit.cases.dispose("sirpa", NOW)
    with database.read(REGION) as unit:
        records = list(unit.chains.records(case.chain))
        assert [kept.link.kind for kept in records] == ["opened", "entry", "entry", "decision", "disposed"]
        assert [kept.payload for kept in records] == [None, None, None, None, '{"ground":"time"}']
        assert unit.cases.journal("sirpa") == []
        assert unit.decisions.latest("sirpa") is None
        assert unit.identities.get("sirpa") is None
        assert unit.emergencies.of("sirpa") == []
        assert [event.kind for event in unit.events.of("sirpa")] == ["disposed"]
        assert len(unit.reads.of("sirpa")) == 1  # who looked is kept longer
        gone = unit.cases.get("sirpa")
        assert gone is not None
        assert (gone.header, gone.disposed_at) == (None, "2026-11-20T10:00:00.000000Z")
        with pytest.raises(NoSuchCase):
            unit.cases.load("sirpa")
        assert all(kept.payload is not None for kept in unit.chains.records(other.chain))
    with pytest.raises(Forbidden):
        _run(owner, "DELETE FROM event WHERE kind = 'disposed'")
    for act in (
        lambda unit: unit.cases.set_header("sirpa", {"id": "sirpa"}),
        lambda unit: unit.cases.advance("sirpa", 1),
        lambda unit: unit.cases.dispose("sirpa", NOW),
        lambda unit: unit.entries.append(case, 2, [entry("e3")], NOW),
        lambda unit: unit.events.append(case, "restriction", {}, NOW),
        lambda unit: unit.identities.put("sirpa", {"name": "Sirpa"}),
        lambda unit: unit.cases.set_relations("sirpa", [], []),
    ):
        with pytest.raises(NoSuchCase), owner.write(REGION) as unit:  # nothing comes back
            act(unit)
    with pytest.raises(Forbidden):
        _run(owner, "UPDATE case_record SET header = '{}'")


def test_a_reader_cannot_prune_what_no_link_says(owner: Database) -> None:
    for hour in range(4):
        with owner.write(REGION) as unit:
            unit.reads.append("kaisa", ["sirpa"], {"hour": hour}, NOW + timedelta(hours=hour))
    with owner.write(REGION) as unit:
        unit.reads.prune("kaisa", 2, {}, NOW)
    for seq in (3, 4, 5):
        for table in ("read_log", "read_of"):
            if (table, seq) != ("read_of", 5):  # the pruning itself touched no case
                with pytest.raises(Forbidden):
                    _run(owner, f"DELETE FROM {table} WHERE seq = {seq}")


def test_a_pruning_does_not_cover_itself(owner: Database) -> None:
    with owner.write(REGION) as unit:
        unit.reads.append("kaisa", ["sirpa"], {}, NOW)
    with pytest.raises(Forbidden), owner.write(REGION) as unit:
        unit.reads.prune("kaisa", 2, {}, NOW)


# ---- SQLite, at the console


@ON_SQLITE
@pytest.mark.parametrize("pragma", ["recursive_triggers = ON", "recursive_triggers = OFF"])
def test_insert_or_replace_does_not_get_around_it(database: Database, tmp_path: Path, pragma: str) -> None:
    _fill(database)
    with closing(sqlite3.connect(tmp_path / "polku.db", isolation_level=None)) as console:
        console.execute(f"PRAGMA {pragma}")
        for table in ("link", "entry", "decision", "event", "read_log"):
            with pytest.raises(sqlite3.IntegrityError):
                console.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    assert faults(database) == []


# ---- PostgreSQL: rights and row-level security


def test_every_table_has_its_rights_told() -> None:
    assert set(APPLICATION_RIGHTS) == {*metadata.tables, "alembic_version"}
    assert set(AUDITOR_RIGHTS) <= set(APPLICATION_RIGHTS)
    assert all("UPDATE" not in APPLICATION_RIGHTS[name] for name in KEPT_NAMES)
    assert all("DELETE" not in APPLICATION_RIGHTS[name] for name in (*KEPT_NAMES, "case_record"))
    assert set(AUDITOR_RIGHTS).isdisjoint({"identity", "session", "account", "request_key"})


def test_the_operators_are_told_the_rights_there_are() -> None:
    rows = re.findall(r"^ +\| `(\w+)` \| ([^|]*)\|([^|]*)\|$", DOCS.read_text(encoding="utf-8"), re.M)
    assert {name: application.strip() for name, application, _ in rows} == APPLICATION_RIGHTS
    assert {name: auditor.strip() for name, _, auditor in rows if auditor.strip()} == AUDITOR_RIGHTS


def test_the_operators_are_told_of_every_table() -> None:
    told = re.findall(r"^\| (`[^|]*) \|", DOCS.read_text(encoding="utf-8"), re.M)
    assert {name for cell in told for name in re.findall(r"`(\w+)`", cell)} == set(metadata.tables)


@ON_POSTGRESQL
def test_the_roles_have_just_these_rights(urls: Urls) -> None:
    with _superuser(urls) as connection:
        for role, rights in (("polku_app", APPLICATION_RIGHTS), ("polku_auditor", AUDITOR_RIGHTS)):
            owned = connection.execute(
                "SELECT count(*) FROM pg_class JOIN pg_roles r ON r.oid = relowner WHERE rolname = %s", [role]
            )
            assert owned.fetchone() == (0,)
            for table in (*metadata.tables, "alembic_version"):
                found = {
                    right
                    for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
                    if _has(connection, "SELECT has_table_privilege(%s, %s, %s)", role, table, right)
                }
                told = rights.get(table, "").replace("UPDATE (", "(").split(", ")
                assert found == {word for word in told if word.isupper()}, table
            columns = {
                column.name
                for column in metadata.tables["case_record"].c
                if _has(connection, "SELECT has_column_privilege(%s, 'case_record', %s, 'UPDATE')", role, column.name)
            }
            assert columns == ({"version", "header", "closed_on", "restricted"} if role == "polku_app" else set())
            bypass = connection.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [role])
            assert bypass.fetchone() == (False,)


def _has(connection: psycopg.Connection, query: str, *values: str) -> bool:
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return bool(row[0])


@ON_POSTGRESQL
def test_another_regions_rows_are_not_seen_by_the_application_nor_the_owner(
    database: Database, owner: Database, urls: Urls
) -> None:
    _fill(database)
    queries = {table: f"SELECT count(*) FROM {table}" for table in DIVIDED}
    with _superuser(urls) as connection:
        there = {table: connection.execute(query).fetchone() for table, query in queries.items()}
    assert there["link"] == (4,)
    assert there["identity"] == (1,)
    for anyone in (database, owner):
        for region, expected in ((REGION, there), (ELSEWHERE, {}), ("", {}), ("%", {})):
            with anyone.read(region) as unit:
                for table, query in queries.items():
                    row = unit.cases._transaction.one(text(query))
                    assert row is not None
                    assert tuple(row) == expected.get(table, (0,)), table


@ON_POSTGRESQL
def test_another_regions_rows_cannot_be_made_or_changed(database: Database, owner: Database) -> None:
    _fill(database)
    for anyone in (database, owner):
        for table, columns, values in (
            (
                "link",
                "chain, seq, at, kind, version, digest, prev, hash",
                f"'case/x', 1, '', '', 1, '', '{'0' * 64}', ''",
            ),
            (
                "account",
                '"user", organisation, organisation_kind, roles, blocked, seen_at',
                "'x', '', '', '', false, ''",
            ),
        ):
            with pytest.raises(Forbidden):
                _run(anyone, f"INSERT INTO {table} (region, {columns}) VALUES ('{REGION}', {values})", ELSEWHERE)
        assert _run(anyone, "UPDATE identity SET data = '{}'", ELSEWHERE).rowcount == 0
        assert _run(anyone, "DELETE FROM identity", ELSEWHERE).rowcount == 0
        with pytest.raises(Forbidden):  # nor handed over
            _run(anyone, f"UPDATE identity SET region = '{ELSEWHERE}'")


@ON_POSTGRESQL
def test_without_a_region_nothing_is_seen(database: Database, urls: Urls) -> None:
    _fill(database)
    for address in (urls.app, urls.owner, urls.auditor):
        plain = make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            assert connection.execute("SELECT count(*) FROM link").fetchone() == (0,)


@ON_POSTGRESQL
def test_the_region_is_forgotten_when_the_transaction_ends(urls: Urls) -> None:
    database = Database(urls.app, pool_size=1)
    _fill(database)
    with database.read(REGION) as unit:
        assert unit.cases.get("sirpa") is not None
    with database._transaction(*database._read(None)) as transaction:  # the same connection
        row = transaction.one(text("SELECT count(*), current_setting('polku.region', true) FROM link"))
        assert row is not None
        assert tuple(row) == (0, "")
    database.close()


@ON_POSTGRESQL
def test_no_table_is_emptied(owner: Database, urls: Urls) -> None:
    for table in (*KEPT_NAMES, "case_record"):
        with pytest.raises(Forbidden):
            _run(owner, f"TRUNCATE {table} CASCADE")
        with _superuser(urls) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(f"TRUNCATE {table} CASCADE")


@ON_POSTGRESQL
def test_even_a_superuser_meets_the_triggers(database: Database, urls: Urls) -> None:
    _fill(database)
    with _superuser(urls) as connection:
        for table in KEPT_NAMES:
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(f"DELETE FROM {table}")


@ON_POSTGRESQL
def test_a_temporary_table_does_not_stand_in_for_the_links(database: Database, urls: Urls) -> None:
    """The triggers look for the link that allows a deletion where it is, not where the session says."""
    _fill(database)
    with _superuser(urls) as connection:
        connection.execute("CREATE TEMPORARY TABLE link (LIKE public.link)")
        connection.execute("INSERT INTO pg_temp.link SELECT * FROM public.link")
        connection.execute("UPDATE pg_temp.link SET kind = 'disposed'")
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("DELETE FROM entry")


@ON_POSTGRESQL
def test_an_auditor_reads_what_the_chains_commit_to_and_changes_nothing(database: Database, urls: Urls) -> None:
    _fill(database)
    auditor = Database(urls.auditor)
    with auditor.read(REGION) as unit:
        assert len(list(unit.chains.records())) == 4
    assert auditor.regions() == [REGION]
    assert faults(auditor) == []
    for statement in ("SELECT * FROM identity", "SELECT * FROM session", "INSERT INTO region VALUES ('x')"):
        with pytest.raises(Forbidden):
            _run(auditor, statement)
    auditor.close()
