"""What someone just recorded, told once where they come next. The address holds the decision's id and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from service.recording.record import UNDETERMINED
from service.web.asking import Page
from service.web.clients import OpenClient

PARAMETER = "recorded"
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class JustRecorded:
    """What was recorded, by the names of the entry types; `taken`: the client was taken by it; `undetermined`: what is
    next could not be told."""

    entries: tuple[str, ...]
    taken: bool
    undetermined: bool


def just_recorded(page: Page, client: OpenClient) -> JustRecorded | None:
    """What the address says was just recorded; nothing when it was for another client or by someone else."""
    wanted = page.request.query_params.get(PARAMETER, "")
    if not _ID.fullmatch(wanted):
        return None
    with page.polku.database.read(page.principal.region) as unit:
        found = unit.decisions.get(wanted)
    if found is None or found.case_id != client.id or found.recorded_by != page.principal.user:
        return None
    types = {entry.id: entry.type for entry in client.case.entries}
    names = [types[entry] for entry in json.loads(found.payload)["entries"] if entry in types]
    told = dict.fromkeys(page.words("entry_types", type_) for type_ in names)
    return JustRecorded(tuple(told), found.version == 1, found.status == UNDETERMINED)
