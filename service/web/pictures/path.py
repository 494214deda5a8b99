"""The path as a picture: its stages in their natural order, where the client is, what is behind and what could come.

The charts of the path run side by side, so several stages may be current at once. Shape and words mark each; a chart
that is withheld from the reader is drawn as not shown.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

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
    folded,
    lines,
    picture,
    svg,
    text,
)
from service.words import Words, sentence
from statemachines import COACHING_RUNNING, PHASES, REFERRAL_OPEN, labels
from statemachines.charts import ARROWS
from statemachines.diagram import INK

#: What the words of a picture come from: section, key, values.
Texts = Callable[..., str]

HERE, BEHIND, NEXT, AHEAD, HIDDEN = "here", "behind", "next", "ahead", "hidden"

#: The stages along the path: the stage, its chart, and the chart's states in which the client is there and past it.
_ALONG: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("activity", "activity", ("active", "paused"), ("ended",)),
    ("plan_update", "referral", REFERRAL_OPEN, ("done",)),
    ("coaching", "coaching", COACHING_RUNNING, ("ended",)),
    ("work_trial", "work_trial", ("running",), ("ended",)),
    ("employment", "employment", ("employed",), ("ended",)),
)
#: Where the client may be beside it; only the stage tells.
_BESIDE = ("between_services", "other_outcome", "closed")
_HALTED = ("paused", "interrupted")


@dataclass(frozen=True, slots=True)
class Place:
    """One stage in the picture: how the client stands to it, and its state in words (empty: none to tell)."""

    stage: str
    name: str
    standing: str
    state: str = ""
    halted: bool = False


@dataclass(frozen=True, slots=True)
class _Map:
    """All that is drawn: the stages along the path and beside it, and the current phase of coaching."""

    title: str
    along: tuple[Place, ...]
    beside: tuple[Place, ...]
    phase: str | None
    words: Words
    t: Texts

    def phases(self) -> Iterator[tuple[str, bool]]:
        return ((self.words.state("coaching", phase), phase == self.phase) for phase in PHASES)

    def tag(self, standing: str) -> str:
        """The words that mark a place, for those that are marked."""
        if standing == HERE:
            return labels.DRAWING["here"][self.words.lang]
        return self.t("path_picture", "next") if standing == NEXT else ""


def path_picture(
    state: Mapping[str, str | None], words: Words, t: Texts, *, next_triggers: Sequence[str] = ()
) -> Markup:
    """The path with the client's place. `state` is an assessment's; a value of None is withheld from the reader.

    `next_triggers` are the steps that could be taken now.
    """
    drawn = _map(state, words, t, next_triggers)
    desc = " ".join(path_places(state, words, t, next_triggers=next_triggers))
    wide, width, height = _wide(drawn)
    narrow, narrow_width, narrow_height = _narrow(drawn)
    return picture(
        "path",
        svg("path", "wide", width, height, drawn.title, desc, wide),
        svg("path", "narrow", narrow_width, narrow_height, drawn.title, desc, narrow),
    )


def path_places(
    state: Mapping[str, str | None], words: Words, t: Texts, *, next_triggers: Sequence[str] = ()
) -> list[str]:
    """What the picture tells, as sentences."""
    drawn = _map(state, words, t, next_triggers)
    places = [*drawn.along, *drawn.beside]
    return [
        f"{title}: {', '.join(told)}."
        for standing, title in (
            (HERE, labels.DRAWING["here"][words.lang]),
            (BEHIND, t("path_picture", "behind")),
            (NEXT, t("path_picture", "next")),
            (HIDDEN, t("path_picture", "hidden")),
        )
        if (told := [_told(place) for place in places if place.standing == standing])
    ]


def _told(place: Place) -> str:
    shown = place.state if place.standing == HERE else ""
    return f"{place.name} ({shown})" if shown else place.name


# --- where the client stands ---


def _map(state: Mapping[str, str | None], words: Words, t: Texts, triggers: Sequence[str]) -> _Map:
    title, stage = labels.DRAWING["title"][words.lang], state["stage"]
    along = [_beginning(state, words, t), *_along(state, words, triggers)]
    beside = [Place(name, words.stage(name), HIDDEN if stage is None else _here(stage == name)) for name in _BESIDE]
    return _Map(
        title if stage is None else f"{title}: {words.stage(stage)}",
        tuple(along),
        tuple(beside),
        state["coaching"] if state["coaching"] in PHASES else None,
        words,
        t,
    )


def _here(here: bool) -> str:
    return HERE if here else AHEAD


def _beginning(state: Mapping[str, str | None], words: Words, t: Texts) -> Place:
    stage = state["stage"]
    standing = HIDDEN if stage is None else HERE if stage == "not_started" else BEHIND
    return Place("not_started", t("path_picture", "beginning"), standing)


def _along(state: Mapping[str, str | None], words: Words, triggers: Sequence[str]) -> Iterator[Place]:
    """The stages that have a chart. What could come next lies further along than where the client is."""
    current = [state[chart] in there for _, chart, there, _ in _ALONG]
    furthest = max((place for place, here in enumerate(current) if here), default=-1)
    for place, (name, chart, there, past) in enumerate(_ALONG):
        now = state[chart]
        if now is None:
            yield Place(name, _name(name, chart, words), HIDDEN)
            continue
        leads_on = place > furthest and any(
            arrow.chart == chart and arrow.source == now and arrow.dest in there and arrow.trigger in triggers
            for arrow in ARROWS
        )
        standing = HERE if current[place] else NEXT if leads_on else BEHIND if now in past else AHEAD
        yield Place(name, _name(name, chart, words), standing, sentence(words.state(chart, now)), now in _HALTED)


def _name(stage: str, chart: str, words: Words) -> str:
    """What a stage is called: as its chart is, but the preparation of coaching by what it is."""
    return words.stage(stage) if chart == "referral" else words.chart(chart)


# --- the wide form: boxes in a row ---

_WIDTH, _EDGE, _BOX, _GAP, _TOP, _TALL = 1120, 10, 164, 23, 34, 92


def _wide(drawn: _Map) -> tuple[list[ET.Element], int, int]:
    left = [_EDGE + place * (_BOX + _GAP) for place in range(len(drawn.along))]
    body = []
    for place, x in zip(drawn.along, left, strict=True):
        if x > _EDGE:
            body.append(_arrow(x - _GAP + 4, _TOP + _TALL / 2, x - 4))
        body.append(_box(place, x, drawn))
    coaching = left[[place.stage for place in drawn.along].index("coaching")] + _BOX / 2
    body.append(_phases_in_a_row(drawn, coaching))
    y = _TOP + _TALL + 118
    body += [element("path", d=f"M{_EDGE} {y}H{_WIDTH - _EDGE}", stroke=GRID), *_pills(drawn, y + 18)]
    return body, _WIDTH, y + 62


def _arrow(x: float, y: float, to: float) -> ET.Element:
    return element(
        "g",
        element("path", d=f"M{x} {y}H{to - 6}", stroke=LINE, stroke_width=2),
        element("path", d=f"M{to} {y}l-8 -5v10z", fill=LINE),
    )


def _look(standing: str) -> dict[str, object]:
    """How a shape tells the standing: by its line (thick, thin, double width, dashed, dotted) and its filling."""
    return {
        HERE: {"fill": "#e6f4ff", "stroke": MARK, "stroke_width": 4},
        BEHIND: {"fill": "#efeff0", "stroke": QUIET, "stroke_width": 1},
        NEXT: {"fill": PAPER, "stroke": MARK, "stroke_width": 2},
        AHEAD: {"fill": PAPER, "stroke": LINE, "stroke_width": 1, "stroke_dasharray": "6 4"},
        HIDDEN: {"fill": BAND, "stroke": LINE, "stroke_width": 2, "stroke_dasharray": "1 5"},
    }[standing]


def _box(place: Place, x: float, drawn: _Map) -> ET.Element:
    middle, here = x + _BOX / 2, place.standing == HERE
    name = folded(place.name, _BOX - 10, 14, bold=True)
    state = folded(_second_line(place, drawn.t), _BOX - 14, 13, most=2)
    first = _TOP + _TALL / 2 - (len(name) * 17 + len(state) * 16) / 2 + 14
    parts = [
        element("rect", x=x, y=_TOP, width=_BOX, height=_TALL, rx=4 if here else 14, **_look(place.standing)),
        *lines(middle, first, name, size=14, bold=True, anchor="middle"),
        *lines(middle, first + len(name) * 17 + 1, state, step=16, anchor="middle", colour=QUIET),
    ]
    if place.halted:
        parts.append(_bars(middle - breadth(state[0], 13) / 2 - 16, first + len(name) * 17 - 9))
    if tag := drawn.tag(place.standing):
        parts += _tag(place.standing, tag, x)
    return element("g", *parts, data_stage=place.stage, data_standing=place.standing)


def _second_line(place: Place, t: Texts) -> str:
    if place.standing == HIDDEN:
        return t("path_picture", "hidden")
    return place.state


def _bars(x: float, y: float) -> ET.Element:
    """Two bars: it stands still for now."""
    return element("path", d=f"M{x} {y}h4v12h-4zM{x + 7} {y}h4v12h-4z", fill=MARK)


def _tag(standing: str, words: str, left: float) -> list[ET.Element]:
    """The words above a box, with a pin where the client is and an arrow where they could go. They begin at its left
    edge and are folded to its width: whatever face the reader has, they stay within the picture and touch no others."""
    told = folded(words, _BOX - 18, 13, most=2, bold=True)
    y = _TOP - 9 - 15 * (len(told) - 1)
    shape = f"M{left} {y - 9}h12l-6 10z" if standing == HERE else f"M{left + 1} {y - 9}l9 5l-9 5z"
    return [
        element("path", d=shape, fill=MARK),
        *lines(left + 18, y, told, step=15, bold=True, colour=MARK),
    ]


def _phases_in_a_row(drawn: _Map, middle: float) -> ET.Element:
    """The finer line under coaching: a dot a phase, the current one large."""
    step, y = 136, _TOP + _TALL + 40
    first = middle - step * (len(PHASES) - 1) / 2
    parts = [
        element("path", d=f"M{middle} {_TOP + _TALL + 3}V{y}", stroke=LINE),
        element("path", d=f"M{first} {y}H{first + step * (len(PHASES) - 1)}", stroke=LINE),
    ]
    for place, (name, here) in enumerate(drawn.phases()):
        x = first + step * place
        parts.append(_dot(x, y, here))
        named = folded(sentence(name), step - 8, 12, bold=here)
        parts += lines(x, y + 24, named, step=15, size=12, bold=here, anchor="middle", colour=INK if here else QUIET)
    return element("g", *parts, data_phases="yes")


def _dot(x: float, y: float, here: bool) -> ET.Element:
    if here:
        return element("circle", cx=x, cy=y, r=9, fill=MARK, stroke=PAPER, stroke_width=2, data_phase="here")
    return element("circle", cx=x, cy=y, r=5, fill=PAPER, stroke=LINE, stroke_width=1.5)


def _pills(drawn: _Map, y: float) -> Iterator[ET.Element]:
    """The stages beside the path, in a row."""
    lead = drawn.t("path_picture", "beside")
    yield text(_EDGE, y + 18, lead, colour=QUIET)
    x = _EDGE + breadth(lead, 13) + 16
    for place in drawn.beside:
        here = place.standing == HERE
        told = _pill_told(place, drawn)
        width = breadth(told, 13, bold=here) + (48 if here else 28)
        parts = [
            element("rect", x=x, y=y, width=width, height=28, rx=4 if here else 14, **_look(place.standing)),
            text(x + width / 2 + (10 if here else 0), y + 18, told, bold=here, anchor="middle",
                 colour=INK if here else QUIET),
        ]  # fmt: skip
        if here:
            parts.append(element("path", d=f"M{x + 14} {y + 10}h12l-6 10z", fill=MARK))
        yield element("g", *parts, data_stage=place.stage, data_standing=place.standing)
        x += width + 14


def _pill_told(place: Place, drawn: _Map) -> str:
    tag = drawn.tag(place.standing) if place.standing != HIDDEN else drawn.t("path_picture", "hidden")
    return f"{place.name}: {_in_sentence(tag)}" if tag else place.name


def _in_sentence(words: str) -> str:
    """The words as they stand after a colon."""
    return words[:1].lower() + words[1:]


# --- the narrow form: a rail downwards ---

_NARROW, _RAIL, _TEXT = 340, 18, 44


def _narrow(drawn: _Map) -> tuple[list[ET.Element], int, int]:
    y, body, stops = 22.0, list[ET.Element](), list[float]()
    for place in drawn.along:
        stops.append(y)
        group, y = _stop(place, y, drawn)
        body.append(group)
    body.insert(0, element("path", d=f"M{_RAIL} {stops[0]}V{stops[-1]}", stroke=LINE, stroke_width=2))
    body.append(element("path", d=f"M0 {y - 12}H{_NARROW}", stroke=GRID))
    body.append(text(0, y + 10, drawn.t("path_picture", "beside"), colour=QUIET))
    y += 34
    for place in drawn.beside:
        group, y = _stop(place, y, drawn)
        body.append(group)
    return body, _NARROW, int(y)


def _stop(place: Place, y: float, drawn: _Map) -> tuple[ET.Element, float]:
    """One stage on the rail, with what is told of it beneath; and where the next one stands."""
    room = _NARROW - _TEXT
    name = folded(place.name, room, 15, bold=True)
    second = "" if place.standing == NEXT else _second_line(place, drawn.t)
    told = [part for part in (drawn.tag(place.standing), second) if part]
    state = folded(": ".join([told[0], *map(_in_sentence, told[1:])]), room, 13, most=2) if told else []
    marked = place.standing in (HERE, NEXT)
    parts = [
        _stop_shape(place, y),
        *lines(_TEXT, y + 5, name, step=18, size=15, bold=True),
        *lines(
            _TEXT, y + 5 + 18 * len(name), state, bold=place.standing == HERE, colour=MARK if marked else QUIET
        ),
    ]  # fmt: skip
    y += 18 * len(name) + 17 * len(state)
    if place.stage == "coaching":
        for phase, here in drawn.phases():
            parts += [
                _dot(_TEXT + 10, y + 4, here),
                text(_TEXT + 28, y + 9, sentence(phase), bold=here, colour=INK if here else QUIET),
            ]
            y += 22
        parts.insert(1, element("path", d=f"M{_TEXT + 10} {y - 106}V{y - 18}", stroke=LINE))
    return element("g", *parts, data_stage=place.stage, data_standing=place.standing), y + 22


def _stop_shape(place: Place, y: float) -> ET.Element:
    if place.standing == HERE:
        pin = _bars(_RAIL - 5.5, y - 6) if place.halted else element("circle", cx=_RAIL, cy=y, r=5, fill=MARK)
        return element("g", element("circle", cx=_RAIL, cy=y, r=13, **_look(HERE)), pin)
    return element("circle", cx=_RAIL, cy=y, r=9, **_look(place.standing))
