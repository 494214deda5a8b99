"""Findings: which version of a rule judged what, what is missing, what was set aside, and how it is written."""

from typing import Any

import pytest

from rules.findings import caution_text, finding_json
from rules.journal import load_case
from tests.helpers import SIRPA, day, entry, finding, findings, journal, outcomes, pack, with_entries


def trial(on: str, end: str, **fields: Any) -> dict[str, Any]:
    return entry(on, "work_trial_started", planned_end=end, arrangement="activity_ended", **fields)


# --- versions ---


def test_an_event_is_judged_by_the_version_in_force_on_its_day() -> None:
    ended = [
        entry("2019-06-01", "coaching_started", provider="p"),
        entry("2019-12-31", "coaching_ended", reason="symptoms"),
    ]
    assert not [
        f for f in findings(journal(*ended), "2024-01-01", history=True) if f.rule.id == "open-access-no-screening"
    ]
    on_first_day = journal(ended[0], entry("2020-01-01", "coaching_ended", reason="symptoms"))
    found = finding(on_first_day, "2024-01-01", "open-access-no-screening")
    assert (found.outcome, found.judged_on) == ("violated", day("2020-01-01"))


def test_other_rules_are_judged_by_the_version_in_force_on_the_evaluation_date() -> None:
    case = journal(trial("2024-08-01", "2025-03-01"))
    assert "trial-max-six-months" not in outcomes(case, "2024-12-31")
    found = finding(case, "2025-01-01", "trial-max-six-months")
    assert (found.outcome, found.judged_on) == ("violated", day("2025-01-01"))


def test_a_rule_out_of_force_says_nothing() -> None:
    case = journal(entry("2024-01-01", "activity_started"))
    assert outcomes(case, "2024-12-31")["basic-consent-before-ktt"] == "violated"
    assert "basic-consent-before-ktt" not in outcomes(case, "2025-01-01")


# --- what is missing ---


def test_an_unknown_finding_names_the_recorded_facts_that_are_missing() -> None:
    case = journal(entry("2024-01-01", "activity_started"))
    found = finding(case, "2024-02-01", "days-per-week-1-4")
    assert (found.outcome, found.missing) == ("unknown", ("activity.days_per_week",))
    period = finding(case, "2024-02-01", "critical-point-ktt-end")
    assert period.missing == ("activity.period_end",), "not the deadline derived from it"


def test_a_fact_that_would_change_nothing_is_not_missing() -> None:
    case = journal(
        entry("2024-01-01", "coaching_started", provider="p", provider_kind="public"), not_recorded=["consent_given"]
    )
    assert "extra-consent-for-provider" not in outcomes(case, "2024-02-01")


# --- due dates ---


def test_the_due_date_is_shown_while_open_and_not_once_done() -> None:
    start = entry("2024-01-31", "coaching_started", provider="p")
    met = entry("2024-02-15", "contact", party="employer", form="face_to_face", by="job_coach")
    rule = "first-employer-meeting-30d"
    assert finding(journal(start), "2024-03-01", rule).due == day("2024-03-01")
    assert (finding(journal(start), "2024-03-02", rule).outcome, finding(journal(start), "2024-03-02", rule).due) == (
        "violated",
        day("2024-03-01"),
    )
    assert (
        finding(journal(start, met), "2024-03-02", rule).outcome,
        finding(journal(start, met), "2024-03-02", rule).due,
    ) == (
        "satisfied",
        None,
    )


# --- advice set aside ---

WEEK = journal(entry("2024-01-01", "activity_started", days_per_week=5))
RULE = "days-per-week-1-4"


def aside(on: str, until: str | None = None, rule: str = RULE) -> dict[str, Any]:
    fields = {"rule": rule, "reason": "sovittu lääkärin kanssa", "id": f"aside-{on}"}
    return entry(on, "advice_set_aside", **fields, **({"until": until} if until else {}))


@pytest.mark.parametrize(
    ("until", "on", "standing"),
    [(None, "2025-01-01", True), ("2024-02-01", "2024-02-01", True), ("2024-02-01", "2024-02-02", False)],
)
def test_a_choice_stands_until_its_last_day(until: str | None, on: str, standing: bool) -> None:
    found = finding(with_entries(WEEK, aside("2024-01-10", until)), on, RULE)
    assert found.outcome == "violated"
    assert (found.set_aside is not None) == standing
    assert found.gives_step == (not standing)
    if found.set_aside is not None:
        assert (found.set_aside.entry, found.set_aside.reason) == ("aside-2024-01-10", "sovittu lääkärin kanssa")


def test_the_latest_choice_counts() -> None:
    case = with_entries(WEEK, aside("2024-01-10"), aside("2024-01-20", "2024-01-31"))
    assert finding(case, "2024-02-01", RULE).set_aside is None


def test_a_choice_about_another_rule_sets_nothing_aside() -> None:
    assert finding(with_entries(WEEK, aside("2024-01-10", rule="tell-all-ktt-clients")), "2024-02-01", RULE).gives_step


def test_what_is_in_order_is_not_set_aside() -> None:
    fine = journal(entry("2024-01-01", "activity_started", days_per_week=4))
    assert finding(with_entries(fine, aside("2024-01-10")), "2024-02-01", RULE).set_aside is None


# --- rules that build on findings ---


def test_keeping_contact_is_advised_exactly_when_nothing_else_is_open() -> None:
    assert outcomes(journal(), "2024-01-01") == {"path-inconsistent": "satisfied", "next-keep-contact": "advised"}
    assert "next-keep-contact" not in outcomes(WEEK, "2024-02-01")


def test_coaching_is_not_offered_before_consent() -> None:
    plan = entry("2024-01-01", "activation_plan_updated", participants=["client"], coaching={"start": "2024-02-01"})
    before = outcomes(journal(plan), "2024-01-02")
    assert before["next-obtain-consent"] == "advised"
    assert "next-start-coaching" not in before
    given = entry("2024-01-02", "consent_given", scope="provider", parties=["p"])
    assert outcomes(journal(plan, given), "2024-01-02")["next-start-coaching"] == "advised"
    unsure = outcomes(journal(plan, not_recorded=["consent_given"]), "2024-01-02")
    assert unsure["next-obtain-consent"] == unsure["next-start-coaching"] == "unknown"


# --- as JSON ---


def test_a_finding_is_written_as_spec_shows_it() -> None:
    found = finding_json(finding(load_case(SIRPA), "2022-09-05", "first-employer-meeting-30d"), "en")
    assert found["rule"] == "first-employer-meeting-30d"
    assert (found["outcome"], found["severity"], found["due"]) == ("advised", "quality", "2022-10-05")
    assert found["subject"] == {"kind": "coaching", "entry": "e5", "current": True}
    assert all(isinstance(value, str | int | None) for value in found["facts"].values())
    assert set(found["facts"]) == set(
        finding(load_case(SIRPA), "2022-09-05", "first-employer-meeting-30d").rule.reads()
    )


def test_a_caution_is_shown_from_its_day_on() -> None:
    (rule,) = pack().versions("trial-parallel-two-statements")
    assert caution_text(rule, day("2024-12-31"), "fi") is None
    shown = {lang: caution_text(rule, day("2025-01-01"), lang) for lang in ("fi", "sv", "en")}
    assert all(shown.values())
    assert len(set(shown.values())) == 3
    (plain,) = pack().versions("next-keep-contact")
    assert caution_text(plain, day("2025-01-01"), "fi") is None
    (pause,) = pack().versions("ktt-pause-max-one-month")
    assert caution_text(pause, day("2020-01-01"), "en")
