"""A check as pages show it: what was asked for of it, its findings by client and by rule, and the same as a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from io import BytesIO
from typing import Any

import xlsxwriter

from rules.facts import FACTS
from rules.pack import SEVERITIES, Pack
from rules.texts import texts
from service.check_changes import NEW, SETTLED, STILL_OPEN, UNDETERMINED, is_open
from service.checking import Shown
from service.spreadsheets import SETTINGS, Cell, Line, Sheets
from service.web.asking import Page
from service.web.listing import role_in_short
from service.web.rendering import query
from service.words import Words

CLIENTS, RULES = "clients", "rules"
#: Which findings: those there is something to do about, two kinds of them, those no longer open, and the rest.
OPEN, REST = "open", "rest"
WHICH = (OPEN, NEW, STILL_OPEN, SETTLED, REST)
#: Clients on a page.
ON_A_PAGE = 25
#: The columns of a file: the key of the heading, and the width in a workbook.
COLUMNS = (
    ("name", 26), ("case", 16), ("what", 48), ("who", 22), ("by_when", 14), ("outcome", 16), ("severity", 22),
    ("about", 48), ("missing", 40), ("state", 20), ("judged_on", 16), ("rule", 30), ("as_of", 16),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a check is asked for; empty: all."""

    by: str = CLIENTS
    which: str = OPEN
    rule: str = ""
    severity: str = ""
    page: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str], pack: Pack) -> Asked:
        """What an address asks for; what means nothing is left out."""
        number = asked.get("page", "")
        return cls(
            by=RULES if asked.get("by") == RULES else CLIENTS,
            which=asked["which"] if asked.get("which") in WHICH else OPEN,
            rule=asked["rule"] if pack.versions(asked.get("rule", "")) else "",
            severity=asked["severity"] if asked.get("severity") in SEVERITIES else "",
            page=int(number) if number.isascii() and number.isdigit() and 0 < len(number) < 7 and int(number) else 1,
        )

    def address(self, path: str, **changes: Any) -> str:
        """The address of the same with some changes, what is usual left out; another question begins at page 1."""
        asked = replace(self, **{"page": 1, **changes})
        return path + query(
            by=None if asked.by == CLIENTS else asked.by,
            which=None if asked.which == OPEN else asked.which,
            rule=asked.rule,
            severity=asked.severity,
            page=None if asked.page == 1 else asked.page,
        )


@dataclass(frozen=True, slots=True)
class Point:
    """A finding in words: what to do, who, by when, and what it is about. `marks` tell how it stands."""

    rule: str
    what: str
    who: str
    due: str | None
    about: str
    severity: str
    outcome: str
    missing: tuple[str, ...]
    change: str | None
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Client:
    """A client with their findings, the most urgent first. `undetermined`: they could not be told."""

    id: str
    name: str
    undetermined: bool
    points: tuple[Point, ...]

    @property
    def to_do(self) -> list[Point]:
        """What is to be done, or was."""
        return [item for item in self.points if item.outcome != "unknown"]

    @property
    def to_find_out(self) -> list[Point]:
        """What could not be told for want of information."""
        return [item for item in self.points if item.outcome == "unknown"]


@dataclass(frozen=True, slots=True)
class Of:
    """A rule with how many clients it found something of, and for how many of them that is new."""

    rule: str
    title: str
    severity: str
    clients: int
    new: int


class Results:
    """What a check found, as it is asked for. `shown` holds only what the reader may see."""

    def __init__(self, shown: Sequence[Shown], asked: Asked) -> None:
        self._shown = shown
        self.asked = asked
        told = [item for item in shown if item.found["outcome"] != UNDETERMINED]
        self.counts = {which: sum(_is(item, which) for item in told) for which in WHICH}
        self.undetermined = len(shown) - len(told)
        self._chosen: dict[str, list[Shown]] = {}
        for item in sorted(shown, key=_urgency):
            if _is(item, asked.which) and self._matches(item):
                self._chosen.setdefault(item.case_id, []).append(item)
        #: Who is among what was chosen, those with the most urgent first.
        self.clients = list(self._chosen)
        self.points = sum(item.found["outcome"] != UNDETERMINED for items in self._chosen.values() for item in items)
        self.pages = max(1, -(-len(self.clients) // ON_A_PAGE))
        self.page = min(asked.page, self.pages)

    def _matches(self, item: Shown) -> bool:
        found = item.found
        if found["outcome"] == UNDETERMINED:
            return not (self.asked.rule or self.asked.severity)
        return self.asked.rule in ("", found["rule"]) and self.asked.severity in ("", found["severity"])

    @property
    def on_page(self) -> dict[str, str]:
        """The clients on the page that is asked for, each with the reader's relation."""
        start = (self.page - 1) * ON_A_PAGE
        return self.relations(self.clients[start : start + ON_A_PAGE])

    def relations(self, clients: Iterable[str]) -> dict[str, str]:
        """How the reader stands to some of the clients."""
        return {case_id: self._chosen[case_id][0].relation for case_id in clients}

    def of(self, case_id: str) -> list[Shown]:
        """What was chosen about a client, the most urgent first."""
        return self._chosen[case_id]

    def rules(self, pack: Pack, words: Words) -> list[Of]:
        """What was chosen, by rule: the rules about the most clients first within each severity."""
        clients: dict[str, set[str]] = {}
        new: dict[str, set[str]] = {}
        severities: dict[str, str] = {}
        for item in (item for items in self._chosen.values() for item in items):
            rule = item.found["rule"]
            if rule is None:
                continue
            clients.setdefault(rule, set()).add(item.case_id)
            severities[rule] = item.found["severity"]
            if item.change == NEW:
                new.setdefault(rule, set()).add(item.case_id)
        found = [
            Of(rule, title_of(pack, rule, words), severities[rule], len(clients[rule]), len(new.get(rule, ())))
            for rule in clients
        ]
        return sorted(found, key=lambda item: (SEVERITIES.index(item.severity), -item.clients, item.title))

    def rules_there(self, pack: Pack, words: Words) -> list[tuple[str, str]]:
        """The rules that found something of this kind, for a filter: id and title, by title."""
        there = {item.found["rule"] for item in self._shown if _is(item, self.asked.which) and item.found["rule"]}
        return sorted(((rule, title_of(pack, rule, words)) for rule in there), key=lambda item: item[1])


def _is(item: Shown, which: str) -> bool:
    if item.change == SETTLED or which == SETTLED:
        return item.change == SETTLED and which == SETTLED
    if which in (NEW, STILL_OPEN):
        return item.change == which
    return is_open(item.found) == (which == OPEN)


def _urgency(item: Shown) -> tuple[bool, int, str, str, str]:
    """What comes first: who could not be told of, what is to be done (obligations, what is due soonest), and after that
    what is to be found out."""
    found = item.found
    severity = found.get("severity")
    rank = SEVERITIES.index(severity) if severity in SEVERITIES else -1
    return found["outcome"] == "unknown", rank, found.get("due") or "9999", item.case_id, found["rule"] or ""


def title_of(pack: Pack, rule: str, words: Words) -> str:
    """What a rule is called; one that the pack no longer has, by its id."""
    versions = pack.versions(rule)
    return words.of(versions[-1].title) if versions else rule


def clients_of(page: Page, results: Results, names: Mapping[str, str], ids: Iterable[str]) -> list[Client]:
    """Clients with what was chosen about them, in words."""
    made = []
    for case_id in ids:
        found = results.of(case_id)
        points = tuple(point(page, item) for item in found if item.found["outcome"] != UNDETERMINED)
        made.append(Client(case_id, names.get(case_id, case_id), len(points) < len(found), points))
    return made


def point(page: Page, item: Shown) -> Point:
    """A finding in words."""
    found, words = item.found, page.words
    missing = tuple(words.label(FACTS[name]) for name in found["missing"] if name in FACTS)
    unknown = found["outcome"] == "unknown"
    return Point(
        rule=found["rule"],
        what=words("check", "find_out") if unknown else texts("actions", found["action"], words.lang),
        who=role_in_short(words, found["role"]),
        due=found["due"],
        about=title_of(page.polku.assessor.pack, found["rule"], words),
        severity=found["severity"],
        outcome=found["outcome"],
        missing=missing,
        change=item.change,
        marks=tuple(_marks(item, words)),
    )


def _marks(item: Shown, words: Words) -> Iterator[str]:
    if item.change in (NEW, SETTLED, STILL_OPEN):
        yield words("check", f"is_{item.change}")
    if item.found["set_aside"] is not None:
        yield words("check", "is_set_aside")
    elif not is_open(item.found):
        yield words("check", "is_over")


# --- as a file ---


def lines(page: Page, results: Results, names: Mapping[str, str], as_of: str) -> Iterator[Line]:
    """The lines of the file: headings, then a line a finding, in the order of the page."""
    words = page.words
    yield [words("export", "name"), *(words("check_columns", key) for key, _ in COLUMNS[1:])]
    for client in clients_of(page, results, names, results.clients):
        if client.undetermined:
            told = words("outcomes", UNDETERMINED)
            yield [names.get(client.id), client.id, told, *[None] * (len(COLUMNS) - 4), date.fromisoformat(as_of)]
        for item, said in zip((i for i in results.of(client.id) if i.found["rule"]), client.points, strict=True):
            yield [names.get(client.id), *_cells(client.id, item, said, words), date.fromisoformat(as_of)]


def _cells(case_id: str, item: Shown, said: Point, words: Words) -> list[Cell]:
    return [
        case_id,
        said.what,
        said.who,
        date.fromisoformat(said.due) if said.due is not None else None,
        words("outcomes", said.outcome),
        words("severities", said.severity),
        said.about,
        "; ".join(said.missing) or None,
        "; ".join(said.marks) or None,
        date.fromisoformat(item.found["judged_on"]),
        said.rule,
    ]


def as_xlsx(told: Iterable[Line], words: Words, now: datetime) -> bytes:
    """Lines as a workbook."""
    made = BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, **SETTINGS}) as book:
        Sheets(book, words("check", "title"), now).add(
            words("check", "sheet_findings"), [width for _, width in COLUMNS], told
        )
    return made.getvalue()
