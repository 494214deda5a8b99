"""The export byte by byte, and how it is written."""

import hashlib
import io
import json
import random
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.audit.export import Exported, Origin, export, export_to
from service.audit.faults import Fault
from tests.service.audit.chains import Records, case_chain, disposed_of, moment, ordered, read_chain, report_on
from tests.service.audit.chains import kept as link_of

ORIGIN = Origin("paijat-hame", moment(3_000_000), "polku 0.1.0")


def records() -> Records:
    """Two chains, one of a case disposed of."""
    draw = random.Random(1)
    return ordered([disposed_of(case_chain(draw, 0, 2), draw, 1_000_000), read_chain(draw, 0, 2)])


def written(kept: Records, rows: tuple[Fault, ...] = ()) -> bytes:
    """An export."""
    out = io.BytesIO()
    export(out, ORIGIN, kept, rows)
    return out.getvalue()


def test_the_export_byte_by_byte() -> None:
    kept, content = records(), written(records())
    lines = content.split(b"\n")
    assert lines[0] == (
        b'{"at":"'
        + ORIGIN.at.encode()
        + b'","format":"polku-audit","program":"polku 0.1.0","region":"paijat-hame","v":1}'
    )
    for number, item in enumerate(kept):
        body, record = lines[1 + 2 * number : 3 + 2 * number]
        assert hashlib.sha256(body).hexdigest() == item.link.hash
        assert json.loads(body)["prev"] == item.link.prev
        if item.salt is None:
            assert record == b"-"
        else:
            salt, payload = record.split(b" ", 1)
            assert (salt, payload) == (item.salt.encode(), (item.payload or "").encode())
            assert hashlib.sha256(bytes.fromhex(salt.decode()) + payload).hexdigest() == item.link.digest
    last = b'{"chains":2,"links":5,"rows":[]'
    held = b"".join(line + b"\n" for line in (lines[0], *lines[1:-2:2])) + last
    assert lines[-2:] == [last + b',"sha256":"' + hashlib.sha256(held).hexdigest().encode() + b'"}', b""]


def test_of_nothing_there_is_an_export_too() -> None:
    out = io.BytesIO()
    assert export(out, ORIGIN, []) == Exported(0, 0, 0)
    assert report_on(out.getvalue()).count == 0


def test_rows_that_disagree_are_told_by_the_verifier() -> None:
    rows = (Fault("case/0", 3, "the row of entry has another position"), Fault("case/0", None, "\x1b[2Jä"))
    report = report_on(written(records(), rows))
    assert report.faults == [
        "the service's database: case/0 link 3: the row of entry has another position",
        "the service's database: case/0: ?[2Jä",
    ]
    assert report_on(written(records(), rows).replace(b'"rows":["case/0 link 3', b'"rows":["case/1 link 3')).count == 3


@pytest.mark.parametrize("rows", [b"{}", b"5", b'"text"', b"[5]", b'["\\ud800"]', b"null", b'{"a":1}'])
def test_an_end_line_with_other_rows_is_refused(rows: bytes) -> None:
    assert report_on(written(records()).replace(b'"rows":[]', b'"rows":' + rows)).count


def test_of_very_many_rows_the_first_are_named() -> None:
    rows = tuple(Fault("case/0", number, "x") for number in range(5000))
    assert report_on(written(records(), rows)).count == 1000


def test_rows_are_looked_at_after_the_records() -> None:
    """Both come from one snapshot; a store may have one cursor at a time."""
    order: list[str] = []

    def noted(name: str) -> Iterator[Fault]:
        order.append(name)
        yield from ()

    def kept() -> Iterator[object]:
        yield from records()
        order.append("records")

    export(io.BytesIO(), ORIGIN, kept(), noted("rows"))  # type: ignore[arg-type]
    assert order == ["records", "rows"]


def test_a_line_break_put_into_a_record_makes_no_lines() -> None:
    kept = records()
    item = kept[-1]
    harmed = replace(item, payload=f'{{"a":\n{item.payload}')
    assert written([*kept[:-1], harmed]).count(b"\n") == written(kept).count(b"\n")
    found = report_on(written([*kept[:-1], harmed])).faults
    assert found == [f"{item.link.chain} link 2: its record or salt was altered: the link commits to another"]


@pytest.mark.parametrize(
    ("text", "kept"), [("a b", "a b"), ("a\ufffdb", "a\ufffdb"), ("a?b", "a?b"), ("a\nb", "a\\nb")]
)
def test_a_line_break_put_in_place_of_a_letter_is_not_healed(text: str, kept: str) -> None:
    draw = random.Random(1)
    item = link_of(None, "case/0123456789abcdef", "opened", 1, {"text": text}, moment(0), draw)
    assert item.payload == f'{{"text":"{kept}"}}'
    assert report_on(written([item])).count == 0
    assert report_on(written([replace(item, payload='{"text":"a\nb"}')])).count == 1


def test_a_link_that_is_no_json_is_written_so_that_it_is_refused() -> None:
    kept = records()
    harmed = [*kept[:-1], kept[-1].but(at=b"\xff")]
    assert report_on(written(harmed)).count


def test_the_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def broken() -> Iterator[object]:
        yield records()[0]
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        export_to(tmp_path / "export", ORIGIN, broken())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    assert export_to(tmp_path / "export", ORIGIN, records()) == Exported(5, 2, 0)
    assert (tmp_path / "export").read_bytes() == written(records())
    assert stat.S_IMODE((tmp_path / "export").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["export"]
