"""Disposal when the time has come: what a case held goes, that there was one and its chain stay (docs/rights.md).

Each case goes in a transaction of its own, together with the link that says so: whatever breaks off in between, a case
is whole or gone. The bytes are gone from the database's files once `Database.scrub` has run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from rules.calendar import ONE_DAY
from rules.entries import LOCAL_TIME
from service.audit.chain import DISPOSED, timestamp
from service.rights.errors import Ahead
from service.rights.retention import Name, Retention
from service.store import Database, StoredCase, Unit

PAGE = 500


@dataclass(frozen=True, slots=True)
class Due:
    """The cases whose time is over on a day: those to be disposed of, and those kept because they are restricted."""

    cases: tuple[str, ...]
    restricted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disposed:
    """What a run disposed of: cases, the logs of so many readers, so many old request keys."""

    cases: int
    readers: int
    keys: int

    @property
    def anything(self) -> bool:
        """Whether anything went."""
        return bool(self.cases or self.readers or self.keys)


def due(database: Database, region: str, day: date, periods: Retention) -> Due:
    """What is due on a day, by the numbers in force on it."""
    with database.read(region) as unit:
        found = list(_closed(unit, periods.closed_before(day) - ONE_DAY))
    return Due(
        tuple(case.id for case in found if not case.restricted), tuple(case.id for case in found if case.restricted)
    )


def _closed(unit: Unit, last_day: date) -> Iterator[StoredCase]:
    after = None
    while page := unit.cases.closed_before(last_day.isoformat(), after=after, limit=PAGE):
        yield from page
        after = page[-1].id


def dispose(
    database: Database, region: str, day: date, now: datetime, *, decided_by: str, periods: Retention
) -> Disposed:
    """Dispose of what is due on `day`: cases, logs of reads, used Idempotency-Keys; on PostgreSQL as the owner.

    Raises Ahead for a day after that of `now`, and Forbidden when the database's role may not delete.
    """
    today = now.astimezone(LOCAL_TIME).date()
    if day > today:
        raise Ahead("nothing is disposed of before its time: that day has not come")
    gone = sum(
        _dispose_of(database, region, case_id, day, now, decided_by, periods)
        for case_id in due(database, region, day, periods).cases
    )
    readers = _prune_reads(database, region, day, now, decided_by, periods)
    with database.write(region) as unit:
        keys = unit.keys.prune(periods.keys_kept_from(now, day))
    return Disposed(gone, readers, keys)


def _dispose_of(
    database: Database, region: str, case_id: str, day: date, now: datetime, decided_by: str, periods: Retention
) -> bool:
    """Dispose of one case, if it still is as it was found: nobody reopened or restricted it meanwhile."""
    with database.write(region) as unit:
        unit.chains.lock_case(case_id)
        case = unit.cases.get(case_id)
        if case is None or case.closed_on is None or case.disposed_at is not None or case.restricted:
            return False
        closed_on = date.fromisoformat(case.closed_on)
        if not periods.is_due(closed_on, day):
            return False
        payload = _payload("case_after_closing", day, decided_by, periods)
        kept = {"closed_on": case.closed_on, "kept_until": periods.kept_until(closed_on, day).isoformat()}
        unit.events.append(case, DISPOSED, payload | kept, now)
        unit.cases.dispose(case_id, now)
    return True


def _prune_reads(database: Database, region: str, day: date, now: datetime, decided_by: str, periods: Retention) -> int:
    """Delete logs of reads whose time is over, each reader's under a link that says so; of how many readers."""
    kept_from = periods.reads_kept_from(day)
    moment = timestamp(datetime.combine(kept_from, time.min, LOCAL_TIME))
    with database.read(region) as unit:
        readers = list(unit.reads.readers_before(moment))
    payload = _payload("read_log", day, decided_by, periods) | {"before": kept_from.isoformat()}
    for user, _, through in readers:
        with database.write(region) as unit:
            unit.reads.prune(user, through, payload, now)
    return len(readers)


def _payload(name: Name, day: date, decided_by: str, periods: Retention) -> dict[str, object]:
    """What stays on record of a disposal: on what ground, after how long, as of which day and by whom."""
    period = periods.periods[name]
    value = period.on(day)
    return {
        "ground": [dict(source) for source in value.source],
        "retention": {"number": value.number, "unit": period.unit},
        "as_of": day.isoformat(),
        "decided_by": decided_by,
    }
