"""A database with a region's records in it, and someone who can change anything there."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from service.reading import Reader, log
from service.rights.emergency import take_emergency_access
from service.rights.restriction import restrict
from service.store import Database
from tests.helpers import entry
from tests.service import postgresql
from tests.service.conftest import Clock
from tests.service.postgresql import Urls
from tests.service.recording.conftest import REGION, Place, worker

#: When the first record is made: well before any day on which these tests run, for commands ask the real clock.
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
PLANTED = "Planted Person of Nowhere"
Tamper = Callable[..., None]


def fill(place: Place) -> None:
    """Three cases with a few versions each, reads of them, one case restricted and one opened in an emergency."""
    clock, database = place.clock, place.database
    for number in range(3):
        case = f"case-{number}"
        place.open(entry("2026-02-02", "activity_started", days_per_week=4, note=PLANTED), case_id=case)
        for version in range(1, 4):
            clock.advance(minutes=1)
            told = entry("2026-02-20", "coaching_info_given", note=f"{PLANTED} {version}")
            place.record(version, told, entry("2026-02-21", "coaching_info_given"), case_id=case)
        with database.write(REGION) as unit:
            log(unit, Reader(worker(), "client_work"), "case", {case: "assigned"}, clock.advance(seconds=5))
    with database.write(REGION) as unit:
        both = {"case-0": "team", "case-1": "team"}
        log(unit, Reader(worker("w-3"), "client_work"), "cases", both, clock.advance(seconds=5))
        # An id that might be someone's identity code stands hidden in the record, and nowhere else.
        unknown = {"131052-308T": "none"}
        log(unit, Reader(worker("w-9"), "client_work"), "case", unknown, clock(), refused=True)
        restrict(unit, "case-2", worker(), True, "Asiakkaan pyynnöstä", clock.advance(seconds=5))
    with database.write(REGION) as unit:
        stranger = worker("w-7", organisation="county-2", team="team-9")
        take_emergency_access(unit, "case-0", stranger, "Kiireellinen asia", clock.advance(seconds=5))
    clock.advance(minutes=10)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """Which database."""
    return str(request.param)


@pytest.fixture(scope="module")
def filled_template(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A filled database to copy: a file, or a name in PostgreSQL. Filled once; recording takes time."""
    if engine == "sqlite":
        path = tmp_path_factory.mktemp("filled") / "polku.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        fill_at(f"sqlite:///{path}")
        yield str(path)
    else:
        name = f"filled_{uuid4().hex}"
        with postgresql.database(request.getfixturevalue("postgresql_superuser"), name) as urls:
            fill_at(urls.app)
            yield name


def fill_at(url: str) -> None:
    """Fill a database."""
    database, clock = Database(url), Clock()
    clock.now = START
    try:
        fill(Place(database, clock))
    finally:
        database.close()


@pytest.fixture
def urls(engine: str, filled_template: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Urls]:
    """The addresses of a filled database of the test's own."""
    if engine == "sqlite":
        path = tmp_path / "polku.db"
        shutil.copyfile(filled_template, path)
        yield Urls(*(4 * (f"sqlite:///{path}",)))
        return
    superuser = request.getfixturevalue("postgresql_superuser")
    with postgresql.database(superuser, f"test_{uuid4().hex}", template=filled_template) as found:
        yield found


@pytest.fixture
def filled(database: Database, clock: Clock) -> Place:
    """The filled database, its clock a while after the last record."""
    clock.now = START + timedelta(hours=1)
    return Place(database, clock)


@pytest.fixture
def tamper(urls: Urls, engine: str) -> Tamper:
    """Runs statements as someone with every right in the database: no trigger, no policy, no foreign key stops it."""

    def run(*statements: str) -> None:
        if engine == "sqlite":
            with closing(sqlite3.connect(make_url(urls.owner).database or "")) as file:
                names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
                for name in names:
                    file.execute(f"DROP TRIGGER {name}")
                assert all(file.execute(statement).rowcount > 0 for statement in statements)
                file.commit()
            return
        url = make_url(urls.superuser).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as server:
            server.execute("SET session_replication_role = replica")
            assert all(server.execute(statement).rowcount > 0 for statement in statements)  # type: ignore[arg-type]

    return run
