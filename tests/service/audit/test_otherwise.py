"""Which recorded decisions would come out otherwise under other rules; and the commands that ask."""

import json
from pathlib import Path

import pytest

from benchmarks.replay import fill
from rules.assessment import Assessor
from rules.engines.reference import reference
from rules.pack import DEFAULT_PACK, load_pack
from service import replay_commands
from service.audit.otherwise import Compared, DecidedOtherwise, decided_otherwise
from service.store import Database
from tests.helpers import entry, journal
from tests.service.audit.conftest import Tamper
from tests.service.polku import data, page, polku, refused
from tests.service.postgresql import Urls
from tests.service.recording.conftest import REGION as RECORDED
from tests.service.recording.making import LyingEngine, with_engine

REGION = "otherwise"
START = entry("2024-01-08", "activity_started", id="start", days_per_week=3, period_end="2024-12-31")
PLAN = entry(
    "2024-01-08",
    "activation_plan_updated",
    id="plan",
    participants=["client", "social_worker", "employment_coach"],
    coaching={"start": "2024-03-01", "end": "2024-05-31"},
)
ASKED = entry("2024-03-20", "interest_asked", id="asked", wants_to_work="yes")
CASE = journal(START, PLAN, ASKED).model_copy(update={"id": "case-1"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack whose plans are reviewed every second month."""
    made = tmp_path_factory.mktemp("pack")
    for path in DEFAULT_PACK.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.name == "pack.yaml":
            start = text.index("plan.review_months:")
            text = text[:start] + text[start:].replace("value: 3,", "value: 2,", 1)
            text = text.replace('version: "1.0.0"', 'version: "1.1.0"').replace("version: 1.0.0", "version: 1.1.0")
        (made / path.name).write_text(text, encoding="utf-8")
    return made


def compared(database: Database, old: Assessor, new: Assessor) -> tuple[list[DecidedOtherwise], Compared]:
    """What comes out otherwise, and the counts."""
    counts = Compared()
    return list(decided_otherwise(database, old, new, counts)), counts


def filled(database: Database) -> int:
    """How many decisions the database held from the start, all under the pack of today."""
    with database.read(RECORDED) as unit:
        return unit.decisions.count()


def by(where: Path | None = None) -> Assessor:
    """The reference on a pack."""
    return Assessor(load_pack(where), reference)


def test_a_decision_that_would_come_out_otherwise_is_told_with_its_rule_and_subject(
    database: Database, folder: Path
) -> None:
    fill(database, REGION, [CASE], [by()])
    found, counts = compared(database, by(), by(folder))
    assert found == [
        DecidedOtherwise(
            "case-1-4",
            "case-1",
            4,
            "2024-03-20",
            False,
            "plan-review-every-3-months",
            "activity",
            "start",
            "satisfied",
            "violated",
        )
    ]
    many = filled(database) + 4
    assert (counts.decisions, counts.taken_under_old, counts.unreadable) == (many, many, 0)


def test_the_same_rules_change_no_decision(database: Database) -> None:
    fill(database, REGION, [CASE], [by()])
    assert compared(database, by(), by())[0] == []


def test_decisions_taken_under_other_rules_are_judged_by_the_old_ones_anew(database: Database, folder: Path) -> None:
    fill(database, REGION, [CASE], [by(folder)])
    found, counts = compared(database, by(), by(folder))
    assert [(item.version, item.before, item.after) for item in found] == [(4, "satisfied", "violated")]
    assert counts.taken_under_old == counts.decisions - 4


def test_numbers_that_the_fold_reads_are_read_anew(database: Database, tmp_path: Path) -> None:
    """A plan update counts for as many months as a number says."""
    for path in DEFAULT_PACK.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.name == "pack.yaml":
            start = text.index("plan.lookback_months:")
            text = text[:start] + text[start:].replace("value: 12,", "value: 1,", 1)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    started = entry("2024-03-01", "coaching_started", id="coach", provider="provider-1", provider_kind="public")
    case = journal(START, PLAN, started).model_copy(update={"id": "case-1"})
    fill(database, REGION, [case], [by()])
    found, _ = compared(database, by(), by(tmp_path))
    told = {(item.step, item.rule, item.before, item.after) for item in found}
    assert (True, "as-update-before-coaching", "satisfied", "violated") in told
    assert (False, "as-update-before-coaching", "satisfied", "violated") in told


def test_a_decision_left_undetermined_is_judged_by_the_old_rules(database: Database, folder: Path) -> None:
    fill(database, REGION, [CASE], [with_engine(LyingEngine)])
    found, counts = compared(database, by(), by(folder))
    assert [(item.version, item.before, item.after) for item in found] == [(4, "satisfied", "violated")]
    assert counts.taken_under_old == counts.decisions


def test_what_cannot_be_read_is_counted(database: Database, tamper: Tamper, folder: Path) -> None:
    tamper("UPDATE entry SET payload = '{}' WHERE case_id = 'case-0'")
    _, counts = compared(database, by(), by(folder))
    assert (counts.decisions, counts.unreadable) == (filled(database), 4)


# --- commands ---


def test_rules_diff_tells_which_decisions_would_come_out_otherwise(
    database: Database, urls: Urls, folder: Path
) -> None:
    fill(database, REGION, [CASE], [by()])
    told = page("rules", "diff", DEFAULT_PACK, folder, "--database", urls.auditor, "--lang", "en")
    assert "case-1, version 4 case-1-4" in told
    assert "plan-review-every-3-months" in told
    assert "decisions: 1 would come out otherwise, 1 findings." in told
    found = data("rules", "diff", DEFAULT_PACK, folder, "--database", urls.auditor)
    assert found["old"]["version"] != found["new"]["version"]
    (item,) = [item for item in found["findings"] if item["decision"] == "case-1-4"]
    assert item == {
        "decision": "case-1-4",
        "case": "case-1",
        "version": 4,
        "as_of": "2024-03-20",
        "step": False,
        "rule": "plan-review-every-3-months",
        "subject": {"kind": "activity", "entry": "start"},
        "before": "satisfied",
        "after": "violated",
    }


def test_rules_diff_on_a_database_takes_no_cases_and_no_day(urls: Urls) -> None:
    for more in ([DEFAULT_PACK / "examples"], ["--as-of", "2024-01-01"]):
        assert "--database" in refused("rules", "diff", DEFAULT_PACK, DEFAULT_PACK, *more, "--database", urls.auditor)
    assert "expected sqlite:///" in refused("rules", "diff", DEFAULT_PACK, DEFAULT_PACK, "--database", "mysql://x")


def test_replay_judges_every_decision_of_a_database(database: Database, urls: Urls) -> None:
    told, many = page("replay", "--database", urls.auditor, "--processes", "1"), filled(database)
    assert told == f"decisions judged again: {many}; as recorded: {many} (with an explanation: 0); otherwise: 0\n"


def test_replay_judges_decisions_that_are_named_by_both_engines(database: Database, urls: Urls) -> None:
    fill(database, REGION, [CASE], [by()])
    found = data("replay", "case-1-2", "case-1-4", "case-1-2", "--database", urls.auditor)
    assert found == {"decisions": 2, "same": True, "differing": [], "explained": []}
    assert "there is no decision case-1-9" in refused("replay", "case-1-9", "--database", urls.auditor)


def test_a_difference_is_told_and_gives_exit_code_1(database: Database, urls: Urls, tamper: Tamper) -> None:
    fill(database, REGION, [CASE], [by()])
    tamper("UPDATE entry SET payload = replace(payload, '2024-01-08', '2024-01-09') WHERE entry_id = 'start'")
    done = polku("replay", "case-1-4", "--database", urls.auditor)
    assert done.exit_code == 1
    assert "case-1-4 (case case-1, version 4): came out otherwise\n" in done.stdout
    assert '"activity.started_on": "2024-01-09"' in done.stdout
    assert done.stdout.endswith("decisions judged again: 1; as recorded: 0 (with an explanation: 0); otherwise: 1\n")
    done = polku("replay", "--database", urls.auditor, "--processes", "1", "--json")
    assert done.exit_code == 1
    assert {item["case"] for item in json.loads(done.stdout)["differing"]} == {"case-1"}


def test_of_many_differences_the_first_are_told(urls: Urls, tamper: Tamper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_commands, "MOST_TOLD", 1)
    tamper("UPDATE decision SET payload = '{}' WHERE case_id = 'case-1'")
    done = polku("replay", "--database", urls.auditor, "--processes", "1")
    assert done.stdout.count("came out otherwise") == 1
    assert "the decision record cannot be read: it is no decision record" in done.stdout
    assert "and 3 more; --json tells all" in done.stdout


def test_what_is_explained_gives_exit_code_0(database: Database, urls: Urls) -> None:
    fill(database, REGION, [CASE], [with_engine(LyingEngine)])
    done = polku("replay", "case-1-4", "--database", urls.auditor)
    assert done.exit_code == 0
    assert "differs in what is explained" in done.stdout
    assert "the engines did not agree then" in done.stdout


def test_replay_goes_by_the_services_settings(database: Database, urls: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLKU_REGION", RECORDED)
    monkeypatch.setenv("POLKU_DATABASE_URL", urls.app)
    assert f"decisions judged again: {filled(database)};" in page("replay", "--processes", "1")
    monkeypatch.delenv("POLKU_REGION")
    assert "POLKU_REGION" in refused("replay")


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "cannot be used" in refused("replay", "--database", f"sqlite:///{tmp_path}/none.db")
