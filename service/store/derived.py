"""What can be made again from journals and packs: kept facts, caseload checks; and the packs themselves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from rules.pack import Pack
from service.audit.canonical import canonical
from service.store import tables
from service.store.errors import Conflict
from service.store.people import insert_or_leave, insert_or_replace
from service.store.transaction import Transaction, storable
from service.store.values import CheckFinding, CheckRun, KeptFacts, StoredPack

_facts, _check, _finding, _pack = tables.case_facts.c, tables.check_run.c, tables.check_finding.c, tables.pack.c

_IS_KEPT = select(_pack.sha256).where(_pack.sha256 == bindparam("sha256"))


class Facts:
    """Facts per version of a case."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def put(self, facts: KeptFacts) -> None:
        """Keep the facts of a version, in place of those kept of it."""
        row = {name: getattr(facts, name) for name in KeptFacts.__slots__}
        insert_or_replace(self._transaction, tables.case_facts, row | {"region": self._transaction.region})

    def get(self, case_id: str, version: int | None = None) -> KeptFacts | None:
        """The facts of a version; without one, of the newest that has facts."""
        columns = (_facts[name] for name in KeptFacts.__slots__)
        query = select(*columns).where(_facts.region == self._transaction.region, _facts.case_id == case_id)
        if version is not None:
            query = query.where(_facts.version == version)
        found = self._transaction.one(query.order_by(_facts.version.desc()).limit(1))
        return KeptFacts(*found) if found else None


class Checks:
    """Checks of caseloads."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, run: CheckRun) -> None:
        """Keep a new check. Raises Conflict when its id is taken."""
        row = {name: getattr(run, name) for name in CheckRun.__slots__}
        self._transaction.run(insert(tables.check_run), row | {"region": self._transaction.region})

    def get(self, check_id: str) -> CheckRun | None:
        """The check of that id."""
        if not storable(check_id):
            return None
        columns = (_check[name] for name in CheckRun.__slots__)
        found = self._transaction.one(select(*columns).where(*self._is(check_id)))
        return CheckRun(*found) if found else None

    def running(self) -> list[CheckRun]:
        """Checks that are not done: after a start, those the stop broke off."""
        columns = (_check[name] for name in CheckRun.__slots__)
        query = select(*columns).where(_check.region == self._transaction.region, _check.state == "running")
        return [CheckRun(*row) for row in self._transaction.all(query.order_by(_check.started_at, _check.id))]

    def progress(self, check_id: str, done: int) -> None:
        """How many cases are done."""
        self._transaction.run(update(tables.check_run).where(*self._is(check_id)).values(done=done))

    def finish(self, check_id: str, state: str, at: str, error: str | None = None) -> None:
        """End the check: `state` is done or failed, `at` UTC text."""
        values = {"state": state, "finished_at": at, "error": error}
        self._transaction.run(update(tables.check_run).where(*self._is(check_id)).values(**values))

    def add_findings(self, findings: Sequence[CheckFinding]) -> None:
        """Keep findings. Raises Conflict when one is there already."""
        rows = [
            {"region": self._transaction.region, **{name: getattr(item, name) for name in CheckFinding.__slots__}}
            for item in findings
        ]
        if rows:
            self._transaction.run(insert(tables.check_finding), rows)

    def findings(self, check_id: str, *, after: int = -1, limit: int = 50) -> list[CheckFinding]:
        """A check's findings by number, from the one after `after`."""
        columns = (_finding[name] for name in CheckFinding.__slots__)
        query = select(*columns).where(
            _finding.region == self._transaction.region, _finding.check_id == check_id, _finding.n > after
        )
        return [CheckFinding(*row) for row in self._transaction.all(query.order_by(_finding.n).limit(limit))]

    def findings_of(self, case_id: str) -> list[CheckFinding]:
        """What checks found of a case, by check and number."""
        columns = (_finding[name] for name in CheckFinding.__slots__)
        query = select(*columns).where(_finding.region == self._transaction.region, _finding.case_id == case_id)
        return [CheckFinding(*row) for row in self._transaction.all(query.order_by(_finding.check_id, _finding.n))]

    def _is(self, check_id: str) -> tuple[Any, Any]:
        return _check.region == self._transaction.region, _check.id == check_id


class Packs:
    """Rule packs that judged something; the same for every region, never changed."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def keep(self, pack: Pack) -> None:
        """Keep a pack, unless it is kept. Raises Conflict when its content is not what its SHA-256 was made of."""
        sha256 = pack.sha256
        if self._transaction.one(_IS_KEPT, {"sha256": sha256}) is not None:
            return
        # Days in YAML become text just as they do where the pack's SHA-256 is made.
        text = canonical(json.loads(json.dumps(pack.content, default=str)))
        if hashlib.sha256(text).hexdigest() != sha256:
            raise Conflict("the content of a pack does not have the pack's SHA-256")
        row = {"sha256": sha256, "id": pack.id, "version": pack.version, "content": text.decode()}
        insert_or_leave(self._transaction, tables.pack, row)

    def versions(self, pack_id: str) -> list[tuple[str, str]]:
        """The versions kept of a pack, each with its SHA-256, in the order of their texts."""
        query = select(_pack.version, _pack.sha256).where(_pack.id == pack_id).order_by(_pack.version, _pack.sha256)
        return [(str(version), str(sha256)) for version, sha256 in self._transaction.all(query)]

    def get(self, sha256: str) -> StoredPack | None:
        """The pack with that SHA-256."""
        columns = (_pack[name] for name in StoredPack.__slots__)
        found = self._transaction.one(select(*columns).where(_pack.sha256 == sha256))
        return StoredPack(*found) if found else None
