"""The episodes a path is made of, each written as a tidy caseworker would have recorded it.

Every function adds entries to a journal from a day given, also later ones than the evaluation date: what that date has
not seen is left out in the end. What tidy means is said in SPEC §4.1; the numbers below are its limits, kept with some
days to spare.
"""

from __future__ import annotations

from service.generate.days import Draw, between, day_in, iso, months, pick
from service.generate.journal import Activity, Coaching, Entry, Journal
from service.generate.people import PRIVATE_PROVIDERS, PUBLIC_PROVIDER, note, trade

#: A plan is looked at again within three months, the shortest of which have 89 days.
REVIEW_FROM, REVIEW_BY = 55, 86
#: Before its year is over, a plan is made anew rather than looked at.
RENEW_AFTER = 270
#: An activity with no next step has more than three months of its period left.
CLEAR_DAYS = 97
PLANNERS = ("client", "social_worker", "employment_coach")
SELECTORS = (*PLANNERS, "activity_instructor")
_MODES = ("on_site", "on_site", "on_site", "hybrid", "remote")
_GOALS = ("Säännöllinen viikko.", "Rohkeutta ja uusia taitoja.", "Oma ala löytyy.", "Osa-aikainen työ.")
_NEEDS = (
    "Kuntouttava työtoiminta tukisi arjen rytmiä.",
    "Tuen tarve arvioitu yhdessä.",
    "Työ kiinnostaa, tuki tarpeen.",
)


def worker(draw: Draw, role: str) -> str:
    """An opaque id of someone who works in a role."""
    return f"{role[0]}w-{between(draw, 1, 240):03}"


# ---- before anything begins


def opening(journal: Journal, on: int, until: int) -> None:
    """The client becomes known: workers are named and the need is assessed, all by a day."""
    draw = journal.draw
    journal.begun = on
    journal.add(on, "worker_assigned", None, role="social_worker", worker=worker(draw, "social"))
    second = day_in(draw, on, min(on + 10, until))
    journal.add(second, "worker_assigned", None, role="employment_coach", worker=worker(draw, "employment"))
    journal.add(day_in(draw, on, min(on + 14, until)), "need_assessed", "social_worker", outcome=pick(draw, _NEEDS))


def plan(journal: Journal, on: int, **fields: object) -> Entry:
    """An update of the activation plan, or of the multi-sector plan that has taken its place for many."""
    draw = journal.draw
    participants = list(PLANNERS)
    share = draw()
    kind = "multi_sector_plan" if share < 0.3 else "activation_plan" if share < 0.7 else None
    if kind == "multi_sector_plan" and share < 0.1:
        participants[1] = "work_ability_team"
    elif share > 0.92:
        participants.append("activity_instructor")
    entry = journal.add(on, "activation_plan_updated", "employment_coach", participants=participants)
    if kind is not None:
        entry.fields["kind"] = kind
    if draw() < 0.6:
        entry.fields["valid_until"] = iso(months(on, 12))
    entry.fields.update(fields)
    if draw() < 0.15:
        entry.fields["goals"] = pick(draw, _GOALS)
    return entry


def asked(journal: Journal, on: int, wants: str, by: str = "activity_instructor") -> None:
    """The client is asked about work; now and then the answer is first written down wrongly."""
    if journal.draw() < 0.03:
        wrong = journal.add(on, "interest_asked", by, wants_to_work="undecided" if wants == "no" else "no")
        journal.add(on, "correction", by).voids = wrong
    journal.add(on, "interest_asked", by, wants_to_work=wants)


def told(journal: Journal, on: int) -> None:
    """The client is told about coaching."""
    journal.add(
        on, "coaching_info_given", pick(journal.draw, ("activity_instructor", "social_worker", "employment_coach"))
    )


# ---- rehabilitative work activity


def activity(journal: Journal, spell: Activity, *, clear: bool) -> None:
    """A stretch of activity with its plan, decisions and periods. `clear`: no next step is known at its end."""
    draw, start = journal.draw, spell.start
    first = plan(journal, day_in(draw, start - 25, start - 9))
    if draw() < 0.97 or journal.as_of < _BASIC_CONSENT_UNTIL:
        parties = ["social_care", "employment_services", "workshop"]
        journal.add(
            first.day, "consent_given", "social_worker", scope="basic", parties=parties, voluntary="yes", informed="yes"
        )
    instructor = day_in(draw, start - 3, start)
    journal.add(instructor, "worker_assigned", None, role="activity_instructor", worker=worker(draw, "activity"))
    _periods(journal, spell, clear)
    made = day_in(draw, start + 7, start + 25)
    if spell.end is None or made < spell.end:
        journal.add(made, "implementation_plan_updated", "activity_instructor", includes_coaching="no")
    if spell.end is not None:
        journal.add(spell.end, "activity_ended", "activity_instructor", reason=spell.reason)
        _follow_up(journal, spell.end)


_BASIC_CONSENT_UNTIL = 739_252  # 2025-01-01: from then on no rule asks for it


def _periods(journal: Journal, spell: Activity, clear: bool) -> None:
    """The activity's periods, each of 3 to 24 months and carried by a decision of its own."""
    draw, begin, first = journal.draw, spell.start, True
    ends = spell.end is not None and spell.end <= journal.as_of
    over = spell.end if ends and spell.end is not None else journal.as_of
    needed = over + (CLEAR_DAYS if clear and not ends else 0 if ends else 35)
    while True:
        longest = months(begin, 24)
        last = needed <= longest
        if not last:
            end = months(begin, pick(draw, (12, 12, 18))) - 1
        elif ends and spell.reason == "period_over":
            end = over
        else:
            end = day_in(draw, max(needed, months(begin, 3)), longest)
        granted = day_in(draw, begin - 7, begin - 1)
        journal.add(
            granted,
            "service_decision",
            "social_worker",
            service="activity",
            decision="granted",
            start=iso(begin),
            end=iso(end),
        )
        if first:
            entry = journal.add(
                begin, "activity_started", "activity_instructor", days_per_week=spell.days, period_end=iso(end)
            )
            if draw() < 0.4:
                entry.fields["mode"] = pick(draw, _MODES)
            if draw() < 0.15:
                entry.fields["wall_less"] = "yes"
        else:
            journal.add(begin, "activity_changed", "activity_instructor", period_end=iso(end))
        if last:
            return
        begin, first = end + 1, False


def retention(journal: Journal, low: int, high: int) -> None:
    """It is decided that the social worker stays."""
    on = day_in(journal.draw, low, high)
    journal.add(on, "social_worker_retention_decided", "social_worker", retained="yes")


def end_activity(journal: Journal, low: int, high: int, reason: str) -> None:
    """The activity that runs ends on a day from low to high, the social worker stays."""
    spell = journal.activity
    if spell is None or spell.end is not None:
        return
    spell.end, spell.reason = day_in(journal.draw, low, high), reason
    retention(journal, max(spell.start + 1, spell.end - 18), spell.end)


def _follow_up(journal: Journal, ended: int) -> None:
    """How the client is doing, one to three months after the activity."""
    draw = journal.draw
    on = day_in(draw, months(ended, 1), months(ended, 1) + 50)
    if draw() < 0.85:
        journal.add(on, "follow_up_done", "social_worker", situation="ok")
        return
    journal.add(on, "follow_up_done", "social_worker", situation="needs_support")
    journal.add(day_in(draw, on + 1, on + 14), "need_assessed", "social_worker", outcome=_NEEDS[1])


def reviews(journal: Journal, until: int) -> None:
    """The plan is looked at, or made anew, before three months have gone since the last time."""
    draw = journal.draw
    updates = sorted(entry.day for entry in journal.entries if entry.type == "activation_plan_updated")
    last = renewed = updates[0]
    for following in (*updates[1:], until + 1):
        while following - last > REVIEW_BY:
            last = day_in(draw, last + REVIEW_FROM, last + REVIEW_BY)
            if last > until:
                return
            if last - renewed > RENEW_AFTER:
                plan(journal, last)
                renewed = last
            else:
                journal.add(last, "plan_reviewed", "employment_coach", participants=list(PLANNERS))
        last = renewed = following


def illness(journal: Journal, on: int, back: int, days: int) -> None:
    """The activity is paused for an illness."""
    journal.add(on, "activity_paused", "activity_instructor", reason="illness")
    journal.add(back, "activity_resumed", "activity_instructor", days_per_week=days)


# ---- towards coaching


class Referral:
    """The days on which coaching is prepared: backwards from its start, or on both sides of a day that is known."""

    __slots__ = ("asked", "initiative", "meeting", "planned", "start")

    def __init__(
        self, draw: Draw, start: int = 0, *, initiative: int = 0, meeting: int = 0, not_before: int = 0
    ) -> None:
        if initiative:
            meeting = _following(draw, initiative, not_before)
        if meeting:
            planned = _following(draw, meeting, not_before)
            start = day_in(draw, planned + 10, planned + 21)
        else:
            planned = day_in(draw, start - 21, start - 10)
            meeting = day_in(draw, planned - 21, planned - 7)
        self.start, self.planned, self.meeting = start, planned, meeting
        self.initiative = initiative or day_in(draw, meeting - 21, meeting - 7)
        self.asked = day_in(draw, self.initiative - 20, self.initiative - 2)


def _following(draw: Draw, day: int, not_before: int) -> int:
    """The day of the next step of a referral."""
    low = max(day + 7, not_before)
    return day_in(draw, low, low + 14)


def referral(journal: Journal, way: Referral, *, provider: str, private: bool, until: int) -> None:
    """The way to coaching: wish, initiative, choice made together, plan, consent, implementation plan."""
    draw = journal.draw
    told(journal, way.asked)
    asked(journal, way.asked, "yes")
    by = pick(draw, ("client", "activity_instructor", "employment_coach", "social_worker"))
    journal.add(way.initiative, "initiative_taken", by, service="coaching")
    if draw() < 0.2:
        answers = {f"chk-{number:02}": pick(draw, ("yes", "yes", "partly", "no", "unknown")) for number in range(1, 12)}
        journal.add(
            day_in(draw, way.initiative, way.meeting), "checklist_answered", "activity_instructor", answers=answers
        )
    together = [*SELECTORS, "job_coach"] if draw() < 0.4 else list(SELECTORS)
    journal.add(way.meeting, "joint_meeting_held", "social_worker", participants=together)
    journal.add(way.meeting, "selection_agreed", "social_worker", participants=list(SELECTORS), client_agrees="yes")
    plan(
        journal,
        way.planned,
        coaching={"start": iso(way.start), "end": iso(until), "alongside_activity": "yes"},
        work_trial_possible="yes",
        other_services_possible="yes",
        wage_subsidy_clarified="yes",
    )
    named = day_in(draw, way.planned + 1, way.planned + 5)
    journal.add(named, "worker_assigned", None, role="job_coach", worker=worker(draw, "job"), organisation=provider)
    if private:
        journal.add(
            named,
            "consent_given",
            "social_worker",
            scope="provider",
            parties=[provider],
            voluntary="yes",
            informed="yes",
        )
    spell = journal.activity
    on = day_in(draw, way.planned + 2, way.planned + 8)
    if spell is not None and (spell.end is None or spell.end > on):
        journal.add(on, "implementation_plan_updated", "activity_instructor", includes_coaching="yes")


def provider_of(draw: Draw) -> tuple[str, bool]:
    """Who coaches, and whether it is a private provider."""
    return (pick(draw, PRIVATE_PROVIDERS), True) if draw() < 0.7 else (PUBLIC_PROVIDER, False)


# ---- coaching


def begin_coaching(journal: Journal, way: Referral) -> Coaching:
    """Coaching, from its preparation to the first employer met."""
    draw, start = journal.draw, way.start
    provider, private = provider_of(draw)
    until = months(start, pick(draw, (3, 4, 6))) - 1
    referral(journal, way, provider=provider, private=private, until=until)
    kind, goal = "private" if private else "public", "studies" if draw() < 0.08 else "open_market"
    journal.add(
        start, "coaching_started", "job_coach", provider=provider, provider_kind=kind, period_end=iso(until), goal=goal
    )
    journal.add(day_in(draw, start + 9, start + 20), "coaching_phase_reached", "job_coach", phase="profile")
    journal.add(
        day_in(draw, start + 12, start + 28), "contact", "job_coach", party="employer", form="face_to_face",
        place="workplace", employer=trade(draw)[0], preference_based="yes",
    )  # fmt: skip
    return Coaching(start, provider, private, until)


def renew(journal: Journal, since: int, until: int) -> None:
    """New coaching periods, each agreed before the last one is over."""
    coaching = journal.coaching
    if coaching is None:
        return
    draw = journal.draw
    while coaching.until < until:
        on = day_in(draw, max(since, coaching.until - 10), max(since, coaching.until))
        coaching.until = months(max(on, coaching.until), pick(draw, (3, 3, 4, 6)))
        journal.add(on, "coaching_renewed", "job_coach", period_end=iso(coaching.until))


def search(journal: Journal, since: int, until: int, *, first: bool, stops: bool) -> None:
    """Looking for a job with the coach. `stops`: something else comes after it."""
    draw, as_of = journal.draw, journal.as_of
    renew(journal, since, min(until, as_of))
    begins = day_in(draw, since + 25, since + 45) if first else day_in(draw, since + 1, since + 8)
    if begins < until or not stops:
        journal.add(begins, "coaching_phase_reached", "job_coach", phase="job_search")
    on = since + between(draw, 3, 14)
    while on < until and on <= as_of:
        employer = draw() < 0.35
        if employer:
            form = pick(draw, ("face_to_face", "phone", "message"))
            journal.add(
                on, "contact", "job_coach", party="employer", form=form, purpose="job_search", employer=trade(draw)[0]
            )
        else:
            with_client(journal, on, "job_coach")
        on = day_in(draw, on + 21, on + 60)


def with_client(journal: Journal, on: int, by: str) -> None:
    """A contact with the client."""
    draw = journal.draw
    form = pick(draw, ("face_to_face", "face_to_face", "phone", "remote", "message"))
    entry = journal.add(on, "contact", by, party="client", form=form, purpose="support")
    share = draw()
    if form == "face_to_face":
        entry.fields["place"] = pick(draw, ("workplace", "office", "community", "community", "home"))
    elif share < 0.1:
        entry.fields["reached"] = "no"
    if share > 0.8:
        entry.fields["minutes"] = pick(draw, (15, 30, 45, 60))
    elif share > 0.6:
        entry.note = note(draw, journal.language)


def interruption(journal: Journal, since: int, until: int | None) -> None:
    """Coaching is interrupted until it goes on (None: it has not yet), with a day to look at it again."""
    draw, as_of = journal.draw, journal.as_of
    reason = pick(draw, ("other", "other", "other_service"))
    back = until if until is not None else as_of
    look = day_in(draw, since + 20, since + 60)
    fields = {"referred_to": "work_ability_support"} if draw() < 0.4 else {}
    journal.add(since, "coaching_interrupted", "job_coach", reason=reason, **fields, review_on=iso(look))
    while look < back:
        on, look = look, day_in(draw, look + 20, look + 60)
        journal.add(on, "coaching_interrupted", "job_coach", reason=reason, review_on=iso(look))
    if until is not None:
        journal.add(until, "coaching_resumed", "job_coach")


def end_coaching(journal: Journal, on: int, reason: str) -> None:
    """Coaching ends."""
    if journal.coaching is not None:
        journal.coaching.end = on
        journal.add(on, "coaching_ended", "job_coach", reason=reason)


# ---- a work trial


class Trial:
    """A work trial to be written: when, how long it is planned, and how it fits with the activity."""

    __slots__ = ("arrangement", "end", "outcome", "planned", "start")

    def __init__(
        self, start: int, planned: int, arrangement: str, end: int | None = None, outcome: str = "completed"
    ) -> None:
        self.start = start
        self.planned = planned
        self.arrangement = arrangement
        self.end = end
        self.outcome = outcome


def trial(journal: Journal, it: Trial) -> None:
    """A work trial in one of its three arrangements, planned, checked and stated as it should be."""
    draw, start = journal.draw, it.start
    spell = journal.activity
    if spell is None or spell.end is not None:
        it.arrangement = "activity_ended"
    coached = journal.coaching is not None
    by = "job_coach" if coached else "employment_coach"
    journal.employer = trade(draw)
    employer = journal.employer[0]
    planned = _shorter_at_first(draw, it)
    journal.add(day_in(draw, start - 24, start - 14), "work_trial_agreed", by, start=iso(start), employer=employer)
    plan(journal, day_in(draw, start - 12, start - 7), work_trial={"start": iso(start), "end": iso(planned)})
    checked = day_in(draw, start - 12, start - 2)
    journal.add(checked, "endorsements_checked", "employment_coach", purpose="work_trial", result="in_order")
    stated = day_in(draw, start - 6, start - 1)
    statements(journal, it, stated, start, planned)
    days = _arrange(journal, it)
    entry = journal.add(
        start, "work_trial_started", by, arrangement=it.arrangement, days_per_week=days, planned_end=iso(planned)
    )
    needed = draw() < 0.15
    entry.fields["record_extract_needed"] = "yes" if needed else "no"
    if it.arrangement == "alongside_activity" or draw() < 0.3:
        entry.fields["capacity_considered"] = "yes"
    entry.fields["employer"] = employer
    if needed:
        journal.add(
            day_in(draw, start - 6, start), "economic_support_advised", "social_worker", purpose="record_extract"
        )
    if draw() < 0.9:
        journal.add(day_in(draw, start, start + 8), "economic_support_advised", "social_worker", purpose="travel")
    if planned != it.planned:
        extended = day_in(draw, planned - 12, planned - 1)
        plan(journal, extended, work_trial={"start": iso(start), "end": iso(it.planned)})
        journal.add(extended, "work_trial_extended", by, planned_end=iso(it.planned))
        statements(journal, it, extended, planned + 1, it.planned)
    _during_trial(journal, it, by, employer)


def _shorter_at_first(draw: Draw, it: Trial) -> int:
    """The planned end at the start: earlier than in the end for trials that are extended."""
    if it.planned - it.start > 75 and it.outcome == "completed" and draw() < 0.25:
        return day_in(draw, it.start + 40, it.planned - 20)
    return it.planned


def statements(journal: Journal, it: Trial, on: int, start: int, end: int) -> None:
    """The employment authority's paying statements: one for the trial, one for the activity beside it."""
    measures = ("work_trial", "activity") if it.arrangement == "alongside_activity" else ("work_trial",)
    for measure in measures:
        journal.add(
            on, "statement_issued", "employment_coach", measure=measure, paying="yes", start=iso(start), end=iso(end)
        )


def _arrange(journal: Journal, it: Trial) -> int:
    """Fit the activity to the trial; the trial's days a week."""
    draw, spell, start = journal.draw, journal.activity, it.start
    if spell is None or spell.end is not None:
        return between(draw, 3, 5)
    if it.arrangement == "activity_ended":
        end_activity(journal, start - 3, start, "work_trial")
        return between(draw, 3, 5)
    if it.arrangement == "alongside_activity":
        days = min(spell.days, between(draw, 1, 2))
        if days != spell.days:
            journal.add(start, "activity_changed", "activity_instructor", days_per_week=days)
            if it.end is not None and it.outcome != "hired":
                journal.add(it.end + 1, "activity_changed", "activity_instructor", days_per_week=spell.days)
        return between(draw, 2, 5 - days)
    journal.add(start, "activity_paused", "activity_instructor", reason="work_trial")
    limit = months(start, 1)
    back = it.end if it.end is not None else it.planned
    if back > limit:
        end_activity(journal, start + 15, limit, "work_trial")
    elif it.outcome != "hired":  # else the job that follows ends the activity
        journal.add(back, "activity_resumed", "activity_instructor", days_per_week=spell.days)
    return between(draw, 3, 5)


def _during_trial(journal: Journal, it: Trial, by: str, employer: str) -> None:
    """Support at the workplace, and the trial's end."""
    draw = journal.draw
    over = it.end if it.end is not None else journal.as_of + 1
    on = day_in(draw, it.start + 3, it.start + 14)
    while on < over and on <= journal.as_of:
        if draw() < 0.25:
            journal.add(on, "contact", by, party="employer", form="phone", purpose="follow_up", employer=employer)
        else:
            with_client(journal, on, by)
        on = day_in(draw, on + 18, on + 40)
    if it.end is not None:
        journal.add(it.end, "work_trial_ended", by, outcome=it.outcome)
        if it.outcome in ("failed", "interrupted"):
            caller = by if draw() < 0.5 else "social_worker"
            entry = journal.add(
                day_in(draw, it.end, it.end + 9), "contact", caller, party="client", form="phone", purpose="support"
            )
            if draw() < 0.3:
                entry.note = note(draw, journal.language)


# ---- a job


def job(journal: Journal, start: int, end: int | None, *, coached_until: int | None, hired: bool) -> None:
    """A job from its agreement on, with the coach's support until a day (None: as long as it lasts). `hired`: by the
    employer of the trial before it."""
    draw, as_of = journal.draw, journal.as_of
    employer, occupation = journal.employer if hired else trade(draw)
    agreed = day_in(draw, start - 28, start - 9)
    journal.add(agreed, "job_agreed", "job_coach", start=iso(start), employer=employer)
    journal.add(day_in(draw, agreed, start - 2), "benefit_counselling", "employment_coach", by_specialist="yes")
    journal.add(day_in(draw, agreed, agreed + 4), "coaching_phase_reached", "job_coach", phase="employer_support")
    end_activity(journal, start - 3, start, "job")
    kind = pick(draw, ("open_market", "open_market", "wage_subsidised"))
    if kind == "wage_subsidised":
        journal.add(
            day_in(draw, agreed - 5, agreed), "endorsement_recorded", "employment_coach", purpose="wage_subsidy"
        )
    entry = journal.add(start, "job_started", "job_coach", kind=kind, employer=employer)
    entry.fields["permanent"] = "yes" if draw() < 0.3 else "no"
    if draw() < 0.7:
        entry.fields["occupation"] = occupation
        entry.fields["hours_per_week"] = pick(draw, (15, 20, 25, 30, 37.5))
    over = min(end if end is not None else as_of + 1, as_of + 1)
    retained = day_in(draw, start + 4, start + 14)
    if retained < over:
        journal.add(retained, "coaching_phase_reached", "job_coach", phase="job_retention")
    last = min(over, coached_until) if coached_until is not None else over
    if draw() < 0.15 and last - start > 70:
        wished = day_in(draw, start + 45, start + 68)
        journal.add(wished, "contact_wish_recorded", "job_coach", wish="less")
        last = wished
    _support_at_work(journal, start, last)
    if end is not None:
        _lost(journal, end, employer)


def _support_at_work(journal: Journal, start: int, last: int) -> None:
    """The coach's rhythm: before the start, at the start, each of four weeks, then each month of the first year."""
    draw = journal.draw
    windows = [(start - 7, start - 1), (start, start + 3)]
    windows += [(start + 7 * week, start + 7 * week + 6) for week in (1, 2, 3)]
    weeks = start + 28
    windows += [(months(weeks, month) + 3, months(weeks, month + 1) - 3) for month in range(11)]
    for low, high in windows:
        if low >= last:
            return
        place = pick(draw, ("workplace", "workplace", "community"))
        journal.add(
            day_in(draw, low, high),
            "contact",
            "job_coach",
            party="client",
            form="face_to_face",
            place=place,
            purpose="support",
        )


def _lost(journal: Journal, end: int, employer: str) -> None:
    """The job ends; the coach gets in touch within days and the search goes on."""
    draw = journal.draw
    entry = journal.add(end, "job_ended", "job_coach", employer=employer)
    known = end
    if draw() < 0.6:
        known = day_in(draw, end - 7, end)
        entry.fields["known_on"] = iso(known)
    journal.add(known + 1, "contact", "job_coach", party="client", form="phone", purpose="support")
