"""Compiling the rules of a pack with one set of parameter values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any as AnyData

from rules.conditions import ALWAYS, All, Any, Condition, Line, Not
from rules.deriving import OPERANDS, OPERATIONS, TIMELINESS, Derivation
from rules.facts import FACTS, KINDS, UNKNOWN, Fact
from rules.pack import (
    ACTIONS,
    ANY_STEP,
    AUTHORITIES,
    FINDING,
    OUTCOMES,
    ROLES,
    SEVERITIES,
    Caution,
    Rule,
    Ruleset,
)
from rules.packing.shapes import LARGEST_NUMBER, Data, Mistakes, day_of, items, mapping, sources, texts, word, words
from statemachines.charts import TRIGGERS

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

UNIT_OF = {"add_months": "months", "add_days": "days", "add_workdays": "workdays"}
#: What may stand beside each form of a rule (docs/rule-writers.md); anything else would count for nothing.
FORMS = {
    "limit": {"limit", "holds", "done", "advise_before"},
    "advise": {"advise", "done"},
    "holds": {"holds", "late"},
}
_FORM_KEYS = frozenset().union(*FORMS.values())


class Compiler:
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
        named = head.get("sources")
        self.sources: Data = named if isinstance(named, dict) else {}
        self.ids = {str(item.get("id")) for _, item in themes}
        self.vocabulary: dict[str, Fact] = dict(FACTS)

    def ruleset(self) -> Ruleset:
        """Everything of the pack, compiled."""
        derivations = []
        for name, item in mapping(self.mistakes, "derived", self.head.get("derived", {})).items():
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
        item = dict(mapping(self.mistakes, place, item))
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
        operands = items(self.mistakes, place, operands)
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
        label = texts(self.mistakes, f"{place}.label", labels)
        return Derivation(name, operation, tuple(map(str, operands)), number, label)

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
        self.mistakes.known(place, "answer (about_ending)", word(item.get("about_ending", "no")), ("yes", "no"))
        about = str(item.get("about", "case"))
        self.mistakes.known(place, "kind of subject (about)", about, KINDS)
        self.mistakes.known(place, "severity", item.get("severity"), SEVERITIES)
        self.mistakes.known(place, "authority", item.get("authority"), AUTHORITIES)
        self.mistakes.known(place, "role", item.get("role"), ROLES)
        self.mistakes.known(place, "action", item.get("action"), ACTIONS)
        guards = items(self.mistakes, f"{place}.guards", item.get("guards", []))
        for trigger in guards:
            self.mistakes.known(place, "trigger", trigger, TRIGGERS)
        valid = mapping(self.mistakes, f"{place}.valid", item.get("valid", {}))
        if "from" not in valid:
            self.mistakes.add(place, "valid: {from: …} is missing: from which day is the rule in force?")
        valid_from = day_of(self.mistakes, place, valid.get("from", "0001-01-01"))
        valid_to = day_of(self.mistakes, place, valid["to"]) if "to" in valid else None
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
            about_ending=word(item.get("about_ending")) == "yes",
            valid_from=valid_from,
            valid_to=valid_to,
            title=texts(self.mistakes, f"{place}.title", item.get("title")),
            text=texts(self.mistakes, f"{place}.text", item.get("text")),
            source=sources(self.mistakes, f"{place}.source", item.get("source"), self.sources),
            caution=self._caution(place, item.get("caution")),
            wave=0,
        )

    def _caution(self, place: str, data: AnyData) -> Caution | None:
        if data is None:
            return None
        data = dict(mapping(self.mistakes, f"{place}.caution", data))
        start = data.pop("from", None)
        text = texts(self.mistakes, f"{place}.caution", data)
        return Caution(text, day_of(self.mistakes, place, start) if start is not None else None)

    def _actions(self, place: str, item: Data, about: str) -> tuple[tuple[Condition, str], ...]:
        found = []
        for variant in items(self.mistakes, f"{place}.actions", item.get("actions", [])):
            variant = mapping(self.mistakes, f"{place}.actions", variant)
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
        for key, value in mapping(self.mistakes, place, data).items():
            if key in ("any", "all"):
                inner = tuple(self.condition(place, part, about) for part in items(self.mistakes, place, value))
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
            return self._is(place, fact, words(value))
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
            self.mistakes.known(place, "answer", word(bound), ("yes", "no"))
            given = Line(name, "given")
            return given if word(bound) == "yes" else Not(given)
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
