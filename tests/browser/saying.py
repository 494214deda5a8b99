"""The stories are written in Finnish; whoever reads the pages in another language says the same in theirs.

Every text of a story that the catalogues hold is looked up there. Where one Finnish word stands for several things, the
place is named that the stories mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import service.web
from rules.pack import load_pack
from rules.texts import catalogue as core_catalogue
from service.words import Lang, Words, catalogue, pages_catalogue, sentence
from statemachines import labels

#: Finnish words that stand for several things, and which of them the stories mean.
MEANT = {
    "Asiakas": ("roles", "client"),
    "Päivä": ("record_labels", "date"),
    "Työnantaja": ("values", "party", "employer"),
    "Voimassa asti": ("fields", "valid_until"),
    "Vaihe": ("fields", "phase"),
    "Suomi": ("language_names", "fi"),
    "Aikajana": ("client", "timeline"),
}


def said(value: Any, lang: Lang) -> Any:
    """A text in the language, or everything in a list or mapping of them; names and days stay as they are."""
    if lang == "fi" or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {said(key, lang): said(inner, lang) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(said(inner, lang) for inner in value)
    if value in MEANT:
        return sentence(Words(lang)(*MEANT[value]))
    found = _known().get(value, {}).get(lang, set())
    assert len(found) <= 1, f"{value!r} is {sorted(found)} in {lang}: say in MEANT which"
    return next(iter(found), value)


@cache
def _known() -> dict[str, dict[str, set[str]]]:
    """Finnish text -> language -> what it is there."""
    bundles = yaml.safe_load((Path(service.web.__file__).parent / "bundles.yaml").read_text(encoding="utf-8"))
    rules = [dict(rule.title) for rule in load_pack().editions[-1].rules]
    found: dict[str, dict[str, set[str]]] = {}
    for content in (catalogue(), pages_catalogue(), core_catalogue(), bundles, labels.STAGES, labels.STATES, rules):
        for text in _texts(content):
            for written in (str, sentence):
                places = found.setdefault(written(text["fi"]), {})
                for lang in ("sv", "en"):
                    places.setdefault(lang, set()).add(written(text[lang]))
    return found


def _texts(node: Any) -> Iterator[Mapping[str, str]]:
    if isinstance(node, Mapping) and isinstance(node.get("fi"), str) and {"sv", "en"} <= node.keys():
        yield node
    elif isinstance(node, Mapping):
        for inner in node.values():
            yield from _texts(inner)
    elif isinstance(node, list | tuple):
        for inner in node:
            yield from _texts(inner)
