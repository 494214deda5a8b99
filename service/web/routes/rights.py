"""What the law gives a client, by hand: identity kept apart, a copy of everything, restriction; emergency access."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Form, Query, Request
from starlette.responses import Response

from rules.entries import LONGEST_NAME
from rules.identity import contains_code
from service.access.policy import may_take_emergency_access
from service.api.asked import IdentityAsked
from service.api.bodies import validated
from service.api.lanes import in_lane
from service.api.parameters import CaseId
from service.api.problems import ApiProblem
from service.operations.metrics import EMERGENCY_ACCESSES
from service.reading import is_name, nothing
from service.rights.copy import client_copy
from service.rights.emergency import take_emergency_access
from service.rights.errors import Gone, Needless, WrongReason
from service.rights.identity import change_identity
from service.rights.reasons import LONGEST_REASON, checked_reason
from service.rights.restriction import restrict
from service.rights.retention import retention
from service.store import StoredCase, Unit
from service.web.asking import Asked, Page
from service.web.clients import OpenClient, open_client
from service.web.rendering import file, render, see_other
from service.web.routing import pages

router = pages()
FIELDS = tuple(IdentityAsked.model_fields)
Typed = Annotated[str, Form(max_length=20_000)]
Mistakes = dict[str, str]


def _address(case_id: str) -> str:
    return f"/clients/{quote(case_id, safe='')}"


# --- who the client is ---


@router.get("/clients/{case_id}/identity")
@in_lane("reading")
def show_identity(request: Request, page: Asked, case_id: CaseId, saved: Annotated[bool, Query()] = False) -> Response:
    """The client's name and contact details, to be changed by who may."""
    return _identity_page(page, case_id, None, {}, saved=saved)


def _identity_page(
    page: Page, case_id: str, typed: dict[str, str] | None, mistakes: Mistakes, *, saved: bool = False
) -> Response:
    client = open_client(page, case_id, "identity", "identity")
    if typed is None:
        with page.polku.database.read(page.principal.region) as unit:
            typed = {name: str(value) for name, value in (unit.identities.get(client.id) or {}).items()}
    return render(
        page,
        "rights/identity.html",
        422 if mistakes else 200,
        client=client,
        fields=FIELDS,
        typed=typed,
        mistakes=mistakes,
        saved=saved,
    )


@router.post("/clients/{case_id}/identity")
@in_lane("recording")
def put_identity(
    request: Request,
    page: Asked,
    case_id: CaseId,
    name: Typed = "",
    phone: Typed = "",
    email: Typed = "",
    address: Typed = "",
) -> Response:
    """Put this in place of the name and contact details kept."""
    typed = {"name": name, "phone": phone, "email": email, "address": address}
    said = {field: " ".join(text.split()) for field, text in typed.items() if text.strip()}
    page.polku.reading.one(page.reader, case_id, None, "identity change", nothing)
    mistakes = _identity_mistakes(said)
    if mistakes:
        return _identity_page(page, case_id, typed, mistakes)
    asked = validated(IdentityAsked, said).model_dump(exclude_none=True)
    with page.polku.database.write(page.principal.region) as unit:
        change_identity(unit, case_id, page.principal, asked, page.polku.clock())
    return see_other(f"{_address(case_id)}/identity?saved=true")


def _identity_mistakes(said: dict[str, str]) -> Mistakes:
    """What is wrong, by field, as keys of the catalogue."""
    found = {} if "name" in said else {"name": "name_missing"}
    for field, text in said.items():
        if contains_code(text):
            found[field] = "holds_code"
        elif len(text) > LONGEST_NAME:
            found[field] = "too_long"
        elif not text.isprintable():
            found[field] = "invisible"
    return found


# --- restriction ---


@router.get("/clients/{case_id}/restriction")
@in_lane("reading")
def show_restriction(request: Request, page: Asked, case_id: CaseId) -> Response:
    """What a restriction means, and the form that sets or lifts it."""
    return _restriction_page(page, _may_restrict(page, case_id), "", {})


def _may_restrict(page: Page, case_id: str) -> OpenClient:
    client = open_client(page, case_id, None, "restriction form")
    if not client.may_do("restrict"):
        raise ApiProblem("not-allowed")
    return client


def _restriction_page(page: Page, client: OpenClient, reason: str, mistakes: Mistakes) -> Response:
    status = 422 if mistakes else 200
    return render(page, "rights/restriction.html", status, client=client, reason=reason, mistakes=mistakes)


@router.post("/clients/{case_id}/restriction")
@in_lane("recording")
def put_restriction(
    request: Request, page: Asked, case_id: CaseId, restricted: Annotated[bool, Form()], reason: Typed = ""
) -> Response:
    """Restrict the use of a client's data, or lift it."""
    page.polku.reading.one(page.reader, case_id, None, "restriction", nothing)
    mistakes = _reason_mistakes(reason)
    if mistakes:
        return _restriction_page(page, _may_restrict(page, case_id), reason, mistakes)
    try:
        with page.polku.database.write(page.principal.region) as unit:
            restrict(unit, case_id, page.principal, restricted, reason, page.polku.clock())
    except Needless:  # someone else did meanwhile: the page says how it is now
        return see_other(f"{_address(case_id)}/restriction")
    return see_other(_address(case_id))


def _reason_mistakes(reason: str) -> Mistakes:
    try:
        checked_reason(reason)
    except WrongReason:
        if contains_code(reason):
            return {"reason": "holds_code"}
        return {"reason": "reason_too_long" if len(reason.strip()) > LONGEST_REASON else "reason_missing"}
    return {}


# --- emergency access ---


@router.get("/emergency")
def show_emergency(page: Asked) -> Response:
    """The form that opens a client's data in an emergency."""
    return _emergency_page(page, "", "", {})


@router.get("/clients/{case_id}/emergency-access")
def show_emergency_for(page: Asked, case_id: CaseId) -> Response:
    """The same with the id filled in. Nothing is looked up: whether there is such a client is not told."""
    return _emergency_page(page, case_id, "", {})


def _emergency_page(page: Page, case_id: str, reason: str, mistakes: Mistakes, status: int = 200) -> Response:
    _only_for_emergencies(page)
    hours = retention().number("emergency_access", page.today)
    return render(page, "rights/emergency.html", status, case_id=case_id, reason=reason, mistakes=mistakes, hours=hours)


def _only_for_emergencies(page: Page) -> None:
    """Raises ApiProblem for who may not take emergency access to anyone."""
    principal = page.principal
    if principal.organisation_kind == "provider" or not may_take_emergency_access(principal.role):
        raise ApiProblem("not-allowed")


@router.post("/emergency")
@in_lane("recording")
def take_emergency(request: Request, page: Asked, client: Typed = "", reason: Typed = "") -> Response:
    """Open a client's data for some hours, with a reason, flagged."""
    _only_for_emergencies(page)
    case_id = client.strip()
    mistakes = ({} if case_id else {"client": "client_missing"}) | _reason_mistakes(reason)
    if mistakes:
        return _emergency_page(page, client, reason, mistakes, 422)
    polku = page.polku
    try:
        if not is_name(case_id):
            raise Gone("no case has this id")
        with polku.database.write(page.principal.region) as unit:
            take_emergency_access(unit, case_id, page.principal, reason, polku.clock())
    except Gone:
        # Whether it is restricted, disposed of or was never there is not told; the attempt is on record.
        polku.reading.refused(page.reader, case_id, "emergency access")
        return _emergency_page(page, client, reason, {"client": "client_not_found"}, 404)
    except Needless:
        return _emergency_page(page, client, reason, {"client": "client_is_open"}, 409)
    EMERGENCY_ACCESSES.inc()
    return see_other(_address(case_id))


# --- a copy for the client ---


@router.get("/clients/{case_id}/copy")
@in_lane("reading")
def show_copy(request: Request, page: Asked, case_id: CaseId) -> Response:
    """What a copy holds, and the button that makes it."""
    client = open_client(page, case_id, "copy", "copy form")
    return render(page, "rights/copy.html", client=client)


@router.post("/clients/{case_id}/copy")
@in_lane("reading")
def make_copy(request: Request, page: Asked, case_id: CaseId) -> Response:
    """A copy of everything kept about the client, to be handed to them (GDPR 15)."""
    polku, who = page.polku, replace(page.reader, purpose="client_request")

    def load(unit: Unit, case: StoredCase) -> dict[str, Any]:
        return client_copy(unit, case.id, polku.assessor.pack, polku.clock(), retention())

    made = polku.reading.one(who, case_id, "copy", "copy", load).loaded
    content = json.dumps(made, ensure_ascii=False, indent=2)
    return file(content, "application/json; charset=utf-8", f"polku-{page.today.isoformat()}.json")
