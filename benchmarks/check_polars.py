"""A rival of the columnar engine that also judges every client at once: Polars.

The pack's conditions and deadlines become Polars expressions, as the columnar engine makes SQL of them; the same
findings are written, and the same outcomes counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, reduce
from operator import and_, or_
from pathlib import Path

import polars as pl

from rules.calendar import add_workdays
from rules.conditions import All, Condition, Line, Not
from rules.deriving import Derivation
from rules.engines.columns import NEVER, column_name, tables
from rules.facts import UNKNOWN
from rules.pack import ANY_STEP, FINDING, OUTCOMES, Pack, Rule, Ruleset

_TEXT = pl.Enum(list(OUTCOMES))
_OPEN = ["violated", "advised", UNKNOWN]
#: The days whose working days are looked up: every date a journal can hold.
_FIRST, _LAST = date(1990, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True)
class Counted:
    """How many findings were written, and how often each rule came to each outcome."""

    findings: int
    counts: Mapping[tuple[str, str], int]


def judge(parts: Sequence[Path], pack: Pack, day: date, out: Path) -> Counted:
    """Judge every case of a facts folder; write the open findings. For a pack of one edition."""
    assert len(pack.editions) == 1, "rules judged by another edition's values are not written for Polars"
    return _Judge(parts, pack, day).findings(out)


class _Judge:
    def __init__(self, parts: Sequence[Path], pack: Pack, day: date) -> None:
        self._parts, self._pack, self._day = parts, pack, day
        self._ruleset: Ruleset = pack.ruleset(day)
        self._derivations = {item.name: item for item in self._ruleset.derivations}
        self._aside = (
            self._scan("set_aside").filter(pl.col("until") >= day).select("case_no", "rule", set_aside="entry")
        )
        self._counts: dict[tuple[str, str], int] = {}

    def findings(self, out: Path) -> Counted:
        cases = self._outcomes(self._source("case"), "case", 0)
        found = [*self._listed(cases, "case", 0)]
        for kind in tables(self._pack):
            if kind != "case":
                found += self._listed(self._outcomes(self._source(kind), kind, 0), kind, 0)
        for wave in self._ruleset.waves:
            if ANY_STEP in wave.asks:
                steps = self._finished(found).filter("is_step").select("case_no").unique().collect(engine="streaming")
                busy = pl.when(pl.col("case_no").is_in(steps["case_no"].implode())).then(pl.lit("yes"))
                cases = cases.with_columns(busy.otherwise(pl.lit("no")).alias(ANY_STEP))
            cases = self._outcomes(cases.lazy(), "case", wave.number)
            found += self._listed(cases, "case", wave.number)
        head = self._scan("case").select("case_no", "case", "municipality")
        rows = self._finished(found).join(head, on="case_no").drop("case_no", "over")
        rows.sink_parquet(out, compression="zstd", engine="streaming", maintain_order=False)
        return Counted(pl.scan_parquet(out).select(pl.len()).collect().item(), self._counts)

    # --- the subjects of a kind ---

    def _scan(self, table: str) -> pl.LazyFrame:
        return pl.scan_parquet([part / f"{table}.parquet" for part in self._parts])

    def _source(self, kind: str) -> pl.LazyFrame:
        frame = self._scan(kind)
        if kind == "case":
            nothing = (pl.lit(None, pl.String).alias("entry"), pl.lit(False).alias("ended"))
            frame = frame.drop("case", "municipality", "version", "folded_on", "holds_until").with_columns(*nothing)
        for item in self._ruleset.derivations:
            if all(column_name(name) in frame.collect_schema() for name in item.operands):
                frame = frame.with_columns(_derived(item).alias(column_name(item.name)))
        return frame

    def _outcomes(self, frame: pl.LazyFrame, kind: str, wave: int) -> pl.DataFrame:
        """The facts with a column for each rule of a wave: its outcome, null where it does not apply."""
        judged = [self._outcome(rule).alias(rule.id) for rule in self._rules(kind, wave)]
        found = frame.with_columns(judged).collect(engine="streaming")
        for rule in self._rules(kind, wave):
            for outcome, number in found[rule.id].drop_nulls().value_counts().iter_rows():
                self._counts[rule.id, outcome] = number
        return found

    def _rules(self, kind: str, wave: int) -> list[Rule]:
        found = [rule for rule in self._ruleset.about(kind) if rule.wave == wave]
        return [rule for rule in found if rule.event is not None or rule.in_force(self._day)]

    def _outcome(self, rule: Rule) -> pl.Expr:
        applies = self._truth(rule.applies)
        if rule.event is not None:
            on = self._judged_on(rule)
            in_force = on >= rule.valid_from
            applies = applies & (in_force if rule.valid_to is None else in_force & (on <= rule.valid_to))
        found = pl.when(applies.is_null()).then(_word(UNKNOWN)).when(~applies).then(None)
        for outcome, condition in rule.steps:
            truth = self._truth(condition)
            found = found.when(truth.is_null()).then(_word(UNKNOWN)).when(truth).then(_word(outcome))
        return found.otherwise(_word(rule.otherwise))

    def _judged_on(self, rule: Rule) -> pl.Expr:
        return pl.lit(self._day) if rule.event is None else _shown(rule.event).fill_null(self._day)

    # --- conditions ---

    def _truth(self, condition: Condition) -> pl.Expr:
        """A condition, null where it is unknown."""
        if isinstance(condition, Line):
            return self._line(condition)
        if isinstance(condition, Not):
            return ~self._truth(condition.part)
        parts = [self._truth(part) for part in condition.parts]
        if isinstance(condition, All):
            return reduce(and_, parts) if parts else pl.lit(True)
        return reduce(or_, parts) if parts else pl.lit(False)

    def _line(self, line: Line) -> pl.Expr:
        if line.fact.startswith(FINDING):
            return self._found(line)
        value = pl.col(column_name(line.fact))
        if line.test == "is":
            words = [word for word in line.values if word != UNKNOWN]
            among = reduce(or_, [value == word for word in words]) if words else pl.lit(False)
            return among.fill_null(True) if UNKNOWN in line.values else among
        if line.test == "given":
            return value != NEVER
        if line.test in ("at_least", "at_most"):
            return value >= line.bound if line.test == "at_least" else value <= line.bound
        limit = self._day - timedelta(days=line.bound)
        return value < limit if line.test == "passed" else value <= limit

    def _found(self, line: Line) -> pl.Expr:
        """A line about what an earlier wave found."""
        if line.fact == ANY_STEP:
            return pl.col(ANY_STEP).is_in(line.values)
        value = pl.col(line.fact.removeprefix(FINDING)).cast(pl.String).fill_null("not_applicable")
        return pl.when(value == UNKNOWN).then(None).otherwise(value.is_in(line.values))

    def _undecided(self, condition: Condition, under: pl.Expr) -> Iterator[tuple[str, pl.Expr]]:
        """The recorded facts that keep a condition from being settled, each with when it does."""
        under = under & self._truth(condition).is_null()
        if isinstance(condition, Line):
            yield from self._recorded(condition.fact, under)
        elif isinstance(condition, Not):
            yield from self._undecided(condition.part, under)
        else:
            for part in condition.parts:
                yield from self._undecided(part, under)

    def _recorded(self, name: str, under: pl.Expr) -> Iterator[tuple[str, pl.Expr]]:
        if name not in self._derivations:
            yield name, under
            return
        operands = self._derivations[name].operands
        unknown = [pl.col(column_name(operand)).is_null() for operand in operands]
        for operand, gap in zip(operands, unknown, strict=True):
            yield from self._recorded(operand, under & gap)
        yield from self._recorded(operands[-1], under & ~reduce(or_, unknown))

    def _missing(self, rule: Rule) -> pl.Expr:
        """The missing facts of a rule that came out unknown, sorted."""
        gaps: dict[str, list[pl.Expr]] = {}
        under = pl.lit(True)
        for condition in rule.conditions():
            for name, when in self._undecided(condition, under):
                gaps.setdefault(name, []).append(when)
            settled = self._truth(condition).is_not_null()
            under = under & settled
        named = [pl.when(reduce(or_, gaps[name])).then(pl.lit(name)) for name in sorted(gaps)]
        return pl.concat_list(named).list.drop_nulls() if named else pl.lit([], pl.List(pl.String))

    # --- findings ---

    def _listed(self, judged: pl.DataFrame, kind: str, wave: int) -> Iterator[pl.LazyFrame]:
        for rule in self._rules(kind, wave):
            for outcome in _OPEN:
                rows = judged.lazy().filter(pl.col(rule.id) == outcome)
                missing = self._missing(rule) if outcome == UNKNOWN else pl.lit([], pl.List(pl.String))
                yield rows.select(
                    "case_no",
                    pl.lit(rule.id).alias("rule"),
                    pl.lit(kind).alias("subject_kind"),
                    pl.col("entry").alias("subject_entry"),
                    pl.lit(outcome).alias("outcome"),
                    pl.lit(rule.severity).alias("severity"),
                    _due(rule, outcome).alias("due"),
                    missing.alias("missing"),
                    self._judged_on(rule).alias("judged_on"),
                    self._action(rule).alias("action"),
                    pl.lit(rule.role).alias("role"),
                    (pl.lit(False) if rule.about_ending else pl.col("ended")).alias("over"),
                )

    def _action(self, rule: Rule) -> pl.Expr:
        action = pl.lit(rule.action)
        for when, other in reversed(rule.actions):
            action = pl.when(self._truth(when)).then(pl.lit(other)).otherwise(action)
        return action

    def _finished(self, found: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
        """Findings with what was set aside, and whether each is someone's next step."""
        is_open = pl.col("outcome") != UNKNOWN
        aside = pl.when(is_open).then(pl.col("set_aside"))
        return (
            pl.concat(found)
            .join(self._aside, on=["case_no", "rule"], how="left")
            .with_columns(aside.alias("set_aside"))
            .with_columns((is_open & pl.col("set_aside").is_null() & ~pl.col("over")).alias("is_step"))
        )


def _word(outcome: str) -> pl.Expr:
    return pl.lit(outcome, _TEXT)


def _shown(fact: str) -> pl.Expr:
    """A date, null where it is absent."""
    value = pl.col(column_name(fact))
    return pl.when(value != NEVER).then(value)


def _due(rule: Rule, outcome: str) -> pl.Expr:
    name = {"violated": rule.overdue, "advised": rule.due}.get(outcome)
    return _shown(name) if name is not None else pl.lit(None, pl.Date)


def _derived(item: Derivation) -> pl.Expr:
    values = [pl.col(column_name(name)) for name in item.operands]
    if item.operation in ("add_days", "add_months", "add_workdays"):
        return pl.when(values[0] == NEVER).then(values[0]).otherwise(_moved(values[0], item))
    if item.operation == "first_given":
        return reduce(lambda later, value: pl.when(value == NEVER).then(later).otherwise(value), values[::-1])
    if item.operation == "is_after":
        after = (values[0] != NEVER) & (values[1] != NEVER) & (values[0] > values[1])
        known = values[0].is_not_null() & values[1].is_not_null()
        return pl.when(known).then(pl.when(after).then(pl.lit("yes")).otherwise(pl.lit("no")))
    if item.operation == "timeliness":
        return _timeliness(*values)
    known = reduce(and_, [value.is_not_null() for value in values])
    if item.operation == "earliest":
        return pl.when(known).then(pl.min_horizontal(values))
    given = pl.max_horizontal([pl.when(value != NEVER).then(value) for value in values])
    return pl.when(known).then(given.fill_null(NEVER))


def _moved(value: pl.Expr, item: Derivation) -> pl.Expr:
    if item.operation == "add_workdays":
        return value.replace_strict(*workdays(item.number), default=None, return_dtype=pl.Date)
    return value.dt.offset_by(f"{item.number}{'mo' if item.operation == 'add_months' else 'd'}")


@cache
def workdays(number: int) -> tuple[list[date], list[date]]:
    """Days, and the `number`-th working day after each: a calendar table, as anyone who needs it has one."""
    days = [_FIRST + timedelta(days=count) for count in range((_LAST - _FIRST).days + 1)]
    return days, [add_workdays(day, number) for day in days]


def _timeliness(limit: pl.Expr, done: pl.Expr, maybe: pl.Expr | None = None) -> pl.Expr:
    found = (
        pl.when(limit.is_null() | done.is_null())
        .then(None)
        .when((done != NEVER) & (done <= limit))
        .then(pl.lit("in_time"))
    )
    if maybe is not None:
        found = found.when((maybe != NEVER) & (maybe <= limit)).then(None)
    found = found.when(done != NEVER).then(pl.lit("late"))
    if maybe is not None:
        found = found.when(maybe != NEVER).then(None)
    return found.otherwise(pl.lit("not_done"))
