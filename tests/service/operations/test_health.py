"""Ready or not: told quickly, whatever hangs."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from service.operations import health
from service.operations.health import Health, State, Unready, measure_checkpoints
from service.operations.metrics import REGISTRY


def well() -> None:
    return


def broken() -> None:
    raise Unready("the schema is at version 0001")


def state_of(found: Health) -> State:
    return anyio.run(found.state)


def test_it_is_ready_when_every_check_passes() -> None:
    assert state_of(Health({"database": well, "rules": well})) == State(True, {"database": "ok", "rules": "ok"})


def test_one_check_that_fails_is_enough_and_says_why() -> None:
    found = state_of(Health({"database": broken, "rules": well}))
    assert found == State(False, {"database": "the schema is at version 0001", "rules": "ok"})


def test_of_an_unexpected_failure_only_its_kind_is_told() -> None:
    def fails() -> None:
        raise ConnectionError("password of Virtanen is wrong")

    assert state_of(Health({"database": fails})).checks == {"database": "ConnectionError"}


def test_a_service_that_stops_is_not_ready_whatever_the_checks_say() -> None:
    found = Health({"database": well})
    assert state_of(found).ready
    found.stopping = True
    assert state_of(found) == State(False, {"service": "stopping"})


def test_a_check_that_hangs_counts_as_failed_and_never_blocks_the_next_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.5)  # long enough for a thread to begin, however busy the machine
    monkeypatch.setattr(health, "FRESH", 0.0)
    release, entered = threading.Event(), []

    def hangs() -> None:
        entered.append(1)
        release.wait(20)

    async def ask() -> list[str]:
        found = Health({"database": hangs})
        return [(await found.state()).checks["database"] for _ in range(7)]

    async def all_of_it() -> list[str]:
        try:
            return await ask()
        finally:
            release.set()

    started = time.monotonic()
    answers = anyio.run(all_of_it)
    assert time.monotonic() - started < 10
    assert answers == ["no answer in 0.5 s"] * 4 + ["earlier checks have not ended"] * 3
    assert len(entered) == 4


def test_those_who_ask_at_once_share_an_answer() -> None:
    asked = []

    async def often() -> None:
        found = Health({"database": lambda: asked.append(1)})
        for _ in range(20):
            await found.state()

    anyio.run(often)
    assert len(asked) == 1


def age() -> float:
    found = REGISTRY.get_sample_value("polku_checkpoint_age_seconds")
    assert found is not None
    return found


def test_the_age_of_the_last_checkpoint_is_that_of_the_time_signed_in_it(tmp_path: Path) -> None:
    now = datetime(2026, 11, 20, 10, tzinfo=UTC)
    for number, hours in ((1, 30), (2, 5), (1_000_000, 1)):
        at = (now - timedelta(hours=hours)).isoformat().replace("+00:00", "Z")
        (tmp_path / f"checkpoint-{number:06}.json").write_text(json.dumps({"body": {"at": at}}), encoding="utf-8")
    measure_checkpoints(tmp_path, now)
    assert age() == 3600


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"[]", b'{"body": {}}', b'{"body": {"at": "soon"}}'])
def test_without_a_checkpoint_that_can_be_read_the_age_is_not_a_number(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "checkpoint-000001.json").write_bytes(content)
    for folder in (None, tmp_path, tmp_path / "none"):
        measure_checkpoints(folder, datetime.now(UTC))
        assert age() != age()
