"""schemathesis over the whole OpenAPI document: a real server, real tokens, data that fits the document and data that
does not. No fault of ours, no answer the document does not have, nothing taken that the document refuses."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import APIOperation

from service.api.app import create_app, now
from service.settings import Settings
from service.store import Database
from tests.service import postgresql
from tests.service.api import world
from tests.service.api.asking import Document, client_of
from tests.service.api.people import headers
from tests.service.api.serving import Served
from tests.service.api.world import CLIENT, actor

#: What the document cannot say: entries that clash, steps a rule speaks against, a version that is no longer current.
UNSAYABLE = {"positive_data_acceptance", "use_after_free", "ensure_resource_availability", "object_level_authorization"}
EXAMPLES_IN_SOAK = 1_000
LANDMARKS = {"case_id": CLIENT, "rule": "social-worker-assigned", "slug": "gone"}


class Stage(Served):
    """A server with the client's case, and who asks it."""

    def __init__(self, app: FastAPI, decision: str) -> None:
        super().__init__(app)
        self.landmarks = {**LANDMARKS, "decision": decision}

    def shown(self) -> dict[str, str]:
        """The headers of the client's own social worker."""
        return headers(self.app.state.identity, actor("social_worker", "assigned"))

    def version(self, shown: dict[str, str]) -> str:
        """The ETag of the version the case is at."""
        return str(httpx.get(f"{self.address}/v1/cases/{CLIENT}", headers=shown).headers["etag"])


@contextmanager
def staged(url: str, document: Document) -> Iterator[Stage]:
    """A server with the client's case in this database."""
    database = Database(url)
    made = Settings(region=world.REGION, demo=True, requests_per_minute=10_000_000)
    with client_of(create_app(made, database=database), document) as client:
        decision = world.settled(client, database, now())
    # Another application on the same database: a stopped one takes no more checks.
    served = Stage(create_app(made, database=database), decision)
    with served:
        yield served
    database.close()


@pytest.fixture(scope="module")
def stage(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, document: Document) -> Iterator[Stage]:
    path = tmp_path_factory.mktemp("fuzzing") / "polku.db"
    shutil.copyfile(sqlite_template, path)
    with staged(f"sqlite:///{path}", document) as served:
        yield served


@pytest.fixture(scope="module")
def stage_on_postgresql(postgresql_superuser: str, document: Document) -> Iterator[Stage]:
    with (
        postgresql.database(postgresql_superuser, f"fuzzing_{uuid4().hex}") as urls,
        staged(urls.app, document) as served,
    ):
        yield served


def api(server: Stage) -> list[APIOperation[Any, Any, Any]]:
    """Every operation of the document."""
    schema = schemathesis.openapi.from_dict(server.app.openapi())
    schema.config.update(base_url=server.address)
    return [result.ok() for result in schema.get_all_operations()]


def try_out(server: Stage, operation: APIOperation[Any, Any, Any], mode: GenerationMode, examples: int) -> None:
    """Ask this operation in many ways, as someone it is open to."""
    load_all_checks()
    checks = [check for check in CHECKS.get_all() if getattr(check, "__name__", "") not in UNSAYABLE]
    names = {parameter.name for parameter in operation.path_parameters}
    known = {name: value for name, value in server.landmarks.items() if name in names}

    @settings(
        max_examples=examples, database=None, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
    )
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        somewhere = data.draw(st.booleans()) and names <= known.keys()
        strategy = operation.as_strategy(mode, path_parameters=known if somewhere else None)
        case = data.draw(strategy)
        shown = server.shown()
        if mode is GenerationMode.POSITIVE and operation.label == "POST /v1/cases/{case_id}/entries":
            shown["If-Match"] = server.version(shown)
        response = case.call(headers=shown, timeout=30)
        case.validate_response(response, checks=checks, headers=shown)

    # Where there is nothing to send, nothing can be wrong with it.
    with suppress(Unsatisfiable):
        ask()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_the_api_does_what_its_document_says(stage: Stage, mode: GenerationMode) -> None:
    for operation in api(stage):
        try_out(stage, operation, mode, 6)


@pytest.mark.soak
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_the_api_does_what_its_document_says_a_thousand_times(
    stage: Stage, stage_on_postgresql: Stage, mode: GenerationMode
) -> None:
    for name, served in (("SQLite", stage), ("PostgreSQL", stage_on_postgresql)):
        for operation in api(served):
            started = time.monotonic()
            try_out(served, operation, mode, EXAMPLES_IN_SOAK)
            took = time.monotonic() - started
            print(
                f"{name} {operation.label} {mode.value}: {EXAMPLES_IN_SOAK} requests, {took:.0f} s, all as documented"
            )
