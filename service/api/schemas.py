"""The shapes of answers, for the OpenAPI document. Tests hold every answer against them; nothing passes through them.

Fields may be added in later versions; those that are here stay.
"""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

Day = datetime.date
Time = datetime.datetime
Outcome = Literal["not_in_force", "not_applicable", "satisfied", "violated", "advised", "remedied", "unknown"]
Severity = Literal["obligation", "quality", "recommendation", "information"]


class Mistake(BaseModel):
    """One mistake of a request."""

    place: str = Field(description="where: `entries[3].days_per_week`, `query.as_of`, `header.If-Match`")
    line: int | None = Field(None, description="the line, in a body that has lines")
    found: str
    expected: str
    hint: str | None = None


class Problem(BaseModel):
    """A problem (RFC 9457). Its type may add members; docs/api.md tells which."""

    type: str = Field(description="the kind of problem; the address explains it")
    title: str
    status: int
    detail: str | None = None
    instance: str | None = Field(None, description="this very request, as the service's log names it")
    problems: list[Mistake] | None = Field(None, description="every mistake of the request")


class ProblemType(BaseModel):
    """A kind of problem explained."""

    type: str
    title: str
    status: int
    meaning: str
    remedy: str


class ProblemTypes(BaseModel):
    """Every kind of problem."""

    items: list[ProblemType]


# --- the answer of SPEC §5 ---


class PackName(BaseModel):
    """The rule pack that judged."""

    id: str
    version: str
    sha256: str = Field(description="SHA-256 of the pack's canonical JSON")


class State(BaseModel):
    """Where the client is on the path: the stage and the five charts; null where it is withheld."""

    stage: str | None
    referral: str | None
    activity: str | None
    coaching: str | None
    work_trial: str | None
    employment: str | None


class Step(BaseModel):
    """Something someone should do."""

    action: str
    role: str
    due: Day | None
    status: Literal["overdue", "due", "do_now", "can_do"]
    because: list[str] = Field(description="the rules it follows from")
    text: str


class Trigger(BaseModel):
    """Whether a step could be taken now."""

    trigger: str
    status: Literal["open", "needs_details", "blocked", "not_from_here", "withheld"]
    needs: list[str]
    blocked_by: list[str]


class Source(BaseModel):
    """A document a rule rests on, and where in it."""

    document: str
    section: str | None = None


class Subject(BaseModel):
    """What a finding is about: the case or an episode, by the entry that began it."""

    kind: str
    entry: str | None
    current: bool | None = None


class SetAside(BaseModel):
    """A professional's choice not to follow an advice."""

    entry: str
    reason: str | None = Field(description="null where it is withheld")
    until: Day | None


class Finding(BaseModel):
    """What a rule came to for one subject."""

    rule: str
    title: str
    outcome: Outcome
    severity: Severity
    due: Day | None
    subject: Subject
    missing: list[str] = Field(description="the facts that would have to be known")
    facts: dict[str, Any] = Field(description="the facts the rule read")
    text: str
    caution: str | None
    set_aside: SetAside | None
    judged_on: Day
    source: list[Source]
    authority: str
    action: str
    role: str


class Withheld(BaseModel):
    """In place of the findings of a rule that rests on something you may not see, whether it found anything or not."""

    rule: str
    title: str
    withheld: Literal[True]


class Turn(BaseModel):
    """An outcome that will change if nothing is recorded."""

    last_day: Day
    changes_on: Day
    rule: str
    subject: Subject
    from_: str = Field(alias="from")
    to: str


class LeftOut(BaseModel):
    """What is left out of an assessment because it rests on something you may not see."""

    rules: list[str]
    next_steps: bool = Field(description="whether there may be more next steps")
    agenda: bool
    state: list[str]
    triggers: list[str]
    readiness: bool
    set_aside_reasons: bool


class Assessment(BaseModel):
    """What is next for a client, with everything it rests on (SPEC §5)."""

    case: str
    as_of: Day
    pack: PackName
    state: State
    next_steps: list[Step]
    triggers: list[Trigger]
    findings: list[Finding | Withheld]
    readiness: dict[str, Any] | None = Field(description="the talk sheet; null where it is withheld")
    agenda: list[Turn]
    withheld: LeftOut | None = None


# --- rules ---


class Validity(BaseModel):
    """The days a version is in force."""

    from_: Day = Field(alias="from")
    to: Day | None


class RuleShort(BaseModel):
    """A rule as a list shows it."""

    rule: str
    title: str
    about: str
    severity: Severity
    authority: str
    valid: Validity
    source: list[Source]


class RuleList(BaseModel):
    """The rules in force on a date."""

    as_of: Day
    pack: PackName
    items: list[RuleShort]


class DatedValue(BaseModel):
    """A value of a parameter from a day on."""

    from_: Day = Field(alias="from")
    value: int
    source: list[Source]


class Parameter(BaseModel):
    """A number a rule rests on."""

    name: str
    label: str
    unit: str
    authority: str
    values: list[DatedValue]


class RuleInFull(RuleShort):
    """A rule: when it applies, what must then hold, its numbers and sources."""

    text: str
    caution: str | None
    applies: dict[str, Any] = Field(description="`all`, `any`, `not`, or one line: a fact against constants")
    outcomes: list[dict[str, Any]] = Field(description="tried in order: the first that holds names the outcome")
    otherwise: str
    event: str | None
    due: str | None
    parameters: list[Parameter]
    action: str
    actions: list[dict[str, Any]]
    role: str
    guards: list[str] = Field(description="the steps the rule can speak against")
    in_force: bool
    versions: list[Validity]


# --- who asks ---


class Me(BaseModel):
    """Who you are here."""

    user: str = Field(description="the id journals know you by")
    region: str
    organisation: str
    organisation_kind: Literal["county", "employment_area", "municipality", "provider"]
    team: str | None
    role: str = Field(description="the role you act in")
    roles: list[str] = Field(description="the roles you may act in")
    program: bool


# --- cases ---


class Kept(BaseModel):
    """What is kept of a case beside its journal, and how you stand to it."""

    id: str
    version: int = Field(description="1 when opened, one more with each recording")
    organisation: str
    team: str | None
    opened_at: Time
    closed_on: Day | None
    restricted: bool
    relation: Literal["assigned", "team", "provider", "emergency", "none"]


class CaseList(BaseModel):
    """A page of the cases you have business with."""

    items: list[Kept]
    next: str | None = Field(description="the address of the next page; null on the last")


class LeftOutOfCase(BaseModel):
    """What is left out of a case document because you may not see it."""

    header: list[str] = Field(description="fields of the header")
    entries: dict[str, list[str]] = Field(
        description="by entry id the fields left out, whether they hold anything or not"
    )
    types: list[str] = Field(description="the types of which no entry is shown")


class CasePage(BaseModel):
    """A case document with what is kept beside it."""

    case: dict[str, Any] = Field(description="the header, as far as it is yours to see")
    entries: list[dict[str, Any]] = Field(description="the entries, each as far as it is yours to see")
    withheld: LeftOutOfCase
    kept: Kept


class Acknowledged(BaseModel):
    """What was acknowledged, and why."""

    rules: list[str]
    reason: str


class StepRecorded(BaseModel):
    """A step that was advised."""

    action: str
    role: str
    due: Day | None
    status: Literal["overdue", "due", "do_now", "can_do"]
    because: list[str]
    text: str


class Recorded(BaseModel):
    """What was recorded, and what is next."""

    case: str
    version: int
    entries: list[str] = Field(description="the ids of the entries")
    recorded_at: Time
    decision: str = Field(description="the id of the decision record")
    status: Literal["determined", "undetermined"]
    acknowledged: Acknowledged | None
    pack: PackName
    as_of: Day | None
    state: State | None
    next_steps: list[StepRecorded] | None = Field(description="null where they are withheld")


class Explanations(BaseModel):
    """Why a rule came out as it did, for each current subject it is about."""

    case: str
    as_of: Day
    pack: PackName
    explanations: list[dict[str, Any]]


# --- decisions ---


class DecisionShort(BaseModel):
    """A decision as a list shows it."""

    id: str
    version: int
    recorded_at: Time
    recorded_by: str
    status: Literal["determined", "undetermined"]
    acknowledged: bool = Field(description="whether a step was recorded past a rule, with a reason")


class DecisionList(BaseModel):
    """A page of a case's decisions."""

    items: list[DecisionShort]
    next: str | None


class RecordedBy(BaseModel):
    """Who recorded, and in whose role."""

    user: str
    organisation: str
    role: str
    relation: str


class Decision(BaseModel):
    """A decision record (docs/recording.md)."""

    v: int = Field(description="the form of the record")
    id: str
    case: str
    version: int
    entries: list[str]
    recorded_at: Time
    recorded_by: RecordedBy
    program: str
    fold: int | str
    engines: str
    pack: PackName
    judgements: list[dict[str, Any]]
    breaks: list[list[str]] | None
    advice: list[dict[str, Any]]
    acknowledged: Acknowledged | None
    status: Literal["determined", "undetermined"]
    alarm: str | None
    withheld: dict[str, Any] | None = Field(None, description="what is left out because you may not see it")


class Difference(BaseModel):
    """Something that is not as it was recorded."""

    kind: str
    where: str | None = None
    kept: Any = None
    now: Any = None
    text: str | None = None
    withheld: bool | None = None


class Replayed(BaseModel):
    """What came of judging a decision again."""

    decision: str
    case: str
    version: int
    same: bool = Field(description="whether it came out as recorded, or differs only in what is explained")
    differences: list[Difference]
    explained: list[Difference]


# --- checks ---


class CheckCounts(BaseModel):
    """How much came of a check, when it was done. What is new, still open or settled is told beside the check before,
    of findings there is something to do about."""

    open: int = Field(description="next steps, and facts to be found out")
    undetermined: int = Field(description="clients for whom it could not be told")
    judged_again: int = Field(description="clients judged a second time, by the engines that judge a single client")
    new: int | None = None
    still_open: int | None = None
    settled: int | None = None
    left: int | None = Field(None, description="findings of the check before about clients who were not checked now")


class Check(BaseModel):
    """A check of a caseload."""

    id: str
    as_of: Day
    state: Literal["running", "done", "failed"]
    done: int
    total: int
    started_at: Time
    finished_at: Time | None
    error: str | None
    pack_version: str | None = Field(description="the version of the rules; null for checks of before it was kept")
    compared_with: str | None = Field(description="your check before this one, about no later day")
    counts: CheckCounts | None = Field(description="null until the check is done")


class CheckList(BaseModel):
    """Your checks in this role, the newest first; the oldest go when there are more than twenty."""

    items: list[Check]


class CheckFinding(BaseModel):
    """What a check found of one client; `undetermined` where the rule engines differ."""

    case: str
    rule: str | None
    outcome: Literal["violated", "advised", "unknown", "undetermined"]
    severity: Severity | None = None
    due: Day | None = None
    subject: Subject | None = None
    missing: list[str] | None = None
    set_aside: str | None = Field(None, description="the entry by which the advice was set aside")
    judged_on: Day | None = None
    action: str | None = None
    role: str | None = None
    step: bool | None = Field(None, description="whether it is someone's next step")
    change: Literal["new", "still_open", "settled"] | None = Field(
        None, description="beside the check before; null where there is nothing to compare with"
    )
    title: str | None
    text: str | None


class CheckPage(Check):
    """A check and, when it is done, a page of what it has found."""

    items: list[CheckFinding]
    next: str | None


# --- oversight ---


class ReadLogged(BaseModel):
    """A read of a client's data, or an attempt."""

    at: Time
    user: str
    organisation: str
    role: str
    relation: str
    program: bool
    purpose: str
    what: str
    refused: bool


class ReadList(BaseModel):
    """A page of who has read a client's data."""

    items: list[ReadLogged]
    next: str | None


class Shown(BaseModel):
    """The decision in which advice was shown, or was no longer."""

    decision: str
    version: int
    as_of: Day


class Advice(BaseModel):
    """Advice from when to when it was shown, and what became of it."""

    rule: str
    subject: Subject
    action: str
    role: str
    due: Day | None
    first_shown: Shown
    last_shown: Shown
    became: Literal["followed", "followed_late", "lapsed", "set_aside", "acknowledged", "overdue", "open"]
    ended: Shown | None
    set_aside: str | None
    acknowledged: list[str]


class AdviceList(BaseModel):
    """What became of the advice that was shown."""

    items: list[Advice]
    withheld: list[str] = Field(description="the rules whose advice is left out, whether or not they gave any")


class Acknowledging(BaseModel):
    """Who took a step against a rule, or emergency access."""

    user: str
    organisation: str
    role: str
    relation: str | None = None


class Acknowledgement(BaseModel):
    """A step taken against a rule, or an emergency access."""

    at: Time
    case: str
    kind: Literal["acknowledged", "emergency_access"]
    by: Acknowledging
    reason: str
    decision: str | None = None
    version: int | None = None
    rules: list[str] | None = None
    until: Time | None = None


class Acknowledgements(BaseModel):
    """A page of steps taken against a rule, and of emergency accesses."""

    items: list[Acknowledgement]
    next: str | None


# --- rights ---


class IdentityKept(BaseModel):
    """Who a client is."""

    name: str
    phone: str | None = None
    email: str | None = None
    address: str | None = None


class Identity(BaseModel):
    """The client's name and contact details, if any are kept."""

    case: str
    identity: IdentityKept | None


class Restriction(BaseModel):
    """Whether the use of the client's data is restricted."""

    case: str
    restricted: bool


class EmergencyAccess(BaseModel):
    """Emergency access taken."""

    case: str
    role: str
    until: Time


class ClientCopy(BaseModel):
    """Everything kept about a client, explained in three languages (docs/rights.md)."""

    format: Literal["polku-client-copy"]
    v: int
    made_at: Time
    about: dict[str, Any]
    your_rights: dict[str, Any]
    case: dict[str, Any]
    identity: IdentityKept | None
    restricted: bool
    entries: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    events: list[dict[str, Any]]
    checks: list[dict[str, Any]]
    reads: dict[str, Any]
    kept: dict[str, Any]
    words: dict[str, Any]
