"""The case journal: a header and dated entries, read from YAML, JSON or plain data, and written back.

Whatever the input, a reader returns a Case or raises JournalError with every mistake of the document. A Finnish
personal identity code anywhere is such a mistake and is never repeated in a message.
"""

import datetime
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, create_model
from pydantic.json_schema import models_json_schema
from pydantic_core import ErrorDetails

from rules.entries import (
    DESCRIPTIONS,
    ENTRY_TYPES,
    AnyEntry,
    BirthYear,
    CoachingPeriod,
    Date,
    Entry,
    Language,
    Name,
    Strict,
    TrialPeriod,
    each_once,
)
from rules.reading import (
    CODE_FOUND,
    DOCUMENT,
    MAX_BYTES,
    Fault,
    JournalError,
    Lines,
    Path,
    Problem,
    Reading,
    did_you_mean,
    listed,
    positions,
    read_text,
    shown,
    survey,
    with_text_keys,
)

__all__ = [
    "ENTRY_TYPES",
    "Case",
    "CoachingPeriod",
    "Entry",
    "JournalError",
    "Problem",
    "TrialPeriod",
    "build_entry",
    "case_from_data",
    "case_from_stored",
    "case_to_data",
    "dump_case",
    "json_schema",
    "load_case",
    "new_entries",
    "read_case",
]

MAX_PROBLEMS = 1_000  # a document of more mistakes is not worth listing to its end

Model = TypeVar("Model", bound=Strict)

if TYPE_CHECKING:
    TypeName = str
else:
    TypeName = Literal[tuple(ENTRY_TYPES)]


class CaseHeader(Strict):
    """Who the case is about, without telling who it is."""

    id: Annotated[Name, Field(description="the case's id (opaque)")]
    municipality: Name | None = None
    birth_year: BirthYear | None = None
    language: Language | None = None
    not_recorded: Annotated[
        tuple[TypeName, ...], AfterValidator(each_once), BeforeValidator(lambda given: () if given is None else given)
    ] = ()
    complete_from: Date | None = None


class Case(CaseHeader):
    """A client's journal. Entries stand in the order of the file; rules order them by (date, position)."""

    entries: tuple[Entry, ...] = ()

    def with_entries(self, entries: Iterable[Entry]) -> Self:
        """The same case with these entries in place of its own; they are not checked against each other."""
        return self.model_copy(update={"entries": tuple(entries)})


# ---- reading


def load_case(source: str | bytes, *, name: str = "case") -> Case:
    """A case from YAML or JSON text (bytes: UTF-8). `name` heads the error's message. Raises JournalError."""
    return _named(lambda: _case(read_text(source)), name)


def case_from_data(data: object, *, name: str = "case") -> Case:
    """A case from plain data: a mapping as JSON or YAML readers make it. Raises JournalError."""
    return case_from_reading(Reading(data, [], dict), name=name)


def case_from_reading(reading: Reading, *, name: str = "case") -> Case:
    """A case from data already read, whose form may have mistakes of its own. Raises JournalError."""
    return _named(lambda: _case(reading), name)


def case_from_stored(header: Mapping[str, object], entries: Iterable[Mapping[str, object]]) -> Case:
    """A case from the parts of what `case_to_data` wrote and a store kept. Each part is validated; what was looked for
    when it was recorded (identity codes, ids given twice, corrections) is not looked for again. Raises JournalError.
    """
    faults: list[Fault] = []
    head = _header(header, faults)
    built = [_entry(raw, ("entries", at), faults) for at, raw in enumerate(entries)]
    if faults or head is None:
        raise JournalError(_problems(faults, None, {}), "stored case")
    return Case.model_construct(**head.__dict__, entries=tuple(built))


def _named(make: Callable[[], Case], name: str) -> Case:
    try:
        return make()
    except JournalError as error:
        problems = error.problems
    raise JournalError(problems, name)


def read_case(path: str | os.PathLike[str]) -> Case:
    """A case from a file. Raises JournalError, and OSError when the file cannot be read."""
    with open(path, "rb") as file:
        source = file.read(MAX_BYTES + 1)
    return load_case(source, name=os.path.basename(path))


def new_entries(case: Case, data: object, *, name: str = "entries") -> tuple[Entry, ...]:
    """Entries to stand after those of a case, from plain data: a list as JSON readers make it.

    Places are those of this list (`entries[0].date`), not of the journal. An entry without an id is named by its
    position in the journal (`e31`), or by the next number no entry has. Raises JournalError with every mistake.
    """
    whole = {"entries": data}
    faults = survey(whole)
    raw_entries: Any = with_text_keys(whole)["entries"] if faults else data
    if not isinstance(raw_entries, (list, tuple)):
        faults.append(Fault(("entries",), shown(data), "a list of entries"))
        raw_entries = ()
    taken = {entry.id for entry in case.entries}
    named = _named_by_position(raw_entries, len(case.entries), taken)
    entries = [_entry(raw, ("entries", at), faults) for at, raw in enumerate(named)]
    faults += id_faults(named, taken)
    if faults:
        raise JournalError(_problems(faults, whole, {}), name)
    return tuple(entry for entry in entries if entry is not None)


def _named_by_position(raw_entries: Iterable[object], before: int, taken: Collection[str]) -> list[object]:
    """The entries, those without an id named."""
    raw_entries = list(raw_entries)
    given = {raw["id"] for raw in raw_entries if isinstance(raw, dict) and isinstance(raw.get("id"), str)}
    named: list[object] = []
    number = before
    for raw in raw_entries:
        number += 1
        if isinstance(raw, dict) and raw.get("id") is None:
            while f"e{number}" in given or f"e{number}" in taken:
                number += 1
            raw = {**raw, "id": f"e{number}"}
        named.append(raw)
    return named


def build_entry(type: str, date: datetime.date | str, id: str, **fields: object) -> Entry:
    """An entry for a proposed step: only the fields given are checked, required ones may be missing (None).
    Raises JournalError for unknown names and values."""
    faults: list[Fault] = []
    model = ENTRY_TYPES.get(type) if isinstance(type, str) else None
    if model is None:
        faults.append(_unknown_type((), {"type": type}))
    given = {name: value for name, value in fields.items() if value is not None}
    raw = {"date": date, "type": type, "id": id, **given}
    faults += survey(raw)
    entry = _validated(_all_optional(model) if model else AnyEntry, raw, (), faults)
    if faults or entry is None:
        raise JournalError(_problems(faults, raw, {}), "step")
    return entry


@cache
def _all_optional(model: type[Entry]) -> type[Entry]:
    optional: dict[str, Any] = {
        name: (Annotated[field.annotation, *field.metadata, Field()] | None, None)
        for name, field in model.model_fields.items()
        if field.is_required() and name not in ("date", "type", "id")
    }
    return create_model(model.__name__, __base__=model, __doc__=model.__doc__, **optional)


def _case(reading: Reading) -> Case:
    data = reading.data
    faults = survey(data)
    if faults:
        data = with_text_keys(data)
    faults += reading.faults
    header, entries = None, []
    if isinstance(data, dict):
        faults += _frame_faults(data)
        header = _header(data.get("case"), faults) if "case" in data else None
        raw_entries = data.get("entries")
        if isinstance(raw_entries, (list, tuple)):
            entries = [_entry(raw, ("entries", at), faults) for at, raw in enumerate(raw_entries)]
            faults += id_faults(raw_entries)
    else:
        faults.append(Fault((), shown(data), "a mapping with the keys case and entries"))
    if faults or header is None:
        raise JournalError(_problems(faults, data, reading.lines()))
    return Case.model_construct(**header.__dict__, entries=tuple(entries))


def _frame_faults(data: Mapping[str, object]) -> Iterator[Fault]:
    for key in data:
        if key not in ("case", "entries"):
            yield Fault((key,), "unknown field", "case and entries", near=did_you_mean(key, ("case", "entries")))
    if "case" not in data:
        yield Fault(("case",), "missing", "the header, such as {id: case-1}")
    if "entries" not in data:
        yield Fault(("entries",), "missing", "a list of entries ([] when there are none)")
    elif not isinstance(data["entries"], (list, tuple)):
        yield Fault(("entries",), shown(data["entries"]), "a list of entries ([] when there are none)")


def _header(raw: object, faults: list[Fault]) -> CaseHeader | None:
    if not isinstance(raw, dict):
        faults.append(Fault(("case",), shown(raw), "the header, such as {id: case-1}"))
        return None
    return _validated(CaseHeader, raw, ("case",), faults)


def _entry(raw: object, path: Path, faults: list[Fault]) -> Entry | None:
    if not isinstance(raw, dict):
        faults.append(Fault(path, shown(raw), "an entry, such as {date: 2022-09-05, type: coaching_info_given}"))
        return None
    if raw.get("id") is None:
        raw = {**raw, "id": _id_by_position(path)}
    kind = raw.get("type")
    model = ENTRY_TYPES.get(kind) if isinstance(kind, str) else None
    if model is None:
        faults.append(_unknown_type(path, raw))
        return _validated(AnyEntry, {**raw, "type": ""}, path, faults)
    return _validated(model, raw, path, faults)


def _id_by_position(path: Path) -> str:
    return f"e{int(path[-1]) + 1}"


def _unknown_type(path: Path, raw: Mapping[str, object]) -> Fault:
    kind = raw.get("type")
    expected = f"one of the {len(ENTRY_TYPES)} entry types"
    if "type" not in raw:
        return Fault((*path, "type"), "missing", expected)
    return Fault((*path, "type"), f"unknown type {shown(kind)}", expected, near=did_you_mean(kind, ENTRY_TYPES, 3))


def _validated(model: type[Model], raw: Mapping[str, object], path: Path, faults: list[Fault]) -> Model | None:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        found = error.errors(include_url=False)
    faults += [_fault(model, path, item) for item in found]
    return None


def id_faults(entries: Iterable[object], before: Collection[str] = ()) -> list[Fault]:
    """Ids given twice or clashing with those given by position, and corrections of entries that are not there.

    `before` are the ids of entries that stand before these.
    """
    faults: list[Fault] = []
    owner: dict[str, int] = {}  # id -> position
    voids: dict[str, tuple[int, str]] = {}  # id of a correction -> its position and target
    nameless: list[int] = []
    for at, raw in enumerate(entries):
        if not isinstance(raw, dict):
            continue
        name = raw.get("id")
        if name is None:
            nameless.append(at)
            name = f"e{at + 1}"
        elif not isinstance(name, str):
            continue
        elif name in owner:
            found = f"the id of entries[{owner[name]}] a second time"
            faults.append(Fault(("entries", at, "id"), found, "an id no other entry has"))
            continue
        elif name in before:
            faults.append(Fault(("entries", at, "id"), "the id of an earlier entry", "an id no other entry has"))
            continue
        else:
            owner[name] = at
        if raw.get("type") == "correction" and isinstance(raw.get("voids"), str):
            voids.setdefault(name, (at, raw["voids"]))
    for at in nameless:
        name = f"e{at + 1}"
        if name in owner:
            hint = f"entries[{at}] has no id of its own and is {name} by its position"
            faults.append(Fault(("entries", owner[name], "id"), shown(name), "an id no other entry has", hint))
    known = owner.keys() | {f"e{at + 1}" for at in nameless} | set(before)
    return [*faults, *_correction_faults(voids, known)]


def _correction_faults(voids: dict[str, tuple[int, str]], known: Collection[str]) -> Iterator[Fault]:
    done: set[str] = set()
    for name, (at, target) in voids.items():
        place: Path = ("entries", at, "voids")
        if target not in known:
            near = did_you_mean(target, known)
            yield Fault(place, f"unknown id {shown(target)}", "the id of another entry", near=near)
        elif target == name:
            yield Fault(place, "its own id", "the id of another entry")
        else:
            walk: list[str] = []
            while name in voids and name not in done:
                done.add(name)
                walk.append(name)
                name = voids[name][1]
            if name in walk and len(walk) > 1:
                yield Fault(place, "corrections that void each other in a circle", "the id of an entry before it")


# ---- telling of mistakes


def _problems(faults: list[Fault], data: object, lines: Lines) -> list[Problem]:
    """What to tell, in the order of the document; of a place that holds a code nothing else is told."""
    order = positions(data)
    coded = {fault.path for fault in faults if fault.found == CODE_FOUND and fault.path}
    coded_lines = {lines.get(path) for path in coded}

    def is_told(fault: Fault) -> bool:
        if fault.found == CODE_FOUND:
            return bool(fault.path) or fault.line not in coded_lines
        return fault.path not in coded

    def position(fault: Fault) -> tuple[int, int]:
        path = fault.path
        while path not in order and path:
            path = path[:-1]
        return fault.line_in(lines) or 0, order.get(path, 0)

    told = sorted(filter(is_told, faults), key=position)
    problems = [fault.problem(lines) for fault in told[:MAX_PROBLEMS]]
    if len(told) > MAX_PROBLEMS:
        problems.append(Problem(DOCUMENT, None, f"{len(told) - MAX_PROBLEMS:,} more mistakes", "none"))
    return problems


def _fault(model: type[Strict], path: Path, error: ErrorDetails) -> Fault:
    """A mistake as told by pydantic, in the words of the journal."""
    location = tuple(step for step in error["loc"] if step != "[key]")
    place: Path = path + location
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    found = shown(value)
    if kind == "missing":
        return Fault(place, "missing", _expectation(_inner(model, location), str(location[-1])))
    if kind == "extra_forbidden":
        return _unknown_field(place, _inner(model, location))
    if error["loc"][-1:] == ("[key]",):
        found = "unknown item"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return Fault(place, found, listed(choices), near=did_you_mean(value, choices))
    if kind == "refused":
        return Fault(place, found, context["expected"], context["hint"])
    return Fault(place, found, _SHAPES.get(kind, "a value of another kind"))


_SHAPES = {
    "tuple_type": "a list (in square brackets, even of one)",
    "too_short": "at least one name",
    "dict_type": "a mapping of items to answers, such as {chk-01: yes}",
    "model_type": "a mapping, such as {start: 2022-09-05}",
}


def _inner(model: type[Strict], location: tuple[int | str, ...]) -> type[Strict]:
    """The model that has the field the location ends in."""
    nested: dict[str, type[Strict]] = {"coaching": CoachingPeriod, "work_trial": TrialPeriod}
    return nested.get(str(location[0]), model) if len(location) > 1 else model


def _unknown_field(place: Path, model: type[Strict]) -> Fault:
    name, names = str(place[-1]), list(model.model_fields)
    hint = "the key is `date`" if name == "on" and "date" in names else None
    return Fault(place, "unknown field", listed(names), hint, near=did_you_mean(name, names))


def _expectation(model: type[Strict], name: str) -> str:
    field = model.model_fields[name]
    choices = _choices(field.annotation)
    meaning = field.description or DESCRIPTIONS[name]
    return f"{meaning} ({listed(choices)})" if choices else meaning


def _choices(annotation: object) -> list[str]:
    """The texts an annotation allows, however deep they stand in it."""
    parts = get_args(annotation)
    return [part for part in parts if isinstance(part, str)] + [c for part in parts for c in _choices(part)]


# ---- writing


def case_to_data(case: Case) -> dict[str, Any]:
    """The case as JSON-ready data; fields left out stay out, ids given by position are written."""
    return _written(case, lambda value, _: value.isoformat() if isinstance(value, datetime.date) else value)


def dump_case(case: Case, format: Literal["yaml", "json"] = "yaml") -> str:
    """The case as text that `load_case` reads back into an equal case."""
    if format == "json":
        return json.dumps(case_to_data(case), ensure_ascii=False, indent=2) + "\n"
    data = _written(case, _for_yaml)
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


Writer = Callable[[Any, bool], Any]  # (value, whether its field takes yes and no) -> value


def _written(case: Case, write: Writer) -> dict[str, Any]:
    header = _fields(case, tuple(CaseHeader.model_fields), write)
    return {"case": header, "entries": [_fields(entry, _names(type(entry)), write) for entry in case.entries]}


def _fields(part: Strict, names: Iterable[str], write: Writer) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name in names:
        value = getattr(part, name)
        if value is None or value == ():
            continue
        yes_no = _takes_yes(type(part), name)
        if isinstance(value, Strict):
            written[name] = _fields(value, _names(type(value)), write)
        elif isinstance(value, dict):
            written[name] = {key: write(answer, yes_no) for key, answer in value.items()}
        else:
            written[name] = list(value) if isinstance(value, tuple) else write(value, yes_no)
    return written


@cache
def _names(model: type[Strict]) -> tuple[str, ...]:
    """Field names in the order they are written: date and type first, the type's own in the middle."""
    first = [name for name in ("date", "type", "id") if name in model.model_fields]
    last = [name for name in ("by", "recorded_at", "note") if name in model.model_fields]
    own = [name for name in model.model_fields if name not in first and name not in last]
    return (*first, *own, *last)


@cache
def _takes_yes(model: type[Strict], name: str) -> bool:
    return "yes" in _choices(model.model_fields[name].annotation)


def _for_yaml(value: object, yes_no: bool) -> object:
    """Yes and no as booleans: the dumper writes them without quotation marks."""
    return value == "yes" if yes_no and value in ("yes", "no") else value


class _Dumper(yaml.SafeDumper):
    """Writes booleans as yes and no, as people write them."""

    def represent_yes_no(self, data: bool) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:bool", "yes" if data else "no")

    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_representer(bool, _Dumper.represent_yes_no)


# ---- schema


def json_schema() -> dict[str, Any]:
    """The journal's JSON Schema (draft 2020-12). It knows names, kinds and values; what needs the whole case (unique
    ids, corrections, identity codes, order of dates, names given twice) only the reader checks."""
    models: list[type[BaseModel]] = [CaseHeader, *ENTRY_TYPES.values()]
    references, made = models_json_schema([(model, "validation") for model in models])
    definitions = {name: _tidy(schema) for name, schema in made["$defs"].items()}
    _let_be_null(definitions["CaseHeader"]["properties"], "not_recorded")
    for model in ENTRY_TYPES.values():
        definitions[model.__name__]["required"].remove("id")
        _let_be_null(definitions[model.__name__]["properties"], "id")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Polku case journal",
        "type": "object",
        "properties": {
            "case": references[CaseHeader, "validation"],
            "entries": {
                "type": "array",
                "description": "what happened, in any order",
                "items": {"oneOf": [references[model, "validation"] for model in ENTRY_TYPES.values()]},
            },
        },
        "required": ["case", "entries"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _let_be_null(fields: dict[str, Any], name: str) -> None:
    description = fields[name].pop("description")
    fields[name] = {"description": description, "anyOf": [fields[name], {"type": "null"}]}


def _tidy(definition: dict[str, Any]) -> dict[str, Any]:
    """A definition with what each field means, without generated titles and defaults."""
    fields = {}
    for name, schema in definition["properties"].items():
        kept = {word: value for word, value in schema.items() if word not in ("title", "default")}
        fields[name] = {"description": DESCRIPTIONS[name], **kept}
    return {**{word: value for word, value in definition.items() if word != "title"}, "properties": fields}
