"""Findings: what each rule in force came to for each subject."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.conditions import FALSE, MAYBE, TRUE, Condition, unsettled
from rules.deriving import Derivation
from rules.engines import Engine
from rules.engines.base import rules_of_wave
from rules.facts import UNKNOWN, Value
from rules.fold import History, Subject
from rules.pack import ANY_STEP, FINDING, Pack, Rule, Ruleset, Wave


@dataclass(frozen=True, slots=True)
class SetAside:
    """A professional's choice not to follow a rule's advice: by which entry, why, and until when (None: for good)."""

    entry: str
    reason: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule came to for one subject. `judged_on` is the day whose version of the rule was applied."""

    rule: Rule
    subject: Subject
    outcome: str
    due: date | None
    missing: tuple[str, ...]
    facts: Mapping[str, Value]
    judged_on: date
    as_of: date
    set_aside: SetAside | None

    @property
    def open(self) -> bool:
        """Whether something is to be done: advice open or a rule not met."""
        return self.outcome in ("violated", "advised")

    @property
    def gives_step(self) -> bool:
        """Whether it is someone's next step: open, current, not set aside, and not about an episode that is over."""
        over = self.subject.ended and not self.rule.about_ending
        return self.open and self.subject.current and not over and self.set_aside is None

    @property
    def action(self) -> str:
        """What to do about it."""
        for when, action in self.rule.actions:
            if when.truth(self.facts, self.as_of) == TRUE:
                return action
        return self.rule.action

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What identifies it between runs: the rule and the subject."""
        return self.rule.id, self.subject.kind, self.subject.entry


class Judge:
    """Judges subjects on one date: those of a journal just folded, or those a decision was recorded with.

    `set_aside` holds, by rule, the advice a professional chose not to follow (see `standing`).
    """

    def __init__(
        self, pack: Pack, engine: Callable[[Ruleset], Engine], day: date, set_aside: Mapping[str, SetAside]
    ) -> None:
        self._pack = pack
        self._engine = engine
        self._day = day
        self._ruleset = pack.ruleset(day)
        self.set_aside = set_aside

    def findings(self, subjects: Sequence[Subject]) -> list[Finding]:
        """Every rule in force that applies, wave by wave, in the pack's order within a subject. The case is first."""
        found = self.findings_of(subjects)
        case = subjects[0]
        for wave in self._ruleset.waves:
            earlier = found_by(wave, found)
            outcomes = self._engine(self._ruleset).judge_wave(wave.number, case.facts, earlier, self._day)
            facts = {**case.facts, **earlier}
            found += self._listed(wave.rules, outcomes, case, facts)
        return found

    def findings_of(self, subjects: Iterable[Subject]) -> list[Finding]:
        """The first wave's findings for some subjects."""
        found: list[Finding] = []
        for subject in subjects:
            facts = self._ruleset.derive(subject.kind, subject.facts)
            outcomes = self._engine(self._ruleset).judge(subject.kind, facts, self._day)
            found += self._listed(rules_of_wave(self._ruleset.about(subject.kind), 0), outcomes, subject, facts)
        return found

    def _listed(
        self,
        rules: Iterable[Rule],
        outcomes: Mapping[int, str],
        subject: Subject,
        facts: Mapping[str, Value],
    ) -> list[Finding]:
        found = []
        for rule in rules:
            outcome = outcomes.get(rule.position, "not_applicable")
            if outcome == "not_applicable" and len(self._pack.editions) == 1:
                continue
            judged_on = self._judged_on(rule, facts)
            if not rule.in_force(judged_on):
                continue
            other = self._ruleset if judged_on is self._day else self._pack.ruleset(judged_on)
            if other is not self._ruleset:
                finding = self._by_other_values(rule, outcome, subject, facts, judged_on, other)
            else:
                finding = self._finding(rule, subject, outcome, facts, judged_on, self._ruleset)
            if finding.outcome != "not_applicable":
                found.append(finding)
        return found

    def _judged_on(self, rule: Rule, facts: Mapping[str, Value]) -> date:
        event = facts.get(rule.event) if rule.event is not None else None
        return event if isinstance(event, date) else self._day

    def _by_other_values(
        self,
        rule: Rule,
        outcome: str,
        subject: Subject,
        facts: Mapping[str, Value],
        judged_on: date,
        other: Ruleset,
    ) -> Finding:
        """The rule judged with the parameter values of its event's day, where those make a difference."""
        same = other.rules[rule.position]
        if same == rule and derived_alike(rule, self._ruleset, other):
            return self._finding(rule, subject, outcome, facts, judged_on, self._ruleset)
        facts = other.derive(subject.kind, dict(facts))
        outcome = self._judged_by(other, same, subject.kind, facts)
        return self._finding(same, subject, outcome, facts, judged_on, other)

    def _judged_by(self, other: Ruleset, rule: Rule, kind: str, facts: Mapping[str, Value]) -> str:
        if rule.wave == 0:
            return self._engine(other).judge(kind, facts, self._day)[rule.position]
        earlier = {name: str(value) for name, value in facts.items() if name.startswith(FINDING)}
        return self._engine(other).judge_wave(rule.wave, facts, earlier, self._day)[rule.position]

    def _finding(
        self, rule: Rule, subject: Subject, outcome: str, facts: Mapping[str, Value], judged_on: date, ruleset: Ruleset
    ) -> Finding:
        shown = {"violated": rule.overdue, "advised": rule.due}.get(outcome)
        due = facts.get(shown) if shown is not None else None
        return Finding(
            rule=rule,
            subject=subject,
            outcome=outcome,
            due=due if isinstance(due, date) else None,
            missing=_missing(rule, facts, self._day, ruleset) if outcome == UNKNOWN else (),
            facts=facts,
            judged_on=judged_on,
            as_of=self._day,
            set_aside=self.set_aside.get(rule.id) if outcome in ("violated", "advised") else None,
        )


def standing(read: History, day: date) -> dict[str, SetAside]:
    """By rule, the latest choice to set its advice aside that still stands on `day`."""
    found = {}
    for entry in read.by_type.get("advice_set_aside", ()):
        until: date | None = getattr(entry, "until", None)
        if until is None or until >= day:
            found[str(getattr(entry, "rule", ""))] = SetAside(entry.id, str(getattr(entry, "reason", "")), until)
        else:
            found.pop(str(getattr(entry, "rule", "")), None)
    return found


def found_by(wave: Wave, findings: Collection[Finding]) -> dict[str, str]:
    """What a later wave reads of the findings so far."""
    earlier = {}
    for name in wave.asks:
        if name == ANY_STEP:
            earlier[name] = "yes" if any(finding.gives_step for finding in findings) else "no"
        else:
            outcomes = [item.outcome for item in findings if item.rule.id == name.removeprefix(FINDING)]
            earlier[name] = outcomes[0] if outcomes else "not_applicable"
    return earlier


def _missing(rule: Rule, facts: Mapping[str, Value], day: date, ruleset: Ruleset) -> tuple[str, ...]:
    """The recorded facts that are unknown and keep the rule from being settled."""
    derivations = {item.name: item for item in ruleset.derivations}
    names = dict.fromkeys(
        recorded
        for name in unsettled(_undecided(rule, facts, day), facts, day)
        for recorded in _recorded(name, facts, derivations)
    )
    return tuple(names)


def _undecided(rule: Rule, facts: Mapping[str, Value], day: date) -> Condition:
    if rule.applies.truth(facts, day) == MAYBE:
        return rule.applies
    for _, condition in rule.steps:
        if condition.truth(facts, day) != FALSE:
            return condition
    return rule.applies


def _recorded(name: str, facts: Mapping[str, Value], derivations: Mapping[str, Derivation]) -> list[str]:
    if name not in derivations:
        return [name]
    operands = derivations[name].operands
    # Without an unknown operand it is the last one: what was perhaps done, a detail of it not being recorded.
    unknown = [operand for operand in operands if facts[operand] == UNKNOWN] or [operands[-1]]
    return [found for operand in unknown for found in _recorded(operand, facts, derivations)]


def derived_alike(rule: Rule, one: Ruleset, other: Ruleset) -> bool:
    """Whether the deadlines a rule reads are the same in two rulesets."""
    here = {item.name: item for item in one.derivations}
    there = {item.name: item for item in other.derivations}
    names = [name for name in (*rule.reads(), rule.due, rule.overdue) if name in here]
    seen: set[str] = set()
    while names:
        name = names.pop()
        if name is None or name in seen:
            continue
        seen.add(name)
        if here[name] != there[name]:
            return False
        names += [operand for operand in here[name].operands if operand in here]
    return True


def finding_json(finding: Finding, lang: str) -> dict[str, Any]:
    """A finding as SPEC §5 writes it."""
    rule, subject, aside = finding.rule, finding.subject, finding.set_aside
    return {
        "rule": rule.id,
        "title": rule.title[lang],
        "outcome": finding.outcome,
        "severity": rule.severity,
        "due": _day(finding.due),
        "subject": {"kind": subject.kind, "entry": subject.entry, "current": subject.current},
        "missing": list(finding.missing),
        "facts": {name: _day(finding.facts[name]) for name in rule.reads()},
        "text": rule.text[lang],
        "caution": caution_text(rule, finding.as_of, lang),
        "set_aside": None
        if aside is None
        else {"entry": aside.entry, "reason": aside.reason, "until": _day(aside.until)},
        "judged_on": finding.judged_on.isoformat(),
        "source": [dict(source) for source in rule.source],
        "authority": rule.authority,
        "action": finding.action,
        "role": rule.role,
    }


def caution_text(rule: Rule, day: date, lang: str) -> str | None:
    """The caution a rule carries on a day, if any."""
    caution = rule.caution
    if caution is None or (caution.valid_from is not None and day < caution.valid_from):
        return None
    return caution.text[lang]


def _day(value: Value) -> Any:
    return value.isoformat() if isinstance(value, date) else value
