"""Rules on work trials (§4.1)."""

from __future__ import annotations

from datetime import date

from .oracle_activity import activity_days
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
    Truth,
    add_days,
    add_months,
    advise_when,
    advised,
    all_of,
    any_of,
    done_by,
    joined_end,
    judge,
    negate,
    violated,
    within_months_before,
)
from .oracle_view import View, planned_end, rule, when_it_began

ENDORSEMENT_MONTHS = 12  # "in the 12 months (LC) up to its start"
DAYS_TOGETHER_MAX = 5  # "activity days + trial days ≤ 5"
FAILURE_DAYS = 14  # "limit 14 days (LC)"
FIRST_MONTH_MONTHS = 1  # "within the trial's first month"
TRIAL_MAX_MONTHS = 6  # "≤ start + 6 months"


# --- the plan update and the endorsements ---


def plan_covers(plan: Entry, day: date | None) -> Truth:
    """Does the plan's trial period hold this day? Its end left out, or a day not given, is unknown."""
    period = plan.part("work_trial")
    assert period is not None
    start, end = period.day("start"), period.day("end")
    if day is None:
        return None
    assert start is not None
    if day < start:
        return False
    return None if end is None else day <= end


def some_plan_covers(v: View, days: list[date | None], by: date) -> Truth:
    """One plan naming the trial, dated no later than ``by``, covers all these days."""
    answers: list[Truth] = []
    for plan in v.journal.of("activation_plan_updated"):
        if plan.part("work_trial") is not None and plan.date <= by:
            answers.append(all_of(*(plan_covers(plan, day) for day in days)))
    found = any_of(*answers)
    return v.journal.absent("activation_plan_updated") if found is False else found


@rule("as-update-on-trial", "trial", event=when_it_began)
def as_update_on_trial(v: View, trial: Episode) -> Answer:
    first: list[date | None] = [trial.start, trial.began().day("planned_end")]
    extensions = [s for s in trial.steps if s.type == "work_trial_extended"]
    in_time = all_of(
        some_plan_covers(v, first, by=trial.start),
        *(some_plan_covers(v, [e.day("planned_end")], by=e.date) for e in extensions),
    )
    if in_time is not False:
        return SATISFIED if in_time else UNKNOWN
    late = all_of(
        some_plan_covers(v, first, by=v.today),
        *(some_plan_covers(v, [e.day("planned_end")], by=v.today) for e in extensions),
    )
    if late is None:
        return UNKNOWN
    return REMEDIED if late else VIOLATED


@rule("ov-checks-endorsements-at-trial", "trial", event=when_it_began)
def ov_checks_endorsements_at_trial(v: View, trial: Episode) -> Answer:
    checks = [
        c.date
        for c in v.journal.of("endorsements_checked")
        if c.get("purpose") == "work_trial" and c.get("result") != "missing"
    ]
    if any(within_months_before(day, ENDORSEMENT_MONTHS, trial.start) for day in checks):
        return SATISFIED
    in_time = v.journal.absent_within_months(ENDORSEMENT_MONTHS, trial.start, "endorsements_checked")
    last = v.today if trial.end is None else trial.end
    if in_time is False and any(trial.start < day <= last for day in checks):
        return REMEDIED
    return judge(True, in_time)


# --- a trial alongside the activity ---


def parallel(v: View, trial: Episode) -> bool:
    """ "trial running while activity active" """
    return trial.running and v.activity_is_active()


def statements(v: View, measure: str) -> list[tuple[date, date, Truth]]:
    """First and last day, and whether it is paying, of each statement; withdrawn ones end the day before."""
    withdrawn = [w for w in v.journal.of("statement_withdrawn") if w.get("measure") == measure]
    found = []
    for statement in v.journal.of("statement_issued"):
        if statement.get("measure") != measure:
            continue
        first, last = statement.day("start"), statement.day("end") or OPEN
        assert first is not None
        for withdrawal in withdrawn:
            if withdrawal.order > statement.order:
                last = min(last, add_days(withdrawal.date, -1))
        found.append((first, last, statement.yes("paying")))
    return found


def paying_statement(v: View, measure: str) -> Truth:
    """A paying statement in force for the measure on the evaluation date."""
    now = [paying for first, last, paying in statements(v, measure) if first <= v.today <= last]
    if True in now:
        return True
    if None in now:
        return None
    return v.journal.absent("statement_issued")


def two_statements(v: View) -> Truth:
    return all_of(paying_statement(v, "activity"), paying_statement(v, "work_trial"))


@rule("trial-parallel-two-statements", "trial")
def trial_parallel_two_statements(v: View, trial: Episode) -> Answer:
    return judge(parallel(v, trial), two_statements(v))


@rule("statement-lapses-before-overlap-ends", "trial")
def statement_lapses_before_overlap_ends(v: View, trial: Episode) -> Answer:
    applies = all_of(parallel(v, trial), two_statements(v))
    if applies is not True:
        return UNKNOWN if applies is None else NOT_APPLICABLE
    ends = []
    for measure in ("activity", "work_trial"):
        cover = [(first, last) for first, last, paying in statements(v, measure) if paying is True]
        end = joined_end(cover, v.today)
        if end is not None and end != OPEN:
            ends.append(end)
    planned = planned_end(trial)
    if planned is None:
        return UNKNOWN if ends else NOT_APPLICABLE
    too_early = [end for end in ends if end < planned]
    return advised(min(too_early)) if too_early else NOT_APPLICABLE


@rule("trial-parallel-capacity", "trial")
def trial_parallel_capacity(v: View, trial: Episode) -> Answer:
    return judge(parallel(v, trial), trial.began().yes("capacity_considered"))


@rule("trial-parallel-days", "trial")
def trial_parallel_days(v: View, trial: Episode) -> Answer:
    if not parallel(v, trial):
        return NOT_APPLICABLE
    in_activity, in_trial = activity_days(v.charts.activities[-1]), trial.began().get("days_per_week")
    if in_activity is None or in_trial is None:
        return UNKNOWN
    return judge(True, in_activity + in_trial <= DAYS_TOGETHER_MAX)


# --- money, length, failure ---


def support_advised(v: View, trial: Episode, purpose: str) -> Answer:
    """Advised until support for this was advised since the previous trial's end (first trial: ever)."""
    since = None if trial.previous is None else trial.previous.end
    for entry in v.journal.of("economic_support_advised"):
        if entry.get("purpose") == purpose and (since is None or entry.date >= since):
            return SATISFIED
    return advise_when(negate(v.journal.absent("economic_support_advised", since=since)))


@rule("criminal-record-cost", "trial")
def criminal_record_cost(v: View, trial: Episode) -> Answer:
    needed = trial.began().yes("record_extract_needed")
    if not trial.running or needed is False:
        return NOT_APPLICABLE
    return UNKNOWN if needed is None else support_advised(v, trial, "record_extract")


@rule("trial-first-month-travel", "trial")
def trial_first_month_travel(v: View, trial: Episode) -> Answer:
    if not trial.running or v.today > add_months(trial.start, FIRST_MONTH_MONTHS):
        return NOT_APPLICABLE
    return support_advised(v, trial, "travel")


@rule("trial-max-six-months", "trial")
def trial_max_six_months(v: View, trial: Episode) -> Answer:
    if not trial.running:
        return NOT_APPLICABLE
    limit = add_months(trial.start, TRIAL_MAX_MONTHS)
    planned = planned_end(trial)
    if v.today > limit or (planned is not None and planned > limit):
        return violated(limit)
    return UNKNOWN if planned is None else SATISFIED


@rule("trial-failure-keeps-support", "trial", about_the_ending=True)
def trial_failure_keeps_support(v: View, trial: Episode) -> Answer:
    if trial is not v.latest_trial or trial.end is None:
        return NOT_APPLICABLE
    if trial.ended_by().get("outcome") not in ("failed", "interrupted"):
        return NOT_APPLICABLE
    limit = add_days(trial.end, FAILURE_DAYS)
    for episode in v.charts.activities + v.charts.coachings:
        if episode.start <= trial.end and (episode.end is None or episode.end >= limit):
            return SATISFIED  # runs on without a break
    done = [c.date for c in v.client_contacts(trial.end)]
    done += [p.date for p in v.journal.of("activation_plan_updated") if p.date >= trial.end]
    none = v.journal.absent("contact", "activation_plan_updated", since=trial.end)
    return done_by(limit, v.today, done, [], none)
