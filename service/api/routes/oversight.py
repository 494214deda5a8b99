"""Who has read what, which steps were taken against a rule, and which advice was not followed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from service.access.reach import withheld_rules
from service.access.withholding import withhold_advice
from service.api.answers import json_answer
from service.api.context import Polku
from service.api.document import problems_of, shown_as
from service.api.lanes import in_lane
from service.api.paging import key_of, page
from service.api.parameters import ON_A_PAGE, After, CaseId, Limit
from service.api.schemas import Acknowledgements, AdviceList, ReadList
from service.api.who import Reads
from service.overseeing import Place, acknowledgements, decisions_of
from service.reading import read_of
from service.recording.advice import advice_trail, not_followed
from service.store import StoredCase, StoredRead, Unit

router = APIRouter(prefix="/v1", tags=["oversight"])


@router.get(
    "/cases/{case_id}/reads",
    operation_id="listReads",
    responses={200: shown_as(ReadList), **problems_of("not-found", "not-allowed", "gone")},
)
@in_lane("reading")
def list_reads(
    request: Request, polku: Polku, reads: Reads, case_id: CaseId, limit: Limit = ON_A_PAGE, after: After = None
) -> Response:
    """Who has read this client's data, or tried to: grouped by reader, each reader's oldest first."""
    key = key_of(after, (str, int))

    def load(unit: Unit, case: StoredCase) -> list[StoredRead]:
        return unit.reads.of(case.id, after=(key[0], key[1]) if key else None, limit=limit + 1)

    found = polku.reading.one(reads, case_id, "reads", "reads", load).loaded
    last = found[limit - 1] if len(found) > limit else None
    items = [read_of(item, case_id) for item in found[:limit]]
    return json_answer(page(request, items, limit, None if last is None else (last.chain, last.seq)))


@router.get(
    "/cases/{case_id}/advice",
    operation_id="listAdvice",
    responses={200: shown_as(AdviceList), **problems_of("not-found", "not-allowed", "gone")},
)
@in_lane("judging")
def list_advice(
    request: Request,
    polku: Polku,
    reads: Reads,
    case_id: CaseId,
    everything: Annotated[bool, Query(description="Also the advice that was followed.")] = False,
) -> Response:
    """What became of the advice that was shown: what was not followed, set aside, or acknowledged. Advice of rules that
    rest on something you may not see is left out; `withheld` names those rules, whether or not they gave advice."""

    def load(unit: Unit, case: StoredCase) -> tuple[list[dict[str, Any]], dict[str, str]]:
        records = [json.loads(item.payload) for item in decisions_of(unit, case.id)]
        return records, {entry.id: entry.type for entry in unit.cases.load(case.id).entries}

    opened = polku.reading.one(reads, case_id, "advice_trail", "advice", load)
    records, types = opened.loaded
    pack = polku.assessor.pack
    trail = advice_trail(records, types, polku.today())
    told = [item.as_json() for item in (trail if everything else not_followed(trail))]
    return json_answer(
        {
            "items": withhold_advice(told, opened.sight, pack),
            "withheld": sorted(withheld_rules(pack, opened.sight)),
        }
    )


@router.get(
    "/acknowledgements",
    operation_id="listAcknowledgements",
    responses={200: shown_as(Acknowledgements), **problems_of("not-allowed")},
)
@in_lane("reading")
def list_acknowledgements(
    request: Request, polku: Polku, reads: Reads, limit: Limit = ON_A_PAGE, after: After = None
) -> Response:
    """Steps taken against a rule, with the reason given, and emergency accesses, the newest first: of the team, for its
    leader; of all, for the auditor."""
    key = key_of(after, Place.KINDS)
    found, place = acknowledgements(polku.database, polku.clock(), reads, Place.of(key), limit)
    return json_answer(page(request, _plain(found), limit, None if place is None else place.key))


def _plain(found: Iterable[Any]) -> list[dict[str, Any]]:
    return [item.as_json() for item in found]
