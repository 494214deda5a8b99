"""Writing so that it survives a crash of the machine, and one run at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def have_on_disk(path: Path) -> None:
    """Have a file, or a folder's names, on the disk before going on. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def only_one(lock: Path, refused: Exception, mode: int) -> Iterator[None]:
    """Hold a lock file, made with this mode if need be. Raises OSError, and `refused` while another run holds it."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, mode)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise refused from None
    else:
        yield
    finally:
        os.close(descriptor)
