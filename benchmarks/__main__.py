"""Measures speed with the thirty-entry journal beside this file; writes `latest.json`.

    python -m benchmarks [core] [audit] [replay] [service] [pages] [check]

All of them when none is named; only all writes the file (`check` keeps its own, docs/scale/).

Times are wall clock on whatever machine this is and vary with its load; the ratios, taken in one run, are what to
compare. Aims are printed beside the figures; nothing fails here.
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from benchmarks import audit, check, pages, replay, service
from rules.assessment import Assessor
from rules.engines import checked
from rules.engines.durable import DurableEngine
from rules.engines.reference import reference
from rules.fold import fold
from rules.journal import read_case
from rules.pack import load_pack

HERE = Path(__file__).parent
DAY = date(2022, 9, 20)
AIMS = {
    "findings_p50_ms": 1.0,
    "assess_p50_ms": 3.0,
    "assess_p99_ms": 8.0,
    "agenda_p50_ms": 15.0,
    "reference_p50_ms": 0.2,
    "cli_next_seconds": 0.8,
    "pack_load_ms": 150.0,
    "audit_verify_per_second": 50_000.0,
    "replay_per_second": 2_000.0,
    **service.AIMS,
    **pages.AIMS,
    **check.AIMS,
}


def times_ms(run: Callable[[], object], rounds: int) -> list[float]:
    """The time of each round in milliseconds, sorted, after a tenth of the rounds to warm up."""
    for _ in range(rounds // 10 + 1):
        run()
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        found.append((time.perf_counter() - start) * 1000)
    return sorted(found)


def at(times: list[float], share: float) -> float:
    """The time below which that share of the rounds lies."""
    return times[min(int(len(times) * share), len(times) - 1)]


def in_process(figures: dict[str, float]) -> None:
    """Everything measured inside this process."""
    loads = []
    for _ in range(7):
        start = time.perf_counter()
        load_pack()
        loads.append((time.perf_counter() - start) * 1000)
    figures["pack_load_ms"] = statistics.median(loads)
    pack = load_pack()
    start = time.perf_counter()
    checked(pack.ruleset(DAY))
    figures["engines_build_ms"] = (time.perf_counter() - start) * 1000

    case = read_case(HERE / "journal.yaml")
    assessor = Assessor(pack)
    read = assessor.history(case, DAY)
    subjects = fold(read, DAY).subjects
    ruleset = pack.ruleset(DAY)
    for subject in subjects:
        ruleset.derive(subject.kind, subject.facts)
    durable, plain = DurableEngine(ruleset), reference(ruleset)
    figures["entries"] = len(case.entries)
    figures["subjects"] = len(subjects)

    fold_times = times_ms(lambda: fold(assessor.history(case, DAY), DAY), 1000)
    figures["fold_p50_ms"] = at(fold_times, 0.5)
    figures["durable_p50_ms"] = at(times_ms(lambda: [durable.judge(s.kind, s.facts, DAY) for s in subjects], 600), 0.5)
    figures["reference_p50_ms"] = at(times_ms(lambda: [plain.judge(s.kind, s.facts, DAY) for s in subjects], 600), 0.5)
    figures["durable_vs_reference"] = figures["durable_p50_ms"] / figures["reference_p50_ms"]
    figures["findings_p50_ms"] = at(times_ms(lambda: assessor.findings(case, DAY), 600), 0.5)
    whole = times_ms(lambda: assessor.assess(case, DAY, with_agenda=False), 1000)
    figures["assess_p50_ms"], figures["assess_p99_ms"] = at(whole, 0.5), at(whole, 0.99)
    figures["assess_per_second"] = 1000 * len(whole) / sum(whole)
    with_agenda = times_ms(lambda: assessor.assess(case, DAY), 200)
    figures["agenda_p50_ms"] = at(with_agenda, 0.5) - figures["assess_p50_ms"]


def command_line(figures: dict[str, float]) -> None:
    """A cold `polku next`, a new process each time."""
    command = [sys.executable, "-m", "service.cli", "next", str(HERE / "journal.yaml"), "--as-of", DAY.isoformat()]
    found = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        found.append(time.perf_counter() - start)
    figures["cli_next_seconds"] = statistics.median(found)


def core(figures: dict[str, float]) -> None:
    """The rules' own speed."""
    in_process(figures)
    command_line(figures)


PARTS: dict[str, Callable[[dict[str, float]], None]] = {
    "core": core,
    "audit": audit.audit_verify_per_second,
    "replay": replay.replay_per_second,
    "service": lambda figures: figures.update(service.measure()),
    "pages": lambda figures: figures.update(pages.measure()),
    "check": lambda figures: figures.update(check.measure()),
}


def main(wanted: list[str]) -> None:
    """Measure, print, write."""
    if unknown := set(wanted) - PARTS.keys():
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; known: {', '.join(PARTS)}")
    figures: dict[str, float] = {}
    for name, measure in PARTS.items():
        if name in wanted or not wanted:
            measure(figures)
    for name, figure in figures.items():
        aim = f"   aim {AIMS[name]:g}" if name in AIMS else ""
        print(f"{name:40}{figure:12.3f}{aim}")
    if wanted:
        return
    machine = {"python": platform.python_version(), "machine": platform.machine(), "day": DAY.isoformat()}
    figures = {name: round(figure, 4) for name, figure in figures.items()}
    (HERE / "latest.json").write_text(json.dumps({**machine, **figures}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
