"""Accounts, sessions, used Idempotency-Keys, emergency accesses and clients' identities."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, Table, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.audit.canonical import canonical
from service.audit.chain import timestamp
from service.store import tables
from service.store.chains import Chains
from service.store.transaction import BATCH, Transaction
from service.store.values import Account, EmergencyAccess, Session, UsedKey

_account, _session, _key = tables.account.c, tables.session.c, tables.request_key.c
_grant, _identity = tables.emergency.c, tables.identity.c
# Asked with every request: made once, for making them costs more than asking them.
_ACCOUNTS = select(*(_account[name] for name in Account.__slots__)).where(_account.region == bindparam("region"))
_ACCOUNT = _ACCOUNTS.where(_account.user == bindparam("user"))
_TEAMS_OF = select(_account.user, _account.team).where(
    _account.region == bindparam("region"), _account.user.in_(bindparam("users", expanding=True))
)
_SESSION = select(*(_session[name] for name in Session.__slots__)).where(
    _session.region == bindparam("region"), _session.id_digest == bindparam("id_digest")
)
_USED_KEY = select(*(_key[name] for name in UsedKey.__slots__)).where(
    _key.region == bindparam("region"), _key.user == bindparam("user"), _key.key == bindparam("key")
)


def insert_or_leave(transaction: Transaction, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless its key is taken; whether it was inserted. Waits for a transaction that inserts the same."""
    return transaction.run(_leaving(table, transaction.postgresql), row).rowcount == 1


def insert_or_replace(transaction: Transaction, table: Table, row: Mapping[str, Any]) -> None:
    """Insert a row, or put its values in place of those of the row with its key."""
    transaction.run(_replacing(table, tuple(row), transaction.postgresql), row)


@cache
def _leaving(table: Table, is_postgresql: bool) -> Executable:
    made = postgresql.insert(table) if is_postgresql else sqlite.insert(table)
    # Of an insertion, the count is kept only where that is asked for.
    return made.on_conflict_do_nothing().execution_options(preserve_rowcount=True)


@cache
def _replacing(table: Table, columns: tuple[str, ...], is_postgresql: bool) -> Executable:
    made = postgresql.insert(table) if is_postgresql else sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    others = {name: made.excluded[name] for name in columns if name not in keys}
    return made.on_conflict_do_update(index_elements=keys, set_=others)


class Accounts:
    """Who has logged in."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def put(self, account: Account) -> None:
        """Keep the account, in place of what was kept of that user; whether it is blocked stays as it is."""
        row = {name: getattr(account, name) for name in Account.__slots__}
        row |= {"region": self._transaction.region, "roles": json.dumps(list(account.roles))}
        if self.get(account.user) is not None:
            del row["blocked"]
            user = row.pop("user")
            mine = (_account.region == row.pop("region"), _account.user == user)
            self._transaction.run(update(tables.account).where(*mine).values(**row))
        elif not insert_or_leave(self._transaction, tables.account, row):
            self.put(account)

    def get(self, user: str) -> Account | None:
        """The account of that user."""
        found = self._transaction.one(_ACCOUNT, {"region": self._transaction.region, "user": user})
        return _account_of(found) if found else None

    def teams_of(self, users: Collection[str]) -> dict[str, str | None]:
        """The team of each of these users that has an account."""
        asked = {"region": self._transaction.region, "users": sorted(users)}
        return {str(user): team for user, team in self._transaction.all(_TEAMS_OF, asked)} if users else {}

    def all(self) -> list[Account]:
        """Every account, by user."""
        rows = self._transaction.all(_ACCOUNTS.order_by(_account.user), {"region": self._transaction.region})
        return [_account_of(row) for row in rows]

    def teams(self) -> dict[str, tuple[str, str | None]]:
        """Organisation and team of each user."""
        query = select(_account.user, _account.organisation, _account.team)
        rows = self._transaction.all(query.where(_account.region == self._transaction.region))
        return {user: (organisation, team) for user, organisation, team in rows}

    def set_blocked(self, user: str, blocked: bool) -> bool:
        """Block the user, or let them in again; False when there is no such account."""
        mine = (_account.region == self._transaction.region, _account.user == user)
        return self._transaction.run(update(tables.account).where(*mine).values(blocked=blocked)).rowcount == 1


def _account_of(row: Any) -> Account:
    user, organisation, kind, team, roles, blocked, seen_at = row
    return Account(user, organisation, kind, team, tuple(json.loads(roles)), blocked, seen_at)


class Sessions:
    """Logins in browsers."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, session: Session) -> None:
        """Keep a new session. Raises Conflict when its id is taken."""
        row = {name: getattr(session, name) for name in Session.__slots__}
        self._transaction.run(insert(tables.session), row | {"region": self._transaction.region})

    def get(self, id_digest: str) -> Session | None:
        """The session, also when it is over or revoked."""
        found = self._transaction.one(_SESSION, {"region": self._transaction.region, "id_digest": id_digest})
        return Session(*found) if found else None

    def update(self, id_digest: str, *, data: str | None = None, expires_at: str | None = None) -> None:
        """Change what a session holds (JSON text), or how long it lasts (UTC text)."""
        values = {name: value for name, value in (("data", data), ("expires_at", expires_at)) if value is not None}
        if values:
            self._transaction.run(update(tables.session).where(*self._is(id_digest)).values(**values))

    def revoke(self, id_digest: str, at: datetime) -> None:
        """End a session now."""
        self._transaction.run(
            update(tables.session)
            .where(*self._is(id_digest), _session.revoked_at.is_(None))
            .values(revoked_at=timestamp(at))
        )

    def revoke_all(self, user: str, at: datetime) -> int:
        """End every session of a user; how many there were."""
        mine = (_session.region == self._transaction.region, _session.user == user, _session.revoked_at.is_(None))
        return self._transaction.run(update(tables.session).where(*mine).values(revoked_at=timestamp(at))).rowcount

    def prune(self, before: datetime) -> int:
        """Delete sessions that were over or revoked before; how many."""
        moment = timestamp(before)
        over = or_(_session.expires_at < moment, _session.revoked_at < moment)
        return self._transaction.run(
            delete(tables.session).where(_session.region == self._transaction.region, over)
        ).rowcount

    def _is(self, id_digest: str) -> tuple[Any, Any]:
        return _session.region == self._transaction.region, _session.id_digest == id_digest


class Keys:
    """Idempotency-Keys."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def get(self, user: str, key: str) -> UsedKey | None:
        """What came of the request that used the key."""
        found = self._transaction.one(_USED_KEY, {"region": self._transaction.region, "user": user, "key": key})
        return UsedKey(*found) if found else None

    def add(self, used: UsedKey) -> UsedKey | None:
        """Take the key: None. When it is taken, what it was taken for: the caller then rolls back and answers by that.

        The case must exist. Of two at a time, the second waits for the first to commit or roll back.
        """
        row = {name: getattr(used, name) for name in UsedKey.__slots__}
        if insert_or_leave(self._transaction, tables.request_key, row | {"region": self._transaction.region}):
            return None
        return self.get(used.user, used.key)

    def prune(self, before: datetime) -> int:
        """Forget keys used before; how many."""
        old = (_key.region == self._transaction.region, _key.at < timestamp(before))
        return self._transaction.run(delete(tables.request_key).where(*old)).rowcount


class Emergencies:
    """Emergency accesses in force; their records are events of the cases' chains, appended by the caller."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def grant(self, case_id: str, user: str, role: str, at: datetime, until: datetime) -> EmergencyAccess:
        """Let the user in that role see the case until then."""
        new = EmergencyAccess(case_id, user, timestamp(at), role, timestamp(until))
        row = {name: getattr(new, name) for name in EmergencyAccess.__slots__}
        self._transaction.run(insert(tables.emergency), row | {"region": self._transaction.region})
        return new

    def of(self, case_id: str) -> list[EmergencyAccess]:
        """Every access granted to the case, past ones too, oldest first."""
        columns = (_grant[name] for name in EmergencyAccess.__slots__)
        mine = (_grant.region == self._transaction.region, _grant.case_id == case_id)
        rows = self._transaction.all(select(*columns).where(*mine).order_by(_grant.at, _grant.user))
        return [EmergencyAccess(*row) for row in rows]


class Identities:
    """Who the clients are, apart from their journals."""

    def __init__(self, transaction: Transaction, chains: Chains) -> None:
        self._transaction = transaction
        self._chains = chains

    def put(self, case_id: str, data: Mapping[str, Any]) -> None:
        """Keep who the client is, in place of what was kept. Raises NoSuchCase. The event is the caller's to append."""
        self._chains.lock_case(case_id)
        row = {"region": self._transaction.region, "case_id": case_id, "data": canonical(dict(data)).decode()}
        insert_or_replace(self._transaction, tables.identity, row)

    def get(self, case_id: str) -> dict[str, Any] | None:
        """Who the client is; None when nothing is kept."""
        found = self._transaction.run(select(_identity.data).where(*self._is(case_id))).scalar_one_or_none()
        return None if found is None else json.loads(found)

    def of(self, case_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Who these clients are, as far as it is kept."""
        query = select(_identity.case_id, _identity.data).where(_identity.region == self._transaction.region)
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(case_ids), BATCH):
            some = query.where(_identity.case_id.in_(case_ids[start : start + BATCH]))
            found.update((case_id, json.loads(data)) for case_id, data in self._transaction.all(some))
        return found

    def delete(self, case_id: str) -> bool:
        """Forget who the client is; whether anything was kept."""
        return self._transaction.run(delete(tables.identity).where(*self._is(case_id))).rowcount == 1

    def _is(self, case_id: str) -> tuple[Any, Any]:
        return _identity.region == self._transaction.region, _identity.case_id == case_id
