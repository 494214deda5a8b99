"""Clone this repository into an empty folder and use it as a newcomer does; write the transcript.

Runs the README's two commands (of the demo: that its pages answer, and that it stops), prints the examples, writes the
specification's example journal, asks `polku next` about it, then makes three mistakes in it. Fails when a step does not
end as expected. The transcript is docs/transcripts/fresh-clone.md.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRANSCRIPT = ROOT / "docs" / "transcripts" / "fresh-clone.md"
EXAMPLE = """\
case: {id: sirpa, municipality: Orimattila, birth_year: 1971, language: fi}
entries:
  - {date: 2020-10-01, type: activity_started, days_per_week: 4, period_end: 2022-09-30, wall_less: yes}
  - {date: 2022-08-23, type: coaching_info_given}
  - {date: 2022-08-23, type: interest_asked, wants_to_work: yes}
  - {date: 2022-08-29, type: activation_plan_updated, participants: [client, social_worker, employment_coach],
     coaching: {start: 2022-09-05, end: 2022-11-30, alongside_activity: yes},
     work_trial_possible: yes, wage_subsidy_clarified: yes}
  - {date: 2022-09-05, type: coaching_started, provider: provider-1, provider_kind: private}
"""
#: What is changed in the example, one mistake each.
MISTAKES = (
    ("a field misspelt", "days_per_week", "days_per_weak"),
    ("a type that does not exist", "coaching_info_given", "coaching_info"),
    ("a day that does not exist", "date: 2022-08-29", "date: 2022-08-32"),
)
LONGEST_LINES = 60
#: Seconds: the first `make run` makes the environment; what was interrupted ends.
LONGEST_START, LONGEST_STOP = 1800, 60
#: What the demo prints once it listens.
ADDRESS = re.compile(r"Polku's demo runs at (http://\S+)")


class Session:
    """A folder, the commands run in it, and what they printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.failed = False

    def say(self, text: str) -> None:
        """A line of prose in the transcript."""
        print(text, flush=True)
        self.lines += [text, ""]

    def run(self, command: str, *, expected: int = 0) -> None:
        """Run a shell command in the clone and note what it printed; note a failure when it ends otherwise."""
        print(f"$ {command}", flush=True)
        done = subprocess.run(  # noqa: S602 (our own commands)
            command, shell=True, cwd=self.folder, env=_environment(), capture_output=True, text=True, check=False
        )
        self._note(command, done.stdout + done.stderr, f"[exit {done.returncode}]")
        if done.returncode != expected:
            self._fail(f"Expected exit {expected}, got {done.returncode}.", done.stdout[-5000:] + done.stderr[-5000:])

    def serve(self, command: str, *paths: str) -> None:
        """Start a demo, ask it for the paths, stop it as Ctrl-C does; note a failure when it does not do all of it."""
        print(f"$ {command}", flush=True)
        out = self.folder.parent / "served.txt"
        with out.open("wb") as file:
            process = subprocess.Popen(  # noqa: S602 (our own commands)
                command,
                shell=True,
                cwd=self.folder,
                env=_environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that the interrupt reaches what the command started, and nothing else
            )
        try:
            answers = _answers(process, out, paths)
        finally:
            ended = _interrupt(process)
        printed = out.read_text(encoding="utf-8")
        self._note(command, printed, "[stopped with Ctrl-C]" if ended else "[had to be killed]")
        for path, status in answers.items():
            self.say(f"While it ran, `GET {path}` answered {status}.")
        if not ended or set(answers.values()) != {200}:
            self._fail("Expected the demo to answer, and to stop when it is told to.", printed[-5000:])

    def _note(self, command: str, printed: str, ending: str) -> None:
        self.lines += ["```console", f"$ {command}", *self._tidy(printed), ending, "```", ""]

    def _fail(self, what: str, printed: str) -> None:
        self.failed = True
        self.say(f"**{what}**")
        print(printed, flush=True)

    def _tidy(self, text: str) -> list[str]:
        text = re.sub(r"\x1b\[[0-9;]*m", "", text).replace(str(self.folder), "~/polku")
        lines = [line.rstrip() for line in text.splitlines()]
        if len(lines) <= LONGEST_LINES:
            return lines
        half = LONGEST_LINES // 2
        return [*lines[:half], f"… ({len(lines) - 2 * half} lines left out here)", *lines[-half:]]


def _environment() -> dict[str, str]:
    keep = {"PATH", "HOME", "LANG", "TMPDIR", "PIP_CONFIG_FILE", "PIP_INDEX_URL", "SSL_CERT_FILE", "CI"}
    return {name: value for name, value in os.environ.items() if name in keep}


def _answers(process: subprocess.Popen[bytes], out: Path, paths: tuple[str, ...]) -> dict[str, int]:
    """The status with which the demo answers at each path, once it has told its address; 0: none."""
    end, found = time.monotonic() + LONGEST_START, dict.fromkeys(paths, 0)
    while time.monotonic() < end and process.poll() is None and 0 in found.values():
        time.sleep(0.2)
        told = ADDRESS.search(out.read_text(encoding="utf-8"))
        if told is not None:
            found = {path: _status(told[1] + path) for path in paths}
    return found


def _status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 (the demo's own address)
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _interrupt(process: subprocess.Popen[bytes]) -> bool:
    """Press Ctrl-C; whether the command and all that it started ended by it."""
    if process.poll() is not None:
        return False
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(LONGEST_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False
    return True


def use_it(session: Session, source: Path) -> None:
    """The newcomer's session."""
    session.say("# A fresh clone, used as the README says")
    session.say("Made by `scripts/fresh_clone.py`; `make soak` makes it again.")
    folder, session.folder = session.folder, session.folder.parent
    session.run(f"git clone --quiet {source} {folder.name}")
    session.folder = folder
    session.serve('make run ARGS="--port 0"', "/healthz", "/login")
    session.run("make test")
    session.run(".venv/bin/polku examples")
    session.say("The specification's example:")
    (folder / "sirpa.yaml").write_text(EXAMPLE, encoding="utf-8")
    session.run("cat sirpa.yaml")
    polku = ".venv/bin/polku next"
    session.run(f"{polku} sirpa.yaml --as-of 2022-09-05")
    proposal = "--propose start_work_trial --with arrangement=alongside_activity"
    session.run(f"{polku} sirpa.yaml --as-of 2022-09-05 {proposal}")
    for what, right, wrong in MISTAKES:
        session.say(f"With {what}:")
        (folder / "wrong.yaml").write_text(EXAMPLE.replace(right, wrong, 1), encoding="utf-8")
        session.run(f"{polku} wrong.yaml --as-of 2022-09-05", expected=2)
    session.say("All three at once:")
    text = EXAMPLE
    for _, right, wrong in MISTAKES:
        text = text.replace(right, wrong, 1)
    (folder / "wrong.yaml").write_text(text, encoding="utf-8")
    session.run(f"{polku} wrong.yaml --as-of 2022-09-05", expected=2)


def main() -> int:
    """Run the session in a temporary folder, write the transcript; 1 when a step did not end as expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default=str(ROOT), help="the repository to clone")
    parser.add_argument("--out", type=Path, default=TRANSCRIPT)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="polku-clone-"))
    try:
        session = Session(home / "polku")
        use_it(session, Path(options.source))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(session.lines).replace(str(home), "~").replace(str(options.source), "…/polku")
    options.out.write_text(text, encoding="utf-8")
    return 1 if session.failed else 0


if __name__ == "__main__":
    sys.exit(main())
