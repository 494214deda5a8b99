"""Next steps: one for each action, most urgent first, never none in an open case."""

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

import pytest

from rules.findings import Finding, SetAside
from rules.fold import Subject
from rules.steps import Step, next_steps
from tests.helpers import answer, assessor, day, entry, journal, pack

TODAY = date(2024, 6, 15)
RULES = {rule.id: rule for rule in pack().editions[-1].rules}
OPEN = MappingProxyType({"case.stage": "activity"})


def finding(
    rule: str,
    outcome: str = "violated",
    due: date | None = None,
    *,
    current: bool = True,
    ended: bool = False,
    aside: bool = False,
    facts: Mapping[str, str] = OPEN,
) -> Finding:
    """A finding of a published rule."""
    subject = Subject(RULES[rule].about, "e1", current, ended, False, dict(facts))
    set_aside = SetAside("e9", "sovittu toisin", None) if aside else None
    return Finding(RULES[rule], subject, outcome, due, (), dict(facts), TODAY, TODAY, set_aside)


def steps(*findings: Finding) -> list[Step]:
    return next_steps(findings, TODAY, closed=False)


def after(days: int) -> date:
    return TODAY + timedelta(days=days)


WORKER, PLAN, MEETING, TELL, PROFILE, PAUSE = (
    "social-worker-assigned",  # obligation
    "ktt-rests-on-activation-plan",  # obligation
    "first-employer-meeting-30d",  # quality
    "tell-all-ktt-clients",  # recommendation
    "next-make-profile",  # information: the path
    "ktt-pause-max-one-month",  # obligation
)


def test_overdue_comes_first_then_due_dates_then_severity() -> None:
    found = steps(
        finding(PROFILE, "advised"),
        finding(TELL, "advised"),
        finding("no-time-limit-or-no-show-end"),
        finding(WORKER),
        finding(MEETING, "advised", after(20)),
        finding(PAUSE, "advised", after(3)),
        finding("plan-review-every-3-months", "violated", after(-2)),
        finding("follow-up-contact-1-3-months", "violated", after(-9)),
    )
    because = [rule for step in found for rule in step.because]
    assert because == [
        "follow-up-contact-1-3-months",
        "plan-review-every-3-months",
        PAUSE,
        MEETING,
        WORKER,
        "no-time-limit-or-no-show-end",
        TELL,
        PROFILE,
    ]


@pytest.mark.parametrize(
    ("rule", "outcome", "days", "status"),
    [
        (PAUSE, "violated", -1, "overdue"),
        (PAUSE, "advised", 0, "due"),
        (PAUSE, "advised", 7, "due"),
        (PAUSE, "advised", 8, "can_do"),
        (WORKER, "violated", None, "do_now"),
        (TELL, "advised", None, "can_do"),
        ("no-time-limit-or-no-show-end", "violated", None, "can_do"),
        (PLAN, "violated", None, "do_now"),
    ],
)
def test_the_status_says_how_urgent_a_step_is(rule: str, outcome: str, days: int | None, status: str) -> None:
    (step,) = steps(finding(rule, outcome, None if days is None else after(days)))
    assert step.status == status


def test_one_action_is_one_step_for_the_role_of_its_most_urgent_rule() -> None:
    (step,) = steps(finding("as-preauthorises-trial"), finding("as-update-on-trial"), finding(PLAN))
    assert step.action == "update_plan"
    assert set(step.because) == {"as-preauthorises-trial", "as-update-on-trial", PLAN}
    assert step.because[-1] == "as-preauthorises-trial", "the obligations stand first"
    assert step.role == RULES[step.because[0]].role


def test_a_step_takes_the_earliest_due_date_of_its_rules() -> None:
    one, other = finding(MEETING, "advised", after(20)), finding(MEETING, "violated", after(-1))
    (step,) = steps(one, other)
    assert (step.due, step.status, step.because) == (after(-1), "overdue", (MEETING,))


@pytest.mark.parametrize("outcome", ["satisfied", "remedied", "unknown"])
def test_what_is_not_open_gives_no_step(outcome: str) -> None:
    assert [step.action for step in steps(finding(WORKER, outcome))] == ["keep_contact"]


def test_history_gives_no_step_unless_the_rule_is_about_the_ending() -> None:
    assert [step.action for step in steps(finding(MEETING, ended=True))] == ["keep_contact"]
    assert [step.action for step in steps(finding(MEETING, current=False))] == ["keep_contact"]
    (step,) = steps(finding("follow-up-contact-1-3-months", ended=True))
    assert step.action == "follow_up"


def test_when_all_advice_is_set_aside_contact_is_kept() -> None:
    (step,) = steps(finding(WORKER, aside=True), finding(PLAN, aside=True))
    assert step == Step("keep_contact", "social_worker", None, "can_do", ())
    assert steps() == [step]


def test_a_closed_case_needs_no_step() -> None:
    assert next_steps([finding(WORKER, "satisfied")], TODAY, closed=True) == []
    closed = journal(entry("2024-01-01", "activity_started"), entry("2024-01-31", "case_closed", reason="moved"))
    assert answer(closed, day("2024-02-01"))["next_steps"] == []


def test_a_closed_case_with_a_wrong_record_asks_to_correct_it_and_nothing_else() -> None:
    wrong = journal(
        entry("2024-01-01", "activity_ended", reason="job"), entry("2024-01-31", "case_closed", reason="moved")
    )
    assert [step["action"] for step in answer(wrong, day("2024-02-01"))["next_steps"]] == ["correct_record"]


def test_a_closed_case_before_any_rule_was_in_force_needs_no_step() -> None:
    closed = journal(entry("2014-01-01", "activity_started"), entry("2014-01-31", "case_closed", reason="moved"))
    assert answer(closed, day("2014-02-01"))["next_steps"] == []


def test_a_step_names_the_action_the_situation_calls_for() -> None:
    """A consent withdrawn while coaching runs: stop sharing, do not just ask again."""
    case = journal(
        entry("2024-01-01", "consent_given", scope="provider", parties=["p"], voluntary="yes", informed="yes"),
        entry("2024-01-02", "coaching_started", provider="p", provider_kind="private"),
    )
    withdrawn = journal(
        entry("2024-01-02", "coaching_started", provider="p", provider_kind="private"),
        entry("2024-01-03", "consent_withdrawn", scope="provider"),
    )
    on = day("2024-01-04")
    actions = {
        name: [step.action for step in assessor().assess(c, on).next_steps]
        for name, c in (("a", case), ("b", withdrawn))
    }
    assert "stop_sharing" in actions["b"]
    assert not {"stop_sharing", "obtain_consent"} & set(actions["a"])
