"""A client's summary for the meeting with them: as a page to print, and as a PDF."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from service.api.lanes import in_lane
from service.web.asking import Asked, Page
from service.web.clients import open_client
from service.web.paper import summary_pdf
from service.web.rendering import file, render
from service.web.routing import pages
from service.web.summary import Summary, language_of, summary
from service.words import Words, pages_catalogue

router = pages("/clients")
VIEW, READ = "journal", "summary"


@router.get("/{case_id}/summary")
@in_lane("judging")
def show_summary(request: Request, page: Asked, case_id: str, lang: str | None = None) -> Response:
    """The summary, to print from the browser."""
    told = _told(page, case_id, lang)
    return render(page, "summary/page.html", told=told, client=case_id, p=Words(told.lang))


@router.get("/{case_id}/summary.pdf")
@in_lane("judging")
def summary_as_pdf(request: Request, page: Asked, case_id: str, lang: str | None = None) -> Response:
    """The summary as a PDF, opened in the browser. (Its name holds nothing of the client.)"""
    told = _told(page, case_id, lang)
    words = Words(told.lang)
    labels = {key: words("summary", key) for key, text in pages_catalogue()["summary"].items() if "{" not in text["en"]}
    made = summary_pdf(told.as_json(), labels, page.polku.clock())
    return file(made, "application/pdf", f"polku-{page.today.isoformat()}.pdf", shown=True)


def _told(page: Page, case_id: str, lang: str | None) -> Summary:
    client = open_client(page, case_id, VIEW, READ)
    spoken = language_of(client.case, client.sight, lang, page.lang)
    return summary(page.polku.assessor, client.case, client.sight, client.name, page.today, spoken)
