"""Facts kept between runs: a folder of parts and a manifest that says by which fold and pack they were made.

A part counts once the manifest names it, and the manifest is replaced as a whole: a run that is broken off loses the
parts under way and no others. Facts made by another fold, pack or form are thrown away, and so is a part that is
damaged: what is missing is folded anew.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rules.engines.columns import tables
from rules.fold import FOLD_VERSION
from rules.pack import Pack
from service.checks.alone import alone
from service.checks.facts import SET_ASIDE, UNFINISHED, write_table
from service.checks.whole import whole
from service.on_disk import have_on_disk

#: Raised when the files of facts change in a way that is not told by the pack's tables.
FORM = 1
_FOLDER, _MANIFEST, _LOCK = "facts", "manifest.json", ".lock"
_PARTS = "part-*"
#: A part with fewer cases than one of `SMALL`, or with more than this share of cases that no longer count, is put
#: together with others once there are as many as `TOO_MANY`.
SMALL, OUTDATED, TOO_MANY = 20_000, 0.3, 8
#: Cases of a part that was put together.
LARGEST = 100_000


class Kept:
    """The kept facts of a folder, which is locked for the run."""

    def __init__(self, folder: Path, pack: Pack) -> None:
        self.folder = folder
        self._head = {
            "form": FORM,
            "fold": FOLD_VERSION,
            "pack_sha256": pack.sha256,
            "tables": {kind: [column.name for column in wanted] for kind, wanted in tables(pack).items()},
        }
        #: Of each part the number of its cases.
        self._parts = self._read()
        self._write()
        self._sweep()

    @property
    def parts(self) -> list[Path]:
        """The parts that count."""
        return [self.folder / name for name in self._parts]

    def add(self, parts: Sequence[Path]) -> None:
        """Let parts that are whole count, from now on and after a crash."""
        if parts:
            have_on_disk(self.folder)
            self._parts |= {part.name: _cases(part) for part in parts}
            self._write()

    def put_together(self, dropped: Any, at_once: Collection[str], first: int) -> None:
        """Write the parts anew that hold much of `dropped` (case_no as an Arrow array), or little at all, without it.

        Nothing may be left of the cases that are gone: of the parts `at_once`, in any case. New parts are named by
        `first`, a case_no that no case had.
        """
        chosen = [name for name in self._parts if self._is_worn(name, dropped)]
        if len(chosen) < TOO_MANY:
            chosen = [name for name in chosen if name in at_once]
        chosen += [name for name in self._parts if name in at_once and name not in chosen]
        if not chosen:
            return
        made: list[Path] = []
        for number, names in enumerate(self._grouped(chosen)):
            target = self.folder / f"part-{first}-together-{number}"
            if _join([self.folder / name for name in names], target, dropped):
                made.append(target)
        for name in chosen:
            del self._parts[name]
        self._parts |= {part.name: _cases(part) for part in made}
        have_on_disk(self.folder)
        self._write()
        self._sweep()

    def _is_worn(self, name: str, dropped: Any) -> bool:
        cases = pq.read_table(self.folder / name / "case.parquet", columns=["case_no"]).column("case_no")
        gone = pc.sum(pc.is_in(cases, value_set=dropped)).as_py() or 0
        return bool(len(cases) - gone < SMALL or gone > OUTDATED * len(cases))

    def _grouped(self, names: Sequence[str]) -> Iterator[list[str]]:
        group: list[str] = []
        for name in names:
            if group and sum(self._parts[other] for other in group) + self._parts[name] > LARGEST:
                yield group
                group = []
            group.append(name)
        yield group

    def _read(self) -> dict[str, int]:
        """The parts the manifest names, if they were made as they would be now, and are whole."""
        try:
            found = json.loads((self.folder / _MANIFEST).read_bytes())
        except (OSError, ValueError):
            return {}
        if not isinstance(found, Mapping) or {name: found.get(name) for name in self._head} != self._head:
            return {}
        parts = found.get("parts")
        names = parts if isinstance(parts, list) and all(isinstance(name, str) for name in parts) else []
        expected = [*self._head["tables"], SET_ASIDE]  # type: ignore[misc]
        return {name: cases for name in names if (cases := _whole_part(self.folder / Path(name).name, expected)) >= 0}

    def _write(self) -> None:
        with whole(self.folder / _MANIFEST) as file:
            file.write(json.dumps({**self._head, "parts": [*self._parts]}, indent=1).encode())

    def _sweep(self) -> None:
        """Remove parts that do not count."""
        for found in self.folder.glob(_PARTS):
            if found.name not in self._parts:
                shutil.rmtree(found, ignore_errors=True)


@contextmanager
def opened(keep: Path, pack: Pack) -> Iterator[Kept]:
    """The kept facts in a folder, made when there is none, and this run alone with them. Raises CheckError, OSError."""
    folder = keep / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(keep, folder / _LOCK):
        yield Kept(folder, pack)


def _cases(part: Path) -> int:
    return int(pq.read_metadata(part / "case.parquet").num_rows)


def _whole_part(part: Path, expected: Sequence[str]) -> int:
    """How many cases a part has; -1 when a file of it is missing or damaged."""
    try:
        for name in expected:
            pq.read_metadata(part / f"{name}.parquet")
        return _cases(part)
    except (OSError, pa.ArrowException):
        return -1


def _join(parts: Sequence[Path], target: Path, dropped: Any) -> bool:
    """Write parts as one, without the cases that are dropped; whether any case is left."""
    unfinished = target.with_name(target.name + UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    for file in sorted(parts[0].glob("*.parquet")):
        tables = []
        for part in parts:
            table = pq.read_table(part / file.name)
            tables.append(table.filter(pc.invert(pc.is_in(table.column("case_no"), value_set=dropped))))
        write_table(pa.concat_tables(tables).unify_dictionaries(), unfinished / file.name)
    if not _cases(unfinished):
        shutil.rmtree(unfinished)
        return False
    unfinished.rename(target)
    return True
