"""The time line: bars, limits and days ahead as a journal tells them, drawn and in a table, and nothing hidden."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings

from rules.journal import Case, case_from_data, case_to_data
from service.access.policy import Sight, sees
from service.access.withholding import withhold_assessment, withhold_case
from service.web.pictures.timeline import Bar, Lane, Mark, Timeline, timeline_of, timeline_svg
from service.words import Lang, Words
from tests.helpers import SEEDS, day, entry, journal, pack, random_pair, reference_assessor
from tests.perturb import changed_often, pairs, plain
from tests.service.access.sights import OF_THE_TABLES, random_sight
from tests.service.web.pictures.reading import PAPER, SVG, contrast, forms, parts, words

SEES_ALL = sees("social_worker", "assigned")
SUPERVISOR = sees("activity_supervisor", "assigned")
TODAY = "2024-05-02"
HOSTILE = '"><script>alert(1)</script> & </svg>\u202e{day}'


def timeline(of: Case, on: str = TODAY, sight: Sight = SEES_ALL, lang: Lang = "en") -> Timeline:
    spoken = Words(lang)
    document = withhold_case(case_to_data(of), sight)
    assessment = None
    if sight.opens("assessment"):
        assessment = withhold_assessment(reference_assessor().assess(of, day(on), lang=lang), sight)
    return timeline_of(document, assessment, day(on), spoken, spoken, pack=pack())


def drawn(found: Timeline, lang: Lang = "en") -> list[ET.Element]:
    return forms(timeline_svg(found, Words(lang), Words(lang)))


def lane(found: Timeline, kind: str) -> Lane:
    (one,) = (each for each in found.lanes if each.kind == kind)
    return one


def bars(found: Timeline, kind: str) -> list[tuple[str, str | None]]:
    return [(bar.start.isoformat(), bar.end and bar.end.isoformat()) for bar in lane(found, kind).bars]


def rows(found: Timeline, lane_name: str) -> list[tuple[str, str, str, str]]:
    return [(row.what, row.since, row.until, row.note) for row in found.rows if row.lane == lane_name]


def on_path(*more: dict[str, Any]) -> Case:
    """A client in activity, coaching and a work trial at once."""
    return journal(
        entry("2024-01-10", "activity_started", id="ktt", days_per_week=4, period_end="2024-12-31"),
        entry("2024-02-01", "coaching_started", id="ttv", provider="Lehto Oy", period_end="2024-04-30"),
        entry("2024-02-15", "coaching_phase_reached", id="p2", phase="profile"),
        entry("2024-03-01", "coaching_phase_reached", id="p3", phase="job_search"),
        entry("2024-04-15", "work_trial_started", id="tk", arrangement="alongside_activity", planned_end="2024-07-14",
              employer="Leipomo"),
        *more,
    )  # fmt: skip


# --- services ---


def test_what_goes_on_has_no_end_but_the_day_it_is_planned_to_end() -> None:
    found = timeline(on_path())
    assert bars(found, "activity") == [("2024-01-10", None)]
    (trial,) = lane(found, "work_trial").bars
    assert (trial.label, trial.end, trial.expected) == ("Leipomo", None, day("2024-07-14"))
    assert rows(found, "Work trial") == [
        ("Work trial: Leipomo", "15 April 2024", "goes on", "Planned end 14 July 2024"),
        ("Planned end", "14 July 2024", "", ""),
    ]


def test_pauses_lie_within_their_activity_and_voided_entries_do_not_count() -> None:
    found = timeline(
        journal(
            entry("2024-01-10", "activity_started"),
            entry("2024-02-01", "activity_paused", reason="illness"),
            entry("2024-02-20", "activity_resumed"),
            entry("2024-03-01", "activity_paused", id="wrong", reason="illness"),
            entry("2024-03-02", "correction", voids="wrong"),
            entry("2024-04-01", "activity_ended", reason="other"),
        )
    )
    (activity,) = lane(found, "activity").bars
    assert [(part.kind, part.start, part.end) for part in activity.parts] == [
        ("pause", day("2024-02-01"), day("2024-02-20"))
    ]
    assert activity.end == day("2024-04-01")


def test_the_phases_of_coaching_and_its_interruptions_follow_each_other() -> None:
    found = timeline(
        on_path(
            entry("2024-03-20", "coaching_interrupted", reason="symptoms", review_on="2024-04-20"),
            entry("2024-04-10", "coaching_resumed"),
        )
    )
    (coaching,) = lane(found, "coaching").bars
    assert [(part.number, part.name, part.start.isoformat()) for part in coaching.parts] == [
        (1, "Agreement", "2024-02-01"), (2, "Vocational profile", "2024-02-15"), (3, "Job search", "2024-03-01"),
        (None, "Interruption", "2024-03-20"), (3, "Job search", "2024-04-10"),
    ]  # fmt: skip
    assert [part.end for part in coaching.parts[:-1]] == [part.start for part in coaching.parts[1:]]


def test_a_limit_that_was_moved_or_lifted_while_still_ahead_is_not_marked() -> None:
    found = timeline(
        on_path(
            entry("2024-04-01", "coaching_renewed", period_end="2024-06-30"),
            entry("2024-04-20", "work_trial_extended", planned_end="2024-08-31"),
            entry("2024-04-25", "activity_ended", reason="job"),
        )
    )
    marks = {kind: [mark.day for bar in lane(found, kind).bars for mark in bar.marks]
             for kind in ("activity", "coaching", "work_trial")}  # fmt: skip
    assert marks == {"activity": [], "coaching": [day("2024-06-30")], "work_trial": [day("2024-08-31")]}


def test_a_job_or_trial_agreed_for_a_day_ahead_is_drawn_as_planned_until_it_begins() -> None:
    agreed = entry("2024-05-01", "job_agreed", start="2024-06-01", employer="Kukkakauppa")
    (job,) = lane(timeline(journal(agreed)), "employment").bars
    assert (job.planned, job.start, job.label) == (True, day("2024-06-01"), "Kukkakauppa")
    assert job.runs(day("2024-06-15")) is False
    begun = timeline(journal(agreed, entry("2024-06-01", "job_started", kind="open_market")), "2024-06-02")
    assert [bar.planned for bar in lane(begun, "employment").bars] == [False]
    assert timeline(journal(agreed), "2024-06-01").lanes == ()


def test_what_is_recorded_ahead_is_shown_ahead() -> None:
    found = timeline(on_path(entry("2024-06-03", "activity_ended", reason="period_over")))
    assert bars(found, "activity") == [("2024-01-10", "2024-06-03")]
    for form in drawn(found):
        (group,) = parts(form, "bar", "activity")
        dashes = [path.get("stroke-dasharray") for path in group.findall(f"{SVG}path")]
        assert sorted(dash or "" for dash in dashes) == ["", "4 3"]


def test_overlapping_jobs_lie_beneath_each_other() -> None:
    found = timeline(
        journal(
            entry("2024-01-10", "job_started", kind="open_market", employer="A"),
            entry("2024-02-10", "job_started", kind="reserved"),
            entry("2024-04-10", "job_ended", employer="A"),
        )
    )
    assert [bar.label for bar in lane(found, "employment").bars] == ["A", "Work reserved for a certain group"]
    wide, _ = drawn(found)
    tops = {tuple(text.get("y") for text in group.iter(f"{SVG}text")) for group in parts(wide, "bar", "employment")}
    assert len(tops) == 2


# --- plans, statements, consents, the case ---


def test_plans_that_follow_each_other_are_one_bar_with_its_updates_and_reviews() -> None:
    of_client: dict[str, Any] = {"participants": ["client"]}
    found = timeline(
        journal(
            entry("2023-01-10", "activation_plan_updated", kind="activation_plan", **of_client),
            entry("2023-04-10", "plan_reviewed", **of_client),
            entry(
                "2023-07-10", "activation_plan_updated", kind="activation_plan", valid_until="2023-12-31", **of_client
            ),
            entry("2024-01-15", "plan_reviewed", **of_client),
            entry("2024-02-01", "activation_plan_updated", kind="activation_plan", **of_client),
            entry("2024-03-01", "activation_plan_updated", kind="multi_sector_plan", **of_client),
        )
    )
    assert bars(found, "plan") == [("2023-01-10", "2023-12-31"), ("2024-02-01", "2024-02-29"), ("2024-03-01", None)]
    marks = [(mark.kind, mark.day) for bar in lane(found, "plan").bars for mark in bar.marks]
    assert marks == [("review", day("2023-04-10")), ("update", day("2023-07-10"))]
    assert [mark.day for mark in lane(found, "plan").marks] == [day("2024-01-15")]


def test_statements_last_until_they_end_or_are_withdrawn_and_say_whether_they_are_paying() -> None:
    found = timeline(
        journal(
            entry(
                "2024-01-05", "statement_issued", measure="activity", paying="yes", start="2024-01-10", end="2024-06-30"
            ),
            entry("2024-01-05", "statement_issued", measure="coaching", paying="no", start="2024-01-10"),
            entry("2024-01-05", "statement_issued", measure="work_trial", start="2024-05-10", end="2024-06-30"),
            entry("2024-03-01", "statement_withdrawn", measure="coaching"),
            entry("2024-04-01", "statement_withdrawn", measure="work_trial"),
        )
    )
    assert rows(found, "Statements") == [
        ("Rehabilitative work activity, paying", "10 January 2024", "30 June 2024", "Paying"),
        ("Supported job coaching, not paying", "10 January 2024", "29 February 2024", "Not paying"),
        ("Work trial", "10 May 2024", "", "It is not recorded whether it is paying. Never came into force"),
    ]
    wide, _ = drawn(found)
    assert len(parts(wide, "bar", "statement")) == 2


def test_a_consent_ends_when_it_expires_or_was_withdrawn_of_all_its_parties() -> None:
    found = timeline(
        journal(
            entry("2024-01-05", "consent_given", scope="basic", parties=["a", "b"], expires_on="2024-12-31"),
            entry("2024-01-06", "consent_given", scope="provider", parties=["c", "d"]),
            entry("2024-02-01", "consent_withdrawn", scope="provider", parties=["c"]),
            entry("2024-03-01", "consent_withdrawn", scope="provider", parties=["d"]),
            entry("2024-03-02", "consent_withdrawn", scope="basic", parties=["a"]),
        )
    )
    assert bars(found, "consents") == [("2024-01-05", "2024-12-31"), ("2024-01-06", "2024-02-29")]
    assert rows(found, "Consents")[0] == ("Basic consent", "5 January 2024", "31 December 2024", "a, b")


def test_that_a_case_was_closed_is_marked() -> None:
    found = timeline(on_path(entry("2024-05-01", "case_closed", reason="moved")))
    assert rows(found, "The case itself") == [("Case closed", "1 May 2024", "", "")]


# --- limits and days ahead ---


def test_the_limit_of_a_pause_is_marked_on_the_activity() -> None:
    paused = on_path(entry("2024-04-15", "activity_paused", reason="work_trial"))
    for on in ("2024-04-20", "2024-05-12", "2024-05-30"):
        (activity,) = lane(timeline(paused, on), "activity").bars
        limits = [mark for mark in activity.marks if mark.kind == "limit"]
        assert {mark.day for mark in limits} == {day("2024-05-15")}
    wide, narrow = drawn(timeline(paused))
    assert parts(wide, "mark", "limit")
    assert parts(narrow, "mark", "limit")


def test_next_steps_with_a_day_and_changes_ahead_are_numbered_in_order_and_explained() -> None:
    found = timeline(on_path())
    days = [mark.day for mark in found.ahead]
    assert days == sorted(days)
    assert [mark.number for mark in found.ahead] == list(range(1, len(days) + 1))
    assert found.ahead_withheld is False
    told = rows(found, "Due dates")
    assert len(told) == len(found.ahead) >= 3
    wide, _ = drawn(found)
    (key,) = parts(wide, "key")
    for (what, since, _, _), mark in zip(told, found.ahead, strict=True):
        assert what == f"{mark.number}. {mark.name}"
        assert since in " ".join(words(key))


def test_a_rule_that_is_to_be_done_from_one_day_and_by_another_is_told_once() -> None:
    change = {"rule": "r", "subject": {"kind": "case", "entry": None}, "from": "satisfied"}
    assessment = {
        "findings": [
            {"rule": "r", "title": "Review", "severity": "obligation", "due": None, "subject": {"kind": "case"}}
        ],
        "next_steps": [],
        "agenda": [
            {**change, "last_day": "2024-05-31", "changes_on": "2024-06-01", "to": "advised"},
            {**change, "last_day": "2024-06-14", "changes_on": "2024-06-15", "to": "violated"},
            {**change, "last_day": "2024-07-14", "changes_on": "2024-07-15", "to": "not_in_force"},
            {**change, "rule": "unnamed", "last_day": "2024-07-14", "changes_on": "2024-07-15", "to": "advised"},
        ],
    }  # fmt: skip
    english, document = Words("en"), withhold_case({"case": {}, "entries": []}, SEES_ALL)
    found = timeline_of(document, assessment, day(TODAY), english, english)
    assert found.ahead == (
        Mark("ahead", day("2024-06-14"), "Review", "last day, to be done from 1 June 2024", number=1),
    )


def test_a_day_far_ahead_does_not_press_the_picture_together_but_stands_in_the_table() -> None:
    case = on_path(entry("2024-04-30", "statement_issued", measure="activity", start="2024-05-01", end="2199-12-31"))
    found = timeline(case)
    assert found.last == day("2026-05-02")
    assert "31 December 2199" in rows(found, "Statements")[0][2]
    drawn(found)


def test_an_empty_journal_is_an_empty_time_line_with_today() -> None:
    found = timeline(journal())
    assert found.lanes == ()
    assert found.first < found.today < found.last
    for form in drawn(found):
        assert "Nothing is running now." in (form[1].text or "")
        assert [group.get("data-today") for group in parts(form, "today")] == [TODAY]


# --- who may see what ---


def test_lanes_that_rest_on_hidden_entries_say_so_whether_there_is_something_or_not() -> None:
    for case in (on_path(), journal()):
        found = timeline(case, sight=SUPERVISOR)
        assert [each.kind for each in found.lanes if each.withheld] == [
            "coaching", "work_trial", "employment", "plan", "statements", "consents",
        ]  # fmt: skip
        wide, _ = drawn(found)
        for kind in ("coaching", "consents"):
            assert words(parts(wide, "lane", kind)[0])[-1] == "Not shown to you"
        assert ("Work trial", "", "", "Not shown to you") in rows(found, "Work trial")
        assert "Not shown to you: Supported job coaching, Work trial" in (wide[1].text or "")
        assert found.ahead_withheld is True


def test_hidden_details_are_left_out_and_the_lane_says_that_some_are() -> None:
    hidden = frozenset(
        {("coaching_phase_reached", "phase"), ("statement_issued", "paying"), ("consent_given", "parties")}
    )
    sight = Sight("social_worker", "assigned", SEES_ALL.views, hidden)
    case = on_path(
        entry("2024-01-05", "statement_issued", measure="activity", paying="yes", start="2024-01-10"),
        entry("2024-01-06", "consent_given", scope="provider", parties=["c"]),
        entry("2024-01-07", "consent_withdrawn", scope="provider", parties=["c"]),
    )
    found = timeline(case, sight=sight)
    assert lane(found, "coaching").bars[0].parts == ()
    assert [each.kind for each in found.lanes if each.partly] == ["coaching", "statements", "consents"]
    assert rows(found, "Statements")[0][3] == "Not shown to you"
    assert rows(found, "Statements")[-1] == ("Statements", "", "", "Some details are not shown to you")
    assert bars(found, "consents") == [("2024-01-06", None)]


@settings(max_examples=60)
@given(seed=SEEDS)
def test_two_clients_who_differ_in_what_is_hidden_look_the_same(seed: int) -> None:
    rng = random.Random(seed)
    sight = rng.choice((rng.choice(OF_THE_TABLES), random_sight(rng)))
    case, on, _ = random_pair(seed)
    other = case_from_data(changed_often(rng, plain(case), [pair for pair in pairs() if pair in sight.hidden], 10))
    one, two = (timeline(each, on.isoformat(), sight) for each in (case_from_data(plain(case)), other))
    assert one == two
    assert timeline_svg(one, Words("en"), Words("en")) == timeline_svg(two, Words("en"), Words("en"))


# --- any journal, any text ---


@settings(max_examples=100)
@given(seed=SEEDS)
def test_any_journal_can_be_drawn_and_the_table_tells_every_bar_and_mark(seed: int) -> None:
    case, on, rng = random_pair(seed)
    entries = plain(case)["entries"]
    # A damaged journal: ends without starts, starts without ends, the order of days broken.
    kept = [item for item in entries if rng.random() < 0.6 and item["type"] != "correction"]
    for damaged in (case, case_from_data({"case": {"id": "damaged"}, "entries": kept})):
        found = timeline(damaged, (on + timedelta(days=rng.randint(-900, 900))).isoformat(), lang="fi")
        lasting = [bar for each in found.lanes for bar in each.bars]
        marks = [mark for each in found.lanes for mark in (*each.marks, *(m for bar in each.bars for m in bar.marks))]
        notes = sum(each.withheld or each.partly for each in found.lanes) + found.ahead_withheld
        inner = sum(len(bar.parts) for bar in lasting)
        assert len(found.rows) == len(lasting) + inner + len(marks) + len(found.ahead) + notes
        for form in drawn(found, "fi"):
            width = float(form.get("width") or 0)
            places = [float(node.get("x") or 0) for node in form.iter(f"{SVG}text")]
            assert all(0 <= place <= width for place in places)
            shown = sum(bar.real and bar.start <= found.last for bar in lasting)
            assert len(parts(form, "bar")) == shown


def test_what_users_wrote_is_never_markup() -> None:
    found = timeline(
        journal(
            entry("2024-01-10", "job_started", kind="open_market", employer='"><script>alert(1)</script>'),
            entry("2024-01-10", "coaching_started", provider="</svg><img src=x onerror=alert(1)>{day}"),
            entry("2024-01-10", "consent_given", scope="basic", parties=["&lt;b&gt;", "x" * 200]),
            entry("2024-02-10", "job_started", kind="open_market", employer="שלום " * 30 + "مرحبا"),
        )
    )
    picture = timeline_svg(found, Words("en"), Words("en"))
    assert "<script" not in picture
    assert "<img" not in picture
    for form in drawn(found):
        assert '"><script>alert(1)</script>' in "".join(words(form))
    assert rows(found, "Consents")[0][3].startswith("&lt;b&gt;, xxx")


def test_characters_that_turn_or_hide_text_do_not_reach_the_picture() -> None:
    english = Words("en")
    item = {"id": "e1", "date": "2024-01-10", "type": "job_started", "kind": "open_market", "employer": HOSTILE}
    document = withhold_case({"case": {}, "entries": [item]}, SEES_ALL)
    found = timeline_of(document, None, day(TODAY), english, english)
    picture = timeline_svg(found, english, english)
    assert "\u202e" not in picture + "".join(row.what for row in found.rows)
    assert "{day}" in found.rows[0].what


# --- how it looks ---


def ten_years() -> Case:
    entries = []
    for year in range(2014, 2024):
        entries += [
            entry(f"{year}-01-10", "activity_started", days_per_week=3, period_end=f"{year}-10-31"),
            entry(f"{year}-03-10", "activity_paused", reason="illness"),
            entry(f"{year}-03-30", "activity_resumed"),
            entry(f"{year}-10-31", "activity_ended", reason="period_over"),
            entry(f"{year}-04-01", "job_started", kind="open_market", employer=f"Siivouspalvelu Kiilto {year}"),
            entry(f"{year}-05-20", "job_ended"),
            entry(f"{year}-06-01", "consent_given", scope="basic", parties=["a"]),
        ]
    return journal(*entries)


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_ten_years_stay_readable_no_words_cover_each_other(lang: Lang) -> None:
    found = timeline(ten_years(), lang=lang)
    for form in drawn(found, lang):
        assert float(form.get("height") or 0) < 1200
        for each in parts(form, "lane"):
            _apart([node for node in each.iter(f"{SVG}text") if node.get("font-size") == "12"])


def _apart(texts: list[ET.Element]) -> None:
    """Labels on one line begin after the one before has ended (letters counted at about half their size)."""
    lines: dict[str, list[tuple[float, str]]] = {}
    for node in texts:
        if node.get("text-anchor") is None:
            lines.setdefault(str(node.get("y")), []).append((float(node.get("x") or 0), node.text or ""))
    for line in lines.values():
        line.sort()
        for (start, told), (follows, _) in pairwise(line):
            assert start + len(told) * 12 * 0.5 <= follows, line


def test_the_axis_tells_months_of_a_year_and_years_of_a_decade() -> None:
    wide, narrow = drawn(timeline(on_path()))
    assert {"Feb", "Mar", "2024"} <= set(words(wide))
    wide, narrow = drawn(timeline(ten_years()))
    assert {"2015", "2020"} <= set(words(wide))
    assert "Mar" not in words(wide) + words(narrow)
    far = timeline(journal(entry("1900-01-01", "job_started", kind="open_market")))
    assert "2000" in words(drawn(far)[0])


def test_what_goes_on_and_what_is_ahead_is_told_by_shape_and_explained() -> None:
    case = on_path(entry("2024-05-01", "activity_paused", reason="work_trial"))
    wide, narrow = drawn(timeline(case))
    for form in (wide, narrow):
        (legend,) = parts(form, "legend")
        assert {"until now", "ahead", "goes on", "pause or interruption", "end of a period, planned end"} <= set(
            words(legend)
        )
        (pause,) = parts(form, "part", "pause")
        assert [str(path.get("fill"))[:5] for path in pause] == ["url(#"]


def test_texts_can_be_read_and_lines_be_seen() -> None:
    wide, _ = drawn(timeline(on_path(entry("2024-05-01", "activity_paused", reason="work_trial"))))
    fillings = {
        path.get("fill") for group in parts(wide, "bar") for path in group.findall(f"{SVG}path")
    } | {PAPER, "#f7f7f8"}  # fmt: skip
    for node in wide.iter(f"{SVG}text"):
        if node.get("fill") != PAPER:  # today's day is white on its own dark ground
            assert all(contrast(str(node.get("fill")), str(filling)) >= 4.5 for filling in fillings)
    for group in parts(wide, "bar"):
        for path in group.findall(f"{SVG}path"):
            assert contrast(str(path.get("stroke")), "#f7f7f8") >= 3


def test_a_bar_knows_whether_it_lasted_and_runs() -> None:
    first, last = date(2024, 1, 1), date(2024, 1, 31)
    assert Bar("job", "Job", first, last).runs(last)
    assert not Bar("job", "Job", first, last).runs(last + timedelta(days=1))
    assert not Bar("job", "Job", last, first).real
