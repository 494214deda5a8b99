"""My clients: the list by what is due, the calendar, and the list as a file."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

from fastapi import Request
from starlette.responses import Response

from rules.entries import FIRST_YEAR, LAST_YEAR
from rules.pack import ROLES
from service.api.lanes import in_lane
from service.caseload import Month, month_asked
from service.outlook_rows import Row
from service.web.asking import Asked, Page
from service.web.exporting import CSV, XLSX, as_csv, as_xlsx
from service.web.listing import (
    Caseload,
    around,
    due_choices,
    groups,
    in_brief,
    names_of,
    options,
    role_in_short,
    sorts,
    tells_steps,
)
from service.web.newcomers import may_take
from service.web.rendering import file, render
from service.web.routing import pages
from statemachines import STAGES

router = pages("/clients")


@router.get("")
@in_lane("reading")
def show_clients(request: Request, page: Asked) -> Response:
    """The clients open to who asks, by what is due."""
    caseload, words = Caseload(page), page.words
    found = page.polku.outlooks.page(page.reader, caseload.asked)
    stages = names_of(tuple(reversed(STAGES)), words.stage)
    roles = names_of(ROLES, partial(role_in_short, words))
    return render(
        page,
        "list/page.html",
        found=found,
        groups=groups(page, found),
        tells_steps=tells_steps(found),
        caseload=caseload,
        due_choices=due_choices(caseload, found, words),
        stages=options(found.by_stage, found.asked.stage, stages, words("list", "any_stage")),
        actors=options(found.by_role, found.asked.who, roles, words("list", "anyone")),
        sorts=sorts(found.asked.sort, words),
        numbers=around(found.page, found.pages),
        may_take=may_take(page.principal),
    )


@router.get("/calendar")
@in_lane("reading")
def show_calendar(request: Request, page: Asked, month: str | None = None) -> Response:
    """The days of a month that matter for the clients."""
    caseload, first = Caseload(page), month_asked(month, page.today)
    found = page.polku.outlooks.calendar(page.reader, caseload.asked, first)
    pack, lang = page.polku.assessor.pack, page.lang
    rules = {item.rule: pack.versions(item.rule)[-1] for item in found.items}
    return render(
        page,
        "list/calendar.html",
        month=found,
        days=[day for week in found.weeks for day in week if day.items],
        titles={rule: version.title[lang] for rule, version in rules.items()},
        brief=partial(in_brief, kinds={rule: version.about for rule, version in rules.items()}),
        caseload=caseload,
        before=_month(found, -1),
        after=_month(found, 1),
    )


def _month(found: Month, step: int) -> date | None:
    """The first day of the month before or after; None beyond the years there are."""
    day = found.first + timedelta(days=-1 if step < 0 else 31)
    return day.replace(day=1) if FIRST_YEAR <= day.year < LAST_YEAR else None


@router.get("/export.xlsx")
@in_lane("reading")
def export_xlsx(request: Request, page: Asked) -> Response:
    """Every client that matches, as a workbook."""
    made = as_xlsx(_exported(page), page.polku.assessor.pack, page.words, page.polku.clock())
    return _file(page, made, XLSX, "xlsx")


@router.get("/export.csv")
@in_lane("reading")
def export_csv(request: Request, page: Asked) -> Response:
    """Every client that matches, as a file of values for a Finnish Excel."""
    return _file(page, as_csv(_exported(page), page.polku.assessor.pack, page.words), CSV, "csv")


def _exported(page: Page) -> tuple[Row, ...]:
    """The rows of a file. Whoever takes many clients along is as unusual as who opens many."""
    rows = page.polku.outlooks.export(page.reader, Caseload(page).asked).rows
    page.polku.watch.readers.note(page.principal.user, [row.case_id for row in rows])
    return rows


def _file(page: Page, content: bytes, kind: str, end: str) -> Response:
    return file(content, kind, f"{page.words('list', 'file_name')}-{page.today.isoformat()}.{end}")
