"""Spans of days in which something is in force: decisions, statements, consents. The last day counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from rules.calendar import ONE_DAY
from rules.facts import UNKNOWN
from rules.fold.record import Record, field


class Span(NamedTuple):
    """Days from `start` to `end`, both counted; without an end it is open."""

    start: date
    end: date | None


_START = attrgetter("start")


def joined(spans: Iterable[Span]) -> list[Span]:
    """The spans, in order, those that follow each other without a gap made one; empty ones left out."""
    found: list[Span] = []
    for span in sorted([s for s in spans if s.end is None or s.start <= s.end], key=_START):
        last = found[-1] if found else None
        if last is None or (last.end is not None and span.start > _next_day(last.end)):
            found.append(span)
        elif last.end is not None and (span.end is None or span.end > last.end):
            found[-1] = Span(last.start, span.end)
    return found


def _next_day(day: date) -> date:
    return day + ONE_DAY if day < date.max else day


def in_force(record: Record, spans: Iterable[Span]) -> Span | None:
    """The joined span that holds the evaluation date, if any."""
    for span in joined(spans):
        if record.reached(span.start) and not record.passed(span.end):
            return span
    return None


def covers(spans: Iterable[Span], start: date, end: date | None) -> str:
    """Whether the joined spans hold every day from `start` to `end`: yes, no, or unknown when the end is not known."""
    for span in joined(spans):
        if span.start <= start and (span.end is None or span.end >= start):
            if span.end is None:
                return "yes"
            if end is None:
                return UNKNOWN
            return "yes" if span.end >= end else "no"
    return "no"


def statements(record: Record, measure: str, *, maybe: bool) -> list[Span]:
    """The spans of the paying statements for a measure; with `maybe`, also those of which paying is not recorded."""
    paying = ("yes", "unknown", None) if maybe else ("yes",)
    withdrawn = [entry for entry in record.of("statement_withdrawn") if field(entry, "measure") == measure]
    spans = []
    for entry in record.of("statement_issued"):
        if field(entry, "measure") != measure or field(entry, "paying") not in paying:
            continue
        ends = [other.date - ONE_DAY for other in withdrawn if record.after(other, entry)]
        if field(entry, "end") is not None:
            ends.append(field(entry, "end"))
        spans.append(Span(field(entry, "start"), min(ends, default=None)))
    return spans


def activity_decisions(record: Record) -> list[Span]:
    """The spans of the granted decisions for activity, cut by decisions that ended it."""
    decisions = [entry for entry in record.of("service_decision") if field(entry, "service") == "activity"]
    spans = []
    for place, entry in enumerate(decisions):
        if field(entry, "decision") != "granted":
            continue
        ends = [] if field(entry, "end") is None else [field(entry, "end")]
        for later in decisions[place + 1 :]:
            if field(later, "decision") == "ended":
                ends.append(field(later, "end") or later.date)
        spans.append(Span(field(entry, "start") or entry.date, min(ends, default=None)))
    return spans


def consent(record: Record, scope: str, party: str | None, *, informed: bool = False) -> str:
    """Whether a consent of this scope is in force: naming `party`, or (None) any party not withdrawn.

    With `informed` it must be voluntary and informed; one with such a detail left out makes the answer unknown.
    """
    withdrawn = [entry for entry in record.of("consent_withdrawn") if field(entry, "scope") == scope]
    answer = "no"
    for entry in record.of("consent_given"):
        if field(entry, "scope") != scope or record.passed(field(entry, "expires_on")):
            continue
        parties = set(field(entry, "parties"))
        for other in withdrawn:
            if record.after(other, entry):
                parties -= parties if field(other, "parties") is None else set(field(other, "parties"))
        if not parties or (party is not None and party not in parties):
            continue
        details = (field(entry, "voluntary"), field(entry, "informed")) if informed else ("yes",)
        if details.count("yes") == len(details):
            return "yes"
        if "no" not in details:
            answer = UNKNOWN
    if answer == UNKNOWN:
        return answer
    since = [other.date for other in withdrawn if _covers_party(field(other, "parties"), party)]
    return record.absent(("consent_given",), max(since, default=None))


def _covers_party(parties: Iterable[str] | None, party: str | None) -> bool:
    return parties is None or (party is not None and party in parties)
