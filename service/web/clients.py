"""A client on a page: opened for who asks, the read on record, and only as much of it as they may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.entries import FIRST_YEAR, LAST_YEAR
from rules.fold import fold
from rules.journal import ENTRY_TYPES, Case, case_to_data
from rules.provenance import HEADER
from service.access.policy import Sight, may_do, may_record
from service.access.withholding import withhold_case, withhold_state
from service.reading import journal_and_own
from service.store import StoredCase, Unit
from service.web.asking import Page
from service.web.forms import DAY, iso_day

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpenClient:
    """A client whose data was opened to who asks.

    `case` is whole: it is judged by, and nothing of it is shown but through `document` and the withheld forms of what
    follows from it. `document` is the case document as GET /v1/cases/{id} answers it, without an entry where the
    journal is closed to them. `name` is None where it is not theirs to see, or none is kept.
    """

    stored: StoredCase
    relation: str
    sight: Sight
    case: Case
    name: str | None
    document: Json

    @property
    def id(self) -> str:
        """The id of the case."""
        return self.stored.id

    @property
    def called(self) -> str:
        """What the client is called on a page: the name, else the id."""
        return self.name or self.stored.id

    @property
    def entries(self) -> dict[str, Json]:
        """The entries that may be seen, by id."""
        return {str(entry["id"]): entry for entry in self.document["entries"]}

    @property
    def records(self) -> bool:
        """Whether who asks may record anything for this client."""
        return any(self.may_record(type_) for type_ in ENTRY_TYPES)

    def may_record(self, entry_type: str) -> bool:
        """Whether who asks may record entries of the type for this client."""
        return may_record(self.sight.role, self.relation, entry_type)

    def may_do(self, act: str) -> bool:
        """Whether who asks may do one of the acts beside recording. Raises KeyError for an act no table knows."""
        return may_do(self.sight.role, self.relation, act)


def open_client(page: Page, case_id: str, view: str | None, what: str) -> OpenClient:
    """The client, once the read of them is on record as `what`.

    `view` is the part of the case that must be open to who asks; None: any. Raises NothingThere, NotOpen, Gone, and
    StoreUnavailable when it could not be logged.
    """

    def load(unit: Unit, case: StoredCase) -> tuple[Case, frozenset[str], Json]:
        journal, own = journal_and_own(unit, case, page.principal.user)
        return journal, own, unit.identities.get(case.id) or {}

    opened = page.polku.reading.one(page.reader, case_id, view, what, load)
    (journal, own, identity), sight = opened.loaded, opened.sight
    name = identity.get("name") if sight.opens("identity") else None
    return OpenClient(opened.case, opened.relation, sight, journal, name, _document(journal, sight, own))


def _document(journal: Case, sight: Sight, own: frozenset[str]) -> Json:
    if sight.opens("journal"):
        return withhold_case(case_to_data(journal), sight, own)
    withheld = {"header": sight.hidden_of(HEADER), "entries": {}, "types": list(ENTRY_TYPES)}
    return {"case": {"id": journal.id}, "entries": [], "withheld": withheld}


def state_of(page: Page, client: OpenClient, day: date) -> dict[str, str | None]:
    """Where the client is on a day: the stage and the charts' states; what is withheld is None. Cheap: no rule is
    asked."""
    if not client.sight.opens("assessment"):
        return {}
    folded = fold(page.polku.assessor.history(client.case, day), day)
    return withhold_state(folded.state._asdict(), client.sight)


# --- another day than today ---


@dataclass(frozen=True, slots=True)
class DayAsked:
    """The day a page is about, what was typed, and whether that was no day (today is shown then)."""

    day: date
    typed: str
    other: bool
    mistake: bool


def day_asked(typed: str | None, today: date) -> DayAsked:
    """The day asked for, written as browsers or as Finns do; nothing typed is today."""
    text = (typed or "").strip()
    if not text:
        return DayAsked(today, "", other=False, mistake=False)
    day = _day(text)
    if day is None:
        return DayAsked(today, text, other=False, mistake=True)
    return DayAsked(day, day.isoformat(), other=day != today, mistake=False)


def _day(text: str) -> date | None:
    found = DAY.fullmatch(iso_day(text))
    if found is None:
        return None
    year, month, number = found.groups()
    try:
        day = date(int(year), int(month), int(number))
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None
