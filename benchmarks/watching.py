"""A command run to its end, with the time it took and the memory of all its processes."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
#: Seconds between two looks at the processes. A peak is the kernel's own: none between two looks is missed.
PAUSE = 0.05


class RunFailed(RuntimeError):
    """A run that did not come to a good end, with the last it said."""


@dataclass(frozen=True)
class Run:
    """What a command wrote, the seconds it took, and the memory: each process's own peak, summed up, in MiB.

    Processes do not all have their peaks at once, and they share pages: it was this much or less. None where there is
    no /proc.
    """

    output: str
    seconds: float
    memory_mib: float | None
    processes: int


def watched(command: Sequence[str], *, good: Sequence[int] = (0,), cwd: Path | None = None) -> Run:
    """Run a command. Raises RunFailed when it exits with another code than the `good` ones."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd)
    peaks: dict[int, int] = {}
    over = threading.Event()
    looking = threading.Thread(target=_look, args=(process.pid, peaks, over))
    looking.start()
    output, said = process.communicate()
    seconds = time.perf_counter() - start
    over.set()
    looking.join()
    if process.returncode not in good:
        raise RunFailed(f"{' '.join(command)} ended with {process.returncode}:\n{said[-2000:]}")
    memory = sum(peaks.values()) / 1024 if peaks else None
    return Run(output, seconds, memory, len(peaks))


def _look(root: int, peaks: dict[int, int], over: threading.Event) -> None:
    while not over.wait(PAUSE):
        for pid in _family(root):
            peak = _peak_kib(pid)
            if peak is not None:
                peaks[pid] = peak


def _family(root: int) -> list[int]:
    """A process and all that came of it."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for task in (PROC / str(pid) / "task").glob("*/children"):
            try:
                waiting += map(int, task.read_text(encoding="ascii").split())
            except OSError:  # it has just ended
                continue
    return found


def _peak_kib(pid: int) -> int | None:
    try:
        status = (PROC / str(pid) / "status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return None
