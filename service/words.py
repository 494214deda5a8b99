"""The words of pages in fi, sv and en, from `texts.yaml`: names of codes, dates, values and conditions.

Ids and codes never change with the language; only what stands here does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml

from rules.conditions import Line
from rules.facts import UNKNOWN, Fact, Value
from statemachines import CHARTS, labels

Lang: TypeAlias = Literal["fi", "sv", "en"]

_CATALOGUE = Path(__file__).parent / "texts.yaml"
#: The words only web pages need: one file a theme, each section in one of them.
_PAGES = Path(__file__).parent / "web" / "texts"
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
#: Fields of facts whose values are those of another field of the journal.
_VALUES_OF = {
    "end_reason": "reason",
    "decline_reason": "reason",
    "lost_coaching_reason": "reason",
    "contact_wish": "wish",
    "wish_at_end": "wish",
    "interest": "wants_to_work",
}
#: Characters that could steer a terminal or turn the reading direction: control, format, lone surrogate, separators.
_STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


@cache
def catalogue() -> dict[str, Any]:
    """All words: section -> key (-> key) -> language -> text."""
    return _read(_CATALOGUE)


@cache
def pages_catalogue() -> dict[str, Any]:
    """The words of web pages, in the same form. Raises ValueError for a section that stands in two files."""
    content: dict[str, Any] = {}
    for path in sorted(_PAGES.glob("*.yaml")):
        found = _read(path)
        twice = found.keys() & (content.keys() | catalogue().keys())
        if twice:
            raise ValueError(f"{path.name}: stands elsewhere already: {', '.join(sorted(twice))}")
        content |= found
    return content


def _read(path: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return content


def clean(text: object) -> str:
    """Text of a user as a terminal may show it: on one line, without control or invisible characters."""
    plain = "".join(" " if unicodedata.category(char) in _STEERING else char for char in str(text))
    return " ".join(plain.split())


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


class Words:
    """The words of one language."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang

    def __call__(self, section: str, *keys: str, **values: object) -> str:
        """One text, its {places} filled in; where it has forms for one and for many, `count` chooses.

        Raises KeyError when there is none such (a test holds that there is).
        """
        words = catalogue()
        found: Any = words[section] if section in words else pages_catalogue()[section]
        for key in keys:
            found = found[key]
        if "count" in values and "one" in found:
            found = found["one" if values["count"] == 1 else "many"]
        text = str(found[self.lang])
        return text.format(**values) if values else text

    def day(self, day: date) -> str:
        """A date as it is written: 5.9.2022, in English 5 September 2022."""
        if self.lang == "en":
            return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
        return f"{day.day}.{day.month}.{day.year}"

    def of(self, texts: Mapping[str, str]) -> str:
        """The text in this language out of texts by language."""
        return texts[self.lang]

    def stage(self, stage: str) -> str:
        """A stage of the path."""
        return labels.STAGES[stage][self.lang]

    def chart(self, chart: str) -> str:
        """A chart of the path."""
        return labels.CHARTS[chart][self.lang]

    def state(self, chart: str, state: str) -> str:
        """A state of a chart, as it stands within a sentence."""
        text = labels.STATES[chart][state][self.lang]
        return text[:1].lower() + text[1:]

    def count(self, number: int, unit: str) -> str:
        """A number with its unit: 1 month, 3 months."""
        return f"{number} {self('units', unit, 'one' if abs(number) == 1 else 'many')}"

    # --- facts ---

    def value(self, fact: Fact, value: Value) -> str:
        """What a fact holds, in words."""
        if value is None:
            return self("page", "not_recorded")
        if isinstance(value, date):
            return self.day(value)
        if value == UNKNOWN:
            return self("page", "unknown")
        if isinstance(value, int):
            return str(value)
        return self._word(fact, value)

    def _word(self, fact: Fact, word: str) -> str:
        if fact.name == "case.stage":
            return self.stage(word)
        if fact.kind == "finding":
            return self("values", "yes_no", word) if word in ("yes", "no") else self("outcomes", word)
        if fact.kind == "case" and fact.field in CHARTS:
            return self.state(fact.field, word)
        field = "yes_no" if fact.type == "yes_no" else _VALUES_OF.get(fact.field, fact.field)
        if word in catalogue()["values"].get(field, ()):
            return self("values", field, word)
        return self("fact_values", word)

    def test(self, fact: Fact, line: Line, *, negated: bool = False) -> str:
        """What a line of a condition asks of a fact: `at least 1`, `the day has passed`."""
        end = "_not" if negated else ""
        if line.test == "is":
            return self._is(fact, line.values, negated=negated)
        if line.test in ("at_least", "at_most"):
            return self("tests", line.test + end, number=line.bound)
        if line.test == "given" or line.bound == 0:
            return self("tests", line.test + end)
        side = self("tests", "before" if line.bound < 0 else "after", n=self.count(abs(line.bound), "days"))
        return self("tests", f"{line.test}_offset{end}", offset=side)

    def _is(self, fact: Fact, values: Iterable[str], *, negated: bool) -> str:
        *most, last = [self.value(fact, value) for value in values]
        listed = f"{', '.join(most)} {self('tests', 'or')} {last}" if most else last
        if fact.type == "yes_no" and negated and not most and last in (self("values", "yes_no", "yes"),):
            return self("values", "yes_no", "no")
        return self("tests", "is_not" if negated else "is", values=listed)

    def label(self, fact: Fact) -> str:
        """What a fact is called."""
        return sentence(fact.labels.get(self.lang, fact.name))

    # --- sources ---

    def sources(self, sources: Iterable[Mapping[str, str]]) -> str:
        """Sources in short: 003 (5), 189/2001 (9 §)."""
        return ", ".join(
            f"{source['document']} ({source['section']})" if "section" in source else source["document"]
            for source in sources
        )


def parsed_test(test: str) -> tuple[Line, bool]:
    """A test as explanations write it (`not passed 0`, `a | b`), and whether it is negated."""
    negated = test.startswith("not ")
    words = test.removeprefix("not ")
    found = re.fullmatch(r"(at_least|at_most|passed|reached) (-?\d+)", words)
    if found:
        return Line("", found[1], bound=int(found[2])), negated  # type: ignore[arg-type]
    if words == "given":
        return Line("", "given"), negated
    return Line("", "is", tuple(words.split(" | "))), negated
