"""What differs between two rule packs, and which findings of a set of cases would come out otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from rules.assessment import Assessor
from rules.journal import Case, JournalError, load_case
from rules.pack import Pack
from rules.reading import MAX_BYTES, read_text

CASE_FILES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between packs: `what` is rule, parameter, deadline or source; `key` the part that changed.

    Without a key the whole thing was added (`before` is None) or removed (`after` is None).
    """

    what: str
    name: str
    key: str | None
    before: Any
    after: Any

    def as_json(self) -> dict[str, Any]:
        """The difference for programs."""
        values = {"before": _plain(self.before), "after": _plain(self.after)}
        return {"what": self.what, "name": self.name, "key": self.key, **values}


def differences(old: Pack, new: Pack) -> list[Difference]:
    """Every difference of rules, parameters, deadlines and sources, rules first."""
    before, after = old.content["pack"], new.content["pack"]
    return [
        *_compared("rule", _versions(old), _versions(new)),
        *_compared("parameter", before.get("parameters", {}), after.get("parameters", {})),
        *_compared("deadline", before.get("derived", {}), after.get("derived", {})),
        *_compared("source", before.get("sources", {}), after.get("sources", {})),
    ]


def _versions(pack: Pack) -> dict[str, Mapping[str, Any]]:
    """Rules as written, by id; later versions by id and the day from which they are in force."""
    found: dict[str, Mapping[str, Any]] = {}
    for item in pack.content["rules"]:
        name = str(item["id"])
        found[name if name not in found else f"{name} {item.get('valid', {}).get('from')}"] = item
    return found


def _compared(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            yield Difference(what, name, None, before, after)
            continue
        for key, was, will in _parts("", before, after):
            yield Difference(what, name, key, was, will)


def _parts(key: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """The smallest named parts that differ: `title.fi`, not the whole title."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from _parts(f"{key}.{name}" if key else str(name), before.get(name), after.get(name))
    elif _plain(before) != _plain(after):  # a pack that was kept has days as text
        yield key, before, after


def shown(value: object) -> str:
    """A part of a pack on one line, as YAML writes it."""
    if value is None or isinstance(value, str):
        return value or "–"
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10**6)
    return text.removesuffix("\n...\n").strip()


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


# --- on cases ---


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A finding of a case that comes out otherwise under the new pack."""

    case: str
    rule: str
    kind: str
    entry: str | None
    before: str
    after: str

    def as_json(self) -> dict[str, Any]:
        """The finding for programs."""
        return {
            "case": self.case,
            "rule": self.rule,
            "subject": {"kind": self.kind, "entry": self.entry},
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True, slots=True)
class Source:
    """The cases found in a file or folder; files that hold no case; files that cannot be read, each with why."""

    cases: tuple[Case, ...]
    skipped: tuple[str, ...]
    faults: tuple[str, ...]


def cases_in(source: Path) -> Source:
    """The cases of a file or of a folder and its folders, by name. Raises OSError when there is no such place."""
    files = sorted(path for path in source.rglob("*") if path.suffix in CASE_FILES) if source.is_dir() else [source]
    cases, skipped, faults = [], [], []
    for path in files:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        try:
            if source.is_dir() and not _is_case(content):
                skipped.append(str(path))
            else:
                cases.append(load_case(content, name=str(path)))
        except JournalError as error:
            faults.append(str(JournalError(error.problems, str(path))))
    return Source(tuple(cases), tuple(skipped), tuple(faults))


def _is_case(content: bytes) -> bool:
    data = read_text(content).data
    return isinstance(data, dict) and bool({"case", "entries"} & data.keys())


def otherwise(old: Assessor, new: Assessor, cases: Iterable[Case], day: date) -> Iterator[Otherwise]:
    """The findings of cases that come out otherwise on `day`, earlier episodes included."""
    for case in cases:
        before, after = _outcomes(old, case, day), _outcomes(new, case, day)
        for key in dict.fromkeys([*before, *after]):
            was, will = before.get(key, "not_applicable"), after.get(key, "not_applicable")
            if was != will:
                yield Otherwise(case.id, *key, was, will)


def _outcomes(assessor: Assessor, case: Case, day: date) -> dict[tuple[str, str, str | None], str]:
    _, findings = assessor.findings(case, day, history=True)
    return {finding.key: finding.outcome for finding in findings}
