"""What the faults are tried on: an issuer of tokens, the service's databases of tests, a PostgreSQL of one's own."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cluster import Cluster
from tests.faults.issuer import Issuer, issuing
from tests.faults.server import ROOT
from tests.faults.warm import Warm
from tests.service.conftest import (  # noqa: F401  # fixtures are found by name
    database,
    engine,
    owner,
    postgresql_superuser,
    sqlite_template,
    urls,
)


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """Who says who someone is."""
    with issuing() as found:
        yield found


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """What starts servers fast."""
    found = Warm(ROOT)
    yield found
    found.end()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, of 48 megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    # Others may pass through it: PostgreSQL runs as a user of its own.
    for parent in (folder, *folder.parents):
        if parent != Path(tempfile.gettempdir()) and parent.is_relative_to(tempfile.gettempdir()):
            parent.chmod(parent.stat().st_mode | 0o011)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=True)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that this test alone uses, as durable as a real one: it may be stopped, and its disk filled."""
    found = Cluster()
    try:
        yield found
    finally:
        found.end()
