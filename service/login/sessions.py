"""Logins in browsers: kept by the server, known to the browser by a random id alone.

The database holds the id's digest, so that who reads it (or a backup) can log in as nobody. A session ends when its
user logs out, is blocked, or may do something else than before; after so long without a request; and in any case after
a working day.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from service.access.principal import roles_open_to
from service.audit.chain import timestamp
from service.login.claims import NotAdmitted, Person
from service.store import Account, Database, Session

#: An id has 256 bits of chance, so its plain digest cannot be turned back.
ID_BYTES = 32
LONGEST_ID = 100
#: Sessions that are over are deleted after so long.
REMEMBERED = timedelta(days=7)
#: Of an account is noted when it was last seen, no oftener than this.
SEEN_EVERY = timedelta(hours=1)
BLOCKED = "This account is blocked."


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lasts: at most, and without a request."""

    longest: timedelta
    idle: timedelta


class Sessions:
    """The sessions and accounts of one region."""

    def __init__(self, database: Database, region: str, lifetimes: Lifetimes, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._region = region
        self._lifetimes = lifetimes
        self._clock = clock

    def begin(self, person: Person, before: str | None) -> str:
        """Begin a session: its new id. The one this browser had `before` ends, whoever's it was. Raises NotAdmitted."""
        now, new = self._clock(), secrets.token_urlsafe(ID_BYTES)
        with self._database.write(self._region) as unit:
            if before is not None:
                unit.sessions.revoke(_digest(before), now)
            account = unit.accounts.get(person.user)
            _refuse_blocked(account)
            if account is not None and not _is(account, person):
                # They may do something else than before; no session may go on from what was.
                unit.sessions.revoke_all(person.user, now)
            unit.accounts.put(_account(person, now))
            unit.sessions.add(
                Session(
                    _digest(new),
                    person.user,
                    json.dumps(asdict(person)),
                    timestamp(now),
                    timestamp(now + min(self._lifetimes.idle, self._lifetimes.longest)),
                )
            )
            unit.sessions.prune(now - REMEMBERED)
        return new

    def person(self, session_id: str) -> Person | None:
        """Whose session it is; None when there is none such, or it is over. Raises NotAdmitted when blocked."""
        if not session_id or len(session_id) > LONGEST_ID:
            return None
        digest, now = _digest(session_id), self._clock()
        with self._database.read(self._region) as unit:
            found = unit.sessions.get(digest)
            if found is None or found.revoked_at is not None or found.expires_at <= timestamp(now):
                return None
            _refuse_blocked(unit.accounts.get(found.user))
        data = json.loads(found.data)
        # Begun perhaps under an older version, by which this organisation's users had other roles.
        roles = roles_open_to(data["organisation_kind"], data["roles"])
        if not roles:
            return None
        self._prolong(found, now)
        return Person(**{**data, "roles": roles})

    def end(self, session_id: str) -> None:
        """End a session now; nothing where there is none such."""
        with self._database.write(self._region) as unit:
            unit.sessions.revoke(_digest(session_id), self._clock())

    def admit(self, person: Person, told_at: datetime) -> None:
        """Note the account of a bearer token whose claims were `told_at`. Raises NotAdmitted when it is blocked."""
        now = self._clock()
        with self._database.read(self._region) as unit:
            account = unit.accounts.get(person.user)
        _refuse_blocked(account)
        if account is not None and _is(account, person):
            if account.seen_at > timestamp(now - SEEN_EVERY):
                return
        elif account is not None and timestamp(told_at) < account.seen_at:
            return  # an older token; what is on record was told later
        with self._database.write(self._region) as unit:
            _refuse_blocked(unit.accounts.get(person.user))
            unit.accounts.put(_account(person, now))

    def _prolong(self, found: Session, now: datetime) -> None:
        """Put off the end of a session in use, sparingly: a write for every request would cost too much."""
        last = datetime.fromisoformat(found.created_at) + self._lifetimes.longest
        until = min(now + self._lifetimes.idle, last)
        if until - datetime.fromisoformat(found.expires_at) >= self._lifetimes.idle / 10:
            with self._database.write(self._region) as unit:
                unit.sessions.update(found.id_digest, expires_at=timestamp(until))


def _digest(session_id: str) -> str:
    return sha256(session_id.encode("utf-8", "replace")).hexdigest()


def _refuse_blocked(account: Account | None) -> None:
    if account is not None and account.blocked:
        raise NotAdmitted(BLOCKED)


def _account(person: Person, now: datetime) -> Account:
    return Account(
        person.user, person.organisation, person.organisation_kind, person.team, person.roles, False, timestamp(now)
    )


def _is(account: Account, person: Person) -> bool:
    """Whether the account on record is told the same way; the order of roles says nothing."""
    return (
        account.organisation == person.organisation
        and account.organisation_kind == person.organisation_kind
        and account.team == person.team
        and set(account.roles) == set(person.roles)
    )
