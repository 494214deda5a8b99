"""Every page and every state of a page, in one list: where it is, who sees it, and how one gets there.

The demo's clients are only looked at here: a state that comes of sending a form (mistakes, a rule that speaks against
it, someone else who was faster) is one that records nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Response

from tests.browser.driving import Person

#: Brings the page into a state.
Way = Callable[[Person], Any]
#: A Finnish personal identity code, which no field takes.
CODE = "010190-901P"


@dataclass(frozen=True)
class Place:
    """A page in a state: its address or the way there, what it answers, and what must stand on it then."""

    name: str
    user: str | None
    way: str | Way
    status: int = 200
    shows: str = "h1"

    def reach(self, someone: Person) -> None:
        """Go there, and see that it is the place."""
        answers: list[Response] = []

        def told(answer: Response) -> None:
            if answer.request.is_navigation_request() and answer.frame == someone.page.main_frame:
                answers.append(answer)

        someone.page.on("response", told)
        if isinstance(self.way, str):
            someone.open(self.way)
        else:
            self.way(someone)
        someone.page.wait_for_load_state("load")
        someone.page.remove_listener("response", told)
        assert answers[-1].status == self.status, (self.name, answers[-1].url, answers[-1].status)
        assert someone.page.locator(self.shows).count(), f"{self.name}: nothing is {self.shows} at {someone.page.url}"


def _client(place: str = "", client: str = "sirpa-path") -> str:
    return f"/clients/{client}{place}"


# --- the ways ---


def pressed(address: str, *selectors: str) -> Way:
    """Open an address, then press one thing after another."""

    def way(someone: Person) -> None:
        someone.open(address)
        for selector in selectors:
            someone.page.locator(selector).first.click()
            someone.page.wait_for_load_state("load")

    return way


def filled(address: str, fields: dict[str, str], send: str) -> Way:
    """Open an address, type into fields, and press what sends them. A choice is ticked."""

    def way(someone: Person) -> None:
        someone.open(address)
        for selector, text in fields.items():
            field = someone.page.locator(selector).first
            if text:
                field.fill(text)
            else:
                field.check()
        someone.page.locator(send).first.click()

    return way


SAVE = '.buttons button[value="record"]'
ANYWAY = 'button[value="anyway"]'
_TRIAL, _ALONGSIDE = _client("/record/work_trial_started", "grace"), '[name$="arrangement"][value="alongside_activity"]'


def _objected(*then: str) -> Way:
    """Record the start of a trial that rules speak against, and go on from there."""

    def way(someone: Person) -> None:
        filled(_TRIAL, {_ALONGSIDE: ""}, SAVE)(someone)
        for selector in then:
            someone.page.locator(selector).first.click()

    return way


def _stale(someone: Person) -> None:
    """Send a form that was read before the client's last entries were recorded."""
    someone.open(_client("/record/contact"))
    someone.page.locator('input[name="version"]').evaluate("field => { field.value = '1'; }")
    for choice in ("client", "phone"):
        someone.page.locator(f'input[value="{choice}"]').check()
    someone.page.locator(SAVE).click()


def _just_recorded(someone: Person) -> None:
    """Where one comes after recording."""
    someone.open(_client("/decisions"))
    decision = str(someone.page.locator(FIRST_DECISION).first.get_attribute("href")).rpartition("/")[2]
    someone.open(_client(f"?recorded={decision}"))


def _what_if(someone: Person) -> None:
    someone.open(_client("/what-if"))
    someone.page.locator("#trigger").select_option("end_activity")
    someone.page.locator("form.what-if-ask button").last.click()


START_CHECK = 'form[action="/checks"] button'


def _checked(asked: str = "") -> Way:
    """Look at the caseload's last check, or have one made; at another part of it when that is asked."""

    def way(someone: Person) -> None:
        someone.open("/checks")
        last = someone.page.locator('main table a[href^="/checks/"]').first
        (last if last.count() else someone.page.locator(START_CHECK)).click()
        someone.page.locator("#check .figures").wait_for()
        if asked:
            someone.open(someone.page.url.removeprefix(someone.address) + asked)

    return way


def _no_day(someone: Person) -> None:
    """Ask for a check of a day there is not, as a browser without a field for days would."""
    someone.open("/checks")
    someone.page.locator("#as_of").evaluate("field => { field.type = 'text'; field.value = 'yesterday'; }")
    someone.page.locator(START_CHECK).click()


REPLAY = 'form[action$="/replay"] button'
FIRST_DECISION = 'main a[href^="/decisions/"]'
FIRST_WHY = 'main a[href*="/why/"]'

#: Who has a form of an entry type, and for which client; mostly the first.
FORM_OF = {
    "": ("aino", "samuli"),
    **dict.fromkeys(
        ("endorsement_recorded", "endorsements_checked", "statement_issued", "statement_withdrawn"), ("helmi", "samuli")
    ),
}

# --- the places ---

LISTS = (
    Place("the list", "aino", "/clients", shows="table.clients"),
    Place("the list, narrowed", "aino", "/clients?due=overdue&stage=work_trial", shows="table.clients"),
    Place("the list of closed cases", "aino", "/clients?closed=1"),
    Place("the list, nothing matches", "aino", "/clients?q=zzz", shows=".empty"),
    Place("the list of a provider", "lempi", "/clients", shows="table.clients"),
    Place("the list of an auditor", "tarmo", "/clients"),
    Place("the calendar", "aino", "/clients/calendar", shows=".day"),
    Place("the calendar, an empty month", "aino", "/clients/calendar?month=2031-02"),
    Place("a new client", "aino", "/clients/new", shows="form.record"),
    Place("a new client, with mistakes", "aino", pressed("/clients/new", ".buttons button"), 422, "#mistakes"),
)
CLIENTS = (
    Place("a client in a trial", "vilho", _client(), shows=".steps"),
    Place("a client in a trial alongside", "aino", _client("", "trial-alongside"), shows=".steps"),
    Place("a client at the beginning", "aino", _client("", "elli")),
    Place("a closed client", "aino", _client("", "eero")),
    Place("a restricted client", "aino", _client("", "hilma"), shows=".label--alert"),
    Place("a client of a provider's coach", "lempi", _client()),
    Place("a client of an instructor", "toivo", _client("", "aatu")),
    Place("a client to an auditor", "tarmo", _client()),
    Place("a client to a team leader", "martta", _client("", "samuli")),
    Place("a client on another day", "vilho", _client("?as_of=2027-01-15"), shows=".notice--alert"),
    Place("a client on no day", "vilho", _client("?as_of=yesterday"), 422, ".notice--error"),
    Place("a client, just recorded", "vilho", _just_recorded, shows=".notice--success"),
    Place("the time line", "vilho", _client("/timeline"), shows=".polku-picture"),
    Place("the time line, with hardly anything", "aino", _client("/timeline", "elli")),
    Place("the journal", "vilho", _client("/journal"), shows=".entry"),
    Place("the journal, one type", "vilho", _client("/journal?type=contact"), shows=".entry"),
    Place("the journal of a provider's coach", "lempi", _client("/journal")),
    Place("the talk sheet", "aino", _client("/talk-sheet", "samuli")),
    Place("the talk sheet, nothing answered", "aino", _client("/talk-sheet", "elli")),
    Place("what if", "vilho", _client("/what-if"), shows="#trigger"),
    Place("what if, a step chosen", "vilho", _what_if, shows="#result"),
    Place("why a rule came out so", "vilho", pressed(_client(), FIRST_WHY)),
    Place("why a rule does, withheld", "lempi", _client("/why/nobody-left-between-services")),
    Place("the summary", "vilho", _client("/summary"), shows=".paper"),
    Place("the summary in another language", "vilho", _client("/summary?lang=sv"), shows='.paper[lang="sv"]'),
)
RECORDING = (
    Place("what to record", "vilho", _client("/record"), shows=".themes"),
    Place("what to record, an instructor", "onni", _client("/record", "samuli"), shows=".themes"),
    Place("what to record, nothing to record", "tarmo", _client("/record"), 403),
    Place("a bundle", "aino", _client("/record/plan_meeting", "samuli"), shows="form.record"),
    Place("an entry", "aino", _client("/record/contact", "samuli"), shows="form.record"),
    Place("an entry of others", "onni", _client("/record/service_decision", "samuli"), 403),
    Place("a form with mistakes", "aino", pressed(_client("/record/trial_start", "samuli"), SAVE), 422, "#mistakes"),
    Place("a rule speaks against it", "aino", _objected(), 409, "#objections"),
    Place("recorded anyway, without a reason", "aino", _objected(ANYWAY), 422, "#mistakes"),
    Place("one more entry beside", "aino", _objected('button[value^="also:"]'), 200, ".part"),
    Place("someone was faster", "vilho", _stale, 412, "#meanwhile"),
    Place("what to correct", "aino", _client("/record/correction", "samuli"), shows=".lines"),
    Place("a correction", "aino", pressed(_client("/journal", "samuli"), "a.entry__correct"), shows="form.record"),
    Place("what to set aside", "aino", _client("/record/advice_set_aside", "samuli")),
    Place("advice set aside", "aino", pressed(_client("", "samuli"), 'a[href*="/set-aside/"]'), shows="form.record"),
    Place(
        "advice set aside, with mistakes",
        "aino",
        pressed(_client("", "samuli"), 'a[href*="/set-aside/"]', SAVE),
        422,
        "#mistakes",
    ),
)
DECISIONS = (
    Place("decisions", "vilho", _client("/decisions"), shows=FIRST_DECISION),
    Place("decisions to an auditor", "tarmo", _client("/decisions"), shows=FIRST_DECISION),
    Place("a decision", "vilho", pressed(_client("/decisions"), FIRST_DECISION)),
    Place("a decision replayed", "vilho", pressed(_client("/decisions"), FIRST_DECISION, REPLAY)),
    Place("a chain looked over", "tarmo", pressed(_client("/decisions"), 'form[action$="/chain"] button')),
    Place("advice", "vilho", _client("/advice")),
    Place("advice, all of it", "vilho", _client("/advice?all=true")),
    Place("reads", "vilho", _client("/reads")),
)  # fmt: skip
RIGHTS = (
    Place("name and address", "vilho", _client("/identity"), shows="#name"),
    Place("name and address to others", "onni", _client("/identity", "samuli")),
    Place(
        "name and address, with mistakes",
        "vilho",
        filled(_client("/identity"), {"#name": CODE}, "form[action$='/identity'] .button"),
        422,
        ".notice--error",
    ),
    Place("a restriction", "vilho", _client("/restriction"), shows="#reason"),
    Place("a restriction to lift", "aino", _client("/restriction", "hilma"), shows="#reason"),
    Place(
        "a restriction, with mistakes",
        "vilho",
        filled(_client("/restriction"), {"#reason": CODE}, "form[action$='/restriction'] .button"),
        422,
        ".notice--error",
    ),
    Place("emergency access", "aino", "/emergency", shows="#client"),
    Place("emergency access to one client", "aino", _client("/emergency-access", "tapio"), shows="#client"),
    Place(
        "emergency access to nobody",
        "aino",
        filled("/emergency", {"#client": "nobody", "#reason": "Asiakas soitti."}, "form[action='/emergency'] .button"),
        404,
        ".notice--error",
    ),
    Place("a copy", "vilho", _client("/copy")),
)
RULES = (
    Place("the rules", "aino", "/rules"),
    Place("the rules, searched", "aino", "/rules?q=suostumus&severity=obligation"),
    Place("the rules, nothing found", "aino", "/rules?q=zzz"),
    Place("a rule", "aino", pressed("/rules", 'main a[href^="/rules/"]:not([href="/rules/changes"])')),
    Place("what changed", "saimi", "/rules/changes"),
)
OVERSIGHT = (
    Place("the team", "martta", "/team"),
    Place("the team's exceptions", "martta", "/team/acknowledged", shows=".card"),
    Place("the audit", "tarmo", "/audit"),
    Place("decisions of all", "tarmo", "/audit/decisions"),
    Place("decisions that could not be judged", "tarmo", "/audit/decisions?only=undetermined"),
    Place("exceptions of all", "tarmo", "/audit/acknowledged", shows=".card"),
)
CHECKS = (
    Place("the checks", "martta", "/checks", shows="#as_of"),
    Place("a check of no day", "martta", _no_day, 422, "#mistakes"),
    Place("a check by client", "martta", _checked(), shows="table.checked"),
    Place("a check by rule", "martta", _checked("?by=rules"), shows="table.stack"),
    Place("a check, nothing such found", "martta", _checked("?which=rest&severity=quality&rule=plan-review")),
)
PROBLEMS = (
    Place("not allowed", "aino", "/audit", 403),
    Place("a page that is not there", "aino", "/nowhere", 404),
    Place("a client who is not there", "aino", _client("", "nobody"), 404),
    Place("a file of a page that is not there", "aino", "/rules/no-such-rule", 404),
)
LOGIN = (
    Place("the users of the demo", None, "/login", shows="button"),
    Place("a login that failed", None, "/login/callback?state=none&code=none", 400),
    Place("logging out", "aino", "/logout", shows="button"),
    Place("logged out", None, "/logout", shows="a"),
)
PLACES = (*LISTS, *CLIENTS, *RECORDING, *DECISIONS, *RIGHTS, *RULES, *OVERSIGHT, *CHECKS, *PROBLEMS, *LOGIN)
