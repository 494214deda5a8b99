"""Fills in forms as a person would: from a valid entry to what a browser sends."""

from __future__ import annotations

import re
from typing import Any

from service.web.fields import Field, fields_of
from service.web.forms import Part, texts_of
from tests.service.api.asking import Client
from tests.service.web.looking import Seen, look

DAY = "2026-11-02"
_VALID = {
    "date": DAY, "names": ["county-1", "provider-1"], "whole": 3, "decimal": 7.5, "line": "place-1",
    "text": 'Kaksi riviä,\n"lainaus" & <b>merkkejä</b>.',
}  # fmt: skip


def valid(entry_type: str) -> dict[str, Any]:
    """An entry of the type with every field that a form asks."""
    return {"type": entry_type, **{one.name: _value(one) for one in fields_of(entry_type)}}


def _value(one: Field) -> Any:
    if one.kind in ("part", "items"):
        return {inner.name: _value(inner) for inner in one.fields}
    if one.kind == "many":
        return list(one.values[:2])
    return one.values[0] if one.kind == "choice" else _VALID[one.kind]


def typed_for(part: Part, entry: dict[str, Any]) -> dict[str, Any]:
    """What is typed into a part for an entry."""
    return {name: list(texts) for name, texts in texts_of(part, entry).items()}


def standing(seen: Seen) -> dict[str, Any]:
    """Everything a browser would send of the form as it stands."""
    found: dict[str, Any] = {}
    for tag in seen.all("form.record input, form.record select, form.record textarea"):
        kind = tag.get("type")
        if not tag.get("name") or (kind in ("radio", "checkbox") and not tag.has_attr("checked")):
            continue
        if tag.name == "select":
            chosen = tag.select("option[selected]")
            value = str(chosen[0]["value"]) if chosen else ""
        else:
            # A browser drops the line break after the opening tag.
            value = re.sub(r"^\n", "", tag.get_text()) if tag.name == "textarea" else str(tag.get("value", ""))
        found.setdefault(str(tag["name"]), []).append(value)
    return found


def opened(client: Client, path: str, **options: str) -> Seen:
    """The page of a form, which must be there."""
    seen = look(client, path, **options)
    assert seen.status == 200, seen.text[:500]
    return seen
