"""Cases: their rows, journals, relations, and lists of those that someone has business with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Set
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, and_, bindparam, case, delete, exists, insert, literal, or_, select, union, update
from sqlalchemy.sql import ColumnElement, Select

from rules.journal import Case, case_from_stored
from service.access.principal import Principal
from service.access.relations import Emergency, Party, Ties, Worker, local_day
from service.audit.canonical import canonical
from service.audit.chain import DISPOSED, new_case_chain, timestamp
from service.store import tables
from service.store.chains import Chains
from service.store.errors import NoSuchCase, VersionConflict
from service.store.transaction import Record, Transaction, storable
from service.store.values import StoredCase, StoredEntry

_case = tables.case_record.c
_CASE = (
    _case.id, _case.chain, _case.version, _case.header, _case.team, _case.organisation, _case.created_at,
    _case.closed_on, _case.restricted, _case.disposed_at,
)  # fmt: skip
_GET = select(*_CASE).where(_case.region == bindparam("region"), _case.id == bindparam("case_id"))
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
    tables.check_finding,
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
        return _stored(row) if row else None

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
        header = self._transaction.run(_GET.with_only_columns(_case.header), self._of(case_id)).scalar_one_or_none()
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
            if rows:
                self._transaction.run(insert(table), rows)

    def ties(self, case: StoredCase) -> Ties:
        """What ties people to the case: what `service.access.relations.relation` judges."""
        worker, party, grant = tables.case_worker.c, tables.case_party.c, tables.emergency.c
        workers = select(
            worker.worker, worker.role, worker.organisation, worker.from_day, worker.until_day, worker.team
        ).where(*self._is(tables.case_worker, case.id))
        parties = select(party.party, party.from_day, party.until_day).where(*self._is(tables.case_party, case.id))
        grants = select(grant.user, grant.role, grant.until).where(*self._is(tables.emergency, case.id))
        return Ties(
            case.organisation,
            case.team,
            case.restricted,
            tuple(
                Worker(user, role, organisation, date.fromisoformat(first), _day(last), team)
                for user, role, organisation, first, last, team in self._transaction.all(workers.order_by(worker.n))
            ),
            tuple(
                Party(name, date.fromisoformat(first), _day(last))
                for name, first, last in self._transaction.all(parties.order_by(party.n))
            ),
            tuple(
                Emergency(user, role, datetime.fromisoformat(until))
                for user, role, until in self._transaction.all(grants.order_by(grant.at))
            ),
        )

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
        relation = _relation(principal, now).label("relation")
        query: Select[Any] = select(*_CASE, relation).where(
            _case.region == self._transaction.region, _case.disposed_at.is_(None), relation.in_(sorted(relations))
        )
        if "none" not in relations:
            query = query.where(_case.id.in_(_candidates(principal, self._transaction.region)))
        if after is not None:
            query = query.where(_case.id > after)
        if closed is not None:
            # A closing may be dated ahead.
            day = local_day(now).isoformat()
            still_open = or_(_case.closed_on.is_(None), _case.closed_on > day)
            query = query.where(_case.closed_on <= day if closed else still_open)
        rows = self._transaction.all(query.order_by(_case.id).limit(limit))
        return [(_stored(row[:-1]), str(row[-1])) for row in rows]

    def ids(self, *, after: str | None = None, limit: int = 500) -> list[str]:
        """The ids of the cases not disposed of, in order, from the one after `after`: for replay, of every case."""
        query = select(_case.id).where(_case.region == self._transaction.region, _case.disposed_at.is_(None))
        if after is not None:
            query = query.where(_case.id > after)
        return list(self._transaction.run(query.order_by(_case.id).limit(limit)).scalars())

    def closed_before(self, day: str, *, after: str | None = None, limit: int = 500) -> list[StoredCase]:
        """Cases closed on or before `day` (ISO text) and not yet disposed of, in the order of their ids."""
        query = select(*_CASE).where(
            _case.region == self._transaction.region, _case.closed_on <= day, _case.disposed_at.is_(None)
        )
        if after is not None:
            query = query.where(_case.id > after)
        return [_stored(row) for row in self._transaction.all(query.order_by(_case.id).limit(limit))]

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


def _stored(row: Record) -> StoredCase:
    case_id, chain, version, header, *others = row
    return StoredCase(case_id, chain, version, None if header is None else json.loads(header), *others)


def _row(item: Worker | Party) -> dict[str, Any]:
    """A row of a projection; days as ISO text."""
    values = {name: getattr(item, name) for name in type(item).__slots__}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


# ---- relations, in SQL


def _relation(principal: Principal, now: datetime) -> ColumnElement[str]:
    """The relation to a case, as `service.access.relations.relation` tells it of one; a test holds them together."""
    day, moment = local_day(now).isoformat(), timestamp(now)
    worker, party, grant = tables.case_worker.c, tables.case_party.c, tables.emergency.c
    if principal.journal_role is None:
        return literal("none")
    if principal.organisation_kind == "provider":
        consent = exists().where(*_same_case(party), party.party == principal.organisation, _holds(party, day))
        found = case((consent, "provider"), else_="none")
    else:
        here = (*_same_case(worker), _holds(worker, day))
        own = or_(worker.organisation.is_(None), worker.organisation == principal.organisation)
        named = exists().where(*here, own, worker.worker == principal.user, worker.role == principal.role)
        granted = exists().where(
            *_same_case(grant), grant.user == principal.user, grant.role == principal.role, grant.until > moment
        )
        steps: list[tuple[ColumnElement[bool], str]] = [(named, "assigned"), (granted, "emergency")]
        if principal.team is not None:
            of_case = and_(_case.team == principal.team, _case.organisation == principal.organisation)
            of_worker = exists().where(
                *here, worker.team == principal.team, worker.organisation == principal.organisation
            )
            steps.append((or_(of_case, of_worker), "team"))
        found = case(*steps, else_="none")
    kept = {"social_worker": "assigned", "team_leader": "team"}.get(principal.role)
    closed_to = and_(_case.restricted, found != kept) if kept else _case.restricted
    return case((closed_to, "none"), else_=found)


def _same_case(columns: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return columns.region == _case.region, columns.case_id == _case.id


def _holds(columns: Any, day: str) -> ColumnElement[bool]:
    return and_(columns.from_day <= day, or_(columns.until_day.is_(None), columns.until_day >= day))


def _candidates(principal: Principal, region: str) -> Any:
    """The ids of every case the principal may have a relation to, found by index."""
    worker, party, grant = tables.case_worker.c, tables.case_party.c, tables.emergency.c
    if principal.organisation_kind == "provider":
        return select(party.case_id).where(party.region == region, party.party == principal.organisation)
    found = [
        select(worker.case_id).where(worker.region == region, worker.worker == principal.user),
        select(grant.case_id).where(grant.region == region, grant.user == principal.user),
    ]
    if principal.team is not None:
        found.append(select(worker.case_id).where(worker.region == region, worker.team == principal.team))
        found.append(select(_case.id).where(_case.region == region, _case.team == principal.team))
    return union(*found)
