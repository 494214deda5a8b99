"""Writing so that it survives a crash of the machine."""

from __future__ import annotations

import os
from pathlib import Path


def have_on_disk(path: Path) -> None:
    """Have a file, or a folder's names, on the disk before going on. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
