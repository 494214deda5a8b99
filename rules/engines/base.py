"""What an engine is: facts of one subject and a date in, an outcome for each rule out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from rules.facts import Value
from rules.pack import Rule

#: Outcome by the rule's position in its ruleset.
Outcomes = dict[int, str]


class EngineError(RuntimeError):
    """An engine that could not judge. Never skipped: the assessment stops."""


class EngineDifference(EngineError):
    """Two engines came to different outcomes for the same facts; the message shows the facts."""


class Engine(Protocol):
    """Judges subjects of one ruleset."""

    name: str

    def judge(self, kind: str, facts: Mapping[str, Value], day: date) -> Outcomes:
        """The outcome of every first-wave rule about `kind` for a subject with these facts, on `day`.

        Raises EngineError when it cannot judge.
        """

    def judge_wave(self, wave: int, facts: Mapping[str, Value], found: Mapping[str, str], day: date) -> Outcomes:
        """The outcome of the case's rules of a later wave: `found` holds what earlier findings came to.

        Raises EngineError when it cannot judge.
        """


def rules_of_wave(rules: Sequence[Rule], wave: int) -> list[Rule]:
    """The rules of one wave, in the pack's order."""
    return [rule for rule in rules if rule.wave == wave]
