"""Request bodies: whatever is sent, the answer is a problem with a place, never a fault of ours and never an echo."""

import json

import pytest

from tests.service.api.asking import Client, places, problem

WHERE = "/v1/assessments"
JSON = {"Content-Type": "application/json"}


def sent(client: Client, content: str | bytes, kind: str = "application/json") -> list[str]:
    """The places of the mistakes of a body."""
    return places(client.post(WHERE, content=content, headers={"Content-Type": kind}))


@pytest.mark.parametrize(
    "content",
    [
        b"", b" ", b"null", b"1", b'"text"', b"[]", b"{", b"}", b"{'case': 1}",
        b'{"case": {"id": "x"}, "entries": []} x', b"NaN", b"\xff\xfe", b'{"case": "\xff"}', b"\x00",
        "\ufeff".encode("utf-16"), b"case: {id: x}\nentries: []",
        b"[" * 100_000, b'{"a":' * 100_000, b'{"case": {"id": "x"}, "entries": ' + b"[" * 500 + b"]" * 500 + b"}",
    ],
)  # fmt: skip
def test_what_is_no_case_document_is_a_mistake_of_the_document(client: Client, content: bytes) -> None:
    assert sent(client, content)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{"case": {"id": "x", "id": "y"}, "entries": []}', "case.id"),
        ('{"case": {"id": "x"}, "entries": [], "entries": []}', "entries"),
        ('{"case": {"id": "x"}, "entries": [], "as_of": "2022-02-30"}', "as_of"),
        ('{"case": {"id": "x"}, "entries": [], "as_of": NaN}', "as_of"),
        ('{"case": {"id": "x"}, "entries": [], "as_of": 1e999}', "as_of"),
        ('{"case": {"id": "x"}, "entries": [], "as_of": "0001-01-01"}', "as_of"),
        ('{"case": {"id": "x"}, "entries": [], "known_at": "2022"}', "known_at"),
        ('{"case": {"id": "x"}, "entries": [], "lang": "de"}', "lang"),
        ('{"case": {"id": "x"}, "entries": [], "proposal": 1}', "proposal"),
        ('{"case": {"id": "x"}, "entries": [], "proposal": {}}', "proposal.trigger"),
        ('{"case": {"id": "x"}, "entries": [], "proposal": {"trigger": ["a"]}}', "proposal.trigger"),
        ('{"case": {"id": "x"}, "entries": [], "proposal": {"trigger": "start_job", "knd": 1}}', "proposal.knd"),
        (
            '{"case": {"id": "x"}, "entries": [], "proposal": {"trigger": "start_job", "date": "2022-01-01"}}',
            "proposal",
        ),
        ('{"case": {"id": "x"}, "entries": [], "proposal": {"trigger": "reach_phase"}}', "proposal"),
        ('{"case": {"id": "\\ud800"}, "entries": []}', "case.id"),
        ('{"case": {"id": "a\\u0000b"}, "entries": []}', "case.id"),
        ('{"\\ud800": 1, "case": {"id": "x"}, "entries": []}', "'\\ud800'"),
        ('{"case": {"id": "x"}, "entries": [{"date": "2022-01-01", "type": "coachin_started"}]}', "entries[0].type"),
        ('{"case": {"id": "x"}, "entries": [{"date": "2022-01-01", "type": "contact"}]}', "entries[0].party"),
        ('{"case": {"id": "131052-308T"}, "entries": []}', "case.id"),
        ('{"case": {"id": "x"}, "entries": [], "x": "131052-308T"}', "x"),
    ],
)
def test_every_mistake_is_told_by_its_place(client: Client, content: str, place: str) -> None:
    assert place in sent(client, content)


def test_all_mistakes_are_told_at_once_with_the_nearest_names(client: Client) -> None:
    document = {
        "case": {"id": "x", "municpality": "y"},
        "entries": [{"date": "2022-1-1", "type": "contct"}],
        "as_off": 1,
    }
    told = problem(client.post(WHERE, document), 422, "invalid-request")["problems"]
    assert {item["place"]: item.get("hint") for item in told} == {
        "as_off": "did you mean as_of?",
        "case.municpality": "did you mean municipality?",
        "entries[0].date": None,
        "entries[0].type": "did you mean contact?",
    }


def test_an_identity_code_is_never_repeated(client: Client) -> None:
    for document in (
        {"case": {"id": "131052-308T"}, "entries": []},
        {"case": {"id": "x"}, "entries": [], "131052-308T": "131052-308T"},
        {"case": {"id": "x"}, "entries": [{"date": "131052-308T", "type": "131052-308T"}]},
        {"case": {"id": "x"}, "entries": [], "as_of": "131052-308T", "proposal": {"trigger": "131052-308T"}},
    ):
        response = client.post(WHERE, document)
        assert problem(response, 422, "invalid-request")
        assert "308T" not in response.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/jsonx"},
        {**JSON, "Content-Encoding": "gzip"},
    ],
)
def test_a_body_of_another_kind_is_not_looked_into(client: Client, headers: dict[str, str]) -> None:
    problem(client.post(WHERE, content=b"{}", headers=headers), 415, "unsupported-media-type")


def test_a_case_document_may_come_as_yaml(client: Client) -> None:
    text = "case: {id: x}\nentries:\n  - {date: 2022-09-05, type: coaching_info_given}\nas_of: 2022-09-06\nlang: en\n"
    response = client.post(WHERE, content=text, headers={"Content-Type": "application/yaml; charset=UTF-8"})
    assert (response.status_code, response.json()["as_of"]) == (200, "2022-09-06")
    assert sent(client, "case: {id: x}\nentries: []\nas_of: &a 2022-01-01\n", "application/yaml") == ["document"]
    assert sent(client, "- " * 2_000, "application/yaml") == ["document"]


def test_large_numbers_and_long_texts_are_told_shortly(client: Client) -> None:
    document = {
        "case": {"id": "x" * 100_000},
        "entries": [{"date": "2022-01-01", "type": "contact", "minutes": 10**400}],
    }
    response = client.post(WHERE, content=json.dumps(document), headers=JSON)
    assert {"case.id", "entries[0].minutes"} <= set(places(response))
    assert len(response.content) < 2_000
