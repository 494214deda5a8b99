"""durable-rules inside its safe envelope (ADR 2): the only module that imports it.

Measured dangers and what fences them off here:

* background timer threads crash the process: a quiet host starts none;
* a fact that matches nothing, or a state deleted before any action ran, frees garbage: every ruleset has a catch-all;
* a pattern the engine's own state fact satisfies fires for ever: every pattern begins with the guard on `kind`;
* comparing with a missing or null attribute reads stale memory: every attribute is always given, comparisons are
  with constants only;
* more than 64 matching siblings break it: at most MAX_PATHS branches a ruleset, more are sharded;
* after an error nothing of a host can be trusted: it is dropped and built anew, and the error raised;
* it is not safe for threads: one lock an engine.

Findings build on findings by forward chaining: what earlier waves found is asserted as a second fact, and rules of
later waves join the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from threading import Lock
from typing import Any

from durable import engine as durable_engine

from rules.engines.base import EngineError, Outcomes, rules_of_wave
from rules.engines.branches import Between, Branch, OneOf, encode, outcome_branches
from rules.engines.reference import rules_by_wave
from rules.facts import Fact, Value
from rules.pack import OUTCOMES, Rule, Ruleset

MAX_PATHS = 60
MAX_ATTRIBUTES = 120
MAX_TEXT = 200
_GUARD, _FOUND, _SID = "kind", "found", "0"
_OPERATORS = frozenset({"$gte", "$lte", "$neq"})

Test = dict[str, Any]


class _QuietHost(durable_engine.Host):  # type: ignore[misc]
    """A host without the two endless chains of timer threads."""

    def _run(self) -> None:
        pass


def attribute_tests(attribute: str, constraint: Between | OneOf) -> list[Test]:
    """The engine's tests for one constraint: comparisons of the attribute with constants."""
    if isinstance(constraint, Between):
        if constraint.least == constraint.greatest:
            return [{attribute: constraint.least}]
        ends = (("$gte", constraint.least), ("$lte", constraint.greatest))
        return [{operator: {attribute: bound}} for operator, bound in ends if abs(bound) < 10**8]
    if len(constraint.words) == 1:
        return [{attribute: next(iter(constraint.words))}]
    return [{"$neq": {attribute: word}} for word in sorted(constraint.universe - constraint.words)]


def lint_ruleset(name: str, patterns: Sequence[Sequence[Sequence[Test]]], attributes: frozenset[str]) -> None:
    """Refuse a ruleset outside the envelope, before the engine sees it. Raises EngineError telling what and where.

    `patterns` holds, for each rule, its patterns; a pattern is its guard followed by tests.
    """
    if sum(len(rule) for rule in patterns) > MAX_PATHS:
        raise EngineError(f"{name}: more than {MAX_PATHS} alpha paths")
    for rule in patterns:
        if not 1 <= len(rule) <= 16:
            raise EngineError(f"{name}: a rule has {len(rule)} patterns, expected 1 to 16")
        for pattern in rule:
            if not pattern or pattern[0].keys() != {_GUARD}:
                raise EngineError(f"{name}: a pattern does not begin with the guard on {_GUARD}")
            for test in pattern[1:]:
                _lint_test(name, test, attributes)


def _lint_test(name: str, test: Test, attributes: frozenset[str]) -> None:
    if len(test) != 1:
        raise EngineError(f"{name}: {test} has {len(test)} keys, only the first would count")
    ((operator, operand),) = test.items()
    if operator.startswith("$"):
        if operator not in _OPERATORS:
            raise EngineError(f"{name}: operator {operator} is not on the list {sorted(_OPERATORS)}")
        if not isinstance(operand, dict) or len(operand) != 1:
            raise EngineError(f"{name}: {operator} takes one attribute, got {operand}")
        ((operator, operand),) = operand.items()
    if operator not in attributes or operator in ("id", "sid"):
        raise EngineError(f"{name}: undeclared attribute {operator}")
    if isinstance(operand, bool) or not isinstance(operand, int | str):
        raise EngineError(f"{name}: {operator} is compared with {operand!r}, expected a whole number or a word")


class _Shard:
    """One ruleset on one host: rules about one kind of fact, or (chained) about two facts together."""

    def __init__(self, name: str, kind: str, rules: list[tuple[Rule, str, Branch]], vocabulary: Mapping[str, Fact]):
        self.name = name
        self.kind = kind
        self.chained = kind == _FOUND
        self._rules = rules
        self._fired: list[tuple[int, str]] = []
        read = sorted({fact for rule, _, _ in rules for fact in rule.reads()})
        self.own = [vocabulary[fact] for fact in read if not fact.startswith("finding.")]
        self.found = [vocabulary[fact] for fact in read if fact.startswith("finding.")]
        self.branches = len(rules)
        # Short names: the engine writes and reads the whole fact as JSON at every firing.
        attributes = [name for fact in (*self.own, *self.found) for name in _attributes(fact)]
        self._short = {name: f"a{number}" for number, name in enumerate(attributes)}
        self._build()

    def _build(self) -> None:
        guard = "case" if self.chained else self.kind
        ruleset: dict[str, Any] = {}
        patterns = []
        for number, (rule, outcome, branch) in enumerate(self._rules):
            own = [{_GUARD: guard}, *self._tests(branch, findings=False)]
            parts = [own, [{_GUARD: _FOUND}, *self._tests(branch, findings=True)]] if self.chained else [own]
            patterns.append(parts)
            names = ("own", "found")
            ruleset[str(number)] = {
                "all": [
                    {names[i]: {"$and": part}} if len(part) > 1 else {names[i]: part[0]} for i, part in enumerate(parts)
                ],
                "run": self._fire(rule.position, outcome),
            }
        if len(self._short) > MAX_ATTRIBUTES:
            raise EngineError(f"{self.name}: {len(self._short)} attributes, at most {MAX_ATTRIBUTES}")
        lint_ruleset(self.name, patterns, frozenset(self._short.values()))
        # The catch-all: nothing is ever unmatched, and an action always runs before the state is deleted.
        ruleset["any"] = {"all": [{"own": {"$ex": {_GUARD: 1}}}], "run": self._fire(-1, "")}
        self._host = _QuietHost()
        self._host.set_rulesets({self.name: ruleset})

    def _tests(self, branch: Branch, *, findings: bool) -> list[Test]:
        # A common order of attributes lets the network share its first nodes.
        names = sorted((name for name in branch if name.startswith("finding.") == findings), key=_shared_first)
        return [test for name in names for test in attribute_tests(self._short[name], branch[name])]

    def _fire(self, position: int, outcome: str) -> Callable[[Any], None]:
        fired = self._fired

        def run(_closure: Any) -> None:  # exactly one parameter: with two the engine takes it for asynchronous
            fired.append((position, outcome))

        return run

    def judge(self, facts: Mapping[str, Value], found: Mapping[str, str] | None, day: date) -> list[tuple[int, str]]:
        """What fires for one fact, or for a fact and what was found. Raises EngineError; the host is then new."""
        self._fired.clear()
        try:
            own = self._encoded(self.own, facts, day)
            self._assert(dict(own, kind="case" if self.chained else self.kind, sid=_SID, id="1"))
            if found is not None:
                self._assert(dict(self._encoded(self.found, found, day), kind=_FOUND, sid=_SID, id="2"))
            self._host.delete_state(self.name, _SID)
        except BaseException as error:
            self._build()
            if isinstance(error, Exception):
                raise EngineError(f"durable-rules failed on {self.name}: {error}") from error
            raise
        return [item for item in self._fired if item[0] >= 0]

    def _encoded(self, declared: list[Fact], facts: Mapping[str, Any], day: date) -> dict[str, int | str]:
        encoded: dict[str, int | str] = {}
        for fact in declared:
            for name, value in encode(fact, facts[fact.name], day):
                if isinstance(value, str) and len(value) > MAX_TEXT:
                    raise EngineError(f"{fact.name}: a text of {len(value)} characters")
                encoded[self._short[name]] = value
        return encoded

    def _assert(self, fact: dict[str, Any]) -> None:
        before = len(self._fired)
        state = self._host.assert_fact(self.name, fact)
        if not state or len(self._fired) == before:
            raise EngineError("no action ran")
        if "exception" in state:
            raise EngineError(str(state["exception"]))


def _shared_first(name: str) -> tuple[bool, bool, str]:
    return (name != "case.stage", not name.startswith("case."), name)


def _attributes(fact: Fact) -> list[str]:
    if fact.may_be_unknown and fact.type in ("number", "date"):
        return [f"{fact.name}<", f"{fact.name}>"]
    return [fact.name]


class DurableEngine:
    """Judges by asserting each subject to the shards of its kind."""

    name = "durable-rules"

    def __init__(self, ruleset: Ruleset) -> None:
        self._lock = Lock()
        vocabulary = ruleset.vocabulary | finding_facts(ruleset)
        kinds = dict.fromkeys(rule.about for rule in ruleset.rules)
        self._positions = {kind: _positions(rules_of_wave(ruleset.about(kind), 0)) for kind in kinds}
        self._shards = {kind: _shards(kind, rules_of_wave(ruleset.about(kind), 0), vocabulary, kind) for kind in kinds}
        self._waves = rules_by_wave(ruleset)
        self._chained = {wave: _shards(_FOUND, rules, vocabulary, f"wave{wave}") for wave, rules in self._waves.items()}

    def judge(self, kind: str, facts: Mapping[str, Value], day: date) -> Outcomes:
        """See `rules.engines.base.Engine`."""
        return self._outcomes(self._positions.get(kind, ()), self._shards.get(kind, ()), facts, None, day)

    def judge_wave(self, wave: int, facts: Mapping[str, Value], found: Mapping[str, str], day: date) -> Outcomes:
        """See `rules.engines.base.Engine`."""
        positions = _positions(self._waves.get(wave, []))
        return self._outcomes(positions, self._chained.get(wave, ()), facts, found, day)

    def _outcomes(
        self,
        positions: Sequence[int],
        shards: Sequence[_Shard],
        facts: Mapping[str, Value],
        found: Mapping[str, str] | None,
        day: date,
    ) -> Outcomes:
        outcomes: Outcomes = dict.fromkeys(positions, "not_applicable")
        with self._lock:
            for shard in shards:
                for position, outcome in shard.judge(facts, found, day):
                    if outcomes[position] not in ("not_applicable", outcome):
                        raise EngineError(f"rule {position} came out both {outcomes[position]} and {outcome}")
                    outcomes[position] = outcome
        return outcomes


def finding_facts(ruleset: Ruleset) -> dict[str, Fact]:
    """The findings that rules of later waves read, declared as facts."""
    names = {name for rule in ruleset.rules for name in rule.reads() if name.startswith("finding.")}
    return {
        name: Fact(name, "enum", {}, "findings", (*OUTCOMES[:-1], "yes", "no"), may_be_unknown=True) for name in names
    }


def _positions(rules: Sequence[Rule]) -> tuple[int, ...]:
    return tuple(rule.position for rule in rules)


def _shards(kind: str, rules: Sequence[Rule], vocabulary: Mapping[str, Fact], name: str) -> list[_Shard]:
    """The rules' branches in as few rulesets as the envelope allows; a rule's branches stay together."""
    weight = 2 if kind == _FOUND else 1
    batches: list[list[tuple[Rule, str, Branch]]] = [[]]
    for rule in rules:
        branches = [
            (rule, outcome, branch) for outcome, found in outcome_branches(rule, vocabulary).items() for branch in found
        ]
        if weight * len(branches) > MAX_PATHS:
            raise EngineError(f"{rule.id}: {len(branches)} branches do not fit into one ruleset; split the rule")
        if weight * (len(batches[-1]) + len(branches)) > MAX_PATHS:
            batches.append([])
        batches[-1].extend(branches)
    return [_Shard(f"{name}-{number}", kind, batch, vocabulary) for number, batch in enumerate(batches) if batch]
