"""Sixty journeys labelled by hand from SPEC: every engine finds what the labels say and nothing else."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

import pytest

from rules.cases import rule_ids
from tests.agreement import columnar
from tests.agreement.columnar import FIELDS, Facts, Row, by_case
from tests.helpers import pack
from tests.journeys.labels import OPEN, Day, Found, Journey, differences, journeys

#: What the ids of the path's own advice (§4.2) begin with: the labels are about §4.1.
PATH = "next-"
ALL_RULES = [rule for rule in rule_ids(pack()) if not rule.startswith(PATH)]
#: Advice whose text says when it applies, and nothing of what would satisfy it: settled, these rules are silent.
SILENT_WHEN_SETTLED = {
    "ask-interest-in-work",
    "follow-up-reconnect",
    "ktt-ends-if-trial-continues",
    "new-job-after-loss",
    "offer-coaching-when-client-wants-work",
    "statement-lapses-before-overlap-ends",
    "tell-all-ktt-clients",
    "transition-support-retained",
    "wish-to-work-answered",
}


def days() -> dict[date, list[tuple[Journey, Day]]]:
    """The labelled days of all journeys, by date."""
    found: dict[date, list[tuple[Journey, Day]]] = defaultdict(list)
    for journey in journeys():
        for day in journey.days:
            found[day.date].append((journey, day))
    return found


def covering() -> list[date]:
    """Few dates on which every journey has a labelled day: a run of the columnar engine takes a second a date."""
    left, chosen = {journey.name for journey in journeys()}, []
    labelled = {on: {journey.name for journey, _ in pairs} for on, pairs in days().items()}
    while left:
        best = max(labelled, key=lambda on: (len(labelled[on] & left), on))
        left -= labelled[best]
        chosen.append(best)
    return sorted(chosen)


def found(rows: Iterable[Row]) -> list[Found]:
    """Findings of §4.1, as they are compared with labels."""
    items = [dict(zip(FIELDS, row, strict=True)) for row in rows]
    return [
        Found(
            str(item["rule"]),
            item["subject_entry"],
            str(item["outcome"]),
            item["due"] and str(item["due"]),
            tuple(str(item["missing"]).split()),
            item["set_aside"],
        )
        for item in items
        if not str(item["rule"]).startswith(PATH)
    ]


def told(journey: Journey, day: Day, rows: Iterable[Row]) -> list[str]:
    """What differs on a day, under the journey's name."""
    return [f"{journey.name}, {day.date}: {line}" for line in differences(day, found(rows))]


@pytest.mark.parametrize("journey", journeys(), ids=lambda journey: journey.name)
def test_the_interactive_engines_find_what_the_labels_say(journey: Journey) -> None:
    seen = [(day, columnar.interactive([journey.case], day.date)) for day in journey.days]
    lines = [line for day, rows in seen for line in told(journey, day, rows)]
    assert not lines, "\n".join([journey.story, *lines])


def check_columnar(on: date) -> None:
    with Facts([journey.case for journey in journeys()]) as facts:
        rows = by_case(facts.judged(on))
    lines = [line for journey, day in days()[on] for line in told(journey, day, rows.get(journey.case.id, ()))]
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize("on", covering(), ids=str)
def test_the_columnar_engine_finds_what_the_labels_say(on: date) -> None:
    check_columnar(on)


@pytest.mark.soak
@pytest.mark.parametrize("on", sorted(days().keys() - set(covering())), ids=str)
def test_the_columnar_engine_finds_what_the_labels_say_on_every_date(on: date) -> None:
    check_columnar(on)


def test_there_are_sixty_journeys_each_with_a_story_and_a_reason_for_every_label() -> None:
    assert len(journeys()) == 60
    assert len({journey.case.id for journey in journeys()}) == 60
    assert all(len(journey.story) > 20 for journey in journeys())
    labels = [label for journey in journeys() for day in journey.days for label in (*day.open, *day.settled)]
    assert {label.rule for label in labels} == set(ALL_RULES)
    assert all(len(label.why) >= 9 and label.why.endswith(".") for label in labels)


@pytest.mark.parametrize("rule", ALL_RULES)
def test_every_rule_is_labelled_open_and_settled(rule: str) -> None:
    labels = [label for journey in journeys() for day in journey.days for label in (*day.open, *day.settled)]
    outcomes = {label.outcome for label in labels if label.rule == rule}
    assert outcomes & {"violated", "advised"}
    settled = outcomes - set(OPEN)
    assert settled if rule in SILENT_WHEN_SETTLED else settled & {"satisfied", "remedied"}


def test_a_label_that_is_wrong_is_noticed_and_told() -> None:
    (journey,) = [journey for journey in journeys() if journey.name == "02-wish-unanswered"]
    day = next(day for day in journey.days if str(day.date) == "2024-04-04")
    rows = columnar.interactive([journey.case], day.date)
    assert not told(journey, day, rows)

    wrong = "wish-to-work-answered violated, due 2024-04-03"
    (line,) = told(journey, Day(day.date, day.open[1:], day.settled), rows)
    assert line == f"02-wish-unanswered, 2024-04-04: found, not expected: {wrong}, about None"
    (line,) = told(journey, day, [row for row in rows if row[1] != "wish-to-work-answered"])
    assert (
        line == f"02-wish-unanswered, 2024-04-04: expected, not found: {wrong} (The thirty-first day after the wish.)"
    )
