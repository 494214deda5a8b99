"""What docs/audit.md shows of the standalone verifier is what it prints, on the example beside it.

A block marked `sh-session` holds commands (`$ …`, run at the top of the repository) and their whole output.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "docs" / "audit-example"


def commands() -> list[tuple[str, str]]:
    """Each command with the output shown under it."""
    found = []
    for block in re.findall(r"^```sh-session\n(.*?)^```", PAGE, re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, shown = part.partition("\n")
            found.append((command, shown))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands write, with this Python as `python3`."""
    folder = tmp_path_factory.mktemp("audit")
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return folder


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_the_output_shown_is_the_output(folder: Path) -> None:
    assert len(commands()) == 5
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(folder)}
    for command, shown in commands():
        done = subprocess.run(
            ["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert (done.stdout, done.stderr) == (shown, ""), command


def test_the_page_names_every_key_of_the_format() -> None:
    lines = (EXAMPLE / "export.jsonl").read_text(encoding="utf-8").splitlines()
    body = json.loads((EXAMPLE / "checkpoint-000001.json").read_text(encoding="utf-8"))
    for place in (lines[0], lines[1], lines[-1]):
        for key in json.loads(place):
            assert f'"{key}"' in PAGE or f"`{key}`" in PAGE, key
    for key in (*body, *body["body"]):
        assert f'"{key}"' in PAGE or f"`{key}`" in PAGE, key
    for kind in {json.loads(line)["kind"] for line in lines[1:-1:2]}:
        assert f"`{kind}`" in PAGE


def test_the_faults_that_the_page_explains_are_those_the_verifier_tells() -> None:
    table = PAGE[PAGE.index("## What a fault means") :]
    rows = re.findall(r"^\| (.*?) \|", table, re.M)[2:]
    assert len(rows) > 10
    source = (ROOT / "scripts" / "verify_export.py").read_text(encoding="utf-8")
    for phrase in (part for row in rows for part in re.split(r"; |…", row)):
        words = phrase.strip(" ,:").removeprefix("links").removesuffix("checkpoint").strip(" ,:")
        assert words in source, words
