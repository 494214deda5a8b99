"""What is next for a client as their page tells it: the assessment as far as it may be seen, in the reader's words.

Nothing is told here that `withhold_assessment` leaves out: what stands on the page is read off its answer, and the
whole assessment is asked only for what such a finding is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from rules.assessment import Assessment
from rules.facts import FACTS
from rules.pack import SEVERITIES, Pack
from rules.provenance import of_fact
from rules.texts import texts
from service.access.policy import may_void
from service.access.withholding import PATH_INCONSISTENT, WITHHELD, withhold_assessment
from service.explaining import detail
from service.recording.advice import carried_out_by
from service.rule_parts import by_document
from service.web.bundles import FROM_ELSEWHERE, forms_for, title_of
from service.web.clients import OpenClient
from service.web.entry_words import entry_title
from service.web.near import near
from service.words import Words, sentence
from statemachines import TRIGGERS

DATES_AHEAD = 8
SET_ASIDE = "advice_set_aside"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Named:
    """Something with a page of its own: its id, and what it is called."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class StepShown:
    """A next step: what, who (`mine`: the reader's role), by when, why, and the forms by which it is recorded.

    `records` says whether the reader records anything for this client, `by_others` that the forms are another role's,
    `sets_aside` holds the rules whose advice the reader may set aside.
    """

    text: str
    role: str
    mine: bool
    due: date | None
    near: str | None
    status: str
    because: tuple[Named, ...]
    forms: tuple[Named, ...]
    records: bool
    by_others: bool
    sets_aside: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A finding of which something is to be told: its rule in plain words, and how it is settled."""

    rule: Named
    severity: str
    outcome: str
    due: date | None
    near: str | None
    about: str
    text: str
    caution: str | None
    source: str
    settle: str
    forms: tuple[Named, ...]
    #: The entry that, put right, would give what is missing.
    completes: str | None = None
    missing: str = ""
    reason: str | None = None
    until: date | None = None
    to_check: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Possible:
    """A step the charts allow: what it is called, the form that records it, what it needs, what stands before it."""

    trigger: str
    name: str
    form: str
    records: bool
    needs: str = ""
    blocked_by: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Ahead:
    """A day ahead on which an outcome changes: `when` in words, and the first day of the new outcome."""

    day: date
    when: str
    near: str
    rule: Named
    outcome: str


@dataclass(frozen=True)
class Assessed:
    """One assessment as a client's page tells it."""

    found: Assessment
    client: OpenClient
    words: Words

    @cached_property
    def told(self) -> Json:
        """The assessment as far as it may be seen."""
        return withhold_assessment(self.found, self.client.sight)

    @property
    def pack(self) -> Pack:
        """The pack it was assessed by."""
        return self.found.pack

    @cached_property
    def _titles(self) -> dict[str, str]:
        return {rule.id: self.words.of(rule.title) for rule in self.pack.editions[-1].rules}

    @cached_property
    def _severity(self) -> dict[str, str]:
        return {rule.id: rule.severity for rule in self.pack.editions[-1].rules}

    def rule(self, rule: str) -> Named:
        """A rule with its title."""
        return Named(rule, self._titles[rule])

    # --- next steps ---

    @cached_property
    def steps(self) -> list[StepShown]:
        """The next steps, the most urgent first."""
        return [self._step(step) for step in self.told["next_steps"]]

    def _step(self, step: Json) -> StepShown:
        due, client = _day(step["due"]), self.client
        because, forms = tuple(self.rule(rule) for rule in step["because"]), self._forms(step["action"])
        return StepShown(
            text=step["text"],
            role=step["role"],
            mine=step["role"] == client.sight.role,
            due=due,
            near=self._near(due),
            status=step["status"],
            because=because,
            forms=forms,
            records=client.records,
            by_others=bool(carried_out_by()[step["action"]]) and not forms,
            sets_aside=because if client.may_record(SET_ASIDE) else (),
        )

    def _near(self, day: date | None) -> str | None:
        return None if day is None else near(self.words, day, self.found.as_of)

    def _forms(self, action: str) -> tuple[Named, ...]:
        """The forms that carry out an action, as far as the reader may record by them; what is recorded from where it
        stands has a page to choose it."""
        chosen = [type_ for type_ in carried_out_by()[action] if type_ in FROM_ELSEWHERE]
        forms = forms_for(action, self.client) or [type_ for type_ in chosen if self.client.may_record(type_)]
        return tuple(Named(form, title_of(form, self.words)) for form in forms)

    # --- findings ---

    @cached_property
    def current(self) -> list[Json]:
        """The findings that may be seen about what is current."""
        return [item for item in self.told["findings"] if "withheld" not in item and item["subject"]["current"]]

    @cached_property
    def _over(self) -> set[tuple[str, str, str | None]]:
        """The findings about something that has ended, which nobody can settle any more."""
        findings = self.found.findings
        return {item.key for item in findings if item.subject.ended and not item.rule.about_ending}

    def _is_over(self, item: Json) -> bool:
        return (item["rule"], item["subject"]["kind"], item["subject"]["entry"]) in self._over

    def _open(self) -> Iterator[Json]:
        return (item for item in self.current if item["outcome"] in ("violated", "advised"))

    @cached_property
    def points(self) -> list[Point]:
        """The open points, by the weight of their rules; what is only for information is told when it warns."""
        found = [item for item in self._open() if item["set_aside"] is None and not self._is_over(item)]
        told = [item for item in found if item["severity"] != "information" or item["caution"]]
        return [self._point(item) for item in sorted(told, key=lambda item: SEVERITIES.index(item["severity"]))]

    @cached_property
    def set_aside(self) -> list[Point]:
        """The advice a professional set aside."""
        return [self._point(item) for item in self._open() if item["set_aside"] is not None]

    @cached_property
    def left_open(self) -> list[Point]:
        """What was open when its episode ended."""
        found = (item for item in self._open() if item["set_aside"] is None and self._is_over(item))
        return [self._point(item) for item in found]

    @cached_property
    def missing(self) -> list[Point]:
        """What cannot be judged before something is recorded."""
        return [self._point(item) for item in self.current if item["outcome"] == "unknown"]

    def came_out(self, outcome: str) -> list[Named]:
        """The rules that came to an outcome, each once."""
        found = (item["rule"] for item in self.current if item["outcome"] == outcome)
        return [self.rule(rule) for rule in dict.fromkeys(found)]

    def _point(self, item: Json) -> Point:
        due, aside = _day(item["due"]), item["set_aside"] or {}
        return Point(
            rule=Named(item["rule"], item["title"]),
            severity=item["severity"],
            outcome=item["outcome"],
            due=due,
            near=self._near(due),
            about=self._about(item),
            text=item["text"],
            caution=item["caution"],
            source=f"{self.words('authorities', item['authority'])}: {source_titles(self.pack, item['source'])}",
            settle=texts("actions", item["action"], self.words.lang),
            forms=self._forms(item["action"]),
            completes=self._completes(item),
            missing=self._missing(item),
            reason=aside.get("reason"),
            until=_day(aside.get("until")),
            to_check=self._to_check() if item["rule"] == PATH_INCONSISTENT else (),
        )

    def _about(self, item: Json) -> str:
        """Which of several things a finding is about, when its rule speaks of more than one."""
        same = [other for other in self.current if other["rule"] == item["rule"]]
        return self.subject(item["subject"]) if len(same) > 1 else ""

    def subject(self, subject: Json) -> str:
        """What a finding is about: the entry that began it, where it may be seen."""
        entry = self.client.entries.get(subject["entry"] or "")
        if entry is None:
            return self.words("kinds", subject["kind"])
        return self.entry_named(entry)

    def entry_named(self, entry: Json) -> str:
        """An entry by its type and day."""
        return entry_title(self.words, entry)

    def _missing(self, item: Json) -> str:
        vocabulary = self.pack.ruleset(self.found.as_of).vocabulary
        labels = [self.words.of(vocabulary[name].labels) for name in item["missing"] if name in vocabulary]
        return ", ".join(dict.fromkeys(labels))

    def _completes(self, item: Json) -> str | None:
        """The entry whose own details are missing, when the reader may correct it."""
        entry, client = item["subject"]["entry"], self.client
        if entry not in client.entries or not any(_told_by(client.entries[entry], name) for name in item["missing"]):
            return None
        allowed = client.may_record("correction") and may_void(client.sight.role, client.relation, client.case, entry)
        return str(entry) if allowed else None

    def _to_check(self) -> tuple[Named, ...]:
        entries = self.client.entries
        return tuple(
            Named(name, f"{self.entry_named(entries[name])}: {self.words('inconsistent', reason)}")
            for name, reason in self.found.inconsistent
            if name in entries
        )

    # --- what could be done ---

    def possible(self, status: str) -> list[Possible]:
        """The steps of one status."""
        return [self.step_named(item) for item in self.told["triggers"] if item["status"] == status]

    def step_named(self, item: Json) -> Possible:
        """A step with what it needs and what stands before it."""
        trigger = item["trigger"]
        form = TRIGGERS[trigger].entry_type
        return Possible(
            trigger=trigger,
            name=self.words("triggers", trigger),
            form=form,
            records=self.client.may_record(form),
            needs=", ".join(detail(self.found, trigger, name, self.words) for name in item["needs"]),
            blocked_by=tuple(self.rule(rule) for rule in item["blocked_by"]),
        )

    @property
    def next_triggers(self) -> list[str]:
        """The steps that could be taken now."""
        return [item["trigger"] for item in self.told["triggers"] if item["status"] == "open"]

    # --- the days ahead, and what is withheld ---

    @cached_property
    def ahead(self) -> list[Ahead]:
        """The days on which something is to be done, or comes to be unknown, if nothing is recorded."""
        return [
            self._ahead(item)
            for item in self.told["agenda"]
            if item["to"] in ("violated", "advised", "unknown") and self._severity[item["rule"]] != "information"
        ]

    def _ahead(self, item: Json) -> Ahead:
        last, first = date.fromisoformat(item["last_day"]), date.fromisoformat(item["changes_on"])
        late, words = item["to"] == "violated", self.words
        when = (
            words("page", "on_last_day", day=words.day(last))
            if late
            else words("page", "from_day", day=words.day(first))
        )
        shown = near(words, last if late else first, self.found.as_of)
        return Ahead(first, sentence(when), shown, self.rule(item["rule"]), item["to"])

    @property
    def partial(self) -> bool:
        """Whether something of the advice is withheld. (It is told from what the role sees, never from the journal.)"""
        withheld: Json = self.told.get("withheld", {})
        return any(withheld.get(name) for name in ("next_steps", "state", "triggers"))

    @cached_property
    def withheld_rules(self) -> list[Named]:
        """The rules in force of which nothing is told in this role."""
        return [self.rule(rule) for rule in self.told.get("withheld", {}).get("rules", ())]

    @cached_property
    def withheld_steps(self) -> list[str]:
        """The steps of which it is not told whether they could be taken."""
        return [self.words("triggers", item["trigger"]) for item in self.told["triggers"] if item["status"] == WITHHELD]


def source_titles(pack: Pack, sources: Iterable[Mapping[str, Any]]) -> str:
    """Sources by the titles of their documents, each with its sections."""
    named = (
        f"{title} ({', '.join(sections)})" if sections else title for title, _, sections in by_document(pack, sources)
    )
    return "; ".join(named)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _told_by(entry: Json, fact: str) -> bool:
    """Whether a fact is missing because a detail of the entry that began its subject was left out."""
    if fact not in FACTS:
        return False
    known = FACTS[fact]
    own = (entry["type"], known.field) in of_fact(fact) and entry.get(known.field) in (None, "unknown")
    return known.of_its_entries or own
