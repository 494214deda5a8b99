"""Two clients who differ only in what a user may not see look the same to that user, whatever is hidden and asked."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from rules.assessment import Assessor, Proposal
from rules.explain import explain
from rules.journal import Case, case_from_data, case_to_data
from rules.provenance import Pair
from service.access.policy import Sight
from service.access.reach import withheld_rules
from service.access.withholding import (
    withhold_advice,
    withhold_assessment,
    withhold_case,
    withhold_decision,
    withhold_explanations,
    withhold_findings,
)
from service.recording.advice import advice_trail
from service.recording.judging import Judged, judge_opening, judge_recording
from service.recording.record import Circumstances, RecordedBy, decision_record
from statemachines import TRIGGERS
from tests.helpers import SEED, SEEDS, random_pair, reference_assessor
from tests.perturb import changed_often, pairs, plain
from tests.service.access.sights import HIDEABLE, OF_THE_TABLES, hiding, random_sight

#: Entries anyone may add to both journals, to be judged as a recording.
STEPS: tuple[dict[str, Any], ...] = (
    {"type": "activity_ended", "reason": "period_over"},
    {"type": "coaching_ended", "reason": "symptoms"},
    {"type": "coaching_declined", "reason": "no_show"},
    {"type": "coaching_info_given"},
    {"type": "work_trial_started", "arrangement": "alongside_activity"},
)


def perturbable(sight: Sight) -> list[Pair]:
    return [pair for pair in pairs() if pair in sight.hidden]


def two_journals(seed: int, sight: Sight) -> tuple[Case, Case, date, random.Random]:
    """A journal, another that differs in hidden fields alone, and a day."""
    case, on, rng = random_pair(seed)
    data = plain(case)
    other = changed_often(rng, data, perturbable(sight), 10)
    return case_from_data(data), case_from_data(other), on, rng


def answers(case: Case, on: date, sight: Sight, choice: int) -> Iterator[Any]:
    """Everything a user with this sight can ask about a case; `choice` draws the same questions for two cases."""
    rng, assessor = random.Random(choice), reference_assessor()
    yield withhold_case(case_to_data(case), sight)
    known_at = datetime(rng.randint(2019, 2026), 6, 1, tzinfo=UTC) if rng.random() < 0.2 else None
    plainly = assessor.assess(case, on, known_at=known_at, history=rng.random() < 0.3, lang="en")
    yield withhold_assessment(plainly, sight)
    step = proposal(rng)
    yield withhold_assessment(assessor.assess(case, on, proposal=step, with_agenda=False), sight)
    for rule in rng.sample(sorted({rule.id for rule in assessor.pack.editions[-1].rules}), 3):
        found = explain(assessor, case, on, rule, proposal=step if rng.random() < 0.3 else None)
        yield withhold_explanations(found, rule, sight, assessor.pack, "en")
    yield from of_decisions(assessor, case, on, sight, rng)


def proposal(rng: random.Random) -> Proposal:
    trigger = rng.choice(sorted(TRIGGERS))
    return Proposal(trigger, {"phase": "profile"} if trigger == "reach_phase" else {})


def of_decisions(assessor: Assessor, case: Case, on: date, sight: Sight, rng: random.Random) -> Iterator[Any]:
    """The decision of taking the case over and that of a step recorded next, and the advice they trail."""
    step = {**rng.choice(STEPS), "date": on.isoformat(), "id": "the-step"}
    data = case_to_data(case)
    after = case_from_data({**data, "entries": [*data["entries"], step]})
    records = [
        record(assessor, case, judge_opening(assessor, case, on), 1),
        record(assessor, after, judge_recording(assessor, case, after, on), 2),
    ]
    yield from (withhold_decision(item, sight, assessor.pack) for item in records)
    trail = advice_trail(records, {"the-step": step["type"]}, on)
    yield withhold_advice([item.as_json() for item in trail], sight, assessor.pack)


def record(assessor: Assessor, case: Case, judged: Judged, version: int) -> dict[str, Any]:
    by = RecordedBy("w-1", "county", "social_worker", "assigned")
    entries = ("the-step",) if version > 1 else ()
    of = Circumstances(
        f"d{version}", case.id, version, entries, datetime(2026, 1, 1, tzinfo=UTC), by, "polku 1", assessor.pack
    )
    return decision_record(judged, of, None)


def check(seed: int, sight: Sight) -> bool:
    """The answers are the same; whether the cases would have looked different without hiding anything."""
    one, other, on, rng = two_journals(seed, sight)
    choice = rng.randrange(2**32)
    for here, there in zip(answers(one, on, sight, choice), answers(other, on, sight, choice), strict=True):
        assert here == there
    whole = reference_assessor().assess(one, on, with_agenda=False).as_json()
    return whole != reference_assessor().assess(other, on, with_agenda=False).as_json()


@settings(max_examples=80)
@given(seed=SEEDS)
def test_a_sight_of_the_tables_tells_nothing_of_what_it_hides(seed: int) -> None:
    check(seed, random.Random(seed).choice(OF_THE_TABLES))


@settings(max_examples=80)
@given(seed=SEEDS)
def test_any_sight_tells_nothing_of_what_it_hides(seed: int) -> None:
    check(seed, random_sight(random.Random(seed)))


@pytest.mark.parametrize("pair", HIDEABLE, ids=lambda pair: ".".join(pair))
def test_a_single_hidden_field_tells_nothing_of_itself(pair: Pair) -> None:
    check(random.Random(str(pair)).randrange(2**32), hiding(pair))


@pytest.mark.soak
def test_many_sights_tell_nothing_of_what_they_hide() -> None:
    rng = random.Random(SEED)
    print(f"POLKU_SEED={SEED}")
    for _ in range(20_000):
        seed = rng.randrange(2**32)
        sight = rng.choice((rng.choice(OF_THE_TABLES), random_sight(rng), hiding(rng.choice(HIDEABLE))))
        check(seed, sight)


def test_the_journals_compared_do_differ_to_someone_who_sees_all() -> None:
    rng = random.Random(11)
    differ = [check(rng.randrange(2**32), random_sight(rng)) for _ in range(30)]
    assert sum(differ) >= 8


def test_a_guarded_step_tells_nothing_but_of_the_step_itself() -> None:
    """What a 409 says of the rules that are not withheld is the same whatever is hidden."""
    assessor, rng = reference_assessor(), random.Random(7)
    for _ in range(60):
        sight = rng.choice(OF_THE_TABLES)
        one, other, on, _ = two_journals(rng.randrange(2**32), sight)
        step = {**rng.choice(STEPS), "date": on.isoformat(), "id": "the-step"}
        hidden = withheld_rules(assessor.pack, sight, own_step=True)
        told = []
        for case in (one, other):
            data = case_to_data(case)
            after = case_from_data({**data, "entries": [*data["entries"], step]})
            objections = judge_recording(assessor, case, after, on).objections
            found = withhold_findings(objections, sight, assessor.pack, "en", own_step=True)
            told.append([item for item in found if item["rule"] not in hidden])
        assert told[0] == told[1]
