"""What can be made again from journals and packs: kept facts, caseload checks; and the packs themselves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, and_, bindparam, delete, insert, or_, select, update

from rules.pack import Pack
from service.audit.canonical import canonical
from service.store import tables
from service.store.errors import Conflict
from service.store.people import insert_or_leave, insert_or_replace
from service.store.transaction import Transaction, storable
from service.store.values import CheckFinding, CheckRun, KeptFacts, KeptOutlook, StoredPack

_facts, _check, _finding, _pack = tables.case_facts.c, tables.check_run.c, tables.check_finding.c, tables.pack.c

_case = tables.case_record.c
#: The change of a finding that the check before had and this one has not.
SETTLED = "settled"
_IS_KEPT = select(_pack.sha256).where(_pack.sha256 == bindparam("sha256"))
Made = TypeVar("Made", KeptFacts, KeptOutlook)


def still_standing(transaction: Transaction, items: Iterable[Made]) -> list[Made]:
    """Those made of the version a case has now, by case; not those of a case that was disposed of, or that someone is
    writing to this moment."""
    made = {item.case_id: item for item in items}
    # Locked, so that a disposal comes before or after, and nothing of the case is kept after it.
    query = (
        select(_case.id, _case.version)
        .where(_case.region == transaction.region, _case.id.in_(made), _case.disposed_at.is_(None))
        .order_by(_case.id)
        .with_for_update(read=True, skip_locked=True)
    )
    found = transaction.all(query)
    return [made[case_id] for case_id, version in found if version == made[case_id].version]


class Facts:
    """Facts per version of a case."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def keep(self, facts: Iterable[KeptFacts]) -> int:
        """Keep facts, each in place of those kept of that version; how many.

        Left out are those of a case that was disposed of or has another version by now. One that someone is writing to
        this moment is left out too, so nobody waits.
        """
        standing = still_standing(self._transaction, facts)
        for item in standing:
            self.put(item)
        return len(standing)

    def put(self, facts: KeptFacts) -> None:
        """Keep the facts of a version, in place of those kept of it, of a case that is held locked."""
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

    def holding(self, case_ids: Iterable[str], fold: str, pack_sha256: str, day: str) -> dict[str, KeptFacts]:
        """The facts of these cases, as they are now, that this fold and pack made and that hold on `day` (ISO text)."""
        columns = (_facts[name] for name in KeptFacts.__slots__)
        query = (
            select(*columns)
            .join(
                tables.case_record,
                and_(_case.region == _facts.region, _case.id == _facts.case_id, _case.version == _facts.version),
            )
            .where(
                _facts.region == self._transaction.region,
                _facts.case_id.in_(sorted(case_ids)),
                _facts.fold == fold,
                _facts.pack_sha256 == pack_sha256,
                _facts.as_of <= day,
                or_(_facts.holds_until.is_(None), _facts.holds_until >= day),
            )
        )
        return {row[0]: KeptFacts(*row) for row in self._transaction.all(query)}


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
        found = self._transaction.one(_runs().where(*self._is(check_id)))
        return CheckRun(*found) if found else None

    def running(self) -> list[CheckRun]:
        """Checks that are not done: after a start, those the stop broke off."""
        query = _runs().where(_check.region == self._transaction.region, _check.state == "running")
        return [CheckRun(*row) for row in self._transaction.all(query.order_by(_check.started_at, _check.id))]

    def of(self, user: str, role: str) -> list[CheckRun]:
        """A user's checks in a role, the newest first."""
        mine = _check.region == self._transaction.region, _check.user == user, _check.role == role
        query = _runs().where(*mine).order_by(_check.started_at.desc(), _check.id.desc())
        return [CheckRun(*row) for row in self._transaction.all(query)]

    def progress(self, check_id: str, done: int) -> None:
        """How many cases are done."""
        self._transaction.run(update(tables.check_run).where(*self._is(check_id)).values(done=done))

    def finish(
        self,
        check_id: str,
        state: str,
        at: str,
        error: str | None = None,
        *,
        compared_with: str | None = None,
        counts: str | None = None,
    ) -> None:
        """End the check: `state` is done or failed, `at` UTC text. What a failed one found so far goes."""
        values = {
            "state": state, "finished_at": at, "error": error, "compared_with": compared_with, "counts": counts,
        }  # fmt: skip
        self._transaction.run(update(tables.check_run).where(*self._is(check_id)).values(**values))
        if state == "failed":
            self._transaction.run(delete(tables.check_finding).where(*self._found_by([check_id])))

    def forget(self, check_ids: Sequence[str]) -> None:
        """Delete checks with what they found."""
        gone = _check.region == self._transaction.region, _check.id.in_(check_ids)
        self._transaction.run(delete(tables.check_finding).where(*self._found_by(check_ids)))
        self._transaction.run(delete(tables.check_run).where(*gone))

    def add_findings(self, findings: Sequence[CheckFinding]) -> None:
        """Keep findings, but those of a case that was disposed of. Raises Conflict when one is there already."""
        # Locked, so that a disposal comes before or after, and nothing of the case is kept after it.
        query = (
            select(_case.id, _case.disposed_at)
            .where(_case.region == self._transaction.region, _case.id.in_({item.case_id for item in findings}))
            .order_by(_case.id)
            .with_for_update(read=True)
        )
        disposed = {case_id for case_id, at in self._transaction.all(query) if at is not None}
        rows = [
            {"region": self._transaction.region, **{name: getattr(item, name) for name in CheckFinding.__slots__}}
            for item in findings
            if item.case_id not in disposed
        ]
        self._transaction.add(insert(tables.check_finding), rows)

    def findings(
        self, check_id: str, *, after: int = -1, limit: int | None = 50, change: str | None = None
    ) -> list[CheckFinding]:
        """A check's findings by number, from the one after `after`: those of one change beside the check before, or
        all but the settled."""
        columns = (_finding[name] for name in CheckFinding.__slots__)
        wanted = _finding.change.is_distinct_from(SETTLED) if change is None else _finding.change == change
        query = select(*columns).where(*self._found_by([check_id]), _finding.n > after, wanted)
        return [CheckFinding(*row) for row in self._transaction.all(query.order_by(_finding.n).limit(limit))]

    def findings_of(self, case_id: str) -> list[CheckFinding]:
        """What checks found of a case, by check and number."""
        columns = (_finding[name] for name in CheckFinding.__slots__)
        query = select(*columns).where(_finding.region == self._transaction.region, _finding.case_id == case_id)
        return [CheckFinding(*row) for row in self._transaction.all(query.order_by(_finding.check_id, _finding.n))]

    def _is(self, check_id: str) -> tuple[Any, Any]:
        return _check.region == self._transaction.region, _check.id == check_id

    def _found_by(self, check_ids: Sequence[str]) -> tuple[Any, Any]:
        return _finding.region == self._transaction.region, _finding.check_id.in_(check_ids)


def _runs() -> Select[Any]:
    return select(*(_check[name] for name in CheckRun.__slots__))


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
