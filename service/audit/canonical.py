"""Canonical JSON (RFC 8785): the one sequence of bytes for a value, so that it can be hashed and compared."""

from __future__ import annotations

import json
from typing import Any

import rfc8785

#: JSON's numbers are exact below this (2**53).
_EXACT = 1 << 53
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")).encode


class CanonicalError(ValueError):
    """A value that JSON cannot hold exactly: not finite, too big a number, a lone surrogate, no JSON type."""


def canonical(value: Any) -> bytes:
    """The canonical JSON of a value made of mappings with text as keys, lists, text, numbers, yes, no, none.

    Where there is nothing delicate in it, Python's encoder in C writes the same bytes several times faster; the rest is
    left to `rfc8785`. Raises CanonicalError.
    """
    try:
        return _encode(value).encode() if _is_plain(value) else rfc8785.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise CanonicalError(f"no canonical JSON for this value: {error}") from error


def _is_plain(value: Any) -> bool:
    """Whether both encoders agree: no fraction, no number past the exact ones, no key outside ASCII (other order)."""
    kind: type = type(value)
    if kind is dict:
        return all(type(key) is str and key.isascii() for key in value) and all(map(_is_plain, value.values()))
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))
    if kind is int:
        return bool(-_EXACT < value < _EXACT)
    return value is None or kind is str or kind is bool
