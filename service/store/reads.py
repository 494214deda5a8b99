"""The log of reads: a chain for each reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.sql import Select

from service.audit.chain import PRUNED, Link, read_chain
from service.store import tables
from service.store.chains import Chains
from service.store.transaction import Transaction
from service.store.values import StoredRead

_read, _of, _link = tables.read_log.c, tables.read_of.c, tables.link.c
_ADD_READ, _ADD_READ_OF = insert(tables.read_log), insert(tables.read_of)
_READ = tuple(_read[name] for name in StoredRead.__slots__)


def as_listed(case_id: str) -> str:
    """An id as `read_of` lists it: what a database cannot hold of one asked for in vain is replaced."""
    return case_id.replace("\x00", "\ufffd")


class Reads:
    """Who read what of whom."""

    def __init__(self, transaction: Transaction, chains: Chains) -> None:
        self._transaction = transaction
        self._chains = chains

    def append(self, user: str, case_ids: Sequence[str], payload: Mapping[str, Any], at: datetime) -> None:
        """Log a read by the user of these cases (ids asked for in vain included), when the transaction ends.

        Written then and not before, after whatever the transaction writes to cases: so no two transactions can wait
        for each other, and a reader's own parallel requests wait as short as may be.
        """
        ids = tuple(dict.fromkeys(map(as_listed, case_ids)))
        self._transaction.late.append((user, ids, payload, at))

    def flush(self) -> None:
        """Write what was appended. The database does so before it commits."""
        late, self._transaction.late = self._transaction.late, []
        region = self._transaction.region
        for user, case_ids, payload, at in sorted(late, key=lambda item: read_chain(item[0])):
            (sealed,) = self._chains.seal(read_chain(user), "read", 0, [payload], at)
            self._insert(sealed.link, user, sealed.salt, sealed.payload)
            rows = [
                {"region": region, "case_id": case_id, "chain": sealed.link.chain, "seq": sealed.link.seq}
                for case_id in case_ids
            ]
            self._transaction.add(_ADD_READ_OF, rows)

    def of(self, case_id: str, *, after: tuple[str, int] | None = None, limit: int = 50) -> list[StoredRead]:
        """Reads of a case, by chain and seq, from the one after `after`."""
        touched = and_(_of.region == _read.region, _of.chain == _read.chain, _of.seq == _read.seq)
        query = self._all().join(tables.read_of, touched).where(_of.case_id == case_id)
        if after is not None:
            chain, seq = after
            query = query.where((_of.chain > chain) | ((_of.chain == chain) & (_of.seq > seq)))
        return [StoredRead(*row) for row in self._transaction.all(query.order_by(_of.chain, _of.seq).limit(limit))]

    def newest_of(
        self, case_id: str, *, before: tuple[str, str, int] | None = None, limit: int = 50
    ) -> list[StoredRead]:
        """Reads of a case, the newest first; `before` is the (at, chain, seq) the page before ended with."""
        touched = and_(_of.region == _read.region, _of.chain == _read.chain, _of.seq == _read.seq)
        query = self._all().join(tables.read_of, touched).where(_of.case_id == case_id)
        if before is not None:
            at, chain, seq = before
            earlier = (_read.chain < chain) | ((_read.chain == chain) & (_read.seq < seq))
            query = query.where((_read.at < at) | ((_read.at == at) & earlier))
        query = query.order_by(_read.at.desc(), _read.chain.desc(), _read.seq.desc()).limit(limit)
        return [StoredRead(*row) for row in self._transaction.all(query)]

    def by(self, user: str, *, since: str | None = None, limit: int = 50) -> list[StoredRead]:
        """A user's reads, the newest first; with `since` (UTC text), none older."""
        query = self._all().where(_read.user == user)
        if since is not None:
            query = query.where(_read.at >= since)
        query = query.order_by(_read.at.desc(), _read.seq.desc()).limit(limit)
        return [StoredRead(*row) for row in self._transaction.all(query)]

    def cases_since(self, user: str, since: str) -> int:
        """How many different cases the user has read since (UTC text)."""
        touched = and_(_of.region == _read.region, _of.chain == _read.chain, _of.seq == _read.seq)
        query = (
            select(func.count(_of.case_id.distinct()))
            .select_from(tables.read_log.join(tables.read_of, touched))
            .where(_read.region == self._transaction.region, _read.user == user, _read.at >= since)
        )
        return int(self._transaction.run(query).scalar_one())

    def readers_before(self, at: str) -> Iterator[tuple[str, str, int]]:
        """For each reader with reads logged before `at` (UTC text): user, chain, and the seq of the last such read."""
        query = (
            select(_read.user, _read.chain, func.max(_read.seq))
            .join(tables.link, and_(_link.region == _read.region, _link.chain == _read.chain, _link.seq == _read.seq))
            .where(_read.region == self._transaction.region, _read.at < at, _link.kind == "read")
            .group_by(_read.user, _read.chain)
            .order_by(_read.chain)
        )
        return ((user, chain, int(seq)) for user, chain, seq in self._transaction.all(query))

    def prune(self, user: str, through: int, payload: Mapping[str, Any], at: datetime) -> Link:
        """Delete the user's reads up to the seq `through`, which a link of kind `pruned` then says; its payload is
        `payload` with `through`. On PostgreSQL the owner's to do."""
        chain, region = read_chain(user), self._transaction.region
        (sealed,) = self._chains.seal(chain, PRUNED, 0, [{**payload, "through": through}], at)
        self._insert(sealed.link, user, sealed.salt, sealed.payload)
        for table in (tables.read_of, tables.read_log):
            columns = table.c
            covered = (columns.region == region, columns.chain == chain, columns.seq <= through)
            self._transaction.run(delete(table).where(*covered))
        return sealed.link

    def _insert(self, link: Link, user: str, salt: str, payload: str) -> None:
        row = {"region": self._transaction.region, "chain": link.chain, "seq": link.seq, "at": link.at, "user": user}
        self._transaction.run(_ADD_READ, row | {"salt": salt, "payload": payload})

    def _all(self) -> Select[Any]:
        return select(*_READ).where(_read.region == self._transaction.region)
