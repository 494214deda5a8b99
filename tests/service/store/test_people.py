"""Accounts, sessions, used Idempotency-Keys, emergency accesses, identities."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from service.audit.chain import timestamp
from service.store import Account, Conflict, Database, NoSuchCase, Session, StoreError, UsedKey
from tests.service.store.keeping import NOW, REGION, open_case

KAISA = Account("kaisa", "county", "county", "team-1", ("social_worker", "team_leader"), False, timestamp(NOW))
LOGIN = Session("a" * 64, "kaisa", '{"role":"social_worker"}', timestamp(NOW), timestamp(NOW + timedelta(hours=8)))
KEY = UsedKey("kaisa", "key-1", "digest", "sirpa", "decision-1", timestamp(NOW))


def test_an_account_is_replaced_but_not_unblocked(database: Database) -> None:
    with database.write(REGION) as unit:
        unit.accounts.put(KAISA)
        assert unit.accounts.set_blocked("kaisa", True)
        unit.accounts.put(replace(KAISA, team=None, roles=()))
        assert not unit.accounts.set_blocked("nobody", True)
    with database.read(REGION) as unit:
        assert unit.accounts.get("kaisa") == replace(KAISA, team=None, roles=(), blocked=True)
        assert unit.accounts.get("nobody") is None
        assert [account.user for account in unit.accounts.all()] == ["kaisa"]
        assert unit.accounts.teams() == {"kaisa": ("county", None)}


def test_first_logins_at_the_same_time_make_one_account(database: Database) -> None:
    def put(number: int) -> None:
        with database.write(REGION) as unit:
            unit.accounts.put(replace(KAISA, team=f"team-{number}"))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(put, range(12)))
    with database.read(REGION) as unit:
        assert len(unit.accounts.all()) == 1


def test_sessions_end(database: Database) -> None:
    other, over = replace(LOGIN, id_digest="b" * 64), replace(LOGIN, id_digest="c" * 64, expires_at=timestamp(NOW))
    with database.write(REGION) as unit:
        for session in (LOGIN, other, over):
            unit.sessions.add(session)
        unit.sessions.update(LOGIN.id_digest, data="{}", expires_at=timestamp(NOW + timedelta(hours=1)))
        unit.sessions.update(other.id_digest)
        unit.sessions.revoke(other.id_digest, NOW)
        unit.sessions.revoke(other.id_digest, NOW + timedelta(hours=1))
    with database.read(REGION) as unit:
        changed = replace(LOGIN, data="{}", expires_at=timestamp(NOW + timedelta(hours=1)))
        assert unit.sessions.get(LOGIN.id_digest) == changed
        assert unit.sessions.get(other.id_digest) == replace(other, revoked_at=timestamp(NOW))
        assert unit.sessions.get("d" * 64) is None
    with database.write(REGION) as unit:
        assert unit.sessions.prune(NOW + timedelta(minutes=1)) == 2
        assert unit.sessions.revoke_all("kaisa", NOW) == 1
        assert unit.sessions.revoke_all("kaisa", NOW) == 0
    with pytest.raises(Conflict), database.write(REGION) as unit:
        unit.sessions.add(LOGIN)


def test_a_key_is_taken_once(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
        assert unit.keys.get("kaisa", "key-1") is None
        assert unit.keys.add(KEY) is None
    with database.write(REGION) as unit:
        assert unit.keys.add(replace(KEY, request_digest="another")) == KEY
        assert unit.keys.add(replace(KEY, user="ville")) is None  # each has keys of their own
        assert unit.keys.get("kaisa", "key-1") == KEY
    with database.write(REGION) as unit:
        assert unit.keys.prune(NOW) == 0
        assert unit.keys.prune(NOW + timedelta(seconds=1)) == 2


def test_a_key_that_came_to_nothing_is_free_again(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")

    def fail() -> None:
        with database.write(REGION) as unit:
            unit.keys.add(KEY)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.write(REGION) as unit:
        assert unit.keys.add(KEY) is None


def test_of_many_at_once_one_takes_the_key(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")

    def take(number: int) -> bool:
        with database.write(REGION) as unit:
            return unit.keys.add(replace(KEY, request_digest=str(number))) is None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(24))) == 1


def test_an_identity_is_kept_apart_replaced_and_forgotten(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
        assert unit.identities.get("sirpa") is None
        unit.identities.put("sirpa", {"name": "Sirpa Åkerlund", "phone": None})
        unit.identities.put("sirpa", {"name": "Sirpa Åkerlund-Niemi"})
    with database.read(REGION) as unit:
        assert unit.identities.get("sirpa") == {"name": "Sirpa Åkerlund-Niemi"}
        assert all("Niemi" not in (kept.payload or "") for kept in unit.chains.records())
    with database.write(REGION) as unit:
        assert unit.identities.delete("sirpa")
        assert not unit.identities.delete("sirpa")
    with pytest.raises(NoSuchCase), database.write(REGION) as unit:
        unit.identities.put("nobody", {"name": "x"})


def test_emergency_accesses_of_a_case_are_told_oldest_first(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
        later = unit.emergencies.grant(
            "sirpa", "anna", "social_worker", NOW + timedelta(1), NOW + timedelta(days=1, hours=4)
        )
        first = unit.emergencies.grant("sirpa", "ville", "job_coach", NOW, NOW + timedelta(hours=4))
    with database.read(REGION) as unit:
        assert unit.emergencies.of("sirpa") == [first, later]
        assert unit.emergencies.of("veikko") == []
    with pytest.raises(StoreError), database.write(REGION) as unit:
        unit.emergencies.grant("nobody", "anna", "social_worker", NOW, NOW)
