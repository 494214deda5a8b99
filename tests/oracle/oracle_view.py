"""What the rules look at: a case on a date, its subjects, and facts several rules read; and the list of rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from .oracle_charts import PHASES, UNDER_WAY, Charts, Episode
from .oracle_journal import Entry, Journal
from .oracle_values import Answer, Truth, within_months_before

PLAN_UPDATE_REACHES_BACK_MONTHS = 12  # "within the 12 months before it (LC)"

IN_FORCE_FROM = date(2020, 1, 1)  # "In force from 2020-01-01 (LC) unless given"
IN_FORCE = {
    "basic-consent-before-ktt": (IN_FORCE_FROM, date(2024, 12, 31)),  # "(to 2024-12-31)"
    "plan-review-every-3-months": (date(2022, 5, 2), date.max),  # "(from 2022-05-02)"
    "trial-max-six-months": (date(2025, 1, 1), date.max),  # "(from 2025-01-01)"
    "days-per-week-1-4": (date(2015, 7, 1), date.max),  # "(from 2015-07-01)"
}


class View:
    """A case on a date."""

    def __init__(self, document: dict[str, Any], as_of: date, known_at: datetime | None) -> None:
        self.journal = Journal(document, as_of, known_at)
        self.charts = Charts(self.journal)
        self.today = as_of
        self.subjects = self._subjects()

    # --- subjects ---

    def _subjects(self) -> dict[str, list[Episode]]:
        charts = self.charts
        subjects = {
            "case": [Episode("case", None, self.today)],
            "activity": charts.activities,
            "pause": charts.pauses,
            "coaching": list(charts.coachings),
            "trial": charts.trials,
            "job": charts.jobs + self._pending_jobs(),
            "referral": charts.referrals,
            "plan": [],
            "stop": [
                Episode("stop", e, e.date)
                for e in self.journal.of("coaching_declined", "coaching_ended", "coaching_interrupted")
            ],
        }
        plan = self.journal.latest("activation_plan_updated")
        if plan is not None:
            subjects["plan"].append(Episode("plan", plan, plan.date))
        to_come = self._coaching_to_come()
        if to_come is not None:
            subjects["coaching"].append(to_come)
        return subjects

    def _pending_jobs(self) -> list[Episode]:
        """Agreed jobs not yet begun, nor replaced by a later agreement with that employer."""
        pending = []
        for agreed in self.journal.of("job_agreed"):
            later = [e for e in self.journal.of("job_started", "job_agreed") if e.order > agreed.order]
            if not any(same_employer(agreed, e) for e in later):
                start = agreed.day("start")
                assert start is not None
                job = Episode("job", agreed, start)
                job.pending = True
                pending.append(job)
        return pending

    def _coaching_to_come(self) -> Episode | None:
        if self.charts.coaching not in ("none", "ended"):
            return None
        plan = self._plan_before(self.today, self.latest_coaching)
        if plan is None:
            return None
        coaching = Episode("coaching", plan, self.today)
        coaching.to_come = True
        return coaching

    @property
    def latest_activity(self) -> Episode | None:
        return self.charts.activities[-1] if self.charts.activities else None

    @property
    def latest_coaching(self) -> Episode | None:
        return self.charts.coachings[-1] if self.charts.coachings else None

    @property
    def latest_trial(self) -> Episode | None:
        return self.charts.trials[-1] if self.charts.trials else None

    # --- what runs ---

    def activity_is_active(self, activity: Episode | None = None) -> bool:
        """Is the activity (or this activity) active, not paused?"""
        return self.charts.activity == "active" and (activity is None or activity.running)

    def coaching_is_active(self, coaching: Episode) -> bool:
        return coaching.running and self.charts.coaching in PHASES

    @property
    def referral_under_way(self) -> bool:
        return self.charts.referral in UNDER_WAY

    def runs(self, kind: str) -> Truth:
        """Does it run now? A "no" is unknown where the journal does not carry its beginnings."""
        running, start_type = {
            "activity": (self.charts.activity in ("active", "paused"), "activity_started"),
            "coaching": (self.charts.coaching not in ("none", "ended"), "coaching_started"),
            "trial": (self.charts.work_trial == "running", "work_trial_started"),
            "job": (self.charts.employment == "employed", "job_started"),
        }[kind]
        if running:
            return True
        return None if start_type in self.journal.not_recorded else False

    # --- "its plan update" ---

    def _plan_before(self, day: date, previous: Episode | None) -> Entry | None:
        found = None
        for plan in self.journal.of("activation_plan_updated"):
            if plan.part("coaching") is None or not within_months_before(
                plan.date, PLAN_UPDATE_REACHES_BACK_MONTHS, day
            ):
                continue
            if previous is not None and previous.end is not None and plan.date < previous.end:
                continue
            found = plan
        return found

    def its_plan(self, coaching: Episode) -> Entry | None:
        """The latest plan update with coaching dated no later than its start, within 12 months, after the previous."""
        if coaching.to_come:
            return coaching.entry
        return self._plan_before(coaching.start, coaching.previous)

    def its_plan_exists(self, coaching: Episode) -> Truth:
        if self.its_plan(coaching) is not None:
            return True
        previous_end = None if coaching.previous is None else coaching.previous.end
        return self.journal.absent_within_months(
            PLAN_UPDATE_REACHES_BACK_MONTHS, coaching.start, "activation_plan_updated", not_before=previous_end
        )

    # --- facts several rules read ---

    def client_contacts(self, since: date) -> list[Entry]:
        """ "The client contacted": party client, reached is not no."""
        return [
            e
            for e in self.journal.of("contact")
            if e.get("party") == "client" and e.get("reached") != "no" and e.date >= since
        ]

    def social_worker_assignment(self) -> Entry | None:
        """The latest assignment of a social worker who has not been released since."""
        assigned: dict[str, Entry] = {}
        for entry in self.journal.of("worker_assigned", "worker_released"):
            if entry.get("role") != "social_worker":
                continue
            if entry.type == "worker_assigned":
                assigned[entry.get("worker")] = entry
            else:
                assigned.pop(entry.get("worker"), None)
        return max(assigned.values(), key=lambda e: e.order, default=None)

    def social_worker_assigned(self) -> Truth:
        if self.social_worker_assignment() is not None:
            return True
        return self.journal.absent("worker_assigned")

    def latest_interest(self) -> str | None:
        """yes, no or undecided; a decline for client_choice counts as no; None if never asked."""
        answers = self.interest_answers()
        return answers[-1][1] if answers else None

    def interest_answers(self) -> list[tuple[date, str]]:
        answers = []
        for entry in self.journal.of("interest_asked", "coaching_declined"):
            if entry.type == "interest_asked":
                answers.append((entry.date, entry.get("wants_to_work")))
            elif entry.get("reason") == "client_choice":
                answers.append((entry.date, "no"))
        return answers

    def wish_for_support(self, until: date | None = None) -> str | None:
        """The latest wish for contact at work, as_usual, less or none; None if never recorded."""
        wishes = [e for e in self.journal.of("contact_wish_recorded") if until is None or e.date <= until]
        return wishes[-1].get("wish") if wishes else None


def same_employer(agreed: Entry, later: Entry) -> bool:
    """An employer left out may be any."""
    one, other = agreed.get("employer"), later.get("employer")
    return one is None or other is None or one == other


def planned_end(trial: Episode) -> date | None:
    """The trial's planned end, the latest extension's if it was extended."""
    end = trial.began().day("planned_end")
    for step in trial.steps:
        if step.type == "work_trial_extended":
            end = step.day("planned_end")
    return end


# --- the rules ---

Judge = Callable[[View, Episode], Answer]
Event = Callable[[View, Episode], date | None]


class Rule:
    """A rule: what it is about, how it is judged, and for E rules the day whose version counts (None: no event)."""

    def __init__(self, id: str, about: str, judge: Judge, event: Event | None, about_the_ending: bool) -> None:
        self.id = id
        self.about = about
        self.judge = judge
        self.event = event
        self.about_the_ending = about_the_ending

    def in_force(self, view: View, subject: Episode) -> bool:
        day = view.today if self.event is None else self.event(view, subject)
        first, last = IN_FORCE.get(self.id, (IN_FORCE_FROM, date.max))
        return day is not None and first <= day <= last


RULES: dict[str, Rule] = {}


def rule(
    id: str, about: str, *, event: Event | None = None, about_the_ending: bool = False
) -> Callable[[Judge], Judge]:
    """Enter a function into the list of rules."""

    def enter(function: Judge) -> Judge:
        RULES[id] = Rule(id, about, function, event, about_the_ending)
        return function

    return enter


def when_it_began(view: View, subject: Episode) -> date | None:
    return subject.start


def when_it_ended(view: View, subject: Episode) -> date | None:
    return subject.end
