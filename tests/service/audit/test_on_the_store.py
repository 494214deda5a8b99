"""Chains, rows, export and checkpoints on real databases, with someone who can change anything in them."""

from __future__ import annotations

import io
import threading
from datetime import date
from pathlib import Path

import pytest

from service.audit.chain import timestamp
from service.audit.checkpoints import new_keys, private_key, public_key, read_checkpoints, write_checkpoint
from service.audit.export import Origin, export
from service.audit.verify import Coverage, Verified, verify
from service.rights.disposal import dispose
from service.rights.retention import retention
from service.store import Database
from tests.helpers import entry
from tests.service.audit.chains import Signed, report_on
from tests.service.audit.conftest import PLANTED, Tamper
from tests.service.recording.conftest import REGION, Place, worker


def exported(place: Place, database: Database | None = None) -> bytes:
    """The export of the region as it stands."""
    out = io.BytesIO()
    with (database or place.database).read(REGION) as unit:
        origin = Origin(REGION, timestamp(place.clock()), "polku test")
        export(out, origin, unit.chains.records(), unit.agreement.faults())
    return out.getvalue()


def looked(place: Place, signed: Signed | None = None, database: Database | None = None) -> Verified:
    """The service's own look, rows included."""
    series = [] if signed is None else read_checkpoints(signed.folder, [public_key(signed.public)])[0]
    with (database or place.database).read(REGION) as unit:
        found = verify(unit.chains.records(), Coverage(series), place.clock())
        found.tell(unit.agreement.faults())
    return found


@pytest.fixture
def signed(filled: Place, tmp_path: Path) -> Signed:
    """A checkpoint of the filled database."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    new_keys(folder / "key.pem")
    with filled.database.read(REGION) as unit:
        heads = list(unit.chains.heads())
    key = private_key(folder / "key.pem")
    made = write_checkpoint(folder, key, REGION, heads, timestamp(filled.clock()), None)
    return Signed(folder, folder / "key.pem.pub", (made,))


def test_what_the_service_recorded_is_whole(filled: Place, signed: Signed) -> None:
    found = looked(filled, signed)
    assert [str(fault) for fault in found.faults] == []
    report = report_on(exported(filled), signed)
    assert report.faults == []
    assert report.links == found.links > 40
    assert report.chains == found.chains == 6
    assert report.newer == 0


def test_heads_of_the_store_are_heads_of_the_look(filled: Place) -> None:
    with filled.database.read(REGION) as unit:
        assert list(unit.chains.heads()) == looked(filled).heads


def test_an_auditor_who_may_only_read_can_do_all_of_it(
    filled: Place, signed: Signed, engine: str, urls: object
) -> None:
    auditor = Database(urls.auditor)  # type: ignore[attr-defined]
    try:
        assert looked(filled, signed, auditor).whole
        assert report_on(exported(filled, auditor), signed).count == 0
    finally:
        auditor.close()


#: What each statement does to the records; CASE is a case's chain, LAST the last link of it.
FIRST = "(SELECT chain FROM case_record WHERE id = 'case-0')"
OTHER = "(SELECT chain FROM case_record WHERE id = 'case-1')"
TAMPERING = {
    "a note altered": f"UPDATE entry SET payload = replace(payload, '{PLANTED} 2', 'nothing') WHERE case_id = 'case-0'",
    "a decision altered": "UPDATE decision SET payload = replace(payload, '\"determined\"', '\"undetermined\"')"
    " WHERE case_id = 'case-0' AND version = 2",
    "a salt altered": f"UPDATE entry SET salt = '{'0' * 64}' WHERE case_id = 'case-0' AND position = 3",
    "an entry deleted": "DELETE FROM entry WHERE case_id = 'case-0' AND position = 5",
    "the last entry deleted": "DELETE FROM entry WHERE case_id = 'case-0' AND position = 8",
    "a decision deleted": "DELETE FROM decision WHERE case_id = 'case-0' AND version = 4",
    "an event deleted": "DELETE FROM event WHERE kind = 'emergency_access'",
    "a read deleted": 'DELETE FROM read_log WHERE "user" = \'w-3\'',
    "a link deleted": f"DELETE FROM link WHERE chain = {FIRST} AND seq = 4",
    "the last link deleted": f"DELETE FROM link WHERE chain = {FIRST}"
    f" AND seq = (SELECT max(seq) FROM link WHERE chain = {FIRST})",
    "every link of a case deleted": f"DELETE FROM link WHERE chain = {FIRST}",
    "a link's time altered": f"UPDATE link SET at = '2026-03-02T10:00:00.000000Z' WHERE chain = {FIRST} AND seq = 6",
    "a link's hash altered": f"UPDATE link SET hash = '{'0' * 64}' WHERE chain = {FIRST} AND seq = 6",
    "a link's version altered": f"UPDATE link SET version = 9 WHERE chain = {FIRST} AND seq = 6",
    "a link's kind altered": f"UPDATE link SET kind = 'disposed' WHERE chain = {FIRST} AND seq = 6",
    "a link renumbered": f"UPDATE link SET seq = 60 WHERE chain = {FIRST} AND seq = 6",
    "a chain renamed": f"UPDATE link SET chain = 'case/ffffffffffffffff' WHERE chain = {FIRST}",
    "an entry put in": "INSERT INTO entry (region, case_id, entry_id, position, version, chain, seq, salt, payload)"
    " SELECT region, case_id, 'e99', 99, version, chain, 99, salt, payload FROM entry"
    " WHERE case_id = 'case-0' AND position = 3",
    "an entry put in for a decision's link": "INSERT INTO entry"
    " (region, case_id, entry_id, position, version, chain, seq, salt, payload)"
    " SELECT region, case_id, 'e99', 99, version, chain, seq, salt, payload FROM decision"
    " WHERE case_id = 'case-0' AND version = 3",
    "two entries in each other's place": "UPDATE entry SET position = -position WHERE case_id = 'case-0'",
    "an entry under another case": "UPDATE entry SET case_id = 'case-1', position = 70, entry_id = 'e70'"
    " WHERE case_id = 'case-0' AND position = 4",
    "an entry's id altered": "UPDATE entry SET entry_id = 'e77' WHERE case_id = 'case-0' AND position = 4",
    "an entry's version altered": "UPDATE entry SET version = 4 WHERE case_id = 'case-0' AND position = 4",
    "a decision called undetermined": "UPDATE decision SET status = 'undetermined' WHERE version = 2",
    "a decision of someone else": "UPDATE decision SET recorded_by = 'w-8' WHERE case_id = 'case-0' AND version = 2",
    "a decision of another time": "UPDATE decision SET recorded_at = '2026-03-02T10:00:00.000001Z' WHERE version = 2",
    "a decision of another id": "UPDATE decision SET id = 'x' WHERE case_id = 'case-0' AND version = 2",
    "a decision not acknowledged": "UPDATE decision SET acknowledged = NOT acknowledged WHERE case_id = 'case-0'",
    "a decision under another case": "UPDATE decision SET case_id = 'case-1', version = 9"
    " WHERE case_id = 'case-0' AND version = 4",
    "an event of another kind": "UPDATE event SET kind = 'opened' WHERE kind = 'emergency_access'",
    "an event of another time": "UPDATE event SET at = '2026-03-02T10:00:00.000001Z' WHERE kind = 'emergency_access'",
    "an event under another case": "UPDATE event SET case_id = 'case-1' WHERE kind = 'emergency_access'",
    "an event under no case": "UPDATE event SET case_id = NULL WHERE kind = 'emergency_access'",
    "a read put in": 'INSERT INTO read_log (region, chain, seq, at, "user", salt, payload)'
    " SELECT region, chain, 77, at, \"user\", salt, payload FROM read_log WHERE \"user\" = 'w-3'",
    "a read put in for an entry's link": 'INSERT INTO read_log (region, chain, seq, at, "user", salt, payload)'
    " SELECT region, chain, seq, 'x', 'w-8', salt, payload FROM entry WHERE case_id = 'case-0' AND position = 4",
    "a read by someone else": "UPDATE read_log SET \"user\" = 'w-8' WHERE \"user\" = 'w-3'",
    "a read of another time": "UPDATE read_log SET at = '2026-03-02T10:00:00.000001Z' WHERE \"user\" = 'w-3'",
    "a read hidden from a client": "DELETE FROM read_of WHERE case_id = 'case-1' AND chain IN"
    " (SELECT chain FROM read_log WHERE \"user\" = 'w-3')",
    "a read invented for a client": "INSERT INTO read_of (region, case_id, chain, seq)"
    " SELECT region, 'case-2', chain, seq FROM read_of WHERE case_id = 'case-1'",
    "a case at another version": "UPDATE case_record SET version = 3 WHERE id = 'case-0'",
    "a case with another header": "UPDATE case_record SET header = '{\"id\":\"case-0\",\"birth_year\":1950}'"
    " WHERE id = 'case-0'",
    "a case without header": "UPDATE case_record SET header = NULL WHERE id = 'case-0'",
    "a case marked as disposed of": "UPDATE case_record SET disposed_at = created_at WHERE id = 'case-0'",
    "a restriction lifted": "UPDATE case_record SET restricted = NOT restricted WHERE id = 'case-2'",
    "a case renamed": "UPDATE case_record SET id = 'case-9' WHERE id = 'case-0'",
    "a case on another's chain": f"UPDATE case_record SET chain = {OTHER} || 'x' WHERE id = 'case-0'",
    "a case deleted": "DELETE FROM case_record WHERE id = 'case-0'",
    "a case invented": "INSERT INTO case_record SELECT region, 'case-9', 'case/9999999999999999', 1, header, team,"
    " organisation, created_at, closed_on, restricted, disposed_at FROM case_record WHERE id = 'case-0'",
    "a case in another region": "UPDATE link SET region = 'kanta-hame'"
    f" WHERE chain = {FIRST}",
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_in_the_database_is_found_by_both(name: str, filled: Place, signed: Signed, tamper: Tamper) -> None:
    tamper(TAMPERING[name])
    assert looked(filled, signed).faults, "by the service"
    assert report_on(exported(filled), signed).faults, "by the standalone verifier"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("an entry put in", "there is a row of entry for it, but no link"),
        (
            "an entry put in for a decision's link",
            "there is a row of entry for it, but the link is of the kind decision",
        ),
        ("two entries in each other's place", "the row of entry has another position"),
        ("an entry under another case", "the row of entry is filed under another case"),
        ("an entry's id altered", "the row of entry has another entry_id"),
        ("an entry's version altered", "the row of entry has another version"),
        ("a decision called undetermined", "the row of decision has another status"),
        ("a decision of someone else", "the row of decision has another recorded_by"),
        ("a decision of another time", "the row of decision has another recorded_at"),
        ("a decision not acknowledged", "the row of decision has another acknowledged"),
        ("a decision under another case", "the row of decision is filed under another case"),
        ("an event of another kind", "the row of event has another kind"),
        ("a read by someone else", "the row of read_log has another user"),
        ("a read hidden from a client", "the rows of read_of do not list the clients"),
        ("a read invented for a client", "the rows of read_of do not list the clients"),
        ("a case at another version", "the row of case_record has another version"),
        ("a case with another header", "the row of case_record has another header"),
        ("a case marked as disposed of", "the row of case_record has another disposed_at"),
        ("a restriction lifted", "the row of case_record has another restricted"),
        ("a case deleted", "no case has this chain"),
        ("a case invented", "the row of case_record has another version"),
    ],
)
def test_a_row_that_does_not_say_what_its_record_says_is_told(
    name: str, told: str, filled: Place, tamper: Tamper
) -> None:
    tamper(TAMPERING[name])
    with filled.database.read(REGION) as unit:
        found = [str(fault) for fault in unit.agreement.faults()]
    assert any(told in line for line in found), found


def test_a_region_emptied_is_found(filled: Place, signed: Signed, tamper: Tamper) -> None:
    tamper(*(f"DELETE FROM {table}" for table in ("entry", "decision", "event", "read_of", "read_log", "link")))
    found = report_on(exported(filled), signed).faults
    assert sum("the whole chain is missing" in line for line in found) == 6
    assert not looked(filled, signed).whole


def test_a_database_brought_back_from_before_the_checkpoint_is_found(filled: Place, tmp_path: Path) -> None:
    """A backup restored: what was recorded since is gone, and what is recorded anew takes its numbers."""
    old = exported(filled)
    filled.clock.advance(minutes=5)
    filled.record(4, entry("2026-02-22", "coaching_info_given"), case_id="case-0")
    folder = tmp_path / "c"
    folder.mkdir()
    new_keys(folder / "key")
    with filled.database.read(REGION) as unit:
        heads = list(unit.chains.heads())
    write_checkpoint(folder, private_key(folder / "key"), REGION, heads, timestamp(filled.clock()), None)
    found = report_on(old, Signed(folder, folder / "key.pub", ())).faults
    assert any("cut off at the end" in line for line in found)


def test_a_disposal_leaves_everything_whole_and_nothing_of_the_client(
    filled: Place, signed: Signed, owner: Database
) -> None:
    with owner.write(REGION) as unit:
        unit.cases.set_closed("case-0", "2016-01-01")
    before = exported(filled)
    assert before.count(PLANTED.encode()) > 3
    done = dispose(
        owner, REGION, filled.clock().date(), filled.clock.advance(minutes=1), decided_by="u1", periods=retention()
    )
    assert done.cases == 1
    found = looked(filled, signed)
    assert [str(fault) for fault in found.faults] == []
    after = exported(filled)
    report = report_on(after, signed)
    assert report.faults == []
    assert len(report.disposals) == 1
    assert report.gone == found.gone > 10
    assert after.count(PLANTED.encode()) < before.count(PLANTED.encode())


def test_a_log_pruned_lawfully_is_whole(filled: Place, signed: Signed, owner: Database) -> None:
    filled.clock.advance(days=365 * 13)
    done = dispose(owner, REGION, date(2039, 2, 1), filled.clock(), decided_by="u1", periods=retention())
    assert done.readers == 3
    assert looked(filled, signed).faults == []
    assert report_on(exported(filled), signed).faults == []


def test_an_unlawful_deletion_right_after_a_disposal_elsewhere_is_found(
    filled: Place, signed: Signed, owner: Database, tamper: Tamper
) -> None:
    with owner.write(REGION) as unit:
        unit.cases.set_closed("case-0", "2016-01-01")
    dispose(owner, REGION, filled.clock().date(), filled.clock.advance(minutes=1), decided_by="u1", periods=retention())
    tamper("DELETE FROM entry WHERE case_id = 'case-1' AND position = 2")
    found = report_on(exported(filled), signed).faults
    assert any("is missing, and no disposal follows" in line for line in found)


def test_an_export_made_while_others_record_is_of_one_moment(filled: Place) -> None:
    stop = threading.Event()
    failed: list[BaseException] = []

    def record() -> None:
        version = 4
        try:
            while not stop.is_set():
                filled.record(version, entry("2026-02-22", "coaching_info_given"), case_id="case-1", by=worker())
                version += 1
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=record)
    thread.start()
    try:
        sizes = []
        for _ in range(8):
            report = report_on(exported(filled))
            assert report.faults == []
            sizes.append(report.links)
    finally:
        stop.set()
        thread.join()
    assert failed == []
    assert sizes == sorted(sizes)
    assert looked(filled).whole
