"""The findings of a check as files: for programs, and for people in spreadsheets."""

import csv
import fcntl
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from rules.pack import load_pack
from service import spreadsheets
from service.checks.errors import CheckError
from service.checks.outputs import COLUMNS, KINDS, Results, checked_out, write
from service.checks.whole import whole
from service.words import Words
from tests.service.checks.made import AS_OF, finding, findings, lines_of, rows_of
from tests.service.polku import LANGUAGES

PACK = load_pack()
NOW = datetime(2022, 9, 5, 6, 0, tzinfo=UTC)
#: What a spreadsheet might calculate, follow or fall apart on.
CALCULATED = ("=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://evil";"x")', "\t=1", "http://evil/x", 'a;"b"\nc')
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
REFUSED = [("cases/b.yaml", "line 3: entries[0].date: expected a date"), ("=cmd|' /C calc'!A0", "no case")]


def made(folder: Path, kind: str, *rows: dict[str, Any], lang: Any = "fi", **also: Any) -> Path:
    """Write findings to a file of a kind."""
    out = folder / f"found{kind}"
    results = Results(findings(folder / "in.parquet", *rows), also.get("settled"), also.get("refused", ()))
    write(results, out, PACK, Words(lang), NOW, folder)
    return out


def values(path: Path) -> list[list[str]]:
    """The lines of a CSV file as a Finnish Excel reads it."""
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";", strict=True))


def sheets(path: Path) -> dict[str, list[list[str | float | None]]]:
    """The cells of each worksheet, its headings first; fails where a cell holds a formula or a link leads out."""
    book = zipfile.ZipFile(path)
    assert book.testzip() is None
    assert not [name for name in book.namelist() if "rels" in name and b"http://evil" in book.read(name)]
    names = [sheet.get("name") for sheet in ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{SHEET}sheet")]
    found = {}
    for at, name in enumerate(names, start=1):
        sheet = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{at}.xml"))
        assert not list(sheet.iter(f"{SHEET}f")), "a formula"
        found[str(name)] = [list(_cells(row)) for row in sheet.iter(f"{SHEET}row")]
    return found


def _cells(row: ElementTree.Element) -> Iterator[str | float | None]:
    at = 0
    for cell in row.iter(f"{SHEET}c"):
        column = ord(re.sub(r"\d", "", cell.get("r") or "")) - ord("A")
        yield from (None for _ in range(column - at))
        at = column + 1
        value = cell.find(f"{SHEET}v")
        yield "".join(cell.itertext()) if value is None else float(value.text or "")


# --- for programs ---


def test_parquet_holds_the_findings_as_they_are(tmp_path: Path) -> None:
    rows = [finding("a", due=AS_OF), finding("b", outcome="unknown", missing=["case.decline_reason"])]
    assert rows_of(made(tmp_path, ".parquet", *rows)) == rows


def test_json_lines_tell_each_finding_as_the_interface_does(tmp_path: Path) -> None:
    row = finding("=a", due=AS_OF, set_aside="e9", is_step=False)
    assert lines_of(made(tmp_path, ".jsonl", row)) == [
        {
            "case": "=a",
            "municipality": "Lahti",
            "rule": "ts-records-coaching",
            "outcome": "violated",
            "severity": "obligation",
            "due": "2022-09-05",
            "subject": {"kind": "coaching", "entry": "e5", "current": True},
            "missing": [],
            "set_aside": "e9",
            "judged_on": "2022-09-05",
            "action": "update_implementation_plan",
            "role": "activity_instructor",
            "step": False,
            "as_of": "2022-09-05",
            "pack": {"id": "paijat-hame", "version": "1.0.0"},
        }
    ]


def test_the_same_findings_give_the_same_lines_in_whatever_order_they_came(tmp_path: Path) -> None:
    rows = [finding(case, rule) for case in "cab" for rule in ("ts-records-coaching", "days-per-week-1-4")]
    for kind in (".jsonl", ".csv"):
        one = made(tmp_path, kind, *rows).read_bytes()
        assert made(tmp_path, kind, *reversed(rows)).read_bytes() == one


# --- for people ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_people_read_words(lang: str, tmp_path: Path) -> None:
    row = finding("a", outcome="unknown", is_step=False, missing=["case.plan_checked_on"], severity="quality")
    heading, line = values(made(tmp_path, ".csv", row, lang=lang))
    told = dict(zip(heading, line, strict=True))
    assert len(told) == len(COLUMNS)
    codes = {"unknown", "quality", "case.plan_checked_on", "activity_instructor"}
    assert codes & set(line) == set(), "codes are for programs"
    assert Words(lang)("outcomes", "unknown") in line  # type: ignore[arg-type]
    assert "ts-records-coaching" in line


def test_the_words_of_a_line(tmp_path: Path) -> None:
    path = made(tmp_path, ".csv", finding("a", due=date(2022, 10, 5)))
    assert values(path)[1] == [
        "a",
        "Lahti",
        "Päivitä toteuttamissuunnitelma yhdessä asiakkaan kanssa",
        "sosiaaliohjaaja",
        "2022-10-05",
        "ei kunnossa",
        "velvoite",
        PACK.versions("ts-records-coaching")[-1].title["fi"],
        "",
        "tuettu työhönvalmennus",
        "e5",
        "",
        "2022-09-05",
        "ts-records-coaching",
        "2022-09-05",
        "paijat-hame 1.0.0",
    ]


def test_nothing_is_to_be_done_about_what_is_set_aside_or_over(tmp_path: Path) -> None:
    rows = [finding("a", set_aside="e9", is_step=False), finding("b", is_step=False)]
    _, aside, over = values(made(tmp_path, ".csv", *rows))
    assert (aside[2], aside[11]) == ("", "jätetty sivuun (e9)")
    assert (over[2], over[11]) == ("", "jakso on päättynyt")


def test_the_most_urgent_stands_first(tmp_path: Path) -> None:
    rows = [
        finding("over", is_step=False),
        finding("unknown", outcome="unknown"),
        finding("advice", outcome="advised", severity="recommendation"),
        finding("later", due=date(2022, 9, 4)),
        finding("no date"),
        finding("earlier", due=date(2022, 9, 1)),
        finding("quality", severity="quality", due=date(2022, 8, 1)),
    ]
    found = [line[0] for line in values(made(tmp_path, ".csv", *rows))[1:]]
    assert found == ["earlier", "later", "no date", "quality", "advice", "unknown", "over"]


@pytest.mark.parametrize("kind", [".csv", ".xlsx"])
def test_no_text_is_a_formula(kind: str, tmp_path: Path) -> None:
    rows = [finding(f"c{at}", municipality=text) for at, text in enumerate(CALCULATED)]
    rows += [finding(text) for text in CALCULATED]
    path = made(tmp_path, kind, *rows, refused=REFUSED)
    cells: set[Any] = (
        {cell for line in values(path) for cell in line}
        if kind == ".csv"
        else {cell for lines in sheets(path).values() for line in lines for cell in line}
    )
    if kind == ".csv":
        assert not [cell for cell in cells if cell.startswith(spreadsheets.FORMULA)]
        assert not [c for line in values(tmp_path / "found.refused.csv") for c in line if c.startswith("=")]
    assert {text if kind == ".xlsx" else spreadsheets.plain(text) for text in CALCULATED} <= cells


def test_a_workbook_has_dates_as_dates_and_sheets_of_the_rest(tmp_path: Path) -> None:
    settled = findings(tmp_path / "settled.parquet", finding("b"))
    book = sheets(made(tmp_path, ".xlsx", finding("a", due=AS_OF), settled=settled, refused=REFUSED))
    assert list(book) == ["Kohdat", "Poistunut avoimista", "Tarkistamatta"]
    assert book["Kohdat"][1][4] == (AS_OF - date(1899, 12, 30)).days
    assert book["Poistunut avoimista"][1][0] == "b"
    assert book["Poistunut avoimista"][1][11] == "poistunut avoimista"
    assert [tuple(line) for line in book["Tarkistamatta"][1:]] == REFUSED
    assert [path.name for path in tmp_path.glob("found.*")] == ["found.xlsx"]


@pytest.mark.parametrize("count", [0, 3, 4, 6, 7])
def test_what_a_worksheet_cannot_hold_goes_on_in_another(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_LINES", 4)
    book = sheets(made(tmp_path, ".xlsx", *(finding(f"c{at}") for at in range(count))))
    assert len(book) == max(1, -(-count // 3))
    assert all(len(lines) <= 4 and lines[0] == book["Kohdat"][0] for lines in book.values())
    assert [line[0] for lines in book.values() for line in lines[1:]] == [f"c{at}" for at in range(count)]


def test_no_findings_are_headings_alone(tmp_path: Path) -> None:
    assert len(values(made(tmp_path, ".csv"))) == 1
    assert made(tmp_path, ".jsonl").read_bytes() == b""
    assert rows_of(made(tmp_path, ".parquet")) == []


# --- beside ---


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_what_was_settled_and_who_was_not_checked_stand_beside(kind: str, tmp_path: Path) -> None:
    settled = findings(tmp_path / "settled.parquet", finding("b"))
    made(tmp_path, kind, finding("a"), settled=settled, refused=REFUSED)
    read = {".csv": values, ".jsonl": lines_of, ".parquet": rows_of}[kind]
    assert len(list(read(tmp_path / f"found.settled{kind}"))) == 1 + (kind == ".csv")
    refused: Any = read(tmp_path / f"found.refused{kind}")
    assert [list(row.values()) if isinstance(row, dict) else row for row in refused][-2][1] == REFUSED[0][1]
    made(tmp_path, kind, finding("a"))
    assert [path.name for path in tmp_path.glob("found.*")] == [f"found{kind}"], "those of the run before are gone"


# --- whole or not at all ---


@pytest.mark.parametrize("kind", KINDS)
def test_only_its_owner_reads_a_file(kind: str, tmp_path: Path) -> None:
    path = made(tmp_path, kind, finding("a"))
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    assert made(tmp_path, kind, finding("a")).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_cannot_be_made_leaves_the_one_before(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path, kind, finding("a"))
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        made(tmp_path, kind, finding("b"))
    assert path.read_bytes() == before
    assert list(tmp_path.glob(".*")) == []


def test_a_fault_while_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        made(tmp_path, ".csv", finding("a"), finding("b", severity="grave"))
    assert list(tmp_path.glob("found*")) + list(tmp_path.glob(".*")) == []


def test_what_a_killed_run_left_is_written_over(tmp_path: Path) -> None:
    left = tmp_path / ".found.csv.part"
    left.write_bytes(b"half a file of clients, longer than what comes" * 100)
    left.chmod(0o644)
    path = tmp_path / "found.csv"
    with whole(path) as file:
        file.write(b"all")
    assert path.read_bytes() == b"all"
    assert (path.stat().st_mode & 0o777, left.exists()) == (0o600, False)


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "found.csv"
    with whole(path) as file:
        file.write(b"one")
        with pytest.raises(CheckError, match="another run is writing this file"), whole(path) as other:
            other.write(b"two")
    assert path.read_bytes() == b"one"


def test_a_file_that_was_just_finished_is_not_written_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, waiting = tmp_path / "found.csv", tmp_path / ".found.csv.part"
    really = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", really)
        waiting.replace(path)  # the other run ends between the opening of the file and the claim on it
        really(descriptor, how)

    waiting.write_bytes(b"finished")
    monkeypatch.setattr(fcntl, "flock", late)
    with whole(path) as file:
        file.write(b"half")
        file.flush()
        assert path.read_bytes() == b"finished"


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / ".found.csv.part").symlink_to(other)
    with pytest.raises(OSError, match="symbolic"), whole(tmp_path / "found.csv") as file:
        file.write(b"x")
    assert other.read_text() == "mine"


# --- names ---


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("found", "the ending tells what to write: .parquet, .csv, .xlsx, .jsonl; and it has none"),
        ("found.xls", "not .xls"),
        ("none/found.csv", "there is no such folder"),
        ("folder.csv", "is a folder"),
    ],
)
def test_a_name_that_cannot_be_is_refused(name: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(CheckError, match=re.escape(told)):
        checked_out(tmp_path / name)


def test_json_lines_are_json_whatever_they_hold(tmp_path: Path) -> None:
    path = made(tmp_path, ".jsonl", finding("a\n\u2028\x85b"))
    assert [json.loads(line)["case"] for line in path.read_bytes().split(b"\n")[:-1]] == ["a\n\u2028\x85b"]
