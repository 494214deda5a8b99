"""Kept facts: what is unchanged is not folded again, what is changed, gone, expired or damaged never counts."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from rules.pack import pack_from_content
from service.checks import folding, kept
from service.checks.errors import CheckError
from service.checks.kept import Kept, opened
from service.checks.sources import Gathered, gather
from service.store import Database
from tests.helpers import pack
from tests.service.checks.caseloads import (
    DAY,
    FORMS,
    Document,
    as_files,
    as_lines,
    as_rows,
    by_groups,
    document,
    documents,
    ends_of,
    entry,
    expected,
    facts_of,
    gathered,
)
from tests.service.postgresql import Urls
from tests.service.store.keeping import NOW, REGION, open_case

Check = Callable[..., Gathered]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Checks a source with kept facts."""

    def run(source: Path | str, day: date = DAY, **asked: Any) -> Gathered:
        return gathered(source, tmp_path, day, keep=tmp_path / "keep", **asked)

    return run


def numbers(found: Gathered) -> tuple[int, int]:
    return found.folded, found.reused


@pytest.mark.parametrize("form", FORMS)
def test_an_unchanged_caseload_is_not_folded_again(form: str, check: Check, tmp_path: Path) -> None:
    cases = documents(40)
    source = FORMS[form](cases, tmp_path)
    assert numbers(check(source)) == (40, 0)
    again = check(source)
    assert numbers(again) == (0, 40)
    assert facts_of(again) == expected(cases, tmp_path)


def test_only_what_changed_is_folded_again(check: Check, tmp_path: Path) -> None:
    cases = documents(30)
    as_files(cases, tmp_path / "cases")
    check(tmp_path / "cases")
    cases[3] = document("case-00003")
    cases[7] = document("case-new")
    del cases[20]
    shutil.rmtree(tmp_path / "cases")
    as_files(cases, tmp_path / "cases")  # every file behind the one that is gone has another name
    found = check(tmp_path / "cases")
    assert numbers(found) == (2, 27)
    assert facts_of(found) == expected(cases, tmp_path)


def test_a_line_that_moved_is_the_same_journal(check: Check, tmp_path: Path) -> None:
    cases = documents(20)
    check(as_lines(cases, tmp_path / "cases.jsonl"))
    cases.insert(0, document("case-first"))
    found = check(as_lines(cases, tmp_path / "cases.jsonl"))
    assert numbers(found) == (1, 20)
    assert facts_of(found) == expected(cases, tmp_path)


def test_of_a_table_that_changed_every_case_is_folded_again(check: Check, tmp_path: Path) -> None:
    cases = documents(20)
    check(as_rows(cases, tmp_path / "cases.parquet"))
    cases[11] = document("case-00011")
    found = check(as_rows(cases, tmp_path / "cases.parquet"))
    assert numbers(found) == (20, 0)
    assert facts_of(found) == expected(cases, tmp_path)


@pytest.mark.parametrize("within", [0, 1])
def test_of_a_table_only_the_cases_are_folded_whose_facts_no_longer_hold(
    check: Check, tmp_path: Path, within: int
) -> None:
    ahead = [document(f"ahead-{n}", entry(), entry("2024-05-01")) for n in range(7)]
    steady = [document(f"steady-{n}") for n in range(5)]
    # Row groups of which all cases are wanted, none, some, and some without groups of their own.
    cases = [*ahead[:3], *steady, *ahead[3:5], *documents(60), *ahead[5:]]
    ends = ends_of(cases, 3, 8, 30)
    source = by_groups(cases, tmp_path / "cases.parquet", [*ends[:2], ends[2] - within])
    check(source)
    later = date(2024, 5, 1)
    found = check(source, later)
    assert 7 <= found.folded < 60
    assert found.cases == len(cases)
    told, wanted = facts_of(found), expected(cases, tmp_path, later)
    assert _without_day(told) == _without_day(wanted)


def _without_day(told: dict[str, dict[str, list[Any]]]) -> dict[str, Any]:
    """Facts without the days they were made on and hold until: those of kept facts are others."""
    left = ("folded_on", "holds_until")
    return {
        case: {kind: [{k: v for k, v in row.items() if k not in left} for row in rows] for kind, rows in kinds.items()}
        for case, kinds in told.items()
    }


def test_facts_folded_for_a_later_day_do_not_count_on_an_earlier_one(check: Check, tmp_path: Path) -> None:
    cases = documents(20)
    source = as_lines(cases, tmp_path / "cases.jsonl")
    check(source)
    earlier = date(2023, 3, 15)
    found = check(source, earlier)
    assert numbers(found) == (20, 0)
    assert facts_of(found) == expected(cases, tmp_path, earlier)
    assert check(source, earlier).folded == 0
    again = check(source)
    assert _without_day(facts_of(again)) == _without_day(expected(cases, tmp_path))


def test_two_files_of_one_journal_are_refused_every_time(check: Check, tmp_path: Path) -> None:
    cases = [document("a"), document("b")]
    folder = as_files(cases, tmp_path / "cases")
    assert numbers(check(folder)) == (2, 0)
    shutil.copy(folder / "team-0" / "00000.json", folder / "team-0" / "copy.json")
    for _ in range(2):
        found = check(folder)
        assert [*facts_of(found)] == ["b"]
        assert found.refused_cases == 2
    (folder / "team-0" / "copy.json").unlink()
    assert sorted(facts_of(check(folder))) == ["a", "b"]


def test_a_new_case_with_the_id_of_a_kept_one_makes_both_doubtful(check: Check, tmp_path: Path) -> None:
    folder = as_files([document("a"), document("b")], tmp_path / "cases")
    check(folder)
    (folder / "new.json").write_text(json.dumps(document("a", entry("2020-01-01"))))
    found = check(folder)
    assert [*facts_of(found)] == ["b"]
    assert sorted(item.place.rsplit("/", 1)[1] for item in found.refused) == ["00000.json", "new.json"]
    assert numbers(found) == (0, 1)


def test_a_case_that_became_unreadable_no_longer_counts(check: Check, tmp_path: Path) -> None:
    folder = as_files([document("a"), document("b")], tmp_path / "cases")
    check(folder)
    (folder / "team-0" / "00000.json").write_text("{")
    found = check(folder)
    assert [*facts_of(found)] == ["b"]
    assert found.refused_cases == 1


def test_nothing_is_left_of_a_case_that_is_gone(check: Check, tmp_path: Path) -> None:
    folder = as_files([document("gone"), document("b")], tmp_path / "cases")
    check(folder)
    (folder / "team-0" / "00000.json").unlink()
    found = check(folder)
    assert [*facts_of(found)] == ["b"]
    there = [*(tmp_path / "keep" / "facts").glob("part-*/case.parquet")]
    assert {case for file in there for case in pq.read_table(file).column("case").to_pylist()} == {"b"}


def test_facts_made_by_another_pack_fold_or_form_do_not_count(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = as_lines(documents(10), tmp_path / "cases.jsonl")
    check(source)
    content = pack().content
    other = pack_from_content({**content, "pack": {**content["pack"], "version": "9.9.9"}})
    (tmp_path / "other").mkdir()
    assert gather(str(source), other, DAY, work=tmp_path / "other", keep=tmp_path / "keep").folded == 10
    assert check(source).folded == 10
    monkeypatch.setattr(kept, "FOLD_VERSION", "2")
    assert check(source).folded == 10
    monkeypatch.setattr(kept, "FORM", 2)
    assert check(source).folded == 10
    assert check(source).reused == 10


@pytest.mark.parametrize("damage", ["half", "gone", "folder", "manifest", "nonsense"])
def test_what_is_damaged_is_folded_again(damage: str, check: Check, tmp_path: Path) -> None:
    cases = documents(10)
    source = as_lines(cases, tmp_path / "cases.jsonl")
    (part,) = check(source).parts
    file = part / "coaching.parquet"
    if damage == "half":
        file.write_bytes(file.read_bytes()[:-40])
    elif damage == "gone":
        file.unlink()
    elif damage == "folder":
        shutil.rmtree(part)
    else:
        (part.parent / "manifest.json").write_text("{" if damage == "manifest" else '{"form": 1, "parts": 3}')
    found = check(source)
    assert numbers(found) == (10, 0)
    assert facts_of(found) == expected(cases, tmp_path)


def test_what_lies_beside_the_facts_is_left_alone(check: Check, tmp_path: Path) -> None:
    facts = tmp_path / "keep" / "facts"
    facts.mkdir(parents=True)
    (facts / "notes.txt").write_text("mine")
    (facts / "part-9-unfinished").mkdir()
    check(as_lines(documents(3), tmp_path / "cases.jsonl"))
    assert (facts / "notes.txt").read_text() == "mine"
    assert not (facts / "part-9-unfinished").exists()


def test_two_runs_do_not_share_a_folder(check: Check, tmp_path: Path) -> None:
    source = as_lines(documents(3), tmp_path / "cases.jsonl")
    with opened(tmp_path / "keep", pack()), pytest.raises(CheckError, match="another check is running"):
        check(source)
    assert check(source).folded == 3


def test_a_file_that_changes_between_listing_and_reading_ends_the_check(check: Check, tmp_path: Path) -> None:
    for source in (as_lines(documents(5), tmp_path / "c.jsonl"), as_rows(documents(5), tmp_path / "c.parquet")):
        changed = source.read_bytes() + b"\n"

        def change(done: int, total: int | None, source: Path = source, changed: bytes = changed) -> None:
            source.write_bytes(changed)

        with pytest.raises(CheckError, match="the file was changed while it was read"):
            check(source, on_progress=change)


def test_an_interruption_keeps_the_parts_that_are_whole(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "PART", 10)
    monkeypatch.setattr("service.checks.reading.LINES", 5)
    cases = documents(40)
    source = as_lines(cases, tmp_path / "cases.jsonl")

    def interrupt(done: int, total: int | None) -> None:
        if done >= 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(source, on_progress=interrupt)
    found = check(source)
    assert numbers(found) == (20, 20)
    assert facts_of(found) == expected(cases, tmp_path)


def test_small_and_outdated_parts_are_put_together(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "LARGEST", 25)
    cases = documents(30)
    folder = tmp_path / "cases"
    parts = 0
    for turn in range(kept.TOO_MANY + 2):
        cases[turn] = document(f"case-{turn:05d}", entry(f"2024-02-{turn + 1:02d}"))
        found = check(as_files(cases, folder))
        parts = max(parts, len(found.parts))
    assert facts_of(found) == expected(cases, tmp_path)
    assert parts < kept.TOO_MANY
    assert len(found.parts) <= 4
    assert numbers(check(folder)) == (0, 30)


def test_a_crash_while_parts_are_put_together_loses_nothing(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = documents(12)
    folder = as_files(cases, tmp_path / "cases")
    check(folder)
    (folder / "team-0" / "00000.json").unlink()
    with monkeypatch.context() as broken:
        broken.setattr(Kept, "_write", _crash)
        with pytest.raises(RuntimeError):
            check(folder)
    found = check(folder)
    assert numbers(found) == (0, 11)
    assert facts_of(found) == expected(cases[1:], tmp_path)


def _crash(self: Kept) -> None:
    if any("together" in name for name in self._parts):
        raise RuntimeError("the machine stops")


# ---- the service's database


def test_of_a_database_only_the_changed_cases_are_folded_again(
    check: Check, database: Database, urls: Urls, tmp_path: Path
) -> None:
    cases = [document(f"case-{n}", {**entry(), "id": "e1"}) for n in range(12)]
    with database.write(REGION) as unit:
        for case in cases:
            _open(unit, case)
    assert numbers(check(urls.app)) == (12, 0)
    assert numbers(check(urls.app)) == (0, 12)
    late = {**entry("2024-02-02", "interest_asked", wants_to_work="yes"), "id": "e2"}
    with database.write(REGION) as unit:
        stored = unit.cases.get("case-5")
        assert stored is not None
        unit.cases.advance("case-5", 1)
        unit.entries.append(stored, 2, [late], NOW)
    cases[5]["entries"].append(late)
    found = check(urls.app)
    assert numbers(found) == (1, 11)
    assert facts_of(found) == expected(cases, tmp_path)


def test_kept_facts_of_a_disposed_client_are_gone_after_the_next_run(
    check: Check, database: Database, owner: Database, urls: Urls, tmp_path: Path
) -> None:
    for region in (REGION, "elsewhere"):
        with database.write(region) as unit:
            for name in ("a", "b"):
                _open(unit, document(name, {**entry(), "id": "e1"}))
    check(urls.app)
    with owner.write(REGION) as unit:
        case = unit.cases.get("a")
        assert case is not None
        unit.events.append(case, "disposed", {"v": 1, "case": "a"}, NOW)
        unit.cases.dispose("a", NOW)
    assert numbers(check(urls.app)) == (0, 3)
    there = [*(tmp_path / "keep" / "facts").glob("part-*/case.parquet")]
    rows = [row for file in there for row in pq.read_table(file).to_pylist()]
    assert sorted((row["version"], row["case"]) for row in rows) == [
        ("elsewhere/1", "a"),
        ("elsewhere/1", "b"),
        ("paijat-hame/1", "b"),
    ]


def _open(unit: Any, case: Document) -> None:
    open_case(unit, case["case"]["id"], case["entries"])
    unit.cases.set_header(case["case"]["id"], case["case"])
