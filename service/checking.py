"""Checks of a caseload: whether the plans of the clients someone works with hold together, on a date.

A check runs in a thread of its own, over the cases open to whoever asked. Who may see what is asked anew for each batch
of them and again when the findings are read, so a relation that ends meanwhile ends this as well. Every client read is
logged before their journal, or what was kept of it, is judged. What rests on hidden facts is left out, for those rules
are withheld.

All clients are judged at once by the columnar engine; facts are kept with the version of a case they were folded from,
so those of unchanged clients are not folded again. That this engine says what the two interactive ones say is looked at
in every check: some of its clients are judged again by those, from the journal (`to_judge_again`). One who comes out
otherwise is left undetermined, and the alarm is raised.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from rules.assessment import Assessor
from rules.findings import Finding
from rules.journal import Case, JournalError
from rules.kept import finding_data, subjects_data
from service.access.policy import Sight, sees
from service.access.reach import withheld_rules
from service.access.relations import RELATIONS, local_day
from service.audit.chain import timestamp
from service.check_changes import NEW, SETTLED, STILL_OPEN, UNDETERMINED, Compared, Found, compared, is_open
from service.checks.caseload import Caseload
from service.checks.facts import CaseFolder
from service.kept_facts import Facts, kept, made_by, taken
from service.operations.metrics import ENGINE_DIFFERENCES
from service.reading import NotOpen, Reader, is_name, log, standing
from service.store import CheckFinding, CheckRun, Database, KeptFacts, NoSuchCase, StoreError, Unit

VIEW = "assessment"
RUNNING, DONE, FAILED = "running", "done", "failed"
#: Checks that run at a time, and that may wait.
AT_A_TIME, WAITING = 2, 8
BATCH = 50
#: Findings written at a time: nobody waits long for the cases they are about.
WRITTEN = 500
#: Checks kept of a user in a role; older ones go with what they found.
KEPT = 20
#: Clients judged again by the interactive engines: all of a small caseload; of a larger one some with an obligation not
#: met, and some of all the others.
AGAIN, AGAIN_NOT_MET = 200, 150
#: What a check finds: what is not as it should be, or could not be told.
OUTCOMES = ("violated", "advised", "unknown")
STOPPED = "the service was stopped; start the check again"
_SEVERITIES = ("obligation", "quality", "recommendation", "information")
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


@dataclass(slots=True)
class Gathered:
    """The clients of a check once their facts are together: what may be shown of each, and of which version of the
    case; and those whose journal could not be read."""

    sights: dict[str, Sight] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Batch:
    """Some clients as they were read: facts kept of them that hold, else the journal; None is one that cannot be
    read."""

    facts: dict[str, Facts] = field(default_factory=dict)
    journals: dict[str, tuple[int, Case | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """A check that ran to its end: which check it is beside, and how much came of it."""

    compared_with: str | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding of a check as its reader may see it now, and how they stand to the client."""

    case_id: str
    relation: str
    found: Found
    change: str | None


@dataclass(frozen=True, slots=True)
class Looked:
    """A check with everything of it that is open to its reader, and the relations in which they stand to clients."""

    run: CheckRun
    shown: tuple[Shown, ...]
    relations: frozenset[str]


class Checks:
    """The checks of one region."""

    def __init__(
        self, database: Database, assessor: Assessor, clock: Callable[[], datetime], *, program: str = ""
    ) -> None:
        self._database = database
        self._assessor = assessor
        self._clock = clock
        self._program = program
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
                    timestamp(self._clock()), pack_version=self._assessor.pack.version,
                )  # fmt: skip
                unit.checks.add(run)
            self._under_way.add(run.id)
        self._threads.submit(self._run, who, run, ids)
        return run

    def history(self, who: Reader) -> list[CheckRun]:
        """The checks of the reader in their role, the newest first. Raises StoreUnavailable."""
        with self._database.read(who.principal.region) as unit:
            return unit.checks.of(who.principal.user, who.principal.role)

    def follow(
        self, who: Reader, check_id: str, *, after: int, limit: int, change: str | None = None
    ) -> tuple[CheckRun, list[CheckFinding], int | None]:
        """A check of the reader's, a page of its findings, and the number to go on after (None: no more).

        Findings are there when the check is done: those of one `change`, or all but the settled. Those about clients,
        or resting on facts, that are no longer open to the reader are left out. The log names every client shown.
        Raises NoSuchCheck, StoreUnavailable.
        """
        run, role = self._own(who, check_id), who.principal.role
        if run.state != DONE:
            return run, [], None
        with self._database.write(who.principal.region) as unit:
            rows = unit.checks.findings(check_id, after=after, limit=limit + 1, change=change)
            stands = {case_id: self._standing(unit, who, case_id) for case_id in {row.case_id for row in rows}}
            shown = [row for row in rows[:limit] if self._is_open(row, sees(role, stands[row.case_id]))]
            log(unit, who, f"check {check_id}", {row.case_id: stands[row.case_id] for row in shown}, self._clock())
        return run, shown, rows[limit - 1].n if len(rows) > limit else None

    def look(self, who: Reader, check_id: str) -> Looked:
        """A check of the reader's and everything of it that is open to them, the settled findings too: to be counted,
        and to be shown once `show` was asked. Raises NoSuchCheck, StoreUnavailable."""
        run, principal = self._own(who, check_id), who.principal
        if run.state != DONE:
            return Looked(run, (), frozenset())
        relations = frozenset(name for name in RELATIONS if sees(principal.role, name).opens(VIEW))
        with self._database.read(principal.region) as unit:
            stands = unit.cases.relations(principal, self._clock(), relations)
            rows = unit.checks.findings(check_id, limit=None)
            rows += unit.checks.findings(check_id, limit=None, change=SETTLED)
        shown = tuple(
            Shown(row.case_id, stands[row.case_id], json.loads(row.payload), row.change)
            for row in rows
            if row.case_id in stands and self._is_open(row, sees(principal.role, stands[row.case_id]))
        )
        return Looked(run, shown, frozenset(stands.values()))

    def show(self, who: Reader, what: str, clients: Mapping[str, str]) -> dict[str, str]:
        """Put on record as `what` that these clients, each with the reader's relation, are shown; the names of those
        whose name the reader sees. Raises StoreUnavailable."""
        role = who.principal.role
        with self._database.write(who.principal.region) as unit:
            log(unit, who, what, clients, self._clock())
            named = [case_id for case_id, relation in clients.items() if sees(role, relation).opens("identity")]
            found = unit.identities.of(named)
        return {case_id: str(identity["name"]) for case_id, identity in found.items() if identity.get("name")}

    def _own(self, who: Reader, check_id: str) -> CheckRun:
        """The check, if it is the reader's own; that another's was asked for goes on record."""
        principal = who.principal
        with self._database.read(principal.region) as unit:
            run = unit.checks.get(check_id) if is_name(check_id) else None
        if run is not None and (run.user, run.role) == (principal.user, principal.role):
            return run
        with self._database.write(principal.region) as unit:
            log(unit, who, "check", {}, self._clock(), refused=True)
        raise NoSuchCheck

    def _standing(self, unit: Unit, who: Reader, case_id: str) -> str:
        return standing(unit, who.principal, unit.cases.get(case_id), self._clock())

    def _is_open(self, row: CheckFinding, sight: Sight) -> bool:
        rule = json.loads(row.payload)["rule"]
        return sight.opens(VIEW) and rule not in withheld_rules(self._assessor.pack, sight)

    def fail_left_over(self, region: str) -> None:
        """Mark the checks that a crash broke off, before the first of this process is started, and take away what they
        left on the disk. A database in trouble is left alone: whoever asks it next is told."""
        try:
            with self._database.read(region) as unit:
                left = unit.checks.running()
            for run in left:
                shutil.rmtree(_folder(run.id), ignore_errors=True)
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
        error, ended = None, None
        try:
            ended = self._judge_all(who, run, ids)
            if self._stopping.is_set():
                error = STOPPED
        except StoreError as fault:
            error = "the database could not be used"
            _log.error("check failed", extra={"error": type(fault).__name__})
        except Exception as fault:
            error = "a fault of Polku's own"
            _log.error("check failed", extra={"error": type(fault).__name__})
        try:
            self._end(who, run, error, ended)
        except StoreError as fault:  # the next start marks it
            _log.error("check not ended", extra={"error": type(fault).__name__})
        finally:
            with self._lock:
                self._under_way.discard(run.id)

    def _end(self, who: Reader, run: CheckRun, error: str | None, ended: Ended | None) -> None:
        with self._database.write(who.principal.region) as unit:
            unit.checks.finish(
                run.id,
                FAILED if error else DONE,
                timestamp(self._clock()),
                error,
                compared_with=ended.compared_with if ended else None,
                counts=json.dumps(ended.counts) if ended else None,
            )
            older = unit.checks.of(run.user, run.role)[KEPT:]
            unit.checks.forget([item.id for item in older if item.state != RUNNING])

    def _judge_all(self, who: Reader, run: CheckRun, ids: Sequence[str]) -> Ended | None:
        """Judge the clients and keep what was found; None when the service stops."""
        day = date.fromisoformat(run.as_of)
        with _private(run.id) as folder:
            caseload = Caseload(folder, self._assessor.pack, day)
            gathered = self._gather(who, run, ids, caseload)
            if self._stopping.is_set():
                return None
            by_case: dict[str, list[Found]] = {case_id: [] for case_id in gathered.versions}
            for case_id, found in caseload.findings():
                by_case[case_id].append(found)
        again = self._judge_again(who, run, gathered, by_case)
        if self._stopping.is_set():
            return None
        ended = self._keep_found(who, run, gathered, by_case)
        ended.counts["judged_again"] = again
        return ended

    # --- gathering facts ---

    def _gather(self, who: Reader, run: CheckRun, ids: Sequence[str], caseload: Caseload) -> Gathered:
        """The facts of every client on the disk, batch by batch; those made on the way are kept."""
        day, gathered = date.fromisoformat(run.as_of), Gathered()
        # Of another day than today nothing is kept: it would only take the place of what today's checks need.
        keep, folder = day == local_day(self._clock()), CaseFolder(self._assessor.pack, day)
        for start in range(0, len(ids), BATCH):
            batch = self._read(who, run, ids[start : start + BATCH], gathered)
            begun = time.perf_counter()
            made = self._fold(batch, folder, gathered)
            for facts in (*batch.facts.values(), *made):
                gathered.versions[facts.case_id] = facts.version
                caseload.add(
                    facts.case_id, facts.version, facts.folded_on, facts.holds_until, facts.subjects, facts.set_aside
                )
            with self._database.write(who.principal.region) as unit:
                if keep and made:
                    unit.facts.keep([self._kept(facts) for facts in made])
                unit.checks.progress(run.id, min(start + BATCH, len(ids)))
            # Half the time is left to whoever asks or records meanwhile.
            if self._stopping.wait(time.perf_counter() - begun if made else 0):
                break
        return gathered

    def _read(self, who: Reader, run: CheckRun, ids: Iterable[str], gathered: Gathered) -> Batch:
        """The facts or the journals of some clients, once the read of them is on record."""
        shown: dict[str, str] = {}
        versions: dict[str, int] = {}
        with self._database.write(who.principal.region) as unit:
            for case_id in ids:
                case = unit.cases.get(case_id)
                relation = standing(unit, who.principal, case, self._clock())
                sight = sees(who.principal.role, relation)
                if case is not None and sight.opens(VIEW):
                    shown[case_id], versions[case_id], gathered.sights[case_id] = relation, case.version, sight
            batch = self._load(unit, versions, run.as_of)
            log(unit, who, f"check {run.id}", shown, self._clock())
        return batch

    def _load(self, unit: Unit, versions: Mapping[str, int], day: str) -> Batch:
        batch = Batch()
        rows = unit.facts.holding(versions, made_by(self._program), self._assessor.pack.sha256, day)
        for case_id, version in versions.items():
            if case_id in rows:
                try:
                    batch.facts[case_id] = taken(rows[case_id])
                    continue
                except ValueError as error:  # the journal tells it
                    _log.error("kept facts not taken", extra={"error": type(error).__name__})
            try:
                batch.journals[case_id] = version, unit.cases.load(case_id)
            except NoSuchCase:  # disposed of meanwhile
                continue
            except JournalError:
                batch.journals[case_id] = version, None
        return batch

    def _fold(self, batch: Batch, folder: CaseFolder, gathered: Gathered) -> list[Facts]:
        """The facts of journals. One that cannot be folded is that client's trouble alone."""
        made = []
        for case_id, (version, case) in batch.journals.items():
            try:
                if case is not None:
                    found = folder.fold(case)
                    subjects, aside = found.folded.subjects, found.set_aside
                    made.append(Facts(case_id, version, found.folded.day, found.holds_until, subjects, aside))
                    continue
                reason = "journal"
            except Exception as error:
                reason = type(error).__name__
            self._alarm(reason)
            gathered.unread.add(case_id)
        return made

    def _kept(self, facts: Facts) -> KeptFacts:
        days, subjects = (facts.folded_on, facts.holds_until), subjects_data(facts.subjects)
        return kept(
            facts.case_id, facts.version, days, subjects, facts.set_aside,
            program=self._program, pack=self._assessor.pack,
        )  # fmt: skip

    def _alarm(self, reason: str) -> None:
        ENGINE_DIFFERENCES.inc()
        _log.error("check undetermined for a client", extra={"error": reason})

    # --- judging again ---

    def _judge_again(self, who: Reader, run: CheckRun, gathered: Gathered, by_case: dict[str, list[Found]]) -> int:
        """Judge some clients again, from the journal and by the interactive engines; leave undetermined who comes out
        otherwise, and whose journal could not be read. How many were judged again."""
        day, count = date.fromisoformat(run.as_of), 0
        for case_id in to_judge_again(run.id, by_case):
            begun = time.perf_counter()
            try:
                with self._database.read(who.principal.region) as unit:
                    case = unit.cases.load(case_id, gathered.versions[case_id])
            except NoSuchCase:  # disposed of meanwhile
                continue
            count += 1
            if not self._comes_out_so(case, day, by_case[case_id]):
                gathered.unread.add(case_id)
            # Half the time is left to whoever asks or records meanwhile.
            if self._stopping.wait(time.perf_counter() - begun):
                break
        for case_id in gathered.unread:
            by_case[case_id] = [{"rule": None, "outcome": UNDETERMINED}]
        return count

    def _comes_out_so(self, case: Case, day: date, found: Sequence[Found]) -> bool:
        """Whether the interactive engines come to the same findings. If not, the alarm is raised."""
        try:
            _, findings = self._assessor.findings(case, day)
        except Exception as error:
            self._alarm(type(error).__name__)
            return False
        told = [in_codes(item) for item in findings if item.outcome in OUTCOMES and item.subject.current]
        if _in_order(told) == _in_order(found):
            return True
        self._alarm("engines differ")
        return False

    # --- keeping what was found ---

    def _keep_found(self, who: Reader, run: CheckRun, gathered: Gathered, by_case: Mapping[str, list[Found]]) -> Ended:
        """Keep the findings that are for the reader's eyes, beside those of their check before."""
        pack = self._assessor.pack
        withheld = {case_id: withheld_rules(pack, sight) for case_id, sight in gathered.sights.items()}
        found = [
            (case_id, item)
            for case_id, items in by_case.items()
            for item in sorted(items, key=_most_urgent)
            if item["rule"] not in withheld[case_id]
        ]
        before = self._before(who, run)
        rules = {rule.id for rule in pack.editions[-1].rules}
        checked = by_case.keys() | gathered.unread
        result = compared(found, before[1] if before else None, checked, withheld, rules)
        rows = [(case_id, item, change) for case_id, item, change in result.found]
        rows += [(case_id, item, SETTLED) for case_id, item in result.settled]
        for start in range(0, len(rows), WRITTEN):
            some = [
                CheckFinding(run.id, start + n, case_id, json.dumps(item), change)
                for n, (case_id, item, change) in enumerate(rows[start : start + WRITTEN])
            ]
            with self._database.write(who.principal.region) as unit:
                unit.checks.add_findings(some)
        return Ended(before[0] if before else None, _counts(result, compared_=before is not None))

    def _before(self, who: Reader, run: CheckRun) -> tuple[str, list[tuple[str, Found]]] | None:
        """The reader's last check that is done and about no later day: its id and what it found."""
        with self._database.read(who.principal.region) as unit:
            done = [item for item in unit.checks.of(run.user, run.role) if item.state == DONE]
            before = next((item for item in done if item.as_of <= run.as_of), None)
            if before is None:
                return None
            rows = unit.checks.findings(before.id, limit=None)
        return before.id, [(row.case_id, json.loads(row.payload)) for row in rows]


def to_judge_again(check_id: str, by_case: Mapping[str, Sequence[Found]]) -> list[str]:
    """The clients a check judges a second time, by the interactive engines: all of them up to AGAIN; of more, up to
    AGAIN_NOT_MET with an obligation not met and so many of all others that it makes AGAIN. Which, the check's id draws:
    nobody can tell before, and it can be told after."""
    drawn = sorted(by_case, key=lambda case_id: sha256(f"{check_id} {case_id}".encode()).digest())
    if len(drawn) <= AGAIN:
        return drawn
    first = [case_id for case_id in drawn if any(map(_is_not_met, by_case[case_id]))][:AGAIN_NOT_MET]
    among_them = frozenset(first)
    return [*first, *[case_id for case_id in drawn if case_id not in among_them][: AGAIN - len(first)]]


def _is_not_met(item: Found) -> bool:
    return bool(item["outcome"] == "violated" and item["severity"] == "obligation")


def in_codes(finding: Finding) -> dict[str, Any]:
    """A finding as a check keeps it; texts are added in the reader's language."""
    return {**finding_data(finding), "severity": finding.rule.severity}


def _in_order(found: Iterable[Found]) -> list[str]:
    return sorted(json.dumps(item, sort_keys=True) for item in found)


def _most_urgent(item: Found) -> tuple[bool, int, str, str, str]:
    """The order of a client's findings: what is to be done first, by severity and day."""
    severity = item.get("severity")
    rank = _SEVERITIES.index(severity) if severity in _SEVERITIES else -1
    subject = item.get("subject") or {}
    return not is_open(item), rank, item.get("due") or "9999", item["rule"] or "", subject.get("entry") or ""


def _counts(result: Compared, *, compared_: bool) -> dict[str, int]:
    """How much came of a check, in numbers that name nobody."""
    changes = [change for _, _, change in result.found]
    counts = {
        "open": sum(is_open(item) for _, item, _ in result.found if item["rule"] is not None),
        "undetermined": sum(item["rule"] is None for _, item, _ in result.found),
    }
    if compared_:
        counts |= {NEW: changes.count(NEW), STILL_OPEN: changes.count(STILL_OPEN)}
        counts |= {SETTLED: len(result.settled), "left": result.left}
    return counts


def _folder(check_id: str) -> Path:
    return Path(tempfile.gettempdir()) / f"polku-check-{check_id}"


@contextmanager
def _private(check_id: str) -> Iterator[Path]:
    """A folder of the check's own that nobody else can open; taken away after. What a crash leaves there, the next
    start takes away (`fail_left_over`)."""
    folder = _folder(check_id)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
