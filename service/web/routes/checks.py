"""Checks of a caseload: start one, follow it, see what it found, and the checks before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import Form, Request
from starlette.responses import Response

from rules.pack import SEVERITIES
from service.access.policy import sees
from service.access.reach import withheld_rules
from service.api.lanes import in_lane
from service.api.problems import ApiProblem
from service.checking import DONE, RUNNING, VIEW, CheckRunning
from service.store import CheckRun
from service.web.asking import Asked, Page
from service.web.checks import CLIENTS, Results, as_xlsx, clients_of, lines, title_of
from service.web.checks import Asked as AskedOf
from service.web.clients import DayAsked, day_asked
from service.web.exporting import CSV, XLSX, csv_of
from service.web.listing import around
from service.web.rendering import file, render, see_other
from service.web.routing import pages

router = pages("/checks")


@router.get("")
@in_lane("reading")
def show_checks(request: Request, page: Asked) -> Response:
    """The form that starts a check, and one's checks so far."""
    return _list(page, day_asked(None, page.today))


def _list(page: Page, asked: DayAsked) -> Response:
    if not page.opens(VIEW):
        raise ApiProblem("not-allowed")
    runs = page.polku.checks.history(page.reader)
    return render(
        page,
        "checks/list.html",
        422 if asked.mistake else 200,
        asked=asked,
        runs=[(run, _counts(run)) for run in runs],
        running=next((run for run in runs if run.state == RUNNING), None),
    )


def _counts(run: CheckRun) -> Mapping[str, int]:
    return json.loads(run.counts) if run.counts is not None else {}


@router.post("")
@in_lane("reading")
def start_check(request: Request, page: Asked, as_of: Annotated[str, Form(max_length=50)] = "") -> Response:
    """Start a check; whoever has one running is shown that."""
    asked = day_asked(as_of, page.today)
    if asked.mistake:
        return _list(page, asked)
    try:
        check = page.polku.checks.start(page.reader, asked.day).id
    except CheckRunning as running:
        check = running.check
    return see_other(f"/checks/{check}")


@router.get("/{check}")
@in_lane("reading")
def show_check(request: Request, page: Asked, check: str) -> Response:
    """How far a check is, and what it found when it is done."""
    polku, words, pack = page.polku, page.words, page.polku.assessor.pack
    looked = polku.checks.look(page.reader, check)
    run = looked.run
    asked = AskedOf.of(page.request.query_params, pack)
    results = Results(looked.shown, asked)
    told: dict[str, Any] = {"run": run, "counts": _counts(run), "asked": asked, "results": results}
    clients = []
    if run.state == DONE and asked.by == CLIENTS:
        names = polku.checks.show(page.reader, f"check {run.id}", results.on_page)
        clients = clients_of(page, results, names, results.on_page)
    return render(
        page,
        "checks/check.html",
        **told,
        clients=clients,
        rules=results.rules(pack, words),
        choices=results.rules_there(pack, words),
        severities=SEVERITIES,
        numbers=around(results.page, results.pages),
        before=_before(page, run),
        withheld=_withheld(page, looked.relations),
    )


def _before(page: Page, run: CheckRun) -> CheckRun | None:
    """The check that this one is compared with, as far as it is still kept."""
    if run.compared_with is None:
        return None
    return next((item for item in page.polku.checks.history(page.reader) if item.id == run.compared_with), None)


def _withheld(page: Page, relations: Iterable[str]) -> list[str]:
    """The titles of the rules of which nothing is told in some of these relations: it rests on the role, never on a
    client."""
    pack, role = page.polku.assessor.pack, page.principal.role
    hidden = {rule for relation in relations for rule in withheld_rules(pack, sees(role, relation))}
    return sorted(title_of(pack, rule, page.words) for rule in hidden)


@router.get("/{check}/export.xlsx")
@in_lane("reading")
def export_xlsx(request: Request, page: Asked, check: str) -> Response:
    """Everything that matches, as a workbook."""
    run, results, names = _exported(page, check)
    made = as_xlsx(lines(page, results, names, run.as_of), page.words, page.polku.clock())
    return _file(page, run, made, XLSX, "xlsx")


@router.get("/{check}/export.csv")
@in_lane("reading")
def export_csv(request: Request, page: Asked, check: str) -> Response:
    """Everything that matches, as a file of values for a Finnish Excel."""
    run, results, names = _exported(page, check)
    return _file(page, run, csv_of(lines(page, results, names, run.as_of)), CSV, "csv")


def _exported(page: Page, check: str) -> tuple[CheckRun, Results, dict[str, str]]:
    """What a file holds, once it is on record. Whoever takes many clients along is as unusual as who opens many."""
    looked = page.polku.checks.look(page.reader, check)
    run = looked.run
    if run.state != DONE:
        raise ApiProblem("not-found")
    results = Results(looked.shown, AskedOf.of(page.request.query_params, page.polku.assessor.pack))
    clients = results.relations(results.clients)
    names = page.polku.checks.show(page.reader, f"check {run.id} exported", clients)
    page.polku.watch.readers.note(page.principal.user, list(clients))
    return run, results, names


def _file(page: Page, run: CheckRun, content: bytes, kind: str, end: str) -> Response:
    return file(content, kind, f"{page.words('checks', 'file_name')}-{run.as_of}.{end}")
