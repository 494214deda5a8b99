"""Recording by pages: what happened, a correction, an advice set aside. Each page logs the read before it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Path, Request
from starlette.responses import Response

from rules.assessment import Assessment
from rules.engines import EngineError
from rules.entries import ENTRY_TYPES
from service.access.policy import may_void
from service.access.tables import recording_table
from service.access.withholding import withhold_assessment, withhold_findings
from service.api.failures import problem_of
from service.api.lanes import in_lane
from service.api.parameters import CaseId
from service.api.problems import ApiProblem
from service.reading import NothingThere
from service.recording.errors import CaseNotFound
from service.store import StoreUnavailable
from service.web.asking import Asked, Page
from service.web.assessed import source_titles
from service.web.bundles import FROM_ELSEWHERE, Bundle, bundles, forms_for, themes, title_of
from service.web.clients import OpenClient, open_client, state_of
from service.web.entry_words import EntryWords, entry_title
from service.web.fields import fields_of
from service.web.forms import Form, Part, form_of, texts_of
from service.web.journal import voided_by
from service.web.just_recorded import just_recorded
from service.web.recording import VERSION, not_yours, show, take, try_again
from service.web.recording import Asked as AskedForm
from service.web.rendering import render
from service.web.routing import pages
from service.web.typed import Submitted, Typed
from service.words import Words

router = pages("/clients/{case_id}")
#: What is logged of a page that records or lets record.
READ = "recording"

FormName = Annotated[str, Path(max_length=100)]
EntryId = Annotated[str, Path(max_length=200)]
RuleId = Annotated[str, Path(max_length=200)]
#: Makes the form of a page for an opened client; in its place the page that says whose it is to record.
Making = Callable[[Page, OpenClient], AskedForm | Response]


# --- what happened ---


@dataclass(frozen=True, slots=True)
class Link:
    """A form by its address and title; of a bundle also when it is used."""

    address: str
    title: str
    when: str = ""


@router.get("/record")
@in_lane("judging")
def choose(request: Request, page: Asked, case_id: CaseId) -> Response:
    """What can be recorded for this client: what is next first, then what often happens together, then everything."""
    client = open_client(page, case_id, None, READ)
    if not client.records:
        return not_yours(page, client, [])
    words = page.words
    together = [
        Link(_address(client, bundle.id), words.of(bundle.title), words.of(bundle.when))
        for bundle in bundles().values()
        if bundle.open_to(client)
    ]
    by_theme = [
        (theme, [Link(_address(client, type_), words("entry_types", type_)) for type_ in _open_types(types, client)])
        for theme, types in themes().items()
    ]
    return render(
        page,
        "recording/choose.html",
        client=client,
        recorded=just_recorded(page, client),
        next_steps=_next_steps(page, client),
        together=together,
        themes=[(theme, links) for theme, links in by_theme if links],
    )


def _open_types(types: tuple[str, ...], client: OpenClient) -> list[str]:
    return [type_ for type_ in types if client.may_record(type_)]


def _address(client: OpenClient, form: str) -> str:
    return f"/clients/{quote(client.id, safe='')}/record/{form}"


def _next_steps(page: Page, client: OpenClient) -> list[tuple[dict[str, Any], list[Link]]]:
    """The next steps that are this role's to record, each with its forms."""
    if not client.sight.opens("assessment"):
        return []
    found = _assessed(page, client)
    steps = withhold_assessment(found, client.sight)["next_steps"] if found is not None else []
    with_forms = (
        (step, [Link(_address(client, form), title_of(form, page.words)) for form in forms_for(step["action"], client)])
        for step in steps
    )
    return [(step, links) for step, links in with_forms if links]


def _assessed(page: Page, client: OpenClient) -> Assessment | None:
    """What is next for the client; None when it cannot be told, which is an alarm and no reason not to record."""
    try:
        return page.polku.assessor.assess(client.case, page.today, lang=page.lang)
    except EngineError as error:
        problem_of(error)  # raises the alarm
        return None


@router.get("/record/{form}")
@in_lane("reading")
def ask_what_happened(request: Request, page: Asked, case_id: CaseId, form: FormName) -> Response:
    """The form of an entry type or a bundle."""
    return _shown(page, case_id, _what_happened(form))


@router.post("/record/{form}")
@in_lane("recording")
def record_what_happened(request: Request, page: Asked, case_id: CaseId, form: FormName, typed: Submitted) -> Response:
    """Record what happened."""
    return _taken(page, case_id, _what_happened(form), typed)


def _what_happened(name: str) -> Making:
    def make(page: Page, client: OpenClient) -> AskedForm | Response:
        bundle = bundles().get(name)
        if bundle is None and name not in ENTRY_TYPES:
            raise NothingThere
        types = [name] if bundle is None else [bundle.main.type]
        if not (client.may_record(name) if bundle is None else bundle.open_to(client)):
            return not_yours(page, client, types)
        if name in FROM_ELSEWHERE:
            return _from_elsewhere(page, client, name)
        intro = "" if bundle is None else page.words.of(bundle.when)
        title, form = title_of(name, page.words), _form(page, client, name, bundle)
        others = [] if bundle is None else [_of_others(part, page.words) for part in bundle.of_others(client)]
        return AskedForm(_address(client, name), title, form, intro, {"others": others})

    return make


def _of_others(part: Part, words: Words) -> tuple[str, tuple[str, ...]]:
    """What a part is called, and whose it is to record."""
    title = words("entry_types", part.type) if part.title is None else words.of(part.title)
    return title, tuple(recording_table().types[part.type])


def _form(page: Page, client: OpenClient, name: str, bundle: Bundle | None) -> Form:
    return form_of(name) if bundle is None else bundle.form(client, state_of(page, client, page.today))


def _from_elsewhere(page: Page, client: OpenClient, name: str) -> Response:
    """What stands somewhere already, to choose from: an advice to set aside, an entry to correct."""
    here = f"/clients/{quote(client.id, safe='')}"
    if name == "correction":
        voided = voided_by(client.document["entries"], page.today)
        links = [
            Link(f"{here}/correct/{quote(str(entry['id']), safe='')}", entry_title(page.words, entry))
            for entry in reversed(client.document["entries"])
            if entry["id"] not in voided and _may_void(client, str(entry["id"]))
        ]
    else:
        found = _assessed(page, client) if client.sight.opens("assessment") else None
        findings = withhold_findings(
            (item for item in found.findings if item.gives_step) if found is not None else (),
            client.sight,
            page.polku.assessor.pack,
            page.lang,
        )
        rules = {str(item["rule"]): str(item["title"]) for item in findings if not item.get("withheld")}
        links = [Link(f"{here}/set-aside/{quote(rule, safe='')}", title) for rule, title in rules.items()]
    title = page.words("entry_types", name)
    return render(page, "recording/from.html", client=client, title=title, kind=name, links=links)


# --- a correction ---


@router.get("/correct/{entry:path}")
@in_lane("reading")
def ask_correction(request: Request, page: Asked, case_id: CaseId, entry: EntryId) -> Response:
    """An entry, and the form that voids it and perhaps records it right."""
    return _shown(page, case_id, _correction(entry))


@router.post("/correct/{entry:path}")
@in_lane("recording")
def record_correction(request: Request, page: Asked, case_id: CaseId, entry: EntryId, typed: Submitted) -> Response:
    """Void an entry, and record what takes its place."""
    return _taken(page, case_id, _correction(entry, typed), typed)


def _correction(name: str, typed: Typed | None = None) -> Making:
    def make(page: Page, client: OpenClient) -> AskedForm | Response:
        entry = client.entries.get(name)
        if entry is None:
            raise NothingThere
        if not _may_void(client, name):
            return not_yours(page, client, [str(entry["type"])])
        # What was sent on an earlier version may be what voided it, sent twice: the recorder tells.
        current = typed is None or typed.one(VERSION) == str(client.stored.version)
        if current and name in voided_by(client.document["entries"], page.today):
            title = page.words("record", "voided_already")
            return render(page, "recording/voided.html", 409, client=client, title=title, entry=_told(page, entry))
        address = f"/clients/{quote(client.id, safe='')}/correct/{quote(name, safe='')}"
        hidden = [field for field in client.document["withheld"]["entries"].get(name, ()) if field not in ("by",)]
        about = {"entry": _told(page, entry), "hides": bool(hidden)}
        title = page.words("record", "correct_title", entry=entry_title(page.words, entry))
        return AskedForm(address, title, _correcting(page, entry), about=about)

    return make


def _correcting(page: Page, entry: dict[str, Any]) -> Form:
    """Two entries: the correction, and (unless one only voids) the entry as it should be."""
    note = next(field for field in fields_of("correction") if field.name == "note")
    today = page.today.isoformat()
    void = Part("e0", "correction", (note,), {"voids": entry["id"], "date": today}, title=_texts("void_title"))
    if entry["type"] == "correction":
        return Form("correction", (void,))
    # Who did it stays who did it, whoever puts it right.
    preset = {"by": entry["by"]} if "by" in entry else {}
    right = Part(
        "e1",
        entry["type"],
        fields_of(entry["type"]),
        preset,
        optional=True,
        checked=True,
        main=False,
        title=_texts("right_title"),
    )
    return Form("correction", (void, right), prefilled=texts_of(right, entry))


def _texts(key: str) -> dict[str, str]:
    return {lang: Words(lang)("record", key) for lang in ("fi", "sv", "en")}


def _may_void(client: OpenClient, entry_id: str) -> bool:
    role, relation = client.sight.role, client.relation
    return client.may_record("correction") and may_void(role, relation, client.case, entry_id)


def _told(page: Page, entry: dict[str, Any]) -> dict[str, Any]:
    """An entry in words."""
    titles = {rule.id: page.words.of(rule.title) for rule in page.polku.assessor.pack.editions[-1].rules}
    return {
        "title": entry_title(page.words, entry),
        "lines": EntryWords(page.words, lambda rule: titles.get(rule, rule)).lines(entry),
        "note": entry.get("note", ""),
        "by": entry.get("by"),
        "recorded_at": entry.get("recorded_at"),
    }


# --- an advice set aside ---


@router.get("/set-aside/{rule}")
@in_lane("reading")
def ask_reason(request: Request, page: Asked, case_id: CaseId, rule: RuleId) -> Response:
    """An advice, and the form that sets it aside with a reason."""
    return _shown(page, case_id, _setting_aside(rule))


@router.post("/set-aside/{rule}")
@in_lane("recording")
def set_aside(request: Request, page: Asked, case_id: CaseId, rule: RuleId, typed: Submitted) -> Response:
    """Set an advice aside."""
    return _taken(page, case_id, _setting_aside(rule), typed)


def _setting_aside(name: str) -> Making:
    def make(page: Page, client: OpenClient) -> AskedForm | Response:
        versions = page.polku.assessor.pack.versions(name)
        if not versions:
            raise NothingThere
        if not client.may_record("advice_set_aside"):
            return not_yours(page, client, ["advice_set_aside"])
        rule, words = versions[-1], page.words
        asked = tuple(
            next(field for field in fields_of("advice_set_aside") if field.name == wanted)
            for wanted in ("reason", "until")
        )
        preset = {"rule": name, "date": page.today.isoformat()}
        form = Form("set-aside", (Part("e0", "advice_set_aside", asked, preset, title=_texts("why_title")),))
        address = f"/clients/{quote(client.id, safe='')}/set-aside/{quote(name, safe='')}"
        source = f"{words('authorities', rule.authority)}: {source_titles(page.polku.assessor.pack, rule.source)}"
        advice = {"title": words.of(rule.title), "text": words.of(rule.text), "source": source}
        return AskedForm(address, words("record", "set_aside_title"), form, about={"advice": advice})

    return make


# --- all of them ---


def _shown(page: Page, case_id: str, make: Making) -> Response:
    client = open_client(page, case_id, None, READ)
    made = make(page, client)
    return made if isinstance(made, Response) else show(page, client, made)


def _taken(page: Page, case_id: str, make: Making, typed: Typed) -> Response:
    try:
        client = open_client(page, case_id, None, READ)
        made = make(page, client)
        return made if isinstance(made, Response) else take(page, client, made, typed)
    except CaseNotFound:  # it is there, and of those who see it some record nothing
        raise ApiProblem("not-allowed") from None
    except StoreUnavailable:
        return try_again(page, typed)
