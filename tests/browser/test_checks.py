"""A check in a real browser: it is followed to its end by itself, and without JavaScript by loading the page again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.alone import Alone, alone
from tests.browser.driving import NARROW, person
from tests.browser.places import START_CHECK
from tests.service.api.waiting import held_up


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """A service with the clients of the demo."""
    with alone(tmp_path_factory.mktemp("checks"), filled=True) as started:
        yield started


@pytest.mark.parametrize("javascript", [True, False])
def test_a_check_is_followed_to_its_end(
    browser: Browser, filled: Alone, monkeypatch: pytest.MonkeyPatch, javascript: bool
) -> None:
    go_on = held_up(monkeypatch)
    with person(browser, filled.address, "martta", javascript=javascript) as martta:
        martta.open("/checks")
        martta.page.locator(START_CHECK).click()
        expect(martta.page.locator("progress")).to_be_visible()
        if javascript:
            assert martta.barriers() == []
            martta.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
            assert martta.cut() == []
        go_on.set()
        if not javascript:
            for _ in range(60):
                if not martta.page.locator("progress").count():
                    break
                martta.page.locator("#check a").click()
                martta.page.wait_for_timeout(250)
        expect(martta.page.locator("#check .figures")).to_be_visible()
        expect(martta.page.locator("progress")).to_have_count(0)


def test_results_are_narrowed_without_loading_the_page_again(browser: Browser, filled: Alone, tmp_path: Path) -> None:
    with person(browser, filled.address, "martta") as martta:
        martta.open("/checks")
        martta.page.locator(START_CHECK).click()
        expect(martta.page.locator("#check .figures")).to_be_visible()
        before = martta.page.locator("table.checked th[scope=rowgroup]").count()
        martta.page.locator("#severity").select_option("obligation")
        expect(martta.page).to_have_url(re.compile("severity=obligation"))
        expect(martta.page.locator("#severity")).to_have_value("obligation")
        assert 0 < martta.page.locator("table.checked th[scope=rowgroup]").count() <= before
        with martta.page.expect_download() as taken:
            martta.page.locator("summary", has_text="tiedostoon").click()
            martta.page.locator("a[href*='export.xlsx']").click()
        taken.value.save_as(tmp_path / "check.xlsx")
        assert (tmp_path / "check.xlsx").read_bytes()[:2] == b"PK"
