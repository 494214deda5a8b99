"""Checks held up until a test lets them go on, and waited for."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from service.checking import Checks
from tests.helpers import wait_for
from tests.service.api.asking import Client


def held_up(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Checks begin to judge when this event is set, or in a minute."""
    go_on = threading.Event()
    judge = Checks._judge_all

    def slowly(self: Checks, *args: Any) -> Any:
        go_on.wait(60)
        return judge(self, *args)

    monkeypatch.setattr(Checks, "_judge_all", slowly)
    return go_on


def ended(client: Client, address: str) -> dict[str, Any]:
    """The check at an address of the API, when it is over."""
    found: dict[str, Any] = {}

    def over() -> bool:
        found.update(client.get(address).json())
        return bool(found["state"] != "running")

    wait_for(over)
    return found
