"""Starts `polku serve` as a process of its own, waits until it is ready, and keeps what it logs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.service.polku import ROOT

PATIENCE = 60.0


class Served:
    """A running service: its address, its process, and the file its standard output goes to."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process = process
        self._out, self._err = out, err
        self.folder = out.parent
        self.address = ""

    @property
    def logged(self) -> str:
        """What it wrote to standard output so far."""
        return self._out.read_text(encoding="utf-8")

    @property
    def told(self) -> str:
        """What it wrote to standard error so far."""
        return self._err.read_text(encoding="utf-8")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log, a dictionary for each line. Fails when a line is no JSON."""
        return [json.loads(line) for line in self.logged.splitlines()]

    def client(self, **how: Any) -> httpx.Client:
        """A client of its address."""
        return httpx.Client(base_url=self.address, timeout=30.0, **how)

    def stop(self, sig: int = signal.SIGTERM) -> int:
        """Signal it, wait until it ends, and give its exit code."""
        self.process.send_signal(sig)
        return self.process.wait(PATIENCE)

    def wait_until_ready(self) -> None:
        """Wait until `/readyz` answers 200."""
        self.wait_for(httpx.codes.OK)

    def wait_for(self, status: int) -> None:
        """Wait until `/readyz` answers so."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.process.poll() is None, self.logged + self.told
            started = [line for line in self.lines if line.get("message") == "starting"]
            if started:
                self.address = f"http://127.0.0.1:{started[0]['port']}"
                try:
                    if httpx.get(f"{self.address}/readyz", timeout=5).status_code == status:
                        return
                except httpx.TransportError:
                    pass
            time.sleep(0.05)
        raise AssertionError(self.logged + self.told)


@contextmanager
def served(folder: Path, *words: str, env: Mapping[str, str] | None = None, ready: bool = True) -> Iterator[Served]:
    """`polku serve` on a free port with these words and variables; killed at the end if it still runs."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POLKU_")}
    command = [sys.executable, "-m", "service.cli", "serve", "--port", "0", *words]
    out, err = folder / "out.log", folder / "err.log"
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = subprocess.Popen(command, cwd=ROOT, env={**inherited, **(env or {})}, stdout=to_out, stderr=to_err)
    found = Served(process, out, err)
    try:
        if ready:
            found.wait_until_ready()
        yield found
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def token_of(client: httpx.Client, user: str) -> dict[str, str]:
    """The header that lets a program act as a user of the demo."""
    asked = {"grant_type": "client_credentials", "client_id": "developer", "user": user}
    answer = client.post("/development-identity/token", data=asked)
    assert answer.status_code == httpx.codes.OK, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
