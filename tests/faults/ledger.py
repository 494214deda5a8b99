"""What servers acknowledged, so that it can be looked for afterwards."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A recording the server said yes to: the version it was made on, the one it made, its decision and its marks."""

    case: str
    base: int
    version: int
    decision: str
    marks: tuple[str, ...]


@dataclass(slots=True)
class Ledger:
    """Everything many clients were told. Shared by their threads."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    #: Marks of recordings that were refused for good: they must be nowhere.
    refused: list[str] = field(default_factory=list)
    #: Marks of recordings nobody answered, then or on asking again: they may be there or not.
    unknown: list[str] = field(default_factory=list)
    #: What a server should not have answered, in words.
    faults: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, many: int = 1) -> None:
        """Count something for the report."""
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + many

    def fault(self, told: str) -> None:
        """Note what must not be."""
        with self.lock:
            self.faults.append(told)

    def took(self, item: Acknowledged) -> None:
        """Note a recording that was acknowledged."""
        with self.lock:
            self.acknowledged.append(item)
            self.counts["recorded"] = self.counts.get("recorded", 0) + 1

    def left(self, marks: tuple[str, ...], *, known: bool) -> None:
        """Note a recording that was refused (known), or of which nobody knows."""
        with self.lock:
            (self.refused if known else self.unknown).extend(marks)
