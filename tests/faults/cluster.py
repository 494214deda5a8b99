"""A PostgreSQL server of a test's own, to be stopped, started and starved."""

from __future__ import annotations

import os
import pwd
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import make_url

from tests.service import postgresql
from tests.service.postgresql import ROLES, TEMPLATE, Urls


class Cluster:
    """One running server with the roles and a migrated template."""

    def __init__(self, server: Any = None) -> None:
        self.server = server or postgresql.start(f"faults-{uuid4().hex[:12]}")
        self._ours = False
        self.superuser: str = self.server.get_uri()
        postgresql.prepare(self.superuser)
        # The tests' usual server forgets what it has not written when it is stopped hard. This one must not.
        self._run("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")

    def database(self, tablespace: Path | None = None) -> Urls:
        """A new migrated database, its tables in that folder if one is given."""
        name = f"faults_{uuid4().hex[:12]}"
        where = ""
        if tablespace is not None:
            if self.server.system_user is not None:
                user = pwd.getpwnam(self.server.system_user)
                os.chown(tablespace, user.pw_uid, user.pw_gid)
            self._run(f"CREATE TABLESPACE {name} LOCATION '{tablespace}'")
            where = f" TABLESPACE {name}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER polku_owner STRATEGY FILE_COPY{where}")
        return Urls(*(postgresql.url(self.superuser, role, name) for role in (*ROLES, None)))

    def drop(self, urls: Urls) -> None:
        """Drop a database, and its tablespace if it has one of its own."""
        name = make_url(urls.superuser).database
        self._run(f"DROP DATABASE {name} WITH (FORCE)", f"DROP TABLESPACE IF EXISTS {name}")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server: `immediate` is a crash, whatever is being written."""
        self._pg_ctl("stop", "-m", mode)

    def start(self) -> None:
        """Start it again; it recovers what was acknowledged."""
        self._ours = True
        sockets = make_url(self.superuser).query["host"]
        self._pg_ctl("start", "-l", str(self.server.log), "-o", f"-h '' -k {sockets}")

    def end(self) -> None:
        """Stop it for good."""
        if self._ours:  # its starter knows only the process it started itself
            with suppress(subprocess.CalledProcessError):  # it may be stopped already
                self.stop()
        self.server.cleanup()

    def _run(self, *statements: str) -> None:
        plain = make_url(self.superuser).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def _pg_ctl(self, *arguments: str) -> None:
        command = [str(self.server.bin_path / "pg_ctl"), "-w", "-D", str(self.server.pgdata), *arguments]
        subprocess.run(command, check=True, capture_output=True, user=self.server.system_user, cwd="/")
