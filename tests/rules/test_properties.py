"""What holds for every journal and every date: checked on journals drawn at random."""

import json
import random
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules.assessment import Assessment, Assessor, Proposal
from rules.facts import FACTS, Fact
from rules.findings import Finding
from rules.fold import fold
from rules.journal import JournalError, case_from_data, case_to_data, dump_case, load_case
from rules.pack import SEVERITIES, load_pack
from statemachines import TRIGGERS
from tests.helpers import (
    SEED,
    SEEDS,
    answer,
    assessor,
    days_from,
    pack,
    propose,
    random_pair,
    reference_assessor,
    with_entries,
    with_ids,
)
from tests.oracle.generate import as_text, random_case, random_dates, random_entry

HELSINKI = ZoneInfo("Europe/Helsinki")

#: Entry types whose place within their day means nothing by SPEC. All other types move a chart (§3), or the latest of
#: them decides (interest, wish, follow-up, decision, retention, checklist, advice set aside), or they count only
#: before or after another (consent and withdrawal, statement and withdrawal, assigned and released, job agreed).
ORDER_FREE = {
    "need_assessed",  # "since" a follow-up: by date
    "coaching_info_given",  # given or not
    "joint_meeting_held",  # since the initiative: by date
    "plan_reviewed",  # update or review, whichever is later: by date
    "implementation_plan_updated",  # dated since the activity, or on or after the plan update
    "endorsement_recorded",  # no rule reads it
    "endorsements_checked",  # some check in the months up to the start: by date
    "work_trial_agreed",  # no rule reads it
    "contact",  # in a window of days
    "benefit_counselling",  # no later than the start: by date
    "economic_support_advised",  # advised or not
    "correction",  # voids its entry wherever it stands
}


# --- what changes nothing ---


@given(SEEDS, st.lists(st.sampled_from(["yes", "partly", "no", "unknown"]), min_size=16, max_size=16))
def test_checklist_answers_change_nothing_but_the_talk_sheet(seed: int, answers: list[str]) -> None:
    case, on, rng = random_pair(seed)
    given = {f"chk-{number:02d}": answer for number, answer in enumerate(answers, start=1)}
    when = (on - timedelta(days=rng.choice((0, 1, 40)))).isoformat()
    answered = with_entries(case, {"date": when, "type": "checklist_answered", "id": "checklist", "answers": given})

    before, after = answer(with_ids(case), on), answer(answered, on)
    before.pop("readiness")
    sheet = after.pop("readiness")
    assert after == before
    assert sheet["answered"]


@given(SEEDS, st.integers(min_value=1, max_value=6))
def test_entries_dated_ahead_change_nothing_today(seed: int, count: int) -> None:
    case, on, rng = random_pair(seed)
    ahead = []
    for number in range(count):
        tomorrow = on + timedelta(days=rng.choice((1, 1, 2, 30, 200)))
        drawn = as_text({key: value for key, value in random_entry(rng, tomorrow).items() if value is not None})
        ahead.append({**drawn, "id": f"ahead-{number}"})
    if case.entries:
        target = rng.choice(case.entries).id
        correction = {"date": (on + timedelta(days=1)).isoformat(), "type": "correction", "voids": target}
        ahead.append({**correction, "id": "ahead-correction"})
    try:
        longer = with_entries(case, *ahead)
    except JournalError:
        assume(False)  # the correction drawn closes a circle of corrections

    assert answer(longer, on) == answer(with_ids(case), on)


@given(SEEDS)
def test_the_order_within_a_day_matters_only_where_spec_says(seed: int) -> None:
    case, on, rng = random_pair(seed)
    named = with_ids(case)
    entries = sorted(named.entries, key=lambda item: item.date)
    days = sorted({item.date for item in entries})
    shuffled = []
    for each in days:
        same_day = [item for item in entries if item.date == each]
        fixed = [item for item in same_day if item.type not in ORDER_FREE]
        for item in [item for item in same_day if item.type in ORDER_FREE]:
            fixed.insert(rng.randint(0, len(fixed)), item)
        shuffled += fixed

    assert answer(named.with_entries(shuffled), on) == answer(named.with_entries(entries), on)


@given(SEEDS)
def test_an_answer_survives_writing_and_reading_the_journal(seed: int) -> None:
    case, on, _ = random_pair(seed)
    expected = answer(case, on)
    assert answer(load_case(dump_case(case, "yaml")), on) == expected
    assert answer(load_case(dump_case(case, "json")), on) == expected


def test_clients_assessed_before_leave_no_trace() -> None:
    rng = random.Random(7)
    pairs = [random_pair(rng.randrange(2**32))[:2] for _ in range(25)]
    alone = []
    for case, on in pairs[:3]:
        alone.append(Assessor(load_pack()).assess(case, on).as_json())
    in_order = [answer(case, on) for case, on in pairs]
    turns = [number for number in range(len(pairs)) for _ in range(2)]
    rng.shuffle(turns)

    assert in_order[:3] == alone
    for number in turns:
        assert answer(*pairs[number]) == in_order[number]


@given(SEEDS)
def test_what_is_recorded_later_was_not_known(seed: int) -> None:
    rng = random.Random(seed)
    document = random_case(rng)
    (on,) = random_dates(rng, document, 1)
    times = []
    for item in document["entries"]:
        if rng.random() < 0.7:
            recorded = date.fromisoformat(item["date"]) + timedelta(days=rng.choice((0, 1, 30, 300)))
            item["recorded_at"] = f"{recorded}T12:00:00+02:00"
            times.append(datetime.fromisoformat(item["recorded_at"]))
    known_at = rng.choice(times) if times else datetime.combine(on, time(12), HELSINKI)
    case = with_ids(case_from_data(document))
    then = [item for item in case.entries if item.recorded_at is None or item.recorded_at <= known_at]

    assert answer(case, on, known_at=known_at) == answer(case.with_entries(then), on)


# --- a journal is assessed or refused ---

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ODD_VALUES = st.one_of(
    JSON,
    st.dates().map(date.isoformat),
    st.sampled_from(
        ["0001-01-01", "9999-12-31", "2024-02-30", "yes", "unknown", "e1", "proposal", 0, -1, 10**20, True]
    ),
)


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every place of plain data: the container and the key."""
    found = []
    for key, value in list(data.items() if isinstance(data, dict) else enumerate(data)):
        found.append((data, key))
        if isinstance(value, dict | list):
            found += places(value)
    return found


def assessed_or_refused(data: Any, on: date) -> None:
    try:
        case = case_from_data(data)
    except JournalError as refusal:
        problems = refusal.problems
    else:
        assert json.loads(json.dumps(answer(case, on)))["as_of"] == on.isoformat()
        return
    assert problems
    assert all(problem.place and problem.expected for problem in problems)


@given(JSON)
def test_any_json_is_assessed_or_refused(data: Any) -> None:
    assessed_or_refused(data, date(2024, 1, 1))


@given(SEEDS, st.lists(ODD_VALUES, min_size=1, max_size=3), st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_any_edit_of_a_journal_is_assessed_or_refused(seed: int, values: list[Any], other_day: date) -> None:
    case, on, rng = random_pair(seed)
    data = case_to_data(case)
    for value in values:
        left = places(data)
        if not left:  # everything was dropped
            break
        container, key = rng.choice(left)
        action = rng.choice(("replace", "replace", "drop", "double"))
        if action == "drop":
            del container[key]
        elif action == "double" and isinstance(container, list):
            container.append(container[key])
        else:
            container[key] = value
    assessed_or_refused(data, rng.choice((on, other_day)))


# --- findings ---


def summary(findings: Iterable[Finding]) -> set[tuple[Any, ...]]:
    return {(*finding.key, finding.outcome, finding.due, finding.missing, finding.judged_on) for finding in findings}


@given(SEEDS)
def test_findings_about_current_subjects_are_the_same_with_and_without_history(seed: int) -> None:
    case, on, _ = random_pair(seed)
    _, everything = assessor().findings(case, on, history=True)
    _, current = assessor().findings(case, on)
    assert summary(current) == summary(finding for finding in everything if finding.subject.current)
    assert all(finding.outcome not in ("not_applicable", "not_in_force") for finding in everything)


@given(SEEDS)
def test_an_unknown_outcome_names_the_missing_facts_and_no_other_does(seed: int) -> None:
    case, on, _ = random_pair(seed)
    for finding in assessor().findings(case, on, history=True)[1]:
        assert bool(finding.missing) == (finding.outcome == "unknown"), finding.key
        assert finding.missing == () or any(
            # "maybe": something found of which a detail is not recorded
            finding.facts[name] == "unknown" or ".maybe_" in name
            for name in finding.missing
        ), (finding.key, finding.missing)


@given(SEEDS)
def test_every_fact_is_declared_and_takes_a_value_it_can_have(seed: int) -> None:
    case, on, _ = random_pair(seed)
    ruleset = pack().ruleset(on)
    for subject in fold(assessor().history(case, on), on, all_subjects=True).subjects:
        facts = ruleset.derive(subject.kind, dict(subject.facts))
        declared = {name for name, fact in ruleset.vocabulary.items() if fact.kind in ("case", subject.kind)}
        recorded = {name for name in declared if name in FACTS}
        assert recorded <= facts.keys() <= declared
        assert {name for rule in ruleset.about(subject.kind) if rule.wave == 0 for name in rule.reads()} <= facts.keys()
        for name, value in facts.items():
            assert fits(ruleset.vocabulary[name], value), (name, value)


def fits(fact: Fact, value: Any) -> bool:
    if value == "unknown":
        return fact.may_be_unknown
    if fact.type == "date":
        return value is None or isinstance(value, date)
    return isinstance(value, int) if fact.type == "number" else value in fact.values


# --- time ---


@given(SEEDS)
def test_facts_hold_as_long_as_the_fold_says(seed: int) -> None:
    case, on, rng = random_pair(seed)
    history = assessor().history(case, on)
    folded = fold(history, on, all_subjects=True)
    last = min(folded.holds_until, on + timedelta(days=800))
    assert folded.holds_until >= on
    span = (last - on).days
    days = {1, 2, span - 1, span, *(rng.randint(0, max(span, 0)) for _ in range(12))}
    for later in sorted(on + timedelta(days=number) for number in days if 0 <= number <= span):
        then = fold(history, later, all_subjects=True)
        assert then.state == folded.state, later
        assert then.subjects == folded.subjects, later


AHEAD = 400


@pytest.mark.parametrize("chunk", range(4))
def test_the_agenda_names_exactly_the_days_on_which_outcomes_change(chunk: int) -> None:
    """Stepping day by day over what is recorded today finds the same changes."""
    rng = random.Random(f"{SEED}/{chunk}")
    for _ in range(15):
        case, on, _ = random_pair(rng.randrange(2**32))
        read = assessor().history(case, on)
        today = case.with_entries(read.entries)
        expected, before = [], by_key(today, on)
        for later in days_from(on + timedelta(days=1), on + timedelta(days=AHEAD)):
            now = by_key(today, later)
            for key in sorted(before.keys() | now.keys(), key=str):
                eve = later - timedelta(days=1)
                old, new = before.get(key) or silence(key[0], eve), now.get(key) or silence(key[0], later)
                if old != new:
                    expected.append((eve, later, *key, old, new))
            before = now
        found = assessor().assess(case, on).agenda
        near = [item for item in found if item.changes_on <= on + timedelta(days=AHEAD)]
        shown = [(i.last_day, i.changes_on, i.rule, i.kind, i.entry, i.before, i.to) for i in near]
        assert shown == expected, f"POLKU_SEED={SEED}, as of {on}\n{dump_case(case)}"
        assert list(found) == sorted(found, key=lambda item: item.changes_on)


def silence(rule: str, on: date) -> str:
    """Why a rule has no finding; a rule about an event goes by the event's day, which does not move."""
    (only,) = pack().versions(rule)
    return "not_applicable" if only.event or only.in_force(on) else "not_in_force"


def by_key(case: Any, on: date) -> dict[Any, str]:
    return {finding.key: finding.outcome for finding in reference_assessor().findings(case, on)[1]}


# --- next steps ---


def assessed(seed: int) -> tuple[Assessment, random.Random]:
    case, on, rng = random_pair(seed)
    return assessor().assess(case, on, with_agenda=False), rng


@given(SEEDS)
def test_an_open_case_has_a_next_step_and_a_closed_one_at_most_a_correction(seed: int) -> None:
    found, _ = assessed(seed)
    if found.state["stage"] == "closed":
        assert {step.action for step in found.next_steps} <= {"correct_record"}
    else:
        assert found.next_steps


@given(SEEDS)
def test_each_action_is_one_step_that_names_the_rules_it_follows_from(seed: int) -> None:
    found, _ = assessed(seed)
    actions = [step.action for step in found.next_steps]
    assert len(set(actions)) == len(actions)
    giving = {finding.rule.id: finding for finding in found.findings if finding.gives_step}
    assert {rule for step in found.next_steps for rule in step.because} == giving.keys()
    for step in found.next_steps:
        assert len(set(step.because)) == len(step.because)


@given(SEEDS)
def test_steps_stand_most_urgent_first_and_say_how_urgent_they_are(seed: int) -> None:
    """Overdue, then by due date, then open obligations, quality, recommendations, the path (SPEC §5)."""
    found, _ = assessed(seed)
    keys = []
    for step in found.next_steps:
        open_now = [f for f in found.findings if f.gives_step and f.action == step.action]
        dues = [f.due for f in open_now if f.due is not None]
        severity = min((SEVERITIES.index(f.rule.severity) for f in open_now), default=len(SEVERITIES))
        assert step.due == min(dues, default=None)
        keys.append((0, step.due.toordinal()) if step.due is not None else (1, severity))
        assert step.status == status_of(step.due, open_now, found.as_of), step
    assert keys == sorted(keys)


def status_of(due: date | None, open_now: list[Finding], on: date) -> str:
    if due is not None and due < on:
        return "overdue"
    if due is not None and due <= on + timedelta(days=7):
        return "due"
    undated = [f for f in open_now if f.due is None and f.outcome == "violated" and f.rule.severity == "obligation"]
    return "do_now" if undated else "can_do"


@given(SEEDS)
def test_set_aside_advice_gives_no_step_but_stays_among_the_findings(seed: int) -> None:
    case, on, rng = random_pair(seed)
    rule = rng.choice([f.rule.id for f in assessor().findings(case, on)[1] if f.open] or ["days-per-week-1-4"])
    aside = {
        "date": on.isoformat(),
        "type": "advice_set_aside",
        "id": "aside",
        "rule": rule,
        "reason": "sovittu toisin",
    }
    found = assessor().assess(with_entries(case, aside), on, with_agenda=False)
    assert rule not in {name for step in found.next_steps for name in step.because}
    assert all(
        finding.set_aside.entry == "aside" for finding in found.findings if finding.rule.id == rule and finding.open
    )
    if found.state["stage"] != "closed":
        assert found.next_steps


@given(SEEDS)
def test_ids_and_codes_never_change_with_the_language(seed: int) -> None:
    case, on, _ = random_pair(seed)
    bare = [without_texts(answer(case, on, lang=lang)) for lang in ("fi", "sv", "en")]
    assert bare[0] == bare[1] == bare[2]


def without_texts(data: Any) -> Any:
    if isinstance(data, dict):
        words = ("text", "title", "caution", "support", "note", "either")
        return {key: without_texts(value) for key, value in data.items() if key not in words}
    return [without_texts(item) for item in data] if isinstance(data, list) else data


# --- proposals and triggers ---

DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "arrangement": st.sampled_from(["alongside_activity", "activity_paused", "activity_ended"]),
        "planned_end": st.sampled_from(["2021-01-01", "2024-06-30", "2027-01-01"]),
        "days_per_week": st.integers(1, 5),
        "capacity_considered": st.sampled_from(["yes", "no"]),
    },
)


@given(SEEDS, DETAILS)
def test_a_proposal_changes_neither_the_state_nor_what_is_said_of_other_steps(
    seed: int, details: dict[str, Any]
) -> None:
    case, on, _ = random_pair(seed)
    before = answer(case, on)
    after = answer(case, on, proposal=propose("start_work_trial", **details))
    assert after["state"] == before["state"]
    assert after["readiness"] == before["readiness"]
    others = [
        [item for item in found["triggers"] if item["trigger"] != "start_work_trial"] for found in (before, after)
    ]
    assert others[0] == others[1]


DETAIL_NAMES = st.sampled_from(
    ["arrangement", "planned_end", "id", "date", "type", "by", "note", "reason", "phase", "x"]
)


@given(st.sampled_from(list(TRIGGERS)), st.dictionaries(DETAIL_NAMES, ODD_VALUES, max_size=3))
def test_any_details_of_a_step_are_judged_or_refused(trigger: str, details: dict[str, Any]) -> None:
    case, on, _ = random_pair(5)
    try:
        found = assessor().assess(case, on, proposal=Proposal(trigger, details), with_agenda=False)
    except ValueError:  # JournalError among them
        return
    assert found.state == assessor().assess(case, on, with_agenda=False).state


@given(SEEDS, st.sampled_from(["start_work_trial", "end_activity", "start_coaching", "end_coaching"]))
def test_a_step_is_blocked_exactly_when_a_guarding_obligation_is_violated_by_the_step(seed: int, trigger: str) -> None:
    case, on, _ = random_pair(seed)
    proposal = propose(trigger)
    found = assessor().assess(case, on, proposal=proposal, with_agenda=False, history=True)
    (status,) = [item for item in found.triggers if item.trigger == trigger]
    assume(status.status != "not_from_here")
    about_step = [f for f in found.findings if f.subject.proposed and trigger in f.rule.guards]
    violated = {f.rule.id for f in about_step if f.outcome == "violated" and f.rule.severity == "obligation"}
    unknown = {name for f in about_step if f.outcome == "unknown" for name in f.missing}
    assert set(status.blocked_by) == violated
    assert bool(status.needs) == bool(unknown)
    assert status.status == ("blocked" if violated else "needs_details" if unknown else "open")


GIVEN = {
    "start_work_trial": {
        "arrangement": "alongside_activity",
        "planned_end": "2030-01-01",
        "capacity_considered": "yes",
    },
    "start_coaching": {"provider": "provider-1", "provider_kind": "private"},
    "end_activity": {"reason": "period_over"},
    "end_coaching": {"reason": "goal_reached"},
    "interrupt_coaching": {"reason": "other"},
    "decline_coaching": {"reason": "other"},
}


@given(SEEDS, st.sampled_from(list(GIVEN)))
def test_a_step_stops_asking_for_a_detail_that_is_given(seed: int, trigger: str) -> None:
    case, on, _ = random_pair(seed)
    details: dict[str, Any] = {}
    for _ in range(len(GIVEN[trigger]) + 1):
        found = assessor().assess(case, on, proposal=propose(trigger, **details), with_agenda=False)
        (status,) = [item for item in found.triggers if item.trigger == trigger]
        assert not set(status.needs) & details.keys()
        details |= {name: GIVEN[trigger][name] for name in status.needs if name in GIVEN[trigger]}


@given(SEEDS)
def test_every_trigger_is_listed_once_with_a_status_that_fits(seed: int) -> None:
    found, _ = assessed(seed)
    assert [item.trigger for item in found.triggers] == list(TRIGGERS)
    for item in found.triggers:
        assert item.status in ("open", "needs_details", "blocked", "not_from_here")
        assert bool(item.blocked_by) == (item.status == "blocked")
        assert item.status != "needs_details" or item.needs


# --- versions of rules ---


def test_no_day_from_2014_to_2027_has_two_versions_of_a_rule_or_a_gap_between_versions() -> None:
    firsts = [date(year, month, 1) for year in range(2014, 2028) for month in range(1, 13)]
    turning = [turn + timedelta(days=days) for turn in pack().turning_days for days in (-1, 0, 1)]
    days = sorted({*firsts, *turning})
    last_seen: dict[str, int] = {}
    for number, on in enumerate(days):
        ids = [rule.id for rule in pack().rules(on)]
        assert len(set(ids)) == len(ids), on
        for rule in ids:
            assert last_seen.get(rule, number - 1) == number - 1, f"{rule} is not in force just before {on}"
            last_seen[rule] = number
    assert last_seen.keys() == {rule.id for rule in pack().editions[-1].rules}
