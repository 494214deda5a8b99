"""The journals of whole regions as they were at one moment, for checks of caseloads: read in order, sent as they stand.

On PostgreSQL the journals come by COPY, each case's entries joined by the server; on SQLite its rows are joined here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, text

from service.store import tables
from service.store.errors import StoreError, StoreUnavailable
from service.store.transaction import Transaction

if TYPE_CHECKING:
    import psycopg

_case, _entry = tables.case_record.c, tables.entry.c
_REGIONS = select(tables.region).order_by(tables.region.c.name)
_TO_SEE = text("SELECT set_config('polku.region', :region, true)")
_HERE = (_case.region == bindparam("region"), _case.disposed_at.is_(None))
_COUNT = select(func.count()).select_from(tables.case_record).where(*_HERE)
_VERSIONS = (
    select(_case.id, _case.version)
    .where(*_HERE, _case.id > bindparam("after"))
    .order_by(_case.id)
    .limit(bindparam("most"))
)
_ROWS = (
    select(_case.id, _case.version, _case.header, _entry.payload)
    .select_from(
        tables.case_record.outerjoin(tables.entry, (_entry.region == _case.region) & (_entry.case_id == _case.id))
    )
    .where(*_HERE, _case.id.in_(bindparam("ids", expanding=True)))
    .order_by(_case.id, _entry.position)
)
_COPY = """COPY (
    SELECT c.id, c.version, c.header, (
        SELECT string_agg(e.payload, ',' ORDER BY e.position) FROM entry e
        WHERE e.region = c.region AND e.case_id = c.id)
    FROM case_record c
    WHERE c.region = {region} AND c.disposed_at IS NULL AND c.id = ANY({ids})
    ORDER BY c.id
) TO STDOUT"""


class StoredJournal(NamedTuple):
    """A case as it is kept: its id and version, and its header and the list of its entries as JSON text."""

    case_id: str
    version: int
    header: str
    entries: str


class Snapshot:
    """What a transaction sees of every region: all of it was true at one moment. For one thread, until it ends.

    Cases disposed of are left out. Whatever is asked raises StoreError and its kinds.
    """

    def __init__(self, transaction: Transaction, connection: Connection) -> None:
        self._transaction = transaction
        self._connection = connection

    def regions(self) -> list[str]:
        """The regions that have a chain, by name."""
        return [str(name) for (name,) in self._transaction.all(_REGIONS)]

    def count(self, region: str) -> int:
        """How many cases the region has."""
        self._look_at(region)
        (found,) = self._transaction.all(_COUNT, {"region": region})
        return int(found[0])

    def versions(self, region: str, *, after: str = "", most: int) -> list[tuple[str, int]]:
        """The ids of cases and their versions, in order, from the one after `after`."""
        self._look_at(region)
        asked = {"region": region, "after": after, "most": most}
        return [(str(case_id), int(version)) for case_id, version in self._transaction.all(_VERSIONS, asked)]

    def journals(self, region: str, ids: Sequence[str]) -> Iterator[StoredJournal]:
        """The journals of these cases, in the order of their ids."""
        self._look_at(region)
        if self._transaction.postgresql:
            yield from self._copied(region, ids)
            return
        rows = self._transaction.stream(_ROWS, {"region": region, "ids": list(ids)})
        for (case_id, version, header), group in groupby(rows, itemgetter(0, 1, 2)):
            payloads = [row[3] for row in group if row[3] is not None]
            yield StoredJournal(case_id, version, header, f"[{','.join(payloads)}]")

    def _look_at(self, region: str) -> None:
        """Let row-level security show the region, for the rest of the transaction."""
        if self._transaction.postgresql:
            self._transaction.run(_TO_SEE, {"region": region})

    def _copied(self, region: str, ids: Sequence[str]) -> Iterator[StoredJournal]:
        import psycopg  # not needed for SQLite
        from psycopg import sql

        driver: Any = self._connection.connection.driver_connection
        # COPY takes no parameters: they are written into it, quoted.
        query = sql.SQL(_COPY).format(region=sql.Literal(region), ids=sql.Literal(list(ids)))
        try:
            with driver.cursor() as cursor, cursor.copy(query) as copy:
                for case_id, version, header, payloads in copy.rows():
                    yield StoredJournal(case_id, int(version), header, f"[{payloads or ''}]")
            return
        except psycopg.Error as error:
            failure = _failure(error)
        # Raised out here, the error does not carry the database's own along, which may hold values.
        raise failure


def _failure(error: psycopg.Error) -> StoreError:
    code = error.sqlstate or type(error).__name__
    if type(error).__name__ == "InterfaceError" or error.sqlstate is None or error.sqlstate[:2] in ("08", "53", "57"):
        return StoreUnavailable(code)
    return StoreError(f"the database refused a statement ({code})")
