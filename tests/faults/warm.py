"""Servers that start fast, for tests that kill many: a process with everything imported forks one each time it is told.

What is forked is what `polku serve` runs, in a process of its own; only the seconds of importing are saved.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn


class Warm:
    """The process that forks. To be ended by `end`."""

    def __init__(self, root: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("POLKU_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.warm"],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, environment: dict[str, str], log: Path) -> int:
        """Start a server with these settings, logging to that file; its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"environment": environment, "log": str(log)}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        """Fork no more. Servers that run go on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def _main() -> None:
    import service.api.app
    import service.cli
    import service.operations.serving  # noqa: F401  # imported now, so that no server need do it

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # servers that end leave nothing behind
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _serve(asked["environment"], asked["log"])
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _serve(environment: dict[str, str], log: str) -> NoReturn:
    from service.cli import main

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((0, nothing), (1, written), (2, written)):
        os.dup2(new, old)
    os.environ.update(environment)
    os.chdir(Path(log).parent)
    sys.argv = ["polku", "serve"]
    code = 1
    try:
        main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    finally:
        os._exit(code)


if __name__ == "__main__":
    _main()
