"""Making SVG: elements that escape what they hold, text that fits, and a picture in a wide and a narrow form.

Colours are presentation attributes, so that a picture needs no style to be read; classes are for the style sheet.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from unicodedata import east_asian_width

from markupsafe import Markup

from service.words import clean
from statemachines.diagram import INK, wrapped

#: The calm hues of pictures; text on them keeps a contrast of 4.5:1, lines one of 3:1.
QUIET, LINE, GRID, BAND, PAPER, MARK = "#4d4d4d", "#767676", "#dedfe1", "#f7f7f8", "#ffffff", "#0b4f8a"
#: Widths of letters, in parts of the letters' size; other Latin ones are about as wide as an a.
_THIN, _NARROW, _BROAD, _A = "ijlI.,:;|'!·", "ftr ()[]/-–", "mwMWÅÄ%@—", 0.56
_DOTS = "…"

Child = ET.Element | str


def element(tag: str, *children: Child, **attributes: object) -> ET.Element:
    """An element; `text_anchor` is written text-anchor and `class_` class. A value of None leaves its attribute out."""
    names = {name: name.rstrip("_").replace("_", "-") for name in attributes}
    told = {names[name]: _written(value) for name, value in attributes.items() if value is not None}
    made = ET.Element(tag, told)
    for child in children:
        if isinstance(child, str):
            made.text = (made.text or "") + child
        else:
            made.append(child)
    return made


def _written(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def text(
    x: float, y: float, words: str, *, size: int = 13, bold: bool = False, anchor: str | None = None,
    colour: str = INK, halo: bool = False,
) -> ET.Element:  # fmt: skip
    """One line of text, its baseline at y. With a halo it can be read over lines that cross it."""
    around = {"stroke": PAPER, "stroke_width": 4, "stroke_linejoin": "round", "paint_order": "stroke"} if halo else {}
    weight = "bold" if bold else None
    return element(
        "text", clean(words), x=x, y=y, font_size=size, font_weight=weight, text_anchor=anchor, fill=colour, **around
    )


def lines(
    x: float, y: float, many: Iterable[str], *, step: int = 17, size: int = 13, bold: bool = False,
    anchor: str | None = None, colour: str = INK,
) -> list[ET.Element]:  # fmt: skip
    """Lines of text beneath each other, the first one's baseline at y."""
    return [
        text(x, y + step * place, line, size=size, bold=bold, anchor=anchor, colour=colour)
        for place, line in enumerate(many)
    ]


def breadth(words: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is in a common sans-serif face, rather more than less: as in DejaVu Sans, the widest."""
    return sum(_letter(letter) for letter in words) * size * (1.22 if bold else 1.1)


def _letter(letter: str) -> float:
    if letter in _THIN:
        return 0.27
    if letter in _NARROW:
        return 0.34
    if letter in _BROAD:
        return 0.86
    if letter > "\u024f":
        return 1.2 if east_asian_width(letter) in "WF" else 0.9
    return 0.7 if letter.isupper() else _A


def fitted(words: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text, cut with dots where it would be wider; empty where hardly a letter fits."""
    words = clean(words)
    if breadth(words, size, bold=bold) <= width:
        return words
    while words and breadth(words + _DOTS, size, bold=bold) > width:
        words = words[:-1]
    return words.rstrip() + _DOTS if len(words) > 1 else ""


def folded(words: str, width: float, size: float, *, most: int = 3, bold: bool = False) -> list[str]:
    """The text in at most so many lines of a width, the last cut where it does not hold the rest."""
    many = wrapped(clean(words), width, lambda line: breadth(line, size, bold=bold))
    if len(many) > most:
        many = [*many[: most - 1], " ".join(many[most - 1 :])]
    return [fitted(line, width, size, bold=bold) for line in many]


def svg(
    name: str, form: str, width: float, height: float, title: str, desc: str, body: Iterable[ET.Element]
) -> ET.Element:
    """A picture named `name` in one form (wide or narrow); title and description say what it shows."""
    title_id, desc_id = f"polku-{name}-{form}-title", f"polku-{name}-{form}-desc"
    return element(
        "svg",
        element("title", clean(title), id=title_id),
        element("desc", clean(desc), id=desc_id),
        element("rect", width=width, height=height, fill=PAPER),
        *body,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_written(width)} {_written(height)}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{title_id} {desc_id}",
        class_=f"polku-picture-{form}",
    )


def picture(name: str, *forms: ET.Element) -> Markup:
    """The forms of a picture, of which the style sheet shows the one that has room."""
    whole = element("div", *forms, class_=f"polku-picture polku-picture-{name}")
    # Safe: ElementTree has escaped every text and attribute.
    return Markup(ET.tostring(whole, encoding="unicode"))  # noqa: S704
