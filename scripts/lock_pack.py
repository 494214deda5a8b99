"""Pin the version of the rule pack: write its hash into lock.yaml beside it. A pinned version never changes.

python scripts/lock_pack.py    pin the version that pack.yaml names; refused when it is pinned with another hash
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rules.pack import DEFAULT_PACK, load_pack  # noqa: E402

LOCK = DEFAULT_PACK / "lock.yaml"
HEAD = "# SHA-256 of each published version's canonical JSON. Never edit a line: publish a new version instead.\n"


def main() -> int:
    """Pin the version; 0 when done or pinned already, 1 when the pack was edited since it was pinned."""
    pack = load_pack()
    pinned = yaml.safe_load(LOCK.read_text(encoding="utf-8")) if LOCK.exists() else {}
    if pinned.get(pack.version, pack.sha256) != pack.sha256:
        print(f"{pack.version} is pinned with another hash: give pack.yaml a new version", file=sys.stderr)
        return 1
    LOCK.write_text(HEAD + yaml.safe_dump({**pinned, pack.version: pack.sha256}, sort_keys=False), encoding="utf-8")
    print(f"{pack.id} {pack.version} is pinned: {pack.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
