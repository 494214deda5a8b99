"""Rules on the activity, its plans, its pauses and its ending (§4.1)."""

from __future__ import annotations

from datetime import date

from .oracle_charts import Episode
from .oracle_journal import Entry
from .oracle_values import (
    NOT_APPLICABLE,
    OPEN,
    REMEDIED,
    SATISFIED,
    UNKNOWN,
    VIOLATED,
    Answer,
    add_days,
    add_months,
    advised,
    any_of,
    done_by,
    joined_end,
    judge,
    term,
    violated,
)
from .oracle_view import View, planned_end, rule, when_it_ended

REVIEW_MONTHS = 3  # "latest update or review + 3 months"
REVIEW_WARN_DAYS = 14  # "advised from 14 days before (LC)"
DECISION_WARN_DAYS = 30  # "advised from 30 days before its end (LC)"
TS_AFTER_DAYS = 30  # "activity active for over 30 days (LC)"
PAUSE_MAX_MONTHS = 1  # "limit: pause + 1 month"
PAUSE_WARN_DAYS = 7  # "advised from 7 days before (LC)"
CRITICAL_POINT_MONTHS = 3  # "its period end within 3 months (LC) or passed"
FOLLOW_UP_FROM_MONTHS = 1  # "from end + 1 month"
FOLLOW_UP_LIMIT_MONTHS = 3  # "limit end + 3 months"
DAYS_PER_WEEK_MIN, DAYS_PER_WEEK_MAX = 1, 4  # "1 ≤ days ≤ 4"
PERIOD_MIN_MONTHS, PERIOD_MAX_MONTHS = 3, 24  # "start + 3 months - 1 day ≤ end ≤ start + 24 months"


def activity_days(activity: Episode) -> int | None:
    """The weekly days now: the latest given by start, change or resumption."""
    days = None
    for step in activity.steps:
        if step.type in ("activity_started", "activity_changed", "activity_resumed"):
            given = step.get("days_per_week")
            days = days if given is None else given
    return days


def current_period(activity: Episode) -> tuple[date, date] | None:
    """Start and end of the latest period whose end was given."""
    period = None
    for step in activity.steps:
        if step.type in ("activity_started", "activity_changed"):
            end = step.day("period_end")
            period = period if end is None else (step.date, end)
    return period


def when_its_period_began(v: View, activity: Episode) -> date | None:
    period = current_period(activity)
    return None if period is None else period[0]


# --- plans and decisions ---


@rule("ktt-rests-on-activation-plan", "activity")
def ktt_rests_on_activation_plan(v: View, activity: Episode) -> Answer:
    if not v.activity_is_active(activity):
        return NOT_APPLICABLE
    plan = v.journal.latest("activation_plan_updated")
    if plan is None:
        return judge(True, v.journal.absent("activation_plan_updated"))
    valid_until = plan.day("valid_until")
    if valid_until is None or valid_until >= v.today:
        return SATISFIED
    return violated(valid_until)


@rule("plan-review-every-3-months", "activity")
def plan_review_every_3_months(v: View, activity: Episode) -> Answer:
    if not v.activity_is_active(activity):
        return NOT_APPLICABLE
    plan = v.journal.latest("activation_plan_updated")
    if plan is None:
        return judge(v.journal.absent("activation_plan_updated"), None)
    reviews = [r.date for r in v.journal.of("plan_reviewed") if r.date >= plan.date]
    if not reviews and v.journal.absent("plan_reviewed", since=plan.date) is None:
        return UNKNOWN  # there may be a review we cannot see
    limit = add_months(max([plan.date, *reviews]), REVIEW_MONTHS)
    return term(limit, add_days(limit, -REVIEW_WARN_DAYS), v.today)


def granted_spans(v: View) -> list[tuple[date, date]]:
    """First and last day of each granted decision for activity, cut by later decisions that end it."""
    decisions = [d for d in v.journal.of("service_decision") if d.get("service") == "activity"]
    spans = []
    for decision in decisions:
        if decision.get("decision") != "granted":
            continue
        last = decision.day("end") or OPEN
        for ended in decisions:
            if ended.get("decision") == "ended" and ended.order > decision.order:
                last = min(last, ended.day("end") or ended.date)
        spans.append((decision.day("start") or decision.date, last))
    return spans


@rule("service-decision-current", "activity")
def service_decision_current(v: View, activity: Episode) -> Answer:
    if not v.activity_is_active(activity):
        return NOT_APPLICABLE
    last = joined_end(granted_spans(v), v.today)
    if last is None:
        return judge(True, v.journal.absent("service_decision"))
    if last != OPEN and v.today >= add_days(last, -DECISION_WARN_DAYS):
        return advised(last)
    return SATISFIED


@rule("ts-drawn-with-social-instructor", "activity")
def ts_drawn_with_social_instructor(v: View, activity: Episode) -> Answer:
    if not v.activity_is_active(activity) or not add_days(activity.start, TS_AFTER_DAYS) < v.today:
        return NOT_APPLICABLE
    if any(p.date >= activity.start for p in v.journal.of("implementation_plan_updated")):
        return SATISFIED
    return judge(True, v.journal.absent("implementation_plan_updated", since=activity.start))


# --- weekly days and periods ---


@rule("days-per-week-1-4", "activity")
def days_per_week_1_4(v: View, activity: Episode) -> Answer:
    if not v.activity_is_active(activity):
        return NOT_APPLICABLE
    days = activity_days(activity)
    return judge(True, None if days is None else DAYS_PER_WEEK_MIN <= days <= DAYS_PER_WEEK_MAX)


@rule("activity-period-3-24-months", "activity", event=when_its_period_began)
def activity_period_3_24_months(v: View, activity: Episode) -> Answer:
    period = current_period(activity)
    assert period is not None
    start, end = period
    shortest = add_days(add_months(start, PERIOD_MIN_MONTHS), -1)
    return judge(True, shortest <= end <= add_months(start, PERIOD_MAX_MONTHS))


@rule("critical-point-ktt-end", "activity")
def critical_point_ktt_end(v: View, activity: Episode) -> Answer:
    if not v.activity_is_active(activity):
        return NOT_APPLICABLE
    period = current_period(activity)
    near = None if period is None else v.today >= add_months(period[1], -CRITICAL_POINT_MONTHS)
    return judge(near, any_of(v.runs("coaching"), v.runs("trial"), v.runs("job"), v.referral_under_way))


# --- pauses ---


def paused_for_trial(pause: Episode) -> bool:
    return pause.running and pause.began().get("reason") == "work_trial"


@rule("ktt-pause-max-one-month", "pause")
def ktt_pause_max_one_month(v: View, pause: Episode) -> Answer:
    if not paused_for_trial(pause):
        return NOT_APPLICABLE
    limit = add_months(pause.start, PAUSE_MAX_MONTHS)
    return term(limit, add_days(limit, -PAUSE_WARN_DAYS), v.today)


@rule("ktt-ends-if-trial-continues", "pause")
def ktt_ends_if_trial_continues(v: View, pause: Episode) -> Answer:
    trial = v.latest_trial
    if not paused_for_trial(pause) or trial is None or not trial.running:
        return NOT_APPLICABLE
    limit = add_months(pause.start, PAUSE_MAX_MONTHS)
    end = planned_end(trial)
    if end is not None and end <= limit:
        return NOT_APPLICABLE
    return advised(limit) if v.today <= limit else violated(limit)


# --- the ending ---


@rule("ktt-and-ot-not-ended-by-coaching", "activity", event=when_it_ended, about_the_ending=True)
def ktt_and_ot_not_ended_by_coaching(v: View, activity: Episode) -> Answer:
    return judge(True, activity.ended_by().get("reason") != "coaching_started")


@rule("ot-may-stay-after-ktt", "activity", event=when_it_ended, about_the_ending=True)
def ot_may_stay_after_ktt(v: View, activity: Episode) -> Answer:
    end = activity.end
    assert end is not None
    decisions: list[Entry] = v.journal.of("social_worker_retention_decided")
    if any(activity.start <= d.date <= end for d in decisions):
        return SATISFIED
    if v.journal.absent("social_worker_retention_decided", since=activity.start) is None:
        return UNKNOWN
    before_next = date.max if activity.next is None else activity.next.start
    return REMEDIED if any(end < d.date < before_next for d in decisions) else VIOLATED


@rule("follow-up-contact-1-3-months", "activity", event=when_it_ended, about_the_ending=True)
def follow_up_contact_1_3_months(v: View, activity: Episode) -> Answer:
    end = activity.end
    assert end is not None
    first_day = add_months(end, FOLLOW_UP_FROM_MONTHS)
    if v.today < first_day:
        return NOT_APPLICABLE
    done = [f.date for f in v.journal.of("follow_up_done") if f.date >= first_day]
    none = v.journal.absent("follow_up_done", since=first_day)
    return done_by(add_months(end, FOLLOW_UP_LIMIT_MONTHS), v.today, done, [], none)
