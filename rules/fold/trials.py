"""Facts of a work trial."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from rules.calendar import add_days, add_months
from rules.conditions import FALSE, MAYBE, TRUE
from rules.facts import UNKNOWN, Value
from rules.fold.coaching import contacts
from rules.fold.cover import Span, covers, in_force, joined, statements
from rules.fold.record import Record, field, given, said
from rules.fold.services import activity_days, planned_end
from rules.journal import Entry
from statemachines.path import Episode

Trial = Episode[Entry]
_WORDS = {TRUE: "yes", MAYBE: UNKNOWN, FALSE: "no"}
_STARTS = ("activity_started", "coaching_started", "work_trial_started", "job_started")


def trial_facts(record: Record, trial: Trial, previous: Trial | None, *, latest: bool) -> dict[str, Value]:
    """All facts of kind `trial` for one trial; `previous` is the one before it."""
    ended, proposed = trial.ended_by, trial.entry is record.history.step
    facts: dict[str, Value] = {
        "trial.status": "running" if ended is None else "ended",
        "trial.running": "yes" if ended is None else "no",
        "trial.proposed": "yes" if proposed else "no",
        "trial.latest": "yes" if latest else "no",
        "trial.started_on": trial.started_on,
        "trial.ended_on": trial.ended_on,
        "trial.outcome": (field(ended, "outcome") or UNKNOWN) if ended is not None else "none",
        "trial.beside_activity": _beside_activity(record, trial, proposed=proposed),
        "trial.planned_end": given(planned_end(trial)),
        "trial.capacity_considered": said(field(trial.entry, "capacity_considered")),
        "trial.record_extract_needed": said(field(trial.entry, "record_extract_needed")),
        "trial.weekly_days": _weekly_days(record, trial),
        "trial.lost_coaching_reason": _lost_coaching(record, trial),
    }
    facts.update(_plan(record, trial))
    facts.update(_endorsements(record, trial))
    facts.update(_statements(record, trial, proposed=proposed))
    facts.update(_advice(record, previous))
    facts.update(_afterwards(record, trial))
    return facts


def _beside_activity(record: Record, trial: Trial, *, proposed: bool) -> str:
    """Whether the trial runs while the activity is active; of a proposed one its arrangement tells."""
    if not proposed:
        return "yes" if record.path.activity == "active" else "no"
    arrangement = field(trial.entry, "arrangement")
    return UNKNOWN if arrangement is None else "yes" if arrangement == "alongside_activity" else "no"


def _weekly_days(record: Record, trial: Trial) -> int | str:
    activities = record.path.activities
    days = activity_days(activities[-1]) if activities and activities[-1].ended_on is None else UNKNOWN
    trial_days: Any = field(trial.entry, "days_per_week")
    return days + trial_days if isinstance(days, int) and isinstance(trial_days, int) else UNKNOWN


# --- the plan that names the trial ---


def _plan(record: Record, trial: Trial) -> dict[str, Value]:
    naming = [entry for entry in record.of("activation_plan_updated") if field(entry, "work_trial") is not None]
    in_time = _covered(trial, naming, in_time=True)
    if in_time == FALSE and record.absent(("activation_plan_updated",), None) == UNKNOWN:
        in_time = MAYBE
    return {"trial.plan_in_time": _WORDS[in_time], "trial.plan_late": _WORDS[_covered(trial, naming, in_time=False)]}


def _covered(trial: Trial, naming: list[Entry], *, in_time: bool) -> int:
    """Whether plans cover the trial's start and first planned end, and each extension (by a plan of its date)."""
    first_end = field(trial.entry, "planned_end")
    whole = [
        min(_covers(plan, trial.started_on), _covers(plan, first_end))
        for plan in naming
        if not in_time or plan.date <= trial.started_on
    ]
    truths = [max(whole, default=FALSE)]
    for extension in trial.entries:
        if extension.type == "work_trial_extended":
            until = field(extension, "planned_end")
            plans = (plan for plan in naming if not in_time or plan.date <= extension.date)
            truths.append(max((_covers(plan, until) for plan in plans), default=FALSE))
    return min(truths)


def _covers(plan: Entry, day: date | None) -> int:
    period = field(plan, "work_trial")
    if day is None:
        return MAYBE
    if period.start > day:
        return FALSE
    if period.end is None:
        return MAYBE
    return TRUE if period.end >= day else FALSE


# --- endorsements ---


def _endorsements(record: Record, trial: Trial) -> dict[str, Value]:
    months = record.parameters["endorsement.valid_months"]
    start, end = trial.started_on, trial.ended_on or date.max
    days = [
        entry.date
        for entry in record.of("endorsements_checked")
        if field(entry, "purpose") == "work_trial" and field(entry, "result") != "missing"
    ]
    in_time = any(day <= start <= add_months(day, months) for day in days)
    late = any(start < day <= end for day in days)
    return {
        "trial.endorsements": "yes" if in_time else record.absent_within("endorsements_checked", months, start),
        "trial.endorsements_late": "yes" if late else "no",
    }


# --- statements ---


def _statements(record: Record, trial: Trial, *, proposed: bool) -> dict[str, Value]:
    over = trial.ended_on is not None
    facts: dict[str, Value] = {
        "trial.statements_lapse_early": "no" if over else UNKNOWN,
        "trial.statements_end_on": None,
    }
    if over:
        return facts | {"trial.activity_statement": "no", "trial.trial_statement": "no"}
    until = planned_end(trial)
    standing: list[Span] = []
    for measure, name in (("activity", "trial.activity_statement"), ("work_trial", "trial.trial_statement")):
        sure = statements(record, measure, maybe=False)
        span = in_force(record, sure)
        if proposed:
            maybe = statements(record, measure, maybe=True)
            facts[name] = _covered_throughout(record, sure, maybe, trial.started_on, until)
        elif span is not None:
            facts[name] = "yes"
        elif in_force(record, statements(record, measure, maybe=True)):
            facts[name] = UNKNOWN
        else:
            facts[name] = record.absent(("statement_issued",), None)
        if span is not None:
            standing.append(span)
    if len(standing) == 2:
        facts.update(_lapse(standing, until))
    return facts


def _covered_throughout(record: Record, sure: list[Span], maybe: list[Span], start: date, end: date | None) -> str:
    answer = covers(joined(sure), start, end)
    if answer == "no" and covers(joined(maybe), start, end) != "no":
        return UNKNOWN
    return record.absent(("statement_issued",), None) if answer == "no" else answer


def _lapse(standing: Iterable[Span], until: date | None) -> dict[str, Value]:
    """Whether one measure's statements end before the trial's planned end, and when the first such do."""
    ends = [span.end for span in standing if span.end is not None]
    if until is None:
        return {"trial.statements_lapse_early": UNKNOWN if ends else "no"}
    early = [end for end in ends if end < until]
    return {
        "trial.statements_lapse_early": "yes" if early else "no",
        "trial.statements_end_on": min(early, default=None),
    }


# --- coaching and support ---


def _lost_coaching(record: Record, trial: Trial) -> str:
    """Why the latest coaching ended, if that was shortly before the trial or during it and none runs now."""
    if record.path.coaching != "ended":
        return "none"
    coaching = record.path.coachings[-1]
    days = record.parameters["transition.before_trial_days"]
    if coaching.ended_on is None or add_days(coaching.ended_on, days) < trial.started_on:
        return "none"
    return field(coaching.ended_by, "reason") or UNKNOWN if coaching.ended_by is not None else UNKNOWN


def _advice(record: Record, previous: Trial | None) -> dict[str, Value]:
    """Advice on money for this trial: given since the trial before it ended."""
    since = previous.ended_on if previous is not None else None
    facts: dict[str, Value] = {}
    for purpose, name in (("record_extract", "trial.record_extract_advised"), ("travel", "trial.travel_advised")):
        advised = any(
            field(entry, "purpose") == purpose and (since is None or entry.date >= since)
            for entry in record.of("economic_support_advised")
        )
        facts[name] = "yes" if advised else record.absent(("economic_support_advised",), since)
    return facts


def _afterwards(record: Record, trial: Trial) -> dict[str, Value]:
    end, ended = trial.ended_on, trial.ended_by
    if end is None or ended is None:
        return {"trial.support_since": None, "trial.begun_since": "no"}
    until = add_days(end, record.parameters["trial.failure_contact_days"])
    episodes: list[Episode[Entry]] = [*record.path.activities, *record.path.coachings]
    ran_on = any(e.started_on <= end and (e.ended_on is None or e.ended_on >= until) for e in episodes)
    plans = record.of("activation_plan_updated")
    days = [entry.date for entry in (*contacts(record, "client"), *plans) if entry.date >= end]
    if ran_on:
        days.append(end)
    absent = record.absent(("contact", "activation_plan_updated"), end)
    begun = any(record.after(entry, ended) for kind in _STARTS for entry in record.of(kind)[-1:])
    return {
        "trial.support_since": min(days) if days else (UNKNOWN if absent == UNKNOWN else None),
        "trial.begun_since": "yes" if begun else "no",
    }
