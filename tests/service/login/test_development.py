"""The demo's identity provider: real OpenID Connect, and nobody outside the demo takes its word."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from pydantic import ValidationError

from service.access.principal import ORGANISATION_KINDS, ROLES, roles_open_to
from service.login.development import (
    AUDIENCE,
    CLIENT_ID,
    CODE_LIFE,
    LARGEST_BODY,
    MOST_CODES,
    DevelopmentIdentity,
    demo_users,
)
from service.login.routes import development_router
from service.login.settings import DEVELOPMENT_PATH, OidcSettings
from service.settings import Settings
from service.store import Database
from tests.service.conftest import Clock
from tests.service.login.outside import REGION, Browser, Server, form_of, query_of, service, text_of


@pytest.fixture
def demo(service_server: Server, database: Database, clock: Clock) -> Iterator[Browser]:
    """A browser at the demo: the service and its identity provider, in one application."""
    settings = Settings(region=REGION, demo=True, public_url=service_server.url)
    made = service(settings, database, clock)
    service_server.app = made
    with Browser(service_server.url, service_server.address) as browser:
        yield browser
    made.state.login.provider.close()


@pytest.fixture
def identity(service_server: Server, clock: Clock) -> DevelopmentIdentity:
    """The provider by itself."""
    return DevelopmentIdentity(service_server.url, REGION, clock)


def token_for(demo: Browser, user: str) -> httpx.Response:
    """A bearer token, as docs/login.md has developers get one."""
    asked = {"grant_type": "client_credentials", "client_id": "developer", "user": user}
    return demo.post(f"{DEVELOPMENT_PATH}/token", data=asked)


# --- the demo as it is used ---


@pytest.mark.parametrize("user", sorted(demo_users()))
def test_every_invented_user_can_log_in(demo: Browser, user: str) -> None:
    assert demo.log_in(user).status_code == 303
    who = demo.get("/identified").json()
    told = demo_users()[user]
    assert who["user"] == user
    assert who["roles"] == list(told.roles)
    assert (who["organisation"], who["organisation_kind"], who["team"]) == (
        told.organisation,
        told.organisation_kind,
        told.team,
    )


@pytest.mark.parametrize("user", sorted(demo_users()))
def test_a_developer_gets_a_token_for_every_user(demo: Browser, user: str) -> None:
    answer = token_for(demo, user)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json()["access_token"]
    who = demo.get("/identified", headers={"Authorization": f"Bearer {token}"}).json()
    assert (who["user"], who["program"]) == (user, True)


def test_one_logs_out_of_the_demo(demo: Browser, service_server: Server) -> None:
    demo.log_in()
    there = demo.post("/logout", headers={"Origin": service_server.url}).headers["Location"]
    assert demo.get(there).headers["Location"] == f"{service_server.url}/logout"
    assert demo.get("/who").status_code == 401


def test_the_users_cover_every_role_and_kind_of_organisation_and_two_teams() -> None:
    users = demo_users().values()
    assert {role for user in users for role in user.roles} == set(ROLES) - {"client"}
    assert {user.organisation_kind for user in users} == set(ORGANISATION_KINDS)
    assert any(user.organisation_kind == "provider" and user.team is None for user in users)
    teams = {(user.organisation, user.team) for user in users if "social_worker" in user.roles}
    assert len(teams) >= 2
    assert any(len(user.roles) > 1 for user in users)
    for user in users:
        assert roles_open_to(user.organisation_kind, user.roles) == user.roles


# --- the page ---


@pytest.mark.parametrize(
    ("lang", "text"), [("fi", "Kenenä kirjaudut?"), ("sv", "Som vem"), ("en", "Who do you log in as?")]
)
def test_the_page_lists_the_users_in_three_languages(demo: Browser, lang: str, text: str) -> None:
    answer = demo.get(demo.begin(), headers={"Accept-Language": lang})
    assert answer.status_code == 200
    assert f'<html lang="{lang}">' in answer.text
    shown = text_of(answer.text)
    assert text in shown
    for user in demo_users().values():
        assert user.name in shown
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert " style=" not in answer.text
    assert " on" not in answer.text.split("<main>")[1].replace(" on ", " ")  # no inline handlers


def test_the_language_may_be_asked_for(demo: Browser) -> None:
    assert "Som vem" in demo.get(f"{demo.begin()}&ui_locales=sv-FI%20fi", headers={"Accept-Language": "en"}).text


def test_what_is_carried_through_the_page_is_escaped(demo: Browser) -> None:
    nasty = '"><script>alert(1)</script>'
    asked = {**query_of(demo.begin()), "state": nasty, "nonce": nasty}
    page = demo.get(f"{DEVELOPMENT_PATH}/authorize", params=asked).text
    assert "<script" not in page
    assert form_of(page)[0]["state"] == nasty


def test_one_can_give_up(demo: Browser) -> None:
    there = demo.begin()
    fields, action = form_of(demo.get(there).text)
    back = demo.post(action, data={**fields, "cancel": "yes"}).headers["Location"]
    assert query_of(back)["error"] == "access_denied"
    assert demo.get(back).status_code == 400


# --- as a provider ---


def test_discovery_says_what_it_does(demo: Browser, service_server: Server) -> None:
    told = demo.get(f"{DEVELOPMENT_PATH}/.well-known/openid-configuration").json()
    assert told["issuer"] == service_server.url + DEVELOPMENT_PATH
    assert told["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"):
        assert told[name].startswith(told["issuer"] + "/")
    keys = demo.get(told["jwks_uri"]).json()
    assert {"d", "p", "q"}.isdisjoint(keys["keys"][0])


def test_its_tokens_are_what_they_should_be(demo: Browser, clock: Clock) -> None:
    keys = KeySet.import_key_set(demo.get(f"{DEVELOPMENT_PATH}/jwks").json())
    token = jwt.decode(token_for(demo, "urho").json()["access_token"], keys, algorithms=["ES256"])
    now = int(clock().timestamp())
    assert token.header["typ"] == "at+jwt"
    assert token.claims["aud"] == AUDIENCE
    assert token.claims["client_id"] == "developer"
    assert (token.claims["iat"], token.claims["exp"]) == (now, now + 3600)
    assert token.claims["polku_roles"] == ["social_worker", "team_leader"]
    assert token.claims["polku_region"] == REGION


def test_keys_are_made_at_every_start(service_server: Server, clock: Clock, identity: DevelopmentIdentity) -> None:
    assert DevelopmentIdentity(service_server.url, REGION, clock).jwks() != identity.jwks()


def code_of(identity: DevelopmentIdentity, **also: str) -> tuple[dict[str, str], str]:
    """A code, got by the rules, and what a good request for its tokens carries."""
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    verifier = "v" * 43
    asked = {**REQUEST, "redirect_uri": identity.redirect_uri, "code_challenge": create_s256_code_challenge(verifier)}
    back = identity.answer("POST", "/authorize", body=urlencode({**asked, "user": "aino"})).location
    assert back is not None
    code = query_of(back)["code"]
    good = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "redirect_uri": identity.redirect_uri,
        "code": code,
        "code_verifier": verifier,
    }
    return {**good, **also}, code


REQUEST = {
    "response_type": "code",
    "client_id": CLIENT_ID,
    "scope": "openid",
    "state": "s",
    "nonce": "n",
    "code_challenge": "c" * 43,
    "code_challenge_method": "S256",
}


def redeem(identity: DevelopmentIdentity, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
    answer = identity.answer("POST", "/token", body=urlencode(asked))
    return answer.status, json.loads(answer.body)


def test_a_code_is_redeemed_once(identity: DevelopmentIdentity) -> None:
    asked, _ = code_of(identity)
    status, tokens = redeem(identity, asked)
    assert status == 200
    assert {"access_token", "id_token", "token_type", "expires_in"} <= set(tokens)
    assert redeem(identity, asked) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize(
    "spoilt",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"code_verifier": "ä"},
        {"code": "x"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": ""},
    ],
)
def test_a_code_is_redeemed_only_by_who_asked_for_it(identity: DevelopmentIdentity, spoilt: dict[str, str]) -> None:
    asked, code = code_of(identity, **spoilt)
    assert redeem(identity, asked) == (400, {"error": "invalid_grant"})
    if "code" not in spoilt:  # a code shown with something wrong is used up
        good, _ = code_of(identity)
        assert redeem(identity, {**good, "code": code}) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize("client", ["developer", "", "POLKU"])
def test_a_code_is_its_clients(identity: DevelopmentIdentity, client: str) -> None:
    asked, _ = code_of(identity, client_id=client)
    assert redeem(identity, asked) == (400, {"error": "invalid_client"})


def test_a_code_is_good_for_a_minute(identity: DevelopmentIdentity, clock: Clock) -> None:
    early, _ = code_of(identity)
    late, _ = code_of(identity)
    clock.advance(seconds=CODE_LIFE.total_seconds() - 1)
    assert redeem(identity, early)[0] == 200
    clock.advance(seconds=1)
    assert redeem(identity, late) == (400, {"error": "invalid_grant"})


def test_codes_never_redeemed_do_not_pile_up(identity: DevelopmentIdentity) -> None:
    for _ in range(MOST_CODES + 5):
        code_of(identity)
    assert len(identity._codes) == MOST_CODES


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": CLIENT_ID, "user": "aino"}, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "developer"}, "invalid_request"),
        ({"grant_type": "client_credentials", "client_id": "developer", "user": "nobody"}, "invalid_request"),
    ],
)
def test_other_requests_for_tokens_are_refused(
    identity: DevelopmentIdentity, asked: dict[str, str], error: str
) -> None:
    assert redeem(identity, asked) == (400, {"error": error})


@pytest.mark.parametrize(
    "redirect_uri", ["https://evil.example/", "", "{}/", "{}?x=1", "{}#x", "{}/../evil", "{}@evil.example", None]
)
def test_nothing_is_sent_to_an_address_that_is_not_the_services(
    identity: DevelopmentIdentity, redirect_uri: str | None
) -> None:
    asked = dict(REQUEST)
    if redirect_uri is not None:
        asked["redirect_uri"] = redirect_uri.format(identity.redirect_uri)
    for method, query, body in (("GET", urlencode(asked), ""), ("POST", "", urlencode({**asked, "user": "aino"}))):
        answer = identity.answer(method, "/authorize", query, body)
        assert (answer.status, answer.location) == (400, None)


@pytest.mark.parametrize(
    ("spoilt", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "ä" * 43}, "invalid_request"),
    ],
)
def test_a_login_without_pkce_or_of_another_kind_is_sent_back(
    identity: DevelopmentIdentity, spoilt: dict[str, str], error: str
) -> None:
    asked = {**REQUEST, "redirect_uri": identity.redirect_uri, **spoilt}
    for answer in (
        identity.answer("GET", "/authorize", urlencode(asked)),
        identity.answer("POST", "/authorize", body=urlencode({**asked, "user": "aino"})),
    ):
        assert answer.status == 303
        assert answer.location is not None
        assert answer.location.startswith(f"{identity.redirect_uri}?error={error}")


def test_someone_unknown_does_not_log_in(identity: DevelopmentIdentity) -> None:
    asked = {**REQUEST, "redirect_uri": identity.redirect_uri}
    assert identity.answer("POST", "/authorize", body=urlencode({**asked, "user": "nobody"})).status == 400
    assert identity.answer("POST", "/authorize", body=urlencode(asked)).status == 400


@pytest.mark.parametrize("back", ["https://evil.example/", "", None])
def test_logging_out_leads_nowhere_else(identity: DevelopmentIdentity, back: str | None) -> None:
    asked = {"client_id": CLIENT_ID} if back is None else {"client_id": CLIENT_ID, "post_logout_redirect_uri": back}
    answer = identity.answer("GET", "/end_session", urlencode(asked))
    assert (answer.status, answer.location) == (200, None)


@pytest.mark.parametrize(
    ("method", "path", "query", "status"),
    [
        ("GET", "/", "", 404),
        ("GET", "/../../etc/passwd", "", 404),
        ("GET", "/token", "", 405),
        ("DELETE", "/authorize", "", 404),
        ("POST", "/jwks", "", 404),
        ("GET", "/authorize", "client_id=polku&client_id=polku", 400),
        ("GET", "/authorize", "&".join(f"a{n}=1" for n in range(40)), 400),
        ("GET", "/authorize", "client_id=%ff", 400),
    ],
)
def test_other_requests_are_refused(
    identity: DevelopmentIdentity, method: str, path: str, query: str, status: int
) -> None:
    assert identity.answer(method, path, query).status == status


def test_a_huge_request_is_refused(demo: Browser) -> None:
    assert demo.post(f"{DEVELOPMENT_PATH}/token", content=b"a" * (LARGEST_BODY + 1)).status_code == 413


def test_inside_the_process_it_answers_for_its_own_address_alone(identity: DevelopmentIdentity) -> None:
    with httpx.Client(transport=identity.transport()) as client:
        assert client.get(f"{identity.issuer}/jwks").json() == identity.jwks()
        for other in ("https://evil.example/jwks", identity.issuer, identity.issuer + "x/jwks"):
            assert client.get(other).status_code == 404


# --- nobody else takes its word ---


def test_a_service_that_trusts_a_development_provider_does_not_start() -> None:
    for issuer in ("http://127.0.0.1:8000", "https://polku.example.fi", "https://demo.example.fi/polku"):
        for end in (DEVELOPMENT_PATH, f"{DEVELOPMENT_PATH}/"):
            with pytest.raises(ValidationError, match="development identity provider"):
                OidcSettings(issuer=issuer + end, client_id=CLIENT_ID, audience=AUDIENCE)


def test_under_another_address_it_is_known_by_what_it_says_of_itself(
    provider_server: Server, service_server: Server, database: Database, clock: Clock
) -> None:
    """Someone puts a demo behind an address that looks like a real provider's."""
    identity = DevelopmentIdentity(service_server.url, REGION, clock)
    identity.issuer = f"{provider_server.url}{DEVELOPMENT_PATH}/hidden"
    from fastapi import APIRouter, FastAPI, Request
    from starlette.responses import Response

    router = APIRouter()

    @router.api_route("/{path:path}", methods=["GET", "POST"])
    async def answer(request: Request, path: str) -> Response:
        told = identity.answer(request.method, f"/{path}".removeprefix(f"{DEVELOPMENT_PATH}/hidden"))
        return Response(told.body, told.status, told.headers)

    hidden = FastAPI(openapi_url=None)
    hidden.include_router(router)
    provider_server.app = hidden
    oidc = OidcSettings(issuer=identity.issuer, client_id=CLIENT_ID, audience=AUDIENCE)
    service_server.app = made = service(
        Settings(region=REGION, oidc=oidc, public_url=service_server.url), database, clock
    )
    token = identity.sign(identity.claims(demo_users()["aino"], AUDIENCE), typ="at+jwt")
    answer_ = httpx.get(f"{service_server.url}/who", headers={"Authorization": f"Bearer {token}"})
    made.state.login.provider.close()
    assert answer_.status_code == 503


def test_its_tokens_are_refused_by_a_service_without_demo(
    browser: Browser, outside: Any, service_server: Server, clock: Clock
) -> None:
    for issuer in (service_server.url + DEVELOPMENT_PATH, outside.issuer):
        identity = DevelopmentIdentity(service_server.url, REGION, clock)
        identity.issuer = issuer
        token = identity.sign(identity.claims(demo_users()["aino"], AUDIENCE), typ="at+jwt")
        assert browser.get("/who", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_without_demo_its_addresses_do_not_exist(browser: Browser) -> None:
    for path in ("/.well-known/openid-configuration", "/authorize", "/token", "/jwks", "/end_session"):
        assert browser.get(DEVELOPMENT_PATH + path).status_code == 404


def test_the_demo_trusts_no_other_provider(demo: Browser, outside: Any) -> None:
    assert demo.get("/who", headers={"Authorization": f"Bearer {outside.token()}"}).status_code == 401


def test_its_addresses_stand_in_no_api_document(identity: DevelopmentIdentity) -> None:
    assert all(not route.include_in_schema for route in development_router(identity).routes)  # type: ignore[attr-defined]
