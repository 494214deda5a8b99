"""The facts of a client, kept with the version of the case they were folded from, by recordings and by checks.

Facts hold absolute dates, so they say the same on every day up to `holds_until`: the last before a fact turns by
itself, an entry dated ahead counts, or the fold reads another number of the pack. Until then nobody needs to fold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from typing import Any

from rules.facts import FACTS
from rules.findings import SetAside
from rules.fold import FOLD_VERSION, Subject
from rules.kept import subjects_of
from rules.pack import Pack
from service.store import KeptFacts

#: Raised when what is kept, or how it is read, changes its form.
FORM = 1


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a version of a case, from the day they were folded on to the last on which they hold. `set_aside`
    has, by rule, the choice not to follow its advice that may still stand; why is not kept."""

    case_id: str
    version: int
    folded_on: date
    holds_until: date
    subjects: tuple[Subject, ...]
    set_aside: Mapping[str, SetAside]


@cache
def made_by(program: str) -> str:
    """What makes facts: those of another fold or vocabulary, or of a program that may fold otherwise, are not taken."""
    vocabulary = sha256(" ".join(FACTS).encode()).hexdigest()[:12]
    return f"{program}, fold {FOLD_VERSION}, form {FORM}, facts {vocabulary}"


def kept(
    case_id: str,
    version: int,
    days: tuple[date, date],
    subjects: Sequence[Mapping[str, Any]],
    set_aside: Mapping[str, SetAside],
    *,
    program: str,
    pack: Pack,
) -> KeptFacts:
    """Facts as they are kept: codes, numbers and dates; no name, note or reason. `days` are the first and the last on
    which they hold, `subjects` plain data (`rules.kept.subjects_data`)."""
    first, last = days
    aside = {rule: [choice.entry, _text(choice.until)] for rule, choice in set_aside.items()}
    return KeptFacts(
        case_id,
        version,
        made_by(program),
        pack.sha256,
        first.isoformat(),
        _text(last if last < date.max else None),
        json.dumps({"subjects": subjects, "set_aside": aside}, separators=(",", ":")),
    )


def taken(row: KeptFacts) -> Facts:
    """Facts as they were kept. Raises ValueError for what is not of their form."""
    content = json.loads(row.facts)
    try:
        set_aside = {rule: SetAside(entry, "", _day(until)) for rule, (entry, until) in content["set_aside"].items()}
        subjects = subjects_of(content["subjects"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no facts were kept here: {type(error).__name__}") from None
    until = _day(row.holds_until) or date.max
    return Facts(row.case_id, row.version, date.fromisoformat(row.as_of), until, subjects, set_aside)


def _text(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None
