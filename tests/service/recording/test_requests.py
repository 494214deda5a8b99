"""Requests to record, read strictly: every mistake with its place in the request, never in the journal."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rules.journal import Case
from service.recording.errors import Refused
from service.recording.record import Acknowledgement
from service.recording.requests import (
    LONGEST_REASON,
    MOST_ENTRIES,
    acknowledgement_asked,
    case_asked,
    digest_of_request,
    entries_asked,
)
from tests.helpers import entry, journal, pack

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
CODE = "131052-308T"


def kept() -> Case:
    """A case of two entries, one of which has the name that a third would have by position."""
    return journal(entry("2024-01-01", "need_assessed"), entry("2024-01-02", "need_assessed", id="e3"))


def asked(*entries: Any, case: Case | None = None) -> list[str]:
    """The places of the mistakes in a list of entries."""
    with pytest.raises(Refused) as refused:
        entries_asked(case or kept(), list(entries), NOW, "social_worker")
    return [problem.place for problem in refused.value.problems]


def test_entries_are_recorded_now_by_the_role_acted_in_and_named_by_position() -> None:
    found = entries_asked(
        kept(), [entry("2024-02-01", "need_assessed"), entry("2024-02-01", "need_assessed")], NOW, "job_coach"
    )
    assert [item.id for item in found] == ["e4", "e5"]  # e3 is taken
    assert {(item.by, item.recorded_at) for item in found} == {("job_coach", NOW)}


def test_a_role_told_stands_and_one_unknown_to_journals_is_not_put_in() -> None:
    (told,) = entries_asked(
        kept(), [entry("2024-02-01", "initiative_taken", service="coaching", by="client")], NOW, "job_coach"
    )
    assert told.by == "client"
    (none,) = entries_asked(kept(), [entry("2024-02-01", "need_assessed")], NOW, None)
    assert none.by is None


def test_names_given_later_in_the_list_are_left_alone() -> None:
    found = entries_asked(
        journal(), [entry("2024-02-01", "need_assessed"), entry("2024-02-01", "need_assessed", id="e1")], NOW, None
    )
    assert [item.id for item in found] == ["e2", "e1"]


def test_a_mistake_is_told_with_its_place_in_the_request() -> None:
    assert asked(
        entry("2024-02-01", "need_assessed"), entry("2024-02-31", "contact", party="nobody", form="phone")
    ) == [
        "entries[1].date",
        "entries[1].party",
    ]
    assert asked({"date": "2024-02-01", "type": "need_asessed"}) == ["entries[0].type"]
    assert asked(3, None) == ["entries[0]", "entries[1]"]


def test_the_service_sets_the_time_of_recording() -> None:
    given = entry("2024-02-01", "need_assessed", recorded_at="2024-02-01T10:00:00Z")
    assert asked(entry("2024-02-01", "need_assessed"), given, {**given, "type": "x"}) == [
        "entries[1].recorded_at",
        "entries[2].recorded_at",
        "entries[2].type",
    ]


@pytest.mark.parametrize("entries", [None, {}, "need_assessed", 5])
def test_what_is_no_list_is_refused(entries: object) -> None:
    with pytest.raises(Refused) as refused:
        entries_asked(kept(), entries, NOW, None)
    assert [problem.place for problem in refused.value.problems] == ["entries"]


@pytest.mark.parametrize("count", [0, MOST_ENTRIES + 1])
def test_an_empty_list_and_a_list_too_long_are_refused(count: int) -> None:
    assert asked(*[entry("2024-02-01", "need_assessed")] * count) == ["entries"]


def test_an_id_that_an_earlier_entry_has_is_refused() -> None:
    assert asked(entry("2024-02-01", "need_assessed", id="e1")) == ["entries[0].id"]
    assert asked(*[entry("2024-02-01", "need_assessed", id="x")] * 2) == ["entries[1].id"]


def test_a_correction_may_void_an_entry_kept_or_one_of_its_list() -> None:
    (kept_one,) = entries_asked(kept(), [entry("2024-02-01", "correction", voids="e1")], NOW, None)
    assert kept_one.id == "e4"
    own = [entry("2024-02-01", "need_assessed", id="x"), entry("2024-02-01", "correction", voids="x")]
    assert len(entries_asked(kept(), own, NOW, None)) == 2
    assert asked(entry("2024-02-01", "correction", voids="e2")) == ["entries[0].voids"]


def test_corrections_in_a_circle_are_refused() -> None:
    case = journal(entry("2024-01-01", "need_assessed", id="a"), entry("2024-01-02", "correction", id="b", voids="a"))
    circle = [
        entry("2024-02-01", "correction", id="c", voids="d"),
        entry("2024-02-01", "correction", id="d", voids="c"),
    ]
    assert asked(*circle, case=case) == ["entries[0].voids"]
    assert asked(entry("2024-02-01", "correction", id="c", voids="c"), case=case) == ["entries[0].voids"]
    # A chain that goes back through corrections kept is none.
    assert len(entries_asked(case, [entry("2024-02-01", "correction", id="c", voids="b")], NOW, None)) == 1


def test_an_identity_code_is_refused_and_not_repeated() -> None:
    with pytest.raises(Refused) as refused:
        entries_asked(kept(), [entry("2024-02-01", "need_assessed", note=f"tunnus {CODE}")], NOW, None)
    (problem,) = refused.value.problems
    assert problem.place == "entries[0].note"
    assert CODE not in str(problem)


# --- cases taken over ---


def test_a_case_taken_over_keeps_its_times_of_recording_and_gets_those_it_lacks() -> None:
    data = {
        "case": {"id": "c"},
        "entries": [
            entry("2024-01-01", "need_assessed", recorded_at="2024-01-01T10:00:00Z"),
            entry("2024-01-01", "need_assessed"),
        ],
    }
    assert [item.recorded_at for item in case_asked(data, NOW).entries] == [datetime(2024, 1, 1, 10, tzinfo=UTC), NOW]


def test_nothing_was_recorded_after_now() -> None:
    data = {"case": {"id": "c"}, "entries": [entry("2024-01-01", "need_assessed", recorded_at="2026-11-20T10:00:01Z")]}
    with pytest.raises(Refused) as refused:
        case_asked(data, NOW)
    assert [problem.place for problem in refused.value.problems] == ["entries[0].recorded_at"]


def test_a_case_with_mistakes_is_refused_with_their_places() -> None:
    with pytest.raises(Refused) as refused:
        case_asked({"case": {"id": ""}, "entries": [{"date": "2024-01-01"}]}, NOW)
    assert [problem.place for problem in refused.value.problems] == ["case.id", "entries[0].type"]


# --- acknowledgements ---


def test_an_acknowledgement_names_rules_and_a_reason() -> None:
    found = acknowledgement_asked(
        {"rules": ["as-update-on-trial", "path-inconsistent"] * 2, "reason": " sovittu "}, pack()
    )
    assert found == Acknowledgement(("as-update-on-trial", "path-inconsistent"), "sovittu")
    assert acknowledgement_asked(None, pack()) is None


@pytest.mark.parametrize(
    ("data", "places"),
    [
        ([], ["acknowledged"]),
        ("yes", ["acknowledged"]),
        ({}, ["acknowledged.rules", "acknowledged.reason"]),
        ({"rules": [], "reason": "sovittu"}, ["acknowledged.rules"]),
        ({"rules": ["as-update-on-trail"], "reason": "sovittu"}, ["acknowledged.rules[0]"]),
        ({"rules": ["as-update-on-trial", 3], "reason": "sovittu"}, ["acknowledged.rules[1]"]),
        ({"rules": ["as-update-on-trial"], "reason": " .\n"}, ["acknowledged.reason"]),
        ({"rules": ["as-update-on-trial"], "reason": 5}, ["acknowledged.reason"]),
        ({"rules": ["as-update-on-trial"], "reason": "a" * (LONGEST_REASON + 1)}, ["acknowledged.reason"]),
        ({"rules": ["as-update-on-trial"], "reason": f"asiakas {CODE}"}, ["acknowledged.reason"]),
        ({"rules": ["as-update-on-trial"], "reason": "a\x00b"}, ["acknowledged.reason"]),
        ({"rules": ["as-update-on-trial"], "reason": "\ud800 a"}, ["acknowledged.reason"]),
        ({"rules": ["as-update-on-trial"], "reason": "sovittu", "by": "me"}, ["acknowledged.by"]),
    ],
)
def test_an_acknowledgement_that_says_too_little_or_too_much_is_refused(data: object, places: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        acknowledgement_asked(data, pack())
    assert [problem.place for problem in refused.value.problems] == places
    assert CODE not in str(refused.value.problems)


def test_a_rule_misspelt_is_told_with_the_one_meant() -> None:
    with pytest.raises(Refused) as refused:
        acknowledgement_asked({"rules": ["as-update-on-trail"], "reason": "sovittu"}, pack())
    assert refused.value.problems[0].hint == "did you mean as-update-on-trial?"


# --- digests ---


def test_the_digest_tells_requests_apart_and_knows_one_again() -> None:
    one = digest_of_request("entries", "c", 1, [{"a": 1, "b": [None, 1.5]}], None)
    assert one == digest_of_request("entries", "c", 1, [{"b": [None, 1.5], "a": 1}], None)
    others = [
        digest_of_request("entries", "c", 2, [{"a": 1, "b": [None, 1.5]}], None),
        digest_of_request("entries", "d", 1, [{"a": 1, "b": [None, 1.5]}], None),
        digest_of_request("entries", "c", 1, [{"a": 1, "b": [None, 1.5]}], {}),
        digest_of_request("entries", "c", 1, [{"a": "1", "b": [None, 1.5]}], None),
        digest_of_request("entries", "c", 1, [{"a": 1, "b": [1.5, None]}], None),
    ]
    assert len({one, *others}) == 6
    assert digest_of_request("\ud800", float("nan"))
