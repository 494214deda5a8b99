"""What must be acknowledged when something is recorded, and what never: guards, charts, dates, engines that lie."""

from datetime import timedelta

import pytest
from hypothesis import given

from rules.assessment import Assessor, Proposal
from rules.engines.reference import reference
from rules.journal import Case, case_to_data, load_case, new_entries
from rules.steps import KEEP_CONTACT
from service.recording.judging import (
    ENTRY,
    PATH_INCONSISTENT,
    STEP,
    TODAY,
    closed_since,
    judge_opening,
    judge_recording,
)
from statemachines import TRIGGERS, allowed
from tests.helpers import (
    SEEDS,
    SIRPA,
    assessor,
    day,
    entry,
    journal,
    pack,
    random_pair,
    reference_assessor,
    with_ids,
)
from tests.service.recording.making import FailingEngine, LyingEngine, added, judged, with_engine

TRIAL = entry("2022-09-12", "work_trial_started", arrangement="alongside_activity", planned_end="2022-11-30")
ACTIVE = entry("2024-01-01", "activity_started", id="start", days_per_week=3)


def sirpa() -> Case:
    """SPEC's example, with written ids."""
    return with_ids(load_case(SIRPA))


# --- guards ---


def test_a_step_that_an_obligation_guards_must_be_acknowledged() -> None:
    found = judged(sirpa(), "2022-09-12", TRIAL)
    rules = ("as-update-on-trial", "ov-checks-endorsements-at-trial", "trial-parallel-two-statements")
    assert found.to_acknowledge == rules
    assert {(f.rule.id, f.outcome, f.subject.entry) for f in found.objections} == {(r, "violated", "e6") for r in rules}
    assert found.breaks == ()


def test_what_was_prepared_for_needs_no_acknowledgement() -> None:
    prepared = [
        entry(
            "2022-09-10",
            "activation_plan_updated",
            participants=["client", "social_worker", "employment_coach"],
            work_trial={"start": "2022-09-12", "end": "2022-11-30"},
        ),
        entry("2022-09-10", "endorsements_checked", purpose="work_trial", result="in_order"),
        entry("2022-09-10", "statement_issued", measure="activity", paying="yes", start="2022-09-10"),
        entry("2022-09-10", "statement_issued", measure="work_trial", paying="yes", start="2022-09-10"),
    ]
    assert judged(added(sirpa(), *prepared), "2022-09-12", TRIAL).to_acknowledge == ()
    # Within one list, on the step's own day and after it in the list, it is prepared for as well.
    same_day = [TRIAL, *({**item, "date": "2022-09-12"} for item in prepared)]
    assert judged(sirpa(), "2022-09-12", *same_day).to_acknowledge == ()
    # The day after is too late.
    assert judged(sirpa(), "2022-09-13", TRIAL, {**prepared[1], "date": "2022-09-13"}).to_acknowledge != ()


def test_what_is_unknown_never_blocks() -> None:
    end = entry("2024-06-01", "activity_ended", reason="period_over")
    decided = ["social_worker_retention_decided"]
    assert judged(journal(ACTIVE), "2024-06-01", end).to_acknowledge == ("ot-may-stay-after-ktt",)
    assert judged(journal(ACTIVE, not_recorded=decided), "2024-06-01", end).to_acknowledge == ()


def test_only_an_obligation_blocks() -> None:
    case = journal(entry("2023-03-01", "coaching_started", provider="provider-1"))
    found = judged(case, "2023-04-01", entry("2023-04-01", "coaching_ended", reason="time_limit"))
    assert found.to_acknowledge == ()


def test_guards_judge_the_step_itself_never_older_events() -> None:
    case = journal(
        entry("2023-01-01", "coaching_started", provider="provider-1"),
        entry("2023-02-01", "coaching_ended", reason="symptoms"),
        entry("2023-03-01", "coaching_started", provider="provider-1"),
    )
    assert (
        judged(case, "2023-04-01", entry("2023-04-01", "coaching_phase_reached", phase="profile")).to_acknowledge == ()
    )
    fine = judged(case, "2023-04-01", entry("2023-04-01", "coaching_ended", reason="goal_reached"))
    assert fine.to_acknowledge == ()
    screened = judged(case, "2023-04-01", entry("2023-04-01", "coaching_ended", reason="appearance"))
    assert screened.to_acknowledge == ("open-access-no-screening",)


def test_of_two_steps_in_one_list_each_is_judged() -> None:
    """Also where the second follows on the same day, and the first is history by the evening."""
    case = journal(ACTIVE)
    steps = [
        entry("2024-06-01", "activity_ended", id="end", reason="coaching_started"),
        entry("2024-06-01", "activity_started", id="again", days_per_week=2),
        entry("2024-06-01", "activity_ended", id="over", reason="period_over"),
    ]
    found = judged(case, "2024-06-01", *steps)
    blocking = {
        (f.rule.id, item.entries[0]) for item in found.judgements for f in item.findings or () if item.blocked_by
    }
    assert ("ktt-and-ot-not-ended-by-coaching", "end") in blocking
    assert ("ot-may-stay-after-ktt", "over") in blocking


def test_a_corrected_step_is_no_longer_judged() -> None:
    end = entry("2024-06-01", "activity_ended", id="end", reason="period_over")
    sorry = entry("2024-06-01", "correction", voids="end")
    assert judged(journal(ACTIVE), "2024-06-01", end, sorry).to_acknowledge == ()


def test_a_step_recorded_later_is_judged_on_its_own_day() -> None:
    case = added(sirpa(), entry("2022-10-01", "endorsements_checked", purpose="work_trial", result="in_order"))
    assert "ov-checks-endorsements-at-trial" in judged(case, "2022-12-01", TRIAL).to_acknowledge
    late = {**TRIAL, "date": "2022-10-01"}
    assert "ov-checks-endorsements-at-trial" not in judged(case, "2022-12-01", late).to_acknowledge


def test_a_step_dated_ahead_is_judged_on_its_day_with_what_is_known_now() -> None:
    consent = {"scope": "provider", "parties": ["provider-1"], "voluntary": "yes", "informed": "yes"}
    plan = entry(
        "2024-03-01",
        "activation_plan_updated",
        participants=["client", "social_worker", "employment_coach"],
        coaching={"start": "2024-04-01", "end": "2024-06-30"},
    )
    start = entry("2024-04-01", "coaching_started", provider="provider-1", provider_kind="private")
    lasting = journal(plan, entry("2024-03-01", "consent_given", **consent))
    short = journal(plan, entry("2024-03-01", "consent_given", expires_on="2024-03-20", **consent))
    assert judged(lasting, "2024-03-10", start).to_acknowledge == ()
    assert judged(short, "2024-03-10", start).to_acknowledge == ("extra-consent-for-provider",)


@given(SEEDS)
def test_a_recorded_step_is_blocked_just_when_the_same_step_proposed_is(seed: int) -> None:
    """By the triggers of SPEC §5, on the step's day, with the same details."""
    case, on, rng = random_pair(seed)
    case = with_ids(case)
    polku = reference_assessor()
    state = polku.assess(case, on, with_agenda=False)
    last = max([entry.date for entry in case.entries if entry.date <= on], default=on)
    triggers = [t.trigger for t in state.triggers if t.status != "not_from_here" and t.trigger != "reach_phase"]
    for trigger in triggers:
        kind = TRIGGERS[trigger].entry_type
        details = {
            "decline_coaching": {"reason": rng.choice(["symptoms", "client_choice"])},
            "end_coaching": {"reason": rng.choice(["readiness", "goal_reached"])},
            "interrupt_coaching": {"reason": rng.choice(["treatment_absence", "no_capacity"])},
            "start_coaching": {"provider": "provider-1", "provider_kind": rng.choice(["private", "public"])},
            "end_activity": {"reason": rng.choice(["coaching_started", "period_over"])},
            "start_work_trial": {
                "arrangement": rng.choice(["alongside_activity", "activity_paused", "activity_ended"]),
                "planned_end": (on + timedelta(days=60)).isoformat(),
            },
        }.get(trigger)
        if details is None:
            continue
        assert last <= on
        proposed = polku.assess(case, on, proposal=Proposal(trigger, details), with_agenda=False)
        status = next(t for t in proposed.triggers if t.trigger == trigger)
        found = judged(case, on.isoformat(), entry(on.isoformat(), kind, **details), by=polku)
        blocked = [rule for item in found.judgements if item.purpose == STEP for rule in item.blocked_by]
        assert blocked == list(status.blocked_by), (seed, trigger)


# --- statecharts ---


def test_an_entry_no_chart_allows_must_be_acknowledged() -> None:
    found = judged(journal(), "2024-05-01", entry("2024-05-01", "activity_paused", reason="illness"))
    assert found.to_acknowledge == (PATH_INCONSISTENT,)
    assert [(item.entry, item.reason) for item in found.breaks] == [("e1", "no_row")]
    assert [(f.rule.id, f.outcome) for f in found.objections] == [(PATH_INCONSISTENT, "violated")]


def test_what_was_inconsistent_before_is_not_asked_about_again() -> None:
    case = journal(entry("2024-05-01", "activity_paused", reason="illness"))
    assert judged(case, "2024-05-02", entry("2024-05-02", "need_assessed")).to_acknowledge == ()


def test_an_entry_dated_back_that_makes_a_later_one_inconsistent_must_be_acknowledged() -> None:
    case = journal({**ACTIVE, "date": "2024-03-01"})
    found = judged(case, "2024-05-01", entry("2024-01-01", "activity_started", days_per_week=4))
    assert [item.entry for item in found.breaks] == ["start"]


def test_an_entry_that_makes_one_dated_ahead_inconsistent_must_be_acknowledged() -> None:
    case = journal(ACTIVE, entry("2024-07-01", "activity_paused", id="ahead", reason="illness"))
    end = entry("2024-06-01", "activity_ended", reason="other")
    kept = entry("2024-05-01", "social_worker_retention_decided", retained="yes")
    found = judged(case, "2024-06-01", kept, end)
    assert [(item.entry, item.day) for item in found.breaks] == [("ahead", day("2024-07-01"))]
    assert found.to_acknowledge == (PATH_INCONSISTENT,)


def test_a_mistake_put_right_today_breaks_nothing() -> None:
    """The wrong start is voided from today on; the right one stands on its day."""
    case = journal(ACTIVE)
    found = judged(
        case,
        "2024-05-01",
        entry("2024-05-01", "correction", voids="start"),
        entry("2024-02-01", "activity_started", days_per_week=4),
    )
    assert found.breaks == ()


def test_a_correction_that_leaves_a_later_entry_without_ground_must_be_acknowledged() -> None:
    case = journal(ACTIVE, entry("2024-02-01", "activity_paused", id="pause", reason="illness"))
    found = judged(case, "2024-05-01", entry("2024-05-01", "correction", voids="start"))
    assert [item.entry for item in found.breaks] == ["pause"]


# --- what is judged ---


def test_each_day_of_the_entries_is_judged_and_then_today() -> None:
    found = judged(
        sirpa(),
        "2022-10-10",
        TRIAL,
        entry("2022-10-10", "contact", party="client", by="job_coach", form="phone"),
        entry("2022-10-20", "plan_reviewed", participants=["client"]),
    )
    assert [(item.purpose, str(item.as_of), item.entries) for item in found.judgements] == [
        (STEP, "2022-09-12", ("e6",)),
        (ENTRY, "2022-09-12", ("e6",)),
        (ENTRY, "2022-10-20", ("e8",)),
        (TODAY, "2022-10-10", ("e7",)),
    ]


def test_today_is_judged_as_any_assessment_is() -> None:
    case = added(sirpa(), TRIAL)
    found = judge_recording(assessor(), sirpa(), case, day("2022-10-10"))
    shown = assessor().assess(case, day("2022-10-10"))
    assert found.judgements[-1].findings == shown.findings
    assert found.advice == shown.next_steps


def test_a_case_taken_over_is_judged_today_and_nothing_is_asked() -> None:
    case = journal(entry("2024-05-01", "activity_paused", reason="illness"), entry("2024-05-02", "coaching_resumed"))
    found = judge_opening(assessor(), case, day("2024-06-01"))
    assert [item.purpose for item in found.judgements] == [TODAY]
    assert (found.to_acknowledge, found.objections) == ((), ())
    assert [step.action for step in found.advice]


def test_an_empty_case_has_advice() -> None:
    assert [step.action for step in judge_opening(assessor(), journal(), day("2024-06-01")).advice] == [KEEP_CONTACT]


@pytest.mark.parametrize(
    ("entries", "since"),
    [
        ([], None),
        ([entry("2024-01-01", "case_closed", reason="moved")], "2024-01-01"),
        (
            [entry("2024-01-01", "case_closed", reason="moved"), entry("2024-02-01", "case_reopened", reason="other")],
            None,
        ),
        ([entry("2024-01-01", "case_closed", reason="moved"), ACTIVE | {"date": "2024-02-01"}], None),
        ([entry("2030-01-01", "case_closed", reason="moved")], "2030-01-01"),
        (
            [
                entry("2024-01-01", "case_closed", id="x", reason="moved"),
                entry("2024-01-02", "correction", voids="x"),
            ],
            None,
        ),
    ],
)
def test_a_case_is_closed_since_the_day_it_was_closed_unless_something_began_again(
    entries: list[dict[str, object]], since: str | None
) -> None:
    found = closed_since(assessor(), journal(*entries))
    assert (found.isoformat() if found is not None else None) == since


# --- engines that differ or fail ---


def test_where_the_engines_differ_there_is_no_advice_and_nothing_of_the_guards() -> None:
    found = judged(sirpa(), "2022-09-12", TRIAL, by=with_engine(LyingEngine))
    assert found.alarm is not None
    assert "liar says violated" in found.alarm
    assert (found.advice, found.to_acknowledge) == ((), ())
    assert [(item.purpose, item.findings) for item in found.judgements] == [(STEP, None), (TODAY, None)]
    assert found.judgements[-1].subjects[0].facts["case.stage"] == "work_trial"


def test_the_charts_are_asked_also_where_the_engines_differ() -> None:
    pause = entry("2022-09-12", "coaching_resumed")
    assert judged(sirpa(), "2022-09-12", pause, by=with_engine(LyingEngine)).to_acknowledge == (PATH_INCONSISTENT,)


def test_an_engine_that_breaks_stops_no_recording_and_its_words_are_not_kept() -> None:
    found = judged(sirpa(), "2022-09-12", TRIAL, by=with_engine(FailingEngine))
    assert found.alarm == "LookupError while judging"
    assert found.advice == ()


@given(SEEDS)
def test_whatever_is_recorded_can_be_judged(seed: int) -> None:
    """Any list that the journal takes, whether sensible or not; the open cases have advice."""
    case, on, rng = random_pair(seed)
    data = case_to_data(with_ids(case))
    cut = rng.randrange(len(data["entries"]) + 1)
    before = with_ids(case).with_entries(with_ids(case).entries[:cut])
    known = {item["id"] for item in data["entries"][:cut]}
    rest = [item for item in data["entries"][cut:] if item["type"] != "correction" or item["voids"] in known]
    after = before.with_entries((*before.entries, *new_entries(before, rest)))
    found = judge_recording(Assessor(pack(), reference), before, after, on)
    assert found.alarm is None
    assert found.judgements[-1].purpose == TODAY
    assert found.advice or found.judgements[-1].folded.state.stage == "closed"
    blocked = {rule for item in found.judgements for rule in item.blocked_by}
    assert blocked <= {rule.id for rule in pack().editions[-1].rules if rule.guards and rule.severity == "obligation"}
    assert allowed("decline_coaching", found.judgements[-1].folded.state)
