"""The addresses machines ask: is the process alive, may it be given work, how does it do. Open, and telling of nobody.

Keep `/metrics` and `/readyz` off the outside (docs/operators.md): they tell how much is asked, and what is broken.
"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from service.api.answers import json_answer
from service.api.document import problems_of, shown_as
from service.api.problems import ApiProblem
from service.operations.metrics import CONTENT_TYPE, exposition
from service.operations.watch import Watch

router = APIRouter(tags=["operations"])
RETRY_SECONDS = "5"


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Ready(BaseModel):
    """The service can be given work."""

    status: Literal["ready"]
    checks: dict[str, str] = Field(description="what was looked at, and `ok` for each")


@router.get("/healthz", operation_id="alive", responses={200: shown_as(Alive), **problems_of(public=True)})
async def alive() -> Response:
    """Whether the process answers. Says nothing about the database: a restart would not mend that."""
    return json_answer({"status": "ok"}, headers={})


@router.get(
    "/readyz", operation_id="ready", responses={200: shown_as(Ready), **problems_of("unavailable", public=True)}
)
async def ready(request: Request) -> Response:
    """Whether it can be given work: the database answers and is migrated, the rules are loaded, it is not stopping."""
    watch: Watch = request.app.state.watch
    state = await watch.health.state()
    if not state.ready:
        raise ApiProblem("unavailable", checks=state.checks, headers={"Retry-After": RETRY_SECONDS})
    return json_answer({"status": "ready", "checks": state.checks}, headers={})


@router.get(
    "/metrics",
    operation_id="metrics",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problems_of(public=True)},
)
async def metrics(request: Request) -> Response:
    """The metrics, for Prometheus."""
    watch: Watch = request.app.state.watch
    await watch.measure()
    return Response(exposition(), headers={"Content-Type": CONTENT_TYPE})
