"""Outlooks: what is next for each client, kept so that lists need no judging. They can be made again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.sql import ColumnElement

from service.access.principal import Principal
from service.access.relations import local_day
from service.store import tables
from service.store.derived import still_standing
from service.store.open_to import candidates, holds_on, open_to, stored_case
from service.store.people import insert_or_replace
from service.store.transaction import BATCH, Transaction
from service.store.values import KeptOutlook, ListedCase, OutlookMade

_outlook, _case, _identity, _worker = tables.outlook.c, tables.case_record.c, tables.identity.c, tables.case_worker.c
_MADE = (_outlook.version, _outlook.pack_sha256, _outlook.made_by, _outlook.from_day, _outlook.until_day)


@dataclass(frozen=True, slots=True)
class Standard:
    """By what an outlook must have been made, and for which day, to be shown."""

    pack_sha256: str
    made_by: str
    day: date

    def met_by(self, made: OutlookMade | None, version: int) -> bool:
        """Whether an outlook still says what is so of that version of the case."""
        day = self.day.isoformat()
        return (
            made is not None
            and (made.version, made.pack_sha256, made.made_by) == (version, self.pack_sha256, self.made_by)
            and made.from_day <= day
            and (made.until_day is None or day < made.until_day)
        )


class Outlooks:
    """The outlooks of a region."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def keep(self, outlooks: Iterable[KeptOutlook]) -> int:
        """Keep outlooks, each in place of the one kept of that case; how many.

        Left out are those of a case that was disposed of or has another version by now. One that someone is writing to
        this moment is left out too, so nobody waits.
        """
        standing = still_standing(self._transaction, outlooks)
        for item in standing:
            row = {name: getattr(item, name) for name in KeptOutlook.__slots__}
            insert_or_replace(self._transaction, tables.outlook, row | {"region": self._transaction.region})
        return len(standing)

    def get(self, case_id: str) -> KeptOutlook | None:
        """The outlook of a case."""
        columns = (_outlook[name] for name in KeptOutlook.__slots__)
        query = select(*columns).where(_outlook.region == self._transaction.region, _outlook.case_id == case_id)
        found = self._transaction.one(query)
        return KeptOutlook(*found) if found else None

    def payloads(self, case_ids: Sequence[str]) -> dict[str, str]:
        """What the outlooks of these cases say, by case."""
        query = select(_outlook.case_id, _outlook.payload).where(_outlook.region == self._transaction.region)
        found: dict[str, str] = {}
        for start in range(0, len(case_ids), BATCH):
            some = query.where(_outlook.case_id.in_(case_ids[start : start + BATCH]))
            found.update((case_id, payload) for case_id, payload in self._transaction.all(some))
        return found

    def stale(self, standard: Standard, *, closed: bool, after: str | None = None, limit: int = 50) -> dict[str, int]:
        """The ids of cases (closed ones, or those that are not) whose outlook does not meet the standard, in order,
        from the one after `after`, each with its version."""
        day = standard.day.isoformat()
        still_open = or_(_case.closed_on.is_(None), _case.closed_on > day)
        met = exists().where(
            *_same_case(_outlook),
            _outlook.version == _case.version,
            _outlook.pack_sha256 == standard.pack_sha256,
            _outlook.made_by == standard.made_by,
            _outlook.from_day <= day,
            or_(_outlook.until_day.is_(None), _outlook.until_day > day),
        )
        query = select(_case.id, _case.version).where(
            _case.region == self._transaction.region,
            _case.disposed_at.is_(None),
            _case.closed_on <= day if closed else still_open,
            ~met,
        )
        if after is not None:
            query = query.where(_case.id > after)
        rows = self._transaction.all(query.order_by(_case.id).limit(limit))
        return {str(case_id): int(version) for case_id, version in rows}

    def listed(
        self, principal: Principal, now: datetime, relations: Set[str], *, closed: bool | None = None
    ) -> list[ListedCase]:
        """Every case to which the principal, at `now`, has one of the `relations`, in the order of their ids, with who
        the client is and which outlook is kept. As `Cases.page` tells them."""
        query = open_to(principal, now, relations, self._transaction.region, closed=closed)
        joined = query.add_columns(_identity.data, *_MADE).select_from(
            tables.case_record.outerjoin(tables.identity, and_(*_same_case(_identity))).outerjoin(
                tables.outlook, and_(*_same_case(_outlook))
            )
        )
        return [
            ListedCase(
                stored_case(row[:10]),
                str(row[10]),
                json.loads(row[11]) if row[11] is not None else None,
                OutlookMade(*row[12:]) if row[12] is not None else None,
            )
            for row in self._transaction.all(joined.order_by(_case.id))
        ]

    def at_work(self, principal: Principal, now: datetime, relations: Set[str]) -> dict[str, list[tuple[str, str]]]:
        """Who works with each client at `now`, as (worker, role): of the cases `listed` gives, perhaps of others."""
        region = self._transaction.region
        here = holds_on(_worker, local_day(now).isoformat())
        query = select(_worker.case_id, _worker.worker, _worker.role).where(_worker.region == region, here)
        if "none" not in relations:
            query = query.where(_worker.case_id.in_(candidates(principal, region)))
        found: dict[str, list[tuple[str, str]]] = {}
        for case_id, worker, role in self._transaction.all(query.order_by(_worker.case_id, _worker.n)):
            found.setdefault(case_id, []).append((worker, role))
        return found


def _same_case(columns: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return columns.region == _case.region, columns.case_id == _case.id
