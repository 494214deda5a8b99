"""The path as a picture: where the client is, what is behind and what could come, and nothing that is withheld."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import pytest

from service.web.pictures.path import path_picture, path_places
from service.words import Lang, Words
from statemachines import PHASES, STAGES, STATES, TRIGGERS
from tests.service.web.pictures.reading import PAPER, SVG, contrast, forms, parts, words

NOWHERE: dict[str, str | None] = {
    "stage": "not_started", "referral": "none", "activity": "none", "coaching": "none", "work_trial": "none",
    "employment": "none",
}  # fmt: skip
STAGES_DRAWN = [
    "not_started", "activity", "plan_update", "coaching", "work_trial", "employment",
    "between_services", "other_outcome", "closed",
]  # fmt: skip
LANGUAGES: tuple[Lang, ...] = ("fi", "sv", "en")


def drawn(*triggers: str, lang: Lang = "en", **state: str | None) -> list[ET.Element]:
    spoken = Words(lang)
    return forms(path_picture({**NOWHERE, **state}, spoken, spoken, next_triggers=triggers))


def standings(form: ET.Element) -> dict[str | None, str | None]:
    return {group.get("data-stage"): group.get("data-standing") for group in parts(form, "stage")}


def told(*triggers: str, **state: str | None) -> list[str]:
    return path_places({**NOWHERE, **state}, Words("en"), Words("en"), next_triggers=triggers)


def test_both_forms_show_the_same_fewer_than_ten_stages_in_their_natural_order() -> None:
    wide, narrow = drawn()
    assert list(standings(wide)) == list(standings(narrow)) == STAGES_DRAWN
    assert standings(wide) == standings(narrow)


def test_a_client_whose_path_has_not_begun_is_at_the_beginning() -> None:
    wide, _ = drawn("start_activity", "take_initiative")
    assert standings(wide) == dict.fromkeys(STAGES_DRAWN, "ahead") | {
        "not_started": "here", "activity": "next", "plan_update": "next",
    }  # fmt: skip


def test_a_client_may_be_at_several_stages_at_once() -> None:
    wide, _ = drawn(
        "start_job", stage="work_trial", referral="done", activity="active", coaching="job_search", work_trial="running"
    )
    found = standings(wide)
    assert [stage for stage, standing in found.items() if standing == "here"] == ["activity", "coaching", "work_trial"]
    assert (found["not_started"], found["plan_update"], found["employment"]) == ("behind", "behind", "next")


def test_what_could_come_next_lies_further_along_and_can_be_taken_now() -> None:
    state = {"stage": "coaching", "referral": "done", "activity": "ended", "coaching": "profile"}
    wide, _ = drawn("start_activity", "take_initiative", "start_work_trial", **state)
    assert standings(wide)["activity"] == standings(wide)["plan_update"] == "behind"
    assert (standings(wide)["work_trial"], standings(wide)["employment"]) == ("next", "ahead")


def test_between_services_everything_that_can_begin_again_may_come_next() -> None:
    state = {"stage": "between_services", "referral": "done", "activity": "ended", "coaching": "ended"}
    wide, _ = drawn("start_activity", "start_coaching", "end_job", "no_such_step", **state)
    found = standings(wide)
    assert (found["between_services"], found["activity"], found["coaching"]) == ("here", "next", "next")
    assert (found["plan_update"], found["employment"]) == ("behind", "ahead")


@pytest.mark.parametrize("phase", PHASES)
def test_the_phases_of_coaching_are_a_finer_line_with_the_current_one_marked(phase: str) -> None:
    wide, narrow = drawn(stage="coaching", coaching=phase, referral="done")
    for form in (wide, narrow):
        assert len(parts(form, "phase", "here")) == 1
    bold = [text.text for text in parts(wide, "phases")[0].iter(f"{SVG}text") if text.get("font-weight")]
    assert " ".join(filter(None, bold)).lower() == Words("en").state("coaching", phase)


def test_a_pause_and_an_interruption_are_said_and_marked_beside_where_the_client_is() -> None:
    wide, narrow = drawn(stage="coaching_interrupted", activity="paused", coaching="interrupted", referral="done")
    for form in (wide, narrow):
        for stage, state in (("activity", "paused"), ("coaching", "interrupted")):
            (group,) = parts(form, "stage", stage)
            assert state in " ".join(words(group)).lower()
            assert "Here now" in " ".join(words(group))
        assert parts(form, "phase", "here") == []


def test_where_the_client_is_is_told_by_words_and_lines_not_by_colour_alone() -> None:
    wide, _ = drawn("start_job", stage="activity", activity="active")
    look = {group.get("data-standing"): group.find(f"{SVG}rect") for group in parts(wide, "stage")}
    lines = {
        standing: (box.get("stroke-width"), box.get("stroke-dasharray"))
        for standing, box in look.items()
        if box is not None
    }
    assert len(set(lines.values())) == len(lines) == 4
    assert "Here now" in words(wide)
    assert "Possible next" in words(wide)


def test_what_is_withheld_is_drawn_as_not_shown_and_nothing_is_guessed() -> None:
    state = {"stage": None, "referral": None, "coaching": None, "work_trial": None, "employment": None}
    wide, narrow = drawn("start_coaching", "start_job", activity="active", **state)
    for form in (wide, narrow):
        found = standings(form)
        assert found.pop("activity") == "here"
        assert set(found.values()) == {"hidden"}
        assert parts(form, "phase", "here") == []
        for stage in found:
            assert "not shown to you" in " ".join(words(parts(form, "stage", stage)[0])).lower()
    assert wide[0].text == "The client's path"


def test_the_description_says_what_the_picture_shows() -> None:
    state = {"stage": "employment", "referral": "done", "activity": "ended", "coaching": None, "employment": "employed"}
    wide, _ = drawn("start_work_trial", **state)
    assert wide[0].text == "The client's path: At work"
    assert told("start_work_trial", **state) == [
        "Here now: Employment (At work).",
        "Behind: The path begins, Rehabilitative work activity, Preparing for coaching.",
        "Not shown to you: Supported job coaching.",
    ]
    assert wide[1].text == " ".join(told("start_work_trial", **state))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_word_is_cut_or_wider_than_the_picture_in_any_state(lang: Lang) -> None:
    for states in itertools.zip_longest(*STATES.values(), fillvalue="none"):
        state: dict[str, str | None] = dict(zip(STATES, states, strict=True))
        known = {chart: value if value in STATES[chart] else "none" for chart, value in state.items()}
        for stage in (*STAGES, None):
            for form in drawn(*TRIGGERS, lang=lang, stage=stage, **known):
                assert "…" not in "".join(words(form))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_text_can_be_read_and_every_line_seen(lang: Lang) -> None:
    for form in drawn(*TRIGGERS, lang=lang, stage="coaching", coaching="profile", activity="paused", employment=None):
        fillings = {"#e6f4ff", "#efeff0", "#f7f7f8", PAPER}
        for node in form.iter(f"{SVG}text"):
            assert all(contrast(str(node.get("fill")), filling) >= 4.5 for filling in fillings)
        for box in form.iter(f"{SVG}rect"):
            assert box.get("stroke") is None or contrast(str(box.get("stroke")), PAPER) >= 3


def test_the_picture_is_the_same_every_time() -> None:
    english = Words("en")
    assert path_picture(NOWHERE, english, english) == path_picture(dict(NOWHERE), english, english)
