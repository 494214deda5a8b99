"""The addresses of login: /login, /login/callback, /logout, and in the demo the development identity provider's."""

from __future__ import annotations

import logging
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from service.api.problems import ApiProblem
from service.login.authentication import RETRY_AFTER, refuse_cross_site
from service.login.development import LARGEST_BODY, DevelopmentIdentity
from service.login.login import LOGIN_LIFE, Login, LoginFailed
from service.login.pages import button, form, headers, language, link, page, words
from service.login.settings import DEVELOPMENT_PATH, is_loopback
from service.words import Lang

#: Logins that one browser may have under way; of more, all are given up.
MOST_BEGUN = 8

_log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)


@router.get("/login")
def begin(request: Request) -> Response:
    """Send the browser to the identity provider."""
    login: Login = request.app.state.login
    asked = request.query_params.getlist("next")
    if _is_elsewhere(request, login):
        again = urlencode({"next": asked[0]}) if asked else ""
        return _moved(f"{login.public_url}/login?{again}")
    try:
        begun, there = login.begin(asked[0] if asked else None)
    except LoginFailed as error:
        return _failed(request, error)
    answer = _moved(there)
    waiting = _begun(request, login)
    for name in waiting if len(waiting) >= MOST_BEGUN else ():
        _forget(answer, login, name)
    life = int(LOGIN_LIFE.total_seconds())
    _remember(answer, login, login.login_cookie(begun.state), begun.cookie, life)
    return answer


@router.get("/login/callback")
def finish(request: Request) -> Response:
    """Take the identity provider's answer and begin a session."""
    login: Login = request.app.state.login
    try:
        done = login.finish(request.query_params.multi_items(), request.cookies)
    except LoginFailed as error:
        answer = _failed(request, error)
    else:
        _log.info("login done")
        answer = _moved(done.next)
        _remember(answer, login, login.session_cookie, done.session_id)
    name = login.login_cookie(request.query_params.get("state", ""))
    if name in request.cookies:  # one answer is all a login gets
        _forget(answer, login, name)
    return answer


@router.get("/logout")
def ask_to_log_out(request: Request) -> Response:
    """A page with the button that logs out, or one that says it is done. (A mere link must not log anyone out.)"""
    login: Login = request.app.state.login
    lang = language(request.headers.get("Accept-Language"))
    if login.session_cookie not in request.cookies:
        body = page(
            lang, words(lang, "logout", "done"), words(lang, "logout", "done_about"), link("/login", _again(lang))
        )
        return HTMLResponse(body, headers=headers())
    asked = form("/logout", {}, [button(words(lang, "logout", "button"))])
    body = page(lang, words(lang, "logout", "ask"), words(lang, "logout", "ask_about"), asked)
    # Browsers hold the policy against where the form is sent on to as well.
    there = urlsplit(login.logout_address())
    return HTMLResponse(body, headers=headers(f"{there.scheme}://{there.netloc}"))


@router.post("/logout")
def log_out(request: Request) -> Response:
    """End the session here, then at the identity provider. Raises ApiProblem when another site asks."""
    login: Login = request.app.state.login
    session_id = request.cookies.get(login.session_cookie)
    if session_id is None:
        return _moved("/logout")
    refuse_cross_site(request, login.public_url)
    login.sessions.end(session_id)
    answer = _moved(login.logout_address())
    _forget(answer, login, login.session_cookie)
    return answer


def development_router(identity: DevelopmentIdentity) -> APIRouter:
    """The addresses of the demo's identity provider."""
    found = APIRouter(prefix=DEVELOPMENT_PATH, include_in_schema=False)

    @found.api_route("/{path:path}", methods=["GET", "POST"])
    async def answer(request: Request, path: str) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST_BODY:
                raise ApiProblem("too-large")
        told = identity.answer(
            request.method,
            f"/{path}",
            request.url.query,
            body.decode("utf-8", "replace"),
            request.headers.get("Accept-Language"),
        )
        return Response(told.body, told.status, told.headers)

    return found


def _is_elsewhere(request: Request, login: Login) -> bool:
    """Whether the browser calls this machine by another name than the service does (localhost, 127.0.0.1): its cookies
    would not come back. Of other hosts nothing is concluded; a proxy may have changed the name on the way."""
    here, there = request.url.netloc, urlsplit(login.public_url)
    name = urlsplit(f"//{here}").hostname or ""
    return here != there.netloc and is_loopback(name) and is_loopback(there.hostname or "")


def _moved(address: str) -> Response:
    return RedirectResponse(address, 303, headers=headers())


def _failed(request: Request, error: LoginFailed) -> Response:
    """What a login that came to nothing shows: a page to a person, a problem to a program."""
    log = _log.error if error.slug == "login-unavailable" else _log.warning
    log("login failed", extra={"reason": str(error)})
    retry = {"Retry-After": RETRY_AFTER} if error.slug == "login-unavailable" else {}
    problem = ApiProblem(error.slug, headers=retry)
    if "text/html" not in request.headers.get("Accept", ""):
        return problem.response()
    lang = language(request.headers.get("Accept-Language"))
    body = page(lang, words(lang, "login", "failed"), words(lang, "login", error.slug), link("/login", _again(lang)))
    return HTMLResponse(body, problem.type.status, {**headers(), **retry})


def _again(lang: Lang) -> str:
    return words(lang, "login", "again")


def _begun(request: Request, login: Login) -> list[str]:
    """The cookies of logins that this browser has begun."""
    return [name for name in request.cookies if name.startswith(login.login_cookie(""))]


def _remember(answer: Response, login: Login, name: str, value: str, seconds: int | None = None) -> None:
    # Lax, not Strict: the way back from the identity provider begins at another site.
    answer.set_cookie(name, value, seconds, path="/", secure=login.secure, httponly=True, samesite="lax")


def _forget(answer: Response, login: Login, name: str) -> None:
    answer.delete_cookie(name, path="/", secure=login.secure, httponly=True, samesite="lax")
