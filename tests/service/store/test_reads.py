"""The log of reads: a chain for each reader, found by client, by reader, and pruned when its time is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.audit.chain import PRUNED, read_chain
from service.store import Database, Forbidden
from tests.service.store.keeping import NOW, REGION, faults

LATER = NOW + timedelta(days=1)


def _log(database: Database, *reads: tuple[str, list[str]]) -> None:
    for hour, (user, case_ids) in enumerate(reads):
        with database.write(REGION) as unit:
            unit.reads.append(user, case_ids, {"what": "case", "hour": hour}, NOW + timedelta(hours=hour))


def test_reads_are_found_by_client_and_by_reader(database: Database) -> None:
    _log(
        database,
        ("kaisa", ["sirpa"]),
        ("ville", ["sirpa", "veikko"]),
        ("kaisa", ["no such case", "nor\x00 this"]),
        ("kaisa", []),
        ("kaisa", ["veikko", "veikko"]),
    )
    with database.read(REGION) as unit:
        assert sorted(item.user for item in unit.reads.of("sirpa")) == ["kaisa", "ville"]
        assert [item.user for item in unit.reads.of("no such case")] == ["kaisa"]
        assert [item.user for item in unit.reads.of("nor\ufffd this")] == ["kaisa"]
        assert unit.reads.of("nobody") == []
        assert [item.payload[8:9] for item in unit.reads.by("kaisa")] == ["4", "3", "2", "0"]
        assert [item.at for item in unit.reads.by("ville")] == ["2026-11-20T11:00:00.000000Z"]
        assert len(unit.reads.by("kaisa", since="2026-11-20T12:00:00.000000Z")) == 3
        assert unit.reads.cases_since("kaisa", "2026-11-20T10:00:00.000000Z") == 4
        assert unit.reads.cases_since("kaisa", "2026-11-20T13:00:00.000000Z") == 1
        assert {item.chain for item in unit.reads.by("kaisa")} == {read_chain("kaisa")}
        assert "kaisa" not in read_chain("kaisa")
    assert faults(database) == []


def test_the_reads_of_a_client_go_on_page_by_page(database: Database) -> None:
    _log(database, *((user, ["sirpa"]) for user in ("kaisa", "ville", "anna") for _ in range(3)))
    found = []
    with database.read(REGION) as unit:
        while page := unit.reads.of("sirpa", after=(found[-1].chain, found[-1].seq) if found else None, limit=2):
            found += page
    assert len({(item.chain, item.seq) for item in found}) == len(found) == 9


def test_a_transaction_may_log_reads_of_several_people(database: Database) -> None:
    with database.write(REGION) as unit:
        for user in ("ville", "kaisa", "ville"):
            unit.reads.append(user, ["sirpa"], {"user": user}, NOW)
    with database.read(REGION) as unit:
        assert [item.seq for item in unit.reads.by("ville")] == [2, 1]
        assert len(unit.reads.of("sirpa")) == 3
    assert faults(database) == []


def test_old_reads_are_pruned_under_a_link_that_says_so(database: Database, owner: Database) -> None:
    _log(database, *(("kaisa", [f"case-{n}"]) for n in range(5)), ("ville", ["case-9"]))
    with owner.read(REGION) as unit:
        readers = list(unit.reads.readers_before("2026-11-20T13:00:00.000000Z"))
        assert readers == [("kaisa", read_chain("kaisa"), 3)]
    with owner.write(REGION) as unit:
        link = unit.reads.prune("kaisa", 3, {"ground": "time"}, LATER)
    assert (link.kind, link.seq) == (PRUNED, 6)
    with database.read(REGION) as unit:
        records = list(unit.chains.records(read_chain("kaisa")))
        assert [kept.payload is None for kept in records] == [True, True, True, False, False, False]
        assert records[-1].payload == '{"ground":"time","through":3}'
        assert unit.reads.of("case-0") == []
        assert len(unit.reads.of("case-4")) == 1
        assert len(unit.reads.of("case-9")) == 1
        assert list(unit.reads.readers_before("2026-11-20T13:00:00.000000Z")) == []
    _log(database, ("kaisa", ["case-10"]))
    with owner.write(REGION) as unit:  # a later pruning covers the one before
        unit.reads.prune("kaisa", 7, {"ground": "time"}, LATER)
    with database.read(REGION) as unit:
        assert [kept.payload is None for kept in unit.chains.records(read_chain("kaisa"))] == [True] * 7 + [False]


def test_the_application_may_not_prune_in_postgresql(database: Database) -> None:
    _log(database, ("kaisa", ["sirpa"]))
    if database.postgresql:
        with pytest.raises(Forbidden), database.write(REGION) as unit:
            unit.reads.prune("kaisa", 1, {}, LATER)
        with database.read(REGION) as unit:
            assert len(unit.reads.of("sirpa")) == 1
