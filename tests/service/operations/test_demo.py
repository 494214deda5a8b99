"""The demo's clients, on whatever day the demo is started."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from rules.assessment import Assessor
from rules.pack import load_pack
from service.audit.verify import Coverage, verify
from service.login.development import demo_users
from service.operations.demo import fill
from service.store import Database, migrate

REGION = "demo"


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return Assessor(load_pack())


@pytest.mark.parametrize("day", ["2026-11-22", "2028-02-29", "2031-12-31"])
def test_it_can_be_started_on_any_day(tmp_path: Path, assessor: Assessor, day: str) -> None:
    url, now = f"sqlite:///{tmp_path / 'demo.db'}", datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)
    migrate(url)
    database = Database(url)
    assert fill(database, assessor, REGION, lambda: now) == 14
    with database.read(REGION) as unit:
        look = verify(unit.chains.records(), Coverage(), now)
        cases = [unit.cases.load(case_id) for case_id in _ids(unit.chains.records())]
        accounts = {account.user for account in unit.accounts.all()}
        decisions = [unit.decisions.of(case.id) for case in cases]
    database.close()
    assert look.whole
    assert len(cases) == 14
    assert accounts == set(demo_users())
    assert all(entry.date <= date.fromisoformat(day) for case in cases for entry in case.entries)
    # Each has someone of the demo to look after them.
    assert all(any(getattr(entry, "worker", None) in demo_users() for entry in case.entries) for case in cases)
    assert sum(item.acknowledged for items in decisions for item in items) == 1
    assert {item.status for items in decisions for item in items} == {"determined"}


def _ids(records: object) -> list[str]:
    opened = [record for record in records if record.link.kind == "opened"]  # type: ignore[attr-defined]
    return [json.loads(record.payload)["case"]["id"] for record in opened]
