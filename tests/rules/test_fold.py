"""The fold: what a date sees of a journal, what absence means, and until when facts hold."""

from typing import Any

import pytest

from rules.facts import FACTS, KINDS
from rules.fold import Folded, Record, Subject, fold, visible_entries
from rules.journal import Case
from tests.helpers import assessor, day, entry, journal


def folded(case: Case, on: str, *, all_subjects: bool = True) -> Folded:
    return fold(assessor().history(case, day(on)), day(on), all_subjects=all_subjects)


def subjects(case: Case, on: str, kind: str) -> list[Subject]:
    return [subject for subject in folded(case, on).subjects if subject.kind == kind]


def facts(on: str, *entries: dict[str, Any], kind: str = "case", **header: Any) -> dict[str, Any]:
    """The facts of the (latest) subject of a kind."""
    return subjects(journal(*entries, **header), on, kind)[-1].facts


# --- what a date sees ---


def test_entries_count_from_their_day_in_order_of_date_then_position() -> None:
    case = journal(
        entry("2024-01-03", "need_assessed"),
        entry("2024-01-01", "need_assessed"),
        entry("2024-01-03", "coaching_info_given"),
    )
    assert [e.id for e in visible_entries(case, day("2024-01-03"))] == ["e2", "e1", "e3"]
    assert [e.id for e in visible_entries(case, day("2024-01-02"))] == ["e2"]
    assert visible_entries(case, day("2023-12-31")) == []


def test_a_correction_voids_from_its_own_day() -> None:
    case = journal(entry("2024-01-01", "need_assessed"), entry("2024-01-05", "correction", voids="e1"))
    assert [e.id for e in visible_entries(case, day("2024-01-04"))] == ["e1"]
    assert [e.id for e in visible_entries(case, day("2024-01-05"))] == ["e2"]


def test_a_voided_correction_restores_its_target() -> None:
    case = journal(
        entry("2024-01-01", "need_assessed"),
        entry("2024-01-05", "correction", voids="e1"),
        entry("2024-01-06", "correction", voids="e2"),
        entry("2024-01-07", "correction", voids="e3"),
    )
    seen = {on: [e.id for e in visible_entries(case, day(f"2024-01-{on:02d}"))] for on in (5, 6, 7)}
    assert seen == {5: ["e2"], 6: ["e1", "e3"], 7: ["e2", "e4"]}


# --- what absence means ---


@pytest.mark.parametrize(
    ("header", "since", "expected"),
    [
        ({}, None, "no"),
        ({"not_recorded": ["contact"]}, None, "unknown"),
        ({"not_recorded": ["need_assessed"]}, None, "no"),
        ({"complete_from": "2024-01-10"}, None, "unknown"),
        ({"complete_from": "2024-01-10"}, "2024-01-09", "unknown"),
        ({"complete_from": "2024-01-10"}, "2024-01-10", "no"),
    ],
)
def test_not_found_is_no_unless_it_may_have_been_left_out(header: Any, since: str | None, expected: str) -> None:
    on = day("2024-06-01")
    record = Record(assessor().history(journal(**header), on), on)
    assert record.absent(("contact",), None if since is None else day(since)) == expected


def test_a_window_that_no_longer_reaches_a_hole_makes_absence_certain() -> None:
    def asked(on: str) -> Any:
        return facts(on, entry("2024-01-01", "activity_started"), complete_from="2024-02-01")["case.interest_asked_on"]

    assert asked("2025-01-31") == "unknown"
    assert asked("2025-02-01") is None


def test_a_service_whose_start_is_not_recorded_may_be_running() -> None:
    found = facts("2024-06-01", not_recorded=["job_started", "activity_started"])
    assert found["case.employed"] == "unknown"
    assert found["case.trial_running"] == "no"


# --- subjects ---


def test_each_run_of_a_chart_is_a_subject_named_by_the_entry_that_began_it() -> None:
    case = journal(
        entry("2024-01-01", "activity_started", id="first"),
        entry("2024-02-01", "activity_paused", id="pause", reason="illness"),
        entry("2024-03-01", "activity_ended", reason="job"),
        entry("2024-04-01", "activity_started", id="second"),
    )
    found = [(s.kind, s.entry, s.current, s.ended) for s in folded(case, "2024-05-01").subjects]
    assert found == [
        ("case", None, True, False),
        ("activity", "first", False, True),
        ("activity", "second", True, False),
        ("pause", "pause", True, True),
    ]
    current = folded(case, "2024-05-01", all_subjects=False).subjects
    assert [s.entry for s in current] == [None, "second", "pause"]


def test_a_plan_update_lets_a_coaching_come_until_it_begins_or_the_plan_is_too_old() -> None:
    plan = entry(
        "2024-01-31", "activation_plan_updated", id="plan", participants=["client"], coaching={"start": "2024-02-05"}
    )
    started = entry("2024-02-05", "coaching_started", id="begun", provider="p")
    to_come = subjects(journal(plan), "2024-02-01", "coaching")
    assert [(s.entry, s.facts["coaching.status"]) for s in to_come] == [("plan", "to_come")]
    begun = subjects(journal(plan, started), "2024-02-05", "coaching")
    assert [(s.entry, s.facts["coaching.status"]) for s in begun] == [("begun", "active")]
    assert subjects(journal(plan), "2025-01-31", "coaching") != []
    assert subjects(journal(plan), "2025-02-01", "coaching") == []


def test_all_running_and_agreed_jobs_are_current_and_the_one_lost_last_until_another_begins() -> None:
    case = journal(
        entry("2024-01-01", "job_started", id="one", kind="open_market", employer="a"),
        entry("2024-02-01", "job_started", id="two", kind="open_market", employer="b"),
        entry("2024-03-01", "job_agreed", id="three", start="2024-04-01", employer="c"),
        entry("2024-03-05", "job_ended", employer="a"),
        entry("2024-04-01", "job_started", id="begun", kind="open_market", employer="c"),
    )

    def current(on: str) -> list[str | None]:
        return [s.entry for s in subjects(case, on, "job") if s.current]

    assert current("2024-02-15") == ["one", "two"]
    assert current("2024-03-01") == ["one", "two", "three"]
    assert current("2024-03-05") == ["one", "two", "three"]
    assert current("2024-04-01") == ["two", "begun"]


def test_the_job_that_ended_last_is_current_when_none_runs() -> None:
    case = journal(
        entry("2024-01-01", "job_started", id="one", kind="open_market", employer="a"),
        entry("2024-02-01", "job_started", id="two", kind="open_market", employer="b"),
        entry("2024-03-01", "job_ended", employer="b"),
        entry("2024-04-01", "job_ended", employer="a"),
    )
    assert [s.entry for s in subjects(case, "2024-04-02", "job") if s.current] == ["one"]


def test_only_the_latest_plan_update_is_judged() -> None:
    case = journal(
        entry("2024-01-01", "activation_plan_updated", participants=["client"]),
        entry("2024-02-01", "activation_plan_updated", participants=["client"]),
    )
    assert [s.entry for s in subjects(case, "2024-02-02", "plan")] == ["e2"]


# --- facts ---


def test_a_wish_is_as_old_as_the_first_yes_of_the_unbroken_run() -> None:
    asked = [
        entry("2024-01-01", "interest_asked", wants_to_work="yes"),
        entry("2024-02-01", "interest_asked", wants_to_work="no"),
        entry("2024-03-01", "interest_asked", wants_to_work="yes"),
        entry("2024-04-01", "interest_asked", wants_to_work="yes"),
    ]
    found = facts("2024-05-01", *asked)
    assert (found["case.interest"], found["case.wish_on"]) == ("yes", day("2024-03-01"))
    declined = facts("2024-05-01", *asked, entry("2024-04-02", "coaching_declined", reason="client_choice"))
    assert (declined["case.interest"], declined["case.wish_on"]) == ("no", None)


def test_days_a_week_left_out_of_a_change_are_as_before() -> None:
    found = facts(
        "2024-03-01",
        entry("2024-01-01", "activity_started", days_per_week=4),
        entry("2024-02-01", "activity_changed", mode="remote"),
        kind="activity",
    )
    assert found["activity.days_per_week"] == 4


def test_a_social_worker_released_is_assigned_no_more() -> None:
    assigned = entry("2024-01-01", "worker_assigned", role="social_worker", worker="w")
    other = entry("2024-01-02", "worker_released", role="social_worker", worker="v")
    released = entry("2024-01-03", "worker_released", role="social_worker", worker="w")
    assert facts("2024-02-01", assigned, other)["case.social_worker_assigned"] == "yes"
    assert facts("2024-02-01", assigned, other, released)["case.social_worker_assigned"] == "no"


# --- how long facts hold ---


def test_facts_hold_until_the_next_day_something_turns_by_itself() -> None:
    one = entry("2024-01-01", "consent_given", scope="basic", parties=["county"], expires_on="2024-03-31")
    assert folded(journal(one), "2024-02-01").holds_until == day("2024-03-31")
    referral = entry("2024-01-31", "initiative_taken", service="coaching")
    assert folded(journal(referral), "2024-02-01").holds_until == day("2024-07-31")


def test_facts_of_an_empty_journal_hold_for_ever() -> None:
    assert folded(journal(), "2024-02-01").holds_until.year == 9999


# --- the vocabulary ---


def test_every_fact_is_declared_with_a_kind_labels_and_where_it_is_read_from() -> None:
    assert {fact.kind for fact in FACTS.values()} == set(KINDS)
    for name, fact in FACTS.items():
        assert fact.name == name == f"{fact.kind}.{fact.field}"
        assert set(fact.labels) == {"fi", "sv", "en"}
        assert fact.read_from
        assert bool(fact.values) == (fact.type in ("enum", "yes_no"))
        assert "unknown" not in fact.values


def test_no_fact_is_read_from_the_checklist() -> None:
    assert not [name for name, fact in FACTS.items() if "checklist" in f"{name} {fact.read_from}"]
