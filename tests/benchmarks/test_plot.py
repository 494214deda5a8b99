"""A plot is an SVG that opens anywhere, shows every point in its place, and is told to who cannot see it."""

from xml.etree import ElementTree

import pytest

from benchmarks.plot import HEIGHT, WIDTH, Line, chart

SVG = "{http://www.w3.org/2000/svg}"
LINES = [Line("one", [(1_000_000, 4.5), (5_000_000, 23.0)]), Line("<two> & more", [(1_000_000, 90.0)])]


def drawn(*lines: Line, limit: tuple[str, float] | None = None) -> ElementTree.Element:
    return ElementTree.fromstring(chart("Time", "cases", "seconds", lines, limit))


def test_every_point_stands_within_the_plot_and_higher_numbers_higher() -> None:
    found = drawn(*LINES)
    dots = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in found.iter(f"{SVG}circle")]
    assert len(dots) == 2
    (x, y), (further, higher) = dots
    assert 0 < x < further < WIDTH
    assert HEIGHT > y > higher > 0


def test_the_axes_begin_at_nothing() -> None:
    """An axis cut off makes small differences look large."""
    words = [item.text for item in drawn(*LINES).iter(f"{SVG}text")]
    assert words.count("0") == 2
    assert "5 M" in words
    assert "100" in words


def test_who_cannot_see_it_is_told_every_number() -> None:
    found = drawn(*LINES)
    described = found.findtext(f"{SVG}desc") or ""
    assert found.get("role") == "img"
    assert found.findtext(f"{SVG}title") == "Time"
    for word in ("4.5 at 1 M", "23 at 5 M", "<two> & more", "90"):
        assert word in described


def test_a_limit_is_drawn_though_nothing_comes_near_it() -> None:
    found = drawn(LINES[0], limit=("the limit", 2048.0))
    assert any(item.get("stroke-dasharray") for item in found.iter(f"{SVG}path"))
    words = [item.text for item in found.iter(f"{SVG}text")]
    assert "the limit" in words
    assert "2,500" in words


@pytest.mark.parametrize("points", [[(0.0, 0.0)], [(1.0, 1e-9)], [(7.0, 0.0), (9.0, 0.0)]])
def test_plots_of_hardly_anything_are_plots_too(points: list[tuple[float, float]]) -> None:
    for dot in drawn(Line("little", points)).iter(f"{SVG}circle"):
        assert 0 <= float(dot.get("cy", "")) <= HEIGHT
        assert 0 <= float(dot.get("cx", "")) <= WIDTH
