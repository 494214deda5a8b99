"""On Spark a caseload comes to what it comes to on one machine: every field of every finding, and who is refused."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rules.calendar import add_months
from rules.deriving import Derivation
from rules.engines.columns import Column, column_name
from rules.engines.sql import derived
from rules.pack import Pack
from service.checks import spark as by_spark
from service.checks.errors import CheckError
from service.checks.facts import FactsWriter
from service.checks.judging import ALL, judge
from service.checks.sources import Gathered, gather
from service.checks.spark import Run, checked_source
from service.checks.spark_folding import KIND, _plain
from service.checks.spark_session import lacking, spark_session
from service.checks.tables import marks
from service.generate.drawing import Wanted
from service.generate.writing import generate
from tests.helpers import SEED, pack
from tests.rules.engines.test_columnar import OPERATIONS, SOME_DATES
from tests.rules.test_packing import Folder
from tests.service.checks.caseloads import as_lines, as_rows, document, documents, entry, table
from tests.service.checks.made import rows_of
from tests.service.checks.test_judging import TODAY, cases_on, small_packs, waves
from tests.service.polku import data, refused

DAYS = (date(2024, 3, 31), date(2023, 6, 1))
GENERATED, WILD, DRAWN = 5_000, 300, 200
#: Cases drawn as facts are numbered beyond those that are folded.
BEYOND = 1 << 60
#: Java compiles quickly rather than well, and tidies up without helpers: a run is over before the latter pays.
QUICKLY = "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' pyspark-shell"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Spark writes what it has to say."""
    return tmp_path_factory.mktemp("spark") / "spark.log"


@pytest.fixture(scope="module")
def spark(log: Path) -> Iterator[Any]:
    missing = lacking()
    if missing is not None:
        pytest.skip(f"Spark is not tested: {missing}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", QUICKLY)
        with spark_session("local[2]", log.parent) as session:
            yield session


class Planted(Run):
    """A run with facts of `parts` besides those of its journals."""

    parts: Sequence[Path] = ()

    def _fold(self, opened: Any, on_folded: Any) -> None:
        if opened:
            super()._fold(opened, on_folded)
        for part in self.parts:
            for file in part.glob("*.parquet"):
                folder = self._facts / f"{KIND}={file.stem}"
                folder.mkdir(parents=True, exist_ok=True)
                pq.write_table(_plain(pq.read_table(file)), folder / f"{part.name}.parquet")


def drawn(folder: Path, asked: Pack, day: date, count: int = DRAWN) -> Path:
    """Cases drawn from the vocabulary, as a part of a facts folder."""
    writer = FactsWriter(folder / "drawn", asked)
    for number, case in enumerate(cases_on(day, asked, count)):
        writer.put((BEYOND + number, case.id, case.municipality, "", day, date.max), case.subjects, case.latest)
    writer.close()
    return writer.folder


def compared(
    spark: Any, source: Path | None, folder: Path, asked: Pack, day: date, count: int = DRAWN
) -> tuple[Gathered, Gathered, Path]:
    """Holds every finding of both engines against each other; what both gathered, and the findings."""
    part = drawn(folder, asked, day, count)
    here, there = folder / "here", folder / "there"
    for each in (here, there):
        each.mkdir()
    one = gather(str(source), asked, day, work=here, processes=1) if source else Gathered([])
    judge([*one.parts, part], asked, day, here / "findings.parquet", outcomes=ALL, dropped=one.dropped)
    run = Planted(spark, asked, day, there, there)
    run.parts = [part]
    other = run.gather(checked_source(str(source)) if source else [])
    findings = run.judge(ALL)
    assert findings.stat().st_mode & 0o777 == 0o600
    assert marks(findings) == marks(here / "findings.parquet")
    with duckdb.connect() as connection:
        for name, path in (("one", here / "findings.parquet"), ("other", findings)):
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{path}')")
        assert connection.sql("DESCRIBE one").fetchall() == connection.sql("DESCRIBE other").fetchall()
        for asked_for in ("one EXCEPT ALL FROM other", "other EXCEPT ALL FROM one"):
            assert connection.sql(f"FROM {asked_for} LIMIT 3").fetchall() == [], f"POLKU_SEED={SEED}"
    return one, other, findings


def told(found: Gathered) -> list[tuple[str, str]]:
    return sorted((item.place, item.message) for item in found.refused)


# --- the same findings ---


@pytest.fixture(scope="module")
def caseload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Journals as they may be, wild ones, and such as are refused; in files of names that mean something to others."""
    folder = tmp_path_factory.mktemp("caseload") / "päijät [1] #{a,b}*"
    (folder / "%20?").mkdir(parents=True)
    generate(Wanted(SEED, DAYS[0], 0.2, None), GENERATED, folder / "generated.parquet")
    (folder / "generated.parquet.planted.jsonl").unlink()
    as_rows(documents(WILD), folder / "%20?" / "wild.parquet")
    pq.write_table(odd(), folder / "%20?" / "odd.parquet", row_group_size=1_000)
    pq.write_table(otherwise(), folder / "otherwise.parquet")
    return folder


def odd() -> Any:
    """Cases that are refused, most of them."""
    apart = table([document("apart", entry("2024-01-10"), entry("2024-01-11"))])
    whole = [
        table([document("half-broken", entry(kind="nothing-known"))]),
        apart.slice(0, 1),
        table([document("half-broken")]),
        table([document(""), {"case": {"id": "nothing"}, "entries": []}]),
        apart.slice(1, 1),
        table([document("010190-123A"), document("bad", entry(days_per_week="x", kind="activity_started"))]),
        replaced(table([document("no-json")]), "fields", ["{"]),
        replaced(table([document("no-id")]), "case_id", [None]),
        replaced(table([document("late", entry("2024-02-01"), entry("2024-01-01"))]), "position", [1, 0]),
        replaced(table([document("same-place", entry(), entry())]), "position", [0, 0]),
        replaced(table([document("moved", entry(), entry())]), "municipality", ["Lahti", "Hollola"]),
        replaced(table([document("no-day", entry(), entry())]), "date", [None, date(2024, 1, 1)]),
        table(documents(1)),  # of an id that another file has
    ]
    schema = whole[0].schema.set(0, pa.field("case_id", pa.string()))
    return pa.concat_tables([one.cast(schema) for one in whole])


def replaced(made: Any, name: str, values: list[Any]) -> Any:
    place = made.schema.get_field_index(name)
    field = made.schema.field(name).with_nullable(True)
    return made.set_column(place, field, pa.array(values, field.type))


def otherwise() -> Any:
    """Journals in other types and with fewer columns, with and without a zone of time."""
    made = table([document(f"other-{number}", entry(), entry("2024-02-02")) for number in range(3)])
    rows = made.num_rows
    moments = pa.array([None, 1_706_000_000_000] * (rows // 2), pa.timestamp("ms", "Europe/Helsinki"))
    return pa.table(
        {
            "case_id": made.column("case_id").cast(pa.large_string()),
            "type": made.column("type").combine_chunks().dictionary_encode(),
            "date": made.column("date").cast(pa.date64()),
            "recorded_at": moments,
            "position": made.column("position").cast(pa.uint32()),
            "not_recorded": pa.nulls(rows),
            "note": pa.nulls(rows),
            "birth_year": pa.array([1980, None] * (rows // 2), pa.int64()),
        }
    )


@pytest.mark.parametrize("day", DAYS)
def test_every_field_of_every_finding_and_who_is_refused_is_the_same(
    spark: Any, caseload: Path, tmp_path: Path, day: date
) -> None:
    one, other, findings = compared(spark, caseload, tmp_path, pack(), day)
    assert (other.folded, other.refused_cases) == (one.folded + DRAWN, one.refused_cases)
    assert told(other) == told(one)
    assert one.folded > GENERATED + WILD
    messages = "\n".join(message for _, message in told(other))
    for expected in ("is the id of 2 cases", "in another row of the case", "there twice"):
        assert expected in messages
    assert "010190-123A" not in str(told(other))
    with duckdb.connect() as connection:
        found = connection.sql(f"SELECT DISTINCT rule FROM read_parquet('{findings}')").fetchall()
    assert {rule for (rule,) in found} == {item.id for item in pack().rules(day)}
    clients = {row["case"] for part in other.parts for row in pq.read_table(part / "case.parquet").to_pylist()}
    assert {"half-broken", "late", "nothing", "other-2"} <= clients
    assert not {"apart", "same-place", "case-00000", ""} & clients


@pytest.fixture
def packs(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_pack_of_other_forms_is_judged_alike(spark: Any, packs: Folder, tmp_path: Path) -> None:
    """Rules by the values of their event's day, and such as build on findings."""
    rules, head = next((rules, head) for name, rules, head in small_packs() if name == "values by the event's day")
    compared(spark, None, tmp_path, packs.load(*rules, *waves(), **head), TODAY, 150)


def test_where_nobody_can_be_checked_nothing_is_found(spark: Any, tmp_path: Path) -> None:
    pq.write_table(replaced(table([document("no-json")]), "fields", ["{"]), tmp_path / "cases.parquet")
    one, other, findings = compared(spark, tmp_path / "cases.parquet", tmp_path, pack_of_one(tmp_path), TODAY, 0)
    assert (told(one), other.folded) == (told(other), 0)
    assert rows_of(findings) == []


def pack_of_one(folder: Path) -> Pack:
    return Folder(folder).load(waves()[0])


# --- deadlines ---


def test_deadlines_are_the_same_in_sparks_sql(spark: Any) -> None:
    for operation, count, number in OPERATIONS:
        names = tuple(f"case.operand_{place}" for place in range(count))
        item = Derivation("case.derived", operation, names, number)
        column = Column("case.derived", "text" if operation in ("is_after", "timeliness") else "date")
        rows = list(product(SOME_DATES, repeat=count))
        cells = [
            pa.array([Column(name, "date").cell(row[place]) for row in rows], pa.date32())
            for place, name in enumerate(names)
        ]
        made = pa.table(cells, names=[*map(column_name, names)])
        spark.createDataFrame(made).createOrReplaceTempView("facts")
        asked = derived(item, column_name).sql(dialect="spark", identify=True)
        found = [row[0] for row in spark.sql(f"SELECT {asked} FROM facts").collect()]
        assert found == [column.cell(item.value(dict(zip(names, row, strict=True)))) for row in rows], operation


def test_months_end_where_the_calendar_says_in_sparks_sql(spark: Any) -> None:
    days = [date(1999, 12, 1) + timedelta(days=number) for number in range(365 * 5)]
    spark.createDataFrame(pa.table({"case_wish_on": days})).createOrReplaceTempView("facts")
    months = (-25, -12, -6, -3, -1, 1, 2, 3, 6, 11, 12, 24, 48, 1200)
    items = [Derivation("case.derived", "add_months", ("case.wish_on",), number) for number in months]
    asked = ", ".join(derived(item, column_name).sql(dialect="spark", identify=True) for item in items)
    found = [tuple(row) for row in spark.sql(f"SELECT case_wish_on, {asked} FROM facts").collect()]
    assert found == [(day, *(add_months(day, number) for number in months)) for day in days]


# --- the command ---


def test_a_night_on_spark_tells_what_changed_since_the_last_on_one_machine(
    spark: Any, packs: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def same(master: str, work: Path) -> Iterator[Any]:
        assert (master, work.stat().st_mode & 0o777) == ("local[2]", 0o700)
        yield spark

    monkeypatch.setattr(by_spark, "spark_session", same)
    small = packs.load(*waves())
    monkeypatch.setattr("rules.pack.load_pack", lambda: small)
    cases, keep, shared, out = documents(30), tmp_path / "kept", tmp_path / "shared", tmp_path / "out.parquet"
    shared.mkdir()
    source = as_rows(cases[:25], tmp_path / "cases.parquet")
    words = ("check", source, "--as-of", "2024-03-31", "--keep", keep)
    first = data(*words)
    as_rows(cases[5:], source)
    plainly = data("check", source, "--as-of", "2024-03-31", "--out", tmp_path / "plain.parquet")
    second = data(*words, "--engine", "spark", "--master", "local[2]", "--spark-work", shared, "--out", out)
    assert second["findings"] == plainly["findings"]
    assert second["by_municipality"] == plainly["by_municipality"]
    assert second["changes"]["gone"] > 0
    assert sum(second["changes"]["new"].values()) > 0
    assert sum(second["changes"]["settled"].values()) == 0
    assert first["changes"] is None
    found = [{name: row[name] for name in row if name != "change"} for row in rows_of(out)]
    plain = rows_of(tmp_path / "plain.parquet")
    assert sorted(map(str, found)) == sorted(map(str, plain))
    assert sorted(path.name for path in keep.iterdir() if path.name.startswith("work")) == []
    assert [*shared.iterdir()] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--master", "local[2]"), "they go with --engine spark"),
        (("--engine", "spark", "--master", "local[2]", "--processes", "2"), "leave --processes out"),
        (("--engine", "spark", "--region", "north"), "files of journals have none"),
        (("--engine", "spark", "--master", "spark://h:7077"), "name a folder that every machine sees: --spark-work"),
        (("--engine", "spark", "--spark-work", "/nowhere/at-all"), "/nowhere/at-all: is no folder"),
    ],
)
def test_words_that_do_not_go_together_are_refused(tmp_path: Path, words: Sequence[str], said: str) -> None:
    assert said in refused("check", as_rows(documents(1), tmp_path / "cases.parquet"), *words)


def test_what_spark_does_not_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    lines = as_lines(documents(1), tmp_path / "cases.jsonl")
    assert f"{lines}: Spark reads .parquet files" in refused("check", lines, "--engine", "spark")
    told_ = refused("check", "postgresql://aino:secret@db/polku", "--engine", "spark")
    assert "check this without --engine spark" in told_
    assert "secret" not in told_
    (tmp_path / "empty").mkdir()
    assert "no journals here" in refused("check", tmp_path / "empty", "--engine", "spark")


def test_a_column_spark_does_not_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    made = table(documents(1))
    place = made.schema.get_field_index("recorded_at")
    moments = pa.nulls(made.num_rows, pa.timestamp("ns"))
    pq.write_table(made.set_column(place, "recorded_at", moments), tmp_path / "cases.parquet")
    with pytest.raises(CheckError, match="write it as text, or in microseconds"):
        by_spark._opened([str(tmp_path / "cases.parquet")])


# --- Spark that is not there, or ends ---


def java(folder: Path, says: str) -> Path:
    """A Java that does nothing but say its version."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    (folder / "bin" / "java").chmod(0o755)
    return folder


def test_without_a_java_that_is_new_enough_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark", reason="Spark is not tested: PySpark is not installed")
    source = as_rows(documents(1), tmp_path / "cases.parquet")
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "old", 'openjdk version "11.0.2"')))
    told_ = refused("check", source, "--engine", "spark")
    assert "cannot run here" in told_
    assert "is Java 11: install Java 17 or newer" in told_
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "odd", "what?")))
    assert "does not run" in refused("check", source, "--engine", "spark")
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "new", 'openjdk version "25-ea"')))
    assert lacking() is None
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no Java: install Java 17" in refused("check", source, "--engine", "spark")


def test_without_pyspark_it_is_said_how_to_install_it(tmp_path: Path) -> None:
    source = as_rows(documents(1), tmp_path / "cases.parquet")
    hidden = "import sys; sys.modules['pyspark'] = None; sys.argv[0] = 'polku'; from service.cli import main; main()"
    command = [sys.executable, "-c", hidden, "check", str(source), "--engine", "spark"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'polku[spark]'" in done.stderr
    assert "Traceback" not in done.stderr


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == process:
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the processes to kill in /proc")
def test_a_process_that_is_killed_ends_the_run_with_an_error(spark: Any, caseload: Path, tmp_path: Path) -> None:
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.1):
            for daemon in children(gateway.proc.pid):
                for worker in children(daemon):
                    try:
                        os.kill(worker, 9)
                    except ProcessLookupError:
                        continue

    killing = threading.Thread(target=kill)
    killing.start()
    try:
        before = time.monotonic()
        # Just when a process begins, Spark does not always know what it lost.
        wanted = "could not be folded: (a Python process ended before its time|Spark failed)"
        with pytest.raises(CheckError, match=wanted) as failed:
            Run(spark, pack(), DAYS[0], tmp_path, tmp_path).gather(checked_source(str(caseload)))
        assert time.monotonic() - before < 120
    finally:
        over.set()
        killing.join()
    assert "\n" not in str(failed.value)


def test_what_spark_logs_tells_nothing_of_clients(spark: Any, log: Path) -> None:
    """Last of those that ask Spark: a process was killed before it, and rows were refused."""
    text = log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o777 == 0o600
    for word in ("case-0", "half-broken", "other-1", "Lahti", "010190"):
        assert word not in text
