"""What a rule is made of, for pages and programs: conditions in words, the numbers it rests on, its versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any as AnyData

from rules.cases import constant
from rules.conditions import TRUE, All, Any, Condition, Line, Not
from rules.facts import Fact
from rules.findings import caution_text
from rules.pack import FINDING, Pack, Parameter, Rule, Ruleset
from service.words import Words


def versions_on(pack: Pack, rule_id: str, day: date) -> tuple[Rule, list[Rule]]:
    """The version of a rule in force on a day (else the newest, with that day's numbers), and the other versions.

    Raises KeyError for an unknown rule.
    """
    versions = sorted(
        (rule for rule in pack.ruleset(day).rules if rule.id == rule_id), key=lambda rule: rule.valid_from
    )
    if not versions:
        raise KeyError(rule_id)
    chosen = next((rule for rule in versions if rule.in_force(day)), versions[-1])
    return chosen, [rule for rule in versions if rule is not chosen]


def deciding(rule: Rule) -> tuple[list[tuple[str, Condition]], str]:
    """The steps of a rule that facts decide, and the outcome that remains when none of them holds."""
    steps: list[tuple[str, Condition]] = []
    for outcome, condition in rule.steps:
        truth = constant(condition)
        if truth == TRUE:
            return steps, outcome
        if truth is None:
            steps.append((outcome, condition))
    return steps, rule.otherwise


def fact_of(name: str, ruleset: Ruleset, words: Words) -> Fact:
    """A fact a condition reads: recorded, derived, or what another rule came to."""
    if name in ruleset.vocabulary:
        return ruleset.vocabulary[name]
    title = next((words.of(rule.title) for rule in ruleset.rules if FINDING + rule.id == name), None)
    return Fact(name, "enum", {words.lang: title or words("rules", "any_step")}, "the other findings")


def told(condition: Condition, ruleset: Ruleset, words: Words, depth: int = 0) -> Iterator[tuple[int, str]]:
    """A condition in words, line by line, each with its depth."""
    if isinstance(condition, Line):
        yield depth, _line(condition, ruleset, words)
    elif isinstance(condition, Not):
        if isinstance(condition.part, Line):
            yield depth, _line(condition.part, ruleset, words, negated=True)
        else:
            yield depth, words("tests", "not")
            yield from told(condition.part, ruleset, words, depth + 1)
    elif isinstance(condition, All) and depth == 0:
        for part in condition.parts:
            yield from _part(part, ruleset, words)
    else:
        yield depth, words("tests", "any" if isinstance(condition, Any) else "all")
        for part in condition.parts:
            yield from told(part, ruleset, words, depth + 1)


def _part(part: Condition, ruleset: Ruleset, words: Words) -> Iterator[tuple[int, str]]:
    """A part of the outermost `all`, which needs no word of its own."""
    if isinstance(part, All):
        for inner in part.parts:
            yield from _part(inner, ruleset, words)
    else:
        yield from told(part, ruleset, words)


def _line(line: Line, ruleset: Ruleset, words: Words, *, negated: bool = False) -> str:
    fact = fact_of(line.fact, ruleset, words)
    return f"{words.label(fact)}: {words.test(fact, line, negated=negated)}"


def tree(condition: Condition, ruleset: Ruleset, words: Words) -> dict[str, AnyData]:
    """A condition for programs: `all`, `any`, `not`, or one line."""
    if isinstance(condition, Line):
        label = fact_of(condition.fact, ruleset, words).labels[words.lang]
        line: dict[str, AnyData] = {"fact": condition.fact, "label": label, "test": condition.test}
        if condition.test == "is":
            return {**line, "values": list(condition.values)}
        return line if condition.test == "given" else {**line, "bound": condition.bound}
    if isinstance(condition, Not):
        return {"not": tree(condition.part, ruleset, words)}
    return {"any" if isinstance(condition, Any) else "all": [tree(part, ruleset, words) for part in condition.parts]}


# --- numbers ---


def written(pack: Pack, rule: Rule) -> Mapping[str, AnyData]:
    """A rule as its pack writes it."""
    content: Mapping[str, AnyData] = pack.content["rules"][rule.position]
    return content


def deadlines(pack: Pack) -> Mapping[str, AnyData]:
    """The pack's derived deadlines as it writes them."""
    content: Mapping[str, AnyData] = pack.content["pack"].get("derived", {})
    return content


def numbers_of(pack: Pack, rule: Rule) -> list[Parameter]:
    """The parameters a rule rests on: those it names, and those of the deadlines it reads."""
    derived = deadlines(pack)
    waiting = [name for name in (*rule.reads(), rule.due, rule.overdue) if name in derived]
    seen: dict[str, None] = {}
    while waiting:
        name = waiting.pop(0)
        if name is not None and name not in seen:
            seen[name] = None
            waiting += [word for word in strings(derived[name]) if word in derived]
    found = dict.fromkeys(strings(written(pack, rule)))
    for name in seen:
        found |= dict.fromkeys(strings(derived[name]))
    named = dict.fromkeys(word.removeprefix("-") for word in found)
    return [pack.parameters[word] for word in named if word in pack.parameters]


def strings(data: AnyData) -> Iterator[str]:
    """Every text in a piece of a pack that may name a parameter or a deadline."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from strings(value)
    elif isinstance(data, list):
        for value in data:
            yield from strings(value)


# --- for programs ---


def rule_json(pack: Pack, rule: Rule, day: date, words: Words, *, cases: int | None = None) -> dict[str, AnyData]:
    """A rule for programs; with `cases` everything about it, without only what a list shows."""
    lang = words.lang
    short = {
        "rule": rule.id,
        "title": rule.title[lang],
        "about": rule.about,
        "severity": rule.severity,
        "authority": rule.authority,
        "valid": {"from": rule.valid_from.isoformat(), "to": rule.valid_to.isoformat() if rule.valid_to else None},
        "source": [dict(source) for source in rule.source],
    }
    if cases is None:
        return short
    ruleset = pack.ruleset(day)
    return {
        **short,
        "text": rule.text[lang],
        "caution": caution_text(rule, day, lang),
        "applies": tree(rule.applies, ruleset, words),
        "outcomes": [
            {"outcome": outcome, "when": tree(condition, ruleset, words)} for outcome, condition in rule.steps
        ],
        "otherwise": rule.otherwise,
        "event": rule.event,
        "due": rule.due,
        "parameters": [_parameter_json(item, words) for item in numbers_of(pack, rule)],
        "action": rule.action,
        "actions": [{"action": action, "when": tree(when, ruleset, words)} for when, action in rule.actions],
        "role": rule.role,
        "guards": list(rule.guards),
        "cases": cases,
    }


def _parameter_json(item: Parameter, words: Words) -> dict[str, AnyData]:
    return {
        "name": item.name,
        "label": words.of(item.labels),
        "unit": item.unit,
        "authority": item.authority,
        "values": [
            {"from": value.valid_from.isoformat(), "value": value.value, "source": [dict(s) for s in value.source]}
            for value in item.values
        ],
    }


def by_document(pack: Pack, sources: Iterable[Mapping[str, str]]) -> list[tuple[str, str, list[str]]]:
    """Sources by document: its title, its id, and the sections of it, each once."""
    found: dict[str, list[str]] = {}
    for source in sources:
        sections = found.setdefault(source["document"], [])
        if "section" in source and source["section"] not in sections:
            sections.append(source["section"])
    return [
        (pack.sources.get(document, {}).get("title", document), document, sections)
        for document, sections in found.items()
    ]


def sources_cited(pack: Pack) -> set[str]:
    """The documents that rules and parameters of a pack cite."""
    rules: Iterable[Rule] = pack.editions[-1].rules
    found = {source["document"] for rule in rules for source in rule.source}
    values = [value for item in pack.parameters.values() for value in item.values]
    return found | {source["document"] for value in values for source in value.source}
