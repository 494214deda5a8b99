"""What the store gives and takes: plain values, without a database behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case without its journal. `header` is None after disposal; `version` is 1 when just opened."""

    id: str
    chain: str
    version: int
    header: dict[str, Any] | None
    team: str | None
    organisation: str
    created_at: str
    closed_on: str | None
    restricted: bool
    disposed_at: str | None


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry: `payload` is the canonical JSON of what `case_to_data` writes, `version` the case's with it."""

    case_id: str
    entry_id: str
    position: int
    version: int
    chain: str
    seq: int
    payload: str


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision; `payload` is the decision record, canonical JSON."""

    id: str
    case_id: str
    version: int
    chain: str
    seq: int
    recorded_at: str
    recorded_by: str
    status: str
    acknowledged: bool
    payload: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of a case's chain; `payload` is canonical JSON."""

    chain: str
    seq: int
    case_id: str | None
    kind: str
    at: str
    payload: str


@dataclass(frozen=True, slots=True)
class StoredRead:
    """A read that was logged; `payload` is canonical JSON."""

    chain: str
    seq: int
    at: str
    user: str
    payload: str


@dataclass(frozen=True, slots=True)
class EmergencyAccess:
    """An emergency access: from `at` up to, not including, `until` (both UTC text)."""

    case_id: str
    user: str
    at: str
    role: str
    until: str


@dataclass(frozen=True, slots=True)
class KeptFacts:
    """The facts of a version of a case, and until which day they hold if nothing is recorded (None: for good)."""

    case_id: str
    version: int
    fold: str
    pack_sha256: str
    as_of: str
    holds_until: str | None
    facts: str


@dataclass(frozen=True, slots=True)
class KeptOutlook:
    """What is next for a client, for lists: made of a version of the case on `from_day`, by a pack and by `made_by`
    (program, fold and form). It holds up to the day before `until_day` (None: for good) if nothing is recorded.
    `payload` is canonical JSON: codes and days alone."""

    case_id: str
    version: int
    pack_sha256: str
    made_by: str
    from_day: str
    until_day: str | None
    payload: str


@dataclass(frozen=True, slots=True)
class OutlookMade:
    """Of what, by what and for which days an outlook was made, without what it says."""

    version: int
    pack_sha256: str
    made_by: str
    from_day: str
    until_day: str | None


@dataclass(frozen=True, slots=True)
class ListedCase:
    """A case as a list needs it: how the reader stands to it, who the client is (None: not kept), and which outlook is
    kept (None: none)."""

    case: StoredCase
    relation: str
    identity: dict[str, Any] | None
    outlook: OutlookMade | None


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who has logged in."""

    user: str
    organisation: str
    organisation_kind: str
    team: str | None
    roles: tuple[str, ...]
    blocked: bool
    seen_at: str


@dataclass(frozen=True, slots=True)
class Session:
    """A login in a browser. `data` is JSON text."""

    id_digest: str
    user: str
    data: str
    created_at: str
    expires_at: str
    revoked_at: str | None = None


@dataclass(frozen=True, slots=True)
class UsedKey:
    """An Idempotency-Key, the digest of the request that used it, and what came of that request."""

    user: str
    key: str
    request_digest: str
    case_id: str
    decision_id: str
    at: str


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check of a caseload. `state` is running, done or failed.

    `compared_with` is the check of the same user before it, where there was one; `counts` is JSON text.
    """

    id: str
    user: str
    role: str
    as_of: str
    state: str
    done: int
    total: int
    started_at: str
    finished_at: str | None = None
    error: str | None = None
    pack_version: str | None = None
    compared_with: str | None = None
    counts: str | None = None


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """A finding of a check; `payload` is JSON text.

    `change` is what it is beside the check before: new, still_open (found then too) or settled (found then, and no
    longer); None: it is not compared.
    """

    check_id: str
    n: int
    case_id: str
    payload: str
    change: str | None = None


@dataclass(frozen=True, slots=True)
class StoredPack:
    """A rule pack as it judged: `content` is its canonical JSON, whose SHA-256 is `sha256`."""

    sha256: str
    id: str
    version: str
    content: str
