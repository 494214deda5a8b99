"""The identity provider of the demo: real OpenID Connect, invented users, no passwords. Only `polku serve --demo`.

It answers under the service's own address, signs with keys made at start, and says of itself that it is a development
provider, so that no other service takes its word. It knows two clients: `polku`, for logins in a browser (authorization
code with PKCE), and `developer`, with which anyone at the demo gets a bearer token for any user (docs/login.md).
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import yaml
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.jwk import ECKey, Key

from service.login.pages import button, form, headers, language, link, page, words
from service.login.settings import DEVELOPMENT_PATH, OidcClient
from service.words import Lang, Words

CLIENT_ID, DEVELOPER_ID, AUDIENCE = "polku", "developer", "polku-api"
CODE_LIFE = timedelta(minutes=1)
TOKEN_LIFE = timedelta(hours=1)
#: Codes waiting to be redeemed; the oldest make room.
MOST_CODES = 1_000
LARGEST_BODY = 16_384
MOST_FIELDS = 30
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url
#: What an authorization request may carry on to the page and back.
_CARRIED = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "ui_locales",
)


@dataclass(frozen=True, slots=True)
class DemoUser:
    """An invented user; names are those of the YAML file."""

    id: str
    name: str
    roles: tuple[str, ...]
    organisation: str
    organisation_kind: str
    team: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider answers to a request."""

    status: int
    body: str = ""
    media_type: str = "text/html; charset=utf-8"
    location: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers to send."""
        moved = {} if self.location is None else {"Location": self.location}
        return {**headers(), "Content-Type": self.media_type, **moved}


@dataclass(frozen=True, slots=True)
class _Code:
    user: DemoUser
    redirect_uri: str
    challenge: str
    nonce: str | None
    until: datetime


class _Wrong(Exception):
    """An error of OAuth, by its code."""


@cache
def demo_users() -> dict[str, DemoUser]:
    """The invented users by id, in the order of the file."""
    told = yaml.safe_load((Path(__file__).parent / "demo_users.yaml").read_text(encoding="utf-8"))
    users = [DemoUser(**{**item, "roles": tuple(item["roles"])}) for item in told["users"]]
    return {user.id: user for user in users}


class DevelopmentIdentity:
    """The provider. `public_url` is the service's address without a path; `region` goes into every token."""

    def __init__(self, public_url: str, region: str, clock: Callable[[], datetime]) -> None:
        self.issuer = public_url + DEVELOPMENT_PATH
        self.redirect_uri = public_url + "/login/callback"
        self.logout_uri = public_url + "/logout"
        self._region = region
        self._clock = clock
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        self._codes: dict[str, _Code] = {}
        self._lock = Lock()

    def client(self) -> OidcClient:
        """The demo's own service as a client of it."""
        return OidcClient(issuer=self.issuer, client_id=CLIENT_ID, audience=AUDIENCE)

    def transport(self) -> httpx.BaseTransport:
        """A way to it inside the process: the service need not call itself over the network, waiting for itself."""
        return _InProcess(self)

    # --- what it publishes ---

    def metadata(self) -> dict[str, Any]:
        """OpenID Connect Discovery."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/end_session",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "scopes_supported": ["openid"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "ui_locales_supported": ["fi", "sv", "en"],
            "polku_development": True,
        }

    def jwks(self) -> dict[str, Any]:
        """Its public keys."""
        return {"keys": [self._key.as_dict(private=False)]}

    def answer(
        self, method: str, path: str, query: str = "", body: str = "", accept_language: str | None = None
    ) -> Answer:
        """The answer to a request; `path` is what follows the issuer's."""
        lang = language(accept_language)
        if (method, path) == ("GET", "/.well-known/openid-configuration"):
            return _json(200, self.metadata())
        if (method, path) == ("GET", "/jwks"):
            return _json(200, self.jwks())
        if method in ("GET", "POST") and path in ("/authorize", "/token", "/end_session"):
            fields = _fields(query if method == "GET" else body)
            if fields is None:
                return _refused(lang)
            if path == "/token":
                return self._token(fields) if method == "POST" else Answer(405)
            if path == "/end_session":
                return self._end_session(fields, lang)
            return self._authorize(fields, language(fields.get("ui_locales") or accept_language), method)
        return Answer(404)

    # --- login ---

    def _authorize(self, asked: Mapping[str, str], lang: Lang, method: str) -> Answer:
        if asked.get("client_id") != CLIENT_ID or asked.get("redirect_uri") != self.redirect_uri:
            return _refused(lang)  # to an address that is not the client's nothing is sent
        error = _fault_of(asked)
        if error is not None:
            return self._back(asked, error=error)
        if method == "GET":
            return Answer(200, self._page(asked, lang))
        if "cancel" in asked:
            return self._back(asked, error="access_denied")
        user = demo_users().get(asked.get("user", ""))
        if user is None:
            return _refused(lang)
        challenge, nonce = asked["code_challenge"], asked.get("nonce")
        code = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._codes) >= MOST_CODES:
                del self._codes[next(iter(self._codes))]
            self._codes[code] = _Code(user, asked["redirect_uri"], challenge, nonce, self._clock() + CODE_LIFE)
        return self._back(asked, code=code)

    def _back(self, asked: Mapping[str, str], **told: str) -> Answer:
        state = {"state": asked["state"]} if "state" in asked else {}
        return Answer(303, location=f"{asked['redirect_uri']}?{urlencode({**told, **state, 'iss': self.issuer})}")

    def _page(self, asked: Mapping[str, str], lang: Lang) -> str:
        buttons = [
            button(user.name, _described(user, lang), name="user", value=user.id) for user in demo_users().values()
        ]
        buttons.append(button(words(lang, "development", "cancel"), name="cancel", value="yes"))
        carried = {name: asked[name] for name in _CARRIED if name in asked}
        action = urlsplit(self.issuer).path + "/authorize"
        title, about = words(lang, "development", "title"), words(lang, "development", "about")
        return page(lang, title, about, form(action, carried, buttons))

    def _end_session(self, asked: Mapping[str, str], lang: Lang) -> Answer:
        back = asked.get("post_logout_redirect_uri")
        if back == self.logout_uri and asked.get("client_id") == CLIENT_ID:
            return Answer(303, location=back)
        return Answer(200, page(lang, words(lang, "development", "ended"), words(lang, "development", "ended_about")))

    # --- tokens ---

    def _token(self, asked: Mapping[str, str]) -> Answer:
        try:
            if asked.get("grant_type") == "authorization_code":
                return _json(200, self._redeemed(asked))
            if asked.get("grant_type") == "client_credentials":
                return _json(200, self._for_program(asked))
            raise _Wrong("unsupported_grant_type")
        except _Wrong as error:
            return _json(400, {"error": str(error)})

    def _redeemed(self, asked: Mapping[str, str]) -> dict[str, Any]:
        with self._lock:
            found = self._codes.pop(asked.get("code", ""), None)  # once, also when the rest is wrong
        if asked.get("client_id") != CLIENT_ID:
            raise _Wrong("invalid_client")
        verifier = asked.get("code_verifier", "")
        challenge = create_s256_code_challenge(verifier if verifier.isascii() else "")
        if (
            found is None
            or self._clock() >= found.until
            or asked.get("redirect_uri") != found.redirect_uri
            or not hmac.compare_digest(challenge, found.challenge)
        ):
            raise _Wrong("invalid_grant")
        nonce = {} if found.nonce is None else {"nonce": found.nonce}
        id_token = self.sign({**self.claims(found.user, CLIENT_ID), "name": found.user.name, **nonce})
        return {**self._bearer(found.user, CLIENT_ID), "id_token": id_token}

    def _for_program(self, asked: Mapping[str, str]) -> dict[str, Any]:
        if asked.get("client_id") != DEVELOPER_ID:
            raise _Wrong("invalid_client")
        user = demo_users().get(asked.get("user", ""))
        if user is None:
            raise _Wrong("invalid_request")
        return self._bearer(user, DEVELOPER_ID)

    def _bearer(self, user: DemoUser, client_id: str) -> dict[str, Any]:
        claims = {**self.claims(user, AUDIENCE), "client_id": client_id, "jti": secrets.token_urlsafe(16)}
        return {
            "access_token": self.sign(claims, typ="at+jwt"),
            "token_type": "Bearer",
            "expires_in": int(TOKEN_LIFE.total_seconds()),
        }

    def claims(self, user: DemoUser, audience: str) -> dict[str, Any]:
        """What a token says of a user."""
        now = int(self._clock().timestamp())
        team = {} if user.team is None else {"polku_team": user.team}
        return {
            "iss": self.issuer,
            "sub": user.id,
            "aud": audience,
            "iat": now,
            "exp": now + int(TOKEN_LIFE.total_seconds()),
            "polku_roles": list(user.roles),
            "polku_region": self._region,
            "polku_organisation": user.organisation,
            "polku_organisation_kind": user.organisation_kind,
            **team,
        }

    def sign(self, claims: Mapping[str, Any], *, typ: str = "JWT", key: Key | None = None, alg: str = "ES256") -> str:
        """A token with these claims, by its own key unless another is given."""
        key = self._key if key is None else key
        return jwt.encode({"alg": alg, "kid": key.kid, "typ": typ}, dict(claims), key, algorithms=[alg])


class _InProcess(httpx.BaseTransport):
    """Requests to the provider answered by calling it."""

    def __init__(self, identity: DevelopmentIdentity) -> None:
        self._identity = identity

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = urlsplit(self._identity.issuer).path
        if not str(request.url).startswith(self._identity.issuer + "/"):
            return httpx.Response(404)
        query, body = request.url.query.decode("ascii"), request.read().decode("utf-8", "replace")
        found = self._identity.answer(request.method, request.url.path.removeprefix(path), query, body)
        return httpx.Response(found.status, headers=found.headers, text=found.body)


def _fields(text: str) -> dict[str, str] | None:
    """The fields of a form or query; None where one is there twice, or the whole is too much."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        return None
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


def _fault_of(asked: Mapping[str, str]) -> str | None:
    """The OAuth error of an authorization request that is the client's but wrong."""
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if "openid" not in asked.get("scope", "").split():
        return "invalid_scope"
    if asked.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        return "invalid_request"
    return None


def roles_told(user: DemoUser, lang: Lang) -> str:
    """The user's roles in words."""
    own = ("auditor", "administrator")
    return ", ".join(words(lang, "roles", r) if r in own else Words(lang)("roles", r) for r in user.roles)


def _described(user: DemoUser, lang: Lang) -> str:
    """What a user is and where: roles, kind of organisation, team."""
    where = [words(lang, "organisation_kinds", user.organisation_kind), user.organisation, user.team]
    return " · ".join([roles_told(user, lang), *(part for part in where if part is not None)])


def _refused(lang: Lang) -> Answer:
    title, about = words(lang, "development", "refused"), words(lang, "development", "refused_about")
    return Answer(400, page(lang, title, about, link("/login", words(lang, "login", "again"))))


def _json(status: int, body: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(body), "application/json")
