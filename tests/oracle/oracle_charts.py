"""The five charts of §3 and the stage, with plain ifs."""

from __future__ import annotations

from datetime import date

from .oracle_journal import Entry, Journal
from .oracle_values import add_months

REFERRAL_LAPSES_MONTHS = 6  # "or 6 months without one of these (LC)"

PHASES = ("agreement", "profile", "job_search", "employer_support", "job_retention")
UNDER_WAY = ("initiated", "agreed", "planned")
STARTS = ("activity_started", "coaching_started", "work_trial_started", "job_started")
RESUMPTIONS = ("activity_resumed", "coaching_resumed")


class Episode:
    """One run of a chart, or another subject a rule is about; named by the entry that began it."""

    def __init__(self, kind: str, entry: Entry | None, start: date) -> None:
        self.kind = kind
        self.entry = entry
        self.start = start
        self.end: date | None = None
        self.end_entry: Entry | None = None
        self.steps: list[Entry] = [] if entry is None else [entry]  # the entries its chart allowed, in order
        self.previous: Episode | None = None
        self.next: Episode | None = None
        self.to_come = False  # a coaching that is planned
        self.pending = False  # a job that is agreed
        self.initiative: Entry | None = None  # of a referral
        self.planned_on: date | None = None  # of a referral
        self.last_step: date = start  # of a referral: what its lapse is counted from

    @property
    def id(self) -> str | None:
        return None if self.entry is None else self.entry.id

    @property
    def running(self) -> bool:
        return self.end is None and not self.to_come and not self.pending

    def close(self, entry: Entry) -> None:
        self.steps.append(entry)
        self.end, self.end_entry = entry.date, entry

    def began(self) -> Entry:
        assert self.entry is not None
        return self.entry

    def ended_by(self) -> Entry:
        assert self.end_entry is not None
        return self.end_entry


class Charts:
    """Where the client is: the states, the episodes, and the entries that broke a chart."""

    def __init__(self, journal: Journal) -> None:
        self.referral = self.activity = self.coaching = self.work_trial = self.employment = "none"
        self.referrals: list[Episode] = []
        self.activities: list[Episode] = []
        self.pauses: list[Episode] = []
        self.coachings: list[Episode] = []
        self.trials: list[Episode] = []
        self.jobs: list[Episode] = []
        self.inconsistent: list[Entry] = []
        self.phase_before = "none"  # of an interrupted coaching
        self.phase_entry: Entry | None = None  # the entry that brought the current phase
        self._activity_on: list[tuple[date, str]] = []
        self._closed = self._other_outcome = False
        for entry in journal.entries:
            self._lapse(entry.date)
            allowed = self._chart(entry)
            if not allowed:
                self.inconsistent.append(entry)
            self._referral(entry, allowed)
            self._case(entry)
            self._activity_on.append((entry.date, self.activity))
        self._lapse(journal.today)
        self.inconsistent.extend(t.began() for t in self.trials if not self._arrangement_matches(t.began()))
        self.stage = self._stage()

    def states(self) -> dict[str, str]:
        return {
            "stage": self.stage,
            "referral": self.referral,
            "activity": self.activity,
            "coaching": self.coaching,
            "work_trial": self.work_trial,
            "employment": self.employment,
        }

    # --- the four charts a wrong entry can break: True = allowed ---

    def _chart(self, entry: Entry) -> bool:
        if entry.type.startswith("activity_"):
            return self._activity(entry)
        if entry.type in COACHING_ENTRIES:
            return self._coaching(entry)
        if entry.type in ("work_trial_started", "work_trial_extended", "work_trial_ended"):
            return self._work_trial(entry)
        if entry.type in ("job_started", "job_ended"):
            return self._employment(entry)
        return True

    def _activity(self, entry: Entry) -> bool:
        if entry.type == "activity_started":
            if self.activity not in ("none", "ended"):
                return False
            self._begin(self.activities, Episode("activity", entry, entry.date))
            self.activity = "active"
        elif entry.type == "activity_changed":
            if self.activity not in ("active", "paused"):
                return False
            self.activities[-1].steps.append(entry)
        elif entry.type == "activity_paused":
            if self.activity != "active":
                return False
            self.activities[-1].steps.append(entry)
            self._begin(self.pauses, Episode("pause", entry, entry.date))
            self.activity = "paused"
        elif entry.type == "activity_resumed":
            if self.activity != "paused":
                return False
            self.activities[-1].steps.append(entry)
            self.pauses[-1].close(entry)
            self.activity = "active"
        elif entry.type == "activity_ended":
            if self.activity not in ("active", "paused"):
                return False
            if self.activity == "paused":
                self.pauses[-1].close(entry)
            self.activities[-1].close(entry)
            self.activity = "ended"
        return True

    def _coaching(self, entry: Entry) -> bool:
        if entry.type == "coaching_started":
            if self.coaching not in ("none", "ended"):
                return False
            self._begin(self.coachings, Episode("coaching", entry, entry.date))
            self.coaching, self.phase_entry = "agreement", entry
        elif entry.type == "coaching_phase_reached":
            if self.coaching not in PHASES:
                return False
            self.coachings[-1].steps.append(entry)
            self.coaching, self.phase_entry = entry.get("phase"), entry
        elif entry.type == "coaching_renewed":
            if self.coaching not in PHASES:
                return False
            self.coachings[-1].steps.append(entry)
        elif entry.type == "coaching_interrupted":
            if self.coaching not in (*PHASES, "interrupted"):
                return False
            if self.coaching != "interrupted":
                self.phase_before = self.coaching
            self.coachings[-1].steps.append(entry)
            self.coaching = "interrupted"
        elif entry.type == "coaching_resumed":
            if self.coaching != "interrupted":
                return False
            self.coachings[-1].steps.append(entry)
            self.coaching = self.phase_before
        elif entry.type == "coaching_ended":
            if self.coaching not in (*PHASES, "interrupted"):
                return False
            self.coachings[-1].close(entry)
            self.coaching = "ended"
        return True

    def _work_trial(self, entry: Entry) -> bool:
        if entry.type == "work_trial_started":
            if self.work_trial == "running":
                return False
            self._begin(self.trials, Episode("trial", entry, entry.date))
            self.work_trial = "running"
        elif entry.type == "work_trial_extended":
            if self.work_trial != "running":
                return False
            self.trials[-1].steps.append(entry)
        elif entry.type == "work_trial_ended":
            if self.work_trial != "running":
                return False
            self.trials[-1].close(entry)
            self.work_trial = "ended"
        return True

    def _employment(self, entry: Entry) -> bool:
        if entry.type == "job_started":
            self._begin(self.jobs, Episode("job", entry, entry.date))
            self.employment = "employed"
            return True
        running = [job for job in self.jobs if job.end is None]
        if not running:
            return False
        employer = entry.get("employer")
        same = [job for job in running if employer is not None and job.began().get("employer") == employer]
        (same or running)[0].close(entry)  # that employer's job, else the oldest running
        self.employment = "employed" if len(running) > 1 else "ended"
        return True

    @staticmethod
    def _begin(episodes: list[Episode], episode: Episode) -> None:
        if episodes:
            episode.previous = episodes[-1]
            episodes[-1].next = episode
        episodes.append(episode)

    # --- referral: lenient ---

    def _lapse(self, day: date) -> None:
        if self.referral in UNDER_WAY and day > add_months(self.referrals[-1].last_step, REFERRAL_LAPSES_MONTHS):
            self.referral = "none"

    def _referral(self, entry: Entry, allowed: bool) -> None:
        if entry.type == "initiative_taken" and entry.get("service") == "coaching":
            before = self.referral
            run = self._referral_step(entry)
            if before in ("none", "done"):
                self.referral = "initiated"
            if run.initiative is None:
                run.initiative = entry
        elif entry.type == "selection_agreed" and entry.get("client_agrees") != "no":
            before = self.referral
            self._referral_step(entry)
            if before in ("none", "initiated", "done"):
                self.referral = "agreed"
        elif entry.type == "activation_plan_updated" and entry.part("coaching") is not None:
            if self.coaching not in ("none", "ended"):
                return
            run = self._referral_step(entry)
            self.referral = "planned"
            if run.planned_on is None:
                run.planned_on = entry.date
        elif entry.type == "coaching_started" and allowed:
            self.referral = "done"
        elif (
            entry.type == "coaching_declined" or (entry.type == "interest_asked" and entry.get("wants_to_work") == "no")
        ) and self.referral in UNDER_WAY:
            self.referral = "none"

    def _referral_step(self, entry: Entry) -> Episode:
        """The run this step belongs to: a new one out of none or done; either way the lapse is counted anew."""
        if self.referral in ("none", "done"):
            self._begin(self.referrals, Episode("referral", entry, entry.date))
        self.referrals[-1].last_step = entry.date
        return self.referrals[-1]

    # --- the stage ---

    def _case(self, entry: Entry) -> None:
        if entry.type == "case_closed":
            self._closed = True
        elif entry.type == "outcome_reached":
            self._other_outcome = True
        elif entry.type in STARTS or entry.type == "case_reopened":
            self._closed = self._other_outcome = False
        elif entry.type in RESUMPTIONS:
            self._other_outcome = False

    def _stage(self) -> str:
        if self._closed:
            return "closed"
        if self._other_outcome:
            return "other_outcome"
        if self.employment == "employed":
            return "employment"
        if self.work_trial == "running":
            return "work_trial"
        if self.coaching in PHASES:
            return "coaching"
        if self.coaching == "interrupted":
            return "coaching_interrupted"
        if self.referral in UNDER_WAY:
            return "plan_update"
        if self.activity in ("active", "paused"):
            return "activity"
        if "ended" in (self.activity, self.coaching, self.work_trial, self.employment):
            return "between_services"
        return "not_started"

    def _arrangement_matches(self, trial: Entry) -> bool:
        """Does the arrangement match the activity's state at the end of the trial's first day?"""
        state = "none"
        for day, after in self._activity_on:
            if day <= trial.date:
                state = after
        arrangement = trial.get("arrangement")
        if arrangement == "alongside_activity":
            return state == "active"
        if arrangement == "activity_paused":
            return state == "paused"
        return state in ("ended", "none")


COACHING_ENTRIES = (
    "coaching_started",
    "coaching_phase_reached",
    "coaching_renewed",
    "coaching_interrupted",
    "coaching_resumed",
    "coaching_ended",
)
