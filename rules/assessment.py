"""The answer: journal + date + pack -> assessment (SPEC §5). Pure: no clock, network or database.

An `Assessor` holds one pack and its engines. `assess` folds the journal, judges every subject with both engines, and
reads next steps, triggers, agenda and readiness off the findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rules.agenda import Change, agenda
from rules.engines import Engine, checked
from rules.entries import FIRST_YEAR, LAST_YEAR
from rules.facts import FACTS
from rules.findings import Finding, Judge, SetAside, finding_json, standing
from rules.fold import PROPOSAL, Folded, History, Subject, fold, visible_entries
from rules.journal import Case, Entry, build_entry
from rules.pack import LANGUAGES, Pack, Rule, Ruleset
from rules.readiness import readiness
from rules.steps import Step, next_steps
from statemachines import TRIGGERS, allowed


@dataclass(frozen=True, slots=True)
class Proposal:
    """A step someone considers taking on the evaluation date: a trigger of SPEC §3 and what is known of its details."""

    trigger: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def entry(self, day: date) -> Entry:
        """The step as a hypothetical entry; details not given are unknown.

        Raises ValueError for an unknown trigger or one that says nothing without a detail not given, and JournalError
        for an unknown detail.
        """
        if self.trigger not in TRIGGERS:
            raise ValueError(f"unknown trigger {self.trigger!r}; known: {', '.join(TRIGGERS)}")
        for given in ("type", "date", "id"):
            if given in self.details:
                raise ValueError(
                    f"{given} is no detail of a proposed step: the trigger and the evaluation date tell it"
                )
        details = {**_implied(self.trigger, day), **self.details}
        if self.trigger == "reach_phase" and "phase" not in details:
            raise ValueError("reach_phase needs to know which phase: phase=profile, for example")
        return build_entry(TRIGGERS[self.trigger].entry_type, date=day, id=PROPOSAL, **details)


def _implied(trigger: str, day: date) -> dict[str, Any]:
    """What a trigger's name says of the step: these are about coaching."""
    if trigger == "take_initiative":
        return {"service": "coaching"}
    return {"coaching": {"start": day}} if trigger == "update_plan" else {}


@dataclass(frozen=True, slots=True)
class TriggerStatus:
    """Whether a step could be taken now: open, needs_details (which), blocked (by which rules) or not_from_here."""

    trigger: str
    status: str
    needs: tuple[str, ...] = ()
    blocked_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is next for a client on a date, with everything it rests on."""

    case: str
    as_of: date
    known_at: datetime | None
    pack: Pack
    state: Mapping[str, str]
    findings: tuple[Finding, ...]
    next_steps: tuple[Step, ...]
    triggers: tuple[TriggerStatus, ...]
    agenda: tuple[Change, ...]
    readiness: Mapping[str, Any]
    inconsistent: tuple[tuple[str, str], ...]
    lang: str

    def as_json(self) -> dict[str, Any]:
        """The assessment as SPEC §5 writes it."""
        return {
            "case": self.case,
            "as_of": self.as_of.isoformat(),
            "pack": {"id": self.pack.id, "version": self.pack.version, "sha256": self.pack.sha256},
            "state": dict(self.state),
            "next_steps": [step.as_json(self.lang) for step in self.next_steps],
            "triggers": [
                {
                    "trigger": item.trigger,
                    "status": item.status,
                    "needs": list(item.needs),
                    "blocked_by": list(item.blocked_by),
                }
                for item in self.triggers
            ],
            "findings": [finding_json(finding, self.lang) for finding in self.findings],
            "readiness": dict(self.readiness),
            "agenda": [change.as_json() for change in self.agenda],
        }


class Assessor:
    """Assesses cases by one pack. `engine` gives the engine of a ruleset; the default checks one by another."""

    def __init__(self, pack: Pack, engine: Callable[[Ruleset], Engine] = checked) -> None:
        self.pack = pack
        self.engine = engine

    def history(self, case: Case, as_of: date, known_at: datetime | None = None) -> History:
        """The entries of a case that count on `as_of`, and where they led. Raises ValueError for a day out of range."""
        if not FIRST_YEAR <= as_of.year <= LAST_YEAR:
            raise ValueError(f"{as_of}: expected an evaluation date in the years {FIRST_YEAR}-{LAST_YEAR}")
        return History(case, visible_entries(case, as_of, known_at), self.pack.ruleset(as_of).parameters)

    def findings(
        self, case: Case, as_of: date, *, known_at: datetime | None = None, history: bool = False
    ) -> tuple[Folded, list[Finding]]:
        """The folded journal and what every rule in force came to: for the current subjects, or all with `history`.

        Raises EngineDifference when the engines differ, EngineError when one fails.
        """
        read = self.history(case, as_of, known_at)
        folded = fold(read, as_of, all_subjects=history)
        return folded, self.judge(read, as_of).findings(folded.subjects)

    def judge(self, read: History, as_of: date) -> Judge:
        """The judge of a history on a date: what a professional set aside by then is known to it."""
        return Judge(self.pack, self.engine, as_of, standing(read, as_of))

    def assess(
        self,
        case: Case,
        as_of: date,
        *,
        known_at: datetime | None = None,
        proposal: Proposal | None = None,
        lang: str = "fi",
        history: bool = False,
        with_agenda: bool = True,
    ) -> Assessment:
        """What is next for this client on `as_of`, by what was recorded by `known_at`.

        With a proposal the findings show the step as if taken; the state does not. Raises ValueError for an unknown
        trigger or language, JournalError for unknown details, EngineError when the engines differ or fail.
        """
        if lang not in LANGUAGES:
            raise ValueError(f"unknown language {lang!r}; known: {', '.join(LANGUAGES)}")
        read = self.history(case, as_of, known_at)
        before = fold(read, as_of)
        judged, folded = read, before
        if proposal is not None:
            judged = read.and_then(proposal.entry(as_of))
        if proposal is not None or history:
            folded = fold(judged, as_of, all_subjects=history)
        findings = self.judge(judged, as_of).findings(folded.subjects)
        current = [finding for finding in findings if finding.subject.current] if history else findings
        return Assessment(
            case=case.id,
            as_of=as_of,
            known_at=known_at,
            pack=self.pack,
            state=before.state._asdict(),
            findings=tuple(findings),
            next_steps=tuple(next_steps(current, as_of, closed=folded.state.stage == "closed")),
            triggers=tuple(self._triggers(read, before, as_of, proposal)),
            agenda=tuple(agenda(self.pack, judged, folded, current)) if with_agenda else (),
            readiness=readiness(read, lang),
            inconsistent=tuple((entry.id, reason) for entry, reason in folded.inconsistent),
            lang=lang,
        )

    def _triggers(
        self, read: History, folded: Folded, as_of: date, proposal: Proposal | None
    ) -> Iterable[TriggerStatus]:
        guards = self._guards(as_of)
        for trigger in TRIGGERS:
            if not allowed(trigger, folded.state):
                yield TriggerStatus(trigger, "not_from_here")
            elif trigger not in guards:
                yield TriggerStatus(trigger, "open")
            else:
                step = proposal if proposal is not None and proposal.trigger == trigger else Proposal(trigger)
                yield self._status(read, step.entry(as_of), trigger, as_of)

    def step(self, case: Case, entry_id: str) -> tuple[str, History] | None:
        """An entry of the case as a step to judge, on its own day: the trigger some rule guards, and the history.

        What is dated later is not yet true. None when no rule in force that day guards such a step, or the entry is
        voided by then. Raises ValueError for an id the case does not have.
        """
        entry = next((item for item in case.entries if item.id == entry_id), None)
        if entry is None:
            raise ValueError(f"the case has no entry {entry_id!r}")
        trigger = next((name for name, info in TRIGGERS.items() if info.entry_type == entry.type), None)
        if trigger is None or trigger not in self._guards(entry.date):
            return None
        read = self.history(case, entry.date).judging(entry_id)
        return (trigger, read) if read is not None else None

    def findings_for(
        self, subjects: Sequence[Subject], as_of: date, set_aside: Mapping[str, SetAside], trigger: str | None = None
    ) -> list[Finding]:
        """The findings for subjects just folded, or kept (`rules.kept`): all, or what guards say of a `trigger`'s step.

        Guards judge the step itself, never older events: the subjects it begins or ends. Raises EngineError, and
        KeyError for a fact the pack reads and the subjects lack.
        """
        judge = Judge(self.pack, self.engine, as_of, set_aside)
        if trigger is None:
            return judge.findings(subjects)
        guarding = {rule.id for rule in self._guards(as_of).get(trigger, ())}
        found = judge.findings_of(subject for subject in subjects if subject.proposed)
        return [finding for finding in found if finding.rule.id in guarding]

    def _guards(self, day: date) -> dict[str, list[Rule]]:
        guards: dict[str, list[Rule]] = {}
        for rule in self.pack.rules(day):
            for trigger in rule.guards:
                guards.setdefault(trigger, []).append(rule)
        return guards

    def _status(self, read: History, step: Entry, trigger: str, as_of: date) -> TriggerStatus:
        read = read.and_then(step)
        found = self.findings_for(fold(read, as_of).subjects, as_of, standing(read, as_of), trigger)
        blocked = blocking(found)
        needs = [_detail(step, name) for item in found if item.outcome == "unknown" for name in item.missing]
        status = "blocked" if blocked else "needs_details" if needs else "open"
        return TriggerStatus(trigger, status, tuple(dict.fromkeys(needs)), blocked)


def blocking(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The obligations among a step's guards that stand in its way. An unknown one does not: it needs details."""
    found = (f.rule for f in findings if f.outcome == "violated" and f.rule.severity == "obligation")
    return tuple(dict.fromkeys(rule.id for rule in found))


def _detail(entry: Entry, name: str) -> str:
    """What to ask for: the field of the step that was left out, else the unknown fact itself."""
    detail = FACTS[name].detail if name in FACTS else None
    return detail if detail is not None and getattr(entry, detail, None) is None else name.split(".", 1)[1]
