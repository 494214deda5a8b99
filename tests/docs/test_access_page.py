"""docs/access.md shows the tables the program enforces, and says what the letters mean."""

import re
import subprocess
import sys

import pytest

from rules.entries import ENTRY_TYPES
from scripts.access_page import LETTERS, PAGE, ROOT, main, page
from service.access.policy import may_record, sees
from service.access.tables import recording_table, seeing_table
from tests.helpers import pack

TEXT = page(pack())


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == TEXT, "run: python scripts/access_page.py"


def rows() -> dict[str, list[str]]:
    """The rows of the recording tables: entry type and cells."""
    section = TEXT.partition("## Who may record what")[2].partition("## What else")[0]
    found = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:3] == "| `"
    ]
    return {cells[0].strip("`"): cells[1:] for cells in found}


def test_every_entry_type_has_a_row_that_says_what_is_enforced() -> None:
    head = next(line for line in TEXT.splitlines() if line.startswith("| entry |"))
    roles = re.findall("`([a-z_]+)`", head)
    assert list(rows()) == list(recording_table().types)
    assert set(rows()) == set(ENTRY_TYPES)
    for type_, cells in rows().items():
        for role, cell in zip(roles, cells, strict=True):
            told = {name for name, letter in LETTERS.items() if letter in cell.split()}
            assert told == {name for name in LETTERS if may_record(role, name, type_)}, (type_, role)


def test_every_class_and_view_is_told_with_its_reason_and_source() -> None:
    table = seeing_table()
    for one in (*table.classes, *table.views):
        assert f"| {one.title} |" in TEXT
        assert one.why in TEXT
        assert "; ".join(one.source) in TEXT


def test_every_sight_with_an_assessment_says_what_is_withheld() -> None:
    section = TEXT.partition("## What is withheld from whom")[2]
    for role, relation in (("job_coach", "provider"), ("team_leader", "team"), ("auditor", "none")):
        assert sees(role, relation).opens("assessment")
        assert f"| `{role}`, {relation} |" in section


def test_a_stale_page_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert "up to date" in capsys.readouterr().out
    assert main(["--chekc"]) == 2
    assert "--check" in capsys.readouterr().err


def test_the_script_runs_by_itself() -> None:
    script = ROOT / "scripts" / "access_page.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
