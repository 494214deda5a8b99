"""The words of login stand in three languages, and its pages hold nothing that could act."""

import re
import string
from collections.abc import Iterator
from typing import Any

import pytest

from service.access.principal import ORGANISATION_KINDS
from service.login.pages import LANGUAGES, _catalogue, button, form, headers, language, link, page, words


def texts(content: dict[str, Any], place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    if set(content) & set(LANGUAGES):
        yield place, content
        return
    for key, inner in content.items():
        yield from texts(inner, (*place, key))


def test_every_text_is_there_in_three_languages() -> None:
    found = dict(texts(_catalogue()))
    assert len(found) > 20
    for place, text in found.items():
        assert set(text) == set(LANGUAGES), place
        assert all(words.strip() for words in text.values()), place
        assert all(name is None for words in text.values() for _, name, _, _ in string.Formatter().parse(words)), place


@pytest.mark.parametrize("slug", ["login-failed", "not-admitted", "login-unavailable"])
def test_whatever_goes_wrong_has_its_words(slug: str) -> None:
    for lang in LANGUAGES:
        assert words(lang, "login", slug)


def test_kinds_of_organisation_have_their_words() -> None:
    assert set(_catalogue()["organisation_kinds"]) == set(ORGANISATION_KINDS)


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        (None, "fi"),
        ("", "fi"),
        ("de", "fi"),
        ("sv", "sv"),
        ("sv-FI,sv;q=0.9", "sv"),
        ("de, en;q=0.8, fi", "en"),
        ("EN-gb", "en"),
        (";;;,,,", "fi"),
        ("x" * 10_000, "fi"),
    ],
)
def test_the_language_is_the_first_that_we_have(accepted: str | None, lang: str) -> None:
    assert language(accepted) == lang


def test_everything_is_escaped() -> None:
    nasty = "<b a='x' c=\"y\">&"
    made = page(
        "fi",
        nasty,
        nasty,
        link(nasty, nasty),
        form(nasty, {nasty: nasty}, [button(nasty, nasty, name=nasty, value=nasty)]),
    )
    assert "<b " not in made.replace("<button ", "").replace("<body>", "")
    assert "&lt;b a=&#x27;x&#x27; c=&quot;y&quot;&gt;&amp;" in made


def test_a_page_is_one_that_a_reader_of_screens_can_use() -> None:
    made = page("sv", "Titel", "Text")
    assert made.startswith("<!doctype html>")
    assert '<html lang="sv">' in made
    assert "<title>Titel – Polku</title>" in made
    assert made.count("<main>") == made.count("<h1>") == 1


def test_the_policy_lets_through_the_pages_own_style_and_nothing_else() -> None:
    import base64
    import hashlib

    style = re.search(r"<style>(.*?)</style>", page("fi", "a", "b"))
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = headers()["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy
    assert "form-action 'self';" in policy
    assert "form-action 'self' https://id.example.fi;" in headers("https://id.example.fi")["Content-Security-Policy"]
