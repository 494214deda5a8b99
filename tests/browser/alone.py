"""A service of one's own, in this process: without clients, so that pages show what is empty, and open to a test that
breaks something; or with those of the demo, on any day."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import uvicorn

from service.api.app import create_app, now
from service.arguments import assessor
from service.operations.demo import fill
from service.operations.serving import listen
from service.settings import Settings
from service.store import Database, migrate

PATIENCE = 60.0


@dataclass(frozen=True)
class Alone:
    """The service: its address and its database."""

    address: str
    region: str
    database: Database


@contextmanager
def alone(
    folder: Path, region: str = "paijat-hame", *, clock: Callable[[], datetime] = now, filled: bool = False
) -> Iterator[Alone]:
    """The service, with the users of the demo, and with its clients only when asked."""
    url = f"sqlite:///{folder}/polku.db"
    migrate(url)
    asked = Settings(region=region, demo=True, database_url=url, port=0, requests_per_minute=100_000)
    with closing(Database(url)) as database, closing(listen(asked)) as listening:
        settings = asked.model_copy(update={"port": listening.getsockname()[1]})
        if filled:
            fill(database, assessor(), region, clock)
        app = create_app(settings, clock=clock, database=database)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            end = time.monotonic() + PATIENCE
            while not server.started:
                assert time.monotonic() < end
                assert thread.is_alive(), "the service has not started"
                time.sleep(0.05)
            yield Alone(f"http://127.0.0.1:{settings.port}", region, database)
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
