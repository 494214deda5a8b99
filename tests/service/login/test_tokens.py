"""Bearer tokens: a good one opens the API, and every forgery of one is refused."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from joserfc.jwk import ECKey, OKPKey, RSAKey

from service.login.development import CLIENT_ID, demo_users
from service.login.tokens import LEEWAY, LONGEST_TOKEN
from tests.service.conftest import Clock
from tests.service.login.outside import Browser, Outside, another_key, encoded

HOUR = 3600
Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(browser: Browser) -> Iterator[Ask]:
    """Asks the service who a token makes one."""

    def asked(token: str, path: str = "/who", **headers: str) -> httpx.Response:
        return browser.get(path, headers={"Authorization": f"Bearer {token}", **headers})

    return asked


def refused(answer: httpx.Response) -> str:
    """Why it was refused; that it says nothing of what the token held."""
    assert answer.status_code == 401, answer.text
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="polku", error="invalid_token"')
    assert answer.json()["type"] == "/problems/not-authenticated"
    return answer.json()["detail"]


def test_a_good_token_opens_the_api(ask: Ask, outside: Outside) -> None:
    answer = ask(outside.token("vieno"))
    assert answer.status_code == 200
    assert answer.json() == {
        "user": "vieno",
        "region": "testila",
        "organisation": "county-1",
        "organisation_kind": "county",
        "team": "team-1",
        "role": "job_coach",
        "roles": ["job_coach"],
        "program": True,
    }


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT"])
def test_the_types_of_access_tokens_are_accepted(ask: Ask, outside: Outside, typ: str) -> None:
    assert ask(outside.sign(outside.access(), typ=typ)).status_code == 200


def test_nobody_without_a_token_or_session(browser: Browser) -> None:
    answer = browser.get("/who")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="polku"'
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("alg", "kind", "size"),
    [
        ("RS256", RSAKey, 2048),
        ("PS256", RSAKey, 2048),
        ("ES256", ECKey, "P-256"),
        ("EdDSA", OKPKey, "Ed25519"),
        ("Ed25519", OKPKey, "Ed25519"),
    ],
)
def test_every_algorithm_of_the_list_is_accepted(
    ask: Ask, outside: Outside, alg: str, kind: type[Any], size: Any
) -> None:
    key = kind.generate_key(size, auto_kid=True)
    outside.publish(key)
    name = "Ed25519" if alg == "EdDSA" else alg  # the library no longer signs under the old name
    token = outside.sign(outside.access(), key=key, alg=name)
    if alg == "EdDSA":
        header, payload, _ = token.split(".")
        header = encoded({"alg": "EdDSA", "kid": key.kid, "typ": "at+jwt"})
        signature = key.private_key.sign(f"{header}.{payload}".encode())
        token = f"{header}.{payload}.{encoded(signature)}"
    assert ask(token).status_code == 200


# --- forged signatures ---


def test_a_token_signed_by_another_key_is_refused(ask: Ask, outside: Outside) -> None:
    assert "a key the identity provider does not have" in refused(
        ask(outside.sign(outside.access(), key=another_key()))
    )


def test_another_key_under_a_key_id_of_the_provider_is_refused(ask: Ask, outside: Outside) -> None:
    forged = outside.sign(outside.access(), key=another_key(outside.key.kid))
    assert "signature is wrong" in refused(ask(forged))


def test_a_token_without_signature_is_refused(ask: Ask, outside: Outside) -> None:
    for alg in ("none", "None", "NONE", ""):
        body = f"{encoded({'alg': alg, 'typ': 'at+jwt'})}.{encoded(outside.access())}"
        for token in (f"{body}.", body, f"{body}.AAAA"):
            refused(ask(token))


def test_a_good_signature_cut_off_or_emptied_is_refused(ask: Ask, outside: Outside) -> None:
    good = outside.token()
    head, payload, signature = good.split(".")
    for token in (
        f"{head}.{payload}.",
        f"{head}.{payload}",
        f"{head}.{payload}.{signature[:-4]}",
        f"{head}..{signature}",
    ):
        refused(ask(token))


def test_hs256_signed_with_the_public_key_is_refused(ask: Ask, outside: Outside) -> None:
    key = RSAKey.generate_key(2048, auto_kid=True)
    outside.publish(key)
    pem = key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    jwk = json.dumps(outside.published[0]).encode()
    for secret in (pem, pem.strip(), jwk):
        signed = f"{encoded({'alg': 'HS256', 'kid': key.kid, 'typ': 'at+jwt'})}.{encoded(outside.access())}"
        token = f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"
        assert "not signed by an algorithm that is accepted" in refused(ask(token))


@pytest.mark.parametrize(
    "alg", ["HS256", "HS512", "RS384", "RS512", "ES384", "ES512", "ES256K", "PS512", "Ed448", "dir"]
)
def test_an_algorithm_outside_the_list_is_refused(ask: Ask, outside: Outside, alg: str) -> None:
    _, payload, signature = outside.token().split(".")
    token = f"{encoded({'alg': alg, 'kid': outside.key.kid, 'typ': 'at+jwt'})}.{payload}.{signature}"
    assert "not signed by an algorithm that is accepted" in refused(ask(token))


def test_an_algorithm_that_does_not_suit_the_key_is_refused(ask: Ask, outside: Outside) -> None:
    rsa = RSAKey.generate_key(2048, auto_kid=True)
    outside.publish(rsa, outside.key)
    _, payload, signature = outside.token().split(".")
    mixed = encoded({"alg": "RS256", "kid": outside.key.kid, "typ": "at+jwt"})
    refused(ask(f"{mixed}.{payload}.{signature}"))
    mixed = encoded({"alg": "ES256", "kid": rsa.kid, "typ": "at+jwt"})
    refused(ask(f"{mixed}.{payload}.{signature}"))


@pytest.mark.parametrize("changed", ["roles", "region", "subject"])
def test_claims_changed_under_a_good_signature_are_refused(ask: Ask, outside: Outside, changed: str) -> None:
    header, _, signature = outside.token().split(".")
    also = {"roles": {"polku_roles": ["auditor"]}, "region": {"polku_region": "x"}, "subject": {"sub": "tarmo"}}[
        changed
    ]
    assert "signature is wrong" in refused(ask(f"{header}.{encoded(outside.access(**also))}.{signature}"))


# --- headers that lead astray ---


def test_keys_and_addresses_in_the_header_lead_nowhere(ask: Ask, outside: Outside) -> None:
    own = another_key()
    for astray in (
        {"jwk": own.as_dict(private=False)},
        {"jku": f"{outside.issuer}/evil-keys"},
        {"x5u": f"{outside.issuer}/evil-certificate"},
        {"x5c": [base64.b64encode(b"certificate").decode()]},
    ):
        for kid in (own.kid, outside.key.kid, None):
            refused(ask(outside.signed({**astray, "kid": kid}, key=own)))
    assert not {path for path in outside.asked if "evil" in path}


def test_other_members_of_the_header_do_not_spoil_a_good_token(ask: Ask, outside: Outside) -> None:
    assert ask(outside.signed({"x5t": "abc", "jku": "https://elsewhere.example", "own": 1})).status_code == 200


@pytest.mark.parametrize(
    "kid", ["../../../../dev/null", "' OR '1'='1", "\x00", "x" * 2_000, "", 1, ["a"], {"a": 1}, True, "\ud800"]
)
def test_a_key_id_is_only_ever_compared(ask: Ask, outside: Outside, kid: object) -> None:
    refused(ask(outside.signed({"kid": kid})))


@pytest.mark.parametrize(
    "also", [{"crit": ["exp"], "exp": 1}, {"crit": 7}, {"crit": []}, {"b64": False}, {"b64": True}]
)
def test_extensions_that_are_not_known_are_refused(ask: Ask, outside: Outside, also: dict[str, Any]) -> None:
    assert "extensions" in refused(ask(outside.signed(also)))


@pytest.mark.parametrize("alg", [1, ["ES256"], {"ES256": 1}, True, None, "es256", " ES256"])
def test_an_algorithm_must_be_named_exactly(ask: Ask, outside: Outside, alg: object) -> None:
    refused(ask(outside.signed({"alg": alg})))


# --- who it is for, and when ---


@pytest.mark.parametrize(
    "audience",
    [
        "another-api",
        CLIENT_ID,
        "",
        [],
        ["another-api"],
        "POLKU-API",
        "polku-api ",
        1,
        {"polku-api": 1},
        [["polku-api"]],
    ],
)
def test_a_token_for_another_audience_is_refused(ask: Ask, outside: Outside, audience: object) -> None:
    assert "claim aud" in refused(ask(outside.token(aud=audience)))


def test_a_token_for_several_audiences_is_accepted(ask: Ask, outside: Outside) -> None:
    assert ask(outside.token(aud=["another-api", "polku-api"])).status_code == 200


def test_a_token_of_another_issuer_is_refused(ask: Ask, outside: Outside) -> None:
    for issuer in ("https://evil.example", outside.issuer + "/", outside.issuer.upper(), "", 1, [outside.issuer]):
        assert "claim iss" in refused(ask(outside.token(iss=issuer))), issuer


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp", "iat"])
def test_a_token_that_leaves_out_a_claim_is_refused(ask: Ask, outside: Outside, claim: str) -> None:
    refused(ask(outside.token(**{claim: None})))


def test_a_token_lives_from_one_second_to_another(ask: Ask, outside: Outside, clock: Clock) -> None:
    now = int(clock().timestamp())
    token = outside.token(iat=now, nbf=now, exp=now + HOUR)
    clock.advance(seconds=HOUR + LEEWAY - 1)
    assert ask(token).status_code == 200
    clock.advance(seconds=1)
    assert refused(ask(token)).endswith("It has expired.")
    later = int(clock().timestamp()) + LEEWAY
    assert ask(outside.token(iat=later, nbf=later)).status_code == 200
    assert "claim nbf" in refused(ask(outside.token(nbf=later + 1)))
    assert "claim iat" in refused(ask(outside.token(iat=later + 1)))


@pytest.mark.parametrize("time", ["soon", True, [], {}, "9999999999", float("nan"), float("inf"), 10**400, -(10**400)])
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_a_time_that_is_none_is_refused(ask: Ask, outside: Outside, claim: str, time: object) -> None:
    if claim == "nbf" and time == -(10**400):
        return  # long since valid
    refused(ask(outside.token(**{claim: time})))


def test_a_token_that_lives_too_long_is_refused(
    outside: Outside, clock: Clock, ask: Ask, started: Callable[..., FastAPI]
) -> None:
    now = int(clock().timestamp())
    assert ask(outside.token(exp=now + 24 * HOUR)).status_code == 200
    assert "longer" in refused(ask(outside.token(exp=now + 24 * HOUR + 1)))
    started(token_hours=1)
    assert "longer" in refused(ask(outside.token(exp=now + HOUR + 1)))


# --- other kinds of token ---


def test_an_id_token_does_not_open_the_api(ask: Ask, outside: Outside) -> None:
    claims = outside.id_claims(demo_users()["aino"], "nonce")
    assert "claim aud" in refused(ask(outside.sign(claims)))
    # Also where the provider puts the API's audience into its id tokens.
    assert refused(ask(outside.sign({**claims, "aud": [CLIENT_ID, "polku-api"]}))).endswith("It is no access token.")


@pytest.mark.parametrize(
    "also", [{"typ": "ID"}, {"typ": "Refresh"}, {"typ": "Offline"}, {"events": {}}, {"at_hash": "x"}, {"nonce": "n"}]
)
def test_what_only_other_tokens_have_is_refused(ask: Ask, outside: Outside, also: dict[str, Any]) -> None:
    assert refused(ask(outside.sign(outside.access(**also)))).endswith("It is no access token.")


def test_a_token_that_says_what_it_is_may_have_more(ask: Ask, outside: Outside) -> None:
    assert ask(outside.token(nonce="n", typ="Bearer")).status_code == 200


@pytest.mark.parametrize("typ", ["logout+jwt", "secevent+jwt", "dpop+jwt", "id+jwt", "JWT ", "", None, 1, [], "JOSE"])
def test_another_type_is_refused(ask: Ask, outside: Outside, typ: object) -> None:
    assert refused(ask(outside.signed({"typ": typ}))).endswith(("It is no access token.", "It cannot be read."))


# --- no tokens at all ---


def test_rubbish_is_refused(ask: Ask, outside: Outside) -> None:
    good = outside.token()
    deep = base64.urlsafe_b64encode(b"[" * 3_000).decode().rstrip("=")
    cases = [".", "..", "...", "a.b.c", f"{good}.x", f"{good}.x.y", f"{good}=", f"={good}", f"{deep}.{deep}.{deep}"]
    cases += [
        f"{encoded(header)}.{encoded(outside.access())}.AAAA" for header in ([], "alg", 1, None, ["alg"], {}, b"{")
    ]
    for token in cases:
        refused(ask(token))


@pytest.mark.parametrize(
    "claims", [b"[]", b"1", b"null", b'"text"', b"{", b"\xff\xfe", b"", b"[" * 9_000, b'{"a":' * 1_500]
)
def test_a_signed_payload_that_is_no_set_of_claims_is_refused(ask: Ask, outside: Outside, claims: bytes) -> None:
    refused(ask(outside.signed({}, claims)))


def test_a_huge_token_is_refused_before_it_is_looked_at(ask: Ask, outside: Outside) -> None:
    longest = outside.token(padding="x" * 10_000)
    assert len(longest) < LONGEST_TOKEN
    assert ask(longest).status_code == 200
    asked = outside.asked.copy()
    for token in (outside.token(padding="x" * 13_000), "A" * 30_000, outside.signed({"own": "x" * 4_000})):
        assert refused(ask(token)).endswith("It is no signed token.")
    assert outside.asked == asked


def test_only_one_bearer_token_is_taken(browser: Browser, outside: Outside) -> None:
    good = outside.token()
    for shown in (
        f"Basic {good}",
        good,
        "Bearer",
        f"Token {good}",
        f"Bearer {good} {good}",
        f"Bearer {good}, Bearer {good}",
    ):
        assert browser.get("/who", headers={"Authorization": shown}).status_code == 401, shown
    twice = [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")]
    assert browser.get("/who", headers=twice).status_code == 401
    assert browser.get("/who", params={"access_token": good}).status_code == 401
    assert browser.get("/who", headers={"Authorization": f"bearer {good}"}).status_code == 200


def test_a_bad_token_is_not_made_good_by_a_session(browser: Browser, outside: Outside) -> None:
    assert browser.log_in().status_code == 303
    assert browser.get("/who").status_code == 200
    assert browser.get("/who", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_session_is_not_made_of_a_token(browser: Browser, outside: Outside) -> None:
    answer = browser.get("/who", headers={"Authorization": f"Bearer {outside.token()}"})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


# --- which role ---


def test_who_has_one_role_need_not_name_it(ask: Ask, outside: Outside) -> None:
    assert ask(outside.token("aino")).json()["role"] == "social_worker"
    assert ask(outside.token("aino"), **{"Polku-Role": "social_worker"}).json()["role"] == "social_worker"


def test_who_has_several_names_one(ask: Ask, outside: Outside) -> None:
    token = outside.token("urho")
    for role in ("social_worker", "team_leader"):
        answer = ask(token, **{"Polku-Role": role}).json()
        assert answer["role"] == role
        assert answer["roles"] == ["social_worker", "team_leader"]
    unnamed = ask(token)
    assert unnamed.status_code == 403
    assert unnamed.json()["type"] == "/problems/role-not-held"
    assert ask(token, "/identified").json()["roles"] == ["social_worker", "team_leader"]


@pytest.mark.parametrize(
    "role", ["auditor", "administrator", "client", "", "SOCIAL_WORKER", "social_worker, auditor", "x"]
)
def test_a_role_that_is_not_held_is_refused(ask: Ask, outside: Outside, role: str) -> None:
    for path in ("/who", "/identified"):
        answer = ask(outside.token("aino"), path, **{"Polku-Role": role})
        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/role-not-held"


def test_two_roles_at_a_time_are_refused(browser: Browser, outside: Outside) -> None:
    headers = [
        ("Authorization", f"Bearer {outside.token('urho')}"),
        *(("Polku-Role", r) for r in ("social_worker", "team_leader")),
    ]
    assert browser.get("/who", headers=headers).status_code == 403


# --- who is admitted ---


@pytest.mark.parametrize(
    "also",
    [
        {"polku_roles": []},
        {"polku_roles": None},
        {"polku_roles": ["client"]},
        {"polku_roles": ["superuser", "root"]},
        {"polku_roles": {"auditor": True}},
        {"polku_roles": [["auditor"], 1, None]},
        {"polku_region": "another-region"},
        {"polku_region": None},
        {"polku_region": ["testila"]},
        {"polku_organisation": None},
        {"polku_organisation": ""},
        {"polku_organisation_kind": None},
        {"polku_organisation_kind": "court"},
        {"polku_organisation_kind": "provider", "polku_roles": ["auditor", "team_leader", "social_worker"]},
        {"sub": "131052-308T"},
        {"sub": " aino"},
        {"sub": "ai\u200bno"},
        {"sub": "x" * 1_000},
        {"polku_team": ["team-1"]},
        {"polku_team": "x" * 1_000},
    ],
)
def test_who_lacks_what_must_be_known_is_not_admitted(ask: Ask, outside: Outside, also: dict[str, Any]) -> None:
    answer = ask(outside.token(**also))
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/not-admitted"
    assert str(also.get("sub", "131052")).strip() not in answer.text


def test_roles_that_are_not_known_are_dropped(ask: Ask, outside: Outside) -> None:
    answer = ask(outside.token(polku_roles=["superuser", "client", "auditor", "auditor"]))
    assert answer.json()["roles"] == ["auditor"]


def test_a_provider_has_only_a_providers_roles(ask: Ask, outside: Outside) -> None:
    answer = ask(outside.token("lempi", polku_roles=["auditor", "job_coach", "team_leader"]))
    assert answer.json()["roles"] == ["job_coach"]
