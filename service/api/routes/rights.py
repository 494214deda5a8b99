"""What the law gives a client: who they are kept apart, a copy of everything, restriction; and emergency access."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.access.policy import may_take_emergency_access
from service.api.answers import OF_A_CLIENT, json_answer
from service.api.asked import EmergencyAsked, IdentityAsked, RestrictionAsked
from service.api.bodies import RequestBody, validated
from service.api.context import Polku
from service.api.document import problems_of, shown_as, takes
from service.api.lanes import in_lane
from service.api.parameters import CaseId
from service.api.problems import ApiProblem
from service.api.schemas import ClientCopy, EmergencyAccess, Identity, Restriction
from service.api.who import Reads
from service.operations.metrics import EMERGENCY_ACCESSES
from service.reading import NothingThere, nothing
from service.rights.copy import client_copy
from service.rights.emergency import take_emergency_access
from service.rights.errors import Gone
from service.rights.identity import change_identity
from service.rights.restriction import restrict
from service.rights.retention import retention
from service.store import StoredCase, Unit

router = APIRouter(prefix="/v1/cases", tags=["rights"])


@router.get(
    "/{case_id}/identity",
    operation_id="showIdentity",
    responses={200: shown_as(Identity), **problems_of("not-found", "not-allowed", "gone")},
)
@in_lane("reading")
def show_identity(request: Request, polku: Polku, reads: Reads, case_id: CaseId) -> Response:
    """The client's name and contact details, kept apart from the journal."""
    opened = polku.reading.one(reads, case_id, "identity", "identity", lambda unit, case: unit.identities.get(case.id))
    return json_answer({"case": case_id, "identity": opened.loaded})


@router.put(
    "/{case_id}/identity",
    operation_id="changeIdentity",
    openapi_extra=takes("IdentityRequest", "identity"),
    responses={
        200: shown_as(Identity),
        **problems_of("not-found", "not-allowed", "gone", "unsupported-media-type"),
    },
)
@in_lane("recording")
def put_identity(request: Request, polku: Polku, reads: Reads, case_id: CaseId, body: RequestBody) -> Response:
    """Put this in place of the name and contact details kept. That they changed, and by whom, stays on record."""
    asked = validated(IdentityAsked, body.data()).model_dump(exclude_none=True)
    polku.reading.one(reads, case_id, None, "identity change", nothing)
    with polku.database.write(reads.principal.region) as unit:
        change_identity(unit, case_id, reads.principal, asked, polku.clock())
    return json_answer({"case": case_id, "identity": asked})


@router.put(
    "/{case_id}/restriction",
    operation_id="restrict",
    openapi_extra=takes("RestrictionRequest", "restriction"),
    responses={
        200: shown_as(Restriction),
        **problems_of("not-found", "not-allowed", "nothing-to-do", "gone", "unsupported-media-type"),
    },
)
@in_lane("recording")
def put_restriction(request: Request, polku: Polku, reads: Reads, case_id: CaseId, body: RequestBody) -> Response:
    """Restrict the use of a client's data, or lift it: while it lasts, few reach the case and it is not disposed of."""
    asked = validated(RestrictionAsked, body.data())
    polku.reading.one(reads, case_id, None, "restriction", nothing)
    with polku.database.write(reads.principal.region) as unit:
        restrict(unit, case_id, reads.principal, asked.restricted, asked.reason, polku.clock())
    return json_answer({"case": case_id, "restricted": asked.restricted})


@router.post(
    "/{case_id}/emergency-access",
    status_code=201,
    operation_id="takeEmergencyAccess",
    openapi_extra=takes("EmergencyRequest", "emergency"),
    responses={
        201: shown_as(EmergencyAccess),
        **problems_of("not-found", "not-allowed", "nothing-to-do", "unsupported-media-type"),
    },
)
@in_lane("recording")
def emergency(request: Request, polku: Polku, reads: Reads, case_id: CaseId, body: RequestBody) -> Response:
    """Open a client's case to yourself for some hours, when there is no time to ask. It is flagged: the team leader
    sees it, with the reason, and so does the client in a copy."""
    asked = validated(EmergencyAsked, body.data())
    principal = reads.principal
    if principal.organisation_kind == "provider" or not may_take_emergency_access(principal.role):
        raise ApiProblem("not-allowed", "Emergency access is not open to your role.")
    try:
        with polku.database.write(principal.region) as unit:
            taken = take_emergency_access(unit, case_id, principal, asked.reason, polku.clock())
    except Gone:
        # Whether it is restricted, disposed of or was never there is not told; the attempt is on record.
        polku.reading.refused(reads, case_id, "emergency access")
        raise NothingThere from None
    EMERGENCY_ACCESSES.inc()
    return json_answer({"case": case_id, "role": taken.role, "until": taken.until}, 201, OF_A_CLIENT)


@router.get(
    "/{case_id}/copy",
    operation_id="copyForClient",
    responses={200: shown_as(ClientCopy), **problems_of("not-found", "not-allowed", "gone")},
)
@in_lane("reading")
def copy(request: Request, polku: Polku, reads: Reads, case_id: CaseId) -> Response:
    """A copy of everything kept about the client, to be read through and handed to them (GDPR 15)."""
    who = replace(reads, purpose=reads.purpose or "client_request")

    def load(unit: Unit, case: StoredCase) -> dict[str, Any]:
        return client_copy(unit, case.id, polku.assessor.pack, polku.clock(), retention())

    return json_answer(polku.reading.one(who, case_id, "copy", "copy", load).loaded)
