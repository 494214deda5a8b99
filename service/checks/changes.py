"""What changed since the last run: which findings are new, which are settled, which are open still.

A finding is known again by its client, its rule and what the rule was about (the kind of episode and the entry that
began it). Compared are findings there is something to do about: next steps, and facts to be found out; what was set
aside, or is about an episode that has ended, is settled.

A client who is not in this run, or could not be read, settled nothing, nor did a rule that is no longer there: their
findings are told apart.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from service.checks.tables import OPEN, connect, quoted, written
from service.checks.whole import whole

#: The findings of the last run, in the folder of what is kept.
LAST = "last-findings.parquet"
NEW, STILL_OPEN = "new", "still_open"
#: The column that tells it.
CHANGE = "change"
_KEY = "{0}.\"case\", {0}.rule, {0}.subject_kind, coalesce({0}.subject_entry, '')"
_NEEDED = '"case", rule, subject_kind, subject_entry, outcome, is_step, as_of'


@dataclass(frozen=True, slots=True)
class Changes:
    """Findings by outcome: new, settled and open still, since a run as of `since`.

    `fallen_due` of those open still were something to be done or to be found out, and are now not in order. `gone` are
    findings of clients, or by rules, that are not in this run.
    """

    since: date
    new: Mapping[str, int]
    settled: Mapping[str, int]
    still_open: Mapping[str, int]
    fallen_due: int
    gone: int

    def as_json(self) -> dict[str, object]:
        """The changes for programs."""
        return {
            "since": self.since.isoformat(),
            "new": dict(self.new),
            "settled": dict(self.settled),
            "still_open": dict(self.still_open),
            "fallen_due": self.fallen_due,
            "gone": self.gone,
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """The findings with a column `change`; those that are settled, as they were; and how many of each."""

    findings: Path
    settled: Path
    changes: Changes


def last_run(keep: Path) -> tuple[Path, date] | None:
    """The findings of the last run and the day they are about; None where there is none, or one of another form."""
    path = keep / LAST
    if not path.is_file():
        return None
    with duckdb.connect() as connection:
        try:
            # Asked for by name: a file of another form has not all of them.
            connection.execute(f"SELECT {_NEEDED} FROM read_parquet(?) LIMIT 0", [str(path)])
            told = connection.execute(
                "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = 'as_of'", [str(path)]
            ).fetchone()
            return (path, date.fromisoformat(told[0])) if told else None
        except (duckdb.Error, ValueError):
            return None


def compare(
    findings: Path,
    last: tuple[Path, date],
    rules: Iterable[str],
    parts: Sequence[Path],
    dropped: Path | None,
    work: Path,
) -> Compared:
    """Compare the findings of this run with the last one's.

    The run's rules are `rules`; its clients those of the `parts` of its facts, without the rows `dropped`.
    """
    before, since = last
    now, settled = work / "findings-with-changes.parquet", work / "settled.parquet"
    with connect(work) as connection:
        connection.execute(f"CREATE VIEW now AS SELECT * FROM read_parquet({quoted(findings)})")
        connection.execute(f"CREATE VIEW before AS SELECT * FROM read_parquet({quoted(before)}) WHERE {OPEN}")
        connection.execute(f"CREATE VIEW open_now AS SELECT * FROM now WHERE {OPEN}")
        connection.execute(_clients(parts, dropped))
        connection.execute("CREATE TABLE rules AS SELECT unnest(?::VARCHAR[]) AS rule", [list(rules)])
        connection.execute(f"CREATE VIEW asked_again AS SELECT * FROM before WHERE {_ASKED_AGAIN}")
        written(connection, _WITH_CHANGE, now, like=findings)
        written(connection, _SETTLED, settled, like=before)
        changes = _count(connection, since, now, settled)
    return Compared(now, settled, changes)


def keep_as_last(findings: Path, keep: Path) -> None:
    """Keep the findings of this run for the next to compare with."""
    with whole(keep / LAST) as file, findings.open("rb") as made:
        shutil.copyfileobj(made, file, 1 << 20)


def _clients(parts: Sequence[Path], dropped: Path | None) -> str:
    files = ", ".join(quoted(part / "case.parquet") for part in parts)
    without = f"WHERE case_no NOT IN (SELECT case_no FROM read_parquet({quoted(dropped)}))" if dropped else ""
    if not files:
        return 'CREATE TABLE clients ("case" VARCHAR)'
    return f'CREATE TABLE clients AS SELECT DISTINCT "case"::VARCHAR AS "case" FROM read_parquet([{files}]) {without}'


def _same(one: str, other: str) -> str:
    return f"({_KEY.format(one)}) = ({_KEY.format(other)})"


_ASKED_AGAIN = '"case" IN (SELECT "case" FROM clients) AND rule IN (SELECT rule FROM rules)'
_WITH_CHANGE = f"""
SELECT now.*, CASE
    WHEN NOT {OPEN} THEN NULL
    WHEN EXISTS (SELECT 1 FROM before WHERE {_same("before", "now")}) THEN '{STILL_OPEN}'
    ELSE '{NEW}' END AS {CHANGE}
FROM now"""
_SETTLED = f"""
SELECT * FROM asked_again WHERE NOT EXISTS (SELECT 1 FROM open_now WHERE {_same("open_now", "asked_again")})
ORDER BY "case", rule, subject_kind, subject_entry"""
_FALLEN_DUE = f"""
SELECT count(*) FROM made WHERE {CHANGE} = '{STILL_OPEN}' AND outcome = 'violated'
    AND EXISTS (SELECT 1 FROM before WHERE {_same("before", "made")} AND before.outcome <> 'violated')"""


def _count(connection: duckdb.DuckDBPyConnection, since: date, now: Path, settled: Path) -> Changes:
    connection.execute(f"CREATE VIEW made AS SELECT * FROM read_parquet({quoted(now)})")

    def by_outcome(source: str) -> dict[str, int]:
        rows = connection.execute(f"SELECT outcome, count(*) FROM {source} GROUP BY outcome").fetchall()
        found = dict(rows)
        return {outcome: found.get(outcome, 0) for outcome in ("violated", "advised", "unknown")}

    def number(query: str) -> int:
        row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    return Changes(
        since=since,
        new=by_outcome(f"made WHERE {CHANGE} = '{NEW}'"),
        settled=by_outcome(f"read_parquet({quoted(settled)})"),
        still_open=by_outcome(f"made WHERE {CHANGE} = '{STILL_OPEN}'"),
        fallen_due=number(_FALLEN_DUE),
        gone=number("SELECT (SELECT count(*) FROM before) - (SELECT count(*) FROM asked_again)"),
    )
