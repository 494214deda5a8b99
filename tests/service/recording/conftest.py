"""A place to record in, on both databases: people with their roles, and cases they work with."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from rules.assessment import Assessor
from service.access.principal import Principal
from service.recording.recorder import Recorded, Recorder
from service.store import Database, StoredCase
from tests.helpers import assessor, entry
from tests.service.conftest import Clock

REGION = "paijat-hame"
#: What makes social worker w-1 and coach w-2 the client's own.
PEOPLE = (
    entry("2026-01-05", "worker_assigned", role="social_worker", worker="w-1", organisation="county-1"),
    entry("2026-01-05", "worker_assigned", role="employment_coach", worker="w-2", organisation="area-1"),
)


def worker(user: str = "w-1", role: str = "social_worker", team: str | None = "team-1", **others: Any) -> Principal:
    """A user of the county, acting in one role."""
    known = {"region": REGION, "organisation": "county-1", "organisation_kind": "county", "roles": (role,), **others}
    return Principal(user=user, team=team, role=role, **known)


class Place:
    """A database with a recorder and a clock."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.alarms: list[str] = []
        self.recorder = self.recorder_by(assessor())

    def recorder_by(self, polku: Assessor) -> Recorder:
        """A recorder that judges by another assessor."""
        return Recorder(self.database, polku, self.clock, program="polku test", on_alarm=self.alarms.append)

    def open(self, *entries: dict[str, Any], case_id: str = "case-1", by: Principal | None = None) -> Recorded:
        """Open a case of the worker w-1 with these entries."""
        document = {"case": {"id": case_id}, "entries": [*PEOPLE, *entries]}
        return self.recorder.open(by or worker(), document)

    def record(self, expected: int, *entries: dict[str, Any], case_id: str = "case-1", **options: Any) -> Recorded:
        """Record entries, by w-1 unless told otherwise."""
        by = options.pop("by", None) or worker()
        recorder = options.pop("recorder", self.recorder)
        found: Recorded = recorder.record(by, case_id, expected, list(entries), **options)
        return found

    def case(self, case_id: str = "case-1") -> StoredCase:
        """The case as it is kept."""
        with self.database.read(REGION) as unit:
            found = unit.cases.get(case_id)
        assert found is not None
        return found

    def today(self, days: int = 0) -> str:
        """The day, or another some days from it, as text."""
        return date.fromordinal(self.clock().date().toordinal() + days).isoformat()


@pytest.fixture
def place(database: Database, clock: Clock) -> Place:
    """An empty place to record in."""
    return Place(database, clock)


@pytest.fixture
def meanwhile(place: Place) -> Callable[[Callable[[], object]], Recorder]:
    """A recorder that, between reading a case and writing to it, lets something else happen once."""

    def recorder(happens: Callable[[], object]) -> Recorder:
        waiting = [happens]
        usual = assessor().engine

        def engine(ruleset: Any) -> Any:
            if waiting:
                waiting.pop()()
            return usual(ruleset)

        return place.recorder_by(Assessor(assessor().pack, engine))

    return recorder
