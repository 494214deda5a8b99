"""Threads: one kind of work cannot starve another, and a queue too long turns requests away at once."""

import threading
import time

import anyio
import pytest

from service.api import lanes
from service.api.lanes import Lanes
from service.api.problems import ApiProblem


async def _fill(held: Lanes, lane: lanes.Lane, count: int, release: threading.Event) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(held.run, lane, release.wait)
        await anyio.sleep(0.05)
        started = time.monotonic()
        for other in ("reading", "recording"):
            assert await held.run(other, threading.get_ident) != threading.get_ident()  # type: ignore[arg-type]
        assert time.monotonic() - started < 5
        release.set()


def test_a_full_lane_leaves_the_others_free() -> None:
    release = threading.Event()

    async def run() -> None:
        await _fill(Lanes(8), "judging", 50, release)

    anyio.run(run)


def test_a_lane_never_runs_more_than_its_width() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    async def run() -> None:
        held = Lanes(8)
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(held.run, "judging", work)

    anyio.run(run)
    assert most == 2


def test_a_queue_too_long_turns_requests_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "LONGEST_QUEUE", 3)
    release = threading.Event()
    refused = []

    async def ask(held: Lanes) -> None:
        try:
            await held.run("judging", release.wait)
        except ApiProblem as error:
            refused.append((error.type.slug, error.headers["Retry-After"]))

    async def run() -> None:
        held = Lanes(8)
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(ask, held)
                await anyio.sleep(0)
            await anyio.sleep(0.05)
            release.set()

    anyio.run(run)
    assert refused == [("overloaded", "2")] * 5


def test_what_the_work_raises_reaches_who_asked() -> None:
    def work() -> None:
        raise ValueError("from the thread")

    async def run() -> None:
        await Lanes(8).run("reading", work)

    with pytest.raises(ValueError, match="from the thread"):
        anyio.run(run)
