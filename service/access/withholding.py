"""What rests on hidden fields is withheld as such, not thinned.

Everything here answers from the sight and the pack alone what is withheld (`service.access.reach`), and never from the
journal: two clients who differ only in what a user may not see look the same to that user, next steps, agenda and
stage included. tests/service/access/test_non_interference.py proves it.

What can still be told: that something was recorded (the case's version, entry ids in between), and, when recording,
that a withheld rule must be acknowledged. The tables are made so that whoever takes a guarded step sees what guards it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.assessment import Assessment
from rules.explain import Explanation
from rules.facts import FACTS
from rules.findings import Finding, finding_json
from rules.journal import ENTRY_TYPES
from rules.pack import Pack, Rule
from rules.provenance import BEING_THERE, HEADER, of_subject
from rules.steps import Actionable, Step, next_steps
from service.access.policy import Sight
from service.access.reach import (
    TALK_SHEET,
    withheld_charts,
    withheld_facts,
    withheld_rules,
    withheld_triggers,
)

#: Stands for the status of a step of which nothing is told.
WITHHELD = "withheld"
#: Why a professional set an advice aside: shown beside a finding, and a field of its own.
REASON_SET_ASIDE = ("advice_set_aside", "reason")
#: The rule that names entries no chart allows.
PATH_INCONSISTENT = "path-inconsistent"

Json = dict[str, Any]


# --- a case document ---


def withhold_case(document: Mapping[str, Any], sight: Sight, own: Collection[str] = ()) -> Json:
    """A case document (`case_to_data`, every id written out) as far as it may be seen.

    `own` are the ids of entries this user recorded: they are seen whole. `withheld` names the fields left out, by entry
    id, whether they held anything or not, and the entry types left out wholly.
    """
    entries, withheld = [], {}
    for entry in document["entries"]:
        type_, name = str(entry["type"]), str(entry["id"])
        if name in own:
            entries.append(dict(entry))
        elif type_ in ENTRY_TYPES and (type_, BEING_THERE) not in sight.hidden:
            entries.append(_shown(entry, type_, sight))
            if hidden := sight.hidden_of(type_):
                withheld[name] = hidden
    return {
        "case": _shown(document["case"], HEADER, sight),
        "entries": entries,
        "withheld": {
            "header": sight.hidden_of(HEADER),
            "entries": withheld,
            "types": [type_ for type_ in ENTRY_TYPES if (type_, BEING_THERE) in sight.hidden],
        },
    }


def _shown(fields: Mapping[str, Any], type_: str, sight: Sight) -> Json:
    return {name: value for name, value in fields.items() if (type_, name) not in sight.hidden}


# --- an assessment ---


def withhold_assessment(assessment: Assessment, sight: Sight) -> Json:
    """The assessment as JSON, as far as it may be seen; without hidden fields it is `Assessment.as_json`.

    In place of a withheld finding stands `{rule, title, withheld}`, once for every withheld rule in force, whether it
    found something or not. Next steps are those the findings shown give. `withheld` says what is left out.
    """
    whole = assessment.as_json()
    pack, day, lang = assessment.pack, assessment.as_of, assessment.lang
    rules = withheld_rules(pack, sight)
    triggers = withheld_triggers(pack, sight, pack.rules(day))
    charts = withheld_charts(sight)
    sheet = sight.hides(TALK_SHEET)
    reasons = REASON_SET_ASIDE in sight.hidden
    if not (rules or triggers or charts or sheet or reasons):
        return whole
    shown = [finding for finding in assessment.findings if finding.rule.id not in rules]
    steps = assessment.next_steps
    if rules or charts:
        steps = withhold_steps((item for item in shown if item.subject.current), sight, pack, day)
    listed = _in_force(pack, rules, day)
    return {
        "case": whole["case"],
        "as_of": whole["as_of"],
        "pack": whole["pack"],
        "state": _without_charts(whole["state"], charts),
        "next_steps": [step.as_json(lang) for step in steps],
        "triggers": [_trigger(item, triggers) for item in whole["triggers"]],
        "findings": [
            *(_finding(item, lang, reason_hidden=reasons) for item in shown),
            *(_in_place_of(pack, rule, lang) for rule in listed),
        ],
        "readiness": None if sheet else whole["readiness"],
        "agenda": [item for item in whole["agenda"] if item["rule"] not in rules],
        "withheld": {
            "rules": listed,
            "next_steps": bool(rules),
            "agenda": bool(rules),
            "state": list(charts),
            "triggers": list(triggers),
            "readiness": sheet,
            "set_aside_reasons": reasons,
        },
    }


def withhold_steps(
    findings: Iterable[Actionable], sight: Sight, pack: Pack, day: date, *, closed: bool = True
) -> tuple[Step, ...]:
    """The next steps that the findings of current subjects give, as far as they may be seen. `closed`: the case is (of
    no matter where anything is withheld: that a case has no step at all is then not told)."""
    rules = withheld_rules(pack, sight)
    shown = (finding for finding in findings if finding.rule.id not in rules)
    return tuple(next_steps(shown, day, closed=closed or bool(rules or withheld_charts(sight))))


def withhold_state(state: Mapping[str, str], sight: Sight) -> dict[str, str | None]:
    """The stage and the charts' states; what is withheld is None."""
    return _without_charts(state, withheld_charts(sight))


def _without_charts(state: Mapping[str, str], charts: Collection[str]) -> Json:
    return {chart: None if chart in charts else value for chart, value in state.items()}


def _trigger(item: Json, withheld: Collection[str]) -> Json:
    if item["trigger"] not in withheld:
        return item
    return {"trigger": item["trigger"], "status": WITHHELD, "needs": [], "blocked_by": []}


def _finding(finding: Finding, lang: str, *, reason_hidden: bool) -> Json:
    data = finding_json(finding, lang)
    if reason_hidden and data["set_aside"] is not None:
        data["set_aside"] = {**data["set_aside"], "reason": None}
    return data


def _in_place_of(pack: Pack, rule: str, lang: str) -> Json:
    return {"rule": rule, "title": pack.versions(rule)[-1].title[lang], "withheld": True}


def _in_force(pack: Pack, rules: Collection[str], day: date) -> list[str]:
    """Those of the rules in force on a day, in the pack's order; one about an event may be by the event's day."""
    versions = (rule for rule in pack.editions[-1].rules if rule.id in rules)
    return list(dict.fromkeys(rule.id for rule in versions if rule.event is not None or rule.in_force(day)))


# --- findings and explanations by themselves ---


def withhold_findings(
    findings: Iterable[Finding], sight: Sight, pack: Pack, lang: str, *, own_step: bool = False
) -> list[Json]:
    """Findings as JSON. With `own_step` they are what guards said of the step this user is taking (a 409): what its own
    entry tells is known to them. A withheld rule stands there once, by its name."""
    rules = withheld_rules(pack, sight, own_step=own_step)
    reasons = REASON_SET_ASIDE in sight.hidden
    found: list[Json] = []
    for finding in findings:
        if finding.rule.id not in rules:
            found.append(_finding(finding, lang, reason_hidden=reasons))
        elif not any(item["rule"] == finding.rule.id for item in found):
            found.append(_in_place_of(pack, finding.rule.id, lang))
    return found


def withhold_explanations(
    explanations: Iterable[Explanation], rule_id: str, sight: Sight, pack: Pack, lang: str
) -> list[Json]:
    """A rule's explanations as JSON, or (for a withheld rule, whatever there is to explain) that it is withheld."""
    if rule_id in withheld_rules(pack, sight):
        return [_in_place_of(pack, rule_id, lang)]
    return [explanation.as_json(lang) for explanation in explanations]


# --- decision records ---


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """A finding that was kept as codes (`rules.kept.finding_data`), as far as next steps need it."""

    rule: Rule
    outcome: str
    due: date | None
    action: str
    gives_step: bool


def withhold_decision(record: Mapping[str, Any], sight: Sight, pack: Pack, *, own: bool = False) -> Json:
    """A decision record (service.recording.record) in the same form, as far as it may be seen.

    `pack` is the one the decision was taken under; `own`: this user recorded it, so what they acknowledged is theirs to
    see. Without hidden fields the record is whole; else `withheld` says what is left out, and what cannot be told of in
    part is null.
    """
    rules, facts, charts = withheld_rules(pack, sight), withheld_facts(sight), withheld_charts(sight)
    hidden_types = _hides_entries(sight)
    shown = dict(record)
    if record["acknowledged"] is not None and not (own or sight.opens("acknowledgements")):
        shown["acknowledged"] = None
    if sees_decisions_whole(sight, pack):
        return shown
    # The judgements of entries tell the days of entries, hidden ones too.
    judgements = [item for item in record["judgements"] if item["purpose"] == "today" or not hidden_types]
    shown["judgements"] = [_judgement(item, sight, pack) for item in judgements]
    shown["breaks"] = None if "case.entries_inconsistent" in facts else record["breaks"]
    shown["advice"] = _advice(record, sight, pack) if rules or charts else record["advice"]
    # It says what both engines made of facts.
    shown["alarm"] = None
    shown["withheld"] = {
        "rules": sorted(rules),
        "facts": sorted(facts),
        "state": list(charts),
        "judgements_of_entries": hidden_types,
    }
    return shown


def sees_decisions_whole(sight: Sight, pack: Pack | None) -> bool:
    """Whether nothing is withheld of what was judged under a pack, and so nothing of how it comes out again. (None: the
    pack is not to be had, so it cannot be told what its rules rested on.)"""
    if not sight.hidden:
        return True
    if pack is None:
        return False
    return not (withheld_rules(pack, sight) or withheld_facts(sight) or withheld_charts(sight) or _hides_entries(sight))


def _hides_entries(sight: Sight) -> bool:
    return any((type_, BEING_THERE) in sight.hidden for type_ in ENTRY_TYPES)


def _judgement(item: Mapping[str, Any], sight: Sight, pack: Pack) -> Json:
    rules, facts = withheld_rules(pack, sight), withheld_facts(sight)
    findings = item["findings"]
    subjects = [
        {**subject, "facts": {name: value for name, value in subject["facts"].items() if name in FACTS.keys() - facts}}
        for subject in item["subjects"]
        if not sight.hides(of_subject(subject["kind"]))
    ]
    return {
        **item,
        "subjects": subjects,
        "state": _without_charts(item["state"], withheld_charts(sight)),
        "holds_until": None if facts else item["holds_until"],
        "inconsistent": None if "case.entries_inconsistent" in facts else item["inconsistent"],
        "findings": None if findings is None else [finding for finding in findings if finding["rule"] not in rules],
        "blocked_by": [rule for rule in item["blocked_by"] if rule not in rules],
    }


def _advice(record: Mapping[str, Any], sight: Sight, pack: Pack) -> list[Json]:
    """The next steps that the findings shown give, as of the day of recording."""
    rules = withheld_rules(pack, sight)
    (today,) = (item for item in record["judgements"] if item["purpose"] == "today")
    kept = [kept_finding(finding, pack) for finding in today["findings"] or () if finding["rule"] not in rules]
    steps = withhold_steps(kept, sight, pack, date.fromisoformat(today["as_of"]))
    return [
        {
            "action": step.action,
            "role": step.role,
            "due": step.due.isoformat() if step.due is not None else None,
            "status": step.status,
            "because": list(step.because),
        }
        for step in steps
    ]


def kept_finding(finding: Mapping[str, Any], pack: Pack) -> KeptFinding:
    """A finding made again of what was kept of it under the same pack: its `judged_on`, `rule`, `outcome`, `due`,
    `action` and `step`."""
    day = date.fromisoformat(finding["judged_on"])
    rule = next(rule for rule in pack.ruleset(day).by_id[finding["rule"]] if rule.in_force(day))
    due = finding["due"]
    return KeptFinding(
        rule,
        str(finding["outcome"]),
        date.fromisoformat(due) if due is not None else None,
        str(finding["action"]),
        bool(finding["step"]),
    )


def withhold_advice(trail: Iterable[Mapping[str, Any]], sight: Sight, pack: Pack) -> list[Json]:
    """What became of advice (service.recording.advice, as JSON), without that of withheld rules.

    Of a rule that only an earlier pack had it is not known what it rested on: withheld from whoever does not see all.
    """
    rules = withheld_rules(pack, sight)
    told = {rule.id for rule in pack.editions[-1].rules} - rules
    return [dict(item) for item in trail if not rules or item["rule"] in told]


def withhold_breaks(breaks: Iterable[Json], sight: Sight, pack: Pack) -> list[Json]:
    """Which entries no chart allows (beside a 409), or none of it when that rests on something hidden."""
    return [] if PATH_INCONSISTENT in withheld_rules(pack, sight) else list(breaks)
