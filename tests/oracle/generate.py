"""Random case journals for the oracle: mostly tidy paths, then disturbed; dates crowd around the limits.

Everything is drawn from the ``random.Random`` given, so a seed always gives the same case.
Run as a module, it prints how often each outcome of each rule occurred.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any

from .oracle import assess, rule_ids
from .oracle_values import add_days, add_months

Raw = dict[str, Any]

FIRST_DAY, LAST_DAY = date(2019, 1, 1), date(2026, 12, 31)
MAX_ENTRIES = 45

ROLES = (
    "client",
    "social_worker",
    "employment_coach",
    "activity_instructor",
    "activity_supervisor",
    "job_coach",
    "team_leader",
    "work_ability_team",
)
COACHING_REASONS = (
    "goal_reached",
    "client_choice",
    "job_started",
    "moved",
    "other_service",
    "no_capacity",
    "time_limit",
    "no_show",
    "readiness",
    "substance_use",
    "symptoms",
    "cognition",
    "treatment_absence",
    "violence_history",
    "appearance",
    "other",
)
CASE_REASONS = ("goal_reached", "client_choice", "moved", "died", "other")
PHASES = ("agreement", "profile", "job_search", "employer_support", "job_retention")
PROVIDERS = ("provider-1", "provider-2")
EMPLOYERS = ("employer-1", "employer-2")
# what a rule may count from an entry: days, months, and how far beside the limit
DAY_GAPS = (0, 1, 2, 3, 6, 7, 14, 15, 21, 28, 30, 31, 33)
MONTH_GAPS = (1, 2, 3, 6, 12, 24)
# dates on which versions of rules begin or end
VERSION_DAYS = (date(2020, 1, 1), date(2022, 5, 2), date(2025, 1, 1))
MONTH_ENDS = (31, 30, 29, 28)
OFTEN_NOT_RECORDED = (
    "activity_started",
    "coaching_started",
    "work_trial_started",
    "job_started",
    "contact",
    "follow_up_done",
    "implementation_plan_updated",
)
# types whose limits come soon, so that few dates would meet them
SHORT_TERMS = ("activity_paused", "work_trial_ended", "statement_issued", "job_ended", "job_started")
# where the limits counted from an entry of a type lie: days and months after it
LIMITS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "activity_started": ((30, 31), (3, 24)),
    "activity_paused": ((0, 5, 10, 23, 24), (1,)),
    "activity_ended": ((0,), (1, 3)),
    "activation_plan_updated": ((0, 76, 77), (3, 6, 12)),
    "plan_reviewed": ((0, 76, 77), (3,)),
    "interest_asked": ((0, 30, 31), (6, 12)),
    "initiative_taken": ((0, 1), (6, 12)),
    "selection_agreed": ((0, 1), (6, 12)),
    "joint_meeting_held": ((0, 1), (6, 12)),
    "coaching_started": ((0, 29, 30, 31), (1, 3, 12)),
    "coaching_renewed": ((0, 76), (3,)),
    "coaching_interrupted": ((0, 7, 14, 30), (2,)),
    "coaching_ended": ((0, 30, 31), (12,)),
    "coaching_declined": ((0, 7, 14, 30), (2,)),
    "work_trial_started": ((0, 5, 10, 20, 30), (1, 1, 2, 5, 6)),
    "work_trial_ended": ((0, 1, 13, 14, 15), (1,)),
    "job_started": ((-8, -1, 0, 3, 6, 13, 20, 27, 28), (1, 2, 3, 12)),
    "job_agreed": ((0, 1, 3, 7), (1,)),
    "job_ended": ((0, 1, 2, 3, 4, 5, 6, 7), (1, 12)),
    "statement_issued": ((0, 1, 10, 20), (1, 2)),
    "follow_up_done": ((0, 1, 7), (1,)),
}


# --- small draws ---


def chance(rng: random.Random, probability: float) -> bool:
    return rng.random() < probability


def yes_no(rng: random.Random, yes: float = 0.7) -> Any:
    """yes or no, now and then unknown, left out (None), or a boolean as YAML readers make it."""
    draw = rng.random()
    if draw < 0.08:
        return "unknown"
    if draw < 0.2:
        return None
    if chance(rng, yes):
        return rng.choice(("yes", "yes", True))
    return rng.choice(("no", "no", False))


def near(rng: random.Random, day: date) -> date:
    """The day, or a day beside it."""
    return add_days(day, rng.choice((-1, 0, 0, 0, 1)))


def later(rng: random.Random, day: date, months: tuple[int, ...] = MONTH_GAPS) -> date:
    return near(rng, add_months(day, rng.choice(months)))


def small_gap(rng: random.Random) -> int:
    return rng.choice((0, 0, 1, 2, 3, 5, 7, 10, 13, 14, 15, 20, 29, 30, 31, 33, 45))


def roles(rng: random.Random, usual: tuple[str, ...], forgetting: float = 0.12) -> list[str]:
    present = [role for role in usual if not chance(rng, forgetting)]
    if chance(rng, 0.1):
        present.append(rng.choice(ROLES))
    return list(dict.fromkeys(present)) or ["client"]


def usual_reason(rng: random.Random) -> str:
    common = ("goal_reached", "client_choice", "job_started", "moved", "other", "time_limit", "no_show")
    return rng.choice(common if chance(rng, 0.6) else COACHING_REASONS)


def left_out_at_times(rng: random.Random, probability: float, value: Any) -> Any:
    return None if chance(rng, probability) else value


def mostly_yes(rng: random.Random) -> Any:
    return "yes" if chance(rng, 0.85) else yes_no(rng)


# --- one entry of each type with random, valid fields (None: left out) ---


def plan_update(rng: random.Random, day: date) -> Raw:
    fields: Raw = {
        "kind": rng.choice((None, "activation_plan", "activation_plan", "multi_sector_plan")),
        "participants": roles(rng, ("client", "social_worker", "employment_coach", "activity_instructor")),
        "valid_until": left_out_at_times(rng, 0.6, later(rng, day, (3, 6, 12))),
        "work_trial_possible": yes_no(rng),
        "other_services_possible": yes_no(rng),
        "wage_subsidy_clarified": yes_no(rng),
        "goals": left_out_at_times(rng, 0.8, "Työpaikka keittiöstä"),
    }
    if chance(rng, 0.15):
        fields["participants"] = roles(rng, ("client", "work_ability_team", "employment_coach"))
    if chance(rng, 0.6):
        start = add_days(day, small_gap(rng))
        fields["coaching"] = {
            "start": start,
            "end": left_out_at_times(rng, 0.3, later(rng, start, (3, 6, 12))),
            "alongside_activity": yes_no(rng),
        }
    if chance(rng, 0.3):
        fields["work_trial"] = trial_period(rng, add_days(day, small_gap(rng)), None)
    return fields


def trial_period(rng: random.Random, start: date, end: date | None) -> Raw:
    """A trial named in a plan; around the true one, or a little beside it."""
    first = add_days(start, rng.choice((0, 0, 0, -1, -7, 1)))
    last = later(rng, start, (1, 2, 3, 6)) if end is None else add_days(end, rng.choice((0, 0, 0, 7, -1)))
    return {"start": first, "end": left_out_at_times(rng, 0.2, max(first, last))}


def contact(rng: random.Random, day: date) -> Raw:
    return {
        "party": rng.choice(("client", "client", "client", "employer", "employer", "partner", "family")),
        "by": rng.choice(("job_coach", "job_coach", "job_coach", "social_worker")),
        "form": rng.choice(("face_to_face", "face_to_face", "face_to_face", "phone", "remote", "message")),
        "place": rng.choice((None, "workplace", "office", "community", "home")),
        "purpose": rng.choice((None, "support", "job_search", "follow_up", "outreach")),
        "reached": rng.choice((None, None, "yes", True, "no", "unknown")),
        "minutes": rng.choice((None, 30, 60)),
        "preference_based": rng.choice((None, None, "yes", "no")),
        "employer": rng.choice((None, None, *EMPLOYERS)),
    }


def work_trial_started(rng: random.Random, day: date) -> Raw:
    return {
        "days_per_week": left_out_at_times(rng, 0.15, rng.choice((1, 2, 3, 4, 5))),
        "planned_end": left_out_at_times(rng, 0.25, later(rng, day, (1, 1, 2, 3, 6, 6))),
        "arrangement": rng.choice(("alongside_activity", "activity_paused", "activity_ended")),
        "capacity_considered": yes_no(rng),
        "record_extract_needed": yes_no(rng, 0.6),
        "employer": rng.choice((None, *EMPLOYERS)),
    }


def job_started(rng: random.Random, day: date) -> Raw:
    return {
        "kind": rng.choice(("open_market", "open_market", "wage_subsidised", "reserved")),
        "permanent": yes_no(rng),
        "employer": rng.choice((None, *EMPLOYERS)),
        "occupation": left_out_at_times(rng, 0.7, "keittiöapulainen"),
        "hours_per_week": left_out_at_times(rng, 0.5, rng.choice((10, 20, 37))),
    }


def statement_issued(rng: random.Random, day: date) -> Raw:
    start = near(rng, add_days(day, rng.choice((0, 0, 0, 7))))
    return {
        "measure": rng.choice(("activity", "work_trial", "coaching")),
        "paying": yes_no(rng, 0.9),
        "start": start,
        "end": left_out_at_times(rng, 0.3, max(start, later(rng, start, (1, 2, 3)))),
    }


def service_decision(rng: random.Random, day: date) -> Raw:
    start = left_out_at_times(rng, 0.3, near(rng, day))
    return {
        "service": rng.choice(("activity", "activity", "activity", "coaching", "other")),
        "decision": rng.choice(("granted", "granted", "granted", "granted", "ended", "denied")),
        "start": start,
        "end": left_out_at_times(rng, 0.3, later(rng, add_days(day, 2), (1, 3, 6, 12, 24))),
        "reason": left_out_at_times(rng, 0.9, "hakemus"),
    }


def consent_given(rng: random.Random, day: date) -> Raw:
    parties = rng.choice((list(PROVIDERS), [PROVIDERS[0]], [PROVIDERS[0]], [PROVIDERS[1]]))
    return {
        "scope": rng.choice(("basic", "provider", "provider")),
        "parties": list(parties),
        "voluntary": yes_no(rng, 0.93),
        "informed": yes_no(rng, 0.93),
        "expires_on": left_out_at_times(rng, 0.75, later(rng, day, (1, 3, 6, 12))),
    }


def activity_started(rng: random.Random, day: date) -> Raw:
    end = rng.choice(
        (
            add_days(add_months(day, 3), rng.choice((-2, -1, 0))),
            add_months(day, 6),
            add_months(day, 12),
            near(rng, add_months(day, 24)),
        )
    )
    return {
        "days_per_week": left_out_at_times(rng, 0.15, rng.choice((1, 2, 2, 3, 3, 4, 5))),
        "period_end": left_out_at_times(rng, 0.25, end),
        "mode": rng.choice((None, "on_site", "remote", "hybrid")),
        "wall_less": yes_no(rng),
    }


def coaching_started(rng: random.Random, day: date) -> Raw:
    return {
        "provider": rng.choice(PROVIDERS),
        "provider_kind": rng.choice(("private", "private", "private", "public", None)),
        "period_end": left_out_at_times(rng, 0.6, later(rng, day, (1, 3, 6))),
        "goal": rng.choice((None, "open_market", "studies", "work_ability")),
    }


def agreed(rng: random.Random, day: date) -> Raw:
    return {"start": add_days(day, rng.choice((0, 1, 3, 7, 8, 14, 30))), "employer": rng.choice((None, *EMPLOYERS))}


def interrupted(rng: random.Random, day: date) -> Raw:
    return {
        "reason": usual_reason(rng),
        "referred_to": rng.choice((None, "work_ability_support", "other")),
        "review_on": left_out_at_times(rng, 0.3, add_days(day, rng.choice((7, 14, 30, 60)))),
    }


def declined(rng: random.Random, day: date) -> Raw:
    return {
        "reason": rng.choice(("no_capacity", "no_capacity", "no_capacity", "client_choice", usual_reason(rng))),
        "review_on": left_out_at_times(rng, 0.3, add_days(day, rng.choice((7, 14, 30, 60)))),
    }


def withdrawn(rng: random.Random, day: date) -> Raw:
    return {
        "scope": rng.choice(("basic", "provider", "provider")),
        "parties": rng.choice((None, None, [PROVIDERS[0]], [PROVIDERS[1]], list(PROVIDERS))),
    }


FIELDS: dict[str, Callable[[random.Random, date], Raw]] = {
    "worker_assigned": lambda r, d: {
        "role": r.choice(("social_worker", "social_worker", "employment_coach", "job_coach")),
        "worker": r.choice(("w-1", "w-2")),
        "organisation": r.choice((None, "county")),
    },
    "worker_released": lambda r, d: {
        "role": r.choice(("social_worker", "social_worker", "job_coach")),
        "worker": r.choice(("w-1", "w-1", "w-2")),
    },
    "need_assessed": lambda r, d: {"outcome": r.choice((None, "palvelutarve todettu"))},
    "interest_asked": lambda r, d: {"wants_to_work": r.choice(("yes", "yes", "yes", "yes", "no", "undecided"))},
    "coaching_info_given": lambda r, d: {},
    "initiative_taken": lambda r, d: {
        "service": r.choice(("coaching", "coaching", "coaching", "work_trial", "other")),
        "by": r.choice((None, "client", "social_worker")),
    },
    "checklist_answered": lambda r, d: {"answers": {"chk-01": "yes", "chk-09": r.choice(("partly", "no", "unknown"))}},
    "selection_agreed": lambda r, d: {
        "participants": roles(r, ("client", "social_worker", "employment_coach", "activity_instructor"), 0.06),
        "client_agrees": yes_no(r, 0.9),
    },
    "joint_meeting_held": lambda r, d: {"participants": roles(r, ("client", "social_worker", "job_coach"))},
    "service_decision": service_decision,
    "activity_started": activity_started,
    "activity_changed": activity_started,
    "activity_paused": lambda r, d: {"reason": r.choice(("work_trial", "work_trial", "illness", "other"))},
    "activity_resumed": lambda r, d: {"days_per_week": r.choice((None, None, 1, 2, 3, 5))},
    "activity_ended": lambda r, d: {
        "reason": r.choice(
            ("period_over", "work_trial", "coaching_started", "coaching_started", "job", "studies", "client_choice")
        )
    },
    "consent_given": consent_given,
    "consent_withdrawn": withdrawn,
    "activation_plan_updated": plan_update,
    "plan_reviewed": lambda r, d: {"participants": roles(r, ("client", "social_worker"))},
    "implementation_plan_updated": lambda r, d: {"includes_coaching": yes_no(r)},
    "endorsement_recorded": lambda r, d: {
        "purpose": r.choice(("work_trial", "wage_subsidy")),
        "valid_until": left_out_at_times(r, 0.5, later(r, d)),
    },
    "endorsements_checked": lambda r, d: {
        "purpose": r.choice(("work_trial", "work_trial", "wage_subsidy")),
        "result": r.choice((None, "in_order", "in_order", "missing")),
    },
    "statement_issued": statement_issued,
    "statement_withdrawn": lambda r, d: {"measure": r.choice(("activity", "work_trial", "coaching"))},
    "coaching_started": coaching_started,
    "coaching_phase_reached": lambda r, d: {"phase": r.choice(PHASES)},
    "coaching_renewed": lambda r, d: {"period_end": left_out_at_times(r, 0.6, later(r, d, (1, 3, 6)))},
    "coaching_interrupted": interrupted,
    "coaching_resumed": lambda r, d: {},
    "coaching_ended": lambda r, d: {"reason": usual_reason(r)},
    "coaching_declined": declined,
    "work_trial_agreed": agreed,
    "job_agreed": agreed,
    "work_trial_started": work_trial_started,
    "work_trial_extended": lambda r, d: {"planned_end": later(r, d, (1, 2, 3, 6))},
    "work_trial_ended": lambda r, d: {
        "outcome": r.choice(("completed", "completed", "interrupted", "failed", "failed", "failed", "hired"))
    },
    "job_started": job_started,
    "job_ended": lambda r, d: {
        "known_on": left_out_at_times(r, 0.6, add_days(d, r.choice((-14, -3, 0, 1, 2, 7)))),
        "reason": r.choice((None, "määräaika päättyi")),
        "employer": r.choice((None, None, *EMPLOYERS)),
    },
    "outcome_reached": lambda r, d: {
        "outcome": r.choice(("studies", "rehabilitation", "sick_leave", "pension", "other_service", "other"))
    },
    "social_worker_retention_decided": lambda r, d: {"retained": yes_no(r) or "unknown"},
    "contact": contact,
    "contact_wish_recorded": lambda r, d: {"wish": r.choice(("as_usual", "as_usual", "less", "none"))},
    "benefit_counselling": lambda r, d: {"by_specialist": yes_no(r)},
    "economic_support_advised": lambda r, d: {"purpose": r.choice(("record_extract", "travel", "other"))},
    "follow_up_done": lambda r, d: {"situation": r.choice(("ok", "needs_support"))},
    "advice_set_aside": lambda r, d: {
        "rule": r.choice(("next-assess-needs", "ask-interest-in-work", "wish-to-work-answered")),
        "reason": "sovittu asiakkaan kanssa",
        "until": left_out_at_times(r, 0.5, later(r, d)),
    },
    "case_closed": lambda r, d: {"reason": r.choice(CASE_REASONS)},
    "case_reopened": lambda r, d: {"reason": r.choice(CASE_REASONS)},
}


# --- a journey ---


class Journey:
    """Writes entries along the path; ``today`` moves forward."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.entries: list[Raw] = []
        self.today = self._first_day()
        self.activity = self.paused = self.coaching = self.trial = False
        self.jobs: list[Any] = []
        self.provider = rng.choice(PROVIDERS)
        self.care = rng.choice((0.95, 0.85, 0.6))  # how often what should be done is done

    def _first_day(self) -> date:
        rng = self.rng
        if chance(rng, 0.2):
            return add_days(rng.choice(VERSION_DAYS), rng.choice((-400, -200, -100, -60, -31, -1, 0, 1)))
        year, month = rng.randint(2019, 2025), rng.randint(1, 12)
        if chance(rng, 0.25):
            for last in MONTH_ENDS:
                try:
                    return date(year, month, last)
                except ValueError:
                    continue
        return date(year, month, rng.randint(1, 28))

    def write(self, type_: str, day: date | None = None, **fields: Any) -> None:
        day = day or self.today
        drawn = FIELDS[type_](self.rng, day)
        self.entries.append({"date": day, "type": type_, **drawn, **fields})

    def wait(self, *days: int) -> None:
        self.today = add_days(self.today, self.rng.choice(days) if days else small_gap(self.rng))

    def wait_months(self, *months: int) -> None:
        self.today = max(self.today, later(self.rng, self.today, months))

    def sometimes(self, probability: float) -> bool:
        return chance(self.rng, probability)

    def if_careful(self) -> bool:
        return chance(self.rng, self.care)

    # -- parts of the path --

    def opening(self) -> None:
        if self.sometimes(0.8):
            self.write("worker_assigned", role="social_worker", worker="w-1")
        if self.sometimes(0.4):
            self.write("need_assessed")
        if self.sometimes(0.5):
            self.write("consent_given", scope="basic")
        if self.sometimes(0.3):
            self.write("interest_asked")
        if self.sometimes(0.5):
            self.wait()
            self.write("activation_plan_updated", coaching=None)
        if self.sometimes(0.7):
            self.write("service_decision", service="activity", decision="granted")

    def begin_activity(self) -> None:
        if self.activity or not self.sometimes(0.85):
            return
        self.wait(0, 0, 1, 7, 30)
        self.write("activity_started")
        self.activity = True
        if self.sometimes(0.4):
            self.write("statement_issued", measure="activity", start=self.today)
        if self.sometimes(0.5):
            self.wait()
            self.write("implementation_plan_updated")
        if self.sometimes(0.3):
            self.wait_months(1, 3, 3)
            self.write(self.rng.choice(("plan_reviewed", "activity_changed", "service_decision")))
        if self.sometimes(0.05):
            self.write("social_worker_retention_decided")

    def interest(self) -> None:
        self.wait()
        if self.if_careful():
            self.write("coaching_info_given")
        if self.if_careful():
            self.write("interest_asked", wants_to_work=self.rng.choice(("yes", "yes", "yes", "undecided", "no")))
        if self.sometimes(0.1):
            self.wait()
            self.write("interest_asked")
        if self.sometimes(0.12):
            self.wait()
            self.write("coaching_declined")

    def referral(self) -> None:
        self.wait()
        if self.sometimes(0.65):
            self.write("initiative_taken", service="coaching")
            self.wait(0, 1, 7, 14, 30)
        late = self.sometimes(0.2)  # what belongs before the plan update comes after it
        if not late and self.sometimes(0.6):
            self.write("selection_agreed")
            self.wait(0, 1, 7, 14)
        if not late and self.sometimes(0.45):
            self.write("joint_meeting_held")
            self.wait(0, 1, 7)
        if self.sometimes(0.06):
            self.wait_months(6)
        if self.if_careful():
            self.plan_with_coaching()
        if late or self.sometimes(0.05):
            for type_ in ("selection_agreed", "joint_meeting_held"):
                self.wait(0, 1, 3, 7)
                if self.sometimes(0.7):
                    self.write(type_)
            self.wait(1, 3, 7)
        if self.if_careful():
            self.provider_consent()
        if self.sometimes(0.3):
            self.write("implementation_plan_updated")
        if self.sometimes(0.05):
            self.write("coaching_declined")

    def plan_with_coaching(self) -> None:
        drawn = plan_update(self.rng, self.today)
        start = add_days(self.today, small_gap(self.rng))
        drawn["coaching"] = {
            "start": start,
            "end": left_out_at_times(self.rng, 0.25, later(self.rng, start, (3, 6, 12))),
            "alongside_activity": yes_no(self.rng),
        }
        self.write("activation_plan_updated", **drawn)

    def provider_consent(self) -> None:
        self.write(
            "consent_given", scope="provider", parties=self.rng.choice(([self.provider], [self.provider], [*PROVIDERS]))
        )

    def begin_coaching(self) -> None:
        if self.coaching:
            return
        self.wait(0, 1, 7, 14, 30)
        self.write("coaching_started", provider=self.provider)
        self.coaching = True
        if self.sometimes(0.1):
            self.wait(0, 1, 7)
            self.plan_with_coaching()
        if self.sometimes(0.5):
            self.write("implementation_plan_updated")
        if self.sometimes(0.08):
            self.wait()
            self.write("consent_withdrawn")
        meeting = add_days(self.today, self.rng.choice((7, 14, 29, 30, 31, 45)))
        if self.sometimes(0.5):
            self.write("contact", day=meeting, party="employer", form="face_to_face")

    def phases(self) -> None:
        for phase in ("profile", "job_search"):
            self.wait(0, 1, 7, 14, 30)
            if self.if_careful():
                self.write("coaching_phase_reached", phase=phase)
        if self.sometimes(0.2):
            self.wait_months(3)
            self.write("coaching_renewed")
        if self.sometimes(0.15):
            self.interruption()

    def interruption(self) -> None:
        self.wait()
        self.write("coaching_interrupted")
        if self.sometimes(0.2):
            self.wait()
            self.write("coaching_interrupted")
        if self.sometimes(0.6):
            self.wait(1, 7, 30, 60)
            self.write("coaching_resumed")

    def work_trial(self) -> None:
        rng = self.rng
        self.wait()
        arrangement = rng.choice(("alongside_activity", "alongside_activity", "activity_paused", "activity_ended"))
        if self.activity and self.sometimes(0.5):
            arrangement = rng.choice(("alongside_activity", "activity_paused"))
        if not self.activity and self.sometimes(0.8):
            arrangement = "activity_ended"
        start = add_days(self.today, rng.choice((0, 1, 7, 14)))
        end = later(rng, start, (1, 1, 2, 3, 6, 6))
        if self.sometimes(0.5):
            self.write("work_trial_agreed", start=start)
        if self.if_careful():
            self.write("activation_plan_updated", coaching=None, work_trial=trial_period(rng, start, end))
        if self.if_careful():
            self.write("endorsements_checked", purpose="work_trial")
        if self.sometimes(0.15) and self.coaching:
            self.write("coaching_ended")
            self.coaching = False
        self.today = add_days(start, rng.choice((0, 0, 0, 0, 1)))
        if arrangement == "activity_ended" and self.activity and self.sometimes(0.9):
            self.end_activity("work_trial")
        self.write(
            "work_trial_started", arrangement=arrangement, planned_end=left_out_at_times(rng, 0.2, max(self.today, end))
        )
        self.trial = True
        if arrangement == "activity_paused" and self.sometimes(0.9):
            self.write("activity_paused", reason=rng.choice(("work_trial", "work_trial", "work_trial", "illness")))
            self.paused = True
        if arrangement == "alongside_activity":
            self.two_statements(end)
        if self.sometimes(0.5):
            self.wait(0, 1, 7, 30)
            self.write("economic_support_advised", purpose=rng.choice(("record_extract", "travel")))
        self.late_in_trial(end)

    def two_statements(self, end: date) -> None:
        for measure in ("activity", "work_trial"):
            if not self.if_careful():
                continue
            last = left_out_at_times(self.rng, 0.2, max(self.today, near(self.rng, end)))
            if self.sometimes(0.35):
                last = later(self.rng, self.today, (1, 2))
            paying = mostly_yes(self.rng)
            self.write("statement_issued", measure=measure, paying=paying, start=self.today, end=last)
            if last is not None and self.sometimes(0.4):  # the next one: joined, or a gap between
                start = add_days(last, self.rng.choice((0, 1, 1, 2)))
                self.write(
                    "statement_issued", measure=measure, paying="yes", start=start, end=later(self.rng, start, (1, 2))
                )
        if self.sometimes(0.08):
            self.wait(1, 7)
            self.write("statement_withdrawn")

    def late_in_trial(self, end: date) -> None:
        rng = self.rng
        if self.sometimes(0.15):
            self.write(
                rng.choice(("endorsements_checked", "activation_plan_updated")),
                day=add_days(self.today, rng.choice((1, 7))),
            )
        if self.sometimes(0.12):
            self.write(
                "activation_plan_updated",
                day=add_days(self.today, rng.choice((1, 7))),
                coaching=None,
                work_trial=trial_period(rng, add_days(self.today, -7), add_days(end, 7)),
            )
        if self.sometimes(0.2):
            self.today = max(self.today, add_days(end, rng.choice((-7, -1, 0))))
            longer = later(rng, end, (1, 2))
            if self.if_careful():
                self.write("activation_plan_updated", coaching=None, work_trial=trial_period(rng, self.today, longer))
            self.write("work_trial_extended", planned_end=longer)
            end = longer
        if self.sometimes(0.7):
            self.today = max(self.today, near(rng, end) if self.sometimes(0.7) else add_days(self.today, 20))
            self.write("work_trial_ended")
            self.trial = False
            alone = self.sometimes(0.4)  # everything ends about when the trial does
            if (alone or self.sometimes(0.1)) and self.activity:
                self.wait(0, 0, 7, 13, 14)
                self.end_activity(None)
            if (alone or self.sometimes(0.1)) and self.coaching:
                self.write("coaching_ended")
                self.coaching = False
            if self.sometimes(0.3):
                self.write("contact", day=add_days(self.today, rng.choice((0, 1, 13, 14, 15, 20))), party="client")
        if self.paused and self.sometimes(0.6):
            self.wait(0, 0, 1)
            self.write("activity_resumed")
            self.paused = False

    def end_activity(self, reason: str | None) -> None:
        if self.sometimes(0.5):
            self.write(
                "social_worker_retention_decided", day=add_days(self.today, self.rng.choice((-7, -1, 0, 0, 1, 7)))
            )
        given: Raw = {} if reason is None else {"reason": reason}
        self.write("activity_ended", **given)
        self.activity = self.paused = False

    def job(self) -> None:
        rng = self.rng
        self.wait()
        employer = rng.choice((None, *EMPLOYERS))
        start = add_days(self.today, rng.choice((0, 1, 7, 14, 30)))
        counselling = add_days(start, rng.choice((-14, -7, -1, 0, 0, 1, 7)))
        if self.sometimes(0.6):
            self.write("job_agreed", start=start, employer=employer)
        if self.sometimes(0.6):
            self.write("benefit_counselling", day=counselling)
        if self.sometimes(0.1):
            self.write("contact_wish_recorded")
        self.meetings_around(start)
        if self.sometimes(0.12):
            return  # agreed, not begun
        self.today = max(self.today, start)
        self.write("job_started", employer=employer)
        self.jobs.append(employer)
        if self.coaching and self.sometimes(0.3):
            self.write("coaching_phase_reached", phase=rng.choice(("employer_support", "job_retention")))
        if self.coaching and self.sometimes(0.25):
            self.wait(0, 7, 30)
            self.write("coaching_ended")
            self.coaching = False

    def meetings_around(self, start: date) -> None:
        """Some of the contacts asked for around a job's start, face to face."""
        rng = self.rng
        share = rng.choice((0.0, 0.5, 0.95, 1.0))
        offsets = [-1 - rng.randint(0, 6), rng.randint(0, 3), 6, 7 + rng.randint(0, 6), 14 + rng.randint(0, 6), 27]
        apart = rng.choice((2, 7, 28))
        offsets += [28 + apart * number for number in range(rng.choice((0, 0, 3, 12)))]
        for offset in offsets:
            if chance(rng, share):
                self.write("contact", day=add_days(start, offset), party="client", form="face_to_face", reached="yes")

    def loss(self) -> None:
        rng = self.rng
        if not self.jobs:
            return
        self.today = rng.choice(
            (add_days(self.today, rng.choice((0, 7, 30, 90))), later(rng, self.today, (1, 3, 6, 12)))
        )
        employer = self.jobs.pop(0)
        self.write("job_ended", employer=rng.choice((None, employer, employer)))
        if self.sometimes(0.5):
            day = add_days(self.today, rng.choice((0, 1, 2, 3, 4, 5, 6, 7)))
            self.write(
                "contact", day=day, party="client", by=rng.choice(("job_coach", "job_coach", "employment_coach"))
            )
        if self.coaching and self.sometimes(0.4):
            self.wait(0, 1, 7)
            self.write("coaching_phase_reached", phase="job_search")

    def ending(self) -> None:
        rng = self.rng
        self.wait()
        if self.coaching and self.sometimes(0.4):
            self.write("coaching_ended")
            self.coaching = False
        if self.activity and self.sometimes(0.6):
            self.wait()
            self.end_activity(None)
            ended = self.today
            if self.sometimes(0.6):
                day = near(rng, add_months(ended, rng.choice((1, 2, 3, 3))))
                self.write("follow_up_done", day=day)
                if self.sometimes(0.4):
                    self.write("need_assessed", day=add_days(day, rng.choice((0, 1, 7))))
        if self.sometimes(0.08):
            self.write("worker_released", role="social_worker", worker="w-1")
        if self.sometimes(0.1):
            self.wait()
            self.write("outcome_reached")
        if self.sometimes(0.12):
            self.wait()
            self.write("case_closed")
            if self.sometimes(0.4):
                self.wait()
                self.write("case_reopened")

    def travel(self) -> None:
        """The path once, any part of it at times left out."""
        if self.sometimes(0.8):
            self.begin_activity()
        if self.sometimes(0.75):
            self.interest()
        if self.sometimes(0.7):
            self.referral()
        if self.sometimes(0.7):
            self.begin_coaching()
        if self.coaching and self.sometimes(0.8):
            self.phases()
        if not self.trial and self.sometimes(0.45):
            self.work_trial()
        if self.sometimes(0.4):
            self.job()
            if self.sometimes(0.25):
                self.job()
        if self.sometimes(0.5):
            self.loss()
        if self.sometimes(0.6):
            self.ending()


# --- disturbances ---


def disturb(rng: random.Random, entries: list[Raw]) -> list[Raw]:
    """Leave out, double, move, add, let fall on the same day."""
    if chance(rng, 0.35):
        entries = [e for e in entries if not chance(rng, 0.12)]
    if chance(rng, 0.2):
        for entry in rng.sample(entries, min(len(entries), rng.randint(1, 2))):
            entries.append({**entry, "date": add_days(entry["date"], rng.choice((0, 0, 1, 7, 30)))})
    if chance(rng, 0.35) and entries:
        for _ in range(rng.randint(1, 4)):
            entries.append(random_entry(rng, rng.choice(entries)["date"]))
    if chance(rng, 0.2):
        for entry in rng.sample(entries, min(len(entries), rng.randint(1, 3))):
            entry["date"] = add_days(entry["date"], rng.choice((-30, -7, -1, 1, 7, 30, 400)))
    if chance(rng, 0.2) and len(entries) > 1:
        for _ in range(rng.randint(1, 3)):
            one, other = rng.sample(entries, 2)
            one["date"] = other["date"]
    if chance(rng, 0.2):
        rng.shuffle(entries)
    elif chance(rng, 0.5):
        entries.sort(key=lambda e: e["date"])
    return entries


def random_entry(rng: random.Random, day: date) -> Raw:
    type_ = rng.choice(list(FIELDS))
    day = add_days(day, rng.choice((0, 0, 1, 3, 7, 14, 30, 31)))
    return {"date": day, "type": type_, **FIELDS[type_](rng, day)}


def correct(rng: random.Random, entries: list[Raw]) -> list[Raw]:
    """Add a correction, at times of a correction; position ids only, so new entries go to the end."""
    for _ in range(rng.randint(1, 3)):
        corrections = [e for e in entries if e["type"] == "correction"]
        target = rng.choice(corrections) if corrections and chance(rng, 0.4) else rng.choice(entries)
        day = add_days(target["date"], rng.choice((0, 0, 1, 3, 7, 30)))
        entries.append({"date": day, "type": "correction", "voids": target["id"]})
        entries[-1]["id"] = f"e{len(entries)}"
    return entries


def name(rng: random.Random, entries: list[Raw]) -> list[Raw]:
    """Ids for all; those by position are taken off again at the end, where they need not be given."""
    for number, entry in enumerate(entries, start=1):
        entry["id"] = f"k-{number}" if chance(rng, 0.1) else f"e{number}"
    return entries


def finish(rng: random.Random, entries: list[Raw]) -> list[Raw]:
    with_times = chance(rng, 0.2)
    finished = []
    for number, entry in enumerate(entries, start=1):
        if entry["id"] == f"e{number}" and chance(rng, 0.9):
            del entry["id"]
        entry["date"] = min(max(entry["date"], FIRST_DAY), LAST_DAY)
        if with_times and chance(rng, 0.8):
            recorded = add_days(entry["date"], rng.choice((0, 0, 0, 1, 3, 7, 30)))
            entry["recorded_at"] = f"{recorded.isoformat()}T{rng.randint(6, 20):02d}:30:00+02:00"
        if chance(rng, 0.03):
            entry["note"] = "kirjattu puhelimessa"
        finished.append({key: as_text(value) for key, value in entry.items() if value is not None})
    return finished


def as_text(value: Any) -> Any:
    """Dates as ISO text, fields left out of a nested record taken away."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: as_text(part) for key, part in value.items() if part is not None}
    return value


def header(rng: random.Random, entries: list[Raw]) -> Raw:
    case: Raw = {"id": f"case-{rng.randint(1, 999_999)}"}
    if chance(rng, 0.5):
        case["municipality"] = rng.choice(("Lahti", "Orimattila", "Heinola"))
    if chance(rng, 0.3):
        case["birth_year"] = rng.randint(1958, 2004)
    if chance(rng, 0.3):
        case["language"] = rng.choice(("fi", "sv", "en"))
    if chance(rng, 0.15):
        types = rng.sample(list(FIELDS), rng.randint(1, 3)) + rng.sample(OFTEN_NOT_RECORDED, rng.randint(0, 4))
        case["not_recorded"] = list(dict.fromkeys(types))
    if chance(rng, 0.15):
        day = rng.choice(entries)["date"] if entries else date(2022, 1, 31)
        case["complete_from"] = add_days(day, rng.choice((-30, -1, 0, 1, 30, 180))).isoformat()
    return case


def random_case(rng: random.Random) -> Raw:
    """A raw case document, valid by the journal's model."""
    journey = Journey(rng)
    kind = rng.random()
    if kind < 0.04:
        count = rng.randint(0, 2)
        entries = [random_entry(rng, journey.today) for _ in range(count)]
    elif kind < 0.14:
        entries = [random_entry(rng, add_days(journey.today, rng.randint(0, 500))) for _ in range(rng.randint(3, 25))]
    else:
        journey.opening()
        journey.travel()
        if chance(rng, 0.4):
            journey.wait(0, 1, 14, 30, 90)
            journey.travel()
        entries = journey.entries
        if chance(rng, 0.75):
            entries = disturb(rng, entries)
    entries = entries[: MAX_ENTRIES - 3]
    case = header(rng, entries)
    if chance(rng, 0.6):  # a system that does not carry a type mostly holds none of it
        entries = [e for e in entries if e["type"] not in case.get("not_recorded", ())]
    entries = name(rng, entries)
    if entries and chance(rng, 0.2):
        entries = correct(rng, entries)
    return {"case": case, "entries": finish(rng, entries)}


def random_dates(rng: random.Random, document: Raw, n: int) -> list[date]:
    """Evaluation dates near the journal's own dates and the limits counted from them."""
    days = []
    for entry in document["entries"]:
        days += [date.fromisoformat(entry["date"])] * 3
        days += [date.fromisoformat(value) for key, value in entry.items() if key != "date" and _is_day(value)]
    known = days or [date(2022, 2, 28)]
    types = list(dict.fromkeys(e["type"] for e in document["entries"]))
    types += [t for t in types if t in SHORT_TERMS] * 3
    chosen = []
    for _ in range(n):
        day = rng.choice(known)
        if types and chance(rng, 0.4):
            type_ = rng.choice(types)
            day = rng.choice([date.fromisoformat(e["date"]) for e in document["entries"] if e["type"] == type_])
            in_days, in_months = LIMITS.get(type_, (DAY_GAPS, MONTH_GAPS))
            if chance(rng, 0.6):
                day = near(rng, add_days(day, rng.choice(in_days)))
            else:
                day = near(rng, add_months(day, rng.choice(in_months)))
        elif chance(rng, 0.5):
            day = add_days(day, rng.choice(DAY_GAPS))
        elif chance(rng, 0.7):
            day = add_months(day, rng.choice(MONTH_GAPS))
        if chance(rng, 0.25):
            day = add_days(day, rng.choice((-1, 1)))
        if chance(rng, 0.2):
            day = beside_a_due_day(rng, document, day)
        if chance(rng, 0.03):
            day = add_days(rng.choice(VERSION_DAYS), rng.choice((-1, 0)))
        chosen.append(day)
    return chosen


def beside_a_due_day(rng: random.Random, document: Raw, day: date) -> date:
    """The day a finding of ``day`` is due, or the days beside it; also where its warning begins."""
    dues = {rule_id: due for (rule_id, _kind, _entry), (_outcome, due) in assess(document, day).findings.items() if due}
    if not dues:
        return day
    due = date.fromisoformat(dues[rng.choice(sorted(dues))])
    return add_days(due, rng.choice((-31, -30, -15, -14, -8, -7, -1, -1, 0, 0, 0, 0, 1, 1, 1)))


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-" and value[:4].isdigit()


# --- measuring ---

OUTCOMES = ("satisfied", "violated", "advised", "remedied", "unknown")


def count_outcomes(n: int, seed: int, per_case: int = 5) -> dict[str, Counter[str]]:
    """How often each outcome of each rule occurred in ``n`` pairs of case and date."""
    rng = random.Random(seed)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for _ in range(n // per_case):
        document = random_case(rng)
        for day in random_dates(rng, document, per_case):
            for (rule_id, _kind, _entry), (outcome, _due) in assess(document, day).findings.items():
                counts[rule_id][outcome] += 1
    return counts


def coverage(n: int = 5000, seed: int = 1) -> None:
    """Print the counts, one line a rule."""
    counts = count_outcomes(n, seed)
    print(f"{'rule':42}" + "".join(f"{outcome:>10}" for outcome in OUTCOMES))
    for rule_id in rule_ids():
        print(f"{rule_id:42}" + "".join(f"{counts[rule_id][outcome]:>10}" for outcome in OUTCOMES))


if __name__ == "__main__":
    coverage()
