"""Readable pages of rules: the list, and one rule with its conditions, numbers and sources."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from rich.text import Text

from rules.conditions import Condition
from rules.findings import caution_text
from rules.pack import Pack, Parameter, Rule
from rules.texts import texts
from service.page import QUIET, STRONG, Page, heading, lines, paragraph, table
from service.rule_parts import deciding, numbers_of, told
from service.words import Words, clean, sentence


def list_page(pack: Pack, rules: Iterable[Rule], day: date, words: Words) -> Page:
    """The rules in force on a day."""
    found = list(rules)
    count = words("rules", "count", count=len(found))
    yield paragraph((words("rules", "rules_in_force", day=words.day(day)), STRONG), f" · {count}")
    yield ""
    made = table(words("page", "rule"), words("rules", "severity"), words("rules", "authority"), ratios=(36, 18, 22))
    for rule in found:
        named = lines(Text(clean(words.of(rule.title))), Text(rule.id, style=QUIET))
        made.add_row(named, words("severities", rule.severity), words("authorities", rule.authority))
    yield made
    yield paragraph((f"{words('page', 'pack')}: {pack.id} {pack.version}, {pack.sha256[:12]}", QUIET))


class RulePage:
    """One rule as it stands on a day."""

    def __init__(self, pack: Pack, rule: Rule, others: Iterable[Rule], day: date, words: Words, *, cases: int) -> None:
        self.pack = pack
        self.rule = rule
        self.others = list(others)
        self.day = day
        self.words = words
        self.cases = cases
        self.ruleset = pack.ruleset(day)

    def parts(self) -> Page:
        """Everything about the rule."""
        words, rule = self.words, self.rule
        yield paragraph((words.of(rule.title), STRONG), (f" {rule.id}", QUIET))
        yield paragraph(words.of(rule.text))
        caution = caution_text(rule, self.day, words.lang)
        if caution is not None:
            yield paragraph((f"{words('page', 'caution')}: ", STRONG), caution)
        yield from self._facts()
        yield from self._conditions()
        yield from self._numbers()
        yield from self._sources()

    def _facts(self) -> Page:
        words, rule = self.words, self.rule
        yield ""
        yield self._said("rules", "about", words("kinds", rule.about))
        yield self._said("rules", "severity", words("severities", rule.severity))
        yield self._said("rules", "authority", words("authorities", rule.authority))
        yield self._said("rules", "in_force", self._validity(rule))
        for other in self.others:
            yield self._said("rules", "versions", self._validity(other))
        yield self._said("rules", "action", texts("actions", rule.action, words.lang))
        for when, action in rule.actions:
            parts = "; ".join(text for _, text in told(when, self.ruleset, words))
            yield paragraph(
                f"{texts('actions', action, words.lang)}, {words('rules', 'action_when')} {parts}", indent=2
            )
        yield self._said("rules", "role", words("roles", rule.role))
        if rule.guards:
            yield self._said("rules", "guards", ", ".join(words("triggers", guard) for guard in rule.guards))
        yield self._said("rules", "cases", str(self.cases))

    def _said(self, section: str, key: str, text: str) -> Text:
        made = Text(f"{self.words(section, key)}: ", style=QUIET)
        return made.append(clean(sentence(text)), style="not dim")

    def _validity(self, rule: Rule) -> str:
        until = self.words.day(rule.valid_to) if rule.valid_to else self.words("rules", "until_further")
        return f"{self.words.day(rule.valid_from)} – {until}"

    def _conditions(self) -> Page:
        words, rule = self.words, self.rule
        yield heading(words("rules", "applies"))
        yield from self._told(rule.applies)
        steps, otherwise = deciding(rule)
        for outcome, condition in steps:
            yield heading(words("rules", "comes_out", outcome=words("outcomes", outcome)))
            yield from self._told(condition)
        yield ""
        yield paragraph((words("rules", "otherwise", outcome=words("outcomes", otherwise)), STRONG))
        vocabulary = self.ruleset.vocabulary
        if rule.due is not None:
            yield self._said("rules", "limit", words.of(vocabulary[rule.due].labels))
        if rule.event is not None:
            label = words.of(vocabulary[rule.event].labels)
            yield paragraph((words("rules", "judged_by_event", label=label), QUIET))

    def _told(self, condition: Condition) -> Page:
        for depth, text in told(condition, self.ruleset, self.words):
            yield paragraph(f"– {text}", indent=2 + 2 * depth)

    def _numbers(self) -> Page:
        numbers = numbers_of(self.pack, self.rule)
        if numbers:
            yield heading(self.words("rules", "numbers"))
        for item in numbers:
            yield paragraph((words_of(item, self.words), STRONG), (f" {item.name}", QUIET))
            for value in item.values:
                since = self.words("rules", "from_day", day=self.words.day(value.valid_from))
                source = f"{self.words('page', 'source')}: {self.words.sources(value.source)}"
                counted = self.words.count(value.value, item.unit)
                yield paragraph(f"{counted}, {since}. {source} · {self.words('authorities', item.authority)}", indent=2)

    def _sources(self) -> Page:
        yield heading(self.words("page", "sources"))
        for source in self.rule.source:
            title = self.pack.sources.get(source["document"], {}).get("title", "")
            section = f" ({source['section']})" if "section" in source else ""
            yield paragraph(f"{source['document']}{section}: {title}")


def words_of(item: Parameter, words: Words) -> str:
    """What a parameter is called."""
    return words.of(item.labels)
