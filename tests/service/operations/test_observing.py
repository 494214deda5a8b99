"""Every request is counted, timed and logged by its route's template; what it holds is in neither log nor metric."""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.types import Receive, Scope, Send

from service.api import failures
from service.operations.logs import JsonLines
from service.operations.metrics import REGISTRY, exposition
from service.operations.observing import Observing
from tests.service.operations.test_limits import asked

PLANTED = "Virtanen"


class Lines(logging.Handler):
    """Keeps what is logged, as the service would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.text: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(self.format(record))

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.text) if line.get("message") == "request"]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def app() -> FastAPI:
    """A small service in the layers of the real one."""
    made, cases = FastAPI(), APIRouter(prefix="/v1/cases")

    @cases.get("/{case_id}")
    async def case(case_id: str) -> dict[str, str]:
        logging.getLogger("polku.test").info("looked at", extra={"case": case_id})
        return {"id": case_id}

    @cases.post("/{case_id}/entries")
    async def record(case_id: str, request: Request) -> dict[str, str]:
        raise RuntimeError(f"{case_id} {await request.body()!r}")

    @made.get("/healthz")
    async def alive() -> dict[str, str]:
        return {}

    made.include_router(cases)
    failures.install(made)
    made.add_middleware(failures.NothingUnexpected)
    made.add_middleware(Observing)
    return made


def counted(method: str, route: str, status: str) -> float:
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("polku_requests_total", labels) or 0.0


def test_a_request_is_one_line_with_template_method_status_and_time(app: FastAPI, lines: Lines) -> None:
    before = counted("GET", "/v1/cases/{case_id}", "200")
    answer = asked(app, "GET", f"/v1/cases/{PLANTED}?name={PLANTED}", headers={"X-Name": PLANTED})
    (line,) = lines.requests
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/cases/{case_id}", 200)
    assert 0 <= line["milliseconds"] < 60_000
    assert line["request"] == answer.headers["X-Request-Id"]
    assert counted("GET", "/v1/cases/{case_id}", "200") == before + 1
    assert PLANTED not in "".join(lines.text)


def test_all_lines_of_a_request_carry_the_same_id_and_no_two_requests_share_it(app: FastAPI, lines: Lines) -> None:
    asked(app, "GET", "/v1/cases/a")
    asked(app, "GET", "/v1/cases/b")
    told = [json.loads(text) for text in lines.text]
    ids = [line["request"] for line in told if line["logger"] != "httpx"]  # httpx is the one that asks here
    assert len(ids) == 4
    assert (ids[0], ids[2]) == (ids[1], ids[3])
    assert ids[0] != ids[2]


def test_an_id_sent_along_is_not_taken_over(app: FastAPI, lines: Lines) -> None:
    answer = asked(app, "GET", "/v1/cases/a", headers={"X-Request-Id": PLANTED, "traceparent": PLANTED})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])
    assert PLANTED not in "".join(lines.text)


def test_what_fails_inside_is_logged_by_kind_and_place_and_answered_with_its_id(app: FastAPI, lines: Lines) -> None:
    answer = asked(app, "POST", f"/v1/cases/{PLANTED}/entries", content=PLANTED)
    (line,) = lines.requests
    assert (answer.status_code, line["status"], line["level"]) == (500, 500, "error")
    assert answer.json()["instance"].replace("-", "") == f"urn:uuid:{line['request']}"
    assert "RuntimeError" in "".join(lines.text)
    assert PLANTED not in "".join(lines.text) + answer.text


def test_paths_and_methods_that_do_not_exist_are_counted_as_one(app: FastAPI, lines: Lines) -> None:
    for path in (f"/{PLANTED}", f"/v1/{PLANTED}/x", "/%00", f"/v1/cases/a/{PLANTED}"):
        asked(app, "GET", path)
    asked(app, PLANTED.upper(), "/v1/cases/a")
    assert {line["route"] for line in lines.requests} <= {"(none)", "/v1/cases/{case_id}"}
    assert {line["method"] for line in lines.requests} == {"GET", "OTHER"}
    assert PLANTED.lower() not in ("".join(lines.text) + exposition().decode()).lower()


def test_health_checks_are_counted_and_logged_only_when_they_fail(app: FastAPI, lines: Lines) -> None:
    before = counted("GET", "/healthz", "200")
    asked(app, "GET", "/healthz")
    assert lines.requests == []
    assert counted("GET", "/healthz", "200") == before + 1


def test_a_failure_after_the_answer_has_begun_is_counted_as_one_and_breaks_the_connection(lines: Lines) -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError(PLANTED)

    with pytest.raises(RuntimeError):
        asked(Observing(half), "GET", "/")
    assert [line["status"] for line in lines.requests] == [500]


def test_a_client_that_leaves_before_its_answer_is_told_apart(lines: Lines) -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        return

    with pytest.raises((AssertionError, httpx.HTTPError)):
        asked(Observing(silent), "GET", "/")
    assert [line["status"] for line in lines.requests] == [499]


def test_the_exposition_is_read_by_prometheus_own_parser(app: FastAPI) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    asked(app, "GET", "/v1/cases/a")
    families = {family.name: family for family in text_string_to_metric_families(exposition().decode())}
    assert {"polku_requests", "polku_request_seconds", "polku_engine_differences", "polku_store_up"} <= families.keys()
    assert {sample.labels["route"] for sample in families["polku_requests"].samples} >= {"/v1/cases/{case_id}"}
