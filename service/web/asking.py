"""Who asks for a page: the person by their session, the role they act in, the language they read.

A page is asked for by a browser that can set no headers, so role and language are kept in two cookies that hold
nothing else. Whoever is not logged in is sent to log in and comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Depends, Request

from service.access.policy import sees
from service.access.principal import Principal
from service.access.relations import RELATIONS
from service.api.context import Service
from service.login.authentication import recognise
from service.login.pages import LANGUAGES, language
from service.reading import Reader
from service.words import Lang, Words

ROLE_COOKIE = "polku_role"
LANG_COOKIE = "polku_lang"


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is asked for: by whom, in which role and language, on which day."""

    request: Request
    polku: Service
    reader: Reader
    words: Words
    today: date

    @property
    def lang(self) -> Lang:
        """The language of the page."""
        return self.words.lang

    @property
    def principal(self) -> Principal:
        """Who asks, in the role they act in."""
        return self.reader.principal

    def opens(self, view: str) -> bool:
        """Whether the role sees this part of a case in any relation: what it never sees needs no link."""
        return any(sees(self.principal.role, relation).opens(view) for relation in RELATIONS)


def asked(request: Request) -> Page:
    """The page asked for. Raises ApiProblem as `recognise` does, and over the user's limit; StoreUnavailable."""
    polku: Service = request.app.state.service
    principal = recognise(request, request.cookies.get(ROLE_COOKIE))
    polku.watch.users.check(principal.user)
    return page_of(request, principal)


def page_of(request: Request, principal: Principal) -> Page:
    """The page asked for by someone who is recognised."""
    polku: Service = request.app.state.service
    return Page(request, polku, Reader(principal), Words(lang_of(request)), polku.today())


def lang_of(request: Request) -> Lang:
    """The language chosen, else the browser's."""
    chosen = request.cookies.get(LANG_COOKIE)
    return next((lang for lang in LANGUAGES if lang == chosen), language(request.headers.get("Accept-Language")))


Asked = Annotated[Page, Depends(asked)]
