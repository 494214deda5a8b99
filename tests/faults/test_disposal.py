"""A client's time is over: afterwards their name, notes and employer are nowhere — not in the database's files, not in
an export, not in a log, not in a metric — though they were in the first two before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from service.store import Database
from tests.faults.issuer import Issuer
from tests.faults.server import REGION, ROOT, Server, serving
from tests.faults.whole import faults_in
from tests.service.postgresql import Urls
from tests.service.rights.test_disposal import bytes_of, server_log

NAME, PHONE = "Aino Esimerkkilä-Testinen", "+358 40 555 0199"
NOTE, EMPLOYER, PLACE = "kertoi kissansa Miirun sairaudesta", "tyonantaja-zq81", "Kaukovainionkylä"
REASON = "perusteluna planted-reason-5512"
SECRETS = (NAME, PHONE, NOTE, EMPLOYER, PLACE, REASON)

JOURNAL = {
    "case": {"id": "planted", "municipality": PLACE, "birth_year": 1971, "language": "fi"},
    "entries": [
        {"date": "2014-01-05", "type": "worker_assigned", "role": "social_worker", "worker": "worker-1"},
        {"date": "2014-01-07", "type": "activity_started", "days_per_week": 3, "note": NOTE},
        {"date": "2014-03-02", "type": "work_trial_started", "arrangement": "alongside_activity", "employer": EMPLOYER},
        {"date": "2014-05-02", "type": "work_trial_ended", "outcome": "completed"},
    ],
}


def lived(server: Server) -> None:
    """The client's case as it came to be over HTTP: taken over, added to, acknowledged, read, refused, closed."""
    client = server.client()
    assert client("POST", "/v1/cases", JOURNAL).status == 201
    assert client("PUT", "/v1/cases/planted/identity", {"name": NAME, "phone": PHONE}).status == 200
    entries = [{"date": "2014-05-03", "type": "follow_up_done", "situation": "ok", "note": NOTE}]
    assert client("POST", "/v1/cases/planted/entries", {"entries": entries}, If_Match='"v1"').status == 201
    ended = {"date": "2014-06-02", "type": "job_ended", "employer": EMPLOYER, "reason": NOTE}
    blocked = client("POST", "/v1/cases/planted/entries", {"entries": [ended]}, If_Match='"v2"')
    assert blocked.status == 409, blocked.body  # no job of theirs is on record
    body = {"entries": [ended], "acknowledged": {"rules": blocked.body["rules"], "reason": REASON}}
    taken = client("POST", "/v1/cases/planted/entries", body, If_Match='"v2"', Idempotency_Key="planted-key-1")
    assert taken.status == 201, taken.body
    for path in ("", "/next-steps", "/decisions", "/identity", "/copy", "/reads"):
        assert client("GET", f"/v1/cases/planted{path}").status == 200, path
    # A mistake is told with its place; what was sent must not be told on to the log.
    wrong = {"entries": [{"date": "2014-06-03", "type": "contact", "noot": NOTE, "party": NAME, "by": EMPLOYER}]}
    assert client("POST", "/v1/cases/planted/entries", wrong, If_Match='"v3"').status == 422
    stranger = server.client("worker-77")
    assert stranger("GET", "/v1/cases/planted").status in (404, 200)
    closing = {"entries": [{"date": "2014-09-01", "type": "case_closed", "reason": "moved", "note": NOTE}]}
    closed = client("POST", "/v1/cases/planted/entries", closing, If_Match='"v3"')
    assert closed.status == 201, closed.body


def polku(urls: Urls, folder: Path, *arguments: str) -> str:
    """What `polku` prints, run as the owner of the database."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POLKU_")}
    environment |= {
        "PYTHONPATH": str(ROOT),
        "POLKU_REGION": REGION,
        "POLKU_DATABASE_URL": urls.app,
        "POLKU_OWNER_DATABASE_URL": urls.owner,
    }
    command = [sys.executable, "-m", "service.cli", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def holding(content: bytes) -> list[str]:
    """Which of the secrets the bytes hold, plain or escaped as JSON may write them."""
    return [text for text in SECRETS if text.encode() in content or json.dumps(text)[1:-1].encode() in content]


@pytest.mark.usefixtures("database")
def test_what_was_told_of_a_client_is_nowhere_afterwards(
    engine: str, urls: Urls, database: Database, issuer: Issuer, tmp_path: Path
) -> None:
    with serving(issuer, urls.app, tmp_path / "log") as server:
        lived(server)
        assert faults_in(database, ["planted"], export=tmp_path / "before") == []
        assert set(holding(bytes_of(engine, urls, tmp_path))) == set(SECRETS)
        assert set(holding((tmp_path / "before").read_bytes())) >= {NOTE, EMPLOYER, PLACE, REASON}
        printed = polku(urls, tmp_path, "dispose", "--decided-by", "archivist-1")
        assert "disposed of: 1 cases" in printed
        # The server ran on meanwhile, and knows.
        client = server.client()
        for path in ("", "/next-steps", "/identity", "/copy"):
            assert client("GET", f"/v1/cases/planted{path}").status in (404, 410), path
        again = client("POST", "/v1/cases", {"case": {"id": "planted"}, "entries": []})
        assert again.status in (409, 410), again.body
        contact = {"date": "2014-09-02", "type": "contact", "party": "client", "by": "social_worker", "form": "phone"}
        refused = client("POST", "/v1/cases/planted/entries", {"entries": [contact]}, If_Match='"v4"')
        assert refused.status in (404, 410), refused.body
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
            metrics = answer.read()
        polku(urls, tmp_path, "audit", "export", "--out", str(tmp_path / "export"))
        while_running = bytes_of(engine, urls, tmp_path)
        assert server.stop() == 0
    places = {
        "database while the server runs": while_running,
        "database": bytes_of(engine, urls, tmp_path),
        "export": (tmp_path / "export").read_bytes(),
        "log": (tmp_path / "log").read_bytes(),
        "metrics": metrics,
        "printed": printed.encode(),
    }
    if engine == "postgresql" and "POLKU_TEST_DATABASE_URL" not in os.environ:
        places["the database server's own log"] = server_log(urls)
    assert {place: holding(content) for place, content in places.items() if holding(content)} == {}
    assert all(places.values())
    assert [fault for fault in faults_in(database, [], export=tmp_path / "again") if "missing from" not in fault] == []


def test_the_search_finds_what_is_there() -> None:
    assert holding(f"… {NOTE} …".encode()) == [NOTE]
    assert holding(json.dumps({"place": PLACE}).encode()) == [PLACE]
