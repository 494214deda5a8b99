"""Who you are here."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from service.api.answers import json_answer
from service.api.document import problems_of, shown_as
from service.api.schemas import Me
from service.api.who import Known

router = APIRouter(prefix="/v1/me", tags=["login"])


@router.get("", operation_id="whoAmI", responses={200: shown_as(Me), **problems_of()})
async def who_am_i(known: Known) -> Response:
    """The user, the organisation, and the roles to choose from by the header Polku-Role."""
    return json_answer(
        {
            "user": known.user,
            "region": known.region,
            "organisation": known.organisation,
            "organisation_kind": known.organisation_kind,
            "team": known.team,
            "role": known.role,
            "roles": list(known.roles),
            "program": known.program,
        }
    )
