"""Reasons in words, as people give them for what stands out: emergency access, restriction, old logs."""

from __future__ import annotations

from rules.identity import contains_code
from service.rights.errors import WrongReason

LONGEST_REASON = 1_000


def checked_reason(reason: str) -> str:
    """The reason without white space around it. Raises WrongReason when it says nothing, or too much."""
    said = reason.strip()
    if not any(char.isalpha() for char in said):
        raise WrongReason("a reason in words is needed")
    if len(said) > LONGEST_REASON:
        raise WrongReason(f"a reason has at most {LONGEST_REASON:,} characters")
    if contains_code(said):
        raise WrongReason("a reason must not hold a personal identity code")
    return said
