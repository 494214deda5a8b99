"""`polku check`: a caseload checked in one run, as a team leader and as a nightly job would."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules.assessment import Assessor
from rules.pack import load_pack
from service.rules_diff import cases_in
from service.store import Database
from tests.helpers import wait_for
from tests.service.checks.made import keys, lines_of, rows_of
from tests.service.polku import EXAMPLES, LANGUAGES, ROOT, data, flowing, page, polku, process, refused
from tests.service.postgresql import Urls
from tests.service.store.keeping import ELSEWHERE, REGION, open_case

PILOT = EXAMPLES / "caseload_pilot"
EXPECTED = yaml.safe_load((EXAMPLES / "caseload_pilot.expected.yaml").read_text(encoding="utf-8"))
DAY = "2022-09-05"
PACK = load_pack()


def caseload(folder: Path, *names: str) -> Path:
    """A folder with some of the pilot's clients."""
    folder.mkdir()
    for name in names or [path.stem for path in PILOT.glob("*.yaml")]:
        (folder / f"{name}.yaml").write_bytes((PILOT / f"{name}.yaml").read_bytes())
    return folder


def changed(path: Path, **entries: Any) -> None:
    """Add an entry to a journal."""
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    case["entries"].append(entries)
    path.write_text(yaml.safe_dump(case, allow_unicode=True, sort_keys=False), encoding="utf-8")


def interactive(day: str) -> list[dict[str, Any]]:
    """What each of the pilot's clients alone is told."""
    assessor, found = Assessor(PACK), []
    for case in cases_in(PILOT).cases:
        for item in assessor.findings(case, date.fromisoformat(day))[1]:
            if item.subject.current and item.outcome in ("violated", "advised", "unknown"):
                found.append(
                    {
                        "case": case.id,
                        "rule": item.rule.id,
                        "subject_kind": item.subject.kind,
                        "subject_entry": item.subject.entry,
                        "outcome": item.outcome,
                        "due": item.due.isoformat() if item.due else None,
                        "missing": sorted(item.missing),
                        "action": item.action,
                        "step": item.gives_step,
                    }
                )
    return found


@pytest.fixture(scope="module", params=[DAY, "2022-11-30"])
def pilot(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, Any]]]:
    """A day and what the check of the pilot finds on it."""
    out = tmp_path_factory.mktemp("pilot") / "found.jsonl"
    page("check", PILOT, "--as-of", request.param, "--out", out)
    return request.param, lines_of(out)


# --- the same answers ---


def test_the_findings_are_those_each_client_alone_is_told(pilot: tuple[str, list[dict[str, Any]]]) -> None:
    day, found = pilot
    told = [
        {
            **{name: item[name] for name in ("case", "rule", "outcome", "due", "missing", "action", "step")},
            "subject_kind": item["subject"]["kind"],
            "subject_entry": item["subject"]["entry"],
        }
        for item in found
    ]
    order = json.dumps
    assert sorted(told, key=lambda item: order(item, sort_keys=True)) == sorted(
        interactive(day), key=lambda item: order(item, sort_keys=True)
    )


def test_the_pilots_next_steps_are_the_ones_expected(pilot: tuple[str, list[dict[str, Any]]]) -> None:
    day, found = pilot
    steps: dict[str, set[tuple[Any, ...]]] = {}
    for item in found:
        if item["step"]:
            steps.setdefault(item["case"], set()).add((item["action"], item["role"], item["due"]))
    for client, days in EXPECTED.items():
        expected = next(item["next"] for item in days if str(item["date"]) == day)
        wanted = {(action, role, str(due) if due else None) for action, role, due, _ in expected}
        assert steps[client.replace("client", "pilot")] == wanted


def test_the_counts_are_those_of_the_file_which_is_the_same_each_time(tmp_path: Path) -> None:
    out, again = tmp_path / "found.parquet", tmp_path / "again.parquet"
    told = data("check", PILOT, "--as-of", DAY, "--out", out)
    rows = rows_of(out)
    page("check", PILOT, "--as-of", DAY, "--out", again)
    assert rows == rows_of(again)
    assert len(keys(rows)) == len(rows) == 48
    assert (told["cases"], told["refused"], told["changes"]) == (5, [], None)
    for what, key in (("by_rule", "rule"), ("by_role", "role"), ("by_municipality", "municipality")):
        for item in told[what]:
            mine = [row for row in rows if row[key] == item[key]]
            assert item["violated"] == sum(row["outcome"] == "violated" and row["is_step"] for row in mine)
            assert item["unknown"] == sum(row["outcome"] == "unknown" for row in mine)
        assert sum(item["advised"] for item in told[what]) == told["findings"]["advised"] == 5
    assert told["pack"]["sha256"] == PACK.sha256


# --- the page ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_summary_can_be_read_in_80_columns(lang: Any) -> None:
    told = page("check", PILOT, "--as-of", DAY, "--lang", lang)
    assert max(len(line) for line in told.split("\n")) <= 80
    for rule in ("ts-records-coaching", "next-make-profile"):
        at = told.index(f"\n{rule}\n")
        assert all(word in told[:at] for word in PACK.versions(rule)[-1].title[lang].split())
    assert "Orimattila" in told
    assert "pilot-" not in told, "a summary counts work and names nobody"
    if lang == "fi":
        assert "Tarkistettu 5 asiakkaan kirjaukset.\nEi kunnossa: 1 · hoidettava: 5 · tieto puuttuu: 42\n" in told


def test_a_municipality_cannot_steer_the_terminal(tmp_path: Path) -> None:
    folder = caseload(tmp_path / "cases", "client-1")
    case = yaml.safe_load((folder / "client-1.yaml").read_text(encoding="utf-8"))
    case["case"]["municipality"] = "[bold]x\u202ey"
    (folder / "client-1.yaml").write_text(yaml.safe_dump(case, allow_unicode=True), encoding="utf-8")
    result = polku("check", folder, "--as-of", DAY)
    assert "\u202e" not in result.output
    assert "\x1b" not in result.output


# --- since the last run ---


def test_what_changed_since_the_last_run_is_told(tmp_path: Path) -> None:
    folder, keep, out = caseload(tmp_path / "cases"), tmp_path / "kept", tmp_path / "found.jsonl"
    words = ("check", folder, "--as-of", DAY, "--keep", keep, "--out", out)
    assert "Edellistä ajoa ei ole tässä kansiossa" in flowing(page(*words))
    assert not {"change"} & {key for item in lines_of(out) for key in item}
    changed(folder / "client-5.yaml", date=date(2022, 9, 5), type="implementation_plan_updated", includes_coaching=True)
    (folder / "client-1.yaml").unlink()
    told = data(*words)
    assert told["changes"]["since"] == DAY
    assert told["changes"]["settled"]["violated"] == 1
    assert told["changes"]["gone"] == sum(1 for item in interactive(DAY) if item["case"] == "pilot-1")
    assert sum(told["changes"]["new"].values()) == 0
    assert {item["change"] for item in lines_of(out)} == {"still_open"}
    settled = lines_of(tmp_path / "found.settled.jsonl")
    assert ("pilot-5", "ts-records-coaching") in {(item["case"], item["rule"]) for item in settled}


def test_a_day_later_without_a_change_is_the_checking_alone(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    first = data("check", PILOT, "--as-of", DAY, "--keep", keep)
    again = data("check", PILOT, "--as-of", "2022-09-06", "--keep", keep)
    assert (first["folded"], first["reused"]) == (5, 0)
    assert (again["folded"], again["reused"]) == (0, 5)
    assert again["findings"] == first["findings"]
    files = [keep, *keep.rglob("*")]
    assert len(files) > 2
    assert {path for path in files if path.stat().st_mode & 0o077} == set(), "what is kept is its owner's alone"


def test_a_run_that_fails_leaves_the_one_to_compare_with(tmp_path: Path) -> None:
    folder, keep = caseload(tmp_path / "cases", "client-5"), tmp_path / "kept"
    words = ("check", folder, "--as-of", DAY, "--keep", keep)
    page(*words)
    changed(folder / "client-5.yaml", date=date(2022, 9, 5), type="implementation_plan_updated", includes_coaching=True)
    held = tmp_path / ".found.csv.part"
    held.mkdir()
    assert polku(*words, "--out", tmp_path / "found.csv").exit_code == 2
    held.rmdir()
    assert data(*words)["changes"]["settled"]["violated"] == 1


# --- exit codes ---


@pytest.mark.parametrize(("weight", "code"), [("obligation", 1), ("information", 1)])
def test_what_is_not_in_order_fails_the_run_that_asks_for_it(weight: str, code: int) -> None:
    result = polku("check", PILOT, "--as-of", DAY, "--fail-on", weight)
    assert (result.exit_code, result.stderr) == (code, "")
    assert "(--fail-on)" in flowing(result.stdout)


def test_what_is_only_to_be_done_or_not_known_fails_no_run() -> None:
    assert polku("check", PILOT, "--as-of", "2022-11-30", "--fail-on", "information").exit_code == 0


def test_advice_set_aside_fails_no_run(tmp_path: Path) -> None:
    folder = caseload(tmp_path / "cases", "client-5")
    entry = {"type": "advice_set_aside", "rule": "ts-records-coaching", "reason": "sovittu toisin"}
    changed(folder / "client-5.yaml", date=date(2022, 9, 5), **entry)
    result = polku("check", folder, "--as-of", DAY, "--fail-on", "obligation")
    assert result.exit_code == 0
    assert "Lisäksi 1 neuvo, jonka ammattilainen on jättänyt sivuun." in flowing(result.stdout)
    assert "sovittu toisin" not in result.output


# --- who could not be checked ---


def test_a_bad_case_is_told_with_its_place_and_stops_no_other(tmp_path: Path) -> None:
    folder, out = caseload(tmp_path / "cases"), tmp_path / "found.csv"
    bad = folder / "bad.yaml"
    bad.write_text("case: {id: bad}\nentries:\n  - {date: 2022-13-01, type: activity_started}\n", encoding="utf-8")
    result = polku("check", folder, "--as-of", DAY, "--out", out, "--fail-on", "obligation")
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert "bad.yaml" in result.stderr
    assert "bad.yaml" not in result.stdout, "a terminal shows both"
    assert "entries[0].date" in result.stderr
    assert "Tarkistettu 5 asiakkaan kirjaukset." in flowing(result.stdout)
    assert "1 jäi tarkistamatta" in flowing(result.stdout)
    assert "bad.yaml" in (tmp_path / "found.refused.csv").read_text(encoding="utf-8-sig")
    told = json.loads(polku("check", folder, "--as-of", DAY, "--json").stdout)
    assert [Path(item["place"]).name for item in told["refused"]] == ["bad.yaml"]
    assert told["cases"] == 5


def test_of_very_many_bad_cases_the_first_are_told(tmp_path: Path) -> None:
    folder = caseload(tmp_path / "cases", "client-1")
    for at in range(30):
        (folder / f"x{at:02}.yaml").write_text("case: {id: x}\nentries: 3\n", encoding="utf-8")
    result = polku("check", folder, "--as-of", DAY)
    assert result.exit_code == 2
    assert result.stderr.count("polku: ") == 21
    assert "polku: ja vielä 10; " in result.stderr


def test_a_client_who_cannot_be_read_tonight_settles_nothing(tmp_path: Path) -> None:
    folder, keep = caseload(tmp_path / "cases"), tmp_path / "kept"
    words = ("check", folder, "--as-of", DAY, "--keep", keep)
    page(*words)
    (folder / "client-5.yaml").write_text("case: [", encoding="utf-8")
    told = json.loads(polku(*words, "--json").stdout)["changes"]
    assert sum(told["settled"].values()) == 0
    assert told["gone"] == sum(1 for item in interactive(DAY) if item["case"] == "pilot-5")


# --- the service's database ---


def test_the_services_database_is_checked_by_region(database: Database, urls: Urls, tmp_path: Path) -> None:
    started_on = {"date": "2022-01-03", "type": "activity_started"}
    for region, cases in ((REGION, ("a", "b")), (ELSEWHERE, ("c",))):
        with database.write(region) as unit:
            for case in cases:
                open_case(unit, case, [{**started_on, "id": "e1"}])
    url = urls.app.replace("+psycopg", "")
    words = ("check", url, "--as-of", DAY, "--region", REGION, "--keep", tmp_path / "kept")
    out = tmp_path / "found.jsonl"
    assert data(*words, "--out", out)["folded"] == 2
    assert {item["case"] for item in lines_of(out)} == {"a", "b"}
    everywhere = data(*(words[:4]), "--keep", tmp_path / "kept")
    assert (everywhere["folded"], everywhere["reused"]) == (1, 2)
    assert f"known: {ELSEWHERE}, {REGION}" in refused("check", url, "--region", "lappi")
    assert "files of journals have none" in refused("check", PILOT, "--region", REGION)


# --- what is refused before any work ---


def test_what_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    folder = caseload(tmp_path / "cases", "client-1")
    assert "the ending tells what to write" in refused("check", folder, "--out", tmp_path / "found.doc")
    assert "there is no such folder" in refused("check", folder, "--out", tmp_path / "none" / "found.csv")
    assert "would be read as one" in refused("check", folder, "--out", folder / "found.parquet")
    assert "would be read as such" in refused("check", folder, "--keep", folder / "kept")
    assert "is no folder" in refused("check", folder, "--keep", folder / "client-1.yaml")
    lines = tmp_path / "cases.jsonl"
    lines.write_text("{}\n", encoding="utf-8")
    assert "holds the journals to check" in refused("check", lines, "--out", lines)
    assert lines.read_text(encoding="utf-8") == "{}\n"
    assert "none" in refused("check", tmp_path / "none")
    assert sorted(path.name for path in folder.iterdir()) == ["client-1.yaml"]


def test_the_findings_may_stand_beside_the_journals_where_they_are_not_read_as_one(tmp_path: Path) -> None:
    folder = caseload(tmp_path / "cases")
    words = ("check", folder, "--as-of", DAY, "--out", folder / "found.xlsx", "--keep", folder / ".kept")
    page(*words)
    assert data(*words)["cases"] == 5


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    keep.mkdir()
    with (keep / ".check-lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another check is running with this folder" in refused("check", PILOT, "--keep", keep)


# --- broken off ---


def started(*words: object, **env: str) -> subprocess.Popen[bytes]:
    """A check as a process of its own."""
    command = [sys.executable, "-m", "service.cli", "check", *map(str, words)]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def many(path: Path, count: int) -> Path:
    """A file of very many clients."""
    case = yaml.safe_load((PILOT / "client-5.yaml").read_text(encoding="utf-8"))
    case = json.loads(json.dumps(case, default=str))
    with path.open("w", encoding="utf-8") as file:
        for at in range(count):
            file.write(json.dumps({**case, "case": {**case["case"], "id": f"c{at}"}}) + "\n")
    return path


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_run_that_is_broken_off_leaves_no_half_file(how: signal.Signals, code: int, tmp_path: Path) -> None:
    source, keep, out = many(tmp_path / "cases.jsonl", 2_000), tmp_path / "kept", tmp_path / "found.csv"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    words = (source, "--as-of", DAY, "--keep", keep, "--out", out)
    with started(*words, TMPDIR=str(temporary)) as running:
        wait_for(lambda: (keep / "work").is_dir())
        time.sleep(0.2)
        running.send_signal(how)
        _, told = running.communicate(timeout=60)
    assert running.returncode == code
    assert b"Traceback" not in told
    assert list(tmp_path.glob("found*")) + list(tmp_path.glob(".found*")) == []
    if how != signal.SIGKILL:
        assert not (keep / "work").exists()
        assert list(temporary.iterdir()) == []
    if how != signal.SIGKILL:
        return  # the rest takes its time, and what is left is least after a crash
    again = polku("check", *words, "--json")  # a busy machine may tell on standard error how far it is
    told_again = json.loads(again.stdout)
    assert (told_again["cases"], told_again["findings"]["violated"]) == (2_000, 2_000)
    assert told_again["changes"] is None
    assert not (keep / "work").exists()


# --- progress ---


def test_a_short_run_says_nothing_beside_its_page() -> None:
    done = process("check", PILOT, "--as-of", DAY)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminal_shows_how_far_it_is() -> None:
    import pty

    above, below = pty.openpty()
    command = [sys.executable, "-m", "service.cli", "check", str(PILOT), "--as-of", DAY, "--json"]
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=below) as running:
        os.close(below)
        stdout = running.stdout.read() if running.stdout else b""
        shown = b""
        try:
            while part := os.read(above, 65_536):
                shown += part
        except OSError:  # the other side is closed
            pass
        os.close(above)
    assert running.returncode == 0
    assert json.loads(stdout)["cases"] == 5
    assert "Luetaan kirjauksia" in shown.decode() or "Tarkistetaan" in shown.decode()


def test_a_long_run_without_a_terminal_tells_lines(capsys: pytest.CaptureFixture[str]) -> None:
    from service.check_progress import Lines
    from service.words import Words

    clock = iter([0.0, 1.0, 31.0, 60.0, 62.0])

    lines = Lines(Words("en"), lambda: next(clock))
    for stage, done, total in (
        ("reading", 1, 30_000), ("reading", 12_000, 30_000), ("reading", 13_000, None), ("judging", 0, None),
    ):  # fmt: skip
        lines(stage, done, total)
    told = capsys.readouterr()
    assert told.err == "polku: Reading the journals: 12,000 of 30,000 clients\npolku: Checking by the rules\n"
    assert told.out == ""
