"""One transaction of one region, as the groups of a unit share it; and the translation of the database's errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.audit.chain import Head
from service.store.errors import Conflict, Forbidden, StoreError, StoreUnavailable

#: Parameters of a statement: one set, or several for a statement run as often.
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]
#: A row: values in the order they were asked for.
Record = Sequence[Any]
Answer = TypeVar("Answer")

#: What the triggers of PostgreSQL raise (restrict_violation), and a right that is missing or another region's row.
_FORBIDDEN = ("23001", "42501")
_NOT_MIGRATED = "42P01"
_GONE = (OperationalError, InterfaceError, InternalError)
BATCH = 500
#: Of a statement without parameters: a per cent sign in it means nothing.
_PLAIN = {"no_parameters": True}


def translated(error: SQLAlchemyError) -> StoreError:
    """The store's own error for one of the database's. Its text names a code, no value."""
    if isinstance(error, PoolTimeout):
        return StoreUnavailable("no connection came free in time")
    if not isinstance(error, DBAPIError):
        return StoreError(f"the database was not asked: {type(error).__name__}")
    code = _code(error)
    if code in _FORBIDDEN or code == "SQLITE_CONSTRAINT_TRIGGER":
        return Forbidden(f"the database forbids it ({code})")
    if isinstance(error, IntegrityError):
        return Conflict(f"a row is there already, or one it rests on is not ({code})")
    if code == _NOT_MIGRATED or "no such table" in str(error.orig):
        return StoreUnavailable("a table is missing; has the database been migrated?")
    # Of sqlite3, DatabaseError itself is a file that is damaged or no database, and OperationalError also wrong SQL.
    gone = isinstance(error, _GONE) or type(error.orig).__name__ == "DatabaseError" or error.connection_invalidated
    if gone and code != "SQLITE_ERROR":
        return StoreUnavailable(code)
    return StoreError(f"the database refused a statement ({code})")


def _code(error: DBAPIError) -> str:
    """SQLSTATE or SQLite's name of the error; the driver's class where there is none (a connection that broke)."""
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
    return str(code or type(error.orig).__name__)


def storable(name: str) -> bool:
    """Whether both databases can hold the text: PostgreSQL holds no NUL. What is not storable is nobody's id."""
    return "\x00" not in name


class Transaction:
    """A connection in a transaction that sees one region."""

    __slots__ = ("_connection", "heads", "late", "postgresql", "region", "seen")

    def __init__(self, connection: Connection, region: str) -> None:
        self._connection = connection
        self.region = region
        self.postgresql = connection.dialect.name == "postgresql"
        #: Heads of the chains this transaction holds locked.
        self.heads: dict[str, Head | None] = {}
        #: Cases whose rows this transaction holds locked.
        self.seen: set[str] = set()
        #: Reads to log when the transaction ends: (user, case ids, payload, at).
        self.late: list[tuple[str, tuple[str, ...], Mapping[str, Any], datetime]] = []

    def begin(self, *statements: str) -> None:
        """Begin now, not with the first statement, by these. Raises StoreUnavailable."""
        self._asked(self._connection.begin)
        for statement in statements:
            self._asked(partial(self._connection.exec_driver_sql, statement, execution_options=_PLAIN))

    def run(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement. Raises StoreError and its kinds."""
        return self._asked(lambda: self._connection.execute(statement, parameters))

    def add(self, insertion: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, none or several. Raises StoreError and its kinds."""
        if rows:
            # Of one row, a plain statement is cheaper than a series of one.
            self.run(insertion, rows[0] if len(rows) == 1 else rows)

    def one(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Record | None:
        """The only row, or None. Raises StoreError and its kinds."""
        return self._asked(lambda: self._connection.execute(statement, parameters).one_or_none())

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Record]:
        """Every row. Raises StoreError and its kinds."""
        return self._asked(lambda: self._connection.execute(statement, parameters).all())

    def stream(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Iterator[Record]:
        """The rows as they come, by a cursor of the server: as many as there are, in little memory. Raises StoreError
        and its kinds."""
        try:
            options = {"stream_results": True, "yield_per": BATCH}
            yield from self._connection.execute(statement, parameters, execution_options=options)
            return
        except SQLAlchemyError as error:
            failure = translated(error)
        raise failure

    def commit(self) -> None:
        """Make what was written last. Raises StoreUnavailable, and Conflict."""
        self._asked(self._connection.commit)

    def rollback(self) -> None:
        """Undo what was written."""
        try:
            self._connection.rollback()
        except SQLAlchemyError:
            # Nothing was committed, and a connection that cannot even say so is not used again.
            self._connection.invalidate()

    def _asked(self, ask: Callable[[], Answer]) -> Answer:
        """What the database answers."""
        try:
            return ask()
        except SQLAlchemyError as error:
            failure = translated(error)
        # Raised out here, the error does not carry the database's own along, which holds values.
        raise failure
