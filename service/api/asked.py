"""What a request asks for, out of its body or its query: a case, a date, a step under consideration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import Field

from rules.assessment import Proposal
from rules.entries import Date, Name, NeededText, Strict
from rules.journal import ENTRY_TYPES, Case, JournalError, case_from_data
from rules.reading import Problem, did_you_mean, listed, read_json, shown, survey
from service.api.bodies import mapping, unknown_names, validated
from service.api.parameters import Lang, Moment
from service.api.problems import ApiProblem, mistake
from statemachines import TRIGGERS

_CASE = ("case", "entries")
#: Addresses beside those of clients' pages (service/web/routes): a client of that id could not be opened.
_TAKEN = frozenset({"new", "calendar", "export.xlsx", "export.csv"})


class Options(Strict):
    """How a case is to be assessed."""

    as_of: Date | None = Field(None, description="the evaluation date; left out: today in Finland")
    known_at: Moment | None = Field(None, description="leaves out what was recorded after this time")
    lang: Lang = Field("fi", description="the language of texts")
    proposal: dict[str, Any] | None = Field(
        None, description="a step as if taken on the evaluation date: its `trigger` and what is known of its details"
    )


@dataclass(frozen=True, slots=True)
class AssessmentAsked:
    """A case and how it is to be assessed."""

    case: Case
    as_of: date
    known_at: datetime | None
    lang: Lang
    proposal: Proposal | None


def assessment_asked(data: Any, today: date) -> AssessmentAsked:
    """The request of POST /v1/assessments. Raises ApiProblem with every mistake in it."""
    known = mapping(data, "such as {case: …, entries: …}")
    names = (*_CASE, *Options.model_fields)
    problems = unknown_names(known, names)
    document = {name: value for name, value in known.items() if name in _CASE}
    given = {name: value for name, value in known.items() if name in Options.model_fields}
    case: Case | None = None
    try:
        case = case_from_data(document)
    except JournalError as error:
        problems += error.problems
    options, proposal = Options.model_validate({}), None
    try:
        options = validated(Options, given)
        proposal = proposal_asked(options.proposal, options.as_of or today)
    except ApiProblem as error:
        problems += error.problems
    if problems or case is None:
        raise ApiProblem("invalid-request", problems=problems)
    return AssessmentAsked(case, options.as_of or today, options.known_at, options.lang, proposal)


def proposal_asked(given: Mapping[str, Any] | None, day: date, place: str = "proposal") -> Proposal | None:
    """The step under consideration. Raises ApiProblem with the mistakes in its details."""
    if given is None:
        return None
    trigger = given.get("trigger")
    if not isinstance(trigger, str) or trigger not in TRIGGERS:
        found = "missing" if trigger is None else "an unknown step"
        near = did_you_mean(trigger, TRIGGERS)()
        raise ApiProblem(
            "invalid-request", problems=[Problem(f"{place}.trigger", None, found, listed(list(TRIGGERS)), near)]
        )
    proposal = Proposal(trigger, {name: value for name, value in given.items() if name != "trigger"})
    try:
        proposal.entry(day)
    except JournalError as error:
        problems = [
            Problem(f"{place}.{item.place}", None, item.found, item.expected, item.hint) for item in error.problems
        ]
    except ValueError as error:
        problems = [Problem(place, None, "a step that says too little or too much", str(error))]
    else:
        return proposal
    raise ApiProblem("invalid-request", problems=problems)


def proposal_in_query(text: str | None, day: date) -> Proposal | None:
    """The step under consideration, as JSON in the query. Raises ApiProblem with its mistakes."""
    if text is None:
        return None
    try:
        read = read_json(text)
        faults = read.faults + survey(read.data)
    except JournalError as error:
        problems = error.problems
    else:
        problems = [fault.problem({}) for fault in faults]
        if not problems and isinstance(read.data, dict):
            return proposal_asked(read.data, day, "query.proposal")
    found = problems[0].found if problems else shown(read.data)
    raise mistake("query.proposal", found, 'a step as JSON, such as {"trigger": "start_work_trial"}')


def case_asked(data: Any) -> dict[str, Any]:
    """A case to be kept: the document as it came, once its id can be part of an address. Raises ApiProblem."""
    document = mapping(data, "such as {case: …, entries: …}")
    header = document.get("case")
    name = header.get("id") if isinstance(header, dict) else None
    if isinstance(name, str) and ("/" in name or "\\" in name or name in (".", "..")):
        raise mistake("case.id", shown(name), "an id that can be part of an address: no slash, not dots alone")
    if name in _TAKEN:
        raise mistake("case.id", shown(name), "another id: a page of Polku has this address")
    return document


@dataclass(frozen=True, slots=True)
class RecordingAsked:
    """Entries to be recorded, and what is acknowledged; read by the recorder, which knows the case."""

    entries: Any
    acknowledged: Any

    @property
    def types(self) -> list[str]:
        """The entry types it names, each once."""
        raws = self.entries if isinstance(self.entries, list) else []
        named = [raw.get("type") for raw in raws if isinstance(raw, dict)]
        return list(dict.fromkeys(kind for kind in named if isinstance(kind, str) and kind in ENTRY_TYPES))


def entries_asked(data: Any) -> RecordingAsked:
    """The request of POST /v1/cases/{id}/entries. Raises ApiProblem."""
    known = mapping(data, "such as {entries: […]}")
    problems = unknown_names(known, ("entries", "acknowledged"))
    if "entries" not in known:
        problems.append(Problem("entries", None, "missing", "a list of entries"))
    if problems:
        raise ApiProblem("invalid-request", problems=problems)
    return RecordingAsked(known["entries"], known.get("acknowledged"))


# --- small bodies ---


class CheckAsked(Strict):
    """A check to be started."""

    as_of: Date | None = Field(None, description="the evaluation date; left out: today in Finland")


class IdentityAsked(Strict):
    """Who a client is. Never their personal identity code."""

    name: Name = Field(description="the client's name")
    phone: Name | None = Field(None, description="a telephone number")
    email: Name | None = Field(None, description="an address of electronic mail")
    address: Name | None = Field(None, description="a postal address")


class RestrictionAsked(Strict):
    """Whether the use of the client's data is to be restricted, and why."""

    restricted: bool = Field(description="true restricts, false lifts it", strict=True)
    reason: NeededText = Field(description="why, in words")


class EmergencyAsked(Strict):
    """Why there is no time to ask."""

    reason: NeededText = Field(description="why, in words; the team leader sees it")
