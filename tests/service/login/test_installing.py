"""Login put together from the settings, or refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from pydantic import ValidationError

from service.login.installing import address_of, install
from service.login.settings import OidcSettings, is_loopback, safe_address
from service.settings import Settings, SettingsError
from service.store import Database
from tests.service.conftest import Clock
from tests.service.login.outside import REGION, Outside, Server, service

GOOD: dict[str, Any] = {"issuer": "https://id.example.fi", "client_id": "polku", "audience": "polku-api"}


def refused(database: Database, clock: Clock, **settings: Any) -> str:
    with pytest.raises(SettingsError) as error:
        install(FastAPI(), Settings(region="testila", **settings), database, clock)
    return str(error.value)


def test_without_an_identity_provider_nobody_could_log_in(database: Database, clock: Clock) -> None:
    assert "POLKU_OIDC_ISSUER: missing" in refused(database, clock)


def test_logins_do_not_pass_over_the_network_in_plain_text(database: Database, clock: Clock) -> None:
    told = refused(database, clock, oidc=OidcSettings(**GOOD), public_url="http://polku.example.fi")
    assert "POLKU_PUBLIC_URL: must be https://" in told
    told = refused(database, clock, oidc=OidcSettings(**GOOD), host="192.0.2.7")
    assert "POLKU_PUBLIC_URL: must be https://" in told


def test_a_file_without_certificates_is_told(database: Database, clock: Clock, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for file in (tmp_path / "missing.pem", empty):
        told = refused(
            database, clock, oidc=OidcSettings(**GOOD, trusted_certificates=file), public_url="https://polku.example.fi"
        )
        assert "POLKU_OIDC_TRUSTED_CERTIFICATES" in told


@pytest.mark.parametrize(
    "spoilt",
    [
        {"issuer": "http://id.example.fi"},
        {"issuer": "id.example.fi"},
        {"issuer": "https://id.example.fi?x=1"},
        {"issuer": "https://id.example.fi#x"},
        {"issuer": "https://user:hush@id.example.fi"},
        {"issuer": "https://id.example.fi/a b"},
        {"issuer": "https:///path"},
        {"client_id": ""},
        {"audience": ""},
        {"audience": "polku"},
        {"scopes": "profile"},
        {"user_claim": ""},
        {"token_hours": 0},
        {"client_auth": "none"},
        {"role_names": {"Asiakkaat": "client"}},
        {"role_names": {"Leipurit": "baker"}},
        {"unknown": 1},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(spoilt: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as error:
        OidcSettings(**{**GOOD, **spoilt})
    assert "hush" not in str(error.value)


def test_a_secret_is_not_shown() -> None:
    assert "hush" not in repr(OidcSettings(**GOOD, client_secret="hush"))


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "0.0.0.0", "port": 80}, "http://localhost:80"),
        ({"host": "::1"}, "http://[::1]:8000"),
        ({"host": "::"}, "http://localhost:8000"),
        ({"public_url": "https://polku.example.fi"}, "https://polku.example.fi"),
    ],
)
def test_the_service_knows_its_address(settings: dict[str, Any], address: str) -> None:
    assert address_of(Settings(region="testila", **settings)) == address


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://id.example.fi", True),
        ("http://localhost:8080/realm", True),
        ("http://127.0.0.1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:80/", True),
        ("http://id.example.fi", False),
        ("http://localhost.example.fi", False),
        ("http://127.0.0.1.example.fi", False),
        ("http://192.168.1.1", False),
        ("http://0.0.0.0", False),
        ("https://", False),
        ("https:///x", False),
        ("http://[::1", False),
        ("ftp://127.0.0.1", False),
        ("", False),
    ],
)
def test_an_address_is_safe_by_tls_or_on_this_machine(url: str, safe: bool) -> None:
    assert safe_address(url) is safe


def test_names_of_this_machine() -> None:
    assert [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "", "example.fi")] == [True] * 3 + [
        False
    ] * 2


# --- a provider with certificates of the county's own ---


def test_a_provider_is_believed_by_its_certificates_alone(
    service_server: Server, database: Database, clock: Clock, tmp_path: Path
) -> None:
    certificate, key = own_certificate(tmp_path)
    with Server(ssl_certfile=certificate, ssl_keyfile=key).running() as server:
        outside = Outside(server, service_server.url, clock)
        outside.issuer = f"https://localhost:{server.port}/realm"
        server.app = outside.app()
        for trusted, status in ((None, 503), (certificate, 200)):
            settings = Settings(
                region=REGION,
                oidc=outside.settings(trusted_certificates=trusted),
                public_url=service_server.url,
            )
            service_server.app = made = service(settings, database, clock)
            shown = {"Authorization": f"Bearer {outside.token()}"}
            assert httpx.get(f"{service_server.url}/who", headers=shown).status_code == status
            made.state.login.provider.close()


def own_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that no authority has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, secret
