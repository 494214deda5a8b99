"""Next steps: what someone should do, most urgent first (SPEC §5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from rules.pack import SEVERITIES, Rule
from rules.texts import texts

#: Days ahead that count as due now (SPEC §5, local choice).
DUE_WITHIN_DAYS = 7
KEEP_CONTACT = "keep_contact"


class Actionable(Protocol):
    """What a list of next steps needs to know of a finding, new or kept."""

    @property
    def rule(self) -> Rule:
        """The rule that found it."""

    @property
    def outcome(self) -> str:
        """What the rule came to."""

    @property
    def due(self) -> date | None:
        """By when something is to be done."""

    @property
    def action(self) -> str:
        """What to do about it."""

    @property
    def gives_step(self) -> bool:
        """Whether it is someone's next step."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action for one role, by when, and the rules it follows from. `status`: overdue, due, do_now or can_do."""

    action: str
    role: str
    due: date | None
    status: str
    because: tuple[str, ...]

    def as_json(self, lang: str) -> dict[str, Any]:
        """The step as SPEC §5 writes it."""
        return {
            "action": self.action,
            "role": self.role,
            "due": self.due.isoformat() if self.due is not None else None,
            "status": self.status,
            "because": list(self.because),
            "text": texts("actions", self.action, lang),
        }


def next_steps(findings: Iterable[Actionable], day: date, *, closed: bool) -> list[Step]:
    """The steps open findings give: overdue, then by due date, then obligations, quality, recommendations, the path.

    One step an action; the most urgent finding names its role and its date.
    """
    urgent = sorted((finding for finding in findings if finding.gives_step), key=lambda item: _urgency(item, day))
    by_action: dict[str, list[Actionable]] = {}
    for finding in urgent:
        by_action.setdefault(finding.action, []).append(finding)
    steps = [_step(action, found, day) for action, found in by_action.items()]
    if steps or closed:
        return steps
    # Everything was set aside: an open case never has an empty list.
    return [Step(KEEP_CONTACT, "social_worker", None, "can_do", ())]


def _urgency(finding: Actionable, day: date) -> tuple[int, int, int, int]:
    due = finding.due
    overdue = due is not None and due < day
    rank = 0 if overdue else 1 if due is not None else 2
    return (
        rank,
        due.toordinal() if due is not None else 0,
        SEVERITIES.index(finding.rule.severity),
        finding.rule.position,
    )


def _step(action: str, found: list[Actionable], day: date) -> Step:
    due = min((finding.due for finding in found if finding.due is not None), default=None)
    because = tuple(dict.fromkeys(finding.rule.id for finding in found))
    return Step(action, found[0].rule.role, due, _status(found, due, day), because)


def _status(found: list[Actionable], due: date | None, day: date) -> str:
    if due is not None and due < day:
        return "overdue"
    if due is not None and (due - day).days <= DUE_WITHIN_DAYS:
        return "due"
    undated = any(f.outcome == "violated" and f.rule.severity == "obligation" and f.due is None for f in found)
    return "do_now" if undated else "can_do"
