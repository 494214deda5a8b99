"""Signed tokens (JWT): whether one is genuine, meant for us, and in time.

Two kinds: the id token of a login, which says who logged in here, and the access token of a program, which opens the
API. Neither passes for the other. What a token says about itself is believed only after its signature: a header chooses
among the algorithms and keys we know, and nothing in it (jku, x5u, jwk) leads anywhere else.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError, JoseError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import urlsafe_b64decode

from service.login.provider import ALGORITHMS, Provider

#: Characters. Tokens of real providers have 1,000 to 4,000.
LONGEST_TOKEN = 16_384
LONGEST_HEADER = 4_096
#: How far two clocks may be apart, seconds.
LEEWAY = 30
#: What calls itself something else (logout+jwt, dpop+jwt, secevent+jwt) is no access token.
ACCESS_TYPES = ("at+jwt", "application/at+jwt", "jwt", "application/jwt")
ID_TYPES = ("", "jwt", "application/jwt")
#: Claims that only other kinds of token have: an id token's nonce and hashes, a logout token's events.
_NOT_ACCESS = ("nonce", "at_hash", "c_hash", "s_hash", "events")
#: What Keycloak writes into the payload's own `typ` for other tokens than access tokens.
_NOT_BEARER = frozenset({"id", "refresh", "offline", "logout"})

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class BadToken(Exception):
    """A token that proves nothing; the text says why, without anything the token holds."""


class _Registry(JWSRegistry):
    """The library's checks, with our limits; the name EdDSA means Ed25519 and no other curve."""

    max_header_length = LONGEST_HEADER
    max_payload_length = LONGEST_TOKEN

    def get_alg(self, name: str) -> Any:
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


_REGISTRY = _Registry(algorithms=sorted(ALGORITHMS), strict_check_header=False)


def access_claims(token: str, provider: Provider, now: datetime) -> dict[str, Any]:
    """The claims of an access token meant for this API. Raises BadToken; Unreachable when its key cannot be had."""
    header, claims = _verified(token, provider)
    kind = _type(header)
    if kind not in ACCESS_TYPES:
        raise BadToken("It is no access token.")
    _in_time(claims, now, provider.client.issuer, provider.client.audience)
    if not kind.endswith("at+jwt") and _looks_otherwise(claims):
        raise BadToken("It is no access token.")
    if claims["exp"] - claims["iat"] > provider.client.token_hours * 3600:
        raise BadToken("It lasts longer than tokens may here.")
    return claims


def id_claims(token: str, provider: Provider, now: datetime, nonce: str) -> dict[str, Any]:
    """The claims of the id token of a login begun with this nonce. Raises BadToken; Unreachable when its key cannot be
    had."""
    header, claims = _verified(token, provider)
    if _type(header) not in ID_TYPES:
        raise BadToken("It is no id token.")
    client = provider.client
    _in_time(claims, now, client.issuer, client.client_id)
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client.client_id) != client.client_id:
        raise BadToken("It was issued to another client.")
    told = claims.get("nonce")
    if not isinstance(told, str) or not hmac.compare_digest(told.encode("utf-8", "replace"), nonce.encode()):
        raise BadToken("It belongs to another login.")
    if client.acr is not None and claims.get("acr") not in client.acr.split():
        raise BadToken("The login was not as strong as this service requires.")
    return claims


def _verified(token: str, provider: Provider) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token that one of the provider's keys has signed."""
    if len(token) > LONGEST_TOKEN or not _COMPACT.fullmatch(token):
        raise BadToken("It is no signed token.")
    header = _header(token)
    keys = provider.keys(header.get("kid"), header["alg"])
    if not keys:
        raise BadToken("It is signed by a key the identity provider does not have.")
    for key in keys:  # several only where the provider has given two keys one id
        try:
            found = jwt.decode(token, key, registry=_REGISTRY)
        except BadSignatureError:
            continue
        except (JoseError, ValueError, TypeError, RecursionError):
            raise BadToken("It cannot be read.") from None
        return header, found.claims
    raise BadToken("Its signature is wrong.")


def _header(token: str) -> dict[str, Any]:
    """The header, not yet believed: enough to choose a key. An algorithm that is not ours ends here."""
    part = token.partition(".")[0]
    if len(part) > LONGEST_HEADER:
        raise BadToken("It is no signed token.")
    try:
        header = json.loads(urlsafe_b64decode(part.encode("ascii")))
    except (ValueError, RecursionError):
        raise BadToken("It is no signed token.") from None
    if not isinstance(header, dict) or not isinstance(header.get("kid"), str | None):
        raise BadToken("It is no signed token.")
    if not isinstance(header.get("alg"), str) or header["alg"] not in ALGORITHMS:
        raise BadToken("It is not signed by an algorithm that is accepted here.")
    if "crit" in header or "b64" in header:
        raise BadToken("It asks for extensions that are not known here.")
    return header


def _type(header: Mapping[str, Any]) -> str:
    """What a token calls itself; empty where it does not."""
    found = header.get("typ", "")
    return found.lower() if isinstance(found, str) else "something else"


def _looks_otherwise(claims: Mapping[str, Any]) -> bool:
    """Whether a token that calls itself a JWT and no more has what only other kinds than access tokens have."""
    return any(name in claims for name in _NOT_ACCESS) or str(claims.get("typ")).lower() in _NOT_BEARER


def _in_time(claims: dict[str, Any], now: datetime, issuer: str, audience: str) -> None:
    """Issuer, audience and the times: all there, all right."""
    needed = JWTClaimsRegistry(
        int(now.timestamp()),
        LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        needed.validate(claims)
    except ExpiredTokenError:
        raise BadToken("It has expired.") from None
    except (JoseError, OverflowError) as error:
        claim = getattr(error, "claim", None)
        named = f" (claim {claim})" if claim in ("iss", "aud", "sub", "exp", "iat", "nbf") else ""
        raise BadToken(f"It is not meant for this service, or not now{named}.") from None
