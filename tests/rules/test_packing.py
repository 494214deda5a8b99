"""A pack with a mistake does not load; the error names the place, what was found and what was meant."""

import copy
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rules.assessment import Assessor
from rules.fold import PARAMETERS_READ
from rules.pack import Pack, PackError, load_pack
from tests.helpers import entry, journal

Data = dict[str, Any]
TEXT = {"fi": "teksti", "sv": "text", "en": "text"}
SOURCE = [{"document": "003", "section": "5"}]


def rule(name: str = "has-a-worker", **changes: Any) -> Data:
    """A rule that is right; `changes` may make it wrong, and None takes a key away."""
    right = {
        "id": name,
        "about": "case",
        "title": TEXT,
        "text": TEXT,
        "source": SOURCE,
        "authority": "statute",
        "severity": "obligation",
        "valid": {"from": date(2020, 1, 1)},
        "when": {"case.activity": ["active", "paused"]},
        "holds": {"case.social_worker_assigned": "yes"},
        "action": "assign_social_worker",
        "role": "social_worker",
    }
    return {key: value for key, value in {**right, **changes}.items() if value is not None}


def parameter(value: Any = 3, **changes: Any) -> Data:
    values = [{"from": date(2020, 1, 1), "value": value, "source": SOURCE}]
    return {"unit": "months", "authority": "statute", "values": values, "label": TEXT, **changes}


def head(**changes: Any) -> Data:
    right = {
        "id": "small",
        "version": "1.0.0",
        "title": TEXT,
        "themes": ["theme"],
        "sources": {"003": {"title": "Toimintamalli"}},
        "parameters": {name: parameter() for name in PARAMETERS_READ},
        "derived": {},
    }
    return {**right, **changes}


class Folder:
    """A folder in which packs are written and read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, *rules: Any, **changes: Any) -> Pack:
        (self.path / "pack.yaml").write_text(
            yaml.safe_dump(head(**changes), allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        (self.path / "theme.yaml").write_text(
            yaml.safe_dump(list(rules), allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        return load_pack(self.path)

    def problems(self, *rules: Any, **changes: Any) -> list[str]:
        with pytest.raises(PackError) as caught:
            self.load(*rules, **changes)
        assert caught.value.problems
        assert str(caught.value) == "\n".join(caught.value.problems)
        return caught.value.problems

    def problem(self, *rules: Any, **changes: Any) -> str:
        """The one problem there is."""
        (found,) = self.problems(*rules, **changes)
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_small_pack_without_mistakes_loads(folder: Folder) -> None:
    pack = folder.load(rule(), rule("other"))
    assert (pack.id, pack.version) == ("small", "1.0.0")
    assert [item.id for item in pack.rules(date(2024, 1, 1))] == ["has-a-worker", "other"]
    assert pack.rules(date(2019, 12, 31)) == []


# --- names no one knows ---

UNKNOWN_NAMES = [
    (
        "a fact",
        {"when": {"case.activty": "active"}},
        "case.activty",
        "fact 'case.activty'; did you mean case.activity?",
    ),
    ("a value", {"when": {"case.activity": "actve"}}, "case.activity", "value 'actve'; did you mean active?"),
    ("a fact held", {"holds": {"case.social_worker": "yes"}}, "", "did you mean case.social_worker_assigned?"),
    ("an action", {"action": "assign_worker"}, "", "action 'assign_worker'; did you mean assign_social_worker?"),
    ("a trigger", {"guards": ["start_work_trail"]}, "", "trigger 'start_work_trail'; did you mean start_work_trial?"),
    ("a role", {"role": "social_workr"}, "", "role 'social_workr'; did you mean social_worker?"),
    ("a severity", {"severity": "obligatory"}, "", "severity 'obligatory'; did you mean obligation?"),
    ("an authority", {"authority": "statue"}, "", "authority 'statue'; did you mean statute?"),
    ("a kind", {"about": "cases"}, "", "kind of subject (about) 'cases'; did you mean case?"),
    ("a key", {"hols": {}}, "", "key 'hols'; did you mean holds?"),
    ("a stage to speak in", {"speaks": "alway"}, "", "speaks 'alway'; did you mean always?"),
    ("a finding", {"when": {"finding.has-a-wrker": "violated"}}, "", "rule 'has-a-wrker'; did you mean has-a-worker?"),
    ("an outcome", {"when": {"finding.other": "violatd"}}, "", "value 'violatd'; did you mean violated?"),
    ("a date fact", {"due": "case.wish_no"}, "", "fact 'case.wish_no'; did you mean case.wish_on?"),
    ("a variant's action", {"actions": [{"when": {}, "action": "stop"}]}, "actions", "action 'stop'"),
    (
        "a test",
        {"when": {"case.wish_on": {"pased": 0}}},
        "case.wish_on",
        "test of a date 'pased'; did you mean passed?",
    ),
    (
        "a parameter",
        {"when": {"case.wish_on": {"passed": "plan.lookback_month"}}},
        "",
        "did you mean plan.lookback_months?",
    ),
]


@pytest.mark.parametrize(("what", "change", "place", "expected"), UNKNOWN_NAMES, ids=[row[0] for row in UNKNOWN_NAMES])
def test_an_unknown_name_is_told_with_the_nearest_one(
    folder: Folder, what: str, change: Data, place: str, expected: str
) -> None:
    problems = folder.problems(rule(**change), rule("other"))
    assert any(expected in problem for problem in problems), problems
    assert all(problem.startswith("theme.yaml: has-a-worker") and place in problem for problem in problems)


def test_a_fact_of_another_kind_of_subject_is_unknown(folder: Folder) -> None:
    problem = folder.problem(rule(when={"trial.running": "yes"}))
    assert "unknown fact 'trial.running'" in problem
    assert "unknown fact 'trial.running'" not in str(folder.load(rule(about="trial", when={"trial.running": "yes"})))


# --- the checklist is for talking, not for rules ---


@pytest.mark.parametrize("fact", ["checklist.chk-01", "checklist", "chk-08", "readiness.strengths"])
@pytest.mark.parametrize("where", ["when", "holds", "late", "done"])
def test_no_rule_can_read_a_checklist_answer(folder: Folder, fact: str, where: str) -> None:
    change: Data = {"advise": "open", "holds": None} if where == "done" else {}
    problem = folder.problem(rule(**{**change, where: {fact: "yes"}}))
    assert f"{fact}: no rule may read a checklist answer" in problem
    assert problem.startswith("theme.yaml: has-a-worker")


def test_no_deadline_can_read_a_checklist_answer(folder: Folder) -> None:
    derived = {"case.by": {"latest": ["checklist.answered_on"], "label": TEXT}}
    assert "no rule may read a checklist answer" in "\n".join(folder.problems(rule(due="case.by"), derived=derived))


# --- what does not fit ---

MISFITS = [
    ("a date compared with a word", {"when": {"case.wish_on": "soon"}}, "case.wish_on is a date: give it a test"),
    ("a word given a date's test", {"when": {"case.activity": {"passed": 0}}}, "enum 'passed'"),
    ("a date given a number's test", {"when": {"case.wish_on": {"at_least": 1}}}, "unknown test of a date 'at_least'"),
    ("two tests at once", {"when": {"case.wish_on": {"passed": 0, "given": True}}}, "expected one test"),
    ("unknown of a certain fact", {"when": {"case.entries_inconsistent": "unknown"}}, "unknown value 'unknown'"),
    ("a limit that is no date", {"holds": None, "limit": "case.activity"}, "enum, expected a date"),
    ("no form at all", {"holds": None}, "expected one of holds, advise, limit"),
    ("no validity", {"valid": None}, "valid: {from: …} is missing"),
    ("a validity that is no day", {"valid": {"from": "soon"}}, "expected a day such as 2020-01-01, found 'soon'"),
    ("no source", {"source": None}, "a source is missing"),
    ("an empty source", {"source": []}, "a source is missing"),
    ("a source without a document", {"source": [{"section": "5"}]}, "expected {document, section}"),
    ("conditions that are no mapping", {"when": "always"}, "expected keys with values, found str"),
    ("no action", {"action": None}, "unknown action None"),
    ("no role", {"role": None}, "unknown role None"),
]


@pytest.mark.parametrize(("what", "change", "expected"), MISFITS, ids=[row[0] for row in MISFITS])
def test_what_does_not_fit_is_told(folder: Folder, what: str, change: Data, expected: str) -> None:
    problems = folder.problems(rule(**change))
    assert any(expected in problem for problem in problems), problems
    assert all(problem.startswith("theme.yaml: has-a-worker") for problem in problems)


def test_a_source_must_be_one_the_pack_names(folder: Folder) -> None:
    assert "999" in folder.problem(rule(source=[{"document": "999", "section": "1"}]))


MIXED_FORMS = [
    ("advise and holds", {"advise": "open"}),
    ("done beside holds", {"done": {"case.employed": "yes"}}),
    ("late beside advise", {"holds": None, "advise": "open", "late": {"case.employed": "yes"}}),
    ("advise_before without a limit", {"advise_before": 7}),
]


@pytest.mark.parametrize(("what", "change"), MIXED_FORMS, ids=[row[0] for row in MIXED_FORMS])
def test_a_key_that_would_count_for_nothing_is_refused(folder: Folder, what: str, change: Data) -> None:
    assert folder.problem(rule(**change)).startswith("theme.yaml: has-a-worker")


def test_a_key_given_twice_is_refused(folder: Folder) -> None:
    folder.load(rule())
    written = (folder.path / "theme.yaml").read_text(encoding="utf-8")
    twice = written.replace("  when:", "  when: {case.employed: 'yes'}\n  when:")
    (folder.path / "theme.yaml").write_text(twice, encoding="utf-8")
    with pytest.raises(PackError, match="when"):
        load_pack(folder.path)


def test_a_validity_that_ends_before_it_begins_is_refused(folder: Folder) -> None:
    assert folder.problem(rule(valid=between("2022-01-01", "2021-12-31"))).startswith("theme.yaml: has-a-worker")


@pytest.mark.parametrize("key", ["id", "version", "title"])
def test_a_pack_must_say_what_it_is(folder: Folder, key: str) -> None:
    assert key in folder.problem(rule(), **{key: None})


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
@pytest.mark.parametrize("key", ["title", "text"])
@pytest.mark.parametrize("missing", [None, "", "  "])
def test_a_text_missing_in_a_language_is_told(folder: Folder, language: str, key: str, missing: str | None) -> None:
    words = {name: text for name, text in {**TEXT, language: missing}.items() if text is not None}
    assert folder.problem(rule(**{key: words})) == f"theme.yaml: has-a-worker.{key}: the text in {language} is missing"


def test_a_caution_needs_its_text_in_every_language(folder: Folder) -> None:
    problem = folder.problem(rule(caution={"from": date(2025, 1, 1), "fi": "varo", "sv": "akta"}))
    assert problem == "theme.yaml: has-a-worker.caution: the text in en is missing"


def test_every_mistake_is_told_at_once(folder: Folder) -> None:
    problems = folder.problems(rule(role="boss", action="shout"), rule("other", severity="dire"))
    assert len(problems) == 3
    assert [problem.split(":")[1].strip() for problem in problems] == ["has-a-worker", "has-a-worker", "other"]


# --- versions ---


def between(first: str, last: str | None = None) -> Data:
    days = {"from": date.fromisoformat(first)}
    return days if last is None else {**days, "to": date.fromisoformat(last)}


def test_versions_that_follow_each_other_day_by_day_load(folder: Folder) -> None:
    pack = folder.load(rule(valid=between("2022-01-01")), rule(valid=between("2020-01-01", "2021-12-31")))
    assert [item.valid_from.year for item in pack.versions("has-a-worker")] == [2020, 2022]


def test_versions_that_overlap_are_refused(folder: Folder) -> None:
    problem = folder.problem(rule(valid=between("2020-01-01", "2022-01-01")), rule(valid=between("2022-01-01")))
    assert problem == "has-a-worker: two versions are in force on 2022-01-01"
    assert "two versions" in folder.problem(rule(), rule(valid=between("2023-01-01")))


def test_a_gap_between_versions_is_refused(folder: Folder) -> None:
    problem = folder.problem(rule(valid=between("2020-01-01", "2021-12-30")), rule(valid=between("2022-01-01")))
    assert problem == "has-a-worker: no version is in force between 2021-12-30 and 2022-01-01"


# --- findings that build on findings ---


def test_rules_that_read_each_others_findings_in_a_circle_are_refused(folder: Folder) -> None:
    one = rule("one", when={"finding.two": "violated"})
    two = rule("two", when={"finding.three": "violated"})
    three = rule("three", when={"finding.one": "violated"})
    assert "some rules read each other's findings in a circle" in folder.problem(one, two, three)
    assert "circle" in folder.problem(rule("self", when={"finding.self": "violated"}))


def test_rules_that_build_on_findings_come_in_waves(folder: Folder) -> None:
    last = rule("last", when={"finding.any_step": "no"})
    middle = rule("middle", when={"finding.first": "violated"})
    pack = folder.load(last, middle, rule("first"))
    assert {item.id: item.wave for item in pack.rules(date(2024, 1, 1))} == {"first": 0, "middle": 1, "last": 2}


# --- parameters and deadlines ---


def test_a_parameter_the_facts_are_read_with_must_be_there(folder: Folder) -> None:
    parameters = {name: parameter() for name in PARAMETERS_READ if name != "plan.lookback_months"}
    assert "plan.lookback_months is missing" in folder.problem(rule(), parameters=parameters)


def with_parameters(**more: Data) -> Data:
    return {**{name: parameter() for name in PARAMETERS_READ}, **{f"case.{name}": item for name, item in more.items()}}


def test_a_parameter_no_one_uses_is_refused(folder: Folder) -> None:
    problem = folder.problem(rule(), parameters=with_parameters(idle=parameter()))
    assert problem == "parameters.case.idle: no rule, deadline or fact uses this parameter"


def test_a_deadline_no_one_uses_is_refused(folder: Folder) -> None:
    derived = {"case.by": {"add_months": ["case.wish_on", "plan.lookback_months"], "label": TEXT}}
    assert folder.problem(rule(), derived=derived) == "derived.case.by: no rule uses this deadline"
    assert folder.load(rule(due="case.by"), derived=derived)


BAD_PARAMETERS = [
    ("a unit no one knows", parameter(unit="month"), "unknown unit 'month'; did you mean months?"),
    ("an authority no one knows", parameter(authority="law"), "unknown authority 'law'"),
    ("a fraction", parameter(1.5), "with a whole number"),
    ("a word", parameter("3"), "with a whole number"),
    ("a yes", parameter(True), "with a whole number"),
    ("no values", parameter(values=[]), "values must be given oldest first"),
    ("no source", parameter(values=[{"from": date(2020, 1, 1), "value": 3}]), "a source is missing"),
    ("no label", parameter(label={"fi": "a", "en": "b"}), "the text in sv is missing"),
]


@pytest.mark.parametrize(("what", "item", "expected"), BAD_PARAMETERS, ids=[row[0] for row in BAD_PARAMETERS])
def test_a_parameter_with_a_mistake_is_refused(folder: Folder, what: str, item: Data, expected: str) -> None:
    changed = {**with_parameters(), "plan.lookback_months": item}
    problems = folder.problems(rule(), parameters=changed)
    assert any(problem.startswith("parameters.plan.lookback_months") and expected in problem for problem in problems)


def test_values_of_a_parameter_stand_oldest_first(folder: Folder) -> None:
    newest = {"from": date(2025, 1, 1), "value": 6, "source": SOURCE}
    oldest = {"from": date(2020, 1, 1), "value": 12, "source": SOURCE}
    for values in ([newest, oldest], [newest, newest]):
        changed = {**with_parameters(), "plan.lookback_months": parameter(values=values)}
        assert "oldest first" in folder.problem(rule(), parameters=changed)


def changing(old: int, new: int, on: str = "2025-01-01") -> Data:
    """A parameter whose value changes on a day."""
    values = [(date(2020, 1, 1), old), (date.fromisoformat(on), new)]
    return parameter(values=[{"from": first, "value": value, "source": SOURCE} for first, value in values])


LATEST = {"trial.latest_end": {"add_months": ["trial.started_on", "case.longest"], "label": TEXT}}
LONG = {
    "about": "trial",
    "when": {"trial.running": "yes"},
    "holds": None,
    "limit": "trial.latest_end",
    "advise_before": "never",
}


def test_a_parameter_has_the_value_of_its_day(folder: Folder) -> None:
    pack = folder.load(rule(**LONG), parameters=with_parameters(longest=changing(12, 6)), derived=LATEST)
    longest = pack.parameters["case.longest"]
    assert [longest.on(date(*on)) for on in ((2024, 12, 31), (2025, 1, 1), (2010, 1, 1))] == [12, 6, 12]
    assert len(pack.editions) == 2
    assert pack.ruleset(date(2024, 12, 31)).parameters["case.longest"] == 12
    assert pack.ruleset(date(2025, 1, 1)).parameters["case.longest"] == 6
    assert pack.ruleset(date(1990, 1, 1)) is pack.editions[0]
    assert date(2025, 1, 1) in pack.turning_days


def test_an_event_is_judged_by_the_values_of_its_day_and_other_rules_by_todays(folder: Folder) -> None:
    by_event, by_today = rule("by-event", event="trial.started_on", **LONG), rule("by-today", **LONG)
    pack = folder.load(by_event, by_today, parameters=with_parameters(longest=changing(12, 6)), derived=LATEST)

    def outcomes(started: str, on: str) -> dict[str, str]:
        case = journal(entry(started, "work_trial_started", arrangement="activity_ended"))
        found = Assessor(pack).findings(case, date.fromisoformat(on))[1]
        return {finding.rule.id: finding.outcome for finding in found}

    assert outcomes("2024-12-31", "2025-07-01") == {"by-event": "satisfied", "by-today": "violated"}
    assert outcomes("2024-12-31", "2025-12-31")["by-event"] == "satisfied"
    assert outcomes("2024-12-31", "2026-01-01")["by-event"] == "violated"
    assert outcomes("2025-01-01", "2025-07-02") == {"by-event": "violated", "by-today": "violated"}
    assert outcomes("2024-06-01", "2024-12-31") == {"by-event": "satisfied", "by-today": "satisfied"}


def test_a_rule_judged_by_older_values_leaves_the_others_their_own_deadlines(folder: Folder) -> None:
    by_event, by_today = rule("by-event", event="trial.started_on", **LONG), rule("by-today", **LONG)
    pack = folder.load(by_event, by_today, parameters=with_parameters(longest=changing(12, 6)), derived=LATEST)
    case = journal(entry("2024-05-01", "work_trial_started", arrangement="activity_ended"))
    due = {finding.rule.id: finding.due for finding in Assessor(pack).findings(case, date(2025, 6, 1))[1]}
    assert due == {"by-event": date(2025, 5, 1), "by-today": date(2024, 11, 1)}


def test_the_agenda_sees_a_parameter_change_coming(folder: Folder) -> None:
    parameters = with_parameters(longest=changing(12, 6))
    pack = folder.load(
        rule("by-today", **LONG),
        rule("by-event", event="trial.started_on", **LONG),
        parameters=parameters,
        derived=LATEST,
    )
    case = journal(entry("2024-05-01", "work_trial_started", arrangement="activity_ended"))
    found = Assessor(pack).assess(case, date(2024, 12, 1)).agenda
    assert [(change.rule, change.changes_on.isoformat(), change.to) for change in found] == [
        ("by-today", "2025-01-01", "violated"),
        ("by-event", "2025-05-02", "violated"),
    ]


BAD_DEADLINES = [
    ("an operation no one knows", "case.by", {"add_month": ["case.wish_on", 1]}, "did you mean add_months?"),
    ("two operations", "case.by", {"latest": ["case.wish_on"], "earliest": ["case.wish_on"]}, "expected one operation"),
    ("no operation", "case.by", {}, "expected one operation"),
    ("no number", "case.by", {"add_months": ["case.wish_on"]}, "add_months takes a date and a number"),
    ("no known number", "case.by", {"add_months": ["case.wish_on", "wish.month"]}, "unknown parameter 'wish.month'"),
    ("a fact no one knows", "case.by", {"latest": ["case.wish_no"]}, "did you mean case.wish_on?"),
    ("a fact of another subject", "case.by", {"latest": ["trial.started_on"]}, "unknown fact 'trial.started_on'"),
    ("a kind no one knows", "cases.by", {"latest": ["case.wish_on"]}, "unknown kind 'cases'; did you mean case?"),
]


@pytest.mark.parametrize(("what", "name", "item", "expected"), BAD_DEADLINES, ids=[row[0] for row in BAD_DEADLINES])
def test_a_deadline_with_a_mistake_is_refused(folder: Folder, what: str, name: str, item: Data, expected: str) -> None:
    problems = folder.problems(rule(), derived={name: {**item, "label": TEXT}})
    assert any(problem.startswith(f"derived.{name}") and expected in problem for problem in problems), problems


NO_DATES = [
    {"latest": ["case.activity"]},
    {"add_months": ["case.activity", 1]},
    {"is_after": ["case.wish_on", "case.activity"]},
]


@pytest.mark.parametrize("item", NO_DATES, ids=lambda item: next(iter(item)))
def test_a_deadline_is_derived_from_dates(folder: Folder, item: Data) -> None:
    problems = folder.problems(rule(due="case.by"), derived={"case.by": {**item, "label": TEXT}})
    assert any(problem.startswith("derived.case.by") and "case.activity" in problem for problem in problems)


def test_a_deadline_cannot_take_the_name_of_a_recorded_fact(folder: Folder) -> None:
    derived = {"case.wish_on": {"latest": ["case.queue_review_on"], "label": TEXT}}
    assert "derived.case.wish_on" in folder.problem(rule(when={"case.wish_on": {"given": True}}), derived=derived)


def test_a_deadline_may_read_one_declared_before_it_but_not_after(folder: Folder) -> None:
    later = {"latest": ["case.by"], "label": TEXT}
    first = {"latest": ["case.wish_on"], "label": TEXT}
    assert folder.load(rule(due="case.later"), derived={"case.by": first, "case.later": later})
    (folder.path / "pack.yaml").write_text("", encoding="utf-8")
    derived = {"case.a": {"latest": ["case.b"], "label": TEXT}, "case.b": first}
    assert "unknown fact 'case.b'" in folder.problem(rule(due="case.a"), derived=derived)


# --- files ---


def test_a_folder_that_is_no_pack_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"pack\.yaml: there is no such file in"):
        load_pack(tmp_path)
    with pytest.raises(PackError, match="there is no such file"):
        load_pack(tmp_path / "nowhere")


def test_a_theme_that_is_not_there_is_told(folder: Folder) -> None:
    assert "missing.yaml: there is no such file" in folder.problem(rule(), themes=["theme", "missing"])


@pytest.mark.parametrize("text", ["- id: [", "a: b: c", "\t- x"])
def test_broken_yaml_is_told_with_its_file(folder: Folder, text: str) -> None:
    folder.load(rule())
    (folder.path / "theme.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PackError, match=r"theme\.yaml: not readable YAML"):
        load_pack(folder.path)


def test_a_file_that_is_not_utf8_is_told(folder: Folder) -> None:
    folder.load(rule())
    (folder.path / "theme.yaml").write_bytes(b"- id: \xe4")
    with pytest.raises(PackError, match=r"theme\.yaml: not readable YAML"):
        load_pack(folder.path)


# --- anything else ---

#: A pack with every form a rule, a deadline and a condition can have.
FULL = {
    "pack": head(
        derived={
            "case.by": {"add_months": ["case.wish_on", "plan.lookback_months"], "label": TEXT},
            "case.sooner": {"earliest": ["case.by", "case.queue_review_on"], "label": TEXT},
            "case.done": {"timeliness": ["case.sooner", "case.last_service_ended_on"], "label": TEXT},
        }
    ),
    "theme": [
        rule("holds", late={"case.provider_consent": "yes"}, guards=["start_coaching"], event="case.wish_on"),
        rule("advise", holds=None, advise="open", done={"any": [{"case.employed": "yes"}, {"not": {}}]}, due="case.by"),
        rule("limit", holds=None, limit="case.by", done="case.done", advise_before="plan.lookback_months"),
        rule("next", holds=None, limit="case.by", advise_before="never", when={"finding.holds": ["violated"]}),
        rule("numbers", about="activity", when={"activity.days_per_week": {"at_least": 1}, "case.by": {"passed": -7}}),
        rule("variants", actions=[{"when": {"case.interest": {"not": "no"}}, "action": "end_activity"}]),
        rule("wary", caution={"from": date(2025, 1, 1), **TEXT}, speaks="always", about_ending=True),
    ],
}
JUNK = st.sampled_from([None, True, 0, -1, 1.5, "", "x", [], ["x"], [[]], {}, {"x": {}}, [{"x": 1}], date(2024, 1, 1)])


def places(data: Any) -> list[tuple[Any, Any]]:
    found = []
    for key, value in list(data.items() if isinstance(data, dict) else enumerate(data)):
        found.append((data, key))
        if isinstance(value, dict | list):
            found += places(value)
    return found


def test_the_pack_with_every_form_loads(folder: Folder) -> None:
    assert len(folder.load(*FULL["theme"], **FULL["pack"]).rules(date(2024, 1, 1))) == 7


@given(st.integers(0, 10**9), JUNK, st.sampled_from(["pack", "theme"]))
def test_any_edit_of_a_pack_loads_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: int, junk: Any, name: str
) -> None:
    folder, rng = tmp_path_factory.mktemp("pack"), random.Random(seed)
    edited = copy.deepcopy(FULL)
    container, key = rng.choice(places(edited[name]))
    if rng.random() < 0.2:
        del container[key]
    else:
        container[key] = junk
    for file, content in edited.items():
        (folder / f"{file}.yaml").write_text(
            yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
    try:
        load_pack(folder)
    except PackError as error:
        problems = error.problems
    else:
        return
    assert all(isinstance(problem, str) and ": " in problem for problem in problems)
