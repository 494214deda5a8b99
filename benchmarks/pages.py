"""How fast pages come: a real `polku serve`, asked by this other process as a browser asks, one page after another.

The journal of each client is the thirty-entry one beside this file. Pages are asked for when the outlooks of all
clients have been made, as they have been on any morning.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

from benchmarks.service import _expected, _folder, _journal, _settings
from service.store import migrate
from tests.faults.client import Client
from tests.faults.issuer import issuing
from tests.faults.server import Server, serving

FEW, MANY = 40, 2000
ROUNDS = 60
PATIENCE = 900.0  # seconds that making the outlooks of all clients may take
AIMS = {
    "page_list_40_p95_ms": 150.0,
    "page_client_p95_ms": 150.0,
    "page_list_2000_p95_ms": 300.0,
    "page_first_load_kb": 200.0,
}
#: What a page says while clients are being worked out (service/web/texts/list.yaml).
BEING_MADE = "brought up to date"
_FILES = re.compile(r'(?:href|src)="(/static/[^"]+)"')


def measure() -> dict[str, float]:
    """Every figure, by name; milliseconds, and kilobytes."""
    with issuing() as issuer, _folder() as folder:
        url = f"sqlite:///{folder / 'polku.db'}"
        migrate(url)
        with serving(issuer, url, folder / "pages.log", _settings()) as server:
            few, many = (_client(server, user) for user in ("worker-few", "worker-many"))
            journal = _journal()
            ids = [_opened(few, "worker-few", journal) for _ in range(FEW)]
            for _ in range(MANY):
                _opened(many, "worker-many", journal)
            _wait_until_made(few)
            _wait_until_made(many)
            return {
                "page_list_40_p95_ms": _p95(few, ["/clients"]),
                "page_client_p95_ms": _p95(few, [f"/clients/{case_id}" for case_id in ids]),
                "page_list_2000_p95_ms": _p95(many, ["/clients", "/clients?sort=name&page=20", "/clients?q=case-1"]),
                "page_first_load_kb": _first_load(few) / 1000,
            }


def _client(server: Server, user: str) -> Client:
    """A worker who is a team of their own: nobody sees another's clients."""
    return Client(server.port, server.token(user, polku_team=f"team of {user}"))


def _opened(client: Client, worker: str, journal: dict[str, Any]) -> str:
    """A new client of the worker, with the journal."""
    assigned = {"date": "2020-01-02", "type": "worker_assigned", "role": "social_worker", "worker": worker}
    case_id = f"case-{uuid.uuid4().hex[:12]}"
    case = {"case": {**journal["case"], "id": case_id}, "entries": [*journal["entries"], assigned]}
    _expected(201, client("POST", "/v1/cases", case))
    _expected(200, client("PUT", f"/v1/cases/{case_id}/identity", {"name": f"Esimerkki {case_id}"}))
    return case_id


def _page(client: Client, path: str) -> str:
    answer = _expected(200, client("GET", path, Accept="text/html", Accept_Language="en"))
    return bytes(answer.body).decode()


def _wait_until_made(client: Client) -> None:
    client.close()  # the server has let go of a connection that was idle meanwhile
    end = time.monotonic() + PATIENCE
    while BEING_MADE in _page(client, "/clients"):
        if time.monotonic() > end:
            raise RuntimeError("the outlooks were not made in time")
        time.sleep(1)


def _p95(client: Client, paths: list[str]) -> float:
    """The 95th percentile of the times of pages, by turns, milliseconds."""
    client.close()
    times = []
    for number in range(ROUNDS + 3):
        began = time.perf_counter()
        _page(client, paths[number % len(paths)])
        times.append((time.perf_counter() - began) * 1000)
    times = sorted(times[3:])
    return times[int(len(times) * 0.95)]


def _first_load(client: Client) -> int:
    """The bytes of a first look at the list: the page and every file it names, as they are sent."""
    client.close()
    page = _page(client, "/clients")
    files = [bytes(_expected(200, client("GET", path)).body) for path in sorted(set(_FILES.findall(page)))]
    return len(page.encode()) + sum(map(len, files))


def main() -> None:
    """Print the figures."""
    for name, figure in measure().items():
        print(f"{name:40}{figure:10.1f}   aim {AIMS[name]:g}")


if __name__ == "__main__":
    main()
