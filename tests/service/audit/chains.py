"""Sets of chains to attack, their exports and checkpoints, and the standalone verifier as a module."""

import hashlib
import importlib.util
import io
import random
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from service.audit.canonical import canonical
from service.audit.chain import Head, Link, digest_of, next_link, timestamp
from service.audit.checkpoints import Checkpoint, new_keys, private_key, write_checkpoint
from service.audit.export import Origin, export

ROOT = Path(__file__).resolve().parents[3]
VERIFIER = ROOT / "scripts" / "verify_export.py"
REGION = "paijat-hame"
START = datetime(2026, 1, 1, 6, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Kept:
    """A link with its record, as the store gives it."""

    link: Link
    salt: str | None
    payload: str | None

    def but(self, **fields: Any) -> "Kept":
        """The same with other fields of the link; its hash as before."""
        return replace(self, link=replace(self.link, **fields))


Records = list[Kept]


def load_verifier() -> ModuleType:
    """The standalone verifier, imported from its file."""
    spec = importlib.util.spec_from_file_location("verify_export", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_export"] = module
    spec.loader.exec_module(module)
    return module


verifier = load_verifier()


def moment(seconds: float) -> str:
    """A time, in seconds after the sets begin."""
    return timestamp(START + timedelta(seconds=seconds))


def seconds(at: str) -> float:
    """The reverse of `moment`."""
    return (datetime.fromisoformat(at) - START).total_seconds()


def kept(head: Head | None, chain: str, kind: str, version: int, data: Any, at: str, draw: random.Random) -> Kept:
    """The next link of a chain and its record."""
    payload, salt = canonical(data), draw.randbytes(32).hex()
    return Kept(next_link(head, chain, kind, version, payload, at, salt), salt, payload.decode())


def append(records: Records, kind: str, data: Any, at: str, draw: random.Random) -> Kept:
    """What would come next in the chain that `records` is."""
    last = records[-1].link
    return kept(last.head, last.chain, kind, last.version, data, at, draw)


def case_chain(draw: random.Random, begin: float, length: int) -> Records:
    """A case's chain: opened, then entries with their decisions, an event now and then; some seconds between."""
    chain, at = f"case/{draw.getrandbits(64):016x}", begin
    made = [kept(None, chain, "opened", 1, {"id": f"c{draw.getrandbits(40)}"}, moment(at), draw)]
    while len(made) < length:
        at += draw.choice((0.0, 0.25, 40.0, 90_000.0))
        kind = draw.choice(("entry", "entry", "decision", "decision", "emergency_access"))
        data = {"kind": kind, "n": len(made), "text": "ä" * draw.randrange(80), "x": draw.getrandbits(200)}
        data["x"] = f"{data['x']:x}"
        made.append(kept(made[-1].link.head, chain, kind, len(made) // 2 + 1, data, moment(at), draw))
    return made


def read_chain(draw: random.Random, begin: float, length: int) -> Records:
    """The chain of what one user read."""
    chain, made, at = f"read/{draw.getrandbits(64):016x}", Records(), begin
    for number in range(length):
        at += draw.uniform(0, 20_000)
        head = made[-1].link.head if made else None
        made.append(kept(head, chain, "read", 0, {"what": "case", "n": number}, moment(at), draw))
    return made


def disposed_of(chain: Records, draw: random.Random, at: float) -> Records:
    """A case's chain after its lawful disposal."""
    last = append(chain, "disposed", {"ground": "703/2023", "decided_by": "u1"}, moment(at), draw)
    return [replace(item, salt=None, payload=None) for item in chain] + [last]


def pruned(chain: Records, draw: random.Random, through: int, at: float) -> Records:
    """A reader's chain after its first records were lawfully deleted."""
    last = append(chain, "pruned", {"through": through}, moment(at), draw)
    return [replace(item, salt=None, payload=None) if item.link.seq <= through else item for item in chain] + [last]


def ordered(chains: Iterable[Records]) -> Records:
    """All records in the order of an export."""
    return [item for chain in sorted(chains, key=lambda chain: chain[0].link.chain) for item in chain]


def chain_set(links: int, seed: int = 1) -> Records:
    """Cases and readers of about that many links in all; a few cases disposed of, a log pruned."""
    draw = random.Random(seed)
    chains: list[Records] = []
    while (made := sum(map(len, chains))) < links:
        length = min(draw.choice((1, 2, 9, 40, 120)), links - made)
        kind = read_chain if len(chains) % 5 == 4 else case_chain
        chains.append(kind(draw, draw.uniform(0, 1_000_000), length))
    for place in range(3, len(chains), 20):
        if chains[place][0].link.chain.startswith("case/"):
            chains[place] = disposed_of(chains[place], draw, 6_000_000)
    for place in range(4, len(chains), 25):
        chains[place] = pruned(chains[place], draw, len(chains[place]) // 2 + 1, 6_000_000)
    return ordered(chains)


def heads_at(records: Records, at: str | None = None) -> list[Head]:
    """Where each chain stood at a time; in the end, without one."""
    heads = {item.link.chain: item.link.head for item in records if at is None or item.link.at <= at}
    return [heads[chain] for chain in sorted(heads)]


def hours_after(records: Records, hours: float) -> str:
    """So many hours after the last link was made."""
    return moment(seconds(max(item.link.at for item in records)) + hours * 3600)


@dataclass(frozen=True)
class Signed:
    """Checkpoints in a folder, with the key."""

    folder: Path
    public: Path
    checkpoints: tuple[Checkpoint, ...]


def sign(folder: Path, records: Records, *times: str, key: Path | None = None) -> Signed:
    """Checkpoints of a set of chains as it stood at each of the times; without a time, an hour after its last link."""
    folder.mkdir(exist_ok=True)
    if key is None:
        key = folder / "key.pem"
        new_keys(key)
    made: list[Checkpoint] = []
    for at in times or (hours_after(records, 1),):
        before = made[-1] if made else None
        made.append(write_checkpoint(folder, private_key(key), REGION, heads_at(records, at), at, before))
    return Signed(folder, key.with_name(key.name + ".pub"), tuple(made))


_LINES: dict[Kept, bytes] = {}


def exported(records: Records, at: str | None = None, region: str = REGION) -> bytes:
    """The export of a set of chains, with what was made once kept: attacks change little of it."""
    out = io.BytesIO()
    export(out, Origin(region, at or hours_after(records, 2), "polku 0"), ())
    parts = [out.getvalue().split(b"\n")[0] + b"\n"]
    for item in records:
        found = _LINES.get(item)
        if found is None:
            out = io.BytesIO()
            export(out, Origin(region, moment(0), "polku 0"), [item])
            found = _LINES[item] = b"".join(out.getvalue().splitlines(keepends=True)[1:-1])
        parts.append(found)
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part.split(b"\n")[0] + b"\n")
    chains = sum(
        now.link.chain != was for now, was in zip(records, [None, *(r.link.chain for r in records)], strict=False)
    )
    end = canonical({"chains": chains, "links": len(records), "rows": []})[:-1]
    whole.update(end)
    return b"".join([*parts, end, b',"sha256":"%s"}\n' % whole.hexdigest().encode()])


def report_on(content: bytes, signed: Signed | None = None) -> Any:
    """What the standalone verifier finds in an export."""
    report = verifier.Report()
    series: list[Any] = []
    if signed is not None:
        series = verifier.read_checkpoints([signed.folder], [verifier.read_key(signed.public)], report)
    verifier.read_export(io.BytesIO(content), report, series, verifier.gather(series, report))
    return report


def faults(records: Records, signed: Signed | None = None, at: str | None = None) -> list[str]:
    """The faults that the standalone verifier finds in the export of these records."""
    found: list[str] = report_on(exported(records, at), signed).faults
    return found


def relinked(chain: Records) -> Records:
    """A chain made anew by someone who can write the database: numbers, links and hashes all agree."""
    made: Records = []
    for item in chain:
        head = made[-1].link.head if made else None
        link = item.link
        if item.salt is None or item.payload is None:
            # The record is gone: only the digest can be carried over.
            body = replace(link, seq=(head.seq if head else 0) + 1, prev=head.hash if head else "0" * 64)
            made.append(replace(item, link=replace(body, hash=hashlib.sha256(body.body).hexdigest())))
            continue
        new = next_link(head, link.chain, link.kind, link.version, item.payload.encode(), link.at, item.salt)
        made.append(replace(item, link=new))
    return made


def recommitted(item: Kept) -> Kept:
    """The same with a digest of the record as it now is."""
    assert item.salt is not None
    assert item.payload is not None
    return item.but(digest=digest_of(item.salt, item.payload.encode()))
