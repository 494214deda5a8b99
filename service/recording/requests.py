"""What a request to record asks for, read strictly: each mistake is told with its place in the request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from rules.identity import contains_code
from rules.journal import Case, Entry, JournalError, Problem, case_from_data, new_entries
from rules.pack import Pack
from rules.reading import CODE_EXPECTED, CODE_FOUND, did_you_mean, shown
from service.audit.chain import timestamp
from service.recording.errors import Refused
from service.recording.judging import PATH_INCONSISTENT
from service.recording.record import Acknowledgement

#: More entries than anyone records at once; each day of a list is judged of its own.
MOST_ENTRIES = 100
LONGEST_REASON = 2_000  # characters
_ACKNOWLEDGEMENT = {"rules", "reason"}


def digest_of_request(*parts: object) -> str:
    """What tells a request from another under the same Idempotency-Key."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def entries_asked(case: Case, data: object, now: datetime, by: str | None) -> tuple[Entry, ...]:
    """The entries of a request as they will stand in the case: recorded now, `by` the role acted in where none is told.

    Raises Refused with every mistake.
    """
    problems: list[Problem] = []
    if isinstance(data, list) and not 1 <= len(data) <= MOST_ENTRIES:
        # Nothing else is told of a list of thousands.
        raise Refused([_problem("entries", f"{len(data):,} entries", f"1–{MOST_ENTRIES} entries")])
    if isinstance(data, list):
        problems = list(_times_given(data))
        data = [_completed(raw, timestamp(now), by) for raw in data]
    try:
        entries = new_entries(case, data)
    except JournalError as error:
        problems += error.problems
    if problems:
        raise Refused(problems)
    return entries


def _times_given(entries: Iterable[object]) -> Iterator[Problem]:
    for at, raw in enumerate(entries):
        if isinstance(raw, dict) and raw.get("recorded_at") is not None:
            yield _problem(f"entries[{at}].recorded_at", "a time", "nothing: the service sets it")


def _completed(raw: object, now: str, by: str | None) -> object:
    if not isinstance(raw, dict):
        return raw
    told = raw.get("by") is not None or by is None
    return {**raw, "recorded_at": now} if told else {**raw, "recorded_at": now, "by": by}


def case_asked(data: object, now: datetime) -> Case:
    """A case taken over with its journal: what tells no time of recording was recorded now, nothing was later.

    Raises Refused with every mistake.
    """
    try:
        case = case_from_data(data)
    except JournalError as error:
        raise Refused(error.problems) from None
    late = [
        _problem(f"entries[{at}].recorded_at", "a time ahead", "a time that has passed, or nothing")
        for at, entry in enumerate(case.entries)
        if entry.recorded_at is not None and entry.recorded_at > now
    ]
    if late:
        raise Refused(late)
    return case.with_entries(
        entry if entry.recorded_at is not None else entry.model_copy(update={"recorded_at": now})
        for entry in case.entries
    )


def acknowledgement_asked(data: object, pack: Pack) -> Acknowledgement | None:
    """The acknowledgement of a request. Raises Refused: unknown rules, no reason, an identity code in it."""
    if data is None:
        return None
    if not isinstance(data, dict):
        raise Refused([_problem("acknowledged", shown(data), "{rules: […], reason: …}")])
    problems = [
        _problem(f"acknowledged.{name}", "unknown field", "rules and reason")
        for name in data
        if name not in _ACKNOWLEDGEMENT
    ]
    rules, reason = data.get("rules"), data.get("reason")
    problems += _rule_problems(rules, pack)
    problems += _reason_problems(reason)
    if problems or not isinstance(rules, list) or not isinstance(reason, str):
        raise Refused(problems)
    return Acknowledgement(tuple(dict.fromkeys(rules)), reason.strip())


def _rule_problems(rules: object, pack: Pack) -> Iterator[Problem]:
    known = {rule.id for rule in pack.editions[-1].rules} | {PATH_INCONSISTENT}
    if not isinstance(rules, list) or not rules:
        yield _problem("acknowledged.rules", shown(rules), "a list of rule ids")
        return
    for at, rule in enumerate(rules):
        if not isinstance(rule, str) or rule not in known:
            yield _problem(f"acknowledged.rules[{at}]", shown(rule), "the id of a rule", did_you_mean(rule, known)())


def _reason_problems(reason: object) -> Iterator[Problem]:
    place = "acknowledged.reason"
    if not isinstance(reason, str) or not any(char.isalpha() for char in reason):
        yield _problem(place, shown(reason), "a reason in words")
    elif len(reason) > LONGEST_REASON:
        yield _problem(place, shown(reason), f"at most {LONGEST_REASON:,} characters")
    elif contains_code(reason):
        yield _problem(place, CODE_FOUND, CODE_EXPECTED)
    elif not all(char.isprintable() or char in "\n\t" for char in reason):
        yield _problem(place, "control characters", "plain text")


def _problem(place: str, found: str, expected: str, hint: str | None = None) -> Problem:
    return Problem(place, None, found, expected, hint)
