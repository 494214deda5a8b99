"""Whether rows say what their records say.

Chains commit to records. Beside a record, its row has columns by which it is found and listed: whose case, which
position, by whom. Someone who alters only those leaves every chain whole, and yet the service would show another
journal, or a client another log of reads. So the columns are compared with what the chain and the record say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, func, select

from rules.identity import HIDDEN
from service.audit.chain import DISPOSED, PRUNED, read_chain
from service.audit.faults import Fault
from service.store import tables
from service.store.reads import as_listed
from service.store.transaction import Transaction

_link, _case = tables.link.c, tables.case_record.c


class Agreement:
    """The comparison for a region."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def faults(self) -> Iterator[Fault]:
        """What disagrees, by table. Records that are gone or altered are not told here: chains tell them."""
        yield from self._entries()
        yield from self._decisions()
        yield from self._events()
        yield from self._reads()
        yield from self._cases()

    def _entries(self) -> Iterator[Fault]:
        entry = tables.entry.c
        columns = (entry.entry_id, entry.position, entry.version)
        for _, rows in groupby(self._rows(tables.entry, *columns), key=lambda row: row[0]):
            position = 0
            for chain, seq, payload, kind, version, case_chain, _, *row in rows:
                record = _data(payload).get("id"), position, version
                pairs = zip(("entry_id", "position", "version"), row, record, strict=True)
                yield from _told("entry", chain, seq, pairs, kind, "entry", case_chain)
                position = row[1] + 1 if isinstance(row[1], int) else position + 1

    def _decisions(self) -> Iterator[Fault]:
        decision = tables.decision.c
        names = ("id", "case_id", "version", "recorded_at", "recorded_by", "status", "acknowledged")
        columns = [decision[name] for name in names]
        for chain, seq, payload, kind, version, case_chain, at, *row in self._rows(tables.decision, *columns):
            data = _data(payload)
            by = data.get("recorded_by")
            user = by.get("user") if isinstance(by, dict) else None
            acknowledged = data.get("acknowledged") is not None
            record = data.get("id"), data.get("case"), version, at, user, data.get("status"), acknowledged
            pairs = zip(names, row, record, strict=True)
            yield from _told("decision", chain, seq, pairs, kind, "decision", case_chain)

    def _events(self) -> Iterator[Fault]:
        event = tables.event.c
        for chain, seq, _, kind, _, case_chain, at, *row in self._rows(tables.event, event.kind, event.at):
            pairs = zip(("kind", "at"), row, (kind, at), strict=True)
            yield from _told("event", chain, seq, pairs, kind, kind, case_chain)

    def _reads(self) -> Iterator[Fault]:
        read, of = tables.read_log.c, tables.read_of.c
        region = self._transaction.region
        query = (
            select(read.chain, read.seq, read.payload, read.user, read.at, _link.at, _link.kind, of.case_id)
            .select_from(
                tables.read_log.outerjoin(tables.link, _same_link(tables.read_log)).outerjoin(
                    tables.read_of, and_(of.region == read.region, of.chain == read.chain, of.seq == read.seq)
                )
            )
            .where(read.region == region)
            .order_by(read.chain, read.seq, of.case_id)
        )
        for (chain, seq), group in groupby(self._transaction.stream(query), key=lambda row: (row[0], row[1])):
            rows = list(group)
            _, _, payload, user, row_at, at, kind, _ = rows[0]
            data = _data(payload)
            pairs = [("at", row_at, at), ("chain", chain, read_chain(str(user)))]
            if kind != PRUNED:
                pairs.append(("user", user, data.get("user")))
            yield from _told("read_log", chain, seq, pairs, kind, PRUNED if kind == PRUNED else "read", chain)
            listed = {row[-1] for row in rows} - {None}
            named = data.get("cases")
            named = set(map(as_listed, named)) if isinstance(named, dict) else set()
            # An id that might tell who someone is stands hidden in the record, and is not listed.
            if listed != named - {HIDDEN}:
                yield Fault(chain, seq, "the rows of read_of do not list the clients that the read touched")

    def _cases(self) -> Iterator[Fault]:
        """Each case's row against the events of its chain: where it stands, its header, whether it is restricted."""
        region, event = self._transaction.region, tables.event.c
        newest = (
            select(_link.chain, func.max(_link.version).label("version"))
            .where(_link.region == region)
            .group_by(_link.chain)
            .subquery()
        )
        query = (
            select(
                _case.chain, _case.id, _case.version, _case.header, _case.restricted, _case.disposed_at,
                newest.c.version, event.kind, event.payload,
            )
            .select_from(
                tables.case_record.outerjoin(newest, newest.c.chain == _case.chain).outerjoin(
                    tables.event, and_(event.region == _case.region, event.chain == _case.chain)
                )
            )
            .where(_case.region == region)
            .order_by(_case.chain, event.seq)
        )  # fmt: skip
        for chain, group in groupby(self._transaction.stream(query), key=lambda row: row[0]):
            rows = list(group)
            _, case_id, version, header, restricted, disposed_at, newest_version, *_ = rows[0]
            record = _Case((kind, _data(payload)) for *_, kind, payload in rows if kind is not None)
            pairs = [("version", version, newest_version), ("disposed_at", disposed_at is not None, record.disposed)]
            if not record.disposed:
                pairs += [("id", case_id, record.id), ("restricted", bool(restricted), record.restricted)]
            pairs.append(("header", _data(header) if header is not None else None, record.header))
            yield from _differing("case_record", chain, None, pairs)
        owned = select(_case.chain).where(_case.region == region)
        astray = select(_link.chain).where(
            _link.region == region, _link.chain.like("case/%"), _link.chain.not_in(owned)
        )
        for (chain,) in self._transaction.stream(astray.distinct().order_by(_link.chain)):
            yield Fault(chain, None, "no case has this chain")

    def _rows(self, table: Table, *columns: ColumnElement[Any]) -> Iterator[Any]:
        """Chain, seq and payload of each row, its link's kind and version, its case's chain, its link's time, and the
        columns asked for; by chain and seq."""
        row = table.c
        query: Select[Any] = (
            select(row.chain, row.seq, row.payload, _link.kind, _link.version, _case.chain, _link.at, *columns)
            .select_from(
                table.outerjoin(tables.link, _same_link(table)).outerjoin(
                    tables.case_record, and_(_case.region == row.region, _case.id == row.case_id)
                )
            )
            .where(row.region == self._transaction.region)
            .order_by(row.chain, row.seq)
        )
        return self._transaction.stream(query)


class _Case:
    """What the events of a case's chain say of it."""

    def __init__(self, events: Iterable[tuple[str, dict[str, Any]]]) -> None:
        self.id: Any = None
        self.header: Any = None
        self.restricted = False
        self.disposed = False
        for kind, data in events:
            if isinstance(data.get("case"), dict):
                self.header = data["case"]
                self.id = self.header.get("id")
            if "restricted" in data:
                self.restricted = data["restricted"] is True
            if kind == DISPOSED:
                self.disposed, self.header = True, None


def _same_link(table: Table) -> ColumnElement[bool]:
    return and_(_link.region == table.c.region, _link.chain == table.c.chain, _link.seq == table.c.seq)


def _data(payload: Any) -> dict[str, Any]:
    """The record; empty for what is none, which the chain tells."""
    try:
        data = json.loads(payload)
    except (TypeError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _differing(table: str, chain: str, seq: int | None, pairs: Iterable[tuple[str, object, object]]) -> Iterator[Fault]:
    """A fault for each column (name, what the row has, what the chain says) that differs."""
    for name, column, said in pairs:
        if column != said:
            yield Fault(chain, seq, f"the row of {table} has another {name} than the chain says")


def _told(
    table: str,
    chain: str,
    seq: int,
    pairs: Iterable[tuple[str, object, object]],
    kind: str | None,
    wanted: str | None,
    case_chain: str | None,
) -> Iterator[Fault]:
    """What is wrong with a row: its link is missing, it differs, the link is of a `kind` that others have, or its case
    has another chain."""
    if kind is None:
        yield Fault(chain, seq, f"there is a row of {table} for it, but no link")
        return
    yield from _differing(table, chain, seq, pairs)
    if kind != wanted:
        yield Fault(chain, seq, f"there is a row of {table} for it, but the link is of the kind {kind}")
    elif case_chain != chain:
        yield Fault(chain, seq, f"the row of {table} is filed under another case")
