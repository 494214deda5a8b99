"""Personal identity codes are found however they are written, and harmless texts are left alone.

The codes here are made up: numbers 900–999 are never given to a person; the others are published examples or chance.
"""

import datetime
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.identity import CHECK_CHARACTERS, HIDDEN, contains_code, masked


def code(day: datetime.date, sign: str = "-", number: int = 923) -> str:
    figures = f"{day:%d%m%y}{number:03}"
    return f"{figures[:6]}{sign}{figures[6:]}{CHECK_CHARACTERS[int(figures) % 31]}"


CODE = code(datetime.date(1952, 10, 13))
days = st.dates(datetime.date(1850, 1, 1), datetime.date(2049, 12, 31))
codes = st.builds(code, days, st.sampled_from("-+ABCDEFUVWXY"), st.integers(2, 999))


@given(
    codes, st.sampled_from(["", "x", "Ä", "hetu: ", "(", "99", "_"]), st.sampled_from(["", "y", " on", ")", "_", "9"])
)
def test_a_code_is_found_wherever_it_stands_in_a_text(found: str, before: str, after: str) -> None:
    text = before + found + after
    assert contains_code(text)
    assert masked(text) == HIDDEN


@pytest.mark.parametrize("sign", "+-ABCDEFUVWXY")
def test_every_sign_of_a_century_is_known(sign: str) -> None:
    assert contains_code(code(datetime.date(1994, 5, 1), sign))


@pytest.mark.parametrize(
    "text",
    [
        "010594Y9032", "020594X903P", "030594W903B", "040594V902Y", "050594U903M", "010516B903X",
        "020516C903K", "030516D9037", "010501E9032", "020503F9037", "020504A902E", "131052-308T",
    ],
)  # fmt: skip
def test_the_registers_published_examples_are_codes(text: str) -> None:
    assert contains_code(text)
    assert contains_code(text.lower())


@pytest.mark.parametrize("dash", "-‐‑‒–—―−﹣－⁃˗")
def test_every_dash_is_a_dash(dash: str) -> None:
    assert contains_code(CODE.replace("-", dash))


@pytest.mark.parametrize(
    "disguise",
    [
        lambda c: " ".join(c),
        lambda c: c.replace("-", " - "),
        lambda c: c.replace("-", "\u00ad"),
        lambda c: "\u200b".join(c),
        lambda c: "\u2060".join(c),
        lambda c: "\x00".join(c),
        lambda c: "".join(chr(ord(char) + 0xFEE0) for char in c),
        lambda c: "".join(chr(ord(char) + 0x630) if char.isdigit() else char for char in c),
        lambda c: "".join(chr(ord(char) + 0x1D7CE - 48) if char.isdigit() else char for char in c),
        lambda c: f"{c[:2]}.{c[2:4]}.{c[4:]}",
        lambda c: f"{c[:2]}.{c[2:4]}.19{c[4:]}",
        lambda c: f"{c[:4]}19{c[4:]}",
        lambda c: c.replace("-", " "),
        lambda c: c.replace("-", "\n"),
        lambda c: c.replace("-", "--"),
        lambda c: f"Tunnus ({c.lower()}), soitettu 1.1.2022",
    ],
)
@given(day=days)
def test_a_disguised_code_is_found(disguise: Callable[[str], str], day: datetime.date) -> None:
    text = disguise(code(day))
    assert contains_code(text)
    assert masked(text) == HIDDEN


@given(codes, st.sampled_from(CHECK_CHARACTERS))
def test_a_mistyped_check_character_still_makes_a_code_of_a_word(found: str, check: str) -> None:
    assert contains_code(f"asiakas {found[:-1]}{check}, tavattu")


@pytest.mark.parametrize("check", "GIOQZÄ")
def test_a_character_no_code_ends_in_makes_no_code(check: str) -> None:
    assert not contains_code(CODE[:-1] + check)


@pytest.mark.parametrize(
    "text",
    [
        "", "e1", "case-2022-09-05", "provider-1", "activation_plan_updated",
        "320152-308T", "131352-308T", "290201-308T", "310422-308T", "000152-308T", "131052-001T",
        "040 123 4567", "0401234567", "+358401234567", "050-1234567",
        "1.10.2022-31.12.2022", "01.10.22-31.12.22", "20220823-1005", "2022-08-23",
        "2022-09-05T10:00:00.121212+0200", "2022-09-05 10:00:00.131052-03:00",
        "1234567-8", "FI21 1234 5600 0007 85",
        "131052a3-0823-1310-a308-131052a30820", "131052a3082f131052a3082f131052a3082f131052a3082f131052a3082fabcd",
    ],
)  # fmt: skip
def test_texts_that_only_look_like_codes_are_left_alone(text: str) -> None:
    assert not contains_code(text)


def test_short_texts_and_dates_are_shown_as_they_are() -> None:
    for text in ("days_per_weak", "2022-09-05", "2022-09-05T10:00", "Päijät-Häme", "1234567-8"):
        assert masked(text) == text


@given(st.integers(0, 10**10 - 1))
def test_ten_figures_in_a_row_are_never_a_code(number: int) -> None:
    assert not contains_code(f"{number:010}")


@given(st.text(max_size=300))
def test_any_text_gets_an_answer_and_what_has_a_code_is_not_shown(text: str) -> None:
    assert not contains_code(text) or masked(text) == HIDDEN


def test_long_texts_are_searched_in_reasonable_time() -> None:
    for text in ("1" * 10_000, "1   " * 2_500, "0 1 0 1 0 1   " * 700, "131052-" * 1_400):
        assert not contains_code(text)
    assert contains_code("ä" * 5_000 + CODE + "ö" * 4_000)
