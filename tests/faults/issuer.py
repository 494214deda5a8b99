"""An OpenID Connect issuer for servers under test: keys over HTTP on this machine, and tokens without asking."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

AUDIENCE = "polku-api"
CLIENT = "polku-web"


class Issuer:
    """A running issuer: its address, and tokens signed with its key."""

    def __init__(self, url: str, key: ECKey) -> None:
        self.url = url
        self._key = key

    def token(self, user: str, roles: tuple[str, ...] = ("social_worker",), *, region: str, **claims: str) -> str:
        """A bearer token of a worker, good for six hours."""
        now = int(time.time())
        said = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": user,
            "iat": now - 5,
            "exp": now + 6 * 3600,
            "polku_roles": list(roles),
            "polku_region": region,
            "polku_organisation": "county-1",
            "polku_organisation_kind": "county",
            "polku_team": "team-1",
            **claims,
        }
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": self._key.kid}, said, self._key)

    def environment(self) -> dict[str, str]:
        """The settings by which a service trusts this issuer."""
        return {"POLKU_OIDC_ISSUER": self.url, "POLKU_OIDC_CLIENT_ID": CLIENT, "POLKU_OIDC_AUDIENCE": AUDIENCE}


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer for as long as the context lasts."""
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": "faults"})
    answers: dict[str, Any] = {"/jwks": {"keys": [key.as_dict(private=False)]}}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answers.get(self.path, {})).encode()
            self.send_response(200 if self.path in answers else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    answers["/.well-known/openid-configuration"] = {
        "issuer": url,
        "jwks_uri": f"{url}/jwks",
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
    }
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Issuer(url, key)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
