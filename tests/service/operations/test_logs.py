"""Logs hold what operators need and nothing of a person."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from service.operations.logs import FIELDS, JsonLines, current_request, start_logging

NAME = "Sirpa Virtanen"


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What is logged while the test runs, one parsed line each; afterwards logging is as it was."""
    root = logging.getLogger()
    loggers = [root, *(item for item in logging.Logger.manager.loggerDict.values() if isinstance(item, logging.Logger))]
    before = [(item, item.level, item.handlers[:], item.propagate, item.disabled) for item in loggers]
    stream = io.StringIO()
    start_logging("debug", stream)

    class Lines(list[dict[str, Any]]):
        def __iter__(self) -> Iterator[dict[str, Any]]:
            return (json.loads(line) for line in stream.getvalue().splitlines())

    yield Lines()
    assert NAME not in stream.getvalue()
    for item, level, handlers, propagate, disabled in before:
        item.setLevel(level)
        item.handlers[:] = handlers
        item.propagate, item.disabled = propagate, disabled


def one(lines: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = lines
    return found


def test_a_line_is_one_json_object_with_time_level_and_speaker(lines: list[dict[str, Any]]) -> None:
    logging.getLogger("polku.recording").warning("engines\ndiffer", extra={"rule": "ts-1", "count": 2})
    found = one(lines)
    assert found.pop("at").endswith("Z")
    assert found == {
        "level": "warning",
        "logger": "polku.recording",
        "message": "engines\ndiffer",
        "rule": "ts-1",
        "count": 2,
    }


def test_a_field_that_is_not_on_the_list_is_not_logged(lines: list[dict[str, Any]]) -> None:
    logging.getLogger("polku.api").info("request", extra={"user": NAME, "path": f"/v1/cases/{NAME}", "status": 200})
    assert set(one(lines)) == {"at", "level", "logger", "message", "status"}
    assert not {"user", "path", "query", "body", "case", "name", "address"} & set(FIELDS)


def test_of_an_exception_only_its_kind_and_place_are_logged(lines: list[dict[str, Any]]) -> None:
    try:
        raise ValueError(NAME) from KeyError(NAME)
    except ValueError:
        logging.getLogger("polku.api").exception("internal fault")
    found = one(lines)
    assert found["error"] == "ValueError"
    assert found["trace"][-1].startswith("test_logs.py:")


def test_what_a_library_says_is_not_logged_only_that_it_spoke(lines: list[dict[str, Any]]) -> None:
    logging.getLogger("psycopg").warning("error ignored in row %s", NAME)
    logging.getLogger("some.library").error(f"cannot parse {NAME}")
    assert [line["logger"] for line in lines] == ["psycopg", "some.library"]
    assert all("message" not in line and line["place"].startswith("test_logs:") for line in lines)


@pytest.mark.parametrize("name", ["httpx", "sqlalchemy.engine", "alembic.runtime.migration", "asyncio", "authlib.x"])
def test_libraries_that_tell_addresses_are_silent_when_all_goes_well(lines: list[dict[str, Any]], name: str) -> None:
    logging.getLogger(name).info("GET https://id.example.fi/?code=%s", NAME)
    assert list(lines) == []


def test_the_servers_own_access_log_is_off_and_its_errors_are_kept(lines: list[dict[str, Any]]) -> None:
    logging.getLogger("uvicorn.access").info('%s - "%s %s"', "127.0.0.1", "GET", f"/v1/cases/{NAME}")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application")
    assert one(lines)["message"] == "Exception in ASGI application"


def test_lines_of_a_request_carry_its_id(lines: list[dict[str, Any]]) -> None:
    token = current_request.set("abc")
    logging.getLogger("polku.recording").error("engines differ")
    current_request.reset(token)
    logging.getLogger("polku.recording").error("engines differ")
    assert [line.get("request") for line in lines] == ["abc", None]


def test_a_value_json_does_not_know_is_told_by_its_kind_alone() -> None:
    class Client:
        def __str__(self) -> str:
            return NAME

    record = logging.LogRecord("polku", logging.INFO, __file__, 1, "x", None, None)
    record.reason = Client()
    assert json.loads(JsonLines().format(record))["reason"] == "Client"


def test_a_trace_is_cut_to_its_innermost_places(lines: list[dict[str, Any]]) -> None:
    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        raise RuntimeError

    try:
        deep(100)
    except RuntimeError:
        logging.getLogger("polku").error("deep", exc_info=sys.exc_info())
    trace = one(lines)["trace"]
    assert len(trace) == 12
    assert all(" deep" in place for place in trace)
