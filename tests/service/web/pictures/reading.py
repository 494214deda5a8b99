"""Takes pictures apart: their forms, texts and colours, and what no picture may hold."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

#: Inline SVG in HTML has no prefix; the parser names its elements with their namespace.
SVG = "{http://www.w3.org/2000/svg}"
PAPER = "#ffffff"
TAGS = {"svg", "title", "desc", "g", "rect", "path", "circle", "text", "defs", "pattern"}
#: What a strict policy forbids, or what would fetch something.
FORBIDDEN = re.compile(r"style|href|src|on[a-z]+")


def forms(picture: str) -> list[ET.Element]:
    """The wide and the narrow form, having checked what holds for every picture."""
    whole = ET.fromstring(picture)
    assert whole.tag == "div"
    found = list(whole)
    assert [form.get("class") for form in found] == ["polku-picture-wide", "polku-picture-narrow"]
    ids = [node.get("id") for node in whole.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    for form in found:
        _check(form)
    return found


def _check(form: ET.Element) -> None:
    assert form.get("role") == "img"
    title, desc = form[0], form[1]
    assert (title.tag, desc.tag) == (f"{SVG}title", f"{SVG}desc")
    assert title.text
    assert desc.text
    assert (form.get("aria-labelledby") or "").split() == [title.get("id"), desc.get("id")]
    for node in form.iter():
        assert node.tag.removeprefix(SVG) in TAGS
        assert not [name for name in node.attrib if FORBIDDEN.fullmatch(name)]
        assert not [value for value in node.attrib.values() if "nan" in value or "inf" in value or "http" in value]
        assert all(value.startswith("url(#polku-") for value in node.attrib.values() if "url" in value)


def words(node: ET.Element) -> list[str]:
    """The texts drawn in a part of a picture, line by line."""
    return [text.text or "" for text in node.iter(f"{SVG}text")]


def parts(node: ET.Element, name: str, value: str | None = None) -> list[ET.Element]:
    """The groups marked by a data attribute."""
    found = (each for each in node.iter() if each.get(f"data-{name}") is not None)
    return [each for each in found if value is None or each.get(f"data-{name}") == value]


def contrast(one: str, other: str) -> float:
    """How far two colours lie apart (WCAG)."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
