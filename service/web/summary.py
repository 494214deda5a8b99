"""What a client takes home from a meeting: one page, addressed to them, in plain words of their own language.

It says where they are, what was agreed, what comes next and who sees to it. It holds no rule, severity, reason or free
text, so nothing about health; of what rests on something the worker who prints it may not see it holds nothing either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from rules.assessment import Assessor
from rules.fold import Subject, fold
from rules.journal import Case, Entry
from rules.pack import ROLES
from rules.provenance import BEING_THERE, CORRECTIONS, HEADER, resolved
from service.access.policy import Sight
from service.access.reach import withheld_facts
from service.access.relations import ties
from service.access.withholding import withhold_assessment
from service.login.pages import LANGUAGES
from service.web.formats import Formats
from service.words import Lang, Words, sentence
from statemachines import PHASES

#: How far ahead the page looks, days: beyond the next half-yearly talk.
LOOKS_AHEAD = 200
#: What can have been agreed, in the order it is told; each a kind of subject.
AGREED = ("plan", "activity", "coaching", "trial", "job")
#: What of it has a day that may lie ahead or be past, and is told accordingly.
_DAYS = ("until", "period_until", "ends", "to_begin", "looked_at_again")
#: What the parts about agreements and workers rest on.
_RESTS_ON = CORRECTIONS | resolved(
    [
        *("workers", "activity chart", "activity days", "activity period", "coaching or interrupted", "planned end"),
        *(
            "work_trial chart",
            "job episodes",
            "activation_plan_updated.coaching",
            "activation_plan_updated.valid_until",
        ),
        *("plan_reviewed", "work_trial_agreed.start", "job_agreed.start", "coaching_renewed.period_end"),
        *("coaching_started.period_end", "coaching_interrupted.review_on", "work_trial_started.days_per_week"),
    ]
)

Said = Iterator[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Agreed:
    """One thing that was agreed: its name, and what of it in whole sentences."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """Something that comes next: what, who sees to it, by when."""

    what: str
    who: str
    when: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """A day ahead and what it is about."""

    day: str
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The page, every text of it in the client's language. `partial`: something is left out that is not for the eyes of
    the worker who prints it."""

    lang: Lang
    name: str | None
    made_on: str
    place: str
    agreed: tuple[Agreed, ...]
    tasks: tuple[Task, ...]
    ahead: tuple[Ahead, ...]
    workers: tuple[str, ...]
    partial: bool

    def as_json(self) -> dict[str, Any]:
        """Its parts as plain data."""
        return asdict(self)


def summary(assessor: Assessor, case: Case, sight: Sight, name: str | None, today: date, lang: Lang) -> Summary:
    """The summary of a client, as far as it may be seen. Raises EngineError."""
    told = _Told(assessor, case, sight, today, Words(lang))
    return Summary(
        lang=lang,
        name=name,
        made_on=told.fmt.day(today),
        place=told.place(),
        agreed=tuple(told.agreed()),
        tasks=tuple(told.tasks()),
        ahead=tuple(told.ahead()),
        workers=tuple(told.workers()),
        partial=told.partial,
    )


def language_of(case: Case, sight: Sight, asked: str | None, otherwise: Lang) -> Lang:
    """The language of a client's page: the one asked for, else the client's own, else the worker's."""
    known = case.language if (HEADER, "language") not in sight.hidden else None
    return next((lang for lang in LANGUAGES if lang == asked), known or otherwise)


class _Told:
    """Puts one client's path into words for them."""

    def __init__(self, assessor: Assessor, case: Case, sight: Sight, today: date, words: Words) -> None:
        self.words, self.fmt = words, Formats(words.lang)
        self.case, self.sight, self.today = case, sight, today
        self.pack = assessor.pack
        self._history = assessor.history(case, today)
        self._subjects = fold(self._history, today).subjects
        self._hidden = withheld_facts(sight)
        found = assessor.assess(case, today) if sight.opens("assessment") else None
        self._assessment = {} if found is None else withhold_assessment(found, sight)

    @property
    def partial(self) -> bool:
        """Whether something is left out. (It is told from what the role sees, never from the journal.)"""
        withheld: Mapping[str, Any] = self._assessment.get("withheld", {})
        steps = not self._assessment or bool(withheld.get("next_steps")) or bool(withheld.get("state"))
        return steps or self.sight.hides(_RESTS_ON)

    # --- where the client is ---

    def place(self) -> str:
        """Where the client is on the path."""
        state = self._assessment.get("state", {})
        stage, phase = state.get("stage"), state.get("coaching")
        if stage is None:
            return self.words("summary", "place_not_shown")
        told = [self.words("summary_stages", stage)]
        # The last phase speaks of a job that goes on: not to someone who has just lost one.
        if stage == "coaching" and phase in PHASES and (phase != PHASES[-1] or state.get("employment") == "employed"):
            told.append(self.words("summary_phases", phase))
        return " ".join(told)

    # --- what was agreed ---

    def agreed(self) -> Iterator[Agreed]:
        """What was agreed and still stands."""
        for kind in AGREED:
            told = [self._sentence(key, value) for key, value in self._said[kind]]
            if told:
                yield Agreed(self.words("summary_services", kind), " ".join(dict.fromkeys(told)))

    def _sentence(self, key: str, value: Any) -> str:
        if isinstance(value, date):
            past = key in _DAYS and value < self.today
            return self.words("summary_agreed", f"{key}_past" if past else key, day=self.fmt.day(value))
        return self.words("summary_agreed", key, **({} if value is None else {"count": value}))

    @cached_property
    def _said(self) -> dict[str, list[tuple[str, Any]]]:
        """By kind of subject, what is to be said of it: keys of the catalogue, each with its day or number."""
        return {
            kind: [item for subject in self._of(kind) for item in getattr(self, f"_{kind}")(subject)]
            + list(self._to_come(kind))
            for kind in AGREED
        }

    def _plan(self, plan: Subject) -> Said:
        updated = self._fact(plan, "plan.updated_on")
        yield from _dated("updated", updated)
        reviewed = self._days("plan_reviewed", BEING_THERE)
        if updated is not None and reviewed and reviewed[-1] > updated:
            yield "reviewed", reviewed[-1]
        yield from _dated("until", self._field(self._entry(plan), "valid_until"))

    def _activity(self, activity: Subject) -> Said:
        if self._fact(activity, "activity.running") != "yes":
            return
        yield from _dated("began", self._fact(activity, "activity.started_on"))
        paused = [item for item in self._of("pause") if self._fact(item, "pause.running") == "yes"]
        for pause in paused:
            yield from _dated("paused", self._fact(pause, "pause.started_on"))
        if not paused:
            yield from _counted("days_a_week", self._fact(activity, "activity.days_per_week"))
        yield from _dated("period_until", self._fact(activity, "activity.period_end"))

    def _coaching(self, coaching: Subject) -> Said:
        status = self._fact(coaching, "coaching.status")
        if status == "to_come":
            yield from _dated("to_begin", getattr(self._field(self._entry(coaching), "coaching"), "start", None))
        if status not in ("active", "interrupted"):
            return
        yield from _dated("began", self._fact(coaching, "coaching.started_on"))
        if status == "interrupted":
            yield "interrupted", None
            yield from _dated("looked_at_again", self._fact(coaching, "coaching.review_on"))
        else:
            yield from _dated("period_until", self._fact(coaching, "coaching.period_end"))

    def _trial(self, trial: Subject) -> Said:
        if self._fact(trial, "trial.running") != "yes":
            return
        yield from _dated("began", self._fact(trial, "trial.started_on"))
        yield from _dated("ends", self._fact(trial, "trial.planned_end"))
        yield from _counted("days_a_week", self._field(self._entry(trial), "days_per_week"))

    def _job(self, job: Subject) -> Said:
        status = self._fact(job, "job.status")
        if status in ("running", "pending"):
            yield from _dated("began" if status == "running" else "to_begin", self._fact(job, "job.started_on"))

    def _to_come(self, kind: str) -> Said:
        """A trial that is agreed and has not begun. (Coaching and jobs to come are subjects of their own.)"""
        agreed = self._history.by_type.get("work_trial_agreed", ()) if kind == "trial" else ()
        begun = [self._history.position[entry.id] for entry in self._history.by_type.get("work_trial_started", ())]
        for entry in agreed[-1:]:
            if self._history.position[entry.id] > max(begun, default=-1):
                yield from _dated("to_begin", self._field(entry, "start"))

    # --- what comes next ---

    def tasks(self) -> Iterator[Task]:
        """The next steps, in words for the client."""
        for step in self._assessment.get("next_steps", ()):
            who = sentence(self.words("summary_roles", step["role"]))
            yield Task(self.words("summary_actions", step["action"]), who, self._when(step))

    def _when(self, step: Mapping[str, Any]) -> str:
        if step["status"] in ("overdue", "do_now"):
            return self.words("summary", "soon")
        if step["due"] is None:
            return self.words("summary", "to_be_agreed")
        return self.words("summary", "by", day=self.fmt.day(step["due"]))

    def ahead(self) -> Iterator[Ahead]:
        """The days ahead: what was agreed for a day, and by when more is to be done than the steps tell."""
        found = {(day, self.fmt.day(day), text) for day, text in self._days_agreed()}
        found |= {(day, self.words("summary", "by", day=self.fmt.day(day)), text) for day, text in self._deadlines()}
        for _, day, text in sorted(found):
            yield Ahead(day, text)

    def _days_agreed(self) -> Iterator[tuple[date, str]]:
        for kind, said in self._said.items():
            for key, value in said:
                if key in _DAYS and self._is_ahead(value):
                    yield value, self.words("summary_ahead", f"{kind}_{key}")

    def _deadlines(self) -> Iterator[tuple[date, str]]:
        told = {step["action"] for step in self._assessment.get("next_steps", ())}
        for change in self._assessment.get("agenda", ()):
            action, day = self.pack.versions(change["rule"])[-1].action, date.fromisoformat(change["last_day"])
            if change["to"] == "violated" and action not in told and self._is_ahead(day):
                told.add(action)
                yield day, self.words("summary_actions", action)

    def _is_ahead(self, day: date) -> bool:
        return self.today <= day <= self.today + timedelta(days=LOOKS_AHEAD)

    # --- who works with the client ---

    def workers(self) -> Iterator[str]:
        """The roles of those who work with the client, in the order of the roles."""
        if self.sight.hides(resolved(["workers"])):
            return
        held = {worker.role for worker in ties(self.case)[0] if _holds(worker.from_day, worker.until_day, self.today)}
        for role in ROLES:
            if role in held - {"client"}:
                yield sentence(self.words("summary_roles", role))

    # --- what is known, as far as it may be seen ---

    def _of(self, kind: str) -> Iterable[Subject]:
        return (subject for subject in self._subjects if subject.kind == kind)

    def _fact(self, subject: Subject, name: str) -> Any:
        """A fact of a subject; None where it is withheld or not known."""
        value = None if name in self._hidden else subject.facts[name]
        return None if value == "unknown" else value

    def _entry(self, subject: Subject) -> Entry | None:
        return next((entry for entry in self._history.entries if entry.id == subject.entry), None)

    def _field(self, entry: Entry | None, name: str) -> Any:
        if entry is None or self.sight.hides({(entry.type, BEING_THERE), (entry.type, name)}):
            return None
        return getattr(entry, name, None)

    def _days(self, type_: str, name: str) -> list[date]:
        found = (self._field(entry, name) for entry in self._history.by_type.get(type_, ()))
        return [day for day in found if day is not None]


def _dated(key: str, day: Any) -> Said:
    if isinstance(day, date):
        yield key, day


def _counted(key: str, number: Any) -> Said:
    if isinstance(number, int):
        yield key, number


def _holds(start: date, end: date | None, today: date) -> bool:
    return start <= today and (end is None or today <= end)
