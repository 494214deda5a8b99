"""Line charts as SVG: enough for docs/scale/, and nothing to install. They read in light and in dark, and in print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 24, 46, 56
#: Colours that hold apart for the colour-blind, on white and on black alike; each line also has dots of its own shape.
COLOURS = ("#0072b2", "#d55e00", "#009e73")
TICKS = 5


@dataclass(frozen=True)
class Line:
    """One line of a chart."""

    name: str
    points: Sequence[tuple[float, float]]


def chart(title: str, across: str, up: str, lines: Sequence[Line], limit: tuple[str, float] | None = None) -> str:
    """A chart from zero on both axes; `limit` is a dashed line across, with its name."""
    points = [point for line in lines for point in line.points]
    high = [y for _, y in points] + ([limit[1]] if limit is not None else [])
    x_step, y_step = _step(max(x for x, _ in points)), _step(max(high))
    x_end, y_end = _end(max(x for x, _ in points), x_step), _end(max(high), y_step)

    def at(x: float, y: float) -> tuple[float, float]:
        return LEFT + x / x_end * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y / y_end * (HEIGHT - TOP - BOTTOM)

    told = "; ".join(
        f"{line.name}: " + ", ".join(f"{_number(y)} at {_number(x)}" for x, y in line.points) for line in lines
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(up)} by {escape(across)}. {escape(told)}.</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        '<g font-family="sans-serif" font-size="13" fill="#222222">',
        f'<text x="{LEFT}" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 12}" text-anchor="middle">{escape(across)}</text>',
    ]
    for number in range(round(x_end / x_step) + 1):
        x, y = at(number * x_step, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{_number(number * x_step)}</text>')
    for number in range(round(y_end / y_step) + 1):
        x, y = at(0, number * y_step)
        parts.append(f'<path d="M{x:.1f} {y:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        parts.append(f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{_number(number * y_step)}</text>')
    parts.append(f'<text x="{LEFT}" y="{TOP - 6}" fill="#555555">{escape(up)}</text>')
    if limit is not None:
        x, y = at(0, limit[1])
        parts.append(f'<path d="M{x:.1f} {y:.1f}H{WIDTH - RIGHT}" stroke="#555555" stroke-dasharray="6 4"/>')
        parts.append(f'<text x="{WIDTH - RIGHT}" y="{y - 6:.1f}" text-anchor="end">{escape(limit[0])}</text>')
    for place, line in enumerate(lines):
        parts += _drawn(line, place, [at(x, y) for x, y in line.points])
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _drawn(line: Line, place: int, points: Sequence[tuple[float, float]]) -> list[str]:
    colour = COLOURS[place % len(COLOURS)]
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    found = [f'<path d="M{way}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for x, y in points:
        mark = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
        if place % 2:
            mark = f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{colour}"/>'
        found.append(mark)
    legend = TOP + 14 + 18 * place
    found.append(f'<path d="M{LEFT + 12} {legend}h24" stroke="{colour}" stroke-width="2"/>')
    found.append(f'<text x="{LEFT + 44}" y="{legend + 4}">{escape(line.name)}</text>')
    return found


def _step(highest: float) -> float:
    """A round distance between marks: 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return 1.0
    rough = highest / TICKS
    power = 10.0 ** floor(log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)


def _end(highest: float, step: float) -> float:
    return max(ceil(highest / step - 1e-9), 1) * step


def _number(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g} M"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
