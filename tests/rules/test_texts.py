"""Every word a user can meet is there in Finnish, Swedish and English."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from rules.entries import ENTRY_TYPES
from rules.facts import FACTS
from rules.pack import ACTIONS, LANGUAGES
from rules.texts import catalogue, texts
from tests.helpers import pack

ROOT = Path(__file__).parents[2]


def leaves(data: Any, place: str = "") -> dict[str, Any]:
    """The texts of a catalogue by place: the mappings that hold languages."""
    if not isinstance(data, dict):
        return {place: data}
    if set(LANGUAGES) & data.keys():
        return {place: data}
    return {name: text for key, inner in data.items() for name, text in leaves(inner, f"{place}.{key}").items()}


@pytest.mark.parametrize("file", ["rules/texts.yaml", "service/texts.yaml"])
def test_every_text_of_a_catalogue_is_there_in_all_languages(file: str) -> None:
    found = leaves(yaml.safe_load((ROOT / file).read_text(encoding="utf-8")))
    assert len(found) > 20
    for place, words in found.items():
        assert isinstance(words, dict), place
        assert set(words) == set(LANGUAGES), place
        assert all(isinstance(word, str) and word.strip() for word in words.values()), place


def test_every_action_has_its_text_and_no_other_does() -> None:
    assert set(catalogue()["actions"]) == set(ACTIONS)
    for action in ACTIONS:
        for language in LANGUAGES:
            assert texts("actions", action, language).strip()


def test_the_checklist_has_sixteen_items_each_with_its_support() -> None:
    items = [item for group in catalogue()["readiness"]["groups"].values() for item in group["items"]]
    assert sorted(items) == [f"chk-{number:02d}" for number in range(1, 17)]
    assert set(catalogue()["readiness"]["supports"]) == set(items)
    assert len(catalogue()["readiness"]["groups"]) == 3
    assert "checklist_answered" in ENTRY_TYPES


def test_every_rule_fact_deadline_and_parameter_has_words_in_all_languages() -> None:
    ruleset = pack().editions[-1]
    named: dict[str, Any] = {f"{rule.id}.title": rule.title for rule in ruleset.rules}
    named |= {f"{rule.id}.text": rule.text for rule in ruleset.rules}
    named |= {f"{rule.id}.caution": rule.caution.text for rule in ruleset.rules if rule.caution is not None}
    named |= {name: fact.labels for name, fact in FACTS.items()}
    named |= {item.name: item.labels for item in ruleset.derivations}
    named |= {name: item.labels for name, item in pack().parameters.items()}
    for name, words in named.items():
        assert set(words) == set(LANGUAGES), name
        assert all(word.strip() for word in words.values()), name


def test_a_text_no_one_wrote_is_an_error() -> None:
    with pytest.raises(KeyError):
        texts("actions", "dance", "fi")
