"""docs/rights.md says the numbers that the service goes by."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from service.rights.retention import UNITS, retention

PAGE = (Path(__file__).parents[3] / "docs" / "rights.md").read_text(encoding="utf-8")
TODAY = date(2026, 11, 22)
SAID = {
    "case_after_closing": r"\| a case: [^|]*\| {} {} \|",
    "read_log": r"\| the log of reads \| {} {} \|",
    "read_log_told": r"is told {} {} back",
    "emergency_access": r"It lasts {} {} and ends by itself",
    "request_key": r"\| an Idempotency-Key \| {} {} \|",
    "backup": r"\| backups \| {} {} \|",
}


@pytest.mark.parametrize("name", UNITS)
def test_the_page_says_each_number_as_it_is(name: str) -> None:
    period = retention().periods[name]
    assert re.search(SAID[name].format(period.on(TODAY).number, period.unit), PAGE)


def test_the_operators_page_says_the_same_of_backups() -> None:
    operators = Path(__file__).parents[3] / "docs" / "operators.md"
    days = retention().periods["backup"].on(TODAY).number
    assert f"{days} days" in operators.read_text(encoding="utf-8")
