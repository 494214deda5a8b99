"""Every route as every role in every relation, and as nobody.

What must come out is written here by hand, from SPEC §1, the issue and docs/access.md, and apart from the tables the
service reads; a last test holds both together. A relation of none is told the same as for a client who is not there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rules.journal import ENTRY_TYPES
from service.access.policy import may_record, sees
from service.api.app import create_app
from service.store import Database
from tests.service.api import world
from tests.service.api.asking import Client, Document, client_of, problem
from tests.service.api.conftest import SETTINGS
from tests.service.api.people import headers, person
from tests.service.api.world import ACTING, CLIENT, actor, actors, showing
from tests.service.conftest import Clock

#: What each sees: j journal, i identity, a assessment, d decisions, r log of reads, t trail of advice, c copy.
SEEN = """
                     assigned  team    provider  emergency  none
social_worker        jiadrtc   jia     -         jia        -
employment_coach     jia       jia     -         jia        -
activity_instructor  jia       jia     -         jia        -
activity_supervisor  ji        ji      -         ji         -
job_coach            jia       jia     jia       jia        -
team_leader          jiadrt    jiadrt  -         -          -
work_ability_team    jia       jia     -         jia        -
auditor              adrt      adrt    -         adrt       adrt
administrator        -         -       -         -          -
"""

#: Letter, method, address and body of every route about one client; {decision} is one of the client's decisions.
ROUTES = [
    ("j", "GET", "/v1/cases/{case}", None),
    ("i", "GET", "/v1/cases/{case}/identity", None),
    ("a", "GET", "/v1/cases/{case}/next-steps", None),
    ("a", "GET", "/v1/cases/{case}/explanations/social-worker-assigned", None),
    ("d", "GET", "/v1/cases/{case}/decisions", None),
    ("d", "GET", "/v1/decisions/{decision}", None),
    ("d", "POST", "/v1/decisions/{decision}/replay", None),
    ("r", "GET", "/v1/cases/{case}/reads", None),
    ("t", "GET", "/v1/cases/{case}/advice", None),
    ("c", "GET", "/v1/cases/{case}/copy", None),
]
#: Routes that change something, or are about no one client: each has a test of its own below.
OTHERS = {
    ("GET", "/v1/me"), ("GET", "/v1/rules"), ("GET", "/v1/rules/{rule}"), ("POST", "/v1/assessments"),
    ("GET", "/v1/cases"), ("POST", "/v1/cases"), ("POST", "/v1/cases/{case_id}/entries"),
    ("PUT", "/v1/cases/{case_id}/identity"), ("PUT", "/v1/cases/{case_id}/restriction"),
    ("POST", "/v1/cases/{case_id}/emergency-access"), ("GET", "/v1/acknowledgements"), ("POST", "/v1/checks"),
    ("GET", "/v1/checks"), ("GET", "/v1/checks/{check}"),
}  # fmt: skip
#: Open to everyone: they tell of nobody.
PUBLIC = {"/healthz", "/readyz", "/metrics", "/problems", "/problems/{slug}"}

ACTORS = list(actors())
WORKERS = tuple(role for role in ACTING if role not in ("auditor", "administrator"))


def seen(role: str, relation: str) -> str:
    """The letters of what the role sees, from the table above."""
    head, *rows = (line.split() for line in SEEN.strip().splitlines())
    (row,) = (row for row in rows if row[0] == role)
    # An auditor is assigned to nobody and on nobody's team: they see what auditors see, however they stand.
    return row[1 + head.index(relation)].strip("-")


@pytest.fixture(scope="module")
def stage(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, document: Document
) -> Iterator[tuple[Client, str]]:
    """An application with the client's case, and the id of its last decision."""
    path = tmp_path_factory.mktemp("stage") / "polku.db"
    shutil.copyfile(sqlite_template, path)
    database, clock = Database(f"sqlite:///{path}"), Clock()
    with client_of(create_app(SETTINGS, clock=clock, database=database), document) as client:
        yield client, world.settled(client, database, clock())
    database.close()


def asked(client: Client, route: tuple[str, str, str, Any], decision: str, case_id: str = CLIENT) -> Any:
    """The answer of a route."""
    _, method, address, body = route
    options = {} if body is None else {"json": body}
    return client.request(method, address.format(case=case_id, decision=decision), **options)


def told(response: Any) -> Any:
    """A problem without the id of its request."""
    return {name: value for name, value in response.json().items() if name != "instance"}


@pytest.mark.parametrize(("role", "relation"), ACTORS)
def test_every_route_about_a_client(stage: tuple[Client, str], role: str, relation: str) -> None:
    client, decision = stage
    shown = showing(client, actor(role, relation))
    letters = seen(role, relation)
    nowhere = "0" * 32
    for route in ROUTES:
        response = asked(shown, route, decision)
        if route[0] in letters:
            assert response.status_code == 200, (route, response.text)
            assert "no-store" in response.headers["cache-control"]
        elif letters:
            problem(response, 403, "not-allowed")
        else:
            missing = asked(shown, route, nowhere, "nobody-of-that-id")
            assert told(response) == told(missing) == told(shown.get("/nowhere")), route
            assert dict(response.headers).keys() == dict(missing.headers).keys()


@pytest.mark.parametrize(("role", "relation"), ACTORS)
def test_what_is_planted_reaches_only_who_may_see_it(stage: tuple[Client, str], role: str, relation: str) -> None:
    client, decision = stage
    shown = showing(client, actor(role, relation))
    everything = "".join(asked(shown, route, decision).text for route in ROUTES)
    assert (world.NOTE in everything) == (
        (role, relation) in [("social_worker", "assigned"), ("social_worker", "emergency")]
    )
    reasons = {
        *((worker, how) for worker in WORKERS for how in ("assigned", "emergency")),
        ("team_leader", "team"),
        *(("auditor", how) for how in ("assigned", "team", "emergency", "none")),
    }
    reasons -= {("activity_supervisor", "assigned"), ("activity_supervisor", "emergency"), ("team_leader", "emergency")}
    assert (world.SECRET_REASON in everything) == ((role, relation) in reasons)
    knowing = {
        (worker, how)
        for worker in ("social_worker", "employment_coach", "job_coach", "work_ability_team")
        for how in ("assigned", "emergency")
    }
    assert ("substance_use" in everything) == ((role, relation) in knowing)
    answers = {("social_worker", "assigned"), ("activity_instructor", "assigned")}
    assert ('"chk-05":"no"' in everything) == ((role, relation) in answers)


def test_the_expectation_and_the_tables_are_one() -> None:
    views = dict(
        zip(
            "jiadrtc",
            ("journal", "identity", "assessment", "decision_records", "reads", "advice_trail", "copy"),
            strict=True,
        )
    )
    for role, relation in ACTORS:
        letters = seen(role, relation)
        if role != "auditor" or relation == "none":  # an auditor's other relations are none's
            assert {view for letter, view in views.items() if sees(role, relation).opens(view)} == {
                views[letter] for letter in letters
            }, (role, relation)


def test_every_route_is_tried(document: Document) -> None:
    there = {
        (method.upper(), path)
        for path, operations in document.content["paths"].items()
        for method in operations
        if path not in PUBLIC
    }
    names = {"{case}": "{case_id}", "/social-worker-assigned": "/{rule}"}
    tried = set()
    for _, method, address, _ in ROUTES:
        for short, long in names.items():
            address = address.replace(short, long)
        tried.add((method, address))
    assert there == tried | OTHERS


def operations(document: Document) -> Iterator[tuple[str, str]]:
    """Every route with a client's address filled in."""
    for path, methods in document.content["paths"].items():
        if path not in PUBLIC:
            for method in methods:
                yield method.upper(), path.replace("{case_id}", CLIENT).replace("{", "").replace("}", "")


def test_nobody_gets_anything(stage: tuple[Client, str], document: Document) -> None:
    client, _ = stage
    here = client.app.state.login.public_url
    for method, address in operations(document):
        for shown in (
            {},
            {"Authorization": "Bearer x.y.z"},
            {"Authorization": "Basic YTpi"},
            {"Cookie": "polku=x", "Origin": here},
        ):
            response = client.request(method, address, headers=shown, content=b"{")
            problem(response, 401, "not-authenticated")
            assert response.headers["www-authenticate"].startswith("Bearer")


def test_a_login_that_opens_nothing_here_is_not_admitted(stage: tuple[Client, str], document: Document) -> None:
    client, _ = stage
    identity = client.app.state.identity
    for who in (
        headers(identity, person("sirpa", "client")),
        headers(identity, person("x", "social_worker"), polku_region="another"),
        headers(identity, person("x", "auditor", kind="provider")),
    ):
        for method, address in operations(document):
            problem(client.showing(who).request(method, address), 403, "not-admitted")


def test_whoever_has_several_roles_acts_in_one_they_name(stage: tuple[Client, str]) -> None:
    client, _ = stage
    both = person("assigned-social_worker", "social_worker", "auditor", team=None)
    problem(showing(client, both).get(f"/v1/cases/{CLIENT}"), 403, "role-not-held")
    problem(showing(client, both, "team_leader").get(f"/v1/cases/{CLIENT}"), 403, "role-not-held")
    assert showing(client, both, "social_worker").get(f"/v1/cases/{CLIENT}").status_code == 200
    problem(showing(client, both, "auditor").get(f"/v1/cases/{CLIENT}"), 403, "not-allowed")
    assert showing(client, both).get("/v1/me").json()["roles"] == ["social_worker", "auditor"]


@pytest.mark.parametrize(("role", "relation"), ACTORS)
def test_lists_show_the_cases_one_has_business_with(stage: tuple[Client, str], role: str, relation: str) -> None:
    client, _ = stage
    items = showing(client, actor(role, relation)).get("/v1/cases").json()["items"]
    assert [item["id"] for item in items] == ([CLIENT] if seen(role, relation) else [])


@pytest.mark.parametrize(("role", "relation"), ACTORS)
def test_the_list_of_acknowledged_steps_is_the_leaders_and_the_auditors(
    stage: tuple[Client, str], role: str, relation: str
) -> None:
    client, _ = stage
    response = showing(client, actor(role, relation)).get("/v1/acknowledgements")
    if role == "auditor" or (role, relation) == ("team_leader", "team"):
        assert [item["case"] for item in response.json()["items"]] == [CLIENT]
        assert response.json()["items"][0]["reason"] == world.ACKNOWLEDGED
    elif (role, relation) == ("team_leader", "none"):
        assert response.json()["items"] == []  # a leader of another team
    else:
        problem(response, 403, "not-allowed")


@pytest.mark.parametrize("role", ACTING)
def test_rules_assessments_and_oneself_are_open_to_everyone_known(stage: tuple[Client, str], role: str) -> None:
    client, _ = stage
    shown = showing(client, actor(role, "none"))
    assert shown.get("/v1/me").json()["role"] == role
    assert shown.get("/v1/rules").status_code == 200
    assert shown.get("/v1/rules/social-worker-assigned").status_code == 200
    assert shown.post("/v1/assessments", {"case": {"id": "x"}, "entries": []}).status_code == 200


#: Who records what: the entry types that only some record, by hand; s social worker, e employment coach, i instructor,
#: u supervisor, j job coach, l team leader, w work ability team; capital: only when assigned; * not as a provider.
RECORDED = {
    "statement_issued": "e", "statement_withdrawn": "e", "endorsement_recorded": "e", "endorsements_checked": "e",
    "checklist_answered": "si", "social_worker_retention_decided": "s", "worker_assigned": "SEl",
    "worker_released": "SEl", "consent_given": "seij*w", "activity_started": "si", "activity_paused": "siu",
    "service_decision": "se",
    "activation_plan_updated": "sew", "coaching_started": "sej", "work_trial_started": "sej", "job_started": "sej",
    "case_closed": "sel", "outcome_reached": "sew", "correction": "siujelw", "need_assessed": "sew",
    "implementation_plan_updated": "si", "advice_set_aside": "seijl", "contact": "seijw", "interest_asked": "seiujw",
}  # fmt: skip
LETTERS = {
    "social_worker": "s", "employment_coach": "e", "activity_instructor": "i", "activity_supervisor": "u",
    "job_coach": "j", "team_leader": "l", "work_ability_team": "w",
}  # fmt: skip


def records(role: str, relation: str, kind: str) -> bool:
    """Whether the role records entries of the kind, by the table above."""
    letters, own = RECORDED[kind], LETTERS.get(role, "-")
    if not seen(role, relation) or own == "-":
        return False
    if own.upper() in letters:
        return relation == "assigned"
    if f"{own}*" in letters:
        return relation != "provider"
    return own in letters


@pytest.mark.parametrize(("role", "relation"), ACTORS)
def test_every_entry_type_is_recorded_by_those_who_may(stage: tuple[Client, str], role: str, relation: str) -> None:
    """All types at once, with nothing but their type: who may record each of them is asked before anything else."""
    client, _ = stage
    shown = showing(client, actor(role, relation))
    entries = [{"type": kind} for kind in ENTRY_TYPES]
    response = shown.post(f"/v1/cases/{CLIENT}/entries", {"entries": entries}, headers={"If-Match": '"v2"'})
    if not seen(role, relation):
        problem(response, 404, "not-found")
        return
    refused = set(problem(response, 403, "not-allowed")["entry_types"])
    stands = relation if role != "auditor" else "none"
    assert refused == {kind for kind in ENTRY_TYPES if not may_record(role, stands, kind)}
    assert {kind for kind in RECORDED if records(role, relation, kind)} == RECORDED.keys() - refused


@pytest.mark.parametrize(("role", "relation"), ACTORS)
def test_opening_a_case_is_the_workers_who_answer_for_it(stage: tuple[Client, str], role: str, relation: str) -> None:
    client, _ = stage
    name = f"new-{role}-{relation}"
    response = showing(client, actor(role, relation)).post("/v1/cases", {"case": {"id": name}, "entries": []})
    if role in ("social_worker", "employment_coach", "team_leader"):
        assert (response.status_code, response.headers["location"]) == (201, f"/v1/cases/{name}")
    else:
        problem(response, 403, "not-allowed")


def acts(
    stage: tuple[Client, str], method: str, where: str, body: Any, may: set[tuple[str, str]], done: set[int]
) -> None:
    """Whether only those may act, and everybody else is told 403, or nothing."""
    client, _ = stage
    for role, relation in ACTORS:
        response = showing(client, actor(role, relation)).request(method, f"/v1/cases/{CLIENT}/{where}", json=body)
        if (role, relation) in may:
            assert response.status_code in done, (role, relation, response.text)
        elif seen(role, relation):
            problem(response, 403, "not-allowed")
        else:
            problem(response, 404, "not-found")


def test_changing_who_the_client_is(stage: tuple[Client, str]) -> None:
    may = {
        ("social_worker", "assigned"),
        ("social_worker", "team"),
        ("employment_coach", "assigned"),
        ("team_leader", "team"),
    }
    acts(stage, "PUT", "identity", {"name": "Sirpa Esimerkki"}, may, {200})


def test_lifting_a_restriction(stage: tuple[Client, str]) -> None:
    may = {("social_worker", "assigned"), ("team_leader", "team")}
    acts(stage, "PUT", "restriction", {"restricted": False, "reason": "why not"}, may, {409})


def test_emergency_access_is_for_those_on_duty_without_a_relation(stage: tuple[Client, str]) -> None:
    client, _ = stage
    on_duty = set(WORKERS) - {"team_leader"}
    for role, relation in ACTORS:
        shown = showing(client, actor(role, relation))
        if relation in ("team", "none"):  # others than those of the tests that follow: it would change how they stand
            someone = replace(actor(role, relation), id=f"duty-{relation}-{role}")
            shown = showing(client, someone)
        response = shown.post(f"/v1/cases/{CLIENT}/emergency-access", {"reason": "a reason in words"})
        missing = shown.post("/v1/cases/nobody/emergency-access", {"reason": "a reason in words"})
        if role not in on_duty or relation == "provider":
            problem(response, 403, "not-allowed")
            problem(missing, 403, "not-allowed")
            continue
        problem(missing, 404, "not-found")
        if relation in ("team", "none"):
            assert response.status_code == 201
        else:
            problem(response, 409, "nothing-to-do")


def test_every_attempt_is_on_record_without_content(stage: tuple[Client, str]) -> None:
    client, decision = stage
    for role, relation in ACTORS:
        shown = showing(client, actor(role, relation))
        before = logged(client, actor(role, relation).id)
        for route in ROUTES:
            asked(shown, route, decision)
        new = logged(client, actor(role, relation).id)[len(before) :]
        letters = seen(role, relation) if relation != "none" or role == "auditor" else ""
        assert [entry["refused"] for entry in new] == [route[0] not in letters for route in ROUTES], (role, relation)
        assert {tuple(entry["cases"]) for entry in new} == {(CLIENT,)}
        assert {(entry["user"], entry["role"]) for entry in new} == {(actor(role, relation).id, role)}
        assert not any(secret in json.dumps(new) for secret in (world.NOTE, world.SECRET_REASON, "Sirpa"))


def logged(client: Client, user: str) -> list[dict[str, Any]]:
    """What the log of reads holds of a user, oldest first."""
    with client.app.state.service.database.read(world.REGION) as unit:
        return [json.loads(item.payload) for item in reversed(unit.reads.by(user, limit=10_000))]
