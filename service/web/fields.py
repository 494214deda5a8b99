"""What a form asks for each entry type, made from the same models that the API validates with.

A field's kind, limits and allowed values are read off the model's JSON Schema. A schema of a shape that no form can ask
for raises UnknownField, so that a new entry type is never left without its form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, TypeAlias

from rules.entries import ENTRY_TYPES

#: date: a day; choice: one of values; many: some of values; names: a list of ids; whole and decimal: numbers; line: a
#: short text; text: a long one; part: fields of its own; items: an answer (one of values) to each of its items.
Kind: TypeAlias = Literal["date", "choice", "many", "names", "whole", "decimal", "line", "text", "part", "items"]
Schema: TypeAlias = Mapping[str, Any]

#: What a form never asks: the service sets these, or the address tells them.
NEVER_ASKED = frozenset({"type", "id", "recorded_at"})
#: Whose entries `by` is asked of: an initiative may be anyone's, the client's above all. Else it is who records.
BY_ANYONE = frozenset({"initiative_taken"})
YES_NO = ("yes", "no", "unknown")
#: Texts longer than this get a box of several lines.
_LINE = 200


class UnknownField(TypeError):
    """A field of a model that no form can ask for yet."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entry: `path` is where it stands in the entry, the last step its name."""

    path: tuple[str, ...]
    kind: Kind
    required: bool
    values: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    longest: int | None = None
    fields: tuple[Field, ...] = ()

    @property
    def name(self) -> str:
        """The field's name in its model."""
        return self.path[-1]

    def all(self) -> Iterator[Field]:
        """The field, and those inside it."""
        yield self
        for field in self.fields:
            yield from field.all()


@cache
def fields_of(entry_type: str) -> tuple[Field, ...]:
    """What is asked of an entry type: the date first, the type's own, the note last. Raises UnknownField."""
    schema = ENTRY_TYPES[entry_type].model_json_schema()
    found = [
        field for field in _fields(schema, schema.get("$defs", {}), ()) if field.name != "by" or entry_type in BY_ANYONE
    ]
    first = [field for field in found if field.name == "date"]
    last = [field for field in found if field.name == "note"]
    return (*first, *(field for field in found if field not in first and field not in last), *last)


def _fields(schema: Schema, shared: Mapping[str, Schema], path: tuple[str, ...]) -> list[Field]:
    required = frozenset(schema.get("required", ()))
    return [
        replace(field_of(one, shared, (*path, name)), required=name in required)
        for name, one in schema["properties"].items()
        if name not in NEVER_ASKED
    ]


def field_of(schema: Schema, shared: Mapping[str, Schema], path: tuple[str, ...]) -> Field:
    """The field that a JSON Schema describes. Raises UnknownField."""
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option != {"type": "null"}]
        if len(options) != 1:
            raise UnknownField(f"{'.'.join(path)}: one of several shapes")
        return field_of(options[0], shared, path)
    if "$ref" in schema:
        inner = shared[str(schema["$ref"]).rpartition("/")[2]]
        return Field(path, "part", False, fields=tuple(_fields(inner, shared, path)))
    if "enum" in schema:
        return Field(path, "choice", False, values=_codes(schema))
    made = {"string": _text, "integer": _number, "number": _number, "array": _list, "object": _items}
    if schema.get("type") not in made:
        raise UnknownField(f"{'.'.join(path)}: {schema.get('type')}")
    return made[schema["type"]](schema, path)


def _codes(schema: Schema) -> tuple[str, ...]:
    """The values of an enumeration; true and false only stand beside yes and no there."""
    return tuple(value for value in schema["enum"] if isinstance(value, str))


def _text(schema: Schema, path: tuple[str, ...]) -> Field:
    if schema.get("format") == "date":
        return Field(path, "date", False)
    longest = schema.get("maxLength")
    if not isinstance(longest, int):
        raise UnknownField(f"{'.'.join(path)}: a text of no known length")
    return Field(path, "line" if longest <= _LINE else "text", False, longest=longest)


def _number(schema: Schema, path: tuple[str, ...]) -> Field:
    if "minimum" not in schema or "maximum" not in schema:
        raise UnknownField(f"{'.'.join(path)}: a number without limits")
    kind: Kind = "whole" if schema["type"] == "integer" else "decimal"
    return Field(path, kind, False, low=schema["minimum"], high=schema["maximum"])


def _list(schema: Schema, path: tuple[str, ...]) -> Field:
    items = schema["items"]
    if "enum" in items:
        return Field(path, "many", False, values=_codes(items))
    one = field_of(items, {}, path)
    if one.kind != "line":
        raise UnknownField(f"{'.'.join(path)}: a list of {one.kind}")
    return Field(path, "names", False, longest=one.longest)


def _items(schema: Schema, path: tuple[str, ...]) -> Field:
    names, answers = schema.get("propertyNames", {}), schema.get("additionalProperties")
    if "enum" not in names or not isinstance(answers, dict) or "enum" not in answers:
        raise UnknownField(f"{'.'.join(path)}: a mapping of unknown names")
    values = _codes(answers)
    inner = tuple(Field((*path, item), "choice", False, values=values) for item in _codes(names))
    return Field(path, "items", False, values=values, fields=inner)
