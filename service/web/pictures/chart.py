"""The time line drawn: an axis of months or years, lanes of bars beneath it, today's line through them, and a legend.

One drawing in two forms: wide, with the lanes' names beside them, and narrow, with the names above. Bars that would
cover each other (or each other's words) lie beneath each other; where that would take too much room, words give way:
the table has them all.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from babel import Locale
from babel.dates import get_month_names
from markupsafe import Markup

from service.web.pictures.drawing import (
    BAND,
    GRID,
    LINE,
    MARK,
    PAPER,
    QUIET,
    breadth,
    element,
    fitted,
    folded,
    lines,
    picture,
    svg,
    text,
)
from service.web.pictures.model import Bar, Lane, Mark, Timeline
from service.words import Words
from statemachines import PHASES
from statemachines.diagram import INK

Texts = Callable[..., str]

#: The filling and the line of each kind of bar: dark words on light fillings, lines that stand out from the paper.
_HUES = {
    "activity": ("#b5daf7", "#005799"),
    "coaching": ("#dff7eb", "#006631"),
    "work_trial": ("#e8d7a7", "#6b5518"),
    "employment": ("#ccccff", "#00005e"),
    "plan": ("#efeff0", "#4d4d4d"),
    "statement": ("#d0e6f7", "#4d4d4d"),
    "consent": ("#efeff0", "#4d4d4d"),
}
_HEAD, _PAD, _NAMED, _BARE, _TALL = 68, 7, 36, 22, 16
_MOST_TRACKS, _MOST_AHEAD, _MARK_ROOM = 4, 12, 8
#: How the outline of what is ahead is drawn.
_DASHED: dict[str, object] = {"stroke_dasharray": "4 3"}
#: Steps of the axis in months, and how much room a label of a month or a year needs.
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
_MONTH_ROOM, _YEAR_ROOM = 44, 44


@dataclass(frozen=True, slots=True)
class _Form:
    """Where things go in one form of the picture."""

    name: str
    width: int
    left: int
    right: int
    names_beside: bool


_WIDE = _Form("wide", 1120, 196, 1104, names_beside=True)
_NARROW = _Form("narrow", 340, 8, 332, names_beside=False)


def timeline_svg(timeline: Timeline, words: Words, t: Texts) -> Markup:
    """The picture of a time line; what it shows stands in `timeline.rows` too."""
    title, desc = t("timeline", "title"), _description(timeline, words, t)
    forms = []
    for form in (_WIDE, _NARROW):
        drawing = _Drawing(timeline, form, words, t)
        body = drawing.all()
        forms.append(svg("timeline", form.name, form.width, drawing.y, title, desc, body))
    return picture("timeline", *forms)


def _description(timeline: Timeline, words: Words, t: Texts) -> str:
    day = words.day
    told = [t("timeline", "desc", first=day(timeline.first), last=day(timeline.last), today=day(timeline.today))]
    running = [
        f"{lane.name} ({t('timeline', 'pause').lower()})" if _paused(lane, timeline.today) else lane.name
        for lane in timeline.lanes
        if any(bar.runs(timeline.today) for bar in lane.bars)
    ]
    told.append(t("timeline", "running", names=", ".join(running)) if running else t("timeline", "nothing_running"))
    hidden = [lane.name for lane in timeline.lanes if lane.withheld]
    if hidden:
        told.append(t("timeline", "not_shown", names=", ".join(hidden)))
    return " ".join(told)


def _paused(lane: Lane, today: date) -> bool:
    return any(part.kind == "pause" and part.runs(today) for bar in lane.bars for part in bar.parts)


@dataclass(frozen=True, slots=True)
class _Laid:
    """A bar with where it lies: its ends, its words (cut to fit) and where they begin."""

    bar: Bar
    start: float
    end: float
    label: str
    at: float


class _Drawing:
    """One form of a time line as it is being drawn: `y` is where the next thing goes."""

    def __init__(self, timeline: Timeline, form: _Form, words: Words, t: Texts) -> None:
        self.timeline, self.form, self.words, self.t = timeline, form, words, t
        self.y = float(_HEAD)
        self.hatch = f"polku-timeline-{form.name}-hatch"
        self.bands: list[ET.Element] = []
        self.things: list[ET.Element] = []
        self.used: set[str] = set()

    def all(self) -> list[ET.Element]:
        """Everything, what lies lowest first."""
        for place, lane in enumerate(self.timeline.lanes):
            self._lane(lane, place)
        self._ahead()
        bottom = self.y
        step = self._step()
        behind = [self._pattern(), *self.bands, *self._grid(step, bottom), self._today(bottom), *self._axis(step)]
        self._key()
        self._legend()
        return [*behind, *self.things]

    def x(self, day: date) -> float:
        """Where a day is, at the edge when it lies outside the picture."""
        first, last = self.timeline.first.toordinal(), self.timeline.last.toordinal()
        part = (day.toordinal() - first) / (last - first)
        return self.form.left + min(max(part, 0.0), 1.0) * (self.form.right - self.form.left)

    def _pattern(self) -> ET.Element:
        stripes = element("path", d="M-1 1l2 -2M0 6l6 -6M5 7l2 -2", stroke=QUIET, stroke_width=1.5)
        paper = element("rect", width=6, height=6, fill=PAPER)
        pattern = element("pattern", paper, stripes, id=self.hatch, width=6, height=6, patternUnits="userSpaceOnUse")
        return element("defs", pattern)

    # --- the axis ---

    def _grid(self, step: int, bottom: float) -> Iterator[ET.Element]:
        for day in self._ticks(step):
            x, colour = self.x(day), LINE if day.month == 1 else GRID
            yield element("path", d=f"M{x:.1f} {_HEAD - 22}V{bottom:.1f}", stroke=colour)

    def _axis(self, step: int) -> Iterator[ET.Element]:
        for day in self._ticks(step) if step < 12 else ():
            if self.x(day) + 34 < self.form.width:
                yield text(self.x(day) + 4, _HEAD - 8, self._month(day), size=12, colour=QUIET, halo=True)
        yield from self._years(step)

    def _step(self) -> int:
        days = (self.timeline.last - self.timeline.first).days
        month = (self.form.right - self.form.left) * 30.44 / days
        room = (step for step in _STEPS if month * step >= (_MONTH_ROOM if step < 12 else _YEAR_ROOM))
        return next(room, _STEPS[-1])

    def _ticks(self, step: int) -> Iterator[date]:
        first, last = self.timeline.first, self.timeline.last
        months = first.year * 12 + first.month - 1
        months += -months % step
        while months <= last.year * 12 + last.month - 1:
            day = date(months // 12, months % 12 + 1, 1)
            if day >= first:
                yield day
            months += step

    def _month(self, day: date) -> str:
        names = get_month_names("abbreviated", "stand-alone", Locale(self.words.lang))
        return str(names[day.month])

    def _years(self, step: int) -> Iterator[ET.Element]:
        """The years above the months, each once, at its first day or at the picture's edge; alone where there are
        no months."""
        if step >= 12:
            yield from (text(self.x(day) + 3, _HEAD - 8, str(day.year), bold=True) for day in self._ticks(step)
                        if self.x(day) + 34 < self.form.width)  # fmt: skip
            return
        first = self.timeline.first
        starts = [first, *(date(year, 1, 1) for year in range(first.year + 1, self.timeline.last.year + 1))]
        for place, day in enumerate(starts):
            end = self.x(starts[place + 1]) if place + 1 < len(starts) else float(self.form.right)
            if end - self.x(day) >= _YEAR_ROOM - 6:
                yield text(self.x(day) + 3, _HEAD - 26, str(day.year), bold=True)

    def _today(self, bottom: float) -> ET.Element:
        day = self.timeline.today
        x, told = self.x(day), self.t("timeline", "today", day=self.words.day(day))
        half = breadth(told, 13, bold=True) / 2 + 8
        middle = min(max(x, half + 1), self.form.width - half - 1)
        return element(
            "g",
            element("path", d=f"M{x:.1f} 22V{bottom:.1f}", stroke=MARK, stroke_width=2),
            element("rect", x=middle - half, y=2, width=2 * half, height=22, rx=4, fill=MARK),
            text(middle, 17.5, told, bold=True, anchor="middle", colour=PAPER),
            data_today=day.isoformat(),
        )

    # --- a lane ---

    def _lane(self, lane: Lane, place: int) -> None:
        top = self.y
        self.things.append(group := element("g", data_lane=lane.kind))
        name = self._lane_name(lane, group)
        if lane.withheld:
            self._withheld(group)
        else:
            self._bars(lane, group)
        self._close(top, name, place)

    def _lane_name(self, lane: Lane, group: ET.Element) -> float:
        """Write the lane's name; returns the lane's least height."""
        told = folded(lane.name, (self.form.left if self.form.names_beside else self.form.width) - 16, 13, bold=True)
        group.extend(text(8, self.y + 20 + 16 * row, line, bold=True, halo=True) for row, line in enumerate(told))
        if self.form.names_beside:
            self.y += _PAD
            return 16 * len(told) + 16
        self.y += 16 * len(told) + 10
        return 0

    def _close(self, top: float, least: float, place: int) -> None:
        self.y = max(self.y + _PAD, top + least)
        fill = BAND if place % 2 == 0 else PAPER
        self.bands.append(element("rect", y=top, width=self.form.width, height=self.y - top, fill=fill))

    def _withheld(self, group: ET.Element) -> None:
        box = {"x": self.form.left, "y": self.y - 2, "width": self.form.right - self.form.left, "height": 22, "rx": 4}
        group.append(element("rect", **box, fill=PAPER, stroke=LINE, stroke_width=2, stroke_dasharray="1 5"))
        group.append(text(self.form.left + 10, self.y + 13.5, self.t("timeline", "hidden"), colour=QUIET))
        self.y += 20

    def _bars(self, lane: Lane, group: ET.Element) -> None:
        shown = [bar for bar in lane.bars if bar.real and bar.start <= self.timeline.last]
        tracks = self._tracks([self._laid(bar) for bar in shown])
        if len(tracks) > _MOST_TRACKS:
            tracks = [self._squeezed(track) for track in self._tracks([self._bare(bar) for bar in shown])]
        for place, track in enumerate(tracks):
            tall = _NAMED if any(laid.label for laid in track) else _BARE
            for laid in track:
                group.append(self._bar(laid, self.y + tall - _TALL - 3))
            if place == 0:
                self._marks(lane.marks, group, self.y + tall - _TALL / 2 - 3)
            self.y += tall
        if not tracks:
            self._marks(lane.marks, group, self.y + _BARE / 2)
            self.y += _BARE

    def _ends(self, bar: Bar) -> tuple[float, float]:
        start, end = self.x(bar.start), self.x(self._until(bar))
        return start, max(end, start + 4)

    def _until(self, bar: Bar) -> date:
        """The last day a bar is drawn to: its end, else the end expected, else today."""
        if bar.end is not None:
            return bar.end
        if bar.start > self.timeline.today and bar.expected is None:
            return self.timeline.last
        return max(bar.expected or bar.start, self.timeline.today)

    def _laid(self, bar: Bar) -> _Laid:
        start, end = self._ends(bar)
        label = fitted(bar.label, self.form.right - self.form.left, 12)
        at = min(start, self.form.right - breadth(label, 12))
        return _Laid(bar, start, end, label, max(at, float(self.form.left)))

    def _bare(self, bar: Bar) -> _Laid:
        start, end = self._ends(bar)
        return _Laid(bar, start, end, "", start)

    def _tracks(self, many: Iterable[_Laid]) -> list[list[_Laid]]:
        """The bars in as few lines as hold them without one covering another or its words."""
        tracks: list[list[_Laid]] = []
        ends: list[float] = []
        for laid in sorted(many, key=lambda each: min(each.start, each.at)):
            start = min(laid.start, laid.at)
            end = max(laid.end, laid.at + breadth(laid.label, 12) + 8 if laid.label else laid.end)
            place = next((place for place, taken in enumerate(ends) if taken <= start), None)
            if place is None:
                tracks.append([laid])
                ends.append(end)
            else:
                tracks[place].append(laid)
                ends[place] = end
        return tracks

    def _squeezed(self, track: Sequence[_Laid]) -> list[_Laid]:
        """The bars of a line with the words that have room up to the next bar."""
        found = []
        for place, laid in enumerate(track):
            end = track[place + 1].start if place + 1 < len(track) else float(self.form.right)
            room = end - laid.start - 8
            label = fitted(laid.bar.label, room, 12) if room >= 60 else ""
            found.append(_Laid(laid.bar, laid.start, laid.end, label, laid.start))
        return found

    # --- a bar ---

    def _bar(self, laid: _Laid, y: float) -> ET.Element:
        bar = laid.bar
        group = element("g", element("title", self._told(bar)), data_bar=bar.kind)
        if laid.label:
            group.append(text(laid.at, y - 5, laid.label, size=12, halo=True))
        group.extend(self._body(laid, y))
        for part in bar.parts:
            if part.start <= self.timeline.last:
                group.append(self._part(part, y, _HUES[bar.kind][1]))
        self._marks(bar.marks, group, y + _TALL / 2)
        return group

    def _told(self, bar: Bar) -> str:
        until = self.words.day(bar.end) if bar.end is not None else self.t("timeline", "goes_on")
        return f"{bar.label or bar.name}: {self.words.day(bar.start)} – {until}"

    def _body(self, laid: _Laid, y: float) -> Iterator[ET.Element]:
        """What has been, solid, and what is ahead, dashed; a bar that goes on ends in a point."""
        bar, today = laid.bar, self.x(self.timeline.today)
        fill, stroke = _HUES[bar.kind]
        tall = _TALL - 8 if bar.thin else _TALL
        top = y + (_TALL - tall) / 2
        goes_on = bar.end is None or bar.end > self.timeline.last
        over = self._until(bar) <= self.timeline.today
        solid_until = laid.start if bar.planned else laid.end if over else min(max(today, laid.start), laid.end)
        if bar.thin:
            self.used.add("thin")
        if goes_on:
            self.used.add("open")
        if laid.end > solid_until + 1:
            self.used.add("ahead")
            shape = _shape(solid_until, laid.end, top, tall, goes_on=goes_on)
            yield element("path", d=shape, fill=PAPER, stroke=stroke, stroke_width=1.5, **_DASHED)
        if solid_until > laid.start:
            self.used.add("done")
            shape = _shape(laid.start, solid_until, top, tall, goes_on=goes_on and solid_until >= laid.end)
            yield element("path", d=shape, fill=fill, stroke=stroke, stroke_width=1.5)

    def _part(self, part: Bar, y: float, stroke: str) -> ET.Element:
        """A pause or interruption, hatched; a phase, parted by a line and named as far as there is room."""
        start, end = self._ends(part)
        group = element("g", data_part=part.kind)
        if part.kind != "phase":
            self.used.add("halt")
            over = self._until(part) <= self.timeline.today
            today = end if over else min(max(self.x(self.timeline.today), start), end)
            for left, right, dashes in ((start, today, {}), (today, end, _DASHED)):
                if right > left:
                    outline = _shape(left, right, y, _TALL, goes_on=False)
                    group.append(element("path", d=outline, fill=f"url(#{self.hatch})", stroke=stroke, **dashes))
            return group
        self.used.add("phases")
        group.append(element("path", d=f"M{start:.1f} {y:.1f}v{_TALL}", stroke=stroke, stroke_width=1.5))
        number, named = str(part.number), f"{part.number} {part.name}"
        told = named if breadth(named, 11) + 8 <= end - start else number if end - start >= 14 else ""
        if told:
            group.append(text(start + 4, y + 12, told, size=11))
        return group

    # --- marks ---

    def _marks(self, marks: Iterable[Mark], group: ET.Element, middle: float) -> None:
        """The marks of a bar or a lane; one that would cover another of its kind gives way to it."""
        taken: dict[str, float] = {}
        for mark in marks:
            x = self.x(mark.day)
            if mark.day > self.timeline.last or x - taken.get(mark.kind, -9.0) < _MARK_ROOM:
                continue
            taken[mark.kind] = x
            self.used.add(mark.kind)
            told = element("title", f"{mark.name}: {self.words.day(mark.day)}")
            group.append(element("g", told, *_sign(mark.kind, x, middle), data_mark=mark.kind))

    def _ahead(self) -> None:
        """The days rules tell of, as numbers."""
        timeline = self.timeline
        if not timeline.ahead and not timeline.ahead_withheld:
            return
        top = self.y
        self.things.append(group := element("g", data_lane="ahead"))
        least = self._lane_name(Lane("ahead", self.t("timeline", "ahead")), group)
        ends: list[float] = []
        for mark in self._numbered():
            if mark.day <= timeline.last:
                x = min(max(self.x(mark.day), 11.0), self.form.width - 11.0)
                row = next((row for row, taken in enumerate(ends) if taken <= x - 12), len(ends))
                ends[row : row + 1] = [x + 12]
                group.append(_number(mark, x, self.y + 12 + 25 * row))
        self.y += 25 * len(ends)
        if timeline.ahead_withheld:
            told = folded(self.t("timeline", "ahead_hidden"), self.form.right - self.form.left, 13)
            group.extend(lines(self.form.left + 4, self.y + 14, told, colour=QUIET))
            self.y += 17 * len(told) + 4
        self._close(top, least, len(timeline.lanes))

    def _numbered(self) -> tuple[Mark, ...]:
        return self.timeline.ahead[:_MOST_AHEAD]

    def _key(self) -> None:
        """What the numbers mean."""
        marks = self._numbered()
        if not marks:
            return
        self.things.append(group := element("g", data_key="yes"))
        self.y += 12
        for mark in marks:
            note = f" ({mark.note})" if mark.note else ""
            told = f"{self.words.day(mark.day)}: {mark.name}{note}"
            many = folded(told, self.form.right - self.form.left - 30, 13, most=4)
            group.append(_number(mark, self.form.left + 11, self.y + 11))
            group.extend(lines(self.form.left + 30, self.y + 15.5, many))
            self.y += 17 * len(many) + 8
        if left := len(self.timeline.ahead) - len(marks):
            group.append(text(self.form.left + 30, self.y + 13, self.t("timeline", "more_days", count=left)))
            self.y += 22

    # --- the legend ---

    def _legend(self) -> None:
        """What the shapes mean, those that are there."""
        self.things.append(group := element("g", data_legend="yes"))
        x, self.y = float(self.form.left), self.y + 14
        for sample, width, told in self._samples():
            room = width + breadth(told, 12) + 26
            phases = told == self.t("timeline", "legend_phases")
            if (phases or x + room > self.form.right + 20) and x > self.form.left:
                x, self.y = float(self.form.left), self.y + 22
            if sample:
                group.append(element("g", *sample, transform=f"translate({x:.1f} {self.y:.1f})"))
            group.append(text(x + width + (6 if sample else 0), self.y + 12.5, told, size=12, colour=QUIET))
            x += room
        self.y += 26

    def _samples(self) -> Iterator[tuple[list[ET.Element], float, str]]:
        """What the legend shows: a sample, how wide it is, and what it means."""
        t = self.t
        meant = {
            "done": t("timeline", "legend_done"),
            "ahead": t("timeline", "legend_ahead"),
            "open": t("timeline", "legend_open"),
            "halt": t("timeline", "legend_halt"),
            "thin": t("timeline", "legend_thin"),
            "period_end": t("timeline", "legend_end"),
            "review": t("timeline", "legend_review"),
            "update": t("timeline", "legend_update"),
            "limit": t("timeline", "legend_limit"),
            "event": t("timeline", "legend_event"),
        }
        for kind, words in meant.items():
            if kind in self.used:
                bar = self._sample(kind)
                yield ([bar], 28, words) if bar is not None else (_sign(kind, 8, 8), 16, words)
        if "phases" in self.used:
            yield [], 0, t("timeline", "legend_phases")
            for place, phase in enumerate(PHASES, 1):
                yield [], 0, f"{place} {self.words.state('coaching', phase)}"

    def _sample(self, kind: str) -> ET.Element | None:
        """A sample of a bar; None for marks."""
        solid = {"fill": "#efeff0", "stroke": QUIET, "stroke_width": 1.5}
        looks: dict[str, dict[str, object]] = {
            "done": {"d": _shape(1, 27, 1, _TALL - 2, goes_on=False), **solid},
            "ahead": {"d": _shape(1, 27, 1, _TALL - 2, goes_on=False), **solid, "fill": PAPER, **_DASHED},
            "open": {"d": _shape(1, 27, 1, _TALL - 2, goes_on=True), **solid},
            "halt": {"d": _shape(1, 27, 1, _TALL - 2, goes_on=False), **solid, "fill": f"url(#{self.hatch})"},
            "thin": {"d": _shape(1, 27, 4, _TALL - 8, goes_on=False), **solid},
        }
        return element("path", **looks[kind]) if kind in looks else None


def _shape(start: float, end: float, y: float, tall: float, *, goes_on: bool) -> str:
    """A bar's outline; one that goes on ends in a point."""
    tip = min(7.0, (end - start) / 2) if goes_on else 0.0
    half = tall / 2
    return (
        f"M{start:.1f} {y:.1f}H{end - tip:.1f}l{tip:.1f} {half:.1f}l{-tip:.1f} {half:.1f}H{start:.1f}z"
        if goes_on
        else (f"M{start:.1f} {y:.1f}H{end:.1f}v{tall:.1f}H{start:.1f}z")
    )


def _sign(kind: str, x: float, y: float) -> list[ET.Element]:
    """The shape of a mark: a diamond where something ends, a ring for a review, a stroke for an update, a wedge for a
    limit, a square else."""
    if kind == "period_end":
        return [element("path", d=f"M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z", fill=PAPER, stroke=INK, stroke_width=1.5)]
    if kind == "review":
        return [element("circle", cx=x, cy=y, r=5, fill=PAPER, stroke=INK, stroke_width=1.5)]
    if kind == "update":
        return [element("path", d=f"M{x:.1f} {y - _TALL / 2:.1f}v{_TALL}", stroke=INK, stroke_width=2)]
    if kind == "limit":
        return [element("path", d=f"M{x:.1f} {y + 8:.1f}l-7 -15h14z", fill=INK, stroke=PAPER, stroke_width=1.5)]
    return [element("rect", x=x - 5, y=y - 5, width=10, height=10, fill=INK, stroke=PAPER, stroke_width=1.5)]


def _number(mark: Mark, x: float, y: float) -> ET.Element:
    circle = element("circle", cx=x, cy=y, r=10, fill=PAPER, stroke=INK, stroke_width=1.5)
    return element(
        "g", circle, text(x, y + 4, str(mark.number), size=12, bold=True, anchor="middle"), data_mark="ahead"
    )
