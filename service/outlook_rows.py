"""A client in a list: what is next, which dates are ahead, what is open; and the codes it is kept as.

What is kept is made of a journal once (`contents`) and says nothing of whom it is for: the reader's sight is applied
when it is shown (`shown`), and all that depends on the day only by what is due is worked out then. Between the day it
was made and the day it holds until, what is shown is what a fresh assessment would say (tests/service/test_outlook.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from rules.agenda import agenda, next_turn
from rules.assessment import Assessor
from rules.findings import Finding
from rules.fold import fold
from rules.journal import Case
from rules.kept import finding_data
from rules.pack import Pack
from rules.steps import Step
from service.access.policy import Sight
from service.access.reach import withheld_rules
from service.access.withholding import KeptFinding, kept_finding, withhold_state, withhold_steps
from service.audit.canonical import canonical

#: The form of what is kept; raised when it changes.
FORM = 1
CLOSED = "closed"
DUE, CHANGE = "due", "change"
#: Of a finding's codes, those a list needs.
_KEPT = ("rule", "outcome", "due", "judged_on", "action", "step")


class AtWork(NamedTuple):
    """Someone who works with a client, in a role."""

    worker: str
    role: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """A day that matters for a client: something is `due`, or an outcome will `change` if nothing is recorded.

    Due: `day` is the day, past ones too, and `outcome` the finding's. Change: `day` is the first of the new `outcome`,
    `last_day` the last of the one `before`.
    """

    day: date
    kind: str
    rule: str
    outcome: str
    last_day: date
    before: str | None


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """A rule whose advice is open or that is not met. `gives_step`: someone is to do something about it."""

    rule: str
    outcome: str
    severity: str
    due: date | None
    action: str
    role: str
    gives_step: bool
    set_aside: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """An outlook as far as one sight shows it, on one day."""

    stage: str | None
    state: Mapping[str, str | None]
    steps: tuple[Step, ...]
    dates: tuple[Ahead, ...]
    open: tuple[OpenFinding, ...]
    undetermined: bool


#: Of a client whose outlook is being worked out, or is not the reader's to see.
NOTHING = Shown(None, {}, (), (), (), undetermined=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A client in a list, as far as the reader may see.

    `name` is None where the sight does not open it or none is kept; `municipality`, `language` and `stage` where they
    are withheld or not known. `shows_assessment`: the reader sees stage and steps of clients in this relation at all.
    `fresh`: stage, steps, dates and open findings are of today; else they are being worked out, and empty.
    `undetermined`: the rule engines differ about this client, so no steps can be told.
    """

    case_id: str
    name: str | None
    municipality: str | None
    language: str | None
    version: int
    relation: str
    organisation: str
    team: str | None
    opened_at: str
    closed_on: date | None
    restricted: bool
    shows_assessment: bool
    fresh: bool
    undetermined: bool
    stage: str | None
    state: Mapping[str, str | None]
    steps: tuple[Step, ...]
    dates: tuple[Ahead, ...]
    open: tuple[OpenFinding, ...]
    workers: tuple[AtWork, ...]

    @property
    def step(self) -> Step | None:
        """The most urgent next step."""
        return self.steps[0] if self.steps else None

    def step_of(self, role: str) -> Step | None:
        """The most urgent next step of a role."""
        return next((step for step in self.steps if step.role == role), None)


# --- what is kept ---


def contents(assessor: Assessor, case: Case, day: date) -> tuple[str, date | None]:
    """What is kept of a case's outlook on a day (canonical JSON: codes and days), and the first day on which any of it
    may be another if nothing is recorded (None: never).

    Raises EngineError when the engines differ or fail.
    """
    read = assessor.history(case, day)
    folded = fold(read, day)
    findings = [item for item in assessor.judge(read, day).findings(folded.subjects) if item.subject.current]
    told = {
        "v": FORM,
        "state": folded.state._asdict(),
        "findings": [_codes(item) for item in findings if item.open],
        "agenda": [
            [item.rule, item.last_day.isoformat(), item.changes_on.isoformat(), item.before, item.to]
            for item in agenda(assessor.pack, read, folded, findings)
        ],
    }
    turn = next_turn(assessor.pack, read, folded)
    turns = [entry.date for entry in case.entries if entry.date > day] + ([] if turn is None else [turn])
    return canonical(told).decode(), min(turns, default=None)


def undetermined_contents() -> str:
    """What is kept of a case of which nothing can be told."""
    return canonical({"v": FORM, "state": None, "findings": None, "agenda": []}).decode()


def _codes(finding: Finding) -> dict[str, Any]:
    data = finding_data(finding)
    return {**{name: data[name] for name in _KEPT}, "aside": finding.set_aside is not None}


# --- what is shown ---


def shown(payload: str, sight: Sight, pack: Pack, day: date) -> Shown:
    """An outlook that holds on `day`, as far as it may be seen."""
    told = json.loads(payload)
    if told["findings"] is None:
        return Shown(None, {}, (), (), (), undetermined=True)
    hidden = withheld_rules(pack, sight)
    state = withhold_state(told["state"], sight)
    found = [(kept_finding(item, pack), bool(item["aside"])) for item in told["findings"] if item["rule"] not in hidden]
    steps = withhold_steps((item for item, _ in found), sight, pack, day, closed=told["state"]["stage"] == CLOSED)
    dates = [_due(item) for item, _ in found if item.gives_step and item.due is not None]
    dates += [_change(item) for item in told["agenda"] if item[0] not in hidden]
    dates.sort(key=lambda item: (item.day, item.rule, item.kind))
    return Shown(
        state["stage"],
        state,
        steps,
        tuple(dates),
        tuple(_open(item, aside) for item, aside in found),
        undetermined=False,
    )


def _due(finding: KeptFinding) -> Ahead:
    day = finding.due or date.max
    return Ahead(day, DUE, finding.rule.id, finding.outcome, day, None)


def _change(item: list[str]) -> Ahead:
    rule, last_day, changes_on, before, to = item
    return Ahead(date.fromisoformat(changes_on), CHANGE, rule, to, date.fromisoformat(last_day), before)


def _open(finding: KeptFinding, aside: bool) -> OpenFinding:
    rule = finding.rule
    return OpenFinding(
        rule.id, finding.outcome, rule.severity, finding.due, finding.action, rule.role, finding.gives_step, aside
    )
