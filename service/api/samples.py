"""The examples in the OpenAPI document, made by the code itself from the example clients of the rule pack."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from rules.assessment import Assessor
from rules.journal import Case, case_to_data, new_entries, read_case
from rules.pack import DEFAULT_PACK
from service.access.policy import sees
from service.access.withholding import withhold_case
from service.audit.chain import timestamp
from service.recording.judging import Judged, judge_opening, judge_recording
from service.recording.record import Circumstances, RecordedBy, answer, decision_record

_DAY = date(2022, 9, 5)
_NOON = datetime(2022, 9, 20, 9, 0, tzinfo=UTC)
_DECISION = "018359e4d2801f6b0c9ad3e57f48b216"


class Samples:
    """Examples by name; made when first asked for."""

    def __init__(self, assessor: Assessor) -> None:
        self._assessor = assessor
        self._made: dict[str, Any] = {}

    def __call__(self, name: str) -> Any:
        """The example of a name. Raises KeyError for an unknown one."""
        if name not in self._made:
            self._made[name] = _SAMPLES[name](self._assessor)
        return self._made[name]


def _sirpa() -> Case:
    return read_case(DEFAULT_PACK / "examples" / "sirpa.yaml")


def _document() -> dict[str, Any]:
    return case_to_data(_sirpa())


def _assessment_request(assessor: Assessor) -> Any:
    proposal = {"trigger": "start_work_trial", "arrangement": "alongside_activity"}
    return {**_document(), "as_of": _DAY.isoformat(), "lang": "en", "proposal": proposal}


def _assessment(assessor: Assessor) -> Any:
    return assessor.assess(_sirpa(), _DAY, lang="en").as_json()


def _case_page(assessor: Assessor) -> Any:
    seen = withhold_case(_document(), sees("social_worker", "assigned"))
    kept = {
        "id": "sirpa",
        "version": 1,
        "organisation": "county-1",
        "team": "team-1",
        "opened_at": timestamp(_NOON),
        "closed_on": None,
        "restricted": False,
        "relation": "assigned",
    }
    return {**seen, "kept": kept}


_NEW = {"date": "2022-09-20", "type": "implementation_plan_updated", "includes_coaching": "yes"}


def _recording(assessor: Assessor) -> Any:
    return {"entries": [_NEW]}


def _opened(assessor: Assessor) -> Any:
    case = _sirpa()
    return _answer(assessor, judge_opening(assessor, case, _DAY), case, 1, len(case.entries))


def _recorded(assessor: Assessor) -> Any:
    before = _sirpa()
    after = before.with_entries((*before.entries, *new_entries(before, [_NEW])))
    return _answer(assessor, judge_recording(assessor, before, after, _NOON.date()), after, 2, 1)


def _answer(assessor: Assessor, judged: Judged, case: Case, version: int, new: int) -> Any:
    ids = tuple(entry.id for entry in case.entries[-new:])
    by = RecordedBy("aino", "county-1", "social_worker", "assigned")
    circumstances = Circumstances(_DECISION, case.id, version, ids, _NOON, by, "polku", assessor.pack)
    return answer(decision_record(judged, circumstances, None), "en")


_SAMPLES: dict[str, Callable[[Assessor], Any]] = {
    "assessment_request": _assessment_request,
    "assessment": _assessment,
    "case": lambda assessor: _document(),
    "case_page": _case_page,
    "opened": _opened,
    "recording": _recording,
    "recorded": _recorded,
    "check": lambda assessor: {"as_of": _DAY.isoformat()},
    "identity": lambda assessor: {"name": "Sirpa Esimerkki", "phone": "040 000 0000"},
    "restriction": lambda assessor: {"restricted": True, "reason": "the client contests the plan"},
    "emergency": lambda assessor: {"reason": "on duty, the client is here and their own worker is away"},
}
