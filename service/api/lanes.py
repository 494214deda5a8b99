"""Threads for what is not asynchronous, in bounded lanes that cannot starve each other.

Rules, engines and database calls are plain functions; on the event loop one of them would hold up every other
request. They run in threads, and each kind has a lane of its own width, because they wait for different things:
judging for the one lock of durable-rules (more threads would only queue behind it), recording for the database's one
writer, reading for little. A caseload's worth of assessments therefore leaves the readers, and health above all
(which needs no thread), as quick as ever. A lane with too long a queue turns requests away at once: an answer that
comes after its reader has gone helps nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, Literal, ParamSpec, TypeVar, cast

import anyio
from anyio import to_thread
from starlette.requests import Request

from service.api.problems import ApiProblem

Lane = Literal["reading", "recording", "judging"]
#: Requests of one lane that may wait for a thread before more are turned away.
LONGEST_QUEUE = 200
RECORDING = 2

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


class Lanes:
    """The lanes of one service: of `threads`, a quarter is for judging, two for recording, the rest for reading.

    Recording has two at the most: while one waits for the disk the other judges. More only pass the interpreter's lock
    to and fro with every statement, while one of them holds the database's.
    """

    def __init__(self, threads: int) -> None:
        quarter = max(2, threads // 4)
        self._limiters = {
            "judging": anyio.CapacityLimiter(quarter),
            "recording": anyio.CapacityLimiter(RECORDING),
            "reading": anyio.CapacityLimiter(max(2, threads - quarter - RECORDING)),
        }

    async def run(self, lane: Lane, work: Callable[[], Answer]) -> Answer:
        """Do the work in a thread of the lane. Raises ApiProblem when the queue is too long, and what work raises."""
        limiter = self._limiters[lane]
        if limiter.statistics().tasks_waiting >= LONGEST_QUEUE:
            raise ApiProblem("overloaded", headers={"Retry-After": "2"})
        return await to_thread.run_sync(work, limiter=limiter)


def in_lane(
    lane: Lane,
) -> Callable[[Callable[Asked, Answer]], Callable[Asked, Coroutine[Any, Any, Answer]]]:
    """A route's function, run in a lane. It must take `request: Request`: the lanes are the application's."""

    def decorate(function: Callable[Asked, Answer]) -> Callable[Asked, Coroutine[Any, Any, Answer]]:
        @wraps(function)
        async def run(*args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
            request = cast(Request, kwargs["request"])
            lanes: Lanes = request.app.state.lanes
            return await lanes.run(lane, partial(function, *args, **kwargs))

        return run

    return decorate
