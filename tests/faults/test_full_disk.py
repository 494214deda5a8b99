"""The disk is full: every request is told so clearly, nothing acknowledged is lost, and once there is room again the
same server goes on."""

from __future__ import annotations

import resource
import shutil
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

from service.store import Database
from tests.faults.client import Answer, Client
from tests.faults.cluster import Cluster
from tests.faults.issuer import Issuer
from tests.faults.ledger import Acknowledged, Ledger
from tests.faults.load import contact
from tests.faults.server import Server, serving
from tests.faults.test_concurrency import opened
from tests.faults.warm import Warm
from tests.faults.whole import faults_in

#: By then the last free place within the files that are there has been used.
MOST_REQUESTS = 2_000
PATIENCE = 30.0


def record(client: Client, case: str, version: int, ledger: Ledger, key: str, mark: str) -> Answer:
    """Record one entry; what was acknowledged goes into the ledger."""
    answer = client(
        "POST",
        f"/v1/cases/{case}/entries",
        {"entries": [contact(mark)]},
        If_Match=f'"v{version}"',
        Idempotency_Key=key,
    )
    if answer.status == 201:
        ledger.took(Acknowledged(case, version, version + 1, answer.body["decision"], (mark,)))
    return answer


def is_clear_refusal(answer: Answer) -> bool:
    """Whether it is the problem of a database that cannot be used, with the time to come again."""
    return (
        answer.status == 503
        and answer.headers["content-type"] == "application/problem+json"
        and answer.body["type"] == "/problems/unavailable"
        and int(answer.headers["retry-after"]) >= 1
    )


def starved(
    server: Server, cases: list[str], ledger: Ledger, fill: Callable[[], object], relieve: Callable[[], object]
) -> None:
    """Record; fill the disk; record until it is refused; make room; the very request that was refused is then taken."""
    client, case, version = server.client(), cases[0], 1
    while version < 10:
        assert record(client, case, version, ledger, uuid.uuid4().hex, uuid.uuid4().hex).status == 201
        version += 1
    fill()
    for _ in range(MOST_REQUESTS):
        key, mark = uuid.uuid4().hex, uuid.uuid4().hex
        answer = record(client, case, version, ledger, key, mark)
        if answer.status != 201:
            break
        version += 1
    assert is_clear_refusal(answer), (answer.status, answer.body)
    for path in (f"/v1/cases/{case}", f"/v1/cases/{cases[1]}/next-steps"):
        # Reading is logged before anything leaves. If a last small place is left for that, the answer is whole.
        shown = client("GET", path)
        assert shown.status == 200 or is_clear_refusal(shown), (shown.status, shown.body)
    assert server.status("/healthz") == 200
    assert is_clear_refusal(record(client, case, version, ledger, key, mark))
    relieve()
    until = time.monotonic() + PATIENCE
    while (answer := record(client, case, version, ledger, key, mark)).status == 503 and time.monotonic() < until:
        time.sleep(0.1)
    assert answer.status == 201, answer.body
    assert "idempotency-replayed" not in answer.headers
    assert server.ready()
    client.close()


def test_sqlite_on_a_full_disk(
    issuer: Issuer, warm: Warm, sqlite_template: Path, small_disk: Path, tmp_path: Path
) -> None:
    path = small_disk / "polku.db"
    shutil.copyfile(sqlite_template, path)
    ledger, ballast = Ledger(), small_disk / "ballast"
    with serving(issuer, f"sqlite:///{path}", tmp_path / "log", warm=warm) as server:
        cases = opened(server, 3)
        starved(server, cases, ledger, lambda: fill(ballast), ballast.unlink)
    whole(f"sqlite:///{path}", cases, ledger, tmp_path)


def test_sqlite_at_the_largest_size_a_file_may_have(
    issuer: Issuer, warm: Warm, sqlite_template: Path, tmp_path: Path
) -> None:
    """The same without a disk of one's own: the process may not let its files grow."""
    path = tmp_path / "polku.db"
    shutil.copyfile(sqlite_template, path)
    ledger = Ledger()
    with serving(issuer, f"sqlite:///{path}", tmp_path / "log", warm=warm) as server:
        cases = opened(server, 3)
        process, kind, free = server.pid, resource.RLIMIT_FSIZE, resource.RLIM_INFINITY
        starved(
            server,
            cases,
            ledger,
            partial(resource.prlimit, process, kind, (1_500_000, free)),
            partial(resource.prlimit, process, kind, (free, free)),
        )
    whole(f"sqlite:///{path}", cases, ledger, tmp_path)


def test_postgresql_on_a_full_disk(
    cluster: Cluster, issuer: Issuer, warm: Warm, small_disk: Path, tmp_path: Path
) -> None:
    tables = small_disk / "tables"
    tables.mkdir()
    urls = cluster.database(tables)
    ledger, ballast = Ledger(), small_disk / "ballast"
    with serving(issuer, urls.app, tmp_path / "log", warm=warm) as server:
        cases = opened(server, 3)
        starved(server, cases, ledger, lambda: fill(ballast), ballast.unlink)
    whole(urls.app, cases, ledger, tmp_path)
    cluster.drop(urls)


def fill(ballast: Path) -> None:
    """Take every free byte of the disk."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def whole(url: str, cases: list[str], ledger: Ledger, tmp_path: Path) -> None:
    """Whether everything that was acknowledged is there, whole, and nothing else."""
    database = Database(url)
    try:
        assert faults_in(database, cases, ledger, tmp_path / "export") == []
    finally:
        database.close()
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert not any(mark in log for item in ledger.acknowledged for mark in item.marks)
