"""How far a check has come: a bar on a terminal, now and then a line elsewhere. On standard error, always."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from service.checks.running import READING
from service.checks.running import Progress as Told
from service.words import Words

#: A run shorter than this many seconds says nothing where there is no terminal: a nightly run need not be mailed.
QUIET_SECONDS = 30.0


@contextmanager
def following(words: Words) -> Iterator[Told]:
    """What to tell how far a check has come."""
    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        yield Lines(words)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[told]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, transient=True, refresh_per_second=5) as drawn:
        yield Bar(drawn, words)


class Bar:
    """The stage of a check as a bar."""

    def __init__(self, drawn: Progress, words: Words) -> None:
        self._drawn = drawn
        self._words = words
        self._stage = ""
        self._task = drawn.add_task("", total=None, told="")

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Tell how far it is."""
        if stage != self._stage:
            self._stage = stage
            self._drawn.reset(self._task, description=self._words("check", stage))
        told = _clients(self._words, done, total) if stage == READING else ""
        self._drawn.update(self._task, completed=done, total=total, told=told)


class Lines:
    """The stage of a check as lines, no more often than every half a minute."""

    def __init__(self, words: Words, clock: Callable[[], float] = time.monotonic) -> None:
        self._words = words
        self._clock = clock
        self._told_at = clock()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Tell how far it is, if it is time."""
        now = self._clock()
        if now - self._told_at < QUIET_SECONDS:
            return
        self._told_at = now
        told = f": {_clients(self._words, done, total)}" if stage == READING else ""
        typer.echo(f"polku: {self._words('check', stage)}{told}", err=True)
        sys.stderr.flush()


def _clients(words: Words, done: int, total: int | None) -> str:
    separator = "," if words.lang == "en" else "\u00a0"
    shown = f"{done:,}".replace(",", separator)
    if total is None:
        return words("check", "clients", done=shown)
    return words("check", "of_clients", done=shown, total=f"{total:,}".replace(",", separator))
