"""Rules on the plan update, the coaching and its ending (§4.1)."""

from __future__ import annotations

from .oracle_charts import Episode
from .oracle_values import (
    NOT_APPLICABLE,
    REMEDIED,
    SATISFIED,
    UNKNOWN,
    VIOLATED,
    Answer,
    Truth,
    add_days,
    add_months,
    advise_when,
    all_of,
    any_of,
    done_by,
    judge,
    negate,
    term,
    violated,
)
from .oracle_view import View, rule, when_it_began, when_it_ended

RENEWAL_MONTHS = 3  # "its period_end, else its date + 3 months"
RENEWAL_WARN_DAYS = 14  # "advised from 14 days before (LC)"
FIRST_EMPLOYER_DAYS = 30  # "limit start + 30 days"
TRANSITION_DAYS = 30  # "coaching ended since 30 days before its start (LC)"
HIRE_SUPPORT_MONTHS = 12  # "coaching ended within 12 months after a job start"


@rule("as-update-before-coaching", "coaching", event=when_it_began)
def as_update_before_coaching(v: View, coaching: Episode) -> Answer:
    if not coaching.running:
        return NOT_APPLICABLE
    in_time = v.its_plan_exists(coaching)
    if in_time is None:
        return UNKNOWN
    if in_time:
        return SATISFIED
    updates = [p for p in v.journal.of("activation_plan_updated") if p.part("coaching") is not None]
    return REMEDIED if any(p.date > coaching.start for p in updates) else VIOLATED


@rule("as-records-coaching-period", "coaching", event=when_it_began)
def as_records_coaching_period(v: View, coaching: Episode) -> Answer:
    plan = v.its_plan(coaching)
    if plan is None:
        return judge(v.its_plan_exists(coaching), None)
    period = plan.part("coaching")
    assert period is not None
    return judge(True, period.day("start") is not None and period.day("end") is not None)


@rule("as-records-coaching-during-ktt", "coaching")
def as_records_coaching_during_ktt(v: View, coaching: Episode) -> Answer:
    if not v.activity_is_active():
        return NOT_APPLICABLE
    plan = v.its_plan(coaching)
    if plan is None:
        return judge(v.its_plan_exists(coaching), None)
    period = plan.part("coaching")
    assert period is not None
    return judge(True, period.yes("alongside_activity"))


def its_plan_says(v: View, coaching: Episode, field: str) -> Answer:
    plan = v.its_plan(coaching)
    if plan is None:
        return judge(v.its_plan_exists(coaching), None)
    return judge(True, plan.yes(field))


@rule("as-preauthorises-trial", "coaching")
def as_preauthorises_trial(v: View, coaching: Episode) -> Answer:
    return its_plan_says(v, coaching, "work_trial_possible")


@rule("as-preauthorises-other-te", "coaching")
def as_preauthorises_other_te(v: View, coaching: Episode) -> Answer:
    return its_plan_says(v, coaching, "other_services_possible")


@rule("as-clarifies-wage-subsidy", "coaching")
def as_clarifies_wage_subsidy(v: View, coaching: Episode) -> Answer:
    return its_plan_says(v, coaching, "wage_subsidy_clarified")


@rule("omatyontekija-always-in-plan-meeting", "plan", event=when_it_began)
def omatyontekija_always_in_plan_meeting(v: View, plan: Episode) -> Answer:
    roles = plan.began().get("participants")
    kind = plan.began().get("kind")
    multi_sector: Truth = None if kind is None else kind == "multi_sector_plan"
    own_worker = any_of("social_worker" in roles, all_of(multi_sector, "work_ability_team" in roles))
    return judge(True, all_of("client" in roles, own_worker, "employment_coach" in roles))


@rule("ts-records-coaching", "coaching")
def ts_records_coaching(v: View, coaching: Episode) -> Answer:
    if not v.coaching_is_active(coaching) or not v.activity_is_active():
        return NOT_APPLICABLE
    plan = v.its_plan(coaching)
    since = coaching.start if plan is None else plan.date
    records = [p.yes("includes_coaching") for p in v.journal.of("implementation_plan_updated") if p.date >= since]
    if True in records:
        return SATISFIED
    if None in records or v.its_plan_exists(coaching) is None:
        return UNKNOWN
    return judge(True, v.journal.absent("implementation_plan_updated", since=since))


@rule("coaching-renewal-individual", "coaching")
def coaching_renewal_individual(v: View, coaching: Episode) -> Answer:
    if not v.coaching_is_active(coaching):
        return NOT_APPLICABLE
    start = coaching.began()
    renewals = [r for r in v.journal.of("coaching_renewed") if r.order > start.order]
    if not renewals and v.journal.absent("coaching_renewed", since=coaching.start) is None:
        return UNKNOWN  # there may be a renewal we cannot see
    latest = renewals[-1] if renewals else start
    limit = latest.day("period_end") or add_months(latest.date, RENEWAL_MONTHS)
    return term(limit, add_days(limit, -RENEWAL_WARN_DAYS), v.today)


@rule("first-employer-meeting-30d", "coaching", event=when_it_began)
def first_employer_meeting_30d(v: View, coaching: Episode) -> Answer:
    limit = add_days(coaching.start, FIRST_EMPLOYER_DAYS)
    if coaching.to_come or (coaching.end is not None and coaching.end <= limit):
        return NOT_APPLICABLE
    meetings = [
        e.date
        for e in v.journal.of("contact")
        if e.get("party") == "employer" and e.get("form") == "face_to_face" and e.get("reached") != "no"
        if e.date >= coaching.start and (coaching.end is None or e.date <= coaching.end)
    ]
    return done_by(limit, v.today, meetings, [], v.journal.absent("contact", since=coaching.start))


@rule("redirect-work-ability-support", "coaching")
def redirect_work_ability_support(v: View, coaching: Episode) -> Answer:
    if not coaching.running or v.charts.coaching != "interrupted":
        return NOT_APPLICABLE
    interruption = v.journal.of("coaching_interrupted")[-1]
    review_on = interruption.day("review_on")
    if review_on is not None and review_on >= v.today:
        return SATISFIED
    return violated(review_on)


@rule("support-does-not-end-at-hire", "coaching", event=when_it_ended, about_the_ending=True)
def support_does_not_end_at_hire(v: View, coaching: Episode) -> Answer:
    end = coaching.end
    assert end is not None
    job_then: Truth = any(
        job.start <= end <= add_months(job.start, HIRE_SUPPORT_MONTHS) and (job.end is None or job.end > end)
        for job in v.charts.jobs
    )
    if job_then is False and "job_started" in v.journal.not_recorded:
        job_then = None
    applies = all_of(job_then, v.wish_for_support(until=end) != "none")
    return judge(applies, coaching.ended_by().get("reason") in ("client_choice", "moved"))


@rule("transition-support-retained", "trial")
def transition_support_retained(v: View, trial: Episode) -> Answer:
    coaching = v.latest_coaching
    if not trial.running or v.charts.coaching != "ended" or coaching is None or coaching.end is None:
        return NOT_APPLICABLE
    ended_lately = add_days(coaching.end, TRANSITION_DAYS) >= trial.start
    other_reason = coaching.ended_by().get("reason") not in ("client_choice", "moved")
    return advise_when(ended_lately and other_reason)


# --- the case around it ---


@rule("social-worker-assigned", "case")
def social_worker_assigned(v: View, case: Episode) -> Answer:
    applies = v.runs("activity") is True or v.runs("coaching") is True or v.runs("trial") is True
    return judge(applies, v.social_worker_assigned())


@rule("nobody-left-between-services", "case")
def nobody_left_between_services(v: View, case: Episode) -> Answer:
    charts = v.charts
    some_ended = "ended" in (charts.activity, charts.coaching, charts.work_trial, charts.employment)
    coaching_active = False if charts.coaching == "interrupted" else v.runs("coaching")
    applies = all_of(
        some_ended,
        negate(v.runs("activity")),
        negate(coaching_active),
        negate(v.runs("trial")),
        negate(v.runs("job")),
    )
    assignment = v.social_worker_assignment()
    stays: Truth = None
    if assignment is not None:
        decisions = [d for d in v.journal.of("social_worker_retention_decided") if d.order > assignment.order]
        stays = decisions[-1].yes("retained") if decisions else True
    return judge(applies, all_of(v.social_worker_assigned(), stays))


@rule("follow-up-reconnect", "case")
def follow_up_reconnect(v: View, case: Episode) -> Answer:
    follow_up = v.journal.latest("follow_up_done")
    if follow_up is None:
        return advise_when(v.journal.absent("follow_up_done"))
    if follow_up.get("situation") != "needs_support":
        return NOT_APPLICABLE
    answers = v.journal.of("need_assessed", "activation_plan_updated")
    if any(a.date >= follow_up.date for a in answers):
        return NOT_APPLICABLE
    return advise_when(negate(v.journal.absent("need_assessed", "activation_plan_updated", since=follow_up.date)))
