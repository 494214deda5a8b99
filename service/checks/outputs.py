"""The findings of a check as a file: Parquet and JSON Lines for programs, CSV and XLSX for people.

Programs get codes, people get words. What a spreadsheet could take for a formula is text in it. Files are there whole
or not at all, and only their owner may read them.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow
import xlsxwriter
from pyarrow import parquet

from rules.pack import Pack
from rules.texts import texts
from service.checks.changes import CHANGE
from service.checks.errors import CheckError
from service.checks.tables import OPEN, connect, quoted, written
from service.checks.whole import whole
from service.spreadsheets import SETTINGS, Cell, Line, Sheets, write_csv
from service.words import Words, sentence

#: What a file may be, by the ending of its name.
KINDS = (".parquet", ".csv", ".xlsx", ".jsonl")
#: Columns for people: the key of the heading, and the width in a workbook.
COLUMNS = (
    ("case", 18),
    ("municipality", 16),
    ("what", 46),
    ("who", 22),
    ("by_when", 14),
    ("outcome", 16),
    ("severity", 26),
    ("about", 46),
    ("missing", 40),
    ("subject", 30),
    ("entry", 12),
    ("state", 26),
    ("judged_on", 14),
    ("rule", 34),
    ("as_of", 14),
    ("pack", 20),
)
#: The tables of a check.
FINDINGS, SETTLED, REFUSED = "findings", "settled", "refused"
REFUSED_COLUMNS = (("place", 50), ("message", 90))
_AT_A_TIME = 20_000
_FIELDS = (
    "case", "municipality", "rule", "subject_kind", "subject_entry", "outcome", "severity", "due", "missing",
    "judged_on", "action", "role", "set_aside", "is_step", "pack", "pack_version", "as_of", CHANGE,
)  # fmt: skip
#: Most urgent first, then by client; the same findings always in the same order.
_FOR_PEOPLE = f"""
CASE WHEN {OPEN} THEN 0 ELSE 1 END,
CASE outcome WHEN 'violated' THEN 0 WHEN 'advised' THEN 1 ELSE 2 END,
CASE severity WHEN 'obligation' THEN 0 WHEN 'quality' THEN 1 WHEN 'recommendation' THEN 2 ELSE 3 END,
due NULLS LAST, municipality NULLS LAST, "case", rule, subject_kind, subject_entry NULLS FIRST"""
_FOR_PROGRAMS = '"case", rule, subject_kind, subject_entry NULLS FIRST'

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Results:
    """What a check has to write: the findings (Parquet), those settled since the last run, and who was not checked."""

    findings: Path
    settled: Path | None
    refused: Sequence[tuple[str, str]]


def checked_out(out: Path) -> Path:
    """A file name that findings can be written to. Raises CheckError, before any work is done."""
    if out.suffix not in KINDS:
        found = f"not {out.suffix}" if out.suffix else "and it has none"
        raise CheckError(f"{out}: the ending tells what to write: {', '.join(KINDS)}; {found}")
    if out.is_dir():
        raise CheckError(f"{out}: is a folder; name a file in it")
    folder = out.resolve().parent
    if not folder.is_dir():
        raise CheckError(f"{folder}: there is no such folder to write to")
    if not os.access(folder, os.W_OK):
        raise CheckError(f"{folder}: this user may not write there")
    return out


def write(results: Results, out: Path, pack: Pack, words: Words, now: datetime, work: Path) -> list[Path]:
    """Write the findings to a file of the kind its name says; the files written, the findings last.

    A workbook has sheets of what was settled and of who was not checked; beside other files they stand as
    `NAME.settled.…` and `NAME.refused.…` where there are any. Raises CheckError, OSError.
    """
    reader = _Reader(results, pack, words, work)
    if out.suffix == ".xlsx":
        with whole(out) as file:
            _write_book(file, results, reader, words, now, work)
        return [out]
    made = []
    for what, path in _beside(out).items():
        if reader.any(what):
            with whole(path) as file:
                _WRITERS[out.suffix](file, reader, what)
            made.append(path)
        else:
            path.unlink(missing_ok=True)  # of an earlier run: it would be taken for this one's
    with whole(out) as file:
        _WRITERS[out.suffix](file, reader, FINDINGS)
    return [*made, out]


def _beside(out: Path) -> dict[str, Path]:
    return {what: out.with_name(f"{out.stem}.{what}{out.suffix}") for what in (SETTLED, REFUSED)}


class _Reader:
    """Reads what is to be written, as Parquet, as rows of codes, or as lines of words."""

    def __init__(self, results: Results, pack: Pack, words: Words, work: Path) -> None:
        self._results = results
        self._work = work
        self._told = _Told(pack, words)
        self._words = words

    def any(self, what: str) -> bool:
        """Whether a table that may be empty has something to tell."""
        if what == REFUSED:
            return bool(self._results.refused)
        return self._results.settled is not None and any(self._rows(self._results.settled, _FOR_PROGRAMS))

    def parquet(self, what: str) -> Path:
        """A table as a file, its rows in one order whenever it is made."""
        made = self._work / f"ordered-{what}.parquet"
        if what == REFUSED:
            rows = [{"place": place, "message": message} for place, message in self._results.refused]
            parquet.write_table(pyarrow.Table.from_pylist(rows), made)
            return made
        source = self._path(what)
        with connect(self._work) as connection:
            written(
                connection, f"SELECT * FROM read_parquet({quoted(source)}) ORDER BY {_FOR_PROGRAMS}", made, like=source
            )
        return made

    def data(self, what: str) -> Iterator[dict[str, Any]]:
        """A table as data for programs."""
        if what == REFUSED:
            yield from ({"place": place, "message": message} for place, message in self._results.refused)
        else:
            yield from map(_data, self._rows(self._path(what), _FOR_PROGRAMS))

    def lines(self, what: str) -> Iterator[Line]:
        """A table in words, the headings first."""
        if what == REFUSED:
            yield [self._words("check_columns", key) for key, _ in REFUSED_COLUMNS]
            yield from self._results.refused
            return
        yield [self._words("check_columns", key) for key, _ in COLUMNS]
        settled = self._words("check", "is_settled") if what == SETTLED else None
        for row in self._rows(self._path(what), _FOR_PEOPLE):
            yield self._told.line(row, settled)

    def _path(self, what: str) -> Path:
        settled = self._results.settled
        return settled if what == SETTLED and settled is not None else self._results.findings

    def _rows(self, source: Path, order: str) -> Iterator[Row]:
        with connect(self._work) as connection:
            described = connection.execute(f"DESCRIBE FROM read_parquet({quoted(source)})").fetchall()
            held = {name for name, *_ in described}
            names = ", ".join(f'"{name}"' if name in held else f'NULL AS "{name}"' for name in _FIELDS)
            found = connection.execute(f"SELECT {names} FROM read_parquet({quoted(source)}) ORDER BY {order}")
            while rows := found.fetchmany(_AT_A_TIME):
                yield from (dict(zip(_FIELDS, row, strict=True)) for row in rows)


# --- for programs ---


def _data(row: Row) -> dict[str, Any]:
    """A finding as SPEC §5 writes it, with its client; `change` only where there was a run before."""
    found = {
        "case": row["case"],
        "municipality": row["municipality"],
        "rule": row["rule"],
        "outcome": row["outcome"],
        "severity": row["severity"],
        "due": _day(row["due"]),
        "subject": {"kind": row["subject_kind"], "entry": row["subject_entry"], "current": True},
        "missing": list(row["missing"] or ()),
        "set_aside": row["set_aside"],
        "judged_on": _day(row["judged_on"]),
        "action": row["action"],
        "role": row["role"],
        "step": row["is_step"],
        "as_of": _day(row["as_of"]),
        "pack": {"id": row["pack"], "version": row["pack_version"]},
    }
    return found if row[CHANGE] is None else {**found, "change": row[CHANGE]}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _write_jsonl(file: BinaryIO, reader: _Reader, what: str) -> None:
    for item in reader.data(what):
        file.write(json.dumps(item, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def _write_parquet(file: BinaryIO, reader: _Reader, what: str) -> None:
    with reader.parquet(what).open("rb") as made:
        shutil.copyfileobj(made, file, 1 << 20)


# --- for people ---


class _Told:
    """Findings in words. A text that many findings share is looked up once."""

    def __init__(self, pack: Pack, words: Words) -> None:
        self._words = words
        self._titles = {rule.id: words.of(rule.title) for edition in pack.editions for rule in edition.rules}
        self._vocabulary = pack.editions[-1].vocabulary
        self._kept: dict[tuple[str, str], str] = {}

    def line(self, row: Row, state: str | None) -> list[Cell]:
        """The cells of a finding; `state` is what became of it, when that is known already."""
        words = self._words
        missing = [self._once("missing", name, self._fact) for name in row["missing"] or ()]
        return [
            row["case"],
            row["municipality"],
            self._what(row),
            self._once("role", row["role"], lambda role: words("list_roles", role)),
            row["due"],
            self._once("outcome", row["outcome"], lambda outcome: words("outcomes", outcome)),
            self._once("severity", row["severity"], lambda severity: words("severities", severity)),
            self._titles.get(row["rule"], row["rule"]),
            "; ".join(dict.fromkeys(missing)) or None,
            self._once("kind", row["subject_kind"], lambda kind: words("kinds", kind)),
            row["subject_entry"],
            state or self._state(row),
            row["judged_on"],
            row["rule"],
            row["as_of"],
            f"{row['pack']} {row['pack_version']}",
        ]

    def _once(self, kind: str, code: str, told: Callable[[str], str]) -> str:
        key = kind, code
        if key not in self._kept:
            self._kept[key] = told(code)
        return self._kept[key]

    def _what(self, row: Row) -> str | None:
        """What to do; nothing where nothing is left to do."""
        if row["is_step"]:
            return self._once("action", row["action"], lambda action: texts("actions", action, self._words.lang))
        return self._words("check", "find_out") if row["outcome"] == "unknown" else None

    def _fact(self, name: str) -> str:
        fact = self._vocabulary.get(name)
        return sentence(self._words.of(fact.labels)) if fact is not None and fact.labels else name

    def _state(self, row: Row) -> str | None:
        if row["set_aside"] is not None:
            return f"{self._words('check', 'is_set_aside')} ({row['set_aside']})"
        if not row["is_step"] and row["outcome"] != "unknown":
            return self._words("check", "is_over")
        return self._words("check", f"is_{row[CHANGE]}") if row[CHANGE] else None


def _write_csv(file: BinaryIO, reader: _Reader, what: str) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="", write_through=False)
    write_csv(text, reader.lines(what))
    text.flush()
    text.detach()


def _write_book(file: BinaryIO, results: Results, reader: _Reader, words: Words, now: datetime, work: Path) -> None:
    # Row by row: a workbook of a million findings is not held in memory.
    settings = {"constant_memory": True, "tmpdir": str(work), **SETTINGS}
    with xlsxwriter.Workbook(file, settings) as book:
        sheets = Sheets(book, words("check", "title"), now)
        sheets.add(words("check", "sheet_findings"), _widths(COLUMNS), reader.lines(FINDINGS))
        if results.settled is not None:
            sheets.add(words("check", "sheet_settled"), _widths(COLUMNS), reader.lines(SETTLED))
        if results.refused:
            sheets.add(words("check", "sheet_refused"), _widths(REFUSED_COLUMNS), reader.lines(REFUSED))


def _widths(columns: Iterable[tuple[str, int]]) -> list[int]:
    return [width for _, width in columns]


_WRITERS: Mapping[str, Callable[[BinaryIO, _Reader, str], None]] = {
    ".parquet": _write_parquet,
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
}
