"""The lanes of a time line, read from a case document as far as its reader may see it.

Everything here is a function of the withheld document: what is hidden is not there to be used. A lane is not told where
entries it rests on are hidden, since without them it would tell something else than happened. The charts are followed
as everywhere (statemachines), corrections count as everywhere (rules.fold), so a damaged journal gives what its entries
allow and never fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

from rules.calendar import ONE_DAY, add_months
from rules.fold.record import field, visible_entries
from rules.fold.services import activity_days, planned_end
from rules.journal import Case
from service.web.pictures.model import Bar, Lane, Mark
from service.words import Words, clean, sentence
from statemachines import PHASES, CoachingEpisode, Episode, Path, follow

Texts = Callable[..., str]
Json = Mapping[str, Any]

#: What each lane rests on: entry types, and those of their fields that are shown.
_RESTS_ON: dict[str, dict[str, tuple[str, ...]]] = {
    "activity": {
        "activity_started": ("period_end", "days_per_week"),
        "activity_changed": ("period_end", "days_per_week"),
        "activity_paused": (),
        "activity_resumed": ("days_per_week",),
        "activity_ended": (),
    },
    "coaching": {
        "coaching_started": ("provider", "period_end"),
        "coaching_phase_reached": ("phase",),
        "coaching_renewed": ("period_end",),
        "coaching_interrupted": ("review_on",),
        "coaching_resumed": (),
        "coaching_ended": (),
    },
    "work_trial": {
        "work_trial_agreed": ("start", "employer"),
        "work_trial_started": ("planned_end", "employer"),
        "work_trial_extended": ("planned_end",),
        "work_trial_ended": (),
    },
    "employment": {
        "job_agreed": ("start", "employer"),
        "job_started": ("kind", "employer"),
        "job_ended": ("employer",),
    },
    "plan": {"activation_plan_updated": ("kind", "valid_until"), "plan_reviewed": ()},
    "statements": {
        "statement_issued": ("measure", "paying", "start", "end"),
        "statement_withdrawn": ("measure",),
    },
    "consents": {
        "consent_given": ("scope", "parties", "expires_on"),
        "consent_withdrawn": ("scope", "parties"),
    },
    "case": {"case_closed": (), "case_reopened": (), "outcome_reached": ("outcome",)},
}  # fmt: skip
_DAYS = frozenset({"date", "start", "end", "period_end", "planned_end", "valid_until", "expires_on", "review_on"})
#: The referral is not drawn, so that it does not matter when it lapses.
_LAPSE_MONTHS = 6


def lanes_of(document: Json, today: date, words: Words, t: Texts) -> list[Lane]:
    """The lanes that have something to show or are withheld, top to bottom."""
    reader = _Reader(document, today, words, t)
    return [lane for lane in reader.lanes() if lane.bars or lane.marks or lane.withheld]


def _entry(data: Json) -> SimpleNamespace:
    """An entry as far as it is shown, fields that are hidden missing."""
    read = {name: _value(name, value) for name, value in data.items() if value is not None}
    return SimpleNamespace(**read)


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return _entry(value)
    return date.fromisoformat(value) if name in _DAYS and isinstance(value, str) else value


def _counting(document: Json, today: date) -> list[Any]:
    """The entries that count, in order: those up to today as of today, later ones as far as is known."""
    told = cast(Case, SimpleNamespace(entries=[_entry(item) for item in document["entries"]]))
    past = visible_entries(told, today)
    return [*past, *(entry for entry in visible_entries(told, date.max) if entry.date > today)]


class _Reader:
    """Reads one document for one reader in one language."""

    def __init__(self, document: Json, today: date, words: Words, t: Texts) -> None:
        self.today, self.words, self.t = today, words, t
        self.entries = _counting(document, today)
        self.position = {entry.id: place for place, entry in enumerate(self.entries)}
        self.hidden_types = frozenset(document["withheld"]["types"])
        self.hidden_fields: Mapping[str, list[str]] = document["withheld"]["entries"]
        self.path: Path[Any] = follow(self.entries, referral_lapse_months=_LAPSE_MONTHS, add_months=add_months)

    def lanes(self) -> Iterator[Lane]:
        words, t = self.words, self.t
        yield self._lane("activity", words.chart("activity"), self._activities)
        yield self._lane("coaching", words.chart("coaching"), self._coachings)
        yield self._lane("work_trial", words.chart("work_trial"), self._trials)
        yield self._lane("employment", words.chart("employment"), self._jobs)
        yield self._lane("plan", t("timeline", "plan"), self._plans, self._stray_reviews)
        yield self._lane("statements", t("timeline", "statements"), self._statements)
        yield self._lane("consents", t("timeline", "consents"), self._consents)
        yield self._lane("case", t("timeline", "case"), None, self._events)

    def _lane(
        self,
        kind: str,
        name: str,
        bars: Callable[[], Iterable[Bar]] | None,
        marks: Callable[[], Iterable[Mark]] | None = None,
    ) -> Lane:
        rests_on = _RESTS_ON[kind]
        if self.hidden_types & {*rests_on, "correction"}:
            return Lane(kind, name, withheld=True)
        found = sorted(bars() if bars is not None else (), key=lambda bar: bar.start)
        days = sorted(marks() if marks is not None else (), key=lambda mark: mark.day)
        partly = any(self._hides(entry, shown) for entry in self._of(*rests_on) for shown in rests_on[entry.type])
        return Lane(kind, name, tuple(found), tuple(days), partly=partly)

    def _of(self, *types: str) -> list[Any]:
        return [entry for entry in self.entries if entry.type in types]

    def _hides(self, entry: Any, name: str) -> bool:
        return name in self.hidden_fields.get(entry.id, ())

    def _after(self, entry: Any, other: Any) -> bool:
        return self.position[entry.id] > self.position[other.id]

    # --- services ---

    def _activities(self) -> Iterator[Bar]:
        pause = self.t("timeline", "pause")
        for run in self.path.activities:
            days = activity_days(cast(Any, run))
            yield Bar(
                "activity",
                self.words.chart("activity"),
                run.started_on,
                run.ended_on,
                self.words.count(days, "days_per_week") if isinstance(days, int) else "",
                expected=self._expected(run, "period_end"),
                parts=tuple(Bar("pause", pause, each.started_on, each.ended_on) for each in run.pauses),
                marks=tuple(self._ends(run, "period_end")),
            )

    def _coachings(self) -> Iterator[Bar]:
        phases_hidden = any(self._hides(entry, "phase") for entry in self._of("coaching_phase_reached"))
        for run in self.path.coachings:
            reviews = [
                Mark("review", day, self.t("timeline", "interruption_review"))
                for day in self._standing(run, "review_on", "coaching_resumed")
            ]
            yield Bar(
                "coaching",
                self.words.chart("coaching"),
                run.started_on,
                run.ended_on,
                _user_text(run.entry, "provider"),
                expected=self._expected(run, "period_end"),
                parts=tuple(self._phases(run, phases_hidden=phases_hidden)),
                marks=(*self._ends(run, "period_end"), *reviews),
            )

    def _phases(self, run: CoachingEpisode[Any], *, phases_hidden: bool) -> Iterator[Bar]:
        """The phases of a coaching and its interruptions, one after the other."""
        turns: list[tuple[date, str, bool]] = []
        phase, stopped = PHASES[0], False
        for entry in run.entries:
            phase = entry.phase if entry.type == "coaching_phase_reached" else phase
            stopped = entry.type == "coaching_interrupted" or (stopped and entry.type != "coaching_resumed")
            if not turns or turns[-1][1:] != (phase, stopped):
                turns.append((entry.date, phase, stopped))
        ends = [*(start for start, _, _ in turns[1:]), run.ended_on]
        for (start, phase, stopped), end in zip(turns, ends, strict=True):
            if end != start:
                yield from self._part(phase, start, end, stopped=stopped, phases_hidden=phases_hidden)

    def _part(self, phase: str, start: date, end: date | None, *, stopped: bool, phases_hidden: bool) -> Iterator[Bar]:
        if stopped:
            yield Bar("interruption", self.t("timeline", "interruption"), start, end)
        elif not phases_hidden:
            name = sentence(self.words.state("coaching", phase))
            yield Bar("phase", name, start, end, number=PHASES.index(phase) + 1)

    def _trials(self) -> Iterator[Bar]:
        name = self.words.chart("work_trial")
        for run in self.path.trials:
            yield Bar(
                "work_trial",
                name,
                run.started_on,
                run.ended_on,
                _user_text(run.entry, "employer"),
                expected=planned_end(cast(Any, run)) if run.ended_on is None else None,
                marks=tuple(self._ends(run, "planned_end", name="planned_end")),
            )
        yield from self._to_come("work_trial", name, self.path.trials)

    def _jobs(self) -> Iterator[Bar]:
        name = self.words.chart("employment")
        for run in self.path.jobs:
            kind = field(run.entry, "kind")
            told = self.words("values", "kind", kind) if kind is not None else ""
            label = _user_text(run.entry, "employer") or sentence(told)
            yield Bar("employment", name, run.started_on, run.ended_on, label, note=sentence(told))
        yield from self._to_come("job", name, self.path.jobs)

    def _to_come(self, service: str, name: str, runs: Iterable[Episode[Any]]) -> Iterator[Bar]:
        """The trial or job that is agreed and still ahead, if none began since it was agreed."""
        agreed = self._of(f"{service}_agreed")
        if not agreed or any(run.started_on >= agreed[-1].date for run in runs):
            return
        start = field(agreed[-1], "start")
        if start is not None and start > self.today:
            kind = "employment" if service == "job" else service
            note = sentence(self.t("timeline", "agreed"))
            yield Bar(kind, name, start, None, _user_text(agreed[-1], "employer"), planned=True, note=note)

    def _expected(self, run: Episode[Any], field_name: str) -> date | None:
        given = [day for entry in run.entries if (day := field(entry, field_name)) is not None]
        return given[-1] if given and run.ended_on is None else None

    def _ends(self, run: Episode[Any], field_name: str, name: str = "period_end") -> Iterator[Mark]:
        told = self.t("timeline", "planned_end") if name == "planned_end" else self.t("timeline", "period_end")
        return (Mark("period_end", day, told) for day in self._standing(run, field_name))

    def _standing(self, run: Episode[Any], field_name: str, *lifting: str) -> list[date]:
        """The days that entries of a run gave by a field, but those still ahead when another was given, when an entry
        of the `lifting` types came, or when the run ended."""
        turns = [entry for entry in run.entries if field(entry, field_name) is not None or entry.type in lifting]
        found = []
        for place, entry in enumerate(turns):
            until = turns[place + 1].date if place + 1 < len(turns) else run.ended_on
            day = field(entry, field_name)
            if day is not None and (until is None or day <= until):
                found.append(day)
        return list(dict.fromkeys(found))

    # --- plans, statements, consents ---

    def _plans(self) -> Iterator[Bar]:
        """The plans, updates of one kind that follow each other without a gap made one bar, with its reviews."""
        reviews = self._reviews()
        for run in self._runs_of_plans():
            within = [mark for mark in reviews if run.start <= mark.day and (run.end is None or mark.day <= run.end)]
            yield replace(run, marks=tuple(sorted((*run.marks, *within), key=lambda mark: mark.day)))

    def _runs_of_plans(self) -> list[Bar]:
        plans = self._of("activation_plan_updated")
        updated = self.words("entry_types", "activation_plan_updated")
        runs: list[Bar] = []
        for place, plan in enumerate(plans):
            ends = [field(plan, "valid_until")]
            if place + 1 < len(plans):
                ends.append(max(plans[place + 1].date - ONE_DAY, plan.date))
            end = min((day for day in ends if day is not None), default=None)
            kind = field(plan, "kind")
            name = sentence(self.words("values", "kind", kind)) if kind is not None else self.t("timeline", "plan")
            run = runs[-1] if runs else None
            if run is not None and run.name == name and run.end is not None and run.end >= plan.date - ONE_DAY:
                runs[-1] = replace(run, end=end, marks=(*run.marks, Mark("update", plan.date, updated)))
            else:
                runs.append(Bar("plan", name, plan.date, end, name))
        return runs

    def _reviews(self) -> list[Mark]:
        told = self.t("timeline", "review")
        return [Mark("review", entry.date, told) for entry in self._of("plan_reviewed")]

    def _stray_reviews(self) -> Iterator[Mark]:
        """Reviews on days on which no plan was in force."""
        shown = {mark.day for run in self._plans() for mark in run.marks if mark.kind == "review"}
        return (mark for mark in self._reviews() if mark.day not in shown)

    def _statements(self) -> Iterator[Bar]:
        withdrawn = self._of("statement_withdrawn")
        for entry in self._of("statement_issued"):
            measure, start = field(entry, "measure"), field(entry, "start")
            if measure is None or start is None:
                continue
            days = [
                other.date - ONE_DAY
                for other in withdrawn
                if self._after(other, entry) and field(other, "measure") == measure
            ]
            end = min((day for day in (field(entry, "end"), *days) if day is not None), default=None)
            paying = "hidden" if self._hides(entry, "paying") else field(entry, "paying") or "unknown"
            told = {
                "yes": self.t("timeline", "paying"),
                "no": self.t("timeline", "not_paying"),
                "unknown": self.t("timeline", "paying_unknown"),
                "hidden": self.t("timeline", "hidden"),
            }[paying]
            name = sentence(self.words("values", "measure", measure))
            label = f"{name}, {told}" if paying in ("yes", "no") else name
            yield Bar("statement", name, start, end, label, thin=paying != "yes", note=sentence(told))

    def _consents(self) -> Iterator[Bar]:
        for entry in self._of("consent_given"):
            scope = field(entry, "scope")
            if scope is None:
                continue
            ends = [field(entry, "expires_on"), self._withdrawn_on(entry)]
            end = min((day for day in ends if day is not None), default=None)
            name = sentence(self.words("values", "scope", scope))
            parties = ", ".join(clean(party) for party in field(entry, "parties") or ())
            yield Bar("consent", name, entry.date, end, name, note=parties)

    def _withdrawn_on(self, consent: Any) -> date | None:
        """The last day any party of a consent still had it, when it was withdrawn of all. Where the parties are hidden,
        only a withdrawal that is known to be for all counts."""
        left = set(field(consent, "parties") or ())
        for other in self._of("consent_withdrawn"):
            if not self._after(other, consent) or field(other, "scope") != consent.scope:
                continue
            if self._hides(other, "parties"):
                continue
            parties = field(other, "parties")
            left -= left if parties is None else set(parties)
            if parties is None or (not left and not self._hides(consent, "parties")):
                return cast(date, other.date - ONE_DAY)
        return None

    # --- the case ---

    def _events(self) -> Iterator[Mark]:
        for entry in self._of("case_closed", "case_reopened", "outcome_reached"):
            outcome = field(entry, "outcome")
            told = self.words("values", "outcome", outcome) if outcome is not None else ""
            yield Mark("event", entry.date, self.words("entry_types", entry.type), told)


def _user_text(entry: Any, name: str) -> str:
    """What someone wrote in a field, on one line; empty when it is not there."""
    value = field(entry, name)
    return "" if value is None else clean(value)
