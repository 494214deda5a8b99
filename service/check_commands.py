"""`polku check`: every plan of a caseload checked in one run, by the rules that one client is checked by."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rules.entries import LOCAL_TIME
from service.arguments import AsJson, AsOf, Language, today
from service.terminal import BAD_INPUT, DONE, FINDINGS, show, write_json
from service.words import Words, clean

if TYPE_CHECKING:
    from service.checks.running import Checked, Cluster

checks = typer.Typer()

#: More cases that could not be checked are told in the file, or with --json.
MOST_TOLD = 20

Engine = Literal["duckdb", "spark"]
Severity = Literal["obligation", "quality", "recommendation", "information"]


@checks.command()
def check(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="A folder of cases, a .jsonl or .parquet file, or the URL of the service's database."
        ),
    ],
    as_of: AsOf = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the findings to this file: .xlsx, .csv, .parquet or .jsonl."),
    ] = None,
    fail_on: Annotated[
        Severity | None,
        typer.Option("--fail-on", help="Exit code 1 when a finding of this weight or a heavier one is not in order."),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            metavar="FOLDER",
            help="Keep there what the next run can use: what cases hold, and what was found, to tell what has changed.",
        ),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, max=64, help="How many processes read journals [default: one a core]."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option("--region", metavar="REGION", help="Of a database: only this region [default: all of them]."),
    ] = None,
    engine: Annotated[
        Engine, typer.Option("--engine", help="What judges: DuckDB on this machine, or Apache Spark on many.")
    ] = "duckdb",
    master: Annotated[
        str | None,
        typer.Option(
            "--master", metavar="URL", help="Of Spark: its master [default: as many processes, on this machine]."
        ),
    ] = None,
    spark_work: Annotated[
        Path | None,
        typer.Option("--spark-work", metavar="FOLDER", help="Of Spark: storage that all its machines see."),
    ] = None,
    as_json: AsJson = False,
    lang: Language = "fi",
) -> None:
    """Check every plan of a caseload: what is not in order, what is to be done, what is not known, and what has changed
    since the last run."""
    from rules.pack import load_pack
    from service.checks.running import Asked, run

    words = Words(lang)
    workers = processes or os.cpu_count() or 1
    cluster = _cluster(engine, master, spark_work, processes, workers)
    asked = Asked(source, as_of or today(), keep, out, workers, region, cluster)
    with _ending_tidily() as go_on, _progress(words) as progress:

        def told(stage: str, done: int, total: int | None) -> None:
            go_on()
            progress(stage, done, total)

        checked = run(asked, load_pack(), words, datetime.now(LOCAL_TIME), told)
    if as_json:
        write_json(_as_json(checked, fail_on))
    else:
        from service.check_page import CheckPage

        show(CheckPage(checked, words, fail_on).parts())
    sys.stdout.flush()
    _tell_refused(checked, words)
    if checked.refused_cases:
        # Whoever was not checked may have what the others were found not to have: the run did not come to its end.
        raise typer.Exit(BAD_INPUT)
    failed = fail_on is not None and checked.tally.at_or_over(fail_on)
    raise typer.Exit(FINDINGS if failed else DONE)


def _cluster(
    engine: Engine, master: str | None, spark_work: Path | None, processes: int | None, workers: int
) -> Cluster | None:
    """Where Spark is to run, if it is. Raises CheckError for words that do not go together."""
    from service.checks.errors import CheckError
    from service.checks.running import Cluster

    if engine == "duckdb":
        if master is not None or spark_work is not None:
            raise CheckError("--master and --spark-work are Spark's: they go with --engine spark")
        return None
    if master is not None and processes is not None:
        raise CheckError("--master says how many processes there are (local[2]): leave --processes out")
    return Cluster(master or f"local[{workers}]", spark_work)


def _tell_refused(checked: Checked, words: Words) -> None:
    """Who was not checked, and why, on standard error."""
    told = checked.refused[:MOST_TOLD]
    for place, message in told:
        typer.echo(f"polku: {clean(place)}: {clean(message)}", err=True)
    left = checked.refused_cases - len(told)
    if left:
        typer.echo(f"polku: {words('check', 'more_refused', count=left, number=left)}", err=True)


def _as_json(checked: Checked, fail_on: Severity | None) -> dict[str, Any]:
    tally, pack = checked.tally, checked.pack
    severity = {rule.id: rule.severity for rule in pack.editions[-1].rules}
    return {
        "as_of": checked.as_of.isoformat(),
        "pack": {"id": pack.id, "version": pack.version, "sha256": pack.sha256},
        "cases": checked.cases,
        "folded": checked.folded,
        "reused": checked.reused,
        "refused_cases": checked.refused_cases,
        "refused": [{"place": place, "message": message} for place, message in checked.refused],
        "findings": tally.total.as_json(),
        "by_rule": [
            {"rule": name, "severity": severity[name], **counts.as_json()} for name, counts in tally.by_rule.items()
        ],
        "by_role": [{"role": name, **counts.as_json()} for name, counts in tally.by_role.items()],
        "by_municipality": [
            {"municipality": name, **counts.as_json()} for name, counts in tally.by_municipality.items()
        ],
        "changes": checked.changes.as_json() if checked.changes is not None else None,
        "fail_on": None if fail_on is None else {"severity": fail_on, "count": tally.at_or_over(fail_on)},
        "written": [str(path) for path in checked.written],
    }


@contextmanager
def _progress(words: Words) -> Iterator[Any]:
    from service.check_progress import following

    with following(words) as progress:
        yield progress


@contextmanager
def _ending_tidily() -> Iterator[Callable[[], None]]:
    """A run that is interrupted (SIGINT) or told to end (SIGTERM) tidies up and exits as shells count it, with no word
    of what it was at: a database may tell an interruption as a fault of its own.

    What it gives is to be called now and then: some libraries take an interruption for a fault they can pass over.
    """
    ended_by: list[int] = []

    def end(number: int, _frame: object) -> None:
        ended_by.append(number)
        if signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()):
            # What must not be broken off is under way, the start of a process. The signal waits until it is over.
            signal.raise_signal(signal.SIGINT)
            return
        raise KeyboardInterrupt

    def go_on() -> None:
        if ended_by:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield go_on
    except BaseException:
        if ended_by:
            raise SystemExit(128 + ended_by[0]) from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
