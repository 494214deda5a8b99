"""Signed checkpoints: where every chain of a region stood at a moment, signed with a key that the service never holds.

A checkpoint is two files in a folder outside the database: `checkpoint-NNNNNN.heads`, a line `chain seq hash` for each
chain in the order of their names, and `checkpoint-NNNNNN.json`, the signed body that pins it. They are numbered from 1;
each body holds the SHA-256 of the body before, so that none can be left out or made anew unseen. Neither file is ever
changed or replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.audit import merkle
from service.audit.canonical import canonical
from service.audit.chain import DIGEST, NOTHING_BEFORE, TIME, Head
from service.audit.faults import Fault
from service.on_disk import have_on_disk, only_one

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_FILE = re.compile(r"checkpoint-(\d{6,12})\.json")
_HEAD = re.compile(rb"([a-z]{1,20}/[0-9a-f]{16}) ([1-9]\d{0,17}) ([0-9a-f]{64})\n")
#: The forms of the fields of a body; more than enough for a body of ours, which takes some 600 bytes.
_TEXTS = {"region": re.compile(r"\S{1,100}"), "at": TIME, "root": DIGEST, "heads_sha256": DIGEST, "previous": DIGEST}
_NUMBERS = ("v", "number", "chains", "links")
_LARGEST = 10_000


class CheckpointError(Exception):
    """A checkpoint or key that cannot be read or written, in words."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a checkpoint signs. `links` counts those of all chains, `previous` is the SHA-256 of the body before."""

    region: str
    number: int
    at: str
    chains: int
    links: int
    root: str
    heads_sha256: str
    previous: str

    @property
    def canonical(self) -> bytes:
        """The bytes that are signed."""
        return canonical({"v": 1, **asdict(self)})

    @property
    def sha256(self) -> str:
        """What the next checkpoint names as `previous`."""
        return hashlib.sha256(self.canonical).hexdigest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint whose signature and heads were checked. The heads stay in their file: there may be many."""

    body: Body
    path: Path

    @property
    def name(self) -> str:
        """How faults name it."""
        return f"checkpoint {self.body.number}"

    def heads(self) -> Iterator[Head]:
        """Where each chain stood, by chain. Raises CheckpointError when the file can no longer be read."""
        for chain, seq, digest in _read_heads(heads_path(self.path)):
            yield Head(chain.decode(), int(seq), self.body.at, digest.decode())


# ---- keys


def new_keys(path: Path) -> str:
    """Write a new private key to `path`, for its owner's eyes only, and the public key beside it (`.pub`).

    The public key in hexadecimal is returned. Raises CheckpointError where one of the files is there already.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    public = path.with_name(path.name + ".pub")
    private_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public_pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    if public.exists():
        raise CheckpointError(f"{public}: is there already; a key is never replaced")
    for file, content, mode in ((path, private_pem, 0o600), (public, public_pem, 0o644)):
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise CheckpointError(f"{file}: is there already; a key is never replaced") from None
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
    return key_name(key.public_key())


def private_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a file that `new_keys` wrote. Raises CheckpointError and OSError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise CheckpointError(f"{path}: holds no private Ed25519 key (PEM, without a password)")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """The public key in a file that `new_keys` wrote. Raises CheckpointError and OSError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise CheckpointError(f"{path}: holds no public Ed25519 key (PEM)")
    return key


def key_name(key: Ed25519PublicKey) -> str:
    """A public key in hexadecimal, as checkpoints name it."""
    return key.public_bytes_raw().hex()


# ---- reading


def _file_name(number: int) -> str:
    return f"checkpoint-{number:06}.json"


def heads_path(path: Path) -> Path:
    """The file of heads beside a checkpoint's file."""
    return path.with_suffix(".heads")


def read_checkpoints(folder: Path, keys: Iterable[Ed25519PublicKey]) -> tuple[list[Checkpoint], list[Fault]]:
    """The checkpoints in a folder that one of the keys signed, in order, and what is wrong with the others or with the
    series. Raises OSError for a folder that cannot be read.
    """
    by_name = {key_name(key): key for key in keys}
    sound: list[Checkpoint] = []
    faults: list[Fault] = []
    found = [(int(match[1]), path) for path in folder.iterdir() if (match := _FILE.fullmatch(path.name))]
    for _, path in sorted(found):
        try:
            checkpoint = _read(path, by_name)
        except CheckpointError as error:
            faults.append(Fault(path.name, None, str(error)))
            continue
        if sound:
            faults += _series_faults(sound[-1].body, checkpoint)
        elif checkpoint.body.number == 1 and checkpoint.body.previous != NOTHING_BEFORE:
            faults.append(Fault(path.name, None, "is the first and yet names a checkpoint before it"))
        sound.append(checkpoint)
    return sound, faults


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest checkpoint in a folder: the key it names itself, and what is wrong with it; without fault, what it
    says."""

    file: str
    key: str | None
    fault: str | None
    checkpoint: Checkpoint | None


def newest_checkpoint(folder: Path) -> Newest | None:
    """The newest checkpoint in a folder, checked by the key that it names: that shows that it is whole and never whose
    it is. Of those before it nothing is asked. None where there is none; raises OSError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    found = [(int(match[1]), path) for path in folder.iterdir() if (match := _FILE.fullmatch(path.name))]
    if not found:
        return None
    _, path = max(found)
    name: str | None = None
    try:
        name = str(json.loads(_content(path))["key"])
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(name))
        return Newest(path.name, name, None, _read(path, {name: key}))
    except (ValueError, TypeError, KeyError, RecursionError):
        return Newest(path.name, None, "is no checkpoint: damaged or written by something else", None)
    except CheckpointError as error:
        return Newest(path.name, name, str(error), None)


def _series_faults(before: Body, checkpoint: Checkpoint) -> Iterator[Fault]:
    body, place = checkpoint.body, checkpoint.path.name
    if body.region != before.region:
        yield Fault(place, None, f"is of the region {body.region}, the one before of {before.region}")
    if body.at < before.at:
        yield Fault(place, None, f"is dated {body.at}, before the checkpoint before it ({before.at})")
    if body.number != before.number + 1:
        yield Fault(place, None, f"follows checkpoint {before.number}: those between are missing")
    elif body.previous != before.sha256:
        yield Fault(place, None, f"was made after another checkpoint {before.number} than the one here")


def _read(path: Path, keys: dict[str, Ed25519PublicKey]) -> Checkpoint:
    from cryptography.exceptions import InvalidSignature

    content = _content(path)
    try:
        data = json.loads(content)
        if canonical(data) + b"\n" != content or set(data) != {"body", "key", "signature"}:
            raise ValueError
        body = _body(data["body"])
        name, signature = str(data["key"]), bytes.fromhex(data["signature"])
    except (ValueError, TypeError, RecursionError):
        raise CheckpointError("is no checkpoint: damaged or written by something else") from None
    if path.name != _file_name(body.number):
        raise CheckpointError(f"holds checkpoint {body.number}")
    if name not in keys:
        raise CheckpointError("is signed with another key than the public key given")
    try:
        keys[name].verify(signature, body.canonical)
    except InvalidSignature:
        raise CheckpointError("the signature is not of this body: forged or altered") from None
    if _tally(_read_heads(heads_path(path))) != (body.chains, body.links, body.root, body.heads_sha256):
        raise CheckpointError(f"{heads_path(path).name} is not the file that was signed")
    return Checkpoint(body, path)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise CheckpointError(f"cannot be read: {error.strerror or error}") from None


def _body(data: Any) -> Body:
    """The body in a checkpoint's JSON. Raises ValueError and TypeError."""
    if set(data) != {*_TEXTS, *_NUMBERS} or data["v"] != 1:
        raise ValueError
    for name in _NUMBERS:
        if type(data[name]) is not int or data[name] < 0:
            raise ValueError
    if data["number"] == 0 or not all(form.fullmatch(data[name]) for name, form in _TEXTS.items()):
        raise ValueError
    return Body(**{name: value for name, value in data.items() if name != "v"})


def _read_heads(path: Path) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Chain, seq and hash of each line. Raises CheckpointError."""
    before = b""
    try:
        with path.open("rb") as file:
            while line := file.readline(_LARGEST):
                match = _HEAD.fullmatch(line)
                if match is None or match[1] <= before:
                    raise CheckpointError(f"{path.name} is no list of heads in order: damaged or altered")
                before = match[1]
                yield match[1], match[2], match[3]
    except OSError as error:
        raise CheckpointError(f"{path.name} cannot be read: {error.strerror or error}") from None


def _tally(heads: Iterable[tuple[bytes, bytes, bytes]]) -> tuple[int, int, str, str]:
    """Of heads in order: how many, how many links they stand for, the Merkle root over their lines, the file's hash."""
    chains = links = 0
    whole = hashlib.sha256()

    def lines() -> Iterator[bytes]:
        nonlocal chains, links
        for chain, seq, digest in heads:
            chains, links = chains + 1, links + int(seq)
            line = b"%s %s %s" % (chain, seq, digest)
            whole.update(line + b"\n")
            yield line

    root = merkle.root(lines())
    return chains, links, root, whole.hexdigest()


# ---- writing


def locked(folder: Path) -> AbstractContextManager[None]:
    """Keep a second run off the folder while one writes a checkpoint. Raises CheckpointError and OSError."""
    return only_one(folder / ".lock", CheckpointError(f"{folder}: another run is writing a checkpoint there"), 0o644)


def write_checkpoint(
    folder: Path, key: Ed25519PrivateKey, region: str, heads: Iterable[Head], at: str, before: Checkpoint | None
) -> Checkpoint:
    """Sign where the chains stand and write it as the checkpoint after `before`.

    `at` is when the heads began to be read: what is committed later is dated no earlier. The file of heads is written
    first; the checkpoint is there when its own file is, and whole. Call it while the folder is `locked`. Raises
    CheckpointError where the checkpoint is there already, and OSError.
    """
    if before is not None and at < before.body.at:
        raise CheckpointError(f"the clock says {at}, but {before.name} was made at {before.body.at}")
    number = 1 if before is None else before.body.number + 1
    previous = NOTHING_BEFORE if before is None else before.body.sha256
    by_chain = {head.chain: head for head in heads}
    split = [(name.encode(), b"%d" % head.seq, head.hash.encode()) for name, head in sorted(by_chain.items())]
    body = Body(region, number, at, *_tally(split), previous)
    signed = {"body": json.loads(body.canonical), "key": key_name(key.public_key())}
    signed["signature"] = key.sign(body.canonical).hex()
    path = folder / _file_name(number)
    if path.exists():
        raise CheckpointError(f"{path}: is there already; a checkpoint is never replaced")
    heads_path(path).unlink(missing_ok=True)  # of a run that ended before its checkpoint was there
    _write_new(heads_path(path), b"".join(b"%s %s %s\n" % head for head in split))
    _write_new(path, canonical(signed) + b"\n")
    return Checkpoint(body, path)


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, survives a crash once this returns, and replaces none."""
    waiting = path.with_name(f".{path.name}.new")
    try:
        with waiting.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _name(waiting, path)
    finally:
        waiting.unlink(missing_ok=True)
    have_on_disk(path.parent)


def _name(waiting: Path, path: Path) -> None:
    """Give a file its name. Unlike a rename, a link fails where there is one; some network shares know no links, and
    there the lock alone keeps others off."""
    try:
        os.link(waiting, path)
    except FileExistsError:
        raise CheckpointError(f"{path}: is there already; a checkpoint is never replaced") from None
    except OSError:
        waiting.rename(path)
