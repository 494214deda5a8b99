"""Canonical JSON (RFC 8785): the one sequence of bytes for a value, so that it can be hashed and compared."""

from __future__ import annotations

import json
from collections.abc import Iterable
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
    if kind is str or kind is bool or value is None:
        return True
    if kind is dict:
        # Joined, all keys are looked at in one step; a key that is no text is refused there.
        return "".join(value).isascii() and _are_plain(value.values())
    if kind is list or kind is tuple:
        return _are_plain(value)
    return kind is int and bool(-_EXACT < value < _EXACT)


def _are_plain(values: Iterable[Any]) -> bool:
    """Whether all are; most are texts, for which not even a function is called: this is asked of every value kept."""
    return all(type(value) is str or _is_plain(value) for value in values)
