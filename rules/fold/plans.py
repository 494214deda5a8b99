"""Facts of a plan update and of a referral."""

from __future__ import annotations

from datetime import date

from rules.calendar import add_months
from rules.facts import UNKNOWN, Value
from rules.fold.record import Record, field
from rules.journal import Entry
from statemachines.path import ReferralEpisode

_PRESENT = {role: f"plan.has_{role}" for role in ("client", "social_worker", "work_ability_team", "employment_coach")}


def plan_facts(plan: Entry) -> dict[str, Value]:
    """All facts of kind `plan` for one plan update."""
    facts: dict[str, Value] = {"plan.updated_on": plan.date, "plan.kind": field(plan, "kind") or UNKNOWN}
    participants = field(plan, "participants")  # left out only in a proposed step
    for role, fact in _PRESENT.items():
        facts[fact] = UNKNOWN if participants is None else "yes" if role in participants else "no"
    return facts


def referral_facts(record: Record, run: ReferralEpisode[Entry], status: str) -> dict[str, Value]:
    """All facts of kind `referral` for one run; `status` is its chart's state, or `over`."""
    facts: dict[str, Value] = {
        "referral.status": status,
        "referral.running": "no" if status == "over" else "yes",
        "referral.planned_on": run.planned_by.date if run.planned_by is not None else None,
        "referral.selected_on": None,
        "referral.maybe_selected_on": None,
        "referral.met_on": None,
    }
    if status != "over":
        initiative = run.initiative.date if run.initiative is not None else None
        selections = [(e.date, _selects(e)) for e in _sought(record, "selection_agreed", initiative)]
        sure = [day for day, agrees in selections if agrees == "yes"]
        maybe = [day for day, agrees in selections if agrees == UNKNOWN]
        meetings = [entry.date for entry in _sought(record, "joint_meeting_held", initiative)]
        facts["referral.selected_on"] = _first(record, "selection_agreed", sure, initiative, sure + maybe)
        facts["referral.maybe_selected_on"] = min(maybe, default=None)
        facts["referral.met_on"] = _first(record, "joint_meeting_held", meetings, initiative, meetings)
    return facts


def _sought(record: Record, kind: str, initiative: date | None) -> list[Entry]:
    """Entries since the initiative or, without one, in the last months."""
    if initiative is not None:
        return [entry for entry in record.of(kind) if entry.date >= initiative]
    months = record.parameters["referral.lookback_months"]
    return [entry for entry in record.of(kind) if not record.passed(add_months(entry.date, months))]


def _selects(entry: Entry) -> str:
    """Whether a selection was made together by all who work with the client, with the client agreeing."""
    if field(entry, "participants") is None:
        return UNKNOWN
    there = set(field(entry, "participants"))
    together = {"client", "social_worker", "employment_coach"} <= there
    if not together or not there & {"activity_instructor", "activity_supervisor"}:
        return "no"
    return field(entry, "client_agrees") or UNKNOWN


def _first(record: Record, kind: str, days: list[date], initiative: date | None, found: list[date]) -> Value:
    if days:
        return min(days)
    if found:
        return None
    if initiative is not None:
        absent = record.absent((kind,), initiative)
    else:
        absent = record.absent_within(kind, record.parameters["referral.lookback_months"])
    return UNKNOWN if absent == UNKNOWN else None
