"""What is planted is found by the rules it names, and nothing is found that was not planted: fault by fault."""

from __future__ import annotations

import random
import re
from datetime import date

import pytest

from rules.pack import load_pack
from service.generate.days import pick
from service.generate.drawing import ATTEMPTS, Drawing, Wanted
from service.generate.faults import FAULTS, faults_on
from service.generate.journeys import PATHS, journey
from service.generate.planting import Fault
from tests.service.generate.judging import differences, found, labelled
from tests.service.polku import ROOT

#: A Wednesday, and a day on which the rules that have gone since were in force.
DAYS = (date(2026, 11, 18), date(2024, 6, 30))
OF_EACH = 3


def day_of(fault: Fault) -> date:
    """A day the fault can be planted for."""
    return next(day for day in DAYS if fault.since <= day.toordinal() <= fault.until)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_brings_what_its_label_says_and_nothing_else(fault: Fault) -> None:
    day = day_of(fault)
    for number in range(OF_EACH):
        draw = random.Random(f"{fault.name}/{number}").random
        for _ in range(ATTEMPTS):
            drawn = journey(draw, day.toordinal(), number, 1, pick(draw, fault.stages))
            planted = fault.edit(drawn)
            if planted is not None:
                break
        else:
            pytest.fail("the fault fits no path of its stages")
        drawn.number()
        assert (planted[0].rule, planted[0].outcome) == (fault.rule, fault.outcome)
        expected = {
            (drawn.case, item.rule, item.subject.id if item.subject is not None else None, item.outcome, None)
            for item in planted
        }
        assert differences(expected, found(drawn, day)) == set(), number


def test_a_fault_that_does_not_fit_leaves_the_journal_as_it_was() -> None:
    day = DAYS[0].toordinal()
    untouched = 0
    for number, fault in enumerate(FAULTS):
        draw = random.Random(number).random
        drawn = journey(draw, day, number, 1, "not_started")
        before = [(entry.day, entry.type, repr(entry.fields)) for entry in drawn.entries]
        if fault.edit(drawn) is None:
            assert [(entry.day, entry.type, repr(entry.fields)) for entry in drawn.entries] == before, fault.name
            assert drawn.not_recorded == ()
            untouched += 1
    assert untouched > len(FAULTS) / 2


def test_every_rule_of_the_path_has_a_fault_and_every_fault_a_rule() -> None:
    rules = {rule.id for edition in load_pack().editions for rule in edition.rules if not rule.id.startswith("next-")}
    assert {fault.rule for fault in FAULTS} == rules
    assert len(rules) == 54


def test_rules_that_can_be_violated_are_and_the_others_advise() -> None:
    only_advise = {
        "offer-coaching-when-client-wants-work",
        "ask-interest-in-work",
        "tell-all-ktt-clients",
        "statement-lapses-before-overlap-ends",
        "transition-support-retained",
        "criminal-record-cost",
        "trial-first-month-travel",
        "new-job-after-loss",
        "follow-up-reconnect",
    }
    violated = {fault.rule for fault in FAULTS if fault.outcome == "violated"}
    advised = {fault.rule for fault in FAULTS if fault.outcome == "advised"}
    assert {fault.rule for fault in FAULTS} - violated == only_advise == advised


def test_faults_have_names_of_their_own_and_stages_that_are_drawn() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    for fault in FAULTS:
        assert set(fault.stages) <= set(PATHS)
        assert fault.how


def test_rules_not_in_force_on_a_day_are_not_planted_for_it() -> None:
    then = {fault.rule for fault in faults_on(date(2024, 12, 31).toordinal())}
    now = {fault.rule for fault in faults_on(date(2025, 1, 1).toordinal())}
    assert then - now == {"basic-consent-before-ktt"}
    assert now - then == {"trial-max-six-months"}


def test_the_page_lists_the_faults_as_they_are() -> None:
    page = (ROOT / "docs" / "generator.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z0-9-]+)` \| `([a-z-]+)` \| (\w+) \| (.+) \|$", page, re.M)
    assert listed == [(fault.rule, fault.name, fault.outcome, fault.how) for fault in FAULTS]


def test_labels_name_the_rule_set_aside_and_the_entry_that_did_it() -> None:
    day = DAYS[0]
    drawing = Drawing(Wanted(seed=4, as_of=day, faults=1.0))
    aside = 0
    for index in range(150):
        drawn, labels = drawing.case(index)
        if any(label["set_aside"] for label in labels):
            aside += 1
            assert differences(labelled(labels), found(drawn, day)) == set()
    assert aside >= 5
