"""What rules are about: the case and its episodes, each with its facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from rules.facts import FACTS, KINDS, Value
from rules.fold.case import case_facts
from rules.fold.coaching import coaching_facts, plan_to_come
from rules.fold.jobs import job_facts, pending_jobs
from rules.fold.plans import plan_facts, referral_facts
from rules.fold.record import History, Record, field
from rules.fold.services import activity_facts, pause_facts
from rules.fold.trials import trial_facts
from rules.journal import Entry
from statemachines.charts import REFERRAL_OPEN
from statemachines.path import PathState

STOPS = {"coaching_declined": "declined", "coaching_ended": "ended", "coaching_interrupted": "interrupted"}


class Subject(NamedTuple):
    """One subject with its facts (the case's and its own), named by the entry that began it.

    `current`: the running one, else the latest of its kind. `ended`: its episode is over. `proposed`: the step under
    judgement begins or ends it.
    """

    kind: str
    entry: str | None
    current: bool
    ended: bool
    proposed: bool
    facts: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Folded:
    """A journal folded for one evaluation date: where the client is, the subjects, and how long this holds.

    `holds_until` is the last day on which the facts are the same if nothing is recorded (date.max: no end is known).
    """

    day: date
    state: PathState
    subjects: tuple[Subject, ...]
    inconsistent: tuple[tuple[Entry, str], ...]
    holds_until: date

    @property
    def of_step(self) -> tuple[Subject, ...]:
        """The case, and the subjects that the step under judgement begins or ends."""
        return self.subjects[0], *(subject for subject in self.subjects if subject.proposed)


def fold(history: History, day: date, *, all_subjects: bool = False) -> Folded:
    """Fold a history for the evaluation date `day`; with `all_subjects` also the episodes that are history."""
    record = Record(history, day)
    path = history.path
    lapses_on = path.referral_lapses_on
    if lapses_on is not None:
        record.passed(lapses_on)
    state = path.state_at(day)
    common = case_facts(record, state)
    found = [Subject("case", None, current=True, ended=False, proposed=False, facts=common)]
    step = history.step
    for told in _subjects(record, state, every=all_subjects):
        proposed = step is not None and (told.entry is step or told.ended_by is step)
        facts = {**common, **told.facts}
        if told.kind in _VIEWED:
            running, in_view = _VIEWED[told.kind]
            over = facts[running] == "no" and not proposed  # until a step that ends it is taken it runs
            facts[in_view] = _in_view(state.stage, over=over)
        found.append(Subject(told.kind, told.entry.id, told.current, told.ended, proposed, facts))
    return Folded(day, state, tuple(found), tuple(path.inconsistent), record.holds_until)


#: The kinds that go out of view (SPEC §4): the fact that tells whether one still runs, and the fact made of it.
_VIEWED = {
    kind: (f"{kind}.running", f"{kind}.in_view")
    for kind in KINDS
    if f"{kind}.running" in FACTS and f"{kind}.in_view" in FACTS
}


def _in_view(stage: str, *, over: bool) -> str:
    """When an outcome beside work is reached, rules speak only of what still runs; of nothing when closed (SPEC §4)."""
    return "no" if stage == "closed" or (stage == "other_outcome" and over) else "yes"


class _Told(NamedTuple):
    """A subject as its kind tells of it, with its own facts; `ended_by` is the entry that ended it."""

    kind: str
    entry: Entry
    facts: dict[str, Value]
    current: bool
    ended: bool
    ended_by: Entry | None = None


def _subjects(record: Record, state: PathState, *, every: bool) -> Iterator[_Told]:
    """The current subjects; with `every` those of the past too, whose facts are not asked for otherwise."""
    yield from _activities(record, every=every)
    yield from _referrals(record, state, every=every)
    yield from _plans(record)
    yield from _coachings(record, every=every)
    yield from _trials(record, every=every)
    yield from _jobs(record, every=every)
    yield from _stops(record, every=every)


def _activities(record: Record, *, every: bool) -> Iterator[_Told]:
    episodes = record.path.activities
    for number, episode in enumerate(episodes):
        follower = episodes[number + 1] if number + 1 < len(episodes) else None
        if every or follower is None:
            facts = activity_facts(record, episode, follower)
            ended = episode.ended_on is not None
            yield _Told("activity", episode.entry, facts, follower is None, ended, episode.ended_by)
    pauses = record.path.pauses
    for pause in pauses if every else pauses[-1:]:
        facts, current = pause_facts(record, pause), pause is pauses[-1]
        yield _Told("pause", pause.entry, facts, current, pause.ended_on is not None)


def _referrals(record: Record, state: PathState, *, every: bool) -> Iterator[_Told]:
    runs = record.path.referrals
    for run in runs if every else runs[-1:]:
        current = run is runs[-1]
        running = current and state.referral in REFERRAL_OPEN
        facts = referral_facts(record, run, state.referral if running else "over")
        yield _Told("referral", run.entry, facts, current, not running)


def _plans(record: Record) -> Iterator[_Told]:
    # Only the latest plan is judged (SPEC: "a plan update exists (the latest)").
    latest = record.latest("activation_plan_updated")
    if latest is not None:
        yield _Told("plan", latest, plan_facts(latest), current=True, ended=False)


def _coachings(record: Record, *, every: bool) -> Iterator[_Told]:
    episodes = record.path.coachings
    before = episodes[-1] if episodes else None
    to_come = None
    if before is None or before.ended_on is not None:
        to_come = plan_to_come(record, before)
    for number, episode in enumerate(episodes):
        previous = episodes[number - 1] if number else None
        current = episode is before and to_come is None
        if every or current:
            facts, ended = coaching_facts(record, episode, previous), episode.ended_on is not None
            yield _Told("coaching", episode.entry, facts, current, ended, episode.ended_by)
    if to_come is not None:
        facts = coaching_facts(record, None, before, to_come)
        yield _Told("coaching", to_come, facts, current=True, ended=False)


def _trials(record: Record, *, every: bool) -> Iterator[_Told]:
    trials = record.path.trials
    for number, episode in enumerate(trials):
        previous, current = trials[number - 1] if number else None, episode is trials[-1]
        if every or current:
            facts, ended = trial_facts(record, episode, previous, latest=current), episode.ended_on is not None
            yield _Told("trial", episode.entry, facts, current, ended, episode.ended_by)


def _jobs(record: Record, *, every: bool) -> Iterator[_Told]:
    jobs = record.path.jobs
    latest_start = max((job.started_on for job in jobs), default=date.min)
    last_end = max((job.ended_on for job in jobs if job.ended_on is not None), default=date.min)
    for job in jobs:
        ended = job.ended_on is not None
        current = not ended or (job.ended_on == last_end and latest_start <= last_end)
        if every or current:
            facts = job_facts(record, job.entry, job.started_on, job)
            yield _Told("job", job.entry, facts, current, ended, job.ended_by)
    for entry in pending_jobs(record):
        facts = job_facts(record, entry, field(entry, "start"), None)
        yield _Told("job", entry, facts, current=True, ended=False)


def _stops(record: Record, *, every: bool) -> Iterator[_Told]:
    stops = record.among(STOPS)
    begun = record.among(("coaching_started", "coaching_resumed"))[-1:]
    for entry in stops if every else stops[-1:]:
        current = entry is stops[-1] and not (begun and record.after(begun[0], entry))
        if every or current:
            facts: dict[str, Value] = {
                "stop.type": STOPS[entry.type],
                "stop.reason": field(entry, "reason") or "unknown",
                "stop.on": entry.date,
            }
            yield _Told("stop", entry, facts, current, ended=False)
