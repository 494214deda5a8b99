"""What ties people to a case, read in one question: it is asked before everything else that is done with a case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, bindparam, cast, literal_column, null, select, union_all
from sqlalchemy.sql import Select

from service.access.relations import Emergency, Party, Ties, Worker
from service.store import tables
from service.store.values import StoredCase

_worker, _party, _grant = tables.case_worker, tables.case_party, tables.emergency
_nothing = cast(null(), Text)


def _of_case(table: Any, what: str, *columns: Any) -> Select[Any]:
    """The table's rows of the case, told apart by `what`."""
    mine = (table.c.region == bindparam("region"), table.c.case_id == bindparam("case_id"))
    return select(literal_column(f"'{what}'"), *columns).where(*mine)


#: Rows of (what, order, name, role, organisation, from, until, team); of an emergency access `from` is when it was
#: taken, which also orders it.
TIES = union_all(
    _of_case(
        _worker, "worker", _worker.c.n, _worker.c.worker, _worker.c.role, _worker.c.organisation, _worker.c.from_day,
        _worker.c.until_day, _worker.c.team,
    ),
    _of_case(
        _party, "party", _party.c.n, _party.c.party, _nothing, _nothing, _party.c.from_day, _party.c.until_day,
        _nothing,
    ),
    _of_case(
        _grant, "grant", literal_column("0"), _grant.c.user, _grant.c.role, _nothing, _grant.c.at, _grant.c.until,
        _nothing,
    ),
)  # fmt: skip


def ties_of(case: StoredCase, rows: Sequence[Sequence[Any]]) -> Ties:
    """The case's ties by the rows that TIES gives."""
    workers, parties, grants = (
        sorted((row for row in rows if row[0] == what), key=lambda row: (row[1], row[5]))
        for what in ("worker", "party", "grant")
    )
    return Ties(
        case.organisation,
        case.team,
        case.restricted,
        tuple(
            Worker(name, role, organisation, date.fromisoformat(first), _day(last), team)
            for _, _, name, role, organisation, first, last, team in workers
        ),
        tuple(Party(row[2], date.fromisoformat(row[5]), _day(row[6])) for row in parties),
        tuple(Emergency(row[2], row[3], datetime.fromisoformat(row[6])) for row in grants),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
