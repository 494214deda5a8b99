"""Journals changed in one field: what a fact rests on, and what a user may not see, is proven by such changes."""

import copy
import random
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from rules.entries import ENTRY_TYPES
from rules.journal import Case, CaseHeader, JournalError, case_from_data, case_to_data
from tests.helpers import with_ids
from tests.oracle.generate import FIELDS, FIRST_DAY, LAST_DAY

Pair = tuple[str, str]

HEADER = "header"
#: The fields every entry has that come and go with it.
OF_BEING_THERE = ("date", "type", "id")

_HEADER_VALUES: dict[str, Any] = {
    "municipality": lambda r: r.choice((None, "Lahti", "Hollola", "Orimattila")),
    "birth_year": lambda r: r.choice((None, 1960, 1985, 2001)),
    "language": lambda r: r.choice((None, "fi", "sv", "en")),
    "not_recorded": lambda r: r.sample(sorted(ENTRY_TYPES), r.choice((0, 1, 1, 2, 5))),
    "complete_from": lambda r: r.choice((None, _day(r))),
}
_COMMON_VALUES: dict[str, Any] = {
    "note": lambda r: r.choice((None, "puhelu", "uusi tieto")),
    "by": lambda r: r.choice(("client", "social_worker", "employment_coach", "job_coach")),
    "recorded_at": lambda r: r.choice((None, f"{_day(r)}T10:30+03:00")),
    "reason": lambda r: r.choice(("syy", "toinen syy", None)),
    "organisation": lambda r: r.choice((None, "county", "area")),
    "outcome": lambda r: r.choice((None, "tarve")),
    "goals": lambda r: r.choice((None, "tavoite")),
    "answers": lambda r: {f"chk-{n:02d}": r.choice(("yes", "partly", "no")) for n in r.sample(range(1, 17), 3)},
    "participants": lambda r: r.sample(("client", "social_worker", "employment_coach", "activity_instructor"), 2),
}


def pairs() -> list[Pair]:
    """Every (entry type, field) whose value can differ, being there as `date`; and the header's."""
    found = [(HEADER, name) for name in CaseHeader.model_fields if name != "id"]
    for type_, model in ENTRY_TYPES.items():
        found += [(type_, name) for name in model.model_fields if name not in ("type", "id")]
    return found


def plain(case: Case) -> dict[str, Any]:
    """The case as data, every id written out."""
    return case_to_data(with_ids(case))


def changed(rng: random.Random, data: dict[str, Any], pair: Pair, tries: int = 6) -> dict[str, Any] | None:
    """The journal with one change that `pair` names, or None when no valid one was found."""
    type_, name = pair
    for _ in range(tries):
        other = copy.deepcopy(data)
        if type_ == HEADER:
            value = _HEADER_VALUES[name](rng)
            other["case"] = {key: item for key, item in other["case"].items() if key != name}
            if value not in (None, []):
                other["case"][name] = value
        elif name == "date":
            _come_go_or_move(rng, other, type_)
        else:
            _set(rng, other, type_, name)
        if other != data and _valid(other):
            return other
    return None


def changed_often(rng: random.Random, data: dict[str, Any], hidden: Iterable[Pair], times: int) -> dict[str, Any]:
    """The journal after several changes of hidden fields."""
    here = _worth_changing(data, hidden)
    for _ in range(times if here else 0):
        data = changed(rng, data, rng.choice(here), 2) or data
    return data


def _worth_changing(data: dict[str, Any], hidden: Iterable[Pair]) -> list[Pair]:
    """The pairs of entries that are there, and every way to add one."""
    there = {item["type"] for item in data["entries"]} | {HEADER}
    return [pair for pair in sorted(hidden) if pair[0] in there or pair[1] == "date"] or sorted(hidden)


def _valid(data: dict[str, Any]) -> bool:
    try:
        case_from_data(data)
    except JournalError:
        return False
    return True


def _set(rng: random.Random, data: dict[str, Any], type_: str, name: str) -> None:
    found = [item for item in data["entries"] if item["type"] == type_]
    if not found:
        return
    entry = rng.choice(found)
    value = _value(rng, type_, name, entry, data)
    entry.pop(name, None)
    if value is not None:
        entry[name] = value


def _value(rng: random.Random, type_: str, name: str, entry: dict[str, Any], data: dict[str, Any]) -> Any:
    if type_ == "correction" and name == "voids":
        return rng.choice(data["entries"])["id"]
    drawn = FIELDS[type_](rng, date.fromisoformat(str(entry["date"]))) if type_ in FIELDS else {}
    if name in drawn and rng.random() < 0.7:
        return _text(drawn[name])
    if choices := _choices(type_, name):
        return rng.choice(choices)
    return _COMMON_VALUES[name](rng) if name in _COMMON_VALUES else _text(drawn.get(name))


@cache
def _choices(type_: str, name: str) -> tuple[Any, ...]:
    """The words a field takes, when it takes few."""
    return tuple(_words(ENTRY_TYPES[type_].model_fields[name].annotation))


def _words(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    inner = get_args(annotation) if get_origin(annotation) is not tuple else ()
    return [word for part in inner if part is not type(None) for word in _words(part)] if _plain(annotation) else []


def _plain(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return origin is Union or str(origin) in ("<class 'types.UnionType'>", "typing.Annotated") or origin is None


def _come_go_or_move(rng: random.Random, data: dict[str, Any], type_: str) -> None:
    entries = data["entries"]
    found = [at for at, item in enumerate(entries) if item["type"] == type_]
    way = rng.choice(("come", "go", "move", "swap")) if found else "come"
    if way == "come":
        entries.insert(rng.randint(0, len(entries)), _new(rng, data, type_))
    elif way == "go":
        entries.pop(rng.choice(found))
    elif way == "move":
        entries[rng.choice(found)]["date"] = _near(rng, data)
    else:
        entry = entries.pop(rng.choice(found))
        entries.insert(rng.randint(0, len(entries)), entry)


def _new(rng: random.Random, data: dict[str, Any], type_: str) -> dict[str, Any]:
    on = _near(rng, data)
    known = {item["id"] for item in data["entries"]}
    name = next(f"n{number}" for number in range(1000) if f"n{number}" not in known)
    if type_ == "correction":
        return {"date": on, "type": type_, "id": name, "voids": rng.choice(sorted(known)) if known else "none"}
    fields = FIELDS[type_](rng, date.fromisoformat(on))
    return {"date": on, "type": type_, "id": name, **{k: _text(v) for k, v in fields.items() if v is not None}}


def _near(rng: random.Random, data: dict[str, Any]) -> str:
    """A day of the journal, or beside one; at times any."""
    days = [str(item["date"]) for item in data["entries"]]
    if not days or rng.random() < 0.15:
        return _day(rng)
    near = date.fromisoformat(rng.choice(days)) + timedelta(days=rng.choice((-30, -1, 0, 0, 1, 30)))
    return near.isoformat()


def _day(rng: random.Random) -> str:
    return (FIRST_DAY + timedelta(days=rng.randint(0, (LAST_DAY - FIRST_DAY).days))).isoformat()


def _text(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _text(item) for key, item in value.items() if item is not None}
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value
