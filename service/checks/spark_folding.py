"""What Spark's Python processes do: journals to facts, by the reader, the fold and the tables that a check on one
machine uses. Nothing of Spark is imported here.

Rows come sorted by case, then as they stand in their files, each with its file and its place in it. What comes of them
goes back as one table for all kinds of rows: `kind` says which table of facts a row belongs to, and columns of other
kinds are empty. Refused cases are such rows, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from itertools import count, groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from rules.entry_reader import EntryReader
from rules.fold import FOLD_VERSION
from rules.pack import Pack, pack_from_content
from service.checks.errors import CheckError
from service.checks.facts import CaseFolder, FactsTables
from service.checks.folding import folded, own_fault
from service.checks.rows import Item, cut, differing, items_of, row_place
from service.checks.sources import shared_id

KIND, REFUSED = "kind", "refused"
#: Columns beside those of journals: the file's number, the row's place in it, and which rows stand together.
FILE, ROW, RUN = "_file", "_row", "_run"
#: Cases folded, or refused, before what they came to is handed on.
AT_A_TIME = 2_000
#: case_no is the partition, then the case in it; where a refused case stands is the file, then the row.
CASE_BITS, ROW_BITS = 32, 40
_REFUSED = pa.schema([("case_no", pa.int64()), ("place", pa.string()), ("message", pa.string())])


class FoldFailed(Exception):
    """Why a process could not go on, in words that hold nothing of a client: Spark logs them."""


@dataclass(frozen=True, slots=True)
class Fold:
    """What a process needs to know: the pack as canonical JSON, the day, the files as they are told, and whose fold it
    is to be."""

    pack: str
    as_of: date
    files: tuple[str, ...]
    fold_version: str = FOLD_VERSION


def schemas(pack: Pack) -> dict[str, Any]:
    """The tables that come of folding, each with its schema; words are plain texts."""
    found = {name: _plain(table).schema for name, table in FactsTables(pack).tables()}
    return {**found, REFUSED: _REFUSED}


def one_for_all(pack: Pack) -> Any:
    """The schema of the one table that holds them all."""
    fields = {field.name: pa.field(field.name, field.type) for kind in schemas(pack).values() for field in kind}
    return pa.schema([pa.field(KIND, pa.string()), *fields.values()])


def fold_rows(
    fold: Fold, partition: int, batches: Iterable[Any], on_cases: Callable[[int], object] = lambda cases: None
) -> Iterator[Any]:
    """Fold the rows of a partition; `on_cases` is told of how many cases at a time. Raises FoldFailed."""
    try:
        yield from _Partition(fold, partition, on_cases).take(batches)
        return
    except CheckError as error:
        why = str(error)
    except MemoryError:
        why = "out of memory"
    except Exception as error:
        why = own_fault(error)
    raise FoldFailed(why)


@lru_cache(maxsize=1)
def _pack(content: str) -> Pack:
    return pack_from_content(json.loads(content))


@lru_cache(maxsize=1)
def _folder(content: str, as_of: date) -> CaseFolder:
    return CaseFolder(_pack(content), as_of)


@cache
def _reader() -> EntryReader:
    return EntryReader()


class _Partition:
    """Folds the rows of a partition."""

    def __init__(self, fold: Fold, partition: int, on_cases: Callable[[int], object]) -> None:
        if fold.fold_version != FOLD_VERSION:
            raise CheckError("another version of Polku is installed on a machine of the cluster than here")
        self._files = fold.files
        self._pack = _pack(fold.pack)
        self._folder = _folder(fold.pack, fold.as_of)
        self._schema = one_for_all(self._pack)
        self._first = partition << CASE_BITS
        self._numbers = count()
        self._on_cases = on_cases
        self._tables = FactsTables(self._pack)
        self._refused: list[tuple[int, str, str]] = []

    def take(self, batches: Iterable[Any]) -> Iterator[Any]:
        for _, same in groupby(self._items(batches), key=_known_as):
            self._settle(list(same))
            if self._tables.cases + len(self._refused) >= AT_A_TIME:
                yield from self._made()
        yield from self._made()

    def _items(self, batches: Iterable[Any]) -> Iterator[Item]:
        """The cases, numbered by where they stand."""
        for _, batch, starts in cut(_in_runs(batches), RUN):
            first = batch.select([FILE, ROW]).take(pa.array(starts, pa.int64()))
            stand = list(zip(first.column(FILE).to_pylist(), first.column(ROW).to_pylist(), strict=True))
            places = [((file << ROW_BITS) + row, row_place(self._files[file], row)) for file, row in stand]
            yield from items_of(batch, starts, places, "", _reader())

    def _settle(self, items: list[Item]) -> None:
        """Fold what stands under one id: one case. Of several that can be folded, whose the id is nobody here knows."""
        if len(items) > 1:
            trial = FactsTables(self._pack)
            items = [item for item in items if self._is_folded(item, trial)]
        if len(items) == 1:
            self._is_folded(items[0]._replace(number=next(self._numbers)), self._tables, items[0].number)
        elif items:
            items.sort(key=lambda item: item.number)
            message = shared_id(items[0].case_id or "", [item.place for item in items])
            self._refused += [(item.number, item.place, message) for item in items]

    def _is_folded(self, item: Item, tables: FactsTables, stands: int | None = None) -> bool:
        message = folded(item, self._folder, self._first, lambda: tables)
        if message is not None:
            self._refused.append((item.number if stands is None else stands, item.where(), message))
        return message is None

    def _made(self) -> Iterator[Any]:
        """What there is so far, to be handed on."""
        tables, self._tables = self._tables, FactsTables(self._pack)
        refused, self._refused = self._refused, []
        self._on_cases(tables.cases + len(refused))
        for kind, table in tables.tables():
            yield from self._batches(kind, _plain(table))
        if refused:
            columns = zip(zip(*refused, strict=True), _REFUSED.types, strict=True)
            made = pa.table([pa.array(values, type_) for values, type_ in columns], schema=_REFUSED)
            yield from self._batches(REFUSED, made)

    def _batches(self, kind: str, table: Any) -> Iterator[Any]:
        rows = table.num_rows
        there = {name: table.column(name) for name in table.schema.names} | {KIND: pa.repeat(pa.scalar(kind), rows)}
        columns = [there[one.name] if one.name in there else pa.nulls(rows, one.type) for one in self._schema]
        yield from pa.table(columns, schema=self._schema).combine_chunks().to_batches()


def _known_as(item: Item) -> object:
    """What cases are the same by; those without an id are each for themselves, and refused."""
    return item.case_id or item.number


def _plain(table: Any) -> Any:
    """A table with words as plain texts."""
    fields = [
        pa.field(field.name, field.type.value_type if types.is_dictionary(field.type) else field.type)
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def _in_runs(batches: Iterable[Any]) -> Iterator[Any]:
    """The rows, each with the number of its run: rows of one id that follow one another in a file."""
    before: tuple[str, int, int] | None = None
    run = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        ids, files, rows = (batch.column(name) for name in ("case_id", FILE, ROW))
        if files.null_count:
            raise CheckError("Spark read a file that it was not asked to read")
        follows = pc.equal(rows.slice(1), pc.add(rows.slice(0, len(rows) - 1), 1))
        begins = pc.or_(pc.or_(differing(ids), differing(files)), pc.invert(follows))
        first = (ids[0].as_py() or "", files[0].as_py(), rows[0].as_py() - 1)
        steps = pa.concat_arrays([pa.array([first != before]), begins]).cast(pa.int64())
        runs = pc.add(pc.cumulative_sum(steps), run)
        yield batch.append_column(RUN, runs)
        run = runs[-1].as_py()
        before = (ids[-1].as_py() or "", files[-1].as_py(), rows[-1].as_py())
