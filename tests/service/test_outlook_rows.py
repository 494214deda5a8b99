"""What is kept of a client for lists says, on every day it holds, what a fresh assessment would say to that reader."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from rules.assessment import Assessor
from rules.entries import LAST_YEAR
from rules.journal import Case
from service.access.policy import Sight, sees
from service.access.principal import ROLES
from service.access.relations import RELATIONS
from service.access.withholding import withhold_assessment
from service.outlook_rows import Shown, contents, shown, undetermined_contents
from tests.helpers import SEEDS, assessor, entry, journal, random_pair, reference_assessor
from tests.service.access.sights import OF_THE_TABLES, random_sight
from tests.service.access.test_non_interference import two_journals
from tests.service.outlooks import days_of, examples

EVERY = [sees(role, relation) for role in ROLES for relation in RELATIONS]


def told(shown: Shown) -> dict[str, Any]:
    """What is shown, in the words of an assessment."""
    return {
        "state": dict(shown.state),
        "next_steps": [step.as_json("fi") for step in shown.steps],
        "agenda": sorted(
            [item.rule, item.last_day.isoformat(), item.day.isoformat(), item.before or "", item.outcome]
            for item in shown.dates
            if item.kind == "change"
        ),
        "open": [
            (f.rule, f.outcome, f.severity, f.due and f.due.isoformat(), f.action, f.role, f.set_aside)
            for f in shown.open
        ],
    }


def fresh(engine: Assessor, case: Case, day: date, sight: Sight) -> dict[str, Any]:
    """What a fresh assessment says, as far as this sight shows it."""
    answer = withhold_assessment(engine.assess(case, day), sight)
    return {
        "state": answer["state"],
        "next_steps": answer["next_steps"],
        "agenda": sorted(
            [item["rule"], item["last_day"], item["changes_on"], item["from"], item["to"]] for item in answer["agenda"]
        ),
        "open": [
            (f["rule"], f["outcome"], f["severity"], f["due"], f["action"], f["role"], f["set_aside"] is not None)
            for f in answer["findings"]
            if not f.get("withheld") and f["outcome"] in ("violated", "advised")
        ],
    }


def codes(engine: Assessor, case: Case, day: date) -> tuple[dict[str, Any], date | None]:
    """What is kept on a day, but for the day by which rules are chosen: their versions change on turning days alone."""
    payload, until = contents(engine, case, day)
    kept = json.loads(payload)
    for finding in kept["findings"]:
        del finding["judged_on"]
    return kept, until


def holds(case: Case, day: date, rng: random.Random, sight: Sight) -> int:
    """An outlook made on `day` is what one made on any day it holds would be; how many days it holds, at most 1000."""
    engine = reference_assessor()
    payload, until = contents(engine, case, day)
    last = (until - timedelta(days=1)) if until is not None else date(LAST_YEAR, 12, 31)
    span = min((last - day).days, 1000)
    for later in {day, day + timedelta(days=span), day + timedelta(days=rng.randint(0, span))}:
        assert codes(engine, case, later) == codes(engine, case, day)
        assert told(shown(payload, sight, engine.pack, later)) == fresh(engine, case, later, sight)
    return span


@pytest.mark.parametrize("name", sorted(examples()))
def test_an_outlook_says_on_any_day_it_holds_what_a_fresh_one_says(name: str) -> None:
    rng = random.Random(name)
    case = examples()[name]
    spans = [holds(case, day, rng, rng.choice(OF_THE_TABLES)) for day in days_of(case, rng, 12)]
    assert max(spans) > 0


@settings(max_examples=60)
@given(seed=SEEDS)
def test_so_it_is_with_any_journal(seed: int) -> None:
    case, on, rng = random_pair(seed)
    holds(case, on, rng, rng.choice((rng.choice(OF_THE_TABLES), random_sight(rng))))


@pytest.mark.soak
def test_so_it_is_with_very_many_journals() -> None:
    rng = random.Random(4)
    for _ in range(20_000):
        case, on, more = random_pair(rng.randrange(2**32))
        holds(case, on, more, more.choice((more.choice(OF_THE_TABLES), random_sight(more))))


@pytest.mark.parametrize("name", sorted(examples()))
def test_each_role_in_each_relation_sees_what_an_assessment_shows_it(name: str) -> None:
    case, rng = examples()[name], random.Random(name)
    (day,) = days_of(case, rng, 1)
    payload, _ = contents(assessor(), case, day)
    for sight in EVERY:
        assert told(shown(payload, sight, assessor().pack, day)) == fresh(assessor(), case, day, sight)


def test_set_aside_advice_gives_no_step_until_it_is_back() -> None:
    case = journal(
        entry("2024-01-01", "worker_assigned", role="social_worker", worker="w"),
        entry("2024-04-01", "coaching_started", provider="p", provider_kind="public"),
        entry("2024-05-01", "coaching_ended", reason="client_choice"),
        entry("2024-05-20", "advice_set_aside", rule="next-assess-needs", reason="not now", until="2024-06-10"),
    )
    payload, until = contents(assessor(), case, date(2024, 6, 5))
    assert until == date(2024, 6, 11)
    found = shown(payload, sees("social_worker", "assigned"), assessor().pack, date(2024, 6, 5))
    assert [step.action for step in found.steps] == ["keep_contact"]
    assert [(item.rule, item.gives_step, item.set_aside) for item in found.open if item.set_aside] == [
        ("next-assess-needs", False, True)
    ]
    assert found.dates[0].last_day == date(2024, 6, 10)


def test_what_is_dated_ahead_ends_an_outlook() -> None:
    case = journal(entry("2024-01-01", "activity_started"), entry("2024-01-20", "activity_ended", reason="job"))
    assert contents(assessor(), case, date(2024, 1, 5))[1] == date(2024, 1, 20)


def test_what_is_due_is_told_by_the_day_it_is_looked_at() -> None:
    case = journal(
        entry("2024-01-01", "activity_started", days_per_week=3),
        entry("2024-01-31", "activity_paused", reason="work_trial"),
    )
    sight = sees("social_worker", "assigned")
    for day, status in ((date(2024, 2, 22), "due"), (date(2024, 3, 1), "overdue")):
        found = shown(contents(assessor(), case, day)[0], sight, assessor().pack, day)
        step = next(item for item in found.steps if "ktt-pause-max-one-month" in item.because)
        assert (step.due, step.status) == (date(2024, 2, 29), status)


def test_nothing_that_is_kept_is_text_of_people() -> None:
    secret = "salaisuus"
    case = journal(
        entry("2024-01-01", "worker_assigned", role="social_worker", worker=secret),
        entry("2024-01-01", "activity_started", note=secret, id=secret),
        entry("2024-05-20", "advice_set_aside", rule="ask-interest-in-work", reason=secret),
        municipality=secret,
    )
    payload, _ = contents(assessor(), case, date(2024, 6, 1))
    assert secret not in payload
    assert {item["rule"] for item in json.loads(payload)["findings"]}


def test_of_a_client_of_whom_nothing_can_be_told_nothing_is() -> None:
    found = shown(undetermined_contents(), sees("social_worker", "assigned"), assessor().pack, date(2024, 1, 1))
    assert found == Shown(None, {}, (), (), (), undetermined=True)


@settings(max_examples=60)
@given(seed=SEEDS)
def test_two_clients_who_differ_in_what_is_hidden_alone_look_the_same_in_a_list(seed: int) -> None:
    rng = random.Random(seed)
    sight = rng.choice((rng.choice(OF_THE_TABLES), random_sight(rng)))
    one, other, day, _ = two_journals(seed, sight)
    engine = reference_assessor()
    here, there = (shown(contents(engine, case, day)[0], sight, engine.pack, day) for case in (one, other))
    assert here == there
