"""The server is killed in the middle of its work, again and again: what it acknowledged is there, whole."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from service.store import Database
from tests.faults.issuer import Issuer
from tests.faults.ledger import Ledger
from tests.faults.load import start_load
from tests.faults.server import serving
from tests.faults.test_concurrency import opened, workers
from tests.faults.warm import Warm
from tests.faults.whole import faults_in
from tests.service.postgresql import Urls

CLIENTS = 4
#: Kills between two looks over everything that is kept.
LOOK_EVERY = 100


@pytest.mark.parametrize("kills", [15, pytest.param(500, marks=pytest.mark.soak)])
def test_what_was_acknowledged_outlives_every_kill(
    engine: str, urls: Urls, database: Database, issuer: Issuer, warm: Warm, tmp_path: Path, kills: int
) -> None:
    """Fifteen (five hundred) kills on each database: thirty (a thousand) in all."""
    ledger, chance = Ledger(), random.Random()
    seed = chance.randrange(10**9)
    chance.seed(seed)
    ready = []
    with serving(issuer, urls.app, tmp_path / "log", warm=warm) as server:
        cases = opened(server, 4 + kills // 5)
        load = workers(server, cases, ledger, CLIENTS, seed)
        threads = start_load(load)
        for kill in range(1, kills + 1):
            time.sleep(chance.uniform(0.0, 1.5))
            server.kill()
            began = time.monotonic()
            server.start()
            ready.append(time.monotonic() - began)
            if kill % LOOK_EVERY == 0 and kill < kills:
                assert faults_in(database, cases) == []
        load[0].stopped.set()
        for thread in threads:
            thread.join()
        assert server.stop() == 0
    found = faults_in(database, cases, ledger, tmp_path / "export")
    print(f"\n{engine}: {kills} kills; ready again after {sum(ready) / len(ready):.1f} s; seed {seed}")
    print("  " + ", ".join(f"{what}: {many:,}" for what, many in sorted(ledger.counts.items())))
    print(f"  faults: {len(found)}")
    assert found == []
    assert ledger.counts["unanswered"] >= kills // 2  # the kills met the server at work
    assert ledger.counts["recorded"] > kills
    assert "Traceback" not in (tmp_path / "log").read_text(encoding="utf-8")
