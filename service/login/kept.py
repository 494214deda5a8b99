"""What another server publishes, kept: asked for again in time, sparingly, and used a while longer when it is away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")

#: After so long it is asked for again.
FRESH = timedelta(minutes=10)
#: While it cannot be had, the old serves so long. Then it may no longer be true: a key may have been withdrawn.
STALE = timedelta(hours=24)
#: Between two questions, whoever wants something newer.
APART = timedelta(minutes=1)
#: Between two attempts while nothing was ever had.
RETRY = timedelta(seconds=5)


class Unreachable(Exception):
    """The identity provider does not answer, or not with what was asked for. The text holds no secret."""


class Kept(Generic[T]):
    """A value fetched by `fetch`, which raises Unreachable. Safe between threads: one fetches, the others go on."""

    def __init__(self, fetch: Callable[[], T], clock: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._value: T | None = None
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._failure = "not asked yet"

    def get(self) -> T:
        """The value: fetched when it is old or was never had. Raises Unreachable when there is none young enough."""
        value, age = self._value, self._since(self._fetched_at)
        if value is None:
            with self._lock:
                self._try(RETRY)
        elif age >= FRESH and self._lock.acquire(blocking=False):
            try:
                self._try(APART)
            finally:
                self._lock.release()
        if self._value is None or self._since(self._fetched_at) >= STALE:
            raise Unreachable(self._failure)
        return self._value

    def newer(self) -> T:
        """The value, asked for again unless that was done lately. Raises Unreachable when the last question failed:
        what is sought may be there, but cannot be seen."""
        with self._lock:
            self._try(RETRY if self._value is None else APART)
            if self._value is None or self._fetched_at != self._tried_at:
                raise Unreachable(self._failure)
            return self._value

    def _try(self, apart: timedelta) -> None:
        """Fetch, unless it was tried within `apart`; what fails leaves what was."""
        if self._since(self._tried_at) < apart:
            return
        try:
            self._value, failure = self._fetch(), None
        except Unreachable as error:
            failure = str(error)
        # Counted from the end: who waited meanwhile need not try again what took its time to fail.
        self._tried_at = self._clock()
        if failure is None:
            self._fetched_at = self._tried_at
        else:
            self._failure = failure

    def _since(self, moment: datetime | None) -> timedelta:
        """How long ago. A clock set back makes things old, not young for ever."""
        if moment is None:
            return timedelta.max
        age = self._clock() - moment
        return age if age >= timedelta() else timedelta.max
