"""The rules of a pack as a book: by theme, with their worked cases, and what changed from when on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from rules.cases import THE_CASE, Check, WorkedCase, read_cases
from rules.cases import themes as themes_with_cases
from rules.journal import case_to_data
from rules.pack import DEFAULT_PACK, Pack, Parameter, Rule
from service.rule_parts import versions_on
from service.rules_diff import Difference, differences, shown
from service.web.entry_words import EntryWords, entry_title
from service.words import Words, sentence

#: A theme of rules that no file of the folder holds: a pack of another make.
OTHERS = "other"
_books: dict[str, Rulebook] = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rules are looked for; empty: all."""

    theme: str = ""
    severity: str = ""
    role: str = ""
    q: str = ""

    @property
    def anything(self) -> bool:
        """Whether anything is asked for."""
        return any((self.theme, self.severity, self.role, self.q.strip()))


@dataclass(frozen=True, slots=True)
class Said:
    """An entry of a worked case in words."""

    day: date
    what: str
    details: str


@dataclass(frozen=True, slots=True)
class Came:
    """What a rule came to in a worked case on a day, perhaps with a step proposed, of which entry if there are more."""

    day: date
    step: str | None
    entry: str | None
    outcome: str
    due: date | None


@dataclass(frozen=True, slots=True)
class Example:
    """A worked case of a rule: what was recorded, and what the rule came to when. `name` is a sentence in English."""

    name: str
    source: str | None
    said: tuple[Said, ...]
    came: tuple[Came, ...]

    @property
    def outcomes(self) -> tuple[str, ...]:
        """What the rule came to, each outcome once."""
        return tuple(dict.fromkeys(one.outcome for one in self.came))


class Rulebook:
    """The rules of one pack and the worked cases of the folder it was read from."""

    def __init__(self, pack: Pack, folder: Path) -> None:
        self.pack = pack
        self._folder = folder
        self._theme = _themes(pack, folder)
        self._cases = self._read_cases()

    def _read_cases(self) -> dict[str, list[WorkedCase]]:
        found: dict[str, list[WorkedCase]] = {}
        for theme in themes_with_cases(self._folder):
            for case in read_cases(self._folder, theme, self.pack):
                for rule in case.rules:
                    found.setdefault(rule, []).append(case)
        return found

    def theme(self, rule: str) -> str:
        """The theme of a rule."""
        return self._theme.get(rule, OTHERS)

    def by_theme(self, asked: Asked, day: date, words: Words) -> dict[str, list[Rule]]:
        """The rules asked for, each in the version of the day (else the newest), by theme in the pack's order."""
        found: dict[str, list[Rule]] = {}
        for rule_id in dict.fromkeys(rule.id for rule in self.pack.editions[-1].rules):
            rule, _ = versions_on(self.pack, rule_id, day)
            if self._is_asked(rule, asked, words):
                found.setdefault(self.theme(rule_id), []).append(rule)
        return found

    def _is_asked(self, rule: Rule, asked: Asked, words: Words) -> bool:
        wanted = asked.q.casefold().split()
        text = f"{rule.id} {words.of(rule.title)} {words.of(rule.text)}".casefold()
        return (
            asked.theme in ("", self.theme(rule.id))
            and asked.severity in ("", rule.severity)
            and asked.role in ("", rule.role)
            and all(word in text for word in wanted)
        )

    def examples(self, rule: str, words: Words) -> list[Example]:
        """The worked cases of a rule in words; those worked from a source first."""
        titles = {item.id: words.of(item.title) for item in self.pack.editions[-1].rules}
        told = EntryWords(words, lambda name: titles.get(name, name))
        cases = sorted(self._cases.get(rule, ()), key=lambda case: case.source is None)
        return [_example(case, rule, words, told) for case in cases]


def _themes(pack: Pack, folder: Path) -> dict[str, str]:
    """The theme of each rule, by the file it stands in."""
    found = {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for theme in pack.content["pack"]["themes"]:
        content = yaml.load((folder / f"{theme}.yaml").read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
        found.update({str(item["id"]): str(theme) for item in content})
    return found


def rulebook(pack: Pack) -> Rulebook:
    """The book of a pack that comes with Polku; made once, for its cases are many."""
    if pack.sha256 not in _books:
        _books[pack.sha256] = Rulebook(pack, DEFAULT_PACK)
    return _books[pack.sha256]


# --- worked cases ---


def _example(case: WorkedCase, rule: str, words: Words, told: EntryWords) -> Example:
    data = case_to_data(case.case)["entries"]
    names = {str(entry["id"]): entry_title(words, entry) for entry in data}
    several = any(len(by_subject) > 1 for check in case.checks for by_subject in (check.expect.get(rule, {}),))
    came = tuple(one for check in case.checks for one in _came(check, rule, names if several else {}, words))
    source = words.sources([case.source]) if case.source is not None else None
    return Example(case.name, source, tuple(_said(entry, words, told) for entry in data), came)


def _said(entry: Mapping[str, Any], words: Words, told: EntryWords) -> Said:
    lines = (f"{line.label.lower()}: {', '.join(line.values)}" for line in told.lines(entry))
    return Said(date.fromisoformat(entry["date"]), words("entry_types", entry["type"]), "; ".join(lines))


def _came(check: Check, rule: str, names: Mapping[str, str], words: Words) -> Iterator[Came]:
    due = check.due.get(rule, {})
    step = words("triggers", check.proposal.trigger) if check.proposal is not None else None
    for subject, outcome in check.expect.get(rule, {}).items():
        entry = names.get(subject) if subject not in (None, THE_CASE) else None
        yield Came(check.date, step, entry, str(outcome), due.get(subject, due.get(None)))


# --- what changed ---


@dataclass(frozen=True, slots=True)
class Turn:
    """A day on which rules or numbers change within a pack: rules that begin, rules that cease, numbers."""

    day: date
    begins: tuple[Rule, ...]
    #: Rules of which a new version begins that day.
    renewed: tuple[Rule, ...]
    #: Rules in force for the last time the day before.
    ceases: tuple[Rule, ...]
    numbers: tuple[tuple[Parameter, int | None, int], ...]


def turns(pack: Pack) -> list[Turn]:
    """The days on which something in the pack begins or ceases, the newest first."""
    rules = pack.editions[-1].rules
    return [_turn(day, rules, pack.parameters.values()) for day in reversed(pack.turning_days)]


def _turn(day: date, rules: Iterable[Rule], parameters: Iterable[Parameter]) -> Turn:
    rules = list(rules)
    before = date.fromordinal(day.toordinal() - 1)
    begin = [rule for rule in rules if rule.valid_from == day]
    earlier = {rule.id for rule in rules if rule.valid_from < day}
    again = {rule.id for rule in begin}
    return Turn(
        day,
        tuple(rule for rule in begin if rule.id not in earlier),
        tuple(rule for rule in begin if rule.id in earlier),
        tuple(rule for rule in rules if rule.valid_to == before and rule.id not in again),
        tuple(_numbers(day, parameters)),
    )


def _numbers(day: date, parameters: Iterable[Parameter]) -> Iterator[tuple[Parameter, int | None, int]]:
    for item in parameters:
        values = {value.valid_from: value.value for value in item.values}
        if day in values:
            earlier = [value.value for value in item.values if value.valid_from < day]
            yield item, (earlier[-1] if earlier else None), values[day]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that differs between two packs: a rule, number, deadline or source, and in which of its parts."""

    what: str
    name: str
    title: str
    #: added, removed or changed.
    how: str
    #: The parts that differ, as they are written: the part, before, after.
    parts: tuple[tuple[str, str, str], ...]


def changes(old: Pack, new: Pack, words: Words) -> list[Change]:
    """What differs between two packs, thing by thing; of texts, those in the reader's language."""
    found: dict[tuple[str, str], list[Difference]] = {}
    for item in differences(old, new):
        if item.key is None or not _of_another_language(item.key, words):
            found.setdefault((item.what, item.name), []).append(item)
    return [_change(what, name, items, old, new, words) for (what, name), items in found.items()]


def _of_another_language(key: str, words: Words) -> bool:
    first, _, last = key.rpartition(".")
    return last in ("fi", "sv", "en") and last != words.lang and first != ""


def _change(what: str, name: str, items: list[Difference], old: Pack, new: Pack, words: Words) -> Change:
    (first, *_) = items
    how = "changed" if first.key is not None else "added" if first.before is None else "removed"
    title = _title(what, name, new, words) or _title(what, name, old, words) or name
    parts = tuple((str(item.key), shown(item.before), shown(item.after)) for item in items if item.key is not None)
    return Change(what, name, title, how, parts)


def _title(what: str, name: str, pack: Pack, words: Words) -> str | None:
    if what == "rule":
        versions = pack.versions(name.split(" ")[0])
        return words.of(versions[-1].title) if versions else None
    if what == "parameter" and name in pack.parameters:
        return sentence(words.of(pack.parameters[name].labels))
    if what == "source" and name in pack.sources:
        return f"{name}: {pack.sources[name].get('title', '')}"
    return None
