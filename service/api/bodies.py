"""Request bodies: their kind, their text, their data, and what a strict model makes of them.

Bodies are read by the journal's own reader: repeated keys, texts that are no UTF-8, and lists a thousand deep are
mistakes with a place, whatever the model behind; and no body may hold a personal identity code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rules.entries import DESCRIPTIONS, Strict
from rules.journal import JournalError
from rules.reading import Path, Problem, Reading, did_you_mean, listed, place_of, read_json, read_text, shown, survey
from service.api.problems import ApiProblem

JSON = "application/json"
YAML = "application/yaml"

Model = TypeVar("Model", bound=Strict)


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body, not looked into yet, and the kind it says it is."""

    content: bytes
    media_type: str

    def data(self, *, yaml: bool = False) -> Any:
        """What the body holds. Raises ApiProblem for another kind, and for a text that has no one meaning."""
        if self.media_type not in ((JSON, YAML) if yaml else (JSON,)):
            known = f"{JSON} or {YAML}" if yaml else JSON
            raise ApiProblem("unsupported-media-type", f"This address takes {known}.", headers={"Accept-Post": known})
        try:
            read: Reading = read_text(self.content) if self.media_type == YAML else read_json(self.content)
            faults = read.faults + survey(read.data)
        except JournalError as error:
            problems = error.problems
        else:
            problems = [fault.problem({}) for fault in faults]
        if problems:
            raise ApiProblem("invalid-request", problems=problems)
        return read.data


async def read_body(request: Request) -> Body:
    """The body as it came. Raises ApiProblem when it is compressed or of a kind that names no text."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ApiProblem("unsupported-media-type", "Compressed bodies are not read.")
    kind, *parameters = request.headers.get("content-type", "").lower().split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8"):
            raise ApiProblem("unsupported-media-type", "Bodies are read as UTF-8 alone.")
    return Body(await request.body(), kind.strip())


RequestBody = Annotated[Body, Depends(read_body)]


def mapping(data: object, example: str) -> dict[str, Any]:
    """The data as a mapping. Raises ApiProblem."""
    if not isinstance(data, dict):
        raise ApiProblem("invalid-request", problems=[Problem("document", None, shown(data), f"a mapping, {example}")])
    return data


def unknown_names(data: Mapping[str, Any], names: Sequence[str]) -> list[Problem]:
    """A mistake for each key of a mapping that is not one of the names."""
    return [
        Problem(place_of((key,)), None, "unknown field", listed(names), did_you_mean(key, names)())
        for key in data
        if key not in names
    ]


def validated(model: type[Model], data: object, place: Path = ()) -> Model:
    """The data as a model. Raises ApiProblem with every mistake in it."""
    if not isinstance(data, dict):
        fields = listed(list(model.model_fields))
        raise ApiProblem(
            "invalid-request", problems=[Problem(place_of(place), None, shown(data), f"a mapping with {fields}")]
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
    raise ApiProblem("invalid-request", problems=mistakes(found, model, place))


def mistakes(found: Iterable[ErrorDetails], model: type[BaseModel] | None = None, place: Path = ()) -> list[Problem]:
    """What pydantic found, in the words of the journal's reader."""
    return [_mistake(error, model, place) for error in found]


def _mistake(error: ErrorDetails, model: type[BaseModel] | None, place: Path) -> Problem:
    path: Path = (*place, *error["loc"])
    inner = _inner(model, error["loc"][:-1])
    name = str(error["loc"][-1]) if error["loc"] else ""
    kind, context = error["type"], error.get("ctx", {})
    found, expected, hint = shown(error["input"]), _SHAPES.get(kind, "a value of another kind"), None
    if kind == "missing":
        found, expected = "missing", _meaning(inner, name)
    elif kind == "extra_forbidden":
        names = list(inner.model_fields) if inner is not None else []
        found, expected, hint = "unknown field", listed(names), did_you_mean(name, names)()
    elif kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        expected, hint = listed(choices), did_you_mean(error["input"], choices)()
    elif kind == "refused":
        expected, hint = context["expected"], context["hint"]
    elif kind in ("greater_than_equal", "less_than_equal"):
        expected = f"a whole number, at {'least' if 'ge' in context else 'most'} {next(iter(context.values()))}"
    return Problem(place_of(path), None, found, expected, hint)


_SHAPES = {
    "tuple_type": "a list (in square brackets, even of one)",
    "list_type": "a list (in square brackets, even of one)",
    "too_short": "at least one",
    "too_long": "fewer of them",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
}


def _inner(model: type[BaseModel] | None, steps: Sequence[int | str]) -> type[BaseModel] | None:
    """The model that has the field a location ends in."""
    for step in steps:
        field = model.model_fields.get(str(step)) if model is not None else None
        if field is not None:
            model = next((part for part in _parts(field.annotation) if _is_model(part)), model)
    return model


def _parts(annotation: Any) -> list[Any]:
    return [annotation, *(inner for part in get_args(annotation) for inner in _parts(part))]


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def _meaning(model: type[BaseModel] | None, name: str) -> str:
    field = model.model_fields.get(name) if model is not None else None
    return (field.description if field is not None else None) or DESCRIPTIONS.get(name, "a value")
