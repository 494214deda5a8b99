"""Invented clients, workers and employers of Päijät-Häme. Nobody is real; every id is opaque."""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate

from service.generate.days import Draw, pick

#: The ten municipalities, by roughly how many of a hundred inhabitants live there.
MUNICIPALITIES = (
    ("Lahti", 59.0), ("Hollola", 11.3), ("Heinola", 8.9), ("Orimattila", 7.7), ("Asikkala", 3.9), ("Iitti", 3.1),
    ("Kärkölä", 2.1), ("Sysmä", 1.7), ("Padasjoki", 1.3), ("Hartola", 1.2),
)  # fmt: skip
_NAMES = tuple(name for name, _ in MUNICIPALITIES)
_BOUNDS = tuple(accumulate(weight for _, weight in MUNICIPALITIES))

#: No vowels, so that an id spells nothing; no figures, so that none can look like a personal identity code.
_LETTERS = "bcdfghjkmnpqrstvwxz"
_LENGTH = 8
_IDS = len(_LETTERS) ** _LENGTH
#: Odd strides with no factor of 19: every number below _IDS is met once.
_STRIDE = 7_393_913_329

PRIVATE_PROVIDERS = ("provider-1", "provider-2", "provider-3", "provider-4")
PUBLIC_PROVIDER = "county-1"

_TRADES = (
    ("Siivous", "siistijä"), ("Keittiö", "keittiöapulainen"), ("Varasto", "varastotyöntekijä"),
    ("Puutarha", "puutarhatyöntekijä"), ("Kirpputori", "myyjä"), ("Konepaja", "hitsaaja"), ("Leipomo", "leipuri"),
    ("Kahvila", "kahvilatyöntekijä"), ("Puuseppä", "puuseppä"), ("Kiinteistöhuolto", "kiinteistönhoitaja"),
    ("Palvelukoti", "hoiva-avustaja"), ("Rakennus", "rakennusapulainen"), ("Autohuolto", "autonasentaja"),
    ("Pesula", "pesulatyöntekijä"), ("Kirjapaino", "painotyöntekijä"), ("Päiväkoti", "keittiötyöntekijä"),
)  # fmt: skip
_FIRMS = ("Esimerkki", "Malli", "Näyte", "Kuvitelma")

_NOTES = {
    "fi": (
        "Puhelu. Kaikki hyvin.",
        "Sovittiin seuraava tapaaminen.",
        "Jaksaminen on ollut vaihtelevaa, mutta suunta on hyvä.",
        "Käytiin läpi viikon kulku.",
        "Asiakas kertoi olevansa tyytyväinen ryhmään.",
        "Juteltiin siitä, millainen työ kiinnostaisi.",
        "Matkat sujuvat nyt bussilla.",
    ),
    "sv": (
        "Samtal. Allt går bra.",
        "Vi kom överens om nästa träff.",
        "Veckan gicks igenom tillsammans.",
        "Resorna med buss fungerar nu.",
    ),
    "en": (
        "A call. All is well.",
        "We agreed on the next meeting.",
        "We went through how the week has been.",
        "Getting there by bus works now.",
    ),
}


def case_id(index: int, seed: int) -> str:
    """The id of a case: another for every index, and opaque."""
    number = (index * _STRIDE + seed * 1_000_003) % _IDS
    letters = []
    for _ in range(_LENGTH):
        number, rest = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[rest])
    return "c-" + "".join(letters)


def municipality(draw: Draw) -> str:
    """Where a client lives."""
    return _NAMES[min(bisect(_BOUNDS, draw() * _BOUNDS[-1]), len(_NAMES) - 1)]


def language(draw: Draw) -> str | None:
    """The client's language, for one in twenty not known."""
    share = draw()
    return "fi" if share < 0.88 else "en" if share < 0.92 else "sv" if share < 0.95 else None


def trade(draw: Draw) -> tuple[str, str]:
    """An employer's name and what one does there."""
    name, work = pick(draw, _TRADES)
    return f"{name} {pick(draw, _FIRMS)}", work


def note(draw: Draw, lang: str | None) -> str:
    """What a worker wrote down about a contact."""
    return pick(draw, _NOTES[lang or "fi"])
