"""durable-rules, the reference and the naive oracle come to the same findings on random journals.

The product runs with both engines, which refuse to differ from each other; the oracle reads the raw journal by SPEC's
words and shares no code with either. POLKU_SEED repeats a run: POLKU_SEED=123 python -m pytest tests/agreement
"""

import json
import random
import traceback
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from rules.journal import case_from_data
from tests.agreement.shrinking import Document, is_journal, small_and_whole, smaller_documents, with_entry_ids
from tests.helpers import SEED, assessor
from tests.oracle import oracle
from tests.oracle.generate import random_case, random_dates

CHUNKS = 4
DATES_A_JOURNAL = 4
HELSINKI = ZoneInfo("Europe/Helsinki")

Pair = tuple[Document, date, datetime | None]


def differences(document: Document, as_of: date, known_at: datetime | None) -> list[str]:
    """What product and oracle see differently; a crash of either is a difference too."""
    try:
        expected = oracle.assess(document, as_of, known_at)
        current = current_subjects(document, as_of, known_at)
        folded, findings = assessor().findings(case_from_data(document), as_of, known_at=known_at, history=True)
    except Exception:
        return [traceback.format_exc()]
    state = folded.state._asdict()
    found = [
        f"{name}: product {state[name]}, oracle {known}"
        for name, known in expected.state.items()
        if state[name] != known
    ]
    mine = {item.key: (item.outcome, item.due and item.due.isoformat()) for item in findings}
    for item in findings:
        kind, entry = item.subject.kind, item.subject.entry
        if item.subject.current != ((kind, entry) in current):
            found.append(f"{item.key}: product {'current' if item.subject.current else 'history'}, oracle otherwise")
    if len(mine) != len(findings):
        found.append("two findings have the same rule and subject")
    for key in sorted(mine.keys() | expected.findings.keys(), key=str):
        if mine.get(key) != expected.findings.get(key):
            found.append(f"{key}: product {mine.get(key)}, oracle {expected.findings.get(key)}")
    return found


def current_subjects(document: Document, as_of: date, known_at: datetime | None) -> set[tuple[str, str | None]]:
    """The subjects the oracle holds to be current: kind and the entry that began each."""
    view = oracle.View(document, as_of, known_at)
    return {(s.kind, s.id) for subjects in view.subjects.values() for s in subjects if oracle.is_current(view, s)}


def shrunk(document: Document, as_of: date, known_at: datetime | None) -> Document:
    """The document with entries and header fields dropped, one at a time, as long as a difference remains."""
    document, moved = with_entry_ids(document), True
    while moved:
        moved = False
        for smaller in smaller_documents(document):
            if is_journal(smaller) and differences(smaller, as_of, known_at):
                document, moved = smaller, True
                break
    return document


def report(pair: Pair, seed: str) -> str:
    """Everything needed to see and repeat a difference."""
    document, as_of, known_at = pair
    small = shrunk(document, as_of, known_at)
    lines = [f"seed {seed}, as of {as_of}, known at {known_at}", *differences(small, as_of, known_at)]
    return "\n".join([*lines, *small_and_whole(small, document)])


def pairs(rng: random.Random, count: int) -> Iterator[Pair]:
    """Random journals, each with a few dates near its limits; those with times of recording often as known at one."""
    drawn = 0
    while drawn < count:
        document = random_case(rng)
        timed = any("recorded_at" in entry for entry in document["entries"])
        for as_of in random_dates(rng, document, min(DATES_A_JOURNAL, count - drawn)):
            yield document, as_of, time_known(rng, as_of) if timed and rng.random() < 0.7 else None
            drawn += 1


def time_known(rng: random.Random, as_of: date) -> datetime:
    """A time near the evaluation date, at times before it."""
    on = as_of + timedelta(days=rng.choice((-400, -60, -30, -7, -3, -1, 0, 0, 0, 1, 3, 7, 30)))
    return datetime.combine(on, time(rng.randint(0, 23), rng.choice((0, 30))), HELSINKI)


def compare(count: int, chunk: int) -> int:
    """Compare `count` pairs of one chunk; how many of them asked what was known at a time."""
    seed, known = f"{SEED}/{chunk}", 0
    for pair in pairs(random.Random(seed), count):
        known += pair[2] is not None
        if differences(*pair):
            pytest.fail(report(pair, seed), pytrace=False)
    return known


@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_engines_and_oracle_agree_on_five_thousand_random_journals_and_dates(chunk: int) -> None:
    assert compare(5_000 // CHUNKS, chunk) > 0, "no pair asked what was known at a time"


@pytest.mark.soak
@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize("chunk", range(CHUNKS, CHUNKS + 8))
def test_engines_and_oracle_agree_on_two_hundred_thousand_random_journals_and_dates(chunk: int) -> None:
    assert compare(200_000 // 8, chunk) > 0


def test_a_difference_is_told_with_a_journal_as_small_as_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def lying(document: Document, as_of: date, known_at: datetime | None = None) -> oracle.OracleAnswer:
        answer = truthful(document, as_of, known_at)
        answer.findings.pop(("tell-all-ktt-clients", "activity", "here"), None)
        return answer

    truthful = oracle.assess
    monkeypatch.setattr(oracle, "assess", lying)
    entries = [
        {"date": "2023-01-02", "type": "need_assessed"},
        {"date": "2024-01-02", "type": "activity_started", "days_per_week": 3, "id": "here"},
        {"date": "2024-01-03", "type": "plan_reviewed", "participants": ["client"]},
        {"date": "2024-01-04", "type": "correction", "voids": "e1"},
    ]
    document = {"case": {"id": "case", "language": "fi"}, "entries": entries}
    told = report((document, date(2024, 1, 5), None), "1/0")

    assert "seed 1/0, as of 2024-01-05" in told
    assert "('tell-all-ktt-clients', 'activity', 'here'): product ('advised', None), oracle None" in told
    small = told.split("The whole journal:")[0]
    assert small.count('"type"') == 1
    assert '"activity_started"' in small
    assert json.dumps(document, ensure_ascii=False) in told
