"""Journals folded to facts in several processes: one reads the source, the others fold what they are sent.

A process is sent a batch when it is done with the one before, so that what waits is bounded, and writes parts of its
own. One that ends before its time ends the run with an error; when the run ends, however it ends, all have ended.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, count
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from rules.entry_reader import EntryReader
from rules.journal import JournalError
from rules.pack import Pack
from service.checks.errors import CheckError
from service.checks.facts import CaseFolder, FactsTables, FactsWriter
from service.checks.reading import Batch
from service.checks.rows import Item

#: Cases of a part: what a process holds in memory, and what is lost of its work when it is broken off.
PART = 100_000
#: Fewer cases than this are folded without other processes: to start one takes longer.
FEW = 400
#: Of the mistakes of a case, how many are told.
MOST_MISTAKES = 10
#: Batches after which a process looks for what refers to itself in a circle: journals that can be read leave none.
TIDY = 200
#: Seconds a process is given to end.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Refused:
    """A case that could not be read or folded: where it stands and why. Holds no identity code and no free text."""

    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done with every batch: by which pack, for which day, where to; `first` is the first case's case_no
    less its number."""

    pack: Pack
    as_of: date
    folder: Path
    first: int = 0


@dataclass(slots=True)
class Done:
    """What became of a batch, or of what was left at the end: cases folded, those refused, parts that are whole."""

    folded: int = 0
    refused: list[Refused] = field(default_factory=list)
    parts: list[Path] = field(default_factory=list)
    weight: int = 0
    cases: int = 0


class Folding:
    """Folds batches into parts, one after another."""

    def __init__(self, task: Task, worker: int) -> None:
        self._task = task
        self._names = (f"part-{task.first}-{worker}-{number}" for number in count())
        self._folder = CaseFolder(task.pack, task.as_of)
        self._reader = EntryReader()
        self._writer: FactsWriter | None = None

    def take(self, batch: Batch) -> Done:
        """Fold a batch."""
        done = Done(weight=batch.weight, cases=len(batch))
        for item in batch.items(self._reader):
            message = folded(item, self._folder, self._task.first, self._part)
            if message is not None:
                done.refused.append(Refused(item.where(), message))
            else:
                done.folded += 1
                if self._writer is not None and self._writer.cases >= PART:
                    done.parts += self.close()
        return done

    def close(self) -> list[Path]:
        """Write the part under way, if there is one."""
        writer, self._writer = self._writer, None
        if writer is None:
            return []
        writer.close()
        return [writer.folder]

    def _part(self) -> FactsWriter:
        """The part under way."""
        if self._writer is None:
            self._writer = FactsWriter(self._task.folder / next(self._names), self._task.pack)
        return self._writer


def folded(item: Item, folder: CaseFolder, first: int, made: Callable[[], FactsTables]) -> str | None:
    """Fold a case into the tables that are `made`, its case_no its number and `first`; why not, if not."""
    try:
        case = item.read()
        facts = folder.fold(case)
        made().add(first + item.number, case, item.version, *facts)
    except JournalError as error:
        return _mistakes(error)
    except CheckError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror or type(error).__name__}"
    except MemoryError:
        raise
    except Exception as error:  # a fault of Polku's own: its text may hold details of the client
        return f"could not be folded: {own_fault(error)}"
    return None


def _mistakes(error: JournalError) -> str:
    told = [str(problem) for problem in error.problems[:MOST_MISTAKES]]
    left = len(error.problems) - len(told)
    return "; ".join([*told, f"and {left:,} more mistakes"] if left else told)


def own_fault(error: Exception) -> str:
    """A fault of Polku's own in words that hold nothing of a client: which, and where."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    return f"a fault of Polku's own ({type(error).__name__}{place})"


# ---- processes


def fold_all(batches: Iterator[Batch], task: Task, processes: int) -> Generator[Done]:
    """Fold every batch; what became of each as it is done, and of the rest at the end.

    Raises CheckError when a process ends before its time, and whatever `batches` raises.
    """
    first: list[Batch] = []
    for batch in batches:
        first.append(batch)
        if sum(map(len, first)) >= FEW:
            yield from _fold_in_processes(chain(first, batches), task, processes)
            return
    folding = Folding(task, 0)
    for batch in first:
        yield folding.take(batch)
    yield Done(parts=folding.close())


def _fold_in_processes(batches: Iterator[Batch], task: Task, processes: int) -> Iterator[Done]:
    workers: list[_Worker] = []
    try:
        for number in range(processes):
            workers.append(_Worker(task, number))  # one by one: those begun are ended, should this be broken off
        at_work: dict[Connection, _Worker] = {}
        idle = list(workers)
        for batch in batches:
            while not idle:
                for worker in _ready(at_work):
                    yield worker.answer()
                    idle.append(worker)
            worker = idle.pop()
            worker.send(batch)
            at_work[worker.connection] = worker
        while at_work:
            yield from [worker.answer() for worker in _ready(at_work)]
        for worker in workers:
            worker.send(None)
        yield from [worker.answer() for worker in workers]
        for worker in workers:
            worker.join()
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A process that folds."""

    def __init__(self, task: Task, number: int) -> None:
        # Not forked: whoever asks for a check may have threads, and connections to a database.
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(theirs, number), daemon=True)
        resource_tracker.ensure_running()  # it would be started with the first process, and let signals through again
        # Ctrl-C is for the process that reads, from the first moment on: it ends the others.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        # Not with its start: that would wait for ever for a process that ended meanwhile.
        self.send(task)

    def send(self, batch: Batch | Task | None) -> None:
        try:
            self.connection.send(batch)
            return
        except OSError:
            pass
        raise self._ended()

    def answer(self) -> Done:
        try:
            found: Done | str = self.connection.recv()
        except (EOFError, OSError):
            found = ""
        if isinstance(found, Done):
            return found
        raise CheckError(found) if found else self._ended()

    def join(self) -> None:
        self._process.join(PATIENCE)

    def end(self) -> None:
        self.connection.close()
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(PATIENCE)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()

    def _ended(self) -> CheckError:
        self._process.join(PATIENCE)
        code = self._process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        hint = "; signal 9 is often the system's, out of memory: try --processes 1" if code == -signal.SIGKILL else ""
        return CheckError(f"a process that folds journals ended before its time ({how}){hint}")


def _ready(at_work: dict[Connection, _Worker]) -> Sequence[_Worker]:
    """The workers that have answered, or have ended, taken from those at work; waits until there is one."""
    return [at_work.pop(found) for found in wait(list(at_work)) if isinstance(found, Connection)]


def _work(connection: Connection, number: int) -> None:
    """What a process does: fold what it is sent until it is told that there is no more, or there is no one to tell."""
    try:
        folding = Folding(connection.recv(), number)
        # What a case is made of goes when nothing refers to it any more; looking for circles often costs a tenth.
        gc.collect()
        gc.freeze()
        gc.disable()
        for turn, batch in enumerate(iter(connection.recv, None), start=1):
            connection.send(folding.take(batch))
            if turn % TIDY == 0:
                gc.collect()
        connection.send(Done(parts=folding.close()))
    except (EOFError, BrokenPipeError):
        return
    except OSError as error:
        connection.send(f"{error.filename or 'facts'}: {error.strerror or type(error).__name__}")
    except Exception as error:
        connection.send(own_fault(error))
    finally:
        gc.unfreeze()
