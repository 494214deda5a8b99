"""`polku next`: the page a caseworker reads, the JSON a program reads, and what is said of wrong input."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from rules.assessment import Assessor
from rules.engines import EngineDifference, EngineError
from rules.entries import LOCAL_TIME
from rules.journal import load_case
from rules.pack import load_pack
from tests.helpers import SIRPA
from tests.service.polku import EXAMPLES, LANGUAGES, data, flowing, page, polku, process, refused

ASSESSOR = Assessor(load_pack())
ON = ("--as-of", "2022-09-05")
#: Text of users that tries to be markup, a format, an emoji, a reversed reading direction.
HOSTILE = """\
case: {id: "[red]x[/red] [link=http://e]"}
entries:
  - {date: 2022-01-05, type: activity_started, days_per_week: 4}
  - {date: 2022-01-06, type: advice_set_aside, rule: social-worker-assigned,
     reason: "[blink]no[/] :smile: {x} %s \\u202Etxt"}
  - {date: 2022-01-06, type: advice_set_aside, rule: tell-all-ktt-clients, reason: "one\\ntwo [/]", until: 2022-12-01}
  - {date: 2022-01-07, type: job_started, kind: open_market, employer: "[/]", id: "[/][bold]e"}
  - {date: 2022-01-08, type: job_ended, id: "x[/]"}
  - {date: 2022-01-08, type: job_ended, id: "y[/]", note: "[/nope]"}
"""


@pytest.fixture
def sirpa(tmp_path: Path) -> Path:
    """The file of the client of the specification."""
    path = tmp_path / "sirpa.yaml"
    path.write_text(SIRPA, encoding="utf-8")
    return path


# --- the page ---


def test_the_page_begins_with_where_the_client_is_and_what_is_next(sirpa: Path) -> None:
    first = page("next", sirpa, *ON).split("\n")[:12]
    assert first[0] == "sirpa · Tilanne päivänä 5.9.2022"
    assert first[1] == "Tuettu työhönvalmennus"
    assert first[5].startswith("Mitä seuraavaksi ──")
    assert re.split(r"\s{2,}", first[6]) == ["Mitä ja kuka", "Mihin mennessä", "Miksi"]
    assert re.split(r"\s{2,}", first[8]) == [
        "Tapaa asiakkaan toiveisiin",
        "5.10.2022",
        "Työnantajaa tavataan kasvokkain",
    ]


def test_the_page_tells_who_why_the_source_and_what_to_check(sirpa: Path) -> None:
    told = flowing(page("next", sirpa, *ON))
    assert "työhönvalmentaja" in told
    assert "first-employer-meeting-30d" in told
    assert "Asiakkaalla on nimetty omatyöntekijä Velvoite: ei kunnossa Nimeä asiakkaalle" in told
    assert "Tarkista tämä: Laki sallii jättää omatyöntekijän nimeämättä" in told
    assert "Lähde: 003 (2.6), 003 (LIITE 6), 1301/2014 (42 §) · laki" in told
    assert "1301/2014: Sosiaalihuoltolaki" in told
    assert told.count("Polku neuvoo, ihminen päättää.") == 1


def test_the_page_tells_what_information_is_missing_and_what_is_in_order(sirpa: Path) -> None:
    told = flowing(page("next", sirpa, *ON))
    assert "Suunnitelmassa on mahdollisuus muihin työllisyyspalveluihin: muut palvelut mahdollisia" in told
    assert re.search(r"Kunnossa \(13\) ─+ Kirjaukset sopivat yhteen · ", told)


def test_the_page_tells_which_steps_are_possible_and_what_comes_first(sirpa: Path) -> None:
    told = flowing(page("next", sirpa, *ON))
    assert "Mahdollinen nyt: Tee aloite valmennuksesta · " in told
    assert (
        "Aloita työkokeilu: ei vielä valmis Kuntoon ennen tätä: Suunnitelmassa on työkokeilun alku ja kesto; " in told
    )
    assert "Jatka valmennusta keskeytyksen jälkeen" not in told


def test_the_days_ahead_name_the_last_day_and_leave_the_path_out(sirpa: Path) -> None:
    ahead = page("next", sirpa, *ON).split("Tulevat päivät")[1].split("Kunnossa (")[0]
    assert re.search(r"Viimeistään 5\.10\.2022 +Työnantajaa tavataan", ahead)
    assert re.search(r"15\.11\.2022 alkaen +Suunnitelma tarkistetaan määräajoin yhdessä \(hoidettava\)", ahead)
    assert len(re.findall(r"^(?:Viimeistään )?\d+\.\d+\.\d{4}", ahead, re.M)) <= 8


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
def test_the_page_fits_its_width_and_carries_no_colour_codes(sirpa: Path, columns: int) -> None:
    told = page("next", sirpa, *ON, "--history", columns=columns)
    assert "\x1b" not in told
    widths = [len(line) for line in told.split("\n")]
    assert max(widths) <= min(columns, 100)
    assert not re.search(r" $", told, re.M)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_has_a_page_in_every_language(path: Path, lang: str) -> None:
    if path.name == "index.yaml" or path.name.endswith(".expected.yaml"):
        return
    for day in ("2022-09-05", "2025-12-01"):
        told = page("next", path, "--as-of", day, "--lang", lang, "--history")
        assert flowing(told).count({"fi": "Polku neuvoo", "sv": "Polku ger råd", "en": "Polku advises"}[lang]) == 1


def test_a_page_is_of_one_language(sirpa: Path) -> None:
    told = {lang: page("next", sirpa, *ON, "--lang", lang) for lang in LANGUAGES}
    assert "Vad händer härnäst" in told["sv"]
    assert "What is next" in told["en"]
    assert "As of 5 September 2022" in told["en"]
    for lang in ("sv", "en"):
        body = re.split(r"Källor ─|Sources ─", told[lang])[0]  # the titles of sources are Finnish
        assert not re.search(r"\b(valmennus|työtoiminta|asiakas|suunnitelma|kunnossa|mennessä)\b", body, re.I)


def test_a_client_of_whom_nothing_is_recorded_has_a_page_too() -> None:
    told = page("next", "-", *ON, text="{case: {id: new}, entries: []}")
    assert "Mitään ei ole vielä kirjattu." in told
    assert "Pidä yhteyttä asiakkaaseen" in told


def test_a_closed_case_has_nothing_to_do() -> None:
    told = page(
        "next", "-", *ON, text="{case: {id: a}, entries: [{date: 2022-01-01, type: case_closed, reason: moved}]}"
    )
    assert "Ei tehtäviä." in told


def test_advice_set_aside_is_told_with_its_reason_and_gives_no_step() -> None:
    told = flowing(page("next", "-", "--as-of", "2022-02-01", text=HOSTILE))
    assert "Valmennuksesta kerrotaan jokaiselle työtoiminnan asiakkaalle: one two [/], 1.12.2022 asti" in told
    assert "Kerro asiakkaalle tuetusta työhönvalmennuksesta" not in told


def test_an_entry_that_does_not_fit_is_named() -> None:
    told = flowing(page("next", "-", "--as-of", "2022-02-01", text=HOSTILE))
    assert "– Työ päättyi 8.1.2022: ei sovi yhteen aiempien kirjausten kanssa (y[/])" in told


def test_the_talk_sheet_is_shown_once_it_has_been_answered() -> None:
    assert "Keskustelun tueksi" not in page("next", "-", *ON, text=SIRPA)
    jarmo = page("next", EXAMPLES / "jarmo.yaml", *ON)
    assert "Keskustelun tueksi" in jarmo
    assert "vastauksia ei lasketa yhteen" in flowing(jarmo)


def test_earlier_episodes_are_shown_when_asked_for() -> None:
    case = """\
case: {id: two-trials}
entries:
  - {date: 2022-01-03, type: work_trial_started, arrangement: activity_ended, planned_end: 2022-02-28}
  - {date: 2022-02-28, type: work_trial_ended, outcome: completed}
  - {date: 2022-04-01, type: work_trial_started, arrangement: activity_ended, planned_end: 2022-05-31}
"""
    told = page("next", "-", "--as-of", "2022-04-15", "--history", text=case)
    earlier = flowing(told.split("Aiemmat vaiheet")[1])
    assert "Työkokeilu alkoi 3.1.2022, e1" in earlier
    assert "– Suunnitelmassa on työkokeilun alku ja kesto: ei kunnossa" in earlier
    assert "Aiemmat vaiheet" not in page("next", "-", "--as-of", "2022-04-15", text=case)


# --- hostile text ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_text_of_users_is_shown_as_written_and_never_read_as_markup(lang: str) -> None:
    told = page("next", "-", "--as-of", "2022-02-01", "--history", "--lang", lang, text=HOSTILE)
    assert told.startswith("[red]x[/red] [link=http://e] · ")
    assert "[blink]no[/] :smile: {x} %s txt" in flowing(told)
    assert "[/][bold]e" in told
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", told)


def test_json_escapes_what_could_steer_a_terminal() -> None:
    told = page("next", "-", "--as-of", "2022-02-01", "--json", text=HOSTILE)
    assert "\u202e" not in told
    assert "\u202etxt" in [(item["set_aside"] or {}).get("reason", "")[-4:] for item in json.loads(told)["findings"]]


def test_a_file_name_with_terminal_codes_is_told_without_them(tmp_path: Path) -> None:
    assert "\x1b" not in refused("next", tmp_path / "a\x1b]0;b.yaml")


# --- JSON ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_json_is_the_assessment(sirpa: Path, lang: str) -> None:
    case = load_case(SIRPA)
    wanted = Assessor(load_pack()).assess(case, datetime(2022, 9, 5).date(), lang=lang).as_json()
    assert data("next", sirpa, *ON, "--lang", lang) == wanted


def test_ids_and_codes_do_not_change_with_the_language(sirpa: Path) -> None:
    def codes(lang: str) -> Any:
        found = data("next", sirpa, *ON, "--lang", lang)
        steps = [(item["action"], item["role"], item["due"], item["because"]) for item in found["next_steps"]]
        return steps, found["triggers"], found["agenda"], found["state"]

    assert codes("fi") == codes("sv") == codes("en")


def test_a_case_comes_on_standard_input_too(sirpa: Path) -> None:
    assert data("next", "-", *ON, text=SIRPA) == data("next", sirpa, *ON)
    as_json = json.dumps({"case": {"id": "a"}, "entries": []})
    assert data("next", "-", *ON, text=as_json)["case"] == "a"


def test_a_date_may_be_written_the_finnish_way(sirpa: Path) -> None:
    assert data("next", sirpa, "--as-of", "5.9.2022") == data("next", sirpa, *ON)


def test_the_default_date_is_today_in_finland() -> None:
    before = datetime.now(LOCAL_TIME).date().isoformat()
    found = data("next", "-", text=SIRPA)["as_of"]
    assert before <= found <= datetime.now(LOCAL_TIME).date().isoformat()


def test_what_was_recorded_later_is_left_out() -> None:
    case = "{case: {id: a}, entries: [{date: 2022-01-01, type: activity_started, recorded_at: 2022-01-05T12:00}]}"

    def stage(time: str) -> str:
        return str(data("next", "-", *ON, "--known-at", time, text=case)["state"]["stage"])

    assert stage("2022-01-05T11:59") == "not_started"
    assert stage("2022-01-05T12:00") == "activity"
    assert stage("2022-01-04") == "not_started"
    assert stage("2022-01-05") == "activity"
    assert stage("5.1.2022") == "activity"
    assert "Mitä tiedettiin hetkellä 5.1.2022 11.59" in page(
        "next", "-", *ON, "--known-at", "2022-01-05T11:59", text=case
    )


# --- proposed steps ---


def test_a_proposed_step_is_judged_with_its_details(sirpa: Path) -> None:
    details = (
        "--with",
        "arrangement=alongside_activity",
        "--with",
        "planned_end=2022-12-31",
        "--with",
        "days_per_week=2",
    )
    step = ("--propose", "start_work_trial", *details)
    found = data("next", sirpa, "--as-of", "2022-10-05", *step)
    trigger = next(item for item in found["triggers"] if item["trigger"] == "start_work_trial")
    assert (trigger["status"], trigger["needs"]) == ("blocked", [])
    assert "trial-parallel-two-statements" in trigger["blocked_by"]
    days = next(item for item in found["findings"] if item["rule"] == "trial-parallel-days")
    assert (days["outcome"], days["facts"]["trial.weekly_days"]) == ("violated", 6)
    told = flowing(page("next", sirpa, "--as-of", "2022-10-05", *step))
    assert "Ehdotettu askel ─" in told
    assert "Aloita työkokeilu: ei vielä valmis Kuntoon ennen tätä: Suunnitelmassa on työkokeilun" in told
    assert "Mitään ei ole kirjattu." in told


def test_details_of_a_step_may_be_lists_texts_and_periods() -> None:
    roles = "participants=client, social_worker,employment_coach"
    words = ("--propose", "update_plan", "--with", roles, "--with", "coaching.start=2022-10-01")
    found = data("next", "-", *ON, *words, "--with", "coaching.alongside_activity=yes", text=SIRPA)
    rule = "omatyontekija-always-in-plan-meeting"
    assert next(item["outcome"] for item in found["findings"] if item["rule"] == rule) == "satisfied"
    assert data("next", "-", *ON, "--propose", "start_coaching", "--with", "provider=123", text=SIRPA)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--propose", "start_trial"), 'unknown step "start_trial"; did you mean start_work_trial?'),
        (("--propose", "fly"), 'unknown step "fly"; known: take_initiative, '),
        (("--with", "a=b"), "give --propose too"),
        (("--propose", "start_work_trial", "--with", "arrangement"), "expected detail=value, found 'arrangement'"),
        (("--propose", "start_work_trial", "--with", "date=2022-01-01"), "the step is dated --as-of"),
        (("--propose", "start_work_trial", "--with", "employer=a", "--with", "employer=b"), "employer is given twice"),
        (("--propose", "start_work_trial", "--with", "arangement=x"), "did you mean arrangement?"),
        (("--propose", "start_work_trial", "--with", "planned_end=2022"), "expected a date such as 2022-09-05"),
        (("--propose", "start_work_trial", "--with", "employer.name=2022"), "employer"),
        (("--propose", "update_plan", "--with", "coaching=1", "--with", "coaching.start=2022-10-01"), "coaching"),
        (("--explain", "social-worker"), 'unknown rule "social-worker"; did you mean social-worker-assigned?'),
        (("--as-of", "2022-02-30"), "there is no such day"),
        (("--as-of", "31.2.2022"), "there is no such day"),
        (("--as-of", "tomorrow"), "expected a date such as 2022-09-05"),
        (("--as-of", "0001-01-01"), "1900"),
        (("--known-at", "noon"), "expected a time such as 2022-09-05T10:30"),
        (("--lang", "de"), "'fi', 'sv', 'en'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_words_are_refused_with_what_was_expected(sirpa: Path, words: tuple[str, ...], told: str) -> None:
    assert told in flowing(refused("next", sirpa, *words))


# --- explanations ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_rule_can_be_explained_in_every_language(sirpa: Path, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.cli.assessor", lambda: ASSESSOR)  # load the pack once
    trial = EXAMPLES / "trial_paused.yaml"
    for rule in {item.id for item in load_pack().editions[-1].rules}:
        for path, day in ((sirpa, "2022-09-05"), (trial, "2025-11-26")):
            assert rule in page("next", path, "--as-of", day, "--explain", rule, "--lang", lang, columns=100)


def test_an_explanation_shows_the_clauses_the_values_met_and_the_smallest_change(sirpa: Path) -> None:
    told = flowing(page("next", sirpa, *ON, "--explain", "first-employer-meeting-30d"))
    assert "Valmennus alkoi 5.9.2022 (e5): hoidettava" in told
    assert "(valmennus alkoi 5.9.2022 + 30 päivää)" in told.replace("( ", "(") or "30 päivää" in told
    assert "Muuten tulos on ”hoidettava”." in told
    assert "– Työnantaja tavattu: ei kirjattu → 5.9.2022 ⇒ kunnossa" in told


def test_an_explanation_is_there_for_programs(sirpa: Path) -> None:
    found = data("next", sirpa, *ON, "--explain", "ts-records-coaching")
    assert (found["case"], found["as_of"]) == ("sirpa", "2022-09-05")
    (one,) = found["explanations"]
    assert (one["rule"], one["outcome"], one["subject"]) == (
        "ts-records-coaching",
        "violated",
        {"kind": "coaching", "entry": "e5"},
    )


def test_a_rule_without_anything_it_is_about_says_so(sirpa: Path) -> None:
    told = page("next", sirpa, *ON, "--explain", "ktt-pause-max-one-month")
    assert "Tällä päivällä ei ole mitään, mitä sääntö koskisi." in told


def test_a_proposed_step_can_be_explained(sirpa: Path) -> None:
    words = ("--propose", "start_work_trial", "--with", "arrangement=alongside_activity", "--with", "days_per_week=2")
    told = flowing(page("next", sirpa, *ON, *words, "--explain", "trial-parallel-days"))
    assert "Työkokeilu: ei kunnossa" in told
    assert "Päiviä viikossa yhteensä: enintään 5 6 ei toteudu" in told


# --- wrong cases ---


def test_every_mistake_of_a_case_is_told_with_file_line_place_and_nearest_name(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "case: {id: x, municipalty: Lahti}\n"
        "entries:\n"
        "  - {date: 2022-13-05, type: activity_started, days_per_weak: 4}\n"
        "  - {date: 2022-01-05, type: activity_startd}\n",
        encoding="utf-8",
    )
    told = refused("next", path).split("\n")
    assert told[0] == f"polku: {path}: 4 mistakes"
    assert told[1] == "  case.municipalty (line 1): unknown field; did you mean municipality?"
    assert told[2].startswith('  entries[0].date (line 3): "2022-13-05"; expected a date such as 2022-09-05')
    assert told[3] == "  entries[0].days_per_weak (line 3): unknown field; did you mean days_per_week?"
    assert told[4].startswith(
        '  entries[1].type (line 4): unknown type "activity_startd"; did you mean activity_started'
    )


def test_an_identity_code_is_refused_and_never_repeated() -> None:
    case = "{case: {id: a}, entries: [{date: 2022-01-01, type: coaching_info_given, note: 'sotu 131052-308T'}]}"
    told = refused("next", "-", text=case)
    assert "a personal identity code" in told
    assert "308T" not in told


@pytest.mark.parametrize(
    "text", [b"", b"\x00", b"\xff\xfe\xff", b"[", b"- 1", b"{", b"a: *b", b"!!python/object:os.x {}"]
)
def test_what_is_no_case_is_refused(text: bytes) -> None:
    assert refused("next", "-", text=text).startswith("polku: standard input: ")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert refused("next", tmp_path / "none.yaml") == f"polku: {tmp_path}/none.yaml: No such file or directory\n"
    assert "Is a directory" in refused("next", tmp_path)


def test_a_missing_case_and_an_unknown_command_are_told() -> None:
    assert "Missing argument" in refused("next")
    assert "No such command" in refused("nxt")


# --- faults of Polku's own ---


def broken(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let every assessment fail with this error."""

    def assess(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Assessor, "assess", assess)


def test_engines_that_differ_give_no_advice(monkeypatch: pytest.MonkeyPatch, sirpa: Path) -> None:
    broken(monkeypatch, EngineDifference("on 2022-09-05: some-rule: one says satisfied, the other violated"))
    told = refused("next", sirpa, *ON)
    assert "no advice is given" in told
    assert "some-rule: one says satisfied" in told


def test_an_engine_that_fails_gives_no_advice(monkeypatch: pytest.MonkeyPatch, sirpa: Path) -> None:
    broken(monkeypatch, EngineError("out of breath"))
    assert "no advice is given" in refused("next", sirpa, *ON)


def test_an_unexpected_fault_is_one_line_that_tells_nothing_of_the_client(
    monkeypatch: pytest.MonkeyPatch, sirpa: Path
) -> None:
    broken(monkeypatch, ZeroDivisionError("Sirpa's secret"))
    told = refused("next", sirpa, *ON)
    assert told.count("\n") == 1
    assert "ZeroDivisionError" in told
    assert "Please report" in told
    assert "secret" not in told


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, sirpa: Path) -> None:
    broken(monkeypatch, KeyboardInterrupt())
    result = polku("next", sirpa, *ON)
    assert (result.exit_code, result.output) == (130, "")


# --- as a process of its own ---


def test_a_real_run_prints_a_page_and_the_same_json(sirpa: Path) -> None:
    told = process("next", sirpa, *ON, env={"COLUMNS": "80"})
    assert (told.returncode, told.stderr) == (0, b"")
    assert told.stdout.decode() == page("next", sirpa, *ON)
    assert json.loads(process("next", "-", *ON, "--json", text=SIRPA.encode()).stdout) == data("next", sirpa, *ON)


def test_a_real_run_refuses_with_code_2() -> None:
    told = process("next", "/none.yaml")
    assert (told.returncode, told.stdout) == (2, b"")
    assert told.stderr == b"polku: /none.yaml: No such file or directory\n"


def test_a_terminal_that_knows_few_letters_still_gets_a_page(sirpa: Path) -> None:
    told = process("next", sirpa, *ON, env={"PYTHONIOENCODING": "ascii"})
    assert (told.returncode, told.stderr) == (0, b"")
    assert b"sirpa" in told.stdout


def test_a_reader_that_leaves_early_makes_no_noise() -> None:
    import subprocess
    import sys

    from tests.service.polku import ROOT

    command = [sys.executable, "-m", "service.cli", "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == b""
        assert run.wait(60) == 141


def test_a_program_does_not_wait_for_what_it_does_not_use(sirpa: Path) -> None:
    """Cold speed: the page's library, the calendar of holidays and the schema stay out of `next --json`."""
    import subprocess
    import sys

    from tests.service.polku import ROOT

    code = (
        "import sys; from service.cli import app; sys.argv[1:] = "
        f"['next', {str(sirpa)!r}, '--as-of', '2022-09-05', '--json']\n"
        "try: app()\n"
        "finally: print([name for name in ('rich', 'holidays', 'rules.cases', 'rules.explain', 'difflib')"
        " if name in sys.modules], file=sys.stderr)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, timeout=60)
    assert told.returncode == 0
    unused = told.stderr.decode().strip()
    assert "rich" not in unused
    assert "holidays" not in unused
    assert "rules.cases" not in unused
    assert "rules.explain" not in unused
