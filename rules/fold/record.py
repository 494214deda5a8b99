"""A journal as one evaluation date sees it: what is visible, what is absent, and until when the answers hold.

Whatever a fact asks of the evaluation date goes through `reached` and `passed`, which note the next day the answer
would be another. So facts are kept until `holds_until`, not computed anew every day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from operator import attrgetter
from typing import Any

from rules.calendar import ONE_DAY, add_months
from rules.entries import LOCAL_TIME
from rules.facts import UNKNOWN
from rules.journal import Case, Entry
from statemachines.path import Path, follow

#: The id of an entry that is only proposed.
PROPOSAL = "proposal"

_DATE, _TYPE, _ID = attrgetter("date"), attrgetter("type"), attrgetter("id")


def visible_entries(case: Case, until: date, known_at: datetime | None = None) -> list[Entry]:
    """The entries that count on `until`: dated by then, recorded by `known_at`, not voided; by date, then position.

    A time without a zone is Finland's.
    """
    if known_at is not None and known_at.tzinfo is None:
        known_at = known_at.replace(tzinfo=LOCAL_TIME)
    seen = sorted(case.entries, key=_DATE)
    if seen and seen[-1].date > until:
        del seen[bisect_right(seen, until, key=_DATE) :]
    if known_at is not None:
        seen = [entry for entry in seen if entry.recorded_at is None or entry.recorded_at <= known_at]
    if "correction" not in map(_TYPE, seen):
        return seen
    corrections: dict[str, list[Entry]] = {}
    for entry in seen:
        if entry.type == "correction":
            corrections.setdefault(field(entry, "voids"), []).append(entry)
    return [entry for entry in seen if not _voided(entry, corrections)]


def _voided(entry: Entry, corrections: Mapping[str, Sequence[Entry]]) -> bool:
    # Journals whose corrections void each other in a circle are refused, so this ends.
    return any(not _voided(correction, corrections) for correction in corrections.get(entry.id, ()))


class History:
    """The visible entries of a case and where they led. Independent of the evaluation date.

    `step` is the entry under judgement as a step, proposed or about to be recorded: the fold reads it by its own
    details (a trial's arrangement, say), and names the subjects it begins or ends.
    """

    def __init__(
        self, case: Case, entries: Sequence[Entry], parameters: Mapping[str, int], step: Entry | None = None
    ) -> None:
        self.case = case
        self.entries = entries
        self.parameters = parameters
        self.step = step
        self.position: dict[str, int] = dict(zip(map(_ID, entries), range(len(entries)), strict=True))
        by_type: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_type[entry.type].append(entry)
        self.by_type: Mapping[str, list[Entry]] = by_type
        self.path: Path[Entry] = follow(
            entries, referral_lapse_months=parameters["referral.lapse_months"], add_months=add_months
        )

    def and_then(self, entry: Entry) -> History:
        """The history with one more entry at its end: a step under proposal."""
        return History(self.case, [*self.entries, entry], self.parameters, entry)

    def judging(self, entry_id: str) -> History | None:
        """The same history with one of its entries judged as a step; None when that entry does not count."""
        place = self.position.get(entry_id)
        if place is None:
            return None
        return History(self.case, self.entries, self.parameters, self.entries[place])


class Record:
    """A history read on one evaluation date."""

    def __init__(self, history: History, day: date) -> None:
        self.history = history
        self.case = history.case
        self.path = history.path
        self.parameters = history.parameters
        self.day = day
        self._by_type = history.by_type
        #: The plan updates that name a coaching, in order.
        self.plans_with_coaching = [plan for plan in self.of("activation_plan_updated") if field(plan, "coaching")]
        self._turn = date.max
        self.not_recorded = history.case.not_recorded
        self._complete_from = history.case.complete_from
        self._has_holes = bool(self.not_recorded) or self._complete_from is not None

    @property
    def holds_until(self) -> date:
        """The last day on which these facts hold if nothing is recorded (date.max: no end is known)."""
        return self._turn - ONE_DAY if self._turn < date.max else date.max

    def reached(self, day: date) -> bool:
        """Whether the evaluation date is `day` or later."""
        if day <= self.day:
            return True
        if day < self._turn:
            self._turn = day
        return False

    def passed(self, day: date | None) -> bool:
        """Whether the evaluation date is later than `day`; no day never passes."""
        if day is None:
            return False
        if day < self.day:
            return True
        if day < self._turn:
            self._turn = day + ONE_DAY
        return False

    def of(self, kind: str) -> Sequence[Entry]:
        """The visible entries of a type, in order."""
        return self._by_type.get(kind, ())

    def among(self, kinds: Iterable[str]) -> Sequence[Entry]:
        """The visible entries of these types, in order."""
        found = [entries for kind in kinds if (entries := self._by_type.get(kind))]
        if len(found) < 2:
            return found[0] if found else ()
        position = self.history.position
        return sorted(chain.from_iterable(found), key=lambda entry: position[entry.id])

    def latest(self, kind: str) -> Entry | None:
        """The latest entry of a type."""
        found = self._by_type.get(kind)
        return found[-1] if found else None

    def after(self, entry: Entry, other: Entry) -> bool:
        """Whether `entry` stands after `other` in the order of the journal."""
        position = self.history.position
        return position[entry.id] > position[other.id]

    def absent(self, types: Iterable[str], since: date | None) -> str:
        """What it means that entries of these types, sought from `since` on (None: from ever), were not found.

        `no`, or `unknown` when the sender does not carry them or one could lie where the journal may have holes.
        """
        if not self._has_holes:
            return "no"
        if any(kind in self.not_recorded for kind in types):
            return UNKNOWN
        start = self._complete_from
        return UNKNOWN if start is not None and (since is None or since < start) else "no"

    def absent_within(self, kind: str, months: int, until: date | None = None, since: date | None = None) -> str:
        """The same for one type sought within the `months` months before `until` (None: the evaluation date).

        `since` is a day before which the entry would not count anyway.
        """
        if not self._has_holes:
            return "no"
        if kind in self.not_recorded:
            return UNKNOWN
        start = self._complete_from
        if start is None:
            return "no"
        hole = start - ONE_DAY
        if since is not None and hole < since:
            return "no"
        last = add_months(hole, months)
        in_window = not self.passed(last) if until is None else last >= until
        return UNKNOWN if in_window else "no"


def field(entry: Entry, name: str) -> Any:
    """A field of an entry by name; None when the entry has none such."""
    return entry.__dict__.get(name)  # as getattr does it, without the long way pydantic goes to a missing name


def said(value: str | None) -> str:
    """A yes/no field as a fact: left out is unknown."""
    return UNKNOWN if value is None else value


def given(value: date | None) -> date | str:
    """A date field as a fact: left out is unknown."""
    return UNKNOWN if value is None else value
