"""Logging in and out in a browser: OpenID Connect's authorization code flow with PKCE.

A login that has begun is known to the browser that began it, by a cookie of its own, and to nobody else: state, nonce
and the PKCE verifier are made from the secret in it. So an answer brought to another browser (login CSRF), a code
caught on the way, or an id token of another login comes to nothing; and nothing is kept for who never comes back.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

from service.login.claims import NotAdmitted, Person, person_of, value_of
from service.login.kept import Unreachable
from service.login.provider import Declined, Provider
from service.login.sessions import Sessions
from service.login.settings import OidcClient
from service.login.tokens import LONGEST_TOKEN, BadToken, id_claims

#: How long someone may take at the identity provider.
LOGIN_LIFE = timedelta(minutes=10)
#: Characters of an address to go on to after the login.
LONGEST_NEXT = 500
#: Characters of the state that name the login's cookie, so that several may go on at a time in one browser.
NAMING = 8
SECRET_BYTES = 32
LONGEST_PARAMETER = 2_048
#: Printable ASCII but no backslash: browsers read `/\\evil.example` as another host, and drop tabs and line breaks.
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_BEGUN = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]*={0,2})")


class LoginFailed(Exception):
    """A login that comes to nothing. `slug` is the problem's type; the text says why, for the log."""

    def __init__(self, slug: str, reason: str) -> None:
        super().__init__(reason)
        self.slug = slug


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that has begun: its secret, when, and where to go on to."""

    secret: str
    at: int
    next: str

    @property
    def state(self) -> str:
        """What the identity provider brings back."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the id token must carry."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """The PKCE code verifier."""
        return self._derived("verifier")

    def _derived(self, what: str) -> str:
        made = hmac.new(self.secret.encode("ascii"), what.encode("ascii"), sha256).digest()
        return urlsafe_b64encode(made).rstrip(b"=").decode("ascii")

    @property
    def cookie(self) -> str:
        """As the browser keeps it."""
        return f"{self.at}.{self.secret}.{urlsafe_b64encode(self.next.encode('ascii')).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class Done:
    """A login that has succeeded: the id of the session and where to go on to."""

    session_id: str
    next: str


class Login:
    """Logins at one identity provider into one service. `public_url` is the service's address without a path."""

    def __init__(
        self, provider: Provider, sessions: Sessions, region: str, public_url: str, clock: Callable[[], datetime]
    ) -> None:
        self.provider = provider
        self.sessions = sessions
        self.region = region
        self.public_url = public_url
        self.redirect_uri = public_url + "/login/callback"
        self.clock = clock

    # --- cookies ---

    @property
    def secure(self) -> bool:
        """Whether the service is reached by TLS; without it (this machine, the demo) cookies cannot be Secure."""
        return self.public_url.startswith("https://")

    @property
    def session_cookie(self) -> str:
        """The name of the session's cookie. `__Host-`: no other host, not even of the same domain, can set it."""
        return "__Host-polku" if self.secure else "polku"

    def login_cookie(self, state: str) -> str:
        """The name of the cookie of a login that has begun."""
        return f"{self.session_cookie}-login-{state[:NAMING]}"

    # --- the flow ---

    def begin(self, going_on_to: str | None) -> tuple[Begun, str]:
        """Begin a login: what the browser keeps, and the address to send it to. Raises LoginFailed."""
        begun = Begun(secrets.token_urlsafe(SECRET_BYTES), int(self.clock().timestamp()), local(going_on_to))
        client = self.provider.client
        try:
            there = self.provider.metadata().authorization_endpoint
        except Unreachable as error:
            raise LoginFailed("login-unavailable", str(error)) from None
        uri = prepare_grant_uri(
            there,
            client.client_id,
            "code",
            redirect_uri=self.redirect_uri,
            scope=client.scopes,
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier),
            code_challenge_method="S256",
            acr_values=client.acr,
        )
        return begun, uri

    def finish(self, answer: list[tuple[str, str]], cookies: dict[str, str]) -> Done:
        """Take the identity provider's answer, as the browser brings it. Raises LoginFailed; StoreUnavailable."""
        told = dict(answer)
        if len(told) < len(answer) or any(len(value) > LONGEST_PARAMETER for value in told.values()):
            raise LoginFailed("login-failed", "the answer is malformed")
        begun = self._begun(told.get("state", ""), cookies)
        self._check_issuer(told)
        if "error" in told or not told.get("code"):
            raise LoginFailed("login-failed", "the identity provider sent no code")
        try:
            person = self._person(told["code"], begun)
            session_id = self.sessions.begin(person, cookies.get(self.session_cookie))
        except NotAdmitted as error:
            raise LoginFailed("not-admitted", str(error)) from None
        except Unreachable as error:
            raise LoginFailed("login-unavailable", str(error)) from None
        except BadToken as error:
            raise LoginFailed("login-failed", f"id token: {error}") from None
        return Done(session_id, begun.next)

    def _begun(self, state: str, cookies: dict[str, str]) -> Begun:
        """The login this state belongs to, which this browser must have begun, and not long ago."""
        begun = read_begun(cookies.get(self.login_cookie(state), ""))
        if begun is None or not hmac.compare_digest(begun.state.encode(), state.encode("utf-8", "replace")):
            raise LoginFailed("login-failed", "this browser has not begun this login")
        if not 0 <= self.clock().timestamp() - begun.at < LOGIN_LIFE.total_seconds():
            raise LoginFailed("login-failed", "the login took too long")
        return begun

    def _check_issuer(self, told: dict[str, str]) -> None:
        """Whether the answer comes from our provider and no other (RFC 9207)."""
        try:
            named = self.provider.metadata().names_itself
        except Unreachable as error:
            raise LoginFailed("login-unavailable", str(error)) from None
        if told.get("iss", None if named else self.provider.client.issuer) != self.provider.client.issuer:
            raise LoginFailed("login-failed", "the answer comes from another issuer")

    def _person(self, code: str, begun: Begun) -> Person:
        """Who has logged in."""
        provider = self.provider
        try:
            tokens = provider.redeem(code, begun.verifier, self.redirect_uri)
        except Declined as error:
            if error.error == "invalid_grant":
                raise LoginFailed("login-failed", "the code is used, too old, or another's") from None
            # The settings here or there are wrong: nobody can log in until somebody mends them.
            raise LoginFailed("login-unavailable", "the identity provider refuses this service as its client") from None
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise LoginFailed("login-unavailable", "the identity provider sent no tokens")
        claims = id_claims(id_token, provider, self.clock(), begun.nonce)
        if _lacks(claims, provider.client) and len(access_token) <= LONGEST_TOKEN:
            claims = _with_userinfo(claims, provider.userinfo(access_token))
        return person_of(claims, provider.client, self.region)

    def logout_address(self) -> str:
        """Where to go after the session here has ended: the provider's own logout, where it has one."""
        back = self.public_url + "/logout"
        try:
            there = self.provider.metadata().end_session_endpoint
        except Unreachable:
            there = None
        if there is None:
            return back
        asked = urlencode({"client_id": self.provider.client.client_id, "post_logout_redirect_uri": back})
        return f"{there}{'&' if urlsplit(there).query else '?'}{asked}"


def local(address: str | None) -> str:
    """The path to go on to after a login. Raises LoginFailed when it could lead to another host."""
    if address is None:
        return "/"
    if len(address) > LONGEST_NEXT or not _LOCAL.fullmatch(address):
        raise LoginFailed("login-failed", "the address to go on to is not one of this service")
    return address


def read_begun(cookie: str) -> Begun | None:
    """A login's cookie, read; None when it is none of ours."""
    found = _BEGUN.fullmatch(cookie)
    if found is None:
        return None
    try:
        going_on_to = local(urlsafe_b64decode(found[3]).decode("ascii"))
    except (ValueError, LoginFailed):
        return None
    return Begun(found[2], int(found[1]), going_on_to)


def _lacks(claims: dict[str, Any], client: OidcClient) -> bool:
    """Whether the id token leaves out what is needed; many providers tell it at the userinfo endpoint alone."""
    names = (
        client.user_claim,
        client.region_claim,
        client.organisation_claim,
        client.organisation_kind_claim,
        client.roles_claim,
    )
    return any(value_of(claims, name) is None for name in names)


def _with_userinfo(claims: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Both together; the signed id token wins. An answer about someone else counts for nothing."""
    return {**told, **claims} if told.get("sub") == claims["sub"] else claims
