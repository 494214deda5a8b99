"""Forms are made from the models: what they ask, the entries they come to, and their mistakes in words."""

from __future__ import annotations

import datetime
from typing import Any, Literal

import pytest

from rules.entries import ENTRY_TYPES, Date, Entry, Name, Text
from rules.journal import JournalError, case_from_data, new_entries
from service.web.bundles import bundles, themes
from service.web.fields import BY_ANYONE, NEVER_ASKED, UnknownField, field_of, fields_of
from service.web.forms import Form, form_of, mistakes_of, texts_of
from service.web.typed import Typed
from service.web.widgets import Drawing
from service.words import Lang, Words, pages_catalogue
from statemachines import STATES
from tests.service.web.filling import typed_for, valid

LANGUAGES: tuple[Lang, ...] = ("fi", "sv", "en")
#: A journal with one entry, for a correction to name.
JOURNAL = case_from_data(
    {"case": {"id": "c"}, "entries": [{"id": "place-1", "date": "2026-01-01", "type": "coaching_resumed"}]}
)


@pytest.mark.parametrize("entry_type", ENTRY_TYPES)
def test_every_field_of_every_model_is_asked_or_set_by_the_service(entry_type: str) -> None:
    asked = {one.name for one in fields_of(entry_type)}
    never = NEVER_ASKED if entry_type in BY_ANYONE else NEVER_ASKED | {"by"}
    assert asked == set(ENTRY_TYPES[entry_type].model_fields) - never
    assert fields_of(entry_type)[0].name == "date"
    assert fields_of(entry_type)[-1].name == "note"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "boolean"},
        {"type": "string"},
        {"type": "integer"},
        {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 1}},
        {"type": "object"},
        {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    ],
)  # fmt: skip
def test_a_field_that_no_form_can_ask_for_is_an_error(schema: dict[str, Any]) -> None:
    with pytest.raises(UnknownField, match="new"):
        field_of(schema, {}, ("new",))


def test_a_new_model_has_its_form_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Planted(Entry):
        type: Literal["planted"]
        who: Name
        until: Date | None = None
        words: Text | None = None

    monkeypatch.setitem(ENTRY_TYPES, "planted", Planted)
    kinds = [(one.name, one.kind, one.required) for one in fields_of("planted")]
    fields_of.cache_clear()
    assert kinds == [
        ("date", "date", True), ("who", "line", True), ("until", "date", False), ("words", "text", False),
        ("note", "text", False),
    ]  # fmt: skip


@pytest.mark.parametrize("entry_type", ENTRY_TYPES)
def test_what_is_typed_comes_to_the_entry(entry_type: str) -> None:
    form, entry = form_of(entry_type), valid(entry_type)
    typed = Typed().but(typed_for(form.main, entry))
    assert form.entries(typed) == [entry]
    # Who records is filled in by the recorder.
    (made,) = new_entries(JOURNAL, [{**form.entries(typed)[0], "by": "job_coach"}])
    assert made.type == entry_type


@pytest.mark.parametrize("entry_type", ENTRY_TYPES)
def test_what_is_left_empty_is_left_out(entry_type: str) -> None:
    form = form_of(entry_type)
    empty = Typed((name, "  ") for name in form.names())
    assert form.entries(empty) == [{"type": entry_type}]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("entry_type", ENTRY_TYPES)
def test_every_field_and_value_has_words(entry_type: str, lang: Lang) -> None:
    drawing = Drawing(form_of(entry_type), Typed(), Words(lang))
    (section,) = drawing.sections
    assert section.title
    for widget in section.widgets:
        assert widget.label[0].isupper() or not widget.label[0].isalpha(), widget.label
        assert all(choice.label for choice in widget.choices)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2026-11-02", "2026-11-02"), ("2.11.2026", "2026-11-02"), (" 2. 11. 2026 ", "2026-11-02"),
        ("02.11.2026", "2026-11-02"), ("31.2.2026", "2026-02-31"), ("huomenna", "huomenna"),
    ],
)  # fmt: skip
def test_a_day_may_be_written_the_finnish_way(typed: str, read: str) -> None:
    form = form_of("coaching_resumed")
    assert form.entries(Typed([("e0.date", typed)]))[0]["date"] == read


@pytest.mark.parametrize(("typed", "read"), [("37,5", 37.5), ("37.5", 37.5), ("37", 37), ("37,0", 37), ("x", "x")])
def test_a_number_may_have_a_comma(typed: str, read: object) -> None:
    assert form_of("job_started").entries(Typed([("e0.hours_per_week", typed)]))[0]["hours_per_week"] == read


def test_spaces_of_every_kind_are_one_space_in_a_name() -> None:
    typed = Typed([("e0.employer", " Leipomo\u00a0 Oy\t")])
    assert form_of("job_started").entries(typed)[0]["employer"] == "Leipomo Oy"


def test_today_is_filled_in() -> None:
    today = datetime.date(2026, 11, 20)
    assert form_of("contact").untouched(today).one("e0.date") == "2026-11-20"
    for bundle in bundles().values():
        form = Form(bundle.id, tuple(member.part for member in bundle.members), bundle.shared)
        assert form.untouched(today).one("all.date") == "2026-11-20"


# --- mistakes ---

LONG = "x" * 10_001
MISTAKES: list[tuple[str, str, Any, str]] = [
    ("contact", "date", "", "missing_date"),
    ("contact", "date", "eilen", "not_a_date"),
    ("contact", "date", "2026-11-02T10:30", "not_a_date"),
    ("contact", "date", "31.2.2026", "no_such_day"),
    ("contact", "date", "2026-13-01", "no_such_day"),
    ("contact", "date", "1899-12-31", "too_early"),
    ("contact", "date", "2201-01-01", "too_late"),
    ("contact", "party", "", "missing_choice"),
    ("contact", "party", "neighbour", "unknown_choice"),
    ("contact", "minutes", "tunti", "not_whole"),
    ("contact", "minutes", "7,5", "not_whole"),
    ("contact", "minutes", "٤", "not_whole"),
    ("contact", "minutes", "-1", "out_of_range"),
    ("contact", "minutes", "100001", "out_of_range"),
    ("contact", "note", LONG, "too_long"),
    ("contact", "note", "a\x00b", "control"),
    ("contact", "note", "131052-308T", "code"),
    ("contact", "employer", "x" * 201, "too_long"),
    ("contact", "employer", "a\u202eb", "control"),
    ("contact", "employer", "131052-308T", "code"),
    ("job_started", "hours_per_week", "paljon", "not_a_number"),
    ("job_started", "hours_per_week", "168,5", "out_of_range"),
    ("statement_issued", "end", "2026-11-01", "end_before_start"),
    ("service_decision", "end", "2026-11-01", "end_before_start"),
    ("activation_plan_updated", "participants", [], "missing_many"),
    ("activation_plan_updated", "participants", ["client", "neighbour"], "unknown_choice"),
    ("activation_plan_updated", "coaching.start", "", "missing_date"),
    ("activation_plan_updated", "coaching.end", "2026-11-01", "end_before_start"),
    ("activation_plan_updated", "coaching.alongside_activity", "maybe", "unknown_choice"),
    ("checklist_answered", "answers.chk-05", "perhaps", "unknown_choice"),
    ("consent_given", "parties", [], "missing"),
    ("consent_given", "parties", ["county-1", "county-1 "], "twice"),
    ("consent_given", "parties", ["county-1", "x" * 201], "too_long"),
    ("consent_given", "parties", ["county-1", "a\u200bb"], "control"),
    ("worker_assigned", "worker", "", "missing"),
    ("advice_set_aside", "reason", " ", "missing"),
    ("advice_set_aside", "reason", LONG, "too_long"),
]


def told(entry_type: str, changed: dict[str, Any]) -> list[tuple[str | None, str]]:
    """The mistakes of a form filled in rightly but for what is changed, by name of field."""
    form = form_of(entry_type)
    texts = typed_for(form.main, valid(entry_type))
    texts |= {name: value if isinstance(value, list) else [value] for name, value in changed.items()}
    typed = Typed().but(texts)
    entry = {"by": "job_coach", **form.entries(typed)[0]}
    with pytest.raises(JournalError) as refused:
        new_entries(JOURNAL, [entry])
    found = mistakes_of(refused.value.problems, form, typed)
    for lang in LANGUAGES:
        drawn = Drawing(form, typed, Words(lang), found)
        assert all(item.text and item.id and item.label for item in drawn.mistakes)
    return [(item.name, item.key) for item in found]


@pytest.mark.parametrize(("entry_type", "field", "typed", "key"), MISTAKES)
def test_a_mistake_is_told_at_its_field_in_plain_words(entry_type: str, field: str, typed: Any, key: str) -> None:
    assert told(entry_type, {f"e0.{field}": typed}) == [(f"e0.{field}", key)]


def test_a_list_of_answers_without_one_is_told() -> None:
    texts = {name: [""] for name, _ in form_of("checklist_answered").asks() if name.startswith("e0.answers.")}
    assert told("checklist_answered", texts) == [("e0.answers", "missing_answers")]


def test_every_kind_of_mistake_is_driven_by_a_test() -> None:
    driven = {key for *_, key in MISTAKES} | {"missing_answers"}
    # A reason for recording anyway, and what has no field, are driven on the pages.
    assert set(pages_catalogue()["record_mistakes"]) - driven == {"missing_reason", "other"}


def test_mistakes_stand_in_the_order_of_the_form() -> None:
    texts = {"e0.note": LONG, "e0.minutes": "x", "e0.date": ""}
    assert [name for name, _ in told("contact", texts)] == ["e0.date", "e0.minutes", "e0.note"]


def test_of_a_bundle_each_mistake_is_at_the_field_of_its_entry() -> None:
    bundle = bundles()["trial_start"]
    form = Form(bundle.id, tuple(member.part for member in bundle.members), bundle.shared)
    typed = Typed(
        [
            ("all.date", "x"), ("e0.with", "yes"), ("e0.result", "perhaps"), ("e2.with", "yes"), ("e3.with", "yes"),
            ("e4.arrangement", "activity_ended"), ("e4.days_per_week", "9"),
        ]
    )  # fmt: skip
    assert [part.key for part in form.included(typed)] == ["e0", "e3", "e4"]
    entries = [{"by": "employment_coach", **entry} for entry in form.entries(typed)]
    with pytest.raises(JournalError) as refused:
        new_entries(JOURNAL, entries)
    found = [(item.name, item.key) for item in mistakes_of(refused.value.problems, form, typed)]
    assert found == [("all.date", "not_a_date"), ("e4.days_per_week", "out_of_range"), ("e0.result", "unknown_choice")]


# --- bundles ---


def test_every_bundle_has_its_words_and_what_its_entries_need() -> None:
    for bundle in bundles().values():
        for texts in (bundle.title, bundle.when, *(m.part.title for m in bundle.members if m.part.title is not None)):
            assert set(texts) == set(LANGUAGES)
            assert all(text.strip() for text in texts.values())
        for member in bundle.members:
            assert all(set(states) <= set(STATES[chart]) for chart, states in member.needs.items())
            if member.part.only_if is not None:
                name, value = member.part.only_if
                (asked,) = [one for one in bundle.main.asked if one.name == name]
                assert value in asked.values


def test_every_bundle_comes_to_valid_entries() -> None:
    for bundle in bundles().values():
        form = Form(bundle.id, tuple(member.part for member in bundle.members), bundle.shared)
        texts: dict[str, Any] = {}
        for part in form.parts:
            texts |= typed_for(part, valid(part.type)) | {part.with_name: ["yes"]}
            for one in part.shared:
                texts[part.name(one)] = ["2026-11-02"] if one.kind == "date" else ["client", "social_worker"]
        for part in form.parts:
            if part.only_if is not None:
                name, value = part.only_if
                texts[f"{form.main.key}.{name}"] = [value]
        typed = Typed().but(texts)
        entries = [{"by": "social_worker", **entry} for entry in form.entries(typed)]
        made = new_entries(JOURNAL, entries)
        assert [entry.type for entry in made] == [part.type for part in form.included(typed)]


def test_every_entry_type_is_listed_once_under_a_theme_with_words() -> None:
    listed = [type_ for types in themes().values() for type_ in types]
    assert sorted(listed) == sorted(ENTRY_TYPES)
    assert set(themes()) == set(pages_catalogue()["record_themes"])


def test_labels_and_hints_are_of_fields_that_there_are() -> None:
    names = {one.name for type_ in ENTRY_TYPES for outer in fields_of(type_) for one in outer.all()}
    names |= {f"{type_}.{one.name}" for type_ in ENTRY_TYPES for one in fields_of(type_)}
    of_newcomers = {"name", "phone", "email", "address", "municipality", "language", "birth_year"}
    for section in ("record_labels", "record_hints"):
        assert set(pages_catalogue()[section]) - names - of_newcomers - {"number"} == set()


def test_an_entry_is_put_back_into_the_fields_it_came_from() -> None:
    form = form_of("activation_plan_updated")
    entry = {"type": "activation_plan_updated", "date": "2026-11-02", "participants": ["client"],
             "coaching": {"start": "2026-11-03"}}  # fmt: skip
    assert texts_of(form.main, entry) == {
        "e0.date": ["2026-11-02"],
        "e0.participants": ["client"],
        "e0.coaching.start": ["2026-11-03"],
    }
