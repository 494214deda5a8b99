"""Whether what a database holds is whole, and is what the clients were told: read off the tables, not asked of the
service."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from service.audit.chain import timestamp
from service.audit.export import Origin, export_to
from service.audit.verify import Coverage, verify
from service.store import Database, StoredDecision, Unit
from tests.faults.ledger import Ledger
from tests.faults.server import REGION, ROOT


def faults_in(
    database: Database, cases: list[str], ledger: Ledger | None = None, export: Path | None = None
) -> list[str]:
    """All that is wrong, in words: with the cases' versions, entries, decisions and links, with the chains, and (with a
    ledger) with what was acknowledged. With `export`, the standalone verifier is asked as well."""
    with database.read(REGION) as unit:
        found = [told for case in cases for told in _in_case(unit, case)]
        marks = Counter(mark for case in cases for mark in _marks(unit, case))
        if ledger is not None:
            found += [*ledger.faults, *_told_and_kept(unit, ledger, marks)]
        verified = verify(unit.chains.records(), Coverage(), datetime.now(UTC))
        found += [str(fault) for fault in verified.faults]
        found += [str(fault) for fault in unit.agreement.faults()]
        if verified.gone:
            found.append(f"{verified.gone} records are missing from the chains")
    if export is not None:
        found += _standalone(database, export)
    return found


def _in_case(unit: Unit, case_id: str) -> Iterator[str]:
    case = unit.cases.get(case_id)
    if case is None:
        yield f"{case_id}: gone"
        return
    decisions = list(_decisions(unit, case_id))
    versions = [decision.version for decision in decisions]
    if versions != list(range(1, case.version + 1)):
        yield f"{case_id}: is at version {case.version} and has the decisions {_gaps(versions)}"
    journal = unit.cases.journal(case_id)
    if [entry.position for entry in journal] != list(range(len(journal))):
        yield f"{case_id}: its entries are not numbered without gaps"
    by_version: dict[int, list[str]] = {}
    for entry in journal:
        by_version.setdefault(entry.version, []).append(entry.entry_id)
    for decision in decisions:
        named = json.loads(decision.payload)["entries"]
        if named != by_version.pop(decision.version, []):
            yield f"{case_id}: the decision of version {decision.version} names {len(named)} entries, others are kept"
    if by_version:
        yield f"{case_id}: entries without a decision, of the versions {sorted(by_version)}"
    links = Counter(link.kind for link in unit.chains.links(case.chain))
    if (links["entry"], links["decision"]) != (len(journal), len(decisions)):
        yield f"{case_id}: {links} links for {len(journal)} entries and {len(decisions)} decisions"


def _decisions(unit: Unit, case_id: str) -> Iterator[StoredDecision]:
    after = 0
    while page := unit.decisions.of(case_id, after=after, limit=500):
        yield from page
        after = page[-1].version


def _gaps(versions: list[int]) -> str:
    missing = sorted(set(range(1, max(versions, default=0) + 1)) - set(versions))
    return f"1–{max(versions, default=0)} without {missing}"


def _marks(unit: Unit, case_id: str) -> Iterator[str]:
    for entry in unit.cases.journal(case_id):
        note = json.loads(entry.payload).get("note")
        if note is not None:
            yield note


def _told_and_kept(unit: Unit, ledger: Ledger, marks: Counter[str]) -> Iterator[str]:
    bases: Counter[tuple[str, int]] = Counter()
    for item in ledger.acknowledged:
        bases[item.case, item.base] += 1
        for mark in item.marks:
            if marks[mark] != 1:
                yield f"{item.case}: an acknowledged entry is there {marks[mark]} times"
        decision = unit.decisions.get(item.decision)
        if decision is None or (decision.case_id, decision.version) != (item.case, item.version):
            yield f"{item.case}: the decision told of version {item.version} is not there, or of another"
        elif len(json.loads(decision.payload)["entries"]) != len(item.marks):
            yield f"{item.case}: the decision of version {item.version} is of other entries"
    for (case, base), times in bases.items():
        if times > 1:
            yield f"{case}: {times} recordings were acknowledged on version {base}"
    known = {mark for item in ledger.acknowledged for mark in item.marks}
    kept_unasked = set(marks) - known - set(ledger.unknown)
    if kept_unasked:
        yield f"{len(kept_unasked)} entries are kept that nobody was told of"
    if any(times > 1 for times in marks.values()):
        yield "an entry is kept twice"
    refused = sum(marks[mark] for mark in ledger.refused)
    if refused:
        yield f"{refused} entries are kept that were refused"


def _standalone(database: Database, path: Path) -> Iterator[str]:
    """What the verifier says that shares no code with the service."""
    with database.read(REGION) as unit:
        origin = Origin(REGION, timestamp(datetime.now(UTC)), "faults")
        export_to(path, origin, unit.chains.records(), unit.agreement.faults())
    command = [sys.executable, str(ROOT / "scripts" / "verify_export.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield f"the standalone verifier says {done.returncode}: {done.stdout[-500:]} {done.stderr[-500:]}"
