"""The store: cases, records and logs in SQLite or PostgreSQL. Nothing outside imports SQLAlchemy.

`Database` gives transactions, `Unit` what can be done in one; values are plain. docs/store.md tells of tables, rights
and migrations.
"""

from service.store.chains import Kept
from service.store.database import Database, Unit
from service.store.errors import Conflict, Forbidden, NoSuchCase, StoreError, StoreUnavailable, VersionConflict
from service.store.migrating import differences, downgrade, migrate
from service.store.outlooks import Standard
from service.store.snapshots import Snapshot, StoredJournal
from service.store.values import (
    Account,
    CheckFinding,
    CheckRun,
    EmergencyAccess,
    KeptFacts,
    KeptOutlook,
    ListedCase,
    OutlookMade,
    Session,
    StoredCase,
    StoredDecision,
    StoredEntry,
    StoredEvent,
    StoredPack,
    StoredRead,
    UsedKey,
)

__all__ = [
    "Account",
    "CheckFinding",
    "CheckRun",
    "Conflict",
    "Database",
    "EmergencyAccess",
    "Forbidden",
    "Kept",
    "KeptFacts",
    "KeptOutlook",
    "ListedCase",
    "NoSuchCase",
    "OutlookMade",
    "Session",
    "Snapshot",
    "Standard",
    "StoreError",
    "StoreUnavailable",
    "StoredCase",
    "StoredDecision",
    "StoredEntry",
    "StoredEvent",
    "StoredJournal",
    "StoredPack",
    "StoredRead",
    "Unit",
    "UsedKey",
    "VersionConflict",
    "differences",
    "downgrade",
    "migrate",
]
