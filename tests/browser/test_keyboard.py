"""Nobody needs a mouse, a large screen, small letters or good eyes: the keyboard gets everywhere and shows where it is,
and a page that is enlarged or set wider loses nothing."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Someone
from tests.browser.driving import NARROW, WIDE, Person
from tests.browser.places import PLACES, Place

#: Pages that between them hold every kind of thing one can press or fill in.
SAMPLE = (
    "the list",
    "the calendar",
    "a new client",
    "a client in a trial",
    "the time line",
    "the journal",
    "what if, a step chosen",
    "the summary",
    "what to record",
    "a bundle",
    "a rule speaks against it",
    "a decision",
    "reads",
    "emergency access",
    "the rules",
    "a rule",
    "the team",
    "the audit",
    "the users of the demo",
)
CHOSEN = [place for place in PLACES if place.name in SAMPLE]
_GATHER = """() => {
  const seen = one => one.checkVisibility({visibilityProperty: true}) && one.getBoundingClientRect().width > 0;
  const all = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  const found = [...document.querySelectorAll(all)].filter(one => seen(one) && !one.disabled && one.tabIndex >= 0);
  found.forEach((one, number) => one.dataset.stop = number);
  // Of radio buttons with one name the keyboard enters one, and the arrows choose.
  const names = new Set();
  return found.map((one, number) => {
    if (one.type !== 'radio') return {number, group: null};
    return {number, group: (one.form ? [...document.forms].indexOf(one.form) : '') + one.name};
  });
}"""
_WHERE = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  return {
    stop: one.dataset.stop === undefined ? null : Number(one.dataset.stop),
    name: one.tagName + ' ' + (one.name || one.textContent || '').trim().slice(0, 40),
    shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    inside: box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight,
  };
}"""


def test_there_is_a_place_for_each_name_of_the_sample() -> None:
    assert {place.name for place in CHOSEN} == set(SAMPLE)


@pytest.mark.parametrize("place", CHOSEN, ids=lambda place: place.name)
def test_the_keyboard_reaches_everything_shows_where_it_is_and_gets_out_again(someone: Someone, place: Place) -> None:
    with someone(place.user) as reader:
        place.reach(reader)
        # From the beginning, wherever the page has put the focus.
        reader.page.evaluate("() => { document.activeElement.blur(); getSelection().removeAllRanges(); }")
        reader.page.evaluate("() => { document.body.tabIndex = -1; document.body.focus(); }")
        stops = reader.page.evaluate(_GATHER)
        reached: list[int] = []
        for _ in range(2 * len(stops) + 10):
            reader.page.keyboard.press("Tab")
            here = reader.page.evaluate(_WHERE)
            if here is None or (reached and here["stop"] == reached[0]):
                break  # past the last, into the browser's own
            # A part of a date field has the focus while the field is shown as focused.
            assert (here["shown"], here["inside"]) == (True, True), (place.name, here)
            if here["stop"] is not None:
                reached.append(here["stop"])
        else:
            pytest.fail(f"{place.name}: the keyboard does not get out; it came to {reached[-5:]}")
        entered = {stop["group"] for stop in stops if stop["number"] in reached and stop["group"] is not None}
        missed = [stop for stop in stops if stop["number"] not in reached and stop["group"] not in entered]
        assert missed == [], f"{place.name}: {missed}"
        assert list(dict.fromkeys(reached)) == sorted(set(reached)), "in the order in which it stands on the page"


def test_the_first_stop_skips_to_the_page_itself(someone: Someone) -> None:
    with someone("aino") as aino:
        aino.open("/clients")
        aino.page.keyboard.press("Tab")
        skip = aino.page.locator(":focus")
        expect(skip).to_have_attribute("href", "#main")
        expect(skip).to_be_in_viewport()
        aino.page.keyboard.press("Enter")
        expect(aino.page.locator("main")).to_be_focused()
        aino.page.keyboard.press("Tab")
        assert aino.page.locator("main :focus").count() == 1, "the next stop lies within the page"


def _to(someone: Person, selector: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(150):
        if someone.page.locator(f"{selector}:focus").count():
            return
        someone.page.keyboard.press("Tab")
    pytest.fail(f"the keyboard does not come to {selector}")


def test_an_entry_is_recorded_by_the_keyboard_alone(someone: Someone) -> None:
    with someone("aino") as aino:
        keyboard = aino.page.keyboard
        aino.open("/clients?q=Liisa")
        _to(aino, 'main a[href="/clients/liisa"]')
        keyboard.press("Enter")
        aino.page.wait_for_url("**/clients/liisa")
        _to(aino, 'main a[href="/clients/liisa/record"]')
        keyboard.press("Enter")
        aino.page.wait_for_url("**/record")
        _to(aino, 'main a[href="/clients/liisa/record/contact"]')
        keyboard.press("Enter")
        aino.page.wait_for_url("**/record/contact")
        _to(aino, 'input[type="radio"][value="client"]')
        keyboard.press("Space")
        _to(aino, 'input[type="radio"][value="face_to_face"]')
        keyboard.press("ArrowDown")
        expect(aino.page.locator('input[type="radio"][value="phone"]')).to_be_checked()
        _to(aino, "main textarea")
        keyboard.type("Puhuttiin näppäimistöllä.")
        _to(aino, '.buttons button[value="record"]')
        keyboard.press("Enter")
        aino.page.wait_for_url("**/clients/liisa?recorded=*")
        expect(aino.page.locator(".notice--success")).to_be_visible()
        aino.open("/clients/liisa/journal?type=contact")
        assert "Puhuttiin näppäimistöllä." in aino.text()


def test_the_list_of_mistakes_takes_the_focus_and_leads_to_each_field(someone: Someone) -> None:
    with someone("aino") as aino:
        aino.open("/clients/samuli/record/contact")
        _to(aino, '.buttons button[value="record"]')
        aino.page.keyboard.press("Enter")
        mistakes = aino.page.locator("#mistakes")
        expect(mistakes).to_be_focused()
        links = mistakes.locator("a").all()
        assert links
        for number in range(len(links)):
            link = aino.page.locator("#mistakes a").nth(number)
            link.focus()
            wanted = str(link.get_attribute("href")).removeprefix("#")
            aino.page.keyboard.press("Enter")
            expect(aino.page.locator(f'[id="{wanted}"]')).to_be_focused()
            field = aino.page.locator(f'[id="{wanted}"]')
            assert field.get_attribute("aria-invalid") == "true"
            expect(field).to_be_in_viewport()


@pytest.mark.parametrize("name", ["a rule speaks against it", "someone was faster", "a new client, with mistakes"])
def test_what_stands_in_the_way_is_where_the_keyboard_is(someone: Someone, name: str) -> None:
    place = next(place for place in PLACES if place.name == name)
    with someone(place.user) as reader:
        place.reach(reader)
        expect(reader.page.locator(place.shows)).to_be_focused()


# --- larger, wider apart, stiller ---

#: WCAG 1.4.12: what a reader may set, at the least.
_SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
#: Text that is drawn outside of the box that clips it.
_CLIPPED = """() => [...document.body.querySelectorAll('*')].filter(one => {
  const style = getComputedStyle(one);
  // A box that is as good as no box hides its text on purpose, from eyes only; a field scrolls by itself.
  const apart = '.visually-hidden, .visually-hidden *, thead, thead *, input, select, textarea, svg, svg *';
  if (one.matches(apart)) return false;
  if (!one.checkVisibility()) return false;
  const clips = [style.overflowX, style.overflowY].some(way => way === 'hidden' || way === 'clip');
  return clips && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1);
}).map(one => one.tagName + '.' + one.className + ' ' + one.textContent.trim().slice(0, 40))"""


@pytest.mark.parametrize("place", CHOSEN, ids=lambda place: place.name)
def test_a_page_twice_as_large_loses_nothing(someone: Someone, place: Place) -> None:
    # 1280 pixels of a screen at 200 % are 640 of the page.
    with someone(place.user, size={"width": 640, "height": 450}, device_scale_factor=2) as reader:
        place.reach(reader)
        assert (reader.cut(), reader.page.evaluate(_CLIPPED)) == ([], [])


@pytest.mark.parametrize("place", CHOSEN, ids=lambda place: place.name)
def test_text_that_is_set_wider_apart_loses_nothing(someone: Someone, place: Place) -> None:
    with someone(place.user) as reader:
        place.reach(reader)
        reader.page.evaluate(_SPACED)
        assert (reader.cut(), reader.page.evaluate(_CLIPPED)) == ([], [])
        reader.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        assert (reader.cut(), reader.page.evaluate(_CLIPPED)) == ([], [])


def test_nothing_moves_for_those_who_ask_for_stillness(someone: Someone) -> None:
    with someone("vilho", reduced_motion="reduce") as vilho:
        for path in ("/clients", "/clients/sirpa-path", "/clients/sirpa-path/record/trial_start"):
            vilho.open(path)
            moving = vilho.page.evaluate(
                """() => [...document.querySelectorAll('*')].filter(one => {
                  const style = getComputedStyle(one);
                  return style.animationName !== 'none' || style.transitionDuration.split(',').some(s => parseFloat(s));
                }).length"""
            )
            assert (path, moving, vilho.page.evaluate("() => document.getAnimations().length")) == (path, 0, 0)


# --- pictures ---

_BEYOND = """() => [...document.querySelectorAll('main svg')].filter(one => one.checkVisibility()).flatMap(svg => {
  const edge = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < edge.left - 1 || box.right > edge.right + 1;
  }).map(text => text.textContent);
})"""


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
@pytest.mark.parametrize(("path", "count"), [("/clients/sirpa-path", 1), ("/clients/sirpa-path/timeline", 1)])
def test_a_picture_says_in_words_what_it_shows(someone: Someone, path: str, count: int, lang: str) -> None:
    with someone("vilho", lang=lang) as vilho:
        vilho.open(path)
        assert vilho.page.locator("main svg:not([role=img])").count() == 0
        pictures = vilho.page.get_by_role("img").and_(vilho.page.locator("main svg"))
        assert pictures.count() == count, "of its two forms one is there, for every reader"
        for picture in pictures.all():
            title = picture.locator("title").first.text_content() or ""
            told = picture.locator("desc").first.text_content() or ""
            expect(picture).to_have_accessible_name(f"{title} {told}".strip())
            assert title
            assert len(told) > len(title), "more than a name"


def test_the_time_line_stands_as_a_table_as_well(someone: Someone) -> None:
    with someone("vilho") as vilho:
        vilho.open("/clients/sirpa-path/timeline")
        rows: Any = vilho.page.locator("main table tbody tr")
        bars = vilho.page.locator("main svg:visible").count()
        assert bars
        assert rows.count() > 5
        for cell in ("Kuntouttava työtoiminta", "Tuettu työhönvalmennus", "Työkokeilu"):
            assert rows.filter(has_text=cell).count(), cell


@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("vilho", "/clients/sirpa-path"),
        ("vilho", "/clients/sirpa-path/timeline"),
        ("aino", "/clients/trial-alongside"),
        ("aino", "/clients/elli"),
    ],
)
@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_no_label_of_a_picture_reaches_beyond_its_edge(someone: Someone, user: str, path: str, lang: str) -> None:
    with someone(user, lang=lang) as worker:
        worker.open(path)
        for size in (WIDE, NARROW):
            worker.page.set_viewport_size(size)  # type: ignore[arg-type]
            assert (path, worker.page.evaluate(_BEYOND)) == (path, [])
