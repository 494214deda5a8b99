"""`polku audit`: keys, checkpoints, a look over the chains, and the export for outside auditors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.terminal import DONE, FINDINGS, fail, write, write_json
from service.words import clean

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from service.audit.checkpoints import Checkpoint
    from service.audit.faults import Fault
    from service.audit.verify import Verified
    from service.store import Unit

audit = typer.Typer(name="audit", help="The audit trail: keys, signed checkpoints, a check of the chains, an export.")

MOST_TOLD = 100

PublicKeys = Annotated[
    list[Path] | None,
    typer.Option("--public-key", metavar="FILE", help="Whose checkpoints to believe; may be repeated."),
]


@audit.command()
def keygen(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="For the private key; FILE.pub: the public one.")],
) -> None:
    """Make the key that signs checkpoints. Run it on the machine that will sign, never on the service's."""
    from service.audit.checkpoints import new_keys

    with _told():
        name = new_keys(out)
    write(f"{out}: the private key, for this machine alone\n")
    write(f"{out}.pub: the public key, for everyone who verifies\n")
    write(f"the public key is {name}\n")


@audit.command()
def checkpoint(
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="The private key.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the checkpoints are.")],
    public_key: PublicKeys = None,
    despite_faults: Annotated[
        bool, typer.Option("--despite-faults", help="Sign although faults were found; they stay found.")
    ] = False,
) -> None:
    """Look over every chain, then sign where they stand. Faults give exit code 1, and nothing is signed.

    --public-key names the keys before this one, whose checkpoints are in the folder.
    """
    from service.audit.checkpoints import locked, private_key, write_checkpoint
    from service.audit.checkpoints import public_key as read_public_key

    with _told():
        signer = private_key(key)
        keys = [signer.public_key(), *map(read_public_key, public_key or ())]
        out.mkdir(parents=True, exist_ok=True)
        with locked(out), _snapshot() as (unit, now):
            found, checkpoints = _look(unit, now, out, keys)
            _tell_faults(found.faults, found.fault_count)
            if not found.whole and not despite_faults:
                write("nothing was signed; docs/audit.md tells what to do\n")
                raise typer.Exit(FINDINGS)
            before = checkpoints[-1] if checkpoints else None
            made = write_checkpoint(out, signer, unit.region, found.heads, _text(now), before)
    write(f"{made.path}: {made.body.links} links in {made.body.chains} chains\n")


@audit.command()
def verify(
    checkpoints: Annotated[
        Path | None, typer.Option("--checkpoints", metavar="FOLDER", help="Where the checkpoints are.")
    ] = None,
    public_key: PublicKeys = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Look over every chain of the database, and every row against its record. Faults give exit code 1.

    An outside auditor rather verifies an export with scripts/verify_export.py, which shares no code with this.
    """
    from service.audit.checkpoints import public_key as read_public_key

    if (checkpoints is None) != (not public_key):
        raise typer.BadParameter("--checkpoints and --public-key are of use only together")
    with _told():
        keys = [read_public_key(path) for path in public_key or ()]
        with _snapshot() as (unit, now):
            found, series = _look(unit, now, checkpoints, keys)
    if checkpoints is not None and not series and found.whole:
        fail(f"{checkpoints}: there is no checkpoint")
    if as_json:
        write_json(_verified_json(found, series))
    else:
        _tell(found, series)
    raise typer.Exit(DONE if found.whole else FINDINGS)


@audit.command()
def export(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A file for its owner's eyes only.")],
) -> None:
    """Write every link with its record, for an outside auditor. It holds clients' data in clear: lock it away."""
    from service.audit.export import Origin, export_to

    with _told(), _snapshot() as (unit, now):
        origin = Origin(unit.region, _text(now), f"polku {_version()}")
        done = export_to(out, origin, unit.chains.records(), unit.agreement.faults())
    write(f"{out}: {done.links} links in {done.chains} chains\n")
    if done.rows:
        write(f"{done.rows} rows of the database do not say what their records say; the export names them\n")


# ---- shared


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong with keys and checkpoints, in words."""
    from service.audit.checkpoints import CheckpointError

    try:
        yield
    except CheckpointError as error:
        fail(str(error))


@contextmanager
def _snapshot() -> Iterator[tuple[Unit, datetime]]:
    """The region's records as they stand at one moment, and a moment no later than that."""
    from service.settings import load_settings
    from service.store import Database

    settings = load_settings()
    database = Database(settings.database_url, pool_size=1)
    try:
        database.ping()  # a connection that is slow to come must not make the moment too early
        now = datetime.now(UTC)
        with database.read(settings.region) as unit:
            yield unit, now
    finally:
        database.close()


def _look(
    unit: Unit, now: datetime, folder: Path | None, keys: Iterable[Ed25519PublicKey]
) -> tuple[Verified, list[Checkpoint]]:
    """A look over the chains against the checkpoints in a folder, and over the rows; with the checkpoints."""
    from service.audit.checkpoints import read_checkpoints
    from service.audit.faults import Fault
    from service.audit.verify import Coverage
    from service.audit.verify import verify as look_over

    series, faults = read_checkpoints(folder, keys) if folder is not None else ([], [])
    if series and series[-1].body.region != unit.region:
        faults.append(Fault("checkpoints", None, f"are of the region {series[-1].body.region}, not {unit.region}"))
    found = look_over(unit.chains.records(), Coverage(series), now)
    found.tell(faults)
    found.tell(unit.agreement.faults())
    return found, series


def _tell(found: Verified, series: list[Checkpoint]) -> None:
    _tell_faults(found.faults, found.fault_count)
    write(f"read: {found.links} links in {found.chains} chains\n")
    write(f"records gone: {found.gone}; disposals: {len(found.disposals)}\n")
    if series:
        write(f"checkpoints: {len(series)}, the last of {series[-1].body.at}\n")
        write(f"newer than the last checkpoint: {found.newer} links, which only the next one will hold fast\n")
    else:
        write("no checkpoints: who can write the database could have made all of this anew, or cut its end off\n")
    write("whole\n" if found.whole else f"broken: {found.fault_count} fault{'s' * (found.fault_count > 1)}\n")


def _tell_faults(faults: list[Fault], count: int) -> None:
    for fault in faults[:MOST_TOLD]:
        write(f"{clean(fault)}\n")
    if count > MOST_TOLD:
        write(f"and {count - MOST_TOLD} more\n")


def _verified_json(found: Verified, series: list[Checkpoint]) -> dict[str, object]:
    return {
        "whole": found.whole,
        "links": found.links,
        "chains": found.chains,
        "newer": found.newer,
        "gone": found.gone,
        "disposals": len(found.disposals),
        "checkpoints": len(series),
        "last_checkpoint": series[-1].body.at if series else None,
        "fault_count": found.fault_count,
        "faults": [{"place": fault.place, "link": fault.seq, "text": fault.text} for fault in found.faults],
    }


def _text(now: datetime) -> str:
    from service.audit.chain import timestamp

    return timestamp(now)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("polku")
    except PackageNotFoundError:  # run from its folder, not installed
        return "(not installed)"
