"""What the documents show of commands is what the commands print.

A block marked `console` holds commands (`$ polku …`, run at the top of the repository) and their output. A line of only
`…` stands for any lines left out; so does the end of a block after it.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = "…"


def blocks() -> Iterator[object]:
    """Each command of each document, with the lines shown under it."""
    folders = (ROOT / "docs", ROOT / "docs" / "adr")
    for path in (ROOT / "README.md", *(path for folder in folders for path in sorted(folder.glob("*.md")))):
        for block in re.findall(r"^```console\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S):
            for number, part in enumerate(re.split(r"^\$ ", block, flags=re.M)[1:]):
                command, *shown = part.rstrip("\n").split("\n")
                place = f"{path.relative_to(ROOT)}:{number}:{command[:60]}"
                yield pytest.param(command, [line.rstrip() for line in shown], id=place)


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `polku`, as an installed one would be."""
    folder = tmp_path_factory.mktemp("bin")
    polku = folder / "polku"
    polku.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m service.cli "$@"\n', encoding="utf-8")
    polku.chmod(0o755)
    return folder


def in_order(shown: list[str], printed: list[str]) -> bool:
    """Whether the shown lines are the printed ones, those left out apart."""
    if not shown:
        return not printed
    if shown[0] == LEFT_OUT:
        return any(in_order(shown[1:], printed[skip:]) for skip in range(len(printed) + 1))
    return bool(printed) and printed[0] == shown[0] and in_order(shown[1:], printed[1:])


@pytest.mark.parametrize(("command", "shown"), list(blocks()))
def test_the_output_shown_is_the_output(command: str, shown: list[str], commands: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    printed = [line.rstrip() for line in (done.stdout + done.stderr).rstrip("\n").split("\n")]
    assert in_order(shown, printed), "\n".join(printed)


def test_a_line_changed_is_noticed() -> None:
    assert in_order(["a", LEFT_OUT, "d"], ["a", "b", "c", "d"])
    assert in_order(["a", LEFT_OUT], ["a", "b"])
    assert not in_order(["a", LEFT_OUT, "x"], ["a", "b", "c", "d"])
    assert not in_order(["a"], ["a", "b"])
    assert list(blocks())
