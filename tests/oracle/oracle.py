"""The oracle: every finding of a case on a date, judged rule by rule and subject by subject."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from . import oracle_activity, oracle_coaching, oracle_jobs, oracle_next, oracle_referral, oracle_trial
from .oracle_charts import Episode
from .oracle_view import IN_FORCE_FROM, RULES, Rule, View

__all__ = ["KEEP_CONTACT", "OracleAnswer", "assess", "rule_ids"]

# importing a theme enters its rules
THEMES = (oracle_referral, oracle_coaching, oracle_activity, oracle_trial, oracle_jobs, oracle_next)

KEEP_CONTACT = "next-keep-contact"
# "in other_outcome only rules about an activity, trial or job still running, the follow-up rules and path-inconsistent"
ALWAYS_WITH_OTHER_OUTCOME = ("follow-up-contact-1-3-months", "follow-up-reconnect", "path-inconsistent")
RUNNING_KINDS = ("activity", "pause", "trial", "job")

Key = tuple[str, str, str | None]


@dataclass(frozen=True)
class OracleAnswer:
    """The state of the charts, and outcome and due date (ISO) per rule, kind and subject entry."""

    state: dict[str, str]
    findings: dict[Key, tuple[str, str | None]]


def rule_ids() -> list[str]:
    return [*RULES, KEEP_CONTACT]


def assess(document: dict[str, Any], as_of: date, known_at: datetime | None = None) -> OracleAnswer:
    """Judge a raw case document on a date, as known at a time."""
    view = View(document, as_of, known_at)
    findings: dict[Key, tuple[str, str | None]] = {}
    step_given = False
    for rule in RULES.values():
        for subject in view.subjects[rule.about]:
            if not speaks(view, rule, subject) or not rule.in_force(view, subject):
                continue
            outcome, due = rule.judge(view, subject)
            if outcome == "not_applicable":
                continue
            findings[rule.id, subject.kind, subject.id] = (outcome, None if due is None else due.isoformat())
            still_to_do = outcome in ("violated", "advised") and not set_aside(view, rule)
            if still_to_do and gives_a_step(view, rule, subject):
                step_given = True
    if view.charts.stage != "closed" and as_of >= IN_FORCE_FROM and not step_given:
        findings[KEEP_CONTACT, "case", None] = ("advised", None)
    return OracleAnswer(view.charts.states(), findings)


def speaks(view: View, rule: Rule, subject: Episode) -> bool:
    """What closing or another outcome silences."""
    if view.charts.stage == "closed":
        return rule.id == "path-inconsistent"
    if view.charts.stage == "other_outcome":
        return rule.id in ALWAYS_WITH_OTHER_OUTCOME or (subject.kind in RUNNING_KINDS and subject.running)
    return True


def set_aside(view: View, rule: Rule) -> bool:
    """ "a professional's choice; shown beside the finding, out of the to-do list", until its last day if given."""
    choices = [e for e in view.journal.of("advice_set_aside") if e.get("rule") == rule.id]
    if not choices:
        return False
    until = choices[-1].day("until")
    return until is None or view.today <= until


def gives_a_step(view: View, rule: Rule, subject: Episode) -> bool:
    """A current subject, and its episode not ended unless the rule is about the ending."""
    return is_current(view, subject) and (subject.end is None or rule.about_the_ending)


def is_current(view: View, subject: Episode) -> bool:
    """The running one, else the latest of its kind."""
    if subject.kind in ("case", "plan"):
        return True
    same_kind = view.subjects[subject.kind]
    if subject.kind == "job":
        if subject.running or subject.pending:
            return True
        ends = [job.end for job in same_kind if job.end is not None]
        begun_since = any(not job.pending and job.start > max(ends) for job in same_kind)
        return subject.end == max(ends) and not begun_since  # the job lost last, until another has begun since
    if subject.kind == "stop":
        begun = view.journal.of("coaching_started", "coaching_resumed")
        overtaken = any(e.order > subject.began().order for e in begun)
        return subject is same_kind[-1] and not overtaken
    return subject is same_kind[-1]  # the last to begin is the running one; a coaching to come stands last
