"""Pages asked for in this process: the application and clients are those of the API's tests."""

from __future__ import annotations

from tests.service.api.conftest import anyone, app, client, document, sqlite

__all__ = ["anyone", "app", "client", "document", "sqlite"]
