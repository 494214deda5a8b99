"""Journals in files, read in batches: one case a file (YAML, JSON), one a line (JSON Lines), or rows (Parquet).

A source can be read from end to end, or listed first (what each case's journal is known by) and then read in part. What
may take long is left to whoever folds: a batch is sent, and its cases are read there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, groupby, islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from rules.entry_reader import EntryReader
from rules.journal import Case, JournalError, case_from_reading, load_case
from rules.reading import MAX_BYTES, read_json
from service.checks.errors import CheckError
from service.checks.rows import (
    GroupBatch,
    Item,
    RowBatch,
    RowFile,
    Stamp,
    batch_of,
    have_stamp,
    ids_of,
    row_place,
    stamp_of,
)

#: What a file holds, by the end of its name: a case, a case a line, or rows of entries.
FORMS = {
    ".yaml": "case",
    ".yml": "case",
    ".json": "case",
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".parquet": "rows",
}
#: Cases of a batch of files; cases and bytes of a batch of lines.
FILES, LINES, LINES_BYTES = 250, 500, 2_000_000


class Batch(Protocol):
    """Some cases of a source on their way to another process."""

    @property
    def weight(self) -> int:
        """Their share of what the source weighs."""
        ...

    def __len__(self) -> int: ...

    def places(self) -> Iterator[tuple[int, str]]:
        """Where each case stands, by its number."""
        ...

    def items(self, reader: EntryReader) -> Iterator[Item]:
        """The cases."""
        ...


class Listed(NamedTuple):
    """A case of a source before it is read: its number, where it stands (a file or region, and a place in it), how that
    is told, its id where that is known, and what its journal is known by."""

    number: int
    container: str
    at: int
    place: str
    case_id: str | None
    version: str


class Source(Protocol):
    """Where journals come from. Cases are numbered from 0 in the order of the source.

    Whatever is asked of it raises CheckError, OSError or StoreError where the source as such cannot be read.
    """

    #: Whether no two of its cases can have one id.
    ids_are_keys: bool
    #: What all batches weigh.
    weight: int

    def cases(self) -> int | None:
        """How many cases there are, if that is known before they are read."""
        ...

    def batches(self) -> Iterator[Batch]:
        """Every case."""
        ...

    def listing(self) -> Iterator[Listed]:
        """Every case, without its journal."""
        ...

    def listed(self, wanted: Iterable[Listed]) -> Iterator[Batch]:
        """Some of the cases that were listed, in the same order."""
        ...


# ---- one case a file, or a line


@dataclass(frozen=True, slots=True)
class FileBatch:
    """Files of one case each."""

    weight: int
    numbers: Sequence[int]
    paths: Sequence[str]

    def __len__(self) -> int:
        return len(self.numbers)

    def places(self) -> Iterator[tuple[int, str]]:
        """The files."""
        return zip(self.numbers, self.paths, strict=True)

    def items(self, reader: EntryReader) -> Iterator[Item]:
        """The cases."""
        for number, path in self.places():
            try:
                source = _read(path)
            except OSError as error:
                yield Item(number, path, "", partial(_fail, error))
            else:
                read = partial(load_case, source, name=os.path.basename(path))
                yield Item(number, path, _sha256(source), read)


@dataclass(frozen=True, slots=True)
class LineBatch:
    """Lines of one case each, with their places."""

    weight: int
    numbers: Sequence[int]
    lines: Sequence[tuple[str, bytes]]

    def __len__(self) -> int:
        return len(self.numbers)

    def places(self) -> Iterator[tuple[int, str]]:
        """The files and the lines."""
        for number, (place, _) in zip(self.numbers, self.lines, strict=True):
            yield number, place

    def items(self, reader: EntryReader) -> Iterator[Item]:
        """The cases."""
        for number, (place, text) in zip(self.numbers, self.lines, strict=True):
            yield Item(number, place, _sha256(text), partial(_case_of_line, text))


def _case_of_line(text: bytes) -> Case:
    try:
        return case_from_reading(read_json(text, "a case as JSON, on one line"))
    except JournalError as error:  # the document is one line: its place tells which
        problems = [replace(problem, line=None) for problem in error.problems]
    raise JournalError(problems)


def _fail(error: OSError) -> Case:
    raise error


def _read(path: str) -> bytes:
    """A file, or as much of it as tells that it is too long."""
    with open(path, "rb") as file:
        return file.read(MAX_BYTES + 1)


def _sha256(source: bytes) -> str:
    return hashlib.sha256(source).hexdigest()


# ---- files


class Files:
    """A file of journals, or a folder: whatever files of journals are in it and in its folders."""

    ids_are_keys = False

    def __init__(self, root: Path) -> None:
        self._root = root
        self._only_cases = True
        self._files = self.weight = 0
        #: Files of many cases as they were when they were listed.
        self._stamps: dict[str, Stamp] = {}
        for path, form in self._found():
            self._files += 1
            self._only_cases = self._only_cases and form == "case"
            self.weight += os.path.getsize(path)
        if not self._files:
            raise CheckError(f"{root}: no journals here; expected {_EXPECTED}")

    def _found(self) -> Iterator[tuple[str, str]]:
        """The files by path, each with its form; hidden ones are left alone, links to folders are not followed."""
        if not self._root.is_dir():
            self._root.stat()
            yield str(self._root), _form(str(self._root))
            return
        for folder, folders, files in os.walk(self._root, onerror=_unreadable):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if not name.startswith(".") and os.path.splitext(name)[1].lower() in FORMS:
                    path = os.path.join(folder, name)
                    if os.path.isfile(path):
                        yield path, _form(path)

    def forms(self) -> list[tuple[str, str]]:
        """The files, each with its form: "case", "lines" or "rows"."""
        return list(self._found())

    def cases(self) -> int | None:
        """The number of files, where each is a case."""
        return self._files if self._only_cases else None

    def batches(self) -> Iterator[Batch]:
        """Every case of every file."""
        number = 0
        for form, found in groupby(self._found(), key=lambda item: item[1]):
            paths = (path for path, _ in found)
            if form == "case":
                for batch in _file_batches(zip(count(number), paths)):
                    yield batch
                    number += len(batch)
                continue
            for path in paths:
                for many in _line_batches(path, number) if form == "lines" else _all_rows(path, number):
                    yield many
                    number += len(many)

    def listing(self) -> Iterator[Listed]:
        """Every case of every file."""
        number = 0
        for path, form in self._found():
            if form != "case":
                self._stamps[path] = stamp_of(path)
            for at, place, case_id, version in _LISTINGS[form](path):
                yield Listed(number, path, at, place, case_id, version)
                number += 1

    def listed(self, wanted: Iterable[Listed]) -> Iterator[Batch]:
        """Some of the cases. Raises CheckError for a file that has changed since it was listed."""
        for form, of_form in groupby(wanted, key=lambda item: _form(item.container)):
            if form == "case":
                yield from _file_batches((item.number, item.container) for item in of_form)
                continue
            for path, of_file in groupby(of_form, key=lambda item: item.container):
                yield from (_picked_lines if form == "lines" else _picked_rows)(path, self._stamps[path], of_file)


_EXPECTED = "files or folders of .yaml or .json (a case each), .jsonl (a case a line) or .parquet (docs/checks.md)"


def _form(path: str) -> str:
    form = FORMS.get(os.path.splitext(path)[1].lower())
    if form is None:
        raise CheckError(f"{path}: no form of journals; expected {_EXPECTED}, or the URL of a database")
    return form


def _unreadable(error: OSError) -> None:
    raise error


def _file_batches(files: Iterable[tuple[int, str]]) -> Iterator[FileBatch]:
    left = iter(files)
    while some := list(islice(left, FILES)):
        weight = sum(os.path.getsize(path) for _, path in some if os.path.exists(path))
        yield FileBatch(weight, [number for number, _ in some], [path for _, path in some])


def _list_file(path: str) -> Iterator[tuple[int, str, str | None, str]]:
    try:
        version = _sha256(_read(path))
    except OSError:
        version = ""  # it is told when the file is to be read
    yield 0, path, None, version


# ---- lines


def _lines(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """The lines that are not blank, each with its offset and its number; one that is too long is cut short."""
    offset = 0
    for number in count(1):
        line = file.readline(MAX_BYTES + 2)
        if not line:
            return
        at = offset
        offset += len(line)
        rest = line
        while len(rest) > MAX_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_BYTES + 2)
            offset += len(rest)
        if line.strip():
            yield at, number, line.rstrip(b"\r\n")


def _line_batches(path: str, first: int) -> Iterator[LineBatch]:
    with open(path, "rb") as file:
        found = ((f"{path}:{line}", text) for _, line, text in _lines(file))
        yield from _batched_lines(zip(count(first), found))


def _picked_lines(path: str, stamp: Stamp, wanted: Iterable[Listed]) -> Iterator[LineBatch]:
    with open(path, "rb") as file:
        have_stamp(path, stamp)
        yield from _batched_lines((item.number, (item.place, _line_at(file, item.at))) for item in wanted)


def _line_at(file: BinaryIO, offset: int) -> bytes:
    file.seek(offset)
    return file.readline(MAX_BYTES + 2).rstrip(b"\r\n")


def _batched_lines(lines: Iterable[tuple[int, tuple[str, bytes]]]) -> Iterator[LineBatch]:
    numbers: list[int] = []
    some: list[tuple[str, bytes]] = []
    weight = 0
    for number, line in lines:
        numbers.append(number)
        some.append(line)
        weight += len(line[1]) + 1
        if len(some) >= LINES or weight >= LINES_BYTES:
            yield LineBatch(weight, numbers, some)
            numbers, some, weight = [], [], 0
    if some:
        yield LineBatch(weight, numbers, some)


def _list_lines(path: str) -> Iterator[tuple[int, str, str | None, str]]:
    with open(path, "rb") as file:
        for at, line, text in _lines(file):
            yield at, f"{path}:{line}", None, _sha256(text)


# ---- rows


#: The numbers of the next so many cases of a file; None for one that is left out.
_Numbers = Callable[[int], Sequence[int | None]]


def _row_batches(path: str, stamp: Stamp, version: str, numbers: _Numbers) -> Iterator[RowBatch | GroupBatch]:
    with closing(RowFile(path, stamp)) as file:
        row = groups = 0
        for group, rows, starts in file.whole_groups():
            here = numbers(len(starts))
            told = [number for number in here if number is not None]
            if len(told) == len(here):  # to be read by whoever folds it, which spares sending the rows
                yield GroupBatch(int(rows * file.row_bytes), path, stamp, version, group, told, row, starts)
            elif told:
                yield from batch_of(file, version, here, row, file.group(group), starts)
            row, groups = row + rows, group + 1
        for first_row, rows, starts in file.cut(group=groups):
            yield from batch_of(file, version, numbers(len(starts)), row + first_row, rows, starts)


def _all_rows(path: str, first: int) -> Iterator[RowBatch | GroupBatch]:
    left = count(first)
    return _row_batches(path, stamp_of(path), "", lambda many: list(islice(left, many)))


def _picked_rows(path: str, stamp: Stamp, wanted: Iterator[Listed]) -> Iterator[RowBatch | GroupBatch]:
    item = next(wanted, None)
    if item is None:
        return
    at, version = 0, item.version

    def numbers(many: int) -> list[int | None]:
        nonlocal item, at
        found: list[int | None] = [None] * many
        while item is not None and item.at < at + many:
            found[item.at - at] = item.number
            item = next(wanted, None)
        at += many
        return found

    yield from _row_batches(path, stamp, version, numbers)


def _list_rows(path: str) -> Iterator[tuple[int, str, str | None, str]]:
    with open(path, "rb") as source:
        version = hashlib.file_digest(source, "sha256").hexdigest()
    ordinal = 0
    with closing(RowFile(path)) as file:
        for first_row, rows, starts in file.cut(["case_id"]):
            for start, case_id in zip(starts, ids_of(rows, starts), strict=True):
                yield ordinal, row_place(path, first_row + start), case_id, version
                ordinal += 1


_LISTINGS: dict[str, Callable[[str], Iterator[tuple[int, str, str | None, str]]]] = {
    "case": _list_file,
    "lines": _list_lines,
    "rows": _list_rows,
}
