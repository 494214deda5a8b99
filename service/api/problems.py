"""Problem details (RFC 9457): every failure of the API as application/problem+json, with the place of each mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import to_json
from starlette.responses import Response

from rules.reading import Problem

MEDIA_TYPE = "application/problem+json"
#: Where a problem type is explained; a type's URI is this and its slug.
TYPES_AT = "/problems/"
_CATALOGUE = Path(__file__).parent / "problems.yaml"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem: its HTTP status, a title, what it means and what to do about it."""

    slug: str
    status: int
    title: str
    meaning: str
    remedy: str

    @property
    def uri(self) -> str:
        """The type's URI reference."""
        return TYPES_AT + self.slug

    def as_json(self) -> dict[str, Any]:
        """The type for programs and readers."""
        return {"type": self.uri, **{name: value for name, value in asdict(self).items() if name != "slug"}}


@cache
def problem_types() -> dict[str, ProblemType]:
    """Every problem type by its slug, in the order of their statuses."""
    written = yaml.safe_load(_CATALOGUE.read_text(encoding="utf-8"))
    return {slug: ProblemType(slug, **words) for slug, words in written.items()}


class ApiProblem(Exception):
    """A request that ends in a problem of a known type.

    `detail` says what was wrong; left out, what to do. `problems` are the mistakes of the request, `members` what the
    type adds, `headers` what goes with the answer.
    """

    def __init__(
        self,
        slug: str,
        detail: str | None = None,
        *,
        problems: Iterable[Problem] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        self.type = problem_types()[slug]
        super().__init__(slug)
        self.detail = detail
        self.problems = list(problems)
        self.headers = dict(headers or {})
        self.members = members

    def as_json(self, instance: str | None = None) -> dict[str, Any]:
        """The problem's members in the order RFC 9457 names them."""
        told: dict[str, Any] = {"type": self.type.uri, "title": self.type.title, "status": self.type.status}
        told["detail"] = self.detail if self.detail is not None else " ".join(self.type.remedy.split())
        if instance is not None:
            told["instance"] = instance
        if self.problems:
            told["problems"] = [mistake_json(item) for item in self.problems]
        return {**told, **self.members}

    def response(self, instance: str | None = None) -> Response:
        """The HTTP answer."""
        headers = {**self.headers, "Cache-Control": "no-store"}
        return Response(to_json(self.as_json(instance)), self.type.status, headers, MEDIA_TYPE)


def mistake_json(item: Problem) -> dict[str, Any]:
    """One mistake of a request; `line` only where the body has lines."""
    told = {"place": item.place, "line": item.line, "found": item.found, "expected": item.expected, "hint": item.hint}
    return {name: value for name, value in told.items() if value is not None}


def mistake(place: str, found: str, expected: str, hint: str | None = None) -> ApiProblem:
    """A request with one mistake."""
    return ApiProblem("invalid-request", problems=[Problem(place, None, found, expected, hint)])
