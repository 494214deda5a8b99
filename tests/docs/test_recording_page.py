"""The page on recording names what a decision record holds, and what replay and the advice's fate can say."""

from pathlib import Path
from typing import Any

import pytest

from rules.journal import load_case
from service.audit.replay import KINDS
from service.recording.advice import FATES
from service.recording.requests import MOST_ENTRIES
from tests.helpers import SIRPA, day, entry, with_ids
from tests.service.recording.making import added, recorded

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")


def names(value: Any) -> set[str]:
    """Every field of a record; of facts, states and set-aside advice only what holds them."""
    if isinstance(value, list):
        return {name for item in value for name in names(item)}
    if not isinstance(value, dict):
        return set()
    inner = [names(item) for key, item in value.items() if key not in ("facts", "state", "set_aside")]
    return set(value).union(*inner)


def test_every_field_of_a_decision_record_is_explained() -> None:
    case = with_ids(load_case(SIRPA))
    trial = entry("2022-09-12", "work_trial_started", arrangement="alongside_activity", planned_end="2022-11-30")
    found = names(recorded(case, added(case, trial), day("2022-09-12")))
    assert len(found) > 40
    assert {name for name in found if f"`{name}`" not in PAGE} == set()


@pytest.mark.parametrize("word", [*KINDS, *FATES])
def test_everything_replay_and_the_advice_can_say_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


def test_the_longest_list_is_the_one_told() -> None:
    assert f"at most {MOST_ENTRIES}" in PAGE
