"""The tables of access: what is not whole and clear is refused, and the error says where."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

import service.access.tables as tables
from rules.entries import ENTRY_TYPES
from service.access.tables import TableError, read_recording, read_seeing, recording_table, seeing_table

HERE = Path(tables.__file__).parent


def recording() -> Any:
    return yaml.safe_load((HERE / "recording.yaml").read_text(encoding="utf-8"))


def seeing() -> Any:
    return yaml.safe_load((HERE / "seeing.yaml").read_text(encoding="utf-8"))


def class_of(data: Any, name: str) -> Any:
    return next(item for item in data["classes"] if item["class"] == name)


def view_of(data: Any, name: str) -> Any:
    return next(item for item in data["views"] if item["view"] == name)


def mistakes_in_recording(data: Any) -> str:
    with pytest.raises(TableError) as refused:
        read_recording(data if isinstance(data, str) else yaml.safe_dump(data))
    return str(refused.value)


def mistakes_in_seeing(data: Any) -> str:
    with pytest.raises(TableError) as refused:
        read_seeing(data if isinstance(data, str) else yaml.safe_dump(data))
    return str(refused.value)


def test_the_tables_are_whole() -> None:
    assert set(recording_table().types) == set(ENTRY_TYPES)
    assert read_recording(yaml.safe_dump(recording(), sort_keys=False)) == recording_table()
    assert read_seeing(yaml.safe_dump(seeing(), sort_keys=False)) == seeing_table()


# --- recording ---


def test_an_unknown_entry_type_is_refused_with_the_nearest_known() -> None:
    data = recording()
    data["groups"][0]["types"]["worker_assinged"] = ["social_worker"]
    assert "unknown entry type 'worker_assinged'; did you mean worker_assigned?" in mistakes_in_recording(data)


def test_a_missing_entry_type_is_named() -> None:
    data = recording()
    del data["groups"][0]["types"]["worker_released"]
    assert mistakes_in_recording(data) == "groups: entry type worker_released is missing"


def test_an_entry_type_in_two_groups_is_refused() -> None:
    data = recording()
    data["groups"][1]["types"]["worker_released"] = ["social_worker"]
    assert mistakes_in_recording(data) == "groups: entry type worker_released is there twice"


def test_a_key_written_twice_is_refused() -> None:
    text = (HERE / "recording.yaml").read_text(encoding="utf-8")
    line = "      need_assessed: [social_worker, employment_coach, work_ability_team]\n"
    assert line in text
    assert "need_assessed" in mistakes_in_recording(text.replace(line, line + line))


def test_an_unknown_role_or_one_written_twice_is_refused() -> None:
    data = recording()
    data["groups"][0]["types"]["worker_released"] = ["social_worker", "social_worker", "job_couch"]
    told = mistakes_in_recording(data)
    assert "groups[0].types.worker_released: social_worker is there twice" in told
    assert "unknown role 'job_couch'; did you mean job_coach?" in told


def test_an_unknown_relation_or_one_written_twice_is_refused() -> None:
    data = recording()
    data["records_in"]["social_worker"] = ["assigned", "assigned", "teem"]
    told = mistakes_in_recording(data)
    assert "records_in.social_worker: assigned is there twice" in told
    assert "unknown relation 'teem'; did you mean team?" in told


def test_a_role_left_out_of_records_in_is_named() -> None:
    data = recording()
    del data["records_in"]["auditor"]
    assert mistakes_in_recording(data) == "records_in: role auditor is missing"


def test_a_role_may_not_record_a_type_where_it_records_nothing() -> None:
    data = recording()
    data["groups"][0]["types"]["worker_released"] = ["auditor", {"job_coach": ["none"]}, {"team_leader": []}]
    told = mistakes_in_recording(data)
    assert "auditor is named, but in no relation" in told
    assert "job_coach records in assigned, team, provider, emergency alone, by records_in" in told
    assert "team_leader is named, but in no relation" in told


def test_what_a_voided_entry_brings_back_must_be_known() -> None:
    data = recording()
    data["brings_back"] = {"consent_withdrew": "consent_given", "worker_released": "worker_asigned"}
    told = mistakes_in_recording(data)
    assert "did you mean consent_withdrawn?" in told
    assert "did you mean worker_assigned?" in told


def test_acts_are_known_and_none_is_missing() -> None:
    data = recording()
    data["acts"]["delete_case"] = data["acts"].pop("restrict")
    told = mistakes_in_recording(data)
    assert "unknown act 'delete_case'" in told
    assert "act restrict is missing" in told


def test_every_group_says_why() -> None:
    data = recording()
    data["groups"][2]["why"] = " "
    del data["groups"][3]["why"]
    data["groups"][3]["because"] = "so"
    told = mistakes_in_recording(data)
    assert "groups[2]: why says nothing" in told
    assert "groups[3]: why is missing" in told
    assert "groups[3]: unknown key 'because'" in told


@pytest.mark.parametrize("text", ["", "[]", "records_in: 3", "groups: [", "a: &x 1\nb: *x", "groups: [1, 2]"])
def test_what_is_no_table_is_refused_without_a_traceback(text: str) -> None:
    assert mistakes_in_recording(text)
    assert mistakes_in_seeing(text)


# --- seeing ---


def test_an_unknown_type_or_field_is_refused_with_the_nearest_known() -> None:
    data = seeing()
    fields = class_of(data, "work")["fields"]
    fields["job_starts"] = ["happened"]
    fields["job_ended"] = ["happened", "known_in", "known_on", "employer"]
    told = mistakes_in_seeing(data)
    assert "class work: unknown entry type 'job_starts'; did you mean job_started?" in told
    assert "class work: job_ended: unknown field 'known_in'; did you mean known_on?" in told


def test_a_field_in_no_class_is_named() -> None:
    data = seeing()
    class_of(data, "coaching_reasons")["fields"]["coaching_ended"] = []
    class_of(data, "background")["fields"]["header"] = ["municipality"]
    told = mistakes_in_seeing(data)
    assert "coaching_ended.reason stands in no class" in told
    assert "header.birth_year stands in no class" in told


def test_a_type_in_no_class_is_named_with_every_field() -> None:
    data = seeing()
    del class_of(data, "consents")["fields"]["consent_withdrawn"]
    told = mistakes_in_seeing(data)
    for name in ("happened", "scope", "parties"):
        assert f"consent_withdrawn.{name} stands in no class" in told


def test_a_field_in_two_classes_or_twice_in_one_is_refused() -> None:
    data = seeing()
    class_of(data, "coaching")["fields"]["coaching_ended"] = ["happened", "reason"]
    class_of(data, "consents")["fields"]["consent_withdrawn"] = ["happened", "scope", "parties", "scope"]
    told = mistakes_in_seeing(data)
    assert "coaching_ended.reason stands in class coaching already" in told
    assert "consent_withdrawn.scope stands in class consents already" in told


def test_every_class_and_view_names_every_role() -> None:
    data = seeing()
    del class_of(data, "checklist")["seen_by"]["auditor"]
    view_of(data, "copy")["seen_by"]["director"] = ["assigned"]
    told = mistakes_in_seeing(data)
    assert "role auditor is missing" in told
    assert "unknown role 'director'" in told


def test_a_view_unknown_missing_or_written_twice_is_refused() -> None:
    data = seeing()
    view_of(data, "copy")["view"] = "copies"
    data["views"].append(copy.deepcopy(view_of(data, "reads")))
    told = mistakes_in_seeing(data)
    assert "unknown view 'copies'; did you mean copy?" in told
    assert "view copy is missing" in told
    assert "view reads is there twice" in told


def test_two_classes_of_one_name_are_refused() -> None:
    data = seeing()
    class_of(data, "goals")["class"] = "plans"
    assert "class 'plans' is there twice" in mistakes_in_seeing(data)


# --- sights that would tell what they hide ---


def test_a_field_is_not_seen_without_its_entry() -> None:
    data = seeing()
    class_of(data, "coaching")["seen_by"]["job_coach"] = ["team", "provider", "emergency"]
    assert "job_coach, assigned: sees coaching_ended.reason, but not that there is such an entry" in mistakes_in_seeing(
        data
    )


def test_an_assessment_is_not_seen_without_the_frame_it_rests_on() -> None:
    data = seeing()
    class_of(data, "basics")["seen_by"]["auditor"] = []
    told = mistakes_in_seeing(data)
    assert "auditor, none: sees a journal or what follows from it, but not" in told
    assert "correction.voids" in told


def test_the_talk_sheet_is_not_seen_without_the_answers() -> None:
    data = seeing()
    view_of(data, "readiness")["seen_by"]["job_coach"] = ["provider"]
    assert "job_coach, provider: sees the talk sheet, but not the answers it is made of" in mistakes_in_seeing(data)


def test_decisions_are_not_seen_where_entries_are_hidden() -> None:
    data = seeing()
    view_of(data, "decision_records")["seen_by"]["activity_instructor"] = ["assigned"]
    assert "but not that there are entries: endorsement_recorded.happened" in mistakes_in_seeing(data)


def test_a_copy_of_everything_is_given_by_someone_who_sees_everything() -> None:
    data = seeing()
    view_of(data, "copy")["seen_by"]["employment_coach"] = ["assigned"]
    told = mistakes_in_seeing(data)
    assert "employment_coach, assigned: gives a copy of everything, but does not see" in told
    assert "checklist_answered.answers" in told


def test_fields_without_any_view_are_a_slip() -> None:
    data = seeing()
    class_of(data, "workers")["seen_by"]["administrator"] = ["none"]
    told = mistakes_in_seeing(data)
    assert "administrator, none: sees fields, but no view is open" in told
