"""Requests too large, too many or too eager to log in are refused, and nothing of them is acted upon."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api import failures
from service.api.problems import ApiProblem
from service.operations.limits import LoginLimit, Rate, SizeLimit, address

MOST = 100


class Reader:
    """An application that reads the body as Starlette does and notes what reached it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies.append(await Request(scope, receive).body())
        await JSONResponse({"ok": True})(scope, receive, send)


def asked(app: ASGIApp, method: str = "POST", path: str = "/v1/cases", **how: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=how.pop("client", ("203.0.113.7", 4711)))
        async with httpx.AsyncClient(transport=transport, base_url="http://polku") as client:
            return await client.request(method, path, **how)

    return anyio.run(ask)


async def pieces(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


def test_a_body_up_to_the_limit_passes_and_one_byte_more_does_not() -> None:
    app = Reader()
    assert asked(SizeLimit(app, MOST), content=b"x" * MOST).status_code == 200
    refused = asked(SizeLimit(app, MOST), content=b"x" * (MOST + 1))
    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/too-large")
    assert [len(body) for body in app.bodies] == [MOST]


def test_a_body_sent_in_pieces_is_counted_as_it_comes() -> None:
    app = Reader()
    assert asked(SizeLimit(app, MOST), content=pieces(60, 40)).status_code == 200
    assert asked(SizeLimit(app, MOST), content=pieces(60, 41)).status_code == 413
    assert [len(body) for body in app.bodies] == [MOST]


@given(
    said=st.text("0123456789+-x ", max_size=40) | st.integers(0, 10**30).map(str), sizes=st.lists(st.integers(0, 200))
)
def test_whatever_length_is_said_no_application_reads_more_than_the_limit(said: str, sizes: list[int]) -> None:
    read = 0
    messages = [{"type": "http.request", "body": b"x" * size, "more_body": True} for size in sizes]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return messages.pop(0)

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal read
        more = True
        while more:
            message = await receive()
            read += len(message["body"])
            more = message["more_body"]
        await JSONResponse({})(scope, receive, send)

    statuses = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", said.encode())]}
    anyio.run(SizeLimit(reading, MOST), scope, receive, send)
    assert read <= MOST
    assert len(statuses) == 1
    if sum(sizes) > MOST:
        assert statuses == [413]


def test_a_body_cut_off_inside_the_api_is_a_problem_of_its_own() -> None:
    app = FastAPI()
    failures.install(app)
    reached = []

    @app.post("/v1/cases")
    async def record(request: Request) -> dict[str, bool]:
        reached.append(await request.body())
        return {"ok": True}

    app.add_middleware(SizeLimit, most=MOST)
    answer = asked(app, content=pieces(60, 60))
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert reached == []


def test_so_many_requests_a_minute_and_not_one_more() -> None:
    rate = Rate("test", 5)
    assert [rate.take("aino") for _ in range(5)] == [0] * 5
    assert 1 <= rate.take("aino") <= 60
    assert rate.take("vilho") == 0


def test_over_the_limit_the_answer_says_when_to_come_back() -> None:
    rate = Rate("test", 1)
    rate.check("aino")
    with pytest.raises(ApiProblem) as caught:
        rate.check("aino")
    assert caught.value.type.status == 429
    assert 1 <= int(caught.value.headers["Retry-After"]) <= 60


def test_threads_together_take_no_more_than_one_would() -> None:
    rate = Rate("test", 50)
    taken = []

    async def many() -> None:
        async def one() -> None:
            taken.append(await anyio.to_thread.run_sync(rate.take, "aino"))

        async with anyio.create_task_group() as tasks:
            for _ in range(200):
                tasks.start_soon(one)

    anyio.run(many)
    assert taken.count(0) == 50


@pytest.fixture
def guarded() -> LoginLimit:
    return LoginLimit(Reader(), per_minute=3)


def test_logins_from_one_address_are_limited_and_the_rest_is_not(guarded: LoginLimit) -> None:
    for _ in range(3):
        assert asked(guarded, "GET", "/login").status_code == 200
    refused = asked(guarded, "GET", "/login/callback?code=x")
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")
    assert int(refused.headers["Retry-After"]) >= 1
    assert asked(guarded, "GET", "/v1/cases").status_code == 200
    assert asked(guarded, "GET", "/loginx").status_code == 200
    assert asked(guarded, "GET", "/login", client=("198.51.100.1", 1)).status_code == 200


def test_neighbours_of_one_ipv6_network_count_as_one(guarded: LoginLimit) -> None:
    for last in range(3):
        assert asked(guarded, "GET", "/login", client=(f"2001:db8:1:2::{last}", 1)).status_code == 200
    assert asked(guarded, "GET", "/login", client=("2001:db8:1:2:ffff::9", 1)).status_code == 429
    assert asked(guarded, "GET", "/login", client=("2001:db8:1:3::1", 1)).status_code == 200


def test_an_address_that_is_none_is_counted_all_the_same() -> None:
    assert address({"client": None}) == "?"
    assert address({"client": ("unix:", 0)}) == "unix:"
    assert address({"client": ("203.0.113.7", 1)}) == "203.0.113.7"


def test_a_refusal_says_nothing_of_the_request(guarded: LoginLimit) -> None:
    for _ in range(4):
        answer = asked(guarded, "GET", "/login?hint=Virtanen", headers={"X-Name": "Virtanen"})
    assert answer.status_code == 429
    assert "Virtanen" not in json.dumps(answer.json())
