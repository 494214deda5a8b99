"""Checkpoints: signed, numbered, linked, never replaced; keys for one pair of eyes."""

import json
import os
import random
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from service.audit import checkpoints
from service.audit.canonical import canonical
from service.audit.chain import Head
from service.audit.checkpoints import (
    CheckpointError,
    heads_path,
    key_name,
    locked,
    new_keys,
    private_key,
    public_key,
    read_checkpoints,
    write_checkpoint,
)
from tests.service.audit.chains import REGION, Signed, case_chain, heads_at, moment, ordered, sign, verifier

RECORDS = ordered([case_chain(random.Random(n), 0, n + 1) for n in range(5)])
T1, T2, T3 = moment(1_000_000), moment(2_000_000), moment(3_000_000)


@pytest.fixture
def signed(tmp_path: Path) -> Signed:
    """Three checkpoints in a row."""
    return sign(tmp_path / "checkpoints", RECORDS, T1, T2, T3)


def standalone(signed: Signed) -> list[str]:
    """The faults that the standalone verifier finds in the folder."""
    report = verifier.Report()
    verifier.read_checkpoints([signed.folder], keys(signed), report)
    return [fault.split("/")[-1] for fault in report.faults]


def read(signed: Signed) -> tuple[list[int], list[str]]:
    """The numbers of the sound checkpoints, and the faults."""
    sound, faults = read_checkpoints(signed.folder, [public_key(signed.public)])
    return [item.body.number for item in sound], [str(fault) for fault in faults]


# ---- keys


def test_a_private_key_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    name = new_keys(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert name == key_name(public_key(tmp_path / "key.pub")) == key_name(private_key(tmp_path / "key").public_key())
    assert name == verifier.read_key(tmp_path / "key.pub")


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    new_keys(tmp_path / "key")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(CheckpointError, match="is there already"):
        new_keys(tmp_path / "key")
    (tmp_path / "key.pub").unlink()
    with pytest.raises(CheckpointError, match="is there already"):
        new_keys(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == before
    assert not (tmp_path / "key.pub").exists()


@pytest.mark.parametrize("content", [b"", b"\xff", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(CheckpointError, match="holds no private Ed25519 key"):
        private_key(tmp_path / "key")
    with pytest.raises(CheckpointError, match="holds no public Ed25519 key"):
        public_key(tmp_path / "key")


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    key = X25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    (tmp_path / "a").write_bytes(private)
    (tmp_path / "b").write_bytes(
        key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(CheckpointError, match="private"):
        private_key(tmp_path / "a")
    with pytest.raises(CheckpointError, match="public"):
        public_key(tmp_path / "b")


def test_a_private_key_under_a_password_is_refused_in_words(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    locked_up = form.BestAvailableEncryption(b"secret")
    key = Ed25519PrivateKey.generate().private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked_up)
    (tmp_path / "key").write_bytes(key)
    with pytest.raises(CheckpointError, match="without a password"):
        private_key(tmp_path / "key")


# ---- writing


def test_checkpoints_are_numbered_and_name_the_one_before(signed: Signed) -> None:
    assert read(signed) == ([1, 2, 3], [])
    one, two, three = (item.body for item in signed.checkpoints)
    assert (one.previous, two.previous, three.previous) == ("0" * 64, one.sha256, two.sha256)
    assert [item.path.name for item in signed.checkpoints] == [f"checkpoint-00000{n}.json" for n in (1, 2, 3)]


def test_a_checkpoint_byte_by_byte(signed: Signed) -> None:
    data = json.loads(signed.checkpoints[0].path.read_bytes())
    heads = heads_path(signed.checkpoints[0].path).read_bytes()
    assert sorted(data) == ["body", "key", "signature"]
    assert data["body"]["chains"] == heads.count(b"\n") == 5
    assert data["body"]["links"] == len(RECORDS)
    first = RECORDS[0].link.chain
    last = max((item.link for item in RECORDS if item.link.chain == first), key=lambda link: link.seq)
    assert heads.startswith(f"{last.chain} {last.seq} {last.hash}\n".encode())
    assert heads.splitlines() == sorted(heads.splitlines())
    key = public_key(signed.public)
    key.verify(bytes.fromhex(data["signature"]), canonical(data["body"]))


def test_heads_are_read_back(signed: Signed) -> None:
    found = [(head.chain, head.seq, head.hash) for head in signed.checkpoints[-1].heads()]
    assert found == [(head.chain, head.seq, head.hash) for head in heads_at(RECORDS)]


def test_of_no_chains_a_checkpoint_can_be_made(tmp_path: Path) -> None:
    signed = sign(tmp_path / "c", [], T1)
    assert read(signed) == ([1], [])
    assert signed.checkpoints[0].body.root == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [item.number for item in verifier.read_checkpoints([signed.folder], keys(signed), verifier.Report())] == [1]


def keys(signed: Signed) -> list[str]:
    """The public key for the standalone verifier."""
    return [verifier.read_key(signed.public)]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("share", ["with links", "without links"])
def test_a_checkpoint_is_never_replaced(share: str, signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    if share == "without links":
        monkeypatch.setattr(os, "link", unsupported)
    key, before = private_key(signed.folder / "key.pem"), contents(signed.folder)
    with pytest.raises(CheckpointError, match="is there already"):
        write_checkpoint(signed.folder, key, REGION, heads_at(RECORDS), T3, signed.checkpoints[0])
    assert contents(signed.folder) == before


def unsupported(*_: object) -> None:
    """What a network share without hard links says."""
    raise PermissionError("Operation not permitted")


def test_a_network_share_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", unsupported)
    assert read(sign(tmp_path / "c", RECORDS, T1, T2)) == ([1, 2], [])


def test_another_run_that_was_first_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines write into one folder, where a lock may not reach."""
    signed = sign(tmp_path / "c", RECORDS, T1)
    path = signed.checkpoints[0].path
    monkeypatch.setattr(Path, "exists", lambda _: False)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="is there already"):
        checkpoints._write_new(path, b"other")
    assert path.read_bytes() == before


def test_a_run_that_ended_half_way_leaves_no_checkpoint_and_is_made_good(signed: Signed) -> None:
    """The file of heads is written first; without the signed file it is nothing."""
    orphan = signed.folder / "checkpoint-000004.heads"
    orphan.write_bytes(b"half a li")
    (signed.folder / ".checkpoint-000004.json.new").write_bytes(b"{")
    assert read(signed) == ([1, 2, 3], [])
    key = private_key(signed.folder / "key.pem")
    write_checkpoint(signed.folder, key, REGION, heads_at(RECORDS), T3, signed.checkpoints[-1])
    assert read(signed) == ([1, 2, 3, 4], [])
    assert not list(signed.folder.glob(".checkpoint*"))


def test_a_full_disk_leaves_nothing_behind(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = contents(signed.folder)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_checkpoint(signed.folder, private_key(signed.folder / "key.pem"), REGION, [], T3, signed.checkpoints[-1])
    assert contents(signed.folder) == before


def test_a_clock_behind_the_checkpoint_before_is_refused(signed: Signed) -> None:
    key = private_key(signed.folder / "key.pem")
    with pytest.raises(CheckpointError, match="the clock says"):
        write_checkpoint(signed.folder, key, REGION, heads_at(RECORDS), T2, signed.checkpoints[-1])


def test_one_run_writes_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(CheckpointError, match="another run"), locked(tmp_path):
        raise AssertionError
    with locked(tmp_path):
        assert True


# ---- reading


def change(path: Path, **fields: object) -> None:
    """A checkpoint with other fields in its body, otherwise as it was."""
    data = json.loads(path.read_bytes())
    data["body"] |= fields
    path.write_bytes(canonical(data) + b"\n")


@pytest.mark.parametrize(
    "fields", [{"at": T1}, {"links": 1}, {"chains": 0}, {"root": "0" * 64}, {"region": "other"}, {"previous": "f" * 64}]
)
def test_an_altered_body_is_found(fields: dict[str, object], signed: Signed) -> None:
    change(signed.checkpoints[1].path, **fields)
    numbers, faults = read(signed)
    assert numbers == [1, 3]
    assert "checkpoint-000002.json: the signature is not of this body: forged or altered" in faults
    assert any("those between are missing" in fault for fault in faults)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"null\n",
        b"[]\n",
        b'{"body":{},"key":"","signature":""}\n',
        b'{"body":[],"key":1,"signature":2}\n',
        b'{"body":5,"key":"","signature":""}\n',
        b"[" * 9_000,
        b"1" * 9_000 + b"\n",
        b'{"a":"\\ud800"}\n',
        b" " * 20_000,
    ],
)
def test_what_is_no_checkpoint_is_told(content: bytes, signed: Signed) -> None:
    signed.checkpoints[2].path.write_bytes(content)
    assert read(signed)[1] == ["checkpoint-000003.json: is no checkpoint: damaged or written by something else"]
    assert len(standalone(signed)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"number": 0},
        {"number": True},
        {"number": 1.5},
        {"chains": -1},
        {"at": "yesterday"},
        {"at": None},
        {"root": "x"},
        {"region": ""},
        {"region": "a b"},
        {"v": 2},
        {"more": 1},
    ],
)
def test_a_signed_body_of_another_form_is_refused(fields: dict[str, object], signed: Signed) -> None:
    """Even with the right key: the form is part of what is believed."""
    resign(signed, 2, **fields)
    assert read(signed)[1] == ["checkpoint-000003.json: is no checkpoint: damaged or written by something else"]
    assert len(standalone(signed)) == 1


def resign(signed: Signed, place: int, **fields: object) -> None:
    """A checkpoint with another body, signed with the right key."""
    path = signed.checkpoints[place].path
    change(path, **fields)
    data = json.loads(path.read_bytes())
    data["signature"] = private_key(signed.folder / "key.pem").sign(canonical(data["body"])).hex()
    path.write_bytes(canonical(data) + b"\n")


def test_a_signature_of_another_key_is_refused(signed: Signed, tmp_path: Path) -> None:
    new_keys(tmp_path / "other")
    sound, faults = read_checkpoints(signed.folder, [public_key(tmp_path / "other.pub")])
    assert sound == []
    assert [fault.text for fault in faults] == ["is signed with another key than the public key given"] * 3


def test_a_series_under_two_keys_needs_both(signed: Signed, tmp_path: Path) -> None:
    new_keys(tmp_path / "new")
    key = private_key(tmp_path / "new")
    write_checkpoint(signed.folder, key, REGION, heads_at(RECORDS), T3, signed.checkpoints[-1])
    both = [public_key(signed.public), public_key(tmp_path / "new.pub")]
    sound, faults = read_checkpoints(signed.folder, both)
    assert ([item.body.number for item in sound], faults) == ([1, 2, 3, 4], [])


def test_a_checkpoint_under_another_number_is_found(signed: Signed) -> None:
    signed.checkpoints[2].path.rename(signed.folder / "checkpoint-000004.json")
    assert "checkpoint-000004.json: holds checkpoint 3" in read(signed)[1]
    assert "checkpoint-000004.json: holds checkpoint 3, another than its name says" in standalone(signed)


def test_a_checkpoint_made_after_another_one_is_found(signed: Signed) -> None:
    resign(signed, 2, previous="f" * 64)
    assert "was made after another checkpoint 2 than the one here" in read(signed)[1][0]
    assert "was made after another checkpoint 2 than the one here" in standalone(signed)[0]


def test_a_first_checkpoint_that_names_one_before_is_found(tmp_path: Path) -> None:
    signed = sign(tmp_path / "c", RECORDS, T1)
    resign(signed, 0, previous="f" * 64)
    assert "is the first and yet names a checkpoint before it" in read(signed)[1][0]
    assert "is the first, and yet it names one before it" in standalone(signed)[0]


def test_a_checkpoint_of_another_region_or_an_earlier_time_is_found(signed: Signed) -> None:
    resign(signed, 2, region="kymenlaakso", at=moment(0))
    for faults in (read(signed)[1], standalone(signed)):
        assert any("is of the region kymenlaakso" in fault for fault in faults)
        assert any(f"is dated {moment(0)}, before" in fault for fault in faults)


@pytest.mark.parametrize("harm", ["gone", "cut", "longer", "more", "swapped", "empty", "binary"])
def test_a_harmed_file_of_heads_is_found(harm: str, signed: Signed) -> None:
    path = heads_path(signed.checkpoints[2].path)
    lines = path.read_bytes().splitlines(keepends=True)
    if harm == "gone":
        path.unlink()
    else:
        more = [*lines, b"read/ffffffffffffffff 1 " + b"0" * 64 + b"\n"]
        new = {
            "more": more,
            "cut": lines[:-1],
            "longer": [*lines, lines[-1]],
            "swapped": [lines[1], lines[0], *lines[2:]],
        }
        path.write_bytes({"empty": b"", "binary": b"\xff" * 50_000}.get(harm) or b"".join(new.get(harm, [])))
    numbers, faults = read(signed)
    assert numbers == [1, 2]
    assert faults[0].startswith("checkpoint-000003.json: checkpoint-000003.heads")
    assert len(standalone(signed)) == 1


def test_other_files_in_the_folder_do_not_matter(signed: Signed) -> None:
    for name in ("README", "checkpoint-1.json", "checkpoint-000001.json.bak", ".lock"):
        (signed.folder / name).write_bytes(b"x")
    assert read(signed) == ([1, 2, 3], [])


def test_a_file_that_may_not_be_read_is_told(signed: Signed) -> None:
    path = signed.checkpoints[2].path
    path.unlink()
    path.mkdir()
    assert "checkpoint-000003.json: cannot be read" in read(signed)[1][0]
    assert len(standalone(signed)) == 1


def test_heads_that_change_after_they_were_read_are_told(signed: Signed) -> None:
    checkpoint = signed.checkpoints[2]
    heads_path(checkpoint.path).write_bytes(b"?")
    with pytest.raises(CheckpointError, match="no list of heads"):
        list(checkpoint.heads())


def test_a_chain_that_stands_twice_among_heads_is_signed_once(tmp_path: Path) -> None:
    new_keys(tmp_path / "key")
    head = heads_at(RECORDS)[0]
    other = replace(head, seq=head.seq + 1)
    made = write_checkpoint(tmp_path, private_key(tmp_path / "key"), REGION, [head, other], T1, None)
    assert [(item.chain, item.seq) for item in made.heads()] == [(head.chain, head.seq + 1)]
    assert isinstance(head, Head)
