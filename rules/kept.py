"""Subjects and findings as plain data, as a decision record keeps them, and subjects made of it again; how long they
hold.

The case's facts are kept once, an episode's own with the episode. Deadlines are not kept: the pack derives them again,
and its hash pins how. Nothing here is a name, a note or other free text: facts are statuses, numbers and dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Any

from rules.calendar import ONE_DAY
from rules.facts import FACTS, UNKNOWN, Value
from rules.findings import Finding
from rules.fold import PARAMETERS_READ, Folded, Subject
from rules.journal import Case
from rules.pack import Pack

_DATE = attrgetter("date")
_DATES = frozenset(name for name, fact in FACTS.items() if fact.type == "date")
_OF_CASE = frozenset(name for name, fact in FACTS.items() if fact.kind == "case")
_OF_OTHERS = FACTS.keys() - _OF_CASE


def subjects_data(subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """Subjects as plain data; the case stands first among them."""
    return [
        {
            "kind": subject.kind,
            "entry": subject.entry,
            "current": subject.current,
            "ended": subject.ended,
            "proposed": subject.proposed,
            "facts": _facts_data(subject),
        }
        for subject in subjects
    ]


def _facts_data(subject: Subject) -> dict[str, Any]:
    own = _OF_CASE if subject.kind == "case" else _OF_OTHERS
    facts = subject.facts.items()
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in facts if name in own}


def subjects_of(data: Iterable[Mapping[str, Any]]) -> tuple[Subject, ...]:
    """The subjects that `subjects_data` wrote. Raises ValueError for data that is not of its form."""
    found: list[Subject] = []
    common: dict[str, Value] = {}
    try:
        for item in data:
            facts = {name: _value(name, value) for name, value in item["facts"].items()}
            if not found:
                common = facts
            subject = Subject(
                str(item["kind"]),
                item["entry"],
                current=item["current"] is True,
                ended=item["ended"] is True,
                proposed=item["proposed"] is True,
                facts=facts if not found else {**facts, **common},
            )
            found.append(subject)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no subject was kept here: {type(error).__name__}") from None
    if not found or found[0].kind != "case":
        raise ValueError("the case does not stand first among the subjects kept")
    return tuple(found)


def _value(name: str, value: Any) -> Value:
    if value is None or value == UNKNOWN:
        return UNKNOWN if value is not None else None
    if name in _DATES:
        return date.fromisoformat(value)
    if type(value) is str or type(value) is int:
        return value
    raise ValueError(f"{name}: no fact has a value such as {type(value).__name__}")


def finding_data(finding: Finding) -> dict[str, Any]:
    """A finding as plain data: what it came to, without words and without the facts, which stand with its subject.

    `step` tells whether it was someone's next step.
    """
    subject = finding.subject
    return {
        "rule": finding.rule.id,
        "subject": {"kind": subject.kind, "entry": subject.entry, "current": subject.current},
        "outcome": finding.outcome,
        "due": finding.due.isoformat() if finding.due is not None else None,
        # Sorted: which of several unknown facts a pack names first does not change what it means.
        "missing": sorted(finding.missing),
        "judged_on": finding.judged_on.isoformat(),
        "set_aside": finding.set_aside.entry if finding.set_aside is not None else None,
        "action": finding.action,
        "role": finding.rule.role,
        "step": finding.gives_step,
    }


def facts_hold_until(case: Case, folded: Folded, numbers_hold_until: date) -> date:
    """The last day on which the facts of a case just folded say the same, if nothing is recorded: before one turns by
    itself, an entry dated ahead counts, or the fold reads another number of the pack (`numbers_hold_until`)."""
    until = min(folded.holds_until, numbers_hold_until)
    days = list(map(_DATE, case.entries))
    if days and max(days) > folded.day:  # hardly ever
        until = min(until, min(day for day in days if day > folded.day) - ONE_DAY)
    return until


def numbers_hold_until(pack: Pack, day: date) -> date:
    """The last day with the same values of the parameters that the fold reads."""
    now = pack.ruleset(day).parameters
    for turning in pack.turning_days:
        then = pack.ruleset(turning).parameters
        if turning > day and any(then.get(name) != now.get(name) for name in PARAMETERS_READ):
            return turning - ONE_DAY
    return date.max
