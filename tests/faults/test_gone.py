"""The database goes away under a running server and comes back: requests are told so clearly, nothing acknowledged is
lost, and the same server goes on by itself."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from service.store import Database
from tests.faults.cluster import Cluster
from tests.faults.issuer import Issuer
from tests.faults.ledger import Ledger
from tests.faults.load import start_load
from tests.faults.server import Server, serving
from tests.faults.test_concurrency import opened, workers
from tests.faults.test_full_disk import is_clear_refusal, whole
from tests.faults.warm import Warm
from tests.faults.whole import faults_in

CLIENTS = 4
SECONDS_UP, SECONDS_GONE = 1.0, 1.0
PATIENCE = 30.0


def under_load(
    server: Server, cases: list[str], ledger: Ledger, go: Callable[[], None], come: Callable[[], None], times: int
) -> None:
    """Clients at work while the database goes and comes, so many times."""
    load = workers(server, cases, ledger, CLIENTS, times)
    threads = start_load(load)
    client = server.client()
    for _ in range(times):
        time.sleep(SECONDS_UP)
        go()
        gone_since = time.monotonic()
        assert until(lambda: is_clear_refusal(client("GET", f"/v1/cases/{cases[0]}")))
        assert until(lambda: server.status("/readyz") == 503)
        assert server.status("/healthz") == 200
        time.sleep(max(0.0, SECONDS_GONE - (time.monotonic() - gone_since)))
        come()
        assert until(server.ready)
        assert until(partial(recorded_more, ledger, ledger.counts["recorded"]))
    client.close()
    load[0].stopped.set()
    for thread in threads:
        thread.join()


def recorded_more(ledger: Ledger, before: int) -> bool:
    """Whether more has been recorded than before."""
    return ledger.counts["recorded"] > before


def until(holds: Callable[[], bool]) -> bool:
    """Whether it holds before long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_postgresql_that_crashes_and_comes_back(cluster: Cluster, issuer: Issuer, warm: Warm, tmp_path: Path) -> None:
    """Stopped hard in the middle of the work, and once politely."""
    urls = cluster.database()
    ledger, modes = Ledger(), ["fast", "immediate"]
    with serving(issuer, urls.app, tmp_path / "log", warm=warm) as server:
        cases = opened(server, 6)
        under_load(server, cases, ledger, lambda: cluster.stop(modes.pop()), cluster.start, times=2)
        assert server.stop() == 0
    whole(urls.app, cases, ledger, tmp_path)


def test_a_server_started_before_its_postgresql(cluster: Cluster, issuer: Issuer, warm: Warm, tmp_path: Path) -> None:
    urls = cluster.database()
    cluster.stop("fast")
    server = Server(issuer, urls.app, tmp_path / "log", warm=warm)
    server.launch()
    try:
        assert until(lambda: server.status("/readyz") == 503)
        cluster.start()
        assert until(server.ready)
        assert opened(server, 1) == ["case-0"]
    finally:
        server.end()


def test_sqlite_whose_file_is_moved_away_and_back(
    issuer: Issuer, warm: Warm, sqlite_template: Path, tmp_path: Path
) -> None:
    """What is written meanwhile must not go into a file nobody finds again."""
    path, away = tmp_path / "polku.db", tmp_path / "away"
    shutil.copyfile(sqlite_template, path)
    away.mkdir()

    def move(source: Path, target: Path) -> None:
        for name in ("polku.db", "polku.db-wal", "polku.db-shm"):
            if (source / name).exists():
                (source / name).rename(target / name)

    ledger = Ledger()
    with serving(issuer, f"sqlite:///{path}", tmp_path / "log", warm=warm) as server:
        cases = opened(server, 6)
        under_load(server, cases, ledger, lambda: move(tmp_path, away), lambda: move(away, tmp_path), times=2)
        assert not list(away.iterdir())
        assert server.stop() == 0
    whole(f"sqlite:///{path}", cases, ledger, tmp_path)


def test_a_database_torn_apart_is_found_out(issuer: Issuer, warm: Warm, sqlite_template: Path, tmp_path: Path) -> None:
    """The looks these tests rest on see what they should: an entry taken out, a decision, a version."""
    path = tmp_path / "polku.db"
    shutil.copyfile(sqlite_template, path)
    ledger = Ledger()
    with serving(issuer, f"sqlite:///{path}", tmp_path / "log", warm=warm) as server:
        cases = opened(server, 2)
        load = workers(server, cases, ledger, 1, 1)
        for thread in start_load(load, 12):
            thread.join()
        server.stop()
    database = Database(f"sqlite:///{path}")
    assert faults_in(database, cases, ledger) == []
    database.close()
    for statement in (
        "DELETE FROM entry WHERE position = 3 AND case_id = 'case-0'",
        "DELETE FROM decision WHERE version = 2 AND case_id = 'case-0'",
        "UPDATE case_record SET version = version + 1 WHERE id = 'case-0'",
        "UPDATE entry SET payload = replace(payload, 'contact', 'kontakt') WHERE position = 3 AND case_id = 'case-0'",
        "UPDATE entry SET position = position + 100 WHERE position = 3 AND case_id = 'case-0'",
    ):
        assert torn(path, tmp_path / "torn.db", statement, cases, ledger), statement


def torn(path: Path, copy: Path, statement: str, cases: list[str], ledger: Ledger) -> list[str]:
    """What is found wrong in a copy of the database to which this was done."""
    import sqlite3

    shutil.copyfile(path, copy)
    with sqlite3.connect(copy) as raw:
        triggers = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in triggers:
            raw.execute(f"DROP TRIGGER {name}")
        assert raw.execute(statement).rowcount == 1
    raw.close()
    database = Database(f"sqlite:///{copy}")
    try:
        return faults_in(database, cases, ledger)
    finally:
        database.close()
