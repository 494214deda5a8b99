"""How long Hypothesis searches: HYPOTHESIS_PROFILE is dev (when left out), ci (`make test`) or soak (`make soak`)."""

import os

import pytest
from hypothesis import HealthCheck, settings

# No deadline: the machine that runs the tests may be slow or busy. print_blob: a failure prints what repeats it.
settings.register_profile("dev", deadline=None, print_blob=True, max_examples=50)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=False, max_examples=100)
settings.register_profile(
    "soak", deadline=None, print_blob=True, max_examples=20_000, suppress_health_check=[HealthCheck.too_slow]
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "dev")
settings.load_profile(PROFILE)


def pytest_report_header(config: pytest.Config) -> str:
    """Name the profile at the head of the run, and whether Spark is tested."""
    from service.checks.spark_session import lacking

    missing = lacking()
    spark = "Spark is tested" if missing is None else f"SPARK IS NOT TESTED: {missing}"
    return f"polku: Hypothesis profile {PROFILE}; {spark}"
