"""The entry types of the case journal: every field, its allowed values, and whether it may be left out.

An optional field left out is None. Yes/no fields hold "yes", "no" or "unknown". Docstrings and `DESCRIPTIONS` are the
help texts of the JSON Schema.
"""

import datetime
import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from rules.identity import masked

LOCAL_TIME = ZoneInfo("Europe/Helsinki")
LONGEST_TEXT = 10_000
LONGEST_NAME = 200
FIRST_YEAR, LAST_YEAR = 1900, 2200

Item = TypeVar("Item")


def refused(expected: str, hint: str | None = None) -> PydanticCustomError:
    """The error of a value that is not what was expected."""
    return PydanticCustomError("refused", "expected {expected}", {"expected": expected, "hint": hint})


# ---- values

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,6})?)? ?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_A_DAY = "a date such as 2022-09-05"
_A_TIME = "a time such as 2022-09-05T10:30"


@cache
def day_written(text: str) -> datetime.date:
    """The day a text such as 2022-09-05 names. Raises ValueError for another text, which is not remembered."""
    day = datetime.date.fromisoformat(text) if _DAY.fullmatch(text) else datetime.date.min
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(text)
    return day


def _date(value: object) -> datetime.date:
    if type(value) is str:
        try:
            return day_written(value)
        except ValueError:
            pass  # why not is told below
    hint = None
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            value = datetime.date.fromisoformat(value)
        except ValueError:
            hint = "there is no such day"
    elif isinstance(value, datetime.datetime) or (isinstance(value, str) and _TIME.fullmatch(value)):
        raise refused(_A_DAY, "a date has no time of day; write the day alone")
    if not isinstance(value, datetime.date):
        raise refused(_A_DAY, hint)
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise refused(f"a date in the years {FIRST_YEAR}–{LAST_YEAR}")
    return value


def time_of(value: object) -> datetime.datetime:
    """A time with its offset from UTC; one without is Finnish time (the first of two when clocks go back)."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            value = datetime.datetime.fromisoformat(
                value.upper().replace(",", ".").replace(" ", "T", 1).replace(" ", "")
            )
        except ValueError:
            raise refused(_A_TIME, "there is no such time") from None
    if not isinstance(value, datetime.datetime):
        raise refused(_A_TIME)
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise refused(f"a time in the years {FIRST_YEAR}–{LAST_YEAR}")
    offset = value.utcoffset()
    if offset is None:
        offset = value.replace(tzinfo=LOCAL_TIME).utcoffset() or datetime.timedelta(0)
    # A fixed offset: times of a zone with an ambiguous hour never compare equal to others.
    return value.replace(tzinfo=datetime.timezone(offset))


def name_of(value: object) -> str:
    """A name as it stands; refused when it is none."""
    if not isinstance(value, str):
        hint = "put it in quotation marks" if isinstance(value, (bool, int, float, datetime.date)) else None
        raise refused(f"text of 1–{LONGEST_NAME} characters", hint)
    if not 1 <= len(value) <= LONGEST_NAME:
        raise refused(f"text of 1–{LONGEST_NAME} characters")
    if not value.isprintable() or value != value.strip():
        raise refused("text without control or invisible characters, or white space around it")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        hint = "put it in quotation marks" if isinstance(value, (bool, int, float, datetime.date)) else None
        raise refused("text", hint)
    if len(value) > LONGEST_TEXT:
        raise refused(f"text of at most {LONGEST_TEXT:,} characters")
    if _UNPRINTABLE.search(value):
        raise refused("text without control characters")
    return value


def _needed_text(value: object) -> str:
    text = _text(value)
    if not text.strip():
        raise refused("text that says something")
    return text


def _whole(low: int, high: int) -> Callable[[object], int]:
    def whole(value: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise refused(f"a whole number, {low}–{high}")
        return value

    return whole


def _hours(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (0 <= value <= 168):  # NaN is in no range
        raise refused("a number of hours, 0–168")
    return value


def _yes_no(value: object) -> object:
    return ("yes" if value else "no") if isinstance(value, bool) else value


def each_once(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items, refused when one is there twice."""
    if len(set(items)) < len(items):
        twice = next(item for at, item in enumerate(items) if item in items[:at])
        raise refused("each name once", f"{masked(str(twice))} is there twice")
    return items


def _schema(**words: Any) -> WithJsonSchema:
    return WithJsonSchema(words)


Date = Annotated[
    datetime.date, PlainValidator(_date), _schema(type="string", format="date", pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
]
Time = Annotated[datetime.datetime, PlainValidator(time_of), _schema(type="string", pattern=f"^{_TIME.pattern}$")]
Name = Annotated[str, PlainValidator(name_of), _schema(type="string", minLength=1, maxLength=LONGEST_NAME)]
Text = Annotated[str, PlainValidator(_text), _schema(type="string", maxLength=LONGEST_TEXT)]
NeededText = Annotated[str, PlainValidator(_needed_text), _schema(type="string", maxLength=LONGEST_TEXT, pattern=r"\S")]
Days = Annotated[int, PlainValidator(_whole(0, 7)), _schema(type="integer", minimum=0, maximum=7)]
Minutes = Annotated[int, PlainValidator(_whole(0, 100_000)), _schema(type="integer", minimum=0, maximum=100_000)]
Hours = Annotated[float, PlainValidator(_hours), _schema(type="number", minimum=0, maximum=168)]
BirthYear = Annotated[int, PlainValidator(_whole(1900, 2100)), _schema(type="integer", minimum=1900, maximum=2100)]

YesNo = Annotated[
    Literal["yes", "no", "unknown"], BeforeValidator(_yes_no), _schema(enum=["yes", "no", "unknown", True, False])
]
Wants = Annotated[
    Literal["yes", "no", "undecided"], BeforeValidator(_yes_no), _schema(enum=["yes", "no", "undecided", True, False])
]
Answer = Annotated[
    Literal["yes", "partly", "no", "unknown"],
    BeforeValidator(_yes_no),
    _schema(enum=["yes", "partly", "no", "unknown", True, False]),
]
Question = Literal[
    "chk-01", "chk-02", "chk-03", "chk-04", "chk-05", "chk-06", "chk-07", "chk-08",
    "chk-09", "chk-10", "chk-11", "chk-12", "chk-13", "chk-14", "chk-15", "chk-16",
]  # fmt: skip
Role = Literal[
    "client", "social_worker", "employment_coach", "activity_instructor", "activity_supervisor", "job_coach",
    "team_leader", "work_ability_team",
]  # fmt: skip
StopReason = Literal[
    "goal_reached", "client_choice", "job_started", "moved", "other_service", "no_capacity", "time_limit", "no_show",
    "readiness", "substance_use", "symptoms", "cognition", "treatment_absence", "violence_history", "appearance",
    "other",
]  # fmt: skip
CloseReason = Literal["goal_reached", "client_choice", "moved", "died", "other"]
Measure = Literal["activity", "work_trial", "coaching"]
Endorsed = Literal["work_trial", "wage_subsidy"]
Language = Literal["fi", "sv", "en"]
Mode = Literal["on_site", "remote", "hybrid"]
Roles = Annotated[tuple[Role, ...], Field(min_length=1), AfterValidator(each_once)]
Names = Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(each_once)]


# ---- entries


class Strict(BaseModel):
    """What all parts of a case share: unknown names are refused, nothing changes once read."""

    # defer_build: importing stays cheap; a type's validator is made when the type is first met
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, hide_input_in_errors=True)


def _in_order(end: datetime.date | None, info: ValidationInfo) -> datetime.date | None:
    start = info.data.get("start")
    if start is not None and end is not None and end < start:
        raise refused(f"a day not before the start, {start}")
    return end


class Period(Strict):
    """Days from a start to an end, both included."""

    start: Date
    end: Date | None = None

    end_follows_start = field_validator("end")(_in_order)


class CoachingPeriod(Period):
    """The period of coaching in an activation plan."""

    alongside_activity: YesNo | None = None


class TrialPeriod(Period):
    """The period of a work trial in an activation plan."""


class Entry(Strict):
    """A dated entry of the journal. `date` is the day it took effect, `recorded_at` (with its offset) when it was
    written down."""

    date: Date
    type: str
    id: Name
    by: Role | None = None
    recorded_at: Time | None = None
    note: Text | None = None

    def __hash__(self) -> int:
        return hash((self.type, self.date, self.id))


class _Worker(Entry):
    role: Role
    worker: Name
    organisation: Name | None = None


class WorkerAssigned(_Worker):
    """A worker was named for the client in a role."""

    type: Literal["worker_assigned"]


class WorkerReleased(_Worker):
    """A worker no longer has the role."""

    type: Literal["worker_released"]


class NeedAssessed(Entry):
    """The client's need of services was assessed."""

    type: Literal["need_assessed"]
    outcome: Text | None = None


class InterestAsked(Entry):
    """The client was asked about an interest in paid work."""

    type: Literal["interest_asked"]
    wants_to_work: Wants


class CoachingInfoGiven(Entry):
    """The client was told about supported job coaching."""

    type: Literal["coaching_info_given"]


class InitiativeTaken(Entry):
    """Someone (`by`) took the initiative for a service."""

    type: Literal["initiative_taken"]
    service: Literal["coaching", "work_trial", "other"]


class ChecklistAnswered(Entry):
    """The recognition checklist was gone through with the client; it is never summed."""

    type: Literal["checklist_answered"]
    answers: dict[Question, Answer]


class SelectionAgreed(Entry):
    """Coaching was chosen together."""

    type: Literal["selection_agreed"]
    participants: Roles
    client_agrees: YesNo | None = None


class JointMeetingHeld(Entry):
    """The client's network met."""

    type: Literal["joint_meeting_held"]
    participants: Roles


class ServiceDecision(Entry):
    """A decision on a service."""

    type: Literal["service_decision"]
    service: Literal["activity", "coaching", "other"]
    decision: Literal["granted", "ended", "denied"]
    start: Date | None = None
    end: Date | None = None
    reason: Text | None = None

    end_follows_start = field_validator("end")(_in_order)


class _Activity(Entry):
    days_per_week: Days | None = None
    period_end: Date | None = None
    mode: Mode | None = None
    wall_less: YesNo | None = None


class ActivityStarted(_Activity):
    """Rehabilitative work activity began."""

    type: Literal["activity_started"]


class ActivityChanged(_Activity):
    """Rehabilitative work activity changed; with `period_end` a new period began."""

    type: Literal["activity_changed"]


class ActivityPaused(Entry):
    """Rehabilitative work activity was paused."""

    type: Literal["activity_paused"]
    reason: Literal["work_trial", "illness", "other"]


class ActivityResumed(Entry):
    """Rehabilitative work activity went on after a pause."""

    type: Literal["activity_resumed"]
    days_per_week: Days | None = None


class ActivityEnded(Entry):
    """Rehabilitative work activity ended."""

    type: Literal["activity_ended"]
    reason: Literal["period_over", "work_trial", "coaching_started", "job", "studies", "client_choice", "other"]


class ConsentGiven(Entry):
    """The client consented to sharing information with the parties."""

    type: Literal["consent_given"]
    scope: Literal["basic", "provider"]
    parties: Names
    voluntary: YesNo | None = None
    informed: YesNo | None = None
    expires_on: Date | None = None


class ConsentWithdrawn(Entry):
    """The client withdrew a consent, for the parties or (left out) for all."""

    type: Literal["consent_withdrawn"]
    scope: Literal["basic", "provider"]
    parties: Names | None = None


class ActivationPlanUpdated(Entry):
    """The activation plan (or multi-sector employment plan) was made or updated."""

    type: Literal["activation_plan_updated"]
    kind: Literal["activation_plan", "multi_sector_plan"] | None = None
    participants: Roles
    valid_until: Date | None = None
    coaching: CoachingPeriod | None = None
    work_trial_possible: YesNo | None = None
    other_services_possible: YesNo | None = None
    wage_subsidy_clarified: YesNo | None = None
    work_trial: TrialPeriod | None = None
    goals: Text | None = None


class PlanReviewed(Entry):
    """The plan was looked at and nothing had to change."""

    type: Literal["plan_reviewed"]
    participants: Roles


class ImplementationPlanUpdated(Entry):
    """The practical plan inside the activity was made or updated."""

    type: Literal["implementation_plan_updated"]
    includes_coaching: YesNo | None = None


class EndorsementRecorded(Entry):
    """The employment coach's endorsement was recorded."""

    type: Literal["endorsement_recorded"]
    purpose: Endorsed
    valid_until: Date | None = None


class EndorsementsChecked(Entry):
    """It was checked whether the endorsements are in order."""

    type: Literal["endorsements_checked"]
    purpose: Endorsed
    result: Literal["in_order", "missing"] | None = None


class StatementIssued(Entry):
    """The employment authority gave a statement on which a benefit is paid."""

    type: Literal["statement_issued"]
    measure: Measure
    paying: YesNo | None = None
    start: Date
    end: Date | None = None

    end_follows_start = field_validator("end")(_in_order)


class StatementWithdrawn(Entry):
    """A statement no longer holds."""

    type: Literal["statement_withdrawn"]
    measure: Measure


class CoachingStarted(Entry):
    """Supported job coaching began."""

    type: Literal["coaching_started"]
    provider: Name
    provider_kind: Literal["public", "private"] | None = None
    period_end: Date | None = None
    goal: Literal["open_market", "studies", "work_ability"] | None = None


class CoachingPhaseReached(Entry):
    """Coaching reached a phase, perhaps again."""

    type: Literal["coaching_phase_reached"]
    phase: Literal["agreement", "profile", "job_search", "employer_support", "job_retention"]


class CoachingRenewed(Entry):
    """A new coaching period began."""

    type: Literal["coaching_renewed"]
    period_end: Date | None = None


class CoachingInterrupted(Entry):
    """Coaching was interrupted, or the interruption was looked at again."""

    type: Literal["coaching_interrupted"]
    reason: StopReason
    referred_to: Literal["work_ability_support", "other"] | None = None
    review_on: Date | None = None


class CoachingResumed(Entry):
    """Coaching went on after an interruption."""

    type: Literal["coaching_resumed"]


class CoachingEnded(Entry):
    """Coaching ended."""

    type: Literal["coaching_ended"]
    reason: StopReason


class CoachingDeclined(Entry):
    """An organisation said no, or not yet, to the client."""

    type: Literal["coaching_declined"]
    reason: StopReason
    review_on: Date | None = None


class _Agreed(Entry):
    start: Date
    employer: Name | None = None


class WorkTrialAgreed(_Agreed):
    """A work trial was agreed."""

    type: Literal["work_trial_agreed"]


class JobAgreed(_Agreed):
    """A job was agreed."""

    type: Literal["job_agreed"]


class WorkTrialStarted(Entry):
    """A work trial began."""

    type: Literal["work_trial_started"]
    days_per_week: Days | None = None
    planned_end: Date | None = None
    arrangement: Literal["alongside_activity", "activity_paused", "activity_ended"]
    capacity_considered: YesNo | None = None
    record_extract_needed: YesNo | None = None
    employer: Name | None = None


class WorkTrialExtended(Entry):
    """A work trial got a new planned end."""

    type: Literal["work_trial_extended"]
    planned_end: Date


class WorkTrialEnded(Entry):
    """A work trial ended."""

    type: Literal["work_trial_ended"]
    outcome: Literal["completed", "interrupted", "failed", "hired"]


class JobStarted(Entry):
    """A job began."""

    type: Literal["job_started"]
    kind: Literal["open_market", "wage_subsidised", "reserved"]
    permanent: YesNo | None = None
    employer: Name | None = None
    occupation: Name | None = None
    hours_per_week: Hours | None = None


class JobEnded(Entry):
    """A job ended: that employer's, else the oldest running."""

    type: Literal["job_ended"]
    known_on: Date | None = None
    reason: Text | None = None
    employer: Name | None = None


class OutcomeReached(Entry):
    """The path led elsewhere than to work."""

    type: Literal["outcome_reached"]
    outcome: Literal["studies", "rehabilitation", "sick_leave", "pension", "other_service", "other"]


class SocialWorkerRetentionDecided(Entry):
    """It was decided whether the social worker stays with the client."""

    type: Literal["social_worker_retention_decided"]
    retained: YesNo
    reason: Text | None = None


class Contact(Entry):
    """A contact with the client or someone of the network, tried or made."""

    type: Literal["contact"]
    party: Literal["client", "employer", "partner", "family"]
    by: Role
    form: Literal["face_to_face", "phone", "remote", "message"]
    place: Literal["workplace", "office", "community", "home"] | None = None
    purpose: Literal["support", "job_search", "follow_up", "outreach"] | None = None
    reached: YesNo | None = None
    employer: Name | None = None
    preference_based: YesNo | None = None
    minutes: Minutes | None = None


class ContactWishRecorded(Entry):
    """How much support the client wants at work."""

    type: Literal["contact_wish_recorded"]
    wish: Literal["as_usual", "less", "none"]


class BenefitCounselling(Entry):
    """The client was counselled on benefits and earnings."""

    type: Literal["benefit_counselling"]
    by_specialist: YesNo | None = None


class EconomicSupportAdvised(Entry):
    """The client was advised on economic support."""

    type: Literal["economic_support_advised"]
    purpose: Literal["record_extract", "travel", "other"]


class FollowUpDone(Entry):
    """The client's situation was followed up."""

    type: Literal["follow_up_done"]
    situation: Literal["ok", "needs_support"]


class AdviceSetAside(Entry):
    """A professional chose not to follow an advice; it is shown beside the finding."""

    type: Literal["advice_set_aside"]
    rule: Name
    reason: NeededText
    until: Date | None = None


class Correction(Entry):
    """Another entry no longer counts; both stay visible."""

    type: Literal["correction"]
    voids: Name


class CaseClosed(Entry):
    """The case was closed."""

    type: Literal["case_closed"]
    reason: CloseReason


class CaseReopened(Entry):
    """The case was opened again."""

    type: Literal["case_reopened"]
    reason: CloseReason


class AnyEntry(Entry):
    """An entry of an unknown type, read for the mistakes in what every entry has."""

    model_config = ConfigDict(extra="ignore")


def _types(parent: type[Entry]) -> dict[str, type[Entry]]:
    found: dict[str, type[Entry]] = {}
    for child in parent.__subclasses__():
        named = get_args(child.model_fields["type"].annotation)
        found |= {str(named[0]): child} if named else _types(child)
    return found


ENTRY_TYPES: dict[str, type[Entry]] = _types(Entry)

DESCRIPTIONS = {
    "date": "the day it took effect",
    "type": "what happened",
    "id": "the entry's own id; left out: e1, e2… by position",
    "by": "the role of who did or recorded it",
    "recorded_at": "when it was recorded; Finnish time unless it has an offset",
    "note": "free text; no rule reads it",
    "role": "a role",
    "worker": "the worker's id (opaque)",
    "organisation": "the worker's organisation",
    "outcome": "what came of it",
    "wants_to_work": "whether the client wants paid work",
    "service": "the service",
    "answers": "an answer to each item that was talked over",
    "participants": "the roles that took part",
    "client_agrees": "whether the client agrees",
    "decision": "what was decided",
    "start": "the first day",
    "end": "the last day; left out: open",
    "reason": "why",
    "days_per_week": "days in a week",
    "period_end": "the last day of the period",
    "mode": "where the activity takes place",
    "wall_less": "whether it takes place outside the workshop",
    "scope": "what the consent covers",
    "parties": "the parties' ids (opaque)",
    "voluntary": "whether it was given freely",
    "informed": "whether the client was told what it means",
    "expires_on": "the last day it holds",
    "kind": "which kind",
    "valid_until": "the last day it holds",
    "coaching": "the period of coaching in the plan",
    "work_trial": "the period of a work trial in the plan",
    "alongside_activity": "whether coaching runs alongside rehabilitative work activity",
    "work_trial_possible": "whether the plan allows a work trial",
    "other_services_possible": "whether the plan allows other services",
    "wage_subsidy_clarified": "whether the right to a wage subsidy was clarified",
    "goals": "the goals of the plan",
    "includes_coaching": "whether the plan covers coaching",
    "purpose": "what for",
    "result": "what the check showed",
    "measure": "what the statement is about",
    "paying": "whether the benefit is paid on it",
    "provider": "the provider's id (opaque)",
    "provider_kind": "whether the provider is public or private",
    "goal": "what coaching aims at",
    "phase": "the phase of coaching",
    "referred_to": "where the client was directed",
    "review_on": "the day it is looked at again",
    "employer": "the employer's id (opaque)",
    "planned_end": "the planned last day",
    "arrangement": "what becomes of rehabilitative work activity during the trial",
    "capacity_considered": "whether the weekly days were weighed against the client's strength",
    "record_extract_needed": "whether an extract from the criminal record is needed",
    "permanent": "whether the job is permanent",
    "occupation": "the occupation",
    "hours_per_week": "hours in a week",
    "known_on": "the day the end became known",
    "retained": "whether the social worker stays",
    "party": "who was contacted",
    "form": "how",
    "place": "where",
    "reached": "whether the party was reached",
    "preference_based": "whether the client's own wishes led to this employer",
    "minutes": "minutes it took",
    "wish": "how much support the client wants at work",
    "by_specialist": "whether a specialist gave it",
    "situation": "how the client is doing",
    "rule": "the rule whose advice is set aside",
    "until": "the last day it is set aside; left out: for good",
    "voids": "the id of the entry that no longer counts",
    "municipality": "the client's municipality",
    "birth_year": "the year of birth",
    "language": "the client's language",
    "not_recorded": "entry types the sending system does not carry",
    "complete_from": "the journal may have holes before this day",
}
