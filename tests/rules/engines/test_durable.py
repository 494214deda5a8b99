"""durable-rules stays inside its fence: what is known to crash, hang or lie in it is refused, or surfaces."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.conditions import Any as AnyOf
from rules.conditions import Line
from rules.engines import EngineError
from rules.engines import durable as fence
from rules.engines.branches import FAR, Between, OneOf
from rules.engines.durable import MAX_PATHS, DurableEngine, attribute_tests, lint_ruleset
from rules.engines.reference import ReferenceEngine
from rules.facts import Value
from rules.fold import fold
from rules.pack import Rule
from tests.helpers import assessor, pack, random_pair
from tests.rules.engines.rulemaking import FACT_VALUES, TODAY, make_rule, make_ruleset, rules

GUARD = {"kind": "case"}
ATTRIBUTES = frozenset({"a0", "a1"})
Test = dict[str, Any]


# --- the linter: what no ruleset may hold ---


def lint(*tests: Any, guard: Any = GUARD, patterns: int = 1, times: int = 1) -> None:
    """Lint rules that all have these tests behind the guard."""
    lint_ruleset("ruleset", [[[guard, *tests]] * patterns] * times, ATTRIBUTES)


def test_constant_tests_behind_the_guard_pass() -> None:
    lint({"a0": 1}, {"$gte": {"a1": -5}}, {"$lte": {"a1": 5}}, {"$neq": {"a0": "unknown"}})
    lint(patterns=2)


FORBIDDEN: list[tuple[str, Test, str]] = [
    ("another attribute on the right", {"$gt": {"a0": {"$m": "a1"}}}, r"\$gt is not on the list"),
    (
        "another attribute behind an allowed operator",
        {"$gte": {"a0": {"$m": "a1"}}},
        "expected a whole number or a word",
    ),
    ("another attribute in an equality", {"a0": {"$m": "a1"}}, "expected a whole number or a word"),
    ("a reference without its dollar sign", {"$lte": {"a0": {"m": "a1"}}}, "expected a whole number or a word"),
    ("another pattern's attribute", {"a0": {"own": "a1"}}, "expected a whole number or a word"),
    ("arithmetic", {"$gte": {"a0": {"$add": {"$l": {"$m": "a1"}, "$r": 1}}}}, "expected a whole number or a word"),
    ("division", {"$div": {"a0": 2}}, r"operator \$div is not on the list"),
    ("a bare absence", {"$nex": {"a0": 1}}, r"operator \$nex is not on the list"),
    ("a presence", {"$ex": {"a0": 1}}, r"operator \$ex is not on the list"),
    ("an alternative", {"$or": [{"a0": 1}, {"a1": 1}]}, r"operator \$or is not on the list"),
    ("a negation", {"$not": [{"a0": 1}]}, r"operator \$not is not on the list"),
    ("a list test", {"$iany": {"a0": 1}}, r"operator \$iany is not on the list"),
    ("an operator no one knows", {"$near": {"a0": 1}}, r"operator \$near is not on the list"),
    ("a yes as a constant", {"a0": True}, "compared with True"),
    ("a no behind an operator", {"$neq": {"a0": False}}, "compared with False"),
    ("a fraction", {"$gte": {"a0": 1.5}}, r"compared with 1\.5"),
    ("a fraction the parser fails on", {"a0": 1e-05}, "compared with 1e-05"),
    ("an infinity", {"$lte": {"a0": float("inf")}}, "compared with inf"),
    ("nothing", {"a0": None}, "compared with None"),
    ("a list", {"a0": ["x"]}, "expected a whole number or a word"),
    ("a number beyond 64 bits", {"a0": 2**63}, "9223372036854775808"),
    ("a number below 64 bits", {"$gte": {"a0": -(2**63) - 1}}, "9223372036854775809"),
    ("the session id", {"sid": "0"}, "undeclared attribute sid"),
    ("the fact id", {"$neq": {"id": "1"}}, "undeclared attribute id"),
    ("the state mark", {"$s": 1}, r"\$s"),
    ("the state mark behind an operator", {"$neq": {"$s": 1}}, "undeclared attribute"),
    ("an attribute not declared", {"a7": 1}, "undeclared attribute a7"),
    ("two keys", {"a0": 1, "a1": 2}, "2 keys, only the first would count"),
    ("no key", {}, "0 keys"),
    ("two attributes behind an operator", {"$gte": {"a0": 1, "a1": 2}}, "takes one attribute"),
    ("an operator without attribute", {"$gte": 3}, "takes one attribute"),
]


@pytest.mark.parametrize(("what", "test", "message"), FORBIDDEN, ids=[row[0] for row in FORBIDDEN])
def test_the_linter_refuses(what: str, test: Test, message: str) -> None:
    with pytest.raises(EngineError, match=message) as caught:
        lint(test)
    assert str(caught.value).startswith("ruleset: ")


@pytest.mark.parametrize(
    "guard", [{"a0": 1}, {"$nex": {"kind": 1}}, {"$neq": {"kind": "case"}}, {"kind": "case", "a0": 1}, {}]
)
def test_the_linter_refuses_a_pattern_that_does_not_begin_with_the_guard(guard: Test) -> None:
    with pytest.raises(EngineError, match="does not begin with the guard"):
        lint({"a0": 1}, guard=guard)


def test_the_linter_refuses_an_empty_pattern() -> None:
    with pytest.raises(EngineError, match="guard"):
        lint_ruleset("ruleset", [[[]]], ATTRIBUTES)


def test_the_linter_refuses_a_guard_that_is_not_a_word() -> None:
    with pytest.raises(EngineError, match="ruleset"):
        lint(guard={"kind": {"$m": "a0"}})


def test_the_linter_refuses_rules_without_patterns_or_with_too_many() -> None:
    for patterns in (0, 17):
        with pytest.raises(EngineError, match=f"a rule has {patterns} patterns, expected 1 to 16"):
            lint(patterns=patterns)
    lint(patterns=16)


def test_the_linter_refuses_more_paths_than_the_engine_survives() -> None:
    lint(times=MAX_PATHS)
    with pytest.raises(EngineError, match="more than 60 alpha paths"):
        lint(times=MAX_PATHS + 1)
    with pytest.raises(EngineError, match="more than 60 alpha paths"):
        lint(times=31, patterns=2)


def test_a_ruleset_is_linted_before_the_engine_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "_OPERATORS", frozenset({"$gte"}))
    rule = make_rule(Line("activity.days_per_week", "at_most", bound=3))
    with pytest.raises(EngineError, match=r"\$lte is not on the list"):
        DurableEngine(make_ruleset(rule))


def test_a_rule_too_wide_for_one_ruleset_is_refused_by_name() -> None:
    days = [Line("activity.days_per_week", "at_least", bound=2 * number) for number in range(40)]
    dates = [Line("case.wish_on", "passed", bound=number) for number in range(40)]
    pairs = [AnyOf((one, other)) for one, other in zip(days, dates, strict=True)]
    wide = make_rule(AnyOf(tuple(pairs)), *[("violated", pair) for pair in pairs[:8]], name="wide-rule")
    with pytest.raises(EngineError, match=r"wide-rule.*split the rule"):
        DurableEngine(make_ruleset(wide))


# --- the tests the engine is given ---


def test_constraints_become_comparisons_with_constants() -> None:
    words, universe = frozenset({"yes", "no"}), frozenset({"yes", "no", "undecided", "unknown"})
    assert attribute_tests("a0", Between(2, 2)) == [{"a0": 2}]
    assert attribute_tests("a0", Between(1, 4)) == [{"$gte": {"a0": 1}}, {"$lte": {"a0": 4}}]
    assert attribute_tests("a0", Between(-FAR, 4)) == [{"$lte": {"a0": 4}}]
    assert attribute_tests("a0", OneOf(frozenset({"yes"}), universe)) == [{"a0": "yes"}]
    assert attribute_tests("a0", OneOf(words, universe)) == [{"$neq": {"a0": "undecided"}}, {"$neq": {"a0": "unknown"}}]


# --- judging ---


@settings(max_examples=60)
@given(
    st.integers(1, 8).flatmap(lambda n: st.tuples(*(rules(k) for k in range(n)))),
    st.lists(FACT_VALUES, min_size=1, max_size=8),
)
def test_rules_drawn_at_random_come_to_what_the_reference_says(
    drawn: tuple[Rule, ...], subjects: list[dict[str, Value]]
) -> None:
    ruleset = make_ruleset(*drawn)
    engine, reference = DurableEngine(ruleset), ReferenceEngine(ruleset)
    for facts in subjects:
        assert engine.judge("activity", facts, TODAY) == reference.judge("activity", facts, TODAY)


def subjects_of(seed: int) -> list[tuple[Any, dict[str, Value], Any]]:
    """Kind, facts and date of every subject of a random journal."""
    case, on, _ = random_pair(seed)
    ruleset = pack().ruleset(on)
    folded = fold(assessor().history(case, on), on, all_subjects=True)
    return [(subject.kind, ruleset.derive(subject.kind, dict(subject.facts)), on) for subject in folded.subjects]


def test_a_kind_of_subject_without_rules_has_no_outcomes() -> None:
    engine = DurableEngine(make_ruleset(make_rule()))
    assert engine.judge("nothing", {}, TODAY) == {}
    assert engine.judge_wave(7, {}, {}, TODAY) == {}


HOSTILE = [
    "",
    '"',
    "\\",
    "a\nb",
    "\x00",
    "é",
    "e\u0301",
    "🙂",
    'yes"}',
    "$m",
    "{'kind': 'case'}",
    "x" * 10_000,
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_a_fact_never_reaches_the_engine(text: str) -> None:
    asked = make_rule(Line("case.interest", "is", ("yes",)), otherwise="advised")
    other = make_rule(Line("case.interest", "is", ("no",)), otherwise="violated", position=1)
    engine = DurableEngine(make_ruleset(asked, other))
    with pytest.raises(EngineError, match=r"case\.interest"):
        engine.judge("activity", {"case.interest": text}, TODAY)
    assert engine.judge("activity", {"case.interest": "yes"}, TODAY) == {0: "advised", 1: "not_applicable"}


def test_a_fact_left_out_or_of_the_wrong_type_is_an_error_never_a_no() -> None:
    engine = DurableEngine(make_ruleset(make_rule(Line("case.wish_on", "passed"))))
    for facts in ({}, {"case.wish_on": "soon"}, {"case.wish_on": 1.5}, {"case.wish_on": [1]}):
        with pytest.raises(EngineError, match="durable-rules failed"):
            engine.judge("activity", facts, TODAY)  # type: ignore[arg-type]
    assert engine.judge("activity", {"case.wish_on": TODAY - timedelta(days=1)}, TODAY) == {0: "satisfied"}


# --- errors ---

RULE = make_rule(Line("case.interest", "is", ("yes",)), otherwise="violated")


def failing(host: type, monkeypatch: pytest.MonkeyPatch, method: str, error: BaseException) -> None:
    """Let a method of the engine fail once."""
    honest = getattr(host, method)

    def once(self: Any, *arguments: Any) -> Any:
        monkeypatch.setattr(host, method, honest)
        raise error

    monkeypatch.setattr(host, method, once)


@pytest.mark.parametrize("method", ["assert_fact", "delete_state"])
@pytest.mark.parametrize("error", [MemoryError("no room"), ValueError("303"), RuntimeError("boom")])
def test_an_engine_that_fails_is_an_error_and_the_next_judgement_right(
    monkeypatch: pytest.MonkeyPatch, method: str, error: Exception
) -> None:
    engine = DurableEngine(make_ruleset(RULE))
    failing(fence._QuietHost, monkeypatch, method, error)
    with pytest.raises(EngineError, match=str(error)) as caught:
        engine.judge("activity", {"case.interest": "yes"}, TODAY)
    assert caught.value.__cause__ is error
    assert engine.judge("activity", {"case.interest": "yes"}, TODAY) == {0: "violated"}
    assert engine.judge("activity", {"case.interest": "no"}, TODAY) == {0: "not_applicable"}


def test_an_interruption_passes_through_and_leaves_the_engine_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = DurableEngine(make_ruleset(RULE))
    failing(fence._QuietHost, monkeypatch, "assert_fact", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        engine.judge("activity", {"case.interest": "yes"}, TODAY)
    assert engine.judge("activity", {"case.interest": "yes"}, TODAY) == {0: "violated"}


def test_an_exception_the_engine_swallows_surfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine keeps an action's exception in its state and goes on."""
    engine = DurableEngine(make_ruleset(RULE))
    honest = fence._QuietHost.assert_fact

    def swallowing(self: Any, *arguments: Any) -> Any:
        state = honest(self, *arguments)
        state["exception"] = "caught an action's error"
        return state

    with monkeypatch.context() as patched:
        patched.setattr(fence._QuietHost, "assert_fact", swallowing)
        with pytest.raises(EngineError, match="caught an action's error"):
            engine.judge("activity", {"case.interest": "yes"}, TODAY)
    assert engine.judge("activity", {"case.interest": "yes"}, TODAY) == {0: "violated"}


def test_an_error_in_an_action_itself_surfaces() -> None:
    class Trap(list[Any]):
        def append(self, _: Any) -> None:
            raise RuntimeError("the action failed")

    engine = DurableEngine(make_ruleset(RULE))
    (shard,) = engine._shards["activity"]
    shard._fired = Trap()
    shard._build()
    with pytest.raises(EngineError, match=r"action (ran|failed)"):
        engine.judge("activity", {"case.interest": "yes"}, TODAY)


def test_an_engine_that_runs_no_action_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = DurableEngine(make_ruleset(RULE))
    with monkeypatch.context() as patched:
        patched.setattr(fence._QuietHost, "assert_fact", lambda self, *arguments: None)
        with pytest.raises(EngineError, match="no action ran"):
            engine.judge("activity", {"case.interest": "yes"}, TODAY)
    assert engine.judge("activity", {"case.interest": "yes"}, TODAY) == {0: "violated"}


# --- threads ---


def test_no_background_thread_is_started() -> None:
    before = set(threading.enumerate())
    engine = DurableEngine(pack().editions[-1])
    for kind, facts, on in subjects_of(3):
        engine.judge(kind, facts, on)
    assert set(threading.enumerate()) == before


def test_many_threads_on_one_engine_all_get_their_own_answer() -> None:
    engine, reference = DurableEngine(pack().editions[-1]), ReferenceEngine(pack().editions[-1])
    work = [item for seed in range(20) for item in subjects_of(seed)]
    expected = [reference.judge(*item) for item in work]

    def share(first: int) -> list[int]:
        turns = [(first * 7 + number) % len(work) for number in range(300)]
        return [turn for turn in turns if engine.judge(*work[turn]) != expected[turn]]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(share, range(4))) == [[], [], [], []]
