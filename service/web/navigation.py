"""Where each role can go: only what is open to it, the role's own first page first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.access.policy import may_take_emergency_access

if TYPE_CHECKING:
    from service.web.asking import Page


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the service: its name in the catalogue, its address, and whether the page is in it."""

    name: str
    address: str
    here: bool


def navigation(page: Page) -> list[Place]:
    """The parts of the service that are open to the role."""
    found = []
    if page.opens("journal"):
        found += [("clients", "/clients"), ("calendar", "/clients/calendar")]
    if page.principal.role == "team_leader":
        found.insert(0, ("team", "/team"))
    if page.principal.role == "auditor":
        found.append(("audit", "/audit"))
    if page.opens("assessment"):
        found.append(("checks", "/checks"))
    found.append(("rules", "/rules"))
    if page.principal.organisation_kind != "provider" and may_take_emergency_access(page.principal.role):
        found.append(("emergency", "/emergency"))
    path = page.request.url.path
    longest = max((address for _, address in found if _within(path, address)), key=len, default="")
    return [Place(name, address, address == longest) for name, address in found]


def first_page(page: Page) -> str:
    """The address a user lands on."""
    return navigation(page)[0].address


def _within(path: str, address: str) -> bool:
    return path == address or path.startswith(f"{address}/")
