"""The pages for leaders and auditors: the team's work, what was recorded against a rule, chains, and who has read."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from service.audit.chain import timestamp
from service.audit.checkpoints import new_keys, newest_checkpoint, private_key, write_checkpoint
from service.outlook import CALENDAR, EXPORT, LIST
from service.reading import Reader, log
from service.store import Database
from service.words import Words, pages_catalogue
from tests.service.api.asking import Client
from tests.service.api.people import person
from tests.service.api.world import ACKNOWLEDGED, CLIENT, REGION, actor, actors, opened, settled, showing
from tests.service.conftest import Clock
from tests.service.web.looking import Seen, look, send
from tests.service.web.overseen import HERE, HOSTILE, altered, as_, in_session, met

LANGUAGES = ("fi", "sv", "en")
#: Where the program names what it logs as read.
LOGGED = re.compile(
    r"""(?:open_client|reading\.(?:one|of_decision|refused))\([^"()]*(?:"\w*"|VIEW|None)?,?\s*"([\w ,]+)"[,)]"""
)


@pytest.fixture
def decision(anyone: Client, sqlite: Database, clock: Clock) -> str:
    """The decision of a step recorded against rules."""
    return settled(anyone, sqlite, clock())


@pytest.fixture
def worker(anyone: Client) -> Client:
    return as_(anyone, "social_worker", "assigned")


@pytest.fixture
def auditor(anyone: Client) -> Client:
    return as_(anyone, "auditor", "none")


@pytest.fixture
def leader(anyone: Client) -> Client:
    return as_(anyone, "team_leader", "team")


# --- who ---


def test_each_page_is_for_its_role_alone(anyone: Client, decision: str) -> None:
    pages = {
        "/team": "team_leader",
        "/team/acknowledged": "team_leader",
        "/audit": "auditor",
        "/audit/decisions": "auditor",
        "/audit/acknowledged": "auditor",
    }
    for role, relation in actors():
        user = as_(anyone, role, relation)
        for path, open_to in pages.items():
            # A leader without a team has no list of the team.
            status = 200 if role == open_to and (path != "/team/acknowledged" or relation in ("team", "none")) else 403
            assert look(user, path).status == status, (role, relation, path)


def test_the_first_page_is_the_roles_own(anyone: Client) -> None:
    for role, path in (("team_leader", "/team"), ("auditor", "/audit"), ("administrator", "/rules")):
        assert look(as_(anyone, role, "none"), "/").answer.headers["location"] == path


# --- the team ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_teams_work_is_told_in_numbers(leader: Client, decision: str, lang: str) -> None:
    seen, words = look(leader, "/team", lang=lang), Words(lang)  # type: ignore[arg-type]
    assert seen.status == 200
    assert seen.one(".figures a[href='/clients']").get_text() == "1"
    assert words("oversight", "withheld_means") in seen.text
    assert "assigned-social_worker" in seen.text
    assert "Sirpa" not in seen.text
    shown = [re.sub(r"assigned-\w+", "", text) for text in seen.one("main").stripped_strings]
    assert not [text for text in shown if "_" in text]


def test_what_a_leader_may_not_see_is_in_no_number(leader: Client, decision: str) -> None:
    seen = look(leader, "/team")
    counted = {str(a["href"]).removeprefix("/rules/") for a in seen.all("table a[href^='/rules/']")}
    hidden = set(leader.get(f"/v1/cases/{CLIENT}/advice").json()["withheld"])
    assert counted
    assert not counted & hidden


def test_a_team_without_clients_says_so(anyone: Client) -> None:
    other = showing(anyone, person("martta", "team_leader", team="team-9"))
    assert "Tiimillä ei ole avoimia asiakkaita" in look(other, "/team").text


# --- recorded against a rule ---


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_leader_sees_reasons_and_names_and_the_auditor_no_names(
    leader: Client, auditor: Client, decision: str, lang: str
) -> None:
    for user, path, named in ((leader, "/team/acknowledged", True), (auditor, "/audit/acknowledged", False)):
        seen = look(user, path, lang=lang)
        assert seen.status == 200
        assert seen.one("dd.said").get_text() == ACKNOWLEDGED
        assert seen.all(f"a[href='/decisions/{decision}']")
        assert ("Sirpa Esimerkki" in seen.text) is named


def test_emergency_accesses_go_on_from_page_to_page(
    anyone: Client, leader: Client, decision: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.web.routes.oversight.ON_A_PAGE", 2)
    for number in range(3):
        clock.advance(minutes=1)
        stranger = showing(anyone, person(f"duty-{number}", "social_worker", team=None))
        reason = f"{number} {HOSTILE}"
        assert stranger.post(f"/v1/cases/{CLIENT}/emergency-access", {"reason": reason}).status_code == 201
    seen = look(leader, "/team/acknowledged")
    found = [item.get_text() for item in seen.all("dd.said")]
    following = str(seen.one("a[rel=next]")["href"])
    rest = look(leader, following)
    found += [item.get_text() for item in rest.all("dd.said")]
    assert found == [*(f"{number} {HOSTILE}" for number in (2, 1, 0)), ACKNOWLEDGED]
    assert rest.all("a[rel=next]") == []
    assert not any("onerror" in str(tag) for tag in seen.all("img"))
    assert look(leader, "/team/acknowledged?after=nonsense").status == 422


def test_no_acknowledgement_says_so(auditor: Client) -> None:
    assert "ei ole" in look(auditor, "/audit/acknowledged").text


# --- decisions of all ---


def test_decisions_of_all_clients_come_the_newest_first_and_are_logged(
    worker: Client, auditor: Client, decision: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.web.routes.oversight.ON_A_PAGE", 2)
    made = []
    for version in range(2, 5):
        clock.advance(minutes=1)
        made.append(met(worker, version))
    pages = [look(auditor, "/audit/decisions")]
    while links := pages[-1].all("a[rel=next]"):
        pages.append(look(auditor, str(links[0]["href"])))
    found = [str(a["href"]).removeprefix("/decisions/") for page in pages for a in page.all("tbody td:first-child a")]
    assert (len(pages), found[:3], len(set(found))) == (3, [*reversed(made)], 5)
    assert decision in found[3:]  # of the same moment as the opening
    reads = auditor.get(f"/v1/cases/{CLIENT}/reads?limit=200").json()["items"]
    assert [item["what"] for item in reads if item["role"] == "auditor"][:3] == 3 * ["decisions of all"]
    assert "Sirpa" not in "".join(page.text for page in pages)


def test_there_may_be_nothing_to_show(auditor: Client) -> None:
    assert "Arvioita ei ole" in look(auditor, "/audit/decisions").text
    assert "kaikki kirjaukset" in look(auditor, "/audit/decisions?only=undetermined").text


# --- chains ---


def test_chains_are_counted_and_what_is_not_watched_is_told(auditor: Client, sqlite: Database, decision: str) -> None:
    seen = look(auditor, "/audit")
    with sqlite.read(REGION) as unit:
        heads = list(unit.chains.heads())
    assert [item.get_text() for item in seen.all(".figures dd")] == [
        str(len(heads)),
        str(sum(head.seq for head in heads)),
    ]
    assert "POLKU_CHECKPOINT_DIR" in seen.text
    assert "polku audit verify" in seen.text


@pytest.fixture
def folder(app: FastAPI, sqlite: Database, decision: str, clock: Clock, tmp_path: Path) -> Path:
    """A folder with a checkpoint, which the service watches."""
    found = tmp_path / "checkpoints"
    found.mkdir()
    new_keys(tmp_path / "key")
    with sqlite.read(REGION) as unit:
        write_checkpoint(found, private_key(tmp_path / "key"), REGION, unit.chains.heads(), timestamp(clock()), None)
    service = app.state.service
    app.state.service = type(service)(
        **{name: getattr(service, name) for name in service.__slots__}
        | {"settings": service.settings.model_copy(update={"checkpoint_dir": found})}
    )
    return found


def test_the_last_checkpoint_is_told_with_its_age_and_key(anyone: Client, folder: Path, clock: Clock) -> None:
    clock.advance(hours=5, minutes=10)
    seen = look(as_(anyone, "auditor", "none"), "/audit")
    newest = newest_checkpoint(folder)
    assert newest is not None
    assert str(newest.key) in seen.text
    assert "5 tuntia sitten" in seen.text
    assert "ei voi itse todistaa" in seen.text


@pytest.mark.parametrize("harm", ["body", "heads", "json", "none", "gone"])
def test_a_checkpoint_that_is_harmed_is_told(auditor: Client, folder: Path, harm: str) -> None:
    file = folder / "checkpoint-000001.json"
    if harm == "body":
        file.write_text(file.read_text().replace('"number":1', '"number":2'))
    elif harm == "heads":
        file.with_suffix(".heads").write_text("")
    elif harm == "json":
        file.write_text("[]")
    elif harm == "none":
        file.unlink()
    else:
        folder.rename(folder.with_name("elsewhere"))
    seen = look(auditor, "/audit")
    assert seen.status == 200
    assert seen.all(".notice--alert")


def test_a_clients_chain_is_looked_over_at_the_press_of_a_button(
    worker: Client, auditor: Client, folder: Path, decision: str
) -> None:
    page = look(auditor, f"{HERE}/decisions")
    assert page.one(f"form[action='{HERE}/chain'] button").get_text() == "Tarkista ketju"
    seen = send(auditor, f"{HERE}/chain", {})
    assert "Ketju on ehjä" in seen.one("#outcome").get_text()
    assert "Tarkistuspiste 1 vastaa ketjua" in seen.text
    back = look(auditor, f"{HERE}/chain")
    assert (back.status, back.answer.headers["location"]) == (303, f"{HERE}/decisions")
    assert send(worker, f"{HERE}/chain", {}).status == 403
    assert send(auditor, "/clients/nobody/chain", {}).status == 404


def test_an_altered_record_breaks_the_chain(auditor: Client, folder: Path, decision: str, tmp_path: Path) -> None:
    altered(tmp_path / "polku.db", decision, lambda record: record.update(status="determined", alarm="x"))
    seen = send(auditor, f"{HERE}/chain", {})
    assert "Ketju on rikki" in seen.one("#outcome").get_text()
    assert "its record was altered" in seen.text


def test_a_chain_made_anew_is_found_by_the_checkpoint(auditor: Client, folder: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "polku.db")) as file:
        chain = file.execute("SELECT chain FROM case_record").fetchone()[0]
    heads = folder / "checkpoint-000001.heads"
    lines = heads.read_text().splitlines()
    other = [f"{line.rsplit(' ', 1)[0]} {'0' * 64}" if line.startswith(chain) else line for line in lines]
    # As if signed so: what is checked here is what the chain is compared with.
    newest = newest_checkpoint(folder)
    assert newest is not None
    heads.write_text("\n".join(other) + "\n")
    from service.overseeing import look_over_chain

    service = auditor.app.state.service
    with service.database.read(REGION) as unit:
        case = unit.cases.get(CLIENT)
        assert case is not None
        found = look_over_chain(unit, case, newest.checkpoint, service.clock())
    assert (found.fault_count, found.agrees, found.whole) == (0, False, False)


def test_the_way_to_a_client_leads_there_whatever_is_typed(auditor: Client, decision: str) -> None:
    assert look(auditor, f"/audit?case={CLIENT}").answer.headers["location"] == f"{HERE}/decisions"
    odd = look(auditor, "/audit?case=//elsewhere.example/%3Fx").answer.headers["location"]
    assert odd == "/clients/%2F%2Felsewhere.example%2F%3Fx/decisions"
    assert look(auditor, odd).status == 404
    assert look(auditor, "/clients/nobody/decisions").status == 404


def test_another_site_can_have_no_chain_looked_over(anyone: Client, decision: str) -> None:
    auditor = in_session(anyone, "auditor", "none")
    assert send(auditor, f"{HERE}/chain", {}).status == 200
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
    assert auditor.request("POST", f"{HERE}/chain", checked=False, headers=headers).status_code == 403


# --- who has read ---


def test_reads_are_open_as_the_api_is(anyone: Client, decision: str) -> None:
    for role, relation in actors():
        user = as_(anyone, role, relation)
        api = user.get(f"/v1/cases/{CLIENT}/reads").status_code
        assert look(user, f"{HERE}/reads").status == api, (role, relation)
        assert look(user, f"{HERE}/reads.csv").status == api, (role, relation)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_who_read_what_and_why_is_told_in_words(anyone: Client, worker: Client, decision: str, lang: str) -> None:
    words = Words(lang)  # type: ignore[arg-type]
    showing(anyone, actor("employment_coach", "team")).get(f"/v1/cases/{CLIENT}")
    showing(anyone, person("stranger", "job_coach", team=None)).get(f"/v1/cases/{CLIENT}")
    seen = look(worker, f"{HERE}/reads", lang=lang)
    rows = [row.get_text(" ", strip=True) for row in seen.all("tbody tr")]
    stranger = next(row for row in rows if "stranger" in row)
    assert words("read_log", "refused_label") in stranger
    coach = next(row for row in rows if "team-employment_coach" in row)
    assert words("relations", "team")[1:] in coach
    assert words("read_what", "case")[1:] in coach
    assert words("purposes", "client_work")[1:] in coach


def test_the_newest_reads_come_first_page_by_page(
    anyone: Client, worker: Client, decision: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.web.routes.oversight.ON_A_PAGE", 3)
    for number in range(5):
        clock.advance(minutes=1)
        showing(anyone, person(f"reader-{number}", "employment_coach", organisation="county-1")).get(
            f"/v1/cases/{CLIENT}"
        )
    pages: list[Seen] = [look(worker, f"{HERE}/reads")]
    while links := pages[-1].all("a[rel=next]"):
        pages.append(look(worker, str(links[0]["href"])))
    who = [cell.get_text().split()[0] for page in pages for cell in page.all("tbody td:nth-child(2)")]
    readers = [name for name in who if name.startswith("reader-")]
    assert readers == [f"reader-{number}" for number in reversed(range(5))]


def test_every_read_that_is_logged_has_words() -> None:
    """What the program logs as read, wherever it does."""
    root = Path(__file__).parents[3] / "service"
    found = set()
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(LOGGED.findall(text))
    known, found = pages_catalogue()["read_what"], found | {LIST, EXPORT, CALENDAR}
    assert {"case", "decisions", "identity"} <= found
    assert found - known.keys() <= {"journal", "assessment"}


def test_the_whole_log_goes_into_a_spreadsheet_and_no_formula_with_it(
    worker: Client, sqlite: Database, decision: str, clock: Clock
) -> None:
    principal = as_principal("=HYPERLINK(1)")
    with sqlite.write(REGION) as unit:
        log(unit, Reader(principal), '@SUM("x");y', {CLIENT: "team"}, clock.advance(minutes=1))
    seen = look(worker, f"{HERE}/reads.csv")
    headers = seen.answer.headers
    assert headers["cache-control"] == "no-store"
    assert headers["content-disposition"] == 'attachment; filename="polku-2026-11-20.csv"'
    rows = list(csv.reader(io.StringIO(seen.answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][0] == "Milloin"
    planted = next(row for row in rows if "HYPERLINK" in row[1])
    assert (planted[1], planted[6]) == ("'=HYPERLINK(1)", '\'@SUM("x");y')
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert "Katseluloki taulukkona" in look(worker, f"{HERE}/reads").text


def as_principal(user: str) -> Any:
    from service.access.principal import Principal

    return Principal(user, REGION, "county-1", "county", "team-1", "employment_coach", ("employment_coach",))


def test_a_client_of_nobodys_business_is_not_there(anyone: Client) -> None:
    opened(anyone)
    stranger = showing(anyone, person("stranger", "social_worker", team=None))
    for name in ("decisions", "advice", "reads", "reads.csv", "identity", "restriction", "copy"):
        there, nowhere = look(stranger, f"{HERE}/{name}"), look(stranger, f"/clients/nobody/{name}")
        assert (there.status, nowhere.status) == (404, 404), name
        assert there.answer.text.replace(CLIENT, "nobody") == nowhere.answer.text
