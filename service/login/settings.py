"""What the outside identity provider is and what its tokens call things (variables POLKU_OIDC_…)."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator

from service.access.principal import ROLES

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#@\\]+$", max_length=500)]
ClaimName = Annotated[str, StringConstraints(min_length=1, max_length=200)]

#: Where the development identity provider answers, under the service's own address. No issuer that ends so is trusted
#: by a service without `--demo`.
DEVELOPMENT_PATH = "/development-identity"


class OidcClient(BaseModel):
    """An OpenID Connect provider, Polku as its client, and the names of the claims that say who someone is.

    A name of a claim that begins with `/` is a JSON pointer into the claims, such as `/realm_access/roles`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    issuer: Url = Field(description="the provider's issuer, exactly as its tokens name it")
    client_id: str = Field(min_length=1, description="Polku's client id there")
    client_secret: SecretStr | None = Field(
        default=None, description="Polku's secret there; none for a public client (PKCE)"
    )
    client_auth: Literal["client_secret_basic", "client_secret_post"] = Field(
        default="client_secret_basic", description="how the secret is shown: client_secret_basic or client_secret_post"
    )
    audience: str = Field(min_length=1, description="the audience of bearer tokens meant for Polku; not the client id")
    scopes: str = Field(
        default="openid", pattern=r"\bopenid\b", description="the scopes asked for at login, with spaces"
    )
    acr: str | None = Field(
        default=None, description="authentication levels (acr), with spaces: asked for, one is required"
    )
    trusted_certificates: Path | None = Field(
        default=None, description="certificates (PEM) to trust the provider by, besides the usual ones"
    )
    user_claim: ClaimName = Field(
        default="sub", description="the claim that holds the worker's id, as journals name it"
    )
    roles_claim: ClaimName = Field(default="polku_roles", description="the claim that lists the worker's roles")
    role_names: dict[str, str] = Field(
        default_factory=dict,
        description='the provider\'s names of roles, as JSON: {"Omatyontekijat": "social_worker"}',
    )
    region_claim: ClaimName = Field(default="polku_region", description="the claim that holds the region")
    organisation_claim: ClaimName = Field(
        default="polku_organisation", description="the claim of the worker's organisation"
    )
    organisation_kind_claim: ClaimName = Field(
        default="polku_organisation_kind", description="the claim: county, employment_area, municipality or provider"
    )
    team_claim: ClaimName = Field(default="polku_team", description="the claim of the worker's team; may be absent")
    token_hours: int = Field(default=24, ge=1, description="the longest life of a bearer token that is accepted, hours")

    @field_validator("role_names")
    @classmethod
    def _of_known_roles(cls, names: dict[str, str]) -> dict[str, str]:
        known = [role for role in ROLES if role != "client"]
        if not set(names.values()) <= set(known):
            raise ValueError(f"names a role there is none of; known: {', '.join(known)}")
        return names

    @model_validator(mode="after")
    def _tokens_are_apart(self) -> Self:
        # Otherwise what a login hands out (the id token) would open the API.
        if self.audience == self.client_id:
            raise ValueError("the audience must differ from the client id: an id token is no access token")
        return self


class OidcSettings(OidcClient):
    """An outside OpenID Connect provider: reached by TLS, and never the one of the demo."""

    @field_validator("issuer")
    @classmethod
    def _trustworthy(cls, issuer: str) -> str:
        if urlsplit(issuer).path.rstrip("/").endswith(DEVELOPMENT_PATH):
            raise ValueError("is a development identity provider, whose users have no secrets: only `serve --demo`")
        if not safe_address(issuer):
            raise ValueError("must be https:// (http:// only on this machine)")
        return issuer


def safe_address(url: str) -> bool:
    """Whether what goes to this address is out of others' reach: TLS, or this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
