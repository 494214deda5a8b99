"""How many findings a check came to: counts of work, ordered by nothing that compares."""

from pathlib import Path
from typing import Any

import pytest

from rules.pack import ROLES, SEVERITIES, load_pack
from service.checks.tally import Counts, Tally, tally
from tests.service.checks.made import finding, findings

PACK = load_pack()


def counted(folder: Path, *rows: dict[str, Any]) -> Tally:
    """The counts of some findings."""
    return tally(findings(folder / "findings.parquet", *rows), PACK, folder)


def test_each_finding_is_counted_once(tmp_path: Path) -> None:
    found = counted(
        tmp_path,
        finding("a"),
        finding("b", outcome="advised"),
        finding("c", outcome="unknown"),
        finding("d", set_aside="e9", is_step=False),
        finding("e", outcome="advised", set_aside="e9", is_step=False),
        finding("f", is_step=False),
    )
    assert found.total == Counts(violated=1, advised=1, unknown=1, set_aside=2, over=1)
    assert found.total.open == 3
    for split in (found.by_rule, found.by_severity, found.by_role, found.by_municipality):
        assert sum(split.values(), Counts()) == found.total


def test_nothing_is_ordered_by_how_much_there_is_of_it(tmp_path: Path) -> None:
    rules = [rule.id for rule in PACK.editions[-1].rules]
    rows = [
        finding(f"{at}{copy}", rules[at], role=ROLES[at], severity=SEVERITIES[at], municipality=municipality)
        for at, municipality in ((3, "Asikkala"), (0, None), (2, "Padasjoki"), (1, "Lahti"))
        for copy in range(at + 1)
    ]
    found = counted(tmp_path, *rows)
    assert list(found.by_rule) == rules[:4]
    assert list(found.by_role) == list(ROLES[:4])
    assert list(found.by_severity) == list(SEVERITIES)
    assert list(found.by_municipality) == ["Asikkala", "Lahti", "Padasjoki", None]


@pytest.mark.parametrize(("asked", "expected"), list(zip(SEVERITIES, (1, 3, 6, 10), strict=True)))
def test_a_weight_counts_itself_and_the_heavier_ones(asked: str, expected: int, tmp_path: Path) -> None:
    rows = [
        finding(f"{at}{copy}", severity=severity) for at, severity in enumerate(SEVERITIES) for copy in range(at + 1)
    ]
    assert counted(tmp_path, *rows).at_or_over(asked) == expected


@pytest.mark.parametrize(
    "row",
    [
        {"outcome": "advised"},
        {"outcome": "unknown"},
        {"set_aside": "e9", "is_step": False},
        {"is_step": False},
    ],
)
def test_what_is_not_known_set_aside_over_or_only_to_be_done_weighs_nothing(
    row: dict[str, Any], tmp_path: Path
) -> None:
    assert counted(tmp_path, finding("a", **row)).at_or_over("information") == 0


def test_no_findings_are_counted_as_none(tmp_path: Path) -> None:
    assert counted(tmp_path) == Tally(Counts(), {}, {}, {}, {})
