"""What was decided for a client, under which rules, whether it would come out the same, and what became of advice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from rules.fold import FOLD_VERSION
from rules.journal import case_to_data
from rules.pack import Pack
from service.access.policy import Sight
from service.access.reach import withheld_rules
from service.access.relations import local_day
from service.access.withholding import sees_decisions_whole, withhold_advice, withhold_case, withhold_decision
from service.api.lanes import in_lane
from service.api.parameters import CaseId, DecisionId
from service.api.problems import ApiProblem
from service.api.routes.decisions import pack_of
from service.audit.replay import replay_decision
from service.overseeing import decisions_of
from service.reading import journal_and_own
from service.recording.advice import FATES, advice_trail, not_followed
from service.recording.record import UNDETERMINED
from service.store import StoredCase, StoredDecision, Unit
from service.web.asking import Asked, Page
from service.web.clients import open_client
from service.web.decisions import DecisionWords
from service.web.rendering import render, see_other
from service.web.routing import pages

router = pages()
VIEW = "decision_records"
ON_A_PAGE = 50

PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]


@router.get("/clients/{case_id}/decisions")
@in_lane("reading")
def list_decisions(
    request: Request, page: Asked, case_id: CaseId, number: Annotated[PageNumber, Query(alias="page")] = 1
) -> Response:
    """A client's decisions, the newest first."""
    client = open_client(page, case_id, VIEW, "decisions")
    newest = client.stored.version - (number - 1) * ON_A_PAGE
    oldest = max(newest - ON_A_PAGE, 0)
    with page.polku.database.read(page.principal.region) as unit:
        found = unit.decisions.of(client.id, after=oldest, limit=max(newest - oldest, 1))
    rows = [_row(item, client.entries) for item in reversed(found) if item.version <= newest]
    pages_in_all = max(-(-client.stored.version // ON_A_PAGE), 1)
    return render(page, "decisions/list.html", client=client, rows=rows, number=number, pages_in_all=pages_in_all)


def _row(item: StoredDecision, entries: dict[str, Any]) -> dict[str, Any]:
    record = json.loads(item.payload)
    recorded = record.get("entries", ())
    types = [entries[name]["type"] for name in recorded if name in entries]
    names = ("id", "version", "recorded_at", "recorded_by", "status", "acknowledged")
    shown = {name: getattr(item, name) for name in names}
    return {**shown, "role": record.get("recorded_by", {}).get("role"), "types": types, "entries": len(recorded)}


@dataclass(frozen=True, slots=True)
class _Found:
    """A decision with what its page needs: its pack, who the client is, and the entries that may be seen."""

    stored: StoredDecision
    #: None when it is not to be had: someone broke it or the record.
    pack: Pack | None
    record: dict[str, Any]
    name: str | None
    entries: dict[str, Any]
    sight: Sight

    def words(self, page: Page) -> DecisionWords:
        """Its words; without its own pack, those of today's."""
        day = local_day(datetime.fromisoformat(self.stored.recorded_at))
        return DecisionWords(page.words, self.pack or page.polku.assessor.pack, self.entries, day)


@router.get("/decisions/{decision}")
@in_lane("reading")
def show_decision(request: Request, page: Asked, decision: DecisionId) -> Response:
    """One decision: what was known, judged, advised and acknowledged, and under which rules."""
    found = _open(page, decision, "decision")
    if found.pack is None:  # without its pack it cannot be told what rests on what
        raise ApiProblem("not-found")
    shown: dict[str, Any] = {"stored": found.stored, "name": found.name}
    try:
        told = _told(page, found, found.pack)
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration):
        return render(page, "decisions/unreadable.html", **shown)
    return render(page, "decisions/decision.html", **shown, **told)


def _open(page: Page, decision: str, what: str) -> _Found:
    """The decision, once the read of it is on record. Raises what `Reading.of_decision` raises, and ApiProblem."""

    def load(unit: Unit, case: StoredCase) -> tuple[StoredDecision, Any, dict[str, Any]]:
        found = unit.decisions.get(decision)
        if found is None:
            raise ApiProblem("not-found")
        return found, journal_and_own(unit, case, page.principal.user), unit.identities.get(case.id) or {}

    opened = page.polku.reading.of_decision(page.reader, decision, VIEW, what, load)
    (stored, (journal, own), identity), sight = opened.loaded, opened.sight
    with page.polku.database.read(page.principal.region) as unit:
        pack = pack_of(unit, stored, page.polku.packs)
    entries: dict[str, Any] = {}
    if sight.opens("journal"):
        document = withhold_case(case_to_data(journal), sight, own)
        entries = {str(entry["id"]): entry for entry in document["entries"]}
    name = identity.get("name") if sight.opens("identity") else None
    return _Found(stored, pack, json.loads(stored.payload), name, entries, sight)


def _told(page: Page, found: _Found, pack: Pack) -> dict[str, Any]:
    """All that its page tells. Raises what a record that someone altered comes to: it may be of any form."""
    record, told = found.record, found.words(page)
    shown = withhold_decision(record, found.sight, pack)
    withheld = shown.get("withheld")
    by = record["recorded_by"]
    return {
        "decision": {name: shown[name] for name in ("id", "entries", "version", "acknowledged", "pack", "program")},
        "by": {name: by[name] for name in ("user", "role", "relation", "organisation")},
        "told": told,
        "undetermined": record["status"] == UNDETERMINED,
        "acknowledged_hidden": record["acknowledged"] is not None and shown["acknowledged"] is None,
        "withheld": withheld is not None,
        "withheld_rules": () if withheld is None else tuple(told.title(rule) for rule in withheld["rules"]),
        "folds": (record["fold"], FOLD_VERSION),
        "judgements": told.judgements(shown),
        "advice": told.advice(shown["advice"]),
        "breaks": told.breaks(shown),
    }


@router.get("/decisions/{decision}/replay")
def replay_is_asked_for(page: Asked, decision: DecisionId) -> Response:
    """A replay is asked for by a button: an address alone leads to it."""
    return see_other(f"/decisions/{decision}")


@router.post("/decisions/{decision}/replay")
@in_lane("judging")
def replay(request: Request, page: Asked, decision: DecisionId) -> Response:
    """Judge the decision again under the rules it was taken under. Nothing is changed."""
    found = _open(page, decision, "replay")
    with page.polku.database.read(page.principal.region) as unit:
        came = replay_decision(unit, found.stored, page.polku.packs)
    told = found.words(page)
    return render(
        page,
        "decisions/replay.html",
        recorded_at=found.stored.recorded_at,
        pack={"id": "", "version": "", "sha256": "", **found.record.get("pack", {})},
        case_id=found.stored.case_id,
        name=found.name,
        came=came,
        differences=told.replayed(came, explained=False),
        explained=told.replayed(came, explained=True),
        whole=sees_decisions_whole(found.sight, found.pack),
        folds=(found.record.get("fold", ""), FOLD_VERSION),
    )


@router.get("/clients/{case_id}/advice")
@in_lane("judging")
def list_advice(
    request: Request, page: Asked, case_id: CaseId, everything: Annotated[bool, Query(alias="all")] = False
) -> Response:
    """What became of the advice shown for a client; with `all`, also of what was followed."""
    client = open_client(page, case_id, "advice_trail", "advice")
    types = {entry.id: entry.type for entry in client.case.entries}
    with page.polku.database.read(page.principal.region) as unit:
        records = [json.loads(item.payload) for item in decisions_of(unit, client.id)]
    trail = advice_trail(records, types, page.today)
    pack = page.polku.assessor.pack
    told = [item.as_json() for item in (trail if everything else not_followed(trail))]
    shown = withhold_advice(told, client.sight, pack)
    shown.sort(key=lambda item: (FATES.index(item["became"]) < FATES.index("acknowledged"), item["due"] or "9999"))
    words = DecisionWords(page.words, pack, client.entries, page.today)
    withheld = [words.title(rule) for rule in sorted(withheld_rules(pack, client.sight))]
    return render(
        page,
        "decisions/advice.html",
        client=client,
        items=shown,
        told=words,
        everything=everything,
        withheld=withheld,
    )
