"""What surrounds every request: limits, faults of our own, and the document that describes it all."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.api import app as made
from service.api.samples import Samples
from service.settings import Settings, SettingsError
from service.store import Database
from tests.helpers import assessor, wait_for
from tests.service.api import world
from tests.service.api.asking import Client, Document, client_of, problem
from tests.service.api.people import AINO, headers
from tests.service.api.serving import Served
from tests.service.conftest import Clock
from tests.service.store.keeping import open_case


def limited(sqlite: Database, clock: Clock, document: Document, **limits: int) -> Iterator[Client]:
    """A social worker's client of an application with these limits."""
    app = made.create_app(Settings(region=world.REGION, demo=True, **limits), clock=clock, database=sqlite)
    with client_of(app, document) as anyone:
        yield anyone.showing(headers(app.state.identity, AINO))


# --- while it runs ---


def test_while_it_runs_it_keeps_what_lists_show(app: FastAPI, document: Document, sqlite: Database) -> None:
    with sqlite.write(world.REGION) as unit:
        open_case(unit, "sirpa")
    with client_of(app, document):
        wait_for(lambda: _kept(sqlite))
    assert not any(thread.name == "outlooks" for thread in threading.enumerate()), "it stops with the service"


def _kept(database: Database) -> bool:
    with database.read(world.REGION) as unit:
        return unit.outlooks.get("sirpa") is not None


# --- faults and limits ---


def test_a_fault_of_our_own_tells_its_place_to_the_log_and_nothing_to_anyone_else(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise ValueError("planted client data")

    monkeypatch.setattr("service.api.routes.assessments.assessment_asked", fail)
    with caplog.at_level(logging.ERROR):
        told = problem(client.post("/v1/assessments", {"case": {"id": "x"}, "entries": []}), 500, "internal")
    assert set(told) == {"type", "title", "status", "detail", "instance"}
    assert told["detail"].startswith("Report the `instance` of this answer")
    record = next(record for record in caplog.records if record.message == "internal fault")
    assert record.__dict__["error"] == "ValueError"
    assert record.__dict__["place"].startswith("test_app.py:")
    assert "planted" not in caplog.text
    assert client.get("/v1/me").status_code == 200


def test_a_body_too_long_is_not_read(sqlite: Database, clock: Clock, document: Document) -> None:
    for client in limited(sqlite, clock, document, max_request_bytes=1_000):
        body = json.dumps({"case": {"id": "x"}, "entries": [], "pad": "x" * 2_000})
        json_headers = {"Content-Type": "application/json"}
        problem(client.post("/v1/assessments", content=body, headers=json_headers), 413, "too-large")

        async def pieces() -> Any:
            for _ in range(10):
                yield b"[" * 200

        problem(client.post("/v1/assessments", content=pieces(), headers=json_headers), 413, "too-large")


def test_one_user_may_ask_so_often_and_the_others_are_not_held_up(
    sqlite: Database, clock: Clock, document: Document
) -> None:
    for client in limited(sqlite, clock, document, requests_per_minute=3):
        for _ in range(3):
            assert client.get("/v1/rules").status_code == 200
        response = client.get("/v1/rules")
        problem(response, 429, "too-many-requests")
        assert int(response.headers["retry-after"]) > 0
        other = world.showing(client, world.actor("job_coach", "none"))
        assert other.get("/v1/rules").status_code == 200
        assert client.get("/healthz").status_code == 200


def test_health_answers_while_every_thread_is_busy(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    release, busy = threading.Event(), threading.Semaphore(0)

    def wait(*args: Any) -> None:
        busy.release()
        release.wait(30)

    monkeypatch.setattr("service.api.routes.assessments.assessment_asked", wait)
    app = made.create_app(Settings(region=world.REGION, demo=True, threads=8), database=sqlite)
    with Served(app) as server:
        shown = headers(app.state.identity, AINO)

        def ask() -> None:
            body = {"case": {"id": "x"}, "entries": []}
            httpx.post(f"{server.address}/v1/assessments", json=body, headers=shown, timeout=60)

        threads = [threading.Thread(target=ask) for _ in range(30)]
        for thread in threads:
            thread.start()
        assert busy.acquire(timeout=30)
        assert busy.acquire(timeout=30)
        assert httpx.get(f"{server.address}/healthz", timeout=5).status_code == 200
        assert httpx.get(f"{server.address}/v1/rules", headers=shown, timeout=5).status_code == 200
        release.set()
        for thread in threads:
            thread.join()


def test_a_database_that_is_gone_is_told_and_the_service_recovers(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    path = tmp_path / "polku.db"
    assert client.get("/v1/cases").status_code == 200
    path.rename(tmp_path / "elsewhere.db")
    response = client.get("/v1/cases")
    problem(response, 503, "unavailable")
    assert response.headers["retry-after"]
    (tmp_path / "elsewhere.db").rename(path)
    assert client.get("/v1/cases").status_code == 200


def test_without_an_identity_provider_there_is_no_service() -> None:
    with pytest.raises(SettingsError, match="who may log in"):
        made.create_app(Settings(region=world.REGION))


# --- the document ---


def operations(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation of the document."""
    for path, methods in document.content["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_document_is_served_without_a_login(anyone: Client, document: Document) -> None:
    assert anyone.get("/openapi.json", checked=False).json() == document.content
    assert document.content["openapi"].startswith("3.1")


def test_every_operation_says_who_may_ask_and_what_may_come(document: Document) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for method, path, operation in operations(document):
        assert operation["tags"], path
        assert operation["description"], path
        known = "/v1/" in path
        assert ("security" in operation) == known
        assert {"401", "403"} <= operation["responses"].keys() or not known
        assert {"422", "429", "500", "503"} <= operation["responses"].keys()
        assert (method in ("post", "put") and "/replay" not in path) == ("requestBody" in operation)
        for status, response in operation["responses"].items():
            assert ("application/problem+json" in response.get("content", {})) == (status >= "400"), (path, status)


def test_every_example_fits_its_schema(document: Document) -> None:
    seen = 0
    for _, _, operation in operations(document):
        for part in (operation.get("requestBody", {}), *operation["responses"].values()):
            for content in part.get("content", {}).values():
                if "example" in content:
                    document.validate(content["schema"], content["example"])
                    seen += 1
                for example in content.get("examples", {}).values():
                    document.validate(content["schema"], example["value"])
    assert seen > 10


def test_the_examples_work(anyone: Client) -> None:
    samples = Samples(assessor())
    worker = world.showing(anyone, world.actor("social_worker", "team"))
    assert worker.post("/v1/assessments", samples("assessment_request")).status_code == 200
    assert worker.post("/v1/cases", samples("case")).status_code == 201
    made_ = worker.post("/v1/cases/sirpa/entries?lang=en", samples("recording"), headers={"If-Match": '"v1"'})
    assert made_.status_code == 201
    assert made_.json()["entries"] == samples("recorded")["entries"]
    assert worker.put("/v1/cases/sirpa/identity", samples("identity")).status_code == 200


def test_no_schema_is_named_and_missing_or_there_for_nothing(document: Document) -> None:
    text = json.dumps(document.content)
    schemas = document.content["components"]["schemas"]
    named = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert named == schemas.keys()
