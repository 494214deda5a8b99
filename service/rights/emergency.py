"""Emergency access: someone without a relation opens a client's case, with a reason, flagged, for some hours.

The event in the case's chain is the record; the row the relation is read from is made of it. Who may take it says
`service.access.policy`. Every read under it is logged with the relation `emergency`.
"""

from __future__ import annotations

from datetime import datetime

from rules.entries import LOCAL_TIME
from service.access.policy import may_do, may_take_emergency_access
from service.access.principal import Principal
from service.access.relations import relation
from service.audit.chain import timestamp
from service.rights.errors import Gone, Needless, NotOpen
from service.rights.held import held_case
from service.rights.reasons import checked_reason
from service.rights.retention import Retention, retention
from service.store import EmergencyAccess, Unit

KIND = "emergency_access"


def take_emergency_access(
    unit: Unit, case_id: str, principal: Principal, reason: str, now: datetime, periods: Retention | None = None
) -> EmergencyAccess:
    """Open the case to the user, in the role acted in, for the hours of `retention.yaml`; `unit` must be for writing.

    Raises WrongReason; NotOpen when the role may not, or the user is a provider's; Needless when the case is open to
    the user without it; Gone when there is no such case, or it is restricted (GDPR 18): no emergency opens it then.
    """
    said = checked_reason(reason)
    if principal.organisation_kind == "provider" or not may_take_emergency_access(principal.role):
        raise NotOpen("emergency access is not open to this role")
    case = held_case(unit, case_id)
    if case.restricted:
        raise Gone("there is no such case")
    if not may_do(principal.role, relation(principal, unit.cases.ties(case), now), "take_emergency_access"):
        raise Needless("the case is open to this user without it")
    until = (periods or retention()).emergency_until(now, now.astimezone(LOCAL_TIME).date())
    payload = {
        "user": principal.user,
        "organisation": principal.organisation,
        "role": principal.role,
        "reason": said,
        "until": timestamp(until),
    }
    unit.events.append(case, KIND, payload, now)
    return unit.emergencies.grant(case_id, principal.user, principal.role, now, until)
