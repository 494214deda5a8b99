"""Rivals of the columnar engine that judge one client at a time: durable-rules, and GoRules' zen-engine.

Each is an engine in the loop the interactive assessment runs (`rules.findings.Judge`), over the same rows of facts, so
that the same findings come out: outcome, due date, missing facts, next step. zen-engine gets each kind's rules as one
decision table that collects every row that holds; a row is a branch of a rule's condition (`rules.engines.branches`),
as durable-rules gets them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import zen

from rules.engines import Engine
from rules.engines.base import Outcomes, rules_of_wave
from rules.engines.branches import Between, Branch, Encoder, OneOf, attributes, outcome_branches
from rules.engines.columns import NEVER, tables
from rules.engines.durable import DurableEngine, finding_facts
from rules.facts import UNKNOWN, Fact, Value
from rules.findings import Finding, Judge, SetAside
from rules.fold import Subject
from rules.pack import Pack, Rule, Ruleset

#: A client as the loops get it: id, municipality, subjects, and what was set aside.
Client = tuple[str, str | None, list[Subject], dict[str, SetAside]]
#: A finding as it is compared: all that a row of findings says but the pack and the date.
Row = tuple[object, ...]
_FAR = 10**8


def clients(parts: Sequence[Path], pack: Pack, count: int, day: date) -> list[Client]:
    """The first clients of a facts folder, by case_no."""
    with duckdb.connect() as connection:
        heads = _rows(connection, parts, "case", count, "case_no")
        subjects: dict[int, list[Subject]] = {}
        for kind, wanted in tables(pack).items():
            names = [(column.fact, column.name, column.type == "date") for column in wanted]
            found = heads if kind == "case" else _rows(connection, parts, kind, count, "case_no, subject_no")
            for row in found:
                facts = {fact: _value(row[name], is_date=dated) for fact, name, dated in names}
                subject = Subject(kind, row.get("entry"), True, row.get("ended", False), False, facts)
                subjects.setdefault(row["case_no"], []).append(subject)
        aside: dict[int, dict[str, SetAside]] = {}
        for row in _rows(connection, parts, "set_aside", count, "case_no"):
            if row["until"] >= day:
                aside.setdefault(row["case_no"], {})[row["rule"]] = SetAside(row["entry"], "", None)
    return [
        (row["case"], row["municipality"], subjects[row["case_no"]], aside.get(row["case_no"], {})) for row in heads
    ]


def _rows(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[Path], table: str, count: int, order: str
) -> list[dict[str, object]]:
    files = [str(part / f"{table}.parquet") for part in parts]
    query = f"SELECT * FROM read_parquet($1) WHERE case_no < $2 ORDER BY {order}"
    found = connection.execute(query, [files, count])
    names = [item[0] for item in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _value(cell: object, *, is_date: bool) -> Value:
    if cell is None:
        return UNKNOWN
    return None if is_date and cell == NEVER else cell  # type: ignore[return-value]


def judged(found: Sequence[Client], pack: Pack, engine: Callable[[Ruleset], Engine], day: date) -> Iterator[Row]:
    """The open findings of every client, by an engine."""
    for case, municipality, subjects, aside in found:
        for finding in Judge(pack, engine, day, aside).findings(subjects):
            if finding.open or finding.outcome == UNKNOWN:
                yield case, municipality, *row(finding)


def row(finding: Finding) -> Row:
    """A finding as a row of the findings file."""
    return (
        finding.rule.id,
        finding.subject.kind,
        finding.subject.entry,
        finding.outcome,
        finding.rule.severity,
        finding.due,
        tuple(sorted(finding.missing)),
        finding.judged_on,
        finding.action,
        finding.rule.role,
        finding.set_aside.entry if finding.set_aside is not None else None,
        finding.gives_step,
    )


def durable(ruleset: Ruleset) -> Engine:
    """durable-rules, built once a ruleset."""
    return _kept(ruleset, "bench durable", DurableEngine)


def gorules(ruleset: Ruleset) -> Engine:
    """zen-engine, built once a ruleset."""
    return _kept(ruleset, "bench zen", ZenTables)


def _kept(ruleset: Ruleset, name: str, build: Callable[[Ruleset], Engine]) -> Engine:
    if name not in ruleset.engines:
        ruleset.engines[name] = build(ruleset)
    return ruleset.engines[name]  # type: ignore[return-value]


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
    if constraint.least <= -_FAR:
        return f"<= {constraint.greatest}"
    return f">= {constraint.least}" if constraint.greatest >= _FAR else f"[{constraint.least}..{constraint.greatest}]"
