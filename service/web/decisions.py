"""Decision records and their replay in words: what a page tells of them, never what it looks like.

A record may have been altered by someone, or be of an older vocabulary: a code without a word is told as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.entries import ENTRY_TYPES
from rules.facts import FACTS, UNKNOWN, Fact, Value
from rules.pack import Pack
from rules.texts import catalogue as texts_catalogue
from rules.texts import texts
from service.audit.replay import EXPLAINED, Difference, Place, Replay
from service.recording.judging import STEP, TODAY
from service.rule_parts import versions_on
from service.web.formats import Formats
from service.web.rendering import role_name
from service.words import Words, catalogue, sentence
from statemachines import STATES

Json = Mapping[str, Any]
#: The outcomes of findings in the order a page shows them, with the macro's kind of label.
OUTCOMES = {
    "violated": "alert",
    "advised": "info",
    "unknown": "neutral",
    "remedied": "success",
    "satisfied": "success",
    "not_applicable": "neutral",
    "not_in_force": "neutral",
}
_OPEN = ("violated", "advised", "unknown")
#: What a replay compares of findings and of subjects beside their facts, in the order it is told.
_PARTS = (
    "outcome", "due", "missing", "judged_on", "set_aside", "action", "role", "step", "subject", "current", "ended",
    "proposed", "kind", "entry", "state", "holds_until", "inconsistent", "rule",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """Something told as a label and what it holds."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class FindingTold:
    """A finding of a record in words."""

    rule: str
    title: str
    about: str
    outcome: str
    kind: str
    due: str | None
    missing: tuple[str, ...]
    set_aside: bool
    role: str
    step: bool


@dataclass(frozen=True, slots=True)
class SubjectTold:
    """A subject with its facts in words."""

    title: str
    current: bool
    facts: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class JudgementTold:
    """One judgement of a record: what was asked, of which day, what was known and what it came to."""

    title: str
    today: bool
    state: tuple[Told, ...]
    subjects: tuple[SubjectTold, ...]
    #: None where it could not be judged.
    open: tuple[FindingTold, ...] | None
    others: tuple[FindingTold, ...]
    blocked_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepTold:
    """Advice as it was shown."""

    action: str
    role: str
    due: str | None
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DifferenceTold:
    """Something that came out otherwise: which rule or subject it is about, and what differs, then and now."""

    kind: str
    where: str
    title: str | None
    rows: tuple[tuple[str, str, str], ...]
    #: What the service says of it in its own technical words, where no table can.
    detail: str | None


class DecisionWords:
    """The words of decision records of one client: `pack` is the one they were taken under, on `day`; `entries` are
    those that may be seen."""

    def __init__(self, words: Words, pack: Pack, entries: Mapping[str, Json], day: date) -> None:
        self._words = words
        self._fmt = Formats(words.lang)
        self._pack = pack
        self._entries = entries
        self._day = day

    # --- names ---

    def title(self, rule: str, day: date | None = None) -> str:
        """What a rule is called."""
        try:
            found, _ = versions_on(self._pack, rule, day or self._day)
        except KeyError:
            return rule
        return self._words.of(found.title)

    def entry(self, name: str) -> str:
        """An entry by its kind and day, else by its id."""
        found = self._entries.get(name)
        if found is None or found["type"] not in ENTRY_TYPES:
            return self._words("decisions", "entry", id=name)
        return f"{self._words('entry_types', found['type'])} {self._fmt.day(found['date'])}"

    def subject(self, kind: str, entry: str | None) -> str:
        """What a finding is about."""
        named = self._known("kinds", kind)
        return named if entry is None else f"{named}: {self.entry(entry)}"

    def _known(self, section: str, code: str) -> str:
        return self._words(section, code) if code in catalogue()[section] else code

    def role(self, role: str) -> str:
        """What a role is called."""
        try:
            return role_name(self._words, role)
        except KeyError:
            return role

    def action(self, action: str) -> str:
        """An action in words."""
        known = texts_catalogue()["actions"]
        return texts("actions", action, self._words.lang) if action in known else action

    # --- the record ---

    def judgements(self, record: Json) -> list[JudgementTold]:
        """Every judgement of a record, today's first: it is what the advice came of."""
        items = sorted(record["judgements"], key=lambda item: item["purpose"] != TODAY)
        return [self._judgement(item) for item in items]

    def _judgement(self, item: Json) -> JudgementTold:
        words, day = self._words, date.fromisoformat(item["as_of"])
        if item["purpose"] == STEP:
            step = self._known("triggers", str(item["trigger"]))
            title = words("decisions", "of_step", step=step, day=words.day(day))
        else:
            key = "of_today" if item["purpose"] == TODAY else "of_entry_day"
            title = words("decisions", key, day=words.day(day))
        found = None if item["findings"] is None else [self.finding(one) for one in item["findings"]]
        codes = [one["outcome"] for one in item["findings"] or ()]
        paired = list(zip(codes, found or (), strict=True))
        order = list(OUTCOMES)
        paired.sort(key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
        return JudgementTold(
            title,
            item["purpose"] == TODAY,
            tuple(self._state(item["state"])),
            tuple(self._subject(one) for one in item["subjects"]),
            None if found is None else tuple(one for code, one in paired if code in _OPEN),
            tuple(one for code, one in paired if code not in _OPEN),
            tuple(self.title(rule, day) for rule in item["blocked_by"]),
        )

    def _state(self, state: Mapping[str, str | None]) -> Iterator[Told]:
        words, stage = self._words, state["stage"]
        yield Told(
            words("decisions", "stage"), words("decisions", "not_shown") if stage is None else self._stage(stage)
        )
        for chart in STATES:
            if state[chart] != "none":
                yield Told(words.chart(chart), self._state_of(chart, state[chart]))

    def _stage(self, stage: str) -> str:
        try:
            return self._words.stage(stage)
        except KeyError:
            return stage

    def _state_of(self, chart: str, state: str | None) -> str:
        if state is None:
            return self._words("decisions", "not_shown")
        try:
            return self._words.state(chart, state)
        except KeyError:
            return state

    def finding(self, item: Json) -> FindingTold:
        """A finding of the record."""
        words, outcome = self._words, str(item["outcome"])
        subject = item["subject"]
        day = date.fromisoformat(item["judged_on"])
        return FindingTold(
            str(item["rule"]),
            self.title(item["rule"], day),
            "" if subject["kind"] == "case" else sentence(self.subject(subject["kind"], subject["entry"])),
            sentence(self._known("outcomes", outcome)),
            OUTCOMES.get(outcome, "neutral"),
            None if item["due"] is None else words.day(date.fromisoformat(item["due"])),
            tuple(self.label(name) for name in item["missing"]),
            item["set_aside"] is not None,
            self.role(item["role"]),
            bool(item["step"]),
        )

    def _subject(self, item: Json) -> SubjectTold:
        facts = sorted(item["facts"].items(), key=lambda pair: list(FACTS).index(pair[0]) if pair[0] in FACTS else 0)
        told = tuple(Told(self.label(name), self.value(name, value)) for name, value in facts)
        return SubjectTold(sentence(self.subject(item["kind"], item["entry"])), bool(item["current"]), told)

    def label(self, name: str) -> str:
        """What a fact is called."""
        known = {**FACTS, **self._pack.editions[-1].vocabulary}
        return self._words.label(known[name]) if name in known else name

    def value(self, name: str, value: Any) -> str:
        """What a fact held, as the record keeps it."""
        fact = FACTS.get(name)
        if fact is None:
            return self._plain(value)
        try:
            return self._words.value(fact, _as_value(fact, value))
        except (KeyError, ValueError, TypeError):
            return self._plain(value)

    def _plain(self, value: Any) -> str:
        if value is None:
            return self._words("page", "not_recorded")
        if isinstance(value, bool):
            return self._words("values", "yes_no", "yes" if value else "no")
        if isinstance(value, list):
            return ", ".join(self._plain(item) for item in value) or self._words("decisions", "nothing")
        if isinstance(value, Mapping):
            return ", ".join(f"{name}: {self._plain(item)}" for name, item in value.items())
        return str(value)

    def advice(self, steps: Iterable[Json]) -> list[StepTold]:
        """Next steps as they were advised."""
        return [self._step(step) for step in steps]

    def _step(self, step: Json) -> StepTold:
        return StepTold(
            self.action(step["action"]),
            sentence(self.role(step["role"])),
            None if step["due"] is None else self._words.day(date.fromisoformat(step["due"])),
            tuple(self.title(rule) for rule in step["because"]),
        )

    def breaks(self, record: Json) -> list[str]:
        """The entries no chart allowed, each with why."""
        found = record["breaks"] or ()
        return [f"{self.entry(name)}: {self._known('inconsistent', reason)}" for name, reason in found]

    # --- replay ---

    def replayed(self, found: Replay, explained: bool) -> list[DifferenceTold]:
        """What differs: only what is explained, or only what is not."""
        chosen = (item for item in found.differences if (item.kind in EXPLAINED) is explained)
        return [self._difference(item) for item in chosen]

    def _difference(self, item: Difference) -> DifferenceTold:
        place = item.place
        title = self.title(place.rule, place.as_of) if place.rule is not None else None
        if title is None and place.kind is not None:
            title = sentence(self.subject(place.kind, place.entry))
        elif title is not None and place.kind not in (None, "case"):
            title = f"{title} ({self.subject(str(place.kind), place.entry)})"
        rows = tuple(self._rows(item))
        detail = None if rows or item.kind == "undetermined" else str(item)
        return DifferenceTold(item.kind, self._where(place), title, rows, detail)

    def _where(self, place: Place) -> str:
        if place.as_of is None:
            return ""
        day = self._words.day(place.as_of)
        if place.step is not None:
            return self._words("replays", "at_step", entry=self.entry(place.step), day=day)
        return self._words("replays", "at_day", day=day)

    def _rows(self, item: Difference) -> Iterator[tuple[str, str, str]]:
        words = self._words
        if item.kind in ("blocked_by", "acknowledged"):
            yield words("replays", item.kind), self._titles(item.kept), self._titles(item.now)
        elif item.kind == "advice":
            kept, now = (self._steps(steps) for steps in (item.kept, item.now))
            yield words("replays", "advice"), kept, now
        elif item.kind in ("findings", "facts", "fold") and _both_parts(item):
            yield from self._parts(item.kept, item.now, item.place)

    def _parts(self, kept: Any, now: Any, place: Place) -> Iterator[tuple[str, str, str]]:
        before, after = (value if isinstance(value, Mapping) else {} for value in (kept, now))
        names = dict.fromkeys([*(name for name in _PARTS if name in {**before, **after}), *before, *after])
        if "nothing" in (kept, now):  # all of one that has no other
            names = {name: None for name in names if name in ("outcome", "due") or name in FACTS}
        for name in names:
            if name == "state":
                yield from self._states(before.get(name), after.get(name))
                continue
            then, today = (self._part(name, value, side) for value, side in ((kept, before), (now, after)))
            yield self._part_label(name), then, today

    def _states(self, kept: Any, now: Any) -> Iterator[tuple[str, str, str]]:
        before, after = kept or {}, now or {}
        for chart in dict.fromkeys([*before, *after]):
            if before.get(chart) != after.get(chart):
                label = self._words("decisions", "stage") if chart == "stage" else self._words.chart(chart)
                shown = self._stage if chart == "stage" else lambda state, chart=chart: self._state_of(chart, state)
                yield label, shown(str(before.get(chart))), shown(str(after.get(chart)))

    def _part_label(self, name: str) -> str:
        return self._words("replay_parts", name) if name in _PARTS else self.label(name)

    def _part(self, name: str, whole: Any, side: Json) -> str:
        words = self._words
        if whole == "nothing":
            return words("replays", "was_not_there")
        value = side.get(name)
        if name == "outcome":
            return self._known("outcomes", str(value))
        if name in ("due", "judged_on", "holds_until"):
            return words("decisions", "nothing") if value is None else self._day_of(value)
        if name == "missing":
            return ", ".join(self.label(str(item)) for item in value or ()) or words("decisions", "nothing")
        if name == "action":
            return self.action(str(value))
        if name == "role":
            return self.role(str(value))
        if name == "inconsistent":
            return ", ".join(self.entry(str(item[0])) for item in value or ()) or words("decisions", "nothing")
        if name == "set_aside":
            return words("decisions", "nothing") if not value else self._aside(value)
        return self.value(name, value)

    def _aside(self, value: Any) -> str:
        if isinstance(value, Mapping):
            return ", ".join(self.title(rule) for rule in value)
        return self.entry(str(value))

    def _day_of(self, value: Any) -> str:
        try:
            return self._words.day(date.fromisoformat(value))
        except (ValueError, TypeError):
            return str(value)

    def _titles(self, rules: Sequence[str]) -> str:
        return ", ".join(self.title(rule) for rule in rules) or self._words("decisions", "nothing")

    def _steps(self, steps: Iterable[Json]) -> str:
        told = [self._step(step) for step in steps]
        shown = (f"{step.action} ({step.role}{f', {step.due}' if step.due else ''})" for step in told)
        return "; ".join(shown) or self._words("decisions", "nothing")


def _both_parts(item: Difference) -> bool:
    return all(isinstance(value, Mapping) or value == "nothing" for value in (item.kept, item.now))


def _as_value(fact: Fact, value: Any) -> Value:
    if fact.type == "date" and isinstance(value, str) and value != UNKNOWN:
        return date.fromisoformat(value)
    if value is None or type(value) in (str, int):
        found: Value = value
        return found
    raise TypeError("no fact has such a value")
