"""Facts kept with a version of a case: taken again they say what folding anew would, for as long as they hold."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from rules.engines.reference import reference
from rules.findings import Judge, SetAside, standing
from rules.fold import fold
from rules.journal import Case, case_from_data
from rules.kept import facts_hold_until, finding_data, numbers_hold_until, subjects_data
from service.kept_facts import Facts, kept, made_by, taken
from service.store import KeptFacts
from tests.helpers import assessor, day, entry, journal, pack, reference_assessor
from tests.oracle.generate import random_case, random_dates

PROGRAM = "polku test"


def facts_of(case: Case, on: date) -> KeptFacts:
    """The facts of a case as a recording keeps them."""
    read = assessor().history(case, on)
    folded = fold(read, on)
    days = on, facts_hold_until(case, folded, numbers_hold_until(pack(), on))
    return kept(case.id, 1, days, subjects_data(folded.subjects), standing(read, on), program=PROGRAM, pack=pack())


def judged(facts: Facts, on: date) -> list[object]:
    """What the rules find in kept facts on a day."""
    aside = {rule: item for rule, item in facts.set_aside.items() if item.until is None or item.until >= on}
    return [finding_data(found) for found in Judge(pack(), reference, on, aside).findings(facts.subjects)]


def test_until_they_no_longer_hold_kept_facts_are_judged_as_the_journal_is() -> None:
    rng = Random(5)
    for _ in range(25):
        document = random_case(rng)
        case, first = case_from_data(document), random_dates(rng, document, 1)[0]
        facts = taken(facts_of(case, first))
        for on in {
            first,
            min(facts.holds_until, first + timedelta(days=400)),
            first + timedelta(days=rng.randrange(9)),
        }:
            if on <= facts.holds_until and on.year < 2100:
                _, found = reference_assessor().findings(case, on)
                assert judged(facts, on) == [finding_data(item) for item in found]


def test_they_hold_until_the_day_before_the_next_entry_dated_ahead() -> None:
    started = entry("2026-01-10", "activity_started", days_per_week=4)
    ahead = entry("2026-11-25", "interest_asked", wants_to_work=True)
    facts = facts_of(journal(started, ahead), day("2026-11-20"))
    assert facts.holds_until == "2026-11-24"


def test_no_reason_and_no_note_is_kept() -> None:
    aside = entry(
        "2026-11-01", "advice_set_aside", rule="next-keep-contact", reason="secret reason", note="secret note"
    )
    facts = facts_of(journal(aside), day("2026-11-20"))
    assert "secret" not in facts.facts
    assert taken(facts).set_aside == {"next-keep-contact": SetAside("e1", "", None)}


def test_facts_of_another_program_fold_or_vocabulary_are_others() -> None:
    assert made_by("polku 1") != made_by("polku 2")
    assert made_by(PROGRAM) == facts_of(journal(), day("2026-11-20")).fold


@pytest.mark.parametrize(
    "content", ["[]", "{}", "1", '{"subjects":[],"set_aside":{}}', '{"subjects":1,"set_aside":{}}']
)
def test_what_is_no_facts_is_told(content: str) -> None:
    row = replace(facts_of(journal(), day("2026-11-20")), facts=content)
    with pytest.raises(ValueError, match="kept"):
        taken(row)


def test_facts_with_a_wrong_value_are_told() -> None:
    row = facts_of(journal(entry("2026-01-10", "activity_started", days_per_week=4)), day("2026-11-20"))
    content = json.loads(row.facts)
    content["subjects"][1]["facts"]["activity.started_on"] = "yesterday"
    with pytest.raises(ValueError, match="yesterday"):
        taken(replace(row, facts=json.dumps(content)))
