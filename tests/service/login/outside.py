"""A real identity provider over real HTTP, a service that trusts it, and a browser that goes between them.

The provider is the demo's, under another address, without its mark, with keys and answers that tests can spoil.
"""

import json
import re
import socket
import threading
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import uvicorn
from fastapi import FastAPI, Request
from joserfc.jwk import ECKey, Key
from joserfc.jws import JWSRegistry
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.principal import Principal
from service.api import failures
from service.login.authentication import authenticate, identify
from service.login.development import AUDIENCE, CLIENT_ID, Answer, DemoUser, DevelopmentIdentity, demo_users
from service.login.installing import install
from service.login.settings import OidcSettings
from service.settings import Settings
from service.store import Database
from tests.service.conftest import Clock

REGION = "testila"


class Server:
    """An HTTP server on a free port of this machine, in a thread; what it serves can be changed."""

    def __init__(self, **config: Any) -> None:
        self.app: ASGIApp | None = None
        # The protocol is named, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        quiet: dict[str, Any] = {"log_config": None, "lifespan": "off", "ws": "none"}
        self._server = uvicorn.Server(uvicorn.Config(self._serve, interface="asgi3", **quiet, **config))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    @contextmanager
    def running(self) -> Iterator["Server"]:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        try:
            yield self
        finally:
            self._server.should_exit = True
            self._thread.join()
            self._socket.close()


class Outside(DevelopmentIdentity):
    """An identity provider that is not the demo's. `published` are its public keys, `asked` counts what it was asked,
    `broken` are paths that fail, `metadata_also` and `tokens_also` spoil what it says, `authorization` was shown it."""

    def __init__(self, server: Server, service_url: str, clock: Clock) -> None:
        super().__init__(service_url, REGION, clock)
        self.issuer = server.url + "/realm"
        self.published: list[dict[str, Any]] = super().jwks()["keys"]
        self.asked: Counter[str] = Counter()
        self.broken: set[str] = set()
        self.metadata_also: dict[str, Any] = {}
        self.tokens_also: dict[str, Any] = {}
        self.told_at_userinfo: dict[str, Any] | None = None
        self.authorization = ""

    @property
    def key(self) -> Key:
        return self._key

    def settings(self, **also: Any) -> OidcSettings:
        return OidcSettings(**{"issuer": self.issuer, "client_id": CLIENT_ID, "audience": AUDIENCE, **also})

    def metadata(self) -> dict[str, Any]:
        told = {name: value for name, value in super().metadata().items() if name != "polku_development"}
        if self.told_at_userinfo is not None:
            told["userinfo_endpoint"] = f"{self.issuer}/userinfo"
        return {**told, **self.metadata_also}

    def jwks(self) -> dict[str, Any]:
        return {"keys": self.published}

    def publish(self, *keys: Key | dict[str, Any]) -> None:
        """Have exactly these keys."""
        self.published = [key if isinstance(key, dict) else key.as_dict(private=False) for key in keys]

    def _redeemed(self, asked: Mapping[str, str]) -> dict[str, Any]:
        return {**super()._redeemed(asked), **self.tokens_also}

    def answer(
        self, method: str, path: str, query: str = "", body: str = "", accept_language: str | None = None
    ) -> Answer:
        self.asked[path] += 1
        if path in self.broken or "*" in self.broken:
            return Answer(502, "<h1>Bad gateway</h1>")
        if path == "/userinfo" and self.told_at_userinfo is not None:
            return Answer(200, json.dumps(self.told_at_userinfo), "application/json")
        return super().answer(method, path, query, body, accept_language)

    def app(self) -> FastAPI:
        made = FastAPI(openapi_url=None)

        @made.api_route("/realm/{path:path}", methods=["GET", "POST"])
        async def answer(request: Request, path: str) -> Response:
            self.authorization = request.headers.get("Authorization", self.authorization)
            body = (await request.body()).decode()
            told = self.answer(request.method, f"/{path}", request.url.query, body)
            return Response(told.body, told.status, told.headers)

        return made

    # --- tokens ---

    def access(self, user: str = "aino", **also: Any) -> dict[str, Any]:
        """The claims of a good access token, with these in place of its own; None leaves one out."""
        claims = {**self.claims(demo_users()[user], AUDIENCE), "client_id": "program", **also}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, user: str = "aino", **also: Any) -> str:
        """A good access token but for these claims."""
        return self.sign(self.access(user, **also), typ="at+jwt")

    def signed(self, header: dict[str, Any], claims: object = None, key: Any = None) -> str:
        """A token with this header beside the usual one (None leaves a member out), signed by hand, so that nothing
        keeps it from being odd."""
        told = {"alg": "ES256", "kid": self.key.kid, "typ": "at+jwt", **header}
        told = {name: value for name, value in told.items() if value is not None}
        body = f"{encoded(told)}.{encoded(self.access() if claims is None else claims)}"
        signature = JWSRegistry.algorithms["ES256"].sign(body.encode(), self.key if key is None else key)
        return f"{body}.{encoded(signature)}"

    def id_claims(self, user: DemoUser, nonce: str, /, **also: Any) -> dict[str, Any]:
        claims = {**self.claims(user, CLIENT_ID), "nonce": nonce, **also}
        return {name: value for name, value in claims.items() if value is not None}


def encoded(part: object) -> str:
    """A part of a token: bytes as they are, anything else as JSON."""
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def another_key(kid: str | None = None, kind: type[Any] = ECKey, size: Any = "P-256") -> Any:
    """A key the provider does not have; `kid` may be one of its own."""
    key = kind.generate_key(size, auto_kid=kid is None)
    return key if kid is None else kind.import_key({**key.as_dict(private=True), "kid": kid})


def service(settings: Settings, database: Database, clock: Clock) -> FastAPI:
    """A service of three routes: who am I, who am I whatever the role, and a change."""
    made = FastAPI(openapi_url=None)
    failures.install(made)
    install(made, settings, database, clock)

    def told(principal: Principal) -> dict[str, Any]:
        return {name: getattr(principal, name) for name in Principal.__slots__}

    @made.get("/who")
    def who(request: Request) -> dict[str, Any]:
        return told(authenticate(request))

    @made.get("/identified")
    def identified(request: Request) -> dict[str, Any]:
        return told(identify(request))

    @made.post("/change")
    def change(request: Request) -> dict[str, Any]:
        return told(authenticate(request))

    return made


class _Rerouted(httpx.HTTPTransport):
    """Takes what is sent to `url` to a server of this machine, as a reverse proxy would."""

    def __init__(self, url: str, address: str) -> None:
        super().__init__()
        self._url, self._address = url, address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(self._url):
            host, port = self._address.split(":")
            there = request.url.copy_with(scheme="http", host=host, port=int(port))
            request = httpx.Request(request.method, there, headers=request.headers, content=request.read())
        return super().handle_request(request)


class Browser(httpx.Client):
    """A person's browser: keeps cookies, says where its requests come from, and takes one step at a time."""

    def __init__(self, url: str, address: str, **headers: str) -> None:
        super().__init__(
            base_url=url, transport=_Rerouted(url, address), headers={"Accept": "text/html", **headers}, timeout=30
        )
        self.url = url

    def begin(self, **query: str) -> str:
        """Go to /login: the address at the identity provider."""
        answer = self.get("/login", params=query)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def choose(self, there: str, user: str) -> str:
        """Be someone at the identity provider: the address back."""
        fields, action = form_of(self.get(there).text)
        answer = self.post(httpx.URL(there).join(action), data={**fields, "user": user})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def log_in(self, user: str = "aino", **query: str) -> httpx.Response:
        """The whole way: the service's answer to what the provider sends back."""
        return self.get(self.choose(self.begin(**query), user))

    def change(self, **headers: str) -> httpx.Response:
        """A change asked from a page of the service itself."""
        return self.post("/change", headers={"Sec-Fetch-Site": "same-origin", "Origin": self.url, **headers})


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.action = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form":
            self.action = told["action"] or ""
        if tag == "input":
            self.fields[str(told["name"])] = told["value"] or ""


def form_of(page: str) -> tuple[dict[str, str], str]:
    """The hidden fields of a page's form and where it is sent."""
    parser = _Form()
    parser.feed(page)
    return parser.fields, parser.action


def query_of(address: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query, keep_blank_values=True).items()}


def text_of(page: str) -> str:
    """What a page says, without its tags and style."""
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page)))
