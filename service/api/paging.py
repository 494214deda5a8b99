"""Pages of long lists: at most `limit` items and the address of the next page."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from service.api.problems import mistake

Key = Sequence[str | int]


def cursor(key: Key) -> str:
    """Where a page ends, for the next request's `after`. Readers hand it back as it is; what it holds may change."""
    return base64.urlsafe_b64encode(json.dumps(list(key), separators=(",", ":")).encode()).decode().rstrip("=")


def key_of(after: str | None, kinds: tuple[type, ...]) -> tuple[Any, ...] | None:
    """The key in a cursor, its parts of these kinds; None before the first page. Raises ApiProblem for one not ours."""
    if after is None:
        return None
    try:
        key = json.loads(base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        key = None
    whole = isinstance(key, list) and len(key) == len(kinds)
    if not whole or not all(_is(part, kind) for part, kind in zip(key, kinds, strict=True)):
        raise mistake("query.after", "something else", "the `after` of an answer's `next`, as it stands there")
    return tuple(key)


def _is(part: object, kind: type) -> bool:
    if kind is int:
        return type(part) is int and 0 <= part < 2**63
    return isinstance(part, str) and part.isprintable()


def page(request: Request, items: Sequence[Any], limit: int, key: Key | None) -> dict[str, Any]:
    """One page: its items and, when `key` says that more follow, the address of the next."""
    if key is None:
        return {"items": list(items), "next": None}
    asked = {name: value for name, value in request.query_params.items() if name not in ("after", "limit")}
    query = urlencode({**asked, "limit": limit, "after": cursor(key)})
    return {"items": list(items), "next": f"{request.url.path}?{query}"}
