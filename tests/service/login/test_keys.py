"""The provider's keys: taken with care, kept, renewed when they turn, and never asked for at a stranger's bidding."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import ECKey, OctKey, RSAKey

from service.login import provider as provider_module
from service.login.kept import APART, FRESH, RETRY, STALE, Kept, Unreachable
from tests.service.conftest import Clock
from tests.service.login.outside import Browser, Outside, another_key


def status(browser: Browser, token: str) -> int:
    return browser.get("/who", headers={"Authorization": f"Bearer {token}"}).status_code


def test_keys_are_asked_for_once(browser: Browser, outside: Outside) -> None:
    assert not outside.asked  # nor at the start: a provider that is away must not keep the service from starting
    for _ in range(20):
        assert status(browser, outside.token()) == 200
    assert outside.asked["/jwks"] == outside.asked["/.well-known/openid-configuration"] == 1


def test_when_keys_turn_the_new_one_is_found_at_once(browser: Browser, outside: Outside, clock: Clock) -> None:
    old = outside.token()
    assert status(browser, old) == 200
    clock.advance(seconds=61)
    new = another_key()
    outside.publish(outside.key, new)
    assert status(browser, outside.sign(outside.access(), key=new, typ="at+jwt")) == 200
    assert status(browser, old) == 200
    assert outside.asked["/jwks"] == 2


def test_a_key_that_is_withdrawn_is_forgotten_in_time(browser: Browser, outside: Outside, clock: Clock) -> None:
    old = outside.token()
    assert status(browser, old) == 200
    outside.publish(another_key())
    clock.advance(seconds=FRESH.total_seconds())
    assert status(browser, old) == 401


def test_unknown_keys_make_it_ask_once_a_minute_at_most(browser: Browser, outside: Outside, clock: Clock) -> None:
    assert status(browser, outside.token()) == 200
    for _ in range(20):
        assert status(browser, outside.sign(outside.access(), key=another_key(), typ="at+jwt")) == 401
    assert outside.asked["/jwks"] == 1  # asked less than a minute ago
    clock.advance(seconds=60)
    for _ in range(20):
        assert status(browser, outside.sign(outside.access(), key=another_key(), typ="at+jwt")) == 401
    assert outside.asked["/jwks"] == 2


def test_while_the_provider_is_away_known_keys_go_on(browser: Browser, outside: Outside, clock: Clock) -> None:
    assert status(browser, outside.token()) == 200
    outside.broken = {"*"}
    for _ in range(5):
        clock.advance(seconds=FRESH.total_seconds())
        assert status(browser, outside.token()) == 200
    clock.advance(seconds=STALE.total_seconds())  # by now a key may have been stolen and withdrawn
    assert status(browser, outside.token()) == 503
    outside.broken = set()
    clock.advance(seconds=60)
    assert status(browser, outside.token()) == 200


def test_a_provider_that_was_never_reached_is_told_as_such(browser: Browser, outside: Outside, clock: Clock) -> None:
    outside.broken = {"*"}
    answer = browser.get("/who", headers={"Authorization": f"Bearer {outside.token()}"})
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/login-unavailable"
    assert int(answer.headers["Retry-After"]) > 0
    asked = outside.asked.total()
    for _ in range(10):
        assert status(browser, outside.token()) == 503
    assert outside.asked.total() == asked  # not at every request
    outside.broken = set()
    clock.advance(seconds=RETRY.total_seconds())
    assert status(browser, outside.token()) == 200


def test_a_key_that_may_be_new_is_not_called_wrong_while_the_provider_is_away(
    browser: Browser, outside: Outside, clock: Clock
) -> None:
    assert status(browser, outside.token()) == 200
    outside.broken = {"*"}
    clock.advance(seconds=61)
    assert status(browser, outside.sign(outside.access(), key=another_key(), typ="at+jwt")) == 503


# --- which keys are taken ---


def test_symmetric_keys_are_ignored(browser: Browser, outside: Outside) -> None:
    secret = OctKey.generate_key(256, {"kid": "shared", "alg": "HS256", "use": "sig"})
    outside.publish(secret.as_dict(private=True), outside.key)
    from joserfc import jwt

    token = jwt.encode({"alg": "HS256", "kid": "shared", "typ": "at+jwt"}, outside.access(), secret, ["HS256"])
    assert status(browser, token) == 401
    assert status(browser, outside.token()) == 200


def test_a_set_of_symmetric_keys_alone_is_no_key_set(browser: Browser, outside: Outside) -> None:
    outside.publish(OctKey.generate_key(256, {"kid": "shared"}).as_dict(private=True))
    assert status(browser, outside.token()) == 503


@pytest.mark.parametrize(
    "spoilt",
    [
        {"use": "enc"},
        {"use": ["sig"]},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"alg": "RS256"},
        {"alg": "ES384"},
        {"alg": 1},
        {"kid": 1},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"kty": "RSA"},
        {"kty": "oct"},
        {"kty": None},
        {"x": ""},
        {"x": "!!!"},
        {"x": 7},
        {"x": "AAAA"},
        {"y": None},
    ],
)
def test_a_key_for_something_else_or_spoilt_is_ignored(
    browser: Browser, outside: Outside, spoilt: dict[str, Any]
) -> None:
    outside.publish({**outside.key.as_dict(private=False), **spoilt}, another_key())
    assert status(browser, outside.token()) == 401


def test_entries_that_are_no_keys_do_not_spoil_the_set(browser: Browser, outside: Outside) -> None:
    outside.published += [None, 1, "key", [], {}]  # type: ignore[list-item]
    assert status(browser, outside.token()) == 200


def test_a_private_part_that_slipped_into_the_set_is_not_looked_at(browser: Browser, outside: Outside) -> None:
    outside.publish(outside.key.as_dict(private=True))
    assert status(browser, outside.token()) == 200


def test_weak_and_monstrous_rsa_keys_are_ignored(browser: Browser, outside: Outside) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    with pytest.warns(Warning, match="2048"):
        weak = RSAKey.import_key(generate_private_key(65537, 1024), {"kid": "weak"})
    monstrous = {"kty": "RSA", "kid": "monstrous", "n": "_" * 200_000 + "w", "e": "AQAB"}
    outside.publish(weak, monstrous, outside.key)
    assert status(browser, outside.sign(outside.access(), key=weak, alg="RS256", typ="at+jwt")) == 401
    assert status(browser, outside.token()) == 200


def test_without_a_key_id_the_only_key_counts(
    browser: Browser, outside: Outside, started: Callable[..., FastAPI]
) -> None:
    unnamed = {name: value for name, value in outside.key.as_dict(private=False).items() if name != "kid"}
    outside.publish(unnamed)
    assert status(browser, outside.signed({"kid": None})) == 200
    outside.publish(unnamed, another_key())
    started()
    assert status(browser, outside.signed({"kid": None})) == 401


def test_two_keys_under_one_id_are_both_tried(browser: Browser, outside: Outside) -> None:
    outside.publish(another_key(outside.key.kid), outside.key)
    assert status(browser, outside.token()) == 200


# --- what the provider says about itself ---


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"jwks_uri": "http://192.0.2.1/keys"},
        {"jwks_uri": "ftp://127.0.0.1/keys"},
        {"jwks_uri": "//127.0.0.1/keys"},
        {"jwks_uri": None},
        {"jwks_uri": 7},
        {"jwks_uri": "http://[/keys"},
        {"token_endpoint": "http://login.example.fi/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"end_session_endpoint": "http://login.example.fi/logout"},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": "S256"},
        {"polku_development": True},
        {"polku_development": "yes"},
    ],
)
def test_metadata_that_cannot_be_trusted_is_not(browser: Browser, outside: Outside, said: dict[str, Any]) -> None:
    outside.metadata_also = said
    assert status(browser, outside.token()) == 503
    assert browser.get("/login").status_code == 503


def test_an_answer_without_end_is_broken_off(browser: Browser, outside: Outside) -> None:
    outside.metadata_also = {"padding": "x" * provider_module.LARGEST_ANSWER}
    assert status(browser, outside.token()) == 503


def test_an_answer_that_drips_is_broken_off(
    browser: Browser, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "WHOLE_SECONDS", -1.0)
    assert status(browser, outside.token()) == 503


def test_a_redirect_is_not_followed(browser: Browser, outside: Outside) -> None:
    outside.logout_uri = f"{outside.issuer}/jwks"
    moved = f"{outside.issuer}/end_session?client_id=polku&post_logout_redirect_uri={outside.logout_uri}"
    assert httpx.get(moved, follow_redirects=True).json() == outside.jwks()
    outside.metadata_also = {"jwks_uri": moved}
    assert status(browser, outside.token()) == 503


# --- kept ---


class Counted:
    """A source that counts how often it is asked, may fail, and may take its time."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False
        self.seconds = 0.0

    def __call__(self) -> int:
        self.asked += 1
        time.sleep(self.seconds)
        if self.fails:
            raise Unreachable("away")
        return self.asked


@pytest.fixture
def source() -> Counted:
    return Counted()


def test_what_is_kept_is_renewed_when_old(source: Counted, clock: Clock) -> None:
    kept = Kept(source, clock)
    assert [kept.get(), kept.get()] == [1, 1]
    clock.now += FRESH - timedelta(microseconds=1)
    assert kept.get() == 1
    clock.now += timedelta(microseconds=1)
    assert kept.get() == 2


def test_a_clock_set_back_makes_it_old(source: Counted, clock: Clock) -> None:
    kept = Kept(source, clock)
    assert kept.get() == 1
    clock.now -= timedelta(days=400)
    assert kept.get() == 2


def test_a_failure_is_not_repeated_at_every_question(source: Counted, clock: Clock) -> None:
    kept = Kept(source, clock)
    assert kept.get() == 1
    source.fails = True
    clock.now += FRESH
    assert [kept.get() for _ in range(10)] == [1] * 10
    assert source.asked == 2
    clock.now += APART
    assert kept.get() == 1
    assert source.asked == 3


def test_newer_says_when_it_cannot_tell(source: Counted, clock: Clock) -> None:
    kept = Kept(source, clock)
    source.fails = True
    with pytest.raises(Unreachable, match="away"):
        kept.newer()
    source.fails = False
    clock.now += RETRY
    assert kept.newer() == 2
    source.fails = True
    clock.now += APART
    with pytest.raises(Unreachable, match="away"):
        kept.newer()
    assert kept.get() == 2


def test_of_many_at_a_time_one_asks_and_those_who_have_something_go_on(source: Counted, clock: Clock) -> None:
    kept = Kept(source, clock)
    source.seconds = 0.2
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: kept.get(), range(8))) == [1] * 8
    assert source.asked == 1
    clock.now += FRESH
    source.seconds = 1.0
    slow = threading.Thread(target=kept.get)
    slow.start()
    while source.asked < 2:
        time.sleep(0.001)
    before = time.monotonic()
    assert kept.get() == 1
    assert time.monotonic() - before < 0.9
    slow.join()
    assert kept.get() == 2


def test_the_provider_is_not_asked_by_a_client_that_follows(outside: Outside) -> None:
    from service.login.provider import http_client

    with http_client(outside.settings()) as client:
        assert client.follow_redirects is False
        assert client.timeout == httpx.Timeout(provider_module.STEP_SECONDS)


def test_another_ec_key_is_no_ed25519_key(outside: Outside) -> None:
    key = provider_module.SigningKey("k", None, ECKey.generate_key("P-256"))
    assert key.suits("ES256")
    assert not key.suits("EdDSA")
    assert not key.suits("RS256")
