"""The audit trail: what was decided, and whether it would come out the same."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from rules.pack import Pack
from service.access.withholding import sees_decisions_whole, withhold_decision
from service.api.answers import json_answer
from service.api.context import Polku
from service.api.document import problems_of, shown_as
from service.api.lanes import in_lane
from service.api.paging import key_of, page
from service.api.parameters import ON_A_PAGE, After, CaseId, DecisionId, Limit
from service.api.problems import ApiProblem
from service.api.schemas import Decision, DecisionList, Replayed
from service.api.who import Reads
from service.audit.replay import Packs, Replay, replay_decision
from service.store import StoredCase, StoredDecision, StoredPack, Unit

router = APIRouter(prefix="/v1", tags=["decisions"])
VIEW = "decision_records"


@router.get(
    "/cases/{case_id}/decisions",
    operation_id="listDecisions",
    responses={200: shown_as(DecisionList), **problems_of("not-found", "not-allowed", "gone")},
)
@in_lane("reading")
def list_decisions(
    request: Request, polku: Polku, reads: Reads, case_id: CaseId, limit: Limit = ON_A_PAGE, after: After = None
) -> Response:
    """The decisions of a case, one for each version, the oldest first."""
    key = key_of(after, (int,))

    def load(unit: Unit, case: StoredCase) -> list[StoredDecision]:
        return unit.decisions.of(case.id, after=key[0] if key else 0, limit=limit + 1)

    found = polku.reading.one(reads, case_id, VIEW, "decisions", load).loaded
    items = [_short(item) for item in found[:limit]]
    return json_answer(page(request, items, limit, (found[limit - 1].version,) if len(found) > limit else None))


def _short(item: StoredDecision) -> dict[str, Any]:
    names = ("id", "version", "recorded_at", "recorded_by", "status", "acknowledged")
    return {name: getattr(item, name) for name in names}


@router.get(
    "/decisions/{decision}",
    operation_id="showDecision",
    responses={200: shown_as(Decision), **problems_of("not-found", "not-allowed", "gone")},
)
@in_lane("reading")
def show_decision(request: Request, polku: Polku, reads: Reads, decision: DecisionId) -> Response:
    """One decision record: what was known, judged, advised and acknowledged, and under which rules. What rests on
    something you may not see is withheld as such."""

    def load(unit: Unit, case: StoredCase) -> tuple[StoredDecision, StoredPack | None]:
        found = _decision(unit, decision)
        return found, unit.packs.get(json.loads(found.payload)["pack"]["sha256"])

    opened = polku.reading.of_decision(reads, decision, VIEW, "decision", load)
    found, kept = opened.loaded
    record = json.loads(found.payload)
    assessor = polku.packs.assessor(record["pack"]["sha256"], lambda sha256: kept)
    if isinstance(assessor, str):  # without its pack it cannot be told what rests on what
        raise ApiProblem("not-found")
    return json_answer(withhold_decision(record, opened.sight, assessor.pack))


def _decision(unit: Unit, decision: str) -> StoredDecision:
    found = unit.decisions.get(decision)
    if found is None:
        raise ApiProblem("not-found")
    return found


@router.post(
    "/decisions/{decision}/replay",
    operation_id="replayDecision",
    responses={200: shown_as(Replayed), **problems_of("not-found", "not-allowed", "gone")},
)
@in_lane("judging")
def replay(request: Request, polku: Polku, reads: Reads, decision: DecisionId) -> Response:
    """Judge a decision again under the rules it was taken under, and fold the journal of that time again: is it the
    same, and if not, why? Nothing is changed."""
    opened = polku.reading.of_decision(reads, decision, VIEW, "replay", lambda unit, case: _decision(unit, decision))
    with polku.database.read(reads.principal.region) as unit:
        found = replay_decision(unit, opened.loaded, polku.packs)
        pack = pack_of(unit, opened.loaded, polku.packs)
    return json_answer(_replayed(found, sees_decisions_whole(opened.sight, pack)))


def pack_of(unit: Unit, decision: StoredDecision, packs: Packs) -> Pack | None:
    """The pack a decision was taken under; None when it is not to be had, or the record no longer says which."""
    try:
        sha256 = str(json.loads(decision.payload)["pack"]["sha256"])
    except (ValueError, LookupError, TypeError):
        return None
    found = packs.assessor(sha256, unit.packs.get)
    return None if isinstance(found, str) else found.pack


def _replayed(found: Replay, whole: bool) -> dict[str, Any]:
    """The outcome; what exactly differs holds facts, so whoever may not see all of a decision is told only what kind of
    thing it is."""
    told = found.as_json()
    if not whole:
        for name in ("differences", "explained"):
            told[name] = [{"kind": item["kind"], "withheld": True} for item in told[name]]
    return told
