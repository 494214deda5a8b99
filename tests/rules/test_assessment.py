"""The answer, on SPEC's own example and on small journals: state, triggers, proposals, what was known when."""

from datetime import datetime
from typing import Any

import pytest

from rules.assessment import Assessor, Proposal, blocking
from rules.fold import fold
from rules.journal import JournalError, load_case
from statemachines import TRIGGERS
from tests.helpers import (
    SIRPA,
    answer,
    assessor,
    day,
    entry,
    journal,
    outcomes,
    pack,
    propose,
    reference_assessor,
    trigger_of,
    with_entries,
)

SEPTEMBER = day("2022-09-05")


@pytest.fixture(scope="module")
def sirpa() -> dict[str, Any]:
    return answer(load_case(SIRPA), SEPTEMBER)


# --- SPEC §5's example ---


def test_sirpas_state_is_specs(sirpa: dict[str, Any]) -> None:
    assert (sirpa["case"], sirpa["as_of"]) == ("sirpa", "2022-09-05")
    assert sirpa["pack"] == {"id": "paijat-hame", "version": "1.0.0", "sha256": pack().sha256}
    assert sirpa["state"] == {
        "stage": "coaching",
        "referral": "done",
        "activity": "active",
        "coaching": "agreement",
        "work_trial": "none",
        "employment": "none",
    }


def test_sirpas_work_trial_is_blocked_as_in_spec(sirpa: dict[str, Any]) -> None:
    assert trigger_of(sirpa, "start_work_trial") == {
        "trigger": "start_work_trial",
        "status": "blocked",
        "needs": ["arrangement"],
        "blocked_by": ["as-update-on-trial", "ov-checks-endorsements-at-trial"],
    }


def test_sirpas_agenda_begins_as_in_spec(sirpa: dict[str, Any]) -> None:
    assert sirpa["agenda"][0] == {
        "last_day": "2022-10-05",
        "changes_on": "2022-10-06",
        "rule": "first-employer-meeting-30d",
        "subject": {"kind": "coaching", "entry": "e5"},
        "from": "advised",
        "to": "violated",
    }


def test_sirpas_implementation_plan_is_found_missing_as_in_spec(sirpa: dict[str, Any]) -> None:
    (step,) = [step for step in sirpa["next_steps"] if step["action"] == "update_implementation_plan"]
    assert (step["role"], step["due"], step["status"]) == ("activity_instructor", None, "do_now")
    assert "ts-records-coaching" in step["because"]
    (finding,) = [finding for finding in sirpa["findings"] if finding["rule"] == "ts-records-coaching"]
    shown = ("outcome", "severity", "due", "subject", "missing", "set_aside", "judged_on", "authority", "caution")
    assert {key: finding[key] for key in shown} == {
        "outcome": "violated",
        "severity": "obligation",
        "due": None,
        "subject": {"kind": "coaching", "entry": "e5", "current": True},
        "missing": [],
        "set_aside": None,
        "judged_on": "2022-09-05",
        "authority": "pilot-practice",
        "caution": None,
    }
    assert {"document": "003", "section": "5"} in finding["source"]
    assert finding["facts"]["coaching.implementation_plan"] == "no"
    assert finding["text"]


def test_the_answer_has_specs_parts_and_no_score(sirpa: dict[str, Any]) -> None:
    parts = {"case", "as_of", "pack", "state", "next_steps", "triggers", "findings", "readiness", "agenda"}
    assert parts <= sirpa.keys()
    for finding in sirpa["findings"]:
        assert "score" not in finding


def test_the_reference_engine_alone_gives_the_same_answer(sirpa: dict[str, Any]) -> None:
    assert reference_assessor().assess(load_case(SIRPA), SEPTEMBER).as_json() == sirpa


# --- triggers ---


def test_a_step_no_chart_allows_is_not_from_here() -> None:
    found = answer(journal(), day("2024-01-01"))
    status = {item["trigger"]: item["status"] for item in found["triggers"]}
    assert status["start_activity"] == "open"
    assert status["end_activity"] == status["resume_activity"] == status["end_coaching"] == "not_from_here"
    assert list(status) == list(TRIGGERS)


TRIAL_PLAN = entry(
    "2024-02-01",
    "activation_plan_updated",
    id="plan",
    participants=["client", "social_worker", "employment_coach"],
    work_trial={"start": "2024-02-10", "end": "2024-04-10"},
)
CHECKED = entry("2024-02-02", "endorsements_checked", id="check", purpose="work_trial", result="in_order")


def test_a_trial_prepared_for_is_open_once_its_details_are_given() -> None:
    case, on = journal(TRIAL_PLAN, CHECKED), day("2024-02-10")
    bare = trigger_of(answer(case, on), "start_work_trial")
    assert bare["status"] == "needs_details"
    assert set(bare["needs"]) == {"arrangement", "planned_end"}
    step = propose("start_work_trial", arrangement="activity_ended", planned_end="2024-04-10")
    assert trigger_of(answer(case, on, proposal=step), "start_work_trial")["status"] == "open"
    too_long = propose("start_work_trial", arrangement="activity_ended", planned_end="2024-04-11")
    blocked = trigger_of(answer(case, on, proposal=too_long), "start_work_trial")
    assert (blocked["status"], blocked["blocked_by"]) == ("blocked", ["as-update-on-trial"])


def test_an_older_trial_that_broke_the_rules_does_not_block_a_new_one() -> None:
    old = [
        entry("2023-03-01", "work_trial_started", id="old", planned_end="2023-04-01", arrangement="activity_ended"),
        entry("2023-04-01", "work_trial_ended", id="old-end", outcome="completed"),
    ]
    case, on = journal(*old, TRIAL_PLAN, CHECKED), day("2024-02-10")
    assert outcomes(case, "2024-02-10", history=True)["as-update-on-trial"] == "violated"
    step = propose("start_work_trial", arrangement="activity_ended", planned_end="2024-04-10")
    assert trigger_of(answer(case, on, proposal=step), "start_work_trial")["status"] == "open"


def test_an_older_end_of_coaching_for_the_wrong_reason_does_not_block_a_new_one() -> None:
    case = journal(
        entry("2023-01-01", "coaching_started", provider="provider-1"),
        entry("2023-02-01", "coaching_ended", reason="symptoms"),
        entry("2023-03-01", "coaching_started", provider="provider-1"),
    )
    on = day("2023-04-01")
    assert trigger_of(answer(case, on), "end_coaching")["needs"] == ["reason"]
    fine = answer(case, on, proposal=propose("end_coaching", reason="goal_reached"))
    assert trigger_of(fine, "end_coaching")["status"] == "open"
    screened = answer(case, on, proposal=propose("end_coaching", reason="symptoms"))
    assert trigger_of(screened, "end_coaching")["blocked_by"] == ["open-access-no-screening"]


def test_only_an_obligation_blocks() -> None:
    """That coaching ends for lack of time breaks a criterion of quality, no obligation."""
    case = journal(entry("2023-03-01", "coaching_started", provider="provider-1"))
    found = answer(case, day("2023-04-01"), proposal=propose("end_coaching", reason="time_limit"))
    assert trigger_of(found, "end_coaching")["status"] == "open"
    assert {f["rule"]: f["outcome"] for f in found["findings"]}["no-time-limit-or-no-show-end"] == "violated"


def test_ending_the_activity_needs_a_decision_on_the_social_worker() -> None:
    started = entry("2024-01-01", "activity_started", days_per_week=3)
    on = day("2024-06-01")
    step = propose("end_activity", reason="period_over")
    undecided = trigger_of(answer(journal(started), on, proposal=step), "end_activity")
    assert (undecided["status"], undecided["blocked_by"]) == ("blocked", ["ot-may-stay-after-ktt"])
    decided = journal(started, entry("2024-05-01", "social_worker_retention_decided", retained="yes"))
    assert trigger_of(answer(decided, on, proposal=step), "end_activity")["status"] == "open"
    not_kept = journal(started, not_recorded=["social_worker_retention_decided"])
    assert trigger_of(answer(not_kept, on, proposal=step), "end_activity")["status"] == "needs_details"


# --- proposals ---


def test_findings_show_a_proposal_as_if_taken_and_the_state_does_not() -> None:
    case, on = load_case(SIRPA), SEPTEMBER
    found = answer(case, on, proposal=propose("start_work_trial", arrangement="alongside_activity"))
    assert found["state"]["work_trial"] == "none"
    assert found["state"]["stage"] == "coaching"
    about = {f["rule"]: f for f in found["findings"] if f["subject"]["entry"] == "proposal"}
    assert about["as-update-on-trial"]["outcome"] == "violated"
    assert about["trial-parallel-two-statements"]["outcome"] == "violated"
    assert about["as-update-on-trial"]["subject"] == {"kind": "trial", "entry": "proposal", "current": True}


def test_a_proposal_no_one_knows_is_refused_with_what_is_known() -> None:
    with pytest.raises(ValueError, match="unknown trigger 'start_trial'; known: take_initiative"):
        answer(journal(), SEPTEMBER, proposal=propose("start_trial"))
    with pytest.raises(JournalError, match="arrangement") as caught:
        answer(journal(), SEPTEMBER, proposal=propose("start_work_trial", arrangment="alongside_activity"))
    assert "arrangement" in str(caught.value)
    with pytest.raises(JournalError, match="beside"):
        answer(journal(), SEPTEMBER, proposal=propose("start_work_trial", arrangement="beside"))


@pytest.mark.parametrize("trigger", [name for name in TRIGGERS if name != "reach_phase"])
def test_every_trigger_can_be_proposed_from_anywhere_without_details(trigger: str) -> None:
    for case in (journal(), load_case(SIRPA)):
        found = assessor().assess(case, SEPTEMBER, proposal=Proposal(trigger))
        assert found.state == assessor().assess(case, SEPTEMBER).state


def test_reaching_a_phase_says_nothing_without_the_phase() -> None:
    with pytest.raises(ValueError, match="which phase: phase=profile"):
        answer(load_case(SIRPA), SEPTEMBER, proposal=propose("reach_phase"))
    found = answer(load_case(SIRPA), SEPTEMBER, proposal=propose("reach_phase", phase="job_search"))
    assert found["state"]["coaching"] == "agreement"
    assert "next-agree-job" in {finding["rule"] for finding in found["findings"]}


def test_an_entry_of_the_journal_may_be_called_proposal() -> None:
    """An id is the sender's to choose; an old entry of that name is no step under proposal."""
    old = entry(
        "2023-03-01", "work_trial_started", id="proposal", arrangement="activity_ended", planned_end="2023-04-01"
    )
    named = journal(old, entry("2023-04-01", "work_trial_ended", outcome="completed"), TRIAL_PLAN, CHECKED)
    other = journal(
        {**old, "id": "x"}, entry("2023-04-01", "work_trial_ended", outcome="completed"), TRIAL_PLAN, CHECKED
    )
    on = day("2024-02-10")
    assert answer(named, on)["triggers"] == answer(other, on)["triggers"]


# --- an entry being recorded, as a step ---


def test_an_entry_of_the_case_is_judged_as_a_step_on_its_own_day() -> None:
    start = entry(
        "2024-02-10", "work_trial_started", id="trial", arrangement="activity_ended", planned_end="2024-05-01"
    )
    later = entry("2024-02-11", "work_trial_ended", id="end", outcome="completed")
    found = assessor().step(journal(TRIAL_PLAN, start, later), "trial")
    assert found is not None
    trigger, read = found
    folded = fold(read, day("2024-02-10"))
    assert (trigger, [subject.kind for subject in folded.of_step]) == ("start_work_trial", ["case", "trial"])
    assert folded.of_step[1].facts["trial.running"] == "yes"
    judged = assessor().findings_for(folded.of_step, day("2024-02-10"), {}, trigger)
    assert blocking(judged) == ("as-update-on-trial", "ov-checks-endorsements-at-trial")


def test_an_entry_that_no_rule_guards_or_that_is_voided_is_no_step() -> None:
    case = journal(
        TRIAL_PLAN,
        entry("2024-02-03", "activity_started", id="start"),
        entry("2024-02-10", "work_trial_started", id="trial", arrangement="activity_ended"),
        entry("2024-02-10", "correction", id="sorry", voids="trial"),
    )
    assert [assessor().step(case, name) for name in ("plan", "start", "trial", "sorry")] == [None] * 4
    with pytest.raises(ValueError, match="no entry 'none'"):
        assessor().step(case, "none")


def test_a_rule_not_yet_in_force_guards_nothing() -> None:
    case = journal(entry("2019-06-01", "work_trial_started", id="trial", arrangement="activity_ended"))
    assert assessor().step(case, "trial") is None


# --- time and language ---


def test_a_language_no_one_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown language 'de'; known: fi, sv, en"):
        answer(journal(), SEPTEMBER, lang="de")


def test_texts_come_in_the_language_asked_for() -> None:
    words = {
        lang: answer(load_case(SIRPA), SEPTEMBER, lang=lang)["next_steps"][0]["text"] for lang in ("fi", "sv", "en")
    }
    assert len(set(words.values())) == 3


def test_what_was_recorded_later_is_left_out() -> None:
    case = with_entries(
        load_case(SIRPA),
        entry(
            "2022-09-05",
            "implementation_plan_updated",
            includes_coaching="yes",
            recorded_at="2022-09-20T10:00:00+03:00",
        ),
    )
    before = datetime.fromisoformat("2022-09-20T09:59:00+03:00")
    at = datetime.fromisoformat("2022-09-20T07:00:00+00:00")
    rule = "ts-records-coaching"
    assert outcomes(case, "2022-09-05")[rule] == "satisfied"
    assert outcomes(case, "2022-09-05", known_at=before)[rule] == "violated"
    assert outcomes(case, "2022-09-05", known_at=at)[rule] == "satisfied"


def test_a_correction_restores_what_was_before() -> None:
    case = load_case(SIRPA)
    wrong = with_entries(case, entry("2022-09-05", "coaching_interrupted", id="wrong", reason="other"))
    assert answer(wrong, SEPTEMBER)["state"]["coaching"] == "interrupted"
    corrected = with_entries(wrong, entry("2022-09-05", "correction", id="sorry", voids="wrong"))
    assert answer(corrected, SEPTEMBER) == answer(case, SEPTEMBER)
    again = with_entries(corrected, entry("2022-09-05", "correction", id="no", voids="sorry"))
    assert answer(again, SEPTEMBER) == answer(wrong, SEPTEMBER)


def test_entries_no_chart_allows_are_named() -> None:
    case = journal(entry("2024-01-01", "activity_paused", reason="illness"), entry("2024-01-02", "coaching_resumed"))
    found = assessor().assess(case, day("2024-01-03"))
    assert [name for name, _ in found.inconsistent] == ["e1", "e2"]
    assert outcomes(case, "2024-01-03")["path-inconsistent"] == "violated"


def test_an_assessment_far_from_any_rule_is_still_given() -> None:
    for on in ("1900-01-01", "2019-12-31", "2200-01-01"):
        found = answer(load_case(SIRPA), day(on))
        assert found["next_steps"]


def test_no_engine_is_built_twice_for_one_pack() -> None:
    rulesets = pack().editions
    Assessor(pack()).assess(load_case(SIRPA), SEPTEMBER)
    engines = [dict(ruleset.engines) for ruleset in rulesets]
    Assessor(pack()).assess(load_case(SIRPA), SEPTEMBER)
    assert [dict(ruleset.engines) for ruleset in rulesets] == engines


@pytest.mark.parametrize("on", ["0001-01-01", "1899-12-31", "2201-01-01", "9999-12-31"])
def test_an_evaluation_date_outside_the_calendar_of_journals_is_refused(on: str) -> None:
    with pytest.raises(ValueError, match="expected an evaluation date in the years 1900-2200"):
        answer(journal(), day(on))


def test_a_time_without_a_zone_is_read_as_finlands() -> None:
    case = journal(
        entry("2022-09-01", "interest_asked", wants_to_work="yes", recorded_at="2022-09-01T12:00:00+03:00"),
        entry("2022-09-02", "interest_asked", wants_to_work="no", recorded_at="2022-09-02T12:00:00+03:00"),
    )
    for moment, interest in (("2022-09-02T11:59:59", "yes"), ("2022-09-02T12:00:00", "no")):
        folded, _ = assessor().findings(case, SEPTEMBER, known_at=datetime.fromisoformat(moment))
        assert folded.subjects[0].facts["case.interest"] == interest


def test_the_agenda_tells_a_rule_that_ceases_to_be_in_force_from_one_that_ceases_to_apply() -> None:
    case = journal(entry("2024-12-01", "activity_started"))
    changes = assessor().assess(case, day("2024-12-10")).agenda
    assert [(c.changes_on, c.to) for c in changes if c.rule == "basic-consent-before-ktt"] == [
        (day("2025-01-01"), "not_in_force")
    ]
