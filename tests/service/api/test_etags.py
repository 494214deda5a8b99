"""Versions as entity tags: a change is guarded by exactly what was read, and by nothing that only looks like it."""

import pytest

from service.api.etags import etag, expected_version, is_unchanged
from service.api.problems import ApiProblem


def slug(header: str | None) -> str:
    """The problem a header comes to."""
    with pytest.raises(ApiProblem) as caught:
        expected_version(header)
    return caught.value.type.slug


@pytest.mark.parametrize("version", [1, 7, 10**17])
def test_the_tag_of_a_version_names_that_version(version: int) -> None:
    assert expected_version(etag(version)) == version


def test_a_recording_that_names_no_version_is_told_to() -> None:
    assert slug(None) == "precondition-required"


@pytest.mark.parametrize(
    "header",
    ["*", 'W/"v7"', '"v7", "v8"', "v7", '"7"', '"v0"', '"v07"', '"v-1"', '""', "", '"v7', '"v' + "9" * 30 + '"'],
)
def test_what_is_no_versions_tag_guards_nothing_and_is_refused(header: str) -> None:
    assert slug(header) == "invalid-request"


@pytest.mark.parametrize("header", ['"v7"', 'W/"v7"', '"v6", "v7"', '"other" ,W/"v7"', "*"])
def test_a_reader_who_has_the_version_gets_no_second_copy(header: str) -> None:
    assert is_unchanged(header, 7)


@pytest.mark.parametrize("header", [None, '"v6"', '"v77"', '"v6","v8"'])
def test_a_reader_who_has_another_version_gets_this_one(header: str | None) -> None:
    assert not is_unchanged(header, 7)


def test_a_list_that_is_none_is_told() -> None:
    with pytest.raises(ApiProblem):
        is_unchanged("v7", 7)
