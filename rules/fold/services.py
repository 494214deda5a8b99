"""Facts of an activity and of its pauses."""

from __future__ import annotations

from typing import Any

from rules.calendar import add_months
from rules.facts import UNKNOWN, Value
from rules.fold.record import Record, field, given
from rules.journal import Entry
from statemachines.path import ActivityEpisode, Episode


def activity_facts(
    record: Record, episode: ActivityEpisode[Entry], follower: ActivityEpisode[Entry] | None
) -> dict[str, Value]:
    """All facts of kind `activity` for one episode; `follower` is the next one, if any."""
    ended = episode.ended_by
    period = _latest_giving(episode, "period_end", "activity_started", "activity_changed")
    period_end = field(period, "period_end") if period is not None else None
    return {
        "activity.status": record.path.activity if ended is None else "ended",
        "activity.running": "yes" if ended is None else "no",
        "activity.started_on": episode.started_on,
        "activity.ended_on": episode.ended_on,
        "activity.end_reason": (field(ended, "reason") or UNKNOWN) if ended is not None else "none",
        "activity.days_per_week": activity_days(episode),
        "activity.period_start_on": period.date if period is not None else None,
        "activity.period_end_given": "yes" if period is not None else "no",
        "activity.period_end": given(period_end),
        "activity.implementation_plan": _implementation_plan(record, episode),
        **_retention(record, episode, follower),
        "activity.followed_up_on": _followed_up_on(record, episode),
    }


def _latest_giving(episode: ActivityEpisode[Entry], name: str, *types: str) -> Entry | None:
    for entry in reversed(episode.entries):
        if entry.type in types and field(entry, name) is not None:
            return entry
    return None


def activity_days(episode: ActivityEpisode[Entry]) -> int | str:
    """The days a week in force: the latest given; a change that leaves them out changes something else."""
    entry = _latest_giving(episode, "days_per_week", "activity_started", "activity_changed", "activity_resumed")
    days: Any = field(entry, "days_per_week") if entry is not None else UNKNOWN
    return days if isinstance(days, int | str) else UNKNOWN


def _implementation_plan(record: Record, episode: ActivityEpisode[Entry]) -> str:
    latest = record.latest("implementation_plan_updated")
    if latest is not None and latest.date >= episode.started_on:
        return "yes"
    return record.absent(("implementation_plan_updated",), episode.started_on)


def _retention(
    record: Record, episode: ActivityEpisode[Entry], follower: ActivityEpisode[Entry] | None
) -> dict[str, Value]:
    end = episode.ended_on
    if end is None:
        return {"activity.retention_decided": "no", "activity.retention_decided_late": "no"}
    days = [entry.date for entry in record.of("social_worker_retention_decided")]
    in_time = any(episode.started_on <= day <= end for day in days)
    late = any(end < day and (follower is None or day < follower.started_on) for day in days)
    absent = record.absent(("social_worker_retention_decided",), episode.started_on)
    return {
        "activity.retention_decided": "yes" if in_time else absent,
        "activity.retention_decided_late": "yes" if late else "no",
    }


def _followed_up_on(record: Record, episode: ActivityEpisode[Entry]) -> Value:
    if episode.ended_on is None:
        return None
    since = add_months(episode.ended_on, record.parameters["follow_up.from_months"])
    days = [entry.date for entry in record.of("follow_up_done") if entry.date >= since]
    if days:
        return min(days)
    return UNKNOWN if record.absent(("follow_up_done",), since) == UNKNOWN else None


def pause_facts(record: Record, pause: Episode[Entry]) -> dict[str, Value]:
    """All facts of kind `pause` for one pause of an activity."""
    trial = record.path.trials[-1] if record.path.work_trial == "running" else None
    return {
        "pause.running": "yes" if pause.ended_on is None else "no",
        "pause.started_on": pause.started_on,
        "pause.reason": field(pause.entry, "reason") or UNKNOWN,
        "pause.trial_planned_end": _trial_end(record, trial),
    }


def _trial_end(record: Record, trial: Episode[Entry] | None) -> Any:
    """The running trial's planned end; left out means none was set, but of a proposed trial it is not known."""
    end = planned_end(trial) if trial is not None else None
    return UNKNOWN if end is None and trial is not None and trial.entry is record.history.step else end


def planned_end(trial: Episode[Entry]) -> Any:
    """The trial's planned end: the latest extension's, else its start's; None when none was given."""
    for entry in reversed(trial.entries):
        if (end := field(entry, "planned_end")) is not None:
            return end
    return None
