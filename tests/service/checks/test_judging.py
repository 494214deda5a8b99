"""Facts judged set at a time come to what each case comes to alone, in every field; and the file is whole or not there.

Facts are drawn from the vocabulary, whatever any journal could lead to: unknown, absent, days around every limit.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rules.assessment import Assessor
from rules.engines.reference import reference
from rules.facts import FACTS, KINDS, UNKNOWN, Fact, Value
from rules.findings import Finding, Judge, SetAside
from rules.fold import FOLD_VERSION, Subject
from rules.pack import Pack
from service.checks.errors import CheckError
from service.checks.facts import FactsWriter
from service.checks.judging import ALL, OPEN, Judged, judge
from tests.helpers import SEED, pack
from tests.rules.test_packing import LATEST, TEXT, Data, Folder, changing, parameter, rule, with_parameters

TODAY = date(2024, 3, 31)
MANY = 300
WRITTEN = ("violated", "advised", "unknown")
#: A finding: case, rule, kind, entry, outcome, severity, due, missing, judged_on, action, role, set_aside, is_step.
Row = tuple[object, ...]


# --- cases drawn from the vocabulary ---


class Drawn:
    """A case of facts drawn at random, and the advice someone set aside."""

    def __init__(self, rng: random.Random, number: int, day: date, asked: Pack) -> None:
        self.id = f"case-{number}"
        self.municipality = rng.choice(("Lahti", "Hollola", None))
        common = {name: drawn(rng, fact, day) for name, fact in FACTS.items() if fact.kind == "case"}
        if rng.random() < 0.6:  # rules speak of cases in view; drawn evenly, hardly any would be
            common |= {"case.in_view": "yes", "case.stage": rng.choice(("activity", "coaching", "employment"))}
        self.subjects = [Subject("case", None, current=True, ended=False, proposed=False, facts=dict(common))]
        for kind in KINDS[1:]:
            for _ in range(rng.choice((0, 1, 1, 2))):
                own = {name: drawn(rng, fact, day) for name, fact in FACTS.items() if fact.kind == kind}
                if f"{kind}.in_view" in own and rng.random() < 0.7:
                    own[f"{kind}.in_view"] = "yes"
                current, ended = rng.random() < 0.9, rng.random() < 0.3
                entry = f"e{len(self.subjects)}"
                subject = Subject(kind, entry, current=current, ended=ended, proposed=False, facts={**common, **own})
                self.subjects.append(subject)
        ids = sorted({item.id for item in asked.editions[0].rules})
        chosen = rng.sample(ids, min(len(ids), rng.choice((0, 0, 1, 3, 20))))
        untils = (None, day, day - timedelta(days=1), day + timedelta(days=9))
        self.latest = {name: SetAside(f"s{place}", "reason", rng.choice(untils)) for place, name in enumerate(chosen)}

    def findings(self, asked: Pack, day: date) -> list[Finding]:
        """What the reference engine finds for it."""
        standing = {name: item for name, item in self.latest.items() if item.until is None or item.until >= day}
        current = [subject for subject in self.subjects if subject.current]
        copies = [Subject(s.kind, s.entry, s.current, s.ended, s.proposed, dict(s.facts)) for s in current]
        return Judge(asked, reference, day, standing).findings(copies)


def drawn(rng: random.Random, fact: Fact, day: date) -> Value:
    """Any value of a fact; days lie around the evaluation date, some by whole months."""
    if fact.may_be_unknown and rng.random() < 0.12:
        return UNKNOWN
    if fact.type == "number":
        return rng.randint(0, 6)
    if fact.type != "date":
        return rng.choice([value for value in fact.values if value != UNKNOWN])
    if rng.random() < 0.3:
        return None
    near = day - timedelta(days=rng.choice((0, 14, 30, 31, 61, 91, 92, 182, 365, 366, 730, 1500)))
    return near + timedelta(days=rng.randint(-2, 2)) * rng.choice((1, 1, 40))


def facts_of(cases: Sequence[Drawn], asked: Pack, folder: Path, day: date, *, parts: int = 1) -> list[Path]:
    """The cases as parts of a facts folder."""
    writers = [FactsWriter(folder / f"part-{number}", asked) for number in range(parts)]
    for number, case in enumerate(cases):
        head = (number, case.id, case.municipality, "1", day, date.max)
        writers[number % parts].put(head, case.subjects, case.latest)
    for writer in writers:
        writer.close()
    return [writer.folder for writer in writers]


def expected(cases: Iterable[Drawn], asked: Pack, day: date) -> Counter[Row]:
    """Every finding, case by case."""
    return Counter(
        (case.id, case.municipality, item.rule.id, item.subject.kind, item.subject.entry, item.outcome,
         item.rule.severity, item.due, tuple(sorted(item.missing)), item.judged_on, item.action, item.rule.role,
         item.set_aside and item.set_aside.entry, item.gives_step)
        for case in cases
        for item in case.findings(asked, day)
    )  # fmt: skip


def read(path: Path) -> Counter[Row]:
    """The findings of a file."""
    columns = (
        '"case", municipality, rule, subject_kind, subject_entry, outcome, severity, due, missing, judged_on, action, '
        "role, set_aside, is_step"
    )
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT {columns} FROM read_parquet(?)", [str(path)]).fetchall()
    return Counter((*row[:8], tuple(row[8]), *row[9:]) for row in rows)


def compare(cases: Sequence[Drawn], asked: Pack, day: date, folder: Path) -> tuple[Counter[Row], Judged]:
    """Holds all findings against the reference; returns them."""
    parts = facts_of(cases, asked, folder, day, parts=2)
    judged = judge(parts, asked, day, folder / "findings.parquet", outcomes=ALL)
    found, wanted = read(folder / "findings.parquet"), expected(cases, asked, day)
    assert list((wanted - found).elements())[:3] == [], f"not found (POLKU_SEED={SEED})"
    assert list((found - wanted).elements())[:3] == [], f"found besides (POLKU_SEED={SEED})"
    assert judged.cases == len(cases)
    assert judged.findings == found.total()
    assert judged.counts == total(wanted, 2, 5)
    assert judged.by_role == total(wanted, 11, 5)
    return found, judged


def total(rows: Counter[Row], *fields: int) -> dict[Row, int]:
    found: Counter[Row] = Counter()
    for row, number in rows.items():
        found[tuple(row[field] for field in fields)] += number
    return dict(found)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def cases_on(day: date, asked: Pack, count: int) -> list[Drawn]:
    rng = random.Random(f"{SEED} {day}")
    return [Drawn(rng, number, day, asked) for number in range(count)]


def cases_of_every_rule(day: date, asked: Pack) -> list[Drawn]:
    """So many cases that every rule in force speaks of one; some rules are spoken of in one case of a hundred."""
    rng, cases = random.Random(f"{SEED} {day}"), list[Drawn]()
    unspoken = {item.id for item in asked.rules(day)}
    while len(cases) < MANY or (unspoken and len(cases) < 20 * MANY):
        cases.append(Drawn(rng, len(cases), day, asked))
        unspoken -= {item.rule.id for item in cases[-1].findings(asked, day)}
    return cases


# --- every rule ---


@pytest.mark.parametrize("day", [TODAY, date(2019, 12, 31), date(2025, 1, 1)])
def test_every_field_of_every_finding_is_the_references(day: date, tmp_path: Path) -> None:
    found, _ = compare(cases_of_every_rule(day, pack()), pack(), day, tmp_path)
    if day == TODAY:
        outcomes = {row[5] for row in found}
        assert outcomes == {*WRITTEN, "satisfied", "remedied"}
        in_force = {item.id for item in pack().rules(day)}
        never = in_force - {row[2] for row in found}
        assert never == set(), "no case was drawn that these rules speak of"
        assert any(len(row[8]) > 1 for row in found if isinstance(row[8], tuple))
        assert {row[13] for row in found} == {True, False}


def test_what_is_open_is_written_and_all_is_counted(tmp_path: Path) -> None:
    cases = cases_on(TODAY, pack(), 60)
    parts = facts_of(cases, pack(), tmp_path, TODAY)
    judged = judge(parts, pack(), TODAY, tmp_path / "open.parquet")
    wanted = expected(cases, pack(), TODAY)
    assert read(tmp_path / "open.parquet") == Counter({row: n for row, n in wanted.items() if row[5] in WRITTEN})
    assert judged.counts == total(wanted, 2, 5)
    counted = judge(parts, pack(), TODAY, None)
    assert counted == judged


# --- packs with other forms ---


def held(item: str, **changes: object) -> Data:
    return rule(item, **{"about": "trial", "when": {"trial.running": "yes"}, **changes})


def small_packs() -> Iterator[tuple[str, list[Data], Mapping[str, object]]]:
    """Packs that hold what the published one does not: what it is, its rules, its head."""
    limit: Data = {"holds": None, "limit": "trial.latest_end", "advise_before": 30}
    parameters = with_parameters(longest=changing(12, 6, "2023-07-01"))
    by_event = held("by-event", event="trial.started_on", **limit)
    by_today = held("by-today", **limit)
    yield "values by the event's day", [by_event, by_today], {"parameters": parameters, "derived": LATEST}
    days = {**LATEST, "trial.by": {"add_workdays": ["trial.latest_end", "case.workdays"], "label": TEXT}}
    counted = {**parameters, "case.workdays": parameter(3, unit="workdays")}
    by_workday = held("by-workday", event="trial.started_on", **{**limit, "limit": "trial.by"})
    yield "working days after another deadline", [by_workday], {"parameters": counted, "derived": days}
    old = held("twice", valid={"from": date(2020, 1, 1), "to": date(2024, 1, 31)}, severity="quality")
    new = held("twice", valid={"from": date(2024, 2, 1)}, action="plan_after_trial", role="job_coach")
    dated = [{**item, "event": "trial.started_on"} for item in (old, new)]
    yield "versions of a rule", [old, new], {}
    yield "versions of a rule by its event's day", dated, {}
    ended = held("ended", event="trial.ended_on", about_ending="yes")
    actions = [
        {"when": {"trial.started_on": {"reached": 0}}, "action": "plan_after_trial"},
        {"when": {"case.interest": "yes"}, "action": "agree_job"},
    ]
    yield "actions that differ", [ended, held("acts", actions=actions, holds={"case.interest": "no"})], {}


def waves() -> list[Data]:
    """Rules that build on findings of other kinds, of each other, and on whether there is any step."""
    trial = held("about-trials", holds={"trial.endorsements": "yes"})
    first = rule("on-trials", when={"finding.about-trials": ["violated", "satisfied"]}, holds={"case.interest": "yes"})
    second = rule("on-that", when={"finding.on-trials": {"not": "satisfied"}}, holds=None, advise="open")
    unsure = rule("unless-unknown", when={"finding.about-trials": ["unknown", "violated"]}, holds=None, advise="open")
    broken = rule("if-violated", when={"finding.about-trials": "violated"}, holds=None, advise="open")
    last = rule("no-step", when={"finding.any_step": "no"}, holds=None, advise="open", event="case.wish_on")
    return [trial, first, second, unsure, broken, last]


@pytest.mark.parametrize(("rules", "head"), [item[1:] for item in small_packs()], ids=[i[0] for i in small_packs()])
def test_packs_of_other_forms_are_judged_alike(
    folder: Folder, tmp_path: Path, rules: list[Data], head: dict[str, object]
) -> None:
    small = folder.load(*rules, **head)
    found, _ = compare(cases_on(TODAY, small, 2 * MANY), small, TODAY, tmp_path)
    assert {row[2] for row in found} == {item["id"] for item in rules}


@pytest.mark.parametrize(("rules", "head"), [item[1:] for item in small_packs()], ids=[i[0] for i in small_packs()])
def test_values_and_versions_turn_on_the_very_day(
    folder: Folder, tmp_path: Path, rules: list[Data], head: dict[str, object]
) -> None:
    small = folder.load(*rules, **head)
    cases = cases_on(TODAY, small, 60)
    turns = (date(2023, 7, 1), date(2024, 2, 1), date(2020, 1, 1))
    days = [turn + timedelta(days=near) for turn in turns for near in (-1, 0, 1)]
    for number, case in enumerate(cases):
        for subject in case.subjects:
            if subject.kind == "trial":
                on = days[number % len(days)]
                subject.facts.update({"trial.started_on": on, "trial.running": "yes", "trial.in_view": "yes"})
    compare(cases, small, TODAY, tmp_path)


def test_rules_that_build_on_findings_are_judged_alike(folder: Folder, tmp_path: Path) -> None:
    small = folder.load(*waves())
    found, _ = compare(cases_on(TODAY, small, 2 * MANY), small, TODAY, tmp_path)
    assert {row[2] for row in found} == {item["id"] for item in waves()}
    assert any("finding.about-trials" in str(row[8]) for row in found), "a finding is what is missing"


def test_a_later_rule_is_judged_by_the_values_of_its_events_day(folder: Folder, tmp_path: Path) -> None:
    derived = {"case.wish_until": {"add_months": ["case.wish_on", "case.longest"], "label": TEXT}}
    limit = {"holds": None, "limit": "case.wish_until", "advise_before": 30, "event": "case.wish_on"}
    when = {"finding.first": ["violated", "satisfied", "unknown"]}
    later = rule("later", when=when, **limit)
    parameters = with_parameters(longest=changing(12, 6, "2023-07-01"))
    small = folder.load(rule("first"), later, parameters=parameters, derived=derived)
    found, _ = compare(cases_on(TODAY, small, 2 * MANY), small, TODAY, tmp_path)
    assert {row[5] for row in found if row[2] == "later"} > {"violated", "satisfied"}


def test_a_deadline_of_every_operation_is_judged_alike(folder: Folder, tmp_path: Path) -> None:
    dates = ["activity.followed_up_on", "case.interest_asked_on", "activity.started_on"]
    derived: Data = {
        "activity.first": {"first_given": dates},
        "activity.earliest": {"earliest": dates},
        "activity.latest": {"latest": dates},
        "activity.by": {"add_days": ["activity.first", "case.days"]},
        "activity.is_late": {"is_after": ["activity.earliest", "activity.latest"]},
        "activity.in_time": {"timeliness": ["activity.by", "activity.latest", "case.interest_asked_on"]},
    }
    derived = {name: {**item, "label": TEXT} for name, item in derived.items()}
    rules = [
        rule(f"by-{name}", about="activity", when={}, holds=None, limit=f"activity.{name}", advise_before="when_due")
        for name in ("first", "earliest", "latest", "by")
    ]
    rules.append(rule("late", about="activity", when={}, holds={"activity.is_late": "yes"}))
    done = {"limit": "activity.by", "done": "activity.in_time"}
    rules.append(rule("done", about="activity", when={}, holds=None, **done))
    parameters = with_parameters(days=parameter(10, unit="days"))
    small = folder.load(*rules, parameters=parameters, derived=derived)
    found, _ = compare(cases_on(TODAY, small, 2 * MANY), small, TODAY, tmp_path)
    assert {row[2] for row in found} == {item["id"] for item in rules}


# --- files ---


def test_the_file_says_what_it_rests_on_and_is_its_owners(tmp_path: Path) -> None:
    parts = facts_of(cases_on(TODAY, pack(), 5), pack(), tmp_path, TODAY)
    out = tmp_path / "it's findings.parquet"
    judge(parts, pack(), TODAY, out, program="polku 9")
    marks = {key.decode(): value.decode() for key, value in pq.read_metadata(out).metadata.items()}
    assert marks.items() >= {
        "pack_sha256": pack().sha256, "fold_version": FOLD_VERSION, "program": "polku 9", "as_of": "2024-03-31",
    }.items()  # fmt: skip
    assert out.stat().st_mode & 0o777 == 0o600
    row = pq.read_table(out).to_pylist()[0]
    assert (row["pack"], row["pack_version"], row["as_of"]) == (pack().id, pack().version, TODAY)


def test_cases_that_were_dropped_are_left_out(tmp_path: Path) -> None:
    cases = cases_on(TODAY, pack(), 40)
    parts = facts_of(cases, pack(), tmp_path, TODAY, parts=3)
    pq.write_table(pa.table({"case_no": pa.array([0, 1, 7, 39, 1000], pa.int64())}), tmp_path / "dropped.parquet")
    judged = judge(parts, pack(), TODAY, tmp_path / "f.parquet", outcomes=ALL, dropped=tmp_path / "dropped.parquet")
    left = [case for number, case in enumerate(cases) if number not in (0, 1, 7, 39)]
    assert judged.cases == len(left)
    assert read(tmp_path / "f.parquet") == expected(left, pack(), TODAY)


@pytest.mark.parametrize("parts", [0, 1])
def test_no_cases_have_no_findings(tmp_path: Path, parts: int) -> None:
    found = facts_of([], pack(), tmp_path, TODAY, parts=parts)
    judged = judge(found, pack(), TODAY, tmp_path / "none.parquet")
    assert (judged.cases, judged.findings, judged.counts) == (0, 0, {})
    table = pq.read_table(tmp_path / "none.parquet")
    assert table.num_rows == 0
    assert table.column_names[:3] == ["case", "municipality", "rule"]


@pytest.mark.parametrize(("folded", "until"), [(1, 9), (-9, -1)])
def test_facts_that_do_not_hold_on_the_date_are_refused(tmp_path: Path, folded: int, until: int) -> None:
    writer = FactsWriter(tmp_path / "part-0", pack())
    days = (TODAY + timedelta(days=folded), TODAY + timedelta(days=until))
    case = cases_on(TODAY, pack(), 1)[0]
    writer.put((0, case.id, None, "1", *days), case.subjects, {})
    writer.close()
    with pytest.raises(CheckError, match="the facts of 1 of 1 cases do not hold on 2024-03-31"):
        judge([writer.folder], pack(), TODAY, tmp_path / "out.parquet")
    assert not list(tmp_path.glob("*out.parquet*"))
    for edge in days:
        assert judge([writer.folder], pack(), edge, None).cases == 1


def test_a_file_that_is_no_parquet_is_refused_and_what_was_there_stays(tmp_path: Path) -> None:
    parts = facts_of(cases_on(TODAY, pack(), 3), pack(), tmp_path, TODAY)
    out = tmp_path / "out.parquet"
    judge(parts, pack(), TODAY, out)
    before = out.read_bytes()
    (parts[0] / "trial.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(CheckError, match=r"could not be judged.*trial\.parquet"):
        judge(parts, pack(), TODAY, out)
    assert out.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.parquet"]


def test_findings_of_journals_are_the_assessors(tmp_path: Path) -> None:
    """Facts as the fold makes them, by way of the writer of facts."""
    from rules.journal import case_from_data
    from service.checks.facts import CaseFolder
    from tests.oracle.generate import random_case

    rng, folder, writer = random.Random(SEED), CaseFolder(pack(), TODAY), FactsWriter(tmp_path / "part-0", pack())
    assessor, wanted = Assessor(pack(), reference), Counter[Row]()
    for number in range(60):
        document = random_case(rng)
        document["case"]["id"] = f"case-{number}"
        case = case_from_data(document)
        facts = folder.fold(case)
        writer.add(number, case, "1", facts.folded, facts.set_aside, facts.holds_until)
        wanted.update((case.id, item.rule.id, item.outcome) for item in assessor.findings(case, TODAY)[1])
    writer.close()
    judge([writer.folder], pack(), TODAY, tmp_path / "f.parquet", outcomes=ALL, threads=1, memory_limit="300MB")
    assert total(read(tmp_path / "f.parquet"), 0, 2, 5) == dict(wanted)


def test_open_is_less_than_all() -> None:
    assert ALL < OPEN
