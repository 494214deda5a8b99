"""Clients' journals: kept, listed, read, and what is next for one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from rules.assessment import Proposal
from rules.explain import explain
from rules.journal import Case, case_to_data
from service.access.withholding import withhold_assessment, withhold_case, withhold_explanations
from service.api.answers import OF_A_CLIENT, json_answer
from service.api.asked import case_asked, proposal_in_query
from service.api.bodies import RequestBody
from service.api.context import Polku, Service
from service.api.document import problems_of, shown_as, takes
from service.api.etags import etag, is_unchanged
from service.api.lanes import in_lane
from service.api.paging import key_of, page
from service.api.parameters import (
    ON_A_PAGE,
    After,
    AsOf,
    CaseId,
    Key,
    KnownAt,
    Language,
    Limit,
    ProposalJson,
    day_or_today,
)
from service.api.routes.rules import no_such_rule
from service.api.schemas import Assessment, CaseList, CasePage, Explanations, Recorded
from service.api.who import Asking, Reads
from service.reading import Opened, journal_and_own
from service.store import StoredCase, Unit

router = APIRouter(prefix="/v1/cases", tags=["cases"])

IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="The ETag of the version you have.", examples=['"v7"'])
]


@router.post(
    "",
    status_code=201,
    operation_id="openCase",
    openapi_extra=takes("CaseDocument", "case", yaml=True),
    responses={
        201: shown_as(
            Recorded,
            "opened",
            Location="Where the case is.",
            ETag="The version of the case.",
            Idempotency_Replayed="`true` when this key was answered before.",
        ),
        **problems_of("not-allowed", "case-exists", "unsupported-media-type", "key-reused"),
    },
)
@in_lane("recording")
def open_case(
    request: Request, polku: Polku, asking: Asking, body: RequestBody, key: Key = None, lang: Language = "fi"
) -> Response:
    """Keep a case with the journal it brings, all or nothing. What happened elsewhere is taken over as it is: no rule
    can refuse it. The case belongs to your organisation and team."""
    made = polku.recorder.open(asking, case_asked(body.data(yaml=True)), key=key)
    where = f"/v1/cases/{quote(made.record['case'], safe='')}"
    return json_answer(made.answer(lang), 201, {**recorded_headers(made.version, made.replayed), "Location": where})


def recorded_headers(version: int, replayed: bool) -> dict[str, str]:
    """The headers of an answer to a recording."""
    told = {**OF_A_CLIENT, "ETag": etag(version)}
    return {**told, "Idempotency-Replayed": "true"} if replayed else told


@router.get("", operation_id="listCases", responses={200: shown_as(CaseList), **problems_of()})
@in_lane("reading")
def list_cases(
    request: Request,
    polku: Polku,
    reads: Reads,
    closed: Annotated[bool | None, Query(description="Only closed cases, or only those that are not.")] = None,
    limit: Limit = ON_A_PAGE,
    after: After = None,
) -> Response:
    """The cases you have business with, in the order of their ids. The log of reads names every one shown."""
    key = key_of(after, (str,))
    shown, more = polku.reading.page(reads, after=key[0] if key else None, limit=limit, closed=closed)
    items = [kept(item.case, item.relation) for item in shown]
    return json_answer(page(request, items, limit, (shown[-1].case.id,) if more else None))


def kept(case: StoredCase, relation: str) -> dict[str, Any]:
    """What is kept of a case beside its journal, and how the reader stands to it."""
    return {
        "id": case.id,
        "version": case.version,
        "organisation": case.organisation,
        "team": case.team,
        "opened_at": case.created_at,
        "closed_on": case.closed_on,
        "restricted": case.restricted,
        "relation": relation,
    }


@router.get(
    "/{case_id}",
    operation_id="showCase",
    responses={
        200: shown_as(CasePage, "case_page", ETag="The version of the case."),
        304: {"description": "You have this version already.", "headers": {"ETag": {"schema": {"type": "string"}}}},
        **problems_of("not-found", "not-allowed", "gone"),
    },
)
@in_lane("reading")
def show_case(
    request: Request, polku: Polku, reads: Reads, case_id: CaseId, if_none_match: IfNoneMatch = None
) -> Response:
    """The case document, as far as it is yours to see; `withheld` names what is left out."""

    def load(unit: Unit, case: StoredCase) -> tuple[Case, frozenset[str]]:
        return journal_and_own(unit, case, reads.principal.user)

    opened = polku.reading.one(reads, case_id, "journal", "case", load)
    headers = {**OF_A_CLIENT, "ETag": etag(opened.case.version)}
    if is_unchanged(if_none_match, opened.case.version):
        return Response(status_code=304, headers=headers)
    journal, own = opened.loaded
    document = withhold_case(case_to_data(journal), opened.sight, own)
    return json_answer({**document, "kept": kept(opened.case, opened.relation)}, headers=headers)


def _journal(unit: Unit, case: StoredCase) -> Case:
    return unit.cases.load(case.id)


@router.get(
    "/{case_id}/next-steps",
    operation_id="nextSteps",
    responses={
        200: shown_as(
            Assessment, "assessment", Polku_Case_ETag="The ETag of the version that was judged, for If-Match."
        ),
        **problems_of("not-found", "not-allowed", "gone", "undetermined"),
    },
)
@in_lane("judging")
def next_steps(
    request: Request,
    polku: Polku,
    reads: Reads,
    case_id: CaseId,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    lang: Language = "fi",
    proposal: ProposalJson = None,
) -> Response:
    """What is next for this client: the assessment on a date, by what was recorded by a time, perhaps with a step as if
    taken. What rests on something you may not see is withheld as such."""
    day = day_or_today(as_of, polku.today())
    step = proposal_in_query(proposal, day)
    opened = polku.reading.one(reads, case_id, "assessment", "next_steps", _journal)
    found = polku.assessor.assess(opened.loaded, day, known_at=known_at, proposal=step, lang=lang)
    # No ETag of this answer: it hangs on the day as well.
    headers = {**OF_A_CLIENT, "Polku-Case-ETag": etag(opened.case.version)}
    return json_answer(withhold_assessment(found, opened.sight), headers=headers)


@router.get(
    "/{case_id}/explanations/{rule}",
    operation_id="explainRule",
    responses={
        200: shown_as(Explanations),
        **problems_of("not-found", "not-allowed", "gone", "undetermined"),
    },
)
@in_lane("judging")
def explain_rule(
    request: Request,
    polku: Polku,
    reads: Reads,
    case_id: CaseId,
    rule: str,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    lang: Language = "fi",
    proposal: ProposalJson = None,
) -> Response:
    """Why a rule came out as it did for this client: clause by clause with the values met, and the smallest change of
    recorded facts that would bring another outcome."""
    day, pack = day_or_today(as_of, polku.today()), polku.assessor.pack
    step = proposal_in_query(proposal, day)
    if not pack.versions(rule):
        raise no_such_rule(pack, rule)
    opened = polku.reading.one(reads, case_id, "assessment", f"explanation {rule}", _journal)
    return json_answer(_explained(polku, opened, rule, day, known_at, lang, step))


def _explained(
    polku: Service,
    opened: Opened[Case],
    rule: str,
    day: date,
    known_at: datetime | None,
    lang: str,
    step: Proposal | None,
) -> dict[str, Any]:
    pack = polku.assessor.pack
    found = explain(polku.assessor, opened.loaded, day, rule, known_at=known_at, proposal=step)
    return {
        "case": opened.case.id,
        "as_of": day.isoformat(),
        "pack": {"id": pack.id, "version": pack.version, "sha256": pack.sha256},
        "explanations": withhold_explanations(found, rule, opened.sight, pack, lang),
    }
