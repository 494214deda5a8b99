"""Following a journal through the charts: where the client is, and the episodes that led there.

Pure: no clock, no calendar of its own (adding months is passed in), and the entries are only read.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from statemachines.charts import (
    ARRANGEMENT_FITS,
    COACHING_RUNNING,
    FIRED_BY,
    LAPSE,
    NOT_RUNNING,
    PHASES,
    REFERRAL_OPEN,
    RENEWS_REFERRAL,
    TABLE,
    EntryLike,
    Ways,
    counts,
    step,
    way_out,
)

E = TypeVar("E", bound=EntryLike)

# Why an entry is inconsistent.
NO_ROW = "no_row"  # no row of its chart allows it from where the chart stood; it moved nothing
ARRANGEMENT = "arrangement"  # the trial's arrangement does not match the activity on the evening of its first day

STAGES = (
    "closed",
    "other_outcome",
    "employment",
    "work_trial",
    "coaching",
    "coaching_interrupted",
    "plan_update",
    "activity",
    "between_services",
    "not_started",
)

# Entry type -> what it does to (case closed, other outcome): True sets, False lifts, None leaves. A start or resumption
# counts as the journal tells it, whether its chart allowed it or not.
_OUTSIDE_THE_CHARTS: dict[str, tuple[bool | None, bool | None]] = {
    "case_closed": (True, None),
    "case_reopened": (False, False),
    "outcome_reached": (None, True),
    "activity_started": (False, False),
    "coaching_started": (False, False),
    "work_trial_started": (False, False),
    "job_started": (False, False),
    "activity_resumed": (None, False),
    "coaching_resumed": (None, False),
}


class PathState(NamedTuple):
    """Where the client is on one day: the stage and the state of each chart."""

    stage: str
    referral: str
    activity: str
    coaching: str
    work_trial: str
    employment: str


@dataclass(slots=True, eq=False)
class Episode(Generic[E]):
    """One run of a chart, named by the entry that began it.

    ``kind`` is activity, pause, coaching, trial, job or referral. ``entries`` are those the chart took during the
    episode, in order, its beginning and its end among them. ``ended_on`` is the first day it no longer runs;
    ``ended_by`` the entry that ended it (None while it runs, and for a referral that lapsed).
    """

    kind: str
    entry: E
    started_on: date
    ended_by: E | None = None
    ended_on: date | None = None
    entries: list[E] = field(default_factory=list)

    def running(self, day: date) -> bool:
        """Whether it runs at the end of that day, as far as the entries followed tell."""
        return self.started_on <= day and (self.ended_on is None or day < self.ended_on)


@dataclass(slots=True, eq=False)
class ActivityEpisode(Episode[E]):
    """A run of the activity, with its pauses in order (each is also among ``Path.pauses``)."""

    pauses: list[Episode[E]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CoachingEpisode(Episode[E]):
    """A run of coaching: its current or last phase, the entry that set it, and whether it is (or ended) interrupted."""

    phase: str = PHASES[0]
    phase_entry: E | None = None
    interrupted: bool = False


@dataclass(slots=True, eq=False)
class ReferralEpisode(Episode[E]):
    """A run of the referral, out of none or done until it goes back.

    ``entries`` include those that only started its clock again. ``lapses_on`` is the last day it still stands if
    nothing happens; it can pass after the last entry, so ask ``running(day)``. ``initiative`` is the run's first
    initiative for coaching, ``planned_by`` the first entry that made it planned.
    """

    lapses_on: date = date.max
    initiative: E | None = None
    planned_by: E | None = None

    def running(self, day: date) -> bool:
        """Whether it stands at the end of that day, the lapse included."""
        ended = self.ended_on is not None and day >= self.ended_on
        return self.started_on <= day <= self.lapses_on and not ended


@dataclass(slots=True, eq=False)
class Path(Generic[E]):
    """The charts after the last entry, and every episode, oldest first.

    ``referral`` is its state before any lapse after the last entry; ``state_at`` applies the lapse. ``inconsistent``
    holds (entry, reason) in journal order, reason ``NO_ROW`` or ``ARRANGEMENT``.
    """

    referral: str = "none"
    activity: str = "none"
    coaching: str = "none"
    work_trial: str = "none"
    employment: str = "none"
    closed: bool = False
    other_outcome: bool = False
    last_day: date | None = None
    referrals: list[ReferralEpisode[E]] = field(default_factory=list)
    activities: list[ActivityEpisode[E]] = field(default_factory=list)
    pauses: list[Episode[E]] = field(default_factory=list)
    coachings: list[CoachingEpisode[E]] = field(default_factory=list)
    trials: list[Episode[E]] = field(default_factory=list)
    jobs: list[Episode[E]] = field(default_factory=list)
    inconsistent: list[tuple[E, str]] = field(default_factory=list)

    @property
    def referral_lapses_on(self) -> date | None:
        """The last day an open referral still stands, or None when none is open."""
        return self.referrals[-1].lapses_on if self.referral in REFERRAL_OPEN else None

    @property
    def running_jobs(self) -> list[Episode[E]]:
        """The jobs not ended, oldest first."""
        return [job for job in self.jobs if job.ended_on is None]

    @property
    def jobs_running(self) -> int:
        """How many jobs run (asked by a guard)."""
        return len(self.running_jobs)

    @property
    def phase_before(self) -> str | None:
        """The phase of the latest coaching, kept through an interruption (asked by a guard)."""
        return self.coachings[-1].phase if self.coachings else None

    def state_at(self, day: date) -> PathState:
        """The stage and the five states at the end of a day no earlier than the last entry (else ValueError)."""
        if self.last_day is not None and day < self.last_day:
            raise ValueError(f"the entries followed reach {self.last_day}; the state of {day} needs its own follow()")
        lapses_on = self.referral_lapses_on
        referral = "none" if lapses_on is not None and day > lapses_on else self.referral
        return PathState(
            self._stage(referral), referral, self.activity, self.coaching, self.work_trial, self.employment
        )

    def _stage(self, referral: str) -> str:
        """The first stage that matches, in the order of ``STAGES``."""
        if self.closed:
            return "closed"
        if self.other_outcome:
            return "other_outcome"
        if self.employment == "employed":
            return "employment"
        if self.work_trial == "running":
            return "work_trial"
        if self.coaching in COACHING_RUNNING:
            return "coaching" if self.coaching in PHASES else "coaching_interrupted"
        if referral in REFERRAL_OPEN:
            return "plan_update"
        if self.activity in ("active", "paused"):
            return "activity"
        some_ended = "ended" in (self.activity, self.coaching, self.work_trial, self.employment)
        return "between_services" if some_ended else "not_started"


def follow(entries: Iterable[E], *, referral_lapse_months: int, add_months: Callable[[date, int], date]) -> Path[E]:
    """Follow entries (visible, not voided, sorted by date and position) through the five charts.

    An entry no row allows is skipped for the charts and listed as inconsistent; nothing is raised for it.
    """
    path: Path[E] = Path()
    odd: list[tuple[int, E, str]] = []
    trials: list[tuple[int, E]] = []
    activity_from: list[tuple[date, str]] = []  # the activity's state after each entry it took
    entry = None
    for place, entry in enumerate(entries):
        effect = _EFFECTS.get(entry.type)
        if effect is None:
            continue
        moves, closed, other_outcome = effect
        for chart, trigger, ways, note in moves:
            if note is None:
                _refer(path, trigger, ways, entry, referral_lapse_months, add_months)
                continue
            old = getattr(path, chart)
            new = way_out(ways, old, path, entry)
            if new is None:
                odd.append((place, entry, NO_ROW))
                continue
            note(path, trigger, entry, old, new)
            setattr(path, chart, new)
            if chart == "activity":
                activity_from.append((entry.date, new))
            elif trigger == "start_work_trial":
                trials.append((place, entry))
        if closed is not None:
            path.closed = closed
        if other_outcome is not None:
            path.other_outcome = other_outcome
    path.last_day = entry.date if entry is not None else None
    odd += _odd_arrangements(trials, activity_from)
    path.inconsistent = [(entry, reason) for _, entry, reason in sorted(odd, key=lambda each: each[0])]
    return path


def _odd_arrangements(trials: list[tuple[int, E]], activity_from: list[tuple[date, str]]) -> list[tuple[int, E, str]]:
    """The trials whose arrangement does not fit the activity after all entries dated up to the trial's first day."""
    odd = []
    for place, entry in trials:
        moves = bisect_right(activity_from, entry.date, key=lambda move: move[0])
        activity = activity_from[moves - 1][1] if moves else "none"
        fits = ARRANGEMENT_FITS.get(getattr(entry, "arrangement", None) or "")
        if fits is not None and activity not in fits:
            odd.append((place, entry, ARRANGEMENT))
    return odd


# --- What each chart notes of a step it took (before its state is changed) --------------------------------------------


def _end(episode: Episode[E], entry: E) -> None:
    episode.ended_by, episode.ended_on = entry, entry.date


def _refer(
    path: Path[E], trigger: str, ways: Ways, entry: E, lapse_months: int, add_months: Callable[[date, int], date]
) -> None:
    """Let the referral lapse if its time had passed before this entry, then take the entry."""
    run = path.referrals[-1] if path.referral in REFERRAL_OPEN else None
    if run is not None and entry.date > run.lapses_on:
        path.referral = step("referral", LAPSE, path.referral, path, None) or path.referral
        run.ended_on = run.lapses_on + timedelta(days=1)
        run = None
    new = way_out(ways, path.referral, path, entry)
    if new is None and run is None:
        return
    renews = trigger in RENEWS_REFERRAL and (new is not None or counts("referral", trigger, path, entry))
    if new is None and not renews:
        return
    path.referral = new or path.referral
    if run is None and path.referral in REFERRAL_OPEN:
        run = ReferralEpisode("referral", entry, entry.date)
        path.referrals.append(run)
    if run is None:
        return
    run.entries.append(entry)
    if renews:
        run.lapses_on = add_months(entry.date, lapse_months)
    if trigger == "take_initiative" and run.initiative is None:
        run.initiative = entry
    if path.referral == "planned" and run.planned_by is None:
        run.planned_by = entry
    if path.referral not in REFERRAL_OPEN:
        _end(run, entry)


def _note_activity(path: Path[E], trigger: str, entry: E, old: str, new: str) -> None:
    if old in NOT_RUNNING:
        path.activities.append(ActivityEpisode("activity", entry, entry.date))
    episode = path.activities[-1]
    episode.entries.append(entry)
    if old == "paused":
        pause = path.pauses[-1]
        pause.entries.append(entry)
        if new != "paused":
            _end(pause, entry)
    elif new == "paused":
        pause = Episode("pause", entry, entry.date, entries=[entry])
        path.pauses.append(pause)
        episode.pauses.append(pause)
    if new == "ended":
        _end(episode, entry)


def _note_coaching(path: Path[E], trigger: str, entry: E, old: str, new: str) -> None:
    if old in NOT_RUNNING:
        path.coachings.append(CoachingEpisode("coaching", entry, entry.date, phase=new, phase_entry=entry))
    episode = path.coachings[-1]
    episode.entries.append(entry)
    if trigger == "reach_phase":
        episode.phase, episode.phase_entry = new, entry
    if new == "ended":
        _end(episode, entry)
    else:
        episode.interrupted = new == "interrupted"


def _note_trial(path: Path[E], trigger: str, entry: E, old: str, new: str) -> None:
    if old in NOT_RUNNING:
        path.trials.append(Episode("trial", entry, entry.date))
    path.trials[-1].entries.append(entry)
    if new == "ended":
        _end(path.trials[-1], entry)


def _note_job(path: Path[E], trigger: str, entry: E, old: str, new: str) -> None:
    if trigger == "start_job":
        path.jobs.append(Episode("job", entry, entry.date, entries=[entry]))
        return
    running = path.running_jobs
    employer = getattr(entry, "employer", None)
    with_employer = [job for job in running if employer and getattr(job.entry, "employer", None) == employer]
    job = (with_employer or running)[0]
    job.entries.append(entry)
    _end(job, entry)


_NOTE: dict[str, Callable[[Path[Any], str, Any, str, str], None]] = {
    "activity": _note_activity,
    "coaching": _note_coaching,
    "work_trial": _note_trial,
    "employment": _note_job,
}


# --- What an entry of each type does, compiled ------------------------------------------------------------------------


class _Effect(NamedTuple):
    """The steps an entry takes (chart, trigger, ways out, what is noted; None: the referral notes its own), and what it
    does to the closed case and the other outcome."""

    moves: tuple[tuple[str, str, Ways, Callable[[Path[Any], str, Any, str, str], None] | None], ...]
    closed: bool | None
    other_outcome: bool | None


_EFFECTS: dict[str, _Effect] = {
    kind: _Effect(
        tuple((chart, trigger, TABLE[chart, trigger], _NOTE.get(chart)) for chart, trigger in FIRED_BY.get(kind, ())),
        *_OUTSIDE_THE_CHARTS.get(kind, (None, None)),
    )
    for kind in (*FIRED_BY, *(kind for kind in _OUTSIDE_THE_CHARTS if kind not in FIRED_BY))
}
