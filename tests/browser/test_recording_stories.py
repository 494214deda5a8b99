"""What can come between a worker and the journal: rules that speak against a step, someone else who was quicker, an
advice that does not fit, a mistake; and what an auditor makes of it later."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Route, expect

from service.web.formats import Formats
from service.words import Lang
from tests.browser.conftest import Someone
from tests.browser.driving import NARROW, WIDE
from tests.browser.working import Worker, day, kept, today
from tests.service.serving import Served

SOCIAL_WORKER = "omatyöntekijä (sosiaalihuolto)"
INSTRUCTOR = "sosiaaliohjaaja (kuntouttava työtoiminta)"
MEETING = "Tapaaminen tai yhteydenotto"
MET = {"Keneen olit yhteydessä?": "Asiakas", "Miten?": "Puhelu", "Tavoititko hänet?": "Kyllä"}
PLANNING = ["client", "social_worker", "employment_coach"]
TRIAL: dict[str, Any] = {"arrangement": "activity_ended", "days_per_week": 4, "planned_end": day(40)}
PLAN = {"participants": PLANNING, "work_trial": {"start": day(-20), "end": day(40)}}
NO_PLAN, NO_CHECK = "Suunnitelmassa on työkokeilun alku ja kesto", "Puollot on tarkistettu ennen työkokeilua"


# --- a trial that does not go as hoped ---


@pytest.mark.parametrize(
    ("outcome", "size"), [("Ei onnistunut", NARROW), ("Keskeytyi", WIDE)], ids=["failed-narrow", "interrupted-wide"]
)
def test_after_a_failed_trial_the_client_is_contacted_within_two_weeks(
    someone: Someone, demo: Served, outcome: str, size: dict[str, int]
) -> None:
    name = f"Toini {outcome}"
    begun = (-30, "activation_plan_updated", PLAN), (-20, "work_trial_started", TRIAL)
    kept(demo, f"toini-{size['width']}", name, *begun)
    with someone("aino", size=size) as person:
        aino = Worker(person)
        aino.finds(name)
        assert aino.stage() == "Asiakkaan polku: Työkokeilu"
        aino.records("Työkokeilu päättyy", {"Työkokeilu päättyi": {"Miten kokeilu päättyi?": outcome}})
        assert aino.stage() == "Asiakkaan polku: Palvelujen välissä"
        assert aino.next()[0] == ("Ota yhteyttä asiakkaaseen", SOCIAL_WORKER)
        limit = Formats("fi").day(day(14))
        expect(aino.steps.first).to_contain_text(limit)
        expect(aino.steps.first).to_contain_text("Tuki jatkuu, kun työkokeilu jää kesken")
        aino.takes_up("Ota yhteyttä asiakkaaseen", {"Yhteydenotto tai tapaaminen": MET}, form=MEETING)
        assert aino.next() == [("Arvioi palvelun tarve yhdessä asiakkaan kanssa", SOCIAL_WORKER)]
        aino.page.get_by_text("Kunnossa (").click()
        expect(aino.page.get_by_role("link", name="Tuki jatkuu, kun työkokeilu jää kesken")).to_be_visible()


# --- rules that speak against a step ---


def test_a_trial_without_a_plan_is_recorded_anyway_with_a_reason_that_the_leader_sees(someone: Someone) -> None:
    pertti, reason = "Pertti Pikainen", "Työnantaja tarvitsi kokeilijan tänään.\nSuunnitelma päivitetään torstaina."
    with someone("aino", javascript=False) as person:
        aino = Worker(person)
        aino.takes_a_client(pertti)
        aino.opens_form("Työkokeilu alkaa")
        trial = {"Mitä työtoiminnalle tapahtuu kokeilun ajaksi?": "Työtoiminta päättynyt", "Lisätietoja": "Keittiöön."}
        aino.says({"Työkokeilu alkoi": trial})
        aino.saves()
        against = aino.page.get_by_role("region", name="Ennen tätä olisi hyvä hoitaa muuta")
        expect(against.get_by_role("heading", level=3)).to_have_text([NO_PLAN, NO_CHECK])
        expect(against.get_by_role("button", name="Kirjaa samalla: Suunnitelma päivitettiin")).to_be_visible()
        expect(against).to_contain_text("Tämän voi kirjata omavalmentaja (työvoimaviranomainen)")
        expect(aino.page.get_by_label("Lisätietoja")).to_have_value("Keittiöön.")
        aino.presses("Kirjaa silti")
        expect(aino.page.get_by_role("alert")).to_contain_text("Kerro syy sanoin.")
        aino.page.get_by_label("Miksi kirjaat silti?").fill(reason)
        aino.presses("Kirjaa silti")
        aino.is_told_it_is_saved()
        assert aino.stage() == "Asiakkaan polku: Työkokeilu"
        assert {(NO_PLAN, "Velvoite"), (NO_CHECK, "Velvoite")} <= set(aino.open_points())
    with someone("martta") as person:
        martta = Worker(person)
        martta.goes_to("Tiimi")
        martta.follows("Perustellut kirjaukset ja hätäkatselut")
        told = martta.page.get_by_role("article").filter(has=martta.page.get_by_role("link", name=pertti, exact=True))
        for shown in (NO_PLAN, NO_CHECK, "aino", "Työnantaja tarvitsi kokeilijan tänään."):
            expect(told).to_contain_text(shown)
        martta.follows("Katso arvio", within=told)
        for shown in ("Kirjattiin säännöstä huolimatta", NO_PLAN, NO_CHECK, "Suunnitelma päivitetään torstaina."):
            expect(martta.page.get_by_role("main")).to_contain_text(shown)


def test_what_a_rule_misses_is_recorded_in_the_same_form(someone: Someone) -> None:
    with someone("helmi") as person:
        helmi = Worker(person)
        helmi.takes_a_client("Saara Samalla")
        helmi.opens_form("Työkokeilu alkaa")
        trial = {
            "Mitä työtoiminnalle tapahtuu kokeilun ajaksi?": "Työtoiminta päättynyt",
            "Kokeilun suunniteltu viimeinen päivä": day(30),
        }
        helmi.says({"Työkokeilu alkoi": trial})
        helmi.saves()
        helmi.presses("Kirjaa samalla: Suunnitelma päivitettiin")
        planned = {"Alkupäivä": day(0), "Loppupäivä": day(30)}
        plan = {
            "Ketkä olivat mukana?": ["Asiakas", SOCIAL_WORKER.capitalize()],
            "Työkokeilun aika suunnitelmassa": planned,
        }
        checked = {"Tarkistuksen tulos": "Kunnossa"}
        helmi.says({"Suunnitelma päivitettiin": plan, "Puollot työkokeiluun tarkistettiin": checked})
        helmi.saves()
        helmi.is_told_it_is_saved()
        assert helmi.stage() == "Asiakkaan polku: Työkokeilu"


# --- two at the same client ---


def test_who_comes_second_sees_what_the_first_recorded_and_loses_nothing(someone: Someone, demo: Served) -> None:
    name, told = "Kaisa Kahdesti", "Soitin, hän lähtee mukaan.\nTavataan maanantaina."
    helmi_too = {"role": "employment_coach", "worker": "helmi"}
    kept(demo, "kaisa", name, (-10, "worker_assigned", helmi_too))
    with someone("aino") as first, someone("helmi") as second:
        aino, helmi = Worker(first), Worker(second)
        for worker in (aino, helmi):
            worker.finds(name)
            worker.opens_form(MEETING)
        helmi.says({"Päivä": day(-1), "Yhteydenotto tai tapaaminen": {**MET, "Lisätietoja": told}})
        aino.says({"Yhteydenotto tai tapaaminen": {**MET, "Miten?": "Viesti"}})
        aino.saves()
        aino.is_told_it_is_saved()
        helmi.saves()
        meanwhile = helmi.page.get_by_role("region", name="Joku muu ehti kirjata")
        for shown in ("Yhteydenotto tai tapaaminen", Formats("fi").day(today()), SOCIAL_WORKER, "viesti"):
            expect(meanwhile).to_contain_text(shown)
        expect(helmi.page.get_by_label("Lisätietoja")).to_have_value(told)
        expect(helmi.page.get_by_label("Päivä")).to_have_value(day(-1))
        helmi.presses("Tallenna myös tämä")
        helmi.is_told_it_is_saved()
        helmi.looks_at("Kirjaukset")
        contacts = helmi.page.get_by_role("article").filter(has_text="Yhteydenotto tai tapaaminen")
        expect(contacts).to_have_count(2)
        expect(contacts.filter(has_text="Tavataan maanantaina.")).to_have_count(1)


def test_a_double_click_records_once_even_when_both_reach_the_service(someone: Someone) -> None:
    answers: list[tuple[int, str]] = []

    def sent_twice(route: Route) -> None:
        for _ in range(2):
            answer = route.fetch(max_redirects=0)
            answers.append((answer.status, answer.headers.get("location", "")))
        route.fulfill(response=answer)

    with someone("aino") as person:
        aino = Worker(person)
        aino.takes_a_client("Tuukka Tuplaklikki")
        aino.opens_form(MEETING)
        aino.says({"Yhteydenotto tai tapaaminen": MET})
        aino.page.route("**/record/*", sent_twice)
        aino.page.get_by_role("button", name="Tallenna", exact=True).dblclick()
        aino.is_told_it_is_saved()
        assert {status for status, _ in answers} == {303}
        assert len({where for _, where in answers}) == 1, "each time one comes to what was recorded first"
        aino.looks_at("Kirjaukset")
        contacts = aino.page.get_by_role("article").filter(has_text="Yhteydenotto tai tapaaminen")
        expect(contacts).to_have_count(1)


# --- advice and mistakes ---


def test_an_advice_is_set_aside_with_a_reason_and_a_mistake_is_put_right(someone: Someone, demo: Served) -> None:
    name, advice = "Onerva Omatahto", "Kysy asiakkaalta, haluaako hän töihin"
    kept(demo, "onerva", name, (-10, "activity_started", {"days_per_week": 3, "period_end": day(200)}))
    with someone("aino", size=NARROW) as person:
        aino = Worker(person)
        aino.finds(name)
        assert (advice, INSTRUCTOR) in aino.next()
        aino.sets_aside(advice)
        aino.saves()
        expect(aino.page.get_by_role("alert")).to_contain_text("Miksi neuvo ei nyt sovi?")
        aino.says({"Miksi neuvo ei nyt sovi?": "Puhuimme tästä jo. Hän haluaa miettiä.", "Mihin asti": day(30)})
        aino.saves()
        aino.is_told_it_is_saved()
        assert advice not in [step for step, _ in aino.next()]
        aside = aino.page.get_by_role("region", name="Jätetty sivuun")
        expect(aside).to_contain_text("Puhuimme tästä jo. Hän haluaa miettiä.")
        expect(aside).to_contain_text(Formats("fi").day(day(30)))

        aino.looks_at("Kirjaukset")
        aino.follows(f"Korjaa kirjaus: Toiminta alkoi {Formats('fi').day(day(-10))}")
        right = {"Montako päivää viikossa?": "4"}
        aino.says({"Mikä kirjauksessa oli väärin?": "Päiviä on neljä.", "Oikea kirjaus kumotun tilalle": right})
        aino.saves()
        aino.is_told_it_is_saved()
        aino.looks_at("Kirjaukset")
        begun = aino.page.get_by_role("article").filter(has=aino.page.get_by_role("heading", name="Toiminta alkoi"))
        void, valid = begun.filter(has_text="Ei enää voimassa"), begun.filter(has_not_text="Ei enää voimassa")
        expect(void.get_by_role("definition").first).to_have_text("3")
        expect(valid.get_by_role("definition").first).to_have_text("4")


def test_mistakes_stand_at_their_fields_and_nothing_typed_is_lost(someone: Someone) -> None:
    with someone("aino", size=NARROW) as person:
        aino = Worker(person)
        aino.takes_a_client("Viena Virhe")
        aino.opens_form("Yhteydenotto tai tapaaminen")
        note = "Kaksi riviä\nja ”lainaus”."
        aino.says({"Päivä": "", "Miten?": "Kasvokkain", "Kesto minuutteina": "tunti", "Lisätietoja": note})
        aino.saves()
        wrong = aino.page.get_by_role("alert")
        expect(wrong).to_be_focused()
        expect(wrong.get_by_role("listitem")).to_have_text(
            [
                "Päivä: Anna päivä.",
                "Keneen olit yhteydessä? Valitse yksi vaihtoehto.",
                "Kesto minuutteina: Kirjoita kokonaisluku numeroilla.",
            ]
        )
        minutes = aino.page.get_by_label("Kesto minuutteina")
        expect(minutes).to_have_value("tunti")
        expect(minutes).to_have_attribute("aria-invalid", "true")
        expect(minutes).to_have_accessible_description("Esimerkiksi 45. Virhe: Kirjoita kokonaisluku numeroilla.")
        expect(aino.page.get_by_label("Lisätietoja")).to_have_value(note)
        aino.follows("Kesto minuutteina: Kirjoita kokonaisluku numeroilla.")
        expect(minutes).to_be_focused()
        aino.says({"Päivä": day(-2), "Keneen olit yhteydessä?": "Asiakas", "Kesto minuutteina": "60"})
        aino.saves()
        aino.is_told_it_is_saved()


# --- later ---


def test_an_auditor_replays_a_decision_and_it_comes_out_the_same(someone: Someone) -> None:
    with someone("tarmo", javascript=False) as person:
        tarmo = Worker(person)
        tarmo.goes_to("Tarkastus")
        tarmo.page.get_by_label("Asiakkaan tunnus").fill("sirpa-path")
        tarmo.presses("Avaa")
        tarmo.page.get_by_role("row").filter(has_text="Kirjattu perustellen").get_by_role("link").click()
        tarmo.arrives()
        for shown in (
            "Kirjattiin säännöstä huolimatta",
            "Työnantaja tarvitsi kokeilijan heti.",
            "Mitä silloin tiedettiin",
        ):
            expect(tarmo.page.get_by_role("main")).to_contain_text(shown)
        tarmo.presses("Toista arvio")
        expect(tarmo.page.get_by_role("main")).to_contain_text("Tulos on sama kuin silloin")


# --- the other languages ---

IN_OTHER_WORDS: dict[Lang, dict[str, str]] = {
    "sv": {
        "form": "Första samtalet om arbete",
        "day": "Datum",
        "asked": "Vill klienten arbeta?",
        "said": "Ja",
        "also": "Ett initiativ till stödd arbetscoachning togs",
        "saved": "Sparat: Intresset för arbete frågades",
        "stage": "Klientens väg: Coachningen förbereds",
        "next": "Kom överens om att börja i coachningen tillsammans med klienten och de som arbetar med hen",
    },
    "en": {
        "form": "First conversation about work",
        "day": "Date",
        "asked": "Does the client want to work?",
        "said": "Yes",
        "also": "The initiative for supported job coaching was taken",
        "saved": "Saved: Interest in work asked",
        "stage": "The client's path: Preparing for coaching",
        "next": "Agree on going into coaching together with the client and their workers",
    },
}


@pytest.mark.parametrize(("lang", "size", "javascript"), [("sv", WIDE, True), ("en", NARROW, False)], ids=["sv", "en"])
def test_a_first_talk_is_recorded_in_each_language(
    someone: Someone, lang: Lang, size: dict[str, int], javascript: bool
) -> None:
    said = IN_OTHER_WORDS[lang]
    with someone("aino", lang=lang, size=size, javascript=javascript) as person:
        aino = Worker(person, lang)
        aino.takes_a_client(f"Svea Språk {lang}")
        aino.records(said["form"], {said["day"]: day(-3), said["asked"]: said["said"], said["also"]: True})
        expect(aino.page.get_by_role("status").first).to_contain_text(said["saved"])
        assert aino.stage() == said["stage"]
        assert aino.next()[0][0] == said["next"]
