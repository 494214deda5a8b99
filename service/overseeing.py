"""What a team leader and an auditor look through: steps taken against a rule, emergency accesses, decisions of every
case (the newest first each), and whether a case's chain is whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from service.access.policy import sees
from service.access.principal import Principal
from service.audit.checkpoints import Checkpoint
from service.audit.verify import Coverage, verify
from service.reading import NotOpen, Reader, log, standing
from service.rights.emergency import KIND as EMERGENCY
from service.store import Database, StoredCase, StoredDecision, StoredEvent, Unit

VIEW = "acknowledgements"
#: Decisions read at a time.
_MANY = 500


@dataclass(frozen=True, slots=True)
class Item:
    """A step recorded against a rule, or an emergency access: when, of which case, and what the record says of it."""

    at: str
    case_id: str
    told: dict[str, Any]
    place: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The item for programs."""
        return {"at": self.at, "case": self.case_id, **self.told}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: in the decisions (time, id) and in the events (time, chain, seq); empty where none was."""

    KINDS: ClassVar[tuple[type, ...]] = (str, str, str, str, int)

    decision: tuple[str, str] | None = None
    event: tuple[str, str, int] | None = None

    @classmethod
    def of(cls, key: tuple[Any, ...] | None) -> Place:
        """The place in a cursor."""
        if key is None:
            return cls()
        at, decision, moment, chain, seq = key
        return cls((at, decision) if at else None, (moment, chain, seq) if moment else None)

    @property
    def key(self) -> tuple[str | int, ...]:
        """The place for a cursor."""
        return (*(self.decision or ("", "")), *(self.event or ("", "", 0)))


def acknowledgements(
    database: Database, now: datetime, who: Reader, place: Place, limit: int
) -> tuple[list[Item], Place | None]:
    """A page of the list open to the reader, and where the next begins (None: nowhere). The log names every client.

    A leader's list is the team's; an auditor's is everybody's. Of cases that have left the team, or are restricted to
    others, nothing is shown. Raises NotOpen for a role that has no such list, StoreUnavailable.
    """
    principal = who.principal
    may, team = _list_of(principal)
    with database.write(principal.region) as unit:
        if may:
            steps = unit.decisions.acknowledged(team=team, before=place.decision, limit=limit + 1)
            accesses = unit.events.of_kind(EMERGENCY, team=team, before=place.event, limit=limit + 1)
            found = sorted((*map(_step, steps), *map(_access, accesses)), key=lambda item: item.at, reverse=True)
            page = found[:limit]
            stands = {case_id: _stands(unit, principal, case_id, now) for case_id in {item.case_id for item in page}}
            shown = [item for item in page if sees(principal.role, stands[item.case_id]).opens(VIEW)]
            log(unit, who, VIEW, {item.case_id: stands[item.case_id] for item in shown}, now)
        else:
            log(unit, who, VIEW, {}, now, refused=True)
    if not may:
        raise NotOpen(VIEW)
    return shown, _after(page, place) if len(found) > limit else None


def newest_decisions(
    database: Database,
    now: datetime,
    who: Reader,
    *,
    undetermined: bool,
    before: tuple[str, str] | None,
    limit: int,
) -> tuple[list[StoredDecision], tuple[str, str] | None]:
    """A page of the decisions of every case, for whoever sees those of all; with `undetermined`, only those that could
    not be judged. Where the next page begins (None: nowhere). The log names every client.

    Raises NotOpen for a role that has no such list, StoreUnavailable.
    """
    may = sees(who.principal.role, "none").opens("decision_records")
    with database.write(who.principal.region) as unit:
        found = unit.decisions.newest(undetermined=undetermined, before=before, limit=limit + 1) if may else []
        page = found[:limit]
        log(unit, who, "decisions of all", {item.case_id: "none" for item in page}, now, refused=not may)
    if not may:
        raise NotOpen("decision_records")
    last = page[-1] if len(found) > limit else None
    return page, None if last is None else (last.recorded_at, last.id)


def decisions_of(unit: Unit, case_id: str) -> Iterator[StoredDecision]:
    """Every decision of a case, the oldest first."""
    after = 0
    while rows := unit.decisions.of(case_id, after=after, limit=_MANY):
        yield from rows
        after = rows[-1].version


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """A look over the chain of one case: how many links, what is wrong; up to which link the newest checkpoint holds it
    (None: there is none, or the chain is not in it), and whether it agrees."""

    links: int
    faults: tuple[str, ...]
    fault_count: int
    held_to: int | None
    agrees: bool

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault_count == 0 and self.agrees


def look_over_chain(unit: Unit, case: StoredCase, checkpoint: Checkpoint | None, now: datetime) -> ChainSeen:
    """Look over every link and record of a case's chain, and compare it with the newest checkpoint. Raises
    CheckpointError for one that can no longer be read."""
    found = verify(unit.chains.records(case.chain), Coverage(), now)
    hashes = {link.seq: link.hash for link in unit.chains.links(case.chain)}
    heads = checkpoint.heads() if checkpoint is not None else iter(())
    held = next((head for head in heads if head.chain == case.chain), None)
    agrees = held is None or hashes.get(held.seq) == held.hash
    faults = tuple(str(fault) for fault in found.faults)
    return ChainSeen(found.links, faults, found.fault_count, None if held is None else held.seq, agrees)


def _list_of(principal: Principal) -> tuple[bool, tuple[str, str] | None]:
    """Whether the user has such a list, and whose it is: a team's, or (None) everybody's."""
    if sees(principal.role, "none").opens(VIEW):
        return True, None
    if principal.team is None or not sees(principal.role, "team").opens(VIEW):
        return False, None
    return True, (principal.organisation, principal.team)


def _stands(unit: Unit, principal: Principal, case_id: str, now: datetime) -> str:
    return standing(unit, principal, unit.cases.get(case_id), now)


def _step(decision: StoredDecision) -> Item:
    record = json.loads(decision.payload)
    told = {
        "kind": "acknowledged",
        "decision": decision.id,
        "version": decision.version,
        "by": record["recorded_by"],
        "rules": record["acknowledged"]["rules"],
        "reason": record["acknowledged"]["reason"],
    }
    return Item(decision.recorded_at, decision.case_id, told, (decision.recorded_at, decision.id))


def _access(event: StoredEvent) -> Item:
    payload = json.loads(event.payload)
    by = {name: payload[name] for name in ("user", "organisation", "role")}
    told = {"kind": EMERGENCY, "by": by, "reason": payload["reason"], "until": payload["until"]}
    return Item(event.at, str(event.case_id), told, (event.at, event.chain, str(event.seq)))


def _after(page: Iterable[Item], place: Place) -> Place:
    decision, event = place.decision, place.event
    for item in page:
        if item.told["kind"] == EMERGENCY:
            at, chain, seq = item.place
            event = at, chain, int(seq)
        else:
            at, decision_id = item.place
            decision = at, decision_id
    return Place(decision, event)
