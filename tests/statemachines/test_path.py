"""Journals followed through the charts: states, stage, episodes, lapse, and what does not fit."""

from datetime import date, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachines import ARRANGEMENT, NO_ROW, PHASES, REFERRAL_OPEN, STAGES, STATES, follow
from statemachines.charts import FIRED_BY

from .journals import DAY, add_months, entry, walk

LATER = DAY + timedelta(days=3650)


def plan(day, coaching=True):
    return entry("activation_plan_updated", day, coaching=SimpleNamespace(start=DAY) if coaching else None)


def initiative(day):
    return entry("initiative_taken", day, service="coaching")


def phase(day, name):
    return entry("coaching_phase_reached", day, phase=name)


def trial(day, arrangement):
    return entry("work_trial_started", day, arrangement=arrangement)


def stage(*entries, on=None):
    path = walk(*entries)
    return path.state_at(on or path.last_day).stage


# --- states and stage -------------------------------------------------------------------------------------------------


def test_an_empty_journal_has_not_started():
    path = walk()
    assert path.state_at(DAY) == ("not_started", "none", "none", "none", "none", "none")
    assert path.inconsistent == []
    assert path.last_day is None


def test_entries_that_are_no_chart_entries_change_nothing():
    path = walk(entry("contact"), entry("need_assessed", 1), entry("follow_up_done", 2))
    assert path.state_at(DAY + timedelta(days=2)).stage == "not_started"
    assert path.inconsistent == []


def test_all_five_charts_run_side_by_side():
    path = walk(
        entry("activity_started", 0),
        plan(1),
        entry("coaching_started", 2),
        phase(3, "job_search"),
        trial(4, "alongside_activity"),
        entry("job_started", 5),
    )
    assert path.state_at(path.last_day) == ("employment", "done", "active", "job_search", "running", "employed")
    assert path.inconsistent == []


START = entry("activity_started")
COACHING = entry("coaching_started", 1)


@pytest.mark.parametrize(
    ("expected", "entries"),
    [
        ("activity", [START]),
        ("activity", [START, entry("activity_paused", 1)]),
        ("plan_update", [START, initiative(1)]),
        ("plan_update", [START, entry("selection_agreed", 1)]),
        ("plan_update", [START, plan(1)]),
        ("coaching", [START, COACHING]),
        ("coaching_interrupted", [START, COACHING, entry("coaching_interrupted", 2)]),
        ("work_trial", [COACHING, entry("coaching_interrupted", 2), trial(3, "activity_ended")]),
        ("work_trial", [COACHING, trial(3, "activity_ended")]),
        ("employment", [trial(0, "activity_ended"), entry("job_started", 1)]),
        ("between_services", [START, entry("activity_ended", 1)]),
        ("between_services", [trial(0, "activity_ended"), entry("work_trial_ended", 1)]),
        ("between_services", [entry("job_started"), entry("job_ended", 1)]),
        ("between_services", [COACHING, entry("coaching_ended", 2)]),
        ("plan_update", [COACHING, entry("coaching_ended", 2), plan(3)]),
        ("not_started", [initiative(0), entry("coaching_declined", 1)]),
    ],
)
def test_the_stage_is_the_first_that_matches(expected, entries):
    assert stage(*entries) == expected


def test_closed_until_reopened_or_anything_starts():
    job, closed = entry("job_started", 0), entry("case_closed", 1)
    assert stage(job, closed) == "closed"
    assert stage(job, closed, entry("case_reopened", 2)) == "employment"
    for start in ("activity_started", "coaching_started", "work_trial_started", "job_started"):
        assert stage(job, closed, entry(start, 2)) == "employment"
    for other in ("coaching_resumed", "activity_resumed", "need_assessed", "outcome_reached", "initiative_taken"):
        assert stage(job, closed, entry(other, 2)) == "closed"


def test_closed_again_after_reopening():
    closed = [entry("case_closed", 1), entry("case_reopened", 2), entry("case_closed", 3)]
    assert stage(*closed) == "closed"
    assert stage(entry("case_reopened", 0), entry("case_closed", 0)) == "closed"


def test_an_entry_that_no_row_allows_still_reopens():
    assert stage(START, entry("case_closed", 1), entry("activity_started", 2)) == "activity"


def test_another_outcome_lasts_until_a_later_start_or_resumption_or_reopening():
    reached = [START, entry("activity_paused", 1), entry("outcome_reached", 2)]
    assert stage(*reached) == "other_outcome"
    for back in ("activity_started", "coaching_started", "work_trial_started", "job_started"):
        assert stage(*reached, entry(back, 3)) != "other_outcome"
    for back in ("activity_resumed", "coaching_resumed", "case_reopened"):
        assert stage(*reached, entry(back, 3)) == "activity"
    for other in ("activity_changed", "activity_ended", "coaching_phase_reached", "need_assessed"):
        assert stage(*reached, entry(other, 3)) == "other_outcome"


def test_closed_stands_before_another_outcome_and_reopening_lifts_both():
    both = [entry("outcome_reached", 0), entry("case_closed", 1)]
    assert stage(*both) == "closed"
    assert stage(*both, entry("case_reopened", 2)) == "not_started"


def test_a_start_earlier_the_same_day_does_not_lift_the_outcome():
    assert stage(entry("job_started", 1), entry("outcome_reached", 1)) == "other_outcome"
    assert stage(entry("outcome_reached", 1), entry("job_started", 1)) == "employment"


def test_the_state_of_a_day_before_the_last_entry_is_refused():
    path = walk(START, entry("activity_ended", 10))
    with pytest.raises(ValueError, match="its own follow"):
        path.state_at(DAY + timedelta(days=9))
    assert path.state_at(DAY + timedelta(days=10)).stage == "between_services"


# --- referral ---------------------------------------------------------------------------------------------------------


def test_the_referral_of_a_tidy_case():
    first, again, choice, planned = initiative(0), initiative(1), entry("selection_agreed", 2), plan(3)
    start = entry("coaching_started", 4)
    path = walk(first, again, choice, planned, start)
    assert path.referral == "done"
    (run,) = path.referrals
    assert (run.kind, run.entry, run.started_on, run.initiative, run.planned_by) == (
        "referral",
        first,
        first.date,
        first,
        planned,
    )
    assert run.entries == [first, again, choice, planned, start]
    assert (run.ended_by, run.ended_on) == (start, start.date)
    assert path.referral_lapses_on is None


def test_a_run_begun_by_a_plan_takes_its_initiative_from_within_the_run():
    planned, late = plan(0), initiative(5)
    (run,) = walk(planned, late, plan(6)).referrals
    assert (run.entry, run.initiative, run.planned_by) == (planned, late, planned)


def test_starting_coaching_without_preparation_is_done_but_no_run():
    path = walk(entry("coaching_started"))
    assert path.referral == "done"
    assert path.referrals == []


def test_a_refused_start_of_coaching_moves_neither_chart():
    path = walk(COACHING, entry("coaching_interrupted", 2), entry("coaching_started", 3))
    assert (path.referral, path.coaching) == ("done", "interrupted")
    assert [reason for _, reason in path.inconsistent] == [NO_ROW]


def test_a_plan_while_coaching_runs_leaves_the_referral_be():
    path = walk(COACHING, plan(2))
    assert path.referral == "done"
    path = walk(COACHING, entry("coaching_interrupted", 2), plan(3))
    assert path.referral == "done"
    path = walk(COACHING, entry("coaching_ended", 2), plan(3))
    assert path.referral == "planned"


@pytest.mark.parametrize(
    "end", [entry("coaching_declined", 3), entry("interest_asked", 3, wants_to_work="no")], ids=lambda e: e.type
)
def test_a_decline_or_lost_interest_ends_the_referral(end):
    for begun in (initiative(0), entry("selection_agreed", 0), plan(0)):
        path = walk(begun, end)
        assert path.referral == "none"
        assert path.referrals[0].ended_by is end


def test_a_second_run_is_another_episode():
    path = walk(initiative(0), entry("coaching_declined", 1), entry("selection_agreed", 2))
    assert [(run.entry.type, run.ended_on is None) for run in path.referrals] == [
        ("initiative_taken", False),
        ("selection_agreed", True),
    ]


def test_the_referral_never_makes_an_entry_inconsistent():
    odd = [
        initiative(0),
        initiative(1),
        entry("coaching_declined", 2),
        entry("coaching_declined", 3),
        entry("interest_asked", 4, wants_to_work="no"),
        entry("selection_agreed", 5, client_agrees="no"),
        entry("initiative_taken", 6, service="other"),
        plan(7, coaching=False),
    ]
    path = walk(*odd)
    assert path.inconsistent == []
    assert path.referral == "none"


def test_a_declining_organisation_is_consistent_while_coaching_runs():
    path = walk(COACHING, entry("coaching_declined", 2))
    assert path.inconsistent == []
    assert path.coaching == "agreement"


@pytest.mark.parametrize(
    ("begun", "limit"),
    [
        (date(2023, 8, 31), date(2024, 2, 29)),
        (date(2022, 8, 31), date(2023, 2, 28)),
        (date(2024, 3, 15), date(2024, 9, 15)),
        (date(2024, 2, 29), date(2024, 8, 29)),
    ],
)
def test_the_referral_stands_on_its_last_day_and_not_the_next(begun, limit):
    path = walk(initiative(begun))
    assert path.referral_lapses_on == limit
    assert path.state_at(limit)[:2] == ("plan_update", "initiated")
    assert path.state_at(limit + timedelta(days=1))[:2] == ("not_started", "none")
    (run,) = path.referrals
    assert run.running(limit)
    assert not run.running(limit + timedelta(days=1))
    assert run.ended_on is None


@pytest.mark.parametrize(
    "again", [initiative(100), entry("selection_agreed", 100), plan(100)], ids=["initiative", "selection", "plan"]
)
def test_every_step_starts_the_clock_again_also_when_it_changes_no_state(again):
    path = walk(plan(0), again)
    assert path.referral == "planned"
    assert path.referral_lapses_on == add_months(again.date, 6)
    assert path.referrals[0].entries[-1] is again


@pytest.mark.parametrize(
    "other",
    [
        entry("initiative_taken", 100, service="work_trial"),
        entry("selection_agreed", 100, client_agrees="no"),
        plan(100, coaching=False),
        entry("interest_asked", 100, wants_to_work="yes"),
        entry("need_assessed", 100),
    ],
    ids=lambda e: e.type,
)
def test_no_other_entry_starts_the_clock_again(other):
    path = walk(plan(0), other)
    assert path.referral_lapses_on == add_months(DAY, 6)


def test_the_lapse_is_tested_before_each_later_entry():
    last = add_months(DAY, 6)
    on_time, late = entry("selection_agreed", last), entry("selection_agreed", last + timedelta(days=1))
    path = walk(plan(0), on_time)
    assert (path.referral, len(path.referrals)) == ("planned", 1)
    path = walk(plan(0), late)
    assert (path.referral, len(path.referrals)) == ("agreed", 2)
    old, new = path.referrals
    assert (old.ended_by, old.ended_on) == (None, last + timedelta(days=1))
    assert new.entry is late
    assert new.planned_by is None


def test_a_decline_after_the_lapse_ends_nothing():
    path = walk(plan(0), entry("coaching_declined", 400))
    assert path.referral == "none"
    assert path.referrals[0].ended_by is None


# --- activity and its pauses ------------------------------------------------------------------------------------------


def test_activity_episodes_hold_their_pauses():
    first, pause, change, back, end = (
        entry("activity_started", 0),
        entry("activity_paused", 1),
        entry("activity_changed", 2),
        entry("activity_resumed", 3),
        entry("activity_ended", 4),
    )
    second, pause2, end2 = entry("activity_started", 5), entry("activity_paused", 6), entry("activity_ended", 7)
    path = walk(first, pause, change, back, end, second, pause2, end2)
    assert path.activity == "ended"
    one, two = path.activities
    assert one.entries == [first, pause, change, back, end]
    assert (one.ended_by, two.ended_by) == (end, end2)
    assert one.pauses + two.pauses == path.pauses
    assert [(p.kind, p.entry, p.ended_by) for p in path.pauses] == [("pause", pause, back), ("pause", pause2, end2)]


def test_what_the_activity_does_not_allow_is_skipped_and_named():
    odd = [entry("activity_paused", 0), entry("activity_ended", 1), entry("activity_changed", 2)]
    path = walk(*odd)
    assert path.inconsistent == [(each, NO_ROW) for each in odd]
    assert path.activity == "none"
    assert path.activities == []
    assert path.pauses == []


def test_an_episode_runs_from_its_first_day_to_the_day_before_its_end():
    (activity,) = walk(entry("activity_started", 1), entry("activity_ended", 5)).activities
    days = [n for n in range(8) if activity.running(DAY + timedelta(days=n))]
    assert days == [1, 2, 3, 4]


# --- coaching ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PHASES)
def test_coaching_resumes_in_the_phase_before_the_interruption(name):
    path = walk(
        entry("coaching_started", 0),
        reached := phase(1, name),
        entry("coaching_interrupted", 2),
        entry("coaching_interrupted", 3, review_on=LATER),
    )
    assert path.coaching == "interrupted"
    assert path.coachings[0].interrupted
    assert path.inconsistent == []
    path = walk(*path.coachings[0].entries, entry("coaching_resumed", 4))
    (episode,) = path.coachings
    assert path.coaching == episode.phase == name
    assert episode.phase_entry is reached
    assert not episode.interrupted


def test_coaching_resumes_in_agreement_when_no_phase_was_reached():
    start = entry("coaching_started", 0)
    path = walk(start, entry("coaching_interrupted", 1), entry("coaching_resumed", 2))
    assert path.coaching == "agreement"
    assert path.coachings[0].phase_entry is start


def test_a_phase_or_a_renewal_while_interrupted_is_inconsistent():
    odd = phase(2, "job_search")
    renewed = entry("coaching_renewed", 3)
    path = walk(entry("coaching_started", 0), entry("coaching_interrupted", 1), odd, renewed)
    assert path.inconsistent == [(odd, NO_ROW), (renewed, NO_ROW)]
    assert path.coachings[0].phase == "agreement"


def test_phases_may_go_back_and_be_reached_again():
    path = walk(entry("coaching_started"), phase(1, "job_retention"), phase(2, "profile"), last := phase(3, "profile"))
    assert path.coaching == "profile"
    assert path.coachings[0].phase_entry is last


def test_coaching_may_end_while_interrupted_and_start_anew_in_agreement():
    path = walk(
        entry("coaching_started", 0),
        phase(1, "job_search"),
        entry("coaching_interrupted", 2),
        entry("coaching_ended", 3),
        entry("coaching_started", 4),
    )
    assert path.coaching == "agreement"
    assert [(c.phase, c.interrupted, c.ended_on is None) for c in path.coachings] == [
        ("job_search", True, False),
        ("agreement", False, True),
    ]


# --- work trials ------------------------------------------------------------------------------------------------------


def test_two_trials_are_two_episodes():
    path = walk(
        one := trial(0, "activity_ended"),
        longer := entry("work_trial_extended", 1),
        end := entry("work_trial_ended", 2),
        two := trial(3, "activity_ended"),
    )
    assert path.work_trial == "running"
    first, second = path.trials
    assert (first.kind, first.entries, first.ended_by) == ("trial", [one, longer, end], end)
    assert (second.entry, second.ended_on) == (two, None)
    assert path.inconsistent == []


def test_a_second_trial_while_one_runs_is_inconsistent():
    path = walk(trial(0, "activity_ended"), odd := trial(1, "activity_ended"))
    assert path.inconsistent == [(odd, NO_ROW)]
    assert len(path.trials) == 1


NONE, ACTIVE, PAUSED, ENDED = (
    [],
    [entry("activity_started", 0)],
    [entry("activity_started", 0), entry("activity_paused", 1)],
    [entry("activity_started", 0), entry("activity_ended", 1)],
)


@pytest.mark.parametrize(
    ("arrangement", "fitting"),
    [
        ("alongside_activity", [ACTIVE]),
        ("activity_paused", [PAUSED]),
        ("activity_ended", [ENDED, NONE]),
        (None, [NONE, ACTIVE, PAUSED, ENDED]),
    ],
)
def test_the_arrangement_must_match_the_activity(arrangement, fitting):
    for before in (NONE, ACTIVE, PAUSED, ENDED):
        path = walk(*before, odd := trial(2, arrangement))
        assert path.inconsistent == ([] if before in fitting else [(odd, ARRANGEMENT)]), before
        assert path.work_trial == "running"


def test_the_arrangement_is_judged_at_the_end_of_the_trials_first_day():
    began = trial(5, "activity_paused")
    same_day = entry("activity_paused", 5)
    assert walk(*ACTIVE, began, same_day).inconsistent == []
    assert walk(*ACTIVE, began, entry("activity_paused", 6)).inconsistent == [(began, ARRANGEMENT)]
    assert walk(*ACTIVE, same_day, began, entry("activity_resumed", 6)).inconsistent == []
    assert walk(*ACTIVE, same_day, began, entry("activity_resumed", 5)).inconsistent == [(began, ARRANGEMENT)]


def test_every_trial_is_judged_by_its_own_first_day():
    one, two = trial(1, "alongside_activity"), trial(3, "alongside_activity")
    path = walk(*ACTIVE, one, entry("work_trial_ended", 2), entry("activity_ended", 2), two)
    assert path.inconsistent == [(two, ARRANGEMENT)]


def test_inconsistent_entries_are_named_in_journal_order():
    one, two, three = entry("activity_ended", 0), trial(1, "alongside_activity"), entry("job_ended", 2)
    assert walk(one, two, three).inconsistent == [(one, NO_ROW), (two, ARRANGEMENT), (three, NO_ROW)]


# --- jobs -------------------------------------------------------------------------------------------------------------


def job(day, employer=None):
    return entry("job_started", day, employer=employer)


def job_end(day, employer=None):
    return entry("job_ended", day, employer=employer)


def test_jobs_may_overlap_and_the_client_is_employed_while_one_runs():
    path = walk(job(0, "a"), job(1, "b"), job_end(2, "b"))
    assert path.employment == "employed"
    assert [(j.kind, j.ended_on is None) for j in path.jobs] == [("job", True), ("job", False)]
    path = walk(job(0, "a"), job(1, "b"), job_end(2, "b"), job_end(3, "a"))
    assert path.employment == "ended"
    assert path.running_jobs == []


@pytest.mark.parametrize("employer", [None, "c"])
def test_without_its_employer_the_oldest_running_job_ends(employer):
    path = walk(job(0, "a"), job(1, "b"), end := job_end(2, employer))
    assert [j.ended_by for j in path.jobs] == [end, None]


def test_of_two_jobs_with_one_employer_the_oldest_running_ends():
    path = walk(job(0), job(1, "b"), job(2, "b"), one := job_end(3, "b"), two := job_end(4, "b"))
    assert [j.ended_by for j in path.jobs] == [None, one, two]


def test_an_ended_job_does_not_end_again():
    path = walk(job(0, "a"), job(1, "b"), job_end(2, "a"), again := job_end(3, "a"))
    assert path.jobs[1].ended_by is again
    path = walk(job(0), job_end(1), odd := job_end(2))
    assert path.inconsistent == [(odd, NO_ROW)]
    assert path.employment == "ended"


def test_fields_left_out_altogether_are_no_matter():
    path = walk(entry("job_started", 0), entry("job_ended", 1))
    assert path.employment == "ended"


# --- whatever the journal ---------------------------------------------------------------------------------------------

OTHER_TYPES = ["case_closed", "case_reopened", "outcome_reached", "contact", "correction", "no_such_type"]
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "phase": st.sampled_from([*PHASES, "interrupted", None]),
        "service": st.sampled_from(["coaching", "work_trial", None]),
        "client_agrees": st.sampled_from(["yes", "no", "unknown", None]),
        "wants_to_work": st.sampled_from(["yes", "no", "undecided"]),
        "coaching": st.sampled_from([SimpleNamespace(start=DAY), None]),
        "arrangement": st.sampled_from(["alongside_activity", "activity_paused", "activity_ended", "other", None]),
        "employer": st.sampled_from(["a", "b", None]),
    },
)
ENTRIES = st.builds(
    lambda type_, day, fields: entry(type_, day, **fields),
    st.sampled_from([*FIRED_BY, *OTHER_TYPES]),
    st.integers(0, 900),
    FIELDS,
)
JOURNALS = st.lists(ENTRIES, max_size=40)


def apart(episodes):
    """Whether each episode but the last has ended before the next began."""
    pairs = pairwise(episodes)
    return all(one.ended_on is not None and one.ended_on <= two.started_on for one, two in pairs)


@given(JOURNALS, st.integers(900, 1500))
def test_any_journal_gives_declared_states_and_a_stage(entries, later):
    path = walk(*entries)
    state = path.state_at(DAY + timedelta(days=later))
    assert state.stage in STAGES
    for chart, states in STATES.items():
        assert getattr(state, chart) in states
        assert getattr(path, chart) in states


@given(JOURNALS)
def test_episodes_agree_with_the_charts(entries):
    path = walk(*entries)
    one_at_a_time = [path.referrals, path.activities, path.pauses, path.coachings, path.trials]
    assert all(apart(episodes) for episodes in one_at_a_time)
    running = [bool(episodes) and episodes[-1].ended_on is None for episodes in one_at_a_time]
    assert running == [
        path.referral in REFERRAL_OPEN,
        path.activity in ("active", "paused"),
        path.activity == "paused",
        path.coaching not in ("none", "ended"),
        path.work_trial == "running",
    ]
    assert bool(path.running_jobs) is (path.employment == "employed")
    if path.coaching in PHASES:
        assert path.coachings[-1].phase == path.coaching
    for episode in [*path.referrals, *path.activities, *path.pauses, *path.coachings, *path.trials, *path.jobs]:
        assert episode.entries[0] is episode.entry
        assert episode.started_on == episode.entry.date
        if episode.ended_by is not None:
            assert episode.entries[-1] is episode.ended_by
            assert episode.ended_on == episode.ended_by.date


@given(JOURNALS)
def test_each_chart_entry_is_taken_or_named_as_inconsistent(entries):
    path = walk(*entries)
    refused = {id(each) for each, reason in path.inconsistent if reason == NO_ROW}
    groups = [path.activities, path.coachings, path.trials, path.jobs]
    taken = {id(each) for episodes in groups for episode in episodes for each in episode.entries}
    charted = {id(e) for e in entries if any(chart != "referral" for chart, _ in FIRED_BY.get(e.type, ()))}
    assert taken | refused == charted
    assert not taken & refused


@given(JOURNALS)
def test_a_refused_entry_might_as_well_not_be_there_for_the_charts(entries):
    path = walk(*entries)
    refused = {id(each) for each, reason in path.inconsistent if reason == NO_ROW}
    without = walk(*[each for each in entries if id(each) not in refused])
    last = max((each.date for each in entries), default=date(2024, 1, 1))
    # On a day, the lapse included: a refused start after it is when the lapse is noted in the path itself.
    states = [[getattr(each.state_at(last), chart) for chart in STATES] for each in (without, path)]
    assert states[0] == states[1]
    assert not [reason for _, reason in without.inconsistent if reason == NO_ROW]


@given(JOURNALS)
def test_following_twice_gives_the_same_and_leaves_the_entries_alone(entries):
    before = [dict(vars(each)) for each in entries]
    assert repr(walk(*entries)) == repr(walk(*entries))
    assert [vars(each) for each in entries] == before


@given(JOURNALS, st.integers(0, 12))
def test_any_lapse_period_is_accepted(entries, months):
    ordered = sorted(entries, key=lambda each: each.date)
    path = follow(iter(ordered), referral_lapse_months=months, add_months=add_months)
    for run in path.referrals:
        assert all(each.date <= run.lapses_on for each in run.entries)
