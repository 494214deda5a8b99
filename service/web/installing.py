"""The pages put into the application: their routes, their files, and pages for addresses that are nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.api.failures import instance_of, problem_of
from service.api.problems import ApiProblem
from service.web.rendering import STATIC
from service.web.routes import ROUTERS
from service.web.routing import problem_page

#: Paths of programs: what goes wrong there is a problem in JSON, whatever the Accept header.
OF_PROGRAMS = ("/v1", "/openapi.json", "/problems", "/healthz", "/readyz", "/metrics", "/static")
#: A file is asked for by its digest, so what a browser has of it holds for good.
FOR_GOOD = "public, max-age=31536000, immutable"


class _Files(StaticFiles):
    """Files of ours, which hold nothing of anyone."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, and how long a browser may keep it."""
        answer = super().file_response(full_path, stat_result, scope, status_code)
        answer.headers["Cache-Control"] = FOR_GOOD if scope["query_string"].startswith(b"v=") else "no-cache"
        return answer


def install_pages(app: FastAPI) -> None:
    """Give the application its pages."""
    app.mount("/static", _Files(directory=STATIC), name="static")
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(HTTPException, _of_people(_problem))  # type: ignore[arg-type]


def _problem(error: HTTPException) -> ApiProblem:
    return problem_of(error) or ApiProblem("internal")


def _of_people(told: Callable[[HTTPException], ApiProblem]) -> Callable[[Request, HTTPException], Response]:
    def answer(request: Request, error: HTTPException) -> Response:
        problem, path = told(error), request.url.path
        if path.startswith(OF_PROGRAMS) or "text/html" not in request.headers.get("Accept", ""):
            return problem.response(instance_of(request.scope))
        return problem_page(request, problem)

    return answer
