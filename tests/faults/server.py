"""The service as a process of its own: started, waited for, killed without warning."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.client import Client
from tests.faults.issuer import Issuer
from tests.faults.warm import Warm

ROOT = Path(__file__).resolve().parents[2]
REGION = "paijat-hame"
#: Seconds a start may take on a busy machine.
PATIENCE = 60.0


class Server:
    """`polku serve` on a database. Its log goes to a file, to be read afterwards."""

    def __init__(
        self,
        issuer: Issuer,
        database_url: str,
        log: Path,
        settings: Mapping[str, str] | None = None,
        *,
        warm: Warm | None = None,
    ) -> None:
        self.port = free_port()
        self.log = log
        self._issuer = issuer
        self._warm = warm
        self._clients: list[Client] = []
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("POLKU_")}
        self._environment = {
            **inherited,
            **issuer.environment(),
            "PYTHONPATH": str(ROOT),
            "POLKU_REGION": REGION,
            "POLKU_DATABASE_URL": database_url,
            "POLKU_PORT": str(self.port),
            "POLKU_REQUESTS_PER_MINUTE": "1000000",
            "POLKU_SNOOPING_CLIENTS_PER_HOUR": "1000000",
            "POLKU_DRAIN_SECONDS": "0",
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | _Forked | None = None

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start it."""
        if self._warm is not None:
            self._process = _Forked(self._warm.start(self._environment, self.log))
        else:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "service.cli", "serve"],
                    cwd=self.log.parent,
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                )

    def wait_until_ready(self) -> None:
        """Wait for `/readyz` to answer 200. Raises AssertionError with the end of the log."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.running:
            if self.ready():
                return
            time.sleep(0.02)
        told = self.log.read_text(encoding="utf-8")[-3000:]
        raise AssertionError(f"the server did not become ready:\n{told}")

    def ready(self) -> bool:
        """Whether it says that it is ready."""
        return self.status("/readyz") == 200

    def status(self, path: str) -> int | None:
        """The status a path is answered with, without login; None when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=15) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it at once, as a power cut would (SIGKILL)."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to end (SIGTERM); its exit code, 0 for one that another process started."""
        assert self._process is not None
        if self.running:
            self._process.terminate()
        return self._process.wait(PATIENCE)

    def token(self, user: str = "worker-1", *roles: str, **claims: Any) -> str:
        """A bearer token for this service."""
        return self._issuer.token(user, roles or ("social_worker",), region=REGION, **claims)

    def client(self, user: str = "worker-1", *roles: str, seconds: float = 60) -> Client:
        """A client of this service; closed with it at the latest."""
        made = Client(self.port, self.token(user, *roles), seconds=seconds)
        self._clients.append(made)
        return made

    def end(self) -> None:
        """Kill it if it still runs, and close its clients."""
        if self.running:
            self.kill()
        for client in self._clients:
            client.close()


class _Forked:
    """A server that another process started, as `subprocess` would show it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0
        return None

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def wait(self, seconds: float = PATIENCE) -> int:
        until = time.monotonic() + seconds
        while self.poll() is None:
            assert time.monotonic() < until, "the server does not end"
            time.sleep(0.002)
        return 0


@contextmanager
def serving(
    issuer: Issuer,
    database_url: str,
    log: Path,
    settings: Mapping[str, str] | None = None,
    *,
    warm: Warm | None = None,
) -> Iterator[Server]:
    """A started server; killed at the end if it still runs."""
    server = Server(issuer, database_url, log, settings, warm=warm)
    try:
        server.start()
        yield server
    finally:
        server.end()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
