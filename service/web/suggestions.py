"""Names known already, to choose from where a form asks for a worker, an organisation or an employer.

Workers and organisations are those who use the service, to a provider only its own; of the client only what the reader
may see anyway.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from service.web.asking import Page
from service.web.clients import OpenClient
from service.web.forms import Form
from service.web.widgets import SUGGESTED

#: More than anyone scrolls through; the rest is typed.
_MOST = 200


def suggestions(page: Page, client: OpenClient, form: Form) -> dict[str, list[str]]:
    """The names for each list of suggestions that the form uses."""
    wanted = {SUGGESTED[one.name] for _, one in form.asks() if one.name in SUGGESTED}
    if not wanted:
        return {}
    entries: list[dict[str, Any]] = client.document["entries"]
    with page.polku.database.read(page.principal.region) as unit:
        accounts = unit.accounts.teams()
    own = page.principal.organisation
    if page.principal.organisation_kind == "provider":  # with whom else an authority works is not its business
        accounts = {user: account for user, account in accounts.items() if account[0] == own}
    colleagues = (user for user, (organisation, _) in accounts.items() if organisation == own)
    found = {
        "workers": [*_values(entries, "worker"), *colleagues],
        "organisations": [
            *_values(entries, "parties"),
            *_values(entries, "provider"),
            *(organisation for organisation, _ in accounts.values()),
        ],
        "employers": [*_values(entries, "employer")],
    }
    return {name: list(dict.fromkeys(found[name]))[:_MOST] for name in sorted(wanted)}


def _values(entries: Iterable[dict[str, Any]], field: str) -> Iterable[str]:
    for entry in reversed(list(entries)):
        value = entry.get(field)
        yield from (value if isinstance(value, list) else [value] if isinstance(value, str) else [])
