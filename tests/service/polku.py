"""Runs `polku` for the tests, in this process or as a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from rules.pack import DEFAULT_PACK
from service.cli import app

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = DEFAULT_PACK / "examples"
LANGUAGES = ("fi", "sv", "en")


def polku(*words: object, text: str | bytes | None = None, columns: int = 80) -> Result:
    """Run a command in this process; `text` comes on standard input."""
    return CliRunner().invoke(app, [str(word) for word in words], input=text, env={"COLUMNS": str(columns)})


def page(*words: object, text: str | bytes | None = None, columns: int = 80) -> str:
    """What a command that goes well prints."""
    result = polku(*words, text=text, columns=columns)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def data(*words: object, text: str | bytes | None = None) -> Any:
    """The JSON a command prints."""
    return json.loads(page(*words, "--json", text=text))


def refused(*words: object, text: str | bytes | None = None) -> str:
    """The message of a command that refuses its input: exit code 2, nothing on standard output, no traceback."""
    result = polku(*words, text=text)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.stderr
    return result.stderr


def process(*words: object, text: bytes = b"", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run `python -m service.cli` as a process of its own."""
    command = [sys.executable, "-m", "service.cli", *map(str, words)]
    return subprocess.run(
        command, input=text, capture_output=True, cwd=ROOT, env={**os.environ, **(env or {})}, timeout=120
    )


def flowing(text: str) -> str:
    """A page's text without its line breaks."""
    return " ".join(text.split())
