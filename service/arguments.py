"""What commands are given: dates, times, cases, proposed steps."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from pydantic import TypeAdapter, ValidationError

from rules.assessment import Assessor, Proposal
from rules.entries import ENTRY_TYPES, LOCAL_TIME, Date, Time
from rules.identity import masked
from rules.journal import Case, JournalError, load_case
from rules.reading import MAX_BYTES, scalar
from service.terminal import nearest
from service.words import Lang
from statemachines import TRIGGERS

_FINNISH_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
#: What a proposed step cannot be given: it is dated by --as-of.
_NOT_DETAILS = ("date", "type", "id", "recorded_at")


def day(text: str) -> date:
    """A date, 2022-09-05 or 5.9.2022. Raises BadParameter."""
    found = _FINNISH_DAY.fullmatch(text)
    plain = f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}" if found else text
    checked: date = _checked(Date, plain)
    return checked


def moment(text: str) -> datetime:
    """A time, 2022-09-05T10:30, Finnish unless it says otherwise; a date alone is the end of that day."""
    if _FINNISH_DAY.fullmatch(text) or re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        text = f"{day(text)}T23:59:59.999999"
    checked: datetime = _checked(Time, text)
    return checked


def _checked(kind: Any, text: str) -> Any:
    try:
        return TypeAdapter(kind).validate_python(text)
    except ValidationError as error:
        context = error.errors(include_url=False)[0].get("ctx", {})
    hint = f"; {context['hint']}" if context.get("hint") else ""
    raise typer.BadParameter(f"expected {context.get('expected')}{hint}")


AsOf = Annotated[
    date | None,
    typer.Option("--as-of", parser=day, metavar="DATE", help="Evaluation date, such as 2022-09-05 [default: today]."),
]
KnownAt = Annotated[
    datetime | None,
    typer.Option("--known-at", parser=moment, metavar="TIME", help="Leave out what was recorded after this time."),
]
Language = Annotated[Lang, typer.Option("--lang", help="Language of the texts.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs instead of a page.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to this file.")]


def today() -> date:
    """Today in Finland."""
    return datetime.now(LOCAL_TIME).date()


def assessor() -> Assessor:
    """The assessor of the rule pack that comes with Polku."""
    from rules.pack import load_pack

    return Assessor(load_pack())


def case_of(source: str) -> Case:
    """The case in a file, or on standard input for `-`. Raises JournalError and OSError."""
    if source == "-":
        return load_case(sys.stdin.buffer.read(MAX_BYTES + 1), name="standard input")
    with Path(source).open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    return load_case(content, name=source)


def proposal(trigger: str | None, details: Iterable[str]) -> Proposal | None:
    """A proposed step from `--propose TRIGGER --with k=v`. Raises BadParameter, and JournalError for wrong details."""
    given = list(details)
    if trigger is None:
        if given:
            raise typer.BadParameter("belongs to a proposed step: give --propose too", param_hint="--with")
        return None
    if trigger not in TRIGGERS:
        raise typer.BadParameter(nearest("step", trigger, TRIGGERS), param_hint="--propose")
    step = Proposal(trigger, _details(TRIGGERS[trigger].entry_type, given))
    try:
        step.entry(date(2022, 1, 1))  # only to check the details; the step is taken on the evaluation date
    except JournalError as error:
        raise JournalError(error.problems, "--with") from None
    return step


def _details(entry_type: str, given: Iterable[str]) -> dict[str, Any]:
    fields = ENTRY_TYPES[entry_type].model_fields
    found: dict[str, Any] = {}
    for item in given:
        name, equals, text = item.partition("=")
        name = name.strip()
        if not equals or not name:
            raise typer.BadParameter(f"expected detail=value, found {masked(item)!r}", param_hint="--with")
        if name in _NOT_DETAILS:
            raise typer.BadParameter(f"{name} is no detail; the step is dated --as-of", param_hint="--with")
        if name in found:
            raise typer.BadParameter(f"{masked(name)} is given twice", param_hint="--with")
        outer, _, inner = name.partition(".")
        if inner and isinstance(found.setdefault(outer, {}), dict):
            found[outer][inner] = scalar(text.strip())
        else:
            field = fields.get(name)
            found[name] = _value(field.annotation if field is not None else None, text.strip())
    return found


def _value(annotation: object, text: str) -> Any:
    """The value of a detail: a list where the field takes one, text where it takes text, else what YAML makes of it."""
    if _takes(annotation, tuple):
        return [part.strip() for part in text.split(",")]
    return text if _takes(annotation, str) else scalar(text)


def _takes(annotation: object, kind: type) -> bool:
    if annotation is kind or getattr(annotation, "__origin__", None) is kind:
        return True
    return any(_takes(part, kind) for part in get_args(annotation) if not isinstance(part, str))
