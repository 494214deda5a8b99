"""Drives Debian's Chromium through Polku's pages, as a person would, and looks hard while it does.

Whatever page is opened by a `Person`: a request to another machine, an error in the browser's console (a breach of the
Content-Security-Policy is one), a dialog and an answer of 500 or above fail the test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Response, expect, sync_playwright

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
#: What the tests hold pages to: WCAG 2.2 at A and AA, and what axe's authors recommend besides.
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 375, "height": 812}
MISSING = "no Chromium: install it (Debian, Ubuntu: apt-get install chromium) or name yours in POLKU_CHROMIUM"
#: Milliseconds to wait for what a page shows or does: machines that test are busy.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)
#: Nothing of its own over the network: no updates, no first-run pages.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """Where the browser is, if there is one."""
    named = os.environ.get("POLKU_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Person:
    """Someone at a browser. `faults` are what no page may do."""

    context: BrowserContext
    page: Page
    address: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Response:
        """Go to an address of Polku's."""
        answer = self.page.goto(self.address + path)
        assert answer is not None
        assert answer.status < 500, (path, answer.status)
        return answer

    def press(self, name: str, *, role: Any = "button", exact: bool = False) -> None:
        """Press a button or follow a link by its name."""
        self.page.get_by_role(role, name=name, exact=exact).first.click()
        self.page.wait_for_load_state()

    def heading(self) -> str:
        """The page's one main heading."""
        headings = self.page.locator("h1")
        assert headings.count() == 1, f"{headings.count()} main headings at {self.page.url}"
        return headings.first.inner_text()

    def text(self) -> str:
        """What stands on the page."""
        return " ".join(self.page.locator("main").inner_text().split())

    def cut(self) -> list[str]:
        """What sticks out of the page sideways, where the page itself would have to be scrolled."""
        return list(
            self.page.evaluate(
                """() => {
                  const wide = document.documentElement.clientWidth + 1, found = [];
                  if (document.documentElement.scrollWidth <= wide) return found;
                  for (const one of document.body.querySelectorAll('*')) {
                    const box = one.getBoundingClientRect();
                    if (box.width && box.right > wide) {
                      found.push(one.tagName + '.' + one.className + ' ' + Math.round(box.right));
                    }
                  }
                  return found.slice(0, 8);
                }"""
            )
        )

    def barriers(self) -> list[str]:
        """What axe finds against the page as it stands: rule, why, and where."""
        self.page.evaluate(_axe())
        found = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", AXE_RULES
        )
        return [
            f"{one['id']}: {one['help']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


@contextmanager
def person(
    browser: Browser,
    address: str,
    user: str | None,
    *,
    lang: str = "fi",
    size: dict[str, int] | None = None,
    javascript: bool = True,
    state: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[Person]:
    """A person at a browser of their own: logged in through the login pages, unless `state` remembers a login."""
    locale = {"fi": "fi-FI", "sv": "sv-FI", "en": "en-GB"}[lang]
    context = browser.new_context(
        locale=locale,
        viewport=size or WIDE,  # type: ignore[arg-type]
        java_script_enabled=javascript,
        storage_state=state,  # type: ignore[arg-type]
        timezone_id="Europe/Helsinki",
        **options,
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    someone = Person(context, page, address)
    _watch(someone)
    if user is not None and state is None:
        log_in(someone, user)
    try:
        yield someone
        assert someone.faults == []
    finally:
        context.close()


def log_in(someone: Person, user: str) -> None:
    """Choose a user of the demo on its login page."""
    someone.open("/login")
    someone.page.locator(f'button[name="user"][value="{user}"]').click()
    someone.page.wait_for_load_state()


def _watch(someone: Person) -> None:
    page, faults = someone.page, someone.faults

    def asked(request: Any) -> None:
        if not request.url.startswith((someone.address, "data:", "about:", "blob:")):
            faults.append(f"asked another machine: {request.url}")

    def answered(response: Response) -> None:
        if response.status >= 500:
            faults.append(f"{response.status}: {response.url}")

    def said(message: Any) -> None:
        # A page that answers 4xx is written to the console as well; that is no fault of the page.
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            faults.append(f"console: {message.text} at {page.url}")

    page.on("request", asked)
    page.on("response", answered)
    page.on("console", said)

    def asked_back(dialog: Any) -> None:
        faults.append(f"dialog: {dialog.message} at {page.url}")
        dialog.dismiss()

    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("dialog", asked_back)
