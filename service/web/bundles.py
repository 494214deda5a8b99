"""Bundles: what often happens together, asked in one form and recorded as one list (bundles.yaml)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.entries import ENTRY_TYPES
from service.recording.advice import carried_out_by
from service.web.clients import OpenClient
from service.web.fields import Field, fields_of
from service.web.forms import Form, Part
from service.words import Words

Charts = Mapping[str, str | None]
_WORDS = frozenset({"type", "ask", "set", "optional", "checked", "only_if", "needs", "main", "title"})
#: What is recorded from where it stands: an advice, an entry of the journal.
FROM_ELSEWHERE = frozenset({"advice_set_aside", "correction"})


@dataclass(frozen=True, slots=True)
class Member:
    """An entry of a bundle, and the states of charts that it needs."""

    part: Part
    needs: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What often happens together. `title` and `when` are texts by language."""

    id: str
    title: Mapping[str, str]
    when: Mapping[str, str]
    shared: tuple[Field, ...]
    members: tuple[Member, ...]

    @property
    def main(self) -> Part:
        """The entry that it is about."""
        return next(member.part for member in self.members if member.part.main)

    def open_to(self, client: OpenClient) -> bool:
        """Whether who asks may record what it is about."""
        return all(client.may_record(member.part.type) for member in self.members if not member.part.optional)

    def of_others(self, client: OpenClient) -> list[Part]:
        """What belongs to it and is others' to record."""
        return [member.part for member in self.members if not client.may_record(member.part.type)]

    def form(self, client: OpenClient, charts: Charts) -> Form:
        """The bundle as a form for this client: without what is not theirs to record or cannot be as things stand."""
        parts = [member.part for member in self.members if client.may_record(member.part.type)]
        fit = [member.part for member in self.members if _fits(member.needs, charts)]
        return Form(self.id, tuple(part for part in parts if part in fit), self.shared)


@cache
def bundles() -> Mapping[str, Bundle]:
    """Every bundle by its id. Raises ValueError when bundles.yaml cannot be meant."""
    return {name: _bundle(name, one) for name, one in _content()["bundles"].items()}


@cache
def themes() -> Mapping[str, tuple[str, ...]]:
    """Every entry type by what it is about. Raises ValueError when one is missing or stands there twice."""
    found = {name: tuple(types) for name, types in _content()["themes"].items()}
    named = [type_ for types in found.values() for type_ in types]
    if sorted(named) != sorted(ENTRY_TYPES):
        raise ValueError("bundles.yaml: themes must name every entry type once")
    return found


@cache
def _content() -> Mapping[str, Any]:
    text = (Path(__file__).parent / "bundles.yaml").read_text(encoding="utf-8")
    content: Mapping[str, Any] = yaml.safe_load(text)
    return content


def _bundle(name: str, one: Mapping[str, Any]) -> Bundle:
    if name in ENTRY_TYPES:
        raise ValueError(f"bundle {name}: an entry type has that name")
    entries = one["entries"]
    main = next((at for at, entry in enumerate(entries) if entry.get("main")), 0)
    names = one.get("shared", [])
    by_name = {field.name: field for field in fields_of(entries[main]["type"])}
    shared = tuple(by_name[field] for field in names)
    members = tuple(_member(name, at, entry, shared, main=at == main) for at, entry in enumerate(entries))
    return Bundle(name, one["title"], one["when"], shared, members)


def _member(name: str, at: int, entry: Mapping[str, Any], shared: Sequence[Field], *, main: bool) -> Member:
    known = {field.name: field for field in fields_of(entry["type"])}
    own_shared = tuple(field for field in shared if field.name in known)
    named = [field.name for field in own_shared]
    asked = [field for field in ("date", *entry.get("ask", ())) if field not in named]
    preset = entry.get("set", {})
    required = {field.name for field in known.values() if field.required}
    missing = required - {*asked, *named, *preset} | ({*asked, *preset} - known.keys()) | (entry.keys() - _WORDS)
    if missing or (main and entry.get("optional")):
        raise ValueError(
            f"bundle {name}, {entry['type']}: {', '.join(sorted(missing)) or 'the main entry is optional'}"
        )
    condition = next(iter(entry.get("only_if", {}).items()), None)
    part = Part(
        key=f"e{at}",
        type=entry["type"],
        asked=tuple(known[field] for field in asked),
        preset=preset,
        shared=own_shared,
        optional=bool(entry.get("optional")),
        checked=bool(entry.get("checked")),
        only_if=condition,
        main=main,
        title=entry.get("title"),
    )
    return Member(part, entry.get("needs", {}))


def _fits(needs: Mapping[str, Sequence[str]], charts: Charts) -> bool:
    """Whether the charts are as needed; one whose state is not known may be."""
    return all(charts.get(chart) is None or charts[chart] in states for chart, states in needs.items())


# --- what carries out an advice ---


def forms_for(action: str, client: OpenClient) -> list[str]:
    """The forms that carry out an advised action and are open to who asks, the usual one first: the bundles about an
    entry type, or its own form where there is none."""
    types = [type_ for type_ in carried_out_by()[action] if client.may_record(type_) and type_ not in FROM_ELSEWHERE]
    about = {name: bundle.main.type for name, bundle in bundles().items() if bundle.open_to(client)}
    return [form for type_ in types for form in [name for name, main in about.items() if main == type_] or [type_]]


def title_of(form: str, words: Words) -> str:
    """What the form of a bundle or of an entry type is called."""
    return words.of(bundles()[form].title) if form in bundles() else words("entry_types", form)
