"""The snooping alarm rises when one user opens unusually many different clients in an hour."""

import logging

import pytest

from service.operations.metrics import REGISTRY
from service.operations.readers import Readers
from tests.service.conftest import Clock


def alarms() -> float:
    return REGISTRY.get_sample_value("polku_snooping_alarms_total") or 0.0


def test_the_same_client_again_and_again_is_one(clock: Clock) -> None:
    before, readers = alarms(), Readers(3, clock)
    for _ in range(50):
        readers.note("aino", ["c1", "c2", "c3"])
    assert (alarms() - before, readers.unusual()) == (0, 0)


def test_one_client_more_than_usual_raises_one_alarm_that_names_nobody(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    before, readers = alarms(), Readers(3, clock)
    with caplog.at_level(logging.WARNING):
        for number in range(10):
            readers.note("aino-Virtanen", [f"client-Virtanen-{number}"])
    assert (alarms() - before, readers.unusual()) == (1, 1)
    assert [record.getMessage() for record in caplog.records] == ["snooping alarm"]
    assert "Virtanen" not in str([vars(record) for record in caplog.records])


def test_users_are_counted_apart(clock: Clock) -> None:
    before, readers = alarms(), Readers(3, clock)
    for number in range(3):
        readers.note("aino", [f"a{number}"])
        readers.note("vilho", [f"b{number}"])
    assert alarms() == before


def test_what_was_read_over_an_hour_ago_counts_no_more(clock: Clock) -> None:
    before, readers = alarms(), Readers(3, clock)
    for number in range(30):
        readers.note("aino", [f"c{number}"])
        clock.advance(minutes=20)
    assert (alarms() - before, readers.unusual()) == (0, 0)


def test_after_an_hour_the_alarm_falls_and_may_rise_again(clock: Clock) -> None:
    before, readers = alarms(), Readers(2, clock)
    for _ in range(2):
        readers.note("aino", ["a", "b", "c"])
        assert readers.unusual() == 1
        clock.advance(minutes=61)
        assert readers.unusual() == 0
    assert alarms() - before == 2
    assert REGISTRY.get_sample_value("polku_unusual_readers") == 0
