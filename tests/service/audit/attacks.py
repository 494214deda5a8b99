"""What someone with full rights in the database, but without the key, can do to the records.

Each attack takes the records in order and a position, and returns the records as the database then gives them, in
order; None where it cannot be done at that position (a record that is gone cannot be altered). `relinked` attacks make
every later link of the chain anew, so that the chain agrees with itself.
"""

import random
from collections.abc import Callable
from dataclasses import replace

from tests.service.audit.chains import Kept, Records, append, kept, moment, recommitted, relinked, seconds

Attack = Callable[[Records, int], Records | None]
ATTACKS: dict[str, Attack] = {}


def attack(function: Attack) -> Attack:
    """Add to the list."""
    ATTACKS[function.__name__] = function
    return function


def bounds(records: Records, position: int) -> tuple[int, int]:
    """Where the chain of a record begins and ends among the records."""
    chain, first, end = records[position].link.chain, position, position
    while first and records[first - 1].link.chain == chain:
        first -= 1
    while end < len(records) and records[end].link.chain == chain:
        end += 1
    return first, end


def sorted_by_key(records: Records) -> Records:
    """As the database orders them."""
    return sorted(records, key=lambda item: (item.link.chain, item.link.seq))


def with_item(records: Records, position: int, item: Kept, *, anew: bool = False) -> Records:
    """The records with one replaced; with its chain made anew from there, if asked."""
    if not anew:
        return [*records[:position], item, *records[position + 1 :]]
    first, end = bounds(records, position)
    chain = [*records[first:position], item, *records[position + 1 : end]]
    return [*records[:first], *relinked(chain), *records[end:]]


def chance(item: Kept) -> random.Random:
    """The same at each run."""
    return random.Random(item.link.hash)


def flipped(text: str, draw: random.Random) -> str:
    """Hexadecimal text with one digit changed."""
    place = draw.randrange(len(text))
    other = draw.choice([digit for digit in "0123456789abcdef" if digit != text[place]])
    return text[:place] + other + text[place + 1 :]


# ---- edits


def edited_payload(item: Kept) -> Kept | None:
    """One letter of the record changed."""
    if item.payload is None:
        return None
    place = chance(item).randrange(1, len(item.payload) - 1)
    letter = "x" if item.payload[place] != "x" else "y"
    return replace(item, payload=item.payload[:place] + letter + item.payload[place + 1 :])


@attack
def edit_payload(records: Records, position: int) -> Records | None:
    """A record altered."""
    item = edited_payload(records[position])
    return item and with_item(records, position, item)


@attack
def edit_payload_and_digest(records: Records, position: int) -> Records | None:
    """A record altered, and its link's commitment with it."""
    item = edited_payload(records[position])
    return item and with_item(records, position, recommitted(item))


@attack
def edit_payload_relinked(records: Records, position: int) -> Records | None:
    """A record altered and the chain made anew."""
    item = edited_payload(records[position])
    return item and with_item(records, position, item, anew=True)


@attack
def edit_salt(records: Records, position: int) -> Records | None:
    """A salt altered."""
    item = records[position]
    return item.salt and with_item(records, position, replace(item, salt=flipped(item.salt, chance(item))))


@attack
def edit_salt_relinked(records: Records, position: int) -> Records | None:
    """A salt altered and the chain made anew."""
    item = records[position]
    changed = item.salt and replace(item, salt=flipped(item.salt, chance(item)))
    return changed and with_item(records, position, changed, anew=True)


def shifted(item: Kept) -> Kept:
    """Dated a second away."""
    return item.but(at=moment(seconds(item.link.at) + chance(item).choice((-1, 1))))


EDITS: dict[str, Callable[[Kept], Kept]] = {
    "at": shifted,
    "kind": lambda item: item.but(kind="decision" if item.link.kind != "decision" else "entry"),
    "version": lambda item: item.but(version=item.link.version + 1),
    "digest": lambda item: item.but(digest=flipped(item.link.digest, chance(item))),
    "prev": lambda item: item.but(prev=flipped(item.link.prev, chance(item))),
    "seq": lambda item: item.but(seq=item.link.seq + chance(item).choice((1, 2, 1000))),
    "chain": lambda item: item.but(chain=f"case/{flipped(item.link.chain[5:], chance(item))}"),
}


def edit_field(name: str) -> Attack:
    """One field of a link altered."""

    def edit(records: Records, position: int) -> Records:
        changed = EDITS[name](records[position])
        return sorted_by_key([*records[:position], changed, *records[position + 1 :]])

    return edit


def edit_field_relinked(name: str) -> Attack:
    """One field of a link altered and the chain made anew."""

    def edit(records: Records, position: int) -> Records:
        return with_item(records, position, EDITS[name](records[position]), anew=True)

    return edit


ATTACKS.update({f"edit_{name}": edit_field(name) for name in EDITS})
ATTACKS.update({f"edit_{name}_relinked": edit_field_relinked(name) for name in ("at", "kind", "version")})


@attack
def edit_some_field(records: Records, position: int) -> Records:
    """One field of a link altered, another one at each position."""
    return edit_field(sorted(EDITS)[position % len(EDITS)])(records, position)


# ---- deletions


@attack
def delete_link(records: Records, position: int) -> Records:
    """A link and its record deleted."""
    return [*records[:position], *records[position + 1 :]]


@attack
def delete_link_relinked(records: Records, position: int) -> Records:
    """A link and its record deleted, the later ones numbered and linked anew."""
    first, end = bounds(records, position)
    chain = [*records[first:position], *records[position + 1 : end]]
    return [*records[:first], *relinked(chain), *records[end:]]


@attack
def delete_record(records: Records, position: int) -> Records | None:
    """A record deleted, its link left."""
    item = records[position]
    return item.salt and with_item(records, position, replace(item, salt=None, payload=None))


@attack
def dispose_unlawfully(records: Records, position: int) -> Records | None:
    """The records up to here deleted and this link altered to say that the case was disposed of, all made anew."""
    first, end = bounds(records, position)
    item = records[position]
    if position == first or item.link.kind == "disposed" or records[first].salt is None:
        return None
    gone = [replace(before, salt=None, payload=None) for before in records[first:position]]
    chain = [*gone, item.but(kind="disposed"), *records[position + 1 : end]]
    return [*records[:first], *relinked(chain), *records[end:]]


@attack
def dispose_backdated(records: Records, position: int) -> Records | None:
    """The records of a case deleted and a disposal appended, dated as if it had been there before the checkpoint."""
    first, end = bounds(records, position)
    last = records[end - 1]
    gone = [replace(item, salt=None, payload=None) for item in records[first:end]]
    disposal = append([last], "disposed", {"ground": "none"}, last.link.at, chance(last))
    return [*records[:first], *gone, disposal, *records[end:]]


@attack
def delete_chain(records: Records, position: int) -> Records:
    """A whole chain deleted."""
    first, end = bounds(records, position)
    return [*records[:first], *records[end:]]


@attack
def truncate_chain(records: Records, position: int) -> Records:
    """A chain cut off: this link and all later ones of it."""
    _, end = bounds(records, position)
    return [*records[:position], *records[end:]]


@attack
def truncate_last(records: Records, position: int) -> Records:
    """The last link of the chain deleted."""
    _, end = bounds(records, position)
    return [*records[: end - 1], *records[end:]]


@attack
def truncate_all(records: Records, position: int) -> Records:
    """Everything from here on deleted."""
    return records[:position]


@attack
def roll_back(records: Records, position: int) -> Records:
    """The whole database as it was before this link was made."""
    at = records[position].link.at
    return [item for item in records if item.link.at < at]


# ---- insertions


def invented(item: Kept, at: str) -> Kept:
    """A record that never was, after this one."""
    return append([item], "entry", {"invented": True}, at, chance(item))


@attack
def insert_link(records: Records, position: int) -> Records:
    """A record put in after this one, in the place of none: two links of one number."""
    item = records[position]
    return [*records[: position + 1], invented(item, item.link.at), *records[position + 1 :]]


@attack
def insert_link_relinked(records: Records, position: int) -> Records | None:
    """A record put in after this one, the later ones numbered and linked anew."""
    first, end = bounds(records, position)
    item = records[position]
    chain = [*records[first : position + 1], invented(item, item.link.at), *records[position + 1 : end]]
    return [*records[:first], *relinked(chain), *records[end:]]


@attack
def insert_at_end_backdated(records: Records, position: int) -> Records:
    """A record appended properly, but dated as if it had been there before the checkpoint."""
    _, end = bounds(records, position)
    last = records[end - 1]
    return [*records[:end], invented(last, last.link.at), *records[end:]]


@attack
def insert_chain_backdated(records: Records, position: int) -> Records:
    """A whole new case, properly chained, dated before the checkpoint."""
    draw, at = chance(records[position]), records[position].link.at
    opened = kept(None, f"case/{draw.getrandbits(64):016x}", "opened", 1, {"id": "invented"}, at, draw)
    return sorted_by_key([*records, opened, invented(opened, at)])


@attack
def double_link(records: Records, position: int) -> Records:
    """A link and its record doubled."""
    return [*records[: position + 1], *records[position:]]


# ---- swaps


@attack
def swap_lines(records: Records, position: int) -> Records | None:
    """Two neighbours in the other order, as they are."""
    if position + 1 == len(records):
        return None
    return [*records[:position], records[position + 1], records[position], *records[position + 2 :]]


def swapped(records: Records, position: int) -> tuple[Kept, Kept] | None:
    """This record and the next in its chain with their numbers and links exchanged."""
    _, end = bounds(records, position)
    if position + 1 >= end:
        return None
    one, other = records[position], records[position + 1]
    return other.but(seq=one.link.seq, prev=one.link.prev), one.but(seq=other.link.seq, prev=other.link.prev)


@attack
def swap_links(records: Records, position: int) -> Records | None:
    """Two neighbours of a chain exchanged, numbers and prev fitted."""
    pair = swapped(records, position)
    return pair and [*records[:position], *pair, *records[position + 2 :]]


@attack
def swap_links_relinked(records: Records, position: int) -> Records | None:
    """Two neighbours of a chain exchanged and the chain made anew."""
    pair, (first, end) = swapped(records, position), bounds(records, position)
    if pair is None:
        return None
    chain = [*records[first:position], *pair, *records[position + 2 : end]]
    return [*records[:first], *relinked(chain), *records[end:]]


@attack
def swap_records(records: Records, position: int) -> Records | None:
    """The records, with their salts, of two links exchanged."""
    item = records[position]
    other = (position + chance(item).randrange(1, len(records))) % len(records)
    there = records[other]
    if item.salt == there.salt:
        return None
    changed = with_item(records, position, replace(item, salt=there.salt, payload=there.payload))
    return with_item(changed, other, replace(there, salt=item.salt, payload=item.payload))


@attack
def swap_chains(records: Records, position: int) -> Records | None:
    """Two cases' chains under each other's names, both made anew."""
    first, end = bounds(records, position)
    if end == len(records):
        return None
    _, after = bounds(records, end)
    one, other = records[first].link.chain, records[end].link.chain
    chains = [item.but(chain=other) for item in records[first:end]], [i.but(chain=one) for i in records[end:after]]
    return sorted_by_key([*records[:first], *relinked(chains[0]), *relinked(chains[1]), *records[after:]])


#: What the long run does at every position of 10,000: one of each sort the issue names.
AT_EVERY_POSITION = (
    "edit_payload",
    "edit_payload_relinked",
    "edit_salt",
    "edit_some_field",
    "delete_link",
    "delete_record",
    "insert_link",
    "insert_at_end_backdated",
    "swap_links",
    "swap_records",
    "truncate_chain",
)
