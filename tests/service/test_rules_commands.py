"""`polku rules`: browse the rules, look a pack over, run its examples, compare two packs."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules.pack import DEFAULT_PACK, load_pack
from service.rules_lint import lint
from tests.service.polku import EXAMPLES, LANGUAGES, data, flowing, page, polku, process, refused

PACK = load_pack()
IDS = list(dict.fromkeys(rule.id for rule in PACK.editions[-1].rules))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the pack that a test may spoil."""
    folder = tmp_path / "copy"
    shutil.copytree(DEFAULT_PACK, folder, ignore=shutil.ignore_patterns("examples", "lock.yaml"))
    return folder


def change(path: Path, old: str, new: str) -> None:
    """Replace some text that is in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def rule_of(folder: Path, theme: str, rule_id: str, **fields: Any) -> None:
    """Change fields of a rule in a pack."""
    path = folder / f"{theme}.yaml"
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))
    next(rule for rule in rules if rule["id"] == rule_id).update(fields)
    path.write_text(yaml.safe_dump(rules, allow_unicode=True, sort_keys=False), encoding="utf-8")


def errors(folder: Path) -> list[str]:
    """The errors lint finds, as text."""
    return [str(remark) for remark in lint(folder) if remark.error]


# --- list and show ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_list_names_every_rule_in_force_on_a_day(lang: str) -> None:
    told = page("rules", "list", "--as-of", "2022-09-05", "--lang", lang, columns=100)
    for rule in PACK.rules(date(2022, 9, 5)):
        assert rule.id in told
        assert rule.title[lang].split()[0] in told


def test_the_list_for_programs_follows_the_day() -> None:
    then = {item["rule"] for item in data("rules", "list", "--as-of", "2022-09-05")}
    later = {item["rule"] for item in data("rules", "list", "--as-of", "2025-09-05")}
    assert then - later == {"basic-consent-before-ktt"}
    assert later - then == {"trial-max-six-months"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_rule_can_be_shown_in_every_language(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.rules_commands._all_cases", lambda *_: [])  # counted in another test
    for rule in IDS:
        told = flowing(page("rules", "show", rule, "--lang", lang, columns=100))
        assert flowing(PACK.versions(rule)[-1].text[lang]) in told
        assert "{" not in told


def test_a_rule_is_shown_with_conditions_numbers_sources_and_cases() -> None:
    told = flowing(page("rules", "show", "ktt-pause-max-one-month", "--as-of", "2022-09-05"))
    assert "– Tauon syy: työkokeilu" in told
    assert "Tulos on ”ei kunnossa”, kun ─" in told
    assert "– Tauon takaraja: päivä on ohi" in told
    assert "– Tauon takaraja: päivä 7 päivää ennen sitä on tullut" in told
    assert "Muuten tulos on ”kunnossa”." in told
    assert "Tauko työkokeilun vuoksi enintään activity.pause_max_months 1 kuukausi, 1.1.2020 alkaen." in told
    assert "Tarkista tämä: Tauon enimmäisaika tulee pilotin käytännöstä" in told
    assert "Voimassa: 1.1.2020 – toistaiseksi" in told


def test_a_rule_for_programs_carries_everything() -> None:
    found = data("rules", "show", "as-update-on-trial", "--as-of", "2022-09-05")
    assert found["guards"] == ["start_work_trial"]
    assert (found["action"], found["role"], found["severity"]) == ("update_plan", "employment_coach", "obligation")
    assert found["valid"] == {"from": "2020-01-01", "to": None}
    assert found["source"][0] == {"document": "003", "section": "5"}
    assert found["cases"] > 0
    assert [item["outcome"] for item in found["outcomes"]] == ["satisfied", "remedied"]
    number = data("rules", "show", "ktt-pause-max-one-month")["parameters"]
    assert {item["name"]: item["values"][0]["value"] for item in number} == {
        "pause.warn_days": 7,
        "activity.pause_max_months": 1,
    }


def test_an_unknown_rule_is_told_with_the_nearest_name() -> None:
    assert "did you mean ktt-pause-max-one-month?" in flowing(refused("rules", "show", "ktt-pause-max"))
    assert "did you mean ktt-pause-max-one-month?" in flowing(refused("rules", "test", "--rule", "ktt-pause-max"))


# --- lint ---


def test_the_pack_that_comes_with_polku_is_in_order() -> None:
    result = polku("rules", "lint")
    assert (result.exit_code, result.stderr) == (0, ""), result.stdout


def test_a_pack_that_does_not_load_tells_every_mistake(copy: Path) -> None:
    change(copy / "trial.yaml", "about: trial", "about: trail")
    change(copy / "job.yaml", "role: job_coach", "role: job_coch")
    result = polku("rules", "lint", copy)
    assert result.exit_code == 1
    assert (
        "trial.yaml: as-update-on-trial: unknown kind of subject (about) 'trail'; did you mean trial?" in result.stdout
    )
    assert "unknown role 'job_coch'; did you mean job_coach?" in result.stdout


def test_a_pack_that_does_not_load_is_refused_elsewhere(copy: Path) -> None:
    (copy / "job.yaml").write_text("[", encoding="utf-8")
    assert "the rule pack cannot be used: 1 mistake\n  job.yaml: not readable YAML" in refused("rules", "test", copy)


def test_there_must_be_such_a_folder(tmp_path: Path) -> None:
    assert "there is no such folder" in refused("rules", "lint", tmp_path / "none")
    assert "there is no such file" in polku("rules", "lint", tmp_path).stdout


def test_a_published_version_may_not_change(copy: Path) -> None:
    pack = load_pack(copy)
    (copy / "lock.yaml").write_text(f"{{{pack.version}: {pack.sha256}}}", encoding="utf-8")
    assert errors(copy) == []
    change(copy / "trial.yaml", "fi: ", "fi: Nyt ")
    assert [text for text in errors(copy) if "was published as" in text and "give the pack a new version" in text]


def test_a_version_not_in_the_lock_is_a_note(copy: Path) -> None:
    (copy / "lock.yaml").write_text("0.9.0: abc", encoding="utf-8")
    notes = [str(remark) for remark in lint(copy) if not remark.error]
    assert [note for note in notes if note.startswith("note: lock.yaml: version 1.0.0 is not published yet")]
    assert polku("rules", "lint", copy).exit_code == 0


def test_a_lock_that_is_no_list_of_versions_is_an_error(copy: Path) -> None:
    for text in ("- 1", "[", "abc"):
        (copy / "lock.yaml").write_text(text, encoding="utf-8")
        assert [found for found in errors(copy) if "expected versions with their SHA-256" in found]


def test_a_source_that_nobody_cites_is_an_error(copy: Path) -> None:
    change(copy / "pack.yaml", "sources:\n", "sources:\n  '999': {title: Unused}\n")
    assert "error: sources.999: no rule and no parameter cites this source" in errors(copy)


def test_a_source_that_is_not_listed_is_an_error(copy: Path) -> None:
    change(copy / "trial.yaml", "document: '003'", "document: '998'")
    assert any("unknown document of the pack's sources '998'" in found for found in errors(copy))


def test_a_rule_without_cases_and_a_broken_case_file_are_errors(copy: Path) -> None:
    (copy / "trial.cases.yaml").unlink()
    assert "error: trial-parallel-two-statements: the rule has no cases" in errors(copy)
    (copy / "job.cases.yaml").write_text("- {nam: x}", encoding="utf-8")
    assert [
        text for text in errors(copy) if text.startswith("error: job.cases.yaml: ") and "did you mean name?" in text
    ]


def test_a_condition_that_can_never_hold_is_an_error(copy: Path) -> None:
    never = [{"activity.status": "active"}, {"activity.status": "ended"}]
    rule_of(copy, "activity", "days-per-week-1-4", when=never)
    assert "error: days-per-week-1-4: can never apply: no facts satisfy what it applies to" in errors(copy)


def test_an_outcome_that_can_never_come_is_an_error(copy: Path) -> None:
    most, least = ({"activity.days_per_week": test} for test in ({"at_most": "activity.min_days"}, {"at_least": 4}))
    rule_of(copy, "activity", "days-per-week-1-4", holds=[most, least])
    change(copy / "activity.yaml", "at_least: 4", "at_least: activity.max_days")
    assert [text for text in errors(copy) if "days-per-week-1-4: can never come out satisfied" in text]


def test_a_condition_that_must_always_hold_is_an_error(copy: Path) -> None:
    always = {"any": [{"case.basic_consent": True}, {"any": [{"case.basic_consent": ["no", "unknown"]}]}]}
    rule_of(copy, "access", "basic-consent-before-ktt", holds=always)
    found = "\n".join(errors(copy))
    assert "basic-consent-before-ktt: can never come out violated: the conditions before it always hold" in found


def test_a_line_that_takes_every_value_is_an_error(copy: Path) -> None:
    rule_of(copy, "trial", "transition-support-retained", when={"case.stage": ["not_started", "activity"]})
    assert not [text for text in errors(copy) if "always holds" in text]
    stages = list(PACK.editions[-1].vocabulary["case.stage"].values)
    rule_of(copy, "trial", "transition-support-retained", when={"case.stage": stages, "trial.running": True})
    assert [text for text in errors(copy) if "case.stage: not_started | activity" in text and "always holds" in text]


def test_a_rule_may_not_be_in_force_before_its_numbers(copy: Path) -> None:
    rule_of(copy, "plan", "plan-review-every-3-months", valid={"from": "2021-01-01"})
    told = "in force from 2021-01-01, its number plan.review_months only from 2022-05-02"
    assert f"error: plan-review-every-3-months: {told}" in errors(copy)


def test_two_versions_in_force_at_once_and_a_gap_between_versions_are_told(copy: Path) -> None:
    path = copy / "trial.yaml"
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))
    one = next(rule for rule in rules if rule["id"] == "criminal-record-cost")
    one["valid"] = {"from": "2020-01-01", "to": "2022-12-31"}
    for start, told in (("2022-12-31", "two versions are in force"), ("2023-02-01", "no version is in force between")):
        both = [*rules, {**one, "valid": {"from": start}}]
        path.write_text(yaml.safe_dump(both, allow_unicode=True), encoding="utf-8")
        assert [text for text in errors(copy) if "criminal-record-cost: " in text and told in text]


# --- test ---


def test_the_worked_cases_of_one_rule_can_be_run() -> None:
    told = page("rules", "test", "--rule", "ktt-pause-max-one-month")
    assert "kaikki menivät niin kuin pitää." in told


def test_a_case_that_comes_out_otherwise_is_told_in_plain_words(copy: Path) -> None:
    text = (copy / "pack.yaml").read_text(encoding="utf-8")
    start = text.index("value: 1,", text.index("activity.pause_max_months:"))
    (copy / "pack.yaml").write_text(text[:start] + "value: 2," + text[start + 9 :], encoding="utf-8")
    result = polku("rules", "test", copy, "--rule", "ktt-pause-max-one-month")
    assert (result.exit_code, result.stderr) == (1, "")
    assert "expected: violated" in result.stdout
    assert "Työtoiminnan tauko työkokeilun vuoksi pysyy määräajassa (ktt-pause-max-one-month)" in result.stdout
    assert "meni toisin kuin pitää." in result.stdout


def test_a_rule_without_cases_fails(copy: Path) -> None:
    (copy / "trial.cases.yaml").unlink()
    result = polku("rules", "test", copy, "--rule", "trial-parallel-two-statements", "--lang", "en")
    assert result.exit_code == 1
    assert "The rule trial-parallel-two-statements has no example cases." in result.stdout


def test_a_case_file_that_cannot_be_used_is_refused(copy: Path) -> None:
    (copy / "job.cases.yaml").write_text("- {nam: x}", encoding="utf-8")
    told = refused("rules", "test", copy)
    assert told.startswith("polku: job.cases.yaml: ")
    assert "did you mean name?" in told


# --- diff ---


def test_a_pack_does_not_differ_from_itself(copy: Path) -> None:
    assert page("rules", "diff", DEFAULT_PACK, copy) == "Säännöstöissä ei ole eroja.\n"
    assert data("rules", "diff", DEFAULT_PACK, copy)["differences"] == []


def test_added_removed_and_changed_rules_numbers_texts_and_validity_are_told(copy: Path) -> None:
    path = copy / "trial.yaml"
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))
    rules = [rule for rule in rules if rule["id"] != "criminal-record-cost"]
    rules.append({**rules[0], "id": "quite-new"})
    path.write_text(yaml.safe_dump(rules, allow_unicode=True, sort_keys=False), encoding="utf-8")
    first = rules[0]["id"]
    rule_of(copy, "trial", first, valid={"from": "2021-01-01"}, title={**rules[0]["title"], "fi": "Uusi nimi"})
    change(copy / "pack.yaml", "value: 12,", "value: 6,")
    found = data("rules", "diff", DEFAULT_PACK, copy)["differences"]
    told = {(item["what"], item["name"], item["key"]): (item["before"], item["after"]) for item in found}
    assert told["rule", first, "valid.from"] == ("2020-01-01", "2021-01-01")
    assert told["rule", first, "title.fi"][1] == "Uusi nimi"
    assert told["rule", "criminal-record-cost", None][1] is None
    assert told["rule", "quite-new", None][0] is None
    assert [key for key in told if key[0] == "parameter"]
    shown = flowing(page("rules", "diff", DEFAULT_PACK, copy))
    for part in ("Uusi sääntö: ", "Poistettu sääntö: criminal-record-cost", "Muuttunut sääntö: Uusi nimi", "Luku: "):
        assert part in shown


def test_findings_that_would_come_out_otherwise_are_told(copy: Path) -> None:
    rule_of(copy, "coaching", "first-employer-meeting-30d", valid={"from": "2030-01-01"})
    words = ("rules", "diff", DEFAULT_PACK, copy, EXAMPLES / "trial_paused.yaml", "--as-of", "2025-11-26")
    (one,) = data(*words)["findings"]
    assert (one["rule"], one["before"], one["after"]) == ("first-employer-meeting-30d", "satisfied", "not_applicable")
    assert "1 tapausta: 1 kohtaa muuttuu." in flowing(page(*words))


def test_a_folder_of_cases_is_read_through_and_other_files_are_named(copy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.yaml").write_text("{case: {id: a}, entries: []}", encoding="utf-8")
    (folder / "inner" / "b.json").write_text('{"case": {"id": "b"}, "entries": []}', encoding="utf-8")
    (folder / "index.yaml").write_text("[1]", encoding="utf-8")
    result = polku("rules", "diff", DEFAULT_PACK, copy, folder)
    assert (result.exit_code, result.stdout) == (0, "2 tapausta: mikään kohta ei muutu.\n")
    assert "index.yaml: holds no case, skipped" in result.stderr
    (folder / "c.yaml").write_text("{case: {}, entries: [}", encoding="utf-8")
    (folder / "d.yaml").write_text("{case: {}, entries: []}", encoding="utf-8")
    result = polku("rules", "diff", DEFAULT_PACK, copy, folder)
    assert result.exit_code == 2
    assert "c.yaml: 1 mistake" in result.stderr
    assert "d.yaml: 1 mistake" in result.stderr


def test_there_must_be_a_case_to_compare_on(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert polku("rules", "diff", DEFAULT_PACK, copy, tmp_path / "none").exit_code == 2
    assert "No such file" in refused("rules", "diff", DEFAULT_PACK, copy, tmp_path / "no.yaml")


def test_a_real_run_of_lint_ends_well() -> None:
    told = process("rules", "lint")
    assert (told.returncode, told.stderr) == (0, b"")
