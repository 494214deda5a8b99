"""What of a pack's answers rests on hidden fields: told of rules, facts and charts as such, never of a journal.

Because it is told before any journal is looked at, that something is withheld says nothing about the client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rules.conditions import lines
from rules.deriving import Derivation
from rules.facts import FACTS
from rules.pack import ANY_STEP, FINDING, Pack, Rule, Ruleset
from rules.provenance import CORRECTIONS, Pair, of_chart, of_fact, of_subject
from service.access.policy import Sight
from statemachines import STATES, TRIGGERS

#: What it rests on that a rule's advice was set aside (all but the reason given).
SET_ASIDE = CORRECTIONS | {("advice_set_aside", name) for name in ("date", "rule", "until")}
#: What the talk sheet rests on.
TALK_SHEET = CORRECTIONS | {("checklist_answered", name) for name in ("date", "answers")}
#: The charts and the stage read from them, as an assessment names them.
CHARTS = ("stage", *STATES)

#: Worked out once for each pack, hidden fields and way of asking.
_known: dict[tuple[str, frozenset[Pair], bool], frozenset[str]] = {}


def withheld_rules(pack: Pack, sight: Sight, *, own_step: bool = False) -> frozenset[str]:
    """The ids of the rules that rest on something hidden, directly or through what other rules came to.

    With `own_step` the rules are asked about a step that the user is taking: what the step's own entry tells is known
    to them.
    """
    key = (pack.sha256, sight.hidden, own_step)
    found = _known.get(key)
    if found is None:
        found = _known[key] = frozenset(_withheld(pack, sight, own_step))
    return found


def withheld_facts(sight: Sight) -> frozenset[str]:
    """The names of the recorded facts that rest on something hidden."""
    return frozenset(name for name in FACTS if sight.hides(of_fact(name)))


def withheld_charts(sight: Sight) -> tuple[str, ...]:
    """The charts (and the stage) whose state rests on something hidden."""
    return tuple(chart for chart in CHARTS if sight.hides(of_chart(chart)))


def withheld_triggers(pack: Pack, sight: Sight, guards: Iterable[Rule]) -> tuple[str, ...]:
    """The steps of which it rests on something hidden whether they could be taken; `guards` are the rules in force."""
    hidden = withheld_rules(pack, sight, own_step=True)
    guarded = {trigger for rule in guards if rule.id in hidden for trigger in rule.guards}
    return tuple(
        name
        for name, info in TRIGGERS.items()
        if name in guarded or (not info.always and sight.hides(of_chart(info.chart)))
    )


def _withheld(pack: Pack, sight: Sight, own_step: bool) -> set[str]:
    rules = [(rule, edition) for edition in pack.editions for rule in edition.rules]
    found = {rule.id for rule, edition in rules if _rests_on_hidden(rule, edition, sight, own_step)}
    while True:
        more = {rule.id for rule, _ in rules if rule.id not in found and _builds_on(rule, found, rules)}
        if not more:
            return found
        found |= more


def _rests_on_hidden(rule: Rule, edition: Ruleset, sight: Sight, own_step: bool) -> bool:
    if sight.hides(of_subject(rule.about)) or sight.hides(SET_ASIDE):
        return True
    derivations = {item.name: item for item in edition.derivations}
    recorded = {fact for name in _named(rule) for fact in _recorded(name, derivations)}
    known = {name for name in recorded if own_step and FACTS[name].of_its_entries}
    return any(sight.hides(of_fact(name)) for name in recorded - known)


def _named(rule: Rule) -> Iterator[str]:
    """Every fact, recorded or derived, that a finding of the rule tells something of."""
    yield from (name for name in rule.reads() if not name.startswith(FINDING))
    yield from (name for name in (rule.due, rule.overdue, rule.event) if name is not None)
    yield from (line.fact for when, _ in rule.actions for line in lines(when))


def _recorded(name: str, derivations: Mapping[str, Derivation]) -> Iterator[str]:
    if name not in derivations:
        yield name
        return
    for operand in derivations[name].operands:
        yield from _recorded(operand, derivations)


def _builds_on(rule: Rule, withheld: set[str], rules: Iterable[tuple[Rule, Ruleset]]) -> bool:
    """Whether the rule reads what a withheld rule came to."""
    asked = {name for name in rule.reads() if name.startswith(FINDING)}
    if ANY_STEP in asked:
        return any(other.id in withheld and other.wave < rule.wave for other, _ in rules)
    return any(name.removeprefix(FINDING) in withheld for name in asked)
