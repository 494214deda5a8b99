"""The one place that answers who may record what and who may see what (recording.yaml, seeing.yaml).

Deny by default: a role, relation, entry type or view that the tables do not name may nothing and shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from rules.journal import ENTRY_TYPES, Case
from rules.provenance import HEADER, Pair
from service.access.tables import (
    ACTS,
    HAPPENED,
    OF_HAPPENING,
    VIEWS,
    every_field,
    recording_table,
    seeing_table,
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one role in one relation may see.

    `views` are the parts of a case that are open (VIEWS); `hidden` the (entry type, field) pairs that are not, among
    them those of the header, as ("header", field).
    """

    role: str
    relation: str
    views: frozenset[str]
    hidden: frozenset[Pair]

    @property
    def anything(self) -> bool:
        """Whether the case exists at all for this user (otherwise the answer is 404)."""
        return bool(self.views)

    def opens(self, view: str) -> bool:
        """Whether a view is open. Raises KeyError for a view that no table knows."""
        if view not in VIEWS:
            raise KeyError(view)
        return view in self.views

    def hides(self, pairs: Iterable[Pair]) -> bool:
        """Whether any of the fields is hidden."""
        return not self.hidden.isdisjoint(pairs)

    def hidden_of(self, entry_type: str) -> list[str]:
        """The hidden fields of an entry type (or of the header), in the order of the type."""
        return [name for name in _fields(entry_type) if (entry_type, name) in self.hidden]


def may_record(role: str, relation: str, entry_type: str) -> bool:
    """Whether the role may record entries of the type in this relation."""
    return relation in recording_table().types.get(entry_type, {}).get(role, ())


def may_void(role: str, relation: str, case: Case, entry_id: str) -> bool:
    """Whether the role may record a correction of an entry of the case (False for an id the case does not have).

    One voids what one could have recorded. Voiding a correction restores what it voided, and voiding the end of
    something brings that back: both need the right to record what comes back.
    """
    entries = {entry.id: entry for entry in case.entries}
    brings_back = recording_table().brings_back
    entry = entries.get(entry_id)
    walked: set[str] = set()
    while entry is not None and entry.id not in walked:
        walked.add(entry.id)
        needed = [entry.type, *([brings_back[entry.type]] if entry.type in brings_back else [])]
        if not all(may_record(role, relation, type_) for type_ in needed):
            return False
        if entry.type != "correction":
            return True
        entry = entries.get(str(getattr(entry, "voids", "")))
    return False


def may_do(role: str, relation: str, act: str) -> bool:
    """Whether the role may do one of ACTS in this relation. Raises KeyError for an act that no table knows."""
    if act not in ACTS:
        raise KeyError(act)
    return relation in recording_table().acts[act].by.get(role, ())


def may_open(role: str) -> bool:
    """Whether the role may open a case: before there is one, there is no relation to it."""
    return may_do(role, "none", "open_case")


def may_take_emergency_access(role: str) -> bool:
    """Whether the role may open a case in an emergency, with a reason, flagged. (A provider's users never may.)"""
    return bool(recording_table().acts["take_emergency_access"].by.get(role, ()))


@cache
def sees(role: str, relation: str) -> Sight:
    """What the role may see in this relation. An unknown role or relation sees nothing."""
    table = seeing_table()
    seen = {pair for one in table.classes if one.open_to(role, relation) for pair in one.fields}
    hidden = {
        (type_, name)
        for type_, names in every_field().items()
        for named in names
        if (type_, named) not in seen
        for name in (OF_HAPPENING if named == HAPPENED else (named,))
    }
    views = frozenset(view.name for view in table.views if view.open_to(role, relation))
    return Sight(role, relation, views, frozenset(hidden))


def _fields(entry_type: str) -> tuple[str, ...]:
    if entry_type == HEADER:
        return every_field()[HEADER]
    model = ENTRY_TYPES.get(entry_type)
    return tuple(model.model_fields) if model is not None else ()
