"""What changed since the check before: which findings are new, which are open still, and which are settled.

Compared are findings there is something to do about: someone's next step, or a fact to be found out. What was set aside
meanwhile, or is about an episode that has ended, is settled. Of a client who was not checked this time, or whose
findings could not be told then or now, nothing is compared: that something is settled is said only of clients about
whom both checks knew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: The outcome of a client whose engines differ, or whose journal could not be read; no rule's.
UNDETERMINED = "undetermined"
NEW, STILL_OPEN, SETTLED = "new", "still_open", "settled"

#: A finding in codes, as a check keeps it.
Found = Mapping[str, Any]
Key = tuple[str, str, str, str | None]


@dataclass(slots=True)
class Compared:
    """Findings with their change (None: not compared), those that are settled, and how many were left aside."""

    found: list[tuple[str, Found, str | None]] = field(default_factory=list)
    settled: list[tuple[str, Found]] = field(default_factory=list)
    #: Findings of the check before about clients who were not checked this time.
    left: int = 0


def is_open(item: Found) -> bool:
    """Whether there is something to do about a finding: someone's next step, or a fact to be found out."""
    # Checks of earlier versions kept no `step`.
    return item["outcome"] == "unknown" or bool(item.get("step", item.get("set_aside") is None))


def compared(
    found: Sequence[tuple[str, Found]],
    before: Iterable[tuple[str, Found]] | None,
    checked: Collection[str],
    withheld: Mapping[str, Collection[str]],
    rules: Collection[str],
) -> Compared:
    """Findings beside those of the check `before` (None: there is none).

    `checked` are the clients of this check, `withheld` by client the rules that are not for the reader's eyes now,
    `rules` those the pack has: what a rule that is gone once found was settled by nobody.
    """
    if before is None:
        return Compared([(case_id, item, None) for case_id, item in found])
    earlier = list(before)
    unsure = {case_id for case_id, item in (*earlier, *found) if item["outcome"] == UNDETERMINED}
    known = {_key(case_id, item) for case_id, item in earlier if is_open(item)}
    now = {_key(case_id, item) for case_id, item in found if is_open(item)}
    result = Compared([(case_id, item, _change(case_id, item, known, unsure)) for case_id, item in found])
    for case_id, item in earlier:
        if not is_open(item) or _key(case_id, item) in now:
            continue
        if case_id not in checked:
            result.left += 1
        elif case_id not in unsure and item["rule"] in rules and item["rule"] not in withheld[case_id]:
            result.settled.append((case_id, item))
    return result


def _change(case_id: str, item: Found, known: Collection[Key], unsure: Collection[str]) -> str | None:
    if case_id in unsure or not is_open(item):
        return None
    return STILL_OPEN if _key(case_id, item) in known else NEW


def _key(case_id: str, item: Found) -> Key:
    """What is one finding in two checks: the rule and its subject."""
    subject = item.get("subject") or {"kind": "", "entry": None}
    return case_id, str(item["rule"]), subject["kind"], subject["entry"]
