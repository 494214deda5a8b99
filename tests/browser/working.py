"""A worker at the pages: finds a client, reads what is next, records. All by what stands there to be read.

What every page says ("Save") is taken from the catalogue; what a story is about is written out in it, in Finnish, and
said in the worker's own language (tests.browser.saying).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from playwright.sync_api import Locator, Page, expect

from rules.entries import LOCAL_TIME
from service.words import Lang, Words
from statemachines import labels
from tests.browser.driving import Person
from tests.browser.saying import said as in_words_of
from tests.service.serving import Served, token_of

#: What is answered to a question: a choice or a text; several; whether a part is recorded too; what is inside a part.
Said = str | Sequence[str] | bool | Mapping[str, Any]


def today() -> date:
    """Today in Finland."""
    return datetime.now(LOCAL_TIME).date()


def day(away: int) -> str:
    """The day so many days away from today, as a date field takes it."""
    return (today() + timedelta(days=away)).isoformat()


class Worker:
    """Someone who works with clients, at a browser, on the page they come to first."""

    def __init__(self, person: Person, lang: Lang = "fi") -> None:
        self.person = person
        self.words = Words(lang)
        person.open("/")

    @property
    def page(self) -> Page:
        """The page in front of them."""
        return self.person.page

    def said(self, finnish: Any) -> Any:
        """What a story says in Finnish, in this worker's language: a text, or all in a list or mapping."""
        return in_words_of(finnish, self.words.lang)

    # --- getting somewhere ---

    def follows(self, link: str, *, within: Locator | None = None) -> None:
        """Follow a link by what it says."""
        (within or self.page.locator("main")).get_by_role("link", name=link, exact=True).first.click()
        self.arrives()

    def presses(self, button: str) -> None:
        """Press a button by what it says."""
        self.page.locator("main").get_by_role("button", name=button, exact=True).click()
        self.arrives()

    def arrives(self) -> None:
        """Come to the next page, which is wide enough for what stands on it."""
        self.page.wait_for_load_state()
        assert self.person.cut() == [], self.page.url

    def goes_to(self, place: str) -> None:
        """Go to a part of the service by the main menu."""
        menu = self.page.get_by_role("navigation", name=self.words("common", "main_menu"))
        self.follows(self.said(place), within=menu)

    def takes_a_client(self, name: str, **answers: Said) -> None:
        """Take a new client, and come to their page."""
        self.goes_to(self.words("navigation", "clients"))
        self.follows(self.words("list", "new"))
        self.says({self.words("record_labels", "name"): name, **answers})
        self.presses(self.words("record", "new_save"))
        self.is_at(name)
        expect(self.page.get_by_role("status").filter(has_text=self.words("record", "taken"))).to_be_visible()

    def finds(self, name: str) -> None:
        """Find a client in the list and open their page."""
        self.goes_to(self.words("navigation", "clients"))
        self.page.get_by_label(self.words("list", "search"), exact=True).fill(name)
        self.presses(self.words("list", "show"))
        self.follows(name)
        self.is_at(name)

    def is_at(self, heading: str) -> None:
        """The page's heading says so."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    def looks_at(self, tab: str) -> None:
        """Open another of the client's pages."""
        self.follows(self.said(tab), within=self.page.get_by_role("navigation", name=self.words("client", "parts")))

    # --- reading ---

    @property
    def steps(self) -> Locator:
        """What is next, a list item each."""
        return self.page.get_by_role("region", name=self.words("page", "what_is_next")).locator("ol > li")

    def next(self) -> list[tuple[str, str]]:
        """What is next, and who does it."""
        who = f"{self.words('client_next', 'who')}: "
        mine = f" ({self.words('client_next', 'mine')})"
        return [
            (
                step.get_by_role("heading").inner_text(),
                step.get_by_role("paragraph").filter(has_text=who).inner_text().removeprefix(who).removesuffix(mine),
            )
            for step in self.steps.all()
        ]

    def is_in(self, stage: str) -> bool:
        """Whether the client is in this stage, by the picture of their path."""
        return self.stage() == f"{labels.DRAWING['title'][self.words.lang]}: {self.said(stage)}"

    def stage(self) -> str:
        """Where the client is, by the picture of their path."""
        picture = self.page.get_by_role("region", name=self.words("client_next", "place")).get_by_role("img")
        return str(picture.locator("title").first.text_content())

    def open_points(self) -> list[tuple[str, str]]:
        """What the rules find open, and how much it binds."""
        title = re.compile(f"^{re.escape(self.words('page', 'findings_open'))}")
        points = self.page.get_by_role("region", name=title).get_by_role("article").all()
        return [
            (
                point.get_by_role("heading").inner_text(),
                point.get_by_role("paragraph").first.inner_text().partition(" · ")[0],
            )
            for point in points
        ]

    # --- recording ---

    def opens_form(self, title: str) -> None:
        """From a client's page to a form, by choosing what happened."""
        self.follows(self.words("client", "record"))
        self.follows(self.said(title))
        self.is_at(self.said(title))

    def takes_up(self, step: str, answers: Mapping[str, Said], *, form: str) -> None:
        """From what is next straight to the form that records it; answer and save."""
        self._turns_to(step, self.words("client_next", "record"))
        self.is_at(self.said(form))
        self.says(answers)
        self.saves()
        self.is_told_it_is_saved()

    def sets_aside(self, step: str) -> None:
        """From what is next to the form that sets it aside."""
        self._turns_to(step, self.words("client_next", "set_aside"))
        self.is_at(self.words("record", "set_aside_title"))

    def _turns_to(self, step: str, way: str) -> None:
        found = self.steps.filter(has=self.page.get_by_role("heading", name=self.said(step), exact=True))
        # Who hears the page hears after it what the link is about.
        found.get_by_role("link", name=re.compile(rf"^{re.escape(way)}\b")).first.click()
        self.arrives()

    def says(self, answers: Mapping[str, Said], within: Locator | None = None) -> None:
        """Answer questions of a form."""
        for question, said in self.said(answers).items():
            self._answer(within or self.page.locator("main form.record"), question, said)

    def _answer(self, scope: Locator, question: str, said: Said) -> None:
        asked = re.compile(rf"^{re.escape(question)}( \({re.escape(self.words('record', 'must'))}\))?$")
        group = scope.get_by_role("group", name=asked)
        if group.count() == 0:
            _write(scope.get_by_label(asked), str(said))
        elif isinstance(said, bool | Mapping):
            self._part(group, said)
        else:
            self._choose(group, [said] if isinstance(said, str) else said)

    def _part(self, group: Locator, said: bool | Mapping[str, Any]) -> None:
        too = group.get_by_role("checkbox", name=self._record_too)
        if too.count():
            too.set_checked(bool(said))
        if isinstance(said, Mapping):
            self.says(said, group)

    @cached_property
    def _record_too(self) -> re.Pattern[str]:
        return re.compile("^" + re.escape(self.words("record", "with", entry="")))

    @staticmethod
    def _choose(group: Locator, said: Sequence[str]) -> None:
        lines = group.get_by_role("combobox").or_(group.get_by_role("textbox"))
        for at, one in enumerate(said):
            if lines.count():
                lines.nth(at).fill(one)
            else:
                group.get_by_label(one, exact=True).check()

    def saves(self) -> None:
        """Press the form's button."""
        self.presses(self.words("record", "save"))

    def records(self, form: str, answers: Mapping[str, Said]) -> None:
        """Choose what happened, answer, save; the page then says that it is saved."""
        self.opens_form(form)
        self.says(answers)
        self.saves()
        self.is_told_it_is_saved()

    def is_told_it_is_saved(self) -> None:
        """The client's page says so, and by no other sign."""
        saved = self.words("record", "recorded", entries="").rstrip(".").strip()
        expect(self.page.get_by_role("status").filter(has_text=saved)).to_be_visible()


def _write(field: Locator, text: str) -> None:
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(label=text)
    else:
        field.fill(text)


def kept(demo: Served, case: str, name: str, *entries: tuple[int, str, dict[str, Any]], by: str = "aino") -> None:
    """A client whose story begins further on: opened by a program, with entries of these days."""
    document = {
        "case": {"id": case, "municipality": "Lahti", "language": "fi"},
        "entries": [
            {"date": day(0), "type": "worker_assigned", "role": "social_worker", "worker": by},
            *({"date": day(away), "type": type_, **fields} for away, type_, fields in entries),
        ],
    }
    with demo.client() as client:
        headers = token_of(client, by)
        opened = client.post("/v1/cases", json=document, headers=headers)
        assert opened.status_code == 201, opened.text
        named = client.put(f"/v1/cases/{case}/identity", json={"name": name}, headers=headers)
        assert named.status_code < 300, named.text
