"""Login put together from the settings, once for an application."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
from fastapi import FastAPI

from service.login.development import DevelopmentIdentity
from service.login.login import Login
from service.login.provider import Provider, http_client
from service.login.routes import development_router, router
from service.login.sessions import Lifetimes, Sessions
from service.login.settings import safe_address
from service.settings import Settings, SettingsError
from service.store import Database

ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  what is listened on, never what is connected to


def install(app: FastAPI, settings: Settings, database: Database, clock: Callable[[], datetime]) -> Login:
    """Give the application its login (`app.state.login`) and the addresses of login; close its provider when it stops.
    In the demo the identity provider is `app.state.identity`.

    Raises SettingsError when the settings name no identity provider, or nothing that logins can safely come back to.
    """
    public_url = address_of(settings)
    lifetimes = Lifetimes(timedelta(hours=settings.session_hours), timedelta(minutes=settings.session_idle_minutes))
    sessions = Sessions(database, settings.region, lifetimes, clock)
    if settings.demo:
        identity = DevelopmentIdentity(public_url, settings.region, clock)
        app.include_router(development_router(identity))
        app.state.identity = identity
        http = httpx.Client(transport=identity.transport())
        provider = Provider(identity.client(), clock, http, demo=True)
    else:
        provider = _outside(settings, public_url, clock)
    login = Login(provider, sessions, settings.region, public_url, clock)
    app.state.login = login
    app.include_router(router)
    return login


def address_of(settings: Settings) -> str:
    """How browsers reach the service: as told, else as it listens."""
    if settings.public_url is not None:
        return settings.public_url
    host = "localhost" if settings.host in ANY_ADDRESS else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _outside(settings: Settings, public_url: str, clock: Callable[[], datetime]) -> Provider:
    if settings.oidc is None:
        raise SettingsError(["POLKU_OIDC_ISSUER: missing; who may log in? (only `serve --demo` runs without)"])
    if not safe_address(public_url):
        raise SettingsError(["POLKU_PUBLIC_URL: must be https:// (http:// only on this machine): logins pass there"])
    try:
        return Provider(settings.oidc, clock, http_client(settings.oidc))
    except (OSError, ssl.SSLError):
        raise SettingsError(
            ["POLKU_OIDC_TRUSTED_CERTIFICATES: the file it names holds no certificates that can be read"]
        ) from None
