"""What clients' data goes through the running service is in none of its logs and in none of its metrics.

Names, notes and ids are planted wherever a request can hold anything, in requests that go well and in every kind that
fails; then everything the process wrote is searched, at the most talkative level.
"""

import re
import socket
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from rules.entries import ENTRY_TYPES
from tests.service.serving import Served, served, token_of

NAME, NOTE, EMPLOYER, CASE = "Plantti-Virtanen", "arkaluonteinen-muistio", "istutettu-tyonantaja", "tapaus-plantti"
CODE = "131052-308T"
PLANTED = (NAME, NOTE, EMPLOYER, CASE, CODE, "plantti", "istutettu", "muistio")
USERS = ("aino", "vilho", "helmi", "saimi")
TODAY = date.today().isoformat()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("privacy")
    given = {
        "POLKU_LOG_LEVEL": "debug",
        "POLKU_DRAIN_SECONDS": "0",
        "POLKU_LOGINS_PER_MINUTE": "30",
        "POLKU_REQUESTS_PER_MINUTE": "100000",
        "POLKU_SNOOPING_CLIENTS_PER_HOUR": "3",
        "POLKU_MAX_REQUEST_BYTES": "100000",
        "TMPDIR": str(folder),
    }
    with served(folder, "--demo", env=given) as running:
        yield running


def bodies() -> Iterator[Any]:
    """Bodies with planted data, right and wrong."""
    header = {"id": CASE, "municipality": NAME}
    yield {"case": header, "entries": [{"date": TODAY, "type": "coaching_info_given", "note": NOTE}]}
    yield {"case": {"id": f"{CASE} {CODE}"}, "entries": []}
    yield {"case": header, "entries": [{"date": TODAY, "type": NAME}]}
    yield {"case": header, "entries": [{"date": NAME, "type": "job_started", "kind": EMPLOYER, NOTE: NAME}]}
    yield {NAME: NOTE}
    yield [NAME] * 10
    yield NAME


def recordings() -> Iterator[Any]:
    """Recordings with planted data, right and wrong."""
    trial = {"date": TODAY, "type": "work_trial_agreed", "start": TODAY, "employer": EMPLOYER, "note": f"{NAME} {NOTE}"}
    yield {"entries": [trial]}
    yield {"entries": [{"date": TODAY, "type": "need_assessed", "outcome": f"{NAME} {NOTE}", "note": NOTE}]}
    yield {"entries": [{"date": TODAY, "type": "contact", "party": "employer", "form": "phone", "employer": EMPLOYER}]}
    yield {"entries": [{"date": TODAY, "type": "work_trial_ended", "outcome": "failed", "note": NOTE}]}
    yield {
        "entries": [{"date": TODAY, "type": "work_trial_started", "arrangement": "alongside_activity"}],
        "acknowledged": {"rules": ["path-inconsistent"], "reason": f"{NAME} {NOTE}"},
    }
    yield {"entries": [{"date": TODAY, "type": "need_assessed", "outcome": f"{NOTE} {CODE}"}]}
    for kind in ENTRY_TYPES:
        yield {"entries": [{"date": TODAY, "type": kind, "note": NOTE, "reason": NAME, "worker": NAME}]}


def ask_everything(client: httpx.Client) -> list[int]:
    """Send planted data in bodies, paths, queries, headers and methods; the statuses that came back."""
    statuses: list[int] = []

    def ask(method: str, path: str, **how: Any) -> httpx.Response:
        answer = client.request(method, path, **how)
        statuses.append(answer.status_code)
        return answer

    for user in ("aino", "saimi"):
        who = token_of(client, user)
        for body in bodies():
            for path in ("/v1/assessments", "/v1/cases", f"/v1/cases/{NAME}/entries", f"/{NAME}/{NOTE}"):
                ask("POST", path, json=body, headers={**who, "Idempotency-Key": NAME, "If-Match": f'"{NAME}"'})
        version = 1
        for body in recordings():
            answer = ask("POST", f"/v1/cases/{CASE}/entries", json=body, headers={**who, "If-Match": f'"v{version}"'})
            version += answer.status_code == 201
        ask("PUT", f"/v1/cases/{CASE}/identity", json={"name": NAME, "address": NOTE}, headers=who)
        ask("PUT", f"/v1/cases/{CASE}/restriction", json={"restricted": False, "reason": NOTE}, headers=who)
        ask("POST", "/v1/cases/sirpa/emergency-access", json={"reason": f"{NAME} {NOTE}"}, headers=who)
        for part in (
            "",
            "/next-steps",
            "/decisions",
            "/identity",
            "/reads",
            "/copy",
            "/advice",
            f"/explanations/{NAME}",
        ):
            for case in (CASE, NAME, "samuli", f"{NAME}%00", CODE):
                ask("GET", f"/v1/cases/{case}{part}", headers=who)
            ask("GET", f"/v1/cases/{CASE}{part}?as_of={NAME}&{NOTE}={NAME}", headers=who)
            ask("GET", f"/v1/cases/{CASE}{part}", headers={**who, "Polku-Purpose": NAME, "Polku-Role": NOTE})
        for case in ("lost-job", "pilot-2", "pilot-4", "trial-ended", "trial-paused"):
            ask("GET", f"/v1/cases/{case}", headers=who)
        ask("GET", f"/v1/decisions/{NAME}", headers=who)
        ask("GET", f"/v1/rules/{NAME}?lang={NOTE}", headers=who)
    return statuses + ask_badly(client)


def ask_badly(client: httpx.Client) -> list[int]:
    """What no program of good will sends."""
    who, statuses = token_of(client, "aino"), []
    for content in (b"{" + NAME.encode(), b"\xff" + NAME.encode(), NAME.encode() * 20_000, b"[" * 50_000):
        for kind in ("application/json", "application/yaml", f"text/{NAME}"):
            answer = client.post("/v1/assessments", content=content, headers={**who, "Content-Type": kind})
            statuses.append(answer.status_code)
    for headers in (
        {"Authorization": f"Bearer {NAME}"},
        {"Authorization": NAME},
        {"Cookie": f"polku_session={NAME}; {NOTE}={NAME}"},
        {"User-Agent": NAME, "X-Forwarded-For": NAME, "X-Request-Id": NAME, "Referer": NOTE, "Accept": f"x/{NAME}"},
    ):
        statuses.append(client.get("/v1/me", headers=headers).status_code)
    statuses.append(client.request(NAME.upper(), "/v1/me").status_code)
    for _ in range(40):
        statuses.append(client.get(f"/login?next=/{NAME}").status_code)
    statuses.append(client.get(f"/login/callback?code={NAME}&state={NOTE}&error={NAME}").status_code)
    return statuses


def send_raw(address: str, content: bytes) -> None:
    """Send bytes that are no request."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(content)
        connection.settimeout(2)
        try:
            connection.recv(1000)
        except TimeoutError:
            return


def test_what_is_planted_is_nowhere_in_logs_or_metrics(found: Served) -> None:
    with found.client() as client:
        statuses = ask_everything(client)
        # Without its database every request fails in yet another way.
        (file,) = found.folder.glob("polku-demo-*/polku.db")
        file.rename(file.with_name("away.db"))
        statuses += [client.get(f"/v1/cases/{CASE}", headers=token_of(client, "aino")).status_code]
        file.with_name("away.db").rename(file)
        for content in (
            f"{NAME}\r\n\r\n",
            f"GET /{NAME} HTTP/9.9\r\n{NOTE}\r\n\r\n",
            f"GET / HTTP/1.1\r\n{NAME}\x00: x\r\n\r\n",
        ):
            send_raw(found.address, content.encode())
        metrics, documented = client.get("/metrics").text, client.get("/openapi.json").json()["paths"]
    assert statuses.count(201) >= 5
    # The requests were not all turned away at the door, nor all let in.
    assert {200, 201, 401, 404, 409, 413, 415, 422, 429, 503} <= set(statuses), sorted(set(statuses))
    assert found.stop() == 0
    # Who one can log in as, the demo tells at its start.
    greeting, _, told = found.told.partition("/development-identity/token\n")
    assert "Aino Esimerkki" in greeting
    for place, text in (("log", found.logged), ("standard error", told), ("metrics", metrics)):
        for planted in PLANTED:
            assert planted.lower() not in text.lower(), (place, planted)
        for user in USERS:
            assert not re.search(rf"\b{user}\b", text), (place, user)
    for word in ("eyJ", "Bearer", "polku_session", "127.0.0.1:"):  # tokens, cookies, who asked from where
        assert word not in found.logged
    routes = set(re.findall(r'route="([^"]+)"', metrics))
    undocumented = {"(none)", "/login", "/login/callback", "/openapi.json", "/development-identity/{path:path}"}
    assert routes - undocumented <= documented.keys()
    assert len(found.lines) > len(statuses) / 2
    assert any(line["message"] == "snooping alarm" for line in found.lines if "message" in line)
