"""Makes the example of docs/audit.md: `python -m tests.service.audit.example` writes docs/audit-example anew.

Its private key is made for it and forgotten. Remake it only when the format changes: an old export must stay readable.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from service.audit.chain import timestamp
from service.audit.checkpoints import Checkpoint, new_keys, private_key, write_checkpoint
from service.audit.export import Origin, export_to
from service.reading import Reader, log
from service.rights.disposal import dispose
from service.rights.retention import retention
from service.store import Database, migrate
from tests.helpers import entry
from tests.service.conftest import Clock
from tests.service.recording.conftest import REGION, Place, worker

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs" / "audit-example"


def main(folder: Path) -> None:
    """Two cases, one of them disposed of between two checkpoints, and the log of one reader."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as name:
        url = f"sqlite:///{name}/polku.db"
        migrate(url)
        new_keys(Path(name) / "key")
        database, clock = Database(url), Clock()
        clock.now = datetime(2026, 9, 1, 7, 0, tzinfo=UTC)
        place = Place(database, clock)
        for case in ("old", "sirpa"):
            place.open(case_id=case)
            clock.advance(minutes=5)
            place.record(1, entry("2026-08-31", "activity_started", days_per_week=4), case_id=case)
        with database.write(REGION) as unit:
            log(unit, Reader(worker(), "client_work"), "case", {"sirpa": "assigned"}, clock.advance(minutes=2))
        with database.write(REGION) as unit:
            unit.cases.set_closed("old", "2016-08-31")
        first = sign(database, Path(name) / "key", folder, clock.advance(hours=14), None)
        dispose(
            database, REGION, clock().date(), clock.advance(hours=9), decided_by="operator:anna", periods=retention()
        )
        sign(database, Path(name) / "key", folder, clock.advance(hours=16), first)
        place.record(2, entry("2026-09-03", "coaching_info_given"), case_id="sirpa")
        with database.read(REGION) as unit:
            origin = Origin(REGION, timestamp(clock.advance(hours=6)), "polku 0.1.0")
            export_to(folder / "export.jsonl", origin, unit.chains.records(), unit.agreement.faults())
        database.close()
        (folder / "key.pub").write_bytes((Path(name) / "key.pub").read_bytes())


def sign(database: Database, key: Path, folder: Path, now: datetime, before: Checkpoint | None) -> Checkpoint:
    """A checkpoint of the region."""
    with database.read(REGION) as unit:
        heads = list(unit.chains.heads())
    return write_checkpoint(folder, private_key(key), REGION, heads, timestamp(now), before)


if __name__ == "__main__":
    assert datetime.now(UTC) - datetime(2026, 9, 1, tzinfo=UTC) > timedelta(0), "it would be dated ahead"
    sys.exit(main(FOLDER))
