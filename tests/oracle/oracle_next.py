"""What comes next on the path (§4.2), and the rule that no entry breaks a statechart."""

from __future__ import annotations

from .oracle_charts import PHASES, STARTS, Episode
from .oracle_referral import any_consent
from .oracle_values import (
    ADVISED,
    NOT_APPLICABLE,
    UNKNOWN,
    Answer,
    Truth,
    add_months,
    advise_when,
    advised,
    all_of,
    judge,
    negate,
)
from .oracle_view import View, planned_end, rule

LAST_MONTHS_OF_TRIAL = 1  # "last month before its planned end"
LONG_TRIAL_MONTHS = 2  # "or over 2 months run"


@rule("path-inconsistent", "case")
def path_inconsistent(v: View, case: Episode) -> Answer:
    return judge(True, not v.charts.inconsistent)


@rule("next-agree-selection", "case")
def next_agree_selection(v: View, case: Episode) -> Answer:
    return advise_when(v.charts.referral == "initiated")


@rule("next-update-plan", "case")
def next_update_plan(v: View, case: Episode) -> Answer:
    return advise_when(v.charts.referral == "agreed")


def consent_to_obtain(v: View) -> Truth:
    return all_of(v.charts.referral in ("agreed", "planned"), negate(any_consent(v, "provider")))


@rule("next-obtain-consent", "case")
def next_obtain_consent(v: View, case: Episode) -> Answer:
    return advise_when(consent_to_obtain(v))


@rule("next-update-implementation-plan", "case")
def next_update_implementation_plan(v: View, case: Episode) -> Answer:
    if v.charts.referral != "planned" or not v.activity_is_active():
        return NOT_APPLICABLE
    since = [p for p in v.journal.of("activation_plan_updated") if p.part("coaching") is not None][-1].date
    records = [p.yes("includes_coaching") for p in v.journal.of("implementation_plan_updated") if p.date >= since]
    if True in records:
        return NOT_APPLICABLE
    if None in records:
        return UNKNOWN
    return advise_when(negate(v.journal.absent("implementation_plan_updated", since=since)))


@rule("next-start-coaching", "case")
def next_start_coaching(v: View, case: Episode) -> Answer:
    return advise_when(all_of(v.charts.referral == "planned", negate(v.runs("coaching")), negate(consent_to_obtain(v))))


@rule("next-make-profile", "case")
def next_make_profile(v: View, case: Episode) -> Answer:
    return advise_when(v.charts.coaching == "agreement")


@rule("next-search-open-market", "case")
def next_search_open_market(v: View, case: Episode) -> Answer:
    if v.charts.coaching == "profile":
        return ADVISED
    if v.charts.coaching not in PHASES:
        return NOT_APPLICABLE
    entry = v.charts.phase_entry
    assert entry is not None
    ends = [e.end for e in v.charts.trials + v.charts.jobs if e.end is not None]
    back = bool(ends) and max(ends) >= v.charts.coachings[-1].start and max(ends) >= entry.date
    return advise_when(all_of(back, negate(v.runs("trial")), negate(v.runs("job"))))


def job_is_agreed(v: View) -> bool:
    """An agreed job neither begun nor replaced, its first day not past."""
    return any(job.pending and v.today <= job.start for job in v.subjects["job"])


def trial_is_agreed(v: View) -> bool:
    """An agreed trial with no trial begun since, its first day not past."""
    begun = v.journal.latest("work_trial_started")
    for agreed in v.journal.of("work_trial_agreed"):
        first_day = agreed.day("start")
        assert first_day is not None
        if v.today <= first_day and (begun is None or agreed.order > begun.order):
            return True
    return False


@rule("next-agree-job", "case")
def next_agree_job(v: View, case: Episode) -> Answer:
    searching = v.charts.coaching == "job_search"
    return advise_when(all_of(searching, negate(v.runs("job")), not job_is_agreed(v)))


@rule("next-agree-work-trial", "case")
def next_agree_work_trial(v: View, case: Episode) -> Answer:
    if v.charts.coaching != "job_search":
        return NOT_APPLICABLE
    coaching = v.charts.coachings[-1]
    plan = v.its_plan(coaching)
    possible = v.its_plan_exists(coaching) if plan is None else plan.yes("work_trial_possible")
    return advise_when(all_of(negate(v.runs("trial")), negate(v.runs("job")), not trial_is_agreed(v), possible))


@rule("next-plan-after-trial", "trial")
def next_plan_after_trial(v: View, trial: Episode) -> Answer:
    if not trial.running:
        return NOT_APPLICABLE
    end = planned_end(trial)
    if v.today > add_months(trial.start, LONG_TRIAL_MONTHS):
        return advised(end)
    if end is None:
        return UNKNOWN
    return advised(end) if v.today >= add_months(end, -LAST_MONTHS_OF_TRIAL) else NOT_APPLICABLE


@rule("next-choose-after-trial", "trial", about_the_ending=True)
def next_choose_after_trial(v: View, trial: Episode) -> Answer:
    if trial is not v.latest_trial or trial.end is None or trial.ended_by().get("outcome") != "completed":
        return NOT_APPLICABLE
    begun_since = any(e.order > trial.ended_by().order for e in v.journal.of(*STARTS))
    return advise_when(not begun_since)


@rule("next-support-at-work", "case")
def next_support_at_work(v: View, case: Episode) -> Answer:
    return advise_when(v.charts.employment == "employed")


@rule("next-assess-needs", "case")
def next_assess_needs(v: View, case: Episode) -> Answer:
    return advise_when(v.charts.stage == "between_services")


@rule("next-review-interruption", "case")
def next_review_interruption(v: View, case: Episode) -> Answer:
    if v.charts.stage != "coaching_interrupted":
        return NOT_APPLICABLE
    return advised(v.journal.of("coaching_interrupted")[-1].day("review_on"))
