"""`polku generate`: an invented caseload, from the command line."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from rules.entries import LOCAL_TIME
from tests.service.polku import data, page, process, refused


def test_a_caseload_is_written_and_told_of(tmp_path: Path) -> None:
    out = tmp_path / "cases.parquet"
    told = page("generate", "--cases", 40, "--seed", 3, "--out", out, "--as-of", "2026-11-18", "--faults", 0.5)
    assert told.startswith("40 journals with ")
    assert "as of 2026-11-18, seed 3" in told
    assert f"{out}.planted.jsonl" in told
    assert out.exists()


def test_the_same_words_give_the_same_caseload(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        out = tmp_path / f"{name}.jsonl"
        page("generate", "--cases", 12, "--seed", 3, "--out", out, "--as-of", "18.11.2026", "--processes", 1)
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_json_tells_what_was_made_and_the_date_is_today_if_none_is_given(tmp_path: Path) -> None:
    before = datetime.now(LOCAL_TIME).date()
    told = data("generate", "--cases", 9, "--out", tmp_path / "a.jsonl", "--faults", 1, "--entries", 30)
    assert told["cases"] == 9
    assert told["entries"] == 270
    assert told["seed"] == 1
    assert before <= date.fromisoformat(told["as_of"]) <= datetime.now(LOCAL_TIME).date()
    planted = Path(told["planted"]).read_text(encoding="utf-8").splitlines()
    assert len(planted) == told["labels"] >= told["faulted"] > 0
    assert {"case", "rule", "outcome", "subject_entry", "entry", "date", "set_aside", "fault", "how"} == set(
        json.loads(planted[0])
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--cases", 0), "--cases"),
        (("--cases", 5, "--faults", 1.5), "--faults"),
        (("--cases", 5, "--entries", 5), "--entries"),
        (("--cases", 5, "--as-of", "2020-01-01"), "expected a day from 2024-01-01"),
        (("--cases", 5, "--as-of", "tomorrow"), "expected a date"),
        (("--cases", 5, "--processes", 0), "--processes"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path: Path, words: tuple[object, ...], told: str) -> None:
    assert told in refused("generate", *words, "--out", tmp_path / "a.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    assert "expected a file *.parquet" in refused("generate", "--cases", 5, "--out", tmp_path / "a.xlsx")
    assert "nowhere" in refused("generate", "--cases", 5, "--out", tmp_path / "nowhere" / "a.jsonl")


def test_processes_of_its_own_draw_for_it(tmp_path: Path) -> None:
    out = tmp_path / "a.parquet"
    done = process("generate", "--cases", 3600, "--out", out, "--as-of", "2026-11-18", "--processes", 2)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"3,600 journals" in done.stdout
