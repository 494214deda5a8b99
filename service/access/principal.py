"""Who asks: a user of an organisation in one of the roles they may act in.

Roles are those of SPEC §1 and two that stand outside client work. A client has no login: what they want to see is given
to them by their own worker (`service.rights`), so `client` is a role nobody acts in here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rules.pack import ROLES as JOURNAL_ROLES

#: Every role of the two tables.
ROLES = (*JOURNAL_ROLES, "auditor", "administrator")
#: The kinds of organisation that share a case.
ORGANISATION_KINDS = ("county", "employment_area", "municipality", "provider")
#: The roles a provider's users may act in: others (an auditor's above all) reach past the client's consent.
PROVIDER_ROLES = ("job_coach",)


def roles_open_to(organisation_kind: str, roles: Iterable[str]) -> tuple[str, ...]:
    """Those of `roles`, in order, that a user of such an organisation may act in; unknown ones drop out."""
    if organisation_kind not in ORGANISATION_KINDS:
        return ()
    open_roles = (
        PROVIDER_ROLES if organisation_kind == "provider" else tuple(role for role in ROLES if role != "client")
    )
    return tuple(dict.fromkeys(role for role in roles if role in open_roles))


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, or a program, and the role acted in; `user` is the worker's id in the journals.

    `roles` are all roles the user may act in. Raises ValueError for a role or an organisation kind that is not known,
    or a role not open to the user.
    """

    user: str
    region: str
    organisation: str
    organisation_kind: str
    team: str | None
    role: str
    roles: tuple[str, ...]
    program: bool = False

    def __post_init__(self) -> None:
        """Refuse what the tables do not know."""
        if self.organisation_kind not in ORGANISATION_KINDS:
            raise ValueError(f"unknown kind of organisation; known: {', '.join(ORGANISATION_KINDS)}")
        if self.role not in roles_open_to(self.organisation_kind, self.roles):
            raise ValueError("this user may not act in that role")

    def acting_as(self, role: str) -> Principal:
        """The same user in another of their roles. Raises ValueError when it is not theirs."""
        return replace(self, role=role)

    @property
    def journal_role(self) -> str | None:
        """The role as the journal's `by` knows it; None for an auditor or administrator."""
        return self.role if self.role in JOURNAL_ROLES else None
