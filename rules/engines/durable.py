"""durable-rules inside its safe envelope (ADR 2): the only module that imports it.

Measured dangers and what fences them off here:

* background timer threads crash the process: a quiet host starts none;
* a fact that matches nothing, or a state deleted before any action ran, frees garbage: in every ruleset something
  always fires;
* a pattern the engine's own state fact satisfies fires for ever: every pattern begins with the guard on `kind`;
* comparing with a missing or null attribute reads stale memory: every attribute is always given, comparisons are
  with constants only;
* more than 64 matching siblings break it: at most MAX_PATHS branches a ruleset, more are sharded;
* after an error nothing of a host can be trusted: it is dropped and built anew, and the error raised;
* it is not safe for threads: one lock an engine.

Each firing costs more than all tests of a fact. So rules that apply under the same condition share one firing, which
says that they apply; what then is each rule's quiet outcome (satisfied, where it can be) needs no firing of its own.

Findings build on findings by forward chaining: what earlier waves found is asserted as a second fact, and rules of
later waves join the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from threading import Lock
from typing import Any, NamedTuple

from durable import engine as durable_engine

from rules.conditions import Condition
from rules.engines.base import EngineError, Outcomes, rules_of_wave
from rules.engines.branches import (
    Between,
    Branch,
    Encoder,
    OneOf,
    applied_branches,
    applying_branches,
    attributes,
    undecided_branches,
)
from rules.facts import UNKNOWN, Fact, Value
from rules.pack import OUTCOMES, Rule, Ruleset

MAX_PATHS = 60
MAX_ATTRIBUTES = 120
ROOM_FOR_CATCH_ALL = 6
_GUARD, _FOUND, _SID = "kind", "found", "0"
_OPERATORS = frozenset({"$gte", "$lte", "$neq"})

Test = dict[str, Any]


class _Firing(NamedTuple):
    """What one branch says when it matches: that these rules apply, or (with an outcome) what they came to."""

    rules: tuple[int, ...]
    outcome: str | None
    branch: Branch


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
            if not pattern or pattern[0].keys() != {_GUARD} or not isinstance(pattern[0][_GUARD], str):
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
    if isinstance(operand, int) and not -(2**63) < operand < 2**63:
        raise EngineError(f"{name}: {operator} is compared with {operand}, which does not fit into 64 bits")


class _Shard:
    """One ruleset on one host: rules about one kind of fact, or (chained) about two facts together."""

    def __init__(self, name: str, kind: str, rules: list[Rule], firings: list[_Firing], vocabulary: Mapping[str, Fact]):
        self.name = name
        self.kind = kind
        self.chained = kind == _FOUND
        self.firings = firings if self.chained else firings + _catch_all(firings)
        self.quiet = {rule.position: quiet_outcome(rule) for rule in rules}
        self._fired: list[_Firing] = []
        read = sorted({fact for rule in rules for fact in rule.reads()})
        own = [vocabulary[fact] for fact in read if not fact.startswith("finding.")]
        found = [vocabulary[fact] for fact in read if fact.startswith("finding.")]
        # Short names: the engine writes and reads the whole fact as JSON at every firing.
        names = [name for fact in (*own, *found) for name in attributes(fact)]
        self._short = {name: f"a{number}" for number, name in enumerate(names)}
        self._own, self._found = Encoder(own, self._short), Encoder(found, self._short)
        self._build()

    def _build(self) -> None:
        guard = "case" if self.chained else self.kind
        ruleset: dict[str, Any] = {}
        patterns = []
        for number, firing in enumerate(self.firings):
            own = [{_GUARD: guard}, *self._tests(firing.branch, findings=False)]
            parts = [own, [{_GUARD: _FOUND}, *self._tests(firing.branch, findings=True)]] if self.chained else [own]
            patterns.append(parts)
            names = ("own", "found")
            ruleset[str(number)] = {
                "all": [
                    {names[i]: {"$and": part}} if len(part) > 1 else {names[i]: part[0]} for i, part in enumerate(parts)
                ],
                "run": self._fire(firing),
            }
        if len(self._short) > MAX_ATTRIBUTES:
            raise EngineError(f"{self.name}: {len(self._short)} attributes, at most {MAX_ATTRIBUTES}")
        lint_ruleset(self.name, patterns, frozenset(self._short.values()))
        if self.chained:  # of the two facts one alone would match nothing
            ruleset["any"] = {"all": [{"own": {"$ex": {_GUARD: 1}}}], "run": self._fire(_Firing((), None, {}))}
        self._host = _QuietHost()
        self._host.set_rulesets({self.name: ruleset})

    def _tests(self, branch: Branch, *, findings: bool) -> list[Test]:
        # A common order of attributes lets the network share its first nodes.
        names = sorted((name for name in branch if name.startswith("finding.") == findings), key=_shared_first)
        return [test for name in names for test in attribute_tests(self._short[name], branch[name])]

    def _fire(self, firing: _Firing) -> Callable[[Any], None]:
        fired = self._fired

        def run(_closure: Any) -> None:  # exactly one parameter: with two the engine takes it for asynchronous
            fired.append(firing)

        return run

    def judge(self, facts: Mapping[str, Value], found: Mapping[str, str] | None, day: date) -> Outcomes:
        """The outcomes for one fact, or for a fact and what was found. Raises EngineError; the host is then new."""
        self._fired.clear()
        try:
            own = self._own.encoded(facts, day)
            self._assert(dict(own, kind="case" if self.chained else self.kind, sid=_SID, id="1"))
            if found is not None:
                self._assert(dict(self._found.encoded(found, day), kind=_FOUND, sid=_SID, id="2"))
            self._host.delete_state(self.name, _SID)
        except BaseException as error:
            self._build()
            if isinstance(error, Exception):
                raise EngineError(f"durable-rules failed on {self.name}: {error}") from error
            raise
        return self._outcomes()

    def _outcomes(self) -> Outcomes:
        """What the firings come to; an outcome without its rule applying, or two for one rule, is an error."""
        applies = {position for firing in self._fired if firing.outcome is None for position in firing.rules}
        said: Outcomes = {}
        for firing in self._fired:
            if firing.outcome is None:
                continue
            for position in firing.rules:
                if said.setdefault(position, firing.outcome) != firing.outcome:
                    raise EngineError(f"rule {position} came out both {said[position]} and {firing.outcome}")
                if position not in applies and firing.outcome != UNKNOWN:
                    raise EngineError(f"rule {position} came out {firing.outcome} but does not apply")
        quiet = self.quiet
        return {p: said.get(p, quiet[p] if p in applies else "not_applicable") for p in quiet}

    def _assert(self, fact: dict[str, Any]) -> None:
        before = len(self._fired)
        state = self._host.assert_fact(self.name, fact)
        if not state or len(self._fired) == before:
            raise EngineError("no action ran")
        if "exception" in state:
            raise EngineError(str(state["exception"]))


def _shared_first(name: str) -> tuple[bool, bool, str]:
    return (name != "case.stage", not name.startswith("case."), name)


class DurableEngine:
    """Judges by asserting each subject to the shards of its kind."""

    name = "durable-rules"

    def __init__(self, ruleset: Ruleset) -> None:
        self._lock = Lock()
        vocabulary = ruleset.vocabulary | finding_facts(ruleset)
        kinds = dict.fromkeys(rule.about for rule in ruleset.rules)
        self._shards = {kind: _shards(kind, rules_of_wave(ruleset.about(kind), 0), vocabulary, kind) for kind in kinds}
        self._chained = {
            wave.number: _shards(_FOUND, wave.rules, vocabulary, f"wave{wave.number}") for wave in ruleset.waves
        }

    def judge(self, kind: str, facts: Mapping[str, Value], day: date) -> Outcomes:
        """See `rules.engines.base.Engine`."""
        return self._outcomes(self._shards.get(kind, ()), facts, None, day)

    def judge_wave(self, wave: int, facts: Mapping[str, Value], found: Mapping[str, str], day: date) -> Outcomes:
        """See `rules.engines.base.Engine`."""
        return self._outcomes(self._chained.get(wave, ()), facts, found, day)

    def _outcomes(
        self,
        shards: Sequence[_Shard],
        facts: Mapping[str, Value],
        found: Mapping[str, str] | None,
        day: date,
    ) -> Outcomes:
        outcomes: Outcomes = {}
        with self._lock:
            for shard in shards:
                outcomes.update(shard.judge(facts, found, day))
        return outcomes


def finding_facts(ruleset: Ruleset) -> dict[str, Fact]:
    """The findings that rules of later waves read, declared as facts."""
    names = {name for rule in ruleset.rules for name in rule.reads() if name.startswith("finding.")}
    return {
        name: Fact(name, "enum", {}, "findings", (*OUTCOMES[:-1], "yes", "no"), may_be_unknown=True) for name in names
    }


def quiet_outcome(rule: Rule) -> str:
    """The outcome of a rule that applies and of which nothing else fires."""
    return "satisfied" if "satisfied" in (rule.otherwise, *(outcome for outcome, _ in rule.steps)) else rule.otherwise


def _shards(kind: str, rules: Sequence[Rule], vocabulary: Mapping[str, Fact], name: str) -> list[_Shard]:
    """The rules in as few rulesets as the envelope allows; those that apply alike stand together."""
    alike: dict[Condition, list[Rule]] = {}
    for rule in rules:
        alike.setdefault(rule.applies, []).append(rule)
    room = MAX_PATHS // 2 if kind == _FOUND else MAX_PATHS - ROOM_FOR_CATCH_ALL
    batches: list[list[Rule]] = [[]]
    for rule in (rule for group in alike.values() for rule in group):
        needed = len(_firings([*batches[-1], rule], vocabulary))
        if needed > room and batches[-1]:
            batches.append([])
            needed = len(_firings([rule], vocabulary))
        if needed > room:
            raise EngineError(f"{rule.id}: {needed} branches do not fit into one ruleset; split the rule")
        batches[-1].append(rule)
    return [
        _Shard(f"{name}-{number}", kind, batch, _firings(batch, vocabulary), vocabulary)
        for number, batch in enumerate(batches)
        if batch
    ]


def _catch_all(firings: list[_Firing]) -> list[_Firing]:
    """Firings that say nothing, so that something always fires before a state is deleted.

    They hold exactly where the plainest branch that fires anyway does not, because each firing costs.
    """
    branches = [firing.branch for firing in firings if firing.outcome is None]
    plain = [branch for branch in branches if all(isinstance(part, OneOf) for part in branch.values())]
    rest: list[Branch] = []
    held: Branch = {}
    for attribute, part in min(plain, key=len, default={}).items():
        if isinstance(part, OneOf) and part.universe - part.words:
            rest.append({**held, attribute: OneOf(part.universe - part.words, part.universe)})
        held[attribute] = part
    return [_Firing((), None, branch) for branch in (rest if plain else [{}])]


def _firings(rules: Sequence[Rule], vocabulary: Mapping[str, Fact]) -> list[_Firing]:
    alike: dict[Condition, list[int]] = {}
    for rule in rules:
        alike.setdefault(rule.applies, []).append(rule.position)
    applying = [
        _Firing(tuple(positions), None, branch)
        for condition, positions in alike.items()
        for branch in applying_branches(condition, vocabulary)
    ]
    undecided = [
        _Firing(tuple(positions), UNKNOWN, branch)
        for condition, positions in alike.items()
        for branch in undecided_branches(condition, vocabulary)
    ]
    outcomes = [
        _Firing((rule.position,), outcome, branch)
        for rule in rules
        for outcome, branches in applied_branches(rule, vocabulary).items()
        if outcome != quiet_outcome(rule)
        for branch in branches
    ]
    return applying + undecided + outcomes
