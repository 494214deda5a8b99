"""From a caseload, wherever it is kept, to its facts on disk, ready to be judged.

Without kept facts every case is read and folded. With them, the source is listed first: a case whose journal is what it
was and whose facts hold on the day is not read again. Cases that cannot be read are told with their places, and so are
cases that share an id: which of them is the client's nobody here can know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from rules.pack import Pack
from rules.reading import shown_name
from service.checks.errors import CheckError
from service.checks.facts import CaseFolder, FactsWriter, write_table
from service.checks.folding import Refused, Task, fold_all
from service.checks.kept import Kept, opened
from service.checks.reading import Batch, Files, Listed, Source
from service.checks.tables import connect, quoted
from service.checks.whole import OWNER_ONLY

#: What is told of progress: cases done, and how many there are, as far as that can be told yet.
OnProgress = Callable[[int, int | None], None]
#: Cases that could not be read are told one by one up to here, and counted beyond.
MOST_REFUSED = 100_000
MEMORY = "512MB"
_LISTED = pa.schema(
    [
        ("number", pa.int64()),
        ("container", pa.string()),
        ("at", pa.int64()),
        ("place", pa.string()),
        ("case_id", pa.string()),
        ("version", pa.string()),
    ]
)
_PAGE = 20_000
#: Of cases that share an id, how many are told with each.
MOST_SHARING = 5
_Places = Callable[[Sequence[int]], dict[int, str]]
#: Kept facts that hold on the day, of the cases whose journals are known by what they were. Journals of which two are
#: the same are read: their cases share an id, which is told.
_HELD = """
CREATE TABLE held AS
WITH kept AS (SELECT case_no, "case", version FROM kept WHERE folded_on <= $day AND holds_until >= $day),
once AS (
    SELECT any_value(number) AS number, case_id, version FROM listing
    WHERE version <> '' GROUP BY case_id, version HAVING count(*) = 1)
SELECT number, max(case_no) AS case_no FROM (
    SELECT once.number, kept.case_no FROM once JOIN kept
        ON kept.version = once.version AND kept."case" = once.case_id
    UNION ALL
    SELECT once.number, kept.case_no FROM once JOIN kept ON kept.version = once.version WHERE once.case_id IS NULL
) GROUP BY number"""
_KEPT = (
    'SELECT case_no, "case", version, folded_on, holds_until, filename FROM read_parquet([{files}], filename = true)'
)
_NONE_KEPT = (
    "SELECT 0::BIGINT AS case_no, '' AS \"case\", '' AS version, DATE '1900-01-01' AS folded_on,"
    " DATE '1900-01-01' AS holds_until, '' AS filename WHERE false"
)
#: The facts that count. `made` are those of this run.
_LIVE = """
CREATE VIEW live AS
SELECT case_no, "case", version, number FROM kept JOIN held USING (case_no)
UNION ALL SELECT case_no, "case", version, case_no - {first} FROM made"""
_SHARED = """
SELECT "case", case_no, number FROM live
WHERE "case" IN (SELECT "case" FROM live GROUP BY "case" HAVING count(*) > 1) ORDER BY "case", number"""
_OUTDATED = "SELECT case_no FROM kept ANTI JOIN held USING (case_no)"
#: Of a database the version begins with the region: two regions may have a case of the same id.
_GONE = """
WITH here AS (SELECT DISTINCT "case", regexp_extract(version, '^(.*)/[0-9]+$', 1) AS region FROM live)
SELECT DISTINCT filename FROM (
    SELECT "case", regexp_extract(version, '^(.*)/[0-9]+$', 1) AS region, filename FROM kept
) ANTI JOIN here USING ("case", region)"""


@dataclass(slots=True)
class Gathered:
    """The facts of a caseload: parts, and the Parquet file of case_no in them that do not count (None: all do).

    `cases` count, `folded` of them just now and `reused` from what was kept. `refused` are those that could not be
    read, told one by one, and `refused_cases` how many they are, should they be too many to tell.
    """

    parts: list[Path]
    dropped: Path | None = None
    folded: int = 0
    reused: int = 0
    refused: list[Refused] = field(default_factory=list)
    refused_cases: int = 0

    @property
    def cases(self) -> int:
        """The cases whose facts count."""
        return self.folded + self.reused


def gather(
    source: str,
    pack: Pack,
    as_of: date,
    *,
    work: Path,
    keep: Path | None = None,
    processes: int = 2,
    on_progress: OnProgress = lambda done, total: None,
    region: str | None = None,
) -> Gathered:
    """The facts of every case of a source on a day: a file or folder of journals, or the URL of a database (of it one
    `region`, or all). What is made lies in `work`, which is empty, or with the facts kept in `keep`.

    The total told to `on_progress` is an estimate as long as the source does not say. Raises CheckError, OSError and
    StoreError where nothing can be read, and ValueError for a day that no journal reaches.
    """
    CaseFolder(pack, as_of)  # refuses the day before any work is done
    with _opened(source, region) as found:
        run = _Run(found, Task(pack, as_of, work), work, processes, on_progress)
        if keep is None:
            return run.of_all()
        with opened(keep, pack) as kept:
            return run.of_changed(kept)


@contextmanager
def _opened(source: str, region: str | None) -> Iterator[Source]:
    from service.checks.stored import is_database, stored  # only for a database

    if is_database(source):
        with stored(source, region) as database:
            yield database
        return
    if region is not None:
        raise CheckError("a region is part of a database; files of journals have none")
    yield Files(Path(source))


class _Run:
    """One gathering."""

    def __init__(self, source: Source, task: Task, work: Path, processes: int, on_progress: OnProgress) -> None:
        self._source = source
        self._task = task
        self._work = work
        self._processes = processes
        self._on_progress = on_progress
        self._database = connect(work, MEMORY)
        self._found = Gathered([])

    def of_all(self) -> Gathered:
        """Every case folded."""
        with closing(self._database):
            self._fold(self._source.batches(), self._source.weight, self._source.cases())
            self._database.execute(f"CREATE VIEW kept AS {_NONE_KEPT}")
            self._database.execute("CREATE TABLE held (number BIGINT, case_no BIGINT)")
            self._drop(self._found.parts, self._places_by_reading)
        self._have_a_part()
        return self._found

    def of_changed(self, kept: Kept) -> Gathered:
        """The cases folded whose kept facts do not count, and the rest as it was kept."""
        with closing(self._database) as database:
            listing = self._list()
            database.execute(f"CREATE VIEW listing AS SELECT * FROM read_parquet({quoted(listing)})")
            database.execute(f"CREATE TABLE kept AS {_files(kept.parts)}")
            database.execute(_HELD, {"day": self._task.as_of})
            self._found.reused, first, cases = _row(
                database,
                "SELECT (SELECT count(*) FROM held), (SELECT coalesce(max(case_no) + 1, 0) FROM kept),"
                " (SELECT count(*) FROM listing)",
            )
            self._task = Task(self._task.pack, self._task.as_of, kept.folder, first)
            self._fold(self._source.listed(self._wanted()), None, cases, kept)
            made, self._found.parts = self._found.parts, kept.parts
            dropped = self._drop(made, self._places_listed)
            kept.put_together(dropped, self._with_gone(), first + cases)
            self._found.parts = kept.parts
        self._have_a_part()
        return self._found

    # --- folding ---

    def _fold(self, batches: Iterator[Batch], weight: int | None, cases: int | None, kept: Kept | None = None) -> None:
        found, seen, weighed = self._found, 0, 0
        self._on_progress(found.reused, cases)
        with closing(fold_all(batches, self._task, self._processes)) as results:
            for done in results:
                found.folded += done.folded
                found.refused += done.refused[: MOST_REFUSED - len(found.refused)]
                found.refused_cases += len(done.refused)
                found.parts += done.parts
                if kept is not None:
                    kept.add(done.parts)
                seen, weighed = seen + done.cases, weighed + done.weight
                if cases is None and weight and weighed:
                    estimate = max(seen, round(seen * weight / weighed))
                    self._on_progress(seen, estimate)
                else:
                    self._on_progress(found.reused + seen, cases)

    def _have_a_part(self) -> None:
        """Facts of no case are facts too: whoever judges them finds their tables."""
        if not self._found.parts:
            writer = FactsWriter(self._work / "part-none", self._task.pack)
            writer.close()
            self._found.parts = [writer.folder]

    def _list(self) -> Path:
        path = self._work / "listing.parquet"
        path.touch(OWNER_ONLY)
        left = self._source.listing()
        with pq.ParquetWriter(path, _LISTED) as writer:
            while some := list(islice(left, _PAGE)):
                columns = zip(zip(*some, strict=True), _LISTED, strict=True)
                arrays = [pa.array(values, column.type) for values, column in columns]
                writer.write_batch(pa.record_batch(arrays, schema=_LISTED))
        return path

    def _wanted(self) -> Iterator[Listed]:
        cursor = self._database.cursor()
        cursor.execute("SELECT * FROM listing ANTI JOIN held USING (number) ORDER BY number")
        while rows := cursor.fetchmany(_PAGE):
            yield from map(Listed._make, rows)
        cursor.close()

    # --- what does not count ---

    def _drop(self, made: Sequence[Path], places: _Places) -> Any:
        """Refuse the cases that share an id, and note which facts do not count; their case_no, as an Arrow array."""
        database = self._database
        database.execute(f"CREATE VIEW made AS {_files(made)}; {_LIVE.format(first=self._task.first)}")
        shared = self._refuse_shared(places)
        outdated = database.execute(_OUTDATED).fetchall()
        dropped = pa.array([*(case_no for (case_no,) in outdated), *shared], pa.int64())
        if len(dropped):
            self._found.dropped = self._work / "dropped.parquet"
            write_table(pa.table({"case_no": dropped}), self._found.dropped)
        return dropped

    def _refuse_shared(self, places: _Places) -> list[int]:
        """Refuse the cases that share an id; their case_no."""
        if self._source.ids_are_keys:
            return []
        shared = self._database.execute(_SHARED).fetchall()
        stands = places([number for _, _, number in shared]) if shared else {}
        found = self._found
        for case_id, same in groupby(shared, key=itemgetter(0)):
            cases = list(same)
            message = shared_id(case_id, [stands[number] for _, _, number in cases])
            room = max(MOST_REFUSED - len(found.refused), 0)
            found.refused += [Refused(stands[number], message) for _, _, number in cases[:room]]
        reused = sum(case_no < self._task.first for _, case_no, _ in shared)
        found.reused -= reused
        found.folded -= len(shared) - reused
        found.refused_cases += len(shared)
        return [case_no for _, case_no, _ in shared]

    def _places_listed(self, numbers: Sequence[int]) -> dict[int, str]:
        asked = {"numbers": list(numbers)}
        query = "SELECT number, place FROM listing WHERE number IN (SELECT unnest($numbers))"
        return dict(self._database.execute(query, asked).fetchall())

    def _places_by_reading(self, numbers: Sequence[int]) -> dict[int, str]:
        wanted = frozenset(numbers)
        return {
            number: place for batch in self._source.batches() for number, place in batch.places() if number in wanted
        }

    def _with_gone(self) -> set[str]:
        """The kept parts that hold facts of cases the source no longer has."""
        return {Path(file).parent.name for (file,) in self._database.execute(_GONE).fetchall()}


def shared_id(case_id: str, places: Sequence[str]) -> str:
    """Why none of the cases that share an id is checked."""
    told = ", ".join(places[:MOST_SHARING])
    return f"case.id: {shown_name(case_id)} is the id of {len(places)} cases ({told}); none of them was checked"


def _row(database: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    found = database.execute(query).fetchone()
    return tuple(map(int, found or ()))


def _files(parts: Sequence[Path]) -> str:
    """What reads the cases of parts."""
    files = ", ".join(quoted(part / "case.parquet") for part in parts)
    return _KEPT.format(files=files) if files else _NONE_KEPT
