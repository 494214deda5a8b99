"""A real server in this process, for what must come over the wire."""

from __future__ import annotations

import threading
import time

import uvicorn
from fastapi import FastAPI


class Served:
    """Serves an application on a free port of this machine, as a context."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on", server_header=False))
        self._thread = threading.Thread(target=self._server.run)
        self.address = ""

    def __enter__(self) -> Served:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server does not start"
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *error: object) -> None:
        self._server.should_exit = True
        self._thread.join()
