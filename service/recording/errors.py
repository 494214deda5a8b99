"""Why something was not recorded. None of these holds a name, a note or a value of the client's beyond the places that
`JournalError` tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rules.reading import Problem

if TYPE_CHECKING:
    from rules.findings import Finding
    from service.recording.judging import Break


class NotRecorded(Exception):
    """What all errors of recording are. Nothing of the request is kept."""


class CaseNotFound(NotRecorded):
    """There is no such case, or the one who asks has no business with it: the two are not told apart."""


class CaseGone(NotRecorded):
    """The case's data was disposed of: nothing is recorded in it any more."""


class CaseExists(NotRecorded):
    """A case of this id is kept already."""


class NotAllowed(NotRecorded):
    """The role may not record this in its relation to the client: the places of what it may not."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(self.problems)} entries that this role may not record")


class Refused(NotRecorded):
    """The request has mistakes, each with its place in the request (`entries[0].date`)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(self.problems)} mistakes")


class NeedsAcknowledgement(NotRecorded):
    """A guard blocks a step, or an entry breaks a statechart: recorded only with an acknowledgement that names `rules`.

    `findings` say what the rules came to, about which subject; `breaks` which entries no chart allows.
    """

    def __init__(self, rules: Sequence[str], findings: Sequence[Finding], breaks: Sequence[Break]) -> None:
        self.rules = tuple(rules)
        self.findings = tuple(findings)
        self.breaks = tuple(breaks)
        super().__init__(f"to be acknowledged: {', '.join(self.rules)}")


class PreconditionFailed(NotRecorded):
    """The case is at another version than the request was made for: someone recorded in between."""

    def __init__(self, current: int) -> None:
        self.current = current
        super().__init__(f"the case is at version {current}")


class KeyReused(NotRecorded):
    """The Idempotency-Key was used before with another request."""
