"""A client's journal as a page tells it: by day, the newest first, corrections struck through but there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from typing import Any

from rules.journal import ENTRY_TYPES
from rules.pack import Pack
from service.access.policy import may_void
from service.web.clients import OpenClient
from service.web.entry_words import EntryWords, Line, entry_title
from service.words import Words

ON_A_PAGE = 60
#: Fields that every entry has: that they are hidden is told once for all.
_OF_ALL = frozenset({"note", "by", "recorded_at", "date", "type", "id"})
CORRECTION = "correction"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """Another entry: its id, and what it is called."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Written:
    """One entry: who recorded it by role, when, what it says, what is hidden of it, and what became of it."""

    id: str
    type: str
    name: str
    by: str | None
    recorded_at: str | None
    lines: tuple[Line, ...]
    note: str | None
    hidden: tuple[str, ...]
    voided_by: Link | None
    voids: Link | None
    correctable: bool
    ahead: bool


@dataclass(frozen=True, slots=True)
class Day:
    """The entries of one day, the newest first."""

    day: date
    entries: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class Journal:
    """A page of a journal. `types` are those that may be asked for, `of` how many entries that is."""

    days: tuple[Day, ...]
    types: tuple[str, ...]
    of: int
    number: int
    pages: int
    notes_hidden: bool
    types_hidden: tuple[str, ...]


def journal_of(
    client: OpenClient,
    pack: Pack,
    words: Words,
    today: date,
    wanted: str = "",
    *,
    limit: int = ON_A_PAGE,
    number: int = 1,
) -> Journal:
    """The entries that may be seen, of one type or (left out) of all: a page of at most `limit`, by its number from
    1."""
    entries: list[Json] = client.document["entries"]
    present = {str(entry["type"]) for entry in entries}
    found = [entry for entry in _newest_first(entries) if wanted in ("", entry["type"])]
    pages = max(-(-len(found) // limit), 1)
    number = min(max(number, 1), pages)
    shown = found[(number - 1) * limit : number * limit]
    telling = _Telling(client, pack, words, today)
    return Journal(
        tuple(
            Day(date.fromisoformat(day), tuple(telling.entry(entry) for entry in of_day))
            for day, of_day in groupby(shown, key=lambda entry: str(entry["date"]))
        ),
        tuple(type_ for type_ in ENTRY_TYPES if type_ in present),
        len(found),
        number,
        pages,
        any("note" in hidden for hidden in client.document["withheld"]["entries"].values()),
        tuple(client.document["withheld"]["types"]),
    )


def _newest_first(entries: Sequence[Json]) -> list[Json]:
    order = sorted(enumerate(entries), key=lambda item: (str(item[1]["date"]), item[0]), reverse=True)
    return [entry for _, entry in order]


class _Telling:
    """Tells the entries of one client."""

    def __init__(self, client: OpenClient, pack: Pack, words: Words, today: date) -> None:
        self.client, self.words, self.today = client, words, today
        titles = {rule.id: words.of(rule.title) for rule in pack.editions[-1].rules}
        self.told = EntryWords(words, lambda rule: titles.get(rule, rule))
        self.entries = client.entries
        self.voided = voided_by(client.document["entries"], today)
        self.hidden: dict[str, list[str]] = client.document["withheld"]["entries"]

    def entry(self, entry: Json) -> Written:
        name = str(entry["id"])
        hidden = [self.told.field(field) for field in self.hidden.get(name, ()) if field not in _OF_ALL]
        voider = self.voided.get(name)
        return Written(
            id=name,
            type=entry["type"],
            name=self.words("entry_types", entry["type"]),
            by=entry.get("by"),
            recorded_at=entry.get("recorded_at"),
            lines=tuple(self.told.lines(entry)),
            note=entry.get("note"),
            hidden=tuple(hidden),
            voided_by=None if voider is None else self._link(voider),
            voids=self._link(entry["voids"]) if entry.get("voids") in self.entries else None,
            correctable=voider is None and self._may_correct(name),
            ahead=date.fromisoformat(entry["date"]) > self.today,
        )

    def _may_correct(self, name: str) -> bool:
        client = self.client
        return client.may_record(CORRECTION) and may_void(client.sight.role, client.relation, client.case, name)

    def _link(self, name: str) -> Link:
        return Link(name, entry_title(self.words, self.entries[name]))


def voided_by(entries: Iterable[Json], today: date) -> dict[str, str]:
    """By entry that no longer counts, the correction that voids it. One that is voided itself, or dated ahead, voids
    nothing."""
    corrections: dict[str, list[str]] = {}
    for entry in entries:
        if entry["type"] == CORRECTION and entry["date"] <= today.isoformat():
            corrections.setdefault(str(entry["voids"]), []).append(str(entry["id"]))

    @cache
    def voider(name: str) -> str | None:
        # Journals whose corrections void each other in a circle are refused, so this ends.
        return next((one for one in corrections.get(name, ()) if voider(one) is None), None)

    return {name: by for name in corrections if (by := voider(name)) is not None}
