"""A run is timed and its memory told with that of every process it started."""

import sys

import pytest

from benchmarks import watching
from benchmarks.watching import RunFailed, watched

HOLDS = "held = bytearray({mib} * 1024 * 1024); held[::4096] = b'x' * len(held[::4096]); import time; time.sleep(0.4)"


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


@pytest.mark.skipif(not watching.PROC.exists(), reason="memory is read from /proc")
def test_the_memory_of_the_processes_a_run_starts_counts() -> None:
    alone = watched(python(HOLDS.format(mib=60)))
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {HOLDS.format(mib=60)!r}])"
    both = watched(python(f"{HOLDS.format(mib=60)}; {child}"))
    assert alone.processes == 1
    assert both.processes == 2
    assert alone.memory_mib is not None
    assert both.memory_mib is not None
    assert 60 < alone.memory_mib < 110
    assert 120 < both.memory_mib < 220


@pytest.mark.skipif(not watching.PROC.exists(), reason="memory is read from /proc")
def test_a_peak_that_is_over_counts() -> None:
    run = watched(python("held = b'x' * (80 * 1024 * 1024); del held; import time; time.sleep(0.4)"))
    assert run.memory_mib is not None
    assert run.memory_mib > 80


def test_what_a_run_says_and_how_long_it_takes_is_told() -> None:
    run = watched(python("import time; time.sleep(0.3); print('done')"))
    assert run.output == "done\n"
    assert run.seconds >= 0.3


def test_a_run_that_fails_is_no_figure() -> None:
    with pytest.raises(RunFailed, match="ended with 3"):
        watched(python("import sys; print('no room', file=sys.stderr); sys.exit(3)"))
    assert watched(python("import sys; sys.exit(1)"), good=(0, 1)).output == ""
    with pytest.raises(RunFailed, match="no room"):
        watched(python("import sys; sys.exit('no room')"))


def test_without_proc_the_memory_is_not_made_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watching, "PROC", tmp_path_factory.mktemp("empty"))
        assert watched(python("import time; time.sleep(0.2)")).memory_mib is None
