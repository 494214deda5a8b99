"""The outermost layer of the service: gives each request an id, logs, counts and times it."""

from __future__ import annotations

import logging
import time
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.operations.logs import current_request
from service.operations.metrics import REQUEST_SECONDS, REQUESTS, REQUESTS_RUNNING

#: Asked every few seconds by machines: counted, and logged only when they break. That a service is no longer ready is
#: logged once, where it is found (service/operations/health.py).
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
UNKNOWN_ROUTE = "(none)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "OTHER"
#: A client that went away before its answer was begun, as proxies count it.
CLIENT_GONE = 499
_log = logging.getLogger(__name__)


class Observing:
    """ASGI middleware. The request's id is always ours (one sent along could hold anything) and goes back as
    `X-Request-Id`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note what became of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request
        token = current_request.set(request)
        started, status = time.perf_counter(), CLIENT_GONE

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", request.encode())]}
            await send(message)

        REQUESTS_RUNNING.inc()
        try:
            await self.app(scope, receive, send_noted)
        except Exception:
            status = 500
            raise
        finally:
            REQUESTS_RUNNING.dec()
            _note(scope, status, time.perf_counter() - started)
            current_request.reset(token)


def _note(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
    # As its router knows it: a prefix belongs to the router, for one given at inclusion would be missing here.
    route = getattr(scope.get("route"), "path", UNKNOWN_ROUTE)
    REQUESTS.labels(method, route, str(status)).inc()
    REQUEST_SECONDS.labels(method, route).observe(seconds)
    if route in QUIET and status != 500:
        return
    level = logging.ERROR if status >= 500 else logging.INFO
    noted = {"method": method, "route": route, "status": status, "milliseconds": round(seconds * 1000, 1)}
    _log.log(level, "request", extra=noted)
