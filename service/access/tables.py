"""The two tables of access as data: who may record what (recording.yaml) and who may see what (seeing.yaml).

A table that names an unknown entry type, field, role or relation, names one twice or leaves one out is not read, and
the error tells every such mistake with its place. `service.access.policy` answers from the tables; docs/access.md shows
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from rules.journal import ENTRY_TYPES, CaseHeader, JournalError
from rules.packing.shapes import Data, Mistakes, items, mapping
from rules.provenance import HEADER, Pair
from rules.reading import read_text
from service.access.principal import ROLES
from service.access.relations import RELATIONS

#: In a table: that an entry is there, with the fields that come and go with it.
HAPPENED = "happened"
OF_HAPPENING = ("date", "type", "id", "by", "recorded_at")
#: The parts of a case that are open or closed as a whole.
VIEWS = (
    "journal",
    "identity",
    "assessment",
    "readiness",
    "decision_records",
    "reads",
    "acknowledgements",
    "advice_trail",
    "copy",
)
#: What one may do with a case beside recording entries.
ACTS = ("open_case", "change_identity", "restrict", "take_emergency_access")

_HERE = Path(__file__).parent

#: Role -> the relations in which it may.
Grants: TypeAlias = Mapping[str, tuple[str, ...]]


class TableError(ValueError):
    """A table that cannot be used: every mistake found, each with its place and what was meant."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Group:
    """Entry types recorded by much the same people, each with who may record it; and why these."""

    title: str
    why: str
    types: Mapping[str, Grants]


@dataclass(frozen=True, slots=True)
class Act:
    """What may be done with a case beside recording, and who may."""

    title: str
    why: str
    by: Grants


@dataclass(frozen=True, slots=True)
class Recording:
    """Who may record what. `brings_back`: by voiding an entry of the one type, what the other records comes back."""

    records_in: Grants
    groups: tuple[Group, ...]
    brings_back: Mapping[str, str]
    acts: Mapping[str, Act]

    @property
    def types(self) -> dict[str, Grants]:
        """Every entry type with who may record it."""
        return {name: grants for group in self.groups for name, grants in group.types.items()}


@dataclass(frozen=True, slots=True)
class Seen:
    """A class of fields or a view: what it is, why these see it, by which source, and who does.

    `fields` are (entry type, field) pairs as the table has them (`happened` not unfolded); a view has none.
    """

    name: str
    title: str
    why: str
    source: tuple[str, ...]
    fields: tuple[Pair, ...]
    seen_by: Grants

    def open_to(self, role: str, relation: str) -> bool:
        """Whether the role sees it in this relation."""
        return relation in self.seen_by.get(role, ())


@dataclass(frozen=True, slots=True)
class Seeing:
    """Who may see what."""

    classes: tuple[Seen, ...]
    views: tuple[Seen, ...]


def every_field() -> dict[str, tuple[str, ...]]:
    """Every entry type (and the header) with its fields as the tables name them."""
    found = {HEADER: tuple(CaseHeader.model_fields)}
    for type_, model in ENTRY_TYPES.items():
        found[type_] = (HAPPENED, *(name for name in model.model_fields if name not in OF_HAPPENING))
    return found


@cache
def recording_table() -> Recording:
    """The table of who may record what. Raises TableError."""
    return read_recording((_HERE / "recording.yaml").read_text(encoding="utf-8"))


@cache
def seeing_table() -> Seeing:
    """The table of who may see what. Raises TableError."""
    return read_seeing((_HERE / "seeing.yaml").read_text(encoding="utf-8"))


# --- who may record what ---


def read_recording(text: str) -> Recording:
    """The recording table in a text. Raises TableError naming every mistake."""
    mistakes = Mistakes()
    data = _read(mistakes, "recording.yaml", text, ("records_in", "groups", "brings_back", "acts"))
    records_in = _grants_by_role(mistakes, "records_in", data.get("records_in"))
    groups = [
        _group(mistakes, f"groups[{at}]", item, records_in)
        for at, item in enumerate(items(mistakes, "groups", data.get("groups")))
    ]
    named = [name for group in groups for name in group.types]
    _all_once(mistakes, "groups", "entry type", named, ENTRY_TYPES)
    brings_back = mapping(mistakes, "brings_back", data.get("brings_back"))
    for one, other in brings_back.items():
        mistakes.known("brings_back", "entry type", one, ENTRY_TYPES)
        mistakes.known(f"brings_back.{one}", "entry type", other, ENTRY_TYPES)
    written = mapping(mistakes, "acts", data.get("acts"))
    _all_once(mistakes, "acts", "act", list(written), ACTS)
    acts = {name: _act(mistakes, f"acts.{name}", item) for name, item in written.items()}
    _refuse(mistakes)
    return Recording(records_in, tuple(groups), brings_back, acts)


def _group(mistakes: Mistakes, place: str, item: Any, records_in: Grants) -> Group:
    data = _keys(mistakes, place, item, ("title", "why", "types"))
    types = {}
    for name, by in mapping(mistakes, f"{place}.types", data.get("types")).items():
        types[name] = _grants(mistakes, f"{place}.types.{name}", by, records_in)
    return Group(_said(mistakes, place, data, "title"), _said(mistakes, place, data, "why"), types)


def _act(mistakes: Mistakes, place: str, item: Any) -> Act:
    data = _keys(mistakes, place, item, ("title", "why", "by"))
    by = _grants(mistakes, f"{place}.by", data.get("by"), {})
    return Act(_said(mistakes, place, data, "title"), _said(mistakes, place, data, "why"), by)


def _grants(mistakes: Mistakes, place: str, by: Any, records_in: Grants) -> Grants:
    """A list of roles, each alone (in all relations it records in) or with its relations."""
    found: dict[str, tuple[str, ...]] = {}
    for item in items(mistakes, place, by):
        pairs = item.items() if isinstance(item, dict) else [(item, None)]
        for role, relations in pairs:
            if not mistakes.known(place, "role", role, ROLES):
                continue
            if role in found:
                mistakes.add(place, f"{role} is there twice")
            usual = records_in.get(role, ())
            found[role] = usual if relations is None else _relations(mistakes, f"{place}.{role}", relations)
            if not found[role]:
                mistakes.add(place, f"{role} is named, but in no relation")
            if records_in and not set(found[role]) <= set(usual):
                mistakes.add(place, f"{role} records in {', '.join(usual) or 'no relation'} alone, by records_in")
    return found


# --- who may see what ---


def read_seeing(text: str) -> Seeing:
    """The seeing table in a text. Raises TableError naming every mistake."""
    mistakes = Mistakes()
    data = _read(mistakes, "seeing.yaml", text, ("classes", "views"))
    classes = _seen(mistakes, data, "classes", "class")
    views = _seen(mistakes, data, "views", "view")
    _all_once(mistakes, "views", "view", [view.name for view in views], VIEWS)
    _fields_once(mistakes, classes)
    table = Seeing(tuple(classes), tuple(views))
    if not mistakes.found:
        for problem in _senseless(table):
            mistakes.add("seeing.yaml", problem)
    _refuse(mistakes)
    return table


def _seen(mistakes: Mistakes, data: Data, key: str, kind: str) -> list[Seen]:
    found: list[Seen] = []
    for at, item in enumerate(items(mistakes, key, data.get(key))):
        place = f"{key}[{at}]"
        words = (kind, "title", "why", "source", "seen_by", *(("fields",) if kind == "class" else ()))
        one = _keys(mistakes, place, item, words)
        name = _said(mistakes, place, one, kind)
        if name in (other.name for other in found):
            mistakes.add(place, f"{kind} {name!r} is there twice")
        source = tuple(str(word) for word in items(mistakes, f"{place}.source", one.get("source")))
        pairs: tuple[Pair, ...] = ()
        if kind == "class":
            fields = mapping(mistakes, f"{place}.fields", one.get("fields"))
            pairs = tuple(
                (t, str(f)) for t, names in fields.items() for f in items(mistakes, f"{place}.fields.{t}", names)
            )
        seen_by = _grants_by_role(mistakes, f"{place}.seen_by", one.get("seen_by"))
        title, why = _said(mistakes, place, one, "title"), _said(mistakes, place, one, "why")
        found.append(Seen(name, title, why, source, pairs, seen_by))
    return found


def _fields_once(mistakes: Mistakes, classes: Iterable[Seen]) -> None:
    """Every field of every type stands in one class, and no other does."""
    known = every_field()
    stands: dict[Pair, str] = {}
    for one in classes:
        for type_, name in one.fields:
            place = f"class {one.name}"
            if not mistakes.known(place, "entry type", type_, known):
                continue
            if mistakes.known(f"{place}: {type_}", "field", name, known[type_]) and (type_, name) in stands:
                mistakes.add(place, f"{type_}.{name} stands in class {stands[type_, name]} already")
            stands.setdefault((type_, name), one.name)
    for type_, names in known.items():
        for name in names:
            if (type_, name) not in stands:
                mistakes.add("classes", f"{type_}.{name} stands in no class")


def _senseless(table: Seeing) -> Iterator[str]:
    """Sights that would tell, by what they show, of what they hide."""
    for role in ROLES:
        for relation in RELATIONS:
            seen = {pair for one in table.classes if one.open_to(role, relation) for pair in one.fields}
            views = {view.name for view in table.views if view.open_to(role, relation)}
            yield from (f"{role}, {relation}: {problem}" for problem in _senseless_sight(seen, views))


def _senseless_sight(seen: set[Pair], views: set[str]) -> Iterator[str]:
    known = every_field()
    for type_, name in sorted(seen):
        if type_ != HEADER and (type_, HAPPENED) not in seen:
            yield f"sees {type_}.{name}, but not that there is such an entry"
    if seen and not views:
        yield "sees fields, but no view is open"
    frame = {(HEADER, "id"), (HEADER, "not_recorded"), (HEADER, "complete_from"), ("correction", HAPPENED)}
    frame |= {("correction", "voids"), *(("advice_set_aside", name) for name in (HAPPENED, "rule", "until"))}
    if views & {"journal", "assessment", "decision_records"} and not frame <= seen:
        yield f"sees a journal or what follows from it, but not {_words(frame - seen)}, on which all else rests"
    if "readiness" in views and not {("checklist_answered", HAPPENED), ("checklist_answered", "answers")} <= seen:
        yield "sees the talk sheet, but not the answers it is made of"
    happened = {(type_, HAPPENED) for type_ in known if type_ != HEADER}
    if "decision_records" in views and not happened <= seen:
        yield f"sees the decision of every entry, but not that there are entries: {_words(happened - seen)}"
    everything = {(type_, name) for type_, names in known.items() for name in names}
    if "copy" in views and not everything <= seen:
        yield f"gives a copy of everything, but does not see {_words(everything - seen)}"


def _words(pairs: Iterable[Pair]) -> str:
    return ", ".join(f"{type_}.{name}" for type_, name in sorted(pairs))


# --- shapes ---


def _read(mistakes: Mistakes, name: str, text: str, keys: tuple[str, ...]) -> Data:
    try:
        reading = read_text(text)
    except JournalError as error:
        raise TableError(str(problem) for problem in error.problems) from None
    lines = reading.lines()
    mistakes.found += [f"{name}: {fault.problem(lines)}" for fault in reading.faults]
    return _keys(mistakes, name, reading.data, keys)


def _keys(mistakes: Mistakes, place: str, data: Any, keys: tuple[str, ...]) -> Data:
    """A mapping with exactly these keys."""
    found = mapping(mistakes, place, data)
    for key in found:
        mistakes.known(place, "key", key, keys)
    for key in keys:
        if key not in found:
            mistakes.add(place, f"{key} is missing")
    return found


def _said(mistakes: Mistakes, place: str, data: Data, key: str) -> str:
    said = data.get(key)
    if not isinstance(said, str) or not said.strip():
        mistakes.add(place, f"{key} says nothing")
        return ""
    return said.strip()


def _grants_by_role(mistakes: Mistakes, place: str, data: Any) -> Grants:
    """Every role, each with a list of relations."""
    found = mapping(mistakes, place, data)
    _all_once(mistakes, place, "role", list(found), ROLES)
    return {role: _relations(mistakes, f"{place}.{role}", relations) for role, relations in found.items()}


def _relations(mistakes: Mistakes, place: str, data: Any) -> tuple[str, ...]:
    found = items(mistakes, place, data)
    for at, name in enumerate(found):
        if mistakes.known(place, "relation", name, RELATIONS) and name in found[:at]:
            mistakes.add(place, f"{name} is there twice")
    return tuple(str(name) for name in found)


def _all_once(mistakes: Mistakes, place: str, kind: str, names: list[str], known: Iterable[str]) -> None:
    """Every known name, and no other, once."""
    wanted = list(known)
    for at, name in enumerate(names):
        if mistakes.known(place, kind, name, wanted) and name in names[:at]:
            mistakes.add(place, f"{kind} {name} is there twice")
    for name in wanted:
        if name not in names:
            mistakes.add(place, f"{kind} {name} is missing")


def _refuse(mistakes: Mistakes) -> None:
    if mistakes.found:
        raise TableError(mistakes.found)
