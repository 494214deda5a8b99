"""Caseloads on disk: the same journals in every form, whole or not at all, and what `polku check` finds in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from rules.entries import LOCAL_TIME
from rules.journal import case_from_data, load_case
from rules.pack import load_pack
from service.checks.journals import SCHEMA, write_journals_parquet
from service.checks.running import Asked, run
from service.generate import writing
from service.generate.drawing import Drawing, Wanted
from service.generate.writing import GenerateError, Made, generate, labels_of
from service.words import Words
from tests.service.generate.judging import Row, differences, labelled
from tests.service.polku import ROOT

DAY = date(2026, 11, 18)
WANTED = Wanted(seed=21, as_of=DAY, faults=0.3)


def labels(made: Made) -> list[dict[str, Any]]:
    """What was planted, from the file beside the caseload."""
    return [json.loads(line) for line in made.planted.read_text(encoding="utf-8").splitlines()]


def checked(source: Path, folder: Path, day: date, processes: int = 1) -> set[Row]:
    """What `polku check` finds of SPEC §4.1."""
    out = folder / "findings.parquet"
    asked = Asked(str(source), day, out=out, processes=processes)
    done = run(asked, load_pack(), Words("en"), datetime.now(LOCAL_TIME), lambda stage, at, total: None)
    assert not done.refused
    names = ("case", "rule", "subject_entry", "outcome", "set_aside")
    rows = pq.read_table(out, columns=list(names)).to_pylist()
    return {tuple(row[name] for name in names) for row in rows if not row["rule"].startswith("next-")}  # type: ignore[misc]


def unremedied(rows: set[Row]) -> set[Row]:
    """What a file of findings has: those done late are no longer open."""
    return {row for row in rows if row[3] != "remedied"}


def everything_found(folder: Path, cases: int, day: date, processes: int = 1) -> int:
    """Check that what is planted is found and nothing else; how much was planted."""
    made = generate(Wanted(7, day, 0.3), cases, folder / f"{day}.parquet", processes=processes)
    planted = labelled(labels(made))
    assert len(planted) == made.labels
    assert differences(unremedied(planted), checked(made.out, folder, day, processes)) == set()
    return made.labels


def test_a_check_of_3000_journals_finds_every_planted_fault_and_no_other(tmp_path: Path) -> None:
    assert everything_found(tmp_path, 3_000, DAY) > 900


@pytest.mark.soak
@pytest.mark.parametrize("day", [DAY, date(2024, 9, 15), date(2025, 5, 31)], ids=str)
def test_a_check_of_100000_journals_finds_every_planted_fault_and_no_other(tmp_path: Path, day: date) -> None:
    assert everything_found(tmp_path, 100_000, day, processes=2) > 30_000


def test_every_form_holds_the_same_cases(tmp_path: Path) -> None:
    made = [generate(WANTED, 60, tmp_path / name) for name in ("a.parquet", "b.jsonl", "c")]
    lines = [json.loads(line) for line in made[1].out.read_text(encoding="utf-8").splitlines()]
    from_lines = {line["case"]["id"]: case_from_data(line) for line in lines}
    from_files = {path.stem: load_case(path.read_bytes(), name=path.name) for path in made[2].out.iterdir()}
    assert from_files == from_lines
    assert len(from_lines) == 60
    write_journals_parquet(lines, tmp_path / "again.parquet")
    assert pq.read_table(made[0].out).to_pylist() == pq.read_table(tmp_path / "again.parquet").to_pylist()
    assert pq.read_schema(made[0].out).equals(SCHEMA)
    assert len({item.planted.read_bytes() for item in made}) == 1
    assert {(item.entries, item.faulted, item.labels) for item in made} == {
        (sum(len(line["entries"]) for line in lines), made[0].faulted, made[0].labels)
    }


def test_every_form_is_checked_alike(tmp_path: Path) -> None:
    seen = []
    for name in ("a.parquet", "b.jsonl", "c"):
        made = generate(WANTED, 60, tmp_path / name)
        seen.append(checked(made.out, tmp_path, DAY))
        assert differences(unremedied(labelled(labels(made))), seen[-1]) == set()
    assert seen[0] == seen[1] == seen[2]


def test_any_number_of_processes_writes_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "AT_A_TIME", 40)
    told: list[tuple[int, int]] = []
    made = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        done = generate(
            WANTED, 130, folder / "a.parquet", processes=processes, on_progress=lambda at, of: told.append((at, of))
        )
        made.append((done.out.read_bytes(), done.planted.read_bytes()))
    assert made[0] == made[1]
    assert told == [(40, 130), (80, 130), (120, 130), (130, 130)] * 2


def test_fewer_cases_are_the_first_of_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "AT_A_TIME", 25)
    few = generate(WANTED, 30, tmp_path / "few.jsonl")
    many = generate(WANTED, 80, tmp_path / "many.jsonl")
    assert many.out.read_bytes().startswith(few.out.read_bytes())
    assert many.planted.read_bytes().startswith(few.planted.read_bytes())


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a"])
def test_a_run_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(writing, "AT_A_TIME", 10)
    draw = Drawing.case

    def failing(self: Drawing, index: int) -> Any:
        if index == 25:
            raise KeyboardInterrupt
        return draw(self, index)

    monkeypatch.setattr(Drawing, "case", failing)
    with pytest.raises(KeyboardInterrupt):
        generate(WANTED, 40, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_leaves_what_was_there_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = generate(WANTED, 5, tmp_path / "a.jsonl")
    before = made.out.read_bytes(), made.planted.read_bytes()
    monkeypatch.setattr(Drawing, "case", lambda self, index: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        generate(WANTED, 9, made.out)
    assert (made.out.read_bytes(), made.planted.read_bytes()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a.jsonl.planted.jsonl"]


def test_what_cannot_be_written_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder.parquet").mkdir()
    for out, told in (
        (folder, "is there already"),
        (tmp_path / "file", "is there already"),
        (tmp_path / "folder.parquet", "is a folder"),
        (tmp_path / "a.csv", r"expected a file \*.parquet or \*.jsonl, or a folder"),
    ):
        with pytest.raises(GenerateError, match=told):
            generate(WANTED, 5, out)
    with pytest.raises(GenerateError, match=r"a folder of 50,001 files would help nobody"):
        generate(WANTED, 50_001, tmp_path / "many")
    assert (folder / "mine.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.parquet", "full"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    out = tmp_path / "new"
    out.mkdir()
    generate(WANTED, 7, out)
    assert len(list(out.iterdir())) == 7
    assert labels_of(out).exists()


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    made = generate(WANTED, 3, tmp_path / "a.parquet")
    assert {os.stat(path).st_mode & 0o077 for path in (made.out, made.planted)} == {0}


def test_the_generator_runs_without_the_rules() -> None:
    code = (
        "import sys, service.generate.writing;"
        "print([name for name in sys.modules if name.split('.')[0] in ('rules', 'statemachines')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
