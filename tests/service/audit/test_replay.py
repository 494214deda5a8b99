"""Replay: what was recorded comes out the same, and whatever was changed since is told in its own words."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given

from benchmarks.replay import fill
from rules.assessment import Assessor
from rules.engines.reference import reference
from rules.fold import FOLD_VERSION
from rules.journal import Case
from rules.kept import finding_data
from rules.pack import Pack, pack_from_content
from service.audit import replay as replaying
from service.audit.canonical import canonical
from service.audit.replay import EXPLAINED, KINDS, Difference, KeptCase, Packs, Replay, replay, replay_decision
from service.audit.replaying import Tally, replay_region
from service.recording.record import judgements, todays
from service.store import Database, StoredDecision, StoredPack
from tests.helpers import SEEDS, assessor, entry, journal, pack, random_pair, reference_assessor, with_ids
from tests.service.audit.conftest import Tamper
from tests.service.postgresql import Urls
from tests.service.recording.conftest import REGION, Place
from tests.service.recording.making import LyingEngine, added, later_pack, recorded, with_engine

START = entry("2024-01-08", "activity_started", id="start", days_per_week=3, period_end="2024-12-31")
ASIDE = entry("2024-01-09", "advice_set_aside", id="aside", rule="tell-all-ktt-clients", reason="asiakas tietää jo")
END = entry("2024-02-01", "activity_ended", id="end", reason="coaching_started")
AGAIN = entry("2024-02-10", "coaching_resumed", id="again")
TODAY = date(2024, 2, 12)


def before() -> Case:
    """A client in activity."""
    return journal(START, ASIDE)


def after() -> Case:
    """The same with a step that is blocked and an entry that breaks its chart."""
    return added(before(), END, AGAIN)


def record() -> dict[str, Any]:
    """The decision of recording these."""
    return recorded(before(), after(), TODAY)


def differences(data: dict[str, Any], case: Case | None = None, by: Assessor | None = None) -> list[Difference]:
    """What differs when the record is judged again."""
    return list(replay(data, after() if case is None else case, by or assessor()))


def halves(seed: int) -> tuple[Case, Case, date]:
    """A random journal before and after something was recorded, and a day."""
    case, on, rng = random_pair(seed)
    case = with_ids(case)
    cut = rng.randrange(len(case.entries) + 1)
    known = {item.id for item in case.entries[:cut]}
    new = [e for e in case.entries[cut:] if e.type != "correction" or getattr(e, "voids", "") in known]
    start = case.with_entries(case.entries[:cut])
    return start, start.with_entries((*start.entries, *new[:4])), on


# --- the same again ---


@cache
def made_again(which: Callable[[], Pack]) -> tuple[Assessor, Assessor]:
    """The reference, and both engines, on a pack made again from what is kept of it."""
    again = pack_from_content(json.loads(which().canonical))
    return Assessor(again, reference), Assessor(again)


def test_the_example_has_all_there_is_to_go_wrong() -> None:
    data = record()
    assert [item["purpose"] for item in data["judgements"]] == ["step", "entry", "entry", "today"]
    assert data["acknowledged"]["rules"] == [
        "ktt-and-ot-not-ended-by-coaching",
        "ot-may-stay-after-ktt",
        "path-inconsistent",
    ]
    assert todays(data)["set_aside"] == {"tell-all-ktt-clients": "aside"}
    assert differences(data) == []


@given(SEEDS)
def test_whatever_was_recorded_comes_out_the_same(seed: int) -> None:
    """By the reference, and by both engines under a pack made again from what was kept of it."""
    start, then, on = halves(seed)
    for which in (pack, later_pack):
        data = recorded(start, then, on, by=Assessor(which(), reference))
        for judge in made_again(which):
            assert differences(data, then, judge) == []
            for item in judgements(data):
                found = judge.findings_for(item.subjects, item.as_of, item.set_aside, item.trigger)
                assert canonical([finding_data(one) for one in found]) == canonical(item.data["findings"])


def test_the_two_packs_judge_otherwise() -> None:
    case = added(journal(START), entry("2024-01-08", "activation_plan_updated", participants=["client"]))
    old, new = (recorded(journal(), case, TODAY, by=Assessor(p, reference)) for p in (pack(), later_pack()))
    assert old["pack"]["sha256"] != new["pack"]["sha256"]
    late = date(2024, 3, 20)
    judged = [
        {
            f["rule"]: f["outcome"]
            for f in todays(recorded(journal(), case, late, by=Assessor(p, reference)))["findings"]
        }
        for p in (pack(), later_pack())
    ]
    assert [item["plan-review-every-3-months"] for item in judged] == ["satisfied", "violated"]


# --- what was tampered with ---


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of everything in a record that is no list or mapping, empty ones included."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None or not value:
        yield path
    else:
        for key, item in items:
            yield from leaves(item, (*path, key))


def other(value: Any) -> Any:
    """A value of the same kind that is not the same."""
    if isinstance(value, bool):
        return not value
    if value is None:
        return "2024-01-31"
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        try:
            return (date.fromisoformat(value) + timedelta(days=1)).isoformat()
        except ValueError:
            return {"yes": "no", "no": "yes"}.get(value, f"{value}-x")
    return ["x"] if isinstance(value, list) else {"x": "x"}


def changed(data: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """The record with the value at a place changed."""
    found = copy.deepcopy(data)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = other(inner[path[-1]])
    return found


def test_every_value_judged_from_or_judged_is_found_when_it_is_changed() -> None:
    """Each fact, each finding, each advice, each state… one at a time."""
    data = record()
    judged = [("judgements",), ("advice",), ("breaks",), ("status",), ("entries",)]
    paths = [path for path in leaves(data) if path[:1] in judged or path[:2] == ("acknowledged", "rules")]
    assert len(paths) > 500
    silent = [path for path in paths if not [d for d in differences(changed(data, path)) if d.kind not in EXPLAINED]]
    assert silent == []


def test_a_list_with_something_taken_out_or_twice_in_is_found() -> None:
    data = record()
    for part in ("subjects", "findings", "entries", "inconsistent"):
        for number, item in enumerate(data["judgements"]):
            for position in range(len(item[part])):
                for edit in (lambda items, at: items.pop(at), lambda items, at: items.insert(at, items[at])):
                    broken = copy.deepcopy(data)
                    edit(broken["judgements"][number][part], position)
                    assert differences(broken) != [], (part, number, position)


def test_a_fact_tampered_with_is_told_by_what_it_makes_of_the_findings_and_by_the_journal() -> None:
    data = record()
    facts = todays(data)["subjects"][0]["facts"]
    assert facts["case.social_worker_assigned"] == "no"
    facts["case.social_worker_assigned"] = "yes"
    found = differences(data)
    assert {item.kind for item in found} == {"findings", "advice", "facts"}
    (told,) = [item for item in found if item.kind == "facts"]
    assert str(told) == (
        "as of 2024-02-12, case: the journal says otherwise than the facts that were kept: kept"
        ' {"case.social_worker_assigned": "yes"}, folded again {"case.social_worker_assigned": "no"}'
    )
    assert any("nobody-left-between-services" in item.where for item in found if item.kind == "findings")


def test_a_finding_tampered_with_is_told_with_its_rule_and_subject() -> None:
    data = record()
    (finding,) = [f for f in todays(data)["findings"] if f["rule"] == "nobody-left-between-services"]
    finding["outcome"] = "satisfied"
    (told,) = differences(data)
    assert (told.kind, told.where) == ("findings", "as of 2024-02-12, nobody-left-between-services, case")
    assert (told.kept, told.now) == ({"outcome": "satisfied"}, {"outcome": "violated"})


def test_a_number_in_place_of_a_yes_is_found_although_python_takes_them_for_equal() -> None:
    data = record()
    finding = todays(data)["findings"][0]
    finding["step"] = int(finding["step"])
    assert [item.kind for item in differences(data)] == ["findings"]


def test_findings_in_another_order_are_found() -> None:
    data = record()
    todays(data)["findings"].reverse()
    assert [item.kind for item in differences(data)] == ["findings"]


def test_an_acknowledgement_taken_away_or_put_in_is_found() -> None:
    data = record()
    data["acknowledged"] = None
    assert [item.kind for item in differences(data)] == ["acknowledged"]
    fine = recorded(before(), before(), TODAY)
    assert fine["acknowledged"] is None
    fine["acknowledged"] = {"rules": ["as-update-on-trial"], "reason": "x"}
    assert [item.kind for item in differences(fine, before())] == ["acknowledged"]


def test_an_entry_changed_in_the_journal_is_found() -> None:
    moved = added(before(), {**END, "reason": "period_over"}, AGAIN)
    assert {item.kind for item in differences(record(), moved)} == {"facts"}
    gone = added(before(), END)
    (told,) = differences(record(), gone)
    assert str(told) == "the journal of that time cannot be read again: the entries again are not in it"


@pytest.mark.parametrize("broken", [{}, {"v": 1}, {"v": 7}, {"v": 1, "judgements": "x"}, {"v": 1, "judgements": [7]}])
def test_what_is_no_record_is_told(broken: dict[str, Any]) -> None:
    (told,) = differences(broken)
    assert told.kind == "record"
    assert "cannot be read" in str(told)


# --- rules, folds and engines that changed ---


def test_another_pack_than_the_one_it_was_taken_under_judges_otherwise() -> None:
    plan = entry("2024-01-08", "activation_plan_updated", participants=["client", "social_worker", "employment_coach"])
    case, on = journal(START, plan), date(2024, 3, 20)
    data = recorded(journal(), case, on)
    found = differences(data, case, Assessor(later_pack(), reference))
    assert any("plan-review-every-3-months" in item.where for item in found if item.kind == "findings")


def test_a_fold_that_has_changed_since_explains_other_facts_and_nothing_else() -> None:
    data = record()
    data["fold"] = "0"
    assert differences(data) == []  # the fold is another, and reads the same
    for item in data["judgements"]:
        item["holds_until"] = "2024-02-20"
    found = differences(data)
    assert {item.kind for item in found} == {"fold"}
    assert "docs/fold-changelog.md" in str(found[0])
    assert Replay("d", "c", 2, tuple(found)).same
    # The findings must come out the same all the same.
    todays(data)["findings"][0]["outcome"] = "unknown"
    assert {item.kind for item in differences(data)} == {"fold", "findings"}


def test_the_fold_changelog_tells_of_the_fold_there_is() -> None:
    from pathlib import Path

    text = (Path(replaying.__file__).parents[2] / "docs" / "fold-changelog.md").read_text(encoding="utf-8")
    assert f"\n## {FOLD_VERSION}\n" in text


def test_what_was_left_undetermined_is_explained_once_the_engines_agree() -> None:
    data = recorded(before(), after(), TODAY, by=with_engine(LyingEngine))
    assert data["status"] == "undetermined"
    found = differences(data)
    assert {item.kind for item in found} == {"undetermined"}
    assert Replay("d", "c", 2, tuple(found)).same
    assert differences(data, by=with_engine(LyingEngine)) == []
    assert differences(data, by=reference_assessor()) != []


def test_engines_that_differ_now_are_told() -> None:
    found = differences(record(), by=with_engine(LyingEngine))
    assert {item.kind for item in found} == {"engines", "acknowledged"}
    assert "liar says violated" in str(found[0])


def test_every_kind_of_difference_has_its_own_words() -> None:
    words = {str(Difference(kind, "here", "a", "b")) for kind in KINDS}
    assert len(words) == len(KINDS)


# --- in the store ---

JOURNALS = 12


def random_journals(count: int) -> list[Case]:
    """Journals that can be recorded entry by entry."""
    found = []
    for seed in range(count):
        case, _, _ = random_pair(seed)
        case = with_ids(case).model_copy(update={"id": f"random-{seed}"})
        found.append(case.with_entries(e for e in case.entries if e.type != "correction"))
    return found


@pytest.fixture
def two_packs(database: Database) -> int:
    """Random journals recorded entry by entry by two versions of the pack; how many decisions there are."""
    by = [Assessor(pack(), reference), Assessor(later_pack(), reference)]
    return fill(database, "packs", random_journals(JOURNALS), by)


def whole(url: str, region: str, **options: Any) -> Tally:
    """The tally of everything."""
    tally = Tally()
    for share in replay_region(url, region, **options):
        tally.add(share)
    return tally


def test_all_decisions_of_two_packs_come_out_the_same(database: Database, urls: Urls, two_packs: int) -> None:
    tally = whole(urls.app, "packs")
    assert (tally.decisions, tally.cases, tally.differing, tally.explained) == (two_packs, JOURNALS, [], [])
    assert tally.same


def test_an_auditor_can_replay_in_two_processes_and_with_both_engines(urls: Urls, two_packs: int) -> None:
    tally = whole(urls.auditor, "packs", processes=2, both=True)
    assert (tally.decisions, tally.same) == (two_packs, True)


def test_what_the_recorder_recorded_comes_out_the_same(filled: Place, urls: Urls) -> None:
    tally = whole(urls.app, REGION, both=True)
    assert (tally.decisions, tally.cases, tally.same) == (12, 3, True)


def decision(database: Database, case_id: str = "case-1", version: int = 3) -> StoredDecision:
    """One decision of the store."""
    with database.read(REGION) as unit:
        (found,) = unit.decisions.of(case_id, version=version)
    return found


def replayed(database: Database, stored: StoredDecision, packs: Packs | None = None) -> Replay:
    """What replaying it comes to."""
    with database.read(REGION) as unit:
        return replay_decision(unit, stored, packs)


def test_one_decision_is_judged_by_both_engines(filled: Place) -> None:
    stored = decision(filled.database)
    found = replayed(filled.database, stored)
    assert found.as_json() == {
        "decision": stored.id,
        "case": "case-1",
        "version": 3,
        "same": True,
        "differences": [],
        "explained": [],
    }


def test_an_entry_altered_in_the_database_is_told(filled: Place, tamper: Tamper, urls: Urls) -> None:
    tamper("UPDATE entry SET payload = replace(payload, '2026-02-02', '2026-03-02') WHERE case_id = 'case-1'")
    found = replayed(filled.database, decision(filled.database))
    assert not found.same
    assert {item.kind for item in found.differences} == {"facts"}
    tally = whole(urls.app, REGION)
    assert {item.case for item in tally.differing} == {"case-1"}
    assert tally.decisions == 12


def test_an_entry_taken_out_of_the_database_is_told(filled: Place, tamper: Tamper) -> None:
    tamper("DELETE FROM entry WHERE case_id = 'case-1' AND version = 3")
    found = replayed(filled.database, decision(filled.database))
    assert {item.kind for item in found.differences} == {"journal"}


def test_an_entry_that_is_none_any_more_is_told(filled: Place, tamper: Tamper) -> None:
    tamper("UPDATE entry SET payload = replace(payload, 'days_per_week', 'days_per_weak') WHERE case_id = 'case-1'")
    found = replayed(filled.database, decision(filled.database))
    assert [str(item) for item in found.differences] == [
        "the journal of that time cannot be read again: an entry or the header is missing or was altered"
    ]


def test_a_header_taken_out_of_the_database_is_told(filled: Place, tamper: Tamper) -> None:
    tamper("UPDATE case_record SET header = NULL WHERE id = 'case-1'")
    assert {item.kind for item in replayed(filled.database, decision(filled.database)).differences} == {"journal"}


def test_a_header_altered_in_the_database_is_told(filled: Place, tamper: Tamper) -> None:
    tamper("""UPDATE case_record SET header = '{"id":"case-1","not_recorded":["consent_given"]}' WHERE id = 'case-1'""")
    assert {item.kind for item in replayed(filled.database, decision(filled.database)).differences} == {"facts"}


def test_a_header_changed_with_its_event_is_no_difference(filled: Place) -> None:
    header = {"id": "case-1", "not_recorded": ["coaching_info_given"]}
    filled.clock.advance(minutes=1)
    with filled.database.write(REGION) as unit:
        unit.cases.set_header("case-1", header)
        unit.events.append(filled.case("case-1"), "header_changed", {"v": 1, "case": header}, filled.clock())
    filled.clock.advance(minutes=1)
    filled.record(4, entry("2026-11-19", "need_assessed"), case_id="case-1")
    for version in range(1, 6):
        assert replayed(filled.database, decision(filled.database, version=version)).differences == ()


def test_a_pack_altered_in_the_database_is_told(filled: Place, tamper: Tamper) -> None:
    tamper("""UPDATE pack SET content = replace(content, '"value":3', '"value":4')""")
    (told,) = replayed(filled.database, decision(filled.database)).differences
    assert told.kind == "pack"
    assert f"the pack kept as {pack().sha256} was changed" in str(told)


def test_a_pack_that_is_gone_or_is_none_is_told(filled: Place, tamper: Tamper) -> None:
    tamper("UPDATE pack SET content = '{}'")
    assert "is none" in str(replayed(filled.database, decision(filled.database)).differences[0])
    tamper("DELETE FROM pack")
    (told,) = replayed(filled.database, decision(filled.database)).differences
    assert str(told) == f"the rules it was taken under cannot be used: no pack {pack().sha256} is kept"


def test_a_record_that_is_none_or_anothers_is_told(filled: Place) -> None:
    stored = decision(filled.database)
    for payload in ("", "[]", "{}", '{"pack":{"sha256":7}}', decision(filled.database, version=2).payload):
        (told,) = replayed(filled.database, replace(stored, payload=payload)).differences
        assert told.kind == "record"


def test_nothing_in_a_replay_names_a_person(filled: Place, tamper: Tamper, urls: Urls) -> None:
    from tests.service.audit.conftest import PLANTED

    tamper("UPDATE entry SET payload = replace(payload, '2026-02-02', '2026-03-02')")
    tally = whole(urls.app, REGION)
    assert not tally.same
    assert PLANTED not in json.dumps([item.as_json() for item in tally.differing])


def test_a_pack_is_made_once_for_many_decisions(filled: Place) -> None:
    asked: list[str] = []
    packs = Packs(reference)

    def kept(sha256: str) -> StoredPack | None:
        asked.append(sha256)
        with filled.database.read(REGION) as unit:
            return unit.packs.get(sha256)

    found = {id(packs.assessor(pack().sha256, kept)) for _ in range(3)}
    assert (len(found), asked) == (1, [pack().sha256])


def test_the_journal_of_each_version_is_as_it_was_then(filled: Place) -> None:
    with filled.database.read(REGION) as unit:
        kept = KeptCase(unit, "case-1")
        for stored in unit.decisions.of("case-1"):
            case = kept.at(stored.version, stored.recorded_at)
            assert case == unit.cases.load("case-1", stored.version)


@pytest.mark.soak
def test_ten_thousand_decisions_of_two_packs_come_out_the_same(database: Database, urls: Urls) -> None:
    """Random journals, by the reference in two processes; the rate is printed."""
    by = [Assessor(pack(), reference), Assessor(later_pack(), reference)]
    journals, made = random_journals(2_000), 0
    while made < 10_000:
        made += fill(database, "packs", [journals.pop()], [by[len(journals) % 2]])
    start = datetime.now(UTC)
    tally = whole(urls.app, "packs", processes=2)
    rate = tally.decisions / (datetime.now(UTC) - start).total_seconds()
    print(f"\npolku: {tally.decisions:,} decisions replayed, {rate:,.0f} a second")
    assert (tally.decisions, tally.differing, tally.explained) == (made, [], [])
