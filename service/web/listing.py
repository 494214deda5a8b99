"""The caseload as a page shows it: rows in words, grouped by what is due, and the links and choices around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from rules.steps import Step
from rules.texts import texts
from service.access.policy import sees
from service.access.principal import Principal
from service.access.reach import withheld_rules
from service.caseload import DUE_GROUPS, SORTS, Day, Filter, Item, Listed, due_group
from service.outlook import Row
from service.web.asking import Page
from service.web.rendering import query
from service.words import Words

#: Roles whose holders have clients of their own, and so look at those first.
HAVE_CLIENTS = frozenset(
    {"social_worker", "employment_coach", "activity_instructor", "activity_supervisor", "job_coach"}
)
#: The group of clients without a next step.
REST = "none"


@dataclass(frozen=True, slots=True)
class Line:
    """A client in the list, in words. `yours`: the next step falls to the role the reader acts in."""

    id: str
    name: str
    stage: str | None
    what: str | None
    who: str | None
    yours: bool
    due: str | None
    overdue: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Clients of one group: its code, how many there are in all (None: not to be told), and those on this page."""

    code: str
    count: int | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of a filter: its value, its name, whether it is taken, and where it leads."""

    value: str
    name: str
    taken: bool
    address: str


class Caseload:
    """What was asked for, with the reader's usual choice filled in, and its way back into addresses."""

    def __init__(self, page: Page) -> None:
        self._usual = looks_at_own(page.principal)
        asked = dict(page.request.query_params)
        asked.setdefault("mine", "1" if self._usual else "0")
        self.asked = Filter.asked(asked)

    def address(self, path: str, month: date | None = None, **changes: Any) -> str:
        """The address of a page with this filter and some changes, what is usual left out; for a `month` of the
        calendar."""
        told = self.asked.query(**changes)
        mine = told.pop("mine", "0")
        usual = "1" if self._usual else "0"
        asked = None if month is None else f"{month.year:04}-{month.month:02}"
        return path + query(month=asked, **told, mine=None if mine == usual else mine)

    @property
    def narrowed(self) -> bool:
        """Whether anything but the order and the page is other than usual."""
        usual = Filter(mine=self._usual, sort=self.asked.sort, page=self.asked.page)
        return self.asked != usual


def looks_at_own(principal: Principal) -> bool:
    """Whether who asks begins with the clients they are assigned to. A provider's worker is never assigned: the
    client's consent is what opens the case to them."""
    return principal.role in HAVE_CLIENTS and principal.organisation_kind != "provider"


# ---- rows


def groups(page: Page, found: Listed) -> list[Group]:
    """The rows of the page: under what is due when they are sorted by it, else as one group."""
    asked = found.asked
    if asked.sort != "due" or not tells_steps(found):
        return [Group("", None, tuple(line(page, row, asked) for row in found.rows))] if found.rows else []
    made = []
    for code, rows in groupby(found.rows, key=lambda row: due_group(_leading(row, asked), found.today) or REST):
        lines = tuple(line(page, row, asked) for row in rows)
        made.append(Group(code, found.by_due.get(code), lines))
    return made


def tells_steps(found: Listed) -> bool:
    """Whether stage and steps of any client on the page are for the reader's eyes."""
    return not found.rows or any(row.shows_assessment for row in found.rows)


def line(page: Page, row: Row, asked: Filter) -> Line:
    """A client in words."""
    words, step = page.words, _leading(row, asked)
    return Line(
        id=row.case_id,
        name=row.name or row.case_id,
        stage=words.stage(row.stage) if row.stage is not None else None,
        what=_what(page, row, step),
        who=role_in_short(words, step.role) if step is not None else None,
        yours=step is not None and step.role == page.principal.role and row.relation == "assigned",
        due=step.due.isoformat() if step is not None and step.due is not None else None,
        overdue=due_group(step, page.today) == "overdue",
        notes=tuple(_notes(row, words)),
    )


def _leading(row: Row, asked: Filter) -> Step | None:
    return row.step if asked.who is None else row.step_of(asked.who)


def _what(page: Page, row: Row, step: Step | None) -> str | None:
    words = page.words
    if step is not None:
        return texts("actions", step.action, words.lang)
    if not row.fresh:
        return words("list", "being_updated")
    if row.undetermined:
        return words("list", "undetermined")
    if not row.shows_assessment:
        return None
    # What is withheld is told by the role, never by the journal: that there is no step at all is told to who sees all.
    withheld = withheld_rules(page.polku.assessor.pack, sees(page.principal.role, row.relation))
    return words("list", "no_step_shown" if withheld else "no_step")


def _notes(row: Row, words: Words) -> Iterator[str]:
    if row.relation in ("team", "provider", "emergency"):
        yield words("list_relations", row.relation)
    if row.restricted:
        yield words("list", "restricted")


def role_in_short(words: Words, role: str) -> str:
    """What a role is called among colleagues, who know where it belongs."""
    return words("list_roles", role)


def in_brief(day: Day, kinds: Mapping[str, str]) -> list[tuple[Item, list[str]]]:
    """What a day of the calendar is about, a client each: one of its items, and the kinds of subjects of them all.
    `kinds` are those of the rules."""
    by_client: dict[str, list[Item]] = {}
    for item in day.items:
        by_client.setdefault(item.case_id, []).append(item)
    return [(items[0], list(dict.fromkeys(kinds[item.rule] for item in items))) for items in by_client.values()]


# ---- choices


def due_choices(caseload: Caseload, found: Listed, words: Words) -> list[Choice]:
    """Everything, and each group of what is due with how many there are."""
    asked = found.asked
    everything = Choice("", words("list", "any_due"), asked.due is None, caseload.address("/clients", due=None))
    return [everything] + [
        Choice(
            code,
            words("list", "counted", name=words("list_due", code), count=found.by_due[code]),
            asked.due == code,
            caseload.address("/clients", due=code),
        )
        for code in DUE_GROUPS
    ]


def options(counts: Mapping[str, int], taken: str | None, names: Mapping[str, str], any_: str) -> list[Choice]:
    """The options of a filter with how many clients each would show; the one taken is there even when it shows none."""
    shown = [code for code in names if counts.get(code) or code == taken]
    return [Choice("", any_, taken is None, "")] + [
        Choice(code, f"{names[code]} ({counts.get(code, 0)})", code == taken, "") for code in shown
    ]


def sorts(taken: str, words: Words) -> list[Choice]:
    """The orders of the list."""
    return [Choice(code, words("list_sorts", code), code == taken, "") for code in SORTS]


def around(number: int, pages: int) -> list[int | None]:
    """The numbers of pages to link to: the first, the last and those around this one; None where some are left out."""
    near = sorted({1, pages, *(at for at in range(number - 2, number + 3) if 1 <= at <= pages)})
    linked: list[int | None] = []
    for before, at in zip([0, *near], near, strict=False):
        if at - before > 1:
            linked.append(None)
        linked.append(at)
    return linked


def names_of(codes: Sequence[str], name: Any) -> dict[str, str]:
    """Codes with their names, in order."""
    return {code: name(code) for code in codes}
