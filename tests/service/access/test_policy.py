"""Who may record what and who may see what: every cell of both tables, against a second writing of them."""

from itertools import product
from typing import Any

import pytest

from rules.entries import ENTRY_TYPES
from rules.journal import CaseHeader
from rules.pack import Rule
from service.access.policy import (
    Sight,
    may_do,
    may_open,
    may_record,
    may_take_emergency_access,
    may_void,
    sees,
)
from service.access.principal import ROLES
from service.access.reach import withheld_rules
from service.access.relations import RELATIONS
from service.access.tables import ACTS, VIEWS
from statemachines import TRIGGERS
from tests.helpers import entry, journal, pack

LETTERS = dict(zip("ATPEN", RELATIONS, strict=True))
SHORT = {
    "SW": "social_worker", "EC": "employment_coach", "AI": "activity_instructor", "AS": "activity_supervisor",
    "JC": "job_coach", "TL": "team_leader", "WA": "work_ability_team", "AU": "auditor",
}  # fmt: skip


def grants(text: str) -> set[tuple[str, str]]:
    """`SW:ATE EC:A` as (role, relation) pairs."""
    pairs = (item.split(":") for item in text.split())
    return {(SHORT[role], LETTERS[letter]) for role, letters in pairs for letter in letters}


# --- recording ---

#: By role: the types it records wherever it records at all, then the exceptions.
RECORDS: dict[str, tuple[str, str]] = {
    "social_worker": (
        "ATE",
        "need_assessed interest_asked coaching_info_given initiative_taken checklist_answered selection_agreed"
        " joint_meeting_held service_decision activation_plan_updated plan_reviewed implementation_plan_updated"
        " social_worker_retention_decided activity_started activity_changed activity_paused activity_resumed"
        " activity_ended consent_given consent_withdrawn coaching_started coaching_phase_reached coaching_renewed"
        " coaching_interrupted coaching_resumed coaching_ended coaching_declined work_trial_agreed work_trial_started"
        " work_trial_extended work_trial_ended job_agreed job_started job_ended contact contact_wish_recorded"
        " benefit_counselling economic_support_advised follow_up_done outcome_reached case_closed case_reopened"
        " advice_set_aside correction",
    ),
    "employment_coach": (
        "ATE",
        "need_assessed interest_asked coaching_info_given initiative_taken selection_agreed joint_meeting_held"
        " service_decision activation_plan_updated plan_reviewed consent_given consent_withdrawn endorsement_recorded"
        " endorsements_checked statement_issued statement_withdrawn coaching_started coaching_phase_reached"
        " coaching_renewed coaching_interrupted coaching_resumed coaching_ended coaching_declined work_trial_agreed"
        " work_trial_started work_trial_extended work_trial_ended job_agreed job_started job_ended contact"
        " contact_wish_recorded benefit_counselling economic_support_advised follow_up_done outcome_reached"
        " case_closed case_reopened advice_set_aside correction",
    ),
    "activity_instructor": (
        "ATE",
        "interest_asked coaching_info_given initiative_taken checklist_answered selection_agreed joint_meeting_held"
        " implementation_plan_updated activity_started activity_changed activity_paused activity_resumed"
        " activity_ended consent_given consent_withdrawn contact follow_up_done advice_set_aside correction",
    ),
    "activity_supervisor": (
        "ATE",
        "interest_asked coaching_info_given initiative_taken activity_paused activity_resumed correction",
    ),
    "job_coach": (
        "ATPE",
        "interest_asked coaching_info_given initiative_taken joint_meeting_held consent_given consent_withdrawn"
        " coaching_started coaching_phase_reached coaching_renewed coaching_interrupted coaching_resumed"
        " coaching_ended coaching_declined work_trial_agreed work_trial_started work_trial_extended work_trial_ended"
        " job_agreed job_started job_ended contact contact_wish_recorded benefit_counselling economic_support_advised"
        " follow_up_done advice_set_aside correction",
    ),
    "team_leader": ("AT", "worker_assigned worker_released case_closed case_reopened advice_set_aside correction"),
    "work_ability_team": (
        "ATE",
        "need_assessed interest_asked coaching_info_given initiative_taken joint_meeting_held activation_plan_updated"
        " plan_reviewed consent_given consent_withdrawn contact benefit_counselling outcome_reached correction",
    ),
}
ONLY = {
    ("social_worker", "worker_assigned"): "A",
    ("social_worker", "worker_released"): "A",
    ("employment_coach", "worker_assigned"): "A",
    ("employment_coach", "worker_released"): "A",
    ("job_coach", "consent_given"): "ATE",
}


def expected_to_record(role: str, relation: str, type_: str) -> bool:
    letters, types = RECORDS.get(role, ("", ""))
    allowed = ONLY.get((role, type_), letters if type_ in types.split() else "")
    return relation in [LETTERS[letter] for letter in allowed]


@pytest.mark.parametrize("role", ROLES)
def test_every_type_is_recorded_by_these_roles_in_these_relations(role: str) -> None:
    for relation, type_ in product(RELATIONS, ENTRY_TYPES):
        assert may_record(role, relation, type_) is expected_to_record(role, relation, type_), (relation, type_)


def test_what_is_not_in_the_table_may_not_be_recorded() -> None:
    assert not may_record("social_worker", "assigned", "score_given")
    assert not may_record("director", "assigned", "contact")
    assert not may_record("social_worker", "friend", "contact")
    assert not may_record("", "", "")


@pytest.mark.parametrize("type_", ENTRY_TYPES)
def test_what_happened_can_always_be_recorded_by_someone_assigned_and_by_someone_of_the_team(type_: str) -> None:
    for relation in ("assigned", "team"):
        assert [role for role in ROLES if may_record(role, relation, type_)], relation


def test_nobody_without_business_with_the_client_records_anything() -> None:
    for role, type_ in product(ROLES, ENTRY_TYPES):
        assert not may_record(role, "none", type_)
    for role, relation, type_ in product(("client", "auditor", "administrator"), RELATIONS, ENTRY_TYPES):
        assert not may_record(role, relation, type_)


def test_an_emergency_records_what_being_assigned_does_but_lets_nobody_in_for_good() -> None:
    for role, type_ in product(set(ROLES) - {"team_leader"}, set(ENTRY_TYPES) - {"worker_assigned", "worker_released"}):
        assert may_record(role, "emergency", type_) is may_record(role, "assigned", type_), (role, type_)
    assert not [role for role in ROLES if may_record(role, "emergency", "worker_assigned")]


# --- corrections ---


def case_to_correct() -> Any:
    return journal(
        entry("2024-01-01", "contact", id="met", party="client", by="job_coach", form="phone"),
        entry("2024-01-02", "statement_issued", id="stated", measure="activity", start="2024-01-02"),
        entry("2024-01-03", "consent_given", id="yes", scope="provider", parties=["p"]),
        entry("2024-01-04", "consent_withdrawn", id="no", scope="provider"),
        entry("2024-01-05", "worker_released", id="gone", role="social_worker", worker="w"),
        entry("2024-01-06", "correction", id="c1", voids="stated"),
        entry("2024-01-07", "correction", id="c2", voids="met"),
        entry("2024-01-08", "correction", id="c3", voids="c2"),
        entry("2024-01-09", "correction", id="c4", voids="no"),
    )


def test_one_voids_only_what_one_could_have_recorded() -> None:
    case = case_to_correct()
    assert may_void("job_coach", "provider", case, "met")
    assert not may_void("job_coach", "provider", case, "stated")
    assert may_void("employment_coach", "assigned", case, "stated")
    assert not may_void("social_worker", "assigned", case, "stated")
    assert not may_void("auditor", "none", case, "met")
    assert not may_void("job_coach", "none", case, "met")


def test_voiding_a_correction_needs_the_right_to_what_it_restores() -> None:
    case = case_to_correct()
    assert may_void("job_coach", "assigned", case, "c2")
    assert may_void("job_coach", "assigned", case, "c3")
    assert not may_void("job_coach", "assigned", case, "c1")
    assert may_void("employment_coach", "team", case, "c1")


def test_a_provider_cannot_bring_its_consent_back_by_voiding_the_withdrawal() -> None:
    case = case_to_correct()
    assert may_record("job_coach", "provider", "consent_withdrawn")
    assert not may_void("job_coach", "provider", case, "no")
    assert not may_void("job_coach", "provider", case, "yes")
    assert not may_void("job_coach", "provider", case, "c4")
    assert may_void("social_worker", "assigned", case, "no")


def test_voiding_a_release_assigns_again_and_needs_that_right() -> None:
    case = case_to_correct()
    assert may_void("team_leader", "team", case, "gone")
    assert not may_void("social_worker", "team", case, "gone")
    assert not may_void("social_worker", "emergency", case, "gone")


def test_an_entry_that_is_not_there_is_not_voided() -> None:
    assert not may_void("social_worker", "assigned", case_to_correct(), "e99")


# --- acts ---

DOES = {
    "open_case": "SW:N EC:N TL:N",
    "change_identity": "SW:AT EC:A TL:T",
    "restrict": "SW:A TL:T",
    "take_emergency_access": "SW:TN EC:TN AI:TN AS:TN JC:TN WA:TN",
}


def test_every_act_is_open_to_these_roles_in_these_relations() -> None:
    assert set(DOES) == set(ACTS)
    for act, role, relation in product(ACTS, ROLES, RELATIONS):
        assert may_do(role, relation, act) is ((role, relation) in grants(DOES[act])), (act, role, relation)


def test_an_act_that_no_table_knows_is_a_mistake_of_the_program() -> None:
    with pytest.raises(KeyError):
        may_do("social_worker", "assigned", "dispose")


def test_who_may_open_a_case_and_take_emergency_access() -> None:
    assert {role for role in ROLES if may_open(role)} == {"social_worker", "employment_coach", "team_leader"}
    closed = {"client", "team_leader", "auditor", "administrator"}
    assert {role for role in ROLES if not may_take_emergency_access(role)} == closed


# --- seeing ---

EVERYONE = "SW:ATE EC:ATE AI:ATE JC:ATPE TL:AT WA:ATE AU:N"
WITH_SUPERVISOR = EVERYONE + " AS:ATE"
FREE_TEXT = {
    ("need_assessed", "outcome"),
    ("service_decision", "reason"),
    ("job_ended", "reason"),
    ("social_worker_retention_decided", "reason"),
}
AUTHORITIES = "SW:ATE EC:ATE AI:ATE TL:AT WA:ATE AU:N"
BENEFITS = ("endorsement_recorded", "endorsements_checked", "statement_issued", "statement_withdrawn")


def who_sees(type_: str, name: str) -> str:
    """Who sees a field, told field by field from the narrowest on."""
    if name == "note" or (type_, name) in FREE_TEXT:
        return "SW:AE"
    if (type_, name) == ("checklist_answered", "answers"):
        return "SW:A AI:A"
    if type_ in ("coaching_ended", "coaching_interrupted", "coaching_declined") and name in ("reason", "referred_to"):
        return "SW:AE EC:AE JC:AE WA:AE AU:N"
    if (type_, name) == ("outcome_reached", "outcome"):
        return "SW:AE EC:AE JC:AE WA:AE AU:N"
    if type_ in ("activity_paused", "activity_ended") and name == "reason":
        return "SW:AE EC:AE AI:AE AS:AE WA:AE AU:N"
    if (type_, name) == ("advice_set_aside", "reason"):
        return "SW:AE EC:AE AI:AE JC:AE TL:AT WA:AE AU:N"
    if (type_, name) == ("activation_plan_updated", "goals"):
        return "SW:AE EC:AE AI:AE JC:AE WA:AE"
    if type_ == "header":
        return "SW:ATE EC:ATE AI:AE JC:AE WA:AE" if name in ("municipality", "birth_year") else WITH_SUPERVISOR
    if type_ in ("case_closed", "case_reopened") and name == "reason":
        return AUTHORITIES
    if type_ in ("service_decision", "social_worker_retention_decided"):
        return AUTHORITIES
    if type_ in BENEFITS:
        return "SW:ATE EC:ATE JC:ATPE TL:AT WA:ATE AU:N"
    return WITH_SUPERVISOR if told_to_the_supervisor(type_) else EVERYONE


def told_to_the_supervisor(type_: str) -> bool:
    """The supervisor at the workshop sees the activity, who works with the client, and the client's wishes."""
    wishes = ("need_assessed", "interest_asked", "coaching_info_given", "initiative_taken", "checklist_answered",
              "selection_agreed", "joint_meeting_held", "contact_wish_recorded")  # fmt: skip
    frame = ("correction", "advice_set_aside", "case_closed", "case_reopened", "outcome_reached")
    return type_.startswith(("activity_", "worker_")) or type_ in wishes + frame


def every_field() -> list[tuple[str, str]]:
    found = [("header", name) for name in CaseHeader.model_fields]
    return found + [(type_, name) for type_, model in ENTRY_TYPES.items() for name in model.model_fields]


@pytest.mark.parametrize("type_", ["header", *ENTRY_TYPES])
def test_every_field_is_seen_by_these_roles_in_these_relations(type_: str) -> None:
    names = [name for of, name in every_field() if of == type_]
    for name, role, relation in product(names, ROLES, RELATIONS):
        expected = (role, relation) in grants(who_sees(type_, name))
        assert ((type_, name) not in sees(role, relation).hidden) is expected, (name, role, relation)


OPEN = {
    "journal": "SW:ATE EC:ATE AI:ATE AS:ATE JC:ATPE TL:AT WA:ATE",
    "identity": "SW:ATE EC:ATE AI:ATE AS:ATE JC:ATPE TL:AT WA:ATE",
    "assessment": "SW:ATE EC:ATE AI:ATE JC:ATPE TL:AT WA:ATE AU:N",
    "readiness": "SW:A AI:A",
    "decision_records": "SW:A TL:AT AU:N",
    "reads": "SW:A TL:AT AU:N",
    "acknowledgements": "SW:A TL:AT AU:N",
    "advice_trail": "SW:A TL:AT AU:N",
    "copy": "SW:A",
}


def test_every_view_is_open_to_these_roles_in_these_relations() -> None:
    assert set(OPEN) == set(VIEWS)
    for view, role, relation in product(VIEWS, ROLES, RELATIONS):
        assert sees(role, relation).opens(view) is ((role, relation) in grants(OPEN[view])), (view, role, relation)


def test_nobody_without_business_with_the_client_sees_anything_but_the_auditor() -> None:
    for role in ROLES:
        assert sees(role, "none").anything is (role == "auditor")
    for role, relation in product(("client", "administrator"), RELATIONS):
        assert not sees(role, relation).anything
        assert set(every_field()) <= sees(role, relation).hidden


def test_the_auditor_sees_neither_who_it_is_nor_notes_nor_the_checklist_nor_the_journal() -> None:
    sight = sees("auditor", "none")
    assert not sight.views & {"identity", "journal", "copy", "readiness"}
    assert {("checklist_answered", "answers"), ("contact", "note"), ("header", "birth_year")} <= sight.hidden


def test_an_unknown_role_or_relation_sees_nothing() -> None:
    for sight in (sees("director", "assigned"), sees("social_worker", "friend"), sees("", "")):
        assert not sight.anything
        assert set(every_field()) <= sight.hidden


def test_a_view_that_no_table_knows_is_a_mistake_of_the_program() -> None:
    with pytest.raises(KeyError):
        sees("social_worker", "assigned").opens("everything")


def test_the_hidden_fields_of_a_type_are_named_in_its_order() -> None:
    sight = sees("job_coach", "provider")
    assert sight.hidden_of("coaching_ended") == ["note", "reason"]
    assert sight.hidden_of("header") == ["municipality", "birth_year"]
    assert sight.hidden_of("no_such_type") == []


# --- how the tables fit together ---


def test_an_emergency_sees_at_least_what_a_colleague_of_the_team_does() -> None:
    for role in set(ROLES) - {"team_leader"}:
        assert sees(role, "emergency").hidden <= sees(role, "team").hidden, role
        assert sees(role, "team").views <= sees(role, "emergency").views, role


def test_an_emergency_sees_no_more_than_being_assigned() -> None:
    for role in ROLES:
        assert sees(role, "assigned").hidden <= sees(role, "emergency").hidden, role
        assert sees(role, "emergency").views <= sees(role, "assigned").views, role


def test_whoever_records_something_when_assigned_sees_its_structured_fields() -> None:
    texts = (
        FREE_TEXT
        | {(type_, "note") for type_ in ENTRY_TYPES}
        | {("case_closed", "reason"), ("case_reopened", "reason")}
    )
    for role, type_ in product(ROLES, ENTRY_TYPES):
        if may_record(role, "assigned", type_):
            hidden = {pair for pair in sees(role, "assigned").hidden if pair[0] == type_}
            assert hidden <= texts, (role, type_, hidden)


def takers() -> list[tuple[str, str, str]]:
    return [
        (role, relation, trigger)
        for role, relation, trigger in product(ROLES, RELATIONS, TRIGGERS)
        if may_record(role, relation, TRIGGERS[trigger].entry_type)
    ]


def guards(trigger: str) -> list[Rule]:
    return [rule for rule in pack().editions[-1].rules if trigger in rule.guards]


def test_whoever_takes_a_guarded_step_sees_what_guards_it() -> None:
    guarded = [(role, relation, trigger) for role, relation, trigger in takers() if guards(trigger)]
    assert len(guarded) > 20
    for role, relation, trigger in guarded:
        hidden = withheld_rules(pack(), sees(role, relation), own_step=True)
        assert not [rule.id for rule in guards(trigger) if rule.id in hidden], (role, relation, trigger)


def test_a_sight_is_made_once() -> None:
    assert sees("job_coach", "provider") is sees("job_coach", "provider")
    assert isinstance(sees("nobody", "none"), Sight)
