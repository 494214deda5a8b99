"""The export for outside auditors: every link of a region with its record, as lines of text.

docs/audit.md describes the format byte by byte; scripts/verify_export.py reads it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from service.audit.canonical import CanonicalError, canonical
from service.audit.chain import Link, Record
from service.audit.faults import Fault

#: The last line names at most so many rows that disagree with their records.
MOST_ROWS = 1000
#: Stands where a record is gone.
GONE = b"-"
#: What no record of ours holds: stands for a line break that someone put into a record, so that lines stay lines.
_FOREIGN_BREAK = b"\x00"


@dataclass(frozen=True, slots=True)
class Exported:
    """How much was exported; `rows` counts those that do not say what their records say, up to a thousand."""

    links: int
    chains: int
    rows: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an export comes from: region, when its records began to be read (a `timestamp`), name of the program."""

    region: str
    at: str
    program: str


def export(out: BinaryIO, origin: Origin, records: Iterable[Record], rows: Iterable[Fault] = ()) -> Exported:
    """Write the export of a region: `records` in the order of chain and seq; `rows`, read after them, are the rows of
    the store that do not say what their records say. Links kept with a wrong hash are added to them.

    What stands in the store is written as it stands, also what a verifier will refuse.
    """
    whole = hashlib.sha256()  # over all but the records, which their links' digests hold

    def write(line: bytes) -> None:
        whole.update(line)
        out.write(line)

    links = chains = 0
    before: str | None = None
    hashes: list[Fault] = []
    write(canonical({"format": "polku-audit", "v": 1, **asdict(origin)}) + b"\n")
    for record in records:
        links += 1
        chains += record.link.chain != before
        before = record.link.chain
        body = _body(record.link)
        if hashlib.sha256(body).hexdigest() != record.link.hash:
            # The hash is no part of an export: it follows from the link. What stands in the store is told all the same.
            hashes.append(Fault(str(before), record.link.seq, "the hash kept with it is of other fields"))
        write(body + b"\n")
        out.write(_record(record) + b"\n")
    astray = [str(fault) for fault in islice(chain(hashes, rows), MOST_ROWS)]
    write(canonical({"chains": chains, "links": links, "rows": astray})[:-1])
    out.write(b',"sha256":"%s"}\n' % whole.hexdigest().encode())
    return Exported(links, chains, len(astray))


def export_to(path: Path, origin: Origin, records: Iterable[Record], rows: Iterable[Fault] = ()) -> Exported:
    """Write the export to a file for its owner's eyes only, which appears whole or not at all. Raises OSError."""
    waiting = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb", buffering=1 << 20) as out:
            done = export(out, origin, records, rows)
            out.flush()
            os.fsync(out.fileno())
        waiting.replace(path)
    finally:
        waiting.unlink(missing_ok=True)
    return done


def _body(link: Link) -> bytes:
    try:
        return link.body
    except CanonicalError:  # a field that is no JSON: someone put it there
        return b"?"


def _record(record: Record) -> bytes:
    if record.salt is None or record.payload is None:
        return GONE
    line = f"{record.salt} {record.payload}".encode(errors="surrogateescape")
    return line.replace(b"\n", _FOREIGN_BREAK)
