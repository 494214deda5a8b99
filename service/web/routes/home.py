"""The way in, and the two choices that go with every page: language and role."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request
from starlette.responses import Response

from service.login.authentication import refuse_cross_site
from service.login.login import Login
from service.login.pages import LANGUAGES
from service.web.asking import LANG_COOKIE, ROLE_COOKIE, Asked
from service.web.navigation import first_page
from service.web.rendering import see_other
from service.web.routing import pages

router = pages()
#: How long a browser remembers a language, seconds.
REMEMBERED = 365 * 24 * 3600


@router.get("/")
def home(page: Asked) -> Response:
    """The role's own first page."""
    return see_other(first_page(page))


@router.post("/language")
def choose_language(request: Request, lang: Annotated[str, Form()], back: Annotated[str, Form()] = "/") -> Response:
    """Remember the language and go back. (Nobody need be logged in.)"""
    refuse_cross_site(request, _login(request).public_url)
    answer = see_other(own_path(back))
    if lang in LANGUAGES:
        _remember(answer, request, LANG_COOKIE, lang, REMEMBERED)
    return answer


@router.post("/role")
def choose_role(page: Asked, role: Annotated[str, Form()]) -> Response:
    """Act in another role from now on, and begin at its first page."""
    answer = see_other("/")
    if role in page.principal.roles:
        _remember(answer, page.request, ROLE_COOKIE, role, None)
    return answer


def own_path(path: str) -> str:
    """The path, when it is one of ours; else the beginning. (`//host` and `/\\host` lead elsewhere.)"""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours else "/"


def _remember(answer: Response, request: Request, name: str, value: str, seconds: int | None) -> None:
    answer.set_cookie(name, value, seconds, path="/", secure=_login(request).secure, httponly=True, samesite="lax")


def _login(request: Request) -> Login:
    login: Login = request.app.state.login
    return login
