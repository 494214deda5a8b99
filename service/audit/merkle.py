"""The root of a Merkle tree as RFC 6962 (Certificate Transparency) grows it: one hash that stands for a whole list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def root(leaves: Iterable[bytes]) -> str:
    """The root over the leaves in their order, in hexadecimal; of no leaves, the hash of nothing.

    A leaf and a node are hashed with different first bytes, so that neither can pass for the other. Takes memory for
    the tree's height only.
    """
    subtrees: list[tuple[int, bytes]] = []  # complete subtrees waiting for a sister: height and hash, tall ones first
    for leaf in leaves:
        height, digest = 0, hashlib.sha256(b"\x00" + leaf).digest()
        while subtrees and subtrees[-1][0] == height:
            digest = _node(subtrees.pop()[1], digest)
            height += 1
        subtrees.append((height, digest))
    if not subtrees:
        return hashlib.sha256().hexdigest()
    _, digest = subtrees.pop()
    while subtrees:
        digest = _node(subtrees.pop()[1], digest)
    return digest.hex()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
