"""Facts on disk say what the fold says, for as long as it is true, and nothing else."""

import stat
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from rules.assessment import Assessor
from rules.engines.columns import NEVER, tables
from rules.entries import FIRST_YEAR, LAST_YEAR
from rules.findings import standing
from rules.fold import fold
from rules.journal import Case, case_from_data
from rules.pack import Pack, pack_from_content
from service.checks.errors import CheckError
from service.checks.facts import MOST_SUBJECTS, UNFINISHED, CaseFolder, FactsWriter
from tests.helpers import SEEDS, pack
from tests.service.checks.caseloads import DAY, document, documents, entry


def written(folder: Path, cases: list[Case], day: date = DAY, by: Pack | None = None) -> Path:
    writer = FactsWriter(folder, by or pack())
    fold_one = CaseFolder(by or pack(), day)
    for number, case in enumerate(cases):
        writer.add(number, case, f"v{number}", *fold_one.fold(case))
    writer.close()
    return folder


def rows(part: Path, table: str) -> list[dict[str, Any]]:
    return pq.read_table(part / f"{table}.parquet").to_pylist()


def test_every_cell_is_what_the_fold_gave(tmp_path: Path) -> None:
    cases = [case_from_data(item) for item in documents(120)]
    part = written(tmp_path / "part-1", cases)
    told = {kind: iter(rows(part, kind)) for kind in tables(pack())}
    seen = dict.fromkeys(told, 0)
    for number, case in enumerate(cases):
        for at, subject in enumerate(fold(Assessor(pack()).history(case, DAY), DAY).subjects):
            if subject.kind not in told:
                continue
            row = next(told[subject.kind])
            seen[subject.kind] += 1
            assert row["case_no"] == number
            if subject.kind == "case":
                assert (row["case"], row["municipality"]) == (case.id, case.municipality)
            else:
                assert (row["subject_no"], row["entry"], row["ended"]) == (at, subject.entry, subject.ended)
            for column in tables(pack())[subject.kind]:
                assert row[column.name] == column.cell(subject.facts[column.fact]), column.fact
    assert all(next(rest, None) is None for rest in told.values())
    assert min(seen.values()) > 5, "every kind of subject was there"


def test_what_is_written_in_many_batches_reads_as_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case_from_data(item) for item in documents(40)]
    whole = written(tmp_path / "whole", cases)
    monkeypatch.setattr("service.checks.facts.WAITING", 7)
    in_batches = written(tmp_path / "batches", cases)
    for file in whole.iterdir():
        assert pq.read_table(file).equals(pq.read_table(in_batches / file.name)), file.name


def test_facts_of_no_case_are_tables_without_rows(tmp_path: Path) -> None:
    part = written(tmp_path / "part-1", [])
    assert {file.stem for file in part.iterdir()} == {*tables(pack()), "set_aside"}
    assert all(pq.read_table(file).num_rows == 0 for file in part.iterdir())


def test_only_their_owner_can_read_the_files(tmp_path: Path) -> None:
    part = written(tmp_path / "part-1", [case_from_data(document())])
    assert stat.S_IMODE(part.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in part.iterdir()} == {0o600}


def test_no_note_and_no_writer_of_an_entry_is_in_the_facts(tmp_path: Path) -> None:
    secret = "Sirpa Virtanen told it"
    case = document("case-1", entry(note=secret, by="job_coach", recorded_at="2024-01-11T10:00"))
    part = written(tmp_path / "part-1", [case_from_data(case)])
    told = str([rows(part, file.stem) for file in part.iterdir()])
    assert "Sirpa" not in told
    assert "2024-01-11" not in told


def test_a_part_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("service.checks.facts.pq.write_table", full)
    with pytest.raises(OSError, match="No space"):
        written(tmp_path / "part-1", [case_from_data(document())])
    assert [*tmp_path.iterdir()] == []


def test_what_a_killed_run_left_of_a_part_is_written_over(tmp_path: Path) -> None:
    left = tmp_path / f"part-1{UNFINISHED}"
    left.mkdir()
    (left / "case.parquet").write_text("half")
    part = written(tmp_path / "part-1", [case_from_data(document())])
    assert len(rows(part, "case")) == 1
    assert not left.exists()


def test_a_case_that_cannot_be_added_leaves_the_others_whole(tmp_path: Path) -> None:
    writer = FactsWriter(tmp_path / "part-1", pack())
    case = case_from_data(document())
    facts = CaseFolder(pack(), DAY).fold(case)
    writer.add(0, case, "1", *facts)
    subjects = facts.folded.subjects
    subjects[0].facts.pop("case.stage")
    with pytest.raises(KeyError):
        writer.put((1, "lacks", None, "1", DAY, DAY), subjects, {})
    with pytest.raises(CheckError, match="more than 32,767 episodes"):
        writer.put((2, "many", None, "1", DAY, DAY), subjects * (MOST_SUBJECTS + 1), {})
    writer.close()
    assert [row["case"] for row in rows(tmp_path / "part-1", "case")] == ["case-1"]


# ---- how long facts hold


@settings(max_examples=40)
@given(SEEDS)
def test_facts_are_the_same_on_every_day_they_are_said_to_hold(seed: int) -> None:
    case = case_from_data(documents(1, seed)[0])
    for day in (date(2021, 5, 31), date(2023, 6, 30), DAY):
        first = CaseFolder(pack(), day).fold(case)
        assert first.holds_until >= day
        last = min(first.holds_until, date(LAST_YEAR, 12, 31))
        for other in {last, day + (last - day) / 2}:
            then = CaseFolder(pack(), other).fold(case)
            assert [(s.kind, s.entry, s.ended, s.facts) for s in then.folded.subjects if s.current] == [
                (s.kind, s.entry, s.ended, s.facts) for s in first.folded.subjects if s.current
            ]
            read = Assessor(pack()).history(case, other)
            assert standing(read, other) == {
                rule: choice
                for rule, choice in first.set_aside.items()
                if choice.until is None or choice.until >= other
            }


def test_facts_hold_until_the_day_before_the_next_entry_dated_ahead(tmp_path: Path) -> None:
    ahead = [entry("2024-01-10"), entry("2024-09-02"), entry("2024-06-03")]
    part = written(tmp_path / "part-1", [case_from_data(document("case-1", *ahead))])
    assert rows(part, "case")[0]["holds_until"] == date(2024, 6, 2)
    part = written(tmp_path / "part-2", [case_from_data(document("case-1", *ahead))], date(2024, 6, 3))
    assert rows(part, "case")[0]["holds_until"] == date(2024, 9, 1)


def test_facts_hold_no_longer_than_the_parameters_they_were_folded_by() -> None:
    content = pack().content
    changed = {**content, "pack": dict(content["pack"])}
    parameters = changed["pack"]["parameters"] = {**changed["pack"]["parameters"]}
    name = "plan.lookback_months"
    first = parameters[name]["values"][0]
    later = {**first, "from": date(2025, 2, 1), "value": first["value"] + 1}
    parameters[name] = {**parameters[name], "values": [first, later]}
    case = case_from_data(document())
    by = pack_from_content(changed)
    assert CaseFolder(by, DAY).fold(case).holds_until == date(2025, 1, 31)
    assert CaseFolder(by, date(2025, 2, 1)).fold(case).holds_until > date(2025, 2, 1)


@pytest.mark.parametrize("year", [FIRST_YEAR - 1, LAST_YEAR + 1])
def test_a_day_no_journal_reaches_is_refused(year: int) -> None:
    with pytest.raises(ValueError, match="years 1900"):
        CaseFolder(pack(), date(year, 6, 1))


def test_of_choices_to_set_advice_aside_the_latest_for_each_rule_is_kept(tmp_path: Path) -> None:
    rules = [rule.id for rule in pack().editions[0].rules[:2]]
    choices = [
        entry("2024-01-02", "advice_set_aside", id="a", rule=rules[0], reason="client_wish"),
        entry("2024-01-03", "advice_set_aside", id="b", rule=rules[0], reason="client_wish", until="2024-02-01"),
        entry("2024-01-04", "advice_set_aside", id="c", rule=rules[1], reason="client_wish"),
        entry("2024-05-01", "advice_set_aside", id="d", rule=rules[1], reason="client_wish"),
    ]
    part = written(tmp_path / "part-1", [case_from_data(document("case-1", *choices))])
    assert [(row["rule"], row["entry"], row["until"]) for row in rows(part, "set_aside")] == [
        (rules[0], "b", date(2024, 2, 1)),  # over on the day, and yet it took the place of the first
        (rules[1], "c", NEVER),
    ]
    assert rows(part, "case")[0]["holds_until"] == date(2024, 4, 30)
