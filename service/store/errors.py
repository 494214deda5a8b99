"""What can go wrong in the store, in words that hold nothing of a client. Database errors never leave it as they are:
their texts carry values."""

from __future__ import annotations


class StoreError(Exception):
    """What all errors of the store are."""


class StoreUnavailable(StoreError):
    """The database is gone, full, read-only, locked for too long, not migrated, or out of connections. Nothing of the
    transaction is kept. `reason` is for the log; it holds no data."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the database cannot be used: {reason}")


class VersionConflict(StoreError):
    """The case is not at the version that was expected: someone recorded in between. `current` is where it is."""

    def __init__(self, current: int) -> None:
        self.current = current
        super().__init__(f"the case is at version {current}")


class NoSuchCase(StoreError):
    """The case to be written to does not exist."""


class Conflict(StoreError):
    """A row of that key is there already, or one it refers to is not: a case opened twice, an id given twice."""


class Forbidden(StoreError):
    """The database does not allow it: to change or delete what is kept for good, or what is another region's."""
