"""Journals and the labels of what was planted, to files: drawn by processes, written in their order as they come.

What a file holds depends on the seed, the date and the number of cases alone, not on how many processes drew it. Files
are there whole or not at all.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import re
import shutil
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from service.checks.journals import SCHEMA
from service.checks.whole import whole
from service.generate.drawing import Drawing, Wanted
from service.generate.journal import Journal

PARQUET, LINES = ".parquet", ".jsonl"
#: Cases drawn at a time: about a row group of 100,000 entries.
AT_A_TIME = 3_500
#: A folder of more files than this helps nobody.
MOST_FILES = 50_000
OnProgress = Callable[[int, int], None]

_EPOCH = date(1970, 1, 1).toordinal()
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class GenerateError(ValueError):
    """What was asked for cannot be made, in words for people."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: cases, their entries, the cases with a fault, and the labels."""

    cases: int
    entries: int
    faulted: int
    labels: int
    out: Path
    planted: Path


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the cases, ready to be written."""

    payload: Any
    labels: bytes
    cases: int
    entries: int
    faulted: int
    labelled: int


def labels_of(out: Path) -> Path:
    """Where the labels of a caseload are written: beside it."""
    return out.with_name(f"{out.name}.planted.jsonl")


def generate(
    wanted: Wanted, cases: int, out: Path, *, processes: int = 1, on_progress: OnProgress = lambda done, total: None
) -> Made:
    """Write so many cases to a Parquet file, a JSON Lines file, or a new folder of YAML files, by what `out` is called.

    Raises GenerateError for what cannot be asked, CheckError where another run writes the file, and OSError.
    """
    _look_over(cases, out)
    planted = labels_of(out)
    entries = faulted = labelled = done = 0
    with ExitStack() as stack:
        labels = stack.enter_context(whole(planted))
        sink = stack.enter_context(_sink(out))
        for part in stack.enter_context(_parts(wanted, cases, out.suffix, processes)):
            sink.write(part.payload)
            labels.write(part.labels)
            done += part.cases
            entries += part.entries
            faulted += part.faulted
            labelled += part.labelled
            on_progress(done, cases)
    return Made(cases, entries, faulted, labelled, out, planted)


def _look_over(cases: int, out: Path) -> None:
    if out.suffix in (PARQUET, LINES):
        if out.is_dir():
            raise GenerateError(f"{out}: is a folder; name a file")
        return
    if out.suffix in (".yaml", ".yml", ".json", ".csv", ".xlsx"):
        raise GenerateError(f"{out}: expected a file *{PARQUET} or *{LINES}, or a folder for YAML files")
    if cases > MOST_FILES:
        raise GenerateError(f"{out}: a folder of {cases:,} files would help nobody; write to a file *{PARQUET}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise GenerateError(f"{out}: is there already; name a new folder, or an empty one")


# ---- drawing, in this process or in others


@contextmanager
def _parts(wanted: Wanted, cases: int, suffix: str, processes: int) -> Iterator[Iterator[_Part]]:
    """The parts in their order, drawn ahead by as many processes as are asked for."""
    ranges = [(first, min(first + AT_A_TIME, cases)) for first in range(0, cases, AT_A_TIME)]
    if processes == 1 or len(ranges) == 1:
        yield (_part(wanted, suffix, *some) for some in ranges)
        return
    pool = ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_interrupts
    )
    try:
        yield _in_order(pool, wanted, suffix, ranges, ahead=processes + 2)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, wanted: Wanted, suffix: str, ranges: list[tuple[int, int]], *, ahead: int
) -> Iterator[_Part]:
    waiting: deque[Future[_Part]] = deque()
    for some in ranges:
        waiting.append(pool.submit(_part, wanted, suffix, *some))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _leave_interrupts() -> None:
    """Ctrl-C is for the process that started this one, which then ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _part(wanted: Wanted, suffix: str, first: int, last: int) -> _Part:
    """The cases from one number to another."""
    drawing, encoder = Drawing(wanted), _ENCODERS.get(suffix, _FileTexts)()
    labels: list[dict[str, Any]] = []
    entries = faulted = 0
    with _no_collection():
        for index in range(first, last):
            journal, found = drawing.case(index)
            encoder.add(journal)
            entries += len(journal.entries)
            faulted += bool(found)
            labels += found
    return _Part(
        payload=encoder.done(),
        labels="".join(f"{_json(label)}\n" for label in labels).encode(),
        cases=last - first,
        entries=entries,
        faulted=faulted,
        labelled=len(labels),
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without looking for cycles among what is drawn: there are none, and the looking takes as long as the drawing."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


# ---- the three ways to write


class _Sink(Protocol):
    def write(self, payload: Any, /) -> object: ...


@contextmanager
def _sink(out: Path) -> Iterator[_Sink]:
    if out.suffix == PARQUET:
        with whole(out) as file, pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
            yield _Rows(writer)
    elif out.suffix == LINES:
        with whole(out) as file:
            yield file
    else:
        with _folder(out) as folder:
            yield folder


class _Rows:
    """Entries as rows of a Parquet file, a row group at a time."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer

    def write(self, payload: Any) -> None:
        self._writer.write_batch(payload)


class _Files:
    """A YAML file a case."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, payload: list[tuple[str, str]]) -> None:
        for name, text in payload:
            (self._folder / name).write_text(text, encoding="utf-8")


@contextmanager
def _folder(out: Path) -> Iterator[_Files]:
    """A new folder, in its place when all files are in it."""
    out = out.resolve()
    waiting = out.with_name(f".{out.name}.part")
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(mode=0o700)
    try:
        yield _Files(waiting)
        if out.is_dir():
            out.rmdir()  # an empty one
        waiting.rename(out)
    except BaseException:
        shutil.rmtree(waiting, ignore_errors=True)
        raise


class _Encoder(Protocol):
    """Takes journals one by one and gives what a sink writes."""

    def add(self, journal: Journal, /) -> None: ...

    def done(self) -> Any: ...


class _RowBatch:
    """Journals as a record batch, the header of a case with its first row."""

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {field.name: [] for field in SCHEMA if field.name not in _NEVER}

    def add(self, journal: Journal) -> None:
        columns, entries = self._columns, journal.entries
        complete_from = None if journal.complete_from is None else journal.complete_from - _EPOCH
        header = (
            journal.municipality, journal.birth_year, journal.language, journal.not_recorded or None, complete_from
        )  # fmt: skip
        more = [None] * (len(entries) - 1)
        for name, value in zip(_HEADER, header, strict=True):
            column = columns[name]
            column.append(value)
            column += more
        columns["case_id"] += [journal.case] * len(entries)
        columns["position"] += range(len(entries))
        columns["date"] += [entry.day - _EPOCH for entry in entries]
        columns["type"] += [entry.type for entry in entries]
        columns["by"] += [entry.by for entry in entries]
        columns["note"] += [entry.note for entry in entries]
        columns["fields"] += [_json(entry.fields) if entry.fields else None for entry in entries]

    def done(self) -> Any:
        rows = len(self._columns["case_id"])
        arrays = [_array(self._columns.get(field.name), field.type, rows) for field in SCHEMA]
        return pa.record_batch(arrays, schema=SCHEMA)


_HEADER = ("municipality", "birth_year", "language", "not_recorded", "complete_from")
#: What no generated entry has: ids are given by whoever reads the journal, in the order of its entries.
_NEVER = ("id", "recorded_at")


def _array(values: Any, kind: Any, rows: int) -> Any:
    if values is None:
        return pa.nulls(rows, kind)
    if pa.types.is_date32(kind):
        return pa.array(values, pa.int32()).cast(kind)
    return pa.array(values, kind)


class _DocumentLines:
    """Journals as JSON Lines, a case document a line."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, journal: Journal) -> None:
        self._lines.append(_json({"case": journal.header(), "entries": list(journal.rows())}) + "\n")

    def done(self) -> bytes:
        return "".join(self._lines).encode()


class _FileTexts:
    """Journals as YAML files by the ids of their cases."""

    def __init__(self) -> None:
        self._texts: list[tuple[str, str]] = []

    def add(self, journal: Journal) -> None:
        self._texts.append((f"{journal.case}.yaml", _yaml(journal)))

    def done(self) -> list[tuple[str, str]]:
        return self._texts


_ENCODERS: dict[str, Callable[[], _Encoder]] = {PARQUET: _RowBatch, LINES: _DocumentLines}

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*|\d{4}-\d\d-\d\d")
#: What YAML readers take for something else than text. Yes and no are meant as that.
_TAKEN = ("null", "true", "false", "on", "off", "y", "n")


def _yaml(journal: Journal) -> str:
    """A case as a person would write it: a line an entry."""
    lines = [f"case: {_flow(journal.header())}", "entries:"]
    lines += [f"  - {_flow(row)}" for row in journal.rows()]
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _TAKEN:
        return value
    return json.dumps(value, ensure_ascii=False)
