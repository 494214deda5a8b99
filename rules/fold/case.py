"""The case's own facts: what is true of the client as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from rules.calendar import add_months
from rules.facts import UNKNOWN, Value
from rules.fold.coaching import implementation_plan_since, plan_of, plan_says
from rules.fold.cover import activity_decisions, consent, in_force
from rules.fold.jobs import pending_jobs
from rules.fold.record import Record, field, said
from rules.journal import Entry
from statemachines.charts import COACHING_RUNNING
from statemachines.path import Episode, PathState


def case_facts(record: Record, state: PathState) -> dict[str, Value]:
    """All facts of kind `case`."""
    return {
        **_charts(record, state),
        **_interest(record),
        **_declines(record),
        **_plan(record),
        **_people(record),
        **_follow_up(record),
        **_search(record, state),
        "case.coaching_info_given": "yes"
        if record.of("coaching_info_given")
        else record.absent(("coaching_info_given",), None),
        "case.provider_consent": consent(record, "provider", None),
        "case.basic_consent": consent(record, "basic", None),
        "case.entries_inconsistent": "yes" if record.path.inconsistent else "no",
    }


def _charts(record: Record, state: PathState) -> dict[str, Value]:
    coaching = _runs(record, state.coaching in COACHING_RUNNING, "coaching_started")
    trial = _runs(record, state.work_trial == "running", "work_trial_started")
    employed = _runs(record, state.employment == "employed", "job_started")
    activity = _runs(record, state.activity in ("active", "paused"), "activity_started")
    # An interrupted coaching is running, but it is not active.
    active = "no" if state.coaching == "interrupted" else coaching
    return {
        "case.stage": state.stage,
        "case.in_view": "no" if state.stage in ("closed", "other_outcome") else "yes",
        "case.referral": state.referral,
        "case.activity": state.activity,
        "case.coaching": state.coaching,
        "case.work_trial": state.work_trial,
        "case.employment": state.employment,
        "case.coaching_running": coaching,
        "case.trial_running": trial,
        "case.employed": employed,
        "case.some_service_ended": "yes" if "ended" in state[2:] else "no",
        "case.nothing_runs": _neither(activity, active, trial, employed),
        "case.some_service_running": "yes" if "yes" in (activity, coaching, trial) else "no",
    }


def _neither(*running: str) -> str:
    """Whether none of these runs."""
    return "no" if "yes" in running else UNKNOWN if UNKNOWN in running else "yes"


def _runs(record: Record, runs: bool, start: str) -> str:
    # A sender that does not carry the start of a service cannot tell that the service does not run.
    if runs:
        return "yes"
    return UNKNOWN if start in record.not_recorded else "no"


_ANSWERS = ("interest_asked", "coaching_declined")


def _interest(record: Record) -> dict[str, Value]:
    asked = record.of("interest_asked")
    answers = [entry for entry in record.among(_ANSWERS) if _answer(entry) is not None]
    interest = _answer(answers[-1]) if answers else None
    if interest is None:
        absent = record.absent(_ANSWERS, None)
        interest = UNKNOWN if absent == UNKNOWN else "not_asked"
    path = record.path
    return {
        "case.interest": interest,
        "case.wish_on": _wish_on(answers),
        "case.last_service_ended_on": max(_ends([*path.coachings, *path.trials, *path.jobs]), default=None),
        "case.interest_asked_on": _asked_on(record, asked),
    }


def _ends(episodes: Iterable[Episode[Entry]]) -> list[date]:
    return [episode.ended_on for episode in episodes if episode.ended_on is not None]


def _answer(entry: Entry) -> str | None:
    """What an entry says of the wish to work; a decline by the client's choice says no (SPEC §4)."""
    if entry.type == "interest_asked":
        return said(field(entry, "wants_to_work"))
    # Of a proposed decline the reason may not be told yet.
    reason = field(entry, "reason")
    return UNKNOWN if reason is None else "no" if reason == "client_choice" else None


def _wish_on(answers: list[Entry]) -> date | None:
    """The first yes of the unbroken run of yes at the end: asking again does not make the client wait anew."""
    wish = None
    for entry in reversed(answers):
        if _answer(entry) != "yes":
            break
        wish = entry.date
    return wish


def _asked_on(record: Record, asked: Sequence[Entry]) -> Value:
    months = record.parameters["interest.ask_again_months"]
    if asked and not record.passed(add_months(asked[-1].date, months)):
        return asked[-1].date
    if record.absent_within("interest_asked", months) == UNKNOWN:
        return UNKNOWN
    return asked[-1].date if asked else None


def _declines(record: Record) -> dict[str, Value]:
    """The current decline: the latest one, until coaching next starts."""
    decline, begun = record.latest("coaching_declined"), record.latest("coaching_started")
    current = decline if decline is not None and (begun is None or record.after(decline, begun)) else None
    if current is None:
        absent = record.absent(("coaching_declined",), begun.date if begun is not None else None)
        reason = UNKNOWN if absent == UNKNOWN else "none"
        # A queue excuses the waiting only while its day is on record.
        return {"case.decline_reason": reason, "case.queue_review_on": None, "case.waits_in_queue": "no"}
    reason = field(current, "reason") or UNKNOWN
    review_on = field(current, "review_on") if reason == "no_capacity" else None
    return {
        "case.decline_reason": reason,
        "case.queue_review_on": review_on,
        "case.waits_in_queue": "yes" if review_on is not None and not record.passed(review_on) else "no",
    }


def _plan(record: Record) -> dict[str, Value]:
    plan = record.latest("activation_plan_updated")
    decision = in_force(record, activity_decisions(record))
    return {
        "case.plan_exists": "yes" if plan is not None else record.absent(("activation_plan_updated",), None),
        "case.plan_valid_until": field(plan, "valid_until") if plan is not None else None,
        "case.plan_checked_on": _checked_on(record, plan),
        "case.activity_decision": "yes" if decision is not None else record.absent(("service_decision",), None),
        "case.activity_decision_until": decision.end if decision is not None else None,
        "case.implementation_plan_with_coaching": _implementation_plan(record),
        "case.work_trial_possible": _work_trial_possible(record),
    }


def _checked_on(record: Record, plan: Entry | None) -> Value:
    if plan is None:
        return UNKNOWN if record.absent(("activation_plan_updated",), None) == UNKNOWN else None
    review = record.latest("plan_reviewed")
    if review is not None and review.date >= plan.date:
        return review.date
    return UNKNOWN if record.absent(("plan_reviewed",), plan.date) == UNKNOWN else plan.date


def _implementation_plan(record: Record) -> str:
    plans = record.plans_with_coaching
    return implementation_plan_since(record, plans[-1].date) if plans else "no"


def _work_trial_possible(record: Record) -> str:
    episodes = record.path.coachings
    if not episodes or episodes[-1].ended_on is not None:
        return "no"
    previous = episodes[-2] if len(episodes) > 1 else None
    exists, plan = plan_of(record, episodes[-1].started_on, previous)
    return plan_says(plan, "work_trial_possible") if exists == "yes" else exists


def _people(record: Record) -> dict[str, Value]:
    assigned: dict[str, Entry] = {}
    for entry in record.among(("worker_assigned", "worker_released")):
        if field(entry, "role") != "social_worker":
            continue
        if entry.type == "worker_assigned":
            assigned[field(entry, "worker")] = entry
        else:
            assigned.pop(field(entry, "worker"), None)
    refused = "no"
    decisions = record.of("social_worker_retention_decided")
    if assigned and decisions:
        latest = max(assigned.values(), key=lambda entry: record.history.position[entry.id])
        later = [entry for entry in decisions if record.after(entry, latest)]
        if later:
            refused = {"no": "yes", UNKNOWN: UNKNOWN}.get(field(later[-1], "retained"), "no")
    return {
        "case.social_worker_assigned": "yes" if assigned else record.absent(("worker_assigned",), None),
        "case.retention_refused": refused,
    }


def _follow_up(record: Record) -> dict[str, Value]:
    latest = record.latest("follow_up_done")
    needs = record.absent(("follow_up_done",), None)
    if latest is not None:
        needs = "yes" if field(latest, "situation") == "needs_support" else "no"
    seen = "no"
    if latest is not None and needs == "yes":
        kinds = ("need_assessed", "activation_plan_updated")
        later = any(entry.date >= latest.date for kind in kinds for entry in record.of(kind)[-1:])
        seen = "yes" if later else record.absent(kinds, latest.date)
    return {"case.follow_up_needs_support": needs, "case.reassessed_since_follow_up": seen}


def _pending_trials(record: Record) -> list[Entry]:
    agreed, begun = record.of("work_trial_agreed"), record.latest("work_trial_started")
    return [entry for entry in agreed if begun is None or record.after(entry, begun)]


def _agreed(record: Record, pending: list[Entry]) -> str:
    """Whether an agreement still stands: nothing has begun since, and its first day has not passed."""
    return "yes" if any(not record.passed(field(entry, "start")) for entry in pending) else "no"


def _search(record: Record, state: PathState) -> dict[str, Value]:
    back, resumed, review_on = "no", False, None
    if state.coaching in COACHING_RUNNING:
        coaching = record.path.coachings[-1]
        phase_on = coaching.phase_entry.date if coaching.phase_entry is not None else coaching.started_on
        job_ends = _ends(record.path.jobs)
        ends = job_ends + _ends(record.path.trials)
        if (
            state.coaching not in ("profile", "interrupted")
            and ends
            and max(ends) >= max(phase_on, coaching.started_on)
        ):
            back = _neither(
                _runs(record, state.work_trial == "running", "work_trial_started"),
                _runs(record, state.employment == "employed", "job_started"),
            )
        searching = state.coaching == "job_search" and coaching.phase_entry is not coaching.entry
        resumed = searching and bool(job_ends) and phase_on >= max(job_ends)
    if state.coaching == "interrupted":
        interruption = [e for e in record.path.coachings[-1].entries if e.type == "coaching_interrupted"][-1]
        review_on = field(interruption, "review_on")
    return {
        "case.job_agreed": _agreed(record, pending_jobs(record)),
        "case.trial_agreed": _agreed(record, _pending_trials(record)),
        "case.back_from_trial_or_job": back,
        "case.job_search_resumed": "yes" if resumed else "no",
        "case.review_interruption_on": review_on,
    }
