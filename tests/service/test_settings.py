"""What the environment tells the service, and how it is told what is wrong."""

import os
from pathlib import Path

import pytest

from service.settings import Settings, SettingsError, load_settings, variables

SECRET = "s3kr1t-Virtanen"
OIDC = {
    "POLKU_OIDC_ISSUER": "https://id.example.fi/realms/polku",
    "POLKU_OIDC_CLIENT_ID": "polku-web",
    "POLKU_OIDC_AUDIENCE": "polku",
}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("POLKU_"):
            monkeypatch.delenv(name)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        given(monkeypatch, **variables)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
    return caught.value.problems


def test_a_region_is_all_it_must_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, POLKU_REGION="testila")
    assert (settings.region, settings.database_url, settings.demo) == ("testila", "sqlite:///polku.db", False)
    assert settings.migration_url == settings.database_url


def test_without_a_region_it_says_which_variable_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = refused(monkeypatch)
    assert problem.startswith("POLKU_REGION: missing (the region whose cases are kept")


def test_every_mistake_is_told_at_once_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = refused(
        monkeypatch,
        POLKU_REGION=f"Päijät {SECRET}",
        POLKU_PORT=SECRET,
        POLKU_DATABASE_URL=f"mysql://{SECRET}",
        POLKU_OIDC_ISSUER=f"ftp://{SECRET}",
        POLKU_DATABASE_POOL="3",
    )
    assert [problem.split(":")[0] for problem in problems] == [
        "POLKU_DATABASE_POOL",
        "POLKU_REGION",
        "POLKU_DATABASE_URL",
        "POLKU_PORT",
        "POLKU_OIDC_ISSUER",
        "POLKU_OIDC_CLIENT_ID",
        "POLKU_OIDC_AUDIENCE",
    ]
    assert problems[0] == "POLKU_DATABASE_POOL: no such setting; did you mean POLKU_DATABASE_POOL_SIZE?"


def test_a_variable_of_the_demo_cannot_turn_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLKU_DEMO", "POLKU_DEMO_FILE"):
        (problem,) = refused(monkeypatch, POLKU_REGION="testila", **{name: "1"})
        assert problem == f"{name}: no variable; the demo is started by `polku serve --demo` alone"
        monkeypatch.delenv(name)
    monkeypatch.setenv("POLKU_DEMO", "1")
    assert Settings(region="testila").demo is False


def test_a_dot_env_file_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POLKU_REGION=testila\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    refused(monkeypatch)


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"postgresql://polku_app:{SECRET}@db/polku\n", encoding="utf-8")
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    settings = given(
        monkeypatch,
        POLKU_REGION="testila",
        POLKU_DATABASE_URL_FILE=str(tmp_path / "url"),
        POLKU_OIDC_CLIENT_SECRET_FILE=str(tmp_path / "secret"),
        **OIDC,
    )
    assert settings.database_url == f"postgresql+psycopg://polku_app:{SECRET}@db/polku"
    assert settings.oidc is not None
    assert settings.oidc.client_secret is not None
    assert settings.oidc.client_secret.get_secret_value() == SECRET
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * 70_000], ids=["no file", "no text", "too long"])
def test_a_secrets_file_that_cannot_be_read_is_told_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / SECRET
    if content is not None:
        path.write_bytes(content)
    (problem,) = refused(monkeypatch, POLKU_REGION="testila", POLKU_DATABASE_URL_FILE=str(path))
    assert problem.startswith("POLKU_DATABASE_URL_FILE: the file it names ")


def test_a_secret_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("sqlite:///a.db", encoding="utf-8")
    (problem,) = refused(
        monkeypatch,
        POLKU_REGION="testila",
        POLKU_DATABASE_URL_FILE=str(tmp_path / "url"),
        POLKU_DATABASE_URL=f"sqlite:///{SECRET}.db",
    )
    assert problem == "POLKU_DATABASE_URL_FILE: given twice; drop it or POLKU_DATABASE_URL"


def test_a_mapping_is_json_and_told_when_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(
        monkeypatch, POLKU_REGION="testila", POLKU_OIDC_ROLE_NAMES='{"Omatyöntekijät": "social_worker"}', **OIDC
    )
    assert settings.oidc is not None
    assert settings.oidc.role_names == {"Omatyöntekijät": "social_worker"}
    (problem,) = refused(monkeypatch, POLKU_OIDC_ROLE_NAMES=SECRET)
    assert problem.startswith("POLKU_OIDC_ROLE_NAMES: must be JSON")


def test_the_demo_takes_neither_a_database_server_nor_an_outside_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(demo=True, region="demo").demo
    monkeypatch.setenv("POLKU_DATABASE_URL", "postgresql://polku_app@db/polku")
    with pytest.raises(SettingsError, match="--demo has users without secrets"):
        load_settings(demo=True, region="demo")
    monkeypatch.delenv("POLKU_DATABASE_URL")
    for name, value in OIDC.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="--demo has users without secrets"):
        load_settings(demo=True, region="demo")


def test_every_variable_says_what_it_is() -> None:
    assert [name for name, field in variables().items() if not field.description] == []
    assert "POLKU_DEMO" not in variables()
