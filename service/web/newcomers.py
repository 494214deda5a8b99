"""A new client: the case opened and the name kept apart from it, by one form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from rules.entries import Strict
from rules.identity import contains_code
from rules.journal import CaseHeader
from service.access.policy import may_open
from service.access.principal import Principal
from service.api.asked import IdentityAsked
from service.recording.errors import KeyReused
from service.recording.recorder import Recorded
from service.rights.identity import change_identity
from service.web.asking import Page
from service.web.fields import Field, field_of
from service.web.forms import Form, Mistake, Part, read_field, wrong_with
from service.web.typed import Typed

#: Roles that work with the client themselves; a team leader opens cases for others.
WORKS_WITH_CLIENTS = ("social_worker", "employment_coach")
#: The page's heading says it.
_NO_TITLE = {"fi": "", "sv": "", "en": ""}
_OF_IDENTITY = ("name", "phone", "email", "address")
_OF_HEADER = ("municipality", "birth_year", "language")


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What a form says of a new client: plain data for the header and for the identity."""

    header: dict[str, Any]
    identity: dict[str, str]


def newcomer_form() -> Form:
    """The form: who the client is, and what the case's header holds."""
    asked = (*_fields(IdentityAsked, _OF_IDENTITY), *_fields(CaseHeader, _OF_HEADER))
    return Form("new", (Part("e0", "new_client", asked, title=_NO_TITLE),))


def _fields(model: type[Strict], names: Iterable[str]) -> list[Field]:
    schema = model.model_json_schema()
    required = frozenset(schema.get("required", ()))
    fields = (field_of(schema["properties"][name], schema.get("$defs", {}), (name,)) for name in names)
    return [replace(one, required=one.name in required) for one in fields]


def newcomer(form: Form, typed: Typed) -> Newcomer:
    """What was typed."""
    part = form.main
    said = {one.name: read_field(part, one, typed) for one in part.asked}
    given = {name: value for name, value in said.items() if value is not None}
    return Newcomer(
        {name: value for name, value in given.items() if name in _OF_HEADER},
        {name: value for name, value in given.items() if name in _OF_IDENTITY},
    )


def mistakes_in(form: Form, said: Newcomer, typed: Typed) -> list[Mistake]:
    """What is wrong with it, each at its field."""
    found = dict.fromkeys(_wrong(IdentityAsked, said.identity))
    found |= dict.fromkeys(_wrong(CaseHeader, {"id": "new", **said.header}))
    coded = {name for name, value in {**said.identity, **said.header}.items() if contains_code(str(value))}
    part = form.main
    mistakes = []
    for one in part.asked:
        if one.name in coded:
            mistakes.append(Mistake(part.name(one), "code"))
        elif one.name in found:
            mistakes.append(wrong_with(part.name(one), one, typed))
    return mistakes


def _wrong(model: type[Strict], data: dict[str, Any]) -> list[str]:
    """The fields that a model refuses."""
    try:
        model.model_validate(data)
    except ValidationError as error:
        return [str(item["loc"][0]) for item in error.errors(include_url=False, include_input=False)]
    return []


def open_case(page: Page, said: Newcomer, key: str, *, mine: bool) -> Recorded:
    """Open the case and keep who the client is. `mine`: who opens it becomes the client's worker.

    The id tells nothing of the client and follows from the form's key, so that sending it twice opens one case. Raises
    what the recorder raises; KeyReused also when it was sent before and someone else is kept by now.
    """
    principal = page.principal
    case_id = f"c-{sha256(key.encode()).hexdigest()[:10]}"
    entries = [_assigned(principal, page.today.isoformat())] if mine else []
    document = {"case": {"id": case_id, **said.header}, "entries": entries}
    made = page.polku.recorder.open(principal, document, key=key)
    with page.polku.database.write(principal.region) as unit:
        kept = unit.identities.get(case_id)
        changed = change_identity(unit, case_id, principal, said.identity, page.polku.clock())
        if made.replayed and kept and changed:
            raise KeyReused  # and the change is undone
    return made


def _assigned(principal: Principal, today: str) -> dict[str, Any]:
    return {
        "date": today,
        "type": "worker_assigned",
        "role": principal.role,
        "worker": principal.user,
        "organisation": principal.organisation,
        "by": principal.role,
    }


def may_take(principal: Principal) -> bool:
    """Whether one may take a new client: who may open a case and reaches it afterwards."""
    return may_open(principal.role) and (principal.role in WORKS_WITH_CLIENTS or principal.team is not None)


def may_choose(principal: Principal) -> bool:
    """Whether one may open a case without becoming its worker: only who would still reach it afterwards."""
    return principal.role == "social_worker" and principal.team is not None
