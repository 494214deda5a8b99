"""The decision record: what was known, judged and advised when a version of a case was recorded (docs/recording.md).

It is plain data that becomes canonical JSON. It holds no names, no notes and no free text but the reason of an
acknowledgement; people, organisations and entries stand in it as ids. Everything the answer to a recording says can be
read back from it alone, and everything replay needs beside the pack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rules.engines import CheckedEngine
from rules.findings import SetAside
from rules.fold import FOLD_VERSION, Folded, Subject
from rules.kept import finding_data, subjects_data, subjects_of
from rules.pack import Pack
from rules.steps import Step
from rules.texts import texts
from service.audit.chain import timestamp
from service.recording.judging import TODAY, Judged, Judgement

#: The form of the record; raised when a field changes its meaning.
RECORD_VERSION = 1
DETERMINED, UNDETERMINED = "determined", "undetermined"


@dataclass(frozen=True, slots=True)
class RecordedBy:
    """Who recorded, from the login, and in whose role: ids and codes only."""

    user: str
    organisation: str
    role: str
    relation: str

    def as_json(self) -> dict[str, str]:
        """The person as the record names them."""
        return {
            "user": self.user,
            "organisation": self.organisation,
            "role": self.role,
            "relation": self.relation,
        }


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Rules that someone records past, knowing it, and why."""

    rules: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision record says beside what was judged."""

    id: str
    case: str
    version: int
    entries: tuple[str, ...]
    recorded_at: datetime
    recorded_by: RecordedBy
    program: str
    pack: Pack


def decision_record(judged: Judged, of: Circumstances, acknowledged: Acknowledgement | None) -> dict[str, Any]:
    """The record of one decision as plain data. An acknowledgement is kept as far as there was something to
    acknowledge; undetermined, there is no advice."""
    needed = judged.to_acknowledge
    covered = acknowledged if acknowledged is not None and needed else None
    return {
        "v": RECORD_VERSION,
        "id": of.id,
        "case": of.case,
        "version": of.version,
        "entries": list(of.entries),
        "recorded_at": timestamp(of.recorded_at),
        "recorded_by": of.recorded_by.as_json(),
        "program": of.program,
        "fold": FOLD_VERSION,
        "engines": CheckedEngine.name,
        "pack": {"id": of.pack.id, "version": of.pack.version, "sha256": of.pack.sha256},
        "judgements": [_judgement(item) for item in judged.judgements],
        "breaks": [[item.entry, item.reason] for item in judged.breaks],
        "advice": [step_data(step) for step in judged.advice],
        "acknowledged": {"rules": list(needed), "reason": covered.reason} if covered is not None else None,
        "status": DETERMINED if judged.alarm is None else UNDETERMINED,
        "alarm": judged.alarm,
    }


def _judgement(item: Judgement) -> dict[str, Any]:
    return {
        "purpose": item.purpose,
        "as_of": item.as_of.isoformat(),
        "entries": list(item.entries),
        "trigger": item.trigger,
        "subjects": subjects_data(item.subjects),
        "set_aside": {rule: aside.entry for rule, aside in item.set_aside.items()},
        **folded_data(item.folded),
        "findings": None if item.findings is None else [finding_data(finding) for finding in item.findings],
        "blocked_by": list(item.blocked_by),
    }


def folded_data(folded: Folded) -> dict[str, Any]:
    """What a folded journal says beside its subjects: where the client is, until when that holds, what is odd."""
    return {
        "state": folded.state._asdict(),
        "holds_until": folded.holds_until.isoformat() if folded.holds_until < date.max else None,
        "inconsistent": [[entry.id, reason] for entry, reason in folded.inconsistent],
    }


def step_data(step: Step) -> dict[str, Any]:
    """A next step without its text: that is the action's, in the reader's language."""
    return {
        "action": step.action,
        "role": step.role,
        "due": step.due.isoformat() if step.due is not None else None,
        "status": step.status,
        "because": list(step.because),
    }


# ---- reading


@dataclass(frozen=True, slots=True)
class KeptJudgement:
    """One judgement of a record, with what it was judged from made whole again."""

    purpose: str
    as_of: date
    entries: tuple[str, ...]
    trigger: str | None
    subjects: tuple[Subject, ...]
    set_aside: Mapping[str, SetAside]
    #: The judgement as it is written in the record.
    data: Mapping[str, Any]


def judgements(record: Mapping[str, Any]) -> list[KeptJudgement]:
    """The judgements of a record, today's last. Raises ValueError for a record that is not of its form."""
    try:
        if record["v"] != RECORD_VERSION:
            raise ValueError(f"a record of version {record['v']}; this program reads {RECORD_VERSION}")
        return [_kept(item) for item in record["judgements"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no decision record: {type(error).__name__}") from None


def _kept(data: Mapping[str, Any]) -> KeptJudgement:
    return KeptJudgement(
        str(data["purpose"]),
        date.fromisoformat(data["as_of"]),
        tuple(data["entries"]),
        data["trigger"],
        subjects_of(data["subjects"]),
        # Why it was set aside is a professional's own words: they stay in the entry.
        {rule: SetAside(entry, "", None) for rule, entry in data["set_aside"].items()},
        data,
    )


def todays(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The judgement as of the day of recording, as written."""
    found: Sequence[Mapping[str, Any]] = record["judgements"]
    return next(item for item in found if item["purpose"] == TODAY)


def answer(record: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """What someone who recorded is answered, from the record alone: so a repeated request is answered alike."""
    today = todays(record) if record["judgements"] else None
    return {
        "case": record["case"],
        "version": record["version"],
        "entries": record["entries"],
        "recorded_at": record["recorded_at"],
        "decision": record["id"],
        "status": record["status"],
        "acknowledged": record["acknowledged"],
        "pack": record["pack"],
        "as_of": today["as_of"] if today is not None else None,
        "state": today["state"] if today is not None else None,
        "next_steps": [{**step, "text": texts("actions", step["action"], lang)} for step in record["advice"]],
    }
