"""Memory stays flat however many clients are assessed: the engine in C frees nothing by itself, so this is measured."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEASURE = """
import gc, random, sys
from datetime import date
from pathlib import Path
from tests.helpers import assessor
from tests.oracle.generate import random_case, random_dates
from rules.journal import case_from_data

def resident_kib():
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])

rng = random.Random(1)
documents = [random_case(rng) for _ in range(100)]
pairs = [(case_from_data(document), random_dates(rng, document, 1)[0]) for document in documents]

def assess(count):
    for number in range(count):
        assessor().assess(*pairs[number % len(pairs)]).as_json()

warm_up, count = int(sys.argv[1]), int(sys.argv[2])
assess(warm_up)
before = resident_kib()
assess(count)
print(resident_kib() - before)
"""


def growth_in_mib(warm_up: int, count: int) -> float:
    """How much a process grew over that many assessments."""
    command = [sys.executable, "-c", MEASURE, str(warm_up), str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    growth = int(done.stdout) / 1024
    print(f"\npolku: memory grew by {growth:.2f} MiB over {count:,} assessments")
    return growth


pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")


def test_memory_is_flat_over_three_thousand_assessments() -> None:
    assert growth_in_mib(warm_up=300, count=3_000) <= 5


@pytest.mark.soak
def test_memory_is_flat_over_two_hundred_thousand_assessments() -> None:
    assert growth_in_mib(warm_up=2_000, count=200_000) <= 5
