"""Restriction (GDPR 18): while it lasts, few reach the case and it is not disposed of (docs/rights.md)."""

from __future__ import annotations

from datetime import datetime

from service.access.policy import may_do
from service.access.principal import Principal
from service.access.relations import relation
from service.rights.errors import Needless, NotOpen
from service.rights.held import held_case
from service.rights.reasons import checked_reason
from service.store import Unit

KIND = "restriction"


def restrict(unit: Unit, case_id: str, principal: Principal, restricted: bool, reason: str, now: datetime) -> None:
    """Restrict the case, or lift the restriction; `unit` must be for writing. The event in the chain tells who and why.

    Who may says recording.yaml of `service.access`; those who may are those who still reach a restricted case.
    Raises WrongReason; NotOpen when the user's role and relation do not allow it; Needless when it is so already; Gone.
    """
    said = checked_reason(reason)
    case = held_case(unit, case_id)
    standing = relation(principal, unit.cases.ties(case), now)
    if not may_do(principal.role, standing, "restrict"):
        raise NotOpen("the client's own social worker or their team's leader restricts a case")
    if case.restricted == restricted:
        raise Needless("it is restricted already" if restricted else "it is not restricted")
    payload = {
        "user": principal.user,
        "organisation": principal.organisation,
        "role": principal.role,
        "relation": standing,
        "restricted": restricted,
        "reason": said,
    }
    unit.events.append(case, KIND, payload, now)
    unit.cases.set_restricted(case_id, restricted)
