"""The published pack: what is in force when, and what its hash pins."""

import hashlib
import json
import pickle
import shutil
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from rules.assessment import Assessor
from rules.engines.reference import reference
from rules.fold import PARAMETERS_READ
from rules.pack import (
    ACTIONS,
    AUTHORITIES,
    DEFAULT_PACK,
    OUTCOMES,
    ROLES,
    SEVERITIES,
    PackError,
    load_pack,
    pack_from_content,
)
from statemachines import TRIGGERS
from tests.helpers import SEEDS, assessor, day, pack, random_pair, reference_assessor
from tests.oracle.oracle import rule_ids


def test_the_pack_says_what_it_is() -> None:
    assert (pack().id, pack().version) == ("paijat-hame", "1.0.0")
    assert set(pack().title) == {"fi", "sv", "en"}


def test_the_pack_holds_the_rules_of_spec_and_no_others() -> None:
    ids = [rule.id for rule in pack().editions[-1].rules]
    assert set(ids) == set(rule_ids())


def test_each_edition_holds_the_same_rules_in_the_same_places() -> None:
    for edition in pack().editions:
        assert [rule.position for rule in edition.rules] == list(range(len(edition.rules)))
        assert [rule.id for rule in edition.rules] == [rule.id for rule in pack().editions[0].rules]


def test_every_rule_uses_the_closed_lists() -> None:
    for rule in pack().editions[-1].rules:
        assert {rule.action, *(action for _, action in rule.actions)} <= set(ACTIONS)
        assert rule.role in ROLES
        assert rule.severity in SEVERITIES
        assert rule.authority in AUTHORITIES
        assert {rule.otherwise, *(outcome for outcome, _ in rule.steps)} <= set(OUTCOMES)
        assert set(rule.guards) <= set(TRIGGERS)
        assert rule.source


def test_every_action_of_spec_is_given_by_some_rule() -> None:
    rules = pack().editions[-1].rules
    assert {name for rule in rules for name in (rule.action, *(a for _, a in rule.actions))} == set(ACTIONS)


@pytest.mark.parametrize(
    ("rule", "first", "last"),
    [
        ("days-per-week-1-4", "2015-07-01", None),
        ("plan-review-every-3-months", "2022-05-02", None),
        ("basic-consent-before-ktt", "2020-01-01", "2024-12-31"),
        ("trial-max-six-months", "2025-01-01", None),
        ("as-update-on-trial", "2020-01-01", None),
    ],
)
def test_a_rule_is_in_force_on_its_days_both_ends_counted(rule: str, first: str, last: str | None) -> None:
    (version,) = pack().versions(rule)
    assert version.valid_from == day(first)
    assert version.in_force(day(first))
    assert not version.in_force(date.fromordinal(day(first).toordinal() - 1))
    assert version.valid_to == (None if last is None else day(last))
    if last is not None:
        assert version.in_force(day(last))
        assert not version.in_force(date.fromordinal(day(last).toordinal() + 1))
        assert rule not in {item.id for item in pack().rules(day("2025-01-01"))}


def test_a_rule_no_one_knows_has_no_versions() -> None:
    assert pack().versions("no-such-rule") == []


def test_the_ruleset_of_a_day_is_compiled_with_its_parameter_values() -> None:
    for on in ("1990-01-01", "2020-01-01", "2022-05-02", "2025-01-01", "2027-12-31"):
        ruleset = pack().ruleset(day(on))
        assert ruleset.parameters == {name: item.on(day(on)) for name, item in pack().parameters.items()}


def test_turning_days_are_the_days_something_begins_or_ceases() -> None:
    days = pack().turning_days
    assert list(days) == sorted(set(days))
    assert {day("2015-07-01"), day("2020-01-01"), day("2022-05-02"), day("2025-01-01")} <= set(days)


def test_what_the_facts_are_read_with_are_parameters_of_the_pack() -> None:
    assert set(PARAMETERS_READ) <= pack().parameters.keys()


def test_a_rule_reads_only_facts_of_its_subject_the_case_and_findings() -> None:
    for rule in pack().editions[-1].rules:
        assert {name.split(".")[0] for name in rule.reads()} <= {"case", rule.about, "finding"}
        assert len(set(rule.reads())) == len(rule.reads())


def test_a_ruleset_knows_its_rules_by_kind() -> None:
    ruleset = pack().editions[-1]
    kinds = {rule.about for rule in ruleset.rules}
    assert sorted((rule for kind in kinds for rule in ruleset.about(kind)), key=lambda r: r.position) == list(
        ruleset.rules
    )
    assert ruleset.about("nothing") == ()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The published pack's own files, copied."""
    folder = tmp_path / "pack"
    folder.mkdir()
    for file in DEFAULT_PACK.glob("*.yaml"):
        shutil.copy(file, folder / file.name)
    return folder


def change(folder: Path, file: str, old: str, new: str) -> str:
    """The hash after changing one place of one file."""
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return load_pack(folder).sha256


def test_the_hash_is_that_of_the_content_wherever_it_lies(copied: Path) -> None:
    assert load_pack(copied).sha256 == pack().sha256 == load_pack().sha256
    assert len(pack().sha256) == 64


def test_any_change_of_meaning_or_words_changes_the_hash(copied: Path) -> None:
    hashes = {pack().sha256}
    hashes.add(change(copied, "pack.yaml", "version: 1.0.0", "version: 1.0.1"))
    hashes.add(change(copied, "pack.yaml", "value: 30,", "value: 31,"))
    hashes.add(change(copied, "trial.yaml", "severity: obligation", "severity: quality"))
    hashes.add(change(copied, "trial.yaml", "Suunnitelmassa on", "Suunnitelmassa  on"))
    assert len(hashes) == 5


def test_comments_and_layout_do_not_change_the_hash(copied: Path) -> None:
    assert change(copied, "trial.yaml", "severity: obligation", "severity:   obligation # a remark") == pack().sha256


# --- made again from what is kept of it ---


def test_a_pack_made_again_from_its_content_is_the_same_pack() -> None:
    again = pack_from_content(json.loads(pack().canonical))
    assert (again.id, again.version, again.sha256) == (pack().id, pack().version, pack().sha256)
    assert again.canonical == pack().canonical
    assert hashlib.sha256(pack().canonical).hexdigest() == pack().sha256
    assert again.turning_days == pack().turning_days
    for old, new in zip(pack().editions, again.editions, strict=True):
        assert [rule.id for rule in new.rules] == [rule.id for rule in old.rules]
        assert {item.name: item for item in new.derivations} == {item.name: item for item in old.derivations}
        assert [sorted(rule.reads()) for rule in new.rules] == [sorted(rule.reads()) for rule in old.rules]


@given(SEEDS)
def test_a_pack_made_again_judges_alike(seed: int) -> None:
    """Canonical JSON sorts what a rule writer put in order; in what order lines stand says nothing."""
    case, on, _ = random_pair(seed)
    found = (polku.assess(case, on, with_agenda=False).as_json() for polku in (reference_assessor(), _made_again()))
    old, new = (_unordered(item) for item in found)
    assert old == new


@cache
def _made_again() -> Assessor:
    return Assessor(pack_from_content(json.loads(pack().canonical)), reference)


def _unordered(answer: dict[str, Any]) -> dict[str, Any]:
    for finding in answer["findings"]:
        finding["missing"].sort()
    for trigger in answer["triggers"]:
        trigger["needs"].sort()
    return answer


def test_deadlines_that_rest_on_each_other_are_put_in_order() -> None:
    content = json.loads(pack().canonical)
    reversed_order = dict(reversed(list(content["pack"]["derived"].items())))
    content["pack"]["derived"] = reversed_order
    assert pack_from_content(content).sha256 == pack().sha256


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "content: expected keys with values"),
        ({}, "pack: expected keys with values"),
        ({"pack": {"id": "p", "version": "1"}, "rules": [{"id": "r"}]}, "rules: r: unknown severity"),
    ],
)
def test_a_content_that_is_no_pack_is_refused(content: object, told: str) -> None:
    with pytest.raises(PackError) as refused:
        pack_from_content(content)
    assert any(told in problem for problem in refused.value.problems), refused.value.problems


def test_deadlines_in_a_circle_are_refused() -> None:
    content = json.loads(pack().canonical)
    content["pack"]["derived"]["case.a"] = {"earliest": ["case.b"], "label": {"fi": "a", "sv": "a", "en": "a"}}
    content["pack"]["derived"]["case.b"] = {"earliest": ["case.a"], "label": {"fi": "b", "sv": "b", "en": "b"}}
    with pytest.raises(PackError) as refused:
        pack_from_content(content)
    assert any("derived.case." in problem for problem in refused.value.problems)


def test_a_pack_can_be_sent_to_another_process_and_judges_there_by_engines_of_its_own() -> None:
    case, on, _ = random_pair(7)
    found = assessor().findings(case, on)[1]
    sent = pickle.loads(pickle.dumps(assessor().pack))
    assert all(edition.engines == {} for edition in sent.editions)
    assert [item.key for item in Assessor(sent).findings(case, on)[1]] == [item.key for item in found]
