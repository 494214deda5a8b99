"""The readable page of an assessment: next steps first, then why, what is missing, and the days ahead.

A page is a list of things rich can print. Text of users and of rule packs is only ever put into `Text`, never read as
markup, and goes through `clean`. Weight and place carry meaning, colour none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from rules.agenda import Change
from rules.assessment import Assessment, Proposal, TriggerStatus
from rules.findings import Finding, caution_text
from rules.journal import Case
from rules.pack import SEVERITIES, Rule
from rules.steps import Step
from rules.texts import texts
from service.explaining import detail
from service.words import Words, clean, sentence
from statemachines import CHARTS

DATES_AHEAD = 8
QUIET = "dim"
STRONG = "bold"
Page = Iterator[RenderableType]


def heading(title: str) -> RenderableType:
    """The heading of a part of the page."""
    return Group("", Line(Text(clean(title), style=STRONG), align="left", style=QUIET, characters="─"))


def paragraph(*parts: str | tuple[str, str], indent: int = 0) -> RenderableType:
    """Running text; a pair is text with its style."""
    text = Text()
    for part in parts:
        words, style = part if isinstance(part, tuple) else (part, "")
        lead = " " if words.startswith(" ") else ""
        trail = " " if words.endswith(" ") and words.strip() else ""
        text.append(lead + clean(words) + trail, style=style)
    return Padding(text, (0, 0, 0, indent)) if indent else text


def table(*headers: str, ratios: Iterable[int]) -> Table:
    """A table as wide as the page, with quiet lines between rows."""
    made = Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 1, 0), header_style=QUIET)
    for header, ratio in zip(headers, ratios, strict=True):
        made.add_column(Text(header), ratio=ratio, overflow="fold")
    return made


def lines(*texts_of_cell: Text) -> Text:
    """A cell of several lines."""
    return Text("\n").join(texts_of_cell)


class AssessmentPage:
    """One assessment as a page in one language."""

    def __init__(
        self,
        assessment: Assessment,
        case: Case,
        words: Words,
        *,
        proposal: Proposal | None = None,
        history: bool = False,
    ) -> None:
        self.found = assessment
        self.case = case
        self.words = words
        self.proposal = proposal
        self.history = history
        self.titles = {rule.id: words.of(rule.title) for rule in assessment.pack.editions[-1].rules}
        self.severity = {rule.id: rule.severity for rule in assessment.pack.editions[-1].rules}
        self.entries = {entry.id: entry for entry in case.entries}
        self.cited: dict[str, None] = {}

    def parts(self) -> Page:
        """Everything, in the order a caseworker reads it."""
        yield from self._head()
        if self.proposal is not None:
            yield from self._proposed(self.proposal)
        yield from self._steps()
        yield from self._open()
        yield from self._unknown()
        yield from self._triggers()
        yield from self._ahead()
        yield from self._in_order()
        yield from self._left_open()
        if self.history:
            yield from self._earlier()
        yield from self._talk_sheet()
        yield from self._foot()

    # --- where the client is ---

    def _head(self) -> Page:
        found, words = self.found, self.words
        yield paragraph((found.case, STRONG), " · ", f"{words('page', 'as_of')} {words.day(found.as_of)}")
        if found.known_at is not None:
            moment = f"{words.day(found.known_at.date())} {found.known_at:%H.%M}"
            yield paragraph(f"{words('page', 'known_at')} {moment}")
        yield paragraph((words.stage(found.state["stage"]), STRONG))
        charts = [chart for chart in CHARTS if found.state[chart] != "none"]
        places = [f"{words.chart(chart)}: {words.state(chart, found.state[chart])}" for chart in charts]
        yield paragraph(" · ".join(places) if places else words("page", "nothing_begun"))
        if all(entry.date > found.as_of for entry in self.case.entries):
            yield paragraph(words("page", "nothing_recorded"))

    def _proposed(self, proposal: Proposal) -> Page:
        words = self.words
        status = next(item for item in self.found.triggers if item.trigger == proposal.trigger)
        yield heading(words("page", "proposed_step"))
        yield paragraph((words("triggers", proposal.trigger), STRONG), ": ", words("statuses", status.status))
        yield from self._hindrances(status)
        yield paragraph((words("page", "as_if_taken"), QUIET))

    # --- next steps ---

    def _steps(self) -> Page:
        words = self.words
        yield heading(words("page", "what_is_next"))
        if not self.found.next_steps:
            yield paragraph(words("page", "no_steps"))
            return
        made = table(words("page", "what"), words("page", "by_when"), words("page", "why"), ratios=(29, 16, 32))
        for step in self.found.next_steps:
            made.add_row(self._what(step), self._by_when(step), self._why(step))
        yield made

    def _what(self, step: Step) -> Text:
        words = self.words
        return lines(Text(texts("actions", step.action, words.lang), style=STRONG), Text(words("roles", step.role)))

    def _by_when(self, step: Step) -> Text:
        status = Text(self.words("statuses", step.status))
        return status if step.due is None else lines(Text(self.words.day(step.due), style=STRONG), status)

    def _why(self, step: Step) -> Text:
        return lines(*(self._reason(rule, step) for rule in step.because))

    def _reason(self, rule: str, step: Step) -> Text:
        came = [item for item in self.found.findings if item.rule.id == rule and item.gives_step]
        shown = [item for item in came if item.action == step.action and item.rule.severity != "information"]
        outcome = f": {self.words('outcomes', shown[0].outcome)}" if shown else ""
        return Text(clean(self.titles[rule]) + outcome).append(f" {rule}", style=QUIET)

    # --- open points ---

    def _open(self) -> Page:
        points = [item for item in self._current() if item.open and item.set_aside is None and not self._over(item)]
        told = [item for item in points if item.rule.severity != "information" or self._caution(item)]
        if told:
            yield heading(self.words("page", "findings_open"))
            for at, item in enumerate(sorted(told, key=lambda item: SEVERITIES.index(item.rule.severity))):
                if at:
                    yield ""
                yield from self._point(item)
        aside = [item for item in self._current() if item.set_aside is not None]
        if aside:
            yield heading(self.words("page", "set_aside"))
            yield from map(self._set_aside, aside)

    def _point(self, item: Finding) -> Page:
        words, rule = self.words, item.rule
        due = f", {words('page', 'on_last_day', day=words.day(item.due))}" if item.due is not None else ""
        yield paragraph((words.of(rule.title), STRONG))
        told = f"{words('severities', rule.severity)}: {words('outcomes', item.outcome)}{due}"
        yield paragraph(sentence(told) + self._about(item), indent=2)
        yield paragraph(words.of(rule.text), indent=2)
        if rule.id == "path-inconsistent":
            yield from self._entries_to_check()
        caution = self._caution(item)
        if caution is not None:
            yield paragraph((f"{words('page', 'caution')}: ", STRONG), caution, indent=2)
        yield paragraph((self._source(rule), QUIET), indent=2)

    def _about(self, item: Finding) -> str:
        """Which of several things a finding is about, when its rule speaks of more than one."""
        same = [other for other in self.found.findings if other.rule.id == item.rule.id]
        return f" ({self._subject(item)})" if len(same) > 1 else ""

    def _subject(self, item: Finding) -> str:
        words, subject = self.words, item.subject
        entry = self.entries.get(subject.entry or "")
        if entry is None:
            return words("kinds", subject.kind)
        return f"{words('entry_types', entry.type)} {words.day(entry.date)}, {entry.id}"

    def _entries_to_check(self) -> Page:
        for name, reason in self.found.inconsistent:
            entry = self.entries.get(name)
            told = f"{self.words('entry_types', entry.type)} {self.words.day(entry.date)}: " if entry else ""
            yield paragraph(f"– {told}{self.words('inconsistent', reason)} ({name})", indent=2)

    def _caution(self, item: Finding) -> str | None:
        return caution_text(item.rule, self.found.as_of, self.words.lang)

    def _source(self, rule: Rule) -> str:
        self.cited.update(dict.fromkeys(source["document"] for source in rule.source))
        words = self.words
        source = f"{words('page', 'source')}: {words.sources(rule.source)} · {words('authorities', rule.authority)}"
        return f"{words('page', 'rule')}: {rule.id} · {source}"

    def _set_aside(self, item: Finding) -> RenderableType:
        aside = item.set_aside
        until = self.words("page", "until", day=self.words.day(aside.until)) if aside and aside.until else ""
        parts = [clean(aside.reason) if aside else "", until]
        return paragraph((self.words.of(item.rule.title), STRONG), ": " + ", ".join(filter(None, parts)))

    # --- what is not known, what could be done ---

    def _unknown(self) -> Page:
        items = [item for item in self._current() if item.outcome == "unknown"]
        if not items:
            return
        yield heading(self.words("page", "needs_information"))
        vocabulary = self.found.pack.ruleset(self.found.as_of).vocabulary
        for item in items:
            labels = [self.words.of(vocabulary[name].labels) for name in item.missing if name in vocabulary]
            told = ", ".join(dict.fromkeys(labels))
            title = self.words.of(item.rule.title)
            yield paragraph((title, STRONG), f": {told}{self._about(item)}", (f" {item.rule.id}", QUIET))
            caution = self._caution(item)
            if caution is not None:
                yield paragraph((f"{self.words('page', 'caution')}: ", STRONG), caution, indent=2)

    def _triggers(self) -> Page:
        words = self.words
        possible = [item for item in self.found.triggers if item.status != "not_from_here"]
        if not possible:
            return
        yield heading(words("page", "possible_steps"))
        opened = [words("triggers", item.trigger) for item in possible if item.status == "open"]
        if opened:
            yield paragraph((f"{sentence(words('statuses', 'open'))}: ", STRONG), " · ".join(opened))
        asking = [item for item in possible if item.status == "needs_details"]
        if asking:
            told = [f"{words('triggers', item.trigger)} ({self._needs(item)})" for item in asking]
            yield paragraph((f"{sentence(words('statuses', 'needs_details'))}: ", STRONG), " · ".join(told))
        for item in possible:
            if item.status == "blocked":
                yield paragraph((words("triggers", item.trigger), STRONG), f": {words('statuses', item.status)}")
                yield from self._hindrances(item)

    def _hindrances(self, item: TriggerStatus) -> Page:
        words = self.words
        if item.blocked_by:
            named = "; ".join(self.titles[rule] for rule in item.blocked_by)
            yield paragraph(f"{words('page', 'blocked_by')}: {named}", indent=2)
        if item.needs:
            yield paragraph(f"{words('page', 'needs')}: {self._needs(item)}", indent=2)

    def _needs(self, item: TriggerStatus) -> str:
        return ", ".join(detail(self.found, item.trigger, name, self.words) for name in item.needs)

    # --- the days ahead, and what is in order ---

    def _ahead(self) -> Page:
        open_to = [
            change
            for change in self.found.agenda
            if change.to in ("violated", "advised", "unknown") and self.severity[change.rule] != "information"
        ]
        if not open_to:
            return
        yield heading(self.words("page", "agenda"))
        made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
        made.add_column(no_wrap=True)
        made.add_column(overflow="fold")
        for change in open_to[:DATES_AHEAD]:
            made.add_row(Text(self._when(change)), self._ahead_named(change))
        yield made
        if len(open_to) > DATES_AHEAD:
            yield paragraph((self.words("page", "more_days", count=len(open_to) - DATES_AHEAD), QUIET))

    def _when(self, change: Change) -> str:
        if change.to == "violated":
            return sentence(self.words("page", "on_last_day", day=self.words.day(change.last_day)))
        return sentence(self.words("page", "from_day", day=self.words.day(change.changes_on)))

    def _ahead_named(self, change: Change) -> Text:
        told = "" if change.to == "violated" else f" ({self.words('outcomes', change.to)})"
        return Text(clean(self.titles[change.rule]) + told)

    def _in_order(self) -> Page:
        for outcome, title in (("satisfied", "in_order"), ("remedied", "done_late")):
            titles = dict.fromkeys(
                self.words.of(item.rule.title) for item in self._current() if item.outcome == outcome
            )
            if titles:
                yield heading(f"{self.words('page', title)} ({len(titles)})")
                yield paragraph(" · ".join(titles))

    def _left_open(self) -> Page:
        items = [item for item in self._current() if item.open and self._over(item)]
        if items:
            yield heading(self.words("page", "earlier_open"))
            yield from map(self._line, items)

    def _earlier(self) -> Page:
        earlier = [item for item in self.found.findings if not item.subject.current]
        if earlier:
            yield heading(self.words("page", "history"))
        by_subject: dict[str, list[Finding]] = {}
        for item in earlier:
            by_subject.setdefault(self._subject(item), []).append(item)
        for subject, items in by_subject.items():
            yield paragraph((subject, STRONG))
            for item in items:
                yield paragraph(f"– {self.words.of(item.rule.title)}: {self.words('outcomes', item.outcome)}", indent=2)

    def _line(self, item: Finding) -> RenderableType:
        told = f"{self.words.of(item.rule.title)}: {self.words('outcomes', item.outcome)} ({self._subject(item)})"
        return paragraph(f"– {told}", (f" {item.rule.id}", QUIET))

    # --- the talk sheet and the foot ---

    def _talk_sheet(self) -> Page:
        sheet = self.found.readiness
        if not sheet["answered"]:
            return
        yield heading(self.words("page", "talk_sheet"))
        yield paragraph((sheet["note"], QUIET))
        for group in sheet["groups"]:
            yield paragraph((group["title"], STRONG))
            for kind in ("strengths", "open_questions", "supports_to_arrange"):
                items: list[Mapping[str, str]] = group[kind]
                if items:
                    yield paragraph(f"{texts_of_sheet(kind, self.words)}:", indent=2)
                for item in items:
                    support = f" → {item['support']}" if "support" in item else ""
                    yield paragraph(f"– {item['text']}{support}", indent=4)

    def _foot(self) -> Page:
        if self.cited:
            yield heading(self.words("page", "sources"))
            for document in sorted(self.cited):
                title = self.found.pack.sources.get(document, {}).get("title", "")
                yield paragraph((f"{document}: {title}", QUIET))
        pack = self.found.pack
        yield ""
        yield paragraph((self.words("page", "advice_only"), STRONG))
        yield paragraph((f"{self.words('page', 'pack')}: {pack.id} {pack.version}, {pack.sha256[:12]}", QUIET))

    # --- choosing ---

    def _current(self) -> list[Finding]:
        return [item for item in self.found.findings if item.subject.current]

    def _over(self, item: Finding) -> bool:
        return item.subject.ended and not item.rule.about_ending


def texts_of_sheet(kind: str, words: Words) -> str:
    """The heading of one kind of answers in the talk sheet."""
    from rules.texts import catalogue

    return str(catalogue()["readiness"]["headings"][kind][words.lang])
