"""What facts rest on: (entry type, field) pairs of the journal, resolved from `provenance.yaml` and `facts.yaml`.

The field `date` stands for an entry's being there at all: that it was recorded, its day and its place in the order. The
type `header` stands for the case's header. Every fact rests on corrections, and on its subject's being there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

import yaml

from rules.facts import FACTS, KINDS

#: An entry type (or `header`) and a field of it.
Pair: TypeAlias = tuple[str, str]

HEADER = "header"
#: The field that stands for an entry's being there.
BEING_THERE = "date"
#: What anything read off a journal rests on.
CORRECTIONS: frozenset[Pair] = frozenset({("correction", BEING_THERE), ("correction", "voids")})

_SOURCE = Path(__file__).parent / "provenance.yaml"


class ProvenanceError(ValueError):
    """A name in `provenance.yaml` or in a fact's `rests_on` that means nothing."""


@cache
def _declared() -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
    content = yaml.safe_load(_SOURCE.read_text(encoding="utf-8"))
    return content["groups"], content["subjects"]


@cache
def group(name: str) -> frozenset[Pair]:
    """The pairs of a named group, such as `activity chart`. Raises ProvenanceError for a name that is none."""
    groups, _ = _declared()
    if name not in groups:
        raise ProvenanceError(f"no such group: {name}; known: {', '.join(groups)}")
    return resolved(groups[name])


def resolved(names: Iterable[str]) -> frozenset[Pair]:
    """The pairs that names stand for: `type`, `type.field`, `header.field`, or a group."""
    groups, _ = _declared()
    found: set[Pair] = set()
    for name in names:
        type_, dot, field = name.partition(".")
        if name in groups:
            found |= group(name)
        elif type_ == HEADER:
            found.add((HEADER, field))
        else:
            found.add((type_, BEING_THERE))
            found.update({(type_, field)} if dot else ())
    return frozenset(found)


@cache
def of_subject(kind: str) -> frozenset[Pair]:
    """What it rests on that a subject of this kind is there, is the current one, and has ended."""
    if kind not in KINDS:
        raise ProvenanceError(f"no such kind of subject: {kind}")
    return CORRECTIONS | resolved(_declared()[1][kind])


@cache
def of_fact(name: str) -> frozenset[Pair]:
    """What a recorded fact rests on, its subject's being there included. Raises KeyError for an unknown fact."""
    fact = FACTS[name]
    return of_subject(fact.kind) | resolved(fact.rests_on)


@cache
def of_chart(chart: str) -> frozenset[Pair]:
    """What the state of a chart rests on, or (`stage`) the stage."""
    return CORRECTIONS | group("stage" if chart == "stage" else f"{chart} chart")
