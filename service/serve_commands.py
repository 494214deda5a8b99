"""`polku serve`, `polku backup`, `polku restore`, `polku database` and `polku accounts`: running the service."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.terminal import FINDINGS, fail, write, write_json

if TYPE_CHECKING:
    from service.operations.backup import Looks
    from service.settings import Settings
    from service.store import Database

#: The columns of a list of accounts.
_COLUMNS = ("user", "organisation", "team", "roles", "seen", "")
DEMO_REGION = "demo"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: What the demo would otherwise have to ignore: a real database or identity provider.
NOT_IN_DEMO = ("POLKU_DATABASE_URL", "POLKU_OWNER_DATABASE_URL", "POLKU_OIDC_")

operations = typer.Typer()
database = typer.Typer(name="database", help="The database: bring its schema up to date, or back; compare it.")
accounts = typer.Typer(name="accounts", help="Who has logged in, and who may not any more.")

Host = Annotated[str | None, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0: a free one.")]
Demo = Annotated[bool, typer.Option("--demo", help="Invented clients, users without passwords; kept nowhere.")]
User = Annotated[str, typer.Argument(metavar="USER", help="The user's id, as the identity provider tells it.")]


# ---- serve


@operations.command()
def serve(host: Host = None, port: Port = None, demo: Demo = False) -> None:
    """Keep cases and answer requests, until stopped. Settings are variables POLKU_…: see docs/operators.md."""
    from service.api.app import create_app
    from service.operations.logs import start_logging
    from service.operations.serving import listen
    from service.operations.serving import serve as serve_on
    from service.store import Database

    given: dict[str, Any] = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    with ExitStack() as stack:
        settings = _demo_settings(stack, given) if demo else _settings(**given)
        try:
            listening = stack.enter_context(listen(settings))
        except OSError as error:
            reason = error.strerror or error
            fail(f"cannot listen on {settings.host}, port {settings.port}: {reason} (another port: --port)")
        settings = settings.model_copy(update={"port": listening.getsockname()[1]})
        opened = Database(settings.database_url, pool_size=settings.database_pool_size)
        stack.callback(opened.close)
        clients = 0
        if demo:
            clients = _fill(settings, opened)
        else:
            _check_schema(settings, opened)
        app = create_app(settings, database=opened)
        if demo:
            _tell_demo(settings, clients)
        start_logging(settings.log_level)
        serve_on(app, settings, listening)


def _demo_settings(stack: ExitStack, given: dict[str, Any]) -> Settings:
    """Settings of a demo: a database of its own that goes with it, this machine only unless `--host` says otherwise."""
    set_here = sorted(name for name in os.environ if name.startswith(NOT_IN_DEMO))
    if set_here:
        fail(
            f"--demo is refused where {set_here[0]} is set: its users have no passwords, so it runs on a database of"
            " its own and with an identity provider of its own, never beside real ones"
        )
    folder = stack.enter_context(TemporaryDirectory(prefix="polku-demo-"))
    region = {} if os.environ.get("POLKU_REGION") or os.environ.get("POLKU_REGION_FILE") else {"region": DEMO_REGION}
    own = {"demo": True, "host": LOOPBACK[0], "database_url": f"sqlite:///{folder}/polku.db", **region}
    return _settings(**{**own, **given})


def _fill(settings: Settings, opened: Database) -> int:
    from service.api.app import now
    from service.arguments import assessor
    from service.operations.demo import fill
    from service.store import migrate

    migrate(settings.migration_url)
    return fill(opened, assessor(), settings.region, now)


def _tell_demo(settings: Settings, clients: int) -> None:
    """Where the demo is, who one can be in it, how it ends and where it keeps what it keeps."""
    from service.login.development import demo_users, roles_told
    from service.login.installing import address_of

    address, users = address_of(settings), demo_users().values()
    folder = Path(settings.database_url.removeprefix("sqlite:///")).parent
    width = max(len(user.name) for user in users)
    lines = [
        f"Polku's demo runs at {address} until you stop it (Ctrl-C).",
        f"Log in at {address}/login as any of its users: choose one, there are no passwords.",
        "",
        *(f"  {user.name.ljust(width)}   {roles_told(user, 'en')}" for user in users),
        "",
        f"Its {clients} clients are invented. What you record lies in {folder} and is gone when it stops.",
        f"A token for programs: curl -d grant_type=client_credentials -d client_id=developer -d user=aino"
        f" {address}/development-identity/token",
    ]
    if settings.host not in LOOPBACK:
        lines.append(f"Whoever reaches {settings.host} can log in as anyone.")
    typer.echo("\n".join(lines), err=True)


def _check_schema(settings: Settings, opened: Database) -> None:
    """Stop when the database is there and not of this version. One that does not answer may come up later: until then
    `/readyz` says so."""
    from service.store import StoreUnavailable
    from service.store.migrating import head

    try:
        found = opened.revision()
    except StoreUnavailable as error:
        if settings.database_url.startswith("sqlite:") or "migrated" in error.reason:
            fail(f"the database is not there, or was never migrated ({error.reason}); run: polku database upgrade")
        return
    if found != head():
        fail(f"the database's schema is at version {found}, this program needs {head()}; run: polku database upgrade")


# ---- backup and restore


@operations.command()
def backup(file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that does not exist yet.")]) -> None:
    """Write a backup; the service may run meanwhile. It holds clients' data in clear: lock it away."""
    from service.operations.backup import back_up

    size = back_up(_settings(), file)
    write(f"{file.name}: {size:,} bytes\n")


@operations.command()
def restore(file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `polku backup` wrote.")]) -> None:
    """Bring a backup back into an empty database, and look over every chain. Exit code 1 when one is broken."""
    from service.operations.backup import restore as bring_back

    settings = _settings()
    looks = bring_back(settings, file, datetime.now(UTC))
    _tell_looks(looks)
    missing = len(looks) > 1 and not looks[settings.region].links
    if missing:
        write(f"nothing of the region {settings.region} is in it: is POLKU_REGION right?\n")
    if missing or not all(look.whole for look in looks.values()):
        raise typer.Exit(FINDINGS)


def _tell_looks(looks: Looks) -> None:
    for region, look in looks.items():
        word = "whole" if look.whole else f"BROKEN, {look.fault_count} faults"
        write(f"restored {region}: {look.links:,} records in {look.chains:,} chains; the chains are {word}\n")
        for fault in look.faults:
            write(f"  {fault}\n")


# ---- database


@database.command()
def upgrade(
    revision: Annotated[str, typer.Option("--to", metavar="VERSION", help="Of the schema.")] = "head",
) -> None:
    """Make the tables, or bring them to the version this program needs. As the owner of the database."""
    from service.store import migrate

    settings = _settings()
    migrate(settings.migration_url, revision)
    write(f"the schema is at version {_revision(settings)}\n")


@database.command()
def downgrade(
    revision: Annotated[str, typer.Argument(metavar="VERSION", help="An older version of the schema; base: none.")],
) -> None:
    """Take the tables back to an older version. What that version has no place for is lost: back up first."""
    from service.store import downgrade as take_back

    settings = _settings()
    take_back(settings.migration_url, revision)
    write(f"the schema is at version {revision}\n")


@database.command()
def check() -> None:
    """Compare the database with what this program needs. Exit code 1 when they differ."""
    from service.store import differences
    from service.store.migrating import head

    settings = _settings()
    found, needed = _revision(settings), head()
    drifted = differences(settings.migration_url) if found == needed else []
    write(f"the schema is at version {found}; this program needs {needed}\n")
    for line in drifted:
        write(f"  {line}\n")
    if found != needed or drifted:
        raise typer.Exit(FINDINGS)


def _revision(settings: Settings) -> str:
    with _opened(settings) as opened:
        return opened.revision()


# ---- accounts


@accounts.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False) -> None:
    """Who has logged in, where they work, in which roles, and when they were last seen."""
    settings = _settings()
    with _opened(settings) as opened, opened.read(settings.region) as unit:
        found = unit.accounts.all()
    if as_json:
        write_json([asdict(account) for account in found])
        return
    rows = [_COLUMNS] + [
        (
            account.user,
            account.organisation,
            account.team or "",
            " ".join(account.roles),
            account.seen_at[:16],
            "blocked" if account.blocked else "",
        )
        for account in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


@accounts.command()
def block(user: User) -> None:
    """Let the user in no more: every login ends now, and their tokens are refused. Their records stay theirs."""
    _set_blocked(user, blocked=True)


@accounts.command()
def unblock(user: User) -> None:
    """Let the user in again."""
    _set_blocked(user, blocked=False)


def _set_blocked(user: str, *, blocked: bool) -> None:
    settings = _settings()
    with _opened(settings) as opened, opened.write(settings.region) as unit:
        known = unit.accounts.set_blocked(user, blocked)
        ended = unit.sessions.revoke_all(user, datetime.now(UTC)) if known and blocked else 0
    if not known:
        fail(f"nobody with the id {user} has logged in; `polku accounts list` tells who has")
    write(f"{user} is blocked; logins ended: {ended}\n" if blocked else f"{user} may log in again\n")


# ---- shared


def _settings(**given: Any) -> Settings:
    from service.settings import load_settings

    return load_settings(**given)


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    """The database as the application sees it."""
    from service.store import Database

    opened = Database(settings.database_url, pool_size=2)
    try:
        yield opened
    finally:
        opened.close()
