"""Check an export of Polku's audit trail anywhere: this file, Python 3.10 or later and `cryptography` are enough.

    python verify_export.py EXPORT --checkpoints FOLDER --public-key FILE

It shares no code with the service that made the export, and believes nothing the export says of itself. It finds what
was altered, taken out, put in, swapped, cut off or dated back since a checkpoint was signed; docs/audit.md tells how,
and what no check can find. `--checkpoints` may be given several times: the service's folder of today, and the
checkpoints that you kept from earlier. So may `--public-key`, where the key was changed.

Exit codes: 0 whole; 1 broken, each fault told with its chain and link; 2 nothing was checked: wrong use, no such file.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from base64 import b64decode
from binascii import hexlify, unhexlify
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

#: A record may take this long from being dated to being kept, and clocks may differ by it.
TOLERANCE = timedelta(seconds=60)
LONGEST_LINE = 1 << 26
LONGEST_CHECKPOINT = 1 << 14
MOST_TOLD = 200
FIRST_PREVIOUS = b"0" * 64

AT = r"2\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z"
LINK = re.compile(
    (
        r'\{"at":"('
        + AT
        + r')","chain":"([a-z]{1,20}/[0-9a-f]{16})","digest":"([0-9a-f]{64})","kind":"([a-z][a-z_]{0,39})"'
        r',"prev":"([0-9a-f]{64})","seq":([1-9]\d{0,14}),"v":1,"version":(?:0|[1-9]\d{0,14})\}\n'
    ).encode()
)
HEAD = re.compile(rb"([a-z]{1,20}/[0-9a-f]{16}) ([1-9]\d{0,14}) ([0-9a-f]{64})\n")
SALT = re.compile(rb"[0-9a-f]{64} ")
CHECKPOINT = re.compile(r"checkpoint-\d{6,12}\.json")
PEM = re.compile(r"-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----")
#: How a public Ed25519 key begins inside PEM (RFC 8410); its 32 bytes follow.
ED25519 = bytes.fromhex("302a300506032b6570032100")
HEX64 = re.compile(r"[0-9a-f]{64}")
BODY = {
    "at": str,
    "chains": int,
    "heads_sha256": str,
    "links": int,
    "number": int,
    "previous": str,
    "region": str,
    "root": str,
    "v": int,
}


HEADER = {"at": str, "format": str, "program": str, "region": str, "v": int}
#: What the last line begins with.
END = b'{"chains":'


class Wrong(Exception):
    """What is wrong with a file, in words."""


class Report:
    """The faults found, and what else the reader should know."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.count = 0
        self.links = self.chains = self.newer = self.gone = 0
        self.disposals: list[str] = []
        self.header: dict[str, object] = {}

    def fault(self, place: str, text: str) -> None:
        """Tell a fault; those past the first 200 are only counted."""
        self.count += 1
        if len(self.faults) < MOST_TOLD:
            self.faults.append(f"{place}: {text}")


# ---- checkpoints


class Checkpoint:
    """A checkpoint that was signed with the auditor's key and whose heads are those that were signed."""

    def __init__(self, name: str, body: dict, heads: list) -> None:
        self.name = name
        self.number = body["number"]
        self.region = body["region"]
        self.at = body["at"]
        self.not_before = moved(self.at, -TOLERANCE)
        self.not_after = moved(self.at, TOLERANCE)
        self.previous = body["previous"]
        self.digest = sha256(canonical(body)).hexdigest()
        self.heads = heads


def canonical(data: object) -> bytes:
    """RFC 8785, for what holds only text, whole numbers and ASCII keys."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def moved(at: str, by: timedelta) -> bytes:
    """The time, moved."""
    return (datetime.fromisoformat(at[:-1]) + by).isoformat(timespec="microseconds").encode() + b"Z"


def is_time(text: str) -> bool:
    """Whether this is a time as Polku writes it."""
    if re.fullmatch(AT, text, re.ASCII) is None:
        return False
    try:
        moved(text, TOLERANCE)
    except (ValueError, OverflowError):
        return False
    return True


def read_key(path: Path) -> str:
    """A public key in hexadecimal, from a file with PEM or hexadecimal."""
    with path.open("rb") as file:
        text = file.read(LONGEST_CHECKPOINT).decode("latin-1").strip()
    if HEX64.fullmatch(text):
        return text
    match = PEM.fullmatch(text)
    try:
        der = b64decode("".join(match[1].split()), validate=True) if match else b""
    except ValueError:
        der = b""
    if len(der) != len(ED25519) + 32 or not der.startswith(ED25519):
        raise Wrong(f"{path}: holds no Ed25519 public key")
    return der[len(ED25519) :].hex()


def merkle_root(leaves: list) -> str:
    """The root of RFC 6962, level by level; a node without a sister goes up as it is."""
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return sha256().hexdigest()
    while len(level) > 1:
        pairs = [sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) - 1 :] if len(level) % 2 else pairs
    return level[0].hex()


def read_checkpoint(path: Path, keys: list) -> Checkpoint:
    """A checkpoint with its heads. Raises Wrong for one that is not to be believed."""
    with path.open("rb") as file:
        content = file.read(LONGEST_CHECKPOINT)
    try:
        data = json.loads(content)
        if canonical(data) + b"\n" != content or sorted(data) != ["body", "key", "signature"]:
            raise ValueError
        body, signature = data["body"], bytes.fromhex(data["signature"])
        if {name: type(value) for name, value in body.items()} != BODY or body["v"] != 1 or body["number"] < 1:
            raise ValueError
        if not is_time(body["at"]) or HEX64.fullmatch(body["previous"]) is None:
            raise ValueError
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Wrong("is no checkpoint: damaged, or something else") from None
    if path.name != f"checkpoint-{body['number']:06}.json":
        raise Wrong(f"holds checkpoint {body['number']}, another than its name says")
    if data["key"] not in keys:
        raise Wrong("was signed with another key than yours: forged, or the key was changed")
    if not signed(data["key"], signature, canonical(body)):
        raise Wrong("its signature is not of what it says: forged or altered")
    return Checkpoint(path.name, body, read_heads(path.with_suffix(".heads"), body))


def signed(key: str, signature: bytes, content: bytes) -> bool:
    """Whether the signature is the key's, of this content."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_heads(path: Path, body: dict) -> list:
    """Chain, seq and hash of each chain, as the checkpoint's body pins them. Raises Wrong."""
    whole, heads, leaves, before, line = sha256(), [], [], b"", b"?"
    try:
        with path.open("rb") as file:
            while len(heads) <= body["chains"]:
                line = file.readline(LONGEST_CHECKPOINT)
                match = HEAD.fullmatch(line)
                if match is None or match[1] <= before:
                    break
                before = match[1]
                whole.update(line)
                leaves.append(line[:-1])
                heads.append((match[1], int(match[2]), match[3]))
    except OSError as error:
        raise Wrong(f"{path.name} cannot be read ({error.strerror})") from None
    found = len(heads), sum(seq for _, seq, _ in heads), whole.hexdigest(), merkle_root(leaves)
    if line or found != (body["chains"], body["links"], body["heads_sha256"], body["root"]):
        raise Wrong(f"{path.name} is not the file that was signed: damaged or altered")
    return heads


def read_checkpoints(folders: list, keys: list, report: Report, *, selection: bool = False) -> list:
    """The checkpoints of all folders by number; faults of theirs and of their series go to the report. Of a selection,
    numbers may be missing."""
    found: dict[str, Checkpoint] = {}
    paths = [path for folder in folders for path in sorted(folder.iterdir()) if CHECKPOINT.fullmatch(path.name)]
    if not paths:
        raise Wrong("there is no checkpoint in " + " or ".join(map(str, folders)))
    for path in paths:
        try:
            checkpoint = read_checkpoint(path, keys)
            found.setdefault(checkpoint.digest, checkpoint)
        except Wrong as wrong:
            report.fault(str(path), str(wrong))
        except OSError as error:
            report.fault(str(path), f"cannot be read ({error.strerror})")
    series = sorted(found.values(), key=lambda checkpoint: checkpoint.number)
    if series and series[0].number == 1 and series[0].previous != FIRST_PREVIOUS.decode():
        report.fault(series[0].name, "is the first, and yet it names one before it")
    for before, checkpoint in pairwise(series):
        for text in series_faults(before, checkpoint, selection):
            report.fault(checkpoint.name, text)
    return series


def series_faults(before: Checkpoint, checkpoint: Checkpoint, selection: bool) -> list:
    """How a checkpoint fails to follow on the one before it."""
    found = []
    if checkpoint.number == before.number:
        found.append("two different checkpoints of this number were signed: the series was begun or gone on with anew")
    elif checkpoint.number > before.number + 1:
        if not selection:
            found.append(f"those between it and checkpoint {before.number} are missing")
    elif checkpoint.previous != before.digest:
        found.append(f"was made after another checkpoint {before.number} than the one here: the series was made anew")
    if checkpoint.at < before.at:
        found.append(f"is dated {checkpoint.at}, before checkpoint {before.number} ({before.at})")
    if checkpoint.region != before.region:
        found.append(f"is of the region {checkpoint.region}, checkpoint {before.number} of {before.region}")
    return found


class Pledge(NamedTuple):
    """What the checkpoints say of a stretch of one chain, up to and including link `seq`, whose hash is `hash`.

    Its links are in checkpoint `holding`, hence dated no later than `not_after`; they are not in checkpoint `lacking`,
    hence dated no earlier than `not_before`. The last stretch of a chain, which no checkpoint holds, has no end.
    """

    seq: int
    hash: bytes
    holding: str
    not_after: bytes
    lacking: str
    not_before: bytes


def gather(series: list, report: Report) -> dict:
    """The pledges for each chain, by seq; where checkpoints contradict each other goes to the report."""
    pledges: dict[bytes, list[Pledge]] = {}
    lacking = "", b""
    for checkpoint in series:
        met, known = 0, len(pledges)
        for chain, seq, digest in checkpoint.heads:
            stretches = pledges.setdefault(chain, [])
            met += bool(stretches)
            last = stretches[-1] if stretches else None
            if last is None or seq > last.seq:
                stretches.append(Pledge(seq, digest, checkpoint.name, checkpoint.not_after, *lacking))
            elif (seq, digest) != (last.seq, last.hash):
                text = (
                    f"{checkpoint.name} contradicts {last.holding}: the chain was rolled back or altered between them"
                )
                report.fault(f"{chain.decode()} link {seq}", text)
        if met < known:
            report.fault(checkpoint.name, f"lacks {known - met} chain(s) that the checkpoint before it holds")
        lacking = checkpoint.name, checkpoint.not_before
        checkpoint.heads = []
    return pledges


# ---- the export


class Chain:
    """One chain as the export goes along it."""

    __slots__ = ("at", "gone", "hash", "name", "newest", "place", "pledge", "pledges", "report", "seq")

    def __init__(self, name: bytes, pledges: list, newest: Pledge, report: Report) -> None:
        self.name = name
        self.pledges = [*pledges, newest]
        self.pledge = self.pledges[0]
        self.place = 0
        self.newest = newest
        self.report = report
        self.seq = 0
        self.at = b""
        self.hash = FIRST_PREVIOUS
        self.gone: list[list[int]] = []

    def fault(self, seq: int, text: str) -> None:
        """Tell a fault of one link."""
        self.report.fault(f"{self.name.decode()} link {seq}", text)

    def add(self, match: re.Match, record: bytes) -> None:
        """Check the next link and its record."""
        at, _, digest, kind, prev, number = match.groups()
        seq = int(number)
        if seq != self.seq + 1 or prev != self.hash or at < self.at:
            self.astray(seq, prev, at)
        self.seq = seq
        self.at = at
        self.hash = hexlify(sha256(match[0][:-1]).digest())
        if record == b"-\n":
            self.lacks_record(seq)
        elif not agrees(record, digest):
            self.fault(seq, "its record or salt was altered: the link commits to another")
        elif kind == b"disposed" or kind == b"pruned":
            self.disposal(seq, kind, record[65:])
        pledge = self.pledge
        if seq >= pledge.seq or not pledge.not_before <= at <= pledge.not_after:
            self.against_checkpoints(seq, at)
        if self.pledge is self.newest and seq != pledge.seq:
            self.report.newer += 1

    def astray(self, seq: int, prev: bytes, at: bytes) -> None:
        """Tell how a link fails to follow on the one before it."""
        if seq > self.seq + 1:
            self.fault(seq, f"{links(self.seq + 1, seq - 1)} missing before it")
        elif seq <= self.seq:
            self.fault(seq, f"comes after link {self.seq}: put in, doubled or out of order")
        elif prev != self.hash:
            self.fault(seq, "does not follow on the link before it: one of the two was altered, put in or swapped")
        if at < self.at:
            self.fault(seq, f"is dated {at.decode()}, earlier than the link before it ({self.at.decode()})")

    def lacks_record(self, seq: int) -> None:
        """Note a record that is gone; whether lawfully, a later link tells."""
        self.report.gone += 1
        if self.gone and self.gone[-1][1] == seq - 1:
            self.gone[-1][1] = seq
        else:
            self.gone.append([seq, seq])

    def disposal(self, seq: int, kind: bytes, payload: bytes) -> None:
        """A disposal makes it lawful that records before it are gone: of a case, all; of a log, up to `through`."""
        through = seq - 1
        if kind == b"pruned":
            try:
                named = json.loads(payload)["through"]
            except (ValueError, TypeError, KeyError, RecursionError):
                named = 0
            through = min(through, named) if type(named) is int else 0
        self.gone = [[max(first, through + 1), last] for first, last in self.gone if last > through]
        self.report.disposals.append(f"{self.name.decode()} link {seq}, {self.at.decode()}: {kind.decode()}")

    def against_checkpoints(self, seq: int, at: bytes) -> None:
        """Check a link against what the checkpoints say of its stretch."""
        while seq > self.pledge.seq:  # the stretch's last link is missing, which is told already
            self.next_stretch()
        pledge = self.pledge
        if at < pledge.not_before:
            text = f"is dated {at.decode()}, earlier than {pledge.lacking}, which does not hold it: put in afterwards"
            self.fault(seq, text)
        if at > pledge.not_after:
            self.fault(seq, f"is dated {at.decode()}, later than {pledge.holding}, which holds it")
        if seq == pledge.seq:
            if self.hash != pledge.hash:
                self.fault(seq, f"was altered, or one before it: {pledge.holding} holds another hash")
            self.next_stretch()

    def next_stretch(self) -> None:
        """Go on to what the checkpoints say of the links that follow."""
        self.place += 1
        self.pledge = self.pledges[self.place]

    def end(self) -> None:
        """Check that nothing is cut off, or gone without a disposal."""
        if self.pledge is not self.newest:
            last = self.pledges[-2]
            text = f"{links(self.seq + 1, last.seq)} cut off at the end: {last.holding} holds link {last.seq}"
            self.fault(last.seq, text)
        for first, last in self.gone:
            records = "its record is" if first == last else f"its record and those up to link {last} are"
            self.fault(first, f"{records} missing, and no disposal follows")


def links(first: int, last: int) -> str:
    """The words for a run of links."""
    return f"link {first} is" if first == last else f"links {first} to {last} are"


def agrees(record: bytes, digest: bytes) -> bool:
    """Whether the record's line (salt, space, record) is what a link's digest commits to."""
    if SALT.match(record) is None:
        return False
    check = sha256(unhexlify(record[:64]))
    check.update(record[65:-1])
    return hexlify(check.digest()) == digest


class Lines:
    """The lines of an export, counted; `whole` takes the SHA-256 over those that are no records."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.number = 0
        self.whole = sha256()

    def next(self) -> bytes:
        """The next line with its line break; nothing at the end. Raises Wrong for one that is cut off or endless."""
        line = self.file.readline(LONGEST_LINE)
        self.number += 1
        if line and line[-1] != 10:
            raise Wrong("is too long for a line of an export" if len(line) == LONGEST_LINE else "is cut off")
        return line


def read_header(lines: Lines, report: Report, series: list) -> str:
    """Check the first line; when the export says it was made. Raises Wrong where this is no export."""
    line = lines.next()
    lines.whole.update(line)
    try:
        header = json.loads(line)
        if {name: type(value) for name, value in header.items()} != HEADER or not is_time(header["at"]):
            raise ValueError
        if (header["format"], header["v"]) != ("polku-audit", 1):
            raise ValueError
    except (ValueError, AttributeError, RecursionError):
        raise Wrong("is not the first line of an export") from None
    report.header = header
    if series and series[-1].region != header["region"]:
        report.fault("export", f"is of the region {shown(header['region'])}, the checkpoints of {series[-1].region}")
    if series and moved(header["at"], TOLERANCE) < series[-1].at.encode():
        report.fault("export", f"was made before {series[-1].name}, or says so: ask for a new one")
    return header["at"]


def read_export(file: BinaryIO, report: Report, series: list, pledges: dict) -> None:
    """Check an export from first line to last."""
    lines = Lines(file)
    try:
        at = read_header(lines, report, series)
    except Wrong as wrong:
        report.fault("line 1", f"{wrong}; nothing was checked")
        return
    lacking = (series[-1].name, series[-1].not_before) if series else ("", b"")
    newest = Pledge(sys.maxsize, b"", "the export", moved(at, TOLERANCE), *lacking)
    try:
        read_links(lines, report, pledges, newest)
    except Wrong as wrong:
        report.fault(f"line {lines.number}", f"{wrong}; nothing after it was checked")
    for chain in sorted(pledges):
        last = pledges[chain][-1]
        report.fault(chain.decode(), f"the whole chain is missing: {last.holding} holds it up to link {last.seq}")


def read_links(lines: Lines, report: Report, pledges: dict, newest: Pledge) -> None:
    """Check every link with its record, and the last line. What was checked is taken out of the pledges."""
    chain, name = None, b""
    line = lines.next()
    while line:
        match = LINK.fullmatch(line)
        if match is None:
            if line.startswith(END):
                break
            report.fault(f"line {lines.number}", "is no link")
            line = lines.next()
            continue
        if match[2] != name:
            if chain is not None:
                chain.end()
            if match[2] < name:
                report.fault(match[2].decode(), f"stands after {name.decode()}: put in or out of order")
            name = match[2]
            chain = Chain(name, pledges.pop(name, ()), newest, report)
            report.chains += 1
        report.links += 1
        lines.whole.update(line)
        record = lines.next()
        if record[:1] == b"{":
            report.fault(f"line {lines.number}", "is no record: the line of one is missing before it")
            chain.add(match, b"-\n")
            line = record
            continue
        chain.add(match, record)
        line = lines.next()
    if chain is not None:
        chain.end()
    read_end(line, lines, report)


def read_end(line: bytes, lines: Lines, report: Report) -> None:
    """Check the last line against what was read, and tell the rows that the exporter itself found astray."""
    if not line:
        report.fault("export", "is cut off: the last line, which counts the links, is missing")
        return
    rows = read_rows(line)
    read = canonical({"chains": report.chains, "links": report.links, "rows": rows})[:-1]
    lines.whole.update(read)
    if rows is None or line != b'%s,"sha256":"%s"}\n' % (read, lines.whole.hexdigest().encode()):
        text = f"does not say what was read, {report.links} links in {report.chains} chains and their SHA-256"
        report.fault(f"line {lines.number}", f"{text}: the file was altered after it was written")
    for row in rows or ():
        report.fault("the service's database", shown(row))
    if lines.next():
        report.fault(f"line {lines.number}", "stands after the last line")


def read_rows(line: bytes) -> list | None:
    """The rows of the database that the exporter found to say other than their records; None where none are listed."""
    try:
        rows = json.loads(line)["rows"]
        "".join(rows).encode()
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return rows if isinstance(rows, list) else None


# ---- the command


def shown(value: object) -> str:
    """Text of the export's, made harmless for a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(value)[:300])


def tell(report: Report, series: list, disposals: bool) -> None:
    """Print what was found."""
    for fault in report.faults:
        print(fault)
    if report.count > len(report.faults):
        print(f"and {report.count - len(report.faults)} more")
    header = report.header
    if header:
        print(f"export: region {shown(header['region'])}, {header['at']}, by {shown(header['program'])}")
    print(f"read: {report.links} links in {report.chains} chains")
    print(f"records gone: {report.gone}; disposals: {len(report.disposals)}")
    for disposal in report.disposals if disposals else ():
        print(f"  {disposal}")
    if series:
        print(f"checkpoints: {len(series)}, {series[0].name} to {series[-1].name} of {series[-1].at}")
        print(f"newer than the last checkpoint: {report.newer} links, which only the next one will hold fast")
    else:
        print("no checkpoints: whoever can write the database could have made all of this anew, or cut its end off")
    print(f"broken: {report.count} fault{'s' * (report.count > 1)}" if report.count else "whole")


def arguments(words: list | None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("export", type=Path, metavar="EXPORT", help="what `polku audit export` wrote")
    parser.add_argument("--checkpoints", type=Path, metavar="FOLDER", action="append", default=[], help="repeatable")
    parser.add_argument("--public-key", type=Path, metavar="FILE", action="append", default=[], help="repeatable")
    parser.add_argument("--selection", action="store_true", help="of the checkpoints, some are left out on purpose")
    parser.add_argument("--disposals", action="store_true", help="list each disposal")
    given = parser.parse_args(words)
    if bool(given.checkpoints) != bool(given.public_key):
        parser.error("--checkpoints and --public-key are of use only together")
    return given


def check(given: argparse.Namespace) -> int:
    """Check what was given and print what was found."""
    report, series = Report(), []
    keys = [read_key(path) for path in given.public_key]
    with given.export.open("rb", buffering=1 << 20) as file:
        if given.checkpoints:
            series = read_checkpoints(given.checkpoints, keys, report, selection=given.selection)
        read_export(file, report, series, gather(series, report))
    tell(report, series, given.disposals)
    sys.stdout.flush()
    return 1 if report.count else 0


def main(words: list | None = None) -> int:
    """Run the command; the exit code."""
    try:
        return check(arguments(words))
    except Wrong as wrong:
        print(f"verify_export: {wrong}", file=sys.stderr)
    except BrokenPipeError:  # who read what was printed has gone; let Python's last flush go nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError as error:
        print(f"verify_export: {error.filename}: {error.strerror or error}", file=sys.stderr)
    except ImportError:
        print("verify_export: checkpoints need the package `cryptography`", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
