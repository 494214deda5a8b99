"""The recognition checklist as a talk sheet: strengths, open questions, supports to arrange (SPEC §4.3).

It yields no outcome, no sum and no finding, and no rule may read it.
"""

from __future__ import annotations

from typing import Any

from rules.fold import History
from rules.texts import catalogue

#: Items 8 and 9 are joined by "or": one is enough.
EITHER = ("chk-08", "chk-09")


def readiness(read: History, lang: str) -> dict[str, Any]:
    """The checklist as last answered, item by item, grouped, in one language."""
    sheet = catalogue()["readiness"]
    answers = _answers(read)
    groups = [
        {"id": group, "title": content["title"][lang], **_group(content["items"], answers, lang)}
        for group, content in sheet["groups"].items()
    ]
    return {"answered": bool(answers), "groups": groups, "note": sheet["note"][lang], "either": sheet["or_note"][lang]}


def _answers(read: History) -> dict[str, str]:
    answers: dict[str, str] = {}
    for entry in read.by_type.get("checklist_answered", ()):
        answers.update(getattr(entry, "answers", None) or {})
    return answers


def _group(items: dict[str, Any], answers: dict[str, str], lang: str) -> dict[str, Any]:
    supports = catalogue()["readiness"]["supports"]
    found: dict[str, list[dict[str, str]]] = {"strengths": [], "open_questions": [], "supports_to_arrange": []}
    for item, text in items.items():
        answer = answers.get(item, "unknown")
        if answer == "yes":
            found["strengths"].append({"item": item, "text": text[lang]})
        elif item in EITHER and any(answers.get(other) == "yes" for other in EITHER):
            continue
        elif answer == "unknown":
            found["open_questions"].append({"item": item, "text": text[lang]})
        else:
            found["supports_to_arrange"].append({"item": item, "text": text[lang], "support": supports[item][lang]})
    return found
