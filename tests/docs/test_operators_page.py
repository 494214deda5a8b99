"""The operator's page says what the program reads, runs and keeps; and the trial that followed it followed it all."""

import re
from pathlib import Path

import pytest
import yaml

from scripts.operator_trial import PAGE, TRANSCRIPT, names_set, steps
from scripts.settings_table import with_table
from service.cli import app
from service.rights.retention import retention
from service.settings import OTHERS, variables

ROOT = Path(__file__).resolve().parents[2]
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_table_of_settings_is_up_to_date() -> None:
    assert with_table(TEXT) == TEXT, "run: python scripts/settings_table.py"


@pytest.mark.parametrize(
    "name", ["docs/operators.md", "docs/login.md", "compose.yaml", "Dockerfile", "deploy/roles.sh"]
)
def test_every_variable_named_anywhere_is_read(name: str) -> None:
    known = set(variables()) | {"POLKU_DATABASE"}  # the last is deploy/roles.sh's own
    named = set(re.findall(r"\bPOLKU_[A-Z_]*[A-Z]\b", (ROOT / name).read_text(encoding="utf-8")))
    assert {item.removesuffix("_FILE") for item in named} - known - OTHERS <= {"POLKU_OIDC"}


def test_every_command_of_the_page_exists() -> None:
    from typer.main import get_command

    known = {
        (group, name)
        for group, command in get_command(app).commands.items()  # type: ignore[attr-defined]
        for name in getattr(command, "commands", {"": None})
    }
    used = re.findall(r"\b(?:as (?:owner|auditor|drill|polku)|polku) ([a-z]+)(?: ([a-z]+))?", _code())
    groups = {group for group, name in known if name}
    assert {(group, name if group in groups else "") for group, name in used} <= known


def _code() -> str:
    """Blocks of commands, and commands within sentences."""
    found = re.findall(r"^```sh\n(.*?)^```|`([^`\n]+)`", TEXT, re.M | re.S)
    return "\n".join(block or inline for block, inline in found)


def test_the_transcript_is_of_this_page() -> None:
    transcript = TRANSCRIPT.read_text(encoding="utf-8")
    blocks = [step.text for step in steps(TEXT) if step.kind == "sh"]
    assert len(blocks) > 10
    for block in blocks[1:]:
        shown = "\n".join(f"$ {line}" for line in block.splitlines())
        assert shown in transcript, f"run: python scripts/operator_trial.py\n{block}"
    assert "exit code" not in transcript
    assert transcript.count("\nwhole\n") >= 3


def test_the_transcript_tells_nothing_of_the_machine_it_was_made_on() -> None:
    transcript = TRANSCRIPT.read_text(encoding="utf-8")
    assert str(ROOT) not in transcript
    assert not re.search(r"/(tmp|root|home|opt)/|https?://(?!127\.0\.0\.1|polku\.example\.fi)", transcript)


def test_backups_are_kept_as_long_as_the_parameter_says() -> None:
    from datetime import UTC, datetime

    days = retention().number("backup", datetime.now(UTC).date())
    assert f"-mtime +{days} -delete" in TEXT
    assert f"**{days} days, not longer**" in TEXT


def test_the_first_block_alone_sets_the_sites_values() -> None:
    first, *others = [step.text for step in steps(TEXT) if step.kind == "sh"]
    assert names_set(first) >= {"SITE", "DATABASE_HOST", "ISSUER", "PUBLIC_URL"}
    for block in others:
        assert not names_set(block) & names_set(first), block


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#{1,4} (.+)$", re.sub(r"^```.*?^```", "", TEXT, flags=re.M | re.S), re.M)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(#([^)]+)\)", TEXT):
        assert target in anchors
    for target in re.findall(r"\]\((?!#|http)([^)#]+)\)", TEXT):
        assert (PAGE.parent / target).exists(), target


# ---- the container files, which no engine here can try


def test_the_service_in_a_container_is_no_root_and_writes_nowhere() -> None:
    told = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    service, database = told["services"]["polku"], told["services"]["database"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "ports" not in database
    assert told["networks"]["inside"]["internal"] is True
    assert set(service["secrets"]) == {"app-url", "oidc-secret"}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER (?!0|root)\d+:\d+$", dockerfile, re.M)
    assert dockerfile.index("USER 10001") < dockerfile.index("ENTRYPOINT")


def test_the_container_files_name_what_is_there() -> None:
    told = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    used = {secret for service in told["services"].values() for secret in service.get("secrets", [])}
    assert used == told["secrets"].keys()
    mounted = [volume.split(":")[0] for volume in told["services"]["database"]["volumes"] if volume.startswith("./")]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in (*mounted, *" ".join(copied).split()):
        assert (ROOT / name).exists(), name
    for name in " ".join(copied).split():
        assert f"!{name}" in ignored, name


def test_it_has_longer_to_stop_than_it_takes() -> None:
    told = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    longest = sum(variables()[f"POLKU_{name}_SECONDS"].default for name in ("DRAIN", "STOP"))
    assert int(told["services"]["polku"]["stop_grace_period"].removesuffix("s")) > longest
    found = re.search(r"^TimeoutStopSec=(\d+)$", TEXT, re.M)
    assert found is not None
    assert int(found[1]) > longest
