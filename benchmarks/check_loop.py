"""Rivals of the columnar engine that judge one client at a time, in the loop that the interactive assessment runs.

The loop (`rules.findings.Judge`) goes over the same rows of facts with any engine, so that the same findings come out:
outcome, due date, missing facts, next step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import duckdb

from rules.engines import Engine
from rules.engines.columns import NEVER, tables
from rules.engines.durable import DurableEngine
from rules.facts import UNKNOWN, Value
from rules.findings import Finding, Judge, SetAside
from rules.fold import Subject
from rules.pack import Pack, Ruleset

#: A client as the loops get it: id, municipality, subjects, and what was set aside.
Client = tuple[str, str | None, list[Subject], dict[str, SetAside]]
#: A finding as it is compared: all that a row of findings says but the pack and the date.
Row = tuple[object, ...]


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
    return built_once(ruleset, "bench durable", DurableEngine)


def built_once(ruleset: Ruleset, name: str, build: Callable[[Ruleset], Engine]) -> Engine:
    """The engine of a ruleset, built when it is first asked for."""
    if name not in ruleset.engines:
        ruleset.engines[name] = build(ruleset)
    return ruleset.engines[name]  # type: ignore[return-value]
