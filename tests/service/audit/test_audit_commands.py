"""`polku audit`, as operators and auditors use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.service.audit.chains import verifier
from tests.service.audit.conftest import PLANTED, Tamper
from tests.service.polku import page, polku, refused
from tests.service.postgresql import Urls
from tests.service.recording.conftest import REGION, Place

NOTE = f"UPDATE entry SET payload = replace(payload, '{PLANTED} 2', 'nothing') WHERE case_id = 'case-0'"


@pytest.fixture
def home(filled: Place, urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in; the settings name the filled database, as an outside auditor may see it."""
    monkeypatch.setenv("POLKU_REGION", REGION)
    monkeypatch.setenv("POLKU_DATABASE_URL", urls.auditor.replace("+psycopg", ""))
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def keyed(home: Path) -> Path:
    """The same with a key."""
    page("audit", "keygen", "--out", home / "key")
    return home


def checkpoint(home: Path) -> str:
    """Make a checkpoint."""
    return page("audit", "checkpoint", "--key", home / "key", "--out", home / "checkpoints")


def whole(home: Path) -> list[object]:
    """The words of a look against the checkpoints."""
    return ["audit", "verify", "--checkpoints", home / "checkpoints", "--public-key", home / "key.pub"]


def test_from_a_key_to_an_export_that_the_standalone_verifier_finds_whole(
    keyed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = checkpoint(keyed)
    assert "checkpoint-000001.json: " in told
    assert "links in 6 chains" in told
    assert page(*whole(keyed)).endswith("\nwhole\n")
    assert "checkpoint-000002.json" in checkpoint(keyed)
    assert "checkpoints: 2, the last of 2" in page(*whole(keyed))
    assert "links in 6 chains" in page("audit", "export", "--out", keyed / "export")
    words = [str(keyed / "export"), "--checkpoints", str(keyed / "checkpoints"), "--public-key", str(keyed / "key.pub")]
    assert verifier.main(words) == 0
    assert capsys.readouterr().out.endswith("\nwhole\n")


def test_a_key_is_named_so_that_it_can_be_read_out(home: Path) -> None:
    told = page("audit", "keygen", "--out", home / "key")
    assert f"the public key is {verifier.read_key(home / 'key.pub')}" in told
    assert "is there already" in refused("audit", "keygen", "--out", home / "key")
    assert "No such file" in refused("audit", "keygen", "--out", home / "none" / "key")


def test_without_checkpoints_little_is_proven_and_it_says_so(home: Path) -> None:
    assert "could have made all of this anew" in page("audit", "verify")


def test_tampering_gives_exit_code_1_and_the_place(keyed: Path, tamper: Tamper) -> None:
    checkpoint(keyed)
    tamper(NOTE)
    result = polku(*whole(keyed))
    assert result.exit_code == 1
    assert "link 9: its record was altered: the link commits to another one" in result.stdout
    assert result.stdout.endswith("\nbroken: 1 fault\n")
    found = json.loads(polku(*whole(keyed), "--json").stdout)
    assert (found["whole"], found["fault_count"], found["faults"][0]["link"]) == (False, 1, 9)


def test_a_row_that_disagrees_is_told_by_verify_and_export(home: Path, tamper: Tamper) -> None:
    tamper("UPDATE decision SET recorded_by = 'w-8' WHERE version = 2")
    assert "broken: 3 faults" in polku("audit", "verify").stdout
    assert "3 rows of the database do not say" in page("audit", "export", "--out", home / "export")


def test_nothing_broken_is_signed_unless_asked_and_stays_found(keyed: Path, tamper: Tamper) -> None:
    checkpoint(keyed)
    tamper(NOTE)
    words = ("audit", "checkpoint", "--key", keyed / "key", "--out", keyed / "checkpoints")
    result = polku(*words)
    assert result.exit_code == 1
    assert "nothing was signed" in result.stdout
    assert not (keyed / "checkpoints" / "checkpoint-000002.json").exists()
    assert "checkpoint-000002.json" in page(*words, "--despite-faults").splitlines()[-1]
    assert polku(*whole(keyed)).exit_code == 1


def test_a_rolled_back_database_is_not_signed(keyed: Path, tamper: Tamper) -> None:
    checkpoint(keyed)
    tamper(
        "DELETE FROM read_log WHERE \"user\" = 'w-3'", "DELETE FROM link WHERE chain NOT IN (SELECT chain FROM event)"
    )
    result = polku("audit", "checkpoint", "--key", keyed / "key", "--out", keyed / "checkpoints")
    assert result.exit_code == 1
    assert "the whole chain is missing; checkpoint 1 holds it" in result.stdout


def test_a_new_key_goes_on_with_the_old_one_named(keyed: Path) -> None:
    checkpoint(keyed)
    page("audit", "keygen", "--out", keyed / "new")
    words = ("audit", "checkpoint", "--key", keyed / "new", "--out", keyed / "checkpoints")
    assert "another key" in polku(*words).stdout
    page(*words, "--public-key", keyed / "key.pub")
    assert polku(*whole(keyed)).exit_code == 1
    assert page(*whole(keyed), "--public-key", keyed / "new.pub").endswith("\nwhole\n")


def test_checkpoints_of_another_region_are_told(keyed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint(keyed)
    monkeypatch.setenv("POLKU_REGION", "kymenlaakso")
    result = polku(*whole(keyed))
    assert result.exit_code == 1
    assert "are of the region paijat-hame, not kymenlaakso" in result.stdout


def test_a_region_without_records_has_checkpoints_too(keyed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLKU_REGION", "kymenlaakso")
    assert "0 links in 0 chains" in checkpoint(keyed)
    assert page(*whole(keyed)).endswith("\nwhole\n")


@pytest.mark.parametrize("command", ["verify", "checkpoint"])
def test_what_is_no_key_is_told(command: str, keyed: Path) -> None:
    (keyed / "checkpoints").mkdir()
    (keyed / "bad").write_text("bad")
    option = "--public-key" if command == "verify" else "--key"
    folder = ("--checkpoints", keyed / "checkpoints") if command == "verify" else ("--out", keyed / "checkpoints")
    assert "holds no" in refused("audit", command, option, keyed / "bad", *folder)
    assert "No such file" in refused("audit", command, option, keyed / "none", *folder)


def test_wrong_uses_are_told(keyed: Path) -> None:
    assert "only together" in refused("audit", "verify", "--public-key", keyed / "key.pub")
    assert "only together" in refused("audit", "verify", "--checkpoints", keyed)
    assert "there is no checkpoint" in refused(*whole(keyed)[:3], keyed, *whole(keyed)[4:])
    assert "No such file" in refused(*whole(keyed))
    assert "No such file" in refused("audit", "export", "--out", keyed / "none" / "export")


def test_a_database_that_is_not_there_is_told(keyed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLKU_DATABASE_URL", f"sqlite:///{keyed}/none.db")
    assert "the database cannot be used" in refused("audit", "verify")
    monkeypatch.delenv("POLKU_REGION")
    assert "POLKU_REGION" in refused("audit", "verify")


@pytest.mark.parametrize("command", ["keygen", "checkpoint", "verify", "export"])
def test_every_command_has_help(command: str) -> None:
    assert "Usage:" in page("audit", command, "--help")
