"""Problem details: every failure has a type that is explained, and says nothing that is nobody's business."""

import re
from pathlib import Path

import pytest

from service.api.problems import problem_types
from tests.service.api.asking import Client, problem

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_an_address_that_leads_nowhere(client: Client) -> None:
    for path in (
        "/nowhere",
        "/v1",
        "/v1/",
        "/v1/rules/",
        "https://polku.test//v1/rules",
        "/V1/rules",
        "/v1/rules%2F",
        "/docs",
        "/redoc",
    ):
        problem(client.get(path), 404, "not-found")


def test_a_method_that_is_not_there_names_those_that_are(client: Client) -> None:
    response = client.request("DELETE", "/v1/rules")
    problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;q=0", "text/*, image/png"])
def test_there_is_no_other_form_than_json(client: Client, accept: str) -> None:
    problem(client.get("/v1/rules", headers={"Accept": accept}), 406, "not-acceptable")


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "text/html, application/*;q=0.1", "Application/JSON", ""]
)
def test_json_is_given_to_whoever_takes_it(client: Client, accept: str) -> None:
    assert client.get("/v1/rules", headers={"Accept": accept}).status_code == 200


def test_every_type_is_explained_where_it_points(client: Client) -> None:
    listed = client.get("/problems").json()["items"]
    assert {item["type"] for item in listed} == {kind.uri for kind in problem_types().values()}
    for item in listed:
        assert client.get(item["type"]).json() == item
    problem(client.get("/problems/no-such"), 404, "not-found")


def test_every_type_is_explained_in_the_docs() -> None:
    page = re.sub(r"\s+", " ", (DOCS / "api.md").read_text(encoding="utf-8"))
    for kind in problem_types().values():
        assert f"#### `{kind.slug}` ({kind.status})" in page
        assert kind.meaning in page
        assert kind.remedy in page


def test_what_protects_a_reader_stands_on_every_answer(client: Client) -> None:
    for path in ("/v1/rules", "/nowhere", "/problems", "/v1/rules?x=1"):
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers
        assert not [name for name in headers if name.startswith("access-control-")]
