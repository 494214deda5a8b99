"""Routes of pages: what goes wrong on them is told on a page, in the reader's language."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response

from service.api.failures import place, problem_of
from service.api.problems import ApiProblem
from service.web.asking import lang_of, page_of
from service.web.rendering import HEADERS, render, render_to_anyone
from service.words import pages_catalogue

_log = logging.getLogger(__name__)


class PageRoute(APIRoute):
    """A route whose failures are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own handler, with a page in place of whatever it raises."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except ClientDisconnect:
                raise
            except Exception as error:
                problem = problem_of(error)
                if problem is None:
                    _log.error("internal fault", extra={"error": type(error).__name__, "place": place(error)})
                    problem = ApiProblem("internal")
                if request.headers.get("HX-Request") == "true":
                    return _loaded_whole(request, problem)
                return problem_page(request, problem)

        return answer


def pages(prefix: str = "") -> APIRouter:
    """A router of pages."""
    return APIRouter(prefix=prefix, route_class=PageRoute, include_in_schema=False)


def _loaded_whole(request: Request, problem: ApiProblem) -> Response:
    """What went wrong with a part of a page: the browser asks for the whole page, which tells it, or leads to login."""
    path, asked = quote(request.url.path, safe="/%"), request.url.query
    headers = {**HEADERS, "HX-Redirect": f"{path}?{asked}" if asked else path}
    return Response(status_code=problem.type.status, headers=headers)


def problem_page(request: Request, problem: ApiProblem) -> Response:
    """A problem as a page; who is not logged in is sent to log in, and back to where they were."""
    slug = problem.type.slug
    if slug == "not-authenticated":
        return RedirectResponse(f"/login?{urlencode({'next': _left(request)})}", 303, headers=HEADERS)
    told = slug if slug in pages_catalogue()["problem_titles"] else "other"
    answer = _shown(request, problem.type.status, told)
    answer.headers.update({name: value for name, value in problem.headers.items() if name == "Retry-After"})
    return answer


def _left(request: Request) -> str:
    """The page someone was at: the one asked for, or the one of ours that a form was sent from."""
    if request.method == "GET":
        return _path(request.url.path, request.url.query)
    try:
        sent_from = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # no address at all
        return "/"
    return _path(sent_from.path, sent_from.query) if sent_from.netloc == request.url.netloc else "/"


def _path(path: str, query: str) -> str:
    return path + (f"?{query}" if query else "")


def _shown(request: Request, status: int, slug: str) -> Response:
    """The problem's page: to whoever was recognised within the frame of all pages, else in a bare one."""
    principal = getattr(request.state, "principal", None)
    if principal is None:
        return render_to_anyone(lang_of(request), "problem.html", status, slug=slug)
    return render(page_of(request, principal), "problem.html", status, slug=slug)
