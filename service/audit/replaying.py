"""Replay of every decision of a region, in several processes: each reads its share of the cases itself.

A case's journal is read once and folded once for each of its decisions. The reference engine judges, unless both are
asked for: what it says and what durable-rules says were compared when the decision was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing import get_context

from rules.engines import checked
from rules.engines.reference import reference
from service.audit.replay import Packs, Replay, replay_case
from service.store import Database, Unit

#: Cases a process takes at a time.
SHARE = 25


@dataclass(slots=True)
class Tally:
    """What replaying many decisions came to: how many there were, and those that did not come out as recorded."""

    decisions: int = 0
    cases: int = 0
    differing: list[Replay] = field(default_factory=list)
    explained: list[Replay] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether every decision came out as recorded."""
        return not self.differing

    def count(self, found: Replay) -> None:
        """Count one decision."""
        self.decisions += 1
        if not found.same:
            self.differing.append(found)
        elif found.differences:
            self.explained.append(found)

    def add(self, other: Tally) -> None:
        """Count another share too."""
        self.decisions += other.decisions
        self.cases += other.cases
        self.differing += other.differing
        self.explained += other.explained


def replay_region(url: str, region: str, *, processes: int = 1, both: bool = False) -> Iterator[Tally]:
    """Replay every decision of a region, share by share; each share's tally as it is done.

    Raises StoreUnavailable.
    """
    database = Database(url, pool_size=1)
    try:
        shares = _shares(database, region)
        if processes == 1:
            packs = Packs(checked if both else reference)
            for share in shares:
                yield _replayed(database, region, share, packs)
            return
    finally:
        database.close()
    # Not forked: connections and the locks of threads must not be shared.
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (url, region, both)) as pool:
        yield from pool.map(_share, shares)


def _shares(database: Database, region: str) -> list[list[str]]:
    ids: list[str] = []
    with database.read(region) as unit:
        while page := unit.cases.ids(after=ids[-1] if ids else None):
            ids += page
    return [ids[at : at + SHARE] for at in range(0, len(ids), SHARE)]


def _replayed(database: Database, region: str, share: list[str], packs: Packs) -> Tally:
    with database.read(region) as unit:
        return _tally(unit, share, packs)


def _tally(unit: Unit, share: list[str], packs: Packs) -> Tally:
    tally = Tally(cases=len(share))
    for found in chain.from_iterable(replay_case(unit, case_id, packs) for case_id in share):
        tally.count(found)
    return tally


# ---- in a process of its own


class _Worker:
    """What one process keeps between its shares."""

    def __init__(self, url: str, region: str, both: bool) -> None:
        self.database = Database(url, pool_size=1)
        self.region = region
        self.packs = Packs(checked if both else reference)


_worker: list[_Worker] = []


def _begin(url: str, region: str, both: bool) -> None:
    _worker.append(_Worker(url, region, both))


def _share(share: list[str]) -> Tally:
    (worker,) = _worker
    return _replayed(worker.database, worker.region, share, worker.packs)
