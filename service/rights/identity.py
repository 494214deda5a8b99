"""Who a client is: kept apart from the journal, changed in place. That it changed, and by whom, stays on record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from service.access.policy import may_do
from service.access.principal import Principal
from service.access.relations import relation
from service.rights.errors import NotOpen
from service.rights.held import held_case
from service.store import Unit

KIND = "identity_changed"


def change_identity(unit: Unit, case_id: str, principal: Principal, data: Mapping[str, str], now: datetime) -> bool:
    """Keep `data` (name, phone…) in place of what was kept; whether it differs. `unit` must be for writing.

    The event in the chain names the fields that changed, never what they hold. Who may says recording.yaml of
    `service.access`. Raises NotOpen and Gone.
    """
    case = held_case(unit, case_id)
    standing = relation(principal, unit.cases.ties(case), now)
    if not may_do(principal.role, standing, "change_identity"):
        raise NotOpen("this role does not change who the client is")
    before = unit.identities.get(case_id) or {}
    changed = sorted(name for name in before.keys() | data.keys() if before.get(name) != data.get(name))
    if not changed:
        return False
    payload = {
        "user": principal.user,
        "organisation": principal.organisation,
        "role": principal.role,
        "relation": standing,
        "fields": changed,
    }
    unit.events.append(case, KIND, payload, now)
    unit.identities.put(case_id, data)
    return True
