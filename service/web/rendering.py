"""Pages out of templates: every text escaped, nothing inline, nothing of another machine, nothing kept on the way."""

from __future__ import annotations

from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from service.login.pages import LANGUAGES
from service.web.asking import Page
from service.web.formats import Formats
from service.web.navigation import navigation
from service.words import Lang, Words, pages_catalogue, sentence

HERE = Path(__file__).parent
STATIC = HERE / "static"
#: What a browser may do with a page of ours. Pictures in our style sheets are part of them (`data:`).
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    # Browsers send a form with the origin `null` where no address may be told to ourselves.
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie, Accept-Language",
}


def render(page: Page, template: str, status: int = 200, **context: Any) -> Response:
    """The page as HTML. `context` is what the template speaks of."""
    made = _environment().get_template(template).render(**_frame(page.words), **_user(page), **context)
    return HTMLResponse(made, status, HEADERS)


def render_to_anyone(lang: Lang, template: str, status: int, **context: Any) -> Response:
    """A page for someone who may be nobody: only its own words."""
    nobody: dict[str, Any] = {"page": None, "navigation": [], "roles": [], "address": "/"}
    made = _environment().get_template(template).render(**_frame(Words(lang)), **nobody, **context)
    return HTMLResponse(made, status, HEADERS)


def see_other(address: str) -> Response:
    """After something was done: the browser is sent on, so that loading again does not do it again. `address` is a path
    of ours."""
    return RedirectResponse(address, 303, headers=HEADERS)


def file(content: bytes | str, kind: str, name: str, *, shown: bool = False) -> Response:
    """A file to be saved, or `shown` in the browser. Its name tells nothing of a client: names of files get about."""
    how = "inline" if shown else "attachment"
    return Response(content, headers={**HEADERS, "Content-Disposition": f'{how}; filename="{name}"'}, media_type=kind)


def _frame(words: Words) -> dict[str, Any]:
    return {
        "t": words,
        "words": words,
        "lang": words.lang,
        "languages": LANGUAGES,
        "fmt": Formats(words.lang),
        "role_name": partial(role_name, words),
    }


def role_name(words: Words, role: str) -> str:
    """What a role is called, those beside client work too."""
    return words("roles_beside" if role in pages_catalogue()["roles_beside"] else "roles", role)


def _user(page: Page) -> dict[str, Any]:
    url = page.request.url
    return {
        "page": page,
        "navigation": navigation(page),
        "roles": page.principal.roles,
        "address": url.path + (f"?{url.query}" if url.query else ""),
    }


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = _static
    environment.globals["query"] = query
    environment.filters["sentence"] = sentence
    return environment


def query(**values: Any) -> str:
    """The query part of an address, without what is empty."""
    told = {name: value for name, value in values.items() if value not in (None, "", [])}
    return f"?{urlencode(told, doseq=True)}" if told else ""


@cache
def _static(name: str) -> str:
    """The address of a file of ours, with its content's digest: it may be kept until it changes."""
    digest = sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
