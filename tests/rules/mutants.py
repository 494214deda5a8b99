"""Mutants of the rules: small mistakes made on purpose, each of which some case must notice.

A mutant changes one line of one rule, one derived deadline or one parameter the facts are read with. It is killed when
some check of a case no longer comes out as expected. Facts do not depend on the rules' conditions, so a case is folded
once and only the mutated rule is judged again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any as AnyData

from rules.assessment import Assessor
from rules.cases import Seen, WorkedCase, look, possible_outcomes, rule_ids, run_case
from rules.conditions import ALWAYS, All, Any, Condition, Line, Not
from rules.deriving import Derivation
from rules.engines.reference import outcome_of, reference
from rules.facts import UNKNOWN, Value
from rules.fold import PARAMETERS_READ
from rules.pack import ANY_STEP, FINDING, Pack, Rule, Ruleset

NEVER = Any(())
PAIRS = {"passed": "reached", "reached": "passed", "at_least": "at_most", "at_most": "at_least"}
OPPOSITE = {"earliest": "latest", "latest": "earliest"}


@dataclass(frozen=True)
class Mutant:
    """One mistake: whose rule (or deadline, or parameter) it is in, and what is changed."""

    of: str
    change: str


# ---- mutating conditions


def changed(condition: Condition, ruleset: Ruleset) -> Iterator[tuple[str, Condition]]:
    """Every way of changing one line of a condition, told in words, with the condition that results."""
    if isinstance(condition, Line):
        yield from _changed_line(condition, ruleset)
    elif isinstance(condition, Not):
        yield from ((f"not {told}", Not(inner)) for told, inner in changed(condition.part, ruleset))
    else:
        yield from _changed_list(condition, ruleset)


def _changed_list(condition: All | Any, ruleset: Ruleset) -> Iterator[tuple[str, Condition]]:
    kind = type(condition)
    if len(condition.parts) > 1:
        yield f"{kind.__name__.lower()} swapped", (Any if kind is All else All)(condition.parts)
    for at, part in enumerate(condition.parts):
        for told, inner in changed(part, ruleset):
            yield told, kind((*condition.parts[:at], inner, *condition.parts[at + 1 :]))


def _changed_line(line: Line, ruleset: Ruleset) -> Iterator[tuple[str, Condition]]:
    text = f"{line.fact} {line.test} {', '.join(line.values) if line.test == 'is' else line.bound}"
    yield f"[{text}] negated", Not(line)
    yield f"[{text}] always true", ALWAYS
    yield f"[{text}] never true", NEVER
    if line.test in PAIRS:
        yield f"[{text}] made {PAIRS[line.test]}", replace(line, test=PAIRS[line.test])
        yield f"[{text}] with {line.bound + 1}", replace(line, bound=line.bound + 1)
        yield f"[{text}] with {line.bound - 1}", replace(line, bound=line.bound - 1)
    if line.test == "is":
        if len(line.values) > 1:
            for value in set(line.values) & set(_allowed(line.fact, ruleset)):
                yield f"[{text}] without {value}", replace(line, values=tuple(v for v in line.values if v != value))
        for value in _allowed(line.fact, ruleset):
            if value not in line.values:
                yield f"[{text}] with {value}", replace(line, values=(*line.values, value))


def _allowed(name: str, ruleset: Ruleset) -> tuple[str, ...]:
    if name == ANY_STEP:
        return ("yes", "no")
    if name.startswith(FINDING):
        named = next(rule for rule in ruleset.rules if rule.id == name.removeprefix(FINDING))
        return tuple(possible_outcomes(named, ruleset))
    fact = ruleset.vocabulary[name]
    return (*fact.values, UNKNOWN) if fact.may_be_unknown else fact.values


def rule_mutants(rule: Rule, ruleset: Ruleset) -> Iterator[tuple[Mutant, Rule]]:
    """Every mutant of one rule. Those of the line that says when a rule speaks belong to all rules that speak so."""
    told: Counter[Mutant] = Counter()
    for mutant, mutated in _rule_mutants(rule, ruleset):
        told[mutant] += 1  # a line may stand in a rule twice
        yield (mutant if told[mutant] == 1 else replace(mutant, change=f"{mutant.change} ({told[mutant]})")), mutated


def _rule_mutants(rule: Rule, ruleset: Ruleset) -> Iterator[tuple[Mutant, Rule]]:
    line = speaking(rule)
    speaks = f"speaks: {line.fact if isinstance(line, Line) else 'after an outcome'}"
    for told, applies in changed(rule.applies, ruleset):
        same_line = line is None or (isinstance(applies, All) and applies.parts[0] == line)
        yield Mutant(rule.id if same_line else speaks, f"when: {told}"), replace(rule, applies=applies)
    settled: list[Line] = []
    for at, (outcome, condition) in enumerate(rule.steps):
        if condition not in (ALWAYS, NEVER):
            for told, inner in changed(condition, ruleset):
                if not _settled(inner, condition, settled):
                    steps = (*rule.steps[:at], (outcome, inner), *rule.steps[at + 1 :])
                    yield Mutant(rule.id, f"{outcome}: {told}"), replace(rule, steps=steps)
        settled += [condition] if isinstance(condition, Line) else []


def _settled(inner: Condition, before: Condition, settled: list[Line]) -> bool:
    """Whether a value added to a step's line never gets that far: an earlier step names it, or stops at unknown."""
    if not isinstance(inner, Line) or not isinstance(before, Line) or inner.test != "is":
        return False
    added = set(inner.values) - set(before.values)
    taken = {value for line in settled if line.fact == inner.fact for value in (*line.values, UNKNOWN)}
    return bool(added) and added <= taken


def speaking(rule: Rule) -> Condition | None:
    """The line the pack's reader adds: in which stages the rule speaks."""
    parts = rule.applies.parts if isinstance(rule.applies, All) else ()
    return parts[0] if len(parts) == 2 else None


def derivation_mutants(item: Derivation) -> Iterator[tuple[Mutant, Derivation]]:
    """Every mutant of one derived deadline."""
    if item.operation.startswith("add_"):
        for number in (item.number + 1, item.number - 1):
            yield Mutant(item.name, f"number {item.number} made {number}"), replace(item, number=number)
    elif item.operation in OPPOSITE:
        operation = OPPOSITE[item.operation]
        yield Mutant(item.name, f"{item.operation} made {operation}"), replace(item, operation=operation)
    for at in range(len(item.operands)):
        if len(item.operands) > 1 and not (item.operation == "timeliness" and at < 2):
            if item.operation == "is_after":
                continue
            operands = (*item.operands[:at], *item.operands[at + 1 :])
            yield Mutant(item.name, f"without {item.operands[at]}"), replace(item, operands=operands)
    if item.operation in ("is_after", "first_given"):
        operands = (*reversed(item.operands),)
        yield Mutant(item.name, f"operands of {item.operation} swapped"), replace(item, operands=operands)


# ---- judging mutants


@dataclass(frozen=True)
class Probe:
    """One expectation of one case, with all that is needed to judge its rule again."""

    case: WorkedCase
    day: date
    judged_on: date
    rule: Rule
    facts: Mapping[str, Value]
    expected: str | None
    expects_due: bool
    due: date | None

    def kills(self, rule: Rule, facts: Mapping[str, Value]) -> bool:
        """Whether the expectation is no longer met by this rule and these facts."""
        outcome = outcome_of(rule, facts, self.day)
        if self.expected is not None and outcome != self.expected:
            return True
        return self.expects_due and self._due(rule, facts, outcome) != self.due

    def _due(self, rule: Rule, facts: Mapping[str, Value], outcome: str) -> date | None:
        shown = {"violated": rule.overdue, "advised": rule.due}.get(outcome)
        due = facts.get(shown) if shown is not None else None
        return due if isinstance(due, date) else None


class Proof:
    """A pack and its cases, judged once, and the mutants they kill."""

    def __init__(self, pack: Pack, cases: Iterable[WorkedCase]) -> None:
        self.pack = pack
        self.cases = list(cases)
        self.probes: dict[str, list[Probe]] = defaultdict(list)
        assessor = Assessor(pack, reference)
        for case in self.cases:
            for check in case.checks:
                seen = look(case.case, check, assessor)
                for rule_id in dict.fromkeys((*check.expect, *check.due)):
                    self._probe(case, seen, rule_id, check.expect.get(rule_id, {}), check.due.get(rule_id, {}))

    def _probe(
        self,
        case: WorkedCase,
        seen: Seen,
        rule_id: str,
        expect: Mapping[AnyData, AnyData],
        due: Mapping[AnyData, AnyData],
    ) -> None:
        for name in dict.fromkeys((*expect, *due)):
            for rule in self.pack.versions(rule_id):
                for subject in seen.chosen(rule, name):
                    judged_on = seen.judged_on(rule, subject)
                    if rule.in_force(judged_on):
                        facts = seen.facts(rule, subject)
                        wanted = (expect.get(name), name in due, due.get(name))
                        probe = Probe(case, seen.day, judged_on, rule, facts, *wanted)
                        judged_by = self.pack.editions[self.edition(probe)].rules[rule.position]
                        # A check that fails as it is proves nothing.
                        self.probes[rule_id] += [] if probe.kills(judged_by, facts) else [probe]

    def edition(self, probe: Probe) -> int:
        """Which set of parameter values a probe's rule is judged by."""
        ruleset = self.pack.ruleset(probe.judged_on)
        return next(at for at, edition in enumerate(self.pack.editions) if edition is ruleset)

    def rule_results(self, rule_id: str) -> dict[Mutant, bool]:
        """Every mutant of a rule's own lines, and whether a case kills it."""
        return {mutant: killed for mutant, killed in self._results(rule_id).items() if mutant.of == rule_id}

    def speaking_results(self) -> dict[Mutant, bool]:
        """Every mutant of the lines that say when rules speak, and whether a case of some such rule kills it."""
        results: dict[Mutant, bool] = {}
        for rule_id in rule_ids(self.pack):
            for mutant, killed in self._results(rule_id).items():
                if mutant.of != rule_id:
                    results[mutant] = results.get(mutant, False) or killed
        return results

    def _results(self, rule_id: str) -> dict[Mutant, bool]:
        probes = [(self.edition(probe), probe) for probe in self.probes[rule_id]]
        results: dict[Mutant, bool] = {}
        for version in self.pack.versions(rule_id):
            position = version.position
            made = [list(rule_mutants(edition.rules[position], edition)) for edition in self.pack.editions]
            judged = [(edition, probe) for edition, probe in probes if probe.rule.position == position]
            for variants in zip(*made, strict=True):
                mutant = variants[-1][0]
                killed = any(probe.kills(variants[edition][1], probe.facts) for edition, probe in judged)
                results[mutant] = results.get(mutant, False) or killed
        return results

    def derivation_results(self, name: str) -> dict[Mutant, bool]:
        """Every mutant of a derived deadline, and whether a case kills it."""
        readers = [rule for rule in self.pack.editions[-1].rules if self.rests_on(rule, name)]
        probes = [(self.edition(probe), probe) for rule in readers for probe in self.probes[rule.id]]
        items = [next(item for item in edition.derivations if item.name == name) for edition in self.pack.editions]
        results = {}
        for variants in zip(*(list(derivation_mutants(item)) for item in items), strict=True):
            rulesets = [
                _with_derivation(edition, variant)
                for edition, (_, variant) in zip(self.pack.editions, variants, strict=True)
            ]
            results[variants[-1][0]] = any(self._derived_kills(rulesets[at], probe) for at, probe in probes)
        return results

    def _derived_kills(self, ruleset: Ruleset, probe: Probe) -> bool:
        return probe.kills(ruleset.rules[probe.rule.position], ruleset.derive(probe.rule.about, dict(probe.facts)))

    def rests_on(self, rule: Rule, name: str) -> bool:
        """Whether a rule reads a derived deadline, itself or through another."""
        derivations = {item.name: item for item in self.pack.editions[-1].derivations}
        waiting = [*rule.reads(), *filter(None, (rule.due, rule.overdue))]
        while waiting:
            read = waiting.pop()
            if read == name:
                return True
            waiting += derivations[read].operands if read in derivations else ()
        return False

    def parameter_results(self, name: str) -> dict[Mutant, bool]:
        """The two mutants of a parameter the facts are read with, and whether a case kills them."""
        results = {}
        for change in (1, -1):
            editions = tuple(
                replace(
                    item, parameters={**item.parameters, name: item.parameters[name] + change}, engines={}, _by_kind={}
                )
                for item in self.pack.editions
            )
            assessor = Assessor(replace(self.pack, editions=editions), reference)
            killed = any(run_case(case, assessor) for case in self.cases)
            results[Mutant(name, f"{change:+d}")] = killed
        return results

    def every_result(self) -> dict[Mutant, bool]:
        """Every mutant of the pack, and whether a case kills it."""
        results = self.speaking_results()
        for rule_id in rule_ids(self.pack):
            results |= self.rule_results(rule_id)
        for item in self.pack.editions[-1].derivations:
            results |= self.derivation_results(item.name)
        for name in PARAMETERS_READ:
            results |= self.parameter_results(name)
        return results


def _with_derivation(ruleset: Ruleset, mutated: Derivation) -> Ruleset:
    items = tuple(mutated if item.name == mutated.name else item for item in ruleset.derivations)
    return replace(ruleset, derivations=items, engines={}, _by_kind={})
