"""durable-rules, the reference and the columnar engine come to the same findings, field for field, on 50,000 journals.

Half of them are believable paths (polku generate), half are wild ones; each is moved in time so that a day on which
something about it turns, or the day before, is the first of the three dates it is judged on. The interactive answer is
the product's: two engines that refuse to differ. The columnar one is judged from facts on disk, and on later dates from
those kept facts as long as they say they hold.

POLKU_SEED repeats a run: POLKU_SEED=123 python -m pytest tests/agreement/test_columnar_agreement.py. A long run that
was broken off goes on with its seed and the first chunk still to do: POLKU_SEED=123 POLKU_CHUNK=57 … -m soak.
"""

import gc
import json
import os
import random
import re
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from rules.calendar import add_months
from rules.journal import Case, case_from_data
from service.generate.drawing import Drawing, Wanted
from tests.agreement import columnar
from tests.agreement.columnar import Facts, by_case, interactive
from tests.agreement.shrinking import Document, is_journal, small_and_whole, smaller_documents, with_entry_ids
from tests.helpers import SEED
from tests.oracle.generate import VERSION_DAYS, random_case, random_dates

#: 8 × 6,250 in make test, 100 × 10,000 in soak.
CHUNKS, A_CHUNK = 8, 6_250
SOAK_CHUNKS, A_SOAK_CHUNK = 100, 10_000
FIRST_SOAK_CHUNK = int(os.environ.get("POLKU_CHUNK") or CHUNKS)
#: How long after the second date the third is.
GAPS = (6, 13, 29, 61, 92, 183)
#: A share of the believable journals has a planted fault.
FAULTS = 0.6
DAY = re.compile(r'"(\d{4}-\d\d-\d\d)"')


@dataclass
class Seen:
    """What a chunk met: findings compared, by outcome; and how many facts were folded, how many kept ones held."""

    outcomes: Counter[object]
    folded: int
    held: int


def dates(rng: random.Random) -> list[date]:
    """Three dates: a day, often before one on which versions of rules change; the next; and a later one."""
    first = date(2020, 2, 1) + timedelta(days=rng.randrange(2_500))
    if rng.random() < 0.3:
        first = rng.choice(VERSION_DAYS[1:]) - timedelta(days=1)
    return [first, first + timedelta(days=1), first + timedelta(days=1 + rng.choice(GAPS))]


def documents(rng: random.Random, count: int, first: date, seed: int) -> Iterator[Document]:
    """Journals on which something turns on the first date or about it. Their ids are their numbers."""
    drawing = Drawing(Wanted(seed, first, FAULTS))
    for number in range(count):
        if number % 2:
            journal, _ = drawing.case(number)
            document: Document = {"case": journal.header(), "entries": list(journal.rows())}
        else:
            document = random_case(rng)
        if number % 4 != 1:  # one in four is a believable path on the very date it was made for
            (turning,) = random_dates(rng, document, 1)
            document = moved(document, mover(rng, turning, first))
        document["case"]["id"] = f"case-{number}"
        yield document


def mover(rng: random.Random, turning: date, first: date) -> Callable[[date], date]:
    """What moves a journal in time: by days, which keeps limits in days, or by months, which keeps those in months."""
    if rng.random() < 0.5:
        days = first - turning
        return lambda day: day + days
    months = (first.year - turning.year) * 12 + first.month - turning.month
    rest = first - add_months(turning, months)
    return lambda day: add_months(day, months) + rest


def moved(document: Document, move: Callable[[date], date]) -> Document:
    """The document with every date of it moved."""
    text = DAY.sub(lambda found: f'"{move(date.fromisoformat(found[1]))}"', json.dumps(document))
    found: Document = json.loads(text)
    return found


def disagreements(cases: Sequence[Case], on: Sequence[date], seen: Seen | None = None) -> tuple[date, list[str]] | None:
    """The first date on which the engines differ, and the ids of the cases they differ on."""
    with Facts(cases) as facts:
        for day in on:
            expected = interactive(cases, day)
            found = facts.judged(day)
            if seen is not None:
                seen.folded, seen.held = facts.folded, facts.held
                seen.outcomes.update(row[4] for row in expected)
            if expected != found:
                return day, sorted(str(case) for case in by_case(expected ^ found))
    return None


def compare(count: int, chunk: int) -> Seen:
    """Compare the journals of a chunk on its dates; fails with the smallest journal that shows a difference."""
    rng = random.Random(f"{SEED}/{chunk}")
    on = dates(rng)
    all_documents = list(documents(rng, count, on[0], chunk + 1_000 * (SEED % 1_000_000)))
    seen = Seen(Counter(), 0, 0)
    cases = [case_from_data(document) for document in all_documents]
    gc.freeze()  # a fifth of the time would go into looking through journals for garbage, again and again
    try:
        differs = disagreements(cases, on, seen)
    finally:
        gc.unfreeze()
    if differs is not None:
        day, wrong = differs
        (document,) = [item for item in all_documents if item["case"]["id"] == wrong[0]]
        told = report(document, [item for item in on if item <= day], f"{SEED}/{chunk}")
        pytest.fail(f"{len(wrong)} of {count} journals differ on {day}.\n{told}", pytrace=False)
    return seen


def report(document: Document, on: Sequence[date], seed: str) -> str:
    """Everything needed to see and repeat a difference: the journal made small, and what each engine says of it."""
    small = shrunk(document, on)
    lines = [f"seed {seed}, judged on {', '.join(map(str, on))}", *told(small, on)]
    return "\n".join([*lines, *small_and_whole(small, document)])


def told(document: Document, on: Sequence[date]) -> list[str]:
    """What each engine says on the first date they differ on."""
    cases = [case_from_data(document)]
    try:
        with Facts(cases) as facts:
            for day in on:
                lines = columnar.differences(interactive(cases, day), facts.judged(day))
                if lines:
                    return [f"on {day}", *lines]
    except Exception:
        return [traceback.format_exc()]
    return ["no difference when judged alone"]


def shrunk(document: Document, on: Sequence[date]) -> Document:
    """The document with entries and header fields dropped, one at a time, as long as the engines differ."""
    document, most = with_entry_ids(document), len(document["entries"]) or 1
    while True:
        smaller = [item for item in smaller_documents(document, most) if is_journal(item)]
        # All of them at once: a run of the columnar engine costs the same for one as for fifty.
        cases = [case_from_data({**item, "case": {**item["case"], "id": str(n)}}) for n, item in enumerate(smaller)]
        differs = disagreements(cases, on)
        if differs is not None:
            document = smaller[min(int(case) for case in differs[1])]
        elif most == 1:
            return document
        most = max(most // 2, 1) if differs is None else min(most, len(document["entries"]) or 1)


@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_all_engines_agree_on_fifty_thousand_journals_at_three_dates(chunk: int) -> None:
    seen = compare(A_CHUNK, chunk)

    assert seen.outcomes.keys() == {"satisfied", "remedied", "violated", "advised", "unknown"}
    assert seen.held > A_CHUNK / 4, "hardly any kept facts were judged"


@pytest.mark.soak
@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize("chunk", range(FIRST_SOAK_CHUNK, CHUNKS + SOAK_CHUNKS))
def test_all_engines_agree_on_a_million_journals_at_three_dates(chunk: int) -> None:
    compare(A_SOAK_CHUNK, chunk)


def test_a_difference_is_told_with_a_journal_as_small_as_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lying:
        """A columnar engine that is right but for one rule, from a date on."""

        folded = held = 0

        def __init__(self, cases: Sequence[Case]) -> None:
            self._cases = cases

        def __enter__(self) -> "Lying":
            return self

        def __exit__(self, *_: object) -> None: ...

        def judged(self, as_of: date) -> set[columnar.Row]:
            rows = interactive(self._cases, as_of)
            return {row for row in rows if row[1] != "tell-all-ktt-clients" or as_of < second}

    second = date(2024, 1, 6)
    monkeypatch.setattr(sys.modules[__name__], "Facts", Lying)
    entries = [
        {"date": "2023-01-02", "type": "need_assessed"},
        {"date": "2023-01-09", "type": "worker_assigned", "role": "social_worker", "worker": "w-1"},
        {"date": "2024-01-02", "type": "activity_started", "days_per_week": 3, "id": "here"},
        {"date": "2024-01-03", "type": "plan_reviewed", "participants": ["client"]},
        {"date": "2024-01-04", "type": "correction", "voids": "e1"},
    ]
    document = {"case": {"id": "case", "language": "fi"}, "entries": entries}
    text = report(document, [date(2024, 1, 5), second], "1/0")

    assert "seed 1/0, judged on 2024-01-05, 2024-01-06\non 2024-01-06\n" in text
    assert "interactive: rule tell-all-ktt-clients, subject_kind activity, subject_entry here, outcome advised" in text
    small = text.split("The whole journal:")[0]
    assert small.count('"type"') == 1
    assert '"activity_started"' in small
    assert '"language"' not in small
    assert json.dumps(document, ensure_ascii=False) in text


def test_moving_a_journal_keeps_what_turns_on_the_date() -> None:
    rng = random.Random(4)
    document = {"case": {"id": "c", "complete_from": "2023-01-31"}, "entries": [{"date": "2023-02-28", "note": "2023"}]}
    for _ in range(20):
        move = mover(rng, date(2023, 2, 28), date(2024, 5, 15))
        found = moved(document, move)
        assert found["entries"] == [{"date": "2024-05-15", "note": "2023"}]
        assert found["case"]["complete_from"] in ("2024-04-17", "2024-04-18")
