"""For leaders and auditors: the team's work, what was recorded against a rule, decisions of all, the chains, and who
has read a client's data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request
from starlette.responses import Response

from service.access.policy import sees
from service.access.reach import withheld_rules
from service.api.lanes import in_lane
from service.api.paging import Key, cursor, key_of
from service.api.parameters import CaseId
from service.api.problems import ApiProblem
from service.audit.checkpoints import Newest, newest_checkpoint
from service.overseeing import Place, acknowledgements, look_over_chain, newest_decisions
from service.reading import nothing, read_of
from service.store import StoredDecision, StoredRead, Unit
from service.web.asking import Asked, Page
from service.web.clients import open_client
from service.web.exporting import CSV, csv_of
from service.web.formats import Formats
from service.web.rendering import file, query, render, role_name, see_other
from service.web.routing import pages
from service.words import pages_catalogue

router = pages()
ON_A_PAGE = 50
_MANY = 500
#: What is logged with the name of a check or rule.
_NAMED = ("check ", "explanation ")
After = Annotated[str | None, Query(max_length=2_000)]


# --- the team ---


@router.get("/team")
@in_lane("judging")
def team(request: Request, page: Asked) -> Response:
    """The team's work in numbers: of work, never of people's worth."""
    _only(page, "team_leader")
    pack = page.polku.assessor.pack
    relation = sees(page.principal.role, "team")
    return render(
        page,
        "oversight/team.html",
        team=page.polku.outlooks.team(page.reader),
        titles=_titles(page),
        severities={rule.id: rule.severity for rule in pack.editions[-1].rules},
        withheld=[_titles(page)[rule] for rule in sorted(withheld_rules(pack, relation))],
    )


@router.get("/team/acknowledged")
@in_lane("reading")
def team_acknowledged(request: Request, page: Asked, after: After = None) -> Response:
    """Steps recorded against a rule and emergency accesses of the team, the newest first."""
    _only(page, "team_leader")
    return _acknowledged(page, after, "team")


@router.get("/audit/acknowledged")
@in_lane("reading")
def all_acknowledged(request: Request, page: Asked, after: After = None) -> Response:
    """Steps recorded against a rule and emergency accesses of all, the newest first."""
    _only(page, "auditor")
    return _acknowledged(page, after, "audit")


def _acknowledged(page: Page, after: str | None, place: str) -> Response:
    polku, key = page.polku, key_of(after, Place.KINDS)
    found, following = acknowledgements(polku.database, polku.clock(), page.reader, Place.of(key), ON_A_PAGE)
    items = [item.as_json() for item in found]
    return render(
        page,
        "oversight/acknowledged.html",
        items=items,
        names=_names(page, {item["case"] for item in items}),
        titles=_titles(page),
        place=place,
        first=after is None,
        following=_next(page, None if following is None else following.key),
    )


def _names(page: Page, case_ids: Iterable[str]) -> dict[str, str]:
    """Who the clients are whose reading is on record already, for a role that sees it of each of them."""
    if not all(sees(page.principal.role, relation).opens("identity") for relation in ("assigned", "team")):
        return {}
    with page.polku.database.read(page.principal.region) as unit:
        kept = {case_id: unit.identities.get(case_id) or {} for case_id in case_ids}
    return {case_id: str(identity["name"]) for case_id, identity in kept.items() if "name" in identity}


def _titles(page: Page) -> dict[str, str]:
    return {rule.id: page.words.of(rule.title) for rule in page.polku.assessor.pack.editions[-1].rules}


def _only(page: Page, role: str) -> None:
    """Raises ApiProblem for any other role."""
    if page.principal.role != role:
        raise ApiProblem("not-allowed")


def _next(page: Page, key: Key | None) -> str:
    """The address of the next page; nothing when there is none."""
    if key is None:
        return ""
    asked = {name: value for name, value in page.request.query_params.items() if name != "after"}
    return page.request.url.path + query(**asked, after=cursor(key))


# --- the audit ---


@router.get("/audit")
@in_lane("reading")
def audit(request: Request, page: Asked, case: str = "") -> Response:
    """The chains and the last checkpoint; and the way to one client's decisions."""
    _only(page, "auditor")
    if case.strip():
        return see_other(f"/clients/{quote(case.strip(), safe='')}/decisions")
    with page.polku.database.read(page.principal.region) as unit:
        chains, links = unit.chains.size()
    newest, unreadable = _newest(page)
    return render(
        page,
        "oversight/audit.html",
        chains=chains,
        links=links,
        watched=page.polku.settings.checkpoint_dir is not None,
        newest=newest,
        unreadable=unreadable,
        hours=_hours(page, newest),
    )


def _newest(page: Page) -> tuple[Newest | None, bool]:
    """The newest checkpoint; and whether the folder cannot be read."""
    folder = page.polku.settings.checkpoint_dir
    try:
        return (None, False) if folder is None else (newest_checkpoint(folder), False)
    except OSError:
        return None, True


def _hours(page: Page, newest: Newest | None) -> int | None:
    """How old the newest checkpoint is, in whole hours."""
    if newest is None or newest.checkpoint is None:
        return None
    age = page.polku.clock() - datetime.fromisoformat(newest.checkpoint.body.at)
    return max(int(age.total_seconds() // 3600), 0)


@router.get("/audit/decisions")
@in_lane("reading")
def all_decisions(
    request: Request, page: Asked, after: After = None, only: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Decisions of every case, the newest first; with only=undetermined, those that could not be judged."""
    _only(page, "auditor")
    polku, key, undetermined = page.polku, key_of(after, (str, str)), only == "undetermined"
    found, following = newest_decisions(
        polku.database,
        polku.clock(),
        page.reader,
        undetermined=undetermined,
        before=key,
        limit=ON_A_PAGE,
    )
    return render(
        page,
        "oversight/decisions.html",
        rows=[_row(item) for item in found],
        undetermined=undetermined,
        first=after is None,
        following=_next(page, following),
    )


def _row(item: StoredDecision) -> dict[str, Any]:
    record = json.loads(item.payload)
    names = ("id", "case_id", "version", "recorded_at", "recorded_by", "status", "acknowledged")
    told = {name: getattr(item, name) for name in names}
    return {**told, "role": record.get("recorded_by", {}).get("role"), "entries": len(record.get("entries", ()))}


@router.get("/clients/{case_id}/chain")
def chain_is_asked_for(page: Asked, case_id: CaseId) -> Response:
    """The chain is looked over by a button: an address alone leads to it."""
    return see_other(f"/clients/{quote(case_id, safe='')}/decisions")


@router.post("/clients/{case_id}/chain")
@in_lane("judging")
def chain(request: Request, page: Asked, case_id: CaseId) -> Response:
    """Look over the chain of one client's case now. Nothing is changed."""
    _only(page, "auditor")
    polku = page.polku
    opened = polku.reading.one(page.reader, case_id, "decision_records", "chain", nothing)
    newest, _ = _newest(page)
    with polku.database.read(page.principal.region) as unit:
        seen = look_over_chain(unit, opened.case, None if newest is None else newest.checkpoint, polku.clock())
    return render(page, "oversight/chain.html", case_id=opened.case.id, seen=seen, newest=newest)


# --- who has read ---


@router.get("/clients/{case_id}/reads")
@in_lane("reading")
def list_reads(request: Request, page: Asked, case_id: CaseId, after: After = None) -> Response:
    """Who has read a client's data, or tried to, the newest first."""
    key = key_of(after, (str, str, int))
    client = open_client(page, case_id, "reads", "reads")
    with page.polku.database.read(page.principal.region) as unit:
        found = unit.reads.newest_of(client.id, before=key, limit=ON_A_PAGE + 1)
    last = found[ON_A_PAGE - 1] if len(found) > ON_A_PAGE else None
    return render(
        page,
        "oversight/reads.html",
        client=client,
        rows=[_told(page, item, client.id) for item in found[:ON_A_PAGE]],
        first=after is None,
        following=_next(page, None if last is None else (last.at, last.chain, last.seq)),
    )


@router.get("/clients/{case_id}/reads.csv")
@in_lane("reading")
def export_reads(request: Request, page: Asked, case_id: CaseId) -> Response:
    """The whole list for a spreadsheet."""
    client = open_client(page, case_id, "reads", "reads, exported")
    names = ("when", "who", "organisation", "role", "relation", "purpose", "what", "refused")
    lines = [[page.words("read_log", name) for name in names]]
    with page.polku.database.read(page.principal.region) as unit:
        for item in _every(unit, client.id):
            told = _told(page, item, client.id)
            lines.append([told[name] for name in names])
    return file(csv_of(lines), CSV, f"polku-{page.today.isoformat()}.csv")


def _every(unit: Unit, case_id: str) -> Iterable[StoredRead]:
    before = None
    while rows := unit.reads.newest_of(case_id, before=before, limit=_MANY):
        yield from rows
        before = rows[-1].at, rows[-1].chain, rows[-1].seq


def _told(page: Page, item: StoredRead, case_id: str) -> dict[str, str]:
    """A read in words."""
    read, words = read_of(item, case_id), page.words
    what = str(read["what"])
    return {
        "when": Formats(page.lang).moment(item.at),
        "who": str(read["user"]),
        "organisation": str(read["organisation"]),
        "role": role_name(words, read["role"]),
        "relation": _known(page, pages_catalogue()["relations"], read["relation"]),
        "purpose": _known(page, pages_catalogue()["purposes"], read["purpose"]),
        "what": _known(page, pages_catalogue()["read_what"], what.split(" ")[0] if what.startswith(_NAMED) else what),
        "refused": words("values", "yes_no", "yes") if read["refused"] else "",
        "program": words("read_log", "program") if read["program"] else "",
    }


def _known(page: Page, texts: Mapping[str, Mapping[str, str]], code: str) -> str:
    """A code in words; one that has none as it stands."""
    return page.words.of(texts[code]) if code in texts else code
