"""The OpenAPI 3.1 document, made from the code: routes, the journal's own schema, problem types, worked examples.

Routes name what they answer by `shown_as` (a model of schemas.py) and `problems_of` (slugs of problems.yaml); request
bodies, which the journal's reader checks and not FastAPI, by `takes`. What FastAPI cannot know is put in by `describe`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from rules.entries import ENTRY_TYPES
from rules.journal import json_schema
from service.api.asked import CheckAsked, EmergencyAsked, IdentityAsked, Options, RestrictionAsked
from service.api.bodies import JSON, YAML
from service.api.problems import MEDIA_TYPE, problem_types
from service.api.schemas import Problem
from service.recording.requests import LONGEST_REASON, MOST_ENTRIES
from statemachines import TRIGGERS

#: What any request may come to, whatever it asks.
ALWAYS = (
    "not-acceptable",
    "invalid-request",
    "too-large",
    "too-many-requests",
    "internal",
    "unavailable",
    "overloaded",
)
#: What any request of a known user may come to.
OF_A_USER = ("not-authenticated", "not-admitted", "cross-site", "role-not-held", "login-unavailable", *ALWAYS)

TITLE = "Polku"
DESCRIPTION = """\
What is next for a client of social care on the way to work, which plans do not hold together, and why a step was taken.
Polku advises; a person decides.

Every failure is a problem (RFC 9457) whose `type` is explained where it points. Times are UTC, days are Finland's.
The guide for integrators is docs/api.md.
"""

Schema = dict[str, Any]


def shown_as(model: type[BaseModel], example: str | None = None, **headers: str) -> Schema:
    """A response of a model; `example` names one of `service.api.samples`, `headers` what each header tells."""
    shown: Schema = {"description": (model.__doc__ or "").split("\n")[0], "model": model}
    if example is not None:
        shown["content"] = {JSON: {"x-example": example}}
    if headers:
        shown["headers"] = {
            name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        }
    return shown


def problems_of(*slugs: str, public: bool = False) -> dict[int | str, Schema]:
    """The problems a route may answer with, by status: its own and those of every route."""
    by_status: dict[int | str, Schema] = {}
    for slug, kind in problem_types().items():
        if slug in slugs or slug in (ALWAYS if public else OF_A_USER):
            told = by_status.setdefault(
                kind.status, {"description": "", "content": {MEDIA_TYPE: {"schema": _ref("Problem"), "examples": {}}}}
            )
            told["description"] = f"{told['description']} {kind.title}.".strip()
            told["content"][MEDIA_TYPE]["examples"][slug] = {
                "summary": kind.title,
                "value": {"type": kind.uri, "title": kind.title, "status": kind.status},
            }
    return by_status


def takes(schema: str, example: str | None = None, *, yaml: bool = False) -> Schema:
    """What a route's body is: a schema by name, with an example of `service.api.samples`."""
    content: Schema = {"schema": _ref(schema)}
    if example is not None:
        content["x-example"] = example
    kinds = (JSON, YAML) if yaml else (JSON,)
    return {"requestBody": {"required": True, "content": {kind: dict(content) for kind in kinds}}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


# --- the whole ---


def describe(app: FastAPI, samples: Callable[[str], Any]) -> Schema:
    """The document of an application; `samples` gives the example of a name."""
    made = get_openapi(
        title=TITLE, version=app.version, openapi_version="3.1.0", description=DESCRIPTION, routes=app.routes
    )
    components = made.setdefault("components", {})
    schemas = {**components.get("schemas", {}), **journal_schemas(), **_problem_schemas()}
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = SECURITY
    for path, operations in made["paths"].items():
        if path.startswith("/v1/"):
            for operation in operations.values():
                operation["security"] = [{"token": []}, {"session": []}]
    _put_in_samples(made, samples)
    made["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    return made


SECURITY = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of the region's identity provider, for programs.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-polku",
        "description": "A login in a browser, begun at /login.",
    },
}
TAGS = {
    "assessments": "What is next for a client, without keeping anything.",
    "cases": "Clients' journals: opened, read, recorded to.",
    "decisions": "The audit trail: what was decided, on which facts, under which rules.",
    "checks": "Whether the plans of a caseload hold together.",
    "rules": "The rules, with their sources.",
    "oversight": "Who has read what, and which advice was not followed.",
    "rights": "What the law gives a client: identity apart, a copy, restriction; emergency access.",
    "login": "Who you are.",
    "operations": "Whether the service is well.",
    "problems": "What the problem types mean.",
}


def _problem_schemas() -> dict[str, Schema]:
    made = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    inner: dict[str, Schema] = made.pop("$defs")
    return {**inner, "Problem": made}


@cache
def journal_schemas() -> dict[str, Schema]:
    """The journal's JSON Schema as components: CaseHeader, Entry and one for each entry type, CaseDocument."""
    text = json.dumps(json_schema()).replace('"#/$defs/', '"#/components/schemas/')
    whole = json.loads(text)
    definitions: dict[str, Schema] = whole["$defs"]
    kinds = {kind: f"#/components/schemas/{model.__name__}" for kind, model in ENTRY_TYPES.items()}
    entry = {
        "description": "One dated entry of a journal; `type` says which fields it has.",
        "oneOf": [{"$ref": place} for place in kinds.values()],
        "discriminator": {"propertyName": "type", "mapping": kinds},
    }
    entries = {"type": "array", "description": "what happened, in any order", "items": _ref("Entry")}
    document = {name: value for name, value in whole.items() if name not in ("$defs", "$schema")}
    document["properties"] = {**document["properties"], "entries": entries}
    return {
        **definitions,
        "Entry": entry,
        "CaseDocument": document,
        "AssessmentRequest": _assessment_request(document),
        "RecordingRequest": _RECORDING_REQUEST,
        **_request("CheckRequest", CheckAsked),
        **_request("IdentityRequest", IdentityAsked),
        **_request("RestrictionRequest", RestrictionAsked),
        **_request("EmergencyRequest", EmergencyAsked),
    }


def _assessment_request(document: Schema) -> Schema:
    """A case document with how it is to be assessed."""
    options = Options.model_json_schema(ref_template="#/components/schemas/{model}")["properties"]
    step = {
        "type": "object",
        "properties": {"trigger": {"enum": list(TRIGGERS)}},
        "required": ["trigger"],
        "additionalProperties": True,
    }
    options["proposal"]["anyOf"] = [step, {"type": "null"}]
    options["known_at"]["anyOf"].append({"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
    return {**document, "title": "A case to be assessed", "properties": {**document["properties"], **options}}


def _request(name: str, model: type[BaseModel]) -> dict[str, Schema]:
    made = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {name: {**made, "title": name}}


_RECORDING_REQUEST: Schema = {
    "title": "Entries to be recorded",
    "type": "object",
    "additionalProperties": False,
    "required": ["entries"],
    "properties": {
        "entries": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_ENTRIES,
            "items": _ref("Entry"),
            "description": "all or none; the service sets `recorded_at`, and `by` to your role when it is left out",
        },
        "acknowledged": {
            "description": "what a 409 listed, and why it was done all the same",
            "anyOf": [
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["rules", "reason"],
                    "properties": {
                        "rules": {"type": "array", "minItems": 1, "items": {"type": "string"}},
                        "reason": {"type": "string", "minLength": 1, "maxLength": LONGEST_REASON},
                    },
                },
                {"type": "null"},
            ],
        },
    },
}


def _put_in_samples(node: Any, samples: Callable[[str], Any]) -> None:
    """Replace each `x-example` by the example of that name."""
    if isinstance(node, dict):
        name = node.pop("x-example", None)
        if name is not None:
            node["example"] = samples(name)
        for value in node.values():
            _put_in_samples(value, samples)
    elif isinstance(node, list):
        for value in node:
            _put_in_samples(value, samples)
