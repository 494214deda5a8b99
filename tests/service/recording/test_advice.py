"""What became of the advice that was shown: followed, lapsed, set aside, acknowledged past, overdue or still open."""

from datetime import date
from typing import Any

from hypothesis import given

from rules.journal import ENTRY_TYPES, Case
from rules.pack import ACTIONS
from service.recording.advice import FATES, Advice, advice_trail, carried_out_by, not_followed
from service.recording.record import todays
from tests.helpers import SEEDS, entry, journal, random_pair, reference_assessor, with_ids
from tests.service.recording.making import LyingEngine, added, recorded, with_engine

START = entry("2024-01-08", "activity_started", id="start", days_per_week=3, period_end="2024-12-31")
Recording = tuple[str, list[dict[str, Any]]]


class Life:
    """A case grown recording by recording, with its decision records."""

    def __init__(self) -> None:
        self.case: Case = journal()
        self.records: list[dict[str, Any]] = []

    def then(self, on: str, *entries: dict[str, Any], lying: bool = False) -> "Life":
        """Record something on a day."""
        after = added(self.case, *entries)
        by = with_engine(LyingEngine) if lying else None
        version = len(self.records) + 1
        self.records.append(recorded(self.case, after, date.fromisoformat(on), version, by=by))
        self.case = after
        return self

    def trail(self, today: str) -> list[Advice]:
        """What became of the advice by a day."""
        types = {item.id: item.type for item in self.case.entries}
        return advice_trail(self.records, types, date.fromisoformat(today))

    def of(self, rule: str, today: str = "2024-12-01") -> list[tuple[str, str, str | None]]:
        """What became of each run of a rule's advice: fate, first decision, the decision that ended it."""
        return [
            (item.became, item.first.decision, item.ended.decision if item.ended is not None else None)
            for item in self.trail(today)
            if item.key[0] == rule
        ]


def test_every_action_and_entry_type_of_the_table_exists() -> None:
    assert carried_out_by().keys() == set(ACTIONS)
    assert {kind for types in carried_out_by().values() for kind in types} <= set(ENTRY_TYPES)


def test_advice_that_was_done_was_followed() -> None:
    life = Life().then("2024-01-08", START).then("2024-01-20", entry("2024-01-20", "coaching_info_given"))
    assert life.of("tell-all-ktt-clients") == [("followed", "d1", "d2")]


def test_advice_that_was_not_done_stays_open() -> None:
    life = Life().then("2024-01-08", START).then("2024-01-20", entry("2024-01-20", "need_assessed"))
    assert life.of("tell-all-ktt-clients") == [("open", "d1", None)]


def test_advice_done_after_its_limit_was_followed_late() -> None:
    coaching = entry("2024-02-01", "coaching_started", id="coach", provider="provider-1", provider_kind="public")
    meeting = entry("2024-03-20", "contact", party="employer", by="job_coach", form="face_to_face")
    life = Life().then("2024-02-01", coaching).then("2024-03-20", meeting)
    assert life.of("first-employer-meeting-30d") == [("followed_late", "d1", "d2")]


def test_advice_whose_day_has_passed_is_overdue() -> None:
    coaching = entry("2024-02-01", "coaching_started", id="coach", provider="provider-1", provider_kind="public")
    life = Life().then("2024-02-01", coaching)
    assert life.of("first-employer-meeting-30d", "2024-03-02") == [("open", "d1", None)]
    assert life.of("first-employer-meeting-30d", "2024-03-03") == [("overdue", "d1", None)]


def test_a_step_of_the_path_that_was_taken_was_followed() -> None:
    """Its advice no longer applies; that the entry was recorded tells that it was taken."""
    agreed = entry("2024-02-10", "selection_agreed", participants=["client", "social_worker"], client_agrees="yes")
    life = (
        Life()
        .then("2024-02-01", entry("2024-02-01", "initiative_taken", service="coaching"))
        .then("2024-02-10", agreed)
    )
    assert life.of("next-agree-selection") == [("followed", "d1", "d2")]


def test_advice_that_no_longer_applies_lapsed() -> None:
    no = entry("2024-02-10", "coaching_declined", reason="client_choice")
    life = Life().then("2024-02-01", entry("2024-02-01", "initiative_taken", service="coaching")).then("2024-02-10", no)
    assert life.of("next-agree-selection") == [("lapsed", "d1", "d2")]


def test_advice_set_aside_says_by_which_entry_and_may_come_back() -> None:
    aside = entry(
        "2024-01-20", "advice_set_aside", id="aside", rule="tell-all-ktt-clients", reason="r", until="2024-02-01"
    )
    life = (
        Life()
        .then("2024-01-08", START)
        .then("2024-01-20", aside)
        .then("2024-02-10", entry("2024-02-10", "need_assessed"))
    )
    assert life.of("tell-all-ktt-clients") == [("set_aside", "d1", "d2"), ("open", "d3", None)]
    (first, _) = [item for item in life.trail("2024-12-01") if item.key[0] == "tell-all-ktt-clients"]
    assert first.set_aside == "aside"


def test_a_step_recorded_past_a_rule_is_told_until_the_rule_is_met() -> None:
    trial = entry(
        "2024-02-01", "work_trial_started", id="trial", arrangement="activity_ended", planned_end="2024-04-01"
    )
    life = Life().then("2024-02-01", trial)
    assert life.of("ov-checks-endorsements-at-trial") == [("acknowledged", "d1", None)]
    (item,) = [item for item in life.trail("2024-12-01") if item.key[0] == "ov-checks-endorsements-at-trial"]
    assert item.acknowledged == ["d1"]
    life.then("2024-02-10", entry("2024-02-10", "endorsements_checked", purpose="work_trial", result="in_order"))
    assert life.of("ov-checks-endorsements-at-trial") == [("followed_late", "d1", "d2")]


def test_an_undetermined_decision_showed_nothing_and_ends_nothing() -> None:
    life = (
        Life()
        .then("2024-01-08", START)
        .then("2024-01-20", entry("2024-01-20", "need_assessed"), lying=True)
        .then("2024-01-30", entry("2024-01-30", "coaching_info_given"))
    )
    assert life.records[1]["status"] == "undetermined"
    assert life.of("tell-all-ktt-clients") == [("followed", "d1", "d3")]
    assert Life().then("2024-01-08", START, lying=True).trail("2024-12-01") == []


def test_what_was_not_followed_is_what_auditors_ask_about() -> None:
    life = Life().then("2024-01-08", START).then("2024-01-20", entry("2024-01-20", "coaching_info_given"))
    asked = {item.key[0] for item in not_followed(life.trail("2024-12-01"))}
    assert "tell-all-ktt-clients" not in asked
    assert "social-worker-assigned" in asked


def test_advice_for_programs() -> None:
    life = Life().then("2024-01-08", START).then("2024-01-20", entry("2024-01-20", "coaching_info_given"))
    (item,) = [item for item in life.trail("2024-12-01") if item.key[0] == "tell-all-ktt-clients"]
    assert item.as_json() == {
        "rule": "tell-all-ktt-clients",
        "subject": {"kind": "activity", "entry": "start"},
        "action": "tell_about_coaching",
        "role": item.role,
        "due": None,
        "first_shown": {"decision": "d1", "version": 1, "as_of": "2024-01-08"},
        "last_shown": {"decision": "d1", "version": 1, "as_of": "2024-01-08"},
        "became": "followed",
        "ended": {"decision": "d2", "version": 2, "as_of": "2024-01-20"},
        "set_aside": None,
        "acknowledged": [],
    }


@given(SEEDS)
def test_every_step_ever_shown_has_one_run_that_covers_it(seed: int) -> None:
    case, on, _ = random_pair(seed)
    case = with_ids(case)
    records = []
    grown = case.with_entries(())
    for version, item in enumerate([e for e in case.entries if e.type != "correction"], start=1):
        after = grown.with_entries((*grown.entries, item))
        records.append(recorded(grown, after, max(item.date, on), version, by=reference_assessor()))
        grown = after
    trail = advice_trail(records, {item.id: item.type for item in case.entries}, on)
    assert {item.became for item in trail} <= set(FATES)
    for record in records:
        for finding in todays(record)["findings"]:
            key = finding["rule"], finding["subject"]["kind"], finding["subject"]["entry"]
            covering = [
                item
                for item in trail
                if item.key == key
                and item.first.version <= record["version"]
                and (item.ended is None or record["version"] < item.ended.version)
            ]
            assert len(covering) == int(finding["step"]), (key, record["version"])
