"""What a recording is judged to be, before it is written: pure, on the case before and after.

Each entry is judged at its own date with everything known now: the rules that guard its kind of step speak of the step
itself, as if it were proposed that day; the charts tell which entries they do not allow. All is then judged as of
today, which gives the advice. Unknown never blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rules.assessment import Assessor, blocking
from rules.engines import EngineError
from rules.entries import LAST_YEAR
from rules.findings import Finding, SetAside, standing
from rules.fold import Folded, History, Subject, fold
from rules.journal import Case, Entry
from rules.steps import Step, next_steps

#: The rule that names entries no chart allows.
PATH_INCONSISTENT = "path-inconsistent"
#: Why something was judged: a guarded step; the situation on the day of entries; the situation today.
STEP, ENTRY, TODAY = "step", "entry", "today"
_END_OF_TIME = date(LAST_YEAR, 12, 31)


@dataclass(frozen=True, slots=True)
class Break:
    """An entry that no row of its chart allows since this recording, first on `day`; `reason` is statemachines'."""

    entry: str
    reason: str
    day: date


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was judged on one day. `entries` are the new entries that this judges on their own day; a guarded step names
    its one entry, and its `trigger`. `findings` is None where the engines did not agree or failed.
    """

    purpose: str
    as_of: date
    entries: tuple[str, ...]
    trigger: str | None
    folded: Folded
    subjects: tuple[Subject, ...]
    set_aside: Mapping[str, SetAside]
    findings: tuple[Finding, ...] | None
    blocked_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything judged of one recording. `alarm` says why it is undetermined, with facts and no names; else None."""

    judgements: tuple[Judgement, ...]
    breaks: tuple[Break, ...]
    inconsistent: tuple[Finding, ...]
    advice: tuple[Step, ...]
    alarm: str | None

    @property
    def to_acknowledge(self) -> tuple[str, ...]:
        """The rules that must be acknowledged, with a reason, for this to be recorded."""
        rules = [rule for item in self.judgements for rule in item.blocked_by]
        return tuple(dict.fromkeys([*rules, *([PATH_INCONSISTENT] if self.breaks else [])]))

    @property
    def objections(self) -> tuple[Finding, ...]:
        """The findings that must be acknowledged."""
        blocking = (f for j in self.judgements for f in j.findings or () if f.rule.id in j.blocked_by)
        return (*(f for f in blocking if f.outcome == "violated"), *self.inconsistent)


def judge_recording(assessor: Assessor, before: Case, after: Case, today: date) -> Judged:
    """Judge the entries that `after` has and `before` has not."""
    known = {entry.id for entry in before.entries}
    new = [entry for entry in after.entries if entry.id not in known]
    return _judged(assessor, after, new, tuple(new_breaks(assessor, before, after, today)), today)


def judge_opening(assessor: Assessor, case: Case, today: date) -> Judged:
    """Judge a case taken over as it is: as of today only, for nobody here took those steps."""
    return _judged(assessor, case, (), (), today)


def closed_since(assessor: Assessor, case: Case) -> date | None:
    """The day since which the case is closed by everything recorded, also what is dated ahead; None when it is open."""
    if not any(entry.type == "case_closed" for entry in case.entries):
        return None  # as of nearly every recording: then the history need not be followed once more
    read = assessor.history(case, _END_OF_TIME)
    return read.by_type["case_closed"][-1].date if read.path.closed else None


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be judged: on which day, for which entries, and the history as that day sees it."""

    purpose: str
    as_of: date
    entries: tuple[str, ...]
    trigger: str | None
    read: History

    @property
    def set_aside(self) -> Mapping[str, SetAside]:
        """The advice that a professional had set aside by that day, by rule."""
        return standing(self.read, self.as_of)

    def fold(self) -> tuple[Folded, tuple[Subject, ...]]:
        """The history folded, and the subjects to judge."""
        # Of a step, another entry of the same day may have begun the next episode: its own is then history.
        folded = fold(self.read, self.as_of, all_subjects=self.purpose == STEP)
        return folded, folded.of_step if self.purpose == STEP else folded.subjects


def readings(assessor: Assessor, after: Case, new: Iterable[Entry], today: date) -> Iterator[Reading]:
    """What a recording of the entries `new` is judged on: each guarded step, each day of the entries, then today."""
    new = sorted(new, key=lambda entry: entry.date)
    for entry in new:
        if (step := assessor.step(after, entry.id)) is not None:
            yield Reading(STEP, entry.date, (entry.id,), *step)
    days = sorted({entry.date for entry in new} - {today})
    for purpose, day in [*((ENTRY, day) for day in days), (TODAY, today)]:
        entries = tuple(entry.id for entry in new if entry.date == day)
        yield Reading(purpose, day, entries, None, assessor.history(after, day))


def _judged(assessor: Assessor, after: Case, new: Sequence[Entry], breaks: tuple[Break, ...], today: date) -> Judged:
    found = list(readings(assessor, after, new, today))
    try:
        judgements = tuple(_judgement(assessor, item) for item in found)
        inconsistent = tuple(_inconsistent(assessor, after, breaks))
    except EngineError as error:
        alarm = str(error)
    except Exception as error:  # what happened can always be recorded, whatever fails in an engine
        alarm = f"{type(error).__name__} while judging"  # what it says may hold more than facts
    else:
        now = judgements[-1]
        advice = next_steps(now.findings or (), today, closed=now.folded.state.stage == "closed")
        return Judged(judgements, breaks, inconsistent, tuple(advice), None)
    unjudged = tuple(_judgement(None, item) for item in found)
    return Judged(unjudged, breaks, (), (), alarm)


def _judgement(assessor: Assessor | None, item: Reading) -> Judgement:
    """What one reading comes to; without an assessor, its facts alone."""
    folded, subjects = item.fold()
    aside = item.set_aside
    findings: tuple[Finding, ...] | None = None
    if assessor is not None:
        findings = tuple(assessor.findings_for(subjects, item.as_of, aside, item.trigger))
    stopped = blocking(findings) if findings is not None and item.purpose == STEP else ()
    return Judgement(item.purpose, item.as_of, item.entries, item.trigger, folded, subjects, aside, findings, stopped)


def new_breaks(assessor: Assessor, before: Case, after: Case, today: date) -> Iterator[Break]:
    """The entries no chart allows since the recording: as of today, and on the days ahead that something is dated.

    An entry dated earlier that makes a later one inconsistent breaks as well. What is corrected by today does not.
    """
    seen: set[tuple[str, str]] = set()
    for day in sorted({today, *(entry.date for entry in after.entries if entry.date > today)}):
        odd = assessor.history(after, day).path.inconsistent
        if odd:
            seen.update((entry.id, reason) for entry, reason in assessor.history(before, day).path.inconsistent)
        for entry, reason in odd:
            if (entry.id, reason) not in seen:
                seen.add((entry.id, reason))
                yield Break(entry.id, reason, day)


def _inconsistent(assessor: Assessor, after: Case, breaks: Iterable[Break]) -> Iterator[Finding]:
    """What the rule about the charts says on the first day of a break."""
    for day in sorted({item.day for item in breaks})[:1]:
        read = assessor.history(after, day)
        case = fold(read, day).subjects[:1]
        yield from (f for f in assessor.judge(read, day).findings_of(case) if f.rule.id == PATH_INCONSISTENT)
