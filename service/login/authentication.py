"""Who makes this request: a program by its bearer token, a person by the session of their browser.

`authenticate` is asked by every route of the API and by nothing else decided; deny is what remains.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from starlette.requests import Request

from service.access.principal import Principal
from service.api.problems import ApiProblem
from service.login.claims import NotAdmitted, Person, person_of
from service.login.kept import Unreachable
from service.login.login import Login
from service.login.tokens import BadToken, access_claims

ROLE_HEADER = "Polku-Role"
#: Methods that change nothing (RFC 9110, 9.2.1).
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: After how many seconds a provider that cannot be reached may be asked again.
RETRY_AFTER = "60"
_CHALLENGE = 'Bearer realm="polku"'

_log = logging.getLogger(__name__)


def authenticate(request: Request) -> Principal:
    """Who asks, in the role they act in: named by the header Polku-Role, which may be left out by who has one role.

    Raises ApiProblem: not-authenticated, not-admitted, role-not-held, cross-site, login-unavailable; StoreUnavailable.
    Reads the database and may ask the identity provider: for threads, not for the event loop.
    """
    return _authenticated(request, request.headers.getlist(ROLE_HEADER), role_needed=True)


def identify(request: Request) -> Principal:
    """As `authenticate`, but who has several roles and names none is taken in the first: only for telling them which
    they have."""
    return _authenticated(request, request.headers.getlist(ROLE_HEADER), role_needed=False)


def recognise(request: Request, role: str | None) -> Principal:
    """As `authenticate`, for pages: `role` is what the browser remembers; where that is not theirs, their first."""
    return _authenticated(request, [] if role is None else [role], role_needed=False, role_refused=False)


def _authenticated(request: Request, asked: list[str], *, role_needed: bool, role_refused: bool = True) -> Principal:
    login: Login = request.app.state.login
    shown = request.headers.getlist("Authorization")
    try:
        if shown:  # what is shown counts: a bad token is not made good by a cookie
            person, program = _bearer(shown, login), True
        else:
            person, program = _session(request, login), False
    except NotAdmitted as error:
        _log.warning("login refused", extra={"reason": str(error)})
        raise ApiProblem("not-admitted", str(error)) from None
    except Unreachable as error:
        _log.error("identity provider unreachable", extra={"reason": str(error)})
        raise ApiProblem("login-unavailable", headers={"Retry-After": RETRY_AFTER}) from None
    if not role_refused:
        asked = [role for role in asked if role in person.roles]
    principal = person.acting_as(_role(asked, person, needed=role_needed), program=program)
    request.state.principal = principal
    return principal


def _bearer(shown: list[str], login: Login) -> Person:
    scheme, _, token = shown[0].partition(" ")
    if len(shown) > 1 or scheme.lower() != "bearer":
        raise _unauthenticated("The header Authorization must hold one bearer token.")
    now = login.clock()
    try:
        claims = access_claims(token.strip(" "), login.provider, now)
    except BadToken as error:
        _log.warning("token refused", extra={"reason": str(error)})
        challenge = f'{_CHALLENGE}, error="invalid_token", error_description="{error}"'
        raise _unauthenticated(f"The token is not accepted. {error}", challenge) from None
    person = person_of(claims, login.provider.client, login.region)
    login.sessions.admit(person, datetime.fromtimestamp(claims["iat"], UTC))
    return person


def _session(request: Request, login: Login) -> Person:
    session_id = request.cookies.get(login.session_cookie)
    if session_id is None:
        raise _unauthenticated(None)
    # Before the session is looked up: what another site sends must not even prolong it.
    refuse_cross_site(request, login.public_url)
    person = login.sessions.person(session_id)
    if person is None:
        raise _unauthenticated("The session is over. Log in again.")
    return person


def _role(asked: list[str], person: Person, *, needed: bool) -> str:
    if not asked and (len(person.roles) == 1 or not needed):
        return person.roles[0]
    if len(asked) != 1 or asked[0] not in person.roles:
        missing = "You have several roles: name one in the header Polku-Role." if not asked else None
        raise ApiProblem("role-not-held", missing)
    return asked[0]


def refuse_cross_site(request: Request, public_url: str) -> None:
    """Refuse what another site made a browser send along with our cookie (CSRF). Raises ApiProblem.

    Browsers say where a request comes from (Sec-Fetch-Site, Origin), and no page can make them lie. A change must say
    that it comes from here. A read may say nothing, and a link may lead here from anywhere; but what a page of another
    site loads without being looked at is refused too: every read of a client is logged as somebody's.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if request.method in SAFE:
        # A frame is navigated too, but nobody looks at it: the page's policy lets no other site show it.
        followed = (
            request.headers.get("Sec-Fetch-Mode") == "navigate"
            and request.headers.get("Sec-Fetch-Dest", "document") == "document"
        )
        foreign = site in ("cross-site", "same-site") and not followed
    elif site is not None:
        foreign = site != "same-origin" or origin not in (None, public_url)
    else:
        foreign = origin != public_url
    if foreign:
        _log.warning("cross-site request refused")
        raise ApiProblem("cross-site")


def _unauthenticated(detail: str | None, challenge: str = _CHALLENGE) -> ApiProblem:
    return ApiProblem("not-authenticated", detail, headers={"WWW-Authenticate": challenge})
