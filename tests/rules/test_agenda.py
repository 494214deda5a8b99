"""The agenda: the days ahead on which an outcome changes if nothing is recorded (exact: see test_properties)."""

from rules.agenda import Change
from rules.journal import Case
from tests.helpers import assessor, day, entry, journal

PAUSED = journal(
    entry("2024-01-01", "activity_started", days_per_week=3),
    entry("2024-01-31", "activity_paused", reason="work_trial"),
)


def changes(case: Case, on: str, rule: str) -> list[Change]:
    """What the agenda says of one rule."""
    return [change for change in assessor().assess(case, day(on)).agenda if change.rule == rule]


def test_a_limit_ahead_is_announced_warned_of_and_passed() -> None:
    first, second = changes(PAUSED, "2024-02-01", "ktt-pause-max-one-month")
    assert (first.before, first.to) == ("satisfied", "advised")
    assert first.changes_on == day("2024-02-22"), "seven days before the limit, 29 February"
    assert (second.before, second.to) == ("advised", "violated")
    assert (second.last_day, second.changes_on) == (day("2024-02-29"), day("2024-03-01"))


def test_what_has_passed_is_not_ahead() -> None:
    assert len(changes(PAUSED, "2024-02-22", "ktt-pause-max-one-month")) == 1
    assert changes(PAUSED, "2024-03-01", "ktt-pause-max-one-month") == []


def test_each_change_follows_from_the_one_before() -> None:
    state: dict[tuple[str, str, str | None], str] = {}
    found = assessor().assess(PAUSED, day("2024-02-01"))
    for finding in found.findings:
        state[finding.key] = finding.outcome
    for change in found.agenda:
        key = (change.rule, change.kind, change.entry)
        assert state.get(key, "not_applicable") == change.before != change.to
        state[key] = change.to


def test_a_rule_that_begins_to_be_in_force_is_ahead() -> None:
    case = journal(
        entry("2022-01-01", "activity_started"), entry("2022-01-05", "activation_plan_updated", participants=["client"])
    )
    first, *_ = changes(case, "2022-05-01", "plan-review-every-3-months")
    assert (first.changes_on, first.to) == (day("2022-05-02"), "violated")


def test_a_referral_lapses_on_the_agenda() -> None:
    case = journal(entry("2024-01-31", "initiative_taken", service="coaching"))
    (lapse,) = changes(case, "2024-02-01", "next-agree-selection")
    assert (lapse.last_day, lapse.before, lapse.to) == (day("2024-07-31"), "advised", "not_applicable")


def test_advice_set_aside_for_a_time_comes_back_on_the_agenda() -> None:
    case = journal(
        entry("2024-01-01", "worker_assigned", role="social_worker", worker="w"),
        entry("2024-04-01", "coaching_started", provider="p", provider_kind="public"),
        entry("2024-05-01", "coaching_ended", reason="client_choice"),
        entry("2024-05-20", "advice_set_aside", rule="next-assess-needs", reason="r", until="2024-06-10"),
    )
    change, *_ = changes(case, "2024-05-20", "next-keep-contact")
    assert (change.last_day, change.before, change.to) == (day("2024-06-10"), "advised", "not_applicable")


def test_a_closed_case_has_nothing_ahead() -> None:
    case = journal(entry("2024-01-01", "activity_started"), entry("2024-01-31", "case_closed", reason="moved"))
    assert assessor().assess(case, day("2024-02-01")).agenda == ()


def test_an_entry_dated_ahead_is_not_on_the_agenda() -> None:
    dated = journal(entry("2024-01-01", "activity_started"), entry("2024-03-01", "activity_ended", reason="job"))
    plain = journal(entry("2024-01-01", "activity_started"))
    assert assessor().assess(dated, day("2024-02-01")).agenda == assessor().assess(plain, day("2024-02-01")).agenda


def test_an_agenda_not_asked_for_is_left_out() -> None:
    assert assessor().assess(PAUSED, day("2024-02-01"), with_agenda=False).agenda == ()


def test_a_change_is_shown_as_spec_writes_it() -> None:
    change = Change(day("2024-02-29"), day("2024-03-01"), "some-rule", "pause", "e2", "advised", "violated")
    assert change.as_json() == {
        "last_day": "2024-02-29",
        "changes_on": "2024-03-01",
        "rule": "some-rule",
        "subject": {"kind": "pause", "entry": "e2"},
        "from": "advised",
        "to": "violated",
    }
