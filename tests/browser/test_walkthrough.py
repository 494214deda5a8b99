"""From the first talk to the work trial, by the pages alone: several workers, one client, and what the pages say is next."""

from __future__ import annotations

from contextlib import ExitStack

from tests.browser.conftest import Someone
from tests.browser.working import Worker, day

COUNTY, AUTHORITY, WORKSHOP, PROVIDER = "county-1", "employment-area-1", "municipality-1", "provider-1"
SOCIAL_WORKER = "omatyöntekijä (sosiaalihuolto)"
EMPLOYMENT_COACH = "omavalmentaja (työvoimaviranomainen)"
INSTRUCTOR = "sosiaaliohjaaja (kuntouttava työtoiminta)"
JOB_COACH = "työhönvalmentaja"
PLANNING = ["Asiakas", SOCIAL_WORKER.capitalize(), EMPLOYMENT_COACH.capitalize()]
EVERYONE = [*PLANNING, INSTRUCTOR.capitalize(), JOB_COACH.capitalize()]


def test_sirpa_goes_from_the_first_talk_to_a_work_trial_alongside_activity(someone: Someone) -> None:
    sirpa = "Sirpa Sinnikäs"
    with ExitStack() as doors:
        aino, helmi, onni, vieno = (
            Worker(doors.enter_context(someone(user))) for user in ("aino", "helmi", "onni", "vieno")
        )
        _the_social_worker_takes_her_and_names_the_others(aino, sirpa)
        _activity_begins_with_a_decision_and_plans(aino, onni, sirpa)
        _they_talk_about_work(aino, sirpa)
        _she_consents_and_they_agree_to_go_on(aino, sirpa)
        _the_plan_is_updated_together(helmi, onni, sirpa)
        _coaching_begins(vieno, sirpa)
        _the_coach_meets_employers(vieno, sirpa)
        _the_trial_begins_with_both_statements(helmi, vieno, sirpa)
        aino.finds(sirpa)
        assert aino.stage() == "Asiakkaan polku: Työkokeilu"
        assert aino.open_points() == []


def _the_social_worker_takes_her_and_names_the_others(aino: Worker, sirpa: str) -> None:
    aino.takes_a_client(sirpa, **{"Kotikunta": "Orimattila", "Syntymävuosi": "1971", "Asiointikieli": "Suomi"})
    assert aino.stage() == "Asiakkaan polku: Polku ei ole vielä alkanut"
    assert aino.next() == [("Pidä yhteyttä asiakkaaseen", SOCIAL_WORKER)]
    for role, worker, organisation in (
        (EMPLOYMENT_COACH, "helmi", AUTHORITY),
        (INSTRUCTOR, "onni", WORKSHOP),
        (JOB_COACH, "vieno", COUNTY),
    ):
        named = {"Työntekijän tunnus": worker, "Työntekijän organisaatio": organisation}
        aino.records("Työntekijä nimettiin", {"Päivä": day(-60), "Rooli": role.capitalize(), **named})


def _activity_begins_with_a_decision_and_plans(aino: Worker, onni: Worker, sirpa: str) -> None:
    aino.records("Toiminta alkoi", {"Päivä": day(-60), "Montako päivää viikossa?": "3", "Jakson loppu": day(305)})
    assert aino.stage() == "Asiakkaan polku: Kuntouttava työtoiminta"
    assert [step for step, _ in aino.next()][:3] == [
        "Päivitä aktivointisuunnitelma tai monialainen työllistymissuunnitelma yhdessä asiakkaan kanssa",
        "Tee uusi päätös kuntouttavasta työtoiminnasta",
        "Päivitä toteuttamissuunnitelma yhdessä asiakkaan kanssa",
    ]
    aino.takes_up("Tee uusi päätös kuntouttavasta työtoiminnasta")
    decision = {"Palvelu": "Kuntouttava työtoiminta", "Päätös": "Myönnetty"}
    aino.says({"Päivä": day(-60), **decision, "Alkupäivä": day(-60), "Loppupäivä": day(305)})
    aino.saves()
    plan = {"Laji": "Aktivointisuunnitelma", "Voimassa asti": day(300)}
    asked = {"Päivä": day(-60), "Ketkä olivat mukana?": PLANNING}
    aino.records("Suunnitelman päivitystapaaminen", {**asked, "Suunnitelma päivitettiin": plan})
    onni.finds(sirpa)
    onni.takes_up("Päivitä toteuttamissuunnitelma yhdessä asiakkaan kanssa")
    onni.says({"Päivä": day(-58), "Kirjattiinko valmennus suunnitelmaan?": "Ei"})
    onni.saves()
    assert onni.next() == [
        ("Kysy asiakkaalta, haluaako hän töihin", INSTRUCTOR),
        ("Kerro asiakkaalle tuetusta työhönvalmennuksesta", INSTRUCTOR),
    ]


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
    assert aino.stage() == "Asiakkaan polku: Valmennuksen valmistelu"
    assert aino.next() == [
        ("Sovi valmennukseen lähtemisestä yhdessä asiakkaan ja hänen työntekijöidensä kanssa", SOCIAL_WORKER),
        ("Järjestä yhteinen tapaaminen asiakkaan ja hänen työntekijöidensä kanssa", SOCIAL_WORKER),
    ]


def _she_consents_and_they_agree_to_go_on(aino: Worker, sirpa: str) -> None:
    freely = {"Antoiko asiakas suostumuksen vapaaehtoisesti?": "Kyllä", "Tiesikö asiakas, mihin suostui?": "Kyllä"}
    aino.records(
        "Keskustelu tietojen vaihdosta",
        {
            "Päivä": day(-38),
            "Perussuostumus": {"Ketkä saavat vaihtaa tietoja?": [COUNTY, AUTHORITY, WORKSHOP], **freely},
            "Suostumus tietojen antamiseen palveluntuottajalle": {"Ketkä saavat vaihtaa tietoja?": [PROVIDER], **freely},
        },
    )
    agreed = {"Onko asiakas samaa mieltä?": "Kyllä"}
    aino.records(
        "Yhteinen tapaaminen",
        {"Päivä": day(-35), "Ketkä olivat mukana?": EVERYONE, "Valmennukseen lähtemisestä sovittiin": agreed},
    )
    assert aino.next() == [
        (
            "Päivitä aktivointisuunnitelma tai monialainen työllistymissuunnitelma yhdessä asiakkaan kanssa",
            EMPLOYMENT_COACH,
        )
    ]


def _the_plan_is_updated_together(helmi: Worker, onni: Worker, sirpa: str) -> None:
    helmi.finds(sirpa)
    helmi.takes_up("Päivitä aktivointisuunnitelma tai monialainen työllistymissuunnitelma yhdessä asiakkaan kanssa")
    helmi.is_at("Suunnitelman päivitystapaaminen")
    coaching = {"Alkupäivä": day(-28), "Loppupäivä": day(60), "Valmennus kulkee työtoiminnan rinnalla": "Kyllä"}
    helmi.says(
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
        }
    )
    helmi.saves()
    helmi.is_told_it_is_saved()
    assert helmi.next() == [
        ("Päivitä toteuttamissuunnitelma yhdessä asiakkaan kanssa", INSTRUCTOR),
        ("Aloita tuettu työhönvalmennus asiakkaan kanssa", JOB_COACH),
    ]
    onni.finds(sirpa)
    onni.takes_up("Päivitä toteuttamissuunnitelma yhdessä asiakkaan kanssa")
    onni.says({"Päivä": day(-29), "Kirjattiinko valmennus suunnitelmaan?": "Kyllä"})
    onni.saves()
    assert onni.next() == [("Aloita tuettu työhönvalmennus asiakkaan kanssa", JOB_COACH)]


def _coaching_begins(vieno: Worker, sirpa: str) -> None:
    vieno.finds(sirpa)
    vieno.takes_up("Aloita tuettu työhönvalmennus asiakkaan kanssa")
    vieno.is_at("Valmennus alkaa")
    begun = {
        "Palveluntuottajan tunnus": PROVIDER,
        "Palveluntuottajan laji": "Yksityinen",
        "Jakson loppu": day(60),
        "Tavoite": "Palkkatyö avoimilla työmarkkinoilla",
    }
    vieno.says({"Päivä": day(-28), "Valmennus alkoi": begun})
    vieno.saves()
    vieno.is_told_it_is_saved()
    assert vieno.stage() == "Asiakkaan polku: Tuettu työhönvalmennus"
    assert vieno.next() == [
        ("Tapaa asiakkaan toiveisiin sopiva työnantaja kasvokkain", JOB_COACH),
        ("Tee ammatillinen profiili yhdessä asiakkaan kanssa", JOB_COACH),
    ]


def _the_coach_meets_employers(vieno: Worker, sirpa: str) -> None:
    vieno.takes_up("Tee ammatillinen profiili yhdessä asiakkaan kanssa")
    vieno.says({"Päivä": day(-20), "Vaihe": "Ammatillinen profiili"})
    vieno.saves()
    assert [step for step, _ in vieno.next()][1:] == ["Hae asiakkaan kanssa työtä avoimilta työmarkkinoilta"]
    vieno.takes_up("Tapaa asiakkaan toiveisiin sopiva työnantaja kasvokkain")
    met = {
        "Keneen olit yhteydessä?": "Työnantaja",
        "Miten?": "Kasvokkain",
        "Missä?": "Työpaikalla",
        "Aihe": "Työnhaku",
        "Työnantajan tunnus": "ravintola-1",
        "Valittiinko työnantaja asiakkaan omien toiveiden pohjalta?": "Kyllä",
    }
    vieno.says({"Päivä": day(-10), "Yhteydenotto tai tapaaminen": met, "Valmennuksen vaihe vaihtui": {"Vaihe": "Työnhaku"}})
    vieno.saves()
    vieno.is_told_it_is_saved()
    assert vieno.next() == [
        ("Sovi työpaikasta asiakkaan ja työnantajan kanssa", JOB_COACH),
        ("Sovi työkokeilusta asiakkaan ja työpaikan kanssa", JOB_COACH),
    ]


def _the_trial_begins_with_both_statements(helmi: Worker, vieno: Worker, sirpa: str) -> None:
    helmi.finds(sirpa)
    helmi.records("Puollot tarkistettiin", {"Päivä": day(-5), "Tarkoitus": "Työkokeilu", "Tulos": "Kunnossa"})
    for measure, first, last in (("Kuntouttava työtoiminta", -60, 305), ("Työkokeilu", 0, 30)):
        paid = {"Toimenpide": measure, "Maksetaanko etuus lausunnon perusteella?": "Kyllä"}
        valid = {"Lausunto voimassa alkaen": day(first), "Lausunto voimassa asti": day(last)}
        helmi.records("Lausunto annettiin", {"Päivä": day(-1), **paid, **valid})
    vieno.finds(sirpa)
    vieno.opens_form("Työkokeilu alkaa")
    trial = {
        "Mitä työtoiminnalle tapahtuu kokeilun ajaksi?": "Työtoiminnan rinnalla",
        "Montako päivää viikossa?": "1",
        "Kokeilun suunniteltu viimeinen päivä": day(30),
        "Työnantajan tunnus": "ravintola-1",
        "Onko jaksamisesta puhuttu asiakkaan kanssa?": "Kyllä",
        "Tarvitaanko rikosrekisteriote?": "Ei",
    }
    vieno.says({"Työkokeilu alkoi": trial, "Neuvottiin matkojen tuesta": True})
    vieno.saves()  # today is filled in
    vieno.is_told_it_is_saved()
    assert vieno.next() == [
        ("Sovi asiakkaan ja työnantajan kanssa, mitä työkokeilun jälkeen tapahtuu", EMPLOYMENT_COACH),
        ("Sovi työpaikasta asiakkaan ja työnantajan kanssa", JOB_COACH),
    ]
