"""Why a rule came out as it did: clause by clause with the values met, and the smallest change that would alter it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations, product
from typing import Any

from rules.assessment import Assessor, Proposal
from rules.conditions import All, Condition, Line, Not, lines
from rules.conditions import Any as AnyOf
from rules.deriving import Derivation
from rules.engines.reference import outcome_of
from rules.facts import UNKNOWN, Fact, Value
from rules.findings import Finding, caution_text, found_by
from rules.fold import Subject, fold
from rules.pack import FINDING, Rule, Ruleset

_ANY_STEP_LABELS = {
    "fi": "jokin muu askel on avoinna",
    "sv": "något annat steg är öppet",
    "en": "another step is open",
}
_TRUTH = ("false", "unknown", "true")
#: How far a date is moved when looking for the smallest change.
_FARTHEST_DAYS = 3 * 366


@dataclass(frozen=True, slots=True)
class Clause:
    """One line of a rule with the value it met; or (fact None) the head of a group joined by `join`.

    `part` is `applies`, or the outcome the line leads to. `derived` tells how a deadline came about.
    """

    part: str
    depth: int
    join: str | None
    fact: Fact | None
    test: str
    value: Value
    truth: str
    derived: str | None

    def as_json(self, lang: str) -> dict[str, Any]:
        """The clause for programs and pages."""
        return {
            "part": self.part,
            "depth": self.depth,
            "join": self.join,
            "fact": self.fact.name if self.fact is not None else None,
            "label": self.fact.labels.get(lang, self.fact.name) if self.fact is not None else None,
            "test": self.test,
            "value": _plain(self.value),
            "truth": self.truth,
            "derived": self.derived,
            "read_from": self.fact.read_from if self.fact is not None else None,
        }


@dataclass(frozen=True, slots=True)
class Alternative:
    """Facts that, changed together, would bring another outcome: each with its value now and then."""

    facts: tuple[tuple[Fact, Value, Value], ...]
    outcome: str

    def as_json(self, lang: str) -> dict[str, Any]:
        """The alternative for programs and pages."""
        facts = [
            {"fact": fact.name, "label": fact.labels.get(lang, fact.name), "from": _plain(now), "to": _plain(then)}
            for fact, now, then in self.facts
        ]
        return {"facts": facts, "outcome": self.outcome}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One rule for one subject: its outcome, its clauses, and what would change it."""

    rule: Rule
    subject: Subject
    outcome: str
    judged_on: date
    as_of: date
    clauses: tuple[Clause, ...]
    changes: tuple[Alternative, ...]

    def as_json(self, lang: str) -> dict[str, Any]:
        """The explanation for programs and pages."""
        rule = self.rule
        return {
            "rule": rule.id,
            "title": rule.title[lang],
            "text": rule.text[lang],
            "outcome": self.outcome,
            "subject": {"kind": self.subject.kind, "entry": self.subject.entry},
            "judged_on": self.judged_on.isoformat(),
            "in_force": {"from": rule.valid_from.isoformat(), "to": _plain(rule.valid_to)},
            "severity": rule.severity,
            "source": [dict(source) for source in rule.source],
            "authority": rule.authority,
            "caution": caution_text(rule, self.as_of, lang),
            "clauses": [clause.as_json(lang) for clause in self.clauses],
            "changes": [change.as_json(lang) for change in self.changes],
        }


def explain(
    assessor: Assessor,
    case: Any,
    as_of: date,
    rule_id: str,
    *,
    known_at: datetime | None = None,
    proposal: Proposal | None = None,
) -> list[Explanation]:
    """Explain one rule for each current subject it is about, whether it applies or not.

    Raises ValueError for an unknown rule, and what `Assessor.assess` raises.
    """
    if not assessor.pack.versions(rule_id):
        raise ValueError(f"unknown rule {rule_id!r}")
    read = assessor.history(case, as_of, known_at)
    if proposal is not None:
        read = read.and_then(proposal.entry(as_of))
    folded = fold(read, as_of)
    found = {item.key: item for item in assessor.judge(read, as_of).findings(folded.subjects)}
    return [
        _explained(assessor, rule, subject, as_of, found)
        for subject in folded.subjects
        for rule in assessor.pack.versions(rule_id)
        if rule.about == subject.kind
    ]


def _explained(
    assessor: Assessor, rule: Rule, subject: Subject, as_of: date, found: Mapping[Any, Finding]
) -> Explanation:
    finding = found.get((rule.id, subject.kind, subject.entry))
    event = subject.facts.get(rule.event) if rule.event is not None else None
    judged_on = finding.judged_on if finding is not None else event if isinstance(event, date) else as_of
    ruleset = assessor.pack.ruleset(judged_on)
    rule = ruleset.rules[rule.position]
    facts = dict(finding.facts) if finding is not None else ruleset.derive(subject.kind, dict(subject.facts))
    for wave in ruleset.waves:
        if wave.number == rule.wave:
            facts.update(found_by(wave, [item for item in found.values() if item.rule.wave < rule.wave]))
    if not rule.in_force(judged_on):
        outcome = "not_in_force"
    else:
        outcome = finding.outcome if finding is not None else "not_applicable"
    clauses = tuple(_clauses(rule, facts, as_of, ruleset))
    changes = tuple(_smallest_changes(rule, facts, as_of, ruleset, outcome)) if outcome != "not_in_force" else ()
    return Explanation(rule, subject, outcome, judged_on, as_of, clauses, changes)


# --- clauses ---


def _clauses(rule: Rule, facts: Mapping[str, Value], day: date, ruleset: Ruleset) -> Iterator[Clause]:
    yield from _part("applies", rule.applies, facts, day, ruleset, 0)
    for outcome, condition in rule.steps:
        yield from _part(outcome, condition, facts, day, ruleset, 0)


def _part(
    part: str, condition: Condition, facts: Mapping[str, Value], day: date, ruleset: Ruleset, depth: int
) -> Iterator[Clause]:
    truth = _TRUTH[condition.truth(facts, day)]
    if isinstance(condition, Line):
        if condition.fact.endswith(".in_view") and truth == "true":
            return  # worth telling only when the stage silences the rule
        fact = ruleset.vocabulary.get(condition.fact) or _finding_fact(condition.fact, ruleset)
        derived = _derived(condition.fact, facts, ruleset)
        yield Clause(part, depth, None, fact, test_text(condition), facts[condition.fact], truth, derived)
        return
    if isinstance(condition, Not):
        inner = condition.part
        if isinstance(inner, Line):
            for clause in _part(part, inner, facts, day, ruleset, depth):
                yield Clause(part, depth, None, clause.fact, f"not {clause.test}", clause.value, truth, clause.derived)
            return
        yield Clause(part, depth, "not", None, "", None, truth, None)
        yield from _part(part, inner, facts, day, ruleset, depth + 1)
        return
    flat = isinstance(condition, All) and depth == 0
    if not flat and condition.parts:
        yield Clause(part, depth, "any" if isinstance(condition, AnyOf) else "all", None, "", None, truth, None)
    for inner in condition.parts:
        yield from _part(part, inner, facts, day, ruleset, depth if flat else depth + 1)


def _finding_fact(name: str, ruleset: Ruleset) -> Fact:
    titles = {FINDING + rule.id: dict(rule.title) for rule in ruleset.rules}
    return Fact(name, "enum", titles.get(name, _ANY_STEP_LABELS), "the other findings")


def test_text(line: Line) -> str:
    """A line's test in the pack's words."""
    if line.test == "is":
        return " | ".join(line.values)
    return line.test if line.test == "given" else f"{line.test} {line.bound}"


def _derived(name: str, facts: Mapping[str, Value], ruleset: Ruleset) -> str | None:
    derivation = next((item for item in ruleset.derivations if item.name == name), None)
    if derivation is None:
        return None
    operands = [f"{operand} {_plain(facts.get(operand))}" for operand in derivation.operands]
    number = [str(derivation.number)] if derivation.operation.startswith("add_") else []
    return f"{derivation.operation}({', '.join(operands + number)})"


# --- the smallest change ---


def _smallest_changes(
    rule: Rule, facts: Mapping[str, Value], day: date, ruleset: Ruleset, outcome: str
) -> Iterator[Alternative]:
    """Changes of one recorded fact that bring another outcome; else of two. What the charts say is not changed."""
    search = _Search(rule, facts, day, ruleset)
    now = search.outcome({})
    if now != outcome:  # a rule that another wave or version decided is not searched
        return
    alone = [(fact, value) for fact in search.facts for value in search.values(fact)]
    found = list(_alternatives(search, ([change] for change in alone), now))
    if not found:
        pairs = (
            [(one, a), (two, b)]
            for one, two in combinations(search.facts, 2)
            for a, b in product(search.values(one), search.values(two))
        )
        found = list(_alternatives(search, pairs, now))
    yield from found


def _alternatives(search: _Search, changes: Iterator[list[tuple[Fact, Value]]], now: str) -> Iterator[Alternative]:
    seen: set[tuple[tuple[str, ...], str]] = set()
    for change in changes:
        outcome = search.outcome({fact.name: value for fact, value in change})
        key = (tuple(fact.name for fact, _ in change), outcome)
        if outcome not in (now, UNKNOWN) and key not in seen:
            seen.add(key)
            yield Alternative(tuple((fact, search.met[fact.name], value) for fact, value in change), outcome)


class _Search:
    """Tries other values of the recorded facts that a rule rests on."""

    def __init__(self, rule: Rule, facts: Mapping[str, Value], day: date, ruleset: Ruleset) -> None:
        self.rule, self.met, self.day = rule, facts, day
        self._derivations = {item.name: item for item in ruleset.derivations}
        names = dict.fromkeys(name for read in rule.reads() for name in self._recorded(read))
        known = [ruleset.vocabulary[name] for name in names if name in ruleset.vocabulary]
        self.facts = [fact for fact in known if not _of_the_charts(fact)]
        self._needed = self._order(rule)

    def _recorded(self, name: str) -> list[str]:
        if name not in self._derivations:
            return [name]
        return [found for operand in self._derivations[name].operands for found in self._recorded(operand)]

    def _order(self, rule: Rule) -> list[Derivation]:
        needed: dict[str, Derivation] = {}

        def visit(name: str) -> None:
            if name in self._derivations and name not in needed:
                for operand in self._derivations[name].operands:
                    visit(operand)
                needed[name] = self._derivations[name]

        for read in rule.reads():
            visit(read)
        return list(needed.values())

    def outcome(self, changes: Mapping[str, Value]) -> str:
        """The outcome with some facts changed."""
        facts = {**self.met, **changes}
        for derivation in self._needed:
            facts[derivation.name] = derivation.value(facts)
        return outcome_of(self.rule, facts, self.day)

    def values(self, fact: Fact) -> list[Value]:
        """Other values to try for a fact, nearest first."""
        now = self.met[fact.name]
        if fact.type in ("yes_no", "enum"):
            return [value for value in fact.values if value != now]
        if fact.type == "number":
            bounds = [line.bound for part in self.rule.conditions() for line in lines(part) if line.fact == fact.name]
            return [value for bound in bounds for value in (bound, bound - 1, bound + 1) if value != now]
        nearest = self._nearest_days(fact, now if isinstance(now, date) else self.day)
        if now is None or (isinstance(now, date) and now <= self.day):  # what has happened cannot move ahead of today
            nearest = [value for value in nearest if isinstance(value, date) and value <= self.day]
        return [*nearest, *([None] if now is not None else [self.day])]

    def _nearest_days(self, fact: Fact, start: date) -> list[Value]:
        """The nearest day on each side of `start` that brings another outcome, found by halving."""
        found: list[Value] = []
        here = self.outcome({fact.name: start})
        for side in (1, -1):
            near, far = 0, _FARTHEST_DAYS
            if self.outcome({fact.name: start + timedelta(days=side * far)}) == here:
                continue
            while far - near > 1:
                middle = (near + far) // 2
                same = self.outcome({fact.name: start + timedelta(days=side * middle)}) == here
                near, far = (middle, far) if same else (near, middle)
            found.append(start + timedelta(days=side * far))
        return found


def _of_the_charts(fact: Fact) -> bool:
    return "chart" in fact.read_from or fact.read_from in ("the stage", "the proposal")


def _plain(value: Value) -> Any:
    return value.isoformat() if isinstance(value, date) else value
