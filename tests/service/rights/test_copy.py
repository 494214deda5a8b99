"""A copy for the client: everything kept about them, nothing about others, explained in three languages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.pack import load_pack
from service.rights.copy import client_copy, log_copy
from service.rights.disposal import dispose
from service.rights.errors import Gone
from service.rights.retention import retention
from service.rights.words import texts
from service.store import Database
from tests.service.conftest import Clock
from tests.service.polku import LANGUAGES
from tests.service.rights.planting import REGION, SECRETS, WORKER, plant, planted_entries, read

PACK = load_pack()


@pytest.fixture
def copied(database: Database, clock: Clock) -> dict[str, Any]:
    """A copy of the planted client's data, as JSON gives it back."""
    with database.write(REGION) as unit:
        plant(unit, "planted", clock(), closed_on="2026-11-19")
        plant(unit, "someone-else", clock(), closed_on=None)
        read(unit, "auditor-1", ["planted", "someone-else"], clock())
    with database.read(REGION) as unit:
        found = client_copy(unit, "planted", PACK, clock(), retention())
    copied: dict[str, Any] = json.loads(json.dumps(found))
    return copied


def test_everything_planted_is_in_it(copied: dict[str, Any]) -> None:
    text = json.dumps(copied, ensure_ascii=False)
    # A key of a worker's program is no data about the client; facts and outlooks are derived from the entries that are
    # here.
    missing = {name for name, secret in SECRETS.items() if secret not in text}
    assert missing == {"key", "outlook"}


def test_every_entry_says_who_recorded_it_and_where_it_was_judged(copied: dict[str, Any]) -> None:
    given = planted_entries()
    assert [
        {name: entry[name] for name in plain} for entry, plain in zip(copied["entries"], given, strict=True)
    ] == given
    assert {entry["recorded_by"]["user"] for entry in copied["entries"]} == {WORKER}
    assert {entry["decision"] for entry in copied["entries"]} == {copied["decisions"][0]["id"]}


def test_of_others_it_holds_nothing(copied: dict[str, Any]) -> None:
    assert "someone-else" not in json.dumps(copied)
    assert {item["user"] for item in copied["reads"]["log"]} == {"auditor-1", WORKER}


def test_it_says_how_long_the_data_are_kept_and_why(copied: dict[str, Any]) -> None:
    assert (copied["kept"]["closed_on"], copied["kept"]["kept_until"]) == ("2026-11-19", "2036-11-19")
    assert copied["kept"]["after_closing"]["source"][0]["document"] == "703/2023"


def test_every_code_in_it_is_explained_in_three_languages(copied: dict[str, Any]) -> None:
    words = copied["words"]
    for entry in copied["entries"]:
        assert entry["type"] in words["entry_types"]
        for name in entry:
            assert name in words["fields"] or name in words["log"] or name == "decision", name
    assert words["values"]["wants_to_work"]["yes"]["fi"]
    assert words["values"]["arrangement"].keys() == {"activity_ended"}
    assert words["facts"].keys() == {"case.stage", "case.interest"}
    assert words["rules"]["criminal-record-cost"]["sv"]
    assert words["roles"]["social_worker"]["en"] == "social worker (social care)"
    assert set(words["parts"]) <= set(copied)
    for kind, codes in words.items():
        for code, text in codes.items():
            inner = text.values() if kind == "values" else [text]
            assert all(set(item) == set(LANGUAGES) for item in inner), (kind, code)


def test_every_text_of_copies_is_there_in_three_languages() -> None:
    flat = [texts()["about"], texts()["your_rights"]]
    flat += [text for section in ("parts", "log", "roles") for text in texts()[section].values()]
    assert len(flat) > 20
    assert all(set(text) == set(LANGUAGES) and all(text.values()) for text in flat)


def test_reads_are_told_two_years_back_and_older_ones_for_a_reason(database: Database, clock: Clock) -> None:
    old, new = datetime(2024, 11, 19, 12, tzinfo=UTC), datetime(2024, 11, 20, 12, tzinfo=UTC)
    with database.write(REGION) as unit:
        plant(unit, "planted", old, closed_on=None)
        read(unit, "reader-1", ["planted"], new)
    with database.read(REGION) as unit:
        found = client_copy(unit, "planted", PACK, clock(), retention())["reads"]
        whole = client_copy(unit, "planted", PACK, clock(), retention(), all_reads=True)["reads"]
    assert ([item["user"] for item in found["log"]], found["since"], found["older_not_told"]) == (
        ["reader-1"],
        "2024-11-20",
        1,
    )
    assert ([item["user"] for item in whole["log"]], whole["since"], whole["older_not_told"]) == (
        [WORKER, "reader-1"],
        None,
        0,
    )


def test_making_one_is_itself_a_read_on_record(database: Database, clock: Clock) -> None:
    with database.write(REGION) as unit:
        plant(unit, "planted", clock(), closed_on=None)
        log_copy(unit, "planted", "operator:root", clock(), "the client suspects a neighbour")
    with database.read(REGION) as unit:
        (logged,) = unit.reads.by("operator:root")
        assert logged in unit.reads.of("planted")
    payload = json.loads(logged.payload)
    assert (payload["purpose"], payload["what"]) == ("client_request", "copy with all reads")
    assert payload["reason"] == "the client suspects a neighbour"


def test_there_is_none_of_what_is_gone(database: Database, owner: Database, clock: Clock) -> None:
    then = clock() - timedelta(days=4000)
    with database.write(REGION) as unit:
        plant(unit, "planted", then, closed_on=then.date().isoformat())
    dispose(owner, REGION, clock().date(), clock(), decided_by="archivist-1", periods=retention())
    with database.read(REGION) as unit:
        for case_id in ("planted", "nobody"):
            with pytest.raises(Gone):
                client_copy(unit, case_id, PACK, clock(), retention())
