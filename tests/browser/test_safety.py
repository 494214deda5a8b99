"""What a browser is told, and does, so that a client's data stays where it belongs and only the worker records."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from service.web.rendering import POLICY
from tests.browser.conftest import Someone
from tests.browser.driving import Person, person
from tests.browser.places import PLACES
from tests.service.serving import Served

#: The most a first visit to a page may load, bytes: the page and all that it brings.
FIRST_LOAD = 200_000
ADDRESSES = [(place.user, place.way) for place in PLACES if isinstance(place.way, str) and place.user is not None]
USERS = sorted({user for user, _ in ADDRESSES})


def _policy(text: str) -> dict[str, list[str]]:
    parts = (part.split() for part in text.split(";"))
    return {name: sources for name, *sources in parts}


def test_the_policy_allows_only_what_is_ours_and_nothing_inline() -> None:
    policy = _policy(POLICY)
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert {source for sources in policy.values() for source in sources} == {"'none'", "'self'", "data:"}
    assert [name for name, sources in policy.items() if "data:" in sources] == ["img-src"]
    assert policy["form-action"] == policy["script-src"] == policy["style-src"] == ["'self'"]


@pytest.mark.parametrize("user", USERS)
def test_every_page_says_what_may_run_and_that_it_is_not_kept(someone: Someone, user: str) -> None:
    with someone(user) as reader:
        for path in (path for whose, path in ADDRESSES if whose == user):
            answer = reader.context.request.get(reader.address + path, headers={"Accept": "text/html"})
            policy = _policy(answer.headers["content-security-policy"])
            assert policy["default-src"] == policy["frame-ancestors"] == ["'none'"], path
            loose = re.compile(r"unsafe|https?:|\*|blob:")
            sources = [source for listed in policy.values() for source in listed if source != reader.address]
            assert not [source for source in sources if loose.search(source)], path
            assert answer.headers["cache-control"] == "no-store", path
            assert answer.headers["x-content-type-options"] == "nosniff", path
            if path != "/logout":  # its one style is named by its digest, and where logging out leads to
                assert answer.headers["content-security-policy"] == POLICY, path
                inline = re.findall(r"<style|<script(?![^>]* src=)|<[^>]*\s(?:style|on\w+)=", answer.text())
                assert (path, inline) == (path, [])


def test_a_file_of_a_client_is_not_kept_either(someone: Someone) -> None:
    with someone("vilho") as vilho:
        for path in ("summary.pdf", "reads.csv"):
            answer = vilho.context.request.get(f"{vilho.address}/clients/sirpa-path/{path}")
            assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
        for path in ("export.csv", "export.xlsx"):
            answer = vilho.context.request.get(f"{vilho.address}/clients/{path}")
            assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")


def test_no_script_reads_a_cookie_and_no_other_site_sends_one(browser: Browser, demo: Served) -> None:
    with person(browser, demo.address, "urho") as urho:
        urho.press("Svenska")
        urho.page.locator("#acting-as").select_option("team_leader")
        urho.page.locator('form[action="/role"] button').click()
        urho.page.wait_for_load_state()
        cookies = urho.context.cookies()
        assert len(cookies) == 3, "the login, the language, the role"
        assert {(cookie["httpOnly"], cookie["sameSite"]) for cookie in cookies} == {(True, "Lax")}  # type: ignore[typeddict-item]
        assert urho.page.evaluate("() => document.cookie") == ""


def test_whoever_goes_back_after_logging_out_sees_nothing(browser: Browser, demo: Served) -> None:
    with person(browser, demo.address, "vilho") as vilho:
        for path in ("/clients", "/clients/sirpa-path", "/clients/sirpa-path/journal"):
            vilho.open(path)
        vilho.open("/logout")
        vilho.page.get_by_role("button").first.click()
        vilho.page.wait_for_load_state()
        for _ in range(5):
            vilho.page.go_back()
            assert "Sirpa" not in vilho.page.content(), vilho.page.url
        vilho.open("/clients/sirpa-path")
        assert "Sirpa" not in vilho.page.content()


_ELSEWHERE = "<img src='http://192.0.2.1/x.png'>"


def test_a_request_to_another_machine_is_noticed_by_these_tests(browser: Browser, demo: Served) -> None:
    with person(browser, demo.address, None) as reader:
        reader.page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=_ELSEWHERE))
        reader.page.goto(reader.address)
        assert [fault for fault in reader.faults if "192.0.2.1" in fault]
        reader.faults.clear()


# --- other sites ---


@contextmanager
def _site(name: str, body: str) -> Iterator[str]:
    """Another site on this machine that serves one page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *told: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{name}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


#: To a browser the first is the same site as ours at another port: it sends our cookies along. The second is another.
SITES = ["127.0.0.1", "localhost"]


@pytest.mark.parametrize("site", SITES)
def test_no_page_of_ours_stands_in_a_frame_of_another(
    browser: Browser, demo: Served, logins: Callable[[str], dict[str, Any]], site: str
) -> None:
    context = browser.new_context(storage_state=logins("vilho"), locale="fi-FI")  # type: ignore[arg-type]
    framed = (
        f'<h1>Voita palkinto</h1><iframe src="{demo.address}/clients/sirpa-path" width="900" height="600"></iframe>'
    )
    with _site(site, framed) as address:
        page = context.new_page()
        page.goto(address)
        expect(page.locator("iframe")).to_be_visible()
        page.wait_for_load_state("networkidle")
        inside = [frame for frame in page.frames if frame is not page.main_frame]
        assert len(inside) == 1
        assert "Sirpa" not in inside[0].content()
        assert not inside[0].locator("main").count()
    context.close()


_FIELDS = {"version": "1", "key": "k" * 32, "do": "record", "e0.date": "2026-11-01"}


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/clients/elli/record/coaching_info_given", _FIELDS),
        ("/clients/elli/restriction", {"restricted": "true", "reason": "Painettu toisella sivulla."}),
        ("/clients/elli/identity", {"name": "Toinen Nimi"}),
        ("/clients/elli/copy", {}),
        ("/clients/new", {"key": "k" * 32, "mine": "yes"}),
        ("/emergency", {"client": "tapio", "reason": "Painettu toisella sivulla."}),
        ("/role", {"role": "social_worker"}),
        ("/language", {"lang": "sv"}),
        ("/logout", {}),
    ],
)
def test_a_form_of_another_site_is_refused(
    browser: Browser,
    demo: Served,
    logins: Callable[[str], dict[str, Any]],
    site: str,
    path: str,
    fields: dict[str, str],
) -> None:
    hidden = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
    body = f'<form method="post" action="{demo.address}{path}">{hidden}<button>Voita palkinto</button></form>'
    context = browser.new_context(storage_state=logins("aino"), locale="fi-FI")  # type: ignore[arg-type]
    kept = {cookie["name"]: cookie["value"] for cookie in context.cookies()}  # type: ignore[typeddict-item]
    with _site(site, body) as address:
        page = context.new_page()
        page.goto(address)
        with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
            page.get_by_role("button").click()
        answer = sent.value
        if site == "127.0.0.1":
            assert answer.status == 403, (path, answer.status)
        else:  # without our cookie it is nobody's
            assert answer.status in (303, 403), (path, answer.status)
            assert not answer.headers.get("location", "").startswith("/clients"), path
        page.wait_for_load_state()
    now = {cookie["name"]: cookie["value"] for cookie in context.cookies()}  # type: ignore[typeddict-item]
    assert kept.items() <= now.items(), "the login, the language and the role are as they were"
    assert {name for name in now.keys() - kept.keys() if not name.startswith("polku-login-")} == set()
    context.close()


# --- how much is loaded ---


@pytest.mark.parametrize(
    ("user", "path"), [("aino", "/clients"), ("vilho", "/clients/sirpa-path"), ("tarmo", "/clients/sirpa-path")]
)
def test_the_first_load_of_a_page_is_small(someone: Someone, user: str, path: str) -> None:
    with someone(user) as reader:
        answers: list[Any] = []
        reader.page.on("response", lambda answer: answers.append(answer))
        reader.open(path)
        reader.page.wait_for_load_state("networkidle")
        sizes = {answer.url.removeprefix(reader.address): len(answer.body()) for answer in answers}
        assert len(sizes) > 4, "the page, its styles, its script"
        assert sum(sizes.values()) <= FIRST_LOAD, sizes


def test_what_was_loaded_once_is_not_loaded_again(someone: Someone) -> None:
    with someone("aino") as aino:
        aino.open("/clients")
        asked: list[str] = []
        aino.page.on("response", lambda answer: asked.append(answer.url) if not answer.from_service_worker else None)
        aino.open("/clients/samuli")
        aino.page.wait_for_load_state("networkidle")
        again = aino.page.evaluate(
            "() => performance.getEntriesByType('resource').filter(one => one.transferSize > 0).map(one => one.name)"
        )
        shared = [url for url in again if "polku.css" in url or "hds-core" in url or "htmx" in url]
        assert (bool(asked), shared) == (True, [])


def _typed(someone: Person) -> None:
    """A note that a script would run in, typed into a form that is not sent."""
    someone.open("/clients/samuli/record/contact")
    someone.page.locator("main textarea").fill('<script>document.title = "yes"</script>')
    someone.page.locator('.buttons button[value="record"]').click()


def test_what_was_typed_stands_there_again_as_text(someone: Someone) -> None:
    with someone("aino") as aino:
        _typed(aino)
        expect(aino.page.locator("#mistakes")).to_be_visible()
        assert aino.page.locator("main textarea").input_value() == '<script>document.title = "yes"</script>'
        assert aino.page.title() != "yes"
        assert aino.page.locator("main script").count() == 0
