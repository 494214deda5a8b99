"""A rule opened for one client: clause by clause with the values met, and what would change it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from rules.explain import Clause, Explanation
from rules.findings import caution_text
from rules.pack import Pack, Parameter, Rule
from service.explaining import ExplanationWords
from service.rule_parts import by_document, deciding, numbers_of
from service.web.clients import OpenClient
from service.web.entry_words import entry_title
from service.words import Words, sentence


@dataclass(frozen=True, slots=True)
class Condition:
    """A clause in words: what is asked, what was met, whether it holds; `depth` is how far it is set in."""

    depth: int
    asked: str
    met: str
    truth: str
    holds: str
    head: bool


@dataclass(frozen=True, slots=True)
class Part:
    """The clauses that belong together."""

    name: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """One finding opened: what it is about, what it came to, by which version, and what would change it."""

    about: str
    entry: str | None
    outcome: str
    judged_on: date
    valid_from: date
    valid_to: date | None
    caution: str | None
    parts: tuple[Part, ...]
    otherwise: str
    changes: tuple[str, ...]
    in_force: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A document a rule rests on, by its title, and where in it."""

    title: str
    document: str
    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number the rule rests on: what it is called, and each value with the day from which it holds."""

    name: str
    authority: str
    values: tuple[tuple[date, str], ...]


class Why:
    """A rule for one client, in one language."""

    def __init__(self, pack: Pack, client: OpenClient, words: Words) -> None:
        self.pack, self.client, self.words = pack, client, words
        self.told = ExplanationWords(pack, words)

    def opened(self, found: Iterable[Explanation]) -> list[Opened]:
        """Each explanation in words."""
        return [self._one(explanation) for explanation in found]

    def _one(self, found: Explanation) -> Opened:
        entry = self.client.entries.get(found.subject.entry or "")
        about = sentence(self.words("kinds", found.subject.kind))
        if entry is not None:
            about = entry_title(self.words, entry)
        _, rest = deciding(found.rule)
        return Opened(
            about=about,
            entry=entry["id"] if entry is not None else None,
            outcome=found.outcome,
            judged_on=found.judged_on,
            valid_from=found.rule.valid_from,
            valid_to=found.rule.valid_to,
            caution=caution_text(found.rule, found.as_of, self.words.lang),
            parts=tuple(
                Part(self.told.part(part).rstrip(":"), tuple(self._condition(clause) for clause in clauses))
                for part, clauses in groupby(found.clauses, key=lambda clause: clause.part)
            ),
            otherwise=self.words("rules", "otherwise", outcome=self.words("outcomes", rest)),
            changes=tuple(self.told.change(change) for change in found.changes),
            in_force=found.outcome != "not_in_force",
        )

    def _condition(self, clause: Clause) -> Condition:
        return Condition(
            clause.depth,
            self.told.asked(clause),
            self.told.met(clause),
            self.told.truth(clause),
            clause.truth,
            clause.fact is None,
        )

    def sources(self, rule: Rule) -> list[Source]:
        """What the rule rests on, by document."""
        return [
            Source(title, document, tuple(sections))
            for title, document, sections in by_document(self.pack, rule.source)
        ]

    def numbers(self, rule: Rule) -> list[Number]:
        """The numbers the rule rests on, and since when each holds."""
        return [self._number(item) for item in numbers_of(self.pack, rule)]

    def _number(self, item: Parameter) -> Number:
        values = tuple((value.valid_from, self.words.count(value.value, item.unit)) for value in item.values)
        return Number(sentence(self.words.of(item.labels)), item.authority, values)
