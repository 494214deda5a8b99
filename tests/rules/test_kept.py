"""Subjects and findings as plain data, and made whole again: nothing is lost, nothing else gets in."""

import json
from typing import Any

import pytest
from hypothesis import given

from rules.facts import FACTS
from rules.findings import standing
from rules.fold import fold
from rules.journal import load_case
from rules.kept import finding_data, subjects_data, subjects_of
from service.audit.canonical import canonical
from tests.helpers import SEEDS, SIRPA, day, finding, random_pair, reference_assessor


@given(SEEDS)
def test_subjects_made_again_are_the_subjects(seed: int) -> None:
    case, on, _ = random_pair(seed)
    subjects = fold(reference_assessor().history(case, on), on, all_subjects=True).subjects
    data = json.loads(canonical(subjects_data(subjects)))
    assert subjects_of(data) == subjects


@given(SEEDS)
def test_subjects_made_again_are_judged_alike(seed: int) -> None:
    """Also once deadlines were derived: these are not kept."""
    case, on, _ = random_pair(seed)
    polku = reference_assessor()
    read = polku.history(case, on)
    folded, found = polku.findings(case, on)
    data = subjects_data(folded.subjects)
    assert {name for item in data for name in item["facts"]} <= set(FACTS)
    again = polku.findings_for(subjects_of(data), on, standing(read, on))
    assert list(map(finding_data, again)) == list(map(finding_data, found))


def test_the_facts_of_the_case_stand_with_the_case_alone() -> None:
    subjects = fold(reference_assessor().history(load_case(SIRPA), day("2022-09-05")), day("2022-09-05")).subjects
    case, *others = subjects_data(subjects)
    assert (case["kind"], case["entry"]) == ("case", None)
    assert others
    assert not [name for item in others for name in item["facts"] if name.startswith("case.")]


def test_a_finding_is_kept_without_its_words() -> None:
    found = finding_data(finding(load_case(SIRPA), "2022-09-05", "first-employer-meeting-30d"))
    assert found == {
        "rule": "first-employer-meeting-30d",
        "subject": {"kind": "coaching", "entry": "e5", "current": True},
        "outcome": "advised",
        "due": "2022-10-05",
        "missing": [],
        "judged_on": "2022-09-05",
        "set_aside": None,
        "action": "meet_employer",
        "role": "job_coach",
        "step": True,
    }


def item(**parts: Any) -> dict[str, Any]:
    """A case as it is kept, or nearly."""
    whole = {"kind": "case", "entry": None, "current": True, "ended": False, "proposed": False, "facts": {}}
    return {**whole, **parts}


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{}],
        [7],
        [item(kind="trial")],
        [item(facts=[])],
        [item(facts={"case.stage": True})],
        [item(facts={"case.stage": 1.5})],
        [item(facts={"case.stage": ["activity"]})],
        [item(facts={"case.wish_on": "2024-02-30"})],
        [item(facts={"case.wish_on": 20240201})],
    ],
)
def test_what_was_not_written_so_is_refused(data: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"kept|fact|isoformat|day|case"):
        subjects_of(data)
