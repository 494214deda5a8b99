"""What cases' chains commit to: entries, decisions and events. Appended with their links, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, text, union
from sqlalchemy.sql import CompoundSelect, Select

from service.audit.chain import Link
from service.store import tables
from service.store.chains import Chains, Sealed
from service.store.transaction import Transaction, storable
from service.store.values import StoredCase, StoredDecision, StoredEvent

_entry, _decision, _event, _case = tables.entry.c, tables.decision.c, tables.event.c, tables.case_record.c
_DECISION = tuple(_decision[name] for name in StoredDecision.__slots__)
_LAST_POSITION = select(func.max(_entry.position)).where(
    _entry.region == bindparam("region"), _entry.case_id == bindparam("case_id")
)
_ADD_ENTRY, _ADD_DECISION, _ADD_EVENT = insert(tables.entry), insert(tables.decision), insert(tables.event)
_EVENT = tuple(_event[name] for name in StoredEvent.__slots__)


def _kept(sealed: Sealed) -> dict[str, Any]:
    link, salt, payload = sealed
    return {"chain": link.chain, "seq": link.seq, "salt": salt, "payload": payload}


class Entries:
    """Entries of journals; they are read by `unit.cases`."""

    def __init__(self, transaction: Transaction, chains: Chains) -> None:
        self._transaction = transaction
        self._chains = chains

    def append(self, case: StoredCase, version: int, entries: Sequence[Mapping[str, Any]], at: datetime) -> list[Link]:
        """Append entries (as `case_to_data` writes them, each with its id) as the case's `version`; their links.

        Raises Conflict when an id is taken, and NoSuchCase.
        """
        if not entries:
            return []
        sealed = self._chains.seal_for(case, "entry", version, entries, at)
        region = self._transaction.region
        before = self._transaction.run(_LAST_POSITION, {"region": region, "case_id": case.id}).scalar_one()
        first = 0 if before is None else before + 1
        rows = [
            {
                "region": region,
                "case_id": case.id,
                "entry_id": data["id"],
                "position": n,
                "version": version,
                **_kept(s),
            }
            for n, (data, s) in enumerate(zip(entries, sealed, strict=True), start=first)
        ]
        self._transaction.add(_ADD_ENTRY, rows)
        return [item.link for item in sealed]


class Decisions:
    """Decision records."""

    def __init__(self, transaction: Transaction, chains: Chains) -> None:
        self._transaction = transaction
        self._chains = chains

    def append(
        self,
        case: StoredCase,
        version: int,
        decision_id: str,
        payload: Mapping[str, Any],
        at: datetime,
        *,
        recorded_by: str,
        status: str,
        acknowledged: bool,
    ) -> Link:
        """Append the decision of the case's `version` with its link, after the entries of that version.

        Raises Conflict when the version has one, and NoSuchCase.
        """
        (sealed,) = self._chains.seal_for(case, "decision", version, [payload], at)
        row = {
            "region": self._transaction.region,
            "id": decision_id,
            "case_id": case.id,
            "version": version,
            "recorded_at": sealed.link.at,
            "recorded_by": recorded_by,
            "status": status,
            "acknowledged": acknowledged,
            **_kept(sealed),
        }
        self._transaction.run(_ADD_DECISION, row)
        return sealed.link

    def get(self, decision_id: str) -> StoredDecision | None:
        """The decision of that id."""
        if not storable(decision_id):
            return None
        row = self._transaction.one(self._all().where(_decision.id == decision_id))
        return StoredDecision(*row) if row else None

    def of(self, case_id: str, *, after: int = 0, limit: int = 50, version: int | None = None) -> list[StoredDecision]:
        """A case's decisions by version, from the one after `after`; with `version`, that one."""
        query = self._all().where(_decision.case_id == case_id, _decision.version > after)
        if version is not None:
            query = query.where(_decision.version == version)
        return [StoredDecision(*row) for row in self._transaction.all(query.order_by(_decision.version).limit(limit))]

    def versions_by(self, case_id: str, user: str) -> set[int]:
        """The versions of the case that the user recorded."""
        mine = (_decision.region == self._transaction.region, _decision.case_id == case_id)
        query = select(_decision.version).where(*mine, _decision.recorded_by == user)
        return {int(version) for version in self._transaction.run(query).scalars()}

    def latest(self, case_id: str) -> StoredDecision | None:
        """The decision of the case's newest version."""
        query = self._all().where(_decision.case_id == case_id).order_by(_decision.version.desc()).limit(1)
        row = self._transaction.one(query)
        return StoredDecision(*row) if row else None

    def all(self) -> Iterator[StoredDecision]:
        """Every decision of the region, by case and version, streamed."""
        query = self._all().order_by(_decision.case_id, _decision.version)
        return (StoredDecision(*row) for row in self._transaction.stream(query))

    def count(self) -> int:
        """How many decisions the region has."""
        query = select(func.count()).select_from(tables.decision).where(_decision.region == self._transaction.region)
        return int(self._transaction.run(query).scalar_one())

    def acknowledged(
        self, *, team: tuple[str, str] | None = None, before: tuple[str, str] | None = None, limit: int = 50
    ) -> list[StoredDecision]:
        """Decisions whose step was taken against a rule, with a reason: the newest first.

        `team` is (organisation, team): the cases of that team only. `before` is the (recorded_at, id) the page before
        ended with.
        """
        query = self._all().where(_decision.acknowledged.is_(True))
        if team is not None:
            query = query.where(_decision.case_id.in_(_cases_of(self._transaction.region, team)))
        return self._newest(query, before, limit)

    def newest(
        self, *, undetermined: bool = False, before: tuple[str, str] | None = None, limit: int = 50
    ) -> list[StoredDecision]:
        """Decisions of every case, the newest first; with `undetermined`, those that could not be judged. `before` is
        as in `acknowledged`."""
        if undetermined:
            # As written in the index's condition: a bound value would not be seen to fulfil it.
            return self._newest(self._all().where(text("decision.status = 'undetermined'")), before, limit)
        # Each half in the order of an index; put together they need none of their own.
        halves = (self._all().where(_decision.acknowledged.is_(flag)) for flag in (True, False))
        found = [item for half in halves for item in self._newest(half, before, limit)]
        return sorted(found, key=lambda item: (item.recorded_at, item.id), reverse=True)[:limit]

    def _newest(self, query: Select[Any], before: tuple[str, str] | None, limit: int) -> list[StoredDecision]:
        if before is not None:
            at, decision_id = before
            earlier = (_decision.recorded_at == at) & (_decision.id < decision_id)
            query = query.where((_decision.recorded_at < at) | earlier)
        query = query.order_by(_decision.recorded_at.desc(), _decision.id.desc()).limit(limit)
        return [StoredDecision(*row) for row in self._transaction.all(query)]

    def _all(self) -> Select[Any]:
        return select(*_DECISION).where(_decision.region == self._transaction.region)


class Events:
    """What else happened to cases."""

    def __init__(self, transaction: Transaction, chains: Chains) -> None:
        self._transaction = transaction
        self._chains = chains

    def append(self, case: StoredCase, kind: str, payload: Mapping[str, Any], at: datetime) -> Link:
        """Append an event to the case's chain, at the case's version; its link. Raises NoSuchCase."""
        (sealed,) = self._chains.seal_for(case, kind, case.version, [payload], at)
        row = {"region": self._transaction.region, "case_id": case.id, "kind": kind, "at": sealed.link.at}
        self._transaction.run(_ADD_EVENT, row | _kept(sealed))
        return sealed.link

    def of(self, case_id: str) -> list[StoredEvent]:
        """A case's events, oldest first."""
        query = self._all().where(_event.case_id == case_id).order_by(_event.seq)
        return [StoredEvent(*row) for row in self._transaction.all(query)]

    def of_kind(
        self,
        kind: str,
        *,
        team: tuple[str, str] | None = None,
        before: tuple[str, str, int] | None = None,
        limit: int = 50,
    ) -> list[StoredEvent]:
        """Events of a kind, the newest first: `team` is (organisation, team), the cases of that team only; `before` is
        the (at, chain, seq) the page before ended with."""
        query = self._all().where(_event.kind == kind)
        if team is not None:
            query = query.where(_event.case_id.in_(_cases_of(self._transaction.region, team)))
        if before is not None:
            at, chain, seq = before
            earlier = (_event.chain < chain) | ((_event.chain == chain) & (_event.seq < seq))
            query = query.where((_event.at < at) | ((_event.at == at) & earlier))
        query = query.order_by(_event.at.desc(), _event.chain.desc(), _event.seq.desc()).limit(limit)
        return [StoredEvent(*row) for row in self._transaction.all(query)]

    def _all(self) -> Select[Any]:
        return select(*_EVENT).where(_event.region == self._transaction.region)


def _cases_of(region: str, team: tuple[str, str]) -> CompoundSelect[*tuple[Any, ...]]:
    """The cases a team's leader answers for: the team's own, and those a worker of the team is named for."""
    organisation, name = team
    worker = tables.case_worker.c
    own = (_case.region == region, _case.organisation == organisation, _case.team == name)
    named = (worker.region == region, worker.organisation == organisation, worker.team == name)
    return union(select(_case.id).where(*own), select(worker.case_id).where(*named))
