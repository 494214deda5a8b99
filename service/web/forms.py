"""Forms that record entries: what they ask, the entries they come to, and where a mistake in those belongs.

A form has parts, each of which becomes one entry; all are recorded as one list, all or none. What a part asks is made
from the entry's model (service.web.fields). A field is named after its part and its place in the entry:
`e0.coaching.start`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from rules.entries import FIRST_YEAR, LAST_YEAR
from rules.reading import CODE_FOUND, Problem
from service.web.fields import Field, fields_of
from service.web.typed import Typed

Data = dict[str, Any]
#: The part whose fields stand for all parts that have them.
SHARED = "all"
#: Whether an optional part is to be recorded too.
WITH = "with"
YES = "yes"

DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_FINNISH_DAY = re.compile(r"([0-9]{1,2})\.\s?([0-9]{1,2})\.\s?([0-9]{4})")
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}([.,][0-9]{1,10})?")


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes one entry. `preset` is not asked; `only_if` is a field of the main part and the value it must have.

    `title` holds words of its own in place of the entry type's.
    """

    key: str
    type: str
    asked: tuple[Field, ...]
    preset: Mapping[str, Any] = field(default_factory=dict)
    shared: tuple[Field, ...] = ()
    optional: bool = False
    checked: bool = False
    only_if: tuple[str, str] | None = None
    main: bool = True
    title: Mapping[str, str] | None = None

    def name(self, field: Field) -> str:
        """What a field is called in the form."""
        key = SHARED if any(field.path == one.path for one in self.shared) else self.key
        return f"{key}.{'.'.join(field.path)}"

    @property
    def with_name(self) -> str:
        """What the choice to record the part too is called in the form."""
        return f"{self.key}.{WITH}"


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its parts in the order in which they are recorded. `prefilled` holds texts by name of field."""

    id: str
    parts: tuple[Part, ...]
    shared: tuple[Field, ...] = ()
    prefilled: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def main(self) -> Part:
        """The part that the form is about."""
        return next(part for part in self.parts if part.main)

    @property
    def shown(self) -> tuple[Part, ...]:
        """The parts in the order in which they are asked: what it is about first."""
        return (self.main, *(part for part in self.parts if part is not self.main))

    def asks(self) -> Iterator[tuple[str, Field]]:
        """Every field by its name in the form."""
        for one in self.shared:
            yield f"{SHARED}.{one.name}", one
        for part in self.parts:
            for outer in part.asked:
                for one in outer.all():
                    yield part.name(one), one

    def names(self) -> set[str]:
        """The names of everything in the form."""
        return {name for name, _ in self.asks()} | {part.with_name for part in self.parts if part.optional}

    def untouched(self, today: date) -> Typed:
        """The form as it is shown first: today filled in, what is usual chosen."""
        days = [(name, today.isoformat()) for name, one in self.asks() if one.path == ("date",)]
        chosen = [(part.with_name, YES) for part in self.parts if part.checked]
        return Typed([*days, *chosen]).but(self.prefilled)

    def included(self, typed: Typed) -> list[Part]:
        """The parts that are to be recorded."""
        return [part for part in self.parts if self._is_included(part, typed)]

    def _is_included(self, part: Part, typed: Typed) -> bool:
        if part.only_if is not None:
            name, value = part.only_if
            if typed.one(f"{self.main.key}.{name}") != value:
                return False
        return not part.optional or typed.one(part.with_name) == YES

    def entries(self, typed: Typed) -> list[Data]:
        """The entries that the form comes to, as plain data. Mistakes stay in them: who records tells them."""
        return [_entry(part, typed) for part in self.included(typed)]

    def and_also(self, parts: Iterable[Part]) -> Form:
        """The same form with more entries before its own."""
        return replace(self, parts=(*parts, *self.parts))


def form_of(entry_type: str) -> Form:
    """The form of one entry type, with everything its model has."""
    return Form(entry_type, (Part("e0", entry_type, fields_of(entry_type)),))


def one_more(entry_type: str, day: str) -> tuple[Part, dict[str, Sequence[str]]]:
    """An entry to be recorded together with what a form is about, and what is filled in."""
    part = Part(entry_type, entry_type, fields_of(entry_type), optional=True, checked=True, main=False)
    return part, {part.with_name: [YES], f"{part.key}.date": [day]}


# --- from texts to entries ---


def _entry(part: Part, typed: Typed) -> Data:
    data: Data = {"type": part.type, **part.preset}
    for one in (*part.shared, *part.asked):
        value = read_field(part, one, typed)
        if value is not None:
            data[one.name] = value
    return data


def read_field(part: Part, one: Field, typed: Typed) -> Any:
    """What a field says; None when nothing was said."""
    if one.kind in ("part", "items"):
        inner = {field.name: read_field(part, field, typed) for field in one.fields}
        return {name: value for name, value in inner.items() if value is not None} or None
    name = part.name(one)
    if one.kind in ("many", "names"):
        return [_line(text) for text in typed.all(name)] or None
    text = typed.one(name)
    return _READ[one.kind](text) if text.strip() else None


def _line(text: str) -> str:
    """A short text on one line: spaces of every kind are one plain space."""
    return " ".join(text.split())


def iso_day(text: str) -> str:
    """A day as journals write it; one written the Finnish way is one too."""
    found = _FINNISH_DAY.fullmatch(text.strip())
    return f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}" if found else text.strip()


def _whole(text: str) -> int | str:
    text = text.strip()
    return int(text) if _WHOLE.fullmatch(text) else text


def _decimal(text: str) -> float | str:
    text = text.strip()
    if not _DECIMAL.fullmatch(text):
        return text
    number = float(text.replace(",", "."))
    return int(number) if number.is_integer() else number


_READ: dict[str, Callable[[str], Any]] = {
    "date": iso_day,
    "choice": str.strip,
    "whole": _whole,
    "decimal": _decimal,
    "line": _line,
    "text": str.strip,
}


def texts_of(part: Part, entry: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """An entry (plain data) as texts in the part's fields."""
    found: dict[str, Sequence[str]] = {}
    for outer in part.asked:
        for one in outer.all():
            value: Any = entry
            for step in one.path:
                value = value.get(step) if isinstance(value, dict) else None
            if isinstance(value, list):
                found[part.name(one)] = [str(item) for item in value]
            elif value is not None and not isinstance(value, dict):
                found[part.name(one)] = [str(value)]
    return found


# --- mistakes ---


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a field (None: with the whole): a key of the texts and what stands in that text."""

    name: str | None
    key: str
    values: Mapping[str, int] = field(default_factory=dict)


_PLACE = re.compile(r"entries\[(\d+)\](?:\.(.+))?")


def mistakes_of(problems: Iterable[Problem], form: Form, typed: Typed) -> list[Mistake]:
    """What the recorder found wrong with the form's entries, each at its field, in the order of the form."""
    included = form.included(typed)
    found = [_mistake(problem, included, typed) for problem in problems]
    order = {name: at for at, (name, _) in enumerate(_as_shown(form))}
    told = {(mistake.name, mistake.key): mistake for mistake in found}
    return sorted(told.values(), key=lambda mistake: order.get(mistake.name or "", -1))


def _as_shown(form: Form) -> Iterator[tuple[str, Field]]:
    yield from replace(form, parts=form.shown).asks()


def _mistake(problem: Problem, included: Sequence[Part], typed: Typed) -> Mistake:
    place = _PLACE.fullmatch(problem.place)
    if place is None or place[2] is None or int(place[1]) >= len(included):
        return Mistake(None, _general(problem))
    part, path = included[int(place[1])], tuple(re.sub(r"\[\d+\]", "", place[2]).split("."))
    fields = [one for outer in (*part.shared, *part.asked) for one in outer.all()]
    near = [one for one in fields if path[: len(one.path)] == one.path]
    if not near:
        return Mistake(None, _general(problem))
    one = max(near, key=lambda item: len(item.path))
    name = part.name(one)
    if problem.found == CODE_FOUND:
        return Mistake(name, "code")
    return wrong_with(name, one, typed)


def wrong_with(name: str, one: Field, typed: Typed) -> Mistake:
    """What is wrong with a field that was refused, told by what was typed there."""
    key, values = _WRONG[one.kind](one, typed.all(name))
    return Mistake(name, key, values)


def _general(problem: Problem) -> str:
    return "code" if problem.found == CODE_FOUND else "other"


Wrong = tuple[str, Mapping[str, int]]


def _wrong_day(one: Field, texts: Sequence[str]) -> Wrong:
    if not texts:
        return "missing_date", {}
    found = DAY.fullmatch(iso_day(texts[0]))
    if found is None:
        return "not_a_date", {}
    year, month, day = (int(number) for number in found.groups())
    try:
        date(year, month, day)
    except ValueError:
        return "no_such_day", {}
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return ("too_early", {"year": FIRST_YEAR}) if year < FIRST_YEAR else ("too_late", {"year": LAST_YEAR})
    return "end_before_start", {}  # nothing else is asked of a day


def _wrong_number(one: Field, texts: Sequence[str]) -> Wrong:
    if not texts:
        return "missing", {}
    shape, key = (_WHOLE, "not_whole") if one.kind == "whole" else (_DECIMAL, "not_a_number")
    if not shape.fullmatch(texts[0].strip()):
        return key, {}
    return "out_of_range", {"low": one.low or 0, "high": one.high or 0}


def _wrong_choice(one: Field, texts: Sequence[str]) -> Wrong:
    return ("unknown_choice" if texts else "missing_choice"), {}


def _wrong_many(one: Field, texts: Sequence[str]) -> Wrong:
    return ("unknown_choice" if texts else "missing_many"), {}


def _wrong_items(one: Field, texts: Sequence[str]) -> Wrong:
    return "missing_answers", {}


def _wrong_names(one: Field, texts: Sequence[str]) -> Wrong:
    names = [_line(text) for text in texts]
    if len(set(names)) < len(names):
        return "twice", {}
    return _wrong_line(one, sorted(names, key=len, reverse=True))


def _wrong_line(one: Field, texts: Sequence[str]) -> Wrong:
    return _wrong_text(one, [_line(text) for text in texts])


def _wrong_text(one: Field, texts: Sequence[str]) -> Wrong:
    if not texts:
        return "missing", {}
    if one.longest is not None and len(texts[0].strip()) > one.longest:
        return "too_long", {"longest": one.longest}
    return "control", {}


def _wrong_part(one: Field, texts: Sequence[str]) -> Wrong:
    return "missing", {}


_WRONG: dict[str, Callable[[Field, Sequence[str]], Wrong]] = {
    "date": _wrong_day,
    "choice": _wrong_choice,
    "many": _wrong_many,
    "names": _wrong_names,
    "whole": _wrong_number,
    "decimal": _wrong_number,
    "line": _wrong_line,
    "text": _wrong_text,
    "part": _wrong_part,
    "items": _wrong_items,
}
