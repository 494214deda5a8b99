"""The application: its parts put together once, its routes, and what surrounds every request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from anyio import to_thread
from fastapi import Depends, FastAPI

from rules.assessment import Assessor
from rules.engines import checked
from rules.pack import load_pack
from service.api import failures
from service.api.answers import EveryAnswer
from service.api.context import Clock, Service
from service.api.document import describe
from service.api.lanes import Lanes
from service.api.parameters import only_json_asked, only_known_parameters
from service.api.routes import assessments, cases, checks, decisions, entries, me, oversight, problems, rights, rules
from service.api.samples import Samples
from service.api.who import asking
from service.audit.replay import Packs
from service.checking import Checks
from service.login.installing import install
from service.operations.limits import LoginLimit, SizeLimit
from service.operations.observing import Observing
from service.operations.routes import router as operations_router
from service.operations.watch import Watch
from service.outlook import Outlooks
from service.reading import Reading
from service.recording.recorder import Recorder
from service.settings import Settings
from service.store import Database
from service.web.installing import install_pages


def now() -> datetime:
    """The time; everything else is handed a clock."""
    return datetime.now(UTC)


def create_app(settings: Settings, *, clock: Clock = now, database: Database | None = None) -> FastAPI:
    """The service as an ASGI application. Nothing is asked of the database or the identity provider before it is
    started; a database that is handed over is closed by whoever opened it. Raises SettingsError."""
    kept = database or Database(settings.database_url, pool_size=settings.database_pool_size)
    service = _service(settings, clock, kept)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.lanes = Lanes(settings.threads)
        # What the framework itself runs in threads (authentication) is bounded as well.
        to_thread.current_default_thread_limiter().total_tokens = settings.threads
        await to_thread.run_sync(service.checks.fail_left_over, settings.region)
        service.outlooks.start(settings.region)
        yield
        service.watch.health.stopping = True
        await to_thread.run_sync(service.outlooks.stop)
        await to_thread.run_sync(service.checks.stop)
        login.provider.close()
        if database is None:
            kept.close()

    app = FastAPI(
        version=program_version(),
        lifespan=lifespan,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service, app.state.watch = service, service.watch
    login = install(app, settings, kept, clock)
    _route(app)
    _surround(app, settings)
    _document(app, Samples(service.assessor))
    return app


def _service(settings: Settings, clock: Clock, database: Database) -> Service:
    watch, assessor = Watch(settings, database, clock), Assessor(load_pack())
    return Service(
        settings=settings,
        clock=clock,
        assessor=assessor,
        database=database,
        reading=Reading(database, clock, watch.readers),
        recorder=Recorder(database, assessor, clock, program=program_version()),
        checks=Checks(database, assessor, clock, program=program_version()),
        outlooks=Outlooks(database, assessor, clock, program=program_version()),
        packs=Packs(checked),
        watch=watch,
    )


def program_version() -> str:
    """The version of this program."""
    try:
        return version("polku")
    except PackageNotFoundError:  # run from its folder, not installed
        return "0"


def _route(app: FastAPI) -> None:
    strict = [Depends(only_known_parameters), Depends(only_json_asked)]
    for router in (problems.router, me.router):
        app.include_router(router, dependencies=strict)
    app.include_router(operations_router)
    for part in (assessments, cases, entries, decisions, checks, rules, oversight, rights):
        # Who asks comes first: of a stranger nothing else is even read.
        app.include_router(part.router, dependencies=[Depends(asking), *strict])


def _surround(app: FastAPI, settings: Settings) -> None:
    """What every request passes, from the inside out."""
    failures.install(app)
    install_pages(app)
    app.add_middleware(failures.NothingUnexpected)
    app.add_middleware(SizeLimit, most=settings.max_request_bytes)
    app.add_middleware(LoginLimit, per_minute=settings.logins_per_minute)
    app.add_middleware(EveryAnswer)
    app.add_middleware(Observing)


def _document(app: FastAPI, samples: Callable[[str], Any]) -> None:
    """Have the application describe itself, once."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(describe(app, samples))
        return made

    app.openapi = openapi  # type: ignore[method-assign]
