"""`polku generate`: invented caseloads for demos, tests and measuring, with what was planted in them written beside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.arguments import AsJson, AsOf, today
from service.terminal import fail, write, write_json

if TYPE_CHECKING:
    from service.generate.writing import OnProgress

generators = typer.Typer()

MOST_CASES = 100_000_000


@generators.command()
def generate(
    cases: Annotated[int, typer.Option("--cases", metavar="N", min=1, max=MOST_CASES, help="How many clients.")],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="PATH", help="A file *.parquet or *.jsonl, or a new folder for YAML files."),
    ],
    seed: Annotated[
        int, typer.Option("--seed", metavar="SEED", min=0, max=2**63 - 1, help="Another seed, another caseload.")
    ] = 1,
    as_of: AsOf = None,
    faults: Annotated[
        float,
        typer.Option(
            "--faults", metavar="SHARE", min=0.0, max=1.0, help="Of how many clients the journal has a fault."
        ),
    ] = 0.1,
    entries: Annotated[
        int | None,
        typer.Option("--entries", metavar="N", min=20, max=60, help="Just so many entries in every journal."),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, max=64, help="How many processes draw journals [default: one a core]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Invent a caseload: believable journals at every stage of the path, faults planted in some. Beside it is written
    what was planted (PATH.planted.jsonl). The same seed, date and options give the same journals."""
    from service.generate.drawing import EARLIEST, LATEST, Wanted
    from service.generate.writing import GenerateError
    from service.generate.writing import generate as made_by

    day = as_of or today()
    if not EARLIEST <= day <= LATEST:
        raise typer.BadParameter(f"expected a day from {EARLIEST} to {LATEST}", param_hint="--as-of")
    wanted = Wanted(seed, day, faults, entries)
    try:
        with _progress() as progress:
            made = made_by(wanted, cases, out, processes=processes or os.cpu_count() or 1, on_progress=progress)
    except GenerateError as error:
        fail(str(error))
    if as_json:
        write_json(
            {
                "cases": made.cases, "entries": made.entries, "faulted": made.faulted, "labels": made.labels,
                "seed": seed, "as_of": day.isoformat(), "out": str(made.out), "planted": str(made.planted),
            }
        )  # fmt: skip
        return
    write(f"{made.cases:,} journals with {made.entries:,} entries, as of {day}, seed {seed}: {made.out}\n")
    write(f"{made.labels:,} findings planted in {made.faulted:,} of them: {made.planted}\n")


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """A bar on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        yield lambda done, total: None
        return
    with Progress(
        BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as drawn:
        task = drawn.add_task("", total=None)
        yield lambda done, total: drawn.update(task, completed=done, total=total)
