"""What requests carry in their query and headers, and the refusal of everything else there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Header, Path, Query, Request
from fastapi.dependencies.models import Dependant
from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from rules.entries import Date, Time, refused
from rules.reading import Problem, did_you_mean, listed, shown_name
from service.api.problems import ApiProblem

#: SPEC §6: at most this many items a page.
MOST_ON_A_PAGE, ON_A_PAGE = 200, 50


def _end_of_day(value: object) -> object:
    """A date alone stands for its last moment: what was known by that day."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return f"{value}T23:59:59.999999"
    return value


#: A time, or a date for its last moment; Finnish unless it has an offset.
Moment = Annotated[Time, BeforeValidator(_end_of_day)]

AsOf = Annotated[
    Date | None, Query(description="The evaluation date; left out: today in Finland.", examples=["2022-09-05"])
]
KnownAt = Annotated[
    datetime | None,
    BeforeValidator(_end_of_day),
    Query(
        description="Leaves out what was recorded after this time. Finnish time unless it has an offset (`+` as %2B).",
        examples=["2022-09-05T10:30:00Z"],
    ),
]
Lang = Literal["fi", "sv", "en"]
Language = Annotated[Lang, Query(description="The language of texts; codes and ids never change.")]
Limit = Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE, description="The most items in the answer.")]
After = Annotated[
    str | None,
    Query(max_length=500, description="Where the page before ended: the `after` of its `next`.", examples=[None]),
]
Purpose = Annotated[
    Literal["client_work", "plan_meeting", "supervision", "audit", "client_request", "emergency", "quality"] | None,
    Header(alias="Polku-Purpose", description="What the data is read for; kept in the log of reads."),
]
CaseId = Annotated[str, Path(description="The case's id.", examples=["sirpa"])]
DecisionId = Annotated[str, Path(description="The decision's id.")]


def _key(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]{1,200}", value):
        raise refused("1–200 visible characters of ASCII, new for every new request", "a random UUID will do")
    return value


Key = Annotated[
    Annotated[
        str,
        PlainValidator(_key),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[\\x21-\\x7e]+$"}),
    ]
    | None,
    Header(
        alias="Idempotency-Key",
        description="New for every new request. The same request under the same key is done once and answered again.",
    ),
]
ProposalJson = Annotated[
    str | None,
    Query(
        description="A step as if taken on the evaluation date, as JSON: `trigger` and what is known of its details.",
        examples=['{"trigger": "start_work_trial", "arrangement": "alongside_activity"}'],
        max_length=5_000,
    ),
]


async def only_known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not know, or that is given twice: it would silently do nothing."""
    known = list(dict.fromkeys(_query_names(request.scope["route"].dependant)))
    problems = []
    for name in dict.fromkeys(request.query_params):
        place = f"query.{shown_name(name)}"
        if name not in known:
            expected = listed(known) if known else "no query parameters"
            problems.append(Problem(place, None, "unknown parameter", expected, did_you_mean(name, known)()))
        elif len(request.query_params.getlist(name)) > 1:
            problems.append(Problem(place, None, "the same parameter a second time", "each parameter once"))
    if problems:
        raise ApiProblem("invalid-request", problems=problems)


def _query_names(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        yield field.alias
    for inner in dependant.dependencies:
        yield from _query_names(inner)


async def only_json_asked(request: Request) -> None:
    """Refuse a request that takes no JSON. A client that names no kind takes any."""
    kinds = [part.strip() for part in request.headers.get("accept", "").lower().split(",") if part.strip()]
    if kinds and not any(_takes_json(kind) for kind in kinds):
        raise ApiProblem("not-acceptable")


def _takes_json(kind: str) -> bool:
    name, *parameters = (part.strip() for part in kind.split(";"))
    refused = any(re.fullmatch(r"q\s*=\s*0(\.0{0,3})?", parameter) for parameter in parameters)
    return name in ("*/*", "application/*", "application/json", "application/problem+json") and not refused


def day_or_today(as_of: date | None, today: date) -> date:
    """The evaluation date asked for, else today."""
    return today if as_of is None else as_of
