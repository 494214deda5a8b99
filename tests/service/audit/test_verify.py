"""The service's own look over its chains finds what the standalone verifier finds."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit.checkpoints import public_key, read_checkpoints
from service.audit.verify import MOST_FAULTS, Coverage, Verified, verify
from tests.service.audit.attacks import ATTACKS
from tests.service.audit.chains import (
    Kept,
    Records,
    Signed,
    append,
    case_chain,
    chain_set,
    disposed_of,
    exported,
    hours_after,
    moment,
    ordered,
    pruned,
    read_chain,
    report_on,
    seconds,
    sign,
)

LINKS = 1_500
LATER = datetime(2027, 6, 1, tzinfo=UTC)


@cache
def whole() -> Records:
    """The records that are attacked."""
    return chain_set(LINKS, seed=3)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """Checkpoints: in the middle and after the end."""
    middle = sorted(item.link.at for item in whole())[LINKS // 2]
    return sign(tmp_path_factory.mktemp("checkpoints") / "c", whole(), middle, hours_after(whole(), 1))


def look(records: Records, signed: Signed | None = None, now: datetime = LATER) -> Verified:
    """What the look finds."""
    if signed is None:
        return verify(records, Coverage(), now)
    series, faults = read_checkpoints(signed.folder, [public_key(signed.public)])
    found = verify(records, Coverage(series), now)
    found.tell(faults)
    return found


def texts(found: Verified) -> list[str]:
    """The faults as they are shown."""
    return [str(fault) for fault in found.faults]


def test_what_was_not_attacked_is_whole(signed: Signed) -> None:
    found = look(whole(), signed)
    assert texts(found) == []
    assert found.whole
    assert found.links == len(whole()) >= LINKS
    assert found.chains == len({item.link.chain for item in whole()})
    assert found.newer == 0
    assert found.disposals
    assert found.gone == sum(item.salt is None for item in whole())


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_is_found_by_both(name: str, signed: Signed) -> None:
    draw, tried = random.Random(name), 0
    while tried < 3:
        position = draw.randrange(len(whole()))
        records = ATTACKS[name](whole(), position)
        if not records:
            continue
        tried += 1
        assert not look(records, signed).whole, position
        assert report_on(exported(records, hours_after(whole(), 2)), signed).count, position


def test_a_hash_altered_in_the_database_is_found() -> None:
    """An export holds no hashes, for they follow from the links; the service reads them all the same."""
    records = case_chain(random.Random(1), 0, 4)
    found = look([*records[:3], records[3].but(hash="0" * 64)])
    assert texts(found) == [f"{records[3].link.chain} link 4: was altered: its hash is of other fields"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("edit_payload", "link 3: its record was altered: the link commits to another one"),
        ("edit_salt", "link 3: its record was altered: the link commits to another one"),
        ("edit_payload_relinked", "link 6: was altered: checkpoint 1 holds another hash for it"),
        ("delete_link", "link 4: link 3 is missing before it"),
        ("delete_record", "link 3: the record is missing, and no disposal comes after"),
        ("delete_chain", "the whole chain is missing; checkpoint 1 holds it up to link 6"),
        ("truncate_chain", "link 6: links 3 to 6 are missing at the end; checkpoint 1 holds this one"),
        ("truncate_last", "link 6: link 6 is missing at the end; checkpoint 1 holds this one"),
        ("double_link", "link 3: comes after link 3: put in or out of order"),
        ("edit_prev", "link 3: does not go on from the link before it: one of them was altered, put in or swapped"),
        ("insert_at_end_backdated", "link 7: is dated"),
    ],
)
def test_a_fault_is_told_with_its_chain_and_link(name: str, told: str, tmp_path: Path) -> None:
    records = case_chain(random.Random(1), 0, 6)
    changed = ATTACKS[name](records, 2)
    assert changed is not None
    found = texts(look(changed, sign(tmp_path / "c", records)))
    assert any(
        line.startswith((f"{records[0].link.chain} {told}", f"{records[0].link.chain}: {told}")) for line in found
    )


def test_a_date_set_back_within_a_chain_is_found() -> None:
    records = case_chain(random.Random(1), 1000, 3)
    found = texts(look([records[0], records[1].but(at=moment(0)), records[2]]))
    assert any("before the link before it" in line for line in found)


def test_dates_are_held_against_the_checkpoints_on_both_sides(tmp_path: Path) -> None:
    records = case_chain(random.Random(1), 0, 3)
    at = seconds(hours_after(records, 1))
    signed = sign(tmp_path / "c", records)
    for date, told in ((at - 60, None), (at - 60.000001, "before checkpoint 1 that does not hold it")):
        late = case_chain(random.Random(2), date, 1)
        found = texts(look(ordered([records, late]), signed))
        assert len(found) == (told is not None)
        assert told is None or told in found[0]
    ahead = sign(tmp_path / "d", records, moment(seconds(records[-1].link.at)))
    last = seconds(records[-1].link.at)
    for date, count in ((last - 60, 0), (last - 60.000001, 1)):
        early = replace(ahead.checkpoints[0], body=replace(ahead.checkpoints[0].body, at=moment(date)))
        found = texts(verify(records, Coverage([early]), LATER))
        assert sum("after checkpoint 1 that holds it" in line for line in found) == count


def test_a_date_yet_to_come_is_found() -> None:
    records = case_chain(random.Random(1), 0, 1)
    at = datetime.fromisoformat(records[0].link.at)
    assert look(records, now=at - timedelta(seconds=60)).whole
    found = look(records, now=at - timedelta(seconds=61))
    assert "which is yet to come" in texts(found)[0]


def test_disposal_and_pruning_are_lawful_up_to_where_they_say() -> None:
    draw = random.Random(1)
    case, log = case_chain(draw, 0, 4), read_chain(draw, 0, 6)
    found = look(ordered([disposed_of(case, draw, 10**6), pruned(log, draw, 4, 10**6)]))
    assert texts(found) == []
    assert found.gone == 8
    log_after = [replace(item, salt=None, payload=None) if item.link.seq <= 5 else item for item in log]
    log_after.append(append(log, "pruned", {"through": 4}, moment(10**6), draw))
    name = log[0].link.chain
    assert texts(look(log_after)) == [f"{name} link 5: the record is missing, and no disposal comes after"]
    gone = disposed_of(case, draw, 10**6)
    found = look([*gone, replace(append(gone, "entry", {}, moment(10**6), draw), salt=None, payload=None)])
    assert len(found.faults) == 1


@pytest.mark.parametrize("data", [{}, {"through": "4"}, {"through": True}, {"through": None}, [4]])
def test_a_pruned_link_that_names_no_place_excuses_nothing(data: object) -> None:
    draw = random.Random(1)
    log = read_chain(draw, 0, 4)
    gone = [replace(item, salt=None, payload=None) for item in log]
    found = texts(look([*gone, append(log, "pruned", data, moment(10**6), draw)]))
    assert found == [f"{log[0].link.chain} link 1: the records up to link 4 are missing, and no disposal comes after"]


@pytest.mark.parametrize(
    "fields",
    [
        {"seq": "1"},
        {"seq": 0},
        {"seq": 2**53},
        {"seq": None},
        {"version": 1.5},
        {"version": -1},
        {"at": b"2026"},
        {"at": "yesterday"},
        {"at": None},
        {"chain": 17},
        {"chain": "x\ny"},
        {"kind": "?"},
        {"digest": "0" * 63},
        {"prev": "G" * 64},
    ],
)
def test_a_field_of_no_valid_form_is_told(fields: dict[str, object]) -> None:
    """SQLite keeps whatever it is given, in whatever column."""
    records = case_chain(random.Random(1), 0, 1)
    found = texts(look([records[0].but(**fields)]))
    assert len(found) == 1
    assert "has a field of no valid form" in found[0]
    assert report_on(exported([records[0].but(**fields)], moment(10**6))).count


@pytest.mark.parametrize(
    "record", [{"salt": 5}, {"payload": b"{}"}, {"payload": "\udcff"}, {"salt": "x"}, {"payload": 7}, {"salt": ""}]
)
def test_a_record_of_no_valid_form_is_told(record: dict[str, object]) -> None:
    records = case_chain(random.Random(1), 0, 1)
    changed: Kept = replace(records[0], **record)  # type: ignore[arg-type]
    assert "its record was altered" in texts(look([changed]))[0]
    assert report_on(exported([changed], moment(10**6))).count


def test_only_a_pruned_link_excuses_what_it_names() -> None:
    draw = random.Random(1)
    log = read_chain(draw, 0, 4)
    gone = [replace(item, salt=None, payload=None) for item in log]
    records = [*gone, append(log, "read", {"through": 4}, moment(10**6), draw)]
    assert len(look(records).faults) == 1
    assert report_on(exported(records)).count == 1


def test_checkpoints_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    records = case_chain(random.Random(1), 0, 6)
    one = sign(tmp_path / "c", records, moment(10**6))
    two = sign(tmp_path / "d", records[:3], moment(10**6), key=one.folder / "key.pem")
    other = sign(tmp_path / "e", case_chain(random.Random(2), 0, 3), moment(10**6), key=one.folder / "key.pem")
    found = Coverage([one.checkpoints[0], two.checkpoints[0], other.checkpoints[0]]).faults
    assert [fault.seq for fault in found] == [3, None]
    assert "the chain was rolled back or altered between" in found[0].text
    assert found[1].text == "lacks 1 chain(s) of the checkpoint before it"


def test_a_chain_that_does_not_stand_together_is_told() -> None:
    one, other = case_chain(random.Random(1), 0, 2), case_chain(random.Random(2), 0, 2)
    found = texts(look([one[0], *other, one[1]]))
    assert found[0] == f"{one[0].link.chain} link 2: stands apart from the rest of its chain"
    assert report_on(exported([one[0], *other, one[1]], moment(10**6))).count


def test_many_faults_are_counted_and_not_all_kept() -> None:
    records = [item.but(prev="f" * 64) for item in case_chain(random.Random(1), 0, MOST_FAULTS)]
    found = look(records)
    assert len(found.faults) == MOST_FAULTS < found.fault_count


def test_heads_are_where_the_chains_stand() -> None:
    records = ordered([case_chain(random.Random(n), 0, n + 1) for n in range(4)])
    last = {item.link.chain: item.link.head for item in records}
    assert {head.chain: head for head in look(records).heads} == last


@given(st.integers(0, 2**32), st.integers(0, 120))
def test_any_set_of_chains_is_whole(seed: int, links: int) -> None:
    assert look(chain_set(links, seed)).whole
