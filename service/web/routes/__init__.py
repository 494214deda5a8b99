"""The routes of pages, by theme."""

from __future__ import annotations

from service.web.routes import home

ROUTERS = (home.router,)
