"""Finnish personal identity codes in text: found, so that they can be refused and never repeated.

A code is ddmmyy, a sign, a number 002–999 and a check character (Government Decree 128/2010; the signs B–F and U–Y came
with its amendment in force from 2023). The check character is the nine digits modulo 31, in the order of
`CHECK_CHARACTERS`.

What counts as a code is a choice between missing one and refusing a harmless text:

* A real day, a sign and a right check character: a code anywhere, also glued to other text, also with white space
  around the sign.
* The same without white space but with a wrong check character: a code where it stands as a word of its own (a slip of
  the pen is still a person's code). `220823-1005` as an identifier is refused for this reason.
* White space, dots or slashes between the figures, the year in four figures, or no sign at all: a code only as a word
  of its own with a right check character; ten figures in a row (a telephone number) never are.
* Dashes of every kind, full-width and other figures, invisible characters and lower case are read as what they stand
  for.
* Timestamps, UUIDs and hexadecimal digests are not looked into; they would match by chance.
* Not found: a code without its check character, one written in words, one whose figures are spread over several fields.
"""

import re
import unicodedata

CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
HIDDEN = "(hidden)"

_SHORTEST = 10  # characters: a code without its sign
_NINE_FIGURES = re.compile(r"(?:\D*+\d){9}")  # a code has as many at least; most texts have not
_DASHES = frozenset("\u2212\u2043\u02d7\u2500\u30fc")  # minus, hyphen bullet and the like; true dashes have category Pd
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_UNUSUAL = re.compile(r"[^\x20-\x7e\s]|[\x1c-\x1f]")
_OPAQUE = re.compile(
    r"(?<![0-9A-Z])(?:"
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
    r"|[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}|[0-9A-F]{32}|[0-9A-F]{40}|[0-9A-F]{64}"
    r")(?![0-9A-Z+-])"
)


def _pattern(year: str) -> re.Pattern[str]:
    """The shape of a code; the groups are day, month, year, gap and sign, number, check character."""
    dot, gap = r"[\s._/]{0,3}+", r"\s{0,3}+"
    figure = "[0-9]"
    return re.compile(
        rf"([0-3]{dot}{figure}){dot}([01]{dot}{figure}){dot}{year}({figure}{dot}{figure})({gap}(?:[-+]{{1,3}}|[A-FU-Y])?{gap})"
        rf"({figure}{gap}{figure}{gap}{figure}){gap}([{CHECK_CHARACTERS}])"
    )


_SHAPES = (_pattern(""), _pattern(r"(?:18|19|20)"))
_LOOSE = re.compile(r"[0-9]{6}[A-Z]?[0-9]{3}")


def contains_code(text: str) -> bool:
    """Whether a Finnish personal identity code stands anywhere in the text (see the module's docstring)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    elif len(text) < _SHORTEST:
        return False
    if not _NINE_FIGURES.match(text):
        return False
    plain = _OPAQUE.sub(" ", _plain(text))
    return any(_stands_in(plain, shape) for shape in _SHAPES)


def masked(text: str) -> str:
    """The text if it can be shown to a person, else `(hidden)`. Hides more than `contains_code` refuses: anything that
    has as many figures in a row as a code has, whatever stands between them."""
    if len(text) < _SHORTEST and text.isascii():
        return text
    squeezed = "".join(char for char in _OPAQUE.sub(" ", _plain(text)) if char.isalnum())
    return HIDDEN if _LOOSE.search(squeezed) or contains_code(text) else text


def _plain(text: str) -> str:
    """The text in upper case with figures as 0–9, every dash as `-`, and nothing invisible."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _UNUSUAL.sub(_read_as, text).upper()


def _read_as(match: re.Match[str]) -> str:
    char = match[0]
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "Pd" or char in _DASHES:
        return "-"
    if char == "\u00ad":  # a soft hyphen: shown as a dash or as nothing
        return " "
    return "" if category in ("Cf", "Cc", "Cs", "Co", "Cn", "Mn", "Me") else char


def _stands_in(text: str, shape: re.Pattern[str]) -> bool:
    match = shape.search(text)
    while match:
        if _is_code(match):
            return True
        match = shape.search(text, match.start() + 1)
    return False


def _is_code(match: re.Match[str]) -> bool:
    if match[4] == "" and match[6].isdigit():
        return False  # ten figures in a row
    day, month, year, number = (re.sub(r"[^0-9]", "", match[group]) for group in (1, 2, 3, 5))
    if not _is_day(int(day), int(month), int(year)) or int(number) < 2:
        return False
    text, start, end = match.string, match.start(), match.end()
    right = CHECK_CHARACTERS[int(day + month + year + number) % 31] == match[6]
    alone = not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())
    tight = match[0] == day + month + year + match[4] + number + match[6]
    sign = match[4].strip()
    if not sign:
        # Ten figures in groups are likelier a telephone number, unless they are grouped just as a code is.
        return right and alone and (match[6].isalpha() or tight)
    if _is_timestamp(match, day + month + year):
        return False
    return (tight or alone) if right else (tight and alone and match[4] == sign)


def _is_day(day: int, month: int, year: int) -> bool:
    """Whether the day exists in some century; 29 February 1900 passes, as 2000 had it."""
    leap_day_missing = month == 2 and day == 29 and year % 4 != 0
    return 1 <= month <= 12 and 1 <= day <= _DAYS_IN_MONTH[month - 1] and not leap_day_missing


def _is_timestamp(match: re.Match[str], figures: str) -> bool:
    """Whether the six figures are the end of yyyymmdd in a time such as `20220823-1005`."""
    before = match.string[max(0, match.start() - 2) : match.start()]
    return (
        before in ("19", "20")
        and match[6].isdigit()
        and _is_day(int(figures[4:6]), int(figures[2:4]), int(figures[0:2]))
    )
