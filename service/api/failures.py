"""What becomes of an exception: a problem of a known type, never a traceback and never a client's data.

The table `_KNOWN` is the only place where an exception of another part meets HTTP. Whatever is not in it is a fault
of our own: the reader is told so, the log gets its kind and place, and neither gets what the exception says, which
may be a client's data.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rules.engines import EngineError
from rules.journal import JournalError
from rules.reading import Problem
from service.api.bodies import mistakes
from service.api.etags import etag
from service.api.problems import ApiProblem, mistake
from service.checking import CheckRunning, NoSuchCheck, TooManyChecks
from service.operations.metrics import ENGINE_DIFFERENCES
from service.reading import Gone, NothingThere, NotOpen
from service.recording.errors import (
    CaseExists,
    CaseGone,
    CaseNotFound,
    KeyReused,
    NotAllowed,
    PreconditionFailed,
    Refused,
)
from service.rights import errors as rights
from service.store import StoreUnavailable

#: After how many seconds a request that met a database in trouble may be repeated.
RETRY_AFTER = "5"
_log = logging.getLogger(__name__)

Told = Callable[[Any], ApiProblem]


def _of_http(error: HTTPException) -> ApiProblem:
    """What the framework itself refuses."""
    slug = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}.get(error.status_code, "invalid-request")
    return ApiProblem(slug, headers=error.headers)


def _of_parameters(error: RequestValidationError) -> ApiProblem:
    """Mistakes in path, query and headers."""
    told = []
    for item in mistakes(error.errors()):
        found = "missing" if item.expected == "a value" else item.found
        told.append(Problem(item.place, None, found, item.expected, item.hint or _hint(item)))
    return ApiProblem("invalid-request", problems=told)


def _hint(item: Problem) -> str | None:
    if item.place == "query.known_at" and " " in item.found:
        return "in an address a + must be written %2B"
    return None


def _of_engines(error: EngineError) -> ApiProblem:
    """Two engines differed, or one failed: an alarm, without what the error says: it holds facts."""
    ENGINE_DIFFERENCES.inc()
    _log.error("engines differ", extra={"error": type(error).__name__})
    return ApiProblem("undetermined")


def _of_store(error: StoreUnavailable) -> ApiProblem:
    _log.error("store unavailable", extra={"reason": error.reason})
    return ApiProblem("unavailable", headers={"Retry-After": RETRY_AFTER})


def _of_recording(error: NotAllowed) -> ApiProblem:
    types = list(dict.fromkeys(item.found for item in error.problems))
    return ApiProblem("not-allowed", problems=error.problems, entry_types=types)


def _of_version(error: PreconditionFailed) -> ApiProblem:
    return ApiProblem("precondition-failed", version=error.current, headers={"ETag": etag(error.current)})


_KNOWN: dict[type[Exception], Told] = {
    ApiProblem: lambda error: error,
    HTTPException: _of_http,
    RequestValidationError: _of_parameters,
    JournalError: lambda error: ApiProblem("invalid-request", problems=error.problems),
    EngineError: _of_engines,
    StoreUnavailable: _of_store,
    NothingThere: lambda error: ApiProblem("not-found"),
    NotOpen: lambda error: ApiProblem("not-allowed", f"Your role may not see this: {error.view}."),
    Gone: lambda error: ApiProblem("gone"),
    rights.NotOpen: lambda error: ApiProblem("not-allowed", "Your role may not do this for this client."),
    rights.Needless: lambda error: ApiProblem("nothing-to-do"),
    rights.Gone: lambda error: ApiProblem("gone"),
    rights.WrongReason: lambda error: mistake("reason", "no such reason", str(error)),
    CheckRunning: lambda error: ApiProblem("check-running", check=error.check),
    TooManyChecks: lambda error: ApiProblem("overloaded", headers={"Retry-After": "60"}),
    NoSuchCheck: lambda error: ApiProblem("not-found"),
    CaseNotFound: lambda error: ApiProblem("not-found"),
    CaseGone: lambda error: ApiProblem("gone"),
    CaseExists: lambda error: ApiProblem("case-exists"),
    NotAllowed: _of_recording,
    Refused: lambda error: ApiProblem("invalid-request", problems=error.problems),
    PreconditionFailed: _of_version,
    KeyReused: lambda error: ApiProblem("key-reused"),
}


def problem_of(error: Exception) -> ApiProblem | None:
    """The problem that a known exception is; None for a fault of our own."""
    told = next((_KNOWN[kind] for kind in type(error).__mro__ if kind in _KNOWN), None)
    return told(error) if told is not None else None


def install(app: FastAPI) -> None:
    """Have every known exception answered as its problem."""

    def handler(told: Told) -> Callable[[Request, Exception], Response]:
        async def answer(request: Request, error: Exception) -> Response:
            return told(error).response(instance_of(request.scope))

        return answer  # type: ignore[return-value]  # Starlette awaits it

    for kind, told in _KNOWN.items():
        app.add_exception_handler(kind, handler(told))


def instance_of(scope: Scope) -> str | None:
    """The URI of this very request, by which its lines in the log are found."""
    found = scope.get("state", {}).get("request_id")
    return f"urn:uuid:{found}" if found else None


class NothingUnexpected:
    """Turns a fault of our own into the problem `internal`, before the framework's own handler would print it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on; answer in place of what fails."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except ClientDisconnect:
            return
        except Exception as error:
            _log.error("internal fault", extra={"error": type(error).__name__, "place": place(error)})
            if not started:
                await ApiProblem("internal").response(instance_of(scope))(scope, receive, send)


def place(error: BaseException) -> str:
    """Where an exception arose, in our code and at its deepest, without anything it says."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in (*ours[-1:], *frames[-1:])]
    return " ".join(dict.fromkeys(places))
