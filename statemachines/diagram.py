"""The charts drawn, as Mermaid text and as SVG, from the machines themselves: nothing is drawn that is not defined.

The SVG puts a chart's states in a row and its steps in lines beneath: a ring where a step leaves, an arrowhead where
it leads, a loop where the state stays. It holds no script, no style and no outside reference.
"""

from collections.abc import Callable
from html import escape
from itertools import groupby
from typing import NamedTuple

from statemachines import labels
from statemachines.charts import ARROWS, CHARTS, STATES, Arrow
from statemachines.path import PathState

# --- Mermaid ----------------------------------------------------------------------------------------------------------


def mermaid(chart: str | None = None, *, here: PathState | None = None) -> str:
    """A ``stateDiagram-v2`` of one chart, or of all five; the client's states are marked when `here` is given.

    Codes only, no translations. Raises ValueError for an unknown chart.
    """
    if chart is not None and chart not in CHARTS:
        raise ValueError(f"no such chart: {chart}")
    lines = ["stateDiagram-v2"]
    for name in CHARTS if chart is None else (chart,):
        lines += [f"    state {name} {{", f"        [*] --> {name}_none", *_mermaid_chart(name, here), "    }"]
    if here is not None:
        lines.append("    classDef here stroke-width:4px,font-weight:bold")
        lines += [f"    class {name}_{getattr(here, name)} here" for name in CHARTS if chart in (None, name)]
    return "\n".join(lines) + "\n"


def _mermaid_chart(chart: str, here: PathState | None) -> list[str]:
    lines = []
    for state in STATES[chart]:
        mark = " (here)" if here is not None and getattr(here, chart) == state else ""
        lines.append(f'        state "{state}{mark}" as {chart}_{state}')
    for arrow in (arrow for arrow in ARROWS if arrow.chart == chart):
        guards = ", ".join(name if wanted else f"not {name}" for name, wanted in arrow.guards)
        label = f"{arrow.trigger} [{guards}]" if guards else arrow.trigger
        lines.append(f"        {chart}_{arrow.source} --> {chart}_{arrow.dest} : {label}")
    return lines


# --- SVG --------------------------------------------------------------------------------------------------------------

# Pixels of the drawing's own grid; the page scales it.
MARGIN, LEFT, COLUMN, PILL, LINE, HEAD, GAP = 16, 290, 130, 122, 34, 80, 18
INK, SOFT, FAINT, PAPER, MARKED = "#1a1a1a", "#4d4d4d", "#c4c4c4", "#ffffff", "#0b4f8a"


class _Track(NamedTuple):
    """One line of the drawing: the arrows of one step under the same guards."""

    trigger: str
    guards: tuple[tuple[str, bool], ...]
    arrows: tuple[Arrow, ...]


def _tracks(chart: str) -> list[_Track]:
    """The chart's arrows by step and guards; guards that differ only by phase share a line."""

    def key(arrow: Arrow) -> tuple[str, tuple[tuple[str, bool], ...]]:
        return arrow.trigger, tuple((labels.guard_family(name), wanted) for name, wanted in arrow.guards)

    mine = [arrow for arrow in ARROWS if arrow.chart == chart]
    order = list(dict.fromkeys(key(arrow) for arrow in mine))
    mine.sort(key=lambda arrow: order.index(key(arrow)))
    return [_Track(trigger, guards, tuple(arrows)) for (trigger, guards), arrows in groupby(mine, key=key)]


def svg(*, here: PathState | None = None, lang: str = "fi") -> str:
    """The five charts as one picture; the client's places are marked, by shape and words, when `here` is given.

    Raises ValueError for a language that is not fi, sv or en.
    """
    if lang not in labels.LANGUAGES:
        raise ValueError(f"no such language: {lang}")
    width = MARGIN * 2 + LEFT + COLUMN * max(len(states) for states in STATES.values())
    top = MARGIN + 40
    body: list[str] = []
    for chart in CHARTS:
        tracks = _tracks(chart)
        body += [f'<g id="polku-{chart}">', *_lane(chart, tracks, top, width, here, lang), "</g>"]
        top += HEAD + LINE * len(tracks) + 6 + GAP
    body += _legend(top, lang)
    height = top + 30
    title = labels.DRAWING["title"][lang]
    heading = title if here is None else f"{title}: {labels.STAGES[here.stage][lang]}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-labelledby="polku-title polku-desc" lang="{lang}" '
            f'font-family="sans-serif" font-size="13" fill="{INK}">',
            f'<title id="polku-title">{escape(heading)}</title>',
            f'<desc id="polku-desc">{escape(_description(here, lang))}</desc>',
            f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
            _text(MARGIN, MARGIN + 16, heading, size=20, bold=True),
            *body,
            "</svg>",
            "",
        ]
    )


def _description(here: PathState | None, lang: str) -> str:
    """What the picture shows, in words: the places too, so that a listener misses nothing."""
    words = labels.DRAWING["desc"][lang]
    if here is None:
        return words
    places = [f"{labels.CHARTS[c][lang]}: {labels.STATES[c][getattr(here, c)][lang]}." for c in CHARTS]
    return " ".join([words, f"{labels.DRAWING['here'][lang]}:", *places])


def _lane(chart: str, tracks: list[_Track], top: int, width: int, here: PathState | None, lang: str) -> list[str]:
    at = {state: MARGIN + LEFT + COLUMN * place + COLUMN // 2 for place, state in enumerate(STATES[chart])}
    bottom = top + HEAD + LINE * len(tracks) + 6
    marked = None if here is None else getattr(here, chart)
    parts = [
        f'<rect x="{MARGIN}" y="{top}" width="{width - MARGIN * 2}" height="{bottom - top}" rx="6" fill="#f6f6f6"/>',
    ]
    name = wrapped(labels.CHARTS[chart][lang], 26)
    first = top + 54 - 10 * (len(name) - 1)
    parts += [_text(MARGIN + 12, first + 20 * n, line, size=16, bold=True) for n, line in enumerate(name)]
    for state, x in at.items():
        parts += _state(chart, state, x, top, bottom, state == marked, lang)
    for place, track in enumerate(tracks):
        parts += _track(chart, track, at, top + HEAD + LINE * place + LINE // 2, lang)
    return parts


def _state(chart: str, state: str, x: int, top: int, bottom: int, marked: bool, lang: str) -> list[str]:
    left, y = x - PILL // 2, top + 28
    colour, weight = (MARKED, 4) if marked else (SOFT, 1)
    parts = [
        f'<g data-state="{chart}.{state}"' + (' data-here="yes">' if marked else ">"),
        f'<path d="M{x} {y + 40}V{bottom - 6}" stroke="{colour if marked else FAINT}" '
        f'stroke-width="{2 if marked else 1}" stroke-dasharray="2 4"/>',
        f'<rect x="{left}" y="{y}" width="{PILL}" height="40" rx="{4 if marked else 20}" fill="{PAPER}" '
        f'stroke="{colour}" stroke-width="{weight}"/>',
    ]
    lines = wrapped(labels.STATES[chart][state][lang])
    first = y + 24 - 7 * (len(lines) - 1)
    parts += [_text(x, first + 14 * n, line, size=12, bold=marked, anchor="middle") for n, line in enumerate(lines)]
    if marked:
        parts += [
            f'<path d="M{x - 46} {top + 12}h12l-6 10z" fill="{MARKED}"/>',
            _text(x - 30, top + 21, labels.DRAWING["here"][lang], size=13, bold=True, colour=MARKED),
        ]
    return [*parts, "</g>"]


def _track(chart: str, track: _Track, at: dict[str, int], y: int, lang: str) -> list[str]:
    arrows = " ".join(f"{arrow.source}>{arrow.dest}" for arrow in track.arrows)
    guard = ", ".join(labels.GUARDS[guard][lang] for guard in track.guards)
    parts = [
        f'<g data-chart="{chart}" data-trigger="{track.trigger}" data-arrows="{escape(arrows)}">',
        _text(MARGIN + 12, y - 2 if guard else y + 4, labels.STEPS[track.trigger][lang]),
    ]
    if guard:
        parts.append(_text(MARGIN + 12, y + 12, guard, size=11, colour=SOFT))
    moves = [(at[arrow.source], at[arrow.dest]) for arrow in track.arrows if arrow.source != arrow.dest]
    if moves:
        ends = [x for move in moves for x in move]
        parts.append(f'<path d="M{min(ends)} {y}H{max(ends)}" stroke="{INK}" stroke-width="1.5"/>')
    sources = dict.fromkeys(at[arrow.source] for arrow in track.arrows)
    tip = {x: 7 if x in sources else 0 for x in at.values()}
    heads = dict.fromkeys((to, 1 if to > start else -1) for start, to in moves)
    parts += [f'<path d="M{x - way * tip[x]} {y}l{-way * 11} -6v12z" fill="{INK}"/>' for x, way in heads]
    parts += [f'<circle cx="{x}" cy="{y}" r="5" fill="{PAPER}" stroke="{INK}" stroke-width="1.5"/>' for x in sources]
    parts += [_loop(at[arrow.source], y) for arrow in track.arrows if arrow.source == arrow.dest]
    return [*parts, "</g>"]


def _loop(x: int, y: int) -> str:
    """A small arrow that leaves the ring and comes back to it."""
    curve = f'<path d="M{x - 3} {y - 4}C{x - 14} {y - 19} {x + 14} {y - 19} {x + 6} {y - 9}" fill="none" '
    return curve + f'stroke="{INK}" stroke-width="1.5"/><path d="M{x + 2} {y - 4}v-8l7 5z" fill="{INK}"/>'


def _legend(y: int, lang: str) -> list[str]:
    x, middle = MARGIN + 12, y + 8
    words = labels.DRAWING
    ring = f'r="5" fill="{PAPER}" stroke="{INK}" stroke-width="1.5"'
    return [
        '<g id="polku-legend">',
        f'<circle cx="{x}" cy="{middle}" {ring}/>',
        _text(x + 12, middle + 4, words["from"][lang]),
        f'<path d="M{x + 94} {middle}l-11 -6v12z" fill="{INK}"/>',
        _text(x + 102, middle + 4, words["to"][lang]),
        f'<circle cx="{x + 180}" cy="{middle}" {ring}/>',
        _loop(x + 180, middle),
        _text(x + 194, middle + 4, words["stays"][lang]),
        "</g>",
    ]


def wrapped(text: str, width: float = 17, measure: Callable[[str], float] = len) -> list[str]:
    """The words in lines of at most `width` (letters, or what else `measure` counts), a longer word on its own."""
    lines: list[str] = []
    for word in text.split():
        if lines and measure(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _text(
    x: int, y: int, words: str, *, size: int = 13, bold: bool = False, anchor: str = "start", colour: str = INK
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    place = f'x="{x}" y="{y}" font-size="{size}"{weight} text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place}>{escape(words)}</text>"
