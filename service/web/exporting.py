"""The caseload as a file: a workbook, or values separated by semicolons as a Finnish Excel reads them.

A cell holds what stands in it and nothing else: no text is ever read as a formula, whatever a client is called.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import Any, TypeAlias

import xlsxwriter

from rules.entries import LOCAL_TIME
from rules.pack import Pack
from rules.steps import Step
from rules.texts import texts
from service.outlook import Row
from service.web.listing import role_in_short
from service.words import Words

#: The columns: the key of the heading, and the width in a workbook.
COLUMNS = (
    ("name", 26),
    ("id", 16),
    ("municipality", 16),
    ("stage", 26),
    ("step", 48),
    ("who", 22),
    ("by_when", 14),
    ("status", 20),
    ("other_steps", 60),
    ("next_day", 14),
    ("about", 48),
    ("workers", 40),
    ("opened", 14),
    ("closed", 14),
)
#: What a spreadsheet may take for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_UTF8_MARK = "\ufeff"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"

Cell: TypeAlias = str | date | None


def table(rows: Sequence[Row], pack: Pack, words: Words) -> Iterator[list[Cell]]:
    """The lines of the file: headings, then a line a client. `rows` hold only what their reader may see."""
    yield [words("export", heading) for heading, _ in COLUMNS]
    for row in rows:
        yield _cells(row, pack, words)


def _cells(row: Row, pack: Pack, words: Words) -> list[Cell]:
    step, action = row.step, _actions(words)
    ahead = next(
        (item for item in row.dates if item.outcome in ("violated", "advised") and item.kind == "change"), None
    )
    return [
        row.name,
        row.case_id,
        row.municipality,
        words.stage(row.stage) if row.stage is not None else _why_no_stage(row, words),
        action(step) if step else None,
        role_in_short(words, step.role) if step else None,
        step.due if step else None,
        words("statuses", step.status) if step else None,
        "; ".join(action(other) for other in row.steps[1:]) or None,
        (ahead.last_day if ahead.outcome == "violated" else ahead.day) if ahead else None,
        pack.versions(ahead.rule)[-1].title[words.lang] if ahead else None,
        "; ".join(f"{role_in_short(words, item.role)}: {item.worker}" for item in row.workers) or None,
        datetime.fromisoformat(row.opened_at).astimezone(LOCAL_TIME).date(),
        row.closed_on,
    ]


def _actions(words: Words) -> Callable[[Step], str]:
    return lambda step: texts("actions", step.action, words.lang)


def _why_no_stage(row: Row, words: Words) -> str | None:
    if not row.fresh:
        return words("list", "being_updated")
    return words("list", "undetermined") if row.undetermined else None


def as_csv(rows: Sequence[Row], pack: Pack, words: Words) -> bytes:
    """The file as values separated by semicolons, in UTF-8 with its mark: so a Finnish Excel opens it. Dates are
    written 2026-11-20, which it reads as dates."""
    return csv_of(table(rows, pack, words))


def csv_of(lines: Iterable[Sequence[Cell]]) -> bytes:
    """Lines of cells as such a file."""
    made = StringIO()
    writer = csv.writer(made, delimiter=";", lineterminator="\r\n")
    for cells in lines:
        writer.writerow([_plain(cell) for cell in cells])
    return (_UTF8_MARK + made.getvalue()).encode("utf-8", "replace")


def _plain(cell: Cell) -> str:
    """A cell as text that a spreadsheet will not calculate."""
    if isinstance(cell, date):
        return cell.isoformat()
    text = cell or ""
    return f"'{text}" if text.startswith(FORMULA) else text


def as_xlsx(rows: Sequence[Row], pack: Pack, words: Words, now: datetime) -> bytes:
    """The file as a workbook, with dates as dates."""
    made = BytesIO()
    settings: dict[str, Any] = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(made, settings) as book:
        local = now.astimezone(LOCAL_TIME).replace(tzinfo=None)
        book.set_properties({"title": words("list", "title"), "author": "Polku", "created": local})
        sheet = book.add_worksheet(words("list", "title"))
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "d.m.yyyy", "align": "left"})
        plain = book.add_format({"text_wrap": True, "valign": "top"})
        for at, (_, width) in enumerate(COLUMNS):
            sheet.set_column(at, at, width)
        count = 0
        for count, cells in enumerate(table(rows, pack, words)):
            for at, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(count, at, datetime.combine(cell, datetime.min.time()), day)
                elif cell is not None:
                    sheet.write_string(count, at, cell, plain if count else bold)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, count, len(COLUMNS) - 1)
    return made.getvalue()
