"""Chains of links: each link holds a commitment to its record and the hash of the link before it.

A record is kept apart from its link, as `payload` (canonical JSON) with a `salt`. The link holds their digest only, so
the record can be disposed of lawfully and the chain stays whole. Links hold nothing personal.

Everything here is pure but `new_salt` and `new_case_chain`, which draw lots.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from service.audit.canonical import canonical

#: The `prev` of a chain's first link.
NOTHING_BEFORE = "0" * 64
SALT_BYTES = 32
#: A case's records may be gone before a link of this kind.
DISPOSED = "disposed"
#: A reader's log may be gone up to the `through` (a seq) that the payload of a link of this kind names.
PRUNED = "pruned"

CHAIN = re.compile(r"[a-z]{1,20}/[0-9a-f]{16}")
KIND = re.compile(r"[a-z][a-z_]{0,39}")
DIGEST = re.compile(r"[0-9a-f]{64}")
TIME = re.compile(
    r"2\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stands: the seq, time and hash of its last link."""

    chain: str
    seq: int
    at: str
    hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """One link as it is kept. `version` is the case's at that record, 0 where there is none."""

    chain: str
    seq: int
    at: str
    kind: str
    version: int
    digest: str
    prev: str
    hash: str

    @property
    def head(self) -> Head:
        """The chain's standing after this link."""
        return Head(self.chain, self.seq, self.at, self.hash)

    @property
    def body(self) -> bytes:
        """The bytes whose SHA-256 is the link's hash."""
        return link_body(self.chain, self.seq, self.at, self.kind, self.version, self.digest, self.prev)


class Record(Protocol):
    """A link with the record it commits to, as a store gives it; salt and payload are None where the record is gone."""

    @property
    def link(self) -> Link:
        """The link."""

    @property
    def salt(self) -> str | None:
        """The salt, in hexadecimal."""

    @property
    def payload(self) -> str | None:
        """The record, canonical JSON."""


def link_body(chain: str, seq: int, at: str, kind: str, version: int, digest: str, prev: str) -> bytes:
    """The canonical JSON of a link without its hash."""
    return canonical(
        {
            "at": at,
            "chain": chain,
            "digest": digest,
            "kind": kind,
            "prev": prev,
            "seq": seq,
            "v": 1,
            "version": version,
        }
    )


def next_link(head: Head | None, chain: str, kind: str, version: int, payload: bytes, at: str, salt: str) -> Link:
    """The link that commits to `payload` (canonical JSON) and goes on from `head`, or begins the chain when None.

    `at` is a `timestamp`; a clock set back does not turn the chain's time back. Raises ValueError for names, times and
    salts of the wrong form, which a verifier would refuse ever after.
    """
    seq = 1 if head is None else head.seq + 1
    if head is not None:
        if head.chain != chain:
            raise ValueError(f"the head is of {head.chain}, not of {chain}")
        at = max(head.at, at)
    if not (CHAIN.fullmatch(chain) and KIND.fullmatch(kind) and TIME.fullmatch(at)) or version < 0:
        raise ValueError(f"no link can be made of {chain!r}, {kind!r}, {at!r}, {version!r}")
    digest = digest_of(salt, payload)
    prev = NOTHING_BEFORE if head is None else head.hash
    body = link_body(chain, seq, at, kind, version, digest, prev)
    return Link(chain, seq, at, kind, version, digest, prev, hashlib.sha256(body).hexdigest())


def digest_of(salt: str, payload: bytes) -> str:
    """The commitment to a record: SHA-256 over the salt's bytes and the payload. Raises ValueError for a wrong salt.

    Without the salt, nobody can confirm a guess of what the record held.
    """
    if DIGEST.fullmatch(salt) is None:
        raise ValueError(f"a salt is {SALT_BYTES * 2} hexadecimal digits in lower case")
    return hashlib.sha256(bytes.fromhex(salt) + payload).hexdigest()


def new_salt() -> str:
    """A new salt, in hexadecimal."""
    return secrets.token_hex(SALT_BYTES)


def new_case_chain() -> str:
    """A name for a new case's chain. It does not tell which case: that stands in the first record."""
    return f"case/{secrets.token_hex(8)}"


def read_chain(user: str) -> str:
    """The name of the chain that logs what a user read."""
    return f"read/{hashlib.sha256(user.encode()).hexdigest()[:16]}"


def timestamp(moment: datetime) -> str:
    """A moment as chains write it: UTC, six decimals, as wide as any other, so text sorts as time does.

    Raises ValueError for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
