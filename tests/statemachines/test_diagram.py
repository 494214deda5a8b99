"""The drawings hold what the machines hold, mark the client's place, and stay plain."""

import re
import xml.etree.ElementTree as ET

import pytest

from statemachines import PHASES, STAGES, STATES, PathState, labels
from statemachines.charts import CHARTS, GUARDS, MACHINES
from statemachines.diagram import mermaid, svg

HERE = PathState("coaching", "done", "active", "job_search", "none", "ended")
SVG = "{http://www.w3.org/2000/svg}"
MERMAID_LINES = [
    r"stateDiagram-v2",
    r"    state \w+ \{",
    r"        \[\*\] --> \w+",
    r'        state "[^"]+" as \w+',
    r"        \w+ --> \w+ : \w+( \[[\w ,]+\])?",
    r"    \}",
    r"    classDef here [\w:,-]+",
    r"    class \w+ here",
]


def defined() -> set[tuple[str, str, str, str]]:
    """Every (chart, trigger, source, dest), asked from the machines and not from the module that draws."""
    return {
        (chart, name, source, transition.dest)
        for chart, machine in MACHINES.items()
        for name, event in machine.events.items()
        for source, ways in event.transitions.items()
        for transition in ways
    }


def test_mermaid_draws_every_transition_and_no_other():
    drawn = re.findall(r"^ +(\w+) --> (\w+) : (\w+)", mermaid(), re.MULTILINE)
    expected = {(f"{chart}_{source}", f"{chart}_{dest}", trigger) for chart, trigger, source, dest in defined()}
    assert set(drawn) == expected
    assert len(drawn) == sum(
        len(ways) for m in MACHINES.values() for e in m.events.values() for ways in e.transitions.values()
    )


def test_mermaid_names_every_guard():
    assert all(name in mermaid() for name in GUARDS)
    assert "employment_employed --> employment_ended : end_job [not another_job_runs]" in mermaid("employment")


@pytest.mark.parametrize("here", [None, HERE])
@pytest.mark.parametrize("chart", [None, *CHARTS])
def test_mermaid_is_made_of_known_lines(chart, here):
    lines = mermaid(chart, here=here).splitlines()
    assert all(any(re.fullmatch(known, line) for known in MERMAID_LINES) for line in lines)
    assert lines[0] == "stateDiagram-v2"
    assert sum(line.endswith("{") for line in lines) == lines.count("    }") == (1 if chart else 5)


def test_mermaid_marks_the_place_with_a_word_and_a_class():
    marked = mermaid(here=HERE)
    for chart in CHARTS:
        state = getattr(HERE, chart)
        assert f'state "{state} (here)" as {chart}_{state}' in marked
        assert f"class {chart}_{state} here" in marked
    assert marked.count("(here)") == 5
    assert "here" not in mermaid()
    assert mermaid("coaching", here=HERE).count("(here)") == 1


def test_an_unknown_chart_or_language_is_refused():
    with pytest.raises(ValueError, match="no such chart"):
        mermaid("coachin")
    with pytest.raises(ValueError, match="no such language"):
        svg(lang="de")


def test_svg_draws_every_transition_and_no_other():
    drawn = [
        (group.get("data-chart"), group.get("data-trigger"), *arrow.split(">"))
        for group in ET.fromstring(svg()).iter(f"{SVG}g")
        if group.get("data-trigger")
        for arrow in group.get("data-arrows").split()
    ]
    assert sorted(drawn) == sorted(set(drawn))
    assert set(drawn) == defined()


def test_svg_draws_a_ring_for_each_source_and_a_loop_for_each_state_that_stays():
    for group in ET.fromstring(svg()).iter(f"{SVG}g"):
        if arrows := group.get("data-arrows"):
            ends = [arrow.split(">") for arrow in arrows.split()]
            assert len(group.findall(f"{SVG}circle")) == len({source for source, _ in ends})
            curves = [path for path in group.findall(f"{SVG}path") if path.get("fill") == "none"]
            assert len(curves) == sum(source == dest for source, dest in ends)


@pytest.mark.parametrize("lang", labels.LANGUAGES)
@pytest.mark.parametrize("here", [None, HERE])
def test_svg_is_well_formed_and_needs_nothing_from_outside(here, lang):
    text = svg(here=here, lang=lang)
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert root.get("lang") == lang
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root.get("aria-labelledby").split() == [root[0].get("id"), root[1].get("id")]
    assert root[0].text
    assert root[1].text
    assert {node.tag.removeprefix(SVG) for node in root.iter()} <= {
        "svg", "title", "desc", "g", "rect", "path", "circle", "text",
    }  # fmt: skip
    forbidden = {"style", "href", "class", "{http://www.w3.org/1999/xlink}href"}
    assert not any(name in forbidden or name.startswith("on") for node in root.iter() for name in node.attrib)
    assert text.replace('xmlns="http://www.w3.org/2000/svg"', "").count("http") == 0


def test_svg_marks_the_place_by_shape_and_words_not_by_colour_alone():
    root = ET.fromstring(svg(here=HERE, lang="fi"))
    marked = {g.get("data-state"): g for g in root.iter(f"{SVG}g") if g.get("data-here")}
    assert set(marked) == {f"{chart}.{getattr(HERE, chart)}" for chart in CHARTS}
    plain = next(g for g in root.iter(f"{SVG}g") if g.get("data-state") == "activity.none")
    for group in marked.values():
        assert "Tässä nyt" in [text.text for text in group.iter(f"{SVG}text")]
        assert group.find(f"{SVG}rect").get("rx") != plain.find(f"{SVG}rect").get("rx")
        assert group.find(f"{SVG}rect").get("stroke-width") != plain.find(f"{SVG}rect").get("stroke-width")
    assert "Työnhaku" in root.find(f"{SVG}desc").text
    assert root.find(f"{SVG}title").text == "Asiakkaan polku: Tuettu työhönvalmennus"
    assert "data-here" not in svg()


def test_no_label_is_wider_than_its_shape():
    """The narrow letters of a sans-serif face are about half their size wide; 0.62 leaves room for wider faces."""
    for lang in labels.LANGUAGES:
        for group in ET.fromstring(svg(here=HERE, lang=lang)).iter(f"{SVG}g"):
            if group.get("data-state"):
                width = float(group.find(f"{SVG}rect").get("width"))
                texts = [t for t in group.findall(f"{SVG}text") if t.get("text-anchor") == "middle"]
                assert len(texts) <= 2
                for text in texts:
                    assert len(text.text) * float(text.get("font-size")) * 0.62 <= width + 6, text.text


def test_every_code_has_its_words_in_three_languages():
    assert tuple(labels.STAGES) == STAGES
    assert tuple(labels.CHARTS) == CHARTS
    assert {chart: tuple(states) for chart, states in labels.STATES.items()} == STATES
    assert set(labels.STEPS) == {name for machine in MACHINES.values() for name in machine.events}
    texts = [
        *labels.STAGES.values(),
        *labels.CHARTS.values(),
        *(text for states in labels.STATES.values() for text in states.values()),
        *labels.STEPS.values(),
        *labels.GUARDS.values(),
        *labels.DRAWING.values(),
    ]
    assert all(set(text) == set(labels.LANGUAGES) and all(text.values()) for text in texts)


def test_every_guard_asked_has_its_words():
    asked = {
        (labels.guard_family(c.func), c.target)
        for machine in MACHINES.values()
        for event in machine.events.values()
        for ways in event.transitions.values()
        for way in ways
        for c in way.conditions
    }
    assert asked == set(labels.GUARDS)
    assert {labels.guard_family(f"was_in_{phase}") for phase in PHASES} == {"was_in"}


def test_the_drawings_are_the_same_every_time():
    assert svg(here=HERE) == svg(here=HERE)
    assert mermaid(here=HERE) == mermaid(here=HERE)
