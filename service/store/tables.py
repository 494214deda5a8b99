"""The tables. What each holds, who may change it and for how long is told in docs/store.md.

Every table but `pack` and `region` is divided by region, the first part of its key. Times are UTC text of fixed width
(`2026-11-22T04:56:12.123456Z`) and days ISO text, so that they sort as they stand, in both databases. Payloads are
canonical JSON text as the chain's digests were made of it; they must come back byte for byte, hence no JSON type.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, MetaData, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

#: Text compared byte by byte, whatever the database's language: exports of both databases stand in the same order.
CODE = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
LINK = ("region", "chain", "seq")
LINK_COLUMNS = ["link.region", "link.chain", "link.seq"]
CASE_COLUMNS = ["case_record.region", "case_record.id"]

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(referred_table_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)


class Base(SQLModel, registry=registry(metadata=metadata)):
    """What every table begins with."""


class Row(Base):
    """What every table of a region begins with."""

    region: str = Field(primary_key=True, sa_type=CODE)


def _of_case(*columns: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(columns or ("region", "case_id"), CASE_COLUMNS)


def _of_link() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(LINK, LINK_COLUMNS)


def _links_of_kind(kind: str, *, unique: bool) -> Index:
    """What the triggers ask before a payload may be deleted; of few links, so it costs nothing when links are added."""
    only = text(f"kind = '{kind}'")
    return Index(f"link_{kind}_idx", "region", "chain", unique=unique, sqlite_where=only, postgresql_where=only)


def _undetermined() -> Index:
    """What an auditor asks for: of few decisions, so it costs nothing when others are added."""
    only = text("status = 'undetermined'")
    return Index("decision_undetermined_idx", "region", "recorded_at", sqlite_where=only, postgresql_where=only)


# ---- what is recorded


class RegionRow(Base, table=True):
    """The regions that have a chain; a trigger writes it with a region's first link. Holds nothing of a client."""

    __tablename__ = "region"

    name: str = Field(primary_key=True, sa_type=CODE)


class CaseRow(Row, table=True):
    """A case: its version, header and standing. The only row of a case's own that changes."""

    __tablename__ = "case_record"
    __table_args__ = (
        UniqueConstraint("region", "chain"),
        Index(None, "region", "team"),
        Index(None, "region", "closed_on"),
        CheckConstraint("version >= 1", name="version"),
    )

    id: str = Field(primary_key=True, sa_type=CODE)
    chain: str = Field(sa_type=CODE)
    version: int
    header: str | None = Field(sa_type=CODE)
    team: str | None = Field(sa_type=CODE)
    organisation: str = Field(sa_type=CODE)
    created_at: str = Field(sa_type=CODE)
    closed_on: str | None = Field(sa_type=CODE)
    restricted: bool
    disposed_at: str | None = Field(sa_type=CODE)


class LinkRow(Row, table=True):
    """A link of a chain: a commitment to a record, without the record. Never changed, never deleted."""

    __tablename__ = "link"
    __table_args__ = (
        CheckConstraint("seq >= 1", name="seq"),
        _links_of_kind("disposed", unique=True),
        _links_of_kind("pruned", unique=False),
    )

    chain: str = Field(primary_key=True, sa_type=CODE)
    seq: int = Field(primary_key=True)
    at: str = Field(sa_type=CODE)
    kind: str = Field(sa_type=CODE)
    version: int
    digest: str = Field(sa_type=CODE)
    prev: str = Field(sa_type=CODE)
    hash: str = Field(sa_type=CODE)


class EntryRow(Row, table=True):
    """An entry of a case's journal."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("region", "case_id", "position"),
        UniqueConstraint(*LINK),
        _of_case(),
        _of_link(),
    )

    case_id: str = Field(primary_key=True, sa_type=CODE)
    entry_id: str = Field(primary_key=True, sa_type=CODE)
    position: int
    version: int
    chain: str = Field(sa_type=CODE)
    seq: int
    salt: str = Field(sa_type=CODE)
    payload: str = Field(sa_type=CODE)


class DecisionRow(Row, table=True):
    """What was judged when a version of a case was recorded, by what, and what was acknowledged."""

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("region", "case_id", "version"),
        UniqueConstraint(*LINK),
        Index(None, "region", "acknowledged", "recorded_at"),
        _undetermined(),
        _of_case(),
        _of_link(),
    )

    id: str = Field(primary_key=True, sa_type=CODE)
    case_id: str = Field(sa_type=CODE)
    version: int
    chain: str = Field(sa_type=CODE)
    seq: int
    recorded_at: str = Field(sa_type=CODE)
    recorded_by: str = Field(sa_type=CODE)
    status: str = Field(sa_type=CODE)
    acknowledged: bool
    salt: str = Field(sa_type=CODE)
    payload: str = Field(sa_type=CODE)


class EventRow(Row, table=True):
    """What else happened to a case: opened, restricted, its identity changed, an emergency access, disposed."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "region", "case_id"), Index(None, "region", "kind", "at"), _of_case(), _of_link())

    chain: str = Field(primary_key=True, sa_type=CODE)
    seq: int = Field(primary_key=True)
    case_id: str | None = Field(sa_type=CODE)
    kind: str = Field(sa_type=CODE)
    at: str = Field(sa_type=CODE)
    salt: str = Field(sa_type=CODE)
    payload: str = Field(sa_type=CODE)


class ReadRow(Row, table=True):
    """Who read what of which clients, refused reads too; never what it said."""

    __tablename__ = "read_log"
    __table_args__ = (Index(None, "region", "user", "at"), _of_link())

    chain: str = Field(primary_key=True, sa_type=CODE)
    seq: int = Field(primary_key=True)
    at: str = Field(sa_type=CODE)
    user: str = Field(sa_type=CODE)
    salt: str = Field(sa_type=CODE)
    payload: str = Field(sa_type=CODE)


class ReadOfRow(Row, table=True):
    """Which cases a read touched; asked for by an id that is no case, the id asked for."""

    __tablename__ = "read_of"
    __table_args__ = (Index(None, *LINK, "case_id"), _of_link())

    case_id: str = Field(primary_key=True, sa_type=CODE)
    chain: str = Field(primary_key=True, sa_type=CODE)
    seq: int = Field(primary_key=True)


# ---- apart from the journal, and what is projected from it


class IdentityRow(Row, table=True):
    """Who the client is: name and how to reach them. Deleted with the case's disposal."""

    __tablename__ = "identity"
    __table_args__ = (_of_case(),)

    case_id: str = Field(primary_key=True, sa_type=CODE)
    data: str = Field(sa_type=CODE)


class WorkerRow(Row, table=True):
    """Who works with a client from which day to which (the last one included), read off the journal."""

    __tablename__ = "case_worker"
    # Whether a case is someone's is asked case by case: an index without the case would be read through each time.
    __table_args__ = (
        Index(None, "region", "worker", "case_id"),
        Index(None, "region", "team", "case_id"),
        _of_case(),
    )

    case_id: str = Field(primary_key=True, sa_type=CODE)
    n: int = Field(primary_key=True)
    worker: str = Field(sa_type=CODE)
    role: str = Field(sa_type=CODE)
    organisation: str | None = Field(sa_type=CODE)
    team: str | None = Field(sa_type=CODE)
    from_day: str = Field(sa_type=CODE)
    until_day: str | None = Field(sa_type=CODE)


class PartyRow(Row, table=True):
    """Which provider may know of a client by consent, from which day to which (the last one included)."""

    __tablename__ = "case_party"
    __table_args__ = (Index(None, "region", "party", "case_id"), _of_case())

    case_id: str = Field(primary_key=True, sa_type=CODE)
    n: int = Field(primary_key=True)
    party: str = Field(sa_type=CODE)
    from_day: str = Field(sa_type=CODE)
    until_day: str | None = Field(sa_type=CODE)


class FactsRow(Row, table=True):
    """The facts of a version of a case: by which fold and pack, of which day, and how long they hold."""

    __tablename__ = "case_facts"
    __table_args__ = (Index(None, "region", "holds_until"), _of_case())

    case_id: str = Field(primary_key=True, sa_type=CODE)
    version: int = Field(primary_key=True)
    fold: str = Field(sa_type=CODE)
    pack_sha256: str = Field(sa_type=CODE)
    as_of: str = Field(sa_type=CODE)
    holds_until: str | None = Field(sa_type=CODE)
    facts: str = Field(sa_type=CODE)


class OutlookRow(Row, table=True):
    """What is next for a client and which dates are ahead, for lists: of which version and day, and by what, it was
    made, and from which day on it no longer holds."""

    __tablename__ = "outlook"
    __table_args__ = (_of_case(),)

    case_id: str = Field(primary_key=True, sa_type=CODE)
    version: int
    pack_sha256: str = Field(sa_type=CODE)
    made_by: str = Field(sa_type=CODE)
    from_day: str = Field(sa_type=CODE)
    until_day: str | None = Field(sa_type=CODE)
    payload: str = Field(sa_type=CODE)


class EmergencyRow(Row, table=True):
    """Until when someone may see a client in an emergency; the event in the case's chain is the record of it."""

    __tablename__ = "emergency"
    __table_args__ = (Index(None, "region", "user"), _of_case())

    case_id: str = Field(primary_key=True, sa_type=CODE)
    user: str = Field(primary_key=True, sa_type=CODE)
    at: str = Field(primary_key=True, sa_type=CODE)
    role: str = Field(sa_type=CODE)
    until: str = Field(sa_type=CODE)


# ---- people, requests, checks, packs


class AccountRow(Row, table=True):
    """Someone who has logged in: organisation, team and roles as last told."""

    __tablename__ = "account"

    user: str = Field(primary_key=True, sa_type=CODE)
    organisation: str = Field(sa_type=CODE)
    organisation_kind: str = Field(sa_type=CODE)
    team: str | None = Field(sa_type=CODE)
    roles: str = Field(sa_type=CODE)
    blocked: bool
    seen_at: str = Field(sa_type=CODE)


class SessionRow(Row, table=True):
    """A login in a browser; the id itself is nowhere, only its digest."""

    __tablename__ = "session"
    __table_args__ = (Index(None, "region", "user"), Index(None, "region", "expires_at"))

    id_digest: str = Field(primary_key=True, sa_type=CODE)
    user: str = Field(sa_type=CODE)
    data: str = Field(sa_type=CODE)
    created_at: str = Field(sa_type=CODE)
    expires_at: str = Field(sa_type=CODE)
    revoked_at: str | None = Field(sa_type=CODE)


class KeyRow(Row, table=True):
    """An Idempotency-Key that was used, and what came of it."""

    __tablename__ = "request_key"
    __table_args__ = (Index(None, "region", "case_id"), Index(None, "region", "at"), _of_case())

    user: str = Field(primary_key=True, sa_type=CODE)
    key: str = Field(primary_key=True, sa_type=CODE)
    request_digest: str = Field(sa_type=CODE)
    case_id: str = Field(sa_type=CODE)
    decision_id: str = Field(sa_type=CODE)
    at: str = Field(sa_type=CODE)


class CheckRow(Row, table=True):
    """A check of a caseload: who asked for it, how far it is; by which pack, beside which check, and how much came of
    it."""

    __tablename__ = "check_run"
    __table_args__ = (Index(None, "region", "user", "started_at"),)

    id: str = Field(primary_key=True, sa_type=CODE)
    user: str = Field(sa_type=CODE)
    role: str = Field(sa_type=CODE)
    as_of: str = Field(sa_type=CODE)
    state: str = Field(sa_type=CODE)
    done: int
    total: int
    started_at: str = Field(sa_type=CODE)
    finished_at: str | None = Field(sa_type=CODE)
    error: str | None = Field(sa_type=CODE)
    pack_version: str | None = Field(sa_type=CODE)
    compared_with: str | None = Field(sa_type=CODE)
    counts: str | None = Field(sa_type=CODE)


class FindingRow(Row, table=True):
    """A finding of a check, and whether the check before had it."""

    __tablename__ = "check_finding"
    __table_args__ = (
        Index(None, "region", "case_id"),
        ForeignKeyConstraint(("region", "check_id"), ["check_run.region", "check_run.id"]),
    )

    check_id: str = Field(primary_key=True, sa_type=CODE)
    n: int = Field(primary_key=True)
    case_id: str = Field(sa_type=CODE)
    payload: str = Field(sa_type=CODE)
    change: str | None = Field(sa_type=CODE)


class PackRow(Base, table=True):
    """A rule pack that judged something, whole: what replay judges by. The same for every region."""

    __tablename__ = "pack"

    sha256: str = Field(primary_key=True, sa_type=CODE)
    id: str = Field(sa_type=CODE)
    version: str = Field(sa_type=CODE)
    content: str = Field(sa_type=CODE)


def _table(name: str) -> Table:
    return metadata.tables[name]


case_record, link, entry, decision, event = map(_table, ("case_record", "link", "entry", "decision", "event"))
read_log, read_of, identity = map(_table, ("read_log", "read_of", "identity"))
case_worker, case_party, case_facts = map(_table, ("case_worker", "case_party", "case_facts"))
emergency, account, session, request_key = map(_table, ("emergency", "account", "session", "request_key"))
check_run, check_finding, pack, region = map(_table, ("check_run", "check_finding", "pack", "region"))
outlook = _table("outlook")

#: Tables whose payloads the chains commit to, with salt and payload: each link has its record in one of them, or none
#: after disposal.
PAYLOADS = (entry, decision, event, read_log)
#: Tables whose rows are kept for good: never changed, and deleted only when a chain says that they lawfully may be.
KEPT = (link, *PAYLOADS, read_of, pack)
