"""The readable page of an explanation: a rule clause by clause with the values it met, and what would change it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rules.explain import Clause, Explanation
from rules.findings import caution_text
from rules.journal import Case
from rules.pack import Pack, Rule
from service.explaining import ExplanationWords
from service.page import QUIET, STRONG, Page, heading, paragraph
from service.rule_parts import deciding
from service.words import Words, sentence


class ExplanationPage:
    """One rule explained for the subjects it is about, in one language."""

    def __init__(self, found: Iterable[Explanation], case: Case, pack: Pack, rule: Rule, words: Words) -> None:
        self.found = list(found)
        self.pack = pack
        self.rule = rule
        self.words = words
        self.told = ExplanationWords(pack, words)
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
            yield paragraph(f"– {self.told.change(change)}", indent=2)

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
                made.add_row(Text(self.told.part(part), style=STRONG), "", "")
            made.add_row(
                Padding(Text(self.told.asked(clause)), (0, 0, 0, 2 * clause.depth + 2)),
                Text(self.told.met(clause)),
                Text(self.told.truth(clause)),
            )
        _, rest = deciding(rule)
        made.add_row(Text(words("rules", "otherwise", outcome=words("outcomes", rest)), style=STRONG), "", "")
        return made
