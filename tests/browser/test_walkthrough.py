"""From the first talk to the work trial, by the pages alone: several workers, one client, and what they say is next."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from playwright.sync_api import Locator, expect

from service.web.formats import Formats
from service.words import Lang
from tests.browser.conftest import Someone
from tests.browser.driving import NARROW, WIDE
from tests.browser.working import Worker, day

COUNTY, AUTHORITY, WORKSHOP, PROVIDER = "county-1", "employment-area-1", "municipality-1", "provider-1"
SOCIAL_WORKER = "omatyöntekijä (sosiaalihuolto)"
EMPLOYMENT_COACH = "omavalmentaja (työvoimaviranomainen)"
INSTRUCTOR = "sosiaaliohjaaja (kuntouttava työtoiminta)"
JOB_COACH = "työhönvalmentaja"
UPDATE_PLAN = "Päivitä aktivointisuunnitelma tai monialainen työllistymissuunnitelma yhdessä asiakkaan kanssa"
DRAW_UP = "Päivitä toteuttamissuunnitelma yhdessä asiakkaan kanssa"
BEGIN_COACHING = "Aloita tuettu työhönvalmennus asiakkaan kanssa"
PLANNING = ["Asiakas", SOCIAL_WORKER.capitalize(), EMPLOYMENT_COACH.capitalize()]
EVERYONE = [*PLANNING, INSTRUCTOR.capitalize(), JOB_COACH.capitalize()]


@pytest.mark.parametrize(
    ("lang", "size", "javascript"),
    [("fi", WIDE, True), ("sv", NARROW, False), ("en", NARROW, True)],
    ids=["fi-wide", "sv-narrow-without-javascript", "en-narrow"],
)
def test_sirpa_goes_from_the_first_talk_to_a_work_trial_alongside_activity(
    someone: Someone, lang: Lang, size: dict[str, int], javascript: bool
) -> None:
    sirpa = f"Sirpa Sinnikäs {lang}"
    with ExitStack() as doors:
        aino, helmi, onni, vieno = (
            Worker(doors.enter_context(someone(user, lang=lang, size=size, javascript=javascript)), lang)
            for user in ("aino", "helmi", "onni", "vieno")
        )
        _the_social_worker_takes_her_and_names_the_others(aino, sirpa)
        _activity_begins_with_a_decision_and_plans(aino, onni, sirpa)
        _they_talk_about_work(aino, sirpa)
        _she_consents_and_they_agree_to_go_on(aino, sirpa)
        _the_plan_is_updated_together(helmi, onni, sirpa)
        _coaching_begins(vieno, sirpa)
        _the_coach_meets_employers(vieno, sirpa)
        _the_trial_begins_with_both_statements(helmi, vieno, sirpa)
        _nothing_is_left_undone(aino, sirpa)


def _the_social_worker_takes_her_and_names_the_others(aino: Worker, sirpa: str) -> None:
    aino.takes_a_client(sirpa, **{"Kotikunta": "Orimattila", "Syntymävuosi": "1971", "Asiointikieli": "Suomi"})
    assert aino.is_in("Polku ei ole vielä alkanut")
    assert aino.next() == aino.said([("Pidä yhteyttä asiakkaaseen", SOCIAL_WORKER)])
    for role, worker, organisation in (
        (EMPLOYMENT_COACH, "helmi", AUTHORITY),
        (INSTRUCTOR, "onni", WORKSHOP),
        (JOB_COACH, "vieno", COUNTY),
    ):
        named = {"Työntekijän tunnus": worker, "Työntekijän organisaatio": organisation}
        aino.records("Työntekijä nimettiin", {"Päivä": day(-60), "Rooli": role.capitalize(), **named})


def _activity_begins_with_a_decision_and_plans(aino: Worker, onni: Worker, sirpa: str) -> None:
    aino.records("Toiminta alkoi", {"Päivä": day(-60), "Montako päivää viikossa?": "3", "Jakson loppu": day(305)})
    assert aino.is_in("Kuntouttava työtoiminta")
    assert [step for step, _ in aino.next()][:3] == aino.said(
        [
            UPDATE_PLAN,
            "Tee uusi päätös kuntouttavasta työtoiminnasta",
            DRAW_UP,
        ]
    )
    granted = {"Palvelu": "Kuntouttava työtoiminta", "Päätös": "Myönnetty"}
    aino.takes_up(
        "Tee uusi päätös kuntouttavasta työtoiminnasta",
        {"Päivä": day(-60), **granted, "Alkupäivä": day(-60), "Loppupäivä": day(305)},
        form="Palvelupäätös",
    )
    plan = {"Laji": "Aktivointisuunnitelma", "Voimassa asti": day(300)}
    asked = {"Päivä": day(-60), "Ketkä olivat mukana?": PLANNING}
    aino.records("Suunnitelman päivitystapaaminen", {**asked, "Suunnitelma päivitettiin": plan})
    onni.finds(sirpa)
    drawn = {"Päivä": day(-58), "Kirjattiinko valmennus suunnitelmaan?": "Ei"}
    onni.takes_up(DRAW_UP, drawn, form="Toteuttamissuunnitelma päivitettiin")
    assert onni.next() == onni.said(
        [
            ("Kysy asiakkaalta, haluaako hän töihin", INSTRUCTOR),
            ("Kerro asiakkaalle tuetusta työhönvalmennuksesta", INSTRUCTOR),
        ]
    )


def _they_talk_about_work(aino: Worker, sirpa: str) -> None:
    aino.finds(sirpa)
    aino.records(
        "Ensimmäinen keskustelu työstä",
        {
            "Päivä": day(-40),
            "Haluaako asiakas töihin?": "Kyllä",
            "Tehtiin aloite tuetusta työhönvalmennuksesta": True,
        },
    )
    assert aino.is_in("Valmennuksen valmistelu")
    assert aino.next() == aino.said(
        [
            ("Sovi valmennukseen lähtemisestä yhdessä asiakkaan ja hänen työntekijöidensä kanssa", SOCIAL_WORKER),
            ("Järjestä yhteinen tapaaminen asiakkaan ja hänen työntekijöidensä kanssa", SOCIAL_WORKER),
        ]
    )


def _she_consents_and_they_agree_to_go_on(aino: Worker, sirpa: str) -> None:
    freely = {"Antoiko asiakas suostumuksen vapaaehtoisesti?": "Kyllä", "Tiesikö asiakas, mihin suostui?": "Kyllä"}
    aino.records(
        "Keskustelu tietojen vaihdosta",
        {
            "Päivä": day(-38),
            "Perussuostumus": {"Ketkä saavat vaihtaa tietoja?": [COUNTY, AUTHORITY, WORKSHOP], **freely},
            "Suostumus tietojen antamiseen palveluntuottajalle": {
                "Ketkä saavat vaihtaa tietoja?": [PROVIDER],
                **freely,
            },
        },
    )
    agreed = {"Onko asiakas samaa mieltä?": "Kyllä"}
    aino.records(
        "Yhteinen tapaaminen",
        {"Päivä": day(-35), "Ketkä olivat mukana?": EVERYONE, "Valmennukseen lähtemisestä sovittiin": agreed},
    )
    assert aino.next() == aino.said([(UPDATE_PLAN, EMPLOYMENT_COACH)])


def _the_plan_is_updated_together(helmi: Worker, onni: Worker, sirpa: str) -> None:
    helmi.finds(sirpa)
    coaching = {"Alkupäivä": day(-28), "Loppupäivä": day(60), "Valmennus kulkee työtoiminnan rinnalla": "Kyllä"}
    helmi.takes_up(
        UPDATE_PLAN,
        {
            "Päivä": day(-30),
            "Ketkä olivat mukana?": EVERYONE,
            "Suunnitelma päivitettiin": {
                "Laji": "Aktivointisuunnitelma",
                "Voimassa asti": day(300),
                "Valmennuksen aika suunnitelmassa": coaching,
                "Työkokeilun aika suunnitelmassa": {"Alkupäivä": day(0), "Loppupäivä": day(30)},
                "Onko työkokeilu mahdollinen?": "Kyllä",
                "Ovatko muut työllisyyspalvelut mahdollisia?": "Kyllä",
                "Onko palkkatuen mahdollisuus selvitetty?": "Kyllä",
                "Tavoitteet": "Töihin ravintolan keittiöön.",
            },
        },
        form="Suunnitelman päivitystapaaminen",
    )
    assert helmi.next() == helmi.said(
        [
            (DRAW_UP, INSTRUCTOR),
            (BEGIN_COACHING, JOB_COACH),
        ]
    )
    onni.finds(sirpa)
    drawn = {"Päivä": day(-29), "Kirjattiinko valmennus suunnitelmaan?": "Kyllä"}
    onni.takes_up(DRAW_UP, drawn, form="Toteuttamissuunnitelma päivitettiin")
    assert onni.next() == onni.said([(BEGIN_COACHING, JOB_COACH)])


def _coaching_begins(vieno: Worker, sirpa: str) -> None:
    vieno.finds(sirpa)
    begun = {
        "Palveluntuottajan tunnus": PROVIDER,
        "Palveluntuottajan laji": "Yksityinen",
        "Jakson loppu": day(60),
        "Tavoite": "Palkkatyö avoimilla työmarkkinoilla",
    }
    vieno.takes_up(BEGIN_COACHING, {"Päivä": day(-28), "Valmennus alkoi": begun}, form="Valmennus alkaa")
    assert vieno.is_in("Tuettu työhönvalmennus")
    assert vieno.next() == vieno.said(
        [
            ("Tapaa asiakkaan toiveisiin sopiva työnantaja kasvokkain", JOB_COACH),
            ("Tee ammatillinen profiili yhdessä asiakkaan kanssa", JOB_COACH),
        ]
    )


def _the_coach_meets_employers(vieno: Worker, sirpa: str) -> None:
    vieno.takes_up(
        "Tee ammatillinen profiili yhdessä asiakkaan kanssa",
        {"Päivä": day(-20), "Vaihe": "Ammatillinen profiili"},
        form="Valmennuksen vaihe vaihtui",
    )
    assert [step for step, _ in vieno.next()][1:] == vieno.said(
        ["Hae asiakkaan kanssa työtä avoimilta työmarkkinoilta"]
    )
    met = {
        "Keneen olit yhteydessä?": "Työnantaja",
        "Miten?": "Kasvokkain",
        "Missä?": "Työpaikka",
        "Tarkoitus": "Työnhaku",
        "Työnantajan tunnus": "ravintola-1",
        "Valittiinko työnantaja asiakkaan omien toiveiden pohjalta?": "Kyllä",
    }
    vieno.takes_up(
        "Tapaa asiakkaan toiveisiin sopiva työnantaja kasvokkain",
        {"Päivä": day(-10), "Yhteydenotto tai tapaaminen": met, "Valmennuksen vaihe vaihtui": {"Vaihe": "Työnhaku"}},
        form="Tapaaminen tai yhteydenotto",
    )
    assert vieno.next() == vieno.said(
        [
            ("Sovi työpaikasta asiakkaan ja työnantajan kanssa", JOB_COACH),
            ("Sovi työkokeilusta asiakkaan ja työpaikan kanssa", JOB_COACH),
        ]
    )


def _the_trial_begins_with_both_statements(helmi: Worker, vieno: Worker, sirpa: str) -> None:
    helmi.finds(sirpa)
    helmi.records(
        "Puollot tarkistettiin", {"Päivä": day(-5), "Tarkoitus": "Työkokeilu", "Tarkistuksen tulos": "Kunnossa"}
    )
    for measure, first, last in (("Kuntouttava työtoiminta", -60, 305), ("Työkokeilu", 0, 30)):
        paid = {"Palvelu, jota lausunto koskee": measure, "Maksetaanko etuus lausunnon perusteella?": "Kyllä"}
        valid = {"Lausunto voimassa alkaen": day(first), "Lausunto voimassa asti": day(last)}
        helmi.records("Lausunto annettiin", {"Päivä": day(-1), **paid, **valid})
    vieno.finds(sirpa)
    trial = {
        "Mitä työtoiminnalle tapahtuu kokeilun ajaksi?": "Työtoiminnan rinnalla",
        "Montako päivää viikossa?": "1",
        "Kokeilun suunniteltu viimeinen päivä": day(30),
        "Työnantajan tunnus": "ravintola-1",
        "Onko jaksamisesta puhuttu asiakkaan kanssa?": "Kyllä",
        "Tarvitaanko rikosrekisteriote?": "Ei",
    }
    # Today is filled in.
    vieno.records("Työkokeilu alkaa", {"Työkokeilu alkoi": trial, "Neuvottiin matkojen tuesta": True})
    assert vieno.is_in("Työkokeilu")
    assert vieno.next() == vieno.said(
        [
            ("Sovi asiakkaan ja työnantajan kanssa, mitä työkokeilun jälkeen tapahtuu", EMPLOYMENT_COACH),
            ("Sovi työpaikasta asiakkaan ja työnantajan kanssa", JOB_COACH),
        ]
    )


def _nothing_is_left_undone(aino: Worker, sirpa: str) -> None:
    aino.goes_to("Asiakkaat")
    expect(aino.page.get_by_role("row").filter(has_text=sirpa)).to_contain_text(aino.said("Työkokeilu"))
    aino.finds(sirpa)
    assert aino.is_in("Työkokeilu")
    # No obligation stands open, only what the path leads to.
    left = [("Työkokeilun jälkeisestä ajasta sovitaan jo kokeilun aikana", "Tiedoksi")]
    assert aino.open_points() == aino.said(left)
    aino.looks_at("Aikajana")
    shown = aino.page.get_by_role("table").get_by_role("row")
    for what, since, until in (
        ("Kuntouttava työtoiminta", -60, None),
        ("Työkokeilu", 0, 30),
        ("Kuntouttava työtoiminta, maksava", -60, 305),
        ("Työkokeilu, maksava", 0, 30),
    ):
        days = [Formats(aino.words.lang).day(day(away)) for away in (since, until) if away is not None]
        expect(_with_all(shown, *map(aino.said, what.split(", ")), *days)).not_to_have_count(0)


def _with_all(rows: Locator, *texts: str) -> Locator:
    for text in texts:
        rows = rows.filter(has_text=text)
    return rows
