"""A real browser, and a real `polku serve --demo` for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.driving import MISSING, Person, browsing, chromium, log_in, person
from tests.service.serving import Served, served

Someone = Callable[..., AbstractContextManager[Person]]


# Of a module, not of the session: a browser that is driven keeps an event loop running in this thread, and the tests
# of other modules run loops of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip(MISSING)
    with browsing() as opened:
        yield opened


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo, for every test of this process. Whoever records takes a client of their own."""
    # The tests ask oftener than any person.
    with served(tmp_path_factory.mktemp("demo"), "--demo", env=MANY) as started:
        yield started


MANY = {"POLKU_REQUESTS_PER_MINUTE": "100000", "POLKU_LOGINS_PER_MINUTE": "100000"}


@pytest.fixture(scope="module")
def logins(browser: Browser, demo: Served) -> Callable[[str], dict[str, Any]]:
    """The cookies of a user who has logged in once."""
    known: dict[str, dict[str, Any]] = {}

    def of(user: str) -> dict[str, Any]:
        if user not in known:
            with person(browser, demo.address, None) as someone:
                log_in(someone, user)
                known[user] = dict(someone.context.storage_state())
        return known[user]

    return of


@pytest.fixture
def someone(browser: Browser, demo: Served, logins: Callable[[str], dict[str, Any]]) -> Someone:
    """Opens a browser as a user of the demo: `with someone("aino", lang="sv", size=NARROW) as aino:`; as nobody, who
    has not logged in: None."""

    def opened(user: str | None, **options: Any) -> AbstractContextManager[Person]:
        state = None if user is None else logins(user)
        return partial(person, browser, demo.address, user, state=state)(**options)

    return opened
