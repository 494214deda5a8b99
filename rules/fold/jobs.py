"""Facts of a job: one begun, or one agreed that has not begun."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import date

from rules.calendar import add_days, add_months
from rules.facts import UNKNOWN, Value
from rules.fold.coaching import contacts, meetings, wish
from rules.fold.record import Record, field
from rules.journal import Entry
from statemachines.path import Episode

Job = Episode[Entry]


def pending_jobs(record: Record) -> list[Entry]:
    """The agreements of jobs that no later start or agreement with the same employer has replaced."""
    agreed = record.of("job_agreed")
    if not agreed:
        return []
    later = record.among(("job_agreed", "job_started"))
    return [
        entry
        for entry in agreed
        if not any(record.after(other, entry) and _same_employer(other, entry) for other in later)
    ]


def _same_employer(one: Entry, other: Entry) -> bool:
    employers = (field(one, "employer"), field(other, "employer"))
    return None in employers or employers[0] == employers[1]


def job_facts(record: Record, entry: Entry, start: date, job: Job | None) -> dict[str, Value]:
    """All facts of kind `job`: of a job begun, or (job None) of one agreed to begin on `start`."""
    end = job.ended_on if job is not None else None
    status = "pending" if job is None else "running" if end is None else "ended"
    return {
        "job.status": status,
        "job.running": "yes" if status == "running" else "no",
        "job.started_on": start,
        "job.ended_on": end,
        **_loss(record, job),
        **_counselling(record, start),
        **_meetings(record, start, over=status == "ended"),
        "job.contact_wish": wish(record, record.day),
    }


def _loss(record: Record, job: Job | None) -> dict[str, Value]:
    facts: dict[str, Value] = {
        "job.end_known_on": None,
        "job.coaching_at_end": "no",
        "job.coach_contact_on": None,
    }
    if job is None or job.ended_on is None or job.ended_by is None:
        return facts
    known_on = field(job.ended_by, "known_on") or job.ended_on
    coached = [entry for entry in contacts(record, "client") if entry.by == "job_coach"]
    days = [entry.date for entry in coached if entry.date >= known_on]
    unknown = not days and record.absent(("contact",), known_on) == UNKNOWN
    facts["job.end_known_on"] = known_on
    facts["job.coaching_at_end"] = "yes" if _coached_at(record, job.ended_on) else "no"
    facts["job.coach_contact_on"] = UNKNOWN if unknown else min(days, default=None)
    return facts


def _coached_at(record: Record, end: date) -> bool:
    """Whether coaching ran on the job's last day or within the months before it."""
    months = record.parameters["job_loss.coaching_months"]
    return any(
        coaching.started_on <= end and (coaching.ended_on is None or add_months(coaching.ended_on, months) >= end)
        for coaching in record.path.coachings
    )


def _counselling(record: Record, start: date) -> dict[str, Value]:
    entries = record.of("benefit_counselling")
    sure = [entry.date for entry in entries if field(entry, "by_specialist") == "yes"]
    maybe = [entry.date for entry in entries if field(entry, "by_specialist") in (None, UNKNOWN)]
    unknown = not sure and not maybe and record.absent(("benefit_counselling",), None) == UNKNOWN
    return {
        "job.counselled_on": UNKNOWN if unknown else min(sure, default=None),
        "job.maybe_counselled_on": min(maybe, default=None),
    }


# --- meetings around the start of a job (criterion 23) ---


def _checkpoints(parameters: Mapping[str, int], start: date) -> Iterator[tuple[date, date]]:
    """The windows for meeting the client, first and last day, in order of the last day.

    Before the start, just after it, each of the first weeks; then months, which begin when the first month is over.
    """
    before, after = parameters["job_contact.before_days"], parameters["job_contact.start_days"]
    yield add_days(start, -before), add_days(start, -1)
    yield start, add_days(start, after)
    for first in range(0, 7 * parameters["job_contact.first_weeks"], 7):
        yield add_days(start, first), add_days(start, first + 6)
    month_over = add_days(start, parameters["job_contact.first_month_days"])
    year_over = add_months(start, parameters["job_contact.year_months"])
    month = 1
    while (due := add_months(month_over, month)) <= year_over:
        yield month_over, due
        month += 1


_MEETING = {"yes": "met", "no": "missed", UNKNOWN: UNKNOWN}


def _meetings(record: Record, start: date, *, over: bool) -> dict[str, Value]:
    facts: dict[str, Value] = dict.fromkeys(("job.latest_meeting_by", "job.next_meeting_by"))
    facts["job.latest_meeting"] = "none_due"
    if over or not record.path.coachings:
        return facts
    for due, met in _meetings_due(record, start):
        if record.passed(due):
            facts["job.latest_meeting"] = _MEETING[met]
            facts["job.latest_meeting_by"] = due
        elif met != "yes":
            facts["job.next_meeting_by"] = due if met == "no" else UNKNOWN
            break
    return facts


def _meetings_due(record: Record, start: date) -> Iterator[tuple[date, str]]:
    """The days by which the client is to be met, and whether that was done (yes, no, unknown).

    A window that was over before coaching began does not count. From the first month on, as many meetings are due as
    months have passed.
    """
    coached_from = record.path.coachings[-1].started_on
    month_over = add_days(start, record.parameters["job_contact.first_month_days"])
    days = [entry.date for entry in meetings(record, "client")]
    monthly = len(days) - bisect_left(days, month_over)
    months = 0
    for first, last in _checkpoints(record.parameters, start):
        if last < coached_from:
            continue
        if first < month_over:
            at = bisect_left(days, first)
            met = at < len(days) and days[at] <= last
        else:
            months += 1
            met = monthly >= months
        yield last, "yes" if met else record.absent(("contact",), first)
