"""What people type is text, wherever it is shown: never markup, never a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Someone
from tests.browser.working import Worker

NAME = """<img src=x onerror=alert(1)>"'"""
NOTE = "</textarea><script>alert(1)</script>"
REASON = "</dd></section><svg onload=alert(1)>{{ 7*7 }}"
PLACE = '"><iframe srcdoc="<script>alert(1)</script>">'
#: What would be there if anything of it were taken for markup.
TAKEN_FOR_MARKUP = "main script, main iframe, main img[src=x], main svg:not([class]), [onerror], [onload]"


class Visitor(Worker):
    """A worker who looks hard at each page for what was taken for markup."""

    def arrives(self) -> None:
        super().arrives()
        expect(self.page.locator(TAKEN_FOR_MARKUP)).to_have_count(0)

    def opens(self, address: str) -> None:
        """Go to an address that stands on a page."""
        self.page.goto(address)
        self.arrives()

    def shows(self, *texts: str) -> None:
        """Such texts stand on the page as they were typed."""
        for text in texts:
            expect(self.page.get_by_role("main")).to_contain_text(text)


def test_a_hostile_name_and_a_hostile_note_are_text_on_every_page(someone: Someone) -> None:
    with someone("aino") as person, someone("aino") as second, someone("martta") as leader:
        aino, again, martta = Visitor(person), Visitor(second), Visitor(leader)
        aino.takes_a_client(NAME, **{"Kotikunta": PLACE, "Postiosoite": PLACE})
        aino.shows(PLACE)
        again.finds(NAME)
        again.opens_form("Yhteydenotto tai tapaaminen")
        _a_note_is_made(aino)
        _who_comes_second_sees_it(again)
        _a_form_shows_again_what_was_typed(aino)
        _a_step_is_recorded_anyway_and_an_advice_set_aside(aino)
        for tab in (
            "Aikajana",
            "Keskustelun tueksi",
            "Entä jos",
            "Polun arviot",
            "Katselut",
            "Kirjaukset",
            "Mitä seuraavaksi",
        ):
            aino.looks_at(tab)
            aino.is_at(NAME)
        _each_page_that_is_linked_from_the_clients_is_looked_at(aino)
        _it_is_searched_for_in_the_list(aino)
        martta.goes_to("Tiimi")
        martta.follows("Perustellut kirjaukset ja hätäkatselut")
        martta.shows(NAME, REASON)
        told = martta.page.get_by_role("article").filter(has_text=NAME)
        martta.follows("Katso arvio", within=told)
        martta.shows(NAME, REASON)


def _a_note_is_made(aino: Visitor) -> None:
    met = {"Keneen olit yhteydessä?": "Asiakas", "Miten?": "Puhelu", "Työnantajan tunnus": PLACE, "Lisätietoja": NOTE}
    aino.records("Yhteydenotto tai tapaaminen", met)
    aino.looks_at("Kirjaukset")
    aino.shows(NOTE, PLACE)
    aino.page.get_by_role("link", name="Korjaa kirjaus: Yhteydenotto tai tapaaminen").click()
    aino.arrives()
    expect(aino.page.get_by_label("Lisätietoja")).to_have_value(NOTE)
    expect(aino.page.get_by_label("Työnantajan tunnus")).to_have_value(PLACE)
    aino.follows("Peruuta")


def _who_comes_second_sees_it(again: Visitor) -> None:
    again.says({"Keneen olit yhteydessä?": "Asiakas", "Miten?": "Puhelu"})
    again.saves()
    meanwhile = again.page.get_by_role("region", name="Joku muu ehti kirjata")
    for text in (NOTE, PLACE):
        expect(meanwhile).to_contain_text(text)


def _a_form_shows_again_what_was_typed(aino: Visitor) -> None:
    aino.opens_form("Yhteydenotto tai tapaaminen")
    aino.says({"Kesto minuutteina": NAME, "Työnantajan tunnus": PLACE, "Lisätietoja": NOTE})
    aino.saves()
    expect(aino.page.get_by_role("alert")).to_be_visible()
    for question, typed in (("Kesto minuutteina", NAME), ("Työnantajan tunnus", PLACE), ("Lisätietoja", NOTE)):
        expect(aino.page.get_by_label(question)).to_have_value(typed)
    aino.follows("Peruuta")


def _a_step_is_recorded_anyway_and_an_advice_set_aside(aino: Visitor) -> None:
    aino.opens_form("Työkokeilu alkaa")
    trial = {"Mitä työtoiminnalle tapahtuu kokeilun ajaksi?": "Työtoiminta päättynyt", "Työnantajan tunnus": PLACE}
    aino.says({"Työkokeilu alkoi": {**trial, "Lisätietoja": NOTE}})
    aino.saves()
    aino.page.get_by_label("Miksi kirjaat silti?").fill(REASON)
    aino.presses("Kirjaa silti")
    aino.is_told_it_is_saved()
    step, _ = aino.next()[0]
    aino.sets_aside(step)
    aino.says({"Miksi neuvo ei nyt sovi?": NOTE})
    aino.saves()
    aino.is_told_it_is_saved()
    aino.shows(NOTE)


def _each_page_that_is_linked_from_the_clients_is_looked_at(aino: Visitor) -> None:
    here = aino.page.url.split("?")[0]
    aino.opens(f"{here}/decisions")
    decision = aino.page.get_by_role("row").filter(has_text="Kirjattu perustellen").get_by_role("link")
    decision.first.click()
    aino.arrives()
    aino.shows(NAME, REASON)
    aino.presses("Toista arvio")
    aino.shows("Tulos on sama kuin silloin")
    for page in ("", "/identity", "/restriction", "/copy", "/summary", "/advice", "/record"):
        aino.opens(here + page)
        shown = aino.page.get_by_role("main")
        expect(shown.get_by_text(NAME).or_(shown.get_by_label("nimi"))).not_to_have_count(0)


def _it_is_searched_for_in_the_list(aino: Visitor) -> None:
    aino.goes_to("Asiakkaat")
    aino.page.get_by_label("Nimi tai tunnus", exact=True).fill(NAME)
    aino.presses("Näytä")
    expect(aino.page.get_by_role("main").get_by_role("link", name=NAME, exact=True)).to_be_visible()
    expect(aino.page.get_by_label("Nimi tai tunnus", exact=True)).to_have_value(NAME)
    aino.goes_to("Kalenteri")
    aino.opens(f"{aino.person.address}/clients?q=%3Cscript%3Ealert(1)%3C/script%3E")
    expect(aino.page.get_by_label("Nimi tai tunnus", exact=True)).to_have_value("<script>alert(1)</script>")


@pytest.mark.parametrize(
    "path", ["/clients/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/rules/%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E"]
)
def test_a_hostile_address_is_answered_with_a_page_without_it(someone: Someone, path: str) -> None:
    with someone("aino") as person:
        aino = Visitor(person)
        assert aino.person.open(path).status == 404
        aino.arrives()
