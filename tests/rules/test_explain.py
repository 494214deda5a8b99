"""Explanations of rules that build on findings: they meet what the assessment met."""

from rules.explain import explain
from tests.helpers import assessor, day, entry, journal

ALL = ["client", "social_worker", "employment_coach", "activity_instructor"]


def test_a_step_of_an_earlier_wave_is_what_keeps_contact_from_being_advised() -> None:
    """Only coaching is left to start, which itself builds on a finding; the explanation counts it as a step."""
    case = journal(
        entry("2024-01-02", "initiative_taken", service="coaching", by="client"),
        entry("2024-01-03", "selection_agreed", participants=ALL, client_agrees="yes"),
        entry("2024-01-03", "joint_meeting_held", participants=ALL),
        entry("2024-01-04", "consent_given", scope="provider", parties=["p"], voluntary="yes", informed="yes"),
        entry(
            "2024-01-05",
            "activation_plan_updated",
            participants=ALL,
            coaching={"start": "2024-01-15", "end": "2024-04-15"},
            work_trial_possible="yes",
            other_services_possible="yes",
            wage_subsidy_clarified="yes",
        ),
    )
    on = day("2024-01-08")
    assert [step.action for step in assessor().assess(case, on).next_steps] == ["start_coaching"]
    (found,) = explain(assessor(), case, on, "next-keep-contact")
    assert found.outcome == "not_applicable"
    (asked,) = [
        clause for clause in found.clauses if clause.fact is not None and clause.fact.name == "finding.any_step"
    ]
    assert (asked.value, asked.truth) == ("yes", "false")
