"""Limits: how large a request may be, how often one user may ask, how often one address may try to log in.

Counted in this process. Several processes of one region each allow as much; the reverse proxy in front may be stricter.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Awaitable, Callable, Collection

import anyio
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.failures import instance_of
from service.api.problems import ApiProblem
from service.operations.metrics import LIMITED

#: Where an address without a login is counted: everything under these paths.
LOGIN_PATHS = ("/login",)
#: Addresses of one network of IPv6 belong to one holder.
IPV6_NETWORK = 64
UNKNOWN_ADDRESS = "?"
#: How much more of a body that is too large is read, and for how long, seconds.
LINGER_BYTES, LINGER_SECONDS = 20_000_000, 5.0
#: Digits of a Content-Length that are looked at: enough to be too large.
LONGEST_NUMBER = 18


class Rate:
    """So many in any minute, for each key apart. Keys are held in memory only, and for two minutes."""

    def __init__(self, name: str, per_minute: int) -> None:
        self._name = name
        self._item = RateLimitItemPerMinute(per_minute)
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._lock = threading.Lock()

    def take(self, key: str) -> int:
        """Count one request; 0 when it is within the limit, else the seconds after which to try again."""
        with self._lock:
            if self._window.hit(self._item, key):
                return 0
            reset = self._window.get_window_stats(self._item, key).reset_time
        LIMITED.labels(self._name).inc()
        return max(1, math.ceil(reset - time.time()))

    def check(self, key: str) -> None:
        """Count one request. Raises ApiProblem (429 with Retry-After) over the limit."""
        wait = self.take(key)
        if wait:
            raise ApiProblem("too-many-requests", headers={"Retry-After": str(wait)})


class LoginLimit:
    """ASGI middleware: so many requests for a login from one address in a minute, before anything else is done."""

    def __init__(self, app: ASGIApp, per_minute: int, paths: Collection[str] = LOGIN_PATHS) -> None:
        self.app = app
        self._rate = Rate("login", per_minute)
        self._paths = tuple(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is no login, or within the limit."""
        if scope["type"] == "http" and _is_under(scope["path"], self._paths):
            wait = self._rate.take(address(scope))
            if wait:
                problem = ApiProblem(
                    "too-many-requests", "Too many logins from this address.", headers={"Retry-After": str(wait)}
                )
                await problem.response(instance_of(scope))(scope, receive, send)
                return
        await self.app(scope, receive, send)


class TooLarge(HTTPException):
    """The body has grown longer than the service takes while it was read."""

    def __init__(self) -> None:
        super().__init__(413)


class SizeLimit:
    """ASGI middleware: bodies of at most so many bytes. One that says it is longer is refused before it is read, one
    that says nothing or something else is cut off where it passes the limit; nothing of it has been acted upon."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body measured."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if (said := _said_length(scope)) is not None and said > self._most:
            LIMITED.labels("size").inc()
            if not _waits(scope):
                await _drained(receive)
            await self._refuse(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, self._measured(receive), noted)
        except TooLarge:
            if started:
                raise
            await self._refuse(scope, receive, send)

    def _measured(self, receive: Receive) -> Callable[[], Awaitable[Message]]:
        read = 0

        async def measured() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > self._most:
                    LIMITED.labels("size").inc()
                    if message.get("more_body"):
                        await _drained(receive)
                    raise TooLarge
            return message

        return measured

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = ApiProblem("too-large", f"A body may have {self._most} bytes.", headers={"Connection": "close"})
        await problem.response(instance_of(scope))(scope, receive, send)


def address(scope: Scope) -> str:
    """Whom a request without a login is counted as: its address, of IPv6 its network."""
    client = scope.get("client")
    if client is None:
        return UNKNOWN_ADDRESS
    try:
        found = ipaddress.ip_address(client[0])
    except ValueError:
        return str(client[0])
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, IPV6_NETWORK), strict=False))


def _is_under(path: str, roots: Collection[str]) -> bool:
    return any(path == root or path.startswith(f"{root}/") for root in roots)


async def _drained(receive: Receive) -> None:
    """Read on and throw away, for a while: a client cut off while it sends would never read why."""
    left = LINGER_BYTES
    with anyio.move_on_after(LINGER_SECONDS):
        while left > 0:
            message = await receive()
            left -= len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body"):
                return


def _waits(scope: Scope) -> bool:
    """Whether the client waits to be told before it sends its body."""
    return any(name == b"expect" for name, _ in scope["headers"])


def _said_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value[:LONGEST_NUMBER]) if value.isdigit() else None
    return None
