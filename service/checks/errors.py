"""How a check fails, in words."""


class CheckError(Exception):
    """A check that cannot be done, in words for people; they hold nothing of a client."""
