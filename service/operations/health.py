"""Whether the service works: asked by machines every few seconds, answered without waiting for what hangs."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio
from anyio import to_thread

from service.operations.metrics import CHECKPOINT_AGE

#: How long a check may take before it counts as failed, seconds.
PATIENCE = 2.0
#: How long an answer serves those who ask next, seconds.
FRESH = 1.0
#: Checks that hang hold a thread each until they end; no more than these.
MOST_HANGING = 4
OK = "ok"
_log = logging.getLogger(__name__)

#: A check: returns when all is well, raises when not.
Check = Callable[[], None]


class Unready(Exception):
    """A check failed; the text is for operators and holds no data."""


@dataclass(frozen=True, slots=True)
class State:
    """What the checks came to: `checks` names each with `ok` or why not."""

    ready: bool
    checks: Mapping[str, str]


class Health:
    """The service's own view of itself. `stopping` is set when it is about to end: ready no more, working still."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self._limiter: anyio.CapacityLimiter | None = None
        self._running = 0
        self._lock = threading.Lock()
        self._asked_at = 0.0
        self._last: State | None = None
        self.stopping = False

    async def state(self) -> State:
        """Ready or not. A check that hangs counts as failed after two seconds."""
        if self.stopping:
            return State(False, {"service": "stopping"})
        if self._last is not None and time.monotonic() - self._asked_at < FRESH:
            return self._last
        checks = {name: await self._outcome(name, check) for name, check in self._checks.items()}
        found = State(all(outcome == OK for outcome in checks.values()), checks)
        if found.ready != (self._last is None or self._last.ready):
            _log.warning("ready" if found.ready else "not ready", extra={"reason": _failed(found)})
        self._last, self._asked_at = found, time.monotonic()
        return found

    async def _outcome(self, name: str, check: Check) -> str:
        if self._limiter is None:  # made here: it belongs to the running event loop
            self._limiter = anyio.CapacityLimiter(MOST_HANGING)
        if self._running >= MOST_HANGING:
            return "earlier checks have not ended"
        with anyio.move_on_after(PATIENCE):
            try:
                await to_thread.run_sync(self._counted, check, limiter=self._limiter, abandon_on_cancel=True)
            except Unready as error:
                return str(error)
            except Exception as error:
                _log.warning("check failed", extra={"reason": name, "error": type(error).__name__})
                return type(error).__name__
            return OK
        return f"no answer in {PATIENCE:g} s"

    def _counted(self, check: Check) -> None:
        """The check, counted until it ends, also when nobody waits for it any more."""
        with self._lock:
            self._running += 1
        try:
            check()
        finally:
            with self._lock:
                self._running -= 1


def _failed(state: State) -> str | None:
    return ", ".join(f"{name}: {outcome}" for name, outcome in state.checks.items() if outcome != OK) or None


def measure_checkpoints(folder: Path | None, now: datetime) -> None:
    """Set the metric of the last checkpoint's age, by the time signed in it; NaN where there is none to be read."""
    age = float("nan")
    if folder is not None:
        try:
            newest = max(folder.glob("checkpoint-*.json"), key=lambda path: (len(path.name), path.name))
            age = (now - datetime.fromisoformat(json.loads(newest.read_bytes())["body"]["at"])).total_seconds()
        except (OSError, ValueError, KeyError, TypeError):
            age = float("nan")
    CHECKPOINT_AGE.set(age)
