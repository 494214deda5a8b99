"""A client with something on record for those who look into it: every role and relation of `world`, a step recorded
against rules, and means to alter what is kept as someone with every right in the database might."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from service.login.claims import Person
from tests.service.api.asking import Client
from tests.service.api.world import CLIENT, REGION, actor, showing

HERE = f"/clients/{CLIENT}"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)> \u202etxet'


def as_(client: Client, role: str, relation: str) -> Client:
    """A browser of whoever acts in the role and stands so to the client."""
    return showing(client, actor(role, relation))


def in_session(client: Client, role: str, relation: str) -> Client:
    """The same, logged in by a session cookie as browsers are."""
    user = actor(role, relation)
    person = Person(user.id, REGION, user.organisation, user.organisation_kind, user.team, user.roles)
    login = client.app.state.login
    return client.showing({"Cookie": f"{login.session_cookie}={login.sessions.begin(person, None)}"})


def altered(path: Path, decision: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Alter the record of a decision in the database's file."""
    with closing(sqlite3.connect(path)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        (payload,) = file.execute("SELECT payload FROM decision WHERE id = ?", (decision,)).fetchone()
        record = json.loads(payload)
        change(record)
        done = file.execute("UPDATE decision SET payload = ? WHERE id = ?", (json.dumps(record), decision))
        assert done.rowcount == 1
        file.commit()


def met(client: Client, version: int, note: str = "") -> str:
    """Record that the client was met; the decision's id."""
    entry = {"date": "2026-11-02", "type": "contact", "party": "client", "form": "phone"} | (
        {"note": note} if note else {}
    )
    made = client.post(f"/v1/cases/{CLIENT}/entries", {"entries": [entry]}, headers={"If-Match": f'"v{version}"'})
    assert made.status_code == 201, made.text
    return str(made.json()["decision"])
