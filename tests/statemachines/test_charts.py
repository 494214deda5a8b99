"""The table of the five charts, row by row, from every state; and the compiled table against the machines."""

import itertools
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from transitions import Machine, MachineError

from statemachines import PHASES, STATES, TRIGGERS, PathState, allowed, charts
from statemachines.charts import ARROWS, FIRED_BY, GUARDS, MACHINES, TABLE, Arrow, mistakes_in, step

from .journals import INITIATIVE, PLAN, SELECTION, entry

RUNNING = (*PHASES, "interrupted")
OPEN = ("initiated", "agreed", "planned")
ALL = ("none", *OPEN, "done")


def situation(**given: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"coaching": "none", "phase_before": None, "jobs_running": 1, **given})


def same(*states: str) -> dict[str, str]:
    return {state: state for state in states}


def to(dest: str, *sources: str) -> dict[str, str]:
    return dict.fromkeys(sources, dest)


# (chart, trigger, entry, situation, {from: to}): written from the specification's table, not from the product.
TABLE_OF_THE_SPECIFICATION: list[tuple[str, str, Any, SimpleNamespace, dict[str, str]]] = [
    ("referral", "take_initiative", INITIATIVE, situation(), to("initiated", "none", "done")),
    ("referral", "take_initiative", entry("initiative_taken", service="work_trial"), situation(), {}),
    ("referral", "take_initiative", entry("initiative_taken"), situation(), {}),
    ("referral", "agree_selection", SELECTION, situation(), to("agreed", "none", "initiated", "done")),
    ("referral", "agree_selection", entry("selection_agreed"), situation(), to("agreed", "none", "initiated", "done")),
    (
        "referral",
        "agree_selection",
        entry("selection_agreed", client_agrees="unknown"),
        situation(),
        to("agreed", "none", "initiated", "done"),
    ),
    ("referral", "agree_selection", entry("selection_agreed", client_agrees="no"), situation(), {}),
    ("referral", "update_plan", PLAN, situation(coaching="none"), to("planned", *ALL)),
    ("referral", "update_plan", PLAN, situation(coaching="ended"), to("planned", *ALL)),
    *[("referral", "update_plan", PLAN, situation(coaching=state), {}) for state in RUNNING],
    ("referral", "update_plan", entry("activation_plan_updated", coaching=None), situation(), {}),
    ("referral", "start_coaching", entry("coaching_started"), situation(), to("done", *ALL)),
    *[("referral", "start_coaching", entry("coaching_started"), situation(coaching=state), {}) for state in RUNNING],
    ("referral", "decline_coaching", entry("coaching_declined"), situation(), to("none", *OPEN)),
    ("referral", "lose_interest", entry("interest_asked", wants_to_work="no"), situation(), to("none", *OPEN)),
    ("referral", "lose_interest", entry("interest_asked", wants_to_work="undecided"), situation(), {}),
    ("referral", "lose_interest", entry("interest_asked", wants_to_work="yes"), situation(), {}),
    ("referral", "lapse_referral", None, situation(), to("none", *OPEN)),
    ("activity", "start_activity", entry("activity_started"), situation(), to("active", "none", "ended")),
    ("activity", "change_activity", entry("activity_changed"), situation(), same("active", "paused")),
    ("activity", "pause_activity", entry("activity_paused"), situation(), to("paused", "active")),
    ("activity", "resume_activity", entry("activity_resumed"), situation(), to("active", "paused")),
    ("activity", "end_activity", entry("activity_ended"), situation(), to("ended", "active", "paused")),
    ("coaching", "start_coaching", entry("coaching_started"), situation(), to("agreement", "none", "ended")),
    *[
        ("coaching", "reach_phase", entry("coaching_phase_reached", phase=phase), situation(), to(phase, *PHASES))
        for phase in PHASES
    ],
    ("coaching", "reach_phase", entry("coaching_phase_reached", phase="interrupted"), situation(), {}),
    ("coaching", "renew_coaching", entry("coaching_renewed"), situation(), same(*PHASES)),
    ("coaching", "interrupt_coaching", entry("coaching_interrupted"), situation(), to("interrupted", *RUNNING)),
    *[
        (
            "coaching",
            "resume_coaching",
            entry("coaching_resumed"),
            situation(phase_before=phase),
            {"interrupted": phase},
        )
        for phase in PHASES
    ],
    ("coaching", "end_coaching", entry("coaching_ended"), situation(), to("ended", *RUNNING)),
    ("work_trial", "start_work_trial", entry("work_trial_started"), situation(), to("running", "none", "ended")),
    ("work_trial", "extend_work_trial", entry("work_trial_extended"), situation(), same("running")),
    ("work_trial", "end_work_trial", entry("work_trial_ended"), situation(), to("ended", "running")),
    ("employment", "start_job", entry("job_started"), situation(), to("employed", "none", "employed", "ended")),
    ("employment", "end_job", entry("job_ended"), situation(jobs_running=1), to("ended", "employed")),
    ("employment", "end_job", entry("job_ended"), situation(jobs_running=2), same("employed")),
]


class Figure:
    """A plain rehydrated object to fire a shared machine on: a state, and guards that answer by name."""

    def __init__(self, state: str, answers: dict[str, bool]) -> None:
        self.state = state
        self.answers = answers

    def __getattr__(self, name: str) -> Any:
        if name not in GUARDS:
            raise AttributeError(name)
        return lambda _event: self.answers[name]


def fire(machine: Machine, trigger: str, state: str, answers: dict[str, bool]) -> str | None:
    """Where the library itself takes the object, or None when it refuses (by raising, or silently by False)."""
    figure = Figure(state, answers)
    try:
        moved = machine.events[trigger].trigger(figure)
    except MachineError:
        moved = False
    assert moved or figure.state == state
    return figure.state if moved else None


@pytest.mark.parametrize(
    ("chart", "trigger", "what", "where", "moves"),
    TABLE_OF_THE_SPECIFICATION,
    ids=[f"{number}-{row[0]}-{row[1]}" for number, row in enumerate(TABLE_OF_THE_SPECIFICATION)],
)
def test_a_row_moves_the_chart_from_its_states_and_from_no_other(chart, trigger, what, where, moves):
    for state in STATES[chart]:
        assert step(chart, trigger, state, where, what) == moves.get(state), state


def test_the_rows_above_name_every_trigger_of_every_chart():
    assert {(row[0], row[1]) for row in TABLE_OF_THE_SPECIFICATION} == set(TABLE)


def test_the_compiled_table_is_the_machines_for_every_state_trigger_and_answer_of_the_guards():
    logging.getLogger("transitions").setLevel(logging.ERROR)
    names = {guard: name for name, guard in GUARDS.items()}
    tried = 0
    for chart, machine in MACHINES.items():
        for trigger in machine.events:
            guards = sorted({n for a in ARROWS if (a.chart, a.trigger) == (chart, trigger) for n, _ in a.guards})
            for state in STATES[chart]:
                for truths in itertools.product((True, False), repeat=len(guards)):
                    answers = dict(zip(guards, truths, strict=True))
                    ways = TABLE[chart, trigger].get(state, [])
                    by_table = next(
                        (dest for asked, dest in ways if all(answers[names[g]] is want for g, want in asked)), None
                    )
                    assert by_table == fire(machine, trigger, state, answers), (chart, trigger, state, answers)
                    tried += 1
    assert tried > 500


@pytest.mark.parametrize(("chart", "trigger", "what", "where", "moves"), TABLE_OF_THE_SPECIFICATION)
def test_the_machines_themselves_take_the_same_entries_to_the_same_states(chart, trigger, what, where, moves):
    answers = {name: guard(where, what) for name, guard in GUARDS.items()}
    for state in STATES[chart]:
        assert fire(MACHINES[chart], trigger, state, answers) == moves.get(state)


def test_the_machines_are_flat_shared_definitions_without_models_or_automatic_steps():
    for chart, machine in MACHINES.items():
        assert type(machine) is Machine
        assert machine.models == []
        assert tuple(machine.states) == STATES[chart]
        assert machine.initial == "none"
        assert not [name for name in machine.events if name.startswith("to_")]


def test_every_state_but_the_first_is_reached_by_some_row():
    for chart, states in STATES.items():
        assert {arrow.dest for arrow in ARROWS if arrow.chart == chart} | {"none"} == set(states)


@pytest.mark.parametrize(
    ("arrow", "mistake"),
    [
        (Arrow("activity", "start_activity", "none", "activ", ()), "unknown state activ"),
        (Arrow("activity", "start_activity", "non", "active", ()), "unknown state non"),
        (Arrow("activity", "start_activity", "none", "active", (("a_full_moon", True),)), "unknown guard a_full_moon"),
        (Arrow("activity", "restart_activity", "none", "active", ()), "nothing fires it"),
    ],
)
def test_what_the_library_does_not_check_is_found_when_the_module_is_imported(arrow, mistake):
    assert mistakes_in(list(ARROWS)) == []
    found = mistakes_in([*ARROWS, arrow])
    assert len(found) == 1
    assert mistake in found[0]


def test_a_trigger_without_rows_and_a_trigger_of_the_wrong_entry_are_mistakes(monkeypatch):
    without = [arrow for arrow in ARROWS if arrow.trigger != "end_job"]
    assert mistakes_in(without) == ["employment: end_job is fired but not defined"]
    monkeypatch.setitem(TRIGGERS, "end_job", charts.TriggerInfo("employment", "job_finished"))
    assert mistakes_in(list(ARROWS)) == ["employment: end_job is not fired by job_finished"]


def test_the_public_triggers_are_the_eighteen_of_the_specification():
    assert {trigger: info[:2] for trigger, info in TRIGGERS.items()} == {
        "take_initiative": ("referral", "initiative_taken"),
        "agree_selection": ("referral", "selection_agreed"),
        "update_plan": ("referral", "activation_plan_updated"),
        "decline_coaching": ("referral", "coaching_declined"),
        "start_activity": ("activity", "activity_started"),
        "pause_activity": ("activity", "activity_paused"),
        "resume_activity": ("activity", "activity_resumed"),
        "end_activity": ("activity", "activity_ended"),
        "start_coaching": ("coaching", "coaching_started"),
        "reach_phase": ("coaching", "coaching_phase_reached"),
        "renew_coaching": ("coaching", "coaching_renewed"),
        "interrupt_coaching": ("coaching", "coaching_interrupted"),
        "resume_coaching": ("coaching", "coaching_resumed"),
        "end_coaching": ("coaching", "coaching_ended"),
        "start_work_trial": ("work_trial", "work_trial_started"),
        "end_work_trial": ("work_trial", "work_trial_ended"),
        "start_job": ("employment", "job_started"),
        "end_job": ("employment", "job_ended"),
    }
    assert {info.entry_type for info in TRIGGERS.values()} <= set(FIRED_BY)


def states(**given: str) -> PathState:
    return PathState(
        **{"stage": "?", **dict.fromkeys(STATES, "none"), **given}  # allowed() never reads the stage
    )


# Public trigger -> the states of its chart it is open from (coaching is none).
OPEN_FROM = {
    "take_initiative": {"none", "done"},
    "agree_selection": {"none", "initiated", "done"},
    "update_plan": set(ALL),
    "decline_coaching": set(ALL),
    "start_activity": {"none", "ended"},
    "pause_activity": {"active"},
    "resume_activity": {"paused"},
    "end_activity": {"active", "paused"},
    "start_coaching": {"none", "ended"},
    "reach_phase": set(PHASES),
    "renew_coaching": set(PHASES),
    "interrupt_coaching": set(RUNNING),
    "resume_coaching": {"interrupted"},
    "end_coaching": set(RUNNING),
    "start_work_trial": {"none", "ended"},
    "end_work_trial": {"running"},
    "start_job": {"none", "employed", "ended"},
    "end_job": {"employed"},
}


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_trigger_is_open_from_the_states_its_rows_name(trigger):
    chart = TRIGGERS[trigger].chart
    open_from = {state for state in STATES[chart] if allowed(trigger, states(**{chart: state}))}
    assert open_from == OPEN_FROM[trigger]


@pytest.mark.parametrize("coaching", STATES["coaching"])
def test_updating_the_plan_moves_the_referral_only_while_no_coaching_runs(coaching):
    assert allowed("update_plan", states(coaching=coaching)) is (coaching in ("none", "ended"))


def test_declining_is_open_from_anywhere():
    assert all(allowed("decline_coaching", states(coaching=state)) for state in STATES["coaching"])


@pytest.mark.parametrize("name", ["lapse_referral", "lose_interest", "change_activity", "extend_work_trial", "", "x"])
def test_no_other_name_is_a_public_trigger(name):
    with pytest.raises(ValueError, match="no such trigger"):
        allowed(name, states())
