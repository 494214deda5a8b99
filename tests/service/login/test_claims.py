"""What claims say of someone, read: every shape a provider may send."""

from typing import Any

import pytest

from service.access.principal import ROLES
from service.login.claims import NotAdmitted, Person, person_of, value_of
from service.login.settings import OidcClient

CLIENT = OidcClient(issuer="https://id.example.fi", client_id="polku", audience="polku-api")
GOOD: dict[str, Any] = {
    "sub": "w-17",
    "polku_region": "testila",
    "polku_organisation": "county-1",
    "polku_organisation_kind": "county",
    "polku_team": "team-1",
    "polku_roles": ["social_worker"],
}


def read(**also: Any) -> Person:
    return person_of({**GOOD, **also}, CLIENT, "testila")


def test_everything_is_read() -> None:
    assert read() == Person("w-17", "testila", "county-1", "county", "team-1", ("social_worker",))


@pytest.mark.parametrize(
    ("told", "roles"),
    [
        (["social_worker", "team_leader"], ("social_worker", "team_leader")),
        ("social_worker", ("social_worker",)),
        ("social_worker team_leader", ("social_worker", "team_leader")),
        (["social_worker", "social_worker"], ("social_worker",)),
        (["baker", "social_worker", 7, None, ["auditor"]], ("social_worker",)),
    ],
)
def test_roles_come_in_several_shapes(told: object, roles: tuple[str, ...]) -> None:
    assert read(polku_roles=told).roles == roles


@pytest.mark.parametrize(
    "told", [None, [], "", "baker", ["client"], {"social_worker": True}, 7, True, ["auditor"] * 201]
)
def test_who_has_no_role_is_not_admitted(told: object) -> None:
    with pytest.raises(NotAdmitted, match="no role"):
        read(polku_roles=told)


@pytest.mark.parametrize("role", [role for role in ROLES if role != "client"])
def test_every_role_can_be_acted_in(role: str) -> None:
    principal = read(polku_roles=[role]).acting_as(role, program=False)
    assert (principal.role, principal.roles, principal.program) == (role, (role,), False)


def test_nobody_acts_in_a_role_that_is_not_theirs() -> None:
    with pytest.raises(ValueError, match="may not act"):
        read().acting_as("auditor", program=False)


def test_the_providers_names_of_roles_can_be_translated() -> None:
    client = CLIENT.model_copy(update={"role_names": {"Tiiminvetäjät Lahti": "team_leader", "Kaikki": "superuser"}})
    told = {**GOOD, "polku_roles": ["Tiiminvetäjät Lahti", "Kaikki", "auditor"]}
    assert person_of(told, client, "testila").roles == ("team_leader", "auditor")
    assert person_of({**GOOD, "polku_roles": "Tiiminvetäjät Lahti"}, client, "testila").roles == ("team_leader",)


@pytest.mark.parametrize("team", [None, ""])
def test_a_team_may_be_left_out(team: str | None) -> None:
    assert read(polku_team=team).team is None


@pytest.mark.parametrize("claim", ["sub", "polku_region", "polku_organisation", "polku_organisation_kind"])
@pytest.mark.parametrize(
    "told", [None, "", 7, True, [], ["w-17"], {}, " w-17", "w-17\n", "\u200bw-17", "\ud800", "w-17" * 1_000]
)
def test_what_is_no_name_admits_nobody(claim: str, told: object) -> None:
    with pytest.raises(NotAdmitted) as refused:
        read(**{claim: told})
    assert claim in str(refused.value)
    assert "w-17" not in str(refused.value)


@pytest.mark.parametrize("code", ["131052-308T", "x131052-308Ty", "131052 - 308T"])
def test_a_personal_identity_code_is_no_workers_id_and_is_not_repeated(code: str) -> None:
    with pytest.raises(NotAdmitted) as refused:
        read(sub=code)
    assert "308T" not in str(refused.value)


def test_another_region_is_another_services() -> None:
    with pytest.raises(NotAdmitted, match="another region"):
        read(polku_region="testila-2")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a", 1),
        ("https://polku.fi/a", 2),
        ("a/b", 3),
        ("/nested/roles", ["x"]),
        ("/nested/a~1b", 4),
        ("/nested/m~0n", 5),
        ("/nested/missing/deeper", None),
        ("/a/b", None),
        ("/list/0", None),
        ("missing", None),
    ],
)
def test_a_claim_is_named_as_it_is_or_by_a_pointer(name: str, value: object) -> None:
    claims = {
        "a": 1,
        "https://polku.fi/a": 2,
        "a/b": 3,
        "nested": {"roles": ["x"], "a/b": 4, "m~n": 5},
        "list": [1],
    }
    assert value_of(claims, name) == value
