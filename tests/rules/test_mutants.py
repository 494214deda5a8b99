"""Every small mistake made on purpose in a rule, a deadline or a parameter makes some case fail (see mutants.py)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rules.cases import read_cases, themes
from rules.conditions import ALWAYS, All, Any, Line, Not
from rules.deriving import Derivation
from rules.pack import DEFAULT_PACK, Pack, load_pack

from .mutants import Mutant, Proof, changed, derivation_mutants, rule_mutants

#: Mutants that no journal can tell from the rule, by whose they are and how the change begins, and why no journal can.
EQUIVALENT: dict[tuple[str, str], str] = {
    **{
        ("joint-meeting-at-planning", f"when: [case.stage is plan_update] with {stage}"): (
            "while a referral runs the stage is plan_update or one that comes before it in SPEC 3"
        )
        for stage in ("not_started", "activity", "between_services")
    },
    **{
        (rule, f"when: [case.stage is {stage}] with {silent}"): "case.in_view is no then"
        for rule, stage in (
            ("joint-meeting-at-planning", "plan_update"),
            ("next-assess-needs", "between_services"),
            ("next-review-interruption", "coaching_interrupted"),
        )
        for silent in ("other_outcome", "closed")
    },
    **{
        (rule, "when: [coaching.plan_updated_before is yes] with unknown"): (
            "what a plan says is unknown while the plan is"
        )
        for rule in (
            "as-records-coaching-during-ktt",
            "as-preauthorises-trial",
            "as-preauthorises-other-te",
            "as-clarifies-wage-subsidy",
        )
    },
    **{
        ("omatyontekija-always-in-plan-meeting", f"satisfied: [plan.has_{role} is yes] with unknown"): (
            "who took part is unknown only of a proposed update, and then of all roles at once"
        )
        for role in ("client", "employment_coach", "social_worker", "work_ability_team")
    },
    ("plan-review-every-3-months", "when: [case.plan_exists is yes] with unknown"): (
        "the limit is unknown while the plan is"
    ),
    ("service-decision-current", "violated: [case.activity_decision_until passed 0] never true"): (
        "a decision in force has not ended; without one the other part decides"
    ),
    ("service-decision-current", "violated: [case.activity_decision_until passed 0] with 1"): (
        "a decision in force has not ended; without one the other part decides"
    ),
    ("ktt-and-ot-not-ended-by-coaching", "satisfied: not [activity.end_reason is coaching_started] with none"): (
        "an activity that ended did so for some reason"
    ),
    **{
        ("activity-period-3-24-months", f"satisfied: [activity.period_too_{measure} is no] with unknown"): (
            "both ends of a period are known where its end is given"
        )
        for measure in ("short", "long")
    },
    ("follow-up-contact-1-3-months", "when: [activity.status is ended] "): (
        "follow-up is counted from the day activity ended, which only an ended activity has"
    ),
    ("statement-lapses-before-overlap-ends", "when: [trial.beside_activity is yes] with unknown"): (
        "this is unknown only of a proposed trial, which another line leaves out"
    ),
    **{
        ("statement-lapses-before-overlap-ends", f"when: [trial.{measure}_statement is yes] with unknown"): (
            "whether statements lapse is unknown while one of them is"
        )
        for measure in ("activity", "trial")
    },
    ("support-does-not-end-at-hire", "satisfied: [coaching.end_reason is client_choice, moved] with none"): (
        "a coaching that ended did so for some reason"
    ),
    ("after-job-start-contacts", "violated: [job.next_meeting_by passed 0] never true"): (
        "the next meeting's last day lies ahead; a missed one is told by job.latest_meeting"
    ),
    ("after-job-start-contacts", "violated: [job.next_meeting_by passed 0] with 1"): (
        "the next meeting's last day lies ahead; a missed one is told by job.latest_meeting"
    ),
    ("new-job-after-loss", "when: [case.employment is ended] with employed"): "case.employed is yes then",
    ("new-job-after-loss", "when: [case.employed is no] with yes"): "case.employment is employed then",
    ("next-start-coaching", "when: [case.coaching_running is no] with yes"): (
        "a referral is planned only while coaching is none or ended; coaching that starts makes it done"
    ),
    **{
        ("next-agree-work-trial", f"when: [case.coaching is job_search] with {state}"): (
            "case.work_trial_possible is no unless coaching runs"
        )
        for state in ("none", "ended")
    },
    ("next-choose-after-trial", "when: [trial.latest is yes] "): (
        "a later trial begins once this one has ended, which makes trial.begun_since yes"
    ),
}


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack()


@pytest.fixture(scope="module")
def results(pack: Pack) -> dict[Mutant, bool]:
    cases = [case for theme in themes(DEFAULT_PACK) for case in read_cases(DEFAULT_PACK, theme, pack)]
    begun = time.perf_counter()
    found = Proof(pack, cases).every_result()
    print(f"\n{sum(found.values())} of {len(found)} mutants killed in {time.perf_counter() - begun:.1f} s")
    return found


def excuse(mutant: Mutant) -> tuple[str, str] | None:
    """The entry of EQUIVALENT that a mutant falls under."""
    return next((key for key in EQUIVALENT if key[0] == mutant.of and mutant.change.startswith(key[1])), None)


def test_every_mutant_is_killed_by_some_case(results: dict[Mutant, bool]) -> None:
    assert len(results) > 500
    survivors = [mutant for mutant, killed in results.items() if not killed and excuse(mutant) is None]
    assert [f"{mutant.of}: {mutant.change}" for mutant in survivors] == []


def test_every_equivalent_mutant_is_one_that_lives(results: dict[Mutant, bool]) -> None:
    used = {excuse(mutant) for mutant, killed in results.items() if not killed}
    assert [key for key in EQUIVALENT if key not in used] == []


def test_no_mutant_is_made_twice_or_made_of_nothing(pack: Pack) -> None:
    edition = pack.editions[-1]
    for rule in edition.rules:
        made = list(rule_mutants(rule, edition))
        assert made, rule.id
        assert len({mutant for mutant, _ in made}) == len(made), rule.id
        assert all(mutated != rule for _, mutated in made), rule.id


def test_each_line_of_a_condition_is_changed_in_each_way(pack: Pack) -> None:
    edition = pack.editions[-1]
    wish, limit = Line("case.interest", "is", ("yes", "no")), Line("pause.limit", "passed")
    told = dict(changed(wish, edition))
    assert told == {
        "[case.interest is yes, no] negated": Not(wish),
        "[case.interest is yes, no] always true": ALWAYS,
        "[case.interest is yes, no] never true": Any(()),
        "[case.interest is yes, no] without yes": Line("case.interest", "is", ("no",)),
        "[case.interest is yes, no] without no": Line("case.interest", "is", ("yes",)),
        "[case.interest is yes, no] with undecided": Line("case.interest", "is", ("yes", "no", "undecided")),
        "[case.interest is yes, no] with not_asked": Line("case.interest", "is", ("yes", "no", "not_asked")),
        "[case.interest is yes, no] with unknown": Line("case.interest", "is", ("yes", "no", "unknown")),
    }
    told = dict(changed(limit, edition))
    assert told == {
        "[pause.limit passed 0] negated": Not(limit),
        "[pause.limit passed 0] always true": ALWAYS,
        "[pause.limit passed 0] never true": Any(()),
        "[pause.limit passed 0] made reached": Line("pause.limit", "reached"),
        "[pause.limit passed 0] with 1": Line("pause.limit", "passed", bound=1),
        "[pause.limit passed 0] with -1": Line("pause.limit", "passed", bound=-1),
    }
    both = All((wish, Not(limit)))
    made = [condition for _, condition in changed(both, edition)]
    assert len(made) == 1 + 8 + 6
    assert Any(both.parts) in made
    assert All((wish, Not(Any(())))) in made


def test_deadlines_are_changed_in_each_way() -> None:
    moved = [item for _, item in derivation_mutants(Derivation("a.b", "add_days", ("a.c",), 7))]
    assert [item.number for item in moved] == [8, 6]
    latest = [item for _, item in derivation_mutants(Derivation("a.b", "latest", ("a.c", "a.d")))]
    assert [(item.operation, item.operands) for item in latest] == [
        ("earliest", ("a.c", "a.d")),
        ("latest", ("a.d",)),
        ("latest", ("a.c",)),
    ]
    after = [item for _, item in derivation_mutants(Derivation("a.b", "is_after", ("a.c", "a.d")))]
    assert [item.operands for item in after] == [("a.d", "a.c")]


def test_without_cases_every_mutant_lives(pack: Pack) -> None:
    assert not any(Proof(pack, []).rule_results("ktt-pause-max-one-month").values())


def test_every_theme_has_cases() -> None:
    rules = {path.stem for path in Path(DEFAULT_PACK).glob("*.yaml") if "." not in path.stem} - {"pack", "lock"}
    assert set(themes(DEFAULT_PACK)) == rules
