"""Every page and every state of a page is open to everybody: axe finds nothing against it, and nothing of it is cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import APIRouter
from playwright.sync_api import Browser

from rules.assessment import Assessor
from rules.engines import EngineError
from rules.entries import ENTRY_TYPES
from service.recording.recorder import Recorder
from service.rights.disposal import dispose
from service.rights.retention import retention
from service.store import StoreUnavailable
from service.web.bundles import bundles
from service.web.routes import ROUTERS
from service.web.routing import PageRoute
from tests.browser.alone import Alone, alone
from tests.browser.conftest import Someone
from tests.browser.driving import NARROW, Person, person
from tests.browser.places import CHECKS, FORM_OF, PLACES, SAVE, Place
from tests.service.polku import LANGUAGES
from tests.service.rights.planting import plant

#: What shows no page of its own: it leads elsewhere, or gives a file.
NO_PAGES = {
    "/": "leads to the role's first page",
    "/decisions/{decision}/replay": "leads to the decision",
    "/clients/{case_id}/chain": "leads to the decisions",
    "/clients/export.xlsx": "a file",
    "/clients/export.csv": "a file",
    "/clients/{case_id}/reads.csv": "a file",
    "/clients/{case_id}/summary.pdf": "a file",
    "/checks/{check}/export.xlsx": "a file",
    "/checks/{check}/export.csv": "a file",
}


def nothing_in_the_way(someone: Person, lang: str) -> None:
    """The page as it stands, wide and then narrow: in one language axe looks at both."""
    found = {"wide": someone.barriers(), "cut, wide": someone.cut()}
    someone.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    found |= {"narrow": someone.barriers() if lang == "fi" else [], "cut, narrow": someone.cut()}
    assert {where: what for where, what in found.items() if what} == {}
    assert someone.page.locator("html").get_attribute("lang") == lang


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_has_no_barrier_and_nothing_is_cut(someone: Someone, place: Place, lang: str) -> None:
    with someone(place.user, lang=lang) as reader:
        place.reach(reader)
        nothing_in_the_way(reader, lang)


# One browser page for all of them: each is a form of the same parts.
@pytest.mark.parametrize("some", [0, 1, 2, 3])
def test_the_form_of_every_entry_type_and_every_bundle_has_no_barrier(someone: Someone, some: int) -> None:
    names = [*ENTRY_TYPES, *bundles()][some::4]
    for user, client in dict.fromkeys(FORM_OF.get(name, FORM_OF[""]) for name in names):
        with someone(user) as worker:
            for name in names:
                if FORM_OF.get(name, FORM_OF[""]) == (user, client):
                    assert worker.open(f"/clients/{client}/record/{name}").status == 200, name
                    worker.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
                    assert (name, worker.barriers(), worker.cut()) == (name, [], [])


@pytest.mark.soak
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
@pytest.mark.parametrize("lang", ["sv", "en"])
def test_a_narrow_page_has_no_barrier_in_the_other_languages(someone: Someone, place: Place, lang: str) -> None:
    with someone(place.user, lang=lang, size=NARROW) as reader:
        place.reach(reader)
        assert (reader.barriers(), reader.cut()) == ([], [])


@pytest.mark.soak
@pytest.mark.parametrize("lang", ["sv", "en"])
@pytest.mark.parametrize("name", [*ENTRY_TYPES, *bundles()])
def test_a_form_has_no_barrier_in_the_other_languages(someone: Someone, name: str, lang: str) -> None:
    user, client = FORM_OF.get(name, FORM_OF[""])
    with someone(user, lang=lang) as worker:
        assert worker.open(f"/clients/{client}/record/{name}").status == 200
        nothing_in_the_way(worker, lang)
        worker.page.locator(SAVE).first.click() if worker.page.locator(SAVE).count() else None
        nothing_in_the_way(worker, lang)


# --- no page is forgotten ---


def _routes() -> list[PageRoute]:
    routers: tuple[APIRouter, ...] = ROUTERS
    return [route for router in routers for route in router.routes if isinstance(route, PageRoute)]


def _route_of(path: str) -> str | None:
    asked = path.partition("?")[0]
    return next((route.path for route in _routes() if "GET" in route.methods and route.path_regex.match(asked)), None)


def test_every_page_is_among_the_places_that_are_looked_at(someone: Someone) -> None:
    looked_at = {_route_of(place.way) for place in PLACES if isinstance(place.way, str)}
    for place in PLACES:
        if not isinstance(place.way, str) and place.user is not None and place.status == 200:
            with someone(place.user) as reader:
                place.reach(reader)
                looked_at.add(_route_of(reader.page.url.removeprefix(reader.address)))
    every = {route.path for route in _routes() if "GET" in route.methods}
    assert every - looked_at - NO_PAGES.keys() == set()
    assert NO_PAGES.keys() - every == set(), "what is left out is there"


def test_what_is_no_page_is_left_out_for_a_reason(someone: Someone) -> None:
    with someone("tarmo") as auditor:
        next(place for place in CHECKS if place.name == "a check by client").reach(auditor)
        check = auditor.page.url.rpartition("/")[2]
        for path in NO_PAGES:
            address = auditor.address + path.format(case_id="sirpa-path", decision="0" * 32, check=check)
            answer = auditor.context.request.get(address, max_redirects=0)
            assert answer.status in (303, 403) or not answer.headers["content-type"].startswith("text/html"), path


# --- what is empty, gone, or does not work just now ---


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """A service that keeps no client."""
    with alone(tmp_path_factory.mktemp("alone")) as started:
        yield started


Anybody = Any


@pytest.fixture
def anybody(browser: Browser, empty: Alone) -> Anybody:
    """Opens a browser as a user of the empty service."""

    def opened(user: str, **options: Any) -> AbstractContextManager[Person]:
        return person(browser, empty.address, user, **options)

    return opened


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("aino", "/clients"),
        ("aino", "/clients/calendar"),
        ("martta", "/team"),
        ("martta", "/team/acknowledged"),
        ("tarmo", "/audit"),
        ("tarmo", "/audit/decisions"),
        ("tarmo", "/audit/acknowledged"),
    ],
)
def test_an_empty_page_has_no_barrier(anybody: Anybody, user: str, path: str, lang: str) -> None:
    with anybody(user, lang=lang) as reader:
        assert reader.open(path).status == 200
        nothing_in_the_way(reader, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_client_who_was_disposed_of_is_told_of_without_a_barrier(empty: Alone, anybody: Anybody, lang: str) -> None:
    now = datetime.now(UTC)
    with empty.database.write(empty.region) as unit:
        plant(unit, f"gone-{lang}", datetime(2016, 5, 10, tzinfo=UTC), closed_on="2016-05-10")
    dispose(empty.database, empty.region, now.date(), now, decided_by="archivist", periods=retention())
    with anybody("tarmo", lang=lang) as auditor:
        assert auditor.open(f"/clients/gone-{lang}").status == 410
        nothing_in_the_way(auditor, lang)


def _taken(worker: Person) -> str:
    """A client who was just taken; where their page is."""
    worker.open("/clients/new")
    worker.page.locator("form.record input[type=text]").first.fill("Taimi Tuore")
    worker.page.locator(".buttons button").first.click()
    return worker.page.url.removeprefix(worker.address).partition("?")[0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_client_just_taken_has_no_barrier_on_any_page(anybody: Anybody, lang: str) -> None:
    with anybody("aino", lang=lang) as worker:
        client = _taken(worker)
        nothing_in_the_way(worker, lang)
        for part in ("/timeline", "/journal", "/talk-sheet", "/decisions", "/advice", "/reads", "/summary"):
            assert worker.open(client + part).status == 200
            assert (part, worker.barriers(), worker.cut()) == (part, [], [])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_client_for_whom_nothing_can_be_told_has_no_barrier(
    anybody: Anybody, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    def fails(*given: object, **named: object) -> None:
        raise EngineError("the engines differ")

    with anybody("aino", lang=lang) as worker:
        client = _taken(worker)
        monkeypatch.setattr(Assessor, "assess", fails)
        assert worker.open(client).status == 200
        assert worker.page.locator(".notice--alert").count()
        nothing_in_the_way(worker, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_cannot_be_recorded_just_now_has_no_barrier(
    anybody: Anybody, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    def fails(*given: object, **named: object) -> None:
        raise StoreUnavailable("full")

    with anybody("aino", lang=lang) as worker:
        worker.open(f"{_taken(worker)}/record/coaching_info_given")
        monkeypatch.setattr(Recorder, "record", fails)
        worker.page.locator(SAVE).click()
        assert worker.page.locator("main textarea[hidden]").count(), "what was typed is kept"
        nothing_in_the_way(worker, lang)
        assert [fault for fault in worker.faults if not fault.startswith(("503:", "console:"))] == []
        worker.faults.clear()
