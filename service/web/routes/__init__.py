"""The routes of pages, by theme."""

from __future__ import annotations

from service.web.routes import (
    caseload,
    checks,
    clients,
    decisions,
    home,
    newcomers,
    oversight,
    recording,
    rights,
    rules,
    summary,
    why,
)

#: The first that has an address answers: /clients/calendar is no client.
ROUTERS = (
    home.router,
    caseload.router,
    checks.router,
    newcomers.router,
    recording.router,
    summary.router,
    clients.router,
    why.router,
    decisions.router,
    rules.router,
    oversight.router,
    rights.router,
)
