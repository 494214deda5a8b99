"""A caseload as a worker looks at it: filtered, searched, sorted, in pages; its days ahead; its work in numbers.

Pure: rows in, rows and numbers out. Numbers count work to do, never what anybody is worth. Whatever someone types is
text to compare with, nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import Calendar
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

from rules.entries import FIRST_YEAR, LAST_YEAR
from rules.pack import ROLES
from rules.steps import DUE_WITHIN_DAYS, Step
from service.outlook_rows import CHANGE, Ahead, Row
from statemachines import STAGES

ON_A_PAGE = 50
#: By what a client's next step is grouped; one without a next step is in none.
DUE_GROUPS = ("overdue", "this_week", "later", "no_date")
SORTS = ("due", "name", "stage")
#: Days ahead that a team's page looks.
AHEAD_DAYS = 30
BETWEEN = "between_services"
#: Outcomes that ask for something; a change to another is no day to note down.
_ASKING = ("violated", "advised")
LONGEST_SEARCH = 200
_MONTH = re.compile("[0-9]{4}-[0-9]{2}")
#: Finnish sorts these after z, in this order; they are letters of their own, and not a or o with a mark.
_OWN_LETTERS = str.maketrans("åäö", "{|}")


# ---- what is asked for


@dataclass(frozen=True, slots=True)
class Filter:
    """Which clients to show, in which order, which page. `who`: a role that has something to do; `mine`: only clients
    the reader is assigned to; `closed`: closed cases instead of open ones."""

    q: str = ""
    stage: str | None = None
    who: str | None = None
    due: str | None = None
    mine: bool = False
    closed: bool = False
    sort: str = "due"
    page: int = 1

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> Filter:
        """The filter a query string asks for. What it asks that there is not is left out: it never raises."""
        number = query.get("page", "")
        is_number = number.isascii() and number.isdigit() and len(number) < 9
        return cls(
            q=_searched(query.get("q", "")),
            stage=_one_of(STAGES, query.get("stage")),
            who=_one_of(ROLES, query.get("who")),
            due=_one_of(DUE_GROUPS, query.get("due")),
            mine=query.get("mine") == "1",
            closed=query.get("closed") == "1",
            sort=_one_of(SORTS, query.get("sort")) or "due",
            page=max(int(number), 1) if is_number else 1,
        )

    def query(self, **changes: Any) -> dict[str, str]:
        """The query string's parts of this filter with some changes, what is usual left out. Another choice begins at
        the first page, unless the page is among the changes."""
        changed = replace(self, **({"page": 1} | changes if changes else {}))
        usual = Filter()
        told = {item.name: getattr(changed, item.name) for item in fields(Filter)}
        given = {name: value for name, value in told.items() if value != getattr(usual, name)}
        return {name: "1" if value is True else str(value) for name, value in given.items()}


def _one_of(known: Sequence[str], asked: str | None) -> str | None:
    return next((item for item in known if item == asked), None)


def _searched(text: str) -> str:
    """A search as it is compared and shown again: on one line, without what cannot be seen."""
    plain = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text[: 4 * LONGEST_SEARCH])
    return unicodedata.normalize("NFC", " ".join(plain.split()))[:LONGEST_SEARCH]


# ---- a list


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the clients that match. `total` is how many match, `all` how many there are before filtering, `stale`
    those of all that are being worked out. `by_due`, `by_stage`, `by_role`: how many clients each choice of that filter
    would show, the other filters staying as they are."""

    rows: tuple[Row, ...]
    total: int
    page: int
    pages: int
    asked: Filter
    today: date
    all: int
    stale: int
    by_due: Mapping[str, int]
    by_stage: Mapping[str, int]
    by_role: Mapping[str, int]


def listed(rows: Sequence[Row], asked: Filter, today: date, *, whole: bool = False) -> Listed:
    """The page asked for (the last one, when it asks for a later); with `whole`, all that match on one page."""
    found = matching(rows, asked, today)
    size = max(len(found), 1) if whole else ON_A_PAGE
    pages = max(-(-len(found) // size), 1)
    page = 1 if whole else min(asked.page, pages)
    by_stage = Counter(row.stage for row in _passing(rows, replace(asked, stage=None), today) if row.stage is not None)
    groups = (due_group(_leading(row, asked), today) for row in _passing(rows, replace(asked, due=None), today))
    by_due = Counter(group for group in groups if group is not None)
    by_role = Counter(
        role for row in _passing(rows, replace(asked, who=None), today) for role in {step.role for step in row.steps}
    )
    return Listed(
        rows=tuple(found[(page - 1) * size : page * size]),
        total=len(found),
        page=page,
        pages=pages,
        asked=replace(asked, page=page),
        today=today,
        all=len(rows),
        stale=sum(not row.fresh for row in rows),
        by_due={group: by_due[group] for group in DUE_GROUPS},
        by_stage={stage: by_stage[stage] for stage in STAGES if by_stage[stage]},
        by_role={role: by_role[role] for role in ROLES if by_role[role]},
    )


def matching(rows: Iterable[Row], asked: Filter, today: date) -> list[Row]:
    """The rows that match, sorted."""
    return sorted(_passing(rows, asked, today), key=_ORDERS[asked.sort](asked, today))


def due_group(step: Step | None, today: date) -> str | None:
    """The group of a next step; None without one."""
    if step is None:
        return None
    if step.due is None:
        return "no_date"
    days = (step.due - today).days
    return "overdue" if days < 0 else "this_week" if days <= DUE_WITHIN_DAYS else "later"


def _leading(row: Row, asked: Filter) -> Step | None:
    """The step a row is looked at by: the most urgent one, or that of the role asked for."""
    return row.step if asked.who is None else row.step_of(asked.who)


def _passing(rows: Iterable[Row], asked: Filter, today: date) -> Iterator[Row]:
    words = [_folded(word) for word in asked.q.split()]
    for row in rows:
        if asked.mine and row.relation != "assigned":
            continue
        if asked.stage is not None and row.stage != asked.stage:
            continue
        step = _leading(row, asked)
        if asked.who is not None and step is None:
            continue
        if asked.due is not None and due_group(step, today) != asked.due:
            continue
        if words and not _found(words, row):
            continue
        yield row


def _found(words: Iterable[str], row: Row) -> bool:
    """Whether each word stands in the client's name or id."""
    text = f"{_folded(row.name or '')}\n{_folded(row.case_id)}"
    return all(word in text for word in words)


def _folded(text: str) -> str:
    """Text as it is compared: large and small letters alike, and marks left out, but å, ä and ö are letters."""
    plain = unicodedata.normalize("NFC", text).casefold()
    if plain.isascii():
        return plain
    return "".join(char if char in "åäö" else _without_marks(char) for char in plain)


def _without_marks(char: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFD", char) if not unicodedata.combining(part))


Key = Callable[[Row], tuple[Any, ...]]


def _name(row: Row) -> tuple[bool, str, str]:
    """By name as Finnish sorts; who has none comes after, by id."""
    return row.name is None, _folded(row.name or "").translate(_OWN_LETTERS), row.case_id


def _by_name(asked: Filter, today: date) -> Key:
    return _name


def _by_due(asked: Filter, today: date) -> Key:
    """Overdue first, then by due date, then what is to be done without a date, then what can be; then by name."""

    def key(row: Row) -> tuple[Any, ...]:
        step = _leading(row, asked)
        if step is None:
            return (3, 0, *_name(row))
        if step.due is not None:
            return (0, step.due.toordinal(), *_name(row))
        return (1 if step.status == "do_now" else 2, 0, *_name(row))

    return key


def _by_stage(asked: Filter, today: date) -> Key:
    """In the order of the path, from its beginning; then by what is due."""
    place = {stage: number for number, stage in enumerate(reversed(STAGES))}
    due = _by_due(asked, today)
    return lambda row: (place.get(row.stage or "", len(place)), *due(row))


_ORDERS = {"due": _by_due, "name": _by_name, "stage": _by_stage}


# ---- a calendar


@dataclass(frozen=True, slots=True)
class Item:
    """What a day is about: a client, a rule, and what is due or begins that day (`service.outlook_rows.Ahead`)."""

    day: date
    case_id: str
    name: str | None
    rule: str
    kind: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a calendar; one of another month holds nothing."""

    day: date
    in_month: bool
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Month:
    """A month in whole weeks, Monday first."""

    first: date
    weeks: tuple[tuple[Day, ...], ...]

    @property
    def items(self) -> list[Item]:
        """Everything in it, by day."""
        return [item for week in self.weeks for day in week for item in day.items]


def month_asked(text: str | None, today: date) -> date:
    """The first day of the month a query string asks for (2026-11); of today's month when it asks for none there is."""
    if text is not None and _MONTH.fullmatch(text):
        year, month = int(text[:4]), int(text[5:])
        if FIRST_YEAR <= year < LAST_YEAR and 1 <= month <= 12:
            return date(year, month, 1)
    return today.replace(day=1)


def calendar(rows: Iterable[Row], month: date) -> Month:
    """The days of a month (any day of it) with what is due on them, what is the last day to do, and what begins."""
    by_day: dict[date, set[Item]] = defaultdict(set)
    for row in rows:
        for item in _noted(row):
            by_day[item.day].add(item)
    weeks = Calendar().monthdatescalendar(month.year, month.month)
    return Month(
        month.replace(day=1),
        tuple(
            tuple(
                Day(day, True, tuple(sorted(by_day.get(day, ()), key=_item_order)))
                if day.month == month.month
                else Day(day, False, ())
                for day in week
            )
            for week in weeks
        ),
    )


def _noted(row: Row) -> Iterator[Item]:
    """The days to note down for a client, one for each rule and day.

    When something will no longer be met, the day is the last one on which it is; when something begins to be asked
    for, that one. What is due already stands there by its day.
    """
    seen: set[tuple[str, date]] = set()
    for ahead in sorted(row.dates, key=lambda item: item.kind == CHANGE):
        day = _day_to_note(ahead)
        if ahead.outcome in _ASKING and (ahead.rule, day) not in seen:
            seen.add((ahead.rule, day))
            yield Item(day, row.case_id, row.name, ahead.rule, ahead.kind, ahead.outcome)


def _day_to_note(ahead: Ahead) -> date:
    return ahead.last_day if ahead.outcome == "violated" else ahead.day


def _item_order(item: Item) -> tuple[Any, ...]:
    return item.name is None, _folded(item.name or "").translate(_OWN_LETTERS), item.case_id, item.rule


# ---- a team


@dataclass(frozen=True, slots=True)
class Count:
    """An obligation that is not met or is due: of how many clients, and of how many it is late or not met."""

    rule: str
    clients: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Coming:
    """A limit within the days ahead: of which rule, what it comes to, of how many clients, and when first."""

    rule: str
    outcome: str
    clients: int
    first: date


@dataclass(frozen=True, slots=True)
class Load:
    """How many open clients a worker has in a role."""

    worker: str
    role: str
    clients: int


@dataclass(frozen=True, slots=True)
class Overview:
    """A team's work in numbers. `stale`: clients of whom only that they are there is counted so far."""

    clients: int
    obligations: tuple[Count, ...]
    ahead: tuple[Coming, ...]
    workers: tuple[Load, ...]
    between_services: int
    stages: Mapping[str, int]
    undetermined: int
    stale: int


def team_overview(rows: Sequence[Row], today: date) -> Overview:
    """What there is to do with these clients: open obligations, limits within 30 days, who has how many clients."""
    stages = Counter(row.stage for row in rows if row.stage is not None)
    workers = Counter(worker for row in rows for worker in set(row.workers))
    return Overview(
        clients=len(rows),
        obligations=tuple(_obligations(rows, today)),
        ahead=tuple(_coming(rows, today)),
        workers=tuple(
            Load(worker, role, count) for (worker, role), count in sorted(workers.items(), key=lambda item: item[0])
        ),
        between_services=stages[BETWEEN],
        stages={stage: stages[stage] for stage in STAGES if stages[stage]},
        undetermined=sum(row.undetermined for row in rows),
        stale=sum(not row.fresh for row in rows),
    )


def _obligations(rows: Iterable[Row], today: date) -> Iterator[Count]:
    open_of: dict[str, set[str]] = defaultdict(set)
    late_of: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for item in row.open:
            if item.severity == "obligation" and item.gives_step:
                open_of[item.rule].add(row.case_id)
                if item.outcome == "violated" or (item.due is not None and item.due < today):
                    late_of[item.rule].add(row.case_id)
    for rule, clients in sorted(open_of.items(), key=lambda item: (-len(item[1]), item[0])):
        yield Count(rule, len(clients), len(late_of[rule]))


def _coming(rows: Iterable[Row], today: date) -> Iterator[Coming]:
    last = today + timedelta(days=AHEAD_DAYS)
    clients: dict[tuple[str, str], set[str]] = defaultdict(set)
    first: dict[tuple[str, str], date] = {}
    for row in rows:
        for item in _noted(row):
            if today <= item.day <= last:
                key = item.rule, item.outcome
                clients[key].add(row.case_id)
                first[key] = min(item.day, first.get(key, item.day))
    for key in sorted(clients, key=lambda item: (first[item], item)):
        yield Coming(*key, len(clients[key]), first[key])
