"""What rules are about: the case and its episodes, each with its facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.facts import FACTS, Value
from rules.fold.case import case_facts
from rules.fold.coaching import coaching_facts, plan_to_come
from rules.fold.jobs import job_facts, pending_jobs
from rules.fold.plans import plan_facts, referral_facts
from rules.fold.record import History, Record, field
from rules.fold.services import activity_facts, pause_facts
from rules.fold.trials import trial_facts
from rules.journal import Entry
from statemachines.path import PathState

STOPS = {"coaching_declined": "declined", "coaching_ended": "ended", "coaching_interrupted": "interrupted"}


@dataclass(frozen=True, slots=True)
class Subject:
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
    for subject in _subjects(record, state):
        if subject.current or all_subjects:
            subject.facts.update(common)
            _view(subject, state.stage)
            found.append(subject)
    return Folded(day, state, tuple(found), tuple(path.inconsistent), record.holds_until)


def _subjects(record: Record, state: PathState) -> Iterator[Subject]:
    yield from _activities(record)
    yield from _referrals(record, state)
    yield from _plans(record)
    yield from _coachings(record)
    yield from _trials(record)
    yield from _jobs(record)
    yield from _stops(record)


def _view(subject: Subject, stage: str) -> None:
    """When an outcome beside work is reached, rules speak only of what still runs; of nothing when closed (SPEC §4)."""
    kind = subject.kind
    if f"{kind}.running" in subject.facts and f"{kind}.in_view" in FACTS:
        over = subject.facts[f"{kind}.running"] == "no" and not subject.proposed  # until the step is taken it runs
        outside = stage == "closed" or (stage == "other_outcome" and over)
        subject.facts[f"{kind}.in_view"] = "no" if outside else "yes"


def _subject(
    record: Record, kind: str, entry: Entry, facts: dict[str, Value], *, current: bool, ended: bool, by: Any = None
) -> Subject:
    step = record.history.step
    proposed = step is not None and (entry is step or by is step)
    return Subject(kind, entry.id, current, ended, proposed, facts)


def _activities(record: Record) -> Iterator[Subject]:
    episodes = record.path.activities
    for number, episode in enumerate(episodes):
        follower = episodes[number + 1] if number + 1 < len(episodes) else None
        current, ended = follower is None, episode.ended_on is not None
        facts = activity_facts(record, episode, follower)
        yield _subject(record, "activity", episode.entry, facts, current=current, ended=ended, by=episode.ended_by)
    pauses = record.path.pauses
    for pause in pauses:
        current, ended = pause is pauses[-1], pause.ended_on is not None
        yield _subject(record, "pause", pause.entry, pause_facts(record, pause), current=current, ended=ended)


def _referrals(record: Record, state: PathState) -> Iterator[Subject]:
    runs = record.path.referrals
    for run in runs:
        running = run is runs[-1] and state.referral in ("initiated", "agreed", "planned")
        facts = referral_facts(record, run, state.referral if running else "over")
        yield _subject(record, "referral", run.entry, facts, current=run is runs[-1], ended=not running)


def _plans(record: Record) -> Iterator[Subject]:
    # Only the latest plan is judged (SPEC: "a plan update exists (the latest)").
    latest = record.latest("activation_plan_updated")
    if latest is not None:
        yield _subject(record, "plan", latest, plan_facts(latest), current=True, ended=False)


def _coachings(record: Record) -> Iterator[Subject]:
    episodes = record.path.coachings
    before = episodes[-1] if episodes else None
    to_come = None
    if before is None or before.ended_on is not None:
        to_come = plan_to_come(record, before)
    for number, episode in enumerate(episodes):
        previous = episodes[number - 1] if number else None
        current = episode is before and to_come is None
        facts = coaching_facts(record, episode, previous)
        ended = episode.ended_on is not None
        yield _subject(record, "coaching", episode.entry, facts, current=current, ended=ended, by=episode.ended_by)
    if to_come is not None:
        facts = coaching_facts(record, None, before, to_come)
        yield _subject(record, "coaching", to_come, facts, current=True, ended=False)


def _trials(record: Record) -> Iterator[Subject]:
    trials = record.path.trials
    for number, episode in enumerate(trials):
        previous = trials[number - 1] if number else None
        facts = trial_facts(record, episode, previous, latest=episode is trials[-1])
        current, ended = episode is trials[-1], episode.ended_on is not None
        yield _subject(record, "trial", episode.entry, facts, current=current, ended=ended, by=episode.ended_by)


def _jobs(record: Record) -> Iterator[Subject]:
    jobs = record.path.jobs
    latest_start = max((job.started_on for job in jobs), default=date.min)
    last_end = max((job.ended_on for job in jobs if job.ended_on is not None), default=date.min)
    for job in jobs:
        ended = job.ended_on is not None
        current = not ended or (job.ended_on == last_end and latest_start <= last_end)
        facts = job_facts(record, job.entry, job.started_on, job)
        yield _subject(record, "job", job.entry, facts, current=current, ended=ended, by=job.ended_by)
    for entry in pending_jobs(record):
        facts = job_facts(record, entry, field(entry, "start"), None)
        yield _subject(record, "job", entry, facts, current=True, ended=False)


def _stops(record: Record) -> Iterator[Subject]:
    stops = record.of(*STOPS)
    begun = record.latest("coaching_started", "coaching_resumed")
    for entry in stops:
        current = entry is stops[-1] and (begun is None or record.after(entry, begun))
        facts: dict[str, Value] = {
            "stop.type": STOPS[entry.type],
            "stop.reason": field(entry, "reason") or "unknown",
            "stop.on": entry.date,
        }
        yield _subject(record, "stop", entry, facts, current=current, ended=False)
