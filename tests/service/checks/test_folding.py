"""Folding in processes: the same facts however many share the work, and an end in words whatever happens to one."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from rules.entry_reader import EntryReader
from rules.journal import case_from_data, case_to_data
from service.checks import folding, reading
from service.checks.errors import CheckError
from service.checks.folding import Folding, Task
from service.checks.kept import opened
from service.checks.reading import LineBatch
from tests.helpers import pack
from tests.service.checks.caseloads import DAY, FORMS, Document, as_lines, documents, expected, facts_of, gathered
from tests.service.polku import ROOT

#: A run that is to be interrupted: it keeps what it folds, some cases at a time, and tells who works for it.
RUN = """
import multiprocessing, sys, time
from datetime import date
from pathlib import Path
from service.checks import folding, reading
folding.PART, reading.LINES = 40, 20
if __name__ == "__main__":
    from rules.pack import load_pack
    from service.checks.sources import gather
    source, work, keep = sys.argv[1:]
    def told(done, total):
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        time.sleep(0.05)
    gather(source, load_pack(), date({day:%Y, %-m, %-d}), work=Path(work), keep=Path(keep), on_progress=told)
    print("done", flush=True)
"""


def many(how_many: int) -> list[Document]:
    """Journals, of which some dozens differ."""
    found = documents(40)
    return [{**found[n % 40], "case": {**found[n % 40]["case"], "id": f"case-{n:05d}"}} for n in range(how_many)]


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few the cases are, they are sent to processes, in small batches."""
    monkeypatch.setattr(folding, "FEW", 1)
    monkeypatch.setattr(reading, "LINES", 20)


@pytest.mark.usefixtures("in_processes")
def test_processes_make_the_facts_one_would_make(tmp_path: Path) -> None:
    cases = many(180)
    cases[70] = {"case": {"id": "case-00070"}, "entries": [{"date": "2024-01-01", "type": "nonsense"}]}
    folder = tmp_path / "all"
    folder.mkdir()
    for number, write in enumerate(FORMS.values()):
        write(cases[number::3], folder)
    found = gathered(folder, tmp_path, processes=2)
    assert (found.folded, found.refused_cases) == (179, 1)
    assert facts_of(found) == expected([case for n, case in enumerate(cases) if n != 70], tmp_path)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("in_processes")
def test_a_process_that_is_killed_ends_the_run_with_an_error(tmp_path: Path) -> None:
    def kill(done: int, total: int | None) -> None:
        if done:
            multiprocessing.active_children()[0].kill()

    with pytest.raises(CheckError, match="ended before its time \\(signal 9\\)"):
        gathered(as_lines(many(200), tmp_path / "cases.jsonl"), tmp_path, on_progress=kill)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("in_processes")
def test_a_process_that_ends_while_it_starts_ends_the_run_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "_work", os._exit)  # given a connection, it raises at once
    with pytest.raises(CheckError, match="ended before its time \\(exit code 1\\)"):
        gathered(as_lines(many(200), tmp_path / "cases.jsonl"), tmp_path)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("in_processes")
def test_ctrl_c_ends_every_process(tmp_path: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gathered(as_lines(many(200), tmp_path / "cases.jsonl"), tmp_path, on_progress=interrupt)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("in_processes")
def test_facts_that_a_process_cannot_write_end_the_run_with_an_error(tmp_path: Path) -> None:
    def remove(done: int, total: int | None) -> None:
        if done:
            shutil.rmtree(tmp_path / "work-0", ignore_errors=True)

    with pytest.raises((CheckError, FileNotFoundError), match="No such file or directory"):
        gathered(as_lines(many(60), tmp_path / "cases.jsonl"), tmp_path, on_progress=remove)


def test_what_was_folded_before_a_kill_is_not_folded_again(tmp_path: Path) -> None:
    cases = many(600)
    source = as_lines(cases, tmp_path / "cases.jsonl")
    (tmp_path / "work").mkdir()
    script = tmp_path / "run.py"
    script.write_text(RUN.replace("{day:%Y, %-m, %-d}", f"{DAY.year}, {DAY.month}, {DAY.day}"))
    words = [sys.executable, str(script), str(source), str(tmp_path / "work"), str(tmp_path / "keep")]
    run = subprocess.Popen(words, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE)
    assert run.stdout is not None
    workers: set[int] = set()
    manifest = tmp_path / "keep" / "facts" / "manifest.json"
    for line in run.stdout:
        assert b"done" not in line, "it was not killed in time"
        workers |= {int(pid) for pid in line.split()}
        if workers and manifest.exists() and b"part-" in manifest.read_bytes():
            break
    run.kill()
    run.wait()
    run.stdout.close()
    assert _within(20, lambda: not any(map(_lives, workers))), "a process outlived the one it works for"
    with opened(tmp_path / "keep", pack()) as kept:
        assert kept.parts
        there = {found.name for found in kept.folder.glob("part-*")}
        assert there == {part.name for part in kept.parts}, "half a part was left"
    found = gathered(source, tmp_path, keep=tmp_path / "keep")
    assert found.reused >= 40
    assert (found.cases, found.refused) == (600, [])
    assert facts_of(found) == expected(cases, tmp_path)


def _lives(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def _within(seconds: float, happened: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


# ---- one process


def batch(cases: list[Document]) -> LineBatch:
    lines = [(f"cases.jsonl:{n + 1}", json.dumps(case).encode()) for n, case in enumerate(cases)]
    return LineBatch(len(lines), range(len(lines)), lines)


def test_a_part_is_ended_when_it_is_large_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "PART", 10)
    one = Folding(Task(pack(), DAY, tmp_path), 3)
    done = one.take(batch(many(25)))
    assert [part.name for part in done.parts] == ["part-0-3-0", "part-0-3-1"]
    assert [part.name for part in one.close()] == ["part-0-3-2"]
    assert one.close() == []


def test_a_fault_while_a_case_is_folded_is_told_without_its_details(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Folding(Task(pack(), DAY, tmp_path), 0)
    whole = one._folder.fold

    def fold(case: object) -> object:
        if getattr(case, "id", "") == "case-00001":
            raise KeyError("Sirpa Virtanen")
        return whole(case)  # type: ignore[arg-type]

    monkeypatch.setattr(one._folder, "fold", fold)
    done = one.take(batch(many(3)))
    assert done.folded == 2
    (refused,) = done.refused
    assert refused.place == "cases.jsonl:2"
    assert refused.message.startswith("could not be folded: a fault of Polku's own (KeyError at test_folding.py:")
    assert "Sirpa" not in refused.message


def test_of_many_mistakes_of_a_case_the_first_are_told(tmp_path: Path) -> None:
    bad = {"case": {"id": "a"}, "entries": [{"date": "x"}] * 30}
    (refused,) = Folding(Task(pack(), DAY, tmp_path), 0).take(batch([bad])).refused
    assert refused.message.endswith("and 50 more mistakes")


def test_the_cases_of_a_batch_are_those_a_reader_of_journals_reads(tmp_path: Path) -> None:

    cases = many(50)
    read = [item.read() for item in batch(cases).items(EntryReader())]
    assert [case_to_data(case) for case in read] == [case_to_data(case_from_data(case)) for case in cases]


def test_a_signal_is_left_as_it_was_for_whoever_asks(tmp_path: Path, in_processes: None) -> None:
    before = signal.getsignal(signal.SIGINT), signal.pthread_sigmask(signal.SIG_BLOCK, set())
    gathered(as_lines(many(5), tmp_path / "cases.jsonl"), tmp_path, processes=1)
    assert (signal.getsignal(signal.SIGINT), signal.pthread_sigmask(signal.SIG_BLOCK, set())) == before
