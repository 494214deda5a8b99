"""Journals as a Parquet table: one row an entry, the rows of a case one after another, its header with its first row.

A case without entries is one row that has neither date nor type. docs/checks.md tells of the columns. What writes them
knows nothing of the rules: it takes documents as they are, and whoever reads them judges.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from service.checks.whole import whole

#: Rows of a row group, about, and cases written at a time.
GROUP, AT_A_TIME = 100_000, 3_000

HEADER = ("municipality", "birth_year", "language", "not_recorded", "complete_from")
#: What stands in columns of its own; the fields of an entry's type stand together in `fields`.
COMMON = ("date", "type", "id", "by", "recorded_at", "note")

SCHEMA = pa.schema(
    [
        pa.field("case_id", pa.string(), nullable=False),
        pa.field("municipality", pa.string()),
        pa.field("birth_year", pa.int32()),
        pa.field("language", pa.string()),
        pa.field("not_recorded", pa.list_(pa.string())),
        pa.field("complete_from", pa.date32()),
        pa.field("position", pa.int32()),
        pa.field("date", pa.date32()),
        pa.field("type", pa.string()),
        pa.field("id", pa.string()),
        pa.field("by", pa.string()),
        pa.field("recorded_at", pa.string()),
        pa.field("note", pa.string()),
        pa.field("fields", pa.string()),
    ]
)


def write_journals_parquet(documents: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write case documents (`{"case": {…}, "entries": […]}`, as JSON readers or `case_to_data` make them) to a file
    that is there when it is whole; how many they were.

    Raises KeyError, TypeError or ValueError for what is no document.
    """
    cases = 0
    left = iter(documents)
    with whole(path) as file, pq.ParquetWriter(file, SCHEMA, compression="zstd", use_dictionary=True) as writer:
        waiting: list[Any] = []
        while some := list(islice(left, AT_A_TIME)):
            cases += len(some)
            waiting.append(journals_batch(some))
            if sum(batch.num_rows for batch in waiting) >= GROUP:
                _write_group(writer, waiting)
                waiting = []
        if waiting:
            _write_group(writer, waiting)
    return cases


def _write_group(writer: Any, batches: list[Any]) -> None:
    """One row group of whole cases: such can be read by several at once."""
    rows = sum(batch.num_rows for batch in batches)
    writer.write_table(pa.Table.from_batches(batches), row_group_size=rows)


def journals_batch(documents: Iterable[Mapping[str, Any]]) -> Any:
    """Case documents as an Arrow record batch of this schema."""
    columns = zip(*(row for document in documents for row in _rows(document)), strict=True)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=SCHEMA)


def _rows(document: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    header = document["case"]
    complete_from = header.get("complete_from")
    case = header["id"]
    told = (*(header.get(name) for name in HEADER[:-1]), None if complete_from is None else _day(complete_from))
    untold = (None,) * len(HEADER)
    entries = document["entries"]
    if not entries:
        yield (case, *told, *(None,) * (len(COMMON) + 2))
    for position, entry in enumerate(entries):
        own = {name: value for name, value in entry.items() if name not in COMMON}
        yield (
            case,
            *(told if position == 0 else untold),
            position,
            _day(entry["date"]),
            entry["type"],
            entry.get("id"),
            entry.get("by"),
            _text(entry.get("recorded_at")),
            entry.get("note"),
            json.dumps(own, ensure_ascii=False, separators=(",", ":"), default=str) if own else None,
        )


def _day(value: str | date) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _text(value: str | datetime | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value
