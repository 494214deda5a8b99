"""What rests on hidden fields is withheld as such: case documents, assessments, explanations, decisions, advice."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from rules.explain import explain
from rules.journal import Case, case_from_data, case_to_data
from service.access.policy import Sight, sees
from service.access.reach import withheld_charts, withheld_rules, withheld_triggers
from service.access.withholding import (
    withhold_advice,
    withhold_assessment,
    withhold_breaks,
    withhold_case,
    withhold_decision,
    withhold_explanations,
    withhold_findings,
)
from service.recording.judging import judge_opening, judge_recording
from service.recording.record import Acknowledgement, Circumstances, RecordedBy, answer, decision_record
from tests.helpers import SEEDS, day, entry, journal, pack, propose, random_pair, reference_assessor, with_entries
from tests.perturb import plain
from tests.service.access.sights import OF_THE_TABLES, hiding

SEES_ALL = sees("social_worker", "assigned")
COACH = sees("job_coach", "provider")
COLLEAGUE = sees("social_worker", "team")
TODAY = "2024-05-02"


def case() -> Case:
    """A client whose coaching was interrupted over symptoms and whose activity is paused."""
    return journal(
        entry("2024-01-08", "worker_assigned", id="sw", role="social_worker", worker="w-1"),
        entry("2024-01-10", "activity_started", id="ktt", days_per_week=3, period_end="2024-12-31", note="väsynyt"),
        entry("2024-01-15", "checklist_answered", id="chk", answers={"chk-01": "yes", "chk-05": "no"}),
        entry("2024-02-01", "consent_given", id="yes", scope="provider", parties=["lehto"], voluntary="yes"),
        entry(
            "2024-02-05", "activation_plan_updated", id="plan", participants=["client", "social_worker"],
            coaching={"start": "2024-02-12", "end": "2024-08-12"}, goals="keittiöön",
        ),
        entry("2024-02-12", "coaching_started", id="ttv", provider="lehto", provider_kind="private"),
        entry("2024-04-02", "coaching_interrupted", id="stop", reason="symptoms", review_on="2024-06-01", note="kipu"),
        entry("2024-04-10", "activity_paused", id="pause", reason="work_trial"),
        entry(
            "2024-04-20", "advice_set_aside", id="aside", rule="next-review-interruption", reason="lepoa",
            until="2024-09-01",
        ),
        municipality="Lahti", birth_year=1990, language="fi",
    )  # fmt: skip


def assessed(of: Case, sight: Sight, on: str = TODAY, **options: Any) -> dict[str, Any]:
    return withhold_assessment(reference_assessor().assess(of, day(on), lang="en", **options), sight)


def raw(of: Case, on: str = TODAY, **options: Any) -> dict[str, Any]:
    return reference_assessor().assess(of, day(on), lang="en", **options).as_json()


# --- a case document ---


def test_whoever_sees_all_is_shown_the_document_as_it_is() -> None:
    document = case_to_data(case())
    shown = withhold_case(document, SEES_ALL)
    assert (shown["case"], shown["entries"]) == (document["case"], document["entries"])
    assert shown["withheld"] == {"header": [], "entries": {}, "types": []}


def test_hidden_fields_are_left_out_and_named_whether_they_held_anything_or_not() -> None:
    shown = withhold_case(case_to_data(case()), COACH)
    by_id = {item["id"]: item for item in shown["entries"]}
    assert "note" not in by_id["ktt"]
    assert by_id["stop"] == {
        "date": "2024-04-02", "type": "coaching_interrupted", "id": "stop", "review_on": "2024-06-01",
    }  # fmt: skip
    assert "goals" not in by_id["plan"]
    assert by_id["chk"] == {"date": "2024-01-15", "type": "checklist_answered", "id": "chk"}
    assert shown["case"] == {"id": "case", "language": "fi"}
    assert shown["withheld"]["header"] == ["municipality", "birth_year"]
    assert shown["withheld"]["entries"]["stop"] == ["note", "reason", "referred_to"]
    assert shown["withheld"]["entries"]["sw"] == ["note"]


def test_what_one_recorded_oneself_one_sees_again_whole() -> None:
    shown = withhold_case(case_to_data(case()), COACH, own={"stop"})
    by_id = {item["id"]: item for item in shown["entries"]}
    assert (by_id["stop"]["reason"], by_id["stop"]["note"]) == ("symptoms", "kipu")
    assert "stop" not in shown["withheld"]["entries"]
    assert "note" not in by_id["ktt"]


def test_an_entry_type_that_is_hidden_leaves_no_entry_and_is_named_in_any_case() -> None:
    supervisor = sees("activity_supervisor", "assigned")
    shown = withhold_case(case_to_data(case()), supervisor)
    assert [item["id"] for item in shown["entries"]] == ["sw", "ktt", "chk", "pause", "aside"]
    assert {"coaching_started", "job_started", "consent_given"} <= set(shown["withheld"]["types"])
    assert (
        shown["withheld"]["types"]
        == withhold_case({"case": {"id": "c"}, "entries": []}, supervisor)["withheld"]["types"]
    )


def test_an_entry_of_a_type_this_program_does_not_know_is_not_shown() -> None:
    document = {"case": {"id": "c"}, "entries": [{"id": "e1", "date": "2024-01-01", "type": "dreamt", "of": "rain"}]}
    assert withhold_case(document, SEES_ALL)["entries"] == []


def test_nobody_sees_a_document_without_a_relation() -> None:
    shown = withhold_case(case_to_data(case()), sees("social_worker", "none"))
    assert (shown["case"], shown["entries"]) == ({}, [])


# --- an assessment ---


def test_whoever_sees_all_is_told_what_the_command_line_tells() -> None:
    assert assessed(case(), SEES_ALL) == raw(case())


def test_a_withheld_rule_stands_there_by_its_name_alone_and_whether_it_found_something_or_not() -> None:
    empty = journal(entry("2024-01-08", "interest_asked", wants_to_work="no"))
    lists = []
    for of in (case(), empty):
        found = assessed(of, COACH)["findings"]
        lists.append([item for item in found if item.get("withheld")])
    assert lists[0] == lists[1]
    assert {
        "rule": "open-access-no-screening",
        "title": "Coaching is not refused or ended over readiness or health",
        "withheld": True,
    } in lists[0]


def test_a_finding_that_rests_on_a_hidden_reason_is_not_thinned_but_withheld() -> None:
    (finding,) = (item for item in raw(case())["findings"] if item["rule"] == "open-access-no-screening")
    assert finding["outcome"] == "violated"
    shown = assessed(case(), COLLEAGUE)
    (finding,) = (item for item in shown["findings"] if item["rule"] == "open-access-no-screening")
    assert finding.keys() == {"rule", "title", "withheld"}
    assert "open-access-no-screening" in shown["withheld"]["rules"]
    assert not [step for step in shown["next_steps"] if "open-access-no-screening" in step["because"]]
    assert "symptoms" not in str(shown)


def test_only_rules_in_force_stand_among_the_withheld() -> None:
    hides = hiding(("consent_given", "scope"))
    before, after = assessed(case(), hides, "2024-12-31"), assessed(case(), hides, "2025-01-01")
    assert "basic-consent-before-ktt" in before["withheld"]["rules"]
    assert "basic-consent-before-ktt" not in after["withheld"]["rules"]


def test_a_step_of_a_shown_and_a_withheld_rule_is_told_by_the_shown_one_alone() -> None:
    """Two rules ask to update the plan; that the withheld one does changes neither date nor grounds of the step."""
    of = journal(
        entry("2024-01-10", "activity_started", id="ktt"),
        entry("2024-01-12", "activation_plan_updated", participants=["client"], valid_until="2024-02-01"),
    )
    (whole,) = (step for step in raw(of)["next_steps"] if step["action"] == "update_plan")
    assert set(whole["because"]) == {"ktt-rests-on-activation-plan", "omatyontekija-always-in-plan-meeting"}
    assert whole["status"] == "overdue"
    hides = hiding(("activation_plan_updated", "valid_until"))
    (shown,) = (step for step in assessed(of, hides)["next_steps"] if step["action"] == "update_plan")
    assert shown["because"] == ["omatyontekija-always-in-plan-meeting"]
    assert (shown["due"], shown["status"]) == (None, "do_now")


def test_an_empty_list_of_steps_says_nothing_when_something_is_withheld() -> None:
    quiet = journal(entry("2024-05-01", "case_closed", reason="moved"))
    open_and_quiet = journal(entry("2024-05-01", "contact", party="client", by="job_coach", form="phone"))
    for of in (quiet, open_and_quiet):
        shown = assessed(of, COACH)
        assert shown["next_steps"] == []
        assert shown["withheld"]["next_steps"] is True
    assert [step["action"] for step in raw(open_and_quiet)["next_steps"]] == ["keep_contact"]


def test_the_due_date_alone_is_enough_to_withhold() -> None:
    assert "next-review-interruption" in withheld_rules(pack(), hiding(("coaching_interrupted", "review_on")))


def test_a_rule_that_reads_what_a_withheld_rule_came_to_is_withheld_too() -> None:
    hidden = withheld_rules(pack(), hiding(("consent_given", "scope")))
    assert {"next-obtain-consent", "next-start-coaching", "next-keep-contact"} <= hidden
    assert "next-agree-job" not in hidden


def test_that_nothing_else_is_open_is_withheld_with_whatever_could_be_open() -> None:
    assert "next-keep-contact" in withheld_rules(pack(), hiding(("follow_up_done", "situation")))
    assert "next-keep-contact" not in withheld_rules(pack(), hiding(("checklist_answered", "answers")))


def test_no_rule_rests_on_notes_or_on_the_checklist() -> None:
    hides = hiding(("checklist_answered", "answers"), ("contact", "note"), ("activation_plan_updated", "goals"))
    assert withheld_rules(pack(), hides) == frozenset()
    shown = assessed(case(), hides)
    assert shown["readiness"] is None
    assert {key: value for key, value in shown.items() if key not in ("readiness", "withheld")} == {
        key: value for key, value in raw(case()).items() if key != "readiness"
    }


def test_the_agenda_tells_nothing_of_withheld_rules() -> None:
    hidden = withheld_rules(pack(), COLLEAGUE)
    assert [item for item in raw(case())["agenda"] if item["rule"] in hidden]
    shown = assessed(case(), COLLEAGUE)["agenda"]
    assert shown == [item for item in raw(case())["agenda"] if item["rule"] not in hidden]
    assert shown


def test_the_reason_of_a_choice_is_hidden_and_the_choice_is_not() -> None:
    def aside(shown: dict[str, Any]) -> Any:
        return next(f["set_aside"] for f in shown["findings"] if f["rule"] == "next-review-interruption")

    assert aside(assessed(case(), SEES_ALL)) == {"entry": "aside", "reason": "lepoa", "until": "2024-09-01"}
    shown = assessed(case(), COLLEAGUE)
    assert aside(shown) == {"entry": "aside", "reason": None, "until": "2024-09-01"}
    assert shown["withheld"]["set_aside_reasons"] is True


def test_charts_that_rest_on_a_hidden_field_are_withheld_and_the_others_are_not() -> None:
    hides = hiding(("coaching_phase_reached", "phase"))
    assert withheld_charts(hides) == ("coaching",)
    shown = assessed(case(), hides)
    assert shown["state"]["coaching"] is None
    assert shown["state"]["activity"] == "paused"
    assert "next-make-profile" in shown["withheld"]["rules"]
    assert withheld_charts(hiding(("case_closed", "date"))) == ("stage",)
    assert set(withheld_charts(hiding(("coaching_ended", "date")))) == {"stage", "referral", "coaching"}


def test_steps_that_start_from_a_hidden_state_are_withheld() -> None:
    hides = hiding(("activity_paused", "date"))
    shown = {item["trigger"]: item for item in assessed(case(), hides)["triggers"]}
    withheld = {"trigger": "resume_activity", "status": "withheld", "needs": [], "blocked_by": []}
    assert shown["resume_activity"] == withheld
    assert shown["start_job"]["status"] == "open"
    assert shown["decline_coaching"]["status"] != "withheld"


def test_steps_guarded_by_a_withheld_rule_are_withheld() -> None:
    rules = pack().rules(day(TODAY))
    assert "start_work_trial" in withheld_triggers(pack(), hiding(("statement_issued", "paying")), rules)
    assert withheld_triggers(pack(), SEES_ALL, rules) == ()


def test_of_a_proposed_step_its_own_details_are_known_to_whoever_proposes_it() -> None:
    step = propose("end_coaching", reason="symptoms")
    shown = {item["trigger"]: item for item in assessed(case(), COACH, proposal=step)["triggers"]}
    assert shown["end_coaching"] == {
        "trigger": "end_coaching", "status": "blocked", "needs": [], "blocked_by": ["open-access-no-screening"],
    }  # fmt: skip


def test_an_assessment_says_no_more_than_it_is_known_to() -> None:
    """What is added to an assessment one day must be looked at here before it is shown."""
    keys = {"case", "as_of", "pack", "state", "next_steps", "triggers", "findings", "readiness", "agenda"}
    assert raw(case()).keys() == keys
    assert assessed(case(), COLLEAGUE).keys() == keys | {"withheld"}


# --- findings and explanations by themselves ---


def objections(of: Case, sight: Sight, **step: Any) -> list[dict[str, Any]]:
    after = with_entries(of, entry(TODAY, step.pop("type"), id="step", **step))
    found = judge_recording(reference_assessor(), of, after, day(TODAY)).objections
    return withhold_findings(found, sight, pack(), "en", own_step=True)


def test_whoever_takes_a_step_is_told_what_guards_it_even_of_a_reason_they_could_not_see() -> None:
    (told,) = objections(case(), COACH, type="coaching_ended", reason="symptoms")
    assert (told["rule"], told["outcome"]) == ("open-access-no-screening", "violated")
    assert told["facts"]["stop.reason"] == "symptoms"


def test_of_older_entries_that_guard_a_step_nothing_hidden_is_told() -> None:
    hides = hiding(("activation_plan_updated", "coaching"))
    of = journal(entry("2024-01-10", "activity_started"))
    told = objections(of, hides, type="coaching_started", provider="lehto", provider_kind="public")
    assert told == [
        {
            "rule": "as-update-before-coaching",
            "title": "The activation plan is updated before coaching begins",
            "withheld": True,
        }
    ]


def test_a_withheld_rule_is_named_once_among_findings() -> None:
    found = reference_assessor().findings(case(), day(TODAY), history=True)[1]
    told = withhold_findings([*found, *found], COACH, pack(), "en")
    names = [item["rule"] for item in told if item.get("withheld")]
    assert len(names) == len(set(names))


def test_an_explanation_is_whole_or_withheld_whatever_there_is_to_explain() -> None:
    rule = "open-access-no-screening"
    whole = explain(reference_assessor(), case(), day(TODAY), rule)
    assert withhold_explanations(whole, rule, SEES_ALL, pack(), "en") == [item.as_json("en") for item in whole]
    withheld = withhold_explanations(whole, rule, COACH, pack(), "en")
    assert withheld == withhold_explanations([], rule, COACH, pack(), "en")
    assert [item["withheld"] for item in withheld] == [True]


# --- decisions ---


def recorded(of: Case, acknowledged: Acknowledgement | None = None, **step: Any) -> dict[str, Any]:
    by = RecordedBy("w-1", "county", "job_coach", "provider")
    after = with_entries(of, entry(TODAY, step.pop("type"), id="step", **step)) if step else of
    judged = judge_recording(reference_assessor(), of, after, day(TODAY)) if after is not of else judge_opening(
        reference_assessor(), of, day(TODAY)
    )  # fmt: skip
    circumstances = Circumstances("d1", of.id, 2, ("step",), datetime(2024, 5, 2, tzinfo=UTC), by, "polku", pack())
    return decision_record(judged, circumstances, acknowledged)


def test_a_decision_is_whole_to_whoever_sees_all() -> None:
    record = recorded(case(), type="coaching_info_given")
    for sight in (SEES_ALL, sees("auditor", "none")):
        assert withhold_decision(record, sight, pack()) == record


def test_a_decision_tells_nothing_that_rests_on_a_hidden_field() -> None:
    record = recorded(case(), type="coaching_info_given")
    shown = withhold_decision(record, sees("team_leader", "team"), pack())
    assert "symptoms" in str(record)
    assert "symptoms" not in str({key: value for key, value in shown.items() if key != "withheld"})
    hidden = withheld_rules(pack(), sees("team_leader", "team"))
    for judgement in shown["judgements"]:
        assert not hidden & {finding["rule"] for finding in judgement["findings"]}
        assert judgement["holds_until"] is None
    assert {"stop.reason", "case.interest", "pause.reason"} <= set(shown["withheld"]["facts"])
    assert shown["withheld"]["rules"] == sorted(hidden)


def test_an_acknowledgement_is_for_whoever_looks_after_them_and_whoever_made_it() -> None:
    said = Acknowledgement(("open-access-no-screening",), "sovittu työryhmässä")
    record = recorded(case(), said, type="coaching_ended", reason="symptoms")
    assert record["acknowledged"] == {"rules": ["open-access-no-screening"], "reason": "sovittu työryhmässä"}
    assert withhold_decision(record, sees("team_leader", "team"), pack())["acknowledged"] == record["acknowledged"]
    assert withhold_decision(record, COACH, pack())["acknowledged"] is None
    assert withhold_decision(record, COACH, pack(), own=True)["acknowledged"] == record["acknowledged"]


def test_where_entries_are_hidden_the_judgements_of_entries_are_too() -> None:
    record = recorded(case(), type="work_trial_started", arrangement="alongside_activity")
    assert [item["purpose"] for item in record["judgements"]] == ["step", "today"]
    shown = withhold_decision(record, hiding(("work_trial_started", "date")), pack())
    assert [item["purpose"] for item in shown["judgements"]] == ["today"]
    assert shown["breaks"] is None
    assert shown["withheld"]["judgements_of_entries"] is True


def test_an_alarm_says_what_engines_made_of_facts_and_is_withheld_with_them() -> None:
    record = {**recorded(case(), type="coaching_info_given"), "status": "undetermined", "alarm": "stop.reason symptoms"}
    assert withhold_decision(record, SEES_ALL, pack())["alarm"] == "stop.reason symptoms"
    assert withhold_decision(record, COACH, pack())["alarm"] is None


def test_what_the_one_who_recorded_is_answered_is_withheld_alike() -> None:
    record = recorded(case(), type="coaching_info_given")
    told = answer(withhold_decision(record, COACH, pack(), own=True), "en")
    shown = assessed(with_entries(case(), entry(TODAY, "coaching_info_given", id="step")), COACH)
    assert told["next_steps"] == shown["next_steps"]
    assert told["state"] == shown["state"]


@settings(max_examples=60)
@given(seed=SEEDS)
def test_steps_are_the_same_by_a_decision_and_by_an_assessment(seed: int) -> None:
    of, on, rng = random_pair(seed)
    of, sight = case_from_data(plain(of)), rng.choice(OF_THE_TABLES)
    by = RecordedBy("w-1", "county", "social_worker", "assigned")
    circumstances = Circumstances("d1", of.id, 1, (), datetime(2024, 5, 2, tzinfo=UTC), by, "polku", pack())
    record = decision_record(judge_opening(reference_assessor(), of, on), circumstances, None)
    advice = withhold_decision(record, sight, pack())["advice"]
    steps = withhold_assessment(reference_assessor().assess(of, on, with_agenda=False), sight)["next_steps"]
    assert advice == [{key: value for key, value in step.items() if key != "text"} for step in steps]


def test_the_trail_of_advice_leaves_out_that_of_withheld_rules() -> None:
    trail = [
        {"rule": "open-access-no-screening", "became": "open"},
        {"rule": "next-make-profile", "became": "followed"},
    ]
    assert withhold_advice(trail, SEES_ALL, pack()) == trail
    assert withhold_advice(trail, COLLEAGUE, pack()) == trail[1:]


def test_advice_of_a_rule_of_an_earlier_pack_is_for_those_who_see_all() -> None:
    trail = [{"rule": "a-rule-no-more", "became": "open"}]
    assert withhold_advice(trail, SEES_ALL, pack()) == trail
    assert withhold_advice(trail, COLLEAGUE, pack()) == []


def test_what_breaks_a_chart_is_told_to_those_who_see_the_charts() -> None:
    breaks = [{"entry": "e9", "reason": "no_row"}]
    assert withhold_breaks(breaks, COACH, pack()) == breaks
    assert withhold_breaks(breaks, sees("activity_supervisor", "assigned"), pack()) == []


@pytest.mark.parametrize("sight", OF_THE_TABLES, ids=lambda sight: f"{sight.role}-{sight.relation}")
def test_notes_and_answers_never_leave_but_to_those_who_see_them(sight: Sight) -> None:
    document = withhold_case(case_to_data(case()), sight)
    told = f"{document['entries']} {document['case']}"
    assert ("kipu" in told) is (("coaching_interrupted", "note") not in sight.hidden)
    assert ("chk-05" in told) is (("checklist_answered", "answers") not in sight.hidden)
    assert ("keittiöön" in told) is (("activation_plan_updated", "goals") not in sight.hidden)
    assert ("symptoms" in told) is (("coaching_interrupted", "reason") not in sight.hidden)
