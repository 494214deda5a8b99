"""The vocabulary: every fact a rule may read, declared once.

Facts are statuses, yes/no/unknown, numbers and absolute dates, never day counts: they change only when an entry does
(or on a day the fold announces), and what a day means is left to the rule (DESIGN "Facts"). Recorded facts come from
`rules.fold`; deadlines are derived from them in the pack. A subject of kind K has the case's facts and K's own.

A fact that can be unknown says so; unknown is never read as no. An absent date (`None`) is known to be absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeAlias

import yaml

UNKNOWN = "unknown"

Value: TypeAlias = str | int | date | None
FactType: TypeAlias = Literal["yes_no", "enum", "number", "date"]

_VOCABULARY = Path(__file__).parent / "facts.yaml"

#: What a rule can be about (SPEC §4 "Each rule's subject").
KINDS = ("case", "activity", "pause", "referral", "plan", "coaching", "trial", "job", "stop")


@dataclass(frozen=True, slots=True)
class Fact:
    """One declared fact: `kind.name`, its type, the values it takes, its labels and the entries it is read from.

    `read_from` says it to a reader; `rests_on` names every entry type and field, for `rules.provenance`. With
    `of_its_entries` it is told by the entry that began its subject or the one that ended it, and by nothing else.
    """

    name: str
    type: FactType
    labels: dict[str, str]
    read_from: str
    values: tuple[str, ...] = ()
    may_be_unknown: bool = False
    detail: str | None = None
    rests_on: tuple[str, ...] = ()
    of_its_entries: bool = False

    @property
    def kind(self) -> str:
        """The kind of subject that carries the fact."""
        return self.name.split(".", 1)[0]

    @property
    def field(self) -> str:
        """The name within its kind: for a fact read off one field of an entry, that field's name."""
        return self.name.split(".", 1)[1]


def _declared() -> dict[str, Fact]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(_VOCABULARY.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (a safe loader)
    found = {}
    for name, item in content.items():
        # YAML readers make booleans of yes and no.
        words = tuple({True: "yes", False: "no"}.get(value, value) for value in item.get("values", ()))
        values = ("yes", "no") if item["type"] == "yes_no" else words
        perhaps = bool(item.get("perhaps", False))
        found[name] = Fact(
            name,
            item["type"],
            item["label"],
            item["read_from"],
            values,
            perhaps,
            item.get("detail"),
            tuple(item["rests_on"]),
            bool(item.get("of_its_entries", False)),
        )
    return found


#: Every recorded fact by name, as `facts.yaml` declares it.
FACTS: dict[str, Fact] = _declared()
