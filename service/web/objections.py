"""What speaks against a recording, in plain words: which rules, why, and which entries would settle it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.entries import ENTRY_TYPES
from rules.pack import Pack
from service.access.tables import recording_table
from service.access.withholding import PATH_INCONSISTENT, withhold_breaks, withhold_findings
from service.recording.advice import carried_out_by
from service.recording.errors import NeedsAcknowledgement
from service.web.asking import Page
from service.web.assessed import source_titles
from service.web.bundles import FROM_ELSEWHERE
from service.web.clients import OpenClient
from service.web.entry_words import entry_title
from service.web.forms import Form
from service.words import Words

#: Entries that can be recorded together with what a form is about; more would bury it.
MOST_BESIDE = 5


@dataclass(frozen=True, slots=True)
class Settling:
    """An entry that would settle it: asked in the same form (`here`), or another role's to record (`roles`)."""

    type: str
    name: str
    here: bool
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Objection:
    """A rule that speaks against it. Of a withheld one only the title is told."""

    rule: str
    title: str
    withheld: bool
    text: str = ""
    caution: str = ""
    source: str = ""
    settled_by: tuple[Settling, ...] = ()


@dataclass(frozen=True, slots=True)
class OddEntry:
    """An entry that no longer fits the path: one of the journal with its id, or (None) one of this form."""

    id: str | None
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Objections:
    """All that speaks against a recording, and the rules to be acknowledged."""

    rules: tuple[str, ...]
    told: tuple[Objection, ...]
    odd: tuple[OddEntry, ...]


def objections(page: Page, client: OpenClient, form: Form, error: NeedsAcknowledgement) -> Objections:
    """What the guards said of the form's entries, as far as it may be seen."""
    pack, words = page.polku.assessor.pack, page.words
    findings = withhold_findings(error.findings, client.sight, pack, words.lang, own_step=True)
    told = {str(item["rule"]): _objection(item, client, form, pack, words) for item in findings}
    breaks = ({"entry": item.entry, "reason": item.reason, "day": item.day} for item in error.breaks)
    odd = [_odd(item, client, words) for item in withhold_breaks(breaks, client.sight, pack)]
    titles = {rule.id: words.of(rule.title) for rule in pack.editions[-1].rules}
    for rule in error.rules:
        told.setdefault(rule, Objection(rule, titles.get(rule, rule), withheld=rule != PATH_INCONSISTENT))
    return Objections(error.rules, tuple(told[rule] for rule in error.rules), tuple(odd))


def _objection(item: Mapping[str, Any], client: OpenClient, form: Form, pack: Pack, words: Words) -> Objection:
    rule, title = str(item["rule"]), str(item["title"])
    if item.get("withheld"):
        return Objection(rule, title, withheld=True)
    source = f"{words('authorities', item['authority'])}: {source_titles(pack, item['source'])}"
    settled = () if rule == PATH_INCONSISTENT else _settled_by(str(item["action"]), client, form, words)
    return Objection(rule, title, False, str(item["text"]), str(item["caution"] or ""), source, settled)


def _settled_by(action: str, client: OpenClient, form: Form, words: Words) -> tuple[Settling, ...]:
    in_form = {part.type for part in form.parts}
    beside = frozenset(carried_out_by()[action]) - {form.main.type} - FROM_ELSEWHERE
    return tuple(
        Settling(type_, words("entry_types", type_), here=type_ in in_form, roles=_who_else(type_, client))
        for type_ in ENTRY_TYPES
        if type_ in beside
    )


def _who_else(entry_type: str, client: OpenClient) -> tuple[str, ...]:
    """Who records entries of the type; nobody else need be asked where it is one's own to record."""
    return () if client.may_record(entry_type) else tuple(recording_table().types[entry_type])


def _odd(item: Mapping[str, Any], client: OpenClient, words: Words) -> OddEntry:
    entry = client.entries.get(str(item["entry"]))
    why = words("inconsistent", str(item["reason"]))
    if entry is None:
        return OddEntry(None, words("record", "this_entry"), why)
    return OddEntry(str(entry["id"]), entry_title(words, entry), why)
