"""The pages of rules: browsed, looked for, one in full, and what changed."""

from __future__ import annotations

import json
from datetime import date

import pytest

from rules.pack import SEVERITIES, Pack, pack_from_content
from service.store import Database
from service.web.rulebook import Asked, changes, rulebook, turns
from service.words import Words
from tests.helpers import pack as the_pack
from tests.service.api.asking import Client
from tests.service.api.world import REGION, actors
from tests.service.recording.making import later_pack
from tests.service.web.looking import Seen, look
from tests.service.web.overseen import HOSTILE, as_

LANGUAGES = ("fi", "sv", "en")
TODAY = date(2026, 11, 20)


def listed(seen: Seen) -> list[str]:
    """The ids of the rules on the list."""
    return [str(a["href"]).removeprefix("/rules/") for a in seen.all(".rules a")]


def test_every_role_may_read_the_rules(anyone: Client) -> None:
    for role, relation in actors():
        user = as_(anyone, role, relation)
        for path in ("/rules", "/rules/as-update-on-trial", "/rules/changes"):
            assert look(user, path).status == 200, (role, relation, path)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_all_rules_are_there_by_theme(client: Client, lang: str) -> None:
    seen, pack = look(client, "/rules", lang=lang), the_pack()
    assert listed(seen) == list(dict.fromkeys(rule.id for rule in pack.editions[-1].rules))
    titles = [item.get_text() for item in seen.all("section h2")]
    assert titles == [Words(lang)("rule_themes", theme) for theme in pack.content["pack"]["themes"]]  # type: ignore[arg-type]


@pytest.mark.parametrize("severity", SEVERITIES)
def test_rules_are_found_by_severity(client: Client, severity: str) -> None:
    pack = the_pack()
    expected = {rule.id for rule in pack.editions[-1].rules if rule.severity == severity}
    assert set(listed(look(client, f"/rules?severity={severity}"))) == expected


def test_rules_are_found_by_theme_role_and_words_together(client: Client) -> None:
    found = listed(look(client, "/rules?theme=trial&role=employment_coach&q=lausunto"))
    assert "trial-parallel-two-statements" in found
    assert set(found) < set(listed(look(client, "/rules?theme=trial&role=employment_coach")))
    assert listed(look(client, "/rules?q=AS-update-ON-trial", lang="sv")) == ["as-update-on-trial"]


def test_nothing_found_says_so_and_keeps_what_was_asked(client: Client) -> None:
    seen = look(client, "/rules?q=xyzzy&severity=quality")
    assert listed(seen) == []
    assert "Hakua vastaavia sääntöjä ei ole" in seen.text
    assert seen.one("#q")["value"] == "xyzzy"
    assert seen.one("#severity option[selected]")["value"] == "quality"


def test_a_hostile_search_is_text(client: Client) -> None:
    seen = Seen(client.request("GET", "/rules", checked=False, params={"q": HOSTILE, "theme": HOSTILE}))
    assert seen.status == 200
    assert seen.one("#q")["value"] == HOSTILE
    assert len(seen.all("script")) == len(look(client, "/rules").all("script"))
    assert look(client, "/rules?q=" + "a" * 300).status == 422


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_rule_has_its_page_and_no_bare_code(client: Client, lang: str) -> None:
    words = Words(lang)  # type: ignore[arg-type]
    pack = the_pack()
    # All in one language, a third of them in the others: they are many.
    for rule in list({rule.id: rule for rule in pack.editions[-1].rules}.values())[:: 1 if lang == "fi" else 3]:
        seen = look(client, f"/rules/{rule.id}", lang=lang)
        assert (seen.status, seen.one("h1").get_text()) == (200, words.of(rule.title)), rule.id
        assert words("severities", rule.severity) in seen.text.lower()
        assert all(source["document"] in seen.text for source in rule.source)
        assert seen.all("details.example"), rule.id
        bare = [text for text in seen.one("main").stripped_strings if "_" in text]
        assert bare == [], rule.id


def test_a_rule_tells_its_numbers_its_limit_and_a_caution(client: Client) -> None:
    seen = look(client, "/rules/plan-review-every-3-months")
    assert "3 kuukautta , 2.5.2022 alkaen" in seen.text
    caution = look(client, "/rules/as-update-on-trial")
    assert caution.one(".notice--alert .notice__title").get_text() == "Tarkista tämä"


def test_a_rule_that_is_no_longer_in_force_says_so(client: Client) -> None:
    seen = look(client, "/rules/basic-consent-before-ktt")
    assert "Ei voimassa tänään" in seen.all(".notice--alert")[0].get_text()
    assert "31.12.2024" in seen.text


def test_examples_are_told_in_words_with_their_outcome(client: Client) -> None:
    seen = look(client, "/rules/as-update-on-trial", lang="en")
    text = next(
        item.get_text(" ", strip=True)
        for item in seen.all("details.example")
        if "covers the trial from" in item.get_text()
    )
    assert "Plan updated" in text
    assert "31 March 2022 : does not concern this situation" in text.replace(" :", " :")
    assert "1 April 2022 : in order" in text


@pytest.mark.parametrize("name", ["no-such-rule", "%00", "131052-308T", "as-update-on-trial%2F"])
def test_a_rule_that_is_not_there(client: Client, name: str) -> None:
    assert look(client, f"/rules/{name}").status == 404


def test_examples_are_those_the_pack_tests_with() -> None:
    book = rulebook(the_pack())
    words = Words("fi")
    assert rulebook(the_pack()) is book
    assert all(book.examples(rule.id, words) for rule in book.pack.editions[-1].rules)
    assert book.examples("no-such-rule", words) == []
    assert book.by_theme(Asked(theme="no-such-theme"), TODAY, words) == {}


# --- what changed ---


def test_what_came_into_force_and_ceased_is_told_by_day(client: Client) -> None:
    found = {turn.day: turn for turn in turns(the_pack())}
    assert [rule.id for rule in found[date(2025, 1, 1)].ceases] == ["basic-consent-before-ktt"]
    assert [rule.id for rule in found[date(2025, 1, 1)].begins] == ["trial-max-six-months"]
    seen = look(client, "/rules/changes")
    days = [item.get_text() for item in seen.all(".card h3")]
    assert days == ["1.1.2025", "2.5.2022", "1.1.2020", "1.7.2015"]
    assert "Arvioita on tehty vain version" in seen.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_versions_that_judged_are_compared(client: Client, sqlite: Database, lang: str) -> None:
    with sqlite.write(REGION) as unit:
        unit.packs.keep(later_pack())
        unit.packs.keep(the_pack())
    seen = look(client, "/rules/changes", lang=lang)
    assert len(seen.all("#old option")) == 2
    found = changes(later_pack(), the_pack(), Words(lang))  # type: ignore[arg-type]
    assert found
    titles = [item.get_text() for item in seen.all("section.card h3")]
    assert sorted(item.title for item in found) == sorted(titles[-len(found) :])
    back = look(client, f"/rules/changes?old={later_pack().sha256}&new={the_pack().sha256}", lang=lang)
    assert back.one("#old option[selected]")["value"] == later_pack().sha256
    odd = look(client, f"/rules/changes?old=x&new={the_pack().sha256}", lang=lang)
    assert Words(lang)("rule_changes", "unusable") in odd.text  # type: ignore[arg-type]


def without(pack: Pack, rule: str) -> Pack:
    """The pack without a rule, and with another number."""
    content = json.loads(pack.canonical)
    content["rules"] = [item for item in content["rules"] if item["id"] != rule]
    content["pack"]["version"] = "9.0.0"
    return pack_from_content(content)


def test_what_was_added_removed_and_changed_is_told_apart() -> None:
    pack, words = the_pack(), Words("sv")
    fewer = without(pack, "next-keep-contact")
    removed, added = changes(pack, fewer, words), changes(fewer, pack, words)
    assert [(item.name, item.how) for item in removed] == [("next-keep-contact", "removed")]
    assert [(item.name, item.how) for item in added] == [("next-keep-contact", "added")]
    assert removed[0].title == added[0].title == words.of(pack.versions("next-keep-contact")[-1].title)
    assert changes(pack, pack, words) == []
