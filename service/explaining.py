"""Explanations in words, for the terminal and for web pages: what was asked, what was met, what would change it."""

from __future__ import annotations

import re
from datetime import date

from rules.assessment import Assessment
from rules.explain import Alternative, Clause
from rules.facts import UNKNOWN, Fact, Value
from rules.journal import ENTRY_TYPES
from rules.pack import Pack
from service.words import Words, clean, parsed_test
from statemachines import TRIGGERS

_OPERATION = re.compile(r"(\w+)\((.*)\)")
_TRUTH = {"true": "holds", "false": "does_not_hold", "unknown": "unknown"}


class ExplanationWords:
    """The words of explanations under one pack, in one language."""

    def __init__(self, pack: Pack, words: Words) -> None:
        self.pack = pack
        self.words = words

    def part(self, part: str) -> str:
        """The heading of the clauses that belong together: when the rule applies, or when it comes to an outcome."""
        words = self.words
        if part == "applies":
            return f"{words('rules', 'applies')}:"
        return f"{words('rules', 'comes_out', outcome=words('outcomes', part))}:"

    def asked(self, clause: Clause) -> str:
        """What a clause asks."""
        if clause.fact is None:
            return self.words("tests", clause.join or "all")
        line, negated = parsed_test(clause.test)
        return f"{self.label(clause.fact)}: {self.words.test(clause.fact, line, negated=negated)}"

    def label(self, fact: Fact) -> str:
        """What a fact is called."""
        return clean(self.words.label(fact))

    def met(self, clause: Clause) -> str:
        """The value a clause met, and how it came about; nothing for the head of a group."""
        if clause.fact is None:
            return ""
        value = self.words.value(clause.fact, clause.value)
        derived = self._derived(clause.derived) if clause.derived else ""
        return f"{value} ({derived})" if derived else value

    def truth(self, clause: Clause) -> str:
        """Whether a clause holds."""
        return self.words("page", _TRUTH[clause.truth])

    def change(self, change: Alternative) -> str:
        """Facts that would bring another outcome, each with its value now and then."""
        told = " + ".join(f"{self.label(fact)}: {self._from_to(fact, now, then)}" for fact, now, then in change.facts)
        return f"{told} ⇒ {self.words('outcomes', change.outcome)}"

    def _from_to(self, fact: Fact, now: Value, then: Value) -> str:
        return f"{self.words.value(fact, now)} → {self.words.value(fact, then)}"

    def _derived(self, told: str) -> str:
        """How a deadline came about, from the core's `add_months(pause.started_on 2022-09-05, 1)`."""
        found = _OPERATION.fullmatch(told)
        if found is None:
            return ""
        vocabulary = self.pack.editions[-1].vocabulary
        operands, number = [], 0
        for part in found[2].split(", "):
            name, _, value = part.partition(" ")
            if name in vocabulary:
                operands.append(f"{self.words.of(vocabulary[name].labels)} {self._plain(vocabulary[name], value)}")
            elif re.fullmatch(r"-?\d+", name):
                number = int(name)
        unit = found[1].removeprefix("add_") if found[1].startswith("add_") else "days"
        counted = self.words.count(abs(number), unit)
        told = self.words("operations", found[1]).format(*operands, n=counted, all=", ".join(operands))
        return told.replace("+", "−") if number < 0 else told

    def _plain(self, fact: Fact, value: str) -> str:
        """A value out of the core's text of it."""
        if value in ("None", UNKNOWN):
            return self.words("page", "unknown" if value == UNKNOWN else "not_recorded")
        try:
            return self.words.day(date.fromisoformat(value))
        except ValueError:
            return self.words.value(fact, value)


def detail(found: Assessment, trigger: str, name: str, words: Words) -> str:
    """What a detail of a step that an assessment asks for is called: the entry's field, else the fact."""
    if name in ENTRY_TYPES[TRIGGERS[trigger].entry_type].model_fields:
        return words("fields", name)
    vocabulary = found.pack.ruleset(found.as_of).vocabulary
    kinds = [rule.about for rule in found.pack.rules(found.as_of) if trigger in rule.guards]
    fact = next((vocabulary[f"{kind}.{name}"] for kind in [*kinds, "case"] if f"{kind}.{name}" in vocabulary), None)
    return words.of(fact.labels) if fact is not None else name
