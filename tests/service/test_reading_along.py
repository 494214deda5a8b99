"""The read that a recording is: on record with what it records, or before a refusal leaves. On both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.access.principal import Principal
from service.operations.readers import Readers
from service.reading import NothingThere, Reader, Reading
from service.recording.errors import KeyReused, NeedsAcknowledgement, PreconditionFailed, Refused
from service.recording.recorder import Recorded
from service.store import Account, StoreUnavailable
from service.store.reads import Reads
from tests.helpers import entry
from tests.service.recording.conftest import REGION, Place, place, worker

__all__ = ["place"]  # a fixture


def recorded(
    place: Place, expected: int, *entries: dict[str, Any], by: Principal | None = None, **options: Any
) -> Recorded:
    """Record as the API does."""
    who = Reader(by or worker())
    with Reading(place.database, place.clock, Readers(60, place.clock)).along(who, "case-1", "recording") as read:
        return place.record(expected, *entries, by=who.principal, reads=read, **options)


def logged(place: Place, user: str = "w-1") -> list[dict[str, Any]]:
    """What is on record of a reader."""
    with place.database.read(REGION) as unit:
        return [json.loads(item.payload) for item in unit.reads.by(user)]


def contact(place: Place) -> dict[str, Any]:
    return entry(place.today(), "contact", party="client", form="phone")


def test_a_recording_and_its_read_are_one_transaction(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.open()
    writes = []
    write = type(place.database).write
    monkeypatch.setattr(type(place.database), "write", lambda *of: writes.append(of) or write(*of))
    recorded(place, 1, contact(place))
    assert len(writes) == 1
    assert [(item["what"], item["refused"], item["cases"]) for item in logged(place)] == [
        ("recording", False, {"case-1": "assigned"})
    ]


def test_what_is_not_recorded_was_read_all_the_same(place: Place) -> None:
    place.open()
    stop = entry(place.today(), "coaching_ended", reason="other")
    for expected, new, error in ((7, contact(place), PreconditionFailed), (1, {"type": "no"}, Refused)):
        with pytest.raises(error):
            recorded(place, expected, new)
    with pytest.raises(NeedsAcknowledgement):
        recorded(place, 1, stop)
    assert [item["refused"] for item in logged(place)] == [False] * 3
    assert place.case().version == 1


def test_a_request_that_comes_again_is_read_again(place: Place) -> None:
    place.open()
    first, again = (recorded(place, 1, contact(place), key="k-1") for _ in range(2))
    assert (first.replayed, again.replayed, again.record) == (False, True, first.record)
    with pytest.raises(KeyReused):
        recorded(place, 2, contact(place), key="k-1")
    assert len(logged(place)) == 3


def test_a_stranger_is_refused_and_on_record(place: Place) -> None:
    place.open()
    with pytest.raises(NothingThere):
        recorded(place, 1, contact(place), by=worker("w-9", team="team-9"))
    assert [(item["refused"], item["cases"]) for item in logged(place, "w-9")] == [(True, {"case-1": "none"})]


def test_who_came_too_late_is_on_record_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.open()
    take = place.recorder._take_key

    def late(*of: Any) -> None:
        monkeypatch.setattr(place.recorder, "_take_key", take)
        monkeypatch.setattr(type(of[0].cases), "advance", conflict)
        take(*of)

    advance = None

    def conflict(cases: Any, case_id: str, expected: int) -> int:
        return advance(cases, case_id, expected + 1)  # type: ignore[misc]  # as if it were at another by now

    with place.database.read(REGION) as unit:
        advance = type(unit.cases).advance
    monkeypatch.setattr(place.recorder, "_take_key", late)
    with pytest.raises(PreconditionFailed):
        recorded(place, 1, contact(place))
    assert len(logged(place)) == 1


def test_what_cannot_be_logged_is_not_recorded(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.open()

    def broken(reads: Reads) -> None:
        raise StoreUnavailable("broken")

    with monkeypatch.context() as patched:
        patched.setattr(Reads, "flush", broken)
        with pytest.raises(StoreUnavailable):
            recorded(place, 1, contact(place))
    assert (place.case().version, logged(place)) == (1, [])


def test_a_worker_who_changed_teams_is_in_the_new_one_after_any_recording(place: Place) -> None:
    place.open()
    recorded(place, 1, contact(place))
    with place.database.write(REGION) as unit:
        unit.accounts.put(Account("w-1", "county-1", "county", "team-7", ("social_worker",), False, "2026-01-01"))
    recorded(place, 2, contact(place))
    with place.database.read(REGION) as unit:
        teams = {item.worker: item.team for item in unit.cases.ties(place.case()).workers}
    assert teams == {"w-1": "team-7", "w-2": None}
