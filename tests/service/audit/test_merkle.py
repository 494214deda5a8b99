"""The Merkle root, against the roots that Certificate Transparency's own tests publish and the standalone verifier."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit.merkle import root
from tests.service.audit.chains import verifier

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("count", range(9))
def test_the_published_roots(count: int) -> None:
    assert root(LEAVES[:count]) == ROOTS[count]
    assert verifier.merkle_root(LEAVES[:count]) == ROOTS[count]


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_both_ways_of_growing_the_tree_agree(leaves: list[bytes]) -> None:
    assert root(iter(leaves)) == verifier.merkle_root(leaves)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=20), st.data())
def test_any_other_list_has_another_root(leaves: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    before = root(leaves)
    assert root([*leaves[:place], leaves[place] + b"x", *leaves[place + 1 :]]) != before
    assert root([*leaves[:place], *leaves[place + 1 :]]) != before
    assert root([*leaves[:place], b"", *leaves[place:]]) != before or leaves == [b""] * len(leaves) != []


def test_a_node_cannot_pass_for_a_leaf() -> None:
    one, other = (hashlib.sha256(b"\x00" + leaf).digest() for leaf in (b"a", b"b"))
    assert root([one + other]) != root([b"a", b"b"])
