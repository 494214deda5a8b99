"""What changed since the check before: said only where both checks knew."""

from __future__ import annotations

from typing import Any

from service.check_changes import NEW, SETTLED, STILL_OPEN, UNDETERMINED, compared, is_open

RULES = {"plan", "contact", "consent"}
UNKNOWN_TO_ALL = {"rule": None, "outcome": UNDETERMINED}


def found(rule: str, outcome: str = "violated", *, entry: str | None = "e1", **others: Any) -> dict[str, Any]:
    """A finding as a check keeps it."""
    step = outcome != "unknown"
    return {
        "rule": rule, "outcome": outcome, "subject": {"kind": "activity", "entry": entry}, "step": step,
        "set_aside": None, **others,
    }  # fmt: skip


def change(
    now: list[Any], before: list[Any] | None, checked: set[str], withheld: dict[str, set[str]] | None = None
) -> Any:
    """The changes of what is found, what is settled, and how many were left aside."""
    hidden = dict.fromkeys(checked, frozenset[str]()) | (withheld or {})
    result = compared(now, before, checked, hidden, RULES)
    return [change for _, _, change in result.found], [(c, i["rule"]) for c, i in result.settled], result.left


def test_a_finding_is_known_again_by_its_client_its_rule_and_what_it_is_about() -> None:
    before = [("aino", found("plan")), ("aino", found("contact")), ("veikko", found("plan"))]
    now = [
        ("aino", found("plan", "advised", due="2026-12-01")),
        ("aino", found("plan", entry="e2")),
        ("aino", found("plan", entry=None)),
        ("veikko", found("consent")),
    ]
    changes, settled, left = change(now, before, {"aino", "veikko"})
    assert changes == [STILL_OPEN, NEW, NEW, NEW]
    assert settled == [("aino", "contact"), ("veikko", "plan")]
    assert left == 0


def test_without_a_check_before_nothing_is_new() -> None:
    assert change([("aino", found("plan"))], None, {"aino"}) == ([None], [], 0)
    assert change([("aino", found("plan"))], [], {"aino"}) == ([NEW], [], 0)


def test_of_a_client_who_is_not_checked_nothing_is_settled() -> None:
    before = [("gone", found("plan")), ("gone", found("contact")), ("aino", found("plan"))]
    assert change([], before, {"aino"}) == ([], [("aino", "plan")], 2)


def test_of_a_client_who_could_not_be_judged_then_or_now_nothing_is_compared() -> None:
    assert change([("aino", UNKNOWN_TO_ALL)], [("aino", found("plan"))], {"aino"}) == ([None], [], 0)
    assert change([("aino", found("plan"))], [("aino", UNKNOWN_TO_ALL)], {"aino"}) == ([None], [], 0)


def test_what_is_withheld_by_now_was_settled_by_nobody() -> None:
    before = [("aino", found("plan")), ("aino", found("contact"))]
    assert change([], before, {"aino"}, {"aino": {"plan"}}) == ([], [("aino", "contact")], 0)


def test_a_rule_that_is_gone_settles_nothing() -> None:
    assert change([], [("aino", found("rule-of-before"))], {"aino"}) == ([], [], 0)


def test_what_is_set_aside_or_over_is_open_no_longer_and_is_not_compared() -> None:
    aside = found("plan", set_aside="e9", step=False)
    over = found("contact", step=False)
    assert not is_open(aside)
    assert not is_open(over)
    assert is_open(found("plan", "unknown"))
    before = [("aino", found("plan")), ("aino", over)]
    assert change([("aino", aside), ("aino", over)], before, {"aino"}) == ([None, None], [("aino", "plan")], 0)
    assert change([("aino", found("plan"))], [("aino", aside)], {"aino"}) == ([NEW], [], 0)


def test_checks_kept_before_steps_were_are_compared_as_well() -> None:
    old = {name: value for name, value in found("plan").items() if name != "step"}
    assert is_open(old)
    assert not is_open({**old, "set_aside": "e9"})
    assert change([("aino", found("plan"))], [("aino", old)], {"aino"}) == ([STILL_OPEN], [], 0)


def test_settled_is_what_the_store_calls_it() -> None:
    from service.store.derived import SETTLED as STORED

    assert STORED == SETTLED
