"""Rules on jobs (§4.1)."""

from __future__ import annotations

from datetime import date

from .oracle_charts import PHASES, Episode
from .oracle_values import (
    NOT_APPLICABLE,
    SATISFIED,
    UNKNOWN,
    Answer,
    Truth,
    add_days,
    add_months,
    add_workdays,
    advise_when,
    advised,
    all_of,
    done_by,
    violated,
)
from .oracle_view import View, rule, when_it_began, when_it_ended

# "in [s-7, s-1]; in [s, s+3]; in each [s+7k, s+7k+6], k = 0…3; then as many as full months have passed since s+28,
# to s + 12 months"
BEFORE_START_DAYS = 7
FIRST_DAYS = 3
WEEKS = 4
WEEK_DAYS = 7
MONTHLY_FROM_DAYS = 28
CONTACTS_TO_MONTHS = 12
LOSS_WORKDAYS = 3  # "limit 3 working days after known_on (else date)"
LOSS_COACHING_MONTHS = 12  # "coaching running then or within 12 months before"


def checkpoints(v: View, start: date, coaching_start: date, contacts: list[date]) -> list[tuple[date, Truth]]:
    """The day each contact is due and whether it was made, those before coaching began left out; in order."""
    windows = [
        (add_days(start, -BEFORE_START_DAYS), add_days(start, -1)),
        (start, add_days(start, FIRST_DAYS)),
    ]
    for week in range(WEEKS):
        first = add_days(start, WEEK_DAYS * week)
        windows.append((first, add_days(first, WEEK_DAYS - 1)))
    points: list[tuple[date, Truth]] = []
    for first, due in windows:
        if due >= coaching_start:
            made = any(first <= day <= due for day in contacts)
            points.append((due, True if made else v.journal.absent("contact", since=first)))

    monthly_from = add_days(start, MONTHLY_FROM_DAYS)
    made_since = len([day for day in contacts if day >= monthly_from])
    expected = 0
    months = 1
    while add_months(monthly_from, months) <= add_months(start, CONTACTS_TO_MONTHS):
        due = add_months(monthly_from, months)
        if due >= coaching_start:
            expected += 1
            enough = made_since >= expected
            points.append((due, True if enough else v.journal.absent("contact", since=monthly_from)))
        months += 1
    return points


@rule("after-job-start-contacts", "job")
def after_job_start_contacts(v: View, job: Episode) -> Answer:
    employed_or_agreed = job.running or job.pending
    if not employed_or_agreed or v.charts.coaching not in PHASES or v.wish_for_support() in ("less", "none"):
        return NOT_APPLICABLE
    coaching = v.charts.coachings[-1]
    contacts = [
        e.date
        for e in v.journal.of("contact")
        if e.get("party") == "client" and e.get("form") == "face_to_face" and e.get("reached") != "no"
    ]
    points = checkpoints(v, job.start, coaching.start, contacts)
    past = [point for point in points if point[0] < v.today]
    if past:
        due, made = past[-1]
        if made is None:
            return UNKNOWN
        if not made:
            return violated(due)
    for due, made in points:
        if due >= v.today and made is not True:
            return UNKNOWN if made is None else advised(due)
    return SATISFIED


@rule("job-loss-contact-3-workdays", "job", event=when_it_ended, about_the_ending=True)
def job_loss_contact_3_workdays(v: View, job: Episode) -> Answer:
    end = job.end
    assert end is not None
    coached = any(
        c.start <= end and (c.end is None or add_months(c.end, LOSS_COACHING_MONTHS) >= end) for c in v.charts.coachings
    )
    if not coached:
        return NOT_APPLICABLE
    known_on = job.ended_by().day("known_on") or end
    contacts = v.client_contacts(known_on)
    by_job_coach = [c.date for c in contacts if c.get("by") == "job_coach"]
    by_somebody = [c.date for c in contacts if c.get("by") is None]
    none = v.journal.absent("contact", since=known_on)
    return done_by(add_workdays(known_on, LOSS_WORKDAYS), v.today, by_job_coach, by_somebody, none)


@rule("new-job-after-loss", "case")
def new_job_after_loss(v: View, case: Episode) -> Answer:
    not_employed = None if v.runs("job") is None else not v.runs("job")
    applies = all_of(v.charts.employment == "ended", not_employed, v.latest_interest() != "no")
    if applies is not True:
        return advise_when(applies)
    last_loss = max(job.end for job in v.charts.jobs if job.end is not None)
    entry = v.charts.phase_entry
    search_resumed = (
        v.charts.coaching == "job_search"
        and entry is not None
        and entry.type == "coaching_phase_reached"
        and entry.date >= last_loss
    )
    return SATISFIED if search_resumed else advise_when(True)


@rule("benefit-counselling-part", "job", event=when_it_began)
def benefit_counselling_part(v: View, job: Episode) -> Answer:
    counselling = v.journal.of("benefit_counselling")
    certain = [c.date for c in counselling if c.yes("by_specialist") is True]
    maybe = [c.date for c in counselling if c.yes("by_specialist") is None]
    return done_by(job.start, v.today, certain, maybe, v.journal.absent("benefit_counselling"))
