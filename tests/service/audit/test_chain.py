"""Chains: links follow each other, commit to records, and hold nothing that tells who or what."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit.chain import (
    CHAIN,
    DIGEST,
    NOTHING_BEFORE,
    TIME,
    Head,
    digest_of,
    new_case_chain,
    new_salt,
    next_link,
    read_chain,
    timestamp,
)

CHAIN_NAME = "case/0123456789abcdef"
SALT = "ab" * 32
AT = "2026-11-22T04:56:12.123456Z"


def test_the_first_link_byte_by_byte() -> None:
    """Worked by hand: an auditor can do the same with `sha256sum`."""
    link = next_link(None, CHAIN_NAME, "opened", 1, b'{"id":"sirpa"}', AT, SALT)
    digest = hashlib.sha256(bytes.fromhex(SALT) + b'{"id":"sirpa"}').hexdigest()
    assert link.digest == digest
    assert link.body == (
        b'{"at":"2026-11-22T04:56:12.123456Z","chain":"case/0123456789abcdef","digest":"' + digest.encode() + b'",'
        b'"kind":"opened","prev":"' + b"0" * 64 + b'","seq":1,"v":1,"version":1}'
    )
    assert link.hash == hashlib.sha256(link.body).hexdigest()


def test_each_link_goes_on_from_the_one_before() -> None:
    first = next_link(None, CHAIN_NAME, "opened", 1, b"{}", AT, SALT)
    second = next_link(first.head, CHAIN_NAME, "entry", 2, b"{}", AT, SALT)
    assert first.prev == NOTHING_BEFORE
    assert (second.seq, second.prev) == (2, first.hash)
    assert second.head == Head(CHAIN_NAME, 2, AT, second.hash)


@pytest.mark.parametrize("field", ["chain", "seq", "at", "kind", "version", "digest", "prev"])
def test_the_hash_is_of_every_field(field: str) -> None:
    link = next_link(None, CHAIN_NAME, "opened", 1, b"{}", AT, SALT)
    other = replace(link, **{field: 7 if field in ("seq", "version") else "x"})
    assert hashlib.sha256(other.body).hexdigest() != link.hash


def test_a_clock_set_back_does_not_turn_the_chain_back() -> None:
    first = next_link(None, CHAIN_NAME, "opened", 1, b"{}", AT, SALT)
    second = next_link(first.head, CHAIN_NAME, "entry", 2, b"{}", "2026-11-22T04:00:00.000000Z", SALT)
    assert second.at == AT


@pytest.mark.parametrize(
    ("chain", "kind", "version", "at"),
    [
        ("case/sirpa", "entry", 1, AT),
        ("case/0123456789ABCDEF", "entry", 1, AT),
        (CHAIN_NAME, "Entry", 1, AT),
        (CHAIN_NAME, "", 1, AT),
        (CHAIN_NAME, "entry", -1, AT),
        (CHAIN_NAME, "entry", 1, "2026-11-22T04:56:12Z"),
        (CHAIN_NAME, "entry", 1, "2026-11-22T04:56:12.123456+00:00"),
        (CHAIN_NAME, "entry", 1, "2026-13-22T04:56:12.123456Z"),
        (CHAIN_NAME, "entry", 1, ""),
    ],
)
def test_what_a_verifier_would_refuse_is_not_linked(chain: str, kind: str, version: int, at: str) -> None:
    with pytest.raises(ValueError, match="no link can be made"):
        next_link(None, chain, kind, version, b"{}", at, SALT)


def test_a_link_does_not_go_on_from_another_chain() -> None:
    first = next_link(None, CHAIN_NAME, "opened", 1, b"{}", AT, SALT)
    with pytest.raises(ValueError, match="the head is of"):
        next_link(first.head, "case/ffffffffffffffff", "entry", 2, b"{}", AT, SALT)


@pytest.mark.parametrize("salt", ["", "ab" * 31, "AB" * 32, "zz" * 32, "ab" * 33, "ab" * 31 + "\n\n"])
def test_a_salt_has_one_form(salt: str) -> None:
    with pytest.raises(ValueError, match="a salt is 64"):
        digest_of(salt, b"{}")


def test_salts_and_names_are_new_each_time() -> None:
    assert len({new_salt() for _ in range(100)}) == 100
    assert len({new_case_chain() for _ in range(100)}) == 100
    assert DIGEST.fullmatch(new_salt())
    assert CHAIN.fullmatch(new_case_chain())


def test_a_readers_chain_is_the_same_each_time_and_does_not_name_the_reader() -> None:
    assert read_chain("minna.virtanen") == read_chain("minna.virtanen") != read_chain("minna.virtane")
    assert CHAIN.fullmatch(read_chain("äö€"))
    assert "minna" not in read_chain("minna.virtanen")


def test_links_hold_nothing_of_the_record() -> None:
    payload = json.dumps({"name": "Planted Person", "note": "a secret"}).encode()
    link = next_link(None, CHAIN_NAME, "entry", 1, payload, AT, SALT)
    assert b"Planted" not in link.body
    assert SALT.encode() not in link.body


def test_the_same_record_is_committed_to_otherwise_each_time() -> None:
    """So that nobody can tell that two clients' records say the same, or confirm a guess."""
    assert digest_of(new_salt(), b"{}") != digest_of(new_salt(), b"{}")


@given(st.datetimes(datetime(2000, 1, 2), datetime(2999, 12, 30)), st.integers(-14, 14))
def test_times_are_utc_of_one_width_and_sort_as_time_does(moment: datetime, hours: int) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    text = timestamp(local)
    assert TIME.fullmatch(text)
    assert datetime.fromisoformat(text) == local
    assert timestamp(local + timedelta(microseconds=1)) > text


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        timestamp(datetime(2026, 1, 1))
    assert timestamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"
