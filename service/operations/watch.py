"""What watches over one running service: its health, its limits per user, its alarm about readers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from service.operations.health import OK, Health, Unready, measure_checkpoints
from service.operations.limits import Rate
from service.operations.metrics import STORE_UP
from service.operations.readers import Readers
from service.settings import Settings
from service.store import Database, StoreUnavailable
from service.store.migrating import head


class Watch:
    """One for an application. `users` counts each user's requests, `readers` the clients each opens."""

    def __init__(self, settings: Settings, database: Database, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._head = head()
        self.health = Health({"database": self._migrated})
        self.users = Rate("user", settings.requests_per_minute)
        self.readers = Readers(settings.snooping_clients_per_hour, clock)

    async def measure(self) -> None:
        """Bring up to date the metrics that nothing counts by itself."""
        state = await self.health.state()
        if "database" in state.checks:
            STORE_UP.set(state.checks["database"] == OK)
        self.readers.unusual()
        measure_checkpoints(self._settings.checkpoint_dir, self._clock())

    def _migrated(self) -> None:
        """Raises Unready when the database does not answer, or stands at another version than this program needs."""
        try:
            found = self._database.revision()
        except StoreUnavailable as error:
            raise Unready(error.reason) from None
        if found != self._head:
            raise Unready(f"the schema is at version {found}, this program needs {self._head}")
