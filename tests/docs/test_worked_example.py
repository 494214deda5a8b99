"""The example in docs/rule-writers.md, put into a copy of the pack, loads and runs there."""

import re
import shutil
from pathlib import Path

import pytest

from rules.assessment import Assessor
from rules.cases import read_cases, run_case
from rules.pack import DEFAULT_PACK, Pack, load_pack

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "rule-writers.md"
RULE = "direction-chosen-after-trial"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the pack with the document's blocks put in: those that begin with a file's name."""
    copy = tmp_path_factory.mktemp("mine") / "pack"
    shutil.copytree(DEFAULT_PACK, copy)
    blocks = re.findall(r"```yaml\n# (\S+\.yaml)\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    assert [name for name, _ in blocks] == ["pack.yaml", "trial.yaml", "trial.cases.yaml"]
    for name, block in blocks:
        path = copy / name
        text = path.read_text(encoding="utf-8")
        if name == "pack.yaml":
            parameters, derived = block.removeprefix("parameters:\n").split("derived:\n")
            text = text.replace("\nparameters:\n", f"\nparameters:\n{parameters}", 1)
            text = text.replace("\nderived:\n", f"\nderived:\n{derived}", 1)
        else:
            text = f"{text.rstrip()}\n\n{block}"
        path.write_text(text, encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def pack(folder: Path) -> Pack:
    return load_pack(folder)


def test_it_adds_one_rule_and_leaves_the_others(pack: Pack) -> None:
    old = {rule.id for rule in load_pack().editions[-1].rules}
    assert {rule.id for rule in pack.editions[-1].rules} - old == {RULE}
    assert pack.sha256 != load_pack().sha256


def test_its_cases_come_out_as_written(pack: Pack, folder: Path) -> None:
    cases = [case for case in read_cases(folder, "trial", pack) if RULE in case.rules]
    assert len(cases) == 3
    assessor = Assessor(pack)
    assert [failure.text("en") for case in cases for failure in run_case(case, assessor)] == []


def test_the_case_shown_to_explain_cases_comes_out_as_written(folder: Path) -> None:
    (block,) = re.findall(r"```yaml\n(- name: A pause .*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    (folder / "activity.cases.yaml").write_text(block, encoding="utf-8")
    pack = load_pack(folder)
    (case,) = read_cases(folder, "activity", pack)
    assert [failure.text("en") for failure in run_case(case, Assessor(pack))] == []
