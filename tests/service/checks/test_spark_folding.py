"""What Spark's processes make of rows is what comes of reading the file: the same facts and refusals. Without Spark."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.checks import spark_folding
from service.checks.rows import MOST_ENTRIES
from service.checks.sources import Gathered
from service.checks.spark_folding import FILE, KIND, REFUSED, ROW, Fold, FoldFailed, fold_rows, one_for_all, schemas
from tests.helpers import pack
from tests.service.checks.caseloads import DAY, as_rows, document, documents, entry, facts_of, gathered, table

CONTENT = pack().canonical.decode()


def sorted_rows(*files: Any) -> Any:
    """The rows of files as Spark hands them on: by case, then as they stand in their files."""
    told = []
    for number, rows in enumerate(files):
        places = pa.array(range(rows.num_rows), pa.int64())
        there = rows.append_column(FILE, pa.array([number] * rows.num_rows, pa.int64()))
        told.append(there.append_column(ROW, places))
    made = pa.concat_tables(told)
    return made.sort_by([("case_id", "ascending"), (FILE, "ascending"), (ROW, "ascending")])


def folded(*files: Any, sizes: list[int] | None = None, day: date = DAY) -> dict[str, Any]:
    """The tables that come of the rows of files, read in batches of some sizes."""
    rows = sorted_rows(*files).combine_chunks()
    names = tuple(f"{number}.parquet" for number in range(len(files)))
    made = pa.Table.from_batches(
        fold_rows(Fold(CONTENT, day, names), 3, in_batches(rows, sizes or [10_000])), one_for_all(pack())
    )
    return {
        kind: made.filter(pa.compute.equal(made.column(KIND), kind)).select(schema.names)
        for kind, schema in schemas(pack()).items()
    }


def in_batches(rows: Any, sizes: list[int]) -> Iterator[Any]:
    at = turn = 0
    while at < rows.num_rows:
        size = sizes[turn % len(sizes)]
        yield from rows.slice(at, size).combine_chunks().to_batches()
        if not turn:
            yield pa.record_batch([pa.array([], one.type) for one in rows.schema], schema=rows.schema)
        at, turn = at + size, turn + 1


def as_part(tables: dict[str, Any], folder: Path) -> Gathered:
    folder.mkdir()
    for kind, made in tables.items():
        if kind != REFUSED:
            pq.write_table(made, folder / f"{kind}.parquet")
    return Gathered([folder])


def refusals(tables: dict[str, Any]) -> dict[str, str]:
    return {row["place"]: row["message"] for row in tables[REFUSED].to_pylist()}


CASES = documents(40, seed=4)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("facts")
    return facts_of(gathered(as_rows(CASES, folder / "cases.parquet"), folder))


@settings(max_examples=15)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=4), st.integers(1, 39))
def test_rows_come_to_the_same_facts_however_they_are_cut(
    facts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, sizes: list[int], first: int
) -> None:
    folder = tmp_path_factory.mktemp("part") / "part"
    made = folded(table(CASES[:first]), table(CASES[first:]), sizes=sizes)
    assert refusals(made) == {}
    assert facts_of(as_part(made, folder)) == facts


def test_what_is_folded_is_handed_on_in_pieces_numbered_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_folding, "AT_A_TIME", 7)
    told: list[int] = []
    rows = sorted_rows(table(CASES)).combine_chunks().to_batches()
    list(fold_rows(Fold(CONTENT, DAY, ("a",)), 3, rows, told.append))
    assert told == [7, 7, 7, 7, 7, 5]
    numbers = folded(table(CASES))["case"].column("case_no").to_pylist()
    assert numbers == [(3 << 32) + number for number in range(40)]


def test_cases_of_one_id_are_refused_wherever_they_stand_but_for_one_that_alone_can_be_read() -> None:
    twice, other = table([document("twice", entry(), entry("2024-02-01"))]), table([document("other")])
    broken = table([document("half", entry(kind="unheard-of"))])
    apart = pa.concat_tables([twice.slice(0, 1), broken, other, twice.slice(1, 1)])
    made = folded(apart, table([document("half"), document("other")]))
    told = refusals(made)
    assert made["case"].column("case").to_pylist() == ["half"]
    assert told.pop("0.parquet, row 2, case half").startswith("entries[0].type")
    both = "is the id of 2 cases (0.parquet, row 1, 0.parquet, row 4); none of them was checked"
    assert told == {
        "0.parquet, row 1": f"case.id: twice {both}",
        "0.parquet, row 4": f"case.id: twice {both}",
        "0.parquet, row 3": "case.id: other is the id of 2 cases (0.parquet, row 3, 1.parquet, row 2); "
        "none of them was checked",
        "1.parquet, row 2": "case.id: other is the id of 2 cases (0.parquet, row 3, 1.parquet, row 2); "
        "none of them was checked",
    }


def test_the_end_of_a_case_of_too_many_rows_is_no_case() -> None:
    long = table([document("long")]).drop_columns(["position"])
    rows = pa.concat_tables([long] * (MOST_ENTRIES + 2))
    after = table([document("next")]).drop_columns(["position"])
    made = folded(pa.concat_tables([rows, after]), sizes=[20_000, 30_001, 1])
    assert made["case"].column("case").to_pylist() == ["next"]
    assert [*refusals(made).items()] == [
        ("0.parquet, row 1, case long", "entries: more than 50,000 rows; expected at most 50,000")
    ]


def test_cases_without_an_id_are_each_refused() -> None:
    nameless = table([document("x")]).drop_columns(["case_id"]).append_column("case_id", pa.nulls(1, pa.string()))
    named = table([document("x")]).select(nameless.schema.names).cast(nameless.schema)
    made = folded(pa.concat_tables([nameless, named, nameless]))
    assert [*refusals(made)] == ["0.parquet, row 1, case ''", "0.parquet, row 3, case ''"]
    assert made["case"].num_rows == 1


def test_a_fault_is_told_without_what_it_was_about(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = sorted_rows(table([document("secret-client")])).combine_chunks().to_batches()
    fold = Fold(CONTENT, DAY, ("cases.parquet",))

    def broken(*_: object) -> None:
        raise ValueError("secret-client has a secret")

    monkeypatch.setattr(spark_folding, "items_of", broken)
    with pytest.raises(FoldFailed) as failed:
        list(fold_rows(fold, 0, rows))
    assert str(failed.value).startswith("a fault of Polku's own (ValueError at test_spark_folding.py:")
    assert failed.value.__cause__ is failed.value.__context__ is None


def test_another_version_on_a_machine_of_the_cluster_is_an_error() -> None:
    with pytest.raises(FoldFailed, match="another version of Polku"):
        list(fold_rows(Fold(CONTENT, DAY, ("a",), fold_version="0"), 0, []))


def test_rows_of_a_file_nobody_named_are_an_error() -> None:
    rows = sorted_rows(table([document("x")]))
    nowhere = rows.drop_columns([FILE]).append_column(FILE, pa.nulls(rows.num_rows, pa.int64()))
    with pytest.raises(FoldFailed, match="a file that it was not asked to read"):
        list(fold_rows(Fold(CONTENT, DAY, ("a",)), 0, nowhere.to_batches()))
