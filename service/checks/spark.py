"""A check on Apache Spark: the same journals, fold, rules and findings, on as many machines as there are.

Spark reads the Parquet files and brings the rows of each case together; its Python processes fold them
(service.checks.spark_folding) to tables of facts, which are written once; the columnar engine's SQL, in Spark's
dialect, judges them. The findings end as one file of the form that DuckDB writes, so that whatever reads them is none
the wiser.

What is written on the way lies in a folder that every machine sees, and is gone when the run ends.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
from pyarrow import types

from rules.calendar import add_workdays
from rules.engines.columnar import OPEN, Calendar, Plan, compiled
from rules.engines.columns import NEVER
from rules.pack import Pack
from service.checks.errors import CheckError
from service.checks.facts import SET_ASIDE
from service.checks.folding import Refused
from service.checks.journals import SCHEMA
from service.checks.judging import marks_of, write_findings
from service.checks.reading import Files
from service.checks.rows import RowFile
from service.checks.sources import MOST_REFUSED, Gathered
from service.checks.spark_folding import FILE, KIND, REFUSED, ROW, Fold, fold_rows, one_for_all, schemas
from service.checks.spark_session import is_local, spark_session, told_in_words
from service.checks.tables import connect, quoted

if TYPE_CHECKING:
    from service.checks.running import Cluster

#: Bytes of journals that a process folds at a time, about: a quarter of a minute's work.
SHARE = 8_000_000
#: Seconds between two looks at how far the folding has come.
LOOK = 1.0
#: Spark's words for what a column holds.
_DDL = {
    pa.string(): "STRING",
    pa.date32(): "DATE",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
}
#: What journals' columns are read as, whatever their files hold: numbers may be wider.
_READ_AS = {field.name: _DDL.get(field.type, "ARRAY<STRING>") for field in SCHEMA} | {
    "birth_year": "BIGINT",
    "position": "BIGINT",
}
_ONLY = "Spark reads .parquet files that every machine sees (docs/checks.md); check this without --engine spark"


# ---- what is asked


def checked_source(source: str, region: str | None = None) -> list[str]:
    """The files of a source. Raises CheckError for one that Spark cannot read, OSError for one that is not there."""
    if "://" in source:  # it may hold a password
        raise CheckError(f"{source.partition('://')[0]}://…: {_ONLY}")
    if region is not None:
        raise CheckError("a region is part of a database; files of journals have none")
    found = Files(Path(source)).forms()
    for path, form in found:
        if form != "rows":
            raise CheckError(f"{path}: {_ONLY}")
    return [path for path, _ in found]


@contextmanager
def _shared_folder(cluster: Cluster, work: Path) -> Iterator[Path]:
    """A folder that every machine sees and only this user may read, gone afterwards."""
    if cluster.shared is None:
        if not is_local(cluster.master):
            raise CheckError(
                f"{cluster.master}: journals are folded on other machines; "
                "name a folder that every machine sees: --spark-work FOLDER"
            )
        yield work
        return
    if not cluster.shared.is_dir():
        raise CheckError(f"{cluster.shared}: is no folder; --spark-work takes one that is there, and that all see")
    with tempfile.TemporaryDirectory(prefix="polku-check-", dir=cluster.shared.resolve()) as folder:
        yield Path(folder)


# ---- the check


def check_by_spark(
    source: str,
    pack: Pack,
    as_of: date,
    cluster: Cluster,
    *,
    work: Path,
    region: str | None = None,
    on_folded: Callable[[int], None] = lambda cases: None,
    on_judging: Callable[[], None] = lambda: None,
) -> tuple[Gathered, Path]:
    """The cases of a source and their findings on a day, in `work`. Raises CheckError and OSError."""
    files = checked_source(source, region)
    with _shared_folder(cluster, work) as shared, spark_session(cluster.master, work) as spark:
        run = Run(spark, pack, as_of, work, shared)
        gathered = run.gather(files, on_folded)
        on_judging()
        return gathered, run.judge()


class Run:
    """One check in a session of Spark. What it makes lies in `work`; what machines hand one another, in `shared`."""

    def __init__(self, spark: Any, pack: Pack, as_of: date, work: Path, shared: Path) -> None:
        self._spark = spark.newSession()  # names of its own
        self._pack = pack
        self._as_of = as_of
        self._work = work
        self._facts, self._findings = shared / "facts", shared / "findings"
        self._kept: list[Any] = []
        self._shares = 1

    def gather(self, files: Sequence[str], on_folded: Callable[[int], None] = lambda cases: None) -> Gathered:
        """The facts of every case, and the cases refused."""
        opened = _opened(files)
        with told_in_words("the journals could not be folded"):
            self._fold(opened, on_folded)
            for kind in (*schemas(self._pack), REFUSED):
                self._read_facts(kind).createOrReplaceTempView(SET_ASIDE if kind == SET_ASIDE else f"facts_{kind}")
            folded = self._spark.table("facts_case").count()
            refused = self._spark.table(f"facts_{REFUSED}")
            told = refused.orderBy("case_no").limit(MOST_REFUSED).collect()
            number = len(told) if len(told) < MOST_REFUSED else refused.count()
        return Gathered(
            parts=[self._clients()],
            folded=folded,
            refused=[Refused(row.place, row.message) for row in told],
            refused_cases=number,
        )

    def judge(self, least: int = OPEN) -> Path:
        """The findings from an outcome on, in one file."""
        plan = compiled(self._pack, self._as_of, least=least, dialect="spark")
        try:
            with told_in_words("the facts could not be judged"):
                self._make(plan)
                # Each rule has shares of its own until here, most of them small.
                self._spark.sql(plan.findings).coalesce(self._shares).write.parquet(
                    _written(self._findings), mode="overwrite"
                )
        finally:
            for made in self._kept:
                made.unpersist()
            self._kept.clear()
        out = self._work / "findings.parquet"
        with connect(self._work) as connection:
            connection.execute("SET preserve_insertion_order = false")
            query = f"SELECT * FROM {_parquet(self._findings)}"
            write_findings(connection, query, self._pack, out, marks_of(self._pack, self._as_of))
        return out

    # --- folding ---

    def _fold(self, opened: Sequence[tuple[str, Any, int]], on_folded: Callable[[int], None]) -> None:
        context = self._spark.sparkContext
        self._shares = max(context.defaultParallelism, sum(size for *_, size in opened) // SHARE)
        self._spark.conf.set("spark.sql.shuffle.partitions", str(self._shares))
        rows = self._journals(opened).repartition(self._shares, "case_id").sortWithinPartitions("case_id", FILE, ROW)
        cases = context.accumulator(0)
        fold = Fold(self._pack.canonical.decode(), self._as_of, tuple(path for path, *_ in opened))
        folded = rows.mapInArrow(partial(_fold_partition, fold, cases), _ddl(one_for_all(self._pack)))
        with _looking(lambda: on_folded(cases.value)):
            folded.write.partitionBy(KIND).parquet(_written(self._facts), mode="overwrite")
        on_folded(cases.value)

    def _journals(self, opened: Sequence[tuple[str, Any, int]]) -> Any:
        """The rows of all files in one form, each with its file's number and its place there."""
        from pyspark.sql import functions

        numbers = {str(Path(path).resolve()): number for number, (path, *_) in enumerate(opened)}
        columns = [name for name in SCHEMA.names if any(name in schema.names for _, schema, _ in opened)]
        alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for path, schema, _ in opened:
            alike.setdefault(tuple((one.name, str(one.type)) for one in schema), []).append(path)
        found: Any = None
        for held, paths in alike.items():
            read = self._spark.read.parquet(*(_literally(Path(path).resolve()) for path in paths))
            # One place of Spark says file:///name, another file:/name.
            named = [
                (f"{start}{path}", numbers.get(unquote(path)))
                for path in map(_path_of, read.inputFiles())
                for start in ("file:", "file://")
            ]
            made = pa.table([pa.array(part) for part in zip(*named, strict=True)], names=["path", FILE])
            names = functions.broadcast(self._spark.createDataFrame(made))
            rows = read.select(
                *(_column(dict(held).get(name, "null"), name).alias(name) for name in columns),
                functions.col("_metadata.file_path").alias("path"),
                functions.col("_metadata.row_index").alias(ROW),
            )
            # Who knows no number is told by whoever folds: no row is lost here.
            rows = rows.join(names, "path", "left").drop("path")
            found = rows if found is None else found.unionByName(rows)
        return found

    def _read_facts(self, kind: str) -> Any:
        ddl = _ddl(schemas(self._pack)[kind])
        folder = self._facts / f"{KIND}={kind}"
        if not folder.is_dir():
            return self._spark.createDataFrame([], ddl)
        return self._spark.read.schema(ddl).parquet(_literally(folder))

    def _clients(self) -> Path:
        """A part that says who was checked."""
        part = self._work / "part-clients"
        part.mkdir(mode=0o700, exist_ok=True)
        folder = self._facts / f"{KIND}=case"
        cases = _parquet(folder) if folder.is_dir() else "(SELECT NULL::BIGINT AS case_no, '' AS \"case\" LIMIT 0)"
        with connect(self._work) as connection:
            made = quoted(part / "case.parquet")
            connection.execute(f'COPY (SELECT case_no, "case" FROM {cases}) TO {made} (FORMAT parquet)')
        return part

    # --- judging ---

    def _make(self, plan: Plan) -> None:
        """The relations of a plan, kept as they are made: each is read by every rule about it."""
        for step in plan.steps:
            if isinstance(step, Calendar):
                days = [row.day for row in self._spark.sql(step.days).collect()]
                later = [NEVER if day == NEVER else add_workdays(day, step.workdays) for day in days]
                table = pa.table({"day": pa.array(days, pa.date32()), "later": pa.array(later, pa.date32())})
                made = self._spark.createDataFrame(table)
            else:
                made = self._spark.sql(step.sql).persist()
                self._kept.append(made)
            made.createOrReplaceTempView(step.name)


def _fold_partition(fold: Fold, cases: Any, batches: Iterable[Any]) -> Iterator[Any]:
    """What Spark's processes do with the rows of a partition."""
    from pyspark import TaskContext

    return fold_rows(fold, TaskContext.get().partitionId(), batches, cases.add)


def _opened(files: Sequence[str]) -> list[tuple[str, Any, int]]:
    """The files, each with its columns and its size. Raises CheckError for one that is none of journals."""
    found = []
    for path in files:
        file = RowFile(path)
        file.close()
        for column in file.schema:
            if types.is_timestamp(column.type) and column.type.unit == "ns":
                raise CheckError(
                    f"{path}: column {column.name}: found {column.type}, which Spark does not read; "
                    "write it as text, or in microseconds"
                )
        found.append((path, file.schema, Path(path).stat().st_size))
    return found


def _column(held: str, name: str) -> Any:
    """A column in the form that all files have it in, by the type that some hold it in."""
    from pyspark.sql import functions

    if held == "null":
        return functions.lit(None).cast(_READ_AS[name])
    if held.startswith("timestamp"):
        zone = "'Z'" if "tz=" in held else ""
        return functions.date_format(name, f"yyyy-MM-dd'T'HH:mm:ss.SSSSSS{zone}")
    return functions.col(name).cast(_READ_AS[name])


def _ddl(schema: Any) -> str:
    return ", ".join(f"`{field.name}` {_DDL[field.type]}" for field in schema)


def _parquet(folder: Path) -> str:
    """What reads the files of a folder that Spark wrote, for DuckDB."""
    files = ", ".join(quoted(path) for path in sorted(folder.glob("*.parquet")))
    return f"read_parquet([{files}])"


def _literally(path: Path) -> str:
    """A path of the file system in which Spark sees no pattern."""
    return "file://" + "".join(f"\\{sign}" if sign in "*?[]{}\\" else sign for sign in str(path))


def _written(path: Path) -> str:
    return f"file://{path}"


def _path_of(uri: str) -> str:
    return "/" + uri.removeprefix("file:").lstrip("/")


@contextmanager
def _looking(look: Callable[[], None]) -> Iterator[None]:
    """Look now and then while something is done."""
    done = threading.Event()

    def looking() -> None:
        while not done.wait(LOOK):
            look()

    thread = threading.Thread(target=looking, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
