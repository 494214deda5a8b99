"""docs/api.md says what the API does: its problem types, its addresses, and a session that runs as it stands there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.problem_types import page
from service.api.app import create_app
from service.settings import Settings
from service.store import Database
from tests.service.api.asking import Document
from tests.service.api.serving import Served

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_problem_types_are_those_of_the_catalogue() -> None:
    assert page(TEXT) == TEXT, "run: python scripts/problem_types.py"


def test_every_address_is_there(document: Document) -> None:
    paths = {re.sub(r"\{\w+\}", "{}", path) for path in document.content["paths"]}
    table = TEXT.split("| | |")[1].split("\n\n")[0]
    named = {re.sub(r"\{\w+\}", "{}", path) for path in re.findall(r"(/(?:v1|problems)[^`\s]*)", table)}
    assert named == {path for path in paths if path.startswith(("/v1", "/problems"))}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
def test_the_session_runs_as_it_stands(sqlite: Database) -> None:
    (script,) = re.findall(r"```sh\n(POLKU=.*?)```", TEXT, re.S)
    app = create_app(Settings(region="demo", demo=True), database=sqlite)
    with Served(app) as server:
        commands = script.replace("http://127.0.0.1:8000", server.address)
        done = subprocess.run(
            ["bash", "-e", "-c", commands.replace("\nask ", "\necho; ask ")],
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    me, opened, next_steps, recorded, refused, replayed = answers
    assert (me["user"], opened["version"], next_steps["case"], recorded["version"]) == ("aino", 1, "example-1", 2)
    assert 'etag: "v1"' in done.stdout.lower()
    assert refused["type"] == "/problems/needs-acknowledgement"
    assert (replayed["version"], replayed["same"]) == (3, True)
