"""What facts rest on: declared for every fact, in words that mean something, and proven by changing journals."""

import random
from typing import Any

import pytest
from hypothesis import given, settings

from rules.entries import ENTRY_TYPES
from rules.facts import FACTS, KINDS
from rules.fold import Folded, fold
from rules.journal import CaseHeader, case_from_data
from rules.provenance import (
    BEING_THERE,
    HEADER,
    Pair,
    ProvenanceError,
    group,
    of_chart,
    of_fact,
    of_subject,
    resolved,
)
from statemachines import STATES
from tests.helpers import SEED, SEEDS, assessor, random_pair
from tests.perturb import changed, pairs, plain


def known(pair: Pair) -> bool:
    type_, name = pair
    if type_ == HEADER:
        return name in CaseHeader.model_fields
    return type_ in ENTRY_TYPES and name in ENTRY_TYPES[type_].model_fields


def test_every_fact_names_fields_that_are_there() -> None:
    for name in FACTS:
        assert of_fact(name), name
        assert all(known(pair) for pair in of_fact(name)), (name, [p for p in of_fact(name) if not known(p)])


def test_every_kind_and_chart_names_fields_that_are_there() -> None:
    for kind in KINDS:
        assert all(known(pair) for pair in of_subject(kind)), kind
    for chart in (*STATES, "stage"):
        assert all(known(pair) for pair in of_chart(chart)), chart


def test_a_fact_rests_on_its_subject_and_on_corrections() -> None:
    assert of_subject("trial") <= of_fact("trial.planned_end")
    assert ("correction", "voids") in of_fact("case.plan_exists")
    assert ("coaching_ended", "reason") in of_fact("coaching.end_reason")
    assert ("coaching_ended", "reason") not in of_fact("coaching.ended_on")


def test_a_field_stands_for_its_entry_too() -> None:
    assert resolved(["contact.reached"]) == {("contact", BEING_THERE), ("contact", "reached")}
    assert resolved(["header.not_recorded"]) == {(HEADER, "not_recorded")}


def test_a_name_that_means_nothing_is_refused() -> None:
    with pytest.raises(ProvenanceError, match="activity chart"):
        group("activities")
    with pytest.raises(ProvenanceError, match="tea"):
        of_subject("tea")


def test_no_fact_rests_on_the_checklist_or_on_a_note() -> None:
    for name in FACTS:
        assert not [pair for pair in of_fact(name) if pair[0] == "checklist_answered" or pair[1] == "note"], name


# --- proven ---


def differences(before: Folded, after: Folded) -> list[tuple[str, str]]:
    """The facts (`fact`, name), subjects (`subject`, kind) and charts (`chart`, name) that differ."""
    found = [
        ("chart", name) for name in before.state._fields if getattr(before.state, name) != getattr(after.state, name)
    ]
    one, other = ({(s.kind, s.entry): s for s in folded.subjects} for folded in (before, after))
    for key in one.keys() | other.keys():
        here, there = one.get(key), other.get(key)
        if here is None or there is None:
            found.append(("subject", key[0]))
            continue
        if (here.current, here.ended, here.proposed) != (there.current, there.ended, there.proposed):
            found.append(("subject", key[0]))
        found += [("fact", name) for name in here.facts if here.facts[name] != there.facts.get(name)]
    odd = [[(entry.id, reason) for entry, reason in folded.inconsistent] for folded in (before, after)]
    return found + ([("fact", "case.entries_inconsistent")] if odd[0] != odd[1] else [])


DECLARED: dict[str, Any] = {"fact": of_fact, "subject": of_subject, "chart": of_chart}


def fold_of(data: dict[str, Any], on: Any) -> Folded:
    return fold(assessor().history(case_from_data(data), on), on, all_subjects=True)


def undeclared(seed: int, pair: Pair) -> list[tuple[str, str]]:
    """What changes with a field and does not say so."""
    case, on, rng = random_pair(seed)
    data = plain(case)
    other = changed(rng, data, pair)
    if other is None:
        return []
    found = differences(fold_of(data, on), fold_of(other, on))
    return [item for item in found if pair not in DECLARED[item[0]](item[1])]


@pytest.mark.parametrize("type_", [HEADER, *ENTRY_TYPES])
def test_what_changes_with_a_field_declares_it(type_: str) -> None:
    rng = random.Random(type_)  # the same journals each time; the next test draws others
    for pair in (pair for pair in pairs() if pair[0] == type_):
        for _ in range(8):
            assert undeclared(rng.randrange(2**32), pair) == [], pair


@settings(max_examples=200)
@given(seed=SEEDS)
def test_what_changes_with_any_field_declares_it(seed: int) -> None:
    pair = random.Random(seed).choice(pairs())
    assert undeclared(seed, pair) == [], pair


def told_by(data: dict[str, Any], on: Any) -> dict[str, set[str]]:
    """By the entry that began an episode, the entries that began and ended it."""
    path = assessor().history(case_from_data(data), on).path
    found: dict[str, set[str]] = {}
    for episode in (*path.activities, *path.coachings, *path.trials, *path.jobs):
        ended_by = {episode.ended_by.id} if episode.ended_by is not None else set()
        found[episode.entry.id] = {episode.entry.id} | ended_by
    return found


@settings(max_examples=150)
@given(seed=SEEDS)
def test_what_the_entries_of_a_subject_tell_no_other_entry_changes(seed: int) -> None:
    case, on, rng = random_pair(seed)
    data = plain(case)
    of_entries = {pair[0] for name, fact in FACTS.items() if fact.of_its_entries for pair in of_fact(name)}
    other = changed(rng, data, rng.choice([pair for pair in pairs() if pair[0] in of_entries]))
    if other is None:
        return
    touched = {item["id"] for item in [*other["entries"], *data["entries"]] if item not in data["entries"]}
    before, after = fold_of(data, on), fold_of(other, on)
    told, then = told_by(data, on), told_by(other, on)
    facts = {(s.kind, s.entry): s.facts for s in after.subjects}
    for subject in before.subjects:
        there, entry = facts.get((subject.kind, subject.entry)), str(subject.entry)
        if there is not None and told.get(entry) == then.get(entry) and not told.get(entry, {entry}) & touched:
            own = [name for name in subject.facts if FACTS[name].of_its_entries and FACTS[name].kind == subject.kind]
            assert [subject.facts[name] for name in own] == [there[name] for name in own]


@pytest.mark.soak
def test_many_changes_of_fields_are_declared() -> None:
    print(f"POLKU_SEED={SEED}")
    rng = random.Random(SEED)
    for _ in range(200_000):
        seed, pair = rng.randrange(2**32), rng.choice(pairs())
        assert undeclared(seed, pair) == [], (seed, pair)
