"""Which cases someone has business with, in SQL; and what is asked of a case's row."""

from __future__ import annotations

import json
from collections.abc import Set
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, exists, literal, or_, select, union
from sqlalchemy.sql import ColumnElement, Select

from service.access.principal import Principal
from service.access.relations import local_day
from service.audit.chain import timestamp
from service.store import tables
from service.store.transaction import Record
from service.store.values import StoredCase

_case = tables.case_record.c
#: What makes a `StoredCase`.
CASE_FIELDS = (
    _case.id, _case.chain, _case.version, _case.header, _case.team, _case.organisation, _case.created_at,
    _case.closed_on, _case.restricted, _case.disposed_at,
)  # fmt: skip


def stored_case(row: Record) -> StoredCase:
    """The case of a row of `CASE_FIELDS`."""
    case_id, chain, version, header, *others = row
    return StoredCase(case_id, chain, version, None if header is None else json.loads(header), *others)


def open_to(
    principal: Principal, now: datetime, relations: Set[str], region: str, *, closed: bool | None = None
) -> Select[Any]:
    """The cases to which the principal, at `now`, has one of the `relations`: their fields, and the relation.

    Cases of others are not read, unless "none" is among the relations. Cases disposed of are left out. `closed`: only
    those that are closed, or only those that are not.
    """
    relation = _relation(principal, now).label("relation")
    query: Select[Any] = select(*CASE_FIELDS, relation).where(
        _case.region == region, _case.disposed_at.is_(None), relation.in_(sorted(relations))
    )
    if "none" not in relations:
        query = query.where(_case.id.in_(candidates(principal, region)))
    if closed is not None:
        # A closing may be dated ahead.
        day = local_day(now).isoformat()
        still_open = or_(_case.closed_on.is_(None), _case.closed_on > day)
        query = query.where(_case.closed_on <= day if closed else still_open)
    return query


def _relation(principal: Principal, now: datetime) -> ColumnElement[str]:
    """The relation to a case, as `service.access.relations.relation` tells it of one; a test holds them together."""
    day, moment = local_day(now).isoformat(), timestamp(now)
    worker, party, grant = tables.case_worker.c, tables.case_party.c, tables.emergency.c
    if principal.journal_role is None:
        return literal("none")
    if principal.organisation_kind == "provider":
        consent = exists().where(*_same_case(party), party.party == principal.organisation, holds_on(party, day))
        found = case((consent, "provider"), else_="none")
    else:
        here = (*_same_case(worker), holds_on(worker, day))
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


def holds_on(columns: Any, day: str) -> ColumnElement[bool]:
    """Whether a span of days, as the projections have them, covers the day."""
    return and_(columns.from_day <= day, or_(columns.until_day.is_(None), columns.until_day >= day))


def candidates(principal: Principal, region: str) -> Any:
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
