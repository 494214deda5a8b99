"""Rules and facts drawn at random over a small vocabulary: one fact of every type, each certain and uncertain."""

from datetime import date, timedelta
from typing import Any as AnyData

from hypothesis import strategies as st

from rules.conditions import ALWAYS, All, Any, Condition, Line, Not
from rules.facts import FACTS, UNKNOWN, Fact, Value
from rules.pack import Rule, Ruleset

TODAY = date(2024, 6, 15)
#: Facts of a subject of kind activity.
NAMES = (
    "case.activity",  # a word, certain
    "case.interest",  # a word, perhaps unknown
    "case.entries_inconsistent",  # yes or no, certain
    "case.coaching_info_given",  # yes or no, perhaps unknown
    "case.wish_on",  # a date or none, certain
    "case.interest_asked_on",  # a date or none, perhaps unknown
    "activity.days_per_week",  # a number, perhaps unknown
)
VOCABULARY: dict[str, Fact] = {name: FACTS[name] for name in NAMES}
OUTCOMES = ("satisfied", "violated", "advised", "remedied")


def make_rule(
    applies: Condition = ALWAYS,
    *steps: tuple[str, Condition],
    otherwise: str = "satisfied",
    position: int = 0,
    name: str = "rule",
    about: str = "activity",
    wave: int = 0,
) -> Rule:
    """A rule with these conditions; its words do not matter."""
    words = {"fi": "x", "sv": "x", "en": "x"}
    return Rule(
        id=name,
        position=position,
        about=about,
        applies=applies,
        steps=tuple(steps),
        otherwise=otherwise,
        severity="quality",
        authority="statute",
        action="keep_contact",
        actions=(),
        role="client",
        guards=(),
        event=None,
        due=None,
        overdue=None,
        about_ending=False,
        valid_from=date(2020, 1, 1),
        valid_to=None,
        title=words,
        text=words,
        source=(),
        caution=None,
        wave=wave,
    )


def make_ruleset(*rules: Rule) -> Ruleset:
    """A ruleset of these rules, without parameters or deadlines."""
    return Ruleset({}, (), rules)


def values_of(fact: Fact) -> st.SearchStrategy[Value]:
    """Any value a fact can have, dates and numbers close to where conditions look."""
    known: st.SearchStrategy[AnyData]
    if fact.type == "date":
        known = st.none() | st.integers(-4, 4).map(lambda days: TODAY + timedelta(days=days))
    elif fact.type == "number":
        known = st.integers(0, 5)
    else:
        known = st.sampled_from(fact.values)
    return known | st.just(UNKNOWN) if fact.may_be_unknown else known


FACT_VALUES: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {name: values_of(fact) for name, fact in VOCABULARY.items()}
)


@st.composite
def condition_lines(draw: st.DrawFn) -> Line:
    """Any line a pack may write."""
    fact = VOCABULARY[draw(st.sampled_from(NAMES))]
    if fact.type == "date":
        test = draw(st.sampled_from(("passed", "reached", "given")))
        return Line(fact.name, test, bound=0 if test == "given" else draw(st.integers(-3, 3)))
    if fact.type == "number":
        return Line(fact.name, draw(st.sampled_from(("at_least", "at_most"))), bound=draw(st.integers(0, 5)))
    words = (*fact.values, UNKNOWN) if fact.may_be_unknown else fact.values
    return Line(fact.name, "is", tuple(draw(st.lists(st.sampled_from(words), min_size=1, max_size=3, unique=True))))


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    condition_lines(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Any(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=5,
)


@st.composite
def rules(draw: st.DrawFn, position: int = 0) -> Rule:
    """A rule with up to three steps."""
    steps = draw(st.lists(st.tuples(st.sampled_from(OUTCOMES), CONDITIONS), max_size=3))
    otherwise = draw(st.sampled_from(OUTCOMES))
    return make_rule(draw(CONDITIONS), *steps, otherwise=otherwise, position=position, name=f"rule-{position}")
