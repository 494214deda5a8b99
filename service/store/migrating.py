"""Bringing a database to a version of the schema, up and down; and finding where the two have drifted apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from service.store.database import WRITING, engine_of
from service.store.errors import StoreError, StoreUnavailable
from service.store.rights import grant
from service.store.tables import KEPT, PAYLOADS, metadata
from service.store.transaction import translated

#: Any number; whoever migrates holds the lock of this number in PostgreSQL.
_LOCK = 7_655_837
_TRIGGERS_ON = """
SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = current_schema()::regnamespace AND tgenabled IN ('O', 'A')
"""
_TABLES_SECURED = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relrowsecurity AND relforcerowsecurity
AND EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid)
"""


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database to a version of the schema (an SQLite file is made when there is none), all or nothing, and
    give the roles their rights. On PostgreSQL as the owner. Raises StoreUnavailable, StoreError."""
    with _opened(url, create=True) as (config, connection):
        command.upgrade(config, revision)
        grant(connection)


def downgrade(url: str, revision: str) -> None:
    """Take the database back to an older version of the schema ("base": none), all or nothing. What the older version
    has no place for is lost. Raises StoreUnavailable, StoreError."""
    with _opened(url) as (config, connection):
        command.downgrade(config, revision)
        if revision != "base":
            grant(connection)


def head() -> str:
    """The newest version of the schema, which this program needs."""
    with _config() as config:
        return str(ScriptDirectory.from_config(config).get_current_head())


def differences(url: str) -> list[str]:
    """Where the database is not as the program declares it, in words: tables, columns, indexes, and the guards of the
    newest version (triggers that are there and on, row-level security). Empty when all is well. On PostgreSQL as the
    owner. Raises StoreUnavailable, StoreError."""
    with _opened(url) as (_, connection):
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
        found = [repr(difference) for difference in compare_metadata(context, metadata)]
        return found + [f"missing or off: {guard}" for guard in sorted(_guards(connection) - _guards_on(connection))]


def _guards(connection: Connection) -> set[str]:
    """The guards the newest version of the schema has."""
    kept = [table.name for table in KEPT]
    if connection.dialect.name == "sqlite":
        names = {f"{table}_no_{action}" for table in (*kept, "case_record") for action in ("update", "delete")}
        names |= {f"{table.name}_no_replace" for table in PAYLOADS} | {"link_no_insert", "link_region"}
        return {f"trigger {name}" for name in names}
    names = {f"{table}_kept" for table in kept} | {f"{table}_not_emptied" for table in (*kept, "case_record")}
    names |= {"link_follows", "link_region", "case_record_stands"}
    divided = [table.name for table in metadata.tables.values() if "region" in table.c]
    return {f"trigger {name}" for name in names} | {f"row-level security of {table}" for table in divided}


def _guards_on(connection: Connection) -> set[str]:
    """The guards the database has and obeys."""
    if connection.dialect.name == "sqlite":
        names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        return {f"trigger {name}" for name in names}
    triggers = connection.scalars(text(_TRIGGERS_ON))
    tables = connection.scalars(text(_TABLES_SECURED))
    return {f"trigger {name}" for name in triggers} | {f"row-level security of {name}" for name in tables}


@contextmanager
def _config() -> Iterator[Config]:
    with as_file(files("service.store") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        yield config


@contextmanager
def _opened(url: str, *, create: bool = False) -> Iterator[tuple[Config, Connection]]:
    """A connection in one transaction that nobody else migrates in, and Alembic's settings to use it."""
    engine = engine_of(make_url(url), 1, create=create)
    if engine.dialect.name == "sqlite":
        engine = engine.execution_options(**{WRITING: True})
    try:
        with _config() as config, engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            config.attributes["connection"] = connection
            yield config, connection
    except SQLAlchemyError as error:
        raise translated(error) from None
    except OSError as error:
        raise StoreUnavailable(error.strerror or "the file of the database cannot be made") from None
    except CommandError as error:
        raise StoreError(f"no such version of the schema, or no way to it: {error}") from None
    finally:
        engine.dispose()
