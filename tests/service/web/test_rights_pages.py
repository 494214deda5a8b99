"""The pages of a client's rights, and emergency access."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.store import Database
from service.words import Words
from tests.service.api.asking import Client
from tests.service.api.people import person
from tests.service.api.world import CLIENT, REGION, actors, opened, settled, showing
from tests.service.conftest import Clock
from tests.service.web.looking import look, send
from tests.service.web.overseen import HERE, HOSTILE, as_, in_session

LANGUAGES = ("fi", "sv", "en")
CODE = "131052-308T"
GOOD = {"name": "Sirpa Uusi", "phone": "040 123", "email": "s@example.fi", "address": "Katu 1"}


@pytest.fixture
def worker(anyone: Client, sqlite: Database, clock: Clock) -> Client:
    """The client's own social worker, the case and its identity kept."""
    settled(anyone, sqlite, clock())
    return as_(anyone, "social_worker", "assigned")


def identity(client: Client) -> Any:
    return client.get(f"/v1/cases/{CLIENT}/identity").json()["identity"]


def events(sqlite: Database) -> list[str]:
    with sqlite.read(REGION) as unit:
        return [event.kind for event in unit.events.of(CLIENT)]


# --- identity ---


def test_name_and_contact_details_are_changed_by_a_form(worker: Client) -> None:
    page = look(worker, f"{HERE}/identity")
    assert page.one("#name")["value"] == "Sirpa Esimerkki"
    seen = send(worker, f"{HERE}/identity", GOOD | {"name": "  Sirpa   Uusi "})
    assert (seen.status, seen.answer.headers["location"]) == (303, f"{HERE}/identity?saved=true")
    assert identity(worker) == GOOD
    assert "Tiedot tallennettiin" in look(worker, f"{HERE}/identity?saved=true").text
    send(worker, f"{HERE}/identity", {"name": "Sirpa Uusi", "phone": "  "})
    assert identity(worker) == {"name": "Sirpa Uusi"}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("form", "field", "key"),
    [
        ({"name": " "}, "name", "name_missing"),
        ({"name": f"Sirpa {CODE}"}, "name", "holds_code"),
        ({"name": "x" * 5_000}, "name", "too_long"),
        ({"name": "Sirpa", "address": "a\u202eb"}, "address", "invisible"),
        ({"name": "Sirpa", "phone": CODE}, "phone", "holds_code"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(
    worker: Client, lang: str, form: dict[str, str], field: str, key: str
) -> None:
    seen = send(worker, f"{HERE}/identity", {"email": "kept@example.fi", **form}, lang=lang)
    told = Words(lang)("right_mistakes", key)  # type: ignore[arg-type]
    assert seen.status == 422
    assert seen.one(f"#{field}-mistake").get_text() == told
    assert seen.one(f"#{field}")["aria-invalid"] == "true"
    assert seen.one("#email")["value"] == "kept@example.fi"
    assert seen.one(f".notice--error a[href='#{field}']").get_text() == told
    assert identity(worker) == {"name": "Sirpa Esimerkki"}


def test_a_hostile_name_is_text_on_every_page(worker: Client) -> None:
    name = HOSTILE.replace("\u202e", "")
    assert send(worker, f"{HERE}/identity", {"name": name}).status == 303
    for path in ("identity", "decisions", "advice", "reads", "restriction", "copy"):
        seen = look(worker, f"{HERE}/{path}")
        assert seen.status == 200, path
        assert name in seen.one("h1").get_text()
        assert not any("onerror" in str(tag) for tag in seen.all("img"))


def test_identity_is_seen_and_changed_as_by_the_api(anyone: Client, worker: Client) -> None:
    for role, relation in actors():
        user = as_(anyone, role, relation)
        seen = look(user, f"{HERE}/identity")
        assert seen.status == user.get(f"/v1/cases/{CLIENT}/identity").status_code, (role, relation)
        may = user.put(f"/v1/cases/{CLIENT}/identity", {"name": "Sirpa Esimerkki"}).status_code
        assert bool(seen.all("main form")) == (may == 200), (role, relation)
        assert send(user, f"{HERE}/identity", {"name": "Sirpa Esimerkki"}).status == (303 if may == 200 else may)
    assert identity(worker) == {"name": "Sirpa Esimerkki"}


# --- restriction ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_restriction_is_explained_set_and_lifted(worker: Client, sqlite: Database, lang: str) -> None:
    words = Words(lang)  # type: ignore[arg-type]
    page = look(worker, f"{HERE}/restriction", lang=lang)
    assert words("restriction", "no_emergency") in page.text
    form = {"restricted": page.one("input[name=restricted]")["value"], "reason": "client asked"}
    assert send(worker, f"{HERE}/restriction", form, lang=lang).answer.headers["location"] == HERE
    page = look(worker, f"{HERE}/restriction", lang=lang)
    assert words("restriction", "do_lift") in page.text
    assert page.one("input[name=restricted]")["value"] == "false"
    # Someone who looks at the page of before is led to how it is now.
    assert send(worker, f"{HERE}/restriction", form).answer.headers["location"] == f"{HERE}/restriction"
    assert send(worker, f"{HERE}/restriction", form | {"restricted": "false"}).status == 303
    assert events(sqlite).count("restriction") == 2


@pytest.mark.parametrize(
    ("reason", "key"),
    [
        ("", "reason_missing"),
        (" . ", "reason_missing"),
        ("x" * 1_001, "reason_too_long"),
        (f"a {CODE}", "holds_code"),
    ],
)
def test_a_reason_is_needed(worker: Client, sqlite: Database, reason: str, key: str) -> None:
    told = Words("fi")("right_mistakes", key)
    for path, form in ((f"{HERE}/restriction", {"restricted": "true"}), ("/emergency", {"client": "x"})):
        seen = send(worker, path, form | {"reason": reason})
        assert seen.status == 422
        assert seen.one("#reason-mistake").get_text() == told
        assert seen.one("textarea").get_text().strip("\r\n") == reason
    assert "restriction" not in events(sqlite)


def test_a_restriction_is_set_by_whom_the_api_lets(anyone: Client, worker: Client) -> None:
    for role, relation in actors():
        user = as_(anyone, role, relation)
        api = user.put(f"/v1/cases/{CLIENT}/restriction", {"restricted": False, "reason": "to see"}).status_code
        may = api == 409  # nothing to do, but theirs to do
        status = 200 if may else api
        assert look(user, f"{HERE}/restriction").status == status, (role, relation)
        seen = send(user, f"{HERE}/restriction", {"restricted": "false", "reason": "to see"})
        assert seen.status == (303 if may else api), (role, relation)


# --- emergency access ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_someone_with_no_relation_opens_a_client_in_an_emergency(
    anyone: Client, worker: Client, sqlite: Database, lang: str
) -> None:
    stranger = showing(anyone, person("duty", "social_worker", team=None))
    words = Words(lang)  # type: ignore[arg-type]
    page = look(stranger, "/emergency", lang=lang)
    assert words("emergency", "leader_sees") in page.text
    assert words("emergency", "opens", count=12) in page.text
    seen = send(stranger, "/emergency", {"client": f" {CLIENT} ", "reason": "no answer at her own worker's"})
    assert (seen.status, seen.answer.headers["location"]) == (303, HERE)
    assert stranger.get(f"/v1/cases/{CLIENT}").status_code == 200
    again = send(stranger, "/emergency", {"client": CLIENT, "reason": "once more"}, lang=lang)
    assert (again.status, again.one("#client-mistake").get_text()) == (409, words("right_mistakes", "client_is_open"))
    assert "emergency_access" in events(sqlite)


def test_the_form_for_one_client_is_filled_in_and_looks_up_nobody(anyone: Client, worker: Client) -> None:
    stranger = showing(anyone, person("duty", "social_worker", team=None))
    before = worker.get(f"/v1/cases/{CLIENT}/reads?limit=200").json()["items"]
    for name in (CLIENT, "nobody"):
        assert look(stranger, f"/clients/{name}/emergency-access").one("#client")["value"] == name
    after = worker.get(f"/v1/cases/{CLIENT}/reads?limit=200").json()["items"]
    assert not any(item["user"] == "duty" for item in after)
    assert len(after) == len(before) + 1


def test_whether_there_is_a_client_is_not_told(anyone: Client, worker: Client) -> None:
    worker.put(f"/v1/cases/{CLIENT}/restriction", {"restricted": True, "reason": "client asked"})
    stranger = showing(anyone, person("duty", "social_worker", team=None))
    texts = set()
    for name in (CLIENT, "nobody", "a\x00b", "x" * 5_000, "\u202e", CODE):
        seen = send(stranger, "/emergency", {"client": name, "reason": "no answer"})
        assert seen.status == 404, name
        texts.add(seen.one("#client-mistake").get_text())
        assert seen.all("h1")
    assert len(texts) == 1
    reads = worker.get(f"/v1/cases/{CLIENT}/reads?limit=200").json()["items"]
    assert [item["refused"] for item in reads if item["user"] == "duty"] == [True]


def test_emergency_access_is_for_whom_the_api_lets(anyone: Client) -> None:
    opened(anyone)
    for role, relation in actors():
        user = as_(anyone, role, relation)
        page = look(user, "/emergency")
        api = user.post("/v1/cases/nobody/emergency-access", {"reason": "no answer"}).status_code
        assert page.status == (200 if api == 404 else 403), (role, relation)
        linked = bool(look(user, "/rules").all("nav a[href='/emergency']"))
        assert linked == (page.status == 200), (role, relation)
        if page.status == 403:
            assert send(user, "/emergency", {"client": CLIENT, "reason": "no answer"}).status == 403


# --- a copy ---


def test_a_copy_is_downloaded_whole_and_logged(worker: Client) -> None:
    page = look(worker, f"{HERE}/copy")
    assert "terveystietoja" in page.text
    seen = send(worker, f"{HERE}/copy", {})
    assert seen.status == 200
    assert seen.answer.headers["content-disposition"] == 'attachment; filename="polku-2026-11-20.json"'
    assert seen.answer.headers["cache-control"] == "no-store"
    made, api = json.loads(seen.answer.content), worker.get(f"/v1/cases/{CLIENT}/copy").json()
    assert made.keys() == api.keys()
    assert made["entries"] == api["entries"]
    reads = worker.get(f"/v1/cases/{CLIENT}/reads?limit=200").json()["items"]
    assert [(item["what"], item["purpose"]) for item in reads if item["what"].startswith("copy")] == [
        ("copy form", "client_work"), ("copy", "client_request"), ("copy", "client_request")
    ]  # fmt: skip


def test_a_copy_is_made_by_whom_the_api_lets(anyone: Client, worker: Client) -> None:
    for role, relation in actors():
        user = as_(anyone, role, relation)
        api = user.get(f"/v1/cases/{CLIENT}/copy").status_code
        assert look(user, f"{HERE}/copy").status == send(user, f"{HERE}/copy", {}).status == api, (role, relation)


# --- what other sites try ---


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (f"{HERE}/identity", {"name": "Planted"}),
        (f"{HERE}/restriction", {"restricted": "true", "reason": "planted"}),
        (f"{HERE}/copy", {}),
        ("/emergency", {"client": CLIENT, "reason": "planted"}),
    ],
)
def test_another_site_can_do_nothing(
    anyone: Client, worker: Client, sqlite: Database, path: str, form: dict[str, str]
) -> None:
    browser = in_session(anyone, "social_worker", "assigned")
    before = events(sqlite)
    for headers in ({"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {}):
        seen = browser.request("POST", path, checked=False, data=form, headers={"Accept": "text/html", **headers})
        assert seen.status_code == 403, headers
    assert events(sqlite) == before
    assert send(browser, path, form).status in (200, 303, 409)
