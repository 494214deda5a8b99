"""Whether the plans of a caseload hold together."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from rules.pack import Pack
from rules.texts import texts
from service.api.answers import OF_A_CLIENT, json_answer
from service.api.asked import CheckAsked
from service.api.bodies import RequestBody, validated
from service.api.context import Polku
from service.api.document import problems_of, shown_as, takes
from service.api.lanes import in_lane
from service.api.paging import key_of, page
from service.api.parameters import ON_A_PAGE, After, Language, Limit, day_or_today
from service.api.schemas import Check, CheckList, CheckPage
from service.api.who import Reads
from service.store import CheckFinding, CheckRun

router = APIRouter(prefix="/v1/checks", tags=["checks"])

Change = Annotated[
    Literal["new", "still_open", "settled"] | None,
    Query(description="Only these, beside your check before; left out: all that is found, without what is settled."),
]


@router.post(
    "",
    status_code=202,
    operation_id="startCheck",
    openapi_extra=takes("CheckRequest", "check"),
    responses={
        202: shown_as(Check, Location="Where the check can be followed."),
        **problems_of("not-allowed", "check-running", "unsupported-media-type"),
    },
)
@in_lane("reading")
def start_check(request: Request, polku: Polku, reads: Reads, body: RequestBody) -> Response:
    """Check every open case you have business with, in the background; one check of yours at a time."""
    asked = validated(CheckAsked, body.data())
    run = polku.checks.start(reads, day_or_today(asked.as_of, polku.today()))
    return json_answer(_run(run), 202, {**OF_A_CLIENT, "Location": f"/v1/checks/{run.id}"})


@router.get("", operation_id="listChecks", responses={200: shown_as(CheckList), **problems_of()})
@in_lane("reading")
def list_checks(request: Request, polku: Polku, reads: Reads) -> Response:
    """Your checks in the role you act in, the newest first."""
    return json_answer({"items": [_run(run) for run in polku.checks.history(reads)]})


@router.get("/{check}", operation_id="followCheck", responses={200: shown_as(CheckPage), **problems_of("not-found")})
@in_lane("reading")
def follow_check(
    request: Request,
    polku: Polku,
    reads: Reads,
    check: str,
    change: Change = None,
    lang: Language = "fi",
    limit: Limit = ON_A_PAGE,
    after: After = None,
) -> Response:
    """How far a check of yours is, and what it has found when it is done. Findings that rest on something you may not
    see are left out."""
    key = key_of(after, (int,))
    run, findings, go_on = polku.checks.follow(reads, check, after=key[0] if key else -1, limit=limit, change=change)
    items = [_finding(item, polku.assessor.pack, lang) for item in findings]
    return json_answer({**_run(run), **page(request, items, limit, None if go_on is None else (go_on,))})


def _run(run: CheckRun) -> dict[str, Any]:
    names = ("id", "as_of", "state", "done", "total", "started_at", "finished_at", "error", "pack_version")
    told = {name: getattr(run, name) for name in names}
    counts = json.loads(run.counts) if run.counts is not None else None
    return {**told, "compared_with": run.compared_with, "counts": counts}


def _finding(item: CheckFinding, pack: Pack, lang: str) -> dict[str, Any]:
    """A finding with its texts; a rule the pack no longer has goes without."""
    found = json.loads(item.payload)
    title = next((rule.title[lang] for rule in reversed(pack.versions(found["rule"]))), None)
    action = found.get("action")
    text = texts("actions", action, lang) if action is not None else None
    return {"case": item.case_id, **found, "change": item.change, "title": title, "text": text}
