"""Files for spreadsheets: workbooks, and values separated by semicolons as a Finnish Excel reads them.

A cell holds what stands in it and nothing else: no text is ever read as a formula, whatever a client is called.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain, islice
from typing import Any, TextIO, TypeAlias

import xlsxwriter

from rules.entries import LOCAL_TIME

#: What a spreadsheet may take for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
UTF8_MARK = "\ufeff"
#: The most lines of a worksheet, the headings among them.
MOST_LINES = 1_048_576
#: Nothing of a text is worked out by the program that writes the workbook, either.
SETTINGS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}

Cell: TypeAlias = str | date | None
Line: TypeAlias = Sequence[Cell]


def write_csv(stream: TextIO, lines: Iterable[Line]) -> None:
    """Lines of cells as text separated by semicolons, with UTF-8's mark at the head: so a Finnish Excel opens it.
    Dates are written 2026-11-20, which it reads as dates."""
    stream.write(UTF8_MARK)
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerows(map(plain, cells) for cells in lines)


def plain(cell: Cell) -> str:
    """A cell as text that a spreadsheet will not calculate."""
    if isinstance(cell, date):
        return cell.isoformat()
    text = cell or ""
    return f"'{text}" if text.startswith(FORMULA) else text


class Sheets:
    """Writes worksheets into a workbook, with dates as dates."""

    def __init__(self, book: xlsxwriter.Workbook, title: str, now: datetime) -> None:
        self._book = book
        local = now.astimezone(LOCAL_TIME).replace(tzinfo=None)
        book.set_properties({"title": title, "author": "Polku", "created": local})
        self._bold = book.add_format({"bold": True})
        self._day = book.add_format({"num_format": "d.m.yyyy", "align": "left"})
        self._plain = book.add_format({"text_wrap": True, "valign": "top"})

    def add(self, title: str, widths: Sequence[int], lines: Iterable[Line]) -> None:
        """A worksheet of lines, the headings first. What one cannot hold goes on in `title 2`, with the headings."""
        rest = iter(lines)
        headings = next(rest)
        number = 1
        while (first := next(rest, None)) is not None or number == 1:
            name = title if number == 1 else f"{title} {number}"
            some = islice(rest, MOST_LINES - 2)
            self._add(name, widths, headings, some if first is None else chain([first], some))
            number += 1

    def _add(self, title: str, widths: Sequence[int], headings: Line, lines: Iterator[Line]) -> None:
        sheet = self._book.add_worksheet(title)
        for at, width in enumerate(widths):
            sheet.set_column(at, at, width)
        sheet.freeze_panes(1, 1)
        self._write(sheet, 0, headings, self._bold)
        count = 0
        for count, cells in enumerate(lines, start=1):
            self._write(sheet, count, cells, self._plain)
        sheet.autofilter(0, 0, count, len(widths) - 1)

    def _write(self, sheet: Any, row: int, cells: Line, style: Any) -> None:
        for at, cell in enumerate(cells):
            if isinstance(cell, date):
                sheet.write_datetime(row, at, datetime.combine(cell, datetime.min.time()), self._day)
            elif cell is not None:
                sheet.write_string(row, at, cell, style)
