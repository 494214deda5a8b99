"""docs/login.md says what is so."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from service.access.principal import ORGANISATION_KINDS, PROVIDER_ROLES, ROLES
from service.login import kept, login, provider, tokens
from service.login.development import AUDIENCE, DEVELOPER_ID, demo_users
from service.login.settings import DEVELOPMENT_PATH, OidcSettings
from service.settings import Settings, variables
from tests.service.login.outside import Browser

PAGE = (Path(__file__).parents[3] / "docs" / "login.md").read_text(encoding="utf-8")
FLAT = re.sub(r"\s+", " ", PAGE)


@pytest.mark.parametrize("name", sorted(name for name in variables() if name.startswith("POLKU_OIDC_")))
def test_every_setting_is_told(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_no_setting_is_told_that_is_not_there() -> None:
    for name in re.findall(r"POLKU_[A-Z_]+", PAGE):
        assert name.removesuffix("_FILE") in variables(), name


@pytest.mark.parametrize("field", [name for name in OidcSettings.model_fields if name.endswith("_claim")])
def test_every_claim_stands_with_its_variable(field: str) -> None:
    default = OidcSettings.model_fields[field].default
    assert f"| `{default}` | `POLKU_OIDC_{field.upper()}` |" in PAGE


def test_every_role_and_kind_of_organisation_is_told() -> None:
    for name in (*ROLES, *ORGANISATION_KINDS):
        assert f"`{name}`" in PAGE, name
    told = re.search(r"Users of a `provider` may only be (.*?);", FLAT)
    assert told is not None
    assert set(re.findall(r"`(\w+)`", told[1])) == set(PROVIDER_ROLES)


def test_the_numbers_are_those_of_the_program() -> None:
    settings = Settings.model_fields
    assert settings["session_hours"].default == 10
    assert settings["session_idle_minutes"].default == 30
    assert "10 hours and 30 minutes when left out" in FLAT
    assert timedelta(minutes=10) == login.LOGIN_LIFE
    assert "not finished within 10 minutes" in FLAT
    assert timedelta(minutes=10) == kept.FRESH
    assert "Keys are asked for again every 10 minutes" in FLAT
    assert timedelta(minutes=1) == kept.APART
    assert "once a minute at most" in FLAT
    assert timedelta(hours=24) == kept.STALE
    assert "by the keys Polku knows, for 24 hours" in FLAT
    assert tokens.LEEWAY == 30
    assert "with 30 seconds for clocks that differ" in FLAT
    assert OidcSettings.model_fields["token_hours"].default == 24
    assert (provider.RSA_BITS.start, provider.RSA_BITS.stop) == (2048, 8193)
    assert "2,048 to 8,192 bits" in FLAT


def test_the_algorithms_are_those_of_the_program() -> None:
    told = re.search(r"\| signatures \| (.*?);", FLAT)
    assert told is not None
    assert set(re.findall(r"[A-Z]\w+\d", told[1])) | {"EdDSA"} == set(provider.ALGORITHMS)


def test_the_demos_command_asks_what_the_demo_answers() -> None:
    (asked,) = re.findall(r"curl -s (.*?) \\\n\s+(\S+)", PAGE)
    fields = dict(re.findall(r"-d (\w+)=(\w+)", asked[0]))
    assert fields == {"grant_type": "client_credentials", "client_id": DEVELOPER_ID, "user": "aino"}
    assert fields["user"] in demo_users()
    assert asked[1].endswith(f"{DEVELOPMENT_PATH}/token")
    assert AUDIENCE in PAGE


def test_the_redirect_uri_is_the_services(browser: Browser) -> None:
    assert "redirect_uri=http" in browser.begin()
    assert "%2Flogin%2Fcallback" in browser.begin()
    assert "`https://POLKU/login/callback`" in PAGE
