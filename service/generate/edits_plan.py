"""Faults of the plan, and of the activity that rests on it."""

from __future__ import annotations

from typing import Any

from service.generate.days import between, iso, months, ordinal, pick
from service.generate.journal import Entry, Journal
from service.generate.planting import (
    REMEDIED,
    UNKNOWN,
    VIOLATED,
    Edit,
    Planted,
    active,
    activity_is,
    coached,
    coaching_runs,
    out_of_sight,
    plan_of_coaching,
    running_trial,
    since,
)

#: What a plan update before coaching speaks of, and the rules that ask for it.
_ASKED = {
    "work_trial_possible": "as-preauthorises-trial",
    "other_services_possible": "as-preauthorises-other-te",
    "wage_subsidy_clarified": "as-clarifies-wage-subsidy",
}


# ---- what the plan says of coaching


def plan_without_coaching(journal: Journal) -> list[Planted] | None:
    """Coaching began without the plan saying so. (Without activity: nothing else then asks for that update.)"""
    plan, start = plan_of_coaching(journal), journal.last("coaching_started")
    if plan is None or active(journal):
        return None
    for word in ("coaching", *_ASKED):
        plan.fields.pop(word, None)
    return [Planted("as-update-before-coaching", VIOLATED, start, plan)]


def plan_without_end(journal: Journal) -> list[Planted] | None:
    """The plan does not say when coaching ends."""
    plan, start = plan_of_coaching(journal), journal.last("coaching_started")
    if plan is None:
        return None
    del plan.fields["coaching"]["end"]
    return [Planted("as-records-coaching-period", VIOLATED, start, plan)]


def beside_activity(value: str | None) -> Edit:
    """The plan says that coaching is not alongside the activity, or does not say."""

    def edit(journal: Journal) -> list[Planted] | None:
        plan, start = plan_of_coaching(journal), journal.last("coaching_started")
        if plan is None or not active(journal):
            return None
        _put(plan.fields["coaching"], "alongside_activity", value)
        return [Planted("as-records-coaching-during-ktt", UNKNOWN if value is None else VIOLATED, start, plan)]

    return edit


def plan_word(name: str, value: str | None) -> Edit:
    """The plan says no to something, or does not speak of it."""

    def edit(journal: Journal) -> list[Planted] | None:
        plan, start = plan_of_coaching(journal), journal.last("coaching_started")
        if plan is None:
            return None
        _put(plan.fields, name, value)
        return [Planted(_ASKED[name], UNKNOWN if value is None else VIOLATED, start, plan)]

    return edit


def _put(fields: dict[str, Any], name: str, value: str | None) -> None:
    """Write a value, or leave it out."""
    if value is None:
        del fields[name]
    else:
        fields[name] = value


# ---- the plan itself


def plan_meeting_incomplete(journal: Journal) -> list[Planted] | None:
    """Someone who must be there was not when the plan was last updated."""
    plan = journal.last("activation_plan_updated")
    if plan is None or out_of_sight(journal):
        return None
    there = plan.fields["participants"]
    there.remove(pick(journal.draw, there[:3]))
    return [Planted("omatyontekija-always-in-plan-meeting", VIOLATED, plan, plan)]


def plan_expired(journal: Journal) -> list[Planted] | None:
    """The plan was valid until a day that has passed."""
    plan = journal.last("activation_plan_updated")
    if plan is None or not active(journal) or out_of_sight(journal) or plan.day >= journal.as_of:
        return None
    plan.fields["valid_until"] = iso(between(journal.draw, plan.day, journal.as_of - 1))
    return [Planted("ktt-rests-on-activation-plan", VIOLATED, journal.last("activity_started"), plan)]


def no_plan(journal: Journal) -> list[Planted] | None:
    """There is an activity and no plan."""
    if not active(journal) or journal.stage != "activity":
        return None
    journal.remove(journal.all("activation_plan_updated", "plan_reviewed"))
    return [Planted("ktt-rests-on-activation-plan", VIOLATED, journal.last("activity_started"))]


def plan_not_reviewed(journal: Journal) -> list[Planted] | None:
    """Nobody has looked at the plan for over three months."""
    updates = journal.all("activation_plan_updated")
    if not active(journal) or out_of_sight(journal) or not updates or months(updates[-1].day, 3) >= journal.as_of:
        return None
    late = [entry for entry in journal.all("plan_reviewed") if months(entry.day, 3) >= journal.as_of]
    if late:
        journal.remove(late)
        return [Planted("plan-review-every-3-months", VIOLATED, journal.last("activity_started"))]
    return None


# ---- the activity


def _decisions(journal: Journal) -> list[Entry]:
    return [entry for entry in journal.all("service_decision") if entry.fields["service"] == "activity"]


def decision_missing(journal: Journal) -> list[Planted] | None:
    """No decision on the activity."""
    found = _decisions(journal)
    if not active(journal) or out_of_sight(journal) or not found:
        return None
    journal.remove(found)
    return [Planted("service-decision-current", VIOLATED, journal.last("activity_started"))]


def decision_over(journal: Journal) -> list[Planted] | None:
    """The decision ended, the activity goes on."""
    found = [entry for entry in _decisions(journal) if ordinal(entry.fields["end"]) >= journal.as_of]
    if (
        not active(journal)
        or out_of_sight(journal)
        or len(found) != 1
        or ordinal(found[0].fields["start"]) >= journal.as_of
    ):
        return None
    found[0].fields["end"] = iso(between(journal.draw, ordinal(found[0].fields["start"]), journal.as_of - 1))
    return [Planted("service-decision-current", VIOLATED, journal.last("activity_started"), found[0])]


def decision_ended(journal: Journal) -> list[Planted] | None:
    """The decision was ended, the activity goes on."""
    start = journal.last("activity_started")
    found = [entry for entry in _decisions(journal) if ordinal(entry.fields["end"]) >= journal.as_of]
    if (
        not active(journal)
        or out_of_sight(journal)
        or start is None
        or len(found) != 1
        or start.day > journal.as_of - 3
    ):
        return None
    on = between(journal.draw, max(start.day, ordinal(found[0].fields["start"]), found[0].day) + 1, journal.as_of - 1)
    if on > journal.as_of - 1:
        return None
    entry = journal.add(on, "service_decision", "social_worker", service="activity", decision="ended", end=iso(on))
    return [Planted("service-decision-current", VIOLATED, start, entry)]


def no_social_worker(journal: Journal) -> list[Planted] | None:
    """The social worker was released and nobody took over, while services run."""
    in_activity = active(journal) or activity_is(journal, "activity_paused")
    if journal.ahead or not (in_activity or coached(journal) or running_trial(journal) is not None):
        return None
    assigned = [entry for entry in journal.all("worker_assigned") if entry.fields["role"] == "social_worker"]
    if not assigned:
        return None
    latest = assigned[-1]
    on = between(journal.draw, latest.day, journal.as_of)
    entry = journal.add(on, "worker_released", None, role="social_worker", worker=latest.fields["worker"])
    return [Planted("social-worker-assigned", VIOLATED, None, entry)]


def no_implementation_plan(journal: Journal) -> list[Planted] | None:
    """Over a month in activity without an implementation plan."""
    start = journal.last("activity_started")
    if start is None or not active(journal) or out_of_sight(journal) or journal.as_of - start.day <= 30:
        return None
    found = since(journal.all("implementation_plan_updated"), start.day)
    if not found:
        return None
    journal.remove(found)
    planted = [Planted("ts-drawn-with-social-instructor", VIOLATED, start)]
    if coached(journal):  # then no implementation plan has the coaching either
        planted.append(Planted("ts-records-coaching", VIOLATED, journal.last("coaching_started")))
    return planted


def implementation_plan_silent(value: str | None) -> Edit:
    """The implementation plan leaves coaching out, or does not tell."""

    def edit(journal: Journal) -> list[Planted] | None:
        plan, start = plan_of_coaching(journal), journal.last("coaching_started")
        if plan is None or not coached(journal) or not active(journal):
            return None
        found = since(journal.all("implementation_plan_updated"), plan.day)
        if not found:
            return None
        for entry in found:
            _put(entry.fields, "includes_coaching", value)
        outcome = UNKNOWN if value is None else VIOLATED
        return [Planted("ts-records-coaching", outcome, start, found[-1])]

    return edit


def ended_by_coaching(journal: Journal) -> list[Planted] | None:
    """The activity ended because coaching began."""
    latest = journal.last("activity_started", "activity_ended")
    if latest is None or latest.type != "activity_ended" or out_of_sight(journal):
        return None
    latest.fields["reason"] = "coaching_started"
    return [Planted("ktt-and-ot-not-ended-by-coaching", VIOLATED, journal.last("activity_started"), latest)]


def end_in_sight(journal: Journal) -> list[Planted] | None:
    """The activity's period ends within three months, or has ended, and nothing is under way."""
    period = _period(journal)
    if period is None or not active(journal) or journal.stage != "activity":
        return None
    shortest = months(period.day, 3) - 1
    passed = shortest < journal.as_of and journal.draw() < 0.4
    low, high = (shortest, journal.as_of - 1) if passed else (max(shortest, journal.as_of), journal.as_of + 85)
    if low > high:
        return None
    period.fields["period_end"] = iso(between(journal.draw, low, high))
    return [Planted("critical-point-ktt-end", VIOLATED, journal.last("activity_started"), period)]


def _period(journal: Journal) -> Entry | None:
    """The entry that began the activity's present period."""
    found = [entry for entry in journal.all("activity_started", "activity_changed") if "period_end" in entry.fields]
    return found[-1] if found else None


def period_too_long(journal: Journal) -> list[Planted] | None:
    """A period of the activity over twenty-four months."""
    period = _period(journal)
    if period is None or out_of_sight(journal) or not active(journal):
        return None
    period.fields["period_end"] = iso(months(period.day, 24) + between(journal.draw, 1, 90))
    return [Planted("activity-period-3-24-months", VIOLATED, journal.last("activity_started"), period)]


def period_too_short(journal: Journal) -> list[Planted] | None:
    """A period of the activity under three months; what follows is under way already."""
    period = _period(journal)
    if period is None or out_of_sight(journal) or not active(journal) or not coaching_runs(journal):
        return None
    period.fields["period_end"] = iso(months(period.day, 3) - between(journal.draw, 2, 60))
    return [Planted("activity-period-3-24-months", VIOLATED, journal.last("activity_started"), period)]


def week(days: tuple[int, ...] | None) -> Edit:
    """The activity takes more or fewer days a week than it may, or it is not recorded how many."""

    def edit(journal: Journal) -> list[Planted] | None:
        if not active(journal) or out_of_sight(journal) or running_trial(journal) is not None:
            return None
        found = [
            entry for entry in journal.entries if entry.type.startswith("activity_") and "days_per_week" in entry.fields
        ]
        start = journal.last("activity_started")
        if start is None or not found:
            return None
        if days is None:
            if len(since(found, start.day)) != 1:
                return None
            del found[-1].fields["days_per_week"]
            return [Planted("days-per-week-1-4", UNKNOWN, start, found[-1])]
        found[-1].fields["days_per_week"] = pick(journal.draw, days)
        return [Planted("days-per-week-1-4", VIOLATED, start, found[-1])]

    return edit


def retention_missing(journal: Journal) -> list[Planted] | None:
    """The activity ended without anyone deciding whether the social worker stays."""
    start, end = journal.last("activity_started"), journal.last("activity_ended")
    if (
        start is None
        or end is None
        or end.day < start.day
        or out_of_sight(journal)
        or not activity_is(journal, "activity_ended")
    ):
        return None
    journal.remove(since(journal.all("social_worker_retention_decided"), start.day))
    return [Planted("ot-may-stay-after-ktt", VIOLATED, start, end)]


def retention_late(journal: Journal) -> list[Planted] | None:
    """Whether the social worker stays was decided after the activity had ended."""
    start, end = journal.last("activity_started"), journal.last("activity_ended")
    if start is None or end is None or out_of_sight(journal) or not activity_is(journal, "activity_ended"):
        return None
    decided = since(journal.all("social_worker_retention_decided"), start.day)
    if not decided or end.day >= journal.as_of:
        return None
    journal.remove(decided[:-1])
    decided[-1].day = between(journal.draw, end.day + 1, min(end.day + 60, journal.as_of))
    return [Planted("ot-may-stay-after-ktt", REMEDIED, start, decided[-1])]


def pause_outlived(journal: Journal) -> list[Planted] | None:
    """A pause for a trial that goes on, over a month long: nobody ended the activity."""
    planted = pause_too_long(journal) if running_trial(journal) is not None else None
    return planted[::-1] if planted is not None else None


def pause_too_long(journal: Journal) -> list[Planted] | None:
    """A pause for a trial over a month long: nobody resumed the activity, or ended it."""
    pause = journal.last("activity_paused")
    if (
        pause is None
        or pause.fields["reason"] != "work_trial"
        or months(pause.day, 1) >= journal.as_of
        or out_of_sight(journal)
    ):
        return None
    after = [
        entry
        for entry in journal.all("activity_resumed", "activity_ended", "activity_changed", "activity_started")
        if entry.day > pause.day
    ]
    if len(after) != 1 or after[0].type not in ("activity_resumed", "activity_ended"):
        return None
    trial = running_trial(journal)
    if since(journal.all("work_trial_started"), pause.day + 1):
        return None
    journal.remove([*after, *since(journal.all("follow_up_done"), pause.day)])
    planted = [Planted("ktt-pause-max-one-month", VIOLATED, pause, after[0])]
    if trial is not None:  # still running after the pause's limit, so planned to end after it
        planted.append(Planted("ktt-ends-if-trial-continues", VIOLATED, pause, after[0]))
    return planted
