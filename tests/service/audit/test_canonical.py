"""Canonical JSON: the same bytes as RFC 8785 asks for, however they are made."""

import json
from enum import StrEnum
from types import MappingProxyType

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from service.audit.canonical import CanonicalError, canonical

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_any_value_has_the_bytes_of_the_reference(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS, st.lists, max_leaves=9))
def test_what_is_read_back_has_the_same_bytes(value: object) -> None:
    assert canonical(json.loads(canonical({"v": value}))) == canonical({"v": value})


def test_the_example_of_the_standard() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '€$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert (
        canonical(value)
        == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ).encode()
    )


def test_keys_stand_in_the_order_of_the_standard() -> None:
    """By UTF-16, in which a letter beyond the first 65,536 comes before some of those."""
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7}
    assert list(json.loads(canonical(value))) == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


class Colour(StrEnum):
    """Text of a kind of its own."""

    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, 2), b"[1,2]"),
        (Colour.RED, b'"red"'),
        ({"a": (True, None)}, b'{"a":[true,null]}'),
        (-0.0, b"0"),
        (1.0, b"1"),
        (2**53 - 1, b"9007199254740991"),
        ("\x7f\u2028", '"\x7f\u2028"'.encode()),
    ],
)
def test_values_of_python(value: object, expected: bytes) -> None:
    assert canonical(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        2**53,
        -(2**53),
        float("nan"),
        float("inf"),
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        {None: 2},
        {True: 2},
        b"bytes",
        {1, 2},
        MappingProxyType({"a": 1}),
        object(),
        [[2**60]],
    ],
)
def test_what_json_cannot_hold_exactly_is_refused(value: object) -> None:
    with pytest.raises(CanonicalError):
        canonical(value)
    with pytest.raises(CanonicalError):
        canonical({"deep": [value]})


def test_a_value_without_end_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(CanonicalError):
        canonical(loop)
