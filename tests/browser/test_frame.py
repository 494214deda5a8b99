"""The frame of the pages in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Someone
from tests.browser.driving import NARROW, WIDE, person
from tests.service.serving import Served


def test_a_person_logs_in_lands_on_their_first_page_and_logs_out(browser: Browser, demo: Served) -> None:
    with person(browser, demo.address, "aino") as aino:
        assert aino.page.url == f"{demo.address}/clients"
        aino.press("Kirjaudu ulos", role="link")
        aino.page.get_by_role("button").first.click()
        aino.page.wait_for_load_state()
        aino.open("/clients")
        assert "/clients" not in aino.page.url, "the session has ended"


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_page_that_is_not_there_has_no_barrier(someone: Someone, lang: str, size: dict[str, int]) -> None:
    with someone("aino", lang=lang, size=size) as aino:
        assert aino.open("/nowhere").status == 404
        assert (aino.barriers(), aino.cut()) == ([], [])


def test_the_language_is_chosen_on_the_page_and_stays(someone: Someone) -> None:
    with someone("aino", javascript=False) as aino:
        aino.open("/rules")
        aino.press("Svenska")
        assert (aino.page.locator("html").get_attribute("lang"), aino.page.url) == ("sv", f"{aino.address}/rules")
        aino.open("/rules")
        assert aino.page.locator("html").get_attribute("lang") == "sv"


def test_whoever_types_for_long_stays_logged_in(someone: Someone) -> None:
    with someone("aino") as aino:
        told: list[str] = []
        aino.page.clock.install()
        aino.open("/clients/new")
        aino.page.on("request", lambda asked: told.append(asked.url) if "/v1/" in asked.url else None)
        field = aino.page.locator("main form input[type=text]").first
        field.fill("A")
        assert told == []
        aino.page.clock.fast_forward("06:00")
        with aino.page.expect_response(f"{aino.address}/v1/me") as answer:
            field.fill("AB")
        assert answer.value.status == 200
        field.fill("ABC")
        assert told == [f"{aino.address}/v1/me"]
