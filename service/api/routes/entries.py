"""Recording what has happened."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from rules.pack import Pack
from service.access.policy import Sight
from service.access.withholding import withhold_breaks, withhold_decision, withhold_findings
from service.api.answers import json_answer
from service.api.asked import entries_asked
from service.api.bodies import RequestBody
from service.api.context import Polku
from service.api.document import problems_of, shown_as, takes
from service.api.etags import expected_version
from service.api.lanes import in_lane
from service.api.parameters import CaseId, Key, Language
from service.api.problems import ApiProblem
from service.api.routes.cases import recorded_headers
from service.api.schemas import Recorded
from service.api.who import Reads
from service.recording.errors import CaseNotFound, NeedsAcknowledgement
from service.recording.record import answer
from service.recording.recorder import Recorded as Made

router = APIRouter(prefix="/v1/cases", tags=["cases"])

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="Required: the ETag of the version you have read.", examples=['"v7"']),
]


@router.post(
    "/{case_id}/entries",
    status_code=201,
    operation_id="recordEntries",
    openapi_extra=takes("RecordingRequest", "recording"),
    responses={
        201: shown_as(
            Recorded,
            "recorded",
            ETag="The version of the case with these entries.",
            Idempotency_Replayed="`true` when this key was answered before.",
        ),
        **problems_of(
            "not-found",
            "not-allowed",
            "needs-acknowledgement",
            "gone",
            "precondition-failed",
            "unsupported-media-type",
            "key-reused",
            "precondition-required",
        ),
    },
)
@in_lane("recording")
def record_entries(
    request: Request,
    polku: Polku,
    reads: Reads,
    case_id: CaseId,
    body: RequestBody,
    if_match: IfMatch = None,
    key: Key = None,
    lang: Language = "fi",
) -> Response:
    """Record a list of entries, all or none. Well-formed entries can always be recorded: where a rule speaks against a
    step, or the path has no such step, the answer is 409 with the findings until the request carries `acknowledged`."""
    expected = expected_version(if_match)
    asked = entries_asked(body.data())
    # What a recording is answered tells of the client, also when it is refused: it is a read, and logged as one before
    # the answer leaves; one that records, in the same transaction.
    read = polku.reading.along(reads, case_id, "recording")
    try:
        with read:
            made = polku.recorder.record(
                reads.principal, case_id, expected, asked.entries, acknowledged=asked.acknowledged, key=key, reads=read
            )
    except CaseNotFound:  # it is there, and of those who see it some record nothing
        raise ApiProblem("not-allowed", "Your role records nothing for this client.", entry_types=asked.types) from None
    except NeedsAcknowledgement as error:
        findings = withhold_findings(error.findings, read.sight, polku.assessor.pack, lang, own_step=True)
        breaks = withhold_breaks(
            ({"entry": item.entry, "reason": item.reason, "day": item.day} for item in error.breaks),
            read.sight,
            polku.assessor.pack,
        )
        raise ApiProblem("needs-acknowledgement", rules=list(error.rules), findings=findings, breaks=breaks) from None
    told = _told(made, read.sight, polku.assessor.pack, lang)
    return json_answer(told, 201, recorded_headers(made.version, made.replayed))


def _told(made: Made, sight: Sight, pack: Pack, lang: str) -> dict[str, Any]:
    """What was recorded, and what is next as far as it may be seen."""
    told = answer(withhold_decision(made.record, sight, pack, own=True), lang)
    return told if sight.opens("assessment") else {**told, "state": None, "next_steps": None}
