"""`polku dispose` and `polku copy` as an operator runs them: a real process on a real database."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.store import Database
from tests.service.postgresql import Urls
from tests.service.rights.planting import REGION, SECRETS, plant

ROOT = Path(__file__).resolve().parents[3]
LONG_AGO = datetime(2014, 5, 10, 9, 0, tzinfo=UTC)


@pytest.fixture
def kept(database: Database) -> None:
    """One case that is due, one that waits because it is restricted, one that stays."""
    with database.write(REGION) as unit:
        plant(unit, "due", LONG_AGO, closed_on="2014-05-10")
        plant(unit, "waits", LONG_AGO, closed_on="2014-05-10")
        unit.cases.set_restricted("waits", True)
        plant(unit, "stays", LONG_AGO, closed_on=None)


def polku(urls: Urls, folder: Path, *arguments: str, owner: bool = True) -> subprocess.CompletedProcess[str]:
    """Run `polku` with these arguments on the database."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POLKU_")}
    settings = {"POLKU_REGION": REGION, "POLKU_DATABASE_URL": urls.app}
    if owner:
        settings["POLKU_OWNER_DATABASE_URL"] = urls.owner
    command = [sys.executable, "-m", "service.cli", *arguments]
    environment = {**inherited, **settings, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("kept")
def test_a_dry_run_tells_and_changes_nothing(urls: Urls, database: Database, tmp_path: Path) -> None:
    done = polku(urls, tmp_path, "dispose", "--dry-run", "--as-of", "2025-01-01")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "kept because they are restricted: 1\n  waits\ndue on 2025-01-01: 1\n  due\n"
    with database.read(REGION) as unit:
        assert len(unit.cases.journal("due")) == 5


@pytest.mark.usefixtures("kept")
def test_disposal_takes_what_is_due_and_says_so(urls: Urls, database: Database, tmp_path: Path) -> None:
    done = polku(urls, tmp_path, "dispose", "--decided-by", "archivist-1")
    assert done.returncode == 0, done.stderr
    assert "disposed of: 1 cases; logs of 1 readers; 2 request keys\n" in done.stdout
    assert "rewritten" in done.stdout
    assert not any(secret in done.stdout + done.stderr for secret in SECRETS.values())
    with database.read(REGION) as unit:
        assert [len(unit.cases.journal(name)) for name in ("due", "waits", "stays")] == [0, 5, 5]
        assert '"decided_by":"archivist-1"' in unit.events.of("due")[0].payload
    again = polku(urls, tmp_path, "dispose")
    assert "disposed of: 0 cases" in again.stdout
    assert "rewritten" not in again.stdout


@pytest.mark.usefixtures("kept")
def test_a_day_ahead_is_refused(urls: Urls, database: Database, tmp_path: Path) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    done = polku(urls, tmp_path, "dispose", "--as-of", ahead)
    assert (done.returncode, done.stdout) == (2, "kept because they are restricted: 1\n  waits\n")
    assert done.stderr == "polku: nothing is disposed of before its time: that day has not come\n"
    with database.read(REGION) as unit:
        assert len(unit.cases.journal("due")) == 5


@pytest.mark.usefixtures("kept")
def test_without_the_owner_s_rights_nothing_goes(engine: str, urls: Urls, database: Database, tmp_path: Path) -> None:
    if engine == "sqlite":
        pytest.skip("SQLite has no roles")
    done = polku(urls, tmp_path, "dispose", owner=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "forbids" in done.stderr
    with database.read(REGION) as unit:
        assert len(unit.cases.journal("due")) == 5


@pytest.mark.usefixtures("kept")
def test_a_copy_is_written_for_its_owner_s_eyes_and_logged(urls: Urls, database: Database, tmp_path: Path) -> None:
    out = tmp_path / "copy.json"
    done = polku(urls, tmp_path, "copy", "stays", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    copied = json.loads(out.read_text(encoding="utf-8"))
    assert copied["identity"]["name"] == SECRETS["name"]
    with database.read(REGION) as unit:
        assert "copy" in [json.loads(read.payload)["what"] for read in unit.reads.of("stays")]
    assert not any(secret in done.stdout + done.stderr for secret in SECRETS.values())


@pytest.mark.usefixtures("kept")
def test_a_copy_overwrites_nothing_and_none_is_made_of_what_is_not_there(urls: Urls, tmp_path: Path) -> None:
    out = tmp_path / "copy.json"
    out.write_text("mine", encoding="utf-8")
    done = polku(urls, tmp_path, "copy", "stays", "--out", str(out))
    assert (done.returncode, out.read_text(encoding="utf-8")) == (2, "mine")
    assert "File exists" in done.stderr
    done = polku(urls, tmp_path, "copy", "nobody", "--out", str(tmp_path / "other.json"))
    assert (done.returncode, done.stderr) == (2, "polku: there is no such case\n")
    assert not (tmp_path / "other.json").exists()
