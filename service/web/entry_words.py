"""An entry of the journal in words: its fields by name, with their values as a reader reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.texts import catalogue as core_texts
from service.web.formats import Formats
from service.words import Words, catalogue, sentence

#: What a page tells of an entry in its own places.
_TOLD_APART = frozenset({"id", "type", "date", "by", "recorded_at", "note", "voids"})
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
#: Fields in people's own words, or holding names: never taken for codes.
_PLAIN = frozenset({"worker", "organisation", "parties", "provider", "employer", "occupation", "goals"})
_ROLES = frozenset({"role", "participants", "by"})
#: Entry types in which a field holds what was written rather than a code.
_WRITTEN = frozenset(
    {
        ("need_assessed", "outcome"),
        ("service_decision", "reason"),
        ("job_ended", "reason"),
        ("social_worker_retention_decided", "reason"),
        ("advice_set_aside", "reason"),
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """A field in words: what it is called, and what it holds (several lines for a list or an inner part)."""

    label: str
    values: tuple[str, ...]


def entry_title(words: Words, entry: Mapping[str, Any]) -> str:
    """What an entry is called where it stands alone: its type and its day."""
    day = words.day(date.fromisoformat(str(entry["date"])))
    return words("record", "entry_and_day", entry=words("entry_types", entry["type"]), day=day)


class EntryWords:
    """The words of entries in one language; `rule` tells the title of a rule by its id."""

    def __init__(self, words: Words, rule: Callable[[str], str]) -> None:
        self.words = words
        self._fmt = Formats(words.lang)
        self._rule = rule

    def lines(self, entry: Mapping[str, Any]) -> list[Line]:
        """The entry's own fields, in the order they are written; those every entry has stand apart."""
        return [
            Line(sentence(self.field(name)), tuple(self._told(str(entry["type"]), name, value)))
            for name, value in entry.items()
            if name not in _TOLD_APART
        ]

    def field(self, name: str) -> str:
        """What a field is called."""
        return self.words("fields", name)

    def _told(self, type_: str, name: str, value: Any) -> Iterator[str]:
        if name == "answers":
            items = self._items()
            yield from (
                f"{items.get(item, item)} – {self.words('values', 'answers', said)}" for item, said in value.items()
            )
        elif isinstance(value, Mapping):
            yield from (
                f"{sentence(self.field(inner))}: {self._value(name, inner, told)}" for inner, told in value.items()
            )
        elif isinstance(value, list):
            yield ", ".join(self._value(type_, name, item) for item in value)
        else:
            yield self._value(type_, name, value)

    def _items(self) -> dict[str, str]:
        """The points of the checklist, by their ids."""
        groups = core_texts()["readiness"]["groups"].values()
        return {item: text[self.words.lang] for group in groups for item, text in group["items"].items()}

    def _value(self, type_: str, name: str, value: Any) -> str:
        if isinstance(value, bool):
            return self.words("values", "yes_no", "yes" if value else "no")
        if isinstance(value, (int, float)):
            return self._fmt.number(value)
        text = str(value)
        if (type_, name) in _WRITTEN or name in _PLAIN:
            return text
        if name == "rule":
            return self._rule(text)
        if name in _ROLES:
            return self.words("roles", text)
        if _DAY.fullmatch(text):
            return self._fmt.day(date.fromisoformat(text))
        return self._coded(name, text)

    def _coded(self, name: str, code: str) -> str:
        values = catalogue()["values"]
        for section in (name, "yes_no"):
            if code in values.get(section, ()):
                return self.words("values", section, code)
        return code
