"""What the identity provider says about someone, read: who they are, where they work, and what they may act as.

Deny by default: what is missing, oddly shaped or unknown admits nobody. What is refused is told by the claim's name,
never with what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.entries import LONGEST_NAME
from rules.identity import contains_code
from service.access.principal import ORGANISATION_KINDS, Principal, roles_open_to
from service.login.settings import OidcClient

#: More roles than these are no user's.
MOST_ROLES = 200


class NotAdmitted(Exception):
    """The identity provider knows this user, but they have no business here; the text says why."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user, or a program, as the identity provider describes them. `roles` are those they may act in, never none."""

    user: str
    region: str
    organisation: str
    organisation_kind: str
    team: str | None
    roles: tuple[str, ...]

    def acting_as(self, role: str, *, program: bool) -> Principal:
        """The user in one of their roles. Raises ValueError for another's."""
        return Principal(
            user=self.user,
            region=self.region,
            organisation=self.organisation,
            organisation_kind=self.organisation_kind,
            team=self.team,
            role=role,
            roles=self.roles,
            program=program,
        )


def person_of(claims: Mapping[str, Any], client: OidcClient, region: str) -> Person:
    """Who these claims are about. Raises NotAdmitted when they do not say so, or it is someone of another region."""
    if _name(claims, client.region_claim) != region:
        raise NotAdmitted("The identity provider names another region than this service's.")
    user = _name(claims, client.user_claim)
    if contains_code(user):
        # It would stand in journals and logs for good.
        raise NotAdmitted(f"The claim {client.user_claim} holds a personal identity code, which is no worker's id.")
    kind = _name(claims, client.organisation_kind_claim)
    if kind not in ORGANISATION_KINDS:
        known = ", ".join(ORGANISATION_KINDS)
        raise NotAdmitted(f"The claim {client.organisation_kind_claim} is none of: {known}.")
    roles = roles_open_to(kind, (client.role_names.get(name, name) for name in _names(claims, client.roles_claim)))
    if not roles:
        raise NotAdmitted("The identity provider gives you no role that your organisation has here.")
    team = None if value_of(claims, client.team_claim) in (None, "") else _name(claims, client.team_claim)
    return Person(user, region, _name(claims, client.organisation_claim), kind, team, roles)


def value_of(claims: Mapping[str, Any], name: str) -> Any:
    """What a claim holds; None where it is absent. A name that begins with `/` is a JSON pointer (RFC 6901)."""
    if not name.startswith("/"):
        return claims.get(name)
    found: Any = claims
    for part in name[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found


def _name(claims: Mapping[str, Any], claim: str) -> str:
    """A name, as journals may hold it."""
    found = value_of(claims, claim)
    if not isinstance(found, str) or not 1 <= len(found) <= LONGEST_NAME:
        raise NotAdmitted(f"The claim {claim} is missing, or is no text of 1–{LONGEST_NAME} characters.")
    if not found.isprintable() or found != found.strip():
        raise NotAdmitted(f"The claim {claim} holds invisible characters, or white space around it.")
    return found


def _names(claims: Mapping[str, Any], claim: str) -> list[str]:
    """A list of names; some providers send one alone, or several in one text with spaces."""
    found = value_of(claims, claim)
    if isinstance(found, str):
        found = [found, *found.split()]
    if not isinstance(found, list) or len(found) > MOST_ROLES:
        return []
    return [name for name in found if isinstance(name, str)]
