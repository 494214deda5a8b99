"""Chains: links are appended, never more; records are kept beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, and_, bindparam, func, insert, select
from sqlalchemy.sql import ColumnElement, Select

from service.audit.canonical import canonical
from service.audit.chain import Head, Link, new_salt, next_link, timestamp
from service.store import tables
from service.store.errors import NoSuchCase
from service.store.transaction import Transaction
from service.store.values import StoredCase

_link = tables.link.c
_LINK = (_link.chain, _link.seq, _link.at, _link.kind, _link.version, _link.digest, _link.prev, _link.hash)
_HEAD = (
    select(_link.chain, _link.seq, _link.at, _link.hash)
    .where(_link.region == bindparam("region"), _link.chain == bindparam("chain"))
    .order_by(_link.seq.desc())
    .limit(1)
)
_ADD_LINK = insert(tables.link)
_LOCK_CASE = (
    select(tables.case_record.c.id)
    .where(
        tables.case_record.c.region == bindparam("region"),
        tables.case_record.c.id == bindparam("case_id"),
        tables.case_record.c.disposed_at.is_(None),
    )
    .with_for_update(key_share=True)
)
_LOCK_CHAIN = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name"), 0)))


class Sealed(NamedTuple):
    """A link with what its record's row keeps: the salt, and the payload as text."""

    link: Link
    salt: str
    payload: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A link with its record; both None when the record was disposed of, or is missing."""

    link: Link
    salt: str | None
    payload: str | None


class Chains:
    """The chains of a region."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def head(self, chain: str) -> Head | None:
        """Where the chain stands; None when it has no link yet."""
        row = self._transaction.one(_HEAD, {"region": self._transaction.region, "chain": chain})
        return Head(*row) if row else None

    def heads(self) -> Iterator[Head]:
        """The head of every chain, by name."""
        last = (
            select(_link.chain, func.max(_link.seq).label("seq"))
            .where(_link.region == self._transaction.region)
            .group_by(_link.chain)
            .subquery()
        )
        query = (
            select(_link.chain, _link.seq, _link.at, _link.hash)
            .join(last, and_(_link.chain == last.c.chain, _link.seq == last.c.seq))
            .where(_link.region == self._transaction.region)
            .order_by(_link.chain)
        )
        return (Head(*row) for row in self._transaction.stream(query))

    def size(self) -> tuple[int, int]:
        """How many chains there are, and how many links in all."""
        # Each chain has one first link.
        query = select(func.count().filter(_link.seq == 1), func.count()).select_from(tables.link)
        row = self._transaction.one(query.where(_link.region == self._transaction.region))
        chains, links = row if row is not None else (0, 0)
        return int(chains), int(links)

    def links(self, chain: str) -> list[Link]:
        """A chain's links, oldest first."""
        query = select(*_LINK).where(_link.region == self._transaction.region, _link.chain == chain)
        return [Link(*row) for row in self._transaction.all(query.order_by(_link.seq))]

    def records(self, chain: str | None = None) -> Iterator[Kept]:
        """Every link with its record, ordered by chain and seq, of one snapshot: streamed, for exports and checks.

        With `chain`, that chain's only.
        """
        query = _records(self._transaction.region)
        if chain is not None:
            query = query.where(_link.chain == chain)
        for *link, salt, payload in self._transaction.stream(query.order_by(_link.chain, _link.seq)):
            yield Kept(Link(*link), salt, payload)

    def seal(
        self, chain: str, kind: str, version: int, payloads: Sequence[Mapping[str, Any]], at: datetime
    ) -> list[Sealed]:
        """Append a link for each payload, at least one. For the groups that keep the payloads: a link needs its record.

        The chain's head is locked until the transaction ends; what else appends to it waits.
        """
        if chain not in self._transaction.heads:
            if self._transaction.postgresql:
                # A lock by name: a chain that has no link yet can be waited for as well.
                self._transaction.run(_LOCK_CHAIN, {"name": f"{self._transaction.region}/{chain}"})
            self._transaction.heads[chain] = self.head(chain)
        head, moment, made = self._transaction.heads[chain], timestamp(at), []
        for payload in payloads:
            data, salt = canonical(payload), new_salt()
            link = next_link(head, chain, kind, version, data, moment, salt)
            head = link.head
            made.append(Sealed(link, salt, data.decode()))
        self._transaction.add(_ADD_LINK, [_row(self._transaction.region, sealed.link) for sealed in made])
        self._transaction.heads[chain] = head
        return made

    def seal_for(
        self, case: StoredCase, kind: str, version: int, payloads: Sequence[Mapping[str, Any]], at: datetime
    ) -> list[Sealed]:
        """Append links to a case's chain, whose lock is the case's row. Raises NoSuchCase."""
        self.lock_case(case.id)
        if case.chain not in self._transaction.heads:
            self._transaction.heads[case.chain] = self.head(case.chain)
        return self.seal(case.chain, kind, version, payloads, at)

    def lock_case(self, case_id: str) -> None:
        """Let no one else write to the case until the transaction ends. Raises NoSuchCase, also when the case was
        disposed of.

        Whoever writes to a case takes its row first, then its chain: no two can wait for each other.
        """
        held = self._transaction
        if case_id not in held.seen:
            if held.one(_LOCK_CASE, {"region": held.region, "case_id": case_id}) is None:
                raise NoSuchCase(case_id)
            held.seen.add(case_id)


def _row(region: str, link: Link) -> dict[str, Any]:
    return {
        "region": region,
        "chain": link.chain,
        "seq": link.seq,
        "at": link.at,
        "kind": link.kind,
        "version": link.version,
        "digest": link.digest,
        "prev": link.prev,
        "hash": link.hash,
    }


def _records(region: str) -> Select[Any]:
    tables_of_payloads = tables.PAYLOADS
    query = select(
        *_LINK,
        func.coalesce(*(table.c.salt for table in tables_of_payloads)),
        func.coalesce(*(table.c.payload for table in tables_of_payloads)),
    )
    source: Any = tables.link
    for table in tables_of_payloads:
        source = source.outerjoin(table, _same_link(table))
    return query.select_from(source).where(_link.region == region)


def _same_link(table: Table) -> ColumnElement[bool]:
    return and_(table.c.region == _link.region, table.c.chain == _link.chain, table.c.seq == _link.seq)
