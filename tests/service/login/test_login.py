"""Logging in in a browser: the whole way, and every way of bringing someone else's answer."""

import base64
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from service.login.development import AUDIENCE, CLIENT_ID, _Wrong, demo_users
from service.login.login import Begun, LoginFailed, local, read_begun
from service.login.routes import MOST_BEGUN
from tests.service.conftest import Clock
from tests.service.login.outside import Browser, Outside, Server, another_key, query_of, text_of


def problem(answer: httpx.Response, slug: str) -> None:
    """That the login came to nothing, with a page that says so and without a session."""
    expected = {"login-failed": 400, "not-admitted": 403, "login-unavailable": 503}[slug]
    assert answer.status_code == expected, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "polku=" not in answer.headers.get("Set-Cookie", "")


def cookies_of(answer: httpx.Response) -> SimpleCookie:
    """The cookies an answer sets."""
    found = SimpleCookie()
    for line in answer.headers.get_list("Set-Cookie"):
        found.load(line)
    return found


def test_a_person_logs_in_and_is_known(browser: Browser, outside: Outside) -> None:
    assert browser.get("/who").status_code == 401
    answer = browser.log_in("martta", next="/v1/cases?limit=5")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/v1/cases?limit=5"
    who = browser.get("/who").json()
    assert (who["user"], who["role"], who["team"], who["program"]) == ("martta", "team_leader", "team-1", False)


def test_what_is_asked_of_the_provider(browser: Browser, outside: Outside, service_server: Server) -> None:
    there = browser.begin()
    assert there.startswith(f"{outside.issuer}/authorize?")
    asked = query_of(there)
    assert asked["response_type"] == "code"
    assert asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == f"{service_server.url}/login/callback"
    assert asked["scope"] == "openid"
    assert asked["code_challenge_method"] == "S256"
    assert "code_verifier" not in asked
    again = query_of(browser.begin())
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) == 43
        assert again[name] != asked[name]
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3


def test_what_the_browser_keeps_is_not_what_it_is_sent_with(browser: Browser) -> None:
    there = browser.begin()
    for value in query_of(there).values():
        assert value not in str(list(browser.cookies.values()))


def test_no_answer_of_login_is_stored_or_framed(browser: Browser) -> None:
    for answer in (browser.get("/login"), browser.get("/logout"), browser.get("/login/callback"), browser.log_in()):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "script" not in answer.text


# --- cookies ---


def test_over_tls_the_cookies_are_the_hosts_own(
    started: Callable[..., FastAPI], outside: Outside, service_server: Server
) -> None:
    url = "https://polku.example.fi"
    started(public_url=url)
    outside.redirect_uri = f"{url}/login/callback"
    with Browser(url, service_server.address) as browser:
        begun = cookies_of(browser.get("/login"))
        there = browser.begin()
        done = cookies_of(browser.get(browser.choose(there, "aino")))
        assert browser.get("/who").json()["user"] == "aino"
    session = done.pop("__Host-polku")
    forgotten = list(done.values())
    for cookie in (*begun.values(), session, *forgotten):
        assert cookie.key.startswith("__Host-polku")
        assert cookie["secure"] is True
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "lax"
        assert cookie["path"] == "/"
        assert cookie["domain"] == ""
    assert session["max-age"] == ""  # ends with the browser; when it ends at the latest is the server's to say
    assert [cookie["max-age"] for cookie in begun.values()] == ["600"]
    assert [cookie["max-age"] for cookie in forgotten] == ["0"]
    assert len(session.value) >= 43


def test_on_this_machine_without_tls_cookies_work_all_the_same(browser: Browser) -> None:
    cookie = cookies_of(browser.log_in())["polku"]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "lax"
    assert cookie["secure"] == ""


def test_a_session_that_was_put_into_the_browser_is_not_taken_over(browser: Browser) -> None:
    """Session fixation: an id an attacker knows must not become the victim's."""
    browser.cookies.set("polku", "known-to-the-attacker", domain="127.0.0.1")
    browser.log_in()
    assert browser.cookies["polku"] != "known-to-the-attacker"
    with httpx.Client(base_url=browser.base_url, cookies={"polku": "known-to-the-attacker"}) as attacker:
        assert attacker.get("/who").status_code == 401


def test_a_new_login_ends_the_session_before_it(browser: Browser) -> None:
    browser.log_in("aino")
    before = browser.cookies["polku"]
    browser.log_in("vieno")
    assert browser.get("/who").json()["user"] == "vieno"
    with httpx.Client(base_url=browser.base_url, cookies={"polku": before}) as old:
        assert old.get("/who").status_code == 401


def test_several_logins_may_be_under_way_in_one_browser(browser: Browser) -> None:
    first, second = browser.begin(next="/first"), browser.begin(next="/second")
    assert browser.get(browser.choose(first, "aino")).headers["Location"] == "/first"
    assert browser.get(browser.choose(second, "aino")).headers["Location"] == "/second"


def test_logins_never_finished_do_not_pile_up(browser: Browser) -> None:
    for _ in range(MOST_BEGUN * 3):
        browser.begin()
    assert len(browser.cookies) <= MOST_BEGUN + 1


# --- where to go on to ---


@pytest.mark.parametrize(
    "address", ["/", "/v1/cases", "/v1/cases?limit=5&after=x#top", "/a//b", "/a/%2f%2fevil.example"]
)
def test_a_path_of_this_service_is_gone_on_to(browser: Browser, address: str) -> None:
    assert browser.log_in(next=address).headers["Location"] == address


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "http:evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\x00/evil",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/ä",
        "/a b",
        "/" + "x" * 500,
        "/a\r\nSet-Cookie: polku=x",
        "/a\\..\\b",
    ],
)
def test_an_address_that_could_lead_elsewhere_is_refused(browser: Browser, address: str) -> None:
    problem(browser.get("/login", params={"next": address}), "login-failed")
    with pytest.raises(LoginFailed):
        local(address)


def test_the_address_is_looked_at_again_on_the_way_back(browser: Browser) -> None:
    """Whoever could write the cookie must not be able to send the person elsewhere after all."""
    there = browser.begin(next="/v1/cases")
    (name,) = (name for name in browser.cookies if name.startswith("polku-login-"))
    begun = read_begun(browser.cookies[name])
    assert begun is not None
    browser.cookies.set(name, Begun(begun.secret, begun.at, "//evil.example").cookie, domain="127.0.0.1")
    problem(browser.get(browser.choose(there, "aino")), "login-failed")


# --- the answer of the provider ---


def test_an_answer_to_a_login_of_another_browser_is_refused(browser: Browser, service_server: Server) -> None:
    """Login CSRF: an attacker sends the victim the answer to their own login."""
    with Browser(service_server.url, service_server.address) as attacker:
        back = attacker.choose(attacker.begin(), "tarmo")
    problem(browser.get(back), "login-failed")
    browser.begin()  # also when the victim is about to log in themselves
    problem(browser.get(back), "login-failed")
    assert browser.get("/who").status_code == 401


def test_an_attackers_code_under_the_victims_state_is_refused(browser: Browser, service_server: Server) -> None:
    with Browser(service_server.url, service_server.address) as attacker:
        stolen = query_of(attacker.choose(attacker.begin(), "tarmo"))["code"]
    own = query_of(browser.choose(browser.begin(), "aino"))
    problem(browser.get("/login/callback", params={**own, "code": stolen}), "login-failed")


def test_a_code_works_once(browser: Browser, service_server: Server) -> None:
    there = browser.begin()
    kept = dict(browser.cookies)
    back = browser.choose(there, "aino")
    assert browser.get(back).status_code == 303
    problem(browser.get(back), "login-failed")  # the login's cookie is gone
    with Browser(service_server.url, service_server.address) as copy:
        copy.cookies.update(kept)  # and with a copy of it, the provider knows the code as used
        problem(copy.get(back), "login-failed")


def test_a_login_ends_with_its_first_answer_also_when_that_was_wrong(browser: Browser) -> None:
    own = query_of(browser.choose(browser.begin(), "aino"))
    problem(browser.get("/login/callback", params={**own, "code": "x"}), "login-failed")
    problem(browser.get("/login/callback", params=own), "login-failed")


def test_a_login_that_took_too_long_is_refused(browser: Browser, outside: Outside, clock: Clock) -> None:
    there = browser.begin()
    clock.advance(minutes=10)
    problem(browser.get(browser.choose(there, "aino")), "login-failed")
    there = browser.begin()
    clock.advance(minutes=-1)
    problem(browser.get(browser.choose(there, "aino")), "login-failed")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"state": ""},
        {"state": "x" * 43},
        {"state": "ä" * 8},
        {"code": ""},
        {"code": "x"},
        {"code": "x" * 5_000},
        {"iss": "https://evil.example"},
        {"iss": ""},
        {"error": "access_denied"},
    ],
)
def test_a_spoilt_answer_is_refused(browser: Browser, spoilt: dict[str, str]) -> None:
    own = query_of(browser.choose(browser.begin(), "aino"))
    problem(browser.get("/login/callback", params={**own, **spoilt}), "login-failed")


def test_a_state_that_is_only_nearly_the_right_one_is_refused(browser: Browser) -> None:
    """A part of the state names the login's cookie; all of it must be right."""
    for spoil in (lambda s: s[:-1], lambda s: f"{s}x", lambda s: s[:8], lambda s: f"{s[:8]}{'x' * 35}"):
        own = query_of(browser.choose(browser.begin(), "aino"))
        problem(browser.get("/login/callback", params={**own, "state": spoil(own["state"])}), "login-failed")


@pytest.mark.parametrize("left_out", ["state", "code", "iss"])
def test_an_answer_that_leaves_something_out_is_refused(browser: Browser, left_out: str) -> None:
    own = query_of(browser.choose(browser.begin(), "aino"))
    del own[left_out]
    problem(browser.get("/login/callback", params=own), "login-failed")


@pytest.mark.parametrize("twice", ["state", "code", "iss"])
def test_an_answer_that_says_something_twice_is_refused(browser: Browser, twice: str) -> None:
    own = query_of(browser.choose(browser.begin(), "aino"))
    problem(browser.get(f"/login/callback?{urlencode([*own.items(), (twice, own[twice])])}"), "login-failed")


def test_a_provider_that_does_not_name_itself_need_not(browser: Browser, outside: Outside) -> None:
    outside.metadata_also = {"authorization_response_iss_parameter_supported": False}
    own = query_of(browser.choose(browser.begin(), "aino"))
    del own["iss"]
    assert browser.get("/login/callback", params=own).status_code == 303


def test_who_gives_up_at_the_provider_can_begin_again(browser: Browser) -> None:
    there = browser.begin()
    answer = browser.get("/login/callback", params={"error": "access_denied", "state": query_of(there)["state"]})
    problem(answer, "login-failed")
    assert 'href="/login"' in answer.text


# --- the id token ---


def spoilt_login(browser: Browser, outside: Outside, make: Callable[[str], object]) -> httpx.Response:
    """A login at whose end the provider sends another id token, made from the right nonce."""
    there = browser.begin()
    outside.tokens_also = {"id_token": make(query_of(there)["nonce"])}
    return browser.get(browser.choose(there, "aino"))


AINO = demo_users()["aino"]


@pytest.mark.parametrize(
    "also",
    [
        {},
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID},
        {"azp": CLIENT_ID},
        {"at_hash": "whatever"},
        {"name": "Aino Esimerkki", "email": "aino@example.fi"},
    ],
)
def test_good_id_tokens_are_accepted(browser: Browser, outside: Outside, also: dict[str, Any]) -> None:
    answer = spoilt_login(browser, outside, lambda nonce: outside.sign(outside.id_claims(AINO, nonce, **also)))
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "also",
    [
        {"nonce": None},
        {"nonce": "another"},
        {"nonce": ""},
        {"nonce": 1},
        {"nonce": "\ud800"},
        {"aud": "another-client"},
        {"aud": AUDIENCE},
        {"aud": []},
        {"aud": None},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"azp": "another"},
        {"azp": 1},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": None},
        {"exp": None},
        {"iat": None},
        {"exp": 1_000_000_000},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
    ],
)
def test_a_wrong_id_token_is_refused(browser: Browser, outside: Outside, also: dict[str, Any]) -> None:
    def spoilt(nonce: str) -> str:
        return outside.signed({"typ": "JWT"}, outside.id_claims(AINO, nonce, **also))

    problem(spoilt_login(browser, outside, spoilt), "login-failed")


def test_an_id_token_by_another_key_is_refused(browser: Browser, outside: Outside) -> None:
    forged = another_key(outside.key.kid)
    problem(
        spoilt_login(browser, outside, lambda nonce: outside.sign(outside.id_claims(AINO, nonce), key=forged)),
        "login-failed",
    )


def test_an_unsigned_id_token_is_refused(browser: Browser, outside: Outside) -> None:
    """Also straight from the provider over TLS, where OpenID Connect would let it pass."""
    problem(
        spoilt_login(browser, outside, lambda nonce: outside.signed({"alg": "none"}, outside.id_claims(AINO, nonce))),
        "login-failed",
    )


def test_an_access_token_is_no_id_token(browser: Browser, outside: Outside) -> None:
    problem(spoilt_login(browser, outside, lambda _: outside.token()), "login-failed")
    problem(
        spoilt_login(browser, outside, lambda nonce: outside.sign(outside.id_claims(AINO, nonce), typ="at+jwt")),
        "login-failed",
    )


@pytest.mark.parametrize("token", [None, "", 7, [], {}])
def test_a_provider_that_sends_no_id_token_is_broken(browser: Browser, outside: Outside, token: object) -> None:
    problem(spoilt_login(browser, outside, lambda _: token), "login-failed" if token == "" else "login-unavailable")


# --- who is admitted ---


def test_who_has_no_role_here_is_told_so(browser: Browser, outside: Outside) -> None:
    answer = spoilt_login(
        browser, outside, lambda nonce: outside.sign(outside.id_claims(AINO, nonce, polku_roles=["baker"]))
    )
    problem(answer, "not-admitted")
    assert "ei ole pääsyä" in text_of(answer.text)


def test_claims_may_come_from_the_userinfo_endpoint(browser: Browser, outside: Outside) -> None:
    ours = [name for name in outside.access() if name.startswith("polku_")]
    outside.told_at_userinfo = {"sub": "aino", **{name: outside.access()[name] for name in ours}}
    bare = dict.fromkeys(ours)
    answer = spoilt_login(browser, outside, lambda nonce: outside.sign(outside.id_claims(AINO, nonce, **bare)))
    assert answer.status_code == 303
    assert outside.authorization.startswith("Bearer ")
    assert browser.get("/who").json()["team"] == "team-1"


def test_userinfo_about_someone_else_counts_for_nothing(browser: Browser, outside: Outside) -> None:
    ours = dict.fromkeys(name for name in outside.access() if name.startswith("polku_"))
    outside.told_at_userinfo = outside.access("tarmo")
    problem(
        spoilt_login(browser, outside, lambda nonce: outside.sign(outside.id_claims(AINO, nonce, **ours))),
        "not-admitted",
    )


def test_userinfo_does_not_overrule_the_id_token(browser: Browser, outside: Outside) -> None:
    outside.told_at_userinfo = {**outside.access("aino"), "polku_roles": ["auditor"]}
    answer = spoilt_login(
        browser, outside, lambda nonce: outside.sign(outside.id_claims(AINO, nonce, polku_organisation=None))
    )
    assert answer.status_code == 303
    assert browser.get("/who").json()["roles"] == ["social_worker"]


def test_userinfo_is_not_asked_for_what_is_known(browser: Browser, outside: Outside) -> None:
    outside.told_at_userinfo = {"sub": "aino"}
    browser.log_in()
    assert outside.asked["/userinfo"] == 0


# --- claims and levels as the settings name them ---


def test_claims_may_be_called_otherwise(started: Callable[..., FastAPI], browser: Browser, outside: Outside) -> None:
    started(
        user_claim="employee_number",
        roles_claim="/realm_access/roles",
        role_names={"PH-Omatyöntekijät": "social_worker"},
        region_claim="/https:~1~1polku.fi~1claims/region",
        scopes="openid polku",
    )
    told = {
        "employee_number": "h-0042",
        "realm_access": {"roles": ["PH-Omatyöntekijät", "uma_authorization"]},
        "https://polku.fi/claims": {"region": "testila"},
        "polku_roles": None,
        "polku_region": None,
    }
    there = browser.begin()
    assert query_of(there)["scope"] == "openid polku"
    outside.tokens_also = {"id_token": outside.sign(outside.id_claims(AINO, query_of(there)["nonce"], **told))}
    assert browser.get(browser.choose(there, "aino")).status_code == 303
    who = browser.get("/who").json()
    assert (who["user"], who["roles"]) == ("h-0042", ["social_worker"])


def test_a_level_of_authentication_can_be_required(
    started: Callable[..., FastAPI], browser: Browser, outside: Outside
) -> None:
    started(acr="strong stronger")
    assert query_of(browser.begin())["acr_values"] == "strong stronger"
    for level, status in ((None, 400), ("weak", 400), ("strong stronger", 400), (["strong"], 400), ("strong", 303)):
        answer = spoilt_login(
            browser, outside, lambda nonce, acr=level: outside.sign(outside.id_claims(AINO, nonce, acr=acr))
        )
        assert answer.status_code == status, level


# --- the provider as a server ---


def test_a_provider_that_cannot_be_reached_is_told(browser: Browser, outside: Outside, clock: Clock) -> None:
    outside.broken = {"*"}
    answer = browser.get("/login")
    problem(answer, "login-unavailable")
    assert answer.headers["Retry-After"] == "60"
    told = browser.get("/login", headers={"Accept": "application/json"})
    assert told.status_code == 503
    assert told.json()["type"] == "/problems/login-unavailable"


@pytest.mark.parametrize("path", ["/token", "/jwks"])
def test_a_provider_that_breaks_down_on_the_way_is_told(browser: Browser, outside: Outside, path: str) -> None:
    back = browser.choose(browser.begin(), "aino")
    outside.broken = {path}
    problem(browser.get(back), "login-unavailable")


def test_sessions_go_on_while_the_provider_is_away(browser: Browser, outside: Outside, clock: Clock) -> None:
    browser.log_in()
    outside.broken = {"*"}
    for _ in range(6):
        clock.advance(minutes=20)
        assert browser.get("/who").status_code == 200


@pytest.mark.parametrize(
    ("auth", "secret"), [("client_secret_basic", "s:e/c+r%et ä"), ("client_secret_post", "s:e/c+r%et ä")]
)
def test_a_client_with_a_secret_shows_it(
    started: Callable[..., FastAPI], browser: Browser, outside: Outside, auth: str, secret: str
) -> None:
    started(client_secret=secret, client_auth=auth)
    shown: dict[str, str] = {}
    redeemed = outside._redeemed

    def noted(asked: Any) -> dict[str, Any]:
        shown.update(asked)
        return redeemed({"client_id": CLIENT_ID, **asked})

    outside._redeemed = noted  # type: ignore[method-assign]
    assert browser.log_in().status_code == 303
    if auth == "client_secret_post":
        assert shown["client_secret"] == secret
    else:
        assert "client_secret" not in shown
        name, _, told = base64.b64decode(outside.authorization.removeprefix("Basic ")).decode().partition(":")
        assert (unquote(name), unquote(told)) == (CLIENT_ID, secret)


def test_a_service_that_the_provider_refuses_is_told_as_unavailable(
    started: Callable[..., FastAPI], browser: Browser, outside: Outside
) -> None:
    outside.tokens_also = {}
    back = browser.choose(browser.begin(), "aino")

    def refusing(asked: Any) -> dict[str, Any]:
        raise _Wrong("invalid_client")

    outside._redeemed = refusing  # type: ignore[method-assign]
    problem(browser.get(back), "login-unavailable")


# --- pages ---


@pytest.mark.parametrize(
    ("accepted", "text"),
    [
        ("fi", "Kirjautuminen ei onnistunut"),
        ("sv-FI, fi;q=0.5", "Inloggningen lyckades inte"),
        ("en-GB", "did not succeed"),
    ],
)
def test_what_went_wrong_is_told_in_the_readers_language(browser: Browser, accepted: str, text: str) -> None:
    assert text in browser.get("/login/callback", headers={"Accept-Language": accepted}).text


def test_nothing_that_was_sent_along_is_shown(browser: Browser) -> None:
    for query in ({"error": "<script>alert(1)</script>"}, {"state": "<b>x</b>"}, {"next": "<b>x</b>"}):
        for path in ("/login", "/login/callback"):
            assert "<b>" not in browser.get(path, params=query).text.replace("<button", "")


def test_the_same_machine_by_another_name_is_led_to_the_services_own(browser: Browser, service_server: Server) -> None:
    port = urlsplit(service_server.url).port
    answer = browser.get("/login", params={"next": "/v1/cases?a=1&b=2"}, headers={"Host": f"localhost:{port}"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{service_server.url}/login?next=%2Fv1%2Fcases%3Fa%3D1%26b%3D2"
    for host in ("evil.example", f"evil.example:{port}", "[::1", ""):
        answer = browser.get("/login", headers={"Host": host})
        assert "evil" not in answer.headers.get("Location", "")


def test_a_proxy_that_changes_the_host_leads_to_no_circle(
    started: Callable[..., FastAPI], browser: Browser, outside: Outside
) -> None:
    started(public_url="https://polku.example.fi")
    for host in ("127.0.0.1:8000", "polku.internal.example", "polku.example.fi"):
        answer = browser.get("/login", headers={"Host": host})
        assert answer.headers["Location"].startswith(f"{outside.issuer}/authorize?"), host
