"""One case by its number: the same journal whatever is drawn before, beside or after it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any

from service.generate.days import Draw, between, day_in, iso, pick
from service.generate.faults import faults_on
from service.generate.journal import Entry, Journal
from service.generate.journeys import journey, stage
from service.generate.planting import ADVISED, VIOLATED, Fault, Planted

FEWEST, MOST = 5, 60
#: Drawing anew until a fault fits the path, or the path is not too long for a journal; so often at the same stage.
ATTEMPTS, STAGE_ATTEMPTS = 60, 6
#: Of the faults, how many a professional has set aside with a reason.
SET_ASIDE = 0.08
_REASONS = ("Sovittu asiakkaan kanssa toisin.", "Hoidetaan ensi viikon tapaamisessa.", "Odotetaan toista päätöstä.")
#: An evaluation date from which on rules are in force for everything a path can hold.
EARLIEST = date(2024, 1, 1)
#: Dates stay in the years a journal may have.
LATEST = date(2150, 12, 31)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is drawn: the seed, the evaluation date, the share of cases with a fault, and how many entries each has
    (None: as they come)."""

    seed: int
    as_of: date
    faults: float = 0.1
    entries: int | None = None


class Drawing:
    """Draws cases by their numbers."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._as_of = wanted.as_of.toordinal()
        self._faults = faults_on(self._as_of)
        self._most = MOST if wanted.entries is None else wanted.entries

    def case(self, index: int) -> tuple[Journal, list[dict[str, Any]]]:
        """The journal of a number, and what was planted in it."""
        # Never used for secrets: a case must come out the same again.
        draw = random.Random(f"{self._wanted.seed}/{index}").random  # noqa: S311
        planted: list[Planted] | None = None
        fault: Fault | None = None
        journal = None
        if self._faults and draw() < self._wanted.faults:
            fault = pick(draw, self._faults)
            journal, planted = self._faulted(draw, index, fault)
        if journal is None:
            journal = self._tidy(draw, index)
        aside = _set_aside(journal, planted[0], self._most) if planted and draw() < SET_ASIDE else None
        if self._wanted.entries is not None:
            _fill(journal, self._wanted.entries)
        journal.number()
        if fault is None or not planted:
            return journal, []
        return journal, [self._label(journal, fault, found, aside) for found in planted]

    def _tidy(self, draw: Draw, index: int) -> Journal:
        at = stage(draw)
        for attempt in count():
            journal = journey(draw, self._as_of, index, self._wanted.seed, at)
            if self._fits(journal):
                return journal
            if attempt % STAGE_ATTEMPTS == STAGE_ATTEMPTS - 1:
                at = stage(draw)
        raise AssertionError  # count() has no end

    def _faulted(self, draw: Draw, index: int, fault: Fault) -> tuple[Journal | None, list[Planted] | None]:
        for _ in range(ATTEMPTS):
            journal = journey(draw, self._as_of, index, self._wanted.seed, pick(draw, fault.stages))
            planted = fault.edit(journal)
            if planted is not None and self._fits(journal):
                return journal, planted
        return None, None

    def _fits(self, journal: Journal) -> bool:
        return FEWEST <= len(journal.entries) + len(journal.ahead) <= self._most

    def _label(self, journal: Journal, fault: Fault, found: Planted, aside: Entry | None) -> dict[str, Any]:
        put_off = aside is not None and aside.fields["rule"] == found.rule
        return {
            "case": journal.case,
            "rule": found.rule,
            "outcome": found.outcome,
            "subject_entry": None if found.subject is None else found.subject.id,
            "entry": None if found.entry is None or found.entry not in journal.entries else found.entry.id,
            "date": iso(self._as_of),
            "set_aside": aside.id if put_off and aside is not None else None,
            "fault": fault.name,
            "how": fault.how,
        }


def _set_aside(journal: Journal, found: Planted, most: int) -> Entry | None:
    """A professional's choice to leave what was planted as it is, for now or for good."""
    if found.outcome not in (VIOLATED, ADVISED) or len(journal.entries) + len(journal.ahead) >= most:
        return None
    draw, as_of = journal.draw, journal.as_of
    on = day_in(draw, max(journal.begun, as_of - 25), as_of)
    entry = journal.add(on, "advice_set_aside", "social_worker", rule=found.rule, reason=pick(draw, _REASONS))
    if draw() < 0.5:
        entry.fields["until"] = iso(as_of + between(draw, 0, 60))
    return entry


def _fill(journal: Journal, entries: int) -> None:
    """Contacts no rule reads, until there are as many entries as wanted."""
    draw = journal.draw
    last = max(entry.day for entry in journal.entries)
    for _ in range(entries - len(journal.entries) - len(journal.ahead)):
        on = day_in(draw, journal.begun, last)
        party = pick(draw, ("partner", "partner", "family"))
        entry = journal.add(
            on, "contact", "social_worker", party=party, form=pick(draw, ("phone", "message", "remote"))
        )
        entry.fields["minutes"] = 5 * between(draw, 1, 9)
