"""The rules in force on a date, with their sources."""

from __future__ import annotations

from difflib import get_close_matches

from fastapi import APIRouter, Request
from starlette.responses import Response

from rules.pack import Pack
from service.api.answers import json_answer
from service.api.context import Polku
from service.api.document import problems_of, shown_as
from service.api.lanes import in_lane
from service.api.parameters import AsOf, Language, day_or_today
from service.api.problems import ApiProblem
from service.api.schemas import RuleInFull, RuleList
from service.rule_parts import rule_json, versions_on
from service.words import Words

router = APIRouter(prefix="/v1/rules", tags=["rules"])


@router.get("", operation_id="listRules", responses={200: shown_as(RuleList), **problems_of()})
@in_lane("reading")
def list_rules(request: Request, polku: Polku, as_of: AsOf = None, lang: Language = "fi") -> Response:
    """The rules in force on a date, in the pack's order."""
    pack, day, words = polku.assessor.pack, day_or_today(as_of, polku.today()), Words(lang)
    return json_answer(
        {
            "as_of": day.isoformat(),
            "pack": {"id": pack.id, "version": pack.version, "sha256": pack.sha256},
            "items": [rule_json(pack, rule, day, words) for rule in pack.rules(day)],
        }
    )


@router.get("/{rule}", operation_id="showRule", responses={200: shown_as(RuleInFull), **problems_of("not-found")})
@in_lane("reading")
def show_rule(request: Request, polku: Polku, rule: str, as_of: AsOf = None, lang: Language = "fi") -> Response:
    """One rule: when it applies, what must then hold, its numbers and sources. On a day on which no version is in force
    the newest is shown."""
    pack, day = polku.assessor.pack, day_or_today(as_of, polku.today())
    try:
        chosen, others = versions_on(pack, rule, day)
    except KeyError:
        raise no_such_rule(pack, rule) from None
    versions = [{"from": item.valid_from, "to": item.valid_to} for item in (chosen, *others)]
    told = rule_json(pack, chosen, day, Words(lang), cases=0)
    del told["cases"]  # the pack's worked cases are for those who write rules
    return json_answer(
        {**told, "in_force": chosen.in_force(day), "versions": sorted(versions, key=lambda v: v["from"])}
    )


def no_such_rule(pack: Pack, rule: str) -> ApiProblem:
    """The problem of a rule that is not there, with the nearest one's id."""
    near = get_close_matches(rule, {item.id for item in pack.editions[-1].rules}, n=1)
    return ApiProblem("not-found", f"There is no such rule; did you mean {near[0]}?" if near else None)
