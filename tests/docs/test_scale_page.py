"""docs/scale.md says what the last full run of the benchmark measured, and nothing that was not measured."""

import json
import re
from typing import Any

import pytest

from benchmarks import check, scale


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return dict(json.loads(scale.FIGURES.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def page() -> str:
    return scale.PAGE.read_text(encoding="utf-8")


def test_the_page_and_the_plots_are_those_of_the_figures(found: dict[str, Any], page: str) -> None:
    assert scale.told(page, found) == page, "run: python -m benchmarks.scale"
    for name, plot in scale.plots(found).items():
        assert (scale.FOLDER / name).read_text(encoding="utf-8") == plot, "run: python -m benchmarks.scale"


def test_the_figures_are_those_of_a_full_run(found: dict[str, Any]) -> None:
    assert found["cases"] == check.CASES == 1_000_000, (
        "run, on a machine with nothing else to do: make bench ARGS=check"
    )
    assert found["entries_each"] == 30
    assert [item["cases"] for item in found["growth"]] == [round(check.CASES * share) for share in check.GROWTH]
    assert found["growth"][-1]["cases"] == 5_000_000
    assert found["unchanged"]["folded"] == 0
    assert found["unchanged"]["findings"] == found["findings"]
    assert len(found["polku"]["all_seconds"]) == len(found["journals"]["all_seconds"]) == check.ROUNDS


def test_every_kind_of_figure_stands_on_the_page(page: str) -> None:
    marks = re.findall(r"<!-- figures: (\w+) -->", page)
    assert sorted(marks) == sorted(scale.BLOCKS)
    assert page.count("<!-- end -->") == len(marks)
    for name in ("time.svg", "journals.svg", "memory.svg"):
        assert f"](scale/{name})" in page


def test_outside_the_marks_the_page_gives_no_measured_number(page: str) -> None:
    written = scale._BLOCK.sub("", page)
    assert not re.search(r"\d\s*(s|ms|µs|seconds|MiB|MB|GB|×|%)\b", written)


def test_a_page_is_filled_anew_from_other_figures(found: dict[str, Any], page: str) -> None:
    slower = json.loads(json.dumps(found))
    slower["polku"]["seconds"] = found["polku"]["seconds"] * 2
    other = scale.told(page, slower)
    assert other != page
    assert scale.told(other, found) == page


def test_a_mark_that_nothing_is_known_of_is_an_error(found: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        scale.told("<!-- figures: nothing -->\n<!-- end -->", found)


def test_the_loops_are_told_as_if_they_ran_on_every_core(found: dict[str, Any]) -> None:
    slow = {
        "cases": 1000,
        "polku": {"seconds": 1.0},
        "durable": {"seconds": 10.0, "clients": 100},
    }
    assert scale.times_slower(slow, "durable") == pytest.approx(50.0)


def test_what_latest_json_keeps_is_there_with_its_aims(found: dict[str, Any]) -> None:
    figures = check.figures_of(found)
    assert check.AIMS.keys() <= figures.keys()
    wanted = {"check_vs_scan", "check_vs_durable_loop", "check_vs_zen", "check_vs_polars", "check_1m_journals_seconds"}
    assert wanted <= figures.keys()
    assert all(isinstance(figure, int | float) for figure in figures.values())
