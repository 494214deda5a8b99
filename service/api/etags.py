"""Versions as entity tags: `"v7"` is the seventh version of a case (RFC 9110 §8.8, §13).

A tag is strong: the version names what is kept. What a reader sees of it also hangs on the reader, so answers that
carry a tag vary by login and role and are never stored by caches.
"""

from __future__ import annotations

import re

from service.api.problems import ApiProblem, mistake

_TAG = re.compile(r'"v([1-9][0-9]{0,17})"')
_LISTED = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*')
_EXAMPLE = 'the ETag of the version you have read, such as "v7"'


def etag(version: int) -> str:
    """The tag of a version."""
    return f'"v{version}"'


def expected_version(if_match: str | None) -> int:
    """The version a recording was made on. Raises ApiProblem when the header is missing or is no version's tag.

    `*` and lists say nothing about what was read, so they are refused.
    """
    if if_match is None:
        raise ApiProblem("precondition-required")
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        hint = "a weak tag (W/) cannot guard a change" if if_match.strip().startswith("W/") else None
        raise mistake("header.If-Match", "something else", _EXAMPLE, hint)
    return int(found[1])


def is_unchanged(if_none_match: str | None, version: int) -> bool:
    """Whether the reader has this version already. Raises ApiProblem when the header is no list of tags."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    tags = if_none_match.split(",")
    if not all(_LISTED.fullmatch(tag) for tag in tags):
        raise mistake("header.If-None-Match", "something else", _EXAMPLE)
    return etag(version) in (tag.strip().removeprefix("W/") for tag in tags)
