"""How many findings a check came to, by rule, by role and by municipality: counts of work, of nobody's merit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from rules.pack import ROLES, SEVERITIES, Pack
from service.checks.tables import connect, quoted

#: What a count of findings is split into, with the rows that belong to it.
_SPLIT = {
    "violated": "is_step AND outcome = 'violated'",
    "advised": "is_step AND outcome = 'advised'",
    "unknown": "outcome = 'unknown'",
    "set_aside": "set_aside IS NOT NULL",
    "over": "NOT is_step AND outcome <> 'unknown' AND set_aside IS NULL",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """Findings not in order, to be done, and resting on a fact not known; besides, those whose advice someone set
    aside, and those about an episode that is over."""

    violated: int = 0
    advised: int = 0
    unknown: int = 0
    set_aside: int = 0
    over: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))

    @property
    def open(self) -> int:
        """Findings there is something to do about."""
        return self.violated + self.advised + self.unknown

    def as_json(self) -> dict[str, int]:
        """The counts for programs."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of a check. Rules stand in the pack's order within their severity, roles in the order of the path,
    municipalities by the alphabet (None: not recorded, last): by no count."""

    total: Counts
    by_rule: Mapping[str, Counts]
    by_severity: Mapping[str, Counts]
    by_role: Mapping[str, Counts]
    by_municipality: Mapping[str | None, Counts]

    def at_or_over(self, severity: str) -> int:
        """How many findings of a severity or a heavier one are not in order."""
        heavy = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return sum(self.by_severity[name].violated for name in heavy if name in self.by_severity)


def tally(findings: Path, pack: Pack, work: Path) -> Tally:
    """Count the findings of a Parquet file."""
    order = {rule.id: at for at, rule in enumerate(pack.editions[-1].rules)}
    numbers = ", ".join(f"count(*) FILTER ({which})" for which in _SPLIT.values())
    found: dict[str, dict[str | None, Counts]] = {name: {} for name in ("rule", "severity", "role", "municipality")}
    with connect(work) as connection:
        for name, counted in found.items():
            query = f"SELECT {name}::VARCHAR, {numbers} FROM read_parquet({quoted(findings)}) GROUP BY 1"
            counted.update((key, Counts(*counts)) for key, *counts in connection.execute(query).fetchall())
    by_municipality = found["municipality"]
    return Tally(
        total=sum(found["severity"].values(), Counts()),
        by_rule=_ordered(found["rule"], lambda key: order.get(key, len(order))),
        by_severity=_ordered(found["severity"], SEVERITIES.index),
        by_role=_ordered(found["role"], ROLES.index),
        by_municipality={
            key: by_municipality[key] for key in sorted(by_municipality, key=lambda key: (key is None, key or ""))
        },
    )


def _ordered(counted: Mapping[str | None, Counts], place: Callable[[str], int]) -> dict[str, Counts]:
    names = [key for key in counted if key is not None]
    return {name: counted[name] for name in sorted(names, key=lambda name: (place(name), name))}
