"""Journeys are tidy, believable and of every stage, on every kind of day."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import date

import pytest

from rules.identity import contains_code
from service.generate.days import iso
from service.generate.drawing import FEWEST, MOST, Drawing, Wanted
from service.generate.journeys import PATHS, STAGES, journey
from service.generate.people import MUNICIPALITIES, case_id
from tests.service.generate.judging import assessor, case_of, differences, exact, found, labelled

#: A Wednesday, a Sunday, the ends of months, a leap day, and days about which rules begin or end.
DAYS = (
    date(2026, 11, 18), date(2026, 11, 22), date(2026, 2, 28), date(2025, 8, 31), date(2024, 2, 29), date(2024, 12, 31),
    date(2025, 1, 1), date(2024, 1, 1), date(2031, 5, 31),
)  # fmt: skip
MIXED = 60


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_a_journey_is_tidy_today_and_in_its_history(day: date) -> None:
    for index in range(MIXED):
        at = list(PATHS)[index % len(PATHS)]
        drawn = journey(random.Random(f"{day}/{index}").random, day.toordinal(), index, 3, at)
        drawn.number()
        assert exact(found(drawn, day, history=True)) == set(), (index, at)


@pytest.mark.parametrize("at", [name for name, _ in STAGES])
def test_a_journey_is_at_the_stage_it_was_drawn_for(at: str) -> None:
    day = DAYS[0]
    for index in range(15):
        drawn = journey(random.Random(index).random, day.toordinal(), index, 5, at)
        drawn.number()
        folded, _ = assessor().findings(case_of(drawn), day)
        assert folded.state.stage == at


def test_a_caseload_has_every_stage_and_every_arrangement_of_a_trial() -> None:
    drawing = Drawing(Wanted(seed=8, as_of=DAYS[0], faults=0.0))
    drawn = [drawing.case(index)[0] for index in range(700)]
    stages = Counter(item.stage for item in drawn)
    weights = dict(STAGES)
    for name, weight in weights.items():
        assert stages[name] == pytest.approx(weight * len(drawn) / sum(weights.values()), rel=0.6, abs=8)
    types = {entry.type for item in drawn for entry in item.entries}
    assert {
        "coaching_declined",
        "coaching_interrupted",
        "coaching_renewed",
        "job_ended",
        "work_trial_extended",
    } <= types
    assert {"outcome_reached", "case_closed", "correction", "contact_wish_recorded", "checklist_answered"} <= types
    trials = [entry for item in drawn for entry in item.entries if entry.type == "work_trial_started"]
    assert {entry.fields["arrangement"] for entry in trials} == {
        "alongside_activity", "activity_paused", "activity_ended",
    }  # fmt: skip
    outcomes = {e.fields["outcome"] for item in drawn for e in item.entries if e.type == "work_trial_ended"}
    assert outcomes == {"completed", "interrupted", "failed", "hired"}


def test_a_journal_has_from_five_to_sixty_entries_and_about_thirty() -> None:
    drawing = Drawing(Wanted(seed=9, as_of=DAYS[0]))
    sizes = defaultdict(list)
    for index in range(600):
        drawn, _ = drawing.case(index)
        sizes[drawn.stage].append(len(drawn.entries))
    every = [size for found_ in sizes.values() for size in found_]
    assert min(every) >= FEWEST
    assert max(every) <= MOST
    assert 25 <= sum(every) / len(every) <= 35
    assert sum(sizes["activity"]) / len(sizes["activity"]) < sum(sizes["coaching"]) / len(sizes["coaching"])


@pytest.mark.parametrize("entries", [20, 30, 60])
def test_every_journal_has_as_many_entries_as_asked_and_is_labelled_as_truly(entries: int) -> None:
    day = DAYS[0]
    drawing = Drawing(Wanted(seed=2, as_of=day, faults=0.4, entries=entries))
    for index in range(60):
        drawn, labels = drawing.case(index)
        assert len(drawn.entries) == entries
        assert differences(labelled(labels), found(drawn, day)) == set()


def test_entries_stand_in_the_order_of_their_days_and_few_are_dated_ahead() -> None:
    drawing = Drawing(Wanted(seed=6, as_of=DAYS[0]))
    ahead = 0
    for index in range(400):
        drawn, _ = drawing.case(index)
        days = [entry.day for entry in drawn.entries]
        assert days == sorted(days)
        ahead += days[-1] > DAYS[0].toordinal()
    assert 0 < ahead < 20


def test_nobody_is_named_and_nothing_can_be_taken_for_an_identity_code() -> None:
    drawing = Drawing(Wanted(seed=1, as_of=DAYS[0], faults=0.3))
    places = {name for name, _ in MUNICIPALITIES}
    assert len(places) == 10
    for index in range(300):
        drawn, _ = drawing.case(index)
        assert drawn.municipality in places
        assert not any(contains_code(str(value)) for row in drawn.rows() for value in row.values())
        assert not contains_code(drawn.case)
        assert not any(character.isdigit() for character in drawn.case)
        assert not any(vowel in drawn.case[2:] for vowel in "aeiouyåäö")


def test_ids_are_of_their_own() -> None:
    assert len({case_id(index, 3) for index in range(20_000)}) == 20_000
    assert case_id(5, 1) != case_id(5, 2)
    far = [case_id(index, 3) for index in range(10_000_000 - 50, 10_000_000 + 50)]
    assert len(set(far)) == 100


def test_a_case_is_the_same_whatever_was_drawn_before_it() -> None:
    wanted = Wanted(seed=3, as_of=DAYS[0], faults=0.5)
    one, other = Drawing(wanted), Drawing(wanted)
    first = [one.case(index) for index in range(40)]
    for index in (39, 7, 0, 22):
        drawn, labels = other.case(index)
        assert labels == first[index][1]
        assert drawn.header() == first[index][0].header()
        assert list(drawn.rows()) == list(first[index][0].rows())


def test_another_seed_or_day_gives_another_caseload() -> None:
    rows = [
        list(Drawing(Wanted(seed=seed, as_of=day)).case(1)[0].rows())
        for seed, day in ((1, DAYS[0]), (2, DAYS[0]), (1, DAYS[1]))
    ]
    assert rows[0] != rows[1]
    assert rows[0] != rows[2]


def test_without_faults_nothing_is_planted_and_with_all_nearly_every_case_has_one() -> None:
    assert not any(Drawing(Wanted(1, DAYS[0], 0.0)).case(index)[1] for index in range(100))
    assert sum(bool(Drawing(Wanted(1, DAYS[0], 1.0)).case(index)[1]) for index in range(100)) >= 97


def test_a_label_says_what_was_done_where_and_by_when_it_counts() -> None:
    drawing = Drawing(Wanted(seed=12, as_of=DAYS[0], faults=1.0))
    for index in range(60):
        drawn, labels = drawing.case(index)
        ids = {entry.id for entry in drawn.entries}
        for label in labels:
            assert label["case"] == drawn.case
            assert label["date"] == iso(DAYS[0].toordinal())
            assert label["fault"]
            assert label["how"]
            assert {label[name] for name in ("subject_entry", "entry", "set_aside")} - {None} <= ids
