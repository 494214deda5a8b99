"""Taking a new client."""

from __future__ import annotations

import re
from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response

from service.api.lanes import in_lane
from service.api.problems import ApiProblem
from service.recording.errors import CaseExists, KeyReused
from service.store import StoreUnavailable
from service.web.asking import Asked, Page
from service.web.forms import YES, Mistake
from service.web.newcomers import (
    WORKS_WITH_CLIENTS,
    may_choose,
    may_take,
    mistakes_in,
    newcomer,
    newcomer_form,
    open_case,
)
from service.web.recording import KEY, new_key, try_again
from service.web.rendering import render, see_other
from service.web.routing import pages
from service.web.typed import Submitted, Typed
from service.web.widgets import Drawing

router = pages()
MINE = "mine"
_KEY_TEXT = re.compile(r"[0-9A-Za-z_-]{20,60}")


@router.get("/clients/new")
@in_lane("reading")
def ask_newcomer(request: Request, page: Asked) -> Response:
    """The form for a new client."""
    _allow(page)
    return _drawn(page, Typed([(MINE, YES)]), new_key(), 200)


@router.post("/clients/new")
@in_lane("recording")
def take_newcomer(request: Request, page: Asked, typed: Submitted) -> Response:
    """Open a case and keep who the client is."""
    _allow(page)
    form, key = newcomer_form(), typed.one(KEY)
    known = form.names() | {KEY, MINE}
    if not _KEY_TEXT.fullmatch(key) or any(name not in known or typed.times(name) > 1 for name in typed):
        raise ApiProblem("invalid-request")
    said = newcomer(form, typed)
    mistakes = mistakes_in(form, said, typed)
    if mistakes:
        return _drawn(page, typed, key, 422, mistakes)
    try:
        made = open_case(page, said, key, mine=_mine(page, typed))
    except (KeyReused, CaseExists):
        return _drawn(page, typed, new_key(), 409, sent_before=True)
    except StoreUnavailable:
        return try_again(page, typed)
    return see_other(f"/clients/{quote(made.record['case'], safe='')}?recorded={made.record['id']}")


def _allow(page: Page) -> None:
    if not may_take(page.principal):
        raise ApiProblem("not-allowed")


def _mine(page: Page, typed: Typed) -> bool:
    if may_choose(page.principal):
        return typed.one(MINE) == YES
    return page.principal.role in WORKS_WITH_CLIENTS


def _drawn(
    page: Page, typed: Typed, key: str, status: int, mistakes: list[Mistake] | None = None, *, sent_before: bool = False
) -> Response:
    drawing = Drawing(newcomer_form(), typed, page.words, mistakes or [])
    return render(
        page,
        "recording/new.html",
        status,
        drawing=drawing,
        mistakes=drawing.mistakes,
        key=key,
        mine=typed.one(MINE) == YES,
        may_choose=may_choose(page.principal),
        always=page.principal.role in WORKS_WITH_CLIENTS,
        sent_before=sent_before,
    )
