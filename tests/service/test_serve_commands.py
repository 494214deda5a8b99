"""The operator's commands, on both databases: the schema, accounts, backup and restore."""

import json
from pathlib import Path

import pytest

from service.store import Account, Database, Session, downgrade
from service.store.migrating import head
from tests.service.operations.test_backup import elsewhere, pg_bin, record
from tests.service.polku import page, polku, refused
from tests.service.postgresql import Urls

__all__ = ["elsewhere"]
REGION = "testila"


@pytest.fixture(autouse=True)
def _variables(urls: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLKU_REGION", REGION)
    _point(monkeypatch, urls)
    if (folder := pg_bin()) is not None:
        monkeypatch.setenv("POLKU_PG_BIN", str(folder))


def _point(monkeypatch: pytest.MonkeyPatch, urls: Urls) -> None:
    monkeypatch.setenv("POLKU_DATABASE_URL", urls.app)
    monkeypatch.setenv("POLKU_OWNER_DATABASE_URL", urls.owner)


# ---- the schema


def test_a_database_is_made_checked_taken_back_and_made_again(elsewhere: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    _point(monkeypatch, elsewhere)
    assert "has the database been migrated?" in refused("database", "check") or "CANTOPEN" in refused(
        "database", "check"
    )
    assert page("database", "upgrade") == f"the schema is at version {head()}\n"
    assert page("database", "check") == f"the schema is at version {head()}; this program needs {head()}\n"
    assert page("database", "downgrade", "0001") == "the schema is at version 0001\n"
    behind = polku("database", "check")
    assert (behind.exit_code, behind.stdout) == (1, f"the schema is at version 0001; this program needs {head()}\n")
    assert page("database", "upgrade") == f"the schema is at version {head()}\n"
    page("database", "downgrade", "base")
    refused("database", "check")


def test_a_version_that_does_not_exist_is_told() -> None:
    assert "no such version of the schema" in refused("database", "upgrade", "--to", "9999")
    assert "no such version of the schema" in refused("database", "downgrade", "9999")
    page("database", "check")


def test_a_table_that_was_changed_by_hand_is_found(urls: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(urls.owner)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE identity ADD COLUMN extra TEXT"))
    engine.dispose()
    found = polku("database", "check")
    assert found.exit_code == 1
    assert "extra" in found.stdout


# ---- accounts


def log_in(database: Database, user: str) -> None:
    """An account with a session."""
    with database.write(REGION) as unit:
        roles = ("social_worker",)
        unit.accounts.put(Account(user, "county-1", "county", "team-1", roles, False, "2026-11-20T10:00:00.000000Z"))
        unit.sessions.add(Session(f"digest of {user}", user, "{}", "2026-11-20", "2036-11-20"))


def is_in(database: Database, user: str) -> bool:
    with database.read(REGION) as unit:
        session = unit.sessions.get(f"digest of {user}")
    return session is not None and session.revoked_at is None


def test_accounts_are_listed_for_people_and_programs(database: Database) -> None:
    assert page("accounts", "list").split() == ["user", "organisation", "team", "roles", "seen"]
    log_in(database, "aino")
    log_in(database, "vilho")
    page("accounts", "block", "vilho")
    told = page("accounts", "list").splitlines()
    assert [line.split() for line in told[1:]] == [
        ["aino", "county-1", "team-1", "social_worker", "2026-11-20T10:00"],
        ["vilho", "county-1", "team-1", "social_worker", "2026-11-20T10:00", "blocked"],
    ]
    assert [item["blocked"] for item in json.loads(page("accounts", "list", "--json"))] == [False, True]


def test_a_blocked_user_is_out_at_once_and_others_stay_in(database: Database) -> None:
    log_in(database, "aino")
    log_in(database, "vilho")
    assert page("accounts", "block", "aino") == "aino is blocked; logins ended: 1\n"
    assert (is_in(database, "aino"), is_in(database, "vilho")) == (False, True)
    assert page("accounts", "unblock", "aino") == "aino may log in again\n"
    assert not is_in(database, "aino")


def test_unblocking_somebody_who_is_not_there_is_told() -> None:
    assert "nobody with the id nobody has logged in" in refused("accounts", "unblock", "nobody")


# ---- backup and restore


def test_a_backup_is_restored_elsewhere_and_its_chains_verified(
    database: Database, elsewhere: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(database, 7)
    assert page("backup", tmp_path / "b.polku").startswith("b.polku: ")
    _point(monkeypatch, elsewhere)
    told = page("restore", tmp_path / "b.polku")
    assert told == f"restored {REGION}: 7 records in 1 chains; the chains are whole\n"
    assert "empty" in refused("restore", tmp_path / "b.polku")


def test_a_backup_of_another_region_is_told_and_fails(
    database: Database, elsewhere: Urls, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(database, 2)
    page("backup", tmp_path / "b.polku")
    _point(monkeypatch, elsewhere)
    monkeypatch.setenv("POLKU_REGION", "muualla")
    found = polku("restore", tmp_path / "b.polku")
    assert found.exit_code == 1
    assert "nothing of the region muualla is in it: is POLKU_REGION right?" in found.stdout


def test_a_backup_of_a_database_taken_back_needs_no_program_of_its_time(
    database: Database, urls: Urls, elsewhere: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(database, 3)
    database.close()
    downgrade(urls.owner, "0001")
    page("backup", tmp_path / "old.polku")
    _point(monkeypatch, elsewhere)
    assert "3 records in 1 chains; the chains are whole" in page("restore", tmp_path / "old.polku")
    assert "this program needs" in page("database", "check")


@pytest.mark.parametrize("words", [["backup"], ["restore"], ["accounts", "block"], ["database", "downgrade"]])
def test_a_word_left_out_is_told(words: list[str]) -> None:
    assert "Missing argument" in refused(*words)
