"""Conditions and deadlines as SQL over a table of facts (`rules.engines.columns`).

NULL is unknown and `NEVER` a date known to be absent, so that SQL's three-valued logic is the rules' own. Written with
what DuckDB and Spark understand alike, and what sqlglot writes for each. An expression belongs to one place in one
statement, so every function makes new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeAlias

from sqlglot import exp

from rules.conditions import All, Condition, Line, Not
from rules.deriving import TIMELINESS, Derivation
from rules.engines.columns import NEVER
from rules.facts import UNKNOWN

Sql: TypeAlias = exp.Expr
#: The column of a fact, by its name.
Names: TypeAlias = Callable[[str], str]
#: What a condition comes to, read off where that is worked out.
Reader: TypeAlias = Callable[[Condition], Sql]

IN_TIME, LATE, NOT_DONE = TIMELINESS

# --- the words of SQL ---


def column(name: str, table: str | None = None) -> exp.Column:
    """A column, of a table if one is named."""
    of = exp.Identifier(this=table, quoted=True) if table is not None else None
    return exp.Column(this=exp.Identifier(this=name, quoted=True), table=of)


def text(value: str) -> Sql:
    """A text."""
    return exp.Literal.string(value)


def number(value: int) -> Sql:
    """A number."""
    return exp.Literal.number(value)


def day(value: date) -> Sql:
    """A date."""
    return cast(exp.Literal.string(value.isoformat()), exp.DType.DATE)


def cast(value: Sql, to: exp.DType) -> Sql:
    """A value as another type."""
    return exp.Cast(this=value, to=exp.DataType(this=to))


def equal(one: Sql, other: Sql) -> Sql:
    """Whether two values are the same."""
    return exp.EQ(this=one, expression=other)


def all_of(parts: Iterable[Sql]) -> Sql:
    """True when every part is, as when there is none."""
    return _joined(exp.And, parts) or exp.true()


def any_of(parts: Iterable[Sql]) -> Sql:
    """True when some part is."""
    return _joined(exp.Or, parts) or exp.false()


def _joined(by: type[exp.Connector], parts: Iterable[Sql]) -> Sql | None:
    found: Sql | None = None
    for part in parts:
        part = exp.Paren(this=part) if isinstance(part, exp.Connector) else part
        found = by(this=found, expression=part) if found is not None else part
    return found


def not_(part: Sql) -> Sql:
    """True when the part is false."""
    return exp.Not(this=exp.Paren(this=part))


def is_null(part: Sql) -> Sql:
    """Whether something is unknown."""
    bare = isinstance(part, exp.Column)
    return exp.Is(this=part if bare else exp.Paren(this=part), expression=exp.null())


def case_when(branches: Sequence[tuple[Sql, Sql]], otherwise: Sql | None) -> Sql:
    """The value of the first branch whose condition is true, else `otherwise`, or NULL."""
    if not branches:
        return otherwise or exp.null()
    return exp.Case(ifs=[exp.If(this=condition, true=value) for condition, value in branches], default=otherwise)


def first_known(*values: Sql) -> Sql:
    """The first value that is not NULL."""
    return exp.Coalesce(this=values[0], expressions=list(values[1:]))


def absent_as_null(date_: Sql) -> Sql:
    """A date, NULL where it is absent."""
    return exp.Nullif(this=date_, expression=day(NEVER))


def words(values: Sequence[str]) -> Sql:
    """A list of texts."""
    of_texts = exp.DataType(this=exp.DType.ARRAY, expressions=[exp.DataType(this=exp.DType.TEXT)], nested=True)
    return exp.Cast(this=exp.Array(expressions=[text(value) for value in values]), to=of_texts)


# --- conditions ---


def line_sql(line: Line, fact: str, as_of: date) -> Sql:
    """A line about the fact in a column: true, false, or NULL where it is unknown."""
    if line.test == "is":
        return _is(line, fact)
    if line.test == "at_least":
        return exp.GTE(this=column(fact), expression=number(line.bound))
    if line.test == "at_most":
        return exp.LTE(this=column(fact), expression=number(line.bound))
    before = as_of.toordinal() - line.bound + (line.test == "reached")
    if line.test == "given":
        before = NEVER.toordinal()
    # An absent date never passes, and none lies before the first day there is.
    before = min(max(before, date.min.toordinal()), NEVER.toordinal())
    return exp.LT(this=column(fact), expression=day(date.fromordinal(before)))


def _is(line: Line, fact: str) -> Sql:
    known = [text(value) for value in line.values if value != UNKNOWN]
    # No word is none of them: false for a fact that is known, NULL for one that is not.
    among: Sql = exp.NEQ(this=column(fact), expression=column(fact))
    if known:
        among = exp.In(this=column(fact), expressions=known)
    if UNKNOWN not in line.values:
        return among
    return any_of([is_null(column(fact)), among]) if known else is_null(column(fact))


def combined(condition: Condition, read: Callable[[Line], Sql]) -> Sql:
    """A condition of lines that are read by `read`."""
    if isinstance(condition, Line):
        return read(condition)
    if isinstance(condition, Not):
        return not_(combined(condition.part, read))
    parts = (combined(part, read) for part in condition.parts)
    return all_of(parts) if isinstance(condition, All) else any_of(parts)


# --- what keeps a condition from being settled ---


def gaps(
    condition: Condition, derivations: Mapping[str, Derivation], names: Names, read: Callable[[Line], Sql]
) -> dict[str, Sql]:
    """The recorded facts that may be missing where a condition is unknown, and for each whether it is."""
    found: dict[str, list[Sql]] = {}
    for fact, inside in _leaves(condition):
        for recorded, operands in _recorded(fact, derivations):
            tests = [is_null(combined(part, read)) for part in inside]
            for operand, unknown in operands:
                test = is_null(column(names(operand)))
                tests.append(test if unknown else not_(test))
            found.setdefault(recorded, []).append(all_of(tests))
    return {recorded: any_of(tests) for recorded, tests in found.items()}


def _leaves(condition: Condition, inside: tuple[Condition, ...] = ()) -> Iterator[tuple[str, tuple[Condition, ...]]]:
    """The facts that may leave a condition unknown, each with the parts that are then unknown too, its line last."""
    if isinstance(condition, Line):
        if UNKNOWN not in condition.values:
            yield condition.fact, inside or (condition,)
        return
    for part in (condition.part,) if isinstance(condition, Not) else condition.parts:
        yield from _leaves(part, (*inside, part))


def _recorded(
    fact: str, derivations: Mapping[str, Derivation], operands: tuple[tuple[str, bool], ...] = ()
) -> Iterator[tuple[str, tuple[tuple[str, bool], ...]]]:
    """The recorded facts an unknown fact may rest on, each with the operands that must be unknown (or known) for it."""
    item = derivations.get(fact)
    if item is None:
        yield fact, operands
        return
    for operand in item.operands:
        yield from _recorded(operand, derivations, (*operands, (operand, True)))
    # Without an unknown operand it is the last one: what was perhaps done, a detail of it not being recorded.
    known = tuple((operand, False) for operand in item.operands)
    yield from _recorded(item.operands[-1], derivations, (*operands, *known))


# --- deadlines ---


def derived(item: Derivation, names: Names) -> Sql:
    """A deadline. `add_workdays` is none of SQL's: it is looked up in a calendar."""
    operands = [names(name) for name in item.operands]
    if item.operation == "first_given":
        return _first_given(operands)
    if item.operation == "is_after":
        return _is_after(*operands)
    if item.operation == "timeliness":
        return _timeliness(*operands)
    if item.operation in ("earliest", "latest"):
        return _picked(item.operation, operands)
    if item.operation not in ("add_days", "add_months"):
        raise ValueError(f"{item.name}: {item.operation} is no operation of SQL")
    return case_when([(_absent(operands[0]), day(NEVER))], _moved(item, column(operands[0])))


def _absent(fact: str) -> Sql:
    return equal(column(fact), day(NEVER))


def _given(fact: str) -> Sql:
    return exp.LT(this=column(fact), expression=day(NEVER))


def _moved(item: Derivation, fact: Sql) -> Sql:
    if item.operation == "add_days":
        return exp.Add(this=fact, expression=number(item.number))
    return cast(exp.AddMonths(this=fact, expression=number(item.number)), exp.DType.DATE)


def _first_given(operands: Sequence[str]) -> Sql:
    first, *others = operands
    return case_when([(_absent(first), _first_given(others))], column(first)) if others else column(first)


def _is_after(one: str, other: str) -> Sql:
    later = exp.GT(this=column(one), expression=column(other))
    known = [not_(is_null(column(one))), not_(is_null(column(other)))]
    return case_when([(all_of([later, _given(one)]), text("yes")), (all_of(known), text("no"))], None)


def _timeliness(limit: str, done: str, perhaps: str | None = None) -> Sql:
    branches = [
        (any_of([is_null(column(limit)), is_null(column(done))]), exp.null()),
        (_by(done, limit), text(IN_TIME)),
    ]
    if perhaps is None:
        return case_when([*branches, (_given(done), text(LATE))], text(NOT_DONE))
    branches += [
        (_by(perhaps, limit), exp.null()),
        (_given(done), text(LATE)),
        (_absent(perhaps), text(NOT_DONE)),
    ]
    return case_when(branches, None)


def _by(done: str, limit: str) -> Sql:
    return all_of([_given(done), exp.LTE(this=column(done), expression=column(limit))])


def _picked(operation: str, operands: Sequence[str]) -> Sql:
    """The earliest or latest date given. What LEAST and GREATEST make of NULL differs, so none reaches them."""
    if len(operands) == 1:
        return column(operands[0])
    unknown = (any_of(is_null(column(operand)) for operand in operands), exp.null())
    first, *others = operands
    if operation == "earliest":
        return case_when([unknown], exp.Least(this=column(first), expressions=[column(name) for name in others]))
    before, *befores = [case_when([(_absent(name), day(date.min))], column(name)) for name in operands]
    latest = exp.Nullif(this=exp.Greatest(this=before, expressions=befores), expression=day(date.min))
    return case_when([unknown], first_known(latest, day(NEVER)))
