"""What a fault is, and looking round in a journal for a place to plant one.

A fault is an edit of a tidy journal. What it brings is said by the words of SPEC §4.1 alone: which rule, which outcome,
whose subject. No rule is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from service.generate.days import ordinal
from service.generate.journal import Entry, Journal

VIOLATED, ADVISED, UNKNOWN, REMEDIED = "violated", "advised", "unknown", "remedied"


@dataclass(slots=True)
class Planted:
    """A finding to be found: `subject` is the entry its subject began with (None: the case), `entry` the one edited."""

    rule: str
    outcome: str
    subject: Entry | None
    entry: Entry | None = None


#: Changes a journal and says what is to be found; None, and nothing changed, where it does not fit.
Edit = Callable[[Journal], "list[Planted] | None"]


@dataclass(frozen=True, slots=True)
class Fault:
    """An edit of a tidy journal. `stages`: where it may well fit; `since`, `until`: evaluation dates it works on."""

    rule: str
    name: str
    outcome: str
    how: str
    stages: tuple[str, ...]
    edit: Edit
    since: int = 0
    until: int = 4_000_000


# ---- where the client is; the journal is tidy, so its latest entry of a chart tells

_ACTIVITY = ("activity_started", "activity_paused", "activity_resumed", "activity_ended")
_COACHING = ("coaching_started", "coaching_interrupted", "coaching_resumed", "coaching_ended")


def activity_is(journal: Journal, *types: str) -> bool:
    """Whether the latest step of the activity is one of these."""
    latest = journal.last(*_ACTIVITY)
    return latest is not None and latest.type in types


def active(journal: Journal) -> bool:
    """Whether the client is in activity, not paused."""
    return activity_is(journal, "activity_started", "activity_resumed")


def coached(journal: Journal) -> bool:
    """Whether coaching is under way, not interrupted."""
    latest = journal.last(*_COACHING)
    return latest is not None and latest.type in ("coaching_started", "coaching_resumed")


def coaching_runs(journal: Journal) -> bool:
    """Whether coaching is under way or interrupted."""
    latest = journal.last(*_COACHING)
    return latest is not None and latest.type != "coaching_ended"


def running_trial(journal: Journal) -> Entry | None:
    """The trial that runs."""
    latest = journal.last("work_trial_started", "work_trial_ended")
    return latest if latest is not None and latest.type == "work_trial_started" else None


def running_job(journal: Journal) -> Entry | None:
    """The job that runs."""
    latest = journal.last("job_started", "job_ended")
    return latest if latest is not None and latest.type == "job_started" else None


def out_of_sight(journal: Journal) -> bool:
    """Closed, or gone on to something else: few rules speak then."""
    return journal.stage in ("closed", "other_outcome")


def plan_of_coaching(journal: Journal) -> Entry | None:
    """The plan update the coaching that runs rests on."""
    if not coaching_runs(journal):
        return None
    found = [entry for entry in journal.all("activation_plan_updated") if "coaching" in entry.fields]
    return found[-1] if found else None


def planned_end(journal: Journal) -> int:
    """The day the latest trial is planned to end."""
    latest = journal.last("work_trial_started", "work_trial_extended")
    return ordinal(latest.fields["planned_end"]) if latest is not None else 0


def since(entries: list[Entry], day: int) -> list[Entry]:
    """Those dated on a day or later."""
    return [entry for entry in entries if entry.day >= day]


def contacts(journal: Journal, party: str, **fields: Any) -> list[Entry]:
    """The contacts with a party that have these values."""
    found = [entry for entry in journal.all("contact") if entry.fields["party"] == party]
    return [entry for entry in found if all(entry.fields.get(name) == value for name, value in fields.items())]


def wish(journal: Journal) -> list[Planted] | None:
    """What a wish to work brings when nothing answers it: advice for thirty days, then a rule not met."""
    asked = journal.last("interest_asked")
    if asked is None or asked.fields["wants_to_work"] != "yes":
        return None
    ended = journal.last("coaching_ended", "work_trial_ended", "job_ended")
    later = max(asked.day, ended.day if ended is not None else 0)
    outcome = VIOLATED if journal.as_of > later + 30 else ADVISED
    return [
        Planted("wish-to-work-answered", outcome, None, asked),
        Planted("offer-coaching-when-client-wants-work", ADVISED, None, asked),
    ]
