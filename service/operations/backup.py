"""Backup and restore: one file that holds everything of the region, taken while the service goes on.

SQLite is copied by its own online backup, PostgreSQL by `pg_dump` in its custom format, each as of one moment. A backup
holds clients' data in clear: whoever keeps it keeps it locked away, and no longer than docs/operators.md says. A
restore goes into an empty place only, and is looked over before it is called done.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from service.audit.verify import Coverage, Verified, verify
from service.on_disk import have_on_disk
from service.settings import Settings
from service.store import Database, StoreError, migrate

SQLITE = "sqlite:///"
#: How SQLite's files begin.
SQLITE_MAGIC = b"SQLite format 3\x00"
#: How files of pg_dump's custom format begin.
DUMP_MAGIC = b"PGDMP"
PG_DUMP, PG_RESTORE = "pg_dump", "pg_restore"
LONGEST_TOLD = 300
#: Backups are read by their owner alone.
OWNER_ONLY = 0o600
_PARTIAL = ".part"
_SIBLINGS = ("-wal", "-shm", "-journal")


class BackupError(Exception):
    """A backup or restore that cannot be done, in words; nothing is left half done."""


Looks = Mapping[str, Verified]


def back_up(settings: Settings, path: Path) -> int:
    """Write a backup to `path`, which must not exist, and give its size in bytes. The service may run meanwhile.
    Raises BackupError, OSError."""
    if path.exists():
        raise BackupError(f"{path} exists; a backup never overwrites a file")
    _check_region(settings)
    with _partial(path) as partial:
        if settings.database_url.startswith(SQLITE):
            _copy_sqlite(Path(settings.database_url.removeprefix(SQLITE)), partial)
        else:
            _dump(settings, partial)
        have_on_disk(partial)
        partial.rename(path)
    have_on_disk(path.parent)
    return path.stat().st_size


def restore(settings: Settings, path: Path, now: datetime) -> Looks:
    """Bring a backup back into the database of the settings, which must hold nothing, and to the schema this program
    needs; look over every chain and row: what that found, by region. Raises BackupError, StoreError, OSError."""
    with path.open("rb") as file:
        magic = file.read(len(SQLITE_MAGIC))
    if settings.database_url.startswith(SQLITE):
        if magic != SQLITE_MAGIC:
            raise BackupError(f"{path} is no backup of SQLite, and the settings name an SQLite file")
        _restore_sqlite(path, Path(settings.database_url.removeprefix(SQLITE)))
    else:
        if not magic.startswith(DUMP_MAGIC):
            raise BackupError(f"{path} is no backup of PostgreSQL, and the settings name a PostgreSQL database")
        _restore_dump(settings, path)
    return _looked_over(settings, now)


def _looked_over(settings: Settings, now: datetime) -> Looks:
    try:
        migrate(settings.migration_url)
    except StoreError as error:
        raise BackupError(f"the backup is restored, but this program cannot use it: {error}") from None
    database = Database(settings.migration_url, pool_size=2)
    found = {}
    try:
        # A dump of PostgreSQL names every region of its server, and holds the records of this one alone.
        for region in sorted({settings.region, *database.regions()}):
            with database.read(region) as unit:
                verified = verify(unit.chains.records(), Coverage(), now)
                verified.tell(unit.agreement.faults())
            if verified.links or region == settings.region:
                found[region] = verified
    finally:
        database.close()
    return found


def _check_region(settings: Settings) -> None:
    """Refuse a region that is not in the database while others are: of PostgreSQL its backup would hold nothing."""
    database = Database(settings.migration_url, pool_size=1)
    try:
        known = database.regions()
    finally:
        database.close()
    if known and settings.region not in known:
        names = ", ".join(known)
        raise BackupError(f"POLKU_REGION: the database has no region {settings.region}; it has: {names}")


# ---- SQLite


def _copy_sqlite(source: Path, partial: Path) -> None:
    """Copy a database of which others write: all pages in one go, so that it is of one moment and nobody waits."""
    if not source.is_file():
        raise BackupError(f"there is no database at {source}")
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode=ro", uri=True)) as opened,
            closing(sqlite3.connect(partial)) as copy,
        ):
            opened.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode=DELETE")
            (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied: {_sqlite_name(error)}") from None
    if found != "ok":
        raise BackupError(f"{source} is damaged; restore the last good backup")


def _restore_sqlite(path: Path, target: Path) -> None:
    for present in (target, *(target.with_name(target.name + ending) for ending in _SIBLINGS)):
        if present.exists():
            raise BackupError(f"{present} exists; a restore goes into an empty place only")
    with _partial(target) as partial:
        shutil.copyfile(path, partial)
        try:
            with closing(sqlite3.connect(partial)) as copy:
                (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
                known = copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        except sqlite3.Error as error:
            raise BackupError(f"{path} is damaged: {_sqlite_name(error)}") from None
        if found != "ok":
            raise BackupError(f"{path} is damaged")
        if known is None:
            raise BackupError(f"{path} is no backup of Polku's")
        have_on_disk(partial)
        partial.rename(target)
    have_on_disk(target.parent)


def _sqlite_name(error: sqlite3.Error) -> str:
    """What went wrong, by SQLite's name of it: its texts may carry values."""
    return str(getattr(error, "sqlite_errorname", type(error).__name__))


# ---- PostgreSQL


def _dump(settings: Settings, partial: Path) -> None:
    """Dump what row-level security shows of the region to the owner, who is under it as everybody is."""
    arguments = ["--format=custom", "--no-owner", "--no-privileges", "--enable-row-security", f"--file={partial}"]
    _run(settings, PG_DUMP, arguments, f"-c polku.region={settings.region}")


def _restore_dump(settings: Settings, path: Path) -> None:
    query = "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
    try:
        with psycopg.connect(_plain(settings.migration_url), autocommit=True) as connection:
            (present,) = connection.execute(query).fetchone() or (0,)
    except psycopg.Error as error:
        raise BackupError(
            f"the database does not let in its owner ({error.sqlstate or type(error).__name__})"
        ) from None
    if present:
        raise BackupError("the database is not empty; a restore goes into an empty database only")
    _run(settings, PG_RESTORE, ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(path)])


def _run(settings: Settings, program: str, arguments: Sequence[str], options: str = "") -> None:
    """Run a program of PostgreSQL on the database. The password goes by its environment, which no other user sees."""
    found = _program(settings, program)
    parts = conninfo_to_dict(_plain(settings.migration_url))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "POLKU_"))}
    if password := parts.pop("password", None):
        environment["PGPASSWORD"] = str(password)
    parts["options"] = f"{parts.get('options') or ''} {options}".strip()
    database = make_conninfo("", **{name: str(value) for name, value in parts.items() if value})
    command = [found, *arguments, f"--dbname={database}"]
    environment["LC_ALL"] = "C"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise BackupError(f"{program} failed: {_first_error(done.stderr)}")


def _first_error(text: str) -> str:
    """The first line of what a program says went wrong. Later ones may quote data."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    chosen = next((line for line in lines if "error:" in line), lines[0] if lines else "it does not say why")
    return chosen.split("error:", 1)[-1].strip()[:LONGEST_TOLD]


def _program(settings: Settings, name: str) -> str:
    if settings.pg_bin is not None:
        found = settings.pg_bin / name
        if not os.access(found, os.X_OK):
            raise BackupError(f"POLKU_PG_BIN: there is no {name} in that folder")
        return str(found)
    on_path = shutil.which(name)
    if on_path is None:
        raise BackupError(
            f"{name} is not on the PATH; install PostgreSQL's client programs, of the server's version or newer, or"
            " name their folder by POLKU_PG_BIN"
        )
    return on_path


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


# ---- files


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to and rename, that only its owner may read; gone if that does not come about."""
    partial = path.with_name(path.name + _PARTIAL)
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))
    except FileExistsError:
        raise BackupError(f"{partial} exists: another backup or restore is running, or one was killed") from None
    try:
        yield partial
    finally:
        for left in (partial, *(partial.with_name(partial.name + ending) for ending in _SIBLINGS)):
            left.unlink(missing_ok=True)
