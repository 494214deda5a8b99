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

#: Mutants that no journal can tell from the rule: (whose, the change or how it begins) -> why not.
EQUIVALENT: dict[tuple[str, str], str] = {
    ("follow-up-contact-1-3-months", "when: [activity.status is ended] "): (
        "activity.follow_up_from is counted from activity.ended_on, which only an ended activity has"
    ),
    ("next-start-coaching", "when: [case.coaching_running is no] with yes"): (
        "the referral is planned only while coaching is none or ended; coaching that starts makes it done"
    ),
    (
        "next-search-open-market",
        "when: [case.coaching is agreement, job_search, employer_support, job_retention] with none",
    ): ("case.back_from_trial_or_job is yes only while coaching runs"),
    (
        "next-search-open-market",
        "when: [case.coaching is agreement, job_search, employer_support, job_retention] with ended",
    ): ("case.back_from_trial_or_job is yes only while coaching runs"),
    (
        "next-search-open-market",
        "when: [case.coaching is agreement, job_search, employer_support, job_retention] with profile",
    ): ("in profile the other alternative already holds"),
    ("next-agree-work-trial", "when: [case.coaching is job_search] with none"): (
        "case.work_trial_possible is no unless coaching runs"
    ),
    ("next-agree-work-trial", "when: [case.coaching is job_search] with ended"): (
        "case.work_trial_possible is no unless coaching runs"
    ),
    ("next-choose-after-trial", "when: [trial.latest is yes] "): (
        "a later trial begins after this one's end, which makes trial.begun_since yes"
    ),
    ("next-assess-needs", "when: [case.stage is between_services] with other_outcome"): "case.in_view is no then",
    ("next-assess-needs", "when: [case.stage is between_services] with closed"): "case.in_view is no then",
    (
        "next-review-interruption",
        "when: [case.stage is coaching_interrupted] with other_outcome",
    ): "case.in_view is no then",
    ("next-review-interruption", "when: [case.stage is coaching_interrupted] with closed"): "case.in_view is no then",
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
    rules = {path.stem for path in Path(DEFAULT_PACK).glob("*.yaml") if "." not in path.stem} - {"pack"}
    assert set(themes(DEFAULT_PACK)) == rules
