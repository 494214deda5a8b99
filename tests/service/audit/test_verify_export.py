"""The standalone verifier finds what someone with full rights in the database, but without the key, can do."""

import ast
import os
import random
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit.checkpoints import new_keys
from tests.service.audit.attacks import AT_EVERY_POSITION, ATTACKS, bounds
from tests.service.audit.chains import (
    REGION,
    VERIFIER,
    Records,
    Signed,
    append,
    case_chain,
    chain_set,
    disposed_of,
    exported,
    faults,
    hours_after,
    moment,
    ordered,
    pruned,
    read_chain,
    report_on,
    seconds,
    sign,
    verifier,
)

CapSys = pytest.CaptureFixture[str]
LINKS = 10_000
POSITIONS = 6


@cache
def whole() -> Records:
    """The records that are attacked."""
    return chain_set(LINKS)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """Their only checkpoint, which holds all of them."""
    return sign(tmp_path_factory.mktemp("checkpoints"), whole())


def attacked(name: str, position: int) -> Records | None:
    """The records after an attack."""
    return ATTACKS[name](whole(), position)


def found_by(name: str, position: int, signed: Signed) -> list[str] | None:
    """The faults after an attack; None where it cannot be done."""
    records = attacked(name, position)
    if not records and records is not None:
        return ["nothing is left"]
    return None if records is None else faults(records, signed, hours_after(whole(), 2))


def positions(name: str) -> list[int]:
    """Some positions where an attack can be done: a chain's first and last link among them."""
    draw = random.Random(name)
    ends = [bounds(whole(), draw.randrange(LINKS)) for _ in range(2)]
    tried = [ends[0][0], ends[1][1] - 1, *(draw.randrange(LINKS) for _ in range(100))]
    return [place for place in tried if attacked(name, place) is not None][:POSITIONS]


def test_what_was_not_attacked_is_whole(signed: Signed) -> None:
    report = report_on(exported(whole()), signed)
    assert report.faults == []
    assert (report.links, report.newer) == (len(whole()), 0)
    assert report.links >= LINKS
    assert report.chains > 200
    assert report.gone > 100
    assert len(report.disposals) > 10


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_is_found_over_ten_thousand_records(name: str, signed: Signed) -> None:
    tried = positions(name)
    assert len(tried) == POSITIONS
    for position in tried:
        assert found_by(name, position, signed), f"{name} at {position}"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("edit_payload", "its record or salt was altered"),
        ("edit_payload_relinked", "holds another hash"),
        ("edit_salt", "its record or salt was altered"),
        ("edit_prev", "does not follow on the link before it"),
        ("delete_link", "missing before it"),
        ("delete_record", "its record is missing, and no disposal follows"),
        ("delete_chain", "the whole chain is missing"),
        ("truncate_last", "cut off at the end"),
        ("insert_link", "put in, doubled or out of order"),
        ("insert_at_end_backdated", "which does not hold it: put in afterwards"),
        ("insert_chain_backdated", "which does not hold it: put in afterwards"),
        ("double_link", "put in, doubled or out of order"),
        ("dispose_backdated", "which does not hold it: put in afterwards"),
    ],
)
def test_a_fault_is_told_with_its_chain_and_link(name: str, told: str, signed: Signed) -> None:
    middle = next(
        place
        for place in range(LINKS // 2, LINKS)
        if len({whole()[place + step].link.chain for step in (-2, -1, 0, 1, 2)}) == 1
        and whole()[place].salt is not None
    )
    found = found_by(name, middle, signed)
    assert found is not None
    chain, seq = whole()[middle].link.chain, whole()[middle].link.seq
    if name in ("delete_chain", "insert_chain_backdated"):
        assert told in found[0]
        return
    first, end = bounds(whole(), middle)
    at_end = end - first + (name != "truncate_last")
    expected = {"delete_link": seq + 1, "truncate_last": at_end, "double_link": seq, "insert_link": seq + 1}
    expected |= dict.fromkeys(("insert_at_end_backdated", "dispose_backdated"), at_end)
    expected["edit_payload_relinked"] = at_end - 1
    place = f"{chain} link {expected.get(name, seq)}: "
    assert any(line.startswith(place) and told in line for line in found), found


def every_attack_at(job: tuple[str, range, Signed]) -> list[str]:
    """The attacks of a stretch of positions that were not found."""
    name, stretch, signed = job
    return [f"{name} at {position}" for position in stretch if found_by(name, position, signed) == []]


@pytest.mark.soak
@pytest.mark.parametrize("name", AT_EVERY_POSITION)
def test_every_attack_is_found_at_every_position(name: str, signed: Signed) -> None:
    jobs = [(name, range(start, min(start + 250, len(whole()))), signed) for start in range(0, len(whole()), 250)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        missed = [miss for found in pool.map(every_attack_at, jobs) for miss in found]
    print(f"\n{name}: {len(whole())} positions, {len(missed)} not found")
    assert missed == []


# ---- checkpoints in a row


@cache
def story() -> tuple[Records, tuple[str, ...]]:
    """A smaller set, and three times within it and one after."""
    records = chain_set(600, seed=7)
    times = sorted(item.link.at for item in records)
    marks = (times[150], times[300], times[450])
    return records, (*(moment(seconds(mark)) for mark in marks), hours_after(records, 1))


@pytest.fixture
def series(tmp_path: Path) -> Signed:
    """Four checkpoints, made as the records grew."""
    records, times = story()
    return sign(tmp_path / "checkpoints", records, *times)


def test_records_that_grew_are_whole_against_each_checkpoint(series: Signed) -> None:
    assert faults(story()[0], series) == []


def test_records_after_the_last_checkpoint_are_counted_and_checked_among_themselves(tmp_path: Path) -> None:
    records, times = story()
    signed = sign(tmp_path / "c", records, times[1])
    report = report_on(exported(records), signed)
    assert report.faults == []
    assert report.newer == sum(item.link.at > times[1] for item in records) > 100


def test_what_was_cut_off_between_two_checkpoints_is_found_although_the_last_was_signed_after(tmp_path: Path) -> None:
    """Someone rolls the database back, and the key's keeper signs the rolled back state unawares."""
    records, times = story()
    shorter = [item for item in records if item.link.at <= times[0]]
    signed = sign(tmp_path / "c", records, times[2])
    moved = sign(tmp_path / "d", shorter, times[2], times[3], key=signed.folder / "key.pem")
    for name in ("checkpoint-000002.json", "checkpoint-000002.heads"):
        (signed.folder / name).write_bytes((moved.folder / name).read_bytes())
    found = report_on(exported(shorter), signed).faults
    assert any("the series was made anew" in line for line in found)
    assert any("rolled back or altered between them" in line for line in found)
    assert any("lacks" in line and "chain(s) that the checkpoint before it holds" in line for line in found)


def test_a_record_dated_back_between_two_checkpoints_is_found(tmp_path: Path) -> None:
    records, times = story()
    chain = case_chain(random.Random(5), seconds(times[0]) - 3600, 2)
    late = ordered([chain, *by_chain(records)])
    signed = sign(tmp_path / "c", records, times[0], times[1])
    again = sign(tmp_path / "d", late, times[0], times[1], times[2], key=signed.folder / "key.pem")
    (signed.folder / "checkpoint-000003.json").write_bytes((again.folder / "checkpoint-000003.json").read_bytes())
    (signed.folder / "checkpoint-000003.heads").write_bytes((again.folder / "checkpoint-000003.heads").read_bytes())
    found = faults(late, signed)
    name = chain[0].link.chain
    assert any(
        line.startswith(f"{name} link 1: is dated") and "checkpoint-000002.json, which" in line for line in found
    )


def by_chain(records: Records) -> list[Records]:
    """The records of each chain."""
    chains: dict[str, Records] = {}
    for item in records:
        chains.setdefault(item.link.chain, []).append(item)
    return list(chains.values())


def test_a_record_may_be_dated_a_minute_before_the_checkpoint_that_missed_it(tmp_path: Path) -> None:
    records, _ = story()
    at = seconds(hours_after(records, 1))
    signed = sign(tmp_path / "c", records)
    for late, told in ((59.9, 0), (60.0, 0), (60.000001, 1)):
        chain = case_chain(random.Random(1), at - late, 1)
        assert len(faults(ordered([chain, *by_chain(records)]), signed)) == told


def test_a_record_may_be_dated_a_minute_after_the_checkpoint_that_holds_it(tmp_path: Path) -> None:
    records, _ = story()
    new_keys(tmp_path / "key")
    at = hours_after(records, 1)
    for ahead, told in ((60.0, 0), (60.000001, 1)):
        more = ordered([case_chain(random.Random(1), seconds(at) + ahead, 1), *by_chain(records)])
        found = faults(more, sign_at(tmp_path / str(told), more, at, tmp_path / "key"))
        assert len(found) == told
        assert all("later than checkpoint-000001.json, which holds it" in line for line in found)


def sign_at(folder: Path, records: Records, at: str, key: Path) -> Signed:
    """A checkpoint of all the records, whenever they are dated."""
    from service.audit.checkpoints import private_key, write_checkpoint
    from tests.service.audit.chains import heads_at

    folder.mkdir()
    made = write_checkpoint(folder, private_key(key), REGION, heads_at(records), at, None)
    return Signed(folder, key.with_name(key.name + ".pub"), (made,))


def test_a_record_dated_after_the_export_is_found(tmp_path: Path) -> None:
    records, _ = story()
    last = max(by_chain(records), key=lambda chain: chain[-1].link.at)[-1]
    future = append([last], "entry", {}, moment(seconds(last.link.at) + 90_000), random.Random(1))
    found = faults(ordered([*by_chain(records), [future]]), None, at=last.link.at)
    assert len(found) == 1
    assert "later than the export" in found[0]


def test_an_export_older_than_the_checkpoint_is_refused(series: Signed) -> None:
    records, times = story()
    found = faults([item for item in records if item.link.at <= times[0]], series, at=times[0])
    assert "was made before checkpoint-000004.json, or says so" in found[0]


def test_an_export_of_another_region_is_refused(series: Signed) -> None:
    found = report_on(exported(story()[0], region="kymenlaakso"), series).faults
    assert f"export: is of the region kymenlaakso, the checkpoints of {REGION}" in found


# ---- disposal


def test_a_lawful_disposal_leaves_a_chain_whole_with_the_checkpoints_from_before(tmp_path: Path) -> None:
    draw = random.Random(3)
    chains = [case_chain(draw, 0, 9), case_chain(draw, 0, 9), read_chain(draw, 0, 9)]
    signed = sign(tmp_path / "c", ordered(chains), moment(10_000_000))
    after = ordered([disposed_of(chains[0], draw, 10_000_100), chains[1], pruned(chains[2], draw, 5, 10_000_200)])
    report = report_on(exported(after), signed)
    assert report.faults == []
    assert report.gone == 14
    assert [line.split(": ")[-1] for line in report.disposals] == ["disposed", "pruned"]


def test_a_disposal_excuses_nothing_after_it_and_no_other_chain(tmp_path: Path) -> None:
    draw = random.Random(3)
    chain = disposed_of(case_chain(draw, 0, 5), draw, 10_000_000)
    later = append(chain, "entry", {}, moment(10_000_100), draw)
    gone = [*chain, type(later)(later.link, None, None)]
    other = [type(item)(item.link, None, None) for item in case_chain(draw, 0, 3)]
    found = faults(ordered([gone, other]))
    assert sorted(found) == sorted(
        [
            f"{chain[0].link.chain} link 7: its record is missing, and no disposal follows",
            f"{other[0].link.chain} link 1: its record and those up to link 3 are missing, and no disposal follows",
        ]
    )


@pytest.mark.parametrize("through", ["5", 5.5, True, None, -1, 10**400, [5]])
def test_a_pruned_link_that_names_no_place_excuses_nothing(through: object) -> None:
    draw = random.Random(3)
    chain = read_chain(draw, 0, 9)
    data = '{"through":%s}' % ("1" + "0" * 5000) if through == 10**400 else {"through": through}
    last = append(chain, "pruned", data if isinstance(data, dict) else {}, moment(10_000_000), draw)
    if isinstance(data, str):
        from service.audit.chain import next_link

        link = next_link(
            chain[-1].link.head, last.link.chain, "pruned", 0, data.encode(), last.link.at, last.salt or ""
        )
        last = type(last)(link, last.salt, data)
    gone = [type(item)(item.link, None, None) if item.link.seq <= 5 else item for item in chain]
    assert len(faults([*gone, last])) == 1


# ---- forged checkpoints


def test_a_checkpoint_signed_with_another_key_is_refused(tmp_path: Path) -> None:
    records, times = story()
    signed = sign(tmp_path / "c", records, *times)
    forged = sign(tmp_path / "f", chain_set(50, seed=9), *times)
    for file in forged.folder.glob("checkpoint-000004.*"):
        (signed.folder / file.name).write_bytes(file.read_bytes())
    found = faults(records, signed)
    assert "was signed with another key than yours" in found[0]


def replaced(path: Path, old: bytes, new: bytes) -> None:
    """One place of a file changed."""
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))


def test_a_checkpoint_that_names_the_auditors_key_needs_its_signature(tmp_path: Path) -> None:
    records, times = story()
    signed = sign(tmp_path / "c", records, *times)
    forged = sign(tmp_path / "f", chain_set(50, seed=9), *times)
    theirs, ours = (bytes(verifier.read_key(item.public), "ascii") for item in (forged, signed))
    replaced(forged.folder / "checkpoint-000004.json", theirs, ours)
    for file in forged.folder.glob("checkpoint-000004.*"):
        (signed.folder / file.name).write_bytes(file.read_bytes())
    assert "its signature is not of what it says: forged or altered" in faults(records, signed)[0]


def test_every_byte_of_a_checkpoint_is_signed(tmp_path: Path) -> None:
    draw = random.Random(1)
    records = ordered([case_chain(draw, 0, 3), case_chain(draw, 0, 2)])
    signed = sign(tmp_path / "c", records)
    export = exported(records)
    for path in sorted(signed.folder.glob("checkpoint-*")):
        content = path.read_bytes()
        for place in range(len(content)):
            path.write_bytes(content[:place] + bytes([content[place] ^ draw.randrange(1, 256)]) + content[place + 1 :])
            assert report_on(export, signed).count, f"{path.name} byte {place}"
        path.write_bytes(content[:-1])
        assert report_on(export, signed).count
        path.write_bytes(content + b"\n")
        assert report_on(export, signed).count
        path.write_bytes(content)
    assert report_on(export, signed).count == 0


def test_a_head_changed_in_a_checkpoint_is_found(series: Signed) -> None:
    path = series.folder / "checkpoint-000002.heads"
    first = path.read_bytes().split(b"\n")[0]
    replaced(path, first, first[:-1] + (b"0" if first[-1:] != b"0" else b"1"))
    assert "checkpoint-000002.heads is not the file that was signed" in faults(story()[0], series)[0]


def test_a_checkpoint_left_out_of_the_middle_is_found(series: Signed) -> None:
    for path in series.folder.glob("checkpoint-000002.*"):
        path.unlink()
    found = faults(story()[0], series)
    assert found == ["checkpoint-000003.json: those between it and checkpoint 1 are missing"]


def test_later_checkpoints_alone_are_enough(series: Signed) -> None:
    for path in [*series.folder.glob("checkpoint-000001.*"), *series.folder.glob("checkpoint-000002.*")]:
        path.unlink()
    assert faults(story()[0], series) == []


def test_a_series_begun_anew_is_found_with_a_checkpoint_kept_from_earlier(tmp_path: Path, capsys: CapSys) -> None:
    """The key's keeper and the database's work together; the auditor has kept the first checkpoint."""
    records, times = story()
    kept_earlier = sign(tmp_path / "kept", records, times[0])
    others = chain_set(600, seed=8)
    anew = sign(tmp_path / "anew", others, hours_after(records, 1), key=kept_earlier.folder / "key.pem")
    file = tmp_path / "export"
    file.write_bytes(exported(others, at=hours_after(records, 2)))
    key = kept_earlier.public
    code = verifier.main([str(file), *folders(anew.folder, kept_earlier.folder), "--public-key", str(key)])
    told = capsys.readouterr().out
    assert code == 1
    assert "two different checkpoints of this number were signed" in told
    assert "the whole chain is missing" in told


def test_a_checkpoint_dated_before_the_one_before_it_is_found(tmp_path: Path) -> None:
    records, times = story()
    signed = sign(tmp_path / "c", records, times[1])
    other = sign(tmp_path / "d", records, times[0], times[0], key=signed.folder / "key.pem")
    for path in other.folder.glob("checkpoint-000002.*"):
        (signed.folder / path.name).write_bytes(path.read_bytes())
    found = faults([item for item in records if item.link.at <= times[1]], signed, at=times[1])
    assert any(line.startswith("checkpoint-000002.json: is dated") for line in found)


# ---- any change of the file


@st.composite
def small_sets(draw: st.DrawFn) -> Records:
    """Any few chains, some of them disposed of."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    chains = [
        (case_chain if draw(st.booleans()) else read_chain)(chance, draw(st.integers(0, 1000)), draw(st.integers(1, 6)))
        for _ in range(draw(st.integers(0, 5)))
    ]
    for place, chain in enumerate(chains):
        what = draw(st.sampled_from(("kept", "kept", "disposed", "pruned")))
        if what == "disposed":
            chains[place] = disposed_of(chain, chance, 1_000_000)
        elif what == "pruned":
            chains[place] = pruned(chain, chance, draw(st.integers(0, len(chain))), 1_000_000)
    return ordered(chains)


LATER = moment(2_000_000)


@given(small_sets())
def test_the_export_of_any_chains_is_whole(records: Records) -> None:
    report = report_on(exported(records, LATER))
    assert report.faults == []
    assert report.links == len(records)


@given(small_sets(), st.data())
def test_any_changed_byte_is_found(records: Records, data: st.DataObject) -> None:
    content = exported(records, LATER)
    place = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.integers(1, 255))
    changed = content[:place] + bytes([content[place] ^ other]) + content[place + 1 :]
    assert report_on(changed).count, changed[:place][-40:]


@given(small_sets(), st.data())
def test_any_byte_taken_out_or_put_in_is_found(records: Records, data: st.DataObject) -> None:
    content = exported(records, LATER)
    place = data.draw(st.integers(0, len(content) - 1))
    assert report_on(content[:place] + content[place + 1 :]).count
    assert report_on(content[:place] + bytes([data.draw(st.integers(0, 255))]) + content[place:]).count


def test_an_export_cut_off_anywhere_is_found() -> None:
    content = exported(ordered([case_chain(random.Random(1), 0, 3), read_chain(random.Random(2), 0, 2)]))
    for length in range(len(content)):
        assert report_on(content[:length]).count, length


def test_lines_after_the_end_are_found() -> None:
    content = exported(case_chain(random.Random(1), 0, 3))
    assert report_on(content + b"\n").count
    assert report_on(content + content).count


# ---- hostile files


@given(small_sets(), st.lists(st.tuples(st.integers(0), st.integers(0, 40), st.binary(max_size=60)), max_size=5))
def test_a_hostile_file_gives_words(records: Records, changes: list[tuple[int, int, bytes]]) -> None:
    content = exported(records, LATER)
    for place, length, new in changes:
        at = place % (len(content) + 1)
        content = content[:at] + new + content[at + length :]
    for fault in report_on(content).faults:
        assert isinstance(fault, str)


HEADER = b'{"at":"2026-01-01T00:00:00.000000Z","format":"polku-audit","program":"p","region":"r","v":1}\n'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "line 1: is not the first line of an export; nothing was checked"),
        (b"\n", "line 1: is not the first line of an export; nothing was checked"),
        (b"\xff\xfe\x00", "line 1: is cut off; nothing was checked"),
        (b"\xff\xfe\x00\n", "line 1: is not the first line of an export; nothing was checked"),
        (b"null\n", "line 1: is not the first line of an export; nothing was checked"),
        (b"[" * 100_000 + b"\n", "line 1: is not the first line of an export; nothing was checked"),
        (b"1" * 5000 + b"\n", "line 1: is not the first line of an export; nothing was checked"),
        (b"\x1f\x8b\x08" + b"a" * 100, "line 1: is cut off; nothing was checked"),
        (
            HEADER.replace(b"2026-01-01", b"2026-02-30"),
            "line 1: is not the first line of an export; nothing was checked",
        ),
        (HEADER.replace(b'"v":1', b'"v":true'), "line 1: is not the first line of an export; nothing was checked"),
        (HEADER.replace(b'"v":1', b'"v":2'), "line 1: is not the first line of an export; nothing was checked"),
        (HEADER, "export: is cut off: the last line, which counts the links, is missing"),
        (HEADER + b"\xff\n", "line 2: is no link"),
        (HEADER + b'{"chains":0}\n', "line 2: does not say what was read, 0 links in 0 chains and their SHA-256"),
        (HEADER + b'{"at":1}\n', "line 2: is no link"),
    ],
)
def test_what_is_no_export_is_told(content: bytes, told: str) -> None:
    assert report_on(content).faults[0].startswith(told)


def test_a_line_without_end_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "LONGEST_LINE", 10_000)
    content = exported(case_chain(random.Random(1), 0, 3))
    report = report_on(content.replace(b"opened", b"o" * 20_000, 1))
    assert report.faults[0] == "line 2: is too long for a line of an export; nothing after it was checked"


def test_a_record_line_left_out_is_told_and_the_rest_checked() -> None:
    lines = exported(case_chain(random.Random(1), 0, 5)).splitlines(keepends=True)
    found = report_on(b"".join(lines[:2] + lines[3:])).faults
    assert found[0] == "line 3: is no record: the line of one is missing before it"
    assert "link 1: its record is missing, and no disposal follows" in found[1]
    assert len(found) == 2


def test_thousands_of_faults_are_counted() -> None:
    records = [item.but(prev="0" * 64) for item in case_chain(random.Random(1), 0, 400)]
    report = report_on(exported(records))
    assert len(report.faults) == 200
    assert report.count == 399


# ---- the command


def folders(*paths: Path) -> list[str]:
    """The options that name folders of checkpoints."""
    return [word for path in paths for word in ("--checkpoints", str(path))]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The words of a command that finds everything whole."""
    records, times = story()
    signed = sign(tmp_path / "checkpoints", records, *times)
    (tmp_path / "export.jsonl").write_bytes(exported(records))
    return [str(tmp_path / "export.jsonl"), *folders(signed.folder), "--public-key", str(signed.public)]


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """The verifier as a process of its own."""
    return subprocess.run(
        [sys.executable, str(VERIFIER), *map(str, words)], capture_output=True, text=True, check=False
    )


def test_the_command_tells_that_all_is_whole(files: list[str], capsys: CapSys) -> None:
    assert verifier.main(files) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "whole"
    assert told[0].startswith("export: region paijat-hame, 2026-")
    assert f"read: {len(story()[0])} links in " in told[1]
    assert any(line.startswith("checkpoints: 4, checkpoint-000001.json to checkpoint-000004.json") for line in told)


def test_the_command_lists_disposals_when_asked(files: list[str], capsys: CapSys) -> None:
    assert verifier.main([*files, "--disposals"]) == 0
    assert re.search(r"^  case/[0-9a-f]{16} link \d+, 2026-\S+: disposed$", capsys.readouterr().out, re.M)


def test_the_command_says_how_little_an_export_alone_proves(files: list[str], capsys: CapSys) -> None:
    assert verifier.main(files[:1]) == 0
    assert "no checkpoints: whoever can write the database could have made all of this anew" in capsys.readouterr().out


def test_an_auditor_may_have_kept_only_some_checkpoints(files: list[str], tmp_path: Path, capsys: CapSys) -> None:
    for path in (tmp_path / "checkpoints").glob("checkpoint-00000[23].*"):
        path.unlink()
    assert verifier.main(files) == 1
    assert "those between it and checkpoint 1 are missing" in capsys.readouterr().out
    assert verifier.main([*files, "--selection"]) == 0
    changed = [item for item in story()[0] if item.link.at <= story()[1][0]]
    (tmp_path / "export.jsonl").write_bytes(exported(changed, hours_after(story()[0], 2)))
    assert verifier.main([*files, "--selection"]) == 1


def test_a_public_key_may_be_given_in_hexadecimal(files: list[str], tmp_path: Path) -> None:
    key = tmp_path / "key.hex"
    key.write_text(verifier.read_key(Path(files[-1])) + "\n")
    assert verifier.main([*files[:-1], str(key)]) == 0


def test_a_key_changed_between_checkpoints_needs_both_public_keys(tmp_path: Path, capsys: CapSys) -> None:
    from service.audit.checkpoints import private_key, write_checkpoint
    from tests.service.audit.chains import heads_at

    records, times = story()
    signed = sign(tmp_path / "c", records, *times[:3])
    new_keys(tmp_path / "new")
    key = private_key(tmp_path / "new")
    write_checkpoint(signed.folder, key, REGION, heads_at(records), times[3], signed.checkpoints[-1])
    (tmp_path / "export").write_bytes(exported(records))
    words = [str(tmp_path / "export"), *folders(signed.folder), "--public-key", str(signed.public)]
    assert verifier.main(words) == 1
    assert "or the key was changed" in capsys.readouterr().out
    assert verifier.main([*words, "--public-key", str(tmp_path / "new.pub")]) == 0


@pytest.mark.parametrize("missing", [0, 2, 4])
def test_a_file_that_is_not_there_is_a_wrong_use(files: list[str], missing: int, capsys: CapSys) -> None:
    files[missing] += ".none"
    assert verifier.main(files) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert files[missing] in told.err


def test_a_folder_without_checkpoints_is_a_wrong_use(files: list[str], tmp_path: Path, capsys: CapSys) -> None:
    (tmp_path / "empty").mkdir()
    assert verifier.main([files[0], *folders(tmp_path / "empty"), *files[-2:]]) == 2
    assert "there is no checkpoint in" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"a" * 63, b"-----BEGIN PUBLIC KEY-----\n", b"z" * 64])
def test_what_is_no_public_key_is_a_wrong_use(content: bytes, files: list[str], tmp_path: Path, capsys: CapSys) -> None:
    (tmp_path / "key").write_bytes(content)
    assert verifier.main([*files[:-1], str(tmp_path / "key")]) == 2
    assert "holds no Ed25519 public key" in capsys.readouterr().err


def test_checkpoints_without_a_key_are_a_wrong_use(files: list[str], capsys: CapSys) -> None:
    with pytest.raises(SystemExit) as left:
        verifier.main(files[:3])
    assert left.value.code == 2
    assert "only together" in capsys.readouterr().err


def test_what_the_export_says_cannot_steer_a_terminal(tmp_path: Path, capsys: CapSys) -> None:
    content = exported(story()[0], region="x\x1b[2J").replace(b'"polku 0"', b'"\\u001b]0;x\\u0007"')
    (tmp_path / "export").write_bytes(content)
    assert verifier.main([str(tmp_path / "export")]) == 1
    assert capsys.readouterr().out.isprintable() or "\x1b" not in capsys.readouterr().out


def test_the_file_alone_runs_as_a_process(files: list[str], tmp_path: Path) -> None:
    alone = tmp_path / "alone" / "verify.py"
    alone.parent.mkdir()
    alone.write_bytes(VERIFIER.read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(alone), *files], capture_output=True, text=True, cwd=alone.parent
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nwhole\n")
    Path(files[0]).write_bytes(Path(files[0]).read_bytes().replace(b'"n":1', b'"n":9', 1))
    broken = run(*files)
    assert (broken.returncode, broken.stderr) == (1, "")
    assert broken.stdout.endswith("\nbroken: 1 fault\n")


def test_the_command_prints_the_first_faults_and_counts_the_rest(tmp_path: Path, capsys: CapSys) -> None:
    records = [item.but(prev="0" * 64) for item in case_chain(random.Random(1), 0, 400)]
    (tmp_path / "export").write_bytes(exported(records))
    assert verifier.main([str(tmp_path / "export")]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[200] == "and 199 more"
    assert told[-1] == "broken: 399 faults"


def test_the_command_tells_what_is_no_export(tmp_path: Path, capsys: CapSys) -> None:
    (tmp_path / "export").write_bytes(b"?\n")
    assert verifier.main([str(tmp_path / "export")]) == 1
    assert capsys.readouterr().out.startswith(
        "line 1: is not the first line of an export; nothing was checked\nread: 0"
    )


def test_a_reader_that_leaves_gets_no_traceback(files: list[str]) -> None:
    command = f'"{sys.executable}" "{VERIFIER}" {" ".join(files)} | true'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_it_imports_the_standard_library_and_cryptography_only() -> None:
    tree = ast.parse(VERIFIER.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert all(node.level == 0 for node in froms)
    tops = {name.split(".")[0] for name in names | {str(node.module) for node in froms}}
    assert tops - sys.stdlib_module_names == {"cryptography"}
    assert "importlib" not in tops
    assert "__import__" not in VERIFIER.read_text(encoding="utf-8")


def test_without_cryptography_an_export_alone_can_be_read(files: list[str]) -> None:
    """Checkpoints are refused in words; nothing else needs the package."""
    code = (
        "import sys, runpy; sys.modules['cryptography'] = None;"
        f"sys.argv = ['x', *sys.argv[1:]]; runpy.run_path({str(VERIFIER)!r}, run_name='__main__')"
    )
    for words, left in ((files[:1], 0), (files, 2)):
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
        assert done.returncode == left
        assert "Traceback" not in done.stderr
    assert "need the package `cryptography`" in done.stderr
