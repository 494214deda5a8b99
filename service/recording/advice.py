"""What became of the advice that was shown: read off the successive decisions of a case, for auditors.

Advice is a finding that was someone's next step: a rule and its subject. It is shown from the decision that first holds
it until one no longer does. What then became of it is told by that decision and by the entries recorded since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from service.recording.record import UNDETERMINED, todays

#: What can become of advice. `followed_late`: after its limit. `lapsed`: it no longer applies, and nothing recorded
#: carries it out. `open` and `overdue` still stand; `acknowledged` stands too, and a step was recorded past it.
FATES = ("followed", "followed_late", "lapsed", "set_aside", "acknowledged", "overdue", "open")

Key = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """The decision in which advice was shown, or was no longer."""

    decision: str
    version: int
    as_of: str

    def as_json(self) -> dict[str, Any]:
        """The decision for programs."""
        return {"decision": self.decision, "version": self.version, "as_of": self.as_of}


@dataclass(slots=True)
class Advice:
    """One run of advice: from when to when it was shown, and what became of it (one of FATES)."""

    key: Key
    action: str
    role: str
    due: str | None
    first: Shown
    last: Shown
    became: str = "open"
    ended: Shown | None = None
    #: The entry by which a professional set it aside.
    set_aside: str | None = None
    #: Decisions that recorded a step past it, with a reason.
    acknowledged: list[str] = field(default_factory=list)
    done_by: set[str] = field(default_factory=set)

    def as_json(self) -> dict[str, Any]:
        """The advice for programs."""
        rule, kind, entry = self.key
        return {
            "rule": rule,
            "subject": {"kind": kind, "entry": entry},
            "action": self.action,
            "role": self.role,
            "due": self.due,
            "first_shown": self.first.as_json(),
            "last_shown": self.last.as_json(),
            "became": self.became,
            "ended": self.ended.as_json() if self.ended is not None else None,
            "set_aside": self.set_aside,
            "acknowledged": list(self.acknowledged),
        }


@cache
def carried_out_by() -> Mapping[str, tuple[str, ...]]:
    """The entry types that carry out each action, the usual one first, as actions.yaml tells."""
    text = (Path(__file__).parent / "actions.yaml").read_text(encoding="utf-8")
    return {action: tuple(types) for action, types in yaml.safe_load(text).items()}


def advice_trail(records: Iterable[Mapping[str, Any]], types: Mapping[str, str], today: date) -> list[Advice]:
    """All advice of a case in the order it was first shown, from its decision records in order of version.

    `types` are the entry types by entry id. Undetermined decisions showed none and end none.
    """
    trail: list[Advice] = []
    standing: dict[Key, Advice] = {}
    for record in records:
        if record["status"] == UNDETERMINED:
            continue
        now = todays(record)
        shown = Shown(record["id"], record["version"], now["as_of"])
        found = {_key(finding): finding for finding in now["findings"]}
        recorded = {types[entry] for entry in record["entries"] if entry in types}
        for key, advice in list(standing.items()):
            advice.done_by |= recorded.intersection(carried_out_by()[advice.action])
            finding = found.get(key)
            if finding is None or not finding["step"]:
                _end(standing.pop(key), finding, shown)
        for key, finding in found.items():
            if finding["step"]:
                advice = standing.get(key) or _begin(trail, standing, key, finding, shown)
                advice.last, advice.due = shown, finding["due"]
                advice.action, advice.role = finding["action"], finding["role"]
        _acknowledge(standing.values(), record)
    for advice in standing.values():
        advice.became = _still(advice, today)
    return trail


def _key(finding: Mapping[str, Any]) -> Key:
    return finding["rule"], finding["subject"]["kind"], finding["subject"]["entry"]


def _begin(
    trail: list[Advice], standing: dict[Key, Advice], key: Key, finding: Mapping[str, Any], shown: Shown
) -> Advice:
    advice = Advice(key, finding["action"], finding["role"], finding["due"], shown, shown)
    trail.append(advice)
    standing[key] = advice
    return advice


def _end(advice: Advice, finding: Mapping[str, Any] | None, shown: Shown) -> None:
    """Tell what became of advice by the decision that no longer shows it."""
    advice.ended = shown
    if finding is not None and finding["set_aside"] is not None:
        advice.became, advice.set_aside = "set_aside", finding["set_aside"]
    elif finding is not None and finding["outcome"] in ("satisfied", "remedied"):
        advice.became = "followed" if finding["outcome"] == "satisfied" else "followed_late"
    else:
        advice.became = "followed" if advice.done_by else "lapsed"


def _acknowledge(standing: Iterable[Advice], record: Mapping[str, Any]) -> None:
    rules = record["acknowledged"]["rules"] if record["acknowledged"] is not None else ()
    for advice in standing:
        if advice.key[0] in rules:
            advice.acknowledged.append(record["id"])


def _still(advice: Advice, today: date) -> str:
    if advice.acknowledged:
        return "acknowledged"
    return "overdue" if advice.due is not None and advice.due < today.isoformat() else "open"


def not_followed(trail: Iterable[Advice]) -> Iterator[Advice]:
    """The advice an auditor asks about: all that was not followed."""
    return (advice for advice in trail if advice.became not in ("followed", "followed_late"))
