"""The smaller commands: diagram, schema, examples, version, help."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rules.journal import case_to_data, json_schema, load_case
from tests.helpers import SIRPA
from tests.service.polku import EXAMPLES, LANGUAGES, flowing, page, polku, refused


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_diagram_is_a_picture_in_each_language(lang: str) -> None:
    assert ElementTree.fromstring(page("diagram", "--lang", lang)).get("lang") == lang


def test_the_diagram_marks_where_the_client_is() -> None:
    words = ("diagram", EXAMPLES / "trial_paused.yaml", "--as-of", "2025-11-26")
    assert page(*words).count('data-here="yes"') == 5
    assert "class activity_paused here" in page(*words, "--format", "mermaid")
    assert 'data-here="yes"' not in page("diagram")


def test_what_is_written_can_go_to_a_file(tmp_path: Path) -> None:
    for words in (("diagram",), ("schema",)):
        path = tmp_path / words[0]
        assert page(*words, "--out", path) == ""
        assert path.read_text(encoding="utf-8") == page(*words)
    assert "No such file" in refused("diagram", "--out", tmp_path / "none" / "x.svg")


def test_the_schema_is_the_journals_and_takes_a_case() -> None:
    schema = json.loads(page("schema"))
    assert schema == json_schema()
    Draft202012Validator(schema).validate(case_to_data(load_case(SIRPA)))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_examples_are_three_clients_and_how_to_go_on(lang: str) -> None:
    told = page("examples", "--lang", lang)
    for client in ("samuli", "sirpa", "jarmo"):
        assert told.count(f"\n{client} · ") == 1
        assert f"{client}.yaml --as-of 2022-" in told
    assert told.count("════════ ") == 3
    assert "polku rules list" in told


def test_the_commands_that_the_examples_name_can_be_run() -> None:
    commands = [line.strip() for line in page("examples").split("\n") if line.strip().startswith("polku ")]
    assert len(commands) == 7
    for command in commands:
        assert polku(*command.split()[1:]).exit_code == 0, command


def test_the_version_is_told() -> None:
    assert page("--version").startswith("polku ")


@pytest.mark.parametrize(
    "words", [(), ("next",), ("rules",), ("rules", "diff"), ("diagram",), ("schema",), ("examples",)]
)
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    told = page(*words, "--help")
    assert "Usage:" in told
    assert flowing(told).count("Options:") == 1


def test_no_command_is_a_wrong_use() -> None:
    assert polku().exit_code == 2
    assert polku("rules").exit_code == 2
