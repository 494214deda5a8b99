"""Worked examples beside a pack's rules: a journal, dates, and what each rule must come to (DESIGN "Rules as data").

`read_cases` reads `<theme>.cases.yaml` strictly, `run_case` and `run_pack` judge the cases and tell every difference in
words a caseworker can follow. What a case file looks like: docs/rule-writers.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any as AnyData

from rules.assessment import Assessment, Assessor, Proposal
from rules.conditions import FALSE, TRUE, Any, Condition, Line, Not, lines
from rules.facts import UNKNOWN, Fact, Value
from rules.findings import Finding
from rules.fold import PROPOSAL, Subject, fold
from rules.journal import Case, Entry, JournalError, case_from_data, case_to_data
from rules.pack import ANY_STEP, DEFAULT_PACK, FINDING, OUTCOMES, Pack, Rule, Ruleset
from rules.reading import Lines, Problem, did_you_mean, place_of, read_text

SUFFIX = ".cases.yaml"
CASE_KEYS = ("name", "source", "header", "entries", "checks")
CHECK_KEYS = ("date", "propose", "expect", "due", "trigger")
TRIGGER_KEYS = ("status", "needs", "blocked_by")
STATUSES = ("open", "needs_details", "blocked", "not_from_here")
#: How a check names the case itself among subjects that are named by their entries.
THE_CASE = "case"
OUTCOME_WORDS = {
    "not_in_force": "the rule is not in force",
    "not_applicable": "the rule does not apply",
    "satisfied": "the rule is met",
    "violated": "the rule is not met",
    "advised": "advice is open",
    "remedied": "done, but after its limit",
    "unknown": "cannot be told: a detail is not recorded",
}
Place = tuple[str | int, ...]
#: Expected values by subject: the entry that began it, or None for the only (else the current) one.
BySubject = Mapping[str | None, AnyData]


class CaseFileError(ValueError):
    """A case file that cannot be used; `problems` holds every mistake with its place."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        super().__init__("\n  ".join([f"{file}: {len(problems)} mistake(s)", *map(str, problems)]))
        self.file = file
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Check:
    """What is expected on one date, perhaps with a step proposed: outcomes and due dates, a trigger's status."""

    date: date
    proposal: Proposal | None
    expect: Mapping[str, BySubject]
    due: Mapping[str, BySubject]
    trigger: Mapping[str, AnyData]

    def __len__(self) -> int:
        return sum(map(len, chain(self.expect.values(), self.due.values()))) + len(self.trigger)


@dataclass(frozen=True, slots=True)
class WorkedCase:
    """One example: a sentence, a journal and its checks. `source` is given when it was worked from a source."""

    name: str
    file: str
    line: int | None
    source: Mapping[str, str] | None
    case: Case
    checks: tuple[Check, ...]

    @property
    def rules(self) -> frozenset[str]:
        """The ids of the rules its checks name."""
        return frozenset(rule for check in self.checks for rule in (*check.expect, *check.due))


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that did not come out as expected, with what a person needs to see why."""

    case: WorkedCase
    date: date
    rule: Rule | None
    about: str
    expected: str
    found: str
    facts: tuple[tuple[Fact, Value], ...]
    entries: tuple[Entry, ...]

    def text(self, lang: str = "fi") -> str:
        """The failure in plain words; titles and labels in fi, sv or en."""
        title = f"{self.rule.title[lang]} ({self.rule.id})" if self.rule is not None else "The proposed step"
        told = [
            f"{self.case.name} ({self.case.file}, line {self.case.line})",
            f"  On {self.date}: {title}{self.about}",
            f"  expected: {self.expected}",
            f"  found:    {self.found}",
        ]
        if self.facts:
            told.append("  the rule read:")
            told += [f"    {fact.labels.get(lang, fact.name)} ({fact.name}): {value}" for fact, value in self.facts]
        told.append("  on record by then:" if self.entries else "  nothing on record by then")
        told += [f"    {_entry_text(entry)}" for entry in self.entries]
        return "\n".join(told)


@dataclass(frozen=True, slots=True)
class Report:
    """How a pack's cases came out. `outcomes_missing`: by rule, the outcomes it can have that no case shows."""

    cases: int
    checks: int
    failures: tuple[Failure, ...]
    rules_without_cases: tuple[str, ...]
    outcomes_missing: Mapping[str, tuple[str, ...]]

    @property
    def ok(self) -> bool:
        """Whether there was something to check and all of it came out as expected."""
        return self.cases > 0 and self.checks > 0 and not self.failures and not self.rules_without_cases


# ---- running


@dataclass(frozen=True)
class Seen:
    """What one check's date shows: every subject, what every rule came to, and the proposed step's status."""

    pack: Pack
    day: date
    subjects: tuple[Subject, ...]
    findings: tuple[Finding, ...]
    assessment: Assessment | None
    entries: tuple[Entry, ...] = field(repr=False)

    @cached_property
    def by_key(self) -> Mapping[tuple[str, str | None], Finding]:
        """Findings by rule id and the subject's entry."""
        return {(finding.rule.id, finding.subject.entry): finding for finding in self.findings}

    def chosen(self, rule: Rule, entry: str | None) -> list[Subject]:
        """The subjects a check of a rule is about: the named one, else the only or the current ones."""
        subjects = [subject for subject in self.subjects if subject.kind == rule.about]
        if entry is not None:
            return [subject for subject in subjects if (subject.entry or THE_CASE) == entry]
        return [subject for subject in subjects if subject.current] or subjects

    def outcome(self, rule: Rule, subject: Subject | None) -> str:
        """What a rule came to for a subject; findings leave out those that do not apply or are not in force."""
        if subject is not None and (finding := self.by_key.get((rule.id, subject.entry))) is not None:
            return finding.outcome
        judged_on = self.judged_on(rule, subject)
        return "not_applicable" if any(r.in_force(judged_on) for r in self.pack.versions(rule.id)) else "not_in_force"

    def judged_on(self, rule: Rule, subject: Subject | None) -> date:
        """The day whose version of the rule counts: the event's, if the rule is about one, else the day itself."""
        event = subject.facts.get(rule.event) if subject is not None and rule.event is not None else None
        return event if isinstance(event, date) else self.day

    def facts(self, rule: Rule, subject: Subject) -> dict[str, Value]:
        """The facts a rule read of a subject: its own, and what earlier findings came to."""
        finding = self.by_key.get((rule.id, subject.entry))
        facts = dict(finding.facts if finding is not None else subject.facts)
        for name in rule.reads():
            if name.startswith(FINDING) and name not in facts:
                facts[name] = self._earlier(rule, name)
        return facts

    def _earlier(self, rule: Rule, name: str) -> str:
        if name == ANY_STEP:
            before = (finding for finding in self.findings if finding.rule.wave < rule.wave)
            return "yes" if any(finding.gives_step for finding in before) else "no"
        found = [item.outcome for item in self.findings if item.rule.id == name.removeprefix(FINDING)]
        return found[0] if found else "not_applicable"


def look(case: Case, check: Check, assessor: Assessor) -> Seen:
    """Judge a case on a check's date, all subjects, with the step proposed if the check proposes one."""
    day, step, pack = check.date, check.proposal, assessor.pack
    read = assessor.history(case, day)
    if step is None:
        folded, findings = assessor.findings(case, day, history=True)
        return Seen(pack, day, folded.subjects, tuple(findings), None, tuple(read.entries))
    assessment = assessor.assess(case, day, proposal=step, history=True, with_agenda=False)
    subjects = fold(read.and_then(step.entry(day)), day, all_subjects=True).subjects
    for subject in subjects:
        pack.ruleset(day).derive(subject.kind, subject.facts)
    return Seen(pack, day, subjects, assessment.findings, assessment, tuple(read.entries))


Judge = Callable[[Case, Check, Assessor], Seen]


def run_case(case: WorkedCase, assessor: Assessor, judge: Judge = look) -> list[Failure]:
    """Every check of a case that does not come out as expected."""
    return [failure for check in case.checks for failure in _failures(case, check, judge(case.case, check, assessor))]


def run_pack(pack: Pack, assessor: Assessor, folder: Path = DEFAULT_PACK) -> Report:
    """Run all cases beside a pack's rules. Raises CaseFileError for a file that cannot be used."""
    cases = [case for theme in themes(folder) for case in read_cases(folder, theme, pack)]
    failures = [failure for case in cases for failure in run_case(case, assessor)]
    named = {rule for case in cases for rule in case.rules}
    return Report(
        cases=len(cases),
        checks=sum(len(check) for case in cases for check in case.checks),
        failures=tuple(failures),
        rules_without_cases=tuple(rule for rule in rule_ids(pack) if rule not in named),
        outcomes_missing=outcomes_missing(pack, cases),
    )


def themes(folder: Path) -> list[str]:
    """The themes that have a case file."""
    return sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))


def rule_ids(pack: Pack) -> list[str]:
    """The ids of a pack's rules, each once, in the pack's order."""
    return list(dict.fromkeys(rule.id for rule in pack.editions[-1].rules))


def _failures(case: WorkedCase, check: Check, seen: Seen) -> Iterator[Failure]:
    for rule_id, expected in check.expect.items():
        for entry, outcome in expected.items():
            yield from _outcome_failure(case, seen, rule_id, entry, outcome)
    for rule_id, expected in check.due.items():
        for entry, day in expected.items():
            yield from _due_failure(case, seen, rule_id, entry, day)
    if check.proposal is not None and seen.assessment is not None:
        yield from _trigger_failures(case, check, check.proposal.trigger, seen, seen.assessment)


def _rule(seen: Seen, rule_id: str) -> Rule:
    versions = seen.pack.versions(rule_id)
    return next((rule for rule in reversed(versions) if rule.in_force(seen.day)), versions[-1])


def _outcome_failure(case: WorkedCase, seen: Seen, rule_id: str, entry: str | None, expected: str) -> Iterator[Failure]:
    rule = _rule(seen, rule_id)
    subjects: list[Subject | None] = [*seen.chosen(rule, entry)] or [None]
    found = {subject.entry if subject is not None else None: seen.outcome(rule, subject) for subject in subjects}
    if set(found.values()) == {expected}:
        return
    told = "; ".join(f"{outcome} - {OUTCOME_WORDS[outcome]}{_of(name, found)}" for name, outcome in found.items())
    yield _failure(case, seen, rule, entry, subjects[0], f"{expected} - {OUTCOME_WORDS[expected]}", told)


def _due_failure(
    case: WorkedCase, seen: Seen, rule_id: str, entry: str | None, expected: date | None
) -> Iterator[Failure]:
    rule = _rule(seen, rule_id)
    subjects: list[Subject | None] = [*seen.chosen(rule, entry)] or [None]
    findings = [seen.by_key.get((rule.id, item.entry)) if item is not None else None for item in subjects]
    found = {finding.due if finding is not None else None for finding in findings}
    if found != {expected}:
        told = ", ".join(str(day or "no day") for day in found)
        yield _failure(case, seen, rule, entry, subjects[0], f"due {expected or 'no day'}", f"due {told}")


def _trigger_failures(
    case: WorkedCase, check: Check, trigger: str, seen: Seen, assessment: Assessment
) -> Iterator[Failure]:
    status = next(item for item in assessment.triggers if item.trigger == trigger)
    for key, expected in check.trigger.items():
        found = getattr(status, key)
        if (set(found) if isinstance(expected, frozenset) else found) != expected:
            told = (f"{trigger}: {key} {_listed(expected)}", f"{trigger}: {key} {_listed(found)}")
            yield Failure(case, seen.day, None, "", *told, (), seen.entries)


def _listed(value: AnyData) -> str:
    return value if isinstance(value, str) else ", ".join(sorted(value)) or "none"


def _of(entry: str | None, found: Mapping[str | None, str]) -> str:
    return f" ({entry}; name the one meant)" if len(found) > 1 else ""


def _failure(
    case: WorkedCase, seen: Seen, rule: Rule, entry: str | None, subject: Subject | None, expected: str, found: str
) -> Failure:
    name = entry or (subject.entry if subject is not None else None)
    about = f", about {name}" if name is not None and name != THE_CASE else ""
    if subject is None:
        kind = f"{rule.about} begun by {entry}" if entry is not None else rule.about
        return Failure(case, seen.day, rule, about, expected, f"{found}: no {kind} on record", (), seen.entries)
    facts = seen.facts(rule, subject)
    vocabulary = seen.pack.ruleset(seen.day).vocabulary
    plain = {name: Fact(name, "enum", {}, "a finding") for name in facts if name.startswith(FINDING)}
    read = tuple(((vocabulary | plain)[name], facts[name]) for name in rule.reads())
    return Failure(case, seen.day, rule, about, expected, found, read, seen.entries)


def _entry_text(entry: Entry) -> str:
    data = case_to_data(Case(id="case", entries=(entry,)))["entries"][0]
    details = ", ".join(f"{name} {value}" for name, value in data.items() if name not in ("date", "type", "id"))
    return f"{entry.id} {entry.date} {entry.type}" + (f": {details}" if details else "")


# ---- what cases must show


def outcomes_missing(pack: Pack, cases: Iterable[WorkedCase]) -> dict[str, tuple[str, ...]]:
    """By rule, the outcomes it can have that no case expects; rules that lack none are left out."""
    shown: dict[str, set[str]] = {}
    for check in (check for case in cases for check in case.checks):
        for rule_id, expected in check.expect.items():
            shown.setdefault(rule_id, set()).update(expected.values())
    missing = {}
    for rule in pack.editions[-1].rules:
        lacking = [name for name in possible_outcomes(rule, pack.editions[-1]) if name not in shown.get(rule.id, ())]
        if lacking:
            missing[rule.id] = tuple(lacking)
    return missing


def possible_outcomes(rule: Rule, ruleset: Ruleset) -> list[str]:
    """The outcomes the form of a rule allows, apart from `not_in_force`, which any rule may come to."""
    found = set()
    if constant(rule.applies) != TRUE:
        found.add("not_applicable")
    for outcome, condition in rule.steps:
        if constant(condition) != FALSE:
            found.add(outcome)
        if constant(condition) == TRUE:
            break
    else:
        found.add(rule.otherwise)
    if any(may_be_unsettled(line, ruleset) for condition in rule.conditions() for line in lines(condition)):
        found.add(UNKNOWN)
    return [outcome for outcome in OUTCOMES if outcome in found]


def constant(condition: Condition) -> int | None:
    """The truth of a condition that reads no fact that matters; None when facts decide."""
    if isinstance(condition, Line):
        return None
    if isinstance(condition, Not):
        inner = constant(condition.part)
        return None if inner is None else TRUE - inner
    parts = [constant(part) for part in condition.parts]
    decides, remains = (TRUE, FALSE) if isinstance(condition, Any) else (FALSE, TRUE)
    if decides in parts:
        return decides
    return remains if all(part == remains for part in parts) else None


def may_be_unsettled(line: Line, ruleset: Ruleset) -> bool:
    """Whether the fact of a line can be unknown, and that leaves the line unknown."""
    return UNKNOWN not in line.values and _may_be_unknown(line.fact, ruleset)


def _may_be_unknown(name: str, ruleset: Ruleset) -> bool:
    if name.startswith(FINDING):
        named = [rule for rule in ruleset.rules if rule.id == name.removeprefix(FINDING)]
        return any(UNKNOWN in possible_outcomes(rule, ruleset) for rule in named)
    derivation = next((item for item in ruleset.derivations if item.name == name), None)
    if derivation is None:
        return ruleset.vocabulary[name].may_be_unknown
    if derivation.operation == "timeliness" and len(derivation.operands) > 2:
        return True
    return any(_may_be_unknown(operand, ruleset) for operand in derivation.operands)


# ---- reading


def read_cases(folder: Path, theme: str, pack: Pack) -> list[WorkedCase]:
    """The cases of `<theme>.cases.yaml`. Raises CaseFileError naming every mistake, OSError without such a file."""
    path = folder / f"{theme}{SUFFIX}"
    try:
        reading = read_text(path.read_bytes())
    except JournalError as error:
        raise CaseFileError(path.name, error.problems) from error
    reader = _Reader(path.name, theme, pack, reading.lines())
    reader.problems += [fault.problem(reader.lines) for fault in reading.faults]
    cases = reader.cases(reading.data)
    if reader.problems:
        raise CaseFileError(path.name, reader.problems)
    return cases


class _Reader:
    """Reads one case file; mistakes are collected, each with its place."""

    def __init__(self, file: str, theme: str, pack: Pack, lines: Lines) -> None:
        self.file = file
        self.theme = theme
        self.rules = rule_ids(pack)
        self.documents = sorted(pack.sources)
        self.lines = lines
        self.problems: list[Problem] = []

    def wrong(self, path: Place, found: str, expected: str, hint: str | None = None) -> None:
        """Note a mistake."""
        self.problems.append(Problem(place_of(path), self.line(path), found, expected, hint))

    def line(self, path: Place) -> int | None:
        """The line a place stands on, or the nearest place around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def known(self, path: Place, what: str, name: AnyData, names: Iterable[str]) -> bool:
        """Whether a name is a known one; a mistake with the nearest name if not."""
        names = list(names)
        if name in names:
            return True
        self.wrong(path, f"unknown {what} {name}", f"one of {', '.join(names[:20])}", did_you_mean(name, names)())
        return False

    def mapping(
        self, path: Place, data: AnyData, keys: Iterable[str] | None = None, what: str = "key"
    ) -> dict[str, AnyData]:
        """A mapping, its keys among `keys`."""
        if not isinstance(data, dict) or not data:
            self.wrong(path, f"{data!r}", "keys with values")
            return {}
        return {key: item for key, item in data.items() if keys is None or self.known((*path, key), what, key, keys)}

    def several(self, path: Place, data: AnyData, what: str) -> list[AnyData]:
        """A list that is not empty."""
        if isinstance(data, list) and data:
            return data
        self.wrong(path, "nothing" if not data else repr(data), f"a list of {what}, at least one")
        return []

    def day(self, path: Place, data: AnyData) -> date:
        """A day such as 2022-10-05."""
        try:
            return date.fromisoformat(data if len(data) == 10 else "")
        except (TypeError, ValueError):
            self.wrong(path, f"{data!r}", "a day such as 2022-10-05")
            return date.min

    def cases(self, data: AnyData) -> list[WorkedCase]:
        """Every case of the file."""
        found = [self.case((at,), item) for at, item in enumerate(self.several((), data, "cases"))]
        names: set[str] = set()
        for at, case in enumerate(found):
            if case is not None and case.name in names:
                self.wrong((at, "name"), f"the name {case.name!r} a second time", "a sentence no other case has")
            names |= {case.name} if case is not None else set()
        return [case for case in found if case is not None]

    def case(self, path: Place, item: AnyData) -> WorkedCase | None:
        """One case; None when its journal cannot be read."""
        item = self.mapping(path, item, CASE_KEYS)
        name = item.get("name")
        if not isinstance(name, str) or " " not in name:
            self.wrong((*path, "name"), f"{name!r}", "a sentence that says what the case shows")
        source = self.source((*path, "source"), item["source"]) if "source" in item else None
        header = {"id": f"{self.theme}-{path[0]}", "municipality": "Lahti", **(item.get("header") or {})}
        try:
            case = case_from_data({"case": header, "entries": item.get("entries", [])})
        except JournalError as error:
            self.problems += [self.moved(path, problem) for problem in error.problems]
            return None
        checks = self.several((*path, "checks"), item.get("checks"), "checks")
        read = tuple(self.check((*path, "checks", at), check, case) for at, check in enumerate(checks))
        return WorkedCase(str(name), self.file, self.line(path), source, case, read)

    def source(self, path: Place, data: AnyData) -> dict[str, str]:
        """The document and section a case was worked from."""
        source = self.mapping(path, data, ("document", "section"))
        self.known((*path, "document"), "document", source.get("document"), self.documents)
        return {key: str(value) for key, value in source.items()}

    def moved(self, path: Place, problem: Problem) -> Problem:
        """A journal's mistake with its place in the case file."""
        steps = problem.place.replace("[", ".").replace("]", "").split(".")
        inner = tuple(int(step) if step.isdigit() else {"case": "header"}.get(step, step) for step in steps)
        place = (*path, *inner)
        return Problem(place_of(place), self.line(place), problem.found, problem.expected, problem.hint)

    def check(self, path: Place, item: AnyData, case: Case) -> Check:
        """One check."""
        item = self.mapping(path, item, CHECK_KEYS)
        day = self.day((*path, "date"), item.get("date"))
        proposal = self.proposal((*path, "propose"), item["propose"], day) if "propose" in item else None
        ids = [THE_CASE, *(entry.id for entry in case.entries), *([PROPOSAL] if proposal is not None else [])]
        expect = self.by_rule((*path, "expect"), item.get("expect"), ids, self.outcome)
        due = self.by_rule((*path, "due"), item.get("due"), ids, self.due)
        trigger = self.trigger((*path, "trigger"), item["trigger"]) if "trigger" in item else {}
        if trigger and proposal is None:
            self.wrong((*path, "trigger"), "no proposal", "propose: {trigger: …} beside it")
        if not expect and not due and not trigger:
            self.wrong(path, "nothing expected", "expect, due or trigger")
        return Check(day, proposal, expect, due, trigger)

    def proposal(self, path: Place, data: AnyData, day: date) -> Proposal:
        """A proposed step; its details must be the entry's."""
        details = self.mapping(path, data)
        proposal = Proposal(str(details.pop("trigger", "")), details)
        try:
            proposal.entry(day)
        except JournalError as error:
            self.problems += [self.moved(path, problem) for problem in error.problems]
        except ValueError as error:
            self.wrong((*path, "trigger"), str(error), "a trigger")
        return proposal

    def by_rule(
        self, path: Place, data: AnyData, ids: Iterable[str], read: Callable[[Place, AnyData], AnyData]
    ) -> dict[str, BySubject]:
        """Expected values by rule and subject."""
        if data is None:
            return {}
        found: dict[str, BySubject] = {}
        for rule, value in self.mapping(path, data, self.rules, "rule").items():
            place = (*path, rule)
            if isinstance(value, dict):
                named = self.mapping(place, value, ids, "entry")
                found[rule] = {entry: read((*place, entry), item) for entry, item in named.items()}
            else:
                found[rule] = {None: read(place, value)}
        return found

    def outcome(self, path: Place, data: AnyData) -> str:
        """An outcome."""
        self.known(path, "outcome", data, OUTCOMES)
        return str(data)

    def due(self, path: Place, data: AnyData) -> date | None:
        """A due day, or null for none."""
        return None if data is None else self.day(path, data)

    def trigger(self, path: Place, data: AnyData) -> dict[str, AnyData]:
        """What is expected of the proposed step: its status, the details it needs, the rules in its way."""
        found: dict[str, AnyData] = {}
        for key, value in self.mapping(path, data, TRIGGER_KEYS).items():
            if key == "status":
                self.known((*path, key), "status", value, STATUSES)
                found[key] = value
                continue
            items = value if isinstance(value, list) else [value]
            if key == "blocked_by":
                for item in items:
                    self.known((*path, key), "rule", item, self.rules)
            found[key] = frozenset(map(str, items))
        return found
