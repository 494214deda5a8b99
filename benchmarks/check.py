"""The caseload check at size: speed beside its rivals, memory, growth. Writes docs/scale/ when it runs at full size.

    python -m benchmarks check              as a part of the benchmarks, 1,000,000 cases
    python -m benchmarks.check 20000        a try with fewer; writes nothing

Journals come from `polku generate`, thirty entries each. Every run is a process of its own, the runs that are compared
take turns, and all read the same files of facts, which lie in the machine's memory by then. What the rivals found is
compared with what Polku found, row by row, before any speed is told.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import scale
from benchmarks.check_runs import VIEWS
from benchmarks.watching import Run, watched

ROOT = Path(__file__).parents[1]
AIMS = {
    "check_1m_facts_seconds": 5.0,
    "check_vs_handwritten_sql": 1.5,
    "check_1m_journals_seconds": 90.0,
    "check_1m_facts_mib": 2048.0,
    "check_1m_journals_mib": 2048.0,
}
DAY = date(2026, 3, 10)
CASES, ENTRIES, SEED, PROCESSES = 1_000_000, 30, 1, 2
#: Cases that the loops judge one by one.
LOOPED = 5_000
ROUNDS = 3
#: The sizes whose growth is told, as shares of CASES. Beyond it the facts stand several times, under other numbers.
GROWTH = (0.1, 0.3, 1, 2, 5)


@dataclass
class Bench:
    """One run of it all, in a folder that is thrown away."""

    work: Path
    cases: int
    figures: dict[str, Any] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """Everything, in order; what it came to."""
        self.figures["cases"], self.figures["entries_each"] = self.cases, ENTRIES
        self.figures["day"], self.figures["processors"] = DAY.isoformat(), os.cpu_count()
        self.figures["python"] = platform.python_version()
        self.journals()
        facts = sorted((self.work / "keep" / "facts").glob("part-*"))
        self.facts(facts)
        self.growth(facts)
        return self.figures

    # --- journals

    def journals(self) -> None:
        """Journals made, checked with nothing kept, some times, then twice with what can be kept."""
        for name, cases in (("", self.cases), ("_tenth", self.cases // 10)):
            made = self._polku("generate", *_options(cases=cases, entries=ENTRIES, seed=SEED, out=self._journals(name)))
            _say(f"made {cases:,} journals in {made.seconds:.1f} s")
            runs = [self._check(f"journals{name}", name) for _ in range(ROUNDS)]
            self.figures[f"journals{name}"] = runs[0] | _median(runs)
        self.figures["journals_bytes"] = self._journals("").stat().st_size
        for figure in ("first_kept", "unchanged"):
            self.figures[figure] = self._check(figure, "", "--keep", str(self.work / "keep"))

    def _journals(self, name: str) -> Path:
        return self.work / f"journals{name}.parquet"

    def _check(self, figure: str, name: str, *more: str) -> dict[str, Any]:
        out = self.work / "checked.parquet"
        run = self._polku("check", str(self._journals(name)), "--out", str(out), "--json", *more)
        told = json.loads(run.output)
        assert told["refused_cases"] == 0, told["refused"][:3]
        _say(f"{figure}: {told['cases']:,} cases, {told['folded']:,} of them folded, in {_told(run)}")
        return {
            "cases": told["cases"],
            "folded": told["folded"],
            "seconds": run.seconds,
            "mib": run.memory_mib,
            "processes": run.processes,
            "findings": _count(out),
        }

    def _polku(self, *command: str) -> Run:
        options = _options(as_of=DAY.isoformat(), processes=PROCESSES)
        return watched([sys.executable, "-m", "service.cli", *command, *options], cwd=ROOT)

    # --- facts

    def facts(self, facts: Sequence[Path]) -> None:
        """The same facts judged by everyone."""
        self.figures["facts_bytes"] = sum(file.stat().st_size for part in facts for file in part.glob("*.parquet"))
        self.figures["disk_mb_per_second"] = _from_disk(facts)
        times: dict[str, list[dict[str, Any]]] = {name: [] for name in ("polku", "by_hand", "polars", "scan")}
        for _ in range(ROUNDS):
            for name, found in times.items():
                found.append(self._run(name, facts))
        outs = [str(self._findings(name)) for name in ("polku", "by_hand", "polars")]
        told = self._run("same", facts, findings=outs)
        assert told["same"], "the findings of Polku, of the SQL written by hand and of Polars are not the same"
        assert told["rows"] == self.figures["unchanged"]["findings"]
        one = times["polku"][0]
        assert all(run["counts"] == one["counts"] for name in ("by_hand", "polars") for run in times[name])
        self.figures["findings"] = one["findings"]
        self.figures["findings_bytes"] = self._findings("polku").stat().st_size
        self.figures["judged"] = sum(number for *_, number in one["counts"])
        for name, runs in times.items():
            self.figures[name] = _median(runs)
            _say(f"{name}: {self.figures[name]['seconds']:.2f} s")
        self._loops(facts)

    def _loops(self, facts: Sequence[Path]) -> None:
        for engine in ("durable", "gorules"):
            asked = {"engine": engine, "count": min(LOOPED, self.cases), "same_as": str(self._findings("polku"))}
            told = self._run("loop", facts, **asked)
            assert told["same"], f"{engine} found something else"
            self.figures[engine] = {name: told[name] for name in ("seconds", "clients", "findings")}
            _say(f"{engine}: {told['clients']:,} cases in {told['seconds']:.1f} s")

    def _findings(self, name: str) -> Path:
        return self.work / f"findings-{name}.parquet"

    def _run(self, name: str, facts: Sequence[Path], **more: object) -> dict[str, Any]:
        out = self._findings(name)
        out.unlink(missing_ok=True)
        asked = {"facts": [str(part) for part in facts], "day": DAY.isoformat(), "out": str(out), **more}
        asked["work"] = str(self.work)
        run = watched([sys.executable, "-m", "benchmarks.check_runs", name, json.dumps(asked)], cwd=ROOT)
        return {**json.loads(run.output.splitlines()[-1]), "mib": run.memory_mib}

    # --- growth

    def growth(self, facts: Sequence[Path]) -> None:
        """The same check from a tenth of the cases to five times as many."""
        found = []
        for share in GROWTH:
            cases = round(self.cases * share)
            told = self.figures["polku"] if share == 1 else self._grown(facts, share, cases)
            found.append({"cases": cases, "seconds": told["seconds"], "mib": told["mib"]})
            _say(f"{cases:,} cases: {told['seconds']:.2f} s")
        self.figures["growth"] = found

    def _grown(self, facts: Sequence[Path], share: float, cases: int) -> dict[str, Any]:
        parts = list(facts) if share > 1 else []
        copies = range(1, round(share)) if share > 1 else [0]
        for copy in copies:
            part = self.work / f"copy-{share}-{copy}"
            part.mkdir()
            for table in VIEWS.values():
                _copy(facts, table, part, copy, cases)
            parts.append(part)
        told = self._run("polku", parts)
        assert abs(told["cases"] - cases) <= max(2, cases // 1000), f"{told['cases']} cases, expected {cases}"
        return told


def _copy(facts: Sequence[Path], table: str, part: Path, copy: int, cases: int) -> None:
    """A table of facts once more, its cases under other numbers and ids; as copy 0 the first of them only."""
    files = [str(item / f"{table}.parquet") for item in facts]
    changed = f"case_no + {copy * 10**9} AS case_no" + (f', "case" || \'-{copy}\' AS "case"' if table == "case" else "")
    some = f"WHERE case_no IN (SELECT case_no FROM read_parquet($2) ORDER BY case_no LIMIT {cases})" if not copy else ""
    query = f"COPY (SELECT * REPLACE ({changed}) FROM read_parquet($1) {some}) TO '{part / table}.parquet'"
    with duckdb.connect() as connection:
        asked = [files, [str(item / "case.parquet") for item in facts]]
        connection.execute(f"{query} (FORMAT parquet, COMPRESSION zstd)", asked if not copy else asked[:1])


def _from_disk(facts: Sequence[Path]) -> float:
    """Megabytes a second that the disk gives the files of facts at, once the system has let go of them."""
    files = [file for part in facts for file in part.glob("*.parquet")]
    for file in files:
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    start, read = time.perf_counter(), 0
    for file in files:
        read += len(file.read_bytes())
    return read / 1e6 / (time.perf_counter() - start)


def _median(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The middle one of some runs of the same; the memory of the one that had most."""
    times = [run["seconds"] for run in runs]
    memory = [run["mib"] for run in runs if run["mib"] is not None]
    return {"seconds": statistics.median(times), "all_seconds": times, "mib": max(memory, default=None)}


def _options(**options: object) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def _count(findings: Path) -> int:
    with duckdb.connect() as connection:
        return int(connection.execute("SELECT count(*) FROM read_parquet($1)", [str(findings)]).fetchall()[0][0])


def _told(run: Run) -> str:
    memory = "" if run.memory_mib is None else f", {run.memory_mib:,.0f} MiB in {run.processes} processes"
    return f"{run.seconds:.1f} s{memory}"


def _say(text: str) -> None:
    print(f"check: {text}", file=sys.stderr, flush=True)


def figures_of(found: dict[str, Any]) -> dict[str, float]:
    """What `latest.json` keeps of a run: seconds, ratios and memory."""
    polku, cases = found["polku"]["seconds"], found["cases"]
    figures: dict[str, float] = {
        "check_cases": cases,
        "check_findings": found["findings"],
        "check_outcomes": found["judged"],
        "check_1m_facts_seconds": polku,
        "check_1m_facts_mib": found["polku"]["mib"] or 0.0,
        "check_vs_handwritten_sql": polku / found["by_hand"]["seconds"],
        "check_vs_scan": polku / found["scan"]["seconds"],
        "check_vs_polars": found["polars"]["seconds"] / polku,
        "check_vs_durable_loop": scale.times_slower(found, "durable"),
        "check_vs_zen": scale.times_slower(found, "gorules"),
        "check_1m_journals_seconds": found["journals"]["seconds"],
        "check_1m_journals_mib": found["journals"]["mib"] or 0.0,
        "check_1m_unchanged_seconds": found["unchanged"]["seconds"],
        "check_5m_facts_seconds": found["growth"][-1]["seconds"],
        "check_5m_facts_mib": found["growth"][-1]["mib"] or 0.0,
    }
    return figures


def measure(cases: int = CASES, write: Callable[[dict[str, Any]], None] = scale.write) -> dict[str, float]:
    """Run it all; at full size write docs/scale/ anew. Ends the program where a rival is not installed."""
    absent = [name for name in ("polars", "zen") if find_spec(name) is None]
    if absent:
        sys.exit(f"{' and '.join(absent)} not installed: `make bench` installs what the check is measured against")
    with tempfile.TemporaryDirectory(prefix="polku-bench-") as work:
        found = Bench(Path(work), cases).run()
    if cases == CASES:
        write(found)
    return figures_of(found)


if __name__ == "__main__":
    for name, figure in measure(int(sys.argv[1]) if len(sys.argv) > 1 else CASES).items():
        aim = f"   aim {AIMS[name]:g}" if name in AIMS else ""
        print(f"{name:32}{figure:14.3f}{aim}")
