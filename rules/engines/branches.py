"""Conditions as branches of constant tests: what a Rete engine, which knows no unknown, can run.

Facts are encoded so that a line of Kleene logic is one interval or one set of words:

* yes/no and enumerated facts: their word, `unknown` among them;
* numbers and dates (as days from the evaluation date): the number itself, an absent date lies FAR ahead. Where such a
  fact can be unknown it is given twice, as the least and the greatest it can be: a line holds for certain when even
  the worse of the two passes, and perhaps when the better does.

A condition that is certainly true (or perhaps true) becomes a disjunction of branches; a branch is a conjunction with
at most one constraint an attribute. Contradictory branches are dropped, so outcomes of a rule exclude each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from rules.conditions import All, Condition, Line, Not
from rules.facts import UNKNOWN, Fact, Value
from rules.pack import Rule

FAR = 10**8


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number from `least` to `greatest`, both counted."""

    least: int
    greatest: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words, out of all the fact can take."""

    words: frozenset[str]
    universe: frozenset[str]


Constraint: TypeAlias = Between | OneOf
#: Constraints by attribute, joined by and.
Branch: TypeAlias = dict[str, Constraint]
Vocabulary: TypeAlias = Mapping[str, Fact]


class Encoder:
    """Turns the facts of a subject into attributes; `names` gives an attribute another name (default: its own)."""

    def __init__(self, facts: Iterable[Fact], names: Mapping[str, str] | None = None) -> None:
        self._words: list[tuple[str, str, frozenset[str]]] = []
        self._numbers: list[tuple[str, str, str | None]] = []
        for fact in facts:
            own = [name if names is None else names[name] for name in attributes(fact)]
            if fact.type in ("enum", "yes_no"):
                self._words.append((fact.name, own[0], _universe(fact)))
            else:
                self._numbers.append((fact.name, own[0], own[1] if len(own) > 1 else None))

    def encoded(self, facts: Mapping[str, Value], day: date) -> dict[str, int | str]:
        """The attributes on an evaluation date. Raises ValueError for a value a fact cannot have."""
        found: dict[str, int | str] = {}
        for name, attribute, words in self._words:
            value = facts[name]
            if value not in words:
                raise ValueError(f"{name}: {value!r} is not among its values")
            found[attribute] = str(value)
        today = day.toordinal()
        for name, least, greatest in self._numbers:
            found[least], number = _range(name, facts[name], today)
            if greatest is not None:
                found[greatest] = number
            elif found[least] != number:
                raise ValueError(f"{name} cannot be unknown")
        return found


def _range(name: str, value: Value, today: int) -> tuple[int, int]:
    """The least and the greatest a number or date can be; dates as days from the evaluation date."""
    if value is None:
        return FAR, FAR
    if isinstance(value, date):
        number = value.toordinal() - today
        return number, number
    if isinstance(value, int):
        return value, value
    if value == UNKNOWN:
        return -FAR, FAR
    raise ValueError(f"{name}: expected a number or a date, got {value!r}")


def attributes(fact: Fact) -> tuple[str, ...]:
    """The attributes that carry a fact: one, or two where a number or date can be unknown (see `Encoder`)."""
    ranged = fact.may_be_unknown and fact.type in ("number", "date")
    return (_least(fact), _greatest(fact)) if ranged else (fact.name,)


def _least(fact: Fact) -> str:
    return f"{fact.name}<" if fact.may_be_unknown else fact.name


def _greatest(fact: Fact) -> str:
    return f"{fact.name}>" if fact.may_be_unknown else fact.name


def applying_branches(condition: Condition, vocabulary: Vocabulary) -> list[Branch]:
    """The branches under which a condition is certainly true."""
    return _joined([{}], condition, vocabulary, certain=True, truth=True)


def undecided_branches(condition: Condition, vocabulary: Vocabulary) -> list[Branch]:
    """The branches under which a condition is neither certainly true nor certainly false."""
    return _open([{}], condition, vocabulary)


def applied_branches(rule: Rule, vocabulary: Vocabulary) -> dict[str, list[Branch]]:
    """For each outcome of a rule that certainly applies, the branches under which it comes out."""
    known = applying_branches(rule.applies, vocabulary)
    unknown: list[Branch] = []
    found: dict[str, list[Branch]] = {}
    for outcome, condition in rule.steps:
        found.setdefault(outcome, []).extend(_joined(known, condition, vocabulary, certain=True, truth=True))
        unknown += _open(known, condition, vocabulary)
        known = _joined(known, condition, vocabulary, certain=True, truth=False)
    found.setdefault(rule.otherwise, []).extend(known)
    found.setdefault(UNKNOWN, []).extend(unknown)
    return {outcome: _distinct(branches) for outcome, branches in found.items() if branches}


def outcome_branches(rule: Rule, vocabulary: Vocabulary) -> dict[str, list[Branch]]:
    """For each outcome of a rule but `not_applicable`, the branches under which it comes out."""
    found = applied_branches(rule, vocabulary)
    unknown = found.get(UNKNOWN, []) + undecided_branches(rule.applies, vocabulary)
    return found | ({UNKNOWN: _distinct(unknown)} if unknown else {})


def _open(before: list[Branch], condition: Condition, vocabulary: Vocabulary) -> list[Branch]:
    """The branches under which the condition is neither certainly true nor certainly false."""
    maybe = _joined(before, condition, vocabulary, certain=False, truth=True)
    return _joined(maybe, condition, vocabulary, certain=False, truth=False)


def _joined(
    before: list[Branch], condition: Condition, vocabulary: Vocabulary, *, certain: bool, truth: bool
) -> list[Branch]:
    """`before` and the condition having this truth: for certain, or perhaps."""
    if isinstance(condition, Not):
        return _joined(before, condition.part, vocabulary, certain=certain, truth=not truth)
    if isinstance(condition, Line):
        constraints = _line(condition, vocabulary[condition.fact], certain=certain, truth=truth)
        return [branch for old in before if (branch := _narrowed(old, *constraints)) is not None]
    if isinstance(condition, All) == truth:
        for part in condition.parts:
            before = _joined(before, part, vocabulary, certain=certain, truth=truth)
        return _distinct(before)
    either = [
        branch for part in condition.parts for branch in _joined(before, part, vocabulary, certain=certain, truth=truth)
    ]
    return _distinct(either)


def _line(line: Line, fact: Fact, *, certain: bool, truth: bool) -> tuple[str, Constraint]:
    if fact.type in ("enum", "yes_no"):
        universe = _universe(fact)
        words = frozenset(line.values) if truth else universe - frozenset(line.values)
        open_word = fact.may_be_unknown and UNKNOWN not in line.values
        if open_word:
            words = words - {UNKNOWN} if certain else words | {UNKNOWN}
        return fact.name, OneOf(words, universe)
    return _threshold(line, fact, certain=certain, truth=truth)


def _universe(fact: Fact) -> frozenset[str]:
    return frozenset((*fact.values, UNKNOWN) if fact.may_be_unknown else fact.values)


def _threshold(line: Line, fact: Fact, *, certain: bool, truth: bool) -> tuple[str, Constraint]:
    """Numbers and dates: every test is `at most` or `at least` a bound."""
    at_most = {
        "at_most": line.bound,
        "at_least": line.bound - 1,
        "passed": -line.bound - 1,
        "reached": -line.bound,
        "given": FAR - 1,
    }[line.test]
    below = (line.test != "at_least") == truth
    if below:  # certain: even the greatest it can be is at most the bound
        return (_greatest(fact) if certain else _least(fact)), Between(-FAR, at_most)
    return (_least(fact) if certain else _greatest(fact)), Between(at_most + 1, FAR)


def _narrowed(branch: Branch, attribute: str, constraint: Constraint) -> Branch | None:
    """The branch with one more constraint; None when nothing can satisfy it."""
    old = branch.get(attribute)
    if isinstance(old, Between) and isinstance(constraint, Between):
        constraint = Between(max(old.least, constraint.least), min(old.greatest, constraint.greatest))
    elif isinstance(old, OneOf) and isinstance(constraint, OneOf):
        constraint = OneOf(old.words & constraint.words, old.universe)
    if isinstance(constraint, Between) and constraint.least > constraint.greatest:
        return None
    if isinstance(constraint, OneOf) and not constraint.words:
        return None
    narrowed = branch | {attribute: constraint}
    return None if _crossed(narrowed, attribute) else narrowed


def _crossed(branch: Branch, attribute: str) -> bool:
    """Whether the least a fact can be would have to lie above the greatest it can be."""
    if attribute[-1] not in "<>":
        return False
    least, greatest = branch.get(f"{attribute[:-1]}<"), branch.get(f"{attribute[:-1]}>")
    return isinstance(least, Between) and isinstance(greatest, Between) and least.least > greatest.greatest


def _distinct(branches: list[Branch]) -> list[Branch]:
    """The branches without those a wider one holds already; two that differ in one set of words are joined."""
    merged: list[Branch] = []
    for branch in branches:
        for index, other in enumerate(merged):
            union = _united(branch, other)
            if union is not None:
                merged[index] = union
                break
        else:
            merged.append(branch)
    return merged if len(merged) == len(branches) else _distinct(merged)


def _united(one: Branch, other: Branch) -> Branch | None:
    """One branch that holds exactly what the two hold, if there is one."""
    if one.keys() != other.keys():
        wide, narrow = (one, other) if one.keys() < other.keys() else (other, one)
        return wide if wide.keys() < narrow.keys() and all(narrow[key] == wide[key] for key in wide) else None
    differing = [key for key in one if one[key] != other[key]]
    if not differing:
        return one
    a, b = one[differing[0]], other[differing[0]]
    if len(differing) == 1 and isinstance(a, OneOf) and isinstance(b, OneOf):
        return one | {differing[0]: OneOf(a.words | b.words, a.universe)}
    return None
