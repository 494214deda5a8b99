"""What the client's rights and the law's clock refuse."""

from __future__ import annotations


class RightsError(Exception):
    """What all refusals here are. Their texts hold nothing of a client."""


class NotOpen(RightsError):
    """The role, or how the user stands to the case, does not allow it."""


class Needless(RightsError):
    """There is nothing to do: it is so already."""


class WrongReason(RightsError):
    """The reason says nothing, is too long, or holds a personal identity code."""


class Gone(RightsError):
    """The case was disposed of, or was never there."""


class Ahead(RightsError):
    """Disposal was asked for as of a day that has not come."""
