"""The oracle's own checks: for each rule a few small cases whose answers were worked out by hand."""

from __future__ import annotations

import ast
import random
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from .generate import random_case, random_dates
from .oracle import OracleAnswer, assess, rule_ids
from .oracle_values import add_months, add_workdays, is_working_day, joined_end

Raw = dict[str, Any]
NOTHING = None  # the rule says nothing: not applicable, or not in force
TOGETHER = ["client", "social_worker", "employment_coach", "activity_instructor"]
PLAN_ROLES = ["client", "social_worker", "employment_coach"]


def e(day: str, type_: str, **fields: Any) -> Raw:
    return {"date": day, "type": type_, **fields}


def case(*entries: Raw, **header: Any) -> Raw:
    return {"case": {"id": "t", **header}, "entries": list(entries)}


def answer(document: Raw, day: str) -> OracleAnswer:
    return assess(document, date.fromisoformat(day))


def says(document: Raw, day: str, rule: str, entry: str | None = None) -> str | None:
    """The outcome of the rule on the day, of the given subject or the only one; None if it says nothing."""
    found = {key[2]: value for key, value in answer(document, day).findings.items() if key[0] == rule}
    if entry is not None:
        return found[entry][0] if entry in found else NOTHING
    assert len(found) <= 1, found
    return next(iter(found.values()))[0] if found else NOTHING


def due(document: Raw, day: str, rule: str) -> str | None:
    found = [value for key, value in answer(document, day).findings.items() if key[0] == rule]
    assert len(found) == 1, found
    return found[0][1]


def over(document: Raw, rule: str, **by_day: str | None) -> None:
    """Check the outcomes on several days, written as d2024_01_31="satisfied"."""
    for day, expected in by_day.items():
        iso = day[1:].replace("_", "-")
        assert says(document, iso, rule) == expected, (iso, expected)


def activity(day: str = "2024-01-01", **fields: Any) -> Raw:
    return e(day, "activity_started", **fields)


def coaching(day: str, **fields: Any) -> Raw:
    return e(day, "coaching_started", **{"provider": "p", "provider_kind": "private", **fields})


def plan(day: str, **fields: Any) -> Raw:
    return e(day, "activation_plan_updated", **{"participants": PLAN_ROLES, **fields})


def coaching_plan(day: str, **fields: Any) -> Raw:
    return plan(day, **{"coaching": {"start": day}, **fields})


def trial(day: str, arrangement: str = "activity_ended", **fields: Any) -> Raw:
    return e(day, "work_trial_started", arrangement=arrangement, **fields)


def met(day: str, **fields: Any) -> Raw:
    return e(day, "contact", **{"party": "client", "form": "face_to_face", "by": "job_coach", **fields})


# --- the oracle stands alone ---


def test_the_oracle_imports_nothing_of_the_product() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for imported in names:
                assert imported.split(".")[0] not in ("rules", "statemachines", "service"), (path.name, imported)


def test_every_rule_of_the_specification_is_judged() -> None:
    assert len(rule_ids()) == len(set(rule_ids())) == 54 + 15


# --- values ---


def test_a_month_is_clamped_to_the_months_end() -> None:
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2023, 1, 31), 1) == date(2023, 2, 28)
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert add_months(date(2024, 1, 15), -3) == date(2023, 10, 15)


def test_midsummer_eve_and_christmas_eve_are_no_working_days() -> None:
    assert not is_working_day(date(2024, 6, 21))
    assert not is_working_day(date(2024, 12, 24))
    assert not is_working_day(date(2024, 12, 6))
    assert not is_working_day(date(2024, 6, 22))
    assert is_working_day(date(2024, 12, 23))
    assert add_workdays(date(2024, 6, 20), 1) == date(2024, 6, 24)
    assert add_workdays(date(2024, 12, 20), 3) == date(2024, 12, 30)  # 23 Dec, 27 Dec, 30 Dec


def test_spans_are_joined_only_without_a_gap() -> None:
    january = (date(2024, 1, 1), date(2024, 1, 31))
    assert joined_end([january, (date(2024, 2, 1), date(2024, 2, 10))], date(2024, 1, 5)) == date(2024, 2, 10)
    assert joined_end([january, (date(2024, 2, 2), date(2024, 2, 10))], date(2024, 1, 5)) == date(2024, 1, 31)
    assert joined_end([january], date(2024, 2, 1)) is None


# --- the journal ---


def test_a_correction_voids_and_a_voided_correction_restores() -> None:
    document = case(
        activity(),
        e("2024-01-05", "correction", voids="e1"),
        e("2024-01-10", "correction", voids="e2"),
    )
    assert answer(document, "2024-01-04").state["activity"] == "active"
    assert answer(document, "2024-01-05").state["activity"] == "none"
    assert answer(document, "2024-01-10").state["activity"] == "active"


def test_what_was_recorded_later_was_not_known_then() -> None:
    document = case(activity(recorded_at="2024-01-09T10:00:00+02:00"))
    day = date(2024, 1, 5)
    known = assess(document, day, datetime.fromisoformat("2024-01-09T08:00:00+00:00"))
    not_yet = assess(document, day, datetime.fromisoformat("2024-01-09T07:59:00+00:00"))
    assert (known.state["activity"], not_yet.state["activity"]) == ("active", "none")


def test_an_entry_dated_ahead_is_not_yet_true() -> None:
    document = case(activity("2024-05-02"))
    assert answer(document, "2024-05-01").state["stage"] == "not_started"
    assert answer(document, "2024-05-02").state["stage"] == "activity"


# --- charts and stage ---


def test_the_stage_follows_the_charts_in_order() -> None:
    document = case(
        activity("2024-01-01"),
        e("2024-02-01", "initiative_taken", service="coaching"),
        coaching("2024-03-01"),
        e("2024-04-01", "coaching_interrupted", reason="other"),
        e("2024-04-02", "coaching_resumed"),
        trial("2024-05-01", "alongside_activity"),
        e("2024-06-01", "work_trial_ended", outcome="completed"),
        e("2024-07-01", "job_started", kind="open_market"),
        e("2024-08-01", "job_ended"),
        e("2024-09-01", "coaching_ended", reason="moved"),
        e("2024-10-01", "activity_ended", reason="other"),
        e("2024-11-01", "outcome_reached", outcome="studies"),
        e("2024-12-01", "case_closed", reason="moved"),
        e("2024-12-20", "case_reopened", reason="other"),
    )
    for day, stage in (
        ("2023-12-31", "not_started"),
        ("2024-01-01", "activity"),
        ("2024-02-01", "plan_update"),
        ("2024-03-01", "coaching"),
        ("2024-04-01", "coaching_interrupted"),
        ("2024-04-02", "coaching"),
        ("2024-05-01", "work_trial"),
        ("2024-06-01", "coaching"),
        ("2024-07-01", "employment"),
        ("2024-09-01", "activity"),
        ("2024-10-01", "between_services"),
        ("2024-11-01", "other_outcome"),
        ("2024-12-01", "closed"),
        ("2024-12-20", "between_services"),
    ):
        assert answer(document, day).state["stage"] == stage, day


def test_a_referral_lapses_the_day_after_six_months_and_each_step_counts_anew() -> None:
    initiative = e("2024-01-31", "initiative_taken", service="coaching")
    assert answer(case(initiative), "2024-07-31").state["referral"] == "initiated"
    assert answer(case(initiative), "2024-08-01").state["referral"] == "none"
    selection = e("2024-06-30", "selection_agreed", participants=TOGETHER)
    again = e("2024-07-30", "initiative_taken", service="coaching")
    assert answer(case(initiative, selection, again), "2025-01-30").state["referral"] == "agreed"
    assert answer(case(initiative, selection, again), "2025-01-31").state["referral"] == "none"


def test_a_plan_update_with_coaching_plans_only_while_no_coaching_runs() -> None:
    document = case(coaching_plan("2024-01-01"), coaching("2024-02-01"), coaching_plan("2024-03-01"))
    assert answer(document, "2024-01-01").state["referral"] == "planned"
    assert answer(document, "2024-02-01").state["referral"] == "done"
    assert answer(document, "2024-03-01").state["referral"] == "done"


def test_coaching_resumes_in_the_phase_before() -> None:
    document = case(
        coaching("2024-01-01"),
        e("2024-02-01", "coaching_phase_reached", phase="job_search"),
        e("2024-03-01", "coaching_interrupted", reason="other"),
        e("2024-03-02", "coaching_interrupted", reason="other"),
        e("2024-03-03", "coaching_phase_reached", phase="profile"),
        e("2024-03-04", "coaching_resumed"),
    )
    assert answer(document, "2024-03-02").state["coaching"] == "interrupted"
    assert says(document, "2024-03-02", "path-inconsistent") == "satisfied"
    assert says(document, "2024-03-03", "path-inconsistent") == "violated"
    assert answer(document, "2024-03-04").state["coaching"] == "job_search"


def test_a_job_end_takes_that_employers_job_else_the_oldest() -> None:
    jobs = (
        e("2024-01-01", "job_started", kind="open_market", employer="a"),
        e("2024-02-01", "job_started", kind="open_market", employer="b"),
    )
    document = case(*jobs, e("2024-03-01", "job_ended", employer="b"), e("2024-04-01", "job_ended", employer="x"))
    assert answer(document, "2024-03-01").state["employment"] == "employed"
    assert answer(document, "2024-04-01").state["employment"] == "ended"
    assert says(document, "2024-04-01", "path-inconsistent") == "satisfied"
    more = case(*document["entries"], e("2024-05-01", "job_ended"))
    assert says(more, "2024-05-01", "path-inconsistent") == "violated"


def test_an_arrangement_must_match_the_activity_at_the_end_of_the_first_day() -> None:
    pause = e("2024-02-01", "activity_paused", reason="work_trial")
    assert says(case(activity(), trial("2024-02-01", "activity_paused"), pause), "2024-02-01", "path-inconsistent") == (
        "satisfied"
    )
    assert says(case(activity(), trial("2024-02-01", "activity_paused")), "2024-02-01", "path-inconsistent") == (
        "violated"
    )
    assert says(case(trial("2024-02-01", "activity_ended")), "2024-02-01", "path-inconsistent") == "satisfied"
    assert says(case(trial("2024-02-01", "alongside_activity")), "2024-02-01", "path-inconsistent") == "violated"


def test_a_closed_case_is_silent_but_for_its_path() -> None:
    document = case(activity(), e("2024-02-01", "case_closed", reason="moved"))
    assert set(answer(document, "2024-02-01").findings) == {("path-inconsistent", "case", None)}


def test_with_another_outcome_only_what_still_runs_speaks() -> None:
    document = case(activity(), coaching("2024-01-02"), e("2024-02-01", "outcome_reached", outcome="pension"))
    kinds = {key[1] for key in answer(document, "2024-02-01").findings}
    assert kinds == {"activity", "case"}
    rules = {key[0] for key in answer(document, "2024-02-01").findings if key[1] == "case"}
    assert rules == {"path-inconsistent"}


# --- openness, the queue, the wish ---


def test_screening_is_violated_by_the_reason_readiness_and_not_by_moved() -> None:
    document = case(e("2024-01-01", "coaching_declined", reason="readiness"), coaching("2024-02-01"))
    assert says(document, "2024-02-01", "open-access-no-screening") == "violated"
    moved = case(coaching("2024-01-01"), e("2024-02-01", "coaching_ended", reason="moved"))
    assert says(moved, "2024-02-01", "open-access-no-screening") == "satisfied"
    before = case(e("2019-12-31", "coaching_declined", reason="readiness"))
    assert says(before, "2024-02-01", "open-access-no-screening") is NOTHING


def test_ending_for_a_time_limit_is_violated_and_interrupting_is_not_judged() -> None:
    ended = case(coaching("2024-01-01"), e("2024-02-01", "coaching_ended", reason="no_show"))
    assert says(ended, "2024-02-01", "no-time-limit-or-no-show-end") == "violated"
    paused = case(coaching("2024-01-01"), e("2024-02-01", "coaching_interrupted", reason="no_show"))
    assert says(paused, "2024-02-01", "no-time-limit-or-no-show-end") is NOTHING


def test_a_queue_holds_through_its_review_date() -> None:
    document = case(e("2024-01-01", "coaching_declined", reason="no_capacity", review_on="2024-02-01"))
    over(document, "queue-has-review-date", d2024_02_01="satisfied", d2024_02_02="violated")
    assert due(document, "2024-02-02", "queue-has-review-date") == "2024-02-01"
    open_queue = case(e("2024-01-01", "coaching_declined", reason="no_capacity"))
    assert says(open_queue, "2024-01-01", "queue-has-review-date") == "violated"
    begun = case(*document["entries"], coaching("2024-01-10"))
    assert says(begun, "2024-02-02", "queue-has-review-date") is NOTHING


def test_a_wish_is_answered_within_thirty_days_of_the_first_yes() -> None:
    document = case(
        e("2024-01-01", "interest_asked", wants_to_work="yes"),
        e("2024-01-20", "interest_asked", wants_to_work="yes"),
    )
    over(document, "wish-to-work-answered", d2024_01_31="advised", d2024_02_01="violated")
    assert due(document, "2024-02-01", "wish-to-work-answered") == "2024-01-31"
    assert says(document, "2024-02-01", "offer-coaching-when-client-wants-work") == "advised"


def test_a_wish_rests_while_a_queue_date_or_a_referral_is_current() -> None:
    wish = e("2024-01-01", "interest_asked", wants_to_work="yes")
    queue = e("2024-01-05", "coaching_declined", reason="no_capacity", review_on="2024-03-01")
    over(case(wish, queue), "wish-to-work-answered", d2024_03_01=NOTHING, d2024_03_02="violated")
    referred = case(wish, e("2024-01-05", "initiative_taken", service="coaching"))
    assert says(referred, "2024-01-05", "wish-to-work-answered") is NOTHING
    declined = case(wish, e("2024-01-05", "coaching_declined", reason="client_choice"))
    assert says(declined, "2024-01-05", "wish-to-work-answered") is NOTHING
    unseen = case(wish, not_recorded=["job_started"])
    assert says(unseen, "2024-01-05", "wish-to-work-answered") == "unknown"


def test_a_wish_counts_from_the_end_of_the_last_job() -> None:
    document = case(
        e("2024-01-01", "interest_asked", wants_to_work="yes"),
        e("2024-02-01", "job_started", kind="open_market"),
        e("2024-05-01", "job_ended"),
    )
    over(document, "wish-to-work-answered", d2024_04_01=NOTHING, d2024_05_31="advised", d2024_06_01="violated")


def test_interest_is_asked_again_after_twelve_months() -> None:
    document = case(activity(), e("2024-02-29", "interest_asked", wants_to_work="no"))
    over(document, "ask-interest-in-work", d2024_02_01="advised", d2025_02_28=NOTHING, d2025_03_01="advised")
    hole = case(activity(), complete_from="2023-06-01")
    over(hole, "ask-interest-in-work", d2024_05_31="unknown", d2024_06_01="advised")


def test_information_is_given_once() -> None:
    document = case(activity(), e("2024-02-01", "coaching_info_given"))
    over(document, "tell-all-ktt-clients", d2024_01_31="advised", d2024_02_01=NOTHING)
    assert says(case(activity(), complete_from="2023-01-01"), "2024-01-31", "tell-all-ktt-clients") == "unknown"


# --- the joint choice and the plan ---


def test_a_selection_is_advised_until_the_plan_update_and_late_after_it() -> None:
    initiative = e("2024-01-10", "initiative_taken", service="coaching")
    planned = coaching_plan("2024-02-10")
    rule = "selection-together"
    over(case(initiative, planned), rule, d2024_02_09="advised", d2024_02_10="advised", d2024_02_11="violated")
    assert due(case(initiative, planned), "2024-02-09", rule) is None
    assert due(case(initiative, planned), "2024-02-10", rule) == "2024-02-10"
    selected = e("2024-02-10", "selection_agreed", participants=TOGETHER, client_agrees="yes")
    assert says(case(initiative, planned, selected), "2024-02-11", rule) == "satisfied"
    late = {**selected, "date": "2024-02-11"}
    assert says(case(initiative, planned, late), "2024-02-11", rule) == "remedied"
    unasked = {**selected, "client_agrees": "unknown"}
    assert says(case(initiative, planned, unasked), "2024-02-11", rule) == "unknown"
    without_coach = {**selected, "participants": ["client", "social_worker", "activity_supervisor"]}
    assert says(case(initiative, planned, without_coach), "2024-02-11", rule) == "violated"


def test_a_selection_before_the_initiative_does_not_count() -> None:
    selected = e("2024-01-09", "selection_agreed", participants=TOGETHER, client_agrees="no")
    initiative = e("2024-01-10", "initiative_taken", service="coaching")
    meeting = e("2024-01-09", "joint_meeting_held", participants=["client"])
    document = case(meeting, selected, initiative)
    assert says(document, "2024-01-10", "selection-together") == "advised"
    assert says(document, "2024-01-10", "joint-meeting-at-planning") == "advised"


def test_without_an_initiative_a_meeting_of_the_last_twelve_months_counts() -> None:
    document = case(e("2024-01-15", "joint_meeting_held", participants=["client"]), coaching_plan("2024-12-01"))
    over(document, "joint-meeting-at-planning", d2025_01_15="satisfied", d2025_01_16="violated")


def test_a_joint_meeting_is_judged_only_in_the_stage_plan_update() -> None:
    document = case(coaching_plan("2024-01-01"), trial("2024-01-02"))
    over(document, "joint-meeting-at-planning", d2024_01_01="advised", d2024_01_02=NOTHING)


def test_a_provider_consent_names_the_provider_is_voluntary_and_informed() -> None:
    given = e("2024-01-01", "consent_given", scope="provider", parties=["p"], voluntary=True, informed="yes")
    rule = "extra-consent-for-provider"
    assert says(case(given, coaching("2024-01-02")), "2024-01-02", rule) == "satisfied"
    assert says(case({**given, "parties": ["q"]}, coaching("2024-01-02")), "2024-01-02", rule) == "violated"
    assert says(case({**given, "informed": "unknown"}, coaching("2024-01-02")), "2024-01-02", rule) == "unknown"
    assert says(case({**given, "informed": False}, coaching("2024-01-02")), "2024-01-02", rule) == "violated"
    assert says(case(given, coaching("2024-01-02", provider_kind="public")), "2024-01-02", rule) is NOTHING
    assert says(case(given, coaching("2024-01-02", provider_kind=None)), "2024-01-02", rule) == "unknown"


def test_a_consent_holds_through_its_last_day_and_not_after_a_withdrawal() -> None:
    given = e(
        "2024-01-01", "consent_given", scope="provider", parties=["p"], voluntary="yes", informed="yes",
        expires_on="2024-03-01",
    )  # fmt: skip
    rule = "extra-consent-for-provider"
    over(case(given, coaching("2024-01-02")), rule, d2024_03_01="satisfied", d2024_03_02="violated")
    withdrawn = e("2024-02-01", "consent_withdrawn", scope="provider")
    over(case(given, coaching("2024-01-02"), withdrawn), rule, d2024_01_31="satisfied", d2024_02_01="violated")
    other = {**withdrawn, "parties": ["q"]}
    assert says(case(given, coaching("2024-01-02"), other), "2024-02-01", rule) == "satisfied"


def test_a_basic_consent_is_asked_for_to_the_end_of_2024() -> None:
    rule = "basic-consent-before-ktt"
    over(case(activity()), rule, d2024_12_31="violated", d2025_01_01=NOTHING)
    given = e("2024-01-01", "consent_given", scope="basic", parties=["a", "b"])
    some = e("2024-02-01", "consent_withdrawn", scope="basic", parties=["a"])
    rest = e("2024-03-01", "consent_withdrawn", scope="basic", parties=["b"])
    over(case(activity(), given, some, rest), rule, d2024_02_01="satisfied", d2024_03_01="violated")


def test_the_plan_update_comes_before_coaching_within_twelve_months() -> None:
    rule = "as-update-before-coaching"
    assert says(case(coaching_plan("2024-03-01"), coaching("2024-03-01")), "2024-03-02", rule) == "satisfied"
    assert says(case(coaching_plan("2023-02-28"), coaching("2024-02-29")), "2024-03-02", rule) == "violated"
    assert says(case(coaching_plan("2023-03-01"), coaching("2024-03-01")), "2024-03-02", rule) == "satisfied"
    late = case(coaching("2024-03-01"), coaching_plan("2024-03-05"))
    over(late, rule, d2024_03_04="violated", d2024_03_05="remedied")
    assert says(case(coaching("2024-03-01"), plan("2024-03-05")), "2024-03-05", rule) == "violated"
    assert says(case(coaching("2024-03-01"), complete_from="2023-03-01"), "2024-03-05", rule) == "violated"
    assert says(case(coaching("2024-03-01"), complete_from="2023-03-02"), "2024-03-05", rule) == "unknown"


def test_a_plan_update_of_an_earlier_coaching_does_not_serve_the_next() -> None:
    document = case(
        coaching_plan("2024-01-01"),
        coaching("2024-01-02"),
        e("2024-03-01", "coaching_ended", reason="moved"),
        coaching("2024-04-01"),
    )
    assert says(document, "2024-04-01", "as-update-before-coaching") == "violated"


def test_the_plan_update_gives_start_and_end_of_coaching() -> None:
    rule = "as-records-coaching-period"
    assert says(case(coaching_plan("2024-01-01")), "2024-01-01", rule, "e1") == "violated"
    whole = coaching_plan("2024-01-01", coaching={"start": "2024-01-08", "end": "2024-06-30"})
    assert says(case(whole), "2024-01-01", rule, "e1") == "satisfied"
    assert says(case(whole, coaching("2024-01-08")), "2024-01-08", rule, "e2") == "satisfied"
    over(case(whole), rule, d2025_01_01="satisfied", d2025_01_02=NOTHING)
    assert says(case(coaching("2024-01-08"), not_recorded=["activation_plan_updated"]), "2024-01-08", rule) == "unknown"


def test_the_plan_update_says_what_it_allows_and_a_field_left_out_is_unknown() -> None:
    document = case(
        activity(),
        coaching_plan(
            "2024-01-02",
            coaching={"start": "2024-01-08", "alongside_activity": "no"},
            work_trial_possible="yes",
            other_services_possible=False,
        ),
    )
    assert says(document, "2024-01-02", "as-records-coaching-during-ktt") == "violated"
    assert says(document, "2024-01-02", "as-preauthorises-trial") == "satisfied"
    assert says(document, "2024-01-02", "as-preauthorises-other-te") == "violated"
    assert says(document, "2024-01-02", "as-clarifies-wage-subsidy") == "unknown"


def test_a_plan_meeting_has_the_client_the_social_worker_and_the_employment_coach() -> None:
    rule = "omatyontekija-always-in-plan-meeting"
    assert says(case(plan("2024-01-01")), "2024-01-01", rule) == "satisfied"
    team = ["client", "work_ability_team", "employment_coach"]
    assert says(case(plan("2024-01-01", participants=team)), "2024-01-01", rule) == "unknown"
    assert says(case(plan("2024-01-01", participants=team, kind="multi_sector_plan")), "2024-01-01", rule) == (
        "satisfied"
    )
    assert says(case(plan("2024-01-01", participants=team, kind="activation_plan")), "2024-01-01", rule) == "violated"
    assert says(case(plan("2019-12-31")), "2024-01-01", rule) is NOTHING


# --- the activity ---


def test_activity_rests_on_a_plan_through_its_last_day() -> None:
    document = case(plan("2024-01-01", valid_until="2024-06-30"), activity())
    over(document, "ktt-rests-on-activation-plan", d2024_06_30="satisfied", d2024_07_01="violated")
    assert due(document, "2024-07-01", "ktt-rests-on-activation-plan") == "2024-06-30"
    assert says(case(activity()), "2024-01-01", "ktt-rests-on-activation-plan") == "violated"
    unseen = case(activity(), complete_from="2024-01-01")
    assert says(unseen, "2024-01-01", "ktt-rests-on-activation-plan") == "unknown"


def test_a_plan_is_reviewed_every_three_months() -> None:
    rule = "plan-review-every-3-months"
    document = case(plan("2023-11-30"), activity("2023-12-01"))
    over(document, rule, d2024_02_14="satisfied", d2024_02_15="advised", d2024_02_29="advised", d2024_03_01="violated")
    assert due(document, "2024-03-01", rule) == "2024-02-29"
    reviewed = case(*document["entries"], e("2024-03-10", "plan_reviewed", participants=["client"]))
    over(reviewed, rule, d2024_03_10="satisfied", d2024_06_10="advised", d2024_06_11="violated")
    assert says(case(*document["entries"], not_recorded=["plan_reviewed"]), "2024-01-01", rule) == "unknown"
    early = case(plan("2021-11-30"), activity("2021-12-01"))
    over(early, rule, d2022_05_01=NOTHING, d2022_05_02="violated")


def test_a_service_decision_is_renewed_in_its_last_thirty_days() -> None:
    rule = "service-decision-current"
    granted = e("2024-01-01", "service_decision", service="activity", decision="granted", end="2024-06-30")
    document = case(granted, activity())
    over(document, rule, d2024_05_30="satisfied", d2024_05_31="advised", d2024_06_30="advised", d2024_07_01="violated")
    assert due(document, "2024-06-01", rule) == "2024-06-30"
    assert due(document, "2024-07-01", rule) is None
    following = e("2024-05-01", "service_decision", service="activity", decision="granted", start="2024-07-01")
    assert says(case(granted, activity(), following), "2024-06-30", rule) == "satisfied"
    gap = {**following, "start": "2024-07-02"}
    over(case(granted, activity(), gap), rule, d2024_06_30="advised", d2024_07_01="violated", d2024_07_02="satisfied")
    ended = e("2024-02-01", "service_decision", service="activity", decision="ended", end="2024-02-10")
    over(case(granted, activity(), ended), rule, d2024_02_10="advised", d2024_02_11="violated")


def test_a_social_worker_stays_assigned_until_released() -> None:
    assigned = e("2024-01-01", "worker_assigned", role="social_worker", worker="w")
    released = e("2024-02-01", "worker_released", role="social_worker", worker="w")
    document = case(activity(), assigned, released)
    over(document, "social-worker-assigned", d2024_01_31="satisfied", d2024_02_01="violated")
    other = case(activity(), assigned, {**released, "worker": "x"})
    assert says(other, "2024-02-01", "social-worker-assigned") == "satisfied"
    assert says(case(), "2024-02-01", "social-worker-assigned") is NOTHING


def test_an_implementation_plan_is_drawn_after_thirty_days() -> None:
    rule = "ts-drawn-with-social-instructor"
    over(case(activity("2024-01-01")), rule, d2024_01_31=NOTHING, d2024_02_01="violated")
    document = case(activity("2024-01-01"), e("2024-01-01", "implementation_plan_updated"))
    assert says(document, "2024-02-01", rule) == "satisfied"
    earlier = case(activity("2024-01-01"), e("2023-12-31", "implementation_plan_updated"))
    assert says(earlier, "2024-02-01", rule) == "violated"


def test_the_implementation_plan_records_the_coaching_since_its_plan_update() -> None:
    rule = "ts-records-coaching"
    begun = (activity(), coaching_plan("2024-02-01"), coaching("2024-02-10"))
    assert says(case(*begun), "2024-02-10", rule) == "violated"
    records = e("2024-02-01", "implementation_plan_updated", includes_coaching="yes")
    assert says(case(*begun, records), "2024-02-10", rule) == "satisfied"
    assert says(case(*begun, {**records, "date": "2024-01-31"}), "2024-02-10", rule) == "violated"
    assert says(case(*begun, e("2024-02-03", "implementation_plan_updated")), "2024-02-10", rule) == "unknown"
    assert says(case(activity(), coaching("2024-02-10"), {**records, "date": "2024-02-09"}), "2024-02-10", rule) == (
        "violated"
    )


def test_the_weekly_days_are_one_to_four() -> None:
    assert says(case(activity(days_per_week=4)), "2024-01-01", "days-per-week-1-4") == "satisfied"
    assert says(case(activity(days_per_week=5)), "2024-01-01", "days-per-week-1-4") == "violated"
    assert says(case(activity()), "2024-01-01", "days-per-week-1-4") == "unknown"
    changed = case(activity(days_per_week=4), e("2024-02-01", "activity_changed", mode="remote"))
    assert says(changed, "2024-02-01", "days-per-week-1-4") == "satisfied"
    old = case(activity("2019-01-01", days_per_week=5))
    assert says(old, "2019-01-01", "days-per-week-1-4") == "violated"


def test_a_period_is_three_to_twenty_four_months() -> None:
    rule = "activity-period-3-24-months"
    for end, expected in (
        ("2024-03-30", "violated"),  # 2024-01-01 + 3 months - 1 day = 2024-03-31
        ("2024-03-31", "satisfied"),
        ("2026-01-01", "satisfied"),
        ("2026-01-02", "violated"),
    ):
        assert says(case(activity("2024-01-01", period_end=end)), "2024-01-01", rule) == expected, end
    assert says(case(activity()), "2024-01-01", rule) is NOTHING
    renewed = case(activity(period_end="2024-03-31"), e("2024-04-01", "activity_changed", period_end="2024-05-01"))
    over(renewed, rule, d2024_03_31="satisfied", d2024_04_01="violated")


def test_the_last_three_months_of_a_period_are_critical() -> None:
    rule = "critical-point-ktt-end"
    document = case(activity(period_end="2024-12-31"))
    over(document, rule, d2024_09_29=NOTHING, d2024_09_30="violated", d2025_01_10="violated")
    helped = case(activity(period_end="2024-12-31"), e("2024-09-01", "initiative_taken", service="coaching"))
    assert says(helped, "2024-09-30", rule) == "satisfied"
    assert says(case(activity(period_end="2024-12-31"), not_recorded=["job_started"]), "2024-09-30", rule) == "unknown"
    assert says(case(activity()), "2024-09-30", rule) == "unknown"


def test_a_pause_for_a_trial_lasts_a_month() -> None:
    rule = "ktt-pause-max-one-month"
    document = case(activity(), e("2024-01-31", "activity_paused", reason="work_trial"))
    over(document, rule, d2024_02_21="satisfied", d2024_02_22="advised", d2024_02_29="advised", d2024_03_01="violated")
    assert due(document, "2024-03-01", rule) == "2024-02-29"
    ill = case(activity(), e("2024-01-31", "activity_paused", reason="illness"))
    assert says(ill, "2024-03-01", rule) is NOTHING
    resumed = case(*document["entries"], e("2024-03-01", "activity_resumed"))
    assert says(resumed, "2024-03-01", rule) is NOTHING


def test_the_activity_ends_if_the_trial_outlasts_the_pause() -> None:
    rule = "ktt-ends-if-trial-continues"
    pause = e("2024-02-01", "activity_paused", reason="work_trial")
    long = case(activity(), pause, trial("2024-02-01", "activity_paused", planned_end="2024-03-02"))
    over(long, rule, d2024_02_01="advised", d2024_03_01="advised", d2024_03_02="violated")
    assert due(long, "2024-02-01", rule) == "2024-03-01"
    short = case(activity(), pause, trial("2024-02-01", "activity_paused", planned_end="2024-03-01"))
    assert says(short, "2024-02-01", rule) is NOTHING
    extended = case(*short["entries"], e("2024-02-20", "work_trial_extended", planned_end="2024-04-01"))
    over(extended, rule, d2024_02_19=NOTHING, d2024_02_20="advised")


def test_an_activity_is_not_ended_by_coaching() -> None:
    document = case(activity(), e("2024-05-01", "activity_ended", reason="coaching_started"))
    assert says(document, "2024-05-01", "ktt-and-ot-not-ended-by-coaching") == "violated"


def test_the_retention_of_the_social_worker_is_decided_by_the_end() -> None:
    rule = "ot-may-stay-after-ktt"
    ended = e("2024-05-01", "activity_ended", reason="other")
    for day, expected in (
        ("2023-12-31", "violated"),
        ("2024-01-01", "satisfied"),
        ("2024-05-01", "satisfied"),
        ("2024-05-02", "remedied"),
    ):
        decided = e(day, "social_worker_retention_decided", retained="no")
        assert says(case(activity(), ended, decided), "2024-06-01", rule) == expected, day
    again = case(
        activity(), ended, activity("2024-05-10"), e("2024-05-10", "social_worker_retention_decided", retained="yes")
    )
    assert says(again, "2024-06-01", rule, "e1") == "violated"


def test_follow_up_is_done_from_one_to_three_months_after_the_end() -> None:
    rule = "follow-up-contact-1-3-months"
    ended = (activity(), e("2024-01-31", "activity_ended", reason="other"))
    document = case(*ended)
    over(document, rule, d2024_02_28=NOTHING, d2024_02_29="advised", d2024_04_30="advised", d2024_05_01="violated")
    assert due(document, "2024-02-29", rule) == "2024-04-30"
    done = e("2024-02-29", "follow_up_done", situation="ok")
    assert says(case(*ended, done), "2024-05-01", rule) == "satisfied"
    assert says(case(*ended, {**done, "date": "2024-02-28"}), "2024-05-01", rule) == "violated"
    assert says(case(*ended, {**done, "date": "2024-05-01"}), "2024-05-01", rule) == "remedied"


def test_a_follow_up_that_needs_support_leads_back() -> None:
    rule = "follow-up-reconnect"
    follow_up = e("2024-01-10", "follow_up_done", situation="needs_support")
    over(case(follow_up, e("2024-01-20", "need_assessed")), rule, d2024_01_19="advised", d2024_01_20=NOTHING)
    assert says(case(follow_up, not_recorded=["need_assessed"]), "2024-01-19", rule) == "unknown"
    fine = case(follow_up, e("2024-01-12", "follow_up_done", situation="ok"))
    assert says(fine, "2024-01-12", rule) is NOTHING


def test_somebody_stays_between_services() -> None:
    rule = "nobody-left-between-services"
    ended = (activity(), e("2024-05-01", "activity_ended", reason="other"))
    assigned = e("2024-01-01", "worker_assigned", role="social_worker", worker="w")
    left = e("2024-06-01", "social_worker_retention_decided", retained="no")
    assert says(case(*ended), "2024-05-01", rule) == "violated"
    over(case(*ended, assigned, left), rule, d2024_04_30=NOTHING, d2024_05_31="satisfied", d2024_06_01="violated")
    again = case(*ended, assigned, left, {**assigned, "date": "2024-06-02"})
    assert says(again, "2024-06-02", rule) == "satisfied"
    assert says(case(*ended, not_recorded=["coaching_started"]), "2024-05-01", rule) == "unknown"


# --- coaching ---


def test_a_coaching_period_is_renewed_every_three_months() -> None:
    rule = "coaching-renewal-individual"
    document = case(coaching("2024-01-31"))
    over(document, rule, d2024_04_15="satisfied", d2024_04_16="advised", d2024_04_30="advised", d2024_05_01="violated")
    renewed = case(*document["entries"], e("2024-05-01", "coaching_renewed", period_end="2024-06-01"))
    over(renewed, rule, d2024_06_01="advised", d2024_06_02="violated")
    assert due(renewed, "2024-06-02", rule) == "2024-06-01"
    interrupted = case(*document["entries"], e("2024-05-01", "coaching_interrupted", reason="other"))
    assert says(interrupted, "2024-05-01", rule) is NOTHING


def test_the_first_employer_is_met_within_thirty_days() -> None:
    rule = "first-employer-meeting-30d"
    start = coaching("2024-01-01")
    over(case(start), rule, d2024_01_01="advised", d2024_01_31="advised", d2024_02_01="violated")
    assert due(case(start), "2024-02-01", rule) == "2024-01-31"
    meeting = met("2024-01-31", party="employer")
    assert says(case(start, meeting), "2024-02-01", rule) == "satisfied"
    assert says(case(start, {**meeting, "date": "2024-02-01"}), "2024-02-01", rule) == "remedied"
    assert says(case(start, {**meeting, "form": "phone"}), "2024-02-01", rule) == "violated"
    assert says(case(start, {**meeting, "reached": "no"}), "2024-02-01", rule) == "violated"
    for end, expected in (("2024-01-31", NOTHING), ("2024-02-01", "violated")):
        assert says(case(start, e(end, "coaching_ended", reason="moved")), "2024-03-01", rule) == expected


def test_an_interruption_has_a_review_date_ahead() -> None:
    rule = "redirect-work-ability-support"
    start = coaching("2024-01-01")
    document = case(start, e("2024-02-01", "coaching_interrupted", reason="other", review_on="2024-03-01"))
    over(document, rule, d2024_03_01="satisfied", d2024_03_02="violated")
    renewed = case(*document["entries"], e("2024-03-02", "coaching_interrupted", reason="other"))
    assert says(renewed, "2024-03-02", rule) == "violated"
    assert due(renewed, "2024-03-02", rule) is None


def test_support_does_not_end_at_hire() -> None:
    rule = "support-does-not-end-at-hire"
    start = coaching("2023-06-01")
    hired = e("2024-01-15", "job_started", kind="open_market")
    for end, expected in (("2024-01-14", NOTHING), ("2024-01-15", "violated"), ("2025-01-15", "violated"),
                          ("2025-01-16", NOTHING)):  # fmt: skip
        document = case(start, hired, e(end, "coaching_ended", reason="goal_reached"))
        assert says(document, "2025-02-01", rule) == expected, end
    ended = e("2024-03-01", "coaching_ended", reason="client_choice")
    assert says(case(start, hired, ended), "2024-03-01", rule) == "satisfied"
    wish = e("2024-02-01", "contact_wish_recorded", wish="none")
    assert says(case(start, hired, wish, {**ended, "reason": "other"}), "2024-03-01", rule) is NOTHING
    lost = e("2024-03-01", "job_ended")
    assert says(case(start, hired, lost, {**ended, "reason": "other"}), "2024-03-01", rule) is NOTHING
    unseen = case(start, ended, not_recorded=["job_started"])
    assert says(unseen, "2024-03-01", rule) == "unknown"


def test_the_coachs_support_is_kept_over_the_start_of_a_trial() -> None:
    rule = "transition-support-retained"
    for end, expected in (("2024-01-31", NOTHING), ("2024-02-01", "advised"), ("2024-03-05", "advised")):
        document = case(coaching("2024-01-01"), e(end, "coaching_ended", reason="other"), trial("2024-03-02"))
        assert says(document, "2024-03-05", rule) == expected, end
    chosen = case(coaching("2024-01-01"), e("2024-03-01", "coaching_ended", reason="moved"), trial("2024-03-02"))
    assert says(chosen, "2024-03-05", rule) is NOTHING


# --- trials ---


def test_a_plan_names_the_trial_and_covers_it() -> None:
    rule = "as-update-on-trial"
    begun = trial("2024-03-01", planned_end="2024-05-31")
    naming = plan("2024-02-20", work_trial={"start": "2024-03-01", "end": "2024-05-31"})
    assert says(case(naming, begun), "2024-03-01", rule) == "satisfied"
    assert says(case(begun), "2024-03-01", rule) == "violated"
    short = plan("2024-02-20", work_trial={"start": "2024-03-01", "end": "2024-05-30"})
    assert says(case(short, begun), "2024-03-01", rule) == "violated"
    open_plan = plan("2024-02-20", work_trial={"start": "2024-03-01"})
    assert says(case(open_plan, begun), "2024-03-01", rule) == "unknown"
    assert says(case(naming, trial("2024-03-01")), "2024-03-01", rule) == "unknown"
    later_start = plan("2024-02-20", work_trial={"start": "2024-03-02"})
    assert says(case(later_start, trial("2024-03-01")), "2024-03-01", rule) == "violated"
    assert says(case(begun, {**naming, "date": "2024-03-02"}), "2024-03-02", rule) == "remedied"
    assert says(case(begun, complete_from="2020-01-01"), "2024-03-01", rule) == "unknown"


def test_an_extension_needs_a_plan_of_its_own_date() -> None:
    rule = "as-update-on-trial"
    naming = plan("2024-02-20", work_trial={"start": "2024-03-01", "end": "2024-05-31"})
    begun = trial("2024-03-01", planned_end="2024-05-31")
    longer = e("2024-05-20", "work_trial_extended", planned_end="2024-06-30")
    second = plan("2024-05-20", work_trial={"start": "2024-06-01", "end": "2024-06-30"})
    assert says(case(naming, begun, longer), "2024-05-20", rule) == "violated"
    assert says(case(naming, begun, second, longer), "2024-05-20", rule) == "satisfied"
    assert says(case(naming, begun, longer, {**second, "date": "2024-05-21"}), "2024-05-21", rule) == "remedied"


def test_endorsements_are_checked_in_the_twelve_months_up_to_the_trial() -> None:
    rule = "ov-checks-endorsements-at-trial"
    for day, expected in (
        ("2023-02-28", "violated"),
        ("2023-03-01", "satisfied"),
        ("2024-03-01", "satisfied"),
        ("2024-03-02", "remedied"),
    ):
        checked = e(day, "endorsements_checked", purpose="work_trial")
        assert says(case(checked, trial("2024-03-01")), "2024-03-05", rule) == expected, day
    missing = e("2024-02-01", "endorsements_checked", purpose="work_trial", result="missing")
    assert says(case(missing, trial("2024-03-01")), "2024-03-05", rule) == "violated"
    assert says(case(trial("2024-03-01"), complete_from="2023-03-02"), "2024-03-05", rule) == "unknown"
    assert says(case(trial("2024-03-01"), complete_from="2023-03-01"), "2024-03-05", rule) == "violated"


def statement(measure: str, start: str, end: str | None, **fields: Any) -> Raw:
    return e(start, "statement_issued", **{"measure": measure, "paying": "yes", "start": start, "end": end, **fields})


def test_a_parallel_trial_has_two_paying_statements() -> None:
    rule = "trial-parallel-two-statements"
    base = (activity(), trial("2024-03-01", "alongside_activity", planned_end="2024-04-30"))
    one = statement("activity", "2024-03-01", "2024-04-30")
    two = statement("work_trial", "2024-03-01", "2024-03-31")
    over(case(*base, one, two), rule, d2024_03_31="satisfied", d2024_04_01="violated")
    assert says(case(*base, one, {**two, "paying": None}), "2024-03-31", rule) == "unknown"
    assert says(case(*base, one, {**two, "paying": "no"}), "2024-03-31", rule) == "violated"
    withdrawn = e("2024-03-10", "statement_withdrawn", measure="activity")
    over(case(*base, one, two, withdrawn), rule, d2024_03_09="satisfied", d2024_03_10="violated")
    assert says(case(*base, one, two, trial("2024-03-01")), "2024-03-31", rule) == "satisfied"


def test_a_statement_that_lapses_before_the_planned_end_is_told() -> None:
    rule = "statement-lapses-before-overlap-ends"
    base = (activity(), trial("2024-03-01", "alongside_activity", planned_end="2024-04-30"))
    one = statement("activity", "2024-03-01", "2024-04-30")
    two = statement("work_trial", "2024-03-01", "2024-03-31")
    document = case(*base, one, two)
    over(document, rule, d2024_03_15="advised", d2024_04_01=NOTHING)
    assert due(document, "2024-03-15", rule) == "2024-03-31"
    joined = statement("work_trial", "2024-04-01", "2024-04-30", date="2024-03-01")
    assert says(case(*base, one, two, joined), "2024-03-15", rule) is NOTHING
    apart = statement("work_trial", "2024-04-02", "2024-04-30", date="2024-03-01")
    assert says(case(*base, one, two, apart), "2024-03-15", rule) == "advised"
    endless = (activity(), trial("2024-03-01", "alongside_activity"))
    assert says(case(*endless, one, two), "2024-03-15", rule) == "unknown"
    assert says(case(*endless, {**one, "end": None}, {**two, "end": None}), "2024-03-15", rule) is NOTHING


def test_a_parallel_trial_leaves_a_week_of_five_days() -> None:
    started = activity(days_per_week=3)
    for days, expected in ((2, "satisfied"), (3, "violated"), (None, "unknown")):
        document = case(
            started, trial("2024-03-01", "alongside_activity", days_per_week=days, capacity_considered="no")
        )
        assert says(document, "2024-03-01", "trial-parallel-days") == expected
        assert says(document, "2024-03-01", "trial-parallel-capacity") == "violated"
    alone = case(trial("2024-03-01", days_per_week=5))
    assert says(alone, "2024-03-01", "trial-parallel-days") is NOTHING


def test_the_cost_of_an_extract_is_advised_for_each_trial() -> None:
    rule = "criminal-record-cost"
    begun = trial("2024-03-01", record_extract_needed="yes")
    helped = e("2023-12-01", "economic_support_advised", purpose="record_extract")
    assert says(case(begun), "2024-03-01", rule) == "advised"
    assert says(case(helped, begun), "2024-03-01", rule) == "satisfied"
    assert says(case(trial("2024-03-01")), "2024-03-01", rule) == "unknown"
    ended = e("2024-04-01", "work_trial_ended", outcome="completed")
    second = case(helped, begun, ended, {**begun, "date": "2024-05-01"})
    assert says(second, "2024-05-01", rule) == "advised"


def test_travel_is_advised_in_the_first_month() -> None:
    rule = "trial-first-month-travel"
    over(case(trial("2024-01-31")), rule, d2024_02_29="advised", d2024_03_01=NOTHING)
    helped = e("2024-02-10", "economic_support_advised", purpose="travel")
    assert says(case(trial("2024-01-31"), helped), "2024-02-29", rule) == "satisfied"


def test_a_trial_lasts_six_months_at_most_from_2025() -> None:
    rule = "trial-max-six-months"
    over(case(trial("2024-08-31", planned_end="2025-03-01")), rule, d2024_12_31=NOTHING, d2025_01_01="violated")
    fits = case(trial("2024-08-31", planned_end="2025-02-28"))
    over(fits, rule, d2025_02_28="satisfied", d2025_03_01="violated")
    assert due(fits, "2025-03-01", rule) == "2025-02-28"
    open_end = case(trial("2024-08-31"))
    over(open_end, rule, d2025_02_28="unknown", d2025_03_01="violated")


def test_support_is_kept_after_a_failed_trial() -> None:
    rule = "trial-failure-keeps-support"
    failed = (trial("2024-01-01"), e("2024-03-01", "work_trial_ended", outcome="failed"))
    over(case(*failed), rule, d2024_03_15="advised", d2024_03_16="violated")
    assert due(case(*failed), "2024-03-16", rule) == "2024-03-15"
    assert says(case(*failed, met("2024-03-15", form="phone", by="social_worker")), "2024-03-16", rule) == "satisfied"
    assert says(case(*failed, met("2024-03-16")), "2024-03-16", rule) == "remedied"
    assert says(case(*failed, met("2024-03-10", reached="no")), "2024-03-16", rule) == "violated"
    for end, expected in (("2024-03-14", "violated"), ("2024-03-15", "satisfied")):
        supported = case(coaching("2024-01-01"), *failed, e(end, "coaching_ended", reason="moved"))
        assert says(supported, "2024-03-20", rule) == expected, end
    assert says(case(*failed, trial("2024-03-05")), "2024-03-16", rule) is NOTHING


# --- jobs ---


def test_contacts_around_a_jobs_start_fall_in_their_windows() -> None:
    rule = "after-job-start-contacts"
    start = (coaching("2023-10-01"), e("2024-01-01", "job_agreed", start="2024-01-15"))
    hired = e("2024-01-15", "job_started", kind="open_market")
    assert due(case(*start), "2024-01-10", rule) == "2024-01-14"
    document = case(*start, hired)
    for day, outcome, expected in (
        ("2024-01-15", "violated", "2024-01-14"),
        ("2024-01-18", "violated", "2024-01-14"),
        ("2024-01-19", "violated", "2024-01-18"),
        ("2024-01-22", "violated", "2024-01-21"),
        ("2024-02-11", "violated", "2024-02-04"),
        ("2024-02-12", "violated", "2024-02-11"),
        ("2024-03-12", "violated", "2024-02-11"),
        ("2024-03-13", "violated", "2024-03-12"),  # s + 28 days + 1 month
    ):
        assert answer(document, day).findings[rule, "job", "e3"] == (outcome, expected), day
    before_and_first = case(*start, hired, met("2024-01-14"), met("2024-01-16"))
    assert answer(before_and_first, "2024-01-16").findings[rule, "job", "e3"] == ("advised", "2024-01-28")
    remote = case(*start, hired, met("2024-01-14", form="remote"))
    assert says(remote, "2024-01-15", rule) == "violated"


def test_monthly_contacts_follow_and_windows_before_coaching_do_not_count() -> None:
    rule = "after-job-start-contacts"
    hired = e("2024-01-15", "job_started", kind="open_market")
    late_coach = coaching("2024-03-13")  # after s + 28 days + 1 month = 2024-03-12
    document = case(hired, late_coach)
    assert due(document, "2024-03-13", rule) == "2024-04-12"
    over(document, rule, d2024_04_12="advised", d2024_04_13="violated")
    seen = case(hired, late_coach, met("2024-02-12"))
    assert answer(seen, "2024-04-13").findings[rule, "job", "e1"] == ("advised", "2024-05-12")
    year_over = case(hired, coaching("2025-01-13"))
    assert says(year_over, "2025-01-20", rule) == "satisfied"
    wish = case(hired, late_coach, e("2024-04-01", "contact_wish_recorded", wish="less"))
    assert says(wish, "2024-04-13", rule) is NOTHING
    unseen = case(hired, late_coach, not_recorded=["contact"])
    assert says(unseen, "2024-04-13", rule) == "unknown"


def test_a_lost_job_is_answered_in_three_working_days() -> None:
    rule = "job-loss-contact-3-workdays"
    lost = (
        coaching("2024-01-01"),
        e("2024-02-01", "job_started", kind="open_market"),
        e("2024-12-20", "job_ended"),  # a Friday; the third working day is Monday 30 Dec
    )
    over(case(*lost), rule, d2024_12_30="advised", d2024_12_31="violated")
    assert due(case(*lost), "2024-12-31", rule) == "2024-12-30"
    assert says(case(*lost, met("2024-12-30", form="phone")), "2024-12-31", rule) == "satisfied"
    assert says(case(*lost, met("2024-12-31")), "2024-12-31", rule) == "remedied"
    assert says(case(*lost, met("2024-12-30", by="social_worker")), "2024-12-31", rule) == "violated"
    assert says(case(*lost, met("2024-12-30", by=None)), "2024-12-31", rule) == "unknown"
    known = case(*lost[:2], {**lost[2], "known_on": "2024-12-10"})
    over(known, rule, d2024_12_20="violated")
    assert due(known, "2024-12-20", rule) == "2024-12-13"


def test_a_lost_job_is_the_coachs_within_twelve_months_of_coaching() -> None:
    rule = "job-loss-contact-3-workdays"
    for end, expected in (("2023-05-09", NOTHING), ("2023-05-10", "violated")):
        document = case(
            coaching("2023-01-01"),
            e(end, "coaching_ended", reason="other"),
            e("2023-06-01", "job_started", kind="open_market"),
            e("2024-05-10", "job_ended"),
        )
        assert says(document, "2024-06-10", rule) == expected, end


def test_after_a_lost_job_the_search_is_resumed() -> None:
    rule = "new-job-after-loss"
    lost = (coaching("2024-01-01"), e("2024-02-01", "job_started", kind="open_market"), e("2024-03-01", "job_ended"))
    assert says(case(*lost), "2024-03-01", rule) == "advised"
    resumed = e("2024-03-01", "coaching_phase_reached", phase="job_search")
    assert says(case(*lost, resumed), "2024-03-01", rule) == "satisfied"
    assert says(case(lost[0], {**resumed, "date": "2024-01-10"}, *lost[1:]), "2024-03-01", rule) == "advised"
    no = e("2024-03-02", "interest_asked", wants_to_work="no")
    assert says(case(*lost, no), "2024-03-02", rule) is NOTHING
    assert says(case(*lost, not_recorded=["job_started"]), "2024-03-02", rule) == "unknown"


def test_benefit_counselling_comes_by_the_jobs_start() -> None:
    rule = "benefit-counselling-part"
    agreed = e("2024-01-01", "job_agreed", start="2024-02-01")
    hired = e("2024-02-01", "job_started", kind="open_market")
    assert answer(case(agreed), "2024-01-01").findings[rule, "job", "e1"] == ("advised", "2024-02-01")
    over(case(agreed, hired), rule, d2024_01_31="advised", d2024_02_01="advised", d2024_02_02="violated")
    advice = e("2024-02-01", "benefit_counselling", by_specialist="yes")
    assert says(case(hired, advice), "2024-02-02", rule) == "satisfied"
    assert says(case(hired, {**advice, "date": "2024-02-02"}), "2024-02-02", rule) == "remedied"
    assert says(case(hired, {**advice, "by_specialist": None}), "2024-02-02", rule) == "unknown"
    assert says(case(hired, {**advice, "by_specialist": "no"}), "2024-02-02", rule) == "violated"


# --- what comes next ---


def test_keeping_contact_is_advised_while_all_the_rest_is_set_aside() -> None:
    document = case(
        e("2024-01-01", "worker_assigned", role="social_worker", worker="w"),
        e("2024-04-01", "coaching_started", provider="p", provider_kind="public"),
        e("2024-05-01", "coaching_ended", reason="client_choice"),
        e("2024-05-20", "advice_set_aside", rule="next-assess-needs", reason="r", until="2024-06-10"),
    )
    assert says(document, "2024-05-19", "next-keep-contact") is NOTHING
    assert says(document, "2024-05-20", "next-keep-contact") == "advised"
    assert says(document, "2024-06-10", "next-keep-contact") == "advised"
    assert says(document, "2024-06-11", "next-keep-contact") is NOTHING


def test_the_path_is_led_step_by_step() -> None:
    given = e("2024-01-20", "consent_given", scope="provider", parties=["p"])
    document = case(
        activity(),
        e("2024-01-05", "initiative_taken", service="coaching"),
        e("2024-01-10", "selection_agreed", participants=TOGETHER, client_agrees="yes"),
        coaching_plan("2024-01-15", work_trial_possible="yes"),
        given,
        e("2024-01-25", "implementation_plan_updated", includes_coaching="yes"),
        coaching("2024-02-01"),
        e("2024-02-10", "coaching_phase_reached", phase="profile"),
        e("2024-02-20", "coaching_phase_reached", phase="job_search"),
        trial("2024-03-01", "alongside_activity", planned_end="2024-04-30"),
        e("2024-04-30", "work_trial_ended", outcome="completed"),
        e("2024-05-10", "job_started", kind="open_market"),
        e("2024-06-10", "coaching_interrupted", reason="other", review_on="2024-07-01"),
        e("2024-06-20", "job_ended"),
    )
    for day, expected in (
        ("2024-01-05", {"agree-selection"}),
        ("2024-01-10", {"update-plan", "obtain-consent"}),
        ("2024-01-15", {"obtain-consent", "update-implementation-plan"}),
        ("2024-01-20", {"update-implementation-plan", "start-coaching"}),
        ("2024-01-25", {"start-coaching"}),
        ("2024-02-01", {"make-profile"}),
        ("2024-02-10", {"search-open-market"}),
        ("2024-02-20", {"agree-job", "agree-work-trial"}),
        ("2024-03-01", {"agree-job"}),
        ("2024-03-29", {"agree-job"}),
        ("2024-03-30", {"agree-job", "plan-after-trial"}),
        ("2024-04-30", {"agree-job", "agree-work-trial", "search-open-market", "choose-after-trial"}),
        ("2024-05-10", {"support-at-work"}),
        ("2024-06-20", {"review-interruption"}),
    ):
        found = {key[0][5:] for key in answer(document, day).findings if key[0].startswith("next-")}
        assert found == expected, day
    assert due(document, "2024-03-30", "next-plan-after-trial") == "2024-04-30"
    assert due(document, "2024-06-20", "next-review-interruption") == "2024-07-01"


def test_an_unplanned_trial_end_is_planned_after_two_months() -> None:
    over(case(trial("2024-01-15")), "next-plan-after-trial", d2024_03_15="unknown", d2024_03_16="advised")


def test_needs_are_assessed_between_services() -> None:
    document = case(activity(), e("2024-05-01", "activity_ended", reason="other"))
    over(document, "next-assess-needs", d2024_04_30=NOTHING, d2024_05_01="advised")


def test_an_open_case_always_has_a_next_step() -> None:
    rule = "next-keep-contact"
    assert says(case(), "2024-01-01", rule) == "advised"
    assert says(case(), "2019-12-31", rule) is NOTHING
    assert says(case(activity()), "2024-01-01", rule) is NOTHING  # to ask about work is a step
    retired = case(e("2024-01-01", "outcome_reached", outcome="pension"))
    assert says(retired, "2024-01-01", rule) == "advised"
    assert says(case(e("2024-01-01", "case_closed", reason="died")), "2024-01-01", rule) is NOTHING


def test_a_finding_about_an_ended_episode_gives_no_step() -> None:
    document = case(
        e("2024-01-01", "job_started", kind="open_market"),  # benefit counselling missed: violated, but history
        e("2024-02-01", "job_ended"),
        e("2024-03-01", "interest_asked", wants_to_work="no"),
        e("2024-03-01", "outcome_reached", outcome="studies"),
    )
    assert says(document, "2024-03-01", "next-keep-contact") == "advised"


# --- the generator ---

COMMON = {"date", "type", "id", "by", "recorded_at", "note"}
FIELDS = """
worker_assigned: role worker organisation?
worker_released: role worker organisation?
need_assessed: outcome?
interest_asked: wants_to_work
coaching_info_given:
initiative_taken: service
checklist_answered: answers
selection_agreed: participants client_agrees?
joint_meeting_held: participants
service_decision: service decision start? end? reason?
activity_started: days_per_week? period_end? mode? wall_less?
activity_changed: days_per_week? period_end? mode? wall_less?
activity_paused: reason
activity_resumed: days_per_week?
activity_ended: reason
consent_given: scope parties voluntary? informed? expires_on?
consent_withdrawn: scope parties?
activation_plan_updated: kind? participants valid_until? coaching? work_trial_possible? other_services_possible? \
wage_subsidy_clarified? work_trial? goals?
plan_reviewed: participants
implementation_plan_updated: includes_coaching?
endorsement_recorded: purpose valid_until?
endorsements_checked: purpose result?
statement_issued: measure paying? start end?
statement_withdrawn: measure
coaching_started: provider provider_kind? period_end? goal?
coaching_phase_reached: phase
coaching_renewed: period_end?
coaching_interrupted: reason referred_to? review_on?
coaching_resumed:
coaching_ended: reason
coaching_declined: reason review_on?
work_trial_agreed: start employer?
job_agreed: start employer?
work_trial_started: days_per_week? planned_end? arrangement capacity_considered? record_extract_needed? employer?
work_trial_extended: planned_end
work_trial_ended: outcome
job_started: kind permanent? employer? occupation? hours_per_week?
job_ended: known_on? reason? employer?
outcome_reached: outcome
social_worker_retention_decided: retained reason?
contact: party by form place? purpose? reached? employer? preference_based? minutes?
contact_wish_recorded: wish
benefit_counselling: by_specialist?
economic_support_advised: purpose
follow_up_done: situation
advice_set_aside: rule reason until?
correction: voids
case_closed: reason
case_reopened: reason
"""


def fields_of_the_specification() -> dict[str, tuple[set[str], set[str]]]:
    table = {}
    for line in FIELDS.strip().splitlines():
        type_, _, names = line.partition(":")
        required = {name for name in names.split() if not name.endswith("?")}
        table[type_] = required, {name.rstrip("?") for name in names.split()} | COMMON
    return table


@pytest.mark.parametrize("seed", range(20))
def test_generated_cases_keep_to_the_journals_model(seed: int) -> None:
    rng = random.Random(seed)
    table = fields_of_the_specification()
    for _ in range(20):
        document = random_case(rng)
        entries = document["entries"]
        assert len(entries) <= 45
        ids = [entry.get("id", f"e{number}") for number, entry in enumerate(entries, start=1)]
        assert len(set(ids)) == len(ids)
        for entry in entries:
            required, allowed = table[entry["type"]]
            assert required <= set(entry) <= allowed, entry
            assert "2019-01-01" <= entry["date"] <= "2026-12-31"
            assert entry.get("voids") is None or entry["voids"] in ids
            for period in (entry.get("coaching"), entry.get("work_trial")):
                assert period is None or "start" in period


def test_the_generator_gives_the_same_cases_for_a_seed() -> None:
    one, other = random.Random(7), random.Random(7)
    for _ in range(30):
        first, second = random_case(one), random_case(other)
        assert first == second
        assert random_dates(one, first, 5) == random_dates(other, second, 5)


def test_the_order_of_entries_of_different_days_does_not_matter() -> None:
    rng = random.Random(11)
    for _ in range(100):
        document = random_case(rng)
        for number, entry in enumerate(document["entries"], start=1):
            entry.setdefault("id", f"e{number}")
        shuffled = sorted(document["entries"], key=lambda entry: entry["date"])
        again = {"case": document["case"], "entries": shuffled}
        for day in random_dates(rng, document, 3):
            assert assess(document, day) == assess(again, day)
