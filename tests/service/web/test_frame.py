"""The frame around every page."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from service.web.rendering import STATIC
from service.web.routes import ROUTERS
from service.web.routes.home import own_path
from tests.service.api.asking import Client
from tests.service.web.looking import look, send
from tests.service.web.overseen import in_session


def test_whoever_is_not_logged_in_is_sent_to_log_in_and_comes_back(anyone: Client) -> None:
    seen = look(anyone, "/?x=1")
    assert (seen.status, seen.answer.headers["location"]) == (303, "/login?next=%2F%3Fx%3D1")


@pytest.mark.parametrize(
    ("sent_from", "back"),
    [
        ("https://polku.test/clients/c/record/contact?x=1", "%2Fclients%2Fc%2Frecord%2Fcontact%3Fx%3D1"),
        ("https://elsewhere.example/clients", "%2F"),
        ("", "%2F"),
        ("//[", "%2F"),
    ],
)
def test_whoever_sends_a_form_after_their_login_is_over_comes_back_to_the_form(
    anyone: Client, sent_from: str, back: str
) -> None:
    headers = {"Accept": "text/html", "Referer": sent_from}
    answer = anyone.request("POST", "/clients/c/record/contact", checked=False, headers=headers, data={"x": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={back}")


@pytest.mark.parametrize(("lang", "title"), [("fi", "Sivua tai"), ("sv", "Sidan eller"), ("en", "There is no such")])
def test_an_address_that_is_nowhere_is_told_on_a_page_in_the_readers_language(
    anyone: Client, lang: str, title: str
) -> None:
    seen = look(anyone, "/nowhere", lang=lang)
    assert (seen.status, seen.one("html")["lang"]) == (404, lang)
    assert seen.one("h1").get_text().startswith(title)


def test_a_program_is_told_as_a_program(anyone: Client) -> None:
    for path, accept in (("/v1/nowhere", "text/html"), ("/nowhere", "application/json")):
        answer = anyone.request("GET", path, checked=False, headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_page_brings_its_own_strict_policy_and_is_kept_by_nobody(anyone: Client) -> None:
    headers = look(anyone, "/nowhere").answer.headers
    assert headers["cache-control"] == "no-store"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")


def test_the_language_chosen_is_remembered_and_one_goes_back(anyone: Client) -> None:
    seen = send(anyone, "/language", {"lang": "sv", "back": "/rules?x=1"})
    assert (seen.status, seen.answer.headers["location"]) == (303, "/rules?x=1")
    assert "polku_lang=sv" in seen.answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "path", ["//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", "", "/\n"]
)
def test_nobody_is_led_elsewhere(path: str) -> None:
    assert own_path(path) == "/"


def test_another_site_can_send_no_form_of_any_page(anyone: Client) -> None:
    browser = in_session(anyone, "social_worker", "assigned")
    paths = [route.path for router in ROUTERS for route in router.routes if "POST" in route.methods]  # type: ignore[attr-defined]
    assert len(paths) > 10
    form = {"lang": "fi", "role": "social_worker", "restricted": "true"}
    for path in paths:
        for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "same-site"}, {}):
            shown = {"Accept": "text/html", **headers}
            answer = browser.request("POST", re.sub(r"{.*?}", "x", path), checked=False, headers=shown, data=form)
            assert (path, answer.status_code, "set-cookie" in answer.headers) == (path, 403, False)


def test_a_part_of_a_page_that_cannot_be_told_has_the_whole_page_loaded(anyone: Client) -> None:
    part = {"HX-Request": "true"}
    answer = look(anyone, "/clients?q=%C3%85&due=later", **part).answer
    assert (answer.status_code, answer.text) == (401, "")
    assert answer.headers["hx-redirect"] == "/clients?q=%C3%85&due=later"
    assert look(in_session(anyone, "auditor", "none"), "/team", **part).answer.headers["hx-redirect"] == "/team"


def test_files_of_others_are_the_ones_we_say() -> None:
    told = (STATIC / "vendor" / "VENDORED.md").read_text(encoding="utf-8")
    digests = dict(re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", told, re.MULTILINE))
    files = {
        str(path.relative_to(STATIC / "vendor")): sha256(path.read_bytes()).hexdigest()
        for path in sorted((STATIC / "vendor").rglob("*"))
        if path.suffix in (".css", ".js")
    }
    assert digests == files


def test_no_file_of_ours_asks_another_machine_for_anything() -> None:
    for path in Path(STATIC).rglob("*"):
        if path.suffix in (".css", ".svg"):
            found = re.findall(r"(?:url\(|@import|href=|src=)\s*['\"]?(?:https?:)?//[^)'\"]*", path.read_text("utf-8"))
            assert not found, (path.name, found)
