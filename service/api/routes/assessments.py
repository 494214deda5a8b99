"""What is next for a client whose journal is in the request; nothing is kept and nothing is logged of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.api.answers import json_answer
from service.api.asked import assessment_asked
from service.api.bodies import RequestBody
from service.api.context import Polku
from service.api.document import problems_of, shown_as, takes
from service.api.lanes import in_lane
from service.api.schemas import Assessment

router = APIRouter(prefix="/v1/assessments", tags=["assessments"])


@router.post(
    "",
    operation_id="assess",
    openapi_extra=takes("AssessmentRequest", "assessment_request", yaml=True),
    responses={
        200: shown_as(Assessment, "assessment"),
        **problems_of("unsupported-media-type", "undetermined"),
    },
)
@in_lane("judging")
def assess(request: Request, polku: Polku, body: RequestBody) -> Response:
    """The assessment of a case document on a date, perhaps with a step as if taken. Nothing is kept."""
    asked = assessment_asked(body.data(yaml=True), polku.today())
    found = polku.assessor.assess(
        asked.case, asked.as_of, known_at=asked.known_at, proposal=asked.proposal, lang=asked.lang
    )
    return json_answer(found.as_json())
