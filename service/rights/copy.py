"""A copy of all data about a client, for handing to the client: one JSON document, explained in three languages.

It is whole or it is not made: whoever may not see all of it may not make it (docs/rights.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from rules.entries import LOCAL_TIME
from rules.pack import Pack
from service.audit.chain import timestamp
from service.rights.errors import Gone
from service.rights.retention import Period, Retention
from service.rights.words import texts, words_for
from service.store import StoredCase, StoredRead, Unit

FORMAT = "polku-client-copy"
_PAGE = 500


def client_copy(
    unit: Unit, case_id: str, pack: Pack, now: datetime, periods: Retention, *, all_reads: bool = False
) -> dict[str, Any]:
    """Everything kept about a client; with `all_reads`, also who read it longer ago than clients are told as a rule.

    The caller has seen to it that the reader may see all, and has logged the reading. Raises Gone.
    """
    case = unit.cases.get(case_id)
    if case is None or case.header is None:
        raise Gone("there is no such case")
    today = now.astimezone(LOCAL_TIME).date()
    decisions = list(_decisions(unit, case_id))
    entries = _entries(unit, case_id, decisions)
    return {
        "format": FORMAT,
        "v": 1,
        "made_at": timestamp(now),
        "about": texts()["about"],
        "your_rights": texts()["your_rights"],
        "case": {**case.header, "organisation": case.organisation, "team": case.team, "created_at": case.created_at},
        "identity": unit.identities.get(case_id),
        "restricted": case.restricted,
        "entries": entries,
        "decisions": decisions,
        "events": [
            {"at": event.at, "kind": event.kind, **json.loads(event.payload)} for event in unit.events.of(case_id)
        ],
        "checks": [
            {"check": finding.check_id, **json.loads(finding.payload)} for finding in unit.checks.findings_of(case_id)
        ],
        "reads": _reads(unit, case_id, today, periods, all_reads),
        "kept": _kept(case, today, periods),
        "words": words_for(entries, decisions, pack),
    }


def log_copy(unit: Unit, case_id: str, user: str, now: datetime, reason: str | None) -> None:
    """Put on record that `user`, on the service's own machine, copied a client's data; `reason` is that for telling of
    old reads too. Raises Gone."""
    case = unit.cases.get(case_id)
    if case is None:
        raise Gone("there is no such case")
    payload = {
        "v": 1,
        "user": user,
        "organisation": case.organisation,
        "role": "administrator",
        "program": False,
        "purpose": "client_request",
        "what": "copy" if reason is None else "copy with all reads",
        "cases": {case_id: "none"},
        "refused": False,
    }
    unit.reads.append(user, [case_id], payload if reason is None else payload | {"reason": reason}, now)


def _decisions(unit: Unit, case_id: str) -> Iterator[dict[str, Any]]:
    after = 0
    while page := unit.decisions.of(case_id, after=after, limit=_PAGE):
        for decision in page:
            yield json.loads(decision.payload)
        after = page[-1].version


def _entries(unit: Unit, case_id: str, decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries with who recorded each; that stands in the decision record of their version."""
    by_version = {decision["version"]: decision for decision in decisions}
    found = []
    for entry in unit.cases.journal(case_id):
        decision = by_version[entry.version]
        found.append({**json.loads(entry.payload), "recorded_by": decision["recorded_by"], "decision": decision["id"]})
    return found


def _reads(unit: Unit, case_id: str, today: date, periods: Retention, everything: bool) -> dict[str, Any]:
    """Who read the data, oldest first, and since when the list tells."""
    since = periods.reads_told_from(today)
    moment = timestamp(datetime.combine(since, time.min, LOCAL_TIME))
    told, older = [], 0
    after = None
    while page := unit.reads.of(case_id, after=after, limit=_PAGE):
        for read in page:
            if everything or read.at >= moment:
                told.append(_read(case_id, read))
            else:
                older += 1
        after = page[-1].chain, page[-1].seq
    told.sort(key=lambda read: str(read["at"]))
    return {"since": None if everything else since.isoformat(), "older_not_told": older, "log": told}


def _read(case_id: str, read: StoredRead) -> dict[str, Any]:
    """What a client is told of one read: of a list or a caseload check, nothing about the others in it."""
    payload = json.loads(read.payload)
    names = ("user", "organisation", "role", "program", "purpose", "what", "refused")
    return {"at": read.at, **{name: payload[name] for name in names}, "relation": payload["cases"].get(case_id)}


def _kept(case: StoredCase, today: date, periods: Retention) -> dict[str, Any]:
    """How long the data are kept, and on what ground."""
    until = None if case.closed_on is None else periods.kept_until(date.fromisoformat(case.closed_on), today)
    return {
        "closed_on": case.closed_on,
        "kept_until": None if until is None else until.isoformat(),
        "after_closing": _told(periods.periods["case_after_closing"], today),
        "log_of_reads": _told(periods.periods["read_log"], today),
    }


def _told(period: Period, today: date) -> dict[str, Any]:
    value = period.on(today)
    return {"number": value.number, "unit": period.unit, "source": [dict(source) for source in value.source]}
