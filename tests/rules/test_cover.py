"""Spans of days in which something is in force; the last day counts, and what follows without a gap is one."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.fold.cover import Span, activity_decisions, consent, covers, in_force, joined, statements
from rules.fold.record import Record
from tests.helpers import assessor, day, entry, journal

FIRST = date(2024, 1, 1)


def span(start: int, end: int | None) -> Span:
    """A span by days after the first of January."""
    return Span(FIRST + timedelta(days=start), None if end is None else FIRST + timedelta(days=end))


def record(on: str, *entries: dict[str, Any], **header: Any) -> Record:
    return Record(assessor().history(journal(*entries, **header), day(on)), day(on))


# --- joining ---


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([span(0, 5)], [span(0, 5)]),
        ([span(0, 5), span(6, 9)], [span(0, 9)]),
        ([span(0, 5), span(7, 9)], [span(0, 5), span(7, 9)]),
        ([span(6, 9), span(0, 5)], [span(0, 9)]),
        ([span(0, 9), span(2, 4)], [span(0, 9)]),
        ([span(0, None), span(2, 4)], [span(0, None)]),
        ([span(0, 5), span(3, None)], [span(0, None)]),
        ([span(5, 4)], []),
        ([span(5, 4), span(0, 2)], [span(0, 2)]),
        ([span(3, 3), span(4, 4)], [span(3, 4)]),
    ],
)
def test_spans_without_a_gap_are_one(spans: list[Span], expected: list[Span]) -> None:
    assert joined(spans) == expected


SPANS = st.lists(
    st.tuples(st.integers(0, 20), st.none() | st.integers(0, 20)).map(lambda pair: span(*pair)), max_size=6
)


@given(SPANS)
def test_joining_keeps_every_day_and_adds_none(spans: list[Span]) -> None:
    def held(some: list[Span], on: date) -> bool:
        return any(one.start <= on and (one.end is None or on <= one.end) for one in some)

    found = joined(spans)
    for number in range(25):
        on = FIRST + timedelta(days=number)
        assert held(found, on) == held(spans, on)
    for one, other in pairwise(found):
        assert one.end is not None
        assert one.end + timedelta(days=1) < other.start


def test_the_last_day_of_all_is_no_error() -> None:
    assert joined([Span(FIRST, date.max), Span(date.max, date.max)]) == [Span(FIRST, date.max)]


@pytest.mark.parametrize(
    ("spans", "start", "end", "expected"),
    [
        ([span(0, 9)], 2, 9, "yes"),
        ([span(0, 9)], 2, 10, "no"),
        ([span(2, 9)], 1, 5, "no"),
        ([span(0, 4), span(5, 9)], 2, 9, "yes"),
        ([span(0, 4), span(6, 9)], 2, 9, "no"),
        ([span(0, None)], 2, None, "yes"),
        ([span(0, 9)], 2, None, "unknown"),
        ([span(3, None)], 2, None, "no"),
        ([], 2, None, "no"),
    ],
)
def test_every_day_must_be_covered(spans: list[Span], start: int, end: int | None, expected: str) -> None:
    until = None if end is None else FIRST + timedelta(days=end)
    assert covers(spans, FIRST + timedelta(days=start), until) == expected


@pytest.mark.parametrize(("number", "found"), [(-1, False), (0, True), (5, True), (6, False)])
def test_both_ends_of_a_span_count(number: int, found: bool) -> None:
    on = (FIRST + timedelta(days=number)).isoformat()
    assert (in_force(record(on), [span(0, 5)]) is not None) == found


def test_the_record_notes_when_a_span_begins_or_ends() -> None:
    inside, ahead = record("2024-01-03"), record("2023-12-30")
    in_force(inside, [span(0, 5)])
    assert inside.holds_until == day("2024-01-06")
    in_force(ahead, [span(0, 5)])
    assert ahead.holds_until == day("2023-12-31")


# --- statements and decisions ---


def paid(on: str, **fields: Any) -> dict[str, Any]:
    return entry(on, "statement_issued", **{"measure": "work_trial", "paying": "yes", "start": on, **fields})


def test_only_paying_statements_of_the_measure_count() -> None:
    kept = record(
        "2024-06-01",
        paid("2024-01-01", end="2024-03-31"),
        paid("2024-04-01", paying="no"),
        paid("2024-04-01", paying="unknown", end="2024-04-30"),
        paid("2024-04-01", measure="activity", end="2024-05-31"),
    )
    assert statements(kept, "work_trial", maybe=False) == [Span(day("2024-01-01"), day("2024-03-31"))]
    assert len(statements(kept, "work_trial", maybe=True)) == 2


def test_a_withdrawal_ends_earlier_statements_the_day_before() -> None:
    withdrawn = entry("2024-02-10", "statement_withdrawn", measure="work_trial")
    kept = record("2024-06-01", paid("2024-01-01"), withdrawn, paid("2024-03-01"))
    assert statements(kept, "work_trial", maybe=False) == [
        Span(day("2024-01-01"), day("2024-02-09")),
        Span(day("2024-03-01"), None),
    ]


def decision(on: str, **fields: Any) -> dict[str, Any]:
    return entry(on, "service_decision", **{"service": "activity", "decision": "granted", **fields})


def test_a_decision_without_start_begins_on_its_day_and_an_ending_one_cuts_it() -> None:
    kept = record("2024-06-01", decision("2024-01-10"), decision("2024-02-01", decision="ended", end="2024-02-15"))
    assert activity_decisions(kept) == [Span(day("2024-01-10"), day("2024-02-15"))]
    undated = record("2024-06-01", decision("2024-01-10"), decision("2024-02-01", decision="ended"))
    assert activity_decisions(undated) == [Span(day("2024-01-10"), day("2024-02-01"))]


def test_denied_decisions_and_other_services_do_not_count() -> None:
    kept = record("2024-06-01", decision("2024-01-10", decision="denied"), decision("2024-01-10", service="coaching"))
    assert activity_decisions(kept) == []


# --- consents ---


def given_on(on: str, *parties: str, **fields: Any) -> dict[str, Any]:
    fields = {"scope": "provider", "voluntary": "yes", "informed": "yes", **fields}
    return entry(on, "consent_given", parties=list(parties), **fields)


def withdrawn_on(on: str, *parties: str) -> dict[str, Any]:
    return entry(on, "consent_withdrawn", scope="provider", **({"parties": list(parties)} if parties else {}))


def standing(on: str, *entries: dict[str, Any], party: str | None = "p", informed: bool = True, **header: Any) -> str:
    return consent(record(on, *entries, **header), "provider", party, informed=informed)


def test_a_consent_names_its_parties() -> None:
    assert standing("2024-02-01", given_on("2024-01-01", "p", "q")) == "yes"
    assert standing("2024-02-01", given_on("2024-01-01", "q")) == "no"
    assert standing("2024-02-01", given_on("2024-01-01", "q"), party=None) == "yes"
    assert standing("2024-02-01", given_on("2024-01-01", "p", scope="basic")) == "no"


def test_a_consent_holds_to_its_last_day() -> None:
    one = given_on("2024-01-01", "p", expires_on="2024-02-01")
    assert standing("2024-02-01", one) == "yes"
    assert standing("2024-02-02", one) == "no"


def test_a_consent_withdrawn_for_one_party_stands_for_the_others() -> None:
    both, withdrawn = given_on("2024-01-01", "p", "q"), withdrawn_on("2024-01-15", "p")
    assert standing("2024-02-01", both, withdrawn) == "no"
    assert standing("2024-02-01", both, withdrawn, party="q") == "yes"
    assert standing("2024-02-01", both, withdrawn_on("2024-01-15"), party="q") == "no"


def test_a_consent_given_after_the_withdrawal_stands() -> None:
    assert standing("2024-02-01", withdrawn_on("2024-01-15"), given_on("2024-01-15", "p")) == "yes"
    assert standing("2024-02-01", given_on("2024-01-15", "p"), withdrawn_on("2024-01-15")) == "no"


@pytest.mark.parametrize(
    ("voluntary", "informed", "expected"),
    [("yes", "yes", "yes"), ("yes", "unknown", "unknown"), ("no", "unknown", "no"), ("yes", "no", "no")],
)
def test_a_consent_must_be_voluntary_and_informed(voluntary: str, informed: str, expected: str) -> None:
    one = given_on("2024-01-01", "p", voluntary=voluntary, informed=informed)
    assert standing("2024-02-01", one) == expected
    assert standing("2024-02-01", one, informed=False) == "yes"


def test_a_consent_not_found_may_lie_where_the_journal_has_holes() -> None:
    assert standing("2024-02-01", not_recorded=["consent_given"]) == "unknown"
    assert standing("2024-02-01", complete_from="2024-01-01") == "unknown"
    assert standing("2024-02-01", withdrawn_on("2024-01-15"), complete_from="2024-01-01") == "no"
    assert standing("2024-02-01", withdrawn_on("2024-01-15", "q"), complete_from="2024-01-01") == "unknown"
