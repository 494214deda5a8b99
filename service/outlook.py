"""Outlooks: what is next for each client, kept for the list of clients, the calendar and the team's page.

To judge a case takes milliseconds, so a list reads what was made before. An outlook counts for one version of the case,
one pack, one program, and from the day it was made up to the first day on which anything in it may be another by
itself. What no longer counts is never shown: some are made anew in the request, the rest are shown as being worked out
while a thread of its own makes them.

Whoever is shown clients is on record before they are (as in `service.reading`): exactly those on the page. Counts name
nobody and are not logged. Nor is the making: it reads journals to write down codes that show to nobody what they do not
see anyway; nobody reads anything.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rules.assessment import Assessor
from rules.fold import FOLD_VERSION
from rules.journal import Case, JournalError
from rules.provenance import HEADER
from service.access.policy import Sight, sees
from service.access.relations import RELATIONS, local_day
from service.caseload import Filter, Listed, Month, Overview, calendar, listed, matching, team_overview
from service.operations.metrics import ENGINE_DIFFERENCES
from service.outlook_rows import FORM, NOTHING, Ahead, AtWork, OpenFinding, Row, Shown, contents, shown
from service.outlook_rows import undetermined_contents as undetermined
from service.reading import Reader, log
from service.store import Database, KeptOutlook, ListedCase, NoSuchCase, Standard, Unit

__all__ = ["Ahead", "AtWork", "OpenFinding", "Outlooks", "Row"]

VIEW = "assessment"
#: Stale outlooks made anew while someone waits for a list; of a batch in the background.
IN_A_REQUEST, BATCH = 40, 50
#: Seconds between two looks for stale outlooks, of which there are some after midnight and after recordings.
NOW_AND_THEN = 60.0
#: Outlooks held as they are shown: the clients of a large team and of many workers. More would make the collection of
#: garbage slow for everybody.
REMEMBERED = 6_000
#: What the log of reads says was read.
LIST, EXPORT, CALENDAR = "cases", "cases exported", "calendar"
_log = logging.getLogger(__name__)


class Outlooks:
    """The outlooks of a service. Safe between threads."""

    def __init__(
        self, database: Database, assessor: Assessor, clock: Callable[[], datetime], *, program: str = ""
    ) -> None:
        self._database = database
        self._assessor = assessor
        self._clock = clock
        self._made_by = f"{program}, fold {FOLD_VERSION}, form {FORM}"
        self._remembered = _Remembered(REMEMBERED)
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._in_trouble = False

    # --- lists ---

    def page(self, who: Reader, asked: Filter) -> Listed:
        """The page of the reader's clients that is asked for, once the read of those on it is on record.

        Raises StoreUnavailable, also when it could not be logged.
        """
        return self._listed(who, asked, LIST)

    def export(self, who: Reader, asked: Filter) -> Listed:
        """Every client that matches, as one page, once the read of them is on record. Raises StoreUnavailable."""
        return self._listed(who, asked, EXPORT, whole=True)

    def calendar(self, who: Reader, asked: Filter, month: date) -> Month:
        """The days of a month (any day of it) that matter for the clients that match, once the read of those who stand
        in it is on record. Raises StoreUnavailable."""
        seen = self._look(who, closed=asked.closed)
        found = calendar(matching(seen.rows, asked, seen.day), month)
        self._shown(who, seen, CALENDAR, {item.case_id for item in found.items})
        return found

    def team(self, who: Reader) -> Overview:
        """Counts of the work ahead with the reader's clients; no client is shown. Raises StoreUnavailable."""
        seen = self._look(who)
        self._keep(who.principal.region, seen.made)
        return team_overview(seen.rows, seen.day)

    def _listed(self, who: Reader, asked: Filter, what: str, *, whole: bool = False) -> Listed:
        seen = self._look(who, closed=asked.closed)
        found = listed(seen.rows, asked, seen.day, whole=whole)
        self._shown(who, seen, what, {row.case_id for row in found.rows})
        return found

    def _shown(self, who: Reader, seen: _Seen, what: str, ids: Iterable[str]) -> None:
        """Put on record which clients are shown; what was made on the way is kept with it."""
        shown_ids = set(ids)
        cases = {row.case_id: row.relation for row in seen.rows if row.case_id in shown_ids}
        with self._database.write(who.principal.region) as unit:
            unit.outlooks.keep(seen.made)
            log(unit, who, what, cases, self._clock())

    def _keep(self, region: str, made: Sequence[KeptOutlook]) -> None:
        if made:
            with self._database.write(region) as unit:
                unit.outlooks.keep(made)

    # --- looking ---

    def _look(self, who: Reader, *, closed: bool = False) -> _Seen:
        """The reader's clients, all as of one moment; stale outlooks are made anew as far as that is quickly done."""
        principal, now = who.principal, self._clock()
        relations = frozenset(name for name in RELATIONS if sees(principal.role, name).anything)
        standard = self._standard(local_day(now))
        sights = {relation: sees(principal.role, relation) for relation in relations}
        with self._database.read(principal.region) as unit:
            cases = unit.outlooks.listed(principal, now, relations, closed=closed)
            workers = unit.outlooks.at_work(principal, now, relations)
            judged = [item for item in cases if sights[item.relation].opens(VIEW)]
            stale = [item for item in judged if not standard.met_by(item.outlook, item.case.version)]
            journals = self._journals(unit, [item.case.id for item in stale[:IN_A_REQUEST]])
            known = self._known(unit, principal.region, judged, standard, sights)
        if len(stale) > IN_A_REQUEST:
            self.wake()
        versions = {item.case.id: item.case.version for item in stale}
        made = [self._make(case_id, versions[case_id], case, standard.day) for case_id, case in journals.items()]
        for item in made:
            relation = next(row.relation for row in stale if row.case.id == item.case_id)
            known[item.case_id] = shown(item.payload, sights[relation], self._assessor.pack, standard.day)
        opens = {relation: _opens(sight) for relation, sight in sights.items()}
        rows = [
            _row(item, opens[item.relation], known.get(item.case.id), workers.get(item.case.id, ())) for item in cases
        ]
        return _Seen(standard.day, rows, made)

    def _known(
        self, unit: Unit, region: str, cases: Iterable[ListedCase], standard: Standard, sights: Mapping[str, Sight]
    ) -> dict[str, Shown]:
        """What the outlooks that count show, by case: remembered, or read and remembered."""
        keys = {
            item.case.id: (region, item.case.id, item.outlook, sights[item.relation].role, item.relation, standard.day)
            for item in cases
            if standard.met_by(item.outlook, item.case.version)
        }
        found = self._remembered.get_all(keys)
        relations = {item.case.id: item.relation for item in cases}
        missing = [case_id for case_id in keys if case_id not in found]
        for case_id, payload in unit.outlooks.payloads(missing).items():
            one = shown(payload, sights[relations[case_id]], self._assessor.pack, standard.day)
            found[case_id] = one
            self._remembered.put(keys[case_id], one)
        return found

    # --- making ---

    def _standard(self, day: date) -> Standard:
        return Standard(self._assessor.pack.sha256, self._made_by, day)

    def _journals(self, unit: Unit, ids: Iterable[str]) -> dict[str, Case | None]:
        """The journals of these cases; None for one that cannot be read."""
        found: dict[str, Case | None] = {}
        for case_id in ids:
            with suppress(NoSuchCase):  # disposed of meanwhile
                try:
                    found[case_id] = unit.cases.load(case_id)
                except JournalError:
                    found[case_id] = None
        return found

    def _make(self, case_id: str, version: int, case: Case | None, day: date) -> KeptOutlook:
        """The outlook of a version of a case on a day. Where the engines differ or one fails, it says so for that day,
        and the alarm is raised."""
        payload, until = undetermined(), day + timedelta(days=1) if day < date.max else None
        if case is not None:
            try:
                payload, until = contents(self._assessor, case, day)
            except Exception as error:  # of one client; the others are listed all the same
                ENGINE_DIFFERENCES.inc()
                _log.error("outlook undetermined", extra={"error": type(error).__name__})
        until_day = until.isoformat() if until is not None else None
        pack = self._assessor.pack.sha256
        return KeptOutlook(case_id, version, pack, self._made_by, day.isoformat(), until_day, payload)

    # --- in the background ---

    def start(self, region: str) -> None:
        """Begin to bring the outlooks of a region up to date, now and then from now on."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(region,), name="outlooks", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look for stale outlooks now."""
        self._woken.set()

    def stop(self) -> None:
        """End the thread after the case under way."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, region: str) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                self.catch_up(region)
                self._in_trouble = False
            except Exception as error:  # a database in trouble, as a rule: told once, and tried again
                if not self._in_trouble:
                    _log.error("outlooks not brought up to date", extra={"error": type(error).__name__})
                self._in_trouble = True
            self._woken.wait(NOW_AND_THEN)

    def catch_up(self, region: str) -> int:
        """Make every stale outlook of a region anew, batch by batch, those of open cases first; how many were made.
        Ends early when the service stops. Raises StoreError."""
        count = 0
        for closed in (False, True):
            after = None
            while batch := self._batch(region, closed, after):
                made = list(self._made_of(batch))
                self._keep(region, made)
                count += len(made)
                after = batch.last
                if self._stopping.is_set():
                    return count
        return count

    def _batch(self, region: str, closed: bool, after: str | None) -> _Batch | None:
        """The next cases whose outlooks are stale, as of one moment; None: no more."""
        day = local_day(self._clock())
        with self._database.read(region) as unit:
            stale = unit.outlooks.stale(self._standard(day), closed=closed, after=after, limit=BATCH)
            journals = self._journals(unit, stale)
        return _Batch(day, max(stale), stale, journals) if stale else None

    def _made_of(self, batch: _Batch) -> Iterator[KeptOutlook]:
        for case_id, case in batch.journals.items():
            begun = time.perf_counter()
            yield self._make(case_id, batch.versions[case_id], case, batch.day)
            # Half the time is left to whoever asks or records meanwhile.
            if self._stopping.wait(time.perf_counter() - begun):
                return


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at a reader's clients gave: on which day, the rows, and the outlooks made on the way."""

    day: date
    rows: list[Row]
    made: list[KeptOutlook]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Cases with stale outlooks as of one moment: the day, the last of their ids, their versions and journals."""

    day: date
    last: str
    versions: dict[str, int]
    journals: dict[str, Case | None]


class _Remembered:
    """The latest outlooks shown, by what they were made of and for whom. Holds so many; safe between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, Shown] = OrderedDict()

    def get_all(self, keys: Mapping[str, Hashable]) -> dict[str, Shown]:
        """What is held under these keys, by case."""
        found: dict[str, Shown] = {}
        with self._lock:
            for case_id, key in keys.items():
                held = self._held.get(key)
                if held is not None:
                    self._held.move_to_end(key)
                    found[case_id] = held
        return found

    def put(self, key: Hashable, value: Shown) -> None:
        """Hold this, and let go of what was not asked for longest."""
        with self._lock:
            self._held[key] = value
            while len(self._held) > self._size:
                self._held.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Opens:
    """What a sight opens of a row."""

    assessment: bool
    name: bool
    municipality: bool
    language: bool
    workers: bool


def _opens(sight: Sight) -> _Opens:
    journal = sight.opens("journal")
    return _Opens(
        assessment=sight.opens(VIEW),
        name=sight.opens("identity"),
        municipality=journal and not sight.hides(((HEADER, "municipality"),)),
        language=journal and not sight.hides(((HEADER, "language"),)),
        workers=journal and not sight.hides((("worker_assigned", "worker"), ("worker_assigned", "role"))),
    )


def _row(item: ListedCase, opens: _Opens, outlook: Shown | None, workers: Sequence[tuple[str, str]]) -> Row:
    """A case as far as the reader may see it."""
    case, header = item.case, item.case.header or {}
    told = outlook or NOTHING
    return Row(
        case_id=case.id,
        name=(item.identity or {}).get("name") or None if opens.name else None,
        municipality=header.get("municipality") if opens.municipality else None,
        language=header.get("language") if opens.language else None,
        version=case.version,
        relation=item.relation,
        organisation=case.organisation,
        team=case.team,
        opened_at=case.created_at,
        closed_on=date.fromisoformat(case.closed_on) if case.closed_on is not None else None,
        restricted=case.restricted,
        shows_assessment=opens.assessment,
        fresh=not opens.assessment or outlook is not None,
        undetermined=told.undetermined,
        stage=told.stage,
        state=told.state,
        steps=told.steps,
        dates=told.dates,
        open=told.open,
        workers=tuple(AtWork(*who) for who in workers) if opens.workers else (),
    )
