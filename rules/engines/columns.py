"""Facts as tables: what the columnar engine reads, one table for each kind of subject, one row for each subject.

A subject's row holds the facts its rules read, its own and the case's, under the facts' names with `_` for the dot
(`activity.started_on` -> `activity_started_on`). Deadlines are not kept: the engine derives them. In a cell

- NULL is unknown, so that SQL's three-valued logic is the rules' own;
- a date that is known to be absent is `NEVER`, which no date of a journal reaches and which never passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Literal

from rules.conditions import lines
from rules.facts import FACTS, KINDS, UNKNOWN, Value
from rules.pack import Pack, Ruleset

#: A date that is known to be absent.
NEVER = date(9999, 12, 31)

ColumnType = Literal["text", "number", "date"]


@dataclass(frozen=True, slots=True)
class Column:
    """One fact as a column of its table."""

    fact: str
    type: ColumnType

    @property
    def name(self) -> str:
        """The column's name."""
        return column_name(self.fact)

    def cell(self, value: Value) -> Value:
        """A fact's value as the table holds it."""
        if value == UNKNOWN:
            return None
        return NEVER if value is None and self.type == "date" else value


def column_name(fact: str) -> str:
    """The column of a fact, recorded or derived."""
    return fact.replace(".", "_")


def columns(pack: Pack, kind: str) -> tuple[Column, ...]:
    """The columns of a kind's table: the recorded facts that some rule of the pack about the kind rests on, in the
    order of the vocabulary. The case's rules of later waves count as the case's."""
    read = {name for edition in pack.editions for name in _read(edition, kind)}
    return tuple(Column(name, _type(name)) for name in FACTS if name in read)


def tables(pack: Pack) -> dict[str, tuple[Column, ...]]:
    """The columns of every kind some rule of the pack is about; the case's first."""
    about = {rule.about for edition in pack.editions for rule in edition.rules} | {"case"}
    return {kind: columns(pack, kind) for kind in KINDS if kind in about}


def picker(wanted: tuple[Column, ...]) -> Callable[[dict[str, Value]], tuple[Value, ...]]:
    """What takes the values of these columns from a subject's facts, in order; raises KeyError for one not there."""
    names = [column.fact for column in wanted]
    if len(names) == 1:
        return lambda facts: (facts[names[0]],)
    return itemgetter(*names) if names else lambda facts: ()


def _read(ruleset: Ruleset, kind: str) -> set[str]:
    """The recorded facts that decide, date or steer what a ruleset's rules about a kind come to."""
    names: set[str] = set()
    for rule in ruleset.about(kind):
        names.update(rule.reads())
        names.update(name for name in (rule.due, rule.overdue, rule.event) if name is not None)
        names.update(line.fact for when, _ in rule.actions for line in lines(when))
    for item in reversed(ruleset.derivations):  # a deadline rests on facts and on deadlines declared before it
        if item.name in names:
            names.update(item.operands)
    return names & FACTS.keys()


def _type(name: str) -> ColumnType:
    kind = FACTS[name].type
    return "date" if kind == "date" else "number" if kind == "number" else "text"
