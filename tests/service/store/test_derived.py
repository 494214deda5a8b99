"""Kept facts, caseload checks, rule packs."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from service.audit.chain import timestamp
from service.store import CheckFinding, CheckRun, Conflict, Database, Forbidden, KeptFacts
from tests.helpers import pack
from tests.service.store.keeping import ELSEWHERE, NOW, REGION, open_case

FACTS = KeptFacts("sirpa", 1, "1", "0" * 64, "2026-11-20", "2026-12-31", '{"a":1}')
RUN = CheckRun("check-1", "kaisa", "team_leader", "2026-11-20", "running", 0, 3, timestamp(NOW))


def test_facts_are_kept_of_a_case_as_it_is_now(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
        open_case(unit, "veikko")
        assert unit.facts.keep([FACTS]) == 1
        newer = replace(FACTS, as_of="2027-01-01", holds_until=None, facts='{"a":2}')
        assert (
            unit.facts.keep([newer, replace(FACTS, case_id="veikko", version=2), replace(FACTS, case_id="none")]) == 1
        )
        assert unit.facts.keep([]) == 0
    with database.read(REGION) as unit:
        assert unit.facts.get("sirpa") == newer
        assert unit.facts.get("veikko") is None
    with database.write(REGION) as unit:
        unit.cases.advance("sirpa", 1)
        assert unit.facts.keep([FACTS]) == 0
        assert unit.facts.keep([replace(FACTS, version=2)]) == 1
    with database.read(REGION) as unit:
        assert unit.facts.get("sirpa") == replace(FACTS, version=2)
        assert unit.facts.get("sirpa", 1) == newer
        assert unit.facts.get("sirpa", 3) is None
    with database.read(ELSEWHERE) as unit:
        assert unit.facts.get("sirpa") is None


def test_facts_hold_for_their_version_fold_pack_and_days_alone(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
        open_case(unit, "veikko")
        unit.facts.keep([FACTS, replace(FACTS, case_id="veikko", holds_until=None)])

    def holding(fold: str, pack_sha256: str, day: str) -> set[str]:
        with database.read(REGION) as unit:
            return set(unit.facts.holding(["sirpa", "veikko", "none"], fold, pack_sha256, day))

    both = {"sirpa", "veikko"}
    assert holding("1", "0" * 64, "2026-11-19") == set()
    assert holding("1", "0" * 64, "2026-11-20") == holding("1", "0" * 64, "2026-12-31") == both
    assert holding("1", "0" * 64, "2027-01-01") == {"veikko"}
    assert holding("2", "0" * 64, "2026-11-20") == holding("1", "1" * 64, "2026-11-20") == set()
    with database.write(REGION) as unit:
        unit.cases.advance("veikko", 1)
    assert holding("1", "0" * 64, "2026-11-20") == {"sirpa"}


def test_a_check_runs_and_ends(database: Database) -> None:
    findings = [CheckFinding("check-1", n, f"case-{n % 3}", f'{{"n":{n}}}') for n in range(7)]
    findings[3:5] = [replace(item, change="settled") for item in findings[3:5]]
    with database.write(REGION) as unit:
        unit.checks.add(RUN)
        unit.checks.add(replace(RUN, id="check-2", state="done"))
        unit.checks.add_findings(findings)
        unit.checks.add_findings([])
        unit.checks.progress("check-1", 2)
    with database.read(REGION) as unit:
        assert unit.checks.get("check-1") == replace(RUN, done=2)
        assert unit.checks.get("no such") is None
        assert [run.id for run in unit.checks.running()] == ["check-1"]
        assert unit.checks.findings("check-1", limit=4) == [*findings[:3], findings[5]]
        assert unit.checks.findings("check-1", after=2) == findings[5:]
        assert unit.checks.findings("check-1", change="settled") == findings[3:5]
        assert unit.checks.findings("check-1", change="new") == []
        assert unit.checks.findings_of("case-1") == [findings[1], findings[4]]
    with database.write(REGION) as unit:
        unit.checks.finish("check-1", "done", timestamp(NOW), compared_with="check-0", counts='{"new":1}')
    with database.read(REGION) as unit:
        ended = replace(
            RUN, done=2, state="done", finished_at=timestamp(NOW), compared_with="check-0", counts='{"new":1}'
        )
        assert unit.checks.get("check-1") == ended
        assert unit.checks.running() == []
        assert len(unit.checks.findings("check-1")) == 5
    with pytest.raises(Conflict), database.write(REGION) as unit:
        unit.checks.add(RUN)
    with pytest.raises(Conflict), database.write(REGION) as unit:
        unit.checks.add_findings([replace(findings[0], check_id="no such")])


def test_of_a_check_that_failed_nothing_found_is_kept(database: Database) -> None:
    with database.write(REGION) as unit:
        unit.checks.add(RUN)
        unit.checks.add_findings([CheckFinding("check-1", 0, "case-1", "{}")])
        unit.checks.finish("check-1", "failed", timestamp(NOW), "the server stopped")
    with database.read(REGION) as unit:
        found = unit.checks.get("check-1")
        assert (found.state, found.error) == ("failed", "the server stopped")  # type: ignore[union-attr]
        assert unit.checks.findings_of("case-1") == []


def test_checks_are_listed_for_their_user_and_role_and_forgotten_with_what_they_found(database: Database) -> None:
    runs = [replace(RUN, id=f"check-{n}", started_at=f"2026-11-2{n}T10:00:00.000000Z") for n in range(4)]
    with database.write(REGION) as unit:
        for run in (*runs, replace(RUN, id="other", user="aino"), replace(RUN, id="role", role="social_worker")):
            unit.checks.add(run)
        unit.checks.add_findings([CheckFinding(run.id, 0, "case-1", "{}") for run in runs])
    with database.read(REGION) as unit:
        assert unit.checks.of("kaisa", "team_leader") == runs[::-1]
        assert unit.checks.of("nobody", "team_leader") == []
    with database.write(REGION) as unit:
        unit.checks.forget(["check-0", "check-2"])
        unit.checks.forget([])
    with database.read(REGION) as unit:
        assert [run.id for run in unit.checks.of("kaisa", "team_leader")] == ["check-3", "check-1"]
        assert [item.check_id for item in unit.checks.findings_of("case-1")] == ["check-1", "check-3"]


def test_nothing_is_kept_of_a_case_that_was_disposed_of(owner: Database) -> None:
    with owner.write(REGION) as unit:
        case = open_case(unit, "sirpa")
        unit.checks.add(RUN)
    with owner.write(REGION) as unit:
        unit.events.append(case, "disposed", {}, NOW)
        unit.cases.dispose("sirpa", NOW)
    with owner.write(REGION) as unit:
        unit.checks.add_findings([CheckFinding("check-1", n, name, "{}") for n, name in enumerate(("sirpa", "veikko"))])
        assert unit.facts.keep([FACTS]) == 0
    with owner.read(REGION) as unit:
        assert [item.case_id for item in unit.checks.findings("check-1")] == ["veikko"]
        assert unit.facts.get("sirpa") is None


def test_a_pack_is_kept_once_for_every_region(database: Database) -> None:
    for region in (REGION, ELSEWHERE, REGION):
        with database.write(region) as unit:
            unit.packs.keep(pack())
    with database.read(ELSEWHERE) as unit:
        kept = unit.packs.get(pack().sha256)
        assert kept is not None
        assert (kept.id, kept.version) == (pack().id, pack().version)
        assert hashlib.sha256(kept.content.encode()).hexdigest() == kept.sha256 == pack().sha256
        assert unit.packs.get("0" * 64) is None


def test_a_pack_whose_content_is_another_is_refused(database: Database) -> None:
    changed = replace(pack(), content={**pack().content, "rules": []})
    changed.__dict__["sha256"] = pack().sha256
    with pytest.raises(Conflict), database.write(REGION) as unit:
        unit.packs.keep(changed)


def test_what_is_kept_of_a_pack_never_changes(owner: Database) -> None:
    from sqlalchemy import text

    with owner.write(REGION) as unit:
        unit.packs.keep(pack())
    for statement in ("UPDATE pack SET content = '{}'", "DELETE FROM pack"):
        with pytest.raises(Forbidden), owner.write(REGION) as unit:
            unit.packs._transaction.run(text(statement))
