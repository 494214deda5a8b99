"""Faults in coaching, work trials, jobs, between services, and of the record itself."""

from __future__ import annotations

from collections.abc import Callable

from service.generate.days import between, iso, months, ordinal, pick
from service.generate.journal import Entry, Journal
from service.generate.planting import (
    ADVISED,
    REMEDIED,
    UNKNOWN,
    VIOLATED,
    Edit,
    Planted,
    active,
    activity_is,
    coached,
    coaching_runs,
    contacts,
    out_of_sight,
    planned_end,
    running_job,
    running_trial,
    since,
)

# ---- coaching


def coaching_not_renewed(journal: Journal) -> list[Planted] | None:
    """The coaching period is over and nobody agreed on the next."""
    start, latest = journal.last("coaching_started"), journal.last("coaching_started", "coaching_renewed")
    if start is None or latest is None or not coached(journal) or latest.day >= journal.as_of:
        return None
    latest.fields["period_end"] = iso(between(journal.draw, latest.day, journal.as_of - 1))
    return [Planted("coaching-renewal-individual", VIOLATED, start, latest)]


def coaching_without_period(journal: Journal) -> list[Planted] | None:
    """No period was agreed, and three months have passed."""
    start, latest = journal.last("coaching_started"), journal.last("coaching_started", "coaching_renewed")
    if start is None or latest is None or not coached(journal) or months(latest.day, 3) >= journal.as_of:
        return None
    del latest.fields["period_end"]
    return [Planted("coaching-renewal-individual", VIOLATED, start, latest)]


def no_employer_met(journal: Journal) -> list[Planted] | None:
    """Thirty days of coaching, and no employer met face to face."""
    start = journal.last("coaching_started")
    if start is None or not coaching_runs(journal) or start.day + 30 >= journal.as_of:
        return None
    met = since(contacts(journal, "employer", form="face_to_face"), start.day)
    if not met:
        return None
    for entry in met:
        entry.fields["form"] = pick(journal.draw, ("phone", "remote", "message"))
    return [Planted("first-employer-meeting-30d", VIOLATED, start, met[0])]


def employer_met_late(journal: Journal) -> list[Planted] | None:
    """The first employer was met after the thirty days."""
    start = journal.last("coaching_started")
    if start is None or not coaching_runs(journal) or start.day + 31 > journal.as_of:
        return None
    met = since(contacts(journal, "employer", form="face_to_face"), start.day)
    early = [entry for entry in met if entry.day <= start.day + 30]
    if not early:
        return None
    for entry in early[1:]:
        entry.fields["form"] = "phone"
    early[0].day = between(journal.draw, start.day + 31, min(start.day + 60, journal.as_of))
    return [Planted("first-employer-meeting-30d", REMEDIED, start, early[0])]


def _interruption(journal: Journal) -> Entry | None:
    latest = journal.last("coaching_started", "coaching_interrupted", "coaching_resumed", "coaching_ended")
    return latest if latest is not None and latest.type == "coaching_interrupted" else None


def interruption_undated(journal: Journal) -> list[Planted] | None:
    """Coaching is interrupted with no day to look at it again."""
    latest = _interruption(journal)
    if latest is None:
        return None
    del latest.fields["review_on"]
    return [Planted("redirect-work-ability-support", VIOLATED, journal.last("coaching_started"), latest)]


def interruption_forgotten(journal: Journal) -> list[Planted] | None:
    """The day to look at the interruption again has passed."""
    latest = _interruption(journal)
    if latest is None or latest.day >= journal.as_of:
        return None
    latest.fields["review_on"] = iso(between(journal.draw, latest.day, journal.as_of - 1))
    return [Planted("redirect-work-ability-support", VIOLATED, journal.last("coaching_started"), latest)]


# ---- work trials


def _trial_plans(journal: Journal) -> list[Entry]:
    return [entry for entry in journal.all("activation_plan_updated") if "work_trial" in entry.fields]


def trial_not_in_plan(journal: Journal) -> list[Planted] | None:
    """The plan does not name the trial."""
    start, plans = running_trial(journal), _trial_plans(journal)
    if start is None or not plans:
        return None
    for plan in plans:
        del plan.fields["work_trial"]
    return [Planted("as-update-on-trial", VIOLATED, start, plans[-1])]


def trial_outgrew_plan(journal: Journal) -> list[Planted] | None:
    """The trial in the plan is shorter than the trial."""
    start, plans = running_trial(journal), _trial_plans(journal)
    if start is None or not plans or journal.last("work_trial_extended"):
        return None
    plans[-1].fields["work_trial"]["end"] = iso(between(journal.draw, start.day, planned_end(journal) - 1))
    return [Planted("as-update-on-trial", VIOLATED, start, plans[-1])]


def endorsements_missing(journal: Journal) -> list[Planted] | None:
    """The endorsements were found missing."""
    start, checks = running_trial(journal), journal.all("endorsements_checked")
    if start is None or not checks:
        return None
    for check in checks:
        check.fields["result"] = "missing"
    return [Planted("ov-checks-endorsements-at-trial", VIOLATED, start, checks[-1])]


def endorsements_late(journal: Journal) -> list[Planted] | None:
    """The endorsements were checked when the trial had begun."""
    start, checks = running_trial(journal), journal.all("endorsements_checked")
    if start is None or not checks or start.day >= journal.as_of:
        return None
    journal.remove(checks[:-1])
    checks[-1].day = between(journal.draw, start.day + 1, min(start.day + 30, journal.as_of))
    return [Planted("ov-checks-endorsements-at-trial", REMEDIED, start, checks[-1])]


def endorsements_unchecked(journal: Journal) -> list[Planted] | None:
    """Nobody checked the endorsements."""
    start = running_trial(journal)
    if start is None:
        return None
    journal.remove(journal.all("endorsements_checked"))
    return [Planted("ov-checks-endorsements-at-trial", VIOLATED, start)]


def _beside(journal: Journal) -> Entry | None:
    """The trial that runs beside the activity."""
    start = running_trial(journal)
    if start is None or start.fields["arrangement"] != "alongside_activity" or not active(journal):
        return None
    return start


def _statements(journal: Journal, start: Entry, measure: str) -> list[Entry]:
    return since(
        [entry for entry in journal.all("statement_issued") if entry.fields["measure"] == measure], start.day - 10
    )


def statement_missing(journal: Journal) -> list[Planted] | None:
    """One of the two benefits is paid on no statement."""
    start = _beside(journal)
    if start is None:
        return None
    found = _statements(journal, start, pick(journal.draw, ("activity", "work_trial")))
    if not found:
        return None
    journal.remove(found)
    return [Planted("trial-parallel-two-statements", VIOLATED, start)]


def statement_not_paying(value: str | None) -> Edit:
    """A statement is not one on which a benefit is paid, or that is not recorded."""

    def edit(journal: Journal) -> list[Planted] | None:
        start = _beside(journal)
        if start is None:
            return None
        found = _statements(journal, start, pick(journal.draw, ("activity", "work_trial")))
        if not found:
            return None
        for entry in found:
            if value is None:
                del entry.fields["paying"]
            else:
                entry.fields["paying"] = value
        if value is not None:
            return [Planted("trial-parallel-two-statements", VIOLATED, start, found[-1])]
        # Whether both are in force is what the other rule asks first.
        rules = ("trial-parallel-two-statements", "statement-lapses-before-overlap-ends")
        return [Planted(rule, UNKNOWN, start, found[-1]) for rule in rules]

    return edit


def statement_withdrawn(journal: Journal) -> list[Planted] | None:
    """A statement was withdrawn."""
    start = _beside(journal)
    if start is None or journal.last("work_trial_extended") or start.day >= journal.as_of:
        return None
    on = between(journal.draw, start.day + 1, journal.as_of)
    measure = pick(journal.draw, ("activity", "work_trial"))
    entry = journal.add(on, "statement_withdrawn", "employment_coach", measure=measure)
    return [Planted("trial-parallel-two-statements", VIOLATED, start, entry)]


def _last_statement(journal: Journal) -> Entry | None:
    """One of the two statements in force, if there is one of each alone."""
    start = _beside(journal)
    if start is None or journal.last("work_trial_extended"):
        return None
    found = _statements(journal, start, pick(journal.draw, ("activity", "work_trial")))
    return found[0] if len(found) == 1 else None


def statement_over(journal: Journal) -> list[Planted] | None:
    """A statement ran out, the trial beside the activity goes on."""
    start, statement = _beside(journal), _last_statement(journal)
    if start is None or statement is None or start.day >= journal.as_of:
        return None
    statement.fields["end"] = iso(between(journal.draw, start.day, journal.as_of - 1))
    return [Planted("trial-parallel-two-statements", VIOLATED, start, statement)]


def statement_short(journal: Journal) -> list[Planted] | None:
    """A statement in force ends before the trial does."""
    start, statement = _beside(journal), _last_statement(journal)
    if start is None or statement is None or planned_end(journal) <= journal.as_of:
        return None
    statement.fields["end"] = iso(between(journal.draw, journal.as_of, planned_end(journal) - 1))
    return [Planted("statement-lapses-before-overlap-ends", ADVISED, start, statement)]


def _trial_beside(field: str, rule: str, value: str | int | None) -> Edit:
    """A field of the trial beside the activity is made `value`, or left out."""

    def edit(journal: Journal) -> list[Planted] | None:
        start = _beside(journal)
        if start is None:
            return None
        if value is None:
            del start.fields[field]
            return [Planted(rule, UNKNOWN, start, start)]
        start.fields[field] = value
        return [Planted(rule, VIOLATED, start, start)]

    return edit


def capacity(value: str | None) -> Edit:
    """Coping with both was not considered, or that is not recorded."""
    return _trial_beside("capacity_considered", "trial-parallel-capacity", value)


def full_week(days: int | None) -> Edit:
    """More than five days a week in all, or it is not recorded how many the trial takes."""
    return _trial_beside("days_per_week", "trial-parallel-days", days)


def trial_too_long(journal: Journal) -> list[Planted] | None:
    """A trial of over six months; the plan and the statements go along with it."""
    start, plans = running_trial(journal), _trial_plans(journal)
    if start is None or not plans or journal.last("work_trial_extended"):
        return None
    end = iso(months(start.day, 6) + between(journal.draw, 1, 60))
    start.fields["planned_end"] = plans[-1].fields["work_trial"]["end"] = end
    for measure in ("work_trial", "activity"):
        for statement in _statements(journal, start, measure):
            statement.fields["end"] = end
    return [Planted("trial-max-six-months", VIOLATED, start, start)]


def coach_left(journal: Journal) -> list[Planted] | None:
    """Coaching ended while the trial runs, and not by the client's wish."""
    start = running_trial(journal)
    if start is None or not coached(journal):
        return None
    latest = journal.all("coaching_started", "coaching_renewed", "coaching_phase_reached", "coaching_resumed")[-1]
    low = max(latest.day, start.day - 25)
    entry = journal.add(between(journal.draw, low, journal.as_of), "coaching_ended", "job_coach")
    entry.fields["reason"] = pick(journal.draw, ("goal_reached", "other_service", "other"))
    return [Planted("transition-support-retained", ADVISED, start, entry)]


def left_alone(journal: Journal) -> list[Planted] | None:
    """A trial failed or was interrupted, no service goes on, and nobody got in touch."""
    start, end = journal.last("work_trial_started"), journal.last("work_trial_ended")
    if start is None or end is None or end.fields["outcome"] not in ("failed", "interrupted") or out_of_sight(journal):
        return None
    if end.day + 14 >= journal.as_of or journal.last("coaching_started") or not activity_is(journal, "activity_ended"):
        return None
    if since(journal.all("activation_plan_updated"), end.day):
        return None
    journal.remove(since(contacts(journal, "client"), end.day))
    return [Planted("trial-failure-keeps-support", VIOLATED, start, end)]


def extract(value: str | None) -> Edit:
    """An extract is needed and support for its cost was not advised; or whether it is needed is not recorded."""

    def edit(journal: Journal) -> list[Planted] | None:
        start = running_trial(journal)
        if start is None:
            return None
        advised = [
            entry for entry in journal.all("economic_support_advised") if entry.fields["purpose"] == "record_extract"
        ]
        journal.remove(advised)
        if value is None:
            del start.fields["record_extract_needed"]
            return [Planted("criminal-record-cost", UNKNOWN, start, start)]
        start.fields["record_extract_needed"] = value
        return [Planted("criminal-record-cost", ADVISED, start, start)]

    return edit


def travel_unadvised(journal: Journal) -> list[Planted] | None:
    """In the trial's first month, and support for travel was not advised."""
    start = running_trial(journal)
    if start is None or months(start.day, 1) < journal.as_of:
        return None
    journal.remove([entry for entry in journal.all("economic_support_advised") if entry.fields["purpose"] == "travel"])
    return [Planted("trial-first-month-travel", ADVISED, start)]


# ---- jobs


def coach_left_at_hire(journal: Journal) -> list[Planted] | None:
    """Coaching ended because there was a job."""
    start = running_job(journal)
    if start is None or not coached(journal) or journal.last("contact_wish_recorded"):
        return None
    high = min(journal.as_of, months(start.day, 12) - 3)
    if start.day + 1 > high:
        return None
    on = between(journal.draw, start.day + 1, high)
    after = journal.all("coaching_phase_reached", "coaching_renewed")
    journal.remove([entry for entry in after if entry.day > on])
    entry = journal.add(on, "coaching_ended", "job_coach", reason=pick(journal.draw, ("job_started", "goal_reached")))
    return [Planted("support-does-not-end-at-hire", VIOLATED, journal.last("coaching_started"), entry)]


def nobody_at_work(journal: Journal) -> list[Planted] | None:
    """The coach has not met the client at the new job."""
    start = running_job(journal)
    if start is None or not coached(journal) or journal.last("contact_wish_recorded"):
        return None
    begun = journal.last("coaching_started")
    if begun is None or begun.day > start.day - 7 or months(start.day, 12) <= journal.as_of:
        return None
    journal.remove(since(contacts(journal, "client", form="face_to_face"), start.day - 7))
    return [Planted("after-job-start-contacts", VIOLATED, start)]


def month_without_meeting(journal: Journal) -> list[Planted] | None:
    """The four weeks went well; since then months have passed and the meetings are fewer."""
    start = running_job(journal)
    if start is None or not coached(journal) or journal.last("contact_wish_recorded"):
        return None
    weeks = start.day + 28
    if months(weeks, 1) >= journal.as_of or months(start.day, 12) <= journal.as_of:
        return None
    journal.remove(since(contacts(journal, "client", form="face_to_face"), weeks))
    return [Planted("after-job-start-contacts", VIOLATED, start)]


def _job_lost(journal: Journal) -> Entry | None:
    """The end of a job with none begun since, of a client who is in sight."""
    latest = journal.last("job_started", "job_ended")
    return latest if latest is not None and latest.type == "job_ended" and not out_of_sight(journal) else None


def loss_unheard(journal: Journal) -> list[Planted] | None:
    """A job ended and the coach did not get in touch."""
    latest, start = _job_lost(journal), journal.last("job_started")
    if latest is None:
        return None
    known = ordinal(latest.fields.get("known_on", iso(latest.day)))
    if journal.as_of - known < 14:  # three working days, whatever holidays there are
        return None
    journal.remove(since(contacts(journal, "client"), known))
    return [Planted("job-loss-contact-3-workdays", VIOLATED, start, latest)]


def search_not_resumed(journal: Journal) -> list[Planted] | None:
    """A job ended, and the search was not taken up again."""
    latest = _job_lost(journal)
    if latest is None:
        return None
    interest = journal.last("interest_asked")
    if interest is None or interest.fields["wants_to_work"] == "no" or journal.last("coaching_declined"):
        return None
    journal.remove(since(journal.all("coaching_phase_reached"), latest.day))
    return [Planted("new-job-after-loss", ADVISED, None, latest)]


def benefits_uncounselled(journal: Journal) -> list[Planted] | None:
    """The job began and nobody had gone through its effect on benefits."""
    start = running_job(journal)
    if start is None or start.day >= journal.as_of:
        return None
    journal.remove(journal.all("benefit_counselling"))
    return [Planted("benefit-counselling-part", VIOLATED, start)]


def counselled_late(journal: Journal) -> list[Planted] | None:
    """Benefits were gone through when the job had begun."""
    start, given = running_job(journal), journal.all("benefit_counselling")
    if start is None or start.day >= journal.as_of or not given:
        return None
    journal.remove(given[:-1])
    given[-1].day = between(journal.draw, start.day + 1, min(start.day + 30, journal.as_of))
    return [Planted("benefit-counselling-part", REMEDIED, start, given[-1])]


def counselled_by(value: str | None) -> Edit:
    """Benefits were gone through, but not by a specialist, or it is not recorded by whom."""

    def edit(journal: Journal) -> list[Planted] | None:
        start, given = running_job(journal), journal.all("benefit_counselling")
        if start is None or start.day >= journal.as_of or not given:
            return None
        for entry in given:
            if value is None:
                del entry.fields["by_specialist"]
            else:
                entry.fields["by_specialist"] = value
        return [Planted("benefit-counselling-part", UNKNOWN if value is None else VIOLATED, start, given[-1])]

    return edit


# ---- between services and after them


def _nothing_runs(journal: Journal) -> bool:
    return journal.stage == "between_services" and not coaching_runs(journal)


def worker_gone(journal: Journal) -> list[Planted] | None:
    """Between services and no social worker."""
    assigned = [entry for entry in journal.all("worker_assigned") if entry.fields["role"] == "social_worker"]
    if not _nothing_runs(journal) or not assigned or journal.ahead:
        return None
    on = between(journal.draw, assigned[-1].day, journal.as_of)
    worker = assigned[-1].fields["worker"]
    entry = journal.add(on, "worker_released", None, role="social_worker", worker=worker)
    return [Planted("nobody-left-between-services", VIOLATED, None, entry)]


def worker_not_retained(journal: Journal) -> list[Planted] | None:
    """It was decided that the social worker does not stay, and nothing else runs."""
    decided = journal.last("social_worker_retention_decided")
    changed = [entry for entry in journal.all("worker_assigned") if decided is not None and entry.day >= decided.day]
    if not _nothing_runs(journal) or decided is None or [e for e in changed if e.fields["role"] == "social_worker"]:
        return None
    decided.fields["retained"] = "no"
    return [Planted("nobody-left-between-services", VIOLATED, None, decided)]


def _activity_over(journal: Journal) -> tuple[Entry, Entry] | None:
    """The start and the end of an activity that is over, while the case is open."""
    start, end = journal.last("activity_started"), journal.last("activity_ended")
    if start is None or end is None or not activity_is(journal, "activity_ended") or journal.stage == "closed":
        return None
    return start, end


def not_followed_up(journal: Journal) -> list[Planted] | None:
    """Three months after the activity nobody had asked how the client is."""
    over = _activity_over(journal)
    if over is None:
        return None
    start, end = over
    if months(end.day, 3) >= journal.as_of:
        return None
    journal.remove(since(journal.all("follow_up_done"), end.day))
    return [Planted("follow-up-contact-1-3-months", VIOLATED, start)]


def followed_up_late(journal: Journal) -> list[Planted] | None:
    """The follow-up came after the three months."""
    over = _activity_over(journal)
    if over is None:
        return None
    start, end = over
    done = since(journal.all("follow_up_done"), end.day)
    late = months(end.day, 3) + 1
    if not done or late > journal.as_of or since(journal.all("need_assessed"), end.day):
        return None
    done[-1].day = between(journal.draw, late, min(late + 60, journal.as_of))
    return [Planted("follow-up-contact-1-3-months", REMEDIED, start, done[-1])]


def follow_up_unanswered(journal: Journal) -> list[Planted] | None:
    """The follow-up told of a need of support, and nothing was assessed or planned since."""
    latest = journal.last("follow_up_done")
    if latest is None or journal.stage == "closed":
        return None
    latest.fields["situation"] = "needs_support"
    if since(journal.all("activation_plan_updated"), latest.day):
        return None
    journal.remove(since(journal.all("need_assessed"), latest.day))
    return [Planted("follow-up-reconnect", ADVISED, None, latest)]


# ---- the record


def inconsistent(journal: Journal) -> list[Planted] | None:
    """An entry that the client's path does not allow."""
    entry = _stray(journal)
    return None if entry is None else [Planted("path-inconsistent", VIOLATED, None, entry)]


def _stray(journal: Journal) -> Entry | None:
    draw, as_of = journal.draw, journal.as_of
    start = journal.last("activity_started")
    if journal.stage == "closed":
        return None
    if journal.last("work_trial_started") is None and journal.last("job_started") is None and draw() < 0.4:
        kinds = ("work_trial_ended", "job_ended") if not journal.last("coaching_started") else ("work_trial_ended",)
        if pick(draw, kinds) == "job_ended":
            return journal.add(between(draw, journal.begun + 1, as_of), "job_ended", "employment_coach")
        return journal.add(
            between(draw, journal.begun + 1, as_of), "work_trial_ended", "employment_coach", outcome="completed"
        )
    if start is not None and active(journal) and journal.last("activity_paused") is None and start.day < as_of:
        return journal.add(between(draw, start.day + 1, as_of), "activity_resumed", "activity_instructor")
    if journal.last("coaching_interrupted") is None:
        return journal.add(between(draw, journal.begun + 1, as_of), "coaching_resumed", "job_coach")
    return None


def _not_carried(type_: str, rule: str, running: Callable[[Journal], Entry | None]) -> Edit:
    """The sending system does not carry a type of entry: what rests on it cannot be told."""

    def edit(journal: Journal) -> list[Planted] | None:
        subject = running(journal)
        if subject is None:
            return None
        journal.remove(journal.all(type_))
        journal.not_recorded = (type_,)
        return [Planted(rule, UNKNOWN, subject)]

    return edit


counselling_not_carried = _not_carried("benefit_counselling", "benefit-counselling-part", running_job)
endorsements_not_carried = _not_carried("endorsements_checked", "ov-checks-endorsements-at-trial", running_trial)


def follow_ups_not_carried(journal: Journal) -> list[Planted] | None:
    """The sending system does not carry follow-ups: neither whether one was made nor what it told can be known."""
    over = _activity_over(journal)
    if over is None:
        return None
    start, end = over
    if months(end.day, 1) > journal.as_of:
        return None
    journal.remove(journal.all("follow_up_done"))
    journal.not_recorded = ("follow_up_done",)
    return [Planted("follow-up-contact-1-3-months", UNKNOWN, start), Planted("follow-up-reconnect", UNKNOWN, None)]
