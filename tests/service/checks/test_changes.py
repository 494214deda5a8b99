"""What a check tells to have changed since the last run."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.checks.changes import Compared, compare, keep_as_last, last_run
from service.checks.tables import marks
from tests.service.checks.made import AS_OF, finding, findings, keys, part, rows_of

YESTERDAY = AS_OF - timedelta(days=1)
RULES = ("ts-records-coaching", "days-per-week-1-4")
Rows = list[dict[str, Any]]


def compared(
    folder: Path, before: Rows, now: Rows, clients: tuple[str, ...] = ("a", "b"), rules: tuple[str, ...] = RULES
) -> Compared:
    """Compare two runs; the folder is to be empty."""
    folder.mkdir(exist_ok=True)
    last = findings(folder / "last.parquet", *before, as_of=YESTERDAY)
    found = findings(folder / "findings.parquet", *now)
    return compare(found, (last, YESTERDAY), rules, [part(folder / "part-0", *clients)], None, folder)


def change_of(result: Compared) -> dict[str, str | None]:
    """The change told of each finding, by case."""
    return {row["case"]: row["change"] for row in rows_of(result.findings)}


def test_what_was_not_there_is_new_and_what_was_is_open_still(tmp_path: Path) -> None:
    result = compared(tmp_path, [finding("a")], [finding("a"), finding("b")])
    assert change_of(result) == {"a": "still_open", "b": "new"}
    assert result.changes.new == {"violated": 1, "advised": 0, "unknown": 0}
    assert result.changes.still_open == {"violated": 1, "advised": 0, "unknown": 0}
    assert rows_of(result.settled) == []


def test_what_is_no_longer_found_is_settled_as_it_was(tmp_path: Path) -> None:
    result = compared(tmp_path, [finding("a", outcome="advised", due=AS_OF)], [])
    assert result.changes.settled == {"violated": 0, "advised": 1, "unknown": 0}
    assert [(row["case"], row["outcome"], row["due"]) for row in rows_of(result.settled)] == [("a", "advised", AS_OF)]


@pytest.mark.parametrize(
    "otherwise", [{"rule": RULES[1]}, {"subject_kind": "activity"}, {"subject_entry": "e6"}, {"subject_entry": None}]
)
def test_another_rule_or_subject_is_another_finding(otherwise: dict[str, Any], tmp_path: Path) -> None:
    result = compared(tmp_path, [finding("a")], [finding("a", **otherwise)])
    assert change_of(result) == {"a": "new"}
    assert keys(rows_of(result.settled)) == keys([finding("a")])


def test_a_finding_about_the_case_itself_is_known_again(tmp_path: Path) -> None:
    about = {"subject_kind": "case", "subject_entry": None}
    assert change_of(compared(tmp_path, [finding("a", **about)], [finding("a", **about)])) == {"a": "still_open"}


def test_a_limit_that_has_passed_is_told_of_what_is_open_still(tmp_path: Path) -> None:
    result = compared(
        tmp_path,
        [finding("a", outcome="advised"), finding("b", outcome="unknown", missing=["case.decline_reason"])],
        [finding("a"), finding("b")],
    )
    assert result.changes.fallen_due == 2
    assert change_of(result) == {"a": "still_open", "b": "still_open"}


def test_what_was_late_and_is_in_time_again_has_not_fallen_due(tmp_path: Path) -> None:
    assert compared(tmp_path, [finding("a")], [finding("a", outcome="advised")]).changes.fallen_due == 0


@pytest.mark.parametrize("now", [{"set_aside": "e9", "is_step": False}, {"is_step": False}])
def test_advice_set_aside_or_of_an_episode_that_is_over_is_settled(now: dict[str, Any], tmp_path: Path) -> None:
    result = compared(tmp_path, [finding("a")], [finding("a", **now)])
    assert change_of(result) == {"a": None}
    assert keys(rows_of(result.settled)) == keys([finding("a")])


def test_advice_that_is_back_after_it_was_set_aside_is_new(tmp_path: Path) -> None:
    assert change_of(compared(tmp_path, [finding("a", set_aside="e9", is_step=False)], [finding("a")])) == {"a": "new"}


def test_a_client_who_was_not_checked_settled_nothing(tmp_path: Path) -> None:
    result = compared(tmp_path, [finding("gone"), finding("a")], [], clients=("a",))
    assert result.changes.gone == 1
    assert keys(rows_of(result.settled)) == keys([finding("a")])


def test_a_client_whose_facts_were_dropped_was_not_checked(tmp_path: Path) -> None:
    last = findings(tmp_path / "last.parquet", finding("a"), finding("b"), as_of=YESTERDAY)
    now = findings(tmp_path / "findings.parquet")
    dropped = tmp_path / "dropped.parquet"
    duckdb.sql("SELECT 0::BIGINT AS case_no").write_parquet(str(dropped))
    parts = [part(tmp_path / "part-0", "a", "b")]
    result = compare(now, (last, YESTERDAY), RULES, parts, dropped, tmp_path)
    assert (result.changes.gone, keys(rows_of(result.settled))) == (1, keys([finding("b")]))


def test_no_client_at_all_settles_nothing(tmp_path: Path) -> None:
    last = findings(tmp_path / "last.parquet", finding("a"), as_of=YESTERDAY)
    now = findings(tmp_path / "findings.parquet")
    result = compare(now, (last, YESTERDAY), RULES, [], None, tmp_path)
    assert (result.changes.gone, rows_of(result.settled)) == (1, [])


def test_a_rule_that_is_gone_settled_nothing(tmp_path: Path) -> None:
    result = compared(tmp_path, [finding("a")], [], rules=RULES[1:])
    assert (result.changes.gone, rows_of(result.settled)) == (1, [])


def test_a_folder_may_be_called_anything(tmp_path: Path) -> None:
    assert change_of(compared(tmp_path / 'o\'brien; DROP "x"', [], [finding("a")])) == {"a": "new"}


def test_the_file_keeps_its_marks(tmp_path: Path) -> None:
    result = compared(tmp_path, [], [finding("a")])
    assert marks(result.findings)["as_of"] == "2022-09-05"
    assert marks(result.settled)["as_of"] == "2022-09-04"


SOME = st.lists(
    st.builds(
        finding,
        case=st.sampled_from(["a", "b", "gone"]),
        rule=st.sampled_from(RULES),
        outcome=st.sampled_from(["violated", "advised", "unknown"]),
        subject_entry=st.sampled_from([None, "e1"]),
        is_step=st.booleans(),
    ),
    unique_by=lambda row: (row["case"], row["rule"], row["subject_entry"]),
    max_size=8,
)


@given(before=SOME, now=SOME)
def test_every_finding_has_one_place(before: Rows, now: Rows, tmp_path_factory: pytest.TempPathFactory) -> None:
    now = [row for row in now if row["case"] != "gone"]
    result = compared(tmp_path_factory.mktemp("changes"), before, now)

    def open_in(rows: Rows) -> set[tuple[Any, ...]]:
        return keys(row for row in rows if row["is_step"] or row["outcome"] == "unknown")

    made, changes = rows_of(result.findings), result.changes
    assert keys(row for row in made if row["change"] == "new") == open_in(now) - open_in(before)
    assert keys(row for row in made if row["change"] == "still_open") == open_in(now) & open_in(before)
    gone = {key for key in open_in(before) if key[0] == "gone"}
    assert keys(rows_of(result.settled)) == open_in(before) - open_in(now) - gone
    assert sum(changes.new.values()) + sum(changes.still_open.values()) == len(open_in(now))
    assert changes.gone == len(gone)
    assert sum(changes.still_open.values()) + sum(changes.settled.values()) + changes.gone == len(open_in(before))
    assert [{**row, "change": None} for row in made] == [{**row, "change": None} for row in now]


# --- what is kept ---


def test_the_last_run_is_kept_with_its_day(tmp_path: Path) -> None:
    made = findings(tmp_path / "findings.parquet", finding("a"), as_of=YESTERDAY)
    keep_as_last(made, tmp_path)
    path, day = last_run(tmp_path) or (None, None)
    assert day == YESTERDAY
    assert path is not None
    assert rows_of(path) == rows_of(made)
    assert path.stat().st_mode & 0o777 == 0o600


def test_there_is_no_last_run_at_first(tmp_path: Path) -> None:
    assert last_run(tmp_path) is None


def test_a_last_run_of_another_form_is_not_compared_with(tmp_path: Path) -> None:
    kept = tmp_path / "last-findings.parquet"
    kept.write_bytes(b"PAR1 no")
    assert last_run(tmp_path) is None
    pq.write_table(pq.read_table(findings(tmp_path / "x.parquet", finding("a"))).drop_columns(["is_step"]), kept)
    assert last_run(tmp_path) is None
    table = pq.read_table(findings(tmp_path / "x.parquet", finding("a")))
    pq.write_table(table.replace_schema_metadata({"as_of": "tomorrow"}), kept)
    assert last_run(tmp_path) is None
    pq.write_table(table.replace_schema_metadata(None), kept)
    assert last_run(tmp_path) is None
    pq.write_table(table.replace_schema_metadata({"as_of": "2022-09-05"}), kept)
    assert last_run(tmp_path) == (kept, date(2022, 9, 5))
