"""The words that explain a copy for the client: what each code and field in it means, fi, sv and en."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from rules.facts import FACTS
from rules.pack import Pack
from rules.texts import catalogue as core_catalogue
from service.words import catalogue

Text: TypeAlias = Mapping[str, str]
Data: TypeAlias = Mapping[str, Any]

_FILE = Path(__file__).parent / "texts.yaml"
#: Fields of entries that hold roles, and whose words are therefore those of roles.
_ROLE_FIELDS = ("by", "role", "participants")
_YES_NO = ("yes", "no", "unknown")


@cache
def texts() -> dict[str, Any]:
    """The texts of copies: section (-> key) -> language -> text."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, Any] = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (a safe loader)
    return content


def words_for(
    entries: Iterable[Mapping[str, Any]], decisions: Iterable[Mapping[str, Any]], pack: Pack
) -> dict[str, Any]:
    """The words for what occurs in these entries and decision records; none for what does not occur.

    Rules are told by their titles in `pack`, facts by their labels; one a later pack has dropped keeps its bare id.
    """
    found = _Found()
    for entry in entries:
        found.entry(entry)
    for decision in decisions:
        found.decision(decision)
    return found.words(pack)


class _Found:
    """The codes met so far."""

    def __init__(self) -> None:
        self._types: set[str] = set()
        self._fields: set[str] = set()
        self._values: set[tuple[str, str]] = set()
        self._roles: set[str] = set()
        self._rules: set[str] = set()
        self._facts: set[str] = set()
        self._outcomes: set[str] = set()
        self._actions: set[str] = set()

    def entry(self, entry: Data) -> None:
        self._types.add(entry["type"])
        self._of_fields(entry)

    def _of_fields(self, fields: Data) -> None:
        for name, value in fields.items():
            self._fields.add(name)
            if isinstance(value, Mapping) and name != "answers":
                self._of_fields(value)
                continue
            items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
            for item in items:
                if isinstance(item, str):
                    self._value(name, item)

    def _value(self, field: str, value: str) -> None:
        if field in _ROLE_FIELDS:
            self._roles.add(value)
        elif value in catalogue()["values"].get(field, ()):
            self._values.add((field, value))
        elif value in _YES_NO:
            self._values.add(("yes_no", value))

    def decision(self, decision: Data) -> None:
        self._roles.add(decision["recorded_by"]["role"])
        for judgement in decision["judgements"]:
            for subject in judgement["subjects"]:
                self._facts.update(subject["facts"])
            for finding in judgement["findings"] or ():
                self._rules.add(finding["rule"])
                self._outcomes.add(finding["outcome"])
        for advice in decision["advice"]:
            self._actions.add(advice["action"])
            self._roles.add(advice["role"])

    def words(self, pack: Pack) -> dict[str, Any]:
        """The words of everything met, by kind and code, in alphabetical order."""
        words = catalogue()
        rules = {rule.id: rule.title for rule in pack.editions[-1].rules}
        values: dict[str, dict[str, Text]] = {}
        for field, value in sorted(self._values):
            values.setdefault(field, {})[value] = words["values"][field][value]
        return {
            "parts": texts()["parts"],
            "log": texts()["log"],
            "entry_types": _chosen(words["entry_types"], self._types),
            "fields": _chosen(words["fields"], self._fields),
            "values": values,
            "roles": _chosen(words["roles"] | texts()["roles"], self._roles),
            "rules": _chosen(rules, self._rules),
            "outcomes": _chosen(words["outcomes"], self._outcomes),
            "actions": _chosen(core_catalogue()["actions"], self._actions),
            "facts": _chosen({name: fact.labels for name, fact in FACTS.items()}, self._facts),
        }


def _chosen(words: Mapping[str, Text], codes: Iterable[str]) -> dict[str, dict[str, str]]:
    return {code: dict(words[code]) for code in sorted(codes) if code in words}
