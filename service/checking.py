"""Checks of a caseload: whether the plans of the clients someone works with hold together, on a date.

A check runs in a thread of its own, over the cases open to whoever asked, one batch at a time: who may see what is
asked anew for each batch and again when the findings are read, so a relation that ends meanwhile ends this as well.
Every client read is logged before their journal is judged. What rests on hidden facts is left out, for those rules
are withheld.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rules.assessment import Assessor
from rules.engines import EngineError
from rules.findings import Finding
from rules.journal import Case
from service.access.policy import Sight, sees
from service.access.reach import withheld_rules
from service.access.relations import RELATIONS
from service.audit.chain import timestamp
from service.operations.metrics import ENGINE_DIFFERENCES
from service.reading import NotOpen, Reader, is_name, log, standing
from service.store import CheckFinding, CheckRun, Database, NoSuchCase, StoreError, Unit

VIEW = "assessment"
RUNNING, DONE, FAILED = "running", "done", "failed"
#: Checks that run at a time, and that may wait.
AT_A_TIME, WAITING = 2, 8
BATCH = 50
#: What a check finds: what is not as it should be, or could not be told.
OUTCOMES = ("violated", "advised", "unknown")
#: The outcome of a client whose engines differ; no rule's.
UNDETERMINED = "undetermined"
STOPPED = "the service was stopped; start the check again"
_log = logging.getLogger(__name__)


class CheckRunning(Exception):
    """The user has a check running: its id."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


class TooManyChecks(Exception):
    """More checks are waiting than can be worked off."""


class NoSuchCheck(Exception):
    """There is no check of that id, or it is another user's, or was begun in another role."""


@dataclass(frozen=True, slots=True)
class Read:
    """A case of a batch as it was read: its journal and what may be shown of it."""

    case: Case
    sight: Sight


class Checks:
    """The checks of one region."""

    def __init__(self, database: Database, assessor: Assessor, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._assessor = assessor
        self._clock = clock
        self._threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="check")
        self._lock = threading.Lock()
        self._under_way: set[str] = set()
        self._stopping = threading.Event()

    def start(self, who: Reader, as_of: date) -> CheckRun:
        """Begin a check over the cases open to the reader.

        Raises NotOpen for a role that sees nobody's findings, CheckRunning, TooManyChecks, StoreUnavailable.
        """
        principal = who.principal
        if not any(sees(principal.role, name).opens(VIEW) for name in RELATIONS):
            raise NotOpen(VIEW)
        with self._lock:
            if len(self._under_way) >= AT_A_TIME + WAITING:
                raise TooManyChecks
            with self._database.read(principal.region) as unit:
                for other in unit.checks.running():
                    if other.user == principal.user and other.id in self._under_way:
                        raise CheckRunning(other.id)
                ids = list(self._open_to(unit, who))
            with self._database.write(principal.region) as unit:
                run = CheckRun(
                    secrets.token_hex(16), principal.user, principal.role, as_of.isoformat(), RUNNING, 0, len(ids),
                    timestamp(self._clock()),
                )  # fmt: skip
                unit.checks.add(run)
            self._under_way.add(run.id)
        self._threads.submit(self._run, who, run, ids)
        return run

    def follow(
        self, who: Reader, check_id: str, *, after: int, limit: int
    ) -> tuple[CheckRun, list[CheckFinding], int | None]:
        """A check of the reader's, a page of its findings, and the number to go on after (None: no more).

        Findings about clients, or resting on facts, that are no longer open to the reader are left out. The log names
        every client shown. Raises NoSuchCheck, StoreUnavailable.
        """
        principal = who.principal
        with self._database.write(principal.region) as unit:
            run = unit.checks.get(check_id) if is_name(check_id) else None
            if run is None or (run.user, run.role) != (principal.user, principal.role):
                log(unit, who, "check", {}, self._clock(), refused=True)
                run = None
            else:
                rows = unit.checks.findings(check_id, after=after, limit=limit + 1)
                stands = {case_id: self._standing(unit, who, case_id) for case_id in {row.case_id for row in rows}}
                shown = [row for row in rows[:limit] if self._is_open(row, sees(principal.role, stands[row.case_id]))]
                cases = {row.case_id: stands[row.case_id] for row in shown}
                log(unit, who, f"check {check_id}", cases, self._clock())
        if run is None:
            raise NoSuchCheck
        return run, shown, rows[limit - 1].n if len(rows) > limit else None

    def _standing(self, unit: Unit, who: Reader, case_id: str) -> str:
        return standing(unit, who.principal, unit.cases.get(case_id), self._clock())

    def _is_open(self, row: CheckFinding, sight: Sight) -> bool:
        rule = json.loads(row.payload)["rule"]
        return sight.opens(VIEW) and rule not in withheld_rules(self._assessor.pack, sight)

    def fail_left_over(self, region: str) -> None:
        """Mark the checks that a crash broke off, before the first of this process is started. A database in trouble is
        left alone: whoever asks it next is told."""
        try:
            with self._database.read(region) as unit:
                left = unit.checks.running()
            if left:
                self._fail(region, left)
        except StoreError as error:
            _log.warning("checks left over", extra={"error": type(error).__name__})

    def _fail(self, region: str, runs: Iterable[CheckRun]) -> None:
        with self._database.write(region) as unit:
            for run in runs:
                unit.checks.finish(run.id, FAILED, timestamp(self._clock()), STOPPED)

    def stop(self) -> None:
        """Let the batches under way end, and mark what is not done as failed."""
        self._stopping.set()
        self._threads.shutdown(wait=True)

    # --- running ---

    def _open_to(self, unit: Unit, who: Reader) -> Iterator[str]:
        """The ids of the open cases whose assessments the reader may see."""
        relations = frozenset(name for name in RELATIONS if sees(who.principal.role, name).opens(VIEW))
        after = None
        while rows := unit.cases.page(who.principal, self._clock(), relations, after=after, limit=500, closed=False):
            yield from (case.id for case, _ in rows)
            after = rows[-1][0].id

    def _run(self, who: Reader, run: CheckRun, ids: Sequence[str]) -> None:
        error: str | None = None
        try:
            self._judge_all(who, run, ids)
            if self._stopping.is_set():
                error = STOPPED
        except StoreError as fault:
            error = "the database could not be used"
            _log.error("check failed", extra={"error": type(fault).__name__})
        except Exception as fault:
            error = "a fault of Polku's own"
            _log.error("check failed", extra={"error": type(fault).__name__})
        try:
            with self._database.write(who.principal.region) as unit:
                unit.checks.finish(run.id, FAILED if error else DONE, timestamp(self._clock()), error)
        except StoreError as fault:  # the next start marks it
            _log.error("check not ended", extra={"error": type(fault).__name__})
        finally:
            with self._lock:
                self._under_way.discard(run.id)

    def _judge_all(self, who: Reader, run: CheckRun, ids: Sequence[str]) -> None:
        day, number = date.fromisoformat(run.as_of), 0
        for start in range(0, len(ids), BATCH):
            batch = self._read(who, run, ids[start : start + BATCH])
            found = [item for read in batch for item in self._found(read, day)]
            rows = [CheckFinding(run.id, number + n, *item) for n, item in enumerate(found)]
            number += len(rows)
            with self._database.write(who.principal.region) as unit:
                unit.checks.add_findings(rows)
                unit.checks.progress(run.id, min(start + BATCH, len(ids)))
            if self._stopping.is_set():
                return

    def _read(self, who: Reader, run: CheckRun, ids: Iterable[str]) -> list[Read]:
        """The journals of a batch, once the read of them is on record."""
        shown: dict[str, str] = {}
        batch: list[Read] = []
        with self._database.write(who.principal.region) as unit:
            for case_id in ids:
                relation = self._standing(unit, who, case_id)
                sight = sees(who.principal.role, relation)
                if sight.opens(VIEW):
                    try:
                        batch.append(Read(unit.cases.load(case_id), sight))
                    except NoSuchCase:  # disposed of meanwhile
                        continue
                    shown[case_id] = relation
            log(unit, who, f"check {run.id}", shown, self._clock())
        return batch

    def _found(self, read: Read, day: date) -> Iterator[tuple[str, str]]:
        """Case id and payload of each finding of one case."""
        try:
            _, findings = self._assessor.findings(read.case, day)
        except EngineError as error:
            ENGINE_DIFFERENCES.inc()
            _log.error("engines differ", extra={"error": type(error).__name__})
            yield read.case.id, json.dumps({"rule": None, "outcome": UNDETERMINED})
            return
        hidden = withheld_rules(self._assessor.pack, read.sight)
        for finding in findings:
            if finding.outcome in OUTCOMES and finding.subject.current and finding.rule.id not in hidden:
                yield read.case.id, json.dumps(_plain(finding))


def _plain(finding: Finding) -> dict[str, Any]:
    """A finding in codes; texts are added in the reader's language."""
    subject, aside = finding.subject, finding.set_aside
    return {
        "rule": finding.rule.id,
        "outcome": finding.outcome,
        "severity": finding.rule.severity,
        "due": finding.due.isoformat() if finding.due is not None else None,
        "subject": {"kind": subject.kind, "entry": subject.entry, "current": subject.current},
        "missing": list(finding.missing),
        "set_aside": aside.entry if aside is not None else None,
        "judged_on": finding.judged_on.isoformat(),
        "action": finding.action,
        "role": finding.rule.role,
    }
