"""Rows become the same case, or the same mistakes, as the same journal read as a document."""

import copy
import json
import pickle
import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import example, given

from rules.entry_reader import LONGEST_FIELDS, MOST_ROWS, EntryReader, Row
from rules.fold import fold
from rules.journal import Case, JournalError, case_from_data, case_to_data, dump_case
from tests.helpers import SEEDS, assessor
from tests.oracle.generate import random_case

Document = dict[str, Any]
COMMON = ("date", "type", "id", "by", "recorded_at", "note")
CODE = "131052-308T"  # a published example of an identity code
DAY = date(2022, 9, 5)

READER = EntryReader(most=400)  # one for all tests: what it remembers of other cases may not matter


def as_row(raw: Document) -> Row:
    """The entry as a row; a date that is none stays as it is."""
    own = {name: value for name, value in raw.items() if name not in COMMON}
    try:
        day = date.fromisoformat(raw["date"])
    except (TypeError, ValueError):
        day = raw["date"]
    common = [raw.get(name) for name in COMMON[1:]]
    return Row(day, *common, json.dumps(own) if own else None)


def outcome(read: Callable[[], Case]) -> object:
    try:
        return read()
    except JournalError as error:
        return error.problems


def read_both_ways(document: Document) -> tuple[object, object]:
    rows = [as_row(raw) for raw in document["entries"]]
    by_rows = outcome(lambda: READER.case(document["case"], rows))
    return by_rows, outcome(
        lambda: case_from_data({**document, "entries": list(map(_as_columns, document["entries"]))})
    )


def _as_columns(raw: Document) -> Document:
    """The entry in the order of a row; an empty column is no value."""
    own = {name: value for name, value in raw.items() if name not in COMMON}
    return {name: raw[name] for name in COMMON if raw.get(name) is not None} | own


# --- ways to break a journal ---

HOSTILE: tuple[Any, ...] = (
    "", " x", "x" * 201, CODE, f"puhelu {CODE}", "\u202e", "e1", "e2", "yes", "2022-02-30", "no such", "220823-1005",
)  # fmt: skip


def _column(rng: random.Random, entries: list[Document]) -> None:
    rng.choice(entries)[rng.choice(COMMON)] = rng.choice((*HOSTILE, "2022-09-05", "2022-09-05T10:30", "client"))


def _own_field(rng: random.Random, entries: list[Document]) -> None:
    entry = rng.choice(entries)
    own = [name for name in entry if name not in COMMON] or ["new"]
    entry[rng.choice([*own, CODE, "on"])] = rng.choice(
        (*HOSTILE, 8, -1, 2.5, True, None, [], ["client"] * 2, {"a": []})
    )


def _twice(rng: random.Random, entries: list[Document]) -> None:
    one, other = rng.choice(entries), rng.choice(entries)
    one["id"] = other.get("id") or f"e{rng.randrange(len(entries)) + 1}"


def _correction(rng: random.Random, entries: list[Document]) -> None:
    for name, target in (("c-1", "c-2"), ("c-2", rng.choice(("c-1", "c-2", "e1", "nothing")))):
        entries.append({"date": "2022-01-01", "type": "correction", "id": name, "voids": target})


def _left_out(rng: random.Random, entries: list[Document]) -> None:
    entry = rng.choice(entries)
    del entry[rng.choice([name for name in entry if name not in ("date", "type")] or ["date"])]
    entry.setdefault("date", None)


def broken(rng: random.Random, document: Document) -> Document:
    document = copy.deepcopy(document)
    if not document["entries"]:
        return document
    for _ in range(rng.choice((1, 1, 2, 4))):
        rng.choice((_column, _own_field, _twice, _correction, _left_out))(rng, document["entries"])
    if rng.random() < 0.1:
        document["case"][rng.choice(("id", "municipality", "birth_year", "new"))] = rng.choice(HOSTILE)
    return document


# --- the same as a document ---


@given(SEEDS)
def test_rows_make_the_same_case_as_a_document(seed: int) -> None:
    document = random_case(random.Random(seed))
    for _ in range(2):  # the second time from contents seen before
        by_rows, by_document = read_both_ways(document)
        assert isinstance(by_rows, Case)
        assert by_rows == by_document
        assert by_rows.model_dump() == by_document.model_dump()
        for mine, its in zip(by_rows.entries, by_document.entries, strict=True):
            assert (type(mine), mine.model_fields_set, hash(mine)) == (type(its), its.model_fields_set, hash(its))
            assert list(mine.__dict__) == list(its.__dict__)


@given(SEEDS)
@example(3)
def test_a_broken_journal_has_the_same_mistakes_as_the_document(seed: int) -> None:
    rng = random.Random(seed)
    document = random_case(rng)
    for _ in range(4):
        by_rows, by_document = read_both_ways(broken(rng, document))
        assert by_rows == by_document


@given(SEEDS)
def test_a_case_of_rows_is_used_as_any_other(seed: int) -> None:
    document = random_case(random.Random(seed))
    case = READER.case(document["case"], [as_row(raw) for raw in document["entries"]])
    again = pickle.loads(pickle.dumps(case))
    assert again == case
    assert case.model_fields_set == case_from_data(document).model_fields_set
    assert copy.deepcopy(case) == case == case.model_copy() == case.with_entries(case.entries)
    assert case_from_data(case_to_data(case)) == case
    assert dump_case(case) == dump_case(case_from_data(document))
    day = date(2023, 1, 1)
    assert fold(assessor().history(again, day), day) == fold(assessor().history(case, day), day)


def test_what_a_reader_remembers_of_one_case_is_not_in_another() -> None:
    reader = EntryReader()
    one = reader.case({"id": "a"}, [Row(date(2022, 1, 1), "contact_wish_recorded", None, fields='{"wish": "less"}')])
    given = '{"wish": "less"}'
    late = datetime(2022, 3, 2, tzinfo=UTC)
    two = reader.case(
        {"id": "b"},
        [
            Row(date(2022, 3, 1), "contact_wish_recorded", "own", None, late, None, given),
            Row(date(2022, 3, 1), "contact_wish_recorded", None, "client", None, None, given),
        ],
    )
    seen = [(e.date, e.id, e.by, e.recorded_at, sorted(e.model_fields_set)) for e in (*one.entries, *two.entries)]
    own = ["date", "id", "type", "wish"]
    assert seen == [
        (date(2022, 1, 1), "e1", None, None, own),
        (date(2022, 3, 1), "own", None, late, sorted([*own, "recorded_at"])),
        (date(2022, 3, 1), "e2", "client", None, sorted([*own, "by"])),
    ]
    with pytest.raises(Exception, match="frozen"):
        two.entries[0].date = date(2020, 1, 1)


def test_no_more_is_remembered_than_was_said() -> None:
    reader = EntryReader(most=10)
    rows = [Row(date(2022, 1, 1), "need_assessed", note=f"note {number}") for number in range(95)]
    assert len(reader.case({"id": "a"}, rows).entries) == 95
    assert len(reader._seen) <= 10
    assert len(reader._before) <= 10
    rows = [Row(DAY, "job_ended", fields=json.dumps({"reason": str(n), "known_on": "2022-01-01"})) for n in range(95)]
    assert len(reader.case({"id": "a"}, rows).entries) == 95
    assert 1 <= len(reader._forms) <= 10


DECIDED = '{"service": "activity", "decision": "granted", "start": "%s", "end": "%s"}'
PLANNED = (
    '{"participants": ["client"], "valid_until": "%s", "coaching": {"start": "%s", "alongside_activity": "yes"},'
    ' "work_trial": {"start": "%s"}}'
)


@pytest.mark.parametrize(
    ("kind", "first", "then"),
    [
        ("service_decision", DECIDED % ("2022-01-01", "2022-02-01"), DECIDED % ("2023-05-01", "2025-06-30")),
        ("service_decision", DECIDED % ("2022-01-01", "2022-02-01"), DECIDED % ("2022-02-02", "2022-02-01")),
        ("service_decision", DECIDED % ("2022-01-01", "2022-02-01"), DECIDED % ("2022-02-01", "2022-02-01")),
        ("service_decision", DECIDED % ("2022-01-01", "2022-02-01"), DECIDED % ("2022-02-28", "2022-02-29")),
        ("service_decision", DECIDED % ("2022-01-01", "2022-02-01"), DECIDED % ("1822-01-01", "2022-02-01")),
        ("job_ended", '{"reason": "2022-01-01"}', '{"reason": "2022-02-30"}'),
        ("job_ended", '{"reason": "2300-01-01"}', '{"reason": "2022-02-30"}'),
        ("job_ended", '{"known_on": "2022-01-01"}', '{"known_on": "2022-01-01", "known_on": "2022-01-02"}'),
        ("job_ended", '{"known_on": "2022-01-01"}', '{"known_on": ["2022-01-01"]}'),
        ("need_assessed", '{"2022-01-01": 1}', '{"2022-01-02": 1}'),
        ("need_assessed", '{"outcome": "2022-01-01"}', '{"outcome": "2022-01-02"}'),
        (
            "activation_plan_updated",
            PLANNED % ("2022-01-01", "2022-01-01", "2022-01-01"),
            PLANNED % ("2022-01-02", "2022-01-02", "2022-01-02"),
        ),
        (
            "activation_plan_updated",
            PLANNED % ("2022-01-01", "2022-01-02", "2022-01-03"),
            PLANNED % ("2022-02-01", "2022-02-02", "2022-02-03"),
        ),
    ],
)
def test_a_content_with_other_days_is_what_it_is_alone(kind: str, first: str, then: str) -> None:
    reader = EntryReader()

    def read(fields: str, by: EntryReader) -> object:
        return outcome(lambda: by.case({"id": "a"}, [Row(DAY, kind, fields=fields)]))

    read(first, reader)
    assert read(then, reader) == read(then, EntryReader())
    assert read(first, reader) == read(first, EntryReader())


@pytest.mark.parametrize("fields", ['{"wish": "less"} \n', ' {"wish": "less"}', '\t{ "wish" : "less" }'])
def test_white_space_around_fields_means_nothing(fields: str) -> None:
    case = READER.case({"id": "a"}, [Row(date(2022, 1, 1), "contact_wish_recorded", fields=fields)])
    assert case == READER.case({"id": "a"}, [Row(date(2022, 1, 1), "contact_wish_recorded", fields='{"wish": "less"}')])


def test_columns_zipped_are_rows() -> None:
    days, types = [date(2022, 1, 1), date(2022, 1, 2)], ["need_assessed", "contact_wish_recorded"]
    nothing: list[None] = [None, None]
    rows = list(zip(days, types, nothing, nothing, nothing, nothing, [None, '{"wish": "less"}'], strict=True))
    assert READER.case({"id": "a"}, rows) == READER.case({"id": "a"}, [Row._make(row) for row in rows])


def test_rows_may_be_any_number() -> None:
    rows = [Row(date(2022, 1, 1), "need_assessed")] * (MOST_ROWS + 1)
    case = READER.case({"id": "a"}, rows)
    assert [entry.id for entry in case.entries] == [f"e{number}" for number in range(1, MOST_ROWS + 2)]
    assert READER.case({"id": "a"}, []) == case_from_data({"case": {"id": "a"}, "entries": []})


def test_a_name_too_long_to_be_remembered_is_read_all_the_same() -> None:
    parties = [f"party-{number:04}" for number in range(LONGEST_FIELDS // 8)]
    own = json.dumps({"scope": "basic", "parties": parties})
    case = READER.case({"id": "a"}, [Row(date(2022, 1, 1), "consent_given", fields=own)])
    assert len(own) > LONGEST_FIELDS
    assert getattr(case.entries[0], "parties", None) == tuple(parties)


# --- mistakes of rows ---


def problems(rows: Sequence[Row], **header: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(JournalError) as caught:
        READER.case({"id": "case-1", **header}, rows, name="caseload.parquet")
    assert caught.value.name == "caseload.parquet"
    assert CODE not in str(caught.value)
    return [(problem.place, problem.found, problem.expected) for problem in caught.value.problems]


A_TEXT = 'a JSON text such as {} or {"days_per_week": 4}: the type\'s own fields'


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("{", "no JSON: Expecting property name enclosed in double quotes"),
        ("", "no JSON: Expecting value"),
        ("days_per_week: 4", "no JSON: Expecting value"),
        ("[]", "a list"),
        ("4", "4"),
        ("null", "nothing"),
        ("{} {}", "no JSON: Extra data"),
        ('{"a": NaN', "no JSON: Expecting ',' delimiter"),
    ],
)
def test_fields_that_are_no_json_mapping_are_told_with_their_place(fields: str, found: str) -> None:
    rows = [Row(DAY, "need_assessed"), Row(DAY, "activity_started", fields=fields)]
    assert problems(rows) == [("entries[1].fields", found, A_TEXT)]


def test_a_deep_text_ends_in_a_mistake() -> None:
    rows = [Row(DAY, "need_assessed", fields='{"a": ' * 100_000), Row(DAY, "need_assessed", fields="[" * 100_000)]
    assert [place for place, _, _ in problems(rows)] == ["entries[0].fields", "entries[1].fields"]
    deep = '{"outcome": ' + "[" * 30 + "]" * 30 + "}"
    assert problems([Row(DAY, "need_assessed", fields=deep)])[0][1] == "lists or mappings too deep inside each other"


def test_a_key_given_twice_is_a_mistake() -> None:
    rows = [Row(DAY, "activity_started", fields='{"days_per_week": 4, "days_per_week": 4}')]
    expected = [("entries[0].days_per_week", "the same key a second time", "each key once")]
    assert problems(rows) == problems(rows) == expected


@pytest.mark.parametrize("name", COMMON)
def test_what_has_a_column_stands_in_it(name: str) -> None:
    rows = [Row(DAY, "need_assessed", fields=json.dumps({name: "e1"}))]
    assert problems(rows) == [(f"entries[0].{name}", "a field beside the type's own", "its own column for it")]


def test_an_identity_code_is_found_in_every_column_and_never_told() -> None:
    rows = [
        Row(DAY, "need_assessed", id=CODE),
        Row(DAY, "need_assessed", by=CODE),
        Row(DAY, "need_assessed", recorded_at=CODE),
        Row(DAY, "need_assessed", note=f"soitto {CODE}"),
        Row(DAY, "need_assessed", fields=json.dumps({"outcome": CODE})),
        Row(DAY, "need_assessed", fields=json.dumps({CODE: "x"})),
        Row(DAY, CODE),
    ]
    places = ("0].id", "1].by", "2].recorded_at", "3].note", "4].outcome", "5].(hidden)", "6].type")
    for at, (row, place) in enumerate(zip(rows, places, strict=True)):
        alone = [(p, f) for p, f, _ in problems([row])]
        assert alone == [(f"entries[0]{place[2:]}", "a personal identity code")], at
    assert [(p, f) for p, f, _ in problems(rows)] == [(f"entries[{p}", "a personal identity code") for p in places]
    assert problems([], municipality=CODE)[0][:2] == ("case.municipality", "a personal identity code")


def test_a_text_refused_once_is_refused_again() -> None:
    reader = EntryReader()
    for _ in range(3):
        with pytest.raises(JournalError):
            reader.case({"id": "a"}, [Row(DAY, "need_assessed", note=CODE)])
        with pytest.raises(JournalError):
            reader.case({"id": "a"}, [Row(DAY, "activity_started", fields='{"days_per_week": 9}')])


@pytest.mark.parametrize(
    "day", [datetime(2022, 9, 5, 10, 30), date(1899, 12, 31), date(2201, 1, 1), "2022-02-30", None]
)
def test_a_date_that_is_none_is_told(day: Any) -> None:
    assert problems([Row(day, "need_assessed")])[0][0] == "entries[0].date"


def test_a_date_written_as_text_is_read() -> None:
    row: Any = Row("2022-09-05", "need_assessed")
    assert READER.case({"id": "a"}, [row]).entries[0].date == DAY
