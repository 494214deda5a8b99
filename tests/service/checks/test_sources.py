"""A caseload in any form becomes the same facts; what cannot be read is told with its place and stops nothing else."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rules.entry_reader import EntryReader
from service.checks import reading, rows, sources
from service.checks.errors import CheckError
from service.checks.journals import SCHEMA, write_journals_parquet
from service.store import Database, StoreError, StoreUnavailable
from tests.service.checks.caseloads import (
    DAY,
    FORMS,
    Document,
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
    refused,
    table,
)
from tests.service.postgresql import ON_POSTGRESQL, Urls
from tests.service.store.keeping import ELSEWHERE, NOW, REGION, open_case

CODE = "131052-308T"  # of nobody: the authorities' own example


@pytest.fixture
def spoiled(tmp_path: Path) -> Any:
    """Writes an Arrow table to a file to be read."""

    def write(journals: Any, **how: Any) -> Path:
        path = tmp_path / "spoiled.parquet"
        pq.write_table(journals, path, **how)
        return path

    return write


# ---- the same facts whatever the form


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_caseload_becomes_the_same_facts(form: str, tmp_path: Path) -> None:
    cases = [*documents(60), document("case-empty")]
    cases[-1]["entries"] = []
    found = gathered(FORMS[form](cases, tmp_path), tmp_path)
    assert (found.refused, found.cases, found.folded, found.reused) == ([], 61, 61, 0)
    assert facts_of(found) == expected(cases, tmp_path)


def test_a_folder_may_hold_every_form(tmp_path: Path) -> None:
    cases = documents(40)
    folder = tmp_path / "all"
    folder.mkdir()
    for number, write in enumerate(FORMS.values()):
        write(cases[number::4], folder)
    (folder / "one.yml").write_text("case: {id: by-hand}\nentries: []\n")
    (folder / "README.md").write_text("no journal")
    (folder / ".hidden.yaml").write_text("no journal")
    (folder / ".git").mkdir()
    (folder / ".git" / "x.json").write_text("no journal")
    kept = [case for number in range(3) for case in cases[number::4]]
    by_hand = {"case": {"id": "by-hand"}, "entries": []}
    found = gathered(folder, tmp_path)
    assert (found.refused, found.cases) == ([], 31)
    assert facts_of(found) == expected([*kept, by_hand], tmp_path)


def test_batches_may_end_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = documents(30, seed=3)
    monkeypatch.setattr(rows, "ROWS", 7)
    monkeypatch.setattr(reading, "LINES", 4)
    monkeypatch.setattr(reading, "FILES", 4)
    wanted = expected(cases, tmp_path)
    for form, write in FORMS.items():
        folder = tmp_path / form
        folder.mkdir()
        found = gathered(write(cases, folder), tmp_path)
        assert facts_of(found) == wanted, form


def test_row_groups_may_end_in_the_middle_of_a_case(tmp_path: Path, spoiled: Any) -> None:
    cases = documents(30, seed=4)
    found = gathered(spoiled(table(cases), row_group_size=11), tmp_path)
    assert facts_of(found) == expected(cases, tmp_path)


def test_row_groups_may_end_with_a_case_or_within_one_or_be_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = documents(24, seed=5)
    ends = ends_of(cases, 6, 12, 18)
    wanted = expected(cases, tmp_path)
    for name, within in {
        "none": ends,
        "first": [ends[0] - 1, *ends[1:]],
        "second": [ends[0], ends[1] + 1, ends[2]],
        "empty": [0, ends[0], ends[0], *ends[1:], ends[2]],
    }.items():
        assert facts_of(gathered(by_groups(cases, tmp_path / f"{name}.parquet", within), tmp_path)) == wanted, name
    largest = max(end - start for start, end in pairwise([0, *ends]))
    for most in (1, largest - 1, largest):
        monkeypatch.setattr(rows, "MOST_IN_GROUP", most)
        monkeypatch.setattr(rows, "ROWS", min(most, 7))
        found = gathered(by_groups(cases, tmp_path / f"most-{most}.parquet", ends), tmp_path)
        assert facts_of(found) == wanted, most


def test_row_groups_of_whole_cases_are_read_by_whoever_folds_them(tmp_path: Path) -> None:
    cases = documents(20, seed=6)
    path = as_rows(cases, tmp_path / "cases.parquet")
    (batch,) = reading._all_rows(str(path), 0)
    assert isinstance(batch, rows.GroupBatch)
    as_rows(documents(21, seed=7), path)
    with pytest.raises(CheckError, match="was changed while it was read"):
        list(batch.items(EntryReader()))


def test_other_programs_write_columns_of_other_types(tmp_path: Path, spoiled: Any) -> None:
    cases = [
        document(
            "a", entry(recorded_at="2024-01-11T10:00+02:00"), entry(id="x"), municipality="Lahti", birth_year=1971
        ),
        document("b", not_recorded=["contact"], complete_from="2020-01-01"),
    ]
    plain = table(cases)
    others = {
        "case_id": pa.large_string(),
        "type": pa.dictionary(pa.int32(), pa.large_string()),
        "birth_year": pa.int64(),
        "position": pa.int64(),
        "date": pa.date64(),
        "not_recorded": pa.large_list(pa.large_string()),
        "note": pa.string_view(),
    }
    columns = {name: plain.column(name).cast(others.get(name, SCHEMA.field(name).type)) for name in SCHEMA.names}
    columns["by"] = pa.nulls(3)
    columns["recorded_at"] = pa.array([date(2024, 1, 11), None, None]).cast(pa.timestamp("ns"))
    columns["recorded_at"] = columns["recorded_at"].cast(pa.timestamp("ns", "Europe/Helsinki"))
    found = gathered(spoiled(pa.table(columns)), tmp_path)
    assert found.refused == []
    assert facts_of(found) == expected(cases, tmp_path)


def test_a_header_may_stand_in_each_row_of_a_case(tmp_path: Path, spoiled: Any) -> None:
    cases = [
        document("a", entry(), entry(), municipality="Lahti", not_recorded=["contact"]),
        document("b", entry(), entry()),
    ]
    journals = table(cases)
    for name, values in {
        "municipality": ["Lahti", "Lahti", None, None],
        "not_recorded": [["contact"], ["contact"], None, None],
    }.items():
        journals = journals.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), pa.array(values))
    found = gathered(spoiled(journals), tmp_path)
    assert facts_of(found) == expected(cases, tmp_path)


def test_only_three_columns_are_needed(tmp_path: Path, spoiled: Any) -> None:
    cases = [document("a"), document("b")]
    found = gathered(spoiled(table(cases).select(["case_id", "type", "date"])), tmp_path)
    assert facts_of(found) == expected(cases, tmp_path)


def test_rows_of_a_case_are_put_in_the_order_of_their_positions(tmp_path: Path, spoiled: Any) -> None:
    cases = [*documents(20, seed=5), document("z")]
    journals = table(cases)
    backwards = journals.take(pa.array(range(journals.num_rows - 1, -1, -1)))
    # The header stands with the first row of a case, which is now another.
    header = {name: pa.nulls(journals.num_rows, SCHEMA.field(name).type) for name in ("municipality", "birth_year")}
    for name in ("municipality", "birth_year", "language", "not_recorded", "complete_from"):
        cases = [{**case, "case": {k: v for k, v in case["case"].items() if k != name}} for case in cases]
        empty = header.get(name, pa.nulls(journals.num_rows, SCHEMA.field(name).type))
        backwards = backwards.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), empty)
    found = gathered(spoiled(backwards), tmp_path)
    assert facts_of(found) == expected(cases, tmp_path)


def test_lines_may_end_as_on_windows_and_the_last_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "cases.ndjson"
    lines = [json.dumps(document(name)) for name in ("a", "b")]
    path.write_bytes(b"\xef\xbb\xbf" + f"{lines[0]}\r\n\r\n  \n{lines[1]}".encode())
    assert [*facts_of(gathered(path, tmp_path))] == ["a", "b"]


def test_an_empty_caseload_is_facts_of_nobody(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    write_journals_parquet([], tmp_path / "none.parquet")
    for name in ("none.jsonl", "none.parquet"):
        found = gathered(tmp_path / name, tmp_path)
        assert (found.cases, found.refused, len(found.parts)) == (0, [], 1)
        assert facts_of(found) == {}


# ---- what cannot be read


@pytest.mark.parametrize("form", FORMS)
def test_a_bad_case_is_told_with_its_place_and_the_others_are_read(form: str, tmp_path: Path) -> None:
    cases = documents(12)
    cases[4]["entries"].append(entry("2024-01-10", "coaching_started", provder="x"))
    cases[9]["entries"] = [entry(id="same"), entry(id="same")]
    found = gathered(FORMS[form](cases, tmp_path), tmp_path)
    assert found.refused_cases == 2
    first, second = found.refused
    assert "did you mean provider" in first.message
    assert "the id of entries[0] a second time" in second.message
    places = {"files": "00004.json", "lines": "cases.jsonl:5", "rows": "case case-00004"}
    assert first.place.endswith(places[form])
    good = [case for number, case in enumerate(cases) if number not in (4, 9)]
    assert facts_of(found) == expected(good, tmp_path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", ["id", "header", "note", "field", "key"])
def test_an_identity_code_is_refused_and_never_repeated(form: str, where: str, tmp_path: Path) -> None:
    bad = {
        "id": document(f"case-{CODE}"),
        "header": document("bad", municipality=CODE),
        "note": document("bad", entry(note=f"met {CODE}")),
        "field": document("bad", entry(kind="coaching_started", provider=CODE, provider_kind="private")),
        "key": document("bad", entry(kind="checklist_answered", answers={CODE: "yes"})),
    }[where]
    found = gathered(FORMS[form]([document("good"), bad], tmp_path), tmp_path)
    assert [*facts_of(found)] == ["good"]
    (told,) = found.refused
    assert "a personal identity code" in told.message
    assert CODE not in told.place + told.message
    assert "308T" not in told.place + told.message


@pytest.mark.parametrize("form", FORMS)
def test_of_cases_that_share_an_id_none_is_checked(form: str, tmp_path: Path) -> None:
    cases = [document("a"), document("twin"), document("b"), document("twin", entry("2023-01-01"))]
    found = gathered(FORMS[form](cases, tmp_path), tmp_path)
    assert sorted(facts_of(found)) == ["a", "b"]
    assert (found.cases, found.folded, found.refused_cases) == (2, 2, 2)
    for told, other in zip(found.refused, reversed(found.refused), strict=True):
        assert "twin is the id of 2 cases" in told.message
        assert other.place in told.message


def test_lines_that_are_no_case_are_told_by_their_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 400)
    path = tmp_path / "cases.jsonl"
    bad = [
        "[1]",
        "case: {id: yaml}",
        "{",
        '{"case": {"id": "a", "id": "b"}, "entries": []}',
        "\ud800",
        "x" * 5000,
        "null",
    ]
    lines = [json.dumps(document("first")), "", *bad, json.dumps(document("last"))]
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    found = gathered(path, tmp_path)
    assert [*facts_of(found)] == ["first", "last"]
    told = refused(found)
    assert [*told] == [f"cases.jsonl:{number}" for number in range(3, 10)]
    assert "no JSON" in told["cases.jsonl:4"]
    assert "the same key a second time" in told["cases.jsonl:6"]
    assert not any("(line" in message for message in told.values()), "the place says which line"


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    folder = FORMS["files"]([document("a"), document("b")], tmp_path)
    (folder / "team-0" / "gone.json").symlink_to("nowhere")
    (folder / "folder.json").mkdir()
    (folder / "broken.json").write_bytes(b"\xff\xfe{")
    found = gathered(folder, tmp_path)
    assert sorted(facts_of(found)) == ["a", "b"]
    assert [*refused(found)] == ["broken.json"]


def test_a_file_that_vanishes_between_listing_and_reading_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = FORMS["files"]([document("a"), document("b")], tmp_path)
    batches = reading.Files.batches

    def later(self: reading.Files) -> Iterator[Any]:
        found = [*batches(self)]
        (folder / "team-1" / "00001.json").unlink()
        yield from found

    monkeypatch.setattr(reading.Files, "batches", later)
    found = gathered(folder, tmp_path)
    assert refused(found) == {"00001.json": "cannot be read: No such file or directory"}


def test_rows_that_contradict_each_other_are_refused_with_their_case(tmp_path: Path, spoiled: Any) -> None:
    cases = [document(name, entry("2024-01-10"), entry("2024-02-10")) for name in ("a", "b", "c", "d", "e", "f")]
    journals = table(cases)
    spoil = {
        "municipality": ["Lahti", "Hollola", None, "Lahti", *(None,) * 8],
        "complete_from": [*(None,) * 4, date(2020, 1, 1), date(2021, 1, 1), *(None,) * 6],
        "position": [0, 1, 0, 1, 0, 1, 0, 0, None, 1, 4, 7],
    }
    for name, values in spoil.items():
        journals = journals.set_column(
            SCHEMA.get_field_index(name), SCHEMA.field(name), pa.array(values, SCHEMA.field(name).type)
        )
    found = gathered(spoiled(journals), tmp_path)
    assert [*facts_of(found)] == ["f"]
    told = {place.rpartition(" ")[2]: message for place, message in refused(found).items()}
    assert [*told] == ["a", "b", "c", "d", "e"]
    assert all(told[name].startswith("case.municipality: another value") for name in ("a", "b"))
    assert told["c"].startswith("case.complete_from: another value")
    assert all("a position that is left out or there twice" in told[name] for name in ("d", "e"))


def test_rows_of_a_case_that_do_not_stand_together_are_refused(tmp_path: Path, spoiled: Any) -> None:
    journals = table([document("a", entry(), entry()), document("b")])
    found = gathered(spoiled(journals.take([0, 2, 1])), tmp_path)
    assert [*facts_of(found)] == ["b"]
    assert [item.place.rpartition(", ")[2] for item in found.refused] == ["row 1", "row 3"]


def test_days_and_times_no_calendar_has_are_refused(tmp_path: Path, spoiled: Any) -> None:
    cases = [document(name) for name in ("a", "b", "c", "d")]
    journals = table(cases)
    days = pa.array([19_000, 2**31 - 1, -(2**31), 19_000], pa.int32()).cast(pa.date32())
    moments = pa.array([None, None, None, 2**62], pa.int64()).cast(pa.timestamp("us"))
    journals = journals.set_column(SCHEMA.get_field_index("date"), "date", days)
    journals = journals.set_column(SCHEMA.get_field_index("recorded_at"), "recorded_at", moments)
    found = gathered(spoiled(journals), tmp_path)
    assert [*facts_of(found)] == ["a"]
    assert ["a date such as" in item.message for item in found.refused] == [True, True, False]
    assert "a time such as" in found.refused[2].message


def test_a_row_without_a_case_a_type_or_fields_that_are_json_is_refused(tmp_path: Path, spoiled: Any) -> None:
    cases = [document(name, entry(), entry()) for name in ("a", "b", "c", "d")]
    spoil: dict[str, list[str | None]] = {
        "case_id": ["a", "a", None, None, "c", "c", "d", "d"],
        "type": [*("coaching_info_given",) * 4, None, *("coaching_info_given",) * 3],
        "fields": [None, "{}", None, None, None, None, "{", '{"date": "2020-01-01"}'],
    }
    journals = table(cases)
    for name, values in spoil.items():
        journals = journals.set_column(SCHEMA.get_field_index(name), name, pa.array(values, pa.string()))
    found = gathered(spoiled(journals), tmp_path)
    assert [*facts_of(found)] == ["a"]
    told = [item.message for item in found.refused]
    assert told[0].startswith("case.id")
    assert told[1].startswith("entries[0].type: missing")
    assert told[2].startswith("entries[0].fields: no JSON")


def test_a_case_of_too_many_rows_is_refused_and_what_follows_is_read(
    tmp_path: Path, spoiled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_ENTRIES", 5)
    monkeypatch.setattr(rows, "ROWS", 4)
    cases = [document("a"), document("much", *(entry() for _ in range(50))), document("b"), document("c")]
    found = gathered(spoiled(table(cases)), tmp_path)
    assert [*facts_of(found)] == ["a", "b", "c"]
    assert [item.place.partition(", ")[2] for item in found.refused] == ["row 2, case much"]
    assert "more than 5 rows" in found.refused[0].message


# ---- what is no caseload


def test_what_is_no_parquet_file_of_journals_is_refused_as_a_whole(tmp_path: Path, spoiled: Any) -> None:
    broken = tmp_path / "broken.parquet"
    whole = as_rows([document("a")], tmp_path / "whole.parquet").read_bytes()
    for content in (b"", b"no parquet", whole[:-20], whole[:-8] + b"\xff\xff\x00\x00PAR1", whole[:4] + whole[-8:]):
        broken.write_bytes(content)
        with pytest.raises(CheckError, match="no Parquet file that can be read"):
            gathered(broken, tmp_path)
    journals = table([document("a")])
    for spoilt, told in (
        (journals.drop_columns(["date"]), "there is no column date"),
        (journals.rename_columns({"by": "bye"}), "unknown column bye; did you mean by?"),
        (journals.append_column("note", journals.column("note")), "the column note is there twice"),
        (journals.set_column(7, "date", pa.array(["2024-01-10"])), "column date: found string, expected date32"),
        (journals.set_column(13, "fields", pa.array([{"a": 1}])), "column fields: found struct<a: int64>"),
    ):
        with pytest.raises(CheckError) as refusal:
            gathered(spoiled(spoilt), tmp_path)
        assert told in str(refusal.value)


def test_a_parquet_file_that_is_damaged_inside_ends_the_check_in_words(tmp_path: Path) -> None:
    path = as_rows(documents(40), tmp_path / "cases.parquet")
    content = bytearray(path.read_bytes())
    content[200:2000] = bytes(1800)
    path.write_bytes(content)
    with pytest.raises(CheckError, match="the file is damaged"):
        gathered(path, tmp_path)


def test_what_holds_no_journals_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "cases.xlsx").write_text("x")
    with pytest.raises(CheckError, match="no journals here"):
        gathered(tmp_path / "empty", tmp_path)
    with pytest.raises(CheckError, match="no form of journals"):
        gathered(tmp_path / "cases.xlsx", tmp_path)
    with pytest.raises(FileNotFoundError):
        gathered(tmp_path / "nowhere", tmp_path)
    with pytest.raises(ValueError, match="years"):
        gathered(tmp_path / "empty", tmp_path, date(1800, 1, 1))
    with pytest.raises(CheckError, match="a region is part of a database"):
        gathered(tmp_path / "empty", tmp_path, region="x")


def test_progress_never_goes_back_and_ends_with_every_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LINES", 5)
    monkeypatch.setattr(reading, "FILES", 5)
    for form, write in FORMS.items():
        folder = tmp_path / form
        folder.mkdir()
        told: list[tuple[int, int | None]] = []
        gathered(write(documents(33), folder), tmp_path, on_progress=lambda *said: told.append(said))  # noqa: B023
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        assert told[-1] == (33, 33)
        assert all(total is None or done <= total for done, total in told)


def test_many_refusals_are_counted_where_they_are_too_many_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MOST_REFUSED", 3)
    path = tmp_path / "cases.jsonl"
    path.write_text("[]\n" * 8)
    found = gathered(path, tmp_path)
    assert (len(found.refused), found.refused_cases, found.cases) == (3, 8, 0)


# ---- the service's database


def kept(database: Database, cases: list[Document], region: str = REGION) -> None:
    """Open cases in the database."""
    with database.write(region) as unit:
        for case in cases:
            header = case["case"]
            entries = [{"id": f"e{number}", **item} for number, item in enumerate(case["entries"], start=1)]
            stored = open_case(unit, header["id"], entries)
            unit.cases.set_header(stored.id, header)


def test_a_database_becomes_the_same_facts_as_a_file(database: Database, urls: Urls, tmp_path: Path) -> None:
    cases = [*documents(30, seed=8), document("case-none")]
    cases[-1]["entries"] = []
    kept(database, cases)
    found = gathered(urls.app.replace("+psycopg", ""), tmp_path)
    assert (found.refused, found.cases) == ([], 31)
    assert facts_of(found) == expected(cases, tmp_path)


def test_a_database_is_read_page_by_page(
    database: Database, urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.checks.stored.PAGE", 4)
    monkeypatch.setattr("service.checks.stored.CASES", 3)
    cases = documents(11, seed=9)
    kept(database, cases)
    assert facts_of(gathered(urls.app, tmp_path)) == expected(cases, tmp_path)


def test_regions_are_read_apart_and_together(database: Database, urls: Urls, tmp_path: Path) -> None:
    kept(database, [document("a"), document("b")])
    kept(database, [document("a", entry("2023-01-01")), document("c")], ELSEWHERE)
    assert sorted(facts_of(gathered(urls.app, tmp_path, region=ELSEWHERE))) == ["a", "c"]
    everything = gathered(urls.app, tmp_path)
    assert (everything.cases, everything.refused) == (4, []), "two regions may have a case of one id"
    with pytest.raises(CheckError, match="no region atlantis in the database; known: kanta-hame, paijat-hame"):
        gathered(urls.app, tmp_path, region="atlantis")


def test_a_disposed_case_is_no_longer_read(database: Database, owner: Database, urls: Urls, tmp_path: Path) -> None:
    kept(database, [document("a"), document("b")])
    with owner.write(REGION) as unit:
        case = unit.cases.get("a")
        assert case is not None
        unit.events.append(case, "disposed", {"v": 1, "case": "a"}, NOW)
        unit.cases.dispose("a", NOW)
    assert [*facts_of(gathered(urls.app, tmp_path))] == ["b"]


def test_what_is_recorded_meanwhile_is_not_seen(
    database: Database, urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(database, [document(name) for name in ("a", "b", "c", "d")])
    monkeypatch.setattr("service.checks.stored.PAGE", 2)
    monkeypatch.setattr("service.checks.stored.CASES", 1)
    pause = [True]

    def record(done: int, total: int | None) -> None:
        if pause.pop() if pause else False:
            with database.write(REGION) as unit:
                case = unit.cases.get("d")
                assert case is not None
                unit.cases.advance("d", 1)
                unit.entries.append(case, 2, [{**entry("2024-02-02", "coaching_started"), "id": "late"}], NOW)
                open_case(unit, "e", [{**entry(), "id": "e1"}])

    found = gathered(urls.app, tmp_path, on_progress=record)
    assert not pause
    told = facts_of(found)
    assert sorted(told) == ["a", "b", "c", "d"]
    assert "coaching" not in told["d"]


def test_a_stored_journal_that_is_spoiled_is_refused_with_its_place(
    urls: Urls, database: Database, tmp_path: Path
) -> None:
    kept(database, [document("a"), document("b", {**entry(), "id": "x", "type": "nonsense"})])
    found = gathered(urls.app, tmp_path)
    assert [*facts_of(found)] == ["a"]
    assert found.refused[0].place == f"region {REGION}, case b"
    assert 'unknown type "nonsense"' in found.refused[0].message


@ON_POSTGRESQL
def test_ids_are_quoted_where_copy_takes_no_parameters(database: Database, urls: Urls, tmp_path: Path) -> None:
    ids = ["o'hara", 'a"b', "back\\slash", "{brace}", "a,b", "%s", "$1", "'; DROP TABLE entry; --", "ä€😀", "NULL"]
    kept(database, [document(case_id) for case_id in ids])
    assert sorted(facts_of(gathered(urls.app, tmp_path))) == sorted(ids)


def test_a_database_that_is_none_is_told_in_words(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/none.db", "postgresql://nobody@127.0.0.1:9/none"):
        with pytest.raises(StoreUnavailable):
            gathered(url, tmp_path)
    with pytest.raises(CheckError, match="no database that is known"):
        gathered("mysql://host/db", tmp_path)
    sqlite3.connect(tmp_path / "other.db").close()
    with pytest.raises(StoreError, match="migrated"):
        gathered(f"sqlite:///{tmp_path}/other.db", tmp_path)


# ---- writing journals


def test_journals_written_as_rows_are_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "cases.parquet"
    as_rows([document("before")], path)

    def broken() -> Iterator[Document]:
        yield document("a")
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        write_journals_parquet(broken(), path)
    assert pq.read_table(path).column("case_id").to_pylist() == ["before"]
    assert [found.name for found in tmp_path.iterdir()] == ["cases.parquet"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_day_makes_no_difference_to_what_is_refused(tmp_path: Path) -> None:
    path = as_lines([document("a"), document("b", entry("2024-02-31"))], tmp_path / "cases.jsonl")
    for day in (date(2000, 1, 1), DAY):
        assert [*refused(gathered(path, tmp_path, day))] == ["cases.jsonl:2"]
