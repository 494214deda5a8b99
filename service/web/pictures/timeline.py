"""The time line: what has lasted from when to when, which days are limits, and what is ahead, as far as one may see.

A model first (`Timeline`), of which the picture (`timeline_svg`) and the table (`rows`) tell the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from rules.calendar import add_months
from rules.pack import Pack
from service.web.pictures.chart import timeline_svg
from service.web.pictures.lanes import lanes_of
from service.web.pictures.model import Bar, Lane, Mark, Row, Timeline
from service.words import Words, sentence

__all__ = ["Bar", "Lane", "Mark", "Row", "Timeline", "timeline_of", "timeline_svg"]

Texts = Callable[..., str]
Json = Mapping[str, Any]

#: How far past today the picture reaches at most; what lies further stands in the table.
_MONTHS_AHEAD = 24
#: How far rules' days ahead may stretch the picture.
_MONTHS_OF_RULES = 12
#: What follows from the path itself is told as a next step, not as a day ahead.
_QUIET = "information"


def timeline_of(
    document: Json, assessment: Json | None, today: date, words: Words, t: Texts, *, pack: Pack | None = None
) -> Timeline:
    """The time line of a case. `document` is `withhold_case`'s, `assessment` `withhold_assessment`'s (None: closed to
    the reader): nothing else is known here. `pack` names rules that have days ahead but no finding yet."""
    lanes = lanes_of(document, today, words, t)
    titles = _Titles(assessment, words, pack)
    days = _days_ahead(assessment, titles, words) if assessment is not None else []
    lanes = [_with_limits(lane, assessment, titles) for lane in lanes]
    ahead = tuple(replace(mark, number=number) for number, mark in enumerate(days, 1))
    hidden = assessment is None or bool(assessment.get("withheld", {}).get("agenda"))
    first, last = _span(lanes, ahead, today)
    rows = (*_rows(lanes, words, t), *_rows_ahead(ahead, hidden, words, t))
    return Timeline(tuple(lanes), ahead, hidden, today, first, last, rows)


# --- the days ahead that rules tell of ---


class _Titles:
    """The titles and weights of rules, by the findings shown and, where there are none, by the pack."""

    def __init__(self, assessment: Json | None, words: Words, pack: Pack | None) -> None:
        rules = pack.editions[-1].rules if pack is not None else ()
        self._titles = {rule.id: words.of(rule.title) for rule in rules}
        self._weights = {rule.id: rule.severity for rule in rules}
        for finding in assessment["findings"] if assessment is not None else ():
            if not finding.get("withheld"):
                self._titles[finding["rule"]] = finding["title"]
                self._weights[finding["rule"]] = finding["severity"]

    def of(self, rule: str) -> str | None:
        """The title of a rule that is worth a day in the picture; None of others and unknown ones."""
        return self._titles.get(rule) if self._weights.get(rule) != _QUIET else None


def _days_ahead(assessment: Json, titles: _Titles, words: Words) -> list[Mark]:
    """The next steps that have a day, and the days on which an outcome will change, in order, each once."""
    found = [
        Mark("ahead", date.fromisoformat(step["due"]), step["text"], words("statuses", step["status"]))
        for step in assessment["next_steps"]
        if step["due"] is not None
    ]
    told = {(rule, step["due"]) for step in assessment["next_steps"] for rule in step["because"]}
    for change, since in _changes(assessment):
        title = titles.of(change["rule"])
        if title is not None and (change["rule"], change["last_day"]) not in told:
            found.append(_ahead(change, since, title, words))
    return sorted(dict.fromkeys(found), key=lambda mark: mark.day)


def _changes(assessment: Json) -> Iterator[tuple[Json, str | None]]:
    """The changes ahead that open something, each with the day since which it is to be done: what is to be done from
    one day and by another is one change, on its last day."""
    to_do: dict[tuple[str, str, str | None], Json] = {}
    for change in assessment["agenda"]:
        subject = change["rule"], change["subject"]["kind"], change["subject"]["entry"]
        opened = to_do.pop(subject, None)
        if change["to"] == "violated":
            yield change, opened["changes_on"] if opened is not None else None
        elif opened is not None:
            yield opened, None
        if change["to"] in ("advised", "unknown"):
            to_do[subject] = change
    yield from ((change, None) for change in to_do.values())


def _ahead(change: Json, since: str | None, title: str, words: Words) -> Mark:
    if change["to"] != "violated":
        return Mark("ahead", date.fromisoformat(change["changes_on"]), title, words("outcomes", change["to"]))
    note = words("page", "last_day").lower()
    if since is not None:
        begins = words("page", "from_day", day=words.day(date.fromisoformat(since)))
        note = f"{note}, {words('outcomes', 'advised')} {begins}"
    return Mark("ahead", date.fromisoformat(change["last_day"]), title, note)


def _with_limits(lane: Lane, assessment: Json | None, titles: _Titles) -> Lane:
    """The lane of the activity with the limits of its pause."""
    if assessment is None or lane.kind != "activity" or not lane.bars:
        return lane
    about_pauses = [item for item in assessment["findings"] if item.get("subject", {}).get("kind") == "pause"]
    days = {(item["rule"], item["due"]) for item in about_pauses if item["due"] is not None}
    changes = (change for change in assessment["agenda"] if change["subject"]["kind"] == "pause")
    days |= {(change["rule"], change["last_day"]) for change in changes if change["to"] == "violated"}
    limits = {Mark("limit", date.fromisoformat(day), title) for rule, day in days if (title := titles.of(rule))}
    found = sorted(limits, key=lambda mark: (mark.day, mark.name))
    last = replace(lane.bars[-1], marks=(*lane.bars[-1].marks, *found))
    return replace(lane, bars=(*lane.bars[:-1], last))


# --- the days the picture spans ---


def _span(lanes: Iterable[Lane], ahead: Iterable[Mark], today: date) -> tuple[date, date]:
    """From the first day to the last that is drawn: at least some weeks past today, and not far past it."""
    reach, of_rules = add_months(today, _MONTHS_AHEAD), add_months(today, _MONTHS_OF_RULES)
    days = [day for lane in lanes for day in _days(lane)]
    days += [mark.day for mark in ahead if mark.day <= of_rules]
    first = min([*days, add_months(today, -3)])
    last = max([day for day in days if day <= reach], default=today)
    cut = reach if any(day > reach for day in days) else last
    return first, max(last, cut, add_months(today, 2))


def _days(lane: Lane) -> Iterator[date]:
    for bar in lane.bars:
        if bar.real:
            yield bar.start
            if bar.planned:  # some room to be seen in
                yield add_months(bar.start, 2)
            yield from (day for day in (bar.end, bar.expected) if day is not None)
            yield from (mark.day for mark in bar.marks)
    yield from (mark.day for mark in lane.marks)


# --- the same as a table ---


def _rows(lanes: Iterable[Lane], words: Words, t: Texts) -> Iterator[Row]:
    for lane in lanes:
        if lane.withheld:
            yield Row(lane.name, lane.name, "", "", t("timeline", "hidden"))
            continue
        told = [(bar.start, row) for bar in lane.bars for bar, row in _bar_rows(lane, bar, words, t)]
        told += [(mark.day, _mark_row(lane.name, mark, words)) for mark in lane.marks]
        yield from (row for _, row in sorted(told, key=lambda each: each[0]))
        if lane.partly:
            yield Row(lane.name, lane.name, "", "", t("timeline", "partly_hidden"))


def _bar_rows(lane: Lane, bar: Bar, words: Words, t: Texts) -> Iterator[tuple[Bar, Row]]:
    yield bar, Row(lane.name, _what(bar), words.day(bar.start), _until(bar, words, t), _note(bar, words, t))
    for part in bar.parts:
        name = f"{part.number}. {part.name}" if part.number is not None else part.name
        yield part, Row(lane.name, name, words.day(part.start), _until(part, words, t), "")
    for mark in bar.marks:
        yield replace(bar, start=mark.day), _mark_row(lane.name, mark, words)


def _what(bar: Bar) -> str:
    more = bar.label and not bar.label.startswith(bar.name)
    return f"{bar.name}: {bar.label}" if more else bar.label or bar.name


def _until(bar: Bar, words: Words, t: Texts) -> str:
    if not bar.real:
        return ""
    return words.day(bar.end) if bar.end is not None else t("timeline", "goes_on")


def _note(bar: Bar, words: Words, t: Texts) -> str:
    notes = [bar.note] if bar.note else []
    if not bar.real:
        notes.append(sentence(t("timeline", "never_in_force")))
    if bar.end is None and bar.expected is not None:
        notes.append(sentence(t("timeline", "expected", day=words.day(bar.expected))))
    return ". ".join(notes)


def _mark_row(lane: str, mark: Mark, words: Words) -> Row:
    name = f"{mark.number}. {mark.name}" if mark.number is not None else mark.name
    return Row(lane, name, words.day(mark.day), "", sentence(mark.note))


def _rows_ahead(ahead: Iterable[Mark], hidden: bool, words: Words, t: Texts) -> Iterator[Row]:
    lane = t("timeline", "ahead")
    yield from (_mark_row(lane, mark, words) for mark in ahead)
    if hidden:
        yield Row(lane, lane, "", "", t("timeline", "ahead_hidden"))
