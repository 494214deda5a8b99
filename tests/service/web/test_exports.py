"""The list of clients as a file: what is in it, and what a spreadsheet must not make of it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from service.spreadsheets import FORMULA
from service.store import Database
from service.web.exporting import COLUMNS
from service.words import Words
from tests.service.api import world
from tests.service.api.asking import Client
from tests.service.api.conftest import SETTINGS
from tests.service.api.people import AINO
from tests.service.api.world import REGION, actor, showing
from tests.service.conftest import Clock
from tests.service.outlooks import open_many
from tests.service.web.caseloads import STRANGER, VILMA, caseload, opened, up_to_date
from tests.service.web.looking import look

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
#: The day that workbooks count from.
FIRST_DAY = date(1899, 12, 30)
#: Names that a spreadsheet might calculate, follow or fall apart on.
CALCULATED = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://evil";"x")',
    "=cmd|' /C calc'!A0",
    "http://evil/x",
    'a;"b"',
    "שרה כהן",
)


def values(client: Client, query: str = "", lang: str = "fi") -> list[list[str]]:
    """The lines of the CSV file."""
    answer = look(client, f"/clients/export.csv{query}", lang=lang).answer
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";", strict=True))


def cells(client: Client, query: str = "", lang: str = "fi") -> list[list[str | float | None]]:
    """The cells of the workbook: texts as text, dates as their numbers; fails where a cell holds a formula."""
    answer = look(client, f"/clients/export.xlsx{query}", lang=lang).answer
    book = zipfile.ZipFile(io.BytesIO(answer.content))
    assert book.testzip() is None
    shared = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
    texts = ["".join(part.text or "" for part in item.iter(f"{SHEET}t")) for item in shared.iter(f"{SHEET}si")]
    sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{SHEET}f")), "a formula"
    assert not [name for name in book.namelist() if "rels" in name and b"http://evil" in book.read(name)]
    return [_row(row, texts) for row in sheet.iter(f"{SHEET}row")]


def _row(row: ElementTree.Element, texts: list[str]) -> list[str | float | None]:
    found: list[str | float | None] = [None] * len(COLUMNS)
    for cell in row.iter(f"{SHEET}c"):
        letters = re.sub(r"\d", "", cell.get("r") or "")
        value = cell.find(f"{SHEET}v")
        if value is not None and value.text is not None:
            held: str | float = texts[int(value.text)] if cell.get("t") == "s" else float(value.text)
            found[ord(letters) - ord("A")] = held
    return found


@pytest.fixture
def worker(anyone: Client) -> Client:
    """A social worker with four clients, and one of a colleague's."""
    caseload(anyone)
    opened(anyone, "colleagues", name="Vieras Tuttu", by=VILMA)
    return showing(anyone, AINO)


def test_both_files_hold_the_list_with_dates_as_dates(worker: Client) -> None:
    plain, book = values(worker), cells(worker)
    assert plain[0] == book[0] == [Words("fi")("export", heading) for heading, _ in COLUMNS]
    assert [line[0] for line in plain[1:]] == ["Lahja Loppunut", "Sirpa Åkerman", "Tauno Tauko", "Äidin Onni"]
    assert plain[2][:8] == [
        "Sirpa Åkerman", "soon", "Orimattila", "Työkokeilu",
        "Sovi asiakkaan kanssa, jatkuuko vai päättyykö kuntouttava työtoiminta", "omatyöntekijä", "2026-11-25",
        "määräpäivä lähestyy",
    ]  # fmt: skip
    assert book[2][:6] == plain[2][:6]
    due = book[2][6]
    assert isinstance(due, float)
    assert FIRST_DAY + timedelta(days=due) == date(2026, 11, 25)
    assert "omatyöntekijä: aino" in plain[2]


def test_headings_are_in_the_readers_language(worker: Client) -> None:
    for lang, heading in (("sv", "Klient"), ("en", "Client")):
        assert values(worker, lang=lang)[0][0] == cells(worker, lang=lang)[0][0] == heading


def test_the_files_keep_the_filters_and_have_no_pages(worker: Client) -> None:
    assert [line[1] for line in values(worker, "?due=overdue")[1:]] == ["late"]
    assert [line[1] for line in values(worker, "?mine=0&q=vieras")[1:]] == ["colleagues"]
    assert len(cells(worker, "?page=7")) == 5
    assert len(values(worker, "?q=zzz")) == len(cells(worker, "?q=zzz")) == 1


def test_a_file_holds_more_than_a_page(anyone: Client, sqlite: Database) -> None:
    with sqlite.write(REGION) as unit:
        open_many(unit, 70)
    up_to_date(anyone)
    assert len(values(showing(anyone, AINO))) == len(cells(showing(anyone, AINO))) == 71


def test_whoever_takes_very_many_clients_along_is_noticed_and_whoever_looks_at_a_list_is_not(
    anyone: Client, sqlite: Database
) -> None:
    with sqlite.write(REGION) as unit:
        open_many(unit, SETTINGS.snooping_clients_per_hour + 1)
    readers = anyone.app.state.service.watch.readers
    assert look(showing(anyone, AINO), "/clients").status == 200
    assert readers.unusual() == 0
    values(showing(anyone, AINO))
    assert readers.unusual() == 1


def test_a_name_is_never_calculated(worker: Client) -> None:
    for name in CALCULATED:
        assert worker.put("/v1/cases/calm/identity", {"name": name}).status_code == 200
        (plain,) = [line for line in values(worker) if line[1] == "calm"]
        assert plain[0] == (f"'{name}" if name.startswith(FORMULA) else name)
        (book,) = [line for line in cells(worker) if line[1] == "calm"]
        assert book[0] == name


def test_a_file_is_saved_under_a_name_with_the_day_and_kept_by_nobody_on_the_way(worker: Client) -> None:
    for end, kind in (
        ("csv", "text/csv; charset=utf-8"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ):
        headers = look(worker, f"/clients/export.{end}").answer.headers
        assert headers["content-disposition"] == f'attachment; filename="polku-asiakkaat-2026-11-20.{end}"'
        assert (headers["content-type"], headers["cache-control"]) == (kind, "no-store")
        assert headers["x-content-type-options"] == "nosniff"


def test_every_client_in_a_file_has_it_on_record(worker: Client) -> None:
    look(worker, "/clients/export.xlsx?due=overdue")
    look(worker, "/clients/export.csv?due=overdue")
    for case, times in (("late", 2), ("calm", 0)):
        reads = worker.get(f"/v1/cases/{case}/reads").json()["items"]
        assert [read["what"] for read in reads].count("cases exported") == times


def test_who_is_not_logged_in_or_a_stranger_gets_no_client(worker: Client, anyone: Client) -> None:
    stranger = showing(anyone, STRANGER)
    assert len(values(stranger, "?mine=0")) == len(cells(stranger, "?mine=0")) == 1
    for end in ("csv", "xlsx"):
        assert look(anyone, f"/clients/export.{end}").status == 303


def test_nothing_withheld_is_in_a_file(anyone: Client, sqlite: Database, clock: Clock) -> None:
    world.settled(anyone, sqlite, clock())
    for role, relation in world.actors():
        _holds_no_more(anyone, role, relation)


def _holds_no_more(anyone: Client, role: str, relation: str) -> None:
    user = showing(anyone, actor(role, relation))
    rows = values(user, "?mine=0")[1:]
    assert len(rows) == len(user.get("/v1/cases").json()["items"])
    if not rows:
        return
    (row,) = rows
    told = dict(zip((heading for heading, _ in COLUMNS), row, strict=True))
    case = user.get(f"/v1/cases/{world.CLIENT}")
    header = case.json()["case"] if case.status_code == 200 else {}
    assert told["municipality"] == header.get("municipality", "")
    assert (told["name"] != "") == (user.get(f"/v1/cases/{world.CLIENT}/identity").status_code == 200)
    steps = user.get(f"/v1/cases/{world.CLIENT}/next-steps?lang=fi")
    if steps.status_code != 200:
        assert (told["stage"], told["step"], told["other_steps"], told["about"]) == ("", "", "", "")
    else:
        texts = [step["text"] for step in steps.json()["next_steps"]]
        assert [told["step"], *told["other_steps"].split("; ")] == (texts if len(texts) > 1 else [*texts, ""])
    assert not any(text in str(row) for text in (world.NOTE, world.SECRET_REASON, world.ACKNOWLEDGED))
