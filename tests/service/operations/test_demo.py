"""The demo's clients, on whatever day the demo is started: invented, believable, one at least at each stage."""

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml

from rules.assessment import Assessor
from rules.identity import contains_code
from rules.journal import Case, case_to_data
from rules.pack import load_pack
from service.access.policy import sees
from service.access.principal import Principal
from service.access.relations import local_day, relation
from service.audit.verify import Coverage, verify
from service.login.development import DemoUser, demo_users
from service.operations.demo import JOURNEYS, fill
from service.store import Database, StoredCase, StoredDecision, migrate

REGION = "demo"
#: A Sunday, a Monday early in the day (late on Sunday in UTC), a leap day, the last day of a year.
TIMES = ["2026-11-22T12:00", "2027-02-28T22:10", "2028-02-29T12:00", "2031-12-31T18:00"]
#: The stages of the specification.
STAGES = {
    "closed",
    "other_outcome",
    "employment",
    "work_trial",
    "coaching",
    "coaching_interrupted",
    "plan_update",
    "activity",
    "between_services",
    "not_started",
}
#: The roles to which something of clients is open; the administrator stands in no relation to anybody.
OF_CLIENTS = (
    "auditor",
    "social_worker",
    "team_leader",
    "employment_coach",
    "job_coach",
    "activity_instructor",
    "activity_supervisor",
    "work_ability_team",
)


@dataclass(frozen=True)
class Client:
    """A client as the demo keeps them, and their assessment."""

    stored: StoredCase
    case: Case
    name: str
    decisions: list[StoredDecision]
    assessment: dict[str, Any]
    relations: dict[tuple[str, str], str]

    @property
    def id(self) -> str:
        return self.case.id

    @property
    def stage(self) -> str:
        return str(self.assessment["state"]["stage"])

    @property
    def steps(self) -> dict[str, str]:
        """What is next, with its status."""
        return {step["action"]: step["status"] for step in self.assessment["next_steps"]}

    def types(self) -> set[str]:
        return {entry.type for entry in self.case.entries}

    def acknowledged(self) -> int:
        return sum(decision.acknowledged for decision in self.decisions)


@dataclass(frozen=True)
class Demo:
    """A filled demo."""

    now: datetime
    counted: int
    clients: dict[str, Client]
    accounts: set[str]
    whole: bool
    cpu_seconds: float

    def seen_by(self, user: str, role: str) -> list[str]:
        """The clients of whom anything is open to the user in a role."""
        return [client.id for client in self.clients.values() if sees(role, client.relations[user, role]).anything]


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return Assessor(load_pack())


@pytest.fixture(scope="module", params=TIMES)
def demo(tmp_path_factory: pytest.TempPathFactory, assessor: Assessor, request: pytest.FixtureRequest) -> Demo:
    now = datetime.fromisoformat(request.param).replace(tzinfo=UTC)
    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"
    migrate(url)
    database = Database(url)
    begun = time.process_time()
    counted = fill(database, assessor, REGION, lambda: now)
    spent = time.process_time() - begun
    with database.read(REGION) as unit:
        look = verify(unit.chains.records(), Coverage(), now)
        accounts = {account.user for account in unit.accounts.all()}
        clients = {}
        for case_id in _opened(unit.chains.records()):
            stored, case = unit.cases.get(case_id), unit.cases.load(case_id)
            assert stored is not None
            assessed = assessor.assess(case, local_day(now)).as_json()
            ties = unit.cases.ties(stored)
            relations = {
                (user.id, role): relation(_acting(user, role), ties, now)
                for user in demo_users().values()
                for role in user.roles
            }
            name = (unit.identities.get(case_id) or {})["name"]
            clients[case_id] = Client(stored, case, name, unit.decisions.of(case_id), assessed, relations)
    database.close()
    return Demo(now, counted, clients, accounts, look.whole, spent)


def _opened(records: Any) -> list[str]:
    opened = [record for record in records if record.link.kind == "opened"]
    return [json.loads(record.payload)["case"]["id"] for record in opened]


def _acting(user: DemoUser, role: str) -> Principal:
    named = Principal(
        user=user.id,
        region=REGION,
        organisation=user.organisation,
        organisation_kind=user.organisation_kind,
        team=user.team,
        role=user.roles[0],
        roles=user.roles,
    )
    return replace(named, role=role)


# ---- it can be started on any day


def test_about_forty_clients_are_kept_whole(demo: Demo) -> None:
    assert demo.counted == len(demo.clients)
    assert 38 <= demo.counted <= 46
    assert demo.whole
    assert demo.accounts == set(demo_users())
    statuses = {decision.status for client in demo.clients.values() for decision in client.decisions}
    assert statuses == {"determined"}


def test_filling_it_is_quick(demo: Demo) -> None:
    assert demo.cpu_seconds < 10


def test_nothing_in_it_lies_ahead(demo: Demo) -> None:
    today = local_day(demo.now)
    entries = [entry for client in demo.clients.values() for entry in client.case.entries]
    assert all(entry.date <= today for entry in entries)
    assert all(entry.recorded_at is not None and entry.recorded_at <= demo.now for entry in entries)
    assert all(
        datetime.fromisoformat(decision.recorded_at) <= demo.now
        for c in demo.clients.values()
        for decision in c.decisions
    )


def test_nobody_of_the_journeys_worked_on_a_weekend(demo: Demo) -> None:
    journeys = {path.stem for path in JOURNEYS.glob("*.yaml")}
    assert journeys <= set(demo.clients)
    days = {entry.date for name in journeys for entry in demo.clients[name].case.entries}
    assert not {day for day in days if day.weekday() > 4}


def test_what_came_lately_was_recorded_on_its_day_by_the_worker_it_names(demo: Demo) -> None:
    pentti = demo.clients["pentti"]
    assert [decision.version for decision in pentti.decisions] == [1, 2, 3, 4, 5]
    by = [decision.recorded_by for decision in pentti.decisions]
    assert by == ["urho", "helmi", "urho", "onni", "lempi"]
    recorded = [date.fromisoformat(decision.recorded_at[:10]) for decision in pentti.decisions]
    assert recorded == sorted(recorded)
    # Five days, unless some of them fall on a weekend: then all of that is a Friday's.
    assert len(set(recorded)) >= 3


# ---- what there is to see


def test_there_is_somebody_at_every_stage(demo: Demo) -> None:
    stages = Counter(client.stage for client in demo.clients.values())
    assert set(stages) == STAGES
    assert {"samuli", "sirpa", "jarmo"} <= set(demo.clients)


def test_it_is_no_wall_of_red(demo: Demo) -> None:
    late = [client.id for client in demo.clients.values() if "overdue" in client.steps.values()]
    assert {"oiva", "hannu", "ville", "tapio"} >= set(late)
    assert 2 <= len(late) <= len(demo.clients) // 4
    tidy = [client for client in demo.clients.values() if set(client.steps.values()) <= {"can_do"}]
    assert len(tidy) > len(demo.clients) // 2


@pytest.mark.parametrize(
    ("client", "action", "status"),
    [
        ("elli", "keep_contact", "can_do"),
        ("veikko", "review_plan", "due"),
        ("oiva", "review_plan", "overdue"),
        ("oiva", "renew_service_decision", "can_do"),
        ("teuvo", "agree_selection", "can_do"),
        ("anneli", "update_plan", "can_do"),
        ("pentti", "start_coaching", "can_do"),
        ("mirja", "meet_employer", "can_do"),
        ("reijo", "review_coaching_period", "can_do"),
        ("tuula", "support_at_work", "due"),
        ("olli", "stop_sharing", "do_now"),
        ("sanna", "review_interruption", "can_do"),
        ("hannu", "review_interruption", "overdue"),
        ("katri", "obtain_statements", "can_do"),
        ("risto", "resume_or_end_activity", "due"),
        ("ville", "end_activity", "overdue"),
        ("emma", "plan_after_trial", "can_do"),
        ("tapio", "support_at_work", "overdue"),
        ("trial-failed", "contact_client", "can_do"),
        ("lost-job", "contact_client", "due"),
        ("kalle", "decide_retention", "do_now"),
    ],
)
def test_each_story_says_what_is_next(demo: Demo, client: str, action: str, status: str) -> None:
    # A day more or less to the same limit: it may be due within the week already.
    soon = {"can_do": {"can_do", "due"}}.get(status, {status})
    assert demo.clients[client].steps.get(action) in soon


def test_closed_cases_have_nothing_open(demo: Demo) -> None:
    closed = {client.id: client.steps for client in demo.clients.values() if client.stage == "closed"}
    assert closed == {"eero": {}, "maija": {}}


def test_what_the_service_can_keep_of_a_client_is_there_to_see(demo: Demo) -> None:
    types: set[str] = set().union(*(client.types() for client in demo.clients.values()))
    assert types >= {
        "correction",
        "advice_set_aside",
        "checklist_answered",
        "consent_withdrawn",
        "coaching_declined",
        "coaching_interrupted",
        "coaching_renewed",
        "job_ended",
        "contact_wish_recorded",
        "outcome_reached",
    }
    clients = demo.clients.values()
    assert {client.id for client in clients if client.acknowledged()} == {"sirpa-path", "kalle"}
    assert [client.id for client in clients if client.stored.restricted] == ["hilma"]
    emergencies = [
        (client.id, *who) for client in clients for who, found in client.relations.items() if found == "emergency"
    ]
    assert emergencies == [("sanna", "vilho", "social_worker")]
    assert {"solveig", "samuli"} <= {client.id for client in clients if client.case.complete_from is not None}
    assert {client.case.language for client in clients} == {"fi", "sv", "en"}
    assert len({client.case.municipality for client in clients}) >= 6


def test_every_user_has_somebody_to_see(demo: Demo) -> None:
    for user in demo_users().values():
        for role in user.roles:
            assert bool(demo.seen_by(user.id, role)) == (role in OF_CLIENTS), (user.id, role)


def test_the_caseloads_are_believable(demo: Demo) -> None:
    own = Counter(
        user
        for client in demo.clients.values()
        for (user, role), found in client.relations.items()
        if role == "social_worker" and found == "assigned"
    )
    assert set(own) == {"aino", "vilho", "urho"}
    assert 22 <= own["aino"] <= 28
    assert min(own["vilho"], own["urho"]) >= 6
    assert sum(own.values()) == len(demo.clients)
    # Withdrawing the consent closed the case to the provider.
    assert "olli" not in demo.seen_by("lempi", "job_coach")
    assert "reijo" in demo.seen_by("lempi", "job_coach")


# ---- everybody is invented


def test_names_are_unique_also_among_the_users(demo: Demo) -> None:
    names = [client.name for client in demo.clients.values()] + [user.name for user in demo_users().values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-ZÅÄÖ][a-zåäö]+ [A-ZÅÄÖ][a-zåäö]+", name) for name in names)


def test_there_is_no_identity_code_address_or_number_to_reach_anybody() -> None:
    for path in JOURNEYS.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert not contains_code(text), path.name
        assert not re.search(r"@|\+358|\b0\d{1,2}[ -]?\d{3}", text), path.name


def test_employers_and_providers_are_invented(demo: Demo) -> None:
    places = {
        place
        for client in demo.clients.values()
        for entry in client.case.entries
        for place in (getattr(entry, "employer", None), getattr(entry, "provider", None))
        if place is not None
    }
    invented = re.compile(r"(employer|provider|county)-\d|.*\b(Esimerkki|Esimerkin|Malli)\b.*")
    assert [place for place in places if not invented.fullmatch(place)] == []
    assert len(places) > 10


def test_each_journey_tells_its_story_in_one_line_and_is_named_by_its_file(demo: Demo) -> None:
    for path in JOURNEYS.glob("*.yaml"):
        first, rest = path.read_text(encoding="utf-8").split("\n", 1)
        assert re.fullmatch(r"# story: [A-Z].{30,}\.", first), path.name
        assert yaml.safe_load(rest)["case"]["id"] == path.stem


def test_what_is_told_of_clients_is_short_and_about_what_they_want(demo: Demo) -> None:
    notes = [
        entry["note"]
        for client in demo.clients.values()
        for entry in case_to_data(client.case)["entries"]
        if "note" in entry
    ]
    assert len(notes) > 40
    assert max(map(len, notes)) < 160
