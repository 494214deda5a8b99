"""The readable page of a check: what changed, then the open findings by rule, by role and by municipality.

It counts work. Rules stand in the order of the pack, roles in that of the path, municipalities by the alphabet: nothing
is ordered by how much there is of it, and no person is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from service.checks.changes import Changes
from service.checks.running import Checked
from service.checks.tally import Counts
from service.page import QUIET, STRONG, Page, heading, lines, paragraph
from service.words import Words, clean, sentence

OPEN = ("violated", "advised", "unknown")
_SPACE = {"fi": "\u00a0", "sv": "\u00a0", "en": ","}


class CheckPage:
    """One check as a page in one language."""

    def __init__(self, checked: Checked, words: Words, fail_on: str | None = None) -> None:
        self.checked = checked
        self.words = words
        self.fail_on = fail_on
        self.rules = {rule.id: rule for rule in checked.pack.editions[-1].rules}

    def parts(self) -> Page:
        """Everything, in the order a team leader reads it."""
        yield from self._head()
        yield from self._changes()
        if self.checked.tally.total.open:
            yield from self._by_rule()
            yield from self._others()
            yield from self._by_role()
            yield from self._by_municipality()
        else:
            yield from self._others()
        yield from self._foot()

    def number(self, number: int) -> str:
        """A number as the language writes it: 12 345, in English 12,345."""
        return f"{number:,}".replace(",", _SPACE[self.words.lang])

    def _said(self, key: str, count: int, **values: object) -> str:
        return self.words("check", key, count=count, number=self.number(count), **values)

    def _head(self) -> Page:
        checked, words = self.checked, self.words
        yield paragraph((words("check", "title"), STRONG), f" · {words('page', 'as_of')} {words.day(checked.as_of)}")
        told = [self._said("checked", checked.cases)]
        if checked.reused:
            told.append(words("check", "reused", number=self.number(checked.reused)))
        yield paragraph(" ".join(told))
        if checked.refused_cases:
            yield paragraph((self._said("not_checked", checked.refused_cases), STRONG))
        total = checked.tally.total
        if not total.open:
            yield paragraph(words("check", "nothing_open"))
            return
        numbers = zip(OPEN, (total.violated, total.advised, total.unknown), strict=True)
        told = [f"{words('outcomes', outcome)}: {self.number(number)}" for outcome, number in numbers]
        yield paragraph((sentence(" · ".join(told)), STRONG))

    # --- changes ---

    def _changes(self) -> Page:
        changes, words = self.checked.changes, self.words
        if changes is None:
            if self.checked.kept:
                yield ""
                yield paragraph((words("check", "first_run"), QUIET))
            return
        yield heading(words("check", "changes", day=words.day(changes.since)))
        made = self._table()
        for key, counts in self._rows_of(changes):
            made.add_row(Text(words("check", key)), *self._numbers(counts[outcome] for outcome in OPEN))
        yield made
        if changes.fallen_due:
            yield paragraph(self._said("fallen_due", changes.fallen_due))
        if changes.gone:
            yield paragraph(self._said("gone", changes.gone))

    def _rows_of(self, changes: Changes) -> Iterable[tuple[str, Mapping[str, int]]]:
        return (("new", changes.new), ("settled", changes.settled), ("still_open", changes.still_open))

    # --- what is open ---

    def _by_rule(self) -> Page:
        words, tally = self.words, self.checked.tally
        yield heading(words("check", "by_rule"))
        made = self._table()
        shown = sorted(((name, counts) for name, counts in tally.by_rule.items() if counts.open), key=self._weight)
        for severity, some in groupby(shown, key=lambda item: self._severity(item[0])):
            made.add_row(Text(sentence(words("severities", severity)), style=STRONG))
            for name, counts in some:
                made.add_row(lines(Text(self._title(name)), Text(clean(name), style=QUIET)), *self._of(counts))
            made.add_row("")
        made.add_row(Text(words("check", "altogether"), style=STRONG), *self._of(tally.total))
        yield made

    def _weight(self, item: tuple[str, Counts]) -> int:
        return list(self.checked.tally.by_severity).index(self._severity(item[0]))

    def _severity(self, name: str) -> str:
        return self.rules[name].severity

    def _title(self, name: str) -> str:
        return clean(self.words.of(self.rules[name].title))

    def _by_role(self) -> Page:
        yield heading(self.words("check", "by_role"))
        made = self._table()
        for role, counts in self.checked.tally.by_role.items():
            if counts.open:
                made.add_row(Text(sentence(self.words("list_roles", role))), *self._of(counts))
        yield made

    def _by_municipality(self) -> Page:
        yield heading(self.words("check", "by_municipality"))
        made = self._table()
        for name, counts in self.checked.tally.by_municipality.items():
            if counts.open:
                told = clean(name) if name is not None else self.words("check", "no_municipality")
                made.add_row(Text(told), *self._of(counts))
        yield made

    def _others(self) -> Page:
        total = self.checked.tally.total
        for key, count in (("set_aside", total.set_aside), ("over", total.over)):
            if count:
                yield paragraph(self._said(key, count))

    def _table(self) -> Table:
        made = Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET)
        made.add_column(Text(""), ratio=1, overflow="fold")
        headings = [self.words("outcomes", outcome) for outcome in OPEN]
        width = max(len(word) for heading in headings for word in heading.split())
        for title in headings:
            made.add_column(Text(title), justify="right", width=width)
        return made

    def _of(self, counts: Counts) -> list[RenderableType]:
        return self._numbers((counts.violated, counts.advised, counts.unknown))

    def _numbers(self, numbers: Iterable[int]) -> list[RenderableType]:
        return [Text(self.number(number) if number else "–") for number in numbers]

    def _foot(self) -> Page:
        checked, words = self.checked, self.words
        yield ""
        for path in checked.written:
            yield paragraph(f"{words('check', 'written')}: {path}")
        if self.fail_on is not None and (count := checked.tally.at_or_over(self.fail_on)):
            told = words("check", "failed_on", severity=words("severities", self.fail_on), number=self.number(count))
            yield paragraph((told, STRONG))
        yield paragraph((words("check", "what_numbers_are"), QUIET))
        yield paragraph((words("page", "advice_only"), STRONG))
        pack = checked.pack
        yield paragraph((f"{words('page', 'pack')}: {pack.id} {pack.version}, {pack.sha256[:12]}", QUIET))
