"""A client's pages: what is next, the time line, the journal, the talk sheet, and what a step would lead to."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request
from starlette.responses import Response

from rules.assessment import Proposal
from rules.engines import EngineError
from rules.journal import ENTRY_TYPES
from rules.readiness import readiness
from rules.texts import catalogue
from service.api.failures import problem_of
from service.api.lanes import in_lane
from service.api.parameters import CaseId
from service.web.asking import Asked, Page
from service.web.assessed import DATES_AHEAD, Assessed
from service.web.clients import OpenClient, day_asked, open_client, state_of
from service.web.journal import ON_A_PAGE, journal_of
from service.web.just_recorded import just_recorded
from service.web.pictures.path import path_picture
from service.web.pictures.timeline import timeline_of, timeline_svg
from service.web.rendering import query, render, see_other
from service.web.routing import pages
from service.web.typed import Typed
from service.web.what_if import StepAsked, WhatIf, step_asked, what_if
from service.web.widgets import Drawing
from statemachines import TRIGGERS

router = pages("/clients")
#: How many entries the page shows that can give no advice.
NEWEST = 10

Text = Annotated[str | None, Query(max_length=50)]


def assessed(page: Page, client: OpenClient, day: date, proposal: Proposal | None = None) -> Assessed | None:
    """What is next for the client on a day; None when it cannot be told, which is an alarm."""
    try:
        found = page.polku.assessor.assess(client.case, day, proposal=proposal, lang=page.lang)
    except EngineError as error:
        problem_of(error)  # raises the alarm
        return None
    return Assessed(found, client, page.words)


@router.get("/{case_id}")
@in_lane("judging")
def show_client(request: Request, page: Asked, case_id: CaseId, as_of: Text = None) -> Response:
    """What is next for a client, today or as of another day."""
    if not page.opens("assessment"):
        told = query(recorded=page.request.query_params.get("recorded"))
        return see_other(f"/clients/{quote(case_id, safe='')}/journal{told}")
    client = open_client(page, case_id, "assessment", "next_steps")
    asked = day_asked(as_of, page.today)
    outlook = assessed(page, client, asked.day)
    shown: dict[str, Any] = {"client": client, "asked": asked, "recorded": just_recorded(page, client)}
    if outlook is None:
        newest = journal_of(client, page.polku.assessor.pack, page.words, page.today, limit=NEWEST)
        return render(page, "client/undetermined.html", **shown, journal=newest, stage=None)
    state = outlook.told["state"]
    possible = [] if state["stage"] == "closed" else outlook.next_triggers
    picture = path_picture(state, page.words, page.words, next_triggers=possible)
    status = 422 if asked.mistake else 200
    return render(
        page,
        "client/next.html",
        status,
        **shown,
        outlook=outlook,
        picture=picture,
        stage=state["stage"],
        dates_ahead=DATES_AHEAD,
    )


@router.get("/{case_id}/timeline")
@in_lane("judging")
def show_timeline(request: Request, page: Asked, case_id: CaseId) -> Response:
    """What has lasted from when to when, and the days ahead."""
    client = open_client(page, case_id, "journal", "timeline")
    outlook = assessed(page, client, page.today) if client.sight.opens("assessment") else None
    told = outlook.told if outlook is not None else None
    pack = page.polku.assessor.pack
    timeline = timeline_of(client.document, told, page.today, page.words, page.words, pack=pack)
    return render(
        page,
        "client/timeline.html",
        client=client,
        stage=_stage(page, client),
        timeline=timeline,
        picture=timeline_svg(timeline, page.words, page.words),
    )


def _stage(page: Page, client: OpenClient) -> str | None:
    return state_of(page, client, page.today).get("stage")


@router.get("/{case_id}/journal")
@in_lane("reading")
def show_journal(
    request: Request,
    page: Asked,
    case_id: CaseId,
    type: Text = None,
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> Response:
    """Every entry that may be seen, the newest first."""
    client = open_client(page, case_id, "journal", "journal")
    wanted = type if type in ENTRY_TYPES else ""
    journal = journal_of(
        client, page.polku.assessor.pack, page.words, page.today, wanted, limit=ON_A_PAGE, number=number
    )
    return render(
        page,
        "client/journal.html",
        client=client,
        stage=_stage(page, client),
        journal=journal,
        wanted=wanted,
        recorded=just_recorded(page, client),
    )


@router.get("/{case_id}/talk-sheet")
@in_lane("reading")
def show_talk_sheet(request: Request, page: Asked, case_id: CaseId) -> Response:
    """The recognition checklist as an aid for a conversation. Nothing is added up."""
    client = open_client(page, case_id, "readiness", "talk sheet")
    history = page.polku.assessor.history(client.case, page.today)
    answered = [entry.date for entry in history.by_type.get("checklist_answered", ())]
    return render(
        page,
        "client/talk_sheet.html",
        client=client,
        stage=_stage(page, client),
        sheet=readiness(history, page.lang),
        headings={kind: page.words.of(text) for kind, text in catalogue()["readiness"]["headings"].items()},
        answered_on=max(answered, default=None),
    )


@router.get("/{case_id}/what-if")
@in_lane("judging")
def show_what_if(request: Request, page: Asked, case_id: CaseId) -> Response:
    """A step as if taken today, beside how things stand. Nothing is recorded."""
    client = open_client(page, case_id, "assessment", "what-if")
    step = step_asked(Typed(request.query_params.multi_items()), page.today)
    today = assessed(page, client, page.today)
    shown: dict[str, Any] = {"client": client, "step": step, "result": None, "undetermined": today is None}
    if today is not None and step is not None and step.proposal is not None:
        shown["result"] = _what_if(page, client, today, step.proposal)
        shown["undetermined"] = shown["result"] is None
    return render(
        page,
        "client/what_if.html",
        422 if step is not None and step.mistakes else 200,
        **shown,
        stage=_stage(page, client),
        steps=_steps_to_choose(today, step),
        form=Drawing(step.form, step.typed, page.words, step.mistakes) if step is not None else None,
    )


def _what_if(page: Page, client: OpenClient, today: Assessed, proposal: Proposal) -> WhatIf | None:
    then = assessed(page, client, page.today, proposal)
    if then is None:
        return None
    try:
        return what_if(page.polku.assessor, today, then, proposal)
    except EngineError as error:
        problem_of(error)  # raises the alarm
        return None


def _steps_to_choose(today: Assessed | None, step: StepAsked | None) -> list[str]:
    """The steps that the charts allow from here, and the one asked about."""
    here = () if today is None else today.told["triggers"]
    chosen = {step.trigger} if step is not None else set()
    allowed = {item["trigger"] for item in here if item["status"] != "not_from_here"}
    return [trigger for trigger in TRIGGERS if trigger in allowed | chosen]
