"""A journal is read exactly, refused with the place of every mistake, and written back unchanged."""

import datetime
import json
import pickle
import re
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from rules.entries import DESCRIPTIONS
from rules.identity import contains_code
from rules.journal import (
    ENTRY_TYPES,
    Case,
    CoachingPeriod,
    JournalError,
    build_entry,
    case_from_data,
    case_to_data,
    dump_case,
    json_schema,
    load_case,
    new_entries,
    read_case,
)
from rules.reading import read_text, scalar
from tests.helpers import SEEDS, SIRPA, random_pair

CODE = "131052-308T"
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def case_of(*entries: dict[str, Any], **header: Any) -> dict[str, Any]:
    return {"case": {"id": "c", **header}, "entries": list(entries)}


def entry(kind: str, /, **fields: Any) -> dict[str, Any]:
    return {"date": "2022-09-05", "type": kind, **fields}


def problems_of(source: object) -> dict[str, str]:
    """place -> message of everything that is refused in a text or in data."""
    with pytest.raises(JournalError) as caught:
        load_case(source) if isinstance(source, (str, bytes)) else case_from_data(source)
    return {problem.place: str(problem) for problem in caught.value.problems}


def refusal_of(*entries: dict[str, Any], **header: Any) -> str:
    """The one message about a case that has one mistake."""
    (message,) = problems_of(case_of(*entries, **header)).values()
    return message


def read(kind: str, /, **fields: Any) -> Any:
    return case_from_data(case_of(entry(kind, **fields))).entries[0]


# ---- cases that any reader must take, made from the JSON Schema


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values a schema allows (dates within a few years, texts without surprises for the reader)."""
    if "$ref" in schema:
        return values(SCHEMA["$defs"][schema["$ref"].split("/")[-1]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([values(part) for part in schema["anyOf"]])
    if schema["type"] == "object" and "properties" not in schema:
        keys, answers = schema["propertyNames"], schema["additionalProperties"]
        return st.dictionaries(values(keys), values(answers), max_size=4)
    return {"object": objects, "array": arrays, "string": strings, "integer": numbers, "number": numbers}.get(
        schema["type"], lambda _: st.none()
    )(schema)


def objects(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    fields = {name: values(field) for name, field in schema["properties"].items() if name != "id"}
    required = {name: field for name, field in fields.items() if name in schema["required"]}
    optional = {name: field for name, field in fields.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional).filter(in_order)


def in_order(made: dict[str, Any]) -> bool:
    return not (made.get("start") and made.get("end")) or made["start"] <= made["end"]


def arrays(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.lists(values(schema["items"]), min_size=schema.get("minItems", 0), max_size=4, unique=True)


def numbers(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    make = st.integers if schema["type"] == "integer" else st.floats
    return make(schema["minimum"], schema["maximum"])


def strings(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if schema.get("format") == "date":
        return st.dates(datetime.date(2020, 1, 1), datetime.date(2026, 12, 31)).map(str)
    if "[Tt ]" in schema.get("pattern", ""):
        zones = st.sampled_from([None, *(datetime.timezone(datetime.timedelta(hours=h)) for h in (-5, 0, 3))])
        return st.datetimes(datetime.datetime(2020, 1, 1), datetime.datetime(2026, 1, 1), timezones=zones).map(str)
    if schema.get("maxLength") == 200:
        odd = st.sampled_from(
            ["yes", "No", "2022-09-05", "007", "1.5", "~", "null", "=", "<<", "a: b", "#", "- x", "e9x"]
        )
        return odd | st.text(st.characters(categories=["L", "P", "S", "Nd"]), min_size=1, max_size=20)
    return st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\n\r\t:#'\""), max_size=40
    ).map(lambda text: text if "\\S" not in schema.get("pattern", "") else f"x{text}")


TYPES = {kind: SCHEMA["$defs"][model.__name__] for kind, model in ENTRY_TYPES.items() if kind != "correction"}
documents = st.fixed_dictionaries(
    {
        "case": values(SCHEMA["$defs"]["CaseHeader"]).flatmap(lambda header: st.just({**header, "id": "c"})),
        "entries": st.lists(st.sampled_from(sorted(TYPES)).flatmap(lambda kind: objects(TYPES[kind])), max_size=4),
    }
)


@given(documents)
def test_what_the_schema_allows_is_read_and_written_back_in_both_formats(document: dict[str, Any]) -> None:
    assume(not contains_code(json.dumps(document)))
    VALIDATOR.validate(document)
    case = case_from_data(document)
    assert case_from_data(case_to_data(case)) == case
    assert case_from_data(json.loads(json.dumps(case_to_data(case)))) == case
    for written in (dump_case(case, "yaml"), dump_case(case, "json")):
        assert load_case(written) == case
        assert load_case(written.encode()) == case
        assert dump_case(load_case(written), "json") == dump_case(case, "json")
    VALIDATOR.validate(case_to_data(case))


@pytest.mark.parametrize("kind", ENTRY_TYPES)
def test_every_type_is_read_with_its_fields_alone_or_all(kind: str) -> None:
    definition = SCHEMA["$defs"][ENTRY_TYPES[kind].__name__]

    @given(objects(definition))
    def check(raw: dict[str, Any]) -> None:
        assume(not contains_code(json.dumps(raw)))
        raw = {**raw, "voids": "other"} if kind == "correction" else raw
        one = case_from_data(case_of(raw, entry("coaching_resumed", id="other"))).entries[0]
        assert type(one) is ENTRY_TYPES[kind]
        assert one.type == kind
        for name in type(one).model_fields:
            if raw.get(name) is None and name != "id":
                assert getattr(one, name) is None

    check()


# ---- what a case holds


def test_the_specification_example_is_read() -> None:
    case = load_case(SIRPA)
    assert (case.id, case.municipality, case.birth_year, case.language) == ("sirpa", "Orimattila", 1971, "fi")
    assert (case.not_recorded, case.complete_from) == ((), None)
    assert [one.id for one in case.entries] == ["e1", "e2", "e3", "e4", "e5"]
    first, _, asked, plan, started = case.entries
    assert first.wall_less == "yes"  # type: ignore[attr-defined]
    assert first.period_end == datetime.date(2022, 9, 30)  # type: ignore[attr-defined]
    assert asked.wants_to_work == "yes"  # type: ignore[attr-defined]
    assert plan.coaching == CoachingPeriod(  # type: ignore[attr-defined]
        start=datetime.date(2022, 9, 5), end=datetime.date(2022, 11, 30), alongside_activity="yes"
    )
    assert plan.work_trial is None  # type: ignore[attr-defined]
    assert plan.participants == ("client", "social_worker", "employment_coach")  # type: ignore[attr-defined]
    assert (started.by, started.recorded_at, started.note) == (None, None, None)


def test_a_case_may_have_no_entries() -> None:
    assert load_case("case: {id: a}\nentries: []").entries == ()


def test_yaml_json_and_what_other_yaml_readers_make_are_the_same_case() -> None:
    case = load_case(SIRPA)
    data = yaml.safe_load(SIRPA)
    assert case_from_data(data) == case
    assert load_case(json.dumps(data, default=str)) == case


def test_yes_and_no_are_read_from_words_and_booleans() -> None:
    for given_value, kept in ((True, "yes"), (False, "no"), ("yes", "yes"), ("no", "no"), ("unknown", "unknown")):
        assert read("activity_started", wall_less=given_value).wall_less == kept
    assert read("interest_asked", wants_to_work=False).wants_to_work == "no"
    assert read("interest_asked", wants_to_work="undecided").wants_to_work == "undecided"
    assert read("checklist_answered", answers={"chk-01": True, "chk-16": "partly"}).answers == {
        "chk-01": "yes",
        "chk-16": "partly",
    }


@pytest.mark.parametrize("value", [1, 0, "y", "Yes", "maybe", "", [], {}, 1.0, "partly"])
def test_anything_else_is_no_answer_to_a_yes_no_question(value: object) -> None:
    assert "expected yes, no or unknown" in refusal_of(entry("activity_started", wall_less=value)) or value == "Yes"


def test_a_time_without_an_offset_is_finnish_time() -> None:
    for given_time, kept in (
        ("2022-09-05T10:30", "2022-09-05T10:30:00+03:00"),
        ("2022-12-05 10:30:15", "2022-12-05T10:30:15+02:00"),
        ("2022-09-05T10:30Z", "2022-09-05T10:30:00+00:00"),
        ("2022-09-05T10:30:00.5-0500", "2022-09-05T10:30:00.500000-05:00"),
        ("2022-10-30T03:30", "2022-10-30T03:30:00+03:00"),
        (datetime.datetime(2022, 9, 5, 10, 30), "2022-09-05T10:30:00+03:00"),
    ):
        assert read("coaching_resumed", recorded_at=given_time).recorded_at.isoformat() == kept


@pytest.mark.parametrize(
    "time", ["2022-09-05", "10:30", "2022-09-05T25:00", "2022-09-05T10", "1850-01-01T10:00", 5, ""]
)
def test_other_times_are_refused(time: object) -> None:
    assert "expected a time" in refusal_of(entry("coaching_resumed", recorded_at=time))


@pytest.mark.parametrize(
    ("day", "hint"),
    [
        ("2022-9-5", "such as 2022-09-05"),
        ("5.9.2022", "such as 2022-09-05"),
        ("20220905", "such as 2022-09-05"),
        ("２０２２-09-05", "such as 2022-09-05"),
        ("2022-02-30", "no such day"),
        ("2022-09-05T10:00", "no time of day"),
        (datetime.datetime(2022, 9, 5), "no time of day"),
        ("1899-12-31", "1900–2200"),
        ("2201-01-01", "1900–2200"),
        (20220905, "such as 2022-09-05"),
        (True, "such as 2022-09-05"),
        (None, "such as 2022-09-05"),
    ],
)
def test_a_day_that_is_no_day_is_refused_with_help(day: object, hint: str) -> None:
    assert hint in refusal_of({"date": day, "type": "coaching_resumed"})


@pytest.mark.parametrize("days", [-1, 8, 2.5, True, "4", float("nan"), float("inf"), 10**400, [4]])
def test_days_in_a_week_are_whole_and_from_0_to_7(days: object) -> None:
    assert "expected a whole number, 0–7" in refusal_of(entry("activity_resumed", days_per_week=days))


def test_numbers_at_their_limits_are_read() -> None:
    assert [read("activity_resumed", days_per_week=days).days_per_week for days in (0, 7, 4.0)] == [0, 7, 4]
    assert [read("job_started", kind="reserved", hours_per_week=h).hours_per_week for h in (0, 37.5, 168)] == [
        0,
        37.5,
        168,
    ]
    contact = {"party": "client", "by": "job_coach", "form": "phone"}
    assert read("contact", **contact, minutes=0).minutes == 0
    assert "minutes" in refusal_of(entry("contact", **contact, minutes=-1))
    for hours in (168.1, -0.1, True, float("nan"), "37"):
        assert "hours" in refusal_of(entry("job_started", kind="reserved", hours_per_week=hours))
    for year in (1899, 2101, 71, True, "1971"):
        assert "birth_year" in refusal_of(birth_year=year)


@pytest.mark.parametrize(
    "name", ["", " ", "a ", "a\nb", "a\x00b", "a\u200bb", "a\u202eb", "x" * 201, 5, None, "\ud800"]
)
def test_ids_are_printable_text_of_a_sensible_length(name: object) -> None:
    assert "provider" in refusal_of(entry("coaching_started", provider=name))


def test_notes_may_be_long_and_have_lines_but_no_control_characters() -> None:
    assert read("coaching_resumed", note="a\n\tb\r\n" + "ä" * 9_000).note.startswith("a\n")
    assert "10,000" in refusal_of(entry("coaching_resumed", note="x" * 10_001))
    assert "control" in refusal_of(entry("coaching_resumed", note="a\x07"))
    assert "quotation marks" in refusal_of(entry("coaching_resumed", note=True))


def test_a_field_given_as_nothing_is_left_out() -> None:
    document = case_of(
        entry("activity_started", days_per_week=None, id=None, note=None), municipality=None, not_recorded=None
    )
    case = case_from_data(document)
    assert case == case_from_data(case_of(entry("activity_started")))
    VALIDATOR.validate(document)


def test_an_open_end_is_fine_and_an_end_before_the_start_is_refused() -> None:
    late, early = "2022-09-05", "2022-09-04"
    for raw, place in (
        (entry("service_decision", service="activity", decision="granted", start=late, end=early), "end"),
        (entry("statement_issued", measure="activity", start=late, end=early), "end"),
        (
            entry("activation_plan_updated", participants=["client"], coaching={"start": late, "end": early}),
            "coaching.end",
        ),
        (
            entry("activation_plan_updated", participants=["client"], work_trial={"start": late, "end": early}),
            "work_trial.end",
        ),
    ):
        assert list(problems_of(case_of(raw))) == [f"entries[0].{place}"]
    assert read("statement_issued", measure="activity", start=late, end=late).end == datetime.date(2022, 9, 5)
    assert read("statement_issued", measure="activity", start=late).end is None


def test_a_consent_or_plan_that_ran_out_before_its_entry_is_a_fact() -> None:
    assert read("consent_given", scope="basic", parties=["p"], expires_on="2020-01-01").expires_on.year == 2020
    assert read("activation_plan_updated", participants=["client"], valid_until="2020-01-01").valid_until.year == 2020


def test_a_case_does_not_change_and_can_get_other_entries() -> None:
    case = load_case(SIRPA)
    with pytest.raises(ValueError, match="frozen"):
        case.entries[0].note = "x"
    fewer = case.with_entries(case.entries[3:])
    assert [one.id for one in fewer.entries] == ["e4", "e5"]
    assert [one.id for one in load_case(dump_case(fewer)).entries] == ["e4", "e5"]
    assert len(case.entries) == 5
    assert len({hash(one) for one in case.entries}) == 5


def test_a_written_case_begins_each_entry_with_date_and_type() -> None:
    case = load_case(
        "case: {id: a}\nentries: [{note: x, by: client, wall_less: no, type: activity_started, date: 2022-09-05}]"
    )
    assert list(case_to_data(case)["entries"][0]) == ["date", "type", "id", "wall_less", "by", "note"]
    assert "- date: 2022-09-05\n  type: activity_started\n  id: e1\n  wall_less: no\n" in dump_case(case)


def test_texts_that_look_like_other_things_survive_other_yaml_readers() -> None:
    note = {
        "coaching_resumed": [
            "yes",
            "2022-09-05",
            "12",
            "1:30",
            "~",
            "0x1f",
            "1e5",
            "on",
            "null",
            "  a",
            "a\n\nb ",
            "\ufeff",
        ]
    }
    for text in note["coaching_resumed"]:
        case = case_from_data(case_of(entry("coaching_resumed", note=text)))
        assert case_from_data(yaml.safe_load(dump_case(case))) == case


# ---- what is refused, and how it is told


def test_all_mistakes_are_told_at_once_in_the_order_of_the_document_with_their_lines() -> None:
    text = SIRPA.replace("language", "langauge").replace("days_per_week: 4", "days_per_weak: 4")
    text = text.replace("wants_to_work: yes", "wants_to_work: perhaps").replace("provider: provider-1, ", "")
    text = text.replace("coaching_info_given", "coaching_info_gave").replace("social_worker", "socialworker")
    text = text.replace("alongside_activity", "along_activity") + "notes: x\n"
    with pytest.raises(JournalError) as caught:
        load_case(text, name="sirpa.yaml")
    assert str(caught.value).splitlines() == [
        "sirpa.yaml: 8 mistakes",
        "  case.langauge (line 1): unknown field; did you mean language?",
        "  entries[0].days_per_weak (line 3): unknown field; did you mean days_per_week?",
        '  entries[1].type (line 4): unknown type "coaching_info_gave"; '
        "did you mean coaching_info_given, coaching_declined or coaching_started?",
        '  entries[2].wants_to_work (line 5): "perhaps"; expected yes, no or undecided',
        '  entries[3].participants[1] (line 6): "socialworker"; did you mean social_worker?',
        "  entries[3].coaching.along_activity (line 7): unknown field; did you mean alongside_activity?",
        "  entries[4].provider (line 9): missing; expected the provider's id (opaque)",
        "  notes (line 10): unknown field; expected case and entries",
    ]


def test_json_has_lines_too() -> None:
    text = json.dumps(case_of(entry("coaching_resumed"), entry("coaching_ended", reson="moved")), indent=1)
    with pytest.raises(JournalError) as caught:
        load_case(text)
    lines = text.splitlines()
    missing, unknown = caught.value.problems
    assert (missing.place, missing.found) == ("entries[1].reason", "missing")
    assert (unknown.place, unknown.hint) == ("entries[1].reson", "did you mean reason?")
    assert "reson" in lines[(unknown.line or 0) - 1]


@pytest.mark.parametrize("kind", ENTRY_TYPES)
def test_every_field_without_a_question_mark_is_asked_for(kind: str) -> None:
    required = [name for name, field in ENTRY_TYPES[kind].model_fields.items() if field.is_required() and name != "id"]
    places = problems_of({"case": {"id": "c"}, "entries": [{"type": kind, "nope": 1}]})
    assert set(places) == {f"entries[0].{name}" for name in [*required, "nope"] if name != "type"}


def test_the_required_fields_are_those_of_the_specification() -> None:
    required = {
        kind: {name for name, field in model.model_fields.items() if field.is_required()} - {"date", "type", "id"}
        for kind, model in ENTRY_TYPES.items()
    }
    assert len(ENTRY_TYPES) == 49
    assert {kind: fields for kind, fields in required.items() if fields} == {
        "worker_assigned": {"role", "worker"},
        "worker_released": {"role", "worker"},
        "interest_asked": {"wants_to_work"},
        "initiative_taken": {"service"},
        "checklist_answered": {"answers"},
        "selection_agreed": {"participants"},
        "joint_meeting_held": {"participants"},
        "service_decision": {"service", "decision"},
        "activity_paused": {"reason"},
        "activity_ended": {"reason"},
        "consent_given": {"scope", "parties"},
        "consent_withdrawn": {"scope"},
        "activation_plan_updated": {"participants"},
        "plan_reviewed": {"participants"},
        "endorsement_recorded": {"purpose"},
        "endorsements_checked": {"purpose"},
        "statement_issued": {"measure", "start"},
        "statement_withdrawn": {"measure"},
        "coaching_started": {"provider"},
        "coaching_phase_reached": {"phase"},
        "coaching_interrupted": {"reason"},
        "coaching_ended": {"reason"},
        "coaching_declined": {"reason"},
        "work_trial_agreed": {"start"},
        "job_agreed": {"start"},
        "work_trial_started": {"arrangement"},
        "work_trial_extended": {"planned_end"},
        "work_trial_ended": {"outcome"},
        "job_started": {"kind"},
        "outcome_reached": {"outcome"},
        "social_worker_retention_decided": {"retained"},
        "contact": {"party", "by", "form"},
        "contact_wish_recorded": {"wish"},
        "economic_support_advised": {"purpose"},
        "follow_up_done": {"situation"},
        "advice_set_aside": {"rule", "reason"},
        "correction": {"voids"},
        "case_closed": {"reason"},
        "case_reopened": {"reason"},
    }


def test_every_choice_is_refused_when_misspelt_and_the_nearest_is_named() -> None:
    assert "did you mean open_market?" in refusal_of(entry("job_started", kind="Open market"))
    assert "did you mean face_to_face?" in refusal_of(
        entry("contact", party="client", by="job_coach", form="face-to-face")
    )
    assert "did you mean client_choice?" in refusal_of(entry("coaching_ended", reason="clients_choice"))
    assert "did you mean contact?" in refusal_of(not_recorded=["contct"])


def test_a_bare_on_is_told_to_be_date() -> None:
    assert (
        "the key is `date`"
        in problems_of("case: {id: a}\nentries: [{on: 2022-09-05, type: coaching_resumed}]")["entries[0].on"]
    )
    data = yaml.safe_load("case: {id: a}\nentries: [{on: 2022-09-05, type: coaching_resumed}]")
    assert "the key is `date`" in problems_of(data)["entries[0].True"]


@pytest.mark.parametrize("kind", [5, None, ["contact"], {"a": 1}, True, "", "Contact"])
def test_a_type_that_is_none_is_refused(kind: object) -> None:
    assert "expected" in refusal_of({"date": "2022-09-05", "type": kind}) or kind == "Contact"


def test_an_entry_of_an_unknown_type_is_still_looked_through() -> None:
    places = problems_of(case_of({"date": "5.9.2022", "type": "nope", "by": "coach", "id": ""}))
    assert set(places) == {"entries[0].date", "entries[0].type", "entries[0].by", "entries[0].id"}


def test_lists_are_not_empty_and_name_each_once() -> None:
    assert "at least one" in refusal_of(entry("plan_reviewed", participants=[]))
    assert "client is there twice" in refusal_of(entry("plan_reviewed", participants=["client", "job_coach", "client"]))
    assert "twice" in refusal_of(entry("consent_given", scope="basic", parties=["a", "a"]))
    assert "a list" in refusal_of(entry("plan_reviewed", participants="client"))
    assert "at least one" in refusal_of(entry("consent_withdrawn", scope="basic", parties=[]))


def test_the_checklist_has_sixteen_items() -> None:
    assert len(read("checklist_answered", answers={f"chk-{n:02}": "no" for n in range(1, 17)}).answers) == 16
    assert "unknown item" in refusal_of(entry("checklist_answered", answers={"chk-17": "no"}))
    assert "expected yes, partly, no or unknown" in refusal_of(
        entry("checklist_answered", answers={"chk-01": "perhaps"})
    )


@pytest.mark.parametrize(
    "document",
    [None, [], "x", 5, {}, {"case": {"id": "c"}}, {"entries": []}, {"case": None, "entries": None},
     {"case": [], "entries": {}}, {"case": {"id": "c", "entries": []}, "entries": []},
     {"case": {"id": "c"}, "entries": ["x", None, 5, []]}],
)  # fmt: skip
def test_another_shape_is_refused(document: object) -> None:
    assert problems_of(document)
    assert not VALIDATOR.is_valid(document)


# ---- ids and corrections


def test_ids_are_unique() -> None:
    message = refusal_of(
        entry("coaching_resumed", id="a"), entry("coaching_resumed"), entry("coaching_resumed", id="a")
    )
    assert message.startswith("entries[2].id: the id of entries[0] a second time")


def test_a_given_id_must_not_be_one_that_position_gives() -> None:
    message = refusal_of(entry("coaching_resumed", id="e2"), entry("coaching_resumed"))
    assert message.startswith('entries[0].id: "e2"')
    assert "entries[1] has no id of its own" in message
    case_from_data(case_of(entry("coaching_resumed", id="e2"), entry("coaching_resumed", id="e1")))
    case_from_data(case_of(entry("coaching_resumed", id="e1"), entry("coaching_resumed")))


def test_a_correction_voids_another_entry_before_or_after_it() -> None:
    case = case_from_data(
        case_of(entry("correction", voids="e2"), entry("coaching_resumed"), entry("correction", voids="e1"))
    )
    assert case.entries[2].voids == "e1"  # type: ignore[attr-defined]


def test_a_correction_of_nothing_of_itself_or_in_a_circle_is_refused() -> None:
    assert "unknown id" in refusal_of(entry("correction", voids="e9"))
    assert "did you mean entry-1?" in refusal_of(
        entry("coaching_resumed", id="entry-1"), entry("correction", voids="entry1")
    )
    assert "its own id" in refusal_of(entry("correction", voids="e1"))
    for size in (2, 3, 5):
        circle = [entry("correction", voids=f"e{(at + 1) % size + 1}") for at in range(size)]
        lead_in = entry("correction", voids="e1")
        assert "circle" in refusal_of(*circle, lead_in)
    circles = [entry("correction", voids=target) for target in ("e2", "e1", "e4", "e3")]
    assert list(problems_of(case_of(*circles))) == ["entries[0].voids", "entries[2].voids"]


def test_a_correction_of_an_entry_with_another_mistake_is_no_mistake() -> None:
    places = problems_of(case_of(entry("coaching_ended", id="x"), entry("correction", voids="x")))
    assert list(places) == ["entries[0].reason"]


# ---- identity codes

FORMS = [
    CODE,
    CODE.lower(),
    "131052–308t",
    "1 3 1 0 5 2 - 3 0 8 T",
    "１３１０５２－３０８Ｔ",
    "13\u200b1052-308T",
    "131052-308X",
]


@pytest.mark.parametrize("code", FORMS)
@pytest.mark.parametrize(
    "put",
    [
        lambda code: case_of(id=code),
        lambda code: {**case_of(), code: 1},
        lambda code: {**case_of(), "x": {"y": [[code]]}},
        lambda code: case_of(municipality=f"Lahti {code}"),
        lambda code: case_of(**{code: 1}),
        lambda code: case_of(entry("coaching_resumed", note=f"Soitettu ({code}) illalla.\nEi vastausta.")),
        lambda code: case_of(entry("coaching_resumed", id=code)),
        lambda code: case_of(entry("coaching_resumed", **{code: {code: [code]}})),
        lambda code: case_of({"date": code, "type": code}),
        lambda code: case_of(entry("correction", voids=code)),
        lambda code: case_of(entry("coaching_resumed", recorded_at=code, by=code)),
        lambda code: case_of(entry("consent_given", scope="basic", parties=[code, code])),
        lambda code: case_of(entry("checklist_answered", answers={code: "yes"})),
        lambda code: case_of(entry("activation_plan_updated", participants=[code], coaching={"start": code, code: 1})),
        lambda code: case_of(not_recorded=[code]),
        lambda code: [code],
        lambda code: code,
    ],
)
def test_an_identity_code_anywhere_is_refused_and_never_repeated(put: Any, code: str) -> None:
    document = put(code)
    for source in (document, json.dumps(document), yaml.safe_dump(document, allow_unicode=True)):
        with pytest.raises(JournalError) as caught:
            load_case(source, name=f"{code}.yaml") if isinstance(source, str) else case_from_data(source, name=code)
        error = caught.value
        assert any(problem.found == "a personal identity code" for problem in error.problems)
        told = f"{error} {error!r} {error.args} {error.__context__!r} {error.__cause__!r}"
        for telling in (code, "131052", "308", "１３１"):
            assert telling not in told
        assert not contains_code(told)


def test_an_identity_code_in_a_comment_is_refused_with_its_line() -> None:
    with pytest.raises(JournalError) as caught:
        load_case(SIRPA + f"# asiakas {CODE}\n")
    assert [(problem.place, problem.line) for problem in caught.value.problems] == [("document", 10)]


def test_an_identity_code_in_a_proposed_step_is_refused() -> None:
    with pytest.raises(JournalError, match="a personal identity code") as caught:
        build_entry("coaching_resumed", "2022-09-05", "p", note=CODE)
    assert CODE not in str(caught.value)


# ---- texts that are no case

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
near_values = json_values | st.sampled_from(
    ["yes", "2022-09-05", "client", ["client"], {"start": "2022-09-05"}, "e1", "job_coach"]
)
names = st.sampled_from(sorted(DESCRIPTIONS)) | st.text(max_size=5)
near_entries = st.dictionaries(names, near_values, max_size=6).flatmap(
    lambda raw: st.sampled_from(sorted(ENTRY_TYPES)).map(lambda kind: {**raw, "date": "2022-09-05", "type": kind})
)
near_cases = st.fixed_dictionaries(
    {
        "case": st.dictionaries(names, near_values, max_size=4) | json_values,
        "entries": st.lists(near_entries | json_values, max_size=4),
    }
)


def is_read_or_refused(source: object) -> Case | None:
    try:
        return load_case(source) if isinstance(source, (str, bytes)) else case_from_data(source)
    except JournalError as error:
        told = error
    assert told.problems
    assert told.__context__ is None
    assert str(told)
    return None


@given(json_values | near_cases)
def test_any_json_value_is_a_case_or_a_journal_error(value: object) -> None:
    for form in (value, json.dumps(value), yaml.safe_dump(json.loads(json.dumps(value)))):
        case = is_read_or_refused(form)
        if case is not None:
            assert VALIDATOR.is_valid(json.loads(json.dumps(value)))


yaml_bits = st.sampled_from(
    ["case", "entries", ":", " ", "\n", "- ", "  ", "{", "}", "[", "]", ",", '"', "'", "&a", "*a", "!t", "!!str", "---",
     "...", "|", ">", "?", "#", "%", "@", "`", "\t", "\r", "\x00", "\ud800", "\ufeff", "\u2028", "\x85", "<<", "yes",
     "2022-09-05", "id", "date", "type", "contact", "~", "\\ud800", "\\x41", "\\", "é", "😀"]
)  # fmt: skip


@given(st.lists(yaml_bits, max_size=40).map("".join) | st.text() | st.binary())
def test_any_text_is_a_case_or_a_journal_error(text: str | bytes) -> None:
    is_read_or_refused(text)


@given(st.integers(0, len(SIRPA)), st.integers(0, 30), st.lists(yaml_bits, max_size=3).map("".join))
def test_a_damaged_case_is_a_case_or_a_journal_error(start: int, length: int, put: str) -> None:
    damaged = SIRPA[:start] + put + SIRPA[start + length :]
    is_read_or_refused(damaged)
    is_read_or_refused(json.dumps(yaml.safe_load(SIRPA), default=str, indent=1)[start:][:500])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "nothing"),
        ("# only a comment", "nothing"),
        ("- a", "a list"),
        ("a: &x 1\nb: *x", "an anchor"),
        ("a: *x", "an alias"),
        ("case: !!python/object/apply:os.system [ls]", "a tag"),
        ("case: !!str x", "a tag"),
        ("case: {id: a}\nentries: []\n---\ncase: {id: b}", "a second document"),
        ("case: {id: a}\n\tentries: []", "tabs"),
        ("case: {id: a\x00}", "control characters"),
        (b"case: {id: \xff}", "UTF-8"),
        ("case: {id: '\ud800'}", "Unicode"),
        ('{"case": {"id": "a"}, "entries": [}', "no JSON"),
        ("[" * 100_000, "too deep"),
        ('{"a":' * 100_000, "too deep"),
        ("a: " + "[" * 100_000, "too deep"),
        ("- " * 100_000, "too deep"),
        ("? " * 100_000, "as a key"),
        ("? {a: b}\n: c", "as a key"),
        ("x" * 5_000_001, "5,000,001 bytes"),
        (b" " * 5_000_001, "5,000,001 bytes"),
    ],
)
def test_hostile_texts_are_refused(text: str | bytes, told: str) -> None:
    assert any(told in message for message in problems_of(text).values())


def test_hostile_data_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    deep: Any = 1
    for _ in range(100_000):
        deep = {"a": deep}
    wide: Any = 1
    for _ in range(15):
        wide = [wide] * 10
    for value, told in (
        (endless, "too deep"),
        (deep, "too deep"),
        (wide, "too many"),
        (case_of({1: 2, None: 3}), "not text"),
    ):
        assert any(told in message for message in problems_of(value).values())


def test_a_key_may_stand_only_once() -> None:
    yaml_text = "case: {id: a}\nentries:\n- date: 2022-09-05\n  type: coaching_resumed\n  date: 2022-09-06\n"
    assert problems_of(yaml_text)["entries[0].date"].startswith("entries[0].date (line 5): the same key a second time")
    json_text = (
        '{"case": {"id": "a"},\n"entries": [{"date": "2022-09-05", "type": "coaching_resumed",\n"type": "contact"}]}'
    )
    assert problems_of(json_text)["entries[0].type"].startswith("entries[0].type (line 3): the same key a second time")


def test_not_a_number_is_no_number() -> None:
    assert "birth_year" in "".join(problems_of('{"case": {"id": "a", "birth_year": NaN}, "entries": []}'))
    assert "birth_year" in "".join(
        problems_of('{"case": {"id": "a", "birth_year": 1' + "0" * 5_000 + '}, "entries": []}')
    )


def test_values_are_read_as_people_mean_them() -> None:
    assert [scalar(text) for text in ("yes", "Off", "4", "-1", "37.5", "~", "")] == [
        True,
        False,
        4,
        -1,
        37.5,
        None,
        None,
    ]
    for text in ("2022-09-05", "007", "1:30", "1_000", "0x1f", "1e5", ".5", "NaN", ".inf", "9" * 30, "٣"):
        assert scalar(text) == text
    assert load_case("case: {id: 007, municipality: '5'}\nentries: []").id == "007"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "sirpa.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + SIRPA.encode())
    assert read_case(file) == load_case(SIRPA)


def test_a_file_is_named_in_its_error(tmp_path: Path) -> None:
    file = tmp_path / "virhe.yaml"
    file.write_text("case: {}\nentries: []\n")
    with pytest.raises(JournalError, match=re.escape("virhe.yaml: 1 mistake")) as caught:
        read_case(file)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_document_of_nothing_but_mistakes_is_told_to_a_limit() -> None:
    with pytest.raises(JournalError) as caught:
        case_from_data(case_of(*({"date": "2022-09-05", "type": f"contact{n}"} for n in range(3_000))))
    assert len(caught.value.problems) == 1_001
    assert caught.value.problems[-1].found == "2,000 more mistakes"


# ---- proposed steps


def test_a_proposed_step_may_lack_what_is_not_known_yet() -> None:
    step = build_entry(
        "work_trial_started", "2022-10-01", "step", arrangement="alongside_activity", record_extract_needed=True
    )
    assert isinstance(step, ENTRY_TYPES["work_trial_started"])
    assert (step.arrangement, step.record_extract_needed, step.planned_end) == ("alongside_activity", "yes", None)  # type: ignore[attr-defined]
    contact = build_entry("contact", datetime.date(2022, 10, 1), "step")
    assert (contact.type, contact.date, contact.by, contact.party) == (
        "contact",
        datetime.date(2022, 10, 1),
        None,
        None,
    )  # type: ignore[attr-defined]
    assert build_entry("consent_given", "2022-10-01", "s", parties=["a"]).parties == ("a",)  # type: ignore[attr-defined]
    for kind in ENTRY_TYPES:
        assert build_entry(kind, "2022-10-01", "s").type == kind


def test_a_proposed_step_with_unknown_names_or_values_is_refused() -> None:
    for make, told in (
        (lambda: build_entry("work_trial_start", "2022-10-01", "s"), "did you mean work_trial_started"),
        (lambda: build_entry("work_trial_started", "2022-10-01", "s", arangement="x"), "did you mean arrangement?"),
        (lambda: build_entry("work_trial_started", "2022-10-01", "s", arrangement="activity_pause"), "activity_paused"),
        (lambda: build_entry("work_trial_started", "1.10.2022", "s"), "expected a date"),
        (lambda: build_entry("work_trial_started", "2022-10-01", ""), "expected text"),
        (
            lambda: build_entry("statement_issued", "2022-10-01", "s", start="2022-10-02", end="2022-10-01"),
            "not before",
        ),
    ):
        with pytest.raises(JournalError, match=re.escape(told)):
            make()


# ---- schema


def test_the_schema_is_a_schema_and_takes_the_specification_example() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(read_text(SIRPA).data)
    VALIDATOR.validate(case_to_data(load_case(SIRPA)))
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA == json_schema()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("days_per_week", "days_per_weak"),
        ("coaching_info_given", "coaching_info"),
        ("wants_to_work: yes", "wants_to_work: perhaps"),
        ("provider: provider-1, ", ""),
        ("date: 2020-10-01", "date: 1.10.2020"),
        ("alongside_activity", "along"),
        ("[client, social_worker, employment_coach]", "[]"),
        ("days_per_week: 4", "days_per_week: 8"),
        ("municipality", "kunta"),
        ("entries:", "notes: 1\nentries:"),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(old: str, new: str) -> None:
    text = SIRPA.replace(old, new)
    assert text != SIRPA
    assert problems_of(text)
    assert not VALIDATOR.is_valid(read_text(text).data)


def test_the_schema_explains_every_type_and_field() -> None:
    used = {name for definition in SCHEMA["$defs"].values() for name in definition["properties"]}
    assert used == set(DESCRIPTIONS)
    for kind, model in ENTRY_TYPES.items():
        definition = SCHEMA["$defs"][model.__name__]
        assert definition["description"] == model.__doc__
        assert definition["properties"]["type"]["const"] == kind == get_args(model.model_fields["type"].annotation)[0]
        assert definition["additionalProperties"] is False
        assert {"date", "type"} <= set(definition["required"])
        assert all(field["description"] for field in definition["properties"].values())


# --- entries to stand after others ---


def kept() -> Case:
    """Two entries, one of which has the name a third would have by position."""
    entries = [
        {"date": "2024-01-01", "type": "need_assessed"},
        {"date": "2024-01-02", "type": "need_assessed", "id": "e3"},
    ]
    return case_from_data({"case": {"id": "c"}, "entries": entries})


NEED = {"date": "2024-02-01", "type": "need_assessed"}


def test_new_entries_are_named_by_their_position_or_the_next_free_number() -> None:
    assert [entry.id for entry in new_entries(kept(), [NEED, NEED, {**NEED, "id": "e6"}, NEED])] == [
        "e4",
        "e5",
        "e6",
        "e7",
    ]
    assert new_entries(kept(), []) == ()


def test_new_entries_tell_mistakes_with_places_of_their_own_list() -> None:
    bad = [
        NEED,
        {**NEED, "id": "e1"},
        {"date": "2024-02-01", "type": "correction", "voids": "e3"},
        {"date": "2024-02-01", "type": "correction", "voids": "e30"},
        {**NEED, "dat": 1},
    ]
    with pytest.raises(JournalError) as refused:
        new_entries(kept(), bad)
    assert [(problem.place, problem.found) for problem in refused.value.problems] == [
        ("entries[1].id", "the id of an earlier entry"),
        ("entries[3].voids", 'unknown id "e30"'),
        ("entries[4].dat", "unknown field"),
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_else_is_given_as_new_entries_is_refused_with_its_places(data: Any) -> None:
    if data == []:
        assert new_entries(kept(), data) == ()
        return
    with pytest.raises(JournalError) as refused:
        new_entries(kept(), data)
    assert all(problem.place.startswith("entries") for problem in refused.value.problems)


@given(SEEDS)
def test_a_journal_grown_list_by_list_is_the_journal(seed: int) -> None:
    case, _, rng = random_pair(seed)
    data = case_to_data(case)
    grown = case_from_data({"case": data["case"], "entries": []})
    rest = [item for item in data["entries"] if item["type"] != "correction"]
    while rest:
        size = rng.randrange(1, 5)
        grown = grown.with_entries((*grown.entries, *new_entries(grown, rest[:size])))
        rest = rest[size:]
    assert case_to_data(grown)["entries"] == [item for item in data["entries"] if item["type"] != "correction"]
