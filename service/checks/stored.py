"""Journals in the service's database: those of a region, or of every region whoever asks may see, at one moment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from rules.entry_reader import EntryReader, Row
from rules.journal import Case
from service.checks.errors import CheckError
from service.checks.journals import COMMON
from service.checks.reading import Batch, Listed
from service.checks.rows import Item
from service.settings import SCHEMES
from service.store import Database, Snapshot, StoredJournal
from service.words import clean

#: Cases asked for at a time: to list them, and with their journals.
PAGE, CASES = 5_000, 500


def is_database(source: str) -> bool:
    """Whether a source is the URL of a database."""
    return "://" in source


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """Journals as they are kept."""

    region: str
    numbers: Sequence[int]
    journals: Sequence[StoredJournal]

    @property
    def weight(self) -> int:
        """The number of cases."""
        return len(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def places(self) -> Iterator[tuple[int, str]]:
        """The regions and the ids of the cases."""
        for number, journal in zip(self.numbers, self.journals, strict=True):
            yield number, _place(self.region, journal.case_id)

    def items(self, reader: EntryReader) -> Iterator[Item]:
        """The cases."""
        for (number, place), journal in zip(self.places(), self.journals, strict=True):
            version = _version(self.region, journal.version)
            yield Item(number, place, version, partial(_case, reader, journal))


def _place(region: str, case_id: str) -> str:
    return f"region {region}, case {case_id}"


def _version(region: str, version: int) -> str:
    return f"{region}/{version}"


def _case(reader: EntryReader, journal: StoredJournal) -> Case:
    return reader.case(json.loads(journal.header), [_row(entry) for entry in json.loads(journal.entries)])


def _row(entry: dict[str, object]) -> Row:
    common = [entry.pop(name, None) for name in COMMON]
    return Row._make((*common, json.dumps(entry, ensure_ascii=False) if entry else None))


class Stored:
    """The regions of a database, in one snapshot."""

    ids_are_keys = True

    def __init__(self, snapshot: Snapshot, regions: Sequence[str]) -> None:
        self._snapshot = snapshot
        self._regions = regions
        self.weight = sum(snapshot.count(region) for region in regions)

    def cases(self) -> int | None:
        """The number of cases."""
        return self.weight

    def batches(self) -> Iterator[Batch]:
        """Every case."""
        return self.listed(self.listing())

    def listing(self) -> Iterator[Listed]:
        """Every case, by region and id."""
        number = 0
        for region in self._regions:
            after = ""
            while page := self._snapshot.versions(region, after=after, most=PAGE):
                after = page[-1][0]
                for case_id, version in page:
                    yield Listed(number, region, 0, _place(region, case_id), case_id, _version(region, version))
                    number += 1

    def listed(self, wanted: Iterable[Listed]) -> Iterator[Batch]:
        """Some of the cases."""
        for region, of_region in groupby(wanted, key=lambda item: item.container):
            for numbers, ids in _some(of_region):
                journals = list(self._snapshot.journals(region, ids))
                yield StoredBatch(region, numbers, journals)


def _some(wanted: Iterable[Listed]) -> Iterator[tuple[list[int], list[str]]]:
    numbers: list[int] = []
    ids: list[str] = []
    for item in wanted:
        numbers.append(item.number)
        ids.append(item.case_id or "")
        if len(ids) == CASES:
            yield numbers, ids
            numbers, ids = [], []
    if ids:
        yield numbers, ids


@contextmanager
def stored(url: str, region: str | None) -> Iterator[Stored]:
    """The database at a URL as a source: of one region, or of all. Raises CheckError, StoreUnavailable."""
    if not url.startswith(SCHEMES):
        raise CheckError(f"no database that is known; expected {' or '.join(f'{scheme}…' for scheme in SCHEMES)}")
    database = Database(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=1)
    try:
        with database.snapshot() as snapshot:
            known = snapshot.regions()
            if region is not None and region not in known:
                raise CheckError(f"no region {clean(region)} in the database; known: {', '.join(known) or 'none'}")
            yield Stored(snapshot, known if region is None else [region])
    finally:
        database.close()
