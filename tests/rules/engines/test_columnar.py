"""Conditions and deadlines as SQL say what they say in Python: unknown, absent dates and ends of months included."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from itertools import product

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import add_months
from rules.conditions import FALSE, MAYBE, TRUE, All, Any, Condition, Line, Not, unsettled
from rules.deriving import Derivation
from rules.engines.columnar import ALL, OPEN, Calendar, Relation, compiled
from rules.engines.columns import Column, column_name
from rules.engines.sql import Sql, combined, derived, gaps, line_sql
from rules.facts import FACTS, UNKNOWN, Value
from rules.pack import Pack, Rule, Ruleset
from tests.helpers import pack
from tests.rules.engines.rulemaking import CONDITIONS, FACT_VALUES, TODAY, make_rule, make_ruleset

TYPES = {"date": "DATE", "number": "INTEGER", "text": "VARCHAR"}
ABSENT, DAY = None, date(2024, 2, 29)


def column_of(name: str) -> Column:
    kind = FACTS[name].type
    return Column(name, "date" if kind == "date" else "number" if kind == "number" else "text")


@cache
def duck() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def told(expressions: Iterable[Sql], facts: Mapping[str, tuple[str, object]]) -> tuple[object, ...]:
    """What SQL says of a row of one subject: cells by column, each with its type."""
    cells = ", ".join(f'?::{kind} AS "{name}"' for name, (kind, _) in facts.items())
    asked = ", ".join(item.sql(dialect="duckdb", identify=True) for item in expressions)
    query = f"SELECT {asked} FROM (SELECT {cells}) AS facts"
    return duck().execute(query, [value for _, value in facts.values()]).fetchall()[0]


def row(facts: Mapping[str, Value]) -> dict[str, tuple[str, object]]:
    columns = {name: column_of(name) for name in facts}
    return {item.name: (TYPES[item.type], item.cell(facts[name])) for name, item in columns.items()}


def line(item: Line, day: date = TODAY) -> Sql:
    return line_sql(item, column_name(item.fact), day)


SAID: dict[object, int] = {True: TRUE, False: FALSE, None: MAYBE}


@settings(max_examples=100, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=8), FACT_VALUES)
def test_a_condition_comes_to_the_same_in_sql(conditions: list[Condition], facts: dict[str, Value]) -> None:
    found = told([combined(item, line) for item in conditions], row(facts))
    for condition, said in zip(conditions, found, strict=True):
        assert SAID[said] == condition.truth(facts, TODAY), condition


@settings(max_examples=100, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=8), FACT_VALUES)
def test_what_keeps_a_condition_from_being_settled_is_the_same_in_sql(
    conditions: list[Condition], facts: dict[str, Value]
) -> None:
    for condition in conditions:
        if condition.truth(facts, TODAY) == MAYBE:
            missing = gaps(condition, {}, column_name, line)
            found = told(missing.values(), row(facts))
            named = {name for name, is_missing in zip(missing, found, strict=True) if is_missing}
            assert named == set(unsettled(condition, facts, TODAY))


@pytest.mark.parametrize("bound", [-10_000, -14, 0, 14, 10_000])
@pytest.mark.parametrize("test", ["passed", "reached"])
@pytest.mark.parametrize("today", [date(1900, 1, 1), TODAY, date(2200, 12, 31)])
def test_a_date_passes_on_its_day_and_an_absent_one_never(test: str, bound: int, today: date) -> None:
    item = Line("case.wish_on", "passed" if test == "passed" else "reached", bound=bound)
    days = [ABSENT, *(today + timedelta(days=near - bound) for near in (-2, -1, 0, 1, 2))]
    for value in days:
        facts: dict[str, Value] = {"case.wish_on": value}
        assert SAID[told([line(item, today)], row(facts))[0]] == item.truth(facts, today)


def test_no_date_is_before_the_first_nor_absent_from_the_last() -> None:
    """Bounds that lead out of the calendar are those of its ends."""
    facts: dict[str, Value] = {"case.wish_on": ABSENT}
    for bound in (-3_000_000, 3_000_000):
        for test in ("passed", "reached"):
            item = Line("case.wish_on", "passed" if test == "passed" else "reached", bound=bound)
            assert told([line(item)], row(facts)) == (False,)


@pytest.mark.parametrize("value", ["yes", "no", UNKNOWN])
@pytest.mark.parametrize("values", [(), ("yes",), (UNKNOWN,), ("no", UNKNOWN), ("yes", "no")])
def test_words_may_be_none_or_unknown(value: str, values: tuple[str, ...]) -> None:
    item = Line("case.coaching_info_given", "is", values)
    facts: dict[str, Value] = {"case.coaching_info_given": value}
    for condition in (item, Not(item), All((item,)), Any((Not(item), Any(())))):
        assert SAID[told([combined(condition, line)], row(facts))[0]] == condition.truth(facts, TODAY)


# --- deadlines ---

SOME_DATES = (UNKNOWN, ABSENT, DAY - timedelta(days=1), DAY, DAY + timedelta(days=1))
OPERATIONS = [
    *(("add_days", 1, number) for number in (-30, 0, 14)),
    *(("add_months", 1, number) for number in (-12, -1, 0, 1, 12)),
    *((name, count, 0) for name in ("earliest", "latest", "first_given") for count in (1, 2, 3)),
    ("is_after", 2, 0),
    ("timeliness", 2, 0),
    ("timeliness", 3, 0),
]


@pytest.mark.parametrize(("operation", "count", "number"), OPERATIONS)
def test_a_deadline_is_the_same_in_sql(operation: str, count: int, number: int) -> None:
    names = tuple(f"case.operand_{place}" for place in range(count))
    item = Derivation("case.derived", operation, names, number)
    words = operation in ("is_after", "timeliness")
    column = Column("case.derived", "text" if words else "date")
    rows = list(product(SOME_DATES, repeat=count))
    cells = [[Column(name, "date").cell(value) for name, value in zip(names, row, strict=True)] for row in rows]
    places = ", ".join(f'"{column_name(name)}"' for name in names)
    shape = ", ".join(["?::DATE"] * count)
    with duckdb.connect() as connection:
        asked = derived(item, column_name).sql(dialect="duckdb", identify=True)
        values = ", ".join([f"({shape})"] * len(rows))
        query = f"SELECT {asked} FROM (VALUES {values}) AS facts({places})"
        found = connection.execute(query, [cell for row in cells for cell in row]).fetchall()
    for values_, (said,) in zip(rows, found, strict=True):
        assert said == column.cell(item.value(dict(zip(names, values_, strict=True)))), values_


def test_months_end_where_the_calendar_says_on_every_day_of_five_years() -> None:
    """Leap years and ends of months, forwards and back."""
    days = [date(1999, 12, 1) + timedelta(days=number) for number in range(365 * 5)]
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE facts AS SELECT unnest($1::DATE[]) AS "case_wish_on"', [days])
        for months in (-25, -12, -6, -3, -1, 1, 2, 3, 6, 11, 12, 24, 48, 1200):
            item = Derivation("case.derived", "add_months", ("case.wish_on",), months)
            asked = derived(item, column_name).sql(dialect="duckdb", identify=True)
            found = connection.execute(f'SELECT "case_wish_on", {asked} FROM facts').fetchall()
            assert [(day, add_months(day, months)) for day in days] == found


def test_an_operation_sql_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"case\.by: add_workdays is no operation of SQL"):
        derived(Derivation("case.by", "add_workdays", ("case.wish_on",), 3), column_name)


# --- the plan ---


def test_a_plan_is_the_same_each_time() -> None:
    assert compiled(pack(), TODAY) == compiled(pack(), TODAY)


def test_a_plan_reads_each_kinds_facts_once_and_judges_every_rule_in_force() -> None:
    plan = compiled(pack(), TODAY)
    relations = [step for step in plan.steps if isinstance(step, Relation)]
    for kind in ("case", "activity", "job", "stop"):
        assert sum(f'"facts_{kind}"' in step.sql for step in relations) == 1
    for rule in pack().rules(TODAY):
        assert f"'{rule.id}'" in plan.findings
    assert [step.workdays for step in plan.steps if isinstance(step, Calendar)] == [3]


@pytest.mark.parametrize("dialect", ["duckdb", "spark"])
def test_a_plan_is_sql_of_either_engine(dialect: str) -> None:
    plan = compiled(pack(), TODAY, least=ALL, dialect=dialect)
    statements = [step.sql if isinstance(step, Relation) else step.days for step in plan.steps]
    for statement in (*statements, plan.findings, plan.counts):
        assert sqlglot.parse_one(statement, read=dialect).sql(dialect=dialect)
    assert ("ADD_MONTHS(`" in "".join(statements)) == (dialect == "spark")


def test_names_a_pack_gives_are_quoted() -> None:
    name = 'it\'s "quoted"; DROP TABLE found --'
    found = compiled(with_rules(make_rule(otherwise="violated", name=name, about="case")), TODAY).findings
    assert "'it''s \"quoted\"; DROP TABLE found --'" in found
    assert sqlglot.parse(found, read="duckdb")[1:] == []


def with_rules(*rules: Rule) -> Pack:
    ruleset = make_ruleset(*rules)
    words = {"fi": "x", "sv": "x", "en": "x"}
    return Pack("small", "1", words, {}, {}, (ruleset,), ((date(2020, 1, 1), 0),), {})


def test_a_rule_that_builds_on_findings_and_is_not_about_the_case_is_refused() -> None:
    first = make_rule(otherwise="violated", name="first", about="case")
    later = make_rule(Line("finding.first", "is", ("violated",)), name="later", position=1, about="activity", wave=1)
    with pytest.raises(ValueError, match="later builds on findings and is about activity"):
        compiled(with_rules(first, later), TODAY)


def test_a_rule_that_rests_on_more_unknown_facts_than_a_number_tells_apart_is_refused() -> None:
    names = [f"case.fact_{number}" for number in range(61)]
    known = All(tuple(Line(name, "is", ("yes",)) for name in names))
    assert isinstance(with_rules(make_rule(All(known.parts[:60]), name="many", about="case")).ruleset(TODAY), Ruleset)
    with pytest.raises(ValueError, match="many rests on 61 facts"):
        compiled(with_rules(make_rule(known, name="many", about="case")), TODAY)


def test_satisfied_findings_are_written_where_all_are_asked_for() -> None:
    assert ">= 3" in compiled(pack(), TODAY, least=OPEN).findings
    assert ">= 1" in compiled(pack(), TODAY, least=ALL).findings
