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


def test_facts_are_kept_per_version(database: Database) -> None:
    with database.write(REGION) as unit:
        open_case(unit, "sirpa")
        unit.facts.put(FACTS)
        unit.facts.put(replace(FACTS, as_of="2027-01-01", holds_until=None, facts='{"a":2}'))
        unit.facts.put(replace(FACTS, version=2))
    with database.read(REGION) as unit:
        assert unit.facts.get("sirpa") == replace(FACTS, version=2)
        assert unit.facts.get("sirpa", 1) == replace(FACTS, as_of="2027-01-01", holds_until=None, facts='{"a":2}')
        assert unit.facts.get("sirpa", 3) is None
        assert unit.facts.get("veikko") is None


def test_a_check_runs_and_ends(database: Database) -> None:
    findings = [CheckFinding("check-1", n, f"case-{n % 3}", f'{{"n":{n}}}') for n in range(7)]
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
        assert unit.checks.findings("check-1", limit=3) == findings[:3]
        assert unit.checks.findings("check-1", after=2) == findings[3:]
        assert unit.checks.findings_of("case-1") == [findings[1], findings[4]]
    with database.write(REGION) as unit:
        unit.checks.finish("check-1", "failed", timestamp(NOW), "the server stopped")
    with database.read(REGION) as unit:
        ended = replace(RUN, done=2, state="failed", finished_at=timestamp(NOW), error="the server stopped")
        assert unit.checks.get("check-1") == ended
        assert unit.checks.running() == []
    with pytest.raises(Conflict), database.write(REGION) as unit:
        unit.checks.add(RUN)
    with pytest.raises(Conflict), database.write(REGION) as unit:
        unit.checks.add_findings([replace(findings[0], check_id="no such")])


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
