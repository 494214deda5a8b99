"""`polku serve` as a process: it starts, works, tells that it is stopping, and ends well."""

import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from service.store import downgrade, migrate
from tests.service.polku import refused
from tests.service.serving import Served, served, token_of

OIDC = {
    "POLKU_OIDC_ISSUER": "https://id.example.fi",
    "POLKU_OIDC_CLIENT_ID": "polku-web",
    "POLKU_OIDC_AUDIENCE": "polku",
    "POLKU_PUBLIC_URL": "https://polku.example.fi",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A demo for the tests that leave it as it is."""
    with served(tmp_path_factory.mktemp("demo"), "--demo") as found:
        yield found


# ---- the demo


def test_the_demo_says_where_it_is_and_how_to_get_in(demo: Served) -> None:
    assert f"Polku's demo runs at {demo.address} until you stop it" in demo.told
    assert f"Log in at {demo.address}/login as any of its users" in demo.told
    assert "Whoever reaches" not in demo.told
    assert re.search(r"^  Aino Esimerkki +social worker", demo.told, re.M)
    assert re.search(r"^  Urho Malli +social worker.*, team leader$", demo.told, re.M)
    assert len(re.findall(r"^  [A-Z]\w+ [A-Z]\w+  ", demo.told, re.M)) == 12
    kept = re.search(r"What you record lies in (\S+) and is gone when it stops", demo.told)
    assert kept is not None
    assert (Path(kept[1]) / "polku.db").exists()
    with demo.client() as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json() == {"status": "ready", "checks": {"database": "ok"}}


def test_each_demo_user_sees_the_clients_that_are_theirs(demo: Served) -> None:
    with demo.client() as client:
        seen = {
            user: [item["id"] for item in client.get("/v1/cases", headers=token_of(client, user)).json()["items"]]
            for user in ("aino", "vilho", "helmi", "onni", "lempi", "vieno", "kerttu", "saimi")
        }
    assert {"samuli", "trial-paused", "lost-job"} <= set(seen["aino"])
    assert {"sirpa", "sirpa-path"} <= set(seen["vilho"])
    assert len(seen["onni"]) > 25
    assert {"mirja", "sanna"} <= set(seen["vieno"])
    assert seen["kerttu"] == ["sanna"]
    assert {"pilot-1", "trial-ended"} <= set(seen["lempi"])
    assert "samuli" not in seen["lempi"]
    assert seen["saimi"] == []


def test_the_demos_clients_stand_today_where_the_examples_look_at_them(demo: Served) -> None:
    with demo.client() as client:
        as_vilho = token_of(client, "vilho")
        answer = client.get("/v1/cases/sirpa/next-steps?lang=en", headers=as_vilho)
        assert answer.status_code == 200, answer.text
        assert [step["action"] for step in answer.json()["next_steps"]][:1] == ["open_the_way_to_coaching"]
        decisions = client.get("/v1/cases/sirpa-path/decisions", headers=as_vilho).json()["items"]
        assert len(decisions) == 2
        client_name = client.get("/v1/cases/sirpa/identity", headers=as_vilho).json()
        assert client_name["identity"]["name"] == "Sirpa Esimerkki"


def test_a_browser_logs_in_to_the_demo_by_choosing_a_user(demo: Served) -> None:
    with demo.client(follow_redirects=True) as client:
        page = client.get("/login")
        form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        assert form is not None
        fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text))
        fields = {name: value.replace("&amp;", "&") for name, value in fields.items()}
        there = str(page.url.join(form[1]))
        client.post(there, data={**fields, "user": "aino"}, headers={"Origin": demo.address})
        assert client.get("/v1/me").json()["user"] == "aino"


def test_the_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with served(tmp_path, "--demo", env={"TMPDIR": str(temporary), "POLKU_DRAIN_SECONDS": "0"}) as found:
        assert list(temporary.iterdir())
        assert found.stop() == 0
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLKU_DATABASE_URL", "postgresql://polku_app:s3kr1t@db/polku"),
        ("POLKU_DATABASE_URL", "sqlite:///real.db"),
        ("POLKU_DATABASE_URL_FILE", "/run/secrets/url"),
        ("POLKU_OWNER_DATABASE_URL", "postgresql://polku_owner:s3kr1t@db/polku"),
        ("POLKU_OIDC_ISSUER", "https://id.example.fi"),
        ("POLKU_OIDC_CLIENT_SECRET_FILE", "/run/secrets/oidc"),
    ],
)
def test_the_demo_is_refused_beside_anything_real(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    told = refused("serve", "--demo", "--port", "0")
    assert f"--demo is refused where {name} is set" in told
    assert "s3kr1t" not in told


def test_the_demo_cannot_be_turned_on_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLKU_DEMO", "1")
    monkeypatch.setenv("POLKU_REGION", "testila")
    assert "the demo is started by `polku serve --demo` alone" in refused("serve")


def test_the_demo_listens_on_this_machine_only_unless_told_otherwise(tmp_path: Path) -> None:
    # The variable is a real service's; the demo asks for the word on its own command line.
    with served(tmp_path, "--demo", env={"POLKU_HOST": "0.0.0.0", "POLKU_DRAIN_SECONDS": "0"}) as found:
        assert found.process.poll() is None
        port = urlsplit(found.address).port
        with socket.socket() as other, pytest.raises(OSError, match="refused"):
            other.connect((_address_of_this_machine(), port))


def _address_of_this_machine() -> str:
    """One besides 127.0.0.1; of the loopback network all are this machine's."""
    return "127.0.0.2"


# ---- a real one


@pytest.fixture
def real(tmp_path: Path) -> dict[str, str]:
    """The variables of a service on a migrated SQLite file."""
    url = f"sqlite:///{tmp_path / 'polku.db'}"
    migrate(url)
    return {"POLKU_REGION": "testila", "POLKU_DATABASE_URL": url, **OIDC}


@pytest.fixture
def variables(real: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same variables in this process, for what does not come to serving."""
    for name, value in real.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("variables")
def test_without_a_database_of_this_version_it_does_not_start_and_says_what_to_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'polku.db'}"
    downgrade(url, "0001")
    assert "is at version 0001, this program needs" in refused("serve", "--port", "0")
    downgrade(url, "base")
    assert "run: polku database upgrade" in refused("serve", "--port", "0")
    (tmp_path / "polku.db").unlink()
    assert "run: polku database upgrade" in refused("serve", "--port", "0")
    assert not (tmp_path / "polku.db").exists()


@pytest.mark.usefixtures("variables")
def test_without_an_identity_provider_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OIDC:
        monkeypatch.delenv(name)
    assert "POLKU_OIDC_ISSUER" in refused("serve", "--port", "0")


@pytest.mark.usefixtures("variables")
def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = refused("serve", "--port", taken.getsockname()[1])
        assert "Address already in use (another port: --port)" in told


def test_a_real_service_has_no_development_identity_provider_and_tells_before_it_stops(
    tmp_path: Path, real: dict[str, str]
) -> None:
    with served(tmp_path, env=real | {"POLKU_DRAIN_SECONDS": "2"}) as found, found.client() as client:
        for path in ("/development-identity/authorize", "/development-identity/.well-known/openid-configuration"):
            assert client.get(path).status_code == 404
        assert client.post("/development-identity/token", data={"user": "aino"}).status_code == 404
        found.process.send_signal(signal.SIGTERM)
        end, answers = time.monotonic() + 1.5, []
        while time.monotonic() < end and 503 not in answers:
            answers.append(client.get("/readyz").status_code)
        assert answers[-1] == 503
        assert client.get("/readyz").json()["checks"] == {"service": "stopping"}
        assert client.get("/healthz").status_code == 200
        assert found.process.wait(30) == 0
    assert [line["message"] for line in found.lines][-1] == "stopped"
    assert "Traceback" not in found.told


def test_ctrl_c_stops_it_at_once_with_0(tmp_path: Path, real: dict[str, str]) -> None:
    with served(tmp_path, env=real | {"POLKU_DRAIN_SECONDS": "60"}) as found:
        started = time.monotonic()
        assert found.stop(signal.SIGINT) == 0
        assert time.monotonic() - started < 20


def test_a_request_that_runs_while_it_stops_is_answered(tmp_path: Path, real: dict[str, str]) -> None:
    with served(tmp_path, env=real | {"POLKU_DRAIN_SECONDS": "0"}) as found:
        port = urlsplit(found.address).port
        with socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
            slow.sendall(b"POST /v1/assessments HTTP/1.1\r\nHost: polku\r\nContent-Length: 2\r\n\r\n{")
            time.sleep(0.3)
            stopping = threading.Thread(target=found.stop)
            stopping.start()
            time.sleep(0.7)
            slow.sendall(b"}")
            assert slow.recv(1000).startswith(b"HTTP/1.1 401 ")
        stopping.join(30)
    assert found.process.returncode == 0


def test_what_never_ends_does_not_keep_it_from_stopping(tmp_path: Path, real: dict[str, str]) -> None:
    quick = {"POLKU_DRAIN_SECONDS": "0", "POLKU_STOP_SECONDS": "1"}
    with served(tmp_path, env=real | quick) as found:
        port = urlsplit(found.address).port
        with socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
            slow.sendall(b"POST /login HTTP/1.1\r\nHost: polku\r\nContent-Length: 2\r\n\r\n{")
            time.sleep(0.3)
            assert found.stop() == 0
    assert "Traceback" not in found.told


def test_a_database_that_comes_and_goes_is_told_by_readyz_and_metrics(tmp_path: Path, real: dict[str, str]) -> None:
    file = tmp_path / "polku.db"
    with served(tmp_path, env=real | {"POLKU_DRAIN_SECONDS": "0"}) as found, found.client() as client:
        assert "polku_store_up 1.0" in client.get("/metrics").text
        file.rename(tmp_path / "away.db")
        answer = _until(client, 503)
        assert answer.json()["type"] == "/problems/unavailable"
        assert int(answer.headers["Retry-After"]) >= 1
        assert "polku_store_up 0.0" in client.get("/metrics").text
        assert client.get("/healthz").status_code == 200
        (tmp_path / "away.db").rename(file)
        _until(client, 200)
    told = [line["message"] for line in found.lines if line["message"] in ("ready", "not ready")]
    assert told == ["not ready", "ready"]


def test_without_its_postgresql_it_starts_and_waits_for_it(tmp_path: Path, real: dict[str, str]) -> None:
    away = {"POLKU_DATABASE_URL": "postgresql://polku_app:s3kr1t@127.0.0.1:1/polku", "POLKU_DRAIN_SECONDS": "0"}
    with served(tmp_path, env=real | away, ready=False) as found:
        found.wait_for(503)
        with found.client() as client:
            assert client.get("/healthz").status_code == 200
            assert client.get("/login").status_code in (502, 503)
        assert found.stop() == 0
    assert "not ready" in [line.get("message") for line in found.lines]
    assert "s3kr1t" not in found.logged + found.told


def _until(client: httpx.Client, status: int) -> httpx.Response:
    end = time.monotonic() + 15
    while (answer := client.get("/readyz")).status_code != status:
        assert time.monotonic() < end, answer.text
        time.sleep(0.1)
    return answer
