"""How a user stands to a case, for one moment; and who is tied to a case by its journal, day by day."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings

from rules.fold import visible_entries
from rules.journal import Case, case_from_data
from service.access.principal import ORGANISATION_KINDS, ROLES, Principal, roles_open_to
from service.access.relations import Emergency, Party, Ties, Worker, local_day, relation, ties
from tests.helpers import SEEDS, entry, journal, random_pair
from tests.perturb import changed_often, plain

NOON = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)


def user(role: str = "social_worker", **changes: Any) -> Principal:
    known: dict[str, Any] = {
        "user": "w-1", "region": "ph", "organisation": "county", "organisation_kind": "county", "team": "t1",
        "role": role, "roles": (role,),
    }  # fmt: skip
    return Principal(**{**known, **changes})


def coach(**changes: Any) -> Principal:
    known = {"role": "job_coach", "organisation": "lehto", "organisation_kind": "provider", "team": None}
    return user(**{**known, **changes})


def worker(**changes: Any) -> Worker:
    known: dict[str, Any] = {
        "worker": "w-1", "role": "social_worker", "organisation": "county", "from_day": date(2026, 1, 1),
        "until_day": None,
    }  # fmt: skip
    return Worker(**{**known, **changes})


def on(who: Principal, now: datetime = NOON, **tied: Any) -> str:
    return relation(who, Ties(**tied), now)


# --- who asks ---


def test_a_role_not_ones_own_is_refused() -> None:
    with pytest.raises(ValueError, match="may not act"):
        user("auditor", roles=("social_worker",))
    with pytest.raises(ValueError, match="may not act"):
        user("client")
    with pytest.raises(ValueError, match="kind of organisation"):
        user(organisation_kind="ministry")


def test_a_user_of_several_roles_acts_in_one_at_a_time() -> None:
    both = user("social_worker", roles=("social_worker", "team_leader"))
    assert both.acting_as("team_leader").role == "team_leader"
    with pytest.raises(ValueError, match="may not act"):
        both.acting_as("auditor")


def test_a_provider_acts_as_job_coach_alone_and_nobody_as_the_client() -> None:
    assert roles_open_to("provider", ROLES) == ("job_coach",)
    assert roles_open_to("county", ("client", "auditor", "director", "auditor")) == ("auditor",)
    assert roles_open_to("ministry", ROLES) == ()
    for kind in ORGANISATION_KINDS:
        assert "client" not in roles_open_to(kind, ROLES)
    with pytest.raises(ValueError, match="may not act"):
        coach(role="auditor", roles=("auditor", "job_coach"))


def test_by_is_known_of_journal_roles_alone() -> None:
    assert user("job_coach").journal_role == "job_coach"
    assert user("auditor").journal_role is None
    assert user("administrator").journal_role is None


# --- assigned ---


def test_the_worker_the_journal_names_is_assigned() -> None:
    assert on(user(), workers=(worker(),)) == "assigned"


def test_an_organisation_left_out_does_not_stand_in_the_way() -> None:
    assert on(user(), workers=(worker(organisation=None),)) == "assigned"


def test_another_user_role_or_organisation_is_not_assigned() -> None:
    assert on(user(user="w-2", team=None), workers=(worker(),)) == "none"
    assert on(user("employment_coach", team=None), workers=(worker(),)) == "none"
    assert on(user(organisation="area", organisation_kind="employment_area", team=None), workers=(worker(),)) == "none"


def test_being_assigned_has_a_first_and_a_last_day() -> None:
    tied = worker(from_day=TODAY, until_day=TODAY + DAY)
    alone = user(team=None)
    days = {shift: on(alone, NOON + shift * DAY, workers=(tied,)) for shift in (-1, 0, 1, 2)}
    assert days == {-1: "none", 0: "assigned", 1: "assigned", 2: "none"}


def test_the_day_is_finlands() -> None:
    tied = worker(until_day=TODAY)
    last = datetime(2026, 3, 10, 21, 59, tzinfo=UTC)
    assert on(user(team=None), last, workers=(tied,)) == "assigned"
    assert on(user(team=None), last + timedelta(minutes=1), workers=(tied,)) == "none"
    assert local_day(last + timedelta(minutes=1)) == TODAY + DAY


def test_a_time_without_its_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        on(user(), NOON.replace(tzinfo=None))


# --- team ---


def test_the_cases_team_and_an_assigned_workers_team_are_the_same_team() -> None:
    colleague = user(user="w-9")
    assert on(colleague, team="t1", organisation="county") == "team"
    assert on(colleague, workers=(worker(worker="w-2", team="t1"),)) == "team"
    assert on(colleague, team="t2", organisation="county") == "none"


def test_teams_of_the_same_name_in_two_organisations_are_two() -> None:
    assert on(user(user="w-9"), team="t1", organisation="area") == "none"
    assert on(user(user="w-9"), workers=(worker(worker="w-2", organisation="area", team="t1"),)) == "none"


def test_a_user_or_case_without_a_team_is_of_none() -> None:
    assert on(user(user="w-9", team=None), team=None, organisation="county") == "none"
    assert on(user(user="w-9"), team=None, organisation="county") == "none"


def test_a_worker_released_ties_no_team() -> None:
    left = worker(worker="w-2", team="t1", until_day=TODAY - DAY)
    assert on(user(user="w-9"), workers=(left,)) == "none"


# --- provider ---


def test_a_provider_is_let_in_by_a_consent_that_names_it() -> None:
    party = Party("lehto", date(2026, 1, 1), None)
    assert on(coach(), parties=(party,)) == "provider"
    assert on(coach(organisation="other"), parties=(party,)) == "none"


def test_a_consent_holds_from_its_first_to_its_last_day() -> None:
    party = Party("lehto", TODAY, TODAY)
    days = {shift: on(coach(), NOON + shift * DAY, parties=(party,)) for shift in (-1, 0, 1)}
    assert days == {-1: "none", 0: "provider", 1: "none"}


def test_without_consent_a_provider_is_nobody_whatever_else_is_recorded() -> None:
    tied: dict[str, Any] = {
        "organisation": "lehto",
        "team": "t1",
        "workers": (worker(role="job_coach", organisation="lehto", team="t1"),),
        "emergencies": (Emergency("w-1", "job_coach", NOON + DAY),),
    }
    assert on(coach(team="t1"), **tied) == "none"
    assert on(coach(team="t1"), **tied, parties=(Party("lehto", TODAY, None),)) == "provider"


def test_a_party_of_the_consent_that_is_no_provider_gains_nothing_by_it() -> None:
    assert on(user(team=None), parties=(Party("county", TODAY, None),)) == "none"


# --- emergency ---


def test_an_emergency_lasts_until_its_hour_for_the_user_and_role_that_took_it() -> None:
    taken = (Emergency("w-1", "social_worker", NOON),)
    alone = user(team=None)
    assert on(alone, NOON - timedelta(seconds=1), emergencies=taken) == "emergency"
    assert on(alone, NOON, emergencies=taken) == "none"
    assert on(user(user="w-2", team=None), NOON - DAY, emergencies=taken) == "none"
    assert on(user("employment_coach", team=None), NOON - DAY, emergencies=taken) == "none"


def test_a_colleague_who_took_emergency_access_sees_by_it_and_one_assigned_needs_none() -> None:
    taken = (Emergency("w-1", "social_worker", NOON + DAY),)
    assert on(user(), emergencies=taken, team="t1", organisation="county") == "emergency"
    assert on(user(), emergencies=taken, workers=(worker(),)) == "assigned"


# --- outside client work; restriction ---


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_who_stands_outside_client_work_stands_in_no_relation(role: str) -> None:
    everything = {
        "team": "t1",
        "organisation": "county",
        "workers": (worker(), worker(role=role)),
        "parties": (Party("county", TODAY, None),),
        "emergencies": (Emergency("w-1", role, NOON + DAY),),
    }
    assert on(user(role), **everything) == "none"


def test_a_restricted_case_is_open_to_its_social_worker_and_the_teams_leader_alone() -> None:
    tied: dict[str, Any] = {
        "team": "t1",
        "organisation": "county",
        "workers": (worker(), worker(role="employment_coach"), worker(role="job_coach", organisation=None)),
        "parties": (Party("lehto", TODAY, None),),
        "emergencies": (Emergency("w-7", "social_worker", NOON + DAY),),
    }
    who = {
        "social_worker": user(),
        "team_leader": user("team_leader", user="w-3"),
        "employment_coach": user("employment_coach"),
        "colleague": user(user="w-4"),
        "coach": coach(),
        "emergency": user(user="w-7", team=None),
    }
    usually = {name: on(principal, **tied) for name, principal in who.items()}
    assert usually == {
        "social_worker": "assigned", "team_leader": "team", "employment_coach": "assigned", "colleague": "team",
        "coach": "provider", "emergency": "emergency",
    }  # fmt: skip
    restricted = {name: on(principal, **tied, restricted=True) for name, principal in who.items()}
    assert restricted == dict.fromkeys(who, "none") | {"social_worker": "assigned", "team_leader": "team"}


# --- what a journal says ---


def workers_of(*entries: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    found, _ = ties(journal(*entries))
    return [(w.worker, w.from_day.isoformat(), w.until_day.isoformat() if w.until_day else None) for w in found]


def parties_of(*entries: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    _, found = ties(journal(*entries))
    return [(p.party, p.from_day.isoformat(), p.until_day.isoformat() if p.until_day else None) for p in found]


def assigned(on_day: str, name: str = "w-1", **fields: Any) -> dict[str, Any]:
    return entry(on_day, "worker_assigned", role="social_worker", worker=name, **fields)


def released(on_day: str, name: str = "w-1", **fields: Any) -> dict[str, Any]:
    return entry(on_day, "worker_released", role="social_worker", worker=name, **fields)


def consent(on_day: str, *parties: str, scope: str = "provider", **fields: Any) -> dict[str, Any]:
    return entry(on_day, "consent_given", scope=scope, parties=list(parties), **fields)


def withdrawn(on_day: str, *parties: str, scope: str = "provider", **fields: Any) -> dict[str, Any]:
    return entry(on_day, "consent_withdrawn", scope=scope, **({"parties": list(parties)} if parties else {}), **fields)


def test_a_worker_is_there_from_the_day_assigned_to_the_end_of_the_day_released() -> None:
    assert workers_of(assigned("2026-01-05"), released("2026-02-03")) == [("w-1", "2026-01-05", "2026-02-03")]
    assert workers_of(assigned("2026-01-05"), released("2026-01-05")) == [("w-1", "2026-01-05", "2026-01-05")]


def test_a_worker_assigned_again_has_two_spans_or_one_without_a_break() -> None:
    first, last = assigned("2026-01-05"), released("2026-02-03")
    assert workers_of(first, last, assigned("2026-03-01")) == [
        ("w-1", "2026-01-05", "2026-02-03"),
        ("w-1", "2026-03-01", None),
    ]
    assert workers_of(first, last, assigned("2026-02-04")) == [("w-1", "2026-01-05", None)]


def test_a_worker_who_moves_to_another_organisation_works_there_from_that_day() -> None:
    found, _ = ties(journal(assigned("2026-01-05", organisation="county"), assigned("2026-02-01", organisation="area")))
    assert [(w.organisation, w.from_day, w.until_day) for w in found] == [
        ("county", date(2026, 1, 5), date(2026, 1, 31)),
        ("area", date(2026, 2, 1), None),
    ]


def test_a_release_in_another_role_or_of_someone_else_ends_nothing() -> None:
    other = entry("2026-02-01", "worker_released", role="job_coach", worker="w-1")
    assert workers_of(assigned("2026-01-05"), other, released("2026-02-01", "w-2")) == [("w-1", "2026-01-05", None)]


def test_a_withdrawn_consent_no_longer_holds_on_its_day() -> None:
    assert parties_of(consent("2026-01-05", "p", "q"), withdrawn("2026-02-03")) == [
        ("p", "2026-01-05", "2026-02-02"),
        ("q", "2026-01-05", "2026-02-02"),
    ]
    assert parties_of(consent("2026-01-05", "p"), withdrawn("2026-01-05")) == []


def test_a_withdrawal_takes_the_parties_it_names_and_leaves_the_others() -> None:
    assert parties_of(consent("2026-01-05", "p", "q"), withdrawn("2026-02-03", "p")) == [
        ("p", "2026-01-05", "2026-02-02"),
        ("q", "2026-01-05", None),
    ]


def test_a_consent_given_anew_after_a_withdrawal_holds_again() -> None:
    assert parties_of(consent("2026-01-05", "p"), withdrawn("2026-02-03"), consent("2026-02-03", "p")) == [
        ("p", "2026-01-05", None)
    ]


def test_a_consent_holds_to_the_day_it_expires() -> None:
    assert parties_of(consent("2026-01-05", "p", expires_on="2026-06-30")) == [("p", "2026-01-05", "2026-06-30")]
    assert parties_of(consent("2026-01-05", "p", expires_on="2025-06-30")) == []
    both = (consent("2026-01-05", "p", expires_on="2026-06-30"), consent("2026-03-01", "p", expires_on="2026-12-31"))
    assert parties_of(*both) == [("p", "2026-01-05", "2026-12-31")]


def test_a_basic_consent_lets_no_provider_in_and_its_withdrawal_puts_none_out() -> None:
    assert parties_of(consent("2026-01-05", "p", scope="basic")) == []
    assert parties_of(consent("2026-01-05", "p"), withdrawn("2026-02-01", scope="basic")) == [("p", "2026-01-05", None)]


@pytest.mark.parametrize(
    ("fields", "holds"),
    [
        ({"voluntary": "no"}, False),
        ({"informed": "no"}, False),
        ({"voluntary": "unknown"}, True),
        ({"informed": "yes"}, True),
    ],
)
def test_what_was_not_given_freely_and_knowingly_is_no_consent(fields: dict[str, Any], holds: bool) -> None:
    assert bool(parties_of(consent("2026-01-05", "p", **fields))) is holds


def test_entries_dated_ahead_count_from_their_day() -> None:
    assert workers_of(assigned("2030-01-05")) == [("w-1", "2030-01-05", None)]
    assert parties_of(consent("2026-01-05", "p"), withdrawn("2030-01-05")) == [("p", "2026-01-05", "2030-01-04")]


def test_a_correction_undoes_from_its_own_day_and_a_voided_one_restores() -> None:
    wrong = assigned("2026-01-05", id="wrong")
    undone = entry("2026-01-09", "correction", id="undone", voids="wrong")
    again = entry("2026-01-20", "correction", voids="undone")
    assert workers_of(wrong, undone) == [("w-1", "2026-01-05", "2026-01-08")]
    assert workers_of(wrong, undone, again) == [("w-1", "2026-01-05", "2026-01-08"), ("w-1", "2026-01-20", None)]
    left = released("2026-02-01", id="left")
    assert workers_of(assigned("2026-01-05"), left, entry("2026-02-01", "correction", voids="left")) == [
        ("w-1", "2026-01-05", None)
    ]


# --- the spans, against each day by itself ---


def there(case: Case, day: date) -> tuple[set[tuple[str, str]], set[str]]:
    """Who is tied to the case on one day, read off the journal anew, entry by entry."""
    workers: dict[tuple[str, str], bool] = {}
    today: set[tuple[str, str]] = set()
    consents: list[tuple[str, date | None]] = []
    for item in visible_entries(case, day):
        fields = item.model_dump()
        if item.type in ("worker_assigned", "worker_released"):
            key = (fields["worker"], fields["role"])
            if item.type == "worker_released" and workers.get(key) and item.date == day:
                today.add(key)
            workers[key] = item.type == "worker_assigned"
        elif item.type == "consent_given" and fields["scope"] == "provider":
            if fields["voluntary"] != "no" and fields["informed"] != "no":
                consents += [(party, fields["expires_on"]) for party in fields["parties"]]
        elif item.type == "consent_withdrawn" and fields["scope"] == "provider":
            gone = fields["parties"]
            consents = [item for item in consents if gone is not None and item[0] not in gone]
    standing = {party for party, last in consents if last is None or day <= last}
    return today | {key for key, here in workers.items() if here}, standing


@settings(max_examples=120)
@given(seed=SEEDS)
def test_the_spans_say_of_each_day_what_the_journal_says_of_it(seed: int) -> None:
    case, _, rng = random_pair(seed)
    kinds = ("worker_assigned", "worker_released", "consent_given", "consent_withdrawn", "correction")
    case = case_from_data(changed_often(rng, plain(case), [(kind, "date") for kind in kinds], 12))
    workers, parties = ties(case)
    days = {item.date for item in case.entries} | {date(2019, 1, 1) + rng.randrange(3000) * DAY for _ in range(20)}
    for day in {shifted for each in days for shifted in (each - DAY, each, each + DAY)}:
        here = {(w.worker, w.role) for w in workers if holds(w, day)}
        consented = {p.party for p in parties if holds(p, day)}
        assert (here, consented) == there(case, day), day


def holds(span: Worker | Party, day: date) -> bool:
    return span.from_day <= day and (span.until_day is None or day <= span.until_day)


@settings(max_examples=60)
@given(seed=SEEDS)
def test_the_spans_of_one_worker_or_party_do_not_meet(seed: int) -> None:
    rng = random.Random(seed)
    case, _, _ = random_pair(seed)
    case = case_from_data(changed_often(rng, plain(case), [("consent_given", "date"), ("worker_assigned", "date")], 8))
    workers, parties = ties(case)
    spans: list[tuple[Any, Worker | Party]] = [((w.worker, w.role), w) for w in workers]
    spans += [(p.party, p) for p in parties]
    for (key, one), (other, next_one) in product(spans, repeat=2):
        if key == other and one is not next_one and one.from_day <= next_one.from_day:
            assert one.until_day is not None
            assert one.until_day < next_one.from_day
