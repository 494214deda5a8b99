"""Answers of the API: JSON that nobody stores on the way, and the headers every answer carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Answers about clients: kept by no cache, and different for each reader.
OF_A_CLIENT = {"Cache-Control": "no-store", "Vary": "Authorization, Cookie, Polku-Role"}

#: On every answer that has not said otherwise (web pages bring their own policy).
_ALWAYS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def json_answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The data as JSON. A text that is no Unicode cannot be in it: readers refuse it on the way in."""
    return Response(to_json(data), status, dict(OF_A_CLIENT if headers is None else headers), "application/json")


class EveryAnswer:
    """Puts the headers that protect a reader on every answer, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on; mark the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, marked)
