"""Findings made by hand, as the columnar engine writes them, and the cases that were checked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

AS_OF = date(2022, 9, 5)
FINDINGS = pa.schema(
    [
        ("case", pa.string()),
        ("municipality", pa.string()),
        ("rule", pa.string()),
        ("subject_kind", pa.string()),
        ("subject_entry", pa.string()),
        ("outcome", pa.string()),
        ("severity", pa.string()),
        ("due", pa.date32()),
        ("missing", pa.list_(pa.string())),
        ("judged_on", pa.date32()),
        ("action", pa.string()),
        ("role", pa.string()),
        ("set_aside", pa.string()),
        ("is_step", pa.bool_()),
        ("pack", pa.string()),
        ("pack_version", pa.string()),
        ("as_of", pa.date32()),
    ]
)


def finding(
    case: str = "a", rule: str = "ts-records-coaching", outcome: str = "violated", **given: Any
) -> dict[str, Any]:
    """A finding: someone's next step when it is open, unless told otherwise."""
    return {
        "case": case,
        "municipality": "Lahti",
        "rule": rule,
        "subject_kind": "coaching",
        "subject_entry": "e5",
        "outcome": outcome,
        "severity": "obligation",
        "due": None,
        "missing": [],
        "judged_on": AS_OF,
        "action": "update_implementation_plan",
        "role": "activity_instructor",
        "set_aside": None,
        "is_step": outcome in ("violated", "advised"),
        "pack": "paijat-hame",
        "pack_version": "1.0.0",
        "as_of": AS_OF,
        **given,
    }


def findings(path: Path, *rows: dict[str, Any], as_of: date = AS_OF) -> Path:
    """A file of findings."""
    marks = {"as_of": as_of.isoformat(), "pack_sha256": "0" * 64, "fold_version": "1", "program": "polku"}
    pq.write_table(pa.Table.from_pylist(list(rows), FINDINGS.with_metadata(marks)), path)
    return path


def part(folder: Path, *cases: str) -> Path:
    """A part of facts, of which nothing but the cases matters here."""
    folder.mkdir()
    numbers = pa.array(range(len(cases)), pa.int64())
    names = pa.array(cases, pa.string()).dictionary_encode()
    pq.write_table(pa.table({"case_no": numbers, "case": names}), folder / "case.parquet")
    return folder


def rows_of(path: Path) -> list[dict[str, Any]]:
    """What a Parquet file holds."""
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def lines_of(path: Path) -> list[dict[str, Any]]:
    """What a file of JSON Lines holds."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def keys(rows: Iterable[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """What each finding is known by."""
    return {(row["case"], row["rule"], row["subject_kind"], row["subject_entry"]) for row in rows}
