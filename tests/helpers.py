"""What tests of several parts share: the pack, small journals, random journals, whole answers."""

import os
import random
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from rules.assessment import Assessor, Proposal
from rules.engines.reference import reference
from rules.findings import Finding
from rules.journal import Case, case_from_data, case_to_data
from rules.pack import Pack, load_pack
from tests.oracle.generate import random_case, random_dates

#: The journal SPEC shows as its example (§2).
SIRPA = """\
case: {id: sirpa, municipality: Orimattila, birth_year: 1971, language: fi}
entries:
  - {date: 2020-10-01, type: activity_started, days_per_week: 4, period_end: 2022-09-30, wall_less: yes}
  - {date: 2022-08-23, type: coaching_info_given}
  - {date: 2022-08-23, type: interest_asked, wants_to_work: yes}
  - {date: 2022-08-29, type: activation_plan_updated, participants: [client, social_worker, employment_coach],
     coaching: {start: 2022-09-05, end: 2022-11-30, alongside_activity: yes},
     work_trial_possible: yes, wage_subsidy_clarified: yes}
  - {date: 2022-09-05, type: coaching_started, provider: provider-1, provider_kind: private}
"""

#: What random runs grow from: POLKU_SEED repeats one.
SEED = int(os.environ.get("POLKU_SEED") or secrets.randbelow(10**9))

#: Random numbers from which a journal and evaluation dates grow.
SEEDS = st.integers(min_value=0, max_value=2**32 - 1)


@cache
def pack() -> Pack:
    """The published pack, read once."""
    return load_pack()


@cache
def assessor() -> Assessor:
    """An assessor with both engines."""
    return Assessor(pack())


@cache
def reference_assessor() -> Assessor:
    """An assessor with the reference engine alone."""
    return Assessor(pack(), reference)


def day(text: str) -> date:
    """The date written as 2024-01-31."""
    return date.fromisoformat(text)


def days_from(first: date, last: date) -> Iterable[date]:
    """Every day from `first` to `last`, both counted."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def wait_for(there: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, f"not so after {seconds:.0f} seconds"
        time.sleep(0.02)


def entry(on: str, type_: str, **fields: Any) -> dict[str, Any]:
    """One entry of a journal, as plain data."""
    return {"date": on, "type": type_, **fields}


def journal(*entries: dict[str, Any], **header: Any) -> Case:
    """A case of these entries."""
    return case_from_data({"case": {"id": "case", **header}, "entries": list(entries)})


def with_ids(case: Case) -> Case:
    """The same case with every id written out, so that adding entries renames none."""
    data = case_to_data(case)
    for item, known in zip(data["entries"], case.entries, strict=True):
        item["id"] = known.id
    return case_from_data(data)


def with_entries(case: Case, *entries: dict[str, Any]) -> Case:
    """The case (its ids written out) with more entries at its end."""
    data = case_to_data(with_ids(case))
    return case_from_data({**data, "entries": [*data["entries"], *entries]})


def random_pair(seed: int) -> tuple[Case, date, random.Random]:
    """A random journal, a date near its limits, and the chance to draw more from."""
    rng = random.Random(seed)
    document = random_case(rng)
    (on,) = random_dates(rng, document, 1)
    return case_from_data(document), on, rng


def answer(case: Case, on: date, **options: Any) -> dict[str, Any]:
    """The whole answer of SPEC §5, as JSON."""
    return assessor().assess(case, on, **options).as_json()


def propose(trigger: str, **details: Any) -> Proposal:
    """A step under consideration."""
    return Proposal(trigger, details)


def trigger_of(found: dict[str, Any], name: str) -> dict[str, Any]:
    """What an answer says of one trigger."""
    (item,) = [item for item in found["triggers"] if item["trigger"] == name]
    return item


def outcomes(case: Case, on: str, **options: Any) -> dict[str, str]:
    """Outcome by rule, for rules that speak of one subject."""
    return {item.rule.id: item.outcome for item in findings(case, on, **options)}


def findings(case: Case, on: str, **options: Any) -> list[Finding]:
    """Every finding of a case on a day."""
    return assessor().findings(case, day(on), **options)[1]


def finding(case: Case, on: str, rule: str, entry_id: str | None = None) -> Finding:
    """The one finding of a rule (about the subject begun by an entry, if several)."""
    found = [f for f in findings(case, on, history=True) if f.rule.id == rule]
    if entry_id is not None:
        found = [f for f in found if f.subject.entry == entry_id]
    assert len(found) == 1, found
    return found[0]
