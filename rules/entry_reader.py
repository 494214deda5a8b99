"""Cases from flat rows, for very many of them: one row an entry, the type's own fields as JSON text.

What `case_from_data` makes of the same journal, this makes: the same case, or the same mistakes. Contents seen before
are not validated again (most entries of a caseload say what another has said, on another day), nor are those that say
the same but for other days in the same order. Where anything is out of the ordinary the whole case is read as a
document, by the reader of journals, which also tells of the mistakes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import repeat
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from rules.entries import ENTRY_TYPES, FIRST_YEAR, LAST_YEAR, Correction, Entry, Strict, day_written, name_of, time_of
from rules.identity import contains_code
from rules.journal import Case, CaseHeader, case_from_reading, id_faults
from rules.reading import Fault, JournalError, Path, Problem, Reading, place_of, read_json, shown, survey

MOST_CONTENTS = 60_000  # remembered of late, and as many of before; a hundred megabytes together
MOST_ROWS = 5_000  # of a case that is read in the fast way
LONGEST_FIELDS = 1_000  # characters: longer ones are rare, and may hold more values than a case may have
LONGEST_NOTE = 200  # characters: longer ones are hardly written twice

Value = TypeVar("Value")
Made = TypeVar("Made", bound=Strict)


class Row(NamedTuple):
    """One entry: its date and type, what any entry may have, and the type's own fields as a JSON text (None: none)."""

    date: date
    type: str
    id: str | None = None
    by: str | None = None
    recorded_at: datetime | str | None = None
    note: str | None = None
    fields: str | None = None


#: A row, or a plain tuple of the same: what zipped columns give.
Flat = tuple[date, str, str | None, str | None, datetime | str | None, str | None, str | None]


#: What an entry says, whenever and under whatever id: its type, fields, by and note.
Said = tuple[str, str | None, str | None, str | None]


class Content(NamedTuple):
    """What an entry says, validated: the values of the entry, and which were given."""

    model: type[Entry]
    values: dict[str, Any]
    given: set[str]


class _Form(NamedTuple):
    """A content as an example of those that differ from it in days alone, and the fields that the days stand in."""

    content: Content
    names: tuple[str, ...]

    def of(self, days: Sequence[str]) -> Content:
        """The content with these days. Raises ValueError for what is none."""
        model, example, given = self.content
        values = example.copy()
        for name, day in zip(self.names, days, strict=True):
            values[name] = day_written(day)
        return Content(model, values, given)


class Told(NamedTuple):
    """Entries column by column: their dates, what they say (None: out of the ordinary), their ids and when they were
    recorded (None for a column: of no entry that is told)."""

    dates: Sequence[date]
    contents: Sequence[Content | None]
    ids: Sequence[str | None] | None
    recorded: Sequence[datetime | str | None] | None

    def part(self, start: int, end: int) -> Told:
        """Some of the entries that follow one another."""
        ids, recorded = self.ids, self.recorded
        return Told(
            self.dates[start:end],
            self.contents[start:end],
            ids and ids[start:end],
            recorded and recorded[start:end],
        )


class _Unusual(ValueError):
    """The case is not one for the fast way."""


class EntryReader:
    """Builds cases from rows and remembers contents between them, twice `most` at a time.

    Entries that say the same share their (frozen) values. For one thread.
    """

    def __init__(self, most: int = MOST_CONTENTS) -> None:
        self._most = most
        self._seen: dict[Said, Content] = {}
        self._before: dict[Said, Content] = {}
        self._forms: dict[tuple[object, ...], _Form] = {}
        self._headers: dict[tuple[tuple[str, Any], ...], dict[str, Any]] = {}

    def case(self, header: Mapping[str, object], rows: Sequence[Flat], *, name: str = "case") -> Case:
        """The case of a header and its entries in order. Raises JournalError; places read `entries[3].days_per_week`,
        the first row being 0."""
        contents = [self.content((kind, fields, by, note)) for _, kind, _, by, _, note, fields in rows]
        told = Told([row[0] for row in rows], contents, [row[2] for row in rows], [row[4] for row in rows])
        return self.case_of(header, told, lambda: rows, name=name)

    def case_of(
        self,
        header: Mapping[str, object],
        told: Told,
        rows: Callable[[], Sequence[Flat]],
        *,
        name: str = "case",
    ) -> Case:
        """The same of entries whose contents were looked up; `rows` gives them as rows, should that be needed."""
        try:
            if len(told.dates) > MOST_ROWS:
                raise _Unusual
            return _made(Case, {**self._header(header), "entries": tuple(_entries(told))}, _CASE_FIELDS)
        except (ValueError, RecursionError):
            pass
        return case_from_reading(_document(header, rows(), name), name=name)

    def content(self, said: Said) -> Content | None:
        """What an entry says, validated; None where that is for the reader of journals."""
        found = self._seen.get(said)
        if found is not None:
            return found
        found = self._before.get(said)
        if found is None:
            try:
                found = self._worked_out(said)
            except (ValueError, RecursionError):
                return None
        if len(said[3] or "") <= LONGEST_NOTE:
            if len(self._seen) >= self._most:
                # What was said since is kept a while longer; what was said only before that is forgotten.
                self._before, self._seen = self._seen, {}
            self._seen[said] = found
        return found

    def _worked_out(self, said: Said) -> Content:
        """What an entry says, from one that said the same but for the days, or validated. Raises ValueError.

        Which day comes before which is the same in both: no field asks more of a day, beside that it is one.
        """
        kind, fields, by, note = said
        pieces = _DATES.split(fields or "")  # texts and the days between them, in turns
        days = pieces[1::2]
        if not days or len(note or "") > LONGEST_NOTE:
            return _validated(*said)
        form = kind, by, note, *pieces[::2], *map(sorted(days).index, days)
        known = self._forms.get(form)
        if known is not None:
            return known.of(days)
        found = _validated(*said)
        names = _names_before(pieces)
        if [_text(found.values.get(name)) for name in names] == days and len(set(names)) == len(names):
            if len(self._forms) >= self._most:
                self._forms.clear()
            self._forms[form] = _Form(found, names)
        return found

    def _header(self, header: Mapping[str, object]) -> dict[str, Any]:
        """The values of a header: all but the id, which is set anew, are remembered."""
        told = tuple(
            [(key, tuple(said) if type(said) is list else said) for key, said in header.items() if key != "id"]
        )
        values = self._headers.get(told)
        if values is None:
            given = {**header, "id": "any"}
            if survey(given):
                raise _Unusual
            values = CaseHeader.model_validate(given).__dict__
            if len(self._headers) >= self._most:
                self._headers.clear()
            self._headers[told] = values
        return {**values, "id": name_of(_clean(header.get("id")))}


def _entries(told: Told) -> list[Entry]:
    """The entries. Raises ValueError where anything is out of the ordinary."""
    entries: list[Entry] = []
    named = corrected = False
    nothing = repeat(None)
    columns = zip(told.dates, told.contents, told.ids or nothing, told.recorded or nothing, _NAMES, strict=False)
    for day, content, name, recorded_at, by_position in columns:
        if content is None or type(day) is not date or not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise _Unusual
        model, said, given = content
        if name is None or name == by_position:
            name = by_position
        else:
            name, named = name_of(_clean(name)), True
        values = said.copy()
        values["date"] = day
        values["id"] = name
        if recorded_at is not None:
            values["recorded_at"] = time_of(_clean(recorded_at))
            given = given | {"recorded_at"}
        entry = _new(model)  # as _made does: to call it would take a tenth longer
        _set_values(entry, values)
        _set_given(entry, given)
        _set_extra(entry, None)
        _set_private(entry, None)
        entries.append(entry)
        corrected = corrected or model is Correction
    if named and len({entry.id for entry in entries}) < len(entries):
        raise _Unusual
    if corrected and id_faults([entry.__dict__ for entry in entries]):
        raise _Unusual
    return entries


def _validated(kind: str, fields: str | None, by: str | None, note: str | None) -> Content:
    """What an entry says, looked for identity codes and validated. Raises ValueError."""
    if kind not in ENTRY_TYPES:
        raise _Unusual
    raw: dict[str, object] = {"date": _ANY_DAY, "type": kind, "id": "any"}
    if by is not None:
        raw["by"] = by
    if note is not None:
        raw["note"] = _clean(note)
    if fields is not None:
        own, end = _DECODER.raw_decode(fields)
        if end < len(fields):
            own = _DECODER.decode(fields)  # takes white space at the end, and nothing else
        if not isinstance(own, dict) or len(fields) > LONGEST_FIELDS or not own.keys().isdisjoint(_COMMON):
            raise _Unusual
        if not _says_few_figures(fields) and survey(own):
            raise _Unusual
        raw |= own
    entry = ENTRY_TYPES[kind].model_validate(raw)
    return Content(type(entry), entry.__dict__, entry.model_fields_set)


def _names_before(pieces: Sequence[str]) -> tuple[str, ...]:
    """The names that the texts before days end with; "" for a day without."""
    return tuple(found[1] if (found := _NAME.search(piece)) else "" for piece in pieces[:-1:2])


def _text(value: object) -> str | None:
    """A day as it is written; None for what is none."""
    return value.isoformat() if type(value) is date else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A mapping of JSON, unless a key is there twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _Unusual
    return made


def _says_few_figures(fields: str) -> bool:
    """Whether no text of a JSON text can hold an identity code: apart from dates there are too few figures."""
    return fields.isascii() and "\\" not in fields and not _NINE_FIGURES.match(_DATES.sub("", fields))


_NINE_FIGURES = re.compile(r"(?:[^0-9]*+[0-9]){9}")
_DATES = re.compile(r'"([0-9]{4}-[0-9]{2}-[0-9]{2})"')
_NAME = re.compile(r'"([a-z_]+)"[ \t\r\n]*:[ \t\r\n]*$')  # of the field that a text before a value ends with
_DECODER = json.JSONDecoder(object_pairs_hook=_once)


_NAMES = tuple(f"e{number}" for number in range(1, MOST_ROWS + 1))  # of entries without an id, by position
_CASE_FIELDS = set(Case.model_fields)
_ANY_DAY = date(2000, 1, 1)
_COMMON = ("date", "type", "id", "by", "recorded_at", "note")
_FIELDS = 'a JSON text such as {} or {"days_per_week": 4}: the type\'s own fields'


# How pydantic itself puts an instance together; `model_construct` and `model_copy` take four times as long.
_new = object.__new__
_set_values = BaseModel.__dict__["__dict__"].__set__
_set_given = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__


def _made(model: type[Made], values: dict[str, Any], given: set[str]) -> Made:
    made = _new(model)
    _set_values(made, values)
    _set_given(made, given)
    _set_extra(made, None)
    _set_private(made, None)
    return made


def _clean(value: Value) -> Value:
    """The value, if it is no text that holds an identity code."""
    if isinstance(value, str) and contains_code(value):
        raise _Unusual
    return value


# ---- the same as a document


def _document(header: Mapping[str, object], rows: Sequence[Flat], name: str) -> Reading:
    """The case as the reader of journals takes it. Raises JournalError when the fields of an entry cannot be read."""
    faults: list[Fault] = []
    refused: list[Problem] = []
    entries = []
    for at, row in enumerate(rows):
        try:
            entries.append(_as_data(Row._make(row), ("entries", at), faults))
        except JournalError as error:
            place = place_of(("entries", at, "fields"))
            refused += [replace(problem, place=place, line=None) for problem in error.problems]
    if refused:
        raise JournalError(refused, name)
    return Reading({"case": dict(header), "entries": entries}, faults, dict)


def _as_data(row: Row, path: Path, faults: list[Fault]) -> dict[str, Any]:
    """The entry as JSON readers make it. Raises JournalError when its fields cannot be read."""
    raw: dict[str, Any] = {name: value for name, value in zip(_COMMON, row, strict=False) if value is not None}
    if row.fields is None:
        return raw
    reading = read_json(row.fields, _FIELDS)
    if not isinstance(reading.data, dict):
        raise JournalError([Problem("", None, shown(reading.data), _FIELDS)])
    faults += [replace(fault, path=(*path, *fault.path), line=None) for fault in reading.faults]
    for name, value in reading.data.items():
        if name not in _COMMON:
            raw[name] = value
        else:
            faults.append(Fault((*path, name), "a field beside the type's own", "its own column for it"))
    return raw
