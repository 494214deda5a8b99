"""Journals judged both ways: interactively, one by one, and as facts on disk by the columnar engine in DuckDB.

A finding is compared with every field. The columnar engine is given what a nightly run gives it: facts folded on an
earlier date as long as they hold, and those of the other cases folded anew.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from rules.assessment import Assessor
from rules.findings import Finding
from rules.journal import Case
from service.checks.facts import CaseFolder, FactsWriter
from service.checks.judging import ALL, judge
from tests.helpers import assessor, pack

#: case, rule, subject's kind and entry, outcome, severity, due, missing, judged_on, action, role, set_aside, is_step
Row = tuple[object, ...]
FIELDS = (
    "case", "rule", "subject_kind", "subject_entry", "outcome", "severity", "due", "missing", "judged_on", "action",
    "role", "set_aside", "is_step",
)  # fmt: skip
_COLUMNS = ", ".join("array_to_string(missing, ' ')" if name == "missing" else f'"{name}"' for name in FIELDS)


def row_of(case: Case, item: Finding) -> Row:
    """A finding as both engines' findings are compared."""
    subject, rule = item.subject, item.rule
    about = (case.id, rule.id, subject.kind, subject.entry, item.outcome, rule.severity)
    put_aside = item.set_aside and item.set_aside.entry
    what = (item.due, " ".join(sorted(item.missing)), item.judged_on, item.action, rule.role, put_aside)
    return (*about, *what, item.gives_step)


def interactive(cases: Iterable[Case], as_of: date, assess: Assessor | None = None) -> set[Row]:
    """What is found of each case, one by one: by durable-rules with the reference beside it, or as `assess` does."""
    assess = assess or assessor()
    return {row_of(case, item) for case in cases for item in assess.findings(case, as_of)[1]}


def by_case(rows: Iterable[Row]) -> Mapping[object, set[Row]]:
    """Rows by the case they are about."""
    found: dict[object, set[Row]] = defaultdict(set)
    for row in rows:
        found[row[0]].add(row)
    return found


def differences(expected: set[Row], found: set[Row]) -> list[str]:
    """What two judgements see differently, a line a finding."""
    lines = [("interactive", row) for row in expected - found] + [("columnar", row) for row in found - expected]
    return [f"{name:>11}: {_told(row)}" for name, row in sorted(lines, key=lambda line: (str(line[1]), line[0]))]


def _told(row: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(FIELDS[1:], row[1:], strict=True) if value is not None)


class Facts:
    """The facts of some cases on disk, folded anew where they no longer hold. Used with `with`; dates never go back."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = cases
        self._folder = tempfile.TemporaryDirectory(prefix="polku-agreement-")
        self._parts: list[Path] = []
        self._dropped: list[int] = []
        #: By case: the number its facts stand under, and how long they hold.
        self._kept: dict[int, tuple[int, date]] = {}
        self._numbers = 0
        #: How many facts were folded, and how many held when asked for again.
        self.folded = self.held = 0

    def __enter__(self) -> Facts:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def judged(self, as_of: date) -> set[Row]:
        """Every finding of every case on a date, as the columnar engine sees it."""
        self._fold(as_of)
        folder = Path(self._folder.name)
        dropped = folder / "dropped.parquet"
        pq.write_table(pa.table({"case_no": pa.array(self._dropped, pa.int64())}), dropped)
        out = folder / "findings.parquet"
        judged = judge(self._parts, pack(), as_of, out, outcomes=ALL, dropped=dropped)
        with duckdb.connect() as connection:
            source = f"read_parquet('{out}')"
            rows = connection.execute(f"SELECT {_COLUMNS} FROM {source}").fetchall()
            heads = connection.execute(f"SELECT DISTINCT pack, pack_version, as_of FROM {source}").fetchall()
        assert len(rows) == judged.findings == sum(judged.counts.values())
        assert judged.cases == len(self._cases)
        assert heads == [(pack().id, pack().version, as_of)]
        found = set(rows)
        assert len(found) == len(rows), "a finding stands there twice"
        return found

    def _fold(self, as_of: date) -> None:
        stale = [place for place in range(len(self._cases)) if not self._holds(place, as_of)]
        self.held += len(self._cases) - len(stale)
        self.folded += len(stale)
        self._dropped += [self._kept[place][0] for place in stale if place in self._kept]
        folder = CaseFolder(pack(), as_of)
        writer = FactsWriter(Path(self._folder.name) / f"part-{len(self._parts)}", pack())
        for place in stale:
            case, number = self._cases[place], self._numbers
            facts = folder.fold(case)
            writer.add(number, case, "1", facts.folded, facts.set_aside, facts.holds_until)
            self._kept[place] = (number, facts.holds_until)
            self._numbers += 1
        writer.close()
        self._parts.append(writer.folder)

    def _holds(self, place: int, as_of: date) -> bool:
        return place in self._kept and self._kept[place][1] >= as_of
