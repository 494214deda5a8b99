"""Asks the application in this process, as a program would by HTTP, and holds each answer against the OpenAPI document.

An answer with a status the document does not have, of another kind, or with a field it does not name, fails the test.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from jsonschema import Draft202012Validator

PROBLEM = "application/problem+json"


class Document:
    """The OpenAPI document, as something to hold answers against."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self._components = {"components": {"schemas": _closed(content["components"]["schemas"])}}
        self._validators: dict[str, Draft202012Validator] = {}
        self._paths = [
            (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), operations)
            for path, operations in sorted(content["paths"].items(), key=lambda item: "{" in item[0])
        ]

    def check(self, response: httpx.Response) -> None:
        """Whether the answer is one the document has."""
        method, path = response.request.method.lower(), response.request.url.raw_path.decode().split("?")[0]
        operations = next((found for pattern, found in self._paths if pattern.fullmatch(path)), None)
        if operations is None or method not in operations:
            assert response.status_code in (401, 404, 405), (method, path, response.status_code)
            return
        answers = operations[method]["responses"]
        status = str(response.status_code)
        assert status in answers, f"{method} {path}: {status} is not documented: {response.text[:500]}"
        if not response.content:
            assert "content" not in answers[status], f"{method} {path}: {status} has no body"
            return
        kind = response.headers["content-type"].split(";")[0]
        assert kind in answers[status]["content"], f"{method} {path}: {status} {kind} is not documented"
        if kind.endswith("json"):
            self.validate(answers[status]["content"][kind]["schema"], response.json())
        if kind == PROBLEM:
            slug = response.json()["type"].removeprefix("/problems/")
            assert slug in answers[status]["content"][kind]["examples"], f"{method} {path}: {slug} is not documented"

    def validate(self, schema: Mapping[str, Any], data: Any) -> None:
        """Hold data against a schema of the document."""
        key = repr(schema)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator({**schema, **self._components})
        found = [f"{error.json_path}: {error.message[:300]}" for error in self._validators[key].iter_errors(data)]
        assert not found, "\n".join(found[:5])


def _closed(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The schemas with no field allowed that they do not name; problems may add members."""
    made = copy.deepcopy(dict(schemas))

    def close(node: Any) -> None:
        if isinstance(node, dict):
            if "properties" in node and node.get("type") == "object":
                node.setdefault("additionalProperties", False)
            for value in node.values():
                close(value)
        elif isinstance(node, list):
            for value in node:
                close(value)

    for name, schema in made.items():
        if name != "Problem":
            close(schema)
    return made


class Client:
    """One client of an application; `headers` go with every request."""

    def __init__(self, app: FastAPI, portal: BlockingPortal, document: Document, headers: Mapping[str, str]) -> None:
        self.app, self._portal, self.document, self._headers = app, portal, document, dict(headers)

    def showing(self, headers: Mapping[str, str]) -> Client:
        """Another client of the same application, which shows these headers."""
        return Client(self.app, self._portal, self.document, headers)

    def request(self, method: str, path: str, *, checked: bool = True, **options: Any) -> httpx.Response:
        """Ask; unless told otherwise the answer is held against the document."""
        options["headers"] = {**self._headers, **options.get("headers", {})}
        response: httpx.Response = self._portal.call(self._ask, method, path, options)
        if checked:
            self.document.check(response)
        return response

    async def _ask(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="https://polku.test") as client:
            return await client.request(method, path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Ask for something."""
        return self.request("GET", path, **options)

    def post(self, path: str, data: Any = None, **options: Any) -> httpx.Response:
        """Send something, as JSON unless `content` is given."""
        return self.request("POST", path, **(options if "content" in options else {"json": data, **options}))

    def put(self, path: str, data: Any = None, **options: Any) -> httpx.Response:
        """Put something, as JSON."""
        return self.request("PUT", path, **(options if "content" in options else {"json": data, **options}))


@contextmanager
def client_of(app: FastAPI, document: Document) -> Iterator[Client]:
    """A client of the application without a login; the application is started and stopped as a server does."""
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        stack.enter_context(portal.wrap_async_context_manager(app.router.lifespan_context(app)))
        yield Client(app, portal, document, {})


def problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem an answer tells of."""
    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM), response.text[:800]
    told: dict[str, Any] = response.json()
    assert (told["type"], told["status"]) == (f"/problems/{slug}", status)
    return told


def places(response: httpx.Response) -> list[str]:
    """The places of the mistakes an answer lists."""
    return [item["place"] for item in problem(response, 422, "invalid-request")["problems"]]
