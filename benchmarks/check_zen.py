"""A rival of the columnar engine that judges one client at a time: GoRules' zen-engine.

It gets each kind's rules as one decision table that collects every row that holds; a row is a branch of a rule's
condition (`rules.engines.branches`), as durable-rules gets them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date

import zen

from benchmarks.check_loop import built_once
from rules.engines import Engine
from rules.engines.base import Outcomes, rules_of_wave
from rules.engines.branches import FAR, Between, Branch, Encoder, OneOf, attributes, outcome_branches
from rules.engines.durable import finding_facts
from rules.facts import Fact, Value
from rules.pack import Rule, Ruleset


def gorules(ruleset: Ruleset) -> Engine:
    """zen-engine, built once a ruleset."""
    return built_once(ruleset, "bench zen", ZenTables)


class ZenTables:
    """Judges by decision tables: one for each kind of subject, one for each later wave."""

    name = "zen-engine"

    def __init__(self, ruleset: Ruleset) -> None:
        vocabulary = ruleset.vocabulary | finding_facts(ruleset)
        kinds = dict.fromkeys(rule.about for rule in ruleset.rules)
        self._tables = {kind: _Table(rules_of_wave(ruleset.about(kind), 0), vocabulary) for kind in kinds}
        self._later = {wave.number: _Table(wave.rules, vocabulary) for wave in ruleset.waves}

    def judge(self, kind: str, facts: Mapping[str, Value], day: date) -> Outcomes:
        """See `rules.engines.base.Engine`."""
        return self._tables[kind].judge(facts, day)

    def judge_wave(self, wave: int, facts: Mapping[str, Value], found: Mapping[str, str], day: date) -> Outcomes:
        """See `rules.engines.base.Engine`."""
        return self._later[wave].judge({**facts, **found}, day)


class _Table:
    """Some rules as one decision table: a column for each attribute they read, a row for each way to each outcome."""

    def __init__(self, rules: Sequence[Rule], vocabulary: Mapping[str, Fact]) -> None:
        read = [vocabulary[name] for name in sorted({name for rule in rules for name in rule.reads()})]
        self._short = {name: f"a{n}" for n, name in enumerate(name for fact in read for name in attributes(fact))}
        self._encoder = Encoder(read, self._short)
        rows = [
            (rule.position, outcome, branch)
            for rule in rules
            for outcome, branches in outcome_branches(rule, vocabulary).items()
            for branch in branches
        ]
        self.rows = len(rows)
        self._decision = zen.ZenEngine().create_decision(json.dumps(self._model(rows)))

    def judge(self, facts: Mapping[str, Value], day: date) -> Outcomes:
        """What each rule that applies comes to. Raises ValueError when two rows disagree."""
        outcomes: Outcomes = {}
        for found in self._decision.evaluate(self._encoder.encoded(facts, day))["result"]:
            if outcomes.setdefault(int(found["rule"]), found["outcome"]) != found["outcome"]:
                raise ValueError(f"rule {found['rule']} came out two ways")
        return outcomes

    def _model(self, rows: Sequence[tuple[int, str, Branch]]) -> dict[str, object]:
        table = {
            "hitPolicy": "collect",
            "inputs": [{"id": short, "name": name, "field": short} for name, short in self._short.items()],
            "outputs": [{"id": name, "name": name, "field": name} for name in ("rule", "outcome")],
            "rules": [
                {
                    "_id": str(number),
                    **{self._short[name]: _cell(constraint) for name, constraint in branch.items()},
                    "rule": str(position),
                    "outcome": f"'{outcome}'",
                }
                for number, (position, outcome, branch) in enumerate(rows)
            ],
        }
        kinds = (("in", "inputNode"), ("table", "decisionTableNode"), ("out", "outputNode"))
        nodes = [{"id": name, "name": name, "type": kind, "position": {"x": 0, "y": 0}} for name, kind in kinds]
        nodes[1]["content"] = table
        edges = [
            {"id": f"{one}-{other}", "sourceId": one, "targetId": other, "type": "edge"}
            for one, other in (("in", "table"), ("table", "out"))
        ]
        return {"nodes": nodes, "edges": edges}


def _cell(constraint: Between | OneOf) -> str:
    """A constraint as a unary test of a decision table."""
    if isinstance(constraint, OneOf):
        return ", ".join(f"'{word}'" for word in sorted(constraint.words))
    if constraint.least <= -FAR:
        return f"<= {constraint.greatest}"
    return f">= {constraint.least}" if constraint.greatest >= FAR else f"[{constraint.least}..{constraint.greatest}]"
