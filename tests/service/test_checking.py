"""Checks of a caseload, set at a time: what is kept is not folded again, engines that differ are noticed, and what
changed since the check before is told. On both databases."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rules.journal import JournalError
from service import checking
from service.access.principal import Principal
from service.checking import AGAIN, AGAIN_NOT_MET, DONE, FAILED, KEPT, Checks, NoSuchCheck, to_judge_again
from service.checks.caseload import Caseload
from service.checks.facts import CaseFolder
from service.operations.metrics import ENGINE_DIFFERENCES
from service.reading import Reader
from service.recording.recorder import Recorder
from service.store import CheckFinding, CheckRun, Database
from service.store.cases import Cases
from tests.helpers import assessor, day, entry
from tests.service.conftest import Clock
from tests.service.postgresql import ON_SQLITE

REGION, PROGRAM = "paijat-hame", "polku test"
AINO = Principal("aino", REGION, "county-1", "county", None, "social_worker", ("social_worker",))
LEADER = Principal("lauri", REGION, "county-1", "county", "team-1", "team_leader", ("team_leader",))
ASSIGNED = entry("2026-01-01", "worker_assigned", role="social_worker", worker="aino")
ACTIVITY = entry("2026-01-10", "activity_started", days_per_week=6)
CALM = entry("2026-01-10", "activity_started", days_per_week=4, period_end="2027-01-09")


@pytest.fixture
def recorder(database: Database, clock: Clock) -> Recorder:
    """Opens cases of AINO's and the team's, as the program of the checks does."""
    return Recorder(database, assessor(), clock, program=PROGRAM)


def opened(recorder: Recorder, case_id: str, *entries: dict[str, Any]) -> None:
    """A case AINO is assigned to."""
    opener = replace(AINO, user="opener", team="team-1")
    recorder.open(opener, {"case": {"id": case_id}, "entries": [ASSIGNED, *entries]})


def checked(
    database: Database, clock: Clock, as_of: str = "2026-11-20", who: Principal = AINO, program: str = PROGRAM
) -> tuple[CheckRun, list[CheckFinding], list[CheckFinding]]:
    """A check run to its end, with what it found and what is settled."""
    checks = Checks(database, assessor(), clock, program=program)
    run = checks.start(Reader(who), day(as_of))
    checks._threads.shutdown(wait=True)
    done, found, _ = checks.follow(Reader(who), run.id, after=-1, limit=1_000)
    _, settled, _ = checks.follow(Reader(who), run.id, after=-1, limit=1_000, change="settled")
    return done, found, settled


def told(found: list[CheckFinding]) -> set[tuple[str, str, str]]:
    """Client, rule and outcome of findings."""
    plain = [(item.case_id, json.loads(item.payload)) for item in found]
    return {(case_id, str(item["rule"]), item["outcome"]) for case_id, item in plain}


@contextmanager
def folds_counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The ids of the cases folded meanwhile."""
    folded: list[str] = []
    fold = CaseFolder.fold

    def noted(self: CaseFolder, case: Any) -> Any:
        folded.append(case.id)
        return fold(self, case)

    with monkeypatch.context() as patch:
        patch.setattr(CaseFolder, "fold", noted)
        yield folded


def alarms() -> float:
    """How often the alarm was raised."""
    return float(ENGINE_DIFFERENCES._value.get())


@ON_SQLITE
def test_it_finds_what_each_client_alone_is_told(recorder: Recorder, database: Database, clock: Clock) -> None:
    aside = entry("2026-11-01", "advice_set_aside", rule="ask-interest-in-work", reason="not now")
    journals = {"late": [ACTIVITY], "calm": [CALM, aside], "empty": []}
    for case_id, entries in journals.items():
        opened(recorder, case_id, *entries)
    before = alarms()
    run, found, settled = checked(database, clock)
    assert (run.state, run.done, run.total, run.error, run.pack_version) == (DONE, 3, 3, None, assessor().pack.version)
    expected = []
    for case_id in journals:
        with database.read(REGION) as unit:
            _, findings = assessor().findings(unit.cases.load(case_id), day("2026-11-20"))
        expected += [(case_id, checking.in_codes(item)) for item in findings if item.outcome in checking.OUTCOMES]
    as_kept = sorted((item.case_id, item.payload) for item in found)
    assert as_kept
    assert sorted((c, json.dumps(json.loads(p), sort_keys=True)) for c, p in as_kept) == sorted(
        (case_id, json.dumps(item, sort_keys=True)) for case_id, item in expected
    )
    assert settled == []
    assert json.loads(run.counts or "")["judged_again"] == 3
    assert alarms() == before


def test_what_recordings_and_checks_kept_is_not_folded_again(
    recorder: Recorder, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(recorder, "late", ACTIVITY)
    opened(recorder, "calm", CALM)
    with folds_counted(monkeypatch) as folded:
        _, first, _ = checked(database, clock)
        assert folded == []  # both were just recorded, and their facts kept with them
        _, other, _ = checked(database, clock, program="polku of another version")
        assert sorted(folded) == ["calm", "late"]
        checked(database, clock, program="polku of another version")
        assert sorted(folded) == ["calm", "late"]
        recorder.record(AINO, "late", 1, [entry("2026-11-20", "contact", party="client", form="phone")])
        checked(database, clock, program="polku of another version")
        assert folded == ["calm", "late", "late"] or folded == ["late", "calm", "late"]
    assert told(first) == told(other)


@ON_SQLITE
def test_facts_that_no_longer_hold_are_folded_again(
    recorder: Recorder, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(recorder, "late", ACTIVITY, entry("2026-11-23", "activity_ended", reason="period_over"))
    with folds_counted(monkeypatch) as folded:
        _, until, _ = checked(database, clock, "2026-11-22")
        assert folded == []
        _, after, _ = checked(database, clock, "2026-11-23")
        assert folded == ["late"]
        assert "days-per-week-1-4" in {rule for _, rule, _ in told(until)}
        assert told(after) != told(until)
        checked(database, clock, "2026-11-23")  # not of today: it is not kept, and what is kept of today stays
        assert folded == ["late", "late"]
        checked(database, clock)
        assert folded == ["late", "late"]


@ON_SQLITE
def test_facts_that_were_altered_are_noticed(
    recorder: Recorder, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(recorder, "late", ACTIVITY)
    opened(recorder, "calm", CALM)
    with database.write(REGION) as unit:
        kept = unit.facts.get("late")
        assert kept is not None
        assert '"activity.days_per_week":6' in kept.facts
        altered = kept.facts.replace('"activity.days_per_week":6', '"activity.days_per_week":4')
        unit.facts.put(replace(kept, facts=altered))
        other = unit.facts.get("calm")
        assert other is not None
        unit.facts.put(replace(other, facts="[]"))
    before = alarms()
    with folds_counted(monkeypatch) as folded:
        run, found, _ = checked(database, clock)
    assert folded == ["calm"]  # what is no facts at all is made anew
    assert [item for item in told(found) if item[0] == "late"] == [("late", "None", "undetermined")]
    assert json.loads(run.counts or "")["undetermined"] == 1
    assert alarms() == before + 1


@ON_SQLITE
def test_a_columnar_engine_that_errs_is_noticed(
    recorder: Recorder, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(recorder, "late", ACTIVITY)
    opened(recorder, "calm", CALM)
    findings = Caseload.findings

    def erring(self: Caseload) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((c, item) for c, item in findings(self) if (c, item["rule"]) != ("late", "days-per-week-1-4"))

    monkeypatch.setattr(Caseload, "findings", erring)
    before = alarms()
    _, found, _ = checked(database, clock)
    assert [item for item in told(found) if item[0] == "late"] == [("late", "None", "undetermined")]
    assert [item for item in told(found) if item[0] == "calm"]
    assert alarms() == before + 1


@ON_SQLITE
def test_a_journal_that_cannot_be_read_is_one_clients_trouble(
    recorder: Recorder, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(recorder, "late", ACTIVITY)
    opened(recorder, "calm", CALM)
    load = Cases.load

    def torn(self: Cases, case_id: str, version: int | None = None) -> Any:
        if case_id == "late":
            raise JournalError([], "case")
        return load(self, case_id, version)

    monkeypatch.setattr(Cases, "load", torn)
    run, found, _ = checked(database, clock, program="polku of another version")
    assert run.state == DONE
    assert ("late", "None", "undetermined") in told(found)
    assert [item for item in told(found) if item[0] == "calm"]


def test_what_is_new_still_open_and_settled_is_told_beside_the_check_before(
    recorder: Recorder, database: Database, clock: Clock
) -> None:
    opened(recorder, "late", ACTIVITY)
    opened(recorder, "closing", CALM)
    first, found, settled = checked(database, clock)
    assert (first.compared_with, settled) == (None, [])
    assert {item.change for item in found} == {None}
    assert json.loads(first.counts or "").keys() == {"open", "undetermined", "judged_again"}

    clock.advance(hours=1)
    recorder.record(AINO, "late", 1, [entry("2026-11-20", "interest_asked", wants_to_work=True)])
    recorder.record(AINO, "closing", 1, [entry("2026-11-20", "case_closed", reason="moved")])
    opened(recorder, "newcomer", CALM)
    second, found, settled = checked(database, clock)
    assert second.compared_with == first.id
    changes = {(case_id, rule): item.change for item, (case_id, rule, _) in zip(found, map(_key, found), strict=True)}
    assert changes["late", "days-per-week-1-4"] == "still_open"
    assert changes["newcomer", "ask-interest-in-work"] == "new"
    assert ("late", "ask-interest-in-work", "advised") in told(settled)
    assert {item.case_id for item in settled} == {"late"}  # of who is not checked any more nothing was settled
    counts = json.loads(second.counts or "")
    assert counts["settled"] == len(settled)
    assert counts["new"] == list(changes.values()).count("new")
    assert counts["left"] > 0


def _key(item: CheckFinding) -> tuple[str, str, str]:
    return next(iter(told([item])))


@ON_SQLITE
def test_a_check_is_compared_with_ones_own_of_no_later_day_alone(
    recorder: Recorder, database: Database, clock: Clock
) -> None:
    opened(recorder, "late", ACTIVITY)
    clock.advance(minutes=1)
    ahead, _, _ = checked(database, clock, "2026-12-24")
    clock.advance(minutes=1)
    leaders, _, _ = checked(database, clock, who=LEADER)
    clock.advance(minutes=1)
    today, _, _ = checked(database, clock)
    clock.advance(minutes=1)
    again, _, _ = checked(database, clock)
    assert (leaders.compared_with, today.compared_with, again.compared_with) == (None, None, today.id)
    assert ahead.state == DONE


def test_so_many_checks_are_kept_and_the_oldest_go(recorder: Recorder, database: Database, clock: Clock) -> None:
    for number in range(KEPT + 2):
        with database.write(REGION) as unit:
            started = f"2026-10-{number + 1:02}T10:00:00.000000Z"
            unit.checks.add(
                CheckRun(f"old-{number}", "aino", "social_worker", "2026-10-01", "done", 1, 1, started, started)
            )
            unit.checks.add_findings([CheckFinding(f"old-{number}", 0, "any", '{"rule": null, "outcome": "x"}')])
    run, _, _ = checked(database, clock)
    checks = Checks(database, assessor(), clock)
    kept = [item.id for item in checks.history(Reader(AINO))]
    assert kept == [run.id, *(f"old-{number}" for number in range(KEPT + 1, 2, -1))]
    with database.read(REGION) as unit:
        assert len(unit.checks.findings_of("any")) == KEPT - 1
    assert checks.history(Reader(LEADER)) == []
    with pytest.raises(NoSuchCheck):
        checks.look(Reader(LEADER), run.id)


@ON_SQLITE
def test_what_lies_on_the_disk_is_for_its_owner_alone_and_goes_with_the_check(
    recorder: Recorder, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened(recorder, "late", ACTIVITY)
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    seen: list[tuple[str, int]] = []
    findings = Caseload.findings

    def looking(self: Caseload) -> Iterator[tuple[str, dict[str, Any]]]:
        found = list(findings(self))
        seen.extend((path.name, stat.S_IMODE(os.stat(path).st_mode)) for path in place.rglob("*"))
        return iter(found)

    monkeypatch.setattr(Caseload, "findings", looking)
    run, _, _ = checked(database, clock)
    assert run.state == DONE
    assert "findings.parquet" in dict(seen)
    assert all(not mode & 0o077 for _, mode in seen), seen
    assert list(place.iterdir()) == []


@ON_SQLITE
def test_what_a_crash_left_on_the_disk_goes_at_the_next_start(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    (place / f"polku-check-{'b' * 32}" / "part-0").mkdir(parents=True)
    (place / "somebody-elses").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with database.write(REGION) as unit:
        unit.checks.add(CheckRun("b" * 32, "aino", "social_worker", "2026-11-20", "running", 0, 1, "2026-11-20"))
        unit.checks.add_findings([CheckFinding("b" * 32, 0, "late", "{}")])
    checks = Checks(database, assessor(), clock)
    checks.fail_left_over(REGION)
    assert [path.name for path in place.iterdir()] == ["somebody-elses"]
    with database.read(REGION) as unit:
        left = unit.checks.get("b" * 32)
        assert left is not None
        assert left.state == FAILED
        assert unit.checks.findings_of("late") == []


def test_a_client_disposed_of_goes_from_every_check(
    recorder: Recorder, database: Database, owner: Database, clock: Clock
) -> None:
    from service.rights.disposal import dispose
    from service.rights.retention import retention

    opened(recorder, "late", ACTIVITY)
    run, found, _ = checked(database, clock)
    assert found
    with owner.write(REGION) as unit:
        unit.cases.set_closed("late", "2026-11-20")
    clock.advance(days=366 * 11)
    dispose(owner, REGION, clock().date(), clock(), decided_by="tests", periods=retention())
    with database.read(REGION) as unit:
        assert unit.checks.findings_of("late") == []
        assert unit.facts.get("late") is None
    looked = Checks(database, assessor(), clock).look(Reader(AINO), run.id)
    assert looked.shown == ()


@ON_SQLITE
def test_names_are_given_to_who_sees_them_once_it_is_on_record(
    recorder: Recorder, database: Database, clock: Clock
) -> None:
    opened(recorder, "late", ACTIVITY)
    with database.write(REGION) as unit:
        unit.identities.put("late", {"name": "Lahja Loppunut"})
    run, _, _ = checked(database, clock)
    checks = Checks(database, assessor(), clock)
    looked = checks.look(Reader(AINO), run.id)
    assert {item.case_id for item in looked.shown} == {"late"}
    with closing(database):
        assert checks.show(Reader(AINO), "check x", {"late": "assigned"}) == {"late": "Lahja Loppunut"}
        auditor = replace(AINO, user="tarmo", role="auditor", roles=("auditor",))
        assert checks.show(Reader(auditor), "check x", {"late": "none"}) == {}
        with database.read(REGION) as unit:
            shown = [json.loads(item.payload) for item in unit.reads.of("late")]
    assert [(item["user"], item["what"]) for item in shown if item["what"] == "check x"] == [
        ("aino", "check x"),
        ("tarmo", "check x"),
    ]


def test_a_small_caseload_is_judged_again_whole_and_of_a_large_one_a_sample() -> None:
    broken = {"outcome": "violated", "severity": "obligation"}
    quiet = {"outcome": "advised", "severity": "obligation"}
    small = {f"c{n}": [quiet] for n in range(AGAIN)}
    assert sorted(to_judge_again("x", small)) == sorted(small)
    many_broken = {f"c{n}": [broken] if n < 300 else [] for n in range(1_000)}
    chosen = to_judge_again("x", many_broken)
    assert len(chosen) == len(set(chosen)) == AGAIN
    assert all(many_broken[case_id] for case_id in chosen[:AGAIN_NOT_MET])
    few_broken = {f"c{n}": [broken] if n < 3 else [quiet] for n in range(1_000)}
    chosen = to_judge_again("x", few_broken)
    assert {"c0", "c1", "c2"} <= set(chosen)
    assert len(chosen) == AGAIN
    assert to_judge_again("x", few_broken) == chosen != to_judge_again("y", few_broken)
    assert to_judge_again("x", {}) == []
