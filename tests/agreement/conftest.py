"""What the tests of agreement share."""

import sys

import pytest

from tests.helpers import SEED


@pytest.fixture
def announced(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> None:
    """The seed, in the output of every run, passing ones too."""
    name = request.path.stem.removeprefix("test_").replace("_", " ")
    with capfd.disabled():
        print(f"\npolku: {name} with POLKU_SEED={SEED}", file=sys.stderr)
