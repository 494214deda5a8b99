"""A check from end to end: journals to facts, facts to findings, findings counted, compared and written.

What a run works with lies in a folder of its own that is gone when the run ends, however it ends. Kept are, in the
folder of `keep`, the facts of unchanged cases and the findings of the last run; a file that is asked for is there whole
or not at all. So whatever interrupts a run, the next one goes on from what was kept.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rules.pack import Pack
from service.checks.alone import alone
from service.checks.changes import Changes, Compared, compare, keep_as_last, last_run
from service.checks.errors import CheckError
from service.checks.outputs import Results, checked_out, write
from service.checks.tally import Tally, tally
from service.words import Words

if TYPE_CHECKING:
    from service.checks.sources import Gathered

READING, JUDGING, WRITING = "reading", "judging", "writing"
#: What is told while a check runs: the stage, how much of it is done, and of how much (None: not known).
Progress: TypeAlias = Callable[[str, int, int | None], None]
#: Files of findings that the next check of the same folder would take for journals.
READ_TOO = (".parquet", ".jsonl")
_LOCK, _WORK = ".check-lock", "work"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where Spark runs, and a folder of storage that every machine of it sees (None: this machine is the only one)."""

    master: str
    shared: Path | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be checked: the source of journals and how to go about it; by Spark, if a cluster is named."""

    source: str
    as_of: date
    keep: Path | None = None
    out: Path | None = None
    processes: int = 2
    region: str | None = None
    cluster: Cluster | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to. `refused` are the cases that could not be checked, each with its place and why; when they
    are very many not all are told, but `refused_cases` counts all."""

    as_of: date
    pack: Pack
    cases: int
    folded: int
    reused: int
    refused: Sequence[tuple[str, str]]
    refused_cases: int
    tally: Tally
    changes: Changes | None
    kept: bool
    written: Sequence[Path]


def run(asked: Asked, pack: Pack, words: Words, now: datetime, progress: Progress) -> Checked:
    """Check a caseload. Raises CheckError and OSError for what is asked, and whatever the source raises for itself."""
    _look_over(asked)
    with _work_folder(asked.keep) as work:
        gathered, findings = (_by_duckdb if asked.cluster is None else _by_spark)(asked, pack, work, progress)
        counts = tally(findings, pack, work)
        last = last_run(asked.keep) if asked.keep is not None else None
        compared = _compare(findings, last, gathered, pack, work) if last is not None else None
        refused = [(item.place, item.message) for item in gathered.refused]
        written: list[Path] = []
        if asked.out is not None:
            progress(WRITING, 0, None)
            results = Results(
                compared.findings if compared else findings, compared.settled if compared else None, refused
            )
            written = write(results, asked.out, pack, words, now, work)
        if asked.keep is not None:  # last: a run that is broken off before leaves the run to compare with as it was
            keep_as_last(findings, asked.keep)
    return Checked(
        as_of=asked.as_of,
        pack=pack,
        cases=gathered.cases,
        folded=gathered.folded,
        reused=gathered.reused,
        refused=refused,
        refused_cases=gathered.refused_cases,
        tally=counts,
        changes=compared.changes if compared else None,
        kept=asked.keep is not None,
        written=written,
    )


def _by_duckdb(asked: Asked, pack: Pack, work: Path, progress: Progress) -> tuple[Gathered, Path]:
    from service.checks.judging import judge
    from service.checks.sources import gather

    gathered = gather(
        asked.source,
        pack,
        asked.as_of,
        work=work,
        keep=asked.keep,
        processes=asked.processes,
        region=asked.region,
        on_progress=lambda done, total: progress(READING, done, total),
    )
    progress(JUDGING, 0, None)
    findings = work / "findings.parquet"
    judge(gathered.parts, pack, asked.as_of, findings, dropped=gathered.dropped)
    return gathered, findings


def _by_spark(asked: Asked, pack: Pack, work: Path, progress: Progress) -> tuple[Gathered, Path]:
    from service.checks.spark import check_by_spark

    return check_by_spark(
        asked.source,
        pack,
        asked.as_of,
        asked.cluster or Cluster("local[*]"),
        work=work,
        region=asked.region,
        on_folded=lambda cases: progress(READING, cases, None),
        on_judging=lambda: progress(JUDGING, 0, None),
    )


def _compare(findings: Path, last: tuple[Path, date], gathered: Gathered, pack: Pack, work: Path) -> Compared:
    rules = dict.fromkeys(rule.id for edition in pack.editions for rule in edition.rules)
    return compare(findings, last, rules, gathered.parts, gathered.dropped, work)


def _look_over(asked: Asked) -> None:
    """Refuse what cannot be, before the work of reading begins."""
    source, out, keep = Path(asked.source).resolve(), asked.out, asked.keep
    if out is not None:
        if checked_out(out).resolve() == source:
            raise CheckError(f"{out}: holds the journals to check; write the findings to another file")
        if out.suffix in READ_TOO and _is_among(out, source):
            raise CheckError(f"{out}: lies among the journals to check, and would be read as one; write it elsewhere")
    if keep is not None:
        if keep.exists() and not keep.is_dir():
            raise CheckError(f"{keep}: is no folder; --keep takes a folder of its own")
        if _is_among(keep, source):
            raise CheckError(f"{keep}: lies among the journals to check, and would be read as such; keep elsewhere")


def _is_among(path: Path, source: Path) -> bool:
    """Whether a path lies where the journals of a folder are looked for: anywhere in it, unless hidden."""
    if not path.resolve().is_relative_to(source):
        return False
    return not any(part.startswith(".") for part in path.resolve().relative_to(source).parts)


@contextmanager
def _work_folder(keep: Path | None) -> Iterator[Path]:
    """A folder that only this user may read, gone afterwards; with `keep`, in it, and this run alone there."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="polku-check-") as folder:
            yield Path(folder)
        return
    keep.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(keep, keep / _LOCK):
        work = keep / _WORK
        shutil.rmtree(work, ignore_errors=True)  # what a run that was killed left
        work.mkdir(mode=0o700)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
