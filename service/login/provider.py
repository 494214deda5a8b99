"""The identity provider as a server: its metadata, its keys, and what is asked of it.

Everything it says is taken with care: addresses must be TLS (or this machine), answers are limited in size and time,
keys must be public, of a kind we know, and strong.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
from authlib.oauth2.auth import ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import prepare_token_request  # type: ignore[import-untyped]
from authlib.oidc.discovery import get_well_known_url  # type: ignore[import-untyped]
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.util import to_bytes, urlsafe_b64decode

from service.login.kept import Kept, Unreachable
from service.login.settings import OidcClient, safe_address

#: Of one exchange with the provider, seconds: first for each step on the wire, then for the whole.
STEP_SECONDS = 5.0
WHOLE_SECONDS = 10.0
LARGEST_ANSWER = 512 * 1024
MOST_KEYS = 100
#: RSA keys below are weak (NIST SP 800-131A), above only slow.
RSA_BITS = range(2048, 8193)

PublicKey = RSAKey | ECKey | OKPKey
#: The algorithms of signatures that are accepted, with the kind of key each needs. Ed25519 is the newer name of EdDSA
#: over that curve (RFC 9864).
ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}


class Declined(Exception):
    """The provider answered, and said no: `error` is its code, such as invalid_grant."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the provider says about itself, as far as Polku uses it."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    names_itself: bool
    """Whether its answers to a login carry its issuer (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key of the provider and what it says the key is for."""

    kid: str | None
    alg: str | None
    key: PublicKey

    def suits(self, alg: str) -> bool:
        """Whether a signature of this algorithm can be checked by it."""
        kind, curve = ALGORITHMS[alg]
        if self.key.key_type != kind or (curve is not None and self.key.as_dict(private=False).get("crv") != curve):
            return False
        return self.alg is None or self.alg == alg or {self.alg, alg} == {"EdDSA", "Ed25519"}


class Provider:
    """One identity provider. `demo`: it is the development one, which no other service trusts."""

    def __init__(
        self, client: OidcClient, clock: Callable[[], datetime], http: httpx.Client, *, demo: bool = False
    ) -> None:
        self.client = client
        self._http = http
        self._demo = demo
        self._metadata = Kept(self._fetch_metadata, clock)
        self._keys = Kept(self._fetch_keys, clock)

    def metadata(self) -> Metadata:
        """What it says about itself. Raises Unreachable."""
        return self._metadata.get()

    def keys(self, kid: str | None, alg: str) -> list[PublicKey]:
        """The keys a signature may be by; none when there is no such key. Raises Unreachable when that cannot be told.

        A key id not seen before makes it ask again, at most once a minute. Without a key id the only key that suits.
        """
        found = _suitable(self._keys.get(), kid, alg)
        if not found and kid is not None:
            found = _suitable(self._keys.newer(), kid, alg)
        return found

    def redeem(self, code: str, verifier: str, redirect_uri: str) -> dict[str, Any]:
        """The tokens for an authorization code. Raises Unreachable, Declined."""
        uri = self.metadata().token_endpoint
        body = prepare_token_request("authorization_code", redirect_uri=redirect_uri, code=code, code_verifier=verifier)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        uri, headers, body = self._client_auth().prepare("POST", uri, headers, body)
        status, answer = self._exchange("POST", uri, headers, body)
        if status == httpx.codes.OK:
            return answer
        if status < httpx.codes.INTERNAL_SERVER_ERROR and isinstance(answer.get("error"), str):
            raise Declined(answer["error"])
        raise Unreachable(f"its token endpoint answered {status}")

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """What it tells about the person of an access token; nothing where it has no such endpoint. Raises
        Unreachable."""
        uri = self.metadata().userinfo_endpoint
        if uri is None:
            return {}
        status, answer = self._exchange("GET", uri, {"Authorization": f"Bearer {access_token}"})
        if status != httpx.codes.OK:
            raise Unreachable(f"its userinfo endpoint answered {status}")
        return answer

    def close(self) -> None:
        """Close the connections to it."""
        self._http.close()

    def _client_auth(self) -> Any:
        client = self.client
        if client.client_secret is None:
            return ClientAuth(client.client_id, None, "none")
        name, secret = client.client_id, client.client_secret.get_secret_value()
        if client.client_auth == "client_secret_basic":  # form-encoded first: RFC 6749, 2.3.1
            name, secret = quote(name, safe=""), quote(secret, safe="")
        return ClientAuth(name, secret, client.client_auth)

    def _fetch_metadata(self) -> Metadata:
        told = self._get(get_well_known_url(self.client.issuer, external=True))
        if told.get("issuer") != self.client.issuer:
            raise Unreachable("its metadata names another issuer")
        if bool(told.get("polku_development")) is not self._demo:
            raise Unreachable("it is a development identity provider, trusted by its own demo only")
        methods = told.get("code_challenge_methods_supported")
        if methods is not None and (not isinstance(methods, list) or "S256" not in methods):
            raise Unreachable("it does not support PKCE by S256")
        return Metadata(
            authorization_endpoint=_address(told, "authorization_endpoint", demo=self._demo),
            token_endpoint=_address(told, "token_endpoint", demo=self._demo),
            jwks_uri=_address(told, "jwks_uri", demo=self._demo),
            userinfo_endpoint=_optional(told, "userinfo_endpoint", demo=self._demo),
            end_session_endpoint=_optional(told, "end_session_endpoint", demo=self._demo),
            names_itself=told.get("authorization_response_iss_parameter_supported") is True,
        )

    def _fetch_keys(self) -> tuple[SigningKey, ...]:
        told = self._get(self.metadata().jwks_uri).get("keys")
        if not isinstance(told, list) or len(told) > MOST_KEYS:
            raise Unreachable("its key set cannot be read")
        found = tuple(key for key in map(_signing_key, told) if key is not None)
        if not found:
            raise Unreachable("its key set holds no key for signatures that are accepted here")
        return found

    def _get(self, uri: str) -> dict[str, Any]:
        status, answer = self._exchange("GET", uri, {"Accept": "application/json"})
        if status != httpx.codes.OK:
            raise Unreachable(f"it answered {status}")
        return answer

    def _exchange(
        self, method: str, uri: str, headers: Mapping[str, str], body: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """A request to it: the status and the JSON object of the answer. Redirects are not followed."""
        end = time.monotonic() + WHOLE_SECONDS
        read = bytearray()
        try:
            with self._http.stream(method, uri, headers=dict(headers), content=body) as response:
                for piece in response.iter_bytes():
                    read += piece
                    if len(read) > LARGEST_ANSWER or time.monotonic() > end:
                        raise Unreachable("its answer is too long or too slow")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise Unreachable(f"it cannot be reached ({type(error).__name__})") from None
        try:
            answer = json.loads(read) if read else {}
        except (ValueError, RecursionError):
            answer = {}
        if not isinstance(answer, dict):
            answer = {}
        return response.status_code, answer


def http_client(client: OidcClient) -> httpx.Client:
    """A client for exchanges with an outside provider. Raises OSError when the file of certificates cannot be read."""
    trust = ssl.create_default_context()
    if client.trusted_certificates is not None:
        trust.load_verify_locations(cafile=client.trusted_certificates)
    return httpx.Client(verify=trust, timeout=STEP_SECONDS, follow_redirects=False)


def _suitable(keys: tuple[SigningKey, ...], kid: str | None, alg: str) -> list[PublicKey]:
    found = [item.key for item in keys if item.suits(alg) and (kid is None or item.kid == kid)]
    # More than one without a key id: the provider must say which (OpenID Connect Core, 10.1).
    return found if kid is not None or len(found) == 1 else []


def _signing_key(told: object) -> SigningKey | None:
    """A key of the set; None for one not used here: symmetric, weak, for something else, or unreadable."""
    if not isinstance(told, dict) or told.get("use", "sig") != "sig":
        return None
    operations = told.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    kid, alg = told.get("kid"), told.get("alg")
    if not isinstance(kid, str | None) or not isinstance(alg, str | None):
        return None
    key = _public_key(told)
    return None if key is None else SigningKey(kid, alg, key)


def _public_key(told: Mapping[str, Any]) -> PublicKey | None:
    """The public numbers of a key, and nothing else of what was told: a private part is not even looked at."""
    try:
        if told.get("kty") == "RSA":
            if int.from_bytes(urlsafe_b64decode(to_bytes(told["n"]))).bit_length() not in RSA_BITS:
                return None
            return RSAKey.import_key({"kty": "RSA", "n": told["n"], "e": told["e"]})
        if told.get("kty") == "EC" and told.get("crv") == "P-256":
            return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": told["x"], "y": told["y"]})
        if told.get("kty") == "OKP" and told.get("crv") == "Ed25519":
            return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": told["x"]})
    except (JoseError, KeyError, TypeError, ValueError):
        return None
    return None


def _address(told: Mapping[str, Any], name: str, *, demo: bool) -> str:
    found = told.get(name)
    if not isinstance(found, str) or not (safe_address(found) or (demo and found.startswith("http://"))):
        raise Unreachable(f"its {name} is missing or not https")
    return found


def _optional(told: Mapping[str, Any], name: str, *, demo: bool) -> str | None:
    return None if told.get(name) is None else _address(told, name, demo=demo)
