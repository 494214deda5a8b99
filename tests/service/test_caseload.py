"""A caseload filtered, searched, sorted, in pages, in a calendar and in numbers."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.caseload import (
    DUE_GROUPS,
    ON_A_PAGE,
    SORTS,
    Filter,
    Listed,
    calendar,
    listed,
    matching,
    month_asked,
    team_overview,
)
from service.outlook import Row
from statemachines import STAGES
from tests.service.outlooks import at_work, change, due, finding, row, step

TODAY = date(2026, 11, 20)


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)


def ids(rows: Any) -> list[str]:
    return [item.case_id for item in rows]


def found(rows: list[Row], **asked: Any) -> list[str]:
    return ids(matching(rows, Filter(**asked), TODAY))


CLIENTS = [
    row("c-1", name="Öisti Ölander", steps=(step(in_days(20)),), stage="coaching"),
    row("c-2", name="Åke Åberg", steps=(step(status="do_now"),), stage="activity"),
    row("c-3", name="Aale Zetterman", steps=(step(in_days(-2), status="overdue"),), stage="activity"),
    row("c-4", name="Äiti Äyräs", steps=(step(),), relation="team", stage="between_services"),
    row("c-5", name=None, steps=(), fresh=False, stage=None, relation="team"),
    row("c-6", name="Zeta Aalto", steps=(step(in_days(7), role="job_coach", status="due"), step())),
    row("c-7", name="Aale Ahonen", steps=(step(in_days(-30), status="overdue"),), stage="closed"),
]


# ---- order


def test_what_is_late_comes_first_then_what_is_due_then_what_is_to_be_done() -> None:
    assert found(CLIENTS) == ["c-7", "c-3", "c-6", "c-1", "c-2", "c-4", "c-5"]


def test_names_stand_as_finnish_sorts_them() -> None:
    assert found(CLIENTS, sort="name") == ["c-7", "c-3", "c-6", "c-2", "c-4", "c-1", "c-5"]


def test_stages_stand_as_the_path_goes() -> None:
    assert found(CLIENTS, sort="stage") == ["c-4", "c-3", "c-6", "c-2", "c-1", "c-7", "c-5"]


@given(st.permutations(CLIENTS), st.sampled_from(SORTS))
def test_the_order_does_not_hang_on_how_the_rows_come(rows: list[Row], sort: str) -> None:
    assert found(rows, sort=sort) == found(CLIENTS, sort=sort)


# ---- filters


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("", 7),
        ("aale", 2),
        ("AALE", 2),
        ("aale zet", 1),
        ("zet aale", 1),
        ("äyräs", 1),
        ("ÄYRÄS", 1),
        ("ayras", 0),
        ("ake", 0),
        ("åke", 1),
        (unicodedata.normalize("NFD", "åke"), 1),
        ("c-5", 1),
        ("C-5", 1),
        ("c-", 7),
        ("%", 0),
        (".*", 0),
        ("<script>", 0),
        ("aale\nc-3", 1),
    ],
)
def test_a_search_finds_names_and_ids(q: str, expected: int) -> None:
    assert len(matching(CLIENTS, Filter.asked({"q": q}), TODAY)) == expected


def test_foreign_marks_do_not_hide_a_name() -> None:
    rows = [row("c-1", name="Zoë Šimůnek"), row("c-2", name="Zoe Simunek"), row("c-3", name="Zöe")]
    for q in ("zoë", "zoe", "šimůnek", "simunek"):
        assert found(rows, q=q) == ["c-2", "c-1"] or set(found(rows, q=q)) == {"c-1", "c-2"}
    assert found(rows, q="zöe") == ["c-3"]


def test_a_search_does_not_run_from_the_name_into_the_id() -> None:
    assert found([row("virta", name="Aino Koski")], q="koskivirta") == []


def test_a_client_without_a_name_is_found_by_id_alone() -> None:
    assert found([row("c-1", name=None)], q="none") == []


def test_filters_narrow() -> None:
    assert found(CLIENTS, stage="activity") == ["c-3", "c-6", "c-2"]
    assert found(CLIENTS, mine=True) == ["c-7", "c-3", "c-6", "c-1", "c-2"]
    assert found(CLIENTS, due="overdue") == ["c-7", "c-3"]
    assert found(CLIENTS, due="this_week") == ["c-6"]
    assert found(CLIENTS, due="later") == ["c-1"]
    assert found(CLIENTS, due="no_date") == ["c-2", "c-4"]
    assert found(CLIENTS, stage="activity", due="overdue", q="aale", mine=True) == ["c-3"]


def test_who_acts_is_whoever_has_a_step_and_the_row_is_looked_at_by_it() -> None:
    assert found(CLIENTS, who="job_coach") == ["c-6"]
    assert found(CLIENTS, who="social_worker", due="no_date") == ["c-2", "c-6", "c-4"]
    assert found(CLIENTS, who="team_leader") == []
    assert CLIENTS[5].step_of("social_worker") == step()
    assert CLIENTS[4].step is None
    assert CLIENTS[4].step_of("client") is None


@pytest.mark.parametrize(
    ("days", "group"), [(-1, "overdue"), (0, "this_week"), (7, "this_week"), (8, "later"), (None, "no_date")]
)
def test_what_is_due_falls_into_groups(days: int | None, group: str) -> None:
    rows = [row(steps=(step(None if days is None else in_days(days)),))]
    assert [name for name in DUE_GROUPS if found(rows, due=name)] == [group]


# ---- pages and counts


def many(count: int) -> list[Row]:
    return [row(f"c-{number:04}", steps=(step(in_days(number)),)) for number in range(count)]


@pytest.mark.parametrize(
    ("count", "page", "first", "shown", "pages"),
    [(0, 1, None, 0, 1), (50, 1, 0, 50, 1), (51, 2, 50, 1, 2), (120, 3, 100, 20, 3), (120, 99, 100, 20, 3)],
)
def test_a_list_comes_in_pages(count: int, page: int, first: int | None, shown: int, pages: int) -> None:
    page_of = listed(many(count), Filter(page=page), TODAY)
    assert (len(page_of.rows), page_of.pages, page_of.total, page_of.all) == (shown, pages, count, count)
    assert page_of.asked.page == page_of.page <= pages
    assert ids(page_of.rows)[:1] == ([] if first is None else [f"c-{first:04}"])


def test_pages_leave_none_out_and_show_none_twice() -> None:
    rows = many(173)
    pages = [listed(rows, Filter(sort="name", page=number), TODAY) for number in (1, 2, 3, 4)]
    assert [case for page in pages for case in ids(page.rows)] == ids(rows)
    assert {len(page.rows) for page in pages[:3]} == {ON_A_PAGE}


def test_all_on_one_page_when_that_is_asked() -> None:
    whole = listed(many(120), Filter(page=2), TODAY, whole=True)
    assert (len(whole.rows), whole.page, whole.pages) == (120, 1, 1)


def test_counts_say_what_each_choice_would_show() -> None:
    page = listed(CLIENTS, Filter(stage="activity", due="overdue"), TODAY)
    assert (page.total, page.all, page.stale) == (1, 7, 1)
    assert page.by_due == {"overdue": 1, "this_week": 1, "later": 0, "no_date": 1}
    assert page.by_stage == {"closed": 1, "activity": 1}
    assert page.by_role == {"social_worker": 1}
    for group in DUE_GROUPS:
        assert page.by_due[group] == len(found(CLIENTS, stage="activity", due=group))
    for stage in STAGES:
        assert page.by_stage.get(stage, 0) == len(found(CLIENTS, stage=stage, due="overdue"))


# ---- what a query string asks for

#: What someone may put into an address.
HOSTILE = (
    "", " ", "\x00", "<script>alert(1)</script>", '"><img src=x>', "\u202eoverdue", "../../etc/passwd", "-1", "0",
    "1e9", "٣", "9" * 400, "'; DROP TABLE outlook; --", "\ud800", "true", "overdue\n", "None",
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["q", "stage", "who", "due", "mine", "closed", "sort", "page", "other"]),
        st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30)),
    )
)
def test_nothing_that_is_asked_does_harm(query: dict[str, str]) -> None:
    asked = Filter.asked(query)
    assert asked.stage is None or asked.stage in STAGES
    assert asked.due is None or asked.due in DUE_GROUPS
    assert asked.sort in SORTS
    assert asked.page >= 1
    assert asked.q.isprintable()
    assert Filter.asked(asked.query()) == asked
    assert isinstance(listed(CLIENTS, asked, TODAY), Listed)


def test_a_query_string_and_back() -> None:
    query = {
        "q": "aino",
        "stage": "activity",
        "who": "job_coach",
        "due": "later",
        "mine": "1",
        "sort": "name",
        "page": "3",
    }
    asked = Filter.asked(query)
    assert asked.query() == query
    assert asked.query(page=4)["page"] == "4"
    assert "page" not in asked.query(sort="due"), "another order begins at the first page"
    assert asked.query(stage=None, who=None, due=None, mine=False, q="") == {"sort": "name"}
    assert Filter().query() == {}
    assert Filter.asked({"closed": "1"}).query() == {"closed": "1"}


def test_a_search_of_any_length_is_cut() -> None:
    assert len(Filter.asked({"q": "a" * 100_000}).q) == 200


# ---- calendar


def test_a_month_stands_in_whole_weeks() -> None:
    month = calendar([], date(2026, 11, 20))
    assert month.first == date(2026, 11, 1)
    assert [len(week) for week in month.weeks] == [7] * 6
    assert (month.weeks[0][0].day, month.weeks[0][0].in_month) == (date(2026, 10, 26), False)
    assert month.weeks[-1][-1].day == date(2026, 12, 6)
    assert month.items == []


def test_a_calendar_notes_the_last_day_to_act_and_the_day_something_begins() -> None:
    dates = (
        due(date(2026, 11, 10), "review"),
        change(date(2026, 11, 10), "review"),  # the same limit
        change(date(2026, 11, 14), "pause"),
        change(date(2026, 11, 19), "statement", "advised", "satisfied"),
        change(date(2026, 11, 21), "done", "satisfied", "violated"),
        change(date(2026, 11, 22), "gone", "not_applicable", "advised"),
        due(date(2026, 12, 6), "contact"),
        due(date(2026, 12, 7), "next month"),
    )
    month = calendar([row("c-1", name="Aino", dates=dates)], TODAY)
    assert [(item.day.day, item.rule, item.kind, item.outcome) for item in month.items] == [
        (10, "review", "due", "advised"),
        (14, "pause", "change", "violated"),
        (20, "statement", "change", "advised"),
    ]
    # It stands in the month's last week, on a day of the next month: nothing of that is shown, so nobody is in it.
    assert (month.weeks[-1][-1].day, month.weeks[-1][-1].items) == (date(2026, 12, 6), ())
    assert {(item.case_id, item.name) for item in month.items} == {("c-1", "Aino")}


def test_several_clients_of_a_day_stand_by_name() -> None:
    rows = [row(f"c-{n}", name=name, dates=(due(TODAY),)) for n, name in enumerate((None, "Öövä", "Ava", "Åva"))]
    assert [item.name for item in calendar(rows, TODAY).items] == ["Ava", "Åva", "Öövä", None]


@pytest.mark.parametrize(
    ("text", "month"),
    [("2026-02", date(2026, 2, 1)), ("1900-01", date(1900, 1, 1))]
    + [(bad, date(2026, 11, 1)) for bad in (None, "2026-13", "2026-00", "2026-1", "9999-12", "٢٠٢٦-٠٢", *HOSTILE)],
)
def test_a_month_is_asked_for_in_one_way(text: str | None, month: date) -> None:
    assert month_asked(text, TODAY) == month
    calendar([], month_asked(text, TODAY))


# ---- a team


def test_a_teams_work_is_counted() -> None:
    rows = [
        row("c-1", open=(finding("pause"), finding("tip", "recommendation")), workers=at_work("aino", "vilho")),
        row("c-2", open=(finding("pause", outcome="advised", due=in_days(3)),), workers=at_work("aino")),
        row("c-3", open=(finding("pause", gives_step=False, set_aside=True),), stage="between_services"),
        row("c-4", open=(finding("plan", outcome="advised", due=in_days(-1)),), dates=(due(in_days(-1)),)),
        row("c-5", fresh=False, stage=None),
        row("c-6", undetermined=True, stage=None),
    ]
    overview = team_overview(rows, TODAY)
    assert [(item.rule, item.clients, item.overdue) for item in overview.obligations] == [
        ("pause", 2, 1),
        ("plan", 1, 1),
    ]
    assert [(item.worker, item.role, item.clients) for item in overview.workers] == [
        ("aino", "social_worker", 2),
        ("vilho", "social_worker", 1),
    ]
    assert (overview.clients, overview.between_services, overview.stale, overview.undetermined) == (6, 1, 1, 1)
    assert overview.stages == {"activity": 3, "between_services": 1}
    assert overview.ahead == ()


def test_limits_ahead_are_counted_by_rule_for_thirty_days() -> None:
    dates = (due(in_days(5), "pause"), change(in_days(5), "pause"), change(in_days(31), "far"))
    rows = [row("c-1", dates=dates), row("c-2", dates=(change(in_days(2), "pause"), due(in_days(30), "edge")))]
    assert [(item.rule, item.outcome, item.clients, item.first) for item in team_overview(rows, TODAY).ahead] == [
        ("pause", "violated", 1, in_days(2)),
        ("pause", "advised", 1, in_days(5)),
        ("edge", "advised", 1, in_days(30)),
    ]


def test_a_worker_in_two_roles_has_a_load_in_each_and_a_client_counts_once() -> None:
    twice = row("c-1", workers=at_work("aino", "aino"))
    assert [(load.worker, load.clients) for load in team_overview([twice], TODAY).workers] == [("aino", 1)]
