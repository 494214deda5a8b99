"""The rules: by theme, each with all it says and its worked cases, and what changed when. No client's data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from rules.conditions import Condition
from rules.findings import caution_text
from rules.pack import ROLES, SEVERITIES, Pack, Parameter, Rule
from rules.texts import texts
from service.api.lanes import in_lane
from service.api.problems import ApiProblem
from service.audit.replay import Packs
from service.rule_parts import deciding, numbers_of, told, versions_on
from service.store import Unit
from service.web.asking import Asked as Asking
from service.web.asking import Page
from service.web.rendering import render
from service.web.routing import pages
from service.web.rulebook import Asked, Rulebook, changes, rulebook, turns
from service.words import Words

router = pages("/rules")
Text = Annotated[str, Query(max_length=200)]


@router.get("")
@in_lane("reading")
def list_rules(
    request: Request, page: Asking, theme: Text = "", severity: Text = "", role: Text = "", q: Text = ""
) -> Response:
    """The rules by theme, as far as they are looked for."""
    book = _book(page)
    asked = Asked(theme, severity, role, q)
    found = book.by_theme(asked, page.today, page.words)
    return render(
        page,
        "rules/list.html",
        asked=asked,
        found=found,
        count=sum(map(len, found.values())),
        themes=book.pack.content["pack"]["themes"],
        severities=SEVERITIES,
        acting=[name for name in ROLES if any(rule.role == name for rule in book.pack.editions[-1].rules)],
        pack=book.pack,
    )


def _book(page: Page) -> Rulebook:
    return rulebook(page.polku.assessor.pack)


@router.get("/changes")
@in_lane("reading")
def show_changes(request: Request, page: Asking, old: Text = "", new: Text = "") -> Response:
    """What changed when: within the pack, and between its versions that judged something."""
    pack = page.polku.assessor.pack
    with page.polku.database.read(page.principal.region) as unit:
        kept = [*unit.packs.versions(pack.id)]
        if pack.sha256 not in {sha256 for _, sha256 in kept}:
            kept.append((pack.version, pack.sha256))
        kept.sort(key=lambda item: (_ordered(item[0]), item[1] == pack.sha256))
        known = {sha256 for _, sha256 in kept}
        chosen = [asked if asked in known else "" for asked in (old, new)]
        if not any(chosen) and len(kept) > 1:
            chosen = [kept[-2][1], kept[-1][1]]
        before, after = (_kept_pack(page, unit, sha256) if sha256 else None for sha256 in chosen)
    between = changes(before, after, page.words) if before is not None and after is not None else None
    return render(
        page,
        "rules/changes.html",
        turns=turns(pack),
        pack=pack,
        kept=kept,
        chosen=chosen,
        between=between,
        unusable=any(chosen) and between is None,
    )


def _ordered(version: str) -> list[tuple[int, str]]:
    """Versions in the order in which people count: 1.10 after 1.9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in version.split(".")]


def _kept_pack(page: Page, unit: Unit, sha256: str) -> Pack | None:
    packs: Packs = page.polku.packs
    if sha256 == page.polku.assessor.pack.sha256:
        return page.polku.assessor.pack
    found = packs.assessor(sha256, unit.packs.get)
    return None if isinstance(found, str) else found.pack


@dataclass(frozen=True, slots=True)
class Clause:
    """A line of a condition, and how deep it stands."""

    depth: int
    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a rule in words."""

    rule: Rule
    in_force: bool
    caution: str | None
    applies: tuple[Clause, ...]
    comes_out: tuple[tuple[str, tuple[Clause, ...]], ...]
    otherwise: str
    limit: str | None
    event: str | None
    actions: tuple[tuple[str, tuple[Clause, ...]], ...]
    numbers: tuple[Parameter, ...]


@router.get("/{rule}")
@in_lane("reading")
def show_rule(request: Request, page: Asking, rule: str) -> Response:
    """One rule, every version of it, and its worked cases."""
    book, pack = _book(page), page.polku.assessor.pack
    try:
        chosen, others = versions_on(pack, rule, page.today)
    except KeyError:
        raise ApiProblem("not-found") from None
    others = sorted(others, key=lambda item: item.valid_from, reverse=True)
    return render(
        page,
        "rules/rule.html",
        rule=chosen,
        versions=[_version(pack, item, page.today, page.words) for item in (chosen, *others)],
        theme=book.theme(rule),
        examples=book.examples(rule, page.words),
        sources=pack.sources,
        pack=pack,
        action=texts("actions", chosen.action, page.lang),
    )


def _version(pack: Pack, rule: Rule, today: date, words: Words) -> Version:
    ruleset = pack.ruleset(today)

    def clauses(condition: Condition) -> tuple[Clause, ...]:
        return tuple(Clause(depth, text) for depth, text in told(condition, ruleset, words))

    steps, otherwise = deciding(rule)
    vocabulary = ruleset.vocabulary
    return Version(
        rule,
        rule.in_force(today),
        caution_text(rule, today, words.lang),
        clauses(rule.applies),
        tuple((outcome, clauses(condition)) for outcome, condition in steps),
        otherwise,
        words.label(vocabulary[rule.due]) if rule.due is not None else None,
        words.of(vocabulary[rule.event].labels) if rule.event is not None else None,
        tuple((texts("actions", action, words.lang), clauses(when)) for when, action in rule.actions),
        tuple(numbers_of(pack, rule)),
    )
