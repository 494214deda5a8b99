"""The pack's worked cases hold, show every outcome, and are read strictly; a failing one explains itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest

from rules.assessment import Assessor, Proposal
from rules.cases import (
    CaseFileError,
    WorkedCase,
    look,
    outcomes_missing,
    possible_outcomes,
    read_cases,
    rule_ids,
    run_case,
    run_pack,
    themes,
)
from rules.conditions import ALWAYS, All, Any, Line, Not
from rules.engines.both import checked
from rules.engines.reference import reference
from rules.pack import DEFAULT_PACK, Pack, load_pack

#: Outcomes a rule's form allows but no journal leads to: (rule, outcome) -> why.
CANNOT_OCCUR = {
    ("activity-period-3-24-months", "unknown"): "it applies where the period's end is given, and its start is a day",
}

BROKEN_CASES = """\
- name: A pause for a work trial is over its limit
  entries:
    - {date: 2022-09-05, type: activity_started}
    - {date: 2022-10-01, type: activity_paused, reason: work_trial}
  checks:
    - {date: 2022-11-01, expect: {ktt-pause-max-one-month: advised}}
"""


@cache
def the_pack() -> Pack:
    return load_pack()


@cache
def the_cases() -> tuple[WorkedCase, ...]:
    return tuple(case for theme in themes(DEFAULT_PACK) for case in read_cases(DEFAULT_PACK, theme, the_pack()))


def named(case: WorkedCase) -> str:
    return f"{case.file.split('.')[0]}: {case.name}"


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return Assessor(the_pack(), checked)


def read(folder: Path, text: str) -> list[WorkedCase]:
    (folder / "some.cases.yaml").write_text(dedent(text), encoding="utf-8")
    return read_cases(folder, "some", the_pack())


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(CaseFileError) as caught:
        read(folder, text)
    return list(map(str, caught.value.problems))


# ---- the pack's cases


@pytest.mark.parametrize("case", the_cases(), ids=named)
def test_case_holds_with_both_engines(case: WorkedCase, assessor: Assessor) -> None:
    failures = run_case(case, assessor)
    assert not failures, "\n\n".join(failure.text() for failure in failures)


def test_every_theme_has_cases() -> None:
    with_rules = {path.stem for path in DEFAULT_PACK.glob("*.yaml") if "." not in path.stem} - {"pack", "lock"}
    assert set(themes(DEFAULT_PACK)) == with_rules
    assert len(the_cases()) > 100


def test_every_rule_shows_every_outcome_it_can_have() -> None:
    missing = {(rule, outcome) for rule, lack in outcomes_missing(the_pack(), the_cases()).items() for outcome in lack}
    assert missing == set(CANNOT_OCCUR)


def limited_rules() -> Iterator[str]:
    """The rules in force for less than the pack as a whole."""
    first = min(rule.valid_from for rule in the_pack().editions[-1].rules if rule.severity == "information")
    for rule_id in rule_ids(the_pack()):
        versions = the_pack().versions(rule_id)
        if versions[0].valid_from > first or versions[-1].valid_to is not None:
            yield rule_id


@pytest.mark.parametrize("rule_id", list(limited_rules()))
def test_a_rule_of_its_own_time_is_shown_in_and_out_of_force(rule_id: str) -> None:
    expected = [check.expect.get(rule_id, {}) for case in the_cases() for check in case.checks]
    assert any("not_in_force" in outcomes.values() for outcomes in expected)


def test_each_theme_shows_a_case_from_its_source() -> None:
    sourced = {case.file for case in the_cases() if case.source is not None}
    assert sourced == {f"{theme}.cases.yaml" for theme in themes(DEFAULT_PACK)}


def test_the_report_counts_what_was_run(assessor: Assessor) -> None:
    report = run_pack(the_pack(), assessor)
    assert report.ok
    assert report.cases == len(the_cases())
    assert report.checks == sum(len(check) for case in the_cases() for check in case.checks) > report.cases
    assert report.rules_without_cases == ()


# ---- what is missing is told


def test_nothing_to_check_is_not_ok(tmp_path: Path, assessor: Assessor) -> None:
    report = run_pack(the_pack(), assessor, tmp_path)
    assert not report.ok
    assert (report.cases, report.checks, report.failures) == (0, 0, ())
    assert report.rules_without_cases == tuple(rule_ids(the_pack()))
    assert report.outcomes_missing["path-inconsistent"] == ("satisfied", "violated")


def test_the_form_of_a_rule_says_which_outcomes_it_can_have() -> None:
    ruleset = the_pack().editions[-1]
    rule = next(rule for rule in ruleset.rules if rule.id == "path-inconsistent")
    paused, closed = Line("case.activity", "is", ("paused",)), Line("case.stage", "is", ("closed",))
    interest = Line("case.interest", "is", ("yes",))
    made = {
        ("satisfied", "violated"): rule,
        ("not_applicable", "satisfied", "violated"): replace(rule, applies=All((paused, Not(closed)))),
        ("not_applicable", "advised"): replace(
            rule, applies=paused, steps=(("satisfied", Any(())),), otherwise="advised"
        ),
        ("advised", "unknown"): replace(
            rule, applies=Not(Any(())), steps=(("violated", All((interest, Any(())))), ("advised", ALWAYS))
        ),
        ("not_applicable", "satisfied", "violated", "unknown"): replace(rule, applies=Any((interest, paused))),
    }
    assert {outcomes: tuple(possible_outcomes(item, ruleset)) for outcomes, item in made.items()} == {
        outcomes: outcomes for outcomes in made
    }
    heeding = replace(rule, applies=Line("case.interest", "is", ("yes", "unknown")))
    assert "unknown" not in possible_outcomes(heeding, ruleset)


# ---- a failing case explains itself


def test_a_failing_case_tells_what_was_found_and_why(tmp_path: Path, assessor: Assessor) -> None:
    (case,) = read(tmp_path, BROKEN_CASES.replace("advised}", "violated}"))
    (failure,) = run_case(case, assessor)
    assert failure.text("en") == dedent(
        """\
        A pause for a work trial is over its limit (some.cases.yaml, line 1)
          On 2022-11-01: The pause in work activity stays within its limit (ktt-pause-max-one-month), about e2
          expected: violated - the rule is not met
          found:    advised - advice is open
          the rule read:
            the case is open or this still runs (pause.in_view): yes
            pause open (pause.running): yes
            reason of the pause (pause.reason): work_trial
            limit of the pause (pause.limit): 2022-11-01
          on record by then:
            e1 2022-09-05 activity_started
            e2 2022-10-01 activity_paused: reason work_trial"""
    )
    assert failure.text().splitlines()[1].startswith("  On 2022-11-01: Työtoiminnan tauko")


def test_a_failure_without_a_subject_says_so(tmp_path: Path, assessor: Assessor) -> None:
    (case,) = read(
        tmp_path,
        """\
        - name: Nothing is known of this client
          entries: []
          checks:
            - {date: 2022-11-01, expect: {ktt-pause-max-one-month: advised}}
        """,
    )
    (failure,) = run_case(case, assessor)
    assert failure.text("en").splitlines()[2:] == [
        "  expected: advised - advice is open",
        "  found:    not_applicable - the rule does not apply: no pause on record",
        "  nothing on record by then",
    ]


def test_due_dates_subjects_and_steps_are_compared(tmp_path: Path, assessor: Assessor) -> None:
    (case,) = read(
        tmp_path,
        """\
        - name: Two pauses, the first of them long over
          entries:
            - {date: 2022-01-03, type: activity_started}
            - {date: 2022-02-01, type: activity_paused, reason: work_trial}
            - {date: 2022-02-10, type: activity_resumed}
            - {date: 2022-03-01, type: activity_paused, reason: work_trial}
          checks:
            - {date: 2022-04-01, expect: {ktt-pause-max-one-month: advised}, due: {ktt-pause-max-one-month: 2022-04-02}}
            - {date: 2022-04-01, expect: {ktt-pause-max-one-month: {e2: advised, e4: advised}}}
            - date: 2022-04-01
              propose: {trigger: end_activity, reason: coaching_started}
              expect: {ktt-and-ot-not-ended-by-coaching: violated}
              trigger: {status: open, needs: [end_reason], blocked_by: [ktt-and-ot-not-ended-by-coaching]}
        """,
    )
    told = [(failure.about, failure.expected, failure.found) for failure in run_case(case, assessor)]
    blockers = "end_activity: blocked_by ktt-and-ot-not-ended-by-coaching, ot-may-stay-after-ktt"
    assert told == [
        (", about e4", "due 2022-04-02", "due 2022-04-01"),
        (", about e2", "advised - advice is open", "not_applicable - the rule does not apply"),
        ("", "end_activity: status open", "end_activity: status blocked"),
        ("", "end_activity: needs end_reason", "end_activity: needs none"),
        ("", "end_activity: blocked_by ktt-and-ot-not-ended-by-coaching", blockers),
    ]


def test_a_plain_outcome_that_fits_some_subjects_only_asks_for_the_one_meant(
    tmp_path: Path, assessor: Assessor
) -> None:
    (case,) = read(
        tmp_path,
        """\
        - name: Two jobs run, and counselling was given before the second
          entries:
            - {date: 2022-01-03, type: job_started, kind: open_market}
            - {date: 2022-02-01, type: benefit_counselling, by_specialist: yes}
            - {date: 2022-02-02, type: job_started, kind: open_market}
          checks:
            - {date: 2022-02-02, expect: {benefit-counselling-part: satisfied}}
            - {date: 2022-02-02, expect: {benefit-counselling-part: {e1: remedied, e3: satisfied}}}
        """,
    )
    (failure,) = run_case(case, assessor)
    assert "(e1; name the one meant)" in failure.found
    assert "(e3; name the one meant)" in failure.found


def test_a_proposed_step_is_seen_as_if_taken(assessor: Assessor, tmp_path: Path) -> None:
    (case,) = read(tmp_path, BROKEN_CASES)
    check = replace(case.checks[0], proposal=Proposal("start_work_trial", {"arrangement": "activity_paused"}))
    seen = look(case.case, check, assessor)
    assert [subject.entry for subject in seen.subjects if subject.kind == "trial"] == ["proposal"]
    assert seen.assessment is not None
    assert seen.assessment.state["work_trial"] == "none"
    assert [entry.id for entry in seen.entries] == ["e1", "e2"]


def test_a_check_before_the_rule_says_it_is_not_in_force(tmp_path: Path) -> None:
    (case,) = read(tmp_path, BROKEN_CASES.replace("2022", "2019").replace(": advised", ": not_in_force"))
    assert run_case(case, Assessor(the_pack(), reference)) == []


# ---- case files are read strictly

GOOD = """\
- name: A sentence that says something
  entries:
    - {date: 2022-09-05, type: activity_started}
  checks:
    - {date: 2022-09-06, expect: {path-inconsistent: satisfied}}
"""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("entries:", "entires:"), "[0].entires (line 2): unknown key entires; did you mean entries?"),
        (("checks:", "cheks:"), "[0].cheks (line 4): unknown key cheks; did you mean checks?"),
        (("expect:", "expects:"), "[0].checks[0].expects (line 5): unknown key expects; did you mean expect?"),
        (
            ("path-inconsistent", "path-inconsistant"),
            "[0].checks[0].expect.path-inconsistant (line 5): unknown rule path-inconsistant;"
            " did you mean path-inconsistent?",
        ),
        (
            (": satisfied", ": satisified"),
            "[0].checks[0].expect.path-inconsistent (line 5): unknown outcome satisified; did you mean satisfied?",
        ),
        (
            (": satisfied", ": {e2: satisfied}"),
            "[0].checks[0].expect.path-inconsistent.e2 (line 5): unknown entry e2;",
        ),
        (
            ("activity_started", "activity_startet"),
            '[0].entries[0].type (line 3): unknown type "activity_startet"; did you mean activity_started',
        ),
        (("2022-09-06", "6.9.2022"), "[0].checks[0].date (line 5): '6.9.2022'; expected a day such as 2022-10-05"),
        (("date: 2022-09-06", "date: 2022-09-06, propose: {trigger: start_trial}"), "unknown trigger 'start_trial'"),
        (
            ("date: 2022-09-06", "date: 2022-09-06, propose: {trigger: start_work_trial, arangement: other}"),
            "[0].checks[0].propose.arangement (line 5): unknown field; did you mean arrangement?",
        ),
        (
            ("date: 2022-09-06", "date: 2022-09-06, trigger: {status: open}"),
            "[0].checks[0].trigger (line 5): no proposal;",
        ),
        (
            ("date: 2022-09-06", "date: 2022-09-06, propose: {trigger: end_activity}, trigger: {status: shut}"),
            "[0].checks[0].trigger.status (line 5): unknown status shut;",
        ),
        (
            ("date: 2022-09-06", "date: 2022-09-06, propose: {trigger: end_activity}, trigger: {blocked_by: [x]}"),
            "[0].checks[0].trigger.blocked_by (line 5): unknown rule x;",
        ),
        (("date: 2022-09-06", "date: 2022-09-06, due: {path-inconsistent: soon}"), "'soon'; expected a day such as"),
        (("name: A sentence that says something", "name: short"), "[0].name (line 1): 'short'; expected a sentence"),
        (
            ("  entries:", "  header: {not_recoded: [contact]}\n  entries:"),
            "[0].header.not_recoded (line 2): unknown field",
        ),
        (("  entries:", "  source: {page: 3}\n  entries:"), "[0].source.page (line 2): unknown key page;"),
        (("  entries:", "  source: {document: '9'}\n  entries:"), "[0].source.document (line 2): unknown document 9;"),
        ((", expect: {path-inconsistent: satisfied}", ""), "[0].checks[0] (line 5): nothing expected;"),
        (
            ("    - {date: 2022-09-06, expect: {path-inconsistent: satisfied}}", "    []"),
            "[0].checks (line 4): nothing;",
        ),
        ((GOOD, ""), "document"),
        ((GOOD, "[]"), "document (line 1): nothing; expected a list of cases, at least one"),
        ((GOOD, GOOD + GOOD), "[1].name (line 6): the name 'A sentence that says something' a second time;"),
        (("- name: A", "- name: A\n  name: A"), "the same key a second time"),
    ],
)
def test_a_mistake_in_a_case_file_is_told_with_its_place(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    assert read(tmp_path, GOOD)
    found = mistakes(tmp_path, GOOD.replace(*change))
    assert any(told in line for line in found), found


def test_all_mistakes_of_a_case_file_are_told_at_once(tmp_path: Path) -> None:
    found = mistakes(tmp_path, GOOD.replace("satisfied", "met") + GOOD.replace("date", "dat"))
    assert len(found) >= 3
    with pytest.raises(CaseFileError, match=r"some\.cases\.yaml: \d mistake"):
        read(tmp_path, GOOD.replace("satisfied", "met"))
