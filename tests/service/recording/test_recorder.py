"""Recording on both databases: all or none, nothing lost, nothing doubled, and why it was done kept beside it."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from rules.findings import SetAside
from rules.fold import fold
from rules.kept import subjects_data
from service.audit.canonical import canonical
from service.audit.chain import NOTHING_BEFORE, digest_of
from service.kept_facts import made_by, taken
from service.operations.metrics import ENGINE_DIFFERENCES
from service.recording.alarms import tell_alarm
from service.recording.errors import (
    CaseExists,
    CaseGone,
    CaseNotFound,
    KeyReused,
    NeedsAcknowledgement,
    NotAllowed,
    PreconditionFailed,
    Refused,
)
from service.recording.recorder import Recorded, Recorder
from service.store import Account, Database, StoredDecision
from tests.helpers import assessor, day, entry, pack
from tests.service.recording.conftest import REGION, Place, worker
from tests.service.recording.making import FailingEngine, LyingEngine, with_engine

Meanwhile = Callable[[Callable[[], object]], Recorder]

TRIAL = entry("2026-11-20", "work_trial_started", arrangement="activity_ended", planned_end="2027-01-15")
NEED = entry("2026-11-20", "need_assessed")
TRIAL_RULES = ["as-update-on-trial", "ov-checks-endorsements-at-trial"]


def whole(place: Place, case_id: str = "case-1") -> list[tuple[str, int]]:
    """The kinds and versions of the links of a case's chain, which must be whole, with every record in its place."""
    chain = place.case(case_id).chain
    found, prev = [], NOTHING_BEFORE
    with place.database.read(REGION) as unit:
        for seq, kept in enumerate(unit.chains.records(chain), start=1):
            link = kept.link
            assert (link.seq, link.prev, link.hash) == (seq, prev, hashlib.sha256(link.body).hexdigest())
            assert kept.salt is not None
            assert kept.payload is not None
            assert digest_of(kept.salt, kept.payload.encode()) == link.digest
            prev = link.hash
            found.append((link.kind, link.version))
    return found


def decisions(place: Place, case_id: str = "case-1") -> list[StoredDecision]:
    """A case's decisions."""
    with place.database.read(REGION) as unit:
        return unit.decisions.of(case_id, limit=10_000)


# --- what is written ---


def test_a_case_is_opened_with_its_decision(place: Place) -> None:
    opened = place.open(NEED)
    assert (opened.version, opened.replayed, opened.record["entries"]) == (1, False, ["e1", "e2", "e3"])
    assert opened.record["recorded_by"] == {
        "user": "w-1",
        "organisation": "county-1",
        "role": "social_worker",
        "relation": "assigned",
    }
    assert whole(place) == [("opened", 1), *[("entry", 1)] * 3, ("decision", 1)]
    stored = place.case()
    assert (stored.version, stored.organisation, stored.team, stored.header) == (
        1,
        "county-1",
        "team-1",
        {"id": "case-1"},
    )


def test_each_list_is_one_version_with_one_decision(place: Place) -> None:
    place.open()
    second = place.record(1, NEED, entry("2026-11-20", "interest_asked", wants_to_work="yes"))
    third = place.record(2, entry("2026-11-20", "coaching_info_given"))
    assert (second.version, third.version, place.case().version) == (2, 3, 3)
    assert whole(place)[4:] == [("entry", 2), ("entry", 2), ("decision", 2), ("entry", 3), ("decision", 3)]
    assert [item.version for item in decisions(place)] == [1, 2, 3]
    (kept,) = [item for item in decisions(place) if item.version == 2]
    assert json.loads(kept.payload) == second.record
    assert kept.payload == canonical(second.record).decode()
    assert (kept.id, kept.recorded_by, kept.status, kept.acknowledged) == (
        second.record["id"],
        "w-1",
        "determined",
        False,
    )


def test_entries_are_kept_with_the_time_and_role_the_service_knows(place: Place) -> None:
    place.open()
    place.record(1, NEED)
    with place.database.read(REGION) as unit:
        (kept,) = [row for row in unit.cases.journal("case-1") if row.version == 2]
    assert json.loads(kept.payload) == {
        **NEED,
        "id": "e3",
        "by": "social_worker",
        "recorded_at": "2026-11-20T10:00:00+00:00",
    }


def test_what_lists_need_is_read_off_the_journal(place: Place) -> None:
    with place.database.write(REGION) as unit:
        unit.accounts.put(Account("w-2", "area-1", "employment_area", "coaches", ("employment_coach",), False, "x"))
    consent = entry("2026-02-01", "consent_given", scope="provider", parties=["provider-1"], expires_on="2026-12-31")
    place.open(consent)
    place.record(1, entry("2026-11-20", "case_closed", reason="moved"))
    stored = place.case()
    with place.database.read(REGION) as unit:
        ties = unit.cases.ties(stored)
        facts = unit.facts.get("case-1")
    assert [(w.worker, w.role, w.team) for w in ties.workers] == [
        ("w-1", "social_worker", None),
        ("w-2", "employment_coach", "coaches"),
    ]
    assert [(p.party, str(p.until_day)) for p in ties.parties] == [("provider-1", "2026-12-31")]
    assert stored.closed_on == "2026-11-20"
    assert facts is not None
    assert (facts.version, facts.pack_sha256, facts.as_of) == (2, pack().sha256, "2026-11-20")
    assert facts.fold == made_by("polku test")
    place.record(2, entry("2026-11-20", "case_reopened", reason="other"))
    assert place.case().closed_on is None


def test_a_case_whose_closing_is_dated_ahead_is_open_until_that_day(place: Place) -> None:
    place.open(entry("2026-11-25", "case_closed", reason="moved"))
    assert place.case().closed_on == "2026-11-25"
    for closed in (False, True):
        with place.database.read(REGION) as unit:
            shown = {
                wanted: [case.id for case, _ in unit.cases.page(worker(), place.clock(), {"assigned"}, closed=wanted)]
                for wanted in (True, False)
            }
        assert shown == {closed: ["case-1"], not closed: []}
        place.clock.advance(days=5)


def test_the_facts_kept_are_those_of_today(place: Place) -> None:
    place.open(entry("2026-02-01", "activity_started", days_per_week=3))
    place.record(1, entry("2026-11-20", "initiative_taken", service="coaching"))
    with place.database.read(REGION) as unit:
        facts, case = unit.facts.get("case-1"), unit.cases.load("case-1")
    assert facts is not None
    folded = fold(assessor().history(case, day("2026-11-20")), day("2026-11-20"))
    assert json.loads(facts.facts) == {"subjects": subjects_data(folded.subjects), "set_aside": {}}
    assert facts.holds_until == folded.holds_until.isoformat()


def test_the_facts_kept_hold_no_longer_than_until_the_next_entry_dated_ahead(place: Place) -> None:
    place.open(entry("2026-02-01", "activity_started", days_per_week=3))
    aside = entry("2026-11-19", "advice_set_aside", rule="next-keep-contact", reason="secret words", until="2026-12-01")
    ahead = entry("2026-11-25", "initiative_taken", service="coaching")
    place.record(1, aside, ahead)
    with place.database.read(REGION) as unit:
        kept = unit.facts.get("case-1")
    assert kept is not None
    assert kept.holds_until == "2026-11-24"
    assert "secret words" not in kept.facts
    facts = taken(kept)
    assert (facts.folded_on, facts.holds_until) == (day("2026-11-20"), day("2026-11-24"))
    assert facts.set_aside == {"next-keep-contact": SetAside("e4", "", day("2026-12-01"))}


def test_the_pack_that_judged_is_kept(place: Place) -> None:
    record = place.open().record
    with place.database.read(REGION) as unit:
        kept = unit.packs.get(record["pack"]["sha256"])
    assert kept is not None
    assert kept.content.encode() == pack().canonical


def test_decisions_have_ids_that_sort_by_time(place: Place) -> None:
    ids = [place.open().record["id"]]
    for version in range(1, 6):
        place.clock.advance(seconds=1)
        ids.append(place.record(version, NEED).record["id"])
    assert ids == sorted(ids)
    assert len(set(ids)) == 6


# --- all or none ---


def test_one_mistake_keeps_the_whole_list_out(place: Place) -> None:
    place.open()
    before = whole(place)
    with pytest.raises(Refused) as refused:
        place.record(1, NEED, entry("2026-11-31", "need_assessed"), entry("2026-11-20", "correction", voids="e9"))
    assert [problem.place for problem in refused.value.problems] == ["entries[1].date", "entries[2].voids"]
    assert (place.case().version, whole(place)) == (1, before)


def test_a_correction_may_void_what_is_kept(place: Place) -> None:
    place.open(NEED)
    place.record(1, entry("2026-11-20", "correction", voids="e3"))
    with pytest.raises(Refused) as refused:
        place.record(2, entry("2026-11-20", "need_assessed", id="e3"))
    assert [problem.place for problem in refused.value.problems] == ["entries[0].id"]


# --- who ---


def test_a_case_that_is_not_there_and_one_of_others_are_not_told_apart(place: Place) -> None:
    place.open()
    for case_id, by in (
        ("case-2", worker()),
        ("case-1", worker("w-9", team="team-9")),
        ("a\x00b", worker()),
        ("", worker()),
    ):
        with pytest.raises(CaseNotFound):
            place.record(1, NEED, case_id=case_id, by=by)


def test_someone_of_the_team_records_in_that_relation(place: Place) -> None:
    place.open()
    assert place.record(1, NEED, by=worker("w-7")).record["recorded_by"]["relation"] == "team"


def test_what_the_role_may_not_record_is_told_with_its_place(place: Place) -> None:
    place.open(entry("2026-02-01", "activity_started", id="start", days_per_week=3))
    instructor = worker("w-5", "activity_instructor")
    with pytest.raises(NotAllowed) as refused:
        place.record(1, NEED, entry("2026-11-20", "coaching_info_given"), entry("x", "no_such_type"), by=instructor)
    assert [problem.place for problem in refused.value.problems] == ["entries[0].type"]
    with pytest.raises(NotAllowed) as refused:
        place.record(1, entry("2026-11-20", "correction", voids="e1"), by=instructor)
    assert [problem.place for problem in refused.value.problems] == ["entries[0].voids"]
    ours = entry("2026-11-20", "correction", voids="start")
    assert place.record(1, ours, by=instructor).version == 2


def test_only_roles_that_may_open_cases_do(place: Place) -> None:
    with pytest.raises(NotAllowed):
        place.open(by=worker("w-3", "job_coach"))


def test_a_case_id_is_taken_once(place: Place) -> None:
    place.open()
    with pytest.raises(CaseExists):
        place.open(by=worker("w-9", team="team-9"))
    assert whole(place) == [("opened", 1), ("entry", 1), ("entry", 1), ("decision", 1)]


def test_nothing_is_recorded_in_a_case_disposed_of(place: Place, owner: Database) -> None:
    place.open()
    with owner.write(REGION) as unit:
        unit.events.append(place.case(), "disposed", {"v": 1}, place.clock())
        unit.cases.dispose("case-1", place.clock())
    with pytest.raises(CaseGone):
        place.record(1, NEED)


# --- versions ---


def test_an_older_or_newer_version_is_refused_with_the_current_one(place: Place) -> None:
    place.open()
    place.record(1, NEED)
    for expected in (1, 3):
        with pytest.raises(PreconditionFailed) as failed:
            place.record(expected, NEED)
        assert failed.value.current == 2
    assert place.case().version == 2


def test_who_records_first_wins_and_the_other_is_told(place: Place, meanwhile: Meanwhile) -> None:
    place.open()
    slow = meanwhile(lambda: place.record(1, NEED, by=worker("w-7")))
    with pytest.raises(PreconditionFailed) as failed:
        place.record(1, NEED, recorder=slow)
    assert failed.value.current == 2
    assert [item.recorded_by for item in decisions(place)] == ["w-1", "w-7"]


def test_a_case_closed_to_someone_while_they_record_stays_as_it_was(place: Place, meanwhile: Meanwhile) -> None:
    place.open()

    def restrict() -> None:
        with place.database.write(REGION) as unit:
            unit.cases.set_restricted("case-1", True)

    with pytest.raises(CaseNotFound):
        place.record(1, NEED, by=worker("w-7"), recorder=meanwhile(restrict))
    assert (place.case().version, len(decisions(place))) == (1, 1)


def test_a_header_changed_meanwhile_is_judged_anew(place: Place, meanwhile: Meanwhile) -> None:
    place.open()

    def change() -> None:
        with place.database.write(REGION) as unit:
            unit.cases.set_header("case-1", {"id": "case-1", "not_recorded": ["worker_assigned"]})

    with pytest.raises(PreconditionFailed) as failed:
        place.record(1, NEED, recorder=meanwhile(change))
    assert failed.value.current == 1
    assert place.record(1, NEED).version == 2


# --- acknowledgements ---


def test_a_blocked_step_is_recorded_once_it_is_acknowledged_and_stands_on_the_leaders_list(place: Place) -> None:
    place.open()
    with pytest.raises(NeedsAcknowledgement) as needs:
        place.record(1, TRIAL)
    assert list(needs.value.rules) == TRIAL_RULES
    assert [(f.rule.id, f.subject.entry) for f in needs.value.findings] == [(rule, "e3") for rule in TRIAL_RULES]
    assert place.case().version == 1
    with pytest.raises(NeedsAcknowledgement):
        place.record(1, TRIAL, acknowledged={"rules": TRIAL_RULES[:1], "reason": "työnantaja ehti aloittaa"})
    done = place.record(1, TRIAL, acknowledged={"rules": TRIAL_RULES, "reason": "työnantaja ehti aloittaa"})
    assert done.record["acknowledged"] == {"rules": TRIAL_RULES, "reason": "työnantaja ehti aloittaa"}
    with place.database.read(REGION) as unit:
        listed = unit.decisions.acknowledged(team=("county-1", "team-1"))
        elsewhere = unit.decisions.acknowledged(team=("county-1", "team-2"))
    assert [item.id for item in listed] == [done.record["id"]]
    assert elsewhere == []


def test_a_broken_chart_is_recorded_once_it_is_acknowledged(place: Place) -> None:
    place.open()
    pause = entry("2026-11-20", "activity_paused", reason="illness")
    with pytest.raises(NeedsAcknowledgement) as needs:
        place.record(1, pause)
    assert list(needs.value.rules) == ["path-inconsistent"]
    assert [(item.entry, item.reason) for item in needs.value.breaks] == [("e3", "no_row")]
    covered = {"rules": ["path-inconsistent"], "reason": "alku on toisessa järjestelmässä"}
    done = place.record(1, pause, acknowledged=covered)
    assert (done.record["breaks"], decisions(place)[-1].acknowledged) == ([["e3", "no_row"]], True)
    # The next step is not asked about the same entry again.
    assert place.record(2, NEED).record["acknowledged"] is None


def test_an_acknowledgement_of_nothing_is_not_kept(place: Place) -> None:
    place.open()
    done = place.record(1, NEED, acknowledged={"rules": TRIAL_RULES, "reason": "varmuuden vuoksi"})
    assert done.record["acknowledged"] is None
    assert "varmuuden" not in json.dumps(done.record)
    assert decisions(place)[-1].acknowledged is False


def test_a_wrong_acknowledgement_is_told_with_its_place(place: Place) -> None:
    place.open()
    with pytest.raises(Refused) as refused:
        place.record(1, TRIAL, acknowledged={"rules": ["as-update"], "reason": ""})
    assert [problem.place for problem in refused.value.problems] == ["acknowledged.rules[0]", "acknowledged.reason"]


# --- the same request twice ---


def test_a_request_repeated_is_answered_alike_and_recorded_once(place: Place) -> None:
    place.open()
    first = place.record(1, NEED, key="k-1")
    place.record(2, NEED)
    again = place.record(1, NEED, key="k-1")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.record == first.record
    assert again.answer("fi") == first.answer("fi")
    assert place.case().version == 3


def test_a_key_belongs_to_one_request_of_one_user(place: Place) -> None:
    place.open()
    place.record(1, NEED, key="k-1")
    for expected, entries in ((2, [NEED]), (1, [NEED, NEED]), (1, [])):
        with pytest.raises(KeyReused):
            place.record(expected, *entries, key="k-1")
    with pytest.raises(KeyReused):
        place.recorder.open(worker(), {"case": {"id": "case-2"}, "entries": []}, key="k-1")
    assert place.record(2, NEED, key="k-1", by=worker("w-7")).version == 3


def test_a_request_that_was_refused_does_not_use_up_its_key(place: Place) -> None:
    place.open()
    with pytest.raises(NeedsAcknowledgement):
        place.record(1, TRIAL, key="k-1")
    covered = {"rules": TRIAL_RULES, "reason": "sovittu"}
    assert place.record(1, TRIAL, key="k-1", acknowledged=covered).version == 2


def test_a_case_opened_twice_by_one_request_is_opened_once(place: Place) -> None:
    document = {"case": {"id": "case-1"}, "entries": []}
    first = place.recorder.open(worker(), document, key="k-1")
    again = place.recorder.open(worker(), document, key="k-1")
    assert (again.replayed, again.record) == (True, first.record)
    with pytest.raises(CaseExists):
        place.recorder.open(worker(), document, key="k-2")


def test_the_same_request_overtaking_itself_is_recorded_once(place: Place, meanwhile: Meanwhile) -> None:
    place.open()
    done: list[Recorded] = []
    slow = meanwhile(lambda: done.append(place.record(1, NEED, key="k-1")))
    again = place.record(1, NEED, key="k-1", recorder=slow)
    assert (again.replayed, again.record) == (True, done[0].record)
    assert place.case().version == 2


def test_a_case_opened_by_the_same_request_meanwhile_is_answered_alike(place: Place, meanwhile: Meanwhile) -> None:
    document = {"case": {"id": "case-1"}, "entries": []}
    done: list[Recorded] = []
    slow = meanwhile(lambda: done.append(place.recorder.open(worker(), document, key="k-1")))
    again = slow.open(worker(), document, key="k-1")
    assert (again.replayed, again.record) == (True, done[0].record)


# --- engines that differ or fail ---


def test_where_the_engines_differ_it_is_recorded_undetermined_and_the_alarm_is_told(place: Place) -> None:
    place.open()
    done = place.record(1, NEED, recorder=place.recorder_by(with_engine(LyingEngine)))
    assert (done.version, done.record["status"], done.record["advice"]) == (2, "undetermined", [])
    assert "liar says violated" in done.record["alarm"]
    assert done.record["judgements"][-1]["findings"] is None
    assert done.record["judgements"][-1]["subjects"]
    assert done.answer("fi")["next_steps"] == []
    assert place.alarms == [done.record["id"]]
    assert decisions(place)[-1].status == "undetermined"
    assert place.record(2, NEED).record["status"] == "determined"
    assert len(place.alarms) == 1


def test_a_case_can_be_opened_while_an_engine_is_broken(place: Place) -> None:
    document = {"case": {"id": "case-1"}, "entries": [NEED]}
    done = place.recorder_by(with_engine(FailingEngine)).open(worker(), document)
    assert (done.record["status"], done.record["alarm"]) == ("undetermined", "LookupError while judging")
    assert place.alarms == [done.record["id"]]


def test_a_request_that_is_not_recorded_tells_no_alarm(place: Place) -> None:
    place.open()
    with pytest.raises(PreconditionFailed):
        place.record(7, NEED, recorder=place.recorder_by(with_engine(LyingEngine)))
    assert place.alarms == []


def test_the_alarm_counts_and_names_the_decision_alone(caplog: pytest.LogCaptureFixture) -> None:
    before = ENGINE_DIFFERENCES._value.get()
    tell_alarm("d-1")
    assert ENGINE_DIFFERENCES._value.get() == before + 1
    (line,) = caplog.records
    assert (line.levelname, line.getMessage(), line.__dict__["reason"]) == ("ERROR", "decision undetermined", "d-1")


# --- many at once ---


def test_many_recording_in_one_case_lose_and_double_nothing(place: Place) -> None:
    """Eight at a time, each request sent twice under its key, in one case and in others."""
    place.open()
    place.open(case_id="case-2")

    def send(number: int) -> Recorded:
        case_id = "case-1" if number % 4 else "case-2"
        while True:
            version = place.case(case_id).version
            mine = entry("2026-11-20", "need_assessed", id=f"n-{number}")
            try:
                return place.record(version, mine, case_id=case_id, key=f"k-{number}-{version}")
            except PreconditionFailed:
                continue

    def both(number: int) -> tuple[Recorded, Recorded]:
        done = send(number)
        mine = entry("2026-11-20", "need_assessed", id=f"n-{number}")
        case_id, expected = done.record["case"], done.version - 1
        return done, place.record(expected, mine, case_id=case_id, key=f"k-{number}-{expected}")

    with ThreadPoolExecutor(8) as pool:
        pairs = list(pool.map(both, range(48)))
    assert all(first.record == again.record and again.replayed for first, again in pairs)
    for case_id in ("case-1", "case-2"):
        mine = [first for first, _ in pairs if first.record["case"] == case_id]
        assert sorted(done.version for done in mine) == list(range(2, len(mine) + 2))
        assert [item.version for item in decisions(place, case_id)] == list(range(1, len(mine) + 2))
        assert place.case(case_id).version == len(mine) + 1
        assert whole(place, case_id)[4:] == [
            (kind, v) for v in range(2, len(mine) + 2) for kind in ("entry", "decision")
        ]


def test_one_key_sent_by_many_at_once_is_recorded_once(place: Place) -> None:
    place.open()
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: place.record(1, NEED, key="k"), range(8)))
    assert sorted(item.replayed for item in done) == [False, *[True] * 7]
    assert len({item.record["id"] for item in done}) == 1
    assert place.case().version == 2
