"""Every word a page can need is there in Finnish, Swedish and English."""

import ast
import string
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import service
from rules.conditions import lines
from rules.deriving import OPERATIONS
from rules.entries import ENTRY_TYPES
from rules.facts import KINDS, UNKNOWN
from rules.pack import ACTIONS, AUTHORITIES, OUTCOMES, ROLES, SEVERITIES, load_pack
from rules.packing import PARAMETER_UNITS
from rules.texts import texts
from service.rule_parts import fact_of
from service.words import Words, catalogue, clean, parsed_test
from statemachines import ARRANGEMENT, NO_ROW, STAGES, STATES, TRIGGERS
from tests.service.polku import LANGUAGES

SOURCES = sorted(Path(service.__file__).parent.glob("*.py"))
PACK = load_pack()


def texts_of(content: dict[str, Any], place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Every text of a catalogue with its place."""
    if set(content) & set(LANGUAGES):
        yield place, content
        return
    for key, inner in content.items():
        yield from texts_of(inner, (*place, key))


ALL = dict(texts_of(catalogue()))


def test_every_text_is_there_in_three_languages() -> None:
    assert len(ALL) > 300
    for place, text in ALL.items():
        assert set(text) == set(LANGUAGES), place
        assert all(isinstance(words, str) and words.strip() for words in text.values()), place


def test_the_three_languages_have_the_same_places_to_fill_in() -> None:
    for place, text in ALL.items():
        fields = [{name for _, name, _, _ in string.Formatter().parse(words)} - {None} for words in text.values()]
        assert fields[0] == fields[1] == fields[2], place


def keys_asked_for() -> Iterator[tuple[str, ...]]:
    """The keys the code asks its words for by name: `words("page", "who")`, `self.words("page", "who")`."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            is_words = called in ("words", "_said") or (called == "self" and path.name == "words.py")
            if is_words and node.args and all(isinstance(arg, ast.Constant) for arg in node.args[:2]):
                yield tuple(arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant))


def test_every_key_the_code_asks_for_is_in_the_catalogue() -> None:
    asked = set(keys_asked_for())
    assert len(asked) > 60
    assert {key for key in asked if key not in {place[: len(key)] for place in ALL}} == set()


def test_no_text_of_the_commands_is_left_over() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    for section in ("rules", "diff", "tests_run", "examples"):
        for key in catalogue()[section]:
            assert f'"{key}"' in code or f"'{key}'" in code, (section, key)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_a_name(lang: Any) -> None:
    words = Words(lang)
    named = [
        *(words("roles", role) for role in ROLES),
        *(words("outcomes", outcome) for outcome in OUTCOMES),
        *(words("severities", severity) for severity in SEVERITIES),
        *(words("authorities", authority) for authority in AUTHORITIES),
        *(words.stage(stage) for stage in STAGES),
        *(words.chart(chart) for chart in STATES),
        *(words.state(chart, state) for chart, states in STATES.items() for state in states),
        *(words("triggers", trigger) for trigger in TRIGGERS),
        *(words("entry_types", name) for name in ENTRY_TYPES),
        *(words("fields", name) for model in ENTRY_TYPES.values() for name in model.model_fields),
        *(words("kinds", kind) for kind in KINDS),
        *(words("operations", operation) for operation in OPERATIONS),
        *(words("inconsistent", reason) for reason in (NO_ROW, ARRANGEMENT)),
        *(words.count(number, unit) for unit in PARAMETER_UNITS for number in (1, 2)),
        *(words("statuses", status) for status in ("overdue", "due", "do_now", "can_do", "open", "needs_details")),
        *(words("statuses", status) for status in ("blocked", "not_from_here")),
        *(texts("actions", action, lang) for action in ACTIONS),
    ]
    assert all(named)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_value_of_every_fact_has_words(lang: Any) -> None:
    words = Words(lang)
    for fact in PACK.editions[-1].vocabulary.values():
        for value in (*fact.values, UNKNOWN, None):
            assert words.value(fact, value), (fact.name, value)
        assert words.label(fact)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_line_of_every_rule_can_be_told(lang: Any) -> None:
    words, edition = Words(lang), PACK.editions[-1]
    for rule in edition.rules:
        for line in (line for condition in rule.conditions() for line in lines(condition)):
            fact = fact_of(line.fact, edition, words)
            assert words.test(fact, line) != words.test(fact, line, negated=True)


def test_a_day_is_written_as_each_language_writes_it() -> None:
    day = date(2022, 9, 5)
    assert [Words(lang).day(day) for lang in ("fi", "sv", "en")] == ["5.9.2022", "5.9.2022", "5 September 2022"]


def test_one_of_a_unit_is_not_many() -> None:
    assert [Words("fi").count(number, "months") for number in (1, 3)] == ["1 kuukausi", "3 kuukautta"]


def test_what_could_steer_a_terminal_is_taken_out_of_text() -> None:
    assert clean("a\x1b[31mred\x07 \x9b2J b\r\nc\u202egnp\u200b\ud800 [bold]") == "a [31mred 2J b c gnp [bold]"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_tests_that_explanations_write_are_read_back(lang: Any) -> None:
    words, vocabulary = Words(lang), PACK.editions[-1].vocabulary
    for test, name in (
        ("not passed 0", "pause.limit"),
        ("reached -7", "pause.limit"),
        ("given", "pause.limit"),
        ("at_least 1", "activity.days_per_week"),
        ("not work_trial | illness", "pause.reason"),
    ):
        line, negated = parsed_test(test)
        assert negated == test.startswith("not ")
        assert words.test(vocabulary[name], line, negated=negated)
