"""Those the columnar engine is measured against come to the very findings that Polku comes to, row by row."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from benchmarks import check_runs
from rules.engines.columns import tables
from tests.benchmarks.facts import Caseload, as_sorted, of_journals, of_the_vocabulary
from tests.helpers import SEED, pack

DAYS = [date(2020, 1, 20), date(2022, 5, 2), date(2024, 12, 31), date(2025, 3, 31), date(2026, 9, 1)]
CASES = 120
Made = Callable[[Path, date, int, int], Caseload]


def asked(caseload: Caseload, work: Path, name: str) -> dict[str, Any]:
    facts = [str(part) for part in caseload.parts]
    return {"facts": facts, "day": caseload.day.isoformat(), "out": str(work / f"{name}.parquet"), "work": str(work)}


def findings(caseload: Caseload, work: Path, name: str) -> tuple[list[Any], dict[str, Any]]:
    """All rows that a run writes, and what it tells."""
    told = check_runs.RUNS[name](asked(caseload, work, name))
    cases = {str(row[0]) for row in caseload.expected}
    return check_runs.rows_of(work / f"{name}.parquet", cases), told


@pytest.mark.parametrize("made", [of_journals, of_the_vocabulary])
@pytest.mark.parametrize("day", DAYS)
def test_the_sql_written_by_hand_comes_to_the_same(made: Made, day: date, tmp_path: Path) -> None:
    caseload = made(tmp_path, day, CASES, SEED)
    rows, told = findings(caseload, tmp_path, "by_hand")
    assert as_sorted(rows) == as_sorted(caseload.expected), f"POLKU_SEED={SEED}"
    assert (told["cases"], told["findings"]) == (CASES, len(caseload.expected))


def test_the_outcomes_counted_by_hand_are_those_the_columnar_engine_counts(tmp_path: Path) -> None:
    speaking = set()
    for made in (of_journals, of_the_vocabulary):
        work = tmp_path / made.__name__
        work.mkdir()
        caseload = made(work, DAYS[3], 250, 1)
        counted = {name: findings(caseload, work, name)[1]["counts"] for name in ("by_hand", "polku")}
        assert counted["by_hand"] == counted["polku"]
        speaking |= {rule for rule, _, _ in counted["polku"]}
    assert speaking == {rule.id for rule in pack().rules(DAYS[3])}, "a rule never spoke: nothing was compared of it"


def test_every_rule_of_the_pack_is_written_by_hand_and_no_other() -> None:
    text = check_runs.BY_HAND.read_text(encoding="utf-8")
    told = text.split("CREATE TEMP TABLE told")[1].split("AS told")[0]
    written = [line.split("'")[1] for line in told.splitlines() if line.startswith("    ('")]
    assert Counter(written) == Counter(rule.id for rule in pack().editions[-1].rules)


@pytest.mark.parametrize("made", [of_journals, of_the_vocabulary])
def test_polars_comes_to_the_same(made: Made, tmp_path: Path) -> None:
    pytest.importorskip("polars", reason="Polars is of the extra packages for bench", exc_type=ImportError)
    caseload = made(tmp_path, DAYS[3], CASES, SEED)
    rows, told = findings(caseload, tmp_path, "polars")
    assert as_sorted(rows) == as_sorted(caseload.expected), f"POLKU_SEED={SEED}"
    assert told["counts"] == findings(caseload, tmp_path, "polku")[1]["counts"]


@pytest.mark.parametrize("made", [of_journals, of_the_vocabulary])
@pytest.mark.parametrize("engine", ["durable", "gorules"])
def test_a_loop_comes_to_the_same_and_a_difference_would_be_told(engine: str, made: Made, tmp_path: Path) -> None:
    if engine == "gorules":
        pytest.importorskip("zen", reason="zen-engine is of the extra packages for bench", exc_type=ImportError)
    caseload = made(tmp_path, DAYS[3], 40, SEED)
    findings(caseload, tmp_path, "polku")
    loop = {**asked(caseload, tmp_path, "polku"), "engine": engine, "count": 40}
    told = check_runs.RUNS["loop"]({**loop, "same_as": loop["out"]})
    assert told["same"], f"POLKU_SEED={SEED}"
    assert (told["clients"], told["findings"]) == (40, len(caseload.expected))

    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    findings(of_journals(elsewhere, DAYS[2], 40, SEED + 1), elsewhere, "polku")
    assert not check_runs.RUNS["loop"]({**loop, "same_as": str(elsewhere / "polku.parquet")})["same"]


def test_files_of_findings_are_the_same_only_when_every_row_is(tmp_path: Path) -> None:
    caseload = of_journals(tmp_path, DAYS[3], 30, SEED)
    paths = []
    for name in ("polku", "by_hand"):
        findings(caseload, tmp_path, name)
        paths.append(str(tmp_path / f"{name}.parquet"))
    compared = {**asked(caseload, tmp_path, "same"), "findings": paths}
    assert check_runs.RUNS["same"](compared) == {"rows": len(caseload.expected), "same": True}

    changed = str(tmp_path / "changed.parquet")
    with duckdb.connect() as connection:
        replaced = "SELECT * REPLACE (CASE WHEN row_number() OVER () = 1 THEN DATE '1999-01-01' ELSE due END AS due)"
        connection.execute(f"COPY ({replaced} FROM read_parquet('{paths[0]}')) TO '{changed}'")
    assert not check_runs.RUNS["same"]({**compared, "findings": [paths[0], changed]})["same"]


def test_only_reading_looks_at_every_value(tmp_path: Path) -> None:
    caseload = of_the_vocabulary(tmp_path, DAYS[3], 20, SEED)
    told = check_runs.RUNS["scan"](asked(caseload, tmp_path, "scan"))
    values = 0
    for table in (*tables(pack()), "set_aside"):
        held = pq.read_table(caseload.parts[0] / f"{table}.parquet")
        unread = 3 if table == "case" else 0  # version, folded_on and holds_until say nothing of the rules
        values += held.num_rows * (held.num_columns - unread)
    assert told["values"] == values


def test_a_run_in_a_process_of_its_own_tells_what_it_came_to(tmp_path: Path) -> None:
    caseload = of_journals(tmp_path, DAYS[3], 10, SEED)
    command = [sys.executable, "-m", "benchmarks.check_runs", "polku", json.dumps(asked(caseload, tmp_path, "polku"))]
    root = Path(__file__).resolve().parents[2]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=root).stdout)
    assert told["cases"] == 10
    assert told["findings"] == len(caseload.expected)
    assert told["seconds"] > 0
    assert told["cpu"] > 0
