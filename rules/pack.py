"""Rule packs: folders of YAML that say when a rule applies and what must then hold (DESIGN "Rules as data").

`load_pack` reads and checks a folder; a pack that names an unknown fact, value, parameter, action, trigger or role, or
whose rule reads a checklist answer, does not load, and the error says where and what was meant.

A pack is compiled per set of parameter values (`Ruleset`), because parameters are dated; which rules are in force on a
date is asked of the pack.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any as AnyData

import rfc8785

from rules.conditions import Condition, lines
from rules.deriving import Derivation
from rules.facts import FACTS, Fact, Value

PACKS = Path(__file__).parent / "packs"
DEFAULT_PACK = PACKS / "paijat_hame"

#: How a rule names another rule's finding among the facts it reads.
FINDING = "finding."
#: Whether any finding of the waves before gives a step.
ANY_STEP = "finding.any_step"
OUTCOMES = ("not_in_force", "not_applicable", "satisfied", "violated", "advised", "remedied", "unknown")
SEVERITIES = ("obligation", "quality", "recommendation", "information")
AUTHORITIES = ("statute", "quality-criterion", "pilot-practice", "project-proposal", "local-choice")
ROLES = (
    "client",
    "social_worker",
    "employment_coach",
    "activity_instructor",
    "activity_supervisor",
    "job_coach",
    "team_leader",
    "work_ability_team",
)
LANGUAGES = ("fi", "sv", "en")
#: The closed list of SPEC §5.
ACTIONS = (
    "ask_interest",
    "tell_about_coaching",
    "open_the_way_to_coaching",
    "agree_selection",
    "hold_joint_meeting",
    "obtain_consent",
    "update_plan",
    "review_plan",
    "renew_service_decision",
    "assign_social_worker",
    "update_implementation_plan",
    "start_coaching",
    "make_profile",
    "search_jobs",
    "meet_employer",
    "agree_job",
    "agree_work_trial",
    "check_endorsements",
    "obtain_statements",
    "adjust_weekly_days",
    "consider_capacity",
    "advise_economic_support",
    "review_coaching_period",
    "review_interruption",
    "review_queue",
    "resume_or_end_activity",
    "end_activity",
    "decide_retention",
    "keep_coach_support",
    "contact_client",
    "stop_sharing",
    "plan_after_trial",
    "give_benefit_counselling",
    "support_at_work",
    "resume_job_search",
    "follow_up",
    "assess_needs",
    "correct_record",
    "keep_contact",
)


class PackError(ValueError):
    """A pack that cannot be used: every mistake found, each with its place and what was meant."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class DatedValue:
    """One value of a parameter, in force from a day until the next value's, with its source."""

    valid_from: date
    value: int
    source: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of the law or of local choice: dated, sourced, with its unit (months, days, workdays, days a week)."""

    name: str
    unit: str
    values: tuple[DatedValue, ...]
    authority: str
    labels: Mapping[str, str]

    def on(self, day: date) -> int:
        """The value in force on `day`; before the first value, the first."""
        position = bisect_right([value.valid_from for value in self.values], day)
        return self.values[max(position - 1, 0)].value


@dataclass(frozen=True, slots=True)
class Caution:
    """A note shown wherever a rule speaks whose ground the sources leave open; from a day on, if it names one."""

    text: Mapping[str, str]
    valid_from: date | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule compiled with one set of parameter values.

    `applies` says when it speaks. The `steps` are then tried in order: the first true one names the outcome, an unknown
    one makes the outcome unknown, and `otherwise` is what remains. `due` is the date shown while advice is open,
    `overdue` the one shown when violated. The other fields are the pack's words.
    """

    id: str
    position: int
    about: str
    applies: Condition
    steps: tuple[tuple[str, Condition], ...]
    otherwise: str
    severity: str
    authority: str
    action: str
    actions: tuple[tuple[Condition, str], ...]
    role: str
    guards: tuple[str, ...]
    event: str | None
    due: str | None
    overdue: str | None
    about_ending: bool
    valid_from: date
    valid_to: date | None
    title: Mapping[str, str]
    text: Mapping[str, str]
    source: tuple[Mapping[str, str], ...]
    caution: Caution | None
    wave: int

    def in_force(self, day: date) -> bool:
        """Whether this version of the rule is in force on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def conditions(self) -> Iterator[Condition]:
        """Every condition that decides the outcome."""
        yield self.applies
        for _, condition in self.steps:
            yield condition

    def reads(self) -> list[str]:
        """The names of the facts that decide the outcome, each once, in the order read."""
        return list(dict.fromkeys(line.fact for part in self.conditions() for line in lines(part)))


@dataclass(frozen=True)
class Wave:
    """The rules that build on findings of the waves before this one."""

    number: int
    rules: tuple[Rule, ...]

    @cached_property
    def asks(self) -> tuple[str, ...]:
        """The names of the findings its rules read."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.reads() if name.startswith(FINDING)))


@dataclass(frozen=True)
class Ruleset:
    """All rules of a pack, compiled with one set of parameter values."""

    parameters: Mapping[str, int]
    derivations: tuple[Derivation, ...]
    rules: tuple[Rule, ...]
    #: Engines built for this ruleset, by name (they are costly to build).
    engines: dict[str, object] = field(default_factory=dict, compare=False, repr=False)
    _by_kind: dict[str, tuple[Derivation, ...]] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, AnyData]:
        """What another process gets: engines are built there."""
        return {**self.__dict__, "engines": {}}

    def about(self, kind: str) -> tuple[Rule, ...]:
        """The rules about subjects of one kind, in the pack's order."""
        return self._rules_by_kind.get(kind, ())

    @cached_property
    def _rules_by_kind(self) -> dict[str, tuple[Rule, ...]]:
        kinds = dict.fromkeys(rule.about for rule in self.rules)
        return {kind: tuple(rule for rule in self.rules if rule.about == kind) for kind in kinds}

    @cached_property
    def by_id(self) -> dict[str, tuple[Rule, ...]]:
        """The versions of each rule."""
        names = dict.fromkeys(rule.id for rule in self.rules)
        return {name: tuple(rule for rule in self.rules if rule.id == name) for name in names}

    @cached_property
    def waves(self) -> tuple[Wave, ...]:
        """The later waves of rules, in order, each with the findings its rules ask for."""
        numbers = sorted({rule.wave for rule in self.rules} - {0})
        return tuple(Wave(number, tuple(rule for rule in self.rules if rule.wave == number)) for number in numbers)

    def derive(self, kind: str, facts: dict[str, Value]) -> dict[str, Value]:
        """`facts` of a subject with the deadlines derived from them added (in place)."""
        for derivation in self.derivations_about(kind):
            facts[derivation.name] = derivation.value(facts)
        return facts

    def derivations_about(self, kind: str) -> tuple[Derivation, ...]:
        """The deadlines that the rules about a kind rest on, each after those it is derived from."""
        found = self._by_kind.get(kind)
        if found is None:
            needed = self._needed(kind)
            found = self._by_kind[kind] = tuple(item for item in self.derivations if item.name in needed)
        return found

    def _needed(self, kind: str) -> set[str]:
        """The deadlines some rule about the kind reads or shows, and those they rest on."""
        needed: set[str] = set()
        for rule in self.about(kind):
            needed.update(rule.reads(), (name for name in (rule.due, rule.overdue, rule.event) if name is not None))
            needed.update(line.fact for when, _ in rule.actions for line in lines(when))
        for item in reversed(self.derivations):  # a deadline rests on facts and on deadlines declared before it
            if item.name in needed:
                needed.update(item.operands)
        return needed

    @cached_property
    def vocabulary(self) -> dict[str, Fact]:
        """Every fact a rule may read: recorded and derived."""
        found = dict(FACTS)
        for item in self.derivations:
            found[item.name] = item.declared(found)
        return found


@dataclass(frozen=True)
class Pack:
    """A loaded rule pack."""

    id: str
    version: str
    title: Mapping[str, str]
    sources: Mapping[str, Mapping[str, str]]
    parameters: Mapping[str, Parameter]
    editions: tuple[Ruleset, ...]
    _edition_of: tuple[tuple[date, int], ...]
    #: The pack as written: `pack` (pack.yaml) and `rules` (every theme's, in order).
    content: AnyData = field(repr=False)

    @cached_property
    def canonical(self) -> bytes:
        """The pack as canonical JSON (RFC 8785), from which `pack_from_content` makes it again."""
        return rfc8785.dumps(json.loads(json.dumps(self.content, default=str)))

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the pack's canonical JSON: what pins the meaning of a recorded decision."""
        return hashlib.sha256(self.canonical).hexdigest()

    def ruleset(self, day: date) -> Ruleset:
        """The rules compiled with the parameter values in force on `day`."""
        position = bisect_right(self._edition_of, day, key=lambda item: item[0])
        return self.editions[self._edition_of[max(position - 1, 0)][1]]

    def rules(self, day: date) -> list[Rule]:
        """The rules in force on `day`, in the pack's order."""
        return [rule for rule in self.ruleset(day).rules if rule.in_force(day)]

    def versions(self, rule_id: str) -> list[Rule]:
        """Every version of one rule, oldest first, with today's newest parameter values. Empty when unknown."""
        found = [rule for rule in self.editions[-1].rules if rule.id == rule_id]
        return sorted(found, key=lambda rule: rule.valid_from)

    @cached_property
    def turning_days(self) -> tuple[date, ...]:
        """The days on which some rule or parameter begins or ceases to be in force, oldest first."""
        days = {day for day, _ in self._edition_of}
        for rule in self.editions[-1].rules:
            days.add(rule.valid_from)
            if rule.valid_to is not None:
                days.add(date.fromordinal(rule.valid_to.toordinal() + 1))
        return tuple(sorted(days))


def load_pack(folder: Path | None = None) -> Pack:
    """Read and check the pack in `folder` (default: Päijät-Häme's). Raises PackError naming every mistake."""
    from rules.packing import read_pack

    return read_pack(folder or DEFAULT_PACK)


def pack_from_content(content: object) -> Pack:
    """A pack made again from its content (canonical JSON, parsed): the same rules and the same sha256.

    Raises PackError when the content is no pack, or names what this version of Polku does not know.
    """
    from rules.packing import made_again

    return made_again(content)
