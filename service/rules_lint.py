"""Looks over a rule pack beyond what loading it refuses: versions, sources, cases, conditions that decide nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import yaml

from rules.cases import CaseFileError, possible_outcomes, read_cases, themes
from rules.conditions import Line, lines
from rules.engines.branches import FAR, Between, Branch, outcome_branches
from rules.engines.durable import finding_facts
from rules.facts import UNKNOWN, Fact
from rules.pack import Pack, PackError, Rule, load_pack
from service.rule_parts import numbers_of, sources_cited

LOCK = "lock.yaml"
SWEEP_FROM, SWEEP_TO = date(2014, 1, 1), date(2027, 12, 31)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a pack: an error, or a note that stops nothing."""

    place: str
    message: str
    error: bool = True

    def __str__(self) -> str:
        return f"{'error' if self.error else 'note'}: {self.place}: {self.message}"


def lint(folder: Path) -> list[Remark]:
    """Everything to be said of the pack in `folder`; a pack that does not load gives its mistakes."""
    try:
        pack = load_pack(folder)
    except PackError as error:
        return [Remark(folder.name, problem) for problem in error.problems]
    return [
        *_lock(pack, folder),
        *_sources(pack),
        *_cases(pack, folder),
        *_conditions(pack),
        *_numbers(pack),
        *_sweep(pack),
    ]


def _lock(pack: Pack, folder: Path) -> Iterator[Remark]:
    """A published version never changes: its hash stands in the lock file."""
    path = folder / LOCK
    if not path.is_file():
        yield Remark(LOCK, f"there is none, so version {pack.version} is not pinned", error=False)
        return
    try:
        locked = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError):
        locked = None
    if not isinstance(locked, dict):
        yield Remark(LOCK, "expected versions with their SHA-256, such as 1.0.0: 9f86d0…")
        return
    pinned = {str(version): str(sha256) for version, sha256 in locked.items()}
    if pack.version not in pinned:
        yield Remark(LOCK, f"version {pack.version} is not published yet: its hash is {pack.sha256}", error=False)
    elif pinned[pack.version] != pack.sha256:
        yield Remark(
            LOCK,
            f"version {pack.version} was published as {pinned[pack.version]} and is now {pack.sha256}: "
            "a published version does not change; give the pack a new version",
        )


def _sources(pack: Pack) -> Iterator[Remark]:
    cited = sources_cited(pack)
    for document in sorted(pack.sources.keys() - cited):
        yield Remark(f"sources.{document}", "no rule and no parameter cites this source")


def _cases(pack: Pack, folder: Path) -> Iterator[Remark]:
    shown: set[str] = set()
    broken = False
    for theme in themes(folder):
        try:
            shown.update(rule for case in read_cases(folder, theme, pack) for rule in case.rules)
        except CaseFileError as error:
            broken = True
            for problem in error.problems:
                yield Remark(error.file, str(problem))
    if broken:
        return
    for rule in dict.fromkeys(rule.id for rule in pack.editions[-1].rules):
        if rule not in shown:
            yield Remark(rule, "the rule has no cases")


# --- conditions ---


def _conditions(pack: Pack) -> Iterator[Remark]:
    """Conditions that can never hold, or must always hold, for any parameter values ever in force."""
    seen: set[str] = set()
    for edition in pack.editions:
        vocabulary = edition.vocabulary | finding_facts(edition)
        for rule in edition.rules:
            expected = set(possible_outcomes(rule, edition)) - {"not_applicable", UNKNOWN}
            for message in _undecided(rule, expected, vocabulary):
                remark = Remark(rule.id, message)
                if str(remark) not in seen:
                    seen.add(str(remark))
                    yield remark


def _undecided(rule: Rule, expected: set[str], vocabulary: dict[str, Fact]) -> Iterator[str]:
    branches = outcome_branches(rule, vocabulary)
    can_be = {outcome: found for outcome, found in branches.items() if any(map(_can_hold, found))}
    if not expected & can_be.keys():
        yield "can never apply: no facts satisfy what it applies to"
        return
    for outcome in sorted(expected - can_be.keys()):
        if outcome == rule.otherwise and outcome not in dict(rule.steps):
            yield f"can never come out {outcome}: the conditions before it always hold"
        else:
            yield f"can never come out {outcome}: no facts satisfy its condition"
    for line in (line for condition in rule.conditions() for line in lines(condition)):
        if _takes_all(line, vocabulary[line.fact]):
            yield f"{line.fact}: {' | '.join(line.values)} always holds: these are all its values"


def _can_hold(branch: Branch) -> bool:
    """Whether facts can satisfy a branch: a fact that may be unknown is known as one value, or lies anywhere."""
    anything = Between(-FAR, FAR)
    for name in {name.rstrip("<>") for name in branch if name.endswith(("<", ">"))}:
        least, greatest = branch.get(f"{name}<", anything), branch.get(f"{name}>", anything)
        if isinstance(least, Between) and isinstance(greatest, Between):
            known = max(least.least, greatest.least) <= min(least.greatest, greatest.greatest)
            if not known and (least.least > -FAR or greatest.greatest < FAR):
                return False
    return True


def _takes_all(line: Line, fact: Fact) -> bool:
    universe = {*fact.values, UNKNOWN} if fact.may_be_unknown else set(fact.values)
    return line.test == "is" and universe <= set(line.values)


# --- dates ---


def _numbers(pack: Pack) -> Iterator[Remark]:
    """A rule must not be in force before the numbers it rests on."""
    for rule in pack.editions[-1].rules:
        for item in numbers_of(pack, rule):
            first = item.values[0].valid_from
            if rule.valid_from < first:
                yield Remark(rule.id, f"in force from {rule.valid_from}, its number {item.name} only from {first}")


def _sweep(pack: Pack) -> Iterator[Remark]:
    """No day of 2014-2027 has two versions of a rule, and none between two versions has no version."""
    by_id: dict[str, list[Rule]] = {}
    for rule in pack.editions[-1].rules:
        by_id.setdefault(rule.id, []).append(rule)
    for day in _days(pack.turning_days):
        for rule_id, versions in by_id.items():
            count = sum(rule.in_force(day) for rule in versions)
            begun = any(rule.valid_from <= day for rule in versions)
            to_come = any(rule.valid_to is None or rule.valid_to >= day for rule in versions)
            if count > 1:
                yield Remark(rule_id, f"{count} versions are in force on {day}")
            elif count == 0 and begun and to_come:
                yield Remark(rule_id, f"no version is in force on {day}, though one was before and one is after")


def _days(turning_days: Iterable[date]) -> list[date]:
    """The days on which something can differ: each turning day and the day before it."""
    days = {SWEEP_FROM, SWEEP_TO}
    for turn in turning_days:
        days |= {turn, turn - ONE_DAY} if turn > date.min else {turn}
    return sorted(day for day in days if SWEEP_FROM <= day <= SWEEP_TO)
