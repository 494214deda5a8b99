"""A step considered: what stands in its way, what would clear it, and what would change, beside how things stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from rules.assessment import Assessor, Proposal
from rules.explain import explain
from service.access.reach import withheld_rules
from service.api.asked import proposal_asked
from service.api.problems import ApiProblem
from service.explaining import ExplanationWords
from service.web.assessed import Assessed, Named, Possible, StepShown
from service.web.fields import Field, fields_of
from service.web.forms import Form, Mistake, Part, mistakes_of
from service.web.typed import Typed
from service.words import sentence
from statemachines import TRIGGERS

#: Stands before the names of a step's details in the address.
DETAILS = "d"
#: What is not asked of a step: its day is today, and nothing rests on what is written freely.
_NOT_ASKED = frozenset({"date", "note"})
#: What a step's name says already.
_IMPLIED = {"take_initiative": frozenset({"service"})}
#: A step that says nothing without this detail.
_NEEDED = {"reach_phase": "phase"}


@dataclass(frozen=True, slots=True)
class StepAsked:
    """A step under consideration as the address has it; without `proposal` there is nothing to judge yet."""

    trigger: str
    form: Form
    typed: Typed
    proposal: Proposal | None
    mistakes: tuple[Mistake, ...] = ()


def step_asked(typed: Typed, today: date) -> StepAsked | None:
    """The step that is asked about; None when none is, or there is no such step."""
    trigger = typed.one("trigger")
    if trigger not in TRIGGERS:
        return None
    form = Form(trigger, (Part(DETAILS, TRIGGERS[trigger].entry_type, _fields(trigger)),))
    details = {name: value for name, value in form.entries(typed)[0].items() if name != "type"}
    if trigger in _NEEDED and _NEEDED[trigger] not in details:
        return StepAsked(trigger, form, typed, None)
    try:
        proposal = proposal_asked({"trigger": trigger, **details}, today, place="entries[0]")
    except ApiProblem as error:
        return StepAsked(trigger, form, typed, None, tuple(mistakes_of(error.problems, form, typed)))
    return StepAsked(trigger, form, typed, proposal)


def _fields(trigger: str) -> tuple[Field, ...]:
    """What is asked of a step. Nothing must be told: what is left out is not known yet."""
    left_out = _NOT_ASKED | _IMPLIED.get(trigger, frozenset())
    fields = (one for one in fields_of(TRIGGERS[trigger].entry_type) if one.name not in left_out)
    return tuple(replace(one, required=one.name == _NEEDED.get(trigger), fields=_free(one.fields)) for one in fields)


def _free(fields: Iterable[Field]) -> tuple[Field, ...]:
    return tuple(replace(one, required=False, fields=_free(one.fields)) for one in fields)


# --- what would follow ---


@dataclass(frozen=True, slots=True)
class Hindrance:
    """A rule that stands in the way: what it asks, what is to be done, and the smallest changes that would clear it."""

    rule: Named
    text: str
    settle: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A rule that would come out otherwise: what it came to today and would come to then, in words."""

    rule: Named
    today: str
    then: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """How things stand and how they would: `steps_new` and `steps_gone` are the texts of steps on one side only."""

    status: Possible
    told_status: str
    hindrances: tuple[Hindrance, ...]
    otherwise: tuple[Otherwise, ...]
    today: list[StepShown]
    then: list[StepShown]

    @property
    def steps_new(self) -> set[str]:
        """The steps that would be new."""
        return {step.text for step in self.then} - {step.text for step in self.today}

    @property
    def steps_gone(self) -> set[str]:
        """The steps that would fall away."""
        return {step.text for step in self.today} - {step.text for step in self.then}


def what_if(assessor: Assessor, today: Assessed, then: Assessed, proposal: Proposal) -> WhatIf:
    """What a step would lead to: `today` is the assessment without it, `then` with it as if taken. Raises EngineError.

    Both are told as far as they may be seen, so a rule of which nothing may be told is no hindrance here.
    """
    item = next(item for item in then.told["triggers"] if item["trigger"] == proposal.trigger)
    hindrances = tuple(_hindrance(assessor, then, rule, proposal) for rule in item["blocked_by"])
    return WhatIf(
        then.step_named(item), item["status"], hindrances, tuple(_otherwise(today, then)), today.steps, then.steps
    )


def _hindrance(assessor: Assessor, then: Assessed, rule: str, proposal: Proposal) -> Hindrance:
    hidden = rule in withheld_rules(then.pack, then.client.sight)  # it may be named, its clauses may not be told
    found = [] if hidden else explain(assessor, then.client.case, then.found.as_of, rule, proposal=proposal)
    told = ExplanationWords(then.pack, then.words)
    changes = (change for one in found if one.outcome == "violated" for change in one.changes)
    version = found[0].rule if found else then.pack.versions(rule)[-1]
    point = next((point for point in then.points if point.rule.id == rule), None)
    return Hindrance(
        then.rule(rule),
        then.words.of(version.text),
        point.settle if point is not None else "",
        tuple(dict.fromkeys(told.change(change) for change in changes)),
    )


def _otherwise(today: Assessed, then: Assessed) -> Iterable[Otherwise]:
    now, later = _outcomes(today), _outcomes(then)
    for rule in dict.fromkeys([*later, *now]):
        if now.get(rule) != later.get(rule):
            yield Otherwise(today.rule(rule), _told(today, now, rule), _told(then, later, rule))


def _outcomes(assessed: Assessed) -> dict[str, tuple[str, ...]]:
    """What each rule came to, without those that are only for information."""
    found: dict[str, list[str]] = {}
    for item in assessed.current:
        if item["severity"] != "information" and item["set_aside"] is None:
            found.setdefault(item["rule"], []).append(item["outcome"])
    return {rule: tuple(sorted(set(outcomes))) for rule, outcomes in found.items()}


def _told(assessed: Assessed, outcomes: Mapping[str, tuple[str, ...]], rule: str) -> str:
    words = assessed.words
    told = [words("outcomes", outcome) for outcome in outcomes.get(rule, ())]
    return sentence(", ".join(told) if told else words("client_what_if", "no_finding"))
