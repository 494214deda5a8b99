"""Facts on disk: what the columnar engine reads (rules.engines.columns). A folder of parts, in each a file a table.

    case.parquet       case_no, case, municipality, version, folded_on, holds_until, then the case's facts
    <kind>.parquet     case_no, subject_no, entry, ended, then the facts that rules about the kind read
    set_aside.parquet  case_no, rule, entry, until: the latest choice for each rule not to follow its advice

`case_no` names a case within its folder and nowhere else. Facts hold from the day they were folded on to `holds_until`,
as long as nothing is recorded. No names and no notes: of what people wrote, nothing but ids is here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rules.assessment import Assessor
from rules.engines.columns import NEVER, Column, picker, tables
from rules.facts import FACTS, UNKNOWN, Value
from rules.findings import SetAside, standing
from rules.fold import Folded, Subject, fold
from rules.journal import Case
from rules.kept import facts_hold_until, numbers_hold_until
from rules.pack import Pack
from service.checks.errors import CheckError
from service.checks.whole import OWNER_ONLY

SET_ASIDE = "set_aside"
#: How many cases' facts wait as Python objects; rows of a row group.
WAITING, GROUP = 2_000, 120_000
#: Subjects of a case, numbered in 16 bits.
MOST_SUBJECTS = 32_767
#: The end of a part's name while it is written.
UNFINISHED = ".unfinished"
#: The code of a text that is unknown; -1 when read as a signed number, as the column is.
_NO_TEXT = 255
_CASE_HEAD = pa.schema(
    [
        pa.field("case_no", pa.int64(), nullable=False),
        pa.field("case", pa.string(), nullable=False),
        pa.field("municipality", pa.string()),
        pa.field("version", pa.string(), nullable=False),
        pa.field("folded_on", pa.date32(), nullable=False),
        pa.field("holds_until", pa.date32(), nullable=False),
    ]
)
_SUBJECT_HEAD = pa.schema(
    [
        pa.field("case_no", pa.int64(), nullable=False),
        pa.field("subject_no", pa.int16(), nullable=False),
        pa.field("entry", pa.string()),
        pa.field("ended", pa.bool_(), nullable=False),
    ]
)
_SET_ASIDE = pa.schema(
    [
        pa.field("case_no", pa.int64(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("entry", pa.string(), nullable=False),
        pa.field("until", pa.date32(), nullable=False),
    ]
)
#: Columns with hardly a value twice: a dictionary of them would be in vain.
_MANY_VALUED = ("case_no", "case")


# ---- folding a case


class CaseFacts(NamedTuple):
    """A case folded on a day, what a professional set aside (by rule, the latest choice), and how long that holds."""

    folded: Folded
    set_aside: Mapping[str, SetAside]
    holds_until: date


class CaseFolder:
    """Folds cases on one day by one pack. Raises ValueError for a day no journal reaches."""

    def __init__(self, pack: Pack, as_of: date) -> None:
        self._assessor = Assessor(pack)
        self._as_of = as_of
        self._numbers_hold_until = numbers_hold_until(pack, as_of)
        self._assessor.history(Case(id="any"), as_of)

    def fold(self, case: Case) -> CaseFacts:
        """The facts of a case."""
        read = self._assessor.history(case, self._as_of)
        folded = fold(read, self._as_of)
        holds_until = facts_hold_until(case, folded, self._numbers_hold_until)
        # As if nothing were ever over: which choice is the latest does not depend on the day, whether it stands does.
        return CaseFacts(folded, standing(read, date.min), holds_until)


# ---- writing


class FactsTables:
    """The facts of cases as tables in memory, half a kilobyte a case."""

    def __init__(self, pack: Pack) -> None:
        self.cases = 0
        self._tables = {
            kind: _Kind(_SUBJECT_HEAD if kind != "case" else _CASE_HEAD, wanted)
            for kind, wanted in tables(pack).items()
        }
        self._set_aside = _Rows(_SET_ASIDE)
        self._waiting = 0

    def add(
        self,
        case_no: int,
        case: Case,
        version: str,
        folded: Folded,
        set_aside: Mapping[str, SetAside],
        holds_until: date,
    ) -> None:
        """Add a case just folded. `version` says what its journal was."""
        head = (case_no, case.id, case.municipality, version, folded.day, holds_until)
        self.put(head, folded.subjects, set_aside)

    def put(
        self,
        head: tuple[int, str, str | None, str, date, date],
        subjects: Sequence[Subject],
        set_aside: Mapping[str, SetAside],
    ) -> None:
        """Add a case by its case_no, id, municipality, version, the day it was folded on and the last it holds on, and
        its subjects, the case first; those that are history are left out.

        Raises KeyError for a fact that the pack reads and a subject lacks, CheckError for a case of too many; then
        nothing of the case is added.
        """
        case_no = head[0]
        if len(subjects) > MOST_SUBJECTS:
            raise CheckError(f"more than {MOST_SUBJECTS:,} episodes")
        found = [
            (table, (case_no, number, subject.entry, subject.ended) if number else head, table.pick(subject.facts))
            for number, subject in enumerate(subjects)
            if subject.current and (table := self._tables.get(subject.kind)) is not None
        ]
        for table, row, facts in found:
            table.rows.append(row)
            table.facts.append(facts)
        for rule, choice in set_aside.items():
            self._set_aside.append((case_no, rule, choice.entry, choice.until or NEVER))
        self.cases += 1
        self._waiting += 1
        if self._waiting >= WAITING:
            self.flush()

    def flush(self) -> None:
        """Turn what waits as rows into columns, which take a tenth of the memory."""
        self._set_aside.flush()
        for table in self._tables.values():
            table.flush()
        self._waiting = 0

    def tables(self) -> Iterator[tuple[str, Any]]:
        """Each table by its name."""
        self.flush()
        for kind, table in self._tables.items():
            yield kind, table.table()
        yield SET_ASIDE, self._set_aside.table()


class FactsWriter(FactsTables):
    """Writes the facts of cases as one part: `folder` is there, and whole, after `close`; its files are its owner's.

    The part waits in memory: of very many cases, several parts are written.
    """

    def __init__(self, folder: Path, pack: Pack) -> None:
        super().__init__(pack)
        self.folder = folder

    def close(self) -> None:
        """Write the part. Raises OSError; then nothing of it is left."""
        unfinished = self.folder.with_name(self.folder.name + UNFINISHED)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        try:
            for name, table in self.tables():
                write_table(table, unfinished / f"{name}.parquet")
            unfinished.rename(self.folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def write_table(table: Any, path: Path) -> None:
    """Write a table to a new Parquet file that only its owner may read, and have it on the disk."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
    few_valued = [name for name in table.schema.names if name not in _MANY_VALUED]
    pq.write_table(table, path, compression="zstd", row_group_size=GROUP, use_dictionary=few_valued)


class _Rows:
    """Rows of plain values, turned into columns now and then."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._batches: list[Any] = []
        self._waiting: list[tuple[object, ...]] = []
        self.append = self._waiting.append

    def flush(self) -> None:
        if self._waiting:
            columns = zip(*self._waiting, strict=True)
            arrays = [pa.array(values, field.type) for values, field in zip(columns, self._schema, strict=True)]
            self._batches.append(pa.record_batch(arrays, schema=self._schema))
            self._waiting.clear()

    def table(self) -> Any:
        return pa.Table.from_batches(self._batches, schema=self._schema)


class _Kind:
    """The table of a kind of subject."""

    def __init__(self, head: Any, wanted: tuple[Column, ...]) -> None:
        self.rows = _Rows(head)
        self.pick = picker(wanted)
        self.facts: list[tuple[Value, ...]] = []
        self._columns = [(column, _Texts(column) if column.type == "text" else _Cells(column)) for column in wanted]

    def flush(self) -> None:
        self.rows.flush()
        if self.facts:
            for (_, cells), values in zip(self._columns, zip(*self.facts, strict=True), strict=True):
                cells.take(values)
            self.facts.clear()

    def table(self) -> Any:
        table = self.rows.table()
        for column, cells in self._columns:
            table = table.append_column(column.name, cells.column())
        return table


class _Cells:
    """A column of dates or of numbers."""

    def __init__(self, column: Column) -> None:
        self._type = pa.date32() if column.type == "date" else pa.int32()
        self._as_cell: dict[Value, Value] = {value: column.cell(value) for value in (UNKNOWN, None)}
        self._chunks: list[Any] = []

    def take(self, values: Sequence[Value]) -> None:
        self._chunks.append(pa.array(list(map(self._as_cell.get, values, values)), self._type))

    def column(self) -> Any:
        return pa.chunked_array(self._chunks, self._type)


class _Texts:
    """A column of words of the vocabulary, each kept as its number."""

    def __init__(self, column: Column) -> None:
        self._codes = _Codes(word for word in FACTS[column.fact].values if word != UNKNOWN)
        self._chunks: list[Any] = []

    def take(self, values: Sequence[Value]) -> None:
        codes = bytes(map(self._codes.__getitem__, values))
        found = pa.Array.from_buffers(pa.int8(), len(codes), [None, pa.py_buffer(codes)])
        if _NO_TEXT in codes:
            found = pc.if_else(pc.less(found, 0), None, found)
        self._chunks.append(found)

    def column(self) -> Any:
        words = pa.array(self._codes.words, pa.string())
        kind = pa.dictionary(pa.int8(), pa.string())
        return pa.chunked_array([pa.DictionaryArray.from_arrays(chunk, words) for chunk in self._chunks], kind)


class _Codes(dict[Value, int]):
    """The number of each word; of one that is not among them, the next."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = list(words)
        super().__init__({word: number for number, word in enumerate(self.words)})
        self[UNKNOWN] = self[None] = _NO_TEXT

    def __missing__(self, word: Value) -> int:
        self.words.append(str(word))
        self[word] = len(self.words) - 1
        return self[word]
