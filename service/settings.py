"""What the service is told by its environment: variables POLKU_…, secrets from files by POLKU_…_FILE.

A variable that does not exist, is missing or holds something else is told by its name, never with what it holds: it may
be a secret. No file is read that no variable names; there is no `.env`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_origin

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as PydanticSettingsError

from service.login.settings import OidcSettings

PREFIX = "POLKU_"
FILE = "_FILE"
#: Variables of the same prefix that others read: the Makefile, the tests, the command line.
OTHERS = frozenset({"POLKU_PYTHON", "POLKU_TRACEBACK", "POLKU_TEST_DATABASE_URL", "POLKU_SEED"})
#: What only `polku serve --demo` turns on: an environment must not be able to.
DEMO = "POLKU_DEMO"
LONGEST_SECRET = 65_536
SCHEMES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")

Count = Annotated[int, Field(ge=1)]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class SettingsError(Exception):
    """The environment does not say what the service needs. `problems` are lines that name the variable, no value."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n  ".join(["the settings cannot be used:", *problems]))


class Settings(BaseSettings):
    """The settings of one service: one region, one database. Made by `load_settings`, or by name in tests."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    region: Region = Field(description="the region whose cases are kept, such as paijat-hame; never changed later")
    demo: bool = Field(False, description="example clients and a development identity provider; only `serve --demo`")

    database_url: str = Field(
        "sqlite:///polku.db",
        repr=False,
        description="sqlite:///FILE or postgresql://polku_app:…@HOST/NAME, as the role that owns nothing",
    )
    owner_database_url: str | None = Field(
        None, repr=False, description="the same database as its owner, for migrations, backup and restore only"
    )
    database_pool_size: Count = Field(10, description="the most connections to the database")
    pg_bin: Path | None = Field(None, description="the folder of pg_dump and pg_restore, when not on the PATH")

    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="the port to listen on; 0 takes a free one")
    public_url: str | None = Field(
        None, pattern=r"^https?://[^/?#]+$", description="how browsers reach it, such as https://polku.example.fi"
    )
    trusted_proxies: str = Field("127.0.0.1", description="whose X-Forwarded-For and -Proto are believed, with commas")
    threads: Count = Field(16, description="how many requests are worked on at a time")
    drain_seconds: int = Field(3, ge=0, description="how long after SIGTERM it goes on, /readyz answering 503, seconds")
    stop_seconds: int = Field(20, ge=0, description="how long requests that run may then go on, seconds")

    oidc: OidcSettings | None = Field(None, description="the outside identity provider; required unless --demo")
    session_hours: Count = Field(10, description="the longest a login lasts, hours")
    session_idle_minutes: Count = Field(30, description="how long a login lasts without a request, minutes")

    max_request_bytes: Count = Field(2_000_000, description="the largest request body, bytes")
    requests_per_minute: Count = Field(300, description="the most requests of one user in a minute")
    logins_per_minute: Count = Field(
        120,
        description="the most requests for logins from one address in a minute; a login takes two, an office has one",
    )
    snooping_clients_per_hour: Count = Field(
        60, description="how many different clients one user may read in an hour before the alarm metric rises"
    )

    checkpoint_dir: Path | None = Field(
        None, description="where signed checkpoints of the audit trail lie, for the age metric; the key is elsewhere"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least level logged")

    @field_validator("database_url", "owner_database_url")
    @classmethod
    def _database(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not url.startswith(SCHEMES):
            raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @model_validator(mode="after")
    def _demo_is_apart(self) -> Self:
        if self.demo and (self.oidc is not None or not self.database_url.startswith("sqlite:///")):
            raise ValueError(
                "--demo has users without secrets: it runs without POLKU_OIDC_… and on a file of its own, never on a"
                " database server"
            )
        return self

    @property
    def migration_url(self) -> str:
        """The database as its owner; where none is named, as the application (SQLite has no roles)."""
        return self.owner_database_url or self.database_url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given by name, then the environment."""
        return init_settings, _Environment(settings_cls)


class _Environment(EnvSettingsSource):
    """The environment, where POLKU_…_FILE names a file that holds the value of POLKU_…."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        known, found = variables(), dict(self.env_vars)
        for name, path in self.env_vars.items():
            variable = name.upper()
            plain = variable.removesuffix(FILE)
            if variable not in known and plain in known and path:
                del found[name]
                found[plain.lower()] = _secret(variable, path)
        found.pop(DEMO.lower(), None)
        self.env_vars = found


def variables() -> dict[str, FieldInfo]:
    """Every variable the service reads, with its field; each may also be given as NAME_FILE."""
    fields: dict[str, FieldInfo] = {}
    for name, field in Settings.model_fields.items():
        if name == "oidc":
            fields |= {f"{PREFIX}OIDC_{part.upper()}": inner for part, inner in OidcSettings.model_fields.items()}
        else:
            fields[f"{PREFIX}{name.upper()}"] = field
    del fields[DEMO]
    return fields


def load_settings(**given: Any) -> Settings:
    """The settings of this process; `given` (from the command line) goes before the environment. Raises
    SettingsError."""
    problems = _unknown(os.environ)
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingsError([*problems, *map(_problem, error.errors(include_url=False, include_input=False))]) from None
    except PydanticSettingsError:  # its text tells the field's outermost part, not the variable
        wanted = [
            f"{name}: must be JSON ({field.description})" for name, field in variables().items() if _is_json(field)
        ]
        raise SettingsError([*problems, *(line for line in wanted if line.split(":")[0] in os.environ)]) from None
    if problems:
        raise SettingsError(problems)
    return settings


def _secret(variable: str, path: str) -> str:
    """What a file of a POLKU_…_FILE holds, without its last line break."""
    if os.environ.get(variable.removesuffix(FILE)):
        raise SettingsError([f"{variable}: given twice; drop it or {variable.removesuffix(FILE)}"])
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(LONGEST_SECRET + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise SettingsError([f"{variable}: the file it names cannot be read: {reason}"]) from None
    if len(text) > LONGEST_SECRET:
        raise SettingsError([f"{variable}: the file it names is too long for a setting"])
    return text.rstrip("\r\n")


def _unknown(environ: Mapping[str, str]) -> list[str]:
    """A line for each variable of our prefix that nothing reads: misspelt, it would silently do nothing."""
    known = variables()
    problems = []
    for name in sorted(environ):
        plain = name.removesuffix(FILE)
        if not name.startswith(PREFIX) or name in OTHERS or name in known or plain in known:
            continue
        if plain == DEMO:
            problems.append(f"{name}: no variable; the demo is started by `polku serve --demo` alone")
            continue
        near = get_close_matches(plain, known, n=1)
        problems.append(f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else ""))
    return problems


def _is_json(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is dict


def _problem(error: ErrorDetails) -> str:
    """A mistake found by pydantic, in words and without the value."""
    place = "_".join(str(part) for part in error["loc"])
    if not place:
        return error["msg"].removeprefix("Value error, ")
    variable = f"{PREFIX}{place.upper()}"
    field = variables().get(variable)
    meaning = f" ({field.description})" if field is not None else ""
    if error["type"] == "missing":
        return f"{variable}: missing{meaning}"
    if error["type"].startswith("string_") and field is not None:
        return f"{variable}: must be {field.description}"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{variable}: {message[:1].lower()}{message[1:]}{meaning}"
