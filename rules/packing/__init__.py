"""Reading a pack's YAML into rules: every name is checked, every mistake is told with its place and what was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any as AnyData

import yaml

from rules.pack import AUTHORITIES, DatedValue, Pack, PackError, Parameter, Rule, Ruleset
from rules.packing.compiler import Compiler
from rules.packing.shapes import LARGEST_NUMBER, Data, Mistakes, day_of, items, mapping, texts
from rules.packing.shapes import sources as sources_of

PACK_KEYS = ("id", "version", "title", "themes", "sources", "parameters", "derived")
PARAMETER_UNITS = ("months", "days", "workdays", "days_per_week", "weeks")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses a key given twice."""

    def construct_mapping(self, node: AnyData, deep: bool = False) -> AnyData:
        """A mapping; raises ConstructorError for a repeated key."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                where = f"line {key.start_mark.line + 1}"
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is given twice ({where})")
            if isinstance(key.value, str):
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read_pack(folder: Path) -> Pack:
    """Read the pack in `folder`. Raises PackError naming every mistake."""
    mistakes = Mistakes()
    head = mapping(mistakes, "pack.yaml", _yaml(folder / "pack.yaml"))
    themes: list[tuple[str, Data]] = []
    for theme in items(mistakes, "pack.yaml: themes", head.get("themes")):
        content = _yaml(folder / f"{theme}.yaml")
        for position, item in enumerate(items(mistakes, f"{theme}.yaml", content)):
            themes.append((f"{theme}.yaml[{position}]", mapping(mistakes, f"{theme}.yaml[{position}]", item)))
    return _compiled(mistakes, head, themes)


def made_again(content: object) -> Pack:
    """The pack of a content once read (`Pack.content`, canonical JSON parsed). Raises PackError."""
    mistakes = Mistakes()
    whole = mapping(mistakes, "content", content)
    head = dict(mapping(mistakes, "pack", whole.get("pack")))
    if isinstance(head.get("derived"), dict):
        head["derived"] = _resting_first(head["derived"])
    rules = enumerate(items(mistakes, "rules", whole.get("rules")))
    return _compiled(mistakes, head, [(f"rules[{n}]", mapping(mistakes, f"rules[{n}]", rule)) for n, rule in rules])


def _resting_first(derived: Data) -> Data:
    """Deadlines in an order in which each stands after those it rests on: canonical JSON sorts them by name."""
    ordered: Data = {}
    waiting = dict(derived)
    while waiting:
        ready = [name for name, item in waiting.items() if not _operands(item) & (waiting.keys() - {name})]
        for name in ready or list(waiting):  # a circle: told where its first deadline is compiled
            ordered[name] = waiting.pop(name)
    return ordered


def _operands(item: AnyData) -> set[str]:
    parts = item.values() if isinstance(item, dict) else ()
    return {operand for part in parts if isinstance(part, list) for operand in part if isinstance(operand, str)}


def _compiled(mistakes: Mistakes, head: Data, themes: list[tuple[str, Data]]) -> Pack:
    """The pack of its head and its rules, each rule with its place. Raises PackError naming every mistake."""
    for key in head.keys() - set(PACK_KEYS):
        mistakes.known("pack.yaml", "key", key, PACK_KEYS)
    for word in ("id", "version"):
        if not isinstance(head.get(word), str) or not head[word].strip():
            mistakes.add("pack.yaml", f"{word} is missing, or is not a text (put it in quotes)")
    title = texts(mistakes, "pack.yaml: title", head.get("title"))
    sources = mapping(mistakes, "sources", head.get("sources", {}))
    parameters = _parameters(mistakes, mapping(mistakes, "parameters", head.get("parameters", {})), sources)
    editions, edition_of = _editions(mistakes, head, themes, parameters)
    _check_versions(mistakes, editions[0].rules)
    if mistakes.found:
        raise PackError(mistakes.found)
    content = {"pack": head, "rules": [item for _, item in themes]}
    return Pack(
        head["id"],
        head["version"],
        title,
        sources,
        parameters,
        tuple(editions),
        tuple(edition_of),
        content,
    )


def _editions(
    mistakes: Mistakes, head: Data, themes: list[tuple[str, Data]], parameters: Mapping[str, Parameter]
) -> tuple[list[Ruleset], list[tuple[date, int]]]:
    """The rules compiled for each set of parameter values, and from which day each set holds."""
    turns = sorted({value.valid_from for item in parameters.values() for value in item.values})
    editions: list[Ruleset] = []
    edition_of: list[tuple[date, int]] = []
    seen: dict[tuple[int, ...], int] = {}
    for turn in turns or [date.min]:
        values = {name: item.on(turn) for name, item in parameters.items()}
        key = tuple(values.values())
        if key not in seen:
            seen[key] = len(editions)
            editions.append(Compiler(mistakes if not editions else Mistakes(), values, head, themes).ruleset())
        edition_of.append((turn, seen[key]))
    return editions, edition_of


def _yaml(path: Path) -> AnyData:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a safe loader)
    except FileNotFoundError as error:
        raise PackError([f"{path.name}: there is no such file in {path.parent}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PackError([f"{path.name}: not readable YAML: {error}"]) from error


def _parameters(mistakes: Mistakes, data: Data, sources: Data) -> dict[str, Parameter]:
    found = {}
    for name, item in data.items():
        place = f"parameters.{name}"
        item = mapping(mistakes, place, item)
        mistakes.known(place, "unit", item.get("unit"), PARAMETER_UNITS)
        mistakes.known(place, "authority", item.get("authority"), AUTHORITIES)
        values = []
        for value in items(mistakes, place, item.get("values")):
            number = value.get("value") if isinstance(value, dict) else None
            if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= LARGEST_NUMBER:
                mistakes.add(place, f"expected {{from, value, source}} with a whole number, found {value!r}")
                continue
            source = sources_of(mistakes, place, value.get("source"), sources)
            values.append(DatedValue(day_of(mistakes, place, value.get("from")), number, source))
        if not values or [v.valid_from for v in values] != sorted({v.valid_from for v in values}):
            mistakes.add(place, "values must be given oldest first, each from its own day")
            values = values or [DatedValue(date.min, 0, ())]
        labels = texts(mistakes, f"{place}.label", item.get("label"))
        found[str(name)] = Parameter(
            str(name), str(item.get("unit")), tuple(values), str(item.get("authority")), labels
        )
    return found


def _check_versions(mistakes: Mistakes, rules: Sequence[Rule]) -> None:
    by_id: dict[str, list[Rule]] = {}
    for rule in rules:
        by_id.setdefault(rule.id, []).append(rule)
    for versions in by_id.values():
        versions.sort(key=lambda rule: rule.valid_from)
        for older, newer in pairwise(versions):
            if older.valid_to is None or older.valid_to >= newer.valid_from:
                mistakes.add(older.id, f"two versions are in force on {newer.valid_from}")
            elif older.valid_to.toordinal() + 1 < newer.valid_from.toordinal():
                mistakes.add(older.id, f"no version is in force between {older.valid_to} and {newer.valid_from}")
