"""A plain HTTP client for load: one kept connection, JSON in and out, faults of the network told as such."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any


class Unanswered(Exception):
    """The server went away or kept silent; whether it did what was asked is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def etag(self) -> str:
        """The version told, as If-Match takes it."""
        return self.headers["etag"]


class Client:
    """Requests of one user to one server at a time. Not to be shared by threads."""

    def __init__(self, port: int, token: str, *, seconds: float = 60) -> None:
        self.port, self._token, self._seconds = port, token, seconds
        self._connection: http.client.HTTPConnection | None = None

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request; header names are given with underscores. Raises Unanswered."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = f"Bearer {self._token}"
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self._seconds)
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.request(method, path, content, sent)
            with self._connection.getresponse() as response:
                text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(type(error).__name__) from error
        found = {name.lower(): value for name, value in response.getheaders()}
        if found.get("connection") == "close":
            self.close()
        is_json = "json" in found.get("content-type", "")
        return Answer(response.status, found, json.loads(text) if is_json and text else text)

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
