"""Faults on the way into coaching: who is let in, the wish to work, the choice made together, consent."""

from __future__ import annotations

from service.generate.days import between, iso, pick
from service.generate.journal import Entry, Journal
from service.generate.planting import (
    ADVISED,
    UNKNOWN,
    VIOLATED,
    Edit,
    Planted,
    active,
    coaching_runs,
    out_of_sight,
    wish,
)

SCREENING = (
    "readiness", "substance_use", "symptoms", "cognition", "treatment_absence", "violence_history", "appearance",
)  # fmt: skip
_STOPS = ("coaching_declined", "coaching_ended", "coaching_interrupted")


def _stop(journal: Journal, types: tuple[str, ...], reasons: tuple[str, ...], rule: str) -> list[Planted] | None:
    stop = journal.last(*_STOPS)
    if stop is None or stop.type not in types or out_of_sight(journal):
        return None
    if stop.type == "coaching_declined" and stop.fields["reason"] in ("no_capacity", "client_choice"):
        return None  # another reason would also reopen the question of the wish to work
    stop.fields["reason"] = pick(journal.draw, reasons)
    return [Planted(rule, VIOLATED, stop, stop)]


def screened(journal: Journal) -> list[Planted] | None:
    """Coaching is refused, ended or interrupted for what the client is like."""
    return _stop(journal, _STOPS, SCREENING, "open-access-no-screening")


def timed_out(journal: Journal) -> list[Planted] | None:
    """Coaching is ended for a time limit or an absence."""
    return _stop(journal, ("coaching_ended",), ("time_limit", "no_show"), "no-time-limit-or-no-show-end")


def _queue(journal: Journal) -> Entry | None:
    latest = journal.last("coaching_declined", "coaching_started")
    if latest is None or latest.fields.get("reason") != "no_capacity" or out_of_sight(journal):
        return None
    return latest


def queue_undated(journal: Journal) -> list[Planted] | None:
    """Nobody says when the queue is looked at again."""
    decline = _queue(journal)
    if decline is None:
        return None
    del decline.fields["review_on"]
    return [Planted("queue-has-review-date", VIOLATED, None, decline), *(wish(journal) or ())]


def queue_forgotten(journal: Journal) -> list[Planted] | None:
    """The day to look at the queue again has passed."""
    decline = _queue(journal)
    if decline is None or decline.day >= journal.as_of:
        return None
    decline.fields["review_on"] = iso(between(journal.draw, decline.day, journal.as_of - 1))
    return [Planted("queue-has-review-date", VIOLATED, None, decline), *(wish(journal) or ())]


def _wish_now(journal: Journal, low: int, high: int) -> list[Planted] | None:
    """The latest answer becomes a yes, if it and the last service are from low to high days old."""
    latest = journal.last("interest_asked")
    if latest is None or latest.fields["wants_to_work"] == "yes" or out_of_sight(journal):
        return None
    if (
        coaching_runs(journal)
        or journal.last("coaching_declined")
        or journal.stage not in ("activity", "between_services")
    ):
        return None
    ended = journal.last("coaching_ended", "work_trial_ended", "job_ended")
    if not low <= journal.as_of - max(latest.day, ended.day if ended is not None else 0) <= high:
        return None
    latest.fields["wants_to_work"] = "yes"
    return wish(journal)


def wish_unanswered(journal: Journal) -> list[Planted] | None:
    """The client said yes over thirty days ago, and nothing came of it."""
    return _wish_now(journal, 31, 5000)


def wish_fresh(journal: Journal) -> list[Planted] | None:
    """The client said yes within these thirty days."""
    planted = _wish_now(journal, 0, 30)
    return planted[::-1] if planted is not None else None


def never_asked(journal: Journal) -> list[Planted] | None:
    """Nobody has asked about work."""
    if (
        not active(journal)
        or coaching_runs(journal)
        or journal.stage != "activity"
        or journal.last("coaching_declined")
    ):
        return None
    asked = [entry for entry in journal.entries if entry.type == "interest_asked"]
    voided = [entry for entry in journal.entries if entry.voids in asked and entry.type == "correction"]
    if not asked:
        return None
    journal.remove([*asked, *voided])
    return [Planted("ask-interest-in-work", ADVISED, journal.last("activity_started"))]


def asked_long_ago(journal: Journal) -> list[Planted] | None:
    """The last time anyone asked is over a year ago."""
    asked = journal.all("interest_asked")
    old = [entry for entry in asked if journal.as_of - entry.day > 366]
    if not active(journal) or journal.stage != "activity" or not old or journal.last("coaching_declined", "correction"):
        return None
    recent = [entry for entry in asked if entry not in old]
    if old[-1].fields["wants_to_work"] == "yes" or (recent and recent[-1].fields["wants_to_work"] == "yes"):
        return None
    journal.remove(recent)
    return [Planted("ask-interest-in-work", ADVISED, journal.last("activity_started"), old[-1])]


def never_told(journal: Journal) -> list[Planted] | None:
    """Nobody has told the client about coaching."""
    told = journal.all("coaching_info_given")
    if not active(journal) or not told or out_of_sight(journal):
        return None
    journal.remove(told)
    return [Planted("tell-all-ktt-clients", ADVISED, journal.last("activity_started"))]


def _planned_referral(journal: Journal) -> Entry | None:
    """The initiative of a referral whose plan is made and whose coaching has not begun."""
    plan = journal.last("activation_plan_updated")
    if journal.stage != "plan_update" or plan is None or "coaching" not in plan.fields or plan.day >= journal.as_of:
        return None  # on the day of the plan itself there is still time
    return journal.last("initiative_taken")


def _selection(change: Edit) -> Edit:
    def edit(journal: Journal) -> list[Planted] | None:
        return change(journal) if _planned_referral(journal) is not None else None

    return edit


def _selection_missing(journal: Journal) -> list[Planted] | None:
    journal.remove(journal.all("selection_agreed"))
    return [Planted("selection-together", VIOLATED, _planned_referral(journal))]


def _selection_without_someone(journal: Journal) -> list[Planted] | None:
    selection = journal.last("selection_agreed")
    if selection is None:
        return None
    selection.fields["participants"].remove(pick(journal.draw, selection.fields["participants"]))
    return [Planted("selection-together", VIOLATED, _planned_referral(journal), selection)]


def _selection_against_the_client(journal: Journal) -> list[Planted] | None:
    selection = journal.last("selection_agreed")
    if selection is None:
        return None
    selection.fields["client_agrees"] = "no"
    return [Planted("selection-together", VIOLATED, _planned_referral(journal), selection)]


def _selection_silent(journal: Journal) -> list[Planted] | None:
    selection = journal.last("selection_agreed")
    if selection is None:
        return None
    del selection.fields["client_agrees"]
    return [Planted("selection-together", UNKNOWN, _planned_referral(journal), selection)]


selection_missing = _selection(_selection_missing)
selection_without_someone = _selection(_selection_without_someone)
selection_against_the_client = _selection(_selection_against_the_client)
selection_silent = _selection(_selection_silent)


def no_joint_meeting(journal: Journal) -> list[Planted] | None:
    """The plan was made without a meeting of all."""
    initiative = _planned_referral(journal)
    meetings = journal.all("joint_meeting_held")
    if initiative is None or not meetings:
        return None
    journal.remove(meetings)
    return [Planted("joint-meeting-at-planning", VIOLATED, initiative)]


# ---- consent


def _private_coaching(journal: Journal) -> tuple[Entry, Entry] | None:
    """The private coaching that runs, and the consent for its provider."""
    start = journal.last("coaching_started")
    if start is None or not coaching_runs(journal) or start.fields["provider_kind"] != "private":
        return None
    given = [entry for entry in journal.all("consent_given") if entry.fields["scope"] == "provider"]
    return (start, given[-1]) if len(given) == 1 else None


def consent_missing(journal: Journal) -> list[Planted] | None:
    """No consent for the private provider."""
    found = _private_coaching(journal)
    if found is None:
        return None
    journal.remove([found[1]])
    return [Planted("extra-consent-for-provider", VIOLATED, found[0])]


def consent_withdrawn(journal: Journal) -> list[Planted] | None:
    """The consent was withdrawn while coaching runs."""
    found = _private_coaching(journal)
    if found is None:
        return None
    on = between(journal.draw, found[0].day, journal.as_of)
    entry = journal.add(
        on, "consent_withdrawn", "social_worker", scope="provider", parties=list(found[1].fields["parties"])
    )
    return [Planted("extra-consent-for-provider", VIOLATED, found[0], entry)]


def consent_expired(journal: Journal) -> list[Planted] | None:
    """The consent has run out."""
    found = _private_coaching(journal)
    if found is None or found[1].day >= journal.as_of:
        return None
    found[1].fields["expires_on"] = iso(between(journal.draw, found[1].day, journal.as_of - 1))
    return [Planted("extra-consent-for-provider", VIOLATED, found[0], found[1])]


def consent_uninformed(journal: Journal) -> list[Planted] | None:
    """The client consented without being told what it means, or not of their own will."""
    found = _private_coaching(journal)
    if found is None:
        return None
    found[1].fields[pick(journal.draw, ("informed", "voluntary"))] = "no"
    return [Planted("extra-consent-for-provider", VIOLATED, found[0], found[1])]


def consent_for_another(journal: Journal) -> list[Planted] | None:
    """The consent names another provider."""
    found = _private_coaching(journal)
    if found is None:
        return None
    found[1].fields["parties"] = ["provider-9"]
    return [Planted("extra-consent-for-provider", VIOLATED, found[0], found[1])]


def consent_silent(journal: Journal) -> list[Planted] | None:
    """Whether the client was told what consent means is not recorded."""
    found = _private_coaching(journal)
    if found is None:
        return None
    del found[1].fields["informed"]
    return [Planted("extra-consent-for-provider", UNKNOWN, found[0], found[1])]


def provider_kind_silent(journal: Journal) -> list[Planted] | None:
    """Whether the provider is a private one is not recorded, nor is there a consent."""
    found = _private_coaching(journal)
    if found is None:
        return None
    del found[0].fields["provider_kind"]
    journal.remove([found[1]])
    return [Planted("extra-consent-for-provider", UNKNOWN, found[0], found[0])]


def no_basic_consent(journal: Journal) -> list[Planted] | None:
    """No basic consent while the client is in activity."""
    given = [entry for entry in journal.all("consent_given") if entry.fields["scope"] == "basic"]
    if not active(journal) or not given or out_of_sight(journal):
        return None
    journal.remove(given)
    return [Planted("basic-consent-before-ktt", VIOLATED, journal.last("activity_started"))]


def basic_consent_withdrawn(journal: Journal) -> list[Planted] | None:
    """The basic consent was withdrawn."""
    start = journal.last("activity_started")
    if not active(journal) or start is None or out_of_sight(journal):
        return None
    on = between(journal.draw, start.day, journal.as_of)
    return [
        Planted(
            "basic-consent-before-ktt",
            VIOLATED,
            start,
            journal.add(on, "consent_withdrawn", "social_worker", scope="basic"),
        )
    ]
