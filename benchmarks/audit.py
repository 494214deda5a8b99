"""How fast an outside auditor's check goes: links a second of scripts/verify_export.py, checkpoint included."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.audit.canonical import canonical
from service.audit.chain import Head, Link, new_case_chain, new_salt, next_link
from service.audit.checkpoints import new_keys, private_key, write_checkpoint
from service.audit.export import Origin, export_to

VERIFIER = Path(__file__).parents[1] / "scripts" / "verify_export.py"
LINKS = 10_000
#: Bytes of an entry's and of a decision's record, as those of the journal beside this file come out.
ENTRY_BYTES, DECISION_BYTES = 200, 8_000
AT = "2026-11-22T04:56:12.123456Z"


@dataclass(frozen=True)
class Kept:
    """A link with its record."""

    link: Link
    salt: str
    payload: str


def records(links: int) -> Iterator[Kept]:
    """Cases of thirty recordings, an entry and its decision each, in the order of their chains."""
    draw = random.Random(20261122)
    chains = sorted(new_case_chain() for _ in range(links // 60 + 1))
    for place in range(links):
        if place % 60 == 0:
            chain, head = chains[place // 60], None
        kind, size = ("decision", DECISION_BYTES) if place % 2 else ("entry", ENTRY_BYTES)
        payload = canonical({"filler": f"{draw.getrandbits(4 * (size - 13)):0{size - 13}x}"})
        salt = new_salt()
        link = next_link(head, chain, kind, place % 60 // 2 + 1, payload, AT, salt)
        head = link.head
        yield Kept(link, salt, payload.decode())


def audit_verify_per_second(figures: dict[str, float], links: int = LINKS) -> None:
    """Put the figure among the others: links a second, the best of five runs of the command, start-up included."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = list(records(links))
        heads: dict[str, Head] = {item.link.chain: item.link.head for item in kept}
        new_keys(folder / "key")
        write_checkpoint(folder, private_key(folder / "key"), "bench", heads.values(), AT, None)
        export_to(folder / "export", Origin("bench", AT, "polku"), kept)
        command = [sys.executable, str(VERIFIER), str(folder / "export"), "--checkpoints", name]
        command += ["--public-key", str(folder / "key.pub")]
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - start)
    figures["audit_verify_per_second"] = links / min(times)


if __name__ == "__main__":
    found: dict[str, float] = {}
    audit_verify_per_second(found)
    for name, figure in found.items():
        print(f"{name:32}{figure:12.3f}")
