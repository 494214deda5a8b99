"""The caseload as a file: a workbook, or values separated by semicolons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from io import BytesIO, StringIO

import xlsxwriter

from rules.entries import LOCAL_TIME
from rules.pack import Pack
from rules.steps import Step
from rules.texts import texts
from service.outlook import Row
from service.spreadsheets import SETTINGS, Cell, Line, Sheets, write_csv
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
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"


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
    """The file as values separated by semicolons."""
    return csv_of(table(rows, pack, words))


def csv_of(lines: Iterable[Line]) -> bytes:
    """Lines of cells as such a file."""
    made = StringIO()
    write_csv(made, lines)
    return made.getvalue().encode("utf-8", "replace")


def as_xlsx(rows: Sequence[Row], pack: Pack, words: Words, now: datetime) -> bytes:
    """The file as a workbook, with dates as dates."""
    made = BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, **SETTINGS}) as book:
        title = words("list", "title")
        Sheets(book, title, now).add(title, [width for _, width in COLUMNS], table(rows, pack, words))
    return made.getvalue()
