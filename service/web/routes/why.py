"""Why a rule came out as it did for a client."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from rules.engines import EngineError
from rules.explain import explain
from service.access.reach import withheld_rules
from service.api.failures import problem_of
from service.api.lanes import in_lane
from service.api.parameters import CaseId
from service.api.problems import ApiProblem
from service.rule_parts import versions_on
from service.web.asking import Asked
from service.web.clients import day_asked, open_client, state_of
from service.web.rendering import render
from service.web.routing import pages
from service.web.typed import Typed
from service.web.what_if import step_asked
from service.web.why import Why

router = pages("/clients")

Text = Annotated[str | None, Query(max_length=50)]


@router.get("/{case_id}/why/{rule}")
@in_lane("judging")
def show_why(request: Request, page: Asked, case_id: CaseId, rule: str, as_of: Text = None) -> Response:
    """A rule opened clause by clause with the values met, and what would change it; perhaps with a step as if taken."""
    pack = page.polku.assessor.pack
    if not pack.versions(rule):
        raise ApiProblem("not-found")
    client = open_client(page, case_id, "assessment", f"explanation {rule}")
    asked = day_asked(as_of, page.today)
    step = step_asked(Typed(request.query_params.multi_items()), asked.day)
    proposal = step.proposal if step is not None else None
    hidden = rule in withheld_rules(pack, client.sight)
    why, found = Why(pack, client, page.words), None
    if not hidden:
        try:
            found = explain(page.polku.assessor, client.case, asked.day, rule, proposal=proposal)
        except EngineError as error:
            problem_of(error)  # raises the alarm
    version, _ = versions_on(pack, rule, asked.day)
    return render(
        page,
        "client/why.html",
        422 if asked.mistake else 200,
        client=client,
        stage=state_of(page, client, page.today).get("stage"),
        asked=asked,
        step=proposal.trigger if proposal is not None else None,
        rule=version,
        versions=pack.versions(rule),
        hidden=hidden,
        found=None if found is None else why.opened(found),
        sources=why.sources(version),
        numbers=why.numbers(version),
        pack=pack,
    )
