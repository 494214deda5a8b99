"""A caseload judged at once: facts written to a folder, one after another, then every rule for all of them.

For the checks of the service, which has the facts of clients in its database and keeps findings there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from rules.findings import SetAside
from rules.fold import Subject
from rules.pack import Pack
from service.checks.facts import FactsWriter
from service.checks.judging import judge

#: What DuckDB may take: several checks may run beside what a service does.
MEMORY, THREADS = "512MB", 1


class Caseload:
    """Clients to be judged on a day. The folder is the caseload's own and goes with it."""

    def __init__(self, folder: Path, pack: Pack, day: date) -> None:
        self._folder = folder
        self._pack = pack
        self._day = day
        self._facts = FactsWriter(folder / "part-0", pack)

    def add(
        self,
        case_id: str,
        version: int,
        folded_on: date,
        holds_until: date,
        subjects: tuple[Subject, ...],
        set_aside: Mapping[str, SetAside],
    ) -> None:
        """Add a client's facts, which must hold on the day. Raises KeyError for facts that lack one the pack reads."""
        head = (self._facts.cases, case_id, None, str(version), folded_on, holds_until)
        self._facts.put(head, subjects, set_aside)

    def findings(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What there is to do or to be found out, each with its client, as `rules.kept.finding_data` tells it and with
        its severity. To be asked once, after the last client."""
        if not self._facts.cases:
            return
        self._facts.close()
        out = self._folder / "findings.parquet"
        judge([self._facts.folder], self._pack, self._day, out, memory_limit=MEMORY, threads=THREADS)
        with pq.ParquetFile(out) as file:
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    yield row["case"], _in_codes(row)


def _in_codes(row: Mapping[str, Any]) -> dict[str, Any]:
    due = row["due"]
    return {
        "rule": row["rule"],
        # Only what is current is judged.
        "subject": {"kind": row["subject_kind"], "entry": row["subject_entry"], "current": True},
        "outcome": row["outcome"],
        "due": due.isoformat() if due is not None else None,
        "missing": row["missing"] or [],
        "judged_on": row["judged_on"].isoformat(),
        "set_aside": row["set_aside"],
        "action": row["action"],
        "role": row["role"],
        "step": row["is_step"],
        "severity": row["severity"],
    }
