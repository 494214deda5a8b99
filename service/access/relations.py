"""How a user stands to a case: assigned, same team, provider with consent in force, emergency, or none.

`relation` answers for one user and one moment; `ties` reads off a journal who works with the client and which parties
hold a provider consent, each with the days on which that is so (the store keeps these, so that lists need no journal).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from rules.calendar import ONE_DAY
from rules.entries import LOCAL_TIME
from rules.fold import visible_entries
from rules.fold.record import field
from rules.journal import Case, Entry
from service.access.principal import Principal

#: Deny by default: `none` is what remains.
RELATIONS = ("assigned", "team", "provider", "emergency", "none")

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker named for the client in a role, from a day to a day (None: no end is recorded), both counted."""

    worker: str
    role: str
    organisation: str | None
    from_day: date
    until_day: date | None
    #: The team of the worker's account, filled in by whoever knows the accounts.
    team: str | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """A party the client's provider consent names, from a day to a day (None: no end is recorded), both counted."""

    party: str
    from_day: date
    until_day: date | None


@dataclass(frozen=True, slots=True)
class Emergency:
    """Emergency access a user took in a role, with a reason on record; over at `until`, an aware time."""

    user: str
    role: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Ties:
    """What ties people to one case: whose case it is, its workers and parties, emergency access taken."""

    organisation: str | None = None
    team: str | None = None
    restricted: bool = False
    workers: tuple[Worker, ...] = ()
    parties: tuple[Party, ...] = ()
    emergencies: tuple[Emergency, ...] = ()


def local_day(now: datetime) -> date:
    """The day in Finland at an aware time."""
    if now.tzinfo is None:
        raise ValueError("the time needs its offset from UTC")
    return now.astimezone(LOCAL_TIME).date()


def relation(principal: Principal, ties: Ties, now: datetime) -> str:
    """How the user, in the role acted in, stands to the case at an aware time: one of RELATIONS.

    A provider's user is never more than `provider`, and that only while a consent names the organisation; an auditor or
    administrator stands in no relation to anyone. Emergency access is taken to see more than a colleague of the team
    does, so it comes first. A restricted case (GDPR 18) is open to its own social worker and the team's leader alone.
    """
    found = _relation(principal, ties, now)
    if ties.restricted and (principal.role, found) not in (("social_worker", "assigned"), ("team_leader", "team")):
        return "none"
    return found


def _relation(principal: Principal, ties: Ties, now: datetime) -> str:
    day = local_day(now)
    if principal.journal_role is None:
        return "none"
    if principal.organisation_kind == "provider":
        consented = any(party.party == principal.organisation and _holds(party, day) for party in ties.parties)
        return "provider" if consented else "none"
    here = [worker for worker in ties.workers if _holds(worker, day)]
    if any(_is(worker, principal) for worker in here):
        return "assigned"
    taken = (grant for grant in ties.emergencies if grant.user == principal.user and grant.role == principal.role)
    if any(now < grant.until for grant in taken):
        return "emergency"
    return "team" if principal.team is not None and _same_team(principal, ties, here) else "none"


def _holds(span: Worker | Party, day: date) -> bool:
    return span.from_day <= day and (span.until_day is None or day <= span.until_day)


def _is(worker: Worker, principal: Principal) -> bool:
    """Whether the worker on record is this user in this role; someone who has changed organisation is not."""
    own = worker.organisation is None or worker.organisation == principal.organisation
    return own and worker.worker == principal.user and worker.role == principal.role


def _same_team(principal: Principal, ties: Ties, workers: Iterable[Worker]) -> bool:
    team = (principal.organisation, principal.team)
    # Teams are named within an organisation; two organisations may both have a "team 1".
    return team == (ties.organisation, ties.team) or any(team == (w.organisation, w.team) for w in workers)


# --- what a journal says ---

_WORKERS = ("worker_assigned", "worker_released")
_CONSENTS = ("consent_given", "consent_withdrawn")


def ties(case: Case) -> tuple[tuple[Worker, ...], tuple[Party, ...]]:
    """The workers and the provider-consent parties of a journal, each with the days on which the journal says so.

    A release counts to the end of its day; a withdrawn consent no longer holds on the day of the withdrawal. Entries
    dated ahead and corrections count from their day on, as in any evaluation.
    """
    own = case.with_entries(e for e in case.entries if e.type in (*_WORKERS, *_CONSENTS, "correction"))
    days = sorted({day for entry in own.entries for day in _turns(entry)})
    workers = _spans(own, days, _workers_on)
    parties = _spans(own, days, _parties_on)
    return (
        tuple(Worker(worker, role, organisation, *span) for (worker, role, organisation), span in workers),
        tuple(Party(party, *span) for party, span in parties),
    )


def _turns(entry: Entry) -> Iterable[date]:
    """The days on which an entry may change who is tied to the case."""
    yield entry.date
    if entry.type == "worker_released" and entry.date < date.max:
        yield entry.date + ONE_DAY
    expires: date | None = field(entry, "expires_on")
    if expires is not None and expires < date.max:
        yield expires + ONE_DAY


def _spans(
    case: Case, days: list[date], on: Callable[[list[Entry], date], set[Key]]
) -> list[tuple[Key, tuple[date, date | None]]]:
    """For each key the unbroken spans of days on which it is there; it changes on `days` alone."""
    since: dict[Key, date] = {}
    found: list[tuple[Key, tuple[date, date | None]]] = []
    for day in days:
        there = on(visible_entries(case, day), day)
        found += [(key, (since.pop(key), day - ONE_DAY)) for key in list(since) if key not in there]
        for key in there:
            since.setdefault(key, day)
    found += [(key, (start, None)) for key, start in since.items()]
    return sorted(found, key=lambda item: (item[1][0], str(item[0])))


def _workers_on(entries: list[Entry], day: date) -> set[tuple[str, str, str | None]]:
    here: dict[tuple[str, str], str | None] = {}
    leaving: set[tuple[str, str, str | None]] = set()
    for entry in entries:
        if entry.type not in _WORKERS:
            continue
        key = (field(entry, "worker"), field(entry, "role"))
        if entry.type == "worker_assigned":
            here[key] = field(entry, "organisation")
        elif key in here:
            organisation = here.pop(key)
            if entry.date == day:
                leaving.add((*key, organisation))
    return leaving | {(*key, organisation) for key, organisation in here.items()}


def _parties_on(entries: list[Entry], day: date) -> set[str]:
    there: set[str] = set()
    standing: list[tuple[date | None, set[str]]] = []
    for entry in entries:
        if entry.type not in _CONSENTS or field(entry, "scope") != "provider":
            continue
        parties: tuple[str, ...] | None = field(entry, "parties")
        if entry.type == "consent_given":
            # What was not given freely or knowingly is no consent; a detail left out is not read as no.
            if "no" not in (field(entry, "voluntary"), field(entry, "informed")):
                standing.append((field(entry, "expires_on"), set(parties or ())))
        else:
            for _, named in standing:
                named -= named if parties is None else set(parties)
    for expires, named in standing:
        if expires is None or day <= expires:
            there |= named
    return there
