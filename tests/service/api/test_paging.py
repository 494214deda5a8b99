"""Pages: what a cursor holds comes back as it went out, and nothing made by hand passes for one."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.paging import cursor, key_of
from service.api.problems import ApiProblem

PRINTABLE = st.text().filter(str.isprintable)


@given(PRINTABLE, st.integers(min_value=0, max_value=2**63 - 1))
def test_a_cursor_gives_back_the_key_it_was_made_of(name: str, number: int) -> None:
    assert key_of(cursor((name, number)), (str, int)) == (name, number)


def test_without_a_cursor_the_list_begins_at_its_beginning() -> None:
    assert key_of(None, (str,)) is None


def made(data: object) -> str:
    """A cursor made by hand."""
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "after",
    [
        "", "x", "é", "a b", "====", "0" * 400, made({}), made([]), made(["a", "b"]), made([1]), made(None),
        made(["\x00"]), made(["\ud800"]), made([["a"]]), made([True]),
        base64.urlsafe_b64encode(b"[" * 200_000).decode(),
    ],
)  # fmt: skip
def test_what_is_no_cursor_of_ours_is_a_mistake_with_its_place(after: str) -> None:
    with pytest.raises(ApiProblem) as caught:
        key_of(after, (str,))
    assert [item.place for item in caught.value.problems] == ["query.after"]


@pytest.mark.parametrize("number", [-1, 2**63, 1.5, True, "1", None])
def test_a_number_the_database_could_not_take_is_no_cursor(number: object) -> None:
    with pytest.raises(ApiProblem):
        key_of(made([number]), (int,))
