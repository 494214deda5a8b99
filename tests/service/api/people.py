"""Invented people of every role and organisation, and the tokens they show: real ones, of the demo's own provider."""

from __future__ import annotations

import secrets
from typing import Any

from service.login.development import AUDIENCE, DEVELOPER_ID, DemoUser, DevelopmentIdentity


def person(
    user: str, *roles: str, organisation: str = "county-1", kind: str = "county", team: str | None = "team-1"
) -> DemoUser:
    """A user as the identity provider knows them."""
    return DemoUser(user, f"{user} Esimerkki", roles, organisation, kind, team)


def token(identity: DevelopmentIdentity, user: DemoUser, **claims: Any) -> str:
    """A bearer token of the user; `claims` change what it says."""
    said = {**identity.claims(user, AUDIENCE), "client_id": DEVELOPER_ID, "jti": secrets.token_hex(8), **claims}
    return identity.sign({name: value for name, value in said.items() if value is not None}, typ="at+jwt")


def headers(identity: DevelopmentIdentity, user: DemoUser, role: str | None = None, **claims: Any) -> dict[str, str]:
    """The headers of a request by the user, in one of their roles."""
    shown = {"Authorization": f"Bearer {token(identity, user, **claims)}"}
    return shown if role is None else {**shown, "Polku-Role": role}


AINO = person("aino", "social_worker")
