"""What the product makes of a generated journal, and what its labels say of it. Only tests bring the two together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

from rules.assessment import Assessor
from rules.engines.reference import ReferenceEngine
from rules.journal import Case, case_from_data
from rules.pack import load_pack
from service.generate.journal import Journal

#: Case, rule, subject, outcome, the entry that set it aside.
Row = tuple[str, str, str | None, str, str | None]
#: Outcomes of which a caseload has those planted and no other. Advice is open in every tidy case too.
EXACT = ("violated", "unknown", "remedied")


@cache
def assessor() -> Assessor:
    """The pack, judged by one engine: that the engines agree is shown elsewhere."""
    return Assessor(load_pack(), engine=ReferenceEngine)


def case_of(journal: Journal) -> Case:
    """The journal as Polku reads it."""
    return case_from_data({"case": journal.header(), "entries": list(journal.rows())})


def found(journal: Journal, as_of: date, *, history: bool = False) -> set[Row]:
    """The findings of SPEC §4.1 on the day, those that are in order left out."""
    _, findings = assessor().findings(case_of(journal), as_of, history=history)
    return {
        (
            journal.case,
            finding.rule.id,
            finding.subject.entry,
            finding.outcome,
            finding.set_aside.entry if finding.set_aside is not None else None,
        )
        for finding in findings
        if not finding.rule.id.startswith("next-") and finding.outcome != "satisfied"
    }


def labelled(labels: Iterable[dict[str, Any]]) -> set[Row]:
    """The labels in the same shape."""
    names = ("case", "rule", "subject_entry", "outcome", "set_aside")
    return {tuple(label[name] for name in names) for label in labels}  # type: ignore[misc]


def exact(rows: Iterable[Row]) -> set[Row]:
    """Those of which nothing may be found that was not planted."""
    return {row for row in rows if row[3] in EXACT}


def differences(planted: set[Row], seen: set[Row]) -> set[Row]:
    """What was planted and not found, and what was found and not planted."""
    return (planted - seen) | (exact(seen) - planted)
