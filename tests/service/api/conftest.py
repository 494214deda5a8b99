"""An application with a database of its own, and its clients."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from service.api.app import create_app
from service.settings import Settings
from service.store import Database
from tests.service.api.asking import Client, Document, client_of
from tests.service.api.people import AINO, headers
from tests.service.conftest import Clock

SETTINGS = Settings(region="paijat-hame", demo=True, requests_per_minute=100_000)


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated, empty database; what the routes do does not hang on which database it is."""
    path = tmp_path / "polku.db"
    shutil.copyfile(sqlite_template, path)
    opened = Database(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture
def app(sqlite: Database, clock: Clock) -> FastAPI:
    return create_app(SETTINGS, clock=clock, database=sqlite)


@pytest.fixture(scope="session")
def document() -> Document:
    """The OpenAPI document, made once: it is the same for every application."""
    return Document(create_app(SETTINGS, database=Database("sqlite:///none.db")).openapi())


@pytest.fixture
def anyone(app: FastAPI, document: Document) -> Iterator[Client]:
    """Nobody: a client without a login."""
    with client_of(app, document) as client:
        yield client


@pytest.fixture
def client(app: FastAPI, anyone: Client) -> Client:
    """A social worker's client."""
    return anyone.showing(headers(app.state.identity, AINO))
