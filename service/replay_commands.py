"""`polku replay`: recorded decisions judged again under the rules they were taken under."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from service.arguments import AsJson
from service.terminal import DONE, FINDINGS, fail, write, write_json

if TYPE_CHECKING:
    from service.audit.replay import Replay
    from service.audit.replaying import Tally
    from service.store import Database

replays = typer.Typer()

MOST_TOLD = 100


@replays.command()
def replay(
    decisions: Annotated[
        list[str] | None, typer.Argument(metavar="DECISION", help="Ids of decisions; none given: every decision.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option("--database", metavar="URL", help="A database, all its regions [default: the service's own]."),
    ] = None,
    both: Annotated[
        bool, typer.Option("--both", help="Judge all by both engines; decisions that are named always are.")
    ] = False,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, help="How many processes share all decisions [default: up to 2]."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge recorded decisions again under the rules they were taken under. A difference gives exit code 1."""
    url, regions = _where(database)
    if decisions:
        found = _named(url, regions, decisions)
    else:
        found = _all(url, regions, processes or min(2, os.cpu_count() or 1), both)
    if as_json:
        write_json(_as_json(found))
    else:
        _tell(found)
    raise typer.Exit(DONE if found.same else FINDINGS)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """The database at a URL that a command was given, as whoever the URL says. A URL of another kind is refused."""
    from service.settings import SCHEMES
    from service.store import Database

    if not url.startswith(SCHEMES):
        raise typer.BadParameter(f"expected {' or '.join(f'{scheme}…' for scheme in SCHEMES)}", param_hint="--database")
    database = Database(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=1)
    try:
        yield database
    finally:
        database.close()


def _where(url: str | None) -> tuple[str, list[str]]:
    """The database and the regions to replay."""
    if url is None:
        from service.settings import load_settings

        settings = load_settings()
        return settings.database_url, [settings.region]
    with opened(url) as database:
        return database.url.render_as_string(hide_password=False), database.regions()


def _named(url: str, regions: list[str], ids: list[str]) -> Tally:
    from service.audit.replay import replay_decision
    from service.audit.replaying import Tally

    tally = Tally()
    with opened(url) as database:
        for decision_id in dict.fromkeys(ids):
            found = None
            for region in regions:
                with database.read(region) as unit:
                    stored = unit.decisions.get(decision_id)
                    found = replay_decision(unit, stored) if stored is not None else found
            if found is None:
                fail(f"there is no decision {decision_id}")
            tally.count(found)
    return tally


def _all(url: str, regions: list[str], processes: int, both: bool) -> Tally:
    from service.audit.replaying import Tally, replay_region

    tally = Tally()
    for region in regions:
        for share in replay_region(url, region, processes=processes, both=both):
            tally.add(share)
    return tally


def _tell(tally: Tally) -> None:
    for item in tally.differing[:MOST_TOLD]:
        _tell_one(item, "came out otherwise")
    for item in tally.explained[:MOST_TOLD]:
        _tell_one(item, "differs in what is explained")
    left = max(len(tally.differing) - MOST_TOLD, 0) + max(len(tally.explained) - MOST_TOLD, 0)
    if left:
        write(f"and {left:,} more; --json tells all\n")
    write(
        f"decisions judged again: {tally.decisions:,}; as recorded: {tally.decisions - len(tally.differing):,}"
        f" (with an explanation: {len(tally.explained):,}); otherwise: {len(tally.differing):,}\n"
    )


def _tell_one(item: Replay, how: str) -> None:
    write(f"{item.decision} (case {item.case}, version {item.version}): {how}\n")
    for difference in item.differences:
        write(f"  {difference}\n")


def _as_json(tally: Tally) -> dict[str, object]:
    return {
        "decisions": tally.decisions,
        "same": tally.same,
        "differing": [item.as_json() for item in tally.differing],
        "explained": [item.as_json() for item in tally.explained],
    }
