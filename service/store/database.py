"""The database: connections, transactions, and what belongs to no region. The same on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url, select, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from service.store import tables
from service.store.agreement import Agreement
from service.store.cases import Cases
from service.store.chains import Chains
from service.store.derived import Checks, Facts, Packs
from service.store.errors import Forbidden, StoreUnavailable
from service.store.outlooks import Outlooks
from service.store.people import Accounts, Emergencies, Identities, Keys, Sessions
from service.store.reads import Reads
from service.store.records import Decisions, Entries, Events
from service.store.snapshots import Snapshot
from service.store.transaction import Transaction, translated

#: Seconds to wait for a lock, a free connection, a server that answers; then StoreUnavailable.
PATIENCE = 10.0
#: The execution option that says whether a transaction of SQLite writes.
WRITING = "polku_writing"
#: How a transaction begins that reads, and one that writes: on SQLite, and on PostgreSQL.
_READ, _WRITE = ("PRAGMA query_only = ON", "BEGIN"), ("PRAGMA query_only = OFF", "BEGIN IMMEDIATE")
_READ_THERE, _WRITE_THERE = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "BEGIN"
_OWNS = text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'entry'::regclass")
#: The number the next transaction will have, and how many transactions of this database began before it.
_NEXT = text("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS xid) AS text)")
_OLDER = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND (age(backend_xmin) > age(CAST(:now AS xid)) OR age(backend_xid) > age(CAST(:now AS xid)))"
)
#: The tables disposal deletes from.
_SCRUBBED = (
    *tables.PAYLOADS, tables.read_of, tables.case_record, tables.identity, tables.case_worker, tables.case_party,
    tables.case_facts, tables.emergency, tables.request_key, tables.check_finding, tables.outlook,
)  # fmt: skip


class Unit:
    """What one transaction of one region can do. Good for one thread, until the transaction ends."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.chains = Chains(transaction)

    @property
    def region(self) -> str:
        """The region it sees."""
        return self._transaction.region

    @cached_property
    def cases(self) -> Cases:
        """Cases, their journals and relations."""
        return Cases(self._transaction, self.chains)

    @cached_property
    def entries(self) -> Entries:
        """Appending entries."""
        return Entries(self._transaction, self.chains)

    @cached_property
    def decisions(self) -> Decisions:
        """Decision records."""
        return Decisions(self._transaction, self.chains)

    @cached_property
    def events(self) -> Events:
        """What else happened to cases."""
        return Events(self._transaction, self.chains)

    @cached_property
    def reads(self) -> Reads:
        """The log of reads."""
        return Reads(self._transaction, self.chains)

    @cached_property
    def identities(self) -> Identities:
        """Who the clients are."""
        return Identities(self._transaction, self.chains)

    @cached_property
    def facts(self) -> Facts:
        """Facts kept per version of a case."""
        return Facts(self._transaction)

    @cached_property
    def outlooks(self) -> Outlooks:
        """What is next for each client, for lists."""
        return Outlooks(self._transaction)

    @cached_property
    def accounts(self) -> Accounts:
        """Who has logged in."""
        return Accounts(self._transaction)

    @cached_property
    def sessions(self) -> Sessions:
        """Logins in browsers."""
        return Sessions(self._transaction)

    @cached_property
    def keys(self) -> Keys:
        """Idempotency-Keys."""
        return Keys(self._transaction)

    @cached_property
    def emergencies(self) -> Emergencies:
        """Emergency accesses."""
        return Emergencies(self._transaction)

    @cached_property
    def checks(self) -> Checks:
        """Checks of caseloads."""
        return Checks(self._transaction)

    @cached_property
    def packs(self) -> Packs:
        """Rule packs that judged something."""
        return Packs(self._transaction)

    @cached_property
    def agreement(self) -> Agreement:
        """Whether rows say what their records say."""
        return Agreement(self._transaction)


class Database:
    """The database of the service; one per process, safe between threads. `url` is a settings' URL (sqlite:///FILE or
    postgresql+psycopg://…). Nothing is asked of it until the first use; it must have been migrated. `patience`: the
    seconds to wait for a lock or a connection before StoreUnavailable.
    """

    def __init__(self, url: str, *, pool_size: int = 10, patience: float = PATIENCE) -> None:
        self.url = make_url(url)
        self.postgresql = self.url.get_backend_name() == "postgresql"
        self._patience = patience
        self._engine = engine_of(self.url, pool_size, patience, begin=False)
        # SQLite has one writer at a time, and waiting for it is unfair: within a process, threads queue here instead.
        self._turn = None if self.postgresql else threading.Lock()

    @contextmanager
    def read(self, region: str) -> Iterator[Unit]:
        """A snapshot of the region: all that is read in it was true at one moment. Writing in it fails.

        Raises StoreUnavailable.
        """
        with self._transaction(*self._read(region), region=region) as transaction:
            yield Unit(transaction)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One moment of every region, to be read from end to end. Raises StoreUnavailable."""
        with _connection(self._engine) as connection:
            transaction = Transaction(connection, "")
            try:
                transaction.begin(*self._read(None))
                yield Snapshot(transaction, connection)
            finally:
                transaction.rollback()

    @contextmanager
    def write(self, region: str) -> Iterator[Unit]:
        """One transaction in the region: committed at the end, undone on any error. No transaction within another.

        Raises StoreUnavailable; then nothing of it is kept, unless the connection broke during the commit itself: what
        came of that, only a look can tell (an Idempotency-Key).
        """
        with self._queued(), self._transaction(*self._write(region), region=region) as transaction:
            unit = Unit(transaction)
            yield unit
            unit.reads.flush()
            transaction.commit()

    def ping(self) -> None:
        """Ask for the schema's version. Raises StoreUnavailable."""
        self.revision()

    def revision(self) -> str:
        """The schema's version. Raises StoreUnavailable, also for a database that was never migrated."""
        with self._transaction(*self._read(None)) as transaction:
            found = transaction.run(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        if found is None:
            raise StoreUnavailable("the database has not been migrated")
        return str(found)

    def regions(self) -> list[str]:
        """The regions that have a chain, by name. Raises StoreUnavailable."""
        with self._transaction(*self._read(None)) as transaction:
            return [str(name) for (name,) in transaction.all(select(tables.region).order_by(tables.region.c.name))]

    def scrub(self) -> None:
        """Let the bytes of what was deleted be gone from the database's files. To be run after disposals, at a quiet
        time, on PostgreSQL by the owner: it locks the tables it rewrites. Raises StoreUnavailable, and Forbidden.

        What was deleted remains in PostgreSQL's log of writes until its segments are used again, and in backups.
        """
        if not self.postgresql:
            with self._queued(), self._transaction() as transaction:
                for step in ("PRAGMA query_only = OFF", "VACUUM"):
                    transaction.run(text(step))
                # The log of writes holds pages as they were; it is emptied as soon as no one reads it any more.
                busy = transaction.run(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
            if busy:
                raise StoreUnavailable("others read all the time; scrub again when it is quiet")
            return
        # Vacuuming is for outside transactions.
        with self._transaction() as transaction:
            # Of tables that are another's, VACUUM only warns.
            if not transaction.run(_OWNS).scalar_one():
                raise Forbidden("only the owner of the tables can scrub them")
            self._wait_for_older(transaction)
            names = ", ".join(table.name for table in _SCRUBBED)
            transaction.run(text(f"VACUUM (FULL, ANALYZE) {names}"))

    def _wait_for_older(self, transaction: Transaction) -> None:
        """Wait for the transactions that began before: what one of them could still look at, VACUUM leaves in place."""
        now, until = transaction.run(_NEXT).scalar_one(), time.monotonic() + self._patience
        while transaction.run(_OLDER, {"now": now}).scalar_one():
            if time.monotonic() > until:
                raise StoreUnavailable("others read all the time; scrub again when it is quiet")
            time.sleep(0.05)

    def close(self) -> None:
        """Close every connection. The database can be used again; it connects anew."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, *begin: str, region: str | None = None) -> Iterator[Transaction]:
        """A transaction begun by these statements, if at all, that is undone at the end unless it was committed."""
        with _connection(self._engine) as connection:
            transaction = Transaction(connection, region or "")
            try:
                transaction.begin(*begin)
                yield transaction
            finally:
                transaction.rollback()

    def _read(self, region: str | None) -> tuple[str, ...]:
        return (_of_region(_READ_THERE, region),) if self.postgresql else _READ

    def _write(self, region: str | None) -> tuple[str, ...]:
        # On SQLite it takes the lock at once: one that read first and then wants to write could be refused it.
        return (_of_region(_WRITE_THERE, region),) if self.postgresql else _WRITE

    @contextmanager
    def _queued(self) -> Iterator[None]:
        if self._turn is None:
            yield
        elif self._turn.acquire(timeout=self._patience):
            try:
                yield
            finally:
                self._turn.release()
        else:
            raise StoreUnavailable("other transactions took too long")


def _of_region(begin: str, region: str | None) -> str:
    """What begins a transaction of PostgreSQL that sees one region: one message, where the driver would send two."""
    if region is None:
        return begin
    from psycopg.sql import quote  # not needed for SQLite

    return f"{begin}; SELECT set_config('polku.region', {quote(region)}, true)"


@contextmanager
def _connection(engine: Engine) -> Iterator[Connection]:
    try:
        connection, failure = engine.connect(), None
    except SQLAlchemyError as error:
        failure = translated(error)
    if failure is not None:
        raise failure
    with connection:
        yield connection


# ---- engines


def engine_of(
    url: URL, pool_size: int, patience: float = PATIENCE, *, create: bool = False, begin: bool = True
) -> Engine:
    """An engine as the store uses it; with `create`, an SQLite file that is not there is made. For migrations too.

    Without `begin`, whoever uses it begins its transactions by statements of their own. It is the cheaper way: for each
    transaction the driver of PostgreSQL changes settings of its connection, and sends a message more; and an engine
    that anything listens to looks for listeners at every statement.
    """
    shared: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": patience,
        # Errors would carry values of clients' data otherwise.
        "hide_parameters": True,
    }
    if url.get_backend_name() == "postgresql":
        options = f"-c lock_timeout={int(patience * 1000)} -c application_name=polku"
        asked = {"connect_timeout": max(1, int(patience)), "options": options}
        own = {} if begin else {"isolation_level": "AUTOCOMMIT"}
        return create_engine(url, pool_pre_ping=True, connect_args=asked, **own, **shared)
    file = _File(os.path.abspath(url.database or ""), patience, create)
    # Without a file in its URL, SQLAlchemy would take the pool of databases in memory.
    engine = create_engine("sqlite+pysqlite://", creator=file.open, poolclass=QueuePool, **shared)
    event.listen(engine, "connect", file.prepare)
    event.listen(engine, "checkout", file.check)
    if begin:
        event.listen(engine, "begin", _begin)
    return engine


class _File:
    """The file of an SQLite database, and the connections to it."""

    def __init__(self, path: str, patience: float, create: bool) -> None:
        self._path = path
        self._patience = patience
        self._create = create

    def open(self) -> sqlite3.Connection:
        """A connection; without a file, sqlite3.Error: a database that is gone must not come back empty."""
        if self._create:
            with suppress(FileExistsError):
                # Nobody else's to read; SQLite gives its other files the rights of this one.
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        address = f"file:{quote(self._path)}?mode=rw"
        # The driver begins no transaction of its own accord; `_begin` does.
        return sqlite3.connect(address, uri=True, timeout=self._patience, check_same_thread=False, isolation_level=None)

    def prepare(self, connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        """Set what SQLite forgets with each connection."""
        cursor = connection.cursor()
        for setting in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
            # INSERT OR REPLACE deletes; only so is the trigger asked that refuses it.
            "recursive_triggers = ON",
        ):
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()
        entry.info["file"] = self._identity()

    def check(self, connection: DBAPIConnection, entry: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        """Refuse a connection to a file that was deleted or replaced: what it wrote would be lost."""
        if entry.info.get("file") != self._identity():
            raise DisconnectionError("the file of the database was replaced")

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _begin(connection: Connection) -> None:
    """Begin a transaction for writing where that is asked for; else none is begun."""
    if connection.get_execution_options().get(WRITING):
        for statement in _WRITE:
            connection.exec_driver_sql(statement)
