"""What the routes work with: one object per application, and the dependencies that hand it to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request

from rules.assessment import Assessor
from rules.entries import LOCAL_TIME
from service.audit.replay import Packs
from service.checking import Checks
from service.operations.watch import Watch
from service.outlook import Outlooks
from service.reading import Reading
from service.recording.recorder import Recorder
from service.settings import Settings
from service.store import Database

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one running service."""

    settings: Settings
    clock: Clock
    assessor: Assessor
    database: Database
    reading: Reading
    recorder: Recorder
    checks: Checks
    outlooks: Outlooks
    packs: Packs
    watch: Watch

    def today(self) -> date:
        """Today in Finland."""
        return self.clock().astimezone(LOCAL_TIME).date()


async def service_of(request: Request) -> Service:
    """The service of the application. (Asynchronous: a plain dependency would cost a thread.)"""
    found: Service = request.app.state.service
    return found


Polku = Annotated[Service, Depends(service_of)]
