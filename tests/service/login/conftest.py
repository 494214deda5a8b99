"""Servers that live as long as the test run, and for each test a provider, a database and a service of its own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from service.settings import Settings
from service.store import Database
from tests.service.conftest import Clock
from tests.service.login.outside import REGION, Browser, Outside, Server, service


@pytest.fixture
def engine() -> str:
    """Tokens and redirects are the same to every database; test_sessions.py takes both."""
    return "sqlite"


@pytest.fixture(scope="session")
def provider_server() -> Iterator[Server]:
    with Server().running() as server:
        yield server


@pytest.fixture(scope="session")
def service_server() -> Iterator[Server]:
    with Server().running() as server:
        yield server


@pytest.fixture
def outside(provider_server: Server, service_server: Server, clock: Clock) -> Outside:
    """The identity provider, outside the service."""
    made = Outside(provider_server, service_server.url, clock)
    provider_server.app = made.app()
    return made


@pytest.fixture
def started(
    outside: Outside, service_server: Server, database: Database, clock: Clock
) -> Iterator[Callable[..., FastAPI]]:
    """Starts the service, with these settings of OpenID Connect besides the usual ones."""
    running = []

    def start(*, public_url: str | None = None, hours: int = 10, idle: int = 30, **oidc: Any) -> FastAPI:
        settings = Settings(
            region=REGION,
            oidc=outside.settings(**oidc),
            public_url=public_url or service_server.url,
            session_hours=hours,
            session_idle_minutes=idle,
        )
        service_server.app = made = service(settings, database, clock)
        running.append(made)
        return made

    yield start
    for made in running:
        made.state.login.provider.close()


@pytest.fixture
def app(started: Callable[..., FastAPI]) -> FastAPI:
    """The service, started."""
    return started()


@pytest.fixture
def browser(app: FastAPI, service_server: Server) -> Iterator[Browser]:
    """A browser of someone who has not logged in."""
    with Browser(service_server.url, service_server.address) as made:
        yield made
