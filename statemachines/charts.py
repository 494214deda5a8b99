"""The five statecharts: what they are, which entry moves which, and which guards they ask.

Each chart is one shared, flat ``transitions.Machine``: the definition, and the source of every diagram. A journal is
followed by ``TABLE``, compiled from those machines when this module is imported (about twenty times faster than firing
their events; a test proves that the two agree). The library checks neither end of a transition and no guard's name,
so this module does, at import.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple, Protocol

from transitions import Machine


class EntryLike(Protocol):
    """What the charts need to know of a journal entry; its other fields are read by name and may be missing."""

    @property
    def type(self) -> str:
        """The entry type's code."""

    @property
    def date(self) -> date:
        """The day it took effect."""

    @property
    def id(self) -> str:
        """The entry's id, unique within its journal."""


PHASES = ("agreement", "profile", "job_search", "employer_support", "job_retention")
COACHING_RUNNING = (*PHASES, "interrupted")
REFERRAL_OPEN = ("initiated", "agreed", "planned")
NOT_RUNNING = ("none", "ended")

# --- Guards -----------------------------------------------------------------------------------------------------------

# A guard is asked with the situation (the states of the charts by name, `phase_before`, `jobs_running`) and the entry.
Guard = Callable[[Any, Any], bool]


def _phase_is(phase: str) -> Guard:
    return lambda _situation, entry: getattr(entry, "phase", None) == phase


def _was_in(phase: str) -> Guard:
    return lambda situation, _entry: situation.phase_before == phase


GUARDS: dict[str, Guard] = {
    "service_is_coaching": lambda _, entry: getattr(entry, "service", None) == "coaching",
    "client_does_not_refuse": lambda _, entry: getattr(entry, "client_agrees", None) != "no",
    "plan_names_coaching": lambda _, entry: getattr(entry, "coaching", None) is not None,
    "interest_is_no": lambda _, entry: getattr(entry, "wants_to_work", None) == "no",
    "coaching_is_not_running": lambda situation, _: situation.coaching in NOT_RUNNING,
    "another_job_runs": lambda situation, _: situation.jobs_running > 1,
    **{f"phase_is_{phase}": _phase_is(phase) for phase in PHASES},
    **{f"was_in_{phase}": _was_in(phase) for phase in PHASES},
}

# Guards the five states alone can answer; the others need the entry, or what happened before.
STATE_GUARDS = frozenset({"coaching_is_not_running"})
_STATE_GUARDS = frozenset(GUARDS[name] for name in STATE_GUARDS)

# --- The charts -------------------------------------------------------------------------------------------------------

Row = dict[str, Any]


def _row(trigger: str, source: str | tuple[str, ...], dest: str, **guards: str | list[str]) -> Row:
    """One row as ``Machine`` takes it; source ``*`` is any state, dest ``=`` the state it came from."""
    sources = list(source) if isinstance(source, tuple) else source
    return {"trigger": trigger, "source": sources, "dest": dest, **guards}


STATES: dict[str, tuple[str, ...]] = {
    "referral": ("none", *REFERRAL_OPEN, "done"),
    "activity": ("none", "active", "paused", "ended"),
    "coaching": ("none", *COACHING_RUNNING, "ended"),
    "work_trial": ("none", "running", "ended"),
    "employment": ("none", "employed", "ended"),
}

ROWS: dict[str, tuple[Row, ...]] = {
    "referral": (
        _row("take_initiative", ("none", "done"), "initiated", conditions="service_is_coaching"),
        _row("agree_selection", ("none", "initiated", "done"), "agreed", conditions="client_does_not_refuse"),
        _row("update_plan", "*", "planned", conditions=["plan_names_coaching", "coaching_is_not_running"]),
        _row("start_coaching", "*", "done", conditions="coaching_is_not_running"),
        _row("decline_coaching", REFERRAL_OPEN, "none"),
        _row("lose_interest", REFERRAL_OPEN, "none", conditions="interest_is_no"),
        _row("lapse_referral", REFERRAL_OPEN, "none"),
    ),
    "activity": (
        _row("start_activity", NOT_RUNNING, "active"),
        _row("change_activity", ("active", "paused"), "="),
        _row("pause_activity", "active", "paused"),
        _row("resume_activity", "paused", "active"),
        _row("end_activity", ("active", "paused"), "ended"),
    ),
    "coaching": (
        _row("start_coaching", NOT_RUNNING, "agreement"),
        *(_row("reach_phase", PHASES, phase, conditions=f"phase_is_{phase}") for phase in PHASES),
        _row("renew_coaching", PHASES, "="),
        _row("interrupt_coaching", COACHING_RUNNING, "interrupted"),
        *(_row("resume_coaching", "interrupted", phase, conditions=f"was_in_{phase}") for phase in PHASES),
        _row("end_coaching", COACHING_RUNNING, "ended"),
    ),
    "work_trial": (
        _row("start_work_trial", NOT_RUNNING, "running"),
        _row("extend_work_trial", "running", "="),
        _row("end_work_trial", "running", "ended"),
    ),
    "employment": (
        _row("start_job", ("none", "employed", "ended"), "employed"),
        _row("end_job", "employed", "employed", conditions="another_job_runs"),
        _row("end_job", "employed", "ended", unless="another_job_runs"),
    ),
}

CHARTS: tuple[str, ...] = tuple(STATES)

# Entry type -> the (chart, trigger) pairs it fires, in order. `coaching_started` asks the referral first: both charts
# then judge it by the coaching state before it, so a refused start moves neither.
FIRED_BY: dict[str, tuple[tuple[str, str], ...]] = {
    "initiative_taken": (("referral", "take_initiative"),),
    "selection_agreed": (("referral", "agree_selection"),),
    "activation_plan_updated": (("referral", "update_plan"),),
    "coaching_declined": (("referral", "decline_coaching"),),
    "interest_asked": (("referral", "lose_interest"),),
    "activity_started": (("activity", "start_activity"),),
    "activity_changed": (("activity", "change_activity"),),
    "activity_paused": (("activity", "pause_activity"),),
    "activity_resumed": (("activity", "resume_activity"),),
    "activity_ended": (("activity", "end_activity"),),
    "coaching_started": (("referral", "start_coaching"), ("coaching", "start_coaching")),
    "coaching_phase_reached": (("coaching", "reach_phase"),),
    "coaching_renewed": (("coaching", "renew_coaching"),),
    "coaching_interrupted": (("coaching", "interrupt_coaching"),),
    "coaching_resumed": (("coaching", "resume_coaching"),),
    "coaching_ended": (("coaching", "end_coaching"),),
    "work_trial_started": (("work_trial", "start_work_trial"),),
    "work_trial_extended": (("work_trial", "extend_work_trial"),),
    "work_trial_ended": (("work_trial", "end_work_trial"),),
    "job_started": (("employment", "start_job"),),
    "job_ended": (("employment", "end_job"),),
}

# Fired by time alone: no entry carries it.
LAPSE = "lapse_referral"

# These start the referral's clock again, also when they change no state.
RENEWS_REFERRAL = frozenset({"take_initiative", "agree_selection", "update_plan"})

# What a trial's arrangement expects of the activity at the end of the trial's first day.
ARRANGEMENT_FITS: dict[str, tuple[str, ...]] = {
    "alongside_activity": ("active",),
    "activity_paused": ("paused",),
    "activity_ended": ("ended", "none"),
}


class TriggerInfo(NamedTuple):
    """A step a worker can take: the chart it moves, the entry that records it, and whether it is open in any state."""

    chart: str
    entry_type: str
    always: bool = False


TRIGGERS: dict[str, TriggerInfo] = {
    "take_initiative": TriggerInfo("referral", "initiative_taken"),
    "agree_selection": TriggerInfo("referral", "selection_agreed"),
    "update_plan": TriggerInfo("referral", "activation_plan_updated"),
    "decline_coaching": TriggerInfo("referral", "coaching_declined", always=True),
    "start_activity": TriggerInfo("activity", "activity_started"),
    "pause_activity": TriggerInfo("activity", "activity_paused"),
    "resume_activity": TriggerInfo("activity", "activity_resumed"),
    "end_activity": TriggerInfo("activity", "activity_ended"),
    "start_coaching": TriggerInfo("coaching", "coaching_started"),
    "reach_phase": TriggerInfo("coaching", "coaching_phase_reached"),
    "renew_coaching": TriggerInfo("coaching", "coaching_renewed"),
    "interrupt_coaching": TriggerInfo("coaching", "coaching_interrupted"),
    "resume_coaching": TriggerInfo("coaching", "coaching_resumed"),
    "end_coaching": TriggerInfo("coaching", "coaching_ended"),
    "start_work_trial": TriggerInfo("work_trial", "work_trial_started"),
    "end_work_trial": TriggerInfo("work_trial", "work_trial_ended"),
    "start_job": TriggerInfo("employment", "job_started"),
    "end_job": TriggerInfo("employment", "job_ended"),
}

# --- Machines, checked ------------------------------------------------------------------------------------------------


class Arrow(NamedTuple):
    """One transition of one machine; ``guards`` are (name, the answer it must give)."""

    chart: str
    trigger: str
    source: str
    dest: str
    guards: tuple[tuple[str, bool], ...]


def build_machine(chart: str) -> Machine:
    """The shared machine of a chart; models are never added to it, so it never changes."""
    return Machine(
        model=None,
        states=list(STATES[chart]),
        initial="none",
        transitions=[dict(row) for row in ROWS[chart]],
        auto_transitions=False,
        send_event=True,
    )


def arrows_of(chart: str, machine: Machine) -> list[Arrow]:
    """Every transition of a machine, in the order in which they are tried."""
    return [
        Arrow(
            chart,
            str(name),
            source,
            str(transition.dest),
            tuple((str(c.func), c.target) for c in transition.conditions),
        )
        for name, event in machine.events.items()
        for source, transitions in event.transitions.items()
        for transition in transitions
    ]


def mistakes_in(arrows: list[Arrow], states: Mapping[str, tuple[str, ...]] = STATES) -> list[str]:
    """What the library would only notice when fired, or never: unknown states, guards, triggers and charts."""
    found = []
    for arrow in arrows:
        where = f"{arrow.chart}: {arrow.trigger} from {arrow.source} to {arrow.dest}"
        found += [f"{where}: unknown state {s}" for s in (arrow.source, arrow.dest) if s not in states[arrow.chart]]
        found += [f"{where}: unknown guard {name}" for name, _ in arrow.guards if name not in GUARDS]
    defined = {(arrow.chart, arrow.trigger) for arrow in arrows}
    fired = {pair for pairs in FIRED_BY.values() for pair in pairs} | {("referral", LAPSE)}
    found += [f"{chart}: {trigger} is defined but nothing fires it" for chart, trigger in sorted(defined - fired)]
    found += [f"{chart}: {trigger} is fired but not defined" for chart, trigger in sorted(fired - defined)]
    for trigger, info in TRIGGERS.items():
        if (info.chart, trigger) not in FIRED_BY.get(info.entry_type, ()):
            found.append(f"{info.chart}: {trigger} is not fired by {info.entry_type}")
    return found


MACHINES: dict[str, Machine] = {chart: build_machine(chart) for chart in CHARTS}
ARROWS: tuple[Arrow, ...] = tuple(arrow for chart in CHARTS for arrow in arrows_of(chart, MACHINES[chart]))

if _mistakes := mistakes_in(list(ARROWS)):
    raise ValueError("; ".join(_mistakes))

# --- The compiled table -----------------------------------------------------------------------------------------------

Guards = tuple[tuple[Guard, bool], ...]
Ways = dict[str, list[tuple[Guards, str]]]  # state -> the ways out, tried in order: (guards, where it leads)


def _compile(arrows: tuple[Arrow, ...]) -> dict[tuple[str, str], Ways]:
    table: dict[tuple[str, str], Ways] = {}
    for arrow in arrows:
        guards = tuple((GUARDS[name], wanted) for name, wanted in arrow.guards)
        table.setdefault((arrow.chart, arrow.trigger), {}).setdefault(arrow.source, []).append((guards, arrow.dest))
    return table


# By (chart, trigger).
TABLE = _compile(ARROWS)


def step(chart: str, trigger: str, state: str, situation: Any, entry: Any) -> str | None:
    """Where `trigger` takes a chart from `state`, or None when no row allows it."""
    return way_out(TABLE[chart, trigger], state, situation, entry)


def way_out(ways: Ways, state: str, situation: Any, entry: Any) -> str | None:
    """Where the first of these ways leads from `state` whose guards allow it, or None."""
    for guards, dest in ways.get(state, ()):
        for guard, wanted in guards:
            if guard(situation, entry) is not wanted:
                break
        else:
            return dest
    return None


# By (chart, trigger): the guards of its rows, whatever state they lead from, each once.
_GUARDS_OF = {key: tuple({guards for rows in ways.values() for guards, _ in rows}) for key, ways in TABLE.items()}


def counts(chart: str, trigger: str, situation: Any, entry: Any) -> bool:
    """Whether the entry is one that the trigger's rows speak of, from whatever state."""
    return any(
        all(guard(situation, entry) is wanted for guard, wanted in guards) for guards in _GUARDS_OF[chart, trigger]
    )


def allowed(trigger: str, states: Any) -> bool:
    """Whether a public trigger leads anywhere from here, before its details are known.

    `states` is anything with the five charts' states by name (a ``PathState`` or a ``Path``). Guards about the entry's
    fields are left to whoever knows them. Raises ValueError for a name that is no public trigger.
    """
    info = TRIGGERS.get(trigger)
    if info is None:
        raise ValueError(f"no such trigger: {trigger}")
    if info.always:
        return True
    return any(
        all(guard(states, None) is wanted for guard, wanted in guards if guard in _STATE_GUARDS)
        for guards, _ in TABLE[info.chart, trigger].get(getattr(states, info.chart), ())
    )
