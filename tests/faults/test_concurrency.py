"""Eight clients hammer the same and different cases at once: nothing is lost, doubled or torn apart."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest

from service.store import Database
from tests.faults.issuer import Issuer
from tests.faults.ledger import Ledger
from tests.faults.load import Worker, new_case, start_load
from tests.faults.server import Server, serving
from tests.faults.whole import faults_in
from tests.service.postgresql import Urls

CLIENTS = 8
#: So that a case grows no longer in the long run than in the short one.
REQUESTS_PER_CASE = 150


def opened(server: Server, count: int) -> list[str]:
    """So many new cases."""
    client = server.client()
    cases = [f"case-{number}" for number in range(count)]
    for case in cases:
        answer = client("POST", "/v1/cases", new_case(case), Idempotency_Key=f"open-{case}")
        assert answer.status == 201, answer.body
    client.close()
    return cases


def workers(server: Server, cases: list[str], ledger: Ledger, count: int, seed: int) -> list[Worker]:
    """So many workers on these cases, all of one user: the client's own social worker."""
    stopped = threading.Event()
    return [Worker(server.client, cases, ledger, random.Random(f"{seed}-{number}"), stopped) for number in range(count)]


@pytest.mark.parametrize("requests", [2_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_nothing_is_lost_or_doubled_however_many_record(
    engine: str, urls: Urls, database: Database, issuer: Issuer, tmp_path: Path, requests: int
) -> None:
    ledger, seed = Ledger(), random.randrange(10**9)
    with serving(issuer, urls.app, tmp_path / "log") as server:
        cases = opened(server, requests // REQUESTS_PER_CASE)
        began = time.monotonic()
        for thread in start_load(workers(server, cases, ledger, CLIENTS, seed), requests):
            thread.join()
        seconds = time.monotonic() - began
        found = faults_in(database, cases, ledger, tmp_path / "export")
        assert server.stop() == 0
    print(f"\n{engine}: {requests:,} turns of {CLIENTS} clients on {len(cases)} cases in {seconds:.0f} s; seed {seed}")
    print("  " + ", ".join(f"{what}: {many:,}" for what, many in sorted(ledger.counts.items())))
    print(f"  faults: {len(found)}")
    assert found == []
    assert ledger.unknown == []
    assert ledger.counts["recorded"] > requests // 8  # most others were refused as too old, and came again
    assert all(ledger.counts[what] for what in ("refused as too old", "repeated", "sent twice at once"))
    assert ledger.counts["key used for another"]
