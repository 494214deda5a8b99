"""Recording by a page: the form as it is shown, and what comes of sending it. Nothing that was typed is lost.

The form carries the version of the case it was read at and a key of its own. So it is recorded on what was read or not
at all, and once however often it is sent.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from rules.entries import ENTRY_TYPES
from rules.reading import CODE_FOUND, Problem
from service.access.tables import recording_table
from service.api.problems import ApiProblem
from service.recording.errors import (
    KeyReused,
    NeedsAcknowledgement,
    NotAllowed,
    PreconditionFailed,
    Refused,
)
from service.recording.recorder import Recorded
from service.recording.requests import LONGEST_REASON, acknowledgement_asked
from service.store import StoreUnavailable
from service.web.asking import Page
from service.web.clients import OpenClient, open_client
from service.web.entry_words import EntryWords, Line
from service.web.forms import Form, Mistake, mistakes_of, one_more
from service.web.objections import MOST_BESIDE, Objections, objections
from service.web.rendering import render, see_other
from service.web.suggestions import suggestions
from service.web.typed import Typed
from service.web.widgets import Drawing, Told
from service.words import Words

#: What a form carries beside its fields.
VERSION, KEY, BESIDE, DO = "version", "key", "also", "do"
ACKNOWLEDGED, REASON = "acknowledged", "reason"
_CONTROLS = frozenset({VERSION, KEY, BESIDE, DO, ACKNOWLEDGED, REASON})
#: What a button of the form can ask for; a fifth, `also:<type>`, asks for one more entry.
RECORD, ANYWAY, MORE_LINES = "record", "anyway", "more"
_ALSO = "also:"
_VERSION_TEXT = re.compile(r"[1-9][0-9]{0,8}")
_KEY_TEXT = re.compile(r"[0-9A-Za-z_-]{20,60}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A form on its page: where it is sent, what the page is called, and what else stands there (`about`)."""

    address: str
    title: str
    form: Form
    intro: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    template: str = "recording/form.html"


@dataclass(frozen=True, slots=True)
class Since:
    """An entry that someone recorded meanwhile."""

    name: str
    day: date
    by: str
    recorded_at: str | None
    lines: tuple[Line, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """What was recorded since the form was read: what of it may be seen, and how many entries may not."""

    entries: tuple[Since, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in a form, on which version of the case, and under which key."""

    typed: Typed
    version: int
    key: str
    mistakes: Sequence[Mistake] = ()
    #: What is wrong with the reason for recording anyway.
    reason_wrong: str = ""
    more_lines: bool = False


def show(page: Page, client: OpenClient, asked: Asked) -> Response:
    """The form, untouched."""
    draft = Draft(asked.form.untouched(page.today), client.stored.version, new_key())
    return _drawn(page, client, asked, draft, 200)


def new_key() -> str:
    """A key that no other form has."""
    return secrets.token_urlsafe(24)


def take(page: Page, client: OpenClient, asked: Asked, typed: Typed) -> Response:
    """What comes of sending the form: recorded, or the form again with what stands in the way."""
    asked = replace(asked, form=_with_beside(asked.form, client, typed))
    draft = _draft(asked.form, typed)
    do = typed.one(DO)
    if do == MORE_LINES:
        return _drawn(page, client, asked, replace(draft, more_lines=True), 200)
    if do.startswith(_ALSO):
        return _with_one_more(page, client, asked, draft, do.removeprefix(_ALSO))
    try:
        made = _record(page, client, asked, draft, anyway=do == ANYWAY)
    except Refused as error:
        mistakes = mistakes_of(error.problems, asked.form, typed)
        return _drawn(page, client, asked, replace(draft, mistakes=mistakes), 422)
    except NeedsAcknowledgement as error:
        spoken = objections(page, client, asked.form, error)
        wrong = _wrong_reason(page, draft) if do == ANYWAY else ""
        return _drawn(page, client, asked, replace(draft, reason_wrong=wrong), 422 if wrong else 409, objections=spoken)
    except PreconditionFailed as error:
        return _meanwhile(page, client, asked, draft, error.current)
    except KeyReused:
        fresh = replace(draft, version=client.stored.version, key=new_key())
        return _drawn(page, client, asked, fresh, 409, sent_before=True)
    except NotAllowed as error:
        return not_yours(page, client, [problem.found for problem in error.problems])
    except StoreUnavailable:
        return try_again(page, typed)
    return see_other(after(client, made))


def after(client: OpenClient, made: Recorded) -> str:
    """Where one comes after recording: the client's page, with what was recorded."""
    back = "" if client.sight.opens("journal") else "/record"
    return f"/clients/{quote(client.id, safe='')}{back}?recorded={made.record['id']}"


def _draft(form: Form, typed: Typed) -> Draft:
    """What was sent. Raises ApiProblem when it is not what a form of ours sends."""
    known = form.names() | _CONTROLS
    several = {name for name, one in form.asks() if one.kind in ("many", "names")} | {BESIDE, ACKNOWLEDGED}
    version, key = typed.one(VERSION), typed.one(KEY)
    odd = any(name not in known or (typed.times(name) > 1 and name not in several) for name in typed)
    if odd or not _VERSION_TEXT.fullmatch(version) or not _KEY_TEXT.fullmatch(key):
        raise ApiProblem("invalid-request")
    return Draft(typed, int(version), key)


def _with_beside(form: Form, client: OpenClient, typed: Typed) -> Form:
    """The form with the entries that were asked for beside its own."""
    types = list(dict.fromkeys(typed.all(BESIDE)))
    if len(types) > MOST_BESIDE or not all(_may_stand_beside(form, client, type_) for type_ in types):
        raise ApiProblem("invalid-request")
    return form.and_also([one_more(type_, "")[0] for type_ in types])


def _may_stand_beside(form: Form, client: OpenClient, entry_type: str) -> bool:
    own = {part.type for part in form.parts}
    return entry_type in ENTRY_TYPES and entry_type not in own and client.may_record(entry_type)


def _with_one_more(page: Page, client: OpenClient, asked: Asked, draft: Draft, entry_type: str) -> Response:
    """The form with one more entry in it, on the day of what the form is about."""
    beside = draft.typed.all(BESIDE)
    if len(beside) >= MOST_BESIDE or not _may_stand_beside(asked.form, client, entry_type):
        raise ApiProblem("invalid-request")
    main = asked.form.main
    day = next((one for one in (*main.shared, *main.asked) if one.path == ("date",)), None)
    text = draft.typed.one(main.name(day)) if day is not None else page.today.isoformat()
    part, filled = one_more(entry_type, text)
    asked = replace(asked, form=asked.form.and_also([part]))
    typed = draft.typed.but({**filled, BESIDE: [*beside, entry_type]})
    return _drawn(page, client, asked, replace(draft, typed=typed), 200, added=part.key)


# --- recording ---


def _record(page: Page, client: OpenClient, asked: Asked, draft: Draft, *, anyway: bool) -> Recorded:
    """Record what was typed. Where one records anyway without giving a reason, the rules are asked again: they may no
    longer speak against it."""
    acknowledged = None
    if anyway and not _wrong_reason(page, draft):
        acknowledged = _acknowledgement(draft)
    entries = asked.form.entries(draft.typed)
    record = page.polku.recorder.record
    return record(page.principal, client.id, draft.version, entries, acknowledged=acknowledged, key=draft.key)


def _acknowledgement(draft: Draft) -> dict[str, Any]:
    return {"rules": draft.typed.all(ACKNOWLEDGED), "reason": draft.typed.one(REASON)}


def _wrong_reason(page: Page, draft: Draft) -> str:
    """What is wrong with the reason for recording anyway, in words; nothing: an empty text."""
    try:
        acknowledgement_asked(_acknowledgement(draft), page.polku.assessor.pack)
    except Refused as error:
        wrong = [problem for problem in error.problems if problem.place == "acknowledged.reason"]
        if not wrong:  # rules that no page of ours names
            raise ApiProblem("invalid-request") from None
        return _reason_in_words(page.words, wrong[0], draft.typed.one(REASON))
    return ""


def _reason_in_words(words: Words, problem: Problem, reason: str) -> str:
    if problem.found == CODE_FOUND:
        return words("record_mistakes", "code")
    if len(reason) > LONGEST_REASON:
        return words("record_mistakes", "too_long", longest=LONGEST_REASON)
    return words("record_mistakes", "control" if any(char.isalpha() for char in reason) else "missing_reason")


def _meanwhile(page: Page, client: OpenClient, asked: Asked, draft: Draft, current: int) -> Response:
    """The form again, on the version of now, with what was recorded since it was read."""
    now = open_client(page, client.id, None, "recording")
    with page.polku.database.read(page.principal.region) as unit:
        kept = unit.cases.journal(client.id)
    newer = {entry.entry_id for entry in kept if draft.version < entry.version <= current}
    shown = [entry for entry in now.document["entries"] if entry["id"] in newer]
    told = EntryWords(page.words, lambda rule: rule)
    since = tuple(_since(entry, told, page.words) for entry in shown)
    conflict = Conflict(since, len(newer) - len(since))
    return _drawn(page, now, asked, replace(draft, version=current), 412, conflict=conflict)


def _since(entry: Mapping[str, Any], told: EntryWords, words: Words) -> Since:
    by = entry.get("by")
    return Since(
        words("entry_types", entry["type"]),
        date.fromisoformat(entry["date"]),
        words("roles", by) if by else "",
        entry.get("recorded_at"),
        tuple(told.lines(entry)),
        str(entry.get("note") or ""),
    )


# --- pages ---


def _drawn(
    page: Page,
    client: OpenClient,
    asked: Asked,
    draft: Draft,
    status: int,
    *,
    objections: Objections | None = None,
    conflict: Conflict | None = None,
    sent_before: bool = False,
    added: str = "",
) -> Response:
    drawing = Drawing(asked.form, draft.typed, page.words, draft.mistakes, more_lines=draft.more_lines)
    mistakes = list(drawing.mistakes)
    if draft.reason_wrong:
        mistakes.append(Told(REASON, REASON, page.words("record", "reason"), draft.reason_wrong))
    return render(
        page,
        asked.template,
        status,
        client=client,
        asked=asked,
        drawing=drawing,
        mistakes=mistakes,
        version=draft.version,
        key=draft.key,
        beside=draft.typed.all(BESIDE),
        reason=draft.typed.one(REASON),
        reason_wrong=draft.reason_wrong,
        longest_reason=LONGEST_REASON,
        objections=objections,
        conflict=conflict,
        sent_before=sent_before,
        added=added,
        suggested=suggestions(page, client, asked.form),
        **asked.about,
    )


def not_yours(page: Page, client: OpenClient, types: Sequence[str]) -> Response:
    """That entries of these types are others' to record, and whose."""
    known = [type_ for type_ in dict.fromkeys(types) if type_ in ENTRY_TYPES]
    who = [(page.words("entry_types", type_), tuple(recording_table().types[type_])) for type_ in known]
    return render(page, "recording/not_yours.html", 403, client=client, who=who)


def try_again(page: Page, typed: Typed) -> Response:
    """That nothing could be recorded just now; what was typed is kept, to be sent again."""
    address = page.request.url.path
    answer = render(page, "recording/try_again.html", 503, action=address, pairs=typed.pairs())
    answer.headers["Retry-After"] = "5"
    return answer
