"""Looks at pages as their readers get them: HTML, taken apart by a real parser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
from bs4 import BeautifulSoup, Tag

from tests.service.api.asking import Client


@dataclass(frozen=True)
class Seen:
    """An answer to a browser."""

    answer: httpx.Response

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def html(self) -> BeautifulSoup:
        return BeautifulSoup(self.answer.text, "html.parser")

    @property
    def text(self) -> str:
        """What a reader reads, on one line."""
        return " ".join(self.html.get_text(" ").split())

    def all(self, selector: str) -> list[Tag]:
        return list(self.html.select(selector))

    def one(self, selector: str) -> Tag:
        found = self.all(selector)
        assert len(found) == 1, f"{selector}: {len(found)} found in {self.text[:500]}"
        return found[0]


def look(client: Client, path: str, *, lang: str = "fi", **headers: str) -> Seen:
    """The page at an address, in a language."""
    shown = {"Accept": "text/html", "Accept-Language": lang, **headers}
    return Seen(client.request("GET", path, checked=False, headers=shown))


def send(client: Client, path: str, form: dict[str, Any], *, lang: str = "fi") -> Seen:
    """What comes of sending a form; redirects are not followed."""
    shown = {"Accept": "text/html", "Accept-Language": lang, "Origin": "http://127.0.0.1:8000"}
    return Seen(client.request("POST", path, checked=False, headers=shown, data=form))
