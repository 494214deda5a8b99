"""The words of the pages: complete in three languages, all of them used, and none missing."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.words import Words, catalogue, pages_catalogue

WEB = Path(__file__).parents[3] / "service" / "web"
LANGUAGES = {"fi", "sv", "en"}
#: t("section", "key"), words("section", "key", ...): sections and keys that stand there in so many letters.
CALL = re.compile(r"""\b(?:t|words|self\.words|page\.words|_words|_t)\(\s*["'](\w+)["']\s*,\s*["']([\w-]+)["']""")
SECTION = re.compile(r"""\b(?:t|words|self\.words|page\.words|_words|_t|pages_catalogue\(\))[\(\[]\s*["'](\w+)["']""")


def texts(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Every text with its path; forms for one and many count apart."""
    if isinstance(node, dict) and any(isinstance(value, str) for value in node.values()):
        yield path, node
    elif isinstance(node, dict):
        for key, inner in node.items():
            yield from texts(inner, (*path, str(key)))
    else:
        raise AssertionError(f"{path}: {node!r} is no text in three languages")


ALL = list(texts(pages_catalogue()))


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted((*WEB.rglob("*.html"), *WEB.rglob("*.py"))):
        yield str(path.relative_to(WEB)), path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "text"), ALL, ids=[".".join(path) for path, _ in ALL])
def test_every_text_is_there_in_fi_sv_and_en_with_the_same_places(path: tuple[str, ...], text: dict[str, str]) -> None:
    assert set(text) == LANGUAGES
    assert all(isinstance(value, str) and value.strip() == value and value for value in text.values()), text
    places = {
        lang: sorted({name for _, name, _, _ in string.Formatter().parse(value) if name})
        for lang, value in text.items()
    }
    assert places["fi"] == places["sv"] == places["en"]


def test_every_text_that_a_page_asks_for_is_there() -> None:
    known = pages_catalogue() | catalogue()
    missing = []
    for name, source in sources():
        for section, key in CALL.findall(source):
            if section not in known or key not in known[section]:
                missing.append(f"{name}: {section}.{key}")
    assert missing == []


def test_no_section_of_the_catalogue_is_unused() -> None:
    used = {section for _, source in sources() for section in SECTION.findall(source)}
    assert sorted(pages_catalogue().keys() - used) == []


def test_no_text_is_unused_where_keys_are_written_out() -> None:
    """A section whose keys are all asked for by name has none that nobody asks for."""
    everything = "\n".join(source for _, source in sources())
    computed = {
        section
        for section in pages_catalogue()
        if re.search(rf"""["']{section}["']\s*,\s*(?!["'])\S""", everything)
        or re.search(rf"""catalogue\(\)\[["']{section}["']\]""", everything)
    }
    unused = [
        f"{section}.{key}"
        for section, keys in pages_catalogue().items()
        if section not in computed
        for key in keys
        if not re.search(rf"""["']{re.escape(str(key))}["']""", everything)
    ]
    assert unused == []


def test_forms_for_one_and_for_many_are_chosen_by_the_count() -> None:
    found = [(path, text) for path, text in ALL if path[-1] in ("one", "many")]
    for path, _ in found:
        for lang in ("fi", "sv", "en"):
            Words(lang)(*path[:-1], **_all_places(path, lang))  # type: ignore[arg-type]


def _all_places(path: tuple[str, ...], lang: str) -> dict[str, Any]:
    text = next(text for found, text in ALL if found == path)[lang]
    places = {name: "x" for _, name, _, _ in string.Formatter().parse(text) if name}
    return {**places, "count": 1 if path[-1] == "one" else 2}
