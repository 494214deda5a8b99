"""One run at a time in a folder that is kept between runs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from service.checks.errors import CheckError
from service.checks.whole import OWNER_ONLY
from service.on_disk import only_one


def alone(keep: Path, lock: Path) -> AbstractContextManager[None]:
    """Keep other runs off the folder `keep` while this one holds `lock`, a file in it. Raises CheckError, OSError."""
    running = CheckError(f"{keep}: another check is running with this folder; wait for it, or keep elsewhere")
    return only_one(lock, running, OWNER_ONLY)
