"""Caseloads for the tests of what reads and folds them, and a look at the facts they become."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rules.engines.columns import tables
from rules.journal import Case, case_from_data, case_to_data
from service.checks.facts import CaseFolder, FactsWriter
from service.checks.journals import write_journals_parquet
from service.checks.sources import Gathered, gather
from tests.helpers import pack
from tests.oracle.generate import random_case

DAY = date(2024, 3, 15)
Document = dict[str, Any]


def document(case_id: str = "case-1", *entries: Document, **header: Any) -> Document:
    """A case document of these entries, or of one."""
    return {"case": {"id": case_id, **header}, "entries": [*entries] or [entry()]}


def entry(day: str = "2024-01-10", kind: str = "coaching_info_given", **fields: Any) -> Document:
    """An entry."""
    return {"date": day, "type": kind, **fields}


def documents(how_many: int, seed: int = 1) -> list[Document]:
    """Random journals, of ids of their own."""
    rng = random.Random(seed)
    found = []
    for number in range(how_many):
        case = case_from_data(random_case(rng))
        found.append(case_to_data(case.model_copy(update={"id": f"case-{number:05d}"})))
    return found


def as_lines(cases: Iterable[Document], path: Path) -> Path:
    """Write JSON Lines."""
    path.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    return path


def as_files(cases: Iterable[Document], folder: Path) -> Path:
    """Write a file a case, in two folders."""
    for number, case in enumerate(cases):
        target = folder / f"team-{number % 2}"
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{number:05d}.json").write_text(json.dumps(case), encoding="utf-8")
    return folder


def as_rows(cases: Iterable[Document], path: Path) -> Path:
    """Write Parquet."""
    write_journals_parquet(cases, path)
    return path


def by_groups(cases: list[Document], path: Path, ends: list[int]) -> Path:
    """Journals in row groups that end with these rows; the last ends with the file."""
    rows = table(cases)
    with pq.ParquetWriter(path, rows.schema) as writer:
        for start, end in pairwise([0, *ends, rows.num_rows]):
            writer.write_table(rows.slice(start, end - start), row_group_size=max(end - start, 1))
    return path


def ends_of(cases: Sequence[Document], *numbers: int) -> list[int]:
    """The rows that so many of the cases take."""
    return [sum(max(len(case["entries"]), 1) for case in cases[:number]) for number in numbers]


#: Every form a caseload has in files.
FORMS: dict[str, Callable[[Iterable[Document], Path], Path]] = {
    "files": lambda cases, folder: as_files(cases, folder / "cases"),
    "lines": lambda cases, folder: as_lines(cases, folder / "cases.jsonl"),
    "rows": lambda cases, folder: as_rows(cases, folder / "cases.parquet"),
}


def gathered(source: Path | str, work: Path, day: date = DAY, **asked: Any) -> Gathered:
    """The facts of a source; what is made lies in a new folder of `work`."""
    here = work / f"work-{len([*work.glob('work-*')])}"
    here.mkdir(parents=True)
    return gather(str(source), pack(), day, work=here, **asked)


def facts_of(found: Gathered) -> dict[str, dict[str, list[Any]]]:
    """The facts that count: by case what each table says of it, without its number."""
    dropped = set(pq.read_table(found.dropped).column("case_no").to_pylist()) if found.dropped else set()
    told: dict[str, dict[str, list[Any]]] = {}
    for part in found.parts:
        ids = {}
        for row in pq.read_table(part / "case.parquet").to_pylist():
            if row["case_no"] not in dropped:
                assert row["case"] not in told
                ids[row["case_no"]] = row["case"]
                told[row["case"]] = {}
        for file in sorted(part.glob("*.parquet")):
            for row in pq.read_table(file).to_pylist():
                case = ids.get(row.pop("case_no"))
                if case is not None:
                    row.pop("version", None)
                    told[case].setdefault(file.stem, []).append(row)
    return told


def refused(found: Gathered) -> dict[str, str]:
    """What was refused: by the end of its place, why."""
    assert found.refused_cases == len(found.refused)
    return {item.place.rsplit("/", 1)[-1]: item.message for item in found.refused}


def expected(cases: Iterable[Document], work: Path, day: date = DAY) -> dict[str, dict[str, list[Any]]]:
    """What the facts of these cases must be: each folded by itself."""
    writer = FactsWriter(work / f"expected-{len([*work.glob('expected-*')])}", pack())
    folder = CaseFolder(pack(), day)
    for number, item in enumerate(cases):
        case: Case = case_from_data(item)
        writer.add(number, case, "", *folder.fold(case))
    writer.close()
    return facts_of(Gathered([writer.folder]))


def columns_of(kind: str) -> list[str]:
    """The columns of facts of a kind."""
    return [column.name for column in tables(pack())[kind]]


def table(cases: list[Document]) -> Any:
    """Journals as an Arrow table, to be spoiled."""
    from service.checks.journals import journals_batch

    return pa.Table.from_batches([journals_batch(cases)])
