"""Cases to keep, and how the tests of the store keep them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from service.audit.chain import digest_of
from service.store import Database, StoredCase, Unit

REGION = "paijat-hame"
ELSEWHERE = "kanta-hame"
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def entry(entry_id: str, **fields: Any) -> dict[str, Any]:
    """An entry as `case_to_data` writes it."""
    return {"date": "2026-11-02", "type": "coaching_info_given", "id": entry_id, **fields}


def open_case(
    unit: Unit,
    case_id: str = "sirpa",
    entries: Sequence[dict[str, Any]] = (),
    *,
    team: str | None = "team-1",
    organisation: str = "county",
    at: datetime = NOW,
) -> StoredCase:
    """Open a case with entries and their decision, as the recorder does."""
    case = unit.cases.add(case_id, {"id": case_id, "municipality": "Orimattila"}, team, organisation, at)
    unit.events.append(case, "opened", {"v": 1, "case": case_id}, at)
    unit.entries.append(case, 1, entries, at)
    decide(unit, case, 1, at=at)
    return case


def decide(
    unit: Unit, case: StoredCase, version: int, *, at: datetime = NOW, acknowledged: bool = False, note: str = ""
) -> str:
    """Append a decision for a version of the case; its id."""
    decision_id = secrets.token_hex(16)
    payload = {"v": 1, "id": decision_id, "case": case.id, "version": version, "note": note}
    unit.decisions.append(
        case, version, decision_id, payload, at, recorded_by="kaisa", status="determined", acknowledged=acknowledged
    )
    return decision_id


def faults(database: Database, region: str = REGION) -> list[str]:
    """What a look at every chain finds wrong: links out of order, hashes that do not follow, records that differ."""
    found = []
    with database.read(region) as unit:
        before = None
        for kept in unit.chains.records():
            link = kept.link
            first = before is None or before.chain != link.chain
            expected = (1, "0" * 64) if first or before is None else (before.seq + 1, before.hash)
            if (link.seq, link.prev) != expected:
                found.append(f"{link.chain} {link.seq} does not follow")
            if kept.payload is None or kept.salt is None:
                found.append(f"{link.chain} {link.seq} has no record")
            elif digest_of(kept.salt, kept.payload.encode()) != link.digest:
                found.append(f"{link.chain} {link.seq} has another record")
            before = link
    return found
