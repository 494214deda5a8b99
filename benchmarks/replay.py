"""How many recorded decisions are judged and folded again in a second, across two versions of a pack.

The thirty-entry journal is recorded entry by entry, on each entry's day, for as many clients as needed; half of them by
a later version of the pack. The database is SQLite in a temporary folder.
"""

from __future__ import annotations

import copy
import json
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from datetime import time as of_day
from pathlib import Path

from rules.assessment import Assessor
from rules.engines.reference import reference
from rules.journal import Case, case_to_data, read_case
from rules.pack import Pack, load_pack, pack_from_content
from service.audit.replaying import Tally, replay_region
from service.recording.judging import judge_opening, judge_recording
from service.recording.record import Acknowledgement, Circumstances, RecordedBy, decision_record
from service.store import Database, Unit, migrate

HERE = Path(__file__).parent
REGION = "bench"
DECISIONS = 10_000
BY = RecordedBy("w-1", "county-1", "social_worker", "assigned")


def later(pack: Pack) -> Pack:
    """The pack in another version: numbers that the rules and the fold read are others."""
    content = copy.deepcopy(json.loads(pack.canonical))
    content["pack"]["version"] = f"{pack.version}-later"
    for name, value in (("plan.review_months", 2), ("plan.lookback_months", 6), ("interest.ask_again_months", 6)):
        for dated in content["pack"]["parameters"][name]["values"]:
            dated["value"] = value
    return pack_from_content(content)


def fill(database: Database, region: str, journals: Iterable[Case], assessors: Sequence[Assessor]) -> int:
    """Record each journal entry by entry, each on its own day, by the assessors in turn; how many decisions."""
    made = 0
    for number, journal in enumerate(journals):
        with database.write(region) as unit:
            made += _record(unit, journal, assessors[number % len(assessors)])
    return made


def _record(unit: Unit, journal: Case, assessor: Assessor) -> int:
    """A case opened with the journal's first entry, and recorded to with each of the others."""
    unit.packs.keep(assessor.pack)
    first = journal.entries[0].date if journal.entries else datetime(2024, 1, 1, tzinfo=UTC).date()
    today, before = first, journal.with_entries(())
    header = case_to_data(before)["case"]
    stored = unit.cases.add(journal.id, header, None, BY.organisation, _noon(today))
    unit.events.append(stored, "opened", {"v": 1, "case": header, "by": BY.as_json()}, _noon(today))
    steps = [(), *((entry,) for entry in journal.entries)]
    for version, new in enumerate(steps, start=1):
        today = max([today, *(entry.date for entry in new)])
        after = before.with_entries((*before.entries, *new))
        opening = version == 1
        judged = judge_opening(assessor, after, today) if opening else judge_recording(assessor, before, after, today)
        at, ids = _noon(today) + timedelta(seconds=version), tuple(entry.id for entry in new)
        of = Circumstances(f"{journal.id}-{version}", journal.id, version, ids, at, BY, "polku bench", assessor.pack)
        record = decision_record(judged, of, Acknowledgement(judged.to_acknowledge, "sovittu"))
        if not opening:
            unit.cases.advance(journal.id, version - 1)
        unit.entries.append(stored, version, case_to_data(after.with_entries(new))["entries"], at)
        unit.decisions.append(
            stored,
            version,
            of.id,
            record,
            at,
            recorded_by=BY.user,
            status=record["status"],
            acknowledged=record["acknowledged"] is not None,
        )
        before = after
    return len(steps)


def _noon(day: datetime | object) -> datetime:
    return datetime.combine(day, of_day(10), UTC)  # type: ignore[arg-type]


def bench_journals(decisions: int) -> Iterable[Case]:
    """The journal beside this file under as many ids as make so many decisions."""
    journal = read_case(HERE / "journal.yaml")
    for number in range(-(-decisions // (len(journal.entries) + 1))):
        yield journal.model_copy(update={"id": f"bench-{number}"})


def replayed(url: str, region: str, processes: int) -> tuple[Tally, float]:
    """Replay everything; what came of it, and the seconds it took, the start of the processes included."""
    whole = Tally()
    start = time.perf_counter()
    for tally in replay_region(url, region, processes=processes):
        whole.add(tally)
    return whole, time.perf_counter() - start


def replay_per_second(figures: dict[str, float], decisions: int = DECISIONS) -> None:
    """Put the figures among the others."""
    pack = load_pack()
    assessors = [Assessor(pack, reference), Assessor(later(pack), reference)]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'polku.db'}"
        migrate(url)
        database = Database(url)
        start = time.perf_counter()
        made = fill(database, REGION, bench_journals(decisions), assessors)
        filling = time.perf_counter() - start
        database.close()
        for name, processes in (("one_process", 1), ("", min(2, os.cpu_count() or 1))):
            whole, seconds = replayed(url, REGION, processes)
            assert whole.same, str(whole.differing[0].differences[0])
            assert whole.decisions == made
            figures["_".join(filter(None, ["replay_per_second", name]))] = whole.decisions / seconds
    figures["replay_decisions"] = made
    figures["replay_fill_seconds"] = filling


if __name__ == "__main__":
    found: dict[str, float] = {}
    replay_per_second(found)
    for name, figure in found.items():
        print(f"{name:32}{figure:12.3f}")
