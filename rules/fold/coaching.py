"""Facts of a coaching: one that has begun, or the one a plan update lets come."""

from __future__ import annotations

from datetime import date
from typing import Any

from rules.calendar import add_months
from rules.facts import UNKNOWN, Value
from rules.fold.cover import consent
from rules.fold.record import Record, field, said
from rules.journal import Entry
from statemachines.path import CoachingEpisode

Coaching = CoachingEpisode[Entry]


def plan_of(record: Record, start: date, previous: Coaching | None) -> tuple[str, Entry | None]:
    """A coaching's own plan update (SPEC §4 "Its plan update"): whether it exists, and the entry."""
    months = record.parameters["plan.lookback_months"]
    since = previous.ended_on if previous is not None else None
    for plan in reversed(record.plans_with_coaching):
        if plan.date <= start <= add_months(plan.date, months) and (since is None or plan.date >= since):
            return "yes", plan
    return record.absent_within("activation_plan_updated", months, start, since), None


def plan_to_come(record: Record, previous: Coaching | None) -> Entry | None:
    """The plan update of the coaching to come, while none runs: the latest not too old on the evaluation date."""
    months = record.parameters["plan.lookback_months"]
    since = previous.ended_on if previous is not None else None
    for plan in reversed(record.plans_with_coaching):
        if (since is None or plan.date >= since) and not record.passed(add_months(plan.date, months)):
            return plan
    return None


def plan_says(plan: Entry | None, name: str) -> str:
    """A yes/no field of a plan update, or of its coaching period; unknown when left out."""
    if plan is None:
        return UNKNOWN
    holder: Any = field(plan, "coaching") if name == "alongside_activity" else plan
    return said(getattr(holder, name, None))


def coaching_facts(
    record: Record, episode: Coaching | None, previous: Coaching | None, to_come: Entry | None = None
) -> dict[str, Value]:
    """All facts of kind `coaching`: of an episode, or (episode None) of the one `to_come`."""
    if episode is None:
        return {**_plan(to_come, "yes"), **_not_begun()}
    exists, plan = plan_of(record, episode.started_on, previous)
    ended = episode.ended_by
    active = "interrupted" if episode.interrupted else "active"
    return {
        **_plan(plan, exists),
        "coaching.status": active if ended is None else "ended",
        "coaching.running": "yes" if ended is None else "no",
        "coaching.started_on": episode.started_on,
        "coaching.ended_on": episode.ended_on,
        "coaching.end_reason": (field(ended, "reason") or UNKNOWN) if ended is not None else "none",
        "coaching.provider_kind": field(episode.entry, "provider_kind") or UNKNOWN,
        **_consent(record, episode),
        "coaching.plan_updated_after": _planned_late(record, episode),
        "coaching.implementation_plan": _implementation_plan(record, episode, exists, plan),
        **_period(record, episode),
        "coaching.employer_met_on": _employer_met_on(record, episode),
        "coaching.review_on": _review_on(episode),
        **_at_end(record, episode),
    }


def _plan(plan: Entry | None, exists: str) -> dict[str, Value]:
    period = field(plan, "coaching") if plan is not None else None
    return {
        "coaching.plan_updated_before": exists,
        "coaching.period_in_plan": "yes" if period is not None and period.end is not None else "no",
        "coaching.alongside_activity": plan_says(plan, "alongside_activity"),
        "coaching.work_trial_possible": plan_says(plan, "work_trial_possible"),
        "coaching.other_services_possible": plan_says(plan, "other_services_possible"),
        "coaching.wage_subsidy_clarified": plan_says(plan, "wage_subsidy_clarified"),
    }


def _not_begun() -> dict[str, Value]:
    return {
        "coaching.status": "to_come",
        "coaching.running": "no",
        "coaching.started_on": None,
        "coaching.ended_on": None,
        "coaching.end_reason": "none",
        "coaching.provider_kind": UNKNOWN,
        "coaching.consent": "no",
        "coaching.consent_withdrawn": "no",
        "coaching.plan_updated_after": "no",
        "coaching.implementation_plan": "no",
        "coaching.period_from": None,
        "coaching.period_end": None,
        "coaching.employer_met_on": None,
        "coaching.review_on": None,
        "coaching.ended_in_first_job_year": "no",
        "coaching.wish_at_end": "none_recorded",
    }


def _consent(record: Record, episode: Coaching) -> dict[str, Value]:
    provider = field(episode.entry, "provider")
    if episode.ended_on is not None:
        return {"coaching.consent": "no", "coaching.consent_withdrawn": "no"}
    if provider is None:
        return {"coaching.consent": UNKNOWN, "coaching.consent_withdrawn": "no"}
    standing = consent(record, "provider", provider, informed=True)
    withdrawn = [
        entry
        for entry in record.of("consent_withdrawn")
        if field(entry, "scope") == "provider" and provider in (field(entry, "parties") or (provider,))
    ]
    return {"coaching.consent": standing, "coaching.consent_withdrawn": "yes" if withdrawn else "no"}


def _planned_late(record: Record, episode: Coaching) -> str:
    latest = record.plans_with_coaching[-1:]
    return "yes" if latest and latest[0].date > episode.started_on else "no"


def _implementation_plan(record: Record, episode: Coaching, exists: str, plan: Entry | None) -> str:
    since = plan.date if plan is not None else episode.started_on
    answer = implementation_plan_since(record, since)
    return UNKNOWN if answer == "no" and exists == UNKNOWN else answer


def implementation_plan_since(record: Record, since: date) -> str:
    """Whether an implementation plan that includes coaching is dated on or after `since`."""
    answers = [
        said(field(entry, "includes_coaching"))
        for entry in record.of("implementation_plan_updated")
        if entry.date >= since
    ]
    if "yes" in answers or UNKNOWN in answers:
        return "yes" if "yes" in answers else UNKNOWN
    return record.absent(("implementation_plan_updated",), since)


def _period(record: Record, episode: Coaching) -> dict[str, Value]:
    renewals = [entry for entry in record.of("coaching_renewed") if record.after(entry, episode.entry)]
    if episode.ended_by is not None:
        renewals = [entry for entry in renewals if record.after(episode.ended_by, entry)]
    if not renewals and record.absent(("coaching_renewed",), episode.started_on) == UNKNOWN:
        return {"coaching.period_from": UNKNOWN, "coaching.period_end": UNKNOWN}
    latest = renewals[-1] if renewals else episode.entry
    return {"coaching.period_from": latest.date, "coaching.period_end": field(latest, "period_end")}


def _employer_met_on(record: Record, episode: Coaching) -> Value:
    days = [
        entry.date
        for entry in meetings(record, "employer")
        if entry.date >= episode.started_on and (episode.ended_on is None or entry.date <= episode.ended_on)
    ]
    if days:
        return min(days)
    return UNKNOWN if record.absent(("contact",), episode.started_on) == UNKNOWN else None


def contacts(record: Record, party: str) -> list[Entry]:
    """The contacts with a party that reached it, as far as the record tells (`reached` is not no)."""
    return [e for e in record.of("contact") if field(e, "party") == party and field(e, "reached") != "no"]


def meetings(record: Record, party: str) -> list[Entry]:
    """Those of the contacts that were face to face."""
    return [entry for entry in contacts(record, party) if field(entry, "form") == "face_to_face"]


def _review_on(episode: Coaching) -> Value:
    interruptions = [entry for entry in episode.entries if entry.type == "coaching_interrupted"]
    review_on: date | None = field(interruptions[-1], "review_on") if interruptions else None
    return review_on


def _at_end(record: Record, episode: Coaching) -> dict[str, Value]:
    end = episode.ended_on
    if end is None:
        return {"coaching.ended_in_first_job_year": "no", "coaching.wish_at_end": "none_recorded"}
    months = record.parameters["hire.support_months"]
    in_first_year = any(
        job.started_on <= end <= add_months(job.started_on, months) and (job.ended_on is None or job.ended_on > end)
        for job in record.path.jobs
    )
    absent = UNKNOWN if "job_started" in record.not_recorded else "no"
    return {
        "coaching.ended_in_first_job_year": "yes" if in_first_year else absent,
        "coaching.wish_at_end": wish(record, end),
    }


def wish(record: Record, until: date) -> str:
    """The latest wish for support at work recorded by that day."""
    wishes = [entry for entry in record.of("contact_wish_recorded") if entry.date <= until]
    return str(field(wishes[-1], "wish")) if wishes else "none_recorded"
