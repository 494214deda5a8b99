"""Names suggested in forms: nothing that the one who fills it in should not learn from it."""

from __future__ import annotations

from tests.service.api.asking import Client
from tests.service.api.people import person
from tests.service.api.world import CLIENT, actor, opened, showing
from tests.service.web.looking import look

FORM = f"/clients/{CLIENT}/record/coaching_started"


def suggested(client: Client, form: str = FORM) -> set[str]:
    """The organisations a form suggests."""
    return {tag["value"] for tag in look(client, form).all("#suggested-organisations option")}  # type: ignore[misc]


def test_a_provider_is_not_told_with_whom_else_an_authority_works(anyone: Client) -> None:
    opened(anyone)
    showing(anyone, person("rival", "job_coach", organisation="provider-2", kind="provider", team=None)).get("/v1/me")
    assert "provider-2" in suggested(showing(anyone, actor("social_worker", "assigned")))
    provider = showing(anyone, actor("job_coach", "provider"))
    assert suggested(provider) & {"provider-1", "provider-2"} == {"provider-1"}
