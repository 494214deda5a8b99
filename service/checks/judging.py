"""Judging facts: the columnar engine's SQL (rules.engines.columnar) run by DuckDB, findings written to Parquet.

Every rule in force is judged for every current subject. Findings that are open, or all, are written, a row each, in no
order; the file says in its metadata what it rests on. All is done in memory, beyond a limit in a folder of its own.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from rules.calendar import add_workdays
from rules.engines.columnar import ALL, OPEN, Calendar, Plan, compiled
from rules.engines.columns import NEVER, ColumnType, tables
from rules.facts import KINDS
from rules.fold import FOLD_VERSION
from rules.pack import ACTIONS, OUTCOMES, ROLES, SEVERITIES, Pack
from service.checks.errors import CheckError
from service.checks.tables import MEMORY, connect, quoted
from service.checks.whole import whole

__all__ = ["ALL", "OPEN", "Judged", "judge"]

_TYPES: Mapping[ColumnType, str] = {"text": "VARCHAR", "number": "INTEGER", "date": "DATE"}
_SUBJECT = {"case_no": "BIGINT", "subject_no": "SMALLINT", "entry": "VARCHAR", "ended": "BOOLEAN"}
_CASE = {
    "case_no": "BIGINT",
    "case": "VARCHAR",
    "municipality": "VARCHAR",
    "version": "VARCHAR",
    "folded_on": "DATE",
    "holds_until": "DATE",
}
_SET_ASIDE = {"case_no": "BIGINT", "rule": "VARCHAR", "entry": "VARCHAR", "until": "DATE"}


@dataclass(frozen=True, slots=True)
class Judged:
    """What a check came to: cases, findings written, and how many of each outcome there are by rule and by role."""

    cases: int
    findings: int
    counts: Mapping[tuple[str, str], int]
    by_role: Mapping[tuple[str, str], int]


def judge(
    facts: Sequence[Path],
    pack: Pack,
    as_of: date,
    out: Path | None,
    *,
    outcomes: int = OPEN,
    dropped: Path | None = None,
    memory_limit: str = MEMORY,
    threads: int | None = None,
    program: str = "polku",
) -> Judged:
    """Judge the cases of some parts of a facts folder on a date; write the findings to `out`, whole or not at all.

    `outcomes`: what is written, OPEN or ALL; every outcome is judged and counted. `dropped`: a Parquet file of the
    case_no to leave out. Raises CheckError when facts do not hold on the date or cannot be read, and OSError.
    """
    plan = compiled(pack, as_of, least=outcomes)
    marks = marks_of(pack, as_of, program)
    with tempfile.TemporaryDirectory(prefix="polku-check-") as work:
        try:
            with connect(Path(work), memory_limit) as connection:
                connection.execute("SET preserve_insertion_order = false")
                if threads is not None:
                    connection.execute(f"SET threads = {threads:d}")
                _read(connection, facts, pack, dropped)
                cases = _cases(connection, as_of)
                _make(connection, plan)
                counts, by_role = _counts(connection, plan)
                return Judged(cases, write_findings(connection, plan.findings, pack, out, marks), counts, by_role)
        except duckdb.Error as error:
            raise CheckError(f"the facts could not be judged: {error}") from error


def _read(connection: duckdb.DuckDBPyConnection, facts: Sequence[Path], pack: Pack, dropped: Path | None) -> None:
    """Names the tables of all parts, without the cases to leave out."""
    heads = {kind: _CASE if kind == "case" else _SUBJECT for kind in tables(pack)}
    columns = {
        f"facts_{kind}": (kind, heads[kind] | {item.name: _TYPES[item.type] for item in wanted})
        for kind, wanted in tables(pack).items()
    } | {"set_aside": ("set_aside", _SET_ASIDE)}
    left_out = f" ANTI JOIN read_parquet({quoted(dropped)}) AS dropped USING (case_no)" if dropped is not None else ""
    for name, (file, types) in columns.items():
        files = ", ".join(quoted(part / f"{file}.parquet") for part in facts)
        if files:
            query = f"SELECT facts.* FROM read_parquet([{files}]) AS facts{left_out}"
        else:
            cells = ", ".join(f'NULL::{type_} AS "{column}"' for column, type_ in types.items())
            query = f"SELECT {cells} LIMIT 0"
        connection.execute(f'CREATE TEMP VIEW "{name}" AS {query}')


def _cases(connection: duckdb.DuckDBPyConnection, as_of: date) -> int:
    """How many cases there are. Raises CheckError when the facts of one do not hold on the date."""
    stale = "count(*) FILTER (folded_on > $1 OR holds_until < $1)"
    cases, wrong = connection.execute(f"SELECT count(*), {stale} FROM facts_case", [as_of]).fetchall()[0]
    if wrong:
        raise CheckError(f"the facts of {wrong} of {cases} cases do not hold on {as_of}: fold these cases for that day")
    return int(cases)


def _make(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Makes the relations of a plan."""
    for step in plan.steps:
        if isinstance(step, Calendar):
            days = [day for (day,) in connection.execute(step.days).fetchall()]
            later = [NEVER if day == NEVER else add_workdays(day, step.workdays) for day in days]
            made = "SELECT unnest($1::DATE[]) AS day, unnest($2::DATE[]) AS later"
            connection.execute(f'CREATE TEMP TABLE "{step.name}" AS {made}', [days, later])
        else:
            connection.execute(f'CREATE TEMP TABLE "{step.name}" AS {step.sql}')


def _counts(
    connection: duckdb.DuckDBPyConnection, plan: Plan
) -> tuple[Mapping[tuple[str, str], int], Mapping[tuple[str, str], int]]:
    by_rule: Counter[tuple[str, str]] = Counter()
    by_role: Counter[tuple[str, str]] = Counter()
    for rule, role, outcome, number in connection.execute(plan.counts).fetchall():
        by_rule[rule, outcome] += number
        by_role[role, outcome] += number
    return dict(by_rule), dict(by_role)


def marks_of(pack: Pack, as_of: date, program: str = "polku") -> dict[str, str]:
    """What a file of findings says of itself."""
    return {
        "pack_sha256": pack.sha256,
        "fold_version": FOLD_VERSION,
        "program": program,
        "as_of": as_of.isoformat(),
    }


def write_findings(
    connection: duckdb.DuckDBPyConnection, findings: str, pack: Pack, out: Path | None, marks: Mapping[str, str]
) -> int:
    """Writes the findings, words of the pack by number: that takes a quarter of the time off. Returns how many."""
    if out is None:
        return int(connection.execute(f"SELECT count(*) FROM ({findings})").fetchall()[0][0])
    typed = []
    for column, words in _words(pack).items():
        connection.execute(f"CREATE TYPE {column}_words AS ENUM ({', '.join(map(quoted, words))})")
        typed.append(f"{column}::{column}_words AS {column}")
    query = f"SELECT * REPLACE ({', '.join(typed)}) FROM ({findings})"
    told = ", ".join(f"{key}: {quoted(value)}" for key, value in marks.items())
    with whole(out):
        waiting = out.resolve().with_name(f".{out.name}.part")
        written = connection.execute(
            f"COPY ({query}) TO {quoted(waiting)} "
            f"(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, KV_METADATA {{{told}}})"
        )
        return int(written.fetchall()[0][0])


def _words(pack: Pack) -> dict[str, Sequence[str]]:
    """The words that columns of findings are made of."""
    return {
        "rule": list(dict.fromkeys(rule.id for rule in pack.editions[-1].rules)),
        "subject_kind": KINDS,
        "outcome": OUTCOMES,
        "severity": SEVERITIES,
        "action": ACTIONS,
        "role": ROLES,
        "pack": [pack.id],
        "pack_version": [pack.version],
    }
