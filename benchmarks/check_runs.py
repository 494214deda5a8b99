"""The runs that benchmarks/check.py times, each in a process of its own, so that its memory is its own too.

    python -m benchmarks.check_runs RUN '{"facts": […], "day": "…", "out": "…", …}'

The last line it prints is what it came to, as JSON: seconds, processor seconds, and what was found.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import check_loop
from rules.calendar import add_workdays
from rules.engines import Engine
from rules.engines.columns import tables
from rules.pack import Pack, Ruleset, load_pack
from service.checks.judging import judge
from service.checks.tables import MEMORY

HERE = Path(__file__).parent
BY_HAND = HERE / "check_by_hand.sql"
THREADS = 2
#: The names by which check_by_hand.sql knows the tables of facts.
VIEWS = {
    "cases": "case",
    "activities": "activity",
    "pauses": "pause",
    "referrals": "referral",
    "plans": "plan",
    "coachings": "coaching",
    "trials": "trial",
    "jobs": "job",
    "stops": "stop",
    "set_asides": "set_aside",
}
#: The columns of findings that are compared: all but the pack and the date, which are the same throughout.
COMPARED = (
    "case",
    "municipality",
    "rule",
    "subject_kind",
    "subject_entry",
    "outcome",
    "severity",
    "due",
    "missing",
    "judged_on",
    "action",
    "role",
    "set_aside",
    "is_step",
)
#: The days for which working days are looked up, as a calendar table would have them.
CALENDAR = (date(1990, 1, 1), date(2050, 12, 31))

Asked = Mapping[str, Any]
Told = dict[str, Any]


def parts(asked: Asked) -> list[Path]:
    """The parts of facts."""
    return [Path(part) for part in asked["facts"]]


def files(asked: Asked, table: str) -> str:
    """The Parquet files of one table, as DuckDB reads a list of them."""
    return "[" + ", ".join("'" + str(part / f"{table}.parquet").replace("'", "''") + "'" for part in parts(asked)) + "]"


def connected(asked: Asked) -> duckdb.DuckDBPyConnection:
    """DuckDB with the limits that the columnar engine's run has."""
    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}; SET memory_limit = '{MEMORY}'; SET preserve_insertion_order = false")
    connection.execute(f"SET temp_directory = '{asked['work']}'")
    return connection


def polku(asked: Asked) -> Told:
    """The columnar engine."""
    found = judge(parts(asked), load_pack(), _day(asked), Path(asked["out"]), threads=THREADS)
    return {"cases": found.cases, "findings": found.findings, "counts": _listed(found.counts)}


def by_hand(asked: Asked) -> Told:
    """The same checks written by hand in SQL."""
    pack = load_pack()
    with connected(asked) as connection:
        prepare_by_hand(connection, asked, pack)
        start, cpu = time.perf_counter(), time.process_time()
        connection.execute(BY_HAND.read_text(encoding="utf-8"))
        copied = f"COPY findings TO '{asked['out']}' (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
        findings = connection.execute(copied).fetchall()[0][0]
        cases = connection.execute("SELECT count(*) FROM cases").fetchall()[0][0]
        counts = connection.execute("SELECT rule, outcome, subjects FROM outcome_counts").fetchall()
        measured = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    return {
        **measured,
        "cases": cases,
        "findings": findings,
        "counts": _listed({(rule, name): number for rule, name, number in counts}),
    }


def prepare_by_hand(connection: duckdb.DuckDBPyConnection, asked: Asked, pack: Pack) -> None:
    """What check_by_hand.sql is given: the views of facts, a calendar of working days, and the date."""
    for view, table in VIEWS.items():
        connection.execute(f"CREATE TEMP VIEW {view} AS FROM read_parquet({files(asked, table)})")
    first, last = CALENDAR
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    later = [add_workdays(day, 3) for day in days]
    made = "CREATE TEMP TABLE workdays AS SELECT unnest($1::DATE[]) AS day, unnest($2::DATE[]) AS third_after"
    connection.execute(made, [days, later])
    connection.execute(f"SET VARIABLE as_of = DATE '{_day(asked)}'")
    connection.execute(f"SET VARIABLE pack = '{pack.id}'")
    connection.execute(f"SET VARIABLE pack_version = '{pack.version}'")


def scan(asked: Asked) -> Told:
    """Only reading the columns that the check reads: every value is looked at, and nothing kept of it."""
    heads = {"case": ["case_no", '"case"', "municipality"], "set_aside": ["case_no", "rule", "entry", "until"]}
    columns = {kind: [column.name for column in wanted] for kind, wanted in tables(load_pack()).items()}
    values = 0
    with connected(asked) as connection:
        for table, own in {**columns, "set_aside": []}.items():
            names = [*heads.get(table, ["case_no", "subject_no", "entry", "ended"]), *own]
            # Of a greatest or a least value the statistics in the file would tell; this looks at every one.
            looked = f"SELECT count(*), bit_xor(hash({', '.join(names)})) FROM read_parquet({files(asked, table)})"
            rows = connection.execute(looked).fetchall()
            values += rows[0][0] * len(names)
    return {"values": values}


def polars(asked: Asked) -> Told:
    """The same checks as Polars expressions."""
    import os

    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    from benchmarks import check_polars

    pack, day = load_pack(), _day(asked)
    for item in pack.ruleset(day).derivations:
        if item.operation == "add_workdays":
            check_polars.workdays(item.number)
    start, cpu = time.perf_counter(), time.process_time()
    found = check_polars.judge(parts(asked), pack, day, Path(asked["out"]))
    return {
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "findings": found.findings,
        "counts": _listed(found.counts),
    }


def loop(asked: Asked) -> Told:
    """One client after the other by an engine; its findings compared with those in the file `same_as`."""
    pack, day = load_pack(), _day(asked)
    clients = check_loop.clients(parts(asked), pack, asked["count"], day)
    engine = _engine(asked["engine"])
    list(check_loop.judged(clients[:10], pack, engine, day))  # the engine is built
    start, cpu = time.perf_counter(), time.process_time()
    found = list(check_loop.judged(clients, pack, engine, day))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    expected = rows_of(Path(asked["same_as"]), [case for case, *_ in clients])
    same = sorted(map(repr, found)) == sorted(map(repr, expected))
    return {"seconds": seconds, "cpu": cpu, "clients": len(clients), "findings": len(found), "same": same}


def _engine(name: str) -> Callable[[Ruleset], Engine]:
    if name == "durable":
        return check_loop.durable
    from benchmarks.check_zen import gorules

    return gorules


def rows_of(findings: Path, cases: Iterable[str]) -> list[tuple[object, ...]]:
    """The findings of some cases, as rows."""
    columns = ", ".join(f'"{name}"' for name in COMPARED)
    with duckdb.connect() as connection:
        query = f'SELECT {columns} FROM read_parquet($1) WHERE "case" IN (SELECT unnest($2::VARCHAR[]))'
        found = connection.execute(query, [str(findings), list(cases)]).fetchall()
    return [tuple(tuple(value) if isinstance(value, list) else value for value in row) for row in found]


def same(asked: Asked) -> Told:
    """Whether files of findings hold the same rows: of each, how many there are, and a sum over all of them."""
    columns = ", ".join(f'"{name}"::VARCHAR' for name in COMPARED)
    with connected(asked) as connection:
        query = f"SELECT count(*), sum(hash({columns})::HUGEINT), bit_xor(hash({columns})) FROM read_parquet($1)"
        sums = [connection.execute(query, [path]).fetchall()[0] for path in asked["findings"]]
    return {"rows": sums[0][0], "same": len(set(sums)) == 1}


def _day(asked: Asked) -> date:
    return date.fromisoformat(asked["day"])


def _listed(counts: Mapping[tuple[str, str], int]) -> list[list[Any]]:
    return sorted([rule, outcome, number] for (rule, outcome), number in counts.items() if number)


RUNS: dict[str, Callable[[Asked], Told]] = {
    "polku": polku,
    "by_hand": by_hand,
    "scan": scan,
    "polars": polars,
    "loop": loop,
    "same": same,
}


def main(name: str, asked: str) -> None:
    """Do one run and tell what it came to."""
    told = json.loads(asked)
    load_pack()
    start, cpu = time.perf_counter(), time.process_time()
    found = RUNS[name](told)
    measured = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    print(json.dumps({**measured, **found}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
