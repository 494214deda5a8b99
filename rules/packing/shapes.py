"""The shapes a pack's YAML is made of, checked: each mistake is told with its place and what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from rules.pack import LANGUAGES

Data = dict[str, Any]

#: No parameter of the law or of local choice is larger; a larger number is a slip.
LARGEST_NUMBER = 10_000


class Mistakes:
    """Mistakes of a pack, collected so that a rule writer sees all of them at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, place: str, message: str) -> None:
        """Note one mistake."""
        self.found.append(f"{place}: {message}")

    def known(self, place: str, what: str, name: Any, names: Iterable[str]) -> bool:
        """Whether `name` is one of `names`; a mistake with the nearest name if not."""
        names = list(names)
        if isinstance(name, str) and name in names:
            return True
        near = get_close_matches(str(name), names, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(names[:12])}"
        self.add(place, f"unknown {what} {name!r}{hint}")
        return False


def mapping(mistakes: Mistakes, place: str, data: Any) -> Data:
    """Keys with values, else a mistake and none."""
    if isinstance(data, dict):
        return data
    mistakes.add(place, f"expected keys with values, found {type(data).__name__}")
    return {}


def items(mistakes: Mistakes, place: str, data: Any) -> list[Any]:
    """A list, else a mistake and none."""
    if isinstance(data, list):
        return data
    mistakes.add(place, f"expected a list, found {type(data).__name__}")
    return []


def word(value: Any) -> Any:
    """YAML readers make booleans of yes and no; a rule means the words."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def words(value: Any) -> list[Any]:
    """One word or a list of words, as a list."""
    return [word(item) for item in value] if isinstance(value, list) else [word(value)]


def day_of(mistakes: Mistakes, place: str, value: Any) -> date:
    """A day, else a mistake and the first day there is."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        mistakes.add(place, f"expected a day such as 2020-01-01, found {value!r}")
        return date.min


def texts(mistakes: Mistakes, place: str, data: Any) -> dict[str, str]:
    """A text in each language; one missing is a mistake."""
    texts = mapping(mistakes, place, data)
    for language in LANGUAGES if isinstance(data, dict) else ():
        if not isinstance(texts.get(language), str) or not texts[language].strip():
            mistakes.add(place, f"the text in {language} is missing")
    return {language: str(texts.get(language, "")).strip() for language in LANGUAGES}


def sources(mistakes: Mistakes, place: str, data: Any, named: Data) -> tuple[Mapping[str, str], ...]:
    """Citations of documents that the pack lists; none, or one not listed, is a mistake."""
    if not isinstance(data, list) or not data:
        mistakes.add(place, "a source is missing: [{document: …, section: …}]")
        return ()
    for item in data:
        if not isinstance(item, dict) or not {"document", "section"} >= item.keys() or "document" not in item:
            mistakes.add(place, f"expected {{document, section}}, found {item!r}")
        else:
            mistakes.known(place, "document of the pack's sources", str(item["document"]), map(str, named))
    return tuple({key: str(value) for key, value in item.items()} for item in data if isinstance(item, dict))
