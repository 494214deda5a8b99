"""One run at a time in a folder that is kept between runs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.checks.errors import CheckError
from service.checks.whole import OWNER_ONLY


@contextmanager
def alone(keep: Path, lock: Path) -> Iterator[None]:
    """Keep other runs off the folder `keep` while this one holds `lock`, a file in it. Raises CheckError, OSError."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CheckError(f"{keep}: another check is running with this folder; wait for it, or keep elsewhere") from None
    else:
        yield
    finally:
        os.close(descriptor)
