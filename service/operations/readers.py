"""The snooping alarm: a user who reads unusually many different clients in an hour.

The alarm names nobody: it says that there is something to look at. Who it was stands in the chained log of reads, where
those entitled to it look it up (docs/operators.md). Held in memory: after a restart the hour begins anew.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from service.operations.metrics import SNOOPING_ALARMS, UNUSUAL_READERS

WINDOW = timedelta(hours=1)
_log = logging.getLogger(__name__)


class Readers:
    """Who has read which clients in the last hour. Safe between threads."""

    def __init__(self, threshold: int, clock: Callable[[], datetime]) -> None:
        self._threshold = threshold
        self._clock = clock
        self._lock = threading.Lock()
        self._read: dict[str, dict[str, datetime]] = {}
        self._unusual: set[str] = set()

    def note(self, user: str, cases: Iterable[str]) -> None:
        """A user has opened these clients. More different ones in an hour than the threshold raise the alarm, once
        until the number has fallen again."""
        now = self._clock()
        with self._lock:
            read = self._read.setdefault(user, {})
            read.update(dict.fromkeys(cases, now))
            self._forget(user, now)
            raised = len(self._read.get(user, ())) > self._threshold and user not in self._unusual
            if raised:
                self._unusual.add(user)
            UNUSUAL_READERS.set(len(self._unusual))
        if raised:
            SNOOPING_ALARMS.inc()
            _log.warning("snooping alarm", extra={"threshold": self._threshold})

    def unusual(self) -> int:
        """How many users are over the threshold now; the metric is set to it."""
        now = self._clock()
        with self._lock:
            for user in list(self._read):
                self._forget(user, now)
            UNUSUAL_READERS.set(len(self._unusual))
            return len(self._unusual)

    def _forget(self, user: str, now: datetime) -> None:
        """Let go of what is older than the window."""
        kept = {case: at for case, at in self._read[user].items() if now - at < WINDOW}
        self._read[user] = kept
        if len(kept) <= self._threshold:
            self._unusual.discard(user)
        if not kept:
            del self._read[user]
