"""Files that are there whole or not at all, and that only their owner may read: they are about clients."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from service.checks.errors import CheckError
from service.on_disk import have_on_disk

OWNER_ONLY = 0o600


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when all is written and on the disk.

    It stands beside it as `.NAME.part`. What a run that was killed left there is written over; a run that is still
    writing is not disturbed. Raises CheckError for that, and OSError.
    """
    path = path.resolve()
    waiting = path.with_name(f".{path.name}.part")
    with _claimed(waiting, path) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            waiting.replace(path)
        except BaseException:
            waiting.unlink(missing_ok=True)
            raise
    have_on_disk(path.parent)


def _claimed(waiting: Path, path: Path) -> BinaryIO:
    while True:
        descriptor = os.open(waiting, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), OWNER_ONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is(waiting, descriptor):
                os.fchmod(descriptor, OWNER_ONLY)
                os.ftruncate(descriptor, 0)
                return os.fdopen(descriptor, "w+b")
        except BlockingIOError:
            os.close(descriptor)
            raise CheckError(f"{path}: another run is writing this file; wait for it, or name another") from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # it was finished and renamed between the two calls: claim a new one


def _is(path: Path, descriptor: int) -> bool:
    """Whether the file at a path is the one that is open."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
