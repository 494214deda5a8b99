"""Cases: their rows, journals, relations, and lists of those that someone has business with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Set
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.sql import ColumnElement

from rules.journal import Case, case_from_stored
from service.access.principal import Principal
from service.access.relations import Party, Ties, Worker
from service.audit.canonical import canonical
from service.audit.chain import DISPOSED, new_case_chain, timestamp
from service.store import tables
from service.store.chains import Chains
from service.store.errors import NoSuchCase, VersionConflict
from service.store.open_to import CASE_FIELDS, open_to, stored_case
from service.store.ties import TIES, ties_of
from service.store.transaction import Transaction, storable
from service.store.values import StoredCase, StoredEntry

_case = tables.case_record.c
_GET = select(*CASE_FIELDS).where(_case.region == bindparam("region"), _case.id == bindparam("case_id"))
_ADVANCE = (
    update(tables.case_record)
    .where(
        _case.region == bindparam("region_"),
        _case.id == bindparam("case_id"),
        _case.version == bindparam("expected"),
        _case.disposed_at.is_(None),
    )
    .values(version=_case.version + 1)
)
_HEADER = select(_case.header).where(_case.region == bindparam("region"), _case.id == bindparam("case_id"))
_entry = tables.entry.c
_JOURNAL = (
    select(_entry.case_id, _entry.entry_id, _entry.position, _entry.version, _entry.chain, _entry.seq, _entry.payload)
    .where(_entry.region == bindparam("region"), _entry.case_id == bindparam("case_id"))
    .order_by(_entry.position)
)
_PAYLOADS = (
    select(_entry.payload)
    .where(_entry.region == bindparam("region"), _entry.case_id == bindparam("case_id"))
    .order_by(_entry.position)
)
#: What was derived from a case, or kept beside it, and goes with its disposal.
_FORGOTTEN = (
    tables.identity, tables.case_worker, tables.case_party, tables.case_facts, tables.emergency, tables.request_key,
    tables.check_finding, tables.outlook,
)  # fmt: skip


class Cases:
    """The cases of a region."""

    def __init__(self, transaction: Transaction, chains: Chains) -> None:
        self._transaction = transaction
        self._chains = chains

    def add(
        self, case_id: str, header: Mapping[str, Any], team: str | None, organisation: str, at: datetime
    ) -> StoredCase:
        """Open a case at version 1, with a chain of its own that has no link yet. Raises Conflict when it exists."""
        new = StoredCase(
            case_id, new_case_chain(), 1, dict(header), team, organisation, timestamp(at), None, False, None
        )
        values = {name: getattr(new, name) for name in StoredCase.__slots__}
        values["header"] = canonical(new.header).decode()
        self._transaction.run(insert(tables.case_record), {"region": self._transaction.region, **values})
        self._transaction.seen.add(case_id)
        return new

    def get(self, case_id: str) -> StoredCase | None:
        """The case, without its journal."""
        if not storable(case_id):
            return None
        row = self._transaction.one(_GET, self._of(case_id))
        return stored_case(row) if row else None

    def journal(self, case_id: str, version: int | None = None) -> list[StoredEntry]:
        """The entries in the order they were recorded; with `version`, those of the case as it was then."""
        query = _JOURNAL if version is None else _JOURNAL.where(_entry.version <= version)
        return [StoredEntry(*row) for row in self._transaction.all(query, self._of(case_id))]

    def load(self, case_id: str, version: int | None = None) -> Case:
        """The case as rules read it; with `version`, as it was then (under the header of now).

        Raises NoSuchCase, also for a case that was disposed of.
        """
        if not storable(case_id):
            raise NoSuchCase(case_id)
        header = self._transaction.run(_HEADER, self._of(case_id)).scalar_one_or_none()
        if header is None:
            raise NoSuchCase(case_id)
        query = _PAYLOADS if version is None else _PAYLOADS.where(_entry.version <= version)
        payloads = self._transaction.run(query, self._of(case_id)).scalars()
        return case_from_stored(json.loads(header), json.loads(f"[{','.join(payloads)}]"))

    def advance(self, case_id: str, expected: int) -> int:
        """Take the case from the version `expected` to the next, which is returned.

        Raises VersionConflict when it is at another (nobody else's version is lost), and NoSuchCase, also when the case
        was disposed of.
        """
        # A prefix of its own: a bare name would be taken for a value to set.
        known = {"region_": self._transaction.region, "case_id": case_id, "expected": expected}
        if self._transaction.run(_ADVANCE, known).rowcount != 1:
            found = self.get(case_id)
            if found is None or found.disposed_at is not None:
                raise NoSuchCase(case_id)
            raise VersionConflict(found.version)
        self._transaction.seen.add(case_id)
        return expected + 1

    def set_closed(self, case_id: str, closed_on: str | None) -> None:
        """Since which day (ISO text) the case is closed, perhaps one ahead; None: it is open."""
        self._change(case_id, {"closed_on": closed_on})

    def set_restricted(self, case_id: str, restricted: bool) -> None:
        """Whether few may see the case."""
        self._change(case_id, {"restricted": restricted})

    def set_header(self, case_id: str, header: Mapping[str, Any]) -> None:
        """Put another header in place of the case's. The event that tells so is the caller's to append."""
        self._change(case_id, {"header": canonical(dict(header)).decode()})

    def set_relations(self, case_id: str, workers: Iterable[Worker], parties: Iterable[Party]) -> None:
        """Put these relations, read off the journal, in place of the case's. Raises NoSuchCase."""
        self._chains.lock_case(case_id)
        projections: list[tuple[Table, list[Worker | Party]]] = [
            (tables.case_worker, [*workers]),
            (tables.case_party, [*parties]),
        ]
        for table, items in projections:
            self._transaction.run(delete(table).where(*self._is(table, case_id)))
            rows = [{**self._of(case_id), "n": n, **_row(item)} for n, item in enumerate(items)]
            self._transaction.add(insert(table), rows)

    def ties(self, case: StoredCase) -> Ties:
        """What ties people to the case: what `service.access.relations.relation` judges."""
        return ties_of(case, self._transaction.all(TIES, self._of(case.id)))

    def page(
        self,
        principal: Principal,
        now: datetime,
        relations: Set[str],
        *,
        after: str | None = None,
        limit: int = 50,
        closed: bool | None = None,
    ) -> list[tuple[StoredCase, str]]:
        """Cases to which the principal, at `now`, has one of the `relations`, each with the relation, in the order of
        their ids, from the one after `after`. Cases of others are not read, unless "none" is among the relations.
        Cases disposed of are left out.
        """
        query = open_to(principal, now, relations, self._transaction.region, closed=closed)
        if after is not None:
            query = query.where(_case.id > after)
        rows = self._transaction.all(query.order_by(_case.id).limit(limit))
        return [(stored_case(row[:-1]), str(row[-1])) for row in rows]

    def relations(self, principal: Principal, now: datetime, relations: Set[str]) -> dict[str, str]:
        """Every case to which the principal, at `now`, has one of the `relations`, with the relation."""
        query = open_to(principal, now, relations, self._transaction.region)
        rows = self._transaction.all(query.with_only_columns(_case.id, query.selected_columns.relation))
        return {str(case_id): str(found) for case_id, found in rows}

    def ids(self, *, after: str | None = None, limit: int = 500) -> list[str]:
        """The ids of the cases not disposed of, in order, from the one after `after`: for replay, of every case."""
        query = select(_case.id).where(_case.region == self._transaction.region, _case.disposed_at.is_(None))
        if after is not None:
            query = query.where(_case.id > after)
        return list(self._transaction.run(query.order_by(_case.id).limit(limit)).scalars())

    def closed_before(self, day: str, *, after: str | None = None, limit: int = 500) -> list[StoredCase]:
        """Cases closed on or before `day` (ISO text) and not yet disposed of, in the order of their ids."""
        query = select(*CASE_FIELDS).where(
            _case.region == self._transaction.region, _case.closed_on <= day, _case.disposed_at.is_(None)
        )
        if after is not None:
            query = query.where(_case.id > after)
        return [stored_case(row) for row in self._transaction.all(query.order_by(_case.id).limit(limit))]

    def dispose(self, case_id: str, at: datetime) -> None:
        """Delete what the case's chain commits to, up to the link of kind `disposed` that must be in it, and all that
        was derived from it; the row stays, without its header. On PostgreSQL the owner's to do.

        The bytes are gone after `Database.scrub`. Raises NoSuchCase, and Forbidden while there is no such link.
        """
        self._chains.lock_case(case_id)
        for table in (tables.entry, tables.decision, tables.event):
            kept = (table.c.kind != DISPOSED,) if table is tables.event else ()
            self._transaction.run(delete(table).where(*self._is(table, case_id), *kept))
        for table in _FORGOTTEN:
            self._transaction.run(delete(table).where(*self._is(table, case_id)))
        self._change(case_id, {"header": None, "disposed_at": timestamp(at)})

    def _change(self, case_id: str, values: Mapping[str, Any]) -> None:
        mine = (_case.region == self._transaction.region, _case.id == case_id, _case.disposed_at.is_(None))
        done = self._transaction.run(update(tables.case_record).where(*mine).values(**values))
        if done.rowcount != 1:
            raise NoSuchCase(case_id)
        self._transaction.seen.add(case_id)

    def _of(self, case_id: str) -> dict[str, Any]:
        return {"region": self._transaction.region, "case_id": case_id}

    def _is(self, table: Any, case_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return table.c.region == self._transaction.region, table.c.case_id == case_id


def _row(item: Worker | Party) -> dict[str, Any]:
    """A row of a projection; days as ISO text."""
    values = {name: getattr(item, name) for name in type(item).__slots__}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
