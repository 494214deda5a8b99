"""The readable page of an explanation: a rule clause by clause with the values it met, and what would change it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rules.explain import Alternative, Clause, Explanation
from rules.facts import UNKNOWN, Fact, Value
from rules.findings import caution_text
from rules.journal import Case
from rules.pack import Pack, Rule
from service.page import QUIET, STRONG, Page, heading, paragraph
from service.rule_parts import deciding
from service.words import Words, clean, parsed_test, sentence

_OPERATION = re.compile(r"(\w+)\((.*)\)")
_TRUTH = {"true": "holds", "false": "does_not_hold", "unknown": "unknown"}


class ExplanationPage:
    """One rule explained for the subjects it is about, in one language."""

    def __init__(self, found: Iterable[Explanation], case: Case, pack: Pack, rule: Rule, words: Words) -> None:
        self.found = list(found)
        self.pack = pack
        self.rule = rule
        self.words = words
        self.entries = {entry.id: entry for entry in case.entries}

    def parts(self) -> Page:
        """The rule, then each subject."""
        words, rule = self.words, self.rule
        yield paragraph((f"{words('page', 'explain')}: {words.of(rule.title)}", STRONG), (f" {rule.id}", QUIET))
        yield paragraph(words.of(rule.text))
        yield paragraph(
            f"{words('page', 'source')}: {words.sources(rule.source)} · {words('authorities', rule.authority)}"
        )
        if not self.found:
            yield ""
            yield paragraph(words("page", "rule_does_not_apply_to_any"))
        for explanation in self.found:
            yield from self._one(explanation)

    def _one(self, found: Explanation) -> Page:
        words = self.words
        yield heading(f"{self._subject(found)}: {words('outcomes', found.outcome)}")
        until = words.day(found.rule.valid_to) if found.rule.valid_to else words("rules", "until_further")
        yield paragraph(
            f"{words('page', 'judged_on')} {words.day(found.judged_on)} · "
            f"{words('page', 'in_force_from')} {words.day(found.rule.valid_from)} – {until}"
        )
        caution = caution_text(found.rule, found.as_of, words.lang)
        if caution is not None:
            yield paragraph((f"{words('page', 'caution')}: ", STRONG), caution)
        yield ""
        yield self._clauses(found.clauses, found.rule)
        if found.outcome == "not_in_force":
            return
        yield ""
        yield paragraph((words("page", "smallest_change"), STRONG))
        if not found.changes:
            yield paragraph(words("page", "no_change_found"), indent=2)
        for change in found.changes:
            yield paragraph(f"– {self._change(change)}", indent=2)

    def _subject(self, found: Explanation) -> str:
        entry = self.entries.get(found.subject.entry or "")
        if entry is None:
            return sentence(self.words("kinds", found.subject.kind))
        return f"{self.words('entry_types', entry.type)} {self.words.day(entry.date)} ({entry.id})"

    # --- clauses ---

    def _clauses(self, clauses: Iterable[Clause], rule: Rule) -> Table:
        words = self.words
        made = Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET)
        for header, ratio in ((words("page", "clause"), 40), (words("page", "value_met"), 24), ("", 13)):
            made.add_column(Text(header), ratio=ratio, overflow="fold")
        part = None
        for clause in clauses:
            if clause.part != part:
                part = clause.part
                made.add_row(Text(self._part(part), style=STRONG), "", "")
            made.add_row(
                Padding(Text(self._asked(clause)), (0, 0, 0, 2 * clause.depth + 2)),
                Text(self._met(clause)),
                Text(words("page", _TRUTH[clause.truth])),
            )
        _, rest = deciding(rule)
        made.add_row(Text(words("rules", "otherwise", outcome=words("outcomes", rest)), style=STRONG), "", "")
        return made

    def _part(self, part: str) -> str:
        words = self.words
        if part == "applies":
            return f"{words('rules', 'applies')}:"
        return f"{words('rules', 'comes_out', outcome=words('outcomes', part))}:"

    def _asked(self, clause: Clause) -> str:
        if clause.fact is None:
            return self.words("tests", clause.join or "all")
        line, negated = parsed_test(clause.test)
        return f"{self._label(clause.fact)}: {self.words.test(clause.fact, line, negated=negated)}"

    def _label(self, fact: Fact) -> str:
        return clean(self.words.label(fact))

    def _met(self, clause: Clause) -> str:
        if clause.fact is None:
            return ""
        value = self.words.value(clause.fact, clause.value)
        derived = self._derived(clause.derived) if clause.derived else ""
        return f"{value} ({derived})" if derived else value

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
        from datetime import date

        if value in ("None", UNKNOWN):
            return self.words("page", "unknown" if value == UNKNOWN else "not_recorded")
        try:
            return self.words.day(date.fromisoformat(value))
        except ValueError:
            return self.words.value(fact, value)

    # --- what would change it ---

    def _change(self, change: Alternative) -> str:
        told = " + ".join(f"{self._label(fact)}: {self._from_to(fact, now, then)}" for fact, now, then in change.facts)
        return f"{told} ⇒ {self.words('outcomes', change.outcome)}"

    def _from_to(self, fact: Fact, now: Value, then: Value) -> str:
        return f"{self.words.value(fact, now)} → {self.words.value(fact, then)}"
