"""The pages of the example clients that come with the rule pack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from rich.text import Text

from rules.assessment import Assessor
from rules.journal import read_case
from rules.pack import DEFAULT_PACK
from service.arguments import day
from service.page import QUIET, STRONG, AssessmentPage, Page, heading, paragraph
from service.words import Words

FOLDER = DEFAULT_PACK / "examples"


def index() -> list[dict[str, Any]]:
    """The example clients to show: file, date (as_of), and in fi, sv and en the title and what to look at."""
    found: list[dict[str, Any]] = yaml.safe_load((FOLDER / "index.yaml").read_text(encoding="utf-8"))
    return [item for item in found if item["shown"]]


def parts(assessor: Assessor, words: Words) -> Page:
    """Each client's page, and how to go on."""
    found = index()
    for item in found:
        case, on = read_case(FOLDER / item["file"]), day(str(item["as_of"]))
        yield paragraph(("═" * 8 + f" {words.of(item['title'])}", STRONG))
        yield paragraph(words.of(item["look_at"]))
        yield command(f"polku next {path_of(item)} --as-of {on}", QUIET)
        yield ""
        yield from AssessmentPage(assessor.assess(case, on, lang=words.lang), case, words).parts()
        yield ""
    yield from _how_on(found[0], words)


def _how_on(first: dict[str, Any], words: Words) -> Page:
    one = f"polku next {path_of(first)} --as-of {first['as_of']}"
    yield heading(words("examples", "how_on"))
    for key, line in (
        ("one_client", one),
        ("a_step", f"{one} --propose start_work_trial"),
        ("a_rule", f"{one} --explain social-worker-assigned"),
        ("the_rules", "polku rules list"),
    ):
        yield paragraph(f"{words('examples', key)}:")
        yield command(f"  {line}", STRONG)


def path_of(item: dict[str, Any]) -> Path:
    """Where an example lies, as short as a command can have it."""
    path: Path = FOLDER / item["file"]
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def command(line: str, style: str) -> Text:
    """A command on one line, however long: it is there to be copied."""
    return Text(line, style=style, no_wrap=True, overflow="ignore")
