"""Sessions: they end when they should, and nobody else can use them. On both databases."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.login.claims import NotAdmitted, Person
from service.login.sessions import REMEMBERED, SEEN_EVERY, Lifetimes, Sessions
from service.store import Account, Database
from tests.service.conftest import Clock
from tests.service.login.outside import REGION, Browser, Outside, Server, form_of

AINO = Person("aino", REGION, "county-1", "county", "team-1", ("social_worker",))


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sessions(database: Database, clock: Clock) -> Sessions:
    return Sessions(database, REGION, Lifetimes(timedelta(hours=10), timedelta(minutes=30)), clock)


@pytest.fixture
def stranger(service_server: Server) -> Iterator[Browser]:
    """Another browser, from which nobody has logged in."""
    with Browser(service_server.url, service_server.address) as made:
        yield made


def block(database: Database, user: str, clock: Clock, blocked: bool = True) -> None:
    """As `polku accounts block` does it."""
    with database.write(REGION) as unit:
        assert unit.accounts.set_blocked(user, blocked)
        if blocked:
            unit.sessions.revoke_all(user, clock())


def account(database: Database, user: str = "aino") -> Account | None:
    with database.read(REGION) as unit:
        return unit.accounts.get(user)


# --- how long they last ---


def test_a_session_ends_when_nothing_is_asked_for_long(sessions: Sessions, clock: Clock) -> None:
    session_id = sessions.begin(AINO, None)
    clock.advance(minutes=30, microseconds=-1)
    assert sessions.person(session_id) == AINO
    clock.advance(minutes=30)
    assert sessions.person(session_id) is None


def test_a_session_in_use_goes_on_until_its_longest(sessions: Sessions, clock: Clock) -> None:
    session_id = sessions.begin(AINO, None)
    for _ in range(29):
        clock.advance(minutes=20)
        assert sessions.person(session_id) == AINO
    clock.advance(minutes=20, microseconds=-1)
    assert sessions.person(session_id) == AINO
    clock.advance(microseconds=1)
    assert sessions.person(session_id) is None


def test_using_it_all_the_time_writes_only_now_and_then(
    sessions: Sessions, clock: Clock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = sessions.begin(AINO, None)
    written = []
    write = database.write
    monkeypatch.setattr(database, "write", lambda region: (written.append(region), write(region))[1])
    for _ in range(300):
        clock.advance(seconds=2)
        assert sessions.person(session_id) == AINO
    assert len(written) == 3  # of ten minutes, every third: a tenth of what may pass without a request


def test_the_longest_may_be_shorter_than_the_idle(database: Database, clock: Clock) -> None:
    sessions = Sessions(database, REGION, Lifetimes(timedelta(minutes=5), timedelta(hours=1)), clock)
    session_id = sessions.begin(AINO, None)
    clock.advance(minutes=5)
    assert sessions.person(session_id) is None


def test_what_is_over_is_deleted_in_time(sessions: Sessions, clock: Clock, database: Database) -> None:
    sessions.begin(AINO, None)
    clock.advance(minutes=31, seconds=REMEMBERED.total_seconds())
    sessions.begin(AINO, None)
    assert len(rows(database, sessions)) == 1


def rows(database: Database, sessions: Sessions) -> list[str]:
    """The digests of the sessions that are kept, found by reading the table as it stands."""
    from sqlalchemy import select

    from service.store import tables

    with database.read(REGION) as unit:
        return [row[0] for row in unit.sessions._transaction.all(select(tables.session.c.id_digest))]


# --- who can use them ---


def test_the_database_does_not_hold_what_a_browser_shows(sessions: Sessions, database: Database) -> None:
    session_id = sessions.begin(AINO, None)
    (digest,) = rows(database, sessions)
    assert session_id not in digest
    assert sessions.person(digest) is None


@pytest.mark.parametrize("shown", ["", "x", "x" * 43, "x" * 100_000, "\x00", "ä", "' OR 1=1 --", "\ud800"])
def test_an_id_that_was_never_given_is_nobodys(sessions: Sessions, shown: str) -> None:
    sessions.begin(AINO, None)
    assert sessions.person(shown) is None


def test_a_session_of_another_region_is_nobodys(sessions: Sessions, database: Database, clock: Clock) -> None:
    session_id = sessions.begin(AINO, None)
    elsewhere = Sessions(database, "toisaalla", Lifetimes(timedelta(hours=10), timedelta(minutes=30)), clock)
    assert elsewhere.person(session_id) is None
    elsewhere.end(session_id)
    assert sessions.person(session_id) == AINO


def test_ids_are_never_alike(sessions: Sessions) -> None:
    assert len({sessions.begin(AINO, None) for _ in range(20)}) == 20


# --- logging out ---


def test_logging_out_ends_the_session_here_and_at_the_provider(
    browser: Browser, stranger: Browser, outside: Outside, service_server: Server
) -> None:
    browser.log_in()
    stranger.cookies.set("polku", browser.cookies["polku"], domain="127.0.0.1")
    page = browser.get("/logout")
    fields, action = form_of(page.text)
    assert (fields, action) == ({}, "/logout")
    # The browser must be allowed to go where the form leads in the end.
    assert f"form-action 'self' {outside.issuer.removesuffix('/realm')};" in page.headers["Content-Security-Policy"]
    answer = browser.post("/logout", headers={"Origin": service_server.url})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(
        f"{outside.issuer}/end_session?client_id=polku&post_logout_redirect_uri="
    )
    assert "polku" not in browser.cookies
    back = browser.get(answer.headers["Location"])
    assert back.headers["Location"] == f"{service_server.url}/logout"
    assert "Olet kirjautunut ulos" in browser.get(back.headers["Location"]).text
    assert stranger.get("/who").status_code == 401  # a copy of the cookie is worth nothing either


def test_without_a_logout_of_the_providers_one_comes_back_here(
    browser: Browser, outside: Outside, service_server: Server
) -> None:
    outside.metadata_also = {"end_session_endpoint": None}
    browser.log_in()
    answer = browser.post("/logout", headers={"Origin": service_server.url})
    assert answer.headers["Location"] == f"{service_server.url}/logout"


def test_logging_out_works_while_the_provider_is_away(
    browser: Browser, outside: Outside, service_server: Server, clock: Clock
) -> None:
    browser.log_in()
    outside.broken = {"*"}
    clock.advance(minutes=20)
    assert browser.post("/logout", headers={"Origin": service_server.url}).status_code == 303
    assert browser.get("/who").status_code == 401


def test_nobody_is_logged_out_by_a_link_or_by_another_site(browser: Browser, service_server: Server) -> None:
    browser.log_in()
    browser.get("/logout")
    assert browser.post("/logout", headers={"Origin": "https://evil.example"}).status_code == 403
    assert browser.post("/logout").status_code == 403
    assert browser.get("/who").status_code == 200


def test_who_is_not_logged_in_is_told_so(browser: Browser) -> None:
    assert browser.post("/logout").headers["Location"] == "/logout"
    assert "Olet kirjautunut ulos" in browser.get("/logout").text


# --- blocking ---


def test_a_block_holds_from_the_next_request_on(
    browser: Browser, outside: Outside, database: Database, clock: Clock
) -> None:
    browser.log_in("aino")
    token = {"Authorization": f"Bearer {outside.token('aino')}"}
    assert browser.get("/who").status_code == browser.get("/who", headers=token).status_code == 200
    block(database, "aino", clock)
    answer = browser.get("/who", headers=token)
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/not-admitted"
    assert browser.get("/who").status_code == 401  # the session is over for good
    assert browser.log_in("aino").status_code == 403
    block(database, "aino", clock, blocked=False)
    assert browser.get("/who").status_code == 401
    assert browser.log_in("aino").status_code == 303
    assert browser.get("/who").status_code == 200


def test_a_blocked_account_is_refused_even_with_a_session_left(
    sessions: Sessions, database: Database, clock: Clock
) -> None:
    session_id = sessions.begin(AINO, None)
    with database.write(REGION) as unit:
        unit.accounts.set_blocked("aino", True)
    with pytest.raises(NotAdmitted, match="blocked"):
        sessions.person(session_id)


# --- accounts ---


def test_an_account_is_what_was_last_told(browser: Browser, outside: Outside, database: Database, clock: Clock) -> None:
    assert account(database) is None
    browser.log_in("aino")
    first = account(database)
    assert first is not None
    assert (first.organisation, first.organisation_kind, first.team) == ("county-1", "county", "team-1")
    assert first.roles == ("social_worker",)
    clock.advance(minutes=5)
    moved = outside.token("aino", polku_team="team-2")
    assert browser.get("/who", headers={"Authorization": f"Bearer {moved}"}).json()["team"] == "team-2"
    second = account(database)
    assert second is not None
    assert second.team == "team-2"
    assert second.seen_at > first.seen_at


def test_an_older_token_does_not_turn_the_account_back(
    browser: Browser, outside: Outside, database: Database, clock: Clock
) -> None:
    old = outside.token("aino", polku_team="team-0")
    clock.advance(minutes=5)
    browser.log_in("aino")
    assert browser.get("/who", headers={"Authorization": f"Bearer {old}"}).json()["team"] == "team-0"
    known = account(database)
    assert known is not None
    assert known.team == "team-1"


def test_an_account_in_use_is_noted_once_an_hour(
    browser: Browser, outside: Outside, database: Database, clock: Clock
) -> None:
    seen = set()
    for _ in range(9):
        assert browser.get("/who", headers={"Authorization": f"Bearer {outside.token('aino')}"}).status_code == 200
        known = account(database)
        assert known is not None
        seen.add(known.seen_at)
        clock.advance(seconds=SEEN_EVERY.total_seconds() / 4)
    assert len(seen) == 3


def test_who_may_do_something_else_than_before_must_log_in_everywhere(sessions: Sessions) -> None:
    desk, phone = sessions.begin(AINO, None), sessions.begin(AINO, None)
    assert sessions.person(desk) == sessions.person(phone) == AINO
    less = Person("aino", REGION, "county-1", "county", "team-2", ("social_worker",))
    now = sessions.begin(less, None)
    assert sessions.person(now) == less
    assert sessions.person(desk) is sessions.person(phone) is None


def test_the_order_of_roles_changes_nothing(sessions: Sessions) -> None:
    both = Person("urho", REGION, "county-1", "county", None, ("social_worker", "team_leader"))
    first = sessions.begin(both, None)
    sessions.begin(Person("urho", REGION, "county-1", "county", None, ("team_leader", "social_worker")), None)
    assert sessions.person(first) == both


def test_a_session_begun_when_more_roles_were_open_has_only_those_open_now(sessions: Sessions) -> None:
    def of_a_provider(*roles: str) -> Person:
        return Person("lempi", REGION, "provider-1", "provider", None, roles)

    both, none = of_a_provider("auditor", "job_coach"), of_a_provider("auditor")
    assert sessions.person(sessions.begin(both, None)) == of_a_provider("job_coach")
    assert sessions.person(sessions.begin(none, None)) is None


# --- requests of other sites ---

SAME = {"Sec-Fetch-Site": "same-origin"}
#: What a change carries, and whether it is let through.
CHANGES: list[tuple[dict[str, str], bool]] = [
    ({}, False),
    ({"Origin": "own"}, True),
    ({"Origin": "null"}, False),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "own.evil.example"}, False),
    (SAME, True),
    ({**SAME, "Origin": "own"}, True),
    ({**SAME, "Origin": "null"}, False),
    ({**SAME, "Origin": "https://evil.example"}, False),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "same-site", "Origin": "own"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "own"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Origin": "https://evil.example"}, False),
    ({"Sec-Fetch-Site": "none"}, False),
    ({"Sec-Fetch-Site": ""}, False),
    ({"Referer": "own"}, False),
]


def test_a_change_must_come_from_the_services_own_pages(browser: Browser, service_server: Server) -> None:
    browser.log_in()
    for headers, passes in CHANGES:
        sent = {name: value.replace("own", service_server.url) for name, value in headers.items()}
        answer = browser.post("/change", headers=sent)
        assert answer.status_code == (200 if passes else 403), headers
        assert passes or answer.json()["type"] == "/problems/cross-site"


def test_a_program_with_a_token_need_not_say_where_it_is(browser: Browser, outside: Outside) -> None:
    token = {"Authorization": f"Bearer {outside.token()}"}
    for headers, _ in CHANGES:
        assert browser.post("/change", headers={**headers, **token}).status_code == 200


def test_what_another_sites_page_loads_is_refused_and_a_link_is_followed(browser: Browser) -> None:
    browser.log_in()
    for site in ("cross-site", "same-site"):
        for mode, status in (("no-cors", 403), ("cors", 403), ("websocket", 403), ("navigate", 200)):
            headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
            assert browser.get("/who", headers=headers).status_code == status, headers
        assert browser.get("/who", headers={"Sec-Fetch-Site": site}).status_code == 403
        for place, status in (("document", 200), ("iframe", 403), ("embed", 403), ("object", 403)):
            headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": place}
            assert browser.get("/who", headers=headers).status_code == status, headers
    for site in ("same-origin", "none"):
        assert browser.get("/who", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}).status_code == 200


def test_a_refused_request_does_not_prolong_the_session(
    started: Callable[..., FastAPI], browser: Browser, clock: Clock
) -> None:
    started(idle=10)
    browser.log_in()
    for _ in range(2):
        clock.advance(minutes=5)
        assert browser.post("/change", headers={"Origin": "https://evil.example"}).status_code == 403
    assert browser.get("/who").status_code == 401


def test_a_session_keeps_no_more_than_who_it_is(sessions: Sessions, database: Database) -> None:
    sessions.begin(AINO, None)
    (digest,) = rows(database, sessions)
    with database.read(REGION) as unit:
        kept = unit.sessions.get(digest)
    assert kept is not None
    held: dict[str, Any] = json.loads(kept.data)
    assert held == {
        "user": "aino",
        "region": REGION,
        "organisation": "county-1",
        "organisation_kind": "county",
        "team": "team-1",
        "roles": ["social_worker"],
    }


def test_many_requests_at_a_time_with_one_session_all_pass(browser: Browser, clock: Clock) -> None:
    from concurrent.futures import ThreadPoolExecutor

    browser.log_in()
    clock.advance(minutes=15)  # all of them want to prolong it
    cookies = {"polku": browser.cookies["polku"]}

    def ask(_: int) -> int:
        return httpx.get(f"{browser.url}/who", cookies=cookies, timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(24))) == {200}
