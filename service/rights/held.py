"""A case held for writing, as every act of the client's rights begins."""

from __future__ import annotations

from service.rights.errors import Gone
from service.store import NoSuchCase, StoredCase, Unit


def held_case(unit: Unit, case_id: str) -> StoredCase:
    """The case, which no one else writes to until the transaction ends. Raises Gone when it was disposed of, or never
    there."""
    try:
        unit.chains.lock_case(case_id)
    except NoSuchCase:
        raise Gone("there is no such case") from None
    case = unit.cases.get(case_id)
    if case is None or case.disposed_at is not None:
        raise Gone("there is no such case")
    return case
