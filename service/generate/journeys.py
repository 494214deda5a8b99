"""Whole paths, laid backwards from the evaluation date: what the client is in today, what came before, and the start.

A path that went through coaching is a row of chapters (search, a trial, a job, a break) with their lengths; the last
one is open on the evaluation date. The lengths give the day coaching began, that day gives the days of its preparation,
and those give the day the activity began.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from datetime import date
from itertools import accumulate

from service.generate import episodes as write
from service.generate.days import Draw, between, day_in, iso, months, pick, workday
from service.generate.journal import Activity, Journal
from service.generate.people import case_id, language, municipality

#: Of a thousand clients, how many are at each stage.
STAGES = (
    ("not_started", 40), ("activity", 270), ("plan_update", 90), ("coaching", 210), ("coaching_interrupted", 35),
    ("work_trial", 110), ("employment", 125), ("between_services", 50), ("other_outcome", 30), ("closed", 40),
)  # fmt: skip
_NAMES = tuple(name for name, _ in STAGES)
_BOUNDS = tuple(accumulate(weight for _, weight in STAGES))
_ARRANGEMENTS = ("alongside_activity", "activity_paused", "activity_ended")
_OUTCOMES = ("studies", "rehabilitation", "sick_leave", "pension", "other_service")


class Chapter:
    """A part of the path after coaching began: what it is and how long it lasts. The last one may be open."""

    __slots__ = ("arrangement", "days", "kind", "opens")

    def __init__(self, kind: str, days: int, *, opens: bool = False, arrangement: str | None = None) -> None:
        self.kind = kind
        self.days = days
        self.opens = opens
        self.arrangement = arrangement


def stage(draw: Draw) -> str:
    """A stage, drawn by how many clients are there."""
    return _NAMES[bisect(_BOUNDS, draw() * _BOUNDS[-1])]


def journey(draw: Draw, as_of: int, index: int, seed: int, at: str) -> Journal:
    """The tidy path of a client who is at a stage on the evaluation date."""
    journal = Journal(case_id(index, seed), as_of, draw)
    journal.municipality = municipality(draw)
    journal.language = language(draw)
    if draw() < 0.95:
        journal.birth_year = date.fromordinal(as_of).year - between(draw, 19, 63)
    journal.stage = _SPECIAL.get(at, at)
    PATHS[at](journal)
    _talks(journal)
    if draw() < 0.03:
        _change_worker(journal)
    journal.settle()
    return journal


# ---- before and without coaching


def _not_started(journal: Journal) -> None:
    draw, as_of = journal.draw, journal.as_of
    known = as_of - between(draw, 12, 60)
    write.opening(journal, known, as_of - 2)
    if draw() < 0.7:
        begin = as_of + between(draw, 1, 21)
        write.activity(journal, Activity(begin, between(draw, 1, 4)), clear=True)
    write.asked(journal, day_in(draw, known, as_of), pick(draw, ("undecided", "no", "undecided")), "social_worker")
    for _ in range(3):
        write.with_client(journal, day_in(draw, known, as_of), "social_worker")


def _began(journal: Journal, start: int, end: int | None = None, reason: str = "period_over") -> Activity:
    """The activity that the path begins with, and what went before it."""
    draw = journal.draw
    write.opening(journal, start - between(draw, 40, 90), start - 28)
    spell = journal.activity = Activity(start, pick(draw, (1, 2, 3, 3, 4, 4)), end, reason)
    return spell


def _activity(journal: Journal) -> None:
    draw, as_of = journal.draw, journal.as_of
    share = draw()
    if share < 0.12:
        _declined(journal, queue=draw() < 0.7)
        return
    length = between(draw, 3, 100) if draw() < 0.3 else between(draw, 100, 700)
    start = workday(as_of - length)
    spell = _began(journal, start)
    _before(journal, start)
    _interest(journal, start, as_of)
    if share > 0.94:
        write.illness(journal, as_of - between(draw, 0, min(20, length - 1)), as_of + 20, spell.days)
    elif length > 200 and share > 0.84:
        away = start + between(draw, 60, 120)
        write.illness(journal, away, away + between(draw, 7, 40), spell.days)
    if length > 120 and draw() < 0.2:
        _new_days(journal, spell, start + between(draw, 45, 58))
    _close_up(journal, spell, clear=True)


def _new_days(journal: Journal, spell: Activity, on: int) -> None:
    """The week of the activity changes."""
    days, spell.days = spell.days, pick(journal.draw, (2, 3, 4))
    journal.add(on, "activity_changed", "activity_instructor", days_per_week=spell.days)
    spell.days = days


def _close_up(journal: Journal, spell: Activity, *, clear: bool) -> None:
    """Write the activity down, now that it is known when it ended, and the reviews of its plan."""
    write.activity(journal, spell, clear=clear)
    write.reviews(journal, min(spell.end, journal.as_of) if spell.end is not None else journal.as_of)


def _before(journal: Journal, start: int) -> None:
    """For some an earlier stretch of activity, with its end looked after."""
    draw = journal.draw
    if draw() > 0.06:
        return
    end = start - between(draw, 150, 260)
    earlier = Activity(end - between(draw, 100, 200), between(draw, 1, 3), end)
    for entry in journal.entries:  # known since then
        entry.day -= start - earlier.start
    journal.begun -= start - earlier.start
    write.retention(journal, end - 15, end)
    write.activity(journal, earlier, clear=True)
    write.reviews(journal, end)


def _interest(journal: Journal, start: int, until: int) -> None:
    """The client is told about coaching and asked about work, each year anew; no wish yet, or one of these weeks."""
    draw = journal.draw
    if until - start < 10:
        return
    on = day_in(draw, start + 5, min(start + 150, until))
    write.told(journal, on)
    write.asked(journal, on, pick(draw, ("no", "undecided", "undecided")))
    while on + 360 <= until:
        on = day_in(draw, on + 300, on + 360)
        write.asked(journal, on, pick(draw, ("no", "undecided")))
    if until == journal.as_of and until - on > 40 and draw() < 0.06:
        write.asked(journal, until - between(draw, 0, 26), "yes")


def _queue(journal: Journal) -> None:
    _declined(journal, queue=True)


def _declined(journal: Journal, *, queue: bool) -> None:
    """In activity, after coaching was declined: waiting in a queue, or not wishing for it after all."""
    draw, as_of = journal.draw, journal.as_of
    on = workday(as_of - between(draw, 0, 75))
    way = write.Referral(draw, on + between(draw, 1, 40))
    asked = min(way.asked, workday(on - 1))  # the wish was there before the answer to it
    spell = _began(journal, workday(asked - between(draw, 30, 300)))
    if draw() < 0.1:
        write.illness(journal, spell.start + 5, spell.start + 12, spell.days)
    write.told(journal, asked)
    write.asked(journal, asked, "yes")
    journal.add(min(way.initiative, on), "initiative_taken", "activity_instructor", service="coaching")
    if queue:
        review = day_in(draw, max(on, as_of) + 1, as_of + 90)
        journal.add(on, "coaching_declined", "job_coach", reason="no_capacity", review_on=iso(review))
    elif draw() < 0.5:
        journal.add(on, "coaching_declined", "employment_coach", reason="client_choice")
    else:
        journal.add(on, "coaching_declined", "employment_coach", reason=pick(draw, ("other", "other_service")))
        write.asked(journal, on, "undecided")
    _close_up(journal, spell, clear=True)


def _plan_update(journal: Journal) -> None:
    draw, as_of = journal.draw, journal.as_of
    share = draw()
    if share < 0.3:  # initiated
        begun = workday(as_of - between(draw, 0, 20))
        way = write.Referral(draw, initiative=begun, not_before=as_of + 1)
    elif share < 0.6:  # agreed
        met = workday(as_of - between(draw, 0, 14))
        way = write.Referral(draw, meeting=met, not_before=as_of + 1)
    else:  # planned
        way = write.Referral(draw, as_of + between(draw, 1, 10))
    start = workday(way.asked - between(draw, 25, 420))
    spell = _began(journal, start)
    _before(journal, start)
    _earlier_answer(journal, start, way.asked)
    if draw() < 0.12 and way.asked - start > 100:
        write.end_activity(journal, as_of - 12, as_of - 1, pick(draw, ("period_over", "other")))
    provider, private = write.provider_of(draw)
    write.referral(journal, way, provider=provider, private=private, until=months(way.start, 6) - 1)
    _close_up(journal, spell, clear=False)


def _earlier_answer(journal: Journal, start: int, wish: int) -> None:
    """Asked already before the wish woke."""
    if wish - start > 90 and journal.draw() < 0.5:
        write.asked(journal, day_in(journal.draw, start + 10, wish - 20), pick(journal.draw, ("no", "undecided")))


# ---- through coaching


def _chapters(journal: Journal, chapters: list[Chapter]) -> None:
    """The path from the start of the activity through chapters of coaching, the last one open today."""
    draw, as_of = journal.draw, journal.as_of
    on = as_of - sum(chapter.days for chapter in chapters)
    way = write.Referral(draw, workday(on))
    start = workday(way.asked - between(draw, 20, 380))
    alone = draw() < 0.07
    if alone:
        write.opening(journal, way.asked - between(draw, 30, 80), way.asked - 1)
    else:
        spell = _began(journal, start)
        _before(journal, start)
        _earlier_answer(journal, start, way.asked)
        if draw() < 0.12 and chapters[0].days > 60:
            write.end_activity(journal, way.start + 45, way.start + 58, "period_over")
    journal.coaching = write.begin_coaching(journal, way)
    _tell(journal, chapters, on)
    if not alone:
        # What ends the coaching now and then leaves the activity running; then its period is not about to be over.
        _close_up(journal, spell, clear=journal.coaching.end is not None)


def _tell(journal: Journal, chapters: list[Chapter], on: int) -> None:
    """The chapters, one after another from a day on."""
    before = ""
    for place, chapter in enumerate(chapters):
        after = chapters[place + 1] if place + 1 < len(chapters) else None
        if chapter.kind != "after":
            over = on + chapter.days
            over = over if after is None else workday(over)
            _chapter(journal, chapter, workday(on), over, before=before, after=after)
        on += chapter.days
        before = chapter.kind


def _chapter(journal: Journal, chapter: Chapter, on: int, until: int, *, before: str, after: Chapter | None) -> None:
    draw = journal.draw
    if chapter.kind == "search":
        write.search(journal, on, until, first=not before, stops=after is not None)
    elif chapter.kind == "break":
        write.interruption(journal, on, None if chapter.opens else until)
    elif chapter.kind == "trial":
        _trial_chapter(journal, chapter, on, until, hired=after is not None and after.kind == "job")
    else:
        coached = None
        if chapter.opens and chapter.days > 400 and draw() < 0.6:
            coached = day_in(draw, months(on, 12) + 3, months(on, 12) + 20)
        write.renew(journal, on, min(until, journal.as_of, coached or until))
        write.job(journal, on, None if chapter.opens else until, coached_until=coached, hired=before == "trial")
        if coached is not None:
            write.end_coaching(journal, coached, "goal_reached")


def _trial_chapter(journal: Journal, chapter: Chapter, on: int, until: int, *, hired: bool) -> None:
    draw = journal.draw
    write.renew(journal, on, min(until, journal.as_of))
    arrangement = chapter.arrangement or pick(draw, _ARRANGEMENTS)
    latest = months(on, 6)
    if chapter.opens:
        planned = day_in(draw, min(max(journal.as_of + 1, on + 20), latest), latest)
        write.trial(journal, write.Trial(on, planned, arrangement))
        return
    end = workday(until - 1)
    if hired:
        outcome, planned = "hired", end
    else:
        outcome = pick(draw, ("completed", "completed", "completed", "interrupted", "failed"))
        planned = end if outcome == "completed" else day_in(draw, end + 1, max(min(end + 60, latest), end + 1))
    write.trial(journal, write.Trial(on, planned, arrangement, end, outcome))


def _searching(draw: Draw) -> list[Chapter]:
    """What a client has been through since coaching began, before what goes on today."""
    chapters = [Chapter("search", between(draw, 45, 110))]
    share = draw()
    if share < 0.12:
        chapters += [Chapter("trial", between(draw, 20, 100)), Chapter("search", between(draw, 30, 60))]
    elif share < 0.2:
        chapters += [Chapter("break", between(draw, 20, 80)), Chapter("search", between(draw, 30, 60))]
    elif share < 0.25:
        chapters += [Chapter("job", between(draw, 25, 90)), Chapter("search", between(draw, 30, 60))]
    return chapters


def _coaching(journal: Journal) -> None:
    draw, as_of = journal.draw, journal.as_of
    if draw() < 0.35:
        _chapters(journal, [Chapter("search", between(draw, 0, 60), opens=True)])
        return
    chapters = _searching(draw)
    share = draw()
    if share < 0.1:  # agreed, not begun
        ahead = Chapter("job", -between(draw, 1, 20), opens=True)
        chapters[-1].days += -ahead.days
        _chapters(journal, [*chapters, ahead])
    elif share < 0.16:
        chapters[-1].days += 12
        _chapters(journal, chapters)
        arrangement = "alongside_activity" if draw() < 0.5 else "activity_paused"
        begin = as_of + between(draw, 1, 10)
        write.trial(journal, write.Trial(begin, begin + between(draw, 30, 120), arrangement))
    else:
        _chapters(journal, chapters)


def _job_lost(journal: Journal) -> None:
    draw = journal.draw
    lost = [Chapter("search", between(draw, 45, 110)), Chapter("job", between(draw, 25, 90))]
    _chapters(journal, [*lost, Chapter("search", between(draw, 5, 60))])


def _interrupted(journal: Journal) -> None:
    _chapters(journal, [*_searching(journal.draw), Chapter("break", between(journal.draw, 0, 110), opens=True)])


def _work_trial(journal: Journal) -> None:
    draw = journal.draw
    running = Chapter("trial", between(draw, 0, 32) if draw() < 0.4 else between(draw, 20, 175), opens=True)
    if draw() < 0.12:
        _uncoached_trial(journal, running.days, None, "completed")
        return
    _chapters(journal, [*_searching(draw), running])


def _trial_beside(journal: Journal) -> None:
    _chapters(journal, [Chapter("search", between(journal.draw, 45, 110)), _running(journal, "alongside_activity")])


def _trial_paused(journal: Journal) -> None:
    _chapters(journal, [Chapter("search", between(journal.draw, 45, 110)), _running(journal, "activity_paused")])


def _running(journal: Journal, arrangement: str) -> Chapter:
    return Chapter("trial", between(journal.draw, 0, 150), opens=True, arrangement=arrangement)


def _uncoached_trial(journal: Journal, ago: int, end: int | None, outcome: str) -> None:
    """A trial the employment coach arranged, without coaching."""
    draw, as_of = journal.draw, journal.as_of
    start = workday(as_of - ago)
    spell = _began(journal, workday(start - between(draw, 60, 400)))
    _interest(journal, spell.start, start - 20)
    latest = months(start, 6)
    if end is None:
        planned = day_in(draw, min(max(as_of + 1, start + 20), latest), latest)
    else:
        planned = end if outcome == "completed" else day_in(draw, end + 1, max(latest, end + 1))
    arrangement = "activity_ended" if end is not None else pick(draw, _ARRANGEMENTS)
    write.trial(journal, write.Trial(start, planned, arrangement, end, outcome))
    # Nothing but the trial leads on from the activity, so its period is not about to be over once that ends.
    _close_up(journal, spell, clear=True)


def _employment(journal: Journal) -> None:
    draw = journal.draw
    share = draw()
    days = between(draw, 0, 60) if share < 0.35 else between(draw, 40, 330) if share < 0.88 else between(draw, 380, 480)
    chapters = _searching(draw) if days < 150 else [Chapter("search", between(draw, 45, 90))]
    if len(chapters) == 1 and days < 200 and draw() < 0.35:
        chapters.append(Chapter("trial", between(draw, 30, 120)))
    _chapters(journal, [*chapters, Chapter("job", days, opens=True)])


# ---- after it


def _no_wish(journal: Journal, on: int) -> None:
    """Asked anew when the services end: no wish just now."""
    write.asked(journal, on, pick(journal.draw, ("no", "undecided")), "social_worker")


def _over(journal: Journal, ago: int, reason: str) -> int:
    """A path whose services ended so many days ago; the day they did."""
    draw = journal.draw
    end = workday(journal.as_of - ago)
    if draw() < 0.5:
        start = workday(end - between(draw, 120, 650))
        spell = _began(journal, start)
        _before(journal, start)
        _interest(journal, start, end - 5)
        write.end_activity(journal, end, end, reason)
        _close_up(journal, spell, clear=True)
        return end
    chapters = _searching(draw)
    _finish(journal, [*chapters, Chapter("after", ago)], end)
    return end


def _finish(journal: Journal, chapters: list[Chapter], end: int) -> None:
    """Coaching that ended on a day, and the activity no later."""
    draw, as_of = journal.draw, journal.as_of
    on = as_of - sum(chapter.days for chapter in chapters)
    way = write.Referral(draw, workday(on))
    spell = _began(journal, workday(way.asked - between(draw, 20, 300)))
    journal.coaching = write.begin_coaching(journal, way)
    _tell(journal, chapters, on)
    write.end_activity(journal, end - 10, end, "period_over")
    write.end_coaching(journal, end, pick(draw, ("client_choice", "other_service", "client_choice", "other")))
    _no_wish(journal, end)
    _close_up(journal, spell, clear=False)


def _trial_failed(journal: Journal) -> None:
    draw, as_of = journal.draw, journal.as_of
    ago = between(draw, 1, 120)
    outcome = pick(draw, ("failed", "interrupted", "completed"))
    _uncoached_trial(journal, ago + between(draw, 12, 80), as_of - ago, outcome)


def _between_services(journal: Journal) -> None:
    draw = journal.draw
    if draw() < 0.25:
        _trial_failed(journal)
        return
    _over(journal, between(draw, 1, 170), pick(draw, ("period_over", "client_choice", "other")))


def _other_outcome(journal: Journal) -> None:
    draw, as_of = journal.draw, journal.as_of
    outcome = pick(draw, _OUTCOMES)
    end = _over(journal, between(draw, 1, 200), "studies" if outcome == "studies" else "other")
    on = day_in(draw, end, min(end + 10, as_of))
    journal.add(on, "outcome_reached", "social_worker", outcome=outcome)


def _closed(journal: Journal) -> None:
    draw, as_of = journal.draw, journal.as_of
    end = _over(journal, between(draw, 5, 260), "client_choice")
    on = day_in(draw, end, min(end + 120, as_of))
    journal.entries = [entry for entry in journal.entries if entry.day <= on]
    journal.add(
        on,
        "case_closed",
        "social_worker",
        reason=pick(draw, ("goal_reached", "client_choice", "client_choice", "moved", "other")),
    )


# ---- what is told beside the path


def _talks(journal: Journal) -> None:
    """Calls and meetings of those who have the client in their care."""
    draw = journal.draw
    if journal.stage == "closed":
        return
    low, high = journal.begun + 7, journal.as_of
    for _ in range(int(draw() * 4)):
        if low <= high:
            write.with_client(journal, day_in(draw, low, high), pick(draw, ("social_worker", "activity_supervisor")))


def _change_worker(journal: Journal) -> None:
    """Another social worker takes over, now or on a day ahead that is on record already."""
    draw = journal.draw
    first = journal.entries[0]
    if journal.stage == "closed":
        return
    on = day_in(draw, journal.begun + 20, journal.as_of + 20)
    if on <= journal.begun:
        return
    following = write.worker(draw, "social")
    old = first.fields["worker"]
    if following == old:
        return
    pair = [
        journal.add(on, "worker_assigned", None, role="social_worker", worker=following),
        journal.add(on, "worker_released", None, role="social_worker", worker=old),
    ]
    if on > journal.as_of:
        journal.ahead = pair


PATHS: dict[str, Callable[[Journal], None]] = {
    "not_started": _not_started,
    "activity": _activity,
    "plan_update": _plan_update,
    "coaching": _coaching,
    "coaching_interrupted": _interrupted,
    "work_trial": _work_trial,
    "employment": _employment,
    "between_services": _between_services,
    "other_outcome": _other_outcome,
    "closed": _closed,
    # paths that faults ask for, which few clients of their stage have gone
    "queue": _queue,
    "job_lost": _job_lost,
    "trial_beside": _trial_beside,
    "trial_paused": _trial_paused,
    "trial_failed": _trial_failed,
}
_SPECIAL = {
    "queue": "activity",
    "job_lost": "coaching",
    "trial_beside": "work_trial",
    "trial_paused": "work_trial",
    "trial_failed": "between_services",
}
