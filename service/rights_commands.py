"""`polku copy` and `polku dispose`: the client's rights and the law's clock, on the service's own machine."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rules.entries import LOCAL_TIME
from service.arguments import day
from service.terminal import fail, write

if TYPE_CHECKING:
    from service.settings import Settings
    from service.store import Database

rights = typer.Typer()

MOST_LISTED = 20


@contextmanager
def _opened() -> Iterator[tuple[Settings, Database]]:
    """The service's settings and its database, as its owner; what goes wrong there is told in words."""
    from service.rights.errors import RightsError
    from service.settings import SettingsError, load_settings
    from service.store import Database, StoreError

    try:
        settings = load_settings()
        database = Database(settings.migration_url, pool_size=2)
        try:
            yield settings, database
        finally:
            database.close()
    except (SettingsError, StoreError, RightsError) as error:
        fail(str(error))


def _user() -> str:
    """Who runs the command, as the machine knows them."""
    try:
        return f"operator:{getpass.getuser()}"
    except (OSError, KeyError):  # no name for the user's number
        return f"operator:{os.getuid()}"


# --- dispose ---


@rights.command()
def dispose(
    as_of: Annotated[
        date | None,
        typer.Option("--as-of", parser=day, metavar="DATE", help="What is due on this day [default: today]."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what is due; nothing changes.")] = False,
    decided_by: Annotated[
        str | None, typer.Option("--decided-by", metavar="WHO", help="Who decided it; stays on record.")
    ] = None,
    scrub: Annotated[
        bool, typer.Option("--scrub", help="Rewrite the database's files even if nothing was due.")
    ] = False,
) -> None:
    """Dispose of cases and logs whose time is over; their chains stay whole. See docs/rights.md."""
    from service.rights.disposal import dispose as dispose_of
    from service.rights.disposal import due
    from service.rights.retention import retention

    now = datetime.now(UTC)
    asked = as_of or now.astimezone(LOCAL_TIME).date()
    with _opened() as (settings, database):
        found = due(database, settings.region, asked, retention())
        if found.restricted:
            write(f"kept because they are restricted: {len(found.restricted)}{_listed(found.restricted)}\n")
        if dry_run:
            write(f"due on {asked}: {len(found.cases)}{_listed(found.cases)}\n")
            return
        done = dispose_of(database, settings.region, asked, now, decided_by=decided_by or _user(), periods=retention())
        write(f"disposed of: {done.cases} cases; logs of {done.readers} readers; {done.keys} request keys\n")
        if done.anything or scrub:
            database.scrub()
            write("the database's files are rewritten: nothing of it is left in them\n")


def _listed(cases: tuple[str, ...]) -> str:
    named = "".join(f"\n  {case}" for case in cases[:MOST_LISTED])
    return named + (f"\n  and {len(cases) - MOST_LISTED} more" if len(cases) > MOST_LISTED else "")


# --- copy ---


@rights.command()
def copy(
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A new file, for its owner's eyes only.")],
    all_reads: Annotated[
        str | None,
        typer.Option("--all-reads", metavar="REASON", help="Also who read it over two years ago, for this reason."),
    ] = None,
) -> None:
    """A copy of all data about a client, for handing to the client. The reading is logged. See docs/rights.md."""
    from rules.pack import load_pack
    from service.rights.copy import client_copy, log_copy
    from service.rights.reasons import checked_reason
    from service.rights.retention import retention

    now = datetime.now(UTC)
    with _opened() as (settings, database):
        reason = None if all_reads is None else checked_reason(all_reads)
        with database.write(settings.region) as unit:
            found = client_copy(unit, case, load_pack(), now, retention(), all_reads=reason is not None)
            log_copy(unit, case, _user(), now, reason)
        # Written only now that the reading is on record.
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(found, file, ensure_ascii=False, indent=2)
            file.write("\n")
    write(f"{len(found['entries'])} entries, {len(found['decisions'])} decisions, read it through first: {out}\n")
