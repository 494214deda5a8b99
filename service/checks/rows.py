"""Journals in Parquet (service.checks.journals): cut into batches of whole cases by whoever reads the file, and made
cases of by whoever folds them.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise, repeat
from typing import Any, NamedTuple, NoReturn, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from rules.entry_reader import EntryReader, Row, Told
from rules.journal import Case, JournalError, Problem
from rules.reading import did_you_mean, shown_name
from service.checks.errors import CheckError
from service.checks.journals import HEADER, SCHEMA

#: Rows read at a time, of a row group at most; entries a case may have.
ROWS, MOST_IN_GROUP, MOST_ENTRIES = 60_000, 250_000, 50_000
#: Columns that the file may keep as numbers of words: they are read as such.
_WORDS = ("type", "by", "note", "fields", "id", "municipality", "language")
_NEEDED = ("case_id", "date", "type")
#: What an entry says, that with most values last.
_SAID = ("type", "by", "note", "fields")
#: Bytes of a column that are read ahead.
_AHEAD = 1 << 20

Some = TypeVar("Some")


class Item(NamedTuple):
    """A case to fold: its number in the source, where it stands, what its journal is known by, what reads it (raising
    JournalError, or OSError), and its id if that is known before it is read and not told by its place."""

    number: int
    place: str
    version: str
    read: Callable[[], Case]
    case_id: str | None = None

    def where(self) -> str:
        """The place and the id, as they may be shown."""
        return self.place if self.case_id is None else f"{self.place}, case {shown_name(self.case_id)}"


# ---- cutting a file


#: What tells a file from what it becomes when it is written anew: its size and when that was done.
Stamp = tuple[int, int]


def stamp_of(path: str) -> Stamp:
    """The stamp of a file. Raises OSError."""
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def have_stamp(path: str, stamp: Stamp) -> None:
    """Make sure that a file is as it was at this stamp. Raises CheckError, OSError."""
    if stamp_of(path) != stamp:
        raise CheckError(f"{path}: the file was changed while it was read; check again")


class RowFile:
    """A Parquet file of journals, as it was at a stamp. Raises CheckError, OSError for a file that is none."""

    def __init__(self, path: str, stamp: Stamp | None = None) -> None:
        self.path = path
        if stamp is not None:
            have_stamp(path, stamp)
        try:
            schema = pq.read_schema(path)
            check_columns(path, schema)
            words = [name for name in _WORDS if name in schema.names]
            self._file = pq.ParquetFile(path, read_dictionary=words, buffer_size=_AHEAD, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise CheckError(f"{path}: no Parquet file that can be read ({type(error).__name__})") from None
        if stamp is not None:
            have_stamp(path, stamp)  # once more: it is the file of this stamp that is open now
        self.schema = schema
        #: What a row takes of the file, about.
        self.row_bytes = os.path.getsize(path) / max(self._file.metadata.num_rows, 1)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def cut(self, columns: Sequence[str] | None = None, group: int = 0) -> Iterator[tuple[int, Any, list[int]]]:
        """The rows from a row group on in batches of whole cases (`cut`). Raises CheckError for a damaged file."""
        groups = range(group, self._file.num_row_groups)
        if groups:
            yield from cut(self._batches(list(columns or self._known()), groups))

    def whole_groups(self) -> Iterator[tuple[int, int, list[int]]]:
        """The row groups from the first on, as long as none ends within a case and none is too large to be read at
        once: each one's number, how many rows it has, and where its cases begin. Raises CheckError."""
        before: tuple[int, int, list[int]] | None = None
        last: str | None = None  # the id that the group before ends with
        for number in range(self._file.num_row_groups):
            rows = self._file.metadata.row_group(number).num_rows
            if rows > MOST_IN_GROUP:
                ids = next(self._batches(["case_id"], [number], 1)).column("case_id")
            elif rows:
                ids = self.group(number, ["case_id"]).column("case_id")
            else:
                continue
            if before is not None and (ids[0].as_py() or "") == last:
                return
            if before is not None:
                yield before
            if rows > MOST_IN_GROUP:
                return
            last = ids[-1].as_py() or ""
            before = number, rows, _starts(pa.record_batch([ids], ["case_id"]), "case_id")
        if before is not None:
            yield before

    def group(self, number: int, columns: Sequence[str] | None = None) -> Any:
        """The rows of a row group as one batch. Raises CheckError for a damaged file."""
        found = self._batches(list(columns or self._known()), [number], MOST_IN_GROUP)
        return pa.concat_batches([batch for batch in found if batch.num_rows])

    def _known(self) -> list[str]:
        return [name for name in SCHEMA.names if name in self._file.schema_arrow.names]

    def _batches(self, columns: list[str], groups: Sequence[int], rows: int = ROWS) -> Iterator[Any]:
        try:
            yield from self._file.iter_batches(rows, groups, columns)
            return
        except (pa.ArrowException, OSError) as error:
            failure = f"{self.path}: the file is damaged ({type(error).__name__})"
        raise CheckError(failure)


def cut(batches: Iterable[Any], key: str = "case_id") -> Iterator[tuple[int, Any, list[int]]]:
    """Rows in batches of whole cases: the row each batch begins with, the batch, where its cases begin in it.

    A case is what stands together with one value of `key`. Of one of too many rows one row more than may be is left.
    """
    left: Any = None  # the rows of a case that may go on
    seen = at = 0  # rows read, and the row that `left` begins with
    for batch in batches:
        if not batch.num_rows:
            continue
        first = seen
        seen += batch.num_rows
        if left is not None and left.num_rows > MOST_ENTRIES:
            batch = _without(batch, left, key)
            if not batch.num_rows:
                continue
            yield at, left, [0]
            first = seen - batch.num_rows
        elif left is not None:
            first = at
            batch = pa.concat_batches([left, batch])
        starts = _starts(batch, key)
        last = starts.pop()
        left, at = batch.slice(last, MOST_ENTRIES + 1), first + last
        if starts:
            yield first, batch.slice(0, last), starts
    if left is not None:
        yield at, left, [0]


def check_columns(path: str, schema: Any) -> None:
    """Raises CheckError when the columns of a file are none of journals."""
    expected = [*dict.fromkeys((*_NEEDED, *SCHEMA.names))]
    problems = [f"there is no column {name}" for name in _NEEDED if name not in schema.names]
    for field in schema:
        if field.name not in SCHEMA.names:
            near = did_you_mean(field.name, expected)()
            known = f"known: {', '.join(SCHEMA.names)}"
            problems.append(f"unknown column {shown_name(field.name)}; {near or known}")
        elif schema.names.count(field.name) > 1:
            problems.append(f"the column {field.name} is there twice")
        elif not _fits(field.name, field.type):
            problems.append(f"column {field.name}: found {field.type}, expected {SCHEMA.field(field.name).type}")
    if problems:
        raise CheckError("\n  ".join([f"{path}: no journals in this form (docs/checks.md)", *dict.fromkeys(problems)]))


def _fits(name: str, found: Any) -> bool:
    expected = SCHEMA.field(name).type
    if types.is_dictionary(found):
        found = found.value_type
    if types.is_null(found):
        return name not in _NEEDED
    if name == "recorded_at" and types.is_timestamp(found):
        return True
    if types.is_string(expected):
        return bool(types.is_string(found) or types.is_large_string(found) or types.is_string_view(found))
    if types.is_list(expected):
        is_list = types.is_list(found) or types.is_large_list(found)
        return is_list and _fits("type", found.value_type)
    return bool(types.is_date(found) if types.is_date(expected) else types.is_integer(found))


def _without(batch: Any, case: Any, key: str) -> Any:
    """A batch without the rows at its beginning that go on with a case."""
    if batch.column(key)[0].as_py() != case.column(key)[0].as_py():
        return batch
    starts = _starts(batch, key)
    return batch.slice(starts[1] if len(starts) > 1 else batch.num_rows)


def _starts(batch: Any, key: str = "case_id") -> list[int]:
    """Where each case begins: the first row, and each that has another id than the one before."""
    return [0, *(int(at) + 1 for at in pc.indices_nonzero(differing(batch.column(key))).to_pylist())]


def differing(column: Any) -> Any:
    """For the second row and each after it, whether its value is another than the one before; no value is as ""."""
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.null_count:
        column = column.fill_null("")
    return pc.not_equal(column.slice(1), column.slice(0, len(column) - 1))


# ---- batches


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows of whole cases on their way to another process: the cases' numbers, the row of the file each begins with,
    and the rows as Arrow writes them."""

    weight: int
    file: str
    version: str
    numbers: Sequence[int]
    first_rows: Sequence[int]
    rows: bytes

    def __len__(self) -> int:
        return len(self.numbers)

    def places(self) -> Iterator[tuple[int, str]]:
        """Where each case stands, by its number."""
        for number, row in zip(self.numbers, self.first_rows, strict=True):
            yield number, row_place(self.file, row)

    def items(self, reader: EntryReader) -> Iterator[Item]:
        """The cases."""
        batch = pa.ipc.open_stream(self.rows).read_next_batch()
        return items_of(batch, _starts(batch), self.places(), self.version, reader)


@dataclass(frozen=True, slots=True)
class GroupBatch:
    """A row group of whole cases, read by whoever folds it: the cases' numbers, the row of the file that it begins
    with, and where in it the cases begin."""

    weight: int
    file: str
    stamp: Stamp
    version: str
    group: int
    numbers: Sequence[int]
    first_row: int
    starts: Sequence[int]

    def __len__(self) -> int:
        return len(self.starts)

    def places(self) -> Iterator[tuple[int, str]]:
        """Where each case stands, by its number."""
        for number, start in zip(self.numbers, self.starts, strict=True):
            yield number, row_place(self.file, self.first_row + start)

    def items(self, reader: EntryReader) -> Iterator[Item]:
        """The cases. Raises CheckError when the file is another than when it was cut."""
        with closing(RowFile(self.file, self.stamp)) as file:
            batch = file.group(self.group)
        return items_of(batch, list(self.starts), self.places(), self.version, reader)


def items_of(
    batch: Any, starts: list[int], places: Iterable[tuple[int, str]], version: str, reader: EntryReader
) -> Iterator[Item]:
    """The cases of a cut, each with its number and its place."""
    odd = _Odd(batch, starts)
    spans = pairwise([*starts, batch.num_rows])
    told = Told((), (), None, None)
    first = last = 0  # the rows that are told
    for (number, place), header, (start, end) in zip(places, _headers(batch, starts), spans, strict=True):
        problem = odd.problem(start, end)
        if problem is None:
            if end > last:
                first, last = start, max(end, min(start + ROWS, batch.num_rows))
                told = _told(batch.slice(first, last - first), reader)
            if end - start == 1 and _says_nothing(batch, start):
                end = start
            here = told.part(start - first, end - first)
            if start in odd.unordered:
                here = _ordered(here, odd, start)
            rows = partial(_rows_of, batch, start, end, odd)
            read: Callable[[], Case] = partial(reader.case_of, header, here, rows)
        else:
            read = partial(_refuse, problem)
        yield Item(number, place, version, read, header["id"])


def batch_of(
    file: RowFile, version: str, numbers: Sequence[int | None], first_row: int, batch: Any, starts: list[int]
) -> Iterator[RowBatch]:
    """The cases of a cut as a batch to send, if any, under their numbers; those that have none (None) are left out."""
    weight = batch.num_rows * file.row_bytes
    cases = [(number, span) for number, span in zip(numbers, pairwise([*starts, batch.num_rows]), strict=True)]
    kept = [(number, span) for number, span in cases if number is not None]
    if not kept:
        return
    if len(kept) < len(cases):
        batch = pa.concat_batches([batch.slice(start, end - start) for start, end in _joined(span for _, span in kept)])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    sent = sink.getvalue().to_pybytes()
    firsts = [first_row + start for _, (start, _) in kept]
    yield RowBatch(int(weight), file.path, version, [number for number, _ in kept], firsts, sent)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that follow one another as one."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def row_place(file: str, row: int) -> str:
    """How a row of a file is told, counted from 1."""
    return f"{file}, row {row + 1:,}"


def _refuse(problem: Problem) -> NoReturn:
    raise JournalError([problem])


# ---- columns to rows


_row: Callable[[tuple[Any, ...]], Row] = partial(tuple.__new__, Row)


def _rows_of(batch: Any, start: int, end: int, odd: _Odd) -> list[Row]:
    """The entries of a case as rows, in order."""
    columns = [_column(batch.slice(start, end - start), name) for name in Row._fields]
    rows = list(map(_row, zip(*columns)))  # noqa: B905 (columns that are not there repeat None for ever)
    return odd.ordered(rows, start) if start in odd.unordered else rows


def _says_nothing(batch: Any, row: int) -> bool:
    """Whether a row is of a case without entries."""
    return not batch.column("date")[row].is_valid and not batch.column("type")[row].is_valid


def _told(batch: Any, reader: EntryReader) -> Told:
    """The entries; what many of them say is looked up once."""
    said: list[tuple[Any, ...]] = [()]
    codes = pa.nulls(batch.num_rows, pa.int64()).fill_null(0)
    for name in _SAID:
        if _tells(batch, name):
            indices, words = _coded(batch.column(name))
            both = pc.add(pc.multiply(codes, len(words)), indices.cast(pa.int64())).dictionary_encode()
            codes = both.indices.cast(pa.int64())
            said = [(*said[code // len(words)], words[code % len(words)]) for code in both.dictionary.to_pylist()]
        else:
            said = [(*some, None) for some in said]
    contents = [reader.content((kind, fields, by, note)) for kind, by, note, fields in said]
    ids, recorded = (list(_column(batch, name)) if _tells(batch, name) else None for name in ("id", "recorded_at"))
    return Told(list(_column(batch, "date")), list(map(contents.__getitem__, codes.to_pylist())), ids, recorded)


def _ordered(told: Told, odd: _Odd, start: int) -> Told:
    """The entries of an unordered case, in order."""
    return Told(
        odd.ordered(told.dates, start),
        odd.ordered(told.contents, start),
        told.ids and odd.ordered(told.ids, start),
        told.recorded and odd.ordered(told.recorded, start),
    )


def _tells(batch: Any, name: str) -> bool:
    """Whether any row has a value in a column."""
    return name in batch.schema.names and batch.column(name).null_count < batch.num_rows


def _coded(column: Any) -> tuple[Any, list[Any]]:
    """The values of a column as numbers, and what each stands for; the last for no value."""
    if not types.is_dictionary(column.type):
        column = column.dictionary_encode()
    words = [*column.dictionary.to_pylist(), None]
    return column.indices.fill_null(len(words) - 1), words


def _column(batch: Any, name: str) -> Iterable[Any]:
    if name not in batch.schema.names:
        return repeat(None)
    return _values(batch.column(name))


def _values(column: Any) -> Iterable[Any]:
    """The values of a column; what has no value in Python is a text that says so, for no field takes it."""
    if column.null_count == len(column):
        return repeat(None, len(column))
    if types.is_date(column.type):
        return map(_days.__getitem__, column.cast(pa.date32()).view(pa.int32()).to_pylist())
    if types.is_timestamp(column.type):
        zone = "UTC" if column.type.tz is not None else None
        moments = column.cast(pa.timestamp("us", zone), safe=False).view(pa.int64()).to_pylist()
        return (_moment(value, zone is not None) for value in moments)
    if types.is_integer(column.type) or types.is_list(column.type) or types.is_large_list(column.type):
        values: list[Any] = column.to_pylist()
        return values
    indices, words = _coded(column)
    return map(words.__getitem__, indices.to_pylist())


class _Days(dict[int | None, date | str | None]):
    """The day of each number of days since 1970."""

    def __missing__(self, number: int | None) -> date | str | None:
        found: date | str | None = None
        if number is not None:
            try:
                found = _EPOCH.date() + timedelta(days=number)
            except OverflowError:
                found = f"{number} days after 1970-01-01"
        self[number] = found
        return found


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (a time without a zone is Finland's: the reader of journals says so)
_UTC_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_days = _Days()


def _moment(value: int | None, has_zone: bool) -> datetime | str | None:
    if value is None:
        return None
    try:
        return (_UTC_EPOCH if has_zone else _EPOCH) + timedelta(microseconds=value)
    except OverflowError:
        return f"{value} microseconds after 1970-01-01"


def _headers(batch: Any, starts: list[int]) -> Iterator[dict[str, Any]]:
    first = batch.take(pa.array(starts, pa.int64()))
    ids = ["" if found is None else found for found in _values(first.column("case_id"))]
    names = [name for name in HEADER if _tells(first, name)]
    columns = [list(_values(first.column(name))) for name in names]
    for number, case_id in enumerate(ids):
        header: dict[str, Any] = {"id": case_id}
        for name, values in zip(names, columns, strict=True):
            if values[number] is not None:
                header[name] = values[number]
        yield header


class _Odd:
    """What is out of the ordinary among the cases of a batch, found column by column."""

    def __init__(self, batch: Any, starts: list[int]) -> None:
        self._starts = starts
        self._inner = _not_first(batch.num_rows, starts)
        #: First rows of cases -> the columns whose rows differ.
        self._differing: dict[int, str] = {}
        #: First rows of the cases whose rows do not stand in the order of their positions.
        self.unordered: set[int] = set()
        for name in HEADER:
            if name in batch.schema.names:
                for start in self._cases(_told_otherwise(batch.column(name), self._inner)):
                    self._differing.setdefault(start, name)
        self._positions: list[int | None] = []
        if _tells(batch, "position"):
            position = batch.column("position").cast(pa.int64())
            follows = pc.equal(position.slice(1), pc.add(position.slice(0, len(position) - 1), 1))
            self.unordered = set(self._cases(pc.invert(follows.fill_null(False))))
            if self.unordered:
                self._positions = position.to_pylist()

    def _cases(self, odd: Any) -> Iterable[int]:
        """The first rows of the cases in which a row is odd; `odd` tells of the second row of the batch and on."""
        if odd is None:
            return ()
        rows = pc.indices_nonzero(pc.and_(odd, self._inner)).to_pylist()
        return dict.fromkeys(self._starts[bisect_right(self._starts, row + 1) - 1] for row in rows)

    def problem(self, start: int, end: int) -> Problem | None:
        """Why a case cannot be read, if so."""
        if end - start > MOST_ENTRIES:
            return Problem("entries", None, f"more than {MOST_ENTRIES:,} rows", f"at most {MOST_ENTRIES:,}")
        name = self._differing.get(start)
        if name is not None:
            expected = "the same in each row of a case, or told by its first row alone"
            return Problem(f"case.{name}", None, "another value in another row of the case", expected)
        if start in self.unordered:
            given = self._positions[start:end]
            if None in given or len(set(given)) < len(given):
                found = "a position that is left out or there twice"
                return Problem("entries", None, found, "a position of its own for each row of the case, or for none")
        return None

    def ordered(self, rows: Sequence[Some], start: int) -> list[Some]:
        """The rows of an unordered case, in order."""
        given = self._positions[start : start + len(rows)]
        return [row for _, row in sorted(zip(given, rows, strict=True), key=lambda pair: pair[0] or 0)]


def _not_first(rows: int, starts: list[int]) -> Any:
    """For the second row of a batch and each after it, whether it goes on with the case of the row before."""
    inner = bytearray(b"\x01") * rows
    for start in starts:
        inner[start] = 0
    return pa.Array.from_buffers(pa.uint8(), rows, [None, pa.py_buffer(bytes(inner))]).slice(1).cast(pa.bool_())


def _told_otherwise(column: Any, inner: Any) -> Any:
    """For the second row and each after it, whether it tells something and not what the row before tells. None: no row
    tells anything of those that are `inner`, which go on with a case."""
    if not pc.any(pc.and_(column.slice(1).is_valid(), inner)).as_py():
        return None
    if types.is_list(column.type) or types.is_large_list(column.type):
        column = pc.binary_join(column.cast(pa.list_(pa.string())), "\x00")
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    later, before = column.slice(1), column.slice(0, len(column) - 1)
    same = pc.equal(later, before).fill_null(False)
    return pc.and_(later.is_valid(), pc.invert(same))


def ids_of(batch: Any, starts: list[int]) -> list[str]:
    """The ids of the cases of a cut."""
    return ["" if found is None else found for found in _values(batch.column("case_id").take(pa.array(starts)))]
