"""The decision record: what it holds, what it must never hold, and that everything can be read back from it."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given

from rules.facts import FACTS, UNKNOWN
from rules.journal import Case, load_case
from rules.kept import finding_data, subjects_data
from service.audit.canonical import canonical
from service.recording.judging import judge_recording
from service.recording.record import answer, judgements, todays
from tests.helpers import SEEDS, SIRPA, assessor, day, entry, journal, random_pair, reference_assessor, with_ids
from tests.service.recording.making import LyingEngine, added, recorded, with_engine

TODAY = day("2022-09-12")
TRIAL = entry("2022-09-12", "work_trial_started", arrangement="alongside_activity", planned_end="2022-11-30")
#: What a record names of a case, and where.
PARTS = {
    "v",
    "id",
    "case",
    "version",
    "entries",
    "recorded_at",
    "recorded_by",
    "program",
    "fold",
    "engines",
    "pack",
    "judgements",
    "breaks",
    "advice",
    "acknowledged",
    "status",
    "alarm",
}


def sirpa(*more: dict[str, Any]) -> Case:
    """SPEC's example with written ids, and more entries."""
    return added(with_ids(load_case(SIRPA)), *more)


def halves(seed: int) -> tuple[Case, Case, date]:
    """A random journal before and after something was recorded, and a day."""
    case, on, rng = random_pair(seed)
    case = with_ids(case)
    cut = rng.randrange(len(case.entries) + 1)
    known = {item.id for item in case.entries[:cut]}
    new = [e for e in case.entries[cut:] if e.type != "correction" or getattr(e, "voids", "") in known]
    before = case.with_entries(case.entries[:cut])
    return before, before.with_entries((*before.entries, *new[:4])), on


def test_a_record_says_what_it_says_it_says() -> None:
    record = recorded(sirpa(), sirpa(TRIAL), TODAY)
    assert record.keys() == PARTS
    assert (record["v"], record["case"], record["version"], record["entries"]) == (1, "sirpa", 2, ["e6"])
    assert record["recorded_at"] == "2026-11-20T10:00:00.000000Z"
    assert record["engines"] == "durable-rules, checked by reference"
    assert (record["status"], record["alarm"], record["breaks"]) == ("determined", None, [])
    assert record["acknowledged"]["rules"] == [
        "as-update-on-trial",
        "ov-checks-endorsements-at-trial",
        "trial-parallel-two-statements",
    ]
    step, today = record["judgements"]
    assert (step["purpose"], step["trigger"], step["entries"], today["entries"]) == (
        "step",
        "start_work_trial",
        ["e6"],
        ["e6"],
    )
    assert step["blocked_by"] == record["acknowledged"]["rules"]
    assert [subject["kind"] for subject in step["subjects"]] == ["case", "trial"]
    assert today["state"]["stage"] == "work_trial"


def test_the_facts_of_the_case_are_kept_once() -> None:
    for subject in todays(recorded(sirpa(), sirpa(TRIAL), TODAY))["subjects"]:
        kinds = {name.split(".")[0] for name in subject["facts"]}
        assert kinds == {subject["kind"]}


def test_a_finding_is_kept_without_words_and_says_whether_it_was_a_step() -> None:
    record = recorded(sirpa(), sirpa(TRIAL), TODAY)
    because = {rule for step in record["advice"] for rule in step["because"]}
    findings = todays(record)["findings"]
    assert {finding["rule"] for finding in findings if finding["step"]} == because
    (late,) = [finding for finding in findings if finding["rule"] == "as-update-on-trial"]
    assert late == {
        "rule": "as-update-on-trial",
        "subject": {"kind": "trial", "entry": "e6", "current": True},
        "outcome": "violated",
        "due": None,
        "missing": [],
        "judged_on": "2022-09-12",
        "set_aside": None,
        "action": "update_plan",
        "role": late["role"],
        "step": True,
    }


def test_the_advice_kept_is_the_advice_of_an_assessment() -> None:
    record = recorded(sirpa(), sirpa(TRIAL), TODAY)
    shown = assessor().assess(sirpa(TRIAL), TODAY, lang="sv")
    assert answer(record, "sv")["next_steps"] == [step.as_json("sv") for step in shown.next_steps]
    assert [step.keys() for step in record["advice"]] == [{"action", "role", "due", "status", "because"}] * len(
        record["advice"]
    )


# --- reading back ---


@given(SEEDS)
def test_what_was_judged_is_read_back_as_it_was(seed: int) -> None:
    before, after, on = halves(seed)
    polku = reference_assessor()
    found = judge_recording(polku, before, after, on)
    record = recorded(before, after, on, by=polku)
    again = judgements(record)
    assert len(again) == len(found.judgements)
    for kept, was in zip(again, found.judgements, strict=True):
        assert (kept.purpose, kept.as_of, kept.entries, kept.trigger) == (
            was.purpose,
            was.as_of,
            was.entries,
            was.trigger,
        )
        assert subjects_data(kept.subjects) == subjects_data(was.subjects)
        findings = polku.findings_for(kept.subjects, kept.as_of, kept.set_aside, kept.trigger)
        assert list(map(finding_data, findings)) == list(map(finding_data, was.findings or ()))


@given(SEEDS)
def test_a_record_is_canonical_json_and_stays_so(seed: int) -> None:
    record = recorded(*halves(seed), by=reference_assessor())
    text = canonical(record)
    assert canonical(json.loads(text)) == text
    assert json.loads(text) == record


def test_the_answer_to_a_recording_is_read_from_the_record_alone() -> None:
    record = recorded(sirpa(), sirpa(TRIAL), TODAY)
    found = answer(json.loads(canonical(record)), "fi")
    assert (found["case"], found["version"], found["entries"], found["decision"]) == ("sirpa", 2, ["e6"], "d2")
    assert (found["as_of"], found["state"]["work_trial"]) == ("2022-09-12", "running")
    assert all(step["text"] for step in found["next_steps"])


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"v": 2, "judgements": []},
        {"v": 1},
        {"v": 1, "judgements": [{}]},
        {"v": 1, "judgements": None},
        {"v": 1, "judgements": [{"purpose": "today", "as_of": "2022-13-01"}]},
    ],
)
def test_what_is_no_record_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"record|isoformat|month"):
        judgements(broken)


def test_undetermined_there_are_facts_and_no_findings() -> None:
    record = recorded(sirpa(), sirpa(TRIAL), TODAY, by=with_engine(LyingEngine))
    assert (record["status"], record["advice"], todays(record)["findings"]) == ("undetermined", [], None)
    assert todays(record)["subjects"][0]["facts"]["case.stage"] == "work_trial"
    assert answer(record, "fi")["next_steps"] == []


# --- what must never be in it ---

PLANTED = ("Meikäläinen", "Matti", "Nokia Oyj", "masennus", "Kotikatu")


def planted() -> list[dict[str, Any]]:
    """Entries with a name, a note, employers and other free text wherever a field takes it."""
    return [
        entry("2022-09-01", "need_assessed", outcome="masennus", note="Matti Meikäläinen, Kotikatu 5"),
        entry("2022-09-02", "job_started", kind="open_market", employer="Nokia Oyj", occupation="Meikäläinen"),
        entry("2022-09-03", "job_ended", reason="masennus", employer="Nokia Oyj"),
        entry("2022-09-04", "contact", party="employer", by="job_coach", form="phone", employer="Nokia Oyj"),
        entry("2022-09-04", "advice_set_aside", rule="tell-all-ktt-clients", reason="masennus", id="aside"),
        entry("2022-09-04", "social_worker_retention_decided", retained="no", reason="Kotikatu"),
        entry("2022-09-05", "service_decision", service="activity", decision="ended", reason="masennus"),
        entry("2022-09-06", "activation_plan_updated", participants=["client"], goals="Nokia Oyj"),
        entry("2022-09-07", "work_trial_agreed", start="2022-09-12", employer="Nokia Oyj"),
        entry("2022-09-08", "worker_assigned", role="job_coach", worker="Meikäläinen", organisation="Nokia Oyj"),
        entry("2022-09-08", "consent_given", scope="provider", parties=["Nokia Oyj"], voluntary="yes", informed="yes"),
        {**TRIAL, "employer": "Nokia Oyj", "note": "Matti"},
    ]


def test_a_record_holds_no_name_no_note_no_employer_and_no_other_free_text() -> None:
    record = recorded(sirpa(), sirpa(*planted()), TODAY)
    text = json.dumps(record, ensure_ascii=False)
    assert [word for word in PLANTED if word in text] == []
    assert todays(record)["set_aside"] == {"tell-all-ktt-clients": "aside"}


def test_the_reason_of_an_acknowledgement_is_the_one_exception() -> None:
    record = recorded(sirpa(), sirpa(*planted()), TODAY, reason="Nokia Oyj odottaa")
    assert record["acknowledged"]["reason"] == "Nokia Oyj odottaa"
    del record["acknowledged"]
    assert "Nokia" not in json.dumps(record, ensure_ascii=False)


def test_an_alarm_holds_no_free_text_either() -> None:
    record = recorded(sirpa(), sirpa(*planted()), TODAY, by=with_engine(LyingEngine))
    text = json.dumps(record, ensure_ascii=False)
    assert record["alarm"] is not None
    assert [word for word in PLANTED if word in text] == []


@given(SEEDS)
def test_the_texts_of_a_record_are_codes_ids_days_and_versions(seed: int) -> None:
    """Whatever the journal: every text in the facts and findings is a word of a closed list, an entry's id or a day."""
    before, after, on = halves(seed)
    record = recorded(before, after, on, by=reference_assessor())
    ids = {item.id for item in after.entries}
    words = set()
    for item in record["judgements"]:
        words |= set(_texts([subject["facts"] for subject in item["subjects"]]))
    days = {word for word in words if _is_day(word)}
    assert words - days - ids <= _codes()


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _is_day(word: str) -> bool:
    try:
        return date.fromisoformat(word).isoformat() == word
    except ValueError:
        return False


def _codes() -> set[str]:
    return {UNKNOWN, *(value for fact in FACTS.values() for value in fact.values)}


def test_an_empty_case_has_a_record_too() -> None:
    record = recorded(journal(), journal(), TODAY)
    assert (record["entries"], record["advice"][0]["action"]) == ([], "keep_contact")
