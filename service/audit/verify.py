"""The service's own look over the chains it keeps, against the checkpoints it is shown.

An outside auditor rather uses scripts/verify_export.py, which shares no code with this.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.audit.chain import (
    CHAIN,
    DIGEST,
    DISPOSED,
    KIND,
    NOTHING_BEFORE,
    PRUNED,
    TIME,
    Head,
    Link,
    Record,
    digest_of,
    timestamp,
)
from service.audit.checkpoints import Checkpoint
from service.audit.faults import Fault, links

#: How far a record's date may lie before a checkpoint that does not hold it, or after one that does: its transaction
#: ended after it was dated, and no two clocks agree.
TOLERANCE = timedelta(seconds=60)
#: Faults past these are counted, not kept.
MOST_FAULTS = 1000
_LARGEST_NUMBER = 2**53


@dataclass(frozen=True, slots=True)
class _Stand:
    """A chain's standing in checkpoints: `first` is the place in their list of the first one that has it."""

    seq: int
    hash: str
    first: int


class Coverage:
    """What a series of checkpoints, oldest first, says of each chain, and where they contradict each other."""

    def __init__(self, checkpoints: Sequence[Checkpoint] = ()) -> None:
        self.checkpoints = tuple(checkpoints)
        self.faults: list[Fault] = []
        self._stands: dict[str, list[_Stand]] = {}
        for place, checkpoint in enumerate(self.checkpoints):
            self._add(place, checkpoint)
        times = [datetime.fromisoformat(item.body.at) for item in self.checkpoints]
        self.earliest = [timestamp(time - TOLERANCE) for time in times]
        self.latest = [timestamp(time + TOLERANCE) for time in times]

    def _add(self, place: int, checkpoint: Checkpoint) -> None:
        known, seen = len(self._stands), set()
        for head in checkpoint.heads():
            stands = self._stands.setdefault(head.chain, [])
            if not stands:
                stands.append(_Stand(head.seq, head.hash, place))
                continue
            seen.add(head.chain)
            last = stands[-1]
            if head.seq > last.seq:
                stands.append(_Stand(head.seq, head.hash, place))
            elif (head.seq, head.hash) != (last.seq, last.hash):
                text = f"contradicts {self.checkpoints[last.first].name}: the chain was rolled back or altered between"
                self.faults.append(Fault(head.chain, head.seq, f"{checkpoint.name} {text}"))
        if len(seen) < known:
            count = known - len(seen)
            self.faults.append(Fault(checkpoint.path.name, None, f"lacks {count} chain(s) of the checkpoint before it"))

    def stands(self, chain: str) -> list[_Stand]:
        """The chain's standings, by seq."""
        return self._stands.get(chain, [])

    def missing(self, seen: set[str]) -> Iterator[Fault]:
        """A fault for each chain of the checkpoints that was not seen."""
        for chain in sorted(self._stands.keys() - seen):
            last = self._stands[chain][-1]
            name = self.checkpoints[last.first].name
            yield Fault(chain, None, f"the whole chain is missing; {name} holds it up to link {last.seq}")


@dataclass(slots=True)
class Verified:
    """What a look over the chains found. `newer` counts the links that no checkpoint covers yet."""

    links: int = 0
    chains: int = 0
    newer: int = 0
    gone: int = 0
    disposals: list[tuple[str, int, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    heads: list[Head] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether there is no fault."""
        return self.fault_count == 0

    def tell(self, faults: Iterable[Fault]) -> None:
        """Add faults."""
        for fault in faults:
            self.fault_count += 1
            if len(self.faults) < MOST_FAULTS:
                self.faults.append(fault)


def verify(records: Iterable[Record], coverage: Coverage, now: datetime) -> Verified:
    """Look over every record, in the order of chain and seq, against the checkpoints.

    `now` is when the records began to be read. Never raises for what the records hold: all that is wrong is told.
    """
    found = Verified()
    found.tell(coverage.faults)
    latest = timestamp(now + TOLERANCE)
    seen: set[str] = set()
    walk: _Walk | None = None
    for record in records:
        link = record.link
        if not _is_formed(link):
            found.tell([Fault(f"{link.chain!s:.60}", None, f"link {link.seq!s:.20} has a field of no valid form")])
            continue
        found.links += 1
        if walk is None or walk.chain != link.chain:
            if walk is not None:
                walk.end()
            if link.chain in seen:
                found.tell([Fault(link.chain, link.seq, "stands apart from the rest of its chain")])
            seen.add(link.chain)
            walk = _Walk(link.chain, coverage, found, latest)
        walk.step(record)
    if walk is not None:
        walk.end()
    found.chains = len(seen)
    found.tell(coverage.missing(seen))
    return found


def _is_formed(link: Link) -> bool:
    texts = (link.chain, link.at, link.kind, link.digest, link.prev)
    if not all(type(text) is str for text in texts) or type(link.seq) is not int or type(link.version) is not int:
        return False  # SQLite keeps what it is given, whatever the column's type
    if not (1 <= link.seq < _LARGEST_NUMBER and 0 <= link.version < _LARGEST_NUMBER):
        return False
    forms = (CHAIN, TIME, KIND, DIGEST, DIGEST)
    return all(form.fullmatch(text) is not None for form, text in zip(forms, texts, strict=True))


class _Walk:
    """Goes along one chain."""

    def __init__(self, chain: str, coverage: Coverage, found: Verified, latest: str) -> None:
        self.chain = chain
        self._coverage = coverage
        self._stands = coverage.stands(chain)
        self._stand = 0
        self._found = found
        self._latest = latest
        self._last = Head(chain, 0, "", NOTHING_BEFORE)
        self._gone: list[int] = []

    def _tell(self, seq: int, text: str) -> None:
        self._found.tell([Fault(self.chain, seq, text)])

    def step(self, record: Record) -> None:
        """Look at the next link and its record."""
        link, last = record.link, self._last
        computed = hashlib.sha256(link.body).hexdigest()
        if computed != link.hash:
            self._tell(link.seq, "was altered: its hash is of other fields")
        if link.seq > last.seq + 1:
            self._tell(link.seq, f"{links(last.seq + 1, link.seq - 1)} missing before it")
        elif link.seq <= last.seq:
            self._tell(link.seq, f"comes after link {last.seq}: put in or out of order")
        elif link.prev != last.hash:
            self._tell(link.seq, "does not go on from the link before it: one of them was altered, put in or swapped")
        if link.at < last.at:
            self._tell(link.seq, f"is dated {link.at}, before the link before it ({last.at})")
        self._record(record)
        self._against_checkpoints(link, computed)
        self._last = Head(self.chain, link.seq, link.at, computed)

    def _record(self, record: Record) -> None:
        link, salt, payload = record.link, record.salt, record.payload
        if salt is None or payload is None:
            self._gone.append(link.seq)
            self._found.gone += 1
            return
        try:
            same = digest_of(salt, payload.encode()) == link.digest
        except (AttributeError, TypeError, ValueError):
            same = False
        if not same:
            self._tell(link.seq, "its record was altered: the link commits to another one")
        elif link.kind == DISPOSED:
            self._gone.clear()
            self._found.disposals.append((self.chain, link.seq, link.at))
        elif link.kind == PRUNED:
            through = through_of(payload)
            self._gone = [seq for seq in self._gone if seq > through]

    def _against_checkpoints(self, link: Link, computed: str) -> None:
        stands, checkpoints = self._stands, self._coverage.checkpoints
        while self._stand < len(stands) and stands[self._stand].seq < link.seq:
            self._stand += 1
        if self._stand < len(stands):
            stand = stands[self._stand]
            holds, lacks, latest = stand.first, stand.first - 1, self._coverage.latest[stand.first]
            if link.seq == stand.seq and computed != stand.hash:
                self._tell(link.seq, f"was altered: {checkpoints[holds].name} holds another hash for it")
            if link.at > latest:
                self._tell(link.seq, f"is dated {link.at}, after {checkpoints[holds].name} that holds it")
        else:
            lacks = len(checkpoints) - 1
            self._found.newer += 1
            if link.at > self._latest:
                self._tell(link.seq, f"is dated {link.at}, which is yet to come")
        if lacks >= 0 and link.at < self._coverage.earliest[lacks]:
            self._tell(link.seq, f"is dated {link.at}, before {checkpoints[lacks].name} that does not hold it: put in")

    def end(self) -> None:
        """Look at what should have come and what remains open."""
        if self._stands and self._stands[-1].seq > self._last.seq:
            last = self._stands[-1]
            name = self._coverage.checkpoints[last.first].name
            self._tell(last.seq, f"{links(self._last.seq + 1, last.seq)} missing at the end; {name} holds this one")
        for first, last_ in _runs(self._gone):
            records = "the record is" if first == last_ else f"the records up to link {last_} are"
            self._tell(first, f"{records} missing, and no disposal comes after")
        self._found.heads.append(self._last)


def through_of(payload: str) -> int:
    """Up to which seq a `pruned` link says that records are gone; 0 when it does not say."""
    try:
        through = json.loads(payload)["through"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
    return through if type(through) is int else 0


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """The first and last of each run of numbers that follow each other."""
    start = 0
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[place - 1] + 1:
            yield numbers[start], numbers[place - 1]
            start = place
