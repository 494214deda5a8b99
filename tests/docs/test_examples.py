"""The examples users meet: every one loads, is judged by both engines, and gives the next steps written beside it."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules.assessment import Assessment, Assessor
from rules.facts import UNKNOWN
from rules.journal import case_to_data, read_case
from rules.pack import DEFAULT_PACK, LANGUAGES, load_pack

EXAMPLES = DEFAULT_PACK / "examples"
ASSESSOR = Assessor(load_pack())  # the default engine: durable-rules, every outcome checked by the reference
PROFILES = ("samuli", "sirpa", "jarmo")


def index() -> list[dict[str, Any]]:
    """The list users are shown."""
    return yaml.safe_load((EXAMPLES / "index.yaml").read_text(encoding="utf-8"))


def journals() -> list[Path]:
    """Every case file among the examples."""
    found = [
        path
        for path in sorted(EXAMPLES.rglob("*.yaml"))
        if path.name != "index.yaml" and not path.name.endswith(".expected.yaml")
    ]
    assert len(found) == 14
    return found


def expectations() -> list[Any]:
    """Each day written down in an expected file, with the journal it is about."""
    found = []
    for path in sorted(EXAMPLES.glob("*.expected.yaml")):
        name = path.name.removesuffix(".expected.yaml")
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        journals_of = (
            {f"{name}/{client}": days for client, days in written.items()}
            if isinstance(written, dict)
            else {name: written}
        )
        found += [pytest.param(k, day, id=f"{k}-{day['date']}") for k, days in journals_of.items() for day in days]
    assert found
    return found


def assessed(name: str, day: date) -> Assessment:
    """One example on one day; raises EngineDifference where the engines differ."""
    return ASSESSOR.assess(read_case(EXAMPLES / f"{name}.yaml"), day, lang="en")


def outcomes(assessment: Assessment) -> dict[str, str]:
    """Outcome by rule, for examples in which no rule has two subjects."""
    return {finding.rule.id: finding.outcome for finding in assessment.findings}


@pytest.mark.parametrize("path", journals(), ids=lambda path: path.stem)
def test_every_entry_stands_in_order_of_its_day_and_fits_the_path(path: Path) -> None:
    case = read_case(path)
    days = [entry.date for entry in case.entries]
    assert days == sorted(days)
    last = ASSESSOR.assess(case, days[-1])
    assert last.inconsistent == ()
    assert case_to_data(case)


@pytest.mark.parametrize(("name", "expected"), expectations())
def test_next_steps_are_those_written_beside_the_example(name: str, expected: dict[str, Any]) -> None:
    assessment = assessed(name, expected["date"])
    steps = [[step.action, step.role, step.due, step.status] for step in assessment.next_steps]
    assert assessment.state["stage"] == expected["stage"]
    assert steps == expected["next"]


def test_sirpas_path_is_told_at_every_step_of_its_last_hundred_days() -> None:
    """No entry from the first conversation on goes by without a line on what was next."""
    told = {day["date"] for day in yaml.safe_load((EXAMPLES / "sirpa_path.expected.yaml").read_text(encoding="utf-8"))}
    recorded = {entry.date for entry in read_case(EXAMPLES / "sirpa_path.yaml").entries}
    untold = {day for day in recorded if day >= date(2022, 8, 15)} - told
    # The new period and the endorsements change nothing in the list.
    assert untold == {date(2022, 10, 1), date(2022, 11, 22)}


@pytest.mark.parametrize("name", PROFILES)
def test_the_profiles_all_lead_towards_coaching(name: str) -> None:
    """The sources speak for coaching for all three; none is turned away, and no rule finds fault with the person."""
    day = next(item["as_of"] for item in index() if item["file"] == f"{name}.yaml")
    assessment = assessed(name, day)
    assert [step.action for step in assessment.next_steps] == ["open_the_way_to_coaching"]
    status = {trigger.trigger: trigger.status for trigger in assessment.triggers}
    assert status["take_initiative"] == "open"
    assert status["agree_selection"] == "open"


def test_samuli_comes_by_the_juncture_and_jarmo_by_his_own_wish() -> None:
    samuli = outcomes(assessed("samuli", date(2022, 9, 5)))
    assert samuli["critical-point-ktt-end"] == "violated"
    assert samuli["offer-coaching-when-client-wants-work"] == "unknown"  # the profile does not say that he was asked
    jarmo = outcomes(assessed("jarmo", date(2022, 9, 5)))
    assert jarmo["critical-point-ktt-end"] == UNKNOWN  # it does not say when his period ends
    assert jarmo["offer-coaching-when-client-wants-work"] == "advised"
    sirpa = outcomes(assessed("sirpa", date(2022, 8, 22)))
    assert sirpa["critical-point-ktt-end"] == "violated"
    assert sirpa["offer-coaching-when-client-wants-work"] == "advised"


def test_on_jarmos_talk_sheet_a_long_period_stands_in_for_a_near_juncture() -> None:
    talk_sheet = assessed("jarmo", date(2022, 9, 5)).readiness
    strengths = {item["item"] for group in talk_sheet["groups"] for item in group["strengths"]}
    asked = {item["item"] for group in talk_sheet["groups"] for item in group["open_questions"]}
    assert "chk-09" in strengths
    assert "chk-08" not in asked


def test_what_the_profiles_do_not_tell_is_never_read_as_not_done() -> None:
    for name in PROFILES:
        day = next(item["as_of"] for item in index() if item["file"] == f"{name}.yaml")
        found = outcomes(assessed(name, day))
        for rule in ("basic-consent-before-ktt", "service-decision-current", "tell-all-ktt-clients"):
            assert found[rule] == UNKNOWN, f"{name}: {rule}"


def test_the_start_of_sirpas_trial_waits_for_the_plan_and_the_endorsements() -> None:
    before, after = (
        next(t for t in assessed("sirpa_path", day).triggers if t.trigger == "start_work_trial")
        for day in (date(2022, 11, 15), date(2022, 11, 24))
    )
    assert before.status == "blocked"
    assert before.blocked_by == ("as-update-on-trial", "ov-checks-endorsements-at-trial")
    assert "ov-checks-endorsements-at-trial" not in after.blocked_by


def test_the_index_names_every_example_in_three_languages() -> None:
    listed = {item["file"] for item in index()}
    files = {path.name for path in journals() if path.parent == EXAMPLES} | {"caseload_pilot"}
    assert listed == files
    for item in index():
        assert isinstance(item["as_of"], date)
        assert isinstance(item["shown"], bool)
        for text in (item["title"], item["look_at"]):
            assert text.keys() == set(LANGUAGES)
            assert all(text.values())
    assert [item["file"] for item in index() if item["shown"]] == ["samuli.yaml", "sirpa.yaml", "jarmo.yaml"]
    assert len(list((EXAMPLES / "caseload_pilot").glob("*.yaml"))) == 5
