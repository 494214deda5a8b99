"""The service's life as a process: it listens, says when it is about to stop, works off what it has begun, and ends."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI

from service.operations.metrics import BUILD
from service.operations.watch import Watch
from service.settings import Settings

BACKLOG = 2048
#: How long a connection without a request is kept, seconds: longer than proxies keep theirs, so that they close first.
KEEP_ALIVE = 75
_log = logging.getLogger(__name__)


def listen(settings: Settings) -> socket.socket:
    """The socket to listen on; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named, or asyncio leaves Nagle on: each answer on a kept connection would then wait 40 ms.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((settings.host, settings.port))
        opened.set_inheritable(False)
    except OSError:
        opened.close()
        raise
    return opened


def serve(app: FastAPI, settings: Settings, listening: socket.socket) -> None:
    """Answer requests until told to stop: by SIGTERM, or by SIGINT (Ctrl-C), which does not wait for others to notice.

    Stopping: `/readyz` answers 503 and the rest goes on for `drain_seconds`, so that a proxy sends its requests
    elsewhere; then no more connections are taken, and those that run may end within `stop_seconds`.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=settings.stop_seconds,
        forwarded_allow_ips=settings.trusted_proxies,
    )
    watch: Watch = app.state.watch
    BUILD.labels(app.version).set(1)
    _log.info("starting", extra={"port": settings.port})
    # What is there now (rules, engines, models) stays: collections of garbage need not look through it, each time
    # holding up every request for a tenth of a second.
    gc.collect()
    gc.freeze()
    _Server(config, watch, settings.drain_seconds).run(sockets=[listening])
    _log.info("stopped")


class _Server(uvicorn.Server):
    """uvicorn's server, which tells that it is stopping before it does, and ends with exit code 0."""

    def __init__(self, config: uvicorn.Config, watch: Watch, drain_seconds: int) -> None:
        super().__init__(config)
        self._watch = watch
        self._drain_seconds = drain_seconds
        self._stop_at: float | None = None
        self._told = False  # here, not in the signal's handler: a handler may interrupt the writing of a line

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop. A second signal ends the waiting for others, a third that for requests that run."""
        del frame
        self._watch.health.stopping = True
        if self.should_exit:
            self.force_exit = True
        elif self._stop_at is not None or sig == signal.SIGINT:
            self.should_exit = True
        else:
            self._stop_at = time.monotonic() + self._drain_seconds

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop now."""
        if self._watch.health.stopping and not self._told:
            self._told = True
            _log.info("stopping", extra={"seconds": 0 if self._stop_at is None else self._drain_seconds})
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)
