"""What the problem types mean: the addresses their `type` points to. Open to everyone: they say nothing of anyone."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from service.api.answers import json_answer
from service.api.document import problems_of, shown_as
from service.api.problems import ApiProblem, problem_types
from service.api.schemas import ProblemType, ProblemTypes

router = APIRouter(prefix="/problems", tags=["problems"])


@router.get("", operation_id="listProblemTypes", responses={200: shown_as(ProblemTypes), **problems_of(public=True)})
async def list_problem_types() -> Response:
    """Every kind of problem the API answers with."""
    return json_answer({"items": [kind.as_json() for kind in problem_types().values()]}, headers={})


@router.get(
    "/{slug}",
    operation_id="showProblemType",
    responses={200: shown_as(ProblemType), **problems_of("not-found", public=True)},
)
async def show_problem_type(slug: str) -> Response:
    """One kind of problem: what it means and what to do."""
    kind = problem_types().get(slug)
    if kind is None:
        raise ApiProblem("not-found")
    return json_answer(kind.as_json(), headers={})
