"""Databases and a clock for the tests of the service. Whatever takes `database` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from service.store import Database, migrate
from tests.service import postgresql
from tests.service.postgresql import Urls


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time it shows."""
        return self.now

    def advance(self, **how_far: float) -> datetime:
        """Go on by days, hours, minutes, seconds…; the time then."""
        self.now += timedelta(**how_far)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that shows 2026-11-20T10:00Z and stands still."""
    return Clock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_superuser() -> str:
    """The superuser's address of a PostgreSQL with the roles and a migrated template."""
    superuser = os.environ.get("POLKU_TEST_DATABASE_URL")
    if superuser is None:
        # The workers of pytest-xdist share one.
        superuser = str(postgresql.start(os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid4().hex)).get_uri())
    postgresql.prepare(superuser)
    return superuser


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """Which database: the test runs once with each."""
    return str(request.param)


@pytest.fixture
def urls(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Urls]:
    """The addresses of a migrated, empty database of the test's own. In SQLite all are the same."""
    if engine == "sqlite":
        path = tmp_path / "polku.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield Urls(*(4 * (f"sqlite:///{path}",)))
    else:
        superuser = request.getfixturevalue("postgresql_superuser")
        with postgresql.database(superuser, f"test_{uuid4().hex}") as found:
            yield found


@pytest.fixture
def database(urls: Urls) -> Iterator[Database]:
    """The database as the application opens it."""
    opened = Database(urls.app)
    yield opened
    opened.close()


@pytest.fixture
def owner(urls: Urls) -> Iterator[Database]:
    """The same database as its owner, who may dispose and migrate."""
    opened = Database(urls.owner)
    yield opened
    opened.close()
