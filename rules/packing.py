"""Reading a pack's YAML into rules: every name is checked, every mistake is told with its place and what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any as AnyData

import yaml

from rules.conditions import ALWAYS, All, Any, Condition, Line, Not, lines
from rules.deriving import OPERANDS, OPERATIONS, TIMELINESS, Derivation
from rules.facts import FACTS, KINDS, UNKNOWN, Fact
from rules.pack import (
    ACTIONS,
    AUTHORITIES,
    LANGUAGES,
    OUTCOMES,
    ROLES,
    SEVERITIES,
    Caution,
    DatedValue,
    Pack,
    PackError,
    Parameter,
    Rule,
    Ruleset,
)
from statemachines.charts import TRIGGERS

Data = dict[str, AnyData]

RULE_KEYS = frozenset(
    [
        "id",
        "about",
        "title",
        "text",
        "source",
        "authority",
        "severity",
        "valid",
        "event",
        "when",
        "speaks",
        "holds",
        "late",
        "advise",
        "done",
        "limit",
        "advise_before",
        "due",
        "overdue",
        "guards",
        "action",
        "actions",
        "role",
        "about_ending",
        "caution",
    ]
)
PACK_KEYS = ("id", "version", "title", "themes", "sources", "parameters", "derived")
UNIT_OF = {"add_months": "months", "add_days": "days", "add_workdays": "workdays"}
PARAMETER_UNITS = ("months", "days", "workdays", "days_per_week", "weeks")
FINDING = "finding."
#: What a rule may ask of other findings: another rule's outcome, or whether any finding gives a step.
ANY_STEP = "finding.any_step"
#: No parameter of the law or of local choice is larger; a larger number is a slip.
LARGEST_NUMBER = 10_000
#: What may stand beside each form of a rule (docs/rule-writers.md); anything else would count for nothing.
FORMS = {
    "limit": {"limit", "holds", "done", "advise_before"},
    "advise": {"advise", "done"},
    "holds": {"holds", "late"},
}
_FORM_KEYS = frozenset().union(*FORMS.values())


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


class Mistakes:
    """Mistakes of a pack, collected so that a rule writer sees all of them at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, place: str, message: str) -> None:
        """Note one mistake."""
        self.found.append(f"{place}: {message}")

    def known(self, place: str, what: str, name: AnyData, names: Iterable[str]) -> bool:
        """Whether `name` is one of `names`; a mistake with the nearest name if not."""
        names = list(names)
        if isinstance(name, str) and name in names:
            return True
        near = get_close_matches(str(name), names, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(names[:12])}"
        self.add(place, f"unknown {what} {name!r}{hint}")
        return False


def read_pack(folder: Path) -> Pack:
    """Read the pack in `folder`. Raises PackError naming every mistake."""
    mistakes = Mistakes()
    head = _mapping(mistakes, "pack.yaml", _yaml(folder / "pack.yaml"))
    themes: list[tuple[str, Data]] = []
    for key in head.keys() - set(PACK_KEYS):
        mistakes.known("pack.yaml", "key", key, PACK_KEYS)
    for word in ("id", "version"):
        if not isinstance(head.get(word), str) or not head[word].strip():
            mistakes.add("pack.yaml", f"{word} is missing, or is not a text (put it in quotes)")
    title = _texts(mistakes, "pack.yaml: title", head.get("title"))
    sources = _mapping(mistakes, "sources", head.get("sources", {}))
    for theme in _items(mistakes, "pack.yaml: themes", head.get("themes")):
        content = _yaml(folder / f"{theme}.yaml")
        for position, item in enumerate(_items(mistakes, f"{theme}.yaml", content)):
            themes.append((f"{theme}.yaml[{position}]", _mapping(mistakes, f"{theme}.yaml[{position}]", item)))
    parameters = _parameters(mistakes, _mapping(mistakes, "parameters", head.get("parameters", {})), sources)
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
            editions.append(_Compiler(mistakes if not editions else Mistakes(), values, head, themes).ruleset())
        edition_of.append((turn, seen[key]))
    return editions, edition_of


def _yaml(path: Path) -> AnyData:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a safe loader)
    except FileNotFoundError as error:
        raise PackError([f"{path.name}: there is no such file in {path.parent}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PackError([f"{path.name}: not readable YAML: {error}"]) from error


def _mapping(mistakes: Mistakes, place: str, data: AnyData) -> Data:
    if isinstance(data, dict):
        return data
    mistakes.add(place, f"expected keys with values, found {type(data).__name__}")
    return {}


def _items(mistakes: Mistakes, place: str, data: AnyData) -> list[AnyData]:
    if isinstance(data, list):
        return data
    mistakes.add(place, f"expected a list, found {type(data).__name__}")
    return []


def _word(value: AnyData) -> AnyData:
    """YAML readers make booleans of yes and no; a rule means the words."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _words(value: AnyData) -> list[AnyData]:
    return [_word(item) for item in value] if isinstance(value, list) else [_word(value)]


def _day(mistakes: Mistakes, place: str, value: AnyData) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        mistakes.add(place, f"expected a day such as 2020-01-01, found {value!r}")
        return date.min


def _texts(mistakes: Mistakes, place: str, data: AnyData) -> dict[str, str]:
    texts = _mapping(mistakes, place, data)
    for language in LANGUAGES if isinstance(data, dict) else ():
        if not isinstance(texts.get(language), str) or not texts[language].strip():
            mistakes.add(place, f"the text in {language} is missing")
    return {language: str(texts.get(language, "")).strip() for language in LANGUAGES}


def _sources(mistakes: Mistakes, place: str, data: AnyData, named: Data) -> tuple[Mapping[str, str], ...]:
    if not isinstance(data, list) or not data:
        mistakes.add(place, "a source is missing: [{document: …, section: …}]")
        return ()
    for item in data:
        if not isinstance(item, dict) or not {"document", "section"} >= item.keys() or "document" not in item:
            mistakes.add(place, f"expected {{document, section}}, found {item!r}")
        else:
            mistakes.known(place, "document of the pack's sources", str(item["document"]), map(str, named))
    return tuple({key: str(value) for key, value in item.items()} for item in data if isinstance(item, dict))


def _parameters(mistakes: Mistakes, data: Data, sources: Data) -> dict[str, Parameter]:
    found = {}
    for name, item in data.items():
        place = f"parameters.{name}"
        item = _mapping(mistakes, place, item)
        mistakes.known(place, "unit", item.get("unit"), PARAMETER_UNITS)
        mistakes.known(place, "authority", item.get("authority"), AUTHORITIES)
        values = []
        for value in _items(mistakes, place, item.get("values")):
            number = value.get("value") if isinstance(value, dict) else None
            if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= LARGEST_NUMBER:
                mistakes.add(place, f"expected {{from, value, source}} with a whole number, found {value!r}")
                continue
            source = _sources(mistakes, place, value.get("source"), sources)
            values.append(DatedValue(_day(mistakes, place, value.get("from")), number, source))
        if not values or [v.valid_from for v in values] != sorted({v.valid_from for v in values}):
            mistakes.add(place, "values must be given oldest first, each from its own day")
            values = values or [DatedValue(date.min, 0, ())]
        labels = _texts(mistakes, f"{place}.label", item.get("label"))
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


class _Compiler:
    """Compiles the themes' rules with one set of parameter values."""

    def __init__(self, mistakes: Mistakes, parameters: Mapping[str, int], head: Data, themes: list[tuple[str, Data]]):
        self.mistakes = mistakes
        self.parameters = parameters
        self.head = head
        self.themes = themes
        self.used: set[str] = set()
        declared = head.get("parameters")
        items = declared.items() if isinstance(declared, dict) else ()
        self.units = {str(name): item.get("unit") for name, item in items if isinstance(item, dict)}
        sources = head.get("sources")
        self.sources: Data = sources if isinstance(sources, dict) else {}
        self.ids = {str(item.get("id")) for _, item in themes}
        self.vocabulary: dict[str, Fact] = dict(FACTS)

    def ruleset(self) -> Ruleset:
        """Everything of the pack, compiled."""
        derivations = []
        for name, item in _mapping(self.mistakes, "derived", self.head.get("derived", {})).items():
            derivation = self._derivation(name, item)
            if derivation is not None:
                derivations.append(derivation)
                self.vocabulary[name] = derivation.declared(self.vocabulary)
        rules = [self._rule(place, item, position) for position, (place, item) in enumerate(self.themes)]
        rules = _in_waves(self.mistakes, rules)
        self._check_use(derivations, rules)
        return Ruleset(self.parameters, tuple(derivations), tuple(rules))

    def _check_use(self, derivations: list[Derivation], rules: list[Rule]) -> None:
        from rules.fold import PARAMETERS_READ

        for name in PARAMETERS_READ:
            if name not in self.parameters:
                self.mistakes.add("parameters", f"{name} is missing: the facts are read with it")
        for name in self.parameters.keys() - self.used - set(PARAMETERS_READ):
            self.mistakes.add(f"parameters.{name}", "no rule, deadline or fact uses this parameter")
        read = {name for rule in rules for name in (*rule.reads(), rule.due, rule.event)}
        read |= {operand for derivation in derivations for operand in derivation.operands}
        for derivation in derivations:
            if derivation.name not in read:
                self.mistakes.add(f"derived.{derivation.name}", "no rule uses this deadline")

    # --- deadlines ---

    def _derivation(self, name: str, item: AnyData) -> Derivation | None:
        place = f"derived.{name}"
        name = str(name)
        item = dict(_mapping(self.mistakes, place, item))
        if name in FACTS:
            self.mistakes.add(place, "is the name of a recorded fact; a deadline needs one of its own")
        labels = item.pop("label", None)
        if len(item) != 1:
            self.mistakes.add(place, f"expected one operation of {', '.join(OPERATIONS)}")
            return None
        ((operation, operands),) = item.items()
        self.mistakes.known(place, "kind", name.split(".", 1)[0], KINDS)
        if not self.mistakes.known(place, "operation", operation, OPERATIONS):
            return None
        number = 0
        operands = _items(self.mistakes, place, operands)
        if operation.startswith("add_"):
            if len(operands) != 2:
                self.mistakes.add(place, f"{operation} takes a date and a number")
                return None
            number = self._number(place, operands[1], UNIT_OF[operation])
            operands = operands[:1]
        elif len(operands) not in OPERANDS[operation]:
            self.mistakes.add(place, f"{operation} takes {' or '.join(map(str, OPERANDS[operation]))} dates")
            return None
        for operand in operands:
            self._date_fact(place, operand, name.split(".", 1)[0])
        texts = _texts(self.mistakes, f"{place}.label", labels)
        return Derivation(name, operation, tuple(map(str, operands)), number, texts)

    def _number(self, place: str, value: AnyData, unit: str | None = None) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER:
            return value
        negative = isinstance(value, str) and value.startswith("-")
        name = value[1:] if negative else value
        if not self.mistakes.known(place, "parameter", name, self.parameters):
            return 0
        self.used.add(name)
        if unit is not None and self.units.get(name) != unit:
            self.mistakes.add(place, f"{name} is a number of {self.units.get(name)}, expected {unit}")
        return -self.parameters[name] if negative else self.parameters[name]

    # --- rules ---

    def _rule(self, place: str, item: Data, position: int) -> Rule:
        place = f"{place.split('[')[0]}: {item.get('id', place)}"
        for key in item.keys() - RULE_KEYS:
            self.mistakes.known(place, "key", key, sorted(RULE_KEYS))
        if not isinstance(item.get("id"), str) or not item["id"].strip():
            self.mistakes.add(place, "the rule has no id")
        self.mistakes.known(place, "answer (about_ending)", _word(item.get("about_ending", "no")), ("yes", "no"))
        about = str(item.get("about", "case"))
        self.mistakes.known(place, "kind of subject (about)", about, KINDS)
        self.mistakes.known(place, "severity", item.get("severity"), SEVERITIES)
        self.mistakes.known(place, "authority", item.get("authority"), AUTHORITIES)
        self.mistakes.known(place, "role", item.get("role"), ROLES)
        self.mistakes.known(place, "action", item.get("action"), ACTIONS)
        guards = _items(self.mistakes, f"{place}.guards", item.get("guards", []))
        for trigger in guards:
            self.mistakes.known(place, "trigger", trigger, TRIGGERS)
        valid = _mapping(self.mistakes, f"{place}.valid", item.get("valid", {}))
        if "from" not in valid:
            self.mistakes.add(place, "valid: {from: …} is missing: from which day is the rule in force?")
        valid_from = _day(self.mistakes, place, valid.get("from", "0001-01-01"))
        valid_to = _day(self.mistakes, place, valid["to"]) if "to" in valid else None
        if valid_to is not None and valid_to < valid_from:
            self.mistakes.add(place, f"is in force from {valid_from} to {valid_to}: it ends before it begins")
        applies = All((*_speaks(self.mistakes, place, item, about), self.condition(place, item.get("when", {}), about)))
        steps, otherwise = self._steps(place, item, about)
        return Rule(
            id=str(item.get("id", "")),
            position=position,
            about=about,
            applies=applies,
            steps=steps,
            otherwise=otherwise,
            severity=str(item.get("severity")),
            authority=str(item.get("authority")),
            action=str(item.get("action")),
            actions=self._actions(place, item, about),
            role=str(item.get("role")),
            guards=tuple(str(trigger) for trigger in guards),
            event=self._date_fact(place, item.get("event"), about),
            due=self._date_fact(place, item.get("due", item.get("limit")), about),
            overdue=self._date_fact(place, item.get("overdue", item.get("due", item.get("limit"))), about),
            about_ending=_word(item.get("about_ending")) == "yes",
            valid_from=valid_from,
            valid_to=valid_to,
            title=_texts(self.mistakes, f"{place}.title", item.get("title")),
            text=_texts(self.mistakes, f"{place}.text", item.get("text")),
            source=_sources(self.mistakes, f"{place}.source", item.get("source"), self.sources),
            caution=self._caution(place, item.get("caution")),
            wave=0,
        )

    def _caution(self, place: str, data: AnyData) -> Caution | None:
        if data is None:
            return None
        data = dict(_mapping(self.mistakes, f"{place}.caution", data))
        start = data.pop("from", None)
        texts = _texts(self.mistakes, f"{place}.caution", data)
        return Caution(texts, _day(self.mistakes, place, start) if start is not None else None)

    def _actions(self, place: str, item: Data, about: str) -> tuple[tuple[Condition, str], ...]:
        found = []
        for variant in _items(self.mistakes, f"{place}.actions", item.get("actions", [])):
            variant = _mapping(self.mistakes, f"{place}.actions", variant)
            self.mistakes.known(f"{place}.actions", "action", variant.get("action"), ACTIONS)
            found.append((self.condition(place, variant.get("when", {}), about), str(variant.get("action"))))
        return tuple(found)

    def _steps(self, place: str, item: Data, about: str) -> tuple[tuple[tuple[str, Condition], ...], str]:
        """The decision list of a rule: which of the forms of docs/rule-writers.md it has."""
        form = next((key for key in FORMS if key in item), None)
        for key in sorted(_FORM_KEYS & item.keys() - FORMS.get(form or "", set())):
            self.mistakes.add(place, f"{key} counts for nothing beside {form}" if form else f"{key} needs a limit")
        if {"limit", "holds", "done"} <= item.keys():
            self.mistakes.add(place, "holds counts for nothing beside limit and done")
        if "limit" in item:
            return self._limit_steps(place, item, about)
        if "advise" in item:
            self.mistakes.known(place, "form of advice", item["advise"], ("open",))
            if "done" not in item:
                return (), "advised"
            return (("satisfied", self.condition(place, item["done"], about)),), "advised"
        if "holds" not in item:
            self.mistakes.add(place, "expected one of holds, advise, limit")
        holds = self.condition(place, item.get("holds", {}), about)
        if "late" not in item:
            return (("satisfied", holds),), "violated"
        late = self.condition(f"{place}.late", item["late"], about)
        return (("satisfied", holds), ("remedied", late)), "violated"

    def _limit_steps(self, place: str, item: Data, about: str) -> tuple[tuple[tuple[str, Condition], ...], str]:
        limit = self._date_fact(place, item["limit"], about)
        if limit is None:
            return (), "satisfied"
        passed: Condition = Line(limit, "passed")
        advise = item.get("advise_before", "always")
        ahead: Condition = Any(())
        if advise == "when_due":  # open while there is a day to meet
            ahead = Line(limit, "given")
        elif advise not in ("always", "never"):
            ahead = Line(limit, "reached", bound=-self._number(place, advise))
        if "done" in item:
            done = str(item["done"])
            fact = self._fact(place, done, about)
            if fact is not None and fact.values != TIMELINESS:
                self.mistakes.add(place, f"done: {done} does not tell whether it was in time (a timeliness deadline)")
            in_time, late = Line(done, "is", ("in_time",)), Line(done, "is", ("late",))
            steps = (("satisfied", in_time), ("remedied", late), ("violated", passed))
            return (steps, "advised") if advise == "always" else ((*steps, ("advised", ahead)), "satisfied")
        if "holds" in item:
            passed = Any((Not(self.condition(place, item["holds"], about)), passed))
        if advise == "always":
            return (("violated", passed),), "advised"
        return (("violated", passed), ("advised", ahead)), "satisfied"

    # --- conditions ---

    def condition(self, place: str, data: AnyData, about: str) -> Condition:
        """A condition from its YAML: see rules.conditions."""
        if isinstance(data, list):
            return All(tuple(self.condition(place, part, about) for part in data))
        parts: list[Condition] = []
        for key, value in _mapping(self.mistakes, place, data).items():
            if key in ("any", "all"):
                inner = tuple(self.condition(place, part, about) for part in _items(self.mistakes, place, value))
                parts.append(Any(inner) if key == "any" else All(inner))
            elif key == "not":
                parts.append(Not(self.condition(place, value, about)))
            else:
                parts.append(self._line(f"{place}.{key}", key, value, about))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _line(self, place: str, name: str, value: AnyData, about: str) -> Condition:
        fact = self._fact(place, name, about)
        if fact is None:
            return ALWAYS
        if isinstance(value, dict) and value.keys() == {"not"}:
            return Not(self._line(place, name, value["not"], about))
        if not isinstance(value, dict):
            return self._is(place, fact, _words(value))
        if len(value) != 1:
            self.mistakes.add(place, f"expected one test, found {value!r}")
            return ALWAYS
        ((test, bound),) = value.items()
        allowed = {"number": ("at_least", "at_most", "given"), "date": ("passed", "reached", "given")}.get(
            fact.type, ()
        )
        if not self.mistakes.known(place, f"test of a {fact.type}", test, allowed):
            return ALWAYS
        if test == "given":
            self.mistakes.known(place, "answer", _word(bound), ("yes", "no"))
            given = Line(name, "given")
            return given if _word(bound) == "yes" else Not(given)
        return Line(name, test, bound=self._number(place, bound))

    def _is(self, place: str, fact: Fact, values: list[AnyData]) -> Condition:
        if fact.type not in ("enum", "yes_no"):
            self.mistakes.add(place, f"{fact.name} is a {fact.type}: give it a test such as {{given: yes}}")
            return ALWAYS
        for value in values:
            self.mistakes.known(place, "value", value, (*fact.values, UNKNOWN) if fact.may_be_unknown else fact.values)
        return Line(fact.name, "is", tuple(str(value) for value in values))

    def _fact(self, place: str, name: str, about: str) -> Fact | None:
        if str(name).startswith(("checklist", "readiness", "chk-")):
            self.mistakes.add(place, f"{name}: no rule may read a checklist answer (SPEC §4.3)")
            return None
        if str(name).startswith(FINDING):
            return self._finding(place, name)
        readable = [key for key in self.vocabulary if key.split(".", 1)[0] in ("case", about)]
        return self.vocabulary[name] if self.mistakes.known(place, "fact", name, readable) else None

    def _finding(self, place: str, name: str) -> Fact | None:
        if name == ANY_STEP:
            return Fact(name, "yes_no", {}, "the other findings", ("yes", "no"))
        if not self.mistakes.known(place, "rule", name.removeprefix(FINDING), sorted(self.ids)):
            return None
        outcomes = tuple(outcome for outcome in OUTCOMES if outcome != UNKNOWN)
        return Fact(name, "enum", {}, "a finding", outcomes, may_be_unknown=True)

    def _date_fact(self, place: str, name: AnyData, about: str) -> str | None:
        if name is None:
            return None
        fact = self._fact(place, str(name), about)
        if fact is None:
            return None
        if fact.type != "date":
            self.mistakes.add(place, f"{name} is a {fact.type}, expected a date")
            return None
        return fact.name


def _speaks(mistakes: Mistakes, place: str, item: Data, about: str) -> tuple[Condition, ...]:
    """In which stages a rule speaks (SPEC §4): `open` (default), `after_outcome` (also then), or `always`."""
    speaks = item.get("speaks", "open")
    if not mistakes.known(place, "speaks", speaks, ("open", "after_outcome", "always")) or speaks == "always":
        return ()
    if speaks == "after_outcome":
        return (Not(Line("case.stage", "is", ("closed",))),)
    kind = about if about in ("activity", "pause", "trial", "job") else "case"
    return (Line(f"{kind}.in_view", "is", ("yes",)),)


def _in_waves(mistakes: Mistakes, rules: list[Rule]) -> list[Rule]:
    """The rules, each with its wave: rules that build on findings come after the rules they read."""
    wave = {rule.id: 0 for rule in rules}
    for _ in range(len(wave) + 1):
        moved = False
        for rule in rules:
            needs = [name.removeprefix(FINDING) for name in rule.reads() if name.startswith(FINDING)]
            others = [wave[other] for other in wave if other != rule.id] if ANY_STEP in rule.reads() else []
            after = max([wave[need] + 1 for need in needs if need in wave] + [other + 1 for other in others], default=0)
            moved = moved or after > wave[rule.id]
            wave[rule.id] = max(wave[rule.id], after)
        if not moved:
            return [replace(rule, wave=wave[rule.id]) for rule in rules]
    mistakes.add("rules", "some rules read each other's findings in a circle")
    return rules


def facts_read(rules: Iterable[Rule]) -> set[str]:
    """The names of all facts that decide some rule's outcome or action."""
    found = {name for rule in rules for name in rule.reads()}
    return found | {line.fact for rule in rules for when, _ in rule.actions for line in lines(when)}
