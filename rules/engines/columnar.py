"""The columnar engine: a pack's rules for one evaluation date as SQL over tables of facts (`rules.engines.columns`).

The same conditions, read as SQL (`rules.engines.sql`): every rule comes to what `rules.findings.Judge` finds with the
reference engine, for all cases at once; tests hold the two together. `compiled` is pure and writes statements of one
dialect. Whoever runs them makes the relations in the order of the plan. What stands ready:

- `facts_<kind>`: case_no, subject_no, entry, ended and the kind's columns, a row for each current subject;
  `facts_case` has case and municipality instead of the last three of the four;
- `set_aside`: case_no, rule, entry, until (`NEVER`: for good), the latest such entry of each case and rule.

Each kind's facts are read once. Every line of a condition is a column of its own, worked out once for all rules, then
every condition, then every rule's outcome as a number; only these numbers, and the dates findings show, are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from sqlglot import exp

from rules.conditions import Condition, Line, lines
from rules.engines.columns import column_name, tables
from rules.engines.sql import (
    Sql,
    absent_as_null,
    all_of,
    any_of,
    case_when,
    cast,
    column,
    combined,
    day,
    derived,
    equal,
    first_known,
    gaps,
    is_null,
    line_sql,
    not_,
    number,
    text,
    words,
)
from rules.facts import UNKNOWN
from rules.findings import derived_alike
from rules.pack import ANY_STEP, FINDING, Pack, Rule, Ruleset, Wave

#: The outcomes as numbers, the open ones last, so that what is found, or open, is one comparison. An unknown one is
#: this or more: what is over says which facts are missing, where they may be several.
CODES = {"not_applicable": 0, "satisfied": 1, "remedied": 2, "violated": 3, "advised": 4, "unknown": 5}
NOT_FOUND = CODES["not_applicable"]
UNSURE = CODES[UNKNOWN]
#: The least code of the outcomes written by default, and of every finding.
OPEN, ALL = CODES["violated"], CODES["satisfied"]
#: The types that hold a code, by how many facts may be missing.
_TYPES = {6: exp.DType.TINYINT, 13: exp.DType.SMALLINT, 29: exp.DType.INT, 60: exp.DType.BIGINT}
_HEAD = ("case_no", "subject_no", "entry", "ended")
#: The columns of a finding as its rule gives them, before case and municipality are known, and what was set aside.
_FOUND = (
    "rule", "subject_kind", "subject_entry", "outcome", "severity", "due", "missing", "judged_on", "action", "role",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation to be made, worth materialising: it is read more than once."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """A relation (day, later) to be made of the calendar: for every day that the query `days` gives, the
    `workdays`-th working day after it; for `NEVER`, `NEVER`."""

    name: str
    days: str
    workdays: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make, in order, and then to read: the findings, and how often each rule came to each outcome."""

    steps: tuple[Relation | Calendar, ...]
    findings: str
    counts: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a plan is made of. `number` tells packs apart as long as one is held here."""

    number: int
    as_of: date
    least: int
    dialect: str
    pack: Pack = field(compare=False, repr=False)


def compiled(pack: Pack, as_of: date, *, least: int = OPEN, dialect: str = "duckdb") -> Plan:
    """The rules of a pack on a date, in an SQL dialect that sqlglot knows. Outcomes from `least` on are findings.

    Raises ValueError for a rule that builds on findings and is not about the case.
    """
    return _compiled(_Asked(id(pack), as_of, least, dialect, pack))


@lru_cache(maxsize=8)  # to compile takes half a second, as long as judging a small caseload
def _compiled(asked: _Asked) -> Plan:
    return _Compiler(asked.pack, asked.as_of, asked.least, asked.dialect).plan()


# ---- a relation as it is made


class _Layer:
    """Columns made from those below: what is asked for twice is made once."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._named: dict[object, str] = {}
        self.values: list[Sql] = []

    def column(self, key: object, make: Callable[[], Sql]) -> exp.Column:
        """The column that holds what `make` says."""
        name = self._named.get(key)
        if name is None:
            name = self._named[key] = f"{self._prefix}_{len(self._named)}"
            self.values.append(_as(make(), name))
        return column(name)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A rule as an edition of the pack has it; `until`: the last day whose values these are (None: all later ones)."""

    rule: Rule
    edition: int
    until: date | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """A rule with its outcome as a number, the column of that, and its findings as rows."""

    rule: Rule
    column: str
    code: Sql
    rows: exp.Select


class _Subjects:
    """What is judged together, as a query in layers: facts and deadlines, lines, conditions, outcomes.

    A later wave stands on the case's: `below` holds the facts and the lines about them.
    """

    def __init__(self, name: str, facts: exp.Select, below: _Subjects | None = None) -> None:
        self.name = name
        self.facts = facts
        self.below = below or self
        self.lines = _Layer(f"{name}_line")
        self.conditions = _Layer(f"{name}_holds")
        self.judged: list[_Judged] = []
        #: Where an edition of the pack finds its facts, if not under today's names.
        self.elsewhere: dict[int, dict[str, str]] = {}

    def place(self, edition: int, fact: str) -> str:
        """The column of a fact as an edition has it."""
        return self.below.elsewhere.get(edition, {}).get(fact) or column_name(fact)

    def reads(self) -> set[str]:
        """The columns that all this is made of; of the query of facts, those of the relation it stands on."""
        values = [*self.lines.values, *self.conditions.values, *(item.code for item in self.judged)]
        return self.shown().union(*map(_columns, (*values, *self.facts.expressions)))

    def shown(self) -> set[str]:
        """The columns that findings are made of."""
        return set().union(*(_columns(item.rows) for item in self.judged))

    def makes(self) -> set[str]:
        """The columns made here."""
        values = [*self.facts.expressions, *self.lines.values, *self.conditions.values]
        return {value.alias_or_name for value in values} | {item.column for item in self.judged}

    def query(self, kept: Iterable[str]) -> exp.Select:
        """All of it, down to the outcomes and the columns kept beside them."""
        query = self.facts
        for layer in (self.lines, self.conditions):
            if layer.values:
                query = _select(exp.Star(), *layer.values, source=_inner(query))
        outcomes = [_as(item.code, item.column) for item in self.judged]
        return _select(*map(column, (*_HEAD, *kept)), *outcomes, source=_inner(query))


class _Compiler:
    def __init__(self, pack: Pack, as_of: date, least: int, dialect: str) -> None:
        self.pack = pack
        self.as_of = as_of
        self.least = least
        self.dialect = dialect
        self.ruleset = pack.ruleset(as_of)
        self.present = _place(pack, self.ruleset)
        self.kinds = tables(pack)
        self.calendars: list[Calendar] = []

    def plan(self) -> Plan:
        """See `compiled`."""
        found = [self._kind(kind) for kind in self.kinds]
        case = latest = found[0]
        for wave in self.ruleset.waves:
            latest = self._wave(wave, case, latest, found)
            found.append(latest)
        return Plan(
            (*self.calendars, *self._relations(found)),
            self._sql(self._findings(found)),
            self._sql(_counts(found)),
        )

    def _sql(self, expression: Sql) -> str:
        return expression.sql(dialect=self.dialect, identify=True, copy=False)

    def _relations(self, found: Sequence[_Subjects]) -> list[Relation]:
        """The relations, each with the columns it must hand on: to its findings, and to the waves that stand on it."""
        relations = []
        later: set[str] = set()
        for subjects in reversed(found):
            stands_on_others = subjects.below is not subjects
            is_read = stands_on_others or subjects.name == "judged_case"
            needed = subjects.shown() | (later if is_read else set())
            kept = sorted(needed - set(_HEAD) - {item.column for item in subjects.judged})
            relations.append(Relation(subjects.name, self._sql(subjects.query(kept))))
            if stands_on_others:
                later = (later | subjects.reads()) - subjects.makes()
        return relations[::-1]

    # --- the subjects of a kind ---

    def _kind(self, kind: str) -> _Subjects:
        own = [column(item.name) for item in self.kinds[kind]]
        head: list[Sql] = [column(name) for name in _HEAD]
        if kind == "case":
            entry = cast(exp.null(), exp.DType.TEXT)
            head[1:] = [_as(number(0), "subject_no"), _as(entry, "entry"), _as(exp.false(), "ended")]
        subjects = _Subjects(f"judged_{kind}", _select(*head, *own, source=_table(f"facts_{kind}")))
        for edition in self._editions(kind):
            self._deadlines(subjects, kind, edition)
        self._judge(subjects, [rule for rule in self.ruleset.about(kind) if rule.wave == 0])
        return subjects

    def _editions(self, kind: str) -> Iterator[int]:
        """The editions of the pack by whose values some rule about a kind may be judged; today's first."""
        yield self.present
        by_event = [rule for rule in self.ruleset.about(kind) if rule.event is not None]
        for place, edition in enumerate(self.pack.editions):
            if place != self.present and not all(self._same(rule, edition) for rule in by_event):
                yield place

    def _deadlines(self, subjects: _Subjects, kind: str, edition: int) -> None:
        """Adds the deadlines of an edition, those of another than today's where they differ."""
        elsewhere = subjects.elsewhere[edition] = {}
        for item in self.pack.editions[edition].derivations_about(kind):
            if edition != self.present:
                if item in self.ruleset.derivations and not elsewhere.keys() & set(item.operands):
                    continue
                elsewhere[item.name] = f"{column_name(item.name)}_of_{edition}"
            made = subjects.place(edition, item.name)
            if item.operation == "add_workdays":
                self._look_up(subjects, subjects.place(edition, item.operands[0]), item.number, made)
            else:
                value = derived(item, lambda fact: subjects.place(edition, fact))
                subjects.facts = _select(exp.Star(), _as(value, made), source=_inner(subjects.facts))

    def _look_up(self, subjects: _Subjects, fact: str, workdays: int, made: str) -> None:
        known = not_(is_null(column(fact)))
        days = _select(_as(column(fact), "day"), source=_inner(subjects.facts.copy()), where=known)
        calendar = Calendar(f"calendar_{made}", self._sql(days.distinct(copy=False)), workdays)
        self.calendars.append(calendar)
        every = exp.Column(this=exp.Star(), table=exp.Identifier(this="facts", quoted=True))
        later = _as(column("later", "calendar"), made)
        on = equal(column("day", "calendar"), column(fact, "facts"))
        query = _select(every, later, source=_inner(subjects.facts))
        subjects.facts = query.join(_table(calendar.name, "calendar"), on=on, join_type="left", copy=False)

    # --- a rule ---

    def _judge(self, subjects: _Subjects, rules: Sequence[Rule]) -> None:
        for rule in rules:
            if rule.event is not None or rule.in_force(self.as_of):
                subjects.judged.append(self._judged(subjects, rule))

    def _judged(self, subjects: _Subjects, rule: Rule) -> _Judged:
        readings = self._readings(rule)
        names = sorted({name for item in readings for name in self._missing(subjects, item)})
        code = self._by_day(rule, readings, lambda reading: self._code(subjects, reading, names))
        if rule.event is not None:
            code = case_when([(self._in_force(rule), code)], number(NOT_FOUND))
        holds = next((kind for most, kind in _TYPES.items() if len(names) <= most), None)
        if holds is None:
            raise ValueError(f"{rule.id} rests on {len(names)} facts that may be unknown, more than SQL can tell apart")
        made = f"outcome_{rule.position}"
        return _Judged(rule, made, cast(code, holds), self._rows(subjects, rule, readings, made, names))

    def _same(self, rule: Rule, edition: Ruleset) -> bool:
        return edition.rules[rule.position] == rule and derived_alike(rule, self.ruleset, edition)

    def _readings(self, rule: Rule) -> list[_Reading]:
        """The rule by the values in force on its event's day, oldest first; days of like values are one."""
        if rule.event is None:
            return [_Reading(rule, self.present)]
        found: list[_Reading] = []
        for until, edition in _spans(self.pack):
            place = self.present if self._same(rule, edition) else _place(self.pack, edition)
            if found and found[-1].edition == place:
                found.pop()
            found.append(_Reading(self.pack.editions[place].rules[rule.position], place, until))
        return found

    def _by_day(self, rule: Rule, readings: Sequence[_Reading], value: Callable[[_Reading], Sql]) -> Sql:
        """A value of a rule, by what was in force on its event's day."""
        *earlier, last = readings
        branches = []
        for reading in earlier:
            if reading.until is not None:
                branches.append((exp.LTE(this=self._judged_on(rule), expression=day(reading.until)), value(reading)))
        return case_when(branches, value(last))

    def _judged_on(self, rule: Rule) -> Sql:
        if rule.event is None:
            return day(self.as_of)
        return first_known(absent_as_null(column(column_name(rule.event))), day(self.as_of))

    def _in_force(self, rule: Rule) -> Sql:
        inside: list[Sql] = [exp.GTE(this=self._judged_on(rule), expression=day(rule.valid_from))]
        if rule.valid_to is not None:
            inside.append(exp.LTE(this=self._judged_on(rule), expression=day(rule.valid_to)))
        return all_of(inside)

    def _line(self, subjects: _Subjects, edition: int, line: Line) -> Sql:
        of_findings = line.fact.startswith(FINDING)
        owner, fact = (subjects if of_findings else subjects.below), subjects.place(edition, line.fact)
        return owner.lines.column((fact, line), lambda: line_sql(line, fact, self.as_of))

    def _holds(self, subjects: _Subjects, edition: int, condition: Condition) -> Sql:
        def read(line: Line) -> Sql:
            return self._line(subjects, edition, line)

        if isinstance(condition, Line):
            return read(condition)
        places = tuple(subjects.place(edition, line.fact) for line in lines(condition))
        return subjects.conditions.column((condition, places), lambda: combined(condition, read))

    def _code(self, subjects: _Subjects, reading: _Reading, names: Sequence[str]) -> Sql:
        """The outcome as a number: the first condition that is unknown leaves it unknown."""
        rule, edition = reading.rule, reading.edition
        value = number(CODES[rule.otherwise])
        for place, condition in reversed(list(enumerate(rule.conditions()))):
            holds = self._holds(subjects, edition, condition)
            if place:
                branches, otherwise = [(holds, number(CODES[rule.steps[place - 1][0]]))], value
            else:
                branches, otherwise = [(holds, value)], number(NOT_FOUND)
            missing = self._gaps(subjects, edition, condition)
            if missing:
                branches.append((is_null(holds.copy()), _unsure(missing, names)))
            value = case_when(branches, otherwise)
        return value

    def _gaps(self, subjects: _Subjects, edition: int, condition: Condition) -> dict[str, Sql]:
        deadlines = {item.name: item for item in self.pack.editions[edition].derivations}
        return gaps(
            condition,
            deadlines,
            lambda fact: subjects.place(edition, fact),
            lambda line: self._line(subjects, edition, line),
        )

    def _missing(self, subjects: _Subjects, reading: _Reading) -> Iterator[str]:
        for condition in reading.rule.conditions():
            yield from self._gaps(subjects, reading.edition, condition)

    # --- findings ---

    def _rows(
        self, subjects: _Subjects, rule: Rule, readings: Sequence[_Reading], made: str, names: Sequence[str]
    ) -> exp.Select:
        """The findings of a rule."""
        fields = {
            "case_no": column("case_no"),
            "rule": text(rule.id),
            "subject_kind": text(rule.about),
            "subject_entry": column("entry"),
            "outcome": _worded(made),
            "severity": text(rule.severity),
            "due": self._by_day(rule, readings, lambda reading: _due(subjects, reading, made)),
            "missing": _named(names, made),
            "judged_on": self._judged_on(rule),
            "action": self._by_day(rule, readings, lambda reading: self._action(subjects, reading)),
            "role": text(rule.role),
            "over": exp.false() if rule.about_ending else column("ended"),
        }
        found = [_as(value, name) for name, value in fields.items()]
        is_found = exp.GTE(this=column(made), expression=number(self.least))
        return _select(*found, source=_table(subjects.name), where=is_found)

    def _action(self, subjects: _Subjects, reading: _Reading) -> Sql:
        branches = [(self._holds(subjects, reading.edition, when), text(does)) for when, does in reading.rule.actions]
        return case_when(branches, text(reading.rule.action))

    def _findings(self, found: Sequence[_Subjects]) -> exp.Select:
        """Every finding with its case, and whether someone set its advice aside or it is their next step."""
        is_open = exp.In(this=column("outcome", "found"), expressions=[text("violated"), text("advised")])
        aside = all_of(
            [
                equal(column("case_no", "aside"), column("case_no", "found")),
                equal(column("rule", "aside"), column("rule", "found")),
                exp.GTE(this=column("until", "aside"), expression=day(self.as_of)),
                is_open,
            ]
        )
        step = all_of([is_open.copy(), not_(column("over", "found")), is_null(column("entry", "aside"))])
        fields = [
            column("case", "facts"),
            column("municipality", "facts"),
            *(column(name, "found") for name in _FOUND),
            _as(column("entry", "aside"), "set_aside"),
            _as(step, "is_step"),
            _as(text(self.pack.id), "pack"),
            _as(text(self.pack.version), "pack_version"),
            _as(day(self.as_of), "as_of"),
        ]
        rows = _union([item.rows for subjects in found for item in subjects.judged])
        query = _select(*fields, source=_inner(rows, "found"))
        same_case = equal(column("case_no", "facts"), column("case_no", "found"))
        query.join(_table("facts_case", "facts"), on=same_case, copy=False)
        return query.join(_table("set_aside", "aside"), on=aside, join_type="left", copy=False)

    # --- rules that build on findings ---

    def _wave(self, wave: Wave, case: _Subjects, latest: _Subjects, found: Sequence[_Subjects]) -> _Subjects:
        """The rules of a later wave, beside what is known of the case before it."""
        for rule in wave.rules:
            if rule.about != "case":
                raise ValueError(f"{rule.id} builds on findings and is about {rule.about}: only the case's rules can")
        every = exp.Column(this=exp.Star(), table=exp.Identifier(this="judged", quoted=True))
        query = _select(every, source=_table(latest.name, "judged"))
        for place, name in enumerate(wave.asks):
            told, made = self._asked(name, f"asked_{place}", found)
            query.append("expressions", _as(told, column_name(name)))
            if made is not None:
                on = equal(column("case_no", f"asked_{place}"), column("case_no", "judged"))
                query.join(_inner(made, f"asked_{place}"), on=on, join_type="left", copy=False)
        subjects = _Subjects(f"judged_wave_{wave.number}", query, case)
        self._judge(subjects, wave.rules)
        return subjects

    def _asked(self, name: str, asked: str, found: Sequence[_Subjects]) -> tuple[Sql, exp.Select | None]:
        """What is told of the findings before, and what it is read from by case_no, if it is not about the case."""
        if name == ANY_STEP:
            steps = _union([self._steps(subjects) for subjects in found if subjects.judged])
            some = _select(column("case_no"), source=_inner(steps)).distinct(copy=False)
            return case_when([(is_null(column("case_no", asked)), text("no"))], text("yes")), some
        versions = [
            (subjects, item)
            for subjects in found
            for item in subjects.judged
            if item.rule.id == name.removeprefix(FINDING)
        ]
        if all(item.rule.about == "case" for _, item in versions):
            outcomes = [(_is_found(item), _worded(item.column, unknown=exp.null())) for _, item in versions]
            return case_when(outcomes, text("not_applicable")), None
        # The first subject's, of several versions the first: the smallest of numbers that end in the outcome.
        rows = []
        for place, (subjects, item) in enumerate(versions):
            before = exp.Mul(this=cast(column("subject_no"), exp.DType.BIGINT), expression=number(len(versions)))
            order = exp.Mul(this=exp.Paren(this=exp.Add(this=before, expression=number(place))), expression=number(10))
            told = exp.Add(this=order, expression=exp.Least(this=column(item.column), expressions=[number(UNSURE)]))
            fields = [column("case_no"), _as(told, "told")]
            rows.append(_select(*fields, source=_table(subjects.name), where=_is_found(item)))
        first = _as(exp.Mod(this=exp.Min(this=column("told")), expression=number(10)), "told")
        query = _select(column("case_no"), first, source=_inner(_union(rows))).group_by(column("case_no"), copy=False)
        none = (is_null(column("told", asked)), text("not_applicable"))
        return _worded("told", asked, unknown=exp.null(), before=[none]), query

    def _steps(self, subjects: _Subjects) -> exp.Select:
        """The cases in which one of some rules gives a step: open, not about what is over, and not set aside."""
        standing = _select(
            column("case_no"),
            _as(exp.ArrayAgg(this=column("rule")), "rules"),
            source=_table("set_aside"),
            where=exp.GTE(this=column("until"), expression=day(self.as_of)),
        ).group_by(column("case_no"), copy=False)
        chosen = column("rules", "aside")
        gives = case_when(
            [(is_null(chosen), any_of(map(_gives_step, subjects.judged)))],
            any_of(
                all_of([_gives_step(item), not_(exp.ArrayContains(this=chosen.copy(), expression=text(item.rule.id)))])
                for item in subjects.judged
            ),
        )
        query = _select(column("case_no", "judged"), source=_table(subjects.name, "judged"), where=gives)
        on = equal(column("case_no", "aside"), column("case_no", "judged"))
        return query.join(_inner(standing, "aside"), on=on, join_type="left", copy=False)


def _spans(pack: Pack) -> Iterator[tuple[date | None, Ruleset]]:
    """The editions of a pack with the last day each is of, oldest first; None: all later days."""
    edition = pack.ruleset(date.min)
    for turn in pack.turning_days:
        following = pack.ruleset(turn)
        if following is not edition:
            yield turn - timedelta(days=1), edition
            edition = following
    yield None, edition


def _place(pack: Pack, edition: Ruleset) -> int:
    return next(place for place, other in enumerate(pack.editions) if other is edition)


def _unsure(missing: dict[str, Sql], names: Sequence[str]) -> Sql:
    """The code of an unknown outcome, which says what is missing where that may be one of several."""
    if len(names) == 1:
        return number(UNSURE)
    bits = {name: 1 << names.index(name) for name in missing}
    if len(bits) == 1:
        return number(UNSURE + sum(bits.values()))
    found = number(UNSURE)
    for name, bit in bits.items():
        found = exp.Add(this=found, expression=case_when([(missing[name], number(bit))], number(0)))
    return found


def _named(names: Sequence[str], made: str) -> Sql:
    """The names of what is missing, by an outcome's number."""
    if not names:
        return words([])
    missing = words(names)
    if len(names) > 1:
        over = exp.Paren(this=exp.Sub(this=column(made), expression=number(UNSURE)))
        bits = [exp.BitwiseAnd(this=over.copy(), expression=number(1 << place)) for place in range(len(names))]
        each = [
            case_when([(exp.GT(this=exp.Paren(this=bit), expression=number(0)), text(name))], None)
            for bit, name in zip(bits, names, strict=True)
        ]
        missing = exp.ArrayCompact(this=exp.Array(expressions=each))
    return case_when([(exp.GTE(this=column(made), expression=number(UNSURE)), missing)], words([]))


def _due(subjects: _Subjects, reading: _Reading, made: str) -> Sql:
    shown = {"violated": reading.rule.overdue, "advised": reading.rule.due}
    branches = [
        (equal(column(made), number(CODES[outcome])), absent_as_null(column(subjects.place(reading.edition, fact))))
        for outcome, fact in shown.items()
        if fact is not None
    ]
    return case_when(branches, cast(exp.null(), exp.DType.DATE))


def _gives_step(item: _Judged) -> Sql:
    """Whether a rule's finding is someone's next step, unless it was set aside."""
    codes = [number(CODES[outcome]) for outcome in ("violated", "advised")]
    found = exp.In(this=column(item.column), expressions=codes)
    return found if item.rule.about_ending else all_of([found, not_(column("ended"))])


def _is_found(item: _Judged) -> Sql:
    return exp.GT(this=column(item.column), expression=number(NOT_FOUND))


def _worded(
    made: str, table: str | None = None, *, unknown: Sql | None = None, before: Sequence[tuple[Sql, Sql]] = ()
) -> Sql:
    """An outcome in words, what is unknown as told: rules read it as NULL."""
    sure = exp.GTE(this=column(made, table), expression=number(UNSURE))
    branches = [*before, (sure, text(UNKNOWN) if unknown is None else unknown)]
    for outcome, code in CODES.items():
        if outcome != UNKNOWN:
            branches.append((equal(column(made, table), number(code)), text(outcome)))
    return case_when(branches, None)


def _counts(found: Sequence[_Subjects]) -> exp.Query:
    branches = []
    for subjects in found:
        for item in subjects.judged:
            rule, role = _as(text(item.rule.id), "rule"), _as(text(item.rule.role), "role")
            outcome, count = _as(_worded(item.column), "outcome"), _as(exp.Count(this=exp.Star()), "number")
            query = _select(rule, role, outcome, count, source=_table(subjects.name), where=_is_found(item))
            branches.append(query.group_by(_worded(item.column), copy=False))
    return _union(branches)


def _columns(item: Sql) -> set[str]:
    """The columns an expression reads, but for those of relations it names."""
    return {found.name for found in item.find_all(exp.Column) if not found.table}


def _select(*fields: Sql, source: Sql, where: Sql | None = None) -> exp.Select:
    query = exp.Select(expressions=list(fields)).from_(source, copy=False)
    return query.where(where, copy=False) if where is not None else query


def _inner(query: exp.Query, name: str = "facts") -> exp.Subquery:
    return exp.Subquery(this=query, alias=_alias(name))


def _table(name: str, alias: str | None = None) -> exp.Table:
    return exp.Table(this=exp.Identifier(this=name, quoted=True), alias=_alias(alias) if alias is not None else None)


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.Identifier(this=name, quoted=True))


def _as(value: Sql, name: str) -> exp.Alias:
    return exp.Alias(this=value, alias=exp.Identifier(this=name, quoted=True))


def _union(queries: Sequence[exp.Query]) -> exp.Query:
    first, *others = queries
    for query in others:
        first = exp.Union(this=first, expression=query, distinct=False)
    return first
