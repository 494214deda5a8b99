"""The page a client takes home: what it says, what it never says, and its PDF."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import yaml
from pypdf import PdfReader

from rules.entries import ENTRY_TYPES
from rules.journal import Case, case_from_data, read_case
from rules.pack import ACTIONS, ROLES
from rules.texts import texts
from service.access.policy import sees
from service.access.relations import RELATIONS
from service.login.pages import LANGUAGES
from service.store import Database
from service.web.paper import summary_pdf
from service.web.summary import AGREED, Summary, language_of, summary
from service.words import Words, pages_catalogue
from statemachines import PHASES, STAGES
from tests.helpers import assessor, day, entry, journal, pack
from tests.service.api import world
from tests.service.api.asking import Client
from tests.service.api.world import CLIENT, NOTE, SECRET_REASON, actor, showing
from tests.service.conftest import Clock
from tests.service.polku import EXAMPLES
from tests.service.web.looking import look

HERE = f"/clients/{CLIENT}/summary"
TODAY = day("2026-11-20")
OWN = sees("social_worker", "assigned")
#: Names that would be markup, code or a mess, were they not text.
HOSTILE = (
    '<script>alert("1")</script>',
    '"><img src=x onerror=alert(1)>',
    '#eval("1 + 1") $x^2$ *b* _i_ `c` \\ = h',
    '#import "@preview/x:1.0.0"',
    "{{ 7 * 7 }} {% raw %}",
    "Å Ä Ö å ä ö Łódź Иван",
)


def told(*entries: dict[str, Any], lang: Any = "fi", role: str = "social_worker", name: str | None = None) -> Summary:
    """The summary of a journal on the day of the tests' clock."""
    return summary(assessor(), journal(*entries), sees(role, "assigned"), name, TODAY, lang)


def agreed(found: Summary) -> dict[str, str]:
    return {item.name: item.text for item in found.agreed}


# --- what it says ---


def test_every_code_has_its_words_for_the_client() -> None:
    words = pages_catalogue()
    assert set(words["summary_actions"]) == set(ACTIONS)
    assert set(words["summary_stages"]) == set(STAGES)
    assert set(words["summary_phases"]) == set(PHASES)
    assert set(words["summary_roles"]) == set(ROLES)
    assert set(words["summary_services"]) == set(AGREED)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_step_is_told_to_the_client_and_not_to_the_worker(action: str) -> None:
    """Whole sentences of their own, which do not speak of a client."""
    for lang, client in (("fi", "asiakk"), ("sv", "klient"), ("en", "client")):
        text = Words(lang)("summary_actions", action)  # type: ignore[arg-type]
        assert text.endswith(".")
        assert client not in text.lower()
        assert text != texts("actions", action, lang)


def test_who_has_just_come_is_told_that_they_are_at_the_beginning() -> None:
    found = told(entry("2026-11-01", "need_assessed"))
    assert found.place == "Olet polun alussa. Mietimme yhdessä, mikä palvelu auttaisi sinua."
    assert (found.agreed, found.workers) == ((), ())
    assert found.tasks


def test_it_tells_what_was_agreed_with_its_days() -> None:
    found = told(
        entry("2026-01-10", "activity_started", days_per_week=4, period_end="2027-01-09"),
        entry("2026-03-05", "activation_plan_updated", participants=["client"], coaching={"start": "2026-03-10"}),
        entry("2026-06-05", "plan_reviewed", participants=["client"]),
        entry("2026-03-10", "coaching_started", provider="p", provider_kind="public", period_end="2026-12-31"),
        entry("2026-11-15", "work_trial_agreed", start="2026-12-01", employer="x"),
        entry("2026-11-16", "job_agreed", start="2027-02-01"),
    )
    assert agreed(found) == {
        "Suunnitelmasi": "Päivitetty 5.3.2026. Katsottu yhdessä 5.6.2026.",
        "Kuntouttava työtoiminta": "Alkoi 10.1.2026. 4 päivänä viikossa. Jakso kestää 9.1.2027 asti.",
        "Tuettu työhönvalmennus": "Alkoi 10.3.2026. Jakso kestää 31.12.2026 asti.",
        "Työkokeilu": "Sovittu alkavaksi 1.12.2026.",
        "Työ": "Sovittu alkavaksi 1.2.2027.",
    }
    days = [(item.day, item.text) for item in found.ahead]
    assert ("1.12.2026", "Työkokeilu alkaa.") in days
    assert ("9.1.2027", "Kuntouttavan työtoiminnan jakso päättyy.") in days
    assert [item for item in days if item[0] == "1.2.2027"] == [("1.2.2027", "Työ alkaa.")]


def test_a_break_is_told_without_its_reason() -> None:
    found = told(
        entry("2026-01-10", "activity_started", days_per_week=4),
        entry("2026-11-01", "activity_paused", reason="illness"),
        entry("2026-03-10", "coaching_started", provider="p", provider_kind="public"),
        entry("2026-10-10", "coaching_interrupted", reason="substance_use", review_on="2026-12-10"),
    )
    assert found.place == "Työhönvalmennuksesi on tauolla."
    assert agreed(found) == {
        "Kuntouttava työtoiminta": "Alkoi 10.1.2026. Tauolla 1.11.2026 alkaen.",
        "Tuettu työhönvalmennus": "Alkoi 10.3.2026. Nyt tauolla. Katsomme tilannetta uudelleen 10.12.2026.",
    }


def test_a_day_that_has_passed_is_told_as_past() -> None:
    found = told(
        entry("2026-01-10", "work_trial_started", arrangement="alongside_activity", planned_end="2026-11-01"),
        entry("2026-01-10", "activation_plan_updated", participants=["client"], valid_until="2026-10-01"),
    )
    assert agreed(found) == {
        "Suunnitelmasi": "Päivitetty 10.1.2026. Oli voimassa 1.10.2026 asti.",
        "Työkokeilu": "Alkoi 10.1.2026. Oli tarkoitus päättyä 1.11.2026.",
    }


def test_a_trial_that_has_begun_is_no_longer_to_come() -> None:
    first = entry("2026-01-05", "work_trial_agreed", start="2026-01-10")
    begun = entry("2026-01-10", "work_trial_started", arrangement="alongside_activity", days_per_week=1)
    assert agreed(told(first, begun))["Työkokeilu"] == "Alkoi 10.1.2026. Yhtenä päivänä viikossa."
    ended = entry("2026-02-10", "work_trial_ended", outcome="completed")
    assert "Työkokeilu" not in agreed(told(first, begun, ended))
    again = entry("2026-11-10", "work_trial_agreed", start="2026-12-10")
    assert agreed(told(first, begun, ended, again))["Työkokeilu"] == "Sovittu alkavaksi 10.12.2026."


def test_what_is_late_is_told_without_blame() -> None:
    found = told(
        entry("2020-01-01", "worker_assigned", role="social_worker", worker="w"),
        entry("2026-01-10", "activity_started", days_per_week=4, period_end="2026-06-09"),
    )
    assert "mahdollisimman pian" in {task.when for task in found.tasks}
    assert "Omatyöntekijäsi" in {task.who for task in found.tasks}
    everything = str(found.as_json()).lower()
    assert not any(word in everything for word in ("myöhä", "laiminly", "rikk", "velvo", "puute"))


def test_those_who_have_left_do_not_work_with_the_client() -> None:
    named = entry("2026-01-01", "worker_assigned", role="social_worker", worker="w")
    coach = entry("2026-01-01", "worker_assigned", role="job_coach", worker="j")
    left = entry("2026-05-01", "worker_released", role="social_worker", worker="w")
    assert told(named, coach).workers == ("Omatyöntekijäsi", "Työhönvalmentajasi")
    assert told(named, coach, left).workers == ("Työhönvalmentajasi",)


def test_who_lost_a_job_is_not_told_that_work_goes_on_well() -> None:
    lost = (
        entry("2026-03-10", "coaching_started", provider="p", provider_kind="public"),
        entry("2026-05-01", "job_started", kind="open_market"),
        entry("2026-05-02", "coaching_phase_reached", phase="job_retention"),
        entry("2026-11-15", "job_ended"),
    )
    assert "jatkuu hyvin" not in told(*lost).place
    assert told(*lost[:-1]).place == "Olet töissä. Voit saada tukea myös työn aikana."


def test_a_closed_case_promises_nothing() -> None:
    found = told(entry("2026-01-10", "activity_started"), entry("2026-11-01", "case_closed", reason="other"))
    assert found.place.startswith("Tämä asiasi on päättynyt.")
    assert found.tasks == ()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_speaks_the_clients_language(lang: Any) -> None:
    case = case_from_data({"case": {"id": "c", "language": lang}, "entries": []})
    assert language_of(case, OWN, None, "fi") == lang
    assert language_of(case, OWN, "en", "fi") == "en"
    assert language_of(case, OWN, "de", "fi") == lang
    assert language_of(journal(), OWN, None, "sv") == "sv"


# --- what it never says ---


def test_it_holds_no_rule_no_severity_no_reason_and_no_note() -> None:
    case = case_from_data(world.document())
    for lang in LANGUAGES:
        found = str(summary(assessor(), case, OWN, "Sirpa", TODAY, lang).as_json()).lower()
        versions = [version for rule in pack().rules(TODAY) for version in pack().versions(rule.id)]
        assert not [rule.id for rule in versions if rule.id in found]
        assert not [rule.title[lang] for rule in versions if rule.title[lang].lower() in found]
        words = Words(lang)
        for section, keys in (("severities", ("obligation",)), ("statuses", ("overdue",)), ("outcomes", ("violated",))):
            assert not [key for key in keys if words(section, key).lower() in found]
        assert not [text for text in (NOTE, SECRET_REASON, "päihde", "rusmedel", "substance", "chk-") if text in found]


def test_what_a_role_may_not_see_is_told_by_the_role_alone() -> None:
    """Journals that differ only in what a role may not see give it the same summary."""
    for role in world.ACTING:
        for relation in RELATIONS:
            sight = sees(role, relation)
            if not sight.opens("journal"):
                continue
            shown = []
            for entries in _journals_alike(sight.hidden):
                case = journal(*entries)
                shown.append(summary(assessor(), case, sight, None, TODAY, "fi"))
            assert all(one == shown[0] for one in shown), (role, relation)


def _journals_alike(hidden: frozenset[tuple[str, str]]) -> list[list[dict[str, Any]]]:
    """A journal, and the same without the entries of types that are hidden wholly, and with other hidden fields."""
    entries = [*world.document()["entries"], entry("2026-11-01", "activity_paused", reason="illness")]
    entries.append(entry("2026-11-02", "case_closed", reason="died"))
    entries.append(entry("2026-11-03", "case_reopened", reason="other"))
    gone = [item for item in entries if (item["type"], "date") not in hidden]
    changed = []
    for item in gone:
        other = dict(item)
        if (item["type"], "reason") in hidden and "reason" in ENTRY_TYPES[item["type"]].model_fields:
            other["reason"] = "other"
        changed.append(other)
    return [entries, gone, changed]


def test_a_supervisor_is_told_that_something_is_left_out(anyone: Client, database_settled: None) -> None:
    seen = look(showing(anyone, actor("activity_supervisor", "assigned")), HERE)
    assert seen.status == 200
    assert "Osa tiedoista puuttuu" in seen.text
    assert "Tuettu työhönvalmennus" not in seen.text
    assert "Puhutaan tästä tapaamisessa." in seen.text


# --- the page ---


@pytest.fixture
def database_settled(anyone: Client, sqlite: Database, clock: Clock) -> None:
    """A client with secrets, and someone of every role in every relation to them."""
    world.settled(anyone, sqlite, clock())


@pytest.fixture
def worker(anyone: Client, database_settled: None) -> Client:
    """The client's own social worker."""
    return showing(anyone, actor("social_worker", "assigned"))


def test_the_page_is_for_the_client_in_their_language_and_around_it_in_the_workers(worker: Client) -> None:
    for lang in ("fi", "sv", "en"):
        seen = look(worker, HERE, lang=lang)
        assert (seen.status, seen.one("html")["lang"], seen.one("article")["lang"]) == (200, lang, "fi")
    english = look(worker, f"{HERE}?lang=en")
    assert english.one("article")["lang"] == "en"
    assert english.one("article h1").get_text() == "Summary for you"
    assert "Osa tiedoista puuttuu" not in english.text
    assert look(worker, f"{HERE}?lang=<script>").one("article")["lang"] == "fi"


def test_the_page_has_one_heading_for_each_part_and_a_place_to_sign(worker: Client) -> None:
    seen = look(worker, HERE)
    assert [tag.get_text() for tag in seen.all("article h2")] == [
        "Missä olet nyt", "Mitä on sovittu", "Mitä tapahtuu seuraavaksi", "Tulevia päiviä", "Kuka auttaa sinua",
        "Omia muistiinpanoja",
    ]  # fmt: skip
    assert "Sirpa Esimerkki" in seen.one("article").get_text()
    assert "Allekirjoituksesi" in seen.text
    assert seen.answer.headers["cache-control"] == "no-store"
    assert not [tag for tag in seen.html.find_all(True) if tag.has_attr("style")]


def test_each_look_is_on_record_as_a_summary(worker: Client) -> None:
    for path in (HERE, f"{HERE}.pdf"):
        look(worker, path)
    reads = worker.get(f"/v1/cases/{CLIENT}/reads").json()["items"]
    assert [read["what"] for read in reads].count("summary") == 2


@pytest.mark.parametrize("path", [HERE, f"{HERE}.pdf"])
def test_who_does_not_work_with_the_client_gets_nothing(anyone: Client, database_settled: None, path: str) -> None:
    for role, relation, status in (
        ("social_worker", "none", 404),
        ("job_coach", "none", 404),
        ("auditor", "none", 403),
        ("administrator", "none", 404),
        ("job_coach", "provider", 200),
        ("team_leader", "team", 200),
    ):
        seen = look(showing(anyone, actor(role, relation)), path)
        assert (seen.status, role) == (status, role)
    assert look(anyone, path).status == 303


def test_a_client_that_is_not_there_is_a_page_that_says_so(worker: Client) -> None:
    for case_id in ("nobody", "%00", "x" * 300, "131052-308T"):
        for end in ("summary", "summary.pdf"):
            assert look(worker, f"/clients/{case_id}/{end}").status == 404


def test_a_name_is_text_on_the_page_and_on_paper(worker: Client) -> None:
    for name in HOSTILE:
        assert worker.put(f"/v1/cases/{CLIENT}/identity", {"name": name}).status_code == 200
        seen = look(worker, HERE)
        assert seen.one("article bdi").get_text() == name
        assert not seen.all("article script, article img")
        assert name in _text(_reader(look(worker, f"{HERE}.pdf").answer.content))


# --- the PDF ---


def _reader(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def _text(reader: PdfReader) -> str:
    return " ".join(" ".join(part.extract_text() for part in reader.pages).replace("\u00ad\n", "").split())


def test_the_pdf_is_tagged_and_a4_with_its_language_and_title(worker: Client) -> None:
    answer = look(worker, f"{HERE}.pdf?lang=sv").answer
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == 'inline; filename="polku-2026-11-20.pdf"'
    reader = _reader(answer.content)
    root: Any = reader.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("sv", True)
    assert bool(root["/ViewerPreferences"]["/DisplayDocTitle"])
    assert b"pdfuaid:part>1<" in root["/Metadata"].get_data().replace(b" ", b"")
    assert reader.metadata is not None
    assert reader.metadata.title == "Sammanfattning för dig"
    assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [595, 842]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_usual_client_has_one_page(lang: Any, clock: Clock) -> None:
    """Those of the rule pack's examples on the day they are looked at: at every stage, in every language."""
    for case, on in examples():
        found = summary(assessor(), case, OWN, "Esimerkki Esimerkinen", on, lang)
        assert len(_reader(summary_pdf(found.as_json(), _labels(lang), clock())).pages) == 1, case.id


def examples() -> Iterator[tuple[Case, date]]:
    """The rule pack's examples, each with the day it is looked at."""
    for item in yaml.safe_load((EXAMPLES / "index.yaml").read_text(encoding="utf-8")):
        path = EXAMPLES / item["file"]
        for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            yield read_case(file), item["as_of"]


def test_the_pdf_says_what_the_page_says(worker: Client) -> None:
    paper = _text(_reader(look(worker, f"{HERE}.pdf").answer.content))
    page = look(worker, HERE)
    for tag in page.all("article h1, article h2, article dd, article td, article li strong"):
        assert " ".join(tag.get_text().split()) in paper


def test_the_same_summary_gives_the_same_pdf(worker: Client) -> None:
    first, second = (look(worker, f"{HERE}.pdf").answer.content for _ in range(2))
    assert first == second


def test_a_long_summary_goes_on_to_a_second_page_and_loses_nothing(clock: Clock) -> None:
    found = told(entry("2026-11-01", "need_assessed"), name="Vieläpitempisukunimi-" * 10)
    many = {
        **found.as_json(),
        "tasks": [{"what": f"Teemme asian {n}.", "who": "Sinä", "when": "pian"} for n in range(60)],
    }
    reader = _reader(summary_pdf(many, _labels(), clock()))
    assert len(reader.pages) > 1
    text = _text(reader)
    assert all(f"asian {n}." in text for n in range(60))
    assert "1 / 2" in text or "1 / 3" in text


def test_a_name_of_one_long_word_stays_on_the_paper(clock: Clock) -> None:
    found = told(entry("2026-11-01", "need_assessed"), name="Å" * 200)
    reader = _reader(summary_pdf(found.as_json(), _labels(), clock()))
    assert "Å" * 200 in "".join(reader.pages[0].extract_text().split()).replace("\u200b", "")


@pytest.mark.parametrize("name", ["李娜", "😀", "x\u0001y"])
def test_a_name_the_fonts_do_not_have_is_left_to_be_written_by_hand(name: str, clock: Clock) -> None:
    found = told(entry("2026-11-01", "need_assessed"), name=name)
    text = _text(_reader(summary_pdf(found.as_json(), _labels(), clock())))
    assert "Nimi: Päivämäärä: 20.11.2026" in text


@pytest.mark.parametrize("name", ["שרה", "مريم", "a\u202eb\u200f"])
def test_a_name_from_right_to_left_is_there(name: str, clock: Clock) -> None:
    found = told(entry("2026-11-01", "need_assessed"), name=name)
    assert _reader(summary_pdf(found.as_json(), _labels(), clock())).pages


def _labels(lang: Any = "fi") -> dict[str, str]:
    words = Words(lang)
    return {key: words("summary", key) for key, text in pages_catalogue()["summary"].items() if "{" not in text["fi"]}
