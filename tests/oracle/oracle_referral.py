"""Rules on the way to coaching: openness, the queue, the wish to work, the joint choice, consents (§4.1)."""

from __future__ import annotations

from datetime import date

from .oracle_charts import Episode
from .oracle_journal import Entry
from .oracle_values import (
    ADVISED,
    NOT_APPLICABLE,
    REMEDIED,
    SATISFIED,
    UNKNOWN,
    VIOLATED,
    Answer,
    Truth,
    add_days,
    advise_when,
    advised,
    all_of,
    judge,
    negate,
    violated,
    within_months_before,
)
from .oracle_view import View, rule, when_it_began

# "its reason is none of readiness, substance_use, symptoms, cognition, treatment_absence, violence_history, appearance"
SCREENING_REASONS = (
    "readiness",
    "substance_use",
    "symptoms",
    "cognition",
    "treatment_absence",
    "violence_history",
    "appearance",
)
TIME_OR_NO_SHOW = ("time_limit", "no_show")  # "reason is neither time_limit nor no_show"
WISH_ANSWERED_DAYS = 30  # "violated from 31 days (LC 30)"
INTEREST_ASKED_MONTHS = 12  # "last asked over 12 months ago (LC)"
WITHOUT_INITIATIVE_MONTHS = 12  # "or, without one, in the last 12 months"


@rule("open-access-no-screening", "stop", event=when_it_began, about_the_ending=True)
def open_access_no_screening(v: View, stop: Episode) -> Answer:
    return judge(True, stop.began().get("reason") not in SCREENING_REASONS)


@rule("no-time-limit-or-no-show-end", "stop", event=when_it_began, about_the_ending=True)
def no_time_limit_or_no_show_end(v: View, stop: Episode) -> Answer:
    if stop.began().type != "coaching_ended":
        return NOT_APPLICABLE
    return judge(True, stop.began().get("reason") not in TIME_OR_NO_SHOW)


# --- the queue and the wish ---


def current_decline(v: View) -> tuple[Truth, Entry | None]:
    """Is there a decline with no coaching started since, and which?"""
    start = v.journal.latest("coaching_started")
    decline = v.journal.latest("coaching_declined")
    if decline is not None and (start is None or decline.order > start.order):
        return True, decline
    return v.journal.absent("coaching_declined", since=None if start is None else start.date), None


def queue_date_current(v: View) -> Truth:
    """A queue excuses the waiting only while its date is on record: an excuse nobody recorded excuses nobody."""
    _, decline = current_decline(v)
    if decline is None or decline.get("reason") != "no_capacity":
        return False
    review_on = decline.day("review_on")
    return review_on is not None and review_on >= v.today


@rule("queue-has-review-date", "case")
def queue_has_review_date(v: View, case: Episode) -> Answer:
    declined, decline = current_decline(v)
    if decline is None:
        return UNKNOWN if declined is None else NOT_APPLICABLE
    if decline.get("reason") != "no_capacity":
        return NOT_APPLICABLE
    return SATISFIED if queue_date_current(v) else violated(decline.day("review_on"))


def wants_to_work(v: View) -> Truth:
    if v.latest_interest() is None:
        return v.journal.absent("interest_asked", "coaching_declined")
    return v.latest_interest() == "yes"


def wish_stands_open(v: View) -> Truth:
    """Latest interest yes; no coaching, trial or job; referral none or done; no current queue date."""
    return all_of(
        wants_to_work(v),
        negate(v.runs("coaching")),
        negate(v.runs("trial")),
        negate(v.runs("job")),
        v.charts.referral in ("none", "done"),
        negate(queue_date_current(v)),
    )


def wish_date(v: View) -> date:
    """The first yes of the unbroken run of yes answers that ends at the latest answer."""
    first = v.today
    for day, answer in reversed(v.interest_answers()):
        if answer != "yes":
            break
        first = day
    return first


@rule("wish-to-work-answered", "case")
def wish_to_work_answered(v: View, case: Episode) -> Answer:
    applies = wish_stands_open(v)
    if applies is None:
        return UNKNOWN
    if applies is False:
        return NOT_APPLICABLE
    ends = [e.end for e in v.charts.coachings + v.charts.trials + v.charts.jobs if e.end is not None]
    limit = add_days(max([wish_date(v), *ends]), WISH_ANSWERED_DAYS)
    return advised(limit) if v.today <= limit else violated(limit)


@rule("offer-coaching-when-client-wants-work", "case")
def offer_coaching_when_client_wants_work(v: View, case: Episode) -> Answer:
    return advise_when(wish_stands_open(v))


@rule("ask-interest-in-work", "activity")
def ask_interest_in_work(v: View, activity: Episode) -> Answer:
    if not v.activity_is_active(activity):
        return NOT_APPLICABLE
    asked = v.journal.of("interest_asked")
    if any(within_months_before(e.date, INTEREST_ASKED_MONTHS, v.today) for e in asked):
        return NOT_APPLICABLE
    none_found = v.journal.absent_within_months(INTEREST_ASKED_MONTHS, v.today, "interest_asked")
    return advise_when(negate(none_found))


@rule("tell-all-ktt-clients", "activity")
def tell_all_ktt_clients(v: View, activity: Episode) -> Answer:
    if not v.activity_is_active(activity) or v.journal.of("coaching_info_given"):
        return NOT_APPLICABLE
    return advise_when(negate(v.journal.absent("coaching_info_given")))


# --- the joint choice ---


def by_the_plan_update(v: View, referral: Episode, certain: list[date], maybe: list[date], none: Truth) -> Answer:
    """Advised until the plan update of this referral; done later is remedied."""
    limit = referral.planned_on
    if limit is None:
        if certain:
            return SATISFIED
        return UNKNOWN if maybe or none is None else ADVISED
    if any(day <= limit for day in certain):
        return SATISFIED
    if any(day <= limit for day in maybe):
        return UNKNOWN
    if certain:
        return REMEDIED
    if maybe or none is None:
        return UNKNOWN
    return violated(limit) if v.today > limit else advised(limit)


def since_the_initiative(v: View, referral: Episode, type_: str) -> tuple[list[Entry], Truth]:
    """Entries since the initiative (or, without one, in the last 12 months), and what finding none means."""
    if referral.initiative is not None:
        since = referral.initiative.date
        return [e for e in v.journal.of(type_) if e.date >= since], v.journal.absent(type_, since=since)
    found = [e for e in v.journal.of(type_) if within_months_before(e.date, WITHOUT_INITIATIVE_MONTHS, v.today)]
    return found, v.journal.absent_within_months(WITHOUT_INITIATIVE_MONTHS, v.today, type_)


def is_current_referral(v: View, referral: Episode) -> bool:
    return v.referral_under_way and referral is v.charts.referrals[-1]


def selected_together(selection: Entry) -> Truth:
    roles = selection.get("participants")
    everyone = (
        "client" in roles
        and "social_worker" in roles
        and "employment_coach" in roles
        and ("activity_instructor" in roles or "activity_supervisor" in roles)
    )
    return all_of(everyone, selection.yes("client_agrees"))


@rule("selection-together", "referral")
def selection_together(v: View, referral: Episode) -> Answer:
    if not is_current_referral(v, referral):
        return NOT_APPLICABLE
    selections, none = since_the_initiative(v, referral, "selection_agreed")
    certain = [s.date for s in selections if selected_together(s) is True]
    maybe = [s.date for s in selections if selected_together(s) is None]
    return by_the_plan_update(v, referral, certain, maybe, none)


@rule("joint-meeting-at-planning", "referral")
def joint_meeting_at_planning(v: View, referral: Episode) -> Answer:
    if v.charts.stage != "plan_update" or not is_current_referral(v, referral):
        return NOT_APPLICABLE
    meetings, none = since_the_initiative(v, referral, "joint_meeting_held")
    return by_the_plan_update(v, referral, [m.date for m in meetings], [], none)


# --- consents ---


def not_expired(v: View, consent: Entry) -> bool:
    expires_on = consent.day("expires_on")
    return expires_on is None or expires_on >= v.today


def withdrawals(v: View, scope: str) -> list[Entry]:
    return [w for w in v.journal.of("consent_withdrawn") if w.get("scope") == scope]


def provider_consent(v: View, provider: str) -> Truth:
    """A provider consent in force naming that provider, voluntary yes, informed yes."""
    covering = [w for w in withdrawals(v, "provider") if w.get("parties") is None or provider in w.get("parties")]
    quality = []
    for consent in v.journal.of("consent_given"):
        if consent.get("scope") != "provider" or provider not in consent.get("parties"):
            continue
        if any(w.order > consent.order for w in covering) or not not_expired(v, consent):
            continue
        quality.append(all_of(consent.yes("voluntary"), consent.yes("informed")))
    if True in quality:
        return True
    if None in quality:
        return None
    return v.journal.absent("consent_given", since=covering[-1].date if covering else None)


def any_consent(v: View, scope: str) -> Truth:
    """Some consent of this scope in force: given, not withdrawn for all its parties, not expired."""
    for consent in v.journal.of("consent_given"):
        if consent.get("scope") != scope or not not_expired(v, consent):
            continue
        left = set(consent.get("parties"))
        for withdrawal in withdrawals(v, scope):
            if withdrawal.order > consent.order:
                gone = withdrawal.get("parties")
                left = set() if gone is None else left - set(gone)
        if left:
            return True
    for_all = [w for w in withdrawals(v, scope) if w.get("parties") is None]
    return v.journal.absent("consent_given", since=for_all[-1].date if for_all else None)


@rule("extra-consent-for-provider", "coaching")
def extra_consent_for_provider(v: View, coaching: Episode) -> Answer:
    if not coaching.running:
        return NOT_APPLICABLE
    kind = coaching.began().get("provider_kind")
    if kind is None:
        return UNKNOWN
    if kind != "private":
        return NOT_APPLICABLE
    consent = provider_consent(v, coaching.began().get("provider"))
    if consent is None:
        return UNKNOWN
    return SATISFIED if consent else VIOLATED


@rule("basic-consent-before-ktt", "activity")
def basic_consent_before_ktt(v: View, activity: Episode) -> Answer:
    if not v.activity_is_active(activity):
        return NOT_APPLICABLE
    return judge(True, any_consent(v, "basic"))
